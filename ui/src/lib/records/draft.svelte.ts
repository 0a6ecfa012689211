// Owns a record while it is being written or changed: what is in the form, whether that differs from what was, and
// what is wrong with it. Secrets that are left alone are never fetched: their value stays null.
import type { FieldType, MadeSecret, RecordDraft } from "$lib/api/commands.ts";
import type { DraftView, RecordView } from "$lib/api/types.ts";
import * as limits from "./limits.ts";

/** A field in the form. `key` is for the form alone. */
export class DraftField {
  readonly key: number;
  readonly id: number | null;
  name = $state("");
  field_type: FieldType = $state("text");
  /** Null for a secret that is kept as it is. */
  value: string | null = $state("");
  /** A secret that was made and is not in this window; saved by its handle in place of the value. */
  made: MadeSecret | null = $state.raw(null);
  /** Of a reference: the other record's title, to be shown; null if that record is gone. */
  title: string | null = $state(null);

  constructor(key: number, id: number | null, name: string, type: FieldType) {
    this.key = key;
    this.id = id;
    this.name = name;
    this.field_type = type;
  }
}

/** What can be wrong with one place of the form. */
export type Fault =
  | "title_missing"
  | "title_too_long"
  | "name_missing"
  | "name_too_long"
  | "name_repeated"
  | "value_too_large"
  | "tag_invalid"
  | "too_many_tags"
  | `not_${Exclude<FieldType, "secret">}`
  | "not_secret";

export class Draft {
  /** The record being changed; null for a new one. */
  readonly record: RecordView | null;
  kind: string = $state("login");
  title = $state("");
  fields: DraftField[] = $state([]);
  tags = $state("");
  notes = $state("");

  #nextKey = 0;
  #before = "";

  readonly isChanged = $derived.by(() => this.#fingerprint() !== this.#before);
  readonly faults = $derived.by(() => this.#check());

  constructor(record: RecordView | null) {
    this.record = record;
    if (record) {
      this.kind = record.kind;
      this.title = record.title;
      this.tags = record.tags.join(", ");
      this.notes = record.notes;
      this.fields = record.fields.map((field) => {
        const drafted = new DraftField(this.#nextKey++, field.id, field.name, field.field_type);
        drafted.value = limits.isMasked(field.field_type) && !field.empty ? null : (field.value ?? "");
        drafted.title = field.reference?.title ?? null;
        return drafted;
      });
    }
    this.settle();
  }

  /** What was written of a record when the window locked, to be written on; `record` is as it is now. */
  static taken(record: RecordView | null, kept: DraftView): Draft {
    const draft = new Draft(record);
    draft.kind = kept.kind;
    draft.title = kept.title;
    draft.tags = kept.tags.join(", ");
    draft.notes = kept.notes;
    draft.fields = kept.fields.map(({ id, name, field_type, value }) => {
      // A field that the record has no more is a new one.
      const known = id !== null && record?.fields.some((field) => field.id === id);
      const drafted = new DraftField(draft.#nextKey++, known ? id : null, name, field_type);
      drafted.value = known ? value : (value ?? "");
      return drafted;
    });
    return draft;
  }

  /** Takes what is in the form as what was there before. */
  settle(): void {
    this.#before = this.#fingerprint();
  }

  /** Adds an empty field and gives its key. */
  add(name: string, type: FieldType): number {
    const key = this.#nextKey++;
    this.fields.push(new DraftField(key, null, name, type));
    return key;
  }

  /** Gives a field another type. What was made stays only where it stays masked. */
  retype(field: DraftField, type: FieldType): void {
    if (field.made && !limits.isMasked(type)) {
      field.made = null;
      field.value = "";
    }
    field.field_type = type;
  }

  /** Takes a field out. */
  remove(key: number): void {
    this.fields = this.fields.filter((field) => field.key !== key);
  }

  /** Moves a field up (-1) or down (1). */
  move(key: number, by: -1 | 1): void {
    const from = this.fields.findIndex((field) => field.key === key);
    const to = from + by;
    const field = this.fields[from];
    if (!field || to < 0 || to >= this.fields.length) return;
    this.fields.splice(from, 1);
    this.fields.splice(to, 0, field);
  }

  /** The tags typed, trimmed, without repetition. */
  get tagList(): string[] {
    const tags = this.tags.split(",").map((tag) => tag.trim());
    return [...new Set(tags.filter((tag) => tag !== ""))];
  }

  /** The record as it is sent. Fields without a name and value are left out. */
  toDraft(): RecordDraft {
    return {
      kind: this.kind,
      title: this.title.trim(),
      fields: this.fields
        .filter((field) => !isBlank(field))
        .map(({ id, name, field_type, value, made }) => {
          const field = { id, name: name.trim(), field_type, value: made ? null : value };
          return made ? { ...field, made: made.handle } : field;
        }),
      tags: this.tagList,
      notes: this.notes,
    };
  }

  #fingerprint(): string {
    return JSON.stringify([
      this.kind,
      this.title,
      this.fields.map(({ id, name, field_type, value, made }) => [id, name, field_type, value, made?.handle ?? null]),
      this.tags,
      this.notes,
    ]);
  }

  #check(): Map<string, Fault> {
    const faults = new Map<string, Fault>();
    if (this.title.trim() === "") faults.set("title", "title_missing");
    else if (!limits.isLine(this.title.trim(), limits.TITLE_CHARS)) faults.set("title", "title_too_long");
    const names = new Set<string>();
    for (const field of this.fields) {
      if (isBlank(field)) continue;
      const name = field.name.trim();
      if (name === "") faults.set(`name ${field.key}`, "name_missing");
      else if (!limits.isLine(name, limits.FIELD_NAME_CHARS)) faults.set(`name ${field.key}`, "name_too_long");
      else if (names.has(name)) faults.set(`name ${field.key}`, "name_repeated");
      names.add(name);
      if (field.value === null || field.made) continue;
      if (limits.bytes(field.value) > limits.VALUE_BYTES) faults.set(`value ${field.key}`, "value_too_large");
      else if (!limits.accepts(field.field_type, field.value))
        faults.set(`value ${field.key}`, `not_${field.field_type}`);
    }
    if (this.tagList.length > limits.TAGS) faults.set("tags", "too_many_tags");
    else if (this.tagList.some((tag) => !limits.isLine(tag, limits.TAG_CHARS))) faults.set("tags", "tag_invalid");
    if (limits.bytes(this.notes) > limits.VALUE_BYTES) faults.set("notes", "value_too_large");
    return faults;
  }
}

function isBlank(field: DraftField): boolean {
  return field.id === null && field.name.trim() === "" && field.value === "" && !field.made;
}

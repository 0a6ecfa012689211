// Owns the kinds of records this vault knows, with their templates as the engine gives them: what a new record starts
// with, which choices a field offers, which field stands for the user, the main secret and the address.
import * as api from "$lib/api/commands.ts";
import { CommandError } from "$lib/api/error.ts";
import type { FieldView, KindFieldView, KindView, RecordView } from "$lib/api/types.ts";
import { locales } from "$words/runtime";
import { CHOICE_WORDS, FIELD_WORDS, isOffered, kindWords } from "./kinds.ts";

export class Kinds {
  list: KindView[] = $state.raw([]);
  error: CommandError | null = $state(null);

  /** Those that administrators of this vault have added. */
  readonly own = $derived(this.list.filter(({ kind }) => !isOffered(kind)));

  /** Fetches them. Without them records are written field by field, so a failure stops nothing. */
  async load(): Promise<void> {
    try {
      this.list = await api.kindsList();
      this.error = null;
    } catch (reason) {
      this.error = CommandError.from(reason);
    }
  }

  /** Shows none. */
  drop(): void {
    this.list = [];
    this.error = null;
  }

  /** Adds a kind of the vault's own, or gives it another template. */
  async set(template: api.KindTemplate): Promise<void> {
    await api.kindSet(template);
    await this.load();
  }

  /** Takes a kind of the vault's own away. */
  async remove(kind: string): Promise<void> {
    await api.kindRemove(kind);
    await this.load();
  }

  /** The kind in words. */
  words(kind: string): string {
    return this.#find(kind)?.name ?? kindWords(kind);
  }

  /** The fields a new record of a kind starts with, named in the person's language. */
  template(kind: string): { name: string; type: api.FieldType }[] {
    return (this.#find(kind)?.fields ?? []).map((field) => ({ name: fieldName(field), type: field.field_type }));
  }

  /** What a field of a record of this kind offers to choose from; nothing if it has no template. */
  options(kind: string, name: string): string[] {
    const field = this.#find(kind)?.fields.find((field) => field.field_type === "choice" && isNamed(field, name));
    return (field?.options ?? []).map(({ word, text }) => (word ? CHOICE_WORDS[word]() : (text ?? "")));
  }

  /** The field of a record that its kind's template says stands for something. */
  standingFor(record: RecordView, role: NonNullable<KindFieldView["role"]>): FieldView | undefined {
    const field = this.#find(record.kind)?.fields.find((field) => field.role === role);
    return field && record.fields.find(({ name, empty }) => !empty && isNamed(field, name));
  }

  #find(kind: string): KindView | undefined {
    return this.list.find((known) => known.kind === kind);
  }
}

function fieldName(field: KindFieldView): string {
  return field.word ? FIELD_WORDS[field.word]() : (field.name ?? "");
}

/** Whether a field of the template has this name, in whichever language the record was begun. */
function isNamed(field: KindFieldView, name: string): boolean {
  const word = field.word;
  return word ? locales.some((locale) => FIELD_WORDS[word]({}, { locale }) === name) : field.name === name;
}

// Owns the right pane: the record that is open, its history, and through `revealed` and `files` what is shown of it.
import * as api from "$lib/api/commands.ts";
import { CommandError } from "$lib/api/error.ts";
import type { FieldView, RecordView, VersionView } from "$lib/api/types.ts";
import { Attachments } from "$lib/attachments/attachments.svelte.ts";
import { Codes } from "./codes.svelte.ts";
import type { Kinds } from "./kinds.svelte.ts";
import { isMasked } from "./limits.ts";
import { Revealed } from "./revealed.svelte.ts";

export class OpenRecord {
  record: RecordView | null = $state(null);
  history: VersionView[] | null = $state(null);
  state: "empty" | "loading" | "ready" | "failed" = $state("empty");
  error: CommandError | null = $state(null);
  readonly revealed = new Revealed();
  readonly files = new Attachments((record) => this.take(record));
  readonly codes = new Codes();

  readonly #kinds: Kinds | null;

  #turn = 0;

  constructor(kinds: Kinds | null = null) {
    this.#kinds = kinds;
  }

  /** Opens a record; the one before is left, and what was revealed of it dropped. */
  async open(id: string): Promise<void> {
    this.drop();
    const turn = this.#turn;
    this.state = "loading";
    try {
      const record = await api.recordOpen(id);
      if (turn === this.#turn) this.take(record);
    } catch (reason) {
      if (turn !== this.#turn) return;
      this.error = CommandError.from(reason);
      this.state = "failed";
    }
  }

  /** Shows a record as it came back from saving. */
  take(record: RecordView): void {
    this.hide();
    this.history = null;
    this.record = record;
    this.error = null;
    this.state = "ready";
  }

  /** Notes that the record became a favourite, or is none any more. */
  noteFavourite(id: string, favourite: boolean): void {
    if (this.record?.id === id) this.record.favourite = favourite;
  }

  /** Fetches the versions of the record, newest first. */
  async openHistory(): Promise<void> {
    const turn = this.#turn;
    if (!this.record) return;
    const history = await api.recordHistory(this.record.id);
    if (turn === this.#turn) this.history = history;
  }

  /** Masks everything again. */
  hide(): void {
    this.revealed.drop();
    this.codes.drop();
  }

  /** Shows nothing. */
  drop(): void {
    this.#turn += 1;
    this.hide();
    this.files.drop();
    this.record = null;
    this.history = null;
    this.error = null;
    this.state = "empty";
  }

  /** The field meant by “user”: what the kind's template says, else one named so, else an e-mail address. */
  get userField(): FieldView | undefined {
    const said = this.record && this.#kinds?.standingFor(this.record, "user");
    if (said) return said;
    const fields = this.record?.fields.filter((field) => !field.empty) ?? [];
    const named = /user|login|account|benutzer|konto|anmelde/i;
    return (
      fields.find((field) => !isMasked(field.field_type) && named.test(field.name)) ??
      fields.find((field) => field.field_type === "email")
    );
  }

  /** The secret the kind's template says is the main one, else the first that holds anything. */
  get mainSecret(): FieldView | undefined {
    const said = this.record && this.#kinds?.standingFor(this.record, "secret");
    return said ?? this.record?.fields.find((field) => field.field_type === "secret" && !field.empty);
  }

  /** The first field that makes one-time codes. */
  get mainCode(): FieldView | undefined {
    return this.record?.fields.find((field) => field.field_type === "totp" && !field.empty);
  }

  /** The URL the kind's template says is the main one, else the first. */
  get mainUrl(): FieldView | undefined {
    const said = this.record && this.#kinds?.standingFor(this.record, "url");
    return said ?? this.record?.fields.find((field) => field.field_type === "url" && !field.empty);
  }
}

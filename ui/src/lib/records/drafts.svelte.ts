// Owns what is being written until it is saved: the engine keeps it, sealed in the tenant's own file, every few seconds
// and when the window locks, and it is offered again after the next unlock.
import * as api from "$lib/api/commands.ts";
import type { DraftNote, DraftView } from "$lib/api/types.ts";
import type { Draft } from "./draft.svelte.ts";

/** What is written is kept at most this often: each time is a write to the disk and an entry of the log. */
export const KEEP_MILLIS = 3_000;

/** What is to be kept: a snapshot, so that the form may be gone by the time it is sent. */
type Unkept = { tenant: string; record: string | null; version: number; draft: api.RecordDraft };

export class Drafts {
  /** The drafts there are in the tenant in sight. */
  notes: DraftNote[] = $state.raw([]);

  #tenant: string | null = null;
  #unkept: Unkept | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The engine has one of what is being written. */
  #isKept = false;
  /** What is on its way to the engine; null when nothing is. */
  #sending: Promise<unknown> | null = null;

  /** Asks which drafts there are; a reader has none. */
  async load(tenant: string | null, mayWrite: boolean): Promise<void> {
    this.#tenant = tenant;
    this.notes = [];
    if (tenant === null || !mayWrite) return;
    // Without an answer nothing is offered; what was written stays kept.
    const notes = await api.draftsList(tenant).catch(() => []);
    if (tenant === this.#tenant) this.notes = notes;
  }

  /** The draft of a record, or of one not added yet. */
  of(record: string | null): DraftNote | undefined {
    return this.notes.find((note) => note.record === record);
  }

  /** Fetches what is in a draft. */
  async take(note: DraftNote): Promise<DraftView | null> {
    const tenant = this.#tenant;
    if (tenant === null) return null;
    const view = await api.draftOpen(tenant, note.record);
    this.#isKept = view !== null;
    return view;
  }

  /** Has what is being written kept soon. */
  note(tenant: string, draft: Draft): void {
    this.#unkept = {
      tenant,
      record: draft.record?.id ?? null,
      version: draft.record?.version ?? 0,
      draft: draft.toDraft(),
    };
    this.#timer ??= setTimeout(() => this.flush(), KEEP_MILLIS);
  }

  /** Has what was written last kept at once. Gives what there is to wait for. */
  flush(): Promise<unknown> | null {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const unkept = this.#unkept;
    this.#unkept = null;
    if (unkept) {
      this.#isKept = true;
      this.#send(() => api.draftKeep(unkept.tenant, unkept.record, unkept.version, unkept.draft));
    }
    return this.#sending;
  }

  /** Forgets what was being written of a record: it is saved, or given up. */
  async settle(tenant: string, record: string | null): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#unkept = null;
    const isKnown = this.#isKept || this.of(record) !== undefined;
    this.#isKept = false;
    if (!isKnown) return;
    this.notes = this.notes.filter((note) => note.record !== record);
    this.#send(() => api.draftDiscard(tenant, record));
    await this.#sending;
  }

  /** Drops everything; what was not kept is sent first. Gives what there is to wait for. */
  drop(): Promise<unknown> | null {
    this.notes = [];
    return this.flush();
  }

  /** One after the other: an older draft must not take the place of a newer. One not kept is in the form still. */
  #send(call: () => Promise<unknown>): void {
    const sending = (this.#sending ?? Promise.resolve())
      .then(call)
      .catch(() => undefined)
      .finally(() => {
        if (this.#sending === sending) this.#sending = null;
      });
    this.#sending = sending;
  }
}

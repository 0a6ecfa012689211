// Owns the steps over records that are marked or chosen: into the trash and out of it, tags, purging. What can be taken
// back offers that for some seconds.
import * as api from "$lib/api/commands.ts";
import { CommandError, errorWords } from "$lib/api/error.ts";
import type { MoveReport, RecordView } from "$lib/api/types.ts";
import { formatCount } from "$lib/locale/format.ts";
import type { Toasts } from "$lib/ui/toasts.svelte.ts";
import * as m from "$words";
import type { RecordList } from "./list.svelte.ts";
import type { OpenRecord } from "./open-record.svelte.ts";

/** The words for so many records. */
const shown = (count: number) => ({ count, shown: formatCount(count) });

export class Life {
  /** A step is under way: a second one waits for the person. */
  isBusy = $state(false);

  readonly #list: RecordList;
  readonly #open: OpenRecord;
  readonly #toasts: Toasts;
  readonly #onrefusal: (error: CommandError) => void;

  constructor(list: RecordList, open: OpenRecord, toasts: Toasts, onrefusal: (error: CommandError) => void) {
    this.#list = list;
    this.#open = open;
    this.#toasts = toasts;
    this.#onrefusal = onrefusal;
  }

  /** Moves records to the trash. */
  async trash(ids: string[]): Promise<void> {
    await this.#step(ids, async () => {
      const { records } = await api.recordsTrash(ids);
      this.#offerUndo(m.trash_done(shown(records)), ids, () => api.recordsRestore(ids));
    });
  }

  /** Takes records out of the trash. */
  async restore(ids: string[]): Promise<void> {
    await this.#step(ids, async () => {
      const { records } = await api.recordsRestore(ids);
      this.#offerUndo(m.trash_restored(shown(records)), ids, () => api.recordsTrash(ids));
    });
  }

  /** Deletes records in the trash for good; whoever calls has asked. */
  async purge(ids: string[]): Promise<void> {
    await this.#step(ids, async () => {
      const { records } = await api.recordsPurge(ids);
      // What was offered before may have been about these.
      this.#toasts.dropUndo();
      this.#toasts.show(m.purge_done(shown(records)));
    });
  }

  /** Deletes everything in a tenant's trash for good; whoever calls has asked. */
  async empty(tenant: string): Promise<void> {
    await this.#step([tenant], async () => {
      const { records } = await api.trashEmpty(tenant);
      this.#toasts.dropUndo();
      this.#toasts.show(m.purge_done(shown(records)));
    });
  }

  /** Adds tags and takes others away. */
  async tag(ids: string[], add: string[], remove: string[]): Promise<void> {
    await this.#step(
      ids,
      async () => {
        const { changed } = await api.recordsTag(ids, add, remove);
        if (changed.length === 0) this.#toasts.show(m.tag_done_none());
        else this.#offerUndo(m.tag_done(shown(changed.length)), ids, () => api.recordsTagUndo(changed), "stays");
      },
      "stays",
    );
  }

  /** Records went into another tenant, or a copy of them did; `after` is told so, and again once that was taken back. */
  async noteMoved(report: MoveReport, after: () => Promise<void>): Promise<void> {
    const { copy, moved, to_name: tenant } = report;
    const ids = moved.map((record) => record.from);
    const then = copy ? "stays" : "leaves";
    const words = { ...shown(ids.length), tenant };
    const back = async () => {
      await api.recordsMoveUndo(moved, copy);
      await after();
    };
    const step = async () => this.#offerUndo(copy ? m.copied_to(words) : m.moved_to(words), ids, back, then);
    await this.#step(ids, step, then);
    await after();
  }

  /** Makes an earlier version of the open record its newest. */
  async restoreVersion(record: RecordView, version: number): Promise<void> {
    await this.#step(
      [record.id],
      async () => {
        const restored = await api.recordRestoreVersion(record.id, version, record.version);
        const back = () => api.recordRestoreVersion(record.id, record.version, restored.version);
        this.#offerUndo(m.version_restored({ number: formatCount(version) }), [record.id], back, "stays");
      },
      "stays",
    );
  }

  /** Marks the open record as a favourite, or takes the mark back. */
  async setFavourite(record: RecordView, on: boolean): Promise<void> {
    await this.#guarded(async () => {
      const { favourite } = await api.recordFavourite(record.id, on);
      this.#open.noteFavourite(record.id, favourite);
      await this.#list.noteFavourite(record.id, favourite);
    });
  }

  #offerUndo(text: string, ids: string[], back: () => Promise<unknown>, open: "stays" | "leaves" = "leaves"): void {
    this.#toasts.offerUndo(text, m.undo(), () => {
      void this.#step(
        ids,
        async () => {
          await back();
          this.#toasts.show(m.undone());
        },
        open,
      );
    });
  }

  /** Does something to records, then shows the list and the open record as they are now. */
  async #step(ids: string[], work: () => Promise<void>, then: "stays" | "leaves" = "leaves"): Promise<void> {
    if (this.isBusy || ids.length === 0) return;
    this.isBusy = true;
    const open = this.#open.record?.id;
    // Emptying the trash is about all of the tenant's.
    const isOpenConcerned = open !== undefined && (ids.includes(open) || ids.includes(this.#list.tenant ?? ""));
    const done = await this.#guarded(work);
    this.isBusy = false;
    if (!done) return;
    const place = this.#list.leadIndex;
    await this.#list.reload();
    if (!isOpenConcerned) return;
    if (then === "stays") {
      await this.#open.open(open);
    } else {
      // It is not in this list any more: the keys go on at the record that took its place.
      this.#open.drop();
      this.#list.selectedId = this.#list.row(Math.min(place, this.#list.count - 1))?.id ?? null;
    }
  }

  /** Whether the work was done; a refusal is told. */
  async #guarded(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (reason) {
      const error = CommandError.from(reason);
      this.#onrefusal(error);
      const { what, todo } = errorWords(error);
      this.#toasts.refuse(what, todo);
      return false;
    }
  }
}

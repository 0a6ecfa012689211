// Owns what is done with the files of the open record: adding and saving as long work, the preview in sight, and what was
// taken off last, so that it can be put back.
import * as api from "$lib/api/commands.ts";
import type { AttachmentPreview, AttachmentView, RecordView } from "$lib/api/types.ts";
import { RunningJob } from "$lib/job/job.svelte.ts";

/** What long work is done with files. */
export type AttachmentWork = "add" | "save";

export class Attachments {
  /** The preview in sight. */
  shown: { attachment: AttachmentView; preview: AttachmentPreview } | null = $state(null);
  work: AttachmentWork | null = $state(null);
  job: RunningJob<RecordView | AttachmentView> | null = $state(null);
  /** What was taken off the record last. */
  removed: AttachmentView | null = $state(null);

  readonly isBusy = $derived(this.work !== null);

  #turn = 0;
  readonly #take: (record: RecordView) => void;

  /** `take` shows a record as it came back from a change. */
  constructor(take: (record: RecordView) => void) {
    this.#take = take;
  }

  /** Lets the person choose a file and attaches it. Says whether it was. */
  async add(record: string): Promise<boolean> {
    const added = await this.#run("add", () => api.attachmentAddStart(record));
    if (!added) return false;
    if (added.turn === this.#turn) {
      this.removed = null;
      this.#take(added.result as RecordView);
    }
    return true;
  }

  /** Lets the person choose where to, and saves an attachment there. Says whether it was. */
  async save(record: string, attachment: AttachmentView): Promise<boolean> {
    return (await this.#run("save", () => api.attachmentSaveStart(record, attachment.id))) !== null;
  }

  /** Shows an attachment. */
  async preview(record: string, attachment: AttachmentView): Promise<void> {
    const turn = this.#turn;
    const preview = await api.attachmentPreview(record, attachment.id);
    if (turn === this.#turn) this.shown = { attachment, preview };
  }

  /** Takes the preview out of sight. */
  hide(): void {
    this.shown = null;
  }

  /** Takes an attachment off the record. */
  async detach(record: string, attachment: AttachmentView): Promise<void> {
    const turn = this.#turn;
    const changed = await api.attachmentDetach(record, attachment.id);
    if (turn !== this.#turn) return;
    this.#take(changed);
    this.removed = attachment;
  }

  /** Puts back what was taken off last. */
  async undo(record: string): Promise<void> {
    const turn = this.#turn;
    if (!this.removed) return;
    const changed = await api.attachmentReattach(record, this.removed.id);
    if (turn !== this.#turn) return;
    this.removed = null;
    this.#take(changed);
  }

  /** Forgets everything: another record is opened, or the vault locked. Work that runs goes on. */
  drop(): void {
    this.#turn += 1;
    this.job?.forget();
    this.shown = null;
    this.work = null;
    this.job = null;
    this.removed = null;
  }

  async #run(work: AttachmentWork, begin: () => Promise<api.Job | null>) {
    if (this.isBusy) return null;
    const turn = this.#turn;
    this.work = work;
    try {
      const started = await begin();
      if (!started || turn !== this.#turn) return null;
      const job = new RunningJob<RecordView | AttachmentView>(started.job);
      this.job = job;
      await job.over;
      if (job.state === "failed" && job.error) throw job.error;
      return job.state === "done" && job.result ? { result: job.result, turn } : null;
    } finally {
      if (turn === this.#turn) {
        this.work = null;
        this.job = null;
      }
    }
  }
}

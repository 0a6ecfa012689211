// Owns the search for a person in one tenant: the identifiers, what was found, what was chosen of it, and what came of
// handing over and erasing. Identifiers are personal data: dropped with the lock.
import * as api from "$lib/api/commands.ts";
import { CommandError } from "$lib/api/error.ts";
import type { SubjectErasureReport, SubjectExportReport, SubjectFindings } from "$lib/api/types.ts";
import { RunningJob } from "$lib/job/job.svelte.ts";

/** Most identifiers at a time (coffer-core, `SUBJECT_IDENTIFIERS_MAX`). */
const IDENTIFIERS_MAX = 20;

type Work = "find" | "export" | "erase";

export class Subject {
  /** As typed, one identifier on each line. */
  typed = $state("");
  found: SubjectFindings | null = $state.raw(null);
  /** Records that are left out. */
  spared: ReadonlySet<string> = $state.raw(new Set());
  historyOnly = $state(false);
  exported: SubjectExportReport | null = $state.raw(null);
  erased: SubjectErasureReport | null = $state.raw(null);
  job: RunningJob<api.JobResult> | null = $state(null);
  work: Work | null = $state(null);
  error: CommandError | null = $state(null);

  readonly identifiers = $derived(
    this.typed
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== ""),
  );
  readonly isFit = $derived(
    this.identifiers.length > 0 &&
      this.identifiers.length <= IDENTIFIERS_MAX &&
      this.identifiers.every((line) => (line.match(/[\p{L}\p{N}]/gu)?.length ?? 0) >= 3),
  );
  /** Records that are meant; `null` is all of them, with drafts and saved searches. */
  readonly chosen = $derived(
    this.spared.size === 0
      ? null
      : (this.found?.records.filter((record) => !this.spared.has(record.id)).map((record) => record.id) ?? []),
  );
  readonly isAnythingChosen = $derived(
    this.chosen === null
      ? this.found !== null &&
          this.found.records.length + this.found.drafts.length + this.found.saved_searches.length > 0
      : this.chosen.length > 0,
  );

  #turn = 0;
  /** The identifiers that what was found belongs to, whatever was typed since. */
  #asked: string[] = [];

  /** Looks for the person in everything that is kept of a tenant. */
  async find(tenant: string): Promise<void> {
    if (!this.isFit) return;
    this.#clear();
    this.#asked = this.identifiers;
    this.found = await this.#run<SubjectFindings>("find", () => api.subjectFindStart(tenant, this.#asked));
  }

  /** Writes what was chosen to a file; the rest is asked in native windows. */
  async export(tenant: string): Promise<void> {
    this.exported = null;
    this.exported = await this.#run<SubjectExportReport>("export", () =>
      api.subjectExportStart(tenant, this.#asked, this.chosen),
    );
  }

  /** Erases what was chosen, for good. */
  async erase(tenant: string): Promise<void> {
    const report = await this.#run<SubjectErasureReport>("erase", () =>
      api.subjectEraseStart(tenant, this.#asked, this.chosen, this.historyOnly),
    );
    if (!report) return;
    this.#clear();
    this.erased = report;
  }

  /** Takes a record out of what is chosen, or back into it. */
  spare(record: string, isSpared: boolean): void {
    const spared = new Set(this.spared);
    if (isSpared) spared.add(record);
    else spared.delete(record);
    this.spared = spared;
  }

  /** Forgets the person; a job that runs goes on unseen until it is cancelled by the lock. */
  drop(): void {
    this.#turn += 1;
    this.job?.forget();
    this.job = null;
    this.work = null;
    this.typed = "";
    this.#asked = [];
    this.#clear();
  }

  #clear(): void {
    this.found = null;
    this.spared = new Set();
    this.historyOnly = false;
    this.exported = null;
    this.erased = null;
    this.error = null;
  }

  async #run<T extends api.JobResult>(work: Work, start: () => Promise<api.Job | null>): Promise<T | null> {
    if (this.work) return null;
    const turn = this.#turn;
    this.work = work;
    this.error = null;
    try {
      const started = await start();
      if (!started || turn !== this.#turn) return null;
      const running = new RunningJob<T>(started.job);
      this.job = running;
      await running.over;
      if (turn !== this.#turn) return null;
      this.error = running.state === "cancelled" ? null : running.error;
      return running.result;
    } catch (reason) {
      const failed = CommandError.from(reason);
      if (turn === this.#turn && !failed.isCancelled) this.error = failed;
      return null;
    } finally {
      if (turn === this.#turn) {
        this.job = null;
        this.work = null;
      }
    }
  }
}

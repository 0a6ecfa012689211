// Owns the log view: the entries fetched so far, newest first, and the verification.
import * as api from "$lib/api/commands.ts";
import { CommandError } from "$lib/api/error.ts";
import type { LogEntryView, LogReport } from "$lib/api/types.ts";
import { RunningJob } from "$lib/job/job.svelte.ts";

/** Entries fetched at a time. Each page is itself an entry of the log. */
const PAGE_ENTRIES = 200;

export class Log {
  entries: LogEntryView[] = $state.raw([]);
  total = $state(0);
  state: "loading" | "ready" | "failed" = $state("loading");
  error: CommandError | null = $state(null);
  job: RunningJob<LogReport> | null = $state(null);
  report: LogReport | null = $state(null);
  verifyError: CommandError | null = $state(null);

  #next: number | null = null;
  #fetching = false;

  /** Fetches the newest entries. */
  async load(): Promise<void> {
    this.entries = [];
    this.#next = null;
    this.state = "loading";
    await this.#fetch(null);
  }

  /** Says the last entry in sight; fetches older ones when it comes near the end. */
  ensure(last: number): void {
    if (this.#next !== null && last >= this.entries.length && this.state === "ready") {
      void this.#fetch(this.#next);
    }
  }

  /** Verifies the whole log. */
  async verify(): Promise<void> {
    if (this.job) return;
    this.report = null;
    this.verifyError = null;
    try {
      const { job } = await api.logVerifyStart();
      this.job = new RunningJob<LogReport>(job);
      await this.job.over;
      this.report = this.job.result;
      this.verifyError = this.job.error;
      // Verifying is in the log itself: what is shown below is as long as what was verified.
      await this.#refresh();
    } catch (reason) {
      this.verifyError = CommandError.from(reason);
    } finally {
      this.job = null;
    }
  }

  /** Fetches the newest entries in the place of those in sight. */
  async #refresh(): Promise<void> {
    if (this.#fetching) return;
    this.#fetching = true;
    try {
      const page = await api.logPage(null, PAGE_ENTRIES);
      this.entries = page.entries;
      this.total = page.total;
      this.#next = page.next_before;
    } catch (reason) {
      this.error = CommandError.from(reason);
      this.state = "failed";
    } finally {
      this.#fetching = false;
    }
  }

  async #fetch(before: number | null): Promise<void> {
    if (this.#fetching) return;
    this.#fetching = true;
    try {
      const page = await api.logPage(before, PAGE_ENTRIES);
      this.entries = [...this.entries, ...page.entries];
      this.total = page.next_before === null ? this.entries.length : Math.max(this.total, page.total);
      this.#next = page.next_before;
      this.error = null;
      this.state = "ready";
    } catch (reason) {
      this.error = CommandError.from(reason);
      this.state = "failed";
    } finally {
      this.#fetching = false;
    }
  }
}

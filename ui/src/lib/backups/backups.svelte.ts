// Owns the backups view: the backups that the vault has receipts of, and the export, verification or restore that runs.
import * as api from "$lib/api/commands.ts";
import { CommandError } from "$lib/api/error.ts";
import type { BackupView } from "$lib/api/types.ts";
import { RunningJob } from "$lib/job/job.svelte.ts";

/** What is done with a backup. */
export type BackupWork = "export" | "verify" | "restore" | "move";

export class Backups {
  list: api.BackupRow[] = $state([]);
  state: "loading" | "ready" | "failed" = $state("loading");
  work: BackupWork | null = $state(null);
  job: RunningJob<BackupView> | null = $state(null);
  /** What the work before this moment ended with. */
  done: { work: BackupWork; backup: BackupView } | null = $state(null);
  cancelled: BackupWork | null = $state(null);
  error: CommandError | null = $state(null);
  /** From the press until the dialogs of the program's own process are answered. */
  asking: BackupWork | null = $state(null);

  readonly isBusy = $derived(this.job !== null || this.asking !== null);

  /** Fetches the list, newest first. */
  async load(): Promise<void> {
    try {
      const list = await api.backupsList();
      this.list = [...list].sort((a, b) => b.made_at.localeCompare(a.made_at));
      this.state = "ready";
    } catch (reason) {
      this.error = CommandError.from(reason);
      this.state = "failed";
    }
  }

  /** Starts one of them and follows it to its end. Once the vault has moved, the program locks. */
  async start(work: BackupWork): Promise<void> {
    if (this.isBusy) return;
    this.error = null;
    this.done = null;
    this.cancelled = null;
    this.asking = work;
    const begin = {
      export: api.backupExportStart,
      verify: api.backupVerifyStart,
      restore: api.backupRestoreStart,
      move: api.vaultMoveStart,
    }[work];
    try {
      const started = await begin();
      this.asking = null;
      if (!started) return;
      await this.#follow(work, started.job);
    } catch (reason) {
      const error = CommandError.from(reason);
      this.error = error.isCancelled ? null : error;
    } finally {
      this.asking = null;
    }
  }

  async #follow(work: BackupWork, job: string): Promise<void> {
    const running = new RunningJob<BackupView>(job);
    this.work = work;
    this.job = running;
    await running.over;
    this.job = null;
    this.work = null;
    if (running.state === "done" && running.result) {
      this.done = { work, backup: running.result };
      if (work === "export") await this.load();
    } else if (running.state === "cancelled") {
      this.cancelled = work;
    } else {
      this.error = running.error;
    }
  }
}

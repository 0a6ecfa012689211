// Owns the health view: what protects the vault on this computer, the check of the vault's files, and enrolling this
// device. A file once found altered stays so for as long as the window is unlocked, whatever a later check can tell.
import * as api from "$lib/api/commands.ts";
import { CommandError } from "$lib/api/error.ts";
import type { FileCheckView, HealthView } from "$lib/api/types.ts";
import { RunningJob } from "$lib/job/job.svelte.ts";

export class Health {
  checks: HealthView[] = $state([]);
  state: "loading" | "ready" | "failed" = $state("loading");
  error: CommandError | null = $state(null);

  job: RunningJob<FileCheckView[]> | null = $state(null);
  /** What the last check of the files found; null before the first. */
  files: FileCheckView[] | null = $state(null);
  filesCancelled = $state(false);
  filesError: CommandError | null = $state(null);

  /** From the press until the passphrase was typed and the key is there. */
  enrolling = $state(false);
  enrolled = $state(false);
  enrolError: CommandError | null = $state(null);

  /** Tenants' files that somebody changed while the vault was locked. */
  readonly altered = $derived(this.files?.filter((file) => file.state === "altered") ?? []);
  /** Whether this device has no key for the vault, so that an administrator may enrol it. */
  readonly mayEnrol = $derived(this.checks.some((check) => check.check === "device_key" && check.detail === "none"));

  /** Fetches the checks that need no time. */
  async load(): Promise<void> {
    try {
      this.checks = await api.health();
      this.error = null;
      this.state = "ready";
    } catch (reason) {
      this.error = CommandError.from(reason);
      this.state = "failed";
    }
  }

  /** Follows the check of the files that began with the session, or makes another one. */
  async checkFiles(again: boolean): Promise<void> {
    if (this.job) return;
    this.filesError = null;
    this.filesCancelled = false;
    try {
      const { job } = await api.filesCheck(again);
      const running = new RunningJob<FileCheckView[]>(job);
      this.job = running;
      await running.over;
      if (running.result) this.#take(running.result);
      this.filesCancelled = running.state === "cancelled";
      this.filesError = running.state === "failed" ? running.error : null;
    } catch (reason) {
      this.filesError = CommandError.from(reason);
    } finally {
      this.job = null;
    }
  }

  /** Gives this device a key for the vault; the passphrase is asked for in a native window. */
  async enrol(): Promise<void> {
    if (this.enrolling) return;
    this.enrolling = true;
    this.enrolError = null;
    try {
      this.enrolled = await api.deviceEnrol();
      if (this.enrolled) await this.load();
    } catch (reason) {
      this.enrolError = CommandError.from(reason);
    } finally {
      this.enrolling = false;
    }
  }

  /** Forgets everything, names of tenants included. */
  drop(): void {
    this.job?.forget();
    this.job = null;
    this.files = null;
    this.checks = [];
  }

  #take(checks: FileCheckView[]): void {
    const known = new Set(this.altered.map((file) => file.tenant));
    this.files = checks.map((file) => (known.has(file.tenant) ? { ...file, state: "altered" } : file));
  }
}

// Owns the assessment of a tenant's secrets: the job while it runs, and what it found. No value is in it.
import * as api from "$lib/api/commands.ts";
import { CommandError } from "$lib/api/error.ts";
import type { SecretFindingView, SecretHealthView, SecretProblem } from "$lib/api/types.ts";
import { RunningJob } from "$lib/job/job.svelte.ts";

/** In the order shown, worst first. */
export const PROBLEMS: readonly SecretProblem[] = ["weak", "reused", "old", "expired"];

export class SecretHealth {
  job: RunningJob<SecretHealthView> | null = $state(null);
  health: SecretHealthView | null = $state.raw(null);
  error: CommandError | null = $state(null);

  #turn = 0;

  /** Assesses every secret of a tenant. */
  async assess(tenant: string): Promise<void> {
    if (this.job) return;
    const turn = this.#turn;
    this.health = null;
    this.error = null;
    try {
      const { job } = await api.secretHealthStart(tenant);
      const running = new RunningJob<SecretHealthView>(job);
      this.job = running;
      await running.over;
      if (turn !== this.#turn) return;
      this.health = running.result;
      this.error = running.state === "cancelled" ? null : running.error;
    } catch (reason) {
      if (turn === this.#turn) this.error = CommandError.from(reason);
    } finally {
      if (turn === this.#turn) this.job = null;
    }
  }

  /** The findings of one kind. */
  of(problem: SecretProblem): SecretFindingView[] {
    return this.health?.findings.filter((finding) => finding.problem === problem) ?? [];
  }

  /** Shows nothing; a job that runs goes on unseen until it is cancelled by the lock. */
  drop(): void {
    this.#turn += 1;
    this.job?.forget();
    this.job = null;
    this.health = null;
    this.error = null;
  }
}

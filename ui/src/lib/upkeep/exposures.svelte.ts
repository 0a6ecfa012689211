// Owns the list of what people have seen who are gone: the job while it runs, and what it found. No value is in it.
import * as api from "$lib/api/commands.ts";
import { CommandError } from "$lib/api/error.ts";
import type { AccountExposureView, ExposuresView } from "$lib/api/types.ts";
import { RunningJob } from "$lib/job/job.svelte.ts";

export class Exposures {
  job: RunningJob<ExposuresView[]> | null = $state(null);
  list: ExposuresView[] | null = $state.raw(null);
  error: CommandError | null = $state(null);
  /** Tenant and account that are being reported on. */
  reporting: string | null = $state(null);

  #turn = 0;

  /** Tenants in which anybody has seen anything. */
  readonly seen = $derived(this.list?.filter(({ accounts }) => accounts.length > 0) ?? []);

  /** Lists it anew. */
  async look(): Promise<void> {
    if (this.job) return;
    const turn = this.#turn;
    this.error = null;
    try {
      const { job } = await api.exposuresStart();
      const running = new RunningJob<ExposuresView[]>(job);
      this.job = running;
      await running.over;
      if (turn !== this.#turn) return;
      this.list = running.result ?? this.list;
      this.error = running.state === "cancelled" ? null : running.error;
    } catch (reason) {
      if (turn === this.#turn) this.error = CommandError.from(reason);
    } finally {
      if (turn === this.#turn) this.job = null;
    }
  }

  /** Tells administrators and auditors how far it is; whether that was done. */
  async report(tenant: string, account: string): Promise<boolean> {
    if (this.reporting) return false;
    const turn = this.#turn;
    this.reporting = `${tenant} ${account}`;
    this.error = null;
    try {
      const { job } = await api.exposureReportStart(tenant, account);
      const running = new RunningJob<AccountExposureView>(job);
      await running.over;
      if (turn !== this.#turn) return false;
      this.error = running.state === "cancelled" ? null : running.error;
      const reported = running.result;
      if (!reported) return false;
      const anew = (known: AccountExposureView) => (known.account === account ? reported : known);
      this.list =
        this.list?.map((known) =>
          known.tenant === tenant ? { ...known, accounts: known.accounts.map(anew) } : known,
        ) ?? null;
      return true;
    } catch (reason) {
      if (turn === this.#turn) this.error = CommandError.from(reason);
      return false;
    } finally {
      if (turn === this.#turn) this.reporting = null;
    }
  }

  /** Shows nothing; a job that runs goes on unseen until it is cancelled by the lock. */
  drop(): void {
    this.#turn += 1;
    this.job?.forget();
    this.job = null;
    this.list = null;
    this.error = null;
    this.reporting = null;
  }
}

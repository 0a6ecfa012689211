// Owns the recovery in use: another one in its place, trusting it, and being steward of tenants by it.
import * as api from "$lib/api/commands.ts";
import { CommandError } from "$lib/api/error.ts";
import type { RecoveryView, SplitView } from "$lib/api/types.ts";
import { RunningJob } from "$lib/job/job.svelte.ts";

export class Recovery {
  view: RecoveryView | null = $state.raw(null);
  error: CommandError | null = $state(null);
  /** Tenants without a steward that are given new keys. */
  job: RunningJob<number> | null = $state(null);
  /** Whether a native window asks for the kit or shares. */
  isAsking = $state(false);

  /** Fetches what is in use. */
  async load(): Promise<void> {
    try {
      this.view = await api.recovery();
      this.error = null;
    } catch (reason) {
      this.error = CommandError.from(reason);
    }
  }

  /** Puts another kit, or shares, in the place of the one in use; whether the person did not decline. */
  async renew(split: SplitView | null): Promise<boolean> {
    try {
      return await api.recoveryRenew(split);
    } finally {
      await this.load();
    }
  }

  /** Trusts what is in use, whose words were typed. */
  async trust(words: string): Promise<void> {
    await api.recoveryAccept(words);
    await this.load();
  }

  /** Makes this account steward of tenants that have none; of how many, or null if the person declined. */
  async becomeSteward(): Promise<number | null> {
    if (this.isAsking || this.job) return null;
    this.isAsking = true;
    this.error = null;
    try {
      const started = await api.tenantsRecover();
      if (!started) return null;
      const running = new RunningJob<number>(started.job);
      this.job = running;
      await running.over;
      if (running.state === "failed") throw running.error ?? new CommandError("bug");
      return running.result;
    } catch (reason) {
      this.error = CommandError.from(reason);
      return null;
    } finally {
      this.isAsking = false;
      this.job = null;
    }
  }

  /** Drops everything. */
  drop(): void {
    this.job?.forget();
    this.job = null;
    this.view = null;
    this.error = null;
  }
}

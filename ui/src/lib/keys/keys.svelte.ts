// Owns the register of keys, who holds them, and putting another in the place of one.
import * as api from "$lib/api/commands.ts";
import { CommandError } from "$lib/api/error.ts";
import type { CryptoperiodView, KeyAccessView, KeyRegisterView, KeyView } from "$lib/api/types.ts";
import { RunningJob } from "$lib/job/job.svelte.ts";
import { Recovery } from "./recovery.svelte.ts";
import { keyId } from "./words.ts";

export class Keys {
  register: KeyRegisterView | null = $state.raw(null);
  /** Who holds them, once asked for. */
  access: KeyAccessView | null = $state.raw(null);
  error: CommandError | null = $state(null);
  /** A tenant that is written anew. */
  job: RunningJob<null> | null = $state(null);
  /** The key that is being replaced. */
  rotating: string | null = $state(null);
  /** Whether the last job was cancelled. */
  cancelled = $state(false);
  /** Whether those that others took the place of are shown. */
  withEarlier = $state(false);

  readonly recovery = new Recovery();

  readonly shown = $derived(this.register?.keys.filter((key) => this.withEarlier || key.until === null) ?? []);

  /** Fetches the register. */
  async load(): Promise<void> {
    try {
      this.register = await api.keyRegister();
      this.error = null;
    } catch (reason) {
      this.error = CommandError.from(reason);
    }
  }

  /** Shows who holds them, which is written down, or does so no more. */
  async showAccess(on: boolean): Promise<void> {
    if (!on) {
      this.access = null;
      return;
    }
    try {
      this.access = await api.keyAccess();
    } catch (reason) {
      this.error = CommandError.from(reason);
    }
  }

  /** Puts another in the place of a key, called compromised first if it may be in wrong hands; whether that was done. */
  async rotate(key: KeyView, isEmergency: boolean): Promise<boolean> {
    if (this.rotating) return false;
    this.rotating = keyId(key);
    this.error = null;
    this.cancelled = false;
    let failure: CommandError | null = null;
    let isDone = false;
    try {
      if (isEmergency) await api.keyCompromised(key.kind, key.tenant);
      const started = await api.keyRotate(key.kind, key.tenant);
      isDone = started === null || (await this.#follow(started.job));
    } catch (reason) {
      failure = CommandError.from(reason);
    }
    await this.load();
    if (this.access) await this.showAccess(true);
    this.error = failure ?? this.error;
    this.rotating = null;
    return isDone;
  }

  async #follow(job: string): Promise<boolean> {
    const running = new RunningJob<null>(job);
    this.job = running;
    await running.over;
    this.job = null;
    this.cancelled = running.state === "cancelled";
    if (running.state === "failed") throw running.error ?? new CommandError("bug");
    return running.state === "done";
  }

  /** Changes for how long keys are used; whether that was done. */
  async setPeriods(periods: CryptoperiodView[]): Promise<void> {
    await api.periodsSet(periods);
    await this.load();
  }

  /** Drops everything. */
  drop(): void {
    this.recovery.drop();
    this.job?.forget();
    this.job = null;
    this.register = null;
    this.access = null;
    this.error = null;
    this.rotating = null;
    this.cancelled = false;
    this.withEarlier = false;
  }
}

// Owns who there is, what they may do, and the keys that change because of it.
import * as api from "$lib/api/commands.ts";
import { CommandError } from "$lib/api/error.ts";
import type { AccountView, GrantView, PendingKeyView, VaultMoveView } from "$lib/api/types.ts";
import { RunningJob } from "$lib/job/job.svelte.ts";

export class People {
  accounts: AccountView[] = $state([]);
  /** Keys that somebody holds who may not any more. */
  pending: PendingKeyView[] = $state([]);
  /** Every time the vault was moved to another computer, in order. */
  moves: VaultMoveView[] = $state([]);
  state: "loading" | "ready" | "failed" = $state("loading");
  error: CommandError | null = $state(null);

  job: RunningJob<PendingKeyView[]> | null = $state(null);
  /** How the last replacing of keys ended. */
  rekeyed: "done" | "cancelled" | null = $state(null);
  rekeyError: CommandError | null = $state(null);

  /** Accounts and invitations, by login. */
  readonly present = $derived(this.accounts.filter(({ state }) => state !== "left"));
  /** Who can be granted something. */
  readonly active = $derived(this.accounts.filter(({ state }) => state === "active"));
  /** Who left, the latest first. */
  readonly former = $derived(this.accounts.filter(({ state }) => state === "left"));
  readonly own = $derived(this.accounts.find(({ own }) => own) ?? null);
  /** Whether this account can replace any of the keys. */
  readonly canReplace = $derived(this.pending.some((key) => key.can_replace));

  /** Fetches everybody. */
  async load(): Promise<void> {
    try {
      const { accounts, pending, moves } = await api.peopleList();
      this.accounts = accounts;
      this.pending = pending;
      this.moves = moves;
      this.error = null;
      this.state = "ready";
    } catch (reason) {
      this.error = CommandError.from(reason);
      this.state = "failed";
    }
  }

  /** The key of a tenant that has to be replaced before anything is saved there; null if none has. */
  awaited(tenant: string | null): PendingKeyView | null {
    return this.pending.find((key) => key.key === "tenant" && key.tenant === tenant) ?? null;
  }

  /** Replaces every key that this account can replace, and follows it to the end. */
  async rekey(): Promise<void> {
    if (this.job) return;
    this.rekeyError = null;
    this.rekeyed = null;
    try {
      const { job } = await api.rekeyStart();
      const running = new RunningJob<PendingKeyView[]>(job);
      this.job = running;
      await running.over;
      this.rekeyed = running.state === "done" || running.state === "cancelled" ? running.state : null;
      this.rekeyError = running.state === "failed" ? running.error : null;
    } catch (reason) {
      this.rekeyError = CommandError.from(reason);
    } finally {
      this.job = null;
    }
    // Keys that were replaced before it was stopped stay replaced.
    await this.load();
  }

  /** After somebody lost something: replaces the keys they held, if this account can. */
  async settle(): Promise<void> {
    await this.load();
    if (this.canReplace) await this.rekey();
  }

  /** What an account may do with a tenant. */
  grantOf(account: AccountView, tenant: string): GrantView | null {
    return account.grants.find((grant) => grant.tenant === tenant) ?? null;
  }

  /** Tenants that nobody could be granted any more without this account, as far as is known here. */
  solelyHeld(account: AccountView): GrantView[] {
    const isSteward = (grant: GrantView) => grant.right === "steward" && !grant.expired;
    const others = this.active.filter(({ id }) => id !== account.id).flatMap(({ grants }) => grants.filter(isSteward));
    return account.grants.filter((grant) => isSteward(grant) && !others.some(({ tenant }) => tenant === grant.tenant));
  }

  /** Drops everything. */
  drop(): void {
    this.accounts = [];
    this.pending = [];
    this.moves = [];
    this.state = "loading";
  }
}

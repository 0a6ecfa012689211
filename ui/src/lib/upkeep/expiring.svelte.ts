// Owns the list of what ends soon or has ended, over every tenant one may read.
import * as api from "$lib/api/commands.ts";
import { CommandError } from "$lib/api/error.ts";
import type { ExpiringRecords } from "$lib/api/types.ts";

export class Expiring {
  days = $state(30);
  found: ExpiringRecords | null = $state.raw(null);
  state: "loading" | "ready" | "failed" = $state("loading");
  error: CommandError | null = $state(null);

  /** Counts up: an answer to an older question is dropped. */
  #turn = 0;

  /** Asks for what ends within the chosen days. Each tenant asked is an entry of the log. */
  async load(): Promise<void> {
    const turn = ++this.#turn;
    this.state = "loading";
    this.error = null;
    try {
      const found = await api.expiringList(this.days);
      if (turn !== this.#turn) return;
      this.found = found;
      this.state = "ready";
    } catch (reason) {
      if (turn !== this.#turn) return;
      this.error = CommandError.from(reason);
      this.state = "failed";
    }
  }

  /** Shows nothing. */
  drop(): void {
    this.#turn += 1;
    this.found = null;
    this.state = "loading";
  }
}

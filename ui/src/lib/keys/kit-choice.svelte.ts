// Owns as what recovery is made: one kit, or shares for several people.
import type { SplitView } from "$lib/api/types.ts";
import { SPLIT, splitHolds } from "./words.ts";

export class KitChoice {
  as: "kit" | "shares" = $state("kit");
  shares = $state(SPLIT.shares);
  needed = $state(SPLIT.needed);

  /** How it is split; null for one kit. */
  readonly split: SplitView | null = $derived(
    this.as === "shares" ? { needed: this.needed, shares: this.shares } : null,
  );
  /** Whether the engine takes it. */
  readonly holds = $derived(this.split === null || splitHolds(this.split));
}

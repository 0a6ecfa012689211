// The one owner of revealed values: nothing else in the window keeps one. Each is gone after half a minute, when
// another record is opened, and when the window locks.
import { SvelteMap } from "svelte/reactivity";
import * as api from "$lib/api/commands.ts";

/** How long a value stays in sight. */
export const REVEALED_MILLIS = 30_000;

export class Revealed {
  readonly #values = new SvelteMap<number, string>();
  readonly #timers = new Map<number, ReturnType<typeof setTimeout>>();
  /** Counts up when everything is dropped: a value that arrives after that is not kept. */
  #turn = 0;

  /** The value of a field, if it is revealed. */
  value(field: number): string | undefined {
    return this.#values.get(field);
  }

  /** Fetches a value and shows it for half a minute. */
  async reveal(record: string, field: number): Promise<void> {
    const turn = this.#turn;
    const value = await api.fieldReveal(record, field, null);
    if (turn !== this.#turn) return;
    this.hide(field);
    this.#values.set(field, value);
    this.#timers.set(
      field,
      setTimeout(() => this.hide(field), REVEALED_MILLIS),
    );
  }

  /** Masks one field again. */
  hide(field: number): void {
    clearTimeout(this.#timers.get(field));
    this.#timers.delete(field);
    this.#values.delete(field);
  }

  /** Drops every value, and those on their way. */
  drop(): void {
    this.#turn += 1;
    for (const timer of this.#timers.values()) {
      clearTimeout(timer);
    }
    this.#timers.clear();
    this.#values.clear();
  }
}

// Owns the one-time codes in sight: each with the time it is good for. A code is followed by the next one until two
// minutes have passed; then it is masked, so that a record left open does not fill the log.
import { SvelteMap } from "svelte/reactivity";
import * as api from "$lib/api/commands.ts";

/** How long codes follow one another. */
export const SHOWN_MILLIS = 120_000;
const TICK_MILLIS = 250;

/** A code in sight. */
export type ShownCode = { digits: string; secondsLeft: number; fraction: number };

type Kept = { record: string; digits: string; period: number; ends: number; until: number; isFetching: boolean };

/** `482913` as `482 913`: halves are what people keep in mind. */
export function grouped(digits: string): string {
  const half = Math.floor(digits.length / 2);
  return `${digits.slice(0, half)} ${digits.slice(half)}`;
}

export class Codes {
  readonly #kept = new SvelteMap<number, Kept>();
  #now = $state(Date.now());
  #clock: ReturnType<typeof setInterval> | undefined;
  /** Counts up when everything is dropped: a code that arrives after that is not kept. */
  #turn = 0;

  /** The code of a field, if it is in sight. */
  shown(field: number): ShownCode | undefined {
    const kept = this.#kept.get(field);
    if (!kept) return undefined;
    const left = Math.max(0, kept.ends - this.#now) / 1_000;
    return { digits: kept.digits, secondsLeft: Math.ceil(left), fraction: Math.min(1, left / kept.period) };
  }

  /** Shows the code of a field, and those that follow. */
  async show(record: string, field: number): Promise<void> {
    await this.#fetch(record, field, Date.now() + SHOWN_MILLIS);
  }

  /** Masks a field's code. */
  hide(field: number): void {
    this.#kept.delete(field);
    if (this.#kept.size === 0) this.#stop();
  }

  /** Drops every code, and those on their way. */
  drop(): void {
    this.#turn += 1;
    this.#kept.clear();
    this.#stop();
  }

  async #fetch(record: string, field: number, until: number): Promise<void> {
    const turn = this.#turn;
    const { code, seconds_left, period_seconds } = await api.codeShow(record, field);
    if (turn !== this.#turn) return;
    this.#now = Date.now();
    const ends = this.#now + seconds_left * 1_000;
    this.#kept.set(field, { record, digits: code, period: period_seconds, ends, until, isFetching: false });
    this.#clock ??= setInterval(() => this.#tick(), TICK_MILLIS);
  }

  #tick(): void {
    this.#now = Date.now();
    for (const [field, kept] of this.#kept) {
      if (this.#now < kept.ends || kept.isFetching) continue;
      if (this.#now >= kept.until) {
        this.hide(field);
        continue;
      }
      kept.isFetching = true;
      // Refused, as when the vault was locked: what is in sight is no longer good.
      this.#fetch(kept.record, field, kept.until).catch(() => this.hide(field));
    }
  }

  #stop(): void {
    clearInterval(this.#clock);
    this.#clock = undefined;
  }
}

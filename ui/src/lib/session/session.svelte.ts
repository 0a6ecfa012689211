// Owns what the window is at: first run, locked or unlocked; who is in; the settings; and the time until it locks.
// Whoever holds a value that must not outlive the session registers with `beforeLock`.
import * as api from "$lib/api/commands.ts";
import { CommandError } from "$lib/api/error.ts";
import type { SessionView } from "$lib/api/types.ts";
import { applyLanguage, applyTheme } from "./look.ts";
import type { Place } from "./place.ts";

/** Locking waits this long at most for what was being written to be kept. */
const KEEP_WITHIN_MILLIS = 500;
/** The engine is told of the person's activity at most this often. */
const ACTIVITY_EVERY_MILLIS = 5_000;

const DEFAULTS: api.Settings = {
  language: "system",
  theme: "system",
  clipboard_seconds: 30,
  lock_preset: "balanced",
  idle_seconds: 300,
  row_detail: "none",
};

export class Session {
  screen: "starting" | "failed" | api.Screen = $state("starting");
  view: SessionView | null = $state(null);
  settings: api.Settings = $state(DEFAULTS);
  error: CommandError | null = $state(null);
  /** Counts up whenever the language changes, so that the window is written anew. */
  language = $state(0);
  /** Seconds until the window locks by itself. */
  secondsLeft = $state(DEFAULTS.idle_seconds);

  /** Where the window is, so that it is there again once it is written anew. */
  place: Place = "records";

  readonly #drops = new Set<() => unknown>();
  #lastActivity = Date.now();
  #lastTold = 0;
  #systemLanguage: api.AppState["system_language"] = "en";

  /** Asks the engine where things stand. */
  async start(): Promise<void> {
    this.screen = "starting";
    this.error = null;
    try {
      const state = await api.appState();
      this.#systemLanguage = state.system_language;
      this.#take(state.settings);
      this.view = state.session;
      this.screen = state.screen;
      this.noteActivity();
    } catch (reason) {
      this.error = CommandError.from(reason);
      this.screen = "failed";
    }
  }

  /** Whether the account has a role. For what is shown; the engine decides what may be done. */
  is(role: SessionView["roles"][number]): boolean {
    return this.view?.roles.includes(role) ?? false;
  }

  /** Asks who is in once more, after their own roles may have changed. */
  async refresh(): Promise<void> {
    const state = await api.appState().catch(() => null);
    if (state?.session && this.screen === "unlocked") this.view = state.session;
  }

  /**
   * Has `drop` called before the window locks; the answer takes that back. A promise that `drop` gives is waited for, but
   * not for long, before the engine is told.
   */
  beforeLock(drop: () => unknown): () => void {
    this.#drops.add(drop);
    return () => this.#drops.delete(drop);
  }

  /** Locks: drops every value held here first, so that nothing waits for the engine. */
  async lock(): Promise<void> {
    const dropping = [...this.#drops].map((drop) => drop()).filter((kept) => kept instanceof Promise);
    this.view = null;
    this.screen = "locked";
    this.place = "records";
    if (dropping.length > 0) {
      await Promise.race([
        Promise.allSettled(dropping),
        new Promise((resolve) => setTimeout(resolve, KEEP_WITHIN_MILLIS)),
      ]);
    }
    // The engine ends this process; an answer may never come.
    await api.lock().catch(() => undefined);
  }

  /** Shows that the session is over, when a call was refused because of it. */
  noteRefusal(error: CommandError): void {
    if (error.code === "locked" && this.screen === "unlocked") {
      void this.lock();
    }
  }

  /** Tells the engine that the person is there, at most every five seconds. */
  noteActivity(now: number = Date.now()): void {
    this.#lastActivity = now;
    this.tick(now);
    if (this.screen === "unlocked" && now - this.#lastTold >= ACTIVITY_EVERY_MILLIS) {
      this.#lastTold = now;
      void api.activity().catch(() => undefined);
    }
  }

  /** Counts down; at zero it locks, whether or not the engine was quicker. */
  tick(now: number = Date.now()): void {
    this.secondsLeft = Math.max(0, this.settings.idle_seconds - (now - this.#lastActivity) / 1_000);
    if (this.secondsLeft === 0 && this.screen === "unlocked") {
      void this.lock();
    }
  }

  /** Changes settings; they hold at once, and stay as they were if the engine refuses. */
  async change(changes: Partial<api.Settings>): Promise<void> {
    const before = $state.snapshot(this.settings);
    const after = { ...before, ...changes };
    this.#take(after);
    try {
      await api.settingsSet(after);
    } catch (reason) {
      this.#take(before);
      throw CommandError.from(reason);
    }
  }

  #take(settings: api.Settings): void {
    this.settings = settings;
    applyTheme(settings.theme);
    if (applyLanguage(settings.language, this.#systemLanguage)) {
      this.language += 1;
    }
    this.tick();
  }
}

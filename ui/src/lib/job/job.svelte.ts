// Owns one piece of long work: asks how far it is, reckons rate and time left, cancels.
import * as api from "$lib/api/commands.ts";
import { CommandError } from "$lib/api/error.ts";
import type { Progress } from "$lib/api/types.ts";

/** How often the engine is asked. */
const POLL_MILLIS = 100;
/** The rate is of the last seconds, so that it follows when work gets slower. */
const RATE_WINDOW_MILLIS = 4_000;

export class RunningJob<T extends api.JobResult> {
  state: api.JobProgress["state"] | "cancelling" = $state("running");
  progress: Progress | null = $state(null);
  result: T | null = $state(null);
  error: CommandError | null = $state(null);
  /** Units a second; null until it can be told. */
  rate: number | null = $state(null);

  /** From 0 to 1; null when the end is not known. */
  readonly fraction = $derived.by(() => {
    const progress = this.progress;
    return progress?.total ? Math.min(1, progress.done / progress.total) : null;
  });
  /** Seconds left at the present rate. */
  readonly secondsLeft = $derived.by(() => {
    const progress = this.progress;
    return progress?.total && this.rate ? Math.max(0, progress.total - progress.done) / this.rate : null;
  });
  readonly isOver = $derived(this.state !== "running" && this.state !== "cancelling");

  /** Settles when the work is over, however it ends. */
  readonly over: Promise<void>;

  readonly #job: string;
  readonly #samples: { at: number; done: number }[] = [];
  #stopped = false;

  constructor(job: string) {
    this.#job = job;
    this.over = this.#follow();
  }

  /** Asks the engine to stop; it leaves nothing half done. */
  async cancel(): Promise<void> {
    if (this.isOver) return;
    this.state = "cancelling";
    try {
      await api.jobCancel(this.#job);
    } catch (reason) {
      this.#fail(CommandError.from(reason));
    }
  }

  /** Stops asking, when nobody looks any more. The work itself goes on. */
  forget(): void {
    this.#stopped = true;
  }

  async #follow(): Promise<void> {
    while (!this.#stopped) {
      try {
        const answer = await api.jobProgress(this.#job);
        this.#take(answer);
        if (answer.state !== "running") return;
      } catch (reason) {
        this.#fail(CommandError.from(reason));
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MILLIS));
    }
  }

  #take(answer: api.JobProgress): void {
    this.progress = answer.progress;
    this.#reckonRate(answer.progress.done);
    if (answer.state === "running") return;
    this.result = answer.result as T | null;
    this.error = answer.error ? CommandError.from(answer.error) : null;
    this.state = answer.state;
  }

  #reckonRate(done: number): void {
    const at = performance.now();
    this.#samples.push({ at, done });
    while ((this.#samples[0]?.at ?? at) < at - RATE_WINDOW_MILLIS) {
      this.#samples.shift();
    }
    const first = this.#samples[0];
    if (first && at - first.at >= 500) {
      this.rate = ((done - first.done) / (at - first.at)) * 1_000;
    }
  }

  #fail(error: CommandError): void {
    this.error = error;
    this.state = "failed";
  }
}

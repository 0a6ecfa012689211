// Holds the short messages at the foot of the window and takes them away in time.

/** One message. */
export type Toast = { id: number; kind: "info" | "danger"; text: string };

/** How long a message stays: long enough to read ten words twice. */
const STAY_MILLIS = 4_000;

export class Toasts {
  list: Toast[] = $state([]);
  #next = 0;

  /** Shows a message. */
  show(text: string, kind: Toast["kind"] = "info"): void {
    const id = this.#next++;
    this.list.push({ id, kind, text });
    setTimeout(() => {
      this.list = this.list.filter((toast) => toast.id !== id);
    }, STAY_MILLIS);
  }
}

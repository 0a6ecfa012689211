// Holds the short messages at the foot of the window and takes them away in time; one may offer to take back what it says,
// and one that says what was refused stays until the person has read it.

/** One message. */
export type Toast = {
  id: number;
  kind: "info" | "danger";
  text: string;
  /** What can be done about it. */
  todo?: string;
  undo?: { label: string; run: () => void };
};

/** How long a message stays: long enough to read ten words twice. */
const STAY_MILLIS = 4_000;
/** How long one stays that offers to take something back. */
export const UNDO_MILLIS = 8_000;

export class Toasts {
  list: Toast[] = $state([]);
  #next = 0;

  /** Shows that something was done. */
  show(text: string): void {
    this.#add({ id: this.#next++, kind: "info", text }, STAY_MILLIS);
  }

  /** Shows why something was not done, and what to do, until the person has read it. */
  refuse(text: string, todo: string): void {
    this.list = [...this.list.filter((toast) => toast.text !== text), { id: this.#next++, kind: "danger", text, todo }];
  }

  /** Takes a message away. */
  dismiss(id: number): void {
    this.list = this.list.filter((toast) => toast.id !== id);
  }

  /** Shows a message that offers to take back what was done. Only the newest of them does. */
  offerUndo(text: string, label: string, run: () => void): void {
    this.dropUndo();
    this.#add({ id: this.#next++, kind: "info", text, undo: { label, run } }, UNDO_MILLIS);
  }

  /** Takes back what the newest message offers to, once; says whether one did. */
  undo(): boolean {
    const offer = this.list.find((toast) => toast.undo);
    this.dropUndo();
    offer?.undo?.run();
    return offer !== undefined;
  }

  /** Takes every offer away: what it was about is not in sight any more. */
  dropUndo(): void {
    this.list = this.list.filter((toast) => !toast.undo);
  }

  /** Takes away what only says something: another view is in sight. */
  dropSaid(): void {
    this.list = this.list.filter((toast) => toast.undo);
  }

  #add(toast: Toast, millis: number): void {
    this.list.push(toast);
    setTimeout(() => this.dismiss(toast.id), millis);
  }
}

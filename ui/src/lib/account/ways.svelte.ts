// Owns what opens one's own account. Whatever is secret about it is typed, shown and chosen in native windows.
import * as api from "$lib/api/commands.ts";
import { CommandError } from "$lib/api/error.ts";
import type { WaysInView } from "$lib/api/types.ts";
import * as m from "$words";

/** What can be done about it. */
export type Work = "passphrase" | "renew" | "key_file" | "device" | "personal" | "enrol" | "spare" | "remove";

export class Ways {
  view: WaysInView | null = $state(null);
  error: CommandError | null = $state(null);
  /** What a native window is open for. */
  busy: Work | null = $state(null);
  /** What was done last, in words. */
  done = $state("");

  /** Whether losing something would shut the account out. */
  readonly isAtRisk = $derived(
    this.view !== null && (this.view.device_secret || this.view.key_file) && !this.view.personal_code,
  );

  /** Asks what there is. */
  async load(): Promise<void> {
    try {
      this.view = await api.waysIn();
    } catch (reason) {
      this.error = CommandError.from(reason);
    }
  }

  /** Changes the passphrase. */
  passphrase = () => this.#work("passphrase", api.passphraseChange, m.passphrase_changed);

  /** Gives the account other keys under a new passphrase; the vault locks. */
  renew = () => this.#work("renew", api.ownKeysRenew, m.known_done);

  /** Changes the key file that is needed beside it. */
  keyFile = (change: "none" | "choose" | "make") =>
    this.#work("key_file", () => api.keyFactorsChange(this.view?.device_secret ?? false, change), m.ways_changed_keys);

  /** Requires the secret in this computer's keyring, or does so no more. */
  device = (required: boolean) =>
    this.#work("device", () => api.keyFactorsChange(required, "keep"), m.ways_changed_keys);

  personal = () => this.#work("personal", api.personalCodeMake, m.ways_changed_personal);
  enrol = () => this.#work("enrol", api.secondFactorEnrol, m.ways_changed_factor);
  spare = () => this.#work("spare", api.spareCodesMake, m.ways_changed_spare);
  remove = () => this.#work("remove", api.secondFactorRemove, m.ways_changed_removed);

  /** Whether it was done: the person may have closed the window. */
  async #work(work: Work, call: () => Promise<boolean>, words: () => string): Promise<boolean> {
    if (this.busy) return false;
    this.busy = work;
    this.error = null;
    this.done = "";
    try {
      const isDone = await call();
      if (isDone) this.done = words();
      return isDone;
    } catch (reason) {
      this.error = CommandError.from(reason);
      return false;
    } finally {
      this.busy = null;
      await this.load();
    }
  }
}

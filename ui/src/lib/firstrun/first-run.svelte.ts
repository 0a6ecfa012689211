// Owns the way from an empty machine to an open vault. Passphrases and words of the kit are asked for in native windows:
// nothing secret passes through here.
import * as api from "$lib/api/commands.ts";
import { CommandError } from "$lib/api/error.ts";
import type { BackupView } from "$lib/api/types.ts";
import { RunningJob } from "$lib/job/job.svelte.ts";
import { KitChoice } from "$lib/keys/kit-choice.svelte.ts";

/** A login name (coffer-model, `LoginName`); the engine checks again. */
const LOGIN = /^[a-z0-9](?:[a-z0-9._@-]{0,62}[a-z0-9])?$/i;

export class FirstRun {
  page: "choose" | "place" | "account" | "kit" | "done" | "restore" = $state("choose");
  known: api.Chosen[] = $state([]);
  place: api.Chosen | null = $state(null);
  login = $state("");
  /** As what recovery is made. */
  readonly kit = new KitChoice();
  kitFile: string | null = $state(null);
  kitConfirmed = $state(false);
  restoring: RunningJob<BackupView> | null = $state(null);
  restored: BackupView | null = $state(null);
  busy: "create" | "open" | "restore" | "demo" | "kit" | "confirm" | "finish" | null = $state(null);
  error: CommandError | null = $state(null);
  /** Whether two words of the kit were asked for and were not right. */
  confirmFailed = $state(false);

  readonly loginFits = $derived(LOGIN.test(this.login));

  /** Fetches the vaults known on this machine. */
  async load(): Promise<void> {
    try {
      this.known = await api.places();
    } catch {
      // A list of old places is a convenience; without it everything else still works.
      this.known = [];
    }
  }

  /** Lets the person choose where the new vault is to be. */
  async choosePlace(): Promise<void> {
    await this.#do("create", async () => {
      const chosen = await api.chooseNewVaultPlace();
      if (chosen) {
        this.place = chosen;
        this.page = "account";
      }
    });
  }

  /** Creates the vault; the passphrase is asked for in a native window. */
  async create(): Promise<void> {
    const place = this.place;
    if (!place) return;
    await this.#do("create", async () => {
      await api.createVault(place.handle, this.login, this.kit.split);
      this.page = "kit";
    });
  }

  /** Saves the recovery kit as a file, or its shares in a folder. */
  async saveKit(): Promise<void> {
    await this.#do("kit", async () => {
      const { saved, file_name } = await api.saveRecoveryKit();
      if (saved) this.kitFile = file_name ?? "";
    });
  }

  /** Has two words of the kit typed again, in a native window. */
  async confirmKit(): Promise<void> {
    await this.#do("confirm", async () => {
      this.kitConfirmed = await api.confirmRecoveryKit();
      this.confirmFailed = !this.kitConfirmed;
      if (this.kitConfirmed) this.page = "done";
    });
  }

  /** Leaves the first run; says whether the vault is open. */
  finish(): Promise<boolean> {
    return this.#do("finish", () => api.finishFirstRun());
  }

  /** Opens a vault; choosing and unlocking happen in native windows. Says whether it is open. */
  open(): Promise<boolean> {
    return this.#do("open", () => api.openVault());
  }

  /** Makes a marked vault with invented data. Says whether it is open. */
  lookAround(): Promise<boolean> {
    return this.#do("demo", () => api.createDemoVault());
  }

  /** Restores a backup into a new folder. */
  async restore(): Promise<void> {
    await this.#do("restore", async () => {
      const started = await api.restoreBackupFirstRun();
      if (!started) return;
      this.page = "restore";
      const job = new RunningJob<BackupView>(started.job);
      this.restoring = job;
      await job.over;
      this.restoring = null;
      this.restored = job.result;
      this.error = job.error;
      if (job.state === "cancelled") this.page = "choose";
    });
  }

  /** Back to the beginning. */
  back(): void {
    this.error = null;
    this.page = this.page === "account" ? "place" : "choose";
  }

  async #do(what: NonNullable<FirstRun["busy"]>, work: () => Promise<void>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = what;
    this.error = null;
    try {
      await work();
      return true;
    } catch (reason) {
      const error = CommandError.from(reason);
      this.error = error.isCancelled ? null : error;
      return false;
    } finally {
      this.busy = null;
    }
  }
}

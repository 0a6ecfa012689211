// Owns what helps to find again: the tags of the tenant in sight, and the searches this account has saved.
import * as api from "$lib/api/commands.ts";
import { CommandError } from "$lib/api/error.ts";
import type { SavedSearchView, TagView } from "$lib/api/types.ts";

export class Finds {
  tags: TagView[] = $state([]);
  saved: SavedSearchView[] = $state([]);
  /** What went wrong while the tags were fetched; the rest of the window goes on without them. */
  error: CommandError | null = $state(null);

  tenant: string | null = $state(null);
  /** The saved searches that can be run here: of this tenant, and of every tenant. */
  readonly here = $derived(this.saved.filter(({ tenant }) => tenant === null || tenant === this.tenant));

  #turn = 0;

  /** Shows the tags of another tenant; those of the one before are dropped first. */
  async show(tenant: string | null): Promise<void> {
    this.tags = [];
    this.tenant = tenant;
    await this.reload();
  }

  /** Fetches the tags again. */
  async reload(): Promise<void> {
    const turn = ++this.#turn;
    if (this.tenant === null) return;
    try {
      const tags = await api.tagsList(this.tenant);
      if (turn !== this.#turn) return;
      this.tags = tags;
      this.error = null;
    } catch (reason) {
      if (turn === this.#turn) this.error = CommandError.from(reason);
    }
  }

  /** Fetches the saved searches. Without them there is only less to click. */
  async loadSaved(): Promise<void> {
    this.saved = await api.searchesList().catch(() => []);
  }

  async save(name: string, tenant: string | null, query: string): Promise<void> {
    await api.searchSave(name, tenant, query);
    await this.loadSaved();
  }

  async rename(search: SavedSearchView, name: string): Promise<void> {
    await api.searchRename(search.name, search.tenant, name);
    await this.loadSaved();
  }

  async remove(search: SavedSearchView): Promise<void> {
    await api.searchRemove(search.name, search.tenant);
    await this.loadSaved();
  }

  /** Makes a tag another one on every record; gives on how many. */
  async renameTag(tenant: string, tag: string, name: string): Promise<number> {
    const records = await api.tagRename(tenant, tag, name);
    await this.reload();
    return records;
  }

  /** Takes a tag from every record; gives from how many. */
  async removeTag(tenant: string, tag: string): Promise<number> {
    const records = await api.tagRemove(tenant, tag);
    await this.reload();
    return records;
  }

  /** Drops everything. */
  drop(): void {
    this.#turn += 1;
    this.tags = [];
    this.saved = [];
    this.tenant = null;
    this.error = null;
  }
}

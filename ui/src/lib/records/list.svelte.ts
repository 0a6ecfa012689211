// Owns the middle pane: one tenant's records, favourites or trash in the order chosen, fetched page by page as they come
// into sight, or what a search found; and which of them are marked for one step over many. Answers that come after the
// person has moved on are dropped.
import { SvelteSet } from "svelte/reactivity";
import * as api from "$lib/api/commands.ts";
import { CommandError } from "$lib/api/error.ts";
import type { RecordRow } from "$lib/api/types.ts";
import { type Beginning, PAGE_ROWS, Pages } from "./pages.svelte.ts";

/** Most records a search shows; who needs more types another letter. */
const MAX_HITS = 200;
/** Most records that one step over many takes (coffer-core, `BULK_MAX`). */
const MAX_MARKS = 1_000;
/** How long the typing rests before the engine is asked. */
const SEARCH_REST_MILLIS = 120;

/** The tenant a record belongs to: its identifier begins with the tenant's. */
export function tenantOf(record: string): string {
  return record.split(".")[0] ?? "";
}

/** A row with the tenant it belongs to, where a search went across tenants. */
export type ListRow = RecordRow & { tenant_name?: string; trashed_at?: string; kept_until?: string };

/** Which of a tenant's records the list is of. */
export type Scope = "all" | "favourites" | "trash";

export class RecordList {
  tenant: string | null = $state(null);
  state: "loading" | "ready" | "failed" = $state("loading");
  error: CommandError | null = $state(null);
  query = $state("");
  /** Whether a search goes across every tenant. */
  everywhere = $state(false);
  selectedId: string | null = $state(null);
  scope: Scope = $state("all");
  order: api.RecordOrder = $state("title");
  #detail: api.RowDetail = "none";
  /** Records marked for one step over many. */
  readonly marks = new SvelteSet<string>();
  /** This account's favourites, as far as pages told. */
  readonly favourites = new SvelteSet<string>();
  searching = $state(false);

  readonly #pages = new Pages<ListRow>();
  /** The row the keys are at while rows are being marked; the chosen one otherwise. */
  #leadId: string | null = $state(null);
  #anchor = -1;
  #hits: ListRow[] | null = $state.raw(null);
  more = $state(false);

  /** Told the number of a tenant's records whenever a page says it. */
  onTotal: (tenant: string, total: number) => void = () => undefined;

  readonly isSearch = $derived(this.#hits !== null);
  readonly count = $derived(this.#hits ? this.#hits.length : this.#pages.total);
  readonly selectedIndex = $derived.by(() => this.#indexOf(this.selectedId));
  readonly leadIndex = $derived.by(() => (this.#leadId === null ? this.selectedIndex : this.#indexOf(this.#leadId)));

  #fetching = false;
  /** Counts up when the tenant changes: answers of an older number are dropped. */
  #listing = 0;
  #search = 0;
  #rest: ReturnType<typeof setTimeout> | undefined;

  /** The title of a record that was fetched. */
  titleOf(id: string): string | undefined {
    return this.row(this.#indexOf(id))?.title;
  }

  /** The row at a place; undefined while it is being fetched. */
  row(index: number): ListRow | undefined {
    return this.#hits ? this.#hits[index] : this.#pages.row(index);
  }

  /** Whether the rows in sight are those of the trash. */
  get isTrash(): boolean {
    return this.scope === "trash" && !this.isSearch;
  }

  /** The records that a step is about: those marked, or the one chosen. */
  get chosen(): string[] {
    if (this.marks.size > 0) return [...this.marks];
    return this.selectedIndex < 0 || this.selectedId === null ? [] : [this.selectedId];
  }

  /** Whether a row is marked, or the chosen one where none is. */
  isMarked(index: number): boolean {
    const id = this.row(index)?.id;
    return id !== undefined && (this.marks.size > 0 ? this.marks.has(id) : id === this.selectedId);
  }

  /** Marks rows: one more or one less, all between the last and this one, or all there are; as far as they were fetched. */
  mark(index: number, how: "toggle" | "range" | "all"): void {
    const row = this.row(index);
    if (!row) return;
    if (how === "toggle") {
      const chosen = this.row(this.selectedIndex);
      if (this.marks.size === 0 && chosen && chosen.id !== row.id) this.marks.add(chosen.id);
      if (!this.marks.delete(row.id) && this.marks.size < MAX_MARKS) this.marks.add(row.id);
      this.#anchor = index;
    } else {
      if (this.#anchor < 0) this.#anchor = Math.max(0, this.selectedIndex);
      const [from, to] = how === "all" ? [0, this.count - 1] : [this.#anchor, index].sort((a, b) => a - b);
      this.marks.clear();
      for (const { id } of this.#between(from ?? 0, to ?? 0)) this.marks.add(id);
    }
    this.#leadId = row.id;
  }

  #between(from: number, to: number): ListRow[] {
    const last = Math.min(to, from + MAX_MARKS - 1);
    return this.#hits ? this.#hits.slice(from, last + 1) : this.#pages.between(from, last);
  }

  /** Takes every mark away. */
  unmark(): void {
    this.marks.clear();
    this.#leadId = null;
    this.#anchor = -1;
  }

  /** Shows all of a tenant's records, its favourites or its trash. */
  async setScope(scope: Scope): Promise<void> {
    this.clearSearch();
    this.scope = scope;
    this.selectedId = null;
    await this.#restart();
  }

  /** Shows the list in another order. */
  async setOrder(order: api.RecordOrder): Promise<void> {
    this.order = order;
    await this.#restart();
  }

  /** Has rows tell something else besides title and kind. */
  async setDetail(detail: api.RowDetail): Promise<void> {
    if (detail === this.#detail) return;
    this.#detail = detail;
    if (this.tenant !== null) await this.#restart();
  }

  /** Notes a mark as a favourite; the list of favourites begins anew. */
  async noteFavourite(id: string, favourite: boolean): Promise<void> {
    if (favourite) this.favourites.add(id);
    else this.favourites.delete(id);
    if (this.scope === "favourites") await this.#restart();
  }

  #indexOf(id: string | null): number {
    if (id === null) return -1;
    return this.#hits ? this.#hits.findIndex((row) => row.id === id) : this.#pages.indexOf(id);
  }

  /** Shows a tenant from its first record; the search begins anew, so that no word reaches another tenant. */
  async show(tenant: string | null): Promise<void> {
    this.clearSearch();
    this.everywhere = false;
    this.selectedId = null;
    this.scope = "all";
    this.favourites.clear();
    this.tenant = tenant;
    await this.reload();
  }

  /** Goes to another tenant's list behind a search across tenants, whose hits stay in sight. */
  async follow(tenant: string): Promise<void> {
    if (tenant === this.tenant) return;
    this.tenant = tenant;
    this.scope = "all";
    await this.#restart();
  }

  /** Fetches the list again from its beginning, and what was found with it. */
  async reload(): Promise<void> {
    await this.#restart();
    if (this.query.trim() !== "") {
      await this.#run();
    }
  }

  async #restart(): Promise<void> {
    this.#listing += 1;
    this.unmark();
    this.#pages.clear();
    this.#fetching = false;
    this.error = null;
    this.state = "loading";
    if (this.tenant === null) {
      this.state = "ready";
      return;
    }
    await this.#fetch();
  }

  /** Says which rows are in sight, and fetches them. */
  ensure(first: number, last: number): void {
    this.#pages.look(first, last);
    if (!this.isSearch && this.state === "ready") {
      void this.#fetch();
    }
  }

  /** Changes the words searched for; the engine is asked when the typing rests. */
  search(query: string): void {
    this.query = query;
    clearTimeout(this.#rest);
    this.unmark();
    if (query.trim() === "") {
      this.clearSearch();
      return;
    }
    this.searching = true;
    this.#rest = setTimeout(() => void this.#run(), SEARCH_REST_MILLIS);
  }

  /** Searches at once for something chosen rather than typed. */
  async find(query: string, everywhere: boolean): Promise<void> {
    clearTimeout(this.#rest);
    this.query = query;
    this.everywhere = everywhere;
    this.searching = true;
    await this.#run();
  }

  /** Goes across every tenant, or back to the one in sight. */
  setEverywhere(everywhere: boolean): void {
    this.everywhere = everywhere;
    if (this.query.trim() !== "") {
      void this.#run();
    }
  }

  /** Back to the whole list. */
  clearSearch(): void {
    clearTimeout(this.#rest);
    this.unmark();
    this.#search += 1;
    this.query = "";
    this.#hits = null;
    this.more = false;
    this.searching = false;
  }

  /** Chooses the row at a place. */
  select(index: number): void {
    const row = this.row(index);
    this.unmark();
    if (row) {
      this.selectedId = row.id;
      this.#anchor = index;
    }
  }

  /** Drops everything. */
  drop(): void {
    this.clearSearch();
    this.#listing += 1;
    this.#pages.clear();
    this.favourites.clear();
    this.tenant = null;
    this.selectedId = null;
  }

  async #run(): Promise<void> {
    const turn = ++this.#search;
    try {
      const found = await api.search(this.query.trim(), this.everywhere ? null : this.tenant, MAX_HITS);
      if (turn !== this.#search) return;
      this.#hits = this.everywhere ? found.hits : found.hits.map(({ tenant_name: _, ...row }) => row);
      this.more = found.more;
      this.error = null;
    } catch (reason) {
      if (turn !== this.#search) return;
      this.#hits = [];
      this.error = CommandError.from(reason);
    }
    this.searching = false;
  }

  async #fetch(): Promise<void> {
    const turn = this.#listing;
    const tenant = this.tenant;
    if (this.#fetching || tenant === null) return;
    this.#fetching = true;
    try {
      // What is in sight may have changed while an answer was awaited.
      for (let number = this.#pages.missing; number !== null; number = this.#pages.missing) {
        const page = await this.#ask(tenant, this.#pages.beginning(number));
        if (turn !== this.#listing) return;
        for (const id of page.favourites) this.favourites.add(id);
        this.#pages.take(number, page);
        this.state = "ready";
        if (this.scope === "all") this.onTotal(tenant, page.total);
      }
    } catch (reason) {
      if (turn !== this.#listing) return;
      this.error = CommandError.from(reason);
      this.state = "failed";
    } finally {
      if (turn === this.#listing) {
        this.#fetching = false;
      }
    }
  }

  async #ask(tenant: string, { after, skip }: Beginning) {
    const { scope, order } = this;
    if (scope === "trash") return { favourites: [], ...(await api.trashList(tenant, PAGE_ROWS, after, skip)) };
    return api.recordsList(tenant, order, scope === "favourites", PAGE_ROWS, after, skip, this.#detail);
  }
}

// Owns the middle pane: one tenant's records in the order of their titles, fetched page by page as they come into
// sight, or what a search found. Answers that come after the person has moved on are dropped.
import * as api from "$lib/api/commands.ts";
import { CommandError } from "$lib/api/error.ts";
import type { RecordRow } from "$lib/api/types.ts";

/** Rows asked for at a time: several screens, and one entry of the log. */
const PAGE_ROWS = 200;
/** Most records a search shows; who needs more types another letter. */
const MAX_HITS = 200;
/** How long the typing rests before the engine is asked. */
const SEARCH_REST_MILLIS = 120;

/** The tenant a record belongs to: its identifier begins with the tenant's. */
export function tenantOf(record: string): string {
  return record.split(".")[0] ?? "";
}

/** A row with the tenant it belongs to, where a search went across tenants. */
export type ListRow = RecordRow & { tenant_name?: string };

export class RecordList {
  tenant: string | null = $state(null);
  total = $state(0);
  state: "loading" | "ready" | "failed" = $state("loading");
  error: CommandError | null = $state(null);
  query = $state("");
  /** Whether a search goes across every tenant. */
  everywhere = $state(false);
  selectedId: string | null = $state(null);
  searching = $state(false);

  #rows: RecordRow[] = $state.raw([]);
  #hits: ListRow[] | null = $state.raw(null);
  more = $state(false);

  /** Told the number of a tenant's records whenever a page says it. */
  onTotal: (tenant: string, total: number) => void = () => undefined;

  readonly isSearch = $derived(this.#hits !== null);
  readonly count = $derived(this.#hits ? this.#hits.length : this.total);
  readonly selectedIndex = $derived.by(() => {
    const rows = this.#hits ?? this.#rows;
    return this.selectedId === null ? -1 : rows.findIndex((row) => row.id === this.selectedId);
  });

  #next: string | null = null;
  #isBegun = false;
  #wanted = 0;
  #fetching = false;
  /** Counts up when the tenant changes: answers of an older number are dropped. */
  #listing = 0;
  #search = 0;
  #rest: ReturnType<typeof setTimeout> | undefined;

  /** The row at a place; undefined while it is being fetched. */
  row(index: number): ListRow | undefined {
    return (this.#hits ?? this.#rows)[index];
  }

  /** Shows a tenant from its first record; the search begins anew, so that no word reaches another tenant. */
  async show(tenant: string | null): Promise<void> {
    this.clearSearch();
    this.everywhere = false;
    this.selectedId = null;
    this.tenant = tenant;
    await this.reload();
  }

  /** Goes to another tenant's list behind a search across tenants, whose hits stay in sight. */
  async follow(tenant: string): Promise<void> {
    if (tenant === this.tenant) return;
    this.tenant = tenant;
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
    this.#rows = [];
    this.#next = null;
    this.#isBegun = false;
    this.#wanted = 0;
    this.#fetching = false;
    this.total = 0;
    this.error = null;
    this.state = "loading";
    if (this.tenant === null) {
      this.state = "ready";
      return;
    }
    await this.#fetch();
  }

  /** Says which rows are in sight; fetches as far as the last of them. */
  ensure(last: number): void {
    this.#wanted = last;
    if (!this.isSearch && this.state === "ready") {
      void this.#fetch();
    }
  }

  /** Changes the words searched for; the engine is asked when the typing rests. */
  search(query: string): void {
    this.query = query;
    clearTimeout(this.#rest);
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
    this.#search += 1;
    this.query = "";
    this.#hits = null;
    this.more = false;
    this.searching = false;
  }

  /** Chooses the row at a place. */
  select(index: number): void {
    const row = this.row(index);
    if (row) {
      this.selectedId = row.id;
    }
  }

  /** Drops everything. */
  drop(): void {
    this.clearSearch();
    this.#listing += 1;
    this.#rows = [];
    this.tenant = null;
    this.selectedId = null;
    this.total = 0;
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
      while (this.#isShort()) {
        const page = await api.recordsList(tenant, PAGE_ROWS, this.#next);
        if (turn !== this.#listing) return;
        this.#rows = [...this.#rows, ...page.records];
        this.#next = page.next;
        this.#isBegun = true;
        this.total = page.next === null ? this.#rows.length : page.total;
        this.state = "ready";
        this.onTotal(tenant, page.total);
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

  /** Whether rows in sight are still to be fetched. */
  #isShort(): boolean {
    return !this.#isBegun || (this.#next !== null && this.#rows.length < Math.min(this.#wanted, this.total));
  }
}

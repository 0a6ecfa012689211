// Owns the rows of a list that comes page by page. Any page may be there without those before it, so that a jump to the
// end of a long list fetches what is in sight there and nothing that lies between.
import { SvelteMap } from "svelte/reactivity";

/** Rows of a page: several screens, and one entry of the log. */
export const PAGE_ROWS = 200;

/** What the engine answers. */
export interface Page<Row> {
  records: Row[];
  total: number;
  next: string | null;
}

/** Where a page begins: so many rows after the place of a cursor, or after the beginning. */
export interface Beginning {
  after: string | null;
  skip: number;
}

export class Pages<Row extends { id: string }> {
  /** Rows of the whole list, as far as is known. */
  total = $state(0);

  readonly #pages = new SvelteMap<number, Page<Row>>();
  #first = 0;
  #last = 0;

  /** The row at a place; undefined while it is not there. */
  row(index: number): Row | undefined {
    return this.#pages.get(Math.floor(index / PAGE_ROWS))?.records[index % PAGE_ROWS];
  }

  /** Where a row is; -1 if it is not there. */
  indexOf(id: string): number {
    for (const [page, { records }] of this.#pages) {
      const index = records.findIndex((row) => row.id === id);
      if (index >= 0) return page * PAGE_ROWS + index;
    }
    return -1;
  }

  /** The rows from one place to another, both included, up to the first that is not there. */
  between(from: number, to: number): Row[] {
    const rows: Row[] = [];
    for (let index = from; index <= to; index += 1) {
      const row = this.row(index);
      if (!row) break;
      rows.push(row);
    }
    return rows;
  }

  /** Says which rows are in sight. */
  look(first: number, last: number): void {
    this.#first = first;
    this.#last = last;
  }

  /** The first page in sight that is not there; null if all are. */
  get missing(): number | null {
    if (this.#pages.size === 0) return 0;
    const end = Math.min(this.#last, this.total);
    for (let page = Math.floor(this.#first / PAGE_ROWS); page * PAGE_ROWS < end; page += 1) {
      if (!this.#pages.has(page)) return page;
    }
    return null;
  }

  /** Where a page begins, counted from the nearest page before it. */
  beginning(page: number): Beginning {
    for (let before = page - 1; before >= 0; before -= 1) {
      const after = this.#pages.get(before)?.next;
      if (after) return { after, skip: (page - before - 1) * PAGE_ROWS };
    }
    return { after: null, skip: page * PAGE_ROWS };
  }

  /** Takes a page. */
  take(number: number, page: Page<Row>): void {
    this.#pages.set(number, page);
    const isEnd = page.next === null && page.records.length > 0;
    this.total = isEnd ? number * PAGE_ROWS + page.records.length : page.total;
  }

  /** Drops everything. */
  clear(): void {
    this.#pages.clear();
    this.#first = 0;
    this.#last = 0;
    this.total = 0;
  }
}

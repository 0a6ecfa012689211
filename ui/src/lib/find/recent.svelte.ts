// Owns the records opened in this session, the newest first. Nothing of them is kept when it ends.
import type { RecordView } from "$lib/api/types.ts";
import type { ListRow } from "$lib/records/list.svelte.ts";

/** Records remembered: as many as one looks through at a glance. */
const MAX_RECENT = 8;

export class Recent {
  list: ListRow[] = $state.raw([]);

  /** Notes a record that was opened, as it is now. */
  note({ id, kind, title, changed_at, tenant_name }: RecordView): void {
    const others = this.list.filter((row) => row.id !== id);
    this.list = [{ id, kind, title, changed_at, tenant_name }, ...others].slice(0, MAX_RECENT);
  }

  /** Drops everything. */
  drop(): void {
    this.list = [];
  }
}

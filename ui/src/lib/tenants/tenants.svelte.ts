// Owns the list of tenants and which of them is in sight.
import * as api from "$lib/api/commands.ts";
import { CommandError } from "$lib/api/error.ts";
import type { TenantView } from "$lib/api/types.ts";

export class Tenants {
  list: TenantView[] = $state([]);
  currentId: string | null = $state(null);
  state: "loading" | "ready" | "failed" = $state("loading");
  error: CommandError | null = $state(null);

  readonly current = $derived(this.list.find((tenant) => tenant.id === this.currentId) ?? null);

  /** Fetches the tenants this account may see; stays with the present one if it is still there. */
  async load(): Promise<void> {
    try {
      this.list = sortByName(await api.tenantsList());
      if (!this.current) {
        this.currentId = this.list[0]?.id ?? null;
      }
      this.error = null;
      this.state = "ready";
    } catch (reason) {
      this.error = CommandError.from(reason);
      this.state = "failed";
    }
  }

  /** Creates a tenant and goes to it. */
  async create(name: string): Promise<TenantView> {
    const tenant = await api.tenantCreate(name);
    this.list = sortByName([...this.list, tenant]);
    this.currentId = tenant.id;
    return tenant;
  }

  /** Notes how many records a tenant has, as a page of them told. */
  noteTotal(id: string, records: number): void {
    const tenant = this.list.find((tenant) => tenant.id === id);
    if (tenant) {
      tenant.records = records;
    }
  }

  /** Drops everything. */
  drop(): void {
    this.list = [];
    this.currentId = null;
  }
}

function sortByName(tenants: TenantView[]): TenantView[] {
  return [...tenants].sort((a, b) => a.name.localeCompare(b.name));
}

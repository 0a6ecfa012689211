// Owns an import from the choice of a file to its report: what opens it, its columns and what they become or its entries,
// the trial, the real run.
import * as api from "$lib/api/commands.ts";
import { CommandError } from "$lib/api/error.ts";
import type { ImportColumn, ImportReport } from "$lib/api/types.ts";
import { RunningJob } from "$lib/job/job.svelte.ts";

/** The targets that are not fields. */
export const OWN_TARGETS = ["title", "kind", "tags", "notes", "tenant"] as const;

/** What a column becomes, as the form chooses it. */
export type TargetKind = (typeof OWN_TARGETS)[number] | "field" | "skip";

export class Import {
  readonly tenant: string;
  step: "file" | "key" | "columns" | "entries" | "trial" | "import" | "report" = $state("file");
  file: api.ImportFile | null = $state.raw(null);
  columns: ImportColumn[] = $state([]);
  job: RunningJob<ImportReport> | null = $state(null);
  trial: ImportReport | null = $state(null);
  report: ImportReport | null = $state(null);
  error: CommandError | null = $state(null);
  isBusy = $state(false);
  /** Whether records that the tenant has already are left out. */
  skipDuplicates = $state(false);

  /** Places of columns whose target another column has already. */
  readonly repeated = $derived.by(() => {
    const seen = new Set<string>();
    const again = new Set<number>();
    this.columns.forEach((column, index) => {
      if (column.target === null) return;
      if (seen.has(column.target)) again.add(index);
      seen.add(column.target);
    });
    return again;
  });
  /** Places of columns that become a field without a name. */
  readonly nameless = $derived(
    new Set(this.columns.flatMap((column, index) => (column.target?.trim() === "" ? [index] : []))),
  );
  readonly hasTitle = $derived(this.columns.some((column) => column.target === "title"));
  readonly canTry = $derived(
    this.file?.format !== "csv" || (this.hasTitle && this.repeated.size === 0 && this.nameless.size === 0),
  );
  /** Where a file is looked at before its trial. */
  readonly look = $derived(this.file?.format === "csv" ? "columns" : "entries");

  constructor(tenant: string) {
    this.tenant = tenant;
  }

  /** Lets the person choose a file, in a dialog of the program's own process. */
  async choose(): Promise<void> {
    await this.#guarded(async () => {
      const file = await api.importChooseFile(this.tenant);
      if (file) this.#take(file);
    });
  }

  /** Lets the person open an encrypted file, in a window of the program's own process. */
  async open(withKeyFile: boolean): Promise<void> {
    const closed = this.file;
    if (!closed) return;
    await this.#guarded(async () => {
      const file = await api.importOpenFile(closed.handle, this.tenant, withKeyFile);
      if (file) this.#take(file);
    });
  }

  #take(file: api.ImportFile): void {
    this.file = file;
    this.columns = file.columns.map((column) => ({ ...column }));
    this.trial = null;
    this.step = file.needs_key ? "key" : this.look;
  }

  /** What a column becomes at present. */
  targetKind(column: ImportColumn): TargetKind {
    if (column.target === null) return "skip";
    return OWN_TARGETS.find((own) => own === column.target) ?? "field";
  }

  /** Changes what a column becomes. A field takes the column's own name until another is given. */
  setTarget(index: number, kind: TargetKind): void {
    const column = this.columns[index];
    if (!column) return;
    if (kind === "field") {
      // A field named exactly like one of the record's own parts would be taken for it.
      const isOwnName = OWN_TARGETS.some((own) => own === column.column);
      column.target = isOwnName ? `${column.column} 2` : column.column;
      column.field_type ??= "text";
    } else {
      column.target = kind === "skip" ? null : kind;
      column.field_type = null;
    }
    this.trial = null;
  }

  /** Goes through the whole file without writing anything. */
  async try(): Promise<void> {
    await this.#run(true);
  }

  /** Imports: whole, or not at all. */
  async start(): Promise<void> {
    await this.#run(false);
  }

  /** Leaves; what runs is stopped. */
  async leave(): Promise<void> {
    await this.job?.cancel();
  }

  async #run(dryRun: boolean): Promise<void> {
    const file = this.file;
    if (!file) return;
    await this.#guarded(async () => {
      const { job } = await api.importStart(
        file.handle,
        this.tenant,
        $state.snapshot(this.columns),
        this.skipDuplicates,
        dryRun,
      );
      const running = new RunningJob<ImportReport>(job);
      this.job = running;
      this.step = dryRun ? "trial" : "import";
      await running.over;
      if (running.state === "done" && running.result) {
        if (dryRun) {
          this.trial = running.result;
        } else {
          this.report = running.result;
          this.step = "report";
        }
      } else {
        this.error = running.error;
        this.step = dryRun ? this.look : "trial";
      }
      this.job = null;
    });
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    this.error = null;
    this.isBusy = true;
    try {
      await work();
    } catch (reason) {
      const error = CommandError.from(reason);
      this.error = error.isCancelled ? null : error;
    } finally {
      this.isBusy = false;
    }
  }
}

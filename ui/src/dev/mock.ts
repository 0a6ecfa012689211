// A make-believe engine behind the window's own commands, for quick work on the interface and for its tests. It is in
// no build of the program.
import { mockIPC, mockWindows } from "@tauri-apps/api/mocks";
import type {
  AppState,
  BackupRow,
  ImportFile,
  JobProgress,
  KindTemplate,
  RecordDraft,
  SecretRecipe,
  Settings,
} from "../lib/api/commands.ts";
import type {
  AttachmentView,
  DraftView,
  ExpiringRecords,
  ExportReport,
  FileCheckView,
  GlassView,
  HealthView,
  ImportColumn,
  ImportReport,
  KindView,
  LogEntryView,
  MovedRecord,
  MovePreview,
  MoveReport,
  PendingKeyView,
  PolicyView,
  ProgressUnit,
  RecordView,
  SavedSearchView,
  SecretFindingView,
  SecretHealthView,
  SecretProblem,
  SessionView,
  SubjectFindings,
  SubjectPlaceView,
  TaggedRecord,
  TenantView,
  WaysInView,
} from "../lib/api/types.ts";
import { isMasked } from "../lib/records/limits.ts";
import { attached, KINDS, logEntries, records, type StoredRecord, TENANTS } from "./data.ts";
import { MockKeys } from "./keys.ts";
import { MockPeople, MockWays } from "./people.ts";

/** Roles of whoever founded the vault. */
const EVERY_ROLE: SessionView["roles"] = ["administrator", "auditor", "member"];

/** Found in the program's own build, it would give the make-believe engine away (tests/bundle.test.ts). */
export const MARK = "make-believe-engine";

type Args = Record<string, unknown>;

/** What a test may set beforehand. */
export type MockOptions = {
  screen?: AppState["screen"];
  settings?: Partial<Settings>;
  tenants?: TenantView[];
  records?: (tenant: TenantView) => StoredRecord[];
  log?: LogEntryView[];
  saved?: SavedSearchView[];
  failedUnlocks?: number;
  /** How the first tenant's file is found. */
  firstFile?: FileCheckView["state"];
  /** Whether this device has a key for the vault. */
  enrolled?: boolean;
  /** Drafts there are, by the record's identifier, or by the tenant's for a record not added yet. */
  drafts?: Record<string, DraftView>;
  /** Time a job takes, in milliseconds. */
  jobMillis?: number;
  /** Whether the file chosen for an import is encrypted. */
  lockedFile?: boolean;
  /** Whether the file chosen for an import is an archive. */
  archiveFile?: boolean;
  roles?: SessionView["roles"];
  /** Keys that are to be replaced. */
  pending?: PendingKeyView[];
  glass?: GlassView[];
  /** What opens the account. */
  ways?: Partial<WaysInView>;
  policy?: Partial<PolicyView>;
  /** Whether the rules ask the account for a second factor that it does not have. */
  needsSecondFactor?: boolean;
};

/** A text as it is compared. */
const fold = (text: string) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
/** A gradient, for previews of pictures. */
const PICTURE =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAgAAAAGCAIAAABxZ0isAAAAYklEQVR42g3JEQJFQQhA0b+wt4jhOI6H48txHMdxy/pz9Pw+4QgqXAEhhRZW+H3GMdS4BkYabay9cI6jznVw0mln/UVwAg1uQJBBBxsvilNocQuKLLrYejGcQYc7MOTQww5/ORFM4ehrX24AAAAASUVORK5CYII=";

/** A refusal as the engine gives it. */
export const refusal = (code: string) => ({ code });

/** A table as the engine would understand it. */
const TABLE_FILE: ImportFile = {
  handle: "0f",
  name: "customers-export.csv",
  size: 84_212,
  format: "csv",
  needs_key: false,
  encoding: "utf-8",
  made_of: null,
  entries: null,
  records: [],
  losses: [],
  losses_counted: 0,
  columns: [
    { column: "Name", target: "title", field_type: null },
    { column: "Company", target: "Company", field_type: "text" },
    { column: "E-mail", target: "E-mail", field_type: "email" },
    { column: "Phone", target: "Phone", field_type: "phone" },
    { column: "Portal password", target: "Portal password", field_type: "secret" },
    { column: "Remarks", target: "notes", field_type: null },
    { column: "Internal no.", target: null, field_type: null },
  ] satisfies ImportColumn[],
  preview: Array.from({ length: 20 }, (_, row) => [
    ["Ines Weber", "Jonas Kowalska", "Marta Çelik", "Pavel Novák"][row % 4] ?? "",
    ["ACME", "Hansebank", "Nordlicht AG"][row % 3] ?? "",
    `person${row}@example.org`,
    `+49 40 1234-${10 + row}`,
    "hunter2",
    row % 3 === 0 ? "prefers calls in the morning" : "",
    String(9_000 + row),
  ]),
};

/** A database of another program, still encrypted. */
const LOCKED_FILE: ImportFile = {
  ...TABLE_FILE,
  name: "old.kdbx",
  size: 61_440,
  format: "kdbx",
  needs_key: true,
  encoding: null,
  columns: [],
  preview: [],
};

/** What a row tells besides title, kind and time. */
function detailOf(view: RecordView, detail: string): { detail?: string } {
  const first = view.fields.find(({ value }) => value);
  const told = detail === "value" ? first?.value : detail === "tags" ? view.tags.join(", ") : undefined;
  return told ? { detail: told } : {};
}

/** An archive of another tenant. */
const ARCHIVE_FILE: ImportFile = {
  ...TABLE_FILE,
  name: "bauer.tar",
  size: 9_216_000,
  format: "archive",
  encoding: null,
  made_of: "Bauer & Co",
  columns: [],
  preview: [],
  entries: 2,
  records: [
    { entry: 1, kind: "login", title: "Payroll portal", fields: 3, versions: 4, attachments: 2 },
    { entry: 2, kind: "door", title: "Depot", fields: 2, versions: 1, attachments: 0 },
  ],
  losses: [{ entry: null, what: "kind", name: "door" }],
  losses_counted: 1,
};

export class MockEngine {
  screen: AppState["screen"];
  settings: Settings;
  tenants: TenantView[];
  roles: SessionView["roles"];
  readonly people: MockPeople;
  readonly ways: MockWays;
  readonly keys: MockKeys;
  /** Every call, in order. */
  readonly calls: { command: string; args: Args }[] = [];
  /** A command named here is refused with the code. */
  readonly refuse = new Map<string, string>();

  /** Drafts kept, as above. */
  readonly drafts: Map<string, DraftView>;
  /** Tags of records before they were changed, by version. */
  readonly #tagsBefore = new Map<string, string[]>();

  readonly #records = new Map<string, StoredRecord[]>();
  readonly #log: LogEntryView[];
  readonly #made = new Map<string, string>();
  #kinds: KindView[] = KINDS;
  readonly #jobs = new Map<
    string,
    { started: number; total: number; unit: ProgressUnit; result: () => unknown; cancelled: boolean }
  >();
  readonly #jobMillis: number;
  readonly #importFile: ImportFile;
  readonly #failedUnlocks: number;
  readonly #needsSecondFactor: boolean;
  #detached: AttachmentView | null = null;
  /** What previews of texts show. */
  previewText = "1. Tell the on-call lead.\n2. Promote db2:\n\tselect pg_promote();\n3. Move the floating address.\n";
  #firstFile: FileCheckView["state"];
  #enrolled: boolean;
  #saved: SavedSearchView[];
  #backups: BackupRow[] = [
    {
      made_at: new Date(Date.now() - 5 * 3_600_000).toISOString(),
      counter: 12,
      bytes: 48_211_004,
      file: { name: "office 2026-11-21.age", folder: "Backups" },
    },
    {
      made_at: new Date(Date.now() - 29 * 3_600_000).toISOString(),
      counter: 11,
      bytes: 48_010_112,
      file: null,
    },
    {
      made_at: new Date(Date.now() - 53 * 3_600_000).toISOString(),
      counter: 10,
      bytes: 47_922_650,
      file: { name: "office 2026-11-19.age", folder: "Backups" },
    },
  ];

  constructor(options: MockOptions = {}) {
    this.screen = options.screen ?? "unlocked";
    this.settings = {
      language: "en",
      theme: "system",
      clipboard_seconds: 30,
      lock_preset: "balanced",
      idle_seconds: 300,
      row_detail: "none",
      ...options.settings,
    };
    this.tenants = options.tenants ?? TENANTS.map((tenant) => ({ ...tenant }));
    for (const tenant of this.tenants) {
      this.#records.set(tenant.id, (options.records ?? records)(tenant));
    }
    this.roles = options.roles ?? EVERY_ROLE;
    this.people = new MockPeople(
      () => this.tenants,
      () => this.roles,
      (result) => this.#start("bytes", 48_211_004, result),
      options.pending,
    );
    this.people.glass = options.glass ?? [];
    this.ways = new MockWays(options.ways, options.policy);
    this.keys = new MockKeys(
      this.tenants,
      () => this.people.accounts,
      (unit, total, result) => this.#start(unit, total, result),
    );
    this.#needsSecondFactor = options.needsSecondFactor ?? false;
    this.drafts = new Map(Object.entries(options.drafts ?? {}));
    this.#log = options.log ?? logEntries(2_480);
    this.#saved = options.saved ?? [];
    this.#jobMillis = options.jobMillis ?? 4_000;
    this.#failedUnlocks = options.failedUnlocks ?? 0;
    this.#importFile = options.lockedFile ? LOCKED_FILE : options.archiveFile ? ARCHIVE_FILE : TABLE_FILE;
    this.#firstFile = options.firstFile ?? "unchanged";
    this.#enrolled = options.enrolled ?? true;
  }

  /** Puts itself behind `invoke`. */
  install(): this {
    mockWindows("main");
    mockIPC((command, args) => this.answer(command, (args ?? {}) as Args));
    return this;
  }

  /** How often a command was called. */
  count(command: string): number {
    return this.calls.filter((call) => call.command === command).length;
  }

  async answer(command: string, args: Args): Promise<unknown> {
    this.calls.push({ command, args });
    const code = this.refuse.get(command);
    if (code) throw refusal(code);
    const answer =
      this.#answers[command] ??
      this.people.answers[command] ??
      this.ways.answers[command] ??
      this.keys.answers[command];
    if (!answer) throw refusal("bug");
    return answer(args);
  }

  #find(id: string): StoredRecord {
    const found = this.#records.get(id.split(".")[0] ?? "")?.find((record) => record.view.id === id);
    if (!found) throw refusal("not_found");
    return found;
  }

  #row({ view: { id, kind, title, changed_at } }: StoredRecord) {
    return { id, kind, title, changed_at };
  }

  /** A tenant's records outside the trash. */
  #listed(tenant: unknown): StoredRecord[] {
    return (this.#records.get(String(tenant)) ?? []).filter(({ view }) => view.trashed_at === null);
  }

  /** The records of a step, all of one tenant and all in the trash or none, as the engine asks for. */
  #chosen(ids: unknown, trashed: boolean): StoredRecord[] {
    const records = (ids as string[]).map((id) => this.#find(id));
    if (new Set(records.map(({ view }) => view.tenant_name)).size > 1) throw refusal("several_tenants");
    if (records.some(({ view }) => (view.trashed_at !== null) !== trashed)) throw refusal("not_found");
    return records;
  }

  #movePreview(from: string, ids: unknown, to: string, copy: boolean): MovePreview {
    const records = this.#chosen(ids, false);
    const [here, there] = [from, to].map((wanted) => this.tenants.find(({ id }) => id === wanted));
    if (!here || !there) throw refusal("not_found");
    if (here.right !== "steward" || there.right === "reader") throw refusal("refused");
    const cut = records.flatMap(({ view }) =>
      view.fields.flatMap(({ name, reference }) =>
        reference && !records.some((other) => other.view.id === reference.id)
          ? [
              {
                id: view.id,
                title: view.title,
                field_name: name,
                refers_to: reference.id,
                refers_to_title: reference.title,
                earlier: false,
              },
            ]
          : [],
      ),
    );
    return {
      from,
      from_name: here.name,
      to,
      to_name: there.name,
      copy,
      records: records.length,
      present: 0,
      versions: records.reduce((sum, { view }) => sum + view.version, 0),
      attachments: records.reduce((sum, { view }) => sum + view.attachments.length, 0),
      bytes: 80_000,
      favourites: records.filter(({ view }) => view.favourite).length,
      drafts: 0,
      cut,
      cut_counted: cut.length,
    };
  }

  #remove(records: StoredRecord[]) {
    for (const [tenant, known] of this.#records) {
      this.#records.set(
        tenant,
        known.filter((record) => !records.includes(record)),
      );
    }
    return { records: records.length };
  }

  /** Gives every record of a tenant with the tag other tags; gives how many there were. */
  #retag(tenant: string, tag: string, to: string[]): number {
    const wanted = fold(tag);
    const tagged = (this.#records.get(tenant) ?? []).filter(({ view }) =>
      view.tags.some((own) => fold(own) === wanted),
    );
    if (tagged.length === 0) throw refusal("not_found");
    for (const record of tagged) {
      const tags = record.view.tags.filter((own) => fold(own) !== wanted);
      record.view = { ...record.view, version: record.view.version + 1, tags: [...new Set([...tags, ...to])].sort() };
    }
    return tagged.length;
  }

  #savedSearch(name: unknown, tenant: unknown): SavedSearchView {
    const found = this.#saved.find((saved) => saved.name === name && saved.tenant === tenant);
    if (!found) throw refusal("not_found");
    return found;
  }

  #start(unit: ProgressUnit, total: number, result: () => unknown) {
    const job = `job${this.#jobs.size + 1}`;
    this.#jobs.set(job, { started: Date.now(), total, unit, result, cancelled: false });
    return { job };
  }

  #progress(job: string): JobProgress {
    const running = this.#jobs.get(job);
    if (!running) throw refusal("not_found");
    const { started, total, unit, cancelled } = running;
    const fraction = this.#jobMillis === 0 ? 1 : Math.min(1, (Date.now() - started) / this.#jobMillis);
    const progress = { done: Math.round(total * fraction), total, unit };
    if (cancelled) return { progress, state: "cancelled", result: null, error: refusal("cancelled") };
    if (fraction < 1) return { progress, state: "running", result: null, error: null };
    return { progress, state: "done", result: running.result() as JobProgress["result"], error: null };
  }

  #save(before: StoredRecord | null, id: string, tenantName: string, draft: RecordDraft): RecordView {
    const secrets = new Map<number, string>();
    let nextField = Math.max(0, ...(before?.view.fields.map((field) => field.id) ?? [])) + 1;
    const fields = draft.fields.map((field) => {
      const fieldId = field.id ?? nextField++;
      const made = field.made === undefined ? undefined : this.#made.get(field.made);
      const value = made ?? field.value ?? before?.secrets.get(fieldId) ?? "";
      const isSecret = isMasked(field.field_type);
      if (isSecret) secrets.set(fieldId, value);
      return {
        id: fieldId,
        name: field.name,
        field_type: field.field_type,
        value: isSecret ? null : value,
        empty: value === "",
        reference: this.#reference(id, field.field_type === "reference" ? value : ""),
      };
    });
    const now = new Date().toISOString();
    const view: RecordView = {
      id,
      tenant_name: tenantName,
      kind: draft.kind,
      title: draft.title,
      fields,
      tags: [...draft.tags].sort(),
      notes: draft.notes,
      attachments: before?.view.attachments ?? [],
      version: (before?.view.version ?? 0) + 1,
      created_at: before?.view.created_at ?? now,
      changed_at: now,
      changed_by: "ines",
      favourite: before?.view.favourite ?? false,
      trashed_at: null,
    };
    const list = this.#records.get(id.split(".")[0] ?? "") ?? [];
    const others = list.filter((record) => record.view.id !== id);
    others.push({ view, secrets });
    others.sort((a, b) => a.view.title.localeCompare(b.view.title));
    this.#records.set(id.split(".")[0] ?? "", others);
    return view;
  }

  #reference(id: string, key: string) {
    const tenant = id.split(".")[0] ?? "";
    const found = this.#records.get(tenant)?.find(({ view }) => key !== "" && view.id === `${tenant}.${key}`);
    return found ? { id: found.view.id, title: found.view.title } : null;
  }

  #expiring(days: number): ExpiringRecords {
    const now = Date.now();
    const today = new Date(now).toISOString().slice(0, 10);
    const found = this.tenants.flatMap(({ id, name }) =>
      this.#listed(id).flatMap((record) =>
        record.view.fields
          .filter(({ field_type, value }) => field_type === "expiry" && value)
          .map(({ id: field, name: field_name, value }) => ({
            tenant_name: name,
            ...this.#row(record),
            field,
            field_name,
            day: String(value),
            days_left: Math.round((Date.parse(String(value)) - Date.parse(today)) / 86_400_000),
          })),
      ),
    );
    const records = found.filter((row) => row.days_left <= days).sort((a, b) => a.days_left - b.days_left);
    return { today, records, more: false };
  }

  #secretHealth(tenant: string): SecretHealthView {
    const all = this.#records.get(tenant) ?? [];
    const finding = (problem: SecretProblem) => (record: StoredRecord) =>
      record.view.fields
        .filter((field) => field.field_type === (problem === "expired" ? "expiry" : "secret"))
        .slice(0, 1)
        .map(
          (field): SecretFindingView => ({
            ...this.#row(record),
            field: field.id,
            field_name: field.name,
            problem,
            group: problem === "reused" ? 1 : null,
            since: problem === "old" ? record.view.changed_at : null,
            day: problem === "expired" ? field.value : null,
          }),
        );
    const weak = all.slice(0, 40).flatMap(finding("weak")).slice(0, 5);
    const reused = all.slice(40, 80).flatMap(finding("reused")).slice(0, 2);
    const expired = all.flatMap(finding("expired")).filter((row) => Date.parse(row.day ?? "") < Date.now());
    const findings = [...weak, ...reused, ...expired];
    return {
      tenant,
      tenant_name: this.tenants.find(({ id }) => id === tenant)?.name ?? "",
      assessed: all.length,
      weak: weak.length,
      reused: reused.length,
      old: 0,
      expired: expired.length,
      findings,
      more: false,
    };
  }

  /** Where a person is, by a look at titles, fields that are no secrets, and tags. */
  #subject(tenant: string, identifiers: string[]): SubjectFindings {
    const all = this.#records.get(tenant) ?? [];
    const isIn = (text: string | null) => identifiers.some((wanted) => fold(text ?? "").includes(fold(wanted)));
    const at = (place: SubjectPlaceView["place"], name: string | null): SubjectPlaceView => ({
      place,
      name,
      field: null,
      attachment: null,
      masked: false,
      versions: [1],
      identifiers: [1],
    });
    const records = all.map(({ view }) => ({
      id: view.id,
      kind: view.kind,
      title: view.title,
      trashed: view.trashed_at !== null,
      newest: true,
      places: [
        ...(isIn(view.title) ? [at("title", null)] : []),
        ...view.fields.filter((field) => isIn(field.value)).map((field) => at("field_value", field.name)),
        ...view.tags.filter(isIn).map((tag) => at("tag", tag)),
      ],
    }));
    return {
      tenant,
      tenant_name: this.tenants.find(({ id }) => id === tenant)?.name ?? "",
      records: records.filter(({ places }) => places.length > 0),
      drafts: [],
      saved_searches: [],
      scanned: { records: all.length, versions: all.length, attachments: 0, unread: 0 },
      more: false,
    };
  }

  readonly #answers: Record<string, (args: Args) => unknown> = {
    app_state: () => ({
      screen: this.screen,
      settings: this.settings,
      system_language: "en",
      session:
        this.screen === "unlocked"
          ? {
              id: "0s",
              vault: { id: "0v", name: "office", format: 1, demo: true },
              account: "0a",
              login: "ines",
              roles: this.roles,
              unlocked_at: new Date().toISOString(),
              last_unlocked_at: "2026-11-20T16:12:00.000Z",
              failed_unlocks: this.#failedUnlocks,
              glass_broken: 0,
              needs_second_factor: this.#needsSecondFactor && !this.ways.ways.second_factor,
            }
          : null,
    }),
    places: () => [{ handle: "0p", name: "office" }],
    activity: () => null,
    lock: () => null,
    settings_get: () => this.settings,
    settings_set: ({ settings }) => {
      this.settings = settings as Settings;
      return null;
    },
    choose_new_vault_place: () => ({ handle: "0h", name: "office" }),
    create_vault: () => new Promise((resolve) => setTimeout(() => resolve(null), this.#jobMillis / 4)),
    save_recovery_kit: () => ({ saved: true, file_name: "office recovery kit.txt" }),
    confirm_recovery_kit: () => true,
    finish_first_run: () => {
      this.screen = "unlocked";
      return null;
    },
    open_vault: () => {
      this.screen = "unlocked";
      return null;
    },
    create_demo_vault: () => {
      this.screen = "unlocked";
      return null;
    },
    restore_backup_first_run: () => this.#start("bytes", 48_211_004, () => this.#backup(12)),
    tenants_list: () => this.tenants,
    tenant_create: ({ name }) => {
      const id = `7t${this.tenants.length}`;
      const tenant: TenantView = {
        id,
        name: String(name),
        right: "steward",
        colour: this.tenants.length % 12,
        demo: false,
        created_at: new Date().toISOString(),
        records: 0,
      };
      this.tenants.push(tenant);
      this.#records.set(id, []);
      return tenant;
    },
    records_list: ({ tenant, order, favourites, limit, after, skip, detail }) => {
      const all = this.#listed(tenant).filter(({ view }) => favourites !== true || view.favourite);
      const by: Record<string, (a: RecordView, b: RecordView) => number> = {
        kind: (a, b) => a.kind.localeCompare(b.kind) || a.title.localeCompare(b.title),
        changed: (a, b) => b.changed_at.localeCompare(a.changed_at),
        created: (a, b) => b.created_at.localeCompare(a.created_at) || b.id.localeCompare(a.id),
      };
      const compare = by[String(order)];
      if (compare) all.sort((a, b) => compare(a.view, b.view));
      const from = Number(after ?? 0) + Number(skip);
      const to = from + Number(limit);
      const page = all.slice(from, to);
      return {
        tenant,
        records: page.map((record) => ({ ...this.#row(record), ...detailOf(record.view, String(detail)) })),
        favourites: page.filter(({ view }) => view.favourite).map(({ view }) => view.id),
        total: all.length,
        next: to < all.length ? String(to) : null,
      };
    },
    trash_list: ({ tenant, limit, after, skip }) => {
      const all = (this.#records.get(String(tenant)) ?? [])
        .filter(({ view }) => view.trashed_at !== null)
        .sort((a, b) => (b.view.trashed_at ?? "").localeCompare(a.view.trashed_at ?? ""));
      const from = Number(after ?? 0) + Number(skip);
      const to = from + Number(limit);
      const kept = (at: string) => new Date(Date.parse(at) + 30 * 86_400_000).toISOString();
      return {
        tenant,
        records: all.slice(from, to).map((record) => {
          const trashed_at = record.view.trashed_at ?? "";
          return { ...this.#row(record), trashed_at, kept_until: kept(trashed_at) };
        }),
        total: all.length,
        next: to < all.length ? String(to) : null,
      };
    },
    records_trash: ({ ids }) => {
      const records = this.#chosen(ids, false);
      for (const { view } of records) view.trashed_at = new Date().toISOString();
      return { records: records.length };
    },
    records_restore: ({ ids }) => {
      const records = this.#chosen(ids, true);
      for (const { view } of records) view.trashed_at = null;
      return { records: records.length };
    },
    records_purge: ({ ids }) => this.#remove(this.#chosen(ids, true)),
    trash_empty: ({ tenant }) =>
      this.#remove((this.#records.get(String(tenant)) ?? []).filter(({ view }) => view.trashed_at !== null)),
    records_move_preview: ({ from, ids, to, copy }) => this.#movePreview(String(from), ids, String(to), copy === true),
    records_move_start: ({ from, ids, to, copy, confirmation }) => {
      const preview = this.#movePreview(String(from), ids, String(to), copy === true);
      if (confirmation !== preview.to_name) throw refusal("not_confirmed");
      return this.#start("bytes", 80_000, (): MoveReport => {
        const moved = this.#chosen(ids, false).map((record): MovedRecord => {
          const id = record.view.id.replace(/^[^.]+/u, preview.to);
          const view = { ...structuredClone(record.view), id, tenant_name: preview.to_name, favourite: false };
          for (const field of view.fields) {
            if (field.field_type === "reference") Object.assign(field, { value: "", empty: true, reference: null });
          }
          this.#records.get(preview.to)?.push({ view, secrets: record.secrets });
          if (!preview.copy) record.view.trashed_at = new Date().toISOString();
          return { from: record.view.id, to: id, version: view.version, arrived: true };
        });
        return { ...preview, moved };
      });
    },
    records_move_undo: ({ moved, copy }) => {
      const records = moved as MovedRecord[];
      this.#remove(records.map(({ to }) => this.#find(to)));
      if (copy !== true) for (const { from } of records) this.#find(from).view.trashed_at = null;
      return { records: records.length };
    },
    records_tag: ({ ids, add, remove }) => {
      const records = this.#chosen(ids, false);
      const changed: TaggedRecord[] = [];
      for (const { view } of records) {
        const tags = new Set([...view.tags, ...(add as string[])]);
        for (const tag of remove as string[]) tags.delete(tag);
        const after = [...tags].sort();
        if (after.join() === view.tags.join()) continue;
        view.version += 1;
        this.#tagsBefore.set(`${view.id} ${view.version}`, view.tags);
        view.tags = after;
        changed.push({ id: view.id, version: view.version });
      }
      return { records: records.length, changed };
    },
    records_tag_undo: ({ changed }) => {
      for (const { id, version } of changed as TaggedRecord[]) {
        const { view } = this.#find(id);
        if (view.version !== version) throw refusal("version_conflict");
        view.tags = this.#tagsBefore.get(`${id} ${version}`) ?? [];
        view.version += 1;
      }
      return { records: (changed as TaggedRecord[]).length };
    },
    record_restore_version: ({ id, expectedVersion }) => {
      const { view } = this.#find(String(id));
      if (view.version !== expectedVersion) throw refusal("version_conflict");
      view.version += 1;
      return { ...view };
    },
    record_favourite: ({ id, on }) => {
      this.#find(String(id)).view.favourite = on === true;
      return { id, favourite: on === true };
    },
    drafts_list: ({ tenant }) =>
      [...this.drafts]
        .filter(([of]) => of.split(".")[0] === tenant)
        .map(([, { record, version, kept_at }]) => ({ record, version, kept_at })),
    draft_keep: ({ tenant, record, version, draft }) => {
      const kept = { record: record as string | null, version: Number(version), kept_at: new Date().toISOString() };
      this.drafts.set(String(record ?? tenant), { ...(draft as RecordDraft), ...kept });
      return null;
    },
    draft_open: ({ tenant, record }) => this.drafts.get(String(record ?? tenant)) ?? null,
    draft_discard: ({ tenant, record }) => {
      this.drafts.delete(String(record ?? tenant));
      return null;
    },
    record_open: ({ id }) => ({ ...this.#find(String(id)).view }),
    record_history: ({ id }) => {
      const { view } = this.#find(String(id));
      return Array.from({ length: view.version }, (_, back) => ({
        version: view.version - back,
        changed_at: new Date(Date.parse(view.changed_at) - back * 9 * 86_400_000).toISOString(),
        changed_by: back % 2 === 0 ? "ines" : "tomasz",
        changes:
          view.version - back === 1
            ? []
            : [
                { what: "Password", how: "changed" as const, before: null, after: null },
                ...(back === 0
                  ? [{ what: "Host", how: "changed" as const, before: "db.acme.example", after: "db1.acme.example" }]
                  : []),
                ...(back === 1
                  ? [{ what: "tags", how: "changed" as const, before: "db, eu", after: "db, eu, on call" }]
                  : []),
              ],
      }));
    },
    record_add: ({ tenant, draft }) => {
      const owner = this.tenants.find(({ id }) => id === tenant);
      return this.#save(null, `${String(tenant)}.n${this.calls.length}`, owner?.name ?? "", draft as RecordDraft);
    },
    record_change: ({ id, expectedVersion, draft }) => {
      const before = this.#find(String(id));
      if (before.view.version !== expectedVersion) throw refusal("version_conflict");
      return this.#save(before, String(id), before.view.tenant_name, draft as RecordDraft);
    },
    field_reveal: ({ id, field }) => this.#find(String(id)).secrets.get(Number(field)) ?? "",
    field_copy: () => ({ clear_after_seconds: this.settings.clipboard_seconds }),
    url_open: () => null,
    attachment_add_start: ({ id }) =>
      this.#start("bytes", 3_145_728, () => {
        const { attachments } = this.#find(String(id)).view;
        const number = attachments.reduce((most, { id }) => Math.max(most, id), 0) + 1;
        return this.#withFiles(String(id), [...attachments, attached(number, `scan-${number}.png`, "png", 3_145_728)]);
      }),
    attachment_save_start: ({ id, attachment }) =>
      this.#start("bytes", 1_258_291, () => this.#attachment(id, attachment)),
    attachment_preview: ({ id, attachment }) =>
      this.#attachment(id, attachment).media === "text"
        ? { kind: "text", text: this.previewText, cut: false }
        : { kind: "picture", url: PICTURE, width: 4_032, height: 3_024 },
    attachment_detach: ({ id, attachment }) => {
      this.#detached = this.#attachment(id, attachment);
      const { attachments } = this.#find(String(id)).view;
      return this.#withFiles(
        String(id),
        attachments.filter((known) => known.id !== attachment),
      );
    },
    attachment_reattach: ({ id }) => {
      const { attachments } = this.#find(String(id)).view;
      return this.#withFiles(String(id), [...attachments, ...(this.#detached ? [this.#detached] : [])]);
    },
    search: ({ query, tenant, limit }) => {
      const terms = fold(String(query)).match(/-?(?:"[^"]*"|[^\s"])+/gu) ?? [];
      const hits = this.tenants
        .filter(({ id }) => tenant === null || id === tenant)
        .flatMap(({ id, name }) =>
          this.#listed(id)
            .filter(({ view }) => {
              const text = fold(
                [view.title, view.notes, ...view.tags, ...view.fields.map((field) => field.value ?? "")].join(" "),
              );
              return terms.every((term) => {
                const [, sign, operator, value = ""] = /^(-?)(tag:|kind:)?(.*)$/u.exec(term.replaceAll('"', "")) ?? [];
                const holds =
                  operator === "tag:"
                    ? view.tags.some((tag) => fold(tag) === value)
                    : operator === "kind:"
                      ? view.kind === value
                      : text.includes(value);
                return holds !== (sign === "-");
              });
            })
            .map((record) => ({ tenant_name: name, ...this.#row(record) })),
        );
      return { hits: hits.slice(0, Number(limit)), more: hits.length > Number(limit) };
    },
    code_show: () => {
      const seconds = Math.floor(Date.now() / 1_000);
      const code = String((Math.floor(seconds / 30) * 48_271) % 1_000_000).padStart(6, "0");
      return { code, seconds_left: 30 - (seconds % 30), period_seconds: 30 };
    },
    code_copy: () => ({ clear_after_seconds: this.settings.clipboard_seconds }),
    secret_generate: ({ recipe }) => {
      const handle = `made${this.#made.size + 1}`;
      const isWords = (recipe as SecretRecipe).kind === "passphrase";
      this.#made.set(handle, isWords ? "reset-clumsy-tinfoil-gravel-outpost-woven" : "tQ7#vR2m-Kp9_xLw4Zs!");
      return { handle, entropy_bits: isWords ? 77.5 : 129.2, score: 4 };
    },
    secret_show: ({ handle }) => this.#made.get(String(handle)) ?? "",
    secret_copy: () => ({ clear_after_seconds: this.settings.clipboard_seconds }),
    secret_assess: ({ value }) => Math.min(4, Math.floor(String(value).length / 4)),
    kinds_list: () => this.#kinds,
    kind_set: ({ template }) => {
      const { kind, name, fields } = template as KindTemplate;
      const set: KindView = {
        kind,
        name,
        fields: fields.map((field) => ({
          word: null,
          name: field.name,
          field_type: field.type,
          options: field.options.map((text) => ({ word: null, text })),
          role: field.role,
        })),
      };
      this.#kinds = [...this.#kinds.filter((known) => known.kind !== kind), set];
      return set;
    },
    kind_remove: ({ kind }) => {
      this.#kinds = this.#kinds.filter((known) => known.kind !== kind);
      return null;
    },
    expiring_list: ({ days }) => this.#expiring(Number(days)),
    secret_health_start: ({ tenant }) =>
      this.#start("records", this.#records.get(String(tenant))?.length ?? 0, () => this.#secretHealth(String(tenant))),
    tags_list: ({ tenant }) => {
      const counts = new Map<string, number>();
      for (const { view } of this.#records.get(String(tenant)) ?? []) {
        for (const tag of view.tags) counts.set(tag, (counts.get(tag) ?? 0) + 1);
      }
      return [...counts].map(([tag, records]) => ({ tag, records })).sort((a, b) => a.tag.localeCompare(b.tag));
    },
    tag_rename: ({ tenant, tag, name }) => this.#retag(String(tenant), String(tag), [String(name)]),
    tag_remove: ({ tenant, tag }) => this.#retag(String(tenant), String(tag), []),
    searches_list: () => this.#saved,
    search_save: ({ name, tenant, query }) => {
      if (this.#saved.some((saved) => saved.name === name && saved.tenant === tenant))
        throw refusal("search_name_taken");
      const owner = this.tenants.find(({ id }) => id === tenant);
      const saved = { name: String(name), tenant: owner?.id ?? null, tenant_name: owner?.name ?? null };
      this.#saved = [...this.#saved, { ...saved, query: String(query) }];
      return null;
    },
    search_rename: ({ name, tenant, to }) => {
      const found = this.#savedSearch(name, tenant);
      this.#saved = this.#saved.map((saved) => (saved === found ? { ...saved, name: String(to) } : saved));
      return null;
    },
    search_remove: ({ name, tenant }) => {
      const found = this.#savedSearch(name, tenant);
      this.#saved = this.#saved.filter((saved) => saved !== found);
      return null;
    },
    import_choose_file: () => this.#importFile,
    import_open_file: () => ({
      ...LOCKED_FILE,
      needs_key: false,
      entries: 214,
      records: [
        { entry: 1, kind: "login", title: "Webmail “old”, Zürich", fields: 4, versions: 3, attachments: 1 },
        { entry: 2, kind: "login", title: "日本語 🔑", fields: 2, versions: 1, attachments: 0 },
        { entry: 3, kind: "note", title: "Alarm code", fields: 1, versions: 2, attachments: 0 },
      ],
      losses: [
        { entry: 1, what: "attachment", name: "runbook.pdf" },
        { entry: 9, what: "trashed_entry", name: "Old router" },
      ],
      losses_counted: 2,
    }),
    tenant_twin_start: ({ tenant, name, seed }) =>
      this.#start("records", this.#records.get(String(tenant))?.length ?? 0, () => {
        const source = this.tenants.find(({ id }) => id === tenant);
        if (!source) throw refusal("not_found");
        const records = this.#records.get(String(tenant)) ?? [];
        const twin = { ...source, id: "7twin", name: String(name), demo: true, records: records.length };
        this.tenants.push(twin);
        this.#records.set(twin.id, []);
        return { tenant: twin, seed: Number(seed ?? 4711), records: records.length, versions: 9, attachments: 2 };
      }),
    subject_find_start: ({ tenant, identifiers }) =>
      this.#start("records", 2, () => this.#subject(String(tenant), identifiers as string[])),
    subject_export_start: ({ records }) =>
      this.#start("records", 2, () => ({
        records: (records as string[] | null)?.length ?? 1,
        versions: 2,
        attachments: 0,
        withheld: 1,
        bytes: 8_192,
      })),
    subject_erase_start: ({ tenant, records }) =>
      this.#start("records", 2, () => ({
        tenant: String(tenant),
        tenant_name: this.tenants.find(({ id }) => id === tenant)?.name ?? "",
        records: (records as string[] | null)?.length ?? 1,
        versions: 2,
        drafts: 0,
        files: 0,
        saved_searches: 0,
        remaining: records === null ? 0 : 1,
        rewritten: true,
        backups: [{ counter: 3, made_at: "2026-11-20T08:00:00.000Z", expires_at: null }],
      })),
    tenant_export_start: ({ format }) =>
      this.#start(
        "rows",
        1_204,
        (): ExportReport => ({
          format: String(format),
          records: 1_204,
          bytes: 220_114,
          losses:
            format === "csv"
              ? [
                  { what: "secret_marks", count: 1_180 },
                  { what: "neutralised_cells", count: 3 },
                ]
              : [],
        }),
      ),
    import_start: ({ mapping, skip_duplicates, dry_run }) =>
      this.#start("rows", 1_000, (): ImportReport => {
        const columns = mapping as ImportColumn[];
        const isFaulty = dry_run === true && columns.some((column) => column.field_type === "number");
        return {
          dry_run: dry_run === true,
          format: this.#importFile.format,
          counted_in: this.#importFile.format === "csv" ? "lines" : "entries",
          imported: isFaulty ? 997 : 1_000,
          rejected: isFaulty ? 3 : 0,
          duplicates: skip_duplicates === true ? 7 : 0,
          versions: 0,
          attachments: this.#importFile.format === "archive" ? 2 : 0,
          trashed: this.#importFile.format === "archive" ? 1 : 0,
          losses: [],
          losses_counted: 0,
          errors: isFaulty
            ? [18, 411, 902].map((line) => ({ line, message: "the value is no number such as 12.5" }))
            : [],
          columns,
        };
      }),
    backup_export_start: () =>
      this.#start("bytes", 48_211_004, () => {
        const counter = (this.#backups[0]?.counter ?? 0) + 1;
        this.#backups = [
          {
            made_at: new Date().toISOString(),
            counter,
            bytes: 48_300_000,
            file: { name: "office-new.age", folder: "Backups" },
          },
          ...this.#backups,
        ];
        return this.#backup(counter);
      }),
    backup_verify_start: () => this.#start("bytes", 48_211_004, () => this.#backup(11)),
    backup_restore_start: () => this.#start("bytes", 48_211_004, () => this.#backup(11)),
    vault_move_start: () => this.#start("bytes", 48_211_004, () => this.#backup(12)),
    backups_list: () => this.#backups,
    health: () => this.#health(),
    files_check: ({ again }) => {
      const isFirst = again === false;
      return this.#start("bytes", 96_211_004, () => this.#files(isFirst));
    },
    device_enrol: () => {
      this.#enrolled = true;
      return true;
    },
    log_page: ({ before, limit }) => {
      const from = before === null ? 0 : this.#log.findIndex((entry) => entry.index < Number(before));
      const entries = from < 0 ? [] : this.#log.slice(from, from + Number(limit));
      const last = entries.at(-1)?.index ?? 0;
      return { entries, total: this.#log.length, next_before: last > 0 ? last : null };
    },
    log_verify_start: () =>
      this.#start("entries", this.#log.length, () => ({
        ok: true,
        entries: this.#log.length,
        checkpoints: 14,
        root: "8f14e45fceea167a5a36dedd4bea2543d3b07384d113edec49eaa6238ad5ff00",
        findings: [],
      })),
    job_progress: ({ job }) => this.#progress(String(job)),
    job_cancel: ({ job }) => {
      const running = this.#jobs.get(String(job));
      if (running) running.cancelled = true;
      return null;
    },
  };

  #attachment(id: unknown, attachment: unknown): AttachmentView {
    const found = this.#find(String(id)).view.attachments.find((known) => known.id === attachment);
    if (!found) throw refusal("not_found");
    return found;
  }

  /** The record's next version, with other files. */
  #withFiles(id: string, attachments: AttachmentView[]): RecordView {
    const stored = this.#find(id);
    stored.view = {
      ...stored.view,
      attachments,
      version: stored.view.version + 1,
      changed_at: new Date().toISOString(),
    };
    return stored.view;
  }

  #health(): HealthView[] {
    return [
      { check: "disk_encryption", state: "unknown", detail: "unknown" },
      this.#enrolled
        ? { check: "device_key", state: "good", detail: "keyring" }
        : { check: "device_key", state: "attention", detail: "none" },
      { check: "memory", state: "good", detail: "not_dumpable" },
      { check: "kdf", state: "good", detail: "256 MiB, 4 passes" },
      { check: "free_space", state: "attention", detail: "912331776" },
    ];
  }

  /** As the engine: a file changed in the session, which a later check finds, cannot be told about any more. */
  #files(isFirst: boolean): FileCheckView[] {
    return this.tenants.map((tenant, index) => ({
      tenant: tenant.id,
      tenant_name: tenant.name,
      state: index > 0 ? "unchanged" : isFirst ? this.#firstFile : "not_checkable",
    }));
  }

  #backup(counter: number) {
    return {
      vault: "0v",
      counter,
      made_at: this.#backups.find((backup) => backup.counter === counter)?.made_at ?? new Date().toISOString(),
      files: 9,
      bytes: 51_022_331,
      log_entries: this.#log.length,
      chain_length: 1,
      newer_known: counter < (this.#backups[0]?.counter ?? 0),
    };
  }
}

/** Starts the make-believe engine for the mock build; the address chooses the screen, look and language. */
export function startMock(): void {
  const query = new URLSearchParams(location.search);
  const take = <T extends string>(name: string, fallback: T): T => (query.get(name) as T | null) ?? fallback;
  document.documentElement.dataset.engine = MARK;
  new MockEngine({
    screen: take<AppState["screen"]>("screen", "unlocked"),
    settings: { theme: take("theme", "system"), language: take("language", "en") },
    saved: [
      { name: "Databases", tenant: "7acme", tenant_name: "ACME GmbH", query: "kind:server postgres" },
      { name: "Without a tag", tenant: null, tenant_name: null, query: "-tag:people -tag:infrastructure" },
    ],
    failedUnlocks: Number(take("failed", "0")),
    firstFile: take<FileCheckView["state"]>("file", "unchanged"),
    enrolled: take("enrolled", "yes") === "yes",
    roles: take("roles", "administrator,auditor,member").split(",") as SessionView["roles"],
    jobMillis: Number(take("job", "4000")),
  }).install();
}

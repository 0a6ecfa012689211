// Generated from crates/coffer-core/src/view.rs by ts-rs. Not edited by hand.

export type VaultView = { id: string; name: string; format: number; demo: boolean };

export type SessionView = {
  id: string;
  vault: VaultView;
  account: string;
  login: string;
  roles: ("administrator" | "auditor" | "member")[];
  unlocked_at: string;
  last_unlocked_at: string | null;
  failed_unlocks: number;
};

export type TenantView = {
  id: string;
  name: string;
  right: "reader" | "editor" | "steward";
  colour: number;
  created_at: string;
  records: number | null;
};

export type RecordRow = { id: string; kind: string; title: string; changed_at: string };

export type RecordPage = { tenant: string; records: Array<RecordRow>; total: number; next: string | null };

export type RecordView = {
  id: string;
  tenant_name: string;
  kind: string;
  title: string;
  fields: Array<FieldView>;
  tags: Array<string>;
  notes: string;
  version: number;
  created_at: string;
  changed_at: string;
  changed_by: string;
};

export type FieldView = {
  id: number;
  name: string;
  field_type: "text" | "secret" | "multiline" | "email" | "phone" | "url" | "date" | "number";
  value: string | null;
  empty: boolean;
};

export type VersionView = {
  version: number;
  changed_at: string;
  changed_by: string;
  changes: Array<ChangeView>;
};

export type ChangeView = { what: string; how: ChangeKind; before: string | null; after: string | null };

export type ChangeKind = "added" | "changed" | "removed";

export type SearchResults = { hits: Array<SearchHit>; more: boolean };

export type SearchHit = { tenant_name: string; id: string; kind: string; title: string; changed_at: string };

export type LogEntryView = {
  index: number;
  at: string;
  action: string;
  actor: string | null;
  os_user: string;
  host: string;
  program: string;
  session: string | null;
  tenant: string | null;
  tenant_name: string | null;
  record: string | null;
  field: number | null;
  version: number | null;
  count: number | null;
  entry: number | null;
};

export type LogPage = { entries: Array<LogEntryView>; total: number; next_before: number | null };

export type LogReport = {
  ok: boolean;
  entries: number;
  checkpoints: number;
  root: string;
  findings: Array<LogFindingView>;
};

export type LogFindingView = { code: string; index: number | null };

export type BackupView = {
  vault: string;
  counter: number;
  made_at: string;
  files: number;
  bytes: number;
  log_entries: number;
  chain_length: number;
  newer_known: boolean;
};

export type ImportReport = {
  dry_run: boolean;
  imported: number;
  rejected: number;
  errors: Array<ImportRowError>;
  columns: Array<ImportColumn>;
};

export type ImportRowError = { line: number; message: string };

export type ImportColumn = {
  column: string;
  target: string | null;
  field_type: "text" | "secret" | "multiline" | "email" | "phone" | "url" | "date" | "number" | null;
};

export type Progress = { done: number; total: number | null; unit: ProgressUnit };

export type ProgressUnit = "bytes" | "rows" | "entries";

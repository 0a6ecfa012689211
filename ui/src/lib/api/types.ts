// Generated from the engine's views and the desktop shell's answers by ts-rs. Not edited by hand.
// UPDATE_BINDINGS=1 cargo test -p coffer-desktop --features e2e --test bindings

export type VaultView = { 
/**
 * The vault.
 */
id: string, 
/**
 * The folder's name without `.coffer`.
 */
name: string, 
/**
 * Format version.
 */
format: number, 
/**
 * Whether it holds invented data for looking around.
 */
demo: boolean, };

export type SessionView = { 
/**
 * This session.
 */
id: string, 
/**
 * The vault.
 */
vault: VaultView, 
/**
 * The account.
 */
account: string, 
/**
 * Its login name.
 */
login: string, 
/**
 * Its roles.
 */
roles: ("administrator" | "auditor" | "member")[], 
/**
 * When it was unlocked.
 */
unlocked_at: string, 
/**
 * When this account unlocked last before.
 */
last_unlocked_at: string | null, 
/**
 * Failed unlocks of this vault since then.
 */
failed_unlocks: number, };

export type TenantView = { 
/**
 * The tenant.
 */
id: string, 
/**
 * Its name.
 */
name: string, 
/**
 * What this account may do with it.
 */
right: "reader" | "editor" | "steward", 
/**
 * Which of the twelve tenant colours is its own, 0 to 11.
 */
colour: number, 
/**
 * When it was created.
 */
created_at: string, 
/**
 * Records in it; `None` until it has been opened in this session.
 */
records: number | null, };

export type RecordRow = { 
/**
 * The record.
 */
id: string, 
/**
 * What it is about.
 */
kind: string, 
/**
 * One line by which people know it.
 */
title: string, 
/**
 * When it was last changed.
 */
changed_at: string, };

export type RecordPage = { 
/**
 * The tenant the records belong to.
 */
tenant: string, 
/**
 * Records of this page.
 */
records: Array<RecordRow>, 
/**
 * All records of the tenant.
 */
total: number, 
/**
 * Where the next page begins; `None` after the last. Opaque.
 */
next: string | null, };

export type RecordView = { 
/**
 * The record.
 */
id: string, 
/**
 * The tenant's name: whose data this is.
 */
tenant_name: string, 
/**
 * What it is about.
 */
kind: string, 
/**
 * One line by which people know it.
 */
title: string, 
/**
 * In the order to show.
 */
fields: Array<FieldView>, 
/**
 * Sorted.
 */
tags: Array<string>, 
/**
 * Free text.
 */
notes: string, 
/**
 * Counted from 1; every change makes a new one.
 */
version: number, 
/**
 * When it was added.
 */
created_at: string, 
/**
 * When it was last changed.
 */
changed_at: string, 
/**
 * Login name of who changed it last.
 */
changed_by: string, };

export type FieldView = { 
/**
 * The field inside its record.
 */
id: number, 
/**
 * What the person calls it.
 */
name: string, 
/**
 * How it is shown and protected.
 */
field_type: "text" | "secret" | "multiline" | "email" | "phone" | "url" | "date" | "number" | "totp" | "choice" | "reference" | "expiry", 
/**
 * The value; `None` if it is masked and has to be revealed.
 */
value: string | null, 
/**
 * Whether it holds nothing.
 */
empty: boolean, };

export type VersionView = { 
/**
 * Counted from 1.
 */
version: number, 
/**
 * When it was made.
 */
changed_at: string, 
/**
 * Login name of who made it.
 */
changed_by: string, 
/**
 * When another program made it, from which it was imported; `None` if it was made here.
 */
made_at?: string, 
/**
 * What is different from the version before, secrets named only.
 */
changes: Array<ChangeView>, };

export type ChangeView = { 
/**
 * `title`, `kind`, `tags`, `notes`, or the field's name.
 */
what: string, 
/**
 * What happened to it.
 */
how: ChangeKind, 
/**
 * The text before; `None` if there was none or it is a secret.
 */
before: string | null, 
/**
 * The text after; `None` if there is none or it is a secret.
 */
after: string | null, };

export type ChangeKind = "added" | "changed" | "removed";

export type SearchResults = { 
/**
 * Found records, with the tenant in each identifier; best matches of each tenant first.
 */
hits: Array<SearchHit>, 
/**
 * Whether there are more than were asked for.
 */
more: boolean, };

export type SearchHit = { 
/**
 * The tenant's name: whose data this is.
 */
tenant_name: string, 
/**
 * The record.
 */
id: string, 
/**
 * What it is about.
 */
kind: string, 
/**
 * One line by which people know it.
 */
title: string, 
/**
 * When it was last changed.
 */
changed_at: string, };

export type LogEntryView = { 
/**
 * Its place in the log, from 0.
 */
index: number, 
/**
 * When.
 */
at: string, 
/**
 * What: `object.verb`.
 */
action: string, 
/**
 * Who: login name, or the account's identifier if it has none any more; `None` while locked.
 */
actor: string | null, 
/**
 * The operating system's user.
 */
os_user: string, 
/**
 * The machine's name.
 */
host: string, 
/**
 * The program: `coffer` or `coffer-desktop`.
 */
program: string, 
/**
 * The session; `None` while locked.
 */
session: string | null, 
/**
 * The tenant it is about. Its name is shown only to who may know it.
 */
tenant: string | null, 
/**
 * The tenant's name, if this account may know it.
 */
tenant_name: string | null, 
/**
 * The record it is about.
 */
record: string | null, 
/**
 * The field it is about, as a number inside its record.
 */
field: number | null, 
/**
 * The record's version it is about.
 */
version: number | null, 
/**
 * How many; for backups, their number.
 */
count: number | null, 
/**
 * The entry it is about.
 */
entry: number | null, };

export type LogPage = { 
/**
 * Entries of this page.
 */
entries: Array<LogEntryView>, 
/**
 * All entries.
 */
total: number, 
/**
 * The index to ask for next (entries before it); `None` after the last.
 */
next_before: number | null, };

export type LogReport = { 
/**
 * Whether nothing is wrong.
 */
ok: boolean, 
/**
 * Entries checked.
 */
entries: number, 
/**
 * Checkpoints checked.
 */
checkpoints: number, 
/**
 * Root hash of the tree, hexadecimal.
 */
root: string, 
/**
 * What is wrong, worst first.
 */
findings: Array<LogFindingView>, };

export type LogFindingView = { 
/**
 * Permanent code: `edited`, `reordered`, `gap`, `truncated`, `forked`, `unmatched_effect`, `bad_signature` …
 */
code: string, 
/**
 * The entry it is at, if it is at one.
 */
index: number | null, };

export type BackupView = { 
/**
 * The vault it is of.
 */
vault: string, 
/**
 * Its number in that vault.
 */
counter: number, 
/**
 * When it was made.
 */
made_at: string, 
/**
 * Files in it.
 */
files: number, 
/**
 * Bytes of those files.
 */
bytes: number, 
/**
 * Entries of the log at that time.
 */
log_entries: number, 
/**
 * Statements of the membership chain at that time.
 */
chain_length: number, 
/**
 * Whether a newer backup of this vault is known here.
 */
newer_known: boolean, };

export type ImportReport = { 
/**
 * Whether nothing was written because only a trial was asked for.
 */
dry_run: boolean, 
/**
 * The format the file has: `csv`, `kdbx`, `bitwarden` or `1pux`.
 */
format: string, 
/**
 * What errors are numbered by.
 */
counted_in: ImportCount, 
/**
 * Rows or entries that became, or would become, records.
 */
imported: number, 
/**
 * Rows or entries that cannot be imported. With any of them nothing is written.
 */
rejected: number, 
/**
 * Rows or entries that the tenant has already; left out or imported all the same, as was asked for.
 */
duplicates: number, 
/**
 * Earlier versions that came, or would come, along.
 */
versions: number, 
/**
 * Why, for the first hundred of those rejected.
 */
errors: Array<ImportRowError>, 
/**
 * What is not carried over, the first hundred.
 */
losses: Array<ImportLoss>, 
/**
 * How much is not carried over altogether.
 */
losses_counted: number, 
/**
 * How the columns were understood; empty for a format without columns.
 */
columns: Array<ImportColumn>, };

export type ImportCount = "lines" | "entries";

export type ImportLoss = { 
/**
 * Which entry of the file, from 1; `None` for what concerns the file as a whole.
 */
entry: number | null, 
/**
 * What it is: `attachment`, `field`, `tag`, `title_end`, `version`, `passkey`, `reference`, `icon`,
 * `trashed_entry`, `auto_type`, `custom_data` or `time_of_expiry`.
 */
what: string, 
/**
 * The name of the field, file or tag concerned; empty where there is none.
 */
name: string, };

export type ImportPreviewRecord = { 
/**
 * Which entry of the file, from 1.
 */
entry: number, 
/**
 * What the record will be about.
 */
kind: string, 
/**
 * Its title.
 */
title: string, 
/**
 * How many fields it will have.
 */
fields: number, 
/**
 * How many versions it will have.
 */
versions: number, 
/**
 * How many files are kept with it.
 */
attachments: number, };

export type ImportRowError = { 
/**
 * The line of the file the row begins at, or the number of the entry; from 1.
 */
line: number, 
/**
 * What is wrong and what would be right; never the value itself.
 */
message: string, };

export type ImportColumn = { 
/**
 * The header's text.
 */
column: string, 
/**
 * Where it goes: `title`, `kind`, `tags`, `notes`, `tenant` (must name the tenant or nobody), a field's name, or `None` when it is left out.
 */
target: string | null, 
/**
 * The field's type, when it becomes a field.
 */
field_type: "text" | "secret" | "multiline" | "email" | "phone" | "url" | "date" | "number" | "totp" | "choice" | "reference" | "expiry" | null, };

export type ExportReport = { 
/**
 * The format: `csv` or `kdbx`.
 */
format: string, 
/**
 * Records written.
 */
records: number, 
/**
 * Bytes of the file.
 */
bytes: number, 
/**
 * What the format could not hold.
 */
losses: Array<ExportLossView>, };

export type ExportLossView = { 
/**
 * What it is: `earlier_versions`, `secret_marks`, `kinds`, `field_types`, `neutralised_cells` or `fields`.
 */
what: string, 
/**
 * How often it occurred.
 */
count: number, };

export type Progress = { 
/**
 * Done so far, in the job's unit.
 */
done: number, 
/**
 * To do altogether; `None` if not known yet.
 */
total: number | null, 
/**
 * What is counted.
 */
unit: ProgressUnit, };

export type ProgressUnit = "bytes" | "rows" | "entries";

export type Screen = "first_run" | "locked" | "unlocked";

export type Language = "system" | "en" | "de";

export type Theme = "system" | "light" | "dark";

export type LockPreset = "convenient" | "balanced" | "strict";

export type Settings = { 
/**
 * The language of every window.
 */
language: Language, 
/**
 * Light or dark.
 */
theme: Theme, 
/**
 * Seconds until a copied secret is taken from the clipboard.
 */
clipboard_seconds: number, 
/**
 * Which preset the times were taken from.
 */
lock_preset: LockPreset, 
/**
 * Seconds without activity until the program locks.
 */
idle_seconds: number, };

export type AppState = { 
/**
 * What to show.
 */
screen: Screen, 
/**
 * Who is unlocked.
 */
session: SessionView | null, 
/**
 * What the person has chosen about the program.
 */
settings: Settings, };

export type Chosen = { 
/**
 * Names it in later calls. Random.
 */
handle: string, 
/**
 * Its own name, without folders.
 */
name: string, };

export type SavedKit = { 
/**
 * `false` when the person declined.
 */
saved: boolean, 
/**
 * The file's name, without folders.
 */
file_name: string | null, };

export type Copied = { 
/**
 * Seconds until it is taken from the clipboard again.
 */
clear_after_seconds: number, };

export type ImportFile = { 
/**
 * Names it in later calls. Random.
 */
handle: string, 
/**
 * Its name, without folders.
 */
name: string, 
/**
 * Bytes.
 */
size: number, 
/**
 * Its format: `csv`, `kdbx`, `bitwarden` or `1pux`.
 */
format: string, 
/**
 * Whether it is encrypted and has still to be opened. Nothing more is known then.
 */
needs_key: boolean, 
/**
 * How a table's text is encoded: `utf-8` or `windows-1252`.
 */
encoding: string | null, 
/**
 * How a table's columns are understood; empty for other formats.
 */
columns: Array<ImportColumn>, 
/**
 * A table's first rows, one cell for each column; what would become a secret is masked.
 */
preview: Array<Array<string>>, 
/**
 * Entries of a file that is no table.
 */
entries: number | null, 
/**
 * The first of them.
 */
records: Array<ImportPreviewRecord>, 
/**
 * What is not carried over, the first hundred.
 */
losses: Array<ImportLoss>, 
/**
 * How much is not carried over altogether.
 */
losses_counted: number, };

export type BackupFile = { 
/**
 * When.
 */
made_at: string, 
/**
 * Its number in its vault.
 */
counter: number, 
/**
 * The file's name, without folders.
 */
file_name: string, 
/**
 * Bytes of the vault's files in it.
 */
bytes: number, };

export type Refusal = { 
/**
 * Permanent, in snake case.
 */
code: string, };

export type Job = { 
/**
 * Its number.
 */
job: string, };

export type JobState = "running" | "done" | "failed" | "cancelled";

export type JobResult = BackupView | ImportReport | LogReport | ExportReport;

export type JobProgress = { 
/**
 * How far it is.
 */
progress: Progress, 
/**
 * What it is at.
 */
state: JobState, 
/**
 * What it ended with.
 */
result: JobResult | null, 
/**
 * Why it failed.
 */
error: Refusal | null, };

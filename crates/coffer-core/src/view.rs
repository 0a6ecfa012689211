//! What the engine answers: plain values for every shell, the same on screen and in `--json`.
//! No secret is in any of them; a revealed value comes alone, as [`coffer_model::record::Value`].
//!
//! Pure data. The JSON shapes are stable and held by snapshots; the desktop's TypeScript types are generated from here.

mod life;

use coffer_interchange::source::Format;
use coffer_model::account::Role;
use coffer_model::attachment::{AttachmentId, MediaKind};
use coffer_model::grant::Right;
use coffer_model::id::{AccountId, RecordId, SessionId, TenantId, VaultId};
use coffer_model::record::{FieldId, FieldType, RecordKind};
use coffer_model::time::Timestamp;
use serde::Serialize;
use ts_rs::TS;

mod glass;
mod keys;
mod kinds;
mod leaving;
mod people;
mod subject;
mod upkeep;

pub use glass::{BrokenGlassView, GlassView};
pub use keys::{
    CryptoperiodView, HeldKey, KeyAccessView, KeyHolder, KeyRegisterView, KeyState, KeyView, SuitePart, SuiteView,
};
pub use kinds::{KindFieldView, KindOptionView, KindView};
pub use leaving::{
    AccountExposureView, CheckedTenantView, ExposedSecretView, ExposureCheckOutcome, ExposureCheckView,
    ExposureReportView, ExposureWay, ExposuresView, HeldKeyView, LeftTenantView, OffboardingView,
};
pub use life::{
    BulkTagView, BulkView, DraftFieldView, DraftNote, DraftView, FavouriteView, MoveCut, MovePreview, MoveReport,
    MovedRecord, TaggedRecord, TrashPage, TrashRow,
};
pub use people::{
    AccountState, AccountView, GrantView, PendingKey, PendingKeyView, PeopleView, PolicyView, ProviderKeyView,
    ProviderView, RecoveryView, SplitView, VaultMoveState, VaultMoveView, WaysInView,
};
pub use subject::{
    SubjectBackupView, SubjectDraftView, SubjectErasureReport, SubjectExportReport, SubjectFindings, SubjectPlace,
    SubjectPlaceView, SubjectRecordView, SubjectScan,
};
pub use upkeep::{ExpiringRecords, ExpiringView, SecretFindingView, SecretHealthView, SecretProblem};

/// What can be said of a vault while it is locked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct VaultView {
    /// The vault.
    #[ts(type = "string")]
    pub id: VaultId,
    /// The folder's name without `.coffer`.
    pub name: String,
    /// Format version.
    #[ts(type = "number")]
    pub format: u32,
    /// Whether it holds invented data for looking around.
    pub demo: bool,
}

/// Who is unlocked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct SessionView {
    /// This session.
    #[ts(type = "string")]
    pub id: SessionId,
    /// The vault.
    pub vault: VaultView,
    /// The account.
    #[ts(type = "string")]
    pub account: AccountId,
    /// Its login name.
    pub login: String,
    /// Its roles.
    #[ts(type = "(\"administrator\" | \"auditor\" | \"member\")[]")]
    pub roles: Vec<Role>,
    /// When it was unlocked.
    #[ts(type = "string")]
    pub unlocked_at: Timestamp,
    /// When this account unlocked last before.
    #[ts(type = "string | null")]
    pub last_unlocked_at: Option<Timestamp>,
    /// Failed unlocks of this vault since then.
    #[ts(type = "number")]
    pub failed_unlocks: u64,
    /// Whether nothing else can be done before a second factor is enrolled.
    pub needs_second_factor: bool,
    /// How often, since the account unlocked last, custodians have opened a tenant that concerns it.
    #[ts(type = "number")]
    pub glass_broken: usize,
}

/// A tenant in lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct TenantView {
    /// The tenant.
    #[ts(type = "string")]
    pub id: TenantId,
    /// Its name.
    pub name: String,
    /// What this account may do with it.
    #[ts(type = "\"reader\" | \"editor\" | \"steward\"")]
    pub right: Right,
    /// Which of the twelve tenant colours is its own, 0 to 11.
    pub colour: u8,
    /// Whether it holds invented data: a redacted twin of another.
    pub demo: bool,
    /// When it was created.
    #[ts(type = "string")]
    pub created_at: Timestamp,
    /// Records in it; `None` until it has been opened in this session.
    #[ts(type = "number | null")]
    pub records: Option<u64>,
}

/// A redacted twin that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct TwinReport {
    /// The twin, now a tenant.
    pub tenant: TenantView,
    /// The seed it was invented by: of the same tenant, the same seed makes the same twin.
    #[ts(type = "number")]
    pub seed: u64,
    /// Records, those in the trash among them.
    #[ts(type = "number")]
    pub records: u64,
    /// Versions of all of them.
    #[ts(type = "number")]
    pub versions: u64,
    /// Attachments of all of them, present and past.
    #[ts(type = "number")]
    pub attachments: u64,
}

/// A record in lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct RecordRow {
    /// The record.
    #[ts(type = "string")]
    pub id: RecordId,
    /// What it is about.
    #[ts(type = "string")]
    pub kind: RecordKind,
    /// One line by which people know it.
    pub title: String,
    /// When it was last changed.
    #[ts(type = "string")]
    pub changed_at: Timestamp,
    /// What a list was asked to tell besides, if the record has it.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// A page of a tenant's records in one of their orders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct RecordPage {
    /// The tenant the records belong to.
    #[ts(type = "string")]
    pub tenant: TenantId,
    /// Records of this page.
    pub records: Vec<RecordRow>,
    /// Those of them that are this account's favourites.
    #[ts(type = "string[]")]
    pub favourites: Vec<RecordId>,
    /// All records of the list: the tenant's without the trash, or this account's favourites among them.
    #[ts(type = "number")]
    pub total: u64,
    /// Where the next page begins; `None` after the last. Opaque.
    pub next: Option<String>,
}

/// A page of a tenant's records with all they hold, in the order of their titles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct FullRecordPage {
    /// The tenant the records belong to.
    #[ts(type = "string")]
    pub tenant: TenantId,
    /// Records of this page, secrets masked.
    pub records: Vec<RecordView>,
    /// All records of the tenant.
    #[ts(type = "number")]
    pub total: u64,
    /// Where the next page begins; `None` after the last. Opaque.
    pub next: Option<String>,
}

/// One record, secrets masked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct RecordView {
    /// The record.
    #[ts(type = "string")]
    pub id: RecordId,
    /// The tenant's name: whose data this is.
    pub tenant_name: String,
    /// What it is about.
    #[ts(type = "string")]
    pub kind: RecordKind,
    /// One line by which people know it.
    pub title: String,
    /// In the order to show.
    pub fields: Vec<FieldView>,
    /// Sorted.
    pub tags: Vec<String>,
    /// Free text.
    pub notes: String,
    /// Files kept with it, in the order of attaching.
    pub attachments: Vec<AttachmentView>,
    /// Counted from 1; every change makes a new one.
    pub version: u32,
    /// When it was added.
    #[ts(type = "string")]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[ts(type = "string")]
    pub changed_at: Timestamp,
    /// Login name of who changed it last.
    pub changed_by: String,
    /// Whether it is a favourite of this account.
    pub favourite: bool,
    /// When it was put into the trash; `None` if it is not there.
    #[ts(type = "string | null")]
    pub trashed_at: Option<Timestamp>,
}

/// One field, masked if it is a secret or a seed of codes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct FieldView {
    /// The field inside its record.
    #[ts(type = "number")]
    pub id: FieldId,
    /// What the person calls it.
    pub name: String,
    /// How it is shown and protected.
    #[ts(
        type = "\"text\" | \"secret\" | \"multiline\" | \"email\" | \"phone\" | \"url\" | \"date\" | \"number\" | \"totp\" | \"choice\" | \"reference\" | \"expiry\""
    )]
    pub field_type: FieldType,
    /// The value; `None` if it is masked and has to be revealed.
    pub value: Option<String>,
    /// Whether it holds nothing.
    pub empty: bool,
    /// The record it refers to; `None` if it is no reference, or that record is gone.
    pub reference: Option<ReferenceView>,
}

/// A record that another one refers to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct ReferenceView {
    /// The record.
    #[ts(type = "string")]
    pub id: RecordId,
    /// One line by which people know it.
    pub title: String,
}

/// A file kept with a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct AttachmentView {
    /// The attachment inside its record.
    #[ts(type = "number")]
    pub id: AttachmentId,
    /// What it is called: a name to show, which leads nowhere.
    pub name: String,
    /// What it holds, judged by its content.
    #[ts(type = "\"text\" | \"png\" | \"jpeg\" | \"other\"")]
    pub media: MediaKind,
    /// Bytes of its content.
    #[ts(type = "number")]
    pub bytes: u64,
    /// A name under which any system can save it.
    pub suggested_name: String,
}

/// An attachment to look at: never more than text, or a picture made anew of its pixels alone.
#[derive(Clone, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AttachmentPreview {
    /// The beginning of a text, control characters shown as `\u{…}`.
    Text {
        /// The text, markup included, to be shown as it is.
        text: String,
        /// Whether there is more of it.
        cut: bool,
    },
    /// A picture, no larger than a screen shows.
    Picture {
        /// A PNG as a `data:` URL.
        url: String,
        /// Pixels across, in the attachment itself.
        width: u32,
        /// Pixels down, in the attachment itself.
        height: u32,
    },
}

impl std::fmt::Debug for AttachmentPreview {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Text { .. } => "AttachmentPreview::Text(..)",
            Self::Picture { .. } => "AttachmentPreview::Picture(..)",
        })
    }
}

/// One version of a record, newest first in lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct VersionView {
    /// Counted from 1.
    pub version: u32,
    /// When it was made.
    #[ts(type = "string")]
    pub changed_at: Timestamp,
    /// Login name of who made it.
    pub changed_by: String,
    /// When another program made it, from which it was imported; `None` if it was made here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "string")]
    pub made_at: Option<Timestamp>,
    /// What is different from the version before, secrets named only.
    pub changes: Vec<ChangeView>,
}

/// One difference between a version and the one before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct ChangeView {
    /// `title`, `kind`, `tags`, `notes`, `attachments`, or the field's name.
    pub what: String,
    /// What happened to it.
    pub how: ChangeKind,
    /// The text before; `None` if there was none or it is a secret.
    pub before: Option<String>,
    /// The text after; `None` if there is none or it is a secret.
    pub after: Option<String>,
}

/// How something differs from the version before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is different.
    Changed,
    /// It is gone.
    Removed,
}

/// What a search found in one tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct SearchResults {
    /// Found records, with the tenant in each identifier; best matches of each tenant first.
    pub hits: Vec<SearchHit>,
    /// Whether there are more than were asked for.
    pub more: bool,
}

/// One found record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct SearchHit {
    /// The tenant's name: whose data this is.
    pub tenant_name: String,
    /// The record.
    #[serde(flatten)]
    pub record: RecordRow,
}

/// A tag of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct TagView {
    /// As written on the newest record that has it.
    pub tag: String,
    /// Records that have it, in whatever case.
    #[ts(type = "number")]
    pub records: u64,
}

/// A search that the account has saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct SavedSearchView {
    /// What the account calls it; no other search of the same tenant is called so.
    pub name: String,
    /// The tenant it searches; `None` for every tenant the account may read.
    #[ts(type = "string | null")]
    pub tenant: Option<TenantId>,
    /// That tenant's name.
    pub tenant_name: Option<String>,
    /// What it looks for.
    pub query: String,
}

/// One entry of the log, for auditors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct LogEntryView {
    /// Its place in the log, from 0.
    #[ts(type = "number")]
    pub index: u64,
    /// When.
    #[ts(type = "string")]
    pub at: Timestamp,
    /// What: `object.verb`.
    pub action: String,
    /// Who: login name, or the account's identifier if it has none any more; `None` while locked.
    pub actor: Option<String>,
    /// The operating system's user.
    pub os_user: String,
    /// The machine's name.
    pub host: String,
    /// The program: `coffer` or `coffer-desktop`.
    pub program: String,
    /// The session; `None` while locked.
    #[ts(type = "string | null")]
    pub session: Option<SessionId>,
    /// The tenant it is about. Its name is shown only to who may know it.
    #[ts(type = "string | null")]
    pub tenant: Option<TenantId>,
    /// The tenant's name, if this account may know it.
    pub tenant_name: Option<String>,
    /// The record it is about.
    #[ts(type = "string | null")]
    pub record: Option<RecordId>,
    /// The field it is about, as a number inside its record; in an attachment's events, the attachment.
    #[ts(type = "number | null")]
    pub field: Option<FieldId>,
    /// The record's version it is about.
    pub version: Option<u32>,
    /// How many; for backups, their number.
    #[ts(type = "number | null")]
    pub count: Option<u64>,
    /// The entry it is about.
    #[ts(type = "number | null")]
    pub entry: Option<u64>,
    /// Login name of the account it is about, or its identifier.
    pub account: Option<String>,
}

/// A page of the log, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct LogPage {
    /// Entries of this page.
    pub entries: Vec<LogEntryView>,
    /// All entries.
    #[ts(type = "number")]
    pub total: u64,
    /// The index to ask for next (entries before it); `None` after the last.
    #[ts(type = "number | null")]
    pub next_before: Option<u64>,
}

/// What a verification of the log found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct LogReport {
    /// Whether nothing is wrong.
    pub ok: bool,
    /// Entries checked.
    #[ts(type = "number")]
    pub entries: u64,
    /// Checkpoints checked.
    #[ts(type = "number")]
    pub checkpoints: u64,
    /// Root hash of the tree, hexadecimal.
    pub root: String,
    /// What is wrong, worst first.
    pub findings: Vec<LogFindingView>,
}

/// One thing that is wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct LogFindingView {
    /// Permanent code: `edited`, `reordered`, `gap`, `truncated`, `forked`, `unmatched_effect`, `bad_signature` …
    pub code: String,
    /// The entry it is at, if it is at one.
    #[ts(type = "number | null")]
    pub index: Option<u64>,
}

/// What a backup says about itself, checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct BackupView {
    /// The vault it is of.
    #[ts(type = "string")]
    pub vault: VaultId,
    /// Its number in that vault.
    #[ts(type = "number")]
    pub counter: u64,
    /// When it was made.
    #[ts(type = "string")]
    pub made_at: Timestamp,
    /// Files in it.
    #[ts(type = "number")]
    pub files: u64,
    /// Bytes of those files.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Entries of the log at that time.
    #[ts(type = "number")]
    pub log_entries: u64,
    /// Statements of the membership chain at that time.
    #[ts(type = "number")]
    pub chain_length: u64,
    /// Whether a newer backup of this vault is known here.
    pub newer_known: bool,
}

/// What an import did, or would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct ImportReport {
    /// Whether nothing was written because only a trial was asked for.
    pub dry_run: bool,
    /// The format the file has: `csv`, `kdbx`, `bitwarden`, `1pux` or `archive`.
    pub format: String,
    /// What errors are numbered by.
    pub counted_in: ImportCount,
    /// Rows or entries that became, or would become, records.
    #[ts(type = "number")]
    pub imported: u64,
    /// Rows or entries that cannot be imported. With any of them nothing is written.
    #[ts(type = "number")]
    pub rejected: u64,
    /// Rows or entries that the tenant has already; left out or imported all the same, as was asked for.
    #[ts(type = "number")]
    pub duplicates: u64,
    /// Earlier versions that came, or would come, along.
    #[ts(type = "number")]
    pub versions: u64,
    /// Attachments that came, or would come, along.
    #[ts(type = "number")]
    pub attachments: u64,
    /// How many of the records came, or would come, into the trash, where they were before.
    #[ts(type = "number")]
    pub trashed: u64,
    /// Why, for the first hundred of those rejected.
    pub errors: Vec<ImportRowError>,
    /// What is not carried over, the first hundred.
    pub losses: Vec<ImportLoss>,
    /// How much is not carried over altogether.
    #[ts(type = "number")]
    pub losses_counted: u64,
    /// How the columns were understood; empty for a format without columns.
    pub columns: Vec<ImportColumn>,
}

impl ImportReport {
    /// Of an import that has read nothing yet.
    pub(crate) fn of(format: Format, counted_in: ImportCount) -> Self {
        Self {
            dry_run: false,
            format: format.code().to_owned(),
            counted_in,
            imported: 0,
            rejected: 0,
            duplicates: 0,
            versions: 0,
            attachments: 0,
            trashed: 0,
            errors: Vec::new(),
            losses: Vec::new(),
            losses_counted: 0,
            columns: Vec::new(),
        }
    }
}

/// What the errors of an import are numbered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ImportCount {
    /// Lines of the file, from 1.
    Lines,
    /// Entries in the order of the file, from 1.
    Entries,
}

/// Something in a file that is not carried over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct ImportLoss {
    /// Which entry of the file, from 1; `None` for what concerns the file as a whole.
    #[ts(type = "number | null")]
    pub entry: Option<u64>,
    /// What it is: `attachment`, `field`, `tag`, `title_end`, `version`, `passkey`, `reference`, `icon`,
    /// `trashed_entry`, `auto_type`, `custom_data`, `time_of_expiry` or `kind`.
    pub what: String,
    /// The name of the field, file or tag concerned; empty where there is none.
    pub name: String,
}

/// Why one row or entry cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct ImportRowError {
    /// The line of the file the row begins at, or the number of the entry; from 1.
    #[ts(type = "number")]
    pub line: u64,
    /// What is wrong and what would be right; never the value itself.
    pub message: String,
}

/// How one column of a file is understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct ImportColumn {
    /// The header's text.
    pub column: String,
    /// Where it goes: `title`, `kind`, `tags`, `notes`, `tenant` (must name the tenant or nobody), a field's name, or `None` when it is left out.
    pub target: Option<String>,
    /// The field's type, when it becomes a field.
    #[ts(
        type = "\"text\" | \"secret\" | \"multiline\" | \"email\" | \"phone\" | \"url\" | \"date\" | \"number\" | \"totp\" | \"choice\" | \"reference\" | \"expiry\" | null"
    )]
    pub field_type: Option<FieldType>,
}

/// How a file would be imported, before anything is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct ImportPreview {
    /// The format the file has: `csv`, `kdbx`, `bitwarden`, `1pux` or `archive`.
    pub format: String,
    /// Whether it is encrypted and its passphrase or key file is still to come. Nothing else is known then.
    pub needs_key: bool,
    /// How a table's text is encoded: `utf-8`, or `windows-1252` where it is no UTF-8.
    pub encoding: Option<String>,
    /// The program whose table it is, if its header is known.
    pub program: Option<String>,
    /// The tenant that an archive was made of, by its own account.
    pub made_of: Option<String>,
    /// Entries of a file that is no table.
    #[ts(type = "number | null")]
    pub entries: Option<u64>,
    /// The first of them.
    pub records: Vec<ImportPreviewRecord>,
    /// What is not carried over, the first hundred.
    pub losses: Vec<ImportLoss>,
    /// How much is not carried over altogether.
    #[ts(type = "number")]
    pub losses_counted: u64,
    /// How the columns are understood; empty for a format without columns.
    pub columns: Vec<ImportColumn>,
    /// Why no record can come of it yet: `mapping_no_title`; `None` if it can.
    pub problem: Option<String>,
    /// What records are about where no column says so.
    #[ts(type = "string")]
    pub kind: RecordKind,
    /// The first rows.
    pub rows: Vec<ImportPreviewRow>,
}

impl ImportPreview {
    /// Of a file of which only the format is known.
    pub(crate) fn of(format: Format) -> Self {
        Self {
            format: format.code().to_owned(),
            needs_key: false,
            encoding: None,
            program: None,
            made_of: None,
            entries: None,
            records: Vec::new(),
            losses: Vec::new(),
            losses_counted: 0,
            columns: Vec::new(),
            problem: None,
            kind: RecordKind::custom(),
            rows: Vec::new(),
        }
    }
}

/// One entry of a file that is no table, before it is imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct ImportPreviewRecord {
    /// Which entry of the file, from 1.
    #[ts(type = "number")]
    pub entry: u64,
    /// What the record will be about.
    #[ts(type = "string")]
    pub kind: RecordKind,
    /// Its title.
    pub title: String,
    /// How many fields it will have.
    #[ts(type = "number")]
    pub fields: u64,
    /// How many versions it will have.
    #[ts(type = "number")]
    pub versions: u64,
    /// How many files are kept with it.
    #[ts(type = "number")]
    pub attachments: u64,
}

/// One row of a file, before it is imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct ImportPreviewRow {
    /// The line of the file it begins at, from 1.
    #[ts(type = "number")]
    pub line: u64,
    /// One for each column; `None` where a secret would come of it. Empty if the row is wrong.
    pub cells: Vec<Option<String>>,
    /// What is wrong with the row; never the value itself.
    pub error: Option<String>,
}

/// What an export wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct ExportReport {
    /// The format: `csv`, `kdbx` or `archive`.
    pub format: String,
    /// Records written.
    #[ts(type = "number")]
    pub records: u64,
    /// Bytes of the file.
    #[ts(type = "number")]
    pub bytes: u64,
    /// What the format could not hold.
    pub losses: Vec<ExportLossView>,
}

/// Something that a format could not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct ExportLossView {
    /// What it is: `earlier_versions`, `secret_marks`, `kinds`, `field_types`, `neutralised_cells`, `fields`,
    /// `attachments` or `tags`.
    pub what: String,
    /// How often it occurred.
    #[ts(type = "number")]
    pub count: u64,
}

/// How far a job has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
pub struct Progress {
    /// Done so far, in the job's unit.
    #[ts(type = "number")]
    pub done: u64,
    /// To do altogether; `None` if not known yet.
    #[ts(type = "number | null")]
    pub total: Option<u64>,
    /// What is counted.
    pub unit: ProgressUnit,
}

/// What a job's progress counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ProgressUnit {
    /// Bytes.
    Bytes,
    /// Rows of a file.
    Rows,
    /// Entries of the log.
    Entries,
    /// Records.
    Records,
}

/// One thing that protects a vault on this computer, or does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct HealthView {
    /// Permanent name: `disk_encryption`, `device_key`, `memory`, `kdf`, `free_space`.
    pub check: String,
    /// Whether anything wants doing.
    pub state: HealthState,
    /// What was found: a permanent name, or a figure.
    pub detail: String,
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// As it should be.
    Good,
    /// Something wants doing.
    Attention,
    /// Cannot be found out here.
    Unknown,
}

/// Whether a tenant's file is as it was locked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct FileCheckView {
    /// The tenant.
    #[ts(type = "string")]
    pub tenant: TenantId,
    /// The tenant's name, if this account may know it.
    pub tenant_name: Option<String>,
    /// What was found.
    pub state: FileState,
}

/// How a file compares with what was remembered when it was locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// It is the same.
    Unchanged,
    /// Somebody changed it while the vault was locked.
    Altered,
    /// Nothing was remembered: it was changed in this session, or the program did not end by locking.
    NotCheckable,
}

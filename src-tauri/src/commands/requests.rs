//! Every request of the web view that carries something, and every answer that is not the engine's own.
//! The TypeScript types of the interface are generated from here and from the engine's views.

use coffer_core::view::{ImportColumn, ImportLoss, ImportPreviewRecord, SessionView};
use coffer_core::{SecretRecipe, Split};
use coffer_model::account::Role;
use coffer_model::attachment::AttachmentId;
use coffer_model::day::Day;
use coffer_model::event::ExportFormat;
use coffer_model::grant::Right;
use coffer_model::id::{AccountId, RecordId, TenantId};
use coffer_model::key::{Cryptoperiods, KeyKind};
use coffer_model::list::{RecordOrder, RowDetail};
use coffer_model::policy::Guarded;
use coffer_model::record::{FieldDraft, FieldId, FieldType, RecordDraft, RecordKind, Value};
use coffer_model::template::KindTemplate;
use coffer_model::time::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::made::Made;
use crate::refusal::Refusal;
use crate::settings::{Language, Settings};

// ---- The program ----

/// A command that takes nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// What the window shows first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Screen {
    /// The way from an empty machine to an open vault.
    FirstRun,
    /// Nothing: the program is on its way to the native unlock window.
    Locked,
    /// The vault.
    Unlocked,
}

/// What the program is at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct AppState {
    /// What to show.
    pub screen: Screen,
    /// Who is unlocked.
    pub session: Option<SessionView>,
    /// What the person has chosen about the program.
    pub settings: Settings,
    /// What [`Language::System`] stands for here: what native windows take it for, so that all windows agree.
    #[ts(type = "\"en\" | \"de\"")]
    pub system_language: Language,
}

/// A vault, file or folder that the native side knows; the path stays there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct Chosen {
    /// Names it in later calls. Random.
    pub handle: String,
    /// Its own name, without folders.
    pub name: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettingsSet {
    pub(crate) settings: Settings,
}

// ---- First run ----

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateVault {
    pub(crate) handle: String,
    pub(crate) login: String,
    /// How recovery is split; one kit without.
    split: Option<SplitInto>,
}

impl CreateVault {
    /// How recovery is split, if that is possible.
    pub(crate) fn split(&self) -> Result<Option<Split>, Refusal> {
        split_of(self.split.as_ref())
    }
}

/// Whether the recovery kit was saved, and as what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct SavedKit {
    /// `false` when the person declined.
    pub saved: bool,
    /// Name of the file, or of the folder with the shares, without where it is.
    pub file_name: Option<String>,
}

// ---- Tenants and records ----

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TenantCreate {
    pub(crate) name: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordsList {
    pub(crate) tenant: TenantId,
    pub(crate) order: RecordOrder,
    pub(crate) favourites: bool,
    pub(crate) limit: u32,
    pub(crate) after: Option<String>,
    pub(crate) skip: u64,
    pub(crate) detail: RowDetail,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OneRecord {
    pub(crate) id: RecordId,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordAdd {
    pub(crate) tenant: TenantId,
    pub(crate) draft: FormDraft,
}

/// A record as the form sends it. A secret that was made here is named by its handle.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FormDraft {
    kind: RecordKind,
    title: String,
    fields: Vec<FormField>,
    tags: Vec<String>,
    notes: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FormField {
    id: Option<FieldId>,
    name: String,
    field_type: FieldType,
    value: Option<Value>,
    /// Handle of a secret that was made; `value` is then none.
    #[serde(default)]
    made: Option<String>,
}

impl FormDraft {
    /// The record as the engine takes it, with what was made in its place.
    pub(crate) fn into_draft(self, made: &Made) -> Result<RecordDraft, Refusal> {
        let field = |field: FormField| {
            let value = match (field.value, field.made) {
                (value, None) => value,
                (None, Some(handle)) => Some(made.secret(&handle)?),
                (Some(_), Some(_)) => return Err(Refusal::INVALID_REQUEST),
            };
            Ok(FieldDraft { id: field.id, name: field.name, field_type: field.field_type, value })
        };
        Ok(RecordDraft {
            kind: self.kind,
            title: self.title,
            fields: self.fields.into_iter().map(field).collect::<Result<_, _>>()?,
            tags: self.tags,
            notes: self.notes,
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct RecordChange {
    pub(crate) id: RecordId,
    pub(crate) expected_version: u32,
    pub(crate) draft: FormDraft,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FieldReveal {
    pub(crate) id: RecordId,
    pub(crate) field: FieldId,
    pub(crate) version: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OneField {
    pub(crate) id: RecordId,
    pub(crate) field: FieldId,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OneAttachment {
    pub(crate) id: RecordId,
    pub(crate) attachment: AttachmentId,
}

/// A field was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
pub struct Copied {
    /// Seconds until it is taken from the clipboard again.
    #[ts(type = "number")]
    pub clear_after_seconds: u32,
}

// ---- Fields and kinds ----

/// A one-time code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct ShownCode {
    /// The digits.
    pub code: String,
    /// Whole seconds until the next one.
    #[ts(type = "number")]
    pub seconds_left: u32,
    /// Seconds a code is good for.
    #[ts(type = "number")]
    pub period_seconds: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecretGenerate {
    pub(crate) recipe: SecretRecipe,
}

/// A secret that was made and stays in this process.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
pub struct MadeSecret {
    /// Names it in later calls. Random.
    pub handle: String,
    /// Logarithm to base 2 of how many others it could have been.
    pub entropy_bits: f64,
    /// How soon it would be guessed, from 0 (at once) to 4.
    pub score: u8,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OneMade {
    pub(crate) handle: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecretAssess {
    pub(crate) value: Value,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KindSet {
    pub(crate) template: KindTemplate,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KindRemove {
    pub(crate) kind: RecordKind,
}

// ---- Upkeep ----

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpiringList {
    pub(crate) days: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OneTenant {
    pub(crate) tenant: TenantId,
}

// ---- Long work ----

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportChooseFile {
    /// Whose data it will be; without one, the first tenant this account may write to.
    #[serde(default)]
    pub(crate) tenant: Option<TenantId>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportOpenFile {
    pub(crate) handle: String,
    pub(crate) tenant: TenantId,
    /// Whether a key file is to be chosen first.
    pub(crate) key_file: bool,
}

/// A file chosen for an import, with how it is understood and what it begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct ImportFile {
    /// Names it in later calls. Random.
    pub handle: String,
    /// Its name, without folders.
    pub name: String,
    /// Bytes.
    #[ts(type = "number")]
    pub size: u64,
    /// Its format: `csv`, `kdbx`, `bitwarden`, `1pux` or `archive`.
    pub format: String,
    /// Whether it is encrypted and has still to be opened. Nothing more is known then.
    pub needs_key: bool,
    /// How a table's text is encoded: `utf-8` or `windows-1252`.
    pub encoding: Option<String>,
    /// How a table's columns are understood; empty for other formats.
    pub columns: Vec<ImportColumn>,
    /// A table's first rows, one cell for each column; what would become a secret is masked.
    pub preview: Vec<Vec<String>>,
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
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportStart {
    pub(crate) handle: String,
    pub(crate) tenant: TenantId,
    pub(crate) mapping: Vec<MappedColumn>,
    /// Whether records that the tenant has already are left out.
    pub(crate) skip_duplicates: bool,
    pub(crate) dry_run: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TenantExport {
    pub(crate) tenant: TenantId,
    pub(crate) format: ExportedAs,
    /// Who can open an archive; without one anybody can.
    #[serde(default)]
    pub(crate) recipient: Option<String>,
    /// The tenant's name as it was typed for an archive that anybody can read.
    #[serde(default)]
    pub(crate) confirmation: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TenantTwin {
    pub(crate) tenant: TenantId,
    pub(crate) name: String,
    /// `None` draws one.
    pub(crate) seed: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SubjectFind {
    pub(crate) tenant: TenantId,
    pub(crate) identifiers: Vec<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SubjectExport {
    pub(crate) tenant: TenantId,
    pub(crate) identifiers: Vec<Value>,
    /// `None` is every record in which the person is.
    pub(crate) records: Option<Vec<RecordId>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SubjectErase {
    pub(crate) tenant: TenantId,
    pub(crate) identifiers: Vec<Value>,
    /// `None` is every record in which the person is.
    pub(crate) records: Option<Vec<RecordId>>,
    /// Earlier versions alone.
    pub(crate) history_only: bool,
}

/// A kind of file that a tenant is exported to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ExportedAs {
    Csv,
    Kdbx,
    Archive,
}

impl TenantExport {
    /// The engine's name for it.
    pub(crate) const fn format(&self) -> ExportFormat {
        match self.format {
            ExportedAs::Csv => ExportFormat::Csv,
            ExportedAs::Kdbx => ExportFormat::Kdbx,
            ExportedAs::Archive if self.recipient.is_some() => ExportFormat::EncryptedArchive,
            ExportedAs::Archive => ExportFormat::Archive,
        }
    }
}

/// What one column becomes, as the person has chosen.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MappedColumn {
    column: String,
    target: Option<String>,
    field_type: Option<FieldType>,
}

impl MappedColumn {
    /// `COLUMN=FIELD` or `COLUMN=NAME:TYPE`, as the engine takes it.
    pub(crate) fn assignment(&self) -> String {
        let Self { column, target, field_type } = self;
        match (target, field_type) {
            (None, _) => format!("{column}=skip"),
            (Some(target), None) => format!("{column}={target}"),
            (Some(target), Some(field_type)) => format!("{column}={target}:{}", field_type.name()),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OneJob {
    pub(crate) job: String,
}

/// A backup the vault has a receipt of, with its file if it was written from here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct BackupRow {
    /// When.
    #[ts(type = "string")]
    pub made_at: Timestamp,
    /// Its number in its vault.
    #[ts(type = "number")]
    pub counter: u64,
    /// Bytes of the vault's files in it.
    #[ts(type = "number")]
    pub bytes: u64,
    /// The file this program wrote it to; `None` if another one or another machine made it.
    pub file: Option<BackupFile>,
}

/// A file this program wrote a backup to. It may be somewhere else by now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct BackupFile {
    /// Its name.
    pub name: String,
    /// The name of the folder it was in, without what is above.
    pub folder: String,
}

// ---- People ----

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountInvite {
    pub(crate) login: String,
    pub(crate) roles: Vec<Role>,
    /// How long the activation code counts.
    pub(crate) hours: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OneAccount {
    pub(crate) account: AccountId,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RolesSet {
    pub(crate) account: AccountId,
    pub(crate) roles: Vec<Role>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountRemove {
    pub(crate) account: AccountId,
    /// Accepts that tenants are left without a steward.
    pub(crate) even_last_steward: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountReset {
    pub(crate) account: AccountId,
    /// How long the activation code counts.
    pub(crate) hours: u32,
    /// Accepts that tenants are left without a steward.
    pub(crate) even_last_steward: bool,
}

/// Somebody who was invited. The code was shown in a native window, and is nowhere any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct Invited {
    /// The account that will come of it.
    #[ts(type = "string")]
    pub account: AccountId,
    /// What it will be called.
    pub login: String,
    /// Until when the code counts.
    #[ts(type = "string")]
    pub expires_at: Timestamp,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GlassPrepare {
    pub(crate) tenant: TenantId,
    pub(crate) custodians: Vec<AccountId>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GlassBreak {
    pub(crate) tenant: TenantId,
    pub(crate) reason: String,
    pub(crate) hours: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GrantGive {
    pub(crate) tenant: TenantId,
    pub(crate) account: AccountId,
    pub(crate) right: Right,
    /// The last day on which it counts, `YYYY-MM-DD`.
    pub(crate) until: Option<String>,
}

impl GrantGive {
    /// When the grant ends: with its last day, in UTC, since a date says nothing of a place.
    pub(crate) fn expires_at(&self) -> Result<Option<Timestamp>, Refusal> {
        let end = |day: &String| day.parse::<Day>().ok().and_then(Day::end).ok_or(Refusal::INVALID_REQUEST);
        self.until.as_ref().map(end).transpose()
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GrantWithdraw {
    pub(crate) tenant: TenantId,
    pub(crate) account: AccountId,
}

// ---- Leaving, and what was seen ----

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LeavingSet {
    pub(crate) account: AccountId,
    /// Until its access ends.
    pub(crate) hours: u32,
    /// After that, until the secrets it saw are to be others.
    pub(crate) days: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecretsBySet {
    pub(crate) account: AccountId,
    /// From now, until the secrets it saw are to be others.
    pub(crate) days: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExposureReport {
    pub(crate) tenant: TenantId,
    pub(crate) account: AccountId,
}

// ---- Keys ----

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OneKey {
    kind: String,
    /// Whose, if it is a tenant's.
    tenant: Option<TenantId>,
}

impl OneKey {
    /// The kind by its name, and whose it is.
    pub(crate) fn named(&self) -> Result<(KeyKind, Option<TenantId>), Refusal> {
        Ok((self.kind.parse().map_err(|_| Refusal::INVALID_REQUEST)?, self.tenant))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PeriodsSet {
    periods: Vec<Period>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Period {
    kind: String,
    days: u16,
}

impl PeriodsSet {
    /// The periods of before with those that are named.
    pub(crate) fn over(&self, before: Cryptoperiods) -> Result<Cryptoperiods, Refusal> {
        let over = |periods: Cryptoperiods, period: &Period| {
            let kind = period.kind.parse().map_err(|_| Refusal::INVALID_REQUEST)?;
            periods.with(kind, period.days).ok_or(Refusal::INVALID_REQUEST)
        };
        self.periods.iter().try_fold(before, over)
    }
}

// ---- Recovery ----

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecoveryRenew {
    /// How it is split; one kit without.
    split: Option<SplitInto>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SplitInto {
    needed: u8,
    shares: u8,
}

impl RecoveryRenew {
    /// How it is split, if that is possible.
    pub(crate) fn split(&self) -> Result<Option<Split>, Refusal> {
        split_of(self.split.as_ref())
    }
}

fn split_of(asked: Option<&SplitInto>) -> Result<Option<Split>, Refusal> {
    let split = asked.map(|into| Split::new(into.needed, into.shares));
    split.transpose().map_err(|_| Refusal::INVALID_REQUEST)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecoveryAccept {
    /// The words of its fingerprint, as they were read from the paper. No secret.
    pub(crate) words: String,
}

// ---- What opens the account, and the rules ----

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyFactorsChange {
    /// Whether a secret in this device's keyring is needed beside the passphrase.
    pub(crate) device_secret: bool,
    pub(crate) key_file: KeyFileChange,
}

/// What becomes of the key file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum KeyFileChange {
    /// As it is.
    Keep,
    /// None is needed any more.
    None,
    /// One that is there, chosen in a dialog.
    Choose,
    /// One that is made, at a place chosen in a dialog.
    Make,
}

/// The rules as they shall be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicySet {
    pub(crate) second_factor: Vec<Role>,
    pub(crate) step_up: Vec<Guarded>,
    pub(crate) two_people: Vec<Guarded>,
    pub(crate) kdf_memory_kib: u32,
}

/// What is pinned of an identity provider.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProviderPin {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    pub(crate) claim: String,
    pub(crate) days: u32,
    /// Whether another key set is chosen in a dialog.
    pub(crate) choose_key_set: bool,
}

/// Whether an account needs tokens.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountFederate {
    pub(crate) account: AccountId,
    /// What the provider's claim says of the person; `None`: it needs none.
    pub(crate) subject: Option<String>,
}

// ---- Health ----

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FilesCheck {
    /// Another check than the one that began with the session.
    pub(crate) again: bool,
}

// ---- Log ----

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogPageRequest {
    pub(crate) before: Option<u64>,
    pub(crate) limit: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_was_made_takes_its_place_in_the_draft_and_no_other_does() {
        let made = Made::default();
        made.keep("h1".to_owned(), "canary-9912".into());
        let draft = |field: &str| {
            let json = format!(
                r#"{{"kind":"login","title":"t","tags":[],"notes":"","fields":[{{"id":null,"name":"Password",
                   "field_type":"secret",{field}}}]}}"#
            );
            serde_json::from_str::<FormDraft>(&json).unwrap().into_draft(&made)
        };
        let saved = draft(r#""value":null,"made":"h1""#).unwrap();
        assert_eq!(saved.fields[0].value.as_ref().unwrap().expose(), "canary-9912");
        assert_eq!(draft(r#""value":null,"made":"h2""#), Err(Refusal::NOT_FOUND));
        assert_eq!(draft(r#""value":"typed","made":"h1""#), Err(Refusal::INVALID_REQUEST));
        assert_eq!(draft(r#""value":null"#).unwrap().fields[0].value, None);
        made.forget();
        assert_eq!(draft(r#""value":null,"made":"h1""#), Err(Refusal::NOT_FOUND));
    }

    #[test]
    fn only_periods_that_are_named_change_and_none_out_of_bounds() {
        let set = |json: &str| serde_json::from_str::<PeriodsSet>(json).unwrap().over(Cryptoperiods::default());
        let longer = set(r#"{"periods":[{"kind":"audit","days":700}]}"#).unwrap();
        assert_eq!((longer.days(KeyKind::Audit), longer.days(KeyKind::Office)), (700, 365));
        for wrong in [r#"{"periods":[{"kind":"audit","days":0}]}"#, r#"{"periods":[{"kind":"master","days":7}]}"#] {
            assert_eq!(set(wrong), Err(Refusal::INVALID_REQUEST));
        }
    }

    #[test]
    fn recovery_is_split_as_it_can_be_and_no_other_way() {
        let split = |json: &str| serde_json::from_str::<RecoveryRenew>(json).unwrap().split();
        assert_eq!(split(r#"{"split":null}"#), Ok(None));
        let three_of_five = Split::new(3, 5).unwrap();
        assert_eq!(split(r#"{"split":{"needed":3,"shares":5}}"#), Ok(Some(three_of_five)));
        for wrong in [(1, 3), (4, 3), (2, 17), (0, 0)] {
            let json = format!(r#"{{"split":{{"needed":{},"shares":{}}}}}"#, wrong.0, wrong.1);
            assert_eq!(split(&json), Err(Refusal::INVALID_REQUEST));
        }
    }

    #[test]
    fn a_mapped_column_is_told_to_the_engine_as_the_command_line_would() {
        let told = |json: &str| serde_json::from_str::<MappedColumn>(json).unwrap().assignment();
        assert_eq!(told(r#"{"column":"Name","target":"title","field_type":null}"#), "Name=title");
        assert_eq!(told(r#"{"column":"PIN","target":"PIN","field_type":"secret"}"#), "PIN=PIN:secret");
        assert_eq!(told(r#"{"column":"x=y","target":null,"field_type":null}"#), "x=y=skip");
    }
}

//! Every request of the web view that carries something, and every answer that is not the engine's own.
//! The TypeScript types of the interface are generated from here and from the engine's views.

use coffer_core::view::{ImportColumn, ImportLoss, ImportPreviewRecord, SessionView};
use coffer_model::attachment::AttachmentId;
use coffer_model::event::ExportFormat;
use coffer_model::id::{RecordId, TenantId};
use coffer_model::record::{FieldId, FieldType, RecordDraft};
use coffer_model::time::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::settings::Settings;

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
}

/// Whether the recovery kit was saved, and as what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct SavedKit {
    /// `false` when the person declined.
    pub saved: bool,
    /// The file's name, without folders.
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
    pub(crate) limit: u32,
    pub(crate) after: Option<String>,
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
    pub(crate) draft: RecordDraft,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct RecordChange {
    pub(crate) id: RecordId,
    pub(crate) expected_version: u32,
    pub(crate) draft: RecordDraft,
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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Search {
    pub(crate) query: String,
    pub(crate) tenant: Option<TenantId>,
    pub(crate) limit: u32,
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
    /// Its format: `csv`, `kdbx`, `bitwarden` or `1pux`.
    pub format: String,
    /// Whether it is encrypted and has still to be opened. Nothing more is known then.
    pub needs_key: bool,
    /// How a table's text is encoded: `utf-8` or `windows-1252`.
    pub encoding: Option<String>,
    /// How a table's columns are understood; empty for other formats.
    pub columns: Vec<ImportColumn>,
    /// A table's first rows, one cell for each column; what would become a secret is masked.
    pub preview: Vec<Vec<String>>,
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
}

/// A kind of file that a tenant is exported to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ExportedAs {
    Csv,
    Kdbx,
}

impl From<ExportedAs> for ExportFormat {
    fn from(format: ExportedAs) -> Self {
        match format {
            ExportedAs::Csv => Self::Csv,
            ExportedAs::Kdbx => Self::Kdbx,
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

/// A backup that was written on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct BackupFile {
    /// When.
    #[ts(type = "string")]
    pub made_at: Timestamp,
    /// Its number in its vault.
    #[ts(type = "number")]
    pub counter: u64,
    /// The file's name, without folders.
    pub file_name: String,
    /// Bytes of the vault's files in it.
    #[ts(type = "number")]
    pub bytes: u64,
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
    fn a_mapped_column_is_told_to_the_engine_as_the_command_line_would() {
        let told = |json: &str| serde_json::from_str::<MappedColumn>(json).unwrap().assignment();
        assert_eq!(told(r#"{"column":"Name","target":"title","field_type":null}"#), "Name=title");
        assert_eq!(told(r#"{"column":"PIN","target":"PIN","field_type":"secret"}"#), "PIN=PIN:secret");
        assert_eq!(told(r#"{"column":"x=y","target":null,"field_type":null}"#), "x=y=skip");
    }
}

//! Answers about a person in a tenant's data: where they are, what was handed over, what was erased.

use coffer_model::attachment::AttachmentId;
use coffer_model::id::{RecordId, TenantId};
use coffer_model::record::{FieldId, RecordKind};
use coffer_model::time::Timestamp;
use serde::Serialize;
use ts_rs::TS;

/// Where a person was found in a tenant, never what stands there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct SubjectFindings {
    /// The tenant.
    #[ts(type = "string")]
    pub tenant: TenantId,
    /// Its name: whose data this is.
    pub tenant_name: String,
    /// Records that hold one of the identifiers, in the order of adding.
    pub records: Vec<SubjectRecordView>,
    /// What somebody was writing and has not saved.
    pub drafts: Vec<SubjectDraftView>,
    /// Names of this account's saved searches that look for the person, in this tenant or in all.
    pub saved_searches: Vec<String>,
    /// What was looked through.
    pub scanned: SubjectScan,
    /// Whether more records hold the person than are told.
    pub more: bool,
}

/// What was looked through for a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, TS)]
pub struct SubjectScan {
    /// Records, those in the trash among them.
    #[ts(type = "number")]
    pub records: u64,
    /// Versions of all of them.
    #[ts(type = "number")]
    pub versions: u64,
    /// Attachments whose names were looked at.
    #[ts(type = "number")]
    pub attachments: u64,
    /// Of these, attachments whose contents were not: no texts, or longer than 16 MiB.
    #[ts(type = "number")]
    pub unread: u64,
}

/// A record in which a person was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct SubjectRecordView {
    /// The record.
    #[ts(type = "string")]
    pub id: RecordId,
    /// What it is about.
    #[ts(type = "string")]
    pub kind: RecordKind,
    /// One line by which people know it now.
    pub title: String,
    /// Whether it is in the trash.
    pub trashed: bool,
    /// Whether what it holds now has the person in it, not its history alone.
    pub newest: bool,
    /// Where in it.
    pub places: Vec<SubjectPlaceView>,
}

/// One place of a record in which a person was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct SubjectPlaceView {
    /// What kind of place.
    pub place: SubjectPlace,
    /// The field's or the attachment's name, or the tag; `None` for places of which a record has one.
    pub name: Option<String>,
    /// The field, if it is one.
    #[ts(type = "number | null")]
    pub field: Option<FieldId>,
    /// The attachment, if it is one.
    #[ts(type = "number | null")]
    pub attachment: Option<AttachmentId>,
    /// Whether the value is masked.
    pub masked: bool,
    /// In which versions, ascending; of an attachment the first and the last that have it.
    pub versions: Vec<u32>,
    /// By which of the identifiers, counted from 1.
    pub identifiers: Vec<u32>,
}

/// A kind of place in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SubjectPlace {
    /// The title.
    Title,
    /// The kind.
    Kind,
    /// The name of a field.
    FieldName,
    /// The value of a field.
    FieldValue,
    /// A tag.
    Tag,
    /// The notes.
    Notes,
    /// The name of an attachment.
    AttachmentName,
    /// The content of an attachment.
    AttachmentText,
}

/// A draft in which a person was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct SubjectDraftView {
    /// The record being changed; `None` for one not added yet.
    #[ts(type = "string | null")]
    pub record: Option<RecordId>,
    /// Login name of whose draft it is.
    pub account: String,
    /// When it was kept.
    #[ts(type = "string")]
    pub kept_at: Timestamp,
}

/// What was written to a file for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct SubjectExportReport {
    /// Records in the file.
    #[ts(type = "number")]
    pub records: u64,
    /// Versions of them.
    #[ts(type = "number")]
    pub versions: u64,
    /// Attachments in it.
    #[ts(type = "number")]
    pub attachments: u64,
    /// Masked values that were left out, since none of the identifiers is in them.
    #[ts(type = "number")]
    pub withheld: u64,
    /// Bytes of the file.
    #[ts(type = "number")]
    pub bytes: u64,
}

/// What was erased about a person, and what is left where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct SubjectErasureReport {
    /// The tenant.
    #[ts(type = "string")]
    pub tenant: TenantId,
    /// Its name.
    pub tenant_name: String,
    /// Records that are gone as a whole.
    #[ts(type = "number")]
    pub records: u64,
    /// Versions that are gone, those of such records among them.
    #[ts(type = "number")]
    pub versions: u64,
    /// Drafts that are gone.
    #[ts(type = "number")]
    pub drafts: u64,
    /// Files of attachments that are gone.
    #[ts(type = "number")]
    pub files: u64,
    /// Saved searches of this account that are gone.
    #[ts(type = "number")]
    pub saved_searches: u64,
    /// Records that still hold the person when everything was done, found by the same search once more; `None` if the job
    /// was stopped meanwhile.
    #[ts(type = "number | null")]
    pub remaining: Option<u64>,
    /// Whether the tenant's database was written anew, so that nothing of what is gone is left in it.
    pub rewritten: bool,
    /// Backups that may hold what was erased: every one made since it was first there, as far as the vault knows.
    pub backups: Vec<SubjectBackupView>,
}

/// A backup that may hold what was erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct SubjectBackupView {
    /// Its number.
    #[ts(type = "number")]
    pub counter: u64,
    /// When it was made.
    #[ts(type = "string")]
    pub made_at: Timestamp,
    /// Until when it holds it; `None` for a portable backup, which has no expiry: until somebody destroys the file.
    #[ts(type = "string | null")]
    pub expires_at: Option<Timestamp>,
}

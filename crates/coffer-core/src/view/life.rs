//! What comes back of the life of records: the trash, favourites, drafts, and steps over many of them. Pure data.

use coffer_model::id::{RecordId, TenantId};
use coffer_model::record::{FieldId, FieldType, RecordKind};
use coffer_model::time::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::RecordRow;

/// A record in the trash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct TrashRow {
    /// The record.
    #[serde(flatten)]
    pub record: RecordRow,
    /// When it was put there.
    #[ts(type = "string")]
    pub trashed_at: Timestamp,
    /// Until when it stays at least; purged at an opening of the tenant after that.
    #[ts(type = "string")]
    pub kept_until: Timestamp,
}

/// A page of a tenant's trash, the record put there last first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct TrashPage {
    /// The tenant the records belong to.
    #[ts(type = "string")]
    pub tenant: TenantId,
    /// Records of this page.
    pub records: Vec<TrashRow>,
    /// All records in the trash.
    #[ts(type = "number")]
    pub total: u64,
    /// Where the next page begins; `None` after the last. Opaque.
    pub next: Option<String>,
}

/// What a step over many records did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
pub struct BulkView {
    /// Records it was done to.
    #[ts(type = "number")]
    pub records: u64,
}

/// What a change of tags did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct BulkTagView {
    /// Records it was asked for.
    #[ts(type = "number")]
    pub records: u64,
    /// Those whose tags are others now, which is what an undo takes.
    pub changed: Vec<TaggedRecord>,
}

/// A record whose tags were changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct TaggedRecord {
    /// The record.
    #[ts(type = "string")]
    pub id: RecordId,
    /// The version that came of it.
    pub version: u32,
}

/// What moving or copying records into another tenant does, or would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct MovePreview {
    /// The tenant that has the records.
    #[ts(type = "string")]
    pub from: TenantId,
    /// What it is called.
    pub from_name: String,
    /// The tenant that is to have them.
    #[ts(type = "string")]
    pub to: TenantId,
    /// What it is called.
    pub to_name: String,
    /// Whether they also stay where they are.
    pub copy: bool,
    /// Records that were named.
    #[ts(type = "number")]
    pub records: u64,
    /// Those of them that the other tenant has already, by an earlier copy: they do not come twice.
    #[ts(type = "number")]
    pub present: u64,
    /// Versions of the others.
    #[ts(type = "number")]
    pub versions: u64,
    /// Attachments of the others, present and past.
    #[ts(type = "number")]
    pub attachments: u64,
    /// Bytes of what is attached, each content once.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Favourites of this account among them, which stay behind.
    #[ts(type = "number")]
    pub favourites: u64,
    /// Drafts of this account among them, which stay behind.
    #[ts(type = "number")]
    pub drafts: u64,
    /// References to records that stay behind, which will be empty; at most 500 of them.
    pub cut: Vec<MoveCut>,
    /// How many there are.
    #[ts(type = "number")]
    pub cut_counted: u64,
}

/// A reference that is cut, since the record it leads to stays behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct MoveCut {
    /// The record that refers.
    #[ts(type = "string")]
    pub id: RecordId,
    /// Its title.
    pub title: String,
    /// The field that refers.
    pub field_name: String,
    /// The record it leads to.
    #[ts(type = "string")]
    pub refers_to: RecordId,
    /// That one's title; `None` if it is gone already.
    pub refers_to_title: Option<String>,
    /// Whether only earlier versions refer to it.
    pub earlier: bool,
}

/// What moving or copying records did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct MoveReport {
    /// As it was announced.
    #[serde(flatten)]
    pub what: MovePreview,
    /// Each record, which is what an undo takes.
    pub moved: Vec<MovedRecord>,
}

/// A record that another tenant has now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct MovedRecord {
    /// The record where it was.
    #[ts(type = "string")]
    pub from: RecordId,
    /// The record in the other tenant.
    #[ts(type = "string")]
    pub to: RecordId,
    /// Its newest version there.
    pub version: u32,
    /// Whether it came there by this step; it was there before if not.
    pub arrived: bool,
}

/// Whether a record is a favourite of this account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
pub struct FavouriteView {
    /// The record.
    #[ts(type = "string")]
    pub id: RecordId,
    /// Whether it is.
    pub favourite: bool,
}

/// That there is a draft of this account, not what is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct DraftNote {
    /// The record being changed; `None` for one not added yet.
    #[ts(type = "string | null")]
    pub record: Option<RecordId>,
    /// The version it began from; 0 if the record is not added yet.
    pub version: u32,
    /// When it was kept.
    #[ts(type = "string")]
    pub kept_at: Timestamp,
}

/// What this account was writing when it had to stop, its own secrets included: they are to be written on.
#[derive(Clone, Serialize, TS)]
pub struct DraftView {
    /// What it is of.
    #[serde(flatten)]
    pub note: DraftNote,
    /// What it is about.
    #[ts(type = "string")]
    pub kind: RecordKind,
    /// As written so far.
    pub title: String,
    /// In the order to show.
    pub fields: Vec<DraftFieldView>,
    /// As written so far.
    pub tags: Vec<String>,
    /// Free text.
    pub notes: String,
}

/// A field of a draft.
#[derive(Clone, Serialize, TS)]
pub struct DraftFieldView {
    /// The field it changes; `None` for a new one.
    #[ts(type = "number | null")]
    pub id: Option<FieldId>,
    /// What the person calls it.
    pub name: String,
    /// How it is shown and protected.
    #[ts(
        type = "\"text\" | \"secret\" | \"multiline\" | \"email\" | \"phone\" | \"url\" | \"date\" | \"number\" | \"totp\" | \"choice\" | \"reference\" | \"expiry\""
    )]
    pub field_type: FieldType,
    /// What was written; `None` keeps what the field holds.
    pub value: Option<String>,
}

impl std::fmt::Debug for DraftView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DraftView").field("note", &self.note).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for DraftFieldView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DraftFieldView(..)")
    }
}

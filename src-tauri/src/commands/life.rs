//! The life of records: the trash, earlier versions, favourites, drafts, and steps over many records of one tenant.

use coffer_core::TagChange;
use coffer_core::view::{
    BulkTagView, BulkView, DraftNote, DraftView, FavouriteView, RecordView, TaggedRecord, TrashPage,
};
use coffer_model::id::{RecordId, TenantId};
use coffer_model::record::RecordDraft;
use serde::Deserialize;

use super::Held;
use super::args::Args;
use crate::refusal::Refusal;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Records {
    ids: Vec<RecordId>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrashList {
    tenant: TenantId,
    limit: u32,
    after: Option<String>,
    skip: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OneTenant {
    tenant: TenantId,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tags {
    ids: Vec<RecordId>,
    add: Vec<String>,
    remove: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tagged {
    changed: Vec<TaggedRecord>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RestoreVersion {
    id: RecordId,
    version: u32,
    expected_version: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Favourite {
    id: RecordId,
    on: bool,
}

/// A record of a tenant, or one not added yet.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Drafted {
    tenant: TenantId,
    record: Option<RecordId>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DraftKeep {
    tenant: TenantId,
    record: Option<RecordId>,
    /// The version it began from; 0 without a record.
    version: u32,
    draft: RecordDraft,
}

/// Moves records to the trash, all of them or none.
#[tauri::command(async)]
pub(super) fn records_trash(shell: Held<'_>, args: Args<Records>) -> Result<BulkView, Refusal> {
    shell.with(|session| session.trash_records(&args.0.ids))
}

/// Takes records out of the trash.
#[tauri::command(async)]
pub(super) fn records_restore(shell: Held<'_>, args: Args<Records>) -> Result<BulkView, Refusal> {
    shell.with(|session| session.restore_records(&args.0.ids))
}

/// Deletes records in the trash for good.
#[tauri::command(async)]
pub(super) fn records_purge(shell: Held<'_>, args: Args<Records>) -> Result<BulkView, Refusal> {
    shell.with(|session| session.purge_records(&args.0.ids))
}

/// A page of a tenant's trash.
#[tauri::command(async)]
pub(super) fn trash_list(shell: Held<'_>, args: Args<TrashList>) -> Result<TrashPage, Refusal> {
    let TrashList { tenant, limit, after, skip } = args.0;
    shell.with(|session| session.list_trash(tenant, limit, after.as_deref(), skip))
}

/// Deletes everything in a tenant's trash for good.
#[tauri::command(async)]
pub(super) fn trash_empty(shell: Held<'_>, args: Args<OneTenant>) -> Result<BulkView, Refusal> {
    shell.with(|session| session.empty_trash(args.0.tenant))
}

/// Adds tags to records and takes others away.
#[tauri::command(async)]
pub(super) fn records_tag(shell: Held<'_>, args: Args<Tags>) -> Result<BulkTagView, Refusal> {
    let Tags { ids, add, remove } = args.0;
    shell.with(|session| session.tag_records(&ids, &TagChange { add, remove }))
}

/// Gives records the tags back that they had before.
#[tauri::command(async)]
pub(super) fn records_tag_undo(shell: Held<'_>, args: Args<Tagged>) -> Result<BulkView, Refusal> {
    shell.with(|session| session.undo_tag_records(&args.0.changed))
}

/// Makes an earlier version of a record its newest.
#[tauri::command(async)]
pub(super) fn record_restore_version(shell: Held<'_>, args: Args<RestoreVersion>) -> Result<RecordView, Refusal> {
    let RestoreVersion { id, version, expected_version } = args.0;
    shell.with(|session| session.restore_version(id, version, expected_version))
}

/// Marks a record as a favourite, or takes the mark back.
#[tauri::command(async)]
pub(super) fn record_favourite(shell: Held<'_>, args: Args<Favourite>) -> Result<FavouriteView, Refusal> {
    shell.with(|session| session.set_favourite(args.0.id, args.0.on))
}

/// The drafts this account has in a tenant, not what is in them.
#[tauri::command(async)]
pub(super) fn drafts_list(shell: Held<'_>, args: Args<OneTenant>) -> Result<Vec<DraftNote>, Refusal> {
    shell.with(|session| session.drafts(args.0.tenant))
}

/// Keeps what is being written.
#[tauri::command(async)]
pub(super) fn draft_keep(shell: Held<'_>, args: Args<DraftKeep>) -> Result<(), Refusal> {
    let DraftKeep { tenant, record, version, draft } = args.0;
    shell.with(|session| session.keep_draft(tenant, record.map(|id| (id, version)), &draft))
}

/// What was kept, to be written on.
#[tauri::command(async)]
pub(super) fn draft_open(shell: Held<'_>, args: Args<Drafted>) -> Result<Option<DraftView>, Refusal> {
    shell.with(|session| session.draft(args.0.tenant, args.0.record))
}

/// Gives up what was kept, or says that it is saved.
#[tauri::command(async)]
pub(super) fn draft_discard(shell: Held<'_>, args: Args<Drafted>) -> Result<(), Refusal> {
    shell.with(|session| session.discard_draft(args.0.tenant, args.0.record))
}

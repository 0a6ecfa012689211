//! Records into another tenant: a look first, then the work, and a way back.

use coffer_core::MoveRequest;
use coffer_core::view::{BulkView, MovePreview, MovedRecord};
use coffer_model::id::{RecordId, TenantId};
use serde::Deserialize;

use super::Held;
use super::args::Args;
use crate::jobs::Job;
use crate::refusal::Refusal;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Moving {
    from: TenantId,
    ids: Vec<RecordId>,
    to: TenantId,
    copy: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfirmedMove {
    from: TenantId,
    ids: Vec<RecordId>,
    to: TenantId,
    copy: bool,
    /// The other tenant's name, as the person typed it.
    confirmation: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Moved {
    moved: Vec<MovedRecord>,
    copy: bool,
}

/// What moving records would take along, and what it would cut.
#[tauri::command(async)]
pub(super) fn records_move_preview(shell: Held<'_>, args: Args<Moving>) -> Result<MovePreview, Refusal> {
    let Moving { from, ids: records, to, copy } = args.0;
    let request = MoveRequest { from, records, to, copy, confirmation: String::new() };
    shell.with(|session| session.inspect_move(&request))
}

/// Starts moving records into another tenant, or copying them.
#[tauri::command(async)]
pub(super) fn records_move_start(shell: Held<'_>, args: Args<ConfirmedMove>) -> Result<Job, Refusal> {
    let ConfirmedMove { from, ids: records, to, copy, confirmation } = args.0;
    let request = MoveRequest { from, records, to, copy, confirmation };
    let job = shell.with(|session| session.start_move(&request))?;
    Ok(shell.jobs.follow(job, None))
}

/// Takes a move back.
#[tauri::command(async)]
pub(super) fn records_move_undo(shell: Held<'_>, args: Args<Moved>) -> Result<BulkView, Refusal> {
    let Moved { moved, copy } = args.0;
    shell.with(|session| session.undo_move(&moved, copy))
}

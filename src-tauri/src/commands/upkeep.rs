//! What wants doing about records: what ends, which secrets want changing.

use coffer_core::view::ExpiringRecords;

use super::Held;
use super::args::Args;
use super::requests::{ExpiringList, OneTenant};
use crate::jobs::Job;
use crate::refusal::Refusal;

/// What ends soon or has ended, in every tenant this account may read.
#[tauri::command(async)]
pub(super) fn expiring_list(shell: Held<'_>, args: Args<ExpiringList>) -> Result<ExpiringRecords, Refusal> {
    shell.with(|session| session.expiring(args.0.days))
}

/// Starts assessing the secrets of a tenant.
#[tauri::command(async)]
pub(super) fn secret_health_start(shell: Held<'_>, args: Args<OneTenant>) -> Result<Job, Refusal> {
    let job = shell.with(|session| session.start_secret_health(args.0.tenant))?;
    Ok(shell.jobs.follow(job, None))
}

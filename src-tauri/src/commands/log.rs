//! The log: reading and verifying it.

use coffer_core::view::LogPage;

use super::Held;
use super::args::Args;
use super::requests::{LogPageRequest, Nothing};
use crate::jobs::Job;
use crate::refusal::Refusal;

/// A page of the log, newest first.
#[tauri::command(async)]
pub(super) fn log_page(shell: Held<'_>, args: Args<LogPageRequest>) -> Result<LogPage, Refusal> {
    shell.with(|session| session.log_page(args.0.before, args.0.limit))
}

/// Starts verifying the log.
#[tauri::command(async)]
pub(super) fn log_verify_start(shell: Held<'_>, _args: Args<Nothing>) -> Result<Job, Refusal> {
    let job = shell.with(|session| session.start_verify_log())?;
    Ok(shell.jobs.follow(job, None))
}

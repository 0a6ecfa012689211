//! What protects the vault on this computer, its files, and this device's place in it.

use coffer_core::view::HealthView;
use tauri::{AppHandle, Runtime};

use super::Held;
use super::args::Args;
use super::people::administers;
use super::proof::is_confirmed;
use super::requests::{FilesCheck, Nothing};
use crate::jobs::Job;
use crate::refusal::Refusal;

/// What protects the vault here, and what does not.
#[tauri::command(async)]
pub(super) fn health(shell: Held<'_>, _args: Args<Nothing>) -> Result<Vec<HealthView>, Refusal> {
    shell.with(|session| session.health())
}

/// The check of the tenants' files that began with this session, or another one.
#[tauri::command(async)]
pub(super) fn files_check(shell: Held<'_>, args: Args<FilesCheck>) -> Result<Job, Refusal> {
    if args.0.again { shell.start_file_check() } else { shell.first_file_check() }
}

/// Asks for the passphrase once more, then gives this device a key and a backup plan for the vault. `false` when the person
/// declined.
#[tauri::command]
pub(super) async fn device_enrol<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    _args: Args<Nothing>,
) -> Result<bool, Refusal> {
    shell.with(administers)?;
    if !is_confirmed(&app, &shell, |words| &words.step_enrol).await {
        return Ok(false);
    }
    let shell = std::sync::Arc::clone(&shell);
    // A keyring may keep one waiting.
    let enrolled = tauri::async_runtime::spawn_blocking(move || shell.with(|session| session.enrol_device()));
    enrolled.await.unwrap_or(Err(Refusal::BUG)).map(|()| true)
}

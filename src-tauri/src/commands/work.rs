//! Long work: import, backup, verification, restore.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use coffer_core::view::{ImportPreview, TenantView};
use coffer_core::{Duplicates, ImportRequest, RestoreOptions, Session};
use coffer_model::grant::Right;
use coffer_model::id::TenantId;
use coffer_model::policy::Guarded;
use tauri::{AppHandle, Runtime};

use super::Held;
use super::args::Args;
use super::first_run::choose;
use super::people::administers;
use super::proof::{is_confirmed, is_confirmed_anew, proof_for};
use super::requests::{BackupRow, ImportChooseFile, ImportFile, ImportStart, Nothing, OneJob};
use crate::backups;
use crate::jobs::{Job, JobProgress, JobState};
use crate::lock::{After, lock_and_leave};
use crate::native::files::Purpose;
use crate::native::words::{self, fill};
use crate::refusal::Refusal;
use crate::shell::Shell;

/// Stands for a value that would become a secret, in the preview of an import.
const MASK: &str = "••••••";
/// How often it is looked whether a move is over.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Lets the person choose a file to import, and says how it would be understood.
#[tauri::command]
pub(super) async fn import_choose_file<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    args: Args<ImportChooseFile>,
) -> Result<Option<ImportFile>, Refusal> {
    let tenant = shell.with(|session| writable_tenant(session, args.0.tenant))?;
    let Some(path) = choose(&app, &shell, Purpose::Import, "").await else { return Ok(None) };
    let preview = shell.with(|session| session.inspect_import(&ImportRequest::new(path.clone(), tenant)))?;
    let size = std::fs::metadata(&path)?.len();
    let (handle, name) = shell.keep_path(path);
    Ok(Some(import_file(handle, name, size, preview)))
}

/// A file as the page shows it.
pub(super) fn import_file(handle: String, name: String, size: u64, preview: ImportPreview) -> ImportFile {
    let masked = |cell: Option<String>| cell.unwrap_or_else(|| MASK.to_owned());
    let rows = preview.rows.into_iter().map(|row| row.cells.into_iter().map(masked).collect());
    ImportFile {
        handle,
        name,
        size,
        format: preview.format,
        needs_key: preview.needs_key,
        encoding: preview.encoding,
        columns: preview.columns,
        preview: rows.collect(),
        made_of: preview.made_of,
        entries: preview.entries,
        records: preview.records,
        losses: preview.losses,
        losses_counted: preview.losses_counted,
    }
}

/// The tenant named, or the first this account may write to.
fn writable_tenant(session: &Session, named: Option<TenantId>) -> Result<TenantId, Refusal> {
    if let Some(tenant) = named {
        return Ok(tenant);
    }
    let writable = |tenant: &TenantView| matches!(tenant.right, Right::Editor | Right::Steward);
    session.tenants()?.into_iter().find(writable).map(|tenant| tenant.id).ok_or(Refusal::NOT_FOUND)
}

/// Starts an import, or a trial of one.
#[tauri::command(async)]
pub(super) fn import_start(shell: Held<'_>, args: Args<ImportStart>) -> Result<Job, Refusal> {
    let ImportStart { handle, tenant, mapping, skip_duplicates, dry_run } = args.0;
    let job = shell.with(|session| {
        let file = shell.chosen.path(&handle)?;
        let mapping = mapping.iter().map(super::requests::MappedColumn::assignment).collect();
        let keys = shell.chosen.keys(&handle);
        let duplicates = if skip_duplicates { Duplicates::Skip } else { Duplicates::Import };
        let request = ImportRequest { keys, mapping, duplicates, dry_run, ..ImportRequest::new(file, tenant) };
        session.start_import(request).map_err(Refusal::from)
    })?;
    Ok(shell.jobs.follow(job, None))
}

/// Asks where to, then for the passphrase once more, and starts writing a backup.
#[tauri::command]
pub(super) async fn backup_export_start<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    _args: Args<Nothing>,
) -> Result<Option<Job>, Refusal> {
    shell.with(administers)?;
    let vault = shell.session_view().ok_or(Refusal::LOCKED)?.vault;
    let date = words::local_date(shell.host.clock.now());
    let suggested = fill(&shell.words().backup_file_default, &[("vault", &vault.name), ("date", &date)]);
    let Some(file) = choose(&app, &shell, Purpose::BackupTarget, &suggested).await else { return Ok(None) };
    if !is_confirmed(&app, &shell, |words| &words.step_export).await {
        return Ok(None);
    }
    let job = shell.with(|session| Ok::<_, Refusal>(session.start_backup(&file)))?;
    Ok(Some(shell.jobs.follow(job, Some(Box::new(move |backup| backups::remember(backup, &file))))))
}

/// Asks where to, then for the passphrase once more, and starts moving the vault to another computer. From the moment at which
/// that is stated the copy here is used no more: once the work is over, however it ended, the program locks.
#[tauri::command]
pub(super) async fn vault_move_start<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    _args: Args<Nothing>,
) -> Result<Option<Job>, Refusal> {
    shell.with(administers)?;
    let vault = shell.session_view().ok_or(Refusal::LOCKED)?.vault;
    let date = words::local_date(shell.host.clock.now());
    let suggested = fill(&shell.words().backup_file_default, &[("vault", &vault.name), ("date", &date)]);
    let Some(file) = choose(&app, &shell, Purpose::BackupTarget, &suggested).await else { return Ok(None) };
    let Some(proof) = proof_for(&app, &shell, shell.words().step_move.clone()).await else { return Ok(None) };
    let job = shell.with(|session| session.start_move_vault(&file, proof))?;
    let job = shell.jobs.follow(job, None);
    lock_once_moved(app, Arc::clone(&shell), job.job.clone());
    Ok(Some(job))
}

/// Waits for a move to end, and locks if the vault counts as moved then.
fn lock_once_moved<R: Runtime>(app: AppHandle<R>, shell: Arc<Shell>, job: String) {
    thread::spawn(move || {
        while shell.jobs.progress(&job).is_ok_and(|progress| progress.state == JobState::Running) {
            thread::sleep(LOOK_EVERY);
        }
        // A session that is gone has locked by itself.
        if shell.with(|session| Ok::<_, Refusal>(session.is_moved())) != Ok(false) {
            lock_and_leave(&app, After::Unlock);
        }
    });
}

/// Starts checking a backup of this vault. Writes nothing.
#[tauri::command]
pub(super) async fn backup_verify_start<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    _args: Args<Nothing>,
) -> Result<Option<Job>, Refusal> {
    shell.with(administers)?;
    let Some(file) = choose(&app, &shell, Purpose::Backup, "").await else { return Ok(None) };
    let job = shell.with(|session| Ok::<_, Refusal>(session.start_verify_backup(&file)))?;
    Ok(Some(shell.jobs.follow(job, None)))
}

/// Starts restoring a backup of this vault to a new folder, which is then a known vault. This one stays as it is.
#[tauri::command]
pub(super) async fn backup_restore_start<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    _args: Args<Nothing>,
) -> Result<Option<Job>, Refusal> {
    shell.with(administers)?;
    let vault = shell.session_view().ok_or(Refusal::LOCKED)?.vault;
    let Some(file) = choose(&app, &shell, Purpose::Backup, "").await else { return Ok(None) };
    let Some(to) = choose(&app, &shell, Purpose::RestoreTarget, &vault.name).await else { return Ok(None) };
    if !is_confirmed_anew(&app, &shell, Guarded::Backup, |words| &words.step_restore).await {
        return Ok(None);
    }
    let job = shell.with(|session| Ok::<_, Refusal>(session.start_restore(&file, &to, RestoreOptions::default())))?;
    let restored = Arc::clone(&shell);
    Ok(Some(shell.jobs.follow(job, Some(Box::new(move |_| restored.remember_place_last(&to))))))
}

/// The backups of this vault, newest first, whoever made them, with the files written from here.
#[tauri::command(async)]
pub(super) fn backups_list(shell: Held<'_>, _args: Args<Nothing>) -> Result<Vec<BackupRow>, Refusal> {
    Ok(backups::with_files(shell.with(|session| session.backups())?))
}

/// How far a job is.
#[tauri::command(async)]
pub(super) fn job_progress(shell: Held<'_>, args: Args<OneJob>) -> Result<JobProgress, Refusal> {
    shell.jobs.progress(&args.0.job)
}

/// Asks a job to stop; it leaves nothing half done.
#[tauri::command(async)]
pub(super) fn job_cancel(shell: Held<'_>, args: Args<OneJob>) -> Result<(), Refusal> {
    shell.jobs.cancel(&args.0.job)
}

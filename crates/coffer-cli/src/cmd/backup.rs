//! `coffer backup`: encrypted backups, made and checked locked or unlocked, restored into a new folder.

use std::path::Path;

use coffer_core::host::Host;
use coffer_core::view::BackupView;
use coffer_core::{
    BackupIdentity, JobError, JobHandle, RestoreOptions, Session, Vault, join_shares, start_restore,
    start_verify_backup,
};

use super::{kit, vault_folder};
use crate::args::{BackupCommand, BackupKey, Global};
use crate::error::CliError;
use crate::job;
use crate::render::{Output, counted, size, table};

/// Runs a command for an account; it is logged under its name.
pub fn run(session: &Session, command: &BackupCommand, output: &Output) -> Result<(), CliError> {
    match command {
        BackupCommand::Export { file } => export(|| session.start_backup(file), output),
        BackupCommand::Verify { file, key } => {
            let kit = recovery(key)?;
            let start = || match kit {
                None => session.start_verify_backup(file),
                Some(kit) => start_verify_backup(session.host(), file, kit),
            };
            verify(start, output)
        }
        BackupCommand::Restore { file, to, accept_older, key } => {
            let kit = recovery(key)?;
            let options = RestoreOptions { accept_older: *accept_older };
            let start = || match kit {
                None => session.start_restore(file, to, options),
                Some(kit) => start_restore(session.host(), file, kit, to, options),
            };
            restore(start, to, output)
        }
        BackupCommand::List => list(session, output),
        BackupCommand::Enrol => enrol(session, output),
    }
}

/// Runs a command for no account: this device's own key, or the recovery kit, is all that is needed.
pub fn run_locked(host: &Host, global: &Global, command: &BackupCommand, output: &Output) -> Result<(), CliError> {
    match command {
        BackupCommand::Export { file } => {
            let vault = Vault::open(host, vault_folder(global)?)?;
            export(|| vault.start_backup(file), output)
        }
        BackupCommand::Verify { file, key } => {
            let identity = identity(host, global, key)?;
            verify(|| start_verify_backup(host, file, identity), output)
        }
        BackupCommand::Restore { file, to, accept_older, key } => {
            let identity = identity(host, global, key)?;
            let options = RestoreOptions { accept_older: *accept_older };
            restore(|| start_restore(host, file, identity, to, options), to, output)
        }
        BackupCommand::List | BackupCommand::Enrol => Err(CliError::NoLogin),
    }
}

fn export(start: impl FnOnce() -> JobHandle<BackupView>, output: &Output) -> Result<(), CliError> {
    let backup = job::run("writing the backup", || Ok::<_, JobError>(start()))?;
    Ok(output.answer(&backup, |backup| text("written", backup))?)
}

fn verify(start: impl FnOnce() -> JobHandle<BackupView>, output: &Output) -> Result<(), CliError> {
    let backup = job::run("verifying", || Ok::<_, JobError>(start()))?;
    Ok(output.answer(&backup, |backup| text("in order", backup))?)
}

fn restore(start: impl FnOnce() -> JobHandle<BackupView>, to: &Path, output: &Output) -> Result<(), CliError> {
    let backup = job::run("restoring", || Ok::<_, JobError>(start()))?;
    Ok(output.answer(&backup, |backup| text(&format!("restored to {}", to.display()), backup))?)
}

fn enrol(session: &Session, output: &Output) -> Result<(), CliError> {
    session.enrol_device()?;
    let done = |_: &serde_json::Value| {
        "this device has a key for the vault: it makes backups while the vault is locked".to_owned()
    };
    Ok(output.answer(&serde_json::json!({ "enrolled": true }), done)?)
}

fn list(session: &Session, output: &Output) -> Result<(), CliError> {
    let backups = session.backups()?;
    let rows = |backups: &[BackupView]| {
        if backups.is_empty() {
            return "no backup yet; make one with `backup export FILE`".to_owned();
        }
        let row = |backup: &BackupView| {
            vec![backup.counter.to_string(), backup.made_at.to_string(), backup.files.to_string(), size(backup.bytes)]
        };
        table(&["NUMBER", "MADE", "FILES", "SIZE"], backups.iter().map(row))
    };
    Ok(output.answer(&backups, |backups| rows(backups))?)
}

/// The kit if one was named, else this device's own key for the vault.
fn identity(host: &Host, global: &Global, key: &BackupKey) -> Result<BackupIdentity, CliError> {
    if let Some(kit) = recovery(key)? {
        return Ok(kit);
    }
    let vault = global.vault.clone().ok_or_else(|| CliError::Usage(NEITHER.to_owned()))?;
    // Says of what is no vault that it is none.
    Vault::open(host, &vault)?;
    Ok(BackupIdentity::Device(vault))
}

const NEITHER: &str = "what opens the backup was not named: --kit FILE, its shares: --share FILE, or --vault DIR on the device that made it";

/// The kit, or what its shares come to: the backup's own chain is not to be read before that.
fn recovery(key: &BackupKey) -> Result<Option<BackupIdentity>, CliError> {
    if key.kit.is_none() && key.share.is_empty() {
        return Ok(None);
    }
    Ok(Some(BackupIdentity::RecoveryKit(kit::read(key.kit.as_deref(), &key.share, join_shares)?)))
}

fn text(done: &str, backup: &BackupView) -> String {
    let older = if backup.newer_known { "\na newer backup of this vault is known" } else { "" };
    format!(
        "backup {} of vault {} {done}\nmade {}, {}, {}, {}{older}",
        backup.counter,
        backup.vault,
        backup.made_at,
        counted(backup.files, "file", "files"),
        size(backup.bytes),
        counted(backup.log_entries, "log entry", "log entries")
    )
}

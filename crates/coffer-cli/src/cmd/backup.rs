//! `coffer backup`: encrypted backups, made and checked locked or unlocked, restored into a new folder.

use coffer_core::host::Host;
use coffer_core::view::BackupView;
use coffer_core::{BackupIdentity, RestoreOptions, Session, Vault, parse_recovery_kit, start_restore, start_verify_backup};
use zeroize::Zeroizing;

use super::vault_folder;
use crate::args::{BackupCommand, BackupKey, Global};
use crate::error::CliError;
use crate::job;
use crate::render::{Output, table};

/// Runs a command for an account; it is logged under its name.
pub fn run(session: &Session, command: &BackupCommand, output: &Output) -> Result<(), CliError> {
    match command {
        BackupCommand::Export { file } => {
            let backup = job::wait(session.start_backup(file), "writing the backup")?;
            output.answer(&backup, |backup| text("written", backup));
        }
        BackupCommand::Verify { file, key } => {
            let job = match kit(key)? {
                None => session.start_verify_backup(file),
                Some(kit) => start_verify_backup(session.host(), file, kit),
            };
            let backup = job::wait(job, "verifying")?;
            output.answer(&backup, |backup| text("in order", backup));
        }
        BackupCommand::Restore { file, to, accept_older, key } => {
            let options = RestoreOptions { accept_older: *accept_older };
            let job = match kit(key)? {
                None => session.start_restore(file, to, options),
                Some(kit) => start_restore(session.host(), file, kit, to, options),
            };
            let backup = job::wait(job, "restoring")?;
            output.answer(&backup, |backup| text(&format!("restored to {}", to.display()), backup));
        }
        BackupCommand::List => {
            let backups = session.backups()?;
            output.answer(&backups, |backups| {
                if backups.is_empty() {
                    return "no backup yet; make one with `backup export FILE`".to_owned();
                }
                let rows = backups.iter().map(|backup| {
                    vec![
                        backup.counter.to_string(),
                        backup.made_at.to_string(),
                        backup.files.to_string(),
                        backup.bytes.to_string(),
                    ]
                });
                table(&["NUMBER", "MADE", "FILES", "BYTES"], rows)
            });
        }
    }
    Ok(())
}

/// Runs a command for no account: this device's own key, or the recovery kit, is all that is needed.
pub fn run_locked(host: &Host, global: &Global, command: &BackupCommand, output: &Output) -> Result<(), CliError> {
    match command {
        BackupCommand::Export { file } => {
            let vault = Vault::open(host, vault_folder(global)?)?;
            let backup = job::wait(vault.start_backup(file), "writing the backup")?;
            output.answer(&backup, |backup| text("written", backup));
        }
        BackupCommand::Verify { file, key } => {
            let backup = job::wait(start_verify_backup(host, file, identity(global, key)?), "verifying")?;
            output.answer(&backup, |backup| text("in order", backup));
        }
        BackupCommand::Restore { file, to, accept_older, key } => {
            let options = RestoreOptions { accept_older: *accept_older };
            let backup = job::wait(start_restore(host, file, identity(global, key)?, to, options), "restoring")?;
            output.answer(&backup, |backup| text(&format!("restored to {}", to.display()), backup));
        }
        BackupCommand::List => return Err(CliError::NoLogin),
    }
    Ok(())
}

/// The kit if one was named, else this device's own key for the vault.
fn identity(global: &Global, key: &BackupKey) -> Result<BackupIdentity, CliError> {
    if let Some(kit) = kit(key)? {
        return Ok(kit);
    }
    let vault = global.vault.clone();
    vault.map(BackupIdentity::Device).ok_or_else(|| CliError::Usage(NEITHER.to_owned()))
}

const NEITHER: &str = "what opens the backup was not named: --kit FILE, or --vault DIR on the device that made it";

fn kit(key: &BackupKey) -> Result<Option<BackupIdentity>, CliError> {
    let Some(path) = &key.kit else { return Ok(None) };
    let kit = std::fs::read_to_string(path).map_err(|reason| CliError::File { path: path.clone(), reason })?;
    let kit = Zeroizing::new(kit);
    Ok(Some(BackupIdentity::RecoveryKit(parse_recovery_kit(&kit)?)))
}

fn text(done: &str, backup: &BackupView) -> String {
    let older = if backup.newer_known { "\na newer backup of this vault is known" } else { "" };
    format!(
        "backup {} of vault {} {done}\nmade {}, {} files, {} bytes, {} log entries{older}",
        backup.counter, backup.vault, backup.made_at, backup.files, backup.bytes, backup.log_entries
    )
}

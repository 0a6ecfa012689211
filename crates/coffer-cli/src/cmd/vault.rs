//! `coffer vault`: creating one, and what can be said of one while it is locked.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use coffer_core::host::Host;
use coffer_core::{CreatedVault, NewVault, RecoveryKit, Vault};
use coffer_model::account::LoginName;

use super::vault_folder;
use crate::args::{Global, VaultCommand};
use crate::error::CliError;
use crate::prompt;
use crate::render::Output;

pub fn run(host: &Host, global: &Global, command: &VaultCommand, output: &Output) -> Result<(), CliError> {
    match command {
        VaultCommand::Create { kit } => create(host, global, kit, output),
        VaultCommand::Show => {
            let vault = Vault::open(host, vault_folder(global)?)?;
            output.answer(&vault.view(), |view| {
                let demo = if view.demo { "\nholds     invented data, for looking around" } else { "" };
                format!("vault     {}\nid        {}\nformat    {}{demo}", view.name, view.id, view.format)
            });
            Ok(())
        }
    }
}

fn create(host: &Host, global: &Global, kit_path: &Path, output: &Output) -> Result<(), CliError> {
    let folder = vault_folder(global)?;
    let login = global.login.as_deref().ok_or(CliError::NoLogin)?;
    let login: LoginName = login.parse().map_err(|_| CliError::Login(login.to_owned()))?;
    let passphrase = prompt::new_passphrase(global)?;
    // The kit's file first: a vault whose kit could not be written would be one without recovery.
    let kit_file = new_private_file(kit_path)?;
    let created = Vault::create(host, folder, NewVault { login, passphrase, demo: false });
    let CreatedVault { session, kit } = match created {
        Ok(created) => created,
        Err(error) => {
            drop(kit_file);
            let _ = std::fs::remove_file(kit_path);
            return Err(error.into());
        }
    };
    let written = write_kit(kit_file, &kit, kit_path);
    let view = session.view();
    session.lock()?;
    if let Err(error) = written {
        // Nothing is in it yet, and nobody could ever recover it.
        let _ = std::fs::remove_dir_all(folder);
        let _ = std::fs::remove_file(kit_path);
        return Err(error);
    }
    output.answer(&view.vault, |vault| {
        format!("created the vault {} ({})\nthe recovery kit is in {}", vault.name, vault.id, kit_path.display())
    });
    output.note("print the kit, or move it to a medium that is locked away; whoever holds it can read everything");
    Ok(())
}

/// Makes a file that only its owner may read, which must not exist.
pub(super) fn new_private_file(path: &Path) -> Result<File, CliError> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    opened.map_err(|reason| CliError::File { path: path.to_owned(), reason })
}

fn write_kit(mut file: File, kit: &RecoveryKit, path: &Path) -> Result<(), CliError> {
    let text = kit.to_text();
    let written = file.write_all(text.expose()).and_then(|()| file.sync_all());
    written.map_err(|reason| CliError::File { path: path.to_owned(), reason })
}

//! `coffer vault`: creating one, and what can be said of one while it is locked.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use coffer_core::host::Host;
use coffer_core::view::{FileState, VaultView};
use coffer_core::{JobError, NewVault, RecoveryKit, Session, Vault};
use coffer_model::account::LoginName;
use coffer_model::id::VaultId;

use super::{login, vault_folder};
use crate::args::Global;
use crate::error::CliError;
use crate::render::{Output, table};
use crate::{job, prompt};

/// Shows what can be said of a vault while it is locked.
pub fn show(host: &Host, global: &Global, output: &Output) -> Result<(), CliError> {
    let vault = Vault::open(host, vault_folder(global)?)?;
    Ok(output.answer(&vault.view(), |view| {
        let demo = if view.demo { "\nholds     invented data, for looking around" } else { "" };
        format!("vault     {}\nid        {}\nformat    {}{demo}", view.name, view.id, view.format)
    })?)
}

/// Holds every tenant's file against what was remembered when it was locked.
pub fn check(session: &Session, output: &Output) -> Result<(), CliError> {
    let checks = job::run("checking files", || session.start_check_files())?;
    output.answer(&checks, |checks| {
        let rows = checks.iter().map(|check| {
            let state = match check.state {
                FileState::Unchanged => "as it was locked",
                FileState::Altered => "ALTERED while the vault was locked",
                FileState::NotCheckable => "not checkable: changed since, or not ended by locking",
            };
            vec![check.tenant_name.clone().unwrap_or_else(|| check.tenant.to_string()), state.to_owned()]
        });
        table(&["TENANT", "FILE"], rows)
    })?;
    let altered = checks.iter().any(|check| check.state == FileState::Altered);
    if altered { Err(CliError::FileAltered) } else { Ok(()) }
}

/// Creates a vault and its recovery kit.
pub fn create(host: &Host, global: &Global, kit: &Path, output: &Output) -> Result<(), CliError> {
    let folder = vault_folder(global)?;
    let login = login(global)?;
    let login: LoginName = login.parse().map_err(|_| CliError::Login(login.to_owned()))?;
    let passphrase = prompt::new_passphrase(global)?;
    let new = NewVault { login, passphrase, demo: false };
    let vault = found(host, folder, new, kit)?;
    output.answer(&vault, |vault| {
        format!("created the vault {} ({})\nthe recovery kit is in {}", vault.name, vault.id, kit.display())
    })?;
    output.note("print the kit, or move it to a medium that is locked away; whoever holds it can read everything");
    Ok(())
}

/// Creates a vault in `folder` and its kit in a new file `kit`: both, or neither. A vault whose kit could not be kept
/// would be one without recovery.
pub(super) fn found(host: &Host, folder: &Path, new: NewVault, kit: &Path) -> Result<VaultView, CliError> {
    let (created, interrupted) = job::uncut(|| -> Result<_, CliError> {
        let mut file = new_private_file(kit)?;
        let mut unfinished = Unfinished { host, kit, vault: None, is_done: false };
        let created = Vault::create(host, folder, new)?;
        let view = created.session.view().vault;
        unfinished.vault = Some((folder, view.id));
        let kept = keep(&mut file, &created.kit).and_then(|()| make_name_durable(kit));
        created.session.lock()?;
        kept.map_err(|reason| CliError::File { path: kit.to_owned(), reason })?;
        Ok((view, unfinished))
    });
    let (view, mut unfinished) = created?;
    if interrupted {
        return Err(JobError::Cancelled.into());
    }
    unfinished.is_done = true;
    Ok(view)
}

/// What is taken back if the vault does not come about.
struct Unfinished<'a> {
    host: &'a Host,
    kit: &'a Path,
    vault: Option<(&'a Path, VaultId)>,
    is_done: bool,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if self.is_done {
            return;
        }
        let _ = fs::remove_file(self.kit);
        if let Some((folder, id)) = self.vault {
            // This program made it a moment ago, and nothing is in it.
            let _ = fs::remove_dir_all(folder);
            let _ = self.host.devices.forget(id);
        }
    }
}

/// Makes a file that only its owner may read, which must not exist.
pub(super) fn new_private_file(path: &Path) -> Result<File, CliError> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    opened.map_err(|reason| CliError::File { path: path.to_owned(), reason })
}

fn keep(file: &mut File, kit: &RecoveryKit) -> std::io::Result<()> {
    file.write_all(kit.to_text().expose())?;
    file.sync_all()
}

fn make_name_durable(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

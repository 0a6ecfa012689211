//! `coffer vault`: creating one, and what can be said of one while it is locked.

use std::fs;
use std::path::Path;

use coffer_core::host::Host;
use coffer_core::view::{FileState, VaultView};
use coffer_core::{JobError, KitPlace, NewVault, Session, Split, Vault};
use coffer_model::account::LoginName;
use coffer_model::id::VaultId;
use serde::Serialize;

use super::{fresh, login, vault_folder};
use crate::args::Global;
use crate::error::CliError;
use crate::render::{Output, counted, size, table};
use crate::{job, prompt};

/// Shows what can be said of a vault while it is locked.
pub fn show(host: &Host, global: &Global, output: &Output) -> Result<(), CliError> {
    let vault = Vault::open(host, vault_folder(global)?)?;
    Ok(output.answer(&vault.view(), |view| {
        let demo = if view.demo { "\nholds     invented data, for looking around" } else { "" };
        format!("vault     {}\nid        {}\nformat    {}{demo}", view.name, view.id, view.format)
    })?)
}

/// Whether a vault had to be accepted.
#[derive(Serialize)]
struct Accepted {
    accepted: bool,
}

/// Says whether the vault that was unlocked is one this computer did not know so.
pub fn accepted(session: Session, output: &Output) -> Result<(), CliError> {
    let accepted = session.accepted_older();
    session.lock()?;
    Ok(output.answer(&Accepted { accepted }, |answer| {
        let words = if answer.accepted {
            "this copy is accepted, and the log says so"
        } else {
            "this computer knows no newer one; nothing was done"
        };
        words.to_owned()
    })?)
}

/// Moves the vault to another computer by way of a file, or, without one, takes that back.
pub fn move_away(session: Session, global: &Global, file: Option<&Path>, output: &Output) -> Result<(), CliError> {
    let done = match file {
        Some(file) => move_to(&session, global, file, output),
        None => take_back(&session, global, output),
    };
    let locked = session.lock();
    done?;
    Ok(locked?)
}

fn move_to(session: &Session, global: &Global, file: &Path, output: &Output) -> Result<(), CliError> {
    let proof = fresh(session, global)?;
    let backup = job::run("moving the vault", || session.start_move_vault(file, proof))?;
    output.answer(&backup, |backup| {
        format!(
            "moved the vault to {} ({}, {}); the copy here is used no more",
            file.display(),
            size(backup.bytes),
            counted(backup.files, "file", "files")
        )
    })?;
    output.note(
        "on the other computer: `backup restore FILE --kit KIT --to DIR`; an administrator unlocks it there first",
    );
    Ok(())
}

fn take_back(session: &Session, global: &Global, output: &Output) -> Result<(), CliError> {
    session.take_move_back(fresh(session, global)?)?;
    output
        .answer(&TakenBack { taken_back: true }, |_| "the copy here is used again, and the log says so".to_owned())?;
    output.note("if the vault was unlocked on another computer meanwhile, there are two now: give up one of them");
    Ok(())
}

/// A move was taken back.
#[derive(Serialize)]
struct TakenBack {
    taken_back: bool,
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

/// Creates a vault and its recovery kit, or as many shares of it.
pub fn create(host: &Host, global: &Global, kit: &Path, split: Option<Split>, output: &Output) -> Result<(), CliError> {
    let folder = vault_folder(global)?;
    let login = login(global)?;
    let login: LoginName = login.parse().map_err(|_| CliError::Login(login.to_owned()))?;
    let passphrase = prompt::new_passphrase(global)?;
    let new = NewVault { login, passphrase, demo: false, split };
    let vault = found(host, folder, new, kit)?;
    output.answer(&vault, |vault| {
        format!("created the vault {} ({})\n{}", vault.name, vault.id, kept_words(kit, split))
    })?;
    output.note(keep_words(split));
    Ok(())
}

/// Where the kit or its shares are.
pub(super) fn kept_words(kit: &Path, split: Option<Split>) -> String {
    match split {
        None => format!("the recovery kit is in {}", kit.display()),
        Some(split) => format!("{} shares of recovery are in {}", split.shares(), kit.display()),
    }
}

/// What is to be done with it.
pub(super) fn keep_words(split: Option<Split>) -> String {
    match split {
        None => {
            "print the kit, or move it to a medium that is locked away; whoever holds it can read everything".to_owned()
        }
        Some(split) => format!(
            "print each share, or move it to a medium of its own, give them to {} people and remove the files; any {} \
             together can read everything",
            split.shares(),
            split.needed()
        ),
    }
}

/// Creates a vault in `folder` and its kit at the new place `kit`: both, or neither. A vault whose kit could not be kept
/// would be one without recovery.
pub(super) fn found(host: &Host, folder: &Path, new: NewVault, kit: &Path) -> Result<VaultView, CliError> {
    let (created, interrupted) = job::uncut(|| -> Result<_, CliError> {
        let place = KitPlace::make(kit, new.split)?;
        let mut unfinished = Unfinished { host, place, vault: None, is_done: false };
        let created = Vault::create(host, folder, new)?;
        let view = created.session.view().vault;
        unfinished.vault = Some((folder, view.id));
        let kept = unfinished.place.keep(&created.kit);
        created.session.lock()?;
        kept?;
        Ok((view, unfinished))
    });
    let (view, mut unfinished) = created?;
    if interrupted {
        return Err(JobError::Cancelled.into());
    }
    unfinished.is_done = true;
    unfinished.place.stay();
    Ok(view)
}

/// What is taken back, with the kit's place, if the vault does not come about.
struct Unfinished<'a> {
    host: &'a Host,
    place: KitPlace,
    vault: Option<(&'a Path, VaultId)>,
    is_done: bool,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if self.is_done {
            return;
        }
        if let Some((folder, id)) = self.vault {
            // This program made it a moment ago, and nothing is in it.
            let _ = fs::remove_dir_all(folder);
            let _ = self.host.devices.forget(id);
        }
    }
}

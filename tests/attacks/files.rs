//! Attacks by way of the file system: modes that let others in, links in the place of the vault's files.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use coffer_core::{OpenError, Vault};
use coffer_tests::{LOGIN, PASSPHRASE, Place, login_draft, passphrase, tenant};
use rustix::fs::Mode;
use rustix::process::umask;

/// Everything in the vault's folder and the folder itself, with the modes.
fn modes(folder: &Path) -> Vec<(PathBuf, u32)> {
    let mode = |path: &Path| fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777;
    let mut found = vec![(folder.to_owned(), mode(folder))];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(modes(&path));
        } else {
            found.push((path.clone(), mode(&path)));
        }
    }
    found
}

fn assert_private(folder: &Path) {
    let found = modes(folder);
    assert!(found.len() >= 8, "{found:?}");
    for (path, mode) in found {
        let expected = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, expected, "{} has mode {mode:o}", path.display());
    }
}

#[test]
fn a_lax_umask_and_lax_modes_are_corrected() {
    let before = umask(Mode::empty());
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    session.add_record(acme, login_draft("Gate", "svc", "invented-1")).unwrap();
    assert_private(&place.vault_folder());
    session.start_backup(&place.path("one.age")).wait().unwrap();
    let backup = fs::metadata(place.path("one.age")).unwrap().permissions().mode() & 0o7777;
    assert_eq!(backup, 0o600);
    session.lock().unwrap();
    assert_private(&place.vault_folder());
    umask(before);

    for (path, mode) in modes(&place.vault_folder()) {
        fs::set_permissions(&path, Permissions::from_mode(mode | 0o066)).unwrap();
    }
    let session = place.unlock();
    session.list_records(acme, 10, None).unwrap();
    session.add_record(acme, login_draft("Gate 2", "svc", "invented-1")).unwrap();
    session.lock().unwrap();
    assert_private(&place.vault_folder());
}

/// Whoever can write the folder puts a link where a file of the vault was: to a vault file of theirs, or to something
/// that is to be overwritten. Nothing is read or written through it.
#[test]
fn links_in_the_place_of_the_vaults_files_are_not_followed() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    session.lock().unwrap();
    let files = modes(&place.vault_folder()).into_iter().map(|(path, _)| path).filter(|path| path.is_file());
    for path in files.collect::<Vec<_>>() {
        let kept = place.path("kept");
        fs::rename(&path, &kept).unwrap();
        let bytes = fs::read(&kept).unwrap();
        symlink(&kept, &path).unwrap();
        let name = path.strip_prefix(place.vault_folder()).unwrap().to_owned();
        let reached = match Vault::open(&place.host, &place.vault_folder()) {
            Err(OpenError::NotAVault) => false,
            Err(other) => panic!("{}: {other:?}", name.display()),
            Ok(vault) => match vault.unlock(LOGIN, passphrase(PASSPHRASE)) {
                Err(_) => false,
                Ok(session) if name.starts_with("tenants") => {
                    let listed = session.list_records(acme, 10, None).is_ok();
                    session.lock().unwrap();
                    listed
                }
                // The plan is for backups, and is read when there is one to make.
                Ok(session) => {
                    let made = session.start_backup(&place.path("one.age")).wait().is_ok();
                    session.lock().unwrap();
                    made
                }
            },
        };
        assert!(!reached, "{} was followed", name.display());
        assert_eq!(fs::read(&kept).unwrap(), bytes, "{} was written through", name.display());
        let _ = fs::remove_file(&path);
        fs::rename(&kept, &path).unwrap();
    }
    place.unlock().list_records(acme, 10, None).unwrap();
}

//! The whole folder put back as it was earlier: only what lies outside of it can tell.

use std::fs;
use std::path::Path;

use coffer_core::{Credentials, RestoreOptions, Session, UnlockError};
use coffer_tests::proof::desk::copy_folder;
use coffer_tests::{LOGIN, MemoryKeyring, PASSPHRASE, Place, login_draft, passphrase, tenant};

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    copy_folder(from, to);
}

/// A vault that was locked, copied, and used further; with the copy's name.
fn with_an_old_copy(place: &Place) -> &'static str {
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME").id;
    session.lock().unwrap();
    copy(&place.vault_folder(), &place.path("old"));
    let session = place.unlock();
    session.add_record(acme, login_draft("VPN", "svc", "canary")).unwrap();
    session.lock().unwrap();
    "old"
}

/// Puts a copy into the place of the vault; what was there goes to `aside`.
fn put_back(place: &Place, earlier: &str, aside: &str) {
    fs::rename(place.vault_folder(), place.path(aside)).unwrap();
    copy(&place.path(earlier), &place.vault_folder());
}

fn accept(place: &Place) -> Session {
    let shown = Credentials::new(passphrase(PASSPHRASE));
    place.vault().unlock_accepting_older(LOGIN, &shown).unwrap()
}

fn is_older(place: &Place, folder: &Path) -> bool {
    let vault = coffer_core::Vault::open(&place.host, folder).unwrap();
    match vault.unlock(LOGIN, passphrase(PASSPHRASE)) {
        Err(UnlockError::Older { .. }) => true,
        Ok(session) => {
            session.lock().unwrap();
            false
        }
        Err(error) => panic!("{error:?}"),
    }
}

fn has_entry(session: &Session, action: &str) -> bool {
    session.log_page(None, 100).unwrap().entries.iter().any(|entry| entry.action == action)
}

#[test]
fn attack_55_a_whole_folder_rolled_back_is_noticed_by_the_keyrings_anchor() {
    let mut place = Place::new();
    MemoryKeyring::put_into(&mut place);
    let old = with_an_old_copy(&place);
    put_back(&place, old, "new");
    // However often it is tried, and nothing is done.
    assert!(is_older(&place, &place.vault_folder()) && is_older(&place, &place.vault_folder()));
    // Who restarts a log has said nothing of the vault's age.
    let restarted = place.vault().unlock_restarting_log(LOGIN, &Credentials::new(passphrase(PASSPHRASE)));
    assert!(matches!(restarted, Err(UnlockError::Older { .. })), "{restarted:?}");

    let session = accept(&place);
    assert!(session.accepted_older() && has_entry(&session, "vault.older_accepted"));
    session.lock().unwrap();
    assert!(!is_older(&place, &place.vault_folder()), "it was accepted");
    // Both copies are known now, each as far as it went.
    put_back(&place, "new", "accepted");
    let session = accept(&place);
    assert!(!session.accepted_older() && !has_entry(&session, "vault.older_accepted"));
    session.lock().unwrap();
    put_back(&place, old, "newest");
    assert!(is_older(&place, &place.vault_folder()));
}

#[test]
fn a_restored_copy_is_known_and_may_not_become_older_itself() {
    let mut place = Place::new();
    MemoryKeyring::put_into(&mut place);
    let (session, _kit) = place.create();
    session.start_backup(&place.path("one.age")).wait().unwrap();
    let to = place.path("again.coffer");
    session.start_restore(&place.path("one.age"), &to, RestoreOptions::default()).wait().unwrap();
    session.lock().unwrap();
    copy(&to, &place.path("as-restored"));
    assert!(!is_older(&place, &to) && !is_older(&place, &place.vault_folder()), "both are what this device knows");
    fs::rename(&to, place.path("used")).unwrap();
    copy(&place.path("as-restored"), &to);
    assert!(is_older(&place, &to));
}

#[test]
fn without_a_keyring_or_with_one_that_is_locked_a_vault_opens_and_nothing_is_said_of_its_age() {
    let mut place = Place::new();
    let keyring = MemoryKeyring::put_into(&mut place);
    let old = with_an_old_copy(&place);
    put_back(&place, old, "new");
    keyring.lock(true);
    assert!(!is_older(&place, &place.vault_folder()));
    keyring.lock(false);
    assert!(is_older(&place, &place.vault_folder()));
}

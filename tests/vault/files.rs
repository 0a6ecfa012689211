//! Files changed while nobody is unlocked.

use std::path::PathBuf;

use coffer_core::view::FileState;
use coffer_core::{CallError, Damage, Fault, ListRecordsError, UnlockError};
use coffer_tests::{LOGIN, PASSPHRASE, Place, login_draft, passphrase, tenant};

fn tenant_file(place: &Place) -> PathBuf {
    let mut files = std::fs::read_dir(place.vault_folder().join("tenants")).unwrap();
    let file = files.find(|file| file.as_ref().unwrap().path().extension().is_some_and(|end| end == "db"));
    file.unwrap().unwrap().path()
}

fn states(place: &Place) -> Vec<FileState> {
    let session = place.unlock();
    let checks = session.start_check_files().unwrap().wait().unwrap();
    session.lock().unwrap();
    checks.into_iter().map(|check| check.state).collect()
}

#[test]
fn an_older_copy_of_a_tenants_file_is_found_and_logged() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME");
    session.add_record(acme.id, login_draft("First", "a", "b")).unwrap();
    session.lock().unwrap();
    assert_eq!(states(&place), [FileState::Unchanged]);

    let older = std::fs::read(tenant_file(&place)).unwrap();
    let session = place.unlock();
    session.add_record(acme.id, login_draft("Second", "a", "b")).unwrap();
    session.lock().unwrap();
    assert_eq!(states(&place), [FileState::Unchanged]);

    std::fs::write(tenant_file(&place), older).unwrap();
    assert_eq!(states(&place), [FileState::Altered]);
    let session = place.unlock();
    let page = session.log_page(None, 50).unwrap();
    assert!(page.entries.iter().any(|entry| entry.action == "file.altered"));
}

#[test]
fn after_an_end_without_locking_there_is_nothing_to_compare_with_and_no_false_alarm() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME");
    session.add_record(acme.id, login_draft("First", "a", "b")).unwrap();
    let checks = session.start_check_files().unwrap().wait().unwrap();
    assert_eq!(checks[0].state, FileState::NotCheckable);
}

#[test]
fn an_older_copy_of_the_directory_does_not_unlock() {
    let place = Place::new();
    let (session, _kit) = place.create();
    session.lock().unwrap();
    let directory = place.vault_folder().join("directory.db");
    let older = std::fs::read(&directory).unwrap();
    let session = place.unlock();
    tenant(&session, "ACME");
    session.lock().unwrap();
    std::fs::write(&directory, older).unwrap();
    let refused = place.vault().unlock(LOGIN, passphrase(PASSPHRASE));
    let damage = matches!(refused, Err(UnlockError::Fault(Fault::Damaged(Damage::Directory | Damage::Chain))));
    assert!(damage, "{refused:?}");
}

/// The tenant's rows as they were before its last write, after a clean lock: not a crash, whatever it looks like.
#[test]
fn a_cleanly_locked_tenant_that_lacks_its_last_write_does_not_open() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME");
    session.add_record(acme.id, login_draft("First", "a", "b")).unwrap();
    session.lock().unwrap();
    let older = std::fs::read(tenant_file(&place)).unwrap();
    let session = place.unlock();
    session.add_record(acme.id, login_draft("Second", "a", "b")).unwrap();
    session.lock().unwrap();

    std::fs::write(tenant_file(&place), older).unwrap();
    let session = place.unlock();
    let refused = session.list_records(acme.id, 10, None);
    let is_damage = matches!(refused, Err(ListRecordsError::Call(CallError::Fault(Fault::Damaged(Damage::Tenant)))));
    assert!(is_damage, "{refused:?}");
    let page = session.log_page(None, 50).unwrap();
    assert!(page.entries.iter().any(|entry| entry.action == "file.altered"));
    assert!(page.entries.iter().all(|entry| entry.action != "effect.missing"));
}

//! Moving to another computer: the vault goes on there, and nobody works in the copy that stays behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use coffer_core::host::{DiskEncryption, DiskFacts};
use coffer_core::view::{BackupView, VaultMoveState, VaultMoveView};
use coffer_core::{
    ActivateError, BackupError, BackupIdentity, CallError, Credentials, JobError, MoveVaultError, RecoverError,
    RecoveryKit, RestoreOptions, Session, UnlockError, Vault, parse_recovery_kit, start_restore,
};
use coffer_model::account::Role;
use coffer_tests::proof::desk::copy_folder;
use coffer_tests::{
    LOGIN, MemoryKeyring, PASSPHRASE, Place, enrol, fresh, login_draft, passphrase, passphrase_of, tenant,
};

/// Where the old computer writes the vault.
const FILE: &str = "moved.age";

fn kit_identity(kit: &RecoveryKit) -> BackupIdentity {
    let text = kit.to_text();
    BackupIdentity::RecoveryKit(parse_recovery_kit(std::str::from_utf8(text.expose()).unwrap()).unwrap())
}

/// A vault with one tenant and one record.
fn filled(place: &Place) -> (Session, RecoveryKit) {
    let (session, kit) = place.create();
    let acme = tenant(&session, "ACME").id;
    session.add_record(acme, login_draft("VPN", "svc", "canary")).unwrap();
    (session, kit)
}

fn move_to(session: &Session, file: &Path) -> Result<BackupView, JobError> {
    session.start_move_vault(file, fresh(session)).unwrap().wait()
}

/// A vault that was moved; its kit.
fn moved(place: &Place) -> RecoveryKit {
    let (session, kit) = filled(place);
    move_to(&session, &place.path(FILE)).unwrap();
    kit
}

fn restore(from: &Place, kit: &RecoveryKit, on: &Place, to: &Path) -> Result<BackupView, JobError> {
    start_restore(&on.host, &from.path(FILE), kit_identity(kit), to, RestoreOptions::default()).wait()
}

fn try_unlock(place: &Place, folder: &Path) -> Result<Session, UnlockError> {
    Vault::open(&place.host, folder).unwrap().unlock(LOGIN, passphrase(PASSPHRASE))
}

fn unlock_moved(place: &Place) -> Session {
    place.vault().unlock_moved(LOGIN, &Credentials::new(passphrase(PASSPHRASE))).unwrap()
}

fn is_moved(place: &Place, folder: &Path) -> bool {
    match try_unlock(place, folder) {
        Err(UnlockError::Moved { by, .. }) => by == LOGIN,
        Ok(session) => {
            session.lock().unwrap();
            false
        }
        Err(error) => panic!("{error:?}"),
    }
}

fn titles(session: &Session) -> Vec<String> {
    let acme = session.tenants().unwrap()[0].id;
    session.list_records(acme, 10, None).unwrap().records.into_iter().map(|row| row.title).collect()
}

fn moves(session: &Session) -> Vec<VaultMoveView> {
    session.people().unwrap().moves
}

fn states(session: &Session) -> Vec<VaultMoveState> {
    moves(session).iter().map(|moved| moved.state).collect()
}

fn entries(session: &Session) -> Vec<String> {
    let page = session.log_page(None, 200).unwrap();
    page.entries.into_iter().rev().map(|entry| entry.action).collect()
}

fn count(session: &Session, action: &str) -> usize {
    entries(session).iter().filter(|entry| *entry == action).count()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    copy_folder(from, to);
}

/// A disk from which a folder disappears once somebody has asked how much room there is: right after the rehearsal.
struct PulledOut {
    real: Arc<dyn DiskFacts>,
    folder: PathBuf,
    is_armed: AtomicBool,
}

impl PulledOut {
    fn put_into(place: &mut Place, folder: &Path) -> Arc<Self> {
        let (real, folder) = (place.host.disk.clone(), folder.to_owned());
        let disk = Arc::new(Self { real, folder, is_armed: AtomicBool::new(true) });
        place.host.disk = disk.clone();
        disk
    }
}

impl DiskFacts for PulledOut {
    fn encryption(&self, path: &Path) -> DiskEncryption {
        self.real.encryption(path)
    }

    fn free_bytes(&self, path: &Path) -> Option<u64> {
        if self.is_armed.swap(false, Ordering::Relaxed) {
            fs::remove_dir(&self.folder).unwrap();
        }
        self.real.free_bytes(path)
    }
}

/// A disk with next to no room.
struct Full(Arc<dyn DiskFacts>);

impl DiskFacts for Full {
    fn encryption(&self, path: &Path) -> DiskEncryption {
        self.0.encryption(path)
    }

    fn free_bytes(&self, _: &Path) -> Option<u64> {
        Some(10)
    }
}

/// A vault whose move was stopped after it was stated: there is no file.
fn stopped(place: &mut Place) -> RecoveryKit {
    let stick = place.path("stick");
    fs::create_dir(&stick).unwrap();
    PulledOut::put_into(place, &stick);
    let (session, kit) = filled(place);
    let refused = move_to(&session, &stick.join(FILE)).unwrap_err();
    assert!(matches!(refused, JobError::MoveUnfinished(_)), "{refused:?}");
    assert_eq!(refused.code(), "move_unfinished");
    kit
}

#[test]
fn a_moved_vault_goes_on_elsewhere_and_says_from_where_it_came() {
    let (old, new) = (Place::new(), Place::new());
    let (session, kit) = filled(&old);
    let made = move_to(&session, &old.path(FILE)).unwrap();
    assert!(matches!(session.tenants(), Err(CallError::Locked)), "it has locked itself");
    session.lock().unwrap();

    restore(&old, &kit, &new, &new.vault_folder()).unwrap();
    let session = new.unlock();
    assert_eq!(titles(&session), ["VPN"]);
    let [came] = moves(&session).try_into().unwrap();
    assert_eq!((came.state, came.by.as_deref()), (VaultMoveState::TakenUp, Some(LOGIN)));
    assert!(came.ended_at.unwrap() >= came.at && came.device.split(' ').count() == 6);
    let log = entries(&session);
    let place_of = |action: &str| log.iter().position(|entry| entry == action).unwrap();
    assert!(place_of("vault.moved") < place_of("backup.restored"));
    assert_eq!(count(&session, "device.enrolled"), 2, "where it was founded, and here");
    assert!(session.start_verify_log().unwrap().wait().unwrap().ok);
    let acme = session.tenants().unwrap()[0].id;
    session.add_record(acme, login_draft("New", "svc", "canary")).unwrap();
    let next = session.start_backup(&new.path("next.age")).wait().unwrap();
    assert!(next.counter > made.counter);
    session.lock().unwrap();
    new.vault().start_backup(&new.path("locked.age")).wait().unwrap();
    let session = new.unlock();
    assert_eq!(titles(&session), ["New", "VPN"]);
    assert_eq!(count(&session, "device.enrolled"), 2, "it arrives once");

    assert!(is_moved(&old, &old.vault_folder()));
}

#[test]
fn the_copy_that_stays_behind_lets_nobody_in_and_makes_no_backups() {
    let place = Place::new();
    let (session, kit) = filled(&place);
    let session = enrol(&place, session, "otto", &[Role::Member]);
    session.lock().unwrap();
    let session = place.unlock();
    let invitation = coffer_tests::invite(&session, "eva", &[Role::Administrator]);
    let at = move_to(&session, &place.path(FILE)).unwrap().made_at;
    drop(session);
    match place.vault().unlock("otto", passphrase_of("otto")) {
        Err(UnlockError::Moved { at: stated, by }) => assert!(stated <= at && by == LOGIN),
        other => panic!("{other:?}"),
    }
    let shown = Credentials::new(passphrase_of("otto"));
    assert!(matches!(place.vault().unlock_moved("otto", &shown), Err(UnlockError::Moved { .. })), "no administrator");
    let header = fs::read(place.vault_folder().join("header")).unwrap();
    let activated = place.vault().activate(&invitation, &passphrase_of("eva"));
    assert!(matches!(activated, Err(ActivateError::Unlock(UnlockError::Moved { .. }))), "{activated:?}");
    let BackupIdentity::RecoveryKit(read) = kit_identity(&kit) else { unreachable!() };
    let recovered = place.vault().recover(&read, &"ida".parse().unwrap(), &passphrase_of("ida"));
    let is_refused = |error: &RecoverError| {
        matches!(error, RecoverError::Activate(ActivateError::Unlock(UnlockError::Moved { .. })))
    };
    assert!(recovered.as_ref().is_err_and(is_refused), "{recovered:?}");
    assert_eq!(fs::read(place.vault_folder().join("header")).unwrap(), header, "nothing was begun");
    let backup = place.vault().start_backup(&place.path("locked.age")).wait();
    assert!(matches!(backup, Err(JobError::Backup(BackupError::Moved))), "{backup:?}");
    assert!(!place.path("locked.age").exists());
}

#[test]
fn a_move_that_was_stopped_is_repeated_and_stated_once() {
    let (mut old, new) = (Place::new(), Place::new());
    let kit = stopped(&mut old);
    assert!(is_moved(&old, &old.vault_folder()));
    let session = unlock_moved(&old);
    assert!(session.is_moved());
    // Nothing else is done to it.
    assert!(matches!(session.tenants(), Err(CallError::Moved)));
    assert!(matches!(session.people(), Err(CallError::Moved)));
    assert!(matches!(session.enrol_device(), Err(error) if error.code() == "moved"));
    let refused = move_to(&session, &old.path("stick").join(FILE));
    assert!(matches!(refused, Err(JobError::MoveUnfinished(_))), "{refused:?}");
    drop(session);
    let session = unlock_moved(&old);
    move_to(&session, &old.path(FILE)).unwrap();
    drop(session);
    assert!(is_moved(&old, &old.vault_folder()));

    restore(&old, &kit, &new, &new.vault_folder()).unwrap();
    let session = new.unlock();
    assert_eq!((titles(&session), states(&session)), (vec!["VPN".to_owned()], vec![VaultMoveState::TakenUp]));
    assert_eq!(count(&session, "vault.moved"), 1);
}

#[test]
fn a_move_is_taken_back_only_by_a_word_of_its_own_and_work_goes_on() {
    let mut place = Place::new();
    stopped(&mut place);
    let session = unlock_moved(&place);
    session.take_move_back(fresh(&session)).unwrap();
    assert_eq!((titles(&session), states(&session)), (vec!["VPN".to_owned()], vec![VaultMoveState::TakenBack]));
    assert_eq!(count(&session, "vault.move_taken_back"), 1);
    let again = session.take_move_back(fresh(&session));
    assert!(matches!(again, Err(MoveVaultError::NotMoved)), "{again:?}");
    session.lock().unwrap();
    place.vault().start_backup(&place.path("locked.age")).wait().unwrap();
    let session = place.unlock();
    move_to(&session, &place.path(FILE)).unwrap();
    drop(session);
    assert!(is_moved(&place, &place.vault_folder()));
}

#[test]
fn what_cannot_be_moved_stays_as_it_is() {
    let mut place = Place::new();
    let (session, _kit) = filled(&place);
    let taken = place.path("taken.age");
    fs::write(&taken, "somebody's").unwrap();
    for (file, code) in [(taken, "target_exists"), (place.path("nowhere").join(FILE), "no_folder")] {
        assert_eq!(move_to(&session, &file).unwrap_err().code(), code);
        assert!(!session.is_moved());
    }
    assert_eq!((titles(&session), moves(&session)), (vec!["VPN".to_owned()], Vec::new()));
    session.lock().unwrap();

    place.host.disk = Arc::new(Full(place.host.disk.clone()));
    let session = place.unlock();
    assert_eq!(move_to(&session, &place.path(FILE)).unwrap_err().code(), "no_space");
    session.lock().unwrap();
    let session = place.unlock();
    assert!(states(&session).is_empty());
    // Who is no administrator moves nothing.
    let session = enrol(&place, session, "otto", &[Role::Member, Role::Auditor]);
    let refused = session.start_move_vault(&place.path(FILE), fresh(&session));
    assert!(matches!(refused.map(drop), Err(MoveVaultError::Call(CallError::Refused))));
    let refused = session.take_move_back(fresh(&session));
    assert!(matches!(refused, Err(MoveVaultError::Call(CallError::Refused))));
}

#[test]
fn where_it_was_moved_to_an_administrator_comes_first() {
    let (old, new) = (Place::new(), Place::new());
    let (session, kit) = filled(&old);
    enrol(&old, session, "otto", &[Role::Member]).lock().unwrap();
    let session = old.unlock();
    move_to(&session, &old.path(FILE)).unwrap();
    restore(&old, &kit, &new, &new.vault_folder()).unwrap();
    let otto = || new.vault().unlock("otto", passphrase_of("otto"));
    assert!(matches!(otto(), Err(UnlockError::NotTakenUp { .. })));
    new.unlock().lock().unwrap();
    otto().unwrap().lock().unwrap();
}

#[test]
fn whoever_has_the_kit_takes_up_a_move_without_any_administrator() {
    let (old, new) = (Place::new(), Place::new());
    let kit = moved(&old);
    restore(&old, &kit, &new, &new.vault_folder()).unwrap();
    let BackupIdentity::RecoveryKit(read) = kit_identity(&kit) else { unreachable!() };
    let session = new.vault().recover(&read, &"ida".parse().unwrap(), &passphrase_of("ida")).unwrap();
    assert_eq!(states(&session), [VaultMoveState::TakenUp]);
    session.lock().unwrap();
    new.unlock().lock().unwrap();
}

#[test]
fn on_the_same_computer_the_kit_makes_another_copy_and_the_old_one_stays_retired() {
    let place = Place::new();
    let kit = moved(&place);
    let here = BackupIdentity::Device(place.vault_folder());
    let again = place.path("again.coffer");
    let refused = start_restore(&place.host, &place.path(FILE), here, &again, RestoreOptions::default()).wait();
    assert!(matches!(refused, Err(JobError::Backup(BackupError::Moved))), "{refused:?}");
    assert!(!again.exists());

    restore(&place, &kit, &place, &again).unwrap();
    assert!(is_moved(&place, &place.vault_folder()), "another key does not bring it back");
    let session = place.unlock_at(&again);
    assert_eq!((titles(&session), states(&session)), (vec!["VPN".to_owned()], vec![VaultMoveState::TakenUp]));
    session.lock().unwrap();
    assert!(is_moved(&place, &place.vault_folder()));
    // With a key that its chain does not know it is not moved again either; taking it back is possible, and is said.
    let session = unlock_moved(&place);
    let refused = move_to(&session, &place.path("second.age")).unwrap_err();
    assert_eq!(refused.code(), "move_unfinished");
    drop(session);
    let session = unlock_moved(&place);
    session.take_move_back(fresh(&session)).unwrap();
    assert_eq!(titles(&session), ["VPN"]);
}

#[test]
fn a_restore_that_is_refused_on_the_same_computer_leaves_its_key() {
    let place = Place::new();
    let kit = moved(&place);
    let other = Place::new();
    let (session, other_kit) = filled(&other);
    session.lock().unwrap();
    assert!(restore(&place, &other_kit, &place, &place.path("again.coffer")).is_err());
    fs::write(place.path("taken.coffer"), "somebody's").unwrap();
    assert!(restore(&place, &kit, &place, &place.path("taken.coffer")).is_err());
    let session = unlock_moved(&place);
    move_to(&session, &place.path("second.age")).unwrap();
}

#[test]
fn a_retired_folder_that_is_carried_elsewhere_is_still_retired() {
    let (old, new) = (Place::new(), Place::new());
    let kit = moved(&old);
    copy(&old.vault_folder(), &new.path("carried.coffer"));
    assert!(is_moved(&new, &new.path("carried.coffer")), "where nobody knows it");
    restore(&old, &kit, &new, &new.vault_folder()).unwrap();
    assert!(is_moved(&new, &new.path("carried.coffer")), "beside the one that arrived");
    new.unlock().lock().unwrap();
    assert!(is_moved(&new, &new.path("carried.coffer")));
}

#[test]
fn a_vault_moves_on_and_back_again() {
    let (one, two) = (Place::new(), Place::new());
    let kit = moved(&one);
    restore(&one, &kit, &two, &two.vault_folder()).unwrap();
    let session = two.unlock();
    move_to(&session, &two.path(FILE)).unwrap();
    drop(session);
    let back = one.path("back.coffer");
    restore(&two, &kit, &one, &back).unwrap();
    assert!(is_moved(&one, &one.vault_folder()) && is_moved(&two, &two.vault_folder()));
    let session = one.unlock_at(&back);
    assert_eq!(states(&session), [VaultMoveState::TakenUp; 2]);
    session.lock().unwrap();
    assert!(is_moved(&one, &one.vault_folder()) && is_moved(&two, &two.vault_folder()));
}

#[test]
fn an_older_copy_put_back_after_a_move_is_noticed_where_there_is_a_keyring() {
    for has_keyring in [true, false] {
        let mut place = Place::new();
        if has_keyring {
            MemoryKeyring::put_into(&mut place);
        }
        let (session, _kit) = filled(&place);
        session.lock().unwrap();
        copy(&place.vault_folder(), &place.path("old"));
        let session = place.unlock();
        move_to(&session, &place.path(FILE)).unwrap();
        drop(session);
        fs::rename(place.vault_folder(), place.path("retired")).unwrap();
        copy(&place.path("old"), &place.vault_folder());
        match (has_keyring, try_unlock(&place, &place.vault_folder())) {
            (true, Err(UnlockError::Older { .. })) => {}
            // Nothing outside the folder remembers: THREAT-MODEL.md says so.
            (false, Ok(session)) => session.lock().unwrap(),
            (_, other) => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_is_under_way_when_the_vault_is_moved_comes_along_whole_or_is_refused() {
    let (old, new) = (Place::new(), Place::new());
    let (session, kit) = filled(&old);
    let acme = session.tenants().unwrap()[0].id;
    let session = Arc::new(session);
    let is_over = AtomicBool::new(false);
    let added = std::thread::scope(|scope| {
        let adding = scope.spawn(|| {
            let mut added = Vec::new();
            // As many as are listed at once.
            while !is_over.load(Ordering::Relaxed) && added.len() < 90 {
                let title = format!("while {}", added.len());
                match session.add_record(acme, login_draft(&title, "svc", "canary")) {
                    Ok(_) => added.push(title),
                    Err(error) => {
                        assert!(matches!(error.code(), "moved" | "locked"), "{error:?}");
                        break;
                    }
                }
            }
            added
        });
        move_to(&session, &old.path(FILE)).unwrap();
        is_over.store(true, Ordering::Relaxed);
        adding.join().unwrap()
    });
    restore(&old, &kit, &new, &new.vault_folder()).unwrap();
    let session = new.unlock();
    let acme = session.tenants().unwrap()[0].id;
    let page = session.list_records(acme, 100, None).unwrap();
    let there: Vec<String> = page.records.into_iter().map(|row| row.title).collect();
    assert_eq!(there.len(), added.len() + 1);
    assert!(added.iter().all(|title| there.contains(title)), "{added:?}");
}

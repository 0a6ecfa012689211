//! "My passphrase may be known": other keys for an account, whatever is stopped in between.

use std::fs;

use coffer_core::view::PendingKey;
use coffer_core::{CallError, ChangePassphraseError, Session, UnlockError, WayIn};
use coffer_model::account::Role;
use coffer_model::grant::Right;
use coffer_model::key::KeyKind;
use coffer_tests::{
    LOGIN, PASSPHRASE, Place, account, enrol, fresh, kept, login_draft, passphrase, passphrase_of, tenant,
};

const NEW: &str = "another five slow words 77";

fn renew(session: Session, to: &str) {
    let way = WayIn { passphrase: &passphrase(to), device_secret: false, key_file: None };
    let proof = fresh(&session);
    let keys = session.make_own_keys(&way, proof).unwrap();
    session.renew_own_keys(keys).unwrap();
}

#[test]
fn an_account_gets_other_keys_and_whatever_it_held_wants_replacing() {
    let place = Place::new();
    let (founder, _kit) = place.create();
    let acme = tenant(&founder, "ACME GmbH");
    let vpn = founder.add_record(acme.id, login_draft("VPN", "svc", "x")).unwrap();
    founder.save_search("databases", Some(acme.id), "tag:db").unwrap();
    let code = founder.make_personal_code(fresh(&founder)).unwrap();
    let before = account(&founder, LOGIN);
    renew(founder, NEW);
    assert!(matches!(place.vault().unlock(LOGIN, passphrase(PASSPHRASE)), Err(UnlockError::Refused)));
    let founder = place.vault().unlock(LOGIN, passphrase(NEW)).unwrap();
    let after = account(&founder, LOGIN);
    assert_eq!(after.id, before.id);
    assert_ne!(after.fingerprint, before.fingerprint);
    let pending: Vec<_> = founder.people().unwrap().pending.iter().map(|pending| pending.key).collect();
    assert_eq!(pending, [PendingKey::Directory, PendingKey::Audit, PendingKey::Office, PendingKey::Tenant]);
    // All of it is still there: reading goes on, writing waits for the new key.
    assert_eq!(founder.reveal_field(vpn.id, vpn.fields[1].id, None).unwrap().expose(), "x");
    assert!(founder.change_record(vpn.id, vpn.version, kept(&vpn)).is_err());
    assert_eq!(founder.saved_searches().unwrap()[0].name, "databases");
    assert!(!founder.ways_in().unwrap().personal_code);
    drop(code);
    assert!(founder.start_rekeying().wait().unwrap().is_empty());
    founder.change_record(vpn.id, vpn.version, kept(&vpn)).unwrap();
    founder.start_backup(&place.path("one.age")).wait().unwrap();
    // Checkpoints of before still count by the keys of before.
    assert!(founder.start_verify_log().unwrap().wait().unwrap().ok);
    let keys = founder.key_register().unwrap().keys;
    let own: Vec<_> = keys.iter().filter(|key| key.kind == KeyKind::Account).map(|key| key.number).collect();
    assert_eq!(own, [2, 1]);
    founder.lock().unwrap();
    let founder = place.vault().unlock(LOGIN, passphrase(NEW)).unwrap();
    assert!(founder.people().unwrap().pending.is_empty());
    founder.lock().unwrap();
    place.vault().start_backup(&place.path("two.age")).wait().unwrap();
}

#[test]
fn a_member_renews_and_a_steward_follows() {
    let place = Place::new();
    let (founder, _kit) = place.create();
    let acme = tenant(&founder, "ACME GmbH");
    let vpn = founder.add_record(acme.id, login_draft("VPN", "svc", "x")).unwrap();
    enrol(&place, founder, "otto", &[Role::Member]).lock().unwrap();
    let founder = place.unlock();
    founder.grant(acme.id, account(&founder, "otto").id, Right::Editor, None).unwrap();
    founder.lock().unwrap();
    renew(place.unlock_as("otto"), NEW);
    let otto = place.vault().unlock("otto", passphrase(NEW)).unwrap();
    assert_eq!(otto.reveal_field(vpn.id, vpn.fields[1].id, None).unwrap().expose(), "x");
    assert!(matches!(
        otto.start_rekeying().wait().unwrap().as_slice(),
        [directory, tenant] if directory.key == PendingKey::Directory && tenant.key == PendingKey::Tenant
    ));
    otto.lock().unwrap();
    let founder = place.unlock();
    assert!(founder.start_rekeying().wait().unwrap().is_empty());
    founder.lock().unwrap();
    let otto = place.vault().unlock("otto", passphrase(NEW)).unwrap();
    let opened = otto.open_record(vpn.id).unwrap();
    otto.change_record(vpn.id, opened.version, kept(&opened)).unwrap();
    assert!(otto.start_check_files().unwrap().wait().is_ok());
}

#[test]
fn stopped_before_the_new_keys_are_stated_the_new_passphrase_opens_and_goes_on() {
    let place = Place::new();
    let (founder, _kit) = place.create();
    let acme = tenant(&founder, "ACME GmbH");
    renew(founder, NEW);
    // The header of the moment at which everything may stop: before and after the first unlock it opens.
    let header = place.vault_folder().join("header");
    let between = fs::read(&header).unwrap();
    place.vault().unlock(LOGIN, passphrase(NEW)).unwrap().lock().unwrap();
    let done = fs::read(&header).unwrap();
    // As a kill leaves it between the statement and the header: the statement stands, the header knows nothing of it.
    fs::write(&header, &between).unwrap();
    let opened = place.vault().unlock(LOGIN, passphrase(NEW));
    // A directory that was locked cleanly since is not the one that the header remembers.
    assert!(opened.is_err());
    fs::write(&header, &done).unwrap();
    let founder = place.vault().unlock(LOGIN, passphrase(NEW)).unwrap();
    assert_eq!(founder.tenants().unwrap()[0].id, acme.id);
}

#[test]
fn what_is_refused_changes_nothing() {
    let place = Place::new();
    let (founder, _kit) = place.create();
    enrol(&place, founder, "otto", &[Role::Member]).lock().unwrap();
    let founder = place.unlock();
    for (weak, key_file) in [("short", None), ("quite a long passphrase of otto 5", Some(&b"few"[..]))] {
        let way = WayIn { passphrase: &passphrase(weak), device_secret: false, key_file };
        let proof = fresh(&founder);
        let refused = founder.make_own_keys(&way, proof);
        assert!(
            matches!(refused, Err(ChangePassphraseError::Passphrase(_) | ChangePassphraseError::KeyFileLength)),
            "{refused:?}"
        );
    }
    // The session is there still, and nothing waits.
    assert!(founder.people().unwrap().pending.is_empty());
    founder.lock().unwrap();
    let otto = place.unlock_as("otto");
    let way = WayIn { passphrase: &passphrase(NEW), device_secret: false, key_file: None };
    let (foreign, ottos) = (fresh(&otto), otto.make_own_keys(&way, fresh(&otto)).unwrap());
    otto.lock().unwrap();
    let founder = place.unlock();
    assert!(matches!(founder.make_own_keys(&way, foreign), Err(ChangePassphraseError::Account(_))));
    assert!(matches!(founder.renew_own_keys(ottos), Err(CallError::Refused)));
    assert!(place.unlock().people().unwrap().pending.is_empty());
    place.vault().unlock("otto", passphrase_of("otto")).unwrap();
}

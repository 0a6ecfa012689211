//! Attacks on several people's vault from outside the engine: guessing, codes, roles that were taken away.
//!
//! What somebody does with an altered program is in coffer-core's own `altered` tests, which have the keys.

use std::fs;
use std::time::{Duration, Instant};

use coffer_core::{
    AccountError, ActivateError, CallError, ChangePassphraseError, CodeRefusal, InviteError, LeaveError, SetRolesError,
    UnlockError, WayIn,
};
use coffer_model::account::{Role, Roles};
use coffer_tests::{
    Authenticator, LOGIN, PASSPHRASE, Place, SetClock, account, enrol, forget_delays, fresh, invite, login_draft,
    passphrase, passphrase_of, tenant, with_code,
};

use crate::cbor::Item;

const WRONG: &str = "quiet lanterns over the harbour 59";

fn wrong(place: &Place, login: &str) -> UnlockError {
    place.vault().unlock(login, passphrase(WRONG)).unwrap_err()
}

#[test]
fn attack_05_an_unknown_login_is_answered_as_a_known_one_is() {
    let place = Place::new();
    let (founder, _kit) = place.create();
    enrol(&place, founder, "otto", &[Role::Member]).lock().unwrap();
    let texts = ["otto", "nobody", LOGIN, "no login at all"].map(|login| wrong(&place, login).to_string());
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
    // The same delays as well, so that who has an account cannot be told by who has to wait.
    for login in ["otto", "nobody"] {
        forget_delays(&place.vault_folder());
        (0..5).for_each(|_| assert!(matches!(wrong(&place, login), UnlockError::Refused)));
        assert!(matches!(wrong(&place, login), UnlockError::TooSoon { .. }), "{login}");
    }
    // The same derivation is spent on both: the quickest of several tries differ by less than a derivation takes.
    let quickest = |login: &str| {
        let tries = (0..7).map(|_| {
            forget_delays(&place.vault_folder());
            let start = Instant::now();
            wrong(&place, login);
            start.elapsed()
        });
        tries.min().unwrap()
    };
    let (known, unknown) = (quickest("otto"), quickest("nobody"));
    assert!(known.max(unknown) < known.min(unknown) * 3, "{known:?} {unknown:?}");
}

#[test]
fn attack_06_rapid_failures_meet_delays_that_outlast_the_program() {
    let place = Place::new();
    place.create().0.lock().unwrap();
    let refused = |error: &UnlockError| matches!(error, UnlockError::Refused);
    let tried = (0..100).filter(|_| refused(&wrong(&place, LOGIN))).count();
    assert!(tried < 20, "{tried}");
    // A new host is a new program: what makes it wait is in the folder.
    let again = coffer_core::Vault::open(&place.host, &place.vault_folder()).unwrap();
    let right = again.unlock(LOGIN, passphrase(PASSPHRASE));
    assert!(matches!(right, Err(UnlockError::TooSoon { wait }) if wait <= Duration::from_mins(1)), "{right:?}");
}

#[test]
fn attack_07_nobody_is_locked_out_for_longer_than_a_minute() {
    let mut place = Place::new();
    let clock = SetClock::put_into(&mut place);
    let (founder, _kit) = place.create();
    enrol(&place, founder, "otto", &[Role::Member]).lock().unwrap();
    for _ in 0..60 {
        wrong(&place, "otto");
    }
    // Whoever is not guessed at unlocks as ever, and the one who is guessed at once the delay is over.
    place.unlock().lock().unwrap();
    clock.set_days_ahead(1);
    place.unlock_as("otto").lock().unwrap();
    // Nor does a clock that is set back shut anybody out: the delay counts from now.
    for _ in 0..8 {
        wrong(&place, "otto");
    }
    clock.set_days_ahead(-300);
    assert!(matches!(wrong(&place, "otto"), UnlockError::TooSoon { wait } if wait <= Duration::from_mins(1)));
    clock.set_days_ahead(-299);
    place.unlock_as("otto");
}

#[test]
fn attack_13_an_activation_code_counts_in_time_and_once() {
    let mut place = Place::new();
    let clock = SetClock::put_into(&mut place);
    let (founder, _kit) = place.create();
    let late = invite(&founder, "late", &[Role::Member]);
    founder.lock().unwrap();
    clock.set_days_ahead(2);
    let expired = place.vault().activate(&late, &passphrase_of("late"));
    assert!(matches!(expired, Err(ActivateError::Expired)));
    clock.set_days_ahead(0);
    place.vault().activate(&late, &passphrase_of("late")).unwrap().lock().unwrap();
    let twice = place.vault().activate(&late, &passphrase("another five slow words 77"));
    assert!(matches!(twice, Err(ActivateError::NoInvitation)));
    let founder = place.unlock();
    let page = founder.log_page(None, 100).unwrap();
    assert!(page.entries.iter().any(|entry| entry.action == "vault.unlock_failed"));
}

#[test]
fn attack_14_nothing_about_an_account_changes_without_a_passphrase_given_just_now() {
    let place = Place::new();
    let (founder, _kit) = place.create();
    let proof_of_before = fresh(&founder);
    enrol(&place, founder, "otto", &[Role::Member]).lock().unwrap();
    let founder = place.unlock();
    let otto = account(&founder, "otto").id;
    let stale = |result: Result<(), AccountError>| assert!(matches!(result, Err(AccountError::NotFresh)));
    // A proof of another session is none.
    let changed = founder.change_passphrase(&passphrase("another five slow words 77"), proof_of_before);
    match changed {
        Err(ChangePassphraseError::Account(error)) => stale(Err(error)),
        other => panic!("{other:?}"),
    }
    let foreign = || fresh(&Place::new().create().0);
    match founder.set_roles(otto, Roles::ALL, foreign()) {
        Err(SetRolesError::Account(error)) => stale(Err(error)),
        other => panic!("{other:?}"),
    }
    match founder.remove_account(otto, false, foreign()) {
        Err(LeaveError::Account(error)) => stale(Err(error)),
        other => panic!("{other:?}"),
    }
    match founder.invite(&"eva".parse().unwrap(), Roles::ALL, 24, foreign()) {
        Err(InviteError::Account(error)) => stale(Err(error)),
        other => panic!("{other:?}"),
    }
    founder.lock().unwrap();
    place.unlock().lock().unwrap();
    place.unlock_as("otto").lock().unwrap();
}

#[test]
fn attack_23_the_slots_and_entries_of_two_accounts_exchanged_open_nothing() {
    // Members of the header and of an account's entry (docs/FORMAT.md §3).
    const ACCOUNTS: usize = 12;
    const LOOKUP: usize = 0;
    const SLOTS: usize = 2;
    let place = Place::new();
    let (founder, _kit) = place.create();
    enrol(&place, founder, "otto", &[Role::Member]).lock().unwrap();
    let path = place.vault_folder().join("header");
    let good = fs::read(&path).unwrap();
    for member in [LOOKUP, SLOTS, 3, 4, 5] {
        let mut header = Item::read(&good);
        let accounts = header.array()[ACCOUNTS].array();
        let one = accounts[0].array()[member].clone();
        let other = std::mem::replace(&mut accounts[1].array()[member], one);
        accounts[0].array()[member] = other;
        fs::write(&path, header.write()).unwrap();
        forget_delays(&place.vault_folder());
        assert!(place.vault().unlock(LOGIN, passphrase(PASSPHRASE)).is_err(), "member {member}");
        assert!(place.vault().unlock("otto", passphrase_of("otto")).is_err(), "member {member}");
    }
    fs::write(&path, good).unwrap();
    forget_delays(&place.vault_folder());
    place.unlock_as("otto").lock().unwrap();
    place.unlock();
}

#[test]
fn attack_24_an_old_slot_put_back_does_not_unlock_the_vault_of_today() {
    let place = Place::new();
    place.create().0.lock().unwrap();
    let path = place.vault_folder().join("header");
    let locked = fs::read(&path).unwrap();
    let founder = place.unlock();
    // As a kill would leave it: without the directory's root, which would give the next attack away by itself.
    let before = fs::read(&path).unwrap();
    founder.change_passphrase(&passphrase("another five slow words 77"), fresh(&founder)).unwrap();
    founder.lock().unwrap();
    // By somebody who can write the files: the header of before, in today's folder.
    let today = fs::read(&path).unwrap();
    fs::write(&path, &before).unwrap();
    let opened = place.vault().unlock(LOGIN, passphrase(PASSPHRASE));
    assert!(matches!(opened, Err(UnlockError::Refused)), "{opened:?}");
    fs::write(&path, &locked).unwrap();
    let opened = place.vault().unlock(LOGIN, passphrase(PASSPHRASE));
    assert!(matches!(opened, Err(UnlockError::Fault(_))), "{opened:?}");
    // The old slot beside the entry of today.
    let mut header = Item::read(&today);
    let slot = Item::read(&before).array()[12].array()[0].array()[2].clone();
    header.array()[12].array()[0].array()[2] = slot;
    fs::write(&path, header.write()).unwrap();
    assert!(place.vault().unlock(LOGIN, passphrase(PASSPHRASE)).is_err());
    fs::write(&path, &today).unwrap();
    place.vault().unlock(LOGIN, passphrase("another five slow words 77")).unwrap();
}

#[test]
fn attack_24_after_may_be_known_an_old_copy_and_passphrase_open_nothing_current() {
    let place = Place::new();
    let (founder, _kit) = place.create();
    let acme = tenant(&founder, "ACME GmbH");
    founder.add_record(acme.id, login_draft("VPN", "svc", "before")).unwrap();
    founder.lock().unwrap();
    let path = place.vault_folder().join("header");
    let old = fs::read(&path).unwrap();
    let founder = place.unlock();
    let new = "another five slow words 77";
    let way = WayIn { passphrase: &passphrase(new), device_secret: false, key_file: None };
    let proof = fresh(&founder);
    let keys = founder.make_own_keys(&way, proof).unwrap();
    founder.renew_own_keys(keys).unwrap();
    assert!(matches!(place.vault().unlock(LOGIN, passphrase(PASSPHRASE)), Err(UnlockError::Refused)));
    let founder = place.vault().unlock(LOGIN, passphrase(new)).unwrap();
    assert!(founder.start_rekeying().wait().unwrap().is_empty());
    founder.add_record(acme.id, login_draft("Portal", "svc", "after")).unwrap();
    founder.lock().unwrap();
    let today = fs::read(&path).unwrap();
    // The header of before opens by the old passphrase, but none of what is there today; nor does the old entry beside it.
    fs::write(&path, &old).unwrap();
    assert!(place.vault().unlock(LOGIN, passphrase(PASSPHRASE)).is_err());
    let mut header = Item::read(&today);
    header.array()[12] = Item::read(&old).array()[12].clone();
    fs::write(&path, header.write()).unwrap();
    assert!(place.vault().unlock(LOGIN, passphrase(PASSPHRASE)).is_err());
    fs::write(&path, &today).unwrap();
    assert_eq!(place.vault().unlock(LOGIN, passphrase(new)).unwrap().list_records(acme.id, 10, None).unwrap().total, 2);
}

#[test]
fn attack_42_a_role_withdrawn_while_unlocked_is_denied_at_once() {
    let place = Place::new();
    let (founder, _kit) = place.create();
    let ida = enrol(&place, founder, "ida", &[Role::Administrator, Role::Auditor]);
    let own = account(&ida, "ida").id;
    ida.set_roles(own, Roles::of([Role::Member]), fresh(&ida)).unwrap();
    assert_eq!(ida.view().roles, [Role::Member]);
    let invited = ida.invite(&"eva".parse().unwrap(), Roles::ALL, 24, fresh(&ida));
    assert!(matches!(invited, Err(InviteError::Call(CallError::Refused))));
    assert!(matches!(ida.log_page(None, 10), Err(CallError::Refused)));
    assert!(ida.start_backup(&place.path("no.age")).wait().is_err());
    assert!(!place.path("no.age").exists());
    ida.lock().unwrap();
    let founder = place.unlock();
    let page = founder.log_page(None, 100).unwrap();
    assert!(page.entries.iter().any(|entry| entry.action == "access.refused" && entry.actor.as_deref() == Some("ida")));
    // What she holds keys of is told, until it has new ones.
    assert_eq!(founder.people().unwrap().pending.len(), 2);
    let acme = tenant(&founder, "ACME GmbH");
    assert!(founder.list_records(acme.id, 1, None).is_ok());
}

#[test]
fn attack_43_the_last_administrator_does_not_remove_itself() {
    let place = Place::new();
    let (founder, _kit) = place.create();
    let own = account(&founder, LOGIN).id;
    let refused = founder.set_roles(own, Roles::of([Role::Member]), fresh(&founder));
    assert!(matches!(refused, Err(SetRolesError::LastAdministrator)));
    assert!(matches!(founder.remove_account(own, true, fresh(&founder)), Err(LeaveError::Oneself)));
    assert!(matches!(founder.reset_account(own, 24, true, fresh(&founder)), Err(LeaveError::Oneself)));
}

#[test]
fn attack_09_a_code_serves_once() {
    let mut place = Place::new();
    let clock = SetClock::put_into(&mut place);
    let (session, _kit) = place.create();
    let (authenticator, _) = Authenticator::enrol(&session, place.host.clock.now());
    let try_with = |code: &str| place.vault().unlock_with(LOGIN, &with_code(passphrase(PASSPHRASE), code));
    // The one that enrolled it has served, too.
    let enrolling = authenticator.code(place.host.clock.now());
    session.lock().unwrap();
    assert!(matches!(try_with(&enrolling), Err(UnlockError::Code(CodeRefusal::Used))));
    clock.set_seconds_ahead(60);
    let code = authenticator.code(place.host.clock.now());
    try_with(&code).unwrap().lock().unwrap();
    assert!(matches!(try_with(&code), Err(UnlockError::Code(CodeRefusal::Used))));
    // Nor where a session asks anew.
    clock.set_seconds_ahead(120);
    let code = authenticator.code(place.host.clock.now());
    let session = try_with(&code).unwrap();
    let anew = session.authenticate(&with_code(passphrase(PASSPHRASE), &code));
    assert!(matches!(anew, Err(UnlockError::Code(CodeRefusal::Used))));
}

#[test]
fn attack_10_a_clock_set_back_brings_no_code_back() {
    let mut place = Place::new();
    let clock = SetClock::put_into(&mut place);
    let (session, _kit) = place.create();
    let (authenticator, _) = Authenticator::enrol(&session, place.host.clock.now());
    session.lock().unwrap();
    let seen = authenticator.code(place.host.clock.now());
    clock.set_seconds_ahead(600);
    let code = authenticator.code(place.host.clock.now());
    let try_with = |code: &str| place.vault().unlock_with(LOGIN, &with_code(passphrase(PASSPHRASE), code));
    try_with(&code).unwrap().lock().unwrap();
    clock.set_seconds_ahead(0);
    assert!(matches!(try_with(&seen), Err(UnlockError::Code(CodeRefusal::Used))));
    // Not either one of then that never served.
    clock.set_seconds_ahead(300);
    let between = authenticator.code(place.host.clock.now());
    assert!(matches!(try_with(&between), Err(UnlockError::Code(CodeRefusal::Used))));
    clock.set_seconds_ahead(660);
    try_with(&authenticator.code(place.host.clock.now())).unwrap().lock().unwrap();
}

#[test]
fn attack_11_a_code_two_steps_old_is_refused_and_one_step_old_is_not() {
    let mut place = Place::new();
    let clock = SetClock::put_into(&mut place);
    let (session, _kit) = place.create();
    let (authenticator, _) = Authenticator::enrol(&session, place.host.clock.now());
    session.lock().unwrap();
    let code_at = |seconds| {
        clock.set_seconds_ahead(seconds);
        authenticator.code(place.host.clock.now())
    };
    let (old, late) = (code_at(600), code_at(630));
    clock.set_seconds_ahead(660);
    let try_with = |code: &str| place.vault().unlock_with(LOGIN, &with_code(passphrase(PASSPHRASE), code));
    assert!(matches!(try_with(&old), Err(UnlockError::Code(CodeRefusal::Wrong))));
    try_with(&late).unwrap().lock().unwrap();
}

#[test]
fn attack_12_a_spare_code_serves_once_and_both_tries_are_on_record() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let (_, spare) = Authenticator::enrol(&session, place.host.clock.now());
    session.lock().unwrap();
    let try_with = |code: &str| place.vault().unlock_with(LOGIN, &with_code(passphrase(PASSPHRASE), code));
    try_with(&spare[0]).unwrap().lock().unwrap();
    assert!(matches!(try_with(&spare[0]), Err(UnlockError::Code(CodeRefusal::Wrong))));
    let session = try_with(&spare[1]).unwrap();
    let actions: Vec<_> = session.log_page(None, 50).unwrap().entries.into_iter().map(|entry| entry.action).collect();
    assert_eq!(actions.iter().filter(|action| **action == "spare_code.used").count(), 2);
    assert_eq!(actions.iter().filter(|action| **action == "vault.unlock_failed").count(), 1);
    // Those of another account are none, and new ones end the old.
    let made = session.make_spare_codes(fresh(&session)).unwrap();
    assert_eq!(made.len(), 10);
    session.lock().unwrap();
    assert!(matches!(try_with(&spare[2]), Err(UnlockError::Code(CodeRefusal::Wrong))));
}

#[test]
fn wrong_codes_meet_the_delays_of_wrong_passphrases() {
    let place = Place::new();
    let (session, _kit) = place.create();
    Authenticator::enrol(&session, place.host.clock.now());
    session.lock().unwrap();
    let tried = (0..20).filter(|_| {
        let wrong = place.vault().unlock_with(LOGIN, &with_code(passphrase(PASSPHRASE), "000 000"));
        !matches!(wrong, Err(UnlockError::TooSoon { .. }))
    });
    assert!(tried.count() < 8);
}

//! What opens an account besides its passphrase: key factors, the personal recovery code, the second factor; and the rules
//! that an administrator sets about them.

use std::sync::{Arc, Mutex};

use coffer_core::host::KeyringError;
use coffer_core::policy::Action;
use coffer_core::{
    CallError, ChangePassphraseError, CodeRefusal, Credentials, ExportError, ExportRequest, InviteError, LeaveError,
    PersonalCode, SecondFactorError, SetPolicyError, SetRolesError, UnlockError, WayIn,
};
use coffer_model::account::{Role, Roles};
use coffer_model::event::ExportFormat;
use coffer_model::policy::{Guarded, GuardedSet, VaultPolicy};
use coffer_tests::{
    Authenticator, LOGIN, MemoryKeyring, PASSPHRASE, Place, SetClock, account, enrol, forget_delays, fresh,
    login_draft, passphrase, passphrase_of, tenant, with_code,
};

const KEY_FILE: &[u8] = b"thirty-two bytes at least, whatever they may be";
const OTHER_FILE: &[u8] = b"another file that is long enough to be a key file";

fn founder() -> Credentials {
    Credentials::new(passphrase(PASSPHRASE))
}

fn with(device_secret: bool, key_file: Option<&'static [u8]>) -> impl Fn(&coffer_core::Session) {
    move |session| {
        let way = WayIn { passphrase: &passphrase(PASSPHRASE), device_secret, key_file };
        session.change_way_in(&way, fresh(session)).unwrap();
    }
}

#[test]
fn with_a_key_file_the_passphrase_alone_opens_nothing_and_says_what_is_missing() {
    let place = Place::new();
    let (session, _kit) = place.create();
    with(false, Some(KEY_FILE))(&session);
    assert!(session.ways_in().unwrap().key_file);
    session.lock().unwrap();
    match place.vault().unlock(LOGIN, passphrase(PASSPHRASE)) {
        Err(UnlockError::FactorMissing(missing)) => assert!(missing.key_file && missing.keyring.is_none()),
        other => panic!("{other:?}"),
    }
    // Who has no account is answered alike.
    let unknown = place.vault().unlock("nobody", passphrase(PASSPHRASE));
    assert!(matches!(unknown, Err(UnlockError::FactorMissing(_))));
    let other = place.vault().unlock_with(LOGIN, &founder().with_key_file(OTHER_FILE));
    assert!(matches!(other, Err(UnlockError::Refused)));
    let session = place.vault().unlock_with(LOGIN, &founder().with_key_file(KEY_FILE)).unwrap();
    // Changing the passphrase alone would leave the file out, so it is asked for.
    let alone = session.change_passphrase(&passphrase("another five slow words 77"), fresh(&session));
    assert!(matches!(alone, Err(ChangePassphraseError::KeyFileNeeded)));
    with(false, None)(&session);
    session.lock().unwrap();
    place.unlock().lock().unwrap();
}

#[test]
fn a_key_file_that_can_be_guessed_is_refused() {
    let place = Place::new();
    let (session, _kit) = place.create();
    for content in [&b"short"[..], &[7; 31], &vec![7; 1024 * 1024 + 1]] {
        let way = WayIn { passphrase: &passphrase(PASSPHRASE), device_secret: false, key_file: Some(content) };
        let refused = session.change_way_in(&way, fresh(&session));
        assert!(matches!(refused, Err(ChangePassphraseError::KeyFileLength)), "{}", content.len());
    }
    assert!(!session.ways_in().unwrap().key_file);
}

#[test]
fn with_a_device_secret_a_locked_or_emptied_keyring_is_named_and_nothing_else_opens() {
    let mut place = Place::new();
    let keyring = MemoryKeyring::put_into(&mut place);
    let (session, _kit) = place.create();
    with(true, None)(&session);
    let code = session.make_personal_code(fresh(&session)).unwrap();
    let code = String::from_utf8(code.expose().to_vec()).unwrap();
    session.lock().unwrap();
    place.unlock().lock().unwrap();

    let missing = || match place.vault().unlock(LOGIN, passphrase(PASSPHRASE)) {
        Err(UnlockError::FactorMissing(missing)) => missing.keyring,
        other => panic!("{other:?}"),
    };
    keyring.lock(true);
    assert_eq!(missing(), Some(KeyringError::Locked));
    keyring.lock(false);
    let kept = std::mem::take(&mut *keyring.kept.lock().unwrap());
    assert_eq!(missing(), Some(KeyringError::NotFound));
    // A changed one is a wrong one.
    *keyring.kept.lock().unwrap() = kept.keys().map(|name| (name.clone(), vec![9; 32])).collect();
    assert!(matches!(place.vault().unlock(LOGIN, passphrase(PASSPHRASE)), Err(UnlockError::Refused)));

    // The way in when the device's secret is gone: the personal recovery code, and a secret anew.
    let by_code = Credentials::by_personal_code(&PersonalCode::parse_text(&code).unwrap());
    let session = place.vault().unlock_with(LOGIN, &by_code).unwrap();
    keyring.kept.lock().unwrap().clear();
    with(true, None)(&session);
    session.lock().unwrap();
    place.unlock().lock().unwrap();
    // It still is a way in: changing the passphrase leaves other ways as they are.
    place.vault().unlock_with(LOGIN, &by_code).unwrap().lock().unwrap();
}

#[test]
fn a_keyring_that_takes_nothing_changes_nothing() {
    let mut place = Place::new();
    let keyring = MemoryKeyring::put_into(&mut place);
    let (session, _kit) = place.create();
    keyring.lock(true);
    let way = WayIn { passphrase: &passphrase(PASSPHRASE), device_secret: true, key_file: None };
    let refused = session.change_way_in(&way, fresh(&session));
    assert!(matches!(refused, Err(ChangePassphraseError::Keyring(KeyringError::Locked))));
    session.lock().unwrap();
    place.unlock().lock().unwrap();
}

#[test]
fn attack_02_a_passphrase_under_15_characters_needs_a_key_factor_beside_it() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let short = passphrase("nine herons 7");
    let way = |key_file| WayIn { passphrase: &short, device_secret: false, key_file };
    let alone = session.change_way_in(&way(None), fresh(&session));
    assert!(matches!(alone, Err(ChangePassphraseError::Passphrase(_))), "{alone:?}");
    session.change_way_in(&way(Some(KEY_FILE)), fresh(&session)).unwrap();
    // A second factor is none: no key of the account depends on it.
    with(false, None)(&session);
    Authenticator::enrol(&session, place.host.clock.now());
    let coded = session.change_way_in(&way(None), fresh(&session));
    assert!(matches!(coded, Err(ChangePassphraseError::Passphrase(_))), "{coded:?}");
}

#[test]
fn a_new_personal_code_ends_the_one_before() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let make = || {
        let code = session.make_personal_code(fresh(&session)).unwrap();
        PersonalCode::parse_text(std::str::from_utf8(code.expose()).unwrap()).unwrap()
    };
    let (first, second) = (make(), make());
    session.lock().unwrap();
    let by = |code| place.vault().unlock_with(LOGIN, &Credentials::by_personal_code(code));
    assert!(matches!(by(&first), Err(UnlockError::Refused)));
    by(&second).unwrap().lock().unwrap();
    // A personal code is no passphrase, and a passphrase no personal code.
    assert!(matches!(place.vault().unlock(LOGIN, second.to_passphrase()), Err(UnlockError::Refused)));
    place.unlock().lock().unwrap();
}

#[test]
fn with_a_second_factor_unlocking_and_authenticating_ask_for_a_code() {
    let mut place = Place::new();
    let clock = SetClock::put_into(&mut place);
    let (session, _kit) = place.create();
    let now = || place.host.clock.now();
    let (authenticator, spare) = Authenticator::enrol(&session, now());
    assert_eq!(spare.len(), 10);
    assert!(account(&session, LOGIN).second_factor);
    session.lock().unwrap();
    let vault = place.vault();
    assert!(matches!(vault.unlock(LOGIN, passphrase(PASSPHRASE)), Err(UnlockError::CodeNeeded)));
    // Whoever has the passphrase wrong does not learn that there is one.
    let wrong = vault.unlock_with(LOGIN, &with_code(passphrase("quiet lanterns over the harbour 59"), "000000"));
    assert!(matches!(wrong, Err(UnlockError::Refused)));
    clock.set_seconds_ahead(60);
    let session = vault.unlock_with(LOGIN, &with_code(passphrase(PASSPHRASE), &authenticator.code(now()))).unwrap();
    assert!(matches!(session.authenticate(&founder()), Err(UnlockError::CodeNeeded)));
    clock.set_seconds_ahead(120);
    let shown = with_code(passphrase(PASSPHRASE), &authenticator.code(now()));
    drop(session.authenticate(&shown).unwrap());
    // A spare code in its place, once; how many are left can be seen.
    drop(session.authenticate(&with_code(passphrase(PASSPHRASE), &spare[3])).unwrap());
    assert_eq!(session.ways_in().unwrap().spare_codes_left, 9);
    session.remove_second_factor(fresh(&session)).unwrap();
    assert!(!account(&session, LOGIN).second_factor);
    session.lock().unwrap();
    place.unlock().lock().unwrap();
}

#[test]
fn an_authenticator_that_did_not_take_the_seed_is_not_enrolled() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let offer = session.offer_second_factor().unwrap();
    let refused = session.enrol_second_factor(&offer, "12345", fresh(&session));
    assert!(matches!(refused, Err(SecondFactorError::Code(CodeRefusal::Wrong))));
    assert!(matches!(session.remove_second_factor(fresh(&session)), Err(SecondFactorError::None)));
    session.lock().unwrap();
    place.unlock().lock().unwrap();
}

#[test]
fn who_must_have_a_second_factor_does_nothing_before() {
    let place = Place::new();
    let (session, _kit) = place.create();
    tenant(&session, "ACME");
    let policy = VaultPolicy { second_factor: Roles::of([Role::Auditor]), ..VaultPolicy::default() };
    assert!(matches!(session.set_policy(policy, fresh(&session)), Err(SetPolicyError::EnrolFirst)));
    Authenticator::enrol(&session, place.host.clock.now());
    session.set_policy(policy, fresh(&session)).unwrap();
    let refused = session.remove_second_factor(fresh(&session));
    assert!(matches!(refused, Err(SecondFactorError::Required)));

    let ida = enrol(&place, session, "ida", &[Role::Auditor]);
    assert!(ida.view().needs_second_factor);
    assert!(matches!(ida.tenants(), Err(CallError::SecondFactorNeeded)));
    assert!(matches!(ida.log_page(None, 10), Err(CallError::SecondFactorNeeded)));
    Authenticator::enrol(&ida, place.host.clock.now());
    assert!(!ida.view().needs_second_factor);
    ida.log_page(None, 10).unwrap();
}

#[test]
fn what_the_rules_put_under_authentication_anew_asks_for_it_after_two_minutes() {
    let mut place = Place::new();
    let hurried = Arc::new(Hurried { real: place.host.clock.clone(), seconds: Mutex::new(0) });
    place.host.clock = hurried.clone();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME");
    let record = session.add_record(acme.id, login_draft("Gate", "svc", "hunter2-hunter2")).unwrap();
    let policy = VaultPolicy { step_up: GuardedSet::NONE.with(Guarded::Reveal), ..VaultPolicy::default() };
    session.set_policy(policy, fresh(&session)).unwrap();
    let reveal = || session.reveal_field(record.id, record.fields[1].id, None);
    reveal().unwrap();
    *hurried.seconds.lock().unwrap() = 121;
    assert!(matches!(reveal(), Err(CallError::StepUpNeeded)));
    session.open_record(record.id).unwrap();
    drop(session.authenticate(&founder()).unwrap());
    reveal().unwrap();
}

struct Hurried {
    real: Arc<dyn coffer_core::host::Clock>,
    seconds: Mutex<u64>,
}

impl coffer_core::host::Clock for Hurried {
    fn now(&self) -> coffer_model::time::Timestamp {
        self.real.now()
    }

    fn monotonic(&self) -> std::time::Duration {
        self.real.monotonic() + std::time::Duration::from_secs(*self.seconds.lock().unwrap())
    }
}

#[test]
fn what_takes_two_people_is_refused_to_one_and_done_by_two() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME");
    let two = VaultPolicy { two_people: GuardedSet::NONE.with(Guarded::Export), ..VaultPolicy::default() };
    assert!(matches!(session.set_policy(two, fresh(&session)), Err(SetPolicyError::OneAdministrator)));
    let daily = VaultPolicy { two_people: GuardedSet::NONE.with(Guarded::Reveal), ..VaultPolicy::default() };
    enrol(&place, session, "ida", &[Role::Administrator]).lock().unwrap();
    let session = place.unlock();
    enrol(&place, session, "otto", &[Role::Member]).lock().unwrap();
    let session = place.unlock();
    assert!(matches!(session.set_policy(daily, fresh(&session)), Err(SetPolicyError::NotForTwo)));
    session.set_policy(two, fresh(&session)).unwrap();

    let request = || ExportRequest {
        confirmation: Some("ACME".to_owned()),
        ..ExportRequest::new(acme.id, place.path("acme.csv"), ExportFormat::Csv)
    };
    let alone = session.start_export(request(), fresh(&session)).err();
    assert!(matches!(alone, Some(ExportError::Call(CallError::SecondPersonNeeded))), "{alone:?}");
    let second = |login: &str, passphrase| {
        let mut proof = fresh(&session);
        session.second(&mut proof, login, &Credentials::new(passphrase)).map(|()| proof)
    };
    assert!(matches!(second(LOGIN, passphrase(PASSPHRASE)), Err(UnlockError::NotAnother)));
    assert!(matches!(second("otto", passphrase_of("otto")), Err(UnlockError::NotAnother)));
    assert!(matches!(second("ida", passphrase(PASSPHRASE)), Err(UnlockError::Refused)));
    forget_delays(&place.vault_folder());
    let proof = second("ida", passphrase_of("ida")).unwrap();
    session.start_export(request(), proof).unwrap().wait().unwrap();
    assert!(place.path("acme.csv").exists());
    let page = session.log_page(None, 20).unwrap();
    assert!(page.entries.iter().any(|entry| entry.action == "action.seconded"));

    // To be rid of the rule takes two as well.
    let rid = session.set_policy(VaultPolicy::default(), fresh(&session));
    assert!(matches!(rid, Err(SetPolicyError::Call(CallError::SecondPersonNeeded))));
    session.set_policy(VaultPolicy::default(), second("ida", passphrase_of("ida")).unwrap()).unwrap();
}

#[test]
fn a_second_persons_code_is_used_up_as_well() {
    let mut place = Place::new();
    let clock = SetClock::put_into(&mut place);
    let (session, _kit) = place.create();
    let ida = enrol(&place, session, "ida", &[Role::Administrator]);
    let (authenticator, _) = Authenticator::enrol(&ida, place.host.clock.now());
    ida.lock().unwrap();
    let session = place.unlock();
    clock.set_seconds_ahead(60);
    let code = authenticator.code(place.host.clock.now());
    let mut proof = fresh(&session);
    session.second(&mut proof, "ida", &with_code(passphrase_of("ida"), &code)).unwrap();
    let again = session.second(&mut proof, "ida", &with_code(passphrase_of("ida"), &code));
    assert!(matches!(again, Err(UnlockError::Code(CodeRefusal::Used))), "{again:?}");
    session.lock().unwrap();
    let at_unlock = place.vault().unlock_with("ida", &with_code(passphrase_of("ida"), &code));
    assert!(matches!(at_unlock, Err(UnlockError::Code(CodeRefusal::Used))), "{at_unlock:?}");
}

#[test]
fn a_slot_below_the_rules_is_raised_at_unlocking_and_the_cheap_one_opens_nothing_any_more() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let before = session.ways_in().unwrap().kdf_memory_kib;
    let least = before * 4;
    session.set_policy(VaultPolicy { kdf_memory_kib: least, ..VaultPolicy::default() }, fresh(&session)).unwrap();
    session.lock().unwrap();
    let cheap = std::fs::read(place.vault_folder().join("header")).unwrap();
    let session = place.unlock();
    assert_eq!(session.ways_in().unwrap().kdf_memory_kib, least);
    session.lock().unwrap();
    let session = place.unlock();
    assert_eq!(session.ways_in().unwrap().kdf_memory_kib, least);
    let raised = session.log_page(None, 50).unwrap().entries.iter().filter(|e| e.action == "kdf.raised").count();
    assert_eq!(raised, 1);
    session.lock().unwrap();
    std::fs::write(place.vault_folder().join("header"), cheap).unwrap();
    assert!(place.vault().unlock(LOGIN, passphrase(PASSPHRASE)).is_err());
}

#[test]
fn only_administrators_set_rules_and_everybody_sees_them() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let otto = enrol(&place, session, "otto", &[Role::Member]);
    assert_eq!(otto.policy().unwrap(), VaultPolicy::default());
    let refused = otto.set_policy(VaultPolicy::default(), fresh(&otto));
    assert!(matches!(refused, Err(SetPolicyError::Call(CallError::Refused))));
    assert!(matches!(otto.require(Action::SetPolicy), Err(CallError::Refused)));
}

#[test]
fn who_needs_a_second_administrator_cannot_make_one_alone() {
    let place = Place::new();
    let (session, _kit) = place.create();
    enrol(&place, session, "ida", &[Role::Administrator]).lock().unwrap();
    let session = place.unlock();
    enrol(&place, session, "otto", &[Role::Member]).lock().unwrap();
    let session = place.unlock();
    let two = VaultPolicy { two_people: GuardedSet::NONE.with(Guarded::Export), ..VaultPolicy::default() };
    session.set_policy(two, fresh(&session)).unwrap();
    let (ida, otto) = (account(&session, "ida").id, account(&session, "otto").id);
    let puppet = "puppet".parse().unwrap();
    let administrator = Roles::of([Role::Administrator]);

    let invited = session.invite(&puppet, administrator, 24, fresh(&session));
    assert!(matches!(invited, Err(InviteError::Call(CallError::SecondPersonNeeded))), "{invited:?}");
    let raised = session.set_roles(otto, administrator, fresh(&session));
    assert!(matches!(raised, Err(SetRolesError::Call(CallError::SecondPersonNeeded))), "{raised:?}");
    // Whoever gets the code of a reset may be anybody.
    let reset = session.reset_account(ida, 24, false, fresh(&session));
    assert!(matches!(reset, Err(LeaveError::Call(CallError::SecondPersonNeeded))), "{reset:?}");
    // Members come as before, and administrators by two.
    session.invite(&"eva".parse().unwrap(), Roles::of([Role::Member]), 24, fresh(&session)).unwrap();
    let mut proof = fresh(&session);
    session.second(&mut proof, "ida", &Credentials::new(passphrase_of("ida"))).unwrap();
    session.invite(&puppet, administrator, 24, proof).unwrap();
}

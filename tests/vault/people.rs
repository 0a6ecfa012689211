//! Several people on one vault: from the invitation to leaving.

use std::fs;

use coffer_core::view::{AccountState, PendingKey};
use coffer_core::{ActivateError, CallError, GrantError, InviteError, LeaveError, SetRolesError, UnlockError};
use coffer_model::account::{Role, Roles};
use coffer_model::grant::Right;
use coffer_tests::{
    Place, SetClock, account, enrol, fresh, invite, kept, login_draft, passphrase, passphrase_of, tenant,
};

#[test]
fn an_invited_member_enrols_reads_what_is_granted_and_nothing_else() {
    let place = Place::new();
    let (founder, _kit) = place.create();
    let acme = tenant(&founder, "ACME GmbH");
    let bauer = tenant(&founder, "Bauer & Co");
    let vpn = founder.add_record(acme.id, login_draft("VPN", "svc", "canary-otto")).unwrap();
    founder.add_record(bauer.id, login_draft("Safe", "x", "y")).unwrap();

    let otto = enrol(&place, founder, "otto", &[Role::Member]);
    assert_eq!(otto.view().login, "otto");
    assert_eq!(otto.view().roles, [Role::Member]);
    assert!(otto.tenants().unwrap().is_empty());
    assert!(matches!(otto.open_record(vpn.id), Err(CallError::NotFound)));
    otto.lock().unwrap();

    let founder = place.unlock();
    let view = account(&founder, "otto");
    assert_eq!(view.state, AccountState::Active);
    assert_eq!(view.fingerprint.split(' ').count(), 6);
    founder.grant(acme.id, view.id, Right::Reader, None).unwrap();
    assert_eq!(account(&founder, "otto").grants[0].right, Right::Reader);
    founder.lock().unwrap();

    let otto = place.unlock_as("otto");
    let tenants = otto.tenants().unwrap();
    assert_eq!(tenants.len(), 1);
    assert_eq!((tenants[0].name.as_str(), tenants[0].right), ("ACME GmbH", Right::Reader));
    let password = vpn.fields[1].id;
    assert_eq!(otto.reveal_field(vpn.id, password, None).unwrap().expose(), "canary-otto");
    // A reader holds the key; that it does not write is the program's doing.
    let refused = otto.change_record(vpn.id, vpn.version, kept(&vpn));
    assert!(refused.is_err());
    assert!(matches!(otto.log_page(None, 10), Err(CallError::Refused)));
    assert!(otto.list_records(bauer.id, 10, None).is_err());
    otto.lock().unwrap();

    let founder = place.unlock();
    founder.grant(acme.id, view.id, Right::Editor, None).unwrap();
    founder.lock().unwrap();
    let otto = place.unlock_as("otto");
    let changed = otto.change_record(vpn.id, vpn.version, kept(&vpn)).unwrap();
    assert_eq!(changed.version, 2);
    let history = otto.record_history(vpn.id).unwrap();
    assert!(history.iter().any(|version| version.changed_by == "otto"));
}

#[test]
fn an_administrator_without_grants_backs_up_a_vault_of_which_they_read_nothing() {
    let place = Place::new();
    let (founder, _kit) = place.create();
    let acme = tenant(&founder, "ACME GmbH");
    founder.add_record(acme.id, login_draft("VPN", "svc", "canary")).unwrap();
    let ida = enrol(&place, founder, "ida", &[Role::Administrator]);
    assert!(ida.tenants().unwrap().is_empty());
    assert!(ida.list_records(acme.id, 10, None).is_err());
    let target = place.path("ida.age");
    ida.start_backup(&target).wait().unwrap();
    ida.start_verify_backup(&target).wait().unwrap();
    // The office key came with the invitation: names of tenants are administrators' business.
    let names: Vec<_> = account(&ida, "ines").grants.iter().filter_map(|grant| grant.tenant_name.clone()).collect();
    assert_eq!(names, ["ACME GmbH"]);
    assert!(matches!(ida.log_page(None, 10), Err(CallError::Refused)));
}

#[test]
fn an_auditor_reads_the_log_and_no_tenant() {
    let place = Place::new();
    let (founder, _kit) = place.create();
    let acme = tenant(&founder, "ACME GmbH");
    let anna = enrol(&place, founder, "anna", &[Role::Auditor]);
    let page = anna.log_page(None, 100).unwrap();
    assert!(
        page.entries.iter().any(|entry| entry.action == "account.activated" && entry.actor.as_deref() == Some("anna"))
    );
    assert!(anna.start_verify_log().unwrap().wait().unwrap().ok);
    assert!(anna.list_records(acme.id, 10, None).is_err());
    assert!(anna.create_tenant(&"Mine".parse().unwrap()).is_err());
}

#[test]
fn a_role_given_later_has_its_key_as_soon_as_somebody_who_holds_it_unlocks() {
    let place = Place::new();
    let (founder, _kit) = place.create();
    let ida = enrol(&place, founder, "ida", &[Role::Administrator]);
    // Ida is no auditor, so she cannot hand on the audit key.
    let code = invite(&ida, "anna", &[Role::Auditor]);
    ida.lock().unwrap();
    let anna = place.vault().activate(&code, &passphrase_of("anna")).unwrap();
    assert!(account(&anna, "anna").key_pending);
    assert!(matches!(anna.log_page(None, 10), Err(CallError::KeyPending)));
    anna.lock().unwrap();
    place.unlock().lock().unwrap();
    let anna = place.unlock_as("anna");
    assert!(!account(&anna, "anna").key_pending);
    assert!(!anna.log_page(None, 10).unwrap().entries.is_empty());
}

/// With some of the keys alone, entries under the others would look altered, and reports made up.
#[test]
fn an_auditor_who_does_not_hold_every_key_of_the_log_is_told_so() {
    let place = Place::new();
    let (founder, _kit) = place.create();
    let ida = enrol(&place, founder, "ida", &[Role::Administrator]);
    let code = invite(&ida, "anna", &[Role::Auditor]);
    ida.lock().unwrap();
    let anna = place.vault().activate(&code, &passphrase_of("anna")).unwrap();
    anna.replace_audit_key().unwrap();
    let ines = account(&anna, "ines").id;
    assert!(!anna.log_page(None, 10).unwrap().entries.is_empty(), "what is written from now on she reads");
    assert!(matches!(anna.start_verify_log(), Err(CallError::KeyPending)));
    assert!(matches!(anna.start_exposure_check(ines), Err(CallError::KeyPending)));
    anna.lock().unwrap();
    place.unlock().lock().unwrap();
    let anna = place.unlock_as("anna");
    assert!(anna.start_verify_log().unwrap().wait().unwrap().ok);
    anna.start_exposure_check(ines).unwrap().wait().unwrap();
}

#[test]
fn logins_that_look_like_one_another_are_one_to_the_vault() {
    let place = Place::new();
    let (founder, _kit) = place.create();
    invite(&founder, "tom", &[Role::Member]);
    for taken in ["tom", "torn", "ines", "lnes1nes"] {
        let login = taken.parse().unwrap();
        let invited = founder.invite(&login, Roles::of([Role::Member]), 24, fresh(&founder));
        assert_eq!(matches!(invited, Err(InviteError::LoginTaken)), taken != "lnes1nes", "{taken}");
    }
    let none = founder.invite(&"eva".parse().unwrap(), Roles::NONE, 24, fresh(&founder));
    assert!(matches!(none, Err(InviteError::NoRole)));
    let long = founder.invite(&"eva".parse().unwrap(), Roles::of([Role::Member]), 10_000, fresh(&founder));
    assert!(matches!(long, Err(InviteError::Hours)));
}

#[test]
fn an_invitation_that_was_withdrawn_makes_nobody_an_account() {
    let place = Place::new();
    let (founder, _kit) = place.create();
    let code = invite(&founder, "otto", &[Role::Member]);
    founder.withdraw_invitation(account(&founder, "otto").id).unwrap();
    // The name is free again.
    let again = invite(&founder, "otto", &[Role::Member]);
    founder.lock().unwrap();
    let refused = place.vault().activate(&code, &passphrase_of("otto"));
    assert!(matches!(refused, Err(ActivateError::NoInvitation)));
    assert_eq!(place.vault().invited_login(&again).unwrap(), "otto");
    place.vault().activate(&again, &passphrase_of("otto")).unwrap();
}

#[test]
fn who_leaves_opens_nothing_and_tenants_get_new_keys() {
    let place = Place::new();
    let (founder, _kit) = place.create();
    let acme = tenant(&founder, "ACME GmbH");
    let vpn = founder.add_record(acme.id, login_draft("VPN", "svc", "before")).unwrap();
    let plan = place.path("plan.txt");
    fs::write(&plan, "the plan, canary-plan").unwrap();
    founder.start_attach(vpn.id, &plan).unwrap().wait().unwrap();
    let otto = enrol(&place, founder, "otto", &[Role::Member, Role::Auditor]);
    otto.lock().unwrap();
    let founder = place.unlock();
    let leaver = account(&founder, "otto").id;
    founder.grant(acme.id, leaver, Right::Editor, None).unwrap();
    founder.lock().unwrap();
    place.unlock_as("otto").lock().unwrap();

    let founder = place.unlock();
    founder.remove_account(leaver, false, fresh(&founder)).unwrap();
    let people = founder.people().unwrap();
    let keys: Vec<_> = people.pending.iter().map(|pending| pending.key).collect();
    assert_eq!(keys, [PendingKey::Directory, PendingKey::Audit, PendingKey::Office, PendingKey::Tenant]);
    assert_eq!(people.accounts.last().unwrap().state, AccountState::Left);
    // Nothing is written to the tenant before it has a new key; reading goes on.
    let vpn = founder.open_record(vpn.id).unwrap();
    assert!(founder.change_record(vpn.id, vpn.version, kept(&vpn)).is_err());
    assert_eq!(founder.reveal_field(vpn.id, vpn.fields[1].id, None).unwrap().expose(), "before");
    assert!(founder.start_rekeying().wait().unwrap().is_empty());
    let changed = founder.change_record(vpn.id, vpn.version, kept(&vpn)).unwrap();
    assert_eq!(changed.version, vpn.version + 1);
    let file = place.path("saved.txt");
    founder.start_save_attachment(vpn.id, vpn.attachments[0].id, &file).unwrap().wait().unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "the plan, canary-plan");
    assert!(founder.start_verify_log().unwrap().wait().unwrap().ok);
    assert_eq!(fs::read_dir(place.vault_folder().join("tenants")).unwrap().count(), 1 + 2, "database, log, index");
    founder.lock().unwrap();

    let refused = place.vault().unlock("otto", passphrase_of("otto"));
    assert!(matches!(refused, Err(UnlockError::Refused)));
    let founder = place.unlock();
    assert_eq!(founder.open_record(vpn.id).unwrap().version, changed.version);
    assert!(
        founder
            .start_check_files()
            .unwrap()
            .wait()
            .unwrap()
            .iter()
            .all(|check| check.state == coffer_core::view::FileState::Unchanged)
    );
    let page = founder.log_page(None, 1_000).unwrap();
    assert!(page.entries.iter().all(|entry| entry.action != "unreadable"));
    let verbs: Vec<_> = page.entries.iter().map(|entry| entry.action.as_str()).collect();
    for verb in ["account.removed", "tenant.rekeyed", "directory.rekeyed", "audit_key.replaced", "office_key.replaced"]
    {
        assert!(verbs.contains(&verb), "{verb}");
    }
}

#[test]
fn the_last_of_their_kind_stay() {
    let place = Place::new();
    let (founder, _kit) = place.create();
    let acme = tenant(&founder, "ACME GmbH");
    let own = account(&founder, "ines").id;
    let member = Roles::of([Role::Member]);
    let kept = founder.set_roles(own, member.with(Role::Auditor), fresh(&founder));
    assert!(matches!(kept, Err(SetRolesError::LastAdministrator)));
    let kept = founder.set_roles(own, member.with(Role::Administrator), fresh(&founder));
    assert!(matches!(kept, Err(SetRolesError::LastAuditor)));
    assert!(matches!(founder.withdraw_grant(acme.id, own), Err(GrantError::LastSteward)));
    assert!(matches!(founder.grant(acme.id, own, Right::Reader, None), Err(GrantError::LastSteward)));
    assert!(matches!(founder.remove_account(own, true, fresh(&founder)), Err(LeaveError::Oneself)));

    let ida = enrol(&place, founder, "ida", &[Role::Administrator, Role::Auditor]);
    let refused = ida.remove_account(own, false, fresh(&ida));
    assert!(matches!(refused, Err(LeaveError::LastSteward { tenants: 1 })), "{refused:?}");
    ida.remove_account(own, true, fresh(&ida)).unwrap();
    let pending = ida.start_rekeying().wait().unwrap();
    assert_eq!(pending.len(), 1);
    assert!(pending[0].needs_recovery && !pending[0].can_replace);
}

#[test]
fn a_grant_withdrawn_by_a_steward_is_followed_by_a_new_key() {
    let place = Place::new();
    let (founder, _kit) = place.create();
    let acme = tenant(&founder, "ACME GmbH");
    let otto = enrol(&place, founder, "otto", &[Role::Member]);
    otto.lock().unwrap();
    let founder = place.unlock();
    let id = account(&founder, "otto").id;
    founder.grant(acme.id, id, Right::Steward, None).unwrap();
    founder.lock().unwrap();
    // Otto is a steward as well: he withdraws the founder's grant, and gives the tenant a new key.
    let otto = place.unlock_as("otto");
    let ines = account(&otto, "ines").id;
    otto.withdraw_grant(acme.id, ines).unwrap();
    let refused = otto.add_record(acme.id, login_draft("VPN", "svc", "x"));
    assert!(refused.is_err());
    otto.start_rekey_tenant(acme.id).unwrap().wait().unwrap();
    let added = otto.add_record(acme.id, login_draft("VPN", "svc", "x")).unwrap();
    otto.lock().unwrap();
    let founder = place.unlock();
    assert!(founder.tenants().unwrap().is_empty());
    assert!(matches!(founder.open_record(added.id), Err(CallError::NotFound)));
}

#[test]
fn a_grant_ends_when_its_time_is_over() {
    let mut place = Place::new();
    let clock = SetClock::put_into(&mut place);
    let (founder, _kit) = place.create();
    let acme = tenant(&founder, "ACME GmbH");
    let otto = enrol(&place, founder, "otto", &[Role::Member]);
    otto.lock().unwrap();
    let founder = place.unlock();
    let id = account(&founder, "otto").id;
    let in_two_days = coffer_model::day::Day::of(founder.view().unlocked_at).plus_days(1).end();
    founder.grant(acme.id, id, Right::Editor, in_two_days).unwrap();
    clock.set_days_ahead(3);
    let past = founder.grant(acme.id, id, Right::Editor, in_two_days);
    assert!(matches!(past, Err(GrantError::Past)));
    assert!(account(&founder, "otto").grants[0].expired);
    clock.set_days_ahead(0);
    founder.lock().unwrap();
    let otto = place.unlock_as("otto");
    assert_eq!(otto.tenants().unwrap().len(), 1);
    clock.set_days_ahead(3);
    assert!(otto.tenants().unwrap().is_empty());
    assert!(otto.list_records(acme.id, 10, None).is_err());
}

#[test]
fn a_reset_person_is_a_new_account_without_grants() {
    let place = Place::new();
    let (founder, _kit) = place.create();
    let acme = tenant(&founder, "ACME GmbH");
    enrol(&place, founder, "otto", &[Role::Member]).lock().unwrap();
    let founder = place.unlock();
    let before = account(&founder, "otto");
    founder.grant(acme.id, before.id, Right::Editor, None).unwrap();
    let invitation = founder.reset_account(before.id, 24, false, fresh(&founder)).unwrap();
    founder.start_rekeying().wait().unwrap();
    founder.lock().unwrap();
    assert!(matches!(place.vault().unlock("otto", passphrase_of("otto")), Err(UnlockError::Refused)));
    let code = coffer_core::ActivationCode::parse_text(std::str::from_utf8(invitation.code.expose()).unwrap()).unwrap();
    let new = passphrase("another five slow words 77");
    let otto = place.vault().activate(&code, &new).unwrap();
    assert!(otto.tenants().unwrap().is_empty());
    let view = account(&otto, "otto");
    assert_ne!(view.id, before.id);
    assert_ne!(view.fingerprint, before.fingerprint);
}

#[test]
fn a_changed_passphrase_opens_and_the_old_one_does_not() {
    let place = Place::new();
    let (founder, _kit) = place.create();
    let new = "twelve copper kettles sing at dusk";
    founder.change_passphrase(&passphrase(new), fresh(&founder)).unwrap();
    founder.lock().unwrap();
    let old = place.vault().unlock(coffer_tests::LOGIN, passphrase(coffer_tests::PASSPHRASE));
    assert!(matches!(old, Err(UnlockError::Refused)));
    place.vault().unlock(coffer_tests::LOGIN, passphrase(new)).unwrap();
}

#[test]
fn a_backup_of_several_people_is_restored_for_all_of_them() {
    let place = Place::new();
    let (founder, _kit) = place.create();
    let acme = tenant(&founder, "ACME GmbH");
    founder.add_record(acme.id, login_draft("VPN", "svc", "x")).unwrap();
    enrol(&place, founder, "otto", &[Role::Member]).lock().unwrap();
    let founder = place.unlock();
    founder.grant(acme.id, account(&founder, "otto").id, Right::Reader, None).unwrap();
    founder.rekey_directory().unwrap();
    let target = place.path("all.age");
    founder.start_backup(&target).wait().unwrap();
    let restored = place.path("restored.coffer");
    founder.start_restore(&target, &restored, coffer_core::RestoreOptions::default()).wait().unwrap();
    founder.lock().unwrap();
    place.unlock_at(&restored).lock().unwrap();
    let vault = coffer_core::Vault::open(&place.host, &restored).unwrap();
    let otto = vault.unlock("otto", passphrase_of("otto")).unwrap();
    assert_eq!(otto.tenants().unwrap()[0].name, "ACME GmbH");
}

#[test]
fn the_kit_makes_an_administrator_and_gives_tenants_a_steward() {
    let place = Place::new();
    let (founder, kit) = place.create();
    let acme = tenant(&founder, "ACME GmbH");
    let vpn = founder.add_record(acme.id, login_draft("VPN", "svc", "canary-kit")).unwrap();
    founder.lock().unwrap();
    let read = || {
        let text = kit.to_text();
        coffer_core::parse_recovery_kit(std::str::from_utf8(text.expose()).unwrap()).unwrap()
    };
    // The founder's passphrase is forgotten.
    let taken = place.vault().recover(&read(), &"ines".parse().unwrap(), &passphrase_of("ida"));
    assert_eq!(taken.unwrap_err().code(), "login_taken");
    let other = Place::new();
    let (_, other_kit) = other.create();
    let text = other_kit.to_text();
    let foreign = coffer_core::parse_recovery_kit(std::str::from_utf8(text.expose()).unwrap()).unwrap();
    let refused = place.vault().recover(&foreign, &"ida".parse().unwrap(), &passphrase_of("ida"));
    assert_eq!(refused.unwrap_err().code(), "other_kit");

    // Whoever asks first is told the same, and nothing has changed by it.
    let check = |kit: &coffer_core::ReadKit, login: &str| place.vault().check_recovery(kit, &login.parse().unwrap());
    assert_eq!(check(&read(), "ines").unwrap_err().code(), "login_taken");
    assert_eq!(check(&foreign, "ida").unwrap_err().code(), "other_kit");
    check(&read(), "ida").unwrap();

    let ida = place.vault().recover(&read(), &"ida".parse().unwrap(), &passphrase_of("ida")).unwrap();
    assert_eq!(ida.view().roles.len(), 3);
    assert!(ida.tenants().unwrap().is_empty());
    assert!(!ida.log_page(None, 10).unwrap().entries.is_empty());
    // As long as the tenant has a steward nothing is taken from them.
    let job = ida.start_recover_tenants(read(), fresh(&ida)).unwrap();
    assert_eq!(job.wait().unwrap(), 0);
    let ines = account(&ida, "ines").id;
    ida.remove_account(ines, true, fresh(&ida)).unwrap();
    let job = ida.start_recover_tenants(read(), fresh(&ida)).unwrap();
    assert_eq!(job.wait().unwrap(), 1);
    assert!(ida.start_rekeying().wait().unwrap().is_empty());
    assert_eq!(ida.reveal_field(vpn.id, vpn.fields[1].id, None).unwrap().expose(), "canary-kit");
    ida.change_record(vpn.id, vpn.version, kept(&vpn)).unwrap();
    let verbs: Vec<_> = ida.log_page(None, 100).unwrap().entries.into_iter().map(|entry| entry.action).collect();
    assert_eq!(verbs.iter().filter(|verb| *verb == "recovery.used").count(), 3);
    ida.lock().unwrap();
    place.unlock_as("ida").lock().unwrap();
    assert!(matches!(
        place.vault().unlock(coffer_tests::LOGIN, passphrase(coffer_tests::PASSPHRASE)),
        Err(UnlockError::Refused)
    ));
}

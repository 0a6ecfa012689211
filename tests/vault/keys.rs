//! The register of keys: states, periods, who holds what; replacing a key in an emergency.

use coffer_core::view::{HeldKey, KeyRegisterView, KeyState, KeyView};
use coffer_core::{CallError, Session};
use coffer_model::account::Role;
use coffer_model::grant::Right;
use coffer_model::id::TenantId;
use coffer_model::key::{Cryptoperiods, KeyKind};
use coffer_tests::{Place, SetClock, account, enrol, fresh, kept, login_draft, tenant};

fn keys(session: &Session, kind: KeyKind) -> Vec<KeyView> {
    session.key_register().unwrap().keys.into_iter().filter(|key| key.kind == kind).collect()
}

fn states(keys: &[KeyView]) -> Vec<(u32, KeyState)> {
    keys.iter().map(|key| (key.number, key.state)).collect()
}

fn held(session: &Session, kind: KeyKind) -> HeldKey {
    session.key_access().unwrap().keys.into_iter().find(|key| key.kind == kind).unwrap()
}

fn who(held: &HeldKey) -> Vec<&str> {
    held.holders.iter().filter_map(|holder| holder.login.as_deref()).collect()
}

#[test]
fn every_kind_of_key_is_in_the_register_and_what_followed_it() {
    let place = Place::new();
    let (founder, _kit) = place.create();
    let acme = tenant(&founder, "ACME GmbH");
    let register = founder.key_register().unwrap();
    for kind in KeyKind::ALL {
        let of_kind: Vec<_> = register.keys.iter().filter(|key| key.kind == kind).collect();
        assert_eq!(of_kind.len(), 1, "{kind:?}");
        let key = of_kind[0];
        assert_eq!((key.state, key.number, key.overdue), (KeyState::Active, 1, false));
        assert!(key.can_rotate && key.until.is_none() && !key.algorithm.is_empty());
        let days = register.periods.iter().find(|period| period.kind == kind).unwrap().days;
        let lasts = key.next_rotation.unwrap().millis_since(key.since);
        assert_eq!(lasts, u64::from(days) * 24 * 60 * 60 * 1_000);
    }
    assert_eq!(register.suites.len(), 1);
    founder.start_rekey_tenant(acme.id).unwrap().wait().unwrap();
    founder.rekey_directory().unwrap();
    founder.replace_audit_key().unwrap();
    founder.replace_office_key().unwrap();
    founder.replace_device_key().unwrap();
    for (kind, before) in [
        (KeyKind::Tenant, KeyState::Destroyed),
        (KeyKind::Directory, KeyState::Destroyed),
        (KeyKind::Audit, KeyState::Deactivated),
        (KeyKind::Office, KeyState::Deactivated),
        (KeyKind::Device, KeyState::Deactivated),
    ] {
        let of_kind = keys(&founder, kind);
        assert_eq!(states(&of_kind), [(2, KeyState::Active), (1, before)], "{kind:?}");
        assert_eq!(of_kind[1].until, Some(of_kind[0].since));
        assert!(!of_kind[1].can_rotate && of_kind[1].next_rotation.is_none());
    }
    // The device goes on making backups, unlocked and locked.
    founder.start_backup(&place.path("one.age")).wait().unwrap();
    founder.lock().unwrap();
    place.vault().start_backup(&place.path("two.age")).wait().unwrap();
    let founder = place.unlock();
    founder.start_verify_backup(&place.path("two.age")).wait().unwrap();
}

#[test]
fn a_key_in_wrong_hands_is_pending_until_it_is_replaced_and_stands_as_such_for_ever() {
    let place = Place::new();
    let (founder, _kit) = place.create();
    let acme = tenant(&founder, "ACME GmbH");
    let vpn = founder.add_record(acme.id, login_draft("VPN", "svc", "x")).unwrap();
    founder.mark_compromised(KeyKind::Tenant, Some(acme.id)).unwrap();
    assert!(founder.change_record(vpn.id, vpn.version, kept(&vpn)).is_err(), "nothing is written under it");
    for kind in [KeyKind::Directory, KeyKind::Audit, KeyKind::Office, KeyKind::Recovery, KeyKind::Device] {
        founder.mark_compromised(kind, None).unwrap();
        assert_eq!(keys(&founder, kind)[0].state, KeyState::Compromised, "{kind:?}");
    }
    let pending = founder.people().unwrap().pending;
    assert_eq!(pending.len(), 4);
    assert!(founder.start_rekeying().wait().unwrap().is_empty());
    founder.change_record(vpn.id, vpn.version, kept(&vpn)).unwrap();
    let log = keys(&founder, KeyKind::Audit);
    assert_eq!(states(&log), [(2, KeyState::Active), (1, KeyState::Compromised)]);
    assert!(log[1].compromised_at.is_some());
    // What nothing holds any more is destroyed, and it is told that it was in wrong hands.
    let of_acme = keys(&founder, KeyKind::Tenant);
    assert_eq!(states(&of_acme), [(2, KeyState::Active), (1, KeyState::Destroyed)]);
    assert!(of_acme[1].compromised_at.is_some());
    for (kind, tenant) in [(KeyKind::Account, None), (KeyKind::Tenant, None), (KeyKind::Audit, Some(acme.id))] {
        assert!(founder.mark_compromised(kind, tenant).is_err(), "{kind:?}");
    }
    founder.lock().unwrap();
    let founder = place.unlock();
    assert_eq!(states(&keys(&founder, KeyKind::Audit)), states(&log));
    assert!(founder.start_verify_log().unwrap().wait().unwrap().ok);
}

#[test]
fn what_is_due_follows_from_the_periods() {
    let mut place = Place::new();
    let clock = SetClock::put_into(&mut place);
    let (founder, _kit) = place.create();
    let periods = Cryptoperiods::default().with(KeyKind::Audit, 30).unwrap();
    founder.set_cryptoperiods(&periods).unwrap();
    assert_eq!(founder.cryptoperiods().unwrap(), periods);
    let overdue = |register: &KeyRegisterView| -> Vec<KeyKind> {
        register.keys.iter().filter(|key| key.overdue).map(|key| key.kind).collect()
    };
    clock.set_days_ahead(29);
    assert!(overdue(&founder.key_register().unwrap()).is_empty());
    clock.set_days_ahead(31);
    assert_eq!(overdue(&founder.key_register().unwrap()), [KeyKind::Audit]);
    founder.replace_audit_key().unwrap();
    assert!(overdue(&founder.key_register().unwrap()).is_empty());
    founder.lock().unwrap();
    assert_eq!(place.unlock().cryptoperiods().unwrap(), periods);
}

#[test]
fn who_holds_which_key_is_for_officers_and_names_who_may_not_any_more() {
    let place = Place::new();
    let (founder, _kit) = place.create();
    let acme = tenant(&founder, "ACME GmbH");
    enrol(&place, founder, "otto", &[Role::Member]).lock().unwrap();
    let founder = place.unlock();
    let anna = enrol(&place, founder, "anna", &[Role::Auditor]);
    assert!(matches!(anna.mark_compromised(KeyKind::Directory, None), Err(CallError::Refused)));
    anna.mark_compromised(KeyKind::Office, None).unwrap();
    anna.lock().unwrap();
    let founder = place.unlock();
    founder.grant(acme.id, account(&founder, "otto").id, Right::Reader, None).unwrap();
    assert_eq!(who(&held(&founder, KeyKind::Directory)), ["anna", "ines", "otto"]);
    assert_eq!(who(&held(&founder, KeyKind::Audit)), ["anna", "ines"]);
    assert_eq!(who(&held(&founder, KeyKind::Office)), ["anna", "ines"]);
    let of_acme = held(&founder, KeyKind::Tenant);
    assert_eq!(who(&of_acme), ["ines", "otto"]);
    assert_eq!(of_acme.holders[1].right, Some(Right::Reader));
    assert_eq!(of_acme.holders.last().unwrap().recovery, Some(1));
    founder.remove_account(account(&founder, "otto").id, false, fresh(&founder)).unwrap();
    let of_acme = held(&founder, KeyKind::Tenant);
    assert!(of_acme.holders[1].former && of_acme.holders[1].right.is_none());
    founder.start_rekeying().wait().unwrap();
    assert_eq!(who(&held(&founder, KeyKind::Tenant)), ["ines"]);

    let eva = enrol(&place, founder, "eva", &[Role::Member]);
    assert!(matches!(eva.key_access(), Err(CallError::Refused)));
    // Of tenants each sees its own.
    assert!(keys(&eva, KeyKind::Tenant).is_empty());
    assert!(keys(&eva, KeyKind::Directory).iter().all(|key| !key.can_rotate));
    let unknown = TenantId::from_bytes([7; 16]);
    assert!(matches!(eva.mark_compromised(KeyKind::Tenant, Some(unknown)), Err(CallError::NotFound)));
    assert!(matches!(eva.mark_compromised(KeyKind::Tenant, Some(acme.id)), Err(CallError::NotFound)));
}

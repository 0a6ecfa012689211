//! Breaking the glass: two custodians open a tenant in an emergency, and everybody it concerns knows.

use std::fs;

use coffer_core::view::{GlassView, PendingKey};
use coffer_core::{CallError, Credentials, GlassError, Session, UnlockError};
use coffer_model::account::Role;
use coffer_model::grant::Right;
use coffer_model::id::{AccountId, TenantId};
use coffer_tests::{
    LOGIN, Place, SetClock, account, enrol, fresh, kept, login_draft, passphrase, passphrase_of, tenant,
};

const REASON: &str = "Server down, Ines on leave";

/// A vault whose founder has made ida, otto and eva custodians of a tenant; no one of them may read it.
fn prepared(place: &Place) -> (Session, TenantId) {
    let (founder, _kit) = place.create();
    let acme = tenant(&founder, "ACME GmbH");
    founder.add_record(acme.id, login_draft("VPN", "svc", "behind glass")).unwrap();
    let mut founder = founder;
    for (login, role) in [("ida", Role::Administrator), ("otto", Role::Member), ("eva", Role::Member)] {
        enrol(place, founder, login, &[role]).lock().unwrap();
        founder = place.unlock();
    }
    let custodians = ["ida", "otto", "eva"].map(|login| account(&founder, login).id);
    founder.prepare_glass(acme.id, &custodians, fresh(&founder)).unwrap();
    (founder, acme.id)
}

fn of(login: &str) -> Credentials {
    passphrase_of(login).into()
}

fn glass(session: &Session) -> GlassView {
    session.glass().unwrap().remove(0)
}

fn break_glass(session: &Session, tenant: TenantId, second: &str) -> Result<(), GlassError> {
    session.break_glass(tenant, REASON, 4, (second, &of(second)), &fresh(session))
}

#[test]
fn two_custodians_open_a_tenant_for_a_while_and_everybody_concerned_knows() {
    let mut place = Place::new();
    let clock = SetClock::put_into(&mut place);
    let (founder, acme) = prepared(&place);
    assert_eq!(glass(&founder).custodians, ["eva", "ida", "otto"]);
    assert_eq!(founder.view().glass_broken, 0);
    founder.lock().unwrap();

    let otto = place.unlock_as("otto");
    assert!(otto.tenants().unwrap().is_empty());
    assert!(glass(&otto).own);
    break_glass(&otto, acme, "ida").unwrap();
    assert_eq!(otto.tenants().unwrap()[0].right, Right::Reader);
    let record = otto.list_records(acme, 10, None).unwrap().records.remove(0);
    let opened = otto.open_record(record.id).unwrap();
    let password = opened.fields[1].id;
    assert_eq!(otto.reveal_field(record.id, password, None).unwrap().expose(), "behind glass");
    assert!(otto.change_record(record.id, opened.version, kept(&opened)).is_err(), "to read is what it is for");
    assert!(matches!(break_glass(&otto, acme, "ida"), Err(GlassError::MayRead)));
    otto.lock().unwrap();

    let founder = place.unlock();
    assert_eq!(founder.view().glass_broken, 1, "told at once");
    let broken = &glass(&founder).broken[0];
    assert_eq!((broken.opener.as_str(), broken.second.as_str(), broken.reason.as_str()), ("otto", "ida", REASON));
    let lasts = broken.until.millis_since(broken.at);
    assert!((14_300_000..=14_400_000).contains(&lasts), "four hours, and not a moment more: {lasts}");
    assert!(broken.rekeyed_at.is_none());
    let log = founder.log_page(None, 50).unwrap().entries;
    let entry = log.iter().find(|entry| entry.action == "glass.broken").unwrap();
    assert_eq!((entry.actor.as_deref(), entry.account.as_deref()), (Some("otto"), Some("ida")));
    // Work goes on as long as it lasts; then the tenant wants a new key, as if a grant had been withdrawn.
    assert!(founder.people().unwrap().pending.is_empty());
    founder.add_record(acme, login_draft("Portal", "svc", "x")).unwrap();
    clock.set_days_ahead(1);
    let pending = founder.people().unwrap().pending;
    assert_eq!(pending.iter().map(|pending| pending.key).collect::<Vec<_>>(), [PendingKey::Tenant]);
    assert!(founder.add_record(acme, login_draft("Late", "svc", "x")).is_err());
    assert!(founder.start_rekeying().wait().unwrap().is_empty());
    founder.add_record(acme, login_draft("Late", "svc", "x")).unwrap();
    assert!(glass(&founder).broken[0].rekeyed_at.is_some());
    // What he saw is on the exposure list, and the new key has the same custodians.
    let listed = founder.start_exposures(Some(acme), None).unwrap().wait().unwrap();
    assert_eq!((listed[0].accounts[0].login.as_str(), listed[0].accounts[0].open), ("otto", 1));
    assert_eq!(glass(&founder).custodians, ["eva", "ida", "otto"]);
    founder.lock().unwrap();
    let otto = place.unlock_as("otto");
    assert!(otto.tenants().unwrap().is_empty());
    break_glass(&otto, acme, "eva").unwrap();
    assert_eq!(otto.list_records(acme, 10, None).unwrap().records.len(), 3);
}

#[test]
fn one_custodian_alone_a_stranger_or_a_wrong_passphrase_opens_nothing() {
    let place = Place::new();
    let (founder, acme) = prepared(&place);
    let anna = enrol(&place, founder, "anna", &[Role::Auditor]);
    // An auditor is told, and is no custodian.
    assert!(!glass(&anna).own);
    assert!(matches!(break_glass(&anna, acme, "otto"), Err(GlassError::Call(CallError::NotFound))));
    let newest = anna.log_page(None, 1).unwrap().entries.remove(0);
    assert_eq!((newest.action.as_str(), newest.actor.as_deref()), ("access.refused", Some("anna")));
    anna.lock().unwrap();
    let otto = place.unlock_as("otto");
    for second in ["otto", "anna", LOGIN] {
        let shown: Credentials = if second == LOGIN { passphrase(coffer_tests::PASSPHRASE).into() } else { of(second) };
        let refused = otto.break_glass(acme, REASON, 4, (second, &shown), &fresh(&otto));
        assert!(matches!(refused, Err(GlassError::NotCustodian)), "{second}: {refused:?}");
    }
    let wrong = otto.break_glass(acme, REASON, 4, ("ida", &of("otto")), &fresh(&otto));
    assert!(matches!(wrong, Err(GlassError::Second(UnlockError::Refused))));
    for (reason, hours) in [("  ", 4), (REASON, 0), (REASON, 25)] {
        let refused = otto.break_glass(acme, reason, hours, ("ida", &of("ida")), &fresh(&otto));
        assert!(matches!(refused, Err(GlassError::Reason | GlassError::Hours)), "{refused:?}");
    }
    let unknown = TenantId::from_bytes([9; 16]);
    assert!(matches!(break_glass(&otto, unknown, "ida"), Err(GlassError::Call(CallError::NotFound))));
    assert!(otto.tenants().unwrap().is_empty());
    otto.lock().unwrap();
    assert_eq!(glass(&place.unlock()).broken, []);
}

#[test]
fn custodians_are_named_by_stewards_two_at_least_and_until_they_leave() {
    let place = Place::new();
    let (founder, acme) = prepared(&place);
    let [ida, otto, eva] = ["ida", "otto", "eva"].map(|login| account(&founder, login).id);
    let nobody = AccountId::from_bytes([9; 16]);
    for few in [&[ida][..], &[ida, ida]] {
        assert!(matches!(founder.prepare_glass(acme, few, fresh(&founder)), Err(GlassError::Custodians)));
    }
    assert!(matches!(founder.prepare_glass(acme, &[ida, nobody], fresh(&founder)), Err(GlassError::Account(_))));
    founder.remove_account(eva, false, fresh(&founder)).unwrap();
    founder.start_rekeying().wait().unwrap();
    // Who has left is named no longer; her share is of no use with the next key.
    assert_eq!(glass(&founder).custodians, ["ida", "otto"]);
    founder.start_rekey_tenant(acme).unwrap().wait().unwrap();
    assert_eq!(glass(&founder).custodians, ["ida", "otto"]);
    founder.remove_account(otto, false, fresh(&founder)).unwrap();
    founder.start_rekey_tenant(acme).unwrap().wait().unwrap();
    assert!(founder.glass().unwrap().is_empty(), "one alone is none");
    founder.lock().unwrap();
    let ida = place.unlock_as("ida");
    assert!(matches!(ida.prepare_glass(acme, &[], fresh(&ida)), Err(GlassError::Call(CallError::NotFound))));
}

#[test]
fn no_share_of_a_key_is_readable_in_the_folder() {
    let place = Place::new();
    let (founder, acme) = prepared(&place);
    founder.prepare_glass(acme, &[], fresh(&founder)).unwrap();
    assert!(founder.glass().unwrap().is_empty());
    founder.lock().unwrap();
    let otto = place.unlock_as("otto");
    assert!(matches!(break_glass(&otto, acme, "ida"), Err(GlassError::Call(CallError::NotFound))));
    otto.lock().unwrap();
    for entry in fs::read_dir(place.vault_folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = fs::read(&path).unwrap();
            assert!(!bytes.windows(REASON.len()).any(|window| window == REASON.as_bytes()), "{path:?}");
        }
    }
}

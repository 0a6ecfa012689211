//! Recovery renewed, and split among several people.

use coffer_core::view::PendingKey;
use coffer_core::{
    CreatedVault, JobError, NewVault, ReadKit, ReadShare, RecoveryKit, RestoreOptions, Session, SharesError, Split,
    Vault, join_shares, parse_recovery_kit, parse_recovery_share, start_restore,
};
use coffer_model::account::Role;
use coffer_model::grant::Right;
use coffer_tests::{LOGIN, PASSPHRASE, Place, account, enrol, fresh, login_draft, passphrase, passphrase_of, tenant};

fn read(kit: &RecoveryKit) -> ReadKit {
    parse_recovery_kit(std::str::from_utf8(kit.to_text().expose()).unwrap()).unwrap()
}

/// Shares of these numbers, as their pages say them.
fn some(kit: &RecoveryKit, numbers: &[u8]) -> Vec<ReadShare> {
    let files = kit.share_files().into_iter().filter(|file| numbers.contains(&file.number));
    files.map(|file| parse_recovery_share(std::str::from_utf8(file.page.expose()).unwrap()).unwrap()).collect()
}

fn create_split(place: &Place, split: Split) -> CreatedVault {
    let new =
        NewVault { login: LOGIN.parse().unwrap(), passphrase: passphrase(PASSPHRASE), demo: false, split: Some(split) };
    Vault::create(&place.host, &place.vault_folder(), new).unwrap()
}

fn renew(session: &Session, split: Option<Split>) -> RecoveryKit {
    let kit = session.prepare_recovery(split).unwrap();
    session.renew_recovery(&kit, fresh(session)).unwrap();
    kit
}

#[test]
fn a_renewed_kit_opens_everything_and_the_one_before_nothing_made_since() {
    let place = Place::new();
    let (founder, old) = place.create();
    let acme = tenant(&founder, "ACME GmbH");
    let before = place.path("before.age");
    founder.start_backup(&before).wait().unwrap();
    let new = renew(&founder, None);
    let view = founder.recovery().unwrap();
    assert_eq!((view.number, view.trusted, view.split), (2, true, None));
    assert_eq!(view.fingerprint, new.fingerprint());
    let keys: Vec<_> = founder.people().unwrap().pending.iter().map(|pending| pending.key).collect();
    assert_eq!(keys, [PendingKey::Audit, PendingKey::Office, PendingKey::TenantRecovery]);
    // Work goes on meanwhile; and it goes on after a kill, too.
    let vpn = founder.add_record(acme.id, login_draft("VPN", "svc", "canary-new")).unwrap();
    founder.lock().unwrap();
    let founder = place.unlock();
    assert!(founder.start_rekeying().wait().unwrap().is_empty());
    tenant(&founder, "Bauer & Co");
    let after = place.path("after.age");
    founder.start_backup(&after).wait().unwrap();
    assert!(founder.start_verify_log().unwrap().wait().unwrap().ok);
    founder.lock().unwrap();

    let login = "ida".parse().unwrap();
    let refused = place.vault().recover(&read(&old), &login, &passphrase_of("ida"));
    assert_eq!(refused.unwrap_err().code(), "other_kit");
    let restore = |file: &std::path::Path, kit: &RecoveryKit, name: &str| {
        let key = coffer_core::BackupIdentity::RecoveryKit(read(kit));
        start_restore(&place.host, file, key, &place.path(name), RestoreOptions::default()).wait()
    };
    assert!(restore(&after, &old, "a.coffer").is_err());
    assert!(restore(&before, &new, "b.coffer").is_err());
    // What was there before is as it was.
    restore(&before, &old, "c.coffer").unwrap();
    restore(&after, &new, "d.coffer").unwrap();

    let ida = place.vault().recover(&read(&new), &login, &passphrase_of("ida")).unwrap();
    assert!(ida.recovery().unwrap().trusted, "whoever has the kit need not be asked about it");
    assert!(!ida.log_page(None, 10).unwrap().entries.is_empty());
    ida.remove_account(account(&ida, LOGIN).id, true, fresh(&ida)).unwrap();
    let refused = ida.start_recover_tenants(read(&old), fresh(&ida)).unwrap();
    assert_eq!(refused.wait().unwrap(), 0, "no tenant rests on it any more");
    assert_eq!(ida.start_recover_tenants(read(&new), fresh(&ida)).unwrap().wait().unwrap(), 2);
    assert_eq!(ida.reveal_field(vpn.id, vpn.fields[1].id, None).unwrap().expose(), "canary-new");
    let verbs: Vec<_> = ida.log_page(None, 200).unwrap().entries.into_iter().map(|entry| entry.action).collect();
    assert!(verbs.iter().any(|verb| verb == "recovery.renewed"));
}

#[test]
fn tenants_wait_for_a_steward_who_has_compared_the_new_recovery() {
    let place = Place::new();
    let (founder, old) = place.create();
    let acme = tenant(&founder, "ACME GmbH");
    let bauer = tenant(&founder, "Bauer & Co");
    let otto = enrol(&place, founder, "otto", &[Role::Member]);
    otto.lock().unwrap();
    let founder = place.unlock();
    let id = account(&founder, "otto").id;
    founder.grant(acme.id, id, Right::Steward, None).unwrap();
    founder.withdraw_grant(acme.id, account(&founder, LOGIN).id).unwrap();
    founder.lock().unwrap();
    let otto = place.unlock_as("otto");
    otto.start_rekey_tenant(acme.id).unwrap().wait().unwrap();
    otto.lock().unwrap();

    let founder = place.unlock();
    let new = renew(&founder, None);
    let pending = founder.start_rekeying().wait().unwrap();
    let [waiting] = pending.as_slice() else { panic!("{pending:?}") };
    assert_eq!((waiting.key, waiting.tenant), (PendingKey::TenantRecovery, Some(acme.id)));
    assert!(!waiting.can_replace && waiting.tenant_name.as_deref() == Some("ACME GmbH"));
    founder.lock().unwrap();

    let otto = place.unlock_as("otto");
    let view = otto.recovery().unwrap();
    assert!(!view.trusted && view.stated_by.as_deref() == Some(LOGIN));
    // Nothing is done unasked.
    assert_eq!(otto.start_rekeying().wait().unwrap().len(), 1);
    otto.add_record(acme.id, login_draft("VPN", "svc", "x")).unwrap();
    otto.accept_recovery(&new.fingerprint().to_uppercase()).unwrap();
    otto.accept_recovery(&new.fingerprint()).unwrap();
    assert!(otto.start_rekeying().wait().unwrap().is_empty());
    otto.lock().unwrap();

    // Before, the old kit would have given it a steward; now the new one does.
    let founder = place.unlock();
    founder.remove_account(id, true, fresh(&founder)).unwrap();
    assert_eq!(founder.start_recover_tenants(read(&old), fresh(&founder)).unwrap().wait().unwrap(), 0);
    assert_eq!(founder.start_recover_tenants(read(&new), fresh(&founder)).unwrap().wait().unwrap(), 1);
    assert_eq!(founder.list_records(acme.id, 10, None).unwrap().records.len(), 1);
    assert!(founder.list_records(bauer.id, 10, None).is_ok());
}

#[test]
fn a_tenant_that_a_co_steward_moved_waits_for_ones_own_word() {
    let place = Place::new();
    let (founder, _old) = place.create();
    let acme = tenant(&founder, "ACME GmbH");
    enrol(&place, founder, "ida", &[Role::Administrator]).lock().unwrap();
    let founder = place.unlock();
    let id = account(&founder, "ida").id;
    founder.grant(acme.id, id, Right::Steward, None).unwrap();
    founder.lock().unwrap();
    let ida = place.unlock_as("ida");
    renew(&ida, None);
    ida.start_rekeying().wait().unwrap();
    ida.lock().unwrap();
    // She leaves, and may have kept the seed.
    let founder = place.unlock();
    founder.remove_account(id, false, fresh(&founder)).unwrap();
    let pending = founder.start_rekeying().wait().unwrap();
    let [waiting] = pending.as_slice() else { panic!("{pending:?}") };
    assert_eq!((waiting.key, waiting.can_replace), (PendingKey::Tenant, false));
    let refused = founder.start_rekey_tenant(acme.id).unwrap().wait();
    assert_eq!(refused.unwrap_err().code(), "recovery_unconfirmed");
    // Not the one she made, but another one.
    renew(&founder, None);
    assert!(founder.start_rekeying().wait().unwrap().is_empty());
    founder.add_record(acme.id, login_draft("VPN", "svc", "x")).unwrap();
}

#[test]
fn a_tenant_that_still_rests_on_the_kit_of_before_gets_a_steward_by_that_one() {
    let place = Place::new();
    let (founder, old) = place.create();
    let acme = tenant(&founder, "ACME GmbH");
    let ida = enrol(&place, founder, "ida", &[Role::Administrator, Role::Auditor]);
    let new = renew(&ida, None);
    ida.remove_account(account(&ida, LOGIN).id, true, fresh(&ida)).unwrap();
    assert_eq!(ida.start_recover_tenants(read(&new), fresh(&ida)).unwrap().wait().unwrap(), 0);
    assert_eq!(ida.start_recover_tenants(read(&old), fresh(&ida)).unwrap().wait().unwrap(), 1);
    assert!(ida.list_records(acme.id, 10, None).is_ok());
    assert!(ida.start_rekeying().wait().unwrap().is_empty());
    ida.lock().unwrap();
    place.unlock_as("ida").lock().unwrap();
}

#[test]
fn a_kit_counts_for_its_vault_and_once() {
    let place = Place::new();
    let (founder, _kit) = place.create();
    let kit = renew(&founder, None);
    let again = founder.renew_recovery(&kit, fresh(&founder));
    assert_eq!(again.unwrap_err().code(), "other_kit");
    let foreign = Place::new().create().0.prepare_recovery(None).unwrap();
    assert_eq!(founder.renew_recovery(&foreign, fresh(&founder)).unwrap_err().code(), "other_kit");
    let kit = founder.prepare_recovery(None).unwrap();
    let proof = fresh(&Place::new().create().0);
    assert_eq!(founder.renew_recovery(&kit, proof).unwrap_err().code(), "authentication_not_fresh");
    let otto = enrol(&place, founder, "otto", &[Role::Member, Role::Auditor]);
    assert_eq!(otto.prepare_recovery(None).unwrap_err().code(), "refused");
    assert_eq!(otto.renew_recovery(&kit, fresh(&otto)).unwrap_err().code(), "refused");
    assert_eq!(otto.recovery().unwrap().number, 2);
}

#[test]
fn shares_recover_as_the_kit_does() {
    let place = Place::new();
    let CreatedVault { session: founder, kit } = create_split(&place, Split::new(2, 3).unwrap());
    let acme = tenant(&founder, "ACME GmbH");
    let vpn = founder.add_record(acme.id, login_draft("VPN", "svc", "canary-shares")).unwrap();
    let backup = place.path("b.age");
    founder.start_backup(&backup).wait().unwrap();
    let split = founder.recovery().unwrap().split.unwrap();
    assert_eq!((split.needed, split.shares), (2, 3));
    founder.lock().unwrap();

    // On a new machine, where nothing of the vault can be read.
    let joined = join_shares(some(&kit, &[1, 3])).unwrap();
    let key = coffer_core::BackupIdentity::RecoveryKit(joined);
    let restored = place.path("restored.coffer");
    start_restore(&place.host, &backup, key, &restored, RestoreOptions::default()).wait().unwrap();
    place.unlock_at(&restored).lock().unwrap();

    let joined = place.vault().join_shares(some(&kit, &[2, 3])).unwrap();
    let ida = place.vault().recover(&joined, &"ida".parse().unwrap(), &passphrase_of("ida")).unwrap();
    ida.remove_account(account(&ida, LOGIN).id, true, fresh(&ida)).unwrap();
    let joined = ida.join_shares(some(&kit, &[1, 2])).unwrap();
    assert_eq!(ida.start_recover_tenants(joined, fresh(&ida)).unwrap().wait().unwrap(), 1);
    assert_eq!(ida.reveal_field(vpn.id, vpn.fields[1].id, None).unwrap().expose(), "canary-shares");
    ida.lock().unwrap();
}

#[test]
fn a_renewal_splits_what_was_one_and_puts_together_what_was_split() {
    let place = Place::new();
    let (founder, _kit) = place.create();
    assert!(matches!(place.vault().join_shares(Vec::new()), Err(SharesError::Other)));
    let split = renew(&founder, Some(Split::new(3, 5).unwrap()));
    assert_eq!(split.share_files().len(), 5);
    let whole = renew(&founder, None);
    // Shares of one that was replaced come to what it was: tenants may still rest on it.
    assert!(founder.join_shares(some(&split, &[1, 2, 3])).is_ok());
    let last = renew(&founder, Some(Split::new(2, 2).unwrap()));
    founder.lock().unwrap();
    let told = place.vault().join_shares(some(&split, &[1, 2, 3]));
    assert!(matches!(told, Err(SharesError::Forged { number: 1 })), "{told:?}");
    let joined = place.vault().join_shares(some(&last, &[1, 2])).unwrap();
    for (kit, recovers) in [(read(&whole), false), (joined, true)] {
        let recovered = place.vault().recover(&kit, &"ida".parse().unwrap(), &passphrase_of("ida"));
        assert_eq!(recovered.is_ok(), recovers);
    }
}

#[test]
fn a_page_holds_one_share_and_no_other_secret() {
    let place = Place::new();
    let CreatedVault { session, kit } = create_split(&place, Split::new(2, 3).unwrap());
    drop(session);
    let seed = kit.to_text();
    let code = std::str::from_utf8(seed.expose()).unwrap().lines().find(|line| line.starts_with("    ")).unwrap();
    for file in kit.share_files() {
        let page = std::str::from_utf8(file.page.expose()).unwrap();
        assert!(!page.contains(code.trim()) && !page.contains("AGE-SECRET-KEY"));
        assert!(page.contains(&format!("COFFER RECOVERY SHARE {} OF 3", file.number)));
        assert!(page.contains(&kit.fingerprint()) && page.contains("Any 2 of the 3"));
        assert!(page.contains("<svg") && !page.contains("<script") && !page.contains("<?xml"));
        // Typed from paper, the code alone is enough.
        let (_, typed) = page.split_once("Share code\n").unwrap();
        let (typed, _) = typed.split_once("To use it").unwrap();
        parse_recovery_share(&typed.trim().to_lowercase()).unwrap();
    }
}

#[test]
fn locked_backups_go_to_the_new_recovery_as_well() {
    let place = Place::new();
    let (founder, old) = place.create();
    let new = renew(&founder, None);
    founder.lock().unwrap();
    let backup = place.path("locked.age");
    place.vault().start_backup(&backup).wait().unwrap();
    let restore = |kit: &RecoveryKit, name: &str| -> Result<_, JobError> {
        let key = coffer_core::BackupIdentity::RecoveryKit(read(kit));
        start_restore(&place.host, &backup, key, &place.path(name), RestoreOptions::default()).wait()
    };
    assert!(restore(&old, "a.coffer").is_err());
    restore(&new, "b.coffer").unwrap();
}

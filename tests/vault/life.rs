//! Creating, unlocking, locking; tenants.

use coffer_core::{CallError, CreateError, CreateTenantError, Damage, Fault, KitGroup, NewVault, UnlockError, Vault};
use coffer_tests::{LOGIN, PASSPHRASE, Place, passphrase, tenant};

#[test]
fn a_new_vault_unlocks_with_its_passphrase_and_nothing_else() {
    let place = Place::new();
    let (session, _kit) = place.create();
    assert_eq!(session.view().login, LOGIN);
    session.lock().unwrap();

    let vault = place.vault();
    for (login, typed) in [(LOGIN, "quiet lanterns over the harbour 59"), ("nobody", PASSPHRASE), ("", PASSPHRASE)] {
        assert!(matches!(vault.unlock(login, passphrase(typed)), Err(UnlockError::Refused)), "{login}");
    }
    let session = vault.unlock("INES", passphrase(PASSPHRASE)).unwrap();
    let view = session.view();
    assert_eq!(view.failed_unlocks, 3);
    assert!(view.last_unlocked_at.is_some());
}

#[test]
fn a_second_unlock_is_refused_and_says_who_has_the_vault() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let refused = place.vault().unlock(LOGIN, passphrase(PASSPHRASE));
    let Err(UnlockError::HeldBy(Some(holder))) = refused else { panic!("{refused:?}") };
    assert_eq!(holder.pid, std::process::id());
    drop(session);
    place.unlock();
}

#[test]
fn a_place_that_is_taken_is_left_as_it_is() {
    let place = Place::new();
    std::fs::create_dir(place.vault_folder()).unwrap();
    let new = NewVault { login: LOGIN.parse().unwrap(), passphrase: passphrase(PASSPHRASE), demo: false, split: None };
    let refused = Vault::create(&place.host, &place.vault_folder(), new);
    assert!(matches!(refused, Err(CreateError::PlaceTaken)));
    assert_eq!(std::fs::read_dir(place.path(".")).unwrap().count(), 1);
}

#[test]
fn tenants_are_kept_by_name_whatever_their_case() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH");
    tenant(&session, "Bauer & Co");
    let refused = session.create_tenant(&"acme gmbh".parse().unwrap());
    assert!(matches!(refused, Err(CreateTenantError::NameTaken)));
    session.lock().unwrap();

    let session = place.unlock();
    let names: Vec<_> = session.tenants().unwrap().into_iter().map(|tenant| (tenant.name, tenant.colour)).collect();
    assert_eq!(names, [("ACME GmbH".to_owned(), 0), ("Bauer & Co".to_owned(), 1)]);
    assert_eq!(session.tenants().unwrap()[0].id, acme.id);
}

#[test]
fn no_name_is_readable_in_any_file_of_the_vault() {
    let place = Place::new();
    let (session, _kit) = place.create();
    tenant(&session, "Zyklopenwerke");
    session.lock().unwrap();
    let mut files = vec![place.vault_folder()];
    let mut looked_at = 0;
    while let Some(path) = files.pop() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(!name.to_lowercase().contains("zyklopen") && !name.contains(LOGIN));
        if path.is_dir() {
            files.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            looked_at += 1;
            for word in ["Zyklopenwerke", LOGIN, PASSPHRASE] {
                assert!(!bytes.windows(word.len()).any(|window| window == word.as_bytes()), "{word} in {path:?}");
            }
        }
    }
    assert!(looked_at >= 6, "{looked_at}");
}

#[test]
fn the_log_tells_what_happened_and_is_in_order() {
    let place = Place::new();
    let (session, _kit) = place.create();
    tenant(&session, "ACME GmbH");
    let page = session.log_page(None, 100).unwrap();
    let actions: Vec<_> = page.entries.iter().rev().map(|entry| entry.action.as_str()).collect();
    let expected =
        ["vault.created", "account.created", "device.enrolled", "vault.unlocked", "tenant.created", "log.read"];
    assert_eq!(actions, expected[..5]);
    assert_eq!(page.entries[0].tenant_name.as_deref(), Some("ACME GmbH"));
    let report = session.start_verify_log().unwrap().wait().unwrap();
    assert!(report.ok, "{report:?}");
    assert_eq!(report.entries, 7);
}

#[test]
fn fresh_authentication_takes_the_passphrase_and_logs_a_wrong_one() {
    let place = Place::new();
    let (session, kit) = place.create();
    drop(session.authenticate(&passphrase(PASSPHRASE).into()).unwrap());
    let refused = session.authenticate(&passphrase("quiet lanterns over the harbour 59").into());
    assert!(matches!(refused, Err(UnlockError::Refused)));
    assert_eq!(session.log_page(None, 1).unwrap().entries[0].action, "vault.unlock_failed");

    let text = String::from_utf8(kit.to_text().expose().to_vec()).unwrap();
    let code: Vec<&str> =
        text.lines().filter(|line| line.starts_with("    ")).flat_map(str::split_whitespace).collect();
    let at = |position| KitGroup { share: None, position };
    assert!(session.confirm_recovery_kit(&kit, &[(at(2), code[2]), (at(11), code[11])]).unwrap());
    assert!(!session.confirm_recovery_kit(&kit, &[(at(2), code[2]), (at(11), code[10])]).unwrap());
    assert!(!session.confirm_recovery_kit(&kit, &[]).unwrap());
}

#[test]
fn a_lost_log_state_is_refused_until_somebody_restarts_the_log_which_stays_on_record() {
    let place = Place::new();
    let (session, _kit) = place.create();
    session.lock().unwrap();
    std::fs::remove_file(place.vault_folder().join("log.state")).unwrap();
    let refused = place.vault().unlock(LOGIN, passphrase(PASSPHRASE));
    assert!(matches!(refused, Err(UnlockError::Fault(Fault::Damaged(Damage::Log)))), "{refused:?}");

    let session = place.vault().unlock_restarting_log(LOGIN, &passphrase(PASSPHRASE).into()).unwrap();
    let actions: Vec<_> = session.log_page(None, 2).unwrap().entries.into_iter().map(|entry| entry.action).collect();
    assert_eq!(actions, ["vault.unlocked", "log.restarted"]);
    assert!(session.start_verify_log().unwrap().wait().unwrap().ok);
    session.lock().unwrap();
    place.unlock();
}

#[test]
fn restarting_a_log_that_is_in_order_is_just_unlocking() {
    let place = Place::new();
    place.create().0.lock().unwrap();
    let session = place.vault().unlock_restarting_log(LOGIN, &passphrase(PASSPHRASE).into()).unwrap();
    assert_eq!(session.log_page(None, 1).unwrap().entries[0].action, "vault.unlocked");
}

#[test]
fn a_tenant_nobody_has_heard_of_is_not_found() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let unknown = "0000000000000000000000000a.0000000000000000000000000b".parse().unwrap();
    assert!(matches!(session.open_record(unknown), Err(CallError::NotFound)));
    let page = session.log_page(None, 1).unwrap();
    assert_eq!(page.entries[0].action, "access.refused");
}

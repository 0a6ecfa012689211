//! Backups: made locked and unlocked, verified, restored, opened by stock tools.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use coffer_core::view::BackupView;
use coffer_core::{
    BackupError, BackupIdentity, EnrolDeviceError, JobError, RecoveryKit, RestoreOptions, Session, parse_recovery_kit,
    start_restore, start_verify_backup,
};
use coffer_model::id::{RecordId, TenantId};
use coffer_tests::{Place, login_draft, tenant};

fn kit_identity(kit: &RecoveryKit) -> BackupIdentity {
    let text = kit.to_text();
    BackupIdentity::RecoveryKit(parse_recovery_kit(std::str::from_utf8(text.expose()).unwrap()).unwrap())
}

/// A vault with two tenants of five records each.
fn filled(place: &Place) -> (Session, RecoveryKit) {
    let (session, kit) = place.create();
    for name in ["ACME GmbH", "Bauer & Co"] {
        let tenant = tenant(&session, name);
        for number in 0..5 {
            session.add_record(tenant.id, login_draft(&format!("{name} {number}"), "ines", "s3cret")).unwrap();
        }
    }
    (session, kit)
}

/// Every record of every tenant, as it is shown.
fn everything(session: &Session) -> BTreeMap<TenantId, Vec<String>> {
    let all = |tenant| -> Vec<String> {
        let page = session.list_records(tenant, 100, None).unwrap();
        let opened = page.records.iter().map(|row| format!("{:?}", session.open_record(row.id).unwrap()));
        opened.collect()
    };
    session.tenants().unwrap().into_iter().map(|tenant| (tenant.id, all(tenant.id))).collect()
}

fn backed_up_unlocked(place: &Place, session: &Session, name: &str) -> BackupView {
    session.start_backup(&place.path(name)).wait().unwrap()
}

#[test]
fn a_backup_made_while_unlocked_restores_to_the_same_records() {
    let place = Place::new();
    let (session, _kit) = filled(&place);
    let made = backed_up_unlocked(&place, &session, "one.age");
    assert_eq!((made.counter, made.newer_known), (1, false));
    let before = everything(&session);
    let restored =
        session.start_restore(&place.path("one.age"), &place.path("again.coffer"), RestoreOptions::default());
    assert_eq!(restored.wait().unwrap().counter, 1);
    session.lock().unwrap();

    let again = place.unlock_at(&place.path("again.coffer"));
    assert_eq!(everything(&again), before);
    assert!(again.start_verify_log().unwrap().wait().unwrap().ok, "the log goes on in a segment of its own");
}

#[test]
fn a_backup_made_while_locked_restores_with_the_kit_alone_on_another_machine() {
    let place = Place::new();
    let (session, kit) = filled(&place);
    let before = everything(&session);
    session.lock().unwrap();
    let made = place.vault().start_backup(&place.path("locked.age")).wait().unwrap();
    assert_eq!(made.counter, 1);
    assert_eq!(place.vault().start_backup(&place.path("next.age")).wait().unwrap().counter, 2);

    let elsewhere = Place::new();
    let to = elsewhere.path("restored.coffer");
    let options = RestoreOptions::default();
    start_restore(&elsewhere.host, &place.path("locked.age"), kit_identity(&kit), &to, options).wait().unwrap();
    let restored = elsewhere.unlock_at(&to);
    assert_eq!(everything(&restored), before);
    assert!(restored.start_verify_log().unwrap().wait().unwrap().ok);

    // The new device is certified by the first backup an administrator makes, and goes on with the numbers.
    let next = backed_up_unlocked(&elsewhere, &restored, "after.age");
    assert_eq!(next.counter, 2);
    restored.lock().unwrap();
    let identity = BackupIdentity::Device(to.clone());
    assert!(start_verify_backup(&elsewhere.host, &elsewhere.path("after.age"), identity).wait().is_ok());
    // The kit opens it too: the new plan still names the kit's recipient.
    let third = elsewhere.path("third.coffer");
    start_restore(&elsewhere.host, &elsewhere.path("after.age"), kit_identity(&kit), &third, options).wait().unwrap();
    assert_eq!(everything(&elsewhere.unlock_at(&third)), before);
}

#[test]
fn a_backup_made_in_the_middle_of_saving_is_consistent() {
    let place = Place::new();
    let (session, _kit) = filled(&place);
    let tenant = session.tenants().unwrap()[0].id;
    std::thread::scope(|scope| {
        let saving = scope.spawn(|| {
            let add = |number| session.add_record(tenant, login_draft(&format!("late {number}"), "u", "p")).unwrap().id;
            (0..60).map(add).collect::<Vec<RecordId>>()
        });
        for number in 0..4 {
            backed_up_unlocked(&place, &session, &format!("{number}.age"));
        }
        assert_eq!(saving.join().unwrap().len(), 60);
    });
    session.lock().unwrap();
    for number in 0..4 {
        let to = place.path(&format!("{number}.coffer"));
        let identity = BackupIdentity::Device(place.vault_folder());
        let options = RestoreOptions { accept_older: true };
        start_restore(&place.host, &place.path(&format!("{number}.age")), identity, &to, options).wait().unwrap();
        let restored = place.unlock_at(&to);
        everything(&restored);
        let report = restored.start_verify_log().unwrap().wait().unwrap();
        assert!(report.ok, "{report:?}");
    }
}

#[test]
fn verifying_says_what_is_in_a_backup_and_whether_a_newer_one_is_known() {
    let place = Place::new();
    let (session, kit) = filled(&place);
    let first = backed_up_unlocked(&place, &session, "first.age");
    backed_up_unlocked(&place, &session, "second.age");
    let verified = session.start_verify_backup(&place.path("first.age")).wait().unwrap();
    assert_eq!(verified, BackupView { newer_known: true, ..first.clone() });
    session.lock().unwrap();
    let here = BackupIdentity::Device(place.vault_folder());
    let verified = start_verify_backup(&place.host, &place.path("first.age"), here).wait().unwrap();
    assert_eq!(verified, BackupView { newer_known: true, ..first.clone() });
    let verified = start_verify_backup(&place.host, &place.path("first.age"), kit_identity(&kit)).wait().unwrap();
    assert_eq!(verified, first);
}

#[test]
fn stock_age_and_tar_unpack_a_backup_with_the_kits_identity() {
    let place = Place::new();
    let (session, kit) = filled(&place);
    backed_up_unlocked(&place, &session, "one.age");
    session.lock().unwrap();
    let text = kit.to_text();
    let text = std::str::from_utf8(text.expose()).unwrap();
    let identity = text.lines().map(str::trim).find(|line| line.starts_with("AGE-SECRET-KEY-1")).unwrap();
    fs::write(place.path("identity.txt"), identity).unwrap();
    fs::create_dir(place.path("out")).unwrap();
    let mut age = Command::new("age")
        .args(["-d", "-i"])
        .args([place.path("identity.txt"), place.path("one.age")])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let tar = Command::new("tar").arg("-xC").arg(place.path("out")).stdin(age.stdout.take().unwrap()).status().unwrap();
    assert!(age.wait().unwrap().success() && tar.success());
    for name in ["header", "directory.db", "audit.db", "backup.plan", "MANIFEST", "tenants"] {
        assert!(place.path("out").join(name).exists(), "{name}");
    }
    for name in ["log.state", "lock", "audit.lock", "backup.state", "directory.db-shm"] {
        assert!(!place.path("out").join(name).exists(), "{name}");
    }
}

#[test]
fn a_locked_backup_waits_for_nobody_who_has_the_vault_open() {
    let place = Place::new();
    let (session, _kit) = filled(&place);
    let refused = place.vault().start_backup(&place.path("one.age")).wait();
    assert!(matches!(refused, Err(JobError::Backup(BackupError::InUse(Some(_))))), "{refused:?}");
    assert!(!place.path("one.age").exists());
    drop(session);
    place.vault().start_backup(&place.path("one.age")).wait().unwrap();
}

#[test]
fn a_backup_is_announced_in_the_log_and_only_the_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let (session, _kit) = filled(&place);
    backed_up_unlocked(&place, &session, "one.age");
    let page = session.log_page(None, 2).unwrap();
    let said: Vec<_> = page.entries.iter().map(|entry| (entry.action.as_str(), entry.count)).collect();
    assert_eq!(said, [("backup.receipt_filed", Some(1)), ("backup.exported", Some(1))]);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&place.path("one.age")), 0o600);
}

#[test]
fn what_was_backed_up_while_locked_is_listed_after_the_next_unlock() {
    let place = Place::new();
    let (session, _kit) = filled(&place);
    backed_up_unlocked(&place, &session, "one.age");
    session.lock().unwrap();
    for (name, counter) in [("two.age", 2), ("three.age", 3)] {
        assert_eq!(place.vault().start_backup(&place.path(name)).wait().unwrap().counter, counter);
    }
    let session = place.unlock();
    // Filed in the background, or at the latest with the next backup.
    assert_eq!(backed_up_unlocked(&place, &session, "four.age").counter, 4);
    let counters: Vec<_> = session.backups().unwrap().iter().map(|backup| backup.counter).collect();
    assert_eq!(counters, [4, 3, 2, 1]);
}

#[test]
fn a_backup_that_gets_no_name_leaves_no_receipt_and_its_number_is_not_given_again() {
    let place = Place::new();
    let (session, _kit) = filled(&place);
    session.lock().unwrap();
    // Somebody takes the name while the backup is being written: it is complete, announced, and never named.
    let taken = place.path("one.age");
    let session = loop {
        let job = place.vault().start_backup(&taken);
        let begun = || {
            let names: Vec<_> =
                fs::read_dir(place.path(".")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.iter().any(|name| name.to_string_lossy().starts_with(".coffer-") || name == "one.age")
        };
        while !begun() {}
        let _ = fs::write(&taken, "somebody's");
        match job.wait() {
            Err(JobError::Backup(BackupError::TargetExists)) => break place.unlock(),
            // The name was taken too late.
            Ok(_) => fs::remove_file(&taken).unwrap(),
            Err(other) => panic!("{other:?}"),
        }
    };
    assert_eq!(fs::read(&taken).unwrap(), b"somebody's");
    let next = backed_up_unlocked(&place, &session, "two.age");
    let listed: Vec<_> = session.backups().unwrap().iter().map(|backup| backup.counter).collect();
    assert_eq!(listed[0], next.counter);
    let announced = |count| {
        let page = session.log_page(None, 100).unwrap();
        page.entries.iter().filter(|entry| entry.action == "backup.exported" && entry.count == Some(count)).count()
    };
    for number in 1..=next.counter {
        assert_eq!(announced(number), 1, "the number {number} was given once");
    }
    assert!(listed.len() < usize::try_from(next.counter).unwrap(), "what has no name has no receipt: {listed:?}");
}

#[test]
fn two_backups_at_once_come_one_after_the_other() {
    let place = Place::new();
    let (session, _kit) = filled(&place);
    let jobs: Vec<_> = (0..3).map(|number| session.start_backup(&place.path(&format!("{number}.age")))).collect();
    let mut counters: Vec<_> = jobs.into_iter().map(|job| job.wait().unwrap().counter).collect();
    counters.sort_unstable();
    assert_eq!(counters, [1, 2, 3]);
}

#[test]
fn a_device_that_lost_its_key_is_enrolled_anew_by_an_administrator() {
    let place = Place::new();
    let (session, kit) = filled(&place);
    let refused = session.enrol_device();
    assert!(matches!(refused, Err(EnrolDeviceError::Enrolled)), "{refused:?}");
    backed_up_unlocked(&place, &session, "before.age");
    session.lock().unwrap();
    place.host.devices.forget(place.vault().id()).unwrap();
    let locked = place.vault().start_backup(&place.path("locked.age")).wait();
    assert!(matches!(locked, Err(JobError::Backup(BackupError::NoDeviceKey))), "{locked:?}");

    let session = place.unlock();
    let unlocked = session.start_backup(&place.path("unlocked.age")).wait();
    assert!(matches!(unlocked, Err(JobError::Backup(BackupError::NoDeviceKey))), "{unlocked:?}");
    session.enrol_device().unwrap();
    assert_eq!(backed_up_unlocked(&place, &session, "after.age").counter, 2);
    let before = everything(&session);
    session.lock().unwrap();
    assert_eq!(place.vault().start_backup(&place.path("locked.age")).wait().unwrap().counter, 3);

    // The kit opens all of them; the device those it made since.
    let options = RestoreOptions { accept_older: true };
    for name in ["before", "after", "locked"] {
        let to = place.path(&format!("{name}.coffer"));
        start_restore(&place.host, &place.path(&format!("{name}.age")), kit_identity(&kit), &to, options)
            .wait()
            .unwrap();
        assert_eq!(everything(&place.unlock_at(&to)), before);
    }
    let here = |name: &str| {
        let identity = BackupIdentity::Device(place.vault_folder());
        start_verify_backup(&place.host, &place.path(name), identity).wait()
    };
    here("after.age").unwrap();
    assert!(matches!(here("before.age"), Err(JobError::Backup(BackupError::WrongKey))));
}

#[test]
fn locking_stops_a_backup_and_leaves_no_file() {
    let place = Place::new();
    let (session, _kit) = filled(&place);
    let job = session.start_backup(&place.path("one.age"));
    session.lock().unwrap();
    match job.wait() {
        Err(_) => assert!(!place.path("one.age").exists()),
        // It was done before the lock came.
        Ok(_) => assert!(place.path("one.age").exists()),
    }
    let left: Vec<_> = fs::read_dir(place.path(".")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with(".coffer-")), "{left:?}");
    place.unlock();
}

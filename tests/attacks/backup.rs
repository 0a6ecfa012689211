//! Attacks on backups and on the folders they are restored to. What can be done to the bytes of the archive itself is
//! attacked beside its parser, in `coffer-core`'s `backup`.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use coffer_core::{
    BackupError, BackupIdentity, JobError, RecoveryKit, RestoreOptions, parse_recovery_kit, start_restore,
    start_verify_backup,
};
use coffer_tests::{Place, login_draft, tenant};

fn kit_identity(kit: &RecoveryKit) -> BackupIdentity {
    let text = kit.to_text();
    BackupIdentity::RecoveryKit(parse_recovery_kit(std::str::from_utf8(text.expose()).unwrap()).unwrap())
}

/// A locked vault with one record, and backups of it by these names.
fn with_backups(names: &[&str]) -> (Place, RecoveryKit) {
    let place = Place::new();
    let (session, kit) = place.create();
    let acme = tenant(&session, "ACME GmbH");
    session.add_record(acme.id, login_draft("server", "root", "s3cret")).unwrap();
    for name in names {
        session.start_backup(&place.path(name)).wait().unwrap();
    }
    session.lock().unwrap();
    (place, kit)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for name in names(folder) {
        let path = folder.join(&name);
        if path.is_file() {
            all.insert(name, fs::read(path).unwrap());
        }
    }
    all
}

fn restore(place: &Place, file: &str, identity: BackupIdentity, accept_older: bool) -> Result<(), JobError> {
    let options = RestoreOptions { accept_older };
    start_restore(&place.host, &place.path(file), identity, &place.path("again.coffer"), options).wait().map(drop)
}

#[test]
fn attack_61_a_flipped_bit_or_a_lost_last_chunk_is_refused_and_nothing_is_written() {
    let (place, kit) = with_backups(&["one.age"]);
    let good = fs::read(place.path("one.age")).unwrap();
    let mut flipped = good.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let last_chunk = good.len() - (good.len() - 600) % (64 * 1024 + 16);
    for bad in [&flipped[..], &good[..last_chunk], &good[..good.len() - 1]] {
        fs::write(place.path("one.age"), bad).unwrap();
        for identity in [kit_identity(&kit), BackupIdentity::Device(place.vault_folder())] {
            let refused = restore(&place, "one.age", identity, false);
            assert!(matches!(refused, Err(JobError::Backup(BackupError::Damaged))), "{refused:?}");
        }
        assert_eq!(names(&place.path(".")), ["clients.coffer", "one.age"]);
    }
}

#[test]
fn attack_63_an_older_backup_asks_for_an_override_that_is_logged() {
    let (place, _kit) = with_backups(&["first.age", "second.age"]);
    let here = || BackupIdentity::Device(place.vault_folder());
    let refused = restore(&place, "first.age", here(), false);
    assert!(matches!(refused, Err(JobError::Backup(BackupError::Older { counter: 1, newest: 2 }))), "{refused:?}");
    assert!(!place.path("again.coffer").exists());
    let warned = start_verify_backup(&place.host, &place.path("first.age"), here()).wait().unwrap();
    assert!(warned.newer_known);

    restore(&place, "first.age", here(), true).unwrap();
    let restored = place.unlock_at(&place.path("again.coffer"));
    let log = restored.log_page(None, 100).unwrap();
    let accepted = log.entries.iter().find(|entry| entry.action == "backup.older_accepted").unwrap();
    assert_eq!(accepted.count, Some(1));
}

#[test]
fn attack_64_another_vaults_backup_is_refused() {
    let (place, _kit) = with_backups(&[]);
    let (other, _other_kit) = with_backups(&["other.age"]);
    fs::copy(other.path("other.age"), place.path("other.age")).unwrap();
    let here = BackupIdentity::Device(place.vault_folder());
    let refused = restore(&place, "other.age", here, false);
    assert!(matches!(refused, Err(JobError::Backup(BackupError::WrongKey))), "{refused:?}");
    let session = place.unlock();
    let refused = session.start_verify_backup(&place.path("other.age")).wait();
    assert!(matches!(refused, Err(JobError::Backup(BackupError::WrongKey))), "{refused:?}");
    assert!(!place.path("again.coffer").exists());
}

#[test]
fn attack_64_another_vaults_kit_opens_nothing() {
    let (place, _kit) = with_backups(&["one.age"]);
    let (_other, other_kit) = with_backups(&[]);
    let refused = restore(&place, "one.age", kit_identity(&other_kit), false);
    assert!(matches!(refused, Err(JobError::Backup(BackupError::WrongKey))), "{refused:?}");
}

#[test]
fn attack_66_a_link_planted_at_the_target_is_not_followed() {
    let (place, kit) = with_backups(&["one.age"]);
    fs::create_dir(place.path("elsewhere")).unwrap();
    // Of a restore, to an empty folder and to nothing; of a backup, to a file that matters.
    for target in ["elsewhere", "nothing"] {
        symlink(place.path(target), place.path("again.coffer")).unwrap();
        let refused = restore(&place, "one.age", kit_identity(&kit), false);
        assert!(matches!(refused, Err(JobError::Backup(BackupError::TargetExists))), "{refused:?}");
        fs::remove_file(place.path("again.coffer")).unwrap();
    }
    assert!(names(&place.path("elsewhere")).is_empty());
    fs::write(place.path("precious"), "kept").unwrap();
    for target in ["precious", "nothing"] {
        symlink(place.path(target), place.path("two.age")).unwrap();
        let refused = place.vault().start_backup(&place.path("two.age")).wait();
        assert!(matches!(refused, Err(JobError::Backup(BackupError::TargetExists))), "{refused:?}");
        fs::remove_file(place.path("two.age")).unwrap();
    }
    assert_eq!(fs::read(place.path("precious")).unwrap(), b"kept");
    assert!(!place.path("nothing").exists());
}

/// Names of the folder that a killed restore may leave: unfinished, and recognisable as ours.
fn is_leftover(name: &str) -> bool {
    name.strip_prefix(".coffer-").is_some_and(|rest| rest.strip_suffix(".tmp").is_some())
}

#[test]
fn attack_70_a_kill_in_the_middle_of_a_restore_leaves_the_old_vault_and_a_whole_target_or_none() {
    let (place, kit) = with_backups(&["one.age"]);
    fs::write(place.path("kit.txt"), kit.to_text().expose()).unwrap();
    let before = contents(&place.vault_folder());
    let target = place.path("again.coffer");
    let mut unfinished = 0;
    // Further apart each time, until one restore was quicker than the kill.
    for pause in 1_u64.. {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "backup::restores_until_it_is_killed", "--ignored"])
            .env(RESTORE_IN, place.path("."))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        wait_for_begin(&mut child, &place.path("begun"));
        std::thread::sleep(Duration::from_millis(pause));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(contents(&place.vault_folder()), before);
        let left: Vec<_> = names(&place.path(".")).into_iter().filter(|name| is_leftover(name)).collect();
        unfinished += left.len();
        for name in left {
            fs::remove_dir_all(place.path(&name)).unwrap();
        }
        if target.exists() {
            break;
        }
        assert!(pause < 2_000, "no restore ever ended");
    }
    assert!(unfinished > 0, "no restore was killed in the middle");
    place.unlock_at(&target);
    place.unlock();
}

/// Where the process that is to be killed finds the backup and the kit.
const RESTORE_IN: &str = "COFFER_TEST_RESTORE_IN";

fn wait_for_begin(child: &mut Child, sign: &Path) {
    while !sign.exists() {
        assert!(child.try_wait().unwrap().is_none(), "the restoring process ended before it began");
        std::thread::sleep(Duration::from_millis(1));
    }
    fs::remove_file(sign).unwrap();
}

#[test]
#[ignore = "run, and killed, by the test of attack 70"]
fn restores_until_it_is_killed() {
    let Some(folder) = std::env::var_os(RESTORE_IN).map(PathBuf::from) else { return };
    let kit = fs::read_to_string(folder.join("kit.txt")).unwrap();
    let identity = BackupIdentity::RecoveryKit(parse_recovery_kit(&kit).unwrap());
    let host = Place::new().host;
    fs::write(folder.join("begun"), "").unwrap();
    let (file, to) = (folder.join("one.age"), folder.join("again.coffer"));
    start_restore(&host, &file, identity, &to, RestoreOptions::default()).wait().unwrap();
}

#[test]
fn attack_70_a_cancelled_restore_leaves_the_old_vault_and_no_target() {
    let (place, kit) = with_backups(&["one.age"]);
    let before = contents(&place.vault_folder());
    for _ in 0..5 {
        let options = RestoreOptions::default();
        let to = place.path("again.coffer");
        let job = start_restore(&place.host, &place.path("one.age"), kit_identity(&kit), &to, options);
        job.cancel();
        assert!(matches!(job.wait(), Err(JobError::Cancelled)));
        assert_eq!(names(&place.path(".")), ["clients.coffer", "one.age"]);
    }
    assert_eq!(contents(&place.vault_folder()), before);
    place.unlock();
}

/// A vault somebody else founded for the kit's public keys is not the kit's vault, whatever it is sealed to.
#[test]
fn a_kit_restores_the_vault_it_was_made_with_and_no_other() {
    let (place, kit) = with_backups(&["one.age"]);
    let text = String::from_utf8(kit.to_text().expose().to_vec()).unwrap();
    let line = text.lines().find(|line| line.starts_with("Founded as")).unwrap();
    let altered = text.replace(line, &format!("Founded as   {}", "0".repeat(64)));
    let identity = BackupIdentity::RecoveryKit(parse_recovery_kit(&altered).unwrap());
    let to = place.path("restored.coffer");
    let options = RestoreOptions { accept_older: false };
    let refused = start_restore(&place.host, &place.path("one.age"), identity, &to, options).wait();
    assert!(matches!(refused, Err(JobError::Backup(BackupError::OtherVault))), "{refused:?}");
    assert!(!to.exists());
}

//! The log on a real folder: attacks on it, kills in the middle of it, several writers at once.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use coffer_crypto::seal::SealingPublicKey;
use coffer_crypto::secret::{SealingSeed, SecretKey, SigningSeed};
use coffer_crypto::sign::SigningKey;
use coffer_evidence::entry::LogEntry;
use coffer_evidence::note::Signer;
use coffer_model::event::Event;
use coffer_model::id::{AccountId, ReplicaId, TenantId, VaultId};
use coffer_model::time::Timestamp;
use tempfile::TempDir;

use super::*;
use crate::keys::SharedKey;
use crate::store::audit::FILE as DATABASE;
use crate::view::LogReport;

const VAULT: VaultId = VaultId::from_bytes([7; 16]);
const ACCOUNT: AccountId = AccountId::from_bytes([8; 16]);
const START: i64 = 1_795_305_600_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_millis(START + seconds * 1000).unwrap()
}

fn auditor() -> [Arc<SharedKey>; 1] {
    [Arc::new(SharedKey::of(1, SealingSeed::parse(&[3; 32]).unwrap()))]
}

fn public() -> SealingPublicKey {
    auditor()[0].pair.public_key().clone()
}

fn signing_key() -> SigningKey {
    SigningKey::from_seed(&SigningSeed::parse(&[4; 32]).unwrap())
}

/// Bytes that never repeat; fixed, so that a failure can be had again.
fn random() -> impl FnMut(&mut [u8]) {
    let mut counter = 0_u64;
    move |buffer: &mut [u8]| {
        for chunk in buffer.chunks_mut(32) {
            counter += 1;
            chunk.copy_from_slice(&merkle::leaf_hash(&counter.to_be_bytes())[..chunk.len()]);
        }
    }
}

fn origin() -> EntryOrigin {
    let identity = Identity {
        os_user: "ines".to_owned(),
        host_name: "desk".to_owned(),
        program: "coffer".to_owned(),
        process_id: 1,
    };
    EntryOrigin { actor: Some(ACCOUNT), session: None, replica: ReplicaId::from_bytes([9; 16]), identity }
}

fn count(log: &AuditLog) -> u64 {
    log.head().unwrap().0
}

fn append(log: &AuditLog, entries: u64) {
    let mut random = random();
    for _ in 0..entries {
        let event = Event::LogRead { count: count(log) };
        log.append(at(0), &origin(), event, &mut random).unwrap();
    }
}

fn checkpoint(log: &AuditLog) {
    log.checkpoint(at(1), &CheckpointSigner::account(ACCOUNT, &signing_key())).unwrap();
}

/// A log of `entries` with a checkpoint at each ten.
fn made(entries: u64) -> (TempDir, AuditLog) {
    let folder = tempfile::tempdir().unwrap();
    let log = AuditLog::create(folder.path(), VAULT, &public(), &mut random()).unwrap();
    for _ in 0..entries / 10 {
        append(&log, 10);
        checkpoint(&log);
    }
    append(&log, entries % 10);
    (folder, log)
}

#[derive(Default)]
struct Seen(Vec<(u64, LogEntry)>);

impl Observe for Seen {
    fn progress(&mut self, _: u64, _: u64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn entry(&mut self, index: u64, entry: &LogEntry) {
        self.0.push((index, entry.clone()));
    }
}

fn verify_with(folder: &Path, auditors: &[Arc<SharedKey>], anchors: &[String]) -> LogReport {
    let log = AuditLog::open_to_read(folder, VAULT, &public()).unwrap();
    let signers = vec![Signer::account(ACCOUNT, &signing_key().verifying_key().encode()).unwrap()];
    let scope = VerifyScope { signers, auditors, anchors };
    log.verify(scope, &mut Seen::default()).unwrap().unwrap()
}

/// Codes and indexes.
type Found = Vec<(String, u64)>;

/// What an auditor and what anybody finds.
fn findings(folder: &Path) -> (Found, Found) {
    let plain =
        |report: LogReport| report.findings.into_iter().map(|finding| (finding.code, finding.index.unwrap())).collect();
    (plain(verify_with(folder, &auditor(), &[])), plain(verify_with(folder, &[], &[])))
}

fn has(findings: &[(String, u64)], code: &str, index: u64) -> bool {
    findings.iter().any(|(found, at)| found == code && *at == index)
}

/// What somebody does who can write the file.
#[expect(clippy::disallowed_types, reason = "attacks the file past the store")]
fn tamper(folder: &Path, sql: &str) {
    rusqlite::Connection::open(folder.join(DATABASE)).unwrap().execute_batch(sql).unwrap();
}

fn copy_folder(from: &Path) -> TempDir {
    let to = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        // The index of a write-ahead log is made anew, as after a restart of the machine.
        if !entry.file_name().to_string_lossy().ends_with("-shm") {
            fs::copy(entry.path(), to.path().join(entry.file_name())).unwrap();
        }
    }
    to
}

fn copy_file(from: &Path, to: &Path, name: &str) {
    fs::copy(from.join(name), to.join(name)).unwrap();
}

#[test]
fn entries_read_back_newest_first_and_verify() {
    let (folder, log) = made(25);
    let page = log.read_page(&auditor(), None, 10).unwrap();
    assert_eq!(page.iter().map(|entry| entry.index).collect::<Vec<_>>(), (15..25).rev().collect::<Vec<_>>());
    let newest = page[0].entry.as_ref().unwrap();
    assert_eq!((newest.event, newest.actor), (Event::LogRead { count: 24 }, Some(ACCOUNT)));
    let page = log.read_page(&auditor(), Some(3), 10).unwrap();
    assert_eq!(page.iter().map(|entry| entry.index).collect::<Vec<_>>(), [2, 1, 0]);
    let report = verify_with(folder.path(), &auditor(), &[]);
    assert_eq!((report.findings, report.entries, report.checkpoints), (vec![], 25, 2));
    assert!(verify_with(folder.path(), &[], &[]).ok);
    assert_eq!(report.root, hex::encode(log.head().unwrap().1));
}

#[test]
fn the_public_key_alone_appends_and_reads_nothing() {
    let (folder, log) = made(3);
    drop(log);
    let log = AuditLog::open_locked(folder.path(), VAULT, &public().encode()).unwrap();
    log.append_unlock_failure(at(0), &EntryOrigin::locked(&origin().identity), &mut random()).unwrap();
    assert_eq!((count(&log), log.unlock_failures().unwrap()), (4, 1));
    let stranger = [Arc::new(SharedKey::of(1, SealingSeed::parse(&[5; 32]).unwrap()))];
    assert!(log.read_page(&stranger, None, 9).unwrap().iter().all(|entry| entry.entry.is_none()));

    assert_eq!(log.read_page(&auditor(), None, 1).unwrap()[0].entry.as_ref().unwrap().event, Event::UnlockFailed);
}

#[test]
fn attack_51_an_edited_entry_is_named() {
    let (folder, log) = made(25);
    drop(log);
    tamper(folder.path(), "UPDATE entry SET sealed = zeroblob(length(sealed)) WHERE idx = 13");
    let (audit, _) = findings(folder.path());
    assert_eq!(audit, [("edited".to_owned(), 13)]);
    tamper(folder.path(), "UPDATE entry SET leaf = zeroblob(32) WHERE idx = 13");
    let (audit, anybody) = findings(folder.path());
    assert!(has(&audit, "edited", 13), "{audit:?}");
    assert!(has(&anybody, "edited", 10), "{anybody:?}");
}

#[test]
fn attack_52_exchanged_entries_are_named() {
    let (folder, log) = made(25);
    drop(log);
    tamper(
        folder.path(),
        "UPDATE entry SET idx = 1000 WHERE idx = 12; UPDATE entry SET idx = 12 WHERE idx = 15;
         UPDATE entry SET idx = 15 WHERE idx = 1000;",
    );
    let (audit, anybody) = findings(folder.path());
    assert!(has(&audit, "reordered", 12) && has(&audit, "reordered", 15), "{audit:?}");
    assert!(has(&anybody, "edited", 10), "{anybody:?}");
}

#[test]
fn attack_53_a_dropped_entry_is_named_renumbered_or_not() {
    let (folder, log) = made(25);
    drop(log);
    tamper(folder.path(), "DELETE FROM entry WHERE idx = 14");
    let (audit, anybody) = findings(folder.path());
    assert!(has(&audit, "gap", 14) && has(&anybody, "gap", 14), "{audit:?} {anybody:?}");
    tamper(folder.path(), "UPDATE entry SET idx = idx - 1 WHERE idx > 14");
    let (audit, anybody) = findings(folder.path());
    assert!(has(&audit, "gap", 14), "{audit:?}");
    assert!(has(&anybody, "edited", 10), "{anybody:?}");
    // Whoever would go on writing is stopped: the state knows one entry more.
    assert!(matches!(AuditLog::open(folder.path(), VAULT, &public()), Err(LogError::State(StateProblem::Ahead))));
}

#[test]
fn attack_54_a_cut_off_end_is_noticed_by_checkpoint_state_and_anchor() {
    let (folder, log) = made(20);
    let held_outside = {
        let inner = log.inner.lock().unwrap();
        inner.store.rows().last_checkpoint().unwrap().unwrap().note
    };
    drop(log);
    tamper(folder.path(), "DELETE FROM entry WHERE idx >= 17");
    let (_, anybody) = findings(folder.path());
    assert!(has(&anybody, "truncated", 17), "{anybody:?}");
    // With the checkpoint gone as well, the state still knows.
    tamper(folder.path(), "DELETE FROM checkpoint WHERE size > 17");
    let (_, anybody) = findings(folder.path());
    assert_eq!(anybody, [("truncated".to_owned(), 17)]);
    assert!(matches!(AuditLog::open(folder.path(), VAULT, &public()), Err(LogError::State(StateProblem::Ahead))));
    // With an older state put in its place too, the anchor is left, and a resumed log is a fork of it.
    let (older, log) = made(17);
    drop(log);
    copy_file(older.path(), folder.path(), state::FILE);
    let report = verify_with(folder.path(), &[], &[]);
    assert!(report.ok, "{report:?}");
    let report = verify_with(folder.path(), &[], std::slice::from_ref(&held_outside));
    assert_eq!(report.findings[0].code, "truncated");
    let log = AuditLog::open(folder.path(), VAULT, &public()).unwrap();
    append(&log, 8);
    checkpoint(&log);
    drop(log);
    let report = verify_with(folder.path(), &[], &[held_outside]);
    assert_eq!((report.findings[0].code.as_str(), report.findings[0].index), ("forked", Some(20)));
}

#[test]
fn attack_58_nothing_of_an_entry_is_readable_in_the_folder() {
    let (folder, log) = made(3);
    let canary = EntryOrigin {
        identity: Identity { host_name: "canary-4711-host".to_owned(), ..origin().identity },
        ..origin()
    };
    log.append(at(0), &canary, Event::VaultLocked, &mut random()).unwrap();
    checkpoint(&log);
    for entry in fs::read_dir(folder.path()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        for word in [&b"canary-4711"[..], b"vault.locked", b"ines", ACCOUNT.as_bytes()] {
            assert!(!bytes.windows(word.len()).any(|part| part == word));
        }
    }
    assert_eq!(
        log.read_page(&auditor(), None, 1).unwrap()[0].entry.as_ref().unwrap().host.as_str(),
        "canary-4711-host"
    );
}

#[test]
fn attack_59_a_flood_of_failed_unlocks_is_bounded_and_counted() {
    let (folder, log) = made(0);
    let mut random = random();
    let locked = EntryOrigin::locked(&origin().identity);
    for second in 0..200 {
        log.append_unlock_failure(at(second), &locked, &mut random).unwrap();
    }
    assert_eq!((count(&log), log.unlock_failures().unwrap()), (20, 200));
    // The count survives the process, and is written before the next entry.
    drop(log);
    let log = AuditLog::open(folder.path(), VAULT, &public()).unwrap();
    let index = log.append(at(201), &origin(), Event::VaultUnlocked, &mut random).unwrap();
    assert_eq!((index, count(&log)), (21, 22));
    let page = log.read_page(&auditor(), None, 2).unwrap();
    let counted = page[1].entry.as_ref().unwrap();
    assert_eq!((counted.event, counted.actor), (Event::UnlockFailuresCounted { count: 180 }, None));
    // A window later, failures are logged again; a clock set back does not silence them.
    log.append_unlock_failure(at(700), &locked, &mut random).unwrap();
    assert_eq!(count(&log), 23);
    log.append_unlock_failure(at(-100_000), &locked, &mut random).unwrap();
    assert_eq!(count(&log), 24);
    assert!(verify_with(folder.path(), &auditor(), &[]).ok);
}

#[test]
fn a_kill_between_any_two_steps_of_an_append_loses_nothing() {
    let (folder, log) = made(15);
    let before = copy_folder(folder.path());
    append(&log, 1);
    let after = copy_folder(folder.path());
    drop(log);
    // Killed before the commit: neither entry nor state.
    // Killed after it: the entry, the old state. Killed between the slots: the entry, the new and the old key.
    let between = copy_folder(after.path());
    copy_file(before.path(), between.path(), state::FILE);
    let old = fs::read(before.path().join(state::FILE)).unwrap();
    let half = copy_folder(after.path());
    let mut slots = fs::read(after.path().join(state::FILE)).unwrap();
    slots[4096..].copy_from_slice(&old[4096..]);
    fs::write(half.path().join(state::FILE), slots).unwrap();
    for (folder, entries) in [(&before, 15), (&between, 16), (&half, 16), (&after, 16)] {
        let log = AuditLog::open(folder.path(), VAULT, &public()).unwrap();
        assert_eq!(count(&log), entries);
        append(&log, 2);
        checkpoint(&log);
        let report = verify_with(folder.path(), &auditor(), &[]);
        assert!(report.ok && report.entries == entries + 2, "{report:?}");
    }
}

#[test]
fn a_state_that_a_loss_of_power_left_behind_is_stepped_forward() {
    let (folder, log) = made(5);
    let early = copy_folder(folder.path());
    append(&log, 150);
    drop(log);
    copy_file(early.path(), folder.path(), state::FILE);
    let log = AuditLog::open(folder.path(), VAULT, &public()).unwrap();
    append(&log, 1);
    assert!(verify_with(folder.path(), &auditor(), &[]).ok);
}

#[test]
fn a_state_that_no_loss_of_power_explains_is_an_incident() {
    let (folder, log) = made(5);
    let early = copy_folder(folder.path());
    append(&log, MAX_STATE_LAG + 1);
    drop(log);
    let problem = |folder: &Path| match AuditLog::open(folder, VAULT, &public()) {
        Err(LogError::State(problem)) => problem,
        other => panic!("{other:?}"),
    };
    let late = fs::read(folder.path().join(state::FILE)).unwrap();
    copy_file(early.path(), folder.path(), state::FILE);
    assert_eq!(problem(folder.path()), StateProblem::Behind);
    fs::write(folder.path().join(state::FILE), [0; 8192]).unwrap();
    assert_eq!(problem(folder.path()), StateProblem::Lost);
    fs::remove_file(folder.path().join(state::FILE)).unwrap();
    assert_eq!(problem(folder.path()), StateProblem::Lost);
    // It is not made anew on the quiet, the log can be looked at, and nothing can be written.
    assert!(!folder.path().join(state::FILE).exists());
    let log = AuditLog::open_to_read(folder.path(), VAULT, &public()).unwrap();
    assert_eq!(log.read_page(&auditor(), None, 3).unwrap().len(), 3);
    let refused = log.append(at(0), &origin(), Event::VaultLocked, &mut random());
    assert!(matches!(refused, Err(LogError::State(StateProblem::Lost))));
    assert_eq!(verify_with(folder.path(), &auditor(), &[]).findings[0].code, "state_lost");
    fs::write(folder.path().join(state::FILE), &late).unwrap();
    assert!(verify_with(folder.path(), &auditor(), &[]).ok);
    // The state of another log of the same length.
    let other = tempfile::tempdir().unwrap();
    let mut other_random = |buffer: &mut [u8]| buffer.fill(0x5a);
    let log = AuditLog::create(other.path(), VAULT, &public(), &mut other_random).unwrap();
    append(&log, MAX_STATE_LAG + 6);
    copy_file(other.path(), folder.path(), state::FILE);
    assert_eq!(verify_with(folder.path(), &auditor(), &[]).findings[0].code, "state_mismatch");
}

#[test]
fn several_writers_at_once_make_one_log() {
    let (folder, log) = made(1);
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let folder = folder.path().to_owned();
            thread::spawn(move || append(&AuditLog::open(&folder, VAULT, &public()).unwrap(), 25))
        })
        .collect();
    append(&log, 25);
    for writer in writers {
        writer.join().unwrap();
    }
    let report = verify_with(folder.path(), &auditor(), &[]);
    assert!(report.ok && report.entries == 126, "{report:?}");
}

#[test]
fn a_log_longer_than_one_sealing_session_goes_on_in_the_next() {
    let (folder, log) = made(0);
    append(&log, 1003);
    assert!(verify_with(folder.path(), &auditor(), &[]).ok);
    // One append may write two entries, so a session is given up with less room than that.
    let inner = log.inner.lock().unwrap();
    assert!(inner.store.rows().context(0).unwrap().is_some() && inner.store.rows().context(999).unwrap().is_some());
}

#[test]
fn checkpoints_come_after_a_hundred_entries_or_a_quarter_of_an_hour_and_not_twice() {
    let (_folder, log) = made(0);
    let key = signing_key();
    let signer = || CheckpointSigner::device(VAULT, &key);
    let newest = || log.inner.lock().unwrap().store.rows().last_checkpoint().unwrap().map(|row| row.size);
    log.checkpoint_if_due(at(0), signer).unwrap();
    assert_eq!(newest(), None, "there is nothing to sign");
    append(&log, 1);
    log.checkpoint_if_due(at(0), signer).unwrap();
    append(&log, 99);
    log.checkpoint_if_due(at(14 * 60), signer).unwrap();
    assert_eq!(newest(), Some(1));
    append(&log, 1);
    log.checkpoint_if_due(at(14 * 60), signer).unwrap();
    assert_eq!(newest(), Some(101));
    append(&log, 1);
    log.checkpoint_if_due(at(29 * 60), signer).unwrap();
    assert_eq!(newest(), Some(102));
    log.checkpoint(at(30 * 60), &signer()).unwrap();
    append(&log, 1);
    log.checkpoint_if_due(at(0), signer).unwrap();
    assert_eq!(newest(), Some(103), "a clock set back puts nothing off");
}

#[test]
fn a_checkpoint_of_another_process_is_seen_once_one_would_be_due() {
    let (folder, log) = made(0);
    let key = signing_key();
    let signer = || CheckpointSigner::device(VAULT, &key);
    append(&log, 1);
    log.checkpoint_if_due(at(0), signer).unwrap();
    let other = AuditLog::open(folder.path(), VAULT, &public()).unwrap();
    append(&other, 99);
    other.checkpoint(at(60), &signer()).unwrap();
    append(&log, 1);
    log.checkpoint_if_due(at(60), || panic!("101 entries, of which 100 are signed")).unwrap();
    append(&log, 98);
    log.checkpoint_if_due(at(60), || panic!("99 since")).unwrap();
    append(&log, 1);
    log.checkpoint_if_due(at(60), signer).unwrap();
    assert_eq!(log.inner.lock().unwrap().store.rows().last_checkpoint().unwrap().map(|row| row.size), Some(200));
}

#[test]
fn a_log_whose_past_was_changed_is_not_signed_again() {
    let (folder, log) = made(20);
    append(&log, 3);
    drop(log);
    tamper(folder.path(), "UPDATE entry SET leaf = zeroblob(32), nodes = zeroblob(length(nodes)) WHERE idx = 19");
    let log = AuditLog::open(folder.path(), VAULT, &public()).unwrap();
    let key = signing_key();
    let refused = log.checkpoint(at(2), &CheckpointSigner::account(ACCOUNT, &key));
    assert!(matches!(refused, Err(LogError::NotExtending)), "{refused:?}");
}

#[test]
fn writes_without_effect_are_found_by_their_tags() {
    let (_folder, log) = made(2);
    let mut random = random();
    let tag = |tenant: u8| {
        move |index: u64| {
            let mut tag = [tenant; 16];
            tag[..8].copy_from_slice(&index.to_be_bytes());
            tag
        }
    };
    let event = Event::RecordsImported { tenant: TenantId::from_bytes([1; 16]), count: 1 };
    for tenant in [1, 2, 1, 1] {
        log.append_write(at(0), &origin(), event, &tag(tenant), &mut random).unwrap();
    }
    append(&log, 1);
    let ours = |index: u64, found: &[u8; 16]| tag(1)(index) == *found;
    let missing = |applied| log.effects_after(applied, None, &ours).unwrap().missing;
    assert_eq!(missing(None), [2, 4, 5]);
    assert_eq!(missing(Some(4)), [5]);
    assert_eq!(missing(Some(5)), [] as [u64; 0]);
    // Auditors find the same tag inside the sealed entry.
    let entry = log.read_page(&auditor(), Some(6), 1).unwrap().remove(0).entry.unwrap();
    assert_eq!(entry.effect_tag, Some(tag(1)(5)));
}

#[test]
fn what_was_looked_through_for_writes_is_passed_over_as_long_as_it_holds() {
    let (folder, log) = made(2);
    let write = |log: &AuditLog| {
        let event = Event::RecordsImported { tenant: TenantId::from_bytes([1; 16]), count: 1 };
        log.append_write(at(0), &origin(), event, &|_| [7; 16], &mut random()).unwrap()
    };
    let ours = |_: u64, tag: &[u8; 16]| *tag == [7; 16];
    let look = |log: &AuditLog, applied, before: Option<&LookedThrough>| {
        let effects = log.effects_after(applied, before, &ours).unwrap();
        (effects.missing, effects.read, effects.looked)
    };
    let applied = Some(write(&log));
    append(&log, 10);
    let (missing, read, looked) = look(&log, applied, None);
    assert_eq!((missing.len(), read), (0, 10));
    append(&log, 3);
    let newest = write(&log);
    let (missing, read, nothing) = look(&log, applied, looked.as_ref());
    assert_eq!((missing, read, nothing), (vec![newest], 4, None), "what came since is looked at");
    assert_eq!(look(&log, Some(newest), looked.as_ref()).1, 0);
    // Rows that were there are gone: everything is looked at.
    assert_eq!(look(&log, applied.and_then(|entry| entry.checked_sub(1)), looked.as_ref()).1, 15);
    tamper(folder.path(), "UPDATE entry SET idx = 1000000 WHERE idx = 12");
    assert_eq!(look(&log, applied, looked.as_ref()).1, 1_000_001 - 3, "the entry it came to is not there");
    tamper(folder.path(), "UPDATE entry SET idx = 12 WHERE idx = 1000000");
    // The log lost its end, and other entries stand where that was.
    drop(log);
    tamper(folder.path(), "DELETE FROM entry WHERE idx >= 9");
    let log = AuditLog::open_to_read(folder.path(), VAULT, &public()).unwrap();
    let (size, root) = log.head().unwrap();
    drop(log);
    let log = AuditLog::start_segment(folder.path(), VAULT, &public(), (size, root), &mut random()).unwrap();
    assert_eq!(look(&log, applied, looked.as_ref()).1, 6, "it is shorter than what was looked through");
    let again = write(&log);
    append(&log, 10);
    assert_eq!(look(&log, applied, looked.as_ref()).0, [again]);
}

#[test]
fn a_restored_log_goes_on_in_a_linked_segment() {
    let (folder, log) = made(13);
    let copy = log.hold_for_copy().unwrap();
    append(&log, 4);
    // The main file alone is what was held, although the log has grown.
    let restored = tempfile::tempdir().unwrap();
    copy_file(folder.path(), restored.path(), DATABASE);
    let head = (copy.size, copy.root);
    assert_eq!(head.0, 13);
    drop(copy);
    let wrong = AuditLog::start_segment(restored.path(), VAULT, &public(), (12, head.1), &mut random());
    assert!(matches!(wrong, Err(LogError::NotExtending)));
    let mut fresh = |buffer: &mut [u8]| buffer.fill(0x77);
    let log = AuditLog::start_segment(restored.path(), VAULT, &public(), head, &mut fresh).unwrap();
    log.append(at(5), &origin(), Event::BackupRestored { counter: 1 }, &mut random()).unwrap();
    append(&log, 5);
    checkpoint(&log);
    let report = verify_with(restored.path(), &auditor(), &[]);
    assert!(report.ok && report.entries == 19, "{report:?}");
    tamper(restored.path(), "UPDATE segment SET root = zeroblob(32) WHERE first = 13");
    assert!(has(&findings(restored.path()).1, "bad_link", 13));
}

#[test]
fn a_stopped_verification_has_no_result() {
    struct Stop;
    impl Observe for Stop {
        fn progress(&mut self, _: u64, _: u64) -> ControlFlow<()> {
            ControlFlow::Break(())
        }

        fn entry(&mut self, _: u64, _: &LogEntry) {}
    }
    let (_folder, log) = made(3);
    let scope = VerifyScope { signers: vec![], auditors: &[], anchors: &[] };
    assert_eq!(log.verify(scope, &mut Stop).unwrap(), None);
}

#[test]
fn files_are_private_and_another_vaults_log_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, log) = made(3);
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
    }
    drop(log);
    let other = AuditLog::open(folder.path(), VaultId::from_bytes([1; 16]), &public());
    assert!(matches!(other, Err(LogError::Store(StoreError::Misplaced))), "{other:?}");
}

#[test]
fn the_labels_are_those_of_the_programs_one_table() {
    use coffer_evidence::label as evidence;
    assert_eq!(evidence::LOG_LEAF, label::LOG_LEAF.encode());
    assert_eq!(evidence::LOG_MAC, label::LOG_MAC.encode());
    assert_eq!(evidence::LOG_STEP, label::LOG_STEP.encode());
}

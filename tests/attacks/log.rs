//! Attacks on the log of a whole vault: rows of `audit.db` changed by plain SQL by somebody who can write the file, then
//! unlocked and verified as an auditor would. The rules themselves are attacked in coffer-evidence, the log without a
//! vault around it in coffer-core's `audit`.

use std::fs;
use std::path::{Path, PathBuf};

use coffer_core::host::Identity;
use coffer_core::view::{LogEntryView, LogReport};
use coffer_core::{Damage, Fault, Session, UnlockError};
use coffer_tests::{LOGIN, PASSPHRASE, Place, forget_delays, login_draft, passphrase, tenant};

/// A locked vault whose log holds writes and reads of two sessions, with checkpoints.
fn with_history() -> Place {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    for number in 0..5 {
        session.add_record(acme, login_draft(&format!("Gateway {number}"), "svc", "invented-1")).unwrap();
    }
    session.lock().unwrap();
    let session = place.unlock();
    session.list_records(acme, 100, None).unwrap();
    session.lock().unwrap();
    place
}

/// What somebody does who can write the file.
#[expect(clippy::disallowed_types, reason = "attacks the file past the store")]
fn tamper(place: &Place, sql: &str) {
    let connection = rusqlite::Connection::open(place.vault_folder().join("audit.db")).unwrap();
    connection.execute_batch(sql).unwrap();
    assert!(connection.changes() > 0, "nothing was changed");
}

fn verify(session: &Session) -> LogReport {
    session.start_verify_log().unwrap().wait().unwrap()
}

/// Codes and indexes of what an auditor finds after unlocking.
fn findings(place: &Place) -> Vec<(String, Option<u64>)> {
    let session = place.unlock();
    let report = verify(&session);
    assert_eq!(report.ok, report.findings.is_empty());
    report.findings.into_iter().map(|finding| (finding.code, finding.index)).collect()
}

fn has(findings: &[(String, Option<u64>)], code: &str, index: u64) -> bool {
    findings.iter().any(|(found, at)| found == code && *at == Some(index))
}

fn refused(place: &Place) -> Damage {
    match place.vault().unlock(LOGIN, passphrase(PASSPHRASE)) {
        Err(UnlockError::Fault(Fault::Damaged(damage))) => damage,
        other => panic!("{other:?}"),
    }
}

/// Every entry there is, newest first.
fn all_entries(session: &Session) -> Vec<LogEntryView> {
    let mut entries = Vec::new();
    let mut before = None;
    loop {
        let page = session.log_page(before, 1000).unwrap();
        entries.extend(page.entries);
        before = page.next_before;
        if before.is_none() {
            return entries;
        }
    }
}

/// Files of the log, to be put back later.
fn log_files(place: &Place) -> Vec<(PathBuf, Vec<u8>)> {
    let names = ["audit.db", "audit.db-wal", "log.state"];
    let paths = names.into_iter().map(|name| place.vault_folder().join(name));
    paths.filter(|path| path.exists()).map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn put_back(place: &Place, files: &[(PathBuf, Vec<u8>)]) {
    for name in ["audit.db", "audit.db-wal", "audit.db-shm", "log.state"] {
        let _ = fs::remove_file(place.vault_folder().join(name));
    }
    for (path, bytes) in files {
        fs::write(path, bytes).unwrap();
    }
}

#[test]
fn an_untouched_log_verifies() {
    let place = with_history();
    assert_eq!(findings(&place), []);
}

#[test]
fn attack_51_an_edited_entry_is_found_and_named() {
    for edit in [
        "UPDATE entry SET sealed = zeroblob(length(sealed)) WHERE idx = 6",
        "UPDATE entry SET leaf = zeroblob(32) WHERE idx = 6",
        "UPDATE entry SET mac = zeroblob(32) WHERE idx = 6",
        "UPDATE entry SET sealed = (SELECT sealed FROM entry WHERE idx = 7) WHERE idx = 6",
        "UPDATE entry SET tag = NULL WHERE idx = 6",
    ] {
        let place = with_history();
        tamper(&place, edit);
        let found = findings(&place);
        assert!(found.iter().any(|(_, at)| *at == Some(6)), "{edit}: {found:?}");
    }
}

#[test]
fn attack_52_exchanged_entries_are_found_and_named() {
    let place = with_history();
    tamper(
        &place,
        "UPDATE entry SET idx = 1000 WHERE idx = 6; UPDATE entry SET idx = 6 WHERE idx = 8;
         UPDATE entry SET idx = 8 WHERE idx = 1000;",
    );
    let found = findings(&place);
    assert!(has(&found, "reordered", 6) && has(&found, "reordered", 8), "{found:?}");
}

#[test]
fn attack_53_an_entry_dropped_from_the_middle_is_found_and_named() {
    let place = with_history();
    tamper(&place, "DELETE FROM entry WHERE idx = 7");
    let found = findings(&place);
    assert!(has(&found, "gap", 7), "{found:?}");
    // Renumbered, so that there is no hole: the vault is not even unlocked, for the state knows one entry more.
    let place = with_history();
    tamper(&place, "DELETE FROM entry WHERE idx = 7; UPDATE entry SET idx = idx - 1 WHERE idx > 7;");
    assert_eq!(refused(&place), Damage::Log);
}

#[test]
fn attack_54_a_truncated_log_is_refused() {
    let place = with_history();
    tamper(&place, "DELETE FROM entry WHERE idx >= 9; DELETE FROM checkpoint WHERE size > 9;");
    assert_eq!(refused(&place), Damage::Log);
    // Whoever removes the whole state as well gets no further.
    fs::remove_file(place.vault_folder().join("log.state")).unwrap();
    assert_eq!(refused(&place), Damage::Log);
}

/// Log and state put back together, so that they fit each other: what this account remembers of the log, under its own
/// key in the header, is the anchor that is left.
#[test]
fn attack_54_an_older_log_with_its_older_state_is_refused() {
    let place = with_history();
    let older = log_files(&place);
    let session = place.unlock();
    session.tenants().unwrap();
    session.lock().unwrap();
    let newer = log_files(&place);
    put_back(&place, &older);
    assert_eq!(refused(&place), Damage::Log);
    // Resumed while locked, until it is as long as it was: still not the log that was known.
    for _ in 0..20 {
        forget_delays(&place.vault_folder());
        let wrong = place.vault().unlock(LOGIN, passphrase("quiet lanterns over the harbour 59"));
        assert!(matches!(wrong, Err(UnlockError::Refused)), "{wrong:?}");
    }
    assert_eq!(refused(&place), Damage::Log);
    // An auditor may go on with it, on record for ever.
    let session = place.vault().unlock_restarting_log(LOGIN, &passphrase(PASSPHRASE).into()).unwrap();
    assert!(all_entries(&session).iter().any(|entry| entry.action == "log.restarted"));
    drop(session);
    place.unlock().lock().unwrap();
    // The right log does not extend the one that was gone on with.
    put_back(&place, &newer);
    assert_eq!(refused(&place), Damage::Log);
}

/// The same after a session that never got to lock: that it began is remembered as well.
#[test]
fn attack_54_a_log_put_back_to_before_a_session_that_was_killed_is_refused() {
    let place = with_history();
    let older = log_files(&place);
    let session = place.unlock();
    let header = place.vault_folder().join("header");
    let as_when_killed = fs::read(&header).unwrap();
    session.lock().unwrap();
    fs::write(&header, as_when_killed).unwrap();
    put_back(&place, &older);
    assert_eq!(refused(&place), Damage::Log);
}

#[test]
fn attack_57_line_breaks_and_control_characters_never_reach_the_log() {
    let mut place = Place::new();
    let forged = "desk\r\n2026-11-21 vault.locked\u{1b}[2K\u{202e}";
    place.host.identity = Identity {
        os_user: forged.to_owned(),
        host_name: forged.to_owned(),
        program: forged.to_owned(),
        ..place.host.identity
    };
    let (session, _kit) = place.create();
    let entries = all_entries(&session);
    for entry in &entries {
        for text in [&entry.os_user, &entry.host, &entry.program] {
            assert!(text.starts_with("desk\\u{d}\\u{a}2026"), "{text}");
            assert!(!text.chars().any(|char| char.is_control() || char == '\u{202e}'), "{text:?}");
        }
    }
    assert!(entries.len() >= 4);
    assert!(verify(&session).ok);
}

#[test]
fn attack_59_a_flood_of_failed_unlocks_is_bounded_and_counted() {
    const FLOOD: u64 = 200;
    let place = with_history();
    let entries_before = all_entries(&place.unlock()).len();
    let bytes_before = folder_bytes(&place.vault_folder());
    let vault = place.vault();
    for number in 0..FLOOD {
        let login = if number % 2 == 0 { LOGIN } else { "nobody" };
        // The flood comes from whoever can remove the delays: from anybody who can write the folder.
        forget_delays(&place.vault_folder());
        let refused = vault.unlock(login, passphrase("quiet lanterns over the harbour 59"));
        assert!(matches!(refused, Err(UnlockError::Refused)), "{refused:?}");
    }
    let grown = folder_bytes(&place.vault_folder()) - bytes_before;
    let session = place.unlock();
    assert_eq!(session.view().failed_unlocks, FLOOD);
    let entries = all_entries(&session);
    let count = |action: &str| entries.iter().filter(|entry| entry.action == action).count() as u64;
    let counted = entries.iter().find(|entry| entry.action == "vault.unlock_failures_counted").unwrap();
    assert_eq!(count("vault.unlock_failed") + counted.count.unwrap(), FLOOD);
    assert!(entries.len() - entries_before < 30, "{}", entries.len() - entries_before);
    // About 20 entries of a few KiB in a write-ahead log of at most its checkpoint's size, not 200.
    assert!(grown < 5 * 1024 * 1024, "{grown}");
    assert!(verify(&session).ok);
}

fn folder_bytes(folder: &Path) -> u64 {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
}

/// A member's row put into a tenant's file without an entry, or an entry without its row, does not stay hidden.
#[test]
fn attack_53_a_write_whose_effect_was_taken_back_is_found() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    session.add_record(acme, login_draft("Gateway 0", "svc", "invented-1")).unwrap();
    session.lock().unwrap();
    let older = tenant_files(&place);
    let session = place.unlock();
    for number in 1..4 {
        session.add_record(acme, login_draft(&format!("Gateway {number}"), "svc", "invented-1")).unwrap();
    }
    session.lock().unwrap();
    let newer = tenant_files(&place);
    for path in newer.iter().map(|(path, _)| path) {
        fs::remove_file(path).unwrap();
    }
    for (path, bytes) in &older {
        fs::write(path, bytes).unwrap();
    }
    // Three entries lack their effect, and a kill explains one.
    let session = place.unlock();
    let refused = session.list_records(acme, 10, None);
    assert_eq!(refused.unwrap_err().code(), "damaged");
}

fn tenant_files(place: &Place) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(place.vault_folder().join("tenants")).unwrap();
    entries.map(|entry| entry.unwrap().path()).map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// A trigger is code that whoever can write the file has put there: it does not run.
#[test]
fn a_trigger_planted_in_the_logs_database_does_nothing() {
    let place = with_history();
    tamper(
        &place,
        "CREATE TRIGGER forget AFTER INSERT ON entry BEGIN DELETE FROM entry WHERE idx = new.idx; END;
         CREATE TRIGGER refuse BEFORE INSERT ON checkpoint BEGIN SELECT raise(IGNORE); END;
         UPDATE failures SET total = total + 0;",
    );
    let session = place.unlock();
    let acme = session.tenants().unwrap()[0].id;
    session.list_records(acme, 10, None).unwrap();
    session.lock().unwrap();
    assert_eq!(findings(&place), []);
}

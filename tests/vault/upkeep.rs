//! What wants doing: what ends, which secrets want changing.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use coffer_core::host::Clock;
use coffer_core::view::{SecretFindingView, SecretProblem};
use coffer_core::{CallError, Session};
use coffer_model::id::TenantId;
use coffer_model::record::{FieldType, RecordDraft};
use coffer_model::time::Timestamp;
use coffer_tests::{Place, field, kept, login_draft, tenant};

/// A clock that a test turns.
struct TurnedClock {
    inner: Arc<dyn Clock>,
    now: Mutex<Timestamp>,
}

impl TurnedClock {
    fn within(place: &mut Place, at: &str) -> Arc<Self> {
        let clock = Arc::new(Self { inner: place.host.clock.clone(), now: Mutex::new(at.parse().unwrap()) });
        place.host.clock = clock.clone();
        clock
    }

    fn turn(&self, at: &str) {
        *self.now.lock().unwrap() = at.parse().unwrap();
    }
}

impl Clock for TurnedClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    fn monotonic(&self) -> Duration {
        self.inner.monotonic()
    }
}

fn ending(title: &str, day: &str) -> RecordDraft {
    let mut draft = login_draft(title, "ines", "vQ9#mlI1-0Oa");
    draft.fields.push(field("Certificate", FieldType::Expiry, day));
    draft
}

/// Title, field and days left of what ends.
fn expiring(session: &Session, days: u32) -> Vec<(String, String, i64)> {
    let found = session.expiring(days).unwrap();
    assert!(!found.more);
    found.records.into_iter().map(|row| (row.record.title, row.field_name, row.days_left)).collect()
}

#[test]
fn what_ends_is_told_over_every_tenant_the_earliest_first() {
    let mut place = Place::new();
    TurnedClock::within(&mut place, "2026-11-28T10:00:00Z");
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let bauer = tenant(&session, "Bauer & Co").id;
    session.add_record(acme, ending("Next month", "2026-12-28")).unwrap();
    session.add_record(acme, ending("Long over", "2025-01-01")).unwrap();
    session.add_record(bauer, ending("Today", "2026-11-28")).unwrap();
    session.add_record(bauer, ending("Far", "2027-11-28")).unwrap();
    session.add_record(bauer, ending("Open", "")).unwrap();
    let row = |title: &str, left| (title.to_owned(), "Certificate".to_owned(), left);
    assert_eq!(expiring(&session, 0), [row("Long over", -696), row("Today", 0)]);
    assert_eq!(expiring(&session, 30), [row("Long over", -696), row("Today", 0), row("Next month", 30)]);
    assert_eq!(expiring(&session, 400).len(), 4);
    let entries = session.log_page(None, 2).unwrap().entries;
    let told: Vec<_> = entries.iter().map(|entry| (entry.action.as_str(), entry.count)).collect();
    assert_eq!(told, [("records.expiring_listed", Some(2)), ("records.expiring_listed", Some(2))]);
    assert_eq!(session.expiring(0).unwrap().today.to_string(), "2026-11-28");
}

#[test]
fn a_change_moves_takes_away_and_brings_back_a_reminder() {
    let mut place = Place::new();
    TurnedClock::within(&mut place, "2026-11-28T10:00:00Z");
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let record = session.add_record(acme, ending("Gate", "2026-12-01")).unwrap();
    let mut moved = kept(&record);
    moved.fields[2].value = Some("2026-12-24".into());
    moved.fields[2].name = "Lease".to_owned();
    let record = session.change_record(record.id, 1, moved).unwrap();
    assert_eq!(expiring(&session, 30), [("Gate".to_owned(), "Lease".to_owned(), 26)]);
    let mut plain = kept(&record);
    plain.fields[2].field_type = FieldType::Date;
    let record = session.change_record(record.id, 2, plain).unwrap();
    assert_eq!(expiring(&session, 30), []);
    let mut again = kept(&record);
    again.fields[2].field_type = FieldType::Expiry;
    session.change_record(record.id, 3, again).unwrap();
    session.lock().unwrap();
    assert_eq!(expiring(&place.unlock(), 30).len(), 1);
}

fn assess(session: &Session, tenant: TenantId) -> Vec<(SecretProblem, String, String, Option<u64>)> {
    let health = session.start_secret_health(tenant).unwrap().wait().unwrap();
    assert!(!health.more);
    let counted = health.weak + health.reused + health.old + health.expired;
    assert_eq!(counted, health.findings.len() as u64);
    let brief = |found: SecretFindingView| (found.problem, found.record.title, found.field_name, found.group);
    health.findings.into_iter().map(brief).collect()
}

#[test]
fn weak_reused_old_and_expired_are_found_and_nothing_else() {
    let mut place = Place::new();
    let clock = TurnedClock::within(&mut place, "2025-06-01T10:00:00Z");
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let old = session.add_record(acme, login_draft("Old", "ines", "kT4!xWq8zRv2-a")).unwrap();
    let fresh = session.add_record(acme, login_draft("Fresh", "ines", "jU5?yXr9aSw3-b")).unwrap();
    clock.turn("2026-11-28T10:00:00Z");
    // A new title is no new secret; a new secret is.
    let mut retitled = kept(&old);
    retitled.title = "Old, renamed".to_owned();
    session.change_record(old.id, 1, retitled).unwrap();
    let mut changed = kept(&fresh);
    changed.fields[1].value = Some("hV6.zYs1bTx4-c".into());
    session.change_record(fresh.id, 1, changed).unwrap();
    session.add_record(acme, login_draft("Weak", "ines", "hunter2")).unwrap();
    session.add_record(acme, login_draft("One", "ines", "gW7,aZt2cUy5-d")).unwrap();
    session.add_record(acme, login_draft("Two", "ines", "gW7,aZt2cUy5-d")).unwrap();
    session.add_record(acme, ending("Over", "2026-11-27")).unwrap();
    session.add_record(acme, ending("Still good", "2026-11-28")).unwrap();
    let mut pins = login_draft("Pins", "ines", "4711");
    pins.fields.push(field("Other PIN", FieldType::Secret, "4711"));
    pins.fields.push(field("Empty", FieldType::Secret, ""));
    pins.fields.push(field("Code", FieldType::Totp, "JBSWY3DPEHPK3PXP"));
    session.add_record(acme, pins).unwrap();

    let found = |problem, title: &str, field: &str, group| (problem, title.to_owned(), field.to_owned(), group);
    // "Over" and "Still good" hold one secret, and come first by their titles.
    assert_eq!(
        assess(&session, acme),
        [
            found(SecretProblem::Weak, "Weak", "Password", None),
            found(SecretProblem::Reused, "Over", "Password", Some(1)),
            found(SecretProblem::Reused, "Still good", "Password", Some(1)),
            found(SecretProblem::Reused, "One", "Password", Some(2)),
            found(SecretProblem::Reused, "Two", "Password", Some(2)),
            found(SecretProblem::Old, "Old, renamed", "Password", None),
            found(SecretProblem::Expired, "Over", "Certificate", None),
        ]
    );
    let health = session.start_secret_health(acme).unwrap().wait().unwrap();
    assert_eq!(health.assessed, 9);
    let json = serde_json::to_string(&health).unwrap();
    for secret in ["hunter2", "gW7", "kT4", "JBSWY"] {
        assert!(!json.contains(secret), "{secret}");
    }
    let entry = session.log_page(None, 1).unwrap().entries.remove(0);
    assert_eq!((entry.action.as_str(), entry.count, entry.tenant), ("secrets.assessed", Some(9), Some(acme)));
}

#[test]
fn secrets_are_held_against_each_other_within_one_tenant_only() {
    let place = Place::new();
    let (session, _kit) = place.create();
    for name in ["ACME GmbH", "Bauer & Co"] {
        let tenant = tenant(&session, name).id;
        session.add_record(tenant, login_draft("Gate", "ines", "gW7,aZt2cUy5-d")).unwrap();
        assert_eq!(assess(&session, tenant), []);
    }
    let nowhere = session.start_secret_health(TenantId::from_bytes([7; 16]));
    assert!(matches!(nowhere, Err(CallError::NotFound)));
}

#[test]
fn a_cancelled_assessment_tells_nothing_and_logs_nothing() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let drafts = (0..300).map(|n| login_draft(&format!("Gate {n}"), "ines", &format!("pw-{n}-vQ9#mlI1"))).collect();
    session.add_records(acme, drafts).unwrap();
    let job = session.start_secret_health(acme).unwrap();
    job.cancel();
    let outcome = job.wait();
    assert!(matches!(outcome, Err(coffer_core::JobError::Cancelled)), "{outcome:?}");
    assert_eq!(session.log_page(None, 1).unwrap().entries[0].action, "records.imported");
    assert_eq!(session.start_secret_health(acme).unwrap().wait().unwrap().assessed, 300);
}

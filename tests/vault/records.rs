//! Records: saved, found, changed, looked back at; secrets that leave their mask; who may, and what the log says of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use coffer_core::host::{Clipboard, ClipboardError, SecretBytes};
use coffer_core::view::ChangeKind;
use coffer_core::{CallError, ListRecordsError, SaveRecordError, Session};
use coffer_model::id::{RecordId, RecordKey, TenantId};
use coffer_model::query::Query;
use coffer_model::record::{FieldDraft, FieldId, FieldType, InvalidRecord};
use coffer_tests::{LOGIN, Place, field, kept, login_draft, tenant};

/// The actions of the log from the oldest to the newest, without those of this reading.
fn actions(session: &Session) -> Vec<String> {
    let entries = session.log_page(None, 1_000).unwrap().entries;
    entries.into_iter().rev().map(|entry| entry.action).collect()
}

#[test]
fn a_record_is_as_saved_after_lock_and_unlock() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let saved = session.add_record(acme, login_draft("Gate", "ines", "canary-2281")).unwrap();
    assert_eq!((saved.version, saved.changed_by.as_str(), saved.tenant_name.as_str()), (1, LOGIN, "ACME GmbH"));
    session.lock().unwrap();

    let session = place.unlock();
    let opened = session.open_record(saved.id).unwrap();
    assert_eq!(opened, saved);
    let [user, password] = &opened.fields[..] else { panic!("{opened:?}") };
    assert_eq!((user.value.as_deref(), user.empty), (Some("ines"), false));
    assert_eq!((password.value.as_deref(), password.empty), (None, false));
    assert!(!serde_json::to_string(&opened).unwrap().contains("canary"));
    let revealed = session.reveal_field(saved.id, password.id, None).unwrap();
    assert_eq!(revealed.expose(), "canary-2281");
}

#[test]
fn a_change_keeps_what_it_does_not_mention_and_every_version_before() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let first = session.add_record(acme, login_draft("Gate", "ines", "old-secret")).unwrap();
    let mut draft = kept(&first);
    draft.title = "Front gate".to_owned();
    let second = session.change_record(first.id, 1, draft).unwrap();
    let mut draft = kept(&second);
    draft.fields[1].value = Some("new-secret".into());
    let third = session.change_record(first.id, 2, draft).unwrap();
    assert_eq!((third.version, third.title.as_str(), third.created_at), (3, "Front gate", first.created_at));

    let password = first.fields[1].id;
    for (version, value) in
        [(Some(1), "old-secret"), (Some(2), "old-secret"), (Some(3), "new-secret"), (None, "new-secret")]
    {
        assert_eq!(session.reveal_field(first.id, password, version).unwrap().expose(), value);
    }
    let missing = session.reveal_field(first.id, password, Some(4));
    assert!(matches!(missing, Err(CallError::NotFound)));

    let history = session.record_history(first.id).unwrap();
    assert!(!format!("{history:?}").contains("secret"));
    let told: Vec<_> = history
        .iter()
        .map(|version| {
            let changes = version.changes.iter().map(|change| (change.what.as_str(), change.how));
            (version.version, changes.collect::<Vec<_>>())
        })
        .collect();
    assert_eq!(
        told,
        [(3, vec![("Password", ChangeKind::Changed)]), (2, vec![("title", ChangeKind::Changed)]), (1, vec![])]
    );
}

#[test]
fn of_two_changes_to_one_version_the_second_is_refused_and_leaves_no_trace() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let record = session.add_record(acme, login_draft("Gate", "ines", "x")).unwrap();
    session.change_record(record.id, 1, kept(&record)).unwrap();
    let before = actions(&session);
    let refused = session.change_record(record.id, 1, kept(&record));
    assert!(matches!(refused, Err(SaveRecordError::VersionConflict)));
    let mut invalid = kept(&record);
    invalid.title = String::new();
    let refused = session.change_record(record.id, 2, invalid);
    assert!(matches!(refused, Err(SaveRecordError::Invalid(InvalidRecord::Title))));
    let after = actions(&session);
    assert_eq!(after[before.len()..], ["log.read"], "what was refused never was about to happen");
    assert_eq!(session.open_record(record.id).unwrap().version, 2);
}

#[test]
fn a_record_or_tenant_that_is_not_there_is_not_found_and_logged() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let bauer = tenant(&session, "Bauer & Co").id;
    let record = session.add_record(acme, login_draft("Gate", "ines", "x")).unwrap();
    let elsewhere = RecordId::new(bauer, record.id.key());
    let nowhere = RecordId::new(acme, RecordKey::from_bytes([7; 16]));
    let no_tenant = RecordId::new(TenantId::from_bytes([7; 16]), record.id.key());
    for id in [elsewhere, nowhere, no_tenant] {
        assert!(matches!(session.open_record(id), Err(CallError::NotFound)), "{id}");
        assert!(matches!(session.record_history(id), Err(CallError::NotFound)), "{id}");
        assert!(matches!(session.reveal_field(id, FieldId(1), None), Err(CallError::NotFound)), "{id}");
        let changed = session.change_record(id, 1, kept(&record));
        assert!(matches!(changed, Err(SaveRecordError::Call(CallError::NotFound))), "{id}");
    }
    let refusals = actions(&session).iter().filter(|action| *action == "access.refused").count();
    assert_eq!(refusals, 12);
}

#[test]
fn pages_follow_each_other_in_one_tenant_only() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let bauer = tenant(&session, "Bauer & Co").id;
    for title in ["Öl", "apfel", "Zebra", "ostern", "Bär"] {
        session.add_record(acme, login_draft(title, "ines", "x")).unwrap();
    }
    session.add_record(bauer, login_draft("Elsewhere", "ines", "x")).unwrap();

    let mut titles = Vec::new();
    let mut after = None;
    loop {
        let page = session.list_records(acme, 2, after.as_deref()).unwrap();
        assert_eq!(page.total, 5);
        titles.extend(page.records.into_iter().map(|record| record.title));
        if page.next.is_none() {
            break;
        }
        after = page.next;
    }
    assert_eq!(titles, ["apfel", "Bär", "Öl", "ostern", "Zebra"]);

    let cursor = session.list_records(acme, 2, None).unwrap().next.unwrap();
    for (tenant, cursor) in [(bauer, cursor.as_str()), (acme, "nonsense"), (acme, "")] {
        let refused = session.list_records(tenant, 2, Some(cursor));
        assert!(matches!(refused, Err(ListRecordsError::InvalidCursor)));
    }
}

#[test]
fn a_page_opened_at_once_is_what_opening_each_record_shows_and_one_entry_says_which() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    for number in 0..7 {
        let record = session.add_record(acme, login_draft(&format!("Gate {number}"), "ines", "canary-1")).unwrap();
        if number % 2 == 0 {
            session.change_record(record.id, 1, login_draft(&format!("gäte {number} b"), "otto", "canary-2")).unwrap();
        }
    }
    let newest_write = session.log_page(None, 1).unwrap().entries[0].index;
    let (mut opened, mut listed, mut after) = (Vec::new(), Vec::new(), None);
    loop {
        let rows = session.list_records(acme, 3, after.as_deref()).unwrap();
        let page = session.open_records(acme, 3, after.as_deref()).unwrap();
        let entry = session.log_page(None, 1).unwrap().entries.remove(0);
        assert_eq!(
            (entry.action.as_str(), entry.tenant, entry.record),
            ("records.opened", Some(acme), Some(page.records[0].id))
        );
        assert_eq!((entry.count, entry.entry), (Some(page.records.len() as u64), Some(newest_write)));
        assert_eq!((page.total, &page.next), (rows.total, &rows.next), "the same places in the same list");
        listed.extend(rows.records.into_iter().map(|row| row.id));
        opened.extend(page.records);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(opened.iter().map(|record| record.id).collect::<Vec<_>>(), listed);
    for record in &opened {
        assert_eq!(*record, session.open_record(record.id).unwrap());
    }
    assert!(!format!("{opened:?}").contains("canary"));

    let bauer = tenant(&session, "Bauer & Co").id;
    let empty = session.open_records(bauer, 3, None).unwrap();
    assert_eq!((empty.records.len(), empty.total, empty.next), (0, 0, None));
    assert_eq!(session.log_page(None, 1).unwrap().entries[0].action, "records.listed");
    let refused = session.open_records(bauer, 3, Some("nonsense"));
    assert!(matches!(refused, Err(ListRecordsError::InvalidCursor)));
    assert!(session.start_verify_log().unwrap().wait().unwrap().ok);
}

#[test]
fn a_page_of_large_records_ends_early_and_goes_on_where_it_ended() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let large = "x".repeat(200 * 1024);
    for number in 0..100 {
        let mut draft = login_draft(&format!("Large {number:03}"), "ines", "x");
        draft.fields.push(field("Text", FieldType::Multiline, &large));
        session.add_record(acme, draft).unwrap();
    }
    let first = session.open_records(acme, 1_000, None).unwrap();
    assert!((70..100).contains(&first.records.len()), "{}", first.records.len());
    let rest = session.open_records(acme, 1_000, first.next.as_deref()).unwrap();
    let titles: Vec<String> = first.records.into_iter().chain(rest.records).map(|record| record.title).collect();
    assert_eq!(titles, (0..100).map(|number| format!("Large {number:03}")).collect::<Vec<_>>());
    assert_eq!(rest.next, None);
}

#[test]
fn search_finds_what_was_just_saved_in_the_tenants_asked_for() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let bauer = tenant(&session, "Bauer & Co").id;
    let gate = session.add_record(acme, login_draft("Gate Straße", "ines", "canary-5512")).unwrap();
    session.add_record(bauer, login_draft("Gate house", "otto", "x")).unwrap();
    let titles = |query: &str, tenant| -> Vec<(String, String)> {
        let results = session.search(&Query::parse_unfinished(query), tenant, 50).unwrap();
        results.hits.into_iter().map(|hit| (hit.tenant_name, hit.record.title)).collect()
    };
    let acme_gate = ("ACME GmbH".to_owned(), "Gate Straße".to_owned());
    let bauer_gate = ("Bauer & Co".to_owned(), "Gate house".to_owned());
    assert_eq!(titles("gat", None), [acme_gate.clone(), bauer_gate]);
    assert_eq!(titles("strasse GATE", None), std::slice::from_ref(&acme_gate));
    assert_eq!(titles("ines", Some(acme)), [acme_gate]);
    assert_eq!(titles("ines", Some(bauer)), []);
    assert_eq!(titles("canary-5512", None), []);
    assert_eq!(titles(" \"* ", None), []);

    let mut draft = kept(&gate);
    draft.title = "Door".to_owned();
    session.change_record(gate.id, 1, draft).unwrap();
    assert_eq!(titles("strasse", None), []);
    assert_eq!(titles("door", None).len(), 1);
    let refused = session.search(&"gate".parse().unwrap(), Some(TenantId::from_bytes([7; 16])), 50);
    assert!(matches!(refused, Err(CallError::NotFound)));
}

#[test]
fn each_kind_of_access_is_an_entry_of_its_own_that_names_no_value() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let record = session.add_record(acme, login_draft("Gate", "ines", "canary-1")).unwrap();
    let before = actions(&session).len();
    session.list_records(acme, 10, None).unwrap();
    session.open_record(record.id).unwrap();
    session.reveal_field(record.id, record.fields[1].id, None).unwrap();
    session.change_record(record.id, 1, kept(&record)).unwrap();
    session.record_history(record.id).unwrap();
    session.search(&"gate".parse().unwrap(), None, 10).unwrap();
    let page = session.log_page(None, 100).unwrap();
    let entries: Vec<_> = page.entries.iter().rev().skip(before + 1).collect();
    let told: BTreeMap<usize, &str> = entries.iter().map(|entry| entry.action.as_str()).enumerate().collect();
    let expected = [
        "records.listed",
        "record.opened",
        "field.revealed",
        "record.changed",
        "record.history_opened",
        "records.searched",
    ];
    assert_eq!(told.into_values().collect::<Vec<_>>(), expected);
    assert!(entries.iter().all(|entry| entry.tenant == Some(acme) && entry.actor.as_deref() == Some(LOGIN)));
    let text = serde_json::to_string(&page).unwrap().to_lowercase();
    assert!(!text.contains("canary") && !text.contains("gate"));
}

/// Remembers what was copied.
#[derive(Default)]
struct Pasteboard(Mutex<Option<(Vec<u8>, Duration)>>);

impl Clipboard for Pasteboard {
    fn copy_secret(&self, secret: SecretBytes, clear_after: Duration) -> Result<(), ClipboardError> {
        *self.0.lock().unwrap() = Some((secret.expose().to_vec(), clear_after));
        Ok(())
    }

    fn clear_if_ours(&self) -> Result<bool, ClipboardError> {
        Ok(self.0.lock().unwrap().take().is_some())
    }

    fn wait_until_cleared(&self) -> Result<(), ClipboardError> {
        Ok(())
    }
}

#[test]
fn a_copied_secret_goes_to_the_clipboard_for_half_a_minute() {
    let mut place = Place::new();
    let clipboard = Arc::new(Pasteboard::default());
    place.host.clipboard = clipboard.clone();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let record = session.add_record(acme, login_draft("Gate", "ines", "canary-77")).unwrap();
    session.copy_field(record.id, record.fields[1].id).unwrap();
    let copied = clipboard.0.lock().unwrap().clone();
    assert_eq!(copied, Some((b"canary-77".to_vec(), Duration::from_secs(30))));
    assert_eq!(session.log_page(None, 1).unwrap().entries[0].action, "field.copied");
    assert!(session.start_verify_log().unwrap().wait().unwrap().ok);
}

#[test]
fn a_draft_cannot_keep_a_field_that_the_record_never_had() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let record = session.add_record(acme, login_draft("Gate", "ines", "canary-9")).unwrap();
    let mut foreign = kept(&record);
    foreign.fields.push(FieldDraft { id: Some(FieldId(9)), value: None, ..field("Other", FieldType::Text, "") });
    let refused = session.change_record(record.id, 1, foreign);
    assert!(matches!(refused, Err(SaveRecordError::Invalid(InvalidRecord::UnknownField { position: 3 }))));
}

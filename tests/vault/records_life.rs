//! The life of records: the trash and its time, earlier versions brought back, favourites, drafts, many at once; who may,
//! and what the log says of it.

use std::collections::BTreeSet;
use std::time::Duration;

use coffer_core::{
    BULK_MAX, BulkError, CallError, ListRecordsError, ListRequest, SaveRecordError, Session, TRASH_RETENTION_DAYS,
    TagChange,
};
use coffer_model::id::{RecordId, RecordKey, TenantId};
use coffer_model::list::RecordOrder;
use coffer_model::query::Query;
use coffer_model::record::{FieldType, InvalidRecord, RecordDraft};
use coffer_tests::{Place, SetClock, field, kept, login_draft, tenant};

const DAY_MILLIS: u64 = 24 * 60 * 60 * 1_000;
const ORDERS: [RecordOrder; 4] = [RecordOrder::Title, RecordOrder::Kind, RecordOrder::Changed, RecordOrder::Created];

fn add(session: &Session, tenant: TenantId, titles: &[&str]) -> Vec<RecordId> {
    titles.iter().map(|title| session.add_record(tenant, login_draft(title, "ines", "canary-1")).unwrap().id).collect()
}

fn by(order: RecordOrder) -> ListRequest<'static> {
    ListRequest::new(order, 100)
}

fn titles(session: &Session, tenant: TenantId, request: &ListRequest<'_>) -> Vec<String> {
    let page = session.list_records_by(tenant, request).unwrap();
    assert_eq!(page.total, page.records.len() as u64);
    page.records.into_iter().map(|row| row.title).collect()
}

fn in_trash(session: &Session, tenant: TenantId) -> Vec<RecordId> {
    let page = session.list_trash(tenant, 1_000, None, 0).unwrap();
    assert_eq!(page.total, page.records.len() as u64);
    page.records.into_iter().map(|row| row.record.id).collect()
}

/// What the log said last, without this reading.
fn last_entry(session: &Session) -> coffer_core::view::LogEntryView {
    session.log_page(None, 1).unwrap().entries.remove(0)
}

fn refusals(session: &Session) -> usize {
    let entries = session.log_page(None, 1_000).unwrap().entries;
    entries.iter().filter(|entry| entry.action == "access.refused").count()
}

#[test]
fn a_trashed_record_is_nowhere_but_in_the_trash_until_it_is_restored() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let ids = add(&session, acme, &["Gate", "Harbour", "Crane"]);
    session.set_favourite(ids[0], true).unwrap();
    let before = session.open_record(ids[0]).unwrap();
    assert!(before.favourite && before.trashed_at.is_none());

    assert_eq!(session.trash_records(&ids[..2]).unwrap().records, 2);
    let entry = last_entry(&session);
    assert_eq!(
        (entry.action.as_str(), entry.tenant, entry.record, entry.count),
        ("records.trashed", Some(acme), Some(ids[0]), Some(2))
    );
    for order in ORDERS {
        assert_eq!(titles(&session, acme, &by(order)), ["Crane"], "{order:?}");
    }
    assert_eq!(session.open_records(acme, 10, None).unwrap().records.len(), 1);
    assert_eq!(session.tenants().unwrap()[0].records, Some(1));
    assert!(session.search(&Query::parse_unfinished("gate"), None, 10).unwrap().hits.is_empty());
    assert!(
        session.search(&Query::parse_unfinished("ga"), Some(acme), 10).unwrap().hits.is_empty(),
        "nor while it is being typed"
    );
    let trashed: BTreeSet<_> = in_trash(&session, acme).into_iter().collect();
    assert_eq!(trashed, ids[..2].iter().copied().collect());

    let trashed = session.open_record(ids[0]).unwrap();
    assert!(trashed.trashed_at.is_some(), "it can be looked at before it is restored");
    let refused = session.change_record(ids[0], 1, kept(&trashed));
    assert!(matches!(refused, Err(SaveRecordError::Trashed)));
    assert!(matches!(session.restore_version(ids[0], 1, 1), Err(SaveRecordError::Trashed)));
    session.lock().unwrap();

    let session = place.unlock();
    assert_eq!(session.restore_records(&ids[..2]).unwrap().records, 2);
    assert_eq!(session.open_record(ids[0]).unwrap(), before);
    assert_eq!(session.search(&Query::parse_unfinished("gate"), None, 10).unwrap().hits.len(), 1);
    assert_eq!((in_trash(&session, acme).len(), session.tenants().unwrap()[0].records), (0, Some(3)));
    assert!(session.start_verify_log().unwrap().wait().unwrap().ok);
}

#[test]
fn a_purged_record_is_gone_with_every_version_and_the_log_stays_in_order() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let ids = add(&session, acme, &["Gate", "Harbour"]);
    let gate = session.open_record(ids[0]).unwrap();
    session.change_record(ids[0], 1, kept(&gate)).unwrap();
    session.reveal_field(ids[0], gate.fields[1].id, Some(1)).unwrap();
    session.set_favourite(ids[0], true).unwrap();
    session.keep_draft(acme, Some((ids[0], 2)), &login_draft("Half", "ines", "canary-2")).unwrap();
    assert!(matches!(session.purge_record(ids[0]), Err(BulkError::Call(CallError::NotFound))), "not from the list");
    session.trash_record(ids[0]).unwrap();
    session.purge_record(ids[0]).unwrap();
    assert_eq!(last_entry(&session).action, "records.purged");

    for version in [None, Some(1), Some(2)] {
        let gone = session.reveal_field(ids[0], gate.fields[1].id, version);
        assert!(matches!(gone, Err(CallError::NotFound)));
    }
    assert!(matches!(session.open_record(ids[0]), Err(CallError::NotFound)));
    assert!(matches!(session.record_history(ids[0]), Err(CallError::NotFound)));
    assert!(matches!(session.restore_record(ids[0]), Err(BulkError::Call(CallError::NotFound))));
    assert!(session.drafts(acme).unwrap().is_empty());
    assert_eq!(titles(&session, acme, &by(RecordOrder::Title)), ["Harbour"]);

    session.trash_record(ids[1]).unwrap();
    assert_eq!(session.empty_trash(acme).unwrap().records, 1);
    assert_eq!(session.empty_trash(acme).unwrap().records, 0, "nothing is there, and nothing is written");
    session.lock().unwrap();
    let session = place.unlock();
    assert_eq!(session.list_records(acme, 10, None).unwrap().total, 0);
    assert!(session.start_verify_log().unwrap().wait().unwrap().ok);
}

#[test]
fn many_records_are_moved_whole_or_not_at_all() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let bauer = tenant(&session, "Bauer & Co").id;
    let ids = add(&session, acme, &["Gate", "Harbour"]);
    let theirs = add(&session, bauer, &["Theirs"])[0];
    let nowhere = RecordId::new(acme, RecordKey::from_bytes([7; 16]));
    let entries = session.log_page(None, 1).unwrap().total;

    assert!(matches!(session.trash_records(&[]), Err(BulkError::Count)));
    assert!(matches!(session.trash_records(&[ids[0], theirs]), Err(BulkError::SeveralTenants)));
    let many: Vec<RecordId> = (0..=BULK_MAX)
        .map(|number| {
            let mut key = [0; 16];
            key[..8].copy_from_slice(&number.to_be_bytes());
            RecordId::new(acme, RecordKey::from_bytes(key))
        })
        .collect();
    assert!(matches!(session.trash_records(&many), Err(BulkError::Count)));
    assert_eq!(session.log_page(None, 1).unwrap().total, entries + 1, "only this reading");
    for step in [Session::trash_records, Session::restore_records, Session::purge_records] {
        assert!(matches!(step(&session, &[ids[0], nowhere]), Err(BulkError::Call(CallError::NotFound))));
    }
    let tagged = session.tag_records(&[ids[0], nowhere], &TagChange { add: vec!["x".to_owned()], remove: vec![] });
    assert!(matches!(tagged, Err(BulkError::Call(CallError::NotFound))));
    assert_eq!(refusals(&session), 4, "a record that is not there is a refusal");
    assert_eq!(session.open_record(ids[0]).unwrap().version, 1);
    assert_eq!(titles(&session, acme, &by(RecordOrder::Title)), ["Gate", "Harbour"]);
    // One named twice is one.
    assert_eq!(session.trash_records(&[ids[0], ids[0]]).unwrap().records, 1);
    assert!(session.start_verify_log().unwrap().wait().unwrap().ok);
}

#[test]
fn attack_34_a_record_of_another_tenant_is_not_found_by_any_step_of_its_life_and_that_is_logged() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let bauer = tenant(&session, "Bauer & Co").id;
    let id = add(&session, acme, &["Gate"])[0];
    let elsewhere = RecordId::new(bauer, id.key());
    let trashed = add(&session, acme, &["Trashed"])[0];
    session.trash_record(trashed).unwrap();
    let trashed_elsewhere = RecordId::new(bauer, trashed.key());
    let tags = TagChange { add: vec!["x".to_owned()], remove: vec![] };
    let draft = login_draft("Half", "ines", "x");

    let not_found = |refused: Result<(), BulkError>| matches!(refused, Err(BulkError::Call(CallError::NotFound)));
    assert!(not_found(session.trash_record(elsewhere).map(drop)));
    assert!(not_found(session.restore_record(trashed_elsewhere).map(drop)));
    assert!(not_found(session.purge_record(trashed_elsewhere).map(drop)));
    assert!(not_found(session.set_favourite(elsewhere, true).map(drop)));
    assert!(not_found(session.tag_records(&[elsewhere], &tags).map(drop)));
    let restored = session.restore_version(elsewhere, 1, 1);
    assert!(matches!(restored, Err(SaveRecordError::Call(CallError::NotFound))));
    let kept = session.keep_draft(bauer, Some((elsewhere, 1)), &draft);
    assert!(matches!(kept, Err(SaveRecordError::Call(CallError::NotFound))));
    let kept = session.keep_draft(bauer, Some((id, 1)), &draft);
    assert!(matches!(kept, Err(SaveRecordError::Call(CallError::NotFound))));
    assert_eq!(refusals(&session), 8);
    assert_eq!(in_trash(&session, acme), [trashed]);
    assert!(in_trash(&session, bauer).is_empty());
}

#[test]
fn attack_35_search_and_lists_show_nothing_trashed_or_foreign() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let bauer = tenant(&session, "Bauer & Co").id;
    let ids = add(&session, acme, &["Zyklop gate", "Zyklop harbour"]);
    add(&session, bauer, &["Zyklop theirs"]);
    session.set_favourite(ids[0], true).unwrap();
    session.trash_record(ids[0]).unwrap();
    let found = |query: &str, tenant| -> BTreeSet<String> {
        session
            .search(&Query::parse_unfinished(query), tenant, 50)
            .unwrap()
            .hits
            .into_iter()
            .map(|hit| hit.record.title)
            .collect()
    };
    for query in ["zyklop", "zy", "zyklop ga", "gate", "ines zyk"] {
        assert!(!found(query, None).contains("Zyklop gate"), "{query}");
        assert!(!found(query, Some(acme)).contains("Zyklop theirs"), "{query}");
    }
    assert_eq!(found("zyklop", Some(acme)), BTreeSet::from(["Zyklop harbour".to_owned()]));
    let favourites = ListRequest { favourites: true, ..by(RecordOrder::Title) };
    assert!(titles(&session, acme, &favourites).is_empty());
    // A place in one list is no place in another, be it of another tenant, order or the trash.
    session.add_record(acme, login_draft("More", "ines", "x")).unwrap();
    let cursor = session.list_records(acme, 1, None).unwrap().next.unwrap();
    for (tenant, order) in [(bauer, RecordOrder::Title), (acme, RecordOrder::Kind), (acme, RecordOrder::Created)] {
        let request = ListRequest { after: Some(&cursor), ..by(order) };
        let refused = session.list_records_by(tenant, &request);
        assert!(matches!(refused, Err(ListRecordsError::InvalidCursor)));
    }
    assert!(matches!(session.list_trash(acme, 1, Some(&cursor), 0), Err(ListRecordsError::InvalidCursor)));
}

#[test]
fn records_are_listed_in_each_order_page_by_page() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let ids = add(&session, acme, &["Öl", "apfel", "Zebra"]);
    let mut card = login_draft("Karte", "ines", "x");
    card.kind = "card".parse().unwrap();
    session.add_record(acme, card).unwrap();
    let apfel = session.open_record(ids[1]).unwrap();
    std::thread::sleep(Duration::from_millis(5));
    session.change_record(ids[1], 1, kept(&apfel)).unwrap();
    for (order, expected) in [
        (RecordOrder::Title, ["apfel", "Karte", "Öl", "Zebra"]),
        (RecordOrder::Kind, ["Karte", "apfel", "Öl", "Zebra"]),
        (RecordOrder::Created, ["Karte", "Zebra", "apfel", "Öl"]),
    ] {
        let mut listed = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let request = ListRequest { limit: 1, after: after.as_deref(), ..by(order) };
            let page = session.list_records_by(acme, &request).unwrap();
            assert_eq!(page.total, 4);
            listed.extend(page.records.into_iter().map(|row| row.title));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(listed, expected, "{order:?}");
        let page = |after: Option<&str>, skip| {
            session.list_records_by(acme, &ListRequest { limit: 1, after, skip, ..by(order) }).unwrap()
        };
        assert_eq!(page(None, 2).records[0].title, expected[2], "{order:?}");
        assert_eq!(page(page(None, 0).next.as_deref(), 2).records[0].title, expected[3], "{order:?}");
        for skip in [4, u64::MAX] {
            let page = session.list_records_by(acme, &ListRequest { skip, ..by(order) }).unwrap();
            assert_eq!((page.records.len(), page.next, page.total), (0, None, 4), "{order:?} {skip}");
        }
    }
    assert_eq!(titles(&session, acme, &by(RecordOrder::Changed))[0], "apfel");
}

#[test]
fn the_time_in_the_trash_is_over_when_the_tenants_own_writes_say_so() {
    let mut place = Place::new();
    let clock = SetClock::put_into(&mut place);
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let ids = add(&session, acme, &["Gate", "Harbour"]);
    session.trash_record(ids[0]).unwrap();
    let row = session.list_trash(acme, 10, None, 0).unwrap().records.remove(0);
    let days = row.kept_until.millis_since(row.trashed_at) / DAY_MILLIS;
    assert_eq!(days, u64::from(TRASH_RETENTION_DAYS));
    session.lock().unwrap();

    // The clock alone says so: it may have been set forward.
    clock.set_days_ahead(400);
    let session = place.unlock();
    assert_eq!(in_trash(&session, acme), [ids[0]]);
    session.lock().unwrap();
    clock.set_days_ahead(31);
    let session = place.unlock();
    assert_eq!(in_trash(&session, acme), [ids[0]], "nothing was written since it was trashed");
    let harbour = session.open_record(ids[1]).unwrap();
    session.change_record(ids[1], 1, kept(&harbour)).unwrap();
    session.lock().unwrap();

    // A write of a day that is past says so, and the clock agrees.
    let session = place.unlock();
    assert!(in_trash(&session, acme).is_empty());
    assert!(matches!(session.open_record(ids[0]), Err(CallError::NotFound)));
    let log = session.log_page(None, 100).unwrap().entries;
    let purge = log.iter().find(|entry| entry.action == "records.purged").unwrap();
    assert_eq!((purge.record, purge.count), (Some(ids[0]), Some(1)));
    assert!(session.start_verify_log().unwrap().wait().unwrap().ok);
}

#[test]
fn a_clock_that_was_forward_and_is_right_again_purges_nothing_early() {
    let mut place = Place::new();
    let clock = SetClock::put_into(&mut place);
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let ids = add(&session, acme, &["Gate", "Harbour"]);
    session.trash_record(ids[0]).unwrap();
    session.lock().unwrap();
    clock.set_days_ahead(400);
    let session = place.unlock();
    let harbour = session.open_record(ids[1]).unwrap();
    session.change_record(ids[1], 1, kept(&harbour)).unwrap();
    session.lock().unwrap();
    clock.set_days_ahead(1);
    let session = place.unlock();
    assert_eq!(in_trash(&session, acme), [ids[0]]);
}

#[test]
fn an_earlier_version_comes_back_as_a_new_one() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let first = session.add_record(acme, login_draft("Gate", "ines", "old-secret")).unwrap();
    let mut draft = kept(&first);
    draft.title = "Front gate".to_owned();
    draft.fields = vec![field("Note", FieldType::Text, "new field")];
    session.change_record(first.id, 1, draft).unwrap();

    assert!(matches!(session.restore_version(first.id, 1, 1), Err(SaveRecordError::VersionConflict)));
    let none = session.restore_version(first.id, 9, 2);
    assert!(matches!(none, Err(SaveRecordError::Call(CallError::NotFound))));
    let restored = session.restore_version(first.id, 1, 2).unwrap();
    let entry = last_entry(&session);
    assert_eq!((entry.action.as_str(), entry.version), ("record.version_restored", Some(1)));
    assert_eq!((restored.version, &restored.title, &restored.fields), (3, &first.title, &first.fields));
    assert_eq!(session.reveal_field(first.id, first.fields[1].id, None).unwrap().expose(), "old-secret");
    assert_eq!(session.search(&Query::parse_unfinished("front"), None, 10).unwrap().hits.len(), 0);
    assert_eq!(session.record_history(first.id).unwrap().len(), 3);
    // The number of a field that was there in between is not given again.
    let mut draft = kept(&restored);
    draft.fields.push(field("Other", FieldType::Text, "x"));
    let changed = session.change_record(first.id, 3, draft).unwrap();
    assert_eq!(changed.fields.iter().map(|field| field.id.0).collect::<Vec<_>>(), [1, 2, 4]);
}

#[test]
fn favourites_are_listed_alone_and_survive_a_lock() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let ids = add(&session, acme, &["Gate", "Harbour", "Crane"]);
    assert!(session.set_favourite(ids[1], true).unwrap().favourite);
    assert_eq!(last_entry(&session).action, "record.favourite_set");
    session.set_favourite(ids[0], true).unwrap();
    session.set_favourite(ids[0], true).unwrap();
    session.lock().unwrap();
    let session = place.unlock();
    let favourites = ListRequest { favourites: true, ..by(RecordOrder::Title) };
    assert_eq!(titles(&session, acme, &favourites), ["Gate", "Harbour"]);
    let page = session.list_records(acme, 10, None).unwrap();
    assert_eq!(BTreeSet::from_iter(page.favourites), BTreeSet::from([ids[0], ids[1]]));
    session.set_favourite(ids[0], false).unwrap();
    assert_eq!(titles(&session, acme, &favourites), ["Harbour"]);
    assert!(!session.open_record(ids[0]).unwrap().favourite);
    assert_eq!(session.record_history(ids[0]).unwrap().len(), 1, "a mark is no version");
}

#[test]
fn tags_change_on_many_records_and_only_those_that_differ_get_a_version() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let ids = add(&session, acme, &["Gate", "Harbour"]);
    let tags = |add: &[&str], remove: &[&str]| {
        let owned = |tags: &[&str]| tags.iter().map(|&tag| tag.to_owned()).collect();
        TagChange { add: owned(add), remove: owned(remove) }
    };
    session.tag_records(&ids[..1], &tags(&["vpn"], &["db"])).unwrap();
    let tagged = session.tag_records(&ids, &tags(&["vpn"], &[])).unwrap();
    assert_eq!((tagged.records, tagged.changed.len(), tagged.changed[0].id), (2, 1, ids[1]));
    let [gate, harbour] = [ids[0], ids[1]].map(|id| session.open_record(id).unwrap());
    assert_eq!((gate.tags, gate.version), (vec!["vpn".to_owned()], 2));
    assert_eq!((harbour.tags, harbour.version), (vec!["db".to_owned(), "vpn".to_owned()], 2));
    assert_eq!(session.search(&Query::parse_unfinished("vpn"), None, 10).unwrap().hits.len(), 2);
    session.undo_tag_records(&tagged.changed).unwrap();
    let harbour = session.open_record(ids[1]).unwrap();
    assert_eq!((harbour.tags, harbour.version), (vec!["db".to_owned()], 3));
    assert!(matches!(session.undo_tag_records(&tagged.changed), Err(BulkError::VersionConflict)));
    let refused = session.tag_records(&ids, &tags(&["a,b"], &[]));
    assert!(matches!(refused, Err(BulkError::Invalid(InvalidRecord::Tag))));
    assert!(session.start_verify_log().unwrap().wait().unwrap().ok);
}

#[test]
fn a_draft_is_offered_after_the_next_unlock_and_to_nobody_once_given_up() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let record = session.add_record(acme, login_draft("Gate", "ines", "canary-1")).unwrap();
    let before = session.log_page(None, 1).unwrap().total;
    assert!(session.drafts(acme).unwrap().is_empty());
    session.discard_draft(acme, None).unwrap();
    assert_eq!(session.log_page(None, 1).unwrap().total, before + 1, "where there is none, nothing is said");
    // Not a record yet: it has no title.
    let half = RecordDraft { title: String::new(), ..login_draft("", "otto", "canary-7") };
    session.keep_draft(acme, None, &half).unwrap();
    assert_eq!(last_entry(&session).action, "draft.kept");
    let mut change = kept(&record);
    "canary-note".clone_into(&mut change.notes);
    session.keep_draft(acme, Some((record.id, 1)), &change).unwrap();
    session.lock().unwrap();

    let session = place.unlock();
    let notes: Vec<_> = session.drafts(acme).unwrap().iter().map(|note| (note.record, note.version)).collect();
    assert_eq!(notes, [(Some(record.id), 1), (None, 0)]);
    let new = session.draft(acme, None).unwrap().unwrap();
    assert_eq!((new.title.as_str(), new.fields[1].value.as_deref()), ("", Some("canary-7")));
    assert!(!format!("{new:?}").contains("canary"));
    let changed = session.draft(acme, Some(record.id)).unwrap().unwrap();
    assert_eq!((changed.notes.as_str(), changed.fields[1].value.as_deref()), ("canary-note", None));
    let entry = last_entry(&session);
    assert_eq!((entry.action.as_str(), entry.record), ("draft.opened", Some(record.id)));
    assert_eq!(session.open_record(record.id).unwrap(), record, "nothing is saved before the person says so");
    assert!(session.search(&Query::parse_unfinished("canary"), None, 10).unwrap().hits.is_empty());
    session.discard_draft(acme, Some(record.id)).unwrap();
    assert_eq!(last_entry(&session).action, "draft.discarded");
    assert!(session.draft(acme, Some(record.id)).unwrap().is_none());
    let large = RecordDraft { notes: "x".repeat(1024 * 1024), ..half };
    let refused = session.keep_draft(acme, None, &large);
    assert!(matches!(refused, Err(SaveRecordError::Invalid(InvalidRecord::TooLarge))));
    assert!(session.start_verify_log().unwrap().wait().unwrap().ok);
}

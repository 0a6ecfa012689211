//! Tags changed everywhere at once, and the searches an account keeps.

use coffer_core::{CallError, SaveRecordError, SaveSearchError, Session};
use coffer_model::id::TenantId;
use coffer_model::query::InvalidQuery;
use coffer_model::record::InvalidRecord;
use coffer_tests::{Place, login_draft, tenant};

/// Adds a record with tags.
fn add(session: &Session, tenant: TenantId, title: &str, tags: &[&str]) {
    let mut draft = login_draft(title, "ines", "x");
    draft.tags = tags.iter().map(|&tag| tag.to_owned()).collect();
    session.add_record(tenant, draft).unwrap();
}

/// The newest entries of the log, the oldest of them first: action, and how many.
fn newest_entries(session: &Session, count: u32) -> Vec<(String, Option<u64>)> {
    let entries = session.log_page(None, count).unwrap().entries;
    entries.into_iter().rev().map(|entry| (entry.action, entry.count)).collect()
}

fn titles(session: &Session, query: &str, tenant: TenantId) -> Vec<String> {
    let hits = session.search(&query.parse().unwrap(), Some(tenant), 100).unwrap().hits;
    let mut titles: Vec<String> = hits.into_iter().map(|hit| hit.record.title).collect();
    titles.sort();
    titles
}

#[test]
fn a_tag_is_renamed_on_every_record_as_one_write_that_history_shows() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    add(&session, acme, "a", &["db", "eu"]);
    add(&session, acme, "b", &["DB"]);
    add(&session, acme, "c", &["database", "db"]);
    add(&session, acme, "d", &["eu"]);
    assert_eq!(session.rename_tag(acme, "Db", "database").unwrap(), 3);
    assert_eq!(newest_entries(&session, 1), [("tag.renamed".to_owned(), Some(3))]);
    assert_eq!(titles(&session, "tag:database", acme), ["a", "b", "c"]);
    assert_eq!(titles(&session, "tag:db", acme), [""; 0]);
    let record = session.search(&"tag:database a".parse().unwrap(), Some(acme), 1).unwrap().hits.remove(0).record.id;
    let opened = session.open_record(record).unwrap();
    assert_eq!((opened.tags, opened.version), (vec!["database".to_owned(), "eu".to_owned()], 2));
    assert_eq!(session.record_history(record).unwrap()[0].changes[0].what, "tags");

    assert_eq!(session.remove_tag(acme, "EU").unwrap(), 2);
    assert_eq!(session.tags(acme).unwrap().len(), 1);
    session.lock().unwrap();

    // One write, whole and with its entry: nothing is missing at the next opening.
    let session = place.unlock();
    assert_eq!(titles(&session, "tag:database", acme), ["a", "b", "c"]);
    assert!(session.start_verify_log().unwrap().wait().unwrap().ok);
}

#[test]
fn a_tag_that_is_not_there_or_would_be_none_changes_nothing_and_leaves_no_entry() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    add(&session, acme, "a", &["db"]);
    let before = session.log_page(None, 1).unwrap().total;
    let missing = session.rename_tag(acme, "nothing", "x");
    assert!(matches!(missing, Err(SaveRecordError::Call(CallError::NotFound))));
    for wrong in ["", "a,b", &"x".repeat(61)] {
        let refused = session.rename_tag(acme, "db", wrong);
        assert!(matches!(refused, Err(SaveRecordError::Invalid(InvalidRecord::Tag))), "{wrong}");
    }
    assert_eq!(session.log_page(None, 1).unwrap().total, before + 1, "the reading of the log alone");
    assert_eq!(titles(&session, "tag:db", acme), ["a"]);
}

#[test]
fn saved_searches_are_kept_by_name_for_a_tenant_or_for_all() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let bauer = tenant(&session, "Bauer & Co").id;
    session.save_search(" Databases ", Some(acme), " tag:db   host").unwrap();
    session.save_search("databases", Some(bauer), "tag:db").unwrap();
    session.save_search("Databases", None, "tag:db").unwrap();
    let taken = session.save_search("DATABASES", Some(acme), "x");
    assert!(matches!(taken, Err(SaveSearchError::NameTaken)));
    session.save_search("old", Some(acme), "before:2020-01-01").unwrap();
    assert!(matches!(session.rename_search("old", Some(acme), "databases"), Err(SaveSearchError::NameTaken)));
    session.rename_search("old", Some(acme), "Old").unwrap();
    session.rename_search("OLD", Some(acme), "aged").unwrap();
    session.remove_search("databases", Some(bauer)).unwrap();
    let entries: Vec<String> = newest_entries(&session, 7).into_iter().map(|(action, _)| action).collect();
    assert_eq!(
        entries,
        [
            "search.saved",
            "search.saved",
            "search.saved",
            "search.saved",
            "search.renamed",
            "search.renamed",
            "search.removed"
        ]
    );
    session.lock().unwrap();

    let session = place.unlock();
    let saved = session.saved_searches().unwrap();
    let told: Vec<_> =
        saved.iter().map(|saved| (saved.name.as_str(), saved.tenant_name.as_deref(), saved.query.as_str())).collect();
    assert_eq!(
        told,
        [
            ("aged", Some("ACME GmbH"), "before:2020-01-01"),
            ("Databases", Some("ACME GmbH"), "tag:db host"),
            ("Databases", None, "tag:db"),
        ]
    );
    let nowhere = session.remove_search("databases", Some(bauer));
    assert!(matches!(nowhere, Err(SaveSearchError::Call(CallError::NotFound))));
}

#[test]
fn what_is_no_name_or_no_query_is_not_saved() {
    let place = Place::new();
    let (session, _kit) = place.create();
    for name in ["", "  ", "a\nb", &"x".repeat(61)] {
        assert!(matches!(session.save_search(name, None, "x"), Err(SaveSearchError::InvalidName)), "{name:?}");
    }
    for query in ["", "tag:", "\"x", "before:tomorrow"] {
        assert!(matches!(session.save_search("n", None, query), Err(SaveSearchError::InvalidQuery(_))), "{query}");
    }
    let empty = session.save_search("n", None, "- *");
    assert!(matches!(empty, Err(SaveSearchError::InvalidQuery(InvalidQuery::Empty))));
    for number in 0..200 {
        session.save_search(&format!("n{number}"), None, "x").unwrap();
    }
    assert!(matches!(session.save_search("one more", None, "x"), Err(SaveSearchError::TooMany)));
    assert_eq!(session.saved_searches().unwrap().len(), 200);
}

//! Finding across tenants: what one tenant holds is in no answer about another, be it a search, a completion, a tag, a
//! saved search or a place in a list.

use coffer_core::view::SearchResults;
use coffer_core::{CallError, ListRecordsError, SaveRecordError, SaveSearchError, Session};
use coffer_model::id::TenantId;
use coffer_model::query::Query;
use coffer_model::record::{FieldType, RecordDraft};
use coffer_tests::{Place, field, tenant};

const NOBODY: TenantId = TenantId::from_bytes([7; 16]);

fn draft(word: &str, number: &str) -> RecordDraft {
    RecordDraft {
        kind: "server".parse().unwrap(),
        title: format!("{word} gateway"),
        fields: vec![field(&format!("{word} host"), FieldType::Text, word), field("Serial", FieldType::Text, number)],
        tags: vec![format!("{word}tag"), "shared".to_owned()],
        notes: String::new(),
    }
}

/// As the desktop's search box and palette ask, while somebody types.
fn typed(session: &Session, text: &str, tenant: Option<TenantId>) -> SearchResults {
    session.search(&Query::parse_unfinished(text), tenant, 500).unwrap()
}

#[test]
fn attack_35_nothing_of_one_tenant_is_found_listed_or_completed_in_another() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let ours = tenant(&session, "Zyprolk Werke").id;
    let theirs = tenant(&session, "Bauer & Co").id;
    session.add_record(ours, draft("oursword", "AB-0047112")).unwrap();
    session.add_record(theirs, draft("theirsword", "AB-9958223")).unwrap();
    // Every way of asking, also after the answers of the other tenant have just been given.
    for text in [
        "oursword",
        "ours",
        "ou",
        "\"oursword gateway\"",
        "\"oursword ga",
        "tag:ourswordtag",
        "field:\"oursword host\"",
        "field:\"oursword host\"=ours",
        "0047112",
        "4711",
        "AB-0047",
        "kind:server ours",
        "tag:shared 4711",
    ] {
        assert_eq!(typed(&session, text, Some(ours)).hits.len(), 1, "{text}: the question does find what is there");
        assert_eq!(typed(&session, text, Some(theirs)).hits, [], "{text}");
        let everywhere = typed(&session, text, None).hits;
        assert!(everywhere.iter().all(|hit| hit.record.id.tenant() == ours && hit.tenant_name == "Zyprolk Werke"));
        assert_eq!(everywhere.len(), 1, "{text}");
    }
    // Excluding a tenant's words is no way around it either.
    for hit in typed(&session, "-tag:ourswordtag", Some(theirs)).hits {
        assert_eq!(hit.record.id.tenant(), theirs);
    }
    let tags = |tenant| session.tags(tenant).unwrap().into_iter().map(|tag| (tag.tag, tag.records)).collect::<Vec<_>>();
    assert_eq!(tags(ours), [("ourswordtag".to_owned(), 1), ("shared".to_owned(), 1)]);
    assert_eq!(tags(theirs), [("shared".to_owned(), 1), ("theirswordtag".to_owned(), 1)]);

    // A tag changed in one stays what it is in the other.
    assert_eq!(session.rename_tag(ours, "shared", "apart").unwrap(), 1);
    assert_eq!(typed(&session, "tag:shared", None).hits.len(), 1);
    assert!(matches!(session.rename_tag(ours, "theirswordtag", "x"), Err(SaveRecordError::Call(CallError::NotFound))));

    // A saved search stands in its own tenant only, and nobody's place in a list serves another tenant.
    session.save_search("Ours", Some(ours), "oursword").unwrap();
    assert!(matches!(session.remove_search("Ours", Some(theirs)), Err(SaveSearchError::Call(CallError::NotFound))));
    assert!(matches!(session.remove_search("Ours", None), Err(SaveSearchError::Call(CallError::NotFound))));
    session.add_record(ours, draft("another", "1")).unwrap();
    let cursor = session.list_records(ours, 1, None).unwrap().next.unwrap();
    assert!(matches!(session.list_records(theirs, 1, Some(&cursor)), Err(ListRecordsError::InvalidCursor)));
}

#[test]
fn attack_35_a_tenant_that_is_not_granted_is_not_there_and_asking_is_logged() {
    let place = Place::new();
    let (session, _kit) = place.create();
    tenant(&session, "Bauer & Co");
    let refusals = |session: &Session| {
        let entries = session.log_page(None, 1_000).unwrap().entries;
        entries.iter().filter(|entry| entry.action == "access.refused" && entry.tenant == Some(NOBODY)).count()
    };
    let not_found = |refused: Result<(), CallError>| assert!(matches!(refused, Err(CallError::NotFound)));
    not_found(session.search(&"x".parse().unwrap(), Some(NOBODY), 10).map(|_| ()));
    // Even where there is nothing to look for.
    not_found(session.search(&Query::default(), Some(NOBODY), 10).map(|_| ()));
    not_found(session.tags(NOBODY).map(|_| ()));
    let call = |error: SaveRecordError| match error {
        SaveRecordError::Call(error) => error,
        SaveRecordError::Invalid(_) | SaveRecordError::Trashed | SaveRecordError::VersionConflict => panic!("{error}"),
    };
    not_found(session.rename_tag(NOBODY, "a", "b").map(|_| ()).map_err(call));
    not_found(session.remove_tag(NOBODY, "a").map(|_| ()).map_err(call));
    for refused in [
        session.save_search("x", Some(NOBODY), "y"),
        session.rename_search("x", Some(NOBODY), "y"),
        session.remove_search("x", Some(NOBODY)),
    ] {
        assert!(matches!(refused, Err(SaveSearchError::Call(CallError::NotFound))));
    }
    assert_eq!(refusals(&session), 8);
    assert_eq!(session.saved_searches().unwrap(), []);
}

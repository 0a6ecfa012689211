//! A person in the data: found wherever they are, handed over, erased without a trace in the tenant.

use std::collections::BTreeSet;
use std::fs;

use coffer_core::view::{SubjectErasureReport, SubjectFindings, SubjectPlace};
use coffer_core::{
    FreshAuthentication, Passphrase, Session, SubjectErasureRequest, SubjectExportRequest, SubjectIdentifiers,
};
use coffer_model::id::{RecordId, TenantId};
use coffer_model::query::Query;
use coffer_model::record::{FieldType, RecordDraft, Value};
use coffer_tests::{PASSPHRASE, Place, SetClock, field, kept, login_draft, tenant};

fn identifiers(given: &[&str]) -> SubjectIdentifiers {
    SubjectIdentifiers::parse(given.iter().map(|&text| Value::from(text))).unwrap()
}

fn proof(session: &Session) -> FreshAuthentication {
    session.authenticate(&Passphrase::parse_borrowed(PASSPHRASE.as_bytes()).unwrap().into()).unwrap()
}

fn find(session: &Session, of: TenantId, given: &[&str]) -> SubjectFindings {
    session.start_find_subject(of, identifiers(given)).unwrap().wait().unwrap()
}

fn erase(session: &Session, of: TenantId, records: Option<Vec<RecordId>>, history_only: bool) -> SubjectErasureReport {
    let identifiers = identifiers(&PERSON);
    let request = SubjectErasureRequest { tenant: of, identifiers, records, history_only };
    session.start_erase_subject(request, proof(session)).unwrap().wait().unwrap()
}

const PERSON: [&str; 2] = ["Anna Schmidt", "030 1234567"];

/// Where a person may be.
struct Data {
    acme: TenantId,
    /// Title, notes, and a number.
    contact: RecordId,
    /// A masked value, in the trash.
    trashed: RecordId,
    /// An earlier version only.
    former: RecordId,
    /// Attachments only.
    filed: RecordId,
}

fn data(place: &Place, session: &Session) -> Data {
    let acme = tenant(session, "ACME GmbH").id;
    session.add_record(acme, login_draft("Alarm", "otto", "quiet")).unwrap();
    let contact = RecordDraft {
        kind: "contact".parse().unwrap(),
        title: "Schmidt, Anna".to_owned(),
        fields: vec![
            field("E-mail", FieldType::Email, "anna.schmidt@acme.example"),
            field("Phone", FieldType::Phone, "+49 (0)30 1234-567"),
            field("Door code", FieldType::Secret, "canary-771"),
        ],
        tags: vec!["Anna Schmidt".to_owned()],
        notes: "Änna Schmïdt prefers mail.".to_owned(),
    };
    let contact = session.add_record(acme, contact).unwrap().id;
    let trashed = session.add_record(acme, login_draft("Old portal", "x", "annaschmidt42")).unwrap().id;
    session.trash_record(trashed).unwrap();
    let former = session.add_record(acme, login_draft("Gate", "anna.schmidt", "quiet")).unwrap();
    let mut draft = kept(&former);
    draft.fields[0].value = Some("otto".into());
    session.change_record(former.id, 1, draft).unwrap();
    let filed = session.add_record(acme, login_draft("Runbook", "otto", "quiet")).unwrap().id;
    for (name, text) in
        [("list.txt", "call ANNA\nSCHMIDT first"), ("Anna Schmidt.txt", "nothing"), ("plan.txt", "nobody")]
    {
        let path = place.path(name);
        fs::write(&path, text).unwrap();
        session.start_attach(filed, &path).unwrap().wait().unwrap();
    }
    session.keep_draft(acme, None, &login_draft("To Anna Schmidt", "x", "y")).unwrap();
    session.save_search("people", Some(acme), "\"anna schmidt\"").unwrap();
    Data { acme, contact, trashed, former: former.id, filed }
}

#[test]
fn a_person_is_found_in_history_secrets_trash_files_drafts_and_searches_and_no_value_is_told() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let data = data(&place, &session);
    let found = find(&session, data.acme, &PERSON);
    let ids: BTreeSet<RecordId> = found.records.iter().map(|record| record.id).collect();
    assert_eq!(ids, [data.contact, data.trashed, data.former, data.filed].into());
    let of = |id: RecordId| found.records.iter().find(|record| record.id == id).unwrap();
    let places = |id: RecordId| of(id).places.iter().map(|place| place.place).collect::<BTreeSet<_>>();
    assert_eq!(
        places(data.contact),
        [SubjectPlace::Title, SubjectPlace::FieldValue, SubjectPlace::Tag, SubjectPlace::Notes].into()
    );
    assert!(of(data.trashed).trashed && of(data.trashed).places[0].masked);
    assert_eq!((of(data.former).newest, of(data.former).places[0].versions.as_slice()), (false, [1].as_slice()));
    assert_eq!(places(data.filed), [SubjectPlace::AttachmentText, SubjectPlace::AttachmentName].into());
    let phone = of(data.contact).places.iter().find(|place| place.name.as_deref() == Some("Phone")).unwrap();
    assert_eq!(phone.identifiers, [2]);
    assert_eq!((found.drafts.len(), found.saved_searches.as_slice()), (1, ["people".to_owned()].as_slice()));
    assert_eq!((found.scanned.records, found.scanned.attachments, found.scanned.unread), (5, 3, 0));
    let told = format!("{found:?}");
    assert!(!told.contains("annaschmidt42") && !told.contains("canary-771"), "{told}");

    let newest = &session.log_page(None, 1).unwrap().entries[0];
    assert_eq!((newest.action.as_str(), newest.count, newest.tenant), ("subject.searched", Some(4), Some(data.acme)));
}

/// Names and contents of a tar archive (POSIX.1-1988 ustar).
fn unpacked(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.iter().copied().take_while(|&byte| byte != 0).collect()).unwrap();
    let mut entries = Vec::new();
    let mut rest = archive;
    while rest[0] != 0 {
        let size = usize::from_str_radix(text(&rest[124..136]).trim(), 8).unwrap();
        entries.push((text(&rest[..100]), rest[512..512 + size].to_vec()));
        rest = &rest[512 + size.div_ceil(512) * 512..];
    }
    assert!(rest.len() == 1024 && rest.iter().all(|&byte| byte == 0));
    entries
}

#[test]
fn what_is_handed_over_is_what_was_found_without_secrets_that_are_not_theirs() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let data = data(&place, &session);
    let file = place.path("anna.tar");
    let request = |records| SubjectExportRequest {
        tenant: data.acme,
        identifiers: identifiers(&PERSON),
        records,
        file: file.clone(),
    };
    let report = session.start_export_subject(request(None), proof(&session)).unwrap().wait().unwrap();
    assert_eq!((report.records, report.attachments, report.bytes), (4, 3, fs::metadata(&file).unwrap().len()));

    let entries = unpacked(&fs::read(&file).unwrap());
    let names: Vec<&str> = entries.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["person.json", "person.txt", "files/0001.txt", "files/0002.txt", "files/0003.txt"]);
    assert_eq!(entries[2].1, b"call ANNA\nSCHMIDT first");
    let document: serde_json::Value = serde_json::from_slice(&entries[0].1).unwrap();
    assert_eq!(document["identifiers"][0], PERSON[0]);
    let text = document.to_string();
    assert!(text.contains("anna.schmidt@acme.example") && text.contains("annaschmidt42"));
    assert!(!text.contains("canary-771"), "a secret that does not hold the person");
    assert_eq!((report.versions, report.withheld), (6, 6));

    let again = session.start_export_subject(request(None), proof(&session));
    assert_eq!(again.unwrap_err().code(), "target_exists");
    fs::remove_file(&file).unwrap();
    let one = session.start_export_subject(request(Some(vec![data.former])), proof(&session)).unwrap().wait().unwrap();
    assert_eq!((one.records, one.versions), (1, 1));
    let log = session.log_page(None, 30).unwrap().entries;
    assert!(log.iter().any(|entry| entry.action == "subject.exported" && entry.count == Some(4)));
}

#[test]
fn what_is_erased_is_nowhere_in_the_tenant_any_more_and_backups_are_named() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let data = data(&place, &session);
    session.start_backup(&place.path("one.age")).wait().unwrap();
    let files = || {
        fs::read_dir(place.vault_folder().join("files"))
            .unwrap()
            .flat_map(|of| fs::read_dir(of.unwrap().path()).unwrap())
            .count()
    };
    assert_eq!(files(), 3);
    let report = erase(&session, data.acme, None, false);
    assert_eq!((report.records, report.drafts, report.files, report.saved_searches), (4, 1, 3, 1));
    assert_eq!((report.remaining, report.rewritten, report.versions), (Some(0), true, 8));
    let backups: Vec<_> = report.backups.iter().map(|backup| (backup.counter, backup.expires_at)).collect();
    assert_eq!(backups, [(1, None)]);
    assert_eq!(files(), 0);

    let found = find(&session, data.acme, &PERSON);
    assert_eq!((found.records.len(), found.drafts.len(), found.saved_searches.len()), (0, 0, 0));
    assert_eq!(found.scanned.records, 1);
    let hits = session.search(&Query::parse_unfinished("schmidt"), None, 10).unwrap();
    assert!(hits.hits.is_empty());
    assert_eq!(session.open_record(data.contact).unwrap_err().code(), "not_found");
    let log = session.log_page(None, 30).unwrap().entries;
    let erased = log.iter().find(|entry| entry.action == "subject.erased").unwrap();
    assert_eq!((erased.count, erased.tenant), (Some(4), Some(data.acme)));
    assert!(session.start_verify_log().unwrap().wait().unwrap().ok);
    session.lock().unwrap();

    let session = place.unlock();
    assert_eq!(session.list_records(data.acme, 10, None).unwrap().total, 1);
    assert_eq!(find(&session, data.acme, &PERSON).records.len(), 0);
    let report = erase(&session, data.acme, None, false);
    assert_eq!((report.records, report.remaining, report.backups.len()), (0, Some(0), 0));
}

#[test]
fn a_clock_that_was_set_back_hides_no_backup_of_what_is_erased() {
    let mut place = Place::new();
    let clock = SetClock::put_into(&mut place);
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    session.start_backup(&place.path("before.age")).wait().unwrap();
    clock.set_days_ahead(400);
    session.add_record(acme, login_draft("Anna Schmidt", "anna", "quiet")).unwrap();
    clock.set_days_ahead(0);
    session.start_backup(&place.path("after.age")).wait().unwrap();
    let report = erase(&session, acme, None, false);
    let named: Vec<u64> = report.backups.iter().map(|backup| backup.counter).collect();
    assert_eq!((report.records, named), (1, vec![2]));
}

#[test]
fn history_alone_is_erased_where_the_record_does_not_hold_the_person_any_more() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let data = data(&place, &session);
    let report = erase(&session, data.acme, None, true);
    assert_eq!((report.records, report.versions, report.drafts, report.remaining), (0, 1, 0, Some(3)));
    let former = session.open_record(data.former).unwrap();
    assert_eq!((former.version, former.fields[0].value.as_deref()), (2, Some("otto")));
    let history = session.record_history(data.former).unwrap();
    assert_eq!(history.iter().map(|version| version.version).collect::<Vec<_>>(), [2]);
    assert!(session.start_verify_log().unwrap().wait().unwrap().ok);
}

#[test]
fn records_that_were_chosen_go_and_others_stay() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let data = data(&place, &session);
    let report = erase(&session, data.acme, Some(vec![data.trashed]), false);
    assert_eq!((report.records, report.drafts, report.saved_searches, report.remaining), (1, 0, 0, Some(3)));
    assert!(session.open_record(data.contact).is_ok());
}

#[test]
fn attack_34_a_record_of_another_tenant_or_without_the_person_is_not_found_and_that_is_logged() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let data = data(&place, &session);
    let bauer = tenant(&session, "Bauer & Co").id;
    let foreign = session.add_record(bauer, login_draft("Anna Schmidt", "x", "y")).unwrap().id;
    let other = session.list_records(data.acme, 10, None).unwrap().records[0].id;
    for record in [foreign, other] {
        let request = SubjectErasureRequest {
            tenant: data.acme,
            identifiers: identifiers(&PERSON),
            records: Some(vec![data.contact, record]),
            history_only: false,
        };
        let refused = session.start_erase_subject(request, proof(&session)).unwrap().wait();
        assert_eq!(refused.unwrap_err().code(), "not_found");
        let newest = &session.log_page(None, 1).unwrap().entries[0];
        assert_eq!((newest.action.as_str(), newest.tenant), ("access.refused", Some(data.acme)));
    }
    assert!(session.open_record(foreign).is_ok() && session.open_record(data.contact).is_ok());
    let elsewhere = TenantId::from_bytes([9; 16]);
    let refused = session.start_find_subject(elsewhere, identifiers(&PERSON));
    assert_eq!(refused.unwrap_err().code(), "not_found");
    let newest = &session.log_page(None, 1).unwrap().entries[0];
    assert_eq!((newest.action.as_str(), newest.tenant), ("access.refused", Some(elsewhere)));
}

#[test]
fn attack_44_a_proof_of_another_session_erases_and_hands_over_nothing() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let data = data(&place, &session);
    let stale = [proof(&session), proof(&session)];
    session.lock().unwrap();
    let session = place.unlock();
    let [one, other] = stale;
    let erasure = SubjectErasureRequest {
        tenant: data.acme,
        identifiers: identifiers(&PERSON),
        records: None,
        history_only: false,
    };
    assert_eq!(session.start_erase_subject(erasure, one).unwrap_err().code(), "authentication_not_fresh");
    let file = place.path("anna.tar");
    let export = SubjectExportRequest {
        tenant: data.acme,
        identifiers: identifiers(&PERSON),
        records: None,
        file: file.clone(),
    };
    assert_eq!(session.start_export_subject(export, other).unwrap_err().code(), "authentication_not_fresh");
    assert!(!file.exists());
    assert_eq!(find(&session, data.acme, &PERSON).records.len(), 4);
}

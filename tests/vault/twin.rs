//! A redacted twin: as much as its source, nothing of what that holds, whole or not at all, marked and on the record.

use std::collections::BTreeSet;
use std::fs;

use coffer_core::view::{FileState, FullRecordPage, RecordView, TwinReport};
use coffer_core::{CreateTenantError, JobError, Session, TwinRequest};
use coffer_interchange::invented::{Firm, Invented};
use coffer_model::id::{RecordId, TenantId};
use coffer_model::record::{FieldType, RecordDraft};
use coffer_tests::{Place, field, kept, login_draft, tenant};

const TOKEN_CHARS: usize = 8;

fn request(source: TenantId, name: &str, seed: Option<u64>) -> TwinRequest {
    TwinRequest { source, name: name.parse().unwrap(), seed }
}

fn twin(session: &Session, source: TenantId, name: &str, seed: Option<u64>) -> TwinReport {
    session.start_twin(request(source, name, seed)).unwrap().wait().unwrap()
}

/// A tenant with records of every kind, histories, references, files and a trash.
fn lived_in(place: &Place, session: &Session) -> TenantId {
    let acme = tenant(session, "ACME GmbH").id;
    session.add_records(acme, Invented::new(Firm::Harbour, 3).take(250).collect()).unwrap();
    let first =
        session.add_record(acme, login_draft("Harbourmaster portal", "anna.schmidt", "Canarywharf-4711")).unwrap();
    let mut draft = kept(&first);
    draft.fields[1].value = Some("Canarywharf-4712".into());
    draft.fields.push(field("Password of Annemarie Schmidthuber", FieldType::Secret, "Zugspitze-2962"));
    let second = session.change_record(first.id, 1, draft).unwrap();
    let reference = RecordDraft {
        kind: "server".parse().unwrap(),
        title: "Gatekeeper".to_owned(),
        fields: vec![field("Login", FieldType::Reference, &first.id.key().to_string())],
        tags: vec!["Schifffahrt".to_owned()],
        notes: "Ask Annemarie Schmidthuber.".to_owned(),
    };
    let reference = session.add_record(acme, reference).unwrap();
    for (name, content) in
        [("Vertrag Schmidthuber.txt", b"Annemarie Schmidthuber, Kiel".to_vec()), ("plan.bin", vec![0; 70_000])]
    {
        let path = place.path(name);
        fs::write(&path, content).unwrap();
        session.start_attach(reference.id, &path).unwrap().wait().unwrap();
    }
    session.trash_record(session.list_records(acme, 5, None).unwrap().records[4].id).unwrap();
    assert_eq!(second.version, 2);
    acme
}

/// Every text of a tenant, secrets and history among them; names of fields apart.
fn texts(place: &Place, session: &Session, of: TenantId) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut values, mut names) = (BTreeSet::new(), BTreeSet::new());
    let trashed: Vec<RecordId> =
        session.list_trash(of, 100, None, 0).unwrap().records.iter().map(|row| row.record.id).collect();
    let mut views: Vec<RecordView> = trashed.into_iter().map(|id| session.open_record(id).unwrap()).collect();
    views.extend(session.open_records(of, 1_000, None).unwrap().records);
    for view in views {
        values.insert(view.title.clone());
        values.insert(view.notes.clone());
        values.extend(view.tags.iter().cloned());
        for field in &view.fields {
            names.insert(field.name.clone());
            // A reference is a number that says nothing.
            if field.field_type == FieldType::Reference {
                continue;
            }
            for version in 1..=view.version {
                if field.field_type.is_masked()
                    && let Ok(value) = session.reveal_field(view.id, field.id, Some(version))
                {
                    values.insert(value.expose().to_owned());
                }
            }
            values.extend(field.value.clone());
        }
        for attachment in &view.attachments {
            values.insert(attachment.name.clone());
            let path = place.path(&format!("{}-{}", view.id, attachment.id.0));
            session.start_save_attachment(view.id, attachment.id, &path).unwrap().wait().unwrap();
            values.insert(String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned());
        }
        for version in session.record_history(view.id).unwrap() {
            values.extend(version.changes.into_iter().flat_map(|change| change.before.into_iter().chain(change.after)));
        }
    }
    (values, names)
}

fn tokens(text: &str) -> impl Iterator<Item = String> + '_ {
    let tokens = text.split(|c: char| !c.is_alphanumeric()).filter(|token| token.chars().count() >= TOKEN_CHARS);
    tokens.map(str::to_lowercase)
}

#[test]
fn a_twin_has_the_counts_of_its_source_and_nothing_that_it_holds() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = lived_in(&place, &session);
    let report = twin(&session, acme, "ACME for tests", Some(11));
    assert_eq!((report.records, report.versions, report.attachments), (252, 255, 2));
    assert_eq!((report.tenant.demo, report.tenant.records, report.seed), (true, Some(251), 11));
    let copy = report.tenant.id;

    let [source, made] = [acme, copy].map(|of| session.open_records(of, 1_000, None).unwrap());
    let shape = |page: &FullRecordPage| {
        let mut shape: Vec<_> = page
            .records
            .iter()
            .map(|record| {
                let fields = record.fields.iter().map(|field| (field.field_type, field.empty)).collect::<Vec<_>>();
                let kind = record.kind.as_str().to_owned();
                (record.created_at, kind, fields, record.tags.len(), record.version)
            })
            .collect();
        shape.sort();
        shape
    };
    assert_eq!(shape(&source), shape(&made));
    assert_eq!(
        session.list_trash(acme, 10, None, 0).unwrap().total,
        session.list_trash(copy, 10, None, 0).unwrap().total
    );

    let (values, names) = texts(&place, &session, acme);
    let (held, held_names) = texts(&place, &session, copy);
    let secret: BTreeSet<String> =
        values.iter().chain(&names).flat_map(|text| tokens(text).collect::<Vec<_>>()).collect();
    let surviving: Vec<&String> = held
        .iter()
        .filter(|text| {
            let is_whole =
                text.chars().count() >= TOKEN_CHARS && text.chars().any(char::is_alphabetic) && values.contains(*text);
            is_whole || tokens(text).any(|token| secret.iter().any(|secret| token.contains(secret.as_str())))
        })
        .collect();
    assert_eq!(surviving, Vec::<&String>::new());
    assert!(
        held_names.iter().all(|name| !name.contains("Annemarie") && !name.contains("Schmidthuber")),
        "{held_names:?}"
    );
    assert!(held_names.iter().any(|name| name.starts_with("Password of ")));

    let times = |of: TenantId| -> Vec<_> {
        let rows = session.list_records(of, 1_000, None).unwrap().records;
        let mut times: Vec<_> = rows.into_iter().map(|row| row.changed_at).collect();
        times.sort();
        times
    };
    assert_eq!(times(acme), times(copy));

    // References lead to the twins of what they led to.
    let reference =
        made.records.iter().flat_map(|record| &record.fields).find_map(|field| field.reference.as_ref()).unwrap();
    assert_eq!(reference.id.tenant(), copy);
    assert_eq!(session.open_record(reference.id).unwrap().version, 2);
    let made: Vec<_> = session.record_history(reference.id).unwrap().iter().map(|version| version.made_at).collect();
    let login = source.records.iter().find(|record| record.title == "Harbourmaster portal").unwrap();
    let history = session.record_history(login.id).unwrap();
    assert_eq!(made, history.iter().map(|version| Some(version.changed_at)).collect::<Vec<_>>());
    assert!(session.start_verify_log().unwrap().wait().unwrap().ok);
}

#[test]
fn a_twin_is_a_tenant_that_stays_marked_and_is_on_the_record() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = lived_in(&place, &session);
    let copy = twin(&session, acme, "ACME for tests", None).tenant.id;
    session.add_record(copy, login_draft("More", "ines", "x")).unwrap();
    let entries = session.log_page(None, 20).unwrap().entries;
    let of = |action: &str| entries.iter().find(|entry| entry.action == action).unwrap();
    let (read, filled, created) = (of("tenant.twinned"), of("twin.filled"), of("tenant.created"));
    assert_eq!((read.tenant, read.count, filled.tenant), (Some(acme), Some(252), Some(copy)));
    assert_eq!((filled.entry, filled.count), (Some(read.index), Some(252)));
    assert!(read.index < filled.index && filled.index < created.index);
    session.lock().unwrap();

    let session = place.unlock();
    let marks: Vec<(String, bool)> =
        session.tenants().unwrap().into_iter().map(|view| (view.name, view.demo)).collect();
    assert_eq!(marks, [("ACME for tests".to_owned(), true), ("ACME GmbH".to_owned(), false)]);
    assert_eq!(session.list_records(copy, 1, None).unwrap().total, 252);
    let checks = session.start_check_files().unwrap().wait().unwrap();
    assert!(checks.iter().all(|check| check.state != FileState::Altered));
}

#[test]
fn the_same_seed_makes_the_same_twin() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = lived_in(&place, &session);
    let titles = |of: TenantId| -> Vec<String> {
        session.list_records(of, 1_000, None).unwrap().records.into_iter().map(|row| row.title).collect()
    };
    let [one, same, other] = [("One", 5), ("Same", 5), ("Other", 6)]
        .map(|(name, seed)| titles(twin(&session, acme, name, Some(seed)).tenant.id));
    assert_eq!(one, same);
    assert_ne!(one, other);
}

#[test]
fn a_twin_that_comes_to_nothing_leaves_nothing() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = lived_in(&place, &session);
    let taken = session.start_twin(request(acme, "acme gmbh", None));
    assert!(matches!(taken, Err(CreateTenantError::NameTaken)));
    let files = || -> usize {
        let below = |folder: &str| fs::read_dir(place.vault_folder().join(folder)).unwrap().count();
        below("tenants") + below("files")
    };
    let before = files();
    let job = session.start_twin(request(acme, "Cancelled", None)).unwrap();
    job.cancel();
    if matches!(job.wait(), Err(JobError::Cancelled)) {
        assert_eq!(session.tenants().unwrap().len(), 1);
        assert_eq!(files(), before);
    }
    assert!(session.start_verify_log().unwrap().wait().unwrap().ok);
}

#[test]
fn attack_35_no_twin_is_made_of_a_tenant_that_is_not_there_and_asking_is_logged() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let elsewhere = TenantId::from_bytes([9; 16]);
    let refused = session.start_twin(request(elsewhere, "Copy", None));
    assert_eq!(refused.unwrap_err().code(), "not_found");
    let newest = &session.log_page(None, 1).unwrap().entries[0];
    assert_eq!((newest.action.as_str(), newest.tenant), ("access.refused", Some(elsewhere)));
}

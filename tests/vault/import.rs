//! CSV import: whole or not at all, on the record, stopped within a second.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use coffer_core::view::ImportReport;
use coffer_core::{CallError, ImportError, ImportRequest, JobError, Session};
use coffer_model::id::TenantId;
use coffer_model::record::FieldType;
use coffer_tests::{Place, login_draft, tenant};

const CONTACTS: &str = "Name,E-mail,Password,Notes\r\n\
    \"Müller, Ines\",ines@example.org,canary-1,\"two\r\nlines\"\r\n\
    Otto,otto@example.org,,\r\n";

fn request(place: &Place, text: &str, tenant: TenantId) -> ImportRequest {
    let file = place.path("in.csv");
    std::fs::write(&file, text).unwrap();
    ImportRequest::new(file, tenant)
}

fn import(session: &Session, request: ImportRequest) -> Result<ImportReport, JobError> {
    session.start_import(request)?.wait()
}

fn count(session: &Session, tenant: TenantId) -> u64 {
    session.list_records(tenant, 1, None).unwrap().total
}

#[test]
fn every_row_becomes_a_record_with_every_value() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let job = session.start_import(request(&place, &format!("\u{feff}{CONTACTS}"), acme)).unwrap();
    while job.progress().total.is_none() {
        std::thread::yield_now();
    }
    let report = job.wait().unwrap();
    assert_eq!((report.imported, report.rejected, report.dry_run), (2, 0, false));
    let targets: Vec<_> = report.columns.iter().map(|column| (column.target.as_deref(), column.field_type)).collect();
    assert_eq!(
        targets,
        [
            (Some("title"), None),
            (Some("E-mail"), Some(FieldType::Email)),
            (Some("Password"), Some(FieldType::Secret)),
            (Some("notes"), None)
        ]
    );

    let page = session.list_records(acme, 10, None).unwrap();
    assert_eq!(page.total, 2);
    let ines = session.open_record(page.records[0].id).unwrap();
    assert_eq!((ines.title.as_str(), ines.notes.as_str(), ines.version), ("Müller, Ines", "two\r\nlines", 1));
    assert_eq!(ines.fields[0].value.as_deref(), Some("ines@example.org"));
    assert_eq!(session.reveal_field(ines.id, ines.fields[1].id, None).unwrap().expose(), "canary-1");
    assert_eq!(session.search(&"muller ines".parse().unwrap(), Some(acme), 10).unwrap().hits.len(), 1);
    let entries = session.log_page(None, 100).unwrap().entries;
    let imported = entries.iter().find(|entry| entry.action == "records.imported").unwrap();
    assert_eq!((imported.count, imported.tenant), (Some(2), Some(acme)));
    assert!(session.start_verify_log().unwrap().wait().unwrap().ok);
}

#[test]
fn with_one_wrong_row_nothing_is_written_and_each_is_told_by_its_line() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let text = "Name,E-mail\nA,a@example.org\nB,canary-no-mail\nC,c@example.org\nD\n\"E\ne\",e@example.org\n";
    let mut wrong = request(&place, text, acme);
    wrong.mapping = vec!["E-mail=E-mail:email".to_owned()];
    let report = import(&session, wrong.clone()).unwrap();
    assert_eq!((report.imported, report.rejected), (0, 3));
    assert_eq!(report.errors.iter().map(|error| error.line).collect::<Vec<_>>(), [3, 5, 6]);
    assert!(!format!("{:?}", report.errors).contains("canary"));
    assert_eq!(count(&session, acme), 0);
    assert!(session.log_page(None, 100).unwrap().entries.iter().all(|entry| entry.action != "records.imported"));

    wrong.dry_run = true;
    let report = import(&session, wrong).unwrap();
    assert_eq!((report.imported, report.rejected, report.dry_run), (2, 3, true));
}

#[test]
fn a_trial_writes_nothing() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let mut trial = request(&place, CONTACTS, acme);
    trial.dry_run = true;
    assert_eq!(import(&session, trial).unwrap().imported, 2);
    assert_eq!(count(&session, acme), 0);
}

#[test]
fn a_preview_shows_rows_and_no_secret() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let file = request(&place, CONTACTS, acme).file;
    let looked = |mapping: &[&str]| {
        let mapping = mapping.iter().map(|&text| text.to_owned()).collect();
        session.inspect_import(&ImportRequest { mapping, ..ImportRequest::new(file.clone(), acme) })
    };
    let preview = looked(&[]).unwrap();
    assert_eq!((preview.rows.len(), preview.rows[1].line, preview.problem), (2, 4, None));
    assert_eq!(preview.rows[0].cells[1].as_deref(), Some("ines@example.org"));
    assert_eq!(preview.rows[0].cells[2], None);
    let corrected = looked(&["Password=skip"]).unwrap();
    assert_eq!(corrected.columns[2].target, None);
    let unknown = looked(&["Colour=title"]);
    assert_eq!(unknown.unwrap_err().code(), "assignment_unknown_column");
}

fn many_rows(rows: u32) -> String {
    let mut text = "Name,E-mail,Notes\n".to_owned();
    for row in 0..rows {
        writeln!(text, "Person {row},p{row}@example.org,{}", "words and more words ".repeat(10)).unwrap();
    }
    text
}

#[test]
fn a_cancelled_import_ends_within_a_second_and_leaves_nothing() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let job = session.start_import(request(&place, &many_rows(200_000), acme)).unwrap();
    while job.progress().done == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    job.cancel();
    let cancelled = Instant::now();
    assert!(matches!(job.wait(), Err(JobError::Cancelled)));
    assert!(cancelled.elapsed() < Duration::from_secs(1), "{:?}", cancelled.elapsed());
    assert_eq!(count(&session, acme), 0);
    // The next write is not in anybody's way.
    session.add_record(acme, login_draft("Gate", "ines", "x")).unwrap();
    assert_eq!(count(&session, acme), 1);
}

#[test]
fn locking_stops_an_import_and_leaves_nothing() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let job = session.start_import(request(&place, &many_rows(200_000), acme)).unwrap();
    while job.progress().done == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    session.lock().unwrap();
    assert!(matches!(job.wait(), Err(JobError::Locked)));
    assert_eq!(count(&place.unlock(), acme), 0);
}

#[test]
fn what_cannot_be_a_table_is_refused_by_name() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    for (text, code) in [("", "csv_empty"), ("Name\n", "csv_header_only"), ("Name,Name\n1,2\n", "csv_repeated_column")]
    {
        let refused = import(&session, request(&place, text, acme)).unwrap_err();
        assert_eq!(refused.code(), code);
    }
    let missing = ImportRequest { file: place.path("none.csv"), ..request(&place, "", acme) };
    assert!(matches!(session.start_import(missing), Err(ImportError::File(_))));
    let elsewhere = request(&place, CONTACTS, TenantId::from_bytes([7; 16]));
    assert!(matches!(session.start_import(elsewhere), Err(ImportError::Call(CallError::NotFound))));
}

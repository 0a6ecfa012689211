//! Files of other programs into a tenant: with their history, without what the tenant has, whole or not at all.

use std::io::Write as _;
use std::path::PathBuf;

use coffer_core::view::{ImportCount, ImportReport};
use coffer_core::{Duplicates, ImportRequest, JobError, Session};
use coffer_interchange::source::{Format, SourceKeys};
use coffer_model::id::TenantId;
use coffer_tests::{Place, tenant};

const KDBX: &[u8] = include_bytes!("../../crates/coffer-interchange/tests/data/keepassxc.kdbx");
const KEY_FILE: &[u8] = include_bytes!("../../crates/coffer-interchange/tests/data/keepassxc.keyx");
const BITWARDEN: &[u8] = include_bytes!("../../crates/coffer-interchange/tests/data/bitwarden.json");
const EXPORT_DATA: &[u8] = include_bytes!("../../crates/coffer-interchange/tests/data/export.data.json");

fn keys() -> SourceKeys {
    SourceKeys { passphrase: Some(b"harbour 58".to_vec().into()), key_file: Some(KEY_FILE.to_vec().into()) }
}

fn file(place: &Place, bytes: &[u8]) -> PathBuf {
    // The name says nothing: the content does.
    let file = place.path("in.data");
    std::fs::write(&file, bytes).unwrap();
    file
}

fn onepux() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("export.data", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(EXPORT_DATA).unwrap();
    zip.finish().unwrap().into_inner()
}

fn import(session: &Session, request: ImportRequest) -> Result<ImportReport, JobError> {
    session.start_import(request)?.wait()
}

fn count(session: &Session, tenant: TenantId) -> u64 {
    session.list_records(tenant, 1, None).unwrap().total
}

#[test]
fn versions_keep_the_time_at_which_the_other_program_made_them() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let request = ImportRequest { keys: keys(), ..ImportRequest::new(file(&place, KDBX), acme) };
    let report = import(&session, request).unwrap();
    assert_eq!((report.imported, report.rejected, report.format.as_str()), (2, 0, "kdbx"));
    assert_eq!(report.counted_in, ImportCount::Entries);
    assert!(report.versions >= 1);
    let lost: Vec<_> = report.losses.iter().map(|loss| (loss.what.as_str(), loss.name.as_str())).collect();
    assert!(lost.contains(&("trashed_entry", "Trashed one")), "{lost:?}");

    let page = session.list_records(acme, 10, None).unwrap();
    let mail = page.records.iter().find(|row| row.title.starts_with("Webmail")).unwrap();
    let record = session.open_record(mail.id).unwrap();
    let versions = session.record_history(mail.id).unwrap();
    assert!(versions.len() >= 2 && record.version as usize == versions.len());
    assert!(versions.iter().all(|version| version.made_at.is_some_and(|made| made < version.changed_at)));
    let password = record.fields.iter().find(|field| field.name == "Password").unwrap().id;
    assert_eq!(session.reveal_field(mail.id, password, None).unwrap().expose(), "second pass");
    let before = record.version - 1;
    assert_eq!(session.reveal_field(mail.id, password, Some(before)).unwrap().expose(), "a\"b,c;d  ");
    assert_eq!(session.search(&"webmail zurich".parse().unwrap(), Some(acme), 10).unwrap().hits.len(), 1);
    assert!(session.start_verify_log().unwrap().wait().unwrap().ok);
    session.lock().unwrap();
    assert_eq!(place.unlock().record_history(mail.id).unwrap(), versions);
}

#[test]
fn every_format_is_known_by_its_content_and_looked_at_before_anything_is_written() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let look = |bytes: &[u8], keys: SourceKeys| {
        session.inspect_import(&ImportRequest { keys, ..ImportRequest::new(file(&place, bytes), acme) })
    };
    let locked = look(KDBX, SourceKeys::default()).unwrap();
    assert_eq!((locked.format.as_str(), locked.needs_key, locked.entries), ("kdbx", true, None));
    let opened = look(KDBX, keys()).unwrap();
    assert_eq!((opened.needs_key, opened.entries, opened.records.len()), (false, Some(2), 2));
    assert_eq!(opened.records.iter().map(|record| record.attachments).sum::<u64>(), 1);
    let bitwarden = look(BITWARDEN, SourceKeys::default()).unwrap();
    assert_eq!((bitwarden.format.as_str(), bitwarden.entries, bitwarden.columns.len()), ("bitwarden", Some(5), 0));
    let onepux = look(&onepux(), SourceKeys::default()).unwrap();
    assert_eq!((onepux.format.as_str(), onepux.entries), ("1pux", Some(3)));
    let windows = look(b"Name;Ort\r\nM\xFCller;K\xF6ln\r\n", SourceKeys::default()).unwrap();
    assert_eq!((windows.format.as_str(), windows.encoding.as_deref()), ("csv", Some("windows-1252")));
    assert_eq!(windows.rows[0].cells[0].as_deref(), Some("Müller"));
    let chrome = look(b"name,url,username,password\nA,https://a.example,u,p\n", SourceKeys::default()).unwrap();
    assert_eq!((chrome.encoding.as_deref(), chrome.program.as_deref()), (Some("utf-8"), Some("chrome")));
    assert_eq!(count(&session, acme), 0);
}

#[test]
fn a_wrong_key_or_another_format_writes_nothing_and_says_why() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let base = || ImportRequest::new(file(&place, KDBX), acme);
    let wrong = SourceKeys { passphrase: Some(b"harbour 59".to_vec().into()), ..keys() };
    for (request, code) in [
        (base(), "source_needs_key"),
        (ImportRequest { keys: wrong, ..base() }, "source_wrong_key"),
        (ImportRequest { format: Some(Format::OnePux), keys: keys(), ..base() }, "source_other_format"),
        (ImportRequest { mapping: vec!["a=title".to_owned()], keys: keys(), ..base() }, "import_no_columns"),
        (
            ImportRequest { keys: keys(), ..ImportRequest::new(file(&place, b"Name\nA\n"), acme) },
            "source_not_encrypted",
        ),
    ] {
        // The file is the last one written.
        if code == "source_not_encrypted" {
            file(&place, b"Name\nA\n");
        } else {
            file(&place, KDBX);
        }
        assert_eq!(import(&session, request).unwrap_err().code(), code);
    }
    assert_eq!(count(&session, acme), 0);
    assert!(session.log_page(None, 100).unwrap().entries.iter().all(|entry| entry.action != "records.imported"));
}

#[test]
fn what_the_tenant_has_is_counted_and_left_out_if_asked() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let request = |duplicates, dry_run| ImportRequest {
        duplicates,
        dry_run,
        ..ImportRequest::new(file(&place, BITWARDEN), acme)
    };
    let first = import(&session, request(Duplicates::Skip, false)).unwrap();
    assert_eq!((first.imported, first.duplicates), (5, 0));
    let trial = import(&session, request(Duplicates::Import, true)).unwrap();
    assert_eq!((trial.imported, trial.duplicates), (5, 5));
    let again = import(&session, request(Duplicates::Skip, false)).unwrap();
    assert_eq!((again.imported, again.duplicates), (0, 5));
    assert_eq!(count(&session, acme), 5);
    let anyway = import(&session, request(Duplicates::Import, false)).unwrap();
    assert_eq!((anyway.imported, anyway.duplicates), (5, 5));
    assert_eq!(count(&session, acme), 10);
    assert!(session.start_verify_log().unwrap().wait().unwrap().ok);
}

#[test]
fn attack_36_rows_that_name_another_tenant_are_refused_and_nothing_is_written() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let bauer = tenant(&session, "Bauer & Co").id;
    let text = "Name,Tenant\nA,acme gmbh\nB,Bauer & Co\nC,\n".as_bytes();
    let refused = import(&session, ImportRequest::new(file(&place, text), acme)).unwrap();
    assert_eq!((refused.imported, refused.rejected, refused.errors[0].line), (0, 1, 3));
    assert!(refused.errors[0].message.contains("another tenant"), "{}", refused.errors[0].message);
    let by_id = format!("Name,Tenant\nA,{bauer}\n");
    assert_eq!(import(&session, ImportRequest::new(file(&place, by_id.as_bytes()), acme)).unwrap().rejected, 1);
    assert_eq!((count(&session, acme), count(&session, bauer)), (0, 0));
    // Whoever rents flats says that the column means something else.
    let flats =
        ImportRequest { mapping: vec!["Tenant=Renter".to_owned()], ..ImportRequest::new(file(&place, text), acme) };
    assert_eq!(import(&session, flats).unwrap().imported, 3);
    let nobodys = ImportRequest::new(file(&place, text), TenantId::from_bytes([7; 16]));
    assert_eq!(import(&session, nobodys).unwrap_err().code(), "not_found");
}

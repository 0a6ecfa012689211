//! The portable archive: everything a tenant has goes out, and comes back into another vault as an equal tenant, whole or
//! not at all; whoever exports is on record for every secret at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use coffer_core::view::{ChangeKind, ExportReport, ImportReport, RecordView};
use coffer_core::{
    Duplicates, ExportRequest, ImportRequest, JobError, ListRequest, Session, SubjectErasureRequest, SubjectIdentifiers,
};
use coffer_interchange::source::{Format, SourceKeys};
use coffer_model::attachment::AttachmentId;
use coffer_model::event::ExportFormat;
use coffer_model::id::{RecordId, TenantId};
use coffer_model::list::RecordOrder;
use coffer_model::record::{FieldId, FieldType, RecordDraft, Value};
use coffer_model::template::KindTemplate;
use coffer_tests::{PASSPHRASE, Place, field, kept, login_draft, passphrase, tenant};

const TENANT: &str = "ACME GmbH";

fn plain(tenant: TenantId, file: PathBuf) -> ExportRequest {
    ExportRequest { confirmation: Some(TENANT.to_owned()), ..ExportRequest::new(tenant, file, ExportFormat::Archive) }
}

fn export(session: &Session, request: ExportRequest) -> Result<ExportReport, JobError> {
    let proof = session.authenticate(&passphrase(PASSPHRASE).into()).unwrap();
    session.start_export(request, proof)?.wait()
}

fn import(session: &Session, request: ImportRequest) -> Result<ImportReport, JobError> {
    session.start_import(request)?.wait()
}

fn attach(place: &Place, session: &Session, record: RecordId, name: &str, bytes: &[u8]) -> RecordView {
    let path = place.path(name);
    fs::write(&path, bytes).unwrap();
    session.start_attach(record, &path).unwrap().wait().unwrap()
}

fn content(bytes: usize, seed: usize) -> Vec<u8> {
    (0..bytes).map(|at| u8::try_from((at / 256 + at + seed) % 256).unwrap()).collect()
}

/// A tenant with everything a tenant can have.
fn filled(place: &Place, session: &Session) -> TenantId {
    let acme = tenant(session, TENANT).id;
    let text = "kind = \"door\"\nname = \"Door\"\n[[field]]\nname = \"Code\"\ntype = \"secret\"\n";
    session.set_kind(KindTemplate::parse(text).unwrap()).unwrap();
    let gate = session.add_record(acme, login_draft("Gate", "ines", "first")).unwrap();
    let changed = session.change_record(gate.id, 1, login_draft("Gate 北 \"<&>\"", "ines", "second")).unwrap();
    assert_eq!(changed.fields[0].id.0, 3, "numbers of fields are not given again");
    attach(place, session, gate.id, "runbook.txt", b"north gate");
    attach(place, session, gate.id, "film.bin", &content(300_000, 1));
    session.detach(gate.id, AttachmentId(1)).unwrap();
    session.reattach(gate.id, AttachmentId(1)).unwrap();
    let door = RecordDraft {
        kind: "door".parse().unwrap(),
        title: "Depot".to_owned(),
        fields: vec![
            field("Code", FieldType::Secret, "4711"),
            field("Gate", FieldType::Reference, &gate.id.key().to_string()),
            field("Ends", FieldType::Expiry, "2031-02-03"),
            field("Seed", FieldType::Totp, "JBSWY3DPEHPK3PXP"),
        ],
        tags: vec!["depot".to_owned(), "eu".to_owned()],
        notes: "two\r\nlines".to_owned(),
    };
    let door = session.add_record(acme, door).unwrap();
    let old = session.add_record(acme, login_draft("Old router", "root", "third")).unwrap();
    attach(place, session, old.id, "runbook.txt", b"north gate");
    session.trash_record(old.id).unwrap();
    session.change_record(door.id, 1, RecordDraft { notes: "one line".to_owned(), ..kept(&door) }).unwrap();
    acme
}

/// What one version tells: when it was made, and what was added, taken away and changed.
type Told = (u32, i64, Vec<(String, ChangeKind)>);

/// Everything that a record is, but for the tenant it is in and when it came there.
#[derive(Debug, PartialEq, Eq)]
struct Whole {
    key: String,
    kind: String,
    tags: Vec<String>,
    notes: String,
    fields: Vec<(u16, String, FieldType, String)>,
    /// Values of masked fields in every version.
    secrets: Vec<(u32, u16, String)>,
    history: Vec<Told>,
    attachments: Vec<(u16, String, Vec<u8>)>,
    is_trashed: bool,
}

fn whole(place: &Place, session: &Session, id: RecordId) -> (String, Whole) {
    let view = session.open_record(id).unwrap();
    let history = session.record_history(id).unwrap();
    let mut secrets = Vec::new();
    let mut fields = Vec::new();
    for field in &view.fields {
        let value = session.reveal_field(id, field.id, None).unwrap();
        fields.push((field.id.0, field.name.clone(), field.field_type, value.expose().to_owned()));
    }
    for version in &history {
        for number in 0..10 {
            if let Ok(value) = session.reveal_field(id, FieldId(number), Some(version.version)) {
                secrets.push((version.version, number, value.expose().to_owned()));
            }
        }
    }
    let told = history.into_iter().map(|version| {
        let made = version.made_at.unwrap_or(version.changed_at).unix_millis();
        (version.version, made, version.changes.into_iter().map(|change| (change.what, change.how)).collect())
    });
    let told = told.collect();
    let mut attachments = Vec::new();
    for attached in &view.attachments {
        let saved = place.path(&format!("{id}-{}", attached.id.0));
        session.start_save_attachment(id, attached.id, &saved).unwrap().wait().unwrap();
        attachments.push((attached.id.0, attached.name.clone(), fs::read(&saved).unwrap()));
        fs::remove_file(saved).unwrap();
    }
    let whole = Whole {
        key: id.key().to_string(),
        kind: view.kind.as_str().to_owned(),
        tags: view.tags,
        notes: view.notes,
        fields,
        secrets,
        history: told,
        attachments,
        is_trashed: view.trashed_at.is_some(),
    };
    (view.title, whole)
}

/// Every record of a tenant by its title, in the trash or not.
fn everything(place: &Place, session: &Session, tenant: TenantId) -> BTreeMap<String, Whole> {
    let listed = session.list_records(tenant, 100, None).unwrap().records.into_iter().map(|row| row.id);
    let trashed = session.list_trash(tenant, 100, None, 0).unwrap().records.into_iter().map(|row| row.record.id);
    listed.chain(trashed).map(|id| whole(place, session, id)).collect()
}

fn titles_by_adding(session: &Session, tenant: TenantId) -> Vec<String> {
    session
        .list_records_by(tenant, &ListRequest::new(RecordOrder::Created, 100))
        .unwrap()
        .records
        .into_iter()
        .map(|row| row.title)
        .collect()
}

#[test]
fn an_archive_comes_back_as_an_equal_tenant_in_another_vault() {
    let (place, other) = (Place::new(), Place::new());
    let (session, _kit) = place.create();
    let acme = filled(&place, &session);
    let file = place.path("acme.tar");
    let report = export(&session, plain(acme, file.clone())).unwrap();
    let written = fs::metadata(&file).unwrap().len();
    assert_eq!((report.format.as_str(), report.records, report.bytes, report.losses.len()), ("archive", 3, written, 0));
    assert!(session.start_verify_log().unwrap().wait().unwrap().ok);

    let (elsewhere, _kit) = other.create();
    let target = tenant(&elsewhere, "Copied").id;
    let request = || ImportRequest::new(file.clone(), target);
    let look = elsewhere.inspect_import(&request()).unwrap();
    assert_eq!((look.format.as_str(), look.entries, look.made_of.as_deref()), ("archive", Some(3), Some(TENANT)));
    assert_eq!(look.losses[0].name, "door");
    let first = &look.records[0];
    assert_eq!((first.title.as_str(), first.versions, first.attachments), ("Gate 北 \"<&>\"", 6, 3));
    let trial = import(&elsewhere, ImportRequest { dry_run: true, ..request() }).unwrap();
    assert_eq!((trial.imported, trial.attachments, trial.trashed, trial.versions), (3, 4, 1, 7));
    assert!(everything(&other, &elsewhere, target).is_empty());
    assert_eq!(import(&elsewhere, request()).unwrap(), ImportReport { dry_run: false, ..trial });

    assert_eq!(everything(&other, &elsewhere, target), everything(&place, &session, acme));
    assert_eq!(titles_by_adding(&elsewhere, target), titles_by_adding(&session, acme));
    assert_eq!(elsewhere.tags(target).unwrap(), session.tags(acme).unwrap());
    let days = |session: &Session| session.expiring(3_650).unwrap().records.len();
    assert_eq!((days(&elsewhere), days(&session)), (1, 1));
    assert_eq!(elsewhere.search(&"depot".parse().unwrap(), Some(target), 10).unwrap().hits.len(), 1);
    assert!(elsewhere.search(&"router".parse().unwrap(), Some(target), 10).unwrap().hits.is_empty());
    assert!(elsewhere.start_verify_log().unwrap().wait().unwrap().ok);

    // What is there now is what was read, after locking, too; and a second time everything is known.
    elsewhere.lock().unwrap();
    let elsewhere = other.unlock();
    assert_eq!(everything(&other, &elsewhere, target), everything(&place, &session, acme));
    let again = import(&elsewhere, ImportRequest { duplicates: Duplicates::Skip, ..request() }).unwrap();
    assert_eq!((again.imported, again.duplicates), (1, 2), "what is in the trash is not compared with");
}

/// Takes a person out of earlier versions.
fn erase_history(session: &Session, tenant: TenantId, person: &str) {
    let identifiers = SubjectIdentifiers::parse([Value::from(person)]).unwrap();
    let request = SubjectErasureRequest { tenant, identifiers, records: None, history_only: true };
    let proof = session.authenticate(&passphrase(PASSPHRASE).into()).unwrap();
    session.start_erase_subject(request, proof).unwrap().wait().unwrap();
}

#[test]
fn a_history_of_which_something_was_erased_comes_back_with_its_gaps() {
    let (place, other) = (Place::new(), Place::new());
    let (session, _kit) = place.create();
    let acme = tenant(&session, TENANT).id;
    let gate = session.add_record(acme, login_draft("Gate", "Anna Schmidt", "first")).unwrap();
    let gate = session.change_record(gate.id, 1, login_draft("Gate", "ines", "second")).unwrap();
    let gate = session.change_record(gate.id, 2, login_draft("Gate", "Anna Schmidt", "third")).unwrap();
    session.change_record(gate.id, 3, login_draft("Gate", "otto", "fourth")).unwrap();
    erase_history(&session, acme, "Anna Schmidt");
    let file = place.path("acme.tar");
    export(&session, plain(acme, file.clone())).unwrap();

    let (elsewhere, _kit) = other.create();
    let target = tenant(&elsewhere, "Copied").id;
    let report = import(&elsewhere, ImportRequest::new(file, target)).unwrap();
    assert_eq!((report.imported, report.versions), (1, 1));
    let copy = everything(&other, &elsewhere, target);
    assert_eq!(copy, everything(&place, &session, acme));
    let versions: Vec<u32> = copy["Gate"].history.iter().map(|(version, ..)| *version).collect();
    assert_eq!(versions, [4, 2]);
}

#[test]
fn a_record_whose_key_is_taken_gets_another_and_its_files_are_not_stored_again() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = filled(&place, &session);
    let file = place.path("acme.tar");
    export(&session, plain(acme, file.clone())).unwrap();
    let files = stored(&place);
    let report = import(&session, ImportRequest::new(file, acme)).unwrap();
    assert_eq!((report.imported, report.duplicates), (3, 2));
    assert_eq!(session.list_records(acme, 10, None).unwrap().total, 4);
    assert_eq!(stored(&place), files);
}

#[test]
fn an_export_is_one_row_for_every_secret_and_comes_before_the_file() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = filled(&place, &session);
    let csv = ExportRequest::new(acme, place.path("acme.csv"), ExportFormat::Csv);
    export(&session, csv).unwrap();
    export(&session, plain(acme, place.path("acme.tar"))).unwrap();
    let actions: Vec<_> = session.log_page(None, 2).unwrap().entries;
    assert_eq!((actions[0].action.as_str(), actions[0].count), ("tenant.exported_archive", Some(3)));
    // Both are writes of the tenant: what the log says of them and what its file says must agree at the next opening.
    session.lock().unwrap();
    let session = place.unlock();
    assert_eq!(session.list_records(acme, 10, None).unwrap().total, 2);
    let entries = session.log_page(None, 50).unwrap().entries;
    assert!(entries.iter().all(|entry| entry.action != "effect.missing" && entry.action != "file.altered"));
    assert!(session.start_verify_log().unwrap().wait().unwrap().ok);
}

#[test]
fn an_archive_for_anybody_needs_the_name_typed_and_one_for_somebody_a_key() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = filled(&place, &session);
    let file = place.path("acme.tar");
    let to = |recipient: &str| ExportRequest {
        recipients: vec![recipient.to_owned()],
        ..ExportRequest::new(acme, file.clone(), ExportFormat::EncryptedArchive)
    };
    let typed = |name: Option<&str>| ExportRequest {
        confirmation: name.map(str::to_owned),
        ..ExportRequest::new(acme, file.clone(), ExportFormat::Archive)
    };
    let passphrase = Some(b"x".to_vec().into());
    for (request, code) in [
        (typed(None), "export_not_confirmed"),
        (typed(Some("acme gmbh")), "export_not_confirmed"),
        (typed(Some("ACME GmbH ")), "export_not_confirmed"),
        (ExportRequest { recipients: vec![], ..to("") }, "export_needs_recipient"),
        (to(""), "export_invalid_recipient"),
        (to("age1nonsense"), "export_invalid_recipient"),
        (to("AGE-SECRET-KEY-1"), "export_invalid_recipient"),
        (ExportRequest { format: ExportFormat::Archive, ..to("age1x") }, "export_no_recipient"),
        (ExportRequest { passphrase, ..typed(Some(TENANT)) }, "export_no_passphrase"),
    ] {
        assert_eq!(export(&session, request).unwrap_err().code(), code);
        assert!(!file.exists());
    }
    let entries = session.log_page(None, 100).unwrap().entries;
    assert!(entries.iter().all(|entry| !entry.action.starts_with("tenant.exported")));
}

#[test]
fn an_encrypted_archive_is_opened_by_stock_age_and_tar_and_by_its_key_alone() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = filled(&place, &session);
    let key = Command::new("age-keygen").output().expect("age is installed for tests");
    let identity = String::from_utf8(key.stdout).unwrap();
    let recipient = identity.lines().find_map(|line| line.strip_prefix("# public key: ")).unwrap().to_owned();
    fs::write(place.path("key.txt"), &identity).unwrap();
    let file = place.path("acme.tar.age");
    let request = ExportRequest {
        recipients: vec![recipient],
        ..ExportRequest::new(acme, file.clone(), ExportFormat::EncryptedArchive)
    };
    assert_eq!(export(&session, request).unwrap().bytes, fs::metadata(&file).unwrap().len());
    let newest = session.log_page(None, 1).unwrap().entries;
    assert_eq!(newest[0].action, "tenant.exported_encrypted_archive");
    let bytes = fs::read(&file).unwrap();
    assert!(bytes.starts_with(b"age-encryption.org/v1\n") && !contains(&bytes, b"Depot"));

    let run = |program: &str, arguments: &[&str]| {
        let ran = Command::new(program).args(arguments).current_dir(place.path(".")).output().unwrap();
        assert!(ran.status.success(), "{program}: {}", String::from_utf8_lossy(&ran.stderr));
    };
    run("age", &["-d", "-i", "key.txt", "-o", "acme.tar", "acme.tar.age"]);
    fs::create_dir(place.path("out")).unwrap();
    run("tar", &["-xf", "acme.tar", "-C", "out"]);
    let sums = Command::new("sha256sum").args(["-c", "SHA256SUMS"]).current_dir(place.path("out")).output().unwrap();
    assert!(sums.status.success(), "{}", String::from_utf8_lossy(&sums.stdout));
    assert!(contains(&fs::read(place.path("out/records.jsonl")).unwrap(), b"\"4711\""));
    assert_eq!(fs::read(place.path("out/files/1")).unwrap(), b"north gate");

    let target = tenant(&session, "Copied").id;
    let with = |key: Option<&[u8]>| ImportRequest {
        keys: SourceKeys { passphrase: None, key_file: key.map(|key| key.to_vec().into()) },
        ..ImportRequest::new(file.clone(), target)
    };
    let locked = session.inspect_import(&with(None)).unwrap();
    assert_eq!((locked.format.as_str(), locked.needs_key, locked.entries), ("archive", true, None));
    assert!(!session.import_lacks_passphrase(&with(None)).unwrap());
    assert_eq!(import(&session, with(None)).unwrap_err().code(), "source_needs_key");
    let other = Command::new("age-keygen").stdout(Stdio::piped()).output().unwrap().stdout;
    for wrong in [&other[..], b"", b"# nothing\n", b"nonsense"] {
        assert_eq!(import(&session, with(Some(wrong))).unwrap_err().code(), "source_wrong_key");
    }
    assert_eq!(session.inspect_import(&with(Some(identity.as_bytes()))).unwrap().entries, Some(3));
    assert_eq!(import(&session, with(Some(identity.as_bytes()))).unwrap().imported, 3);
    assert_eq!(everything(&place, &session, target), everything(&place, &session, acme));
}

#[test]
fn a_bent_or_cut_archive_leaves_nothing_neither_rows_nor_files() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = filled(&place, &session);
    let file = place.path("acme.tar");
    export(&session, plain(acme, file.clone())).unwrap();
    let good = fs::read(&file).unwrap();
    let target = tenant(&session, "Copied").id;
    let before = stored(&place);
    let refused = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        let error = import(&session, ImportRequest::new(file.clone(), target)).unwrap_err();
        assert_eq!(error.code(), "source_damaged");
        assert_eq!(stored(&place), before);
        assert_eq!(session.list_records(target, 1, None).unwrap().total, 0);
    };
    // In the last digest, in a file, in a value; and what is cut off after everything was read.
    let end = good.len() - 1024;
    for at in [end - 600, find(&good, b"north gate"), find(&good, b"\"4711\"") + 1] {
        let mut bent = good.clone();
        bent[at] ^= 1;
        refused(&bent);
    }
    refused(&good[..end]);
    refused(&[&good[..], b"\0"].concat());
    let entries = session.log_page(None, 100).unwrap().entries;
    assert!(entries.iter().all(|entry| entry.action != "records.imported"));
    fs::write(&file, &good).unwrap();
    assert_eq!(import(&session, ImportRequest::new(file, target)).unwrap().imported, 3);
}

#[test]
fn attack_36_an_archive_goes_nowhere_but_where_it_is_sent() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = filled(&place, &session);
    let (bauer, third) = (tenant(&session, "Bauer & Co").id, tenant(&session, "Third").id);
    let file = place.path("acme.tar");
    export(&session, plain(acme, file.clone())).unwrap();
    let before = everything(&place, &session, acme);
    // Its own tenant is in this vault; that it is named in the file is shown and never followed.
    assert_eq!(import(&session, ImportRequest::new(file.clone(), bauer)).unwrap().imported, 3);
    assert_eq!(everything(&place, &session, bauer), before);
    assert_eq!(everything(&place, &session, acme), before);
    assert!(everything(&place, &session, third).is_empty());
    let nobodys = ImportRequest::new(file, TenantId::from_bytes([7; 16]));
    assert_eq!(import(&session, nobodys).unwrap_err().code(), "not_found");
}

#[test]
fn attack_66_an_archive_is_written_over_nothing_and_a_cancelled_one_leaves_nothing() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, TENANT).id;
    let gate = session.add_record(acme, login_draft("Gate", "ines", "x")).unwrap().id;
    attach(&place, &session, gate, "large.bin", &content(40 * 1024 * 1024, 2));
    let folder = place.path("out");
    fs::create_dir(&folder).unwrap();
    let file = folder.join("acme.tar");
    std::os::unix::fs::symlink(place.path("elsewhere"), &file).unwrap();
    assert_eq!(export(&session, plain(acme, file.clone())).unwrap_err().code(), "target_exists");
    fs::remove_file(&file).unwrap();
    let proof = session.authenticated_by_unlocking().unwrap();
    let job = session.start_export(plain(acme, file.clone()), proof).unwrap();
    while job.progress().done == 0 && job.progress().total.is_none() {
        std::thread::yield_now();
    }
    job.cancel();
    // It may have been quicker.
    if matches!(job.wait(), Err(JobError::Cancelled)) {
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }
    let _ = fs::remove_file(&file);
    export(&session, plain(acme, file.clone())).unwrap();

    let target = tenant(&session, "Copied").id;
    let before = stored(&place);
    let job = session.start_import(ImportRequest::new(file.clone(), target)).unwrap();
    while job.progress().done < 1024 * 1024 {
        std::thread::yield_now();
    }
    job.cancel();
    if matches!(job.wait(), Err(JobError::Cancelled)) {
        assert_eq!(stored(&place), before);
        assert_eq!(import(&session, ImportRequest::new(file, target)).unwrap().imported, 1);
    }
    assert_eq!(stored(&place).len(), before.len() + 1);
}

#[test]
fn attachments_of_a_keepass_database_come_along_and_go_out_again() {
    const KDBX: &[u8] = include_bytes!("../../crates/coffer-interchange/tests/data/keepassxc.kdbx");
    const KEY_FILE: &[u8] = include_bytes!("../../crates/coffer-interchange/tests/data/keepassxc.keyx");
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, TENANT).id;
    let keys = SourceKeys { passphrase: Some(b"harbour 58".to_vec().into()), key_file: Some(KEY_FILE.to_vec().into()) };
    fs::write(place.path("old.kdbx"), KDBX).unwrap();
    let report = import(&session, ImportRequest { keys, ..ImportRequest::new(place.path("old.kdbx"), acme) }).unwrap();
    assert_eq!((report.imported, report.attachments), (2, 1));
    assert!(report.losses.iter().all(|loss| loss.what != "attachment"), "{:?}", report.losses);
    let files = |tenant| -> Vec<_> {
        let all = everything(&place, &session, tenant);
        all.into_values().flat_map(|record| record.attachments).map(|(_, name, bytes)| (name, bytes)).collect()
    };
    let there = files(acme);
    assert_eq!((there.len(), there[0].0.as_str()), (1, "runbook.txt"));
    assert!(!there[0].1.is_empty());

    let out = place.path("new.kdbx");
    let passphrase = Some(b"harbour".to_vec().into());
    let request = ExportRequest { passphrase, ..ExportRequest::new(acme, out.clone(), ExportFormat::Kdbx) };
    let report = export(&session, request).unwrap();
    assert!(report.losses.iter().all(|loss| loss.what != "attachments"), "{:?}", report.losses);
    let bauer = tenant(&session, "Bauer & Co").id;
    let keys = SourceKeys { passphrase: Some(b"harbour".to_vec().into()), key_file: None };
    assert_eq!(import(&session, ImportRequest { keys, ..ImportRequest::new(out, bauer) }).unwrap().attachments, 1);
    assert_eq!(files(bauer), there);
    let csv = ExportRequest::new(acme, place.path("acme.csv"), ExportFormat::Csv);
    assert!(export(&session, csv).unwrap().losses.iter().any(|loss| loss.what == "attachments" && loss.count == 1));
}

#[test]
fn an_attachment_goes_out_as_kdbx_when_the_version_that_got_it_was_erased() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, TENANT).id;
    let gate = session.add_record(acme, login_draft("Gate", "Anna Schmidt", "first")).unwrap();
    let gate = attach(&place, &session, gate.id, "runbook.txt", b"north gate");
    session.change_record(gate.id, gate.version, login_draft("Gate", "otto", "second")).unwrap();
    erase_history(&session, acme, "Anna Schmidt");

    let out = place.path("acme.kdbx");
    let passphrase = Some(b"harbour".to_vec().into());
    export(&session, ExportRequest { passphrase, ..ExportRequest::new(acme, out.clone(), ExportFormat::Kdbx) })
        .unwrap();
    let keys = SourceKeys { passphrase: Some(b"harbour".to_vec().into()), key_file: None };
    let bauer = tenant(&session, "Bauer & Co").id;
    let report = import(&session, ImportRequest { keys, ..ImportRequest::new(out, bauer) }).unwrap();
    assert_eq!((report.imported, report.versions, report.attachments), (1, 0, 1));
    assert_eq!(everything(&place, &session, bauer)["Gate"].attachments[0].2, b"north gate");
}

#[test]
fn attack_67_files_of_an_import_get_generated_names_on_the_disk_and_harmless_ones_in_the_record() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, TENANT).id;
    let names = ["/etc/x", "../../escape", "CON", &"x".repeat(300), "same", "same"];
    let file = place.path("in.1pux");
    fs::write(&file, onepux(&names)).unwrap();
    let request = ImportRequest { format: Some(Format::OnePux), ..ImportRequest::new(file, acme) };
    let report = import(&session, request).unwrap();
    let row = &session.list_records(acme, 10, None).unwrap().records[0];
    let record = session.open_record(row.id).unwrap();
    assert_eq!(report.attachments + report.losses_counted, names.len() as u64);
    let mut seen = BTreeSet::new();
    for attached in &record.attachments {
        assert!(!attached.name.contains('/') && attached.name.len() <= 255 && seen.insert(attached.name.clone()));
    }
    assert_eq!(record.attachments.len() as u64, report.attachments);
    for path in stored(&place) {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}");
    }
    assert!(!place.path("escape").exists() && !Path::new("/etc/x").exists());
}

/// A 1PUX file of one item with documents of these names.
fn onepux(names: &[&str]) -> Vec<u8> {
    let fields: Vec<_> = (0..names.len())
        .map(|number| {
            let file = serde_json::json!({"fileName": names[number], "documentId": format!("doc{number}"), "decryptedSize": 1});
            serde_json::json!({"title": format!("file {number}"), "id": number.to_string(), "value": {"file": file}})
        })
        .collect();
    let item = serde_json::json!({
        "uuid": "item", "categoryUuid": "001", "state": "active", "overview": {"title": "Files"},
        "details": {"sections": [{"title": "Files", "fields": fields}]},
    });
    let data = serde_json::json!({"accounts": [{"attrs": {}, "vaults": [{"attrs": {"name": "V"}, "items": [item]}]}]});
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file("export.data", options).unwrap();
    zip.write_all(data.to_string().as_bytes()).unwrap();
    for number in 0..names.len() {
        zip.start_file(format!("files/doc{number}__f{number}"), options).unwrap();
        zip.write_all(&[u8::try_from(number).unwrap()]).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Every file below `files/` in the vault's folder.
fn stored(place: &Place) -> BTreeSet<PathBuf> {
    let Ok(tenants) = fs::read_dir(place.vault_folder().join("files")) else { return BTreeSet::new() };
    let files = tenants.flat_map(|tenant| fs::read_dir(tenant.unwrap().path()).unwrap());
    files.map(|file| file.unwrap().path()).collect()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn find(bytes: &[u8], part: &[u8]) -> usize {
    bytes.windows(part.len()).position(|window| window == part).unwrap()
}

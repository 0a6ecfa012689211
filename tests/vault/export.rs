//! A tenant's way out: only its steward, only just after a passphrase, whole or not at all, on the record.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use coffer_core::host::Clock;
use coffer_core::view::ExportReport;
use coffer_core::{ExportRequest, ImportRequest, JobError, Passphrase, Session};
use coffer_interchange::source::SourceKeys;
use coffer_model::event::ExportFormat;
use coffer_model::id::TenantId;
use coffer_model::time::Timestamp;
use coffer_tests::{LOGIN, PASSPHRASE, Place, login_draft, tenant};

fn request(tenant: TenantId, file: PathBuf, passphrase: Option<&str>) -> ExportRequest {
    let format = if passphrase.is_some() { ExportFormat::Kdbx } else { ExportFormat::Csv };
    let passphrase = passphrase.map(|text| text.as_bytes().to_vec().into());
    ExportRequest { passphrase, ..ExportRequest::new(tenant, file, format) }
}

fn export(session: &Session, request: ExportRequest) -> Result<ExportReport, JobError> {
    let proof = session.authenticate(&Passphrase::parse_borrowed(PASSPHRASE.as_bytes()).unwrap().into()).unwrap();
    session.start_export(request, proof)?.wait()
}

#[test]
fn what_goes_out_as_kdbx_comes_back_with_its_history() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let [acme, bauer] = ["ACME GmbH", "Bauer & Co"].map(|name| tenant(&session, name).id);
    let record = session.add_record(acme, login_draft("Gate", "ines", "first")).unwrap();
    session.change_record(record.id, 1, login_draft("Gate", "ines", "second")).unwrap();
    session.add_record(acme, login_draft("Alarm", "otto", "third")).unwrap();
    let file = place.path("acme.kdbx");
    let report = export(&session, request(acme, file.clone(), Some("harbour"))).unwrap();
    assert_eq!((report.records, report.bytes), (2, std::fs::metadata(&file).unwrap().len()));
    let entries = session.log_page(None, 100).unwrap().entries;
    let exported = entries.iter().find(|entry| entry.action == "tenant.exported_kdbx").unwrap();
    assert_eq!((exported.count, exported.tenant), (Some(2), Some(acme)));

    let keys = SourceKeys { passphrase: Some(b"harbour".to_vec().into()), key_file: None };
    let back = session.start_import(ImportRequest { keys, ..ImportRequest::new(file, bauer) }).unwrap().wait().unwrap();
    assert_eq!((back.imported, back.versions, back.losses_counted), (2, 1, 0));
    let page = session.list_records(bauer, 10, None).unwrap();
    let gate = page.records.iter().find(|row| row.title == "Gate").unwrap();
    let history = session.record_history(gate.id).unwrap();
    let original = session.record_history(record.id).unwrap();
    let whole_seconds = |at: Timestamp| at.unix_millis() / 1000;
    assert_eq!(history.len(), 2);
    for (now, then) in history.iter().zip(&original) {
        assert_eq!(now.made_at.map(whole_seconds), Some(whole_seconds(then.changed_at)));
    }
    assert!(session.start_verify_log().unwrap().wait().unwrap().ok);
}

#[test]
fn nothing_is_written_over_and_a_cancelled_export_leaves_nothing() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let drafts = (0..3_000).map(|number| login_draft(&format!("Gate {number}"), "ines", "x")).collect();
    session.add_records(acme, drafts).unwrap();
    let folder = place.path("out");
    std::fs::create_dir(&folder).unwrap();
    let file = folder.join("acme.csv");
    std::os::unix::fs::symlink(place.path("elsewhere"), &file).unwrap();
    assert_eq!(export(&session, request(acme, file.clone(), None)).unwrap_err().code(), "target_exists");
    std::fs::remove_file(&file).unwrap();

    let proof = session.authenticated_by_unlocking().unwrap();
    let job = session.start_export(request(acme, file.clone(), None), proof).unwrap();
    job.cancel();
    // It may have been quicker.
    if matches!(job.wait(), Err(JobError::Cancelled)) {
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    }
    let _ = std::fs::remove_file(&file);
    assert_eq!(export(&session, request(acme, file.clone(), None)).unwrap().records, 3_000);
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 3_001);
}

#[test]
fn attack_44_an_export_without_a_passphrase_given_just_now_is_refused() {
    let mut place = Place::new();
    let ahead = Arc::new(Mutex::new(Duration::ZERO));
    place.host.clock = Arc::new(MovedClock { real: Arc::clone(&place.host.clock), ahead: Arc::clone(&ahead) });
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let stale = session.authenticated_by_unlocking().unwrap();
    *ahead.lock().unwrap() = Duration::from_mins(3);
    assert!(session.authenticated_by_unlocking().is_none());
    let refused = session.start_export(request(acme, place.path("a.csv"), None), stale);
    assert_eq!(refused.unwrap_err().code(), "authentication_not_fresh");
    let wrong = Passphrase::parse_borrowed(b"quiet lanterns over the harbour 59").unwrap();
    assert!(session.authenticate(&wrong.into()).is_err());
    // A proof of another session is none, however fresh.
    session.lock().unwrap();
    let earlier = place.unlock();
    let foreign = earlier.authenticated_by_unlocking().unwrap();
    earlier.lock().unwrap();
    let session = place.unlock();
    assert_eq!(session.view().login, LOGIN);
    let refused = session.start_export(request(acme, place.path("a.csv"), None), foreign);
    assert_eq!(refused.unwrap_err().code(), "authentication_not_fresh");
    assert!(!place.path("a.csv").exists());
    assert!(
        session.log_page(None, 100).unwrap().entries.iter().all(|entry| !entry.action.starts_with("tenant.exported"))
    );
}

/// A clock that runs ahead as told.
struct MovedClock {
    real: Arc<dyn Clock>,
    ahead: Arc<Mutex<Duration>>,
}

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        self.real.now()
    }

    fn monotonic(&self) -> Duration {
        self.real.monotonic() + *self.ahead.lock().unwrap()
    }
}

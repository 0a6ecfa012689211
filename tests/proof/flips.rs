//! One bit is flipped, somewhere in the header, the databases, the log or a backup: it is detected, or changes nothing
//! that anybody can see. No panic, no wrong plaintext.
//!
//! In this process, by the engine alone, so that thousands of flips take minutes.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};

use coffer_core::view::{LogEntryView, RecordView, VersionView};
use coffer_core::{BackupIdentity, Session, Vault, start_verify_backup};
use coffer_model::query::Query;
use tempfile::TempDir;

use super::chance::Chance;
use super::desk::copy_folder;
use super::{Extent, Outcome};
use crate::{LOGIN, PASSPHRASE, Place, kept, login_draft, passphrase, tenant};

/// Everything that can be read out of a vault.
#[derive(Debug, PartialEq)]
struct Reading {
    tenants: Vec<String>,
    records: Vec<RecordView>,
    secrets: Vec<String>,
    histories: Vec<Vec<VersionView>>,
    found: usize,
    log: BTreeMap<u64, LogEntryView>,
}

impl Reading {
    /// What is different.
    fn difference(&self, other: &Self) -> &'static str {
        let parts = [
            (self.tenants == other.tenants, "tenants"),
            (self.records == other.records, "records"),
            (self.secrets == other.secrets, "secrets"),
            (self.histories == other.histories, "histories"),
            (self.found == other.found, "hits"),
            (self.log == other.log, "log entries"),
        ];
        parts.into_iter().find_map(|(same, what)| (!same).then_some(what)).unwrap_or("no parts")
    }
}

/// A vault and a backup of it that were locked properly, and what they hold.
struct Original {
    place: Place,
    backup: PathBuf,
    files: Vec<PathBuf>,
    reading: Reading,
}

/// Runs the proof: one flip a round. The first rounds take the header bit by bit; the others a file and a bit at random.
pub fn prove(extent: Extent) -> Outcome {
    let original = Original::make();
    let header_bits = fs::metadata(original.place.vault_folder().join("header")).unwrap().len() * 8;
    let mut outcome = Outcome::default();
    let said_before = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    for seed in extent.seeds() {
        outcome.rounds += 1;
        let (file, bit) =
            if seed < header_bits { (PathBuf::from("header"), seed) } else { original.choose(&mut Chance::new(seed)) };
        match original.flip(&file, bit) {
            Ok(what) => outcome.count(what),
            Err(problem) => outcome.failures.push(format!("seed {seed}, bit {bit} of {}: {problem}", file.display())),
        }
    }
    panic::set_hook(said_before);
    outcome
}

impl Original {
    fn make() -> Self {
        let place = Place::new();
        let (session, _kit) = place.create();
        let tenant = tenant(&session, "Norrvik Freight");
        for number in 0..3 {
            let draft = login_draft(&format!("Harbour gateway {number}"), "svc", &format!("invented-{number}"));
            let record = session.add_record(tenant.id, draft).unwrap();
            let mut changed = kept(&record);
            changed.title.push_str(" (new)");
            session.change_record(record.id, record.version, changed).unwrap();
        }
        session.lock().unwrap();
        // Once more, so that the originals hold what a lock remembers.
        place.unlock().lock().unwrap();
        let backup = place.path("clients.backup.age");
        place.vault().start_backup(&backup).wait().unwrap();
        let mut files = Vec::new();
        list_files(&place.vault_folder(), Path::new(""), &mut files);
        let copy = tempfile::tempdir().unwrap();
        copy_folder(&place.vault_folder(), copy.path());
        let reading = read(&place, copy.path()).unwrap();
        Self { place, backup, files, reading }
    }

    fn choose(&self, chance: &mut Chance) -> (PathBuf, u64) {
        // A file first, then a bit: small files are as likely as large ones.
        let index = chance.below(self.files.len() as u64 + 1);
        let file = self.files.get(usize::try_from(index).expect("an index"));
        let path = file.map_or_else(|| self.backup.clone(), |file| self.place.vault_folder().join(file));
        let bits = (fs::metadata(&path).unwrap().len() * 8).max(1);
        (file.map_or_else(|| self.backup.clone(), Clone::clone), chance.below(bits))
    }

    /// Flips the bit in a copy and reads everything there is.
    fn flip(&self, file: &Path, bit: u64) -> Result<&'static str, String> {
        let copy = TempDir::new().unwrap();
        if file == self.backup {
            let path = copy.path().join("backup.age");
            fs::copy(file, &path).unwrap();
            flip_bit(&path, bit);
            let identity = BackupIdentity::Device(self.place.vault_folder());
            let verified =
                panic::catch_unwind(AssertUnwindSafe(|| start_verify_backup(&self.place.host, &path, identity).wait()));
            return match verified {
                Err(_) => Err("a panic".to_owned()),
                Ok(Err(error)) if error.code() == "bug" => Err("a bug".to_owned()),
                Ok(Err(_)) => Ok("detected in a backup"),
                // The content of such a backup was compared with the signed manifest.
                Ok(Ok(_)) => Ok("inert in a backup"),
            };
        }
        copy_folder(&self.place.vault_folder(), copy.path());
        flip_bit(&copy.path().join(file), bit);
        match panic::catch_unwind(AssertUnwindSafe(|| {
            let reading = read(&self.place, copy.path())?;
            // What only a locked backup looks at.
            if file.starts_with("backup.plan") || file.starts_with("backup.state") {
                back_up(&self.place, copy.path())?;
            }
            Ok::<_, String>(reading)
        })) {
            Err(_) => Err("a panic".to_owned()),
            Ok(Err(code)) if code == "bug" => Err("a bug".to_owned()),
            Ok(Err(_)) => Ok("detected in a vault"),
            Ok(Ok(reading)) if reading == self.reading => Ok("inert in a vault"),
            Ok(Ok(reading)) => Err(format!("{} are read otherwise", reading.difference(&self.reading))),
        }
    }
}

/// Reads everything; the code of the first error or finding otherwise.
fn read(place: &Place, folder: &Path) -> Result<Reading, String> {
    let vault = Vault::open(&place.host, folder).map_err(|error| error.code().to_owned())?;
    let session = vault.unlock(LOGIN, passphrase(PASSPHRASE)).map_err(|error| error.code().to_owned())?;
    let reading = read_unlocked(&session)?;
    session.lock().map_err(|error| error.code().to_owned())?;
    Ok(reading)
}

/// Makes a backup of a locked vault and verifies it.
fn back_up(place: &Place, folder: &Path) -> Result<(), String> {
    let code = |error: coffer_core::JobError| error.code().to_owned();
    let elsewhere = TempDir::new().unwrap();
    let file = elsewhere.path().join("backup.age");
    let vault = Vault::open(&place.host, folder).map_err(|error| error.code().to_owned())?;
    vault.start_backup(&file).wait().map_err(code)?;
    let identity = BackupIdentity::Device(folder.to_owned());
    start_verify_backup(&place.host, &file, identity).wait().map_err(code)?;
    Ok(())
}

fn read_unlocked(session: &Session) -> Result<Reading, String> {
    let call = |error: coffer_core::CallError| error.code().to_owned();
    let mut log = BTreeMap::new();
    let page = session.log_page(None, 1_000).map_err(call)?;
    // The reading itself adds entries; the others are compared.
    let own = Some(session.view().id);
    let others = page.entries.into_iter().filter(|entry| entry.session != own);
    log.extend(others.map(|entry| (entry.index, entry)));

    let tenants = session.tenants().map_err(call)?;
    let mut reading = Reading {
        tenants: tenants.iter().map(|tenant| tenant.name.clone()).collect(),
        records: Vec::new(),
        secrets: Vec::new(),
        histories: Vec::new(),
        found: 0,
        log,
    };
    for tenant in &tenants {
        let page = session.list_records(tenant.id, 100, None).map_err(|error| error.code().to_owned())?;
        for row in page.records {
            let record = session.open_record(row.id).map_err(call)?;
            for field in record.fields.iter().filter(|field| field.value.is_none()) {
                let value = session.reveal_field(row.id, field.id, None).map_err(call)?;
                reading.secrets.push(value.expose().to_owned());
            }
            reading.histories.push(session.record_history(row.id).map_err(call)?);
            reading.records.push(record);
        }
    }
    reading.found = session.search(&Query::parse_unfinished("gateway"), None, 10).map_err(call)?.hits.len();
    let checked = session.start_check_files().map_err(call)?.wait().map_err(|error| error.code().to_owned())?;
    if checked.iter().any(|file| file.state == coffer_core::view::FileState::Altered) {
        return Err("file_altered".to_owned());
    }
    let report = session.start_verify_log().map_err(call)?.wait().map_err(|error| error.code().to_owned())?;
    report.findings.first().map_or(Ok(reading), |finding| Err(finding.code.clone()))
}

fn flip_bit(path: &Path, bit: u64) {
    let mut bytes = fs::read(path).unwrap();
    let at = usize::try_from(bit / 8).expect("an index");
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << (bit % 8);
        fs::write(path, bytes).unwrap();
    }
}

fn list_files(root: &Path, under: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(root.join(under)).unwrap() {
        let entry = entry.unwrap();
        let path = under.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() { list_files(root, &path, files) } else { files.push(path) }
    }
    files.sort();
}

//! A tenant goes out as an archive and comes back into another vault: equal to the last byte, in memory that does not grow
//! with it. A round makes a tenant of its own, and a failure is a difference, or more memory than any such work may take.

use std::fs;
use std::io::{BufReader, Read};
use std::path::Path;

use coffer_core::{ExportRequest, ImportRequest, Session};
use coffer_interchange::archive::{self, RecordHead, Sink, Version};
use coffer_interchange::source::SourceError;
use coffer_model::event::ExportFormat;
use coffer_model::id::TenantId;
use coffer_model::record::RecordContent;
use coffer_model::template::KindTemplate;
use sha2::{Digest, Sha256};

use super::chance::Chance;
use super::{Extent, Outcome};
use crate::{PASSPHRASE, Place, login_draft, passphrase, tenant};

/// How large a tenant is.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// Records.
    pub records: u32,
    /// Attachments, each on a record of its own.
    pub files: u32,
    /// Bytes of each attachment.
    pub file_bytes: u64,
}

impl Scale {
    /// What `./x prove archive` runs: 50,000 records and 2 GiB of attachments.
    pub const WHOLE: Self = Self { records: 50_000, files: 64, file_bytes: 32 * 1024 * 1024 };
    /// What the ordinary tests run.
    pub const SLICE: Self = Self { records: 300, files: 4, file_bytes: 300_000 };
}

/// Records added in one step.
const BATCH: u32 = 1_000;
/// Records that get a second version, and as many that go into the trash.
const CHANGED: u32 = 100;
/// Most memory, in MiB, that an export or an import may take beyond what the process had.
const MOST_MIB: u64 = 128;
const TENANT: &str = "Norrvik Freight";

/// Runs rounds.
pub fn prove(extent: Extent, scale: Scale) -> Outcome {
    let mut outcome = Outcome::default();
    for seed in extent.seeds() {
        outcome.rounds += 1;
        match round(seed, scale) {
            Ok(mib) => outcome.count(class(mib)),
            Err(failure) => outcome.failures.push(format!("seed {seed}: {failure}")),
        }
    }
    outcome
}

/// What a round is counted as: the memory it took at most.
const fn class(mib: u64) -> &'static str {
    match mib {
        0..=16 => "equal, in 16 MiB or less",
        17..=32 => "equal, in 32 MiB or less",
        33..=64 => "equal, in 64 MiB or less",
        _ => "equal, in 128 MiB or less",
    }
}

fn round(seed: u64, scale: Scale) -> Result<u64, String> {
    let (place, other) = (Place::new(), Place::new());
    let (session, _kit) = place.create();
    let from = fill(&place, &session, &mut Chance::new(seed), scale);
    let (first, second) = (place.path("first.tar"), place.path("second.tar"));
    let (elsewhere, _kit) = other.create();
    let to = tenant(&elsewhere, TENANT).id;

    let out = most_mib(|| export(&session, from, &first));
    let back = most_mib(|| {
        let report = elsewhere.start_import(ImportRequest::new(first.clone(), to)).unwrap().wait().unwrap();
        assert_eq!((report.rejected, report.losses_counted), (0, 0));
    });
    export(&elsewhere, to, &second);
    if digest(&first) != digest(&second) {
        return Err("what came back is another tenant".to_owned());
    }
    let mib = out.max(back);
    if mib > MOST_MIB { Err(format!("it took {mib} MiB of memory")) } else { Ok(mib) }
}

/// A tenant with records, second versions, attachments and a trash.
fn fill(place: &Place, session: &Session, chance: &mut Chance, scale: Scale) -> TenantId {
    let acme = tenant(session, TENANT).id;
    for first in (0..scale.records).step_by(BATCH as usize) {
        let numbers = first..(first + BATCH).min(scale.records);
        let draft =
            |number| login_draft(&format!("Gate {number:05}"), &format!("u{number}"), &format!("{:x}", chance.bits()));
        session.add_records(acme, numbers.map(draft).collect()).unwrap();
    }
    let page = session.list_records(acme, 1_000, None).unwrap().records;
    let ids: Vec<_> = page.into_iter().map(|row| row.id).collect();
    for (number, id) in (0..scale.files).zip(&ids) {
        let path = place.path(&format!("file {number}"));
        write_random(&path, chance, scale.file_bytes);
        session.start_attach(*id, &path).unwrap().wait().unwrap();
        fs::remove_file(&path).unwrap();
    }
    let others: Vec<_> = ids.iter().skip(scale.files as usize).take(2 * CHANGED as usize).collect();
    let (changed, trashed) = others.split_at(others.len() / 2);
    for id in changed {
        session.change_record(**id, 1, login_draft("Changed", "ines", &format!("{:x}", chance.bits()))).unwrap();
    }
    let trashed: Vec<_> = trashed.iter().map(|id| **id).collect();
    session.trash_records(&trashed).unwrap();
    acme
}

fn write_random(path: &Path, chance: &mut Chance, bytes: u64) {
    let mut content = vec![0; usize::try_from(bytes).unwrap()];
    for word in content.chunks_mut(8) {
        word.copy_from_slice(&chance.bits().to_le_bytes()[..word.len()]);
    }
    fs::write(path, content).unwrap();
}

fn export(session: &Session, tenant: TenantId, file: &Path) {
    let proof = session.authenticate(&passphrase(PASSPHRASE).into()).unwrap();
    let request = ExportRequest::new(tenant, file.to_owned(), ExportFormat::Archive);
    let request = ExportRequest { confirmation: Some(TENANT.to_owned()), ..request };
    session.start_export(request, proof).unwrap().wait().unwrap();
}

/// One hash over everything that has to be the same: not over when a record came into its tenant and by whom.
fn digest(file: &Path) -> [u8; 32] {
    let source = fs::File::open(file).unwrap();
    let bytes = source.metadata().unwrap().len();
    let mut sink = Equal { hash: Sha256::new(), files: Vec::new() };
    archive::read(BufReader::new(source), bytes, &mut sink).unwrap();
    sink.hash.finalize().into()
}

struct Equal {
    hash: Sha256,
    /// Their order may be another where they came in another.
    files: Vec<[u8; 32]>,
}

impl Equal {
    fn add(&mut self, part: impl AsRef<[u8]>) {
        let part = part.as_ref();
        self.hash.update((part.len() as u64).to_be_bytes());
        self.hash.update(part);
    }

    fn add_content(&mut self, content: &RecordContent) {
        self.add(content.kind().as_str());
        self.add(content.title());
        self.add(content.tags().join(","));
        self.add(content.notes());
        self.add(content.next_field().to_be_bytes());
        for field in content.fields() {
            self.add(field.id.0.to_be_bytes());
            self.add(&field.name);
            self.add(field.field_type.name());
            self.add(field.value.expose());
        }
    }
}

impl Sink for Equal {
    type Error = SourceError;

    fn kinds(&mut self, _: Vec<KindTemplate>) -> Result<(), SourceError> {
        Ok(())
    }

    fn file(&mut self, _: u32, _: u64, content: &mut (dyn Read + Send)) -> Result<(), SourceError> {
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match content.read(&mut buffer).map_err(archive::unreadable)? {
                0 => break,
                read => hash.update(&buffer[..read]),
            }
        }
        self.files.push(hash.finalize().into());
        Ok(())
    }

    fn begin_record(&mut self, head: &RecordHead) -> Result<(), SourceError> {
        self.add(head.key.as_bytes());
        self.add([u8::from(head.trashed_at.is_some())]);
        for attachment in &head.attachments {
            self.add(attachment.number.to_be_bytes());
            self.add(attachment.name.as_str());
            self.add(attachment.attached.to_be_bytes());
            self.add(attachment.detached.unwrap_or(0).to_be_bytes());
            self.add(self.files[attachment.file as usize - 1]);
        }
        Ok(())
    }

    fn version(&mut self, version: &Version) -> Result<(), SourceError> {
        self.add(version.number.to_be_bytes());
        self.add(version.made_at.unwrap_or(version.changed_at).unix_millis().to_be_bytes());
        self.add_content(&version.content);
        Ok(())
    }

    fn end_record(&mut self, _: &RecordHead, versions: u32) -> Result<(), SourceError> {
        self.add(versions.to_be_bytes());
        Ok(())
    }
}

/// How much more memory, in MiB, this process had at most while it did something (`proc_pid_status(5)`).
fn most_mib(work: impl FnOnce()) -> u64 {
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = peak_kib();
    work();
    peak_kib().saturating_sub(before) / 1024
}

fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}

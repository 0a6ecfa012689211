//! Import of other programs' files: in one transaction, whole or not at all. Rules: docs/FORMAT.md, "Import".
//!
//! A person looks first ([`Session::inspect_import`]), corrects the mapping where there are columns, may try without
//! writing, then imports. One wrong row or entry and nothing is written; every wrong one is counted, the first hundred
//! are told with their lines or numbers. Tables and archives are streamed (`table`, `archive`), other formats read whole
//! (`entries`). Files that come along are durable before any row is (`arrivals`).

mod archive;
mod duplicates;
mod entries;
mod table;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;

use coffer_interchange::csv::CsvError;
use coffer_interchange::mapping::{AssignmentError, MappingError};
use coffer_interchange::neutral::{Attachment, EarlierVersion};
use coffer_interchange::source::{self, Format, Needs, SourceError, SourceKeys};
use coffer_model::attachment::AttachmentId;
use coffer_model::event::Event;
use coffer_model::id::{RecordKey, TenantId};
use coffer_model::record::RecordContent;
use coffer_model::time::Timestamp;

use self::duplicates::KnownRecords;
use super::arrivals::{Arrivals, Arrived};
use super::records::in_tenant;
use super::seal::Sealing;
use crate::fault::CallError;
use crate::job::{JobContext, JobError, JobHandle};
use crate::policy::Action;
use crate::session::{Core, OpenTenant, Session};
use crate::store::files::{self, FileError};
use crate::store::sqlcipher::Access;
use crate::store::tenant::{ArrivingAttachment, ArrivingRecord, TenantTx};
use crate::view::{ImportPreview, ImportReport, ImportRowError, ProgressUnit};

/// Wrong rows, and losses, told one by one.
const TOLD: usize = 100;

/// What to import, where to and how.
#[derive(Clone, Debug)]
pub struct ImportRequest {
    /// The file.
    pub file: PathBuf,
    /// The tenant it goes into.
    pub tenant: TenantId,
    /// The format it must have; `None` takes whichever its content shows.
    pub format: Option<Format>,
    /// What opens it, if it is encrypted.
    pub keys: SourceKeys,
    /// Corrections of the mapping that a table suggests, each `COLUMN=FIELD` where FIELD is `title`, `kind`, `tags`,
    /// `notes`, `tenant`, `skip`, a field's name, or `NAME:TYPE`.
    pub mapping: Vec<String>,
    /// What happens to records that the tenant has already.
    pub duplicates: Duplicates,
    /// Whether only to say what would happen.
    pub dry_run: bool,
}

impl ImportRequest {
    /// Everything in a file, as its content suggests, duplicates too.
    pub fn new(file: PathBuf, tenant: TenantId) -> Self {
        Self {
            file,
            tenant,
            format: None,
            keys: SourceKeys::default(),
            mapping: Vec::new(),
            duplicates: Duplicates::Import,
            dry_run: false,
        }
    }

    const fn has_key(&self) -> bool {
        self.keys.passphrase.is_some() || self.keys.key_file.is_some()
    }
}

/// What happens to a record of the file when the tenant has one of the same kind, title, user name and URL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Duplicates {
    /// It is imported all the same: two people of one name are two records.
    #[default]
    Import,
    /// It is left out.
    Skip,
}

/// Why a file cannot be imported, whatever its rows hold.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file could not be opened.
    #[error("the file to import cannot be opened")]
    File(#[source] FileError),
    /// It is no table that can be read.
    #[error(transparent)]
    Csv(#[from] CsvError),
    /// It is no file of another program that can be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A correction of the mapping means nothing.
    #[error(transparent)]
    Assignment(#[from] AssignmentError),
    /// A mapping was given for a format without columns.
    #[error("a file of this format has no columns to map")]
    NoColumns,
    /// The call was refused or failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl ImportError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::File(_) => "file_unreadable",
            Self::Csv(error) => error.code(),
            Self::Source(error) => error.code(),
            Self::Assignment(error) => error.code(),
            Self::NoColumns => "import_no_columns",
            Self::Call(error) => error.code(),
        }
    }
}

impl From<MappingError> for ImportError {
    fn from(error: MappingError) -> Self {
        Self::Csv(error.into())
    }
}

impl Session {
    /// How a file would be understood, with what it begins with; what would become a secret is masked. Of an encrypted
    /// file without its key only the format is told.
    ///
    /// Nothing of the tenant is touched: the file is the person's own, and looking at it is no event.
    pub fn inspect_import(&self, request: &ImportRequest) -> Result<ImportPreview, ImportError> {
        self.authorize(Action::ImportRecords, Some(request.tenant))?;
        let mut file = files::open_foreign_file(&request.file).map_err(ImportError::File)?;
        let needs = needs(&mut file, request)?;
        if needs.format == Format::Csv {
            return table::inspect(&file, request);
        }
        if needs.secret && !request.has_key() {
            return Ok(ImportPreview { needs_key: true, ..ImportPreview::of(needs.format) });
        }
        if needs.format == Format::Archive {
            return archive::inspect(&self.core, &file, &request.keys, needs.secret);
        }
        entries::inspect(needs.format, &mut file, &request.keys)
    }

    /// Whether the file is encrypted under a passphrase and the request has nothing to open it with, so that a shell asks
    /// for it. An archive is encrypted to a key in a file, for which nobody can be asked.
    pub fn import_lacks_passphrase(&self, request: &ImportRequest) -> Result<bool, ImportError> {
        self.authorize(Action::ImportRecords, Some(request.tenant))?;
        let mut file = files::open_foreign_file(&request.file).map_err(ImportError::File)?;
        let needs = needs(&mut file, request)?;
        Ok(needs.secret && needs.format != Format::Archive && !request.has_key())
    }

    /// Imports a file, or tries to, as a job whose progress counts the file's bytes.
    pub fn start_import(&self, request: ImportRequest) -> Result<JobHandle<ImportReport>, ImportError> {
        let actor = self.authorize(Action::ImportRecords, Some(request.tenant))?;
        let open = self.open_tenant(&actor, request.tenant)?;
        let file = files::open_foreign_file(&request.file).map_err(ImportError::File)?;
        let core = Arc::clone(&self.core);
        let job = JobHandle::start("import", ProgressUnit::Bytes, move |context| {
            let bytes = file.metadata().map_err(FileError::from).map_err(ImportError::File)?.len();
            context.set_total(bytes);
            let import = Import { core: &core, open: &open, context, request: &request };
            let result = import.run(&file, bytes);
            // A reader that was told to stop fails as the file would; the reason is the job's.
            if result.is_err() {
                context.check()?;
            }
            result
        });
        self.core.adopt(job.lease());
        Ok(job)
    }
}

impl OpenTenant {
    /// What a file may call the tenant it is imported into.
    fn names(&self) -> Vec<String> {
        vec![self.name.clone(), self.id.to_string()]
    }
}

/// What the file is and needs; it must be what was asked for and need what was given.
fn needs<R: Read + Seek>(file: &mut R, request: &ImportRequest) -> Result<Needs, ImportError> {
    let found = source::detect(file)?;
    if let Some(wanted) = request.format
        && wanted != found.format
        // A table may begin like anything.
        && wanted != Format::Csv
    {
        return Err(SourceError::OtherFormat(found.format).into());
    }
    let needs = match request.format {
        Some(Format::Csv) => Needs { format: Format::Csv, secret: false },
        Some(_) | None => found,
    };
    if !needs.secret && request.keys.passphrase.is_some() {
        return Err(SourceError::NoSuchKey("passphrase").into());
    }
    if !needs.secret && request.keys.key_file.is_some() {
        return Err(SourceError::NoSuchKey("key file").into());
    }
    if needs.format != Format::Csv && !request.mapping.is_empty() {
        return Err(ImportError::NoColumns);
    }
    Ok(needs)
}

/// One import while it runs.
struct Import<'j> {
    core: &'j Core,
    open: &'j OpenTenant,
    context: &'j JobContext,
    request: &'j ImportRequest,
}

/// A record ready to be written.
struct Ready<'r> {
    content: &'r RecordContent,
    /// When another program made it, if it said so.
    made_at: Option<Timestamp>,
    /// What it held before, oldest first, and when that was made.
    earlier: &'r [EarlierVersion],
    /// Files that its newest version has.
    attachments: &'r [Attachment],
}

impl Import<'_> {
    fn run(&self, file: &File, bytes: u64) -> Result<ImportReport, JobError> {
        let needs = needs(&mut self.watched(file), self.request)?;
        let read = match needs.format {
            Format::Csv => Reading::Table(Box::new(table::open(self, file)?)),
            Format::Archive => Reading::Archive { file, encrypted: needs.secret },
            Format::Kdbx | Format::Bitwarden | Format::OnePux => {
                let collection = source::read(needs.format, &mut self.watched(file), &self.request.keys);
                let collection = collection.map_err(ImportError::from)?;
                self.context.advance(bytes);
                Reading::Entries(collection)
            }
        };
        let report = read.report(self.request.dry_run);
        if self.request.dry_run {
            let known = self.known_records()?;
            return self.take_all(read, report, None, &known).map(|(report, _)| report);
        }
        // Its own connection, so that the session goes on reading; its writer stands still.
        let importing = self.open.import()?;
        // A new key may have come while the file was read: what is written to the old one is gone.
        self.core.refuse_replaced(self.open)?;
        self.core.refuse_exposed(self.open)?;
        self.core.settle(self.open, &importing.writer)?;
        let known = self.known_records()?;
        let mut store = self.open.connect(Access::ReadWrite)?;
        let tx = store.begin(self.core.now(), self.core.account).map_err(in_tenant)?;
        let sealing = Sealing { core: self.core, open: self.open, context: self.context };
        let writing = Writing { tx, arrivals: Arrivals::new(sealing) };
        let (report, writing) = self.take_all(read, report, Some(writing), &known)?;
        if let Some(writing) = writing.filter(|_| report.imported > 0) {
            self.context.check()?;
            // The session may have ended, the vault been moved, or the right gone while records were taken in.
            self.core.authorize(Action::ImportRecords, Some(self.open.id))?;
            self.core.refuse_exposed(self.open)?;
            writing.commit(self, Event::RecordsImported { tenant: self.open.id, count: report.imported })?;
        }
        // With any wrong row nothing became a record.
        let imported = if report.rejected == 0 { report.imported } else { 0 };
        Ok(ImportReport { imported, ..report })
    }

    /// Reads everything to the end. What was written comes back only if it is all of it.
    fn take_all<'s, 't>(
        &'s self,
        read: Reading<'_>,
        report: ImportReport,
        writing: Option<Writing<'s, 't>>,
        known: &'s KnownRecords,
    ) -> Result<(ImportReport, Option<Writing<'s, 't>>), JobError> {
        let mut taking = Taking { import: self, report, writing, known };
        match read {
            Reading::Table(rows) => table::take(&mut taking, *rows)?,
            Reading::Entries(collection) => entries::take(&mut taking, collection)?,
            Reading::Archive { file, encrypted } => archive::take(&mut taking, file, encrypted)?,
        }
        Ok((taking.report, taking.writing))
    }

    /// The records the tenant has, as far as they are needed to find duplicates.
    fn known_records(&self) -> Result<KnownRecords, JobError> {
        // Its own connection: a large tenant takes a moment, and the session goes on reading.
        let store = self.core.connect(self.open, Access::ReadWrite)?;
        Ok(KnownRecords::of(&store, || self.context.check().is_ok()).map_err(in_tenant)?)
    }

    /// The file, which seems to fail as soon as the job is to stop: no single row or sample can hold it up.
    fn watched<'f>(&'f self, file: &'f File) -> Watched<'f> {
        Watched { file, context: self.context }
    }
}

/// What is being read.
enum Reading<'f> {
    Table(Box<table::Rows<'f>>),
    Entries(coffer_interchange::neutral::Collection),
    Archive { file: &'f File, encrypted: bool },
}

impl Reading<'_> {
    fn report(&self, dry_run: bool) -> ImportReport {
        match self {
            Self::Table(rows) => ImportReport { dry_run, ..table::report(rows) },
            Self::Entries(collection) => ImportReport { dry_run, ..entries::report(collection) },
            Self::Archive { .. } => ImportReport { dry_run, ..archive::report() },
        }
    }
}

/// Rows and files on their way into the tenant. Dropped before [`Writing::commit`], neither ever was.
struct Writing<'i, 't> {
    tx: TenantTx<'t>,
    arrivals: Arrivals<'i>,
}

impl Writing<'_, '_> {
    fn commit(self, import: &Import<'_>, event: Event) -> Result<(), CallError> {
        let Self { tx, arrivals } = self;
        match import.core.commit(import.open, tx, event) {
            Ok(()) => arrivals.settle(),
            Err(error) => {
                arrivals.leave();
                return Err(error);
            }
        }
        Ok(())
    }

    /// A record with everything it held before, and the files it has now.
    fn write(&mut self, key: RecordKey, ready: &Ready<'_>) -> Result<(), JobError> {
        let mut record = self.tx.begin_record(key, ready.content).map_err(in_tenant)?;
        for version in ready.earlier {
            self.tx.add_version(&mut record, &version.content, version.made_at).map_err(in_tenant)?;
        }
        let newest = self.tx.add_version(&mut record, ready.content, ready.made_at).map_err(in_tenant)?;
        for (id, (name, attachment)) in (1..).map(AttachmentId).zip(entries::named(ready.attachments)) {
            let bytes = attachment.bytes.as_slice();
            let arrived =
                self.arrivals.take(bytes, bytes.len() as u64, |error| SourceError::Unreadable(error).into())?;
            let Arrived { file, digest, media } = &arrived;
            let arriving =
                ArrivingAttachment { id, name: &name, media: *media, attached: newest, detached: None, file, digest };
            self.attach(&record, &arriving)?;
        }
        Ok(self.tx.finish_record(&record, ready.content).map_err(in_tenant)?)
    }

    fn attach(&mut self, record: &ArrivingRecord, arriving: &ArrivingAttachment<'_>) -> Result<(), JobError> {
        if self.tx.add_attachment(record, arriving).map_err(in_tenant)? {
            self.arrivals.need(arriving.digest);
        }
        Ok(())
    }
}

/// Where records go while a file is read: counted, and written unless it is a trial or something was wrong.
struct Taking<'i, 't> {
    import: &'i Import<'i>,
    report: ImportReport,
    writing: Option<Writing<'i, 't>>,
    known: &'i KnownRecords,
}

impl Taking<'_, '_> {
    /// Counts a record; `false` if it is to be left out, since the tenant has it.
    fn accept(&mut self, content: &RecordContent) -> bool {
        let is_known = self.known.has(content);
        self.report.duplicates += u64::from(is_known);
        let is_accepted = !is_known || self.import.request.duplicates == Duplicates::Import;
        self.report.imported += u64::from(is_accepted);
        is_accepted
    }

    fn take(&mut self, ready: &Ready<'_>) -> Result<(), JobError> {
        if !self.accept(ready.content) {
            return Ok(());
        }
        self.report.versions += ready.earlier.len() as u64;
        self.report.attachments += entries::named(ready.attachments).len() as u64;
        let Some(writing) = &mut self.writing else { return Ok(()) };
        let key = self.import.core.new_record_key();
        if ready.earlier.is_empty() && ready.made_at.is_none() && ready.attachments.is_empty() {
            return Ok(writing.tx.insert_record(key, ready.content).map_err(in_tenant)?);
        }
        writing.write(key, ready)
    }

    /// Nothing will be written any more: lets other writers in while the rest is checked.
    fn reject(&mut self, line: u64, message: impl FnOnce() -> String) {
        self.writing = None;
        self.report.rejected += 1;
        if self.report.errors.len() < TOLD {
            self.report.errors.push(ImportRowError { line, message: message() });
        }
    }
}

/// A file that cannot be read any more once its job is to stop.
struct Watched<'f> {
    file: &'f File,
    context: &'f JobContext,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.context.check().map_err(io::Error::other)?;
        self.file.read(buffer)
    }
}

impl Seek for Watched<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use coffer_model::account::Role;
    use coffer_model::grant::Right;

    use super::*;
    use crate::altered::{FOUNDER, Place, account};

    fn opened(session: &Session, tenant: TenantId) -> Arc<OpenTenant> {
        let actor = session.authorize(Action::ImportRecords, Some(tenant)).unwrap();
        session.open_tenant(&actor, tenant).unwrap()
    }

    /// Imports two rows into a tenant that was opened before.
    fn import(place: &Place, session: &Session, open: &OpenTenant) -> Result<ImportReport, JobError> {
        let request = ImportRequest::new(place.path("in.csv"), open.id);
        std::fs::write(&request.file, "Name,Notes\nInes,a\nOtto,b\n").unwrap();
        let file = files::open_foreign_file(&request.file).unwrap();
        let bytes = file.metadata().unwrap().len();
        let context = JobContext::detached();
        Import { core: &session.core, open, context: &context, request: &request }.run(&file, bytes)
    }

    fn has_nothing(session: &Session, tenant: TenantId) {
        assert_eq!(session.list_records(tenant, 1, None).unwrap().total, 0);
        let entries = session.log_page(None, 100).unwrap().entries;
        assert!(entries.iter().all(|entry| entry.action != "records.imported"));
    }

    #[test]
    fn an_import_that_a_new_key_overtook_is_busy_and_writes_nothing() {
        let (place, session) = Place::new();
        let acme = session.create_tenant(&"ACME GmbH".parse().unwrap()).unwrap().id;
        let old = opened(&session, acme);
        // The old file goes last: this is the moment before.
        let beside = |ending: &str| PathBuf::from(format!("{}{ending}", old.path.display()));
        let endings: Vec<&str> = ["", "-wal", "-shm"].into_iter().filter(|ending| beside(ending).exists()).collect();
        for (number, ending) in endings.iter().enumerate() {
            std::fs::hard_link(beside(ending), place.path(&number.to_string())).unwrap();
        }
        session.start_rekey_tenant(acme).unwrap().wait().unwrap();
        for (number, ending) in endings.iter().enumerate() {
            std::fs::rename(place.path(&number.to_string()), beside(ending)).unwrap();
        }
        assert_eq!(import(&place, &session, &old).unwrap_err().code(), "busy");
        has_nothing(&session, acme);
    }

    #[test]
    fn an_import_whose_right_went_while_the_file_was_read_is_refused_and_writes_nothing() {
        let (place, session) = Place::new();
        let acme = session.create_tenant(&"ACME GmbH".parse().unwrap()).unwrap().id;
        place.enrol(session, "otto", &[Role::Member]);
        let session = place.unlock(FOUNDER);
        session.grant(acme, account(&session, "otto"), Right::Steward, None).unwrap();
        let open = opened(&session, acme);
        session.grant(acme, account(&session, FOUNDER), Right::Reader, None).unwrap();
        assert_eq!(import(&place, &session, &open).unwrap_err().code(), "refused");
        has_nothing(&session, acme);
    }
}

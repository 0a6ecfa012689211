//! Export: a tenant's records leave the vault in a file that other programs read. Rules: docs/FORMAT.md, "Export".
//!
//! Only a steward, and only with a passphrase given moments ago ([`FreshAuthentication`]). The entry is in the log before
//! the first byte is written; the file appears whole or not at all, and never over another.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use coffer_crypto::{Random, derive};
use coffer_interchange::export::{Columns, CsvWriter, ExportLosses, ExportRecord, KdbxWriter};
use coffer_interchange::source::{SourceError, SourceKeys};
use coffer_model::event::{Event, ExportFormat};
use coffer_model::id::{RecordKey, TenantId};
use zeroize::Zeroizing;

use super::records::in_tenant;
use super::step_up::FreshAuthentication;
use crate::fault::CallError;
use crate::job::{JobContext, JobError, JobHandle};
use crate::policy::Action;
use crate::session::{Actor, Core, OpenTenant, Session};
use crate::store::error::StoreError;
use crate::store::files::{FileError, NewFile, sweep_abandoned};
use crate::store::sqlcipher::Access;
use crate::store::tenant::{Moment, StoredVersion, TenantStore};
use crate::view::{ExportLossView, ExportReport, ProgressUnit};

/// What to export, where to and how.
#[derive(Debug)]
pub struct ExportRequest {
    /// The tenant.
    pub tenant: TenantId,
    /// The file, which must not exist.
    pub file: PathBuf,
    /// Its format.
    pub format: ExportFormat,
    /// What will open a KDBX file, as typed; a CSV file has none.
    pub passphrase: Option<Zeroizing<Vec<u8>>>,
}

/// Why a tenant cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The file could not be written.
    #[error("the exported file cannot be written")]
    File(#[source] FileError),
    /// Something is there already.
    #[error("a file of that name exists already")]
    TargetExists,
    /// A KDBX file without a passphrase would be open to anybody.
    #[error("a KDBX file needs a passphrase")]
    NeedsPassphrase,
    /// A CSV file cannot have one.
    #[error("a CSV file cannot be encrypted")]
    NoPassphrase,
    /// The passphrase was not given just now, or for another session.
    #[error("exporting needs the account's passphrase, given just now")]
    NotFresh,
    /// The format's writer failed.
    #[error("the exported file cannot be made")]
    Writer(#[source] SourceError),
    /// The call was refused or failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl ExportError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::File(FileError::NoSpace(_)) => "no_space",
            Self::File(_) => "export_not_written",
            Self::TargetExists => "target_exists",
            Self::NeedsPassphrase => "export_needs_passphrase",
            Self::NoPassphrase => "export_no_passphrase",
            Self::NotFresh => "authentication_not_fresh",
            Self::Writer(error) => error.code(),
            Self::Call(error) => error.code(),
        }
    }
}

impl From<FileError> for ExportError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Exists => Self::TargetExists,
            other => Self::File(other),
        }
    }
}

impl From<io::Error> for ExportError {
    fn from(error: io::Error) -> Self {
        FileError::from(error).into()
    }
}

impl From<SourceError> for ExportError {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::Unreadable(error) => error.into(),
            other => Self::Writer(other),
        }
    }
}

impl Session {
    /// Exports a tenant as a job whose progress counts records. `proof` says that the account's passphrase was given just
    /// now; it is used up.
    #[expect(clippy::needless_pass_by_value, reason = "a proof is used up")]
    pub fn start_export(
        &self,
        request: ExportRequest,
        proof: FreshAuthentication,
    ) -> Result<JobHandle<ExportReport>, ExportError> {
        let actor = self.authorize(Action::ExportTenant, Some(request.tenant))?;
        if !proof.holds_for(&self.core) {
            return Err(ExportError::NotFresh);
        }
        match (request.format, &request.passphrase) {
            (ExportFormat::Kdbx, None) => return Err(ExportError::NeedsPassphrase),
            (ExportFormat::Kdbx, Some(passphrase)) if passphrase.is_empty() => {
                return Err(ExportError::NeedsPassphrase);
            }
            (ExportFormat::Csv, Some(_)) => return Err(ExportError::NoPassphrase),
            (ExportFormat::Kdbx, Some(_)) | (ExportFormat::Csv, None) => {}
        }
        if std::fs::symlink_metadata(&request.file).is_ok() {
            return Err(ExportError::TargetExists);
        }
        let open = self.open_tenant(&actor, request.tenant)?;
        let core = Arc::clone(&self.core);
        let job = JobHandle::start("export", ProgressUnit::Rows, move |context| {
            Export { core: &core, open: &open, context, actor: &actor }.run(request)
        });
        self.core.adopt(job.lease());
        Ok(job)
    }
}

/// One export while it runs.
struct Export<'j> {
    core: &'j Core,
    open: &'j OpenTenant,
    context: &'j JobContext,
    actor: &'j Actor,
}

impl Export<'_> {
    fn run(&self, request: ExportRequest) -> Result<ExportReport, JobError> {
        let (tenant, format) = (request.tenant, request.format);
        // What a kill left of an export before holds secrets.
        let _ = sweep_abandoned(&request.file);
        let store = self.connect()?;
        let moment = store.moment().map_err(in_tenant)?;
        let records = moment.count().map_err(in_tenant)?;
        self.context.set_total(records);
        let mut file = NewFile::beside(&request.file).map_err(ExportError::from)?;
        self.core.record(self.actor, Event::TenantExported { tenant, count: records, format })?;
        let writer = BufWriter::new(file.as_file_mut());
        let losses = match format {
            ExportFormat::Csv => self.write_csv(&moment, writer)?,
            ExportFormat::Kdbx => self.write_kdbx(&moment, writer, request.passphrase)?,
        };
        self.context.check()?;
        let bytes = file.as_file_mut().metadata().map_err(ExportError::from)?.len();
        file.publish().map_err(ExportError::from)?;
        let losses = losses.into_iter().map(|(what, count)| ExportLossView { what: what.code().to_owned(), count });
        Ok(ExportReport { format: format.name().to_owned(), records, bytes, losses: losses.collect() })
    }

    fn write_csv(&self, moment: &Moment<'_>, writer: impl Write) -> Result<ExportLosses, JobError> {
        let mut columns = Columns::default();
        self.each(moment, false, |record| {
            if let Some((content, _)) = record.versions.last() {
                columns.observe(content);
            }
            Ok(())
        })?;
        let mut table = CsvWriter::new(writer, columns).map_err(ExportError::from)?;
        self.each(moment, true, |record| table.push(&record).map_err(ExportError::from))?;
        Ok(table.finish().map_err(ExportError::from)?.1)
    }

    fn write_kdbx(
        &self,
        moment: &Moment<'_>,
        writer: impl Write,
        passphrase: Option<Zeroizing<Vec<u8>>>,
    ) -> Result<ExportLosses, JobError> {
        let keys = SourceKeys { passphrase, key_file: None };
        let mut random = self.core.random();
        let mut randomness = |bytes: &mut [u8]| random.fill(bytes);
        let mut file = KdbxWriter::new(writer, &keys, &self.open.name, self.core.now(), &mut randomness)
            .map_err(ExportError::from)?;
        self.each(moment, true, |record| file.push(&record).map_err(ExportError::from))?;
        Ok(file.finish().map_err(ExportError::from)?.1)
    }

    /// Shows every record, until the job is to stop.
    fn each(
        &self,
        moment: &Moment<'_>,
        counted: bool,
        mut show: impl FnMut(ExportRecord) -> Result<(), ExportError>,
    ) -> Result<(), JobError> {
        let mut stopped = None;
        let shown = moment.each_record(|key, versions| {
            if let Err(reason) = self.context.check() {
                stopped = Some(reason);
                return Err(Interrupted::Stopped);
            }
            if counted {
                self.context.advance(1);
            }
            show(record_of(key, versions)).map_err(Interrupted::Export)
        });
        match (shown, stopped) {
            (_, Some(reason)) => Err(reason.into()),
            (Ok(()) | Err(Interrupted::Stopped), None) => Ok(()),
            (Err(Interrupted::Export(error)), None) => Err(error.into()),
            (Err(Interrupted::Store(error)), None) => Err(in_tenant(error).into()),
        }
    }

    /// A connection of its own, so that the session goes on reading.
    fn connect(&self) -> Result<TenantStore, JobError> {
        let key = derive::derive_tenant_database_key(&self.open.key, &self.open.scope);
        let identity = self.open.read(|store| Ok(store.identity()))?;
        Ok(TenantStore::open(&self.open.path, &key, identity, Access::ReadOnly).map_err(in_tenant)?)
    }
}

/// Why records are not shown any more.
enum Interrupted {
    Stopped,
    Export(ExportError),
    Store(StoreError),
}

impl From<StoreError> for Interrupted {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn record_of(key: RecordKey, versions: Vec<StoredVersion>) -> ExportRecord {
    ExportRecord {
        key: *key.as_bytes(),
        created_at: versions
            .iter()
            .map(|version| version.made_at.unwrap_or(version.created_at))
            .min()
            .expect("a record has versions"),
        versions: versions
            .into_iter()
            .map(|version| (version.content, version.made_at.unwrap_or(version.changed_at)))
            .collect(),
    }
}

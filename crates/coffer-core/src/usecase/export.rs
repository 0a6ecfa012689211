//! Export: a tenant's records leave the vault in a file that other programs read. Rules: docs/FORMAT.md, "Export".
//!
//! Only a steward, and only with a passphrase given moments ago ([`FreshAuthentication`]). The entry is in the log before
//! the first byte is written; the file appears whole or not at all, and never over another.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use coffer_crypto::Random;
use coffer_crypto::derive::Id;
use coffer_interchange::export::{
    Columns, CsvWriter, ExportAttachment, ExportLosses, ExportRecord, ExportVersion, KdbxWriter,
};
use coffer_interchange::neutral::limits;
use coffer_interchange::source::{SourceError, SourceKeys};
use coffer_model::event::{Event, ExportFormat};
use coffer_model::id::{RecordKey, TenantId};
use coffer_model::policy::Guarded;
use zeroize::Zeroizing;

use super::archive::{self, Output};
use super::records::{Interrupted, in_tenant};
use super::step_up::FreshAuthentication;
use crate::fault::CallError;
use crate::job::{JobContext, JobError, JobHandle};
use crate::policy::Action;
use crate::session::{Actor, Core, OpenTenant, Session};
use crate::store::files::{FileError, NewFile, sweep_abandoned};
use crate::store::sqlcipher::Access;
use crate::store::tenant::{ExportScope, Moment, StoredVersion, TenantTx};
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
    /// What will open a KDBX file, as typed; no other format has one.
    pub passphrase: Option<Zeroizing<Vec<u8>>>,
    /// Who can open an encrypted archive: public keys of age, `age1…`. No other format has any.
    pub recipients: Vec<String>,
    /// The tenant's name as the person typed it, for an archive that anybody could read.
    pub confirmation: Option<String>,
}

impl ExportRequest {
    /// A tenant into a file that needs nothing else.
    pub const fn new(tenant: TenantId, file: PathBuf, format: ExportFormat) -> Self {
        Self { tenant, file, format, passphrase: None, recipients: Vec::new(), confirmation: None }
    }
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
    /// No other format has one.
    #[error("only a KDBX file has a passphrase")]
    NoPassphrase,
    /// An encrypted archive that nobody could open.
    #[error("an encrypted archive needs somebody who can open it")]
    NeedsRecipient,
    /// Only an archive is encrypted to somebody.
    #[error("only an archive is encrypted to a recipient")]
    NoRecipient,
    /// A recipient is no public key of age.
    #[error("a recipient is not a public key of age (age1 and 58 letters and digits)")]
    InvalidRecipient,
    /// The tenant's name was not typed, or another.
    #[error("an archive that anybody can read needs the tenant's name typed")]
    NotConfirmed,
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
            Self::NeedsRecipient => "export_needs_recipient",
            Self::NoRecipient => "export_no_recipient",
            Self::InvalidRecipient => "export_invalid_recipient",
            Self::NotConfirmed => "export_not_confirmed",
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
    /// Exports a tenant as a job whose progress counts records, or the bytes of an archive. `proof` says that the
    /// account's passphrase was given just now; it is used up.
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
        proof.require_second(&self.core, Guarded::Export)?;
        request.check()?;
        if std::fs::symlink_metadata(&request.file).is_ok() {
            return Err(ExportError::TargetExists);
        }
        let open = self.open_tenant(&actor, request.tenant)?;
        if request.format == ExportFormat::Archive && request.confirmation.as_ref() != Some(&open.name) {
            return Err(ExportError::NotConfirmed);
        }
        let unit = match request.format {
            ExportFormat::Csv | ExportFormat::Kdbx => ProgressUnit::Rows,
            ExportFormat::Archive | ExportFormat::EncryptedArchive => ProgressUnit::Bytes,
        };
        let core = Arc::clone(&self.core);
        let job = JobHandle::start("export", unit, move |context| {
            Export { core: &core, open: &open, context, actor: &actor }.run(request)
        });
        self.core.adopt(job.lease());
        Ok(job)
    }
}

impl ExportRequest {
    /// Whether what was given is what the format needs and no more.
    fn check(&self) -> Result<(), ExportError> {
        let is_kdbx = self.format == ExportFormat::Kdbx;
        if is_kdbx && self.passphrase.as_ref().is_none_or(|passphrase| passphrase.is_empty()) {
            return Err(ExportError::NeedsPassphrase);
        }
        if !is_kdbx && self.passphrase.is_some() {
            return Err(ExportError::NoPassphrase);
        }
        match (self.format, self.recipients.is_empty()) {
            (ExportFormat::EncryptedArchive, true) => Err(ExportError::NeedsRecipient),
            (ExportFormat::EncryptedArchive, false) => archive::recipients(&self.recipients).map(drop),
            (ExportFormat::Csv | ExportFormat::Kdbx | ExportFormat::Archive, false) => Err(ExportError::NoRecipient),
            (ExportFormat::Csv | ExportFormat::Kdbx | ExportFormat::Archive, true) => Ok(()),
        }
    }
}

/// One export while it runs.
pub(super) struct Export<'j> {
    pub(super) core: &'j Core,
    pub(super) open: &'j OpenTenant,
    pub(super) context: &'j JobContext,
    actor: &'j Actor,
}

impl Export<'_> {
    fn run(&self, request: ExportRequest) -> Result<ExportReport, JobError> {
        let (tenant, format) = (request.tenant, request.format);
        // What a kill left of an export before holds secrets.
        let _ = sweep_abandoned(&request.file);
        let store = self.core.connect(self.open, Access::ReadOnly)?;
        let moment = store.moment().map_err(in_tenant)?;
        let scope = ExportScope::of(format);
        let records = match scope {
            ExportScope::NewestVersions | ExportScope::AllVersions => moment.count(),
            ExportScope::Everything => moment.count_all(),
        };
        let records = records.map_err(in_tenant)?;
        let mut file = NewFile::beside(&request.file).map_err(ExportError::from)?;
        self.tell(&moment, Event::TenantExported { tenant, count: records, format }, scope)?;
        let writer = BufWriter::new(file.as_file_mut());
        let losses = match format {
            ExportFormat::Csv => self.write_csv(&moment, writer)?,
            ExportFormat::Kdbx => self.write_kdbx(&moment, writer, request.passphrase)?,
            ExportFormat::Archive => self.write_archive(&moment, Output::Plain(writer))?,
            ExportFormat::EncryptedArchive => {
                self.write_archive(&moment, Output::encrypted(&request.recipients, writer)?)?
            }
        };
        self.context.check()?;
        let bytes = file.as_file_mut().metadata().map_err(ExportError::from)?.len();
        file.publish().map_err(ExportError::from)?;
        let losses = losses.into_iter().map(|(what, count)| ExportLossView { what: what.code().to_owned(), count });
        Ok(ExportReport { format: format.name().to_owned(), records, bytes, losses: losses.collect() })
    }

    /// Log and exposure list say what is about to leave, before the first byte does.
    fn tell(&self, moment: &Moment<'_>, event: Event, scope: ExportScope) -> Result<(), CallError> {
        let until = moment.newest_change().map_err(in_tenant)?;
        let insert = |tx: &mut TenantTx<'_>| tx.insert_export(until, scope).map_err(in_tenant);
        self.core.audited_read(self.actor, self.open, insert, |()| event)
    }

    fn write_csv(&self, moment: &Moment<'_>, writer: impl Write) -> Result<ExportLosses, JobError> {
        self.context.set_total(moment.count().map_err(in_tenant)?);
        let files = BTreeMap::new();
        let mut columns = Columns::default();
        self.each(moment, &files, false, |record| {
            if let Some(version) = record.versions.last() {
                columns.observe(&version.content);
            }
            Ok(())
        })?;
        let mut table = CsvWriter::new(writer, columns).map_err(ExportError::from)?;
        self.each(moment, &files, true, |record| table.push(&record).map_err(ExportError::from))?;
        Ok(table.finish().map_err(ExportError::from)?.1)
    }

    fn write_kdbx(
        &self,
        moment: &Moment<'_>,
        writer: impl Write,
        passphrase: Option<Zeroizing<Vec<u8>>>,
    ) -> Result<ExportLosses, JobError> {
        self.context.set_total(moment.count().map_err(in_tenant)?);
        let keys = SourceKeys { passphrase, key_file: None };
        let mut random = self.core.random();
        let mut randomness = |bytes: &mut [u8]| random.fill(bytes);
        let mut file = KdbxWriter::new(writer, &keys, &self.open.name, self.core.now(), &mut randomness)
            .map_err(ExportError::from)?;
        let files = self.write_kdbx_files(moment, &mut file)?;
        self.each(moment, &files, true, |record| file.push(&record).map_err(ExportError::from))?;
        Ok(file.finish().map_err(ExportError::from)?.1)
    }

    /// Writes the contents of attachments of records outside the trash, as far as other programs can be asked to hold them
    /// in memory; gives the number of each.
    fn write_kdbx_files(
        &self,
        moment: &Moment<'_>,
        file: &mut KdbxWriter<impl Write>,
    ) -> Result<BTreeMap<Id, u32>, JobError> {
        let mut wanted = BTreeSet::new();
        moment.each_key(|record| -> Result<(), Interrupted> {
            if record.trashed_at.is_none() {
                wanted.extend(record.attachments.into_iter().map(|attachment| attachment.file.file));
            }
            Ok(self.context.check()?)
        })?;
        let (mut numbers, mut left) = (BTreeMap::new(), limits::ATTACHMENTS_BYTES);
        let files = moment.files().map_err(in_tenant)?;
        for stored in files.into_iter().filter(|stored| wanted.contains(&stored.file)) {
            let Ok(bytes) = u32::try_from(stored.bytes) else { continue };
            if stored.bytes > left.min(limits::ATTACHMENT_BYTES) {
                continue;
            }
            left -= stored.bytes;
            file.push_file(bytes, |mut out| {
                let unwritten = |error| ExportError::from(error).into();
                self.core.copy_attached(self.open, &stored, self.context, &mut out, unwritten)
            })?;
            let number = u32::try_from(numbers.len()).expect("no more than a vault has files");
            numbers.insert(stored.file, number);
        }
        Ok(numbers)
    }

    /// Shows every record outside the trash, until the job is to stop; `files` are the contents that were written before.
    fn each(
        &self,
        moment: &Moment<'_>,
        files: &BTreeMap<Id, u32>,
        counted: bool,
        mut show: impl FnMut(ExportRecord) -> Result<(), ExportError>,
    ) -> Result<(), JobError> {
        moment.each_record(|key, versions| -> Result<(), Interrupted> {
            self.context.check()?;
            if counted {
                self.context.advance(1);
            }
            let attachments = moment.attachments(key)?.into_iter().map(|stored| ExportAttachment {
                file: files.get(&stored.file.file).copied(),
                name: stored.name.into(),
                attached: stored.attached,
                detached: stored.detached,
            });
            show(record_of(key, versions, attachments.collect())).map_err(JobError::from)?;
            Ok(())
        })?;
        Ok(())
    }
}

fn record_of(key: RecordKey, versions: Vec<StoredVersion>, attachments: Vec<ExportAttachment>) -> ExportRecord {
    ExportRecord {
        key: *key.as_bytes(),
        created_at: versions
            .iter()
            .map(|version| version.made_at.unwrap_or(version.created_at))
            .min()
            .expect("a record has versions"),
        versions: versions
            .into_iter()
            .map(|version| ExportVersion {
                number: version.version,
                made_at: version.made_at.unwrap_or(version.changed_at),
                content: version.content,
            })
            .collect(),
        attachments,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::altered::Place;

    #[test]
    fn an_export_that_a_new_key_overtook_is_busy_and_leaves_no_file() {
        let (place, session) = Place::new();
        let acme = session.create_tenant(&"ACME GmbH".parse().unwrap()).unwrap().id;
        let actor = session.authorize(Action::ExportTenant, Some(acme)).unwrap();
        let open = session.open_tenant(&actor, acme).unwrap();
        session.start_rekey_tenant(acme).unwrap().wait().unwrap();
        let context = JobContext::detached();
        let export = Export { core: &session.core, open: &open, context: &context, actor: &actor };
        let file = place.path("acme.csv");
        let refused = export.run(ExportRequest::new(acme, file.clone(), ExportFormat::Csv)).unwrap_err();
        assert_eq!(refused.code(), "busy");
        assert!(!file.exists());
    }
}

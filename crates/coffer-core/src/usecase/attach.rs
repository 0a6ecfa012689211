//! Attaching: a file's content goes into the vault encrypted, in constant memory, then the record gets a version that
//! has it. Order: bytes, log entry, rows (docs/adr/0005-entry-before-effect.md). Layout: docs/FORMAT.md §4.11, §5.10.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use coffer_model::attachment::{AttachmentName, MediaKind, limits};
use coffer_model::event::Event;
use coffer_model::id::RecordId;

use super::attachments::ATTEMPTS;
use super::records::in_tenant;
use super::seal::{Sealed, Sealing};
use crate::fault::{CallError, Fault};
use crate::job::{JobContext, JobError, JobHandle};
use crate::policy::Action;
use crate::session::{Core, OpenTenant, Session};
use crate::store::files::{self, FileError};
use crate::store::tenant::{AttachRowError, ChangeError, NewAttachment, StoredFile, TenantTx};
use crate::view::{ProgressUnit, RecordView};

/// Why a file was not attached. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// The file could not be opened or read.
    #[error("the file to attach cannot be read")]
    File(#[source] FileError),
    /// The file grew, shrank or went away while it was read.
    #[error("the file was changed while it was read")]
    FileChanged,
    /// The record has an attachment of that name.
    #[error("the record has an attachment of that name")]
    NameTaken,
    /// The record, or the whole vault, has as many attachments as it may have.
    #[error(
        "a record has at most {} attachments, a vault at most {}",
        limits::PER_RECORD,
        crate::store::attached::MOST_FILES
    )]
    TooMany,
    /// The record is in the trash.
    #[error("the record is in the trash")]
    Trashed,
    /// Others changed the record all the time.
    #[error("the record has been changed since it was read")]
    VersionConflict,
    /// The call was refused or failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl AttachError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::File(_) => "file_unreadable",
            Self::FileChanged => "file_changed",
            Self::NameTaken => "attachment_exists",
            Self::TooMany => "too_many_attachments",
            Self::Trashed => "record_trashed",
            Self::VersionConflict => "version_conflict",
            Self::Call(error) => error.code(),
        }
    }
}

impl From<AttachRowError> for AttachError {
    fn from(error: AttachRowError) -> Self {
        match error {
            AttachRowError::NameTaken => Self::NameTaken,
            AttachRowError::TooMany => Self::TooMany,
            AttachRowError::Change(ChangeError::VersionConflict) => Self::VersionConflict,
            AttachRowError::Change(ChangeError::NotFound) => Self::Call(CallError::NotFound),
            AttachRowError::Change(ChangeError::Store(error)) => Self::Call(in_tenant(error)),
        }
    }
}

impl Session {
    /// Starts attaching the file at `path` to a record, under the file's own name, as a job whose progress counts the
    /// file's bytes. The record gets a new version; a content that the tenant has already is kept once.
    pub fn start_attach(&self, record: RecordId, path: &Path) -> Result<JobHandle<RecordView>, AttachError> {
        let actor = self.authorize(Action::AttachFile, Some(record.tenant()))?;
        let open = self.open_tenant(&actor, record.tenant())?;
        let stored = self.core.stored_version(&actor, &open, record, None)?;
        let name = path.file_name().ok_or(AttachError::File(FileError::NotPlain))?;
        let name = AttachmentName::from_file_name(&name.to_string_lossy());
        // Said before minutes of work, and decided in the transaction.
        if stored.attachments.len() >= limits::PER_RECORD {
            return Err(AttachError::TooMany);
        }
        if stored.attachments.iter().any(|attachment| attachment.name == name) {
            return Err(AttachError::NameTaken);
        }
        let source = files::open_foreign_file(path).map_err(AttachError::File)?;
        let core = Arc::clone(&self.core);
        let job = JobHandle::start("attach", ProgressUnit::Bytes, move |context| {
            Attach { core: &core, open: &open, context }.run(record, &name, &source)
        });
        self.core.adopt(job.lease());
        Ok(job)
    }
}

/// One file while it is attached.
struct Attach<'j> {
    core: &'j Core,
    open: &'j OpenTenant,
    context: &'j JobContext,
}

impl Attach<'_> {
    fn run(&self, record: RecordId, name: &AttachmentName, source: &File) -> Result<RecordView, JobError> {
        let sealed = self.seal(source)?;
        let Sealed { new, file, digest, media } = sealed;
        self.context.check()?;
        let known = self.open.read(|store| store.file_of(&digest))?;
        let is_new = known.is_none();
        match &known {
            // The same content, attached before: what was just written goes away with `new`.
            Some(known) => drop(self.core.open_attached(self.open, known)?),
            None => new.publish().map_err(|error| self.sealing().failed(error))?,
        }
        let attached = self.attach(record, name, known.as_ref().unwrap_or(&file), &digest, media);
        let is_needed = attached.as_ref().is_ok_and(|outcome| outcome.is_needed);
        if is_new && !is_needed && attached.as_ref().err().is_none_or(|failure| !failure.may_be_there) {
            // If this fails, it is swept where the tenant is next opened.
            let _ = self.open.files.remove(&file.file);
        }
        Ok(attached.map_err(|failure| failure.error)?.view)
    }

    /// Encrypts the content beside its place.
    fn seal(&self, source: &File) -> Result<Sealed, JobError> {
        let bytes = source.metadata().map_err(FileError::from).map_err(AttachError::File)?.len();
        self.context.set_total(bytes);
        if self.open.files.is_full().map_err(|error| self.sealing().failed(error))? {
            return Err(AttachError::TooMany.into());
        }
        self.sealing().seal(Counted { source, context: self.context }, bytes, |error| unreadable(error).into())
    }

    const fn sealing(&self) -> Sealing<'_> {
        Sealing { core: self.core, open: self.open, context: self.context }
    }

    /// Entry, then rows.
    fn attach(
        &self,
        record: RecordId,
        name: &AttachmentName,
        file: &StoredFile,
        digest: &[u8; 32],
        media: MediaKind,
    ) -> Result<Attached, Failure> {
        let before = |error: AttachError| Failure { error: error.into(), may_be_there: false };
        for _ in 0..ATTEMPTS {
            // The right may have gone while the file was read.
            let actor =
                self.core.authorize(Action::AttachFile, Some(record.tenant())).map_err(|error| before(error.into()))?;
            let (expected_version, id) = self.core.next_attachment(&actor, self.open, record).map_err(before)?;
            let event = Event::AttachmentAdded { record, attachment: id, version: expected_version.saturating_add(1) };
            let key = record.key();
            let new = NewAttachment { key, expected_version, id, name, media, file, digest };
            let mut may_be_there = false;
            let insert = |tx: &mut TenantTx<'_>| -> Result<bool, AttachError> {
                let is_needed = tx.insert_attachment(&new)?;
                // What the tenant had when the content was read was erased since, and the file with it.
                if is_needed && self.open.files.open(&file.file).is_err() {
                    return Err(CallError::from(Fault::Busy).into());
                }
                may_be_there = true;
                Ok(is_needed)
            };
            let attached = self.core.audited(&actor, self.open, insert, |_| event);
            match attached {
                Err(AttachError::VersionConflict) => {}
                Err(error) => return Err(Failure { error: error.into(), may_be_there }),
                Ok(is_needed) => {
                    let view = self.core.current_view(record, self.open);
                    let view = view.map_err(|error| Failure { error: error.into(), may_be_there })?;
                    return Ok(Attached { view, is_needed });
                }
            }
        }
        Err(before(AttachError::VersionConflict))
    }
}

/// A file whose bytes the job counts.
struct Counted<'j> {
    source: &'j File,
    context: &'j JobContext,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.context.advance(read as u64);
        Ok(read)
    }
}

/// A file that was attached.
struct Attached {
    view: RecordView,
    /// The tenant had no file of that content, so this one stays.
    is_needed: bool,
}

/// Why it was not.
struct Failure {
    error: JobError,
    /// The rows may have been written all the same, so that the file has to stay.
    may_be_there: bool,
}

/// A source that ends before its length was changed meanwhile.
fn unreadable(error: io::Error) -> AttachError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => AttachError::FileChanged,
        _ => AttachError::File(error.into()),
    }
}

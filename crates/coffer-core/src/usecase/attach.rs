//! Attaching: a file's content goes into the vault encrypted, in constant memory, then the record gets a version that
//! has it. Order: bytes, log entry, rows (docs/adr/0005-entry-before-effect.md). Layout: docs/FORMAT.md §4.11, §5.10.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

use coffer_crypto::Random as _;
use coffer_crypto::derive::{self, Id};
use coffer_crypto::stream::{self, CHUNK_BYTES, CHUNK_OVERHEAD_BYTES, ContentDigest, FilePlace, FileSealer};
use coffer_model::attachment::{AttachmentName, MediaKind, limits};
use coffer_model::event::Event;
use coffer_model::id::RecordId;
use zeroize::Zeroizing;

use super::attachments::ATTEMPTS;
use super::records::in_tenant;
use crate::fault::{CallError, Damage, Fault};
use crate::job::{JobContext, JobError, JobHandle};
use crate::pipeline::{self, BUFFER_BYTES, Drain, Feed, FeedError};
use crate::policy::Action;
use crate::session::{Core, OpenTenant, Session};
use crate::store::error::StoreError;
use crate::store::files::{self, FileError, NewFile};
use crate::store::tenant::{AttachRowError, ChangeError, NewAttachment, StoredFile, TenantTx};
use crate::view::{ProgressUnit, RecordView};

/// Chunks that go through the job together.
const GROUP_CHUNKS: usize = BUFFER_BYTES / CHUNK_BYTES;
/// A chunk's place in a group's buffer: its content, and room for what encryption adds.
pub(super) const STRIDE: usize = CHUNK_BYTES + CHUNK_OVERHEAD_BYTES;
/// Bytes of a group's buffer.
pub(super) const GROUP_BYTES: usize = GROUP_CHUNKS * STRIDE;

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

/// A content that is encrypted and has no name on the disk yet.
struct Sealed {
    new: NewFile,
    file: StoredFile,
    digest: [u8; 32],
    media: MediaKind,
}

/// What passes from the reading to the encrypting side: content of [`GROUP_CHUNKS`] chunks at most, each at its
/// [`STRIDE`]. Erased if it never gets there.
struct Group {
    buffer: Zeroizing<Vec<u8>>,
    content: usize,
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
            None => new.publish().map_err(|error| self.failed(error))?,
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
        let stored = stream::stored_bytes(bytes).ok_or(AttachError::File(FileError::TooLarge))?;
        if self.core.host.disk.free_bytes(&self.core.folder).is_some_and(|free| free < stored) {
            return Err(Fault::NoSpace.into());
        }
        if self.open.files.is_full().map_err(|error| self.failed(error))? {
            return Err(AttachError::TooMany.into());
        }
        let mut random = self.core.random();
        let mut file = Id::default();
        random.fill(&mut file);
        let place = FilePlace { scope: self.open.scope, file };
        let key = derive::derive_file_wrapping_key(&self.open.key, &self.open.scope);
        let sealer =
            FileSealer::begin(&key, &place, bytes, &mut random).map_err(|_| AttachError::File(FileError::TooLarge))?;
        let header = *sealer.digest();
        let mut new = self.open.files.begin(&file).map_err(|error| self.failed(error))?;
        let ((digest, media), ()) = pipeline::side_by_side(
            "attach-read",
            |feed| self.read(source, bytes, feed),
            |drain| self.write(sealer, bytes, new.as_file_mut(), drain),
        )?;
        Ok(Sealed { new, file: StoredFile { file, header, bytes }, digest, media })
    }

    /// Reads the whole content once, and judges it on the way.
    fn read(&self, mut source: &File, bytes: u64, feed: &Feed<Group>) -> Result<([u8; 32], MediaKind), FeedError> {
        let mut digest = ContentDigest::new(&derive::derive_file_digest_key(&self.open.key, &self.open.scope));
        let mut media = None;
        let mut left = bytes;
        while left > 0 {
            self.context.check()?;
            let mut buffer = Zeroizing::new(feed.buffer());
            buffer.resize(GROUP_BYTES, 0);
            let mut content = 0;
            for place in buffer.chunks_mut(STRIDE) {
                let wanted = usize::try_from(left).map_or(CHUNK_BYTES, |left| left.min(CHUNK_BYTES));
                let chunk = &mut place[..wanted];
                source.read_exact(chunk).map_err(unreadable)?;
                media.get_or_insert_with(|| MediaKind::of(chunk));
                digest.update(chunk);
                content += wanted;
                left -= wanted as u64;
            }
            self.context.advance(content as u64);
            feed.send(Group { buffer, content })?;
        }
        // Longer by now than it was.
        if source.read(&mut [0]).map_err(unreadable)? > 0 {
            return Err(AttachError::FileChanged.into());
        }
        Ok((digest.finish(), media.unwrap_or(MediaKind::Text)))
    }

    /// Encrypts and writes what is read, then the padding.
    fn write(&self, mut sealer: FileSealer, bytes: u64, out: &mut File, drain: &Drain<Group>) -> Result<(), JobError> {
        let write = |out: &mut File, bytes: &[u8]| out.write_all(bytes).map_err(|error| self.failed(error.into()));
        write(out, sealer.header())?;
        let mut taken = 0;
        while let Some(Group { mut buffer, content }) = drain.next() {
            let mut filled = 0;
            for _ in 0..content.div_ceil(CHUNK_BYTES) {
                let size = sealer.next_chunk().ok_or(JobError::Bug)?;
                sealer.seal_chunk(&mut buffer[filled..filled + size.stored]);
                filled += size.stored;
            }
            write(out, &buffer[..filled])?;
            taken += content as u64;
            drain.give_back(std::mem::take(&mut *buffer));
        }
        if taken < bytes {
            // The other side has failed, and says why.
            return Err(JobError::Bug);
        }
        let mut padding = vec![0; STRIDE];
        while let Some(size) = sealer.next_chunk() {
            self.context.check()?;
            sealer.seal_chunk(&mut padding[..size.stored]);
            write(out, &padding[..size.stored])?;
        }
        Ok(())
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

    fn failed(&self, error: FileError) -> JobError {
        self.core.fault(StoreError::File(error), Damage::Attachment).into()
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

//! What the uses of attachments share, and the quick ones: taking one off a record, putting it back.
//! Layout: docs/FORMAT.md §5.10.

use std::fs::File;
use std::io::{self, Read, Write};

use coffer_crypto::derive;
use coffer_crypto::stream::{FileOpener, FilePlace, HEADER_BYTES};
use coffer_model::attachment::AttachmentId;
use coffer_model::event::Event;
use coffer_model::id::RecordId;
use zeroize::Zeroizing;

use super::attach::AttachError;
use super::records::in_tenant;
use super::seal::STRIDE;
use crate::fault::{CallError, Damage, Fault};
use crate::job::{JobContext, JobError};
use crate::policy::Action;
use crate::session::{Actor, Core, OpenTenant, Session};
use crate::store::error::StoreError;
use crate::store::files::FileError;
use crate::store::tenant::{ChangeError, StoredAttachment, StoredFile};
use crate::view::{AttachmentView, RecordView};

/// Longest text that is looked through, bytes.
pub(super) const TEXT_SEARCHED_MAX: usize = 16 * 1024 * 1024;
/// How often a change is tried anew that somebody else's change of the record overtook.
pub(super) const ATTEMPTS: usize = 16;

impl Session {
    /// Takes an attachment off its record, which gets a new version without it. Earlier versions keep it, and the file
    /// stays.
    pub fn detach(&self, record: RecordId, attachment: AttachmentId) -> Result<RecordView, AttachError> {
        let actor = self.authorize(Action::DetachFile, Some(record.tenant()))?;
        let open = self.open_tenant(&actor, record.tenant())?;
        for _ in 0..ATTEMPTS {
            let stored = self.core.stored_version(&actor, &open, record, None)?;
            if stored.attachments.iter().all(|present| present.id != attachment) {
                self.record(&actor, Event::AccessRefused { tenant: Some(record.tenant()) })?;
                return Err(CallError::NotFound.into());
            }
            if stored.trashed_at.is_some() {
                return Err(AttachError::Trashed);
            }
            let version = stored.version.checked_add(1).ok_or(AttachError::VersionConflict)?;
            let event = Event::AttachmentDetached { record, attachment, version };
            match self.audited(&actor, &open, event, |tx| {
                tx.detach(record.key(), stored.version, attachment).map_err(conflict)
            }) {
                Err(AttachError::VersionConflict) => {}
                detached => {
                    detached?;
                    return Ok(self.core.current_view(record, &open)?);
                }
            }
        }
        Err(AttachError::VersionConflict)
    }

    /// Attaches again what was taken off the record, under its old name and a new number.
    pub fn reattach(&self, record: RecordId, attachment: AttachmentId) -> Result<RecordView, AttachError> {
        let actor = self.authorize(Action::AttachFile, Some(record.tenant()))?;
        let open = self.open_tenant(&actor, record.tenant())?;
        let old = self.core.stored_attachment(&actor, &open, record, attachment)?;
        for _ in 0..ATTEMPTS {
            let (expected, id) = self.core.next_attachment(&actor, &open, record)?;
            let event = Event::AttachmentAdded { record, attachment: id, version: expected.saturating_add(1) };
            let attached = self.audited(&actor, &open, event, |tx| -> Result<(), AttachError> {
                Ok(tx.reattach(record.key(), expected, &old, id)?)
            });
            match attached {
                Err(AttachError::VersionConflict) => {}
                attached => {
                    attached?;
                    return Ok(self.core.current_view(record, &open)?);
                }
            }
        }
        Err(AttachError::VersionConflict)
    }
}

fn conflict(error: ChangeError) -> AttachError {
    match error {
        ChangeError::VersionConflict => AttachError::VersionConflict,
        ChangeError::NotFound => CallError::NotFound.into(),
        ChangeError::Store(error) => in_tenant(error).into(),
    }
}

impl Core {
    /// An attachment that a record has or had. That there is none is logged as a refusal, since somebody may be trying
    /// numbers.
    pub(super) fn stored_attachment(
        &self,
        actor: &Actor,
        open: &OpenTenant,
        record: RecordId,
        attachment: AttachmentId,
    ) -> Result<StoredAttachment, CallError> {
        if let Some(stored) = open.read(|store| store.attachment(record.key(), attachment))? {
            return Ok(stored);
        }
        self.record(actor, Event::AccessRefused { tenant: Some(record.tenant()) })?;
        Err(CallError::NotFound)
    }

    /// The record's newest version, and the number its next attachment gets.
    pub(super) fn next_attachment(
        &self,
        actor: &Actor,
        open: &OpenTenant,
        record: RecordId,
    ) -> Result<(u32, AttachmentId), AttachError> {
        let stored = self.stored_version(actor, open, record, None)?;
        if stored.trashed_at.is_some() {
            return Err(AttachError::Trashed);
        }
        let next = open.read(|store| store.next_attachment(record.key()))?;
        Ok((stored.version, next.ok_or(AttachError::TooMany)?))
    }

    /// The record as it is stored now, for who has just changed it.
    pub(super) fn current_view(&self, record: RecordId, open: &OpenTenant) -> Result<RecordView, CallError> {
        let stored = open.read(|store| store.record(record.key(), None))?.ok_or(CallError::NotFound)?;
        self.record_view(record, open, &stored)
    }

    /// Opens the file of an attachment and holds header and length against the tenant's rows.
    pub(super) fn open_attached(&self, open: &OpenTenant, file: &StoredFile) -> Result<(File, FileOpener), CallError> {
        let mut source = open.files.open(&file.file).map_err(|error| match error {
            FileError::Missing => self.attached_missing(open, file),
            FileError::NotPlain | FileError::NotOurs => damaged(),
            error => self.fault(StoreError::File(error), Damage::Attachment),
        })?;
        let failed = |error: std::io::Error| self.fault(StoreError::File(error.into()), Damage::Attachment);
        let stored = source.metadata().map_err(failed)?.len();
        let mut header = [0; HEADER_BYTES];
        if stored < HEADER_BYTES as u64 {
            return Err(damaged());
        }
        source.read_exact(&mut header).map_err(failed)?;
        let key = derive::derive_file_wrapping_key(&open.key, &open.scope);
        let place = FilePlace { scope: open.scope, file: file.file };
        let opener = FileOpener::begin(&key, &place, &file.header, &header, stored).map_err(|_| damaged())?;
        if opener.content_bytes() == file.bytes { Ok((source, opener)) } else { Err(damaged()) }
    }

    /// Judges that a file is not there: an erasure took it with its row, or a new key with all others, after whoever asks for
    /// it was told of it; else it is damage.
    fn attached_missing(&self, open: &OpenTenant, file: &StoredFile) -> CallError {
        let has_row = self.refuse_replaced(open).and_then(|()| open.read(|store| store.has_file(&file.file)));
        match has_row {
            Ok(true) => damaged(),
            Ok(false) => Fault::Busy.into(),
            Err(error) => error,
        }
    }

    /// Judges that the vault's own file could not be read: shorter than it was a moment ago, or the disk failed.
    pub(super) fn attached_unreadable(&self, error: io::Error) -> CallError {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => damaged(),
            _ => self.fault(StoreError::File(error.into()), Damage::Attachment),
        }
    }

    /// Shows the content of a file piece by piece, each good by itself; whole only if all were.
    pub(super) fn each_piece<E: From<CallError>>(
        &self,
        open: &OpenTenant,
        file: &StoredFile,
        mut show: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let (mut source, mut opener) = self.open_attached(open, file)?;
        let mut buffer = Zeroizing::new(vec![0; STRIDE]);
        while let Some(size) = opener.next_chunk() {
            let chunk = &mut buffer[..size.stored];
            source.read_exact(chunk).map_err(|error| self.attached_unreadable(error))?;
            show(opener.open_chunk(chunk).map_err(|_| damaged())?)?;
        }
        Ok(())
    }

    /// Writes the content of a file to `out`, whose failures `unwritable` judges.
    pub(super) fn copy_attached(
        &self,
        open: &OpenTenant,
        file: &StoredFile,
        context: &JobContext,
        out: &mut impl Write,
        unwritable: impl Fn(io::Error) -> JobError,
    ) -> Result<(), JobError> {
        self.each_piece(open, file, |piece| {
            context.check()?;
            out.write_all(piece).map_err(&unwritable)
        })
    }

    /// The content of a text, for looking through it; `None` if it is longer than [`TEXT_SEARCHED_MAX`].
    pub(super) fn attached_text(
        &self,
        open: &OpenTenant,
        file: &StoredFile,
        context: &JobContext,
    ) -> Result<Option<Zeroizing<String>>, JobError> {
        let Some(bytes) = usize::try_from(file.bytes).ok().filter(|&bytes| bytes <= TEXT_SEARCHED_MAX) else {
            return Ok(None);
        };
        // Its length from the start: growing would leave copies behind.
        let mut read = Zeroizing::new(Vec::with_capacity(bytes));
        self.each_piece(open, file, |piece| {
            context.check()?;
            read.extend_from_slice(piece);
            Ok::<(), JobError>(())
        })?;
        Ok(Some(Zeroizing::new(String::from_utf8_lossy(&read).into_owned())))
    }
}

/// The content of an attachment as something to read from.
pub(super) struct AttachedReader {
    source: File,
    opener: FileOpener,
    buffer: Zeroizing<Vec<u8>>,
    /// What of the buffer is not read yet.
    left: std::ops::Range<usize>,
}

impl AttachedReader {
    /// Opens it.
    pub(super) fn open(core: &Core, open: &OpenTenant, file: &StoredFile) -> Result<Self, CallError> {
        let (source, opener) = core.open_attached(open, file)?;
        Ok(Self { source, opener, buffer: Zeroizing::new(vec![0; STRIDE]), left: 0..0 })
    }
}

impl Read for AttachedReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.left.is_empty() {
            let Some(size) = self.opener.next_chunk() else { return Ok(0) };
            let chunk = &mut self.buffer[..size.stored];
            self.source.read_exact(chunk)?;
            // Padding comes after the content, and is content of no length.
            let content = self.opener.open_chunk(chunk).map_err(|_| io::ErrorKind::UnexpectedEof)?.len();
            self.left = 0..content;
        }
        let length = out.len().min(self.left.len());
        out[..length].copy_from_slice(&self.buffer[self.left.start..self.left.start + length]);
        self.left.start += length;
        Ok(length)
    }
}

/// An attachment's file is not what was written.
pub(super) fn damaged() -> CallError {
    Fault::Damaged(Damage::Attachment).into()
}

/// An attachment as it is shown.
pub(super) fn attachment_view(stored: &StoredAttachment) -> AttachmentView {
    AttachmentView {
        id: stored.id,
        name: stored.name.to_string(),
        media: stored.media,
        bytes: stored.file.bytes,
        suggested_name: stored.name.suggested_file_name(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::altered::{Place, record};
    use crate::store::tenant::TenantTx;

    #[test]
    fn a_file_that_went_with_its_row_or_with_the_old_key_is_no_damage_and_a_missing_one_is() {
        let (place, session) = Place::new();
        let core = &session.core;
        let acme = session.create_tenant(&"ACME GmbH".parse().unwrap()).unwrap().id;
        let actor = session.authorize(Action::EraseSubject, Some(acme)).unwrap();
        let open = session.open_tenant(&actor, acme).unwrap();
        let stored = ["plan", "list"].map(|name| {
            let (record, path) = (record(&session, acme), place.path(name));
            fs::write(&path, name).unwrap();
            session.start_attach(record, &path).unwrap().wait().unwrap();
            (record, core.stored_attachment(&actor, &open, record, AttachmentId(1)).unwrap().file)
        });
        let opened = |file| core.open_attached(&open, file).map(drop).map_err(|error| error.code());

        let [(erased, first), (_, second)] = stored;
        let erase = |tx: &mut TenantTx<'_>| tx.erase_records(&[erased.key()]).map_err(conflict);
        let event = Event::SubjectErased { tenant: acme, count: 1 };
        core.audited(&actor, &open, erase, |_| event).unwrap();
        assert_eq!(opened(&first), Ok(()), "whoever has it open reads on");
        open.files.remove(&first.file).unwrap();
        assert_eq!(opened(&first), Err("busy"));

        session.start_rekey_tenant(acme).unwrap().wait().unwrap();
        assert_eq!(opened(&second), Err("busy"));
        let open = session.open_tenant(&actor, acme).unwrap();
        let mut files = Vec::new();
        open.read(|store| store.files(|file| files.push(file))).unwrap();
        open.files.remove(&files[0].file).unwrap();
        let missing = core.open_attached(&open, &files[0]).map(drop).map_err(|error| error.code());
        assert_eq!(missing, Err("damaged"));
    }
}

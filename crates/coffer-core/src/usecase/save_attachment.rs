//! Saving an attachment outside the vault: decrypted in constant memory into a new file, which has its name only when
//! every chunk was found good. Nothing is overwritten, and the name is the one the person chose.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use coffer_crypto::stream::FileOpener;
use coffer_model::attachment::AttachmentId;
use coffer_model::event::Event;
use coffer_model::id::RecordId;
use zeroize::{Zeroize, Zeroizing};

use super::attachments::{attachment_view, damaged};
use super::seal::{GROUP_BYTES, STRIDE};
use crate::backup::BackupError;
use crate::backup::restore::refuse_existing;
use crate::fault::{CallError, Fault};
use crate::job::{JobContext, JobError, JobHandle};
use crate::pipeline::{self, Drain, Feed, FeedError};
use crate::policy::Action;
use crate::session::{Core, OpenTenant, Session};
use crate::store::files::{self, FileError, NewFile};
use crate::store::tenant::StoredAttachment;
use crate::view::{AttachmentView, ProgressUnit};

/// Why an attachment was not saved. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum SaveAttachmentError {
    /// Something is already where the file was to be. Nothing is overwritten.
    #[error("something of that name exists already")]
    TargetExists,
    /// The folder it was to be in does not exist.
    #[error("the folder for the new file does not exist")]
    NoFolder,
    /// The file could not be written there.
    #[error("the file cannot be written there")]
    Target(#[source] FileError),
    /// The call was refused or failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl SaveAttachmentError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TargetExists => "target_exists",
            Self::NoFolder => "no_folder",
            Self::Target(_) => "target_unwritable",
            Self::Call(error) => error.code(),
        }
    }
}

/// Judges a failure at the place that the person chose.
impl From<FileError> for SaveAttachmentError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Exists => Self::TargetExists,
            FileError::Missing => Self::NoFolder,
            FileError::NoSpace(_) => Self::Call(Fault::NoSpace.into()),
            other => Self::Target(other),
        }
    }
}

impl Session {
    /// Starts saving an attachment, which the record has or had, to the new file `target` (0600), as a job whose progress
    /// counts bytes.
    pub fn start_save_attachment(
        &self,
        record: RecordId,
        attachment: AttachmentId,
        target: &Path,
    ) -> Result<JobHandle<AttachmentView>, SaveAttachmentError> {
        let actor = self.authorize(Action::SaveAttachment, Some(record.tenant()))?;
        let open = self.open_tenant(&actor, record.tenant())?;
        let stored = self.core.stored_attachment(&actor, &open, record, attachment)?;
        // Said before minutes of work; other troubles with the place are met when the file is begun.
        if matches!(refuse_existing(target), Err(BackupError::TargetExists)) {
            return Err(SaveAttachmentError::TargetExists);
        }
        let core = Arc::clone(&self.core);
        let target = target.to_owned();
        let job = JobHandle::start("save-attachment", ProgressUnit::Bytes, move |context| {
            Save { core: &core, open: &open, context }.run(record, &stored, &target)
        });
        self.core.adopt(job.lease());
        Ok(job)
    }
}

/// One attachment while it is saved.
struct Save<'j> {
    core: &'j Core,
    open: &'j OpenTenant,
    context: &'j JobContext,
}

impl Save<'_> {
    fn run(&self, record: RecordId, stored: &StoredAttachment, target: &Path) -> Result<AttachmentView, JobError> {
        let actor = self.core.authorize(Action::SaveAttachment, Some(record.tenant()))?;
        self.context.set_total(stored.file.bytes);
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if self.core.host.disk.free_bytes(folder).is_some_and(|free| free < stored.file.bytes) {
            return Err(Fault::NoSpace.into());
        }
        let (source, opener) = self.core.open_attached(self.open, &stored.file)?;
        files::sweep_abandoned(target).map_err(SaveAttachmentError::from)?;
        let mut new = NewFile::beside(target).map_err(SaveAttachmentError::from)?;
        self.core.record(&actor, Event::AttachmentSaved { record, attachment: stored.id })?;
        pipeline::side_by_side(
            "attachment-decrypt",
            |feed| self.decrypt(&source, opener, feed),
            |drain| write(new.as_file_mut(), drain),
        )?;
        self.context.check()?;
        new.publish().map_err(SaveAttachmentError::from)?;
        Ok(attachment_view(stored))
    }

    fn decrypt(&self, mut source: &File, mut opener: FileOpener, feed: &Feed<Content>) -> Result<(), FeedError> {
        while opener.next_chunk().is_some() {
            self.context.check()?;
            let mut buffer = Zeroizing::new(feed.buffer());
            buffer.resize(GROUP_BYTES, 0);
            let mut lengths = Vec::with_capacity(GROUP_BYTES / STRIDE);
            for place in buffer.chunks_mut(STRIDE) {
                let Some(size) = opener.next_chunk() else { break };
                let chunk = &mut place[..size.stored];
                source.read_exact(chunk).map_err(|error| self.core.attached_unreadable(error))?;
                let content = opener.open_chunk(chunk).map_err(|_| JobError::from(damaged()))?.len();
                lengths.push(content);
                self.context.advance(content as u64);
            }
            feed.send(Content { buffer, lengths })?;
        }
        Ok(())
    }
}

/// Decrypted chunks, each at its [`STRIDE`], with their lengths. Erased when done with.
struct Content {
    buffer: Zeroizing<Vec<u8>>,
    lengths: Vec<usize>,
}

fn write(out: &mut File, drain: &Drain<Content>) -> Result<(), JobError> {
    while let Some(Content { mut buffer, lengths }) = drain.next() {
        for (chunk, length) in buffer.chunks(STRIDE).zip(lengths) {
            out.write_all(&chunk[..length]).map_err(FileError::from).map_err(SaveAttachmentError::from)?;
        }
        buffer.as_mut_slice().zeroize();
        drain.give_back(std::mem::take(&mut *buffer));
    }
    Ok(())
}

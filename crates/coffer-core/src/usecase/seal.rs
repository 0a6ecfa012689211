//! Sealing a content into the vault's folder of attachments, in constant memory: what attaching and importing share.
//! Layout: docs/FORMAT.md §4.11, §5.10.
//!
//! A content is read once: hashed, judged and encrypted on the way into a temporary file, which has no name of its own
//! before whoever asked for it publishes it.

use std::fs::File;
use std::io::{self, Read, Write};

use coffer_crypto::Random as _;
use coffer_crypto::derive::{self, Id};
use coffer_crypto::stream::{self, CHUNK_BYTES, CHUNK_OVERHEAD_BYTES, ContentDigest, FilePlace, FileSealer};
use coffer_model::attachment::MediaKind;
use zeroize::Zeroizing;

use super::attach::AttachError;
use crate::fault::{Damage, Fault};
use crate::job::{JobContext, JobError};
use crate::pipeline::{self, BUFFER_BYTES, Drain, Feed, FeedError};
use crate::session::{Core, OpenTenant};
use crate::store::error::StoreError;
use crate::store::files::{FileError, NewFile};
use crate::store::tenant::StoredFile;

/// Chunks that go through the job together.
const GROUP_CHUNKS: usize = BUFFER_BYTES / CHUNK_BYTES;
/// A chunk's place in a group's buffer: its content, and room for what encryption adds.
pub(super) const STRIDE: usize = CHUNK_BYTES + CHUNK_OVERHEAD_BYTES;
/// Bytes of a group's buffer.
pub(super) const GROUP_BYTES: usize = GROUP_CHUNKS * STRIDE;

/// Seals contents for one tenant within one job.
#[derive(Clone, Copy)]
pub(super) struct Sealing<'j> {
    pub core: &'j Core,
    pub open: &'j OpenTenant,
    pub context: &'j JobContext,
}

/// A content that is encrypted and has no name on the disk yet.
pub(super) struct Sealed {
    pub new: NewFile,
    pub file: StoredFile,
    /// What makes it the same as another content of the tenant.
    pub digest: [u8; 32],
    pub media: MediaKind,
}

/// What passes from the reading to the encrypting side: content of [`GROUP_CHUNKS`] chunks at most, each at its
/// [`STRIDE`]. Erased if it never gets there.
struct Group {
    buffer: Zeroizing<Vec<u8>>,
    content: usize,
}

impl Sealing<'_> {
    /// Encrypts the content of `source`, which has exactly so many bytes, beside its place. `unreadable` judges what goes
    /// wrong with the source; one that ends early or late fails as [`io::ErrorKind::UnexpectedEof`].
    pub fn seal(
        &self,
        source: impl Read + Send,
        bytes: u64,
        unreadable: impl Fn(io::Error) -> JobError + Send,
    ) -> Result<Sealed, JobError> {
        let stored = stream::stored_bytes(bytes).ok_or(AttachError::File(FileError::TooLarge))?;
        if self.core.host.disk.free_bytes(&self.core.folder).is_some_and(|free| free < stored) {
            return Err(Fault::NoSpace.into());
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
            "seal-read",
            move |feed| self.read(source, bytes, feed, &unreadable),
            |drain| self.write(sealer, bytes, new.as_file_mut(), drain),
        )?;
        Ok(Sealed { new, file: StoredFile { file, header, bytes }, digest, media })
    }

    /// Reads the whole content once, and judges it on the way.
    fn read(
        &self,
        mut source: impl Read,
        bytes: u64,
        feed: &Feed<Group>,
        unreadable: &impl Fn(io::Error) -> JobError,
    ) -> Result<([u8; 32], MediaKind), FeedError> {
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
            feed.send(Group { buffer, content })?;
        }
        // Longer by now than it was.
        if source.read(&mut [0]).map_err(unreadable)? > 0 {
            return Err(unreadable(io::ErrorKind::UnexpectedEof.into()).into());
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

    /// Judges a failure of the vault's own folder.
    pub fn failed(&self, error: FileError) -> JobError {
        self.core.fault(StoreError::File(error), Damage::Attachment).into()
    }
}

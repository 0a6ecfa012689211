//! The portable archive of a tenant: a tar file that stock tools read and another vault takes in as an equal tenant.
//! Pure over [`std::io`]; streamed both ways, in memory that depends on no more than the number of attachments and the
//! size of one version. Layout and limits: docs/FORMAT.md §8.9.
//!
//! Reading believes nothing: members, order and headers have to be the only ones possible, a record has to be within the
//! limits that every way in must keep, and the digest of every member has to be the one of the manifest, which comes last.
//! What a [`Sink`] was shown is not to be relied on before [`read`] has ended well.

mod entry;
mod line;
mod manifest;
mod read;
mod write;

pub use self::entry::Member;
pub use self::line::{Attachment, RecordHead, RecordLines, Version};
pub use self::manifest::{Counts, Manifest, ManifestHead};
pub use self::read::{Look, LookedRecord, Sink, is_archive, look, read, unreadable};
pub use self::write::{ArchiveWriter, Counter};

/// Most attachments' contents in an archive; a vault has fewer.
pub const MAX_FILES: u32 = 20_000;

/// An attachment's content in an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArchivedFile {
    /// Bytes of it.
    pub bytes: u64,
    /// SHA-256 of it; `None` while nobody has read it.
    pub sha256: Option<[u8; 32]>,
}

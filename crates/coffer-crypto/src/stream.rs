//! Attachments: one file's content under a fresh key, in chunks that fit their own place in their own file alone.
//! Layout: docs/FORMAT.md §4.11. Pure: randomness is an argument; whoever calls reads and writes the bytes.
//! Spec: STREAM (Hoang, Reyhanitabar, Rogaway, Vizár, "Online Authenticated-Encryption and its Nonce-Reuse
//! Misuse-Resistance", CRYPTO 2015, §8) of AES-256-GCM (SP 800-38D); lengths padded by Padmé (Nikitin et al., "Reducing
//! Metadata Leakage from Encrypted Files and Communication with PURBs", PETS 2019(4), §4).
//!
//! ```text
//! file   = header (152 bytes) ‖ chunk 0 ‖ chunk 1 ‖ …
//! header = "coffer.file/v1\n\0" ‖ file ‖ wrapped(file key ‖ u64(length))     under the tenant's file wrapping key
//! chunk  = AES-256-GCM(file key, nonce = u88(number) ‖ last, AD = SHA-256(header), 64 KiB of content and padding)
//! ```
//!
//! The header's hash stands in the tenant's row and in every chunk, so that no chunk fits another file, place or tenant,
//! and the header cannot be changed. GCM's missing commitment to the key is made good by the wrapping's.

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::Random;
use crate::aead::{ChunkCipher, NONCE_BYTES, TAG_BYTES};
use crate::derive::{self, Id, TenantScope};
use crate::label::{self, Context};
use crate::secret::{FileKey, FileWrappingKey, MacKey, SecretKey};
use crate::wrap;

/// Content of a chunk, but for the last one's.
pub const CHUNK_BYTES: usize = 64 * 1024;
/// How much longer a chunk is as it is stored.
pub const CHUNK_OVERHEAD_BYTES: usize = TAG_BYTES;
/// Length of the header.
pub const HEADER_BYTES: usize = MAGIC.len() + ID_BYTES + SECRET_BYTES + wrap::OVERHEAD_BYTES;
/// Most bytes of content: beyond any disk, and within what all arithmetic here takes.
pub const MAX_CONTENT_BYTES: u64 = 1 << 48;

/// What a file begins with: what it is, and in which version.
const MAGIC: &[u8; 16] = b"coffer.file/v1\n\0";
const ID_BYTES: usize = 16;
/// The file's key and its true length.
const SECRET_BYTES: usize = FileKey::BYTES + size_of::<u64>();
/// Shorter contents are padded to this.
const SHORTEST_PADDED: u64 = 1024;

/// Which file of which tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilePlace {
    /// The tenant, at the epoch of its key.
    pub scope: TenantScope,
    /// The file.
    pub file: Id,
}

impl FilePlace {
    fn context(&self) -> Context {
        let TenantScope { vault, tenant, epoch } = self.scope;
        Context::new(label::WRAP_FILE_KEY).bytes(vault).bytes(tenant).u64(epoch).bytes(self.file)
    }
}

/// The content is longer than [`MAX_CONTENT_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the content is too long")]
pub struct TooLong;

/// The file is not, byte for byte, what was written for this place. One case: a wrong key, another file and an altered
/// byte cannot be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key does not open this file, or it was altered")]
pub struct FileAltered;

/// Lengths of one chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkSize {
    /// Bytes of content in it; the rest is padding.
    pub content: usize,
    /// Bytes as it is stored.
    pub stored: usize,
}

/// SHA-256 of a header, which the tenant's row and every chunk carry.
pub type HeaderDigest = [u8; 32];

/// How long a content, its padding and its file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    content: u64,
    padded: u64,
}

const CHUNK: u64 = CHUNK_BYTES as u64;

impl Shape {
    fn new(content: u64) -> Result<Self, TooLong> {
        if content > MAX_CONTENT_BYTES {
            return Err(TooLong);
        }
        Ok(Self { content, padded: padme(content.max(SHORTEST_PADDED)) })
    }

    const fn chunks(self) -> u64 {
        self.padded.div_ceil(CHUNK)
    }

    const fn stored(self) -> u64 {
        HEADER_BYTES as u64 + self.padded + self.chunks() * TAG_BYTES as u64
    }

    fn chunk(self, number: u64) -> Option<ChunkSize> {
        let before = number.checked_mul(CHUNK).filter(|before| *before < self.padded)?;
        let within = |bytes: u64| usize::try_from(bytes.min(CHUNK)).expect("at most 64 KiB");
        let padded = within(self.padded - before);
        Some(ChunkSize { content: within(self.content.saturating_sub(before)).min(padded), stored: padded + TAG_BYTES })
    }
}

/// Padmé: rounds up so that a length of `2^e` keeps its `log₂ e` highest bits, at most 12 % more.
const fn padme(length: u64) -> u64 {
    let exponent = length.ilog2();
    let kept = exponent.ilog2() + 1;
    let mask = (1 << (exponent - kept)) - 1;
    (length + mask) & !mask
}

/// Bytes of the file that `content` bytes become; `None` if they are too many.
pub fn stored_bytes(content: u64) -> Option<u64> {
    Shape::new(content).ok().map(Shape::stored)
}

/// The digest of a header.
pub fn header_digest(header: &[u8]) -> HeaderDigest {
    Sha256::digest(header).into()
}

/// One file's chunks, in their order.
struct Chunks {
    shape: Shape,
    cipher: ChunkCipher,
    header: HeaderDigest,
    next: u64,
}

impl Chunks {
    fn new(shape: Shape, key: &FileKey, header: HeaderDigest) -> Self {
        Self { shape, cipher: ChunkCipher::new(key.expose()), header, next: 0 }
    }

    fn size(&self) -> Option<ChunkSize> {
        self.shape.chunk(self.next)
    }

    /// The next chunk's lengths and nonce. The counter is never used twice.
    fn advance(&mut self) -> Option<(ChunkSize, [u8; NONCE_BYTES])> {
        let size = self.size()?;
        let mut nonce = [0; NONCE_BYTES];
        nonce[3..11].copy_from_slice(&self.next.to_be_bytes());
        nonce[11] = u8::from(self.next + 1 == self.shape.chunks());
        self.next += 1;
        Some((size, nonce))
    }
}

/// Encrypts one file. Every chunk of [`FileSealer::next_chunk`] has to be sealed; else the file does not open.
pub struct FileSealer {
    chunks: Chunks,
    header: [u8; HEADER_BYTES],
}

impl FileSealer {
    /// Begins a file of `content` bytes for `place`, under a key of its own.
    pub fn begin(
        key: &FileWrappingKey,
        place: &FilePlace,
        content: u64,
        random: &mut dyn Random,
    ) -> Result<Self, TooLong> {
        let shape = Shape::new(content)?;
        let file_key = FileKey::generate(random);
        let mut secret = Zeroizing::new([0; SECRET_BYTES]);
        secret[..FileKey::BYTES].copy_from_slice(file_key.expose());
        secret[FileKey::BYTES..].copy_from_slice(&content.to_be_bytes());
        let wrapped = wrap::seal(key, &*secret, &place.context(), random);
        let mut header = [0; HEADER_BYTES];
        header[..MAGIC.len()].copy_from_slice(MAGIC);
        header[MAGIC.len()..MAGIC.len() + ID_BYTES].copy_from_slice(&place.file);
        header[MAGIC.len() + ID_BYTES..].copy_from_slice(&wrapped);
        Ok(Self { chunks: Chunks::new(shape, &file_key, header_digest(&header)), header })
    }

    /// What the file begins with.
    pub const fn header(&self) -> &[u8; HEADER_BYTES] {
        &self.header
    }

    /// The header's digest, to be kept with the tenant's rows.
    pub const fn digest(&self) -> &HeaderDigest {
        &self.chunks.header
    }

    /// The lengths of the next chunk; `None` after the last.
    pub fn next_chunk(&self) -> Option<ChunkSize> {
        self.chunks.size()
    }

    /// Encrypts the next chunk where it stands: `buffer` has its stored length and begins with its content.
    pub fn seal_chunk(&mut self, buffer: &mut [u8]) {
        let (size, nonce) = self.chunks.advance().expect("whoever calls has asked whether there is a next chunk");
        assert_eq!(buffer.len(), size.stored, "the buffer has the chunk's stored length");
        let (content, tag) = buffer.split_at_mut(size.stored - TAG_BYTES);
        content[size.content..].fill(0);
        tag.copy_from_slice(&self.chunks.cipher.encrypt(&nonce, &self.chunks.header, content));
    }
}

/// Decrypts one file. Nothing of a chunk is to be believed before [`FileOpener::open_chunk`] has given it, and nothing
/// of the file taken for whole before its last chunk was.
pub struct FileOpener {
    chunks: Chunks,
}

impl FileOpener {
    /// Begins the file at `place`, which is `stored` bytes long and whose `header` has the digest that the tenant's row
    /// says.
    pub fn begin(
        key: &FileWrappingKey,
        place: &FilePlace,
        digest: &HeaderDigest,
        header: &[u8],
        stored: u64,
    ) -> Result<Self, FileAltered> {
        if header.len() != HEADER_BYTES || header_digest(header) != *digest {
            return Err(FileAltered);
        }
        let rest = header.strip_prefix(MAGIC).ok_or(FileAltered)?;
        let (file, wrapped) = rest.split_first_chunk::<ID_BYTES>().ok_or(FileAltered)?;
        if *file != place.file {
            return Err(FileAltered);
        }
        let secret = wrap::open(key, wrapped, &place.context()).map_err(|_| FileAltered)?;
        let (file_key, content) = secret.expose().split_last_chunk().ok_or(FileAltered)?;
        let file_key = FileKey::parse(file_key).map_err(|_| FileAltered)?;
        let shape = Shape::new(u64::from_be_bytes(*content)).map_err(|_| FileAltered)?;
        if shape.stored() != stored {
            return Err(FileAltered);
        }
        Ok(Self { chunks: Chunks::new(shape, &file_key, *digest) })
    }

    /// Bytes of the content.
    pub const fn content_bytes(&self) -> u64 {
        self.chunks.shape.content
    }

    /// The lengths of the next chunk; `None` after the last.
    pub fn next_chunk(&self) -> Option<ChunkSize> {
        self.chunks.size()
    }

    /// Decrypts the next chunk where it stands, `buffer` having its stored length, and lends its content. On failure the
    /// buffer's contents are not to be used.
    pub fn open_chunk<'b>(&mut self, buffer: &'b mut [u8]) -> Result<&'b [u8], FileAltered> {
        let (size, nonce) = self.chunks.advance().ok_or(FileAltered)?;
        let (padded, tag) = buffer.split_last_chunk_mut::<TAG_BYTES>().ok_or(FileAltered)?;
        if padded.len() + TAG_BYTES != size.stored {
            return Err(FileAltered);
        }
        self.chunks.cipher.decrypt(&nonce, &self.chunks.header, padded, tag).map_err(|_| FileAltered)?;
        let (content, padding) = padded.split_at(size.content);
        if padding.iter().any(|byte| *byte != 0) {
            return Err(FileAltered);
        }
        Ok(content)
    }
}

/// What makes two contents of one tenant the same, and says nothing to anybody without the tenant's key.
pub struct ContentDigest(Hmac<Sha256>);

impl ContentDigest {
    /// Begins the digest of a content under the tenant's [`derive::derive_file_digest_key`].
    pub fn new(key: &MacKey) -> Self {
        Self(derive::hmac(key.expose(), label::FILE_DIGEST, &[]))
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all that was taken.
    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_grows_with_the_length_by_at_most_an_eighth_and_leaves_few_lengths() {
        assert_eq!(
            (padme(1024), padme(1025), padme(1 << 30), padme((1 << 30) + 1)),
            (1024, 1088, 1 << 30, (1 << 30) + (1 << 25))
        );
        let mut seen = std::collections::BTreeSet::new();
        let mut before = 0;
        for length in SHORTEST_PADDED..1 << 17 {
            let padded = padme(length);
            assert!(padded >= length && padded >= before && padded - length <= length / 8, "{length}");
            before = padded;
            seen.insert(padded);
        }
        assert!(seen.len() < 150, "{}", seen.len());
        // The paper's algorithm 1, by hand.
        assert_eq!([9, 10, 100, 1000, 10_000].map(padme), [10, 10, 104, 1024, 10_240]);
    }

    #[test]
    fn short_contents_cannot_be_told_apart_by_their_files() {
        let lengths: Vec<_> = [0, 1, 500, 1024].map(stored_bytes).into_iter().collect();
        assert!(lengths.iter().all(|length| *length == lengths[0] && length.is_some()));
        assert_eq!(stored_bytes(1024), Some(152 + 1024 + 16));
        assert_eq!((stored_bytes(MAX_CONTENT_BYTES).is_some(), stored_bytes(MAX_CONTENT_BYTES + 1)), (true, None));
    }
}

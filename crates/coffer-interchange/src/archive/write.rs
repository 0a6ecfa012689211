//! Writing an archive, member by member. Pure over `io::Write`. Layout: docs/FORMAT.md §8.9.

use std::io::{self, Write};

use coffer_model::template::KindTemplate;
use sha2::{Digest, Sha256};

use super::entry::{self, BLOCK_BYTES, END_BLOCKS, EntryHeader, Member};
use super::manifest::{Content, Counts, Manifest, ManifestHead};

/// What is written first, for whoever has no Coffer.
const README: &str = include_str!("README.txt");

/// Writes an archive. What was written is worth nothing before [`ArchiveWriter::finish`].
///
/// Members come in their order: [`ArchiveWriter::begin`], the bytes announced through [`Write`], [`ArchiveWriter::end`].
pub struct ArchiveWriter<W> {
    out: W,
    head: ManifestHead,
    contents: Vec<Content>,
    open: Option<Open>,
}

/// The member that is being written.
struct Open {
    member: Member,
    bytes: u64,
    left: u64,
    hash: Sha256,
}

impl<W> std::fmt::Debug for ArchiveWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArchiveWriter").field("members", &self.contents.len()).finish_non_exhaustive()
    }
}

impl<W: Write> ArchiveWriter<W> {
    /// Begins an archive with what tells its receiver about it, and with the kinds of the vault's own that its records use.
    pub fn new(out: W, head: ManifestHead, kinds: &[KindTemplate]) -> io::Result<Self> {
        let readme = readme(&head);
        let mut kinds = serde_json::to_vec_pretty(kinds)?;
        kinds.push(b'\n');
        let mut archive = Self { out, head, contents: Vec::new(), open: None };
        archive.put(Member::Readme, readme.as_bytes())?;
        archive.put(Member::Kinds, &kinds)?;
        Ok(archive)
    }

    /// Begins the next member, of exactly this many bytes.
    pub fn begin(&mut self, member: Member, bytes: u64) -> io::Result<()> {
        let header = EntryHeader { member, bytes, seconds: entry::seconds(self.head.made_at) };
        self.out.write_all(&header.encode())?;
        self.open = Some(Open { member, bytes, left: bytes, hash: Sha256::new() });
        Ok(())
    }

    /// Ends the member; gives the SHA-256 of its bytes. That there are fewer than announced is an error.
    pub fn end(&mut self) -> io::Result<[u8; 32]> {
        let open = self.open.take().filter(|open| open.left == 0).ok_or_else(other_length)?;
        self.out.write_all(&[0; BLOCK_BYTES][..entry::padding(open.bytes)])?;
        let sha256 = open.hash.finalize().into();
        self.contents.push(Content::new(open.member, open.bytes, &sha256));
        Ok(sha256)
    }

    /// Ends the archive with its manifest and the digests; gives what it was written to.
    pub fn finish(mut self, counts: Counts) -> io::Result<W> {
        let manifest = Manifest::new(self.head.clone(), counts, self.contents.clone());
        let sha256 = self.put(Member::Manifest, &manifest.encode())?;
        self.put(Member::Sums, manifest.sums(&sha256).as_bytes())?;
        self.out.write_all(&[0; END_BLOCKS * BLOCK_BYTES])?;
        Ok(self.out)
    }

    fn put(&mut self, member: Member, bytes: &[u8]) -> io::Result<[u8; 32]> {
        self.begin(member, bytes.len() as u64)?;
        self.write_all(bytes)?;
        self.end()
    }
}

impl<W: Write> Write for ArchiveWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let open = self.open.as_mut().ok_or_else(other_length)?;
        let written = self.out.write(bytes)?;
        open.left = open.left.checked_sub(written as u64).ok_or_else(other_length)?;
        open.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// What was to be written has another length than was announced: a bug, or a file that changed meanwhile.
fn other_length() -> io::Error {
    io::Error::other("a member of the archive has another length than was announced")
}

fn readme(head: &ManifestHead) -> String {
    README
        .replace("{tenant}", &head.tenant)
        .replace("{made_at}", &head.made_at.to_string())
        .replace("{made_by}", &head.made_by)
}

/// Counts what is written to it and keeps nothing: tar says how long a member is before its first byte.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counter(u64);

impl Counter {
    /// Bytes so far.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use coffer_model::time::Timestamp;

    use super::*;

    #[test]
    fn a_member_of_another_length_than_announced_is_an_error() {
        let head =
            ManifestHead { tenant: "ACME".to_owned(), made_at: Timestamp::UNIX_EPOCH, made_by: "ines".to_owned() };
        let mut archive = ArchiveWriter::new(Vec::new(), head, &[]).unwrap();
        archive.begin(Member::File(1), 3).unwrap();
        archive.write_all(b"ab").unwrap();
        assert!(archive.end().is_err());
        archive.begin(Member::File(1), 3).unwrap();
        assert!(archive.write_all(b"abcd").is_err());
        assert!(archive.write_all(b"a").is_err() || archive.end().is_err());
    }
}

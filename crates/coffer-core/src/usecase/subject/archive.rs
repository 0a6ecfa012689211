//! The file that a person is given: a tar archive with `person.json`, `person.txt` and the attachments. Layout:
//! docs/FORMAT.md, "What a person is given". Spec: POSIX.1-1988 ustar.

use std::io::{self, Write};

use coffer_model::time::Timestamp;
use tar::{EntryType, Header};

/// Bytes of a block; headers, data and the end are whole numbers of them.
const BLOCK_BYTES: usize = 512;
/// Mode of every file once it is unpacked.
const MODE: u32 = 0o600;

/// An archive while it is written.
pub(super) struct Archive<W> {
    out: W,
    seconds: u64,
    /// Bytes that the entry begun last still needs, and what fills up its last block.
    left: u64,
    padding: usize,
}

impl<W: Write> Archive<W> {
    /// Begins an archive whose entries all have the time `at`.
    pub(super) fn new(out: W, at: Timestamp) -> Self {
        Self { out, seconds: u64::try_from(at.unix_millis() / 1000).unwrap_or(0), left: 0, padding: 0 }
    }

    /// Begins a file of `size` bytes. `name` is short, relative and this program's own.
    pub(super) fn begin(&mut self, name: &str, size: u64) -> io::Result<()> {
        self.end()?;
        let mut header = Header::new_ustar();
        header.set_path(name)?;
        header.set_entry_type(EntryType::Regular);
        header.set_mode(MODE);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(self.seconds);
        header.set_size(size);
        header.set_cksum();
        self.out.write_all(header.as_bytes())?;
        let block = BLOCK_BYTES as u64;
        self.left = size;
        self.padding = usize::try_from((block - size % block) % block).expect("less than a block");
        Ok(())
    }

    /// Writes the next bytes of the file.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.left = self.left.checked_sub(bytes.len() as u64).ok_or(io::ErrorKind::InvalidData)?;
        self.out.write_all(bytes)
    }

    /// Writes a whole file.
    pub(super) fn push(&mut self, name: &str, content: &[u8]) -> io::Result<()> {
        self.begin(name, content.len() as u64)?;
        self.write(content)
    }

    /// Ends the archive.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.end()?;
        self.out.write_all(&[0; 2 * BLOCK_BYTES])?;
        self.out.flush()
    }

    fn end(&mut self) -> io::Result<()> {
        if self.left > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let padding = std::mem::take(&mut self.padding);
        self.out.write_all(&[0; BLOCK_BYTES][..padding])
    }
}

//! Files of other programs: which format one has, what opens it, and why it cannot be read. Pure over `Read + Seek`.
//! Rules: docs/FORMAT.md §8.4.
//!
//! The format is told by the content, never by the name. Formats of other programs, but for CSV, are read whole, within
//! limits, since they are encrypted or nested as a whole.

use std::io::{self, Read, Seek, SeekFrom};

use zeroize::Zeroizing;

use crate::neutral::Collection;
use crate::{archive, bitwarden, kdbx, onepux};

/// Largest file of a format other than CSV.
pub const FILE_BYTES: u64 = 512 * 1024 * 1024;
/// Most bytes that come out of decompression, whatever the ratio.
pub const EXPANDED_BYTES: u64 = 512 * 1024 * 1024;
/// Most bytes out for each byte in, beyond the first [`EXPANDED_FREE`]: what people write compresses less.
pub const EXPANSION: u64 = 100;
/// Bytes that may come out of decompression whatever the ratio.
pub const EXPANDED_FREE: u64 = 16 * 1024 * 1024;
/// Most bytes of text (JSON or XML) that are taken apart.
pub const TEXT_BYTES: u64 = 256 * 1024 * 1024;
/// What every age file begins with. Of what is encrypted so, an archive alone is imported.
const AGE_MAGIC: &[u8] = b"age-encryption.org/v1\n";
/// Bytes looked at to tell the format.
const PROBE_BYTES: u64 = 4096;

/// A format that can be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A table: RFC 4180.
    Csv,
    /// KeePass, version 4 of its file.
    Kdbx,
    /// Bitwarden's JSON export, plain or protected by a password of its own.
    Bitwarden,
    /// 1Password's export.
    OnePux,
    /// Coffer's own archive of a tenant, plain or encrypted with age.
    Archive,
}

impl Format {
    /// Every format, in the order offered.
    pub const ALL: [Self; 5] = [Self::Csv, Self::Kdbx, Self::Bitwarden, Self::OnePux, Self::Archive];

    /// The permanent name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Kdbx => "kdbx",
            Self::Bitwarden => "bitwarden",
            Self::OnePux => "1pux",
            Self::Archive => "archive",
        }
    }

    /// Takes the permanent name.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.code() == code)
    }
}

/// What a file asks for before it can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// The format found.
    pub format: Format,
    /// Whether the file is encrypted, so that a passphrase or a key file is needed.
    pub secret: bool,
}

/// What opens an encrypted file of another program.
#[derive(Clone, Default)]
pub struct SourceKeys {
    /// The passphrase as typed, UTF-8.
    pub passphrase: Option<Zeroizing<Vec<u8>>>,
    /// The bytes of a key file.
    pub key_file: Option<Zeroizing<Vec<u8>>>,
}

impl std::fmt::Debug for SourceKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SourceKeys")
            .field("passphrase", &self.passphrase.is_some())
            .field("key_file", &self.key_file.is_some())
            .finish()
    }
}

/// Largest key file that is read.
pub const KEY_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Why a file of another program cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file system refused.
    #[error("the file cannot be read")]
    Unreadable(#[from] io::Error),
    /// More than 512 MiB, or more than 256 MiB of text.
    #[error("the file is too large to be imported")]
    TooLarge,
    /// The content is of another format than was asked for.
    #[error("the file is not of the format named; it looks like {}", .0.code())]
    OtherFormat(Format),
    /// It is not what its format demands.
    #[error("the file is damaged or not what its beginning says")]
    Damaged,
    /// A version of the format that is not read.
    #[error("the file is of a version that cannot be read")]
    OtherVersion,
    /// A cipher or key derivation that is not read.
    #[error("the file is encrypted in a way that cannot be read")]
    Unsupported,
    /// It is encrypted and no passphrase or key file came along.
    #[error("the file is encrypted: it needs its passphrase or key file")]
    NeedsKey,
    /// The passphrase or key file does not open it.
    #[error("the passphrase or key file does not open the file, or the file is damaged")]
    WrongKey,
    /// A passphrase or key file came along and the file is not encrypted with one.
    #[error("the file is not encrypted with a {0}")]
    NoSuchKey(&'static str),
    /// Its key derivation asks for more than 1 GiB of memory or for minutes of work.
    #[error("the file asks for an absurd amount of work to derive its key")]
    KdfTooCostly,
    /// Not enough memory for the key derivation.
    #[error("there is not enough memory to derive the file's key")]
    OutOfMemory,
    /// Decompressed, it would be out of all proportion.
    #[error("the file expands out of all proportion when decompressed")]
    Expands,
    /// More entries, groups or levels than any file has.
    #[error("the file has more entries or levels than can be imported")]
    TooMany,
    /// A name inside leads out of the archive.
    #[error("a name inside the archive leads out of it")]
    UnsafeName,
    /// Bitwarden's export that only the exporting account can open.
    #[error("the export is encrypted for one Bitwarden account only")]
    AccountBound,
    /// It holds no entries.
    #[error("the file holds no entries")]
    Empty,
}

impl SourceError {
    /// The permanent code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "file_unreadable",
            Self::TooLarge => "source_too_large",
            Self::OtherFormat(_) => "source_other_format",
            Self::Damaged => "source_damaged",
            Self::OtherVersion => "source_other_version",
            Self::Unsupported => "source_unsupported",
            Self::NeedsKey => "source_needs_key",
            Self::WrongKey => "source_wrong_key",
            Self::NoSuchKey(_) => "source_not_encrypted",
            Self::KdfTooCostly => "source_kdf_too_costly",
            Self::OutOfMemory => "out_of_memory",
            Self::Expands => "source_expands",
            Self::TooMany => "source_too_many",
            Self::UnsafeName => "source_unsafe_name",
            Self::AccountBound => "source_account_bound",
            Self::Empty => "source_empty",
        }
    }
}

/// Tells the format of a file and whether it is encrypted, and rewinds it. What is nothing else is taken for a table.
pub fn detect<R: Read + Seek>(reader: &mut R) -> Result<Needs, SourceError> {
    let mut probe = Zeroizing::new(Vec::new());
    reader.by_ref().take(PROBE_BYTES).read_to_end(&mut probe)?;
    reader.seek(SeekFrom::Start(0))?;
    let needs = |format, secret| Ok(Needs { format, secret });
    if kdbx::is_kdbx(&probe) {
        return needs(Format::Kdbx, true);
    }
    if onepux::is_archive(&probe) {
        return needs(Format::OnePux, false);
    }
    if archive::is_archive(&probe) {
        return needs(Format::Archive, false);
    }
    if probe.starts_with(AGE_MAGIC) {
        return needs(Format::Archive, true);
    }
    if !begins_as_json(&probe) {
        return needs(Format::Csv, false);
    }
    let text = read_bounded(reader, TEXT_BYTES);
    reader.seek(SeekFrom::Start(0))?;
    match bitwarden::form(&text?) {
        Some(form) => needs(Format::Bitwarden, form.is_encrypted()),
        // A table may begin with a brace.
        None => needs(Format::Csv, false),
    }
}

/// Reads a file that is neither a table nor an archive. `keys` must be what it needs and no more.
pub fn read<R: Read + Seek>(format: Format, reader: &mut R, keys: &SourceKeys) -> Result<Collection, SourceError> {
    let collection = match format {
        Format::Csv | Format::Archive => return Err(SourceError::OtherFormat(detect(reader)?.format)),
        Format::Kdbx => kdbx::read(&read_bounded(reader, FILE_BYTES)?, keys)?,
        Format::Bitwarden => bitwarden::read(&read_bounded(reader, TEXT_BYTES)?, keys)?,
        Format::OnePux => onepux::read(reader, keys)?,
    };
    if collection.entries.is_empty() && collection.losses_counted == 0 {
        return Err(SourceError::Empty);
    }
    Ok(collection)
}

fn begins_as_json(probe: &[u8]) -> bool {
    let text = probe.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(probe);
    text.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
}

/// Everything that is left of a file, at most `limit` bytes, in memory that is erased.
pub(crate) fn read_bounded(reader: &mut impl Read, limit: u64) -> Result<Zeroizing<Vec<u8>>, SourceError> {
    const STEP: usize = 64 * 1024;
    let mut bytes = Zeroizing::new(Vec::new());
    loop {
        let start = bytes.len();
        if u64::try_from(start).is_ok_and(|read| read > limit) {
            return Err(SourceError::TooLarge);
        }
        reserve_erased(&mut bytes, STEP);
        bytes.resize(start + STEP, 0);
        let read = reader.read(&mut bytes[start..]);
        bytes.truncate(start + read.as_ref().map_or(0, |read| *read));
        match read {
            Ok(0) => return Ok(bytes),
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error.into()),
            Ok(_) | Err(_) => {}
        }
    }
}

/// Makes room without leaving a copy behind, as `Vec` would when it moves.
fn reserve_erased(bytes: &mut Zeroizing<Vec<u8>>, more: usize) {
    let needed = bytes.len() + more;
    if needed > bytes.capacity() {
        let mut wider = Zeroizing::new(Vec::with_capacity(needed.max(2 * bytes.capacity())));
        wider.extend_from_slice(bytes);
        *bytes = wider;
    }
}

/// Everything a decompressor gives for `compressed` bytes, at most `limit`; refused when it is out of proportion.
pub(crate) fn expand(reader: &mut impl Read, compressed: u64, limit: u64) -> Result<Zeroizing<Vec<u8>>, SourceError> {
    let proportion = compressed.saturating_mul(EXPANSION).clamp(EXPANDED_FREE, EXPANDED_BYTES);
    match read_bounded(reader, proportion.min(limit)) {
        Err(SourceError::TooLarge) if proportion <= limit => Err(SourceError::Expands),
        // What the system refuses has its number; what else a decompressor refuses is the data.
        Err(SourceError::Unreadable(error)) if error.raw_os_error().is_none() => Err(SourceError::Damaged),
        done => done,
    }
}

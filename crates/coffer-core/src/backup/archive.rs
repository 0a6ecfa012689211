//! A whole backup as a stream: age around tar around the vault's files, the signed manifest last.
//! Layout: docs/FORMAT.md, "Backups". Reads and writes streams; where they lead is the caller's to know.
//!
//! Reading believes nothing: names, order, sizes and headers have to be the only ones possible, every file has to have
//! the size and SHA-256 the manifest says, and the manifest is [`Unverified`] until a key the caller trusts has signed
//! it. Nothing is compressed, so what comes out is never larger than the file.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::str::FromStr;

use age::{DecryptError, Decryptor, Encryptor, x25519};
use coffer_crypto::secret::AgeIdentity;
use coffer_crypto::sign::{SigningKey, VerifyingKey};
use coffer_evidence::manifest::{BackupPath, MAX_FILES, Manifest, ManifestFile, ManifestHead};
use coffer_evidence::note::{self, SignedNote, Signer};
use coffer_model::id::VaultId;
use sha2::{Digest, Sha256};

use super::BackupError;
use super::entry::{self, BLOCK_BYTES, Block, END_BLOCKS, EntryHeader, Name};
use crate::fault::Fault;
use crate::job::{JobContext, JobError};
use crate::pipeline::{self, BUFFER_BYTES, Drain, Feed, FeedError};
use crate::store::files::{self, FileError};

/// What every age file begins with.
const AGE_MAGIC: &[u8] = b"age-encryption.org/v1\n";
/// What begins the last line of an age header.
const AGE_HEADER_END: &[u8] = b"\n--- ";
/// Most bytes of an age header that is looked at. Ours, with two recipients, has about 400.
const MAX_AGE_HEADER_BYTES: usize = 16 * 1024;

/// A file to be copied into a backup. Nobody changes it until the copy is made.
#[derive(Debug)]
pub(crate) struct SourceFile {
    pub(crate) path: BackupPath,
    pub(crate) content: Content,
    pub(crate) size: u64,
}

/// Where a source's bytes are.
#[derive(Debug)]
pub(crate) enum Content {
    /// In an open file.
    File(File),
    /// In a file that nobody changes or removes, to be opened when it is read: there may be more of these than a process
    /// may have open.
    Closed(PathBuf),
    /// Read already.
    Memory(Vec<u8>),
}

/// A source that is being read.
enum Opened<'s> {
    Lent(&'s File),
    Own(File),
    Memory(&'s [u8]),
}

impl Content {
    fn open(&self) -> Result<Opened<'_>, FileError> {
        Ok(match self {
            Self::File(file) => Opened::Lent(file),
            Self::Closed(path) => Opened::Own(files::open_private_file(path)?),
            Self::Memory(bytes) => Opened::Memory(bytes),
        })
    }
}

impl Opened<'_> {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        match self {
            Self::Lent(file) => file.read_exact_at(buffer, offset),
            Self::Own(file) => file.read_exact_at(buffer, offset),
            Self::Memory(bytes) => {
                let start = usize::try_from(offset).ok();
                let part = start.and_then(|start| bytes.get(start..)?.get(..buffer.len()));
                buffer.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
                Ok(())
            }
        }
    }
}

/// A backup that has been written.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) manifest: Manifest,
    /// The manifest with its signature.
    pub(crate) note: String,
}

/// What is inside a backup, equal to its own manifest. Who made the manifest is not known yet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unverified {
    manifest: Manifest,
    note: String,
}

impl Unverified {
    /// The manifest, if one of `devices` has signed it.
    pub(crate) fn authenticate(&self, devices: &[VerifyingKey]) -> Result<&Manifest, BackupError> {
        let signed = open_manifest(self.manifest.head.vault, self.note.as_bytes(), devices)?;
        if signed == self.manifest { Ok(&self.manifest) } else { Err(BackupError::Untrusted) }
    }

    /// What the manifest says. Not to be acted on.
    pub(crate) fn claims(&self) -> &Manifest {
        &self.manifest
    }
}

/// Reads a signed manifest of the vault, if one of `devices` has signed it.
pub(crate) fn open_manifest(vault: VaultId, note: &[u8], devices: &[VerifyingKey]) -> Result<Manifest, BackupError> {
    let known: Vec<Signer> = devices.iter().filter_map(|key| Signer::device(vault, &key.encode()).ok()).collect();
    let note = std::str::from_utf8(note).map_err(|_| BackupError::Untrusted)?;
    let manifest = Manifest::open(note, &known).map_err(|_| BackupError::Untrusted)?;
    if manifest.head.vault == vault { Ok(manifest) } else { Err(BackupError::OtherVault) }
}

/// Where the files of a backup go while it is read. Not to be relied on before the reading has ended well.
pub(crate) trait Sink {
    /// A file begins.
    fn begin(&mut self, path: &BackupPath) -> Result<(), FileError>;
    /// The next bytes of the file that began last.
    fn write(&mut self, bytes: &[u8]) -> Result<(), FileError>;
    /// The file is complete.
    fn end(&mut self) -> Result<(), FileError>;
}

/// Keeps nothing: for looking.
pub(crate) struct Nowhere;

impl Sink for Nowhere {
    fn begin(&mut self, _: &BackupPath) -> Result<(), FileError> {
        Ok(())
    }

    fn write(&mut self, _: &[u8]) -> Result<(), FileError> {
        Ok(())
    }

    fn end(&mut self) -> Result<(), FileError> {
        Ok(())
    }
}

/// Writes a backup of `files` to `out`, signed by the device's `key`, for `recipients` to open.
///
/// One pass: what is hashed is what is copied. `files` are in ascending order of their paths.
pub(crate) fn write(
    out: impl Write,
    recipients: &[String],
    head: ManifestHead,
    files: &[SourceFile],
    key: &SigningKey,
    context: &JobContext,
) -> Result<Written, JobError> {
    context.set_total(files.iter().map(|file| file.size).sum());
    let seconds = entry::seconds(head.made_at);
    let mut out = encrypt(recipients, out)?;
    let (hashed, ()) = pipeline::side_by_side(
        "backup-read",
        |feed| read_sources(files, feed, context),
        |drain| {
            let mut left = 0;
            while let Some(piece) = drain.next() {
                match piece {
                    Piece::Begin(path, size) => {
                        finish_entry(&mut out, left)?;
                        left = size;
                        let header = EntryHeader { name: Name::File(path), size, seconds };
                        out.write_all(&header.encode()).map_err(write_failed)?;
                    }
                    Piece::Bytes(bytes) => {
                        out.write_all(&bytes).map_err(write_failed).map(|()| drain.give_back(bytes))?;
                    }
                }
            }
            finish_entry(&mut out, left)
        },
    )?;
    let manifest = Manifest::new(head, hashed).map_err(|_| JobError::Bug)?;
    let signer = Signer::device(manifest.head.vault, &key.verifying_key().encode()).map_err(|_| JobError::Bug)?;
    let note = note::write_note(&manifest.encode(), &signer, |text| key.sign_note(text)).map_err(|_| JobError::Bug)?;
    let header = EntryHeader { name: Name::Manifest, size: note.len() as u64, seconds };
    out.write_all(&header.encode()).map_err(write_failed)?;
    out.write_all(note.as_bytes()).map_err(write_failed)?;
    finish_entry(&mut out, header.size)?;
    out.write_all(&[0; END_BLOCKS * BLOCK_BYTES]).map_err(write_failed)?;
    out.finish().and_then(|mut out| out.flush()).map_err(write_failed)?;
    Ok(Written { manifest, note })
}

/// What the reading side hands to the encrypting side.
enum Piece {
    /// A file begins, of this size.
    Begin(BackupPath, u64),
    /// The next bytes of it.
    Bytes(Vec<u8>),
}

fn read_sources(
    files: &[SourceFile],
    feed: &Feed<Piece>,
    context: &JobContext,
) -> Result<Vec<ManifestFile>, FeedError> {
    let mut hashed = Vec::with_capacity(files.len());
    for source in files {
        let opened = source.content.open().map_err(BackupError::from)?;
        feed.send(Piece::Begin(source.path.clone(), source.size))?;
        let mut hash = Sha256::new();
        let mut offset = 0;
        while offset < source.size {
            context.check()?;
            let mut buffer = feed.buffer();
            let most = usize::try_from(source.size - offset).map_or(buffer.len(), |left| left.min(buffer.len()));
            buffer.truncate(most);
            // A file that ends early was changed under our lock; the archive must not go on with other bytes.
            opened.read_exact_at(&mut buffer, offset).map_err(FileError::from).map_err(BackupError::from)?;
            hash.update(&buffer);
            offset += buffer.len() as u64;
            context.advance(buffer.len() as u64);
            feed.send(Piece::Bytes(buffer))?;
        }
        hashed.push(ManifestFile { path: source.path.clone(), size: source.size, sha256: hash.finalize().into() });
    }
    Ok(hashed)
}

fn finish_entry(out: &mut impl Write, size: u64) -> Result<(), JobError> {
    out.write_all(&[0; BLOCK_BYTES][..entry::padding(size)]).map_err(write_failed)
}

fn encrypt<W: Write>(recipients: &[String], out: W) -> Result<age::stream::StreamWriter<W>, JobError> {
    let recipients: Vec<x25519::Recipient> =
        recipients.iter().map(|text| text.parse()).collect::<Result<_, _>>().map_err(|_| damaged_plan())?;
    let encryptor = Encryptor::with_recipients(recipients.iter().map(|recipient| recipient as &dyn age::Recipient))
        .map_err(|_| damaged_plan())?;
    encryptor.wrap_output(out).map_err(write_failed)
}

/// Recipients come from the backup plan, which an administrator signed.
fn damaged_plan() -> JobError {
    Fault::Damaged(crate::fault::Damage::BackupPlan).into()
}

fn write_failed(error: io::Error) -> JobError {
    BackupError::from(FileError::from(error)).into()
}

/// Reads a backup to its end with whichever of `identities` opens it, its files into `sink`.
pub(crate) fn read(
    source: &File,
    identities: &[&AgeIdentity],
    sink: &mut impl Sink,
    context: &JobContext,
) -> Result<Unverified, JobError> {
    let identities = parse_identities(identities)?;
    let ((), unverified) = pipeline::side_by_side(
        "backup-decrypt",
        |feed| decrypt(source, &identities, feed, context),
        |drain| Reader::new(drain).read_archive(sink),
    )?;
    Ok(unverified)
}

fn parse_identities(identities: &[&AgeIdentity]) -> Result<Vec<x25519::Identity>, JobError> {
    let parse = |identity: &&AgeIdentity| {
        let text = identity.encode();
        let text = std::str::from_utf8(text.expose()).ok()?;
        x25519::Identity::from_str(text).ok()
    };
    identities.iter().map(parse).collect::<Option<_>>().ok_or(JobError::Bug)
}

/// Decrypts `source` into buffers, to its last byte: age says only there whether it was cut short.
fn decrypt(
    source: &File,
    identities: &[x25519::Identity],
    feed: &Feed<Vec<u8>>,
    context: &JobContext,
) -> Result<(), FeedError> {
    check_age_header(source)?;
    let length = source.metadata().map_err(read_failed)?.len();
    context.set_total(length);
    let source = BufReader::with_capacity(BUFFER_BYTES, FromStart { file: source, offset: 0 });
    let decryptor = Decryptor::new_buffered(source).map_err(not_decrypted)?;
    let mut plain =
        decryptor.decrypt(identities.iter().map(|identity| identity as &dyn age::Identity)).map_err(not_decrypted)?;
    loop {
        context.check()?;
        let mut buffer = feed.buffer();
        let filled = fill(&mut plain, &mut buffer).map_err(read_failed)?;
        if filled == 0 {
            return Ok(());
        }
        buffer.truncate(filled);
        context.advance(filled as u64);
        feed.send(buffer)?;
    }
}

/// Reads a file from its start whatever its offset is, so that it can be read twice.
struct FromStart<'a> {
    file: &'a File,
    offset: u64,
}

impl Read for FromStart<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}

fn check_age_header(source: &File) -> Result<(), JobError> {
    if has_age_header(source).map_err(read_failed)? { Ok(()) } else { Err(BackupError::NotABackup.into()) }
}

/// Whether a file begins as age's do and its header ends where every real one has ended: bounds what age's parser, which
/// has no limit of its own, is given to read.
pub(crate) fn has_age_header(source: &File) -> io::Result<bool> {
    let mut start = vec![0; MAX_AGE_HEADER_BYTES];
    let filled = fill(&mut FromStart { file: source, offset: 0 }, &mut start)?;
    let start = &start[..filled];
    let ends = start.windows(AGE_HEADER_END.len()).any(|part| part == AGE_HEADER_END);
    Ok(start.starts_with(AGE_MAGIC) && ends)
}

fn fill(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn not_decrypted(error: DecryptError) -> JobError {
    match error {
        DecryptError::NoMatchingKeys => BackupError::WrongKey.into(),
        DecryptError::Io(error) => read_failed(error),
        DecryptError::DecryptionFailed | DecryptError::InvalidMac | DecryptError::KeyDecryptionFailed => {
            BackupError::Damaged.into()
        }
        DecryptError::InvalidHeader | DecryptError::UnknownFormat | DecryptError::ExcessiveWork { .. } => {
            BackupError::NotABackup.into()
        }
    }
}

/// age reports a chunk that does not authenticate as an I/O error too; only the system's own carry its code.
fn read_failed(error: io::Error) -> JobError {
    match error.raw_os_error() {
        Some(_) => BackupError::from(FileError::from(error)).into(),
        None => BackupError::Damaged.into(),
    }
}

/// The archive inside, as a strict parser sees it.
struct Reader<'d> {
    drain: &'d Drain<Vec<u8>>,
    buffer: Vec<u8>,
    used: usize,
}

impl<'d> Reader<'d> {
    fn new(drain: &'d Drain<Vec<u8>>) -> Self {
        Self { drain, buffer: Vec::new(), used: 0 }
    }

    fn read_archive(mut self, sink: &mut impl Sink) -> Result<Unverified, JobError> {
        let mut files: Vec<ManifestFile> = Vec::new();
        let mut time = None;
        loop {
            let header = EntryHeader::parse(&self.block()?).ok_or(BackupError::Damaged)?;
            if *time.get_or_insert(header.seconds) != header.seconds {
                return Err(BackupError::Damaged.into());
            }
            let path = match header.name {
                Name::File(path) => path,
                Name::Manifest => return self.read_end(header.size, header.seconds, &files),
            };
            // Ascending, so no name comes twice.
            if files.last().is_some_and(|last| last.path >= path) || files.len() == MAX_FILES {
                return Err(BackupError::Damaged.into());
            }
            sink.begin(&path).map_err(BackupError::from)?;
            let mut hash = Sha256::new();
            self.take(header.size, |bytes| {
                hash.update(bytes);
                Ok(sink.write(bytes).map_err(BackupError::from)?)
            })?;
            sink.end().map_err(BackupError::from)?;
            self.zeros(entry::padding(header.size))?;
            files.push(ManifestFile { path, size: header.size, sha256: hash.finalize().into() });
        }
    }

    fn read_end(mut self, size: u64, seconds: u64, files: &[ManifestFile]) -> Result<Unverified, JobError> {
        if usize::try_from(size).map_or(true, |size| size > note::MAX_NOTE_BYTES) {
            return Err(BackupError::Damaged.into());
        }
        let mut note = Vec::new();
        self.take(size, |bytes| {
            note.extend_from_slice(bytes);
            Ok(())
        })?;
        self.zeros(entry::padding(size))?;
        self.zeros(END_BLOCKS * BLOCK_BYTES)?;
        // Nothing behind the end, and the end itself authenticated by age.
        if self.available().is_some() {
            return Err(BackupError::Damaged.into());
        }
        let note = String::from_utf8(note).map_err(|_| BackupError::Damaged)?;
        let form = SignedNote::parse(&note).map_err(|_| BackupError::Damaged)?;
        let manifest = Manifest::parse(form.unverified_text()).map_err(|_| BackupError::Damaged)?;
        if manifest.files() != files || entry::seconds(manifest.head.made_at) != seconds {
            return Err(BackupError::Damaged.into());
        }
        Ok(Unverified { manifest, note })
    }

    /// Whatever comes next, at least one byte; none at the end.
    fn available(&mut self) -> Option<&[u8]> {
        while self.used == self.buffer.len() {
            let next = self.drain.next()?;
            self.drain.give_back(std::mem::replace(&mut self.buffer, next));
            self.used = 0;
        }
        Some(&self.buffer[self.used..])
    }

    /// Gives the next `size` bytes to `use_bytes`, in pieces.
    fn take(&mut self, size: u64, mut use_bytes: impl FnMut(&[u8]) -> Result<(), JobError>) -> Result<(), JobError> {
        let mut left = size;
        while left > 0 {
            let bytes = self.available().ok_or(BackupError::Damaged)?;
            let taken = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
            use_bytes(&bytes[..taken])?;
            self.used += taken;
            left -= taken as u64;
        }
        Ok(())
    }

    fn block(&mut self) -> Result<Block, JobError> {
        let mut block = [0; BLOCK_BYTES];
        let mut filled = 0;
        self.take(BLOCK_BYTES as u64, |bytes| {
            block[filled..filled + bytes.len()].copy_from_slice(bytes);
            filled += bytes.len();
            Ok(())
        })?;
        Ok(block)
    }

    fn zeros(&mut self, count: usize) -> Result<(), JobError> {
        self.take(count as u64, |bytes| {
            if bytes.iter().all(|byte| *byte == 0) { Ok(()) } else { Err(BackupError::Damaged.into()) }
        })
    }
}

//! Reading an archive as a stream, believing nothing of it. Pure over `io::Read`. Layout: docs/FORMAT.md §8.9.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use coffer_model::record::RecordKind;
use coffer_model::template::KindTemplate;
use serde::de::DeserializeSeed as _;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::entry::{self, BLOCK_BYTES, Block, END_BLOCKS, EntryHeader, Member};
use super::line::{Budget, RecordHead, RecordSeed, Version};
use super::manifest::{Content, Counts, MAX_MANIFEST_BYTES, Manifest};
use super::{ArchivedFile, MAX_FILES};
use crate::source::{SourceError, read_bounded};

/// Most bytes of the text for the receiver, and of the kinds' templates.
const MAX_SMALL_BYTES: u64 = 16 * 1024 * 1024;
/// Where a tar header says what it is.
const MAGIC_AT: usize = 257;
/// What it says there, whichever program made it.
const MAGIC: &[u8] = b"ustar";

/// Where what an archive holds goes, in the order in which it is there. Not to be relied on before [`read`] has ended well.
pub trait Sink {
    /// Why it can take no more.
    type Error: From<SourceError>;

    /// The templates of the kinds of its own that the vault had.
    fn kinds(&mut self, kinds: Vec<KindTemplate>) -> Result<(), Self::Error>;
    /// The content of attachments number `number`, from 1 without gaps; what is not read is passed over.
    fn file(&mut self, number: u32, bytes: u64, content: &mut (dyn Read + Send)) -> Result<(), Self::Error>;
    /// A record begins.
    fn begin_record(&mut self, head: &RecordHead) -> Result<(), Self::Error>;
    /// The record's next version, the oldest first.
    fn version(&mut self, version: &Version) -> Result<(), Self::Error>;
    /// The record ends, of which there were so many versions; its head holds what the last does, and attachments that it
    /// can have had.
    fn end_record(&mut self, head: &RecordHead, versions: u32) -> Result<(), Self::Error>;
}

/// Whether a file begins as an archive does.
pub fn is_archive(beginning: &[u8]) -> bool {
    let Some(block) = beginning.first_chunk::<BLOCK_BYTES>() else { return false };
    block[MAGIC_AT..].starts_with(MAGIC)
        && tar::Header::from_byte_slice(block).cksum().is_ok_and(|sum| sum == checksum(block))
}

/// The sum that a tar header carries: of its bytes, with those of the sum as spaces.
fn checksum(block: &Block) -> u32 {
    const SUM: std::ops::Range<usize> = 148..156;
    block.iter().enumerate().map(|(at, byte)| u32::from(if SUM.contains(&at) { b' ' } else { *byte })).sum()
}

/// Reads an archive, of at most `most` bytes, to its end and shows what is in it to `sink`. Well only if every byte is as
/// its manifest says.
pub fn read<R: Read + Send, S: Sink>(source: R, most: u64, sink: &mut S) -> Result<Manifest, S::Error> {
    let mut archive = Members::new(source, most);
    archive.readme()?;
    sink.kinds(archive.kinds()?)?;
    let mut files = Vec::new();
    let records = loop {
        match archive.next()? {
            (Member::File(number), bytes) => {
                expect_next_file(number, files.len())?;
                sink.file(number, bytes, &mut archive)?;
                let sha256 = archive.end()?;
                files.push(ArchivedFile { bytes, sha256: Some(sha256) });
            }
            (Member::Records, bytes) => break bytes,
            _ => return Err(SourceError::Damaged.into()),
        }
    };
    let mut lines = Lines { archive: &mut archive, files: &files, counts: Counts::default() };
    lines.show(sink, records, u64::MAX)?;
    let counts = lines.counts;
    archive.end()?;
    Ok(archive.finish(&counts)?)
}

/// What an archive holds, by its own account and unchecked: for showing it before it is taken in.
#[derive(Debug)]
pub struct Look {
    /// What it says of itself.
    pub manifest: Manifest,
    /// The kinds of its own that the vault had.
    pub kinds: Vec<KindTemplate>,
    /// The first records.
    pub records: Vec<LookedRecord>,
}

/// A record of an archive as it is shown before anything is taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookedRecord {
    /// What it is about.
    pub kind: RecordKind,
    /// Its title.
    pub title: String,
    /// How many fields it has.
    pub fields: u64,
    /// How many versions it has.
    pub versions: u64,
    /// How many files are attached to it, or were.
    pub attachments: u64,
}

/// Looks at the first `records` of an archive of at most `most` bytes, and at what its manifest says, passing over the
/// rest unread.
pub fn look<R: Read + Seek + Send>(source: R, most: u64, records: u64) -> Result<Look, SourceError> {
    let mut archive = Members::new(source, most);
    archive.readme()?;
    let kinds = archive.kinds()?;
    let mut files = Vec::new();
    let bytes = loop {
        match archive.next()? {
            (Member::File(number), bytes) => {
                expect_next_file(number, files.len())?;
                archive.skip()?;
                files.push(ArchivedFile { bytes, sha256: None });
            }
            (Member::Records, bytes) => break bytes,
            _ => return Err(SourceError::Damaged),
        }
    };
    let mut looked = Looked(Vec::new());
    Lines { archive: &mut archive, files: &files, counts: Counts::default() }.show(&mut looked, bytes, records)?;
    archive.skip()?;
    let manifest = Manifest::parse(&archive.small(Member::Manifest, MAX_MANIFEST_BYTES)?)?;
    Ok(Look { manifest, kinds, records: looked.0 })
}

fn expect_next_file(number: u32, before: usize) -> Result<(), SourceError> {
    if number > MAX_FILES {
        return Err(SourceError::TooMany);
    }
    if u32::try_from(before).is_ok_and(|before| number == before + 1) { Ok(()) } else { Err(SourceError::Damaged) }
}

/// Remembers what is shown of records.
struct Looked(Vec<LookedRecord>);

impl Sink for Looked {
    type Error = SourceError;

    fn kinds(&mut self, _: Vec<KindTemplate>) -> Result<(), SourceError> {
        Ok(())
    }

    fn file(&mut self, _: u32, _: u64, _: &mut (dyn Read + Send)) -> Result<(), SourceError> {
        Ok(())
    }

    fn begin_record(&mut self, head: &RecordHead) -> Result<(), SourceError> {
        self.0.push(LookedRecord {
            kind: head.content.kind().clone(),
            title: head.content.title().to_owned(),
            fields: head.content.fields().len() as u64,
            versions: 0,
            attachments: head.attachments.len() as u64,
        });
        Ok(())
    }

    fn version(&mut self, version: &Version) -> Result<(), SourceError> {
        if let Some(record) = self.0.last_mut() {
            record.versions = u64::from(version.number);
        }
        Ok(())
    }

    fn end_record(&mut self, _: &RecordHead, _: u32) -> Result<(), SourceError> {
        Ok(())
    }
}

/// The members of an archive as they come, as a strict parser sees them.
struct Members<R> {
    source: R,
    /// Bytes that can still come: no member is believed to be longer.
    left: u64,
    /// When the archive was made: the same in every header.
    seconds: Option<u64>,
    open: Option<Open>,
    contents: Vec<Content>,
}

/// The member that is being read.
struct Open {
    member: Member,
    bytes: u64,
    left: u64,
    hash: Sha256,
}

impl<R: Read> Members<R> {
    const fn new(source: R, left: u64) -> Self {
        Self { source, left, seconds: None, open: None, contents: Vec::new() }
    }

    /// Begins the next member.
    fn next(&mut self) -> Result<(Member, u64), SourceError> {
        let mut block: Block = [0; BLOCK_BYTES];
        self.source.read_exact(&mut block).map_err(unreadable)?;
        let header = EntryHeader::parse(&block).ok_or(SourceError::Damaged)?;
        if *self.seconds.get_or_insert(header.seconds) != header.seconds {
            return Err(SourceError::Damaged);
        }
        let EntryHeader { member, bytes, .. } = header;
        let whole = bytes.checked_add((BLOCK_BYTES + entry::padding(bytes)) as u64);
        self.left = whole.and_then(|whole| self.left.checked_sub(whole)).ok_or(SourceError::Damaged)?;
        self.open = Some(Open { member, bytes, left: bytes, hash: Sha256::new() });
        Ok((member, bytes))
    }

    /// Ends the member, reading what nobody has; gives the SHA-256 of it.
    fn end(&mut self) -> Result<[u8; 32], SourceError> {
        io::copy(self, &mut io::sink()).map_err(unreadable)?;
        let open = self.open.take().ok_or(SourceError::Damaged)?;
        self.zeros(entry::padding(open.bytes))?;
        let sha256 = open.hash.finalize().into();
        self.contents.push(Content::new(open.member, open.bytes, &sha256));
        Ok(sha256)
    }

    /// A whole member of at most so many bytes, which must be the next.
    fn small(&mut self, member: Member, most: u64) -> Result<Zeroizing<Vec<u8>>, SourceError> {
        let (found, bytes) = self.next()?;
        if found != member {
            return Err(SourceError::Damaged);
        }
        if bytes > most {
            return Err(SourceError::TooLarge);
        }
        read_bounded(self, most).map_err(|error| match error {
            SourceError::Unreadable(error) => unreadable(error),
            other => other,
        })
    }

    fn readme(&mut self) -> Result<(), SourceError> {
        self.small(Member::Readme, MAX_SMALL_BYTES)?;
        self.end().map(drop)
    }

    fn kinds(&mut self) -> Result<Vec<KindTemplate>, SourceError> {
        let text = self.small(Member::Kinds, MAX_SMALL_BYTES)?;
        self.end()?;
        let kinds: Vec<KindTemplate> = serde_json::from_slice(&text).map_err(|_| SourceError::Damaged)?;
        kinds.into_iter().map(|kind| kind.check().map_err(|_| SourceError::Damaged)).collect()
    }

    /// Manifest, digests and end: the manifest must tell just what was read, and nothing may follow.
    fn finish(mut self, counts: &Counts) -> Result<Manifest, SourceError> {
        let told = std::mem::take(&mut self.contents);
        let manifest = Manifest::parse(&self.small(Member::Manifest, MAX_MANIFEST_BYTES)?)?;
        let sha256 = self.end()?;
        let made_at = entry::seconds(manifest.made_at);
        if !manifest.tells(counts, &told) || self.seconds != Some(made_at) {
            return Err(SourceError::Damaged);
        }
        let sums = self.small(Member::Sums, MAX_MANIFEST_BYTES)?;
        self.end()?;
        self.zeros(END_BLOCKS * BLOCK_BYTES)?;
        let is_over = self.source.read(&mut [0]).map_err(unreadable)? == 0;
        if is_over && *sums == manifest.sums(&sha256).as_bytes() { Ok(manifest) } else { Err(SourceError::Damaged) }
    }

    fn zeros(&mut self, count: usize) -> Result<(), SourceError> {
        let mut zeros = vec![0; count];
        self.source.read_exact(&mut zeros).map_err(unreadable)?;
        if zeros.iter().all(|byte| *byte == 0) { Ok(()) } else { Err(SourceError::Damaged) }
    }
}

impl<R: Read + Seek> Members<R> {
    /// Passes over what is left of the member, unread.
    fn skip(&mut self) -> Result<(), SourceError> {
        let open = self.open.take().ok_or(SourceError::Damaged)?;
        let padding = entry::padding(open.bytes) as u64;
        let left = open.left.checked_add(padding).and_then(|left| i64::try_from(left).ok());
        self.source.seek(SeekFrom::Current(left.ok_or(SourceError::Damaged)?)).map_err(unreadable)?;
        Ok(())
    }
}

impl<R: Read> Read for Members<R> {
    /// Reads from the open member, and no further.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(open) = &mut self.open else { return Ok(0) };
        let most = usize::try_from(open.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        if most == 0 {
            return Ok(0);
        }
        let read = self.source.read(&mut buffer[..most])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        open.hash.update(&buffer[..read]);
        open.left -= read as u64;
        Ok(read)
    }
}

/// Judges why an archive cannot be read on: only the system's own errors carry its code; what a decryption refuses, or an
/// end that comes too early, is the file's.
pub fn unreadable(error: io::Error) -> SourceError {
    match error.raw_os_error() {
        Some(_) => SourceError::Unreadable(error),
        None => SourceError::Damaged,
    }
}

/// The records of an archive, one after another.
struct Lines<'a, R> {
    archive: &'a mut Members<R>,
    files: &'a [ArchivedFile],
    counts: Counts,
}

impl<R: Read> Lines<'_, R> {
    /// Shows at most so many records.
    fn show<S: Sink>(&mut self, sink: &mut S, bytes: u64, most: u64) -> Result<(), S::Error> {
        let budget = Budget::new();
        let read_ahead = usize::try_from(bytes).map_or(READ_AHEAD_BYTES, |bytes| bytes.clamp(1, READ_AHEAD_BYTES));
        let source = Metered { source: BufReader::with_capacity(read_ahead, &mut *self.archive), budget: &budget };
        let mut json = serde_json::Deserializer::from_reader(source);
        while self.counts.records < most && json.end().is_err() {
            let mut failed = None;
            let seed = RecordSeed {
                sink: &mut *sink,
                files: self.files,
                counts: &mut self.counts,
                budget: &budget,
                failed: &mut failed,
            };
            let shown = seed.deserialize(&mut json);
            if let Some(error) = failed {
                return Err(error);
            }
            shown.map_err(|error| refused(error, &budget))?;
        }
        Ok(())
    }
}

/// Bytes of records that are read at once.
const READ_AHEAD_BYTES: usize = 64 * 1024;

fn refused(error: serde_json::Error, budget: &Budget) -> SourceError {
    if budget.is_used_up() {
        return SourceError::TooLarge;
    }
    if error.is_io() { unreadable(error.into()) } else { SourceError::Damaged }
}

/// A source of which no piece may take more than its budget.
struct Metered<'b, R> {
    source: R,
    budget: &'b Budget,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        if self.budget.take(read as u64) {
            Ok(read)
        } else {
            Err(io::Error::other("a piece of the archive is too large"))
        }
    }
}

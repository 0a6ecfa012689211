//! Coffer's own archives: streamed in constant memory, files before the records that have them, every digest checked
//! before anything is committed. Rules: docs/FORMAT.md §8.9.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use age::{DecryptError, Decryptor, x25519};
use coffer_interchange::archive::{self, Look, RecordHead, Sink, Version};
use coffer_interchange::neutral::LossKind;
use coffer_interchange::source::{Format, SourceError, SourceKeys};
use coffer_model::attachment::AttachmentId;
use coffer_model::template::KindTemplate;

use super::entries::PREVIEW_RECORDS;
use super::{ImportError, Taking, Watched};
use crate::backup::archive::has_age_header;
use crate::job::{JobContext, JobError};
use crate::session::Core;
use crate::store::tenant::{ArrivingAttachment, ArrivingRecord, ChangeError};
use crate::usecase::arrivals::Arrived;
use crate::usecase::records::in_tenant;
use crate::view::{ImportCount, ImportLoss, ImportPreview, ImportPreviewRecord, ImportReport};

/// Bytes of an archive that are read at once.
const READ_AHEAD_BYTES: usize = 256 * 1024;

/// How an archive would be understood, by its own account.
pub(super) fn inspect(
    core: &Core,
    file: &File,
    keys: &SourceKeys,
    encrypted: bool,
) -> Result<ImportPreview, ImportError> {
    let bytes = length(file)?;
    let Look { manifest, kinds, records } =
        archive::look(Opened::new(file, file, keys, encrypted)?, bytes, PREVIEW_RECORDS as u64)?;
    let losses = lacking_kinds(core, &kinds);
    let shown = (1..).zip(records).map(|(entry, record)| ImportPreviewRecord {
        entry,
        kind: record.kind,
        title: record.title,
        fields: record.fields,
        versions: record.versions,
        attachments: record.attachments,
    });
    Ok(ImportPreview {
        entries: Some(manifest.counts.records),
        records: shown.collect(),
        losses_counted: losses.len() as u64,
        losses,
        made_of: Some(manifest.tenant),
        ..ImportPreview::of(Format::Archive)
    })
}

pub(super) fn report() -> ImportReport {
    ImportReport::of(Format::Archive, ImportCount::Entries)
}

/// Takes everything in.
pub(super) fn take(taking: &mut Taking<'_, '_>, file: &File, encrypted: bool) -> Result<(), JobError> {
    let import = taking.import;
    let told = Told { file: import.watched(file), context: import.context };
    let source = Opened::new(file, told, &import.request.keys, encrypted)?;
    let bytes = length(file)?;
    archive::read(source, bytes, &mut Arriving { taking, files: Vec::new(), is_accepted: false, record: None })
        .map(drop)
}

fn length(file: &File) -> Result<u64, ImportError> {
    Ok(file.metadata().map_err(SourceError::Unreadable)?.len())
}

/// The kinds that an archive has templates of and this vault has none of. Records keep their kind all the same.
fn lacking_kinds(core: &Core, kinds: &[KindTemplate]) -> Vec<ImportLoss> {
    let office = core.office();
    let lacking = kinds.iter().filter(|template| !office.membership.kinds.contains_key(&template.kind));
    let loss = |template: &KindTemplate| ImportLoss {
        entry: None,
        what: LossKind::Kind.code().to_owned(),
        name: template.kind.as_str().to_owned(),
    };
    lacking.take(super::TOLD).map(loss).collect()
}

/// An archive's bytes, decrypted if need be.
enum Opened<R> {
    Plain(BufReader<R>),
    Encrypted(BufReader<age::stream::StreamReader<BufReader<R>>>),
}

impl<R: Read + Seek> Opened<R> {
    /// `source` reads the same `file`, from its start.
    fn new(file: &File, mut source: R, keys: &SourceKeys, encrypted: bool) -> Result<Self, ImportError> {
        source.rewind().map_err(SourceError::Unreadable)?;
        let source = BufReader::with_capacity(READ_AHEAD_BYTES, source);
        if !encrypted {
            return Ok(Self::Plain(source));
        }
        let identities = identities(keys)?;
        if !has_age_header(file).map_err(SourceError::Unreadable)? {
            return Err(SourceError::Damaged.into());
        }
        let decryptor = Decryptor::new_buffered(source).map_err(not_decrypted)?;
        let identities = identities.iter().map(|identity| identity as &dyn age::Identity);
        let plain = decryptor.decrypt(identities).map_err(not_decrypted)?;
        Ok(Self::Encrypted(BufReader::with_capacity(READ_AHEAD_BYTES, plain)))
    }
}

impl<R: Read> Read for Opened<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(source) => source.read(buffer),
            Self::Encrypted(source) => source.read(buffer),
        }
    }
}

impl<R: Read + Seek> Seek for Opened<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Self::Plain(source) => source.seek(to),
            Self::Encrypted(source) => source.seek(to),
        }
    }
}

/// The secret keys in an identity file of age: one a line, with remarks that begin with `#`.
fn identities(keys: &SourceKeys) -> Result<Vec<x25519::Identity>, SourceError> {
    let file = keys.key_file.as_ref().ok_or(SourceError::NeedsKey)?;
    let text = std::str::from_utf8(file).map_err(|_| SourceError::WrongKey)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let identities: Vec<_> =
        lines.map(str::parse).collect::<Result<_, _>>().map_err(|_: &str| SourceError::WrongKey)?;
    if identities.is_empty() { Err(SourceError::WrongKey) } else { Ok(identities) }
}

fn not_decrypted(error: DecryptError) -> SourceError {
    match error {
        DecryptError::NoMatchingKeys => SourceError::WrongKey,
        DecryptError::Io(error) => archive::unreadable(error),
        DecryptError::DecryptionFailed | DecryptError::InvalidMac | DecryptError::KeyDecryptionFailed => {
            SourceError::Damaged
        }
        DecryptError::InvalidHeader | DecryptError::UnknownFormat | DecryptError::ExcessiveWork { .. } => {
            SourceError::Unsupported
        }
    }
}

/// A file whose bytes the job counts.
struct Told<'f> {
    file: Watched<'f>,
    context: &'f JobContext,
}

impl Read for Told<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.context.advance(read as u64);
        Ok(read)
    }
}

impl Seek for Told<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// Where an archive's files and records go.
struct Arriving<'a, 'i, 't> {
    taking: &'a mut Taking<'i, 't>,
    /// In the order of the archive; none while nothing is written.
    files: Vec<Arrived>,
    /// Whether the record that is being read is not left out.
    is_accepted: bool,
    /// The record that is being written; none if it is left out, or nothing is written.
    record: Option<ArrivingRecord>,
}

impl Arriving<'_, '_, '_> {
    fn write_attachments(&mut self, record: &ArrivingRecord, head: &RecordHead) -> Result<(), JobError> {
        let Some(writing) = &mut self.taking.writing else { return Ok(()) };
        for attachment in &head.attachments {
            let arrived =
                usize::try_from(attachment.file).ok().and_then(|number| self.files.get(number.checked_sub(1)?));
            let Arrived { file, digest, media } = arrived.ok_or(SourceError::Damaged)?;
            let arriving = ArrivingAttachment {
                id: AttachmentId(attachment.number),
                name: &attachment.name,
                media: *media,
                attached: attachment.attached,
                detached: attachment.detached,
                file,
                digest,
            };
            writing.attach(record, &arriving)?;
        }
        Ok(())
    }
}

impl Sink for Arriving<'_, '_, '_> {
    type Error = JobError;

    fn kinds(&mut self, kinds: Vec<KindTemplate>) -> Result<(), JobError> {
        let losses = lacking_kinds(self.taking.import.core, &kinds);
        self.taking.report.losses_counted = losses.len() as u64;
        self.taking.report.losses = losses;
        Ok(())
    }

    fn file(&mut self, _: u32, bytes: u64, content: &mut (dyn Read + Send)) -> Result<(), JobError> {
        if let Some(writing) = &mut self.taking.writing {
            self.files.push(writing.arrivals.take(content, bytes, |error| archive::unreadable(error).into())?);
        }
        Ok(())
    }

    fn begin_record(&mut self, head: &RecordHead) -> Result<(), JobError> {
        self.taking.import.context.check()?;
        self.record = None;
        self.is_accepted = self.taking.accept(&head.content);
        if !self.is_accepted {
            return Ok(());
        }
        self.taking.report.attachments += head.attachments.len() as u64;
        self.taking.report.trashed += u64::from(head.trashed_at.is_some());
        let new_key = self.taking.import.core.new_record_key();
        if let Some(writing) = &mut self.taking.writing {
            let is_taken = writing.tx.has_record(head.key).map_err(in_tenant)?;
            let key = if is_taken { new_key } else { head.key };
            self.record = Some(writing.tx.begin_record(key, &head.content).map_err(in_tenant)?);
        }
        Ok(())
    }

    fn version(&mut self, version: &Version) -> Result<(), JobError> {
        if let (Some(writing), Some(record)) = (&mut self.taking.writing, &mut self.record) {
            let made_at = version.made_at.unwrap_or(version.changed_at);
            writing.tx.add_version_as(record, version.number, &version.content, Some(made_at)).map_err(in_tenant)?;
        }
        Ok(())
    }

    fn end_record(&mut self, head: &RecordHead, versions: u32) -> Result<(), JobError> {
        if self.is_accepted {
            self.taking.report.versions += u64::from(versions) - 1;
        }
        let Some(record) = self.record.take() else { return Ok(()) };
        self.write_attachments(&record, head)?;
        if let Some(writing) = &mut self.taking.writing {
            writing.tx.finish_record(&record, &head.content).map_err(in_tenant)?;
            if head.trashed_at.is_some() {
                writing.tx.trash_record(record.key()).map_err(|error| match error {
                    ChangeError::Store(error) => in_tenant(error).into(),
                    ChangeError::NotFound | ChangeError::VersionConflict => JobError::Bug,
                })?;
            }
        }
        Ok(())
    }
}

//! Writing a tenant's portable archive: plain, or encrypted with age. Layout: docs/FORMAT.md §8.9.
//!
//! Records are written twice, the first time to nowhere: tar says how long a member is before its first byte, and an
//! encrypted file cannot be gone back in. Everything is of one moment, so both times are alike.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use age::{Encryptor, x25519};
use coffer_crypto::derive::Id;
use coffer_interchange::archive::{
    ArchiveWriter, ArchivedFile, Attachment, Counter, Counts, ManifestHead, Member, RecordHead, RecordLines, Version,
};
use coffer_interchange::export::ExportLosses;
use coffer_model::id::AccountId;
use coffer_model::record::RecordKind;

use super::export::{Export, ExportError};
use super::records::in_tenant;
use crate::job::{JobContext, JobError};
use crate::store::error::StoreError;
use crate::store::tenant::{Moment, StoredAttachment, StoredFile, StoredRecord, StoredVersion};

/// Reads public keys of age, as people paste them.
pub(super) fn recipients(texts: &[String]) -> Result<Vec<x25519::Recipient>, ExportError> {
    texts.iter().map(|text| text.trim().parse().map_err(|_| ExportError::InvalidRecipient)).collect()
}

/// Where an archive is written to.
pub(super) enum Output<W: Write> {
    /// As it is.
    Plain(W),
    /// Through age.
    Encrypted(age::stream::StreamWriter<W>),
}

impl<W: Write> Output<W> {
    /// Encrypts to these public keys of age.
    pub fn encrypted(texts: &[String], out: W) -> Result<Self, ExportError> {
        let recipients = recipients(texts)?;
        let encryptor = Encryptor::with_recipients(recipients.iter().map(|recipient| recipient as &dyn age::Recipient))
            .map_err(|_| ExportError::NeedsRecipient)?;
        Ok(Self::Encrypted(encryptor.wrap_output(out)?))
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::Plain(mut out) => out.flush(),
            Self::Encrypted(out) => out.finish()?.flush(),
        }
    }
}

impl<W: Write> Write for Output<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(out) => out.write(bytes),
            Self::Encrypted(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.flush(),
            Self::Encrypted(out) => out.flush(),
        }
    }
}

/// The contents of attachments, each with the number it has in the archive.
struct Files {
    stored: Vec<StoredFile>,
    /// In the same order.
    archived: Vec<ArchivedFile>,
    numbers: BTreeMap<Id, u32>,
}

impl Files {
    fn of(stored: Vec<StoredFile>) -> Self {
        let archived = stored.iter().map(|file| ArchivedFile { bytes: file.bytes, sha256: None }).collect();
        let numbers = stored.iter().map(|file| file.file).zip(1..).collect();
        Self { stored, archived, numbers }
    }

    fn attachment(&self, stored: StoredAttachment) -> Result<Attachment, StoreError> {
        let StoredAttachment { id, name, attached, detached, file, .. } = stored;
        let file = *self.numbers.get(&file.file).ok_or(StoreError::Damaged)?;
        Ok(Attachment { number: id.0, name, file, attached, detached })
    }
}

/// What an archive's records come to.
struct Extent {
    bytes: u64,
    counts: Counts,
    kinds: BTreeSet<RecordKind>,
}

impl Export<'_> {
    pub(super) fn write_archive(&self, moment: &Moment<'_>, out: Output<impl Write>) -> Result<ExportLosses, JobError> {
        let mut files = Files::of(moment.files().map_err(in_tenant)?);
        let extent = self.measure(moment, &files)?;
        self.context.set_total(files.archived.iter().map(|file| file.bytes).sum::<u64>() + extent.bytes);
        let head = ManifestHead {
            tenant: self.open.name.clone(),
            made_at: self.core.now(),
            made_by: self.core.login.to_string(),
        };
        let mut kinds = self.core.own_kinds()?;
        kinds.retain(|template| extent.kinds.contains(&template.kind));
        let mut archive = ArchiveWriter::new(out, head, &kinds).map_err(unwritten)?;
        for ((stored, archived), number) in files.stored.iter().zip(&mut files.archived).zip(1..) {
            archive.begin(Member::File(number), stored.bytes).map_err(unwritten)?;
            let mut out = Counted { out: &mut archive, context: self.context };
            self.core.copy_attached(self.open, stored, self.context, &mut out, unwritten)?;
            archived.sha256 = Some(archive.end().map_err(unwritten)?);
        }
        archive.begin(Member::Records, extent.bytes).map_err(unwritten)?;
        let lines = RecordLines::new(Counted { out: &mut archive, context: self.context }, &files.archived);
        self.write_records(moment, &files, lines, |_| {})?;
        archive.end().map_err(unwritten)?;
        archive.finish(extent.counts).and_then(Output::finish).map_err(unwritten)?;
        Ok(ExportLosses::new())
    }

    /// Writes the records to nowhere.
    fn measure(&self, moment: &Moment<'_>, files: &Files) -> Result<Extent, JobError> {
        let mut kinds = BTreeSet::new();
        let lines = RecordLines::new(Counter::default(), &files.archived);
        let (counter, counts) = self.write_records(moment, files, lines, |kind| {
            if !kinds.contains(kind) {
                kinds.insert(kind.clone());
            }
        })?;
        Ok(Extent { bytes: counter.bytes(), counts, kinds })
    }

    /// Writes every record with its versions, and names every kind that occurs.
    fn write_records<W: Write>(
        &self,
        moment: &Moment<'_>,
        files: &Files,
        mut lines: RecordLines<'_, W>,
        mut tell: impl FnMut(&RecordKind),
    ) -> Result<(W, Counts), JobError> {
        let mut names = Names { export: self, known: BTreeMap::new() };
        moment.each_key(|record| -> Result<(), Unwritten> {
            let key = record.key;
            lines.begin(&head(moment, files, record)?).map_err(unwritten)?;
            moment.each_version(key, |stored| {
                self.context.check().map_err(JobError::from)?;
                tell(stored.content.kind());
                let changed_by = names.of(stored.changed_by);
                lines.version(&version(stored, changed_by)).map_err(unwritten)?;
                Ok::<(), Unwritten>(())
            })?;
            lines.end().map_err(unwritten)?;
            Ok(())
        })?;
        Ok(lines.finish())
    }
}

fn head(moment: &Moment<'_>, files: &Files, record: StoredRecord) -> Result<RecordHead, StoreError> {
    let StoredRecord { key, created_at, trashed_at, attachments } = record;
    let newest = moment.newest(key)?;
    let attachments = attachments.into_iter().map(|stored| files.attachment(stored)).collect::<Result<_, _>>()?;
    Ok(RecordHead { key, content: newest.content, created_at, changed_at: newest.changed_at, trashed_at, attachments })
}

fn version(stored: StoredVersion, changed_by: String) -> Version {
    let StoredVersion { version, content, changed_at, made_at, .. } = stored;
    Version { number: version, content, changed_at, changed_by, made_at }
}

/// Login names of accounts, each looked up once.
struct Names<'e> {
    export: &'e Export<'e>,
    known: BTreeMap<AccountId, String>,
}

impl Names<'_> {
    fn of(&mut self, account: AccountId) -> String {
        self.known.entry(account).or_insert_with(|| self.export.core.login_of(account)).clone()
    }
}

/// Tells the job of every byte that passes.
struct Counted<'w, W> {
    out: &'w mut W,
    context: &'w JobContext,
}

impl<W: Write> Write for Counted<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.context.advance(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Why no more records are written.
struct Unwritten(JobError);

impl From<JobError> for Unwritten {
    fn from(error: JobError) -> Self {
        Self(error)
    }
}

impl From<StoreError> for Unwritten {
    fn from(error: StoreError) -> Self {
        Self(in_tenant(error).into())
    }
}

impl From<Unwritten> for JobError {
    fn from(unwritten: Unwritten) -> Self {
        unwritten.0
    }
}

fn unwritten(error: io::Error) -> JobError {
    ExportError::from(error).into()
}

//! Formats other than tables: read whole, within limits, with versions and a list of what is not carried over.

use std::io::{Read, Seek};

use coffer_interchange::neutral::{Attachment, Collection, Entry, Loss, LossKind};
use coffer_interchange::source::{self, Format, SourceKeys};
use coffer_model::attachment::{AttachmentName, limits};

use super::{ImportError, Ready, TOLD, Taking};
use crate::job::JobError;
use crate::view::{ImportCount, ImportLoss, ImportPreview, ImportPreviewRecord, ImportReport};

/// Records shown before an import.
pub(super) const PREVIEW_RECORDS: usize = 20;

/// How a file would be understood.
pub(super) fn inspect<R: Read + Seek>(
    format: Format,
    file: &mut R,
    keys: &SourceKeys,
) -> Result<ImportPreview, ImportError> {
    let collection = source::read(format, file, keys)?;
    let shown = collection.entries.iter().flatten().take(PREVIEW_RECORDS);
    let (losses, losses_counted) = losses(&collection);
    Ok(ImportPreview {
        entries: Some(collection.entries.len() as u64),
        records: shown.map(record_view).collect(),
        losses,
        losses_counted,
        ..ImportPreview::of(format)
    })
}

fn record_view(entry: &Entry) -> ImportPreviewRecord {
    ImportPreviewRecord {
        entry: entry.number,
        kind: entry.content.kind().clone(),
        title: entry.content.title().to_owned(),
        fields: entry.content.fields().len() as u64,
        versions: entry.earlier.len() as u64 + 1,
        attachments: named(&entry.attachments).len() as u64,
    }
}

pub(super) fn report(collection: &Collection) -> ImportReport {
    let (losses, losses_counted) = losses(collection);
    ImportReport { losses, losses_counted, ..ImportReport::of(collection.format, ImportCount::Entries) }
}

/// Takes every entry.
pub(super) fn take(taking: &mut Taking<'_, '_>, collection: Collection) -> Result<(), JobError> {
    for entry in collection.entries {
        taking.import.context.check()?;
        match entry {
            Ok(entry) => {
                let ready = Ready {
                    content: &entry.content,
                    made_at: entry.changed_at,
                    earlier: &entry.earlier,
                    attachments: &entry.attachments,
                };
                taking.take(&ready)?;
            }
            Err(error) => taking.reject(error.number, || error.problem.to_string()),
        }
    }
    Ok(())
}

/// The files of an entry under the names that they get: what a name cannot hold is replaced, and one that is taken gets a
/// number. Those that a record has no place for are left out.
pub(super) fn named(attachments: &[Attachment]) -> Vec<(AttachmentName, &Attachment)> {
    let mut named: Vec<(AttachmentName, &Attachment)> = Vec::new();
    for attachment in attachments.iter().take(limits::PER_RECORD) {
        let is_free = |name: &AttachmentName| named.iter().all(|(taken, _)| taken != name);
        let name = AttachmentName::from_file_name(&attachment.name);
        let numbered = (2..).map(|number| AttachmentName::from_file_name(&format!("{number} {name}")));
        let name = std::iter::once(name.clone()).chain(numbered).find(is_free).unwrap_or(name);
        named.push((name, attachment));
    }
    named
}

/// What is not carried over, the first hundred, and how much that is altogether.
fn losses(collection: &Collection) -> (Vec<ImportLoss>, u64) {
    let too_many: Vec<Loss> = (collection.entries.iter().flatten())
        .flat_map(|entry| entry.attachments.iter().skip(limits::PER_RECORD).map(|file| (entry.number, file)))
        .map(|(number, file)| Loss { entry: Some(number), what: LossKind::Attachment, name: file.name.clone() })
        .collect();
    let counted = collection.losses_counted + too_many.len() as u64;
    let view =
        |loss: &Loss| ImportLoss { entry: loss.entry, what: loss.what.code().to_owned(), name: loss.name.clone() };
    (too_many.iter().chain(&collection.losses).take(TOLD).map(view).collect(), counted)
}

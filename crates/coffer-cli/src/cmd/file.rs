//! `coffer file`: attaching files to records, saving them again, taking them off.

use std::path::PathBuf;

use coffer_core::Session;
use coffer_core::view::{AttachmentView, RecordView};
use coffer_model::attachment::{AttachmentId, MediaKind};
use coffer_model::id::RecordId;

use crate::args::FileCommand;
use crate::error::CliError;
use crate::job;
use crate::render::{Output, size, table, visible};

pub fn run(session: &Session, command: &FileCommand, output: &Output) -> Result<(), CliError> {
    match command {
        FileCommand::Attach { id, paths } => attach(session, *id, paths, output),
        FileCommand::List { id } => {
            let record = session.open_record(*id)?;
            Ok(output.answer(&record.attachments, |attachments| list_text(attachments))?)
        }
        FileCommand::Save { id, name, out } => {
            let attachment = find(&session.open_record(*id)?, name)?;
            let saved = job::run("saving", || session.start_save_attachment(*id, attachment, out))?;
            Ok(output.answer(&saved, |saved| format!("saved {} ({})", visible(&saved.name), size(saved.bytes)))?)
        }
        FileCommand::Detach { id, name } => {
            let record = session.open_record(*id)?;
            let attachment = find(&record, name)?;
            session.detach(*id, attachment)?;
            let detached = record.attachments.into_iter().find(|known| known.id == attachment);
            let detached = detached.ok_or_else(|| CliError::NoSuchAttachment(name.clone()))?;
            Ok(output.answer(&detached, |detached| format!("detached {}", visible(&detached.name)))?)
        }
    }
}

/// Attaches one after the other. What was attached before one that fails stays, and is answered.
fn attach(session: &Session, id: RecordId, paths: &[PathBuf], output: &Output) -> Result<(), CliError> {
    let mut attached: Vec<AttachmentView> = Vec::with_capacity(paths.len());
    let mut failure = None;
    for path in paths {
        let what = path.file_name().unwrap_or_default().to_string_lossy();
        match job::run(&visible(&what), || session.start_attach(id, path)) {
            // Numbers ascend, so the newest comes last.
            Ok(record) => attached.extend(record.attachments.into_iter().next_back()),
            Err(error) => {
                failure = Some(error.of_file(path));
                break;
            }
        }
    }
    if failure.is_none() || !attached.is_empty() {
        output.answer(&attached, |attached| list_text(attached))?;
    }
    failure.map_or(Ok(()), Err)
}

/// An attachment by its name, in whatever case if only one fits, or by its number, which earlier versions' have, too.
fn find(record: &RecordView, named: &str) -> Result<AttachmentId, CliError> {
    let by_name = record.attachments.iter().find(|known| known.name == named);
    let folded = || {
        let mut fitting = record.attachments.iter().filter(|known| known.name.to_lowercase() == named.to_lowercase());
        fitting.next().filter(|_| fitting.next().is_none())
    };
    let by_number = || named.parse().ok().map(AttachmentId);
    by_name
        .or_else(folded)
        .map(|known| known.id)
        .or_else(by_number)
        .ok_or_else(|| CliError::NoSuchAttachment(named.to_owned()))
}

fn list_text(attachments: &[AttachmentView]) -> String {
    if attachments.is_empty() {
        return "no files".to_owned();
    }
    let rows = attachments.iter().map(|attachment| {
        let media = match attachment.media {
            MediaKind::Text => "text",
            MediaKind::Png => "PNG",
            MediaKind::Jpeg => "JPEG",
            MediaKind::Other => "",
        };
        vec![attachment.id.0.to_string(), attachment.name.clone(), size(attachment.bytes), media.to_owned()]
    });
    table(&["NO", "NAME", "SIZE", "KIND"], rows)
}

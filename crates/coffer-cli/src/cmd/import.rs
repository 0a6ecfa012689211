//! `coffer import`: a file of another program into a tenant, the whole of it or nothing.

use std::fmt::Write;
use std::io::Read;
use std::path::Path;

use coffer_core::view::{ImportColumn, ImportCount, ImportLoss, ImportReport};
use coffer_core::{Duplicates, ImportError, ImportRequest, Session};
use coffer_interchange::source::{Format, KEY_FILE_BYTES, SourceKeys};
use zeroize::Zeroizing;

use super::find_tenant;
use crate::args::ImportArgs;
use crate::error::CliError;
use crate::job;
use crate::prompt;
use crate::render::{Output, counted, table, visible};

pub fn run(session: &Session, args: &ImportArgs, output: &Output) -> Result<(), CliError> {
    let tenant = find_tenant(session, &args.tenant)?;
    let mut request = ImportRequest {
        format: args.format.as_deref().and_then(Format::from_code),
        keys: keys(args)?,
        mapping: args.map.clone(),
        duplicates: if args.duplicates == "skip" { Duplicates::Skip } else { Duplicates::Import },
        dry_run: args.dry_run,
        ..ImportRequest::new(args.file.clone(), tenant.id)
    };
    let lacks_passphrase = prompt::is_possible()
        && session.import_lacks_passphrase(&request).map_err(|error| say_which(session, args, error.into()))?;
    if lacks_passphrase {
        let question = format!("Passphrase of {}: ", args.file.display());
        request.keys.passphrase = Some(prompt::foreign_passphrase(None, &question)?);
    }
    let report = job::run("importing", || session.start_import(request));
    let report = report.map_err(|error| say_which(session, args, error))?;
    output.answer(&report, |report| report_text(report, args))?;
    if report.rejected > 0 { Err(CliError::ImportRejected { rejected: report.rejected }) } else { Ok(()) }
}

/// The error, saying which of the arguments it is about.
fn say_which(session: &Session, args: &ImportArgs, error: CliError) -> CliError {
    match error.code() {
        "file_unreadable" => error.of_file(&args.file),
        // As another format it may well be encrypted.
        "source_not_encrypted" => match &args.format {
            Some(format) => error.of(format!("read as {format}")),
            None => error,
        },
        code if code.starts_with("assignment_") => match args.map.iter().find(|map| is_refused(session, args, map)) {
            Some(map) => error.of(format!("--map {map:?}")),
            None => error,
        },
        _ => error,
    }
}

/// Whether one correction of the mapping, by itself, is refused.
fn is_refused(session: &Session, args: &ImportArgs, map: &str) -> bool {
    let Ok(tenant) = find_tenant(session, &args.tenant) else { return false };
    let request = ImportRequest {
        format: args.format.as_deref().and_then(Format::from_code),
        mapping: vec![map.to_owned()],
        ..ImportRequest::new(args.file.clone(), tenant.id)
    };
    matches!(session.inspect_import(&request), Err(ImportError::Assignment(_)))
}

fn keys(args: &ImportArgs) -> Result<SourceKeys, CliError> {
    let passphrase = args.source_passphrase_file.as_deref();
    let passphrase = passphrase.map(|path| prompt::foreign_passphrase(Some(path), "")).transpose()?;
    let key_file = args.source_key_file.as_deref().map(read_key_file).transpose()?;
    Ok(SourceKeys { passphrase, key_file })
}

fn read_key_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let failed = |reason| CliError::File { path: path.to_owned(), reason };
    let mut bytes = Zeroizing::new(Vec::new());
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(KEY_FILE_BYTES).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

fn report_text(report: &ImportReport, args: &ImportArgs) -> String {
    let columns = report.columns.iter().map(column_row);
    let mut text = String::new();
    if !report.columns.is_empty() {
        text.push_str(&table(&["COLUMN", "BECOMES", "TYPE"], columns));
        text.push('\n');
    }
    let (number, one, more) = match report.counted_in {
        ImportCount::Lines => ("LINE", "row", "rows"),
        ImportCount::Entries => ("ENTRY", "entry", "entries"),
    };
    if !report.errors.is_empty() {
        let errors = report.errors.iter().map(|error| vec![error.line.to_string(), visible(&error.message)]);
        text.push_str(&table(&[number, "WHAT IS WRONG"], errors));
        text.push('\n');
    }
    if !report.losses.is_empty() {
        text.push_str(&table(&["ENTRY", "NOT CARRIED OVER", "NAME"], report.losses.iter().map(loss_row)));
        if report.losses_counted > report.losses.len() as u64 {
            let _ = writeln!(text, "and {} more", report.losses_counted - report.losses.len() as u64);
        }
        text.push('\n');
    }
    let records = counted(report.imported, "record", "records");
    let rejected = format!("{} rejected", counted(report.rejected, one, more));
    let _ = match (report.dry_run, report.rejected) {
        (true, 0) => writeln!(text, "{records} would be imported, {rejected}"),
        (true, _) => writeln!(text, "nothing would be imported: {rejected}; without that it would be {records}"),
        (false, _) => writeln!(text, "{records} imported, {rejected}"),
    };
    if report.versions > 0 {
        let _ = writeln!(text, "{} with them", counted(report.versions, "earlier version", "earlier versions"));
    }
    if report.attachments > 0 {
        let _ = writeln!(text, "{} with them", counted(report.attachments, "attachment", "attachments"));
    }
    if report.trashed > 0 {
        let _ = writeln!(text, "{} of the records are in the trash, as they were", report.trashed);
    }
    if report.duplicates > 0 {
        let hint = if args.duplicates == "skip" { "" } else { " (--duplicates skip leaves them out)" };
        let already = counted(report.duplicates, "is", "are");
        let _ = writeln!(text, "{already} in the tenant already{hint}");
    }
    text
}

fn column_row(column: &ImportColumn) -> Vec<String> {
    let kind = column.field_type.map_or("", |kind| kind.name());
    vec![column.column.clone(), column.target.clone().unwrap_or_else(|| "(left out)".to_owned()), kind.to_owned()]
}

fn loss_row(loss: &ImportLoss) -> Vec<String> {
    let entry = loss.entry.map_or_else(|| "(file)".to_owned(), |entry| entry.to_string());
    vec![entry, loss.what.replace('_', " "), visible(&loss.name)]
}

//! `coffer import`: a file of another program into a tenant, the whole of it or nothing.

use std::fmt::Write;
use std::io::Read;
use std::path::Path;

use coffer_core::view::{ImportColumn, ImportCount, ImportLoss, ImportReport};
use coffer_core::{Duplicates, ImportRequest, Session};
use coffer_interchange::source::{Format, KEY_FILE_BYTES, SourceKeys};
use zeroize::Zeroizing;

use super::find_tenant;
use crate::args::ImportArgs;
use crate::error::CliError;
use crate::job;
use crate::prompt;
use crate::render::{Output, table, visible};

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
    if prompt::is_possible() && session.import_lacks_passphrase(&request)? {
        let question = format!("Passphrase of {}: ", args.file.display());
        request.keys.passphrase = Some(prompt::foreign_passphrase(None, &question)?);
    }
    let report = job::run("importing", || session.start_import(request))?;
    output.answer(&report, report_text)?;
    if report.rejected > 0 { Err(CliError::ImportRejected { rejected: report.rejected }) } else { Ok(()) }
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

fn report_text(report: &ImportReport) -> String {
    let columns = report.columns.iter().map(column_row);
    let mut text = String::new();
    if !report.columns.is_empty() {
        text.push_str(&table(&["COLUMN", "BECOMES", "TYPE"], columns));
        text.push('\n');
    }
    let (number, what) = match report.counted_in {
        ImportCount::Lines => ("LINE", "rows"),
        ImportCount::Entries => ("ENTRY", "entries"),
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
    let verb = if report.dry_run { "would be imported" } else { "imported" };
    let _ = writeln!(text, "{} records {verb}, {} {what} rejected", report.imported, report.rejected);
    if report.versions > 0 {
        let _ = writeln!(text, "{} earlier versions with them", report.versions);
    }
    if report.attachments > 0 {
        let _ = writeln!(text, "{} attachments with them", report.attachments);
    }
    if report.trashed > 0 {
        let _ = writeln!(text, "{} of the records are in the trash, as they were", report.trashed);
    }
    if report.duplicates > 0 {
        let _ = writeln!(text, "{} are in the tenant already (--duplicates skip leaves them out)", report.duplicates);
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

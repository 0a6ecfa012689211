//! `coffer export`: a tenant's records into a file that other programs read.

use std::fmt::Write;

use coffer_core::view::ExportReport;
use coffer_core::{ExportRequest, Session};
use coffer_model::event::ExportFormat;
use coffer_model::policy::Guarded;
use zeroize::Zeroizing;

use super::{find_tenant, fresh_for};
use crate::args::{ExportArgs, Global};
use crate::error::CliError;
use crate::job;
use crate::prompt;
use crate::render::{Output, counted, size, visible};

pub fn run(session: &Session, global: &Global, args: &ExportArgs, output: &Output) -> Result<(), CliError> {
    let tenant = find_tenant(session, &args.tenant)?;
    let format = match args.format.as_str() {
        "kdbx" => ExportFormat::Kdbx,
        "archive" if args.recipients.is_empty() => ExportFormat::Archive,
        "archive" => ExportFormat::EncryptedArchive,
        _ => ExportFormat::Csv,
    };
    let request = ExportRequest {
        passphrase: passphrase(format, args)?,
        recipients: args.recipients.clone(),
        confirmation: confirmation(format, args, &tenant.name)?,
        ..ExportRequest::new(tenant.id, args.file.clone(), format)
    };
    let proof = fresh_for(session, global, Guarded::Export)?;
    let report = job::run("exporting", || session.start_export(request, proof))?;
    let text = |report: &ExportReport| report_text(report, format, &args.file.display().to_string());
    Ok(output.answer(&report, text)?)
}

fn passphrase(format: ExportFormat, args: &ExportArgs) -> Result<Option<Zeroizing<Vec<u8>>>, CliError> {
    let given = args.export_passphrase_file.as_deref();
    let is_asked_for = format == ExportFormat::Kdbx && prompt::is_possible();
    (given.is_some() || is_asked_for).then(|| prompt::new_foreign_passphrase(given)).transpose()
}

/// The tenant's name, as it was typed for an archive that anybody can read.
fn confirmation(format: ExportFormat, args: &ExportArgs, tenant: &str) -> Result<Option<String>, CliError> {
    if format != ExportFormat::Archive || args.confirm.is_some() || !prompt::is_possible() {
        return Ok(args.confirm.clone());
    }
    let question = format!(
        "Every secret of {} will be readable in {}.\nType the tenant's name to go on: ",
        visible(tenant),
        args.file.display()
    );
    prompt::line(&question).map(Some)
}

fn report_text(report: &ExportReport, format: ExportFormat, file: &str) -> String {
    let records = counted(report.records, "record", "records");
    let mut text = format!("{records}, {}, written to {file}\n", size(report.bytes));
    if matches!(format, ExportFormat::Csv | ExportFormat::Archive) {
        text.push_str("every secret in it is readable: delete it as soon as it has served\n");
    }
    for loss in &report.losses {
        let _ = writeln!(text, "not in the file: {} × {}", loss.count, loss_words(&loss.what));
    }
    text
}

fn loss_words(what: &str) -> &str {
    match what {
        "earlier_versions" => "an earlier version",
        "secret_marks" => "that a field is secret",
        "kinds" => "what a record is about",
        "field_types" => "a field's type",
        "neutralised_cells" => "a cell as it was: it has an apostrophe in front, or a spreadsheet would run it",
        "fields" => "a field, for want of columns",
        "attachments" => "an attachment",
        "tags" => "a tag with a semicolon: a tag for each part comes back",
        other => other,
    }
}

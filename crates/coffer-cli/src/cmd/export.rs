//! `coffer export`: a tenant's records into a file that other programs read.

use std::fmt::Write;

use coffer_core::view::ExportReport;
use coffer_core::{ExportRequest, Session};
use coffer_model::event::ExportFormat;

use super::find_tenant;
use crate::args::{ExportArgs, Global};
use crate::error::CliError;
use crate::job;
use crate::prompt;
use crate::render::{Output, size};

pub fn run(session: &Session, global: &Global, args: &ExportArgs, output: &Output) -> Result<(), CliError> {
    let tenant = find_tenant(session, &args.tenant)?;
    let format = if args.format == "kdbx" { ExportFormat::Kdbx } else { ExportFormat::Csv };
    let given = args.export_passphrase_file.as_deref();
    let passphrase = match (format, given) {
        (ExportFormat::Csv, None) => None,
        (ExportFormat::Kdbx, None) if !prompt::is_possible() => None,
        (ExportFormat::Csv | ExportFormat::Kdbx, given) => Some(prompt::new_foreign_passphrase(given)?),
    };
    // Unlocking a moment ago counts; a long-lived shell asks again.
    let proof = match session.authenticated_by_unlocking() {
        Some(proof) => proof,
        None => session.authenticate(&prompt::passphrase(global, "Your passphrase once more: ")?)?,
    };
    let request = ExportRequest { tenant: tenant.id, file: args.file.clone(), format, passphrase };
    let report = job::run("exporting", || session.start_export(request, proof))?;
    Ok(output.answer(&report, |report| report_text(report, &args.file.display().to_string()))?)
}

fn report_text(report: &ExportReport, file: &str) -> String {
    let mut text = format!("{} records, {}, written to {file}\n", report.records, size(report.bytes));
    if report.format == "csv" {
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
        other => other,
    }
}

//! `coffer import`: a CSV file into a tenant, the whole of it or nothing.

use std::fmt::Write;

use coffer_core::view::ImportReport;
use coffer_core::{ImportRequest, Session};

use super::find_tenant;
use crate::args::ImportArgs;
use crate::error::CliError;
use crate::job;
use crate::render::{Output, table, visible};

pub fn run(session: &Session, args: &ImportArgs, output: &Output) -> Result<(), CliError> {
    if args.source_passphrase_file.is_some() {
        return Err(CliError::SourceNotEncrypted("passphrase"));
    }
    if args.source_key_file.is_some() {
        return Err(CliError::SourceNotEncrypted("key file"));
    }
    let tenant = find_tenant(session, &args.tenant)?;
    let request =
        ImportRequest { file: args.file.clone(), tenant: tenant.id, mapping: args.map.clone(), dry_run: args.dry_run };
    let report = job::run("importing", || session.start_import(request))?;
    output.answer(&report, report_text)?;
    if report.rejected > 0 { Err(CliError::ImportRejected { rejected: report.rejected }) } else { Ok(()) }
}

fn report_text(report: &ImportReport) -> String {
    let columns = report.columns.iter().map(|column| {
        let kind = column.field_type.map_or_else(String::new, |kind| kind.name().to_owned());
        vec![column.column.clone(), column.target.clone().unwrap_or_else(|| "(left out)".to_owned()), kind]
    });
    let mut text = table(&["COLUMN", "BECOMES", "TYPE"], columns);
    if !report.errors.is_empty() {
        text.push('\n');
        let errors = report.errors.iter().map(|error| vec![error.line.to_string(), visible(&error.message)]);
        text.push_str(&table(&["LINE", "WHAT IS WRONG"], errors));
    }
    let verb = if report.dry_run { "would be imported" } else { "imported" };
    let _ = writeln!(text, "\n{} records {verb}, {} rows rejected", report.imported, report.rejected);
    text
}

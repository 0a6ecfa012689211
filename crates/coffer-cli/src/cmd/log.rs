//! `coffer log`: the log of every access, for auditors.

use std::io::{BufWriter, Write};
use std::path::Path;

use coffer_core::Session;
use coffer_core::view::{LogEntryView, LogReport};

use super::vault::new_private_file;
use crate::args::LogCommand;
use crate::error::CliError;
use crate::job;
use crate::render::{Output, table};

/// Entries read at a time for an export.
const EXPORT_PAGE: u32 = 1000;

pub fn run(session: &Session, command: &LogCommand, output: &Output) -> Result<(), CliError> {
    match command {
        LogCommand::List { limit, before } => {
            let page = session.log_page(*before, *limit)?;
            output.answer(&page, |page| {
                let rows = page.entries.iter().map(entry_row);
                let mut text = table(&["INDEX", "TIME", "ACTOR", "ACTION", "TENANT", "ABOUT"], rows);
                if let Some(next) = page.next_before {
                    text.push_str(&format!("\n{} entries in all; more with --before {next}\n", page.total));
                }
                text
            });
            Ok(())
        }
        LogCommand::Verify => {
            let report = job::wait(session.start_verify_log()?, "verifying the log")?;
            output.answer(&report, report_text);
            if report.ok { Ok(()) } else { Err(CliError::LogFindings) }
        }
        LogCommand::Export { file } => export(session, file, output),
    }
}

fn export(session: &Session, path: &Path, output: &Output) -> Result<(), CliError> {
    let failed = |reason| CliError::File { path: path.to_owned(), reason };
    let mut pages = Vec::new();
    let mut before = None;
    loop {
        let page = session.log_export_page(before, EXPORT_PAGE)?;
        before = page.next_before;
        pages.push(page.entries);
        if before.is_none() {
            break;
        }
    }
    let mut file = BufWriter::new(new_private_file(path)?);
    let mut entries = 0_u64;
    for entry in pages.iter().rev().flat_map(|page| page.iter().rev()) {
        serde_json::to_writer(&mut file, entry).map_err(|error| failed(error.into()))?;
        file.write_all(b"\n").map_err(failed)?;
        entries += 1;
    }
    let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
    file.sync_all().map_err(failed)?;
    output.answer(&serde_json::json!({ "entries": entries }), |_| {
        format!("{entries} entries written to {}", path.display())
    });
    Ok(())
}

fn entry_row(entry: &LogEntryView) -> Vec<String> {
    let about = [
        entry.record.map(|record| record.to_string()),
        entry.field.map(|field| format!("field {}", field.0)),
        entry.version.map(|version| format!("version {version}")),
        entry.count.map(|count| format!("{count}×")),
        entry.entry.map(|index| format!("entry {index}")),
    ];
    vec![
        entry.index.to_string(),
        entry.at.to_string(),
        entry.actor.clone().unwrap_or_else(|| "(locked)".to_owned()),
        entry.action.clone(),
        entry.tenant_name.clone().or_else(|| entry.tenant.map(|id| id.to_string())).unwrap_or_default(),
        about.into_iter().flatten().collect::<Vec<_>>().join(", "),
    ]
}

fn report_text(report: &LogReport) -> String {
    let mut text = format!(
        "{} entries and {} checkpoints checked\nroot {}\n",
        report.entries, report.checkpoints, report.root
    );
    if report.ok {
        text.push_str("the log is in order\n");
    }
    for finding in &report.findings {
        let place = finding.index.map_or_else(String::new, |index| format!(" at entry {index}"));
        text.push_str(&format!("FOUND {}{place}\n", finding.code));
    }
    text
}

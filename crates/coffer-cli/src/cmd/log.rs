//! `coffer log`: the log of every access, for auditors.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use coffer_core::view::{LogEntryView, LogPage, LogReport};
use coffer_core::{JobError, Session};
use serde::Serialize;

use super::kit::new_private_file;
use crate::args::LogCommand;
use crate::error::CliError;
use crate::job;
use crate::render::{Output, counted, table};

/// Entries read at a time for an export.
const EXPORT_PAGE: u32 = 1000;
/// More entries than an unlocking writes by itself.
const NEWEST: u32 = 20;

pub fn run(session: &Session, command: &LogCommand, output: &Output) -> Result<(), CliError> {
    match command {
        LogCommand::List { limit, before } => {
            let page = session.log_page(*before, *limit)?;
            Ok(output.answer(&page, page_text)?)
        }
        LogCommand::Verify => {
            let report = job::run("verifying the log", || session.start_verify_log())?;
            output.answer(&report, report_text)?;
            if report.ok { Ok(()) } else { Err(CliError::LogFindings) }
        }
        LogCommand::Restart => Err(CliError::Usage("an open vault's log is in order already".to_owned())),
        LogCommand::Export { file } => export(session, file, output),
    }
}

/// Whether the log had to begin a new segment.
#[derive(Serialize)]
struct Restarted {
    restarted: bool,
}

/// Says what unlocking in this way has done, and locks.
pub fn restart(session: Session, output: &Output) -> Result<(), CliError> {
    // The restart is the entry before this unlocking, which is the newest of its kind.
    let newest = session.log_page(None, NEWEST)?.entries;
    session.lock()?;
    let mut before = newest.iter().skip_while(|entry| entry.action != "vault.unlocked").skip(1);
    let restarted = before.next().is_some_and(|entry| entry.action == "log.restarted");
    Ok(output.answer(&Restarted { restarted }, |answer| {
        let words = if answer.restarted {
            "the log goes on in a new segment, and says so"
        } else {
            "the log was in order; nothing was done"
        };
        words.to_owned()
    })?)
}

/// What an export wrote.
#[derive(Serialize)]
struct Exported {
    entries: u64,
}

fn export(session: &Session, path: &Path, output: &Output) -> Result<(), CliError> {
    let file = new_private_file(path)?;
    let (written, interrupted) = job::uncut(|| write_entries(session, file, path));
    let interrupted = if interrupted { Err(JobError::Cancelled.into()) } else { Ok(()) };
    match interrupted.and(written) {
        Ok(entries) => Ok(output.answer(&Exported { entries }, |exported| {
            format!("{} written to {}", counted(exported.entries, "entry", "entries"), path.display())
        })?),
        Err(error) => {
            let _ = std::fs::remove_file(path);
            Err(error)
        }
    }
}

/// Writes what the log holds when it begins, oldest first: the export's own entries come after that.
fn write_entries(session: &Session, file: File, path: &Path) -> Result<u64, CliError> {
    let failed = |reason| CliError::File { path: path.to_owned(), reason };
    let mut file = BufWriter::new(file);
    let mut total = None;
    let mut written = 0;
    while total.is_none_or(|total| written < total) {
        let end = total.map_or(u64::MAX, |total: u64| total).min(written + u64::from(EXPORT_PAGE));
        let page = session.log_export_page(Some(end), EXPORT_PAGE)?;
        total.get_or_insert(page.total);
        for entry in page.entries.iter().rev().filter(|entry| entry.index >= written) {
            serde_json::to_writer(&mut file, entry).map_err(|error| failed(error.into()))?;
            file.write_all(b"\n").map_err(failed)?;
        }
        written = end.min(page.total);
    }
    let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
    file.sync_all().map_err(failed)?;
    Ok(written)
}

fn page_text(page: &LogPage) -> String {
    let rows = page.entries.iter().map(entry_row);
    let mut text = table(&["INDEX", "TIME", "ACTOR", "ACTION", "TENANT", "ABOUT"], rows);
    if let Some(next) = page.next_before {
        let _ = writeln!(text, "\n{} entries in all; more with --before {next}", page.total);
    }
    text
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
    let entries = counted(report.entries, "entry", "entries");
    let checkpoints = counted(report.checkpoints, "checkpoint", "checkpoints");
    let mut text = format!("{entries} and {checkpoints} checked\nroot {}\n", report.root);
    if report.ok {
        text.push_str("the log is in order\n");
    }
    for finding in &report.findings {
        let place = finding.index.map_or_else(String::new, |index| format!(" at entry {index}"));
        let _ = writeln!(text, "FOUND {}{place}", finding.code);
    }
    text
}

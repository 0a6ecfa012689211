//! `coffer subject`: a person in a tenant's data, found, handed over, erased. Identifiers are personal data: a file or
//! standard input keeps them out of the list of processes and the shell's history.

use std::fmt::Write as _;
use std::io::Read;
use std::path::Path;

use coffer_core::view::{
    SubjectErasureReport, SubjectExportReport, SubjectFindings, SubjectPlace, SubjectPlaceView, SubjectRecordView,
    TenantView,
};
use coffer_core::{Session, SubjectErasureRequest, SubjectExportRequest, SubjectIdentifiers};
use coffer_model::policy::Guarded;
use coffer_model::record::Value;
use zeroize::Zeroizing;

use super::{find_tenant, fresh_for};
use crate::args::{Global, SubjectArgs, SubjectCommand};
use crate::error::CliError;
use crate::job;
use crate::prompt;
use crate::render::{Output, counted, size, visible};

/// Longest file of identifiers, bytes. They are at most 20 lines of 200 characters.
const IDENTIFIERS_BYTES_MAX: u64 = 64 * 1024;

pub fn run(session: &Session, global: &Global, command: &SubjectCommand, output: &Output) -> Result<(), CliError> {
    match command {
        SubjectCommand::Find { subject } => {
            let tenant = find_tenant(session, &subject.tenant)?.id;
            let identifiers = identifiers(subject)?;
            let found = job::run("looking", || session.start_find_subject(tenant, identifiers))?;
            output.answer(&found, findings_text)?;
        }
        SubjectCommand::Export { subject, file, record } => {
            let tenant = find_tenant(session, &subject.tenant)?.id;
            let (identifiers, proof) = (identifiers(subject)?, fresh_for(session, global, Guarded::Export)?);
            let records = (!record.is_empty()).then(|| record.clone());
            let request = SubjectExportRequest { tenant, identifiers, records, file: file.clone() };
            let report = job::run("handing over", || session.start_export_subject(request, proof))?;
            output.answer(&report, |report| export_text(report, &file.display().to_string()))?;
        }
        SubjectCommand::Erase { subject, record, history_only, confirm } => {
            let tenant = find_tenant(session, &subject.tenant)?;
            let identifiers = identifiers(subject)?;
            confirmed(&tenant, confirm.as_deref())?;
            let proof = fresh_for(session, global, Guarded::Erase)?;
            let records = (!record.is_empty()).then(|| record.clone());
            let history_only = *history_only;
            let request = SubjectErasureRequest { tenant: tenant.id, identifiers, records, history_only };
            let report = job::run("erasing", || session.start_erase_subject(request, proof))?;
            output.answer(&report, erasure_text)?;
        }
    }
    Ok(())
}

/// The identifiers named, and those of a file with one on each line.
fn identifiers(args: &SubjectArgs) -> Result<SubjectIdentifiers, CliError> {
    let mut given: Vec<Value> = args.identifiers.iter().map(|text| Value::from(text.as_str())).collect();
    if let Some(path) = &args.identifiers_file {
        given.extend(read_identifiers(path)?.lines().map(Value::from));
    }
    Ok(SubjectIdentifiers::parse(given)?)
}

fn read_identifiers(path: &Path) -> Result<Zeroizing<String>, CliError> {
    let mut text = Zeroizing::new(String::new());
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(IDENTIFIERS_BYTES_MAX).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(IDENTIFIERS_BYTES_MAX).read_to_string(&mut text))
    };
    read.map_err(|reason| CliError::File { path: path.to_owned(), reason })?;
    Ok(text)
}

/// What cannot be undone wants the tenant's name once more.
fn confirmed(tenant: &TenantView, given: Option<&str>) -> Result<(), CliError> {
    let typed = match given {
        Some(given) => given.to_owned(),
        None if !prompt::is_possible() => return Err(CliError::NotConfirmed),
        None => prompt::line(&format!("This cannot be undone. Type the tenant's name ({}): ", visible(&tenant.name)))?,
    };
    if typed.trim() == tenant.name { Ok(()) } else { Err(CliError::NotConfirmed) }
}

fn findings_text(found: &SubjectFindings) -> String {
    let mut text = String::new();
    for record in &found.records {
        push_record(&mut text, record);
    }
    for draft in &found.drafts {
        let _ = writeln!(text, "a draft that {} kept at {}", visible(&draft.account), draft.kept_at);
    }
    for name in &found.saved_searches {
        let _ = writeln!(text, "your saved search {}", visible(name));
    }
    let scan = &found.scanned;
    let more = if found.more { ", and in more that are not told" } else { "" };
    let _ = write!(
        text,
        "found in {}{more}; looked through {} in {}",
        counted(found.records.len() as u64, "record", "records"),
        counted(scan.records, "record", "records"),
        counted(scan.versions, "version", "versions")
    );
    if scan.attachments > 0 {
        let _ = write!(text, ", {} by name", counted(scan.attachments, "attachment", "attachments"));
    }
    if scan.unread > 0 {
        let _ = write!(text, "; {} of the attachments could not be looked into", scan.unread);
    }
    text
}

fn push_record(text: &mut String, record: &SubjectRecordView) {
    let state = match (record.trashed, record.newest) {
        (true, _) => " (in the trash)",
        (false, false) => " (in its history only)",
        (false, true) => "",
    };
    let _ = writeln!(text, "{}  {}{state}", record.id, visible(&record.title));
    for place in &record.places {
        let _ = writeln!(text, "    {}, {}", place_words(place), version_words(&place.versions));
    }
}

fn place_words(place: &SubjectPlaceView) -> String {
    let name = visible(place.name.as_deref().unwrap_or_default());
    match place.place {
        SubjectPlace::Title => "title".to_owned(),
        SubjectPlace::Kind => "kind".to_owned(),
        SubjectPlace::FieldName => format!("name of the field {name}"),
        SubjectPlace::FieldValue if place.masked => format!("field {name} (masked)"),
        SubjectPlace::FieldValue => format!("field {name}"),
        SubjectPlace::Tag => format!("tag {name}"),
        SubjectPlace::Notes => "notes".to_owned(),
        SubjectPlace::AttachmentName => format!("name of the attachment {name}"),
        SubjectPlace::AttachmentText => format!("attachment {name}"),
    }
}

fn version_words(versions: &[u32]) -> String {
    match versions {
        [only] => format!("version {only}"),
        [first, .., last] => format!("versions {first} to {last}, {} of them", versions.len()),
        [] => String::new(),
    }
}

fn export_text(report: &SubjectExportReport, file: &str) -> String {
    let SubjectExportReport { records, versions, attachments, withheld, bytes } = report;
    format!(
        "{} in {} with {}, {}, written to {file}\nmasked values not in it: {withheld}; everything else in it is readable by \
         anybody who has the file",
        counted(*records, "record", "records"),
        counted(*versions, "version", "versions"),
        counted(*attachments, "file", "files"),
        size(*bytes)
    )
}

fn erasure_text(report: &SubjectErasureReport) -> String {
    let SubjectErasureReport { records, versions, drafts, files, saved_searches, .. } = report;
    let mut text = format!(
        "erased {}, {}, {}, {}, {}\n",
        counted(*records, "record", "records"),
        counted(*versions, "version", "versions"),
        counted(*drafts, "draft", "drafts"),
        counted(*files, "file", "files"),
        counted(*saved_searches, "saved search", "saved searches")
    );
    match report.remaining {
        Some(0) => text.push_str("the same search finds nothing any more\n"),
        Some(left) => {
            let _ = writeln!(text, "the person is still in {}", counted(left, "record", "records"));
        }
        None => text.push_str("whether anything is left was not looked at\n"),
    }
    if !report.rewritten {
        text.push_str("the database could not be written anew: repeat the command when nothing else uses the vault\n");
    }
    if report.backups.is_empty() {
        text.push_str("the vault knows of no backup that holds what was erased");
        return text;
    }
    text.push_str("these backups hold it until their files are destroyed; they have no expiry:\n");
    let backups: Vec<String> =
        report.backups.iter().map(|backup| format!("  number {}, made {}", backup.counter, backup.made_at)).collect();
    text + &backups.join("\n")
}

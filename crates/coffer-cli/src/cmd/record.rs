//! `coffer record`: adding, changing, listing and showing records.

use std::fmt::Write;
use std::io::Read;
use std::path::Path;

use coffer_core::Session;
use coffer_core::view::{ChangeKind, FieldView, FullRecordPage, RecordPage, RecordView, VersionView};
use coffer_model::id::RecordId;
use coffer_model::record::{FieldDraft, FieldType, RecordDraft, Value, limits};
use serde::Serialize;

use super::{find_tenant, life, upkeep};
use crate::args::{FieldArgs, RecordArgs, RecordCommand, RecordEdit};
use crate::error::CliError;
use crate::prompt;
use crate::render::{Output, size, table, visible, visible_lines};

pub fn run(session: &Session, command: &RecordCommand, output: &Output) -> Result<(), CliError> {
    match command {
        RecordCommand::Add { tenant, content } => {
            let tenant = find_tenant(session, tenant)?;
            let record = session.add_record(tenant.id, draft(content)?)?;
            output.answer(&record, |record| format!("added {} ({})", visible(&record.title), record.id))?;
        }
        RecordCommand::Edit { id, content } => {
            let record = edit(session, *id, content)?;
            output
                .answer(&record, |record| format!("changed {} (version {})", visible(&record.title), record.version))?;
        }
        RecordCommand::List { tenant, limit, after, skip, full, which } => {
            let tenant = find_tenant(session, tenant)?;
            if *full {
                let page = session.open_records(tenant.id, *limit, after.as_deref())?;
                output.answer(&page, full_page_text)?;
            } else {
                life::list(session, tenant.id, (*limit, after.as_deref(), *skip), which, output, page_text)?;
            }
        }
        RecordCommand::Show { id, reveal } => {
            let mut record = session.open_record(*id)?;
            for named in reveal {
                reveal_field(session, &mut record, named)?;
            }
            output.answer(&record, record_text)?;
        }
        RecordCommand::History { id } => {
            let versions = session.record_history(*id)?;
            output.answer(&versions, |versions| versions.iter().map(version_text).collect::<Vec<_>>().join("\n"))?;
        }
        RecordCommand::Code { id, field } => {
            let record = session.open_record(*id)?;
            let field = find_field(&record.fields, field)?.id;
            let code = session.totp_code(*id, field)?;
            let answer = Code {
                digits: code.code.expose(),
                seconds_left: code.seconds_left,
                period_seconds: code.period_seconds,
            };
            output.answer(&answer, |answer| answer.digits.to_owned())?;
            output.note(format_args!("good for {} seconds", code.seconds_left));
        }
        RecordCommand::Expiring { days } => upkeep::expiring(session, *days, output)?,
        RecordCommand::Health { tenant } => upkeep::health(session, tenant, output)?,
        RecordCommand::Life(command) => life::run(session, command, output)?,
    }
    Ok(())
}

fn draft(args: &RecordArgs) -> Result<RecordDraft, CliError> {
    let fields = given_fields(&args.fields)?.into_iter().map(GivenField::into_draft);
    Ok(RecordDraft {
        kind: args.kind.clone(),
        title: args.title.clone(),
        fields: fields.collect(),
        tags: args.tag.clone(),
        notes: args.notes.clone(),
    })
}

/// The record as it is, with what the arguments say put in its place.
fn edit(session: &Session, id: RecordId, args: &RecordEdit) -> Result<RecordView, CliError> {
    let now = session.open_record(id)?;
    if let Some(missing) = args.remove_field.iter().find(|name| now.fields.iter().all(|field| field.name != **name)) {
        return Err(CliError::NoSuchField(missing.clone()));
    }
    let kept = now.fields.iter().filter(|field| !args.remove_field.contains(&field.name));
    let mut fields: Vec<FieldDraft> = kept
        .map(|field| FieldDraft {
            id: Some(field.id),
            name: field.name.clone(),
            field_type: field.field_type,
            value: None,
        })
        .collect();
    for given in given_fields(&args.fields)? {
        match fields.iter_mut().find(|known| known.name == given.name) {
            Some(known) => {
                known.field_type = given.field_type.unwrap_or(known.field_type);
                known.value = Some(value_of(known.field_type, given.value));
            }
            None => fields.push(given.into_draft()),
        }
    }
    let tags = args.tag.as_ref().map(|tags| tags.iter().filter(|tag| !tag.is_empty()).cloned().collect());
    let draft = RecordDraft {
        kind: args.kind.clone().unwrap_or(now.kind),
        title: args.title.clone().unwrap_or(now.title),
        fields,
        tags: tags.unwrap_or(now.tags),
        notes: args.notes.clone().unwrap_or(now.notes),
    };
    Ok(session.change_record(id, args.version.unwrap_or(now.version), draft)?)
}

/// A one-time code as it is answered.
#[derive(Serialize)]
struct Code<'c> {
    #[serde(rename = "code")]
    digits: &'c str,
    seconds_left: u32,
    period_seconds: u32,
}

/// A field as the arguments give it.
struct GivenField {
    name: String,
    /// `None` where only the name says what it is.
    field_type: Option<FieldType>,
    value: Value,
}

impl GivenField {
    /// `named` is `NAME` or `NAME:TYPE`.
    fn new(named: &str, value: Value) -> Self {
        let typed = named.rsplit_once(':').and_then(|(name, typed)| Some((name, FieldType::from_name(typed)?)));
        let (name, field_type) = typed.map_or((named, None), |(name, typed)| (name, Some(typed)));
        Self { name: name.to_owned(), field_type, value }
    }

    /// The field, new.
    fn into_draft(self) -> FieldDraft {
        let field_type = self.field_type.unwrap_or_else(|| FieldType::guess_from_name(&self.name));
        let value = Some(value_of(field_type, self.value));
        FieldDraft { id: None, name: self.name, field_type, value }
    }
}

/// A reference may be given as answers show it, with the tenant in front; inside a tenant its record's key is enough.
fn value_of(field_type: FieldType, given: Value) -> Value {
    match given.expose().parse::<RecordId>() {
        Ok(record) if field_type == FieldType::Reference => Value::new(record.key().to_string()),
        _ => given,
    }
}

fn given_fields(args: &FieldArgs) -> Result<Vec<GivenField>, CliError> {
    let mut fields = Vec::new();
    for text in &args.fields {
        // What was typed is not repeated: it may be the value alone.
        let (name, value) = text.split_once('=').ok_or(CliError::FieldSyntax("NAME=VALUE"))?;
        fields.push(GivenField::new(name, value.into()));
    }
    for text in &args.field_files {
        let (name, path) = text.split_once('=').ok_or(CliError::FieldSyntax("NAME=FILE"))?;
        fields.push(GivenField::new(name, read_value(Path::new(path))?));
    }
    for name in &args.field_prompts {
        let mut field = GivenField::new(name, Value::new(String::new()));
        field.value = prompt::value(&field.name)?;
        field.field_type.get_or_insert(FieldType::Secret);
        fields.push(field);
    }
    Ok(fields)
}

/// A file's text without one final line break, which editors add.
fn read_value(path: &Path) -> Result<Value, CliError> {
    let failed = |reason| CliError::File { path: path.to_owned(), reason };
    let limit = u64::try_from(limits::VALUE_BYTES).expect("256 KiB fit") + 2;
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin().lock().take(limit).read_to_string(&mut text).map_err(failed)?;
    } else {
        std::fs::File::open(path).and_then(|file| file.take(limit).read_to_string(&mut text)).map_err(failed)?;
    }
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(Value::new(text))
}

/// The field of this name, in whatever case, or number.
fn find_field<'f>(fields: impl IntoIterator<Item = &'f FieldView>, named: &str) -> Result<&'f FieldView, CliError> {
    let by_number = named.parse::<u16>().ok();
    let is_it = |field: &&FieldView| field.name.to_lowercase() == named.to_lowercase() || Some(field.id.0) == by_number;
    fields.into_iter().find(is_it).ok_or_else(|| CliError::NoSuchField(named.to_owned()))
}

fn reveal_field(session: &Session, record: &mut RecordView, named: &str) -> Result<(), CliError> {
    let id = record.id;
    let found = find_field(&record.fields, named)?.id;
    let field = record.fields.iter_mut().find(|field| field.id == found).expect("it was just found");
    if field.value.is_none() {
        field.value = Some(session.reveal_field(id, field.id, None)?.expose().to_owned());
    }
    Ok(())
}

fn full_page_text(page: &FullRecordPage) -> String {
    if page.records.is_empty() {
        return "no records".to_owned();
    }
    let mut text = page.records.iter().map(record_text).collect::<Vec<_>>().join("\n");
    push_more(&mut text, page.records.len(), page.total, page.next.as_deref());
    text
}

/// How to see the next page, if there is one.
pub(super) fn push_more(text: &mut String, shown: usize, total: u64, next: Option<&str>) {
    if let Some(next) = next {
        let _ = writeln!(text, "\n{shown} of {total} records; more with --after {next}");
    }
}

fn page_text(page: &RecordPage) -> String {
    if page.records.is_empty() {
        return "no records".to_owned();
    }
    let has_details = page.records.iter().any(|row| row.detail.is_some());
    let rows = page.records.iter().map(|row| {
        let mut cells = vec![row.title.clone(), row.kind.as_str().to_owned()];
        cells.extend(has_details.then(|| row.detail.clone().unwrap_or_default()));
        cells.extend([row.changed_at.to_string(), row.id.to_string()]);
        cells
    });
    let mut heads = vec!["TITLE", "KIND"];
    heads.extend(has_details.then_some("DETAIL"));
    heads.extend(["CHANGED", "ID"]);
    let mut text = table(&heads, rows);
    push_more(&mut text, page.records.len(), page.total, page.next.as_deref());
    text
}

fn record_text(record: &RecordView) -> String {
    let mut text = format!("{}\n", visible(&record.title));
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(text, "  {:<16} {value}", visible(name));
    };
    row("tenant", &visible(&record.tenant_name));
    row("kind", record.kind.as_str());
    for field in &record.fields {
        match (&field.value, &field.reference) {
            (_, Some(target)) => row(&field.name, &format!("{} ({})", visible(&target.title), target.id)),
            (Some(value), None) => row(&field.name, &visible_lines(value, "                   ")),
            (None, None) if field.empty => row(&field.name, ""),
            (None, None) => row(&field.name, "••••••••"),
        }
    }
    for attachment in &record.attachments {
        row("file", &format!("{} ({})", visible(&attachment.name), size(attachment.bytes)));
    }
    if !record.tags.is_empty() {
        row("tags", &visible(&record.tags.join(", ")));
    }
    if !record.notes.is_empty() {
        row("notes", &visible_lines(&record.notes, "                   "));
    }
    row("changed", &format!("{} by {}, version {}", record.changed_at, record.changed_by, record.version));
    if record.favourite {
        row("favourite", "yes");
    }
    if let Some(trashed_at) = record.trashed_at {
        row("in the trash", &format!("since {trashed_at}"));
    }
    row("id", &record.id.to_string());
    text
}

fn version_text(version: &VersionView) -> String {
    let elsewhere = version.made_at.map_or_else(String::new, |at| format!(", made {at} in another program"));
    let mut text =
        format!("version {}  {} by {}{elsewhere}\n", version.version, version.changed_at, version.changed_by);
    for change in &version.changes {
        let how = match change.how {
            ChangeKind::Added => "added",
            ChangeKind::Changed => "changed",
            ChangeKind::Removed => "removed",
        };
        let values = match (&change.before, &change.after) {
            (None, None) => String::new(),
            (before, after) => {
                let shown = |value: &Option<String>| value.as_deref().map_or_else(|| "—".to_owned(), visible);
                format!(": {} → {}", shown(before), shown(after))
            }
        };
        let _ = writeln!(text, "  {how} {}{values}", visible(&change.what));
    }
    text
}

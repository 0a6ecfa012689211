//! `coffer record`: adding, changing, listing and showing records.

use std::fmt::Write;
use std::io::Read;
use std::path::Path;

use coffer_core::Session;
use coffer_core::view::{ChangeKind, FieldView, FullRecordPage, KindFieldView, RecordPage, RecordView, VersionView};
use coffer_model::id::RecordId;
use coffer_model::record::{FieldDraft, FieldType, RecordDraft, RecordKind, Value, limits};
use coffer_model::template::FieldWord;
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
            let record = session.add_record(tenant.id, draft(session, content)?)?;
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

fn draft(session: &Session, args: &RecordArgs) -> Result<RecordDraft, CliError> {
    let template = template_of(session, &args.kind)?;
    let fields = given_fields(&args.fields)?.into_iter().map(|field| field.into_draft(&template));
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
    if args.changes_nothing() {
        return Err(CliError::Usage("nothing was given that is to change".to_owned()));
    }
    let now = session.open_record(id)?;
    let kind = args.kind.clone().unwrap_or_else(|| now.kind.clone());
    let mut fields: Vec<FieldDraft> = (now.fields.iter())
        .map(|field| FieldDraft {
            id: Some(field.id),
            name: field.name.clone(),
            field_type: field.field_type,
            value: None,
        })
        .collect();
    for named in &args.remove_field {
        let place = place_of(&fields, |field| &field.name, named)?;
        fields.remove(place.ok_or_else(|| CliError::NoSuchField(named.clone()))?);
    }
    let template = template_of(session, &kind)?;
    for given in given_fields(&args.fields)? {
        match place_of(&fields, |field| &field.name, &given.name)?.map(|place| &mut fields[place]) {
            Some(known) => {
                known.field_type = given.field_type.unwrap_or(known.field_type);
                known.value = Some(value_of(known.field_type, given.value));
            }
            None => fields.push(given.into_draft(&template)),
        }
    }
    let tags = args.tag.as_ref().map(|tags| tags.iter().filter(|tag| !tag.is_empty()).cloned().collect());
    let draft = RecordDraft {
        kind,
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
    /// `named` is `NAME` or `NAME:TYPE`. A colon always announces a type: with a mistyped one a secret would be a text that
    /// is shown and indexed.
    fn new(named: &str, value: Value) -> Result<Self, CliError> {
        let (name, field_type) = match named.rsplit_once(':') {
            None => (named, None),
            Some((name, typed)) => (name, Some(FieldType::from_name(typed.trim()).ok_or(CliError::FieldType)?)),
        };
        Ok(Self { name: name.to_owned(), field_type, value })
    }

    /// The field, new: of the type that the kind's template gives it, if none was given, or else of what its name sounds like.
    fn into_draft(self, template: &[KindFieldView]) -> FieldDraft {
        let same = |field: &&KindFieldView| {
            let word = field.word.map(FieldWord::name);
            field.name.as_deref().or(word).is_some_and(|name| letters(name).eq(letters(&self.name)))
        };
        let offered = || template.iter().find(same).map(|field| field.field_type);
        let field_type = self.field_type.or_else(offered).unwrap_or_else(|| FieldType::guess_from_name(&self.name));
        let value = Some(value_of(field_type, self.value));
        FieldDraft { id: None, name: self.name, field_type, value }
    }
}

/// What a name is made of: `card_number` is `Card number`.
fn letters(name: &str) -> impl Iterator<Item = char> {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase)
}

/// The fields that a new record of a kind starts with; none for a kind that the vault does not offer.
fn template_of(session: &Session, kind: &RecordKind) -> Result<Vec<KindFieldView>, CliError> {
    Ok(session
        .kinds()?
        .into_iter()
        .find(|offered| offered.kind == *kind)
        .map(|offered| offered.fields)
        .unwrap_or_default())
}

/// Where what is called `named` stands: so exactly, or else apart from case, if one alone is.
fn place_of<T>(all: &[T], name: impl Fn(&T) -> &str, named: &str) -> Result<Option<usize>, CliError> {
    if let Some(place) = all.iter().position(|one| name(one) == named) {
        return Ok(Some(place));
    }
    let folded = named.to_lowercase();
    let mut places = (0..all.len()).filter(|place| name(&all[*place]).to_lowercase() == folded);
    match (places.next(), places.next()) {
        (Some(_), Some(_)) => {
            Err(CliError::Usage("several fields are called so but for case; write the name exactly".to_owned()))
        }
        (place, _) => Ok(place),
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
    if args.field_files.iter().filter(|field| field.ends_with("=-")).nth(1).is_some() {
        return Err(CliError::Usage("standard input can be one field's value, not several".to_owned()));
    }
    let mut fields = Vec::new();
    for text in &args.fields {
        // What was typed is not repeated: it may be the value alone.
        let (name, value) = text.split_once('=').ok_or(CliError::FieldSyntax("NAME=VALUE"))?;
        fields.push(GivenField::new(name, value.into())?);
    }
    for text in &args.field_files {
        let (name, path) = text.split_once('=').ok_or(CliError::FieldSyntax("NAME=FILE"))?;
        fields.push(GivenField::new(name, read_value(Path::new(path))?)?);
    }
    for name in &args.field_prompts {
        let mut field = GivenField::new(name, Value::new(String::new()))?;
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

/// The field of this name, or else of this number.
fn find_field<'f>(fields: &'f [FieldView], named: &str) -> Result<&'f FieldView, CliError> {
    if let Some(place) = place_of(fields, |field| &field.name, named)? {
        return Ok(&fields[place]);
    }
    let by_number = named.parse::<u16>().ok().and_then(|number| fields.iter().find(|field| field.id.0 == number));
    by_number.ok_or_else(|| CliError::NoSuchField(named.to_owned()))
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

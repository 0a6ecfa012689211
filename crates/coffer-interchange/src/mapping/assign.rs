//! Mappings by hand: `COLUMN=FIELD`, as the command line takes them. Pure.

use coffer_model::record::{FieldType, limits};

use super::Target;

/// One column's target, chosen by a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The column, counted from 0.
    pub column: usize,
    /// What it is to become.
    pub target: Target,
}

/// Why a text is no assignment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssignmentError {
    /// Not of the form `COLUMN=FIELD`.
    #[error("a mapping is written COLUMN=FIELD")]
    Form,
    /// The file has no such column.
    #[error("the file has no column of this name")]
    UnknownColumn,
    /// After the last colon stands no type.
    #[error("a field's type is one of text, secret, multiline, email, phone, url, date, number")]
    UnknownFieldType,
    /// The field's name is empty, too long, or has line breaks.
    #[error("a field's name is one line of 1 to 120 characters")]
    FieldName,
}

impl AssignmentError {
    /// The permanent code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Form => "assignment_form",
            Self::UnknownColumn => "assignment_unknown_column",
            Self::UnknownFieldType => "assignment_unknown_field_type",
            Self::FieldName => "assignment_field_name",
        }
    }
}

impl Assignment {
    /// Reads `COLUMN=FIELD`, where FIELD is `title`, `kind`, `tags`, `notes`, `tenant`, `skip`, a name, or `NAME:TYPE`.
    ///
    /// Both sides may hold equals signs: the longest left side that is a column counts. Letter case is ignored unless
    /// two columns differ in nothing else.
    pub fn parse(text: &str, columns: &[String]) -> Result<Self, AssignmentError> {
        if !text.contains('=') {
            return Err(AssignmentError::Form);
        }
        let splits = || text.rmatch_indices('=').map(|(at, _)| (text[..at].trim(), &text[at + 1..]));
        let (column, field) = splits()
            .find_map(|(left, right)| Some((column_named(left, columns)?, right)))
            .ok_or(AssignmentError::UnknownColumn)?;
        Ok(Self { column, target: target(field.trim(), &columns[column])? })
    }
}

fn column_named(name: &str, columns: &[String]) -> Option<usize> {
    if let Some(exact) = columns.iter().position(|column| column == name) {
        return Some(exact);
    }
    let lower = name.to_lowercase();
    let mut alike = columns.iter().enumerate().filter(|(_, column)| column.to_lowercase() == lower);
    match (alike.next(), alike.next()) {
        (Some((column, _)), None) => Some(column),
        _ => None,
    }
}

fn target(field: &str, column: &str) -> Result<Target, AssignmentError> {
    match field.to_ascii_lowercase().as_str() {
        "title" => return Ok(Target::Title),
        "kind" => return Ok(Target::Kind),
        "tags" => return Ok(Target::Tags),
        "notes" => return Ok(Target::Notes),
        "tenant" => return Ok(Target::Tenant),
        "skip" => return Ok(Target::Skip),
        _ => {}
    }
    // A colon always announces a type: `PIN:secert` must not become a text field that is shown and indexed.
    let (name, field_type) = match field.rsplit_once(':') {
        None => (field, None),
        Some((name, field_type)) => (name.trim(), Some(type_named(field_type.trim())?)),
    };
    if name.is_empty() || name.chars().count() > limits::FIELD_NAME_CHARS || name.chars().any(char::is_control) {
        return Err(AssignmentError::FieldName);
    }
    let field_type = field_type.unwrap_or_else(|| match FieldType::guess_from_name(name) {
        FieldType::Text => FieldType::guess_from_name(column),
        guessed => guessed,
    });
    Ok(Target::Field { name: name.to_owned(), field_type })
}

fn type_named(name: &str) -> Result<FieldType, AssignmentError> {
    FieldType::from_name(&name.to_ascii_lowercase()).ok_or(AssignmentError::UnknownFieldType)
}

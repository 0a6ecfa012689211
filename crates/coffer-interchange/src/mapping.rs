//! Which column becomes which part of a record, for every format made of columns. Pure.
//! Rules: docs/FORMAT.md §8.
//!
//! A [`Mapping`] comes from a [`Guess`] and is corrected by [`Assignment`]s. No field of type secret ever becomes a
//! title, tags or notes by a guess.

mod assign;
mod guess;
mod known;

use coffer_model::record::{
    FieldDraft, FieldType, InvalidRecord, RecordContent, RecordDraft, RecordKind, Value, limits,
};

pub use self::assign::{Assignment, AssignmentError};
pub use self::guess::Guess;
pub use self::known::Program;

/// What a column becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The title.
    Title,
    /// The kind; an empty cell leaves the mapping's own.
    Kind,
    /// Tags, separated by commas or semicolons.
    Tags,
    /// The notes.
    Notes,
    /// A field; an empty cell makes none.
    Field {
        /// Its name.
        name: String,
        /// Its type.
        field_type: FieldType,
    },
    /// Nothing, but it must name the tenant the import goes into, or nobody: mixing up clients is what Coffer prevents.
    Tenant,
    /// Nothing: left out.
    Skip,
}

impl Target {
    /// `title`, `kind`, `tags`, `notes`, `tenant` or the field's name; `None` for a column left out.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Title => Some("title"),
            Self::Kind => Some("kind"),
            Self::Tags => Some("tags"),
            Self::Notes => Some("notes"),
            Self::Field { name, .. } => Some(name),
            Self::Tenant => Some("tenant"),
            Self::Skip => None,
        }
    }

    /// The field's type, if the column becomes a field.
    pub const fn field_type(&self) -> Option<FieldType> {
        match self {
            Self::Field { field_type, .. } => Some(*field_type),
            Self::Title | Self::Kind | Self::Tags | Self::Notes | Self::Tenant | Self::Skip => None,
        }
    }

    /// Whether a record can have only one column of it.
    const fn is_single(&self) -> bool {
        matches!(self, Self::Title | Self::Kind | Self::Notes | Self::Tenant)
    }
}

/// A column and what it becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The name in the file.
    pub name: String,
    /// What it becomes.
    pub target: Target,
}

/// Which column becomes which part of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    kind: RecordKind,
    columns: Vec<Column>,
    /// Columns that stay fields and whose values, joined by spaces, make the title if no column is the title.
    joined_title: Vec<usize>,
    /// Columns that stay fields and of which the first with a value is the title when there is none yet.
    spare_title: Vec<usize>,
    /// What the tenant that the records go into may be called, in lower case.
    tenant: Vec<String>,
}

/// Why a mapping leads to no record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// Nothing to make titles of.
    #[error("no column gives the title")]
    NoTitle,
    /// Two columns become the title, the kind or the notes.
    #[error("column {column} becomes what another column already is")]
    RepeatedTarget {
        /// Counted from 1.
        column: usize,
    },
    /// Two columns become fields of one name.
    #[error("column {column} becomes a field of the same name as another column")]
    RepeatedFieldName {
        /// Counted from 1.
        column: usize,
    },
    /// An assignment names a column the file does not have.
    #[error("there is no column {column}")]
    UnknownColumn {
        /// Counted from 1.
        column: usize,
    },
}

impl MappingError {
    /// The permanent code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoTitle => "mapping_no_title",
            Self::RepeatedTarget { .. } => "mapping_repeated_target",
            Self::RepeatedFieldName { .. } => "mapping_repeated_field_name",
            Self::UnknownColumn { .. } => "mapping_unknown_column",
        }
    }
}

/// Why the cells of a row are no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CellProblem {
    /// Nothing to make a title of.
    NoTitle,
    /// The value does not fit its field's type.
    Value(FieldType),
    /// The row belongs to another tenant.
    OtherTenant,
    /// Something else that no record may hold.
    Record(InvalidRecord),
}

impl Mapping {
    /// The columns in the order of the file.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// What records are about unless a column says so.
    pub fn kind(&self) -> &RecordKind {
        &self.kind
    }

    /// Sets what records are about unless a column says so.
    pub fn set_kind(&mut self, kind: RecordKind) {
        self.kind = kind;
    }

    /// Says what the tenant is called that the records go into, for columns that name it.
    pub fn set_tenant(&mut self, names: Vec<String>) {
        self.tenant = names.into_iter().map(|name| name.to_lowercase()).collect();
    }

    /// Gives one column another target; the column that had a target of which there is one becomes a field.
    fn assign(&mut self, assignment: &Assignment) -> Result<(), MappingError> {
        if assignment.column >= self.columns.len() {
            return Err(MappingError::UnknownColumn { column: assignment.column.saturating_add(1) });
        }
        if assignment.target.is_single() {
            for column in &mut self.columns {
                if column.target == assignment.target {
                    let field_type = if column.target == Target::Notes {
                        FieldType::Multiline
                    } else {
                        FieldType::guess_from_name(&column.name)
                    };
                    column.target = Target::Field { name: column.name.clone(), field_type };
                }
            }
        }
        assignment.target.clone_into(&mut self.columns[assignment.column].target);
        Ok(())
    }

    /// Gives columns other targets and checks that no two then claim the same. A column that loses the title, the
    /// kind or the notes to another becomes a field. After an error the mapping is not to be used.
    pub fn assign_all(&mut self, assignments: &[Assignment]) -> Result<(), MappingError> {
        for (index, assignment) in assignments.iter().enumerate() {
            let claimed = |earlier: &Assignment| {
                earlier.column == assignment.column
                    || (earlier.target.is_single() && earlier.target == assignment.target)
            };
            if assignments[..index].iter().any(claimed) {
                return Err(MappingError::RepeatedTarget { column: assignment.column + 1 });
            }
            self.assign(assignment)?;
        }
        self.check()
    }

    /// Whether rows can become records.
    pub fn check(&self) -> Result<(), MappingError> {
        for (index, column) in self.columns.iter().enumerate() {
            let before = &self.columns[..index];
            if column.target.is_single() && before.iter().any(|other| other.target == column.target) {
                return Err(MappingError::RepeatedTarget { column: index + 1 });
            }
            if column.target.field_type().is_some()
                && before
                    .iter()
                    .any(|other| other.target.field_type().is_some() && other.target.name() == column.target.name())
            {
                return Err(MappingError::RepeatedFieldName { column: index + 1 });
            }
        }
        let has_title = self.columns.iter().any(|column| column.target == Target::Title);
        let other_titles = || self.joined_title.iter().chain(&self.spare_title).any(|&column| self.may_name(column));
        if has_title || other_titles() { Ok(()) } else { Err(MappingError::NoTitle) }
    }

    /// The record that a row's cells make, one cell for each column. An error names the column it concerns, from 0.
    pub fn record(&self, cells: &[&str]) -> Result<RecordContent, (Option<usize>, CellProblem)> {
        let mut draft = RecordDraft {
            kind: self.kind.clone(),
            title: String::new(),
            fields: Vec::new(),
            tags: Vec::new(),
            notes: String::new(),
        };
        let mut title_column = None;
        let mut tags_column = None;
        let mut field_columns = Vec::new();
        for (index, (column, &cell)) in self.columns.iter().zip(cells).enumerate() {
            match &column.target {
                Target::Title => {
                    title_column = Some(index);
                    cell.trim().clone_into(&mut draft.title);
                }
                Target::Kind => {
                    if let Some(kind) = kind_of(cell) {
                        draft.kind = kind.map_err(|error| (Some(index), CellProblem::Record(error)))?;
                    }
                }
                Target::Tags => {
                    tags_column = Some(index);
                    draft.tags.extend(tags_of(cell).map(str::to_owned));
                }
                Target::Notes => cell.clone_into(&mut draft.notes),
                Target::Field { name, field_type } => {
                    let value = text_of(cell, *field_type);
                    if !value.is_empty() {
                        field_columns.push(index);
                        draft.fields.push(FieldDraft {
                            id: None,
                            name: name.clone(),
                            field_type: *field_type,
                            value: Some(Value::from(value)),
                        });
                    }
                }
                Target::Tenant => {
                    let named = cell.trim().to_lowercase();
                    if !named.is_empty() && !self.tenant.contains(&named) {
                        return Err((Some(index), CellProblem::OtherTenant));
                    }
                }
                Target::Skip => {}
            }
        }
        if draft.title.is_empty() {
            draft.title = self.other_title(cells).ok_or((title_column, CellProblem::NoTitle))?;
        }
        RecordContent::parse(draft, None).map_err(|error| match error {
            InvalidRecord::FieldValue { position, field_type } => {
                (field_columns.get(position - 1).copied(), CellProblem::Value(field_type))
            }
            InvalidRecord::Title => (title_column, CellProblem::Record(error)),
            InvalidRecord::Tag => (tags_column, CellProblem::Record(error)),
            other => (None, CellProblem::Record(other)),
        })
    }

    /// The title of a row that has none in a column of its own.
    fn other_title(&self, cells: &[&str]) -> Option<String> {
        let value = |&column: &usize| {
            let cell = cells.get(column)?.trim();
            (self.may_name(column) && !cell.is_empty() && !cell.chars().any(char::is_control)).then_some(cell)
        };
        let joined = self.joined_title.iter().filter_map(value).collect::<Vec<_>>().join(" ");
        let title = if joined.is_empty() { self.spare_title.iter().find_map(value)?.to_owned() } else { joined };
        Some(title.chars().take(limits::TITLE_CHARS).collect())
    }

    /// Whether the column's values may be shown in a title: only those of fields that are not masked.
    fn may_name(&self, column: usize) -> bool {
        let target = self.columns.get(column).map(|column| &column.target);
        target.and_then(Target::field_type).is_some_and(|field_type| !field_type.is_masked())
    }
}

/// The kind a cell names, as people write it: `Bank account` is `bank_account`. `None` if it names none.
fn kind_of(cell: &str) -> Option<Result<RecordKind, InvalidRecord>> {
    let name = cell.trim().to_lowercase().replace([' ', '-'], "_");
    (!name.is_empty()).then(|| name.parse())
}

fn tags_of(cell: &str) -> impl Iterator<Item = &str> {
    cell.split([',', ';']).map(str::trim).filter(|tag| !tag.is_empty())
}

/// A cell as a value of the type: texts and secrets to the last space, others without the spaces around them.
fn text_of(cell: &str, field_type: FieldType) -> &str {
    match field_type {
        FieldType::Text | FieldType::Secret | FieldType::Multiline => cell,
        FieldType::Email
        | FieldType::Phone
        | FieldType::Url
        | FieldType::Date
        | FieldType::Number
        | FieldType::Totp
        | FieldType::Choice
        | FieldType::Reference
        | FieldType::Expiry => cell.trim(),
    }
}

//! What can be wrong with a CSV file or one of its rows. No error holds a value of the file; header names may occur.

use std::io;

use coffer_model::record::{FieldType, InvalidRecord};

use super::COLUMNS;
use crate::mapping::{CellProblem, MappingError};

/// Why a file cannot be imported at all.
#[derive(Debug, thiserror::Error)]
pub enum CsvError {
    /// The file system refused.
    #[error("the file cannot be read")]
    Unreadable(#[source] io::Error),
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// Names of columns, but no row.
    #[error("the file has a header and no rows")]
    HeaderOnly,
    /// The file begins with the byte order mark of UTF-16.
    #[error("the file is UTF-16; save it as UTF-8")]
    Utf16,
    /// The header cannot be read as a row.
    #[error("the header: {problem}")]
    Header {
        /// Counted from 1, where it concerns one cell.
        column: Option<usize>,
        /// What is wrong.
        problem: RowProblem,
    },
    /// More than 500.
    #[error("a file may have {COLUMNS} columns")]
    TooManyColumns,
    /// A column without a name.
    #[error("column {column} has no name in the header")]
    NamelessColumn {
        /// Counted from 1.
        column: usize,
    },
    /// A name with line breaks, or too long.
    #[error("the name of column {column} must be one line of 1 to 120 characters")]
    ColumnName {
        /// Counted from 1.
        column: usize,
    },
    /// Two columns have one name.
    #[error("column {column} has the same name as column {first}")]
    RepeatedColumn {
        /// Counted from 1.
        column: usize,
        /// Counted from 1.
        first: usize,
    },
    /// The mapping is for a file with other columns.
    #[error("the columns of the file are not those of the mapping")]
    OtherColumns,
    /// The mapping leads to no record.
    #[error(transparent)]
    Mapping(#[from] MappingError),
}

impl CsvError {
    /// The permanent code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "file_unreadable",
            Self::Empty => "csv_empty",
            Self::HeaderOnly => "csv_header_only",
            Self::Utf16 => "csv_utf16",
            Self::Header { .. } => "csv_header",
            Self::TooManyColumns => "csv_too_many_columns",
            Self::NamelessColumn { .. } => "csv_nameless_column",
            Self::ColumnName { .. } => "csv_column_name",
            Self::RepeatedColumn { .. } => "csv_repeated_column",
            Self::OtherColumns => "csv_other_columns",
            Self::Mapping(error) => error.code(),
        }
    }
}

/// Why one row cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowError {
    /// The line of the file the row begins at, from 1.
    pub line: u64,
    /// The name of the column, where it concerns one cell.
    pub column: Option<String>,
    /// What is wrong.
    pub problem: RowProblem,
}

impl std::fmt::Display for RowError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.column {
            Some(column) => write!(f, "line {}, column \"{column}\": {}", self.line, self.problem),
            None => write!(f, "line {}: {}", self.line, self.problem),
        }
    }
}

impl std::error::Error for RowError {}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowProblem {
    /// The file system refused in the middle; no row follows.
    #[error("the file cannot be read further ({0})")]
    Unreadable(io::ErrorKind),
    /// A cell that is no UTF-8.
    #[error("the text is not valid UTF-8")]
    NotUtf8,
    /// A NUL character.
    #[error("the text holds a NUL character")]
    Nul,
    /// A cell over 256 KiB.
    #[error("a cell may have 256 KiB at most")]
    CellTooLarge,
    /// A row over 1 MiB.
    #[error("a row may have 1 MiB at most")]
    RowTooLarge,
    /// A quote that is never closed.
    #[error("a quotation mark is never closed")]
    UnclosedQuote,
    /// A cell goes on after its closing quote.
    #[error("text follows the closing quotation mark; a quotation mark inside a cell is written twice")]
    TextAfterQuote,
    /// A carriage return outside quotes that ends no line.
    #[error("a carriage return stands outside quotation marks")]
    StrayCarriageReturn,
    /// Fewer cells than the header has.
    #[error("the header has {expected} columns, the row {found}")]
    TooFewCells {
        /// In the header.
        expected: usize,
        /// In the row.
        found: usize,
    },
    /// More cells than the header has.
    #[error("the header has {expected} columns, the row {found}")]
    TooManyCells {
        /// In the header.
        expected: usize,
        /// In the row.
        found: usize,
    },
    /// Nothing to make a title of.
    #[error("the row gives no title")]
    NoTitle,
    /// The value does not fit the type of its field.
    #[error("the value is no {}; correct it or map the column to another type", .0.expected())]
    Value(FieldType),
    /// The row names another tenant than the one the import goes into.
    #[error("the row belongs to another tenant; map the column to a field if it means something else")]
    OtherTenant,
    /// Something else that no record may hold.
    #[error(transparent)]
    Record(InvalidRecord),
}

impl RowProblem {
    /// The permanent code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "file_unreadable",
            Self::NotUtf8 => "not_utf8",
            Self::Nul => "nul_character",
            Self::CellTooLarge => "cell_too_large",
            Self::RowTooLarge => "row_too_large",
            Self::UnclosedQuote => "unclosed_quote",
            Self::TextAfterQuote => "text_after_quote",
            Self::StrayCarriageReturn => "stray_carriage_return",
            Self::TooFewCells { .. } => "too_few_cells",
            Self::TooManyCells { .. } => "too_many_cells",
            Self::NoTitle => "no_title",
            Self::Value(_) => "value_not_of_type",
            Self::OtherTenant => "other_tenant",
            Self::Record(_) => "not_a_record",
        }
    }

    /// Whether it is found in one cell rather than in the row as a whole.
    pub(super) const fn is_of_one_cell(&self) -> bool {
        matches!(
            self,
            Self::NotUtf8
                | Self::Nul
                | Self::CellTooLarge
                | Self::UnclosedQuote
                | Self::TextAfterQuote
                | Self::StrayCarriageReturn
        )
    }
}

impl From<CellProblem> for RowProblem {
    fn from(problem: CellProblem) -> Self {
        match problem {
            CellProblem::NoTitle => Self::NoTitle,
            CellProblem::Value(field_type) => Self::Value(field_type),
            CellProblem::OtherTenant => Self::OtherTenant,
            CellProblem::Record(invalid) => Self::Record(invalid),
        }
    }
}

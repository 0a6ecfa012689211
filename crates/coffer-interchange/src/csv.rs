//! CSV into records: RFC 4180, UTF-8 or Windows-1252, streamed in constant memory. Pure over `io::Read`.
//! Dialect and rules: docs/FORMAT.md §8.
//!
//! [`inspect`] looks at a file and suggests a mapping; [`read`] yields a record for each row. Both read UTF-8: a file in
//! Windows-1252 goes through [`Decoded`], as [`detect_encoding`] says.

mod encoding;
mod error;
mod split;

use std::io::Read;

use coffer_model::record::{RecordContent, Value, limits};

pub use self::encoding::{Decoded, TextEncoding, detect_encoding};
pub use self::error::{CsvError, RowError, RowProblem};
use self::split::{Encoding, Fault, Row, Splitter};
use crate::mapping::{Guess, Mapping, Program};

/// Most columns of a file. A record has at most 200 fields; the rest leaves room for columns to skip.
pub const COLUMNS: usize = 500;
/// Rows shown before an import.
pub const PREVIEW_ROWS: usize = 20;
/// Rows looked at to suggest a mapping. Bounds the time [`inspect`] takes, whatever the file's size.
pub const SAMPLE_ROWS: usize = 10_000;

/// What a file looks like, before anything is imported.
#[derive(Debug)]
pub struct Inspection {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// What separates the cells: `,`, `;` or a tab.
    pub separator: char,
    /// The program whose export it is, if its header is known.
    pub program: Option<Program>,
    /// How the columns would be understood. It may lack a title: see [`Mapping::check`].
    pub mapping: Mapping,
    /// The first rows. Cells that the mapping makes secret are there as well; who shows them masks them.
    pub preview: Vec<Result<PreviewRow, RowError>>,
}

/// A row as it stands in the file.
#[derive(Debug)]
pub struct PreviewRow {
    /// The line of the file it begins at, from 1.
    pub line: u64,
    /// One for each column.
    pub cells: Vec<Value>,
}

/// A row that became a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedRow {
    /// The line of the file it begins at, from 1.
    pub line: u64,
    /// What it says, within the limits of records.
    pub content: RecordContent,
}

/// Reads the header and the first rows, and suggests a mapping that fits them.
pub fn inspect<R: Read>(reader: R) -> Result<Inspection, CsvError> {
    let mut table = Table::open(reader)?;
    let mut guess = Guess::new(&table.columns);
    let mut preview = Vec::new();
    for position in 0..SAMPLE_ROWS {
        let Some(row) = table.next_row().map_err(CsvError::Unreadable)? else {
            break;
        };
        let shown = match row {
            Ok((line, cells)) => {
                guess.observe(&cells);
                (position < PREVIEW_ROWS)
                    .then(|| Ok(PreviewRow { line, cells: cells.into_iter().map(Value::from).collect() }))
            }
            Err(error) => (position < PREVIEW_ROWS).then_some(Err(error)),
        };
        preview.extend(shown);
    }
    let (separator, program) = (char::from(table.splitter.separator()), guess.program());
    Ok(Inspection { mapping: guess.into_mapping(), separator, program, preview, columns: table.columns })
}

/// Reads every row as `mapping` says. The file must have the columns the mapping was made for.
pub fn read<R: Read>(reader: R, mapping: Mapping) -> Result<Rows<R>, CsvError> {
    mapping.check()?;
    let table = Table::open(reader)?;
    if !mapping.columns().iter().map(|column| &column.name).eq(&table.columns) {
        return Err(CsvError::OtherColumns);
    }
    Ok(Rows { table, mapping, failed: false })
}

/// The records of a file, row after row. A wrong row is an error and the next row follows, unless the file itself
/// cannot be read further.
#[derive(Debug)]
pub struct Rows<R> {
    table: Table<R>,
    mapping: Mapping,
    failed: bool,
}

impl<R: Read> Rows<R> {
    /// How many bytes of the file have been read so far, for progress.
    pub fn bytes_read(&self) -> u64 {
        self.table.splitter.bytes_read()
    }

    /// How the columns are understood.
    pub fn mapping(&self) -> &Mapping {
        &self.mapping
    }
}

impl<R: Read> Iterator for Rows<R> {
    type Item = Result<ImportedRow, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let (line, cells) = match self.table.next_row() {
            Ok(None) => return None,
            Ok(Some(Ok(row))) => row,
            Ok(Some(Err(error))) => return Some(Err(error)),
            Err(error) => {
                self.failed = true;
                let (line, problem) = (self.table.splitter.line(), RowProblem::Unreadable(error.kind()));
                return Some(Err(RowError { line, column: None, problem }));
            }
        };
        Some(match self.mapping.record(&cells) {
            Ok(content) => Ok(ImportedRow { line, content }),
            Err((column, problem)) => {
                let column = column.map(|column| self.table.columns[column].clone());
                Err(RowError { line, column, problem: problem.into() })
            }
        })
    }
}

/// A file whose header has been read.
struct Table<R> {
    splitter: Splitter<R>,
    columns: Vec<String>,
}

impl<R> std::fmt::Debug for Table<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("columns", &self.columns).finish_non_exhaustive()
    }
}

/// The line a row begins at and its cells, or what is wrong with it.
type Cells<'a> = Result<(u64, Vec<&'a str>), RowError>;

impl<R: Read> Table<R> {
    fn open(reader: R) -> Result<Self, CsvError> {
        let mut splitter = Splitter::new(reader);
        if splitter.begin().map_err(CsvError::Unreadable)? == Encoding::Utf16 {
            return Err(CsvError::Utf16);
        }
        let header_error =
            |fault: Fault| CsvError::Header { column: fault.column.map(|column| column + 1), problem: fault.problem };
        match splitter.next_row(COLUMNS).map_err(CsvError::Unreadable)? {
            None => return Err(CsvError::Empty),
            Some(Err(fault)) => return Err(header_error(fault)),
            Some(Ok(())) => {}
        }
        if splitter.row().found() > COLUMNS {
            return Err(CsvError::TooManyColumns);
        }
        let columns = column_names(&splitter.row().cells().map_err(header_error)?)?;
        if !splitter.has_more().map_err(CsvError::Unreadable)? {
            return Err(CsvError::HeaderOnly);
        }
        Ok(Self { splitter, columns })
    }

    fn next_row(&mut self) -> std::io::Result<Option<Cells<'_>>> {
        let expected = self.columns.len();
        let Some(read) = self.splitter.next_row(expected)? else {
            return Ok(None);
        };
        let row = self.splitter.row();
        let cells = read.and_then(|()| cells_of(row, expected));
        let named = |fault: Fault| RowError {
            line: row.line,
            column: fault.column.and_then(|column| self.columns.get(column).cloned()),
            problem: fault.problem,
        };
        Ok(Some(cells.map(|cells| (row.line, cells)).map_err(named)))
    }
}

fn cells_of(row: &Row, expected: usize) -> Result<Vec<&str>, Fault> {
    let found = row.found();
    match found.cmp(&expected) {
        std::cmp::Ordering::Equal => row.cells(),
        std::cmp::Ordering::Less => Err(Fault { column: None, problem: RowProblem::TooFewCells { expected, found } }),
        std::cmp::Ordering::Greater => {
            Err(Fault { column: None, problem: RowProblem::TooManyCells { expected, found } })
        }
    }
}

fn column_names(cells: &[&str]) -> Result<Vec<String>, CsvError> {
    let mut names: Vec<String> = Vec::with_capacity(cells.len());
    for (index, cell) in cells.iter().enumerate() {
        let column = index + 1;
        let name = cell.trim();
        if name.is_empty() {
            return Err(CsvError::NamelessColumn { column });
        }
        if name.chars().count() > limits::FIELD_NAME_CHARS || name.chars().any(char::is_control) {
            return Err(CsvError::ColumnName { column });
        }
        if let Some(first) = names.iter().position(|taken| taken == name) {
            return Err(CsvError::RepeatedColumn { column, first: first + 1 });
        }
        names.push(name.to_owned());
    }
    Ok(names)
}

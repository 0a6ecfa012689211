//! Records as CSV: RFC 4180, UTF-8, every cell in quotation marks, formulas neutralised. Pure over `io::Write`.
//!
//! A cell that a spreadsheet would run gets an apostrophe in front
//! (<https://owasp.org/www-community/attacks/CSV_Injection>).

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use coffer_model::record::{FieldType, RecordContent};

use super::{ExportLoss, ExportLosses, ExportRecord, count, torn_tags};

/// Most columns: as many as an import reads.
const COLUMNS: usize = crate::csv::COLUMNS;
/// What stands before the fields.
const FIXED: [&str; 4] = ["title", "kind", "tags", "notes"];

/// The columns that records need; to be shown every record before the first is written.
#[derive(Debug, Default)]
pub struct Columns {
    /// Names of fields, and which column each has.
    places: BTreeMap<String, usize>,
    names: Vec<String>,
}

impl Columns {
    /// Takes a record's fields into account.
    pub fn observe(&mut self, content: &RecordContent) {
        for field in content.fields() {
            if self.names.len() + FIXED.len() < COLUMNS && !self.places.contains_key(&field.name) {
                self.places.insert(field.name.clone(), self.names.len());
                self.names.push(field.name.clone());
            }
        }
    }

    /// The header: each name once as it is written, and none of a field that an import would take for the title, kind,
    /// tags or notes.
    fn header(&self) -> Vec<String> {
        let mut header: Vec<String> = FIXED.map(str::to_owned).to_vec();
        let mut taken = BTreeSet::new();
        let as_written = |name: &str| if is_formula(name) { format!("'{name}") } else { name.to_owned() };
        for name in &self.names {
            let mut name = name.clone();
            while FIXED.contains(&name.to_lowercase().as_str()) || !taken.insert(as_written(&name)) {
                name.push_str(" (field)");
            }
            header.push(name);
        }
        header
    }
}

/// Writes records row by row.
#[derive(Debug)]
pub struct CsvWriter<W> {
    writer: W,
    columns: Columns,
    losses: ExportLosses,
}

impl<W: Write> CsvWriter<W> {
    /// Writes the header.
    pub fn new(writer: W, columns: Columns) -> io::Result<Self> {
        let mut table = Self { writer, columns, losses: ExportLosses::new() };
        let header = table.columns.header();
        table.write_row(header.iter().map(String::as_str))?;
        Ok(table)
    }

    /// Writes a record's newest version.
    pub fn push(&mut self, record: &ExportRecord) -> io::Result<()> {
        let Some(version) = record.versions.last() else { return Ok(()) };
        let content = &version.content;
        count(&mut self.losses, ExportLoss::EarlierVersions, record.versions.len() as u64 - 1);
        let mut cells = vec![""; self.columns.names.len()];
        for field in content.fields() {
            match self.columns.places.get(&field.name) {
                Some(&place) => cells[place] = field.value.expose(),
                None => count(&mut self.losses, ExportLoss::Fields, 1),
            }
            let loss = if field.field_type.is_masked() { ExportLoss::SecretMarks } else { ExportLoss::FieldTypes };
            count(&mut self.losses, loss, u64::from(field.field_type != FieldType::Text));
        }
        let attached = record.attachments.iter().filter(|attachment| attachment.is_in(version.number)).count();
        count(&mut self.losses, ExportLoss::Attachments, attached as u64);
        count(&mut self.losses, ExportLoss::Tags, torn_tags(content));
        let tags = content.tags().join(", ");
        let fixed = [content.title(), content.kind().as_str(), &tags, content.notes()];
        self.write_row(fixed.into_iter().chain(cells))
    }

    /// Ends the table; gives what it could not hold.
    pub fn finish(mut self) -> io::Result<(W, ExportLosses)> {
        self.writer.flush()?;
        Ok((self.writer, self.losses))
    }

    fn write_row<'c>(&mut self, cells: impl Iterator<Item = &'c str>) -> io::Result<()> {
        for (index, cell) in cells.enumerate() {
            self.writer.write_all(if index == 0 { b"\"" } else { b",\"" })?;
            if is_formula(cell) {
                count(&mut self.losses, ExportLoss::NeutralisedCells, 1);
                self.writer.write_all(b"'")?;
            }
            let mut parts = cell.split('"');
            self.writer.write_all(parts.next().unwrap_or_default().as_bytes())?;
            for part in parts {
                self.writer.write_all(b"\"\"")?;
                self.writer.write_all(part.as_bytes())?;
            }
            self.writer.write_all(b"\"")?;
        }
        self.writer.write_all(b"\r\n")
    }
}

/// Whether a spreadsheet may take a cell for a formula, be it after what it strips from the beginning.
fn is_formula(cell: &str) -> bool {
    cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\0', '＝', '＋', '－', '＠'])
}

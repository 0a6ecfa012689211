//! Tables: streamed row by row in constant memory, with a mapping of their columns.

use std::fs::File;
use std::io::{Read, Seek};

use coffer_interchange::csv::{self, CsvError, Decoded, Inspection, RowError, TextEncoding};
use coffer_interchange::mapping::{Assignment, AssignmentError, Column, Mapping, MappingError};
use coffer_interchange::source::Format;
use coffer_model::record::FieldType;

use super::{Import, ImportError, ImportRequest, Ready, Taking, Watched};
use crate::job::JobError;
use crate::view::{ImportColumn, ImportCount, ImportPreview, ImportPreviewRow, ImportReport};

/// The rows of a file while an import runs.
pub(super) type Rows<'f> = csv::Rows<Decoded<Watched<'f>>>;

/// How a table would be understood.
pub(super) fn inspect(mut file: &File, request: &ImportRequest) -> Result<ImportPreview, ImportError> {
    let encoding = encoding(file)?;
    file.rewind().map_err(CsvError::Unreadable)?;
    let inspection = csv::inspect(Decoded::new(file, encoding))?;
    // No row is read here, so nobody is asked what the tenant is called.
    match corrected(&inspection, &request.mapping, &[]) {
        Ok(mapping) => Ok(preview(inspection, &mapping, encoding, None)),
        // The person has still to say which column it is.
        Err(ImportError::Csv(CsvError::Mapping(MappingError::NoTitle))) => {
            let suggested = inspection.mapping.clone();
            Ok(preview(inspection, &suggested, encoding, Some(MappingError::NoTitle)))
        }
        Err(error) => Err(error),
    }
}

/// The rows of a file, with the mapping they are read by.
pub(super) fn open<'f>(import: &'f Import<'_>, mut file: &'f File) -> Result<Rows<'f>, ImportError> {
    let encoding = encoding(import.watched(file))?;
    file.rewind().map_err(CsvError::Unreadable)?;
    let inspection = csv::inspect(Decoded::new(import.watched(file), encoding))?;
    let mapping = corrected(&inspection, &import.request.mapping, &import.open.names())?;
    drop(inspection);
    file.rewind().map_err(CsvError::Unreadable)?;
    Ok(csv::read(Decoded::new(import.watched(file), encoding), mapping)?)
}

fn encoding(reader: impl Read) -> Result<TextEncoding, ImportError> {
    csv::detect_encoding(reader).map_err(|error| CsvError::Unreadable(error).into())
}

pub(super) fn report(rows: &Rows<'_>) -> ImportReport {
    ImportReport { columns: column_views(rows.mapping()), ..ImportReport::of(Format::Csv, ImportCount::Lines) }
}

/// Reads every row to the end.
pub(super) fn take(taking: &mut Taking<'_, '_>, mut rows: Rows<'_>) -> Result<(), JobError> {
    let context = taking.import.context;
    let mut told = 0;
    while let Some(row) = rows.next() {
        context.check()?;
        match row {
            Ok(row) => taking.take(&Ready { content: &row.content, made_at: None, earlier: &[], attachments: &[] })?,
            Err(error) => taking.reject(error.line, || message(&error)),
        }
        let read = rows.bytes_read();
        context.advance(read - told);
        told = read;
    }
    Ok(())
}

/// How a file is understood, with the person's corrections.
fn corrected(inspection: &Inspection, corrections: &[String], tenant: &[String]) -> Result<Mapping, ImportError> {
    let mut mapping = inspection.mapping.clone();
    mapping.set_tenant(tenant.to_vec());
    let assignments: Result<Vec<Assignment>, AssignmentError> =
        corrections.iter().map(|text| Assignment::parse(text, &inspection.columns)).collect();
    mapping.assign_all(&assignments?)?;
    Ok(mapping)
}

fn preview(
    inspection: Inspection,
    mapping: &Mapping,
    encoding: TextEncoding,
    problem: Option<MappingError>,
) -> ImportPreview {
    let secret = |index: usize| mapping.columns()[index].target.field_type().is_some_and(FieldType::is_masked);
    let row_view = |row: Result<csv::PreviewRow, RowError>| match row {
        Ok(row) => ImportPreviewRow {
            line: row.line,
            cells: row
                .cells
                .iter()
                .enumerate()
                .map(|(index, cell)| (!secret(index)).then(|| cell.expose().to_owned()))
                .collect(),
            error: None,
        },
        Err(error) => ImportPreviewRow { line: error.line, cells: Vec::new(), error: Some(message(&error)) },
    };
    ImportPreview {
        encoding: Some(encoding.code().to_owned()),
        program: inspection.program.map(|program| program.code().to_owned()),
        columns: column_views(mapping),
        problem: problem.map(|problem| problem.code().to_owned()),
        kind: mapping.kind().clone(),
        rows: inspection.preview.into_iter().map(row_view).collect(),
        ..ImportPreview::of(Format::Csv)
    }
}

fn column_views(mapping: &Mapping) -> Vec<ImportColumn> {
    let view = |column: &Column| ImportColumn {
        column: column.name.clone(),
        target: column.target.name().map(str::to_owned),
        field_type: column.target.field_type(),
    };
    mapping.columns().iter().map(view).collect()
}

/// What is wrong with a row, without its line.
fn message(error: &RowError) -> String {
    match &error.column {
        Some(column) => format!("column \"{column}\": {}", error.problem),
        None => error.problem.to_string(),
    }
}

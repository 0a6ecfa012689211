//! CSV export: what a spreadsheet would run is neutralised, what is lost is counted, the rest comes back.
#![allow(clippy::unwrap_used, reason = "a test is a claim, and a panic refutes it")]

use coffer_interchange::export::{Columns, CsvWriter, ExportLoss, ExportLosses, ExportRecord};
use coffer_model::record::{FieldDraft, FieldType, RecordContent, RecordDraft};
use coffer_model::time::Timestamp;
use proptest::prelude::*;

fn record(title: &str, fields: &[(&str, FieldType, &str)], notes: &str) -> ExportRecord {
    let field = |&(name, field_type, value): &(&str, FieldType, &str)| FieldDraft {
        id: None,
        name: name.to_owned(),
        field_type,
        value: Some(value.into()),
    };
    let draft = RecordDraft {
        kind: "server".parse().unwrap(),
        title: title.to_owned(),
        fields: fields.iter().map(field).collect(),
        tags: vec!["db".to_owned(), "eu".to_owned()],
        notes: notes.to_owned(),
    };
    let content = RecordContent::parse(draft, None).unwrap();
    let versions = vec![(content, Timestamp::UNIX_EPOCH)];
    ExportRecord { key: [1; 16], created_at: Timestamp::UNIX_EPOCH, versions, attachments: vec![] }
}

fn written(records: &[ExportRecord]) -> (String, ExportLosses) {
    let mut columns = Columns::default();
    for record in records {
        columns.observe(&record.versions[0].0);
    }
    let mut writer = CsvWriter::new(Vec::new(), columns).unwrap();
    for record in records {
        writer.push(record).unwrap();
    }
    let (file, losses) = writer.finish().unwrap();
    (String::from_utf8(file).unwrap(), losses)
}

fn cells(file: &str) -> Vec<Vec<String>> {
    let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(file.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[test]
fn attack_69_cells_that_a_spreadsheet_would_run_are_neutralised_and_counted() {
    let formula = "=cmd|' /C calc'!A0";
    let records = [
        record("@SUM(1)", &[("=name", FieldType::Text, "+1"), ("b", FieldType::Secret, "-2+3")], "\tx"),
        record("safe", &[("b", FieldType::Secret, formula), ("c", FieldType::Multiline, "\r=1")], "a=1"),
    ];
    let (file, losses) = written(&records);
    let rows = cells(&file);
    assert_eq!(rows[0], ["title", "kind", "tags", "notes", "'=name", "b", "c"]);
    assert_eq!(rows[1], ["'@SUM(1)", "server", "db, eu", "'\tx", "'+1", "'-2+3", ""]);
    assert_eq!(rows[2], ["safe", "server", "db, eu", "a=1", "", &format!("'{formula}"), "'\r=1"]);
    assert_eq!(losses.get(&ExportLoss::NeutralisedCells), Some(&7));
    assert_eq!(losses.get(&ExportLoss::SecretMarks), Some(&2));
}

#[test]
fn names_of_fields_that_an_import_would_take_for_something_else_are_told_apart() {
    let (file, _) = written(&[record("a", &[("Title", FieldType::Text, "x"), ("Host", FieldType::Text, "y")], "")]);
    assert_eq!(cells(&file)[0], ["title", "kind", "tags", "notes", "Title (field)", "Host"]);
    let mapping = coffer_interchange::csv::inspect(file.as_bytes()).unwrap().mapping;
    let back = coffer_interchange::csv::read(file.as_bytes(), mapping).unwrap().next().unwrap().unwrap().content;
    assert_eq!(
        (back.title(), back.kind().as_str(), back.tags()),
        ("a", "server", &["db".to_owned(), "eu".to_owned()][..])
    );
    assert_eq!(back.fields().len(), 2);
}

proptest! {
    #[test]
    fn no_cell_begins_as_a_formula_and_every_text_is_whole(text in "[^\0]{1,20}", notes in "[=+@\t\r\n,;\"a-]{0,8}") {
        let (file, _) = written(&[record("t", &[("a", FieldType::Multiline, &text)], &notes)]);
        let row = &cells(&file)[1];
        for (cell, given) in [(&row[4], &text), (&row[3], &notes)] {
            prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']));
            prop_assert_eq!(cell.strip_prefix('\'').filter(|_| !given.starts_with('\'')).unwrap_or(cell), given.as_str());
        }
    }
}

//! CSV export: what a spreadsheet would run is neutralised, what is lost is counted, the rest comes back.
#![allow(clippy::unwrap_used, reason = "a test is a claim, and a panic refutes it")]

use coffer_interchange::export::{
    Columns, CsvWriter, ExportAttachment, ExportLoss, ExportLosses, ExportRecord, ExportVersion,
};
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
    let versions = vec![ExportVersion { number: 1, content, made_at: Timestamp::UNIX_EPOCH }];
    ExportRecord { key: [1; 16], created_at: Timestamp::UNIX_EPOCH, versions, attachments: vec![] }
}

fn written(records: &[ExportRecord]) -> (String, ExportLosses) {
    let mut columns = Columns::default();
    for record in records {
        columns.observe(&record.versions[0].content);
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

#[test]
fn names_of_fields_never_make_two_columns_of_one_name() {
    let text = FieldType::Text;
    let records = [
        record("a", &[("title", text, "1"), ("title (field)", text, "2"), ("notes (field)", text, "3")], ""),
        record("b", &[("notes", text, "4"), ("=x", text, "5"), ("'=x", text, "6")], ""),
    ];
    let (file, _) = written(&records);
    let mapping = coffer_interchange::csv::inspect(file.as_bytes()).unwrap().mapping;
    let back = coffer_interchange::csv::read(file.as_bytes(), mapping).unwrap();
    let values = |content: &RecordContent| {
        content.fields().iter().map(|field| field.value.expose().to_owned()).collect::<Vec<_>>().concat()
    };
    let back: Vec<_> = back.map(|row| row.unwrap().content).map(|row| (row.title().to_owned(), values(&row))).collect();
    assert_eq!(back, [("a".to_owned(), "123".to_owned()), ("b".to_owned(), "456".to_owned())]);
}

#[test]
fn a_tag_that_comes_back_as_several_is_a_loss() {
    let mut torn = record("a", &[], "");
    torn.versions[0].content = torn.versions[0].content.with_tags(&["x; y".to_owned()], &[]).unwrap();
    let (_, losses) = written(&[torn, record("b", &[], "")]);
    assert_eq!(losses.get(&ExportLoss::Tags), Some(&1));
}

#[test]
fn attachments_of_newest_versions_are_counted_where_others_were_erased() {
    let attached = |attached, detached| ExportAttachment { name: "n".to_owned(), file: None, attached, detached };
    let mut left = record("a", &[], "");
    left.versions[0].number = 3;
    left.attachments = vec![attached(2, None), attached(1, Some(3)), attached(3, Some(4))];
    assert_eq!(written(&[left]).1.get(&ExportLoss::Attachments), Some(&2));
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

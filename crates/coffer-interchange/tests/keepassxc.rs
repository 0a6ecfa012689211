//! KeePassXC's CSV export: a file it wrote, and one it writes now where it is installed.
#![allow(clippy::unwrap_used, reason = "a test is a claim, and a panic refutes it")]

use std::io::Write;
use std::process::{Command, Stdio};

use coffer_interchange::csv;
use coffer_model::record::RecordContent;

/// Written by `keepassxc-cli export --format csv`, version 2.7.4, from `data/keepassxc.xml`.
const EXPORT: &[u8] = include_bytes!("data/keepassxc.csv");

fn records(file: &[u8]) -> Vec<RecordContent> {
    let mapping = csv::inspect(file).unwrap().mapping;
    csv::read(file, mapping).unwrap().map(|row| row.unwrap().content).collect()
}

fn value<'a>(record: &'a RecordContent, name: &str) -> &'a str {
    record.fields().iter().find(|field| field.name == name).map_or("", |field| field.value.expose())
}

/// Holds every cell of `file`, as the `csv` crate reads it, against the imported records.
fn assert_agrees(file: &[u8]) -> usize {
    let records = records(file);
    let mut reader = ::csv::Reader::from_reader(file);
    let header = reader.headers().unwrap().clone();
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), rows.len());
    for (record, row) in records.iter().zip(&rows) {
        for (name, cell) in header.iter().zip(row) {
            match name {
                "Title" if cell.is_empty() => assert_eq!(record.title(), &row[4]),
                "Title" => assert_eq!(record.title(), cell),
                "Group" => assert_eq!(record.tags(), [cell.to_owned()]),
                "Notes" => assert_eq!(record.notes(), cell),
                "Icon" => {}
                _ => assert_eq!(value(record, name), cell, "{name}"),
            }
        }
        assert_eq!(record.kind().as_str(), "login");
    }
    records.len()
}

#[test]
fn every_cell_of_an_export_arrives() {
    assert_eq!(assert_agrees(EXPORT), 3);
    let records = records(EXPORT);
    let secrets: Vec<&str> = (records[0].fields().iter())
        .filter(|field| field.field_type.is_masked())
        .map(|field| field.name.as_str())
        .collect();
    assert_eq!(secrets, ["Password", "TOTP"]);
}

#[test]
fn what_keepassxc_writes_today_arrives() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("made.kdbx");
    let run = |arguments: &[&std::ffi::OsStr], input: &[u8]| {
        let mut child = Command::new("keepassxc-cli")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        child.stdin.take().unwrap().write_all(input)?;
        child.wait_with_output()
    };
    let xml = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/keepassxc.xml");
    let import = ["import".as_ref(), "-p".as_ref(), xml.as_os_str(), database.as_os_str()];
    match run(&import, b"pass\npass\n") {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("keepassxc-cli is not installed: only the committed export is checked");
            return;
        }
        made => assert!(made.unwrap().status.success()),
    }
    let export = ["export".as_ref(), "--format".as_ref(), "csv".as_ref(), database.as_os_str()];
    let exported = run(&export, b"pass\n").unwrap();
    assert!(exported.status.success());
    assert_eq!(assert_agrees(&exported.stdout), 3);
}

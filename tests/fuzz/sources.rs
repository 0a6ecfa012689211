//! Files of other programs.

use std::cell::Cell;
use std::io::{Cursor, Write as _};

use coffer_interchange::csv;
use coffer_interchange::source::{self, Format, SourceKeys};
use zeroize::Zeroizing;

use crate::Target;

pub const CSV: Target = Target { name: "csv", feed: csv, seeds: csv_seeds };
pub const BITWARDEN: Target = Target { name: "bitwarden", feed: bitwarden, seeds: bitwarden_seeds };
pub const ONEPUX: Target = Target { name: "onepux", feed: onepux, seeds: onepux_seeds };
pub const ONEPUX_DOCUMENT: Target =
    Target { name: "onepux_document", feed: onepux_document, seeds: onepux_document_seeds };
pub const KEY_FILE: Target = Target { name: "key_file", feed: key_file, seeds: key_file_seeds };

const EXPORT_DATA: &[u8] = include_bytes!("../../crates/coffer-interchange/tests/data/export.data.json");

/// Reads a file as its content says it is, without a key.
pub fn read(format: Format, bytes: &[u8], keys: &SourceKeys) {
    let detected = source::detect(&mut Cursor::new(bytes));
    assert!(detected.is_ok(), "what a file is can be told of any bytes in memory");
    if let Ok(collection) = source::read(format, &mut Cursor::new(bytes), keys) {
        assert!(!collection.entries.is_empty() || collection.losses_counted > 0);
        assert!(collection.losses.len() as u64 <= collection.losses_counted);
    }
}

fn csv(bytes: &[u8]) {
    let Ok(found) = csv::inspect(bytes) else { return };
    let Ok(rows) = csv::read(bytes, found.mapping) else { return };
    let mut last = 0;
    for row in rows {
        let line = row.map_or_else(|error| error.line, |row| row.line);
        assert!(line > last, "rows come in the order of their lines");
        last = line;
    }
}

fn csv_seeds() -> Vec<Vec<u8>> {
    let file = |name: &str| {
        std::fs::read(format!("{}/../../crates/coffer-interchange/tests/data/{name}", env!("CARGO_MANIFEST_DIR")))
    };
    vec![
        file("contacts.csv").unwrap(),
        file("keepassxc.csv").unwrap(),
        b"name,url,username,password,note\r\na,https://x.example,u,\"p\"\"q\",\"two\nlines\"\r\n".to_vec(),
        b"Title;PIN\nx;1\n".to_vec(),
        b"Title\tNotes\nM\xfcller\tx\n".to_vec(),
    ]
}

fn bitwarden(bytes: &[u8]) {
    read(Format::Bitwarden, bytes, &SourceKeys::default());
}

fn bitwarden_seeds() -> Vec<Vec<u8>> {
    vec![
        include_bytes!("../../crates/coffer-interchange/tests/data/bitwarden.json").to_vec(),
        b"{\"encrypted\":false,\"items\":[{\"type\":1,\"name\":\"x\",\"login\":{\"username\":\"u\",\"totp\":\"t\"}}]}"
            .to_vec(),
    ]
}

fn onepux(bytes: &[u8]) {
    read(Format::OnePux, bytes, &SourceKeys::default());
}

fn zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    // Stored, so that what is fuzzed is the text and not a compressor's output.
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in members {
        zip.start_file(*name, stored).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn onepux_seeds() -> Vec<Vec<u8>> {
    let small = b"{\"accounts\":[{\"vaults\":[{\"items\":[{\"overview\":{\"title\":\"x\"},\"details\":{}}]}]}]}";
    vec![zipped(&[("export.data", small), ("files/a__b.txt", b"north")]), zipped(&[("export.data", EXPORT_DATA)])]
}

/// The document alone, in an archive that is in order.
fn onepux_document(bytes: &[u8]) {
    onepux(&zipped(&[("export.data", bytes), ("files/docplan__plan.txt", b"north")]));
}

fn onepux_document_seeds() -> Vec<Vec<u8>> {
    vec![EXPORT_DATA.to_vec()]
}

thread_local! {
    /// A KDBX file of the least cost, to which every key file is the wrong one.
    static LOCKED: Cell<Option<Vec<u8>>> = const { Cell::new(None) };
}

fn key_file(bytes: &[u8]) {
    let file = LOCKED.take().unwrap_or_else(|| crate::kdbx::file(&[]));
    let keys = SourceKeys { passphrase: None, key_file: Some(Zeroizing::new(bytes.to_vec())) };
    read(Format::Kdbx, &file, &keys);
    LOCKED.set(Some(file));
}

fn key_file_seeds() -> Vec<Vec<u8>> {
    let xml = "<KeyFile><Meta><Version>2.0</Version></Meta><Key><Data Hash=\"00000000\">00</Data></Key></KeyFile>";
    vec![xml.as_bytes().to_vec(), vec![7; 32], "07".repeat(32).into_bytes()]
}

//! Portable archives of a tenant: whole, and with only the records' lines from the fuzzer in an archive that is in order.

use std::io::{Cursor, Write as _};

use coffer_interchange::archive::{self, ArchiveWriter, Counts, ManifestHead, Member};
use coffer_model::id::RecordKey;
use coffer_model::time::Timestamp;

use crate::Target;

pub const ARCHIVE: Target = Target { name: "archive", feed: look, seeds: archive_seeds };
pub const RECORDS: Target = Target { name: "archive_records", feed: records, seeds: record_seeds };

/// Records looked at.
const RECORDS_MAX: u64 = 1_000;

/// A record's line, but for its key.
const LINE: &str = concat!(
    r#"{"key":"KEY","kind":"login","title":"Gate","tags":["eu"],"notes":"n","#,
    r#""fields":[{"number":1,"name":"User","type":"text","value":"ines"}],"created_at":"2026-01-02T03:04:05.006Z","#,
    r#""changed_at":"2026-01-02T03:04:05.006Z","trashed_at":null,"attachments":[],"versions":[{"version":1,"#,
    r#""changed_at":"2026-01-02T03:04:05.006Z","changed_by":"ines","made_at":null,"kind":"login","title":"Gate","#,
    r#""tags":["eu"],"notes":"n","fields":[{"number":1,"name":"User","type":"text","value":"ines"}],"next_field":2}]}"#,
    "\n"
);

fn look(bytes: &[u8]) {
    if let Ok(look) = archive::look(Cursor::new(bytes), bytes.len() as u64, RECORDS_MAX) {
        assert!(look.records.len() as u64 <= RECORDS_MAX);
    }
}

fn archive_seeds() -> Vec<Vec<u8>> {
    vec![around(line(1).as_bytes()), around(b"")]
}

fn records(bytes: &[u8]) {
    look(&around(bytes));
}

fn record_seeds() -> Vec<Vec<u8>> {
    vec![line(1).into_bytes(), (line(1) + &line(2)).into_bytes()]
}

fn line(key: u8) -> String {
    LINE.replace("KEY", &RecordKey::from_bytes([key; 16]).to_string())
}

/// An archive whose records are these bytes.
fn around(records: &[u8]) -> Vec<u8> {
    let head = ManifestHead { tenant: "ACME".to_owned(), made_at: Timestamp::UNIX_EPOCH, made_by: "ines".to_owned() };
    let mut archive = ArchiveWriter::new(Vec::new(), head, &[]).unwrap();
    archive.begin(Member::Records, records.len() as u64).unwrap();
    archive.write_all(records).unwrap();
    archive.end().unwrap();
    archive.finish(Counts::default()).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Else everything a fuzzer tried would end at the door.
    #[test]
    fn what_the_targets_make_of_their_seeds_is_read_to_the_end() {
        let bytes = around(line(1).as_bytes());
        let look = archive::look(Cursor::new(&bytes), bytes.len() as u64, RECORDS_MAX).unwrap();
        assert_eq!(look.records.len(), 1);
    }
}

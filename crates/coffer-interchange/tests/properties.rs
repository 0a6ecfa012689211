//! The row reader against the `csv` crate and against arbitrary bytes.
#![allow(clippy::unwrap_used, reason = "a test is a claim, and a panic refutes it")]

use coffer_interchange::csv::{self as import, Inspection, RowProblem};
use coffer_model::record::Value;
use proptest::prelude::*;

fn cell() -> impl Strategy<Value = String> {
    let awkward =
        prop::sample::select(vec!["\"", "\"\"", ",", ";", "\n", "\r\n", "\r", " ", "\t", "é", "\u{FEFF}", "="]);
    let part = prop_oneof![awkward.prop_map(str::to_owned), "[^\0]{0,6}"];
    prop::collection::vec(part, 0..6).prop_map(|parts| parts.concat())
}

fn table() -> impl Strategy<Value = Vec<Vec<String>>> {
    (2_usize..6).prop_flat_map(|columns| prop::collection::vec(prop::collection::vec(cell(), columns), 1..20))
}

proptest! {
    #[test]
    fn what_a_csv_writer_writes_is_read_back_equal_at_the_right_lines(
        table in table(),
        crlf in any::<bool>(),
        bom in any::<bool>(),
        always in any::<bool>(),
        separator in prop::sample::select(vec![b',', b';', b'\t']),
    ) {
        let mut file = if bom { "\u{FEFF}".as_bytes().to_vec() } else { Vec::new() };
        let mut lines = Vec::new();
        {
            let mut writer = csv::WriterBuilder::new()
                .terminator(if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') })
                .quote_style(if always { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary })
                .delimiter(separator)
                .from_writer(&mut file);
            writer.write_record((0..table[0].len()).map(|column| format!("c{column}"))).unwrap();
            let mut line = 2;
            for row in &table {
                lines.push(line);
                line += 1 + row.iter().map(|cell| u64::try_from(cell.matches('\n').count()).unwrap()).sum::<u64>();
                writer.write_record(row).unwrap();
            }
            writer.flush().unwrap();
        }
        let found = import::inspect(&file[..]).unwrap();
        prop_assert_eq!(found.separator, char::from(separator));
        for ((row, line), found) in table.iter().zip(lines).zip(found.preview) {
            let found = found.unwrap();
            prop_assert_eq!(found.line, line);
            prop_assert_eq!(found.cells.iter().map(Value::expose).collect::<Vec<_>>(), row.iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn rows_accepted_from_arbitrary_text_are_those_the_csv_crate_reads(body in "[ab\",\n\r]{0,60}") {
        let file = format!("x,y\n{body}");
        let Ok(found) = import::inspect(file.as_bytes()) else { return Ok(()) };
        let count = |problem: &RowProblem| matches!(problem, RowProblem::TooFewCells { .. } | RowProblem::TooManyCells { .. });
        // Where this reader is stricter, the two may differ from that row on.
        if found.preview.iter().any(|row| row.as_ref().is_err_and(|error| !count(&error.problem))) {
            return Ok(());
        }
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file.as_bytes());
        let theirs: Vec<csv::StringRecord> = reader.records().take(import::PREVIEW_ROWS).map(Result::unwrap).collect();
        prop_assert_eq!(found.preview.len(), theirs.len());
        for (ours, theirs) in found.preview.iter().zip(&theirs) {
            if let Ok(row) = ours {
                prop_assert!(row.cells.iter().map(Value::expose).eq(theirs.iter()));
            } else {
                prop_assert_ne!(theirs.len(), 2);
            }
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..400)) {
        for header in [&b"Title,PIN,Notes\n"[..], b""] {
            let file = [header, &body].concat();
            if let Ok(found) = import::inspect(&file[..])
                && let Ok(rows) = import::read(&file[..], found.mapping)
            {
                for row in rows {
                    let line = row.map_or_else(|error| error.line, |row| row.line);
                    prop_assert!(line > 0 && line <= 401);
                }
            }
        }
    }

    #[test]
    fn how_the_bytes_arrive_does_not_matter(body in "[ab\",\n\r]{0,60}", step in 1_usize..4) {
        let file = format!("Title,y\n{body}");
        let (Ok(whole), Ok(pieces)) = (import::inspect(file.as_bytes()), import::inspect(Pieces(file.as_bytes(), step))) else {
            return Ok(());
        };
        let rows = |found: Inspection| {
            let row = |row: Result<import::PreviewRow, _>| row.map(|row| (row.line, row.cells));
            found.preview.into_iter().map(row).collect::<Vec<_>>()
        };
        prop_assert_eq!(rows(whole), rows(pieces));
    }
}

/// Gives a few bytes at a time.
struct Pieces<'a>(&'a [u8], usize);

impl std::io::Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.1.min(buffer.len());
        std::io::Read::read(&mut self.0, &mut buffer[..count])
    }
}

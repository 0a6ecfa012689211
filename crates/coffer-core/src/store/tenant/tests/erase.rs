//! Erased is erased: nothing of it is in the decrypted file, wherever SQLite and FTS5 had put it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::super::attachment_rows::Attached;
use super::*;

/// The whole database as SQLite sees it: every page, decrypted, free ones too.
#[expect(unsafe_code, reason = "rusqlite offers it under a feature that nothing else needs")]
fn pages(store: &TenantStore) -> Vec<u8> {
    let mut size = 0;
    // SAFETY: the handle is that of an open connection of this thread; the name ends with a zero byte. What is returned
    // holds `size` bytes, is ours, and is given back to SQLite once it was copied.
    unsafe {
        let handle = store.connection.handle();
        let bytes = rusqlite::ffi::sqlite3_serialize(handle, c"main".as_ptr(), &raw mut size, 0);
        assert!(!bytes.is_null());
        let copy = std::slice::from_raw_parts(bytes, usize::try_from(size).unwrap()).to_vec();
        rusqlite::ffi::sqlite3_free(bytes.cast());
        copy
    }
}

/// Whether a word is anywhere in the pages, or a word of an index.
fn is_left(store: &TenantStore, word: &str) -> bool {
    let is_in_pages = pages(store).windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()));
    let view = "CREATE VIRTUAL TABLE IF NOT EXISTS temp.left_words USING fts5vocab (main, search, row)";
    store.connection.execute_batch(view).unwrap();
    let sql = "SELECT EXISTS (SELECT 1 FROM temp.left_words WHERE term = ?1)";
    let is_in_index: bool = store.connection.query_row(sql, [word.to_lowercase()], |row| row.get(0)).unwrap();
    is_in_pages || is_in_index
}

fn about(title: &str, notes: &str) -> RecordContent {
    let fields = vec![("Name", FieldType::Text, title), ("PIN", FieldType::Secret, notes)];
    let field = |(name, field_type, value): (&str, FieldType, &str)| FieldDraft {
        id: None,
        name: name.to_owned(),
        field_type,
        value: Some(value.into()),
    };
    let draft = RecordDraft {
        kind: "contact".parse().unwrap(),
        title: title.to_owned(),
        fields: fields.into_iter().map(field).collect(),
        tags: vec![title.to_lowercase()],
        notes: notes.to_owned(),
    };
    RecordContent::parse(draft, None).unwrap()
}

/// A file in which the word has been in many places: titles changed, drafts, index, trash.
fn lived_in(bench: &mut Bench) {
    for number in 1..=60 {
        bench.add(number, &about(&format!("Record {number}"), "quiet"));
    }
    bench.add(100, &about("Canarywharf", "Canarywharf secret"));
    bench.add(101, &about("Once Canarywharf", "Canarywharf"));
    bench.write(|tx| {
        tx.update_record(key(101), 1, &about("Another", "quiet")).unwrap();
    });
    bench.write(|tx| {
        tx.update_record(key(100), 1, &about("Canarywharf again", "Canarywharf")).unwrap();
    });
    for number in 1..=30 {
        bench.write(|tx| {
            tx.update_record(key(number), 1, &about(&format!("Changed {number}"), "quiet")).unwrap();
        });
    }
}

#[test]
fn nothing_of_an_erased_record_or_version_is_left_in_the_file() {
    let mut bench = Bench::new();
    lived_in(&mut bench);
    assert!(is_left(&bench.store, "canarywharf"));
    bench.write(|tx| assert_eq!(tx.erase_records(&[key(100)]).unwrap(), []));
    let erased = ErasedHistory { key: key(101), versions: vec![1], attachments: Vec::new() };
    bench.write(|tx| assert_eq!(tx.erase_history(std::slice::from_ref(&erased)).unwrap(), []));
    bench.store.rewrite().unwrap();
    assert!(!is_left(&bench.store, "canarywharf"));
    assert_eq!(std::fs::metadata(bench.path().with_extension("db-wal")).map_or(0, |facts| facts.len()), 0);

    // All else is as it was, and the file still opens and is written to.
    assert_eq!(bench.store.count().unwrap(), 61);
    assert_eq!(bench.search("changed").len(), 30);
    assert_eq!(bench.store.record(key(101), None).unwrap().unwrap().version, 2);
    assert!(bench.store.record(key(101), Some(1)).unwrap().is_none());
    bench.write(|tx| tx.trash_record(key(1)).unwrap());
    assert_eq!(bench.reopen(IDENTITY).unwrap().count().unwrap(), 60);
}

#[test]
fn the_newest_version_is_no_history_and_what_is_not_there_is_not_found() {
    let mut bench = Bench::new();
    bench.add(1, &about("Gate", "quiet"));
    let erased = |number, version| ErasedHistory { key: key(number), versions: vec![version], attachments: Vec::new() };
    bench.write(|tx| {
        assert!(matches!(tx.erase_history(&[erased(1, 1)]), Err(ChangeError::NotFound)));
        assert!(matches!(tx.erase_history(&[erased(2, 1)]), Err(ChangeError::NotFound)));
        assert!(matches!(tx.erase_records(&[key(2)]), Err(ChangeError::NotFound)));
    });
    assert_eq!(bench.store.count().unwrap(), 1);
}

#[test]
fn a_record_in_the_trash_is_erased_as_well() {
    let mut bench = Bench::new();
    bench.add(1, &about("Gate", "quiet"));
    bench.add(2, &about("Alarm", "quiet"));
    bench.write(|tx| tx.trash_record(key(1)).unwrap());
    bench.write(|tx| drop(tx.erase_records(&[key(1), key(2)]).unwrap()));
    assert_eq!((bench.store.count().unwrap(), bench.store.trash_count().unwrap()), (0, 0));
    assert!(bench.rows_left().iter().all(|(_, rows)| *rows == 0), "{:?}", bench.rows_left());
}

#[test]
fn what_goes_with_an_erasure_is_overwritten_before_the_file_is_written_anew() {
    let mut bench = Bench::new();
    bench.add(1, &about("Gate", "quiet"));
    bench.add(2, &about("Canarywharf", "quiet"));
    let draft = RecordDraft {
        kind: RecordKind::custom(),
        title: "Dockland".to_owned(),
        fields: Vec::new(),
        tags: Vec::new(),
        notes: String::new(),
    };
    bench.write(|tx| tx.keep_draft(None, 0, &draft).unwrap());
    assert!(is_left(&bench.store, "canarywharf") && is_left(&bench.store, "dockland"));
    bench.write(|tx| {
        tx.erase_drafts(&[(WHO, None)]).unwrap();
        tx.erase_records(&[key(2)]).unwrap();
    });
    assert!(!is_left(&bench.store, "dockland"));
    assert!(!is_left(&bench.store, "canarywharf"));
}

/// Hundreds of steps of SQLite's machine that it takes to purge a record with so many files, of which another one has as many.
fn steps_of_purging(files: u16, old: bool) -> u64 {
    let mut bench = Bench::new();
    if old {
        bench.store.connection.execute_batch("DROP INDEX IF EXISTS attachment_by_file").unwrap();
    }
    let name = AttachmentName::from_file_name("plan");
    for record in [1, 2] {
        bench.add(record, &titled("Gate"));
        bench.write(|tx| {
            let row = record_row(&tx.tx, key(record)).unwrap().unwrap();
            for number in 1..=files {
                let mut digest = [record; 32];
                digest[..2].copy_from_slice(&number.to_be_bytes());
                let file = StoredFile { file: digest[..16].try_into().unwrap(), header: [0; 32], bytes: 1 };
                let attached = Attached { id: AttachmentId(number), name: &name, media: MediaKind::Other, version: 1 };
                tx.insert_attached(row, &attached, &file, &digest).unwrap();
            }
        });
    }
    bench.write(|tx| tx.trash_record(key(1)).unwrap());
    let steps = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&steps);
    let count = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        false
    };
    bench.store.connection.progress_handler(100, Some(count)).unwrap();
    bench.write(|tx| tx.purge_records(&[key(1)]).unwrap());
    let mut left = 0;
    bench.store.files(|_| left += 1).unwrap();
    assert_eq!(left, files);
    steps.load(Ordering::Relaxed)
}

#[test]
fn purging_four_times_as_many_files_takes_about_four_times_as_long_in_old_databases_too() {
    // Databases from before there was an index get it then.
    for old in [false, true] {
        let (few, many) = (steps_of_purging(1_000, old), steps_of_purging(4_000, old));
        assert!(many < 6 * few, "old: {old}, {few} and {many} hundred steps");
    }
}

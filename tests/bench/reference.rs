//! Bare references: SQLCipher and SQLite used directly, with the settings a careful program chooses, and nothing else.
#![expect(clippy::disallowed_types, reason = "a reference for the store goes around it")]

use std::path::Path;

use rusqlite::{Connection, params};

use crate::rows::{self, Row};

/// One table with its list's covering index, and full-text search over it: the least that could answer a list by title
/// and a search for words.
const LEAST: &str = "
    CREATE TABLE item (
        id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, title_key TEXT NOT NULL, title TEXT NOT NULL,
        kind TEXT NOT NULL, changed INTEGER NOT NULL, body BLOB NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX item_by_title ON item (title_key, key, title, kind, changed);
    CREATE VIRTUAL TABLE search USING fts5 (
        title, fields, tags, notes, marks,
        tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3', content = '', contentless_delete = 1
    );
    INSERT INTO search (search, rank) VALUES ('pgsz', 3950);
    CREATE TABLE small (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;";

/// What answers the other calls, too: lists by kind and by time, and parts of numbers. With it `marks` is filled, for
/// searches by kind and by field.
const MORE: &str = "
    CREATE INDEX item_by_kind ON item (kind, title_key, key, title, changed);
    CREATE INDEX item_by_changed ON item (changed, key, title, kind);
    CREATE VIRTUAL TABLE number USING fts5 (
        value, tokenize = 'trigram case_sensitive 1', content = '', contentless_delete = 1
    );
    INSERT INTO number (number, rank) VALUES ('pgsz', 3950);";

/// Entries of a log that has been in use: more than the pages (1,000) after which SQLite makes a checkpoint by itself.
pub const LOG_IN_USE: u32 = 1_500;

/// What a reference database can answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// A list by title, and searches for words.
    Least,
    /// Every order of lists, and searches by kind, field and parts of numbers.
    All,
}

/// Opens a file with SQLCipher, and uses the key at once.
pub fn open_encrypted(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.pragma_update(None, "key", format!("x'{}'", "5a".repeat(48))).unwrap();
    settle(&connection);
    connection
}

/// Copies a database into a new file under another key, for good.
pub fn back_up(from: &Connection, to: &Path) {
    let mut copy = Connection::open(to).unwrap();
    copy.pragma_update(None, "key", format!("x'{}'", "a5".repeat(48))).unwrap();
    let backup = rusqlite::backup::Backup::new(from, &mut copy).unwrap();
    backup.run_to_completion(1_024, std::time::Duration::ZERO, None).unwrap();
    std::fs::File::open(to).unwrap().sync_all().unwrap();
}

/// Opens a file with SQLite.
pub fn open_plain(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    settle(&connection);
    connection
}

/// Makes a log that has been in use. While a write-ahead log grows for the first time each commit also forces its new length
/// to the disk; from its first checkpoint on it is written over.
pub fn used_log(path: &Path) -> Connection {
    let log = open_plain(path);
    create(&log, Answers::Least);
    for _ in 0..LOG_IN_USE {
        log_entry(&log);
    }
    log
}

/// One durable commit of about what an entry takes in the log.
pub fn log_entry(log: &Connection) {
    commit(log, &[0x5A; 400]);
}

fn settle(connection: &Connection) {
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0)).unwrap();
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).unwrap();
    connection.pragma_update(None, "synchronous", "FULL").unwrap();
    connection.pragma_update(None, "cache_size", -65_536).unwrap();
    connection.pragma_update(None, "temp_store", "MEMORY").unwrap();
}

/// Makes the tables.
pub fn create(connection: &Connection, answers: Answers) {
    connection.execute_batch(LEAST).unwrap();
    if answers == Answers::All {
        connection.execute_batch(MORE).unwrap();
    }
}

/// Inserts rows in one transaction, index and search included.
pub fn insert(connection: &mut Connection, answers: Answers, rows: impl Iterator<Item = Row>) {
    let marks = if answers == Answers::All { "k0custom f0company f0email f0phone f0password" } else { "" };
    let tx = connection.transaction().unwrap();
    {
        let mut item = tx
            .prepare(
                "INSERT INTO item (key, title_key, title, kind, changed, body) VALUES (?1, ?2, ?3, 'login', ?4, ?5)",
            )
            .unwrap();
        let mut search = tx
            .prepare("INSERT INTO search (rowid, title, fields, tags, notes, marks) VALUES (?1, ?2, ?3, '', ?4, ?5)")
            .unwrap();
        let mut numbers =
            (answers == Answers::All).then(|| tx.prepare("INSERT INTO number (rowid, value) VALUES (?1, ?2)").unwrap());
        for (number, row) in (0_u64..).zip(rows) {
            let key = u128::from(number).to_be_bytes();
            let fields = format!("{}\n{}\n{}", row.company, row.email, row.phone);
            let body = format!("{}\n{fields}\n{}\n{}", row.title, row.password, row.notes);
            let at = i64::try_from(number).unwrap();
            item.execute(params![key, row.title.to_lowercase(), row.title, at, body.as_bytes()]).unwrap();
            let id = tx.last_insert_rowid();
            search.execute(params![id, row.title, fields, row.notes, marks]).unwrap();
            if let Some(numbers) = &mut numbers {
                let digits: String = row.phone.chars().filter(char::is_ascii_digit).collect();
                numbers.execute(params![id, digits]).unwrap();
            }
        }
    }
    tx.commit().unwrap();
}

/// A reference database with rows of a set.
pub fn make(path: &Path, set: u64, count: u64) -> Connection {
    let mut connection = open_encrypted(path);
    create(&connection, Answers::Least);
    insert(&mut connection, Answers::Least, (0..count).map(|number| rows::row(set, number)));
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    connection
}

/// The first page of the list.
pub fn first_page(connection: &Connection, limit: u32) -> usize {
    let mut query = connection
        .prepare_cached("SELECT key, kind, title, changed FROM item ORDER BY title_key, key LIMIT ?1")
        .unwrap();
    let rows = query.query_map([limit], |row| row.get::<_, String>(2)).unwrap();
    rows.map(Result::unwrap).count()
}

/// The newest hits of a search: words that must all occur, the last as a beginning.
pub fn search(connection: &Connection, text: &str, limit: u32) -> usize {
    let words: Vec<String> = text.split(' ').map(|word| format!("\"{word}\"")).collect();
    let expression = format!("{} *", words.join(" "));
    let mut query = connection
        .prepare_cached(
            "SELECT i.key, i.title FROM (SELECT rowid AS id FROM search WHERE search MATCH ?1 ORDER BY rowid DESC LIMIT ?2)
             hit CROSS JOIN item i ON i.id = hit.id",
        )
        .unwrap();
    let rows = query.query_map(params![expression, limit], |row| row.get::<_, String>(1)).unwrap();
    rows.map(Result::unwrap).count()
}

/// One durable commit of a small row.
pub fn commit(connection: &Connection, body: &[u8]) {
    connection.prepare_cached("INSERT INTO small (body) VALUES (?1)").unwrap().execute([body]).unwrap();
}

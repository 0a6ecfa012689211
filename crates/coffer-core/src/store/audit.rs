//! Rows of the log. Layout: `audit.sql`, docs/FORMAT.md §6.
//!
//! Plain SQLite: whoever is locked out writes here too. What the rows mean is decided by [`crate::audit`].
//!
//! Several processes may have this file open. A process that opens and closes the file by other means loses its POSIX
//! locks on it (sqlite.org/howtocorrupt.html §2.2), and the last connection to close would then remove a write-ahead
//! log that is still in use. So no connection tidies up on closing, and writers hold a lock of their own (`audit.lock`).
#![expect(clippy::disallowed_types, reason = "this is the store")]

use std::ops::ControlFlow;
use std::path::Path;

use coffer_evidence::entry::EFFECT_TAG_BYTES;
use coffer_evidence::mac::StoredEntry;
use coffer_evidence::merkle::{self, Hash, NodeId};
use coffer_model::id::VaultId;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, TransactionBehavior, params};

use super::files;
use super::sqlcipher::{self, Access, StoreError};

/// Name of the file in the vault's folder.
pub(crate) const FILE: &str = "audit.db";
/// Schema of this build (`PRAGMA user_version`).
const SCHEMA_VERSION: i64 = 1;

/// A stretch of the log with a MAC chain of its own.
#[derive(Debug)]
pub(crate) struct SegmentRow {
    /// Index of its first entry.
    pub(crate) first: u64,
    /// Root of the tree over all entries before it.
    pub(crate) root: Hash,
    /// Its first MAC key, sealed to the audit key.
    pub(crate) sealed_key: Vec<u8>,
}

/// A checkpoint as stored.
#[derive(Debug)]
pub(crate) struct CheckpointRow {
    /// How many entries it covers.
    pub(crate) size: u64,
    /// When, in milliseconds since 1970.
    pub(crate) at: i64,
    /// The signed note.
    pub(crate) note: String,
}

/// What is remembered of failed unlocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FailuresRow {
    /// When the window began, in milliseconds since 1970.
    pub(crate) window_start: i64,
    /// Logged one by one in this window.
    pub(crate) logged: u64,
    /// In no entry yet.
    pub(crate) uncounted: u64,
    /// Since the log began.
    pub(crate) total: u64,
}

/// The open file.
#[derive(Debug)]
pub(crate) struct AuditStore {
    connection: Connection,
}

/// What is stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows<'c> {
    connection: &'c Connection,
}

/// An addition to the log, all or nothing.
pub(crate) struct AuditTx<'s> {
    tx: rusqlite::Transaction<'s>,
}

/// One state of the log, whatever is appended meanwhile; its main file does not change while this lives.
#[derive(Debug)]
pub(crate) struct AuditSnapshot {
    store: AuditStore,
}

impl AuditStore {
    /// Makes the log of a new vault, where none may be.
    pub(crate) fn create(folder: &Path, vault: VaultId) -> Result<Self, StoreError> {
        let path = sqlcipher::in_real_folder(&folder.join(FILE))?;
        drop(files::create_private_file(&path)?);
        let mut store = Self { connection: connect(&path, Access::ReadWrite)? };
        let tx = store.connection.transaction()?;
        tx.execute_batch(include_str!("audit.sql"))?;
        tx.execute("INSERT INTO log (id, vault) VALUES (1, ?1)", [vault.as_bytes()])?;
        tx.execute("INSERT INTO failures (id, window_start, logged, uncounted, total) VALUES (1, 0, 0, 0, 0)", [])?;
        tx.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        tx.commit()?;
        Ok(store)
    }

    /// Opens the log of a vault.
    pub(crate) fn open(folder: &Path, vault: VaultId, access: Access) -> Result<Self, StoreError> {
        let path = sqlcipher::in_real_folder(&folder.join(FILE))?;
        // Looks at the name only: opening the file here would drop SQLite's locks on it when it is closed again.
        files::make_private(&path)?;
        let store = Self { connection: connect(&path, access)? };
        let version: i64 = store.connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version > SCHEMA_VERSION {
            return Err(StoreError::NewerSchema);
        }
        let owner: [u8; 16] = store.connection.query_row("SELECT vault FROM log", [], |row| row.get(0))?;
        if owner == *vault.as_bytes() { Ok(store) } else { Err(StoreError::Misplaced) }
    }

    /// Begins an addition; waits for another process's to end.
    pub(crate) fn write(&mut self) -> Result<AuditTx<'_>, StoreError> {
        Ok(AuditTx { tx: self.connection.transaction_with_behavior(TransactionBehavior::Immediate)? })
    }

    /// Holds the log's present state in a connection of its own, its main file holding all of it.
    ///
    /// While this reader lives, nothing is moved from the write-ahead log into the main file (sqlite.org/wal.html
    /// §2.2), so the main file alone may be copied.
    pub(crate) fn snapshot(&self, folder: &Path, vault: VaultId) -> Result<AuditSnapshot, StoreError> {
        sqlcipher::checkpoint(&self.connection)?;
        AuditSnapshot::of(folder, vault)
    }

    /// What is stored, read outside any addition.
    pub(crate) const fn rows(&self) -> Rows<'_> {
        Rows { connection: &self.connection }
    }
}

impl Rows<'_> {
    /// How many entries there are: the index of the next.
    pub(crate) fn next_index(self) -> Result<u64, StoreError> {
        let mut query = self.connection.prepare_cached("SELECT coalesce(max(idx) + 1, 0) FROM entry")?;
        Ok(query.query_row([], |row| number(row, 0))?)
    }

    /// A complete node of the tree: stored with the entry that completed it; a leaf's is the hash of its leaf.
    pub(crate) fn node(self, id: NodeId) -> Result<Hash, StoreError> {
        let mut query = self.connection.prepare_cached("SELECT leaf, nodes FROM entry WHERE idx = ?1")?;
        let mut rows = query.query([sqlcipher::to_integer(id.completed_by())?])?;
        let row = rows.next()?.ok_or(StoreError::Damaged)?;
        let Some(above) = id.level.checked_sub(1) else {
            return Ok(merkle::leaf_hash(&row.get::<_, Hash>(0)?));
        };
        let nodes = blob(row, 1)?;
        let place = usize::try_from(above).map_err(|_| StoreError::Damaged)?;
        nodes.as_chunks().0.get(place).copied().ok_or(StoreError::Damaged)
    }

    /// First index of the segment that is being written.
    pub(crate) fn last_segment(self) -> Result<u64, StoreError> {
        let mut query = self.connection.prepare_cached("SELECT max(first) FROM segment")?;
        Ok(query.query_row([], |row| number(row, 0))?)
    }

    /// Every segment, in order.
    pub(crate) fn segments(self) -> Result<Vec<SegmentRow>, StoreError> {
        let mut query = self.connection.prepare_cached("SELECT first, root, sealed_key FROM segment ORDER BY first")?;
        let rows = query.query_map([], segment)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Gives the entries from `from` up, in order, until told to stop.
    pub(crate) fn each_entry(
        self,
        from: u64,
        visit: impl FnMut(&StoredEntry<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT idx, leaf, nodes, context, number, tag, mac, sealed FROM entry WHERE idx >= ?1 ORDER BY idx",
        )?;
        visit_rows(query.query([sqlcipher::to_integer(from)?])?, visit)
    }

    /// Gives the entries before `before`, newest first, until told to stop.
    pub(crate) fn each_entry_before(
        self,
        before: u64,
        visit: impl FnMut(&StoredEntry<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT idx, leaf, nodes, context, number, tag, mac, sealed FROM entry WHERE idx < ?1 ORDER BY idx DESC",
        )?;
        visit_rows(query.query([sqlcipher::to_integer(before)?])?, visit)
    }

    /// Gives index and tag of the writes from `from` up, in order.
    pub(crate) fn each_tag(
        self,
        from: u64,
        mut visit: impl FnMut(u64, &[u8; EFFECT_TAG_BYTES]),
    ) -> Result<(), StoreError> {
        let mut query = self
            .connection
            .prepare_cached("SELECT idx, tag FROM entry WHERE idx >= ?1 AND tag IS NOT NULL ORDER BY idx")?;
        let mut rows = query.query([sqlcipher::to_integer(from)?])?;
        while let Some(row) = rows.next()? {
            visit(number(row, 0)?, &row.get(1)?);
        }
        Ok(())
    }

    /// Header of a sealing context.
    pub(crate) fn context(self, first: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let mut query = self.connection.prepare_cached("SELECT header FROM context WHERE first = ?1")?;
        Ok(query.query_row([sqlcipher::to_integer(first)?], |row| row.get(0)).optional()?)
    }

    /// The newest checkpoint.
    pub(crate) fn last_checkpoint(self) -> Result<Option<CheckpointRow>, StoreError> {
        let mut query =
            self.connection.prepare_cached("SELECT size, at, note FROM checkpoint ORDER BY size DESC LIMIT 1")?;
        Ok(query.query_row([], checkpoint_row).optional()?)
    }

    /// The first checkpoint of more than `size` entries.
    pub(crate) fn checkpoint_after(self, size: Option<u64>) -> Result<Option<CheckpointRow>, StoreError> {
        let size = size.map_or(Ok(-1), sqlcipher::to_integer)?;
        let mut query = self
            .connection
            .prepare_cached("SELECT size, at, note FROM checkpoint WHERE size > ?1 ORDER BY size LIMIT 1")?;
        Ok(query.query_row([size], checkpoint_row).optional()?)
    }

    /// What is remembered of failed unlocks.
    pub(crate) fn failures(self) -> Result<FailuresRow, StoreError> {
        let mut query =
            self.connection.prepare_cached("SELECT window_start, logged, uncounted, total FROM failures")?;
        Ok(query.query_row([], |row| {
            Ok(FailuresRow {
                window_start: row.get(0)?,
                logged: number(row, 1)?,
                uncounted: number(row, 2)?,
                total: number(row, 3)?,
            })
        })?)
    }
}

impl AuditSnapshot {
    /// Opens a connection of its own and begins to read in it.
    pub(crate) fn of(folder: &Path, vault: VaultId) -> Result<Self, StoreError> {
        let store = AuditStore::open(folder, vault, Access::ReadOnly)?;
        store.connection.execute_batch("BEGIN")?;
        // A read transaction begins with its first read.
        store.rows().next_index()?;
        Ok(Self { store })
    }

    /// The log as it was.
    pub(crate) const fn rows(&self) -> Rows<'_> {
        self.store.rows()
    }
}

impl AuditTx<'_> {
    /// What is stored, this addition included.
    pub(crate) fn rows(&self) -> Rows<'_> {
        Rows { connection: &self.tx }
    }

    /// Remembers failed unlocks.
    pub(crate) fn set_failures(&mut self, row: &FailuresRow) -> Result<(), StoreError> {
        self.tx
            .prepare_cached("UPDATE failures SET window_start = ?1, logged = ?2, uncounted = ?3, total = ?4")?
            .execute(params![
                row.window_start,
                sqlcipher::to_integer(row.logged)?,
                sqlcipher::to_integer(row.uncounted)?,
                sqlcipher::to_integer(row.total)?
            ])?;
        Ok(())
    }

    /// Adds an entry.
    pub(crate) fn insert_entry(&mut self, entry: &StoredEntry<'_>) -> Result<(), StoreError> {
        self.tx
            .prepare_cached(
                "INSERT INTO entry (idx, leaf, nodes, context, number, tag, mac, sealed)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                sqlcipher::to_integer(entry.index)?,
                entry.leaf,
                entry.nodes,
                sqlcipher::to_integer(entry.context)?,
                entry.number,
                entry.effect_tag,
                entry.mac,
                entry.sealed
            ])?;
        Ok(())
    }

    /// Adds a sealing context.
    pub(crate) fn insert_context(&mut self, first: u64, header: &[u8]) -> Result<(), StoreError> {
        self.tx
            .prepare_cached("INSERT INTO context (first, header) VALUES (?1, ?2)")?
            .execute(params![sqlcipher::to_integer(first)?, header])?;
        Ok(())
    }

    /// Begins a segment, in the place of one that was begun there and has no entry.
    pub(crate) fn insert_segment(&mut self, segment: &SegmentRow) -> Result<(), StoreError> {
        self.tx
            .prepare_cached("INSERT OR REPLACE INTO segment (first, root, sealed_key) VALUES (?1, ?2, ?3)")?
            .execute(params![sqlcipher::to_integer(segment.first)?, segment.root, segment.sealed_key])?;
        Ok(())
    }

    /// Adds a checkpoint.
    pub(crate) fn insert_checkpoint(&mut self, row: &CheckpointRow) -> Result<(), StoreError> {
        self.tx.prepare_cached("INSERT INTO checkpoint (size, at, note) VALUES (?1, ?2, ?3)")?.execute(params![
            sqlcipher::to_integer(row.size)?,
            row.at,
            row.note
        ])?;
        Ok(())
    }

    /// Makes the addition durable.
    pub(crate) fn commit(self) -> Result<(), StoreError> {
        Ok(self.tx.commit()?)
    }
}

fn connect(path: &Path, access: Access) -> Result<Connection, StoreError> {
    sqlcipher::ready_library()?;
    let may_write = match access {
        Access::ReadWrite => OpenFlags::SQLITE_OPEN_READ_WRITE,
        Access::ReadOnly => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    let flags = may_write
        | OpenFlags::SQLITE_OPEN_NOFOLLOW
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(sqlcipher::BUSY_TIMEOUT)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    sqlcipher::harden(&connection)?;
    if access == Access::ReadWrite {
        sqlcipher::use_wal(&connection)?;
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(connection)
}

fn segment(row: &Row<'_>) -> rusqlite::Result<SegmentRow> {
    Ok(SegmentRow { first: number(row, 0)?, root: row.get(1)?, sealed_key: row.get(2)? })
}

fn checkpoint_row(row: &Row<'_>) -> rusqlite::Result<CheckpointRow> {
    Ok(CheckpointRow { size: number(row, 0)?, at: row.get(1)?, note: row.get(2)? })
}

fn visit_rows(
    mut rows: rusqlite::Rows<'_>,
    mut visit: impl FnMut(&StoredEntry<'_>) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    while let Some(row) = rows.next()? {
        let entry = StoredEntry {
            index: number(row, 0)?,
            leaf: row.get(1)?,
            nodes: blob(row, 2)?,
            context: number(row, 3)?,
            number: row.get(4)?,
            effect_tag: row.get(5)?,
            mac: row.get(6)?,
            sealed: blob(row, 7)?,
        };
        if visit(&entry).is_break() {
            break;
        }
    }
    Ok(())
}

/// Reads a count or an index; a negative one is damage.
fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let stored: i64 = row.get(column)?;
    u64::try_from(stored).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, stored))
}

/// Lends a blob where SQLite has it; the file may have been edited, so another type is damage.
fn blob<'r>(row: &'r Row<'_>, column: usize) -> Result<&'r [u8], StoreError> {
    row.get_ref(column)?.as_blob().map_err(|_| StoreError::Damaged)
}

//! One tenant's database: its records with every version and attachment, the search index, tags, and who saw which
//! secret.
//!
//! Layout: `schema.sql`, docs/FORMAT.md, chapter "A tenant's database". A [`TenantStore`] is one connection; it reads
//! through `&self` and writes in a [`TenantTx`], which cannot be committed without the index of its log entry.
#![expect(clippy::disallowed_types, reason = "this is the store")]

mod attachment_rows;
mod body;
mod cursor;
mod draft_rows;
mod expiry_rows;
mod exposure_rows;
mod favourite_rows;
mod fold;
mod list_rows;
mod record_rows;
mod search_query;
mod search_rows;
mod subject_rows;
mod tag_rows;
mod transfer_rows;
mod trash_rows;
mod twin_rows;

use std::cell::OnceCell;
use std::path::Path;

use coffer_crypto::derive::Id;
use coffer_crypto::secret::DatabaseKey;
use coffer_model::id::{AccountId, RecordKey, TenantId, VaultId};
use coffer_model::record::RecordKind;
use coffer_model::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};

pub(crate) use self::attachment_rows::{AttachRowError, NewAttachment, StoredAttachment, StoredFile};
pub(crate) use self::cursor::Cursor;
pub(crate) use self::draft_rows::{KeptDraft, StoredDraft};
pub(crate) use self::exposure_rows::{
    EntriesSeen, ExportScope, Exposure, How, SEEN_DIGEST_BYTES, SeenDigest, StoredExport, StoredExposure,
};
pub(crate) use self::list_rows::PageQuery;
pub(crate) use self::record_rows::{ChangeError, StoredVersion};
pub(crate) use self::search_query::SearchQuery;
pub(crate) use self::search_rows::Found;
pub(crate) use self::subject_rows::{AnyDraft, ErasedHistory};
pub(crate) use self::transfer_rows::{ArrivingAttachment, ArrivingRecord, Moment, StoredRecord};
pub(crate) use self::twin_rows::KeptRecord;
use super::sqlcipher::{self, Access, StoreError};

/// The schema this program writes and the newest it opens (`PRAGMA user_version`).
const SCHEMA_VERSION: i64 = 1;
/// The newest change's entry, or that of a write settled since. Not the highest of all: a log restarted after its end was
/// lost gives indexes again that older rows hold.
const LAST_APPLIED: &str = "
    SELECT max(entry) FROM (
        SELECT entry FROM (SELECT entry FROM change ORDER BY id DESC LIMIT 1)
        UNION ALL
        SELECT entry FROM settled WHERE change = (SELECT coalesce(max(id), 0) FROM change)
    )";
const SCHEMA: &str = include_str!("schema.sql");
/// Prepared statements kept; more than this module has.
const STATEMENTS_KEPT: usize = 64;
/// Most bytes of a folded text that are ordered or indexed. A record is smaller unless it is made to swell.
const MAX_FOLDED_BYTES: usize = 1024 * 1024;

/// Whose database it is. All of it is checked at every opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TenantIdentity {
    /// The vault.
    pub(crate) vault: VaultId,
    /// The tenant.
    pub(crate) tenant: TenantId,
    /// The epoch of its key, from 1.
    pub(crate) epoch: u32,
}

/// What lists and searches show of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListedRecord {
    /// The record.
    pub(crate) key: RecordKey,
    /// What it is about.
    pub(crate) kind: RecordKind,
    /// One line by which people know it.
    pub(crate) title: String,
    /// When its newest version was made.
    pub(crate) changed_at: Timestamp,
}

/// One connection to one tenant's database.
pub(crate) struct TenantStore {
    connection: Connection,
    /// Set once the connection has its view of the search index's words.
    vocabulary: OnceCell<()>,
    identity: TenantIdentity,
}

/// One write: everything in it happens, or nothing. Dropped without [`TenantTx::commit`], it never was.
pub(crate) struct TenantTx<'s> {
    tx: Transaction<'s>,
    /// The `change` row it will leave.
    change: i64,
    at: Timestamp,
    account: AccountId,
    /// How many more records there will be outside the trash.
    records: i64,
    /// How many more there will be in it.
    trashed: i64,
}

impl TenantStore {
    /// Makes a tenant's database at `path`, where nothing may be. The caller makes the file's name durable.
    pub(crate) fn create(path: &Path, key: &DatabaseKey, identity: TenantIdentity) -> Result<Self, StoreError> {
        let mut connection = sqlcipher::create(path, key)?;
        let tx = connection.transaction()?;
        tx.execute_batch(SCHEMA)?;
        tx.execute(
            "INSERT INTO meta (only, vault, tenant, epoch, records, trashed) VALUES (1, ?1, ?2, ?3, 0, 0)",
            params![identity.vault.as_bytes(), identity.tenant.as_bytes(), identity.epoch],
        )?;
        tx.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        tx.commit()?;
        Ok(Self::new(connection, identity))
    }

    /// Opens the database at `path` if it is the one of `identity`.
    pub(crate) fn open(
        path: &Path,
        key: &DatabaseKey,
        identity: TenantIdentity,
        access: Access,
    ) -> Result<Self, StoreError> {
        let connection = sqlcipher::open(path, key, access)?;
        let schema: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if schema > SCHEMA_VERSION {
            return Err(StoreError::NewerSchema);
        }
        if schema < SCHEMA_VERSION {
            return Err(StoreError::Misplaced);
        }
        let found = connection.query_row("SELECT vault, tenant, epoch FROM meta", [], |row| {
            Ok(TenantIdentity {
                vault: VaultId::from_bytes(row.get(0)?),
                tenant: TenantId::from_bytes(row.get(1)?),
                epoch: row.get(2)?,
            })
        })?;
        if found == identity { Ok(Self::new(connection, identity)) } else { Err(StoreError::Misplaced) }
    }

    fn new(connection: Connection, identity: TenantIdentity) -> Self {
        connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        Self { connection, vocabulary: OnceCell::new(), identity }
    }

    /// Copies the database into a new file under another key, as that of the next epoch. The caller makes the file's name
    /// durable.
    pub(crate) fn copy_to_next_epoch(
        &self,
        path: &Path,
        key: &DatabaseKey,
        step: impl FnMut(u64, u64) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let copy = sqlcipher::copy(&self.connection, path, key, step)?;
        copy.execute("UPDATE meta SET epoch = epoch + 1", [])?;
        sqlcipher::come_to_rest(&copy, path)
    }

    /// Puts another file into the place of one: the same content, encrypted anew.
    pub(crate) fn replace_file(&self, old: &Id, new: &StoredFile, digest: &[u8; 32]) -> Result<(), StoreError> {
        let replaced = self.connection.execute(
            "UPDATE file SET name = ?2, header = ?3, digest = ?4 WHERE name = ?1",
            params![old, new.file, new.header, digest],
        )?;
        if replaced == 1 { Ok(()) } else { Err(StoreError::Damaged) }
    }

    /// Whose database it is.
    pub(crate) fn identity(&self) -> TenantIdentity {
        self.identity
    }

    /// The connection, for what a backup does to every database.
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// How many records there are outside the trash.
    pub(crate) fn count(&self) -> Result<u64, StoreError> {
        let count: i64 = self.connection.prepare_cached("SELECT records FROM meta")?.query_row([], |row| row.get(0))?;
        u64::try_from(count).map_err(|_| StoreError::Damaged)
    }

    /// The newest log entry whose effect is here, or of which is known that it has none.
    pub(crate) fn last_applied(&self) -> Result<Option<u64>, StoreError> {
        let entry: Option<i64> = self.connection.prepare_cached(LAST_APPLIED)?.query_row([], |row| row.get(0))?;
        entry.map(|entry| u64::try_from(entry).map_err(|_| StoreError::Damaged)).transpose()
    }

    /// Remembers that the write of log entry `entry` never happened. The log has been told.
    pub(crate) fn settle(&self, entry: u64) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO settled (entry, change) VALUES (?1, (SELECT coalesce(max(id), 0) FROM change))",
            )?
            .execute([sqlcipher::to_integer(entry)?])?;
        Ok(())
    }

    /// Entries of the log that committed writes here name, ascending.
    pub(crate) fn applied(&self) -> Result<Vec<u64>, StoreError> {
        let mut query = self.connection.prepare_cached("SELECT entry FROM change ORDER BY entry")?;
        let entries = query.query_map([], |row| row.get(0))?;
        Ok(entries.collect::<Result<_, _>>()?)
    }

    /// Begins a write by `account`, waiting for another connection's to end. Nothing is durable, nor seen by others,
    /// before [`TenantTx::commit`]: begin, write, append the log entry, commit.
    pub(crate) fn begin(&mut self, at: Timestamp, account: AccountId) -> Result<TenantTx<'_>, StoreError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let last: Option<i64> = tx.prepare_cached("SELECT max(id) FROM change")?.query_row([], |row| row.get(0))?;
        let change = last.unwrap_or(0).checked_add(1).ok_or(StoreError::Damaged)?;
        Ok(TenantTx { tx, change, at, account, records: 0, trashed: 0 })
    }
}

impl TenantTx<'_> {
    /// Makes the write durable as the effect of log entry `entry`, which is in the log already.
    pub(crate) fn commit(self, entry: u64) -> Result<(), StoreError> {
        // One entry has one effect.
        let inserted = self
            .tx
            .prepare_cached(
                "INSERT INTO change (id, entry, at_ms, account)
                 SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS (SELECT 1 FROM change WHERE id = ?1 - 1 AND entry = ?2)",
            )?
            .execute(params![
                self.change,
                sqlcipher::to_integer(entry)?,
                self.at.unix_millis(),
                self.account.as_bytes()
            ])?;
        if inserted != 1 {
            return Err(StoreError::Damaged);
        }
        if self.records != 0 || self.trashed != 0 {
            self.tx
                .prepare_cached("UPDATE meta SET records = records + ?1, trashed = trashed + ?2")?
                .execute([self.records, self.trashed])?;
        }
        Ok(self.tx.commit()?)
    }
}

impl ListedRecord {
    /// Reads columns `key, kind, title, changed_ms`, in this order from the first.
    fn from_row(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            key: RecordKey::from_bytes(row.get(0)?),
            kind: row.get_ref(1)?.as_str().ok().and_then(|kind| kind.parse().ok()).ok_or(StoreError::Damaged)?,
            title: row.get(2)?,
            changed_at: timestamp(row.get(3)?)?,
        })
    }
}

/// A text folded as for searching, however long it is.
pub(crate) fn folded_whole(text: &str) -> String {
    fold::fold(text, usize::MAX)
}

/// A point in time as stored.
fn timestamp(millis: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_unix_millis(millis).map_err(|_| StoreError::Damaged)
}

/// The row number of a record.
fn record_row(connection: &Connection, key: RecordKey) -> Result<Option<i64>, StoreError> {
    let mut query = connection.prepare_cached("SELECT id FROM record WHERE key = ?1")?;
    Ok(query.query_row([key.as_bytes()], |row| row.get(0)).optional()?)
}

#[cfg(test)]
mod tests;

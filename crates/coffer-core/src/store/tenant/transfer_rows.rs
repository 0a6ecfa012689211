//! Rows on their way in from other programs and out to them: whole histories in one step.

use coffer_model::id::RecordKey;
use coffer_model::record::RecordContent;
use coffer_model::time::Timestamp;
use rusqlite::{Connection, Transaction, params};

use super::record_rows::VERSION;
use super::{MAX_FOLDED_BYTES, StoredVersion, TenantStore, TenantTx, body, fold};
use crate::store::error::StoreError;

/// A moment of a tenant's database: what is read until it is dropped does not change.
pub(crate) struct Moment<'s> {
    store: &'s TenantStore,
    _tx: Transaction<'s>,
}

impl TenantStore {
    /// Shows what every record outside the trash holds now, in no order, until `show` says stop.
    pub(crate) fn each_newest(&self, mut show: impl FnMut(&RecordContent) -> bool) -> Result<(), StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT v.body FROM record r JOIN version v ON v.record = r.id AND v.version = r.version
             WHERE r.trashed_ms IS NULL",
        )?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let content = body::decode(row.get_ref(0)?.as_blob().map_err(|_| StoreError::Damaged)?)?;
            if !show(&content) {
                break;
            }
        }
        Ok(())
    }

    /// Holds on to the present moment.
    pub(crate) fn moment(&self) -> Result<Moment<'_>, StoreError> {
        Ok(Moment { store: self, _tx: self.connection.unchecked_transaction()? })
    }
}

impl Moment<'_> {
    pub(super) fn store(&self) -> &TenantStore {
        self.store
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.store.connection
    }

    /// How many records there are.
    pub(crate) fn count(&self) -> Result<u64, StoreError> {
        self.store.count()
    }

    /// Shows every record outside the trash with its versions, oldest first, in the order of lists.
    pub(crate) fn each_record<E: From<StoreError>>(
        &self,
        mut show: impl FnMut(RecordKey, Vec<StoredVersion>) -> Result<(), E>,
    ) -> Result<(), E> {
        let records =
            "SELECT key FROM record INDEXED BY record_by_title WHERE trashed_ms IS NULL ORDER BY title_key, key";
        let mut query = self.store.connection.prepare(records).map_err(StoreError::from)?;
        let mut rows = query.query([]).map_err(StoreError::from)?;
        while let Some(row) = rows.next().map_err(StoreError::from)? {
            let key = RecordKey::from_bytes(row.get(0).map_err(StoreError::from)?);
            show(key, self.versions(key)?)?;
        }
        Ok(())
    }

    pub(super) fn versions(&self, key: RecordKey) -> Result<Vec<StoredVersion>, StoreError> {
        let sql = format!("{VERSION} WHERE r.key = ?1 ORDER BY v.version");
        let mut query = self.store.connection.prepare_cached(&sql)?;
        let mut rows = query.query([key.as_bytes()])?;
        let mut versions = Vec::new();
        while let Some(row) = rows.next()? {
            versions.push(StoredVersion::from_row(row)?);
        }
        Ok(versions)
    }
}

impl TenantTx<'_> {
    /// Adds a record with everything it held before, oldest first, and what it holds now; each with the time at which
    /// another program made it.
    pub(crate) fn insert_record_with_history<'c>(
        &mut self,
        key: RecordKey,
        earlier: impl Iterator<Item = (&'c RecordContent, Option<Timestamp>)>,
        now: (&'c RecordContent, Option<Timestamp>),
    ) -> Result<(), StoreError> {
        let (content, _) = now;
        let at = self.at.unix_millis();
        let title_key = fold::fold(content.title(), MAX_FOLDED_BYTES);
        self.tx
            .prepare_cached(
                "INSERT INTO record (key, title_key, title, kind, version, created_ms, changed_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
            )?
            .execute(params![key.as_bytes(), title_key, content.title(), content.kind().as_str(), 0, at])?;
        let row = self.tx.last_insert_rowid();
        let mut newest = 0_u32;
        for (content, made_at) in earlier.chain([now]) {
            newest = newest.checked_add(1).ok_or(StoreError::Damaged)?;
            self.insert_version(row, newest, content, made_at)?;
        }
        self.tx.prepare_cached("UPDATE record SET version = ?2 WHERE id = ?1")?.execute(params![row, newest])?;
        self.index_record(row, &title_key, content)?;
        self.index_expiry(row, content)?;
        self.records += 1;
        Ok(())
    }
}

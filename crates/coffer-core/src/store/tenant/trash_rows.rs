//! Records on their way into the trash, out of it, and away for good.

use coffer_model::id::RecordKey;
use coffer_model::time::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::{ChangeError, TenantStore, TenantTx, body, timestamp};
use crate::store::error::StoreError;

/// The time of the newest write.
const NEWEST_CHANGE: &str = "SELECT at_ms FROM change ORDER BY id DESC LIMIT 1";

impl TenantStore {
    /// When the newest write was made; `None` if there was none.
    pub(crate) fn last_changed_at(&self) -> Result<Option<Timestamp>, StoreError> {
        let at = self.connection.prepare_cached(NEWEST_CHANGE)?.query_row([], |row| row.get(0)).optional()?;
        at.map(timestamp).transpose()
    }

    /// At most `limit` records that were put into the trash at `until`, in milliseconds, or before; the oldest first.
    pub(crate) fn trashed_until(&self, until: i64, limit: u32) -> Result<Vec<RecordKey>, StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT key FROM record INDEXED BY record_by_trash WHERE trashed_ms <= ?1 ORDER BY trashed_ms, id LIMIT ?2",
        )?;
        let keys = query.query_map(params![until, limit], |row| Ok(RecordKey::from_bytes(row.get(0)?)))?;
        Ok(keys.collect::<Result<_, _>>()?)
    }
}

impl TenantTx<'_> {
    /// Puts a record into the trash: out of lists, counts and the search index, with everything it has.
    pub(crate) fn trash_record(&mut self, key: RecordKey) -> Result<(), ChangeError> {
        self.set_aside(key)?;
        Ok(self.insert_move(key)?)
    }

    /// The same without noting that it was moved, for what is about to purge it.
    pub(super) fn set_aside(&mut self, key: RecordKey) -> Result<(), ChangeError> {
        // Never earlier than what was written before it: a clock set back must not shorten its stay.
        let newest: Option<i64> = self.tx.prepare_cached(NEWEST_CHANGE)?.query_row([], |row| row.get(0)).optional()?;
        let at = newest.unwrap_or(i64::MIN).max(self.at.unix_millis());
        let row: Option<i64> = self
            .tx
            .prepare_cached("UPDATE record SET trashed_ms = ?2 WHERE key = ?1 AND trashed_ms IS NULL RETURNING id")?
            .query_row(params![key.as_bytes(), at], |row| row.get(0))
            .optional()?;
        self.unindex_record(row.ok_or(ChangeError::NotFound)?)?;
        self.records -= 1;
        self.trashed += 1;
        Ok(())
    }

    /// Takes a record out of the trash; it is as it was.
    pub(crate) fn restore_record(&mut self, key: RecordKey) -> Result<(), ChangeError> {
        let restored = self
            .tx
            .prepare_cached(
                "UPDATE record SET trashed_ms = NULL WHERE key = ?1 AND trashed_ms IS NOT NULL
                 RETURNING id, title_key, version",
            )?
            .query_row([key.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let (row, title_key, version): (i64, String, u32) = restored.ok_or(ChangeError::NotFound)?;
        let content = {
            let mut query = self.tx.prepare_cached("SELECT body FROM version WHERE record = ?1 AND version = ?2")?;
            let mut rows = query.query(params![row, version])?;
            let found = rows.next()?.ok_or(StoreError::Damaged)?;
            body::decode(found.get_ref(0)?.as_blob().map_err(|_| StoreError::Damaged)?)?
        };
        self.index_record(row, &title_key, &content)?;
        self.records += 1;
        self.trashed -= 1;
        Ok(self.insert_move(key)?)
    }

    /// Deletes records that are in the trash: every version, who saw their secrets, attachments, marks and drafts. The pages that held
    /// them are overwritten in the file; what is left in spite of that, docs/FORMAT.md says.
    pub(crate) fn purge_records(&mut self, keys: &[RecordKey]) -> Result<(), ChangeError> {
        self.overwriting(|tx| tx.delete_trashed(keys))
    }

    /// Deletes something so that what was there is overwritten in the file.
    pub(super) fn overwriting<T>(
        &mut self,
        delete: impl FnOnce(&mut Self) -> Result<T, ChangeError>,
    ) -> Result<T, ChangeError> {
        self.tx.pragma_update(None, "secure_delete", true)?;
        let deleted = delete(self);
        self.tx.pragma_update(None, "secure_delete", false)?;
        deleted
    }

    pub(super) fn delete_trashed(&mut self, keys: &[RecordKey]) -> Result<(), ChangeError> {
        for &key in keys {
            let row: Option<i64> = self
                .tx
                .prepare_cached("SELECT id FROM record WHERE key = ?1 AND trashed_ms IS NOT NULL")?
                .query_row([key.as_bytes()], |row| row.get(0))
                .optional()?;
            let row = row.ok_or(ChangeError::NotFound)?;
            self.note_exposures_gone(row, None)?;
            // What refers to a record goes before it; a table forgotten here makes the last of these fail.
            for delete in [
                "DELETE FROM draft WHERE record = ?1",
                "DELETE FROM favourite WHERE record = ?1",
                "DELETE FROM expiry WHERE record = ?1",
                "DELETE FROM exposure WHERE record = ?1",
                "DELETE FROM detachment WHERE attachment IN (SELECT id FROM attachment WHERE record = ?1)",
                "DELETE FROM attachment WHERE record = ?1",
                "DELETE FROM version WHERE record = ?1",
                "DELETE FROM record WHERE id = ?1",
            ] {
                self.tx.prepare_cached(delete)?.execute([row])?;
            }
            self.trashed -= 1;
            self.insert_move(key)?;
        }
        // The files themselves go when the tenant is next opened: somebody may be reading one.
        Ok(self.delete_needless_files()?)
    }

    /// Forgets files that no attachment is left of.
    pub(super) fn delete_needless_files(&self) -> Result<(), StoreError> {
        // Databases from before `schema.sql` had it get it here; else SQLite looks through all attachments for each file.
        self.tx.execute_batch("CREATE INDEX IF NOT EXISTS attachment_by_file ON attachment (file)")?;
        self.tx.prepare_cached("DELETE FROM file WHERE id NOT IN (SELECT file FROM attachment)")?.execute([])?;
        Ok(())
    }

    fn insert_move(&self, key: RecordKey) -> Result<(), StoreError> {
        self.tx
            .prepare_cached("INSERT INTO moved (change, key) VALUES (?1, ?2)")?
            .execute(params![self.change, key.as_bytes()])?;
        Ok(())
    }
}

//! Rows on their way in from other programs and out to them: whole histories in one step.

use coffer_model::attachment::{AttachmentId, AttachmentName, MediaKind};
use coffer_model::id::RecordKey;
use coffer_model::record::RecordContent;
use coffer_model::time::Timestamp;
use rusqlite::{Connection, Transaction, params};

use super::attachment_rows::Attached;
use super::record_rows::VERSION;
use super::{
    MAX_FOLDED_BYTES, StoredAttachment, StoredFile, StoredVersion, TenantStore, TenantTx, body, fold, record_row,
    timestamp,
};
use crate::store::error::StoreError;

/// A moment of a tenant's database: what is read until it is dropped does not change.
pub(crate) struct Moment<'s> {
    store: &'s TenantStore,
    _tx: Transaction<'s>,
}

/// A record as an archive tells of it before its versions.
#[derive(Debug)]
pub(crate) struct StoredRecord {
    pub(crate) key: RecordKey,
    pub(crate) created_at: Timestamp,
    pub(crate) trashed_at: Option<Timestamp>,
    /// Everything it has or ever had attached, in the order of attaching.
    pub(crate) attachments: Vec<StoredAttachment>,
}

/// A record that is being written with its versions, one after another.
#[derive(Debug)]
pub(crate) struct ArrivingRecord {
    row: i64,
    key: RecordKey,
    title_key: String,
    /// The number of the version written last.
    newest: u32,
}

/// An attachment of a record that is being written.
#[derive(Debug)]
pub(crate) struct ArrivingAttachment<'a> {
    /// Its number inside the record.
    pub(crate) id: AttachmentId,
    /// What it is called.
    pub(crate) name: &'a AttachmentName,
    /// What it holds.
    pub(crate) media: MediaKind,
    /// The first version that has it.
    pub(crate) attached: u32,
    /// The first version after that which has it no longer.
    pub(crate) detached: Option<u32>,
    /// Where its content is, if the tenant has it not yet.
    pub(crate) file: &'a StoredFile,
    /// Digest of the content, under the tenant's key.
    pub(crate) digest: &'a [u8; 32],
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

    /// Shows every record, those in the trash among them, without its versions, in the order of adding.
    pub(crate) fn each_key<E: From<StoreError>>(
        &self,
        mut show: impl FnMut(StoredRecord) -> Result<(), E>,
    ) -> Result<(), E> {
        let records = "SELECT key, created_ms, trashed_ms FROM record ORDER BY id";
        let mut query = self.store.connection.prepare(records).map_err(StoreError::from)?;
        let mut rows = query.query([]).map_err(StoreError::from)?;
        while let Some(row) = rows.next().map_err(StoreError::from)? {
            show(self.stored_record(row)?)?;
        }
        Ok(())
    }

    fn stored_record(&self, row: &rusqlite::Row<'_>) -> Result<StoredRecord, StoreError> {
        let key = RecordKey::from_bytes(row.get(0)?);
        Ok(StoredRecord {
            key,
            created_at: timestamp(row.get(1)?)?,
            trashed_at: row.get::<_, Option<i64>>(2)?.map(timestamp).transpose()?,
            attachments: self.store.attachment_history(key)?,
        })
    }

    /// Shows every version of a record, the oldest first, one at a time.
    pub(crate) fn each_version<E: From<StoreError>>(
        &self,
        key: RecordKey,
        mut show: impl FnMut(StoredVersion) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = format!("{VERSION} WHERE r.key = ?1 ORDER BY v.version");
        let mut query = self.store.connection.prepare_cached(&sql).map_err(StoreError::from)?;
        let mut rows = query.query([key.as_bytes()]).map_err(StoreError::from)?;
        while let Some(row) = rows.next().map_err(StoreError::from)? {
            show(StoredVersion::from_row(row)?)?;
        }
        Ok(())
    }

    /// What a record holds now.
    pub(crate) fn newest(&self, key: RecordKey) -> Result<StoredVersion, StoreError> {
        self.store.record(key, None)?.ok_or(StoreError::Damaged)
    }

    /// Everything a record has or ever had attached.
    pub(crate) fn attachments(&self, key: RecordKey) -> Result<Vec<StoredAttachment>, StoreError> {
        self.store.attachment_history(key)
    }

    /// The files of the tenant, in the order of their first attaching.
    pub(crate) fn files(&self) -> Result<Vec<StoredFile>, StoreError> {
        let mut files = Vec::new();
        self.store.files(|file| files.push(file))?;
        Ok(files)
    }

    /// How many records there are, those in the trash among them.
    pub(crate) fn count_all(&self) -> Result<u64, StoreError> {
        Ok(self.store.count()? + self.store.trash_count()?)
    }

    /// The newest write of this moment; 0 if there is none.
    pub(crate) fn newest_change(&self) -> Result<i64, StoreError> {
        let sql = "SELECT coalesce(max(id), 0) FROM change";
        Ok(self.store.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
    }

    pub(super) fn versions(&self, key: RecordKey) -> Result<Vec<StoredVersion>, StoreError> {
        let mut versions = Vec::new();
        self.each_version(key, |version| {
            versions.push(version);
            Ok::<(), StoreError>(())
        })?;
        Ok(versions)
    }
}

impl TenantTx<'_> {
    /// Whether the tenant has a record of this key, in the trash or not.
    pub(crate) fn has_record(&self, key: RecordKey) -> Result<bool, StoreError> {
        Ok(record_row(&self.tx, key)?.is_some())
    }

    /// Begins a record that comes with everything it held before; `now` is what it holds at last. Versions follow, the
    /// oldest first, then [`TenantTx::finish_record`].
    pub(crate) fn begin_record(&mut self, key: RecordKey, now: &RecordContent) -> Result<ArrivingRecord, StoreError> {
        let at = self.at.unix_millis();
        let title_key = fold::fold(now.title(), MAX_FOLDED_BYTES);
        self.tx
            .prepare_cached(
                "INSERT INTO record (key, title_key, title, kind, version, created_ms, changed_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
            )?
            .execute(params![key.as_bytes(), title_key, now.title(), now.kind().as_str(), 0, at])?;
        Ok(ArrivingRecord { row: self.tx.last_insert_rowid(), key, title_key, newest: 0 })
    }

    /// Writes the record's next version, with the time at which another program made it; gives its number.
    pub(crate) fn add_version(
        &mut self,
        record: &mut ArrivingRecord,
        content: &RecordContent,
        made_at: Option<Timestamp>,
    ) -> Result<u32, StoreError> {
        let next = record.newest.checked_add(1).ok_or(StoreError::Damaged)?;
        self.add_version_as(record, next, content, made_at)?;
        Ok(next)
    }

    /// As [`TenantTx::add_version`], under the number it had: greater than the one before.
    pub(crate) fn add_version_as(
        &mut self,
        record: &mut ArrivingRecord,
        number: u32,
        content: &RecordContent,
        made_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        record.newest = number;
        self.insert_version(record.row, number, content, made_at)
    }

    /// Gives the record an attachment; says whether its file is needed from now on, since the tenant had no such content.
    pub(crate) fn add_attachment(
        &mut self,
        record: &ArrivingRecord,
        arriving: &ArrivingAttachment<'_>,
    ) -> Result<bool, StoreError> {
        let ArrivingAttachment { id, name, media, attached, detached, file, digest } = *arriving;
        let attached = Attached { id, name, media, version: attached };
        let (attachment, is_needed) = self.insert_attached(record.row, &attached, file, digest)?;
        if let Some(version) = detached {
            self.tx
                .prepare_cached("INSERT INTO detachment (attachment, version) VALUES (?1, ?2)")?
                .execute(params![attachment, version])?;
        }
        Ok(is_needed)
    }

    /// Ends a record whose last version holds `now`: from here on it is listed and found.
    pub(crate) fn finish_record(&mut self, record: &ArrivingRecord, now: &RecordContent) -> Result<(), StoreError> {
        self.tx
            .prepare_cached("UPDATE record SET version = ?2 WHERE id = ?1")?
            .execute(params![record.row, record.newest])?;
        self.index_record(record.row, &record.title_key, now)?;
        self.index_expiry(record.row, now)?;
        self.records += 1;
        Ok(())
    }
}

impl ArrivingRecord {
    /// The record.
    pub(crate) const fn key(&self) -> RecordKey {
        self.key
    }
}

//! Whole records, those in the trash too, with every version and attachment: read from one tenant, written into its twin
//! or into another tenant that takes them over.

use coffer_model::id::RecordKey;
use coffer_model::time::Timestamp;
use rusqlite::params;

use super::attachment_rows::StoredAttachment;
use super::{MAX_FOLDED_BYTES, Moment, StoredVersion, TenantStore, TenantTx, fold, record_row, timestamp};
use crate::store::error::StoreError;

/// A record with everything that is kept of it.
#[derive(Debug)]
pub(crate) struct KeptRecord {
    /// The record.
    pub(crate) key: RecordKey,
    /// When it was added.
    pub(crate) created_at: Timestamp,
    /// When its newest version was made.
    pub(crate) changed_at: Timestamp,
    /// When it was put into the trash, if it is there.
    pub(crate) trashed_at: Option<Timestamp>,
    /// Every version there is, oldest first.
    pub(crate) versions: Vec<StoredVersion>,
    /// Every attachment it has or ever had.
    pub(crate) attachments: Vec<StoredAttachment>,
}

impl TenantStore {
    /// A record with everything that is kept of it, in the trash or not.
    pub(crate) fn kept(&self, key: RecordKey) -> Result<Option<KeptRecord>, StoreError> {
        let moment = self.moment()?;
        let mut query = self
            .connection
            .prepare_cached("SELECT key, created_ms, changed_ms, trashed_ms FROM record WHERE key = ?1")?;
        let mut rows = query.query([key.as_bytes()])?;
        rows.next()?.map(|row| moment.kept_record(row)).transpose()
    }

    /// Whether there is a record of this key, in the trash or not.
    pub(crate) fn has_record(&self, key: RecordKey) -> Result<bool, StoreError> {
        Ok(record_row(&self.connection, key)?.is_some())
    }
}

impl Moment<'_> {
    /// Shows every record, those in the trash too, in the order of adding.
    pub(crate) fn each_kept<E: From<StoreError>>(
        &self,
        mut show: impl FnMut(KeptRecord) -> Result<(), E>,
    ) -> Result<(), E> {
        let records = "SELECT key, created_ms, changed_ms, trashed_ms FROM record ORDER BY id";
        let mut query = self.connection().prepare(records).map_err(StoreError::from)?;
        let mut rows = query.query([]).map_err(StoreError::from)?;
        while let Some(row) = rows.next().map_err(StoreError::from)? {
            show(self.kept_record(row)?)?;
        }
        Ok(())
    }

    fn kept_record(&self, row: &rusqlite::Row<'_>) -> Result<KeptRecord, StoreError> {
        let key = RecordKey::from_bytes(row.get(0)?);
        Ok(KeptRecord {
            key,
            created_at: timestamp(row.get(1)?)?,
            changed_at: timestamp(row.get(2)?)?,
            trashed_at: row.get::<_, Option<i64>>(3)?.map(timestamp).transpose()?,
            versions: self.versions(key)?,
            attachments: self.store().attachment_history(key)?,
        })
    }
}

impl TenantTx<'_> {
    /// Adds a record with all of its versions and attachments, each with its number and time. The files of its attachments
    /// have their rows already.
    pub(crate) fn insert_kept(&mut self, record: &KeptRecord) -> Result<(), StoreError> {
        let newest = record.versions.last().ok_or(StoreError::Damaged)?;
        let title_key = fold::fold(newest.content.title(), MAX_FOLDED_BYTES);
        self.tx
            .prepare_cached(
                "INSERT INTO record (key, title_key, title, kind, version, created_ms, changed_ms, trashed_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                record.key.as_bytes(),
                title_key,
                newest.content.title(),
                newest.content.kind().as_str(),
                newest.version,
                record.created_at.unix_millis(),
                record.changed_at.unix_millis(),
                record.trashed_at.map(Timestamp::unix_millis),
            ])?;
        let row = self.tx.last_insert_rowid();
        for version in &record.versions {
            let made_at = version.made_at.unwrap_or(version.changed_at);
            self.insert_version(row, version.version, &version.content, Some(made_at))?;
        }
        for attachment in &record.attachments {
            self.insert_kept_attachment(row, attachment)?;
        }
        self.index_expiry(row, &newest.content)?;
        if record.trashed_at.is_some() {
            self.trashed += 1;
            return Ok(());
        }
        self.records += 1;
        self.index_record(row, &title_key, &newest.content)
    }

    fn insert_kept_attachment(&self, record: i64, attachment: &StoredAttachment) -> Result<(), StoreError> {
        let StoredAttachment { id, name, media, attached, detached, file } = attachment;
        let inserted = self
            .tx
            .prepare_cached(
                "INSERT INTO attachment (record, number, name, media, file, attached)
                 SELECT ?1, ?2, ?3, ?4, id, ?5 FROM file WHERE name = ?6",
            )?
            .execute(params![record, id.0, name.as_str(), media.code(), attached, file.file])?;
        if inserted != 1 {
            return Err(StoreError::Damaged);
        }
        if let Some(version) = detached {
            self.tx
                .prepare_cached("INSERT INTO detachment (attachment, version) VALUES (?1, ?2)")?
                .execute([self.tx.last_insert_rowid(), i64::from(*version)])?;
        }
        Ok(())
    }
}

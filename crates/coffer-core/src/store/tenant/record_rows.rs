//! Records and their versions: whole records page by page, one version, all versions, adding and changing.

use coffer_model::id::{AccountId, RecordKey};
use coffer_model::record::RecordContent;
use coffer_model::time::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::attachment_rows::{StoredAttachment, attachments_in};
use super::{Cursor, MAX_FOLDED_BYTES, TenantStore, TenantTx, body, fold, record_row, timestamp};
use crate::store::error::StoreError;

/// One version of a record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct StoredVersion {
    /// Counted from 1.
    pub(crate) version: u32,
    /// What the record holds, or held.
    pub(crate) content: RecordContent,
    /// When the record was added.
    pub(crate) created_at: Timestamp,
    /// When this version was made.
    pub(crate) changed_at: Timestamp,
    /// Who made it.
    pub(crate) changed_by: AccountId,
    /// The log entry it is the effect of.
    pub(crate) entry: u64,
    /// The write that made it; ascending in the order of writes.
    pub(crate) change: i64,
    /// When another program made it, from which it was imported.
    pub(crate) made_at: Option<Timestamp>,
    /// What is attached, in the order of attaching; nothing in [`TenantStore::history`].
    pub(crate) attachments: Vec<StoredAttachment>,
    /// When the record was put into the trash, if it is there.
    pub(crate) trashed_at: Option<Timestamp>,
}

/// Whole records in the order of their folded titles, then of their keys.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FullPage {
    /// Newest versions of this page's records.
    pub(crate) records: Vec<(RecordKey, StoredVersion)>,
    /// The last of them, if there are more after it.
    pub(crate) next: Option<Cursor>,
    /// All records of the tenant.
    pub(crate) total: u64,
    /// The log entry of the tenant's newest write.
    pub(crate) after_entry: Option<u64>,
}

/// Why a record was not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeError {
    /// There is no such record.
    #[error("there is no such record")]
    NotFound,
    /// Somebody else changed it in between; it has another newest version than was expected.
    #[error("the record has been changed since it was read")]
    VersionConflict,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for ChangeError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// A page of whole records ends after the one that passes this size, so that its cost in memory is bounded.
const FULL_PAGE_BYTES: usize = 16 * 1024 * 1024;

/// Everything of a version, for [`StoredVersion::from_row`].
pub(super) const VERSION: &str =
    "SELECT v.version, v.body, r.created_ms, c.at_ms, c.account, c.entry, r.trashed_ms, r.id,
        v.made_ms, v.change
    FROM record r JOIN version v ON v.record = r.id JOIN change c ON c.id = v.change";

impl TenantStore {
    /// At most `limit` records with all they hold, the first or those after a cursor; fewer if they are large. Page and
    /// figures are of one moment.
    pub(crate) fn full_page(&self, limit: u32, after: Option<&Cursor>) -> Result<FullPage, StoreError> {
        let moment = self.connection.unchecked_transaction()?;
        let (title_key, key, compare) = match after {
            Some(Cursor::Title { title_key, key }) => (title_key.as_str(), *key.as_bytes(), ">"),
            Some(Cursor::Kind { .. } | Cursor::Changed { .. } | Cursor::Created { .. } | Cursor::Trash { .. })
            | None => ("", [0; 16], ">="),
        };
        let mut query = self.connection.prepare_cached(&format!(
            "SELECT v.version, v.body, r.created_ms, c.at_ms, c.account, c.entry, r.trashed_ms, r.key, r.title_key, r.id,
                v.made_ms, v.change
             FROM record r INDEXED BY record_by_title
             CROSS JOIN version v ON v.record = r.id AND v.version = r.version
             CROSS JOIN change c ON c.id = v.change
             WHERE r.trashed_ms IS NULL AND (r.title_key, r.key) {compare} (?1, ?2) ORDER BY r.title_key, r.key"
        ))?;
        let mut rows = query.query(params![title_key, key])?;
        let mut page =
            FullPage { records: Vec::new(), next: None, total: self.count()?, after_entry: self.last_applied()? };
        let mut bytes = 0;
        while let Some(row) = rows.next()? {
            let key = RecordKey::from_bytes(row.get(7)?);
            page.records.push((key, self.with_attachments(row)?));
            bytes += row.get_ref(1)?.as_blob().map_or(0, <[u8]>::len);
            if page.records.len() as u64 == u64::from(limit) || bytes > FULL_PAGE_BYTES {
                let last = Cursor::Title { title_key: row.get(8)?, key };
                page.next = rows.next()?.is_some().then_some(last);
                break;
            }
        }
        drop(rows);
        drop(query);
        moment.finish()?;
        Ok(page)
    }

    /// One version of a record, the newest if none is named.
    pub(crate) fn record(&self, key: RecordKey, version: Option<u32>) -> Result<Option<StoredVersion>, StoreError> {
        let mut query = self
            .connection
            .prepare_cached(&format!("{VERSION} WHERE r.key = ?1 AND v.version = coalesce(?2, r.version)"))?;
        let mut rows = query.query(params![key.as_bytes(), version])?;
        rows.next()?.map(|row| self.with_attachments(row)).transpose()
    }

    /// Reads the columns of [`VERSION`], and what is attached.
    fn with_attachments(&self, row: &Row<'_>) -> Result<StoredVersion, StoreError> {
        let stored = StoredVersion::from_row(row)?;
        let attachments = attachments_in(&self.connection, row.get("id")?, stored.version)?;
        Ok(StoredVersion { attachments, ..stored })
    }

    /// The title of a record's newest version, if there is such a record.
    pub(crate) fn title(&self, key: RecordKey) -> Result<Option<String>, StoreError> {
        let mut query = self.connection.prepare_cached("SELECT title FROM record WHERE key = ?1")?;
        Ok(query.query_row([key.as_bytes()], |row| row.get(0)).optional()?)
    }

    /// Shows all versions of a record, the newest first, one at a time; none if there is no such record.
    pub(crate) fn history(&self, key: RecordKey, mut show: impl FnMut(StoredVersion)) -> Result<(), StoreError> {
        let mut query =
            self.connection.prepare_cached(&format!("{VERSION} WHERE r.key = ?1 ORDER BY v.version DESC"))?;
        let mut rows = query.query([key.as_bytes()])?;
        while let Some(row) = rows.next()? {
            show(StoredVersion::from_row(row)?);
        }
        Ok(())
    }
}

impl TenantTx<'_> {
    /// Adds a record with its first version.
    pub(crate) fn insert_record(&mut self, key: RecordKey, content: &RecordContent) -> Result<(), StoreError> {
        let at = self.at.unix_millis();
        let title_key = fold::fold(content.title(), MAX_FOLDED_BYTES);
        self.tx
            .prepare_cached(
                "INSERT INTO record (key, title_key, title, kind, version, created_ms, changed_ms)
                 VALUES (?1, ?2, ?3, ?4, 1, ?5, ?5)",
            )?
            .execute(params![key.as_bytes(), title_key, content.title(), content.kind().as_str(), at])?;
        let row = self.tx.last_insert_rowid();
        self.insert_version(row, 1, content, None)?;
        self.index_record(row, &title_key, content)?;
        self.index_expiry(row, content)?;
        self.records += 1;
        Ok(())
    }

    /// Gives a record a new version, keeping all before it, and says which. Nothing happens unless `expected_version`
    /// is still its newest, and it is not in the trash.
    pub(crate) fn update_record(
        &mut self,
        key: RecordKey,
        expected_version: u32,
        content: &RecordContent,
    ) -> Result<u32, ChangeError> {
        let row = record_row(&self.tx, key)?.ok_or(ChangeError::NotFound)?;
        let version = expected_version.checked_add(1).ok_or(ChangeError::VersionConflict)?;
        let (_, _, before) = self.newest(row)?;
        let title_key = fold::fold(content.title(), MAX_FOLDED_BYTES);
        let changed = self
            .tx
            .prepare_cached(
                "UPDATE record SET title_key = ?3, title = ?4, kind = ?5, version = ?6, changed_ms = ?7
                 WHERE id = ?1 AND version = ?2 AND trashed_ms IS NULL",
            )?
            .execute(params![
                row,
                expected_version,
                title_key,
                content.title(),
                content.kind().as_str(),
                version,
                self.at.unix_millis()
            ])?;
        if changed == 0 {
            return Err(ChangeError::VersionConflict);
        }
        self.insert_version(row, version, content, None)?;
        let title_before = fold::fold(before.title(), MAX_FOLDED_BYTES);
        self.reindex_record(row, (&title_before, &before), (&title_key, content))?;
        self.index_expiry(row, content)?;
        Ok(version)
    }

    /// Gives a record the new version that `change` makes of its newest, and says which; none if that is the same.
    pub(crate) fn change_newest<E: From<ChangeError>>(
        &mut self,
        key: RecordKey,
        change: impl FnOnce(&RecordContent) -> Result<RecordContent, E>,
    ) -> Result<Option<u32>, E> {
        let (version, before) = self.version_in_use(key, None)?;
        let after = change(&before)?;
        if after == before {
            return Ok(None);
        }
        Ok(Some(self.update_record(key, version, &after)?))
    }

    /// A version of a record that is not in the trash, the newest if none is named, with its number.
    pub(crate) fn version_in_use(
        &self,
        key: RecordKey,
        version: Option<u32>,
    ) -> Result<(u32, RecordContent), ChangeError> {
        let mut query = self.tx.prepare_cached(&format!(
            "{VERSION} WHERE r.key = ?1 AND v.version = coalesce(?2, r.version) AND r.trashed_ms IS NULL"
        ))?;
        let mut rows = query.query(params![key.as_bytes(), version])?;
        let stored = rows.next()?.map(StoredVersion::from_row).transpose()?.ok_or(ChangeError::NotFound)?;
        Ok((stored.version, stored.content))
    }

    /// `made_at` is when another program made it.
    pub(super) fn insert_version(
        &self,
        row: i64,
        version: u32,
        content: &RecordContent,
        made_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let made_ms = made_at.map(Timestamp::unix_millis);
        self.tx
            .prepare_cached("INSERT INTO version (record, version, change, body, made_ms) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![row, version, self.change, body::encode(content).as_slice(), made_ms])?;
        Ok(())
    }
}

impl StoredVersion {
    /// Reads the columns of [`VERSION`].
    pub(super) fn from_row(row: &Row<'_>) -> Result<Self, StoreError> {
        // Decoded where SQLite holds it, so that no copy of the secrets in it is left behind.
        let body = row.get_ref(1)?.as_blob().map_err(|_| StoreError::Damaged)?;
        Ok(Self {
            version: row.get(0)?,
            content: body::decode(body)?,
            created_at: timestamp(row.get(2)?)?,
            changed_at: timestamp(row.get(3)?)?,
            changed_by: AccountId::from_bytes(row.get(4)?),
            entry: u64::try_from(row.get::<_, i64>(5)?).map_err(|_| StoreError::Damaged)?,
            change: row.get("change")?,
            made_at: row.get::<_, Option<i64>>("made_ms")?.map(timestamp).transpose()?,
            attachments: Vec::new(),
            trashed_at: row.get::<_, Option<i64>>(6)?.map(timestamp).transpose()?,
        })
    }
}

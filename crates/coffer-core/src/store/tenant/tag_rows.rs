//! Tags: which records have them, and changing one wherever it is.

use coffer_model::id::RecordKey;
use coffer_model::record::RecordContent;
use rusqlite::params;

use super::search_query::folded;
use super::{ChangeError, TenantStore, TenantTx, body};
use crate::store::error::StoreError;

/// A tag and how many records have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TagCount {
    /// As it is written on the newest of them.
    pub(crate) tag: String,
    pub(crate) records: u64,
}

impl TenantStore {
    /// All tags, in the order of their folded forms. Tags that differ in case and accents only are one.
    pub(crate) fn tags(&self) -> Result<Vec<TagCount>, StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT (SELECT newest.tag FROM tag newest WHERE newest.folded = tag.folded ORDER BY newest.record DESC LIMIT 1),
                    count(*)
             FROM tag GROUP BY folded ORDER BY folded",
        )?;
        let mut rows = query.query([])?;
        let mut tags = Vec::new();
        while let Some(row) = rows.next()? {
            let records = u64::try_from(row.get::<_, i64>(1)?).map_err(|_| StoreError::Damaged)?;
            tags.push(TagCount { tag: row.get(0)?, records });
        }
        Ok(tags)
    }
}

impl TenantTx<'_> {
    /// Gives every record with the tag a new version in which it is another, or gone. Gives how many there were.
    /// `go_on` is asked before each of them; `retag` makes the new content.
    pub(crate) fn change_tag<E: From<ChangeError>>(
        &mut self,
        tag: &str,
        mut go_on: impl FnMut() -> Result<(), E>,
        retag: impl Fn(&RecordContent, &dyn Fn(&str) -> bool) -> Result<RecordContent, E>,
    ) -> Result<u64, E> {
        let wanted = folded(tag);
        let is_it = |tag: &str| folded(tag) == wanted;
        let rows = self.rows_with_tag(&wanted).map_err(ChangeError::from)?;
        for &row in &rows {
            go_on()?;
            let (key, version, content) = self.newest(row).map_err(ChangeError::from)?;
            self.update_record(key, version, &retag(&content, &is_it)?)?;
        }
        Ok(rows.len() as u64)
    }

    fn rows_with_tag(&self, folded: &str) -> Result<Vec<i64>, StoreError> {
        let mut query = self.tx.prepare_cached("SELECT record FROM tag WHERE folded = ?1 ORDER BY record")?;
        let rows = query.query_map([folded], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The newest version of the record in a row.
    pub(super) fn newest(&self, row: i64) -> Result<(RecordKey, u32, RecordContent), StoreError> {
        let mut query = self.tx.prepare_cached(
            "SELECT r.key, r.version, v.body
             FROM record r JOIN version v ON v.record = r.id AND v.version = r.version WHERE r.id = ?1",
        )?;
        let mut rows = query.query([row])?;
        let row = rows.next()?.ok_or(StoreError::Damaged)?;
        let content = body::decode(row.get_ref(2)?.as_blob().map_err(|_| StoreError::Damaged)?)?;
        Ok((RecordKey::from_bytes(row.get(0)?), row.get(1)?, content))
    }

    /// Notes a record's tags. Of two that fold alike the first stands for both.
    pub(super) fn insert_tags(&self, row: i64, content: &RecordContent) -> Result<(), StoreError> {
        for tag in content.tags() {
            self.tx
                .prepare_cached("INSERT OR IGNORE INTO tag (record, folded, tag) VALUES (?1, ?2, ?3)")?
                .execute(params![row, folded(tag), tag])?;
        }
        Ok(())
    }

    /// Forgets a record's tags.
    pub(super) fn delete_tags(&self, row: i64) -> Result<(), StoreError> {
        self.tx.prepare_cached("DELETE FROM tag WHERE record = ?1")?.execute([row])?;
        Ok(())
    }
}

//! The days by which something of a record ends, taken from its newest version at every write.

use coffer_model::day::Day;
use coffer_model::record::{FieldId, FieldType, RecordContent};
use rusqlite::params;

use super::{ListedRecord, TenantStore, TenantTx};
use crate::store::error::StoreError;

/// A field by which something ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expiring {
    /// The record.
    pub(crate) record: ListedRecord,
    /// The field inside it.
    pub(crate) field: FieldId,
    /// What the person calls it.
    pub(crate) field_name: String,
    /// The last day on which it holds.
    pub(crate) day: Day,
}

impl TenantStore {
    /// At most `limit` fields whose day is `until` or earlier, the earliest first; nothing that is in the trash.
    pub(crate) fn expiring(&self, until: Day, limit: u32) -> Result<Vec<Expiring>, StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT r.key, r.kind, r.title, r.changed_ms, e.field, e.name, e.day
             FROM expiry e CROSS JOIN record r ON r.id = e.record
             WHERE e.day <= ?1 AND r.trashed_ms IS NULL ORDER BY e.day, e.record, e.field LIMIT ?2",
        )?;
        let mut rows = query.query(params![until.to_string(), limit])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let day = row.get_ref(6)?.as_str().ok().and_then(|day| day.parse().ok());
            found.push(Expiring {
                record: ListedRecord::from_row(row)?,
                field: FieldId(row.get(4)?),
                field_name: row.get(5)?,
                day: day.ok_or(StoreError::Damaged)?,
            });
        }
        Ok(found)
    }
}

impl TenantTx<'_> {
    /// Takes over the days of a record's newest version, and only these.
    pub(super) fn index_expiry(&self, row: i64, content: &RecordContent) -> Result<(), StoreError> {
        self.tx.prepare_cached("DELETE FROM expiry WHERE record = ?1")?.execute([row])?;
        let mut insert =
            self.tx.prepare_cached("INSERT INTO expiry (day, record, field, name) VALUES (?1, ?2, ?3, ?4)")?;
        for field in content.fields().iter().filter(|field| field.field_type == FieldType::Expiry) {
            // Empty, or no day: there is nothing to remind of.
            if let Ok(day) = field.value.expose().parse::<Day>() {
                insert.execute(params![day.to_string(), row, field.id.0, field.name])?;
            }
        }
        Ok(())
    }
}

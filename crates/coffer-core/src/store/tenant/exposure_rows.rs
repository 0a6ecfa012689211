//! Who saw which version of which secret outside its mask.

use coffer_model::id::{AccountId, RecordKey};
use coffer_model::record::FieldId;
use coffer_model::time::Timestamp;
use rusqlite::params;

use super::{TenantStore, TenantTx, record_row, timestamp};
use crate::store::error::StoreError;

/// How a secret left its mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// It was shown.
    Revealed,
    /// It was copied to the clipboard.
    Copied,
}

impl How {
    const fn code(self) -> i64 {
        match self {
            Self::Revealed => 1,
            Self::Copied => 2,
        }
    }

    const fn from_code(code: i64) -> Option<Self> {
        match code {
            1 => Some(Self::Revealed),
            2 => Some(Self::Copied),
            _ => None,
        }
    }
}

/// A secret that is about to leave its mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exposure {
    /// The record.
    pub(crate) key: RecordKey,
    /// The field inside it.
    pub(crate) field: FieldId,
    /// The version the value is from.
    pub(crate) version: u32,
    /// How it leaves.
    pub(crate) how: How,
}

/// A secret that left its mask, by whom and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExposureRow {
    /// What left.
    pub(crate) exposure: Exposure,
    /// Who had it.
    pub(crate) account: AccountId,
    /// When.
    pub(crate) at: Timestamp,
    /// The log entry that says so.
    pub(crate) entry: u64,
}

impl TenantStore {
    /// Who saw secrets of a record, oldest first.
    pub(crate) fn exposures(&self, key: RecordKey) -> Result<Vec<ExposureRow>, StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT e.field, e.version, e.how, c.account, c.at_ms, c.entry
             FROM record r JOIN exposure e ON e.record = r.id JOIN change c ON c.id = e.change
             WHERE r.key = ?1 ORDER BY e.id",
        )?;
        let mut rows = query.query([key.as_bytes()])?;
        let mut exposures = Vec::new();
        while let Some(row) = rows.next()? {
            let how = How::from_code(row.get(2)?).ok_or(StoreError::Damaged)?;
            exposures.push(ExposureRow {
                exposure: Exposure { key, field: FieldId(row.get(0)?), version: row.get(1)?, how },
                account: AccountId::from_bytes(row.get(3)?),
                at: timestamp(row.get(4)?)?,
                entry: u64::try_from(row.get::<_, i64>(5)?).map_err(|_| StoreError::Damaged)?,
            });
        }
        Ok(exposures)
    }
}

impl TenantTx<'_> {
    /// Writes down that a secret leaves its mask.
    pub(crate) fn insert_exposure(&mut self, exposure: &Exposure) -> Result<(), StoreError> {
        let row = record_row(&self.tx, exposure.key)?.ok_or(StoreError::Damaged)?;
        self.tx
            .prepare_cached("INSERT INTO exposure (record, field, version, how, change) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![row, exposure.field.0, exposure.version, exposure.how.code(), self.change])?;
        Ok(())
    }
}

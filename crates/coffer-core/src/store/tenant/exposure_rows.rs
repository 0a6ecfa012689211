//! Who saw which version of which secret outside its mask.

use coffer_model::id::RecordKey;
use coffer_model::record::FieldId;
use rusqlite::params;

use super::{TenantTx, record_row};
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

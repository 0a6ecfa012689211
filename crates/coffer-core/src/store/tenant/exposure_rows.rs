//! Who saw which version of which secret outside its mask, one by one or by an export all at once.

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
    /// It was handed over, in a file about a person that it holds.
    HandedOver,
}

impl How {
    const fn code(self) -> i64 {
        match self {
            Self::Revealed => 1,
            Self::Copied => 2,
            Self::HandedOver => 3,
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

/// Which secrets an export takes out, of those the tenant had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExportScope {
    /// What records outside the trash held last.
    NewestVersions,
    /// Every version of records outside the trash.
    AllVersions,
    /// Every version of every record.
    Everything,
}

impl ExportScope {
    const fn code(self) -> i64 {
        match self {
            Self::NewestVersions => 1,
            Self::AllVersions => 2,
            Self::Everything => 3,
        }
    }
}

impl TenantTx<'_> {
    /// Writes down that every secret in `scope`, of the versions up to the write `until`, leaves its mask.
    pub(crate) fn insert_export(&mut self, until: i64, scope: ExportScope) -> Result<(), StoreError> {
        self.tx.prepare_cached("INSERT INTO export (change, until, scope) VALUES (?1, ?2, ?3)")?.execute(params![
            self.change,
            until,
            scope.code()
        ])?;
        Ok(())
    }

    /// Writes down that a secret leaves its mask.
    pub(crate) fn insert_exposure(&mut self, exposure: &Exposure) -> Result<(), StoreError> {
        let row = record_row(&self.tx, exposure.key)?.ok_or(StoreError::Damaged)?;
        self.tx
            .prepare_cached("INSERT INTO exposure (record, field, version, how, change) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![row, exposure.field.0, exposure.version, exposure.how.code(), self.change])?;
        Ok(())
    }
}

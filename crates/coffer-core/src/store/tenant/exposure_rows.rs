//! Who saw which version of which secret outside its mask, one by one or by an export all at once.

use std::collections::{BTreeMap, BTreeSet};

use coffer_model::event::ExportFormat;
use coffer_model::id::{AccountId, RecordKey};
use coffer_model::record::FieldId;
use coffer_model::time::Timestamp;
use rusqlite::params;
use sha2::{Digest, Sha256};

use super::{Moment, TenantTx, record_row, timestamp};
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
    const fn byte(self) -> u8 {
        match self {
            Self::Revealed => 1,
            Self::Copied => 2,
            Self::HandedOver => 3,
        }
    }

    const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Revealed),
            2 => Some(Self::Copied),
            3 => Some(Self::HandedOver),
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
    /// What an export in a format takes out.
    pub(crate) const fn of(format: ExportFormat) -> Self {
        match format {
            ExportFormat::Csv => Self::NewestVersions,
            ExportFormat::Kdbx => Self::AllVersions,
            ExportFormat::Archive | ExportFormat::EncryptedArchive => Self::Everything,
        }
    }

    const fn byte(self) -> u8 {
        match self {
            Self::NewestVersions => 1,
            Self::AllVersions => 2,
            Self::Everything => 3,
        }
    }

    const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::NewestVersions),
            2 => Some(Self::AllVersions),
            3 => Some(Self::Everything),
            _ => None,
        }
    }
}

/// Whose, when, and under which entry of the log something left its mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Who saw it.
    pub(crate) account: AccountId,
    /// When.
    pub(crate) at: Timestamp,
    /// The entry of the log.
    pub(crate) entry: u64,
}

/// A secret that left its mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoredExposure {
    /// Which, and how.
    pub(crate) exposure: Exposure,
    /// Who saw it.
    pub(crate) seen: Seen,
}

/// An export, which took every secret it could see from behind its mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoredExport {
    /// The newest write it saw.
    pub(crate) until: i64,
    /// Which secrets it took.
    pub(crate) scope: ExportScope,
    /// Who made it.
    pub(crate) seen: Seen,
}

/// Bytes of a [`SeenDigest`].
pub(crate) const SEEN_DIGEST_BYTES: usize = 16;

/// What left its mask under an entry: the first bytes of SHA-256 over its rows' encodings, one after the other. It tells
/// nobody which record that is who does not know. docs/FORMAT.md §5.16.
pub(crate) type SeenDigest = [u8; SEEN_DIGEST_BYTES];

/// Under which entries of the log an account took secrets from behind their mask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct EntriesSeen {
    /// Those of exposures and exports that the tenant has, each with what it was.
    pub(crate) kept: BTreeMap<u64, SeenDigest>,
    /// Those of exposures that were deleted, each with the entry of what deleted it.
    pub(crate) gone: BTreeSet<(u64, u64)>,
}

impl Exposure {
    /// What a report says it by.
    pub(crate) fn digest(&self) -> SeenDigest {
        seen_digest(&self.encode())
    }

    fn encode(&self) -> Vec<u8> {
        let numbers = [&self.field.0.to_be_bytes()[..], &self.version.to_be_bytes(), &[self.how.byte()]].concat();
        [self.key.as_bytes().as_slice(), &numbers].concat()
    }
}

impl ExportScope {
    /// What a report says it by.
    pub(crate) fn digest(self) -> SeenDigest {
        seen_digest(&[self.byte()])
    }
}

fn seen_digest(rows: &[u8]) -> SeenDigest {
    let mut digest = [0; SEEN_DIGEST_BYTES];
    digest.copy_from_slice(&Sha256::digest(rows)[..SEEN_DIGEST_BYTES]);
    digest
}

impl Moment<'_> {
    /// Every secret that left its mask one by one and is still there, in the order in which they did.
    pub(crate) fn exposures(&self) -> Result<Vec<StoredExposure>, StoreError> {
        let mut query = self.connection().prepare_cached(
            "SELECT r.key, e.field, e.version, e.how, c.account, c.at_ms, c.entry
             FROM exposure e JOIN change c ON c.id = e.change JOIN record r ON r.id = e.record ORDER BY e.id",
        )?;
        let mut rows = query.query([])?;
        let mut exposures = Vec::new();
        while let Some(row) = rows.next()? {
            let how = How::from_byte(row.get(3)?).ok_or(StoreError::Damaged)?;
            let key = RecordKey::from_bytes(row.get(0)?);
            let exposure = Exposure { key, field: FieldId(row.get(1)?), version: row.get(2)?, how };
            exposures.push(StoredExposure { exposure, seen: Seen::from_row(row, 4)? });
        }
        Ok(exposures)
    }

    /// The entries of the log under which an account took secrets from behind their mask.
    pub(crate) fn entries_seen(&self, account: AccountId) -> Result<EntriesSeen, StoreError> {
        let entry = |row: &rusqlite::Row<'_>, column| {
            u64::try_from(row.get::<_, i64>(column)?).map_err(|_| StoreError::Damaged)
        };
        let mut rows_of: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        let mut query = self.connection().prepare_cached(
            "SELECT c.entry, r.key, e.field, e.version, e.how
             FROM change c JOIN exposure e ON e.change = c.id JOIN record r ON r.id = e.record
             WHERE c.account = ?1 ORDER BY c.entry, r.key, e.field, e.version, e.how",
        )?;
        let mut rows = query.query([account.as_bytes()])?;
        while let Some(row) = rows.next()? {
            let how = How::from_byte(row.get(4)?).ok_or(StoreError::Damaged)?;
            let key = RecordKey::from_bytes(row.get(1)?);
            let exposure = Exposure { key, field: FieldId(row.get(2)?), version: row.get(3)?, how };
            rows_of.entry(entry(row, 0)?).or_default().extend(exposure.encode());
        }
        let mut query = self.connection().prepare_cached(
            "SELECT c.entry, e.scope FROM change c JOIN export e ON e.change = c.id WHERE c.account = ?1 ORDER BY c.entry",
        )?;
        let mut rows = query.query([account.as_bytes()])?;
        while let Some(row) = rows.next()? {
            let scope = ExportScope::from_byte(row.get(1)?).ok_or(StoreError::Damaged)?;
            rows_of.entry(entry(row, 0)?).or_default().push(scope.byte());
        }
        let kept = rows_of.into_iter().map(|(entry, rows)| (entry, seen_digest(&rows))).collect();
        let mut seen = EntriesSeen { kept, gone: BTreeSet::new() };
        let mut query = self.connection().prepare_cached(
            "SELECT c.entry, g.entry FROM exposure_gone e
             JOIN change c ON c.id = e.change JOIN change g ON g.id = e.gone WHERE c.account = ?1",
        )?;
        let mut rows = query.query([account.as_bytes()])?;
        while let Some(row) = rows.next()? {
            seen.gone.insert((entry(row, 0)?, entry(row, 1)?));
        }
        Ok(seen)
    }

    /// Every export, in order.
    pub(crate) fn exports(&self) -> Result<Vec<StoredExport>, StoreError> {
        let mut query = self.connection().prepare_cached(
            "SELECT e.until, e.scope, c.account, c.at_ms, c.entry
             FROM export e JOIN change c ON c.id = e.change ORDER BY e.change",
        )?;
        let mut rows = query.query([])?;
        let mut exports = Vec::new();
        while let Some(row) = rows.next()? {
            let scope = ExportScope::from_byte(row.get(1)?).ok_or(StoreError::Damaged)?;
            exports.push(StoredExport { until: row.get(0)?, scope, seen: Seen::from_row(row, 2)? });
        }
        Ok(exports)
    }
}

impl Seen {
    /// Reads `account, at_ms, entry`, from the column `first` on.
    fn from_row(row: &rusqlite::Row<'_>, first: usize) -> Result<Self, StoreError> {
        Ok(Self {
            account: AccountId::from_bytes(row.get(first)?),
            at: timestamp(row.get(first + 1)?)?,
            entry: u64::try_from(row.get::<_, i64>(first + 2)?).map_err(|_| StoreError::Damaged)?,
        })
    }
}

impl TenantTx<'_> {
    /// Writes down which exposures of a record, or of one of its versions, this write deletes.
    pub(super) fn note_exposures_gone(&self, record: i64, version: Option<u32>) -> Result<(), StoreError> {
        self.tx
            .prepare_cached(
                "INSERT OR IGNORE INTO exposure_gone (change, gone)
                 SELECT change, ?2 FROM exposure WHERE record = ?1 AND version = coalesce(?3, version)",
            )?
            .execute(params![record, self.change, version])?;
        Ok(())
    }

    /// Writes down that every secret in `scope`, of the versions up to the write `until`, leaves its mask.
    pub(crate) fn insert_export(&mut self, until: i64, scope: ExportScope) -> Result<(), StoreError> {
        self.tx.prepare_cached("INSERT INTO export (change, until, scope) VALUES (?1, ?2, ?3)")?.execute(params![
            self.change,
            until,
            scope.byte()
        ])?;
        Ok(())
    }

    /// Writes down that a secret leaves its mask.
    pub(crate) fn insert_exposure(&mut self, exposure: &Exposure) -> Result<(), StoreError> {
        let row = record_row(&self.tx, exposure.key)?.ok_or(StoreError::Damaged)?;
        self.tx
            .prepare_cached("INSERT INTO exposure (record, field, version, how, change) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![row, exposure.field.0, exposure.version, exposure.how.byte(), self.change])?;
        Ok(())
    }
}

//! A tenant's database held still, so that its main file can be copied while others write.
//!
//! First the write-ahead log goes into the main file and is emptied; then a read begins. A reader of an empty log reads
//! the main file alone, and for as long as it reads SQLite writes nothing there: changes pile up in the log.
//! Spec: sqlite.org/walformat.html, "read-lock 0".

use std::path::Path;

use coffer_crypto::secret::DatabaseKey;

use super::error::StoreError;
use super::sqlcipher::{self, Access};
use super::tenant::TenantStore;

/// A read that keeps a tenant's main file as it is, until dropped.
pub(crate) struct HeldTenant {
    _reader: TenantStore,
}

impl HeldTenant {
    /// Holds the database at `path`. `writer` is its only writer and writes nothing meanwhile.
    pub(crate) fn hold(writer: &TenantStore, path: &Path, key: &DatabaseKey) -> Result<Self, StoreError> {
        sqlcipher::checkpoint(writer.connection())?;
        let reader = TenantStore::open(path, key, writer.identity(), Access::ReadOnly)?;
        reader.connection().execute_batch("BEGIN")?;
        // A read transaction begins with its first read.
        reader.count()?;
        Ok(Self { _reader: reader })
    }
}

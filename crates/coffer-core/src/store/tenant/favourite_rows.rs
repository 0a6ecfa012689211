//! Which records an account has marked for itself.

use coffer_model::id::{AccountId, RecordKey};
use rusqlite::params;

use super::{ChangeError, TenantStore, TenantTx};
use crate::store::error::StoreError;

impl TenantStore {
    /// Whether a record is one of the account's favourites.
    pub(crate) fn is_favourite(&self, account: AccountId, key: RecordKey) -> Result<bool, StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM record r JOIN favourite f ON f.record = r.id WHERE r.key = ?2 AND f.account = ?1)",
        )?;
        Ok(query.query_row(params![account.as_bytes(), key.as_bytes()], |row| row.get(0))?)
    }
}

impl TenantTx<'_> {
    /// Sets or takes back the mark of the account that writes. Setting it twice is setting it.
    pub(crate) fn set_favourite(&mut self, key: RecordKey, on: bool) -> Result<(), ChangeError> {
        let row: Option<i64> = {
            let mut query = self.tx.prepare_cached("SELECT id FROM record WHERE key = ?1 AND trashed_ms IS NULL")?;
            let mut rows = query.query([key.as_bytes()])?;
            rows.next()?.map(|row| row.get(0)).transpose()?
        };
        let row = row.ok_or(ChangeError::NotFound)?;
        let change = if on {
            "INSERT OR IGNORE INTO favourite (account, record) VALUES (?1, ?2)"
        } else {
            "DELETE FROM favourite WHERE account = ?1 AND record = ?2"
        };
        self.tx.prepare_cached(change)?.execute(params![self.account.as_bytes(), row])?;
        Ok(())
    }
}

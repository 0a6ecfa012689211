//! The directory: the membership chain and the ciphertexts it vouches for. Layout: `directory.sql`, docs/FORMAT.md §5.
//!
//! Only rows; what they mean, and whether they hold, is decided by `chain` and by whoever asks.

#![expect(clippy::disallowed_types, reason = "this is the store")]

use std::path::Path;

use coffer_crypto::secret::DatabaseKey;
use coffer_model::id::{AccountId, TenantId};
use rusqlite::{Connection, OptionalExtension, params};

use super::file_root::FileRoot;
use super::sqlcipher::{self, Access, StoreError, to_integer};
use crate::chain::SignedStatement;

/// Name of the file in the vault's folder.
pub(crate) const FILE: &str = "directory.db";
/// Schema of this build (`PRAGMA user_version`).
const SCHEMA_VERSION: i64 = 1;
/// Whom a seed is sealed to when it is recovery.
const RECOVERY: [u8; 16] = [0; 16];

/// A key pair several accounts use together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SharedPair {
    /// Log entries are sealed to it; auditors open them.
    Audit,
    /// Incidents and tenant names are sealed to it; administrators and auditors open them.
    Office,
}

impl SharedPair {
    const fn name(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Office => "office",
        }
    }
}

/// Who holds a sealed seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// An account.
    Account(AccountId),
    /// The recovery kit.
    Recovery,
}

impl Holder {
    fn bytes(&self) -> &[u8; 16] {
        match self {
            Self::Account(account) => account.as_bytes(),
            Self::Recovery => &RECOVERY,
        }
    }
}

/// Ciphertexts of a tenant's epoch.
#[derive(Debug)]
pub(crate) struct EpochRow {
    /// Tenant key sealed to recovery.
    pub(crate) for_recovery: Vec<u8>,
    /// Name sealed to the office.
    pub(crate) name_for_office: Vec<u8>,
    /// Name under the tenant key.
    pub(crate) name_for_holders: Vec<u8>,
}

/// The open directory.
#[derive(Debug)]
pub(crate) struct Directory {
    connection: Connection,
}

/// A change of the directory: statements and what comes with them, all or nothing.
pub(crate) struct DirectoryTx<'d> {
    tx: rusqlite::Transaction<'d>,
}

impl Directory {
    /// Makes the directory of a new vault, where none may be.
    pub(crate) fn create(folder: &Path, key: &DatabaseKey) -> Result<Self, StoreError> {
        let connection = sqlcipher::create(&folder.join(FILE), key)?;
        connection.execute_batch(include_str!("directory.sql"))?;
        connection.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        Ok(Self { connection })
    }

    /// Opens the directory of a vault.
    pub(crate) fn open(folder: &Path, key: &DatabaseKey, access: Access) -> Result<Self, StoreError> {
        let connection = sqlcipher::open(&folder.join(FILE), key, access)?;
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version > SCHEMA_VERSION {
            return Err(StoreError::NewerSchema);
        }
        Ok(Self { connection })
    }

    /// The connection, for what a backup does to every database.
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The membership chain, in order.
    pub(crate) fn statements(&self) -> Result<Vec<SignedStatement>, StoreError> {
        let mut query = self.connection.prepare_cached("SELECT bytes, signature FROM statement ORDER BY position")?;
        let rows = query.query_map([], |row| Ok(SignedStatement { bytes: row.get(0)?, signature: row.get(1)? }))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// A shared pair's seed, sealed to `holder`.
    pub(crate) fn pair_seed(&self, pair: SharedPair, holder: Holder) -> Result<Option<Vec<u8>>, StoreError> {
        let mut query =
            self.connection.prepare_cached("SELECT sealed FROM pair_seed WHERE pair = ?1 AND holder = ?2")?;
        Ok(query.query_row(params![pair.name(), holder.bytes()], |row| row.get(0)).optional()?)
    }

    /// Ciphertexts of a tenant's epoch.
    pub(crate) fn epoch(&self, tenant: TenantId, epoch: u32) -> Result<Option<EpochRow>, StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT for_recovery, name_for_office, name_for_holders FROM tenant_epoch WHERE tenant = ?1 AND epoch = ?2",
        )?;
        let row = query.query_row(params![tenant.as_bytes(), epoch], |row| {
            Ok(EpochRow { for_recovery: row.get(0)?, name_for_office: row.get(1)?, name_for_holders: row.get(2)? })
        });
        Ok(row.optional()?)
    }

    /// A tenant key, sealed to an account.
    pub(crate) fn tenant_key(
        &self,
        tenant: TenantId,
        epoch: u32,
        account: AccountId,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let mut query = self
            .connection
            .prepare_cached("SELECT sealed FROM tenant_key WHERE tenant = ?1 AND epoch = ?2 AND account = ?3")?;
        Ok(query.query_row(params![tenant.as_bytes(), epoch, account.as_bytes()], |row| row.get(0)).optional()?)
    }

    /// Signed manifests of the backups made, newest first.
    pub(crate) fn backup_manifests(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut query = self.connection.prepare_cached("SELECT manifest FROM backup ORDER BY counter DESC")?;
        let rows = query.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The template of one of the vault's own kinds.
    pub(crate) fn kind(&self, kind: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let mut query = self.connection.prepare_cached("SELECT template FROM kind WHERE kind = ?1")?;
        Ok(query.query_row([kind], |row| row.get(0)).optional()?)
    }

    /// Length and root of a tenant's file as it was locked; `None` if it was not locked cleanly.
    pub(crate) fn file_root(&self, tenant: TenantId, epoch: u32) -> Result<Option<FileRoot>, StoreError> {
        let mut query =
            self.connection.prepare_cached("SELECT bytes, root FROM file_root WHERE tenant = ?1 AND epoch = ?2")?;
        let row = query.query_row(params![tenant.as_bytes(), epoch], |row| {
            Ok(FileRoot { bytes: row.get(0)?, root: row.get::<_, [u8; 32]>(1)?.into() })
        });
        Ok(row.optional()?)
    }

    /// Begins a change.
    pub(crate) fn write(&mut self) -> Result<DirectoryTx<'_>, StoreError> {
        Ok(DirectoryTx { tx: self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)? })
    }
}

impl DirectoryTx<'_> {
    /// Adds the statement at `position`.
    pub(crate) fn insert_statement(&mut self, position: u64, statement: &SignedStatement) -> Result<(), StoreError> {
        self.tx
            .prepare_cached("INSERT INTO statement (position, bytes, signature) VALUES (?1, ?2, ?3)")?
            .execute(params![to_integer(position)?, statement.bytes, statement.signature])?;
        Ok(())
    }

    /// Stores a shared pair's seed, sealed to `holder`.
    pub(crate) fn insert_pair_seed(
        &mut self,
        pair: SharedPair,
        holder: Holder,
        sealed: &[u8],
    ) -> Result<(), StoreError> {
        self.tx
            .prepare_cached("INSERT INTO pair_seed (pair, holder, sealed) VALUES (?1, ?2, ?3)")?
            .execute(params![pair.name(), holder.bytes(), sealed])?;
        Ok(())
    }

    /// Stores what comes with a tenant's epoch.
    pub(crate) fn insert_epoch(&mut self, tenant: TenantId, epoch: u32, row: &EpochRow) -> Result<(), StoreError> {
        self.tx
            .prepare_cached(
                "INSERT INTO tenant_epoch (tenant, epoch, for_recovery, name_for_office, name_for_holders)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![tenant.as_bytes(), epoch, row.for_recovery, row.name_for_office, row.name_for_holders])?;
        Ok(())
    }

    /// Stores a tenant key, sealed to an account.
    pub(crate) fn insert_tenant_key(
        &mut self,
        tenant: TenantId,
        epoch: u32,
        account: AccountId,
        sealed: &[u8],
    ) -> Result<(), StoreError> {
        self.tx
            .prepare_cached("INSERT INTO tenant_key (tenant, epoch, account, sealed) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![tenant.as_bytes(), epoch, account.as_bytes(), sealed])?;
        Ok(())
    }

    /// Stores length and root of a tenant's file.
    pub(crate) fn insert_file_root(&mut self, tenant: TenantId, epoch: u32, file: &FileRoot) -> Result<(), StoreError> {
        self.tx
            .prepare_cached("INSERT OR REPLACE INTO file_root (tenant, epoch, bytes, root) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![tenant.as_bytes(), epoch, to_integer(file.bytes)?, file.root.as_slice()])?;
        Ok(())
    }

    /// Takes away length and root of a tenant's file, which is about to change.
    pub(crate) fn delete_file_root(&mut self, tenant: TenantId, epoch: u32) -> Result<(), StoreError> {
        self.tx
            .prepare_cached("DELETE FROM file_root WHERE tenant = ?1 AND epoch = ?2")?
            .execute(params![tenant.as_bytes(), epoch])?;
        Ok(())
    }

    /// Stores a backup's signed manifest.
    pub(crate) fn insert_backup(&mut self, counter: u64, manifest: &[u8]) -> Result<(), StoreError> {
        self.tx
            .prepare_cached("INSERT INTO backup (counter, manifest) VALUES (?1, ?2)")?
            .execute(params![to_integer(counter)?, manifest])?;
        Ok(())
    }

    /// Stores the template of one of the vault's own kinds, in place of the one it had.
    pub(crate) fn set_kind(&mut self, kind: &str, template: &[u8]) -> Result<(), StoreError> {
        self.tx
            .prepare_cached("INSERT OR REPLACE INTO kind (kind, template) VALUES (?1, ?2)")?
            .execute(params![kind, template])?;
        Ok(())
    }

    /// Takes a kind's template away.
    pub(crate) fn delete_kind(&mut self, kind: &str) -> Result<(), StoreError> {
        self.tx.prepare_cached("DELETE FROM kind WHERE kind = ?1")?.execute([kind])?;
        Ok(())
    }

    /// Makes the change durable.
    pub(crate) fn commit(self) -> Result<(), StoreError> {
        Ok(self.tx.commit()?)
    }
}

//! The directory: the membership chain and the ciphertexts it vouches for. Layout: `directory.sql`, docs/FORMAT.md §5.
//!
//! Only rows; what they mean, and whether they hold, is decided by `chain` and by whoever asks.

#![expect(clippy::disallowed_types, reason = "this is the store")]

use std::path::Path;

use coffer_crypto::secret::{DatabaseKey, SecretBytes};
use coffer_model::account::{Role, Roles};
use coffer_model::id::{AccountId, TenantId};
use rusqlite::{Connection, OptionalExtension, params};

use super::file_root::FileRoot;
use super::files::{self, FileError};
use super::sqlcipher::{self, Access, StoreError, to_integer};
use crate::chain::SignedStatement;

/// Name of the file in the vault's folder.
pub(crate) const FILE: &str = "directory.db";
/// Name under which a directory with a new key waits until the header opens it (docs/FORMAT.md §5.13).
pub(crate) const NEXT_FILE: &str = "directory.next.db";
/// Schema of this build (`PRAGMA user_version`).
const SCHEMA_VERSION: i64 = 1;

/// A key pair several accounts use together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SharedPair {
    /// Log entries are sealed to it; auditors open them.
    Audit,
    /// Incidents and tenant names are sealed to it; administrators and auditors open them.
    Office,
}

impl SharedPair {
    /// Those that somebody with these roles uses.
    pub(crate) fn of(roles: Roles) -> impl Iterator<Item = Self> {
        [Self::Audit, Self::Office].into_iter().filter(move |pair| match pair {
            Self::Audit => roles.contains(Role::Auditor),
            Self::Office => roles.is_officer(),
        })
    }

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
    /// The recovery of a number, from 1.
    Recovery(u32),
}

impl Holder {
    /// Which account or invitation it is; `None` for recovery.
    pub(crate) const fn account(self) -> Option<AccountId> {
        match self {
            Self::Account(account) => Some(account),
            Self::Recovery(_) => None,
        }
    }

    /// Its identifier; of recovery twelve zero bytes, as no account's begins (RFC 9562 §5.9), and its number less one.
    fn bytes(self) -> [u8; 16] {
        match self {
            Self::Account(account) => *account.as_bytes(),
            Self::Recovery(number) => {
                let mut bytes = [0; 16];
                bytes[12..].copy_from_slice(&number.saturating_sub(1).to_be_bytes());
                bytes
            }
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

/// What comes with the identity provider that is pinned.
#[derive(Debug)]
pub(crate) struct ProviderRow {
    /// Its key set, as it was given.
    pub(crate) key_set: Vec<u8>,
    /// The vault's secret that tokens may be encrypted to.
    pub(crate) decryption: SecretBytes,
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
        Self::open_file(&folder.join(FILE), key, access)
    }

    /// As [`Directory::open`], where no root of the file is known: a session is under way, or was killed. A directory that
    /// waits under another name for this very key takes its place first; one that waits for another key was never needed.
    pub(crate) fn open_settled(folder: &Path, key: &DatabaseKey, access: Access) -> Result<Self, StoreError> {
        Self::settle_next(folder, key)?;
        Self::open(folder, key, access)
    }

    fn open_file(path: &Path, key: &DatabaseKey, access: Access) -> Result<Self, StoreError> {
        let connection = sqlcipher::open(path, key, access)?;
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version > SCHEMA_VERSION {
            return Err(StoreError::NewerSchema);
        }
        Ok(Self { connection })
    }

    /// Copies the directory into a file that waits under another name, under another key. Nothing uses it before
    /// [`Directory::replace`].
    pub(crate) fn copy_to_next(&self, folder: &Path, key: &DatabaseKey) -> Result<Self, StoreError> {
        files::remove_database(&folder.join(NEXT_FILE))?;
        let connection = sqlcipher::copy(&self.connection, &folder.join(NEXT_FILE), key, |_, _| Ok(()))?;
        Ok(Self { connection })
    }

    /// Has everything of a directory that waits in its main file, for good: it may be taken for the directory now.
    pub(crate) fn come_to_rest_as_next(&self, folder: &Path) -> Result<(), StoreError> {
        sqlcipher::come_to_rest(&self.connection, &folder.join(NEXT_FILE))?;
        Ok(files::sync_folder(folder)?)
    }

    fn settle_next(folder: &Path, key: &DatabaseKey) -> Result<(), StoreError> {
        let (next, place) = (folder.join(NEXT_FILE), folder.join(FILE));
        match Self::open_file(&next, key, Access::ReadWrite) {
            Ok(directory) => sqlcipher::come_to_rest(&directory.connection, &next)?,
            Err(StoreError::File(FileError::Missing)) => return Ok(()),
            // Of another key: its header was never written.
            Err(StoreError::CannotOpen) => return Ok(files::remove_database(&next)?),
            Err(error) => return Err(error),
        }
        // The log of the file that is replaced must not be taken for the new one's.
        files::remove_write_ahead_log(&place)?;
        Ok(files::rename_database(&next, &place)?)
    }

    /// An empty directory in memory, while one file takes another's place.
    pub(crate) fn stand_in() -> Result<Self, StoreError> {
        sqlcipher::ready_library()?;
        Ok(Self { connection: Connection::open_in_memory()? })
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

    /// The seed of a shared pair's `number`th key, sealed to `holder`.
    pub(crate) fn pair_seed(
        &self,
        pair: SharedPair,
        number: u32,
        holder: Holder,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let mut query = self
            .connection
            .prepare_cached("SELECT sealed FROM pair_seed WHERE pair = ?1 AND number = ?2 AND holder = ?3")?;
        Ok(query.query_row(params![pair.name(), number, holder.bytes()], |row| row.get(0)).optional()?)
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

    /// An account's saved searches, under its own key.
    pub(crate) fn saved_searches(&self, account: AccountId) -> Result<Option<Vec<u8>>, StoreError> {
        let mut query = self.connection.prepare_cached("SELECT sealed FROM saved_searches WHERE account = ?1")?;
        Ok(query.query_row([account.as_bytes()], |row| row.get(0)).optional()?)
    }

    /// The names of tenants that an account has kept, under its own key.
    pub(crate) fn tenant_names(&self, account: AccountId) -> Result<Option<Vec<u8>>, StoreError> {
        let mut query = self.connection.prepare_cached("SELECT sealed FROM tenant_names WHERE account = ?1")?;
        Ok(query.query_row([account.as_bytes()], |row| row.get(0)).optional()?)
    }

    /// A custodian's share of a tenant's key, sealed to them.
    pub(crate) fn glass_share(
        &self,
        tenant: TenantId,
        epoch: u32,
        account: AccountId,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let mut query = self
            .connection
            .prepare_cached("SELECT sealed FROM glass_share WHERE tenant = ?1 AND epoch = ?2 AND account = ?3")?;
        Ok(query.query_row(params![tenant.as_bytes(), epoch, account.as_bytes()], |row| row.get(0)).optional()?)
    }

    /// What a steward reported of an account's exposures in a tenant, sealed to the office.
    pub(crate) fn exposure_report(&self, tenant: TenantId, account: AccountId) -> Result<Option<Vec<u8>>, StoreError> {
        let mut query =
            self.connection.prepare_cached("SELECT sealed FROM exposure_report WHERE tenant = ?1 AND account = ?2")?;
        Ok(query.query_row(params![tenant.as_bytes(), account.as_bytes()], |row| row.get(0)).optional()?)
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

    /// What comes with the identity provider.
    pub(crate) fn provider(&self) -> Result<Option<ProviderRow>, StoreError> {
        let mut query = self.connection.prepare_cached("SELECT key_set, decryption FROM provider")?;
        let row = query
            .query_row([], |row| Ok(ProviderRow { key_set: row.get(0)?, decryption: SecretBytes::new(row.get(1)?) }));
        Ok(row.optional()?)
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

    /// Stores the seed of a shared pair's `number`th key, sealed to `holder`, in place of what was sealed to it before.
    pub(crate) fn set_pair_seed(
        &mut self,
        pair: SharedPair,
        number: u32,
        holder: Holder,
        sealed: &[u8],
    ) -> Result<(), StoreError> {
        self.tx
            .prepare_cached("INSERT OR REPLACE INTO pair_seed (pair, number, holder, sealed) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![pair.name(), number, holder.bytes(), sealed])?;
        Ok(())
    }

    /// Takes away what was sealed to an account: it is none any more.
    pub(crate) fn delete_pair_seeds(&mut self, holder: Holder) -> Result<(), StoreError> {
        self.tx.prepare_cached("DELETE FROM pair_seed WHERE holder = ?1")?.execute([holder.bytes()])?;
        Ok(())
    }

    /// Takes away an account's own rows: it is none any more.
    pub(crate) fn delete_own_rows(&mut self, account: AccountId) -> Result<(), StoreError> {
        self.tx.prepare_cached("DELETE FROM saved_searches WHERE account = ?1")?.execute([account.as_bytes()])?;
        self.delete_tenant_names(account)
    }

    /// Takes away the names of tenants that an account has kept.
    pub(crate) fn delete_tenant_names(&mut self, account: AccountId) -> Result<(), StoreError> {
        self.tx.prepare_cached("DELETE FROM tenant_names WHERE account = ?1")?.execute([account.as_bytes()])?;
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

    /// Stores a tenant key, sealed to an account, in place of the one that a change of its right had sealed before.
    pub(crate) fn set_tenant_key(
        &mut self,
        tenant: TenantId,
        epoch: u32,
        account: AccountId,
        sealed: &[u8],
    ) -> Result<(), StoreError> {
        self.tx
            .prepare_cached(
                "INSERT OR REPLACE INTO tenant_key (tenant, epoch, account, sealed) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![tenant.as_bytes(), epoch, account.as_bytes(), sealed])?;
        Ok(())
    }

    /// Takes away a tenant key that was sealed to an account.
    pub(crate) fn delete_tenant_key(
        &mut self,
        tenant: TenantId,
        epoch: u32,
        account: AccountId,
    ) -> Result<(), StoreError> {
        self.tx
            .prepare_cached("DELETE FROM tenant_key WHERE tenant = ?1 AND epoch = ?2 AND account = ?3")?
            .execute(params![tenant.as_bytes(), epoch, account.as_bytes()])?;
        Ok(())
    }

    /// Takes away everything of an epoch that another one has followed.
    pub(crate) fn delete_epoch(&mut self, tenant: TenantId, epoch: u32) -> Result<(), StoreError> {
        for delete in [
            "DELETE FROM tenant_epoch WHERE tenant = ?1 AND epoch = ?2",
            "DELETE FROM tenant_key WHERE tenant = ?1 AND epoch = ?2",
            "DELETE FROM file_root WHERE tenant = ?1 AND epoch = ?2",
        ] {
            self.tx.prepare_cached(delete)?.execute(params![tenant.as_bytes(), epoch])?;
        }
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

    /// Stores an account's saved searches.
    pub(crate) fn set_saved_searches(&mut self, account: AccountId, sealed: &[u8]) -> Result<(), StoreError> {
        self.tx
            .prepare_cached("INSERT OR REPLACE INTO saved_searches (account, sealed) VALUES (?1, ?2)")?
            .execute(params![account.as_bytes(), sealed])?;
        Ok(())
    }

    /// Stores the names of tenants that an account keeps.
    pub(crate) fn set_tenant_names(&mut self, account: AccountId, sealed: &[u8]) -> Result<(), StoreError> {
        self.tx
            .prepare_cached("INSERT OR REPLACE INTO tenant_names (account, sealed) VALUES (?1, ?2)")?
            .execute(params![account.as_bytes(), sealed])?;
        Ok(())
    }

    /// Puts custodians' shares of a tenant's key into the place of all that were there.
    pub(crate) fn set_glass_shares(
        &mut self,
        tenant: TenantId,
        epoch: u32,
        shares: &[(AccountId, Vec<u8>)],
    ) -> Result<(), StoreError> {
        self.tx.prepare_cached("DELETE FROM glass_share WHERE tenant = ?1")?.execute([tenant.as_bytes()])?;
        for (account, sealed) in shares {
            self.tx
                .prepare_cached("INSERT INTO glass_share (tenant, epoch, account, sealed) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![tenant.as_bytes(), epoch, account.as_bytes(), sealed])?;
        }
        Ok(())
    }

    /// Stores what a steward reports of an account's exposures in a tenant, in place of what was reported before.
    pub(crate) fn set_exposure_report(
        &mut self,
        tenant: TenantId,
        account: AccountId,
        sealed: &[u8],
    ) -> Result<(), StoreError> {
        self.tx
            .prepare_cached("INSERT OR REPLACE INTO exposure_report (tenant, account, sealed) VALUES (?1, ?2, ?3)")?
            .execute(params![tenant.as_bytes(), account.as_bytes(), sealed])?;
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

    /// Stores what comes with the identity provider, in place of what came with the one before; or takes it away.
    pub(crate) fn set_provider(&mut self, row: Option<&ProviderRow>) -> Result<(), StoreError> {
        self.tx.prepare_cached("DELETE FROM provider")?.execute([])?;
        if let Some(row) = row {
            self.tx
                .prepare_cached("INSERT INTO provider (number, key_set, decryption) VALUES (1, ?1, ?2)")?
                .execute(params![row.key_set, row.decryption.expose()])?;
        }
        Ok(())
    }

    /// Makes the change durable.
    pub(crate) fn commit(self) -> Result<(), StoreError> {
        Ok(self.tx.commit()?)
    }
}

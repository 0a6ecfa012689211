//! A tenant whose key was unsealed: opened, matched with the log, read and written through two connections.

use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};

use coffer_crypto::derive::{self, Id, TenantScope};
use coffer_crypto::label::{self, Context};
use coffer_crypto::seal;
use coffer_crypto::secret::{TagKey, TenantKey};
use coffer_model::event::Event;
use coffer_model::id::{AccountId, TenantId, VaultId};

use super::{Actor, Core, lock};
use crate::audit::{Effects, LookedThrough};
use crate::chain::EpochOpened;
use crate::fault::{CallError, Damage, Fault};
use crate::store::attached::AttachedFiles;
use crate::store::sqlcipher::{Access, StoreError};
use crate::store::tenant::{TenantIdentity, TenantStore};
use crate::vault::TENANTS_FOLDER;

/// Entries of the log that an opening looks at again and again before it is kept how far it came.
const LOOKED_WORTH_KEEPING: u64 = 256;

/// A tenant whose key was unsealed in this session.
pub(crate) struct OpenTenant {
    pub(crate) id: TenantId,
    pub(crate) name: String,
    /// For connections of jobs.
    pub(crate) path: PathBuf,
    /// Where its attachments are.
    pub(crate) files: AttachedFiles,
    pub(crate) scope: TenantScope,
    pub(crate) key: TenantKey,
    pub(super) tag_key: TagKey,
    /// Whether this session has changed it.
    pub(super) changed: AtomicBool,
    /// An import has it to itself.
    pub(super) importing: AtomicBool,
    /// The entry of a write that failed after it was logged; settled before the next one.
    pub(super) unsettled: Mutex<Option<u64>>,
    /// Opened by the first write: most sessions only read most tenants, and opening takes as long as a search.
    writer: Mutex<Option<TenantStore>>,
    reader: Mutex<TenantStore>,
}

/// A tenant's one writing connection, held.
pub(crate) struct Writer<'t>(MutexGuard<'t, Option<TenantStore>>);

impl Deref for Writer<'_> {
    type Target = TenantStore;

    fn deref(&self) -> &TenantStore {
        self.0.as_ref().expect("opened before it was held")
    }
}

impl DerefMut for Writer<'_> {
    fn deref_mut(&mut self) -> &mut TenantStore {
        self.0.as_mut().expect("opened before it was held")
    }
}

impl std::fmt::Debug for OpenTenant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenTenant").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Core {
    /// The tenant's open file; unseals its key, logged, the first time.
    pub(crate) fn open_tenant(&self, _actor: &Actor, tenant: TenantId) -> Result<Arc<OpenTenant>, CallError> {
        if let Some(open) = lock(&self.tenants).get(&tenant) {
            return Ok(Arc::clone(open));
        }
        // Two threads that come here at once must not both take each other's writes for missing ones.
        let _opening = lock(&self.opening);
        if let Some(open) = lock(&self.tenants).get(&tenant) {
            return Ok(Arc::clone(open));
        }
        self.append(Event::TenantOpened(tenant))?;
        let (epoch, key) = self.unseal_tenant(tenant)?;
        let scope = tenant_scope(self.vault.id, tenant, epoch.epoch);
        let name = self.tenant_name(tenant, &epoch, &key)?;
        let open = Arc::new(OpenTenant::open(&self.folder, &epoch.file, name, scope, key)?);
        if self.check_effects(&open)? {
            Self::sweep_attached(&open)?;
        }
        let open = Arc::clone(lock(&self.tenants).entry(tenant).or_insert(open));
        self.purge_expired(&open);
        Ok(open)
    }

    /// Forgets an open tenant: its file has been replaced. What still reads the old one ends with it.
    pub(crate) fn close_tenant(&self, tenant: TenantId) {
        lock(&self.tenants).remove(&tenant);
    }

    /// A further connection, for a job: the session goes on reading beside it. Busy if a new key came meanwhile, with which
    /// the file went.
    pub(crate) fn connect(&self, tenant: &OpenTenant, access: Access) -> Result<TenantStore, CallError> {
        tenant.connect(access).map_err(|fault| self.refuse_replaced(tenant).err().unwrap_or_else(|| fault.into()))
    }

    /// Tenants opened in this session.
    pub(crate) fn opened(&self) -> Vec<Arc<OpenTenant>> {
        lock(&self.tenants).values().map(Arc::clone).collect()
    }

    /// Where the file of a tenant's epoch is.
    pub(crate) fn tenant_path(&self, epoch: &EpochOpened) -> PathBuf {
        tenant_path(&self.folder, &epoch.file)
    }

    /// Opens what a steward sealed to this account, and holds it against the statements.
    pub(crate) fn unseal_tenant(&self, tenant: TenantId) -> Result<(EpochOpened, TenantKey), CallError> {
        let office = self.office();
        let known = office.membership.tenants.get(&tenant).ok_or(CallError::NotFound)?;
        let epoch = known.epoch.clone().ok_or(CallError::NotFound)?;
        let grant = office.membership.grants.get(&(tenant, self.account)).ok_or(CallError::NotFound)?;
        let damaged = || Fault::Damaged(Damage::Directory);
        let sealed = office
            .directory
            .tenant_key(tenant, epoch.epoch, self.account)
            .map_err(|error: StoreError| error.into_fault(Damage::Directory))?
            .ok_or_else(damaged)?;
        if crate::chain::digest(&sealed) != *grant.sealed {
            return Err(damaged().into());
        }
        let context = tenant_key_context(self.vault.id, tenant, epoch.epoch, self.account);
        let key: TenantKey = seal::open_sealed_key(&self.keys.sealing, &sealed, &context).map_err(|_| damaged())?;
        let kid = derive::derive_kid(&key, &tenant_scope(self.vault.id, tenant, epoch.epoch));
        if *kid.as_bytes() != *epoch.kid || grant.kid != epoch.kid {
            return Err(damaged().into());
        }
        Ok((epoch, key))
    }

    /// Matches the log's write entries with the tenant's rows. After a crash the newest may lack its effect, which is
    /// then logged. A file that was locked cleanly lacks none, and no file lacks two: rows were taken away. Says whether
    /// the rows are those that the log knows of.
    pub(crate) fn check_effects(&self, tenant: &OpenTenant) -> Result<bool, CallError> {
        let applied = tenant.read(TenantStore::last_applied)?;
        let before = self.looked_through(tenant);
        let Effects { missing, looked, read } = self.effects_after(tenant, applied, before.as_ref())?;
        if missing.is_empty() {
            if let Some(looked) = looked.filter(|_| read >= LOOKED_WORTH_KEEPING) {
                self.keep_looked_through(tenant, looked);
            }
            return Ok(true);
        }
        let is_in_order = missing.len() == 1;
        let locked_cleanly = {
            let office = self.office();
            let root = office.directory.file_root(tenant.id, tenant.epoch());
            root.map_err(|error| self.fault(error, Damage::Directory))?.is_some()
        };
        if locked_cleanly || missing.len() > 1 {
            self.append(Event::FileAltered(tenant.id))?;
        }
        if locked_cleanly {
            return Err(Fault::Damaged(Damage::Tenant).into());
        }
        let store = tenant.writer()?;
        for entry in missing {
            self.append(Event::EffectMissing { tenant: tenant.id, entry })?;
            store.settle(entry).map_err(|error| self.fault(error, Damage::Tenant))?;
        }
        Ok(is_in_order)
    }

    /// Writes of this tenant the log has after the entry `applied`.
    pub(crate) fn effects_after(
        &self,
        tenant: &OpenTenant,
        applied: Option<u64>,
        before: Option<&LookedThrough>,
    ) -> Result<Effects, CallError> {
        let is_ours =
            |index: u64, tag: &[u8; derive::WRITE_TAG_BYTES]| derive::write_tag(&tenant.tag_key, index) == *tag;
        Ok(self.log.effects_after(applied, before, &is_ours).map_err(Fault::from)?)
    }

    /// Removes files of attachments that a kill left before their rows were written. Nothing is being attached yet, and
    /// rows that are not those the log knows of are no reason to remove anything.
    fn sweep_attached(tenant: &OpenTenant) -> Result<(), CallError> {
        let mut needed = BTreeSet::new();
        tenant.read(|store| {
            store.files(|file| {
                needed.insert(file.file);
            })
        })?;
        // One that cannot be removed is in nobody's way.
        let _ = tenant.files.sweep(&needed);
        Ok(())
    }
}

impl OpenTenant {
    /// Opens the file that has the random name `file`, in the vault at `folder`.
    pub(crate) fn open(
        folder: &Path,
        file: &Id,
        name: String,
        scope: TenantScope,
        key: TenantKey,
    ) -> Result<Self, Fault> {
        let path = tenant_path(folder, file);
        Ok(Self {
            id: TenantId::from_bytes(scope.tenant),
            name,
            writer: Mutex::new(None),
            reader: Mutex::new(connect(&path, &key, &scope, Access::ReadWrite)?),
            tag_key: derive::derive_tag_key(&key, &scope),
            changed: AtomicBool::new(false),
            importing: AtomicBool::new(false),
            unsettled: Mutex::new(None),
            files: AttachedFiles::of(folder, file),
            path,
            scope,
            key,
        })
    }

    /// A further connection, for a job: the session goes on reading beside it.
    pub(crate) fn connect(&self, access: Access) -> Result<TenantStore, Fault> {
        connect(&self.path, &self.key, &self.scope, access)
    }

    /// The epoch of the key it was opened with.
    pub(crate) fn epoch(&self) -> u32 {
        u32::try_from(self.scope.epoch).expect("made from a u32")
    }

    /// Reads from the tenant's file: by the writer if it is open and idle, since it has the pages that it wrote, which the
    /// reader would fetch and decrypt again after every write; else by the reader, which waits for no write.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&TenantStore) -> Result<T, StoreError>) -> Result<T, CallError> {
        let done = match self.idle_writer() {
            Some(writer) => read(&writer),
            None => read(&lock(&self.reader)),
        };
        done.map_err(|error: StoreError| error.into_fault(Damage::Tenant).into())
    }

    /// Has the tenant to itself for an import, until dropped; busy if another import has.
    pub(crate) fn import(&self) -> Result<Importing<'_>, Fault> {
        self.importing.compare_exchange(false, true, Ordering::AcqRel, Ordering::Acquire).map_err(|_| Fault::Busy)?;
        let writer = self.writer().inspect_err(|_| self.importing.store(false, Ordering::Release))?;
        Ok(Importing { tenant: self, writer })
    }

    /// The entry of a write that failed after it was logged, not settled yet.
    pub(crate) fn unsettled_entry(&self) -> Option<u64> {
        *lock(&self.unsettled)
    }

    /// Whether an import has the tenant to itself.
    pub(crate) fn is_importing(&self) -> bool {
        self.importing.load(Ordering::Acquire)
    }

    /// The writer, opened if nothing was written yet. Who holds it writes, or stops all writes.
    pub(crate) fn writer(&self) -> Result<Writer<'_>, Fault> {
        let mut writer = lock(&self.writer);
        if writer.is_none() {
            *writer = Some(self.connect(Access::ReadWrite)?);
        }
        Ok(Writer(writer))
    }

    /// The writer, if anything was written and nobody holds it.
    fn idle_writer(&self) -> Option<Writer<'_>> {
        let writer = match self.writer.try_lock() {
            Ok(writer) => writer,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        writer.is_some().then(|| Writer(writer))
    }

    /// The writer, if anything was written; waits for a write under way.
    pub(super) fn opened_writer(&self) -> Option<Writer<'_>> {
        let writer = lock(&self.writer);
        writer.is_some().then(|| Writer(writer))
    }
}

/// An import's hold on a tenant: saves are told that it is busy, and backups wait for another moment.
pub(crate) struct Importing<'t> {
    tenant: &'t OpenTenant,
    /// Stopped, since the import writes on a connection of its own.
    pub(crate) writer: Writer<'t>,
}

impl Drop for Importing<'_> {
    fn drop(&mut self) {
        self.tenant.importing.store(false, Ordering::Release);
    }
}

/// Where a tenant's file is that has the random name `file`, in the vault at `folder`.
pub(crate) fn tenant_path(folder: &Path, file: &Id) -> PathBuf {
    folder.join(TENANTS_FOLDER).join(format!("{}.db", hex::encode(file)))
}

/// Opens a tenant's file.
fn connect(path: &Path, key: &TenantKey, scope: &TenantScope, access: Access) -> Result<TenantStore, Fault> {
    let identity = TenantIdentity {
        vault: VaultId::from_bytes(scope.vault),
        tenant: TenantId::from_bytes(scope.tenant),
        epoch: u32::try_from(scope.epoch).expect("made from a u32"),
    };
    let key = derive::derive_tenant_database_key(key, scope);
    TenantStore::open(path, &key, identity, access).map_err(|error| error.into_fault(Damage::Tenant))
}

/// Where a tenant key belongs.
pub(crate) fn tenant_scope(vault: VaultId, tenant: TenantId, epoch: u32) -> TenantScope {
    TenantScope { vault: *vault.as_bytes(), tenant: *tenant.as_bytes(), epoch: u64::from(epoch) }
}

/// Context of a tenant key sealed to an account.
pub(crate) fn tenant_key_context(vault: VaultId, tenant: TenantId, epoch: u32, account: AccountId) -> Context {
    Context::new(label::SEAL_TENANT_KEY)
        .bytes(vault.as_bytes())
        .bytes(tenant.as_bytes())
        .u64(u64::from(epoch))
        .bytes(account.as_bytes())
}

/// Context of a tenant's name under its key.
pub(crate) fn tenant_name_context(vault: VaultId, tenant: TenantId) -> Context {
    Context::new(label::TENANT_NAME).bytes(vault.as_bytes()).bytes(tenant.as_bytes())
}

#[cfg(test)]
mod tests;

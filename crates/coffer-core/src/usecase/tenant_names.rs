//! Names of tenants, as an account may know them, and how far the log was looked through for each. Opening a name takes a
//! decapsulation of X-Wing, and a vault has hundreds; a tenant that is hardly ever written has the whole log after its last
//! write. What an account has opened and seen it keeps for its next sessions, under its own key. Layout: docs/FORMAT.md §5.7.

use std::collections::{BTreeMap, BTreeSet};

use coffer_crypto::label::{self, Context};
use coffer_crypto::secret::{AccountMasterKey, TenantKey};
use coffer_crypto::{Random, seal, wrap};
use coffer_model::id::{AccountId, TenantId, VaultId};
use minicbor::bytes::ByteArray;
use minicbor::{CborLen, Decode, Encode};

use super::tenants::office_name_context;
use crate::audit::LookedThrough;
use crate::chain::{self, EpochOpened, Hash, Membership};
use crate::encoding;
use crate::fault::{CallError, Damage, Fault};
use crate::session::{Core, Office, OpenTenant, lock, tenant_name_context};
use crate::store::directory::{Directory, EpochRow};
use crate::store::sqlcipher::StoreError;

/// Names by the digest of the ciphertext that each came from. The chain has those digests: a name that is kept here is the
/// one that opening it again would give.
#[derive(Default)]
pub(crate) struct KnownNames {
    names: BTreeMap<Hash, Known>,
    /// Whether there is more than the directory has.
    grown: bool,
}

struct Known {
    name: String,
    looked: Option<LookedThrough>,
}

/// A name as it is stored.
#[derive(Encode, Decode, CborLen)]
#[cbor(array)]
struct Kept {
    #[n(0)]
    digest: ByteArray<32>,
    #[n(1)]
    name: String,
    #[n(2)]
    looked: Option<LookedThrough>,
}

impl KnownNames {
    /// What the account kept. What does not open is of keys it had before, or damaged: no name is lost with it.
    pub(crate) fn load(directory: &Directory, vault: VaultId, account: AccountId, master: &AccountMasterKey) -> Self {
        let kept = directory.tenant_names(account).ok().flatten().and_then(|sealed| {
            let opened = wrap::open(master, &sealed, &context(vault, account)).ok()?;
            encoding::decode::<Vec<Kept>>(opened.expose()).ok()
        });
        let known = |kept: Kept| (*kept.digest, Known { name: kept.name, looked: kept.looked });
        Self { names: kept.unwrap_or_default().into_iter().map(known).collect(), grown: false }
    }

    fn get(&self, digest: &Hash) -> Option<String> {
        Some(self.names.get(digest)?.name.clone())
    }

    fn learn(&mut self, digest: Hash, name: &str) {
        self.grown |= self.names.insert(digest, Known { name: name.to_owned(), looked: None }).is_none();
    }

    /// What the directory is to keep, sealed; `None` if it has it. Names that tenants had under former keys are left out.
    fn seal_grown(
        &mut self,
        membership: &Membership,
        (account, master): (AccountId, &AccountMasterKey),
        random: &mut dyn Random,
    ) -> Option<Vec<u8>> {
        if !self.grown {
            return None;
        }
        let epochs = membership.tenants.values().filter_map(|tenant| tenant.epoch.as_ref());
        let current: BTreeSet<Hash> =
            epochs.flat_map(|epoch| [*epoch.name_for_office, *epoch.name_for_holders]).collect();
        self.names.retain(|digest, _| current.contains(digest));
        let kept: Vec<Kept> = self.names.iter().map(|(digest, known)| known.kept(*digest)).collect();
        Some(wrap::seal(master, &encoding::encode(&kept), &context(membership.vault(), account), random))
    }
}

impl Known {
    fn kept(&self, digest: Hash) -> Kept {
        Kept { digest: digest.into(), name: self.name.clone(), looked: self.looked.clone() }
    }
}

impl Core {
    /// How far the log was looked through for the writes of an open tenant.
    pub(crate) fn looked_through(&self, tenant: &OpenTenant) -> Option<LookedThrough> {
        let digest = self.holders_digest(tenant)?;
        lock(&self.names).names.get(&digest)?.looked.clone()
    }

    /// Keeps it for the next session.
    pub(crate) fn keep_looked_through(&self, tenant: &OpenTenant, looked: LookedThrough) {
        let Some(digest) = self.holders_digest(tenant) else { return };
        let mut names = lock(&self.names);
        if let Some(known) = names.names.get_mut(&digest) {
            known.looked = Some(looked);
            names.grown = true;
        }
    }

    /// What an open tenant's name is known by: another one for each epoch of its key.
    fn holders_digest(&self, tenant: &OpenTenant) -> Option<Hash> {
        let office = self.office();
        let epoch = office.membership.tenants.get(&tenant.id)?.epoch.as_ref()?;
        (epoch.epoch == tenant.epoch()).then_some(*epoch.name_for_holders)
    }

    /// A tenant's name, for whoever holds its key.
    pub(super) fn name_as_holder(&self, tenant: TenantId) -> Result<String, CallError> {
        let known = {
            let office = self.office();
            let known = office.membership.tenants.get(&tenant).ok_or(CallError::NotFound)?;
            let epoch = known.epoch.as_ref().ok_or(CallError::NotFound)?;
            if !office.membership.grants.contains_key(&(tenant, self.account)) {
                return Err(CallError::NotFound);
            }
            lock(&self.names).get(&epoch.name_for_holders)
        };
        if let Some(name) = known {
            return Ok(name);
        }
        let (epoch, key) = self.unseal_tenant(tenant)?;
        Ok(self.tenant_name(tenant, &epoch, &key)?)
    }

    /// A tenant's name under its key, of an epoch that the chain has.
    pub(crate) fn tenant_name(&self, tenant: TenantId, epoch: &EpochOpened, key: &TenantKey) -> Result<String, Fault> {
        if let Some(name) = lock(&self.names).get(&epoch.name_for_holders) {
            return Ok(name);
        }
        let damaged = || Fault::Damaged(Damage::Directory);
        let sealed = epoch_row(&self.office(), tenant, epoch)?.name_for_holders;
        if chain::digest(&sealed) != *epoch.name_for_holders {
            return Err(damaged());
        }
        let context = tenant_name_context(self.vault.id, tenant);
        let name = wrap::open(key, &sealed, &context).map_err(|_| damaged())?;
        let name = String::from_utf8(name.expose().to_vec()).map_err(|_| damaged())?;
        lock(&self.names).learn(*epoch.name_for_holders, &name);
        Ok(name)
    }

    /// A tenant's name without its key, for administrators and auditors.
    /// `None` if none of the keys it holds opens it.
    pub(super) fn name_from_office(
        &self,
        office: &Office,
        tenant: TenantId,
        epoch: &EpochOpened,
    ) -> Result<Option<String>, Fault> {
        if office.shared.office.is_empty() {
            return Ok(None);
        }
        if let Some(name) = lock(&self.names).get(&epoch.name_for_office) {
            return Ok(Some(name));
        }
        let sealed = epoch_row(office, tenant, epoch)?.name_for_office;
        if chain::digest(&sealed) != *epoch.name_for_office {
            return Err(Fault::Damaged(Damage::Directory));
        }
        let context = office_name_context(self.vault.id, tenant);
        // Sealed to whichever pair was in use then.
        let mut pairs = office.shared.office.iter().rev();
        let name = pairs.find_map(|key| seal::open_sealed(&key.pair, &sealed, &context).ok());
        let name = name.and_then(|name| String::from_utf8(name.expose().to_vec()).ok());
        if let Some(name) = &name {
            lock(&self.names).learn(*epoch.name_for_office, name);
        }
        Ok(name)
    }

    /// Keeps the names that this session has opened for the next one. That nothing is kept is no failure of the session;
    /// that the directory may not have reached the disk is.
    pub(crate) fn keep_names(&self) {
        let mut office = self.office();
        let office = &mut *office;
        if !office.membership.accounts.contains_key(&self.account) {
            return;
        }
        let own = (self.account, &self.keys.master);
        let Some(sealed) = lock(&self.names).seal_grown(&office.membership, own, &mut self.random()) else { return };
        let kept = office.directory.write().and_then(|mut tx| {
            tx.set_tenant_names(self.account, &sealed)?;
            tx.commit()
        });
        if let Err(error) = kept {
            let _ = self.fault(error, Damage::Directory);
        }
    }
}

/// The ciphertexts that came with an epoch.
fn epoch_row(office: &Office, tenant: TenantId, epoch: &EpochOpened) -> Result<EpochRow, Fault> {
    let row = office.directory.epoch(tenant, epoch.epoch);
    row.map_err(|error: StoreError| error.into_fault(Damage::Directory))?.ok_or(Fault::Damaged(Damage::Directory))
}

/// Context of the names that an account keeps, under its master key.
fn context(vault: VaultId, account: AccountId) -> Context {
    Context::new(label::TENANT_NAMES).bytes(vault.as_bytes()).bytes(account.as_bytes())
}

//! An account's own keys, and the contexts in which keys are sealed to accounts. Layout: docs/FORMAT.md §3–5. Pure.

use coffer_crypto::Random;
use coffer_crypto::derive;
use coffer_crypto::label::{self, Context};
use coffer_crypto::seal::{SealingKeyPair, SealingPublicKey};
use coffer_crypto::secret::{AccountMasterKey, DirectoryKey, SealingSeed, SigningSeed};
use coffer_crypto::sign::SigningKey;
use coffer_crypto::slot::Slot;
use coffer_crypto::wrap;
use coffer_model::id::{AccountId, VaultId};

use crate::chain::Hash;
use crate::fault::{Damage, Fault};
use crate::header::{AccountEntry, NewAccountEntry, OwnRenewal, SealedState};
use crate::store::directory::{Holder, SharedPair};

/// Everything random an account begins with.
pub(crate) struct NewAccountKeys {
    pub(crate) master: AccountMasterKey,
    sealing_seed: SealingSeed,
    signing_seed: SigningSeed,
}

impl NewAccountKeys {
    /// Makes them.
    pub(crate) fn generate(random: &mut dyn Random) -> Self {
        Self {
            master: AccountMasterKey::generate(random),
            sealing_seed: SealingSeed::generate(random),
            signing_seed: SigningSeed::generate(random),
        }
    }

    /// The key that signs the account's statements.
    pub(crate) fn signing(&self) -> SigningKey {
        SigningKey::from_seed(&self.signing_seed)
    }

    /// What is sealed to the account is sealed to this.
    pub(crate) fn sealing(&self) -> SealingPublicKey {
        SealingKeyPair::from_seed(&self.sealing_seed).public_key().clone()
    }

    /// The account's entry in the header.
    pub(crate) fn entry(
        &self,
        vault: VaultId,
        account: AccountId,
        lookup: [u8; 32],
        slot: &Slot,
        state: &SealedState,
        random: &mut dyn Random,
    ) -> AccountEntry {
        let context = |label| account_context(label, vault, account);
        let new = NewAccountEntry {
            lookup,
            account,
            slot: slot.encode(),
            sealing_seed: wrap::wrap_key(&self.master, &self.sealing_seed, &context(label::WRAP_SEALING_SEED), random),
            signing_seed: wrap::wrap_key(&self.master, &self.signing_seed, &context(label::WRAP_SIGNING_SEED), random),
        };
        AccountEntry::new(vault, new, state, &self.master, random)
    }
}

/// An account's own key pairs, opened.
pub(crate) struct OwnKeys {
    pub(crate) sealing: SealingKeyPair,
    pub(crate) signing: SigningKey,
}

impl OwnKeys {
    /// Opens what the account's entry in the header holds.
    pub(crate) fn open(entry: &AccountEntry, vault: VaultId, master: &AccountMasterKey) -> Result<Self, Fault> {
        Self::unwrap(vault, entry.account, master, &entry.sealing_seed, &entry.signing_seed)
    }

    /// Opens those that a renewal under way is about to replace.
    pub(crate) fn before(renewal: &OwnRenewal, vault: VaultId, account: AccountId) -> Result<Self, Fault> {
        Self::unwrap(vault, account, &renewal.master(), &renewal.sealing_seed, &renewal.signing_seed)
    }

    fn unwrap(
        vault: VaultId,
        account: AccountId,
        master: &AccountMasterKey,
        sealing_seed: &[u8],
        signing_seed: &[u8],
    ) -> Result<Self, Fault> {
        let context = |label| account_context(label, vault, account);
        let damaged = |_| Fault::Damaged(Damage::Header);
        let sealing: SealingSeed =
            wrap::unwrap_key(master, sealing_seed, &context(label::WRAP_SEALING_SEED)).map_err(damaged)?;
        let signing: SigningSeed =
            wrap::unwrap_key(master, signing_seed, &context(label::WRAP_SIGNING_SEED)).map_err(damaged)?;
        Ok(Self { sealing: SealingKeyPair::from_seed(&sealing), signing: SigningKey::from_seed(&signing) })
    }
}

/// A pair that several accounts use together, opened.
#[derive(Debug)]
pub(crate) struct SharedKey {
    /// Which of its kind, from 1.
    pub(crate) number: u32,
    /// To be sealed to others who may use it.
    pub(crate) seed: SealingSeed,
    pub(crate) pair: SealingKeyPair,
}

impl SharedKey {
    /// Derives it.
    pub(crate) fn of(number: u32, seed: SealingSeed) -> Self {
        Self { number, pair: SealingKeyPair::from_seed(&seed), seed }
    }
}

fn account_context(label: label::Label, vault: VaultId, account: AccountId) -> Context {
    Context::new(label).bytes(vault.as_bytes()).bytes(account.as_bytes())
}

/// Context of the directory key of a generation sealed to an account or an invitation.
pub(crate) fn directory_context(vault: VaultId, account: AccountId, generation: u64) -> Context {
    account_context(label::SEAL_DIRECTORY_KEY, vault, account).u64(generation)
}

/// By what the membership chain knows the directory key of a generation.
pub(crate) fn directory_kid(key: &DirectoryKey, vault: VaultId, generation: u64) -> Hash {
    *derive::derive_directory_kid(key, vault.as_bytes(), generation).as_bytes()
}

/// Context of the directory key of a generation sealed to recovery.
pub(crate) fn directory_recovery_context(vault: VaultId, generation: u64) -> Context {
    Context::new(label::SEAL_DIRECTORY_KEY_TO_RECOVERY).bytes(vault.as_bytes()).u64(generation)
}

/// Context of the seed of a shared pair's `number`th key sealed to a holder.
pub(crate) fn pair_context(vault: VaultId, pair: SharedPair, number: u32, holder: Holder) -> Context {
    let (to_account, to_recovery) = match pair {
        SharedPair::Audit => (label::SEAL_AUDIT_SEED, label::SEAL_AUDIT_SEED_TO_RECOVERY),
        SharedPair::Office => (label::SEAL_OFFICE_SEED, label::SEAL_OFFICE_SEED_TO_RECOVERY),
    };
    match holder {
        Holder::Account(account) => {
            Context::new(to_account).bytes(vault.as_bytes()).u64(u64::from(number)).bytes(account.as_bytes())
        }
        Holder::Recovery(_) => Context::new(to_recovery).bytes(vault.as_bytes()).u64(u64::from(number)),
    }
}

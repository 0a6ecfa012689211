//! This device's own keys for a vault, and the backup plan they open: what works while nobody is unlocked.
//! Layout: docs/FORMAT.md §9. The material lies in the keyring, or in a private file, outside the vault's folder.
//!
//! The signing key says "this device, or its thief": it signs backups and checkpoints made while locked. The plan key
//! opens `backup.plan`, which holds places and recipients of backups and the identity that opens their outer layer;
//! what lies inside that layer is ciphertext of the vault's own.

use coffer_crypto::label::{self, Context};
use coffer_crypto::recovery::AgeRecipient;
use coffer_crypto::secret::{AgeIdentity, PlanKey, SecretBytes, SecretKey, SigningSeed};
use coffer_crypto::sign::{SigningKey, VerifyingKey};
use coffer_crypto::{Random, wrap};
use coffer_model::id::{AccountId, VaultId};
use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{CborLen, Decode, Encode};

use crate::encoding;

/// Name of the plan in the vault's folder.
pub(crate) const PLAN_FILE: &str = "backup.plan";
/// Most bytes of a plan.
pub(crate) const PLAN_MAX_BYTES: u64 = 64 * 1024;
/// First byte of the material as stored; another one is a later version's.
const MATERIAL_VERSION: u8 = 1;

/// This device's keys for one vault.
#[derive(Debug)]
pub(crate) struct DeviceKeys {
    seed: SigningSeed,
    plan: PlanKey,
}

/// The material or the plan is damaged, or of another device or version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this device's key or its backup plan is damaged")]
pub(crate) struct DeviceDamaged;

impl DeviceKeys {
    /// Makes new ones.
    pub(crate) fn generate(random: &mut dyn Random) -> Self {
        Self { seed: SigningSeed::generate(random), plan: PlanKey::generate(random) }
    }

    /// Version, signing seed, plan key.
    pub(crate) fn encode(&self) -> SecretBytes {
        let mut bytes = Vec::with_capacity(1 + SigningSeed::BYTES + PlanKey::BYTES);
        bytes.push(MATERIAL_VERSION);
        bytes.extend_from_slice(self.seed.expose());
        bytes.extend_from_slice(self.plan.expose());
        SecretBytes::new(bytes)
    }

    /// Reads what [`DeviceKeys::encode`] wrote.
    pub(crate) fn parse(material: &[u8]) -> Result<Self, DeviceDamaged> {
        let (&version, keys) = material.split_first().ok_or(DeviceDamaged)?;
        let (seed, plan) = keys.split_at_checked(SigningSeed::BYTES).ok_or(DeviceDamaged)?;
        if version != MATERIAL_VERSION {
            return Err(DeviceDamaged);
        }
        Ok(Self {
            seed: SigningSeed::parse(seed).map_err(|_| DeviceDamaged)?,
            plan: PlanKey::parse(plan).map_err(|_| DeviceDamaged)?,
        })
    }

    /// The key that signs unattended work.
    pub(crate) fn signing_key(&self) -> SigningKey {
        SigningKey::from_seed(&self.seed)
    }

    /// Seals a plan for this device.
    pub(crate) fn seal_plan(&self, vault: VaultId, plan: &SignedPlan, random: &mut dyn Random) -> Vec<u8> {
        wrap::seal(&self.plan, &encoding::encode(plan), &plan_context(vault), random)
    }

    /// Opens this device's plan.
    pub(crate) fn open_plan(&self, vault: VaultId, sealed: &[u8]) -> Result<SignedPlan, DeviceDamaged> {
        let plan = wrap::open(&self.plan, sealed, &plan_context(vault)).map_err(|_| DeviceDamaged)?;
        encoding::decode(plan.expose()).map_err(|_| DeviceDamaged)
    }

    /// Seals what this device remembers of backups.
    pub(crate) fn seal_memory(&self, vault: VaultId, memory: &[u8], random: &mut dyn Random) -> Vec<u8> {
        wrap::seal(&self.plan, memory, &memory_context(vault), random)
    }

    /// Opens what this device remembers of backups.
    pub(crate) fn open_memory(&self, vault: VaultId, sealed: &[u8]) -> Result<SecretBytes, DeviceDamaged> {
        wrap::open(&self.plan, sealed, &memory_context(vault)).map_err(|_| DeviceDamaged)
    }
}

/// A plan and the administrator who made it.
#[derive(Encode, Decode, CborLen)]
pub(crate) struct SignedPlan {
    /// Deterministic CBOR of a [`BackupPlan`].
    #[n(0)]
    pub(crate) plan: ByteVec,
    #[cbor(n(1), with = "encoding::account_id")]
    pub(crate) signer: AccountId,
    #[n(2)]
    pub(crate) signature: ByteArray<64>,
}

/// How backups of this vault are made on this device.
#[derive(Encode, Decode, CborLen)]
pub(crate) struct BackupPlan {
    #[cbor(n(0), with = "encoding::vault_id")]
    pub(crate) vault: VaultId,
    /// age recipients: the recovery kit's, and the vault's own backup identity's.
    #[n(1)]
    pub(crate) recipients: Vec<String>,
    /// The vault's own backup identity: opens the outer layer on this device without the kit.
    #[n(2)]
    identity: ByteArray<32>,
}

impl SignedPlan {
    /// Whether the plan is signed by `key`.
    pub(crate) fn verify(&self, key: &VerifyingKey) -> bool {
        key.verify(label::BACKUP_PLAN_SIGNATURE, &self.plan, self.signature.as_slice()).is_ok()
    }
}

impl BackupPlan {
    /// Puts a plan together.
    pub(crate) fn new(vault: VaultId, recovery: &AgeRecipient, identity: &AgeIdentity) -> Self {
        let recipients = vec![recovery.encode(), identity.recipient().encode()];
        Self { vault, recipients, identity: (*identity.expose()).into() }
    }

    /// Whether backups are encrypted to recovery and to the identity in the plan, and to nobody else.
    pub(crate) fn is_for(&self, recovery: &AgeRecipient) -> bool {
        self.recipients == [recovery.encode(), self.identity().recipient().encode()]
    }

    /// Signs it.
    pub(crate) fn sign(&self, signer: AccountId, key: &SigningKey) -> SignedPlan {
        let plan = encoding::encode(self);
        let signature = key.sign(label::BACKUP_PLAN_SIGNATURE, &plan).into();
        SignedPlan { plan: plan.into(), signer, signature }
    }

    /// Reads the plan out of a signed one.
    pub(crate) fn parse(signed: &SignedPlan, vault: VaultId) -> Result<Self, DeviceDamaged> {
        let plan: Self = encoding::decode(&signed.plan).map_err(|_| DeviceDamaged)?;
        if plan.vault == vault { Ok(plan) } else { Err(DeviceDamaged) }
    }

    /// The identity that opens the outer layer of backups.
    pub(crate) fn identity(&self) -> AgeIdentity {
        AgeIdentity::parse(self.identity.as_slice()).expect("an identity has 32 bytes")
    }
}

impl Drop for BackupPlan {
    fn drop(&mut self) {
        use zeroize::Zeroize;
        self.identity.as_mut_slice().zeroize();
    }
}

fn plan_context(vault: VaultId) -> Context {
    Context::new(label::BACKUP_PLAN).bytes(vault.as_bytes())
}

fn memory_context(vault: VaultId) -> Context {
    Context::new(label::BACKUP_PLAN).bytes(vault.as_bytes()).bytes(b"state")
}

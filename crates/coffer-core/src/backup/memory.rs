//! What this device remembers of a vault's backups while nobody is unlocked: the newest number, how far the membership
//! chain had come, whose signatures count. Layout: docs/FORMAT.md, "Backups".
//!
//! In the vault's folder as `backup.state`, under the device's plan key, in no backup. A session writes it from the
//! chain; a locked backup counts on from it. Lost, it takes away the warning about older backups and locked backups
//! until the next unlock, and nothing else.

use std::path::Path;

use coffer_crypto::Random;
use coffer_crypto::sign::VerifyingKey;
use coffer_model::id::VaultId;
use minicbor::bytes::ByteArray;
use minicbor::{CborLen, Decode, Encode};

use crate::chain::{ChainPin, Membership};
use crate::device::DeviceKeys;
use crate::encoding;
use crate::store::files::{self, FileError};

/// Name of the file in the vault's folder.
const FILE: &str = "backup.state";
/// Most bytes of it: room for a thousand devices.
const MAX_BYTES: u64 = 64 * 1024;

/// What is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, CborLen)]
pub(crate) struct BackupMemory {
    /// Number of the newest backup; 0 if there is none.
    #[n(0)]
    pub(crate) newest: u64,
    /// Statements of the membership chain when a session last looked.
    #[n(1)]
    pub(crate) chain_length: u64,
    /// Hash of the last of them.
    #[n(2)]
    chain_head: ByteArray<32>,
    /// Hash of the first.
    #[n(3)]
    founding: ByteArray<32>,
    /// Ed25519 public keys of the devices it certifies.
    #[n(4)]
    devices: Vec<ByteArray<32>>,
}

impl BackupMemory {
    /// What a session knows from the chain. `counted` is what was remembered before: locked backups are not in the
    /// chain.
    pub(crate) fn of(membership: &Membership, counted: Option<&Self>) -> Self {
        let pin = membership.pin();
        let in_chain = Self {
            newest: membership.newest_backup.as_ref().map_or(0, |newest| newest.counter),
            chain_length: pin.length,
            chain_head: pin.head.into(),
            founding: pin.founding.into(),
            devices: membership.devices.iter().map(|key| key.encode().into()).collect(),
        };
        in_chain.counting(counted)
    }

    /// The same, going on from the higher of two numbers.
    pub(crate) fn counting(self, counted: Option<&Self>) -> Self {
        self.with(counted.map_or(0, |memory| memory.newest))
    }

    /// The same, once there is a backup of the number `newest`.
    pub(crate) fn with(self, newest: u64) -> Self {
        Self { newest: self.newest.max(newest), ..self }
    }

    /// How far the chain was known.
    pub(crate) fn pin(&self) -> ChainPin {
        ChainPin { founding: *self.founding, length: self.chain_length, head: *self.chain_head }
    }

    /// Whose signatures on a manifest count.
    pub(crate) fn devices(&self) -> Vec<VerifyingKey> {
        self.devices.iter().filter_map(|key| VerifyingKey::parse(key.as_slice()).ok()).collect()
    }

    /// Reads what this device remembers of the vault in `folder`; nothing if it never did, or cannot any more.
    pub(crate) fn load(folder: &Path, vault: VaultId, device: &DeviceKeys) -> Result<Option<Self>, FileError> {
        let sealed = match files::read_private_file(&folder.join(FILE), MAX_BYTES) {
            Ok(sealed) => sealed,
            Err(FileError::Missing | FileError::TooLarge) => return Ok(None),
            Err(error) => return Err(error),
        };
        let opened = device.open_memory(vault, &sealed);
        Ok(opened.ok().and_then(|bytes| encoding::decode(bytes.expose()).ok()))
    }

    /// Remembers.
    pub(crate) fn save(
        &self,
        folder: &Path,
        vault: VaultId,
        device: &DeviceKeys,
        random: &mut dyn Random,
    ) -> Result<(), FileError> {
        files::replace_private_file(&folder.join(FILE), &device.seal_memory(vault, &encoding::encode(self), random))
    }
}

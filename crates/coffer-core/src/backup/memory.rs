//! What this device remembers of a vault's backups while nobody is unlocked: the newest number, how far the membership
//! chain had come, whose signatures count, receipts for the next session to file. Layout: docs/FORMAT.md, "Backups".
//!
//! In the vault's folder as `backup.state`, under the device's plan key, in no backup. A session writes it from the
//! chain; a locked backup counts on from it. Lost, it takes away the warning about older backups and locked backups
//! until the next unlock, and nothing else.

use std::path::Path;

use coffer_crypto::Random;
use coffer_crypto::sign::VerifyingKey;
use coffer_model::id::VaultId;
use coffer_model::time::Timestamp;
use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{CborLen, Decode, Encode};

use crate::chain::{ChainPin, Membership};
use crate::device::DeviceKeys;
use crate::encoding;
use crate::store::files::{self, FileError};

/// Name of the file in the vault's folder.
const FILE: &str = "backup.state";
/// Most bytes of it: room for a thousand devices and for the receipts of large vaults.
const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// Most receipts that wait to be filed. Of more, the oldest are dropped; that the backups were made is in the log.
const MAX_RECEIPTS: usize = 100;

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
    /// Signed manifests of backups that are made and have no statement in the chain yet, oldest first.
    #[n(5)]
    receipts: Vec<ByteVec>,
    /// When the vault was moved away from here, in milliseconds since the Unix epoch; absent while it is here.
    #[n(6)]
    moved_ms: Option<i64>,
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
            receipts: counted.map_or_else(Vec::new, |memory| memory.receipts.clone()),
            moved_ms: membership.move_under_way().map(|moving| moving.at.unix_millis()),
        };
        in_chain.with(counted.map_or(0, |memory| memory.newest))
    }

    /// The same, once there is a backup of the number `newest`.
    pub(crate) fn with(self, newest: u64) -> Self {
        Self { newest: self.newest.max(newest), ..self }
    }

    /// The same, with the signed manifest of a backup that has been made.
    pub(crate) fn with_receipt(mut self, note: &[u8]) -> Self {
        self.receipts.push(note.to_vec().into());
        let surplus = self.receipts.len().saturating_sub(MAX_RECEIPTS);
        self.receipts.drain(..surplus);
        self
    }

    /// The same, once its receipts are filed.
    pub(crate) fn without_receipts(self) -> Self {
        Self { receipts: Vec::new(), ..self }
    }

    /// The same, of a copy from which the vault is about to be moved.
    pub(crate) fn moved(self, at: Timestamp) -> Self {
        Self { moved_ms: Some(at.unix_millis()), ..self }
    }

    /// The same, of a copy with which the vault goes on.
    pub(crate) fn at_home(self) -> Self {
        Self { moved_ms: None, ..self }
    }

    /// Whether the vault was moved away from here.
    pub(crate) const fn is_moved(&self) -> bool {
        self.moved_ms.is_some()
    }

    /// When that was.
    pub(crate) fn moved_at(&self) -> Option<Timestamp> {
        self.moved_ms.and_then(|millis| Timestamp::from_unix_millis(millis).ok())
    }

    /// Signed manifests that wait to be filed, oldest first.
    pub(crate) fn receipts(&self) -> impl Iterator<Item = &[u8]> {
        self.receipts.iter().map(|note| note.as_slice())
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

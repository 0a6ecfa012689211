//! Systems other than Linux, until each has a module of its own: every answer is the honest "not here".

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use coffer_core::host::{
    DeviceStoreError, DiskEncryption, DiskFacts, Hardening, KeyringError, MachineFacts, SecretBytes,
};
use keyring::CredentialStore;

/// What the log says where the system has not been asked.
const NOT_KNOWN: &str = "unknown";

const UNSHIELDED: Hardening = Hardening { not_dumpable: false, no_core_dumps: false, private_files: false };

pub(crate) fn open_keyring() -> Result<Arc<CredentialStore>, KeyringError> {
    Err(KeyringError::Unavailable)
}

/// None, so that no secret is written to a file whose protection is not known.
pub(crate) fn data_folder() -> Option<PathBuf> {
    None
}

pub(crate) fn user_name() -> String {
    NOT_KNOWN.to_owned()
}

pub(crate) fn host_name() -> String {
    NOT_KNOWN.to_owned()
}

pub(crate) fn harden_process() -> Hardening {
    UNSHIELDED
}

pub(crate) fn read_private_file(_: &Path) -> Result<Option<SecretBytes>, DeviceStoreError> {
    Err(DeviceStoreError::NoDataFolder)
}

pub(crate) fn replace_private_file(_: &Path, _: &SecretBytes) -> Result<(), DeviceStoreError> {
    Err(DeviceStoreError::NoDataFolder)
}

pub(crate) fn remove_private_file(_: &Path) -> Result<(), DeviceStoreError> {
    Err(DeviceStoreError::NoDataFolder)
}

/// Disks that cannot be looked at.
pub(crate) struct Disk;

impl Disk {
    pub(crate) fn new() -> Self {
        Self
    }
}

impl DiskFacts for Disk {
    fn encryption(&self, _: &Path) -> DiskEncryption {
        DiskEncryption::Unknown
    }

    fn free_bytes(&self, _: &Path) -> Option<u64> {
        None
    }
}

/// A machine of which only the number of cores is known.
pub(crate) struct Machine;

impl MachineFacts for Machine {
    fn memory_bytes(&self) -> Option<u64> {
        None
    }

    fn cores(&self) -> NonZeroUsize {
        thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
    }

    fn hardening(&self) -> Hardening {
        UNSHIELDED
    }
}

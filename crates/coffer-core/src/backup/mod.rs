//! Portable backups: one age file with a tar archive of the vault's files in it and a signed manifest at its end.
//! Layout: docs/FORMAT.md, "Backups". Spec: age-encryption.org/v1 (X25519 recipients), POSIX.1-1988 ustar.
//!
//! | Module | Owns |
//! |---|---|
//! | [`entry`] | the one tar header an entry may have; pure |
//! | [`archive`] | a whole backup, written and read |
//! | [`collect`] | which files of a vault, held still while they are copied |
//! | [`memory`] | what this device remembers of backups while nobody is unlocked |
//! | [`restore`] | a folder made from a backup, whole or not at all |
//!
//! The manifest comes last, so that making a backup reads every file once, hashing what it copies. Reading therefore
//! takes two passes where something is to be written: the first believes nothing and writes nothing.

pub(crate) mod archive;
pub(crate) mod collect;
mod entry;
pub(crate) mod memory;
pub(crate) mod restore;
#[cfg(test)]
mod tests;

use crate::fault::Fault;
use crate::store::files::{FileError, LockError, LockHolder};

/// Why a backup was not made, read or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Something is already where the backup or the restored vault was to be. Nothing is overwritten.
    #[error("something of that name exists already")]
    TargetExists,
    /// The folder that the backup or the restored vault was to be in does not exist.
    #[error("the folder it was to be in does not exist")]
    NoFolder,
    /// Nothing can be written at the place that was named.
    #[error("the file or folder cannot be written there")]
    Target(#[source] FileError),
    /// There is no such file, or it is not a plain one.
    #[error("there is no backup of that name")]
    NotFound,
    /// The file is not an age file.
    #[error("the file is not a backup")]
    NotABackup,
    /// The backup is encrypted to other keys than this device's or this recovery kit's.
    #[error("neither this device's key nor the recovery kit given opens the backup")]
    WrongKey,
    /// The backup is not, byte for byte, what was made: damaged, cut short, or put together by somebody else.
    #[error("the backup is damaged or incomplete")]
    Damaged,
    /// No key of the vault's devices signed the backup.
    #[error("the backup was not signed by a device of the vault")]
    Untrusted,
    /// The backup is of another vault than the one it was to be of.
    #[error("the backup is of another vault")]
    OtherVault,
    /// A newer backup of the vault is known here, and nobody said that the older one will do.
    #[error("backup {counter} is older than backup {newest}")]
    Older {
        /// The backup's number.
        counter: u64,
        /// The newest known number.
        newest: u64,
    },
    /// The vault is open elsewhere. By whom, if that could be read.
    #[error("the vault is open elsewhere")]
    InUse(Option<LockHolder>),
    /// This device has no key for the vault.
    #[error("this device has no key for the vault")]
    NoDeviceKey,
    /// The program was stopped while the vault's directory got a new key: unlock the vault once, then back it up.
    #[error("the vault was stopped in the middle of a change of its keys")]
    Unsettled,
    /// The vault was moved to another computer: its copy here makes no backups and restores none.
    #[error("the vault was moved to another computer")]
    Moved,
    /// The vault or the machine failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl BackupError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TargetExists => "target_exists",
            Self::NoFolder => "no_folder",
            Self::Target(_) => "target_unwritable",
            Self::NotFound => "backup_not_found",
            Self::NotABackup => "not_a_backup",
            Self::WrongKey => "backup_wrong_key",
            Self::Damaged => "backup_damaged",
            Self::Untrusted => "backup_untrusted",
            Self::OtherVault => "backup_of_other_vault",
            Self::Older { .. } => "backup_older",
            Self::InUse(_) => "vault_in_use",
            Self::NoDeviceKey => "no_device_key",
            Self::Unsettled => "backup_unsettled",
            Self::Moved => "moved",
            Self::Fault(fault) => fault.code(),
        }
    }
}

impl BackupError {
    /// Judges a failure at the place that the person chose, which says nothing of the vault.
    pub(crate) fn at_target(error: FileError) -> Self {
        match error {
            FileError::Missing => Self::NoFolder,
            error @ (FileError::Exists | FileError::NoSpace(_) | FileError::NotDurable(_)) => error.into(),
            other => Self::Target(other),
        }
    }
}

impl From<FileError> for BackupError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Exists => Self::TargetExists,
            other => Self::Fault(other.into()),
        }
    }
}

impl From<LockError> for BackupError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::HeldBy(holder) => Self::InUse(holder),
            LockError::File(error) => Self::Fault(error.into()),
        }
    }
}

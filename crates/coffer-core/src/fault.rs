//! What may go wrong under any call of the engine, whatever it is for.
//!
//! An operation that can fail in ways of its own has an enum of its own, with [`CallError`] or [`Fault`] inside.

use crate::chain::ChainError;
use crate::header::HeaderError;
use crate::store::files::FileError;

/// Why a call of a session did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The account lacks the role or the right. The refusal is in the log.
    #[error("this account may not do that")]
    Refused,
    /// There is no such thing, or none this account may see: the two are not told apart.
    #[error("there is no such tenant or record")]
    NotFound,
    /// The session was locked.
    #[error("the vault is locked")]
    Locked,
    /// The account may, but has not been given the key yet: somebody who holds it has to unlock the vault once.
    #[error("the key for that has not been shared with this account yet")]
    KeyPending,
    /// Somebody who may not read the tenant any more still holds its key: nothing is written before it has a new one.
    #[error("the tenant needs a new key before anything is written to it")]
    AwaitsRekey,
    /// Recovery was renewed, and this account has not said that it trusts the new one: nothing is sealed to it unasked.
    #[error("recovery was renewed, and this account has not confirmed the new one yet")]
    RecoveryUnconfirmed,
    /// The rules of the vault ask for a second factor, and the account has none: enrol one first.
    #[error("the rules of this vault ask for a second factor; enrol one first")]
    SecondFactorNeeded,
    /// The rules of the vault ask for passphrase and second factor anew: authenticate, and call again.
    #[error("the rules of this vault ask for your passphrase once more")]
    StepUpNeeded,
    /// The rules of the vault ask for another administrator as well.
    #[error("the rules of this vault ask for a second administrator")]
    SecondPersonNeeded,
    /// An administrator has stated when the account's access ends, and that is over.
    #[error("the access of this account has ended")]
    AccessEnded,
    /// The vault was moved to another computer: this copy does nothing any more.
    #[error("the vault was moved to another computer")]
    Moved,
    /// The vault or the machine under it failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// The vault or the machine under it failed.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Something stored is not what was written: damage, or somebody altered it. Restore from a backup.
    #[error("the vault is damaged: {0}")]
    Damaged(Damage),
    /// The vault was written by a newer version.
    #[error("the vault was written by a newer version of Coffer")]
    NewerVersion,
    /// The disk is full; nothing was changed.
    #[error("there is no space left on the disk")]
    NoSpace,
    /// Written data may not have reached the disk. The session must end; nothing is retried.
    #[error("written data did not reach the disk")]
    NotDurable,
    /// Another part of the program is writing; try again.
    #[error("the vault is busy")]
    Busy,
    /// The log could not be written, so the action did not happen.
    #[error("the log cannot be written, so nothing was done")]
    LogUnavailable,
    /// The operating system refused to read or write a file.
    #[error("a file of the vault cannot be read or written")]
    Io(#[source] FileError),
    /// Not enough memory for the key derivation.
    #[error("there is not enough memory")]
    OutOfMemory,
    /// The device's own key cannot be read or stored.
    #[error("this device's key for the vault cannot be used")]
    Device(#[from] crate::host::DeviceStoreError),
}

/// Which part of a vault is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// The header, or a MAC over it.
    Header,
    /// The directory, or a row of it that no statement backs.
    Directory,
    /// The membership chain.
    Chain,
    /// A tenant's file.
    Tenant,
    /// The file of an attachment.
    Attachment,
    /// The log or its state.
    Log,
    /// The backup plan.
    BackupPlan,
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Header => "its header does not fit together",
            Self::Directory => "its directory does not fit together",
            Self::Chain => "its membership chain is broken or is not the one known",
            Self::Tenant => "a tenant's file cannot be opened",
            Self::Attachment => "an attachment is missing or is not what was attached",
            Self::Log => "its log does not fit together",
            Self::BackupPlan => "its backup plan does not fit together",
        })
    }
}

impl Fault {
    /// The permanent name of the fault, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Damaged(_) => "damaged",
            Self::NewerVersion => "newer_version",
            Self::NoSpace => "no_space",
            Self::NotDurable => "not_durable",
            Self::Busy => "busy",
            Self::LogUnavailable => "log_unavailable",
            Self::Io(_) => "io",
            Self::OutOfMemory => "out_of_memory",
            Self::Device(_) => "device_key",
        }
    }
}

impl CallError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::NotFound => "not_found",
            Self::Locked => "locked",
            Self::KeyPending => "key_pending",
            Self::AwaitsRekey => "awaits_rekey",
            Self::RecoveryUnconfirmed => "recovery_unconfirmed",
            Self::SecondFactorNeeded => "second_factor_needed",
            Self::StepUpNeeded => "step_up_needed",
            Self::AccessEnded => "access_ended",
            Self::SecondPersonNeeded => "second_person_needed",
            Self::Moved => "moved",
            Self::Fault(fault) => fault.code(),
        }
    }
}

impl From<FileError> for Fault {
    fn from(error: FileError) -> Self {
        match error {
            FileError::NoSpace(_) => Self::NoSpace,
            FileError::NotDurable(_) => Self::NotDurable,
            other => Self::Io(other),
        }
    }
}

impl From<ChainError> for Fault {
    fn from(_: ChainError) -> Self {
        Self::Damaged(Damage::Chain)
    }
}

impl From<HeaderError> for Fault {
    fn from(error: HeaderError) -> Self {
        match error {
            HeaderError::Malformed => Self::Damaged(Damage::Header),
            HeaderError::NewerFormat(_) | HeaderError::UnknownSuite(_) => Self::NewerVersion,
        }
    }
}

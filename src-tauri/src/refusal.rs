//! How a command says no: the engine's permanent code, for which the interface holds the words.

use coffer_core::{
    AcceptRecoveryError, AccountError, AttachError, BulkError, CallError, ChangePassphraseError, CodeError,
    CopyFieldError, CreateError, CreateTenantError, EnrolDeviceError, ExportError, Fault, FederationError, GlassError,
    GrantError, ImportError, InvalidIdentifiers, InvalidRecipe, InviteError, JobError, KindError, KitPlaceError,
    LeaveError, ListRecordsError, MoveError, MoveVaultError, OpenError, PreviewError, RecoverError, RecoveryCodeError,
    RenewRecoveryError, SaveAttachmentError, SaveRecordError, SaveSearchError, SecondFactorError, SetPolicyError,
    SetRolesError, SubjectError, UnlockError,
};
use serde::Serialize;
use ts_rs::TS;

/// Why a command did not do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
pub struct Refusal {
    /// Permanent, in snake case.
    #[ts(type = "string")]
    pub code: &'static str,
}

impl Refusal {
    /// There is no session: nothing is done, whoever asks.
    pub(crate) const LOCKED: Self = Self { code: "locked" };
    /// The person closed a native window or a dialog.
    pub(crate) const CANCELLED: Self = Self { code: "cancelled" };
    /// What was asked for is not in the shape the command takes.
    pub(crate) const INVALID_REQUEST: Self = Self { code: "invalid_request" };
    /// A handle that was never given out, or a job that is not known.
    pub(crate) const NOT_FOUND: Self = Self { code: "not_found" };
    /// The address in a field is not one that is opened.
    pub(crate) const UNSAFE_URL: Self = Self { code: "unsafe_url" };
    /// Something that only a bug can bring about.
    pub(crate) const BUG: Self = Self { code: "bug" };
}

/// Every error of the engine has a permanent code of its own.
macro_rules! coded {
    ($($error:ty),+ $(,)?) => {
        $(impl From<$error> for Refusal {
            fn from(error: $error) -> Self {
                Self { code: error.code() }
            }
        })+
    };
}

coded!(
    AcceptRecoveryError,
    AccountError,
    AttachError,
    BulkError,
    CallError,
    ChangePassphraseError,
    CodeError,
    CopyFieldError,
    CreateError,
    CreateTenantError,
    EnrolDeviceError,
    ExportError,
    Fault,
    FederationError,
    GlassError,
    GrantError,
    ImportError,
    InvalidRecipe,
    InviteError,
    JobError,
    KindError,
    KitPlaceError,
    LeaveError,
    ListRecordsError,
    MoveError,
    MoveVaultError,
    OpenError,
    PreviewError,
    RecoverError,
    RenewRecoveryError,
    SaveAttachmentError,
    SaveRecordError,
    SaveSearchError,
    SecondFactorError,
    SetPolicyError,
    SetRolesError,
    SubjectError,
    UnlockError,
);

impl From<InvalidIdentifiers> for Refusal {
    fn from(_: InvalidIdentifiers) -> Self {
        Self { code: "invalid_identifiers" }
    }
}

impl From<RecoveryCodeError> for Refusal {
    fn from(_: RecoveryCodeError) -> Self {
        Self { code: "wrong_recovery_kit" }
    }
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        let code = match error.kind() {
            std::io::ErrorKind::StorageFull => "no_space",
            _ => "io",
        };
        Self { code }
    }
}

//! Coffer's engine: everything a vault can do, behind [`Vault`] (locked) and [`Session`] (unlocked).
//!
//! Every call of a session is authorised by [`policy`] and recorded in the log before it takes effect; shells only
//! show what comes back. What the machine must give is in [`host`].

#[cfg(test)]
mod altered;
mod anchor;
mod audit;
mod backup;
mod chain;
mod device;
mod encoding;
mod fault;
mod header;
pub mod host;
mod job;
mod keys;
mod kit;
mod kit_place;
mod pipeline;
pub mod policy;
mod session;
mod store;
mod throttle;
mod usecase;
mod vault;
pub mod view;

pub use backup::BackupError;
pub use coffer_crypto::activation::ActivationCodeError;
pub use coffer_crypto::passphrase::{Passphrase, PassphraseError};
pub use coffer_crypto::personal_code::PersonalCodeError;
pub use coffer_crypto::recovery::kit::RecoveryCodeError;
pub use coffer_crypto::recovery::shares::{InvalidSplit, JoinError, ShareCodeError, Split};
pub use coffer_crypto::second_factor::CodeRefusal;
pub use coffer_crypto::secret::{ActivationCode, PersonalCode, RecoverySeed, SecretBytes};
pub use coffer_crypto::strength;
pub use coffer_token::{KEY_SET_MAX, TOKEN_MAX, TokenRefusal};
pub use fault::{CallError, Damage, Fault};
pub use job::{JobError, JobHandle};
pub use kit::{
    KitGroup, ReadKit, ReadShare, RecoveryKit, RecoveryText, RecoveryTextError, ShareFile, SharesError, join_shares,
    parse_recovery_kit, parse_recovery_share, parse_recovery_text,
};
pub use kit_place::{KitPlace, KitPlaceError};
pub use session::Session;
pub use usecase::{AcceptRecoveryError, GLASS_HOURS_MAX, GlassError, RenewRecoveryError};
pub use usecase::{
    AccountError, ActivateError, CHANGE_SECRETS_WITHIN_DAYS, ChangePassphraseError, END_ACCESS_WITHIN_HOURS,
    GrantError, INVITATION_HOURS, INVITATION_HOURS_MAX, Invitation, InviteError, LeaveError, RecoverError,
    SetRolesError,
};
pub use usecase::{
    AttachError, BULK_MAX, BulkError, CopyFieldError, CreateError, CreateTenantError, CreatedVault, Duplicates,
    EnrolDeviceError, ExportError, ExportRequest, FreshAuthentication, ImportError, ImportRequest, ListRecordsError,
    ListRequest, MoveError, MoveRequest, MoveVaultError, NewVault, PreviewError, SaveAttachmentError, SaveRecordError,
    TRASH_RETENTION_DAYS, TagChange, UnlockError,
};
pub use usecase::{
    BackupIdentity, CodeError, GeneratedSecret, InvalidRecipe, KindError, OneTimeCode, RestoreOptions, SaveSearchError,
    SecretRecipe, generate_secret, start_restore, start_verify_backup,
};
pub use usecase::{
    Credentials, FederationError, KEY_FILE_MAX, MissingFactors, NewOwnKeys, ProviderRequest, SecondFactorError,
    SecondFactorOffer, SetPolicyError, WayIn,
};
pub use usecase::{
    InvalidIdentifiers, SUBJECT_IDENTIFIERS_MAX, SubjectErasureRequest, SubjectError, SubjectExportRequest,
    SubjectIdentifiers, TWIN_SEED_MAX, TwinRequest,
};
pub use vault::{EXTENSION, OpenError, Vault};

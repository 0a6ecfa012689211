//! What people do with a vault: one file a capability.

mod archive;
mod arrivals;
mod attach;
mod attachments;
mod audit;
pub(crate) mod backup;
mod bulk;
mod check_files;
mod codes;
mod create;
mod credentials;
mod devices;
mod drafts;
mod expiring;
mod export;
pub(crate) mod exposures;
mod favourites;
mod federation;
mod fields;
mod generate;
mod glass;
mod grants;
mod health;
mod history;
mod import;
mod key_register;
mod kinds;
mod lease;
mod moves;
pub(crate) mod people;
mod preview;
mod records;
mod rekey;
mod relocation;
mod renew;
mod restore;
mod rules;
mod save_attachment;
mod saved_searches;
mod seal;
mod search;
mod secret_health;
mod shared;
mod step_up;
mod subject;
mod tags;
pub(crate) mod tenant_names;
mod tenants;
mod trash;
mod twin;
mod unlock;

pub use attach::AttachError;
pub use backup::{BackupIdentity, start_verify_backup};
pub use bulk::{BULK_MAX, BulkError, TagChange};
pub use codes::{CodeError, OneTimeCode};
pub use create::{CreateError, CreatedVault, NewVault};
pub use credentials::{Credentials, MissingFactors};
pub use devices::EnrolDeviceError;
pub use export::{ExportError, ExportRequest};
pub use federation::{FederationError, ProviderRequest};
pub use fields::CopyFieldError;
pub use generate::{GeneratedSecret, InvalidRecipe, SecretRecipe, generate_secret};
pub(crate) use glass::broken_since as glass_broken_since;
pub use glass::{GLASS_HOURS_MAX, GlassError};
pub use grants::GrantError;
pub use import::{Duplicates, ImportError, ImportRequest};
pub use kinds::KindError;
pub use moves::{MoveError, MoveRequest};
pub use people::{
    AccountError, ActivateError, CHANGE_SECRETS_WITHIN_DAYS, ChangePassphraseError, END_ACCESS_WITHIN_HOURS,
    INVITATION_HOURS, INVITATION_HOURS_MAX, Invitation, InviteError, KEY_FILE_MAX, LeaveError, NewOwnKeys,
    RecoverError, SecondFactorError, SecondFactorOffer, SetRolesError, WayIn,
};
pub use preview::PreviewError;
pub use records::{ListRecordsError, ListRequest, SaveRecordError};
pub use relocation::MoveVaultError;
pub use renew::{AcceptRecoveryError, RenewRecoveryError};
pub use restore::{RestoreOptions, start_restore};
pub use rules::SetPolicyError;
pub use save_attachment::SaveAttachmentError;
pub use saved_searches::SaveSearchError;
pub(crate) use step_up::FRESH_FOR;
pub use step_up::FreshAuthentication;
pub use subject::{
    InvalidIdentifiers, SUBJECT_IDENTIFIERS_MAX, SubjectErasureRequest, SubjectError, SubjectExportRequest,
    SubjectIdentifiers,
};
pub use tenants::CreateTenantError;
#[cfg(test)]
pub(crate) use tenants::office_name_context;
pub use trash::TRASH_RETENTION_DAYS;
pub use twin::{TWIN_SEED_MAX, TwinRequest};
pub use unlock::UnlockError;

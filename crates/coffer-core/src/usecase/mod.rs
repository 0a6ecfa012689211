//! What people do with a vault: one file a capability.

mod audit;
pub(crate) mod backup;
mod check_files;
mod codes;
mod create;
mod devices;
mod expiring;
mod fields;
mod generate;
mod health;
mod history;
mod import;
mod kinds;
mod records;
mod restore;
mod search;
mod secret_health;
mod step_up;
mod tenants;
mod unlock;

pub use backup::{BackupIdentity, start_verify_backup};
pub use codes::{CodeError, OneTimeCode};
pub use create::{CreateError, CreatedVault, NewVault};
pub use devices::EnrolDeviceError;
pub use fields::CopyFieldError;
pub use generate::{GeneratedSecret, InvalidRecipe, SecretRecipe, generate_secret};
pub use import::{ImportError, ImportRequest};
pub use kinds::KindError;
pub use records::{ListRecordsError, SaveRecordError};
pub use restore::{RestoreOptions, start_restore};
pub use tenants::CreateTenantError;
pub use unlock::UnlockError;

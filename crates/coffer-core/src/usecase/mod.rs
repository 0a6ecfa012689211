//! What people do with a vault: one file a capability.

mod audit;
pub(crate) mod backup;
mod check_files;
mod create;
mod devices;
mod export;
mod fields;
mod health;
mod history;
mod import;
mod records;
mod restore;
mod search;
mod step_up;
mod tenants;
mod unlock;

pub use backup::{BackupIdentity, start_verify_backup};
pub use create::{CreateError, CreatedVault, NewVault};
pub use devices::EnrolDeviceError;
pub use export::{ExportError, ExportRequest};
pub use fields::CopyFieldError;
pub use import::{Duplicates, ImportError, ImportRequest};
pub use records::{ListRecordsError, SaveRecordError};
pub use restore::{RestoreOptions, start_restore};
pub use step_up::FreshAuthentication;
pub use tenants::CreateTenantError;
pub use unlock::UnlockError;

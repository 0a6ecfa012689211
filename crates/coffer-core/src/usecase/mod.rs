//! What people do with a vault: one file a capability.

mod audit;
pub(crate) mod backup;
mod bulk;
mod check_files;
mod create;
mod devices;
mod drafts;
mod favourites;
mod fields;
mod health;
mod history;
mod import;
mod records;
mod restore;
mod search;
mod step_up;
mod tenants;
mod trash;
mod unlock;

pub use backup::{BackupIdentity, start_verify_backup};
pub use bulk::{BULK_MAX, BulkError, TagChange};
pub use create::{CreateError, CreatedVault, NewVault};
pub use devices::EnrolDeviceError;
pub use fields::CopyFieldError;
pub use import::{ImportError, ImportRequest};
pub use records::{ListRecordsError, ListRequest, SaveRecordError};
pub use restore::{RestoreOptions, start_restore};
pub use tenants::CreateTenantError;
pub use trash::TRASH_RETENTION_DAYS;
pub use unlock::UnlockError;

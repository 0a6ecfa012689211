//! What people do with a vault: one file a capability.

mod attach;
mod attachments;
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
mod preview;
mod records;
mod restore;
mod save_attachment;
mod search;
mod step_up;
mod tenants;
mod unlock;

pub use attach::AttachError;
pub use backup::{BackupIdentity, start_verify_backup};
pub use create::{CreateError, CreatedVault, NewVault};
pub use devices::EnrolDeviceError;
pub use export::{ExportError, ExportRequest};
pub use fields::CopyFieldError;
pub use import::{Duplicates, ImportError, ImportRequest};
pub use preview::PreviewError;
pub use records::{ListRecordsError, SaveRecordError};
pub use restore::{RestoreOptions, start_restore};
pub use save_attachment::SaveAttachmentError;
pub use step_up::FreshAuthentication;
pub use tenants::CreateTenantError;
pub use unlock::UnlockError;

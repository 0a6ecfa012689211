//! What people do with a vault: one file a capability.

mod audit;
mod create;
mod health;
mod tenants;
mod unlock;

pub use create::{CreateError, CreatedVault, NewVault};
pub use tenants::CreateTenantError;
pub use unlock::UnlockError;

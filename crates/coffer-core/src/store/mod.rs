//! Where a vault is kept: files and databases. The only place that speaks SQL.

pub(crate) mod attached;
pub(crate) mod audit;
pub(crate) mod directory;
pub(crate) mod error;
pub(crate) mod file_root;
pub(crate) mod files;
pub(crate) mod snapshot;
pub(crate) mod sqlcipher;
pub(crate) mod tenant;
pub(crate) mod write_behind;

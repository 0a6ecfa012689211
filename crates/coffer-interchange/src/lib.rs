//! Data of other programs into Coffer's records.
//! Pure over [`std::io::Read`]: no paths, no clock, no randomness. Rules: docs/FORMAT.md §8.
//!
//! Each format is a module that yields [`coffer_model::record::RecordContent`]; [`mapping`] is what formats
//! made of columns have in common. [`invented`] makes records up instead of reading them.

pub mod csv;
pub mod invented;
pub mod mapping;

//! Data of other programs into Coffer's records, and records into files of other programs.
//! Pure over [`std::io`]: no paths, no clock; randomness is an argument. Rules: docs/FORMAT.md §8.
//!
//! [`csv`] yields [`coffer_model::record::RecordContent`] row by row, with a [`mapping`] of its columns. Every other
//! format is read whole by [`source`] into [`neutral`] entries, but for [`archive`], Coffer's own, which is streamed.
//! [`export`] writes. [`invented`] makes records up instead
//! of reading them.

pub mod archive;
mod bitwarden;
pub mod csv;
pub mod export;
mod foreign_kdf;
pub mod invented;
mod json;
mod kdbx;
pub mod mapping;
pub mod neutral;
mod onepux;
pub mod source;
mod totp;

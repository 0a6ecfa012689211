//! A vault's life from creation to restore, in one process.
#![allow(clippy::unwrap_used, reason = "test code")]

mod archive;
mod attachments;
mod backup;
mod export;
mod fields;
mod files;
mod find;
mod formats;
mod glass;
mod health;
mod import;
mod keys;
mod lease;
mod leaving;
mod life;
mod model;
mod moves;
mod own_keys;
mod people;
mod records;
mod records_life;
mod recovery;
mod relocation;
mod subject;
mod twin;
mod upkeep;
mod ways_in;

//! Attacks that must fail, each by its number and name.
#![allow(clippy::unwrap_used, reason = "test code")]

mod attachments;
mod backup;
mod cbor;
mod files;
mod find;
mod header;
mod log;
mod people;
mod recovery;
mod rollback;
mod secrets;
mod table;
mod unlock;

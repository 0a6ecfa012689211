//! The words of Coffer: identifiers, records, queries, accounts, rights, events, time.
//! Pure: no clock, no files, no randomness; all of these are arguments.

pub mod account;
pub mod attachment;
pub mod day;
pub mod event;
pub mod grant;
pub mod id;
pub mod key;
pub mod list;
pub mod policy;
pub mod query;
pub mod record;
pub mod template;
pub mod tenant;
pub mod time;
pub mod totp;

//! The real `coffer`, run as a script runs it: what it answers, how it fails, what it leaves behind.
#![allow(clippy::unwrap_used, reason = "test code")]

mod answers;
mod fields;
mod formats;
mod lease;
mod people;
mod persons;
mod place;
mod real_input;
mod refusals;
mod signals;

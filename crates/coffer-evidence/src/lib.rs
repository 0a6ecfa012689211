//! What can be proved about a vault without opening it: log entries and their MACs, the Merkle tree over them, signed
//! notes, backup manifests, and the verification of all of these.
//! Layouts: docs/FORMAT.md §6 and §7. Pure: no clock, no files, no SQL, no randomness.
//!
//! Writers, viewers and verifiers share these parsers, so none of them can accept what another refuses.
//!
//! | Module | Owns | Spec |
//! |---|---|---|
//! | [`label`] | the labels of the log's hashes and MACs | FORMAT |
//! | [`entry`] | one log entry as bytes | RFC 8949 §4.2 |
//! | [`mac`] | the evolving key and the MACs it makes | RFC 2104, RFC 5869 |
//! | [`merkle`] | the tree over all entries, its proofs | RFC 6962 §2.1 |
//! | [`note`] | signed notes and log checkpoints | c2sp.org/signed-note, c2sp.org/tlog-checkpoint |
//! | [`manifest`] | what a backup consists of | FORMAT |
//! | [`verify`] | what is wrong with a log, and where | FORMAT |

pub mod entry;
pub mod label;
pub mod mac;
pub mod manifest;
pub mod merkle;
pub mod note;
pub mod verify;

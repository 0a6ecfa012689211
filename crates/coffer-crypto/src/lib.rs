//! Coffer's cryptography: every key of a vault, how it is derived, wrapped, sealed and named.
//!
//! Pure: no clock, no files, no SQL, no source of randomness. Whoever calls lends a [`Random`]; the same bytes give the
//! same result, which is how the frozen vectors in `tests/` are made. The one thing taken from the operating system is
//! the memory Argon2id works in ([`memory`]).
//!
//! Layouts and labels: docs/FORMAT.md §4. What each part promises against whom: THREAT-MODEL.md.
//!
//! | Module | Owns | Spec |
//! |---|---|---|
//! | [`label`] | every label and context of the program | FORMAT |
//! | [`secret`], [`passphrase`] | the types secrets live in | RFC 8265 |
//! | [`kdf`], [`memory`] | passphrase and factors → slot key | RFC 9106, RFC 5869 |
//! | [`derive`] | keys from keys, MACs, login lookups | RFC 5869, RFC 2104 |
//! | [`wrap`] | a key under a key, with commitment | RFC 5869, SP 800-38D |
//! | [`slot`] | the stored form of a way into an account | RFC 8949 §4.2 |
//! | [`stream`] | an attachment's content, in chunks | STREAM, Padmé |
//! | [`seal`] | content to a person's public key | RFC 9180, X-Wing |
//! | [`sign`] | Ed25519 under labels | RFC 8032 |
//! | [`activation`] | the code that makes an invited person an account, and its keys | RFC 5869 |
//! | [`recovery`] | the recovery seed, its keys, its printed form | BIP-173, age |
//! | [`glass`] | a tenant's key split among custodians | Shamir |
//! | [`strength`] | which passphrases are refused, and why; how soon a secret is guessed | zxcvbn |
//! | [`generate`] | passwords and passphrases made by chance | EFF's long word list |
//! | [`totp`] | one-time codes of other services | RFC 6238, RFC 4226 |

#![allow(clippy::missing_panics_doc, reason = "each `expect` states an invariant that no input can break")]

pub mod activation;
mod aead;
pub mod derive;
pub mod generate;
pub mod glass;
mod groups;
pub mod kdf;
pub mod label;
pub mod memory;
pub mod passphrase;
pub mod personal_code;
mod random;
pub mod recovery;
pub mod seal;
pub mod second_factor;
pub mod secret;
pub mod sign;
pub mod slot;
pub mod stream;
pub mod strength;
pub mod totp;
pub mod wrap;

pub use random::Random;

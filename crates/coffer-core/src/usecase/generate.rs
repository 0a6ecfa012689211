//! Secrets made by chance, and how soon a secret would be guessed.
//!
//! Nothing of a vault is touched and nobody learns anything of anybody: no action of the policy, no entry in the log.
//! What becomes of the secret is logged where it is saved.

use coffer_crypto::generate::{self, InvalidRules, PassphraseRules, PasswordRules};
use coffer_crypto::strength;
use coffer_model::record::Value;
use serde::Deserialize;

use crate::host::{Host, crypto_random};
use crate::session::Session;

/// What secret to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum SecretRecipe {
    /// Words of the EFF's long list.
    Passphrase {
        /// 3 to 24.
        words: usize,
        /// A space, or one of `-._,`.
        separator: char,
        /// Whether each word begins with a capital.
        capitals: bool,
    },
    /// Characters; at least one of every kind asked for.
    Password {
        /// 4 to 256.
        length: usize,
        /// `a`–`z`.
        lower: bool,
        /// `A`–`Z`.
        upper: bool,
        /// `0`–`9`.
        digits: bool,
        /// Signs.
        symbols: bool,
        /// None that is easily taken for another.
        unambiguous: bool,
    },
}

/// A secret made by chance.
#[derive(Debug)]
pub struct GeneratedSecret {
    /// The secret.
    pub secret: Value,
    /// Logarithm to base 2 of how many others it could have been, rounded down to a tenth.
    pub entropy_bits: f64,
    /// How soon it would be guessed without knowing the recipe, from 0 (at once) to 4.
    pub score: u8,
}

/// Nothing can be made by the recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct InvalidRecipe(#[from] InvalidRules);

impl InvalidRecipe {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        "invalid_recipe"
    }
}

/// Makes a secret from the host's randomness; no vault is needed.
pub fn generate_secret(host: &Host, recipe: SecretRecipe) -> Result<GeneratedSecret, InvalidRecipe> {
    let mut random = crypto_random(host);
    let made = match recipe {
        SecretRecipe::Passphrase { words, separator, capitals } => {
            generate::generate_passphrase(&PassphraseRules { words, separator, capitals }, &mut random)
        }
        SecretRecipe::Password { length, lower, upper, digits, symbols, unambiguous } => generate::generate_password(
            &PasswordRules { length, lower, upper, digits, symbols, unambiguous },
            &mut random,
        ),
    }?;
    Ok(GeneratedSecret {
        score: strength::estimate(&made.text).score,
        entropy_bits: (made.entropy_bits * 10.0).floor() / 10.0,
        secret: Value::new(made.text.to_string()),
    })
}

impl Session {
    /// As [`generate_secret`], with this session's host.
    pub fn generate_secret(&self, recipe: SecretRecipe) -> Result<GeneratedSecret, InvalidRecipe> {
        generate_secret(&self.core.host, recipe)
    }

    /// How soon a secret that somebody is writing would be guessed, from 0 (at once) to 4.
    pub fn estimate_secret(&self, secret: &Value) -> u8 {
        strength::estimate(secret.expose()).score
    }
}

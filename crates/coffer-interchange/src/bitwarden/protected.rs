//! The envelope of a password-protected export: PBKDF2 or Argon2id, HKDF, then AES-256-CBC with HMAC-SHA-256. Pure.
//! Nothing is decrypted before its MAC was checked, and nothing is derived before its cost was.

use aes::Aes256;
use argon2::{Algorithm, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::foreign_kdf::{self, Argon2Cost, Key};
use crate::source::SourceError;

/// The only kind of ciphertext that exports have: `2.IV|CIPHERTEXT|MAC`.
const AES_CBC_HMAC: &str = "2.";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Protected {
    salt: String,
    kdf_type: u32,
    kdf_iterations: u32,
    /// In MiB; Argon2id only.
    kdf_memory: Option<u32>,
    kdf_parallelism: Option<u32>,
    #[serde(rename = "encKeyValidation_DO_NOT_EDIT")]
    validation: String,
    data: String,
}

/// What the export protects.
pub(super) fn open(text: &[u8], passphrase: &[u8]) -> Result<Zeroizing<Vec<u8>>, SourceError> {
    let envelope: Protected = serde_json::from_slice(text).map_err(|_| SourceError::Damaged)?;
    let keys = Keys::derive(&envelope, passphrase)?;
    // It holds nothing; it only tells a wrong password from damaged data.
    keys.open(&envelope.validation, SourceError::WrongKey)?;
    keys.open(&envelope.data, SourceError::Damaged)
}

struct Keys {
    encryption: Key,
    authentication: Key,
}

impl Keys {
    fn derive(envelope: &Protected, passphrase: &[u8]) -> Result<Self, SourceError> {
        // The salt's text itself is the salt, not what its base64 means.
        let salt = envelope.salt.as_bytes();
        let key = match envelope.kdf_type {
            0 => foreign_kdf::derive_pbkdf2(passphrase, salt, envelope.kdf_iterations)?,
            1 => {
                let cost = Argon2Cost {
                    algorithm: Algorithm::Argon2id,
                    version: Version::V0x13,
                    memory_kib: u64::from(envelope.kdf_memory.ok_or(SourceError::Damaged)?) * 1024,
                    passes: u64::from(envelope.kdf_iterations),
                    lanes: envelope.kdf_parallelism.ok_or(SourceError::Damaged)?,
                };
                foreign_kdf::derive_argon2(passphrase, &Sha256::digest(salt), &cost)?
            }
            _ => return Err(SourceError::Unsupported),
        };
        let stretch = Hkdf::<Sha256>::from_prk(key.as_slice()).expect("32 bytes are a pseudo-random key for SHA-256");
        let expand = |info: &[u8]| {
            let mut key = Zeroizing::new([0; 32]);
            stretch.expand(info, key.as_mut_slice()).expect("32 bytes are one block of SHA-256");
            key
        };
        Ok(Self { encryption: expand(b"enc"), authentication: expand(b"mac") })
    }

    /// Opens one ciphertext; `refused` is what a MAC that does not fit means.
    fn open(&self, text: &str, refused: SourceError) -> Result<Zeroizing<Vec<u8>>, SourceError> {
        let parts = text.strip_prefix(AES_CBC_HMAC).ok_or(SourceError::Unsupported)?;
        let decoded: Result<Vec<Vec<u8>>, _> = parts.split('|').map(|part| BASE64.decode(part)).collect();
        let decoded: [Vec<u8>; 3] =
            decoded.map_err(|_| SourceError::Damaged)?.try_into().map_err(|_| SourceError::Damaged)?;
        let [iv, ciphertext, mac] = decoded;
        let expected = Hmac::<Sha256>::new_from_slice(self.authentication.as_slice())
            .expect("HMAC takes a key of any length")
            .chain_update(&iv)
            .chain_update(&ciphertext);
        expected.verify_slice(&mac).map_err(|_| refused)?;
        let mut bytes = Zeroizing::new(ciphertext);
        let mode = cbc::Decryptor::<Aes256>::new_from_slices(self.encryption.as_slice(), &iv);
        let mode = mode.map_err(|_| SourceError::Damaged)?;
        let length = mode.decrypt_padded::<Pkcs7>(&mut bytes).map_err(|_| SourceError::Damaged)?.len();
        bytes.truncate(length);
        Ok(bytes)
    }
}

//! Wrapping: one [`WrappingKey`] encrypts one key, or a short private text, and commits to itself.
//! Layout: docs/FORMAT.md §4.4. Spec: HKDF (RFC 5869) with SHA-256, AES-256-GCM (SP 800-38D).
//! Pure: randomness is an argument.
//!
//! ```text
//! key ‖ c = HKDF(salt = 32 fresh bytes, IKM = wrapping key, info = label ‖ SHA-256(fields), 64)
//! wrapped = salt ‖ c ‖ AES-256-GCM(key, nonce = 0, AD = empty, plaintext)
//! ```
//!
//! AES-GCM alone opens one ciphertext under two keys of an attacker's making; `c` does not, as HKDF-SHA-256 would have
//! to collide. The fresh salt makes each AES key new, which is why the nonce may be zero.

use hkdf::Hkdf;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::Random;
use crate::aead::{self, TAG_BYTES};
use crate::label::Context;
use crate::secret::{SecretBytes, SecretKey, WrappingKey};

const SALT_BYTES: usize = 32;
const COMMITMENT_BYTES: usize = 32;

/// How much longer a wrapped key is than the key.
pub const OVERHEAD_BYTES: usize = SALT_BYTES + COMMITMENT_BYTES + TAG_BYTES;

/// Why something wrapped does not open. Deliberately one case: a wrong key, another context and an altered byte cannot
/// be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key does not open this, or it was altered")]
pub struct UnwrapError;

/// Encrypts `key` under `wrapping_key`, for `context` alone. The result is [`OVERHEAD_BYTES`] longer than the key.
pub fn wrap_key<K: SecretKey>(
    wrapping_key: &impl WrappingKey,
    key: &K,
    context: &Context,
    random: &mut dyn Random,
) -> Vec<u8> {
    seal(wrapping_key, key.expose_bytes(), context, random)
}

/// Decrypts what [`wrap_key`] made with the same wrapping key and context.
pub fn unwrap_key<K: SecretKey>(
    wrapping_key: &impl WrappingKey,
    wrapped: &[u8],
    context: &Context,
) -> Result<K, UnwrapError> {
    let opener = Opener::check(wrapping_key, wrapped, context)?;
    if opener.ciphertext.len() != K::BYTES {
        return Err(UnwrapError);
    }
    let mut result = Ok(());
    let key = K::fill_with(|buffer| result = opener.decrypt_into(buffer));
    result.map(|()| key)
}

/// Encrypts content under `wrapping_key`, for `context` alone. The result is [`OVERHEAD_BYTES`] longer.
pub fn seal(wrapping_key: &impl WrappingKey, plaintext: &[u8], context: &Context, random: &mut dyn Random) -> Vec<u8> {
    let mut salt = [0; SALT_BYTES];
    random.fill(&mut salt);
    let derived = Derived::new(wrapping_key, &salt, context);

    // Sized at once: growing would leave plaintext behind.
    let mut out = Vec::with_capacity(OVERHEAD_BYTES + plaintext.len());
    out.extend_from_slice(&salt);
    out.extend_from_slice(derived.commitment());
    let start = out.len();
    out.extend_from_slice(plaintext);
    let tag = aead::encrypt_once(derived.key(), &[], &mut out[start..]);
    out.extend_from_slice(&tag);
    out
}

/// Decrypts what [`seal`] made with the same wrapping key and context.
pub fn open(wrapping_key: &impl WrappingKey, sealed: &[u8], context: &Context) -> Result<SecretBytes, UnwrapError> {
    let opener = Opener::check(wrapping_key, sealed, context)?;
    let mut plaintext = SecretBytes::for_decryption(opener.ciphertext);
    opener.decrypt_into(plaintext.buffer())?;
    Ok(plaintext)
}

/// `key ‖ c` of the module's first lines.
struct Derived(Zeroizing<[u8; 64]>);

impl Derived {
    fn new(wrapping_key: &impl WrappingKey, salt: &[u8; SALT_BYTES], context: &Context) -> Self {
        let mut okm = Zeroizing::new([0; 64]);
        Hkdf::<Sha256>::new(Some(salt), wrapping_key.expose_bytes())
            .expand(&context.info(), okm.as_mut_slice())
            .expect("64 bytes are below HKDF's limit of 255 hashes");
        Self(okm)
    }

    fn key(&self) -> &[u8; 32] {
        self.0.first_chunk().expect("64 bytes hold 32")
    }

    fn commitment(&self) -> &[u8; COMMITMENT_BYTES] {
        self.0.last_chunk().expect("64 bytes hold 32")
    }
}

/// A wrapped text whose commitment has been found right.
struct Opener<'a> {
    derived: Derived,
    ciphertext: &'a [u8],
    tag: &'a [u8; TAG_BYTES],
}

impl<'a> Opener<'a> {
    /// Takes `wrapped` apart and compares the commitment, before anything is decrypted.
    fn check(wrapping_key: &impl WrappingKey, wrapped: &'a [u8], context: &Context) -> Result<Self, UnwrapError> {
        let (salt, rest) = wrapped.split_first_chunk::<SALT_BYTES>().ok_or(UnwrapError)?;
        let (commitment, rest) = rest.split_first_chunk::<COMMITMENT_BYTES>().ok_or(UnwrapError)?;
        let (ciphertext, tag) = rest.split_last_chunk::<TAG_BYTES>().ok_or(UnwrapError)?;
        let derived = Derived::new(wrapping_key, salt, context);
        if bool::from(derived.commitment().ct_eq(commitment)) {
            Ok(Self { derived, ciphertext, tag })
        } else {
            Err(UnwrapError)
        }
    }

    /// Decrypts into `buffer`, which has the ciphertext's length.
    fn decrypt_into(&self, buffer: &mut [u8]) -> Result<(), UnwrapError> {
        buffer.copy_from_slice(self.ciphertext);
        aead::decrypt_once(self.derived.key(), &[], buffer, self.tag).map_err(|_| UnwrapError)
    }
}

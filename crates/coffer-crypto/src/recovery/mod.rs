//! Recovery: what the one 256-bit seed of a vault yields.
//! Layout: docs/FORMAT.md §4.9. Spec: HKDF-Expand (RFC 5869 §2.3), X-Wing, Ed25519 (RFC 8032), age identities
//! (age-encryption.org/v1, X25519 recipient type; RFC 7748; BIP-173). Pure.
//!
//! ```text
//! seed ──┬─ HKDF-Expand ─ X-Wing private key    opens directory, office, audit and every tenant key
//!        ├─ HKDF-Expand ─ Ed25519 private key   may enrol an administrator, nothing else
//!        └─ HKDF-Expand ─ age identity          opens every portable backup, with stock `age` as well
//! ```
//!
//! The printed form of the seed is [`kit`]; split among several people, [`shares`].

pub mod kit;
pub mod shares;

use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32, Hrp};
use curve25519_dalek::MontgomeryPoint;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::derive;
use crate::label::{self, Context};
use crate::seal::{SealingKeyPair, SealingPublicKey};
use crate::secret::{AgeIdentity, RecoverySeed, SealingSeed, SecretBytes, SecretKey, SigningSeed};
use crate::sign::{SigningKey, VerifyingKey};

/// Derives the pair to which directory, office, audit and tenant keys are sealed.
pub fn derive_sealing_pair(seed: &RecoverySeed) -> SealingKeyPair {
    let private: SealingSeed = derive::expand(seed, &Context::new(label::RECOVERY_SEALING_SEED));
    SealingKeyPair::from_seed(&private)
}

/// Derives the key that may enrol an administrator.
pub fn derive_signing_key(seed: &RecoverySeed) -> SigningKey {
    let private: SigningSeed = derive::expand(seed, &Context::new(label::RECOVERY_SIGNING_SEED));
    SigningKey::from_seed(&private)
}

/// Derives the identity that opens portable backups.
pub fn derive_age_identity(seed: &RecoverySeed) -> AgeIdentity {
    derive::expand(seed, &Context::new(label::RECOVERY_AGE_IDENTITY))
}

/// Digest of a recovery's public keys: what people compare, said in words, before they trust them with anything.
pub fn keys_digest(sealing: &SealingPublicKey, verifying: &VerifyingKey) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(label::RECOVERY_FINGERPRINT.encode());
    hash.update(sealing.encode());
    hash.update(verifying.encode());
    hash.finalize().into()
}

/// As [`keys_digest`], of the keys that a seed yields.
pub fn keys_digest_of(seed: &RecoverySeed) -> [u8; 32] {
    keys_digest(derive_sealing_pair(seed).public_key(), &derive_signing_key(seed).verifying_key())
}

/// Short name of a recovery seed, from its public keys: the first eight bytes of their digest.
pub fn fingerprint(sealing: &SealingPublicKey, verifying: &VerifyingKey) -> [u8; 8] {
    let mut short = [0; 8];
    short.copy_from_slice(&keys_digest(sealing, verifying)[..8]);
    short
}

/// Human-readable part of an age identity, in lower case as BIP-173 hashes it.
const IDENTITY_HRP: Hrp = Hrp::parse_unchecked("age-secret-key-");
/// Human-readable part of an age recipient.
const RECIPIENT_HRP: Hrp = Hrp::parse_unchecked("age");

/// The text is no age X25519 identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an age identity")]
pub struct AgeIdentityError;

impl AgeIdentity {
    /// Encodes it as `AGE-SECRET-KEY-1…`, the text `age -d -i` reads.
    pub fn encode(&self) -> SecretBytes {
        // Room for all of it at once: growing would leave parts behind.
        let mut text = String::with_capacity(IDENTITY_TEXT_BYTES);
        bech32::encode_upper_to_fmt::<Bech32, _>(&mut text, IDENTITY_HRP, self.expose_bytes())
            .expect("32 bytes are below Bech32's limit");
        SecretBytes::new(text.into_bytes())
    }

    /// Reads the text that [`AgeIdentity::encode`] writes.
    pub fn parse_text(text: &str) -> Result<Self, AgeIdentityError> {
        let parsed = CheckedHrpstring::new::<Bech32>(text).map_err(|_| AgeIdentityError)?;
        if parsed.hrp() != IDENTITY_HRP {
            return Err(AgeIdentityError);
        }
        let mut bytes = Zeroizing::new([0; Self::BYTES]);
        let mut data = parsed.byte_iter();
        for byte in bytes.iter_mut() {
            *byte = data.next().ok_or(AgeIdentityError)?;
        }
        if data.next().is_some() {
            return Err(AgeIdentityError);
        }
        Self::parse(bytes.as_slice()).map_err(|_| AgeIdentityError)
    }

    /// Its public half, to which backups are encrypted.
    pub fn recipient(&self) -> AgeRecipient {
        AgeRecipient(MontgomeryPoint::mul_base_clamped(*self.expose()).to_bytes())
    }
}

/// The X25519 public key of an age identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgeRecipient([u8; 32]);

impl AgeRecipient {
    /// Takes the key's bytes. Every 32 bytes are one (RFC 7748 §5).
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key's bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Encodes it as `age1…`.
    pub fn encode(&self) -> String {
        bech32::encode_lower::<Bech32>(RECIPIENT_HRP, &self.0).expect("32 bytes are below Bech32's limit")
    }
}

/// `AGE-SECRET-KEY-1`, 52 characters of data, 6 of checksum.
const IDENTITY_TEXT_BYTES: usize = 16 + 52 + 6;

#[cfg(test)]
mod tests {
    use super::*;
    use std::str::FromStr;

    fn seed() -> RecoverySeed {
        RecoverySeed::parse(&[0x42; 32]).unwrap()
    }

    #[test]
    fn age_itself_reads_the_identity_and_names_the_same_recipient() {
        let identity = derive_age_identity(&seed());
        let text = identity.encode();
        let text = std::str::from_utf8(text.expose()).unwrap();
        assert_eq!(text.len(), IDENTITY_TEXT_BYTES);
        let by_age = age::x25519::Identity::from_str(text).unwrap();
        assert_eq!(by_age.to_public().to_string(), identity.recipient().encode());
        assert_eq!(AgeIdentity::parse_text(text).unwrap().expose(), identity.expose());
    }

    #[test]
    fn an_identity_with_one_character_changed_is_refused() {
        let text = derive_age_identity(&seed()).encode();
        for position in 0..IDENTITY_TEXT_BYTES {
            let mut changed = text.expose().to_vec();
            changed[position] = if changed[position] == b'Q' { b'P' } else { b'Q' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(AgeIdentity::parse_text(&changed).err(), Some(AgeIdentityError));
        }
        let recipient = derive_age_identity(&seed()).recipient().encode();
        assert_eq!(AgeIdentity::parse_text(&recipient).err(), Some(AgeIdentityError));
    }

    #[test]
    fn the_three_keys_of_a_seed_are_different_and_all_change_with_it() {
        let other = RecoverySeed::parse(&[0x43; 32]).unwrap();
        let sealing = derive_sealing_pair(&seed());
        assert_ne!(sealing.public_key().encode(), derive_sealing_pair(&other).public_key().encode());
        let verifying = derive_signing_key(&seed()).verifying_key();
        assert_ne!(verifying, derive_signing_key(&other).verifying_key());
        assert_ne!(derive_age_identity(&seed()).recipient(), derive_age_identity(&other).recipient());
        let mark = fingerprint(sealing.public_key(), &verifying);
        assert_ne!(mark, fingerprint(derive_sealing_pair(&other).public_key(), &verifying));
    }
}

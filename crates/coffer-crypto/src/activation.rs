//! Activation codes: what an invited person types once to become an account, and the keys that follow from it.
//! Layout: docs/FORMAT.md §4.12. Spec: HKDF (RFC 5869) with SHA-256, X-Wing, Ed25519 (RFC 8032). Pure.
//!
//! ```text
//! code ─ HKDF-Extract ─ activation key ──┬─ HKDF-Expand ─ look-up value        finds the invitation, says nothing
//!                                        ├─ HKDF-Expand ─ X-Wing private key   opens what is sealed to the invited
//!                                        ├─ HKDF-Expand ─ Ed25519 private key  vouches for the new account's keys
//!                                        └─ wraps the vault's identity, so that a first unlock has a root
//! ```
//!
//! The code has 120 random bits, so guessing it is not made slower by Argon2id: it need not be.

use std::fmt;

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use crate::derive::{self, Id};
use crate::groups::{self, DATA_CHARACTERS, GroupsError, from_base32, to_base32};
use crate::label::{self, Context};
use crate::seal::SealingKeyPair;
use crate::secret::sealed::Buffer;
use crate::secret::{ActivationCode, ActivationKey, SealingSeed, SecretBytes, SecretKey, SigningSeed};
use crate::sign::SigningKey;

/// Groups of a printed code, of five characters each.
pub const GROUPS: usize = 6;

/// Why text is no activation code; groups are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActivationCodeError {
    /// Not 6 groups of 5.
    #[error("the activation code has {found} characters instead of 30")]
    Length {
        /// How many there are, spaces and dashes left out.
        found: usize,
    },
    /// A group holds something that does not belong there.
    #[error("group {group} of the activation code is mistyped")]
    Group {
        /// Which.
        group: usize,
    },
}

impl From<GroupsError> for ActivationCodeError {
    fn from(error: GroupsError) -> Self {
        match error {
            GroupsError::Length { found } => Self::Length { found },
            GroupsError::GroupLength { group } | GroupsError::Character { group } | GroupsError::Group { group } => {
                Self::Group { group }
            }
        }
    }
}

impl ActivationCode {
    /// Writes the code as groups, with one space between them.
    pub fn to_text(&self) -> SecretBytes {
        let mut values = Zeroizing::new([0; GROUPS * DATA_CHARACTERS]);
        to_base32(self.expose_bytes(), values.as_mut_slice());
        SecretBytes::new(groups::write(values.as_slice()))
    }

    /// Reads a code as typed: case, spaces and dashes do not matter, and O, I, L count as 0, 1, 1.
    pub fn parse_text(typed: &str) -> Result<Self, ActivationCodeError> {
        let mut values = Zeroizing::new([0; GROUPS * DATA_CHARACTERS]);
        groups::read(typed, values.as_mut_slice())?;
        Ok(Self::fill_with(|buffer| {
            // 24 characters of five bits are 15 bytes exactly.
            from_base32(values.as_slice(), buffer);
        }))
    }
}

/// The keys of an invitation to one vault.
pub struct InvitationKeys {
    /// Wraps what the invited must be able to rely on.
    pub key: ActivationKey,
    /// Under which name the header keeps the invitation.
    pub lookup: [u8; 32],
    /// What is meant for the invited is sealed to it.
    pub sealing: SealingKeyPair,
    /// Vouches for the keys of the account that comes of it.
    pub signing: SigningKey,
}

impl InvitationKeys {
    /// Derives them.
    pub fn derive(code: &ActivationCode, vault: &Id) -> Self {
        let (mut extracted, _) = Hkdf::<Sha256>::extract(Some(&label::ACTIVATION_KEY.encode()), code.expose_bytes());
        let key = ActivationKey::fill_with(|buffer| buffer.copy_from_slice(&extracted));
        extracted.as_mut_slice().zeroize();
        let of = |label| Context::new(label).bytes(vault);
        let sealing: SealingSeed = derive::expand(&key, &of(label::ACTIVATION_SEALING_SEED));
        let signing: SigningSeed = derive::expand(&key, &of(label::ACTIVATION_SIGNING_SEED));
        Self {
            lookup: derive::expand_public(&key, &of(label::ACTIVATION_LOOKUP)),
            sealing: SealingKeyPair::from_seed(&sealing),
            signing: SigningKey::from_seed(&signing),
            key,
        }
    }
}

impl fmt::Debug for InvitationKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InvitationKeys(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code() -> ActivationCode {
        ActivationCode::parse(&[0xd1, 7, 9, 200, 0, 1, 77, 3, 255, 128, 64, 5, 6, 90, 33]).unwrap()
    }

    fn text() -> String {
        String::from_utf8(code().to_text().expose().to_vec()).unwrap()
    }

    #[test]
    fn a_code_reads_back_however_it_is_typed() {
        assert_eq!(text().len(), 6 * 5 + 5);
        for typed in [text(), text().to_lowercase(), text().replace(' ', "-"), text().replace(' ', "")] {
            assert_eq!(ActivationCode::parse_text(&typed).unwrap().expose(), code().expose(), "{typed}");
        }
    }

    #[test]
    fn a_mistyped_code_is_told_by_its_group_or_length() {
        let mut typed = text().into_bytes();
        typed[13] = if typed[13] == b'7' { b'8' } else { b'7' };
        let typed = String::from_utf8(typed).unwrap();
        assert_eq!(ActivationCode::parse_text(&typed).err(), Some(ActivationCodeError::Group { group: 3 }));
        assert_eq!(ActivationCode::parse_text("").err(), Some(ActivationCodeError::Length { found: 0 }));
        assert_eq!(ActivationCode::parse_text(&text()[..20]).err(), Some(ActivationCodeError::Length { found: 17 }));
    }

    #[test]
    fn keys_differ_by_code_and_vault() {
        let one = InvitationKeys::derive(&code(), &[1; 16]);
        let same = InvitationKeys::derive(&code(), &[1; 16]);
        let other_vault = InvitationKeys::derive(&code(), &[2; 16]);
        let other_code = InvitationKeys::derive(&ActivationCode::parse(&[7; 15]).unwrap(), &[1; 16]);
        assert_eq!(one.lookup, same.lookup);
        assert_eq!(one.signing.verifying_key(), same.signing.verifying_key());
        for other in [other_vault, other_code] {
            assert_ne!(one.lookup, other.lookup);
            assert_ne!(one.signing.verifying_key(), other.signing.verifying_key());
            assert_ne!(one.sealing.public_key().encode(), other.sealing.public_key().encode());
        }
        assert_eq!(format!("{one:?}"), "InvitationKeys(..)");
    }
}

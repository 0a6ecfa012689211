//! The types keys live in: one name for each kind of key, boxed, erased on drop. Pure.
//!
//! None of them has `Clone`, `Deref`, `Serialize` or `Display`; `Debug` prints the name alone; two are compared only in
//! constant time, through [`subtle`]. Bytes are written where they stay, so that no move leaves a copy on a stack.

use std::fmt;

use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroize;

use crate::Random;

/// Bytes of another number than this kind of key has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key of {expected} bytes was expected")]
pub struct KeyLengthError {
    /// How many bytes the key has.
    pub expected: usize,
}

/// A key of fixed length. Implemented by the types of this module and by no other.
pub trait SecretKey: sealed::Buffer {
    /// Length in bytes.
    const BYTES: usize;

    /// Lends the bytes. The borrower makes no copy that it does not erase.
    fn expose_bytes(&self) -> &[u8];

    /// Copies a key in. The caller erases `bytes`.
    fn parse(bytes: &[u8]) -> Result<Self, KeyLengthError> {
        if bytes.len() != Self::BYTES {
            return Err(KeyLengthError { expected: Self::BYTES });
        }
        Ok(Self::fill_with(|buffer| buffer.copy_from_slice(bytes)))
    }
}

/// A key that may wrap other keys and seal content ([`crate::wrap`]).
pub trait WrappingKey: SecretKey {}

pub(crate) mod sealed {
    /// Writing into a key's own memory; kept inside the crate.
    pub trait Buffer: Sized {
        fn zeroed() -> Self;
        fn buffer(&mut self) -> &mut [u8];
        fn fill_with(fill: impl FnOnce(&mut [u8])) -> Self {
            let mut key = Self::zeroed();
            fill(key.buffer());
            key
        }
    }
}

macro_rules! secret_key {
    ($(#[$doc:meta])* $name:ident, $bytes:literal $(, $ability:ident)*) => {
        $(#[$doc])*
        pub struct $name(Box<[u8; $bytes]>);

        impl $name {
            /// Lends the bytes. The borrower makes no copy that it does not erase.
            pub fn expose(&self) -> &[u8; $bytes] {
                &self.0
            }
        }

        impl SecretKey for $name {
            const BYTES: usize = $bytes;

            fn expose_bytes(&self) -> &[u8] {
                self.0.as_slice()
            }
        }

        impl sealed::Buffer for $name {
            fn zeroed() -> Self {
                Self(Box::new([0; $bytes]))
            }

            fn buffer(&mut self) -> &mut [u8] {
                self.0.as_mut_slice()
            }
        }

        impl ConstantTimeEq for $name {
            fn ct_eq(&self, other: &Self) -> Choice {
                self.0.as_slice().ct_eq(other.0.as_slice())
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                self.0.zeroize();
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }

        $(secret_key!(@$ability $name);)*
    };
    (@random $name:ident) => {
        impl $name {
            /// Makes a new one.
            pub fn generate(random: &mut dyn Random) -> Self {
                sealed::Buffer::fill_with(|buffer| random.fill(buffer))
            }
        }
    };
    (@wraps $name:ident) => {
        impl WrappingKey for $name {}
    };
}

secret_key! {
    /// What a passphrase and its key factors come to; opens one slot ([`crate::kdf`]).
    SlotKey, 32, wraps
}
secret_key! {
    /// Root of one account: random, wrapped by each of its slots, wraps its key pairs and sealed state.
    AccountMasterKey, 32, random, wraps
}
secret_key! {
    /// Opens the directory; sealed to every account and to recovery.
    DirectoryKey, 32, random, wraps
}
secret_key! {
    /// Opens one tenant at one epoch.
    TenantKey, 32, random, wraps
}
secret_key! {
    /// SQLCipher's raw key (32 bytes) and salt (16 bytes), in the order its C call takes them.
    DatabaseKey, 48
}
secret_key! {
    /// Makes a tenant's write tags.
    TagKey, 32
}
secret_key! {
    /// Encrypts one attachment.
    FileKey, 32, random
}
secret_key! {
    /// Wraps the keys of one tenant's attachments, at one epoch.
    FileWrappingKey, 32, wraps
}
secret_key! {
    /// Makes a MAC over the header or over one account's entry in it, or the digests of a tenant's attachments.
    MacKey, 32
}
secret_key! {
    /// Finds equal secrets of records without keeping them. Lives as long as the search, stored nowhere.
    FingerprintKey, 32, random
}
secret_key! {
    /// The evolving key of the log's MACs; it is stepped where the log is kept.
    LogMacKey, 32, random
}
secret_key! {
    /// Opens the backup plan, and nothing else.
    PlanKey, 32, random, wraps
}
secret_key! {
    /// Key factor kept by this device, mixed into slot keys.
    DeviceSecret, 32, random
}
secret_key! {
    /// SHA-256 of a key file's bytes, mixed into slot keys.
    KeyFileDigest, 32
}
secret_key! {
    /// An X-Wing private key (draft-connolly-cfrg-xwing-kem §5.2): the 32 bytes both halves are expanded from.
    SealingSeed, 32, random
}
secret_key! {
    /// An Ed25519 private key (RFC 8032 §5.1.5): the 32 bytes before hashing.
    SigningSeed, 32, random
}
secret_key! {
    /// What an invited person types to become an account: 120 random bits ([`crate::activation`]).
    ActivationCode, 15, random
}
secret_key! {
    /// What an activation code comes to: everything of an invitation is derived from it.
    ActivationKey, 32, wraps
}
secret_key! {
    /// From what an account's time-based codes are made: 160 bits, as RFC 4226 §4 R6 recommends.
    SecondFactorSeed, 20, random
}
secret_key! {
    /// A code that serves once in place of a time-based one: 40 random bits, behind delays ([`crate::second_factor`]).
    SpareCode, 5, random
}
secret_key! {
    /// A person's own recovery code: 160 random bits, a way into the account beside the passphrase.
    PersonalCode, 20, random
}
secret_key! {
    /// The one secret recovery needs: on the printed kit, or split among custodians.
    RecoverySeed, 32, random
}
secret_key! {
    /// One share's part of a recovery seed that is split among several people ([`crate::recovery::shares`]).
    ShareValue, 32
}
secret_key! {
    /// An X25519 private key in the shape age knows as an identity.
    AgeIdentity, 32, random
}

/// A secret of variable length: decrypted content, something typed or read.
///
/// In one allocation of its exact length, erased on drop.
pub struct SecretBytes(Box<[u8]>);

impl SecretBytes {
    /// Takes `bytes` over, and erases the vector they came in if they had to be moved out of it.
    pub fn new(mut bytes: Vec<u8>) -> Self {
        if bytes.len() == bytes.capacity() {
            return Self(bytes.into_boxed_slice());
        }
        let boxed = Box::from(bytes.as_slice());
        bytes.zeroize();
        Self(boxed)
    }

    /// Lends the bytes. The borrower makes no copy that it does not erase.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Copies `ciphertext` into its final place, for decryption there.
    pub(crate) fn for_decryption(ciphertext: &[u8]) -> Self {
        Self(Box::from(ciphertext))
    }

    pub(crate) fn buffer(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl ConstantTimeEq for SecretBytes {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl Drop for SecretBytes {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_names_the_kind_and_shows_no_byte() {
        let key = TenantKey::generate(&mut |buffer: &mut [u8]| buffer.fill(0xA5));
        assert_eq!(format!("{key:?}"), "TenantKey(..)");
        assert_eq!(format!("{:?}", SecretBytes::new(b"hunter2".to_vec())), "SecretBytes(..)");
    }

    #[test]
    fn parse_takes_exactly_the_length_of_the_key() {
        for length in [0, 31, 33, 48] {
            assert_eq!(TagKey::parse(&vec![7; length]).err(), Some(KeyLengthError { expected: 32 }));
        }
        assert_eq!(DatabaseKey::parse(&[7; 48]).unwrap().expose(), &[7; 48]);
    }

    #[test]
    fn keys_compare_by_their_bytes() {
        let one = TagKey::parse(&[1; 32]).unwrap();
        assert!(bool::from(one.ct_eq(&TagKey::parse(&[1; 32]).unwrap())));
        assert!(!bool::from(one.ct_eq(&TagKey::parse(&[2; 32]).unwrap())));
    }

    #[test]
    fn secret_bytes_keep_what_they_are_given_whatever_the_spare_capacity() {
        let mut roomy = Vec::with_capacity(64);
        roomy.extend_from_slice(b"abc");
        assert_eq!(SecretBytes::new(roomy).expose(), b"abc");
        assert_eq!(SecretBytes::new(b"abc".to_vec()).expose(), b"abc");
        assert!(SecretBytes::new(Vec::new()).expose().is_empty());
    }
}

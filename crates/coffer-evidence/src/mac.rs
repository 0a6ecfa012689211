//! The evolving key and the MACs it makes: whoever comes later cannot make again what was made before.
//! Layout: docs/FORMAT.md §6.3. Spec: HMAC (RFC 2104), HKDF-Expand (RFC 5869 §2.3), both with SHA-256. Pure.
//!
//! ```text
//! MAC(i)  = HMAC(K(i), label ‖ i ‖ leaf ‖ SHA-256(context ‖ number ‖ tag ‖ sealed))
//! K(i+1)  = HKDF-Expand(K(i), label, 32)
//! ```

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroize;

use crate::entry::EFFECT_TAG_BYTES;
use crate::label;

/// Length of a MAC, and of the key.
pub const MAC_BYTES: usize = 32;

/// One entry as it is stored: what anybody sees of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredEntry<'a> {
    /// Its place in the log, from 0.
    pub index: u64,
    /// What stands for it in the tree.
    pub leaf: [u8; 32],
    /// The sealing context it is sealed in: the index of that context's first entry.
    pub context: u64,
    /// Its number in that context, from 0.
    pub number: u32,
    /// For a write: the tag its effect is matched with.
    pub effect_tag: Option<[u8; EFFECT_TAG_BYTES]>,
    /// The sealed block.
    pub sealed: &'a [u8],
    /// Its MAC.
    pub mac: [u8; MAC_BYTES],
    /// Hashes of the tree's nodes that it completes, one after the other, lowest first.
    pub nodes: &'a [u8],
}

impl StoredEntry<'_> {
    fn sealed_digest(&self) -> [u8; 32] {
        let digest = Sha256::new()
            .chain_update(self.context.to_be_bytes())
            .chain_update(self.number.to_be_bytes())
            .chain_update([u8::from(self.effect_tag.is_some())])
            .chain_update(self.effect_tag.unwrap_or_default())
            .chain_update(self.sealed);
        digest.finalize().into()
    }
}

/// What of an entry its MAC covers, besides the index.
#[derive(Clone, Copy, Debug)]
pub struct MacInput {
    leaf: [u8; 32],
    sealed_digest: [u8; 32],
    mac: [u8; MAC_BYTES],
}

impl MacInput {
    /// Takes from an entry what its MAC covers, and the MAC.
    pub fn of(entry: &StoredEntry<'_>) -> Self {
        Self { leaf: entry.leaf, sealed_digest: entry.sealed_digest(), mac: entry.mac }
    }
}

/// The key `K(i)`, for the entry `i` alone.
pub struct EvolvingKey(Box<[u8; MAC_BYTES]>);

impl EvolvingKey {
    /// Takes a key as stored or as unsealed. The caller erases `bytes`.
    pub fn new(bytes: &[u8; MAC_BYTES]) -> Self {
        let mut key = Box::new([0; MAC_BYTES]);
        key.copy_from_slice(bytes);
        Self(key)
    }

    /// Lends the bytes, for storing. The borrower makes no copy that it does not erase.
    pub fn expose(&self) -> &[u8; MAC_BYTES] {
        &self.0
    }

    /// Computes the MAC of the entry this key is for. The entry's own `mac` is not looked at.
    pub fn mac(&self, entry: &StoredEntry<'_>) -> [u8; MAC_BYTES] {
        self.over(entry.index, &entry.leaf, &entry.sealed_digest()).finalize().into_bytes().into()
    }

    /// Tells whether `input`, at the place `index`, has the MAC this key makes; in constant time.
    pub fn matches(&self, index: u64, input: &MacInput) -> bool {
        self.over(index, &input.leaf, &input.sealed_digest).verify_slice(&input.mac).is_ok()
    }

    /// Tells whether the two are the same key, in constant time.
    pub fn is(&self, other: &Self) -> bool {
        self.hmac().verify_slice(&other.hmac().finalize().into_bytes()).is_ok()
    }

    /// Puts the next key in the place of this one, which cannot be had back.
    pub fn step(&mut self) {
        // HKDF-Expand of one block is HMAC(K, info ‖ 0x01); held to the hkdf crate by a test.
        let mut next = self.hmac().chain_update(label::LOG_STEP).chain_update([1]).finalize().into_bytes();
        self.0.copy_from_slice(&next);
        next.as_mut_slice().zeroize();
    }

    /// The same key again, for looking ahead.
    pub(crate) fn duplicate(&self) -> Self {
        Self::new(&self.0)
    }

    fn over(&self, index: u64, leaf: &[u8; 32], sealed_digest: &[u8; 32]) -> Hmac<Sha256> {
        self.hmac()
            .chain_update(label::LOG_MAC)
            .chain_update(index.to_be_bytes())
            .chain_update(leaf)
            .chain_update(sealed_digest)
    }

    fn hmac(&self) -> Hmac<Sha256> {
        Hmac::new_from_slice(self.0.as_slice()).expect("HMAC takes keys of any length")
    }
}

impl Drop for EvolvingKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for EvolvingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EvolvingKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(sealed: &[u8]) -> StoredEntry<'_> {
        StoredEntry {
            index: 7,
            leaf: [1; 32],
            context: 5,
            number: 2,
            effect_tag: None,
            sealed,
            mac: [0; 32],
            nodes: b"",
        }
    }

    #[test]
    fn a_step_is_hkdf_expand() {
        let mut key = EvolvingKey::new(&[9; 32]);
        key.step();
        let mut expected = [0; 32];
        hkdf::Hkdf::<Sha256>::from_prk(&[9; 32]).unwrap().expand(label::LOG_STEP, &mut expected).unwrap();
        assert_eq!(key.expose(), &expected);
    }

    #[test]
    fn a_mac_holds_for_one_key_one_index_and_every_stored_byte() {
        let mut key = EvolvingKey::new(&[9; 32]);
        let mut entry = stored(b"sealed");
        entry.mac = key.mac(&entry);
        assert!(key.matches(7, &MacInput::of(&entry)));
        assert!(!key.matches(8, &MacInput::of(&entry)));
        for changed in [
            StoredEntry { leaf: [2; 32], ..entry },
            StoredEntry { context: 6, ..entry },
            StoredEntry { number: 3, ..entry },
            StoredEntry { effect_tag: Some([0; 16]), ..entry },
            StoredEntry { sealed: b"sealeD", ..entry },
            StoredEntry { mac: [0; 32], ..entry },
        ] {
            assert!(!key.matches(7, &MacInput::of(&changed)), "{changed:?}");
        }
        key.step();
        assert!(!key.matches(7, &MacInput::of(&entry)));
    }

    #[test]
    fn debug_output_shows_no_byte() {
        assert_eq!(format!("{:?}", EvolvingKey::new(&[0xa5; 32])), "EvolvingKey(..)");
    }
}

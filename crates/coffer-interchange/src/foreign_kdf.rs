//! Key derivations that other programs' files ask for, each within bounds that are checked before anything is
//! allocated (THREAT-MODEL T7). Pure.
//!
//! Specs: RFC 9106 (Argon2), RFC 8018 §5.2 (PBKDF2), KeePass's AES-KDF. These keys open what somebody else wrote;
//! no key of a vault is derived here.

use aes::Aes256;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use cbc::cipher::{Block as CipherBlock, BlockCipherEncrypt, KeyInit};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use crate::source::SourceError;

/// Most memory of one derivation: 1 GiB, the most that KeePassXC and Bitwarden offer.
pub(crate) const MEMORY_KIB: u64 = 1024 * 1024;
/// Most memory written over all passes: 32 GiB, about half a minute.
pub(crate) const MEMORY_PASSES_KIB: u64 = 32 * 1024 * 1024;
/// Most lanes.
pub(crate) const LANES: u32 = 64;
/// Most rounds of AES-KDF: KeePassXC's slider ends lower; about a minute.
pub(crate) const AES_ROUNDS: u64 = 500_000_000;
/// Most iterations of PBKDF2: Bitwarden allows 2,000,000.
pub(crate) const PBKDF2_ITERATIONS: u32 = 10_000_000;

/// A key of 32 bytes, erased when dropped.
pub(crate) type Key = Zeroizing<[u8; 32]>;

/// Which Argon2, at which cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Argon2Cost {
    pub algorithm: Algorithm,
    pub version: Version,
    pub memory_kib: u64,
    pub passes: u64,
    pub lanes: u32,
}

impl Argon2Cost {
    /// Whether the cost is one that a program would offer; judged before anything is allocated.
    pub fn check(&self) -> Result<Params, SourceError> {
        let written = self.memory_kib.saturating_mul(self.passes);
        if self.memory_kib > MEMORY_KIB || written > MEMORY_PASSES_KIB || self.lanes > LANES {
            return Err(SourceError::KdfTooCostly);
        }
        let small = |number: u64| u32::try_from(number).map_err(|_| SourceError::KdfTooCostly);
        Params::new(small(self.memory_kib)?, small(self.passes)?, self.lanes, Some(32))
            .map_err(|_| SourceError::Damaged)
    }
}

/// Argon2 of a secret.
pub(crate) fn derive_argon2(secret: &[u8], salt: &[u8], cost: &Argon2Cost) -> Result<Key, SourceError> {
    let params = cost.check()?;
    let mut memory = Blocks::new(params.block_count())?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(cost.algorithm, cost.version, params)
        .hash_password_into_with_memory(secret, salt, key.as_mut_slice(), memory.0.as_mut_slice())
        .map_err(|_| SourceError::Damaged)?;
    Ok(key)
}

/// Argon2's memory, erased when dropped.
struct Blocks(Vec<Block>);

impl Blocks {
    fn new(count: usize) -> Result<Self, SourceError> {
        let mut blocks = Vec::new();
        blocks.try_reserve_exact(count).map_err(|_| SourceError::OutOfMemory)?;
        blocks.resize(count, Block::default());
        Ok(Self(blocks))
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        for block in &mut self.0 {
            block.as_mut().zeroize();
        }
    }
}

/// Whether AES-KDF's cost is one that a program would offer.
pub(crate) fn check_aes_rounds(rounds: u64) -> Result<(), SourceError> {
    if rounds > AES_ROUNDS { Err(SourceError::KdfTooCostly) } else { Ok(()) }
}

/// AES-KDF: both halves of the key encrypted `rounds` times under `seed`, then hashed.
pub(crate) fn derive_aes_kdf(key: &[u8; 32], seed: &[u8; 32], rounds: u64) -> Result<Key, SourceError> {
    check_aes_rounds(rounds)?;
    let cipher = Aes256::new(&(*seed).into());
    let mut halves = [CipherBlock::<Aes256>::default(), CipherBlock::<Aes256>::default()];
    halves[0].copy_from_slice(&key[..16]);
    halves[1].copy_from_slice(&key[16..]);
    for _ in 0..rounds {
        cipher.encrypt_blocks(&mut halves);
    }
    let mut hash = Sha256::new();
    for half in &mut halves {
        hash.update(&half);
        half.as_mut_slice().zeroize();
    }
    Ok(Zeroizing::new(hash.finalize().into()))
}

/// PBKDF2-HMAC-SHA-256 of a secret.
pub(crate) fn derive_pbkdf2(secret: &[u8], salt: &[u8], iterations: u32) -> Result<Key, SourceError> {
    if iterations > PBKDF2_ITERATIONS {
        return Err(SourceError::KdfTooCostly);
    }
    if iterations == 0 {
        return Err(SourceError::Damaged);
    }
    let mut key = Zeroizing::new([0; 32]);
    pbkdf2::pbkdf2_hmac::<Sha256>(secret, salt, iterations, key.as_mut_slice());
    Ok(key)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    const COST: Argon2Cost =
        Argon2Cost { algorithm: Algorithm::Argon2id, version: Version::V0x13, memory_kib: 8, passes: 1, lanes: 1 };

    #[test]
    fn absurd_costs_are_refused_before_any_work() {
        let begun = Instant::now();
        for cost in [
            Argon2Cost { memory_kib: MEMORY_KIB + 1, ..COST },
            Argon2Cost { memory_kib: u64::MAX, passes: u64::MAX, ..COST },
            Argon2Cost { passes: MEMORY_PASSES_KIB, ..COST },
            Argon2Cost { lanes: LANES + 1, ..COST },
        ] {
            assert!(matches!(derive_argon2(b"x", b"12345678", &cost), Err(SourceError::KdfTooCostly)), "{cost:?}");
        }
        assert!(matches!(derive_aes_kdf(&[0; 32], &[0; 32], AES_ROUNDS + 1), Err(SourceError::KdfTooCostly)));
        assert!(matches!(derive_pbkdf2(b"x", b"y", u32::MAX), Err(SourceError::KdfTooCostly)));
        assert!(begun.elapsed().as_millis() < 50);
    }

    #[test]
    fn costs_that_mean_nothing_are_damage() {
        for cost in
            [Argon2Cost { memory_kib: 0, ..COST }, Argon2Cost { passes: 0, ..COST }, Argon2Cost { lanes: 0, ..COST }]
        {
            assert!(matches!(derive_argon2(b"x", b"12345678", &cost), Err(SourceError::Damaged)), "{cost:?}");
        }
        assert!(matches!(derive_pbkdf2(b"x", b"y", 0), Err(SourceError::Damaged)));
    }

    /// RFC 7914 §11.
    #[test]
    fn pbkdf2_gives_the_published_key() {
        let key = derive_pbkdf2(b"passwd", b"salt", 1).unwrap();
        assert_eq!(hex::encode(*key), "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
    }
}

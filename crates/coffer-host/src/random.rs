//! The operating system's randomness: `getrandom(2)` and its kin.

use coffer_core::host::Random;

/// Randomness straight from the operating system; nothing is kept or stretched in this process.
pub(crate) struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, buffer: &mut [u8]) {
        // There is no safe way on: keys from anything less are no keys.
        getrandom::fill(buffer).expect("the operating system gives randomness once it has booted");
    }
}

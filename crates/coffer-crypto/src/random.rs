//! Randomness as an argument. Pure.

/// Gives random bytes fit for keys.
///
/// There is no error: a machine without randomness cannot run Coffer, and whoever implements this ends the process
/// rather than return weaker bytes. Any `FnMut(&mut [u8])` is one, so a host's own source needs no adapter type.
pub trait Random {
    /// Fills all of `buffer`.
    fn fill(&mut self, buffer: &mut [u8]);
}

impl<F: FnMut(&mut [u8])> Random for F {
    fn fill(&mut self, buffer: &mut [u8]) {
        self(buffer);
    }
}

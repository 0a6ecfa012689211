//! AES-256-GCM with a key that is used once, hence with the zero nonce, or for one stream of numbered chunks.
//! Spec: NIST SP 800-38D. Pure.
//!
//! Kept inside the crate: GCM does not commit to its key, so everything outside goes through [`crate::wrap`],
//! [`crate::seal`] or [`crate::stream`], which do.

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::aead::{AeadInOut, KeyInit, Nonce, Tag};

/// Length of GCM's nonce.
pub(crate) const NONCE_BYTES: usize = 12;
/// Length of GCM's tag.
pub(crate) const TAG_BYTES: usize = 16;

/// The tag does not fit key, associated data and ciphertext.
pub(crate) struct Forged;

/// Encrypts `buffer` where it stands and returns the tag.
pub(crate) fn encrypt_once(key: &[u8; 32], associated: &[u8], buffer: &mut [u8]) -> [u8; TAG_BYTES] {
    Aes256Gcm::new(key.into())
        .encrypt_inout_detached(&Nonce::<Aes256Gcm>::default(), associated, InOutBuf::from(buffer))
        .expect("content held in memory is below GCM's limit of 64 GiB")
        .into()
}

/// Decrypts `buffer` where it stands. On failure its content is not to be used.
pub(crate) fn decrypt_once(
    key: &[u8; 32],
    associated: &[u8],
    buffer: &mut [u8],
    tag: &[u8; TAG_BYTES],
) -> Result<(), Forged> {
    let tag = Tag::<Aes256Gcm>::from(*tag);
    Aes256Gcm::new(key.into())
        .decrypt_inout_detached(&Nonce::<Aes256Gcm>::default(), associated, InOutBuf::from(buffer), &tag)
        .map_err(|_| Forged)
}

/// One key for the chunks of one stream, whose nonces the caller never repeats.
pub(crate) struct ChunkCipher(Aes256Gcm);

impl ChunkCipher {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(Aes256Gcm::new(key.into()))
    }

    /// Encrypts `buffer` where it stands and returns the tag.
    pub(crate) fn encrypt(&self, nonce: &[u8; NONCE_BYTES], associated: &[u8], buffer: &mut [u8]) -> [u8; TAG_BYTES] {
        self.0
            .encrypt_inout_detached(&(*nonce).into(), associated, InOutBuf::from(buffer))
            .expect("a chunk is below GCM's limit of 64 GiB")
            .into()
    }

    /// Decrypts `buffer` where it stands. On failure its content is not to be used.
    pub(crate) fn decrypt(
        &self,
        nonce: &[u8; NONCE_BYTES],
        associated: &[u8],
        buffer: &mut [u8],
        tag: &[u8; TAG_BYTES],
    ) -> Result<(), Forged> {
        let tag = Tag::<Aes256Gcm>::from(*tag);
        self.0.decrypt_inout_detached(&(*nonce).into(), associated, InOutBuf::from(buffer), &tag).map_err(|_| Forged)
    }
}

//! The inside of a KDBX 4 file: the inner header with its attachments, then the XML; and the stream that protects single
//! values in it. Pure.

use cbc::cipher::{KeyIvInit, StreamCipher};
use chacha20::ChaCha20;
use salsa20::Salsa20;
use sha2::{Digest, Sha256, Sha512};
use zeroize::Zeroizing;

use super::container::{next_field, u32_of};
use crate::neutral::limits;
use crate::source::{SourceError, TEXT_BYTES};

/// Numbers of the inner header's fields.
pub(super) mod field {
    pub const END: u8 = 0;
    pub const STREAM: u8 = 1;
    pub const STREAM_KEY: u8 = 2;
    pub const BINARY: u8 = 3;
}

/// `ChaCha20`, the only stream that KDBX 4 files are written with.
pub(super) const CHACHA20: u32 = 3;

/// What is inside.
pub(super) struct Payload<'p> {
    /// Files, without the byte of flags before each.
    pub binaries: Vec<&'p [u8]>,
    /// The document.
    pub xml: &'p str,
    /// What protects values in it.
    pub stream: ProtectedStream,
}

/// Takes the inside apart.
pub(super) fn parse(bytes: &[u8]) -> Result<Payload<'_>, SourceError> {
    let (mut rest, mut binaries, mut stream, mut key) = (bytes, Vec::new(), None, None);
    loop {
        let (number, value, after) = next_field(rest)?;
        rest = after;
        match number {
            field::END => break,
            field::STREAM => stream = Some(u32_of(value)?),
            field::STREAM_KEY => key = Some(value),
            field::BINARY if binaries.len() < limits::ENTRIES => {
                binaries.push(value.split_first().ok_or(SourceError::Damaged)?.1);
            }
            field::BINARY => return Err(SourceError::TooMany),
            _ => {}
        }
    }
    if stream != Some(CHACHA20) {
        return Err(if stream.is_none() { SourceError::Damaged } else { SourceError::Unsupported });
    }
    if rest.len() as u64 > TEXT_BYTES {
        return Err(SourceError::TooLarge);
    }
    let xml = std::str::from_utf8(rest).map_err(|_| SourceError::Damaged)?;
    Ok(Payload { binaries, xml, stream: ProtectedStream::new(key.ok_or(SourceError::Damaged)?) })
}

/// The stream cipher that goes through all protected values in the order of the document.
pub(super) struct ProtectedStream(Cipher);

enum Cipher {
    ChaCha20(Box<ChaCha20>),
    /// KDBX 3.1.
    Salsa20(Box<Salsa20>),
}

impl ProtectedStream {
    pub fn new(key: &[u8]) -> Self {
        let hash: Zeroizing<[u8; 64]> = Zeroizing::new(Sha512::digest(key).into());
        let cipher = ChaCha20::new_from_slices(&hash[..32], &hash[32..44]);
        Self(Cipher::ChaCha20(Box::new(cipher.expect("32 bytes are a key and 12 a nonce"))))
    }

    /// As KDBX 3.1 uses it, with a nonce that is the same in every file.
    pub fn salsa20(key: &[u8]) -> Self {
        const NONCE: [u8; 8] = [0xE8, 0x30, 0x09, 0x4B, 0x97, 0x20, 0x5D, 0x2A];
        let hash: Zeroizing<[u8; 32]> = Zeroizing::new(Sha256::digest(key).into());
        let cipher = Salsa20::new_from_slices(hash.as_slice(), &NONCE);
        Self(Cipher::Salsa20(Box::new(cipher.expect("32 bytes are a key and 8 a nonce"))))
    }

    /// Protects or unprotects the next value.
    pub fn apply(&mut self, value: &mut [u8]) -> Result<(), SourceError> {
        let applied = match &mut self.0 {
            Cipher::ChaCha20(cipher) => cipher.try_apply_keystream(value),
            Cipher::Salsa20(cipher) => cipher.try_apply_keystream(value),
        };
        applied.map_err(|_| SourceError::TooLarge)
    }
}

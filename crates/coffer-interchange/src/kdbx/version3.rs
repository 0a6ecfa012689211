//! KDBX 3.1, which `keepassxc-cli` still writes unless asked for more: header, AES-KDF, hashed blocks, Salsa20. Read only.
//! Pure. The format does not authenticate its header; what a wrong key gives is told by 32 bytes known before.

use aes::Aes256;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::container::{VERSION_END, id, u32_of, u64_of};
use super::key;
use super::payload::{CHACHA20, ProtectedStream};
use crate::foreign_kdf::{self, Key};
use crate::source::{EXPANDED_BYTES, SourceError, SourceKeys, TEXT_BYTES, expand};

/// The major version that is read here.
pub(super) const MAJOR: u16 = 3;
/// `Salsa20` as the stream that protects values.
const SALSA20: u32 = 2;

/// Numbers of header fields.
mod field {
    pub const END: u8 = 0;
    pub const CIPHER: u8 = 2;
    pub const COMPRESSION: u8 = 3;
    pub const MASTER_SEED: u8 = 4;
    pub const TRANSFORM_SEED: u8 = 5;
    pub const TRANSFORM_ROUNDS: u8 = 6;
    pub const IV: u8 = 7;
    pub const STREAM_KEY: u8 = 8;
    pub const START_BYTES: u8 = 9;
    pub const STREAM: u8 = 10;
}

/// What a header says, field by field.
#[derive(Default)]
struct Header<'f> {
    fields: [Option<&'f [u8]>; 11],
}

impl<'f> Header<'f> {
    fn parse(file: &'f [u8]) -> Result<(Self, &'f [u8]), SourceError> {
        let mut header = Self::default();
        let mut rest = file.get(VERSION_END..).ok_or(SourceError::Damaged)?;
        loop {
            let (&number, after) = rest.split_first().ok_or(SourceError::Damaged)?;
            let (length, after) = after.split_first_chunk::<2>().ok_or(SourceError::Damaged)?;
            let length = usize::from(u16::from_le_bytes(*length));
            let (value, after) = after.split_at_checked(length).ok_or(SourceError::Damaged)?;
            rest = after;
            if number == field::END {
                return Ok((header, rest));
            }
            if let Some(place) = header.fields.get_mut(usize::from(number)) {
                *place = Some(value);
            }
        }
    }

    fn field(&self, number: u8) -> Result<&'f [u8], SourceError> {
        self.fields.get(usize::from(number)).copied().flatten().ok_or(SourceError::Damaged)
    }

    fn seed(&self, number: u8) -> Result<[u8; 32], SourceError> {
        self.field(number)?.try_into().map_err(|_| SourceError::Damaged)
    }
}

/// Opens a file: its document, and what protects values in it.
pub(super) fn open(file: &[u8], keys: &SourceKeys) -> Result<(Zeroizing<Vec<u8>>, ProtectedStream), SourceError> {
    let (header, encrypted) = Header::parse(file)?;
    let rounds = u64_of(header.field(field::TRANSFORM_ROUNDS)?)?;
    foreign_kdf::check_aes_rounds(rounds)?;
    if header.field(field::CIPHER)? != id::AES_256 {
        return Err(SourceError::Unsupported);
    }
    let transformed =
        foreign_kdf::derive_aes_kdf(&*key::composite(keys)?, &header.seed(field::TRANSFORM_SEED)?, rounds)?;
    let hash = Sha256::new().chain_update(header.seed(field::MASTER_SEED)?).chain_update(transformed.as_slice());
    let key: Key = Zeroizing::new(hash.finalize().into());
    let mode = cbc::Decryptor::<Aes256>::new_from_slices(key.as_slice(), header.field(field::IV)?);
    let mut bytes = Zeroizing::new(encrypted.to_vec());
    // A wrong key shows as wrong padding, too.
    let opened = mode.map_err(|_| SourceError::Damaged)?.decrypt_padded::<Pkcs7>(&mut bytes);
    let opened = opened.map_err(|_| SourceError::WrongKey)?;
    let blocks = opened.strip_prefix(&header.seed(field::START_BYTES)?).ok_or(SourceError::WrongKey)?;
    let payload = read_blocks(blocks)?;
    let document = match u32_of(header.field(field::COMPRESSION)?)? {
        0 => payload,
        1 => expand(&mut GzDecoder::new(payload.as_slice()), payload.len() as u64, EXPANDED_BYTES)?,
        _ => return Err(SourceError::Unsupported),
    };
    if document.len() as u64 > TEXT_BYTES {
        return Err(SourceError::TooLarge);
    }
    let stream_key = header.field(field::STREAM_KEY)?;
    let stream = match u32_of(header.field(field::STREAM)?)? {
        SALSA20 => ProtectedStream::salsa20(stream_key),
        CHACHA20 => ProtectedStream::new(stream_key),
        _ => return Err(SourceError::Unsupported),
    };
    Ok((document, stream))
}

/// Every block's data, each held against its hash. An empty block ends them.
fn read_blocks(mut blocks: &[u8]) -> Result<Zeroizing<Vec<u8>>, SourceError> {
    let mut data = Zeroizing::new(Vec::with_capacity(blocks.len()));
    for index in 0_u32.. {
        let (number, rest) = blocks.split_first_chunk::<4>().ok_or(SourceError::Damaged)?;
        let (hash, rest) = rest.split_first_chunk::<32>().ok_or(SourceError::Damaged)?;
        let (length, rest) = rest.split_first_chunk::<4>().ok_or(SourceError::Damaged)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| SourceError::Damaged)?;
        let (block, rest) = rest.split_at_checked(length).ok_or(SourceError::Damaged)?;
        if u32::from_le_bytes(*number) != index {
            return Err(SourceError::Damaged);
        }
        if block.is_empty() {
            break;
        }
        if Sha256::digest(block).as_slice() != hash {
            return Err(SourceError::Damaged);
        }
        data.extend_from_slice(block);
        blocks = rest;
    }
    if data.len() as u64 <= EXPANDED_BYTES { Ok(data) } else { Err(SourceError::TooLarge) }
}

//! The outside of a KDBX 4 file: header, key derivation, authenticated blocks, cipher, compression. Pure.
//! Nothing is decrypted before its MAC was checked, and nothing is derived before its cost was.

use aes::Aes256;
use argon2::{Algorithm, Version};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit, StreamCipher};
use chacha20::ChaCha20;
use flate2::read::GzDecoder;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha512};
use zeroize::Zeroizing;

use super::{ANY_SIGNATURE, SIGNATURE, key};
use crate::foreign_kdf::{self, Argon2Cost, Key};
use crate::source::{EXPANDED_BYTES, SourceError, SourceKeys, expand};

/// The major version that is read here.
const MAJOR: u16 = 4;
/// Where signature and version end and the header's fields begin.
pub(super) const VERSION_END: usize = 12;
/// Most bytes of the header altogether. Real ones have a few hundred; plugins may add data of their own.
const HEADER_BYTES: usize = 1024 * 1024;

/// Identifiers of ciphers and key derivations.
pub(super) mod id {
    pub const AES_256: [u8; 16] = *b"\x31\xC1\xF2\xE6\xBF\x71\x43\x50\xBE\x58\x05\x21\x6A\xFC\x5A\xFF";
    pub const TWOFISH: [u8; 16] = *b"\xAD\x68\xF2\x9F\x57\x6F\x4B\xB9\xA3\x6A\xD4\x7A\xF9\x65\x34\x6C";
    pub const CHACHA20: [u8; 16] = *b"\xD6\x03\x8A\x2B\x8B\x6F\x4C\xB5\xA5\x24\x33\x9A\x31\xDB\xB5\x9A";
    pub const ARGON2D: [u8; 16] = *b"\xEF\x63\x6D\xDF\x8C\x29\x44\x4B\x91\xF7\xA9\xA4\x03\xE3\x0A\x0C";
    pub const ARGON2ID: [u8; 16] = *b"\x9E\x29\x8B\x19\x56\xDB\x47\x73\xB2\x3D\xFC\x3E\xC6\xF0\xA1\xE6";
    pub const AES_KDF: [u8; 16] = *b"\xC9\xD9\xF3\x9A\x62\x8A\x44\x60\xBF\x74\x0D\x08\xC1\x8A\x4F\xEA";
    pub const AES_KDF_4: [u8; 16] = *b"\x7C\x02\xBB\x82\x79\xA7\x4A\xC0\x92\x7D\x11\x4A\x00\x64\x82\x38";
}

/// Numbers of header fields.
pub(super) mod field {
    pub const END: u8 = 0;
    pub const CIPHER: u8 = 2;
    pub const COMPRESSION: u8 = 3;
    pub const MASTER_SEED: u8 = 4;
    pub const IV: u8 = 7;
    pub const KDF: u8 = 11;
}

/// What a header says.
struct Header<'f> {
    cipher: [u8; 16],
    compressed: bool,
    master_seed: [u8; 32],
    iv: &'f [u8],
    kdf: Kdf<'f>,
}

/// How the key is derived.
#[derive(Debug)]
enum Kdf<'f> {
    Argon2 { salt: &'f [u8], cost: Argon2Cost },
    Aes { seed: [u8; 32], rounds: u64 },
}

/// Opens a file: what was in it before compression and encryption.
pub(super) fn open(file: &[u8], keys: &SourceKeys) -> Result<Zeroizing<Vec<u8>>, SourceError> {
    let (header, length) = parse_header(file)?;
    header.kdf.check()?;
    let (head, rest) = file.split_at(length);
    let (hash, rest) = rest.split_at_checked(32).ok_or(SourceError::Damaged)?;
    let (mac, blocks) = rest.split_at_checked(32).ok_or(SourceError::Damaged)?;
    if Sha256::digest(head).as_slice() != hash {
        return Err(SourceError::Damaged);
    }
    let transformed = header.kdf.derive(&key::composite(keys)?)?;
    let block_keys = BlockKeys::new(&header.master_seed, &transformed);
    block_keys.header_mac(head).verify_slice(mac).map_err(|_| SourceError::WrongKey)?;
    let encrypted = block_keys.read(blocks)?;
    let key: Key = Zeroizing::new(
        Sha256::new().chain_update(header.master_seed).chain_update(transformed.as_slice()).finalize().into(),
    );
    let payload = decrypt(header.cipher, &key, header.iv, encrypted)?;
    if !header.compressed {
        return Ok(payload);
    }
    expand(&mut GzDecoder::new(payload.as_slice()), payload.len() as u64, EXPANDED_BYTES)
}

/// The major version of a file.
pub(super) fn version(file: &[u8]) -> Result<u16, SourceError> {
    let (signature, rest) = file.split_first_chunk::<8>().ok_or(SourceError::Damaged)?;
    if *signature != SIGNATURE {
        return Err(if file.starts_with(&ANY_SIGNATURE) { SourceError::OtherVersion } else { SourceError::Damaged });
    }
    let version = rest.first_chunk::<4>().ok_or(SourceError::Damaged)?;
    Ok(u16::from_le_bytes([version[2], version[3]]))
}

pub(super) fn decrypt(
    cipher: [u8; 16],
    key: &Key,
    iv: &[u8],
    mut bytes: Zeroizing<Vec<u8>>,
) -> Result<Zeroizing<Vec<u8>>, SourceError> {
    let damaged = |_| SourceError::Damaged;
    let length = match cipher {
        id::AES_256 => {
            let mode = cbc::Decryptor::<Aes256>::new_from_slices(key.as_slice(), iv).map_err(damaged)?;
            mode.decrypt_padded::<Pkcs7>(&mut bytes).map_err(|_| SourceError::Damaged)?.len()
        }
        id::TWOFISH => {
            let mode = cbc::Decryptor::<twofish::Twofish>::new_from_slices(key.as_slice(), iv).map_err(damaged)?;
            mode.decrypt_padded::<Pkcs7>(&mut bytes).map_err(|_| SourceError::Damaged)?.len()
        }
        id::CHACHA20 => {
            let mut stream = ChaCha20::new_from_slices(key.as_slice(), iv).map_err(damaged)?;
            stream.try_apply_keystream(&mut bytes).map_err(|_| SourceError::TooLarge)?;
            bytes.len()
        }
        _ => return Err(SourceError::Unsupported),
    };
    bytes.truncate(length);
    Ok(bytes)
}

impl Kdf<'_> {
    /// Refuses an absurd cost before the passphrase is even looked at.
    fn check(&self) -> Result<(), SourceError> {
        match self {
            Self::Argon2 { cost, .. } => cost.check().map(drop),
            Self::Aes { rounds, .. } => foreign_kdf::check_aes_rounds(*rounds),
        }
    }

    fn derive(&self, composite: &Key) -> Result<Key, SourceError> {
        match self {
            Self::Argon2 { salt, cost } => foreign_kdf::derive_argon2(composite.as_slice(), salt, cost),
            Self::Aes { seed, rounds } => foreign_kdf::derive_aes_kdf(composite, seed, *rounds),
        }
    }
}

/// The keys under which header and blocks are authenticated.
pub(super) struct BlockKeys(Zeroizing<[u8; 64]>);

impl BlockKeys {
    pub fn new(master_seed: &[u8; 32], transformed: &Key) -> Self {
        let hash = Sha512::new().chain_update(master_seed).chain_update(transformed.as_slice()).chain_update([1]);
        Self(Zeroizing::new(hash.finalize().into()))
    }

    fn mac_of(&self, index: u64) -> Hmac<Sha256> {
        let key: Zeroizing<[u8; 64]> = Zeroizing::new(
            Sha512::new().chain_update(index.to_le_bytes()).chain_update(self.0.as_slice()).finalize().into(),
        );
        Hmac::new_from_slice(key.as_slice()).expect("HMAC takes a key of any length")
    }

    pub fn header_mac(&self, header: &[u8]) -> Hmac<Sha256> {
        self.mac_of(u64::MAX).chain_update(header)
    }

    pub fn block_mac(&self, index: u64, data: &[u8]) -> Hmac<Sha256> {
        let length = u32::try_from(data.len()).expect("blocks are shorter than 4 GiB");
        self.mac_of(index).chain_update(index.to_le_bytes()).chain_update(length.to_le_bytes()).chain_update(data)
    }

    /// Every block's data, each authenticated first. Nothing may follow the empty block that ends the file.
    fn read(&self, mut blocks: &[u8]) -> Result<Zeroizing<Vec<u8>>, SourceError> {
        let mut data = Zeroizing::new(Vec::with_capacity(blocks.len()));
        for index in 0_u64.. {
            let (mac, rest) = blocks.split_at_checked(32).ok_or(SourceError::Damaged)?;
            let (length, rest) = rest.split_first_chunk::<4>().ok_or(SourceError::Damaged)?;
            let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| SourceError::Damaged)?;
            let (block, rest) = rest.split_at_checked(length).ok_or(SourceError::Damaged)?;
            self.block_mac(index, block).verify_slice(mac).map_err(|_| SourceError::Damaged)?;
            data.extend_from_slice(block);
            blocks = rest;
            if block.is_empty() {
                break;
            }
        }
        if blocks.is_empty() && (data.len() as u64) <= EXPANDED_BYTES { Ok(data) } else { Err(SourceError::Damaged) }
    }
}

/// Reads the header; gives its length as well.
fn parse_header(file: &[u8]) -> Result<(Header<'_>, usize), SourceError> {
    if version(file)? != MAJOR {
        return Err(SourceError::OtherVersion);
    }
    let mut rest = file.get(VERSION_END..).ok_or(SourceError::Damaged)?;
    let (mut cipher, mut compression, mut master_seed, mut iv, mut kdf) = (None, None, None, None, None);
    loop {
        let (number, value, after) = next_field(rest)?;
        rest = after;
        if file.len() - rest.len() > HEADER_BYTES {
            return Err(SourceError::Damaged);
        }
        match number {
            field::END => break,
            field::CIPHER => cipher = Some(value.try_into().map_err(|_| SourceError::Damaged)?),
            field::COMPRESSION => compression = Some(u32_of(value)?),
            field::MASTER_SEED => master_seed = Some(value.try_into().map_err(|_| SourceError::Damaged)?),
            field::IV => iv = Some(value),
            field::KDF => kdf = Some(parse_kdf(value)?),
            // Comments and data of plugins.
            _ => {}
        }
    }
    let compressed = match compression.ok_or(SourceError::Damaged)? {
        0 => false,
        1 => true,
        _ => return Err(SourceError::Unsupported),
    };
    let missing = SourceError::Damaged;
    let (Some(cipher), Some(master_seed), Some(iv), Some(kdf)) = (cipher, master_seed, iv, kdf) else {
        return Err(missing);
    };
    Ok((Header { cipher, compressed, master_seed, iv, kdf }, file.len() - rest.len()))
}

/// One field: a number, a length of four bytes, and so many bytes.
pub(super) fn next_field(bytes: &[u8]) -> Result<(u8, &[u8], &[u8]), SourceError> {
    let (&number, rest) = bytes.split_first().ok_or(SourceError::Damaged)?;
    let (length, rest) = rest.split_first_chunk::<4>().ok_or(SourceError::Damaged)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| SourceError::Damaged)?;
    let (value, rest) = rest.split_at_checked(length).ok_or(SourceError::Damaged)?;
    Ok((number, value, rest))
}

pub(super) fn u32_of(bytes: &[u8]) -> Result<u32, SourceError> {
    bytes.try_into().map(u32::from_le_bytes).map_err(|_| SourceError::Damaged)
}

pub(super) fn u64_of(bytes: &[u8]) -> Result<u64, SourceError> {
    bytes.try_into().map(u64::from_le_bytes).map_err(|_| SourceError::Damaged)
}

/// Reads the parameters of the key derivation: a dictionary of typed values, version 1.x.
fn parse_kdf(bytes: &[u8]) -> Result<Kdf<'_>, SourceError> {
    let (version, mut rest) = bytes.split_first_chunk::<2>().ok_or(SourceError::Damaged)?;
    if version[1] != 1 {
        return Err(SourceError::OtherVersion);
    }
    let mut values: Vec<(&[u8], &[u8])> = Vec::new();
    loop {
        let (&kind, after) = rest.split_first().ok_or(SourceError::Damaged)?;
        if kind == 0 {
            break;
        }
        let part = |bytes: &'_ [u8]| -> Result<(usize, usize), SourceError> {
            let (length, _) = bytes.split_first_chunk::<4>().ok_or(SourceError::Damaged)?;
            let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| SourceError::Damaged)?;
            let end = length.checked_add(4).filter(|end| *end <= bytes.len()).ok_or(SourceError::Damaged)?;
            Ok((4, end))
        };
        let (start, end) = part(after)?;
        let (name, after) = (&after[start..end], &after[end..]);
        let (start, end) = part(after)?;
        values.push((name, &after[start..end]));
        rest = &after[end..];
    }
    let value = |name: &str| values.iter().find(|(known, _)| *known == name.as_bytes()).map(|(_, value)| *value);
    let needed = |name: &str| value(name).ok_or(SourceError::Damaged);
    let uuid: [u8; 16] = needed("$UUID")?.try_into().map_err(|_| SourceError::Damaged)?;
    let algorithm = match uuid {
        id::ARGON2D => Algorithm::Argon2d,
        id::ARGON2ID => Algorithm::Argon2id,
        id::AES_KDF | id::AES_KDF_4 => {
            let seed = needed("S")?.try_into().map_err(|_| SourceError::Damaged)?;
            return Ok(Kdf::Aes { seed, rounds: u64_of(needed("R")?)? });
        }
        _ => return Err(SourceError::Unsupported),
    };
    let is_empty = |name: &str| value(name).is_none_or(<[u8]>::is_empty);
    if !is_empty("K") || !is_empty("A") {
        return Err(SourceError::Unsupported);
    }
    let version = match u32_of(needed("V")?)? {
        0x10 => Version::V0x10,
        0x13 => Version::V0x13,
        _ => return Err(SourceError::Unsupported),
    };
    let memory_kib = u64_of(needed("M")?)? / 1024;
    let cost =
        Argon2Cost { algorithm, version, memory_kib, passes: u64_of(needed("I")?)?, lanes: u32_of(needed("P")?)? };
    Ok(Kdf::Argon2 { salt: needed("S")?, cost })
}

//! KeePass databases. What a fuzzer changes lies behind a MAC and a cipher, so the outside is made anew around it, at the
//! least cost a key derivation can have.

use aes::Aes256;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit};
use coffer_interchange::source::{Format, SourceKeys};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha512};
use zeroize::Zeroizing;

use crate::Target;
use crate::sources::read;

/// What is inside a KDBX 4 file: inner header and document.
pub const PAYLOAD: Target = Target { name: "kdbx_payload", feed: payload, seeds: payload_seeds };
/// The document alone.
pub const DOCUMENT: Target = Target { name: "kdbx_document", feed: document, seeds: document_seeds };
/// A whole file of version 3.1, its header included.
pub const OLDER: Target = Target { name: "kdbx_3", feed: older, seeds: older_seeds };

const PASSPHRASE: &[u8] = b"x";
const AES_256: [u8; 16] = *b"\x31\xC1\xF2\xE6\xBF\x71\x43\x50\xBE\x58\x05\x21\x6A\xFC\x5A\xFF";
const AES_KDF: [u8; 16] = *b"\xC9\xD9\xF3\x9A\x62\x8A\x44\x60\xBF\x74\x0D\x08\xC1\x8A\x4F\xEA";
/// An inner header that names `ChaCha20`, and nothing else.
const INNER_HEADER: &[u8] = b"\x01\x04\x00\x00\x00\x03\x00\x00\x00\x02\x01\x00\x00\x00k\x00\x00\x00\x00\x00";

fn keys() -> SourceKeys {
    SourceKeys { passphrase: Some(Zeroizing::new(PASSPHRASE.to_vec())), key_file: None }
}

fn payload(bytes: &[u8]) {
    read(Format::Kdbx, &file(bytes), &keys());
}

fn payload_seeds() -> Vec<Vec<u8>> {
    let with_binary = [&b"\x03\x05\x00\x00\x00\x00file"[..], INNER_HEADER].concat();
    let document = document_seeds().concat();
    vec![[INNER_HEADER, &document].concat(), [&with_binary, document.as_slice()].concat()]
}

fn document(bytes: &[u8]) {
    payload(&[INNER_HEADER, bytes].concat());
}

fn document_seeds() -> Vec<Vec<u8>> {
    vec![include_bytes!("../../crates/coffer-interchange/tests/data/keepassxc.xml").to_vec()]
}

/// Most rounds of AES-KDF tried: what costs more is refused elsewhere, and only takes a fuzzer's time here.
const ROUNDS: u64 = 1_000;

fn older(bytes: &[u8]) {
    if rounds_of_older(bytes).is_none_or(|rounds| rounds <= ROUNDS) {
        read(Format::Kdbx, bytes, &keys());
    }
}

/// What the header of version 3.1 asks for; the last one counts.
fn rounds_of_older(file: &[u8]) -> Option<u64> {
    const TRANSFORM_ROUNDS: u8 = 6;
    let (mut rest, mut found) = (file.get(12..)?, None);
    while let Some((&[number, low, high], after)) = rest.split_first_chunk::<3>() {
        let length = usize::from(u16::from_le_bytes([low, high]));
        let Some((value, after)) = after.split_at_checked(length) else { break };
        if number == TRANSFORM_ROUNDS {
            found = value.try_into().ok().map(u64::from_le_bytes);
        }
        if number == 0 {
            break;
        }
        rest = after;
    }
    found
}

fn older_seeds() -> Vec<Vec<u8>> {
    let field = |number: u8, value: &[u8]| {
        let length = u16::try_from(value.len()).unwrap().to_le_bytes();
        [&[number][..], &length, value].concat()
    };
    let head = [
        &b"\x03\xD9\xA2\x9A\x67\xFB\x4B\xB5\x01\x00\x03\x00"[..],
        &field(2, &AES_256),
        &field(3, &0_u32.to_le_bytes()),
        &field(4, &[0; 32]),
        &field(5, &[0; 32]),
        &field(6, &1_u64.to_le_bytes()),
        &field(7, &[0; 16]),
        &field(8, &[0; 32]),
        &field(9, &[0; 32]),
        &field(10, &2_u32.to_le_bytes()),
        &field(0, b"\r\n\r\n"),
    ];
    let document = document_seeds().concat();
    let length = u32::try_from(document.len()).unwrap().to_le_bytes();
    let blocks = [
        &[0; 32][..],
        &0_u32.to_le_bytes(),
        &Sha256::digest(&document),
        &length,
        &document,
        &1_u32.to_le_bytes(),
        &[0; 32],
        &0_u32.to_le_bytes(),
    ];
    let key: [u8; 32] = Sha256::new().chain_update([0; 32]).chain_update(transformed()).finalize().into();
    vec![[head.concat(), encrypted(&key, &blocks.concat())].concat()]
}

/// AES-KDF of the composite key in one round under a seed of zeros.
fn transformed() -> [u8; 32] {
    use aes::cipher::{BlockCipherEncrypt, KeyInit as _};
    let composite = Sha256::digest(Sha256::digest(PASSPHRASE));
    let mut halves = [aes::Block::default(), aes::Block::default()];
    halves[0].copy_from_slice(&composite[..16]);
    halves[1].copy_from_slice(&composite[16..]);
    Aes256::new(&[0; 32].into()).encrypt_blocks(&mut halves);
    Sha256::digest(halves.concat()).into()
}

fn encrypted(key: &[u8; 32], plain: &[u8]) -> Vec<u8> {
    cbc::Encryptor::<Aes256>::new(key.into(), &[0; 16].into()).encrypt_padded_vec::<Pkcs7>(plain)
}

/// A KDBX 4 file with this inside.
pub fn file(payload: &[u8]) -> Vec<u8> {
    let field = |number: u8, value: &[u8]| {
        let length = u32::try_from(value.len()).unwrap().to_le_bytes();
        [&[number][..], &length, value].concat()
    };
    let parameter = |kind: u8, name: &str, value: &[u8]| {
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap().to_le_bytes();
        [&[kind][..], &length(name.as_bytes()), name.as_bytes(), &length(value), value].concat()
    };
    let kdf = [
        &b"\x00\x01"[..],
        &parameter(0x42, "$UUID", &AES_KDF),
        &parameter(0x42, "S", &[0; 32]),
        &parameter(0x05, "R", &1_u64.to_le_bytes()),
        &[0],
    ];
    let head = [
        &b"\x03\xD9\xA2\x9A\x67\xFB\x4B\xB5\x01\x00\x04\x00"[..],
        &field(2, &AES_256),
        &field(3, &0_u32.to_le_bytes()),
        &field(4, &[0; 32]),
        &field(7, &[0; 16]),
        &field(11, &kdf.concat()),
        &field(0, b"\r\n\r\n"),
    ]
    .concat();
    let transformed = transformed();
    let key: [u8; 32] = Sha256::new().chain_update([0; 32]).chain_update(transformed).finalize().into();
    let macs = Sha512::new().chain_update([0; 32]).chain_update(transformed).chain_update([1]).finalize();
    let mac = |index: u64| {
        let key = Sha512::new().chain_update(index.to_le_bytes()).chain_update(macs).finalize();
        Hmac::<Sha256>::new_from_slice(&key).unwrap()
    };
    let block = |index: u64, data: &[u8]| {
        let length = u32::try_from(data.len()).unwrap().to_le_bytes();
        let of_block = mac(index).chain_update(index.to_le_bytes()).chain_update(length).chain_update(data);
        [&of_block.finalize().into_bytes()[..], &length, data].concat()
    };
    let head_mac = mac(u64::MAX).chain_update(&head).finalize().into_bytes();
    [&head[..], &Sha256::digest(&head), &head_mac, &block(0, &encrypted(&key, payload)), &block(1, &[])].concat()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use coffer_interchange::source;

    use super::*;

    /// Else everything a fuzzer tried would end at the door.
    #[test]
    fn what_the_targets_make_of_their_seeds_is_read_to_the_end() {
        for file in [file(&payload_seeds()[0]), file(&payload_seeds()[1]), older_seeds().remove(0)] {
            let collection = source::read(Format::Kdbx, &mut Cursor::new(file), &keys()).unwrap();
            assert!(!collection.entries.is_empty());
        }
    }
}

//! Coffer's own vectors: made once, by a program in another language that knows only docs/FORMAT.md
//! (`vectors/freeze.py`), and never changed within format 1. A failure here means that existing vaults no longer open.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests, which clippy does not count as tests")]

use std::path::Path;

use coffer_crypto::derive::{self, TenantScope};
use coffer_crypto::kdf::{self, Factors, KdfFloor, KdfParams, SlotPlace, key_file_digest};
use coffer_crypto::label::{self, Context};
use coffer_crypto::memory::KdfMemory;
use coffer_crypto::passphrase::Passphrase;
use coffer_crypto::recovery;
use coffer_crypto::recovery::shares::{self, Share, Split};
use coffer_crypto::seal::{self, OpeningSession, SealingKeyPair};
use coffer_crypto::secret::{
    AccountMasterKey, DeviceSecret, DirectoryKey, RecoverySeed, SealingSeed, SecretKey, SigningSeed, TenantKey,
};
use coffer_crypto::sign::SigningKey;
use coffer_crypto::slot::{AccountPlace, Slot};
use coffer_crypto::stream::{ContentDigest, FileOpener, FilePlace, FileSealer, HEADER_BYTES};
use coffer_crypto::wrap;
use sha2::{Digest, Sha256};

const VAULT: [u8; 16] = [1; 16];
const ACCOUNT: [u8; 16] = [2; 16];
const SLOT: [u8; 16] = [3; 16];
const TENANT: [u8; 16] = [4; 16];
const FILE: [u8; 16] = [5; 16];
const SCOPE: TenantScope = TenantScope { vault: VAULT, tenant: TENANT, epoch: 7 };

/// Decomposed, and with a character newer than the tables of the profile.
const TYPED: &str = "Zu\u{308}rcher\u{a0}Geschnetzeltes \u{1f98a}";

fn frozen(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/frozen.json");
    let vectors: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    hex::decode(vectors[name].as_str().unwrap()).unwrap()
}

fn salt() -> [u8; 32] {
    std::array::from_fn(|index| u8::try_from(index).unwrap())
}

/// The salt of every frozen wrap.
fn wrap_salt(buffer: &mut [u8]) {
    buffer.copy_from_slice(&salt().map(|byte| byte + 32));
}

fn key<K: SecretKey>(byte: u8) -> K {
    K::parse(&vec![byte; K::BYTES]).unwrap()
}

fn passphrase() -> Passphrase {
    Passphrase::parse(TYPED.into()).unwrap()
}

#[test]
fn a_passphrase_normalises_as_frozen() {
    assert_eq!(passphrase().expose(), frozen("passphrase_normal"));
}

#[test]
fn a_slot_key_derives_as_frozen() {
    let device: DeviceSecret = key(0x21);
    let key_file = key_file_digest(b"key file");
    let derived = kdf::derive_slot_key(
        &mut KdfMemory::new(),
        &passphrase(),
        &salt(),
        &KdfParams::new(512, 2, 2, &KdfFloor::for_tests()).unwrap(),
        &Factors { device_secret: Some(&device), key_file: Some(&key_file) },
        &SlotPlace { vault: VAULT, account: ACCOUNT, slot: SLOT },
    );
    assert_eq!(derived.unwrap().expose().to_vec(), frozen("slot_key"));
}

#[test]
fn a_frozen_slot_opens() {
    let device: DeviceSecret = key(0x21);
    let key_file = key_file_digest(b"key file");
    let factors = Factors { device_secret: Some(&device), key_file: Some(&key_file) };
    let slot = Slot::parse(&frozen("slot"), &KdfFloor::for_tests()).unwrap();
    let place = AccountPlace { vault: VAULT, account: ACCOUNT };
    let opened = slot.open(&passphrase(), &factors, &place, &mut KdfMemory::new()).unwrap();
    assert_eq!(opened.expose(), &[0x11; 32]);
    assert_eq!(slot.id(), &SLOT);
}

#[test]
fn wraps_are_made_and_opened_as_frozen() {
    let master_key: AccountMasterKey = key(0x11);
    let context = Context::new(label::WRAP_TENANT_KEY).bytes(VAULT).bytes(TENANT).u64(1);
    let wrapped = wrap::wrap_key(&master_key, &key::<TenantKey>(0x12), &context, &mut wrap_salt);
    assert_eq!(wrapped, frozen("wrapped"));
    let opened: TenantKey = wrap::unwrap_key(&master_key, &frozen("wrapped"), &context).unwrap();
    assert_eq!(opened.expose(), &[0x12; 32]);

    let context = Context::new(label::SEALED_STATE).bytes(VAULT).bytes(ACCOUNT);
    assert_eq!(wrap::seal(&master_key, b"state", &context, &mut wrap_salt), frozen("sealed_state"));
    assert_eq!(wrap::open(&master_key, &frozen("sealed_state"), &context).unwrap().expose(), b"state");
}

#[test]
fn the_keys_of_a_tenant_derive_as_frozen() {
    let tenant_key: TenantKey = key(0x12);
    let tag_key = derive::derive_tag_key(&tenant_key, &SCOPE);
    assert_eq!(
        derive::derive_tenant_database_key(&tenant_key, &SCOPE).expose().to_vec(),
        frozen("tenant_database_key")
    );
    assert_eq!(tag_key.expose().to_vec(), frozen("tag_key"));
    let file_wrapping_key = derive::derive_file_wrapping_key(&tenant_key, &SCOPE);
    assert_eq!(file_wrapping_key.expose().to_vec(), frozen("file_wrapping_key"));
    assert_eq!(derive::derive_kid(&tenant_key, &SCOPE).as_bytes().to_vec(), frozen("kid"));
    assert_eq!(derive::write_tag(&tag_key, 5).to_vec(), frozen("write_tag"));
}

#[test]
fn the_directorys_keys_and_the_headers_macs_are_as_frozen() {
    let directory_key: DirectoryKey = key(0x13);
    assert_eq!(
        derive::derive_directory_database_key(&directory_key, &VAULT).expose().to_vec(),
        frozen("directory_database_key")
    );
    let header = derive::derive_header_mac_key(&directory_key, &VAULT);
    assert_eq!(derive::compute_mac(&header, label::HEADER_MAC, b"header").to_vec(), frozen("header_mac"));
    let entry = derive::derive_account_entry_mac_key(&key(0x11), &VAULT, &ACCOUNT);
    derive::verify_mac(&entry, label::ACCOUNT_ENTRY_MAC, b"entry", &frozen("account_entry_mac")).unwrap();
    assert_eq!(derive::login_lookup(&salt(), "anna").to_vec(), frozen("login_lookup"));
    assert_eq!(derive::decoy_salt(&salt(), "anna").to_vec(), frozen("decoy_salt"));
    assert_eq!(derive::decoy_id(&salt(), "anna").to_vec(), frozen("decoy_id"));
}

#[test]
fn an_attachment_is_sealed_and_opens_as_frozen() {
    let tenant_key: TenantKey = key(0x12);
    let wrapping = derive::derive_file_wrapping_key(&tenant_key, &SCOPE);
    let place = FilePlace { scope: SCOPE, file: FILE };
    // Two chunks, the second with padding.
    let content: Vec<u8> = (0..70_000_u32).map(|at| u8::try_from(at % 251).unwrap()).collect();
    // The file's key is drawn first, then the salt of its wrapping.
    let mut drawn = 0;
    let mut random = |buffer: &mut [u8]| {
        drawn += 1;
        if drawn == 1 { buffer.fill(0x15) } else { wrap_salt(buffer) }
    };
    let mut sealer = FileSealer::begin(&wrapping, &place, 70_000, &mut random).unwrap();
    let digest = *sealer.digest();
    assert_eq!(sealer.header().to_vec(), frozen("attachment_header"));
    let mut file = sealer.header().to_vec();
    let mut left = &content[..];
    while let Some(size) = sealer.next_chunk() {
        let mut buffer = vec![0xEE; size.stored];
        let (chunk, rest) = left.split_at(size.content);
        buffer[..size.content].copy_from_slice(chunk);
        left = rest;
        sealer.seal_chunk(&mut buffer);
        file.extend(buffer);
    }
    assert_eq!(Sha256::digest(&file).to_vec(), frozen("attachment_sha256"));

    let stored = file.len() as u64;
    let mut opener = FileOpener::begin(&wrapping, &place, &digest, &file[..HEADER_BYTES], stored).unwrap();
    let mut plain: Vec<u8> = Vec::new();
    let mut at = HEADER_BYTES;
    while let Some(size) = opener.next_chunk() {
        plain.extend(opener.open_chunk(&mut file[at..at + size.stored]).unwrap());
        at += size.stored;
    }
    assert_eq!((plain == content, opener.content_bytes()), (true, 70_000));

    let mut of_content = ContentDigest::new(&derive::derive_file_digest_key(&tenant_key, &SCOPE));
    content.chunks(999).for_each(|part| of_content.update(part));
    assert_eq!(of_content.finish().to_vec(), frozen("attachment_content_digest"));
}

#[test]
fn a_statement_is_signed_as_frozen() {
    let signing = SigningKey::from_seed(&key::<SigningSeed>(0x11));
    assert_eq!(signing.sign(label::STATEMENT, b"statement").to_vec(), frozen("statement_signature"));
}

#[test]
fn a_recovery_seed_yields_the_frozen_code_and_keys() {
    let seed: RecoverySeed = key(0x14);
    assert_eq!(seed.to_recovery_code().expose(), frozen("recovery_code"));
    let code = String::from_utf8(frozen("recovery_code")).unwrap();
    assert_eq!(RecoverySeed::parse_recovery_code(&code).unwrap().expose(), seed.expose());

    let sealing = recovery::derive_sealing_pair(&seed);
    let verifying = recovery::derive_signing_key(&seed).verifying_key();
    assert_eq!(sealing.public_key().encode(), frozen("recovery_sealing_public"));
    assert_eq!(verifying.encode().to_vec(), frozen("recovery_verifying"));
    assert_eq!(recovery::fingerprint(sealing.public_key(), &verifying).to_vec(), frozen("recovery_fingerprint"));
    let identity = recovery::derive_age_identity(&seed);
    assert_eq!(identity.encode().expose(), frozen("age_identity"));
    assert_eq!(identity.recipient().encode().into_bytes(), frozen("age_recipient"));
}

#[test]
fn frozen_shares_of_a_recovery_seed_join_and_have_the_frozen_digests() {
    let codes = || (1..=4).map(|number| String::from_utf8(frozen(&format!("share_{number}"))).unwrap());
    let read: Vec<Share> = codes().map(|code| Share::parse_code(&code).unwrap()).collect();
    for (number, (share, code)) in (1..).zip(read.iter().zip(codes())) {
        assert_eq!((share.number(), share.split()), (number, Split::new(3, 4).unwrap()));
        assert_eq!(share.to_code().expose(), code.as_bytes());
        assert_eq!(share.digest(&VAULT).to_vec(), frozen(&format!("share_{number}_digest")));
    }
    for without in 0..read.len() {
        let three: Vec<Share> = codes().map(|code| Share::parse_code(&code).unwrap()).collect();
        let three: Vec<Share> =
            three.into_iter().enumerate().filter(|(index, _)| *index != without).map(|(_, share)| share).collect();
        assert_eq!(shares::join(&three).unwrap().expose(), key::<RecoverySeed>(0x14).expose());
    }
}

#[test]
fn frozen_sealings_open() {
    let pair = SealingKeyPair::from_seed(&key::<SealingSeed>(0x31));
    let context = Context::new(label::SEAL_TENANT_KEY).bytes(VAULT).bytes(TENANT).u64(1).bytes(ACCOUNT);
    let opened: TenantKey = seal::open_sealed_key(&pair, &frozen("sealed"), &context).unwrap();
    assert_eq!(opened.expose(), &[0x12; 32]);

    let context = Context::new(label::SEAL_LOG_SESSION).bytes(VAULT).u64(1);
    let session = OpeningSession::start(&pair, &frozen("session_header"), &context).unwrap();
    assert_eq!(session.open(41, b"associated", &frozen("session_message_41")).unwrap().expose(), b"entry");
}

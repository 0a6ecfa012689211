//! The primitives, and how this crate puts them together, against published vectors: RFC 8032, RFC 5869, RFC 9180, the
//! X-Wing draft, and Wycheproof's collections of cases that broken implementations get wrong.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests, which clippy does not count as tests")]

use std::path::Path;

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use coffer_crypto::label::{self, Context};
use coffer_crypto::seal::{self, SealingKeyPair, SealingPublicKey};
use coffer_crypto::secret::{SealingSeed, SecretKey, SigningSeed};
use coffer_crypto::sign::SigningKey;
use curve25519_dalek::MontgomeryPoint;
use hkdf::Hkdf;
use hpke::{Deserializable, Kem};
use sha2::Sha256;
use wycheproof::TestResult;

fn unhex(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

fn vectors(name: &str) -> serde_json::Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn field(value: &serde_json::Value, name: &str) -> Vec<u8> {
    unhex(value[name].as_str().unwrap())
}

/// RFC 8032 §7.1, tests 1 to 3. `sign_note` signs bytes as they are, so it can be held against the first.
#[test]
fn ed25519_signs_and_verifies_the_vectors_of_rfc_8032() {
    let cases = [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
    ];
    for (seed, public, message, signature) in cases {
        let key = SigningKey::from_seed(&SigningSeed::parse(&unhex(seed)).unwrap());
        let message = String::from_utf8(unhex(message)).unwrap();
        assert_eq!(key.verifying_key().encode().to_vec(), unhex(public));
        assert_eq!(key.sign_note(&message).to_vec(), unhex(signature));
        key.verifying_key().verify_note(&message, &unhex(signature)).unwrap();
    }
}

/// RFC 5869, appendix A.1 and A.3.
#[test]
fn hkdf_gives_the_vectors_of_rfc_5869() {
    let cases = [
        (
            vec![0x0b; 22],
            unhex("000102030405060708090a0b0c"),
            unhex("f0f1f2f3f4f5f6f7f8f9"),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        ),
        (
            vec![0x0b; 22],
            Vec::new(),
            Vec::new(),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
        ),
    ];
    for (ikm, salt, info, okm) in cases {
        let mut out = [0; 42];
        Hkdf::<Sha256>::new(Some(&salt), &ikm).expand(&info, &mut out).unwrap();
        assert_eq!(out.to_vec(), unhex(okm));
    }
}

/// The key schedule and AEAD of our suite, in the suite of RFC 9180 that shares them.
#[test]
fn hpke_opens_and_exports_the_vectors_of_rfc_9180() {
    type Suite = hpke::kem::X25519HkdfSha256;
    let vector = vectors("hpke_rfc_9180.json");
    let private = <Suite as Kem>::PrivateKey::from_bytes(&field(&vector, "skRm")).unwrap();
    let encapsulation = <Suite as Kem>::EncappedKey::from_bytes(&field(&vector, "enc")).unwrap();
    let mut receiver = hpke::setup_receiver::<hpke::aead::AesGcm256, hpke::kdf::HkdfSha256, Suite>(
        &hpke::OpModeR::Base,
        &private,
        &encapsulation,
        &field(&vector, "info"),
    )
    .unwrap();
    for message in vector["encryptions"].as_array().unwrap() {
        let opened = receiver.open(&field(message, "ct"), &field(message, "aad")).unwrap();
        assert_eq!(opened, field(message, "pt"));
    }
    for export in vector["exports"].as_array().unwrap() {
        let mut exported = [0; 32];
        receiver.export(&field(export, "exporter_context"), &mut exported).unwrap();
        assert_eq!(exported.to_vec(), field(export, "exported_value"));
    }
}

/// The draft gives key pair, randomness, encapsulation and shared secret. From that shared secret the key schedule of
/// RFC 9180 §5.1 is written out here once more, and everything a sealing consists of must come out.
#[test]
fn a_sealing_is_hpke_over_the_x_wing_drafts_own_vector() {
    let vector = vectors("x_wing.json");
    let pair = SealingKeyPair::from_seed(&SealingSeed::parse(&field(&vector, "sk")).unwrap());
    assert_eq!(pair.public_key().encode(), field(&vector, "pk"));

    let randomness = field(&vector, "eseed");
    let context = Context::new(label::SEAL_TENANT_KEY).bytes(b"vault").u64(1);
    let sealed = seal::seal_to(
        &SealingPublicKey::parse(&field(&vector, "pk")).unwrap(),
        b"plaintext",
        &context,
        &mut |buffer: &mut [u8]| buffer.copy_from_slice(&randomness),
    );
    assert_eq!(sealed[..1120], field(&vector, "ct"));

    let schedule = KeySchedule::base(&field(&vector, "ss"), &context.info());
    assert_eq!(sealed[1120..1152], schedule.export(&label::SEAL_COMMITMENT.encode()));
    let cipher = Aes256Gcm::new_from_slice(&schedule.key).unwrap();
    let nonce = schedule.base_nonce.as_slice().try_into().unwrap();
    assert_eq!(cipher.decrypt(nonce, &sealed[1152..]).unwrap(), b"plaintext");
    assert_eq!(seal::open_sealed(&pair, &sealed, &context).unwrap().expose(), b"plaintext");
}

/// RFC 9180 §5.1 in base mode, KEM 0x647a, KDF 0x0001, AEAD 0x0002.
struct KeySchedule {
    key: Vec<u8>,
    base_nonce: Vec<u8>,
    exporter_secret: Vec<u8>,
}

impl KeySchedule {
    const SUITE: &'static [u8] = b"HPKE\x64\x7a\x00\x01\x00\x02";

    fn base(shared_secret: &[u8], info: &[u8]) -> Self {
        let mut context = vec![0];
        context.extend(Self::extract(b"", b"psk_id_hash", b""));
        context.extend(Self::extract(b"", b"info_hash", info));
        let secret = Self::extract(shared_secret, b"secret", b"");
        Self {
            key: Self::expand(&secret, b"key", &context, 32),
            base_nonce: Self::expand(&secret, b"base_nonce", &context, 12),
            exporter_secret: Self::expand(&secret, b"exp", &context, 32),
        }
    }

    fn export(&self, context: &[u8]) -> Vec<u8> {
        Self::expand(&self.exporter_secret, b"sec", context, 32)
    }

    fn extract(salt: &[u8], label: &[u8], ikm: &[u8]) -> Vec<u8> {
        let labelled = [b"HPKE-v1", Self::SUITE, label, ikm].concat();
        Hkdf::<Sha256>::extract(Some(salt), &labelled).0.to_vec()
    }

    fn expand(prk: &[u8], label: &[u8], info: &[u8], length: u16) -> Vec<u8> {
        let labelled = [&length.to_be_bytes(), b"HPKE-v1".as_slice(), Self::SUITE, label, info].concat();
        let mut out = vec![0; length.into()];
        Hkdf::<Sha256>::from_prk(prk).unwrap().expand(&labelled, &mut out).unwrap();
        out
    }
}

#[test]
fn aes_256_gcm_passes_wycheproof() {
    let set = wycheproof::aead::TestSet::load(wycheproof::aead::TestName::AesGcm).unwrap();
    let mut tried = 0;
    let groups =
        set.test_groups.iter().filter(|group| (group.key_size, group.nonce_size, group.tag_size) == (256, 96, 128));
    for case in groups.flat_map(|group| &group.tests) {
        let cipher = Aes256Gcm::new_from_slice(&case.key).unwrap();
        let nonce = case.nonce.as_slice().try_into().unwrap();
        let sealed = [case.ct.as_slice(), case.tag.as_slice()].concat();
        let opened = cipher.decrypt(nonce, Payload { msg: &sealed, aad: &case.aad });
        match case.result {
            TestResult::Valid | TestResult::Acceptable => assert_eq!(opened.unwrap(), *case.pt, "case {}", case.tc_id),
            TestResult::Invalid => assert!(opened.is_err(), "case {}", case.tc_id),
        }
        tried += 1;
    }
    assert!(tried > 50, "only {tried} cases");
}

#[test]
fn hkdf_sha_256_passes_wycheproof() {
    let set = wycheproof::hkdf::TestSet::load(wycheproof::hkdf::TestName::HkdfSha256).unwrap();
    let mut tried = 0;
    for case in set.test_groups.iter().flat_map(|group| &group.tests) {
        let mut out = vec![0; case.size];
        let result = Hkdf::<Sha256>::new(Some(&case.salt), &case.ikm).expand(&case.info, &mut out);
        match case.result {
            TestResult::Valid | TestResult::Acceptable => assert_eq!(out, *case.okm, "case {}", case.tc_id),
            TestResult::Invalid => assert!(result.is_err(), "case {}", case.tc_id),
        }
        tried += 1;
    }
    assert!(tried > 50, "only {tried} cases");
}

#[test]
fn strict_ed25519_passes_wycheproof() {
    let set = wycheproof::eddsa::TestSet::load(wycheproof::eddsa::TestName::Ed25519).unwrap();
    let mut tried = 0;
    for group in &set.test_groups {
        let public: [u8; 32] = group.key.pk.as_slice().try_into().unwrap();
        let key = ed25519_dalek::VerifyingKey::from_bytes(&public).unwrap();
        for case in &group.tests {
            let verified = ed25519_dalek::Signature::from_slice(&case.sig)
                .and_then(|signature| key.verify_strict(&case.msg, &signature));
            match case.result {
                TestResult::Valid | TestResult::Acceptable => assert!(verified.is_ok(), "case {}", case.tc_id),
                TestResult::Invalid => assert!(verified.is_err(), "case {}", case.tc_id),
            }
            tried += 1;
        }
    }
    assert!(tried > 50, "only {tried} cases");
}

#[test]
fn x25519_passes_wycheproof() {
    let set = wycheproof::xdh::TestSet::load(wycheproof::xdh::TestName::X25519).unwrap();
    let mut tried = 0;
    for case in set.test_groups.iter().flat_map(|group| &group.tests) {
        let (Ok(public), Ok(private)) = (case.public_key.as_slice().try_into(), case.private_key.as_slice().try_into())
        else {
            assert!(case.result.must_fail(), "case {}", case.tc_id);
            continue;
        };
        let shared = MontgomeryPoint(public).mul_clamped(private);
        assert_eq!(shared.as_bytes().as_slice(), case.shared_secret.as_slice(), "case {}", case.tc_id);
        tried += 1;
    }
    assert!(tried > 50, "only {tried} cases");
}

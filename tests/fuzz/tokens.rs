//! What identity providers issue, and the key set that is pinned of one.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use coffer_crypto::secret::{SecretKey as _, SigningSeed};
use coffer_crypto::sign::SigningKey;
use coffer_token::{DecryptionKey, Expected, KeySet, TokenRefusal, encryption_key_jwk, verify};

use crate::Target;

pub const TOKEN: Target = Target { name: "token", feed: token, seeds: token_seeds };
pub const CLAIMS: Target = Target { name: "token_claims", feed: claims, seeds: claims_seeds };
pub const KEY_SET: Target = Target { name: "key_set", feed: key_set, seeds: key_set_seeds };

/// Seconds since the Unix epoch, as the verifier is told.
const NOW: i64 = 1_800_000_000;
const EXPECTED: Expected<'static> =
    Expected { issuer: "https://id.example.org", audience: "coffer", claim: "sub", subject: "otto" };
const HEADER: &str = r#"{"alg":"EdDSA","typ":"JWT","kid":"ed"}"#;
/// What a provider's token says.
const PAYLOAD: &str = concat!(
    r#"{"iss":"https://id.example.org","aud":"coffer","sub":"otto","jti":"token-1","#,
    r#""iat":1799999940,"exp":1800003600}"#
);

/// A provider, the set that is pinned of it, and a vault that tokens may be encrypted to.
struct Provider {
    key: SigningKey,
    set_text: String,
    set: KeySet,
    vault: DecryptionKey,
}

static PROVIDER: LazyLock<Provider> = LazyLock::new(|| {
    let key = SigningKey::from_seed(&SigningSeed::parse(&[7; 32]).unwrap());
    let point = URL_SAFE_NO_PAD.encode(key.verifying_key().encode());
    let set_text =
        format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"ed","use":"sig","alg":"EdDSA","x":"{point}"}}]}}"#);
    let set = KeySet::parse(set_text.as_bytes()).unwrap();
    let vault = DecryptionKey::from_secret(&[9; 32]).unwrap();
    Provider { key, set_text, set, vault }
});

impl Provider {
    /// Signs whatever it is to say (RFC 7515 §3.1).
    fn mint(&self, payload: &[u8]) -> Vec<u8> {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(HEADER), URL_SAFE_NO_PAD.encode(payload));
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign_note(&signed));
        format!("{signed}.{signature}").into_bytes()
    }
}

/// Nobody who lacks the provider's key makes a token that counts.
fn token(bytes: &[u8]) {
    let provider = &*PROVIDER;
    if verify(bytes, &provider.set, Some(&provider.vault), &EXPECTED, NOW).is_ok() {
        assert_eq!(bytes.trim_ascii(), provider.mint(PAYLOAD.as_bytes()), "it is the one that was minted");
    }
}

fn token_seeds() -> Vec<Vec<u8>> {
    let provider = &*PROVIDER;
    // One that is encrypted to the vault in every respect but its content.
    let ephemeral = encryption_key_jwk(provider.vault.public());
    let header = format!(r#"{{"alg":"ECDH-ES","enc":"A256GCM","cty":"JWT","epk":{ephemeral}}}"#);
    let encrypted = [header.as_bytes(), b"", &[1; 12], b"the content, which nobody has encrypted", &[2; 16]];
    let encrypted = encrypted.map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
    vec![provider.mint(PAYLOAD.as_bytes()), encrypted.into_bytes()]
}

/// Whatever a provider signs is read or refused for what it says; never for its signature.
fn claims(bytes: &[u8]) {
    let provider = &*PROVIDER;
    match verify(&provider.mint(bytes), &provider.set, None, &EXPECTED, NOW) {
        Ok(verified) => assert!(verified.issued < verified.dead_from && NOW < verified.dead_from),
        Err(refusal) => assert!(
            !matches!(refusal, TokenRefusal::Signature | TokenRefusal::UnknownKey | TokenRefusal::Algorithm),
            "{refusal}"
        ),
    }
}

fn claims_seeds() -> Vec<Vec<u8>> {
    [
        PAYLOAD,
        r#"{"iss":"https://id.example.org","aud":["coffer","other"],"azp":"coffer","sub":"otto","iat":1799999940,"nbf":1799999940,"exp":1.8000036e9}"#,
        r#"{"iss":"https://id.example.org","aud":"coffer","sub":"otto","events":{},"iat":1,"exp":2,"nested":[[{"a":null}]]}"#,
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

/// A set that is pinned has keys, and people are shown each.
fn key_set(bytes: &[u8]) {
    if let Ok(set) = KeySet::parse(bytes) {
        let described = set.describe();
        assert!(!described.is_empty());
        let is_known = |kind: &str| matches!(kind, "P-256" | "P-384" | "Ed25519") || kind.starts_with("RSA ");
        assert!(described.iter().all(|key| is_known(&key.kind)));
    }
}

fn key_set_seeds() -> Vec<Vec<u8>> {
    let provider = &*PROVIDER;
    let encryption = encryption_key_jwk(provider.vault.public());
    let signing = encryption.replace(r#""use":"enc","alg":"ECDH-ES""#, r#""key_ops":["verify"],"alg":"ES256""#);
    let modulus = URL_SAFE_NO_PAD.encode([0xB5; 256]);
    let rsa = format!(r#"{{"kty":"RSA","kid":"rs","n":"{modulus}","e":"AQAB"}}"#);
    vec![
        provider.set_text.clone().into_bytes(),
        format!(r#"{{"keys":[{signing},{encryption}]}}"#).into_bytes(),
        format!(r#"{{"keys":[{rsa}]}}"#).into_bytes(),
    ]
}

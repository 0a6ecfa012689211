//! Key sets of providers (RFC 7517), and signatures by their keys (RFC 7518 §3, RFC 8037). Pure.

use std::collections::BTreeSet;

use aws_lc_rs::signature::{self, ParsedPublicKey, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::TokenRefusal;
use crate::json::{Json, Object};

/// Most bytes of a key set.
pub const KEY_SET_MAX: usize = 64 * 1024;

/// Most keys of a set.
const KEYS_MAX: usize = 64;
/// Shortest and longest modulus (RFC 7518 §3.3), bytes.
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// Why a key set is not pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// Larger than [`KEY_SET_MAX`], or with more than 64 keys.
    #[error("the key set is larger than a key set is")]
    TooLarge,
    /// Not a JSON object with `keys`, names twice, or two keys of one name.
    #[error("the file is no key set (JWKS)")]
    Malformed,
    /// It holds what only the provider may know.
    #[error("the key set holds a secret or private key")]
    Secret,
    /// A key that signs is not a valid one.
    #[error("a key of the set is not valid")]
    InvalidKey,
    /// No key in it verifies signatures by an algorithm that is accepted.
    #[error("the key set has no key that can be used: RS256, PS256, ES256, ES384 or EdDSA")]
    NoKey,
}

impl KeySetError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "key_set_too_large",
            Self::Malformed => "key_set_malformed",
            Self::Secret => "key_set_secret",
            Self::InvalidKey => "key_set_invalid_key",
            Self::NoKey => "key_set_no_key",
        }
    }
}

/// The algorithms that are accepted, and no others (RFC 8725 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Rs256,
    Ps256,
    Es256,
    Es384,
    EdDsa,
}

impl Algorithm {
    /// By its name; the newer one of Ed25519 is RFC 9864's.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rs256,
            "PS256" => Self::Ps256,
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "EdDSA" | "Ed25519" => Self::EdDsa,
            _ => return None,
        })
    }
}

/// A provider's keys that verify its signatures. Keys for other uses, and of kinds that are not known, are left out.
#[derive(Debug)]
pub struct KeySet {
    keys: Vec<Key>,
}

/// One of them, for people to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyDescription {
    /// Its name, if it has one.
    pub kid: Option<String>,
    /// What it is: `RSA 2048`, `P-256`, `P-384`, `Ed25519`.
    pub kind: String,
}

#[derive(Debug)]
pub(crate) struct Key {
    kid: Option<String>,
    /// The one algorithm that it says it is for.
    only: Option<Algorithm>,
    material: Material,
}

#[derive(Debug)]
enum Material {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

impl KeySet {
    /// Reads a key set.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeySetError> {
        if bytes.len() > KEY_SET_MAX {
            return Err(KeySetError::TooLarge);
        }
        let set = Object::parse(bytes).map_err(|_| KeySetError::Malformed)?;
        let members = set.get("keys").and_then(Json::as_list).ok_or(KeySetError::Malformed)?;
        if members.len() > KEYS_MAX {
            return Err(KeySetError::TooLarge);
        }
        let mut keys = Vec::new();
        let mut names = BTreeSet::new();
        for member in members {
            let member = member.as_object().ok_or(KeySetError::Malformed)?;
            let Some(key) = Key::parse(member)? else { continue };
            // Which of the two would be meant?
            if key.kid.as_ref().is_some_and(|kid| !names.insert(kid.clone())) {
                return Err(KeySetError::Malformed);
            }
            keys.push(key);
        }
        if keys.is_empty() { Err(KeySetError::NoKey) } else { Ok(Self { keys }) }
    }

    /// The keys, for people to look at.
    pub fn describe(&self) -> Vec<KeyDescription> {
        self.keys.iter().map(|key| KeyDescription { kid: key.kid.clone(), kind: key.material.describe() }).collect()
    }

    /// The key that a token names; without a name, the only one that fits.
    pub(crate) fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<&Key, TokenRefusal> {
        if let Some(kid) = kid {
            let key = self.keys.iter().find(|key| key.kid.as_deref() == Some(kid)).ok_or(TokenRefusal::UnknownKey)?;
            return if key.fits(algorithm) { Ok(key) } else { Err(TokenRefusal::Algorithm) };
        }
        let mut fitting = self.keys.iter().filter(|key| key.fits(algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            _ => Err(TokenRefusal::UnknownKey),
        }
    }
}

impl Key {
    /// Reads a key; `None` if it is not one that verifies signatures here.
    fn parse(member: &Object) -> Result<Option<Self>, KeySetError> {
        // `oct` is a secret that both sides would have; the others are parts of private keys (RFC 7518 §6).
        let kind = member.text("kty").ok_or(KeySetError::Malformed)?;
        if kind == "oct" || ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|name| member.get(name).is_some())
        {
            return Err(KeySetError::Secret);
        }
        let signs = match member.get("use") {
            None => true,
            Some(purpose) => purpose.as_text() == Some("sig"),
        };
        let verifies = match member.get("key_ops") {
            None => true,
            Some(operations) => {
                let operations = operations.as_list().ok_or(KeySetError::Malformed)?;
                operations.iter().any(|operation| operation.as_text() == Some("verify"))
            }
        };
        let only = match member.get("alg") {
            None => None,
            Some(name) => match name.as_text().and_then(Algorithm::parse) {
                Some(algorithm) => Some(algorithm),
                None => return Ok(None),
            },
        };
        if !signs || !verifies {
            return Ok(None);
        }
        let name = match member.get("kid") {
            None => None,
            Some(name) => Some(name.as_text().ok_or(KeySetError::Malformed)?.to_owned()),
        };
        let curve = member.text("crv");
        let material = match (kind, curve) {
            ("RSA", _) => Material::Rsa { modulus: bytes(member, "n")?, exponent: bytes(member, "e")? },
            ("EC", Some("P-256")) => Material::P256(point(member, 32)?),
            ("EC", Some("P-384")) => Material::P384(point(member, 48)?),
            ("OKP", Some("Ed25519")) => Material::Ed25519(bytes(member, "x")?),
            _ => return Ok(None),
        };
        material.check()?;
        let key = Self { kid: name, only, material };
        // Of another kind than what it says it is for.
        if only.is_some_and(|only| !key.fits(only)) { Err(KeySetError::InvalidKey) } else { Ok(Some(key)) }
    }

    /// Whether the algorithm is this key's: RFC 8725 §3.1 wants it bound to the key, not told by the token.
    fn fits(&self, algorithm: Algorithm) -> bool {
        let of_kind = match self.material {
            Material::Rsa { .. } => matches!(algorithm, Algorithm::Rs256 | Algorithm::Ps256),
            Material::P256(_) => algorithm == Algorithm::Es256,
            Material::P384(_) => algorithm == Algorithm::Es384,
            Material::Ed25519(_) => algorithm == Algorithm::EdDsa,
        };
        of_kind && self.only.is_none_or(|only| only == algorithm)
    }

    /// Checks a signature over `signed`.
    pub(crate) fn verify(&self, algorithm: Algorithm, signed: &[u8], found: &[u8]) -> Result<(), TokenRefusal> {
        let holds = match &self.material {
            Material::Rsa { modulus, exponent } => {
                let parameters = match algorithm {
                    Algorithm::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
                    _ => &signature::RSA_PKCS1_2048_8192_SHA256,
                };
                RsaPublicKeyComponents { n: modulus, e: exponent }.verify(parameters, signed, found)
            }
            Material::P256(point) => verify_with(&signature::ECDSA_P256_SHA256_FIXED, point, signed, found),
            Material::P384(point) => verify_with(&signature::ECDSA_P384_SHA384_FIXED, point, signed, found),
            Material::Ed25519(key) => verify_with(&signature::ED25519, key, signed, found),
        };
        holds.map_err(|_| TokenRefusal::Signature)
    }
}

fn verify_with(
    algorithm: &'static dyn signature::VerificationAlgorithm,
    key: &[u8],
    signed: &[u8],
    found: &[u8],
) -> Result<(), aws_lc_rs::error::Unspecified> {
    algorithm.verify_sig(key, signed, found)
}

impl Material {
    /// Whether it is a key at all: of the length that counts, on its curve.
    fn check(&self) -> Result<(), KeySetError> {
        let is_key = match self {
            Self::Rsa { modulus, exponent } => {
                let components = RsaPublicKeyComponents { n: modulus, e: exponent };
                MODULUS_BYTES.contains(&modulus.len())
                    && components.to_parsed_public_key(&signature::RSA_PKCS1_2048_8192_SHA256).is_ok()
            }
            Self::P256(point) => ParsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point).is_ok(),
            Self::P384(point) => ParsedPublicKey::new(&signature::ECDSA_P384_SHA384_FIXED, point).is_ok(),
            Self::Ed25519(key) => ParsedPublicKey::new(&signature::ED25519, key).is_ok(),
        };
        if is_key { Ok(()) } else { Err(KeySetError::InvalidKey) }
    }

    fn describe(&self) -> String {
        match self {
            Self::Rsa { modulus, .. } => format!("RSA {}", modulus.len() * 8),
            Self::P256(_) => "P-256".to_owned(),
            Self::P384(_) => "P-384".to_owned(),
            Self::Ed25519(_) => "Ed25519".to_owned(),
        }
    }
}

fn bytes(member: &Object, name: &str) -> Result<Vec<u8>, KeySetError> {
    let text = member.text(name).ok_or(KeySetError::InvalidKey)?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| KeySetError::InvalidKey)
}

/// A point of a curve, uncompressed (SEC 1 §2.3.3). Coordinates have their full length (RFC 7518 §6.2.1.2).
fn point(member: &Object, length: usize) -> Result<Vec<u8>, KeySetError> {
    let (x, y) = (bytes(member, "x")?, bytes(member, "y")?);
    if x.len() != length || y.len() != length {
        return Err(KeySetError::InvalidKey);
    }
    Ok([&[4][..], &x, &y].concat())
}

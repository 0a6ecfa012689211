//! Tokens encrypted to a vault: JWE (RFC 7516) by ECDH-ES on P-256 (RFC 7518 §4.6) and AES-256-GCM. Pure.
//!
//! One way and no other: no key wrapping, no RSA, no passwords, no compression. A provider is given the public key.

use std::fmt;

use aws_lc_rs::{aead, agreement, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::{Zeroize, Zeroizing};

use crate::json::{Json, Object};
use crate::{TokenRefusal, decode, is_jwt, refuse_demands};

/// Bytes of the secret.
pub const SECRET_BYTES: usize = 32;
/// Bytes of the public key: a point, uncompressed.
pub const PUBLIC_KEY_BYTES: usize = 65;

const ALGORITHM: &str = "ECDH-ES";
const CONTENT: &str = "A256GCM";
const CURVE: &str = "P-256";
const KEY_BITS: u32 = 256;

/// A vault's key that tokens are encrypted to.
pub struct DecryptionKey {
    secret: Zeroizing<[u8; SECRET_BYTES]>,
    public: [u8; PUBLIC_KEY_BYTES],
}

impl DecryptionKey {
    /// Makes one of random bytes.
    pub fn generate(fill: &mut dyn FnMut(&mut [u8])) -> Self {
        loop {
            let mut secret = Zeroizing::new([0; SECRET_BYTES]);
            fill(secret.as_mut_slice());
            // One in 2^32 is no scalar of the curve.
            if let Some(key) = Self::from_secret(secret.as_slice()) {
                return key;
            }
        }
    }

    /// Reads one; `None` if it is not a scalar of the curve.
    pub fn from_secret(secret: &[u8]) -> Option<Self> {
        let secret: Zeroizing<[u8; SECRET_BYTES]> = Zeroizing::new(secret.try_into().ok()?);
        let key = agreement::PrivateKey::from_private_key(&agreement::ECDH_P256, secret.as_slice()).ok()?;
        let public = key.compute_public_key().ok()?.as_ref().try_into().ok()?;
        Some(Self { secret, public })
    }

    /// The secret, to be kept.
    pub fn secret(&self) -> &[u8; SECRET_BYTES] {
        &self.secret
    }

    /// What tokens are encrypted to.
    pub fn public(&self) -> &[u8; PUBLIC_KEY_BYTES] {
        &self.public
    }

    /// The key of a token's content, agreed on with whoever made it (RFC 7518 §4.6.2).
    fn agree(&self, theirs: &[u8], party_u: &[u8], party_v: &[u8]) -> Result<Zeroizing<[u8; 32]>, TokenRefusal> {
        let refused = TokenRefusal::Encryption;
        let key = agreement::PrivateKey::from_private_key(&agreement::ECDH_P256, self.secret.as_slice());
        let theirs = agreement::UnparsedPublicKey::new(&agreement::ECDH_P256, theirs);
        agreement::agree(&key.map_err(|_| refused)?, theirs, refused, |shared| {
            // Concat KDF (NIST SP 800-56A §5.8.2.1): one block of SHA-256 is the whole key.
            let mut hash = digest::Context::new(&digest::SHA256);
            hash.update(&1_u32.to_be_bytes());
            hash.update(shared);
            for part in [CONTENT.as_bytes(), party_u, party_v] {
                hash.update(&u32::try_from(part.len()).map_err(|_| TokenRefusal::Malformed)?.to_be_bytes());
                hash.update(part);
            }
            hash.update(&KEY_BITS.to_be_bytes());
            let mut content_key = Zeroizing::new([0; 32]);
            content_key.copy_from_slice(hash.finish().as_ref());
            Ok(content_key)
        })
    }
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DecryptionKey(..)")
    }
}

/// The public key as a provider takes it: a JWK.
pub fn encryption_key_jwk(public: &[u8; PUBLIC_KEY_BYTES]) -> String {
    let coordinate = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let (x, y) = (coordinate(&public[1..33]), coordinate(&public[33..]));
    // RFC 7638 §3: required members, in order, without white space.
    let thumbprint = format!(r#"{{"crv":"{CURVE}","kty":"EC","x":"{x}","y":"{y}"}}"#);
    let kid = coordinate(digest::digest(&digest::SHA256, thumbprint.as_bytes()).as_ref());
    format!(r#"{{"kty":"EC","crv":"{CURVE}","x":"{x}","y":"{y}","use":"enc","alg":"{ALGORITHM}","kid":"{kid}"}}"#)
}

/// Decrypts a token; gives the one inside.
pub(crate) fn decrypt(text: &str, key: &DecryptionKey) -> Result<Zeroizing<Vec<u8>>, TokenRefusal> {
    let mut parts = text.split('.');
    let mut part = || parts.next().ok_or(TokenRefusal::Malformed);
    let (protected, wrapped, nonce, ciphertext, tag) = (part()?, part()?, part()?, part()?, part()?);
    let header = Object::parse(&decode(protected)?)?;
    refuse_demands(&header)?;
    // What is inside has to be a token, and to be said to be one (RFC 7519 §5.2).
    if !header.text("cty").is_some_and(is_jwt)
        || header.get("typ").is_some_and(|typ| !typ.as_text().is_some_and(is_jwt))
    {
        return Err(TokenRefusal::Kind);
    }
    if header.text("alg") != Some(ALGORITHM) || header.text("enc") != Some(CONTENT) {
        return Err(TokenRefusal::Algorithm);
    }
    // Agreed on, so there is none to unwrap.
    if !wrapped.is_empty() {
        return Err(TokenRefusal::Malformed);
    }
    let theirs = ephemeral(&header)?;
    let information = |name| match header.get(name) {
        None => Ok(Zeroizing::new(Vec::new())),
        Some(value) => decode(value.as_text().ok_or(TokenRefusal::Malformed)?),
    };
    let content_key = key.agree(&theirs, &information("apu")?, &information("apv")?)?;
    let nonce = aead::Nonce::try_assume_unique_for_key(&decode(nonce)?).map_err(|_| TokenRefusal::Malformed)?;
    let tag = decode(tag)?;
    if tag.len() != aead::AES_256_GCM.tag_len() {
        return Err(TokenRefusal::Malformed);
    }
    let mut sealed = decode(ciphertext)?;
    sealed.extend_from_slice(&tag);
    let opening = aead::UnboundKey::new(&aead::AES_256_GCM, content_key.as_slice());
    let opening = aead::LessSafeKey::new(opening.map_err(|_| TokenRefusal::Encryption)?);
    let length = opening
        .open_in_place(nonce, aead::Aad::from(protected.as_bytes()), &mut sealed)
        .map_err(|_| TokenRefusal::Encryption)?
        .len();
    sealed[length..].zeroize();
    sealed.truncate(length);
    Ok(sealed)
}

/// The key that whoever made the token made for it. That it lies on the curve is checked where it is used.
fn ephemeral(header: &Object) -> Result<Vec<u8>, TokenRefusal> {
    let key = header.get("epk").and_then(Json::as_object).ok_or(TokenRefusal::Malformed)?;
    if key.text("kty") != Some("EC") || key.text("crv") != Some(CURVE) || key.get("d").is_some() {
        return Err(TokenRefusal::Algorithm);
    }
    let coordinate = |name| decode(key.text(name).ok_or(TokenRefusal::Malformed)?);
    let (x, y) = (coordinate("x")?, coordinate("y")?);
    if x.len() != 32 || y.len() != 32 {
        return Err(TokenRefusal::Malformed);
    }
    Ok([&[4][..], &x, &y].concat())
}

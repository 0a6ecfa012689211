//! Tokens of identity providers: JWS (RFC 7515), or JWE (RFC 7516) around a JWS, with the claims of RFC 7519, verified
//! against a pinned key set (RFC 7517) without asking anybody. Pure: no clock, no I/O; randomness is an argument.
//!
//! Follows RFC 8725 (best current practices): the algorithms are fixed here and bound to the kind of key, `none` and HMAC are
//! not among them; a token brings no key along; issuer, audience and the kind of token are checked; what is large, twofold
//! or nested is refused before any key is used. Nothing of a token's claims is told before its signature holds.

mod claims;
mod encryption;
mod json;
mod keys;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

pub use self::encryption::{DecryptionKey, PUBLIC_KEY_BYTES, SECRET_BYTES, encryption_key_jwk};
pub use self::keys::{KEY_SET_MAX, KeyDescription, KeySet, KeySetError};

use self::json::Object;
use self::keys::Algorithm;

/// Most bytes of a token. Providers' tokens have one to four KiB.
pub const TOKEN_MAX: usize = 16 * 1024;

/// How far two clocks may be apart, seconds.
pub const SKEW_SECONDS: i64 = 60;

/// How long after its issue a token counts as fresh, seconds: a token may be fetched on another machine and carried here.
pub const FRESH_SECONDS: i64 = 24 * 60 * 60;

/// What is pinned of a provider, and whom a token has to be of.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'e> {
    /// Who issues: `iss`, exactly.
    pub issuer: &'e str,
    /// For whom: one of `aud`, exactly.
    pub audience: &'e str,
    /// Which claim names the person.
    pub claim: &'e str,
    /// Its value, exactly.
    pub subject: &'e str,
}

/// What a token that holds comes to. Nothing else of it goes further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Digest of its identifier, by which it is known again.
    pub id: [u8; 32],
    /// When it was issued, seconds since the Unix epoch.
    pub issued: i64,
    /// From when on it counts no longer, whatever two clocks differ by, seconds since the Unix epoch.
    pub dead_from: i64,
}

/// Why a token does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// Too long, cut off, not in the compact form, or not the JSON it should be.
    #[error("this is no token, or not the whole of one")]
    Malformed,
    /// Signed or encrypted by an algorithm that is not accepted, `none` and HMAC among them, or not the key's.
    #[error("the token is signed or encrypted in a way that is not accepted")]
    Algorithm,
    /// Of another kind, with a demand that is not understood, or bringing a key along.
    #[error("the token is not of the kind that is asked for")]
    Kind,
    /// Its key is not in the pinned set.
    #[error("the token is signed with a key that is not in the pinned key set")]
    UnknownKey,
    /// Its signature does not hold.
    #[error("the token's signature is not valid")]
    Signature,
    /// It is encrypted, and not to this vault.
    #[error("the token is not encrypted to this vault")]
    Encryption,
    /// Of another issuer.
    #[error("the token is of another issuer")]
    Issuer,
    /// For somebody else.
    #[error("the token is meant for another audience")]
    Audience,
    /// Of another person, or it does not say whose.
    #[error("the token is not this account's")]
    Subject,
    /// Its time is over, or it was issued too long ago.
    #[error("the token has expired, or was issued too long ago")]
    Expired,
    /// Its time has not come.
    #[error("the token's time lies in the future")]
    NotYet,
    /// It was used here before.
    #[error("the token was used before")]
    Used,
}

impl TokenRefusal {
    /// The permanent name of the refusal, for scripts and for the words on screen.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "token_malformed",
            Self::Algorithm => "token_algorithm",
            Self::Kind => "token_kind",
            Self::UnknownKey => "token_unknown_key",
            Self::Signature => "token_signature",
            Self::Encryption => "token_encryption",
            Self::Issuer => "token_issuer",
            Self::Audience => "token_audience",
            Self::Subject => "token_subject",
            Self::Expired => "token_expired",
            Self::NotYet => "token_not_yet",
            Self::Used => "token_used",
        }
    }
}

/// Verifies a token as it was handed over, white space around it aside. `now` is in seconds since the Unix epoch. Whether it
/// was used before is for the caller to know, by [`Verified::id`].
pub fn verify(
    token: &[u8],
    keys: &KeySet,
    decryption: Option<&DecryptionKey>,
    expected: &Expected<'_>,
    now: i64,
) -> Result<Verified, TokenRefusal> {
    let token = token.trim_ascii();
    // Before a byte of it is looked at.
    if token.len() > TOKEN_MAX {
        return Err(TokenRefusal::Malformed);
    }
    let text = std::str::from_utf8(token).map_err(|_| TokenRefusal::Malformed)?;
    match text.bytes().filter(|byte| *byte == b'.').count() {
        2 => verify_signed(text, keys, expected, now),
        4 => {
            let signed = encryption::decrypt(text, decryption.ok_or(TokenRefusal::Encryption)?)?;
            let signed = std::str::from_utf8(&signed).map_err(|_| TokenRefusal::Malformed)?;
            // One layer of encryption, and a signature inside: without one anybody could have made it.
            verify_signed(signed, keys, expected, now)
        }
        _ => Err(TokenRefusal::Malformed),
    }
}

fn verify_signed(text: &str, keys: &KeySet, expected: &Expected<'_>, now: i64) -> Result<Verified, TokenRefusal> {
    let (signed, signature) = text.rsplit_once('.').ok_or(TokenRefusal::Malformed)?;
    let (header, payload) = signed.split_once('.').ok_or(TokenRefusal::Malformed)?;
    let header = Object::parse(&decode(header)?)?;
    let (payload, signature) = (decode(payload)?, decode(signature)?);
    refuse_demands(&header)?;
    // A token around a token, which is not what is pinned.
    if header.get("cty").is_some() {
        return Err(TokenRefusal::Kind);
    }
    require_type(&header)?;
    let algorithm = header.text("alg").and_then(Algorithm::parse).ok_or(TokenRefusal::Algorithm)?;
    let kid = optional_text(&header, "kid")?;
    keys.find(kid, algorithm)?.verify(algorithm, signed.as_bytes(), &signature)?;
    let claims = Object::parse(&payload)?;
    let times = claims::check(&claims, expected, now)?;
    // Of what was signed, not of the signature: an ECDSA signature has a twin (n − s) that holds as well.
    let id = match optional_text(&claims, "jti")? {
        Some(id) if !id.is_empty() => digest_of(1, id.as_bytes()),
        _ => digest_of(0, signed.as_bytes()),
    };
    Ok(Verified { id, issued: times.issued, dead_from: times.dead_from })
}

/// Members of a header that make demands, or say where to get a key (RFC 8725 §3.10): none is heeded, so none is let pass.
fn refuse_demands(header: &Object) -> Result<(), TokenRefusal> {
    let demands = ["crit", "b64", "zip", "jku", "jwk", "x5u", "x5c"];
    if demands.iter().any(|name| header.get(name).is_some()) { Err(TokenRefusal::Kind) } else { Ok(()) }
}

/// Tokens of other uses say so (RFC 8725 §3.11): access tokens `at+jwt`, logout tokens `logout+jwt`, and so on.
fn require_type(header: &Object) -> Result<(), TokenRefusal> {
    match header.get("typ") {
        None => Ok(()),
        Some(value) => match value.as_text() {
            Some(text) if is_jwt(text) => Ok(()),
            _ => Err(TokenRefusal::Kind),
        },
    }
}

/// Whether a media type is a JWT's, with or without what may be left out (RFC 7515 §4.1.9).
fn is_jwt(text: &str) -> bool {
    text.eq_ignore_ascii_case("JWT") || text.eq_ignore_ascii_case("application/jwt")
}

/// A text that need not be there, and is one if it is.
fn optional_text<'o>(object: &'o Object, name: &str) -> Result<Option<&'o str>, TokenRefusal> {
    object.get(name).map(|value| value.as_text().ok_or(TokenRefusal::Malformed)).transpose()
}

/// Base64url without padding and without spare bits (RFC 7515 §2): one text for each sequence of bytes.
fn decode(text: &str) -> Result<Zeroizing<Vec<u8>>, TokenRefusal> {
    URL_SAFE_NO_PAD.decode(text).map(Zeroizing::new).map_err(|_| TokenRefusal::Malformed)
}

fn digest_of(kind: u8, bytes: &[u8]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&[kind]);
    context.update(bytes);
    let mut id = [0; 32];
    id.copy_from_slice(context.finish().as_ref());
    id
}

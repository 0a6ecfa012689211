//! Seeds of one-time passwords, as the programs keep them: one URI of the scheme `otpauth`. Pure.
//! Specs: RFC 6238; RFC 4648 §6 (base32); <https://github.com/google/google-authenticator/wiki/Key-Uri-Format>.

use std::fmt::Write as _;

use coffer_model::record::{FieldType, Value};
use zeroize::Zeroizing;

/// What a seed becomes.
pub(crate) const FIELD_TYPE: FieldType = FieldType::Totp;
/// What the field is called.
pub(crate) const FIELD_NAME: &str = "One-time password";

/// How codes are made of a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settings<'s> {
    pub period_seconds: u32,
    pub digits: u32,
    /// `SHA1`, `SHA256` or `SHA512`.
    pub algorithm: &'s str,
}

impl Settings<'_> {
    /// RFC 6238's own.
    pub const USUAL: Self = Self { period_seconds: 30, digits: 6, algorithm: "SHA1" };
}

/// The URI of a seed in base32.
pub(crate) fn uri(label: &str, base32: &str, settings: Settings<'_>) -> Value {
    let mut uri = Zeroizing::new(String::with_capacity(64 + 3 * label.len() + base32.len()));
    uri.push_str("otpauth://totp/");
    for byte in label.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri.push_str("?secret=");
    uri.extend(base32.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()));
    let Settings { period_seconds, digits, algorithm } = settings;
    let _ = write!(uri, "&period={period_seconds}&digits={digits}&algorithm={algorithm}");
    Value::from(uri.as_str())
}

/// A seed as another program kept it: an URI as it stands, anything else that is base32 as one.
pub(crate) fn value_of(label: &str, text: &str) -> Value {
    seed_of(text).map_or_else(|| Value::from(text.trim()), |seed| uri(label, &seed, Settings::USUAL))
}

/// A seed in base32, written in groups or not; `None` if the text is none.
pub(crate) fn seed_of(text: &str) -> Option<Zeroizing<String>> {
    let seed: Zeroizing<String> = Zeroizing::new(text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect());
    let is_base32 = !seed.is_empty()
        && seed.trim_end_matches('=').bytes().all(|byte| byte.is_ascii_alphabetic() || (b'2'..=b'7').contains(&byte));
    is_base32.then_some(seed)
}

/// Base32 without padding.
pub(crate) fn base32(bytes: &[u8]) -> Zeroizing<String> {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = Zeroizing::new(String::with_capacity(bytes.len().div_ceil(5) * 8));
    let (mut held, mut bits) = (0_u32, 0_u32);
    for &byte in bytes {
        held = (held << 8 | u32::from(byte)) & 0xFFFF;
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(ALPHABET[(held >> bits & 31) as usize]));
        }
    }
    if bits > 0 {
        text.push(char::from(ALPHABET[(held << (5 - bits) & 31) as usize]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4648 §10, without the padding.
    #[test]
    fn base32_gives_the_published_texts() {
        for (bytes, text) in [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foob", "MZXW6YQ"), ("foobar", "MZXW6YTBOI")] {
            assert_eq!(&*base32(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn a_bare_seed_becomes_a_uri_and_a_uri_stays() {
        let made = value_of("A & B", "jbsw y3dp ehpk 3pxp");
        let expected = "otpauth://totp/A%20%26%20B?secret=JBSWY3DPEHPK3PXP&period=30&digits=6&algorithm=SHA1";
        assert_eq!(made.expose(), expected);
        assert_eq!(value_of("x", expected).expose(), expected);
        assert_eq!(value_of("x", "steam://ABC").expose(), "steam://ABC");
    }
}

//! What makes one-time codes: a seed and its parameters, as `otpauth://totp/…` or as the bare seed in Base32.
//! Spec: RFC 6238 for the parameters, RFC 4648 §6 for Base32, the "Key Uri Format" of Google Authenticator for the
//! URI, RFC 3986 §2.1 for its escapes. Pure; the codes themselves are derived in coffer-crypto.

use std::fmt;

use zeroize::Zeroizing;

/// The hash under the HMAC (RFC 6238 §1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TotpAlgorithm {
    /// SHA-1, what nearly every service means. HMAC does not need what SHA-1 has lost.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// The text is no seed of time-based codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a seed of one-time codes")]
pub struct InvalidTotp;

/// A seed of time-based codes with its parameters. Erased when dropped, never shown by `Debug`.
#[derive(PartialEq, Eq)]
pub struct TotpSeed {
    seed: Zeroizing<Vec<u8>>,
    algorithm: TotpAlgorithm,
    digits: u8,
    period_seconds: u32,
}

impl TotpSeed {
    /// Fewest bytes of a seed: what Google Authenticator takes. RFC 4226 R6 asks for 16, but services give out less.
    pub const MIN_BYTES: usize = 10;
    /// Most bytes of a seed: the block of SHA-512, beyond which RFC 2104 hashes a key down.
    pub const MAX_BYTES: usize = 128;
    /// Longest text that is looked at, bytes.
    const MAX_TEXT: usize = 2_048;
    /// Where a URI does not say otherwise, and for every bare seed.
    const DIGITS: u8 = 6;
    const PERIOD_SECONDS: u32 = 30;

    /// Takes a URI or a bare seed. Spaces, hyphens and the case of a seed do not matter; parameters that do not change
    /// the code (`issuer`, `image` …) are passed over, and any other is refused outside its range.
    pub fn parse(text: &str) -> Result<Self, InvalidTotp> {
        if text.len() > Self::MAX_TEXT || text.chars().any(char::is_control) {
            return Err(InvalidTotp);
        }
        match text.split_once("://") {
            None => Ok(Self {
                seed: parse_base32(text.bytes())?,
                algorithm: TotpAlgorithm::Sha1,
                digits: Self::DIGITS,
                period_seconds: Self::PERIOD_SECONDS,
            }),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("otpauth") => Self::parse_uri(rest),
            Some(_) => Err(InvalidTotp),
        }
    }

    /// What follows the scheme.
    fn parse_uri(rest: &str) -> Result<Self, InvalidTotp> {
        let (place, query) = rest.split_once('?').ok_or(InvalidTotp)?;
        let kind = place.split('/').next().unwrap_or_default();
        // Counter-based codes need a counter that is written at every look; they are not kept.
        if !kind.eq_ignore_ascii_case("totp") {
            return Err(InvalidTotp);
        }
        let query = query.split('#').next().unwrap_or_default();
        let (mut seed, mut algorithm, mut digits, mut period_seconds) = (None, None, None, None);
        for (name, value) in query.split('&').filter_map(|parameter| parameter.split_once('=')) {
            // Twice the same parameter: programs differ in which of them they take.
            let fresh = match name.to_ascii_lowercase().as_str() {
                "secret" => seed.replace(parse_base32(unescaped(value))?).is_none(),
                "algorithm" => algorithm.replace(parse_algorithm(value)?).is_none(),
                "digits" => digits.replace(parse_number(value, 6, 8)?).is_none(),
                "period" => period_seconds.replace(parse_number(value, 15, 120)?).is_none(),
                _ => true,
            };
            if !fresh {
                return Err(InvalidTotp);
            }
        }
        Ok(Self {
            seed: seed.ok_or(InvalidTotp)?,
            algorithm: algorithm.unwrap_or(TotpAlgorithm::Sha1),
            digits: digits.map_or(Self::DIGITS, |digits| u8::try_from(digits).expect("at most 8")),
            period_seconds: period_seconds.unwrap_or(Self::PERIOD_SECONDS),
        })
    }

    /// The seed's bytes, for the derivation of a code.
    pub fn expose(&self) -> &[u8] {
        &self.seed
    }

    /// The hash under the HMAC.
    pub const fn algorithm(&self) -> TotpAlgorithm {
        self.algorithm
    }

    /// Digits of a code, 6 to 8.
    pub const fn digits(&self) -> u8 {
        self.digits
    }

    /// Seconds a code is good for, 15 to 120.
    pub const fn period_seconds(&self) -> u32 {
        self.period_seconds
    }
}

impl fmt::Debug for TotpSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSeed(..)")
    }
}

fn parse_algorithm(value: &str) -> Result<TotpAlgorithm, InvalidTotp> {
    match value.to_ascii_uppercase().as_str() {
        "SHA1" => Ok(TotpAlgorithm::Sha1),
        "SHA256" => Ok(TotpAlgorithm::Sha256),
        "SHA512" => Ok(TotpAlgorithm::Sha512),
        _ => Err(InvalidTotp),
    }
}

fn parse_number(value: &str, least: u32, most: u32) -> Result<u32, InvalidTotp> {
    let number = value.parse().map_err(|_| InvalidTotp)?;
    if (least..=most).contains(&number) { Ok(number) } else { Err(InvalidTotp) }
}

/// Base32 as people copy it: in either case, in groups, with or without padding.
fn parse_base32(text: impl Iterator<Item = u8>) -> Result<Zeroizing<Vec<u8>>, InvalidTotp> {
    // Its greatest length from the start: growing would leave copies behind.
    let mut seed = Zeroizing::new(Vec::with_capacity(TotpSeed::MAX_BYTES));
    let (mut bits, mut held, mut padded) = (0_u16, 0_u32, false);
    let mut digits = 0_usize;
    for byte in text {
        let digit = match byte.to_ascii_uppercase() {
            b' ' | b'-' => continue,
            b'=' => {
                padded = true;
                continue;
            }
            letter @ b'A'..=b'Z' => letter - b'A',
            figure @ b'2'..=b'7' => figure - b'2' + 26,
            _ => return Err(InvalidTotp),
        };
        if padded || seed.len() == TotpSeed::MAX_BYTES {
            return Err(InvalidTotp);
        }
        digits += 1;
        bits = (bits << 5) | u16::from(digit);
        held += 5;
        if held >= 8 {
            held -= 8;
            seed.push((bits >> held).to_be_bytes()[1]);
            bits &= (1 << held) - 1;
        }
    }
    // No bytes have 1, 3 or 6 digits in their last group: a digit is missing, or one too many.
    let whole = !matches!(digits % 8, 1 | 3 | 6);
    if whole && seed.len() >= TotpSeed::MIN_BYTES { Ok(seed) } else { Err(InvalidTotp) }
}

/// The bytes a query's value stands for. A broken escape stays as it is, and fits nothing.
fn unescaped(value: &str) -> impl Iterator<Item = u8> {
    let mut rest = value.as_bytes();
    std::iter::from_fn(move || {
        let (&first, after) = rest.split_first()?;
        let hex = |at: usize| after.get(at).and_then(|&byte| char::from(byte).to_digit(16));
        if let (b'%', Some(high), Some(low)) = (first, hex(0), hex(1)) {
            rest = &after[2..];
            return u8::try_from(high * 16 + low).ok();
        }
        rest = after;
        Some(first)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 6238 appendix B: `12345678901234567890`.
    const SEED: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    fn parsed(text: &str) -> (Vec<u8>, TotpAlgorithm, u8, u32) {
        let seed = TotpSeed::parse(text).unwrap_or_else(|_| panic!("{text}"));
        (seed.expose().to_vec(), seed.algorithm(), seed.digits(), seed.period_seconds())
    }

    #[test]
    fn a_bare_seed_is_taken_as_people_copy_it() {
        let expected = (b"12345678901234567890".to_vec(), TotpAlgorithm::Sha1, 6, 30);
        for text in [SEED, "gezd gnbv gy3t qojq gezd gnbv gy3t qojq", "GEZDGNBV-GY3TQOJQ-GEZDGNBV-GY3TQOJQ"] {
            assert_eq!(parsed(text), expected, "{text}");
        }
        // RFC 4648 §6: padding.
        assert_eq!(parsed("GEZDGNBVGY3TQOJQGE======").0, b"12345678901");
    }

    #[test]
    fn a_uri_says_its_parameters_or_leaves_them_as_usual() {
        let seed = b"12345678901234567890".to_vec();
        assert_eq!(
            parsed(&format!("otpauth://totp/ACME:ines?secret={SEED}&issuer=ACME")),
            (seed.clone(), TotpAlgorithm::Sha1, 6, 30)
        );
        assert_eq!(
            parsed(&format!("OTPAUTH://TOTP/x?algorithm=sha512&digits=8&period=60&Secret={SEED}%3D%3d#top")),
            (seed, TotpAlgorithm::Sha512, 8, 60)
        );
    }

    #[test]
    fn what_gives_no_code_or_another_one_is_refused() {
        let too_long = "A".repeat(TotpSeed::MAX_BYTES * 8 / 5 + 8);
        for text in [
            "",
            "GEZDGNBVGY3TQOJ",
            "GEZDGNBVGY3TQOJ1",
            "GEZDGNBVGY3TQOJQG",
            "GEZD=GNBVGY3TQOJQ",
            "482913",
            too_long.as_str(),
            "https://example.org/?secret=GEZDGNBVGY3TQOJQ",
            "otpauth://hotp/x?secret=GEZDGNBVGY3TQOJQ&counter=1",
            "otpauth://totp/x",
            "otpauth://totp/x?issuer=ACME",
            "otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ&secret=GEZDGNBVGY3TQOJQ",
            "otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ&digits=5",
            "otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ&digits=9",
            "otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ&period=14",
            "otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ&period=121",
            "otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ&algorithm=MD5",
            "otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ%zz",
            "otpauth://totp/x?secret=GEZDGNBVGY3T\nQOJQ",
        ] {
            assert_eq!(TotpSeed::parse(text), Err(InvalidTotp), "{text}");
        }
    }

    #[test]
    fn debug_shows_no_seed() {
        assert_eq!(format!("{:?}", TotpSeed::parse(SEED)), "Ok(TotpSeed(..))");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text: String, tail in "[ -~]{0,80}") {
            let _ = TotpSeed::parse(&text);
            let _ = TotpSeed::parse(&format!("otpauth://totp/x?secret={tail}"));
        }

        #[test]
        fn every_seed_reads_back(seed in proptest::collection::vec(any::<u8>(), TotpSeed::MIN_BYTES..=TotpSeed::MAX_BYTES)) {
            const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
            let bit = |at: usize| seed.get(at / 8).map_or(0, |byte| (byte >> (7 - at % 8)) & 1);
            let digit = |index: usize| (0..5).fold(0_u8, |digit, at| (digit << 1) | bit(index * 5 + at));
            let text: String =
                (0..(seed.len() * 8).div_ceil(5)).map(|index| char::from(ALPHABET[usize::from(digit(index))])).collect();
            prop_assert_eq!(parsed(&text).0, seed);
        }
    }
}

//! An account's second factor: time-based codes of an authenticator, and spare codes that serve once each.
//! Layout: docs/FORMAT.md §4.13. Spec: RFC 6238 over RFC 4226 (SHA-1, six digits, 30 s), RFC 4648 §6 for the seed as text.
//! Pure: the time is an argument.
//!
//! This is a gate of the program's, no key: whoever checks a code offline holds its seed. What a stolen copy is guarded by
//! is the passphrase with its key factors ([`crate::kdf`]).

use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::derive::Id;
use crate::groups::{self, DATA_CHARACTERS, from_base32, to_base32};
use crate::label::{self, Context};
use crate::secret::sealed::Buffer;
use crate::secret::{SecondFactorSeed, SecretBytes, SecretKey, SpareCode};
use crate::totp::{CodeHash, CodeShape, derive_code};

/// Digits of a time-based code.
pub const DIGITS: u8 = 6;
/// Seconds a time-based code is good for.
pub const PERIOD_SECONDS: u32 = 30;
/// Groups of a spare code, of five characters each.
pub const SPARE_GROUPS: usize = 2;
/// Spare codes made at a time.
pub const SPARE_CODES: usize = 10;

/// How far the clocks of the two devices may be apart, in steps of [`PERIOD_SECONDS`] (RFC 6238 §5.2).
const DRIFT_STEPS: u64 = 1;

/// Alphabet of RFC 4648 §6.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Why a code is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeRefusal {
    /// Neither the code of about now nor a spare code that is left.
    #[error("the code is wrong, or its time is over")]
    Wrong,
    /// The code of about now, but one that has served already, or is older than one that has. A new one comes within half
    /// a minute.
    #[error("the code has been used already")]
    Used,
}

/// What a person typed as a code.
#[derive(Debug)]
pub enum TypedCode {
    /// Digits of an authenticator.
    TimeBased(Zeroizing<String>),
    /// One of the spare codes.
    Spare(SpareCode),
}

impl TypedCode {
    /// Reads it: six digits, or a spare code. Spaces, dashes and case do not matter.
    pub fn parse(typed: &str) -> Result<Self, CodeRefusal> {
        let typed: Zeroizing<String> =
            Zeroizing::new(typed.chars().filter(|c| !c.is_whitespace() && *c != '-').take(64).collect());
        if typed.len() == usize::from(DIGITS) && typed.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Self::TimeBased(typed));
        }
        SpareCode::parse_text(&typed).map(Self::Spare)
    }
}

/// Whether `typed` is a code of about `unix_seconds` that has not served: gives the step it is of, which serves no more.
///
/// `last_step` is the newest step that has served. A clock that was set back brings no step back.
pub fn check_time_based(
    seed: &SecondFactorSeed,
    typed: &str,
    unix_seconds: u64,
    last_step: Option<u64>,
) -> Result<u64, CodeRefusal> {
    let now = unix_seconds / u64::from(PERIOD_SECONDS);
    let mut verdict = Err(CodeRefusal::Wrong);
    for step in now.saturating_sub(DRIFT_STEPS)..=now.saturating_add(DRIFT_STEPS) {
        if bool::from(is_code_of(seed, typed, step)) {
            verdict = if last_step.is_none_or(|last| step > last) { Ok(step) } else { Err(CodeRefusal::Used) };
        }
    }
    verdict
}

fn is_code_of(seed: &SecondFactorSeed, typed: &str, step: u64) -> Choice {
    let shape = CodeShape { hash: CodeHash::Sha1, digits: DIGITS, period_seconds: PERIOD_SECONDS };
    let code = derive_code(seed.expose_bytes(), shape, step.saturating_mul(u64::from(PERIOD_SECONDS)));
    code.as_bytes().ct_eq(typed.as_bytes())
}

impl SecondFactorSeed {
    /// The seed as authenticators take it when it is typed: 32 characters of Base32.
    pub fn to_base32(&self) -> SecretBytes {
        let mut text = Vec::with_capacity(Self::BYTES / 5 * 8);
        for five in self.expose_bytes().chunks_exact(5) {
            let bits = five.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
            text.extend((0..8).rev().map(|place| BASE32[usize::try_from(bits >> (5 * place) & 31).unwrap_or(0)]));
        }
        SecretBytes::new(text)
    }
}

impl SpareCode {
    /// Writes the code as two groups, with a space between them.
    pub fn to_text(&self) -> SecretBytes {
        let mut values = Zeroizing::new([0; SPARE_GROUPS * DATA_CHARACTERS]);
        to_base32(self.expose_bytes(), values.as_mut_slice());
        SecretBytes::new(groups::write(values.as_slice()))
    }

    /// Reads a code as typed: case, spaces and dashes do not matter, and O, I, L count as 0, 1, 1.
    pub fn parse_text(typed: &str) -> Result<Self, CodeRefusal> {
        let mut values = Zeroizing::new([0; SPARE_GROUPS * DATA_CHARACTERS]);
        groups::read(typed, values.as_mut_slice()).map_err(|_| CodeRefusal::Wrong)?;
        Ok(Self::fill_with(|buffer| {
            // 8 characters of five bits are 5 bytes exactly.
            from_base32(values.as_slice(), buffer);
        }))
    }

    /// By what an account's sealed state knows the code.
    pub fn digest(&self, account: Id) -> [u8; 32] {
        Context::new(label::SPARE_CODE).bytes(account).bytes(self.expose_bytes()).digest()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed() -> SecondFactorSeed {
        SecondFactorSeed::parse(b"12345678901234567890").unwrap()
    }

    /// RFC 6238 appendix B with its last six digits.
    #[test]
    fn codes_of_rfc_6238_are_taken_one_step_early_and_late_and_no_further() {
        for (at, code) in [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")] {
            let step = at / 30;
            for now in [at - 30, at, at + 30] {
                assert_eq!(check_time_based(&seed(), code, now, None), Ok(step), "{code} at {now}");
            }
            for now in [at + 60, at + 90] {
                assert_eq!(check_time_based(&seed(), code, now, None), Err(CodeRefusal::Wrong), "{code} at {now}");
            }
        }
        assert_eq!(check_time_based(&seed(), "081804", 1_111_111_109 - 60, None), Err(CodeRefusal::Wrong));
    }

    #[test]
    fn a_step_serves_once_and_none_before_it_serves_after_it() {
        let at = 1_111_111_109;
        let step = check_time_based(&seed(), "081804", at, None).unwrap();
        assert_eq!(check_time_based(&seed(), "081804", at, Some(step)), Err(CodeRefusal::Used));
        assert_eq!(check_time_based(&seed(), "081804", at, Some(step + 1)), Err(CodeRefusal::Used));
        assert_eq!(check_time_based(&seed(), "081804", at, Some(step - 1)), Ok(step));
    }

    #[test]
    fn what_is_no_code_is_wrong() {
        for typed in ["", "28708", "2870822", "28708a", "🦀", "abcde fghi"] {
            assert!(matches!(TypedCode::parse(typed), Err(CodeRefusal::Wrong)), "{typed}");
        }
        assert!(matches!(TypedCode::parse("287 082"), Ok(TypedCode::TimeBased(code)) if *code == "287082"));
    }

    #[test]
    fn a_spare_code_reads_back_however_it_is_typed_and_belongs_to_its_account() {
        let code = SpareCode::parse(&[0xd1, 7, 9, 200, 0]).unwrap();
        let text = String::from_utf8(code.to_text().expose().to_vec()).unwrap();
        assert_eq!(text.len(), 2 * 5 + 1);
        for typed in [text.clone(), text.to_lowercase(), text.replace(' ', "-"), text.replace(' ', "")] {
            let Ok(TypedCode::Spare(read)) = TypedCode::parse(&typed) else { panic!("{typed}") };
            assert_eq!(read.digest([1; 16]), code.digest([1; 16]));
            assert_ne!(read.digest([1; 16]), code.digest([2; 16]));
        }
        assert_eq!(format!("{code:?}"), "SpareCode(..)");
    }

    /// RFC 4648 §10 has no vector of 20 bytes; this one is the seed of RFC 6238 as every authenticator's test has it.
    #[test]
    fn the_seed_reads_as_base32() {
        assert_eq!(seed().to_base32().expose(), b"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }
}

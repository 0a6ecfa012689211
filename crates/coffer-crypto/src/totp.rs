//! One-time codes that other services ask for. Spec: RFC 6238, over RFC 4226. Pure: the time is an argument.
//!
//! The seeds are a tenant's data, with whatever length its services gave them; nothing of Coffer's own is guarded by
//! these codes.

use std::fmt::Write as _;

use totp_rs::{Algorithm, Builder};
use zeroize::Zeroizing;

/// The hash under the HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeHash {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// How codes are made of a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeShape {
    /// The hash under the HMAC.
    pub hash: CodeHash,
    /// Digits of a code, 6 to 8.
    pub digits: u8,
    /// Seconds a code is good for, at least 1.
    pub period_seconds: u32,
}

/// Derives the code of the moment `unix_seconds`, leading zeros included.
pub fn derive_code(seed: &[u8], shape: CodeShape, unix_seconds: u64) -> Zeroizing<String> {
    let algorithm = match shape.hash {
        CodeHash::Sha1 => Algorithm::SHA1,
        CodeHash::Sha256 => Algorithm::SHA256,
        CodeHash::Sha512 => Algorithm::SHA512,
    };
    // "Noncompliant" is about the seed's length, which is the service's choice.
    let totp = Builder::new()
        .with_algorithm(algorithm)
        .with_digits(shape.digits)
        .with_step_duration(u64::from(shape.period_seconds))
        .with_secret(seed)
        .build_noncompliant();
    let mut code = Zeroizing::new(String::with_capacity(usize::from(shape.digits)));
    write!(code, "{}", totp.generate(unix_seconds)).expect("a string takes everything");
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMES: [u64; 6] = [59, 1_111_111_109, 1_111_111_111, 1_234_567_890, 2_000_000_000, 20_000_000_000];

    /// RFC 6238 appendix B, with the seeds that its erratum 2866 gives: the digits over and over, as many as the hash
    /// has bytes.
    #[test]
    fn codes_are_those_of_rfc_6238() {
        for (hash, bytes, codes) in [
            (CodeHash::Sha1, 20, ["94287082", "07081804", "14050471", "89005924", "69279037", "65353130"]),
            (CodeHash::Sha256, 32, ["46119246", "68084774", "67062674", "91819424", "90698825", "77737706"]),
            (CodeHash::Sha512, 64, ["90693936", "25091201", "99943326", "93441116", "38618901", "47863826"]),
        ] {
            let seed: Vec<u8> = b"1234567890".iter().copied().cycle().take(bytes).collect();
            let shape = CodeShape { hash, digits: 8, period_seconds: 30 };
            for (at, code) in TIMES.into_iter().zip(codes) {
                assert_eq!(*derive_code(&seed, shape, at), code, "{hash:?} at {at}");
            }
        }
    }

    /// RFC 4226 appendix D: the counter is the number of whole periods.
    #[test]
    fn codes_are_those_of_rfc_4226() {
        let codes =
            ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
        for period_seconds in [15, 30, 120] {
            let shape = CodeShape { hash: CodeHash::Sha1, digits: 6, period_seconds };
            for (counter, code) in (0_u64..).zip(codes) {
                let begins = counter * u64::from(period_seconds);
                for at in [begins, begins + u64::from(period_seconds) - 1] {
                    assert_eq!(*derive_code(b"12345678901234567890", shape, at), code);
                }
            }
        }
    }
}

//! Delays after failed unlocks, which outlast the program: guessing at the screen is slow, and nobody is ever locked out.
//! Layout: docs/FORMAT.md §3.5. Touches the disk through `store::files`.
//!
//! Delays only, and capped: a colleague can be annoyed with this, not shut out. They are kept by the look-up value of the
//! login, so that logins nobody has look and wait like all others. The program alone enforces them: whoever may write the
//! vault's folder may remove the file, and a copy of the vault is guessed at elsewhere, at Argon2id's price.

use std::path::Path;
use std::time::Duration;

use coffer_model::time::Timestamp;
use minicbor::bytes::ByteArray;
use minicbor::{CborLen, Decode, Encode};

use crate::encoding;
use crate::fault::Fault;
use crate::store::files::{self, FileError};

/// Name of the file in the vault's folder.
const FILE: &str = "unlock.delays";
/// Most bytes of it.
const MAX_BYTES: u64 = 16 * 1024;
/// Logins kept; of more, those that failed most often lately.
const MAX_LOGINS: usize = 128;
/// Failures that cost nothing: everybody mistypes.
const FREE_FAILURES: u32 = 5;
/// The longest delay.
const LONGEST: Duration = Duration::from_mins(1);

/// Failed unlocks, by login.
#[derive(Debug, Default, Encode, Decode, CborLen)]
pub(crate) struct Throttle {
    #[n(0)]
    logins: Vec<Failed>,
}

#[derive(Debug, Encode, Decode, CborLen)]
struct Failed {
    #[n(0)]
    lookup: ByteArray<32>,
    /// Since the last success.
    #[n(1)]
    failures: u32,
    /// When the last of them was, in milliseconds since the Unix epoch.
    #[n(2)]
    last_ms: i64,
}

impl Failed {
    fn delay(&self) -> Duration {
        let Some(doublings) = self.failures.checked_sub(FREE_FAILURES) else { return Duration::ZERO };
        let seconds = 1_u64.checked_shl(doublings).unwrap_or(u64::MAX);
        Duration::from_secs(seconds).min(LONGEST)
    }
}

impl Throttle {
    /// Reads what the vault in `folder` keeps. A file that cannot be read counts as none: who can write it can remove it.
    pub(crate) fn load(folder: &Path) -> Self {
        let bytes = files::read_private_file(&folder.join(FILE), MAX_BYTES);
        bytes.ok().and_then(|bytes| encoding::decode(&bytes).ok()).unwrap_or_default()
    }

    /// How long this login has to wait still; `None` if it may try.
    ///
    /// A clock that was set back makes nobody wait longer than the delay: it is counted from the time the clock shows now.
    pub(crate) fn wait(&mut self, lookup: &[u8; 32], now: Timestamp) -> Option<Duration> {
        let failed = self.logins.iter_mut().find(|failed| *failed.lookup == *lookup)?;
        failed.last_ms = failed.last_ms.min(now.unix_millis());
        let since = u64::try_from(now.unix_millis() - failed.last_ms).unwrap_or(0);
        failed.delay().checked_sub(Duration::from_millis(since)).filter(|wait| !wait.is_zero())
    }

    /// Counts a failure.
    pub(crate) fn fail(&mut self, lookup: &[u8; 32], now: Timestamp) {
        if let Some(failed) = self.logins.iter_mut().find(|failed| *failed.lookup == *lookup) {
            failed.failures = failed.failures.saturating_add(1);
            failed.last_ms = now.unix_millis();
            return;
        }
        if self.logins.len() >= MAX_LOGINS {
            let least = self.logins.iter().enumerate().min_by_key(|(_, failed)| (failed.failures, failed.last_ms));
            if let Some(least) = least.map(|(index, _)| index) {
                self.logins.swap_remove(least);
            }
        }
        self.logins.push(Failed { lookup: (*lookup).into(), failures: 1, last_ms: now.unix_millis() });
    }

    /// Forgets a login's failures; says whether there were any.
    pub(crate) fn succeed(&mut self, lookup: &[u8; 32]) -> bool {
        let before = self.logins.len();
        self.logins.retain(|failed| *failed.lookup != *lookup);
        self.logins.len() != before
    }

    /// Writes it down.
    pub(crate) fn save(&self, folder: &Path) -> Result<(), Fault> {
        match files::replace_private_file(&folder.join(FILE), &encoding::encode(self)) {
            // A full disk, or one that may not be written, is no reason to let nobody in.
            Err(FileError::NotDurable(error)) => Err(FileError::NotDurable(error).into()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_millis(1_700_000_000_000 + seconds * 1_000).unwrap()
    }

    #[test]
    fn the_first_failures_are_free_and_delays_double_up_to_a_minute() {
        let (mut throttle, login) = (Throttle::default(), [1; 32]);
        let mut delays = Vec::new();
        for _ in 0..14 {
            throttle.fail(&login, at(0));
            delays.push(throttle.wait(&login, at(0)).map_or(0, |wait| wait.as_secs()));
        }
        assert_eq!(delays, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
        assert_eq!(throttle.wait(&login, at(59)).unwrap(), Duration::from_secs(1));
        assert_eq!(throttle.wait(&login, at(60)), None);
        assert_eq!(throttle.wait(&[2; 32], at(0)), None);
        assert!(throttle.succeed(&login) && !throttle.succeed(&login));
        assert_eq!(throttle.wait(&login, at(0)), None);
    }

    #[test]
    fn a_clock_that_was_set_back_shuts_nobody_out() {
        let (mut throttle, login) = (Throttle::default(), [1; 32]);
        (0..30).for_each(|_| throttle.fail(&login, at(1_000_000_000)));
        assert_eq!(throttle.wait(&login, at(0)), Some(LONGEST));
        assert_eq!(throttle.wait(&login, at(60)), None);
    }

    #[test]
    fn it_outlasts_the_program_and_a_file_of_nonsense_counts_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let (mut throttle, login) = (Throttle::load(folder.path()), [1; 32]);
        (0..6).for_each(|_| throttle.fail(&login, at(0)));
        throttle.save(folder.path()).unwrap();
        assert!(Throttle::load(folder.path()).wait(&login, at(0)).is_some());
        std::fs::write(folder.path().join(FILE), b"nonsense").unwrap();
        assert!(Throttle::load(folder.path()).logins.is_empty());
    }

    #[test]
    fn a_flood_of_logins_does_not_push_out_the_one_that_is_guessed_at() {
        let mut throttle = Throttle::default();
        (0..9).for_each(|_| throttle.fail(&[255; 32], at(0)));
        for number in 0..250_u8 {
            throttle.fail(&[number; 32], at(i64::from(number)));
        }
        assert_eq!(throttle.logins.len(), MAX_LOGINS);
        assert!(throttle.wait(&[255; 32], at(0)).is_some());
        assert!(encoding::encode(&throttle).len() as u64 <= MAX_BYTES);
    }
}

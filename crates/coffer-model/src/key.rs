//! Kinds of keys, and how long each is used. Terms: NIST SP 800-57 Part 1 Rev. 5, §5.3 (cryptoperiods), §7 (states). Pure.

use serde::{Serialize, Serializer};

/// A kind of key that is made, used, replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyKind {
    /// A tenant's: encrypts its database and its files.
    Tenant,
    /// The directory's: encrypts accounts, grants and the membership chain.
    Directory,
    /// The log's pair: entries are sealed to it.
    Audit,
    /// The pair of administrators and auditors together.
    Office,
    /// Recovery's pairs: everything that is not an account's own is sealed to them.
    Recovery,
    /// A device's pair: signs backups and checkpoints made while locked.
    Device,
    /// An account's pairs: keys are sealed to one, statements signed by the other.
    Account,
}

impl KeyKind {
    /// Every kind, in the order of their codes.
    pub const ALL: [Self; 7] =
        [Self::Tenant, Self::Directory, Self::Audit, Self::Office, Self::Recovery, Self::Device, Self::Account];

    /// The code by which it is stored, from 1.
    pub const fn code(self) -> u8 {
        match self {
            Self::Tenant => 1,
            Self::Directory => 2,
            Self::Audit => 3,
            Self::Office => 4,
            Self::Recovery => 5,
            Self::Device => 6,
            Self::Account => 7,
        }
    }

    /// The kind of a code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The permanent name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Directory => "directory",
            Self::Audit => "audit",
            Self::Office => "office",
            Self::Recovery => "recovery",
            Self::Device => "device",
            Self::Account => "account",
        }
    }
}

impl Serialize for KeyKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// The text names no kind of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a kind of key")]
pub struct InvalidKeyKind;

impl std::str::FromStr for KeyKind {
    type Err = InvalidKeyKind;

    fn from_str(text: &str) -> Result<Self, InvalidKeyKind> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or(InvalidKeyKind)
    }
}

/// Days for which a key of each kind is used before another takes its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cryptoperiods([u16; 7]);

impl Cryptoperiods {
    /// Shortest period, in days.
    pub const MIN_DAYS: u16 = 1;
    /// Longest period, in days: about ten years.
    pub const MAX_DAYS: u16 = 3_653;

    /// Days of a kind.
    pub const fn days(&self, kind: KeyKind) -> u16 {
        self.0[kind.code() as usize - 1]
    }

    /// With other days for a kind; `None` if they are out of bounds.
    pub fn with(mut self, kind: KeyKind, days: u16) -> Option<Self> {
        if !(Self::MIN_DAYS..=Self::MAX_DAYS).contains(&days) {
            return None;
        }
        self.0[usize::from(kind.code()) - 1] = days;
        Some(self)
    }

    /// Days of each kind, in the order of their codes.
    pub const fn all(&self) -> [u16; 7] {
        self.0
    }

    /// Takes days of each kind, in the order of their codes; `None` if any is out of bounds.
    pub fn from_days(days: &[u16]) -> Option<Self> {
        if days.len() != KeyKind::ALL.len() {
            return None;
        }
        KeyKind::ALL.into_iter().zip(days).try_fold(Self::default(), |periods, (kind, &days)| periods.with(kind, days))
    }
}

/// A year for what encrypts data, two for what people and devices hold, three for recovery: within the one to three years
/// that SP 800-57 Part 1 Rev. 5, table 1, suggests for such keys.
impl Default for Cryptoperiods {
    fn default() -> Self {
        Self([365, 365, 365, 365, 1_096, 730, 730])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_read_as_they_are_written() {
        for (index, kind) in KeyKind::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(kind.code()), index + 1);
            assert_eq!(KeyKind::from_code(kind.code()), Some(kind));
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        assert_eq!(KeyKind::from_code(0), None);
        assert_eq!("keys".parse::<KeyKind>(), Err(InvalidKeyKind));
    }

    #[test]
    fn periods_stay_within_their_bounds() {
        let periods = Cryptoperiods::default();
        assert_eq!(periods.with(KeyKind::Audit, 0), None);
        assert_eq!(periods.with(KeyKind::Audit, Cryptoperiods::MAX_DAYS + 1), None);
        let longer = periods.with(KeyKind::Audit, 700).unwrap();
        assert_eq!((longer.days(KeyKind::Audit), longer.days(KeyKind::Office)), (700, 365));
        assert_eq!(Cryptoperiods::from_days(&longer.all()), Some(longer));
        assert_eq!(Cryptoperiods::from_days(&[365; 6]), None);
        assert_eq!(Cryptoperiods::from_days(&[365, 365, 0, 365, 365, 365, 365]), None);
    }
}

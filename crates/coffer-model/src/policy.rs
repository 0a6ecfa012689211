//! What an administrator has fixed for a whole vault: who needs a second factor, what asks for authentication anew, what
//! takes two people, and how costly a passphrase must be to guess. Pure data; stated in docs/FORMAT.md §5.8.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::account::Roles;

/// Actions that an administrator can put under a stricter rule, each a group of calls that people think of as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guarded {
    /// Showing or copying a secret.
    Reveal,
    /// Writing an attachment to a file outside the vault.
    SaveFiles,
    /// Writing records to a file outside the vault that anybody reads.
    Export,
    /// Deleting for good: records in the trash, and what is held about a person.
    Erase,
    /// Making or restoring a backup.
    Backup,
    /// Reading the log.
    ReadLog,
    /// Granting and withdrawing tenants.
    Grant,
    /// Using the recovery kit inside the vault.
    Recover,
}

impl Guarded {
    /// Every one, by its number.
    pub const ALL: [Self; 8] = [
        Self::Reveal,
        Self::SaveFiles,
        Self::Export,
        Self::Erase,
        Self::Backup,
        Self::ReadLog,
        Self::Grant,
        Self::Recover,
    ];

    /// Its bit in a [`GuardedSet`].
    const fn bit(self) -> u32 {
        1 << self as u32
    }

    /// Its permanent name, as in files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reveal => "reveal",
            Self::SaveFiles => "save_files",
            Self::Export => "export",
            Self::Erase => "erase",
            Self::Backup => "backup",
            Self::ReadLog => "read_log",
            Self::Grant => "grant",
            Self::Recover => "recover",
        }
    }
}

impl fmt::Display for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A word that names no action that can be put under a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no action that can be put under a rule has that name")]
pub struct UnknownGuarded;

impl FromStr for Guarded {
    type Err = UnknownGuarded;

    fn from_str(name: &str) -> Result<Self, UnknownGuarded> {
        Self::ALL.into_iter().find(|guarded| guarded.name() == name).ok_or(UnknownGuarded)
    }
}

/// A set of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GuardedSet(u32);

impl GuardedSet {
    /// None.
    pub const NONE: Self = Self(0);

    /// What a rule of two people can be about. The others are daily work, which two people do not do together.
    pub const FOR_TWO: Self = Self::NONE.with(Guarded::Export).with(Guarded::Erase).with(Guarded::Recover);

    /// The set with one more.
    #[must_use]
    pub const fn with(self, guarded: Guarded) -> Self {
        Self(self.0 | guarded.bit())
    }

    /// Whether it is in the set.
    pub const fn contains(self, guarded: Guarded) -> bool {
        self.0 & guarded.bit() != 0
    }

    /// Whether every one of them is in `other`.
    pub const fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Those in the set, by their numbers.
    pub fn iter(self) -> impl Iterator<Item = Guarded> {
        Guarded::ALL.into_iter().filter(move |guarded| self.contains(*guarded))
    }

    /// As stored: one bit each.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Reads a set; refuses bits that mean nothing.
    pub fn from_bits(bits: u32) -> Option<Self> {
        let known = Guarded::ALL.into_iter().fold(0, |known, guarded| known | guarded.bit());
        (bits & !known == 0).then_some(Self(bits))
    }
}

impl FromIterator<Guarded> for GuardedSet {
    fn from_iter<I: IntoIterator<Item = Guarded>>(all: I) -> Self {
        all.into_iter().fold(Self::NONE, Self::with)
    }
}

/// The rules of a vault. Nothing of it is what keys enforce: the program does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VaultPolicy {
    /// Who has any of these roles needs a second factor before anything else.
    pub second_factor: Roles,
    /// What asks for passphrase and second factor anew, unless they were given within two minutes.
    pub step_up: GuardedSet,
    /// What another administrator has to authenticate for as well; within [`GuardedSet::FOR_TWO`].
    pub two_people: GuardedSet,
    /// Least memory of a passphrase's derivation, KiB; 0 where nothing is fixed. Slots below it are raised at unlocking.
    pub kdf_memory_kib: u32,
}

impl Default for VaultPolicy {
    fn default() -> Self {
        Self { second_factor: Roles::NONE, step_up: GuardedSet::NONE, two_people: GuardedSet::NONE, kdf_memory_kib: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_bits_read_back_and_nothing_else_does() {
        for guarded in Guarded::ALL {
            assert_eq!(guarded.name().parse(), Ok(guarded));
            let alone = GuardedSet::NONE.with(guarded);
            assert_eq!(GuardedSet::from_bits(alone.bits()), Some(alone));
            assert_eq!(alone.iter().collect::<Vec<_>>(), [guarded]);
        }
        assert_eq!("everything".parse::<Guarded>(), Err(UnknownGuarded));
        assert_eq!(GuardedSet::from_bits(1 << 8), None);
        assert!(GuardedSet::FOR_TWO.is_within(GuardedSet::from_iter(Guarded::ALL)));
        assert!(!GuardedSet::FOR_TWO.with(Guarded::Reveal).is_within(GuardedSet::FOR_TWO));
    }
}

//! The recovery seed as people print, read out and type it: fourteen groups of five characters.
//! Layout: docs/FORMAT.md §4.9. Alphabet: Crockford's base 32. Pure.
//!
//! ```text
//! group 1..13   four characters of the seed (256 bits, then four zero bits) and a check character
//! group 14      20 bits of SHA-256(label ‖ seed) and a check character
//! ```
//!
//! Check characters: [`crate::groups`].

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::groups::{self, DATA_CHARACTERS, GroupsError, from_base32, to_base32};
use crate::label;
use crate::secret::sealed::Buffer;
use crate::secret::{RecoverySeed, SecretBytes, SecretKey};

/// Groups of a printed code.
pub const GROUPS: usize = 14;
/// Characters of a group.
pub const GROUP_CHARACTERS: usize = groups::GROUP_CHARACTERS;

const SEED_GROUPS: usize = GROUPS - 1;

/// Why text is no recovery code; groups are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecoveryCodeError {
    /// Not 14 groups of 5.
    #[error("the recovery code has {found} characters instead of 70")]
    Length {
        /// How many there are, spaces and dashes left out.
        found: usize,
    },
    /// A group has too few or too many characters.
    #[error("group {group} does not have 5 characters")]
    GroupLength {
        /// Which.
        group: usize,
    },
    /// A character that no code contains.
    #[error("group {group} holds a character that no recovery code has")]
    Character {
        /// In which group.
        group: usize,
    },
    /// A group's check character does not fit.
    #[error("group {group} is mistyped")]
    Group {
        /// Which.
        group: usize,
    },
    /// Every group fits by itself, but not together.
    #[error("the recovery code does not fit together")]
    Checksum,
}

impl From<GroupsError> for RecoveryCodeError {
    fn from(error: GroupsError) -> Self {
        match error {
            GroupsError::Length { found } => Self::Length { found },
            GroupsError::GroupLength { group } => Self::GroupLength { group },
            GroupsError::Character { group } => Self::Character { group },
            GroupsError::Group { group } => Self::Group { group },
        }
    }
}

impl RecoverySeed {
    /// Writes the seed as groups, with one space between them.
    pub fn to_recovery_code(&self) -> SecretBytes {
        let mut values = Zeroizing::new([0; GROUPS * DATA_CHARACTERS]);
        let (of_seed, of_checksum) = values.split_at_mut(SEED_GROUPS * DATA_CHARACTERS);
        to_base32(self.expose_bytes(), of_seed);
        of_checksum.copy_from_slice(&checksum(self));

        SecretBytes::new(groups::write(values.as_slice()))
    }

    /// Reads a code as typed: case, spaces and dashes do not matter, and O, I, L count as 0, 1, 1.
    pub fn parse_recovery_code(typed: &str) -> Result<Self, RecoveryCodeError> {
        let mut values = Zeroizing::new([0; GROUPS * DATA_CHARACTERS]);
        groups::read(typed, values.as_mut_slice())?;
        let (of_seed, of_checksum) = values.split_at(SEED_GROUPS * DATA_CHARACTERS);
        let mut spare = 0;
        let seed = Self::fill_with(|buffer| spare = from_base32(of_seed, buffer));
        if spare == 0 && of_checksum == checksum(&seed) { Ok(seed) } else { Err(RecoveryCodeError::Checksum) }
    }
}

/// The first 20 bits of SHA-256(label ‖ seed), five to a character.
fn checksum(seed: &RecoverySeed) -> [u8; DATA_CHARACTERS] {
    let mut hash = Sha256::new();
    hash.update(label::RECOVERY_CHECKSUM.encode());
    hash.update(seed.expose_bytes());
    let digest = hash.finalize();
    let mut values = [0; DATA_CHARACTERS];
    to_base32(&digest[..3], &mut values);
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::groups::{ALPHABET, check_character};

    fn seed() -> RecoverySeed {
        let bytes: Vec<u8> = (0..32).map(|byte: u8| byte.wrapping_mul(37).wrapping_add(11)).collect();
        RecoverySeed::parse(&bytes).unwrap()
    }

    fn code() -> String {
        String::from_utf8(seed().to_recovery_code().expose().to_vec()).unwrap()
    }

    fn parse(typed: &str) -> Result<[u8; 32], RecoveryCodeError> {
        RecoverySeed::parse_recovery_code(typed).map(|seed| *seed.expose())
    }

    #[test]
    fn a_code_reads_back_however_it_is_typed() {
        let code = code();
        assert_eq!(code.len(), 14 * 5 + 13);
        let expected = *seed().expose();
        for typed in [
            code.clone(),
            code.to_lowercase(),
            code.replace(' ', "-"),
            code.replace(' ', ""),
            format!("\n {} \t", code.replace(' ', " – ")),
            code.replace('0', "o").replace('1', "l"),
        ] {
            assert_eq!(parse(&typed), Ok(expected), "{typed}");
        }
    }

    #[test]
    fn any_one_wrong_character_is_found_in_its_group() {
        let code = code();
        for position in (0..code.len()).filter(|&position| code.as_bytes()[position] != b' ') {
            for &other in ALPHABET.iter().filter(|&&other| other != code.as_bytes()[position]) {
                let mut typed = code.clone().into_bytes();
                typed[position] = other;
                let group = position / 6 + 1;
                let typed = String::from_utf8(typed).unwrap();
                assert_eq!(parse(&typed), Err(RecoveryCodeError::Group { group }));
            }
        }
    }

    #[test]
    fn two_exchanged_characters_are_found_in_their_group() {
        let code = code();
        for position in 0..code.len() - 1 {
            let mut typed = code.clone().into_bytes();
            typed.swap(position, position + 1);
            let either_is_space = typed[position] == b' ' || typed[position + 1] == b' ';
            if either_is_space || typed[position] == typed[position + 1] {
                continue;
            }
            let group = position / 6 + 1;
            assert_eq!(parse(&String::from_utf8(typed).unwrap()), Err(RecoveryCodeError::Group { group }));
        }
    }

    #[test]
    fn exchanged_groups_are_found() {
        let code = code();
        let mut groups: Vec<_> = code.split(' ').collect();
        groups.swap(2, 3);
        assert_eq!(parse(&groups.join(" ")), Err(RecoveryCodeError::Group { group: 3 }));
    }

    #[test]
    fn a_group_too_short_or_foreign_is_named() {
        let code = code();
        let mut short = code.clone();
        short.remove(8);
        assert_eq!(parse(&short), Err(RecoveryCodeError::GroupLength { group: 2 }));
        assert_eq!(parse(&short.replace(' ', "")), Err(RecoveryCodeError::Length { found: 69 }));
        assert_eq!(parse(""), Err(RecoveryCodeError::Length { found: 0 }));
        let mut foreign = code.into_bytes();
        foreign[12] = b'U';
        let foreign = String::from_utf8(foreign).unwrap();
        assert_eq!(parse(&foreign), Err(RecoveryCodeError::Character { group: 3 }));
    }

    #[test]
    fn groups_that_fit_only_by_themselves_are_refused() {
        let mut values = [0; DATA_CHARACTERS];
        values[3] = 5;
        let mut typed: Vec<String> = code().split(' ').map(str::to_owned).collect();
        let mut group: String = values.iter().map(|&value| char::from(ALPHABET[usize::from(value)])).collect();
        group.push(char::from(ALPHABET[usize::from(check_character(&values, 0))]));
        typed[0] = group;
        assert_eq!(parse(&typed.join(" ")), Err(RecoveryCodeError::Checksum));
    }
}

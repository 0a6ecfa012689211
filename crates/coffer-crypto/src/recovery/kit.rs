//! The recovery seed as people print, read out and type it: fourteen groups of five characters.
//! Layout: docs/FORMAT.md §4.9. Alphabet: Crockford's base 32. Pure.
//!
//! ```text
//! group 1..13   four characters of the seed (256 bits, then four zero bits) and a check character
//! group 14      20 bits of SHA-256(label ‖ seed) and a check character
//! ```
//!
//! Each check character is computed in GF(32) over the group's characters and its number, so that one wrong character,
//! two exchanged ones, or a group in another's place is found in that very group, and the person is told which.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::label;
use crate::secret::sealed::Buffer;
use crate::secret::{RecoverySeed, SecretBytes, SecretKey};

/// Groups of a printed code.
pub const GROUPS: usize = 14;
/// Characters of a group.
pub const GROUP_CHARACTERS: usize = 5;

const DATA_CHARACTERS: usize = GROUP_CHARACTERS - 1;
const SEED_GROUPS: usize = GROUPS - 1;
const BITS_PER_CHARACTER: usize = 5;

/// Crockford's base 32: no I, L, O or U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

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

impl RecoverySeed {
    /// Writes the seed as groups, with one space between them.
    pub fn to_recovery_code(&self) -> SecretBytes {
        let mut values = Zeroizing::new([0; GROUPS * DATA_CHARACTERS]);
        let (of_seed, of_checksum) = values.split_at_mut(SEED_GROUPS * DATA_CHARACTERS);
        to_base32(self.expose_bytes(), of_seed);
        of_checksum.copy_from_slice(&checksum(self));

        let mut text = Vec::with_capacity(GROUPS * (GROUP_CHARACTERS + 1) - 1);
        for (index, group) in values.chunks_exact(DATA_CHARACTERS).enumerate() {
            if index > 0 {
                text.push(b' ');
            }
            text.extend(group.iter().map(|&value| ALPHABET[usize::from(value)]));
            text.push(ALPHABET[usize::from(check_character(group, index))]);
        }
        SecretBytes::new(text)
    }

    /// Reads a code as typed: case, spaces and dashes do not matter, and O, I, L count as 0, 1, 1.
    pub fn parse_recovery_code(typed: &str) -> Result<Self, RecoveryCodeError> {
        check_lengths(typed)?;
        let mut values = Zeroizing::new([0; GROUPS * DATA_CHARACTERS]);
        let mut characters = typed.chars().filter(|&character| !is_separator(character));
        for (index, data) in values.chunks_exact_mut(DATA_CHARACTERS).enumerate() {
            let group = index + 1;
            let mut next = || characters.next().and_then(value_of).ok_or(RecoveryCodeError::Character { group });
            for value in data.iter_mut() {
                *value = next()?;
            }
            if next()? != check_character(data, index) {
                return Err(RecoveryCodeError::Group { group });
            }
        }
        let (of_seed, of_checksum) = values.split_at(SEED_GROUPS * DATA_CHARACTERS);
        let mut spare = 0;
        let seed = Self::fill_with(|buffer| spare = from_base32(of_seed, buffer));
        if spare == 0 && of_checksum == checksum(&seed) { Ok(seed) } else { Err(RecoveryCodeError::Checksum) }
    }
}

/// Finds the group a person has to look at when the number of characters is wrong.
fn check_lengths(typed: &str) -> Result<(), RecoveryCodeError> {
    let found = typed.chars().filter(|&character| !is_separator(character)).count();
    if found == GROUPS * GROUP_CHARACTERS {
        return Ok(());
    }
    let groups = || typed.split(is_separator).filter(|group| !group.is_empty());
    if groups().count() == GROUPS {
        let wrong = groups().position(|group| group.chars().count() != GROUP_CHARACTERS);
        if let Some(index) = wrong {
            return Err(RecoveryCodeError::GroupLength { group: index + 1 });
        }
    }
    Err(RecoveryCodeError::Length { found })
}

/// Spaces of any kind, and what word processors make of a dash.
fn is_separator(character: char) -> bool {
    character.is_whitespace() || matches!(character, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

fn value_of(character: char) -> Option<u8> {
    let upper = match character.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let position = ALPHABET.iter().position(|&known| char::from(known) == upper)?;
    u8::try_from(position).ok()
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

/// Sum over GF(32) of α^(i+1) times character i, plus the group's number counted from 0.
///
/// The factors are distinct and not zero, so one changed character always changes the sum, and so do two exchanged ones
/// unless they are equal.
fn check_character(data: &[u8], group_index: usize) -> u8 {
    let number = u8::try_from(group_index).expect("there are fourteen groups");
    // Horner's rule, from the last character.
    times_alpha(data.iter().rev().fold(0, |sum, &value| times_alpha(sum) ^ value)) ^ number
}

/// Multiplies by α in GF(32) = GF(2)[α] / (α⁵ + α² + 1).
const fn times_alpha(value: u8) -> u8 {
    let shifted = value << 1;
    if shifted & 0b10_0000 == 0 { shifted } else { shifted ^ 0b10_0101 }
}

/// Splits bytes into values of five bits, most significant first, for as many as `out` takes; missing bits are zero.
fn to_base32(bytes: &[u8], out: &mut [u8]) {
    for (index, value) in out.iter_mut().enumerate() {
        *value = (0..BITS_PER_CHARACTER).fold(0, |sum, offset| {
            let bit = index * BITS_PER_CHARACTER + offset;
            let set = bytes.get(bit / 8).is_some_and(|byte| byte & (0x80 >> (bit % 8)) != 0);
            (sum << 1) | u8::from(set)
        });
    }
}

/// Inverse of [`to_base32`]; returns the bits beyond the last whole byte.
fn from_base32(values: &[u8], out: &mut [u8]) -> u8 {
    out.fill(0);
    let mut spare = 0;
    for bit in 0..values.len() * BITS_PER_CHARACTER {
        let set = (values[bit / BITS_PER_CHARACTER] >> (BITS_PER_CHARACTER - 1 - bit % BITS_PER_CHARACTER)) & 1;
        match out.get_mut(bit / 8) {
            Some(byte) => *byte |= set << (7 - bit % 8),
            None => spare = (spare << 1) | set,
        }
    }
    spare
}

#[cfg(test)]
mod tests {
    use super::*;

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

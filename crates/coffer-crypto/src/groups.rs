//! Secrets as people print, read out and type them: groups of five characters, the last of each a check character.
//! Layout: docs/FORMAT.md §4.9. Alphabet: Crockford's base 32. Pure.
//!
//! Each check character is computed in GF(32) over the group's characters and its number, so that one wrong character,
//! two exchanged ones, or a group in another's place is found in that very group, and the person is told which.

/// Characters of a group.
pub(crate) const GROUP_CHARACTERS: usize = 5;
/// Characters of a group that carry data.
pub(crate) const DATA_CHARACTERS: usize = GROUP_CHARACTERS - 1;

const BITS_PER_CHARACTER: usize = 5;

/// Crockford's base 32: no I, L, O or U.
pub(crate) const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Why text is not so many groups; they are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GroupsError {
    /// Not as many characters as the groups have.
    Length {
        /// How many there are, spaces and dashes left out.
        found: usize,
    },
    /// A group has too few or too many characters.
    GroupLength {
        /// Which.
        group: usize,
    },
    /// A character that no group contains.
    Character {
        /// In which group.
        group: usize,
    },
    /// A group's check character does not fit.
    Group {
        /// Which.
        group: usize,
    },
}

/// Writes values of five bits, four to a group, with one space between the groups. In memory of its exact length.
pub(crate) fn write(values: &[u8]) -> Vec<u8> {
    let groups = values.len() / DATA_CHARACTERS;
    let mut text = Vec::with_capacity(groups * (GROUP_CHARACTERS + 1) - 1);
    for (index, group) in values.chunks_exact(DATA_CHARACTERS).enumerate() {
        if index > 0 {
            text.push(b' ');
        }
        text.extend(group.iter().map(|&value| ALPHABET[usize::from(value)]));
        text.push(ALPHABET[usize::from(check_character(group, index))]);
    }
    text
}

/// Reads as many values as there is room for: case, spaces and dashes do not matter, and O, I, L count as 0, 1, 1.
pub(crate) fn read(typed: &str, values: &mut [u8]) -> Result<(), GroupsError> {
    check_lengths(typed, values.len() / DATA_CHARACTERS)?;
    let mut characters = typed.chars().filter(|&character| !is_separator(character));
    for (index, data) in values.chunks_exact_mut(DATA_CHARACTERS).enumerate() {
        let group = index + 1;
        let mut next = || characters.next().and_then(value_of).ok_or(GroupsError::Character { group });
        for value in data.iter_mut() {
            *value = next()?;
        }
        if next()? != check_character(data, index) {
            return Err(GroupsError::Group { group });
        }
    }
    Ok(())
}

/// Finds the group a person has to look at when the number of characters is wrong.
fn check_lengths(typed: &str, expected: usize) -> Result<(), GroupsError> {
    let found = typed.chars().filter(|&character| !is_separator(character)).count();
    if found == expected * GROUP_CHARACTERS {
        return Ok(());
    }
    let groups = || typed.split(is_separator).filter(|group| !group.is_empty());
    if groups().count() == expected {
        let wrong = groups().position(|group| group.chars().count() != GROUP_CHARACTERS);
        if let Some(index) = wrong {
            return Err(GroupsError::GroupLength { group: index + 1 });
        }
    }
    Err(GroupsError::Length { found })
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

/// Sum over GF(32) of α^(i+1) times character i, plus the group's number counted from 0.
///
/// The factors are distinct and not zero, so one changed character always changes the sum, and so do two exchanged ones
/// unless they are equal.
pub(crate) fn check_character(data: &[u8], group_index: usize) -> u8 {
    let number = u8::try_from(group_index).expect("there are fewer than 32 groups");
    // Horner's rule, from the last character.
    times_alpha(data.iter().rev().fold(0, |sum, &value| times_alpha(sum) ^ value)) ^ number
}

/// Multiplies by α in GF(32) = GF(2)[α] / (α⁵ + α² + 1).
const fn times_alpha(value: u8) -> u8 {
    let shifted = value << 1;
    if shifted & 0b10_0000 == 0 { shifted } else { shifted ^ 0b10_0101 }
}

/// Splits bytes into values of five bits, most significant first, for as many as `out` takes; missing bits are zero.
pub(crate) fn to_base32(bytes: &[u8], out: &mut [u8]) {
    for (index, value) in out.iter_mut().enumerate() {
        *value = (0..BITS_PER_CHARACTER).fold(0, |sum, offset| {
            let bit = index * BITS_PER_CHARACTER + offset;
            let set = bytes.get(bit / 8).is_some_and(|byte| byte & (0x80 >> (bit % 8)) != 0);
            (sum << 1) | u8::from(set)
        });
    }
}

/// Inverse of [`to_base32`]; returns the bits beyond the last whole byte.
pub(crate) fn from_base32(values: &[u8], out: &mut [u8]) -> u8 {
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

//! A person's own recovery code: a way into their account when passphrase, device or key file is lost.
//! Layout: docs/FORMAT.md §4.14. Pure.
//!
//! It opens a slot of its own (docs/FORMAT.md §4.5, kind 2) as a passphrase does. With 160 random bits it needs no key
//! factor beside it.

use zeroize::Zeroizing;

use crate::groups::{self, DATA_CHARACTERS, GroupsError, from_base32, to_base32};
use crate::passphrase::Passphrase;
use crate::secret::sealed::Buffer;
use crate::secret::{PersonalCode, SecretBytes, SecretKey};

/// Groups of a printed code, of five characters each.
pub const GROUPS: usize = 8;

/// Why text is no personal recovery code; groups are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PersonalCodeError {
    /// Not 8 groups of 5.
    #[error("the personal recovery code has {found} characters instead of 40")]
    Length {
        /// How many there are, spaces and dashes left out.
        found: usize,
    },
    /// A group holds something that does not belong there.
    #[error("group {group} of the personal recovery code is mistyped")]
    Group {
        /// Which.
        group: usize,
    },
}

impl From<GroupsError> for PersonalCodeError {
    fn from(error: GroupsError) -> Self {
        match error {
            GroupsError::Length { found } => Self::Length { found },
            GroupsError::GroupLength { group } | GroupsError::Character { group } | GroupsError::Group { group } => {
                Self::Group { group }
            }
        }
    }
}

impl PersonalCode {
    /// Writes the code as groups, with one space between them.
    pub fn to_text(&self) -> SecretBytes {
        let mut values = Zeroizing::new([0; GROUPS * DATA_CHARACTERS]);
        to_base32(self.expose_bytes(), values.as_mut_slice());
        SecretBytes::new(groups::write(values.as_slice()))
    }

    /// Reads a code as typed: case, spaces and dashes do not matter, and O, I, L count as 0, 1, 1.
    pub fn parse_text(typed: &str) -> Result<Self, PersonalCodeError> {
        let mut values = Zeroizing::new([0; GROUPS * DATA_CHARACTERS]);
        groups::read(typed, values.as_mut_slice())?;
        Ok(Self::fill_with(|buffer| {
            // 32 characters of five bits are 20 bytes exactly.
            from_base32(values.as_slice(), buffer);
        }))
    }

    /// The code as its slot takes it: the text of [`PersonalCode::to_text`].
    pub fn to_passphrase(&self) -> Passphrase {
        Passphrase::parse_borrowed(self.to_text().expose()).expect("letters, digits and spaces are a passphrase")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_reads_back_however_it_is_typed_and_opens_the_same_slot() {
        let code = PersonalCode::parse(&[0xd1, 7, 9, 200, 0, 1, 77, 3, 255, 128, 64, 5, 6, 90, 33, 8, 9, 10, 11, 12]);
        let code = code.unwrap();
        let text = String::from_utf8(code.to_text().expose().to_vec()).unwrap();
        assert_eq!(text.len(), 8 * 5 + 7);
        for typed in [text.clone(), text.to_lowercase(), text.replace(' ', "-"), text.replace(' ', "")] {
            let read = PersonalCode::parse_text(&typed).unwrap();
            assert_eq!(read.to_passphrase().expose(), code.to_passphrase().expose(), "{typed}");
        }
    }

    #[test]
    fn a_mistyped_code_is_told_by_its_group_or_length() {
        let mut text = String::from_utf8(PersonalCode::parse(&[7; 20]).unwrap().to_text().expose().to_vec()).unwrap();
        text.replace_range(13..14, if text.as_bytes()[13] == b'7' { "8" } else { "7" });
        assert_eq!(PersonalCode::parse_text(&text).err(), Some(PersonalCodeError::Group { group: 3 }));
        assert_eq!(PersonalCode::parse_text("").err(), Some(PersonalCodeError::Length { found: 0 }));
    }
}

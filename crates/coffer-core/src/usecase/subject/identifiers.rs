//! By what a person is looked for, and whether a text has it. Pure.
//!
//! Texts are folded as for searching. An identifier of six letters and digits or more is found wherever these stand one
//! after the other, whatever is between them: `Anna Schmidt` in `anna.schmidt@acme.example`, `030 1234567` in
//! `+49 (0)30 1234-567`; one of several words with the last of them in front, too: `Schmidt, Anna`. A shorter one is found
//! as whole words only.

use coffer_model::record::Value;
use zeroize::Zeroizing;

use crate::store::tenant::folded_whole;

/// Most identifiers at a time.
pub const SUBJECT_IDENTIFIERS_MAX: usize = 20;
/// Most characters of one.
const IDENTIFIER_CHARS_MAX: usize = 200;
/// Fewest letters and digits of one.
const IDENTIFIER_CHARS_MIN: usize = 3;
/// From so many letters and digits on it is found inside longer words.
const FOUND_INSIDE_CHARS: usize = 6;

/// The identifiers of one person: a name, an e-mail address, a telephone number. Personal data: erased when dropped, not
/// shown by `Debug`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectIdentifiers(Vec<Value>);

/// The texts are no identifiers of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a person is looked for by 1 to 20 identifiers, each with 3 letters or digits and at most 200 characters")]
pub struct InvalidIdentifiers;

impl SubjectIdentifiers {
    /// Takes what was typed or read, without empty lines.
    pub fn parse(given: impl IntoIterator<Item = Value>) -> Result<Self, InvalidIdentifiers> {
        let given: Vec<Value> = given.into_iter().filter(|value| !value.expose().trim().is_empty()).collect();
        let is_fit = |value: &Value| {
            value.expose().chars().count() <= IDENTIFIER_CHARS_MAX
                && Wanted::of(value.expose()).joined.chars().count() >= IDENTIFIER_CHARS_MIN
        };
        if given.is_empty() || given.len() > SUBJECT_IDENTIFIERS_MAX || !given.iter().all(is_fit) {
            return Err(InvalidIdentifiers);
        }
        Ok(Self(given))
    }

    /// As they were given.
    pub(super) fn expose(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(Value::expose)
    }
}

/// Looks for identifiers in texts.
pub(super) struct Matcher(Vec<Wanted>);

/// One identifier, folded.
struct Wanted {
    /// Its words with a space before, between and behind them.
    spaced: Zeroizing<String>,
    /// The same without the spaces.
    joined: Zeroizing<String>,
    /// As it stands in lists: with its last word first.
    turned: Zeroizing<String>,
}

impl Wanted {
    fn of(identifier: &str) -> Self {
        let Folded { spaced, joined } = Folded::of(identifier);
        // A number is written with and without what is dialled before it.
        let is_number = joined.chars().all(|c| c.is_ascii_digit());
        let joined = if is_number { Zeroizing::new(joined.trim_start_matches('0').to_owned()) } else { joined };
        let turned = match spaced.trim().rsplit_once(' ') {
            Some((first, last)) if !is_number => Zeroizing::new(format!("{last}{}", first.replace(' ', ""))),
            _ => joined.clone(),
        };
        Self { spaced, joined, turned }
    }

    fn is_in(&self, text: &Folded) -> bool {
        if self.joined.chars().count() >= FOUND_INSIDE_CHARS {
            text.joined.contains(self.joined.as_str()) || text.joined.contains(self.turned.as_str())
        } else {
            text.spaced.contains(self.spaced.as_str())
        }
    }
}

/// A text as it is looked through.
struct Folded {
    spaced: Zeroizing<String>,
    joined: Zeroizing<String>,
}

impl Folded {
    fn of(text: &str) -> Self {
        let folded = Zeroizing::new(folded_whole(text));
        // What stands in telephone numbers for what is dialled from inside the country.
        let folded = Zeroizing::new(folded.replace("(0)", " "));
        let mut spaced = Zeroizing::new(String::with_capacity(folded.len() + 2));
        let mut joined = Zeroizing::new(String::with_capacity(folded.len()));
        spaced.push(' ');
        for word in folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
            spaced.push_str(word);
            spaced.push(' ');
            joined.push_str(word);
        }
        Self { spaced, joined }
    }
}

impl Matcher {
    pub(super) fn of(identifiers: &SubjectIdentifiers) -> Self {
        Self(identifiers.expose().map(Wanted::of).collect())
    }

    /// Which identifiers are in a text, counted from 1.
    pub(super) fn found_in(&self, text: &str) -> Vec<u32> {
        if text.is_empty() {
            return Vec::new();
        }
        let text = Folded::of(text);
        (1..).zip(&self.0).filter(|(_, wanted)| wanted.is_in(&text)).map(|(number, _)| number).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_found(identifier: &str, text: &str) -> bool {
        let identifiers = SubjectIdentifiers::parse([Value::from(identifier)]).unwrap();
        !Matcher::of(&identifiers).found_in(text).is_empty()
    }

    #[test]
    fn a_person_is_found_however_the_name_is_written() {
        for text in [
            "Anna Schmidt",
            "ANNA  SCHMIDT, Kiel",
            "anna.schmidt@acme.example",
            "Änna-Schmïdt",
            "annaschmidt42",
            "for Anna\nSchmidt only",
            "Schmidt, Anna",
        ] {
            assert!(is_found("Anna Schmidt", text), "{text}");
        }
        for text in ["Anna Schmid", "Schmidt", "Anna", ""] {
            assert!(!is_found("Anna Schmidt", text), "{text}");
        }
    }

    #[test]
    fn a_number_is_found_with_and_without_what_is_dialled_before_it() {
        for text in ["+49 (0)30 1234-567", "030/1234567", "0049301234567", "call 30 12 34 56 7"] {
            assert!(is_found("030 1234567", text), "{text}");
        }
        assert!(is_found("+49 30 1234567", "0049 30 1234567"));
        assert!(!is_found("030 1234567", "030 1234568"));
    }

    #[test]
    fn a_short_identifier_is_a_word_of_its_own() {
        assert!(is_found("Ida", "Ida, Kiel") && is_found("ida", "IDA"));
        assert!(!is_found("Ida", "validation"));
    }

    #[test]
    fn too_little_too_much_and_nothing_are_no_identifiers() {
        for given in [vec![], vec![" "], vec!["ab"], vec!["-- ."], vec!["Anna Schmidt", "x"]] {
            assert!(SubjectIdentifiers::parse(given.into_iter().map(Value::from)).is_err());
        }
        let long = "a".repeat(IDENTIFIER_CHARS_MAX + 1);
        assert!(SubjectIdentifiers::parse([Value::from(long.as_str())]).is_err());
        let many = (0..=SUBJECT_IDENTIFIERS_MAX).map(|_| Value::from("Anna Schmidt"));
        assert!(SubjectIdentifiers::parse(many).is_err());
    }

    #[test]
    fn identifiers_are_not_shown_by_debug() {
        let identifiers = SubjectIdentifiers::parse([Value::from("Anna Schmidt")]).unwrap();
        assert!(!format!("{identifiers:?}").contains("Anna"));
    }
}

//! A person's passphrase, in the one form in which it is used. Spec: RFC 8265 §4.2, profile `OpaqueString`. Pure.
//!
//! The same passphrase arrives as different bytes from different keyboards and systems; the profile makes one of them:
//! every space becomes U+0020, then Unicode's form C. Case, width and the length of runs of spaces are kept. Control
//! characters, unassigned code points and invisible formatting are refused, because nobody can type them twice the same.
//!
//! The tables that come with the profile are those of Unicode 6.3, as IANA publishes them. Code points assigned since
//! are judged by the profile's own algorithm (RFC 8264 §8) on their present category, or most emoji would be refused.
//! What is accepted stays accepted: Unicode neither withdraws a code point nor changes its normal form.

use std::borrow::Cow;
use std::fmt;

use precis_profiles::OpaqueString;
use precis_profiles::precis_core::profile::Rules;
use precis_profiles::precis_core::{DerivedPropertyValue, FreeformClass, StringClass};
use subtle::{Choice, ConstantTimeEq};
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};
use zeroize::{Zeroize, Zeroizing};

/// Longest passphrase, in code points after normalisation.
pub const MAX_CODE_POINTS: usize = 1024;

/// Longest input looked at, in bytes: 1,024 code points of four bytes, each decomposed into four.
const MAX_INPUT_BYTES: usize = 16 * 1024;

/// Why text cannot be a passphrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PassphraseError {
    /// There is nothing in it.
    #[error("the passphrase is empty")]
    Empty,
    /// It has more than [`MAX_CODE_POINTS`].
    #[error("the passphrase is longer than {MAX_CODE_POINTS} characters")]
    TooLong,
    /// It is not UTF-8.
    #[error("the passphrase is not valid text")]
    NotText,
    /// It holds a control character, an unassigned code point or invisible formatting.
    #[error("the passphrase holds a character that cannot be relied on")]
    Character,
}

/// A passphrase, normalised. Erased on drop; compared in constant time.
pub struct Passphrase(Box<[u8]>);

impl Passphrase {
    /// Normalises `typed` (UTF-8) and erases it, whatever the outcome.
    pub fn parse(typed: Vec<u8>) -> Result<Self, PassphraseError> {
        let typed = Zeroizing::new(typed);
        Self::parse_borrowed(&typed)
    }

    /// Normalises `typed` (UTF-8), which the caller erases.
    pub fn parse_borrowed(typed: &[u8]) -> Result<Self, PassphraseError> {
        if typed.is_empty() {
            return Err(PassphraseError::Empty);
        }
        if typed.len() > MAX_INPUT_BYTES {
            return Err(PassphraseError::TooLong);
        }
        let text = std::str::from_utf8(typed).map_err(|_| PassphraseError::NotText)?;

        // The profile's steps one by one rather than `enforce`, which would drop what lies between them unerased.
        if !is_freeform(text) {
            return Err(PassphraseError::Character);
        }
        let profile = OpaqueString::new();
        let mapped = profile.additional_mapping_rule(text).map_err(|_| PassphraseError::Character)?;
        let normal = profile.normalization_rule(&*mapped).map_err(|_| PassphraseError::Character);
        let result = normal.and_then(|normal| {
            let kept = Self::keep(&normal);
            erase(normal);
            kept
        });
        erase(mapped);
        result
    }

    fn keep(normal: &str) -> Result<Self, PassphraseError> {
        if normal.chars().count() > MAX_CODE_POINTS {
            return Err(PassphraseError::TooLong);
        }
        Ok(Self(Box::from(normal.as_bytes())))
    }

    /// Lends the normalised UTF-8. The borrower makes no copy that it does not erase.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Lends it as text.
    pub(crate) fn expose_text(&self) -> &str {
        std::str::from_utf8(&self.0).expect("made from a string")
    }

    /// Length in code points, as the rules of [`crate::strength`] count.
    pub fn code_points(&self) -> usize {
        self.expose_text().chars().count()
    }
}

/// Whether every code point is in the profile's string class (RFC 8264 §4.3), which is its step "prepare".
fn is_freeform(text: &str) -> bool {
    /// Stands in for what the class's tables are too old to know; allowed anywhere, and part of no context rule.
    const KNOWN: char = 'x';
    let class = FreeformClass::default();
    let is_newer = |character| {
        class.get_value_from_char(character) == DerivedPropertyValue::Unassigned
            && is_freeform_since_unicode_6_3(character)
    };
    // As long as the text at most, so it never grows.
    let mut judged = Zeroizing::new(String::with_capacity(text.len()));
    judged.extend(text.chars().map(|character| if is_newer(character) { KNOWN } else { character }));
    class.allows(judged.as_str()).is_ok()
}

/// RFC 8264 §8 for a code point that Unicode 6.3 did not have. Of the steps that come before the categories only
/// `PrecisIgnorableProperties` can still apply, and to one such character that its category alone would let through.
fn is_freeform_since_unicode_6_3(character: char) -> bool {
    const FREE_VARIATION_SELECTOR_FOUR: char = '\u{180f}';
    if character == FREE_VARIATION_SELECTOR_FOUR {
        return false;
    }
    match character.general_category_group() {
        GeneralCategoryGroup::Letter
        | GeneralCategoryGroup::Mark
        | GeneralCategoryGroup::Number
        | GeneralCategoryGroup::Punctuation
        | GeneralCategoryGroup::Symbol => true,
        GeneralCategoryGroup::Separator => character.general_category() == GeneralCategory::SpaceSeparator,
        GeneralCategoryGroup::Other => false,
    }
}

/// Erases what a step of the profile allocated; what it merely passed on is the caller's.
fn erase(text: Cow<'_, str>) {
    if let Cow::Owned(mut owned) = text {
        owned.zeroize();
    }
}

impl ConstantTimeEq for Passphrase {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl Drop for Passphrase {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(typed: &str) -> Result<String, PassphraseError> {
        Passphrase::parse(typed.into()).map(|passphrase| passphrase.expose_text().to_owned())
    }

    /// The profile's own examples, RFC 8265 §4.3.
    #[test]
    fn the_examples_of_rfc_8265_come_out_as_printed_there() {
        assert_eq!(normal("correct horse battery staple").unwrap(), "correct horse battery staple");
        assert_eq!(normal("Correct Horse Battery Staple").unwrap(), "Correct Horse Battery Staple");
        assert_eq!(normal("πßå").unwrap(), "πßå");
        assert_eq!(normal("Jack of ♦s").unwrap(), "Jack of ♦s");
        assert_eq!(normal("foo\u{1680}bar").unwrap(), "foo bar");
        assert_eq!(normal(""), Err(PassphraseError::Empty));
        assert_eq!(normal("my cat is a \u{9}by"), Err(PassphraseError::Character));
    }

    #[test]
    fn attack_03_sixty_four_characters_with_emoji_and_spaces_are_kept_exactly() {
        let typed = "  Zwölf 🐒 Affen,  dreizehn 🦜 Papageien — und EIN sehr alter Kapitän 🏴  ";
        assert!(typed.chars().count() > 64);
        assert_eq!(normal(typed).unwrap(), typed);
        let longest = "🐒".repeat(MAX_CODE_POINTS);
        assert_eq!(normal(&longest).unwrap(), longest);
    }

    #[test]
    fn attack_04_composed_and_decomposed_forms_are_one_passphrase() {
        let composed = "Z\u{fc}rich \u{c5}ngstr\u{f6}m \u{ac01}";
        let decomposed = "Zu\u{308}rich A\u{30a}ngstro\u{308}m \u{1100}\u{1161}\u{11a8}";
        let compatibility = "Zu\u{308}rich \u{212b}ngstro\u{308}m \u{ac01}";
        let expected = hex::decode("5ac3bc7269636820c3856e67737472c3b66d20eab081").unwrap();
        for form in [composed, compatibility] {
            assert_eq!(Passphrase::parse(form.into()).unwrap().expose(), expected);
        }
        // RFC 8264 §9.9 keeps conjoining Hangul letters out of every profile, so this form is refused, not guessed at.
        assert_eq!(normal(decomposed), Err(PassphraseError::Character));
        assert_eq!(normal("Zu\u{308}rich A\u{30a}ngstro\u{308}m").unwrap(), "Z\u{fc}rich \u{c5}ngstr\u{f6}m");
    }

    #[test]
    fn case_and_runs_of_spaces_and_trailing_spaces_count() {
        let one = Passphrase::parse(b"two  spaces ".to_vec()).unwrap();
        for other in ["two spaces ", "two  spaces", "Two  spaces "] {
            let other = Passphrase::parse(other.into()).unwrap();
            assert!(!bool::from(one.ct_eq(&other)));
        }
    }

    #[test]
    fn what_nobody_can_type_twice_is_refused() {
        for typed in [
            "a\u{0}b",
            "a\nb",
            "a\u{200b}b",
            "a\u{202e}b",
            "a\u{e000}b",
            "a\u{378}b",
            "a\u{180f}b",
            "a\u{1bca0}b",
            "a\u{feff}b",
        ] {
            assert_eq!(normal(typed), Err(PassphraseError::Character), "{typed:?}");
        }
        assert_eq!(Passphrase::parse(vec![0xff, 0xfe]).err(), Some(PassphraseError::NotText));
    }

    #[test]
    fn length_is_counted_after_normalisation() {
        assert_eq!(normal(&"u\u{308}".repeat(MAX_CODE_POINTS)).unwrap().chars().count(), MAX_CODE_POINTS);
        assert_eq!(normal(&"a".repeat(MAX_CODE_POINTS + 1)), Err(PassphraseError::TooLong));
        assert_eq!(normal(&"a".repeat(1 << 20)), Err(PassphraseError::TooLong));
    }
}

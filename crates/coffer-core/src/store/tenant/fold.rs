//! Texts without case, accents and typographic variants: how titles are ordered and words are found. Pure.
//!
//! Compatibility decomposition (UAX #15, NFKD), then every combining mark with a combining class is dropped, then upper
//! and again lower case (Unicode's full mappings, one character at a time), so that `ß` meets `ss` and `ς` meets `σ`.
//! No language's own alphabet is followed: `ö` stands with `o`, `ø` after `z`.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// Folds `text`, which is looked at only until the result has `most_bytes` bytes.
///
/// A few characters decompose into many; without the bound a record could be a hundred times its size in here.
pub(super) fn fold(text: &str, most_bytes: usize) -> String {
    if text.is_ascii() {
        // Most text of most records, and the same result.
        return text[..text.len().min(most_bytes)].to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(text.len().min(most_bytes));
    let characters = text
        .nfkd()
        .filter(|&character| canonical_combining_class(character) == 0)
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase);
    for character in characters {
        if folded.len() + character.len_utf8() > most_bytes {
            break;
        }
        folded.push(character);
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> String {
        fold(text, usize::MAX)
    }

    #[test]
    fn case_accents_and_variants_vanish() {
        for (text, folded) in [
            ("Érnő Ångström", "erno angstrom"),
            ("Straße STRASSE", "strasse strasse"),
            ("ＡＢＣ ﬁn ①", "abc fin 1"),
            ("ΣΊΣΥΦΟΣ σίσυφος", "σισυφοσ σισυφοσ"),
            ("İstanbul ISTANBUL", "istanbul istanbul"),
            ("Việt Nam", "viet nam"),
            ("日本語 한국", "日本語 한국"),
        ] {
            assert_eq!(all(text), all(folded), "{text}");
        }
        assert_eq!(all("e\u{301}"), all("é"), "one spelling in two encodings");
    }

    #[test]
    fn folding_twice_changes_nothing_more() {
        for text in ["Straße", "ŉ Ǆ ΐ", "ﬃ", "İ", "ǰ"] {
            assert_eq!(all(&all(text)), all(text), "{text}");
        }
    }

    #[test]
    fn ascii_is_folded_as_any_other_text() {
        let ascii: String = (0..128_u8).map(char::from).collect();
        assert_eq!(all(&format!("{ascii}ä")), format!("{}a", all(&ascii)));
        assert_eq!(fold("Bounded", 5), "bound");
    }

    #[test]
    fn a_character_that_decomposes_into_many_does_not_exceed_the_bound() {
        let text = "\u{fdfa}".repeat(1_000);
        assert!(fold(&text, 5_000).len() <= 5_000);
    }
}

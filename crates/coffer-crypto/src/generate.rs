//! Passwords and passphrases made by chance. Pure: randomness is an argument.
//!
//! Every outcome is equally likely: indices are drawn without the bias of a remainder, and a password that lacks one of
//! the kinds of characters asked for is thrown away whole and made again. So the entropy is exactly the logarithm of the
//! number of outcomes. Words: the EFF's long list (J. Bonneau, 2016, CC BY 3.0), as `diceware_wordlists` has it.

use std::sync::LazyLock;

use diceware_wordlists::EFF_LONG_WORDLIST;
use zeroize::Zeroizing;

use crate::random::Random;

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
/// Signs that services take and keyboards have; no space, quotation mark or backslash, which scripts trip over.
const SYMBOLS: &str = "!#$%&()*+,-./:;<=>?@[]^_{|}~";
/// Characters that are taken for each other in print or handwriting.
const AMBIGUOUS: &str = "0Oo1Il|5S2Z8B.,:;-_";

/// What a password is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a box to tick")]
pub struct PasswordRules {
    /// Characters, [`PasswordRules::MIN_LENGTH`] to [`PasswordRules::MAX_LENGTH`].
    pub length: usize,
    /// At least one of `a`–`z`.
    pub lower: bool,
    /// At least one of `A`–`Z`.
    pub upper: bool,
    /// At least one of `0`–`9`.
    pub digits: bool,
    /// At least one sign.
    pub symbols: bool,
    /// None that is easily taken for another.
    pub unambiguous: bool,
}

/// What a passphrase is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassphraseRules {
    /// Words, [`PassphraseRules::MIN_WORDS`] to [`PassphraseRules::MAX_WORDS`].
    pub words: usize,
    /// What stands between them.
    pub separator: char,
    /// Whether each begins with a capital.
    pub capitals: bool,
}

/// Nothing can be made by these rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the rules ask for too little, too much, or no characters at all")]
pub struct InvalidRules;

/// A secret made by chance.
pub struct Generated {
    /// The secret.
    pub text: Zeroizing<String>,
    /// Logarithm to base 2 of how many others it could have been.
    pub entropy_bits: f64,
}

impl std::fmt::Debug for Generated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Generated").field("entropy_bits", &self.entropy_bits).finish_non_exhaustive()
    }
}

impl PasswordRules {
    /// Fewest characters.
    pub const MIN_LENGTH: usize = 4;
    /// Most characters.
    pub const MAX_LENGTH: usize = 256;

    /// The kinds of characters asked for.
    fn classes(&self) -> Vec<Vec<char>> {
        let asked = [(self.lower, LOWER), (self.upper, UPPER), (self.digits, DIGITS), (self.symbols, SYMBOLS)];
        let kept = |c: &char| !(self.unambiguous && AMBIGUOUS.contains(*c));
        asked.iter().filter(|(asked, _)| *asked).map(|(_, class)| class.chars().filter(kept).collect()).collect()
    }
}

impl PassphraseRules {
    /// Fewest words.
    pub const MIN_WORDS: usize = 3;
    /// Most words.
    pub const MAX_WORDS: usize = 24;
    /// What may stand between words: none of them is in a word.
    pub const SEPARATORS: &str = " -._,";
}

/// The list without its four words that have a hyphen, so that words joined by hyphens come apart in one way only.
static WORDS: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| EFF_LONG_WORDLIST.iter().copied().filter(|word| !word.contains('-')).collect());

/// Says bytes as words, so that two people can compare them over the telephone: six words for 72 bits and more.
pub fn words_of(digest: &[u8; 32]) -> String {
    const SPOKEN: usize = 6;
    let size = u16::try_from(WORDS.len()).expect("the list has 7,772 words");
    let words = digest.chunks_exact(4).take(SPOKEN).map(|bytes| {
        // Four bytes a word: the bias of the remainder is below one in half a million.
        let number = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        WORDS[usize::try_from(number % u32::from(size)).expect("below the list's length")]
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Makes a password.
pub fn generate_password(rules: &PasswordRules, random: &mut dyn Random) -> Result<Generated, InvalidRules> {
    let classes = rules.classes();
    let length = rules.length;
    if !(PasswordRules::MIN_LENGTH..=PasswordRules::MAX_LENGTH).contains(&length) || classes.is_empty() {
        return Err(InvalidRules);
    }
    let alphabet: Vec<char> = classes.concat();
    // Its length from the start: growing would leave copies behind. Every character is ASCII.
    let mut text = Zeroizing::new(String::with_capacity(length));
    // One in at most a few dozen has every kind, even at the least length.
    loop {
        text.clear();
        text.extend((0..length).map(|_| alphabet[below(alphabet.len(), random)]));
        if classes.iter().all(|class| text.contains(class.as_slice())) {
            break;
        }
    }
    Ok(Generated { text, entropy_bits: password_entropy(&classes, length) })
}

/// Makes a passphrase.
pub fn generate_passphrase(rules: &PassphraseRules, random: &mut dyn Random) -> Result<Generated, InvalidRules> {
    let words = rules.words;
    let fits = (PassphraseRules::MIN_WORDS..=PassphraseRules::MAX_WORDS).contains(&words);
    if !fits || !PassphraseRules::SEPARATORS.contains(rules.separator) {
        return Err(InvalidRules);
    }
    let longest = WORDS.iter().map(|word| word.len()).max().unwrap_or(0);
    let mut text = Zeroizing::new(String::with_capacity(words * (longest + 1)));
    for place in 0..words {
        if place > 0 {
            text.push(rules.separator);
        }
        let word = WORDS[below(WORDS.len(), random)];
        let (first, rest) = word.split_at(1);
        match first.chars().next() {
            Some(letter) if rules.capitals => text.push(letter.to_ascii_uppercase()),
            _ => text.push_str(first),
        }
        text.push_str(rest);
    }
    Ok(Generated { text, entropy_bits: count(words) * count(WORDS.len()).log2() })
}

/// Logarithm of the number of passwords that have every kind of characters: inclusion and exclusion over the kinds that
/// could be missing, as shares of all passwords so that no number overflows.
fn password_entropy(classes: &[Vec<char>], length: usize) -> f64 {
    let alphabet: usize = classes.iter().map(Vec::len).sum();
    let exponent = i32::try_from(length).expect("at most a few hundred");
    let share: f64 = (0_u32..1 << classes.len())
        .map(|missing| {
            let left: usize = classes
                .iter()
                .enumerate()
                .filter(|(index, _)| missing & (1 << index) == 0)
                .map(|(_, class)| class.len())
                .sum();
            let sign = if missing.count_ones() % 2 == 0 { 1.0 } else { -1.0 };
            sign * (count(left) / count(alphabet)).powi(exponent)
        })
        .sum();
    count(length) * count(alphabet).log2() + share.log2()
}

/// A small number to calculate with.
fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).expect("counts of characters and words"))
}

/// A number below `bound`, each equally likely: numbers of an incomplete last round are drawn again.
fn below(bound: usize, random: &mut dyn Random) -> usize {
    let bound = u32::try_from(bound).expect("bounds are counts of characters and words");
    // 2³² rounded down to a multiple of the bound.
    let whole = u32::MAX - (u32::MAX % bound + 1) % bound;
    loop {
        let mut bytes = Zeroizing::new([0; 4]);
        random.fill(&mut *bytes);
        let drawn = u32::from_be_bytes(*bytes);
        if drawn <= whole {
            return usize::try_from(drawn % bound).expect("32 bits fit");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const ALL: PasswordRules =
        PasswordRules { length: 20, lower: true, upper: true, digits: true, symbols: true, unambiguous: false };

    /// xorshift64*: enough to look random, and the same every time.
    fn chance(mut seed: u64) -> impl FnMut(&mut [u8]) {
        move |buffer: &mut [u8]| {
            for byte in buffer {
                seed ^= seed >> 12;
                seed ^= seed << 25;
                seed ^= seed >> 27;
                *byte = seed.wrapping_mul(0x2545_F491_4F6C_DD1D).to_be_bytes()[0];
            }
        }
    }

    #[test]
    fn an_incomplete_last_round_is_drawn_again() {
        for (bound, last) in [(3, 4_294_967_294_u32), (10, 4_294_967_289), (7_772, 4_294_962_639), (256, u32::MAX)] {
            let mut drawn = [last, 0].into_iter();
            let mut random = |buffer: &mut [u8]| buffer.copy_from_slice(&drawn.next().unwrap().to_be_bytes());
            let largest = below(bound, &mut random);
            assert_eq!(largest, bound - 1, "the last whole round ends with the largest number");
            if let Some(beyond) = last.checked_add(1) {
                let mut drawn = [beyond, 5].into_iter();
                let mut random = |buffer: &mut [u8]| buffer.copy_from_slice(&drawn.next().unwrap().to_be_bytes());
                assert_eq!(below(bound, &mut random), 5 % bound);
            }
        }
    }

    #[test]
    fn every_character_comes_equally_often() {
        let mut random = chance(7);
        let rules = PasswordRules { length: 50, upper: false, digits: false, symbols: false, ..ALL };
        let mut seen: BTreeMap<char, u32> = BTreeMap::new();
        for _ in 0..1_040 {
            let made = generate_password(&rules, &mut random).unwrap();
            made.text.chars().for_each(|c| *seen.entry(c).or_default() += 1);
        }
        assert_eq!(seen.len(), 26);
        // 2,000 expected of each; the standard deviation is 44.
        assert!(seen.values().all(|&times| (1_780..2_220).contains(&times)), "{seen:?}");
    }

    #[test]
    fn entropy_is_the_logarithm_of_the_outcomes() {
        let digits = PasswordRules { length: 6, lower: false, upper: false, symbols: false, ..ALL };
        let bits = generate_password(&digits, &mut chance(1)).unwrap().entropy_bits;
        assert!((bits - 6.0 * 10_f64.log2()).abs() < 1e-9);
        // Two kinds, four characters: 36⁴ − 26⁴ − 10⁴ have both.
        let both = PasswordRules { length: 4, upper: false, symbols: false, ..ALL };
        let bits = generate_password(&both, &mut chance(1)).unwrap().entropy_bits;
        assert!((bits - 1_212_640_f64.log2()).abs() < 1e-9, "{bits}");
        let words = PassphraseRules { words: 6, separator: '-', capitals: false };
        let bits = generate_passphrase(&words, &mut chance(1)).unwrap().entropy_bits;
        assert!((bits - 6.0 * 7_772_f64.log2()).abs() < 1e-9);
    }

    #[test]
    fn words_come_apart_in_one_way_only() {
        assert_eq!(WORDS.len(), 7_772);
        assert!(WORDS.iter().all(|word| word.len() >= 3 && word.bytes().all(|byte| byte.is_ascii_lowercase())));
        let mut sorted = WORDS.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), WORDS.len());
    }

    #[test]
    fn rules_that_make_nothing_are_refused() {
        let none = PasswordRules { lower: false, upper: false, digits: false, symbols: false, ..ALL };
        for rules in [none, PasswordRules { length: 3, ..ALL }, PasswordRules { length: 257, ..ALL }] {
            assert_eq!(generate_password(&rules, &mut chance(1)).err(), Some(InvalidRules));
        }
        let rules = PassphraseRules { words: 6, separator: ' ', capitals: false };
        for rules in [
            PassphraseRules { words: 2, ..rules },
            PassphraseRules { words: 25, ..rules },
            PassphraseRules { separator: 'x', ..rules },
        ] {
            assert_eq!(generate_passphrase(&rules, &mut chance(1)).err(), Some(InvalidRules));
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let made = generate_password(&ALL, &mut chance(3)).unwrap();
        assert!(!format!("{made:?}").contains(made.text.as_str()));
    }

    proptest! {
        #[test]
        fn a_password_has_every_kind_asked_for_and_no_other(
            seed in 1_u64..,
            length in PasswordRules::MIN_LENGTH..=64_usize,
            asked in 1_u8..16,
            unambiguous: bool,
        ) {
            let rules = PasswordRules {
                length,
                lower: asked & 1 != 0,
                upper: asked & 2 != 0,
                digits: asked & 4 != 0,
                symbols: asked & 8 != 0,
                unambiguous,
            };
            let made = generate_password(&rules, &mut chance(seed)).unwrap();
            let has = |fits: fn(char) -> bool| made.text.chars().any(fits);
            prop_assert_eq!(made.text.chars().count(), length);
            prop_assert_eq!(has(|c| c.is_ascii_lowercase()), rules.lower);
            prop_assert_eq!(has(|c| c.is_ascii_uppercase()), rules.upper);
            prop_assert_eq!(has(|c| c.is_ascii_digit()), rules.digits);
            prop_assert_eq!(has(|c| c.is_ascii_punctuation()), rules.symbols);
            prop_assert!(!unambiguous || !has(|c| AMBIGUOUS.contains(c)));
            prop_assert!(made.entropy_bits > 0.0);
        }

        #[test]
        fn a_passphrase_is_its_words(seed in 1_u64.., words in PassphraseRules::MIN_WORDS..=12_usize, capitals: bool) {
            for separator in PassphraseRules::SEPARATORS.chars() {
                let rules = PassphraseRules { words, separator, capitals };
                let made = generate_passphrase(&rules, &mut chance(seed)).unwrap();
                let parts: Vec<&str> = made.text.split(separator).collect();
                prop_assert_eq!(parts.len(), words);
                for part in parts {
                    prop_assert_eq!(part.starts_with(|c: char| c.is_ascii_uppercase()), capitals);
                    prop_assert!(WORDS.contains(&part.to_ascii_lowercase().as_str()));
                }
            }
        }
    }
}

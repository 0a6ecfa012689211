//! Which passphrases are refused when one is chosen, and why.
//! Spec: NIST SP 800-63B-4 §3.1.1 (length and a blocklist rather than rules of composition); zxcvbn's estimate on top.
//! Pure, except that zxcvbn knows the present year.
//!
//! zxcvbn copies what it examines into strings that it does not erase. It runs only while a passphrase is chosen or
//! shown with its strength, and the process that did so is replaced at lock, so its heap is gone with it. Nothing here
//! adds a copy that is not erased.

use zeroize::Zeroizing;
use zxcvbn::Score;
use zxcvbn::feedback::Warning;

use crate::passphrase::Passphrase;

/// Shortest passphrase that stands alone (SP 800-63B-4 §3.1.1.2).
pub const MIN_ALONE: usize = 15;
/// Shortest passphrase beside a second key factor. The standard allows 8; an offline guesser is worth more.
pub const MIN_WITH_KEY_FACTOR: usize = 12;

/// Names shorter than this are not looked for inside a passphrase: they occur by chance.
const MIN_NAME: usize = 4;
/// What must be left of a passphrase without the names that anybody would try.
const MIN_BEYOND_NAMES: usize = 8;
/// zxcvbn's "safely unguessable": over 10^8 guesses, each of which costs a full Argon2id.
const MIN_SCORE: Score = Score::Three;

/// Why a passphrase is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Too few characters.
    #[error("the passphrase is shorter than {least} characters")]
    TooShort {
        /// How many it needs.
        least: usize,
    },
    /// Among those everybody tries first.
    #[error("the passphrase is a well-known one")]
    WellKnown,
    /// Little more than the name of the vault, of the login, or of this program.
    #[error("the passphrase is little more than a name that anybody would try")]
    ExpectedName,
    /// Soon guessed.
    #[error("the passphrase is easy to guess")]
    Guessable(Pattern),
}

/// What makes a passphrase easy to guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// Common passwords, or one slightly changed.
    CommonPassword,
    /// One word, or few common ones.
    Words,
    /// Names of people.
    Names,
    /// Neighbouring keys.
    Keyboard,
    /// The same over and over.
    Repetition,
    /// Runs such as abcd or 6543.
    Sequence,
    /// Years or dates.
    Date,
    /// No single pattern stands out.
    Mixed,
}

/// What a strength meter shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strength {
    /// From 0 (guessed at once) to 4; 0 whenever refused for length or as expected.
    pub score: u8,
    /// Why it would be refused; `None` if it would be taken.
    pub refusal: Option<Refusal>,
}

/// Judges a passphrase about to be chosen.
///
/// `names` are words anybody would try first: the login, the vault's name. `has_key_factor` says that a device secret
/// or a key file goes into the slot as well.
pub fn judge(passphrase: &Passphrase, names: &[&str], has_key_factor: bool) -> Strength {
    let refused = |refusal| Strength { score: 0, refusal: Some(refusal) };
    let least = if has_key_factor { MIN_WITH_KEY_FACTOR } else { MIN_ALONE };
    if passphrase.code_points() < least {
        return refused(Refusal::TooShort { least });
    }
    let core = core_of(passphrase.expose_text());
    if is_well_known(&core) {
        return refused(Refusal::WellKnown);
    }
    if is_little_more_than(&core, names) {
        return refused(Refusal::ExpectedName);
    }
    let estimate = zxcvbn::zxcvbn(passphrase.expose_text(), names);
    let refusal = (estimate.score() < MIN_SCORE)
        .then(|| Refusal::Guessable(pattern(estimate.feedback().and_then(zxcvbn::feedback::Feedback::warning))));
    Strength { score: u8::from(estimate.score()), refusal }
}

/// How soon a secret of a record would be guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// From 0 (at once) to 4 (not in any time that matters), as [`Strength::score`].
    pub score: u8,
}

impl Estimate {
    /// Whether guessing it offline is no matter of luck: under zxcvbn's 10^8 guesses.
    pub fn is_weak(self) -> bool {
        self.score < u8::from(MIN_SCORE)
    }
}

/// Estimates a secret that guards something outside the vault, whatever its length; beyond the first hundred characters
/// nothing is looked at. Nothing is refused: the rules are those of whoever asks for the secret.
pub fn estimate(secret: &str) -> Estimate {
    Estimate { score: u8::from(zxcvbn::zxcvbn(secret, &[]).score()) }
}

/// Like [`judge`], for the moment of choosing.
pub fn check(passphrase: &Passphrase, names: &[&str], has_key_factor: bool) -> Result<(), Refusal> {
    judge(passphrase, names, has_key_factor).refusal.map_or(Ok(()), Err)
}

/// Letters and digits in lower case, everything else left out: how a guesser varies nothing.
fn core_of(text: &str) -> Zeroizing<String> {
    // Lower case may be longer, by at most three times; sized so that it never grows.
    let mut core = Zeroizing::new(String::with_capacity(3 * text.len()));
    core.extend(text.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase));
    core
}

/// Whether it is on the list, once or several times over, or with digits behind it.
fn is_well_known(core: &str) -> bool {
    let without_digits = core.trim_end_matches(|character: char| character.is_ascii_digit());
    [core, without_digits].iter().any(|text| {
        WELL_KNOWN
            .iter()
            .any(|known| !text.is_empty() && text.len() % known.len() == 0 && text.split(known).all(str::is_empty))
    })
}

/// Whether less than [`MIN_BEYOND_NAMES`] characters are left when names are taken out.
fn is_little_more_than(core: &str, names: &[&str]) -> bool {
    let mut rest = Zeroizing::new(core.to_owned());
    for name in names.iter().chain(&["coffer"]) {
        let name = core_of(name);
        if name.chars().count() >= MIN_NAME {
            rest = Zeroizing::new(rest.replace(name.as_str(), ""));
        }
    }
    rest.len() < core.len() && rest.chars().count() < MIN_BEYOND_NAMES
}

fn pattern(warning: Option<Warning>) -> Pattern {
    match warning {
        None => Pattern::Mixed,
        Some(Warning::StraightRowsOfKeysAreEasyToGuess | Warning::ShortKeyboardPatternsAreEasyToGuess) => {
            Pattern::Keyboard
        }
        Some(Warning::RepeatsLikeAaaAreEasyToGuess | Warning::RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess) => {
            Pattern::Repetition
        }
        Some(
            Warning::ThisIsATop10Password
            | Warning::ThisIsATop100Password
            | Warning::ThisIsACommonPassword
            | Warning::ThisIsSimilarToACommonlyUsedPassword,
        ) => Pattern::CommonPassword,
        Some(Warning::SequencesLikeAbcAreEasyToGuess) => Pattern::Sequence,
        Some(Warning::RecentYearsAreEasyToGuess | Warning::DatesAreOftenEasyToGuess) => Pattern::Date,
        Some(Warning::AWordByItselfIsEasyToGuess) => Pattern::Words,
        Some(Warning::NamesAndSurnamesByThemselvesAreEasyToGuess | Warning::CommonNamesAndSurnamesAreEasyToGuess) => {
            Pattern::Names
        }
    }
}

/// Passphrases long enough to pass by length, strong by estimate, and known to every guesser. As [`core_of`] gives them.
const WELL_KNOWN: &[&str] = &[
    "1qaz2wsx3edc4rfv",
    "allyourbasearebelongtous",
    "changemechangeme",
    "correcthorsebatterystaple",
    "defaultpassword",
    "diesisteinpasswort",
    "diesistmeinpasswort",
    "donttellanyone",
    "einzweidreivierfuenf",
    "enteryourpassphrase",
    "fourscoreandsevenyearsago",
    "franzjagtimkomplettverwahrlostentaxiquerdurchbayern",
    "hastalavistababy",
    "ichliebedichsosehr",
    "iloveyou",
    "iloveyousomuch",
    "iloveyouverymuch",
    "inthebeginningwastheword",
    "itwasthebestoftimes",
    "keepitsecretkeepitsafe",
    "letmein",
    "letmeinplease",
    "livelongandprosper",
    "loremipsumdolorsitamet",
    "maytheforcebewithyou",
    "meinpasswortistgeheim",
    "meinpasswortistsicher",
    "mypassphrase",
    "mypassword",
    "mypasswordismypassword",
    "mypasswordispassword",
    "mysecretpassphrase",
    "mysecretpassword",
    "onceuponatime",
    "onceuponatimeinalandfarfaraway",
    "onetwothreefourfive",
    "opensesame",
    "passphrase",
    "password",
    "passwort",
    "pleaseletmein",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "secretpassphrase",
    "secretpassword",
    "speakfriendandenter",
    "supersecretpassword",
    "testtesttesttest",
    "thecakeisalie",
    "thequickbrownfox",
    "thequickbrownfoxjumpsoverthelazydog",
    "thisisapassphrase",
    "thisisapassword",
    "thisismypassphrase",
    "thisismypassword",
    "tobeornottobe",
    "tobeornottobethatisthequestion",
    "troubador",
    "vaterunserderdubistimhimmel",
    "weakpassphrase",
    "winteriscoming",
    "yippeekiyay",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(typed: &str, names: &[&str], has_key_factor: bool) -> Option<Refusal> {
        let passphrase = Passphrase::parse(typed.into()).unwrap();
        let strength = judge(&passphrase, names, has_key_factor);
        assert_eq!(check(&passphrase, names, has_key_factor).err(), strength.refusal);
        strength.refusal
    }

    #[test]
    fn attack_01_common_passphrases_are_refused_with_a_reason() {
        for typed in [
            "correct horse battery staple",
            "Correct-Horse-Battery-Staple-2024",
            "The quick brown fox jumps over the lazy dog",
            "May the Force be with you!",
            "passwordpassword",
            "Password Password Password",
            "This is my passphrase 1234",
        ] {
            assert_eq!(refusal(typed, &[], false), Some(Refusal::WellKnown), "{typed}");
        }
        for (typed, pattern) in [
            ("aaaaaaaaaaaaaaaaaaaa", Pattern::Repetition),
            ("qwertyuiopqwertyuiop", Pattern::Repetition),
            ("abcdefghijklmnopqrst", Pattern::Sequence),
        ] {
            assert_eq!(refusal(typed, &[], false), Some(Refusal::Guessable(pattern)), "{typed}");
        }
    }

    #[test]
    fn attack_02_under_fifteen_characters_need_a_second_key_factor() {
        let fourteen = "vK7#mQ2!xR9@wL";
        assert_eq!(fourteen.chars().count(), 14);
        assert_eq!(refusal(fourteen, &[], false), Some(Refusal::TooShort { least: 15 }));
        assert_eq!(refusal(fourteen, &[], true), None);
        assert_eq!(refusal("vK7#mQ2!xR9", &[], true), Some(Refusal::TooShort { least: 12 }));
        assert_eq!(refusal("vK7#mQ2!xR9@wLz", &[], false), None);
    }

    #[test]
    fn characters_are_counted_not_bytes() {
        assert_eq!(refusal("ÄÖÜäöüßéèêàçñ£", &[], false), Some(Refusal::TooShort { least: 15 }));
    }

    #[test]
    fn the_vaults_own_names_do_not_make_a_passphrase() {
        let names = ["anna.lindqvist", "Household Papers"];
        for typed in ["annalindqvist2024", "household papers!!", "Coffer Household Papers 1", "cofferCOFFERcoffer"] {
            assert_eq!(refusal(typed, &names, false), Some(Refusal::ExpectedName), "{typed}");
        }
        assert_eq!(refusal("household walrus vinegar atlas", &names, false), None);
    }

    #[test]
    fn secrets_of_records_are_estimated_whatever_their_length() {
        for weak in ["", "4711", "hunter2", "password1", "qwertyuiop"] {
            assert!(estimate(weak).is_weak(), "{weak}");
        }
        let long = format!("vQ9#mlI1-0O·eR2x{}", "a".repeat(400_000));
        for strong in ["vQ9#mlI1-0O·eR2x", "walrus vinegar atlas plinth", &long] {
            assert!(!estimate(strong).is_weak());
        }
    }

    #[test]
    fn four_unrelated_words_are_taken() {
        assert_eq!(refusal("walrus vinegar atlas plinth", &[], false), None);
    }

    #[test]
    fn every_well_known_passphrase_is_listed_as_it_is_compared() {
        for known in WELL_KNOWN {
            assert_eq!(*core_of(known), *known);
        }
        assert!(WELL_KNOWN.is_sorted());
    }
}

//! Texts drawn anew in the shape of others: every letter another of its case, every digit another, what stands between
//! them as it was. No text drawn has a token of the source in it. Pure.

use super::source::{SourceTexts, Start, TOKEN_CHARS, plain};
use crate::invented::random::Choices;

/// How often a character is drawn anew because with it the text would hold what the source holds.
const DRAWS: usize = 64;
/// Stands where no character was possible, so that the token ends there.
const BREAK: char = '-';

const VOWELS: &[u8] = b"aeiou";
const CONSONANTS: &[u8] = b"bcdfghklmnprstvwz";
const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
const DIGITS: &[u8] = b"0123456789";
const BASE32_DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const PUNCTUATION: &[u8] = b"!#$%&()*+-./:;<=>?@[]^_{|}~";
/// Other letters, by the bytes they have in UTF-8, so that no text becomes longer.
const LETTERS_OF_TWO: [char; 12] = ['ä', 'ö', 'ü', 'é', 'è', 'ç', 'ñ', 'å', 'ø', 'š', 'ž', 'ł'];
const LETTERS_OF_THREE: [char; 6] = ['見', '本', '例', '架', '空', '仮'];
/// Signs that are no letters, likewise.
const SIGNS_OF_TWO: [char; 4] = ['§', '±', '¶', '×'];
const SIGNS_OF_THREE: [char; 4] = ['☆', '◇', '○', '△'];

/// What is drawn for letters, digits and signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alphabet {
    /// Letters that can be pronounced; signs stay, so that dates, addresses and lists keep their form.
    Words,
    /// Any letters, and other signs, too.
    Secret,
    /// The digits of Base32 (RFC 4648 §6); signs stay.
    Base32,
}

/// A text while it is drawn.
pub(super) struct Drawing<'t> {
    source: &'t SourceTexts,
    alphabet: Alphabet,
    choices: Choices,
    /// The token so far, its last characters only.
    token: Vec<char>,
    vowel_next: bool,
    text: String,
}

impl<'t> Drawing<'t> {
    pub(super) fn new(source: &'t SourceTexts, alphabet: Alphabet, choices: Choices) -> Self {
        Self {
            source,
            alphabet,
            choices,
            token: Vec::with_capacity(TOKEN_CHARS),
            vowel_next: false,
            text: String::new(),
        }
    }

    /// What was drawn.
    pub(super) fn finish(self) -> String {
        self.text
    }

    /// Draws every character of `text`.
    pub(super) fn draw_all(&mut self, text: &str) {
        text.chars().for_each(|c| self.draw(c));
    }

    /// Puts a text as it is. It must say nothing of the source.
    pub(super) fn keep_all(&mut self, text: &str) {
        text.chars().for_each(|c| self.push(c));
    }

    /// Draws a digit from 1 to 9.
    pub(super) fn draw_first_digit(&mut self) {
        let digit = char::from(self.choices.pick(&DIGITS[1..]));
        self.push(digit);
    }

    /// Draws what stands in the place of `c`.
    pub(super) fn draw(&mut self, c: char) {
        for _ in 0..DRAWS {
            let candidate = self.candidate(c);
            if !self.completes_a_start(candidate) {
                self.push(candidate);
                return;
            }
        }
        self.push(BREAK);
    }

    fn completes_a_start(&self, next: char) -> bool {
        if !next.is_alphanumeric() || self.token.len() + 1 < TOKEN_CHARS {
            return false;
        }
        let mut start: Start = [plain(next); TOKEN_CHARS];
        let before = &self.token[self.token.len() + 1 - TOKEN_CHARS..];
        start[..TOKEN_CHARS - 1].copy_from_slice(before);
        self.source.has_start(start)
    }

    fn push(&mut self, c: char) {
        self.text.push(c);
        if !c.is_alphanumeric() {
            self.token.clear();
            return;
        }
        if self.token.len() == TOKEN_CHARS {
            self.token.remove(0);
        }
        self.token.push(plain(c));
    }

    fn candidate(&mut self, c: char) -> char {
        match c {
            '0'..='9' | 'a'..='z' | 'A'..='Z' => self.letter_or_digit(c),
            _ if c.is_alphanumeric() => match c.len_utf8() {
                2 if c.is_uppercase() => upper(self.choices.pick(&LETTERS_OF_TWO)),
                2 => self.choices.pick(&LETTERS_OF_TWO),
                _ => self.choices.pick(&LETTERS_OF_THREE),
            },
            _ if c.is_whitespace() => c,
            _ if c.is_ascii_punctuation() && self.alphabet != Alphabet::Secret => c,
            _ if c.is_ascii() => char::from(self.choices.pick(PUNCTUATION)),
            // Combining marks and dashes: what belongs to the letters and lines around.
            '\u{300}'..='\u{36f}' | '\u{2010}'..='\u{2027}' if self.alphabet != Alphabet::Secret => c,
            _ if c.len_utf8() == 2 => self.choices.pick(&SIGNS_OF_TWO),
            _ => self.choices.pick(&SIGNS_OF_THREE),
        }
    }

    /// The same for ASCII.
    fn letter_or_digit(&mut self, c: char) -> char {
        let drawn = match self.alphabet {
            Alphabet::Base32 => char::from(self.choices.pick(BASE32_DIGITS)).to_ascii_lowercase(),
            Alphabet::Words | Alphabet::Secret if c.is_ascii_digit() => char::from(self.choices.pick(DIGITS)),
            Alphabet::Secret => char::from(self.choices.pick(LETTERS)),
            Alphabet::Words => self.spoken_letter(),
        };
        if c.is_ascii_lowercase() { drawn } else { drawn.to_ascii_uppercase() }
    }

    /// Consonants and vowels in turn, mostly.
    fn spoken_letter(&mut self) -> char {
        let vowel = self.vowel_next != self.choices.chance(12);
        self.vowel_next = !vowel;
        char::from(self.choices.pick(if vowel { VOWELS } else { CONSONANTS }))
    }
}

/// The capital of a letter of [`LETTERS_OF_TWO`], each of which has one of as many bytes.
fn upper(letter: char) -> char {
    letter.to_uppercase().next().unwrap_or(letter)
}

/// Whether drawing `text` anew can change anything about it.
pub(super) fn is_drawn(text: &str, alphabet: Alphabet) -> bool {
    let stays = |c: char| match alphabet {
        Alphabet::Words | Alphabet::Base32 => {
            c.is_whitespace()
                || c.is_ascii_punctuation()
                || matches!(c, '\u{300}'..='\u{36f}' | '\u{2010}'..='\u{2027}')
        }
        Alphabet::Secret => c.is_whitespace(),
    };
    !text.chars().all(stays)
}

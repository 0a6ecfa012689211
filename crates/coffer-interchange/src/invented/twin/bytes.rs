//! Contents of attachments made up: of a given length and of a given kind, the same for the same seed. Pure.
//!
//! Texts are of words that are shorter than any token; all others are of bytes that no text has, behind what their kind
//! begins with. So no token of any source can be in them.

use std::io::{self, Read};

use coffer_model::attachment::MediaKind;

use super::source::TOKEN_CHARS;
use crate::invented::random::Choices;

const VOWELS: &[u8] = b"aeiou";
const CONSONANTS: &[u8] = b"bcdfghklmnprstvwz";
/// Letters of the longest word, fewer than a token has.
const WORD_CHARS: u32 = 7;
const _: () = assert!((WORD_CHARS as usize) < TOKEN_CHARS);
/// Words of a line.
const LINE_WORDS: u32 = 12;

/// A content that is made up piece by piece.
#[derive(Debug)]
pub struct InventedContent {
    choices: Choices,
    media: MediaKind,
    /// What it begins with, as far as that is not given out yet.
    begin: &'static [u8],
    letters_left: u32,
    words_left: u32,
    vowel_next: bool,
}

impl InventedContent {
    pub(super) fn new(media: MediaKind, choices: Choices) -> Self {
        let begin: &[u8] = match media {
            MediaKind::Text => b"",
            MediaKind::Png => b"\x89PNG\r\n\x1a\n",
            MediaKind::Jpeg => b"\xff\xd8\xff",
            MediaKind::Other => b"\0",
        };
        Self { choices, media, begin, letters_left: WORD_CHARS, words_left: LINE_WORDS, vowel_next: false }
    }

    fn fill(&mut self, piece: &mut [u8]) {
        for byte in piece {
            *byte = match self.begin.split_first() {
                Some((&first, rest)) => {
                    self.begin = rest;
                    first
                }
                None if self.media == MediaKind::Text => self.letter(),
                None => 0x80 | u8::try_from(self.choices.below(0x80)).expect("below 128"),
            };
        }
    }

    fn letter(&mut self) -> u8 {
        if self.letters_left > 0 {
            self.letters_left -= 1;
            self.vowel_next = !self.vowel_next;
            return self.choices.pick(if self.vowel_next { CONSONANTS } else { VOWELS });
        }
        self.letters_left = self.choices.between(2, WORD_CHARS);
        if self.words_left > 0 {
            self.words_left -= 1;
            return b' ';
        }
        self.words_left = LINE_WORDS;
        b'\n'
    }
}

/// It has no end, and never fails.
impl Read for InventedContent {
    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        self.fill(piece);
        Ok(piece.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_is_of_its_kind_however_long_and_however_it_is_taken() {
        for media in MediaKind::ALL {
            for length in [8, 100, 70_000] {
                let mut whole = vec![0; length];
                InventedContent::new(media, Choices::new(7)).fill(&mut whole);
                let mut pieces = vec![0; length];
                let mut content = InventedContent::new(media, Choices::new(7));
                pieces.chunks_mut(13).for_each(|piece| content.fill(piece));
                assert_eq!(MediaKind::of(&whole), media, "{length} bytes");
                assert_eq!(whole, pieces);
            }
        }
    }

    #[test]
    fn no_word_of_a_text_is_as_long_as_a_token() {
        let mut text = vec![0; 50_000];
        InventedContent::new(MediaKind::Text, Choices::new(3)).fill(&mut text);
        let text = String::from_utf8(text).unwrap();
        assert!(text.split(|c: char| !c.is_alphanumeric()).all(|word| word.len() < TOKEN_CHARS));
    }
}

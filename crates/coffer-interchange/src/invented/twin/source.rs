//! What a twin must not hold: the texts of its source, known again by keyed hashes and kept in no other form. Pure.

use std::collections::HashSet;
use std::fmt;

use coffer_model::attachment::AttachmentName;
use coffer_model::record::RecordContent;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Letters and digits in a row from which on they are a token that no twin holds.
pub const TOKEN_CHARS: usize = 8;

/// How a token begins, in lower case: no twin's text has this in any place, so none has the token.
pub(super) type Start = [char; TOKEN_CHARS];

/// Tells starts of tokens from whole values under one key.
const START: u8 = 1;
const VALUE: u8 = 2;

/// Everything a source holds, as hashes under a key that ends with the making of the twin.
pub struct SourceTexts {
    keyed: Hmac<Sha256>,
    starts: HashSet<u64>,
    values: HashSet<u64>,
}

impl fmt::Debug for SourceTexts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceTexts").finish_non_exhaustive()
    }
}

impl SourceTexts {
    /// Begins without any text.
    pub fn new(key: &[u8; 32]) -> Self {
        let keyed = Hmac::new_from_slice(key).expect("HMAC takes keys of any length");
        Self { keyed, starts: HashSet::new(), values: HashSet::new() }
    }

    /// Remembers all of a version of a record.
    pub fn observe(&mut self, content: &RecordContent) {
        self.observe_value(content.title());
        for field in content.fields() {
            self.observe_value(&field.name);
            self.observe_value(field.value.expose());
        }
        content.tags().iter().for_each(|tag| self.observe_value(tag));
        self.observe_value(content.notes());
        self.observe_tokens(content.kind().as_str());
    }

    /// Remembers what an attachment is called.
    pub fn observe_attachment(&mut self, name: &AttachmentName) {
        self.observe_value(name.as_str());
    }

    /// Remembers the tokens of a text that is no value as a whole: what is in an attachment.
    pub fn observe_tokens(&mut self, text: &str) {
        let mut token = Vec::with_capacity(TOKEN_CHARS);
        for c in text.chars() {
            if !c.is_alphanumeric() {
                token.clear();
            } else if token.len() < TOKEN_CHARS {
                token.push(plain(c));
                if let Ok(start) = Start::try_from(token.as_slice()) {
                    self.starts.insert(self.hash(START, start));
                }
            }
        }
    }

    fn observe_value(&mut self, value: &str) {
        self.observe_tokens(value);
        if !value.is_empty() {
            self.values.insert(self.hash(VALUE, value.chars().map(plain)));
        }
    }

    /// Whether a token of the source begins so.
    pub(super) fn has_start(&self, start: Start) -> bool {
        self.starts.contains(&self.hash(START, start))
    }

    /// Whether a value of the source is this as a whole, in whatever case.
    pub(super) fn has_value(&self, value: &str) -> bool {
        self.values.contains(&self.hash(VALUE, value.chars().map(plain)))
    }

    fn hash(&self, what: u8, text: impl IntoIterator<Item = char>) -> u64 {
        let mut mac = self.keyed.clone();
        mac.update(&[what]);
        for c in text {
            mac.update(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        first_eight(&mac.finalize().into_bytes())
    }
}

/// A character without its case. Of those whose lower case is several the first: they only have to be compared.
pub(super) fn plain(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

/// The number that a hash begins with.
pub(super) fn first_eight(hash: &[u8]) -> u64 {
    hash.iter().take(8).fold(0, |number, &byte| (number << 8) | u64::from(byte))
}

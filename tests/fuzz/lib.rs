//! Every parser of bytes that come from outside, each as a function of bytes alone: a [`Target`].
//!
//! A target must not panic, whatever it is given, and must hold what it asserts. `./x prove fuzz` lets libFuzzer look for
//! bytes that make it fail; what grew there is kept in `corpus/`, one input a line, and the tests feed all of it to the
//! same functions again, with mutations of their own.
#![allow(clippy::unwrap_used, reason = "test code: a panic is what is looked for")]

mod archive;
mod evidence;
mod kdbx;
mod sources;
mod texts;
mod tokens;
mod vault;

use std::path::PathBuf;

/// Longest input worth keeping in a corpus, bytes.
pub const KEPT_BYTES: usize = 2_048;

/// One parser.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, also of its corpus.
    pub name: &'static str,
    /// Feeds it.
    pub feed: fn(&[u8]),
    /// Where a search for failures begins.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All of them.
pub const TARGETS: &[Target] = &[
    archive::ARCHIVE,
    archive::RECORDS,
    sources::CSV,
    sources::BITWARDEN,
    sources::ONEPUX,
    sources::ONEPUX_DOCUMENT,
    sources::KEY_FILE,
    kdbx::PAYLOAD,
    kdbx::DOCUMENT,
    kdbx::OLDER,
    texts::QUERY,
    texts::TOTP,
    texts::TEMPLATE,
    texts::KIT,
    texts::FILE_NAME,
    evidence::ENTRY,
    evidence::NOTE,
    evidence::MANIFEST,
    vault::SLOT,
    vault::HEADER,
    tokens::TOKEN,
    tokens::CLAIMS,
    tokens::KEY_SET,
];

impl Target {
    /// The one of a name.
    pub fn of(name: &str) -> Option<Self> {
        TARGETS.iter().find(|target| target.name == name).copied()
    }

    /// The file its corpus is kept in.
    pub fn corpus_file(self) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus").join(format!("{}.hex", self.name))
    }

    /// Its corpus: hexadecimal, one input a line; none if nothing was kept yet.
    pub fn corpus(self) -> Vec<Vec<u8>> {
        let text = std::fs::read_to_string(self.corpus_file()).unwrap_or_default();
        text.lines().map(|line| hex::decode(line).expect("a line of a corpus is hexadecimal")).collect()
    }
}

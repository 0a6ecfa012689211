//! What a person has shown in a native window so that the vault knows them, as it goes to the engine.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use coffer_core::{Credentials, KEY_FILE_MAX, Passphrase, PersonalCode, TOKEN_MAX};
use zeroize::Zeroizing;

use crate::shell::UnlockProblem;

/// White space around a token is no part of it.
const TOKEN_FILE_MAX: usize = TOKEN_MAX + 1024;
/// Most bytes of a file that is read as a recovery kit or a share; a share's page has about fifty thousand.
const PAPER_MAX: usize = 256 * 1024;

/// A passphrase or a personal recovery code, with whatever else the person has.
pub(crate) struct Shown {
    pub(crate) secret: Secret,
    /// Where the key file is. Its content is read when it is used, and kept nowhere.
    pub(crate) key_file: Option<PathBuf>,
    /// The code of a second factor, as typed.
    pub(crate) code: Option<Zeroizing<String>>,
    /// A token of the identity provider.
    pub(crate) token: Option<Zeroizing<Vec<u8>>>,
}

/// What opens a slot.
pub(crate) enum Secret {
    Passphrase(Passphrase),
    PersonalCode(PersonalCode),
}

/// What is known to be asked for besides a passphrase.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    /// A code of a second factor.
    pub(crate) code: bool,
    /// A key file.
    pub(crate) key_file: bool,
    /// Where the key file was last.
    pub(crate) path: Option<PathBuf>,
    /// Whether a personal recovery code does as well as the passphrase.
    pub(crate) personal_code: bool,
}

impl Shown {
    /// As the engine takes it. Reads the key file.
    pub(crate) fn credentials(&self) -> Result<Credentials, UnlockProblem> {
        let shown = match &self.secret {
            Secret::Passphrase(passphrase) => Credentials::new(copy(passphrase)?),
            Secret::PersonalCode(code) => Credentials::by_personal_code(code),
        };
        let shown = match self.key_file_content()? {
            Some(content) => shown.with_key_file(&content),
            None => shown,
        };
        let shown = match &self.token {
            Some(token) => shown.with_token(token.clone()),
            None => shown,
        };
        Ok(match &self.code {
            Some(code) => shown.with_code(code.clone()),
            None => shown,
        })
    }

    /// What the key file holds.
    pub(crate) fn key_file_content(&self) -> Result<Option<Zeroizing<Vec<u8>>>, UnlockProblem> {
        self.key_file.as_ref().map(read_key_file).transpose()
    }
}

/// Reads a key file, and one byte more than it may have: the engine says what is too long.
pub(crate) fn read_key_file(path: &PathBuf) -> Result<Zeroizing<Vec<u8>>, UnlockProblem> {
    let mut content = Zeroizing::new(Vec::with_capacity(KEY_FILE_MAX + 1));
    let read = File::open(path).and_then(|file| file.take(KEY_FILE_MAX as u64 + 1).read_to_end(&mut content));
    read.map(|_| content).map_err(|_| UnlockProblem::of("key_file_unreadable"))
}

/// Reads a token's file, and one byte more than it may have: the engine says what is too long.
pub(crate) fn read_token(path: &PathBuf) -> Result<Zeroizing<Vec<u8>>, UnlockProblem> {
    let mut content = Zeroizing::new(Vec::with_capacity(TOKEN_FILE_MAX));
    let read = File::open(path).and_then(|file| file.take(TOKEN_FILE_MAX as u64).read_to_end(&mut content));
    read.map(|_| content).map_err(|_| UnlockProblem::of("token_unreadable"))
}

/// Reads a recovery kit's file, or a share's page; `None` if it cannot be read, or is nothing of the kind.
pub(crate) fn read_paper(path: &Path) -> Option<Zeroizing<String>> {
    let mut content = Zeroizing::new(Vec::with_capacity(PAPER_MAX + 1));
    File::open(path).and_then(|file| file.take(PAPER_MAX as u64 + 1).read_to_end(&mut content)).ok()?;
    let text = std::str::from_utf8(&content).ok().filter(|text| text.len() <= PAPER_MAX)?;
    Some(Zeroizing::new(text.to_owned()))
}

/// A passphrase once more, for what takes it twice.
fn copy(passphrase: &Passphrase) -> Result<Passphrase, UnlockProblem> {
    Passphrase::parse_borrowed(passphrase.expose()).map_err(|_| UnlockProblem::of("unlock_refused"))
}

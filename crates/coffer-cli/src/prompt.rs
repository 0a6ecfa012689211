//! Where secrets come from: a file, a descriptor, or the terminal. Never an argument, never the environment.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::path::Path;

use coffer_core::host::PromptError;
use coffer_core::{Credentials, KEY_FILE_MAX, KEY_SET_MAX, Passphrase, PersonalCode, TOKEN_MAX};
use coffer_model::record::Value;
use zeroize::Zeroizing;

use crate::args::Global;
use crate::error::CliError;
use crate::job;

/// Longest line taken for a passphrase or a token, bytes: 1,024 code points with room for their composition, or 16 KiB;
/// and its end.
const MAX_LINE_BYTES: u64 = 16 * 1024 + 2;

/// Asks for an existing passphrase.
pub fn passphrase(global: &Global, question: &str) -> Result<Passphrase, CliError> {
    if let Some(passphrase) = from_source(global)? {
        return Ok(passphrase);
    }
    Ok(Passphrase::parse(ask(question)?.into_bytes())?)
}

/// What the account is unlocked with: a passphrase or the personal recovery code, and a key file if one is named.
pub fn credentials(global: &Global, question: &str) -> Result<Credentials, CliError> {
    if let Some(path) = &global.personal_code_file {
        let text = foreign_passphrase(Some(path), "")?;
        let code = PersonalCode::parse_text(&String::from_utf8_lossy(&text))?;
        return Ok(Credentials::by_personal_code(&code));
    }
    with_key_file(Credentials::new(passphrase(global, question)?), global.key_file.as_deref())
}

/// What somebody else is authenticated with, from files or the terminal.
pub fn credentials_of(file: Option<&Path>, key_file: Option<&Path>, question: &str) -> Result<Credentials, CliError> {
    let passphrase = Passphrase::parse_borrowed(&foreign_passphrase(file, question)?)?;
    with_key_file(Credentials::new(passphrase), key_file)
}

fn with_key_file(shown: Credentials, file: Option<&Path>) -> Result<Credentials, CliError> {
    Ok(match file {
        Some(path) => shown.with_key_file(&key_file(path)?),
        None => shown,
    })
}

/// The content of a key file.
pub fn key_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let unreadable = |reason| CliError::File { path: path.to_owned(), reason };
    let file = File::open(path).map_err(unreadable)?;
    let mut content = Zeroizing::new(Vec::with_capacity(KEY_FILE_MAX + 1));
    file.take(KEY_FILE_MAX as u64 + 1).read_to_end(&mut content).map_err(unreadable)?;
    Ok(content)
}

/// A token of an identity provider, as it was handed over.
pub fn token(path: &Path) -> Result<Zeroizing<Vec<u8>>, CliError> {
    if path == Path::new("-") {
        return line_of(io::stdin().lock());
    }
    read_at_most(path, 2 * TOKEN_MAX).map(Zeroizing::new)
}

/// The key set of an identity provider.
pub fn key_set(path: &Path) -> Result<Vec<u8>, CliError> {
    read_at_most(path, KEY_SET_MAX + 1)
}

/// A file's content, or the beginning of one that is too long to be what it should be.
fn read_at_most(path: &Path, most: usize) -> Result<Vec<u8>, CliError> {
    let unreadable = |reason| CliError::File { path: path.to_owned(), reason };
    let mut content = Vec::with_capacity(most);
    File::open(path).and_then(|file| file.take(most as u64).read_to_end(&mut content)).map_err(unreadable)?;
    Ok(content)
}

/// Asks for a passphrase that does not exist yet: twice on a terminal.
pub fn new_passphrase(global: &Global) -> Result<Passphrase, CliError> {
    if let Some(passphrase) = from_source(global)? {
        return Ok(passphrase);
    }
    let first = Passphrase::parse(ask("New passphrase: ")?.into_bytes())?;
    let second = Passphrase::parse(ask("The same again: ")?.into_bytes())?;
    if first.expose() == second.expose() {
        Ok(first)
    } else {
        Err(CliError::Usage("the two passphrases differ".to_owned()))
    }
}

/// Asks for a passphrase that takes the place of the one the options name: from a file's first line, else twice on a
/// terminal.
pub fn another_new_passphrase(file: Option<&Path>) -> Result<Passphrase, CliError> {
    let first = foreign_passphrase(file, "New passphrase: ")?;
    if file.is_none() && *foreign_passphrase(None, "The same again: ")? != *first {
        return Err(CliError::Usage("the two passphrases differ".to_owned()));
    }
    Ok(Passphrase::parse_borrowed(&first)?)
}

/// A passphrase of another program's file, exactly as it is typed: from a file's first line, else from the terminal.
pub fn foreign_passphrase(file: Option<&Path>, question: &str) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let Some(path) = file else { return Ok(Zeroizing::new(ask(question)?.into_bytes())) };
    if path == Path::new("-") {
        return line_of(io::stdin().lock());
    }
    let file = File::open(path).map_err(|_| CliError::PassphraseSource(path.display().to_string()))?;
    line_of(BufReader::with_capacity(1, file))
}

/// A passphrase for a file that is about to be written: from a file's first line, else twice from the terminal.
pub fn new_foreign_passphrase(file: Option<&Path>) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let first = foreign_passphrase(file, "Passphrase for the exported file: ")?;
    if file.is_none() && *foreign_passphrase(None, "The same again: ")? != *first {
        return Err(CliError::Usage("the two passphrases differ".to_owned()));
    }
    Ok(first)
}

/// Asks for the value of a field.
pub fn value(field: &str) -> Result<Value, CliError> {
    if !is_possible() {
        return Err(CliError::NoTerminalForField(field.to_owned()));
    }
    Ok(Value::new(ask(&format!("{}: ", crate::render::visible(field)))?))
}

/// Shows something on the terminal itself, wherever the answer goes.
pub fn show(text: &str) -> Result<(), CliError> {
    let mut terminal = File::options().write(true).open("/dev/tty").map_err(|_| PromptError::Unavailable)?;
    terminal.write_all(text.as_bytes()).map_err(|_| PromptError::Failed)?;
    Ok(())
}

/// Asks for a line that everybody may see.
pub fn line(question: &str) -> Result<String, CliError> {
    let mut terminal = File::options().read(true).write(true).open("/dev/tty").map_err(|_| PromptError::Unavailable)?;
    terminal.write_all(question.as_bytes()).map_err(|_| PromptError::Failed)?;
    let mut line = String::new();
    BufReader::new(terminal).take(MAX_LINE_BYTES).read_line(&mut line).map_err(|_| PromptError::Failed)?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

fn from_source(global: &Global) -> Result<Option<Passphrase>, CliError> {
    if let Some(path) = &global.passphrase_file {
        let unreadable = |_| CliError::PassphraseSource(path.display().to_string());
        if path == Path::new("-") {
            return first_line(io::stdin().lock()).map(Some);
        }
        return first_line(BufReader::with_capacity(1, File::open(path).map_err(unreadable)?)).map(Some);
    }
    if let Some(descriptor) = global.passphrase_fd {
        let path = format!("/dev/fd/{descriptor}");
        let file = File::open(&path).map_err(|_| CliError::PassphraseSource(format!("descriptor {descriptor}")))?;
        return first_line(BufReader::with_capacity(1, file)).map(Some);
    }
    Ok(None)
}

fn first_line(reader: impl BufRead) -> Result<Passphrase, CliError> {
    Ok(Passphrase::parse_borrowed(&line_of(reader)?)?)
}

/// The first line without its end. Read into one buffer that never grows, so that nothing stays behind.
fn line_of(reader: impl BufRead) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let capacity = usize::try_from(MAX_LINE_BYTES).expect("it fits");
    let mut line = Zeroizing::new(Vec::with_capacity(capacity + 1));
    reader
        .take(MAX_LINE_BYTES)
        .read_until(b'\n', &mut line)
        .map_err(|_| CliError::PassphraseSource("its source".to_owned()))?;
    for end in [b'\n', b'\r'] {
        line.pop_if(|last| *last == end);
    }
    Ok(line)
}

/// Whether there is somebody to ask.
pub fn is_possible() -> bool {
    io::stdin().is_terminal()
}

fn ask(question: &str) -> Result<String, CliError> {
    if !is_possible() {
        return Err(PromptError::Unavailable.into());
    }
    let _echo = job::EchoGuard::new();
    Ok(rpassword::prompt_password(question).map_err(|_| PromptError::Failed)?)
}

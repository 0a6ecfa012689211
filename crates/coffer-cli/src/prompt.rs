//! Where secrets come from: a file, a descriptor, or the terminal. Never an argument, never the environment.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal};
use std::path::Path;

use coffer_core::Passphrase;
use coffer_core::host::PromptError;
use coffer_model::record::Value;
use zeroize::Zeroizing;

use crate::args::Global;
use crate::error::CliError;
use crate::job;

/// Longest line taken for a passphrase, bytes: 1,024 code points with room for their composition.
const MAX_LINE_BYTES: u64 = 16 * 1024;

/// Asks for an existing passphrase.
pub fn passphrase(global: &Global, question: &str) -> Result<Passphrase, CliError> {
    if let Some(passphrase) = from_source(global)? {
        return Ok(passphrase);
    }
    Ok(Passphrase::parse(ask(question)?.into_bytes())?)
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

/// Asks for the value of a field.
pub fn value(field: &str) -> Result<Value, CliError> {
    Ok(Value::new(ask(&format!("{}: ", crate::render::visible(field)))?))
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

/// The first line without its end. Read into one buffer that never grows, so that nothing stays behind.
fn first_line(reader: impl BufRead) -> Result<Passphrase, CliError> {
    let capacity = usize::try_from(MAX_LINE_BYTES).expect("16 KiB fit");
    let mut line = Zeroizing::new(Vec::with_capacity(capacity + 1));
    reader
        .take(MAX_LINE_BYTES)
        .read_until(b'\n', &mut line)
        .map_err(|_| CliError::PassphraseSource("its source".to_owned()))?;
    let text = line.strip_suffix(b"\n").unwrap_or(&line);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    Ok(Passphrase::parse_borrowed(text)?)
}

fn ask(question: &str) -> Result<String, CliError> {
    if !io::stdin().is_terminal() {
        return Err(PromptError::Unavailable.into());
    }
    let _echo = job::EchoGuard::new();
    Ok(rpassword::prompt_password(question).map_err(|_| PromptError::Failed)?)
}

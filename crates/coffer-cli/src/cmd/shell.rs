//! `coffer shell`: one unlock, then the same commands line by line from standard input.

use std::io::{BufRead, ErrorKind, IsTerminal};
use std::path::Path;

use clap::{CommandFactory, FromArgMatches};
use coffer_core::Session;
use coffer_core::host::Host;

use super::{run_unlocked, unlock};
use crate::args::{AccountCommand, Cli, Command, FieldArgs, Global, RecordCommand};
use crate::error::CliError;
use crate::render::{self, Output};

pub fn run(host: &Host, global: &Global, output: &Output) -> Result<(), CliError> {
    let session = unlock(host, global)?;
    let interactive = std::io::stdin().is_terminal();
    let done = lines(&session, global, output, interactive);
    let locked = session.lock();
    done?;
    Ok(locked?)
}

fn lines(session: &Session, global: &Global, output: &Output, interactive: bool) -> Result<(), CliError> {
    if interactive {
        output.note("one command a line, without `coffer` in front; `exit` or Ctrl+D locks");
        render::waiting();
    }
    let mut line = String::new();
    for number in 1_u64.. {
        line.clear();
        // A line too many is lost if one is not text, so this ends the shell as any other error does.
        let read = std::io::stdin().lock().read_line(&mut line).map_err(|reason| match reason.kind() {
            ErrorKind::InvalidData => CliError::Usage(format!("line {number} is not UTF-8; nothing of it was done")),
            _ => CliError::File { path: "standard input".into(), reason },
        })?;
        let words = line.trim();
        if read == 0 || words == "exit" || words == "lock" {
            return Ok(());
        }
        if !words.is_empty() && !words.starts_with('#') {
            match run_line(session, global, words, global.json) {
                // A script must not go on after what it relied on failed.
                Err(error) if !interactive => return Err(error),
                Err(error) => output.error(&error),
                Ok(()) => {}
            }
        }
        if interactive {
            render::waiting();
        }
    }
    Ok(())
}

fn run_line(session: &Session, outer: &Global, line: &str, json: bool) -> Result<(), CliError> {
    let words = shlex::split(line).ok_or_else(|| CliError::Usage("a quotation mark is not closed".to_owned()))?;
    let parsed = Cli::command()
        .no_binary_name(true)
        .try_get_matches_from(words)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => return Err(CliError::arguments(error)),
        Err(help) => return Ok(render::help(&help)?),
    };
    refuse_what_is_settled(&cli)?;
    // Who seconds a command is named with it.
    let global = Global { second: cli.global.second.clone(), ..outer.clone() };
    run_unlocked(session, &global, &cli.command, &Output::one_line(json || cli.global.json))
}

/// The vault is open already, and standard input is where the commands come from.
fn refuse_what_is_settled(cli: &Cli) -> Result<(), CliError> {
    let Global {
        vault,
        login,
        passphrase_file,
        passphrase_fd,
        key_file,
        code,
        token_file,
        personal_code_file,
        second,
        json: _,
    } = &cli.global;
    let named = vault.is_some() || login.is_some() || passphrase_file.is_some() || passphrase_fd.is_some();
    if named || key_file.is_some() || code.is_some() || token_file.is_some() || personal_code_file.is_some() {
        return Err(CliError::Usage("the vault and the account are those of this shell".to_owned()));
    }
    let fields: Option<&FieldArgs> = match &cli.command {
        Command::Record(RecordCommand::Add { content, .. }) => Some(&content.fields),
        Command::Record(RecordCommand::Edit { content, .. }) => Some(&content.fields),
        _ => None,
    };
    let secret_file = match &cli.command {
        Command::Import(args) => args.source_passphrase_file.as_deref(),
        Command::Subject(command) => command.subject().identifiers_file.as_deref(),
        Command::Export(args) => args.export_passphrase_file.as_deref(),
        Command::Account(AccountCommand::Passphrase { new_passphrase_file }) => new_passphrase_file.as_deref(),
        _ => None,
    };
    if secret_file == Some(Path::new("-"))
        || second.token_file.as_deref() == Some(Path::new("-"))
        || fields.is_some_and(|fields| fields.field_files.iter().any(|field| field.ends_with("=-")))
    {
        return Err(CliError::Usage("commands come from standard input here; name a file".to_owned()));
    }
    Ok(())
}

//! `coffer shell`: one unlock, then the same commands line by line from standard input.

use std::io::{BufRead, IsTerminal};

use clap::{CommandFactory, FromArgMatches};
use coffer_core::host::Host;

use super::{run_unlocked, unlock};
use crate::args::{Cli, Global};
use crate::error::CliError;
use crate::render::Output;

pub fn run(host: &Host, global: &Global, output: &Output) -> Result<(), CliError> {
    let session = unlock(host, global)?;
    let interactive = std::io::stdin().is_terminal();
    if interactive {
        output.note("one command a line, without `coffer` in front; `exit` or Ctrl+D locks");
    }
    let mut last = Ok(());
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line == "exit" || line == "lock" {
            break;
        }
        last = run_line(&session, line, global);
        if let Err(error) = &last {
            output.error(error);
            // A script must not go on after what it relied on failed.
            if !interactive {
                break;
            }
        }
    }
    session.lock()?;
    last
}

fn run_line(session: &coffer_core::Session, line: &str, global: &Global) -> Result<(), CliError> {
    let words = shlex::split(line).ok_or_else(|| CliError::Usage("a quotation mark is not closed".to_owned()))?;
    let matches = Cli::command()
        .no_binary_name(true)
        .try_get_matches_from(words)
        .map_err(|error| CliError::Usage(error.to_string().trim_end().to_owned()))?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| CliError::Usage(error.to_string()))?;
    run_unlocked(session, &cli.command, &Output::new(global.json || cli.global.json))
}

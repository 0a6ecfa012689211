//! `coffer`: the engine on a command line, for administrators, timers and scripts.
//!
//! `main` wires the host to the engine and maps what comes back to an exit code: 0 done, 1 refused or not found, 2 wrong
//! usage, 3 damaged, 70 a bug. Only `render` writes to the terminal. Answers and codes: docs/command-line.md.

mod args;
mod cmd;
mod error;
mod job;
mod prompt;
mod render;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use crate::args::Cli;
use crate::error::CliError;
use crate::render::Output;

fn main() -> ExitCode {
    coffer_host::harden_process();
    // What a panic says may hold somebody's data; where it happened is enough to find it.
    std::panic::set_hook(Box::new(|panic| render::report_bug(panic.location())));
    job::watch_signals();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let json = arguments.iter().any(|argument| argument == "--json");
    let outcome = std::panic::catch_unwind(|| match run(arguments, json) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            Output::new(json).error(&error);
            error.exit_code()
        }
    });
    outcome.unwrap_or_else(|_| {
        Output::new(json).error(&CliError::Bug);
        CliError::Bug.exit_code()
    })
}

fn run(arguments: Vec<OsString>, json: bool) -> Result<(), CliError> {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => return Err(CliError::arguments(error)),
        Err(help) => return Ok(render::help(&help)?),
    };
    cmd::run(&coffer_host::system("coffer"), &cli, &Output::new(json))
}

//! `coffer`: the engine on a command line, for administrators, timers and scripts.
//!
//! `main` wires the host to the engine and maps what comes back to an exit code: 0 done, 1 refused or not found, 2 wrong
//! usage, 3 damaged vault, 70 a bug. Only `render` writes to the terminal.

mod args;
mod cmd;
mod error;
mod job;
mod prompt;
mod render;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Cli;
use crate::error::CliError;
use crate::render::Output;

/// Exit code of a bug (sysexits.h, EX_SOFTWARE).
const EXIT_BUG: u8 = 70;

fn main() -> ExitCode {
    coffer_host::harden_process();
    let outcome = std::panic::catch_unwind(|| {
        let cli = Cli::parse();
        let output = Output::new(cli.global.json);
        let host = coffer_host::system("coffer");
        match cmd::run(&host, &cli, &output) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                output.error(&error);
                error.exit_code()
            }
        }
    });
    outcome.unwrap_or_else(|_| {
        Output::new(false).error(&CliError::Bug);
        ExitCode::from(EXIT_BUG)
    })
}

//! `coffer completions` and the manual pages: what the definition of the command line yields by itself.

use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Cli;
use crate::error::CliError;
use crate::render::Output;

/// A script is no answer: it is the same with `--json`.
pub fn complete(shell: Shell) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "coffer", &mut script);
    let script = String::from_utf8(script).expect("the definition is UTF-8");
    Ok(Output::new(false).say(script)?)
}

pub fn manual(dir: &Path) -> Result<(), CliError> {
    let failed = |reason| CliError::File { path: dir.to_owned(), reason };
    clap_mangen::generate_to(Cli::command().disable_help_subcommand(true), dir).map_err(failed)
}

//! `coffer generate`: secrets made by chance. No vault is needed, and none is touched.

use coffer_core::host::Host;
use coffer_core::{SecretRecipe, generate_secret};
use serde::Serialize;

use crate::args::{Class, GenerateCommand};
use crate::error::CliError;
use crate::render::Output;

/// A secret and how good it is.
#[derive(Serialize)]
struct Answer<'s> {
    secret: &'s str,
    entropy_bits: f64,
    score: u8,
}

pub fn run(host: &Host, command: &GenerateCommand, output: &Output) -> Result<(), CliError> {
    let made = generate_secret(host, recipe(command))?;
    let answer = Answer { secret: made.secret.expose(), entropy_bits: made.entropy_bits, score: made.score };
    output.answer(&answer, |answer| answer.secret.to_owned())?;
    output.note(format_args!("{:.0} bits of entropy", made.entropy_bits));
    Ok(())
}

fn recipe(command: &GenerateCommand) -> SecretRecipe {
    match command {
        GenerateCommand::Passphrase { words, separator, capitals } => {
            SecretRecipe::Passphrase { words: *words, separator: *separator, capitals: *capitals }
        }
        GenerateCommand::Password { length, without, unambiguous } => {
            let with = |class| !without.contains(&class);
            SecretRecipe::Password {
                length: *length,
                lower: with(Class::Lower),
                upper: with(Class::Upper),
                digits: with(Class::Digits),
                symbols: with(Class::Symbols),
                unambiguous: *unambiguous,
            }
        }
    }
}

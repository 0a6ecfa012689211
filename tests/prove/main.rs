//! `prove NAME`: runs a long proof and adds it up in `docs/proofs.md`. See `coffer_tests::proof`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use coffer_tests::proof::archive::{self, Scale};
use coffer_tests::proof::ledger::Ledger;
use coffer_tests::proof::{Extent, Outcome, faults, flips, kills, people};

/// Rounds between two additions to the table, so that an interrupted run loses little.
const ROUNDS_A_LINE: u64 = 20;
/// How long a proof runs if nothing is said.
const MINUTES: u64 = 10;

/// Runs a long proof and adds it up in docs/proofs.md.
#[derive(Parser)]
#[command(name = "prove")]
struct Arguments {
    /// Which.
    name: Proof,
    /// How long; no round begins later.
    #[arg(long, value_name = "N")]
    minutes: Option<u64>,
    /// The first seed; by default where the last run at this commit ended.
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Most rounds.
    #[arg(long, value_name = "N")]
    rounds: Option<u64>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Proof {
    /// SIGKILL at random moments while saving, importing, backing up, restoring.
    Kills,
    /// A failing disk, a kill or a loss of power at each single operation.
    Faults,
    /// SIGKILL at random moments while people come and go and keys are replaced.
    People,
    /// One flipped bit in a vault's or a backup's files.
    Flips,
    /// A tenant of 50,000 records and 2 GiB of attachments, exported as an archive and imported again.
    Archive,
}

impl Proof {
    const fn name(self) -> &'static str {
        match self {
            Self::Kills => "kills",
            Self::People => "people",
            Self::Faults => "faults",
            Self::Flips => "flips",
            Self::Archive => "archive",
        }
    }

    fn run(self, extent: Extent) -> Outcome {
        match self {
            Self::Kills => kills::prove(extent),
            Self::People => people::prove(extent),
            Self::Faults => faults::prove(extent),
            Self::Flips => flips::prove(extent),
            Self::Archive => archive::prove(extent, Scale::WHOLE),
        }
    }

    /// Rounds that share what is costly to set up.
    const fn rounds_a_line(self) -> u64 {
        match self {
            Self::Kills | Self::People => 2 * ROUNDS_A_LINE,
            Self::Faults => 5 * ROUNDS_A_LINE,
            Self::Flips => 25 * ROUNDS_A_LINE,
            Self::Archive => 1,
        }
    }
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("prove: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<bool, String> {
    let name = arguments.name.name();
    let mut ledger = Ledger::open()?;
    let mut seed = arguments.seed.unwrap_or_else(|| ledger.next_seed(name));
    // With neither a time nor a number of rounds given, there is a time.
    let minutes = arguments.minutes.or_else(|| arguments.rounds.is_none().then_some(MINUTES));
    let until = minutes.map(|minutes| Instant::now() + Duration::from_secs(60 * minutes));
    let mut left = arguments.rounds.unwrap_or(u64::MAX);
    let mut failures = 0;
    while left > 0 && until.is_none_or(|until| Instant::now() < until) {
        let rounds = left.min(arguments.name.rounds_a_line());
        let outcome = arguments.name.run(Extent { first_seed: seed, rounds, until });
        if outcome.rounds == 0 {
            println!("{name}: every point was proved");
            break;
        }
        ledger.add(name, seed, &outcome)?;
        let end = seed + outcome.rounds;
        println!("{name} {seed}–{}: {} failures, {:?}", end - 1, outcome.failures.len(), outcome.counts);
        for failure in &outcome.failures {
            println!("  {failure}");
        }
        failures += outcome.failures.len();
        left -= outcome.rounds;
        seed = end;
    }
    Ok(failures == 0)
}

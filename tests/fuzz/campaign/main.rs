//! `campaign`: lets libFuzzer work on every target for a while, several at once, keeps what grew, and adds the runs up in
//! `docs/proofs.md`. `./x prove fuzz` builds what it needs and calls it.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Mutex, mpsc};
use std::thread;

use clap::Parser;
use coffer_fuzz::{KEPT_BYTES, TARGETS, Target};
use coffer_tests::proof::Outcome;
use coffer_tests::proof::ledger::Ledger;

/// Name of the proof in the table.
const PROOF: &str = "fuzz";
/// Most bytes of inputs kept for one target; the shortest stay.
const CORPUS_BYTES: usize = 64 * 1024;
/// Longest input tried, bytes.
const INPUT_BYTES: usize = 16 * 1024;
/// Longest one input may take, seconds: no parser's limits allow more for so few bytes.
const INPUT_SECONDS: u64 = 10;
/// Most memory, MiB. A parser that lets a few bytes have more has no limit.
const MEMORY_MIB: u64 = 2_048;

/// Fuzzes every parser and adds it up in docs/proofs.md.
#[derive(Parser)]
#[command(name = "campaign")]
struct Arguments {
    /// The program built with libFuzzer and instrumentation.
    #[arg(long, value_name = "PROGRAM")]
    program: PathBuf,
    /// Where corpora grow and failing inputs are put.
    #[arg(long, value_name = "DIR")]
    work: PathBuf,
    /// How long each target is fuzzed; with 0 only as long as it takes to keep what has grown.
    #[arg(long, value_name = "N", default_value_t = 10)]
    minutes: u64,
    /// Only these targets.
    #[arg(long, value_name = "TARGET", value_delimiter = ',')]
    only: Vec<String>,
}

/// What one target's run gave.
struct Run {
    target: Target,
    executions: u64,
    failure: Option<String>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("campaign: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<bool, String> {
    let mut ledger = Ledger::open()?;
    let chosen = chosen(&arguments.only)?;
    let (done, runs) = mpsc::channel();
    let waiting = Mutex::new(chosen.into_iter());
    let mut failures = 0;
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            let (done, waiting) = (done.clone(), &waiting);
            scope.spawn(move || {
                while let Some(target) = take(waiting) {
                    let _ = done.send(fuzz(arguments, target).map_err(|error| format!("{}: {error}", target.name)));
                }
            });
        }
        drop(done);
        for run in runs {
            let run = run?;
            failures += u64::from(run.failure.is_some());
            add(&mut ledger, run)?;
        }
        Ok::<_, String>(())
    })?;
    Ok(failures == 0)
}

fn chosen(only: &[String]) -> Result<Vec<Target>, String> {
    if only.is_empty() {
        return Ok(TARGETS.to_vec());
    }
    only.iter().map(|name| Target::of(name).ok_or_else(|| format!("there is no target `{name}`"))).collect()
}

fn take(waiting: &Mutex<impl Iterator<Item = Target>>) -> Option<Target> {
    waiting.lock().expect("nothing panics while it is held").next()
}

fn add(ledger: &mut Ledger, run: Run) -> Result<(), String> {
    let Run { target, executions, failure } = run;
    println!("{}: {executions} inputs, {}", target.name, failure.as_deref().unwrap_or("no failure"));
    let counts = [(target.name, executions)].into();
    let outcome = Outcome { rounds: executions, counts, failures: failure.into_iter().collect() };
    ledger.add(PROOF, ledger.next_seed(PROOF), &outcome)
}

/// Lets libFuzzer work on a target, then keeps what it found worth keeping.
fn fuzz(arguments: &Arguments, target: Target) -> io::Result<Run> {
    let grown = arguments.work.join(target.name);
    let failing = arguments.work.join("failing").join(target.name);
    fs::create_dir_all(&grown)?;
    fs::create_dir_all(&failing)?;
    for (number, input) in (0..).zip([target.corpus(), (target.seeds)()].concat()) {
        fs::write(grown.join(format!("kept-{number}")), input)?;
    }
    let output = command(arguments, target)
        .arg(&grown)
        .arg(format!("-max_total_time={}", (60 * arguments.minutes).max(1)))
        .arg(format!("-max_len={INPUT_BYTES}"))
        .arg(format!("-timeout={INPUT_SECONDS}"))
        .arg(format!("-rss_limit_mb={MEMORY_MIB}"))
        .arg(format!("-artifact_prefix={}/", failing.display()))
        .arg("-print_final_stats=1")
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let failure = (!output.status.success()).then(|| said_last(&said, &failing));
    keep(arguments, target, &grown)?;
    Ok(Run { target, executions: executions(&said), failure })
}

fn command(arguments: &Arguments, target: Target) -> Command {
    let mut command = Command::new(&arguments.program);
    command.env("COFFER_FUZZ_TARGET", target.name).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// How many inputs were tried, as libFuzzer says at the end.
fn executions(said: &str) -> u64 {
    let said = said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    said.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}

fn said_last(said: &str, failing: &Path) -> String {
    let told =
        said.lines().filter(|line| line.contains("panicked") || line.contains("ERROR") || line.contains("SUMMARY"));
    format!("{}; inputs in {}", told.collect::<Vec<_>>().join("; "), failing.display())
}

/// Writes the fewest inputs that reach what all reach, the shortest first, as long as there is room.
fn keep(arguments: &Arguments, target: Target, grown: &Path) -> io::Result<()> {
    let fewest = tempfile::tempdir()?;
    command(arguments, target).arg("-merge=1").arg(fewest.path()).arg(grown).stderr(Stdio::null()).status()?;
    let mut inputs = BTreeSet::new();
    for file in fs::read_dir(fewest.path())? {
        let input = fs::read(file?.path())?;
        inputs.insert((input.len(), input));
    }
    let mut room = CORPUS_BYTES;
    let mut text = String::new();
    for (length, input) in inputs.into_iter().filter(|(length, _)| *length > 0 && *length <= KEPT_BYTES) {
        if length > room {
            break;
        }
        room -= length;
        text.push_str(&hex::encode(input));
        text.push('\n');
    }
    let file = target.corpus_file();
    fs::create_dir_all(file.parent().expect("a file is in a folder"))?;
    fs::write(file, text)
}

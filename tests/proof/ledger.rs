//! The committed sum of all proofs: `docs/proofs.md`, a table to read and to continue.
//!
//! Rounds add up for each proof at each commit. A working tree with changes of its own is named as such: what was proved
//! there was proved of no commit.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Outcome;

const HEADING: &str = "# Proofs

What `./x prove NAME` has run, added up for each commit. A round is one kill, one fault, one flipped bit, one tenant that
went out and came back (`archive`), or one input given to a parser (`fuzz`); what counts as a failure is said in
`tests/proof/` and `tests/fuzz/`. Rounds of one proof at one commit have consecutive seeds; those of `fuzz` are only
counted. This file is written by the program and read back by it; do not edit it by hand.

| Proof | Commit | Seeds | Rounds | Failures | What happened |
|---|---|---|---|---|---|
";

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    proof: String,
    commit: String,
    first_seed: u64,
    end_seed: u64,
    rounds: u64,
    failures: u64,
    counts: BTreeMap<String, u64>,
}

/// The table.
#[derive(Debug, PartialEq, Eq)]
pub struct Ledger {
    file: PathBuf,
    commit: String,
    rows: Vec<Row>,
}

impl Ledger {
    /// Opens the checkout's.
    pub fn open() -> Result<Self, String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the checkout");
        refuse_older_than_sources(root, &super::program::coffer())?;
        let file = root.join("docs/proofs.md");
        let text = fs::read_to_string(&file).unwrap_or_default();
        Ok(Self { rows: parse(&text)?, commit: commit(root), file })
    }

    /// The seed to go on with.
    pub fn next_seed(&self, proof: &str) -> u64 {
        let of_proof = self.rows.iter().filter(|row| row.proof == proof && row.commit == self.commit);
        of_proof.map(|row| row.end_seed).max().unwrap_or(0)
    }

    /// Adds what a run found. A run that does not follow on the last one gets a line of its own.
    pub fn add(&mut self, proof: &str, first_seed: u64, outcome: &Outcome) -> Result<(), String> {
        // Another proof may have added its own meanwhile.
        self.rows = parse(&fs::read_to_string(&self.file).unwrap_or_default())?;
        let follows = |row: &Row| row.proof == proof && row.commit == self.commit && row.end_seed == first_seed;
        let index = self.rows.iter().position(follows);
        let index = index.unwrap_or_else(|| {
            self.rows.push(Row {
                proof: proof.to_owned(),
                commit: self.commit.clone(),
                first_seed,
                end_seed: first_seed,
                rounds: 0,
                failures: 0,
                counts: BTreeMap::new(),
            });
            self.rows.len() - 1
        });
        let row = &mut self.rows[index];
        row.end_seed += outcome.rounds;
        row.rounds += outcome.rounds;
        row.failures += outcome.failures.len() as u64;
        for (what, count) in &outcome.counts {
            *row.counts.entry((*what).to_owned()).or_default() += count;
        }
        fs::write(&self.file, self.render()).map_err(|error| format!("{}: {error}", self.file.display()))
    }

    fn render(&self) -> String {
        let mut text = HEADING.to_owned();
        for row in &self.rows {
            let counts: Vec<String> = row.counts.iter().map(|(what, count)| format!("{count} {what}")).collect();
            let seeds = format!("{}–{}", row.first_seed, row.end_seed.saturating_sub(1));
            writeln!(
                text,
                "| {} | {} | {seeds} | {} | {} | {} |",
                row.proof,
                row.commit,
                row.rounds,
                row.failures,
                counts.join("; ")
            )
            .expect("a string takes all");
        }
        text
    }
}

fn parse(text: &str) -> Result<Vec<Row>, String> {
    let lines = text.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    lines.filter(|line| line.starts_with('|')).map(|line| row(line).ok_or_else(|| format!("no row: {line}"))).collect()
}

fn row(line: &str) -> Option<Row> {
    let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
    let [proof, commit, seeds, rounds, failures, counts] = cells.as_slice() else { return None };
    let (first, last) = seeds.split_once('–')?;
    let counted = |text: &str| -> Option<(String, u64)> {
        let (count, what) = text.trim().split_once(' ')?;
        Some((what.to_owned(), count.parse().ok()?))
    };
    Some(Row {
        proof: (*proof).to_owned(),
        commit: (*commit).to_owned(),
        first_seed: first.parse().ok()?,
        end_seed: last.parse::<u64>().ok()? + 1,
        rounds: rounds.parse().ok()?,
        failures: failures.parse().ok()?,
        counts: counts.split(';').filter(|text| !text.trim().is_empty()).map(counted).collect::<Option<_>>()?,
    })
}

/// A program built before its sources were last changed would be proved under a name that is not its own.
fn refuse_older_than_sources(root: &Path, program: &Path) -> Result<(), String> {
    let changed = |path: &Path| fs::metadata(path).and_then(|facts| facts.modified()).ok();
    let built = changed(program);
    let listed = Command::new("git").arg("-C").arg(root).args(["ls-files", "crates/*/src/*"]).output();
    let listed = listed.map_err(|error| format!("git: {error}"))?;
    let names = String::from_utf8_lossy(&listed.stdout).into_owned();
    match names.lines().find(|name| changed(&root.join(name)) > built) {
        Some(newer) => Err(format!("{} is older than {newer}: build it again", program.display())),
        None => Ok(()),
    }
}

/// The commit, and whether the sources differ from it.
fn commit(root: &Path) -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").arg("-C").arg(root).args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let sources = ["Cargo.toml", "Cargo.lock", "crates", "tests", "src-tauri"];
    let mut status = vec!["status", "--porcelain", "--"];
    status.extend(sources);
    match (git(&["rev-parse", "--short=10", "HEAD"]), git(&status)) {
        (Some(commit), Some(changes)) if changes.is_empty() => commit,
        (Some(commit), _) => format!("{commit} with changes"),
        (None, _) => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_added_to() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("proofs.md");
        let mut ledger = Ledger { file: file.clone(), commit: "abc".to_owned(), rows: Vec::new() };
        let mut outcome = Outcome { rounds: 3, ..Outcome::default() };
        outcome.count("saving");
        ledger.add("kills", 0, &outcome).unwrap();
        assert_eq!(ledger.next_seed("kills"), 3);
        ledger.add("kills", 3, &outcome).unwrap();
        ledger.add("flips", 7, &outcome).unwrap();
        let rows = parse(&fs::read_to_string(&file).unwrap()).unwrap();
        assert_eq!(rows, ledger.rows);
        assert_eq!((rows[0].rounds, rows[0].end_seed, rows[0].counts["saving"]), (6, 6, 2));
        assert_eq!((rows.len(), rows[1].first_seed), (2, 7));
    }
}

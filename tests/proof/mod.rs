//! Long proofs that nothing acknowledged is lost: the shipped program is killed, its disk fails, its files rot, a large
//! tenant goes out and comes back.
//!
//! `./x prove NAME` runs one for as long as is wanted and adds its rounds up in `docs/proofs.md`; the tests in `proofs/`
//! run a short slice of each. A round follows from its seed alone, but for the machine's own timing.

pub mod archive;
pub mod chance;
pub mod contents;
pub mod desk;
pub mod faults;
pub mod flips;
pub mod kills;
pub mod ledger;
pub mod people;
pub mod program;

use std::time::Instant;

/// How much of a proof to run.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// The first round's seed; the next round's is one more.
    pub first_seed: u64,
    /// Most rounds.
    pub rounds: u64,
    /// No round begins after this.
    pub until: Option<Instant>,
}

impl Extent {
    /// Seeds of the rounds to run.
    pub fn seeds(self) -> impl Iterator<Item = u64> {
        let seeds = self.first_seed..self.first_seed.saturating_add(self.rounds);
        seeds.take_while(move |_| self.until.is_none_or(|until| Instant::now() < until))
    }
}

/// What a proof found.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Rounds run.
    pub rounds: u64,
    /// How often what: kills while saving, flips detected, and so on.
    pub counts: std::collections::BTreeMap<&'static str, u64>,
    /// What should not have happened, each with the seed that leads there.
    pub failures: Vec<String>,
}

impl Outcome {
    /// Counts one more of something.
    pub fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }
}

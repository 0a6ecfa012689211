//! The table: what, here, reference, ratio, goal, met or not. Pairs and medians. Pure but for the clock.

use std::fmt;
use std::time::{Duration, Instant};

use crate::note;

/// What a ratio has to be.
#[derive(Clone, Copy)]
pub enum Goal {
    /// The time here over the reference's, at most.
    TimeAtMost(f64),
    /// The speed here over the reference's, at least.
    SpeedAtLeast(f64),
    /// The time here over the reference's in absolute terms, at most: for what comes on top of something fixed.
    OnTopAtMost(Duration),
    /// The time here, at most: where people feel it, and no reference is needed.
    Within(Duration),
    /// The size here over the reference's, at most.
    SizeAtMost(f64),
    /// The size here, at most, in KiB.
    KibAtMost(u32),
    /// The number here, at most the reference's.
    NoMoreThanThere,
    /// None: what another program takes, or what the reader compares with; its speed over the reference's.
    Beside,
}

/// One measured target.
struct Row {
    name: &'static str,
    what: String,
    here: String,
    reference: String,
    ratio: String,
    goal: String,
    met: &'static str,
}

/// All of them.
#[derive(Default)]
pub struct Table {
    rows: Vec<Row>,
}

/// Times in seconds, sizes in KiB, or numbers, of two things that were run in turn.
pub struct Pairs {
    here: Vec<f64>,
    reference: Vec<f64>,
}

impl Pairs {
    /// Runs both `count` times in turn. Each says how long it took, so that what it prepares does not count.
    pub fn run(count: usize, mut here: impl FnMut() -> Duration, mut reference: impl FnMut() -> Duration) -> Self {
        Self::in_turn(count, || here().as_secs_f64(), || reference().as_secs_f64())
    }

    /// The same for sizes and numbers: each says how many KiB it took, or how many there were.
    pub fn weigh(count: usize, mut here: impl FnMut() -> u32, mut reference: impl FnMut() -> u32) -> Self {
        Self::in_turn(count, || f64::from(here()), || f64::from(reference()))
    }

    fn in_turn(count: usize, mut here: impl FnMut() -> f64, mut reference: impl FnMut() -> f64) -> Self {
        let mut pairs = Self { here: Vec::new(), reference: Vec::new() };
        for number in 0..count {
            // Who goes first changes, so that neither always finds a warm machine.
            if number % 2 == 0 {
                pairs.here.push(here());
                pairs.reference.push(reference());
            } else {
                pairs.reference.push(reference());
                pairs.here.push(here());
            }
        }
        pairs
    }

    fn median_of(&self, of: impl Fn(f64, f64) -> f64) -> f64 {
        median(self.here.iter().zip(&self.reference).map(|(here, reference)| of(*here, *reference)).collect())
    }
}

impl Table {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a row. `times` says how many of a thing each timing is of, so that the figures are for one.
    pub fn add(&mut self, name: &'static str, what: &str, pairs: &Pairs, times: f64, goal: Goal) {
        let here = median(pairs.here.clone()) / times;
        let reference = median(pairs.reference.clone()) / times;
        let figure = match goal {
            Goal::SizeAtMost(_) | Goal::KibAtMost(_) => size,
            Goal::NoMoreThanThere => |count| format!("{count}"),
            Goal::TimeAtMost(_) | Goal::SpeedAtLeast(_) | Goal::OnTopAtMost(_) | Goal::Within(_) | Goal::Beside => time,
        };
        let speed = || pairs.median_of(|here, reference| reference / here);
        let (ratio, goal, met) = match goal {
            Goal::TimeAtMost(most) | Goal::SizeAtMost(most) => {
                let ratio = pairs.median_of(|here, reference| here / reference);
                (format!("{ratio:.2}×"), format!("≤ {most}×"), said(ratio <= most))
            }
            Goal::SpeedAtLeast(least) => {
                let ratio = speed();
                (format!("{ratio:.2}×"), format!("≥ {least}×"), said(ratio >= least))
            }
            Goal::OnTopAtMost(most) => {
                let more = pairs.median_of(|here, reference| here - reference);
                let met = said(more <= most.as_secs_f64());
                (format!("+{:.1} ms", more * 1e3), format!("≤ +{} ms", most.as_millis()), met)
            }
            Goal::Within(most) => {
                (String::new(), format!("< {} ms", most.as_millis()), said(here < most.as_secs_f64()))
            }
            Goal::KibAtMost(most) => (String::new(), format!("≤ {} MiB", most / 1024), said(here <= f64::from(most))),
            Goal::NoMoreThanThere => {
                let more = pairs.median_of(|here, reference| here - reference);
                (format!("{more:+}"), "≤ 0 more".to_owned(), said(more <= 0.0))
            }
            Goal::Beside => (format!("{:.2}×", speed()), String::new(), "beside"),
        };
        let reference = if pairs.reference.is_empty() { String::new() } else { figure(reference) };
        self.push(Row { name, what: what.to_owned(), here: figure(here), reference, ratio, goal, met });
    }

    /// Adds a row for one thing that has no reference.
    pub fn add_alone(&mut self, name: &'static str, what: &str, took: Duration, most: Duration) {
        let pairs = Pairs { here: vec![took.as_secs_f64()], reference: Vec::new() };
        self.add(name, what, &pairs, 1.0, Goal::Within(most));
    }

    /// The same for a size in KiB.
    pub fn add_size_alone(&mut self, name: &'static str, what: &str, kib: u32, most_kib: u32) {
        let pairs = Pairs { here: vec![f64::from(kib)], reference: Vec::new() };
        self.add(name, what, &pairs, 1.0, Goal::KibAtMost(most_kib));
    }

    /// Adds a row for what could not be measured here.
    pub fn add_unmeasured(&mut self, name: &'static str, what: &str, why: &str) {
        self.push(Row {
            name,
            what: what.to_owned(),
            here: String::new(),
            reference: String::new(),
            ratio: why.to_owned(),
            goal: String::new(),
            met: "not measured",
        });
    }

    /// Says each row as it comes, too: a measurement that fails after it must not take it along.
    fn push(&mut self, row: Row) {
        note(&row.to_string());
        self.rows.push(row);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<4} {:<58} {:>10} {:>10} {:>9}  {:<9} met", "", "what", "here", "reference", "ratio", "goal")?;
        self.rows.iter().try_for_each(|row| writeln!(f, "{row}"))
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, what, here, reference, ratio, goal, met } = self;
        write!(f, "{name:<4} {what:<58} {here:>10} {reference:>10} {ratio:>9}  {goal:<9} {met}")
    }
}

fn said(met: bool) -> &'static str {
    if met { "met" } else { "NOT MET" }
}

/// Times one run.
pub fn timed(work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}

/// The value in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Seconds, in the unit that reads best.
fn time(seconds: f64) -> String {
    if seconds >= 1.0 {
        format!("{seconds:.2} s")
    } else if seconds >= 1e-3 {
        format!("{:.2} ms", seconds * 1e3)
    } else {
        format!("{:.1} µs", seconds * 1e6)
    }
}

/// KiB, as MiB.
fn size(kib: f64) -> String {
    format!("{:.1} MiB", kib / 1024.0)
}

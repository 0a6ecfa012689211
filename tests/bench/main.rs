//! `bench`: measures the speed targets, each as a ratio of two things run in turn in this one run, and prints one table.
//!
//! Absolute figures stand beside for the reader and are never judged: machines are shared and noisy, ratios less so. Each
//! ratio is the median over pairs. What a reference is, is said where it is measured.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]
#![expect(clippy::unwrap_used, reason = "a measurement that cannot be made has no other way to say so")]

#[cfg(feature = "aws-lc")]
mod attachments;
mod derive;
mod log;
mod portable_backup;
mod process;
mod records;
mod reference;
mod rekey;
mod rows;
mod screen;
mod table;
mod window;

use std::path::PathBuf;

use clap::Parser;

use crate::table::Table;

/// Measures the speed targets and prints one table.
#[derive(Parser)]
#[command(name = "bench")]
struct Arguments {
    /// Only these, such as S1,S5.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Pairs of a measurement.
    #[arg(long, default_value_t = 5)]
    pairs: usize,
    /// Records of the large tenant.
    #[arg(long, default_value_t = 1_000_000)]
    records: u64,
    /// Rows of an import.
    #[arg(long, default_value_t = 100_000)]
    rows: u64,
    /// Entries of the log that is verified.
    #[arg(long, default_value_t = 1_000_000)]
    entries: u64,
    /// MiB of the attachment.
    #[arg(long, default_value_t = 1024)]
    attachment: u64,
    /// The reference program for Argon2id, built from its C source with -O3 -march=native.
    #[arg(long, value_name = "PROGRAM")]
    argon2: Option<PathBuf>,
}

impl Arguments {
    fn wants(&self, names: &[&str]) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| names.contains(&only.as_str()))
    }
}

fn main() {
    let arguments = Arguments::parse();
    let mut table = Table::new();
    if arguments.wants(&["S1", "S2"]) {
        derive::measure(&arguments, &mut table);
    }
    if arguments.wants(&["S3", "S5", "S6", "S7", "S9", "S14"]) {
        records::measure(&arguments, &mut table);
    }
    if arguments.wants(&["S4"]) {
        process::measure(&arguments, &mut table);
    }
    if arguments.wants(&["S8"]) {
        #[cfg(feature = "aws-lc")]
        attachments::measure(&arguments, &mut table);
        #[cfg(not(feature = "aws-lc"))]
        table.add_unmeasured("S8", "attachment in and out", "no aws-lc-rs");
    }
    if arguments.wants(&["S11"]) {
        rekey::measure(&arguments, &mut table);
    }
    if arguments.wants(&["S12"]) {
        log::measure(&arguments, &mut table);
    }
    if arguments.wants(&["S13", "S14"]) {
        window::measure(&arguments, &mut table);
    }
    println!("{table}");
}

/// Says on standard error what is going on, for whoever waits.
fn note(what: &str) {
    eprintln!("bench: {what}");
}

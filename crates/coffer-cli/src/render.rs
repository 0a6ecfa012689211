//! What the terminal sees: tables and sentences for people, JSON for scripts. The only place that prints.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is what this module is for")]

use std::fmt::Display;
use std::io::{IsTerminal, Write};

use comfy_table::{ContentArrangement, Table, TableStyle};
use serde::Serialize;

use crate::error::CliError;

/// How answers are written.
#[derive(Debug)]
pub struct Output {
    json: bool,
}

impl Output {
    /// Answers in JSON, or for people.
    pub const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Answers with `value` in JSON, or with what `human` makes of it.
    pub fn answer<T: Serialize>(&self, value: &T, human: impl FnOnce(&T) -> String) {
        if self.json {
            line(&serde_json::to_string_pretty(value).expect("views always serialise"));
        } else {
            let text = human(value);
            if !text.is_empty() {
                line(text.trim_end_matches('\n'));
            }
        }
    }

    /// Says a step to people; nothing in JSON.
    pub fn say(&self, text: impl Display) {
        if !self.json {
            line(&text.to_string());
        }
    }

    /// Says why a command failed, on the error stream.
    pub fn error(&self, error: &CliError) {
        if self.json {
            let value = serde_json::json!({ "error": error.code(), "message": error.to_string(), "hint": error.hint() });
            eprintln!("{value}");
        } else {
            eprintln!("error: {error}");
            if let Some(hint) = error.hint() {
                eprintln!("hint: {hint}");
            }
        }
    }

    /// Says something beside the answer, on the error stream.
    pub fn note(&self, text: impl Display) {
        if !self.json {
            eprintln!("note: {text}");
        }
    }
}

/// A pipe that was closed early (`coffer … | head`) is the reader's choice, not an error.
fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}");
}

/// A table without lines, headings in the first row; on a terminal no wider than it.
pub fn table(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_header(headings.iter().copied());
    table.set_content_arrangement(if std::io::stdout().is_terminal() {
        ContentArrangement::Dynamic
    } else {
        ContentArrangement::Disabled
    });
    for row in rows {
        table.add_row(row.iter().map(|cell| visible(cell)));
    }
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// Text from a vault as it may be shown on a terminal: control, invisible and direction-changing characters as `\u{…}`,
/// so that data can neither steer the terminal nor look like something else.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_deceptive(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    shown
}

/// As [`visible`], but line breaks stay, the next lines indented.
pub fn visible_lines(text: &str, indent: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join(&format!("\n{indent}"))
}

/// UAX #9 and UTR #36: direction marks and zero-width characters.
const fn is_deceptive(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_cannot_steer_the_terminal() {
        assert_eq!(visible("a\u{1b}[31mb\u{202e}c"), "a\\u{1b}[31mb\\u{202e}c");
        assert_eq!(visible_lines("one\ntwo\u{7}", "  "), "one\n  two\\u{7}");
    }
}

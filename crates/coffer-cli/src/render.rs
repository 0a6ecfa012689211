//! What the terminal sees: tables and sentences for people, JSON for scripts. The only place that prints.
#![expect(clippy::print_stderr, reason = "printing is what this module is for")]

use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::panic::Location;

use comfy_table::{ContentArrangement, Table, TableStyle};
use serde::Serialize;

use crate::error::CliError;

/// How answers are written.
#[derive(Debug)]
pub struct Output {
    json: bool,
    one_line: bool,
}

/// An answer could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the answer could not be written: {0}")]
pub struct OutputError(#[from] io::Error);

impl Output {
    /// Answers in JSON, or for people.
    pub const fn new(json: bool) -> Self {
        Self { json, one_line: false }
    }

    /// As [`Output::new`], each JSON answer on a line of its own.
    pub const fn one_line(json: bool) -> Self {
        Self { json, one_line: true }
    }

    /// Answers with `value` in JSON, or with what `human` makes of it.
    pub fn answer<T: Serialize>(&self, value: &T, human: impl FnOnce(&T) -> String) -> Result<(), OutputError> {
        if self.json {
            let json = if self.one_line { serde_json::to_string(value) } else { serde_json::to_string_pretty(value) };
            return line(&json.expect("views always serialise"));
        }
        let text = human(value);
        line(text.trim_end_matches('\n'))
    }

    /// Says a step to people; nothing in JSON.
    pub fn say(&self, text: impl Display) -> Result<(), OutputError> {
        if self.json { Ok(()) } else { line(&text.to_string()) }
    }

    /// Says why a command failed, on the error stream.
    pub fn error(&self, error: &CliError) {
        // There is nowhere to say that the error stream cannot be written.
        let mut out = io::stderr().lock();
        if self.json {
            let value =
                serde_json::json!({ "error": error.code(), "message": error.to_string(), "hint": error.hint() });
            let _ = writeln!(out, "{value}");
        } else if let CliError::Arguments(error) = error {
            drop(out);
            let _ = error.print();
        } else {
            let _ = writeln!(out, "error: {}", visible(&error.to_string()));
            if let Some(hint) = error.hint() {
                let _ = writeln!(out, "hint: {hint}");
            }
        }
    }

    /// Says something beside the answer to a person at a terminal; nothing in a pipe.
    pub fn note(&self, text: impl Display) {
        if !self.json && io::stderr().is_terminal() {
            eprintln!("note: {text}");
        }
    }
}

/// Prints what `--help` and `--version` ask for, with emphasis on a terminal.
pub fn help(help: &clap::Error) -> Result<(), OutputError> {
    closed_early_is_fine(help.print())
}

/// Says on a terminal that a line is waited for.
pub fn waiting() {
    eprint!("coffer> ");
}

/// Says where a bug showed itself, and nothing of what was being worked on.
pub fn report_bug(place: Option<&Location<'_>>) {
    if let Some(place) = place {
        eprintln!("bug at {place}");
    }
}

fn line(text: &str) -> Result<(), OutputError> {
    let mut out = io::stdout().lock();
    closed_early_is_fine(out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()))
}

/// A pipe that was closed early (`coffer … | head`) is the reader's choice; anything else would be a silent loss.
fn closed_early_is_fine(written: io::Result<()>) -> Result<(), OutputError> {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// A table without lines, headings in the first row; on a terminal no wider than it.
pub fn table(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_header(headings.iter().copied());
    table.set_content_arrangement(if io::stdout().is_terminal() {
        ContentArrangement::Dynamic
    } else {
        ContentArrangement::Disabled
    });
    for row in rows {
        table.add_row(row.iter().map(|cell| visible(cell)));
    }
    table.column_iter_mut().for_each(|column| {
        column.set_padding((0, 2));
    });
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

/// Bytes as people say them.
pub fn size(bytes: u64) -> String {
    indicatif::BinaryBytes(bytes).to_string()
}

/// So many of something.
pub fn counted(count: u64, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
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

    #[test]
    fn a_table_begins_at_the_margin_and_ends_with_its_text() {
        let text = table(&["NAME", "ID"], [vec!["ACME GmbH".to_owned(), "1".to_owned()]]);
        assert_eq!(text, "NAME       ID\nACME GmbH  1\n");
    }
}

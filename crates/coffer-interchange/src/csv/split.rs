//! Bytes into rows of cells: RFC 4180, strict where a lenient reader would lose or move data. Pure over `io::Read`.
//!
//! Not the `csv` crate, which is the yardstick in the tests: it takes a quote that is never closed for the end of
//! the file, counts lines by `\n` alone and before blank lines, grows without bound on a hostile row, and leaves
//! what it read in memory that nobody erases.

use std::io::{self, Read};

use coffer_model::record::limits;
use zeroize::Zeroizing;

use super::error::RowProblem;

/// Bytes read at a time; also how far into the header the separator is looked for.
const INPUT_BYTES: usize = 64 * 1024;
/// Most bytes of text in a row, over all cells.
const ROW_BYTES: usize = limits::RECORD_BYTES;
/// Most bytes of text in a cell.
const CELL_BYTES: usize = limits::VALUE_BYTES;

/// Where in a row the next byte stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    CellStart,
    Plain,
    Quoted,
    /// After a quote inside a quoted cell: it ends the cell, or is the first of two that mean one.
    QuoteSeen,
    /// After a carriage return outside quotes.
    ReturnSeen,
}

/// What is wrong with a row, and in which cell, counted from 0.
pub(super) struct Fault {
    pub column: Option<usize>,
    pub problem: RowProblem,
}

/// The row read last.
pub(super) struct Row {
    bytes: Zeroizing<Vec<u8>>,
    /// Where each stored cell ends in `bytes`.
    ends: Vec<usize>,
    /// Cells seen, stored or not.
    found: usize,
    /// Most cells to store.
    wanted: usize,
    fault: Option<Fault>,
    /// The line the row begins at, from 1.
    pub line: u64,
}

impl Row {
    fn begin(&mut self, line: u64, wanted: usize) {
        self.bytes.clear();
        self.ends.clear();
        self.found = 0;
        self.wanted = wanted;
        self.fault = None;
        self.line = line;
    }

    fn fail(&mut self, problem: RowProblem) {
        if self.fault.is_none() {
            let column = problem.is_of_one_cell().then_some(self.found);
            self.fault = Some(Fault { column, problem });
        }
    }

    fn push(&mut self, text: &[u8]) {
        if self.fault.is_some() || self.found >= self.wanted {
            return;
        }
        let cell_start = self.ends.last().copied().unwrap_or(0);
        if text.contains(&0) {
            self.fail(RowProblem::Nul);
        } else if self.bytes.len() - cell_start + text.len() > CELL_BYTES {
            self.fail(RowProblem::CellTooLarge);
        } else if self.bytes.len() + text.len() > ROW_BYTES {
            self.fail(RowProblem::RowTooLarge);
        } else {
            self.reserve(text.len());
            self.bytes.extend_from_slice(text);
        }
    }

    /// Makes room without leaving a copy of the text behind, as `Vec` would when it moves.
    fn reserve(&mut self, more: usize) {
        let needed = self.bytes.len() + more;
        if needed > self.bytes.capacity() {
            let mut wider = Zeroizing::new(Vec::with_capacity(needed.max(2 * self.bytes.capacity())));
            wider.extend_from_slice(&self.bytes);
            self.bytes = wider;
        }
    }

    fn end_cell(&mut self) {
        if self.found < self.wanted {
            self.ends.push(self.bytes.len());
        }
        self.found = self.found.saturating_add(1);
    }

    /// How many cells the row has in the file.
    pub fn found(&self) -> usize {
        self.found
    }

    /// The stored cells as text.
    pub fn cells(&self) -> Result<Vec<&str>, Fault> {
        let mut start = 0;
        let mut cells = Vec::with_capacity(self.ends.len());
        for (column, &end) in self.ends.iter().enumerate() {
            let text = std::str::from_utf8(&self.bytes[start..end])
                .map_err(|_| Fault { column: Some(column), problem: RowProblem::NotUtf8 })?;
            cells.push(text);
            start = end;
        }
        Ok(cells)
    }
}

/// Reads rows one after another in constant memory.
pub(super) struct Splitter<R> {
    reader: R,
    input: Zeroizing<Vec<u8>>,
    /// The part of `input` not yet looked at.
    start: usize,
    end: usize,
    at_end: bool,
    separator: u8,
    /// The line of the next byte, from 1.
    line: u64,
    bytes_read: u64,
    row: Row,
}

/// What stands at the beginning of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    /// By its byte order mark; not read.
    Utf16,
}

impl<R: Read> Splitter<R> {
    pub fn new(reader: R) -> Self {
        let row =
            Row { bytes: Zeroizing::new(Vec::new()), ends: Vec::new(), found: 0, wanted: 0, fault: None, line: 1 };
        Self {
            reader,
            input: Zeroizing::new(vec![0; INPUT_BYTES]),
            start: 0,
            end: 0,
            at_end: false,
            separator: b',',
            line: 1,
            bytes_read: 0,
            row,
        }
    }

    /// Takes the byte order mark away and finds the separator. To be called once, before the first row.
    pub fn begin(&mut self) -> io::Result<Encoding> {
        self.fill(INPUT_BYTES)?;
        let input = &self.input[..self.end];
        if input.starts_with(&[0xFF, 0xFE]) || input.starts_with(&[0xFE, 0xFF]) {
            return Ok(Encoding::Utf16);
        }
        if input.starts_with("\u{FEFF}".as_bytes()) {
            self.start = '\u{FEFF}'.len_utf8();
        }
        if self.has_more()? {
            self.fill(INPUT_BYTES)?;
            self.separator = separator_of(&self.input[self.start..self.end]);
        }
        Ok(Encoding::Utf8)
    }

    pub fn separator(&self) -> u8 {
        self.separator
    }

    pub fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// The line of the next byte, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    pub fn row(&self) -> &Row {
        &self.row
    }

    /// Whether another row follows. Passes over empty lines.
    pub fn has_more(&mut self) -> io::Result<bool> {
        loop {
            self.fill(2)?;
            match self.input[self.start..self.end] {
                [] => return Ok(false),
                [b'\n', ..] => self.start += 1,
                [b'\r', b'\n', ..] => self.start += 2,
                _ => return Ok(true),
            }
            self.line += 1;
        }
    }

    /// Reads the next row into [`Self::row`], at most `wanted` cells of it. `None` at the end of the file.
    pub fn next_row(&mut self, wanted: usize) -> io::Result<Option<Result<(), Fault>>> {
        if !self.has_more()? {
            return Ok(None);
        }
        self.row.begin(self.line, wanted);
        let mut state = State::CellStart;
        loop {
            self.fill(1)?;
            if self.start == self.end {
                match state {
                    // Everything after the lost quote went into this cell, so this is the cause of any other fault.
                    State::Quoted => {
                        self.row.fault = None;
                        self.row.fail(RowProblem::UnclosedQuote);
                    }
                    State::ReturnSeen => self.row.fail(RowProblem::StrayCarriageReturn),
                    State::CellStart | State::Plain | State::QuoteSeen => {}
                }
                self.row.end_cell();
                break;
            }
            match self.step(state) {
                Some(next) => state = next,
                None => break,
            }
        }
        Ok(Some(self.row.fault.take().map_or(Ok(()), Err)))
    }

    /// Takes at least one byte or changes the state; `None` when the row is complete. There is input left.
    fn step(&mut self, state: State) -> Option<State> {
        let input = &self.input[self.start..self.end];
        let first = input[0];
        let (taken, next) = match state {
            State::CellStart if first == b'"' => (1, Some(State::Quoted)),
            State::CellStart => (0, Some(State::Plain)),
            State::Plain => {
                let special = |byte: &u8| *byte == self.separator || *byte == b'\n' || *byte == b'\r';
                let length = input.iter().position(special).unwrap_or(input.len());
                self.row.push(&input[..length]);
                match input.get(length) {
                    None => (length, Some(State::Plain)),
                    Some(&byte) => (length + 1, self.after_cell(byte)),
                }
            }
            State::Quoted => {
                let length = input.iter().position(|byte| *byte == b'"').unwrap_or(input.len());
                let text = &input[..length];
                let lines = text.iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
                self.row.push(text);
                self.line += lines;
                if length < input.len() { (length + 1, Some(State::QuoteSeen)) } else { (length, Some(State::Quoted)) }
            }
            State::QuoteSeen if first == b'"' => {
                self.row.push(b"\"");
                (1, Some(State::Quoted))
            }
            State::QuoteSeen if first == self.separator || first == b'\n' || first == b'\r' => {
                (1, self.after_cell(first))
            }
            State::QuoteSeen => {
                self.row.fail(RowProblem::TextAfterQuote);
                (0, Some(State::Plain))
            }
            State::ReturnSeen if first == b'\n' => (1, self.after_cell(first)),
            State::ReturnSeen => {
                self.row.fail(RowProblem::StrayCarriageReturn);
                (0, Some(State::Plain))
            }
        };
        self.start += taken;
        next
    }

    /// Ends the cell at a separator or line end.
    fn after_cell(&mut self, byte: u8) -> Option<State> {
        match byte {
            b'\r' => Some(State::ReturnSeen),
            b'\n' => {
                self.row.end_cell();
                self.line += 1;
                None
            }
            _ => {
                self.row.end_cell();
                Some(State::CellStart)
            }
        }
    }

    /// Reads until `wanted` bytes wait to be looked at or the file ends.
    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        while self.end - self.start < wanted && !self.at_end {
            if self.start > 0 {
                self.input.copy_within(self.start..self.end, 0);
                self.end -= self.start;
                self.start = 0;
            }
            match self.reader.read(&mut self.input[self.end..]) {
                Ok(0) => self.at_end = true,
                Ok(count) => {
                    self.end += count;
                    self.bytes_read = self.bytes_read.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The separator of a file that begins with `header`: a comma if there is one outside quotes, else a semicolon, as
/// spreadsheets write where the comma is the decimal sign, else a tab.
fn separator_of(header: &[u8]) -> u8 {
    let mut quoted = false;
    let mut seen = [false; 2];
    for &byte in header {
        match byte {
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b',' => return b',',
            b';' => seen[0] = true,
            b'\t' => seen[1] = true,
            b'\n' => break,
            _ => {}
        }
    }
    match seen {
        [true, _] => b';',
        [false, true] => b'\t',
        [false, false] => b',',
    }
}

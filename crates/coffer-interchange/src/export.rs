//! What leaves a vault in another program's format, and what that format cannot hold. Pure over `io::Write`.
//! Rules: docs/FORMAT.md §8.8.

mod csv;

use std::collections::BTreeMap;

use coffer_model::record::RecordContent;
use coffer_model::time::Timestamp;

pub use self::csv::{Columns, CsvWriter};
pub use crate::kdbx::KdbxWriter;

/// A record on its way out.
#[derive(Debug)]
pub struct ExportRecord {
    /// The record's identifier, which becomes the entry's.
    pub key: [u8; 16],
    /// When it was added.
    pub created_at: Timestamp,
    /// Every version there is, oldest first; the last is what it holds now.
    pub versions: Vec<ExportVersion>,
    /// Everything it has or ever had attached.
    pub attachments: Vec<ExportAttachment>,
}

/// What a record on its way out holds, or held.
#[derive(Debug)]
pub struct ExportVersion {
    /// Counted from 1. There are gaps where versions were erased.
    pub number: u32,
    /// What it holds.
    pub content: RecordContent,
    /// When it was made.
    pub made_at: Timestamp,
}

/// A file attached to a record on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportAttachment {
    /// What it is called.
    pub name: String,
    /// Which of the files written before the records holds its content, from 0; `None` if none does.
    pub file: Option<u32>,
    /// The first version that has it, from 1.
    pub attached: u32,
    /// The first version after that which has it no longer.
    pub detached: Option<u32>,
}

impl ExportAttachment {
    /// Whether a version has it.
    pub fn is_in(&self, version: u32) -> bool {
        self.attached <= version && self.detached.is_none_or(|gone| gone > version)
    }
}

/// What a format cannot hold of the records written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExportLoss {
    /// Versions before the newest.
    EarlierVersions,
    /// That a field is a secret: it stands there readable.
    SecretMarks,
    /// What a record is about.
    Kinds,
    /// Types of fields other than text, secret and URL.
    FieldTypes,
    /// Cells that a spreadsheet would take for a formula: an apostrophe stands before them.
    NeutralisedCells,
    /// Fields beyond the columns that a table can have.
    Fields,
    /// Files attached to what records hold now.
    Attachments,
    /// Tags with a semicolon: what comes back is a tag for each part.
    Tags,
}

impl ExportLoss {
    /// The permanent name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::EarlierVersions => "earlier_versions",
            Self::SecretMarks => "secret_marks",
            Self::Kinds => "kinds",
            Self::FieldTypes => "field_types",
            Self::NeutralisedCells => "neutralised_cells",
            Self::Fields => "fields",
            Self::Attachments => "attachments",
            Self::Tags => "tags",
        }
    }
}

/// How often each loss occurred.
pub type ExportLosses = BTreeMap<ExportLoss, u64>;

/// How many tags do not come back as they are: other programs, and our import, part them at semicolons.
pub(crate) fn torn_tags(content: &RecordContent) -> u64 {
    content.tags().iter().filter(|tag| tag.contains(';')).count() as u64
}

pub(crate) fn count(losses: &mut ExportLosses, loss: ExportLoss, times: u64) {
    if times > 0 {
        *losses.entry(loss).or_default() += times;
    }
}

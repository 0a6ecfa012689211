//! What a file of another program holds, whichever format it has: records with their earlier versions, attachments,
//! and what could not be carried over. Pure. Rules: docs/FORMAT.md §8.4.
//!
//! An importer never drops anything silently: what a record cannot hold becomes a [`Loss`] that says where it was.
//! Losses and errors hold numbers, kinds and names of fields or files, never a value.

mod draft;

use coffer_model::record::{InvalidRecord, RecordContent};
use coffer_model::time::Timestamp;
use zeroize::Zeroizing;

pub(crate) use self::draft::{Draft, Earlier, Losses, date_of, record_from, shortened};
use crate::source::Format;

/// Limits of what is taken out of one file. They bound memory and time for hostile input (THREAT-MODEL T7).
pub mod limits {
    /// Most entries in a file.
    pub const ENTRIES: usize = 200_000;
    /// Most earlier versions of an entry; the oldest beyond are losses. KeePass keeps ten unless told otherwise.
    pub const VERSIONS: usize = 200;
    /// Most bytes of versions that are made of histories of passwords, each a copy of its entry. 128 bytes are counted for
    /// a field, whatever it holds.
    pub const EARLIER_BYTES: usize = 512 * 1024 * 1024;
    /// Most values of a JSON document, lists and objects among them: a file as large as may be has no more.
    pub const VALUES: usize = 10_000_000;
    /// Most bytes of one attachment.
    pub const ATTACHMENT_BYTES: u64 = 64 * 1024 * 1024;
    /// Most bytes of all attachments together.
    pub const ATTACHMENTS_BYTES: u64 = 256 * 1024 * 1024;
    /// Losses told one by one; the others are counted.
    pub const LOSSES_TOLD: usize = 1_000;
}

/// Everything in a file.
#[derive(Debug)]
pub struct Collection {
    /// What kind of file it was.
    pub format: Format,
    /// In the order of the file. An entry that no record can hold is an error, and nothing is to be imported then.
    pub entries: Vec<Result<Entry, EntryError>>,
    /// What is not carried over, at most [`limits::LOSSES_TOLD`].
    pub losses: Vec<Loss>,
    /// All losses, told or not.
    pub losses_counted: u64,
}

/// One entry as a record.
#[derive(Debug)]
pub struct Entry {
    /// Which entry of the file it was, from 1, in the order of the file.
    pub number: u64,
    /// What it holds now.
    pub content: RecordContent,
    /// When the other program changed it last, if it said so.
    pub changed_at: Option<Timestamp>,
    /// What it held before, oldest first. Field numbers go on from one version to the next.
    pub earlier: Vec<EarlierVersion>,
    /// Files kept with it.
    pub attachments: Vec<Attachment>,
}

/// What an entry held before.
#[derive(Debug)]
pub struct EarlierVersion {
    /// What it held.
    pub content: RecordContent,
    /// When that version was made, if the other program said so.
    pub made_at: Option<Timestamp>,
}

/// A file kept with an entry.
pub struct Attachment {
    /// Its name as the other program had it; a name, never a path to write to.
    pub name: String,
    /// What is in it.
    pub bytes: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Attachment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attachment").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

/// An entry that no record can hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryError {
    /// Which entry of the file, from 1.
    pub number: u64,
    /// Why.
    pub problem: InvalidRecord,
}

impl std::fmt::Display for EntryError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "entry {}: {}", self.number, self.problem)
    }
}

impl std::error::Error for EntryError {}

/// Something that is not carried over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Which entry of the file, from 1; `None` for what concerns the file as a whole.
    pub entry: Option<u64>,
    /// What it is.
    pub what: LossKind,
    /// The name of the field, file or tag concerned; empty where there is none.
    pub name: String,
}

/// What is not carried over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LossKind {
    /// A file kept with an entry.
    Attachment,
    /// A field that no record can hold: too large, too many, or with NUL characters.
    Field,
    /// A tag that is too long, or beyond the hundredth.
    Tag,
    /// The end of a title longer than 500 characters.
    TitleEnd,
    /// An earlier version that no record can hold, or that is one too many.
    Version,
    /// A passkey: it works only in the program that made it.
    Passkey,
    /// A reference to another entry or field.
    Reference,
    /// An icon of the person's own.
    Icon,
    /// An entry in the other program's trash.
    TrashedEntry,
    /// Settings of automatic typing.
    AutoType,
    /// Data of extensions of the other program.
    CustomData,
    /// The time of day at which an entry expires; the day is kept.
    TimeOfExpiry,
    /// The template of a kind that another vault made for itself; records keep the kind.
    Kind,
}

impl LossKind {
    /// The permanent name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Attachment => "attachment",
            Self::Field => "field",
            Self::Tag => "tag",
            Self::TitleEnd => "title_end",
            Self::Version => "version",
            Self::Passkey => "passkey",
            Self::Reference => "reference",
            Self::Icon => "icon",
            Self::TrashedEntry => "trashed_entry",
            Self::AutoType => "auto_type",
            Self::CustomData => "custom_data",
            Self::TimeOfExpiry => "time_of_expiry",
            Self::Kind => "kind",
        }
    }
}

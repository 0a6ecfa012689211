//! Records of an archive as lines of JSON: written piece by piece, and read back piece by piece, so that neither side
//! ever holds more than one version. Pure. Layout: docs/FORMAT.md §8.9.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};

use coffer_model::attachment::{AttachmentName, limits};
use coffer_model::id::RecordKey;
use coffer_model::record::{Field, FieldId, FieldType, InvalidRecord, RecordContent, RecordKind, Value};
use coffer_model::time::Timestamp;
use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::entry::Member;
use super::read::Sink;
use super::{ArchivedFile, Counts};

/// A record without its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordHead {
    /// The record, unique in its tenant.
    pub key: RecordKey,
    /// What it holds now.
    pub content: RecordContent,
    /// When it was added.
    pub created_at: Timestamp,
    /// When its newest version was made.
    pub changed_at: Timestamp,
    /// When it was put into the trash, if it is there.
    pub trashed_at: Option<Timestamp>,
    /// Everything it has or ever had attached, in the order of attaching.
    pub attachments: Vec<Attachment>,
}

/// A file attached to a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its number inside the record, from 1.
    pub number: u16,
    /// What it is called. Never a name to write to.
    pub name: AttachmentName,
    /// Which of the archive's files holds its content, from 1.
    pub file: u32,
    /// The first version that has it.
    pub attached: u32,
    /// The first version after that which has it no longer.
    pub detached: Option<u32>,
}

/// One version of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Counted from 1 without gaps.
    pub number: u32,
    /// What the record held.
    pub content: RecordContent,
    /// When it was made.
    pub changed_at: Timestamp,
    /// Login name of the account that made it.
    pub changed_by: String,
    /// When another program made it, from which it was imported.
    pub made_at: Option<Timestamp>,
}

/// Writes records, each with its versions one after another.
#[derive(Debug)]
pub struct RecordLines<'f, W> {
    out: W,
    files: &'f [ArchivedFile],
    counts: Counts,
    is_first_version: bool,
}

#[derive(Serialize)]
struct FieldOut<'r> {
    number: u16,
    name: &'r str,
    #[serde(rename = "type")]
    field_type: FieldType,
    value: &'r str,
}

impl<'r> From<&'r Field> for FieldOut<'r> {
    fn from(field: &'r Field) -> Self {
        Self { number: field.id.0, name: &field.name, field_type: field.field_type, value: field.value.expose() }
    }
}

#[derive(Serialize)]
struct AttachmentOut<'r> {
    number: u16,
    name: &'r str,
    file: String,
    bytes: u64,
    sha256: String,
    attached: u32,
    detached: Option<u32>,
}

impl<'f, W: Write> RecordLines<'f, W> {
    /// Begins; `files` are the contents of attachments by their numbers. A digest that is not known yet is written as
    /// zeros, which have the length of any.
    pub const fn new(out: W, files: &'f [ArchivedFile]) -> Self {
        let counts = Counts { records: 0, trashed: 0, versions: 0, attachments: 0 };
        Self { out, files, counts, is_first_version: true }
    }

    /// Begins a record.
    pub fn begin(&mut self, head: &RecordHead) -> io::Result<()> {
        self.counts.records += 1;
        self.counts.trashed += u64::from(head.trashed_at.is_some());
        self.counts.attachments += head.attachments.len() as u64;
        self.is_first_version = true;
        self.out.write_all(b"{\"key\":")?;
        serde_json::to_writer(&mut self.out, &head.key)?;
        self.content(&head.content)?;
        self.member("created_at", &head.created_at)?;
        self.member("changed_at", &head.changed_at)?;
        self.member("trashed_at", &head.trashed_at)?;
        let attachments = head.attachments.iter().map(|attachment| self.attachment(attachment));
        let attachments: Vec<_> = attachments.collect::<io::Result<_>>()?;
        self.member("attachments", &attachments)?;
        self.out.write_all(b",\"versions\":[")
    }

    /// Writes the record's next version.
    pub fn version(&mut self, version: &Version) -> io::Result<()> {
        self.counts.versions += 1;
        if !std::mem::take(&mut self.is_first_version) {
            self.out.write_all(b",")?;
        }
        self.out.write_all(b"{\"version\":")?;
        serde_json::to_writer(&mut self.out, &version.number)?;
        self.member("changed_at", &version.changed_at)?;
        self.member("changed_by", &version.changed_by)?;
        self.member("made_at", &version.made_at)?;
        self.content(&version.content)?;
        self.member("next_field", &version.content.next_field())?;
        self.out.write_all(b"}")
    }

    /// Ends the record.
    pub fn end(&mut self) -> io::Result<()> {
        self.out.write_all(b"]}\n")
    }

    /// What was written, and to what.
    pub fn finish(self) -> (W, Counts) {
        (self.out, self.counts)
    }

    fn content(&mut self, content: &RecordContent) -> io::Result<()> {
        let fields: Vec<_> = content.fields().iter().map(FieldOut::from).collect();
        self.member("kind", content.kind())?;
        self.member("title", content.title())?;
        self.member("tags", content.tags())?;
        self.member("notes", content.notes())?;
        self.member("fields", &fields)
    }

    fn attachment<'r>(&self, attachment: &'r Attachment) -> io::Result<AttachmentOut<'r>> {
        let Attachment { number, name, file, attached, detached } = attachment;
        let stored = stored_file(self.files, *file).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(AttachmentOut {
            number: *number,
            name: name.as_str(),
            file: Member::File(*file).to_string(),
            bytes: stored.bytes,
            sha256: hex::encode(stored.sha256.unwrap_or_default()),
            attached: *attached,
            detached: *detached,
        })
    }

    fn member<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> io::Result<()> {
        write!(self.out, ",\"{name}\":")?;
        Ok(serde_json::to_writer(&mut self.out, value)?)
    }
}

fn stored_file(files: &[ArchivedFile], number: u32) -> Option<&ArchivedFile> {
    files.get(usize::try_from(number).ok()?.checked_sub(1)?)
}

/// How much may still be read before the next piece begins: no piece of an archive can take more memory, whatever it
/// says of itself.
#[derive(Debug)]
pub(super) struct Budget(Cell<u64>);

/// Most bytes of JSON in one piece: a version of 1 MiB of which every byte is written as `\u0000`, with room for names.
const PIECE_BYTES: u64 = 16 * 1024 * 1024;

impl Budget {
    pub const fn new() -> Self {
        Self(Cell::new(PIECE_BYTES))
    }

    /// Another piece begins.
    fn renew(&self) {
        self.0.set(PIECE_BYTES);
    }

    /// Takes so much of it; `false` if that is more than there is.
    pub fn take(&self, bytes: u64) -> bool {
        let left = self.0.get().checked_sub(bytes);
        self.0.set(left.unwrap_or(0));
        left.is_some()
    }

    pub fn is_used_up(&self) -> bool {
        self.0.get() == 0
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldIn {
    number: u16,
    name: String,
    #[serde(rename = "type")]
    field_type: FieldType,
    value: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AttachmentIn {
    number: u16,
    name: String,
    file: String,
    bytes: u64,
    sha256: String,
    attached: u32,
    detached: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VersionIn {
    version: u32,
    changed_at: Timestamp,
    changed_by: String,
    made_at: Option<Timestamp>,
    kind: RecordKind,
    title: String,
    tags: Vec<String>,
    notes: Value,
    fields: Vec<FieldIn>,
    next_field: u16,
}

/// Reads one record and shows it to a sink.
pub(super) struct RecordSeed<'s, S: Sink> {
    pub sink: &'s mut S,
    pub files: &'s [ArchivedFile],
    pub counts: &'s mut Counts,
    pub budget: &'s Budget,
    /// Where the sink's own error is put, which JSON's cannot carry.
    pub failed: &'s mut Option<S::Error>,
}

impl<'de, S: Sink> DeserializeSeed<'de> for RecordSeed<'_, S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.budget.renew();
        deserializer.deserialize_map(self)
    }
}

impl<'de, S: Sink> Visitor<'de> for RecordSeed<'_, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let head = self.head(&mut map)?;
        self.budget.renew();
        self.counts.records += 1;
        self.counts.trashed += u64::from(head.trashed_at.is_some());
        self.counts.attachments += head.attachments.len() as u64;
        let begun = self.sink.begin_record(&head);
        self.passed(begun)?;
        expect_member(&mut map, "versions")?;
        let newest = map.next_value_seed(VersionsSeed { record: &mut self, newest: None })?;
        let newest = newest.filter(|newest| is_newest(&head, newest)).ok_or_else(broken)?;
        if map.next_key::<String>()?.is_some() || !are_possible(&head.attachments, newest.number) {
            return Err(broken());
        }
        let ended = self.sink.end_record(&head, newest.count);
        self.passed(ended)
    }
}

impl<S: Sink> RecordSeed<'_, S> {
    /// The members before the versions, in the only order they have.
    fn head<'de, A: MapAccess<'de>>(&self, map: &mut A) -> Result<RecordHead, A::Error> {
        let key = member(map, "key")?;
        let kind = member(map, "kind")?;
        let title = member(map, "title")?;
        let tags = member(map, "tags")?;
        let notes = member(map, "notes")?;
        let fields: Vec<FieldIn> = member(map, "fields")?;
        // The newest version says what number comes next; here any will do that no field has.
        let next = fields.iter().map(|field| field.number).max().unwrap_or(0).checked_add(1).ok_or_else(broken)?;
        let content = content(kind, title, fields, next, tags, notes).map_err(A::Error::custom)?;
        let created_at = member(map, "created_at")?;
        let changed_at = member(map, "changed_at")?;
        let trashed_at = member(map, "trashed_at")?;
        self.budget.renew();
        expect_member(map, "attachments")?;
        let attachments = map.next_value_seed(AttachmentsSeed { files: self.files, budget: self.budget })?;
        Ok(RecordHead { key, content, created_at, changed_at, trashed_at, attachments })
    }

    fn passed<E: serde::de::Error>(&mut self, outcome: Result<(), S::Error>) -> Result<(), E> {
        outcome.map_err(|error| {
            *self.failed = Some(error);
            broken()
        })
    }
}

struct AttachmentsSeed<'s> {
    files: &'s [ArchivedFile],
    budget: &'s Budget,
}

impl<'de> DeserializeSeed<'de> for AttachmentsSeed<'_> {
    type Value = Vec<Attachment>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for AttachmentsSeed<'_> {
    type Value = Vec<Attachment>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("attachments")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut attachments: Vec<Attachment> = Vec::new();
        while let Some(next) = list.next_element::<AttachmentIn>()? {
            self.budget.renew();
            let next = self.attachment(&next).ok_or_else(broken)?;
            // Numbers are never given again, so there is an end to them.
            if next.number <= attachments.last().map_or(0, |last| last.number) {
                return Err(broken());
            }
            attachments.push(next);
        }
        Ok(attachments)
    }
}

impl AttachmentsSeed<'_> {
    /// The attachment, if its content is the one it says.
    fn attachment(&self, read: &AttachmentIn) -> Option<Attachment> {
        let Ok(Member::File(file)) = read.file.parse() else { return None };
        let stored = stored_file(self.files, file)?;
        let is_same = stored.bytes == read.bytes
            && stored.sha256.is_none_or(|sha256| hex::encode(sha256) == read.sha256)
            && read.sha256.len() == 64;
        is_same.then_some(Attachment {
            number: read.number,
            name: read.name.parse().ok()?,
            file,
            attached: read.attached,
            detached: read.detached,
        })
    }
}

/// What is left to be compared with of the version read last.
struct Newest {
    number: u32,
    content: RecordContent,
    changed_at: Timestamp,
    /// How many have been read.
    count: u32,
}

struct VersionsSeed<'v, 's, S: Sink> {
    record: &'v mut RecordSeed<'s, S>,
    newest: Option<Newest>,
}

impl<'de, S: Sink> DeserializeSeed<'de> for VersionsSeed<'_, '_, S> {
    type Value = Option<Newest>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, S: Sink> Visitor<'de> for VersionsSeed<'_, '_, S> {
    type Value = Option<Newest>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("versions")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Self::Value, A::Error> {
        while let Some(read) = list.next_element::<VersionIn>()? {
            self.record.budget.renew();
            self.record.counts.versions += 1;
            let version = version(read, self.newest.as_ref()).ok_or_else(broken)?;
            let shown = self.record.sink.version(&version);
            self.record.passed(shown)?;
            let Version { number, content, changed_at, .. } = version;
            let count = self.newest.as_ref().map_or(0, |newest| newest.count) + 1;
            self.newest = Some(Newest { number, content, changed_at, count });
        }
        Ok(self.newest)
    }
}

/// Greatest number of a version that is read: a record that came with the last there is could never be changed again.
const MAX_VERSION: u32 = 1 << 30;

/// A version, if it can come after the one before.
fn version(read: VersionIn, before: Option<&Newest>) -> Option<Version> {
    let VersionIn { version, changed_at, changed_by, made_at, kind, title, tags, notes, fields, next_field } = read;
    let (number, least) = before.map_or((0, 0), |before| (before.number, before.content.next_field()));
    // Of versions some may have been erased. No number of a field is ever given again.
    if version <= number || version > MAX_VERSION || next_field < least {
        return None;
    }
    let content = content(kind, title, fields, next_field, tags, notes).ok()?;
    Some(Version { number: version, content, changed_at, changed_by, made_at })
}

fn content(
    kind: RecordKind,
    title: String,
    fields: Vec<FieldIn>,
    next_field: u16,
    tags: Vec<String>,
    notes: Value,
) -> Result<RecordContent, InvalidRecord> {
    let field = |field: FieldIn| Field {
        id: FieldId(field.number),
        name: field.name,
        field_type: field.field_type,
        value: field.value,
    };
    RecordContent::from_archive(kind, title, fields.into_iter().map(field).collect(), next_field, tags, notes)
}

/// Whether the head of a record tells just what its newest version holds.
fn is_newest(head: &RecordHead, newest: &Newest) -> bool {
    let (told, last) = (&head.content, &newest.content);
    head.changed_at == newest.changed_at
        && told.kind() == last.kind()
        && told.title() == last.title()
        && told.fields() == last.fields()
        && told.tags() == last.tags()
        && told.notes() == last.notes()
}

/// Whether a record whose newest version is `newest` can have had these attachments: at every version no more than a
/// record may have, and no two of one name.
fn are_possible(attachments: &[Attachment], newest: u32) -> bool {
    // How many more there are from a version on, and which version each name is free again from.
    let mut steps: BTreeMap<u32, i64> = BTreeMap::new();
    let mut free_from: BTreeMap<&str, Option<u32>> = BTreeMap::new();
    let mut in_order: Vec<&Attachment> = attachments.iter().collect();
    in_order.sort_by_key(|attachment| attachment.attached);
    for attachment in in_order {
        let Attachment { name, attached, detached, .. } = attachment;
        let is_there =
            (1..=newest).contains(attached) && detached.is_none_or(|gone| gone > *attached && gone <= newest);
        let is_free = match free_from.insert(name.as_str(), *detached) {
            None => true,
            Some(before) => before.is_some_and(|gone| gone <= *attached),
        };
        if !is_there || !is_free {
            return false;
        }
        *steps.entry(*attached).or_default() += 1;
        if let Some(gone) = detached {
            *steps.entry(*gone).or_default() -= 1;
        }
    }
    let most = i64::try_from(limits::PER_RECORD).expect("200 fit");
    let mut present = 0;
    steps.values().all(|step| {
        present += step;
        present <= most
    })
}

fn member<'de, A: MapAccess<'de>, T: DeserializeOwned>(map: &mut A, name: &'static str) -> Result<T, A::Error> {
    expect_member(map, name)?;
    map.next_value()
}

fn expect_member<'de, A: MapAccess<'de>>(map: &mut A, name: &'static str) -> Result<(), A::Error> {
    if map.next_key::<String>()?.as_deref() == Some(name) { Ok(()) } else { Err(broken()) }
}

/// Not what a writer writes. Which part of it is nobody's business who made it up, and no value gets into an error.
fn broken<E: serde::de::Error>() -> E {
    E::custom("not a record of an archive")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attachment(name: &str, attached: u32, detached: Option<u32>) -> Attachment {
        Attachment { number: 1, name: name.parse().unwrap(), file: 1, attached, detached }
    }

    #[test]
    fn attachments_that_no_record_can_have_had_are_refused() {
        let possible = |list: &[Attachment]| are_possible(list, 5);
        assert!(possible(&[]));
        assert!(possible(&[attachment("a", 1, Some(3)), attachment("a", 3, None), attachment("b", 2, Some(5))]));
        assert!(!possible(&[attachment("a", 0, None)]));
        assert!(!possible(&[attachment("a", 6, None)]));
        assert!(!possible(&[attachment("a", 2, Some(2))]));
        assert!(!possible(&[attachment("a", 2, Some(6))]));
        assert!(!possible(&[attachment("a", 1, Some(4)), attachment("a", 3, None)]));
        assert!(!possible(&[attachment("a", 1, None), attachment("a", 3, None)]));
        let many = |count: usize| -> Vec<_> { (0..count).map(|n| attachment(&n.to_string(), 2, None)).collect() };
        assert!(possible(&many(200)) && !possible(&many(201)));
        // As many again once the first are gone.
        let gone = many(200).into_iter().map(|gone| Attachment { detached: Some(4), ..gone });
        let later = many(200).into_iter().map(|next| Attachment { attached: 4, ..next });
        assert!(possible(&gone.chain(later).collect::<Vec<_>>()));
    }

    #[test]
    fn no_piece_takes_more_than_its_budget() {
        let budget = Budget::new();
        assert!(budget.take(PIECE_BYTES) && budget.is_used_up());
        assert!(!budget.take(1));
        budget.renew();
        assert!(budget.take(1) && !budget.is_used_up());
    }
}

//! An entry in the making: takes whatever another program held and fits it into the limits of records. Pure.

use std::collections::BTreeMap;

use coffer_model::record::{FieldDraft, FieldType, RecordContent, RecordDraft, Value, limits};
use coffer_model::time::Timestamp;

use super::limits as source_limits;
use super::{Attachment, EarlierVersion, Entry, EntryError, Loss, LossKind};

/// What a record without a name is called.
const UNTITLED: &str = "(untitled)";
/// What a field takes beside its texts.
const FIELD_BYTES: usize = 128;

/// Losses as they are found.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    told: Vec<Loss>,
    counted: u64,
}

impl Losses {
    pub fn push(&mut self, entry: Option<u64>, what: LossKind, name: &str) {
        self.counted = self.counted.saturating_add(1);
        if self.told.len() < source_limits::LOSSES_TOLD {
            self.told.push(Loss { entry, what, name: line(name, limits::FIELD_NAME_CHARS) });
        }
    }

    /// What was told, and how many there were.
    pub fn into_parts(self) -> (Vec<Loss>, u64) {
        (self.told, self.counted)
    }
}

/// What versions that are made of histories of passwords may still take, of one file.
#[derive(Debug)]
pub(crate) struct Earlier {
    left: usize,
}

impl Default for Earlier {
    fn default() -> Self {
        Self { left: source_limits::EARLIER_BYTES }
    }
}

impl Earlier {
    /// Keeps what versions like `newest` may be made of, of `past`, oldest first; the others are losses. Gives the last of
    /// those.
    pub fn keep<T>(&mut self, newest: &Draft, past: &mut Vec<T>, losses: &mut Losses) -> Option<T> {
        let kept = past.len().min(source_limits::VERSIONS).min(self.left / newest.offered.max(1));
        self.left -= kept * newest.offered;
        let lost = past.drain(..past.len() - kept);
        lost.inspect(|_| losses.push(Some(newest.number), LossKind::Version, "")).last()
    }
}

/// One version of an entry in the making.
#[derive(Debug)]
pub(crate) struct Draft {
    number: u64,
    kind: &'static str,
    title: String,
    fields: Vec<FieldDraft>,
    tags: Vec<String>,
    notes: Value,
    /// Bytes of all texts so far, so that a record that swells beyond its limit loses fields, not itself.
    bytes: usize,
    /// Bytes of everything offered, kept or not, and something for each field: what it takes to make it.
    offered: usize,
    /// Names of fields, and the last number that each got behind it.
    names: BTreeMap<String, usize>,
    /// When this version was made.
    pub made_at: Option<Timestamp>,
}

impl Draft {
    /// `kind` is one of the kinds that Coffer offers.
    pub fn new(number: u64, kind: &'static str) -> Self {
        Self {
            number,
            kind,
            title: String::new(),
            fields: Vec::new(),
            tags: Vec::new(),
            notes: Value::new(String::new()),
            bytes: 0,
            offered: 0,
            names: BTreeMap::new(),
            made_at: None,
        }
    }

    pub fn set_kind(&mut self, kind: &'static str) {
        self.kind = kind;
    }

    pub fn set_title(&mut self, title: &str, losses: &mut Losses) {
        self.offered += title.len();
        let one_line = line(title, usize::MAX);
        self.title = line(&one_line, limits::TITLE_CHARS);
        if self.title.len() < one_line.len() {
            losses.push(Some(self.number), LossKind::TitleEnd, "");
        }
        self.bytes += self.title.len();
    }

    pub fn set_notes(&mut self, notes: Value, losses: &mut Losses) {
        if notes.expose().is_empty() {
            return;
        }
        self.offered += notes.expose().len();
        if notes.expose().contains('\0') || !self.has_room_for("", notes.expose()) {
            losses.push(Some(self.number), LossKind::Field, "notes");
            return;
        }
        self.bytes += notes.expose().len();
        self.notes = notes;
    }

    /// Adds a field. A value that does not fit the type is kept as text, as a secret where the type is masked; a name that
    /// is taken gets a number.
    pub fn push_field(&mut self, name: &str, field_type: FieldType, value: impl Into<Value>, losses: &mut Losses) {
        let value = value.into();
        let text = value.expose();
        if text.is_empty() {
            return;
        }
        self.offered += FIELD_BYTES + name.len() + text.len();
        let name = line(name, limits::FIELD_NAME_CHARS);
        let name = if name.is_empty() { "field".to_owned() } else { name };
        let spare = if field_type.is_masked() { FieldType::Secret } else { FieldType::Text };
        let last = if field_type.is_masked() { FieldType::Secret } else { FieldType::Multiline };
        let fitting = [field_type, spare, last].into_iter().find(|kind| kind.accepts(text));
        let Some(field_type) = fitting.filter(|_| self.fields.len() < limits::FIELDS && self.has_room_for(&name, text))
        else {
            losses.push(Some(self.number), LossKind::Field, &name);
            return;
        };
        // Only now: of fields without a place there may be any number.
        let name = self.free_name(name);
        self.bytes += name.len() + text.len();
        self.fields.push(FieldDraft { id: None, name, field_type, value: Some(value) });
    }

    /// Adds a tag; a path of groups is one tag.
    pub fn push_tag(&mut self, tag: &str, losses: &mut Losses) {
        self.offered += tag.len();
        // A record's tags are listed with commas between them.
        let tag = line(&tag.replace(',', " "), usize::MAX);
        if tag.is_empty() || self.tags.contains(&tag) {
            return;
        }
        if tag.chars().count() > limits::TAG_CHARS || self.tags.len() >= limits::TAGS {
            losses.push(Some(self.number), LossKind::Tag, &tag);
        } else {
            self.bytes += tag.len();
            self.tags.push(tag);
        }
    }

    fn has_room_for(&self, name: &str, text: &str) -> bool {
        // The title and a few tags may still come.
        const KEPT_FREE: usize = 16 * 1024;
        text.len() <= limits::VALUE_BYTES && self.bytes + name.len() + text.len() + KEPT_FREE <= limits::RECORD_BYTES
    }

    /// A name that no field has: this one, or with the next number behind it.
    fn free_name(&mut self, wanted: String) -> String {
        let mut number = self.names.get(&wanted).copied().unwrap_or(1);
        let mut name = wanted.clone();
        while self.names.contains_key(&name) {
            number += 1;
            let suffix = format!(" {number}");
            let kept = wanted.chars().take(limits::FIELD_NAME_CHARS - suffix.len()).collect::<String>();
            name = kept.trim_end().to_owned() + &suffix;
        }
        self.names.insert(wanted, number);
        self.names.entry(name.clone()).or_insert(1);
        name
    }

    /// The first of these fields that holds something visible.
    fn stand_in_title(&self) -> String {
        let visible =
            |field: &&FieldDraft| matches!(field.field_type, FieldType::Url | FieldType::Text | FieldType::Email);
        let rank = |field: &FieldDraft| u8::from(field.field_type != FieldType::Url);
        let field = self.fields.iter().filter(visible).min_by_key(|field| rank(field));
        let text = field.and_then(|field| field.value.as_ref()).map_or(UNTITLED, Value::expose);
        let text = line(text, limits::TITLE_CHARS);
        if text.is_empty() { UNTITLED.to_owned() } else { text }
    }

    /// The content; fields named as in `previous` are the same fields.
    fn content(
        mut self,
        previous: Option<&RecordContent>,
    ) -> Result<RecordContent, coffer_model::record::InvalidRecord> {
        if self.title.is_empty() {
            self.title = self.stand_in_title();
        }
        for field in &mut self.fields {
            let known = previous.and_then(|before| before.fields().iter().find(|known| known.name == field.name));
            field.id = known.map(|known| known.id);
        }
        let draft = RecordDraft {
            kind: self.kind.parse().expect("a kind that Coffer offers is well formed"),
            title: self.title,
            fields: self.fields,
            tags: self.tags,
            notes: self.notes.expose().to_owned(),
        };
        RecordContent::parse(draft, previous)
    }
}

/// Puts an entry together out of its versions, oldest first and at most [`source_limits::VERSIONS`] before the last, which
/// is what it holds now.
pub(crate) fn record_from(
    number: u64,
    mut versions: Vec<Draft>,
    attachments: Vec<Attachment>,
    losses: &mut Losses,
) -> Result<Entry, EntryError> {
    let newest = versions.pop().expect("an entry has the version it holds now");
    let mut earlier: Vec<EarlierVersion> = Vec::with_capacity(versions.len());
    for draft in versions {
        let made_at = draft.made_at;
        match draft.content(earlier.last().map(|version| &version.content)) {
            // Other programs keep versions in which only an icon changed.
            Ok(content) if earlier.last().is_some_and(|before| before.content == content) => {}
            Ok(content) => earlier.push(EarlierVersion { content, made_at }),
            Err(_) => losses.push(Some(number), LossKind::Version, ""),
        }
    }
    let changed_at = newest.made_at;
    let content = newest
        .content(earlier.last().map(|version| &version.content))
        .map_err(|problem| EntryError { number, problem })?;
    earlier.pop_if(|before| before.content == content);
    Ok(Entry { number, content, changed_at, earlier, attachments })
}

/// A text as one line of at most `max_chars` characters, without control characters and spaces around it.
fn line(text: &str, max_chars: usize) -> String {
    let spaced = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
    spaced.take(max_chars).collect::<String>().trim().to_owned()
}

/// The name of a folder, which many entries share, as far as it matters: longer, it makes no tag and is told by its
/// beginning.
pub(crate) fn shortened(name: &str) -> String {
    let mut characters = name.trim().chars();
    let mut short: String = characters.by_ref().take(limits::FIELD_NAME_CHARS).collect();
    short.extend(characters.next().map(|_| '…'));
    short
}

/// The day of a point in time, in UTC.
pub(crate) fn date_of(at: Timestamp) -> String {
    at.to_string().chars().take("2026-11-21".len()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(fields: &[(&str, FieldType, &str)]) -> (Draft, Losses) {
        let (mut draft, mut losses) = (Draft::new(1, "login"), Losses::default());
        for (name, field_type, value) in fields {
            draft.push_field(name, *field_type, *value, &mut losses);
        }
        (draft, losses)
    }

    #[test]
    fn what_does_not_fit_its_type_is_kept_as_text() {
        let (draft, losses) = filled(&[
            ("URL", FieldType::Url, "two words"),
            ("Mail", FieldType::Email, "a\nb"),
            ("x", FieldType::Text, ""),
        ]);
        let content = draft.content(None).unwrap();
        let types: Vec<_> = content.fields().iter().map(|field| field.field_type).collect();
        assert_eq!(types, [FieldType::Text, FieldType::Multiline]);
        assert_eq!(losses.into_parts().1, 0);
    }

    #[test]
    fn a_secret_stays_secret_whatever_it_holds_or_is_lost_by_name() {
        let (draft, losses) = filled(&[
            ("PIN", FieldType::Secret, "a\nb"),
            ("Key", FieldType::Secret, "a\0b"),
            ("Code", FieldType::Totp, "no seed"),
        ]);
        let content = draft.content(None).unwrap();
        assert!(content.fields().iter().all(|field| field.field_type == FieldType::Secret), "{content:?}");
        let (told, counted) = losses.into_parts();
        assert_eq!((told, counted), (vec![Loss { entry: Some(1), what: LossKind::Field, name: "Key".to_owned() }], 1));
    }

    #[test]
    fn names_that_are_taken_get_numbers() {
        let long = "n".repeat(200);
        let text = FieldType::Text;
        let (draft, _) =
            filled(&[("a", text, "1"), ("a", text, "2"), ("a\n", text, "3"), (&long, text, "4"), (&long, text, "5")]);
        let content = draft.content(None).unwrap();
        let names: Vec<_> = content.fields().iter().map(|field| field.name.clone()).collect();
        let numbered = "n".repeat(118) + " 2";
        assert_eq!(names, ["a", "a 2", "a 3", &"n".repeat(120), &numbered]);
    }

    #[test]
    fn fields_beyond_the_last_cost_next_to_nothing() {
        let begun = std::time::Instant::now();
        let (draft, losses) = filled(&vec![("a", FieldType::Text, "1"); 100_000]);
        assert_eq!((draft.fields.len(), losses.into_parts().1), (200, 99_800));
        assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    }

    #[test]
    fn an_entry_without_a_title_is_called_after_its_address() {
        let (draft, _) = filled(&[("User", FieldType::Text, "ines"), ("URL", FieldType::Url, "https://a.example")]);
        assert_eq!(draft.content(None).unwrap().title(), "https://a.example");
        let (secret, _) = filled(&[("PIN", FieldType::Secret, "1234")]);
        assert_eq!(secret.content(None).unwrap().title(), UNTITLED);
    }

    #[test]
    fn versions_go_on_from_each_other_and_equal_ones_are_one() {
        let mut losses = Losses::default();
        let version = |value: &str, losses: &mut Losses| {
            let mut draft = Draft::new(1, "login");
            draft.push_field("PIN", FieldType::Secret, value, losses);
            draft
        };
        let versions = ["1", "1", "2", "3", "3"].map(|value| version(value, &mut losses));
        let entry = record_from(1, versions.into(), vec![], &mut losses).unwrap();
        let values: Vec<_> = entry.earlier.iter().map(|version| version.content.fields()[0].value.expose()).collect();
        assert_eq!(values, ["1", "2"]);
        assert_eq!(entry.content.fields()[0].id, entry.earlier[0].content.fields()[0].id);
    }

    #[test]
    fn versions_made_of_passwords_take_no_more_than_they_may() {
        let (newest, mut losses) = filled(&[("a", FieldType::Text, &"x".repeat(872 - 1))]);
        assert_eq!(newest.offered, 1000);
        let mut earlier = Earlier { left: 5_999 };
        let mut past = vec![1, 2, 3];
        assert_eq!((earlier.keep(&newest, &mut past, &mut losses), past), (None, vec![1, 2, 3]));
        let mut past = vec![1, 2, 3, 4];
        assert_eq!((earlier.keep(&newest, &mut past, &mut losses), past), (Some(2), vec![3, 4]));
        let mut past = vec![1];
        assert_eq!((earlier.keep(&newest, &mut past, &mut losses), past), (Some(1), vec![]));
        assert_eq!(losses.into_parts().1, 3);
    }

    #[test]
    fn a_record_that_would_swell_loses_fields_and_not_itself() {
        let large = "x".repeat(limits::VALUE_BYTES);
        let names: Vec<String> = (0..6).map(|number| format!("f{number}")).collect();
        let fields: Vec<_> = names.iter().map(|name| (name.as_str(), FieldType::Text, large.as_str())).collect();
        let (draft, losses) = filled(&fields);
        assert_eq!(draft.content(None).unwrap().fields().len(), 3);
        assert_eq!(losses.into_parts().1, 3);
    }
}

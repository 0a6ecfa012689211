//! Records: what a tenant's data consists of, and the limits every way in must keep.
//! Pure. Parse once: a [`RecordContent`] exists only if it is within the limits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::id::RecordKey;
use crate::totp::TotpSeed;

/// Limits of a record. They bound memory and time for hostile input (THREAT-MODEL T7).
pub mod limits {
    /// Most characters in a title.
    pub const TITLE_CHARS: usize = 500;
    /// Most fields in a record.
    pub const FIELDS: usize = 200;
    /// Most characters in a field's name.
    pub const FIELD_NAME_CHARS: usize = 120;
    /// Most bytes in a field's value or in the notes, UTF-8.
    pub const VALUE_BYTES: usize = 256 * 1024;
    /// Most bytes in a record altogether, UTF-8.
    pub const RECORD_BYTES: usize = 1024 * 1024;
    /// Most tags on a record.
    pub const TAGS: usize = 100;
    /// Most characters in a tag.
    pub const TAG_CHARS: usize = 60;
}

/// What a record is about: a short name such as `login` or `contact`, in `a`–`z`, `0`–`9`, `_`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RecordKind(String);

impl RecordKind {
    /// Kinds offered when a record is made.
    pub const OFFERED: [&'static str; 10] = [
        "login",
        "contact",
        "note",
        "server",
        "api_key",
        "bank_account",
        "card",
        "identity_document",
        "licence",
        "custom",
    ];
    const MAX_BYTES: usize = 40;

    /// The kind without a template.
    pub fn custom() -> Self {
        Self("custom".to_owned())
    }

    /// The name as stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RecordKind {
    type Err = InvalidRecord;

    fn from_str(text: &str) -> Result<Self, InvalidRecord> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if text.is_empty() || text.len() > Self::MAX_BYTES || !text.bytes().all(allowed) {
            return Err(InvalidRecord::Kind);
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for RecordKind {
    type Error = InvalidRecord;

    fn try_from(text: String) -> Result<Self, InvalidRecord> {
        text.parse()
    }
}

impl From<RecordKind> for String {
    fn from(kind: RecordKind) -> Self {
        kind.0
    }
}

/// How a field's value is checked, shown and protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// One line.
    Text,
    /// Masked until revealed, never indexed.
    Secret,
    /// Several lines.
    Multiline,
    /// An e-mail address.
    Email,
    /// A telephone number, as people write it.
    Phone,
    /// A URL.
    Url,
    /// A calendar date, `YYYY-MM-DD`.
    Date,
    /// A decimal number with a full stop.
    Number,
    /// What makes one-time codes: an `otpauth://totp/…` URI or a bare Base32 seed. Masked as a secret is; the codes are
    /// shown, not the seed.
    Totp,
    /// One line, usually one of those the kind's template offers.
    Choice,
    /// Another record of the same tenant: the text of its [`RecordKey`].
    Reference,
    /// The calendar date by which something ends, `YYYY-MM-DD`.
    Expiry,
}

impl FieldType {
    /// Every type, in the order offered.
    pub const ALL: [Self; 12] = [
        Self::Text,
        Self::Secret,
        Self::Multiline,
        Self::Email,
        Self::Phone,
        Self::Url,
        Self::Date,
        Self::Number,
        Self::Totp,
        Self::Choice,
        Self::Reference,
        Self::Expiry,
    ];

    /// The type as stored.
    pub const fn code(self) -> u8 {
        match self {
            Self::Text => 1,
            Self::Secret => 2,
            Self::Multiline => 3,
            Self::Email => 4,
            Self::Phone => 5,
            Self::Url => 6,
            Self::Date => 7,
            Self::Number => 8,
            Self::Totp => 9,
            Self::Choice => 10,
            Self::Reference => 11,
            Self::Expiry => 12,
        }
    }

    /// The type's permanent name, as in JSON and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Secret => "secret",
            Self::Multiline => "multiline",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Url => "url",
            Self::Date => "date",
            Self::Number => "number",
            Self::Totp => "totp",
            Self::Choice => "choice",
            Self::Reference => "reference",
            Self::Expiry => "expiry",
        }
    }

    /// Takes the type by its permanent name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether values are masked until revealed: never indexed, never shown in lists, histories and previews.
    pub const fn is_masked(self) -> bool {
        match self {
            Self::Secret | Self::Totp => true,
            Self::Text
            | Self::Multiline
            | Self::Email
            | Self::Phone
            | Self::Url
            | Self::Date
            | Self::Number
            | Self::Choice
            | Self::Reference
            | Self::Expiry => false,
        }
    }

    /// Takes the type as stored.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The type a field most likely has, judged by its name alone, for imports and the command line.
    ///
    /// A name that may mean a secret is taken to mean one: showing too little is mended by a click.
    pub fn guess_from_name(name: &str) -> Self {
        let name = name.to_lowercase();
        let any = |words: &[&str]| words.iter().any(|word| name.contains(word));
        if any(&[
            "password",
            "passwort",
            "passphrase",
            "secret",
            "token",
            "api key",
            "apikey",
            "api_key",
            "private key",
            "private_key",
            "card number",
            "card_number",
            "kartennummer",
            "licence key",
            "license key",
            "lizenzschlüssel",
            "cvv",
            "cvc",
            "otp",
        ]) || ["key", "schlüssel", "pin", "puk"].contains(&name.as_str())
        {
            Self::Secret
        } else if any(&["e-mail", "email", "mail"]) {
            Self::Email
        } else if any(&["phone", "telefon", "mobile", "mobil", "fax"]) {
            Self::Phone
        } else if any(&["url", "website", "web site"]) {
            Self::Url
        } else if any(&["notes", "notizen", "comment", "description"]) {
            Self::Multiline
        } else {
            Self::Text
        }
    }

    /// What a value of the type is called in an error.
    pub const fn expected(self) -> &'static str {
        match self {
            Self::Text | Self::Choice => "single line of text",
            Self::Secret | Self::Multiline => "text without NUL characters",
            Self::Email => "e-mail address",
            Self::Phone => "telephone number",
            Self::Url => "URL",
            Self::Date | Self::Expiry => "date such as 2026-11-21",
            Self::Number => "number such as 12.5",
            Self::Totp => "otpauth://totp/ URI or Base32 seed",
            Self::Reference => "record of this tenant",
        }
    }

    /// Whether a field of the type may hold `value`, apart from its length. Any type may be empty.
    pub fn accepts(self, value: &str) -> bool {
        if value.is_empty() {
            return true;
        }
        let one_line = !value.chars().any(|c| c == '\n' || c == '\r' || c == '\0');
        match self {
            Self::Secret | Self::Multiline => !value.contains('\0'),
            Self::Text | Self::Choice => one_line,
            Self::Email => {
                value.len() <= 254
                    && !value.chars().any(|c| c.is_whitespace() || c.is_control())
                    && value.rsplit_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
            }
            Self::Phone => {
                value.chars().count() <= 64
                    && value.chars().any(|c| c.is_ascii_digit())
                    && value.chars().all(|c| c.is_ascii_alphanumeric() || " +-()./,;#*:".contains(c))
            }
            Self::Url => one_line && value.len() <= 2_048 && !value.contains(char::is_whitespace),
            Self::Date | Self::Expiry => value.len() == 10 && value.parse::<jiff::civil::Date>().is_ok(),
            Self::Number => {
                let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
                let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
                let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
                all_digits(whole) && all_digits(fraction)
            }
            Self::Totp => TotpSeed::parse(value).is_ok(),
            Self::Reference => value.parse::<RecordKey>().is_ok(),
        }
    }
}

/// A field inside its record: given at first writing, never used again for another field of that record.
///
/// The log names fields by it, since a name could itself say something about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FieldId(pub u16);

/// A value of a tenant's data. Erased when dropped, never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Value(Zeroizing<String>);

impl Value {
    /// Takes over a text.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, for the one who is to see it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Value(..)")
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::new(text.to_owned())
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// One field of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The field inside its record.
    pub id: FieldId,
    /// What the person calls it.
    pub name: String,
    /// How it is checked, shown and protected.
    pub field_type: FieldType,
    /// What it holds.
    pub value: Value,
}

impl Field {
    /// The field as a draft that keeps its number and gives its value again.
    fn kept_with_value(&self) -> FieldDraft {
        let Self { id, name, field_type, value } = self.clone();
        FieldDraft { id: Some(id), name, field_type, value: Some(value) }
    }
}

/// A field as it comes in: from a person, a script or an import.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldDraft {
    /// The field it changes; `None` for a new one.
    #[serde(default)]
    pub id: Option<FieldId>,
    /// What the person calls it.
    pub name: String,
    /// How it is checked, shown and protected.
    pub field_type: FieldType,
    /// What it is to hold; `None` keeps what the field with this `id` holds now, so that an editor need not know a
    /// secret to leave it alone.
    pub value: Option<Value>,
}

/// A record as it comes in: from a person, a script or an import. Not checked yet.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordDraft {
    /// What it is about.
    pub kind: RecordKind,
    /// One line by which people know it.
    pub title: String,
    /// In the order to show.
    #[serde(default)]
    pub fields: Vec<FieldDraft>,
    /// Without order and repetition.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Free text of several lines; not masked.
    #[serde(default)]
    pub notes: String,
}

impl RecordDraft {
    /// Whether it is within the bounds of a record's size, whatever else may still be wrong with it.
    pub fn is_bounded(&self) -> bool {
        let fields = self.fields.iter();
        let fields: usize =
            fields.map(|field| field.name.len() + field.value.as_ref().map_or(0, |value| value.expose().len())).sum();
        let tags: usize = self.tags.iter().map(String::len).sum();
        self.fields.len() <= limits::FIELDS
            && self.tags.len() <= limits::VALUE_BYTES
            && self.title.len() + fields + tags + self.notes.len() <= limits::RECORD_BYTES
    }
}

/// Why a draft is no record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRecord {
    /// No title, or one with line breaks, or too long.
    #[error("the title must be one line of 1 to 500 characters")]
    Title,
    /// Not a short lower-case name.
    #[error("the kind must be a short name in lower-case letters, digits and underscores")]
    Kind,
    /// More than 200 fields.
    #[error("a record has at most 200 fields")]
    TooManyFields,
    /// A field name is empty, too long, or has line breaks.
    #[error("field {position}: the name must be one line of 1 to 120 characters")]
    FieldName {
        /// Counted from 1.
        position: usize,
    },
    /// Two fields have one name.
    #[error("field {position}: another field already has this name")]
    RepeatedFieldName {
        /// Counted from 1.
        position: usize,
    },
    /// The value does not fit the type.
    #[error("field {position}: the value is no {}", field_type.expected())]
    FieldValue {
        /// Counted from 1.
        position: usize,
        /// What it should have been.
        field_type: FieldType,
    },
    /// The draft keeps or changes a field that the record does not have.
    #[error("field {position}: the record has no such field")]
    UnknownField {
        /// Counted from 1.
        position: usize,
    },
    /// A secret would be shown without having been revealed.
    #[error("field {position}: a secret becomes something else only together with a new value")]
    SecretKept {
        /// Counted from 1.
        position: usize,
    },
    /// A value or the notes exceed 256 KiB, or the record 1 MiB.
    #[error("a value may have 256 KiB and a record 1 MiB at most")]
    TooLarge,
    /// Something is not as any vault would have stored it.
    #[error("the record is not as a vault stores it")]
    NotAsStored,
    /// A tag is empty, too long, or has line breaks or commas; or there are more than 100.
    #[error("a record has at most 100 tags of 1 to 60 characters, without commas and line breaks")]
    Tag,
}

/// What a record holds, within the limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordContent {
    kind: RecordKind,
    title: String,
    fields: Vec<Field>,
    next_field: u16,
    tags: Vec<String>,
    notes: Value,
}

impl RecordContent {
    /// Checks a draft; `previous` is what the record holds now, if it is being changed.
    pub fn parse(draft: RecordDraft, previous: Option<&Self>) -> Result<Self, InvalidRecord> {
        let title = draft.title.trim().to_owned();
        if title.is_empty() || !is_line(&title, limits::TITLE_CHARS) {
            return Err(InvalidRecord::Title);
        }
        if draft.fields.len() > limits::FIELDS {
            return Err(InvalidRecord::TooManyFields);
        }
        let mut next_field = previous.map_or(1, |content| content.next_field);
        let mut fields: Vec<Field> = Vec::with_capacity(draft.fields.len());
        for (index, field) in draft.fields.into_iter().enumerate() {
            let position = index + 1;
            let before = match field.id {
                None => None,
                Some(id) => {
                    if fields.iter().any(|taken| taken.id == id) {
                        return Err(InvalidRecord::UnknownField { position });
                    }
                    let found = previous.and_then(|content| content.field(id));
                    Some(found.ok_or(InvalidRecord::UnknownField { position })?)
                }
            };
            let name = field.name.trim().to_owned();
            if name.is_empty() || !is_line(&name, limits::FIELD_NAME_CHARS) {
                return Err(InvalidRecord::FieldName { position });
            }
            if fields.iter().any(|taken| taken.name == name) {
                return Err(InvalidRecord::RepeatedFieldName { position });
            }
            let value = match (field.value, before) {
                (Some(value), _) => value,
                (None, Some(before)) if before.field_type.is_masked() && !field.field_type.is_masked() => {
                    return Err(InvalidRecord::SecretKept { position });
                }
                (None, Some(before)) => before.value.clone(),
                (None, None) => return Err(InvalidRecord::UnknownField { position }),
            };
            if value.expose().len() > limits::VALUE_BYTES {
                return Err(InvalidRecord::TooLarge);
            }
            if !field.field_type.accepts(value.expose()) {
                return Err(InvalidRecord::FieldValue { position, field_type: field.field_type });
            }
            let id = before.map_or(FieldId(next_field), |before| before.id);
            if before.is_none() {
                // 65,535 fields over a record's whole life; the 200 at a time make this unreachable in practice.
                next_field = next_field.checked_add(1).ok_or(InvalidRecord::TooManyFields)?;
            }
            fields.push(Field { id, name, field_type: field.field_type, value });
        }
        let tags = parse_tags(draft.tags)?;
        if draft.notes.len() > limits::VALUE_BYTES {
            return Err(InvalidRecord::TooLarge);
        }
        let content = Self { kind: draft.kind, title, fields, next_field, tags, notes: Value::new(draft.notes) };
        if content.size_bytes() > limits::RECORD_BYTES { Err(InvalidRecord::TooLarge) } else { Ok(content) }
    }

    /// Puts together a content that was stored. The same checks as for a draft, so that a damaged row is found.
    pub fn from_stored(
        kind: RecordKind,
        title: String,
        fields: Vec<Field>,
        next_field: u16,
        tags: Vec<String>,
        notes: Value,
    ) -> Result<Self, InvalidRecord> {
        let content = Self { kind, title, fields, next_field, tags, notes };
        if content.title.is_empty() || !is_line(&content.title, limits::TITLE_CHARS) {
            return Err(InvalidRecord::Title);
        }
        if content.fields.len() > limits::FIELDS || content.fields.iter().any(|field| field.id.0 >= next_field) {
            return Err(InvalidRecord::TooManyFields);
        }
        if content.size_bytes() > limits::RECORD_BYTES { Err(InvalidRecord::TooLarge) } else { Ok(content) }
    }

    /// Puts together a content that another vault stored: the numbers of its fields are kept, everything else is held to
    /// what every draft is held to, and nothing is trimmed or sorted into shape.
    pub fn from_archive(
        kind: RecordKind,
        title: String,
        fields: Vec<Field>,
        next_field: u16,
        tags: Vec<String>,
        notes: Value,
    ) -> Result<Self, InvalidRecord> {
        let told = Self::from_stored(kind, title, fields, next_field, tags, notes)?;
        let draft = RecordDraft {
            kind: told.kind.clone(),
            title: told.title.clone(),
            fields: told.fields.iter().map(Field::kept_with_value).collect(),
            tags: told.tags.clone(),
            notes: told.notes.expose().to_owned(),
        };
        let is_numbered = told.fields.iter().all(|field| field.id.0 > 0);
        // Changing a record to what it holds must change nothing.
        if is_numbered && Self::parse(draft, Some(&told))? == told { Ok(told) } else { Err(InvalidRecord::NotAsStored) }
    }

    /// This content as the successor of `newest`, of which it is an earlier version: no number of a field is given twice.
    #[must_use]
    pub fn restored_over(&self, newest: &Self) -> Self {
        Self { next_field: self.next_field.max(newest.next_field), ..self.clone() }
    }

    /// The same content with references to what `lead` says of the records they hold; empty where it says nothing.
    #[must_use]
    pub fn with_references(&self, mut lead: impl FnMut(FieldId, RecordKey) -> Option<RecordKey>) -> Self {
        let mut content = self.clone();
        for field in content.fields.iter_mut().filter(|field| field.field_type == FieldType::Reference) {
            // One that is empty, or holds no key, leads nowhere as it is.
            if let Ok(held) = field.value.expose().parse::<RecordKey>() {
                let other = lead(field.id, held);
                field.value = Value::new(other.map_or_else(String::new, |key| key.to_string()));
            }
        }
        content
    }

    /// The same content with tags added, then others removed.
    pub fn with_tags(&self, add: &[String], remove: &[String]) -> Result<Self, InvalidRecord> {
        // What is removed first makes room for what is added.
        let stays = |tag: &&String| !remove.iter().any(|removed| removed.trim() == tag.trim());
        self.with_other_tags(self.tags.iter().chain(add).filter(stays).cloned().collect())
    }

    /// What it is about.
    pub fn kind(&self) -> &RecordKind {
        &self.kind
    }

    /// One line by which people know it.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// In the order to show.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The field `id`, if the record has it.
    pub fn field(&self, id: FieldId) -> Option<&Field> {
        self.fields.iter().find(|field| field.id == id)
    }

    /// The identifier the next new field will get.
    pub fn next_field(&self) -> u16 {
        self.next_field
    }

    /// Sorted, without repetition.
    pub fn tags(&self) -> &[String] {
        &self.tags
    }

    /// The same with other tags.
    pub fn with_other_tags(&self, tags: Vec<String>) -> Result<Self, InvalidRecord> {
        let content = Self { tags: parse_tags(tags)?, ..self.clone() };
        if content.size_bytes() > limits::RECORD_BYTES { Err(InvalidRecord::TooLarge) } else { Ok(content) }
    }

    /// Free text of several lines.
    pub fn notes(&self) -> &str {
        self.notes.expose()
    }

    /// Bytes of all texts, UTF-8.
    pub fn size_bytes(&self) -> usize {
        let fields: usize = self.fields.iter().map(|field| field.name.len() + field.value.expose().len()).sum();
        let tags: usize = self.tags.iter().map(String::len).sum();
        self.title.len() + fields + tags + self.notes.expose().len()
    }
}

fn parse_tags(tags: Vec<String>) -> Result<Vec<String>, InvalidRecord> {
    let mut tags: Vec<String> = tags.into_iter().map(|tag| tag.trim().to_owned()).collect();
    let valid = |tag: &String| !tag.is_empty() && is_line(tag, limits::TAG_CHARS) && !tag.contains(',');
    if !tags.iter().all(valid) {
        return Err(InvalidRecord::Tag);
    }
    tags.sort_unstable();
    tags.dedup();
    if tags.len() > limits::TAGS { Err(InvalidRecord::Tag) } else { Ok(tags) }
}

fn is_line(text: &str, max_chars: usize) -> bool {
    text.chars().count() <= max_chars && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, field_type: FieldType, value: &str) -> FieldDraft {
        FieldDraft { id: None, name: name.to_owned(), field_type, value: Some(value.into()) }
    }

    #[test]
    fn tags_are_added_and_removed_and_checked_like_any_other() {
        let before = RecordContent::parse(draft(vec![]), None).unwrap();
        let tag = |text: &str| vec![text.to_owned()];
        let tagged = before.with_tags(&[tag(" vpn "), tag("eu")].concat(), &[]).unwrap();
        assert_eq!(tagged.tags(), ["eu", "vpn"]);
        assert_eq!(tagged.with_tags(&tag("eu"), &tag("vpn")).unwrap().tags(), ["eu"]);
        assert_eq!(tagged.with_tags(&[], &tag("nothing")).unwrap(), tagged);
        assert_eq!(before.with_tags(&tag("a,b"), &[]), Err(InvalidRecord::Tag));
        let many: Vec<String> = (0..=limits::TAGS).map(|number| number.to_string()).collect();
        assert_eq!(before.with_tags(&many, &[]), Err(InvalidRecord::Tag));
    }

    #[test]
    fn a_record_with_as_many_tags_as_it_may_have_swaps_one_in_one_step() {
        let before = RecordContent::parse(draft(vec![]), None).unwrap();
        let many: Vec<String> = (0..limits::TAGS).map(|number| number.to_string()).collect();
        let full = before.with_tags(&many, &[]).unwrap();
        let swapped = full.with_tags(&["eu".to_owned()], &[" 7 ".to_owned()]).unwrap();
        let has = |tag: &str| swapped.tags().iter().any(|other| other == tag);
        assert_eq!((swapped.tags().len(), has("eu"), has("7")), (limits::TAGS, true, false));
        assert_eq!(full.with_tags(&["eu".to_owned()], &["nothing".to_owned()]), Err(InvalidRecord::Tag));
        // Added and removed is removed.
        let none = before.with_tags(&[" eu ".to_owned()], &["eu".to_owned()]).unwrap();
        assert!(none.tags().is_empty());
    }

    #[test]
    fn references_are_led_elsewhere_or_emptied_and_nothing_else_is_touched() {
        let keys = [1, 2].map(|byte| RecordKey::from_bytes([byte; 16]));
        let fields = vec![
            field("led", FieldType::Reference, &keys[0].to_string()),
            field("cut", FieldType::Reference, &keys[1].to_string()),
            field("empty", FieldType::Reference, ""),
            field("text", FieldType::Text, &keys[1].to_string()),
        ];
        let before = RecordContent::parse(draft(fields), None).unwrap();
        let other = RecordKey::from_bytes([9; 16]);
        let after = before.with_references(|_, held| (held == keys[0]).then_some(other));
        let values: Vec<&str> = after.fields().iter().map(|field| field.value.expose()).collect();
        assert_eq!(values, [other.to_string().as_str(), "", "", keys[1].to_string().as_str()]);
        assert_eq!(before.with_references(|_, held| Some(held)), before);
    }

    #[test]
    fn a_restored_version_gives_no_fields_number_twice() {
        let first = RecordContent::parse(draft(vec![field("a", FieldType::Text, "1")]), None).unwrap();
        let second = draft(vec![field("b", FieldType::Text, "2"), field("c", FieldType::Text, "3")]);
        let second = RecordContent::parse(second, Some(&first)).unwrap();
        let restored = first.restored_over(&second);
        assert_eq!((restored.fields(), restored.next_field()), (first.fields(), second.next_field()));
    }

    fn draft(fields: Vec<FieldDraft>) -> RecordDraft {
        RecordDraft {
            kind: RecordKind::custom(),
            title: "Gateway".to_owned(),
            fields,
            tags: vec![],
            notes: String::new(),
        }
    }

    #[test]
    fn a_kept_field_keeps_its_id_and_value() {
        let first = RecordContent::parse(draft(vec![field("PIN", FieldType::Secret, "1234")]), None).unwrap();
        let id = first.fields()[0].id;
        let kept = FieldDraft { id: Some(id), name: "Door PIN".to_owned(), field_type: FieldType::Secret, value: None };
        let second = RecordContent::parse(draft(vec![field("New", FieldType::Text, "x"), kept]), Some(&first)).unwrap();
        assert_eq!(second.field(id).unwrap().value.expose(), "1234");
        assert_ne!(second.fields()[0].id, id);
    }

    #[test]
    fn a_secret_does_not_become_visible_by_changing_its_type() {
        let first = RecordContent::parse(draft(vec![field("PIN", FieldType::Secret, "1234")]), None).unwrap();
        let id = Some(first.fields()[0].id);
        let shown = FieldDraft { id, name: "PIN".to_owned(), field_type: FieldType::Text, value: None };
        let refused = RecordContent::parse(draft(vec![shown]), Some(&first));
        assert_eq!(refused, Err(InvalidRecord::SecretKept { position: 1 }));
        let replaced = FieldDraft { id, ..field("PIN", FieldType::Text, "none") };
        assert!(RecordContent::parse(draft(vec![replaced]), Some(&first)).is_ok());
    }

    #[test]
    fn a_seed_of_codes_is_as_masked_as_a_secret() {
        let first =
            RecordContent::parse(draft(vec![field("Code", FieldType::Totp, "JBSWY3DPEHPK3PXP")]), None).unwrap();
        let kept = |field_type| {
            let id = Some(first.fields()[0].id);
            let kept = FieldDraft { id, name: "Code".to_owned(), field_type, value: None };
            RecordContent::parse(draft(vec![kept]), Some(&first))
        };
        assert_eq!(kept(FieldType::Text), Err(InvalidRecord::SecretKept { position: 1 }));
        assert!(kept(FieldType::Secret).is_ok());
    }

    #[test]
    fn names_and_codes_of_types_are_permanent_and_read_back() {
        for (index, kind) in FieldType::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(kind.code()), index + 1);
            assert_eq!(FieldType::from_code(kind.code()), Some(kind));
            assert_eq!(FieldType::from_name(kind.name()), Some(kind));
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{}\"", kind.name()));
        }
        assert_eq!(FieldType::from_name("Text"), None);
    }

    #[test]
    fn a_removed_fields_id_is_not_given_again() {
        let first = RecordContent::parse(draft(vec![field("A", FieldType::Text, "1")]), None).unwrap();
        let none = RecordContent::parse(draft(vec![]), Some(&first)).unwrap();
        let again = RecordContent::parse(draft(vec![field("A", FieldType::Text, "1")]), Some(&none)).unwrap();
        assert_ne!(again.fields()[0].id, first.fields()[0].id);
    }

    #[test]
    fn keeping_the_value_of_an_unknown_field_is_refused() {
        let kept = FieldDraft { id: Some(FieldId(9)), name: "A".to_owned(), field_type: FieldType::Text, value: None };
        assert_eq!(RecordContent::parse(draft(vec![kept]), None), Err(InvalidRecord::UnknownField { position: 1 }));
    }

    #[test]
    fn values_must_fit_their_type() {
        for (field_type, good, bad) in [
            (FieldType::Text, "a b", "a\nb"),
            (FieldType::Email, "ines@example.org", "ines at example"),
            (FieldType::Phone, "+49 (0)30 1234-56", "call me"),
            (FieldType::Url, "https://example.org/a", "two words"),
            (FieldType::Date, "2026-02-28", "2026-02-30"),
            (FieldType::Number, "-12.50", "1,5"),
            (FieldType::Multiline, "a\nb", "a\0b"),
            (FieldType::Totp, "JBSW Y3DP EHPK 3PXP", "482913"),
            (FieldType::Choice, "Production", "a\nb"),
            (FieldType::Reference, "06df5xj9j9y2cbv0rkcpsd4x5r", "Gateway"),
            (FieldType::Expiry, "2026-02-28", "28.2.2026"),
        ] {
            assert!(RecordContent::parse(draft(vec![field("x", field_type, good)]), None).is_ok(), "{field_type:?}");
            assert_eq!(
                RecordContent::parse(draft(vec![field("x", field_type, bad)]), None),
                Err(InvalidRecord::FieldValue { position: 1, field_type })
            );
        }
    }

    #[test]
    fn debug_shows_no_value() {
        let content = RecordContent::parse(draft(vec![field("PIN", FieldType::Secret, "canary-7731")]), None).unwrap();
        assert!(!format!("{content:?}").contains("canary"));
    }

    #[test]
    fn unknown_json_members_are_refused() {
        let json = r#"{"kind":"login","title":"x","__proto__":{}}"#;
        assert!(serde_json::from_str::<RecordDraft>(json).is_err());
    }
}

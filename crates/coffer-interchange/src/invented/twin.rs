//! A redacted twin: records in the shape of others, with nothing in them that the others hold. Pure. Rules:
//! docs/FORMAT.md, "Redacted twin".
//!
//! Kinds, names of fields that templates and imports give, choices of templates, numbers and types of fields are
//! structure and stay. All else is drawn anew in its own shape: e-mail addresses at hosts for examples, telephone
//! numbers of no country, days that exist, seeds of codes that work. The same value becomes the same, so records that
//! had something in common have it still; references lead to the twins of the records they led to.
//!
//! Every draw follows from the value and a key. Whoever has the twin and not the key can neither take a value back nor
//! try whether a guess at it is right.

mod bytes;
mod shape;
mod source;
mod vocabulary;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::Ipv4Addr;

use coffer_model::attachment::{AttachmentName, MediaKind};
use coffer_model::day::Day;
use coffer_model::id::RecordKey;
use coffer_model::record::{Field, FieldType, InvalidRecord, RecordContent, RecordKind, Value, limits};
use coffer_model::template::KindTemplate;
use coffer_model::time::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

pub use self::bytes::InventedContent;
use self::shape::{Alphabet, Drawing, is_drawn};
pub use self::source::{SourceTexts, TOKEN_CHARS};
use self::source::{first_eight, plain};
use self::vocabulary::{Vocabulary, words_of};
use super::numbers;
use super::random::Choices;

/// How often a value is drawn anew because the source holds what was drawn.
const ATTEMPTS: u32 = 16;
/// Top-level domains that never resolve (RFC 2606): for hosts long enough, and for others.
const EXAMPLE: &str = ".example";
const TEST: &str = ".test";
/// Schemes of URLs that stay; all others become the first.
const SCHEMES: [&str; 9] = ["https", "http", "ssh", "sftp", "ftp", "ldap", "ldaps", "rdp", "file"];
/// Digits that no telephone number of any country begins with: a country code that is assigned to none (ITU-T E.164).
const NO_COUNTRY: &str = "999";
/// Days by which a day is moved, at most.
const MOVED_DAYS: u32 = 180;
/// Longest e-mail address and URL that a field takes, bytes.
const EMAIL_BYTES: usize = 254;
const URL_BYTES: usize = 2_048;
/// Digits of a seed of codes that takes the place of one that has no shape to keep.
const SEED_DIGITS: usize = 32;
/// Endings of files that say of what kind they are and nothing else.
const ENDINGS: [&str; 30] = [
    "asc", "bin", "cer", "cfg", "conf", "crt", "csv", "doc", "docx", "gif", "gpg", "html", "jpeg", "jpg", "json",
    "key", "log", "md", "odt", "p12", "pdf", "pem", "pfx", "png", "ppk", "pub", "txt", "xlsx", "xml", "zip",
];

/// What makes the twins of one tenant's records.
pub struct Twin {
    keyed: Hmac<Sha256>,
    source: SourceTexts,
    vocabulary: Vocabulary,
}

impl fmt::Debug for Twin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Twin").finish_non_exhaustive()
    }
}

impl Twin {
    /// Begins with everything that no twin may hold. `kinds` are the vault's own. The same key, source and kinds give the
    /// same twins.
    pub fn new(key: &[u8; 32], source: SourceTexts, kinds: &[KindTemplate]) -> Self {
        let keyed = Hmac::new_from_slice(key).expect("HMAC takes keys of any length");
        Self { keyed, source, vocabulary: Vocabulary::new(kinds) }
    }

    /// The twin of a version of a record.
    pub fn content(&self, content: &RecordContent) -> Result<RecordContent, InvalidRecord> {
        let names = content.fields().iter().map(|field| field.name.as_str());
        let names = distinct(names, |name, attempt| self.field_name(name, attempt));
        let mut fields: Vec<Field> = content
            .fields()
            .iter()
            .map(|field| Field {
                id: field.id,
                name: names[field.name.as_str()].clone(),
                field_type: field.field_type,
                value: Value::new(self.field_value(content.kind(), field)),
            })
            .collect();
        let tags = content.tags().iter().map(String::as_str);
        let tags = distinct(tags, |tag, attempt| cut(self.prose(tag, attempt), limits::TAG_CHARS));
        let tags: BTreeSet<String> = tags.into_values().collect();
        let title = cut(self.prose(content.title(), 0), limits::TITLE_CHARS);
        let mut notes = self.prose(content.notes(), 0);
        let others = title.len() + tags.iter().map(String::len).sum::<usize>();
        shorten(&mut fields, &mut notes, others);
        RecordContent::from_stored(
            self.kind(content.kind()),
            title,
            fields,
            content.next_field(),
            tags.into_iter().collect(),
            Value::new(notes),
        )
    }

    /// The twin of a record's identifier inside its tenant: as old, and otherwise another.
    pub fn record_key(&self, key: RecordKey) -> RecordKey {
        let mut mac = self.keyed_for("record-key", 0);
        mac.update(key.as_bytes());
        let hash = mac.finalize().into_bytes();
        let millis = key.as_bytes()[..6].iter().fold(0, |millis, &byte| (millis << 8) | i64::from(byte));
        let at = Timestamp::from_unix_millis(millis).unwrap_or(Timestamp::UNIX_EPOCH);
        RecordKey::from_time_and_random(at, hash[..10].try_into().expect("of 32 bytes"))
    }

    /// The twins of the names that the attachments of one record have, each different if it was.
    pub fn attachment_names<'n>(
        &self,
        names: impl Iterator<Item = &'n AttachmentName>,
    ) -> BTreeMap<&'n str, AttachmentName> {
        let names = distinct(names.map(AttachmentName::as_str), |name, attempt| self.attachment_name(name, attempt));
        names.into_iter().map(|(name, twin)| (name, AttachmentName::from_file_name(&twin))).collect()
    }

    /// A content for the file that has the identifier `file`, of the same kind.
    pub fn attachment(&self, media: MediaKind, file: &[u8; 16]) -> InventedContent {
        let mut mac = self.keyed_for("attachment", 0);
        mac.update(file);
        InventedContent::new(media, Choices::new(first_eight(&mac.finalize().into_bytes())))
    }

    /// Whether a name of a field stays as it is: a template's, or one of their words alone.
    pub fn keeps_name(&self, name: &str) -> bool {
        self.vocabulary.has_name(name) || words_of(name).all(|word| self.vocabulary.has_word(word))
    }

    /// Whether a word stays where it stands in the name of a field.
    pub fn keeps_word(&self, word: &str) -> bool {
        self.vocabulary.has_word(word)
    }

    fn kind(&self, kind: &RecordKind) -> RecordKind {
        if self.vocabulary.has_kind(kind) {
            return kind.clone();
        }
        let drawn = self.shaped(kind.as_str(), Alphabet::Words, 0).replace('-', "_");
        drawn.parse().unwrap_or_else(|_| RecordKind::custom())
    }

    /// Words of templates stay in a name; all others are drawn anew.
    fn field_name(&self, name: &str, attempt: u32) -> String {
        if attempt == 0 && self.keeps_name(name) {
            return name.to_owned();
        }
        let mut drawing = self.drawing(Alphabet::Words, "field-name", name, attempt);
        for part in name.split_inclusive(|c: char| !c.is_alphanumeric()) {
            let word = part.trim_end_matches(|c: char| !c.is_alphanumeric());
            if self.vocabulary.has_word(word) && attempt == 0 {
                drawing.keep_all(part);
            } else {
                drawing.draw_all(part);
            }
        }
        cut(drawing.finish(), limits::FIELD_NAME_CHARS)
    }

    fn field_value(&self, kind: &RecordKind, field: &Field) -> String {
        let value = field.value.expose();
        if value.is_empty() {
            return String::new();
        }
        match field.field_type {
            FieldType::Text => self.line(value),
            FieldType::Multiline => self.prose(value, 0),
            FieldType::Choice => self.choice(kind, &field.name, value),
            FieldType::Secret => self.shaped(value, Alphabet::Secret, 0),
            FieldType::Email => self.email(value),
            FieldType::Phone => self.phone(value),
            FieldType::Url => self.url(value),
            FieldType::Date | FieldType::Expiry => self.day(value),
            FieldType::Number => self.number(value),
            FieldType::Totp => self.seed(value),
            FieldType::Reference => {
                value.parse().map_or_else(|_| String::new(), |key| self.record_key(key).to_string())
            }
        }
    }

    /// A line may be an address on the network.
    fn line(&self, value: &str) -> String {
        if value.parse::<Ipv4Addr>().is_ok() {
            return self.redrawn("address", value, 0, |mut choices| numbers::address(&mut choices));
        }
        self.prose(value, 0)
    }

    /// A text of words, among which there may be e-mail addresses and URLs.
    fn prose(&self, value: &str, attempt: u32) -> String {
        if !value.contains(['@', ':']) {
            return self.shaped(value, Alphabet::Words, attempt);
        }
        self.redrawn("text", value, attempt, |choices| {
            let mut drawing = Drawing::new(&self.source, Alphabet::Words, choices);
            for part in value.split_inclusive(char::is_whitespace) {
                let word = part.trim_end();
                match self.address_in_text(word) {
                    Some(address) => {
                        drawing.keep_all(&address);
                        drawing.keep_all(&part[word.len()..]);
                    }
                    None => drawing.draw_all(part),
                }
            }
            drawing.finish()
        })
    }

    fn address_in_text(&self, word: &str) -> Option<String> {
        if word.contains("://") && FieldType::Url.accepts(word) {
            return Some(self.url(word));
        }
        (word.contains('@') && FieldType::Email.accepts(word)).then(|| self.email(word))
    }

    /// Another of the choices that a template offers; a free text otherwise. What was the same stays the same, and what
    /// was different different.
    fn choice(&self, kind: &RecordKind, name: &str, value: &str) -> String {
        let Some((options, place)) = self.vocabulary.options(kind, value) else { return self.prose(value, 0) };
        let count = u32::try_from(options.len()).unwrap_or(u32::MAX);
        let field = format!("{}\n{name}", kind.as_str());
        let moved = self.choices_of("choice", &field, 0).below(count.max(1)) as usize;
        options[(place + moved) % options.len()].clone()
    }

    fn email(&self, value: &str) -> String {
        let Some((local, domain)) = value.rsplit_once('@') else { return self.shaped(value, Alphabet::Words, 0) };
        let mut local = self.shaped(local, Alphabet::Words, 0);
        let domain = self.host(domain);
        while local.len() + 1 + domain.len() > EMAIL_BYTES {
            local.pop();
        }
        format!("{local}@{domain}")
    }

    /// A host at a domain for examples, as long if it can be.
    fn host(&self, host: &str) -> String {
        let length = host.chars().count();
        let ending = match length {
            10.. => EXAMPLE,
            7.. => TEST,
            _ if host.contains('.') => TEST,
            _ => "",
        };
        let stem: String = host.chars().take(length.saturating_sub(ending.len()).max(1)).map(host_letter).collect();
        let stem = stem.trim_matches(['.', '-']);
        let stem = if stem.is_empty() { "x" } else { stem };
        self.redrawn("host", host, 0, |choices| {
            let mut drawing = Drawing::new(&self.source, Alphabet::Words, choices);
            drawing.draw_all(stem);
            drawing.keep_all(ending);
            drawing.finish()
        })
    }

    fn url(&self, value: &str) -> String {
        let (scheme, rest) = match value.split_once("://") {
            Some((scheme, rest)) if SCHEMES.contains(&scheme.to_lowercase().as_str()) => (scheme, rest),
            Some((_, rest)) => (SCHEMES[0], rest),
            None => ("", value),
        };
        let (authority, place) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (user, host) = authority.rsplit_once('@').map_or(("", authority), |(user, host)| (user, host));
        let (host, port) = match host.rsplit_once(':') {
            Some((before, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (before, port),
            _ => (host, ""),
        };
        let mut url = if scheme.is_empty() { String::new() } else { format!("{scheme}://") };
        if !user.is_empty() {
            url.push_str(&self.shaped(user, Alphabet::Words, 0));
            url.push('@');
        }
        if !host.is_empty() {
            url.push_str(&self.host(host));
        }
        if !port.is_empty() && port.len() < TOKEN_CHARS {
            url.push(':');
            url.push_str(port);
        }
        url.push_str(&self.shaped(place, Alphabet::Words, 0));
        cut_bytes(&mut url, URL_BYTES);
        url
    }

    /// A number as long and with the same signs, of a country that does not exist if it says a country.
    fn phone(&self, value: &str) -> String {
        let international = value.starts_with('+') || value.starts_with("00");
        self.redrawn("phone", value, 0, |choices| {
            let mut drawing = Drawing::new(&self.source, Alphabet::Words, choices);
            let mut country = if international { NO_COUNTRY.chars() } else { "".chars() };
            let mut leading_zeros = true;
            for c in value.chars() {
                leading_zeros &= matches!(c, '0' | '+');
                match c {
                    '0' if leading_zeros => drawing.keep_all("0"),
                    '0'..='9' => match country.next() {
                        Some(digit) => drawing.keep_all(digit.encode_utf8(&mut [0; 4])),
                        None => drawing.draw(c),
                    },
                    _ => drawing.draw(c),
                }
            }
            drawing.finish()
        })
    }

    /// A day some months before or after.
    fn day(&self, value: &str) -> String {
        let Ok(day) = value.parse::<Day>() else { return String::new() };
        self.redrawn("day", value, 0, |mut choices| {
            let by = choices.between(1, MOVED_DAYS);
            if choices.chance(50) { day.plus_days(by) } else { day.minus_days(by) }.to_string()
        })
    }

    /// A number of as many digits.
    fn number(&self, value: &str) -> String {
        let drawn = self.redrawn("number", value, 0, |choices| {
            let mut drawing = Drawing::new(&self.source, Alphabet::Words, choices);
            let mut is_first = true;
            for c in value.chars() {
                match c {
                    '1'..='9' if is_first => drawing.draw_first_digit(),
                    '0' if is_first => drawing.keep_all("0"),
                    _ => drawing.draw(c),
                }
                is_first &= !c.is_ascii_digit();
            }
            drawing.finish()
        });
        // Where no digit was possible the number ends.
        let digits = drawn.char_indices().skip(1).find(|&(_, c)| c == '-').map_or(drawn.len(), |(at, _)| at);
        drawn[..digits].trim_end_matches('.').to_owned()
    }

    /// A seed of as many digits, with the parameters of the one before.
    fn seed(&self, value: &str) -> String {
        let drawn = match value.split_once('?') {
            None => self.shaped(value, Alphabet::Base32, 0),
            Some((place, query)) => self.seed_uri(place, query),
        };
        if FieldType::Totp.accepts(&drawn) && drawn != value {
            return drawn;
        }
        self.redrawn("seed", value, 0, |mut choices| choices.text(super::BASE32, SEED_DIGITS))
    }

    fn seed_uri(&self, place: &str, query: &str) -> String {
        let label = place.splitn(4, '/').nth(3).unwrap_or_default();
        let parameters = query.split(['&', '#']).filter_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            let value = match name.to_ascii_lowercase().as_str() {
                "secret" => self.shaped(&value.replace("%3D", "").replace("%3d", ""), Alphabet::Base32, 0),
                "algorithm" | "digits" | "period" => value.to_owned(),
                "issuer" => self.shaped(value, Alphabet::Words, 0),
                _ => return None,
            };
            Some(format!("{name}={value}"))
        });
        let label = self.shaped(label, Alphabet::Words, 0);
        format!("otpauth://totp/{label}?{}", parameters.collect::<Vec<_>>().join("&"))
    }

    fn attachment_name(&self, name: &str, attempt: u32) -> String {
        match name.rsplit_once('.') {
            Some((stem, ending)) if ENDINGS.contains(&ending.to_lowercase().as_str()) => {
                format!("{}.{ending}", self.shaped(stem, Alphabet::Words, attempt))
            }
            _ => self.shaped(name, Alphabet::Words, attempt),
        }
    }

    /// The text in its own shape.
    fn shaped(&self, value: &str, alphabet: Alphabet, attempt: u32) -> String {
        if !is_drawn(value, alphabet) {
            return value.to_owned();
        }
        let what = match alphabet {
            Alphabet::Words => "text",
            Alphabet::Secret => "secret",
            Alphabet::Base32 => "seed",
        };
        self.redrawn(what, value, attempt, |choices| {
            let mut drawing = Drawing::new(&self.source, alphabet, choices);
            drawing.draw_all(value);
            drawing.finish()
        })
    }

    /// Draws until it is no value of the source, or the shape leaves none.
    fn redrawn(&self, what: &str, value: &str, from: u32, draw: impl Fn(Choices) -> String) -> String {
        let mut drawn = String::new();
        for attempt in from * ATTEMPTS..(from + 1) * ATTEMPTS {
            drawn = draw(self.choices_of(what, value, attempt));
            if drawn != value && !self.source.has_value(&drawn) {
                break;
            }
        }
        drawn
    }

    fn drawing(&self, alphabet: Alphabet, what: &str, value: &str, attempt: u32) -> Drawing<'_> {
        Drawing::new(&self.source, alphabet, self.choices_of(what, value, attempt))
    }

    /// The choices that follow from a value, whatever its case.
    fn choices_of(&self, what: &str, value: &str, attempt: u32) -> Choices {
        let mut mac = self.keyed_for(what, attempt);
        for c in value.chars().map(plain) {
            mac.update(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        Choices::new(first_eight(&mac.finalize().into_bytes()))
    }

    fn keyed_for(&self, what: &str, attempt: u32) -> Hmac<Sha256> {
        let mut mac = self.keyed.clone();
        mac.update(what.as_bytes());
        mac.update(&[0]);
        mac.update(&attempt.to_be_bytes());
        mac
    }
}

/// Gives every name another, no two the same. `draw` is asked again, with the number of the attempt, until it is so.
fn distinct<'n>(names: impl Iterator<Item = &'n str>, draw: impl Fn(&str, u32) -> String) -> BTreeMap<&'n str, String> {
    let mut drawn: BTreeMap<&str, String> = BTreeMap::new();
    let mut taken = BTreeSet::new();
    for name in names {
        if drawn.contains_key(name) {
            continue;
        }
        let free = (0..ATTEMPTS).map(|attempt| draw(name, attempt)).find(|candidate| !taken.contains(candidate));
        // Short names may have used up every other of their length.
        let free = free.unwrap_or_else(|| {
            let mut number = taken.len();
            while taken.contains(&number.to_string()) {
                number += 1;
            }
            number.to_string()
        });
        taken.insert(free.clone());
        drawn.insert(name, free);
    }
    drawn
}

/// What a host's name is made of.
fn host_letter(c: char) -> char {
    if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') { c } else { 'x' }
}

fn cut(mut text: String, most_chars: usize) -> String {
    if let Some((at, _)) = text.char_indices().nth(most_chars) {
        text.truncate(at);
    }
    text
}

fn cut_bytes(text: &mut String, most: usize) {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
}

/// Keeps a record within its size: hosts for examples may be longer than those they stand for. The notes are spared least,
/// then the longest values; `others` are bytes that cannot be spared.
fn shorten(fields: &mut [Field], notes: &mut String, others: usize) {
    let of_fields: usize = fields.iter().map(|field| field.name.len() + field.value.expose().len()).sum();
    let mut excess = (others + of_fields + notes.len()).saturating_sub(limits::RECORD_BYTES);
    let left = notes.len().saturating_sub(excess);
    excess = excess.saturating_sub(notes.len());
    cut_bytes(notes, left);
    let is_text =
        |field: &&mut Field| matches!(field.field_type, FieldType::Text | FieldType::Secret | FieldType::Multiline);
    while excess > 0 {
        let texts = fields.iter_mut().filter(is_text);
        let Some(longest) = texts.max_by_key(|field| field.value.expose().len()) else { return };
        let mut value = longest.value.expose().to_owned();
        let (before, left) = (value.len(), value.len().saturating_sub(excess));
        cut_bytes(&mut value, left);
        if value.len() == before {
            return;
        }
        excess = excess.saturating_sub(before - value.len());
        longest.value = Value::new(value);
    }
}

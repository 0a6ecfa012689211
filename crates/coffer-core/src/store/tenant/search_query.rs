//! What a query asks of the search index, in FTS5's words, and what it asks of a record beyond them. Pure.
//!
//! Texts are folded as they are in the index. Nothing of a query is ever syntax to FTS5: it goes in as strings, and no
//! string has a quotation mark or a control character in it.

use std::ops::Range;

use coffer_model::query::{Condition, Query, Term};
use coffer_model::record::{FieldType, RecordContent};
use unicode_normalization::char::is_combining_mark;

use super::MAX_FOLDED_BYTES;
use super::fold::fold;

/// Longest beginnings that have an index of their own, characters (`prefix` in `schema.sql`).
const INDEXED_BEGINNING_CHARS: usize = 3;
/// Longest value that is taken for a number, characters: an IBAN has 34 and its spaces.
const NUMBER_CHARS: usize = 64;
/// Fewest digits of a number; also what the index of their parts takes at least.
const NUMBER_DIGITS: usize = 3;

/// What a word of the index says that is no word of a record. Private-use characters, of which no word has any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// The record is of this kind.
    Kind,
    /// It has a field of this name, folded.
    Field,
    /// It has this tag, folded.
    Tag,
}

impl Mark {
    const ALL: [Self; 3] = [Self::Kind, Self::Field, Self::Tag];

    const fn character(self) -> char {
        match self {
            Self::Kind => '\u{e000}',
            Self::Field => '\u{e001}',
            Self::Tag => '\u{e002}',
        }
    }

    /// The mark of `folded` as one word, whatever is in it: its bytes in hexadecimal.
    fn word(self, folded: &str) -> String {
        let mut word = String::with_capacity(2 * folded.len() + 4);
        self.push_word(folded, &mut word);
        word.pop();
        word
    }

    /// Writes the word, and a space after it.
    pub(super) fn push_word(self, folded: &str, words: &mut String) {
        const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
        words.push(self.character());
        for byte in folded.bytes() {
            words.push(DIGITS[usize::from(byte >> 4)]);
            words.push(DIGITS[usize::from(byte & 0xF)]);
        }
        words.push(' ');
    }
}

/// What a person is looking for in one tenant.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SearchQuery {
    /// Words and phrases that must occur, folded.
    words: Vec<String>,
    /// Which of them is a beginning.
    beginning: Option<usize>,
    /// The words as a title would have them.
    title: String,
    /// Those that may be a number's digits instead.
    number: Option<Number>,
    /// Further strings of FTS5 that must match: marks, and words of fields.
    required: Vec<String>,
    /// Strings of FTS5 that must not.
    excluded: Vec<String>,
    /// Changed at this time or later.
    from_ms: Option<i64>,
    /// Changed before this time.
    until_ms: Option<i64>,
    values: Vec<FieldValue>,
}

/// Words of a query that may be digits of a number, wherever they stand in it.
#[derive(Clone, PartialEq, Eq)]
struct Number {
    words: Range<usize>,
    /// As in the index of numbers.
    text: String,
}

/// What a field's value must say, or must not.
#[derive(Clone, PartialEq, Eq)]
struct FieldValue {
    excluded: bool,
    /// Folded, as the text.
    name: String,
    text: String,
}

/// How well a title fits, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TitleFit {
    /// It is the text looked for.
    Is,
    /// It begins with it.
    BeginsWith,
    /// Every word is in it.
    HasAll,
    /// At least one word is elsewhere in the record.
    Other,
    /// A number of the record has the digits among its own, wherever they are.
    InNumber,
}

impl SearchQuery {
    /// Takes a query; `None` if it asks for nothing.
    pub(crate) fn new(query: &Query) -> Option<Self> {
        let mut found = Self {
            words: Vec::new(),
            beginning: None,
            title: String::new(),
            number: None,
            required: Vec::new(),
            excluded: Vec::new(),
            from_ms: None,
            until_ms: None,
            values: Vec::new(),
        };
        // Which of the words stand beside each other and may be parts of one number.
        let mut plain: Vec<Range<usize>> = Vec::new();
        let mut after_plain = false;
        for (place, term) in query.terms().iter().enumerate() {
            let is_plain = matches!(term, Term { excluded: false, condition: Condition::Word(_) });
            let before = found.words.len();
            found.add(term, query.beginning() == Some(place));
            if is_plain && found.words.len() > before {
                match plain.last_mut().filter(|run| after_plain && run.end == before) {
                    Some(run) => run.end += 1,
                    None => plain.push(before..before + 1),
                }
            }
            after_plain = is_plain;
        }
        found.title = found.words.join(" ");
        found.number = plain.into_iter().find_map(|run| found.number_in(run));
        let asks = !(found.words.is_empty()
            && found.required.is_empty()
            && found.excluded.is_empty()
            && found.values.is_empty()
            && found.from_ms.is_none()
            && found.until_ms.is_none());
        asks.then_some(found)
    }

    fn add(&mut self, term: &Term, is_beginning: bool) {
        let excluded = term.excluded;
        match &term.condition {
            Condition::Word(text) | Condition::Phrase { text, .. } => {
                let word = clean(text);
                if !says_something(&word) {
                } else if excluded {
                    self.excluded.push(quoted(&word));
                } else {
                    if is_beginning {
                        self.beginning = Some(self.words.len());
                    }
                    self.words.push(word);
                }
            }
            Condition::Tag(tag) => self.add_mark(Mark::Tag, &folded(tag), excluded),
            Condition::Kind(kind) => self.add_mark(Mark::Kind, kind.as_str(), excluded),
            Condition::Field { name, value: None } => self.add_mark(Mark::Field, &folded(name), excluded),
            Condition::Field { name, value: Some(value) } => self.add_value(&folded(name), value, excluded),
            Condition::Before(day) => self.add_day(day.start().unix_millis(), excluded),
            Condition::After(day) => self.add_day(day.start().unix_millis(), !excluded),
        }
    }

    fn add_mark(&mut self, mark: Mark, text: &str, excluded: bool) {
        let string = quoted(&mark.word(text));
        if excluded { self.excluded.push(string) } else { self.required.push(string) }
    }

    fn add_value(&mut self, name: &str, value: &str, excluded: bool) {
        let value = clean(value);
        let text = value.trim_matches(|c: char| !c.is_alphanumeric());
        if text.is_empty() {
            return self.add_mark(Mark::Field, name, excluded);
        }
        if !excluded {
            self.add_mark(Mark::Field, name, false);
            // Which field the words are in is looked at in the record.
            self.required.push(format!("fields : {}{}", quoted(text), if text.len() == 1 { "" } else { " *" }));
        }
        self.values.push(FieldValue { excluded, name: name.to_owned(), text: text.to_owned() });
    }

    /// Narrows the time of the newest version to `at` and later, or to before it.
    fn add_day(&mut self, at: i64, and_later: bool) {
        if and_later {
            self.from_ms = Some(self.from_ms.map_or(at, |from| from.max(at)));
        } else {
            self.until_ms = Some(self.until_ms.map_or(at, |until| until.min(at)));
        }
    }

    /// The first number in a run of words: several with nothing but digits, or one with three and more.
    fn number_in(&self, run: Range<usize>) -> Option<Number> {
        let digits_only = |word: &String| {
            let mut letters = word.chars().filter(|c| c.is_alphanumeric());
            letters.all(|c| c.is_ascii_digit())
        };
        let mut begin = run.start;
        while begin < run.end {
            let words = self.words[begin..run.end].iter().take_while(|word| digits_only(word)).count().max(1);
            let words = begin..begin + words;
            if let Some(text) = number_text(&self.words[words.clone()].concat()) {
                return Some(Number { words, text });
            }
            begin = words.end;
        }
        None
    }

    /// The beginning in two: everything up to its last part, and that part if FTS5 has no index for it.
    pub(super) fn unindexed_beginning(&self) -> Option<(&str, &str)> {
        let word = &self.words[self.beginning?];
        let word = word.trim_end_matches(|c: char| !c.is_alphanumeric());
        let at = word
            .rfind(|c: char| !c.is_alphanumeric())
            .map_or(0, |at| at + word[at..].chars().next().expect("a character was found there").len_utf8());
        let (head, part) = word.split_at(at);
        // FTS5 separates words at marks; of a part with marks only it knows where it begins.
        let has_marks = part.chars().any(is_combining_mark);
        (part.chars().count() > INDEXED_BEGINNING_CHARS && !has_marks).then_some((head, part))
    }

    /// Whether words with one beginning are all that FTS5 is asked for.
    pub(super) fn is_a_beginning(&self) -> bool {
        self.beginning.is_some() && self.words.len() == 1 && self.required.is_empty() && self.excluded.is_empty()
    }

    /// The query in FTS5's syntax, of which it uses strings, columns, `AND`, `OR`, `NOT` and `*`; `None` if nothing must
    /// occur. `spelled_out` are all words that begin as the beginning does, if they are known.
    pub(super) fn to_fts5(&self, spelled_out: Option<&[String]>) -> Option<String> {
        self.expression(0..0, spelled_out)
    }

    /// As [`SearchQuery::to_fts5`], without the words that are a number.
    pub(super) fn to_fts5_beside_number(&self, spelled_out: Option<&[String]>) -> Option<String> {
        self.expression(self.number.as_ref()?.words.clone(), spelled_out)
    }

    fn expression(&self, without: Range<usize>, spelled_out: Option<&[String]>) -> Option<String> {
        let mut parts: Vec<String> = Vec::new();
        for (place, word) in self.words.iter().enumerate().filter(|(place, _)| !without.contains(place)) {
            parts.push(match spelled_out {
                _ if self.beginning != Some(place) => quoted(word),
                Some(words) => format!("({})", any_of(words)),
                // Beginnings of one character have no index of their own and fit too much to be of use.
                None if word.len() == 1 => quoted(word),
                None => format!("{} *", quoted(word)),
            });
        }
        parts.extend(self.required.iter().cloned());
        if parts.is_empty() {
            return None;
        }
        let all = parts.join(" AND ");
        Some(match self.excluded_in_fts5() {
            None => all,
            Some(excluded) => format!("({all}) NOT ({excluded})"),
        })
    }

    /// What no record found may match.
    pub(super) fn excluded_in_fts5(&self) -> Option<String> {
        (!self.excluded.is_empty()).then(|| self.excluded.join(" OR "))
    }

    /// The number in FTS5's syntax, for the index of numbers.
    pub(super) fn number_in_fts5(&self) -> Option<String> {
        self.number.as_ref().map(|number| quoted(&number.text))
    }

    /// Whether the number has the beginning among its words.
    pub(super) fn number_takes_beginning(&self) -> bool {
        self.number.as_ref().zip(self.beginning).is_some_and(|(number, place)| number.words.contains(&place))
    }

    /// Whether a record changed at this time may be among those found.
    pub(super) fn fits_time(&self, changed_ms: i64) -> bool {
        self.from_ms.is_none_or(|from| changed_ms >= from) && self.until_ms.is_none_or(|until| changed_ms < until)
    }

    /// Whether records have to be looked into.
    pub(super) fn asks_values(&self) -> bool {
        !self.values.is_empty()
    }

    /// Whether the values are as asked.
    pub(super) fn fits_values(&self, content: &RecordContent) -> bool {
        self.values.iter().all(|value| value.is_in(content) != value.excluded)
    }

    /// The words as a title would have them, folded; `None` if nothing but marks, values and times are asked for.
    pub(super) fn title(&self) -> Option<&str> {
        (!self.words.is_empty()).then_some(&self.title)
    }

    /// Whether a title that begins with the words is all that is asked for, however it goes on.
    pub(super) fn is_met_by_title(&self) -> bool {
        let may_go_on =
            self.beginning.is_some_and(|place| place + 1 == self.words.len() && self.words[place].len() > 1);
        may_go_on && self.required.is_empty() && self.excluded.is_empty()
    }

    pub(super) fn fit(&self, title_key: &str) -> TitleFit {
        let text = &self.title;
        let starts_a_word = |word: &String| word_starts(title_key, word).next().is_some();
        if title_key == text.as_str() {
            TitleFit::Is
        } else if title_key.starts_with(text.as_str()) {
            TitleFit::BeginsWith
        } else if self.words.iter().all(starts_a_word) {
            TitleFit::HasAll
        } else {
            TitleFit::Other
        }
    }
}

impl std::fmt::Debug for SearchQuery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SearchQuery(..)")
    }
}

impl FieldValue {
    fn is_in(&self, content: &RecordContent) -> bool {
        content
            .fields()
            .iter()
            .filter(|field| is_searchable(field.field_type) && folded(&field.name) == self.name)
            .any(|field| self.is_said_by(&without_marks(folded(field.value.expose()))))
    }

    /// A text of one byte is looked for as a whole word, as a beginning of one is.
    fn is_said_by(&self, value: &str) -> bool {
        word_starts(value, &self.text)
            .any(|end| self.text.len() > 1 || !value[end..].starts_with(char::is_alphanumeric))
    }
}

/// Where `word` ends each time it begins a word of `text`.
fn word_starts<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> + 't {
    text.match_indices(word)
        .filter(|(at, _)| text[..*at].chars().next_back().is_none_or(|before| !before.is_alphanumeric()))
        .map(|(at, _)| at + word.len())
}

/// A text folded, as it is in the index or compared.
pub(super) fn folded(text: &str) -> String {
    fold(text, MAX_FOLDED_BYTES)
}

/// A folded text as it goes into the index: no word of it can be taken for a [`Mark`].
pub(super) fn without_marks(folded: String) -> String {
    let is_mark = |c: char| Mark::ALL.iter().any(|mark| mark.character() == c);
    if folded.is_ascii() || !folded.contains(is_mark) { folded } else { folded.replace(is_mark, " ") }
}

/// The digits and letters of a number as it is in the index, folded; `None` if the text is none. `(0)` is left out: it
/// stands in telephone numbers for what is dialled from inside the country.
pub(super) fn number_text(folded: &str) -> Option<String> {
    if folded.chars().count() > NUMBER_CHARS {
        return None;
    }
    let text: String = folded.replace("(0)", "").chars().filter(|c| c.is_alphanumeric()).collect();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (digits >= NUMBER_DIGITS).then_some(text)
}

/// A text as a string of FTS5 may hold it.
fn clean(text: &str) -> String {
    without_marks(folded(text)).replace(|c: char| c == '"' || c.is_control(), " ")
}

fn says_something(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

/// A string of FTS5.
fn quoted(clean: &str) -> String {
    format!("\"{clean}\"")
}

fn any_of(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" OR ")
}

/// Whether values of the type may be found by searching: all but what is masked, and the keys of other records, which
/// nobody types.
pub(super) const fn is_searchable(field_type: FieldType) -> bool {
    match field_type {
        FieldType::Text
        | FieldType::Multiline
        | FieldType::Email
        | FieldType::Phone
        | FieldType::Url
        | FieldType::Date
        | FieldType::Number
        | FieldType::Choice
        | FieldType::Expiry => true,
        FieldType::Secret | FieldType::Totp | FieldType::Reference => false,
    }
}

/// Whether values of the type may be serial, telephone or other numbers, of which parts are found.
pub(super) const fn may_be_number(field_type: FieldType) -> bool {
    match field_type {
        FieldType::Text | FieldType::Phone | FieldType::Number => true,
        FieldType::Secret
        | FieldType::Multiline
        | FieldType::Email
        | FieldType::Url
        | FieldType::Date
        | FieldType::Totp
        | FieldType::Choice
        | FieldType::Reference
        | FieldType::Expiry => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> SearchQuery {
        SearchQuery::new(&text.parse().unwrap()).unwrap()
    }

    fn fts5(text: &str) -> String {
        query(text).to_fts5(None).unwrap().replace(|c| Mark::ALL.iter().any(|mark| mark.character() == c), "§")
    }

    #[test]
    fn a_query_is_strings_to_fts5_and_nothing_else() {
        for (text, expression) in [
            ("Müller\tBER", r#""muller" AND "ber" *"#),
            (r#"say "NEAR(*" AND"#, r#""say" AND "near(*" AND "and" *"#),
            ("\"a\"\" OR \"\"b\"", r#""a  or  b""#),
            ("\"x＂y\" z", r#""x y" AND "z""#),
            ("ga -\"old stuff\" tag:DB", r#"("ga" * AND "§6462") NOT ("old stuff")"#),
            ("kind:login -field:Host -kind:note", r#"("§6c6f67696e") NOT ("§686f7374" OR "§6e6f7465")"#),
            ("field:Host=GW1.x", r#""§686f7374" AND fields : "gw1.x" *"#),
            ("\u{e002}6462 q", r#"" 6462" AND "q""#),
        ] {
            assert_eq!(fts5(text), expression, "{text}");
        }
        assert_eq!(query("-a").to_fts5(None), None);
        assert_eq!(query("-a -b").excluded_in_fts5().unwrap(), r#""a" OR "b""#);
        assert_eq!(SearchQuery::new(&Query::default()), None);
    }

    #[test]
    fn words_that_stand_together_and_are_digits_are_one_number() {
        for (text, number) in [
            ("gate 4711", Some("4711")),
            ("DE-0047", Some("de0047")),
            ("+49 (0)30 123-45 ines", Some("493012345")),
            ("30 -x 12 345", Some("12345")),
            ("12 tag:x 345", Some("345")),
            ("12 ines 3", None),
            ("\"4711\"", None),
            ("-4711", None),
        ] {
            let found = query(text).number.map(|number| number.text);
            assert_eq!(found.as_deref(), number, "{text}");
        }
        let both = query("gate 47 11 tag:x");
        assert_eq!(both.to_fts5_beside_number(None).unwrap(), format!("\"gate\" AND {}", quoted(&Mark::Tag.word("x"))));
        assert!(both.number_takes_beginning());
    }

    #[test]
    fn titles_that_fit_better_come_first() {
        let query = query("Bauer");
        assert_eq!(query.fit("bauer"), TitleFit::Is);
        assert_eq!(query.fit("bauer & co"), TitleFit::BeginsWith);
        assert_eq!(query.fit("hof (bauer)"), TitleFit::HasAll);
        assert_eq!(query.fit("erbauer"), TitleFit::Other);
        assert!(TitleFit::Is < TitleFit::BeginsWith && TitleFit::HasAll < TitleFit::Other);
    }

    #[test]
    fn a_value_says_a_text_where_one_of_its_words_begins_with_it() {
        let says = |value: &str, text: &str| {
            let text = text.to_owned();
            FieldValue { excluded: false, name: String::new(), text }.is_said_by(value)
        };
        assert!(says("gw1.acme.example", "gw1") && says("gw1.acme.example", "acme.ex") && says("a 7", "7"));
        assert!(!says("gw1.acme.example", "w1") && !says("gw1.acme", "1") && !says("a 77", "7"));
    }

    #[test]
    fn debug_output_does_not_show_what_was_looked_for() {
        assert_eq!(format!("{:?}", query("canary")), "SearchQuery(..)");
    }
}

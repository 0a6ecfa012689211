//! Queries: the small language in which people say what they look for. Grammar: docs/finding.md.
//! Pure. Parsing is total: any text is a query or says where and why not, and nothing in it is syntax to anybody else.
//!
//! ```text
//! query    = { white | term }
//! term     = [ "-" ] ( operator | quoted | word )
//! operator = "tag:" value | "kind:" value | "field:" value [ "=" value ] | "before:" day | "after:" day
//! value    = quoted | bare
//! quoted   = '"' { any but '"' | '""' } '"'
//! ```

use std::fmt;
use std::str::FromStr;

use crate::record::RecordKind;
use crate::time::Timestamp;

/// What somebody looks for: terms that must all hold.
///
/// Two queries are equal if they mean the same records; printed and parsed again, a query is itself.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Query {
    terms: Vec<Term>,
}

/// One condition, or that it does not hold.
#[derive(Clone, PartialEq, Eq)]
pub struct Term {
    /// Whether records that meet the condition are left out.
    pub excluded: bool,
    /// The condition.
    pub condition: Condition,
}

/// What a term asks of a record.
#[derive(Clone, PartialEq, Eq)]
pub enum Condition {
    /// A word occurs; with punctuation in it, its parts one after the other.
    Word(String),
    /// Words occur one after the other.
    Phrase {
        /// The words.
        text: String,
        /// Whether the closing quotation mark is still to come, so that the last word may be a beginning.
        open: bool,
    },
    /// It has the tag.
    Tag(String),
    /// It is of the kind.
    Kind(RecordKind),
    /// It has a field of the name, secret or not.
    Field {
        /// The field's name.
        name: String,
        /// What its value says, at the beginning of one of its words. Never asked of a secret.
        value: Option<String>,
    },
    /// It was last changed before the day began.
    Before(Day),
    /// It was last changed on the day or after it.
    After(Day),
}

/// A calendar day in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    date: jiff::civil::Date,
    start: Timestamp,
}

/// Why a text is no query. Positions are characters, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidQuery {
    /// More than [`Query::MAX_BYTES`].
    #[error("the query is longer than 1,000 bytes")]
    TooLong,
    /// More than [`Query::MAX_TERMS`].
    #[error("the query has more than 16 terms")]
    TooManyTerms,
    /// Nothing to look for.
    #[error("the query has no word with a letter or digit in it, and no operator")]
    Empty,
    /// A quotation mark without its partner.
    #[error("character {position}: the quotation mark is never closed; write \"\" for one inside quotation marks")]
    UnclosedQuote {
        /// Where it stands.
        position: usize,
    },
    /// An operator without anything behind it.
    #[error("character {position}: {operator} needs something behind it, such as {example}", example = operator.example())]
    MissingValue {
        /// Where the operator begins.
        position: usize,
        /// Which one.
        operator: Operator,
    },
    /// Not what kinds look like.
    #[error("character {position}: a kind is a short name such as login, contact or api_key")]
    Kind {
        /// Where the value begins.
        position: usize,
    },
    /// Not a day.
    #[error("character {position}: {operator} takes a day such as 2026-01-31")]
    Day {
        /// Where the value begins.
        position: usize,
        /// Which operator.
        operator: Operator,
    },
}

impl InvalidQuery {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        "invalid_query"
    }
}

/// What stands before the colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// [`Condition::Tag`]
    Tag,
    /// [`Condition::Kind`]
    Kind,
    /// [`Condition::Field`]
    Field,
    /// [`Condition::Before`]
    Before,
    /// [`Condition::After`]
    After,
}

impl Operator {
    /// Every operator, in the order explained.
    pub const ALL: [Self; 5] = [Self::Tag, Self::Kind, Self::Field, Self::Before, Self::After];

    /// The name with its colon.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Tag => "tag:",
            Self::Kind => "kind:",
            Self::Field => "field:",
            Self::Before => "before:",
            Self::After => "after:",
        }
    }

    const fn example(self) -> &'static str {
        match self {
            Self::Tag => "tag:network",
            Self::Kind => "kind:login",
            Self::Field => "field:host or field:host=db1",
            Self::Before => "before:2026-01-31",
            Self::After => "after:2026-01-31",
        }
    }

    /// The operator that `text` begins with, in whatever case.
    fn of(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operator| {
            let name = operator.as_str();
            text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
        })
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Query {
    /// Longest text, bytes.
    pub const MAX_BYTES: usize = 1_000;
    /// Most terms: more than anybody means.
    pub const MAX_TERMS: usize = 16;

    /// Understands a text that is still being typed as far as it goes: what is not finished asks for nothing. A text
    /// beyond the limits asks for nothing at all.
    pub fn parse_unfinished(text: &str) -> Self {
        Parser::new(text, true).parse().unwrap_or_default()
    }

    /// What must hold, in the order written.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Whether it asks for nothing.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The place among the terms of the word that may be a beginning: a phrase still open, else the last word.
    pub fn beginning(&self) -> Option<usize> {
        let wanted = |term: &Term| match term.condition {
            Condition::Word(_) => !term.excluded,
            Condition::Phrase { open, .. } => open && !term.excluded,
            Condition::Tag(_)
            | Condition::Kind(_)
            | Condition::Field { .. }
            | Condition::Before(_)
            | Condition::After(_) => false,
        };
        self.terms.iter().rposition(wanted)
    }
}

impl FromStr for Query {
    type Err = InvalidQuery;

    fn from_str(text: &str) -> Result<Self, InvalidQuery> {
        let query = Parser::new(text, false).parse()?;
        if query.is_empty() { Err(InvalidQuery::Empty) } else { Ok(query) }
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, term) in self.terms.iter().enumerate() {
            if place > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{term}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.excluded {
            f.write_str("-")?;
        }
        match &self.condition {
            Condition::Word(word) => f.write_str(word),
            Condition::Phrase { text, open: false } => write!(f, "\"{}\"", doubled(text)),
            Condition::Phrase { text, open: true } => write!(f, "\"{}", doubled(text)),
            Condition::Tag(tag) => write!(f, "{}{}", Operator::Tag, Printed(tag)),
            Condition::Kind(kind) => write!(f, "{}{}", Operator::Kind, kind.as_str()),
            Condition::Field { name, value: None } => write!(f, "{}{}", Operator::Field, Printed(name)),
            Condition::Field { name, value: Some(value) } => {
                write!(f, "{}{}={}", Operator::Field, Printed(name), Printed(value))
            }
            Condition::Before(day) => write!(f, "{}{day}", Operator::Before),
            Condition::After(day) => write!(f, "{}{day}", Operator::After),
        }
    }
}

/// A value, in quotation marks if it would not be read as one without.
struct Printed<'v>(&'v str);

impl fmt::Display for Printed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.chars().any(|c| ends_bare(c) || c == '=') {
            write!(f, "\"{}\"", doubled(self.0))
        } else {
            f.write_str(self.0)
        }
    }
}

/// The text between quotation marks that stands for `text`.
fn doubled(text: &str) -> String {
    text.replace('"', "\"\"")
}

impl fmt::Debug for Query {
    /// What somebody looks for may be a tenant's data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Query(..)")
    }
}

impl fmt::Debug for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Term(..)")
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Condition(..)")
    }
}

impl Day {
    /// Takes `YYYY-MM-DD`.
    fn parse(text: &str) -> Option<Self> {
        let date = if text.len() == 10 { text.parse::<jiff::civil::Date>().ok()? } else { return None };
        let start = format!("{date}T00:00:00Z").parse().ok()?;
        Some(Self { date, start })
    }

    /// When it begins.
    pub fn start(self) -> Timestamp {
        self.start
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.date)
    }
}

/// Reads a text from left to right, once.
struct Parser<'t> {
    text: &'t str,
    /// Byte the rest begins at.
    at: usize,
    /// Whether what is not finished is passed over.
    lenient: bool,
}

impl<'t> Parser<'t> {
    const fn new(text: &'t str, lenient: bool) -> Self {
        Self { text, at: 0, lenient }
    }

    fn parse(mut self) -> Result<Query, InvalidQuery> {
        if self.text.len() > Query::MAX_BYTES {
            return Err(InvalidQuery::TooLong);
        }
        let mut terms = Vec::new();
        loop {
            self.take_while(is_white);
            if self.rest().is_empty() {
                return Ok(Query { terms });
            }
            let excluded = !self.take_while(|c| c == '-').is_empty();
            if let Some(condition) = self.condition()? {
                if terms.len() == Query::MAX_TERMS {
                    return Err(InvalidQuery::TooManyTerms);
                }
                terms.push(Term { excluded, condition });
            }
        }
    }

    /// The next condition; `None` if it asks for nothing.
    fn condition(&mut self) -> Result<Option<Condition>, InvalidQuery> {
        if self.rest().starts_with('"') {
            let (text, closed) = self.quoted()?;
            return Ok(says_something(&text).then_some(Condition::Phrase { text, open: !closed }));
        }
        let Some(operator) = Operator::of(self.rest()) else {
            let word = self.take_while(|c| !ends_bare(c));
            return Ok(says_something(word).then(|| Condition::Word(word.to_owned())));
        };
        let begins = self.position();
        self.at += operator.as_str().len();
        let value_begins = self.position();
        let Some(value) = self.value(|c| operator == Operator::Field && c == '=')? else {
            return self.unfinished(InvalidQuery::MissingValue { position: begins, operator });
        };
        let day = |value: &str| Day::parse(value).ok_or(InvalidQuery::Day { position: value_begins, operator });
        let condition = match operator {
            Operator::Tag => Ok(Condition::Tag(value)),
            Operator::Kind => match value.to_lowercase().parse() {
                Ok(kind) => Ok(Condition::Kind(kind)),
                Err(_) => Err(InvalidQuery::Kind { position: value_begins }),
            },
            Operator::Field => return self.field(value, begins),
            Operator::Before => day(&value).map(Condition::Before),
            Operator::After => day(&value).map(Condition::After),
        };
        condition.map_or_else(|error| self.unfinished(error), |condition| Ok(Some(condition)))
    }

    /// What follows a field's name.
    fn field(&mut self, name: String, begins: usize) -> Result<Option<Condition>, InvalidQuery> {
        let mut value = None;
        if self.rest().starts_with('=') {
            self.at += 1;
            value = self.value(|_| false)?.filter(|value| says_something(value));
            if value.is_none() && !self.lenient {
                return Err(InvalidQuery::MissingValue { position: begins, operator: Operator::Field });
            }
        }
        Ok(Some(Condition::Field { name, value }))
    }

    /// An operator's value, without white space around it; `None` if there is none. Without quotation marks it ends at
    /// white space, or where `ends` says so.
    fn value(&mut self, ends: impl Fn(char) -> bool) -> Result<Option<String>, InvalidQuery> {
        let value = if self.rest().starts_with('"') {
            self.quoted()?.0
        } else {
            self.take_while(|c| !ends_bare(c) && !ends(c)).to_owned()
        };
        let value = value.trim();
        Ok((!value.is_empty()).then(|| value.to_owned()))
    }

    /// What is between quotation marks, and whether the second one is there.
    fn quoted(&mut self) -> Result<(String, bool), InvalidQuery> {
        let position = self.position();
        let mut text = String::new();
        loop {
            // The opening mark, or the second of two that stand for one.
            self.at += 1;
            text.push_str(self.take_while(|c| c != '"'));
            if self.rest().is_empty() {
                return if self.lenient { Ok((text, false)) } else { Err(InvalidQuery::UnclosedQuote { position }) };
            }
            self.at += 1;
            if !self.rest().starts_with('"') {
                return Ok((text, true));
            }
            text.push('"');
        }
    }

    fn unfinished(&self, error: InvalidQuery) -> Result<Option<Condition>, InvalidQuery> {
        if self.lenient { Ok(None) } else { Err(error) }
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// Of the next character, counted from 1.
    fn position(&self) -> usize {
        self.text[..self.at].chars().count() + 1
    }

    fn take_while(&mut self, take: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c| !take(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }
}

/// Control characters separate as white space does.
fn is_white(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

fn ends_bare(c: char) -> bool {
    is_white(c) || c == '"'
}

/// Whether there is anything in it that an index of words could hold.
fn says_something(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> String {
        let query: Query = text.parse().unwrap();
        query.terms().iter().map(Term::to_string).collect::<Vec<_>>().join(" | ")
    }

    fn typed(text: &str) -> String {
        Query::parse_unfinished(text).to_string()
    }

    #[test]
    fn a_query_is_words_phrases_and_operators_each_of_them_perhaps_excluded() {
        for (text, terms) in [
            (" harbour\tgat ", "harbour | gat"),
            (r#""two words" -"not these""#, r#""two words" | -"not these""#),
            ("tag:db -tag:\"old stuff\"", "tag:db | -tag:\"old stuff\""),
            ("KIND:Login --kind:note", "kind:login | -kind:note"),
            ("field:host field:\"API key\"=ab", "field:host | field:\"API key\"=ab"),
            ("field:a=b=c", "field:a=\"b=c\""),
            ("before:2026-01-31 after:2025-12-01", "before:2026-01-31 | after:2025-12-01"),
            ("x - -- -* y", "x | y"),
            ("a\"b\"c", "a | \"b\" | c"),
            ("https://example.org/a tags:x", "https://example.org/a | tags:x"),
            ("\"tag:x\" \"-y\"", "\"tag:x\" | \"-y\""),
            (r#"tag:"a ""b"" c""#, r#"tag:"a ""b"" c""#),
        ] {
            assert_eq!(parsed(text), terms, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place_and_what_would_be_right() {
        let operator = Operator::Before;
        for (text, error) in [
            ("", InvalidQuery::Empty),
            (" - \"\" *", InvalidQuery::Empty),
            ("ä \"b", InvalidQuery::UnclosedQuote { position: 3 }),
            ("ä tag: b", InvalidQuery::MissingValue { position: 3, operator: Operator::Tag }),
            ("tag:\"  \"", InvalidQuery::MissingValue { position: 1, operator: Operator::Tag }),
            ("field:=x", InvalidQuery::MissingValue { position: 1, operator: Operator::Field }),
            ("field:x=", InvalidQuery::MissingValue { position: 1, operator: Operator::Field }),
            ("field:x=?", InvalidQuery::MissingValue { position: 1, operator: Operator::Field }),
            ("kind:two-words", InvalidQuery::Kind { position: 6 }),
            ("-before:2026-02-30", InvalidQuery::Day { position: 9, operator }),
            ("before:2026", InvalidQuery::Day { position: 8, operator }),
            ("before:20260101T1", InvalidQuery::Day { position: 8, operator }),
        ] {
            assert_eq!(text.parse::<Query>(), Err(error), "{text}");
        }
        assert_eq!("a ".repeat(17).parse::<Query>(), Err(InvalidQuery::TooManyTerms));
        assert_eq!("a".repeat(1_001).parse::<Query>(), Err(InvalidQuery::TooLong));
        assert_eq!(
            InvalidQuery::Day { position: 8, operator }.to_string(),
            "character 8: before: takes a day such as 2026-01-31"
        );
    }

    #[test]
    fn an_unfinished_query_is_understood_as_far_as_it_goes() {
        for (text, understood) in [
            ("gate tag:", "gate"),
            ("gate before:2026-0", "gate"),
            ("kind:Two-", ""),
            ("gate field:host=", "gate field:host"),
            ("gate \"two wo", "gate \"two wo"),
            ("tag:\"two wo", "tag:\"two wo\""),
            ("gate -", "gate"),
            ("gate \"", "gate"),
        ] {
            assert_eq!(typed(text), understood, "{text}");
        }
        assert!(Query::parse_unfinished(&"a ".repeat(17)).is_empty());
        assert!(Query::parse_unfinished(&"a".repeat(1_001)).is_empty());
    }

    #[test]
    fn the_last_word_is_the_beginning_wherever_it_stands() {
        for (text, place) in [
            ("a b", Some(1)),
            ("a tag:b -c", Some(0)),
            ("a \"b\"", Some(0)),
            ("a \"b", Some(1)),
            ("\"b\" tag:x", None),
            ("-a", None),
        ] {
            assert_eq!(Query::parse_unfinished(text).beginning(), place, "{text}");
        }
    }

    #[test]
    fn days_begin_at_midnight_utc() {
        let day = Day::parse("2026-11-22").unwrap();
        assert_eq!(day.start().to_string(), "2026-11-22T00:00:00.000Z");
        assert_eq!(Day::parse("9999-12-31"), None, "beyond what a time can be");
    }

    #[test]
    fn debug_output_does_not_show_what_was_looked_for() {
        assert_eq!(format!("{:?}", Query::parse_unfinished("canary")), "Query(..)");
    }

    /// Pieces that mean something, so that arbitrary texts of them mean something, too.
    fn text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[a-zäß0-9.=-]{1,4}",
            Just("\"".to_owned()),
            Just(" ".to_owned()),
            Just("-".to_owned()),
            Just("tag:".to_owned()),
            Just("Kind:".to_owned()),
            Just("field:".to_owned()),
            Just("before:2026-01-31".to_owned()),
            Just("after:".to_owned()),
            any::<char>().prop_map(String::from),
        ];
        prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn a_query_printed_and_parsed_is_itself(text in text()) {
            if let Ok(query) = text.parse::<Query>() {
                prop_assert!(query.to_string().parse::<Query>() == Ok(query.clone()), "{}", query);
                prop_assert!(Query::parse_unfinished(&text) == query, "finished is finished");
            }
            let query = Query::parse_unfinished(&text);
            prop_assert!(Query::parse_unfinished(&query.to_string()) == query, "{}", query);
        }

        #[test]
        fn no_text_makes_it_panic(text: String, short in "[\"=:a -]{0,12}") {
            for text in [&text, &short] {
                let _ = text.parse::<Query>();
                let _ = Query::parse_unfinished(text);
            }
        }

        #[test]
        fn a_text_without_marks_is_its_words(words in prop::collection::vec("[a-zä0-9]{1,8}", 1..=16)) {
            let query: Query = words.join("  ").parse().unwrap();
            let all = query.terms().iter().zip(&words).all(|(term, word)| {
                !term.excluded && matches!(&term.condition, Condition::Word(found) if found == word)
            });
            prop_assert!(all && query.terms().len() == words.len());
        }
    }
}

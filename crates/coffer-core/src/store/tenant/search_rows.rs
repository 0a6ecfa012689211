//! The search index: which words of a record go in, what a person's text means, and which records it finds.
//!
//! Texts are folded ([`fold`]) before they are indexed and before they are looked for. A search costs the same at a
//! million records as at a thousand: it looks at the newest [`CANDIDATES`] hits and puts those first whose titles fit
//! best. Two things in FTS5 would cost more the more records there are, and are avoided: `bm25` counts every record with
//! each word before it ranks one, and a beginning without an index of its own is made into one list of all its words'
//! records before the first is found.

use coffer_model::record::{FieldType, RecordContent};
use rusqlite::{OptionalExtension, params};
use unicode_normalization::char::is_combining_mark;

use super::fold::fold;
use super::{ListedRecord, MAX_FOLDED_BYTES, TenantStore, TenantTx};
use crate::store::error::StoreError;

/// Newest hits among which the best titles come first, unless more are asked for.
const CANDIDATES: u32 = 200;
/// Longest beginnings that have an index of their own, characters (`prefix` in `schema.sql`).
const INDEXED_BEGINNING_CHARS: usize = 3;
/// Most words a longer beginning is spelled out as. With more, each is rare enough for FTS5's own way.
const SPELLED_OUT_MAX: usize = 64;

/// What a person is looking for: words that must all occur, the last of them as a beginning.
///
/// The text is never syntax. A word is what stands between white space; one with punctuation in it, such as
/// `ines@example.org`, means its parts one after the other.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SearchQuery {
    /// Folded, none empty, none with a quotation mark.
    words: Vec<String>,
}

/// Records found in one tenant.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Best titles first, then the newest.
    pub(crate) records: Vec<ListedRecord>,
    /// Whether there are more than were asked for.
    pub(crate) more: bool,
}

/// How well a title fits, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum TitleFit {
    /// It is the text looked for.
    Is,
    /// It begins with it.
    BeginsWith,
    /// Every word is in it.
    HasAll,
    /// At least one word is elsewhere in the record.
    Other,
}

impl SearchQuery {
    /// Most bytes of a text that are looked at.
    const MAX_BYTES: usize = 1_000;
    /// Most words.
    const MAX_WORDS: usize = 16;

    /// Takes what a person typed; `None` if there is nothing in it to look for, or more than anybody means.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() > Self::MAX_BYTES {
            return None;
        }
        let folded = fold(text, MAX_FOLDED_BYTES);
        let words: Vec<String> = folded
            .split(|c: char| c.is_whitespace() || c.is_control() || c == '"')
            .filter(|word| word.chars().any(char::is_alphanumeric))
            .map(str::to_owned)
            .collect();
        if words.is_empty() || words.len() > Self::MAX_WORDS { None } else { Some(Self { words }) }
    }

    /// The last word, which is a beginning.
    fn last(&self) -> &str {
        self.words.last().expect("parsed with at least one word")
    }

    /// The last word in two: everything up to its last part, and that part if it is to be spelled out.
    fn beginning(&self) -> Option<(&str, &str)> {
        let last = self.last().trim_end_matches(|c: char| !c.is_alphanumeric());
        let at = last
            .rfind(|c: char| !c.is_alphanumeric())
            .map_or(0, |at| at + last[at..].chars().next().expect("a character was found there").len_utf8());
        let (head, part) = last.split_at(at);
        // FTS5 separates words at marks; of a part with marks only it knows where it begins.
        let has_marks = part.chars().any(is_combining_mark);
        (part.chars().count() > INDEXED_BEGINNING_CHARS && !has_marks).then_some((head, part))
    }

    /// The query in FTS5's syntax, of which it uses strings, "and", "or" and `*`. `spelled_out` are all words that
    /// begin with the last one, if they are known.
    fn to_fts5(&self, spelled_out: Option<&[String]>) -> String {
        let (last, others) = self.words.split_last().expect("parsed with at least one word");
        // Strings that stand together must all occur.
        let others = quoted(others, " ");
        match spelled_out {
            Some(words) if others.is_empty() => quoted(words, " OR "),
            Some(words) => format!("{others} AND ({})", quoted(words, " OR ")),
            // Beginnings of one character have no index of their own and fit too much to be of use.
            None if last.len() == 1 => format!("{others} \"{last}\""),
            None => format!("{others} \"{last}\" *"),
        }
    }

    fn fit(&self, title_key: &str) -> TitleFit {
        let text = self.words.join(" ");
        let starts_a_word = |word: &String| {
            title_key.match_indices(word.as_str()).any(|(at, _)| {
                at == 0 || title_key[..at].chars().next_back().is_some_and(|before| !before.is_alphanumeric())
            })
        };
        if title_key == text {
            TitleFit::Is
        } else if title_key.starts_with(&text) {
            TitleFit::BeginsWith
        } else if self.words.iter().all(starts_a_word) {
            TitleFit::HasAll
        } else {
            TitleFit::Other
        }
    }
}

/// Words as FTS5's strings; none of them has a quotation mark.
fn quoted(words: &[String], between: &str) -> String {
    words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(between)
}

impl std::fmt::Debug for SearchQuery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SearchQuery(..)")
    }
}

impl TenantStore {
    /// At most `limit` records that fit.
    pub(crate) fn search(&self, query: &SearchQuery, limit: u32) -> Result<Found, StoreError> {
        let spelled_out = self.spell_out(query)?;
        if spelled_out.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Found { records: Vec::new(), more: false });
        }
        let candidates = i64::from(limit.max(CANDIDATES)) + 1;
        let mut hits = self.connection.prepare_cached(
            "SELECT r.key, r.kind, r.title, r.changed_ms, r.title_key
             FROM (SELECT rowid AS id FROM search WHERE search MATCH ?1 ORDER BY rowid DESC LIMIT ?2) hit
             CROSS JOIN record r ON r.id = hit.id",
        )?;
        let mut rows = hits.query(params![query.to_fts5(spelled_out.as_deref()), candidates])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let fit = query.fit(row.get_ref(4)?.as_str().map_err(|_| StoreError::Damaged)?);
            found.push((fit, ListedRecord::from_row(row)?));
        }
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = found.len() > limit;
        // Stable: among titles that fit alike the newest stay first.
        found.sort_by_key(|(fit, _)| *fit);
        Ok(Found { records: found.into_iter().take(limit).map(|(_, record)| record).collect(), more })
    }

    /// All words of the index that begin as the query's last word does, each with what stands before it in that word;
    /// `None` if there are too many, or FTS5 has an index for such beginnings.
    fn spell_out(&self, query: &SearchQuery) -> Result<Option<Vec<String>>, StoreError> {
        let Some((head, beginning)) = query.beginning() else { return Ok(None) };
        self.connection
            .execute_batch("CREATE VIRTUAL TABLE IF NOT EXISTS temp.word USING fts5vocab (main, search, instance)")?;
        // One seek for each word: asking for all of them at once would read every occurrence of each.
        let mut next = self.connection.prepare_cached("SELECT term FROM temp.word WHERE term >= ?1 LIMIT 1")?;
        let mut words = Vec::new();
        let mut from = beginning.to_owned();
        while let Some(term) = next.query_row([&from], |row| row.get::<_, String>(0)).optional()? {
            if !term.starts_with(beginning) {
                break;
            }
            if words.len() == SPELLED_OUT_MAX {
                return Ok(None);
            }
            words.push(format!("{head}{term}"));
            // The least text after the term: no word of the index holds a NUL.
            from = term;
            from.push('\0');
        }
        Ok(Some(words))
    }
}

impl TenantTx<'_> {
    /// Puts a record's words into the index, secrets left out.
    pub(super) fn index_record(&self, row: i64, title_key: &str, content: &RecordContent) -> Result<(), StoreError> {
        let mut fields = String::new();
        for field in content.fields() {
            if is_searchable(field.field_type) && !field.value.expose().is_empty() {
                fields.push_str(field.value.expose());
                fields.push('\n');
            }
        }
        let folded = |text: &str| fold(text, MAX_FOLDED_BYTES);
        self.tx
            .prepare_cached("INSERT INTO search (rowid, title, fields, tags, notes) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![
            row,
            title_key,
            folded(&fields),
            folded(&content.tags().join("\n")),
            folded(content.notes())
        ])?;
        Ok(())
    }

    /// Takes a record's words out of the index.
    pub(super) fn unindex_record(&self, row: i64) -> Result<(), StoreError> {
        self.tx.prepare_cached("DELETE FROM search WHERE rowid = ?1")?.execute([row])?;
        Ok(())
    }
}

/// Whether values of the type may be found by searching: all but what is masked, and the keys of other records, which
/// nobody types.
const fn is_searchable(field_type: FieldType) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        SearchQuery::parse(text).map_or(Vec::new(), |query| query.words)
    }

    #[test]
    fn text_falls_into_folded_words_and_nothing_else() {
        assert_eq!(words("  Müller\tBerlin\0x "), ["muller", "berlin", "x"]);
        assert_eq!(words(r#"say "no" AND -- NEAR(* "#), ["say", "no", "and", "near(*"]);
        assert_eq!(words("--- \"\" *"), [""; 0]);
        assert_eq!(words(&"a ".repeat(17)), [""; 0], "too many");
        assert_eq!(words(&"a".repeat(1_001)), [""; 0], "too long");
    }

    #[test]
    fn titles_that_fit_better_come_first() {
        let query = SearchQuery::parse("Bauer").unwrap();
        assert_eq!(query.fit("bauer"), TitleFit::Is);
        assert_eq!(query.fit("bauer & co"), TitleFit::BeginsWith);
        assert_eq!(query.fit("hof (bauer)"), TitleFit::HasAll);
        assert_eq!(query.fit("erbauer"), TitleFit::Other);
        assert!(TitleFit::Is < TitleFit::BeginsWith && TitleFit::HasAll < TitleFit::Other);
    }

    #[test]
    fn debug_output_does_not_show_what_was_looked_for() {
        assert_eq!(format!("{:?}", SearchQuery::parse("canary").unwrap()), "SearchQuery(..)");
    }
}

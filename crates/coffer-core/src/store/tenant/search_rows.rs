//! The search index: which words of a record go in, and which records a query finds.
//!
//! Texts are folded before they are indexed and before they are looked for. A search costs the same at a million records
//! as at a thousand: it looks at the newest [`CANDIDATES`] hits, and, where there are more, at the titles that begin with the
//! text, and puts those first whose titles fit best. Two things in FTS5 would cost more the more records there are, and are
//! avoided: `bm25` counts every record with each word before it ranks one, and a beginning without an index of its own is made
//! into one list of all its words' records before the first is found.

use std::cmp::Reverse;

use coffer_model::record::RecordContent;
use rusqlite::{Rows, params};

use super::search_query::{
    Mark, SearchQuery, TitleFit, folded, is_searchable, may_be_number, number_text, without_marks,
};
use super::{ListedRecord, TenantStore, TenantTx, body};
use crate::store::error::StoreError;

/// Newest hits among which the best titles come first, unless more are asked for.
const CANDIDATES: u32 = 200;
/// Most words a longer beginning is spelled out as. With more, each is rare enough for FTS5's own way.
const SPELLED_OUT_MAX: usize = 64;
/// Occurrences of words read first while a beginning is spelled out: as many as tell that there are too many words, if each
/// is rare. To seek costs as much as to read dozens of them.
const SEEN_AT_FIRST: u32 = 65;
const _: () = assert!(SEEN_AT_FIRST as usize == SPELLED_OUT_MAX + 1, "one more than are spelled out");
/// Occurrences read at each seek after that.
const SEEN_AT_A_SEEK: u32 = 16;

/// What is shown of hits, newest first. The rows are read as they are asked for: `-1` is no limit, but keeps SQLite from
/// sorting what comes in order already.
macro_rules! hits {
    ($source:literal) => {
        concat!(
            "SELECT r.key, r.kind, r.title, r.changed_ms, r.title_key, r.id FROM (SELECT rowid AS id FROM ",
            $source,
            " ORDER BY rowid DESC LIMIT -1) hit CROSS JOIN record r ON r.id = hit.id"
        )
    };
}

/// All words of the index that begin as a query's beginning does.
struct SpelledOut {
    /// Each with what stands before it in the query's word.
    words: Vec<String>,
    /// The records that have any of them, newest first, if all were seen.
    rows: Option<Vec<i64>>,
}

/// Records found in one tenant.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Best titles first, then the newest.
    pub(crate) records: Vec<ListedRecord>,
    /// Whether there are more than were asked for.
    pub(crate) more: bool,
}

/// A record that was found.
struct Hit {
    row: i64,
    fit: TitleFit,
    record: ListedRecord,
}

/// Adds hits to others, newest first. Of a record found both ways what fits better stays.
fn merge(hits: &mut Vec<Hit>, more: impl IntoIterator<Item = Hit>) {
    hits.extend(more);
    hits.sort_by_key(|hit| (Reverse(hit.row), hit.fit));
    hits.dedup_by_key(|hit| hit.row);
}

/// Row numbers in descending order, each once.
fn descending(mut rows: Vec<i64>) -> Vec<i64> {
    rows.sort_unstable_by_key(|row| Reverse(*row));
    rows.dedup();
    rows
}

/// Row numbers in descending order, looked at once.
struct Descending<'s> {
    rows: Rows<'s>,
    at: Option<i64>,
}

impl<'s> Descending<'s> {
    fn new(rows: Rows<'s>) -> Result<Self, StoreError> {
        let mut all = Self { rows, at: None };
        all.step()?;
        Ok(all)
    }

    fn step(&mut self) -> Result<(), StoreError> {
        self.at = self.rows.next()?.map(|row| row.get(0)).transpose()?;
        Ok(())
    }

    /// Whether `row` is among them. Asked in descending order.
    fn has(&mut self, row: i64) -> Result<bool, StoreError> {
        while self.at.is_some_and(|at| at > row) {
            self.step()?;
        }
        Ok(self.at == Some(row))
    }
}

impl TenantStore {
    /// At most `limit` records that fit.
    pub(crate) fn search(&self, query: &SearchQuery, limit: u32) -> Result<Found, StoreError> {
        // One more than asked for says whether there are more.
        let most = usize::try_from(limit.max(CANDIDATES)).unwrap_or(usize::MAX).saturating_add(1);
        let spelled_out = self.spell_out(query)?;
        let seen = spelled_out.as_ref().and_then(|spelled_out| spelled_out.rows.as_deref());
        let spelled_out = spelled_out.as_ref().map(|spelled_out| spelled_out.words.as_slice());
        let mut hits = match seen {
            Some(rows) if query.is_a_beginning() => self.hits_by_row(query, rows, most)?,
            _ => self.hits_by_words(query, spelled_out, most)?,
        };
        if let Some(number) = query.number_in_fts5() {
            let parts = self.hits_by_number(query, &number, spelled_out, most)?;
            merge(&mut hits, parts.into_iter().map(|hit| Hit { fit: TitleFit::InNumber, ..hit }));
            hits.truncate(most);
        }
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        if hits.len() >= most {
            // Newer ones that begin with the text come before older ones; the text itself comes before all.
            let enough = hits.iter().filter(|hit| hit.fit <= TitleFit::BeginsWith).count() >= limit;
            let after = if enough { '\0' } else { char::MAX };
            merge(&mut hits, self.hits_by_title(query, spelled_out, (after, limit.saturating_add(1)))?);
        }
        let more = hits.len() > limit;
        // Stable: among titles that fit alike the newest stay first.
        hits.sort_by_key(|hit| hit.fit);
        Ok(Found { records: hits.into_iter().take(limit).map(|hit| hit.record).collect(), more })
    }

    /// The newest records in which every word occurs as a word.
    fn hits_by_words(
        &self,
        query: &SearchQuery,
        spelled_out: Option<&[String]>,
        most: usize,
    ) -> Result<Vec<Hit>, StoreError> {
        if spelled_out.is_some_and(<[String]>::is_empty) {
            return Ok(Vec::new());
        }
        if let Some(expression) = query.to_fts5(spelled_out) {
            let mut hits = self.connection.prepare_cached(hits!("search WHERE search MATCH ?1"))?;
            return self.take_hits(hits.query([expression])?, query, most, |_| Ok(true));
        }
        let mut all = self.connection.prepare_cached(hits!("search"))?;
        self.without_excluded(query, |kept| self.take_hits(all.query([])?, query, most, kept))
    }

    /// The records in rows that were seen already.
    fn hits_by_row(&self, query: &SearchQuery, rows: &[i64], most: usize) -> Result<Vec<Hit>, StoreError> {
        let mut hits = self.connection.prepare_cached(
            "SELECT r.key, r.kind, r.title, r.changed_ms, r.title_key, r.id
             FROM json_each(?1) hit CROSS JOIN record r ON r.id = hit.value",
        )?;
        let rows = format!("[{}]", rows.iter().map(i64::to_string).collect::<Vec<_>>().join(","));
        self.take_hits(hits.query([rows])?, query, most, |_| Ok(true))
    }

    /// The newest records with the number in one of their own, in which every other word occurs.
    fn hits_by_number(
        &self,
        query: &SearchQuery,
        number: &str,
        spelled_out: Option<&[String]>,
        most: usize,
    ) -> Result<Vec<Hit>, StoreError> {
        if spelled_out.is_some_and(<[String]>::is_empty) && !query.number_takes_beginning() {
            return Ok(Vec::new());
        }
        let mut hits = self.connection.prepare_cached(hits!("number WHERE number MATCH ?1"))?;
        let hits = hits.query([number])?;
        let Some(others) = query.to_fts5_beside_number(spelled_out) else {
            return self.without_excluded(query, |kept| self.take_hits(hits, query, most, kept));
        };
        let mut with_others =
            self.connection.prepare_cached("SELECT rowid FROM search WHERE search MATCH ?1 ORDER BY rowid DESC")?;
        let mut with_others = Descending::new(with_others.query([others])?)?;
        self.take_hits(hits, query, most, |row| with_others.has(row))
    }

    /// Records whose titles are the words looked for, or begin with them and go on by less than `after`, however old they are.
    fn hits_by_title(
        &self,
        query: &SearchQuery,
        spelled_out: Option<&[String]>,
        (after, most): (char, usize),
    ) -> Result<Vec<Hit>, StoreError> {
        let Some(title) = query.title().filter(|_| spelled_out.is_none_or(|words| !words.is_empty())) else {
            return Ok(Vec::new());
        };
        let mut titles = self.connection.prepare_cached(
            "SELECT key, kind, title, changed_ms, title_key, id FROM record INDEXED BY record_by_title
             WHERE trashed_ms IS NULL AND title_key >= ?1 AND title_key < ?2 ORDER BY title_key",
        )?;
        let titles = titles.query([title, &format!("{title}{after}")])?;
        if query.is_met_by_title() {
            return self.take_hits(titles, query, most, |_| Ok(true));
        }
        let expression = query.to_fts5(spelled_out).expect("it has words");
        let mut row = self.connection.prepare_cached("SELECT 1 FROM search WHERE search MATCH ?1 AND rowid = ?2")?;
        self.take_hits(titles, query, most, |id| Ok(row.exists(params![expression, id])?))
    }

    /// Hands over which rows are not excluded, for a query that lets FTS5 look for nothing.
    fn without_excluded<T>(
        &self,
        query: &SearchQuery,
        take: impl FnOnce(&mut dyn FnMut(i64) -> Result<bool, StoreError>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let Some(excluded) = query.excluded_in_fts5() else { return take(&mut |_| Ok(true)) };
        let mut rows =
            self.connection.prepare_cached("SELECT rowid FROM search WHERE search MATCH ?1 ORDER BY rowid DESC")?;
        let mut excluded = Descending::new(rows.query([excluded])?)?;
        take(&mut |row| Ok(!excluded.has(row)?))
    }

    /// Takes hits that fit beyond their words, as long as there is room.
    fn take_hits(
        &self,
        mut rows: Rows<'_>,
        query: &SearchQuery,
        most: usize,
        mut kept: impl FnMut(i64) -> Result<bool, StoreError>,
    ) -> Result<Vec<Hit>, StoreError> {
        let mut hits = Vec::new();
        while hits.len() < most {
            let Some(row) = rows.next()? else { break };
            let id = row.get(5)?;
            let fits = kept(id)?
                && query.fits_time(row.get(3)?)
                && (!query.asks_values() || query.fits_values(&self.newest(id)?));
            if fits {
                let fit = query.fit(row.get_ref(4)?.as_str().map_err(|_| StoreError::Damaged)?);
                hits.push(Hit { row: id, fit, record: ListedRecord::from_row(row)? });
            }
        }
        Ok(hits)
    }

    /// The newest version of the record in a row.
    pub(super) fn newest(&self, row: i64) -> Result<RecordContent, StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT v.body FROM record r JOIN version v ON v.record = r.id AND v.version = r.version WHERE r.id = ?1",
        )?;
        let mut rows = query.query([row])?;
        // Decoded where SQLite holds it, so that no copy of the secrets in it is left behind.
        let row = rows.next()?.ok_or(StoreError::Damaged)?;
        body::decode(row.get_ref(0)?.as_blob().map_err(|_| StoreError::Damaged)?)
    }

    /// What the query's beginning may be the beginning of; `None` if there is too much, or FTS5 has an index for such
    /// beginnings.
    fn spell_out(&self, query: &SearchQuery) -> Result<Option<SpelledOut>, StoreError> {
        let Some((head, beginning)) = query.unindexed_beginning() else { return Ok(None) };
        if self.vocabulary.get().is_none() {
            let create = "CREATE VIRTUAL TABLE temp.word USING fts5vocab (main, search, instance)";
            self.connection.execute_batch(create)?;
            self.vocabulary.get_or_init(|| ());
        }
        // Occurrences in the order of their words, a few at a time: rare words come several at a seek, and of a frequent
        // one no more is read than tells it from the next. In that order the first seek answers most.
        let mut next = self.connection.prepare_cached("SELECT term, doc FROM temp.word WHERE term >= ?1 LIMIT ?2")?;
        let mut words: Vec<String> = Vec::new();
        let mut seen: Vec<i64> = Vec::new();
        let mut from = beginning.to_owned();
        let mut most = SEEN_AT_FIRST;
        loop {
            let mut occurrences = next.query(params![from, most])?;
            let mut read = 0;
            let mut last = String::new();
            let ended = loop {
                let Some(occurrence) = occurrences.next()? else { break read < most };
                let term = occurrence.get_ref(0)?.as_str().map_err(|_| StoreError::Damaged)?;
                if !term.starts_with(beginning) {
                    break true;
                }
                read += 1;
                seen.push(occurrence.get(1)?);
                if term == last {
                    continue;
                }
                if words.len() == SPELLED_OUT_MAX {
                    return Ok(None);
                }
                words.push(format!("{head}{term}"));
                term.clone_into(&mut last);
            };
            if ended {
                // Later seeks have passed over some. With a head not every record that has the part has the word.
                let all_seen = most == SEEN_AT_FIRST && head.is_empty();
                return Ok(Some(SpelledOut { words, rows: all_seen.then(|| descending(seen)) }));
            }
            most = SEEN_AT_A_SEEK;
            // The least text after the word: none of the index holds a NUL.
            from = last;
            from.push('\0');
        }
    }
}

impl TenantTx<'_> {
    /// Puts a record's words, numbers and tags into the index, secrets left out.
    pub(super) fn index_record(&self, row: i64, title_key: &str, content: &RecordContent) -> Result<(), StoreError> {
        let texts = IndexedTexts::of(title_key, content);
        self.insert_words(row, &texts.words)?;
        self.insert_numbers(row, &texts.numbers)?;
        self.insert_tags(row, content)
    }

    /// Has the index follow from one version of a record to the next. What stayed as it was is not written again: most
    /// saves change a secret, which is in no index.
    pub(super) fn reindex_record(
        &self,
        row: i64,
        before: (&str, &RecordContent),
        after: (&str, &RecordContent),
    ) -> Result<(), StoreError> {
        let (old, new) = (IndexedTexts::of(before.0, before.1), IndexedTexts::of(after.0, after.1));
        if old.words != new.words {
            self.delete_words(row)?;
            self.insert_words(row, &new.words)?;
        }
        if old.numbers != new.numbers {
            self.delete_numbers(row)?;
            self.insert_numbers(row, &new.numbers)?;
        }
        if before.1.tags() != after.1.tags() {
            self.delete_tags(row)?;
            self.insert_tags(row, after.1)?;
        }
        Ok(())
    }

    /// Takes a record out of the index.
    pub(super) fn unindex_record(&self, row: i64) -> Result<(), StoreError> {
        self.delete_words(row)?;
        self.delete_numbers(row)?;
        self.delete_tags(row)
    }

    fn insert_words(&self, row: i64, [title, fields, tags, notes, marks]: &[String; 5]) -> Result<(), StoreError> {
        self.tx
            .prepare_cached(
                "INSERT INTO search (rowid, title, fields, tags, notes, marks) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![row, title, fields, tags, notes, marks])?;
        Ok(())
    }

    fn delete_words(&self, row: i64) -> Result<(), StoreError> {
        self.tx.prepare_cached("DELETE FROM search WHERE rowid = ?1")?.execute([row])?;
        Ok(())
    }

    fn insert_numbers(&self, row: i64, numbers: &str) -> Result<(), StoreError> {
        if !numbers.is_empty() {
            self.tx
                .prepare_cached("INSERT INTO number (rowid, value) VALUES (?1, ?2)")?
                .execute(params![row, numbers])?;
        }
        Ok(())
    }

    fn delete_numbers(&self, row: i64) -> Result<(), StoreError> {
        self.tx.prepare_cached("DELETE FROM number WHERE rowid = ?1")?.execute([row])?;
        Ok(())
    }
}

/// What the search indexes hold of a record, folded; no masked field's value.
struct IndexedTexts {
    /// The columns of `search`: title, fields, tags, notes, marks.
    words: [String; 5],
    /// One a line.
    numbers: String,
}

impl IndexedTexts {
    fn of(title_key: &str, content: &RecordContent) -> Self {
        let mut fields = String::new();
        let mut numbers = String::new();
        let mut marks = String::new();
        Mark::Kind.push_word(content.kind().as_str(), &mut marks);
        for field in content.fields() {
            let value = field.value.expose();
            if is_searchable(field.field_type) && !value.is_empty() {
                fields.push_str(value);
                fields.push('\n');
            }
            if may_be_number(field.field_type)
                && let Some(number) = number_in(value)
            {
                numbers.push_str(&number);
                numbers.push('\n');
            }
            Mark::Field.push_word(&folded(&field.name), &mut marks);
        }
        for tag in content.tags() {
            Mark::Tag.push_word(&folded(tag), &mut marks);
        }
        let words = |text: &str| without_marks(folded(text));
        let title = without_marks(title_key.to_owned());
        Self {
            words: [title, words(&fields), words(&content.tags().join("\n")), words(content.notes()), marks],
            numbers,
        }
    }
}

/// A value as it is in the index of numbers, if it is one.
fn number_in(value: &str) -> Option<String> {
    // Most values are none, which is seen without folding them.
    if value.is_ascii() && value.bytes().filter(u8::is_ascii_digit).nth(2).is_none() {
        return None;
    }
    number_text(&folded(value))
}

//! Pages of the list: a tenant's records in one of their orders, an account's favourites among them, and the trash.
//!
//! A page costs the same anywhere in the list, since it begins where an index says that the last one ended. Favourites are
//! as many as a person has marked by hand; they are sorted each time.

use coffer_model::id::{AccountId, RecordKey};
use coffer_model::list::{RecordOrder, RowDetail};
use coffer_model::time::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Row, Rows, params_from_iter};

use super::{Cursor, ListedRecord, TenantStore, timestamp};
use crate::store::error::StoreError;

/// Which page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageQuery<'q> {
    /// Whose favourites are told, or alone are listed.
    pub(crate) account: AccountId,
    /// The order.
    pub(crate) order: RecordOrder,
    /// Whether only favourites are listed.
    pub(crate) favourites: bool,
    /// Most records.
    pub(crate) limit: u32,
    /// The last row of a page before, in the same order.
    pub(crate) after: Option<&'q Cursor>,
    /// Rows passed over from there. They are counted in the index, at a fraction of what reading them costs.
    pub(crate) skip: u64,
    /// What each row tells besides; anything but nothing reads the newest versions.
    pub(crate) detail: RowDetail,
}

/// Records in the order that was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// Records of this page.
    pub(crate) records: Vec<ListedRecord>,
    /// What each of them tells besides, in the same order.
    pub(crate) details: Vec<Option<String>>,
    /// Those of them that are the account's favourites.
    pub(crate) favourites: Vec<RecordKey>,
    /// The last of them, if there are more after it.
    pub(crate) next: Option<Cursor>,
}

/// Records in the trash, the last one put there first.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TrashPage {
    /// Records of this page, with the time when each was put there.
    pub(crate) records: Vec<(ListedRecord, Timestamp)>,
    /// The last of them, if there are more after it.
    pub(crate) next: Option<Cursor>,
}

/// An order in the database's terms.
struct Ordering {
    index: &'static str,
    /// True for rows after those of the parameters from `?4` on.
    after: &'static str,
    by: &'static str,
    /// The folded title, where the index holds it and a cursor needs it.
    title_key: &'static str,
}

const fn ordering(order: RecordOrder) -> Ordering {
    match order {
        RecordOrder::Title => Ordering {
            index: "record_by_title",
            after: "(r.title_key, r.key) > (?4, ?5)",
            by: "r.title_key, r.key",
            title_key: "r.title_key",
        },
        RecordOrder::Kind => Ordering {
            index: "record_by_kind",
            after: "(r.kind, r.title_key, r.key) > (?4, ?5, ?6)",
            by: "r.kind, r.title_key, r.key",
            title_key: "r.title_key",
        },
        RecordOrder::Changed => Ordering {
            index: "record_by_changed",
            after: "(r.changed_ms, r.key) < (?4, ?5)",
            by: "r.changed_ms DESC, r.key DESC",
            title_key: "''",
        },
        RecordOrder::Created => {
            Ordering { index: "record_by_trash", after: "r.id < ?4", by: "r.id DESC", title_key: "''" }
        }
    }
}

/// The statement for a page; parameters: account, limit, skip, then what the cursor holds.
fn statement(order: RecordOrder, favourites: bool, continued: bool) -> String {
    let Ordering { index, after, by, title_key } = ordering(order);
    let is_favourite = "EXISTS (SELECT 1 FROM favourite f WHERE f.account = ?1 AND f.record = r.id)";
    let from = if favourites {
        "favourite own CROSS JOIN record r ON r.id = own.record AND own.account = ?1".to_owned()
    } else {
        format!("record r INDEXED BY {index}")
    };
    let and_after = if continued { format!(" AND {after}") } else { String::new() };
    format!(
        "SELECT r.key, r.kind, r.title, r.changed_ms, {title_key}, r.id, {is_favourite}
         FROM {from} WHERE r.trashed_ms IS NULL{and_after} ORDER BY {by} LIMIT ?2 OFFSET ?3"
    )
}

impl TenantStore {
    /// A page of the records that are not in the trash.
    pub(crate) fn page(&self, asked: &PageQuery<'_>) -> Result<Page, StoreError> {
        let mut query =
            self.connection.prepare_cached(&statement(asked.order, asked.favourites, asked.after.is_some()))?;
        let account = Value::Blob(asked.account.as_bytes().to_vec());
        let values = [account, one_more(asked.limit), passed_over(asked.skip)]
            .into_iter()
            .chain(asked.after.map_or(Vec::new(), values));
        let rows = query.query(params_from_iter(values))?;
        let mut favourites = Vec::new();
        let mut details = Vec::new();
        let (records, next) = page_of(
            rows,
            asked.limit,
            |row| {
                let record = ListedRecord::from_row(row)?;
                if row.get(6)? {
                    favourites.push(record.key);
                }
                details.push(match asked.detail {
                    RowDetail::None => None,
                    detail => detail.of(&self.newest(row.get(5)?)?),
                });
                Ok(record)
            },
            |row| {
                let key = RecordKey::from_bytes(row.get(0)?);
                Ok(match asked.order {
                    RecordOrder::Title => Cursor::Title { title_key: row.get(4)?, key },
                    RecordOrder::Kind => Cursor::Kind { kind: row.get(1)?, title_key: row.get(4)?, key },
                    RecordOrder::Changed => Cursor::Changed { changed_ms: row.get(3)?, key },
                    RecordOrder::Created => Cursor::Created { row: row.get(5)? },
                })
            },
        )?;
        Ok(Page { records, details, favourites, next })
    }

    /// A page of the trash.
    pub(crate) fn trash_page(&self, limit: u32, after: Option<&Cursor>, skip: u64) -> Result<TrashPage, StoreError> {
        let and_after = if after.is_some() { " AND (r.trashed_ms, r.id) < (?3, ?4)" } else { "" };
        let mut query = self.connection.prepare_cached(&format!(
            "SELECT r.key, r.kind, r.title, r.changed_ms, r.trashed_ms, r.id FROM record r INDEXED BY record_by_trash
             WHERE r.trashed_ms IS NOT NULL{and_after} ORDER BY r.trashed_ms DESC, r.id DESC LIMIT ?1 OFFSET ?2"
        ))?;
        let values = [one_more(limit), passed_over(skip)].into_iter().chain(after.map_or(Vec::new(), values));
        let rows = query.query(params_from_iter(values))?;
        let (records, next) = page_of(
            rows,
            limit,
            |row| Ok((ListedRecord::from_row(row)?, timestamp(row.get(4)?)?)),
            |row| Ok(Cursor::Trash { trashed_ms: row.get(4)?, row: row.get(5)? }),
        )?;
        Ok(TrashPage { records, next })
    }

    /// How many records are in the trash.
    pub(crate) fn trash_count(&self) -> Result<u64, StoreError> {
        let count: i64 = self.connection.prepare_cached("SELECT trashed FROM meta")?.query_row([], |row| row.get(0))?;
        u64::try_from(count).map_err(|_| StoreError::Damaged)
    }

    /// How many favourites an account has among the records that are not in the trash.
    pub(crate) fn favourite_count(&self, account: AccountId) -> Result<u64, StoreError> {
        let count: i64 = self
            .connection
            .prepare_cached(
                "SELECT count(*) FROM favourite f CROSS JOIN record r ON r.id = f.record
                 WHERE f.account = ?1 AND r.trashed_ms IS NULL",
            )?
            .query_row([account.as_bytes()], |row| row.get(0))?;
        u64::try_from(count).map_err(|_| StoreError::Damaged)
    }
}

/// One row more than asked for says whether there are more.
fn one_more(limit: u32) -> Value {
    Value::Integer(i64::from(limit) + 1)
}

fn passed_over(skip: u64) -> Value {
    // Beyond what SQLite counts to there is nothing, either.
    Value::Integer(i64::try_from(skip).unwrap_or(i64::MAX))
}

/// What a cursor holds, in the order of the parameters.
fn values(cursor: &Cursor) -> Vec<Value> {
    let key = |key: &RecordKey| Value::Blob(key.as_bytes().to_vec());
    let text = |text: &String| Value::Text(text.clone());
    match cursor {
        Cursor::Title { title_key, key: last } => vec![text(title_key), key(last)],
        Cursor::Kind { kind, title_key, key: last } => vec![text(kind), text(title_key), key(last)],
        Cursor::Changed { changed_ms, key: last } => vec![Value::Integer(*changed_ms), key(last)],
        Cursor::Created { row } => vec![Value::Integer(*row)],
        Cursor::Trash { trashed_ms, row } => vec![Value::Integer(*trashed_ms), Value::Integer(*row)],
    }
}

/// Takes at most `limit` rows, and the place of the last of them if another follows.
fn page_of<T>(
    mut rows: Rows<'_>,
    limit: u32,
    mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    place: impl Fn(&Row<'_>) -> Result<Cursor, StoreError>,
) -> Result<(Vec<T>, Option<Cursor>), StoreError> {
    let mut taken = Vec::new();
    let mut last = None;
    while let Some(row) = rows.next()? {
        if taken.len() as u64 == u64::from(limit) {
            return Ok((taken, last));
        }
        taken.push(read(row)?);
        // Only the page's last row is worth its copy.
        if taken.len() as u64 == u64::from(limit) {
            last = Some(place(row)?);
        }
    }
    Ok((taken, None))
}

#[cfg(test)]
pub(super) fn statements() -> Vec<(RecordOrder, bool, String)> {
    let orders = [RecordOrder::Title, RecordOrder::Kind, RecordOrder::Changed, RecordOrder::Created];
    let both = orders.into_iter().flat_map(|order| [(order, false), (order, true)]);
    both.map(|(order, continued)| (order, continued, statement(order, false, continued))).collect()
}

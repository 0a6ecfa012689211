//! The tenant's database as its users meet it: what was written is found, in order, and nothing else is.

mod erase;
mod find;

use std::collections::BTreeSet;
use std::path::PathBuf;

use coffer_crypto::secret::SecretKey;
use coffer_model::attachment::{AttachmentId, AttachmentName, MediaKind};
use coffer_model::list::{RecordOrder, RowDetail};
use coffer_model::query::Query;
use coffer_model::record::{FieldDraft, FieldId, FieldType, RecordContent, RecordDraft};
use proptest::prelude::*;

use super::*;
use crate::store::files::FileError;

const WHO: AccountId = AccountId::from_bytes([3; 16]);
const IDENTITY: TenantIdentity =
    TenantIdentity { vault: VaultId::from_bytes([1; 16]), tenant: TenantId::from_bytes([2; 16]), epoch: 1 };

struct Bench {
    folder: tempfile::TempDir,
    store: TenantStore,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = TenantStore::create(&folder.path().join("t.db"), &database_key(7), IDENTITY).unwrap();
        Self { folder, store }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("t.db")
    }

    fn reopen(&self, identity: TenantIdentity) -> Result<TenantStore, StoreError> {
        TenantStore::open(&self.path(), &database_key(7), identity, Access::ReadWrite)
    }

    /// Writes as the effect of the entry after the last.
    fn write(&mut self, write: impl FnOnce(&mut TenantTx<'_>)) {
        let entry = self.store.last_applied().unwrap().map_or(0, |entry| entry + 1);
        let mut tx = self.store.begin(at(1_000 + i64::try_from(entry).unwrap()), WHO).unwrap();
        write(&mut tx);
        tx.commit(entry).unwrap();
    }

    fn add(&mut self, number: u8, content: &RecordContent) {
        self.write(|tx| tx.insert_record(key(number), content).unwrap());
    }

    fn all_titles(&self, limit: u32) -> Vec<String> {
        self.titles_by(RecordOrder::Title, false, limit)
    }

    fn titles_by(&self, order: RecordOrder, favourites: bool, limit: u32) -> Vec<String> {
        let mut titles = Vec::new();
        let mut after = None;
        loop {
            let asked = PageQuery {
                account: WHO,
                order,
                favourites,
                limit,
                after: after.as_ref(),
                skip: 0,
                detail: RowDetail::None,
            };
            let page = self.store.page(&asked).unwrap();
            titles.extend(page.records.into_iter().map(|record| record.title));
            let Some(next) = page.next else { return titles };
            after = Some(Cursor::parse(&next.encode(IDENTITY.tenant), IDENTITY.tenant, Some(order)).unwrap());
        }
    }

    fn trash_titles(&self, limit: u32) -> Vec<String> {
        let mut titles = Vec::new();
        let mut after = None;
        loop {
            let page = self.store.trash_page(limit, after.as_ref(), 0).unwrap();
            titles.extend(page.records.into_iter().map(|(record, _)| record.title));
            let Some(next) = page.next else { return titles };
            after = Some(Cursor::parse(&next.encode(IDENTITY.tenant), IDENTITY.tenant, None).unwrap());
        }
    }

    /// Rows of every table that may hold something of a record, the tables that grow with each write left out.
    fn rows_left(&self) -> Vec<(String, i64)> {
        let count = |table: &str| {
            let sql = format!("SELECT count(*) FROM {table}");
            (table.to_owned(), self.store.connection.query_row(&sql, [], |row| row.get(0)).unwrap())
        };
        ["record", "version", "exposure", "favourite", "draft", "search"].into_iter().map(count).collect()
    }

    fn search(&self, text: &str) -> Vec<String> {
        let Some(query) = SearchQuery::new(&Query::parse_unfinished(text)) else { return Vec::new() };
        self.store.search(&query, 100).unwrap().records.into_iter().map(|record| record.title).collect()
    }
}

fn database_key(byte: u8) -> DatabaseKey {
    DatabaseKey::parse(&[byte; 48]).unwrap()
}

fn key(number: u8) -> RecordKey {
    RecordKey::from_bytes([number; 16])
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(millis).unwrap()
}

fn content(title: &str, fields: &[(FieldType, &str)], notes: &str) -> RecordContent {
    let fields = fields.iter().enumerate().map(|(index, (field_type, value))| FieldDraft {
        id: None,
        name: format!("field {index}"),
        field_type: *field_type,
        value: Some((*value).into()),
    });
    let draft = RecordDraft {
        kind: RecordKind::custom(),
        title: title.to_owned(),
        fields: fields.collect(),
        tags: vec![],
        notes: notes.to_owned(),
    };
    RecordContent::parse(draft, None).unwrap()
}

fn titled(title: &str) -> RecordContent {
    content(title, &[], "")
}

#[test]
fn a_database_opens_under_its_own_identity_only() {
    let bench = Bench::new();
    assert!(bench.reopen(IDENTITY).is_ok());
    for elsewhere in [
        TenantIdentity { vault: VaultId::from_bytes([9; 16]), ..IDENTITY },
        TenantIdentity { tenant: TenantId::from_bytes([9; 16]), ..IDENTITY },
        TenantIdentity { epoch: 2, ..IDENTITY },
    ] {
        assert!(matches!(bench.reopen(elsewhere), Err(StoreError::Misplaced)));
    }
    let wrong = TenantStore::open(&bench.path(), &database_key(8), IDENTITY, Access::ReadWrite);
    assert!(matches!(wrong, Err(StoreError::CannotOpen)));
    let again = TenantStore::create(&bench.path(), &database_key(7), IDENTITY);
    assert!(matches!(again, Err(StoreError::File(FileError::Exists))));
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let bench = Bench::new();
    bench.store.connection.pragma_update(None, "user_version", SCHEMA_VERSION + 1).unwrap();
    assert!(matches!(bench.reopen(IDENTITY), Err(StoreError::NewerSchema)));
}

#[test]
fn a_database_of_another_kind_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.db");
    drop(sqlcipher::create(&path, &database_key(7)).unwrap());
    let opened = TenantStore::open(&path, &database_key(7), IDENTITY, Access::ReadOnly);
    assert!(matches!(opened, Err(StoreError::Misplaced)));
}

#[test]
fn every_version_is_kept_whole() {
    let mut bench = Bench::new();
    let first = content("Gate", &[(FieldType::Secret, "1111")], "");
    let second = content("Front gate", &[(FieldType::Secret, "2222")], "");
    bench.add(1, &first);
    bench.write(|tx| assert_eq!(tx.update_record(key(1), 1, &second).unwrap(), 2));

    let newest = bench.store.record(key(1), None).unwrap().unwrap();
    assert_eq!((newest.version, &newest.content, newest.entry), (2, &second, 1));
    assert_eq!((newest.created_at, newest.changed_at, newest.changed_by), (at(1_000), at(1_001), WHO));
    let before = bench.store.record(key(1), Some(1)).unwrap().unwrap();
    assert_eq!((before.version, &before.content, before.entry), (1, &first, 0));
    assert_eq!(bench.store.record(key(1), Some(3)).unwrap(), None);
    assert_eq!(bench.store.record(key(9), None).unwrap(), None);

    let mut versions = Vec::new();
    bench.store.history(key(1), |version| versions.push(version.version)).unwrap();
    assert_eq!(versions, [2, 1]);
}

#[test]
fn a_change_based_on_an_older_version_is_refused() {
    let mut bench = Bench::new();
    bench.add(1, &titled("a"));
    bench.write(|tx| {
        tx.update_record(key(1), 1, &titled("b")).unwrap();
    });
    bench.write(|tx| {
        let refused = tx.update_record(key(1), 1, &titled("c"));
        assert!(matches!(refused, Err(ChangeError::VersionConflict)));
        assert!(matches!(tx.update_record(key(2), 1, &titled("c")), Err(ChangeError::NotFound)));
    });
    assert_eq!(bench.all_titles(10), ["b"]);
}

#[test]
fn a_write_that_is_not_committed_never_was() {
    let mut bench = Bench::new();
    let mut tx = bench.store.begin(at(0), WHO).unwrap();
    tx.insert_record(key(1), &titled("Ghost")).unwrap();
    drop(tx);
    assert_eq!(bench.store.count().unwrap(), 0);
    assert_eq!(bench.all_titles(10), [""; 0]);
    assert_eq!(bench.search("ghost"), [""; 0]);
    assert_eq!(bench.store.last_applied().unwrap(), None);
}

#[test]
fn committed_entries_are_known_and_count_once() {
    let mut bench = Bench::new();
    bench.add(1, &titled("a"));
    let tx = bench.store.begin(at(0), WHO).unwrap();
    tx.commit(41).unwrap();
    assert_eq!(bench.store.last_applied().unwrap(), Some(41));
    assert_eq!(bench.store.applied().unwrap(), [0, 41]);
    let tx = bench.store.begin(at(0), WHO).unwrap();
    assert!(tx.commit(41).is_err(), "one entry has one effect");
    assert_eq!(bench.store.count().unwrap(), 1);
}

#[test]
fn exposures_name_account_version_and_entry() {
    let mut bench = Bench::new();
    bench.add(1, &content("Safe", &[(FieldType::Secret, "1111")], ""));
    let exposure = Exposure { key: key(1), field: FieldId(1), version: 1, how: How::Copied };
    bench.write(|tx| tx.insert_exposure(&exposure).unwrap());
    let row = bench.store.connection.query_row(
        "SELECT r.key, e.field, e.version, e.how, c.account, c.at_ms, c.entry
         FROM exposure e JOIN record r ON r.id = e.record JOIN change c ON c.id = e.change",
        [],
        |row| {
            let (key, account): ([u8; 16], [u8; 16]) = (row.get(0)?, row.get(4)?);
            let numbers: [i64; 5] = [row.get(1)?, row.get(2)?, row.get(3)?, row.get(5)?, row.get(6)?];
            Ok((key, account, numbers))
        },
    );
    assert_eq!(row.unwrap(), ([1; 16], *WHO.as_bytes(), [1, 1, 2, 1_001, 1]));
}

#[test]
fn an_export_names_what_it_saw_in_one_row() {
    let mut bench = Bench::new();
    bench.add(1, &content("Safe", &[(FieldType::Secret, "1111")], ""));
    let until = bench.store.moment().unwrap().newest_change().unwrap();
    bench.write(|tx| tx.insert_export(until, ExportScope::AllVersions).unwrap());
    let row = bench.store.connection.query_row(
        "SELECT e.until, e.scope, c.account,
            (SELECT count(*) FROM version v WHERE v.change <= e.until) FROM export e JOIN change c ON c.id = e.change",
        [],
        |row| Ok(([row.get(0)?, row.get(1)?, row.get(3)?], row.get(2)?)),
    );
    assert_eq!(row.unwrap(), ([until, 2, 1], *WHO.as_bytes()));
}

#[test]
fn a_saved_record_is_found_at_once_by_its_new_words_only() {
    let mut bench = Bench::new();
    bench.add(1, &content("Müller GmbH", &[(FieldType::Email, "ines@example.org")], "Zweite Straße"));
    for text in ["muller", "MÜLL", "gmbh ines", "example.org", "ines@exam", "strasse", "müller stras"] {
        assert_eq!(bench.search(text), ["Müller GmbH"], "{text}");
    }
    for text in ["ller", "muller nobody", "example.ines", "mul gmbh"] {
        assert_eq!(bench.search(text), [""; 0], "{text}");
    }
    bench.write(|tx| {
        tx.update_record(key(1), 1, &titled("Schmidt")).unwrap();
    });
    assert_eq!(bench.search("schm"), ["Schmidt"]);
    assert_eq!(bench.search("muller"), [""; 0]);
}

#[test]
fn a_long_beginning_finds_all_its_words_be_they_few_or_many() {
    let mut bench = Bench::new();
    bench.write(|tx| {
        for number in 0..100_u8 {
            let title = format!("t{number:03} common");
            tx.insert_record(key(number), &content(&title, &[], &format!("begin{number:03}a x@begun{number}")))
                .unwrap();
        }
    });
    assert_eq!(bench.search("begin").len(), 100, "more words than are spelled out");
    assert_eq!(bench.search("begin01").len(), 10);
    assert_eq!(bench.search("common begin01").len(), 10);
    assert_eq!(bench.search("begin099"), ["t099 common"]);
    assert_eq!(bench.search("x@begun7").len(), 11);
    assert_eq!(bench.search("x@begun7.").len(), 11);
    assert_eq!(bench.search("begin1"), [""; 0]);
    assert_eq!(bench.search("begin099a begin098a"), [""; 0]);
}

#[test]
fn a_beginning_of_few_words_finds_what_has_them_now_the_newest_first() {
    let mut bench = Bench::new();
    for (number, notes) in [(1, "harbour"), (2, "harbourside harbour"), (3, "harbourmaster"), (4, "east@harbour")] {
        bench.add(number, &content(&format!("t{number}"), &[], notes));
    }
    assert_eq!(bench.search("harbou"), ["t4", "t3", "t2", "t1"]);
    assert_eq!(bench.search("east@harbou"), ["t4"], "the part alone is elsewhere, too");
    assert_eq!(bench.search("harbou -harbourmaster"), ["t4", "t2", "t1"]);
    bench.write(|tx| {
        tx.trash_record(key(2)).unwrap();
        tx.update_record(key(1), 1, &content("t1", &[], "haven")).unwrap();
    });
    assert_eq!(bench.search("harbou"), ["t4", "t3"]);
    bench.write(|tx| {
        tx.update_record(key(1), 2, &content("t1", &[], "harbour")).unwrap();
    });
    assert_eq!(bench.search("harbou"), ["t4", "t3", "t1"]);
}

#[test]
fn secrets_cannot_be_searched_for() {
    let mut bench = Bench::new();
    bench.add(1, &content("Safe", &[(FieldType::Secret, "canary8841"), (FieldType::Text, "cellar")], ""));
    assert_eq!(bench.search("cellar"), ["Safe"]);
    assert_eq!(bench.search("canary8841"), [""; 0]);
    let words: i64 = {
        let db = &bench.store.connection;
        db.execute_batch("CREATE VIRTUAL TABLE temp.words USING fts5vocab (main, search, row)").unwrap();
        db.query_row("SELECT count(*) FROM temp.words WHERE term LIKE '%canary%'", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(words, 0);
}

#[test]
fn the_best_titles_come_first_then_the_newest() {
    let mut bench = Bench::new();
    for (number, title, notes) in
        [(1, "Bauer", ""), (2, "Bauer & Co", ""), (3, "Hof Bauer", ""), (4, "A", "bauer"), (5, "B", "bauer")]
    {
        bench.add(number, &content(title, &[], notes));
    }
    assert_eq!(bench.search("bauer"), ["Bauer", "Bauer & Co", "Hof Bauer", "B", "A"]);
    let query = SearchQuery::new(&"bauer".parse().unwrap()).unwrap();
    let few = bench.store.search(&query, 2).unwrap();
    assert_eq!((few.records.len(), few.more), (2, true));
    assert!(!bench.store.search(&query, 5).unwrap().more);
}

#[test]
fn a_title_is_found_among_however_many_newer_records_with_its_words() {
    let mut bench = Bench::new();
    for (number, title) in [(0, "Harbour"), (1, "Harbourside"), (2, "Harbour master"), (3, "Old harbour")] {
        bench.add(number, &content(title, &[(FieldType::Text, "north")], ""));
    }
    bench.add(4, &content("Harbour master", &[(FieldType::Text, "south")], ""));
    for number in 5..=250 {
        bench.add(number, &content("Quay", &[], "harbour master north"));
    }
    let best = |query: Query, count: usize| -> Vec<String> {
        let found = bench.store.search(&SearchQuery::new(&query).unwrap(), 50).unwrap();
        assert!(found.more && found.records.len() == 50);
        found.records.into_iter().take(count).map(|record| record.title).collect()
    };
    let [one, two] = ["Harbour master", "Harbour"];
    assert_eq!(best("harbour".parse().unwrap(), 5), [two, one, one, "Harbourside", "Quay"]);
    assert_eq!(best(Query::parse_unfinished("harb"), 5), [one, one, "Harbourside", two, "Quay"]);
    assert_eq!(best(Query::parse_unfinished("harbour ma"), 3), [one, one, "Quay"]);
    // Where a title alone does not say whether the record is meant.
    assert_eq!(best("\"harbour\"".parse().unwrap(), 4), [two, one, one, "Quay"]);
    assert_eq!(best("harbour -south".parse().unwrap(), 4), [two, one, "Harbourside", "Quay"]);
    assert_eq!(best("harbour after:1970-01-01 -field:x".parse().unwrap(), 1), [two]);
    assert_eq!(best("north harbour".parse().unwrap(), 1), ["Quay"]);
}

#[test]
fn pages_are_read_from_their_index_alone() {
    let bench = Bench::new();
    for (order, continued, sql) in super::list_rows::statements() {
        let mut query = bench.store.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps = query.raw_query().mapped(|row| row.get::<_, String>(3)).collect::<Result<Vec<_>, _>>().unwrap();
        let begins = match order {
            // Its index says where the page is; the rows stand together in the table.
            RecordOrder::Created => "SEARCH r USING INDEX record_by_trash (trashed_ms=?",
            RecordOrder::Title | RecordOrder::Kind | RecordOrder::Changed if continued => {
                "SEARCH r USING COVERING INDEX record_by_"
            }
            RecordOrder::Title | RecordOrder::Kind | RecordOrder::Changed => "SCAN r USING COVERING INDEX record_by_",
        };
        assert!(steps[0].starts_with(begins), "{order:?}: {steps:?}");
        assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE")), "{order:?}: {steps:?}");
    }
}

#[test]
fn what_is_in_the_trash_is_in_no_list_count_or_search_and_comes_back_with_everything() {
    let mut bench = Bench::new();
    bench.add(1, &content("Gate", &[(FieldType::Text, "cellar")], "note"));
    bench.add(2, &titled("Harbour"));
    bench.write(|tx| tx.set_favourite(key(1), true).unwrap());
    let before = bench.store.record(key(1), None).unwrap().unwrap();
    bench.write(|tx| tx.trash_record(key(1)).unwrap());

    for order in [RecordOrder::Title, RecordOrder::Kind, RecordOrder::Changed, RecordOrder::Created] {
        assert_eq!(bench.titles_by(order, false, 1), ["Harbour"]);
        assert_eq!(bench.titles_by(order, true, 1), [""; 0]);
    }
    assert_eq!(bench.store.full_page(10, None).unwrap().records.len(), 1);
    assert_eq!((bench.store.count().unwrap(), bench.store.trash_count().unwrap()), (1, 1));
    assert_eq!(bench.store.favourite_count(WHO).unwrap(), 0);
    for text in ["gate", "cellar", "not"] {
        assert_eq!(bench.search(text), [""; 0], "{text}");
    }
    let trashed = bench.store.record(key(1), None).unwrap().unwrap();
    assert_eq!((trashed.trashed_at, &trashed.content), (Some(at(1_003)), &before.content));
    bench.write(|tx| {
        assert!(matches!(tx.trash_record(key(1)), Err(ChangeError::NotFound)), "it is there already");
        assert!(matches!(tx.restore_record(key(2)), Err(ChangeError::NotFound)), "it is not there");
        assert!(matches!(tx.purge_records(&[key(2)]), Err(ChangeError::NotFound)), "it is not there");
        assert!(matches!(tx.update_record(key(1), 1, &titled("x")), Err(ChangeError::VersionConflict)));
    });

    bench.write(|tx| tx.restore_record(key(1)).unwrap());
    assert_eq!(bench.store.record(key(1), None).unwrap().unwrap(), before);
    assert_eq!((bench.store.count().unwrap(), bench.store.trash_count().unwrap()), (2, 0));
    assert_eq!(bench.search("cellar"), ["Gate"]);
    assert_eq!(bench.titles_by(RecordOrder::Title, true, 10), ["Gate"]);
}

#[test]
fn a_purged_record_leaves_its_key_and_that_its_secrets_were_seen() {
    let mut bench = Bench::new();
    let draft = RecordDraft {
        kind: RecordKind::custom(),
        title: "half".to_owned(),
        fields: vec![],
        tags: vec![],
        notes: String::new(),
    };
    bench.add(1, &content("Gate", &[(FieldType::Secret, "1111")], ""));
    bench.write(|tx| {
        tx.update_record(key(1), 1, &content("Gate", &[(FieldType::Secret, "2222")], "")).unwrap();
    });
    let exposure = Exposure { key: key(1), field: FieldId(1), version: 1, how: How::Revealed };
    bench.write(|tx| tx.insert_exposure(&exposure).unwrap());
    bench.write(|tx| tx.set_favourite(key(1), true).unwrap());
    bench.write(|tx| tx.keep_draft(Some(key(1)), 2, &draft).unwrap());
    bench.write(|tx| tx.trash_record(key(1)).unwrap());
    assert!(bench.rows_left().iter().filter(|(table, _)| table != "search").all(|(_, rows)| *rows > 0));
    bench.write(|tx| tx.purge_records(&[key(1)]).unwrap());
    assert!(bench.rows_left().iter().all(|(_, rows)| *rows == 0), "{:?}", bench.rows_left());
    assert_eq!((bench.store.count().unwrap(), bench.store.trash_count().unwrap()), (0, 0));
    let query = "SELECT c.entry FROM moved m JOIN change c ON c.id = m.change WHERE m.key = ?1 ORDER BY c.id";
    let mut moves = bench.store.connection.prepare(query).unwrap();
    let moves = moves.query_map([key(1).as_bytes()], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(moves.map(Result::unwrap).collect::<Vec<_>>(), [5, 6], "which writes trashed and purged it");
}

#[test]
fn entries_under_which_somebody_saw_secrets_outlast_what_they_saw() {
    let mut bench = Bench::new();
    bench.add(1, &content("Gate", &[(FieldType::Secret, "1111")], ""));
    bench.add(2, &content("Safe", &[(FieldType::Secret, "2222")], ""));
    let exposure = |number| Exposure { key: key(number), field: FieldId(1), version: 1, how: How::Revealed };
    bench.write(|tx| tx.insert_exposure(&exposure(1)).unwrap());
    // One write of two: a file about a person.
    bench.write(|tx| [1, 2].map(|number| tx.insert_exposure(&exposure(number)).unwrap()).into_iter().collect());
    bench.write(|tx| tx.insert_export(4, ExportScope::Everything).unwrap());
    let seen = |bench: &Bench, account| {
        let seen = bench.store.moment().unwrap().entries_seen(account).unwrap();
        (seen.kept.into_keys().collect::<Vec<_>>(), seen.gone.into_iter().collect::<Vec<_>>())
    };
    assert_eq!(seen(&bench, WHO), (vec![2, 3, 4], vec![]));
    let kept = bench.store.moment().unwrap().entries_seen(WHO).unwrap().kept;
    assert_eq!((kept[&2], kept[&4]), (exposure(1).digest(), ExportScope::Everything.digest()));
    assert_eq!(seen(&bench, AccountId::from_bytes([4; 16])), (vec![], vec![]));
    bench.write(|tx| tx.trash_record(key(1)).unwrap());
    bench.write(|tx| tx.purge_records(&[key(1)]).unwrap());
    assert_eq!(seen(&bench, WHO), (vec![3, 4], vec![(2, 6), (3, 6)]));
    bench.write(|tx| drop(tx.update_record(key(2), 1, &titled("Safe"))));
    let erased = ErasedHistory { key: key(2), versions: vec![1], attachments: vec![] };
    bench.write(|tx| drop(tx.erase_history(std::slice::from_ref(&erased)).unwrap()));
    assert_eq!(seen(&bench, WHO), (vec![4], vec![(2, 6), (3, 6), (3, 8)]));
}

#[test]
fn a_purge_that_is_not_committed_never_was() {
    let mut bench = Bench::new();
    bench.add(1, &titled("Gate"));
    bench.write(|tx| tx.trash_record(key(1)).unwrap());
    let mut tx = bench.store.begin(at(9), WHO).unwrap();
    tx.purge_records(&[key(1)]).unwrap();
    drop(tx);
    assert_eq!(bench.trash_titles(10), ["Gate"]);
    assert_eq!(bench.store.trash_count().unwrap(), 1);
}

#[test]
fn a_clock_set_back_does_not_shorten_the_time_in_the_trash() {
    let mut bench = Bench::new();
    bench.add(1, &titled("Gate"));
    let mut tx = bench.store.begin(at(-1_000_000), WHO).unwrap();
    tx.trash_record(key(1)).unwrap();
    tx.commit(1).unwrap();
    assert_eq!(bench.store.trashed_until(999, 10).unwrap(), []);
    assert_eq!(bench.store.trashed_until(1_000, 10).unwrap(), [key(1)]);
}

#[test]
fn marks_and_drafts_are_of_one_account() {
    let other = AccountId::from_bytes([4; 16]);
    let mut bench = Bench::new();
    bench.add(1, &titled("Gate"));
    bench.write(|tx| tx.set_favourite(key(1), true).unwrap());
    let mut draft = RecordDraft {
        kind: RecordKind::custom(),
        title: String::new(),
        fields: vec![],
        tags: vec![],
        notes: "first".to_owned(),
    };
    bench.write(|tx| tx.keep_draft(None, 0, &draft).unwrap());
    "second".clone_into(&mut draft.notes);
    bench.write(|tx| tx.keep_draft(None, 0, &draft).unwrap());
    bench.write(|tx| tx.keep_draft(Some(key(1)), 1, &draft).unwrap());

    assert!(bench.store.is_favourite(WHO, key(1)).unwrap());
    assert!(!bench.store.is_favourite(other, key(1)).unwrap());
    assert_eq!(bench.store.drafts(other).unwrap(), []);
    assert_eq!(bench.store.draft(other, None).unwrap(), None);
    let kept: Vec<_> = bench.store.drafts(WHO).unwrap().iter().map(|kept| (kept.record, kept.version)).collect();
    assert_eq!(kept, [(Some(key(1)), 1), (None, 0)], "one in place of the other");
    assert_eq!(bench.store.draft(WHO, None).unwrap().unwrap().draft, draft);
    bench.write(|tx| tx.trash_record(key(1)).unwrap());
    assert_eq!(bench.store.drafts(WHO).unwrap().len(), 1, "not while its record is in the trash");
    bench.write(|tx| tx.delete_draft(None).unwrap());
    assert_eq!(bench.store.draft(WHO, None).unwrap(), None);
}

#[test]
fn a_record_of_the_largest_size_is_kept_and_found() {
    let mut bench = Bench::new();
    let large = format!("{} needle", "x".repeat(250 * 1024));
    let fields: Vec<_> = (0..4).map(|_| (FieldType::Text, large.as_str())).collect();
    bench.add(1, &content("Large", &fields, ""));
    let swelling = "\u{fdfa}".repeat(80_000);
    bench.add(2, &content("Swelling", &[(FieldType::Text, &swelling)], "haystack"));
    assert_eq!(bench.search("needle"), ["Large"]);
    assert_eq!(bench.search("haystack"), ["Swelling"]);
    assert!(bench.store.record(key(1), None).unwrap().is_some());
}

fn attachment<'a>(
    version: u32,
    id: u16,
    name: &'a AttachmentName,
    file: &'a StoredFile,
    digest: &'a [u8; 32],
) -> NewAttachment<'a> {
    let (id, media) = (AttachmentId(id), MediaKind::Text);
    NewAttachment { key: key(1), expected_version: version, id, name, media, file, digest }
}

#[test]
fn each_version_has_what_was_attached_by_then_and_not_detached() {
    let mut bench = Bench::new();
    bench.add(1, &titled("Gate"));
    let (plan, list) = (AttachmentName::from_file_name("plan"), AttachmentName::from_file_name("list"));
    let one = StoredFile { file: [1; 16], header: [1; 32], bytes: 10 };
    let two = StoredFile { file: [2; 16], header: [2; 32], bytes: 20 };
    bench.write(|tx| assert!(tx.insert_attachment(&attachment(1, 1, &plan, &one, &[1; 32])).unwrap()));
    // The same content: the file it would have come from is not needed.
    bench.write(|tx| assert!(!tx.insert_attachment(&attachment(2, 2, &list, &two, &[1; 32])).unwrap()));
    bench.write(|tx| tx.detach(key(1), 3, AttachmentId(1)).unwrap());
    bench.write(|tx| {
        tx.update_record(key(1), 4, &titled("Gate 2")).unwrap();
    });
    let old = bench.store.attachment(key(1), AttachmentId(1)).unwrap().unwrap();
    bench.write(|tx| tx.reattach(key(1), 5, &old, AttachmentId(3)).unwrap());
    let names = |version| -> Vec<String> {
        let stored = bench.store.record(key(1), Some(version)).unwrap().unwrap();
        stored.attachments.iter().map(|attached| format!("{} {}", attached.id.0, attached.name)).collect()
    };
    let [first, second, third, fourth, fifth, sixth] = [1, 2, 3, 4, 5, 6].map(names);
    assert_eq!((first.as_slice(), second), (&[][..], vec!["1 plan".to_owned()]));
    assert_eq!(third, ["1 plan", "2 list"]);
    assert_eq!((fourth, fifth), (vec!["2 list".to_owned()], vec!["2 list".to_owned()]));
    assert_eq!(sixth, ["2 list", "3 plan"]);
    assert_eq!((old.attached, old.detached), (2, Some(4)));
    assert_eq!(bench.store.next_attachment(key(1)).unwrap(), Some(AttachmentId(4)));
    let mut files = Vec::new();
    bench.store.files(|file| files.push(file)).unwrap();
    assert_eq!(files, std::slice::from_ref(&one));
    assert_eq!(bench.store.file_of(&[1; 32]).unwrap(), Some(one));
    assert_eq!(bench.store.file_of(&[2; 32]).unwrap(), None);
    let page = bench.store.full_page(10, None).unwrap();
    assert_eq!(page.records[0].1.attachments.len(), 2);
    assert_eq!(bench.store.attachment_history(key(1)).unwrap().len(), 3);
}

#[test]
fn an_attachment_that_does_not_fit_its_record_is_refused_and_changes_nothing() {
    let mut bench = Bench::new();
    bench.add(1, &titled("Gate"));
    let plan = AttachmentName::from_file_name("plan");
    let file = StoredFile { file: [1; 16], header: [1; 32], bytes: 10 };
    bench.write(|tx| assert!(tx.insert_attachment(&attachment(1, 1, &plan, &file, &[1; 32])).unwrap()));
    let mut tx = bench.store.begin(at(9_000), WHO).unwrap();
    let again = tx.insert_attachment(&attachment(2, 2, &plan, &file, &[1; 32]));
    assert!(matches!(again, Err(AttachRowError::NameTaken)));
    drop(tx);
    let mut tx = bench.store.begin(at(9_000), WHO).unwrap();
    let stale = tx.insert_attachment(&attachment(1, 2, &plan, &file, &[1; 32]));
    assert!(matches!(stale, Err(AttachRowError::Change(ChangeError::VersionConflict))));
    assert!(matches!(tx.detach(key(1), 1, AttachmentId(1)), Err(ChangeError::VersionConflict)));
    assert!(matches!(tx.detach(key(2), 1, AttachmentId(1)), Err(ChangeError::NotFound)));
    drop(tx);
    let mut tx = bench.store.begin(at(9_000), WHO).unwrap();
    assert!(matches!(tx.detach(key(1), 2, AttachmentId(2)), Err(ChangeError::NotFound)));
    drop(tx);
    bench.write(|tx| tx.detach(key(1), 2, AttachmentId(1)).unwrap());
    let mut tx = bench.store.begin(at(9_000), WHO).unwrap();
    assert!(matches!(tx.detach(key(1), 3, AttachmentId(1)), Err(ChangeError::NotFound)), "twice");
    drop(tx);
    assert_eq!(bench.store.record(key(1), None).unwrap().unwrap().version, 3);
}

#[test]
fn a_purged_record_takes_its_attachments_along_and_leaves_what_others_share() {
    let mut bench = Bench::new();
    bench.add(1, &titled("Gate"));
    bench.add(2, &titled("Door"));
    let plan = AttachmentName::from_file_name("plan");
    let (own, shared) = ([1; 32], [2; 32]);
    let file = |number: u8| StoredFile { file: [number; 16], header: [number; 32], bytes: 10 };
    let (first, second) = (file(1), file(2));
    let list = AttachmentName::from_file_name("list");
    bench.write(|tx| assert!(tx.insert_attachment(&attachment(1, 1, &plan, &first, &own)).unwrap()));
    bench.write(|tx| assert!(tx.insert_attachment(&attachment(2, 2, &list, &second, &shared)).unwrap()));
    let other = NewAttachment { key: key(2), ..attachment(1, 1, &list, &second, &shared) };
    bench.write(|tx| assert!(!tx.insert_attachment(&other).unwrap()));
    bench.write(|tx| tx.detach(key(1), 3, AttachmentId(1)).unwrap());
    bench.write(|tx| tx.trash_record(key(1)).unwrap());
    let mut tx = bench.store.begin(at(9_000), WHO).unwrap();
    assert!(matches!(tx.detach(key(1), 4, AttachmentId(2)), Err(ChangeError::VersionConflict)), "it is in the trash");
    drop(tx);
    bench.write(|tx| tx.purge_records(&[key(1)]).unwrap());
    assert_eq!(bench.store.file_of(&own).unwrap(), None);
    assert_eq!(bench.store.file_of(&shared).unwrap(), Some(second));
    assert_eq!(bench.store.record(key(2), None).unwrap().unwrap().attachments.len(), 1);
}

#[test]
fn schema_names_every_table_it_documents() {
    let bench = Bench::new();
    let mut query = bench
        .store
        .connection
        .prepare("SELECT name FROM sqlite_schema WHERE name NOT GLOB 'sqlite_*' AND name NOT GLOB 'search_*' AND name NOT GLOB 'number_*'")
        .unwrap();
    let names: BTreeSet<String> = query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let documented = [
        "attachment",
        "attachment_by_file",
        "change",
        "detachment",
        "draft",
        "expiry",
        "expiry_by_record",
        "export",
        "exposure",
        "exposure_by_field",
        "exposure_gone",
        "file",
        "favourite",
        "favourite_by_record",
        "meta",
        "moved",
        "number",
        "record",
        "record_by_changed",
        "record_by_kind",
        "record_by_title",
        "record_by_trash",
        "search",
        "settled",
        "tag",
        "tag_by_name",
        "version",
    ];
    assert_eq!(names, documented.map(str::to_owned).into());
}

/// Letters that fold, separate, or mean something to FTS5.
fn title() -> impl Strategy<Value = String> {
    "[aAbBäÄßÉeÇcøzZ0-9 .\"*_'-]{0,8}[a-zA-ZäÖß0-9]"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn pages_put_together_are_the_whole_in_order(titles in prop::collection::vec(title(), 0..40), limit in 1_u32..9) {
        let mut bench = Bench::new();
        bench.write(|tx| {
            for (number, title) in (0_u8..).zip(&titles) {
                tx.insert_record(key(number), &titled(title)).unwrap();
            }
        });
        let mut expected: Vec<(String, u8, String)> = (0_u8..)
            .zip(&titles)
            .map(|(number, title)| (fold::fold(title.trim(), usize::MAX), number, title.trim().to_owned()))
            .collect();
        expected.sort();
        let expected: Vec<String> = expected.into_iter().map(|(_, _, title)| title).collect();
        prop_assert_eq!(bench.all_titles(limit), expected);
        prop_assert_eq!(bench.store.count().unwrap(), titles.len() as u64);
    }

    #[test]
    fn every_order_put_together_from_pages_is_the_whole_without_the_trash(
        steps in prop::collection::vec((title(), 0..3_u8, any::<bool>(), any::<bool>()), 0..30),
        limit in 1_u32..7,
    ) {
        let mut bench = Bench::new();
        let mut model: Vec<(String, String, i64, RecordKey, bool)> = Vec::new();
        for (number, (title, kind, trash, mark)) in (0_u8..).zip(&steps) {
            let kind = ["login", "card", "note"][usize::from(*kind)];
            let draft = RecordDraft { kind: kind.parse().unwrap(), title: title.clone(), fields: vec![], tags: vec![], notes: String::new() };
            let made = RecordContent::parse(draft, None).unwrap();
            bench.add(number, &made);
            if *mark {
                bench.write(|tx| tx.set_favourite(key(number), true).unwrap());
            }
            if *trash {
                bench.write(|tx| tx.trash_record(key(number)).unwrap());
            } else {
                let created = bench.store.record(key(number), None).unwrap().unwrap().created_at;
                model.push((title.trim().to_owned(), kind.to_owned(), created.unix_millis(), key(number), *mark));
            }
        }
        for order in [RecordOrder::Title, RecordOrder::Kind, RecordOrder::Changed, RecordOrder::Created] {
            for favourites in [false, true] {
                let mut expected: Vec<_> = model.iter().filter(|record| record.4 || !favourites).collect();
                expected.sort_by_key(|(title, kind, at, key, _)| {
                    let folded = fold::fold(title, usize::MAX);
                    match order {
                        RecordOrder::Title => (String::new(), folded, 0, *key),
                        RecordOrder::Kind => (kind.clone(), folded, 0, *key),
                        RecordOrder::Changed | RecordOrder::Created => (String::new(), String::new(), -at, *key),
                    }
                });
                let expected: Vec<_> = expected.into_iter().map(|record| record.0.clone()).collect();
                prop_assert_eq!(bench.titles_by(order, favourites, limit), expected, "{:?}", order);
            }
        }
        let trashed: BTreeSet<String> = steps.iter().filter(|step| step.2).map(|step| step.0.trim().to_owned()).collect();
        prop_assert_eq!(BTreeSet::from_iter(bench.trash_titles(limit)), trashed);
    }

    #[test]
    fn search_agrees_with_a_naive_reading(
        texts in prop::collection::vec("([abä]{1,6}[ .@]){1,5}", 1..20),
        query in "[abä.]{1,6}( [abä.@]{1,6}){0,2}",
    ) {
        let mut bench = Bench::new();
        bench.write(|tx| {
            for (number, text) in (0_u8..).zip(&texts) {
                tx.insert_record(key(number), &content(&format!("t{number}"), &[], text)).unwrap();
            }
        });
        let expected: BTreeSet<String> = (0..texts.len())
            .filter(|&index| naive_match(&texts[index], &query))
            .map(|index| format!("t{index}"))
            .collect();
        prop_assert_eq!(BTreeSet::from_iter(bench.search(&query)), expected);
    }
}

/// Every word of the query, split at punctuation, occurs as consecutive words; the last of them as a beginning.
fn naive_match(text: &str, query: &str) -> bool {
    let tokens = |text: &str| -> Vec<String> {
        let folded = text.replace('ä', "a");
        folded.split(|c: char| !c.is_alphanumeric()).filter(|token| !token.is_empty()).map(str::to_owned).collect()
    };
    let text = tokens(text);
    let words: Vec<Vec<String>> = query.split(' ').map(tokens).filter(|word| !word.is_empty()).collect();
    let last = words.len().wrapping_sub(1);
    !words.is_empty()
        && words.iter().enumerate().all(|(index, word)| {
            text.windows(word.len()).any(|part| {
                let (end, start) = word.split_last().unwrap();
                let (part_end, part_start) = part.split_last().unwrap();
                // A single letter is looked for as a whole word.
                let as_beginning = index == last && word_length(query, index) > 1;
                part_start == start && if as_beginning { part_end.starts_with(end) } else { part_end == end }
            })
        })
}

/// Bytes of the query's word after folding, punctuation included.
fn word_length(query: &str, index: usize) -> usize {
    query.split(' ').filter(|word| word.chars().any(char::is_alphanumeric)).nth(index).unwrap().replace('ä', "a").len()
}

proptest! {
    #[test]
    fn no_text_is_syntax_to_the_database(text in any::<String>(), ascii in "[ -~]{0,40}", words in "([\"*^:+(){}.-]|AND|OR|NOT|NEAR|title| |a){0,20}") {
        thread_local! {
            static BENCH: Bench = {
                let mut bench = Bench::new();
                bench.add(1, &content("a title", &[(FieldType::Text, "a b c")], ""));
                bench
            };
        }
        BENCH.with(|bench| {
            for text in [&text, &ascii, &words] {
                bench.search(text);
            }
        });
    }
}

#[test]
fn days_of_the_newest_version_alone_are_indexed_and_found_in_their_order() {
    let mut bench = Bench::new();
    let day = |day: &str| (FieldType::Expiry, day.to_owned());
    let add = |bench: &mut Bench, number: u8, days: &[(FieldType, String)]| {
        let days: Vec<_> = days.iter().map(|(kind, day)| (*kind, day.as_str())).collect();
        bench.add(number, &content(&format!("Record {number}"), &days, ""));
    };
    add(&mut bench, 1, &[day("2026-12-24"), day("2026-11-01"), (FieldType::Date, "2026-11-02".to_owned())]);
    add(&mut bench, 2, &[day("2026-12-01"), day("")]);
    let found = |bench: &Bench, until: &str, limit| -> Vec<(String, u16)> {
        let found = bench.store.expiring(until.parse().unwrap(), limit).unwrap();
        found.into_iter().map(|row| (row.day.to_string(), row.field.0)).collect()
    };
    let row = |day: &str, field| (day.to_owned(), field);
    assert_eq!(found(&bench, "2026-12-24", 10), [row("2026-11-01", 2), row("2026-12-01", 1), row("2026-12-24", 1)]);
    assert_eq!(found(&bench, "2026-11-30", 10), [row("2026-11-01", 2)]);
    assert_eq!(found(&bench, "2026-12-24", 1), [row("2026-11-01", 2)]);
    let moved = content("Record 1", &[(FieldType::Expiry, "2027-01-01")], "");
    bench.write(|tx| assert_eq!(tx.update_record(key(1), 1, &moved).unwrap(), 2));
    assert_eq!(found(&bench, "2027-01-01", 10), [row("2026-12-01", 1), row("2027-01-01", 1)]);
}

#[test]
fn days_of_an_imported_record_are_those_of_its_newest_version() {
    let mut bench = Bench::new();
    let day = |day| content("Lease", &[(FieldType::Expiry, day)], "");
    let (before, now) = (day("2026-11-01"), day("2027-11-01"));
    bench.write(|tx| {
        let mut record = tx.begin_record(key(1), &now).unwrap();
        for version in [&before, &now] {
            tx.add_version(&mut record, version, None).unwrap();
        }
        tx.finish_record(&record, &now).unwrap();
    });
    let found = bench.store.expiring("2027-12-31".parse().unwrap(), 10).unwrap();
    let days: Vec<String> = found.into_iter().map(|row| row.day.to_string()).collect();
    assert_eq!(days, ["2027-11-01"]);
}

//! S3, S5, S6, S7 and S9: lists, imports, saves, searches and backups, against SQLCipher used directly.

use std::time::Duration;

use coffer_core::{ImportRequest, Session};
use coffer_model::id::TenantId;
use coffer_model::query::Query;
use coffer_tests::{Place, kept, login_draft, tenant};

use crate::portable_backup;
use crate::reference::{self, Answers};
use crate::rows::{self, rare_word, word};
use crate::table::{Goal, Pairs, Table, timed};
use crate::{Arguments, note};

/// Records of a page.
const PAGE: u32 = 100;
/// Records of the small tenant that the large one is compared with.
const FEW: u64 = 1_000;
/// Saves of one timing.
const SAVES: u32 = 200;
/// Searches of one timing.
const SEARCHES: u64 = 20;
/// Hits asked for.
const HITS: u32 = 50;
/// Tenants that the palette looks through.
const TENANTS: u64 = 20;
/// Hits the palette asks for.
const PALETTE_HITS: u32 = 200;
/// Letters typed until the right record is seen.
const PALETTE_LETTERS: usize = 14;

pub fn measure(arguments: &Arguments, table: &mut Table) {
    let place = Place::new();
    let (session, _kit) = place.create();
    if arguments.wants(&["S5"]) {
        measure_import(arguments, table, &place, &session);
    }
    if arguments.wants(&["S6"]) {
        measure_save(arguments, table, &place, &session);
    }
    if arguments.wants(&["S14"]) {
        measure_palette(arguments, table);
    }
    if !arguments.wants(&["S3", "S7", "S9"]) {
        return;
    }
    note("importing the large tenant");
    let few = tenant(&session, "Few").id;
    let many = tenant(&session, "Many").id;
    import(&place, &session, few, 1, FEW);
    import(&place, &session, many, 0, arguments.records);
    note("making the reference database");
    let bare = place.path("reference.db");
    drop(reference::make(&bare, 0, arguments.records));
    for _ in 0..reference::LOG_IN_USE {
        session.list_records(few, 1, None).unwrap();
    }
    session.lock().unwrap();
    if arguments.wants(&["S3"]) {
        measure_opening(arguments, table, &place, [few, many]);
    }
    if arguments.wants(&["S7"]) {
        measure_search(arguments, table, &place, many);
    }
    if arguments.wants(&["S9"]) {
        portable_backup::measure(arguments, table, &place);
    }
}

fn import(place: &Place, session: &Session, tenant: TenantId, set: u64, count: u64) -> Duration {
    let file = place.path("rows.csv");
    rows::write_csv(&file, set, count);
    let request = ImportRequest::new(file, tenant);
    timed(|| {
        let report = session.start_import(request).unwrap().wait().unwrap();
        assert_eq!((report.imported, report.rejected), (count, 0));
    })
}

/// Against inserting the same rows, ready in memory, in one transaction, into the least tables that answer the same calls:
/// no file is read, no text folded, no history kept. Below it the same against tables that answer fewer of them.
fn measure_import(arguments: &Arguments, table: &mut Table, place: &Place, session: &Session) {
    note("S5: importing");
    let mut set = 100;
    let count = arguments.rows;
    let mut here = || {
        set += 1;
        let tenant = tenant(session, &format!("Import {set}")).id;
        import(place, session, tenant, set, count)
    };
    let bare = |answers: Answers| {
        let path = place.path("import.db");
        let _ = std::fs::remove_file(&path);
        let mut connection = reference::open_encrypted(&path);
        reference::create(&connection, answers);
        let rows: Vec<_> = (0..count).map(|number| rows::row(9, number)).collect();
        timed(|| reference::insert(&mut connection, answers, rows.into_iter()))
    };
    let pairs = Pairs::run(arguments.pairs, &mut here, || bare(Answers::All));
    let what = format!("import of {count} rows, against bare inserts");
    table.add("S5", &what, &pairs, 1.0, Goal::SpeedAtLeast(0.7));
    let pairs = Pairs::run(arguments.pairs, &mut here, || bare(Answers::Least));
    let what = "  the same, where lists by title and words alone are indexed";
    table.add("S5", what, &pairs, 1.0, Goal::Beside);
}

/// Against two commits: the log's and the tenant's are in two files.
fn measure_save(arguments: &Arguments, table: &mut Table, place: &Place, session: &Session) {
    note("S6: saving");
    let tenant = tenant(session, "Saves").id;
    let mut record = session.add_record(tenant, login_draft("Harbour gateway", "svc", "invented")).unwrap();
    let here = || {
        timed(|| {
            for number in 0..SAVES {
                let mut draft = kept(&record);
                draft.title = format!("Harbour gateway {number}");
                record = session.change_record(record.id, record.version, draft).unwrap();
            }
        })
    };
    let connection = reference::open_encrypted(&place.path("commits.db"));
    reference::create(&connection, Answers::Least);
    let body = [0x5A; 300];
    let bare = || {
        timed(|| {
            for _ in 0..2 * SAVES {
                reference::commit(&connection, &body);
            }
        })
    };
    let pairs = Pairs::run(arguments.pairs, here, bare);
    let what = "durable save with log and history, against two bare commits";
    table.add("S6", what, &pairs, f64::from(SAVES), Goal::SpeedAtLeast(0.8));
}

/// What the palette asks while somebody types: the best few of every tenant.
fn measure_palette(arguments: &Arguments, table: &mut Table) {
    note("S14: filling many tenants");
    let place = Place::new();
    let (session, _kit) = place.create();
    for number in 0..TENANTS {
        let id = tenant(&session, &format!("Tenant {number}")).id;
        import(&place, &session, id, 200 + number, arguments.rows);
    }
    note("S14: asking all of them");
    let mut taken = Vec::new();
    for n in 0..SEARCHES {
        let text = format!("{} {}", rows::row(200 + n % TENANTS, n).title.to_lowercase(), word(n * 31 % 3_000));
        for end in 2..=text.len().min(PALETTE_LETTERS) {
            let query = Query::parse_unfinished(&text[..end]);
            taken.push(timed(|| drop(session.search(&query, None, PALETTE_HITS).unwrap())));
        }
    }
    session.lock().unwrap();
    taken.sort();
    let what = format!("palette over {TENANTS} tenants of {}, 95th percentile", arguments.rows);
    table.add_alone("S14", &what, taken[taken.len() * 95 / 100], Duration::from_millis(50));
}

/// The first call on a tenant opens it.
fn measure_opening(arguments: &Arguments, table: &mut Table, place: &Place, [few, many]: [TenantId; 2]) {
    note("S3: opening");
    let open = |tenant: TenantId| {
        let session = place.unlock();
        let took = timed(|| {
            let page = session.list_records(tenant, PAGE, None).unwrap();
            assert_eq!(page.records.len(), PAGE as usize);
        });
        session.lock().unwrap();
        took
    };
    let bare = place.path("reference.db");
    let open_bare =
        || timed(|| assert_eq!(reference::first_page(&reference::open_encrypted(&bare), PAGE), PAGE as usize));
    let count = arguments.pairs.max(15);
    let records = arguments.records;
    let what = format!("tenant opened, first page: {records} records against {FEW}");
    table.add("S3", &what, &Pairs::run(count, || open(many), || open(few)), 1.0, Goal::TimeAtMost(2.5));
    let what = format!("tenant opened, first page: {records} records, against bare");
    table.add("S3", &what, &Pairs::run(count, || open(many), open_bare), 1.0, Goal::TimeAtMost(1.5));
    // Opening and listing are two entries in the log, each on the disk before anything is shown.
    let log = reference::used_log(&place.path("opened.db"));
    let open_bare_logged = || open_bare() + timed(|| (0..2).for_each(|_| reference::log_entry(&log)));
    let what = "  the same, against bare and two bare commits for the log";
    table.add("S3", what, &Pairs::run(count, || open(many), open_bare_logged), 1.0, Goal::TimeAtMost(1.5));
}

fn measure_search(arguments: &Arguments, table: &mut Table, place: &Place, many: TenantId) {
    note("S7: searching");
    let session = place.unlock();
    let connection = reference::open_encrypted(&place.path("reference.db"));
    let log = reference::used_log(&place.path("searched.db"));
    let records = arguments.records;
    let kinds: [(&str, &dyn Fn(u64) -> String); 3] = [
        ("rare word", &|n| rare_word(0, n * 7_919 % records)),
        ("two words", &|n| format!("{} {}", word(n * 31 % 3_000), word(n * 57 % 3_000))),
        ("prefix", &|n| rare_word(0, n * 7_919 % records).chars().take(6).collect()),
    ];
    for (kind, query) in kinds {
        let mut round = 0;
        let mut round_bare = 0;
        let mut here = || {
            round += 1;
            let queries: Vec<String> = (0..SEARCHES).map(|n| query(round * SEARCHES + n)).collect();
            timed(|| {
                for query in &queries {
                    drop(session.search(&Query::parse_unfinished(query), Some(many), HITS).unwrap());
                }
            })
        };
        let mut bare = || {
            round_bare += 1;
            let queries: Vec<String> = (0..SEARCHES).map(|n| query(round_bare * SEARCHES + n)).collect();
            timed(|| {
                for query in &queries {
                    reference::search(&connection, query, HITS);
                }
            })
        };
        let what = format!("search of {records} records: {kind}, against bare FTS5");
        table.add("S7", &what, &Pairs::run(arguments.pairs, &mut here, &mut bare), 20.0, Goal::TimeAtMost(1.2));
        // A search is an entry in the log, on the disk before anything is shown.
        let bare_logged = || bare() + timed(|| (0..SEARCHES).for_each(|_| reference::log_entry(&log)));
        let what = "  the same, against bare FTS5 and a bare commit for the log";
        table.add("S7", what, &Pairs::run(arguments.pairs, &mut here, bare_logged), 20.0, Goal::TimeAtMost(1.2));
    }
    // Somebody types two words, one letter after the other.
    let mut taken = Vec::new();
    for n in 0..SEARCHES {
        let text = format!("{} {}", rows::row(0, n).title.to_lowercase(), word(n * 31 % 3_000));
        for end in 1..=text.len() {
            taken.push(timed(|| {
                drop(session.search(&Query::parse_unfinished(&text[..end]), Some(many), HITS).unwrap());
            }));
        }
    }
    taken.sort();
    let p95 = taken[taken.len() * 95 / 100];
    table.add_alone("S7", "search as you type, 95th percentile", p95, Duration::from_millis(30));
    // Parts of telephone numbers, and operators around a common word: nothing bare answers these.
    let number = |n: u64| rows::row(0, n * 7_919 % records).phone.chars().rev().take(5).collect::<Vec<_>>();
    let number = |n: u64| number(n).into_iter().rev().collect::<String>();
    let narrowed =
        |n: u64| format!("kind:custom field:phone -tag:old {} {}", word(n * 31 % 3_000), word(n * 57 % 3_000));
    let asked: [(&str, &dyn Fn(u64) -> String); 2] = [("part of a number", &number), ("with operators", &narrowed)];
    for (what, query) in asked {
        let mut taken: Vec<Duration> = (0..SEARCHES)
            .map(|n| {
                let query = query(n).parse().unwrap();
                timed(|| drop(session.search(&query, Some(many), HITS).unwrap()))
            })
            .collect();
        taken.sort();
        let p95 = taken[taken.len() * 95 / 100];
        table.add_alone("S7", &format!("search, {what}, 95th percentile"), p95, Duration::from_millis(30));
    }
    session.lock().unwrap();
}

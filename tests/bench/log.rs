//! S12: appending to the log against bare commits, and verifying it against hashing as much.

use coffer_tests::{Place, login_draft, tenant};
use sha2::{Digest, Sha256};

use crate::reference::{self, Answers};
use crate::table::{Goal, Pairs, Table, timed};
use crate::{Arguments, note};

/// Appends of one timing.
const APPENDS: u32 = 500;
/// About what an entry's plaintext and blind take.
const BLOCK_BYTES: usize = 200;

pub fn measure(arguments: &Arguments, table: &mut Table) {
    let place = Place::new();
    let (session, _kit) = place.create();
    let tenant = tenant(&session, "Norrvik Freight").id;
    let record = session.add_record(tenant, login_draft("Harbour gateway", "svc", "invented")).unwrap().id;
    note("S12: appending");
    // Opening a record is one entry, and a look at one row beside which the entry is all.
    let here = || {
        timed(|| {
            for _ in 0..APPENDS {
                session.open_record(record).unwrap();
            }
        })
    };
    let connection = reference::open_plain(&place.path("commits.db"));
    reference::create(&connection, Answers::Least);
    let body = [0x5A; 400];
    let bare = || {
        timed(|| {
            for _ in 0..APPENDS {
                reference::commit(&connection, &body);
            }
        })
    };
    let pairs = Pairs::run(arguments.pairs, here, bare);
    let what = "append to the log, against a bare SQLite commit";
    table.add("S12", what, &pairs, f64::from(APPENDS), Goal::SpeedAtLeast(0.8));

    note("S12: filling the log");
    let total = |session: &coffer_core::Session| session.log_page(None, 1).unwrap().total;
    while total(&session) < arguments.entries {
        for _ in 0..1_000 {
            session.open_record(record).unwrap();
        }
    }
    note("S12: verifying");
    let entries = total(&session);
    let here = || {
        timed(|| {
            let report = session.start_verify_log().unwrap().wait().unwrap();
            assert!(report.ok && report.entries >= entries);
        })
    };
    let pairs = Pairs::run(arguments.pairs, here, || timed(|| _ = std::hint::black_box(hash_tree(entries))));
    let what = format!("verifying {entries} log entries, against hashing as much");
    table.add("S12", &what, &pairs, 1.0, Goal::TimeAtMost(2.0));
}

/// The Merkle tree of RFC 6962 over as many blocks: a hash for each leaf and for each node.
fn hash_tree(leaves: u64) -> [u8; 32] {
    let block = [0x5A; BLOCK_BYTES];
    let mut root = [0; 32];
    for number in 0..leaves {
        let leaf = Sha256::new().chain_update([0]).chain_update(number.to_be_bytes()).chain_update(block).finalize();
        let node = Sha256::new().chain_update([1]).chain_update(root).chain_update(leaf).finalize();
        root = node.into();
    }
    root
}

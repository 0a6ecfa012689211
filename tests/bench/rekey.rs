//! S11: a tenant gets a new key, against SQLite's own backup of as many bytes into a file under another key.

use std::fs;

use crate::reference::{back_up, open_encrypted};
use crate::table::{Goal, Pairs, Table, timed};
use crate::{Arguments, note, rows};
use coffer_core::ImportRequest;
use coffer_tests::{Place, tenant};

/// Bytes of a row of the reference: with its overhead about one page.
const BLOB: usize = 3_900;

pub fn measure(arguments: &Arguments, table: &mut Table) {
    note("S11: filling a tenant");
    let place = Place::new();
    let (session, _kit) = place.create();
    let tenant = tenant(&session, "Norrvik Freight");
    let file = place.path("rows.csv");
    rows::write_csv(&file, 0, arguments.rows);
    session.start_import(ImportRequest::new(file, tenant.id)).unwrap().wait().unwrap();
    let bytes = largest(&place);
    let source = place.path("reference.db");
    make(&source, bytes);
    note("S11: re-keying");
    let here = || timed(|| session.start_rekey_tenant(tenant.id).unwrap().wait().unwrap());
    let copy = place.path("copy.db");
    let bare = || {
        let _ = fs::remove_file(&copy);
        let from = open_encrypted(&source);
        timed(|| back_up(&from, &copy))
    };
    let pairs = Pairs::run(arguments.pairs, here, bare);
    let what = format!("new key of a tenant of {} MiB, against SQLite's backup into another key", bytes >> 20);
    table.add("S11", &what, &pairs, 1.0, Goal::SpeedAtLeast(0.5));
}

/// Bytes of the largest tenant's file.
fn largest(place: &Place) -> u64 {
    let files = fs::read_dir(place.vault_folder().join("tenants")).unwrap();
    files.map(|file| file.unwrap().metadata().unwrap().len()).max().unwrap()
}

fn make(path: &std::path::Path, bytes: u64) {
    let mut connection = open_encrypted(path);
    connection.execute_batch("CREATE TABLE filler (id INTEGER PRIMARY KEY, body BLOB NOT NULL)").unwrap();
    let tx = connection.transaction().unwrap();
    {
        let mut insert = tx.prepare("INSERT INTO filler (body) VALUES (?1)").unwrap();
        let mut body = [0_u8; BLOB];
        for number in 0..bytes / 4_096 {
            body[..8].copy_from_slice(&number.to_be_bytes());
            insert.execute([&body[..]]).unwrap();
        }
    }
    tx.commit().unwrap();
}

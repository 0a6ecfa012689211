//! What is read of a vault before anything is unlocked.

use std::cell::RefCell;
use std::fs;

use coffer_core::Vault;
use coffer_core::host::{Host, KdfFloor};
use coffer_crypto::slot::Slot;

use crate::Target;

pub const SLOT: Target = Target { name: "slot", feed: slot, seeds: slot_seeds };
pub const HEADER: Target = Target { name: "header", feed: header, seeds: header_seeds };

fn slot(bytes: &[u8]) {
    if let Ok(slot) = Slot::parse(bytes, &KdfFloor::for_tests()) {
        assert_eq!(slot.encode(), bytes, "one slot has one encoding");
    }
}

/// The passphrase slot of a header.
fn slot_seeds() -> Vec<Vec<u8>> {
    header_seeds().iter().filter_map(|header| find_slot(header)).collect()
}

/// A slot is the only map of nine members in a header; it ends where parsing it succeeds.
fn find_slot(header: &[u8]) -> Option<Vec<u8>> {
    const NINE_MEMBERS: u8 = 0xA9;
    let starts = (0..header.len()).filter(|at| header[*at] == NINE_MEMBERS);
    let ends = |start: usize| (start + 1..=header.len()).map(move |end| &header[start..end]);
    starts.flat_map(ends).find(|part| Slot::parse(part, &KdfFloor::for_tests()).is_ok()).map(<[u8]>::to_vec)
}

/// A folder for a header, on the machine's own temporary disk.
struct Desk {
    folder: tempfile::TempDir,
    host: Host,
}

thread_local! {
    static DESK: RefCell<Option<Desk>> = const { RefCell::new(None) };
}

fn header(bytes: &[u8]) {
    DESK.with_borrow_mut(|desk| {
        let desk = desk.get_or_insert_with(|| Desk {
            folder: tempfile::tempdir().unwrap(),
            host: coffer_host::system("coffer-fuzz"),
        });
        fs::write(desk.folder.path().join("header"), bytes).unwrap();
        drop(Vault::open(&desk.host, desk.folder.path()));
    });
}

fn header_seeds() -> Vec<Vec<u8>> {
    let place = coffer_tests::Place::new();
    let (session, _kit) = place.create();
    session.lock().unwrap();
    vec![fs::read(place.vault_folder().join("header")).unwrap()]
}

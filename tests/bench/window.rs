//! S13 and S14: start to the unlock window, unlock to the main window, memory of all processes once unlocked, size of the
//! package, against a bare window of the same toolkit (`src-tauri/examples/bare`), built as the program is.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use coffer_core::{ImportRequest, Vault};
use coffer_crypto::kdf::KdfParams;
use coffer_tests::proof::desk::Desk;
use coffer_tests::{LOGIN, PASSPHRASE, Place, passphrase};

use crate::derive::derive;
use crate::screen::Screen;
use crate::table::{Goal, Pairs, Table};
use crate::{Arguments, note, rows};

/// Records of the list that is shown while memory is measured.
const RECORDS: u64 = 1_000;
/// A place in the list of either program's window, px.
const IN_THE_LIST: (i16, i16) = (440, 400);
/// How long somebody scrolls.
const SCROLLING: Duration = Duration::from_secs(5);
/// A frame that stays longer is seen to stick.
const LONG_FRAME: Duration = Duration::from_millis(50);
/// Frames of a second of scrolling, at least; where there are fewer, nothing was scrolled.
const FRAMES_A_SECOND_MIN: usize = 5;
/// Time after the first painted frame until memory is measured, so that what starting took is given back.
const SETTLED: Duration = Duration::from_secs(5);
/// Pairs for memory, which varies little.
const MEMORY_PAIRS: usize = 3;
/// Largest package, in KiB.
const PACKAGE_KIB: u32 = 12 * 1024;

pub fn measure(arguments: &Arguments, table: &mut Table) {
    let built = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    let [coffer, bare] = [built.join("coffer-desktop"), built.join("examples/bare")];
    if coffer.exists() && bare.exists() {
        measure_windows(arguments, table, &coffer, &bare);
        if arguments.wants(&["S14"]) {
            measure_frames(arguments, table, &coffer, &bare);
        }
    } else {
        table.add_unmeasured("S13", "start to a usable window; memory; frames", "run ./x bench");
    }
    if !arguments.wants(&["S13"]) {
        return;
    }
    let what = "the desktop program's package, .deb";
    match package(&built) {
        Some(file) => {
            let bytes = std::fs::metadata(file).unwrap().len();
            table.add_size_alone("S13", what, u32::try_from(bytes.div_ceil(1024)).unwrap(), PACKAGE_KIB);
        }
        None => table.add_unmeasured("S13", what, "run ./x package first"),
    }
}

fn measure_windows(arguments: &Arguments, table: &mut Table, coffer: &Path, bare: &Path) {
    note("S13: starting windows");
    let desk = desk(RECORDS);
    let screen = Screen::new(desk.path());
    let start = |program: &Path| {
        let program = screen.start(program);
        screen.wait_for_window(None);
        program.age()
    };
    // Caches of fonts and the like, which both share, are made by whoever comes first.
    let _ = (start(coffer), start(bare));
    let pairs = Pairs::run(arguments.pairs.max(5), || start(coffer), || start(bare));
    let what = "start to the unlock window, against a bare Tauri window";
    table.add("S13", what, &pairs, 1.0, Goal::TimeAtMost(0.5));

    note("S13: weighing processes");
    // Before anything else works beside it.
    let derivation = (0..3).map(|_| derive(&KdfParams::RFC_9106_SECOND)).min().expect("three");
    let opened = RefCell::new(Vec::new());
    let unlocked = || {
        let program = screen.start(coffer);
        let unlock = screen.wait_for_window(None);
        screen.type_line(unlock, PASSPHRASE);
        let entered = Instant::now();
        screen.wait_for_window(Some(unlock));
        opened.borrow_mut().push(entered.elapsed().saturating_sub(derivation));
        thread::sleep(SETTLED);
        program.memory_kib()
    };
    let plain = || {
        let program = screen.start(bare);
        screen.wait_for_window(None);
        thread::sleep(SETTLED);
        program.memory_kib()
    };
    let pairs = Pairs::weigh(MEMORY_PAIRS, unlocked, plain);
    assert_eq!(lists_shown(&desk), MEMORY_PAIRS, "each time the list was on the screen");
    let what = "memory of all processes, unlocked, against the same";
    table.add("S13", what, &pairs, 1.0, Goal::SizeAtMost(1.25));
    // Its key derivation has the least parameters, as the desk's vault has.
    let mut opened = opened.into_inner();
    opened.sort();
    let what = "passphrase to the painted main window, after the derivation";
    table.add_alone("S14", what, opened[opened.len() / 2], Duration::from_millis(300));
}

/// Against a list of as many rows that has nothing to fetch.
fn measure_frames(arguments: &Arguments, table: &mut Table, coffer: &Path, bare: &Path) {
    note("S14: filling the list that is scrolled");
    let desk = desk(arguments.records);
    let screen = Screen::new(desk.path());
    note("S14: scrolling");
    let scroll = |window| {
        thread::sleep(SETTLED);
        let frames = screen.scroll(window, IN_THE_LIST, SCROLLING);
        let (long, all) = (frames.iter().filter(|frame| **frame > LONG_FRAME).count(), frames.len());
        note(&format!("S14: {long} of {all} frames over {} ms", LONG_FRAME.as_millis()));
        let least = FRAMES_A_SECOND_MIN * usize::try_from(SCROLLING.as_secs()).expect("some seconds");
        assert!(all >= least, "the list moved: {all} frames");
        u32::try_from(long).expect("few")
    };
    let here = || {
        let program = screen.start(coffer);
        let unlock = screen.wait_for_window(None);
        screen.type_line(unlock, PASSPHRASE);
        let long = scroll(screen.wait_for_window(Some(unlock)));
        drop(program);
        long
    };
    let there = || {
        let program = screen.start_with(bare, &["list"]);
        let long = scroll(screen.wait_for_window(None));
        drop(program);
        long
    };
    let pairs = Pairs::weigh(arguments.pairs, here, there);
    let what = format!("frames over 50 ms, scrolling {} records for {} s", arguments.records, SCROLLING.as_secs());
    table.add("S14", &what, &pairs, 1.0, Goal::NoMoreThanThere);
}

/// A desk with a vault that the program knows, with a list to show.
fn desk(records: u64) -> Desk {
    let desk = Desk::with_vault();
    let session =
        Vault::open(&Place::new().host, &desk.vault()).unwrap().unlock(LOGIN, passphrase(PASSPHRASE)).unwrap();
    let tenant = session.tenants().unwrap().remove(0);
    let rows = desk.file("rows.csv");
    rows::write_csv(&rows, 1, records);
    let report = session.start_import(ImportRequest::new(rows, tenant.id)).unwrap().wait().unwrap();
    assert_eq!(report.imported, records);
    session.lock().unwrap();
    let known = serde_json::json!([{
        "handle": "0", "name": "clients", "folder": desk.vault(), "login": LOGIN,
    }]);
    std::fs::create_dir_all(desk.file("config/coffer")).unwrap();
    std::fs::write(desk.file("config/coffer/places.json"), known.to_string()).unwrap();
    desk
}

/// How often the program has listed the records, as the vault's log says.
fn lists_shown(desk: &Desk) -> usize {
    let session =
        Vault::open(&Place::new().host, &desk.vault()).unwrap().unlock(LOGIN, passphrase(PASSPHRASE)).unwrap();
    let entries = session.log_page(None, 200).unwrap().entries;
    session.lock().unwrap();
    entries.iter().filter(|entry| entry.action == "records.listed" && entry.program == "coffer-desktop").count()
}

/// The package that `./x package` made.
fn package(built: &Path) -> Option<PathBuf> {
    let packages = std::fs::read_dir(built.parent()?.join("packages")).ok()?;
    let names = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("Coffer_"));
    let is_package = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "deb") && names(path);
    packages.filter_map(|entry| Some(entry.ok()?.path())).find(is_package)
}

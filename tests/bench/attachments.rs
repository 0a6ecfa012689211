//! S8: a large attachment in and out, against AES-256-GCM in chunks of 64 KiB by aws-lc-rs straight from one file into
//! another and synced, and beside `age`; and how much memory it takes above what the idle program has.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use coffer_model::attachment::AttachmentId;
use coffer_tests::{Place, login_draft, tenant};

use crate::table::{Goal, Pairs, Table, timed};
use crate::{Arguments, note};

const CHUNK: usize = 64 * 1024;
const TAG: usize = 16;
/// Most memory above idle.
const MEMORY_KIB: u32 = 16 * 1024;

pub fn measure(arguments: &Arguments, table: &mut Table) {
    note("S8: attaching and saving");
    let place = Place::new();
    let source = place.path("source.bin");
    let bytes = arguments.attachment << 20;
    make(&source, bytes, 0);
    let (session, _kit) = place.create();
    let owner = tenant(&session, "ACME GmbH").id;
    let what = |how: &str| format!("{} MiB attachment {how}", arguments.attachment);

    let mut number = 0;
    let mut record = None;
    let mut peak = 0;
    let attach = || {
        // Another content each time, or it would be there already.
        number += 1;
        make_first_chunk(&source, number);
        let to = session.add_record(owner, login_draft("Bench", "svc", "invented")).unwrap().id;
        let before = forget_peak();
        let took = timed(|| drop(session.start_attach(to, &source).unwrap().wait().unwrap()));
        peak = peak.max(peak_kib().saturating_sub(before));
        record = Some(to);
        took
    };
    let sealed = place.path("bare.sealed");
    let bare_seal = || {
        let _ = fs::remove_file(&sealed);
        timed(|| bare_sealing(&source, &sealed))
    };
    let pairs = Pairs::run(arguments.pairs, attach, bare_seal);
    table.add("S8", &what("in, against aws-lc-rs"), &pairs, 1.0, Goal::SpeedAtLeast(0.9));

    let record = record.expect("there is at least one pair");
    let target = place.path("saved.bin");
    let mut save_peak = 0;
    let save = || {
        let _ = fs::remove_file(&target);
        let before = forget_peak();
        let took = timed(|| {
            drop(session.start_save_attachment(record, AttachmentId(1), &target).unwrap().wait().unwrap());
        });
        save_peak = save_peak.max(peak_kib().saturating_sub(before));
        took
    };
    let opened = place.path("bare.opened");
    let bare_open = || {
        let _ = fs::remove_file(&opened);
        timed(|| bare_opening(&sealed, &opened))
    };
    let pairs = Pairs::run(arguments.pairs, save, bare_open);
    table.add("S8", &what("out, against aws-lc-rs"), &pairs, 1.0, Goal::SpeedAtLeast(0.9));
    table.add_size_alone("S8", &what("in and out, memory above idle"), peak.max(save_peak), MEMORY_KIB);
    beside_age(arguments, table, &place, &source);
}

/// The same with `age`, for the reader.
fn beside_age(arguments: &Arguments, table: &mut Table, place: &Place, source: &Path) {
    let (identity, sealed, opened) = (place.path("identity.txt"), place.path("age.sealed"), place.path("age.opened"));
    let made = Command::new("age-keygen").arg("-o").arg(&identity).output();
    let Ok(made) = made else {
        table.add_unmeasured("S8", "age in and out", "no age");
        return;
    };
    let said = String::from_utf8_lossy(&made.stderr).into_owned();
    let recipient = said.trim().rsplit(' ').next().unwrap().to_owned();
    let age = |arguments: &[&str], from: &Path, to: &Path| {
        let mut command = Command::new("age");
        command.args(arguments).arg("-o").arg(to).arg(from);
        timed(|| {
            assert!(command.status().unwrap().success());
            File::open(to).unwrap().sync_all().unwrap();
        })
    };
    let bare_sealed = place.path("bare.sealed");
    let seal = || age(&["-r", &recipient], source, &sealed);
    let pairs = Pairs::run(arguments.pairs, seal, || timed(|| bare_sealing(source, &bare_sealed)));
    table.add("S8", "age encrypts the same, against aws-lc-rs", &pairs, 1.0, Goal::Beside);
    let identity = identity.to_string_lossy().into_owned();
    let open = || age(&["-d", "-i", &identity], &sealed, &opened);
    let bare_opened = place.path("bare.opened");
    let pairs = Pairs::run(arguments.pairs, open, || timed(|| bare_opening(&bare_sealed, &bare_opened)));
    table.add("S8", "age decrypts the same, against aws-lc-rs", &pairs, 1.0, Goal::Beside);
}

/// Writes bytes that do not compress.
fn make(path: &Path, bytes: u64, seed: u64) {
    let mut out = File::create(path).unwrap();
    let mut state = seed | 1;
    let mut block = vec![0; 1 << 20];
    let mut left = bytes;
    while left > 0 {
        for word in block.chunks_mut(8) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            word.copy_from_slice(&state.to_le_bytes());
        }
        let part = usize::try_from(left).map_or(block.len(), |left| left.min(block.len()));
        out.write_all(&block[..part]).unwrap();
        left -= part as u64;
    }
    out.sync_all().unwrap();
}

fn make_first_chunk(path: &Path, number: u64) {
    use std::os::unix::fs::FileExt;
    File::options().write(true).open(path).unwrap().write_all_at(&number.to_le_bytes(), 0).unwrap();
}

fn key() -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32]).unwrap())
}

fn nonce(number: u64) -> Nonce {
    let mut nonce = [0; 12];
    nonce[..8].copy_from_slice(&number.to_le_bytes());
    Nonce::assume_unique_for_key(nonce)
}

fn bare_sealing(from: &Path, to: &Path) {
    let (mut source, mut out, key) = (File::open(from).unwrap(), File::create(to).unwrap(), key());
    let mut buffer = vec![0; CHUNK + TAG];
    for number in 0.. {
        let filled = fill(&mut source, &mut buffer[..CHUNK]);
        if filled == 0 {
            break;
        }
        let tag = key.seal_in_place_separate_tag(nonce(number), Aad::empty(), &mut buffer[..filled]).unwrap();
        buffer[filled..filled + TAG].copy_from_slice(tag.as_ref());
        out.write_all(&buffer[..filled + TAG]).unwrap();
    }
    out.sync_all().unwrap();
}

fn bare_opening(from: &Path, to: &Path) {
    let (mut source, mut out, key) = (File::open(from).unwrap(), File::create(to).unwrap(), key());
    let mut buffer = vec![0; CHUNK + TAG];
    for number in 0.. {
        let filled = fill(&mut source, &mut buffer);
        if filled == 0 {
            break;
        }
        let content = key.open_in_place(nonce(number), Aad::empty(), &mut buffer[..filled]).unwrap();
        out.write_all(content).unwrap();
    }
    out.sync_all().unwrap();
}

fn fill(source: &mut File, buffer: &mut [u8]) -> usize {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]).unwrap() {
            0 => break,
            read => filled += read,
        }
    }
    filled
}

/// Forgets how much memory this process has had at most; gives what it has now (`proc_pid_status(5)`).
fn forget_peak() -> u32 {
    fs::write("/proc/self/clear_refs", "5").unwrap();
    peak_kib()
}

fn peak_kib() -> u32 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}

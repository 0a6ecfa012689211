//! R5: what was typed, revealed or searched is in no process of the program five seconds after the lock. The same scan
//! finds each of them before, so it can fail.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::desk::Desk;

/// Characters of a canary, each of 32 kinds: none occurs by chance.
const CANARY_CHARS: usize = 24;
/// A run of this many characters counts as a find.
const FRAGMENT_CHARS: usize = 8;
/// Bytes looked at in one go.
const CHUNK: usize = 1024 * 1024;
/// Bytes of a page.
const PAGE: usize = 4096;
/// Longest pattern, in bytes: a fragment in UTF-32.
const LONGEST: usize = 4 * FRAGMENT_CHARS;

#[tokio::test(flavor = "current_thread")]
async fn r5_nothing_is_left_in_any_process_five_seconds_after_lock() {
    let [passphrase, secret, word] = [canary(), canary(), canary()];
    let mut desk = Desk::new("light");
    desk.start(&[("COFFER_E2E_NEW_VAULT", desk.path("Kanzlei.coffer")), ("COFFER_E2E_KIT", desk.path("kit.txt"))]);

    let web = desk.web().await;
    web.press("Create a vault").await;
    web.press("Choose name and place").await;
    web.fill("Login name", "ines").await;
    web.press("Continue to the passphrase").await;
    desk.native("Choose a passphrase");
    desk.type_text(&passphrase);
    desk.press(&["Tab", "Tab"]);
    desk.type_text(&passphrase);
    assert!(is_found(&desk, &passphrase), "the scan finds a passphrase while it is typed");
    desk.press(&["Return"]);
    web.see("Your recovery kit").await;
    web.press("Save…").await;
    web.see("Saved as").await;
    // The kit holds keys; what is not confirmed can be confirmed another day, so the page is simply opened anew.
    web.script("window.__TAURI_INTERNALS__.invoke('finish_first_run', {}).then(() => location.reload())").await;

    web.press("New tenant").await;
    web.fill("Name", "ACME GmbH").await;
    web.press("Create").await;
    web.press("New record").await;
    web.fill("Title", "Postgres production").await;
    web.find("//*[@role = 'group'][@aria-label = 'Password']//textarea").await.send_keys(&secret).await.unwrap();
    web.press("Save").await;
    web.see("Record added").await;
    web.press("Reveal Password").await;
    web.see(&secret).await;
    web.find("//input[@role = 'searchbox']").await.send_keys(&word).await.unwrap();
    web.see("Nothing found").await;
    assert!(is_found(&desk, &secret), "the scan finds a revealed value");
    assert!(is_found(&desk, &word), "the scan finds a searched word");

    web.press_lock().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    desk.native("Unlock Coffer");
    assert!(desk.web_processes().is_empty(), "no process of the web view is left");
    for (what, canary) in [("passphrase", &passphrase), ("revealed value", &secret), ("searched word", &word)] {
        assert!(!is_found(&desk, canary), "the {what} is in memory after the lock");
    }
}

/// Random lower-case letters and digits.
fn canary() -> String {
    const KINDS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut random = [0; CANARY_CHARS];
    File::open("/dev/urandom").unwrap().read_exact(&mut random).unwrap();
    random.iter().map(|byte| char::from(KINDS[usize::from(byte % 32)])).collect()
}

fn is_found(desk: &Desk, canary: &str) -> bool {
    let patterns = Patterns::of(canary);
    let processes = desk.web_processes().into_iter().chain([desk.process()]);
    processes.into_iter().any(|process| patterns.occur_in(process))
}

/// Every form in which a canary could be in memory. `grep -F` looks for all of them at once, at the speed of the memory,
/// which a test's own unoptimised loop does not.
struct Patterns {
    file: NamedTempFile,
}

impl Patterns {
    fn of(canary: &str) -> Self {
        let mut all = BTreeSet::new();
        for fragment in canary.as_bytes().windows(FRAGMENT_CHARS) {
            all.insert(fragment.to_vec());
            for width in [2, 4] {
                let wide = |byte: &u8| (0..width).map(|at| if at == 0 { *byte } else { 0 }).collect::<Vec<u8>>();
                all.insert(fragment.iter().flat_map(wide).collect());
            }
            all.insert(fragment.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect());
            all.insert(fragment.iter().flat_map(|byte| format!("{byte:02X}").into_bytes()).collect());
        }
        for shift in 0..3 {
            // Whole groups of three bytes encode alike wherever they stand.
            let whole = &canary.as_bytes()[shift..][..(CANARY_CHARS - shift) / 3 * 3];
            all.extend(base64(whole).windows(2 * FRAGMENT_CHARS).step_by(4).map(<[u8]>::to_vec));
        }
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(&all.into_iter().collect::<Vec<_>>().join(&b'\n')).unwrap();
        Self { file }
    }

    /// Whether any of them is in what `feed` writes.
    fn occur_in_stream(&self, feed: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> bool {
        let mut grep = Command::new("grep")
            .args(["-qaF", "-f"])
            .arg(self.file.path())
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .spawn()
            .expect("every system has grep");
        // It stops listening as soon as it has found one.
        let fed = feed(&mut grep.stdin.take().unwrap());
        let status = grep.wait().unwrap();
        assert!(fed.is_ok() || status.success(), "grep: {status}, {fed:?}");
        assert!(matches!(status.code(), Some(0 | 1)), "grep failed");
        status.success()
    }

    fn occur_in_bytes(&self, bytes: &[u8]) -> bool {
        self.occur_in_stream(|stream| stream.write_all(bytes))
    }

    fn occur_in(&self, process: u32) -> bool {
        let of_process = |name: &str| format!("/proc/{process}/{name}");
        let Ok(maps) = fs::read_to_string(of_process("maps")) else { return false };
        let memory = File::open(of_process("mem")).expect("the tests run as root or as the program's user");
        let pages = File::open(of_process("pagemap")).expect("whoever may read the memory may read its map");
        self.occur_in_stream(|stream| {
            for line in maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|mode| mode.starts_with('r'))) {
                let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
                let [start, end] = [start, end].map(|text| u64::from_str_radix(text, 16).unwrap());
                copy_populated(&memory, &pages, start, end, stream)?;
            }
            Ok(())
        })
    }
}

/// Copies what is there of a mapping, run by run of pages that are in memory or in swap: WebKit reserves a thousand times
/// more than it uses, and reading a page that is not there would bring it into being.
/// Linux, Documentation/admin-guide/mm/pagemap.rst: eight bytes a page, bit 63 present, bit 62 swapped.
fn copy_populated(memory: &File, pages: &File, start: u64, end: u64, stream: &mut dyn Write) -> io::Result<()> {
    const SOMEWHERE: u64 = 0b11 << 62;
    let mut entries = vec![0; 8 * CHUNK / PAGE];
    let mut at = start;
    let mut before_is_there = false;
    while at < end {
        let wanted = entries.len().min(usize::try_from((end - at) / PAGE as u64 * 8).unwrap());
        let read = pages.read_at(&mut entries[..wanted], at / PAGE as u64 * 8)?;
        let there = |entry: &[u8]| u64::from_le_bytes(entry.try_into().unwrap()) & SOMEWHERE != 0;
        let there: Vec<bool> = entries[..read].chunks_exact(8).map(there).collect();
        if there.is_empty() {
            return Ok(());
        }
        let mut page = at;
        for run in there.chunk_by(bool::eq) {
            if run[0] {
                // What is not there before the run needs no looking at, and must not be.
                let joined = if page == at && before_is_there { LONGEST } else { 0 };
                copy_run(memory, page - joined as u64, run.len() * PAGE + joined, stream)?;
            }
            page += (run.len() * PAGE) as u64;
        }
        at = page;
        before_is_there = there.last() == Some(&true);
    }
    Ok(())
}

/// Copies one run of pages, and a line's end after it, which keeps what `grep` takes for a line short.
fn copy_run(memory: &File, start: u64, bytes: usize, stream: &mut dyn Write) -> io::Result<()> {
    let mut buffer = vec![0; bytes];
    // Some mappings cannot be read, the kernel's own for one.
    let Ok(read) = memory.read_at(&mut buffer, start) else { return Ok(()) };
    stream.write_all(&buffer[..read])?;
    stream.write_all(b"\n")
}

/// RFC 4648 §4, without padding: only whole groups are asked for.
fn base64(bytes: &[u8]) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |three: &[u8]| {
        let bits = three.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        [18, 12, 6, 0].map(|shift| ALPHABET[bits >> shift & 63])
    };
    bytes.chunks_exact(3).flat_map(group).collect()
}

#[test]
fn the_scan_knows_every_form() {
    let canary = canary();
    let patterns = Patterns::of(&canary);
    let utf16: Vec<u8> = canary.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf32: Vec<u8> = canary.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    let hex: String = canary.bytes().map(|byte| format!("{byte:02x}")).collect();
    for form in [canary.as_bytes(), &utf16, &utf32, hex.as_bytes(), &base64(canary.as_bytes())] {
        assert!(patterns.occur_in_bytes(&[b"before ", form, b" after"].concat()));
        assert!(patterns.occur_in_bytes(&form[..form.len() * 3 / 4]));
        assert!(!patterns.occur_in_bytes(&form[..form.len() / 4]));
    }
}

//! R5: what was typed, revealed or searched is in no process of the program five seconds after the lock. The same scan
//! finds each of them before, so it can fail.

mod desk;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::time::Duration;

use desk::Desk;

/// Characters of a canary, each of 32 kinds: none occurs by chance.
const CANARY_CHARS: usize = 24;
/// A run of this many characters counts as a find.
const FRAGMENT_CHARS: usize = 8;
/// Bytes looked at in one go.
const CHUNK: usize = 1024 * 1024;
/// Longest pattern, in bytes: a whole canary in hexadecimal.
const LONGEST: usize = 2 * CANARY_CHARS;

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

/// Every form in which a canary could be in memory.
struct Patterns {
    all: Vec<Vec<u8>>,
    /// Which pairs of bytes a pattern begins with, by their number.
    beginnings: Vec<bool>,
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
        let mut beginnings = vec![false; 1 << 16];
        for pattern in &all {
            beginnings[usize::from(u16::from_le_bytes([pattern[0], pattern[1]]))] = true;
        }
        Self { all: all.into_iter().collect(), beginnings }
    }

    fn occur_in(&self, process: u32) -> bool {
        let Ok(maps) = fs::read_to_string(format!("/proc/{process}/maps")) else { return false };
        let memory =
            File::open(format!("/proc/{process}/mem")).expect("the tests run as root or as the program's user");
        maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|mode| mode.starts_with('r'))).any(|line| {
            let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
            let [start, end] = [start, end].map(|text| u64::from_str_radix(text, 16).unwrap());
            self.occur_between(&memory, start, end)
        })
    }

    fn occur_between(&self, memory: &File, start: u64, end: u64) -> bool {
        let mut buffer = vec![0; CHUNK + LONGEST];
        let mut at = start;
        while at < end {
            let wanted = usize::try_from(end - at).unwrap().min(buffer.len());
            // Some mappings cannot be read, the kernel's own for one.
            let Ok(read) = memory.read_at(&mut buffer[..wanted], at) else { return false };
            if read == 0 {
                return false;
            }
            if self.occur_in_bytes(&buffer[..read]) {
                return true;
            }
            at += u64::try_from(read.min(CHUNK)).unwrap();
        }
        false
    }

    fn occur_in_bytes(&self, bytes: &[u8]) -> bool {
        bytes.windows(2).enumerate().any(|(at, pair)| {
            self.beginnings[usize::from(pair[0]) | usize::from(pair[1]) << 8]
                && self.all.iter().any(|pattern| bytes[at..].starts_with(pattern))
        })
    }
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
    let mut memory = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut memory, &[vec![0; CHUNK - 3], canary.clone().into_bytes()].concat()).unwrap();
    memory.seek(SeekFrom::Start(0)).unwrap();
    assert!(patterns.occur_between(&memory, 0, u64::try_from(CHUNK + CANARY_CHARS).unwrap() - 3));
}

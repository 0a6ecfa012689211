//! Attacks on unlocking itself, by many at once.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use coffer_core::host::{Clock, Host, KdfFloor};
use coffer_core::{NewVault, UnlockError, Vault};
use coffer_tests::{LOGIN, PASSPHRASE, Place, SlowClock, passphrase};

/// Least memory of one derivation in a shipped program: RFC 9106's second recommendation.
const DERIVATION_KIB: u64 = 64 * 1024;

/// The most memory this process ever had, in KiB.
fn peak_memory_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn attack_08_parallel_unlocks_are_taken_one_at_a_time_and_memory_is_bounded() {
    const THREADS: usize = 12;
    let place = Place::new();
    // At the cost of shipped programs, so that each derivation shows in this process's memory.
    let clock: Arc<dyn Clock> = Arc::new(SlowClock(Arc::clone(&place.host.clock)));
    let host = Host { kdf_floor: KdfFloor::SHIPPED, clock, ..place.host.clone() };
    let new = NewVault { login: LOGIN.parse().unwrap(), passphrase: passphrase(PASSPHRASE), demo: false, split: None };
    Vault::create(&host, &place.vault_folder(), new).unwrap().session.lock().unwrap();

    let before = peak_memory_kib();
    let (start, derived) = (Barrier::new(THREADS), AtomicUsize::new(0));
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (host, place, start, derived) = (&host, &place, &start, &derived);
            scope.spawn(move || {
                let vault = Vault::open(host, &place.vault_folder()).unwrap();
                let login = if number % 2 == 0 { LOGIN } else { "nobody" };
                let typed = passphrase("quiet lanterns over the harbour 59");
                start.wait();
                match vault.unlock(login, typed) {
                    Err(UnlockError::Refused) => drop(derived.fetch_add(1, Ordering::Relaxed)),
                    // By this process itself.
                    Err(UnlockError::HeldBy(Some(holder))) => assert_eq!(holder.pid, std::process::id()),
                    // Between the lock and the holder's words in its file.
                    Err(UnlockError::HeldBy(None)) => {}
                    other => panic!("{other:?}"),
                }
            });
        }
    });
    assert!((1..THREADS).contains(&derived.load(Ordering::Relaxed)), "{derived:?} derived");
    // One derivation was part of creating the vault; a second at the same time would be as much again.
    assert!(peak_memory_kib() - before < DERIVATION_KIB / 2, "{} KiB more", peak_memory_kib() - before);
    // Each that was tried counts, and the right one still gets in.
    let session = Vault::open(&host, &place.vault_folder()).unwrap().unlock(LOGIN, passphrase(PASSPHRASE)).unwrap();
    assert_eq!(session.view().failed_unlocks, derived.load(Ordering::Relaxed) as u64);
}

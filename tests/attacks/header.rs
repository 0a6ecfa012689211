//! Attacks on the header of a real vault, each through [`Vault::open`] and [`Vault::unlock`]: the file is changed on the
//! disk by somebody who can write it (THREAT-MODEL T3), then the right passphrase is tried.
//!
//! The same attacks on a slot by itself, in finer steps, are in coffer-crypto's `tests/attacks.rs`.

use std::fs;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use coffer_core::host::{Host, KdfFloor};
use coffer_core::{Damage, Fault, NewVault, OpenError, Session, UnlockError, Vault};
use coffer_tests::{LOGIN, PASSPHRASE, Place, SlowClock, forget_delays, passphrase, tenant};

use crate::cbor::Item;

// Members of the header (docs/FORMAT.md §3).
const FORMAT: usize = 1;
const SUITE: usize = 2;
const SALT: usize = 5;
const DEMO: usize = 6;
const AUDIT_CACHE: usize = 7;
const RECOVERY: usize = 9;
const ACCOUNTS: usize = 12;
/// Of an account's entry.
const SLOTS: usize = 2;

// Fields of a slot (docs/FORMAT.md §4).
const ALGORITHM: u64 = 2;
const MEMORY_KIB: u64 = 3;
const PASSES: u64 = 4;
const LANES: u64 = 5;
const SLOT_SALT: u64 = 6;
const FACTORS: u64 = 7;

/// A vault on the disk, locked, and its header as it should be.
struct Target {
    place: Place,
    good: Vec<u8>,
}

impl Target {
    fn new() -> Self {
        let place = Place::new();
        let (session, _kit) = place.create();
        tenant(&session, "ACME GmbH");
        session.lock().unwrap();
        Self::of(place)
    }

    fn of(place: Place) -> Self {
        let good = fs::read(place.vault_folder().join("header")).unwrap();
        // What the attacks below change is really there, and a header put together again is the same.
        assert_eq!(Item::read(&good).write(), good);
        Self { place, good }
    }

    fn put(&self, header: &[u8]) {
        fs::write(self.place.vault_folder().join("header"), header).unwrap();
    }

    /// Changes the header, and only for as long as one unlock.
    fn with_header(&self, change: impl FnOnce(&mut Vec<Item>)) -> Outcome {
        let mut header = Item::read(&self.good);
        change(header.array());
        self.with_bytes(&header.write())
    }

    /// Changes the passphrase slot.
    fn with_slot(&self, change: impl FnOnce(&mut Vec<(Item, Item)>)) -> Outcome {
        self.with_slot_bytes(|slot| {
            let mut fields = Item::read(slot);
            change(fields.map());
            *slot = fields.write();
        })
    }

    fn with_slot_bytes(&self, change: impl FnOnce(&mut Vec<u8>)) -> Outcome {
        self.with_header(|header| change(header[ACCOUNTS].array()[0].array()[SLOTS].array()[0].bytes()))
    }

    fn with_number(&self, field: u64, number: u64) -> Outcome {
        self.with_slot(|slot| *value_of(slot, field) = Item::Number(number))
    }

    fn with_bytes(&self, header: &[u8]) -> Outcome {
        assert_ne!(header, self.good, "nothing was changed");
        self.put(header);
        let outcome = unlock(&self.place.host, &self.place);
        // A refusal repairs nothing and removes nothing.
        assert_eq!(fs::read(self.place.vault_folder().join("header")).unwrap(), header);
        self.put(&self.good);
        outcome
    }

    /// With its own header back in place, the vault is as good as before, and its log whole.
    fn is_intact(&self, failed_unlocks: u64) {
        forget_delays(&self.place.vault_folder());
        let session = self.place.unlock();
        assert_eq!(session.view().failed_unlocks, failed_unlocks);
        assert_eq!(session.tenants().unwrap().len(), 1);
        let report = session.start_verify_log().unwrap().wait().unwrap();
        assert!(report.ok, "{report:?}");
        session.lock().unwrap();
    }
}

/// How an attacked vault answered the right passphrase. It must never unlock.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// As a wrong passphrase: the slot's key did not come out.
    Refused,
    /// As damage of the header, or of what follows from it.
    Damaged(Damage),
    /// As the vault of a later version.
    NewerVersion,
}

const HEADER: Outcome = Outcome::Damaged(Damage::Header);

fn unlock(host: &Host, place: &Place) -> Outcome {
    match try_unlock(host, place) {
        Ok(session) => panic!("unlocked: {session:?}"),
        Err(UnlockError::Refused) => Outcome::Refused,
        Err(UnlockError::Fault(Fault::Damaged(damage))) => Outcome::Damaged(damage),
        Err(UnlockError::Fault(Fault::NewerVersion)) => Outcome::NewerVersion,
        Err(other) => panic!("{other:?}"),
    }
}

fn try_unlock(host: &Host, place: &Place) -> Result<Session, UnlockError> {
    forget_delays(&place.vault_folder());
    match Vault::open(host, &place.vault_folder()) {
        Ok(vault) => vault.unlock(LOGIN, passphrase(PASSPHRASE)),
        Err(OpenError::Fault(fault)) => Err(fault.into()),
        Err(OpenError::NotAVault) => panic!("no vault"),
    }
}

fn value_of(slot: &mut [(Item, Item)], field: u64) -> &mut Item {
    &mut slot.iter_mut().find(|(key, _)| *key == Item::Number(field)).unwrap().1
}

#[test]
fn attack_15_a_header_with_a_kdf_of_8_kib_is_refused_before_the_kdf() {
    let target = Target::new();
    assert_eq!(target.with_number(MEMORY_KIB, 8), HEADER);
    assert_eq!(target.with_number(PASSES, 0), HEADER);
    // What a test may cost, no shipped program accepts.
    let shipped = Host { kdf_floor: KdfFloor::SHIPPED, ..target.place.host.clone() };
    assert_eq!(unlock(&shipped, &target.place), HEADER);
    // Refused before the derivation, so these were no attempts at a passphrase.
    target.is_intact(0);
}

/// `/proc/self/status` in KiB: the most address space this process ever had, and the most memory.
fn peak_kib() -> (u64, u64) {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    };
    (of("VmPeak:"), of("VmHWM:"))
}

#[test]
fn attack_16_a_header_asking_for_four_tebibytes_is_refused_at_once_and_nothing_is_allocated() {
    let target = Target::new();
    let before = peak_kib();
    let mut quickest = Duration::MAX;
    for _ in 0..5 {
        let started = Instant::now();
        let outcome = target.with_slot(|slot| {
            *value_of(slot, MEMORY_KIB) = Item::Number(1 << 32);
            *value_of(slot, PASSES) = Item::Number(1 << 32);
        });
        quickest = quickest.min(started.elapsed());
        assert_eq!(outcome, HEADER);
    }
    // The quickest of five, so that a busy machine is no slow refusal.
    assert!(quickest < Duration::from_millis(50), "{quickest:?}");
    for (field, number) in [(MEMORY_KIB, u64::MAX), (PASSES, 1 << 32), (PASSES, 17), (LANES, u64::MAX), (LANES, 17)] {
        assert_eq!(target.with_number(field, number), HEADER, "field {field}: {number}");
    }
    assert_eq!(target.with_number(MEMORY_KIB, 1024 * 1024 + 1), HEADER);
    let after = peak_kib();
    // Far less than the cheapest of what was asked for: a little over 1 GiB.
    assert!(after.0 - before.0 < 256 * 1024 && after.1 - before.1 < 256 * 1024, "{before:?} {after:?}");
    target.is_intact(0);
}

#[test]
fn attack_17_a_header_without_one_of_the_kdf_parameters_is_refused() {
    let target = Target::new();
    for field in 0..9 {
        let outcome = target.with_slot(|slot| slot.retain(|(key, _)| *key != Item::Number(field)));
        assert_eq!(outcome, HEADER, "slot without field {field}");
    }
    for member in 0..11 {
        let outcome = target.with_header(|header| drop(header.remove(member)));
        assert_ne!(outcome, Outcome::Refused, "header without member {member}");
    }
    assert_eq!(target.with_header(|header| header[ACCOUNTS].array().clear()), HEADER);
    assert_eq!(target.with_header(|header| header[ACCOUNTS].array()[0].array()[SLOTS].array().clear()), HEADER);
    target.is_intact(0);
}

#[test]
fn attack_18_a_header_of_an_unknown_algorithm_suite_or_format_is_refused() {
    let target = Target::new();
    for algorithm in [0, 2, u64::MAX] {
        assert_eq!(target.with_number(ALGORITHM, algorithm), HEADER);
    }
    // A newer format and suite are said to be what they are: nobody should take the vault for a damaged one.
    for member in [FORMAT, SUITE] {
        for number in [2, 1000] {
            assert_eq!(target.with_header(|header| header[member] = Item::Number(number)), Outcome::NewerVersion);
        }
        assert_ne!(target.with_header(|header| header[member] = Item::Number(0)), Outcome::Refused);
        assert_eq!(target.with_header(|header| header[member] = Item::Number(1 << 32)), HEADER);
    }
    target.is_intact(0);
}

#[test]
fn attack_19_a_changed_salt_unlocks_nothing_and_leaves_the_log_intact() {
    let target = Target::new();
    assert_eq!(target.with_slot(|slot| value_of(slot, SLOT_SALT).bytes()[0] ^= 1), Outcome::Refused);
    // Under the header's salt, too, the login is not found any more.
    assert_eq!(target.with_header(|header| header[SALT].bytes()[31] ^= 0x80), Outcome::Refused);
    // Both count as failed attempts, in a log that is whole.
    let session = target.place.unlock();
    assert_eq!(session.view().failed_unlocks, 2);
    let report = session.start_verify_log().unwrap().wait().unwrap();
    assert!(report.ok, "{report:?}");
    let page = session.log_page(None, 100).unwrap();
    assert!(page.entries.iter().all(|entry| entry.action != "unreadable"));
    assert_eq!(page.entries.iter().filter(|entry| entry.action == "vault.unlock_failed").count(), 2);
}

#[test]
fn attack_20_a_header_with_doubled_trailing_or_non_canonical_bytes_is_refused() {
    let target = Target::new();
    let good = &target.good;
    let damaged = |bytes: &[u8]| assert_eq!(target.with_bytes(bytes), HEADER);
    damaged(&[]);
    damaged(&good[..good.len() - 1]);
    damaged(&[good.as_slice(), &[0]].concat());
    damaged(&[good.as_slice(), good.as_slice()].concat());
    // The array's length in one byte more than it needs; of indefinite length; as a tagged item.
    assert_eq!(good[0], 0x8f);
    damaged(&[&[0x98, 15], &good[1..]].concat());
    damaged(&[&[0x9f], &good[1..], &[0xff]].concat());
    damaged(&[&[0xc1], good.as_slice()].concat());
    // A member more.
    assert_eq!(target.with_header(|header| header.push(Item::Number(0))), HEADER);
    // The text of the magic as bytes.
    assert_eq!(target.with_header(|header| header[0] = Item::Bytes(b"coffer vault".to_vec())), HEADER);
    // In the slot: a field twice, two fields exchanged, bytes after it, a longer form of a number.
    assert_eq!(target.with_slot(|slot| slot.insert(3, slot[3].clone())), HEADER);
    assert_eq!(target.with_slot(|slot| slot.swap(3, 4)), HEADER);
    assert_eq!(target.with_slot_bytes(|slot| slot.push(0)), HEADER);
    let longer = target.with_slot_bytes(|slot| {
        let at = slot.windows(2).position(|pair| pair == [0x02, 0x01]).unwrap();
        slot.splice(at + 1..=at + 1, [0x18, 0x01]);
    });
    assert_eq!(longer, HEADER);
    // The account's entry twice: found, and then not what was authenticated.
    let doubled = target.with_header(|header| {
        let accounts = header[ACCOUNTS].array();
        accounts.push(accounts[0].clone());
    });
    assert_eq!(doubled, HEADER);
    target.is_intact(0);
}

#[test]
fn attack_21_lower_or_higher_parameters_inside_the_bounds_unlock_nothing() {
    let place = Place::new();
    let clock = Arc::new(SlowClock(Arc::clone(&place.host.clock)));
    let costly = Host { kdf_floor: KdfFloor::SHIPPED, clock, ..place.host.clone() };
    let new = NewVault { login: LOGIN.parse().unwrap(), passphrase: passphrase(PASSPHRASE), demo: false, split: None };
    let created = Vault::create(&costly, &place.vault_folder(), new).unwrap();
    tenant(&created.session, "ACME GmbH");
    created.session.lock().unwrap();
    // From here on with the bounds of tests: what is lowered stays inside them.
    let target = Target::of(place);
    let mut slot = Item::read(&target.good).array()[ACCOUNTS].array()[0].array()[SLOTS].array()[0].clone();
    let mut slot = Item::read(slot.bytes());
    let cost = [MEMORY_KIB, PASSES, LANES].map(|field| value_of(slot.map(), field).clone());
    assert_eq!(cost, [64 * 1024, 3, 4].map(Item::Number));
    for (field, number) in [(MEMORY_KIB, 256), (MEMORY_KIB, 64 * 1024 + 1), (PASSES, 1), (PASSES, 4), (LANES, 1)] {
        assert_eq!(target.with_number(field, number), Outcome::Refused, "field {field}: {number}");
    }
    target.is_intact(5);
}

/// Vaults are made without key factors so far, so here the mask can only be widened: nobody offers the factor, the key
/// comes out, and then the entry is not what was authenticated. That a mask cannot be stripped is held on slots, in
/// coffer-crypto.
#[test]
fn attack_22_a_factor_mask_that_is_not_the_slots_own_unlocks_nothing() {
    let target = Target::new();
    for mask in [1, 2, 3, 4, u64::MAX] {
        assert_eq!(target.with_number(FACTORS, mask), HEADER, "mask {mask}");
    }
    target.is_intact(0);
}

#[test]
fn attack_23_the_slots_and_entries_of_two_vaults_do_not_fit_each_other() {
    let (target, other) = (Target::new(), Target::new());
    let mut theirs = Item::read(&other.good);
    let theirs = theirs.array();
    // Their slot finds no login here; with the look-up value put right, its key is of another place.
    let mut slot = theirs[ACCOUNTS].array()[0].array()[SLOTS].clone();
    let swapped = target.with_header(|header| header[ACCOUNTS].array()[0].array()[SLOTS] = slot.clone());
    assert_eq!(swapped, Outcome::Refused);
    for member in 1..7 {
        let theirs = theirs[ACCOUNTS].array()[0].array()[member].clone();
        let outcome = target.with_header(|header| header[ACCOUNTS].array()[0].array()[member] = theirs);
        assert!(outcome == HEADER || outcome == Outcome::Refused, "member {member}");
    }
    // Their slot beside ours: ours still opens, and then the entry is not what was authenticated.
    let beside = target.with_header(|header| {
        header[ACCOUNTS].array()[0].array()[SLOTS].array().push(slot.array()[0].clone());
    });
    assert_eq!(beside, HEADER);
    // Their whole header.
    assert_ne!(target.with_bytes(&other.good), Outcome::NewerVersion);
}

#[test]
fn attack_24b_keys_replaced_in_the_header_are_never_sealed_to() {
    let (target, other) = (Target::new(), Target::new());
    let mut theirs = Item::read(&other.good);
    for member in [AUDIT_CACHE, RECOVERY] {
        let key = theirs.array()[member].clone();
        assert_eq!(target.with_header(|header| header[member] = key), HEADER, "member {member}");
    }
    assert_eq!(target.with_header(|header| header[DEMO] = Item::Flag(true)), HEADER);
    target.is_intact(0);
}

/// Where the long byte strings are in the header: public keys and sealings.
fn long_strings(item: &Item, header: &[u8], found: &mut Vec<Range<usize>>) {
    match item {
        Item::Bytes(bytes) if bytes.len() > 1000 => {
            let start = header.windows(bytes.len()).position(|window| window == bytes.as_slice()).unwrap();
            found.push(start..start + bytes.len());
        }
        Item::Array(items) => items.iter().for_each(|item| long_strings(item, header, found)),
        _ => {}
    }
}

/// One bit of each byte of the header inverted (of each eighth byte in the long keys and sealings): nothing unlocks, and
/// the log outlives it all.
#[test]
fn a_flipped_bit_anywhere_in_the_header_unlocks_nothing() {
    let target = Target::new();
    let mut long = Vec::new();
    long_strings(&Item::read(&target.good), &target.good, &mut long);
    assert_eq!(long.len(), 3);
    let mut refused = 0;
    for byte in 0..target.good.len() {
        if byte % 8 != 0 && long.iter().any(|range| range.contains(&byte)) {
            continue;
        }
        let mut header = target.good.clone();
        header[byte] ^= 1 << (byte / 8 % 8);
        target.put(&header);
        match try_unlock(&target.place.host, &target.place) {
            Ok(session) => panic!("unlocked with byte {byte} changed: {session:?}"),
            Err(UnlockError::Refused) => refused += 1,
            Err(UnlockError::Fault(Fault::Damaged(_) | Fault::NewerVersion)) => {}
            Err(other) => panic!("byte {byte}: {other:?}"),
        }
    }
    target.put(&target.good);
    // Only what goes into finding and opening the slot looks like a wrong passphrase.
    assert!((100..500).contains(&refused), "{refused}");
    target.is_intact(refused);
}

//! Attacks on key slots, wraps and sealings that must fail, by their numbers in the threat model's list, and what must
//! hold for any input at all.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests, which clippy does not count as tests")]

use std::time::{Duration, Instant};

use coffer_crypto::kdf::{Factors, KdfFloor, KdfParams, KdfParamsError, key_file_digest};
use coffer_crypto::label::{self, Context};
use coffer_crypto::memory::KdfMemory;
use coffer_crypto::passphrase::Passphrase;
use coffer_crypto::seal::{self, OpenSealedError, OpeningSession, SealingKeyPair, SealingSession};
use coffer_crypto::secret::{AccountMasterKey, DeviceSecret, SealingSeed, SecretKey, TagKey, TenantKey};
use coffer_crypto::slot::{AccountPlace, NewSlot, OpenSlotError, Slot, SlotFormatError, SlotKind};
use coffer_crypto::wrap::{self, UnwrapError};
use minicbor::Encoder;
use proptest::prelude::*;

const FLOOR: KdfFloor = KdfFloor::for_tests();
const PLACE: AccountPlace = AccountPlace { vault: [1; 16], account: [2; 16] };

/// Different bytes at each call, the same in each run.
fn counting_random() -> impl FnMut(&mut [u8]) {
    let mut next = 0u8;
    move |buffer: &mut [u8]| {
        for byte in buffer {
            next = next.wrapping_mul(5).wrapping_add(113);
            *byte = next;
        }
    }
}

fn passphrase(text: &str) -> Passphrase {
    Passphrase::parse(text.into()).unwrap()
}

fn low_cost(memory_kib: u64) -> KdfParams {
    KdfParams::new(memory_kib, 1, 1, &FLOOR).unwrap()
}

fn slot_with(factors: &Factors<'_>, params: KdfParams, place: &AccountPlace) -> Slot {
    let master_key = AccountMasterKey::parse(&[9; 32]).unwrap();
    let mut memory = KdfMemory::new();
    let random = &mut counting_random();
    let typed = passphrase("right");
    let new = NewSlot { kind: SlotKind::Passphrase, passphrase: &typed, factors: *factors, params };
    Slot::create(&new, place, &master_key, &mut memory, random).unwrap()
}

fn slot() -> Slot {
    slot_with(&Factors::default(), low_cost(512), &PLACE)
}

fn open(slot: &Slot, typed: &str, factors: &Factors<'_>, place: &AccountPlace) -> Result<[u8; 32], OpenSlotError> {
    slot.open(&passphrase(typed), factors, place, &mut KdfMemory::new()).map(|key| *key.expose())
}

/// A slot's fields as a file may claim them.
struct Claimed {
    kind: u64,
    algorithm: u64,
    memory_kib: u64,
    passes: u64,
    lanes: u64,
    factors: u64,
}

const HONEST: Claimed = Claimed { kind: 1, algorithm: 1, memory_kib: 64 * 1024, passes: 3, lanes: 4, factors: 0 };

impl Claimed {
    fn encode(&self) -> Vec<u8> {
        let mut encoder = Encoder::new(Vec::new());
        encoder.map(9).unwrap();
        encoder.u8(0).unwrap().bytes(&[3; 16]).unwrap();
        let numbers = [self.kind, self.algorithm, self.memory_kib, self.passes, self.lanes];
        for (field, number) in (1u8..).zip(numbers) {
            encoder.u8(field).unwrap().u64(number).unwrap();
        }
        encoder.u8(6).unwrap().bytes(&[4; 32]).unwrap();
        encoder.u8(7).unwrap().u64(self.factors).unwrap();
        encoder.u8(8).unwrap().bytes(&[5; 112]).unwrap();
        encoder.into_writer()
    }
}

fn parse_shipped(bytes: &[u8]) -> Result<Slot, SlotFormatError> {
    Slot::parse(bytes, &KdfFloor::SHIPPED)
}

#[test]
fn a_slot_opens_with_its_passphrase_after_being_stored_and_read() {
    let stored = Slot::parse(&slot().encode(), &FLOOR).unwrap();
    assert_eq!(open(&stored, "right", &Factors::default(), &PLACE), Ok([9; 32]));
    assert_eq!(open(&stored, "Right", &Factors::default(), &PLACE), Err(OpenSlotError::Refused));
    assert!(parse_shipped(&HONEST.encode()).is_ok());
}

#[test]
fn attack_15_memory_of_8_kib_is_refused_before_the_kdf() {
    let edited = Claimed { memory_kib: 8, ..HONEST };
    assert_eq!(parse_shipped(&edited.encode()), Err(KdfParamsError::Memory.into()));
    let just_below = Claimed { memory_kib: 64 * 1024 - 1, ..HONEST };
    assert_eq!(parse_shipped(&just_below.encode()), Err(KdfParamsError::Memory.into()));
    let two_passes = Claimed { passes: 2, ..HONEST };
    assert_eq!(parse_shipped(&two_passes.encode()), Err(KdfParamsError::Passes.into()));
    // A slot made at the cost of tests is none to a shipped program.
    assert_eq!(parse_shipped(&slot().encode()), Err(KdfParamsError::Memory.into()));
}

/// Nothing can be allocated: `parse` is given no `KdfMemory`, and parameters out of bounds exist as no type that a
/// derivation would take.
#[test]
fn attack_16_four_tebibytes_and_endless_passes_are_refused_at_once() {
    let started = Instant::now();
    let memory = Claimed { memory_kib: 1 << 32, passes: 1 << 32, ..HONEST };
    assert_eq!(parse_shipped(&memory.encode()), Err(KdfParamsError::Memory.into()));
    let passes = Claimed { passes: 1 << 32, ..HONEST };
    assert_eq!(parse_shipped(&passes.encode()), Err(KdfParamsError::Passes.into()));
    let lanes = Claimed { lanes: u64::MAX, ..HONEST };
    assert_eq!(parse_shipped(&lanes.encode()), Err(KdfParamsError::Lanes.into()));
    assert!(started.elapsed() < Duration::from_millis(50));
    for (memory_kib, passes, lanes) in
        [(1024 * 1024 + 1, 3, 4), (64 * 1024, 17, 4), (64 * 1024, 3, 17), (64 * 1024, 3, 0)]
    {
        assert!(parse_shipped(&Claimed { memory_kib, passes, lanes, ..HONEST }.encode()).is_err());
    }
}

#[test]
fn attack_17_a_slot_without_one_of_its_parameters_is_refused() {
    for left_out in 0..9u8 {
        let mut encoder = Encoder::new(Vec::new());
        encoder.map(8).unwrap();
        for field in (0..9).filter(|&field| field != left_out) {
            encoder.u8(field).unwrap();
            match field {
                0 => encoder.bytes(&[3; 16]).unwrap(),
                3 => encoder.u32(64 * 1024).unwrap(),
                4 => encoder.u8(3).unwrap(),
                6 => encoder.bytes(&[4; 32]).unwrap(),
                7 => encoder.u8(0).unwrap(),
                8 => encoder.bytes(&[5; 112]).unwrap(),
                _ => encoder.u8(1).unwrap(),
            };
        }
        let mut bytes = encoder.into_writer();
        assert_eq!(parse_shipped(&bytes), Err(SlotFormatError::Malformed), "field {left_out}");
        // Nor with the right number of fields announced.
        bytes[0] = 0xa9;
        assert_eq!(parse_shipped(&bytes), Err(SlotFormatError::Malformed), "field {left_out}");
    }
}

#[test]
fn attack_18_an_unknown_algorithm_kind_or_factor_is_refused() {
    for algorithm in [0, 2, u64::MAX] {
        assert_eq!(parse_shipped(&Claimed { algorithm, ..HONEST }.encode()), Err(SlotFormatError::Unknown));
    }
    for kind in [0, 3, u64::MAX] {
        assert_eq!(parse_shipped(&Claimed { kind, ..HONEST }.encode()), Err(SlotFormatError::Unknown));
    }
    for factors in [4, 7, 1 << 63] {
        assert_eq!(parse_shipped(&Claimed { factors, ..HONEST }.encode()), Err(SlotFormatError::Unknown));
    }
}

/// Changes the first occurrence of `from` in a stored slot.
fn edited(slot: &Slot, from: &[u8], to: &[u8]) -> Slot {
    let mut bytes = slot.encode();
    let at = bytes.windows(from.len()).position(|window| window == from).expect("the slot holds it");
    bytes.splice(at..at + from.len(), to.iter().copied());
    Slot::parse(&bytes, &FLOOR).unwrap()
}

#[test]
fn attack_19_another_salt_opens_nothing() {
    let slot = slot();
    let mut bytes = slot.encode();
    let salt_head = [0x06, 0x58, 0x20];
    let at = bytes.windows(3).position(|window| window == salt_head).unwrap() + 3;
    bytes[at] ^= 1;
    let edited = Slot::parse(&bytes, &FLOOR).unwrap();
    assert_eq!(open(&edited, "right", &Factors::default(), &PLACE), Err(OpenSlotError::Refused));
}

#[test]
fn attack_20_doubled_trailing_and_non_canonical_bytes_are_refused() {
    let good = HONEST.encode();
    assert!(parse_shipped(&good).is_ok());
    let malformed = |bytes: &[u8]| assert_eq!(parse_shipped(bytes), Err(SlotFormatError::Malformed));

    malformed(&[]);
    malformed(&good[..good.len() - 1]);
    malformed(&[good.as_slice(), &[0]].concat());
    // A tenth field; field 7 twice; fields 1 and 2 exchanged.
    let mut tenth = [good.as_slice(), &[0x09, 0x00]].concat();
    tenth[0] = 0xaa;
    malformed(&tenth);
    let factors_at = good.len() - (1 + 2 + 112) - 2;
    assert_eq!(good[factors_at..factors_at + 2], [0x07, 0x00]);
    let mut doubled = good.clone();
    doubled.splice(factors_at..factors_at, [0x07, 0x00]);
    malformed(&doubled);
    doubled[0] = 0xaa;
    malformed(&doubled);
    let kind_at = 1 + 1 + 1 + 16;
    assert_eq!(good[kind_at..kind_at + 4], [0x01, 0x01, 0x02, 0x01]);
    let mut exchanged = good.clone();
    exchanged[kind_at] = 0x02;
    exchanged[kind_at + 2] = 0x01;
    malformed(&exchanged);
    // A number in more bytes than it needs, as key and as value; a map of indefinite length; a text for bytes.
    for at in [kind_at, kind_at + 1] {
        let mut long = good.clone();
        long.splice(at..=at, [0x18, 0x01]);
        malformed(&long);
    }
    let mut indefinite = [good.as_slice(), &[0xff]].concat();
    indefinite[0] = 0xbf;
    malformed(&indefinite);
    let mut text = good.clone();
    text[2] = 0x70;
    malformed(&text);
}

#[test]
fn attack_21_parameters_lowered_within_the_bounds_open_nothing() {
    let slot = slot_with(&Factors::default(), low_cost(512), &PLACE);
    // 03 (field) 19 (two bytes follow) 0200 (512).
    let lowered = edited(&slot, &[0x03, 0x19, 0x02, 0x00], &[0x03, 0x19, 0x01, 0x00]);
    assert_eq!(lowered.params().memory_kib(), 256);
    assert_eq!(open(&lowered, "right", &Factors::default(), &PLACE), Err(OpenSlotError::Refused));
    assert!(!lowered.params().meets(slot.params()));
}

#[test]
fn attack_22_a_stripped_factor_mask_opens_nothing() {
    let device = DeviceSecret::parse(&[7; 32]).unwrap();
    let key_file = key_file_digest(b"a key file");
    let both = Factors { device_secret: Some(&device), key_file: Some(&key_file) };
    let slot = slot_with(&both, low_cost(512), &PLACE);
    assert_eq!(open(&slot, "right", &both, &PLACE), Ok([9; 32]));
    for fewer in [
        Factors { key_file: None, ..both },
        Factors { device_secret: None, ..both },
        Factors::default(),
        Factors { key_file: Some(&key_file_digest(b"another")), ..both },
    ] {
        assert_eq!(open(&slot, "right", &fewer, &PLACE), Err(OpenSlotError::Refused));
    }
    for mask in 0..3u8 {
        let stripped = edited(&slot, &[0x07, 0x03, 0x08], &[0x07, mask, 0x08]);
        for offered in [&both, &Factors::default()] {
            assert_eq!(open(&stripped, "right", offered, &PLACE), Err(OpenSlotError::Refused));
        }
    }
}

/// A zero device secret is not the same as none: the mask differs.
#[test]
fn an_absent_factor_is_not_a_factor_of_zeros() {
    let zeros = DeviceSecret::parse(&[0; 32]).unwrap();
    let with_zeros = Factors { device_secret: Some(&zeros), key_file: None };
    let without = slot();
    let stripped = edited(&without, &[0x07, 0x00, 0x08], &[0x07, 0x01, 0x08]);
    assert_eq!(open(&stripped, "right", &with_zeros, &PLACE), Err(OpenSlotError::Refused));
}

#[test]
fn attack_23_a_slot_moved_to_another_account_or_vault_opens_nothing() {
    for place in [AccountPlace { account: [3; 16], ..PLACE }, AccountPlace { vault: [3; 16], ..PLACE }] {
        assert_eq!(open(&slot(), "right", &Factors::default(), &place), Err(OpenSlotError::Refused));
    }
    let recovery = edited(&slot(), &[0x01, 0x01, 0x02], &[0x01, 0x02, 0x02]);
    assert_eq!(recovery.kind(), SlotKind::PersonalRecovery);
    assert_eq!(open(&recovery, "right", &Factors::default(), &PLACE), Err(OpenSlotError::Refused));
}

fn tenant_context() -> Context {
    Context::new(label::WRAP_TENANT_KEY).bytes([1; 16]).bytes([2; 16]).u64(1)
}

/// AES-GCM's tag can be made to fit two keys at once, so what decides is the commitment, compared before decrypting.
#[test]
fn attack_29_a_wrap_whose_commitment_is_another_keys_does_not_open() {
    let [one, other] = [[1; 32], [2; 32]].map(|bytes| TenantKey::parse(&bytes).unwrap());
    let random = &mut counting_random();
    let by_one = wrap::seal(&one, b"text", &tenant_context(), random);
    let by_other = wrap::seal(&other, b"text", &tenant_context(), random);
    let mixed = [&by_one[..32], &by_other[32..64], &by_one[64..]].concat();
    for key in [&one, &other] {
        assert_eq!(wrap::open(key, &mixed, &tenant_context()).err(), Some(UnwrapError));
    }
    let pairs = [3, 4].map(|byte| SealingKeyPair::from_seed(&SealingSeed::parse(&[byte; 32]).unwrap()));
    let sealed = seal::seal_to(pairs[0].public_key(), b"text", &tenant_context(), random);
    let other = seal::seal_to(pairs[1].public_key(), b"text", &tenant_context(), random);
    let mixed = [&sealed[..1120], &other[1120..1152], &sealed[1152..]].concat();
    assert_eq!(seal::open_sealed(&pairs[0], &mixed, &tenant_context()).err(), Some(OpenSealedError));
}

#[test]
fn a_wrapped_key_opens_as_the_kind_and_in_the_context_it_was_wrapped_for_only() {
    let master_key = AccountMasterKey::parse(&[9; 32]).unwrap();
    let tenant_key = TenantKey::parse(&[8; 32]).unwrap();
    let wrapped = wrap::wrap_key(&master_key, &tenant_key, &tenant_context(), &mut counting_random());
    assert_eq!(wrapped.len(), 32 + wrap::OVERHEAD_BYTES);
    let opened: TenantKey = wrap::unwrap_key(&master_key, &wrapped, &tenant_context()).unwrap();
    assert_eq!(opened.expose(), tenant_key.expose());
    let next_epoch = Context::new(label::WRAP_TENANT_KEY).bytes([1; 16]).bytes([2; 16]).u64(2);
    let other_label = Context::new(label::WRAP_DIRECTORY_KEY).bytes([1; 16]).bytes([2; 16]).u64(1);
    for context in [next_epoch, other_label] {
        assert!(wrap::unwrap_key::<TenantKey>(&master_key, &wrapped, &context).is_err());
    }
    let of_48_bytes = wrap::unwrap_key::<coffer_crypto::secret::DatabaseKey>(&master_key, &wrapped, &tenant_context());
    assert_eq!(of_48_bytes.err(), Some(UnwrapError));
}

fn log_context() -> Context {
    Context::new(label::SEAL_LOG_SESSION).bytes([1; 16])
}

#[test]
fn any_message_of_a_session_opens_alone_and_only_under_its_number() {
    let pair = SealingKeyPair::from_seed(&SealingSeed::parse(&[3; 32]).unwrap());
    let mut session = SealingSession::start(pair.public_key(), &log_context(), &mut counting_random());
    let sealed: Vec<_> = (0..seal::SESSION_MAX_MESSAGES)
        .map(|number| {
            let (given, message) = session.seal(format!("entry {number}").as_bytes(), b"mac").unwrap();
            assert_eq!(given, number);
            message
        })
        .collect();
    assert!(session.seal(b"one more", b"").is_err());
    assert_eq!(session.remaining(), 0);

    let opening = OpeningSession::start(&pair, session.header(), &log_context()).unwrap();
    for (number, index) in [(999, 999), (3, 3), (0, 0)] {
        let expected = format!("entry {number}");
        assert_eq!(opening.open(number, b"mac", &sealed[index]).unwrap().expose(), expected.as_bytes());
    }
    assert!(opening.open(4, b"mac", &sealed[3]).is_err());
    assert!(opening.open(3, b"another", &sealed[3]).is_err());
    assert!(opening.open(1000, b"mac", &sealed[3]).is_err());
    assert!(OpeningSession::start(&pair, session.header(), &tenant_context()).is_err());
    let longer = [session.header(), &[0]].concat();
    assert!(OpeningSession::start(&pair, &longer, &log_context()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn unwrap_key_rejects_any_flipped_bit(bit in 0usize..112 * 8) {
        let master_key = AccountMasterKey::parse(&[9; 32]).unwrap();
        let tag_key = TagKey::parse(&[8; 32]).unwrap();
        let mut wrapped = wrap::wrap_key(&master_key, &tag_key, &tenant_context(), &mut counting_random());
        wrapped[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(wrap::unwrap_key::<TagKey>(&master_key, &wrapped, &tenant_context()).is_err());
    }

    #[test]
    fn a_slot_with_any_flipped_bit_does_not_open(position in any::<prop::sample::Index>(), bit in 0u8..8) {
        let slot = slot();
        let mut bytes = slot.encode();
        let position = position.index(bytes.len());
        bytes[position] ^= 1 << bit;
        if let Ok(flipped) = Slot::parse(&bytes, &FLOOR) {
            prop_assert_eq!(flipped.encode(), bytes);
            // One that claims a factor more than it was made with is derived from what is shown, and so opens: the entry it
            // lies in is then not what was authenticated, which says more than that a factor is missing (attack 22).
            let claims_more = flipped.factors() != slot.factors();
            prop_assert!(claims_more || open(&flipped, "right", &Factors::default(), &PLACE).is_err());
        }
    }

    #[test]
    fn open_sealed_rejects_any_flipped_bit(position in any::<prop::sample::Index>(), bit in 0u8..8) {
        let pair = SealingKeyPair::from_seed(&SealingSeed::parse(&[3; 32]).unwrap());
        let mut sealed = seal::seal_to(pair.public_key(), b"text", &tenant_context(), &mut counting_random());
        let position = position.index(sealed.len());
        sealed[position] ^= 1 << bit;
        prop_assert!(seal::open_sealed(&pair, &sealed, &tenant_context()).is_err());
    }

    #[test]
    fn what_is_sealed_opens_to_the_same_bytes(content in prop::collection::vec(any::<u8>(), 0..300)) {
        let master_key = AccountMasterKey::parse(&[9; 32]).unwrap();
        let wrapped = wrap::seal(&master_key, &content, &tenant_context(), &mut counting_random());
        let opened = wrap::open(&master_key, &wrapped, &tenant_context()).unwrap();
        prop_assert_eq!(opened.expose(), content.as_slice());
        let pair = SealingKeyPair::from_seed(&SealingSeed::parse(&[3; 32]).unwrap());
        let sealed = seal::seal_to(pair.public_key(), &content, &tenant_context(), &mut counting_random());
        let opened = seal::open_sealed(&pair, &sealed, &tenant_context()).unwrap();
        prop_assert_eq!(opened.expose(), content.as_slice());
    }

    #[test]
    fn no_bytes_make_a_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), text in any::<String>()) {
        if let Ok(slot) = Slot::parse(&bytes, &FLOOR) {
            prop_assert_eq!(slot.encode(), bytes.clone());
        }
        let master_key = AccountMasterKey::parse(&[9; 32]).unwrap();
        prop_assert!(wrap::open(&master_key, &bytes, &tenant_context()).is_err());
        prop_assert!(coffer_crypto::seal::SealingPublicKey::parse(&bytes).is_err());
        let _ = coffer_crypto::sign::VerifyingKey::parse(&bytes);
        let _ = Passphrase::parse(bytes);
        let _ = Passphrase::parse(text.clone().into());
        let _ = coffer_crypto::secret::RecoverySeed::parse_recovery_code(&text);
        let _ = coffer_crypto::secret::AgeIdentity::parse_text(&text);
    }
}

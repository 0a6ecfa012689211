//! Passphrase and key factors → slot key: Argon2id, then HKDF over everything that must not be stripped or lowered.
//! Layout: docs/FORMAT.md §4.3. Spec: Argon2id v1.3 (RFC 9106), HKDF with SHA-256 (RFC 5869).
//! Pure but for its memory ([`crate::memory`]); the clock that calibration needs is the caller's.
//!
//! ```text
//! A        = Argon2id(passphrase, salt, memory, passes, lanes)                       32 bytes
//! slot key = HKDF(salt = none, IKM = A ‖ device secret ‖ H(key file),
//!                 info = label ‖ SHA-256(vault, account, slot, factor mask, H(params)))
//! ```

use argon2::{Algorithm, Argon2, Params, Version};
use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::derive::Id;
use crate::label::{self, Context};
use crate::memory::{KdfMemory, OutOfMemory};
use crate::passphrase::Passphrase;
use crate::secret::sealed::Buffer;
use crate::secret::{DeviceSecret, KeyFileDigest, SecretKey, SlotKey};

/// Length of a slot's salt. RFC 9106 §3.1 recommends 16; twice that costs nothing.
pub const SALT_BYTES: usize = 32;

/// What [`KdfParams`] are held to at least. A value of its own, so that tests can be quick without shipped programs
/// having a switch: the host carries it, and only tests build a host with another than [`KdfFloor::SHIPPED`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KdfFloor {
    memory_kib: u32,
    passes: u32,
}

impl KdfFloor {
    /// RFC 9106 §4, second recommendation: 64 MiB, three passes.
    pub const SHIPPED: Self = Self { memory_kib: KdfParams::MIN_MEMORY_KIB, passes: KdfParams::MIN_PASSES };

    /// Low enough for thousands of derivations in a test, and of no protection at all.
    pub const fn for_tests() -> Self {
        Self { memory_kib: 256, passes: 1 }
    }

    /// The cheapest parameters it lets through.
    pub const fn least(&self) -> KdfParams {
        KdfParams { memory_kib: self.memory_kib, passes: self.passes, lanes: 1 }
    }
}

/// Parameters outside the bounds. Found before anything is allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KdfParamsError {
    /// Memory under the floor, or over [`KdfParams::MAX_MEMORY_KIB`].
    #[error("the memory cost is out of bounds")]
    Memory,
    /// Passes under the floor, or over [`KdfParams::MAX_PASSES`].
    #[error("the number of passes is out of bounds")]
    Passes,
    /// No lane, or more than [`KdfParams::MAX_LANES`].
    #[error("the number of lanes is out of bounds")]
    Lanes,
}

/// Argon2id cost (RFC 9106 §3.1), as stored in a key slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KdfParams {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl KdfParams {
    /// RFC 9106 §4, second recommendation. Refuse less: the file may be edited (THREAT-MODEL T3).
    pub const MIN_MEMORY_KIB: u32 = 64 * 1024;
    /// 1 GiB. Refuse more: an edited file must not exhaust the machine (THREAT-MODEL T3).
    pub const MAX_MEMORY_KIB: u32 = 1024 * 1024;
    /// RFC 9106 §4, second recommendation.
    pub const MIN_PASSES: u32 = 3;
    /// At 1 GiB about a minute on a slow machine; beyond that a slot is an attack, not a choice.
    pub const MAX_PASSES: u32 = 16;
    /// More lanes than machines have cores only lower the cost for whoever guesses.
    pub const MAX_LANES: u32 = 16;

    /// RFC 9106 §4, second recommendation: 64 MiB, three passes, four lanes. No default of Coffer's is below it.
    pub const RFC_9106_SECOND: Self = Self { memory_kib: Self::MIN_MEMORY_KIB, passes: Self::MIN_PASSES, lanes: 4 };

    /// Checks parameters, given as wide as a file can hold them.
    pub fn new(memory_kib: u64, passes: u64, lanes: u64, floor: &KdfFloor) -> Result<Self, KdfParamsError> {
        let within = |value: u64, least: u32, most: u32| {
            u32::try_from(value).ok().filter(|value| (least..=most).contains(value))
        };
        Ok(Self {
            memory_kib: within(memory_kib, floor.memory_kib, Self::MAX_MEMORY_KIB).ok_or(KdfParamsError::Memory)?,
            passes: within(passes, floor.passes, Self::MAX_PASSES).ok_or(KdfParamsError::Passes)?,
            lanes: within(lanes, 1, Self::MAX_LANES).ok_or(KdfParamsError::Lanes)?,
        })
    }

    /// Chooses parameters that take about 0.85 s on a machine where `probe` took `probe_ms`.
    ///
    /// Memory is raised first, in steps of 64 MiB, up to `memory_limit_kib` (what the machine can spare) and
    /// [`KdfParams::MAX_MEMORY_KIB`]; only then passes. Never below [`KdfParams::RFC_9106_SECOND`], however slow the
    /// machine. Argon2id's time is in proportion to memory times passes, at the same number of lanes.
    #[must_use]
    pub fn calibrated(probe: &Self, probe_ms: u32, memory_limit_kib: u32) -> Self {
        let least = Self::RFC_9106_SECOND;
        let probe_work = u64::from(probe.memory_kib) * u64::from(probe.passes);
        let work = probe_work * u64::from(CALIBRATION_TARGET_MS) / u64::from(probe_ms.max(1));

        let most_memory = u64::from(memory_limit_kib.clamp(least.memory_kib, Self::MAX_MEMORY_KIB));
        let memory = (work / u64::from(least.passes)).clamp(u64::from(least.memory_kib), most_memory);
        let memory = memory - memory % u64::from(least.memory_kib);
        let passes = (work / memory).clamp(u64::from(least.passes), u64::from(Self::MAX_PASSES));
        Self {
            memory_kib: u32::try_from(memory).expect("clamped to at most 1 GiB"),
            passes: u32::try_from(passes).expect("clamped to at most 16"),
            lanes: probe.lanes.max(least.lanes),
        }
    }

    /// Memory in KiB.
    pub const fn memory_kib(&self) -> u32 {
        self.memory_kib
    }

    /// Passes over the memory.
    pub const fn passes(&self) -> u32 {
        self.passes
    }

    /// Lanes, each worked on by a core of its own.
    pub const fn lanes(&self) -> u32 {
        self.lanes
    }

    /// Whether these cost no less than `minimum` in memory and in memory times passes: the check against the minimum
    /// that an account's sealed state holds, after an unlock.
    pub fn meets(&self, minimum: &Self) -> bool {
        let work = |params: &Self| u64::from(params.memory_kib) * u64::from(params.passes);
        self.memory_kib >= minimum.memory_kib && work(self) >= work(minimum)
    }

    fn digest(&self) -> [u8; 32] {
        Context::new(label::KDF_PARAMS)
            .u64(ARGON2ID_V13)
            .u64(self.memory_kib.into())
            .u64(self.passes.into())
            .u64(self.lanes.into())
            .digest()
    }
}

/// The middle of the window of 700 to 1,000 ms that an unlock may take.
const CALIBRATION_TARGET_MS: u32 = 850;

/// Number of the one KDF there is, in slots and in the parameters' digest: Argon2id, version 0x13.
pub(crate) const ARGON2ID_V13: u64 = 1;

/// What besides the passphrase goes into a slot key. Absent factors count as zeros, and which are present is bound.
#[derive(Clone, Copy, Debug, Default)]
pub struct Factors<'a> {
    /// Kept by this device.
    pub device_secret: Option<&'a DeviceSecret>,
    /// From a key file the person keeps.
    pub key_file: Option<&'a KeyFileDigest>,
}

impl Factors<'_> {
    /// Which factors are here.
    pub const fn mask(&self) -> FactorMask {
        FactorMask { device_secret: self.device_secret.is_some(), key_file: self.key_file.is_some() }
    }
}

/// Which key factors a slot takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FactorMask {
    /// The device secret.
    pub device_secret: bool,
    /// A key file.
    pub key_file: bool,
}

impl FactorMask {
    const DEVICE_SECRET_BIT: u64 = 1;
    const KEY_FILE_BIT: u64 = 2;

    /// As stored: bit 0 the device secret, bit 1 the key file.
    pub const fn encode(self) -> u64 {
        (if self.device_secret { Self::DEVICE_SECRET_BIT } else { 0 })
            | (if self.key_file { Self::KEY_FILE_BIT } else { 0 })
    }

    /// Reads a mask; refuses bits that mean nothing.
    pub const fn parse(bits: u64) -> Option<Self> {
        if bits & !(Self::DEVICE_SECRET_BIT | Self::KEY_FILE_BIT) != 0 {
            return None;
        }
        Some(Self { device_secret: bits & Self::DEVICE_SECRET_BIT != 0, key_file: bits & Self::KEY_FILE_BIT != 0 })
    }
}

/// Hashes a key file's bytes into the factor they are.
pub fn key_file_digest(key_file: &[u8]) -> KeyFileDigest {
    let mut digest = Sha256::digest(key_file);
    let key = KeyFileDigest::fill_with(|buffer| buffer.copy_from_slice(&digest));
    zeroize::Zeroize::zeroize(digest.as_mut_slice());
    key
}

/// Whose slot a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotPlace {
    /// The vault.
    pub vault: Id,
    /// The account.
    pub account: Id,
    /// The slot.
    pub slot: Id,
}

/// Derives the key of one slot. Takes about as long as `params` were calibrated for.
pub fn derive_slot_key(
    memory: &mut KdfMemory,
    passphrase: &Passphrase,
    salt: &[u8; SALT_BYTES],
    params: &KdfParams,
    factors: &Factors<'_>,
    place: &SlotPlace,
) -> Result<SlotKey, OutOfMemory> {
    const PART: usize = 32;
    // A ‖ device secret ‖ H(key file); zeros where a factor is absent.
    let mut ikm = Zeroizing::new([0; 3 * PART]);
    argon2id(memory, passphrase.expose(), salt, params, &mut ikm[..PART])?;
    if let Some(secret) = factors.device_secret {
        ikm[PART..2 * PART].copy_from_slice(secret.expose_bytes());
    }
    if let Some(digest) = factors.key_file {
        ikm[2 * PART..].copy_from_slice(digest.expose_bytes());
    }
    let context = Context::new(label::SLOT_KEY)
        .bytes(place.vault)
        .bytes(place.account)
        .bytes(place.slot)
        .u64(factors.mask().encode())
        .bytes(params.digest());
    let hkdf = Hkdf::<Sha256>::new(None, ikm.as_slice());
    Ok(SlotKey::fill_with(|buffer| {
        hkdf.expand(&context.info(), buffer).expect("32 bytes are below HKDF's limit of 255 hashes");
    }))
}

/// Argon2id over our own memory, which is erased before this returns.
fn argon2id(
    memory: &mut KdfMemory,
    passphrase: &[u8],
    salt: &[u8],
    params: &KdfParams,
    out: &mut [u8],
) -> Result<(), OutOfMemory> {
    let params = Params::new(params.memory_kib, params.passes, params.lanes, Some(out.len()))
        .expect("KdfParams are within Argon2's own bounds");
    let blocks = params.block_count();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    memory.with_blocks(blocks, |blocks| {
        argon2
            .hash_password_into_with_memory(passphrase, salt, out, blocks)
            .expect("lengths and memory are within Argon2's bounds");
    })
}

#[cfg(test)]
mod tests {
    use argon2::{AssociatedData, ParamsBuilder};

    use super::*;

    fn params(memory_kib: u64, passes: u64, lanes: u64) -> KdfParams {
        KdfParams::new(memory_kib, passes, lanes, &KdfFloor::for_tests()).unwrap()
    }

    /// RFC 9106 §5.3, over our own memory.
    #[test]
    fn argon2id_gives_the_vector_of_rfc_9106() {
        let data = AssociatedData::new(&[4; 12]).unwrap();
        let params = ParamsBuilder::new().m_cost(32).t_cost(3).p_cost(4).data(data).build().unwrap();
        let argon2 = Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params).unwrap();
        let mut tag = [0; 32];
        KdfMemory::new()
            .with_blocks(32, |blocks| argon2.hash_password_into_with_memory(&[1; 32], &[2; 16], &mut tag, blocks))
            .unwrap()
            .unwrap();
        assert_eq!(hex::encode(tag), "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659");
    }

    /// Test cases of the reference implementation (P-H-C/phc-winner-argon2, src/test.c), without secret and data, as we use it.
    #[test]
    fn argon2id_gives_the_reference_implementations_results() {
        let cases = [
            (params(256, 2, 1), "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe"),
            (params(256, 2, 2), "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037"),
        ];
        let mut memory = KdfMemory::new();
        for (params, expected) in cases {
            let mut tag = [0; 32];
            argon2id(&mut memory, b"password", b"somesalt", &params, &mut tag).unwrap();
            assert_eq!(hex::encode(tag), expected);
        }
    }

    #[test]
    fn everything_that_goes_into_a_slot_key_changes_it() {
        let mut memory = KdfMemory::new();
        let one = Passphrase::parse(b"one".to_vec()).unwrap();
        let other = Passphrase::parse(b"other".to_vec()).unwrap();
        let device = DeviceSecret::parse(&[7; 32]).unwrap();
        let file = key_file_digest(b"file");
        let place = SlotPlace { vault: [1; 16], account: [2; 16], slot: [3; 16] };
        let none = Factors::default();
        let mut derive = |passphrase, salt: u8, params: &KdfParams, factors: &Factors<'_>, place: &SlotPlace| {
            *derive_slot_key(&mut memory, passphrase, &[salt; 32], params, factors, place).unwrap().expose()
        };
        let base = params(256, 1, 1);
        let mut keys = vec![
            derive(&one, 1, &base, &none, &place),
            derive(&other, 1, &base, &none, &place),
            derive(&one, 2, &base, &none, &place),
            derive(&one, 1, &params(257, 1, 1), &none, &place),
            derive(&one, 1, &params(256, 2, 1), &none, &place),
            derive(&one, 1, &params(256, 1, 2), &none, &place),
            derive(&one, 1, &base, &Factors { device_secret: Some(&device), ..none }, &place),
            derive(&one, 1, &base, &Factors { key_file: Some(&file), ..none }, &place),
            derive(&one, 1, &base, &none, &SlotPlace { vault: [9; 16], ..place }),
            derive(&one, 1, &base, &none, &SlotPlace { account: [9; 16], ..place }),
            derive(&one, 1, &base, &none, &SlotPlace { slot: [9; 16], ..place }),
        ];
        let all = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), all);
    }

    #[test]
    fn calibration_aims_at_the_window_and_never_goes_below_rfc_9106() {
        let probe = KdfParams::RFC_9106_SECOND;
        let work = |params: &KdfParams| u64::from(params.memory_kib) * u64::from(params.passes);
        for probe_ms in [1, 20, 50, 90, 130, 200, 300, 500, 849, 900, 5_000, u32::MAX] {
            for limit in [64 * 1024, 256 * 1024, 1024 * 1024, u32::MAX] {
                let chosen = KdfParams::calibrated(&probe, probe_ms, limit);
                assert!(chosen.meets(&probe));
                assert!(chosen.memory_kib <= limit.min(KdfParams::MAX_MEMORY_KIB));
                let again = KdfParams::new(
                    chosen.memory_kib.into(),
                    chosen.passes.into(),
                    chosen.lanes.into(),
                    &KdfFloor::SHIPPED,
                );
                assert_eq!(again, Ok(chosen));
                let expected_ms = work(&chosen) * u64::from(probe_ms) / work(&probe);
                assert!(expected_ms <= 1_000 || chosen == probe, "{probe_ms} ms, {limit} KiB: {chosen:?}");
            }
        }
        let quick = KdfParams::calibrated(&probe, 50, u32::MAX);
        assert_eq!((quick.memory_kib, quick.passes, quick.lanes), (1024 * 1024, 3, 4));
    }

    #[test]
    fn factor_masks_read_back_and_unknown_bits_are_refused() {
        for bits in 0..4 {
            assert_eq!(FactorMask::parse(bits).map(FactorMask::encode), Some(bits));
        }
        for bits in [4, 5, 8, u64::MAX] {
            assert_eq!(FactorMask::parse(bits), None);
        }
    }
}

//! Passphrase and key factors → slot key: Argon2id, then HKDF over everything that must not be stripped or lowered.
//! Layout: docs/FORMAT.md, "Slot key". Spec: Argon2id v1.3 (RFC 9106), HKDF with SHA-256 (RFC 5869).
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

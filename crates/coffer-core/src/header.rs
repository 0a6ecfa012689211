//! The header: the one file of a vault that is read before anything is unlocked. No name is in it.
//! Layout: docs/FORMAT.md §3. Pure; `store::files` reads and replaces the file.
//!
//! Two MACs guard it. Each account's entry is authenticated under that account's master key, so that nobody else can
//! alter it unnoticed by its owner; the whole is authenticated under a key of the directory, so that somebody without
//! an account (THREAT-MODEL T3) can alter nothing. The public key in it is a cache for locked appends: unlocked
//! sessions seal to what the membership chain says.

use coffer_crypto::Random;
use coffer_crypto::derive;
use coffer_crypto::kdf::KdfParams;
use coffer_crypto::label::{self, Context};
use coffer_crypto::secret::{AccountMasterKey, MacKey};
use coffer_crypto::wrap;
use coffer_model::id::{AccountId, VaultId};
use coffer_model::time::Timestamp;
use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{CborLen, Decode, Encode};

use crate::chain::ChainPin;
use crate::encoding::{self, NotCanonical};
use crate::store::file_root::FileRoot;

/// First member of every header.
const MAGIC: &str = "coffer vault";
/// The format this build writes, and the newest it reads.
pub(crate) const FORMAT: u32 = 1;
/// Most bytes of a header: thousands of accounts. Bounds what a hostile file can make us read.
pub(crate) const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// Why a header cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Damaged, not canonical, or no header at all.
    #[error("the header is damaged or is not a vault's")]
    Malformed,
    /// Written by a newer Coffer.
    #[error("the vault has format {0}, which this version cannot read")]
    NewerFormat(u32),
    /// Of a cryptographic suite this version does not know.
    #[error("the vault uses cryptographic suite {0}, which this version does not know")]
    UnknownSuite(u32),
}

impl From<NotCanonical> for HeaderError {
    fn from(_: NotCanonical) -> Self {
        Self::Malformed
    }
}

/// A MAC does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the header was altered")]
pub(crate) struct HeaderAltered;

/// The header.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, CborLen)]
pub(crate) struct Header {
    #[n(0)]
    magic: String,
    #[n(1)]
    format: u32,
    #[n(2)]
    suite: u32,
    #[cbor(n(3), with = "encoding::vault_id")]
    pub(crate) vault: VaultId,
    /// Counts replacements of the header.
    #[n(4)]
    pub(crate) generation: u64,
    /// Salt of login look-ups and decoys.
    #[n(5)]
    pub(crate) salt: ByteArray<32>,
    /// The vault holds invented data.
    #[n(6)]
    pub(crate) demo: bool,
    /// Audit public key, for appending to the log while locked.
    #[n(7)]
    pub(crate) audit_cache: ByteVec,
    /// Directory key sealed to recovery.
    #[n(8)]
    pub(crate) directory_for_recovery: ByteVec,
    #[n(9)]
    pub(crate) accounts: Vec<AccountEntry>,
    #[n(10)]
    mac: ByteArray<32>,
}

/// What an account needs to unlock.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, CborLen)]
pub(crate) struct AccountEntry {
    /// HMAC of the login under the header's salt.
    #[n(0)]
    pub(crate) lookup: ByteArray<32>,
    #[cbor(n(1), with = "encoding::account_id")]
    pub(crate) account: AccountId,
    /// Key slots (docs/FORMAT.md §4).
    #[n(2)]
    pub(crate) slots: Vec<ByteVec>,
    /// X-Wing seed under the master key.
    #[n(3)]
    pub(crate) sealing_seed: ByteVec,
    /// Ed25519 seed under the master key.
    #[n(4)]
    pub(crate) signing_seed: ByteVec,
    /// [`SealedState`] under the master key.
    #[n(5)]
    state: ByteVec,
    /// Directory key sealed to the account.
    #[n(6)]
    pub(crate) directory: ByteVec,
    #[n(7)]
    mac: ByteArray<32>,
}

/// What an account remembers of the vault from one session to the next, readable and alterable by nobody else.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, CborLen)]
pub(crate) struct SealedState {
    #[n(0)]
    founding: ByteArray<32>,
    #[n(1)]
    chain_length: u64,
    #[n(2)]
    chain_head: ByteArray<32>,
    /// Least Argon2id cost of any slot of this account: memory in KiB, passes, lanes.
    #[n(3)]
    kdf_minimum: (u32, u32, u32),
    /// When the account unlocked last, in milliseconds since the Unix epoch.
    #[n(4)]
    pub(crate) unlocked_ms: Option<i64>,
    /// Entries of the log when the account last unlocked or locked.
    #[n(5)]
    log_entries: u64,
    /// Root of the log's tree over those entries.
    #[n(6)]
    log_root: ByteArray<32>,
    /// Unlocks of this vault that had failed by then.
    #[n(7)]
    pub(crate) failed_unlocks: u64,
    /// The directory's file as it was locked; absent while a session lasts and after a kill.
    #[n(8)]
    pub(crate) directory: Option<FileRoot>,
}

impl SealedState {
    /// The state of an account that has not unlocked yet.
    pub(crate) fn new(pin: &ChainPin, kdf: &KdfParams) -> Self {
        Self {
            founding: pin.founding.into(),
            chain_length: pin.length,
            chain_head: pin.head.into(),
            kdf_minimum: (kdf.memory_kib(), kdf.passes(), kdf.lanes()),
            unlocked_ms: None,
            log_entries: 0,
            log_root: [0; 32].into(),
            failed_unlocks: 0,
            directory: None,
        }
    }

    /// How far the membership chain was verified.
    pub(crate) fn pin(&self) -> ChainPin {
        ChainPin { founding: *self.founding, length: self.chain_length, head: *self.chain_head }
    }

    /// Remembers a longer chain.
    pub(crate) fn set_pin(&mut self, pin: &ChainPin) {
        self.founding = pin.founding.into();
        self.chain_length = pin.length;
        self.chain_head = pin.head.into();
    }

    /// How far the log is known: its entries, and the root of the tree over them.
    pub(crate) fn log(&self) -> (u64, [u8; 32]) {
        (self.log_entries, *self.log_root)
    }

    /// Remembers a longer log.
    pub(crate) fn remember_log(&mut self, (entries, root): (u64, [u8; 32])) {
        self.log_entries = entries;
        self.log_root = root.into();
    }

    /// Whether a slot's cost is no lower than this account ever had.
    pub(crate) fn accepts_kdf(&self, kdf: &KdfParams) -> bool {
        let (memory_kib, passes, _) = self.kdf_minimum;
        kdf.memory_kib() >= memory_kib && kdf.passes() >= passes
    }

    /// When the account unlocked last.
    pub(crate) fn unlocked_at(&self) -> Option<Timestamp> {
        self.unlocked_ms.and_then(|millis| Timestamp::from_unix_millis(millis).ok())
    }
}

/// The parts of a new account's entry.
pub(crate) struct NewAccountEntry {
    pub(crate) lookup: [u8; 32],
    pub(crate) account: AccountId,
    pub(crate) slot: Vec<u8>,
    pub(crate) sealing_seed: Vec<u8>,
    pub(crate) signing_seed: Vec<u8>,
    pub(crate) directory: Vec<u8>,
}

impl AccountEntry {
    /// Puts an entry together and authenticates it.
    pub(crate) fn new(
        vault: VaultId,
        new: NewAccountEntry,
        state: &SealedState,
        master: &AccountMasterKey,
        random: &mut dyn Random,
    ) -> Self {
        let mut entry = Self {
            lookup: new.lookup.into(),
            account: new.account,
            slots: vec![new.slot.into()],
            sealing_seed: new.sealing_seed.into(),
            signing_seed: new.signing_seed.into(),
            state: Vec::new().into(),
            directory: new.directory.into(),
            mac: [0; 32].into(),
        };
        entry.set_state(vault, state, master, random);
        entry
    }

    /// Checks the entry's MAC and opens its sealed state.
    pub(crate) fn open_state(&self, vault: VaultId, master: &AccountMasterKey) -> Result<SealedState, HeaderAltered> {
        let key = derive::derive_account_entry_mac_key(master, vault.as_bytes(), self.account.as_bytes());
        derive::verify_mac(&key, label::ACCOUNT_ENTRY_MAC, &self.authenticated(), self.mac.as_slice())
            .map_err(|_| HeaderAltered)?;
        let state = wrap::open(master, &self.state, &self.state_context(vault)).map_err(|_| HeaderAltered)?;
        encoding::decode(state.expose()).map_err(|_| HeaderAltered)
    }

    /// Seals a new state and authenticates the entry again.
    pub(crate) fn set_state(
        &mut self,
        vault: VaultId,
        state: &SealedState,
        master: &AccountMasterKey,
        random: &mut dyn Random,
    ) {
        self.state = wrap::seal(master, &encoding::encode(state), &self.state_context(vault), random).into();
        let key = derive::derive_account_entry_mac_key(master, vault.as_bytes(), self.account.as_bytes());
        self.mac = derive::compute_mac(&key, label::ACCOUNT_ENTRY_MAC, &self.authenticated()).into();
    }

    fn state_context(&self, vault: VaultId) -> Context {
        Context::new(label::SEALED_STATE).bytes(vault.as_bytes()).bytes(self.account.as_bytes())
    }

    /// The entry with a MAC of zeros: what its MAC is over.
    fn authenticated(&self) -> Vec<u8> {
        encoding::encode(&Self { mac: [0; 32].into(), ..self.clone() })
    }
}

impl Header {
    /// Puts the first header of a vault together.
    pub(crate) fn new(
        vault: VaultId,
        salt: [u8; 32],
        demo: bool,
        audit_cache: Vec<u8>,
        directory_for_recovery: Vec<u8>,
        founder: AccountEntry,
    ) -> Self {
        Self {
            magic: MAGIC.to_owned(),
            format: FORMAT,
            suite: 1,
            vault,
            generation: 0,
            salt: salt.into(),
            demo,
            audit_cache: audit_cache.into(),
            directory_for_recovery: directory_for_recovery.into(),
            accounts: vec![founder],
            mac: [0; 32].into(),
        }
    }

    /// Reads a header. Says first whether the file is of a newer format, so that nobody takes it for a damaged one.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, HeaderError> {
        let (format, suite) = peek_version(bytes).ok_or(HeaderError::Malformed)?;
        if format != FORMAT {
            return Err(HeaderError::NewerFormat(format));
        }
        if suite != 1 {
            return Err(HeaderError::UnknownSuite(suite));
        }
        Ok(encoding::decode(bytes)?)
    }

    /// Counts the generation up, authenticates and encodes.
    pub(crate) fn encode_next(&mut self, mac_key: &MacKey) -> Vec<u8> {
        self.generation += 1;
        self.mac = derive::compute_mac(mac_key, label::HEADER_MAC, &self.authenticated()).into();
        encoding::encode(self)
    }

    /// Checks the MAC over everything.
    pub(crate) fn verify(&self, mac_key: &MacKey) -> Result<(), HeaderAltered> {
        derive::verify_mac(mac_key, label::HEADER_MAC, &self.authenticated(), self.mac.as_slice())
            .map_err(|_| HeaderAltered)
    }

    /// The entry of an account, to change.
    pub(crate) fn entry_mut(&mut self, account: AccountId) -> Option<&mut AccountEntry> {
        self.accounts.iter_mut().find(|entry| entry.account == account)
    }

    fn authenticated(&self) -> Vec<u8> {
        encoding::encode(&Self { mac: [0; 32].into(), ..self.clone() })
    }
}

/// Format and suite of a header of any format: these two stay where they are.
fn peek_version(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut decoder = minicbor::Decoder::new(bytes);
    decoder.array().ok()?;
    if decoder.str().ok()? != MAGIC {
        return None;
    }
    Some((decoder.u32().ok()?, decoder.u32().ok()?))
}

//! The header: the one file of a vault that is read before anything is unlocked. No name is in it.
//! Layout: docs/FORMAT.md §3. Pure; `store::files` reads and replaces the file.
//!
//! Two MACs guard it. Each account's entry is authenticated under that account's master key, so that nobody else can
//! alter it unnoticed by its owner; the whole is authenticated under a key of the directory, so that somebody without
//! an account (THREAT-MODEL T3) can alter nothing. The public key in it is a cache for locked appends: unlocked
//! sessions seal to what the membership chain says.

use std::fmt;

use coffer_crypto::Random;
use coffer_crypto::activation::InvitationKeys;
use coffer_crypto::derive;
use coffer_crypto::kdf::{KdfFloor, KdfParams};
use coffer_crypto::label::{self, Context};
use coffer_crypto::second_factor::{self, CodeRefusal, TypedCode};
use coffer_crypto::secret::{AccountMasterKey, ActivationCode, MacKey, SecondFactorSeed, SecretKey, SpareCode};
use coffer_crypto::wrap;
use coffer_model::id::{AccountId, VaultId};
use coffer_model::time::Timestamp;
use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{CborLen, Decode, Encode};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::chain::{AccountEnrolled, ChainPin};
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
    /// How often the directory got a key (docs/FORMAT.md §5.7).
    #[n(8)]
    pub(crate) directory_generation: u64,
    /// Directory key sealed to recovery.
    #[n(9)]
    pub(crate) directory_for_recovery: ByteVec,
    /// Directory key sealed to each account and invitation, by their identifiers.
    #[n(10)]
    pub(crate) directory_for: Vec<DirectorySeal>,
    /// The directory's file as it was locked; absent while a session lasts and after a kill.
    #[n(11)]
    pub(crate) directory: Option<FileRoot>,
    #[n(12)]
    pub(crate) accounts: Vec<AccountEntry>,
    #[n(13)]
    pub(crate) invitations: Vec<InvitationEntry>,
    #[n(14)]
    mac: ByteArray<32>,
    /// Digests of the shares of recovery's seed, if it is split: a copy of what the chain says, by which a false share is
    /// told while nobody can open the chain.
    #[n(15)]
    pub(crate) shares_cache: Option<Vec<ByteArray<32>>>,
}

/// The directory key, sealed to one account or invitation.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, CborLen)]
pub(crate) struct DirectorySeal {
    #[cbor(n(0), with = "encoding::account_id")]
    pub(crate) account: AccountId,
    #[n(1)]
    pub(crate) sealed: ByteVec,
}

/// What an invited person needs to become an account.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, CborLen)]
pub(crate) struct InvitationEntry {
    /// Derived from the activation code.
    #[n(0)]
    pub(crate) lookup: ByteArray<32>,
    /// What the account will be called.
    #[cbor(n(1), with = "encoding::account_id")]
    pub(crate) account: AccountId,
    /// [`InvitationPin`] under the activation key.
    #[n(2)]
    sealed: ByteVec,
}

/// What an activation code vouches for: which account it is for, and which vault's chain is the right one.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, CborLen)]
pub(crate) struct InvitationPin {
    #[cbor(n(0), with = "encoding::account_id")]
    pub(crate) account: AccountId,
    #[n(1)]
    founding: ByteArray<32>,
    #[n(2)]
    chain_length: u64,
    #[n(3)]
    chain_head: ByteArray<32>,
}

impl InvitationPin {
    /// For the invitation of `account` that is stated in a chain as long as `pin`.
    pub(crate) fn new(account: AccountId, pin: &ChainPin) -> Self {
        Self { account, founding: pin.founding.into(), chain_length: pin.length, chain_head: pin.head.into() }
    }

    /// How far the membership chain is known.
    pub(crate) fn pin(&self) -> ChainPin {
        ChainPin { founding: *self.founding, length: self.chain_length, head: *self.chain_head }
    }
}

impl InvitationEntry {
    /// Puts an entry together.
    pub(crate) fn new(vault: VaultId, keys: &InvitationKeys, pin: &InvitationPin, random: &mut dyn Random) -> Self {
        let sealed = wrap::seal(&keys.key, &encoding::encode(pin), &invitation_context(vault), random);
        Self { lookup: keys.lookup.into(), account: pin.account, sealed: sealed.into() }
    }

    /// Opens it.
    pub(crate) fn open(&self, vault: VaultId, keys: &InvitationKeys) -> Result<InvitationPin, HeaderAltered> {
        let pin = wrap::open(&keys.key, &self.sealed, &invitation_context(vault)).map_err(|_| HeaderAltered)?;
        encoding::decode(pin.expose()).map_err(|_| HeaderAltered)
    }
}

fn invitation_context(vault: VaultId) -> Context {
    Context::new(label::INVITATION).bytes(vault.as_bytes())
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
    #[n(6)]
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
    /// The statement by which the account enrols, until it stands in the chain: whoever stops between the header and the
    /// directory is not shut out.
    #[n(8)]
    pub(crate) enrolment: Option<Enrolment>,
    /// The second factor, if the account has one.
    #[n(9)]
    pub(crate) second_factor: Option<SecondFactor>,
    /// What was made of the identity provider's tokens, if the account has ever brought one.
    #[n(10)]
    pub(crate) lease: Option<Lease>,
    /// The account's keys of before, until the new ones stand in the chain.
    #[n(11)]
    pub(crate) renewal: Option<OwnRenewal>,
}

/// How long an account may unlock without a token, and the tokens it has used (docs/FORMAT.md §3.3).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, CborLen)]
pub(crate) struct Lease {
    /// Position of the statement that marks the account; under another one nothing but `used` counts.
    #[n(0)]
    mark: u64,
    /// When it ends, in milliseconds since the Unix epoch.
    #[n(1)]
    until_ms: i64,
    /// The latest time that was seen: a clock that is before it was set back.
    #[n(2)]
    seen_ms: i64,
    #[n(3)]
    used: Vec<UsedToken>,
}

/// A token that has served.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, CborLen)]
struct UsedToken {
    /// Digest of its identifier.
    #[n(0)]
    id: ByteArray<32>,
    /// From when on nobody takes it any more, in milliseconds since the Unix epoch.
    #[n(1)]
    dead_from_ms: i64,
}

impl Lease {
    /// One that has ended, under the mark at that position. Tokens that have served stay known.
    pub(crate) fn none(mark: u64, now: Timestamp, before: Option<&Self>) -> Self {
        let now = now.unix_millis();
        match before {
            Some(before) if before.mark == mark => before.clone(),
            Some(before) => Self { mark, until_ms: 0, seen_ms: now, used: before.used.clone() },
            None => Self { mark, until_ms: 0, seen_ms: now, used: Vec::new() },
        }
    }

    /// Whether it stands under the mark at that position: it has not ended, and no clock was set back. One that ends later
    /// than one of `days` days could is not believed either.
    pub(crate) fn stands(&self, mark: u64, now: Timestamp, days: u32) -> bool {
        let now = now.unix_millis();
        let is_set_back = now.saturating_add(SKEW_MILLIS) < self.seen_ms;
        let longest = now.saturating_add(millis_of(days)).saturating_add(SKEW_MILLIS);
        self.mark == mark && !is_set_back && now < self.until_ms && self.until_ms <= longest
    }

    /// The time by which tokens are judged: never before one that was seen.
    pub(crate) fn time(&self, now: Timestamp) -> i64 {
        now.unix_millis().max(self.seen_ms)
    }

    /// Whether a token of that digest has served.
    pub(crate) fn knows(&self, id: &[u8; 32]) -> bool {
        self.used.iter().any(|used| *used.id == *id)
    }

    /// Begins anew by a token that holds: `days` days from now on, or from its issue if that was before.
    pub(crate) fn renew(&mut self, token: &coffer_token::Verified, now: Timestamp, days: u32) {
        let now = self.time(now);
        self.used.retain(|used| now < used.dead_from_ms);
        self.used.push(UsedToken { id: token.id.into(), dead_from_ms: token.dead_from.saturating_mul(1_000) });
        self.until_ms = now.min(token.issued.saturating_mul(1_000)).saturating_add(millis_of(days));
        self.seen_ms = now;
    }

    /// Remembers how late it is.
    pub(crate) fn see(&mut self, now: Timestamp) {
        self.seen_ms = self.time(now);
    }

    /// When it ends, under the mark at that position.
    pub(crate) fn until(&self, mark: u64) -> Option<Timestamp> {
        let until = (self.mark == mark && self.until_ms > 0).then_some(self.until_ms)?;
        Timestamp::from_unix_millis(until).ok()
    }
}

/// How far a clock may have been put right without being taken for one that was set back.
const SKEW_MILLIS: i64 = coffer_token::SKEW_SECONDS * 1_000;

fn millis_of(days: u32) -> i64 {
    i64::from(days) * 24 * 60 * 60 * 1_000
}

/// What a second factor is checked against (docs/FORMAT.md §4.13).
#[derive(Clone, PartialEq, Eq, Encode, Decode, CborLen)]
pub(crate) struct SecondFactor {
    #[n(0)]
    seed: ByteArray<{ SecondFactorSeed::BYTES }>,
    /// The newest step whose code has served; absent before the first.
    #[n(1)]
    last_step: Option<u64>,
    /// Digests of the spare codes that have not served.
    #[n(2)]
    spare: Vec<ByteArray<32>>,
}

/// A code that counted, to be remembered as used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UsedCode {
    /// The time-based code of this step.
    Step(u64),
    /// The spare code of this digest.
    Spare([u8; 32]),
}

impl SecondFactor {
    /// One whose first code, of `step`, has just served.
    pub(crate) fn new(seed: &SecondFactorSeed, step: u64, spare: &[SpareCode], account: AccountId) -> Self {
        let mut factor = Self { seed: (*seed.expose()).into(), last_step: Some(step), spare: Vec::new() };
        factor.set_spare(spare, account);
        factor
    }

    /// Puts spare codes into the place of those of before.
    pub(crate) fn set_spare(&mut self, spare: &[SpareCode], account: AccountId) {
        self.spare = spare.iter().map(|code| code.digest(*account.as_bytes()).into()).collect();
    }

    /// Whether `typed` is a code that may serve now.
    pub(crate) fn check(&self, typed: &str, account: AccountId, now: Timestamp) -> Result<UsedCode, CodeRefusal> {
        match TypedCode::parse(typed)? {
            TypedCode::TimeBased(digits) => {
                let seed = SecondFactorSeed::parse(self.seed.as_slice()).expect("it has the length of a seed");
                let seconds = u64::try_from(now.unix_millis() / 1_000).unwrap_or(0);
                second_factor::check_time_based(&seed, &digits, seconds, self.last_step).map(UsedCode::Step)
            }
            TypedCode::Spare(code) => {
                let digest = code.digest(*account.as_bytes());
                let known = self.spare.iter().any(|spare| bool::from(spare.as_slice().ct_eq(&digest)));
                if known { Ok(UsedCode::Spare(digest)) } else { Err(CodeRefusal::Wrong) }
            }
        }
    }

    /// Remembers that a code has served.
    pub(crate) fn use_up(&mut self, code: UsedCode) {
        match code {
            UsedCode::Step(step) => self.last_step = Some(step),
            UsedCode::Spare(digest) => self.spare.retain(|spare| **spare != digest),
        }
    }

    /// Spare codes that have not served.
    pub(crate) const fn spare_left(&self) -> usize {
        self.spare.len()
    }
}

impl fmt::Debug for SecondFactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecondFactor(..)")
    }
}

impl Drop for SecondFactor {
    fn drop(&mut self) {
        self.seed.as_mut_slice().zeroize();
    }
}

/// A renewal of an account's own keys under way: those of before, which still have to state the new ones and to open what is
/// sealed to them.
#[derive(Clone, PartialEq, Eq, Encode, Decode, CborLen)]
pub(crate) struct OwnRenewal {
    #[n(0)]
    master: ByteArray<{ AccountMasterKey::BYTES }>,
    /// X-Wing seed under that master key, as the entry had it.
    #[n(1)]
    pub(crate) sealing_seed: ByteVec,
    /// Ed25519 seed likewise.
    #[n(2)]
    pub(crate) signing_seed: ByteVec,
}

impl OwnRenewal {
    /// Remembers the keys of an entry that opens with `master`.
    pub(crate) fn of(entry: &AccountEntry, master: &AccountMasterKey) -> Self {
        Self {
            master: (*master.expose()).into(),
            sealing_seed: entry.sealing_seed.clone(),
            signing_seed: entry.signing_seed.clone(),
        }
    }

    /// The master key of before.
    pub(crate) fn master(&self) -> AccountMasterKey {
        AccountMasterKey::parse(self.master.as_slice()).expect("it has the length of a key")
    }
}

impl fmt::Debug for OwnRenewal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnRenewal(..)")
    }
}

impl Drop for OwnRenewal {
    fn drop(&mut self) {
        self.master.as_mut_slice().zeroize();
    }
}

/// An enrolment under way.
#[derive(Clone, PartialEq, Eq, Encode, Decode, CborLen)]
pub(crate) struct Enrolment {
    /// To be stated.
    #[n(0)]
    pub(crate) statement: AccountEnrolled,
    /// The activation code: what is sealed to the invitation stays so until the statement stands.
    #[n(1)]
    code: ByteArray<{ ActivationCode::BYTES }>,
}

impl Enrolment {
    /// Puts it together.
    pub(crate) fn new(statement: AccountEnrolled, code: &ActivationCode) -> Self {
        Self { statement, code: (*code.expose()).into() }
    }
}

impl fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Enrolment(..)")
    }
}

impl Drop for Enrolment {
    fn drop(&mut self) {
        self.code.as_mut_slice().zeroize();
    }
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
            enrolment: None,
            second_factor: None,
            renewal: None,
            lease: None,
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

    /// Keys of the invitation that is being taken up.
    pub(crate) fn activation_keys(&self, vault: VaultId) -> Option<InvitationKeys> {
        let enrolment = self.enrolment.as_ref()?;
        let code = ActivationCode::parse(enrolment.code.as_slice()).expect("it has the length of a code");
        Some(InvitationKeys::derive(&code, vault.as_bytes()))
    }

    /// Remembers the cost of a new slot as the least from now on.
    pub(crate) fn raise_kdf_minimum(&mut self, kdf: &KdfParams) {
        self.kdf_minimum = (kdf.memory_kib(), kdf.passes(), kdf.lanes());
    }

    /// A cost that is no lower than `kdf`, nor than this account ever had.
    pub(crate) fn at_least(&self, kdf: &KdfParams, floor: KdfFloor) -> KdfParams {
        let (memory_kib, passes, _) = self.kdf_minimum;
        let (memory_kib, passes) = (memory_kib.max(kdf.memory_kib()), passes.max(kdf.passes()));
        // What an account has had is within the bounds.
        KdfParams::new(memory_kib.into(), passes.into(), kdf.lanes().into(), &floor).unwrap_or(*kdf)
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
        directory_for_founder: Vec<u8>,
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
            directory_generation: 1,
            directory_for_recovery: directory_for_recovery.into(),
            directory_for: vec![DirectorySeal { account: founder.account, sealed: directory_for_founder.into() }],
            directory: None,
            accounts: vec![founder],
            invitations: Vec::new(),
            mac: [0; 32].into(),
            shares_cache: None,
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

    /// The directory key sealed to an account or an invitation.
    pub(crate) fn directory_sealed_to(&self, account: AccountId) -> Option<&[u8]> {
        self.directory_for.iter().find(|seal| seal.account == account).map(|seal| seal.sealed.as_slice())
    }

    /// Puts the directory key, sealed to `account`, into the place of what was sealed to it.
    pub(crate) fn seal_directory_to(&mut self, account: AccountId, sealed: Vec<u8>) {
        self.directory_for.retain(|seal| seal.account != account);
        self.directory_for.push(DirectorySeal { account, sealed: sealed.into() });
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

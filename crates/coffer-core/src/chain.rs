//! The membership chain: signed statements of who exists, what they may do and which keys count, each bound to the one
//! before. Layout: docs/FORMAT.md §5. Spec: Ed25519 (RFC 8032), SHA-256. Pure.
//!
//! What the chain does not say does not exist: rows of the directory carry only ciphertexts whose digests are in a
//! statement. The authority of a signer is judged at the statement's own place in the chain.

mod admit;
mod body;

use std::collections::{BTreeMap, BTreeSet};

use coffer_crypto::label;
use coffer_crypto::recovery::{self, AgeRecipient};
use coffer_crypto::seal::SealingPublicKey;
use coffer_crypto::sign::{SigningKey, VerifyingKey};
use coffer_model::account::{LoginName, Role, Roles};
use coffer_model::grant::Right;
use coffer_model::id::{AccountId, ReplicaId, TenantId, VaultId};
use coffer_model::key::{Cryptoperiods, KeyKind};
use coffer_model::policy::VaultPolicy;
use coffer_model::record::RecordKind;
use coffer_model::time::Timestamp;
use minicbor::bytes::ByteArray;
use minicbor::{CborLen, Decode, Encode};
use sha2::{Digest, Sha256};

pub(crate) use self::admit::is_provider_text;
pub(crate) use self::body::{
    AccountEnrolled, AccountFederated, AccountInvited, AccountRekeyed, AccountRemoved, BackupMade, Body,
    CryptoperiodsSet, Custodian, DeviceEnrolled, DirectoryKeyed, EpochOpened, ExposureReported, Founding, GlassBroken,
    GlassPrepared, GrantWithdrawn, Granted, InvitationWithdrawn, KeyCompromised, KindRemoved, KindSet, LeavingSet,
    MoveTakenBack, PairReplaced, PolicySet, Provider, ProviderSet, RecoveryAccepted, RecoveryReplaced, ResealedGrant,
    RolesSet, SecondFactorStated, SeedSplit, SlotsNamed, TenantCreated, VaultMoved,
};
use crate::encoding::{self, NotCanonical};
use crate::store::directory::SharedPair;

/// SHA-256 of a statement with its signature, or of a ciphertext a statement vouches for.
pub(crate) type Hash = [u8; 32];

/// How far the number of a backup may be ahead of the one before. Backups made while locked have numbers, too, and may
/// leave no receipt; but nobody is to use up all numbers there are.
const MAX_BACKUPS_BETWEEN: u64 = 1_000_000;

/// Most accounts of a vault at a time, invitations among them.
pub(crate) const MAX_ACCOUNTS: usize = 1_000;

/// Most slots of an account.
const MAX_SLOTS: usize = 16;

/// Longest time for which two custodians open a tenant.
const MAX_GLASS_MILLIS: i64 = 24 * 60 * 60 * 1_000;

/// Most characters of the reason for it.
pub(crate) const MAX_REASON_CHARS: usize = 500;

/// Longest time an invitation may be open.
const MAX_INVITATION_MILLIS: i64 = 31 * 24 * 60 * 60 * 1_000;

/// Who signs with recovery's key. No account has this identifier (RFC 9562 §5.9).
pub(crate) const RECOVERY: AccountId = AccountId::from_bytes([0; 16]);

/// Most kinds of a vault's own at a time.
pub(crate) const MAX_KINDS: usize = 200;

/// Longest text of a provider: an issuer, an audience, what a claim says of a person; in bytes.
pub(crate) const MAX_PROVIDER_TEXT: usize = 512;

/// Most days for which a token lets an account unlock.
pub(crate) const MAX_LEASE_DAYS: u32 = 366;

/// SHA-256.
pub(crate) fn digest(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// A statement and its signature, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignedStatement {
    /// Deterministic CBOR of a [`Statement`].
    pub(crate) bytes: Vec<u8>,
    /// Ed25519 by the signer's key.
    pub(crate) signature: [u8; 64],
}

impl SignedStatement {
    /// What the next statement names as the one before it.
    pub(crate) fn hash(&self) -> Hash {
        Sha256::new().chain_update(&self.bytes).chain_update(self.signature).finalize().into()
    }
}

/// One statement.
#[derive(Debug, Encode, Decode, CborLen)]
pub(crate) struct Statement {
    #[cbor(n(0), with = "encoding::vault_id")]
    pub(crate) vault: VaultId,
    /// From 0.
    #[n(1)]
    pub(crate) position: u64,
    /// Hash of the statement before; zeros at position 0.
    #[n(2)]
    pub(crate) previous: ByteArray<32>,
    /// Milliseconds since the Unix epoch, by the signer's clock.
    #[n(3)]
    pub(crate) at_ms: i64,
    #[cbor(n(4), with = "encoding::replica_id")]
    pub(crate) replica: ReplicaId,
    #[cbor(n(5), with = "encoding::account_id")]
    pub(crate) signer: AccountId,
    #[n(6)]
    pub(crate) body: Body,
}

/// Why a statement does not belong to the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ChainError {
    /// Not a canonical statement.
    #[error("a statement of the membership chain is damaged")]
    Malformed,
    /// Of another vault, at another place, or not after the one before.
    #[error("a statement of the membership chain is out of place")]
    OutOfPlace,
    /// Not signed by the account it names.
    #[error("a statement of the membership chain has no valid signature")]
    Signature,
    /// The signer may not state this, or it contradicts what stands.
    #[error("a statement of the membership chain was made without authority")]
    Authority,
    /// The chain does not begin with, or contain, what was pinned.
    #[error("the membership chain is not the one known")]
    NotThePinnedOne,
}

impl From<NotCanonical> for ChainError {
    fn from(_: NotCanonical) -> Self {
        Self::Malformed
    }
}

/// How far a chain is known already: what an account remembers in its sealed state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChainPin {
    /// Hash of the founding statement.
    pub(crate) founding: Hash,
    /// Statements.
    pub(crate) length: u64,
    /// Hash of the last of them.
    pub(crate) head: Hash,
}

/// An account, as the chain has it.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) login: LoginName,
    pub(crate) roles: Roles,
    pub(crate) sealing: SealingPublicKey,
    pub(crate) signing: VerifyingKey,
    /// Digest of both, by which grants name them: each grant is held against it, and encoding a key takes longer than
    /// reading a statement.
    keys_digest: Hash,
    /// Keys that it signed with before.
    pub(crate) signed_with: Vec<VerifyingKey>,
    /// When it became one.
    pub(crate) since: Timestamp,
    /// Since when it has had each of its keys.
    pub(crate) keys_since: Vec<Timestamp>,
    /// Digests of the slots that count; `None` while it has those it began with.
    pub(crate) slots: Option<Vec<Hash>>,
    /// Whether it has a second factor, as it says itself.
    pub(crate) second_factor: bool,
    /// Whether it needs fresh tokens of the identity provider.
    pub(crate) federation: Option<Federation>,
}

/// That an account needs fresh tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Federation {
    /// What the provider's claim says of the person.
    pub(crate) subject: String,
    /// Position of the statement that says so: what an account remembers of its tokens' times is under this one.
    pub(crate) mark: u64,
}

/// An account that left.
#[derive(Clone, Debug)]
pub(crate) struct FormerAccount {
    /// As it was.
    pub(crate) account: Account,
    /// When it left.
    pub(crate) left_at: Timestamp,
    /// Who removed it.
    pub(crate) removed_by: AccountId,
    /// How many keys there were then of the directory, the log, and administrators and auditors together: with one more
    /// it holds none in use.
    pub(crate) keys_then: KeysThen,
}

/// How many keys of the vault there were at some place of the chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeysThen {
    pub(crate) directory: usize,
    pub(crate) audit: usize,
    pub(crate) office: usize,
}

/// By when an account has to have left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leaving {
    /// When that was stated first, and by whom.
    pub(crate) stated_at: Timestamp,
    pub(crate) stated_by: AccountId,
    /// When its access ends at the latest; `None` if it was removed at once.
    pub(crate) access_by: Option<Timestamp>,
    /// By when the secrets it saw are to be others.
    pub(crate) secrets_by: Timestamp,
}

/// A grant that holds no longer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EndedGrant {
    pub(crate) right: Right,
    pub(crate) ended_at: Timestamp,
    /// The newest epoch whose key was held.
    pub(crate) epoch: u32,
}

/// What a steward has reported of an account's exposures in a tenant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReportedExposure {
    /// Digest of the report sealed to the office.
    pub(crate) sealed: Hash,
    pub(crate) at: Timestamp,
    pub(crate) by: AccountId,
}

/// Somebody who may become an account, as the chain has it.
#[derive(Clone, Debug)]
pub(crate) struct Invitation {
    pub(crate) login: LoginName,
    pub(crate) roles: Roles,
    /// What is meant for the account is sealed to it until there is one.
    pub(crate) sealing: SealingPublicKey,
    pub(crate) signing: VerifyingKey,
    pub(crate) invited_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

impl Account {
    /// Gives it other keys, and the digest by which they are named; says what it signed with before.
    fn set_keys(&mut self, sealing: SealingPublicKey, signing: VerifyingKey) -> VerifyingKey {
        self.keys_digest = keys_digest(&sealing, &signing);
        self.sealing = sealing;
        std::mem::replace(&mut self.signing, signing)
    }

    /// Whether it administers and needs no token: an identity provider that fails cannot shut it out.
    pub(crate) fn administers_freely(&self) -> bool {
        self.roles.contains(Role::Administrator) && self.federation.is_none()
    }
}

/// A tenant, as the chain has it.
#[derive(Clone, Debug)]
pub(crate) struct Tenant {
    pub(crate) created_at: Timestamp,
    /// Whether it holds invented data.
    pub(crate) demo: bool,
    /// Who opened the epoch, or is to open the first: grants it to itself before anything else is granted.
    opener: AccountId,
    /// Who was given the key of this epoch.
    pub(crate) holders: BTreeSet<AccountId>,
    /// Since when somebody holds the key who may not have it any more.
    pub(crate) exposed_since: Option<Timestamp>,
    /// Its place among the vault's tenants, from 0.
    pub(crate) ordinal: u64,
    /// Which recovery it rests on: its key is sealed to that one, which may give it a steward. Another one only by the
    /// word of a steward who trusts it.
    pub(crate) recovery: u32,
    /// `None` between its creation and the opening of its first epoch.
    pub(crate) epoch: Option<EpochOpened>,
    /// When each epoch was opened, the first one first.
    pub(crate) opened: Vec<Timestamp>,
    /// Custodians of this epoch's key; none if nobody has split it.
    pub(crate) custodians: Vec<Custodian>,
    /// Every time that custodians opened it, in order.
    pub(crate) broken: Vec<BrokenGlass>,
}

/// Custodians opened a tenant.
#[derive(Clone, Debug)]
pub(crate) struct BrokenGlass {
    pub(crate) epoch: u32,
    pub(crate) opener: AccountId,
    pub(crate) second: AccountId,
    pub(crate) at: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) reason: String,
}

/// The vault was moved to another computer.
#[derive(Clone, Debug)]
pub(crate) struct Moving {
    /// The key of the device it went from.
    pub(crate) device: VerifyingKey,
    pub(crate) at: Timestamp,
    pub(crate) by: AccountId,
    pub(crate) end: MovingEnd,
}

/// What became of a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MovingEnd {
    /// Nothing yet: the vault is used nowhere.
    UnderWay,
    /// Another device was certified, which goes on with the vault.
    TakenUp(Timestamp),
    /// It was taken back.
    TakenBack(Timestamp),
}

impl Tenant {
    /// Since when somebody holds the key who may not have it any more; somebody for whom the glass was broken from the end of
    /// that time on.
    pub(crate) fn exposed_at(&self, now: Timestamp) -> Option<Timestamp> {
        let epoch = self.epoch.as_ref().map_or(0, |epoch| epoch.epoch);
        let over = self.broken.iter().filter(|broken| broken.epoch == epoch && broken.until <= now);
        self.exposed_since.into_iter().chain(over.map(|broken| broken.until)).min()
    }
}

/// A recovery's public keys, as the chain has them.
#[derive(Clone, Debug)]
pub(crate) struct Recovery {
    pub(crate) sealing: SealingPublicKey,
    pub(crate) signing: VerifyingKey,
    pub(crate) age: AgeRecipient,
    /// How its seed is split.
    pub(crate) split: Option<SeedSplit>,
    /// When it was stated, and by whom.
    pub(crate) since: Timestamp,
    pub(crate) stated_by: AccountId,
}

impl Recovery {
    /// Digests of the shares of its seed, by their numbers from 1; `None` if one kit has it.
    pub(crate) fn share_digests(&self) -> Option<Vec<ByteArray<32>>> {
        self.split.as_ref().map(|split| split.shares.clone())
    }

    /// What people compare before they trust it ([`recovery::keys_digest`]).
    pub(crate) fn digest(&self) -> Hash {
        recovery::keys_digest(&self.sealing, &self.signing)
    }
}

/// The membership of a vault: what its chain comes to.
#[derive(Clone, Debug)]
pub(crate) struct Membership {
    vault: VaultId,
    pin: ChainPin,
    /// Keys the log was and is sealed to, the one in use last.
    pub(crate) audits: Vec<SealingPublicKey>,
    /// Keys of administrators and auditors together, the one in use last.
    pub(crate) offices: Vec<SealingPublicKey>,
    /// Since when each of these keys, and each of the directory's, is in use.
    pub(crate) audits_since: Vec<Timestamp>,
    pub(crate) offices_since: Vec<Timestamp>,
    pub(crate) directories_since: Vec<Timestamp>,
    /// Since when somebody holds the audit key who is no auditor any more.
    pub(crate) audit_exposed_since: Option<Timestamp>,
    /// Since when somebody holds the office key who is neither administrator nor auditor any more.
    pub(crate) office_exposed_since: Option<Timestamp>,
    /// How often the directory got a key, and the name of the one in use.
    pub(crate) directory_generation: u64,
    pub(crate) directory_kid: Hash,
    directory_kids: BTreeSet<Hash>,
    /// Since when somebody holds the directory key who is no account any more.
    pub(crate) directory_exposed_since: Option<Timestamp>,
    /// Every recovery the vault had, the one in use last: number 1 is the founding statement's.
    pub(crate) recoveries: Vec<Recovery>,
    /// The newest recovery that each account has said to trust; who has said nothing trusts the first.
    trusted: BTreeMap<AccountId, u32>,
    /// Which writable copy wrote the newest statement.
    pub(crate) replica: ReplicaId,
    pub(crate) accounts: BTreeMap<AccountId, Account>,
    pub(crate) invitations: BTreeMap<AccountId, Invitation>,
    /// Accounts that left: their signatures still count where they stand.
    pub(crate) former: BTreeMap<AccountId, FormerAccount>,
    /// Who is to leave, or left, and by when.
    pub(crate) leaving: BTreeMap<AccountId, Leaving>,
    pub(crate) tenants: BTreeMap<TenantId, Tenant>,
    pub(crate) grants: BTreeMap<(TenantId, AccountId), Granted>,
    /// Grants that hold no longer, of accounts that have none on that tenant now.
    pub(crate) ended: BTreeMap<(TenantId, AccountId), EndedGrant>,
    /// The newest report of each account's exposures in a tenant.
    pub(crate) reported: BTreeMap<(TenantId, AccountId), ReportedExposure>,
    /// Files of every epoch of every tenant.
    files: BTreeSet<[u8; 16]>,
    /// Files of tenants that another one has followed.
    pub(crate) retired_files: Vec<[u8; 16]>,
    /// Every device ever certified, in order.
    pub(crate) devices: Vec<VerifyingKey>,
    /// The newest backup the vault knows of.
    pub(crate) newest_backup: Option<BackupMade>,
    /// Digests of the templates of the vault's own kinds.
    pub(crate) kinds: BTreeMap<RecordKind, Hash>,
    /// The rules of the vault.
    pub(crate) policy: VaultPolicy,
    /// For how long keys are used.
    pub(crate) cryptoperiods: Cryptoperiods,
    /// Keys that were said to be in wrong hands, by kind, tenant and number; and when that was said.
    pub(crate) compromised: BTreeMap<(KeyKind, Option<TenantId>, u32), Timestamp>,
    /// Since when each device's key is certified.
    pub(crate) devices_since: Vec<Timestamp>,
    /// Whose tokens marked accounts need.
    pub(crate) provider: Option<Provider>,
    /// Every time the vault was moved to another computer, in order.
    pub(crate) moves: Vec<Moving>,
}

impl Membership {
    /// Verifies a whole chain. Statements that `pinned` covers were verified when it was made: their hashes then vouch
    /// for them, and only the rest need their signatures checked.
    pub(crate) fn replay(
        vault: VaultId,
        statements: &[SignedStatement],
        pinned: Option<&ChainPin>,
    ) -> Result<Self, ChainError> {
        let (founding, rest) = statements.split_first().ok_or(ChainError::NotThePinnedOne)?;
        if pinned.is_some_and(|pin| pin.founding != founding.hash() || pin.length > statements.len() as u64) {
            return Err(ChainError::NotThePinnedOne);
        }
        // Hashes first: one wrong byte before the pin must not be read as if it had been verified.
        let vouched = match pinned {
            None => 0,
            Some(pin) => {
                let last = usize::try_from(pin.length).ok().and_then(|length| statements.get(length.checked_sub(1)?));
                if last.is_none_or(|last| last.hash() != pin.head) {
                    return Err(ChainError::NotThePinnedOne);
                }
                pin.length
            }
        };
        let mut membership = Self::found(vault, founding)?;
        for statement in rest {
            membership.admit(statement, membership.pin.length < vouched)?;
        }
        Ok(membership)
    }

    /// Adds a statement that extends the chain, its signature checked.
    pub(crate) fn extend(&mut self, signed: &SignedStatement) -> Result<(), ChainError> {
        self.admit(signed, false)
    }

    /// The vault.
    pub(crate) const fn vault(&self) -> VaultId {
        self.vault
    }

    /// Length and hashes, to remember.
    pub(crate) fn pin(&self) -> &ChainPin {
        &self.pin
    }

    /// Signs the statement that comes next.
    pub(crate) fn next_statement(
        &self,
        at: Timestamp,
        replica: ReplicaId,
        signer: AccountId,
        key: &SigningKey,
        body: Body,
    ) -> SignedStatement {
        sign(
            &Statement {
                vault: self.vault,
                position: self.pin.length,
                previous: self.pin.head.into(),
                at_ms: at.unix_millis(),
                replica,
                signer,
                body,
            },
            key,
        )
    }

    /// The key that the log is sealed to.
    pub(crate) fn audit(&self) -> &SealingPublicKey {
        self.audits.last().expect("a vault is founded with one")
    }

    /// The key of administrators and auditors together.
    pub(crate) fn office(&self) -> &SealingPublicKey {
        self.offices.last().expect("a vault is founded with one")
    }

    /// The recovery in use.
    pub(crate) fn recovery(&self) -> &Recovery {
        self.recoveries.last().expect("a vault is founded with one")
    }

    /// Its number.
    pub(crate) fn recovery_number(&self) -> u32 {
        u32::try_from(self.recoveries.len()).expect("a chain is shorter than that")
    }

    /// The recovery of a number, from 1.
    pub(crate) fn recovery_of(&self, number: u32) -> Option<&Recovery> {
        self.recoveries.get(usize::try_from(number.checked_sub(1)?).ok()?)
    }

    /// The number of the newest recovery that an account has said to trust.
    pub(crate) fn trusted_recovery(&self, account: AccountId) -> u32 {
        self.trusted.get(&account).copied().unwrap_or(1)
    }

    /// Whether an account trusts the recovery in use: what is sealed to it unasked must not be sealed to another's.
    pub(crate) fn trusts_recovery(&self, account: AccountId) -> bool {
        self.trusted_recovery(account) == self.recovery_number()
    }

    /// The recovery that a tenant's key is sealed to if `signer` opens its next epoch; `None` if it rests on one that the
    /// signer has not said to trust.
    pub(crate) fn recovery_for(&self, tenant: TenantId, signer: AccountId) -> Option<&Recovery> {
        let resting = self.tenants.get(&tenant).map_or(1, |tenant| tenant.recovery);
        let number = if signer == RECOVERY { resting } else { self.trusted_recovery(signer) };
        if number < resting { None } else { self.recovery_of(number) }
    }

    /// How many keys of a shared pair there were, the one in use among them: its number.
    pub(crate) fn number_of(&self, pair: SharedPair) -> u32 {
        let keys = match pair {
            SharedPair::Audit => &self.audits,
            SharedPair::Office => &self.offices,
        };
        u32::try_from(keys.len()).expect("a chain is shorter than that")
    }

    /// What an account is called, or was.
    pub(crate) fn login_of(&self, account: AccountId) -> Option<&LoginName> {
        let living = self.accounts.get(&account).map(|account| &account.login);
        let invited = || self.invitations.get(&account).map(|invitation| &invitation.login);
        let former = || self.former.get(&account).map(|former| &former.account.login);
        living.or_else(invited).or_else(former)
    }

    /// Roles of an account; none if it is none any more.
    pub(crate) fn roles(&self, account: AccountId) -> Roles {
        self.accounts.get(&account).map_or(Roles::NONE, |account| account.roles)
    }

    /// How many accounts have a role.
    pub(crate) fn count_with(&self, role: Role) -> usize {
        self.accounts.values().filter(|account| account.roles.contains(role)).count()
    }

    /// Whether another account than `but` has a role and is not about to leave.
    pub(crate) fn stays_with(&self, role: Role, but: AccountId) -> bool {
        self.stays(but, |account| account.roles.contains(role))
    }

    /// Whether an administrator other than `but` needs no token and is not to leave.
    pub(crate) fn stays_free(&self, but: AccountId) -> bool {
        self.stays(but, Account::administers_freely)
    }

    fn stays(&self, but: AccountId, fits: impl Fn(&Account) -> bool) -> bool {
        let mut others = self.accounts.iter().filter(|(id, account)| **id != but && fits(account));
        others.any(|(id, _)| self.access_ends(*id).is_none())
    }

    /// When an account's access ends, if it is to leave.
    pub(crate) fn access_ends(&self, account: AccountId) -> Option<Timestamp> {
        self.leaving.get(&account).and_then(|leaving| leaving.access_by)
    }

    fn free_administrators(&self) -> usize {
        self.accounts.values().filter(|account| account.administers_freely()).count()
    }

    /// Stewards of a tenant whose right has no end.
    pub(crate) fn lasting_stewards(&self, tenant: TenantId) -> impl Iterator<Item = AccountId> + '_ {
        let granted = self.grants.range((tenant, RECOVERY)..).take_while(move |((of, _), _)| *of == tenant);
        let lasting = granted.filter(|(_, grant)| grant.expires_ms.is_none());
        lasting.filter(|(_, grant)| grant.right == Right::Steward.code()).map(|((_, account), _)| *account)
    }

    /// Whether a login cannot be given: an account or an invitation has one that looks like it.
    pub(crate) fn is_taken(&self, login: &LoginName) -> bool {
        let skeleton = login.skeleton();
        let accounts = self.accounts.values().map(|account| &account.login);
        let invitations = self.invitations.values().map(|invitation| &invitation.login);
        accounts.chain(invitations).any(|known| known.skeleton() == skeleton)
    }

    /// What `account` may do with `tenant` at the time `now`.
    pub(crate) fn right(&self, tenant: TenantId, account: AccountId, now: Timestamp) -> Option<Right> {
        let grant = self.grants.get(&(tenant, account))?;
        let alive = grant.expires_ms.is_none_or(|expires| now.unix_millis() < expires);
        if alive { Right::from_code(grant.right) } else { None }
    }

    /// The move that nobody has taken up or back yet.
    pub(crate) fn move_under_way(&self) -> Option<&Moving> {
        self.moves.last().filter(|moving| moving.end == MovingEnd::UnderWay)
    }

    /// The number of the key of a kind that is in use, from 1; of a tenant's its epoch.
    pub(crate) fn key_number(&self, kind: KeyKind, tenant: Option<TenantId>) -> Option<u32> {
        let count = |keys: usize| u32::try_from(keys).ok().filter(|&count| count > 0);
        match kind {
            KeyKind::Tenant => self.tenants.get(&tenant?)?.epoch.as_ref().map(|epoch| epoch.epoch),
            KeyKind::Directory => count(self.directories_since.len()),
            KeyKind::Audit => count(self.audits.len()),
            KeyKind::Office => count(self.offices.len()),
            KeyKind::Recovery => count(self.recoveries.len()),
            KeyKind::Device => count(self.devices.len()),
            KeyKind::Account => None,
        }
    }
}

/// Founds a chain.
pub(crate) fn found(
    vault: VaultId,
    at: Timestamp,
    replica: ReplicaId,
    founding: Founding,
    key: &SigningKey,
) -> SignedStatement {
    let signer = founding.account;
    let previous = ByteArray::from([0; 32]);
    let body = Body::Founding(founding);
    sign(&Statement { vault, position: 0, previous, at_ms: at.unix_millis(), replica, signer, body }, key)
}

/// Digest by which a grant names its grantee's keys.
pub(crate) fn account_keys_digest(account: &Account) -> Hash {
    account.keys_digest
}

fn keys_digest(sealing: &SealingPublicKey, signing: &VerifyingKey) -> Hash {
    Sha256::new().chain_update(sealing.encode()).chain_update(signing.encode()).finalize().into()
}

fn sign(statement: &Statement, key: &SigningKey) -> SignedStatement {
    let bytes = encoding::encode(statement);
    let signature = key.sign(label::STATEMENT, &bytes);
    SignedStatement { bytes, signature }
}

#[cfg(test)]
mod tests;

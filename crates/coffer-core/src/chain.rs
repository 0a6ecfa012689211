//! The membership chain: signed statements of who exists, what they may do and which keys count, each bound to the one
//! before. Layout: docs/FORMAT.md §5. Spec: Ed25519 (RFC 8032), SHA-256. Pure.
//!
//! What the chain does not say does not exist: rows of the directory carry only ciphertexts whose digests are in a
//! statement. The authority of a signer is judged at the statement's own place in the chain.

mod body;

use std::collections::{BTreeMap, BTreeSet};

use coffer_crypto::glass;
use coffer_crypto::kdf::KdfParams;
use coffer_crypto::label;
use coffer_crypto::recovery::shares::Split;
use coffer_crypto::recovery::{self, AgeRecipient};
use coffer_crypto::seal::SealingPublicKey;
use coffer_crypto::sign::{SigningKey, VerifyingKey};
use coffer_model::account::{LoginName, Role, Roles};
use coffer_model::grant::Right;
use coffer_model::id::{AccountId, ReplicaId, TenantId, VaultId};
use coffer_model::key::{Cryptoperiods, KeyKind};
use coffer_model::policy::{GuardedSet, VaultPolicy};
use coffer_model::record::RecordKind;
use coffer_model::time::Timestamp;
use minicbor::bytes::ByteArray;
use minicbor::{CborLen, Decode, Encode};
use sha2::{Digest, Sha256};

pub(crate) use self::body::{
    AccountEnrolled, AccountFederated, AccountInvited, AccountRekeyed, AccountRemoved, BackupMade, Body,
    CryptoperiodsSet, Custodian, DeviceEnrolled, DirectoryKeyed, EpochOpened, ExposureReported, Founding, GlassBroken,
    GlassPrepared, GrantWithdrawn, Granted, InvitationWithdrawn, KeyCompromised, KindRemoved, KindSet, LeavingSet,
    PairReplaced, PolicySet, Provider, ProviderSet, RecoveryAccepted, RecoveryReplaced, ResealedGrant, RolesSet,
    SecondFactorStated, SeedSplit, SlotsNamed, TenantCreated,
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
    fn keys_digest(&self) -> Hash {
        Sha256::new().chain_update(self.sealing.encode()).chain_update(self.signing.encode()).finalize().into()
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

    fn found(vault: VaultId, signed: &SignedStatement) -> Result<Self, ChainError> {
        let statement: Statement = encoding::decode(&signed.bytes)?;
        let Body::Founding(founding) = statement.body else { return Err(ChainError::OutOfPlace) };
        if statement.vault != vault || statement.position != 0 || statement.previous != ByteArray::from([0; 32]) {
            return Err(ChainError::OutOfPlace);
        }
        if statement.signer != founding.account || founding.account == RECOVERY || founding.suite != 1 {
            return Err(ChainError::Authority);
        }
        let founded_at = parse_time(statement.at_ms)?;
        let account = Account {
            login: parse_login(&founding.login)?,
            roles: Roles::ALL,
            sealing: parse_sealing(&founding.sealing)?,
            signing: parse_signing(&founding.signing)?,
            signed_with: Vec::new(),
            since: founded_at,
            keys_since: vec![founded_at],
            slots: None,
            second_factor: false,
            federation: None,
        };
        verify(&account.signing, signed)?;
        let hash = signed.hash();
        Ok(Self {
            vault,
            pin: ChainPin { founding: hash, length: 1, head: hash },
            audits: vec![parse_sealing(&founding.audit)?],
            offices: vec![parse_sealing(&founding.office)?],
            audits_since: vec![founded_at],
            offices_since: vec![founded_at],
            directories_since: vec![founded_at],
            audit_exposed_since: None,
            office_exposed_since: None,
            directory_generation: 1,
            directory_kid: *founding.directory,
            directory_kids: BTreeSet::from([*founding.directory]),
            directory_exposed_since: None,
            recoveries: vec![Recovery {
                sealing: parse_sealing(&founding.recovery_sealing)?,
                signing: parse_signing(&founding.recovery_signing)?,
                age: AgeRecipient::from_bytes(*founding.recovery_age),
                split: parse_split(founding.recovery_split)?,
                since: founded_at,
                stated_by: founding.account,
            }],
            trusted: BTreeMap::new(),
            replica: statement.replica,
            accounts: BTreeMap::from([(founding.account, account)]),
            invitations: BTreeMap::new(),
            former: BTreeMap::new(),
            leaving: BTreeMap::new(),
            tenants: BTreeMap::new(),
            grants: BTreeMap::new(),
            ended: BTreeMap::new(),
            reported: BTreeMap::new(),
            files: BTreeSet::new(),
            retired_files: Vec::new(),
            devices: Vec::new(),
            newest_backup: None,
            kinds: BTreeMap::new(),
            policy: VaultPolicy::default(),
            cryptoperiods: Cryptoperiods::default(),
            compromised: BTreeMap::new(),
            devices_since: Vec::new(),
            provider: None,
        })
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each kind of statement, and nothing else")]
    fn admit(&mut self, stored: &SignedStatement, vouched: bool) -> Result<(), ChainError> {
        let statement: Statement = encoding::decode(&stored.bytes)?;
        if statement.vault != self.vault
            || statement.position != self.pin.length
            || *statement.previous != self.pin.head
        {
            return Err(ChainError::OutOfPlace);
        }
        let signer = statement.signer;
        let roles = self.roles(signer);
        if !vouched {
            verify(self.key_of(signer, &statement.body)?.as_ref().ok_or(ChainError::Authority)?, stored)?;
        }
        let at = parse_time(statement.at_ms)?;
        let administers = || require(roles.contains(Role::Administrator));
        match statement.body {
            // A vault is founded once.
            Body::Founding(_) => return Err(ChainError::OutOfPlace),
            Body::DeviceEnrolled(body) => {
                administers()?;
                self.devices.push(parse_signing(&body.signing)?);
                self.devices_since.push(at);
            }
            Body::TenantCreated(body) => {
                administers()?;
                self.admit_tenant(&body, at)?;
            }
            Body::EpochOpened(body) => self.admit_epoch(body, signer, at)?,
            Body::Granted(body) => self.admit_grant(body, signer, at)?,
            Body::GrantWithdrawn(body) => self.admit_withdrawal(&body, signer, at)?,
            Body::BackupMade(body) => {
                administers()?;
                let newest = self.newest_backup.as_ref().map_or(0, |newest| newest.counter);
                require(body.counter > newest && body.counter - newest <= MAX_BACKUPS_BETWEEN)?;
                self.newest_backup = Some(body);
            }
            Body::KindSet(body) => {
                administers()?;
                let kind = parse_kind(body.kind)?;
                require(self.kinds.contains_key(&kind) || self.kinds.len() < MAX_KINDS)?;
                self.kinds.insert(kind, *body.template);
            }
            Body::KindRemoved(body) => {
                administers()?;
                require(self.kinds.remove(&parse_kind(body.kind)?).is_some())?;
            }
            Body::AccountInvited(body) => self.admit_invitation(&body, signer, at)?,
            Body::InvitationWithdrawn(body) => {
                administers()?;
                let invitation = self.invitations.remove(&body.account).ok_or(ChainError::Authority)?;
                // Whoever has the code could open what was sealed to it.
                self.directory_exposed_since.get_or_insert(at);
                self.lose_roles(invitation.roles, Roles::NONE, at);
            }
            Body::AccountEnrolled(body) => self.admit_account(&body, signer)?,
            Body::RolesSet(body) => {
                administers()?;
                self.admit_roles(body.account, parse_roles(body.roles)?, at)?;
            }
            Body::AccountRemoved(body) => {
                administers()?;
                self.admit_removal(body.account, signer, at)?;
            }
            Body::LeavingSet(body) => {
                administers()?;
                self.admit_leaving(&body, signer, at)?;
            }
            Body::ExposureReported(body) => {
                require(self.right(body.tenant, signer, at) == Some(Right::Steward))?;
                require(self.ended.contains_key(&(body.tenant, body.account)))?;
                let report = ReportedExposure { sealed: *body.sealed, at, by: signer };
                self.reported.insert((body.tenant, body.account), report);
            }
            Body::SlotsNamed(body) => {
                require((1..=MAX_SLOTS).contains(&body.slots.len()))?;
                let account = self.accounts.get_mut(&signer).ok_or(ChainError::Authority)?;
                account.slots = Some(body.slots.iter().map(|slot| **slot).collect());
            }
            Body::PolicySet(body) => {
                administers()?;
                self.policy = parse_policy(&body)?;
            }
            Body::SecondFactorStated(body) => {
                self.accounts.get_mut(&signer).ok_or(ChainError::Authority)?.second_factor = body.enrolled;
            }
            Body::DirectoryKeyed(body) => {
                administers()?;
                require(self.directory_generation.checked_add(1) == Some(body.generation))?;
                // A key that was in use before is known to whom the new one is to be withheld from.
                require(self.directory_kids.insert(*body.kid))?;
                (self.directory_generation, self.directory_kid) = (body.generation, *body.kid);
                self.directories_since.push(at);
                self.directory_exposed_since = None;
            }
            Body::AuditReplaced(body) => {
                require(roles.contains(Role::Auditor))?;
                push_new(&mut self.audits, parse_sealing(&body.public)?)?;
                self.audits_since.push(at);
                self.audit_exposed_since = None;
            }
            Body::OfficeReplaced(body) => {
                require(roles.is_officer())?;
                push_new(&mut self.offices, parse_sealing(&body.public)?)?;
                self.offices_since.push(at);
                self.office_exposed_since = None;
            }
            Body::ProviderSet(body) => {
                administers()?;
                self.admit_provider(body)?;
            }
            Body::AccountFederated(body) => {
                administers()?;
                self.admit_federation(body, signer)?;
            }
            Body::RecoveryReplaced(body) => {
                administers()?;
                self.admit_recovery(body, signer, at)?;
            }
            Body::RecoveryAccepted(body) => {
                require(self.accounts.contains_key(&signer))?;
                require(body.number == self.recovery_number() && body.number > self.trusted_recovery(signer))?;
                self.trusted.insert(signer, body.number);
            }
            Body::AccountRekeyed(body) => self.admit_own_keys(&body, signer, at)?,
            Body::KeyCompromised(body) => self.admit_compromise(body, signer, at)?,
            Body::GlassPrepared(body) => self.admit_custodians(body, signer, at)?,
            Body::GlassBroken(body) => self.admit_broken_glass(&body, signer, at)?,
            Body::CryptoperiodsSet(body) => {
                administers()?;
                self.cryptoperiods = Cryptoperiods::from_days(&body.days).ok_or(ChainError::Malformed)?;
            }
        }
        self.replica = statement.replica;
        self.pin.length += 1;
        self.pin.head = stored.hash();
        Ok(())
    }

    /// Whose key a statement must be signed with. An account that enrols brings its own, which the invitation vouches
    /// for. Over a tenant it is the recovery that the tenant rests on, which need not be the newest: an administrator named
    /// that one, and administrators have no say over tenants.
    fn key_of(&self, signer: AccountId, body: &Body) -> Result<Option<VerifyingKey>, ChainError> {
        match body {
            Body::AccountEnrolled(body) => parse_signing(&body.signing).map(Some),
            Body::EpochOpened(EpochOpened { tenant, .. }) | Body::Granted(Granted { tenant, .. })
                if signer == RECOVERY =>
            {
                let number = self.tenants.get(tenant).map(|tenant| tenant.recovery);
                Ok(number.and_then(|number| self.recovery_of(number)).map(|recovery| recovery.signing))
            }
            _ if signer == RECOVERY => Ok(Some(self.recovery().signing)),
            _ => Ok(self.accounts.get(&signer).map(|account| account.signing)),
        }
    }

    fn admit_tenant(&mut self, body: &TenantCreated, at: Timestamp) -> Result<(), ChainError> {
        require(self.accounts.contains_key(&body.steward) && !self.tenants.contains_key(&body.tenant))?;
        let tenant = Tenant {
            created_at: at,
            demo: body.demo,
            opener: body.steward,
            holders: BTreeSet::new(),
            exposed_since: None,
            ordinal: self.tenants.len() as u64,
            recovery: self.trusted_recovery(body.steward),
            epoch: None,
            opened: Vec::new(),
            custodians: Vec::new(),
            broken: Vec::new(),
        };
        self.tenants.insert(body.tenant, tenant);
        Ok(())
    }

    fn admit_epoch(&mut self, body: EpochOpened, signer: AccountId, at: Timestamp) -> Result<(), ChainError> {
        let is_steward = self.right(body.tenant, signer, at) == Some(Right::Steward);
        let trusted = self.trusted_recovery(signer);
        let tenant = self.tenants.get_mut(&body.tenant).ok_or(ChainError::Authority)?;
        match &tenant.epoch {
            None => require(body.epoch == 1 && (signer == tenant.opener || signer == RECOVERY))?,
            Some(before) => {
                require(is_steward || signer == RECOVERY)?;
                require(before.epoch.checked_add(1) == Some(body.epoch) && body.kid != before.kid)?;
            }
        }
        // A co-steward may have moved the tenant to a recovery that this one has not compared.
        require(signer == RECOVERY || trusted >= tenant.recovery)?;
        // A file that another tenant has, or had, would be opened, or swept, in that one's place.
        require(self.files.insert(*body.file))?;
        let retired = tenant.epoch.as_ref().map(|before| *before.file);
        self.retired_files.extend(retired);
        if signer != RECOVERY {
            tenant.recovery = trusted;
        }
        tenant.opener = signer;
        tenant.holders.clear();
        tenant.exposed_since = None;
        tenant.opened.push(at);
        tenant.custodians.clear();
        let id = body.tenant;
        tenant.epoch = Some(body);
        self.end_grants(|tenant, _| tenant == id, at);
        Ok(())
    }

    fn admit_grant(&mut self, body: Granted, signer: AccountId, at: Timestamp) -> Result<(), ChainError> {
        let by_steward = signer == RECOVERY || self.right(body.tenant, signer, at) == Some(Right::Steward);
        let tenant = self.tenants.get_mut(&body.tenant).ok_or(ChainError::Authority)?;
        let epoch = tenant.epoch.as_ref().ok_or(ChainError::Authority)?;
        let grantee = self.accounts.get(&body.grantee).ok_or(ChainError::Authority)?;
        let by_opener = tenant.holders.is_empty() && signer == tenant.opener && body.grantee == signer;
        require(by_steward || by_opener)?;
        require(body.epoch == epoch.epoch && body.kid == epoch.kid && *body.grantee_keys == grantee.keys_digest())?;
        require(Right::from_code(body.right).is_some())?;
        tenant.holders.insert(body.grantee);
        self.ended.remove(&(body.tenant, body.grantee));
        self.reported.remove(&(body.tenant, body.grantee));
        self.grants.insert((body.tenant, body.grantee), body);
        Ok(())
    }

    fn admit_withdrawal(&mut self, body: &GrantWithdrawn, signer: AccountId, at: Timestamp) -> Result<(), ChainError> {
        let by_steward = self.right(body.tenant, signer, at) == Some(Right::Steward);
        require(by_steward || self.roles(signer).contains(Role::Administrator) || signer == body.account)?;
        let tenant = self.tenants.get_mut(&body.tenant).ok_or(ChainError::Authority)?;
        require(self.grants.contains_key(&(body.tenant, body.account)))?;
        tenant.exposed_since.get_or_insert(at);
        self.end_grants(|tenant, account| (tenant, account) == (body.tenant, body.account), at);
        Ok(())
    }

    fn admit_invitation(&mut self, body: &AccountInvited, signer: AccountId, at: Timestamp) -> Result<(), ChainError> {
        let (login, roles) = (parse_login(&body.login)?, parse_roles(body.roles)?);
        let by_recovery = signer == RECOVERY && roles.contains(Role::Administrator);
        require(by_recovery || self.roles(signer).contains(Role::Administrator))?;
        // Those that begin like recovery's stand for recoveries (docs/FORMAT.md §5.7).
        require(!body.account.as_bytes().starts_with(&[0; 12]))?;
        require(!self.is_known(body.account) && !self.is_taken(&login))?;
        require(self.accounts.len() + self.invitations.len() < MAX_ACCOUNTS)?;
        let expires_at = parse_time(body.expires_ms)?;
        let open_for = body.expires_ms.saturating_sub(at.unix_millis());
        require((1..=MAX_INVITATION_MILLIS).contains(&open_for))?;
        let (sealing, signing) = (parse_sealing(&body.sealing)?, parse_signing(&body.signing)?);
        let invitation = Invitation { login, roles, sealing, signing, invited_at: at, expires_at };
        self.invitations.insert(body.account, invitation);
        Ok(())
    }

    fn admit_account(&mut self, body: &AccountEnrolled, signer: AccountId) -> Result<(), ChainError> {
        let invitation = self.invitations.get(&body.account).ok_or(ChainError::Authority)?;
        let at = parse_time(body.at_ms)?;
        require(signer == body.account && at <= invitation.expires_at)?;
        invitation
            .signing
            .verify(label::ENROLMENT, &body.vouched(self.vault), body.vouched_for.as_slice())
            .map_err(|_| ChainError::Signature)?;
        let account = Account {
            login: invitation.login.clone(),
            roles: invitation.roles,
            sealing: parse_sealing(&body.sealing)?,
            signing: parse_signing(&body.signing)?,
            signed_with: Vec::new(),
            since: at,
            keys_since: vec![at],
            slots: None,
            second_factor: false,
            federation: None,
        };
        self.invitations.remove(&body.account);
        self.accounts.insert(body.account, account);
        Ok(())
    }

    fn admit_own_keys(&mut self, body: &AccountRekeyed, signer: AccountId, at: Timestamp) -> Result<(), ChainError> {
        let (sealing, signing) = (parse_sealing(&body.sealing)?, parse_signing(&body.signing)?);
        // A key that is, or was, anybody's would make one person's word another's.
        let living = self.accounts.values();
        let mut known = living.chain(self.former.values().map(|former| &former.account));
        let is_in_use = known
            .any(|known| known.sealing == sealing || known.signing == signing || known.signed_with.contains(&signing));
        require(!is_in_use && (1..=MAX_SLOTS).contains(&body.slots.len()))?;
        let granted: BTreeSet<TenantId> =
            self.grants.keys().filter(|(_, account)| *account == signer).map(|(tenant, _)| *tenant).collect();
        let resealed: BTreeSet<TenantId> = body.grants.iter().map(|grant| grant.tenant).collect();
        require(granted == resealed && body.grants.len() == resealed.len())?;
        let account = self.accounts.get_mut(&signer).ok_or(ChainError::Authority)?;
        account.signed_with.push(std::mem::replace(&mut account.signing, signing));
        account.sealing = sealing;
        account.keys_since.push(at);
        account.slots = Some(body.slots.iter().map(|slot| **slot).collect());
        let (roles, keys) = (account.roles, account.keys_digest());
        for grant in &body.grants {
            if let Some(given) = self.grants.get_mut(&(grant.tenant, signer)) {
                (given.sealed, given.grantee_keys) = (grant.sealed, keys.into());
            }
        }
        // Whoever has the keys of before holds all that was sealed to them.
        self.directory_exposed_since.get_or_insert(at);
        self.lose_roles(roles, Roles::NONE, at);
        for tenant in self.tenants.values_mut().filter(|tenant| tenant.holders.contains(&signer)) {
            tenant.exposed_since.get_or_insert(at);
        }
        Ok(())
    }

    fn admit_recovery(&mut self, body: RecoveryReplaced, signer: AccountId, at: Timestamp) -> Result<(), ChainError> {
        require(self.recovery_number().checked_add(1) == Some(body.number))?;
        let next = Recovery {
            sealing: parse_sealing(&body.sealing)?,
            signing: parse_signing(&body.signing)?,
            age: AgeRecipient::from_bytes(*body.age),
            split: parse_split(body.split)?,
            since: at,
            stated_by: signer,
        };
        let was = |known: &Recovery| known.sealing == next.sealing || known.signing == next.signing;
        require(!self.recoveries.iter().any(was))?;
        self.recoveries.push(next);
        self.trusted.insert(signer, body.number);
        // What the one before was given it still holds.
        self.directory_exposed_since.get_or_insert(at);
        self.audit_exposed_since.get_or_insert(at);
        self.office_exposed_since.get_or_insert(at);
        Ok(())
    }

    fn admit_provider(&mut self, body: ProviderSet) -> Result<(), ChainError> {
        match &body.provider {
            Some(provider) => {
                for text in [&provider.issuer, &provider.audience, &provider.claim] {
                    require(is_provider_text(text))?;
                }
                require((1..=MAX_LEASE_DAYS).contains(&provider.days))?;
            }
            // Whoever is marked needs one.
            None => require(self.provider.is_some() && self.accounts.values().all(|known| known.federation.is_none()))?,
        }
        self.provider = body.provider;
        Ok(())
    }

    fn admit_federation(&mut self, body: AccountFederated, signer: AccountId) -> Result<(), ChainError> {
        let before = self.accounts.get(&body.account).ok_or(ChainError::Authority)?.federation.clone();
        // Nobody takes their own mark away, nor changes whose tokens they may bring.
        require(before.is_none() || signer != body.account)?;
        let after = match body.subject {
            None => {
                require(before.is_some())?;
                None
            }
            Some(subject) => {
                require(self.provider.is_some() && is_provider_text(&subject))?;
                // One person's token must not serve twice.
                let is_other = |(id, known): (&AccountId, &Account)| {
                    *id != body.account && known.federation.as_ref().is_some_and(|other| other.subject == subject)
                };
                require(!self.accounts.iter().any(is_other))?;
                Some(Federation { subject, mark: self.pin.length })
            }
        };
        let is_administrator = self.roles(body.account).contains(Role::Administrator);
        let loses_one = is_administrator && before.is_none() && after.is_some();
        require(!loses_one || self.free_administrators() > 1)?;
        self.accounts.get_mut(&body.account).ok_or(ChainError::Authority)?.federation = after;
        Ok(())
    }

    fn admit_roles(&mut self, account: AccountId, roles: Roles, at: Timestamp) -> Result<(), ChainError> {
        self.keeps_officers(account, roles)?;
        let known = self.accounts.get_mut(&account).ok_or(ChainError::Authority)?;
        let before = std::mem::replace(&mut known.roles, roles);
        self.lose_roles(before, roles, at);
        Ok(())
    }

    fn admit_removal(&mut self, account: AccountId, removed_by: AccountId, at: Timestamp) -> Result<(), ChainError> {
        self.keeps_officers(account, Roles::NONE)?;
        let known = self.accounts.remove(&account).ok_or(ChainError::Authority)?;
        self.lose_roles(known.roles, Roles::NONE, at);
        let keys_then =
            KeysThen { directory: self.directories_since.len(), audit: self.audits.len(), office: self.offices.len() };
        self.former.insert(account, FormerAccount { account: known, left_at: at, removed_by, keys_then });
        self.directory_exposed_since.get_or_insert(at);
        self.end_grants(|_, grantee| grantee == account, at);
        for tenant in self.tenants.values_mut().filter(|tenant| tenant.holders.contains(&account)) {
            tenant.exposed_since.get_or_insert(at);
        }
        Ok(())
    }

    fn admit_leaving(&mut self, body: &LeavingSet, signer: AccountId, at: Timestamp) -> Result<(), ChainError> {
        // Nor does anybody take back that they are to leave.
        require(signer != body.account)?;
        let access_by = body.access_by_ms.map(parse_time).transpose()?;
        let secrets_by = body.secrets_by_ms.map(parse_time).transpose()?;
        let Some(secrets_by) = secrets_by else {
            // Who left has left.
            require(access_by.is_none() && self.accounts.contains_key(&body.account))?;
            return require(self.leaving.remove(&body.account).is_some());
        };
        let fits = match access_by {
            Some(access_by) => self.accounts.contains_key(&body.account) && access_by <= secrets_by,
            None => self.former.contains_key(&body.account),
        };
        require(fits)?;
        let before = self.leaving.get(&body.account);
        let leaving = Leaving {
            stated_at: before.map_or(at, |before| before.stated_at),
            stated_by: before.map_or(signer, |before| before.stated_by),
            access_by: access_by.or_else(|| before.and_then(|before| before.access_by)),
            secrets_by,
        };
        self.leaving.insert(body.account, leaving);
        Ok(())
    }

    fn admit_custodians(&mut self, body: GlassPrepared, signer: AccountId, at: Timestamp) -> Result<(), ChainError> {
        require(self.right(body.tenant, signer, at) == Some(Right::Steward))?;
        let distinct: BTreeSet<AccountId> = body.custodians.iter().map(|custodian| custodian.account).collect();
        let count = body.custodians.len();
        require(distinct.len() == count && (count == 0 || (glass::NEEDED..=glass::CUSTODIANS_MAX).contains(&count)))?;
        for custodian in &body.custodians {
            let account = self.accounts.get(&custodian.account).ok_or(ChainError::Authority)?;
            require(*custodian.keys == account.keys_digest())?;
        }
        let tenant = self.tenants.get_mut(&body.tenant).ok_or(ChainError::Authority)?;
        require(tenant.epoch.as_ref().is_some_and(|epoch| epoch.epoch == body.epoch))?;
        tenant.custodians = body.custodians;
        Ok(())
    }

    fn admit_broken_glass(&mut self, body: &GlassBroken, opener: AccountId, at: Timestamp) -> Result<(), ChainError> {
        let until = parse_time(body.until_ms)?;
        let lasts = body.until_ms.saturating_sub(at.unix_millis());
        require((1..=MAX_GLASS_MILLIS).contains(&lasts))?;
        let reason = body.reason.trim();
        require(reason == body.reason && (1..=MAX_REASON_CHARS).contains(&reason.chars().count()))?;
        require(opener != body.second && self.right(body.tenant, opener, at).is_none())?;
        let tenant = self.tenants.get(&body.tenant).ok_or(ChainError::Authority)?;
        let epoch = tenant.epoch.as_ref().ok_or(ChainError::Authority)?;
        require(epoch.epoch == body.epoch && epoch.kid == body.kid)?;
        let custodian = |account: AccountId| {
            let known = self.accounts.get(&account).ok_or(ChainError::Authority)?;
            let named = tenant.custodians.iter().find(|custodian| custodian.account == account);
            // With other keys than the steward compared, somebody is a custodian no longer.
            require(named.is_some_and(|named| *named.keys == known.keys_digest()))?;
            Ok::<_, ChainError>(known)
        };
        let keys = custodian(opener)?.keys_digest();
        custodian(body.second)?
            .signing
            .verify(label::GLASS, &body.seconded(self.vault, opener), body.word.as_slice())
            .map_err(|_| ChainError::Signature)?;
        let grant = Granted {
            tenant: body.tenant,
            epoch: body.epoch,
            grantee: opener,
            grantee_keys: keys.into(),
            right: Right::Reader.code(),
            expires_ms: Some(body.until_ms),
            sealed: body.sealed,
            kid: body.kid,
        };
        let broken =
            BrokenGlass { epoch: body.epoch, opener, second: body.second, at, until, reason: body.reason.clone() };
        let tenant = self.tenants.get_mut(&body.tenant).ok_or(ChainError::Authority)?;
        tenant.holders.insert(opener);
        tenant.broken.push(broken);
        self.ended.remove(&(body.tenant, opener));
        self.reported.remove(&(body.tenant, opener));
        self.grants.insert((body.tenant, opener), grant);
        Ok(())
    }

    fn admit_compromise(&mut self, body: KeyCompromised, signer: AccountId, at: Timestamp) -> Result<(), ChainError> {
        let kind = KeyKind::from_code(body.kind).ok_or(ChainError::Malformed)?;
        let tenant = body.tenant.map(|tenant| TenantId::from_bytes(*tenant));
        let roles = self.roles(signer);
        let by_steward = |tenant| self.right(tenant, signer, at) == Some(Right::Steward);
        require(match (kind, tenant) {
            (KeyKind::Tenant, Some(tenant)) => by_steward(tenant),
            (KeyKind::Directory | KeyKind::Recovery | KeyKind::Device, None) => roles.contains(Role::Administrator),
            (KeyKind::Audit, None) => roles.contains(Role::Auditor),
            (KeyKind::Office, None) => roles.is_officer(),
            (KeyKind::Tenant | KeyKind::Account, None) | (_, Some(_)) => false,
        })?;
        let number = self.key_number(kind, tenant).ok_or(ChainError::Authority)?;
        self.compromised.entry((kind, tenant, number)).or_insert(at);
        match (kind, tenant) {
            (KeyKind::Directory, _) => {
                self.directory_exposed_since.get_or_insert(at);
            }
            (KeyKind::Audit, _) => {
                self.audit_exposed_since.get_or_insert(at);
            }
            (KeyKind::Office, _) => {
                self.office_exposed_since.get_or_insert(at);
            }
            (KeyKind::Tenant, Some(tenant)) => {
                let tenant = self.tenants.get_mut(&tenant).ok_or(ChainError::Authority)?;
                tenant.exposed_since.get_or_insert(at);
            }
            // Another kit, or another key of the device, takes its place: nothing waits for it meanwhile.
            (KeyKind::Recovery | KeyKind::Device | KeyKind::Account | KeyKind::Tenant, _) => {}
        }
        Ok(())
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

    /// Ends grants, and remembers what they were.
    fn end_grants(&mut self, which: impl Fn(TenantId, AccountId) -> bool, at: Timestamp) {
        let ended = &mut self.ended;
        self.grants.retain(|&(tenant, account), grant| {
            let ends = which(tenant, account);
            if let (true, Some(right)) = (ends, Right::from_code(grant.right)) {
                ended.insert((tenant, account), EndedGrant { right, ended_at: at, epoch: grant.epoch });
            }
            !ends
        });
    }

    /// A vault keeps an administrator who needs no token, and an auditor, whatever becomes of an account's roles.
    fn keeps_officers(&self, account: AccountId, after: Roles) -> Result<(), ChainError> {
        let auditors = self.count_with(Role::Auditor) - usize::from(self.roles(account).contains(Role::Auditor));
        let is_free = self.accounts.get(&account).is_some_and(|known| known.federation.is_none());
        let was_one = is_free && self.roles(account).contains(Role::Administrator);
        let administrators = self.free_administrators() - usize::from(was_one);
        require(administrators > 0 || (is_free && after.contains(Role::Administrator)))?;
        require(auditors > 0 || after.contains(Role::Auditor))
    }

    /// What follows from roles that somebody no longer has.
    fn lose_roles(&mut self, before: Roles, after: Roles, at: Timestamp) {
        if before.contains(Role::Auditor) && !after.contains(Role::Auditor) {
            self.audit_exposed_since.get_or_insert(at);
        }
        if before.is_officer() && !after.is_officer() {
            self.office_exposed_since.get_or_insert(at);
        }
    }

    /// Whether an account is, was, or may become one.
    fn is_known(&self, account: AccountId) -> bool {
        self.accounts.contains_key(&account)
            || self.invitations.contains_key(&account)
            || self.former.contains_key(&account)
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
    account.keys_digest()
}

fn sign(statement: &Statement, key: &SigningKey) -> SignedStatement {
    let bytes = encoding::encode(statement);
    let signature = key.sign(label::STATEMENT, &bytes);
    SignedStatement { bytes, signature }
}

fn verify(key: &VerifyingKey, signed: &SignedStatement) -> Result<(), ChainError> {
    key.verify(label::STATEMENT, &signed.bytes, &signed.signature).map_err(|_| ChainError::Signature)
}

fn require(condition: bool) -> Result<(), ChainError> {
    if condition { Ok(()) } else { Err(ChainError::Authority) }
}

fn parse_sealing(bytes: &[u8]) -> Result<SealingPublicKey, ChainError> {
    SealingPublicKey::parse(bytes).map_err(|_| ChainError::Malformed)
}

fn parse_signing(bytes: &[u8; 32]) -> Result<VerifyingKey, ChainError> {
    VerifyingKey::parse(bytes).map_err(|_| ChainError::Malformed)
}

/// Adds a key that was not in use before.
fn push_new(keys: &mut Vec<SealingPublicKey>, key: SealingPublicKey) -> Result<(), ChainError> {
    require(!keys.contains(&key))?;
    keys.push(key);
    Ok(())
}

/// A split as stated: within its bounds, and no share twice.
fn parse_split(split: Option<SeedSplit>) -> Result<Option<SeedSplit>, ChainError> {
    let Some(split) = split else { return Ok(None) };
    let count = u8::try_from(split.shares.len()).map_err(|_| ChainError::Malformed)?;
    Split::new(split.needed, count).map_err(|_| ChainError::Malformed)?;
    let distinct: BTreeSet<&[u8; 32]> = split.shares.iter().map(|share| &**share).collect();
    if distinct.len() == split.shares.len() { Ok(Some(split)) } else { Err(ChainError::Malformed) }
}

/// A login as stored: folded already.
fn parse_login(text: &str) -> Result<LoginName, ChainError> {
    let login: LoginName = text.parse().map_err(|_| ChainError::Malformed)?;
    if login.as_str() == text { Ok(login) } else { Err(ChainError::Malformed) }
}

/// Roles of an account: one at least.
fn parse_roles(bits: u8) -> Result<Roles, ChainError> {
    Roles::from_bits(bits).filter(|roles| !roles.is_empty()).ok_or(ChainError::Malformed)
}

/// Rules of a vault: of things that exist, and of two people only where two may be asked for.
fn parse_policy(body: &PolicySet) -> Result<VaultPolicy, ChainError> {
    let guarded = |bits| GuardedSet::from_bits(bits).ok_or(ChainError::Malformed);
    let policy = VaultPolicy {
        second_factor: Roles::from_bits(body.second_factor).ok_or(ChainError::Malformed)?,
        step_up: guarded(body.step_up)?,
        two_people: guarded(body.two_people)?,
        kdf_memory_kib: body.kdf_memory_kib,
    };
    require(policy.two_people.is_within(GuardedSet::FOR_TWO) && policy.kdf_memory_kib <= KdfParams::MAX_MEMORY_KIB)?;
    Ok(policy)
}

/// Whether a text can be one of an identity provider: not empty, not endless, nothing that is not seen.
pub(crate) fn is_provider_text(text: &str) -> bool {
    (1..=MAX_PROVIDER_TEXT).contains(&text.len()) && !text.contains(char::is_control)
}

/// A kind of the vault's own: any but those that every vault has.
fn parse_kind(kind: String) -> Result<RecordKind, ChainError> {
    require(!RecordKind::OFFERED.contains(&kind.as_str()))?;
    kind.try_into().map_err(|_| ChainError::Malformed)
}

fn parse_time(millis: i64) -> Result<Timestamp, ChainError> {
    Timestamp::from_unix_millis(millis).map_err(|_| ChainError::Malformed)
}

#[cfg(test)]
mod tests;

//! The membership chain: signed statements of who exists, what they may do and which keys count, each bound to the one
//! before. Layout: docs/FORMAT.md §5. Spec: Ed25519 (RFC 8032), SHA-256. Pure.
//!
//! What the chain does not say does not exist: rows of the directory carry only ciphertexts whose digests are in a
//! statement. The authority of a signer is judged at the statement's own place in the chain.

use std::collections::BTreeMap;

use coffer_crypto::label;
use coffer_crypto::recovery::AgeRecipient;
use coffer_crypto::seal::SealingPublicKey;
use coffer_crypto::sign::{SigningKey, VerifyingKey};
use coffer_model::account::{LoginName, Role, Roles};
use coffer_model::grant::Right;
use coffer_model::id::{AccountId, ReplicaId, TenantId, VaultId};
use coffer_model::record::RecordKind;
use coffer_model::time::Timestamp;
use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{CborLen, Decode, Encode};
use sha2::{Digest, Sha256};

use crate::encoding::{self, NotCanonical};

/// SHA-256 of a statement with its signature, or of a ciphertext a statement vouches for.
pub(crate) type Hash = [u8; 32];

/// How far the number of a backup may be ahead of the one before. Backups made while locked have numbers, too, and may
/// leave no receipt; but nobody is to use up all numbers there are.
const MAX_BACKUPS_BETWEEN: u64 = 1_000_000;

/// Most kinds of a vault's own at a time.
pub(crate) const MAX_KINDS: usize = 200;

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

/// What a statement states.
#[derive(Clone, Debug, Encode, Decode, CborLen)]
pub(crate) enum Body {
    /// The vault exists. Signed by its founder, who has every role.
    #[n(0)]
    Founding(#[n(0)] Founding),
    /// A device has a key for unattended work. Signed by an administrator.
    #[n(1)]
    DeviceEnrolled(#[n(0)] DeviceEnrolled),
    /// A tenant exists and has a first steward. Signed by an administrator.
    #[n(2)]
    TenantCreated(#[n(0)] TenantCreated),
    /// A tenant has a key. Signed by a steward: for epoch 1 the first one.
    #[n(3)]
    EpochOpened(#[n(0)] EpochOpened),
    /// An account holds a tenant's key. Signed by a steward.
    #[n(4)]
    Granted(#[n(0)] Granted),
    /// A backup exists. Signed by an administrator.
    #[n(5)]
    BackupMade(#[n(0)] BackupMade),
    /// A kind of the vault's own has a template. Signed by an administrator.
    #[n(6)]
    KindSet(#[n(0)] KindSet),
    /// A kind is no longer one of the vault's own. Signed by an administrator.
    #[n(7)]
    KindRemoved(#[n(0)] KindRemoved),
}

/// Public keys of the vault and of its first account.
#[derive(Clone, Debug, Encode, Decode, CborLen)]
pub(crate) struct Founding {
    /// Cryptographic suite; 1 is docs/FORMAT.md §4.
    #[n(0)]
    pub(crate) suite: u32,
    #[cbor(n(1), with = "encoding::account_id")]
    pub(crate) account: AccountId,
    #[n(2)]
    pub(crate) login: String,
    /// X-Wing public key of the account.
    #[n(3)]
    pub(crate) sealing: ByteVec,
    /// Ed25519 public key of the account.
    #[n(4)]
    pub(crate) signing: ByteArray<32>,
    /// X-Wing public key of recovery.
    #[n(5)]
    pub(crate) recovery_sealing: ByteVec,
    /// Ed25519 public key of recovery; it may only enrol an administrator.
    #[n(6)]
    pub(crate) recovery_signing: ByteArray<32>,
    /// X-Wing public key that log entries are sealed to.
    #[n(7)]
    pub(crate) audit: ByteVec,
    /// X-Wing public key of administrators and auditors together.
    #[n(8)]
    pub(crate) office: ByteVec,
    /// X25519 public key of recovery's age identity, to which every portable backup is encrypted.
    #[n(9)]
    pub(crate) recovery_age: ByteArray<32>,
}

#[derive(Clone, Debug, Encode, Decode, CborLen)]
pub(crate) struct DeviceEnrolled {
    /// Ed25519 public key.
    #[n(0)]
    pub(crate) signing: ByteArray<32>,
}

#[derive(Clone, Debug, Encode, Decode, CborLen)]
pub(crate) struct TenantCreated {
    #[cbor(n(0), with = "encoding::tenant_id")]
    pub(crate) tenant: TenantId,
    #[cbor(n(1), with = "encoding::account_id")]
    pub(crate) steward: AccountId,
    /// Whether it holds invented data.
    #[n(2)]
    pub(crate) demo: bool,
}

#[derive(Clone, Debug, Encode, Decode, CborLen)]
pub(crate) struct EpochOpened {
    #[cbor(n(0), with = "encoding::tenant_id")]
    pub(crate) tenant: TenantId,
    /// From 1.
    #[n(1)]
    pub(crate) epoch: u32,
    /// Names the tenant key without revealing it (docs/FORMAT.md §4).
    #[n(2)]
    pub(crate) kid: ByteArray<32>,
    /// The tenant's file is `tenants/<file>.db`: 16 random bytes in hexadecimal.
    #[n(3)]
    pub(crate) file: ByteArray<16>,
    /// SHA-256 of the tenant key sealed to recovery.
    #[n(4)]
    pub(crate) recovery: ByteArray<32>,
    /// SHA-256 of the name sealed to the office, and of the name under the tenant key.
    #[n(5)]
    pub(crate) name_for_office: ByteArray<32>,
    #[n(6)]
    pub(crate) name_for_holders: ByteArray<32>,
}

#[derive(Clone, Debug, Encode, Decode, CborLen)]
pub(crate) struct Granted {
    #[cbor(n(0), with = "encoding::tenant_id")]
    pub(crate) tenant: TenantId,
    #[n(1)]
    pub(crate) epoch: u32,
    #[cbor(n(2), with = "encoding::account_id")]
    pub(crate) grantee: AccountId,
    /// SHA-256 of the grantee's sealing key, then signing key.
    #[n(3)]
    pub(crate) grantee_keys: ByteArray<32>,
    /// Code of a [`Right`].
    #[n(4)]
    pub(crate) right: u8,
    /// Milliseconds since the Unix epoch; absent: until withdrawn.
    #[n(5)]
    pub(crate) expires_ms: Option<i64>,
    /// SHA-256 of the tenant key sealed to the grantee.
    #[n(6)]
    pub(crate) sealed: ByteArray<32>,
    /// As in the epoch's opening statement.
    #[n(7)]
    pub(crate) kid: ByteArray<32>,
}

#[derive(Clone, Debug, Encode, Decode, CborLen)]
pub(crate) struct BackupMade {
    /// From 1, never repeated in one vault.
    #[n(0)]
    pub(crate) counter: u64,
    /// SHA-256 of the signed manifest.
    #[n(1)]
    pub(crate) manifest: ByteArray<32>,
}

#[derive(Clone, Debug, Encode, Decode, CborLen)]
pub(crate) struct KindSet {
    #[n(0)]
    pub(crate) kind: String,
    /// SHA-256 of the template.
    #[n(1)]
    pub(crate) template: ByteArray<32>,
}

#[derive(Clone, Debug, Encode, Decode, CborLen)]
pub(crate) struct KindRemoved {
    #[n(0)]
    pub(crate) kind: String,
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
}

impl Account {
    fn keys_digest(&self) -> Hash {
        Sha256::new().chain_update(self.sealing.encode()).chain_update(self.signing.encode()).finalize().into()
    }
}

/// A tenant, as the chain has it.
#[derive(Clone, Debug)]
pub(crate) struct Tenant {
    pub(crate) created_at: Timestamp,
    /// Whether it holds invented data.
    pub(crate) demo: bool,
    first_steward: AccountId,
    /// Its place among the vault's tenants, from 0.
    pub(crate) ordinal: u64,
    /// `None` between its creation and the opening of its first epoch.
    pub(crate) epoch: Option<EpochOpened>,
}

/// The membership of a vault: what its chain comes to.
#[derive(Clone, Debug)]
pub(crate) struct Membership {
    vault: VaultId,
    pin: ChainPin,
    pub(crate) audit: SealingPublicKey,
    pub(crate) office: SealingPublicKey,
    pub(crate) recovery: SealingPublicKey,
    pub(crate) recovery_age: AgeRecipient,
    /// Which writable copy wrote the newest statement.
    pub(crate) replica: ReplicaId,
    pub(crate) accounts: BTreeMap<AccountId, Account>,
    pub(crate) tenants: BTreeMap<TenantId, Tenant>,
    pub(crate) grants: BTreeMap<(TenantId, AccountId), Granted>,
    /// Every device ever certified, in order.
    pub(crate) devices: Vec<VerifyingKey>,
    /// The newest backup the vault knows of.
    pub(crate) newest_backup: Option<BackupMade>,
    /// Digests of the templates of the vault's own kinds.
    pub(crate) kinds: BTreeMap<RecordKind, Hash>,
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
        if statement.signer != founding.account || founding.suite != 1 {
            return Err(ChainError::Authority);
        }
        let account = Account {
            login: founding.login.parse().map_err(|_| ChainError::Malformed)?,
            roles: Roles::ALL,
            sealing: parse_sealing(&founding.sealing)?,
            signing: parse_signing(&founding.signing)?,
        };
        parse_signing(&founding.recovery_signing)?;
        verify(&account.signing, signed)?;
        let hash = signed.hash();
        Ok(Self {
            vault,
            pin: ChainPin { founding: hash, length: 1, head: hash },
            audit: parse_sealing(&founding.audit)?,
            office: parse_sealing(&founding.office)?,
            recovery: parse_sealing(&founding.recovery_sealing)?,
            recovery_age: AgeRecipient::from_bytes(*founding.recovery_age),
            replica: statement.replica,
            accounts: BTreeMap::from([(founding.account, account)]),
            tenants: BTreeMap::new(),
            grants: BTreeMap::new(),
            devices: Vec::new(),
            newest_backup: None,
            kinds: BTreeMap::new(),
        })
    }

    fn admit(&mut self, signed: &SignedStatement, vouched: bool) -> Result<(), ChainError> {
        let statement: Statement = encoding::decode(&signed.bytes)?;
        if statement.vault != self.vault
            || statement.position != self.pin.length
            || *statement.previous != self.pin.head
        {
            return Err(ChainError::OutOfPlace);
        }
        let account = self.accounts.get(&statement.signer).ok_or(ChainError::Authority)?;
        if !vouched {
            verify(&account.signing, signed)?;
        }
        let roles = account.roles;
        let at = parse_time(statement.at_ms)?;
        match statement.body {
            // A vault is founded once.
            Body::Founding(_) => return Err(ChainError::OutOfPlace),
            Body::DeviceEnrolled(body) => {
                require(roles.contains(Role::Administrator))?;
                self.devices.push(parse_signing(&body.signing)?);
            }
            Body::TenantCreated(body) => {
                require(roles.contains(Role::Administrator))?;
                require(self.accounts.contains_key(&body.steward) && !self.tenants.contains_key(&body.tenant))?;
                let ordinal = self.tenants.len() as u64;
                let (demo, first_steward) = (body.demo, body.steward);
                let tenant = Tenant { created_at: at, demo, first_steward, ordinal, epoch: None };
                self.tenants.insert(body.tenant, tenant);
            }
            Body::EpochOpened(body) => {
                let tenant = self.tenants.get_mut(&body.tenant).ok_or(ChainError::Authority)?;
                require(tenant.epoch.is_none() && body.epoch == 1 && statement.signer == tenant.first_steward)?;
                tenant.epoch = Some(body);
            }
            Body::Granted(body) => self.admit_grant(body, statement.signer, at)?,
            Body::BackupMade(body) => {
                require(roles.contains(Role::Administrator))?;
                let newest = self.newest_backup.as_ref().map_or(0, |newest| newest.counter);
                require(body.counter > newest && body.counter - newest <= MAX_BACKUPS_BETWEEN)?;
                self.newest_backup = Some(body);
            }
            Body::KindSet(body) => {
                require(roles.contains(Role::Administrator))?;
                let kind = parse_kind(body.kind)?;
                require(self.kinds.contains_key(&kind) || self.kinds.len() < MAX_KINDS)?;
                self.kinds.insert(kind, *body.template);
            }
            Body::KindRemoved(body) => {
                require(roles.contains(Role::Administrator))?;
                require(self.kinds.remove(&parse_kind(body.kind)?).is_some())?;
            }
        }
        self.replica = statement.replica;
        self.pin.length += 1;
        self.pin.head = signed.hash();
        Ok(())
    }

    fn admit_grant(&mut self, body: Granted, signer: AccountId, at: Timestamp) -> Result<(), ChainError> {
        let tenant = self.tenants.get(&body.tenant).ok_or(ChainError::Authority)?;
        let epoch = tenant.epoch.as_ref().ok_or(ChainError::Authority)?;
        let grantee = self.accounts.get(&body.grantee).ok_or(ChainError::Authority)?;
        let first_of_all = !self.grants.keys().any(|(granted, _)| *granted == body.tenant);
        let by_steward = self.right(body.tenant, signer, at) == Some(Right::Steward);
        require(by_steward || (first_of_all && signer == tenant.first_steward && body.grantee == signer))?;
        require(body.epoch == epoch.epoch && body.kid == epoch.kid && *body.grantee_keys == grantee.keys_digest())?;
        require(Right::from_code(body.right).is_some())?;
        self.grants.insert((body.tenant, body.grantee), body);
        Ok(())
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

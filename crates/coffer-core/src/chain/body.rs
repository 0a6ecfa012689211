//! What statements of the membership chain state. Layout: docs/FORMAT.md §5.8. Pure.
//!
//! Only the words; who may say them, and what follows, is judged in [`super`].

use coffer_crypto::recovery::shares::Share;
use coffer_model::id::{AccountId, TenantId, VaultId};
use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{CborLen, Decode, Encode};

use crate::encoding;

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
    /// A tenant has a key. Signed by a steward, for epoch 1 the first one; or by recovery. Grants of the epoch before end:
    /// each of the new one is stated anew.
    #[n(3)]
    EpochOpened(#[n(0)] EpochOpened),
    /// An account holds a tenant's key. Signed by a steward, or by recovery.
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
    /// Somebody may become an account. Signed by an administrator; by recovery, if an administrator is invited.
    #[n(8)]
    AccountInvited(#[n(0)] AccountInvited),
    /// An invitation holds no longer. Signed by an administrator.
    #[n(9)]
    InvitationWithdrawn(#[n(0)] InvitationWithdrawn),
    /// Who was invited is an account. Signed by the new account; the invitation's own key vouches for its keys.
    #[n(10)]
    AccountEnrolled(#[n(0)] AccountEnrolled),
    /// An account has other roles. Signed by an administrator.
    #[n(11)]
    RolesSet(#[n(0)] RolesSet),
    /// An account is none any more, and everything granted to it is withdrawn. Signed by an administrator.
    #[n(12)]
    AccountRemoved(#[n(0)] AccountRemoved),
    /// An account may no longer read a tenant. Signed by a steward of it, an administrator, or the account itself.
    #[n(13)]
    GrantWithdrawn(#[n(0)] GrantWithdrawn),
    /// The directory has another key. Signed by an administrator.
    #[n(14)]
    DirectoryKeyed(#[n(0)] DirectoryKeyed),
    /// The log is sealed to another key. Signed by an auditor.
    #[n(15)]
    AuditReplaced(#[n(0)] PairReplaced),
    /// What is for administrators and auditors is sealed to another key. Signed by one of them.
    #[n(16)]
    OfficeReplaced(#[n(0)] PairReplaced),
    /// Only these slots of an account count from now on. Signed by the account.
    #[n(17)]
    SlotsNamed(#[n(0)] SlotsNamed),
    /// The vault has these rules. Signed by an administrator.
    #[n(18)]
    PolicySet(#[n(0)] PolicySet),
    /// Whether an account has a second factor. Signed by the account.
    #[n(19)]
    SecondFactorStated(#[n(0)] SecondFactorStated),
    /// Marked accounts need fresh tokens of this identity provider; of none any more. Signed by an administrator.
    #[n(20)]
    ProviderSet(#[n(0)] ProviderSet),
    /// An account is marked, or no longer. Signed by an administrator; of an account that is marked, by another one.
    #[n(21)]
    AccountFederated(#[n(0)] AccountFederated),
    /// By when an account has to have left and what it saw is to be changed, or that it stays after all. Signed by an
    /// administrator.
    #[n(22)]
    LeavingSet(#[n(0)] LeavingSet),
    /// How far the secrets are changed that an account without a grant saw in a tenant. Signed by a steward of it.
    #[n(23)]
    ExposureReported(#[n(0)] ExposureReported),
    /// Recovery has another seed. Signed by an administrator, who trusts it from then on.
    #[n(24)]
    RecoveryReplaced(#[n(0)] RecoveryReplaced),
    /// The account that signs trusts the newest recovery: keys that it makes are sealed to that one from now on.
    #[n(25)]
    RecoveryAccepted(#[n(0)] RecoveryAccepted),
    /// A key in use may be in hands it does not belong in. Signed by whoever may replace it.
    #[n(26)]
    KeyCompromised(#[n(0)] KeyCompromised),
    /// An account has other keys. Signed by the account, with those of before; whatever it held wants replacing.
    #[n(27)]
    AccountRekeyed(#[n(0)] AccountRekeyed),
    /// Keys are used for so long. Signed by an administrator.
    #[n(28)]
    CryptoperiodsSet(#[n(0)] CryptoperiodsSet),
    /// A tenant's key is split among custodians, of whom two open it; or among none any more. Signed by a steward.
    #[n(29)]
    GlassPrepared(#[n(0)] GlassPrepared),
    /// Two custodians open a tenant for one of them, for a while. Signed by that one; the other's word is in it.
    #[n(30)]
    GlassBroken(#[n(0)] GlassBroken),
    /// The vault moves to another computer: no copy goes on where it was. Signed by an administrator.
    #[n(31)]
    VaultMoved(#[n(0)] VaultMoved),
    /// A move is off, and the copy it began from goes on. Signed by an administrator.
    #[n(32)]
    MoveTakenBack(#[n(0)] MoveTakenBack),
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
    /// Ed25519 public key of recovery: it invites an administrator, and gives tenants a steward.
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
    /// Names the first directory key without revealing it (docs/FORMAT.md §4).
    #[n(10)]
    pub(crate) directory: ByteArray<32>,
    /// How recovery's seed is split; absent if one kit has it.
    #[n(11)]
    pub(crate) recovery_split: Option<SeedSplit>,
}

/// How a recovery seed is split among several people.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, CborLen)]
pub(crate) struct SeedSplit {
    /// How many shares it takes.
    #[n(0)]
    pub(crate) needed: u8,
    /// Digest of each share, by its number from 1 (docs/FORMAT.md §4.10).
    #[n(1)]
    pub(crate) shares: Vec<ByteArray<32>>,
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
    /// Code of a [`coffer_model::grant::Right`].
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

#[derive(Clone, Debug, Encode, Decode, CborLen)]
pub(crate) struct AccountInvited {
    /// What the account will be called.
    #[cbor(n(0), with = "encoding::account_id")]
    pub(crate) account: AccountId,
    #[n(1)]
    pub(crate) login: String,
    /// [`coffer_model::account::Roles::bits`].
    #[n(2)]
    pub(crate) roles: u8,
    /// X-Wing public key of the activation code.
    #[n(3)]
    pub(crate) sealing: ByteVec,
    /// Ed25519 public key of the activation code.
    #[n(4)]
    pub(crate) signing: ByteArray<32>,
    /// Milliseconds since the Unix epoch.
    #[n(5)]
    pub(crate) expires_ms: i64,
}

#[derive(Clone, Debug, Encode, Decode, CborLen)]
pub(crate) struct InvitationWithdrawn {
    #[cbor(n(0), with = "encoding::account_id")]
    pub(crate) account: AccountId,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, CborLen)]
pub(crate) struct AccountEnrolled {
    #[cbor(n(0), with = "encoding::account_id")]
    pub(crate) account: AccountId,
    /// X-Wing public key of the account.
    #[n(1)]
    pub(crate) sealing: ByteVec,
    /// Ed25519 public key of the account.
    #[n(2)]
    pub(crate) signing: ByteArray<32>,
    /// When the code was used, in milliseconds since the Unix epoch: before the invitation expired.
    #[n(3)]
    pub(crate) at_ms: i64,
    /// By the activation code's key over [`AccountEnrolled::vouched`].
    #[n(4)]
    pub(crate) vouched_for: ByteArray<64>,
}

#[derive(Clone, Debug, Encode, Decode, CborLen)]
pub(crate) struct RolesSet {
    #[cbor(n(0), with = "encoding::account_id")]
    pub(crate) account: AccountId,
    /// [`coffer_model::account::Roles::bits`].
    #[n(1)]
    pub(crate) roles: u8,
}

#[derive(Clone, Debug, Encode, Decode, CborLen)]
pub(crate) struct AccountRemoved {
    #[cbor(n(0), with = "encoding::account_id")]
    pub(crate) account: AccountId,
}

#[derive(Clone, Debug, Encode, Decode, CborLen)]
pub(crate) struct GrantWithdrawn {
    #[cbor(n(0), with = "encoding::tenant_id")]
    pub(crate) tenant: TenantId,
    #[cbor(n(1), with = "encoding::account_id")]
    pub(crate) account: AccountId,
}

#[derive(Clone, Debug, Encode, Decode, CborLen)]
pub(crate) struct DirectoryKeyed {
    /// One more than before.
    #[n(0)]
    pub(crate) generation: u64,
    /// Names the key without revealing it (docs/FORMAT.md §4).
    #[n(1)]
    pub(crate) kid: ByteArray<32>,
}

#[derive(Clone, Debug, Encode, Decode, CborLen)]
pub(crate) struct PairReplaced {
    /// X-Wing public key.
    #[n(0)]
    pub(crate) public: ByteVec,
}

#[derive(Clone, Debug, Encode, Decode, CborLen)]
pub(crate) struct SlotsNamed {
    /// SHA-256 of each, as the header stores it.
    #[n(0)]
    pub(crate) slots: Vec<ByteArray<32>>,
}

#[derive(Clone, Debug, Encode, Decode, CborLen)]
pub(crate) struct PolicySet {
    /// [`coffer_model::account::Roles::bits`] of who needs a second factor.
    #[n(0)]
    pub(crate) second_factor: u8,
    /// [`coffer_model::policy::GuardedSet::bits`] of what asks for authentication anew.
    #[n(1)]
    pub(crate) step_up: u32,
    /// [`coffer_model::policy::GuardedSet::bits`] of what takes two people.
    #[n(2)]
    pub(crate) two_people: u32,
    /// Least memory of a passphrase's derivation, in KiB; 0 where nothing is fixed.
    #[n(3)]
    pub(crate) kdf_memory_kib: u32,
}

#[derive(Clone, Debug, Encode, Decode, CborLen)]
pub(crate) struct SecondFactorStated {
    #[n(0)]
    pub(crate) enrolled: bool,
}

#[derive(Clone, Debug, Encode, Decode, CborLen)]
pub(crate) struct ProviderSet {
    /// Absent: none.
    #[n(0)]
    pub(crate) provider: Option<Provider>,
}

/// An identity provider, and what its tokens are held against.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, CborLen)]
pub(crate) struct Provider {
    /// `iss` of its tokens.
    #[n(0)]
    pub(crate) issuer: String,
    /// One of `aud` of its tokens: what the provider calls this vault.
    #[n(1)]
    pub(crate) audience: String,
    /// The claim that names the person.
    #[n(2)]
    pub(crate) claim: String,
    /// For how many days a token lets an account unlock.
    #[n(3)]
    pub(crate) days: u32,
    /// SHA-256 of its key set, as it was given.
    #[n(4)]
    pub(crate) key_set: ByteArray<32>,
    /// P-256 public key that it may encrypt tokens to, uncompressed.
    #[n(5)]
    pub(crate) encryption: ByteArray<{ coffer_token::PUBLIC_KEY_BYTES }>,
}

#[derive(Clone, Debug, Encode, Decode, CborLen)]
pub(crate) struct AccountFederated {
    #[cbor(n(0), with = "encoding::account_id")]
    pub(crate) account: AccountId,
    /// What the provider's claim says of the person; absent: no longer marked.
    #[n(1)]
    pub(crate) subject: Option<String>,
}

#[derive(Clone, Debug, Encode, Decode, CborLen)]
pub(crate) struct LeavingSet {
    #[cbor(n(0), with = "encoding::account_id")]
    pub(crate) account: AccountId,
    /// When its access ends at the latest, in milliseconds since the Unix epoch; absent if it has ended, or goes on.
    #[n(1)]
    pub(crate) access_by_ms: Option<i64>,
    /// By when the secrets it saw are to be others, likewise; absent if it stays.
    #[n(2)]
    pub(crate) secrets_by_ms: Option<i64>,
}

#[derive(Clone, Debug, Encode, Decode, CborLen)]
pub(crate) struct ExposureReported {
    #[cbor(n(0), with = "encoding::tenant_id")]
    pub(crate) tenant: TenantId,
    #[cbor(n(1), with = "encoding::account_id")]
    pub(crate) account: AccountId,
    /// SHA-256 of the report sealed to the office.
    #[n(2)]
    pub(crate) sealed: ByteArray<32>,
}

#[derive(Clone, Debug, Encode, Decode, CborLen)]
pub(crate) struct RecoveryReplaced {
    /// One more than before; the founding statement's is 1.
    #[n(0)]
    pub(crate) number: u32,
    /// X-Wing public key.
    #[n(1)]
    pub(crate) sealing: ByteVec,
    /// Ed25519 public key.
    #[n(2)]
    pub(crate) signing: ByteArray<32>,
    /// X25519 public key of its age identity.
    #[n(3)]
    pub(crate) age: ByteArray<32>,
    /// How its seed is split; absent if one kit has it.
    #[n(4)]
    pub(crate) split: Option<SeedSplit>,
}

#[derive(Clone, Debug, Encode, Decode, CborLen)]
pub(crate) struct RecoveryAccepted {
    /// Which recovery: the newest.
    #[n(0)]
    pub(crate) number: u32,
}

#[derive(Clone, Copy, Debug, Encode, Decode, CborLen)]
pub(crate) struct KeyCompromised {
    /// [`coffer_model::key::KeyKind::code`]; none of an account's.
    #[n(0)]
    pub(crate) kind: u8,
    /// Whose, if it is a tenant's.
    #[n(1)]
    pub(crate) tenant: Option<ByteArray<16>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, CborLen)]
pub(crate) struct AccountRekeyed {
    /// X-Wing public key.
    #[n(0)]
    pub(crate) sealing: ByteVec,
    /// Ed25519 public key.
    #[n(1)]
    pub(crate) signing: ByteArray<32>,
    /// SHA-256 of each slot that counts from now on, as the header stores it.
    #[n(2)]
    pub(crate) slots: Vec<ByteArray<32>>,
    /// Every tenant that is granted to it, with SHA-256 of its key sealed to the new one.
    #[n(3)]
    pub(crate) grants: Vec<ResealedGrant>,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, CborLen)]
pub(crate) struct ResealedGrant {
    #[cbor(n(0), with = "encoding::tenant_id")]
    pub(crate) tenant: TenantId,
    #[n(1)]
    pub(crate) sealed: ByteArray<32>,
}

#[derive(Clone, Debug, Encode, Decode, CborLen)]
pub(crate) struct CryptoperiodsSet {
    /// Days for each kind of key, in the order of their codes.
    #[n(0)]
    pub(crate) days: Vec<u16>,
}

#[derive(Clone, Debug, Encode, Decode, CborLen)]
pub(crate) struct GlassPrepared {
    #[cbor(n(0), with = "encoding::tenant_id")]
    pub(crate) tenant: TenantId,
    #[n(1)]
    pub(crate) epoch: u32,
    /// None, or two at least.
    #[n(2)]
    pub(crate) custodians: Vec<Custodian>,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, CborLen)]
pub(crate) struct Custodian {
    #[cbor(n(0), with = "encoding::account_id")]
    pub(crate) account: AccountId,
    /// SHA-256 of the custodian's sealing key, then signing key.
    #[n(1)]
    pub(crate) keys: ByteArray<32>,
    /// SHA-256 of the share sealed to the custodian.
    #[n(2)]
    pub(crate) sealed: ByteArray<32>,
}

#[derive(Clone, Debug, Encode, Decode, CborLen)]
pub(crate) struct GlassBroken {
    #[cbor(n(0), with = "encoding::tenant_id")]
    pub(crate) tenant: TenantId,
    #[n(1)]
    pub(crate) epoch: u32,
    /// Until when the signer may read, in milliseconds since the Unix epoch.
    #[n(2)]
    pub(crate) until_ms: i64,
    /// Why, in the custodians' words.
    #[n(3)]
    pub(crate) reason: String,
    /// The other custodian.
    #[cbor(n(4), with = "encoding::account_id")]
    pub(crate) second: AccountId,
    /// SHA-256 of the tenant key sealed to the signer.
    #[n(5)]
    pub(crate) sealed: ByteArray<32>,
    /// As in the epoch's opening statement.
    #[n(6)]
    pub(crate) kid: ByteArray<32>,
    /// By the other custodian's key over [`GlassBroken::seconded`].
    #[n(7)]
    pub(crate) word: ByteArray<64>,
}

#[derive(Clone, Copy, Debug, Encode, Decode, CborLen)]
pub(crate) struct VaultMoved {
    /// Ed25519 public key of the device it goes from.
    #[n(0)]
    pub(crate) device: ByteArray<32>,
}

#[derive(Clone, Copy, Debug, Encode, Decode, CborLen)]
pub(crate) struct MoveTakenBack {
    /// As in the statement of the move.
    #[n(0)]
    pub(crate) device: ByteArray<32>,
}

impl GlassBroken {
    /// What the other custodian signs: vault, tenant, epoch (8 bytes, big-endian), who opens, until when (8 bytes), KID, then
    /// the reason.
    pub(crate) fn seconded(&self, vault: VaultId, opener: AccountId) -> Vec<u8> {
        [
            vault.as_bytes().as_slice(),
            self.tenant.as_bytes(),
            &u64::from(self.epoch).to_be_bytes(),
            opener.as_bytes(),
            &self.until_ms.to_be_bytes(),
            self.kid.as_slice(),
            self.reason.as_bytes(),
        ]
        .concat()
    }
}

impl SeedSplit {
    /// What is stated of all shares of a seed.
    pub(crate) fn of(shares: &[Share], vault: VaultId) -> Self {
        let needed = shares.first().map_or(0, |share| share.split().needed());
        let mut digests: Vec<(u8, ByteArray<32>)> =
            shares.iter().map(|share| (share.number(), share.digest(vault.as_bytes()).into())).collect();
        digests.sort_unstable_by_key(|(number, _)| *number);
        Self { needed, shares: digests.into_iter().map(|(_, digest)| digest).collect() }
    }
}

impl AccountEnrolled {
    /// What the activation code's key signs: vault, account, time (8 bytes, big-endian), both public keys.
    pub(crate) fn vouched(&self, vault: VaultId) -> Vec<u8> {
        [
            vault.as_bytes().as_slice(),
            self.account.as_bytes(),
            &self.at_ms.to_be_bytes(),
            &self.sealing,
            self.signing.as_slice(),
        ]
        .concat()
    }
}

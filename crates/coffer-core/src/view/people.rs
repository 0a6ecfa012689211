//! Who there is, what they may do, and which keys still have to change because of it. Pure data.

use coffer_model::account::Role;
use coffer_model::grant::Right;
use coffer_model::id::{AccountId, TenantId};
use coffer_model::policy::{Guarded, VaultPolicy};
use coffer_model::time::Timestamp;
use serde::Serialize;
use ts_rs::TS;

/// Everybody of a vault, as far as the asking account may know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct PeopleView {
    /// Accounts and invitations by login, then who left, the latest first.
    pub accounts: Vec<AccountView>,
    /// Keys that somebody holds who may not any more.
    pub pending: Vec<PendingKeyView>,
    /// Every time the vault was moved to another computer, in order.
    pub moves: Vec<VaultMoveView>,
}

/// The vault was moved to another computer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct VaultMoveView {
    /// Words that stand for the key of the device it went from.
    pub device: String,
    /// When.
    #[ts(type = "string")]
    pub at: Timestamp,
    /// Login of who moved it.
    pub by: Option<String>,
    /// What became of it.
    pub state: VaultMoveState,
    /// Since when, if it is not under way.
    #[ts(type = "string | null")]
    pub ended_at: Option<Timestamp>,
}

/// What became of a move to another computer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum VaultMoveState {
    /// Nobody has unlocked what it was moved to.
    UnderWay,
    /// An administrator unlocked it there, where it goes on.
    TakenUp,
    /// It goes on where it was.
    TakenBack,
}

/// An account, an invitation to become one, or an account that left.
#[expect(clippy::struct_excessive_bools, reason = "each is a thing an account has or has not")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct AccountView {
    /// The account.
    #[ts(type = "string")]
    pub id: AccountId,
    /// Its login name.
    pub login: String,
    /// Its roles; of one that left, those it had.
    #[ts(type = "(\"administrator\" | \"auditor\" | \"member\")[]")]
    pub roles: Vec<Role>,
    /// What it is.
    pub state: AccountState,
    /// When it was invited or became an account, or when it left.
    #[ts(type = "string")]
    pub since: Timestamp,
    /// Until when the activation code counts.
    #[ts(type = "string | null")]
    pub expires_at: Option<Timestamp>,
    /// Whether it is the one that asks.
    pub own: bool,
    /// Whether a key that its roles call for has not been shared with it yet.
    pub key_pending: bool,
    /// Words that stand for its public keys: read to one another, they show that the vault means the right person.
    pub fingerprint: String,
    /// Whether it has a second factor, as it says itself.
    pub second_factor: bool,
    /// When its access ends at the latest, if it is to leave.
    #[ts(type = "string | null")]
    pub access_by: Option<Timestamp>,
    /// By when the secrets it saw are to be others, if it left or is to leave.
    #[ts(type = "string | null")]
    pub secrets_by: Option<Timestamp>,
    /// Whether it needs fresh tokens of the identity provider.
    pub federated: bool,
    /// What the provider's claim says of it, for officers and for itself.
    pub subject: Option<String>,
    /// What it may do with tenants the asking account may know of, by the tenants' names.
    pub grants: Vec<GrantView>,
}

/// Whether there is an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    /// It unlocks the vault.
    Active,
    /// It will be one once the activation code is used.
    Invited,
    /// The activation code was not used in time.
    Expired,
    /// It was one.
    Left,
}

/// What an account may do with a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct GrantView {
    /// The tenant.
    #[ts(type = "string")]
    pub tenant: TenantId,
    /// Its name; `None` if the asking account may not know it.
    pub tenant_name: Option<String>,
    /// Who.
    #[ts(type = "string")]
    pub account: AccountId,
    /// Its login name.
    pub login: String,
    /// What it may do.
    #[ts(type = "\"reader\" | \"editor\" | \"steward\"")]
    pub right: Right,
    /// Until when.
    #[ts(type = "string | null")]
    pub expires_at: Option<Timestamp>,
    /// Whether that is over.
    pub expired: bool,
}

/// A key that somebody holds who may not any more: what is written under it they could still read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct PendingKeyView {
    /// Which.
    pub key: PendingKey,
    /// The tenant whose key it is.
    #[ts(type = "string | null")]
    pub tenant: Option<TenantId>,
    /// Its name, if the asking account may know it.
    pub tenant_name: Option<String>,
    /// Since when.
    #[ts(type = "string")]
    pub since: Timestamp,
    /// Whether the asking account can replace it.
    pub can_replace: bool,
    /// Whether nobody can but who has the recovery kit: the tenant has no steward any more.
    pub needs_recovery: bool,
}

/// The recovery in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct RecoveryView {
    /// Which, from 1: 1 is the one the vault was founded with.
    pub number: u32,
    /// Words that stand for its public keys, as they are on its kit or shares.
    pub fingerprint: String,
    /// When it was stated.
    #[ts(type = "string")]
    pub since: Timestamp,
    /// Login of who stated it.
    pub stated_by: Option<String>,
    /// Whether the asking account trusts it: only then does its program seal anything to it.
    pub trusted: bool,
    /// How its seed is split; `None` if one kit has it.
    pub split: Option<SplitView>,
}

/// How a recovery seed is split among several people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
pub struct SplitView {
    /// How many shares it takes.
    pub needed: u8,
    /// How many there are.
    pub shares: u8,
}

/// A kind of key that is replaced when somebody leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PendingKey {
    /// A tenant's. Nothing is written to the tenant meanwhile.
    Tenant,
    /// A tenant's that is still sealed to a recovery that was replaced. Work in the tenant goes on.
    TenantRecovery,
    /// The directory's.
    Directory,
    /// The log's.
    Audit,
    /// That of administrators and auditors together.
    Office,
}

/// What opens one's own account.
#[expect(clippy::struct_excessive_bools, reason = "each is a thing an account has or has not")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct WaysInView {
    /// Whether the passphrase needs the secret in this device's keyring beside it.
    pub device_secret: bool,
    /// Whether the passphrase needs a key file beside it.
    pub key_file: bool,
    /// Memory that each guess at the passphrase takes, in KiB.
    pub kdf_memory_kib: u32,
    /// How often that memory is gone through.
    pub kdf_passes: u32,
    /// Whether there is a personal recovery code.
    pub personal_code: bool,
    /// Whether there is a second factor.
    pub second_factor: bool,
    /// Whether the rules of the vault ask for one.
    pub second_factor_required: bool,
    /// Spare codes that have not served.
    #[ts(type = "number")]
    pub spare_codes_left: usize,
    /// Whether the account needs fresh tokens of the identity provider.
    pub federated: bool,
    /// Until when it unlocks without another one.
    #[ts(type = "string | null")]
    pub lease_until: Option<Timestamp>,
}

/// The identity provider that is pinned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct ProviderView {
    /// `iss` of its tokens.
    pub issuer: String,
    /// One of `aud` of its tokens.
    pub audience: String,
    /// The claim that names the person.
    pub claim: String,
    /// For how many days a token lets an account unlock.
    pub days: u32,
    /// The keys its tokens are signed with.
    pub keys: Vec<ProviderKeyView>,
    /// SHA-256 of its key set's file, in hexadecimal.
    pub key_set_sha256: String,
    /// The vault's public key that it may encrypt tokens to: a JWK.
    pub encryption_key: String,
    /// How many accounts need its tokens.
    #[ts(type = "number")]
    pub accounts: usize,
}

/// A key of the identity provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct ProviderKeyView {
    /// Its name, if it has one.
    pub kid: Option<String>,
    /// What it is: `RSA 2048`, `P-256`, `P-384`, `Ed25519`.
    pub kind: String,
}

impl From<coffer_token::KeyDescription> for ProviderKeyView {
    fn from(key: coffer_token::KeyDescription) -> Self {
        Self { kid: key.kid, kind: key.kind }
    }
}

/// The rules of a vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct PolicyView {
    /// Whoever has any of these roles needs a second factor.
    #[ts(type = "(\"administrator\" | \"auditor\" | \"member\")[]")]
    pub second_factor: Vec<Role>,
    /// What asks for passphrase and second factor anew.
    #[ts(type = "string[]")]
    pub step_up: Vec<Guarded>,
    /// What takes two administrators.
    #[ts(type = "string[]")]
    pub two_people: Vec<Guarded>,
    /// Least memory of a passphrase's derivation, in KiB; 0 where nothing is fixed.
    pub kdf_memory_kib: u32,
}

impl From<VaultPolicy> for PolicyView {
    fn from(policy: VaultPolicy) -> Self {
        Self {
            second_factor: policy.second_factor.iter().collect(),
            step_up: policy.step_up.iter().collect(),
            two_people: policy.two_people.iter().collect(),
            kdf_memory_kib: policy.kdf_memory_kib,
        }
    }
}

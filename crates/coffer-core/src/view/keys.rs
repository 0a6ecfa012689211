//! The keys of a vault, their states and periods, and who holds them. Pure data.

use coffer_model::grant::Right;
use coffer_model::id::{AccountId, TenantId};
use coffer_model::key::KeyKind;
use coffer_model::time::Timestamp;
use serde::Serialize;
use ts_rs::TS;

/// The register of keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct KeyRegisterView {
    /// Keys by kind, then by whose they are, the one in use first.
    pub keys: Vec<KeyView>,
    /// For how long keys of each kind are used.
    pub periods: Vec<CryptoperiodView>,
    /// The sets of algorithms this program knows; vaults are made with the last.
    pub suites: Vec<SuiteView>,
}

/// A key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct KeyView {
    /// What it is for.
    #[ts(type = "KeyKind")]
    pub kind: KeyKind,
    /// Whose, if it is a tenant's.
    #[ts(type = "string | null")]
    pub tenant: Option<TenantId>,
    /// That tenant's name, if the asking account may know it.
    pub tenant_name: Option<String>,
    /// Login of whose it is, if it is an account's.
    pub login: Option<String>,
    /// The how many-th of its kind, from 1; of a tenant's its epoch.
    pub number: u32,
    /// The algorithms it is used with.
    pub algorithm: &'static str,
    /// What it is at present.
    pub state: KeyState,
    /// Since when it was in use.
    #[ts(type = "string")]
    pub since: Timestamp,
    /// Until when, if another took its place.
    #[ts(type = "string | null")]
    pub until: Option<Timestamp>,
    /// Since when somebody holds it who may not, or is said to.
    #[ts(type = "string | null")]
    pub compromised_at: Option<Timestamp>,
    /// When another is to take its place at the latest; `None` if one has.
    #[ts(type = "string | null")]
    pub next_rotation: Option<Timestamp>,
    /// Whether that is over.
    pub overdue: bool,
    /// Whether the asking account can put another in its place.
    pub can_rotate: bool,
}

/// What a key is at present: NIST SP 800-57 Part 1 Rev. 5, §7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// In use.
    Active,
    /// Another took its place; it still opens what was made with it.
    Deactivated,
    /// Somebody holds it who may not, or is said to.
    Compromised,
    /// Another took its place, and nothing in the vault holds it any more. Copies of the vault from before do.
    Destroyed,
}

/// For how long keys of a kind are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
pub struct CryptoperiodView {
    /// The kind.
    #[ts(type = "KeyKind")]
    pub kind: KeyKind,
    /// Days.
    pub days: u16,
}

/// A set of algorithms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct SuiteView {
    /// The number by which a vault names it.
    pub number: u32,
    /// What it consists of.
    pub parts: &'static [SuitePart],
}

/// An algorithm of a suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
pub struct SuitePart {
    /// What it does: `kdf`, `encryption`, `database`, `sealing`, `signature`, `hash`, `backup`.
    pub purpose: &'static str,
    /// What it is called.
    pub algorithm: &'static str,
    /// Where it is specified.
    pub standard: &'static str,
    /// The year after whose end it is disallowed or no longer to be relied on; `None` where no such date is known.
    pub until_year: Option<u16>,
    /// Who says so.
    pub until_source: Option<&'static str>,
}

/// Who holds which key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct KeyAccessView {
    /// Keys in use, in the order of the register.
    pub keys: Vec<HeldKey>,
    /// Statements of the membership chain when this was made.
    #[ts(type = "number")]
    pub chain_length: u64,
    /// Hash of the last of them, hexadecimal.
    pub chain_head: String,
    /// When this was made.
    #[ts(type = "string")]
    pub made_at: Timestamp,
}

/// A key in use, and who holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct HeldKey {
    /// What it is for.
    #[ts(type = "KeyKind")]
    pub kind: KeyKind,
    /// Whose, if it is a tenant's.
    #[ts(type = "string | null")]
    pub tenant: Option<TenantId>,
    /// That tenant's name, if the asking account may know it.
    pub tenant_name: Option<String>,
    /// The how many-th of its kind, from 1.
    pub number: u32,
    /// Who holds it, by login; then recovery.
    pub holders: Vec<KeyHolder>,
}

/// Somebody who holds a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct KeyHolder {
    /// The account or invitation; `None` for recovery.
    #[ts(type = "string | null")]
    pub account: Option<AccountId>,
    /// Its login; `None` for recovery.
    pub login: Option<String>,
    /// What it may do with it, if it is a tenant's and a grant holds.
    #[ts(type = "\"reader\" | \"editor\" | \"steward\" | null")]
    pub right: Option<Right>,
    /// Until when it may.
    #[ts(type = "string | null")]
    pub expires_at: Option<Timestamp>,
    /// Whether it may not any more, and holds the key all the same: the key is pending.
    pub former: bool,
    /// The number of the recovery that it is sealed to; `None` for people.
    pub recovery: Option<u32>,
}

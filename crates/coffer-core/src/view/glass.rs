//! Tenants that custodians can open in an emergency, and when they did. Pure data.

use coffer_model::id::TenantId;
use coffer_model::time::Timestamp;
use serde::Serialize;
use ts_rs::TS;

/// A tenant with custodians, or that custodians have opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct GlassView {
    /// The tenant.
    #[ts(type = "string")]
    pub tenant: TenantId,
    /// Its name, if the asking account may know it.
    pub tenant_name: Option<String>,
    /// Logins of the custodians of its key in use, without those who have left or have other keys since; any two of them
    /// open it.
    pub custodians: Vec<String>,
    /// Whether the asking account is one of them.
    pub own: bool,
    /// Every time it was opened, the latest first.
    pub broken: Vec<BrokenGlassView>,
}

/// Custodians opened a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct BrokenGlassView {
    /// Login of who reads, or read.
    pub opener: String,
    /// Login of the other custodian.
    pub second: String,
    /// When.
    #[ts(type = "string")]
    pub at: Timestamp,
    /// Until when the opener may read.
    #[ts(type = "string")]
    pub until: Timestamp,
    /// Why, in their words.
    pub reason: String,
    /// When the tenant got a key since that the opener was not given by this.
    #[ts(type = "string | null")]
    pub rekeyed_at: Option<Timestamp>,
}

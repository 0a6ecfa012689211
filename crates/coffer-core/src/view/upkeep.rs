//! What wants doing about a tenant's records: what ends, which secrets want changing. Pure data, without any value.

use coffer_model::day::Day;
use coffer_model::id::TenantId;
use coffer_model::record::FieldId;
use coffer_model::time::Timestamp;
use serde::Serialize;
use ts_rs::TS;

use super::RecordRow;

/// What ends soon, or has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct ExpiringRecords {
    /// The day it is, in UTC.
    #[ts(type = "string")]
    pub today: Day,
    /// One for each field by which something ends, the earliest first.
    pub records: Vec<ExpiringView>,
    /// Whether a tenant has more than are told.
    pub more: bool,
}

/// A field by which something of a record ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct ExpiringView {
    /// The tenant's name: whose data this is.
    pub tenant_name: String,
    /// The record.
    #[serde(flatten)]
    pub record: RecordRow,
    /// The field inside it.
    #[ts(type = "number")]
    pub field: FieldId,
    /// What the person calls the field.
    pub field_name: String,
    /// The last day on which it holds.
    #[ts(type = "string")]
    pub day: Day,
    /// Days from today until then; negative once it is over.
    #[ts(type = "number")]
    pub days_left: i64,
}

/// Which secrets of a tenant want changing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct SecretHealthView {
    /// The tenant.
    #[ts(type = "string")]
    pub tenant: TenantId,
    /// Its name: whose data this is.
    pub tenant_name: String,
    /// Secrets that were looked at.
    #[ts(type = "number")]
    pub assessed: u64,
    /// Secrets that are soon guessed. PINs, up to eight digits, are not counted, nor as reused: their length is their
    /// issuer's choice.
    #[ts(type = "number")]
    pub weak: u64,
    /// Fields that hold the same secret as another.
    #[ts(type = "number")]
    pub reused: u64,
    /// Secrets unchanged for over a year.
    #[ts(type = "number")]
    pub old: u64,
    /// Days by which something ended, and that have passed.
    #[ts(type = "number")]
    pub expired: u64,
    /// The first 500 of each problem, in the order of the problems.
    pub findings: Vec<SecretFindingView>,
    /// Whether there are more of some problem.
    pub more: bool,
}

/// One field that wants doing something about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct SecretFindingView {
    /// The record.
    #[serde(flatten)]
    pub record: RecordRow,
    /// The field inside it.
    #[ts(type = "number")]
    pub field: FieldId,
    /// What the person calls the field.
    pub field_name: String,
    /// What is wrong.
    pub problem: SecretProblem,
    /// Of a reused secret: the same number for fields with the same secret, from 1.
    #[ts(type = "number | null")]
    pub group: Option<u64>,
    /// Of an old secret: when it was last changed.
    #[ts(type = "string | null")]
    pub since: Option<Timestamp>,
    /// Of something expired: the last day on which it held.
    #[ts(type = "string | null")]
    pub day: Option<Day>,
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SecretProblem {
    /// Soon guessed.
    Weak,
    /// Another field holds the same secret.
    Reused,
    /// Unchanged for over a year.
    Old,
    /// Its day has passed.
    Expired,
}

//! Who left or is to leave, what they have seen, and how far it is put right. Pure data.

use coffer_model::account::Role;
use coffer_model::grant::Right;
use coffer_model::id::{AccountId, TenantId};
use coffer_model::record::FieldId;
use coffer_model::time::Timestamp;
use serde::Serialize;
use ts_rs::TS;

use super::{LogReport, PendingKey, RecordRow};

/// Which secrets of a tenant people have seen who have no grant on it any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct ExposuresView {
    /// The tenant.
    #[ts(type = "string")]
    pub tenant: TenantId,
    /// Its name: whose data this is.
    pub tenant_name: String,
    /// Who has no grant any more, those with the most to change first.
    pub accounts: Vec<AccountExposureView>,
}

/// What an account has seen in a tenant, and what of it is still as it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct AccountExposureView {
    /// The account.
    #[ts(type = "string")]
    pub account: AccountId,
    /// Its login name.
    pub login: String,
    /// When its grant ended; `None` if it has one still.
    #[ts(type = "string | null")]
    pub ended_at: Option<Timestamp>,
    /// By when what it saw is to be changed, if that was stated.
    #[ts(type = "string | null")]
    pub secrets_by: Option<Timestamp>,
    /// Whether that is over and something is still to be changed.
    pub overdue: bool,
    /// Secrets it saw that are still the same.
    #[ts(type = "number")]
    pub open: u64,
    /// Secrets it saw that are others by now, or gone.
    #[ts(type = "number")]
    pub changed: u64,
    /// Further secrets, still the same, that it held the key of and could have read: by a program of its own, or in a
    /// copy of the vault.
    #[ts(type = "number")]
    pub could_read: u64,
    /// The first 500 that it saw, the latest first, then the first 500 that it could have read.
    pub secrets: Vec<ExposedSecretView>,
    /// Whether there are more.
    pub more: bool,
    /// When a steward last reported on it to administrators and auditors.
    #[ts(type = "string | null")]
    pub reported_at: Option<Timestamp>,
}

/// A secret that is still what somebody knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct ExposedSecretView {
    /// The record.
    #[serde(flatten)]
    pub record: RecordRow,
    /// Whether it is in the trash.
    pub trashed: bool,
    /// The field inside it.
    #[ts(type = "number")]
    pub field: FieldId,
    /// What the person calls the field.
    pub field_name: String,
    /// How they know it.
    pub how: ExposureWay,
    /// When they saw it last; of what they could have read, since when it is the same.
    #[ts(type = "string")]
    pub at: Timestamp,
}

/// How somebody knows a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ExposureWay {
    /// It was shown.
    Revealed,
    /// It was copied to the clipboard.
    Copied,
    /// It was in a file about a person that was handed over.
    HandedOver,
    /// It was in an export of the tenant.
    Exported,
    /// They entered or imported it themselves.
    Entered,
    /// They held the key; nothing says that they looked.
    CouldRead,
}

/// How an account left, or is to leave: the evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct OffboardingView {
    /// The account.
    #[ts(type = "string")]
    pub account: AccountId,
    /// Its login name.
    pub login: String,
    /// Its roles, or those it had.
    #[ts(type = "(\"administrator\" | \"auditor\" | \"member\")[]")]
    pub roles: Vec<Role>,
    /// When it was stated first that it is to leave, and by whom.
    #[ts(type = "string | null")]
    pub stated_at: Option<Timestamp>,
    /// Login of who stated it.
    pub stated_by: Option<String>,
    /// When its access ends, or had to end, at the latest.
    #[ts(type = "string | null")]
    pub access_by: Option<Timestamp>,
    /// When it was removed; `None` if it is an account still.
    #[ts(type = "string | null")]
    pub left_at: Option<Timestamp>,
    /// Login of who removed it.
    pub removed_by: Option<String>,
    /// By when the secrets it saw are to be others.
    #[ts(type = "string | null")]
    pub secrets_by: Option<Timestamp>,
    /// Keys that it held, and when each was replaced.
    pub keys: Vec<HeldKeyView>,
    /// Tenants that it could read.
    pub tenants: Vec<LeftTenantView>,
    /// Whether nothing is left to do: it left, every key was replaced, and no steward reports anything to be changed.
    pub complete: bool,
    /// Whether something had to be done by now that is not.
    pub overdue: bool,
    /// Statements of the membership chain when this was made.
    #[ts(type = "number")]
    pub chain_length: u64,
    /// Hash of the last of them, hexadecimal.
    pub chain_head: String,
    /// When this was made.
    #[ts(type = "string")]
    pub made_at: Timestamp,
}

/// A key of the vault that an account held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct HeldKeyView {
    /// Which.
    pub key: PendingKey,
    /// When one took its place that the account does not hold; `None` if that is still to be done.
    #[ts(type = "string | null")]
    pub replaced_at: Option<Timestamp>,
}

/// A tenant that an account could read, or can.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct LeftTenantView {
    /// The tenant.
    #[ts(type = "string")]
    pub tenant: TenantId,
    /// Its name, if the asking account may know it.
    pub tenant_name: Option<String>,
    /// What it could do there.
    #[ts(type = "\"reader\" | \"editor\" | \"steward\"")]
    pub right: Right,
    /// When its grant ended; `None` if it holds still.
    #[ts(type = "string | null")]
    pub ended_at: Option<Timestamp>,
    /// When the tenant got a key that the account does not hold.
    #[ts(type = "string | null")]
    pub rekeyed_at: Option<Timestamp>,
    /// What a steward last reported of the secrets it saw there.
    pub report: Option<ExposureReportView>,
}

/// What a steward reported of the secrets that an account saw in a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct ExposureReportView {
    /// Login of the steward.
    pub by: Option<String>,
    /// When.
    #[ts(type = "string")]
    pub at: Timestamp,
    /// Secrets it saw that were still the same.
    #[ts(type = "number")]
    pub open: u64,
    /// Secrets it saw that were others by then.
    #[ts(type = "number")]
    pub changed: u64,
    /// Further secrets that it could have read.
    #[ts(type = "number")]
    pub could_read: u64,
}

/// What stewards reported of an account, compared with the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct ExposureCheckView {
    /// The account.
    #[ts(type = "string")]
    pub account: AccountId,
    /// Its login name.
    pub login: String,
    /// What came of it.
    pub outcome: ExposureCheckOutcome,
    /// Tenants that it may not read any more.
    pub tenants: Vec<CheckedTenantView>,
    /// Whether the log was once restarted after its end was lost: numbers of lost entries were given again since.
    pub restarted: bool,
    /// How the log was found, which was verified for this.
    pub log: LogReport,
}

/// What came of comparing reports with the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ExposureCheckOutcome {
    /// The log is in order, every tenant has a report, and both have the same.
    Agrees,
    /// What there is agrees; a report is missing, or older than what the log has.
    Incomplete,
    /// A report leaves something out or has what the log lacks, or the log is not in order.
    Disagrees,
}

/// What a steward reported of a tenant, compared with the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct CheckedTenantView {
    /// The tenant.
    #[ts(type = "string")]
    pub tenant: TenantId,
    /// Its name, if the asking account may know it.
    pub tenant_name: Option<String>,
    /// When it was reported; `None` if it was not, or nobody can read it.
    #[ts(type = "string | null")]
    pub reported_at: Option<Timestamp>,
    /// Login of the steward.
    pub reported_by: Option<String>,
    /// Entries that the log had then.
    #[ts(type = "number")]
    pub entries: u64,
    /// Entries under which secrets were shown, copied, exported or handed over, and that report and log both have.
    #[ts(type = "number")]
    pub agreed: u64,
    /// Those of them whose record or version was deleted since, as the log says, too.
    #[ts(type = "number")]
    pub gone: u64,
    /// Such entries that are said to have come to nothing, because the program ended in between.
    #[ts(type = "number")]
    pub disowned: u64,
    /// Such entries that the report leaves out: rows were taken away from the tenant.
    #[ts(type = "number")]
    pub not_reported_count: u64,
    /// The first 500 of them.
    #[ts(type = "number[]")]
    pub not_reported: Vec<u64>,
    /// Entries that the report names and the log does not have, or not as what they are said to be.
    #[ts(type = "number")]
    pub not_logged_count: u64,
    /// The first 500 of them.
    #[ts(type = "number[]")]
    pub not_logged: Vec<u64>,
    /// Such entries that came after the report, or that no report is for.
    #[ts(type = "number")]
    pub since: u64,
}

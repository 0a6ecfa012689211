//! `coffer account offboard --within`, `offboarding`, `exposures` and `check-exposures`: who is to leave, how they left, what
//! they have seen.

use std::fmt::Write as _;
use std::time::Duration;

use coffer_core::view::{
    AccountExposureView, CheckedTenantView, ExposureCheckOutcome, ExposureCheckView, ExposureReportView, ExposureWay,
    ExposuresView, LeftTenantView, OffboardingView, PendingKey,
};
use coffer_core::{CHANGE_SECRETS_WITHIN_DAYS, Session};
use coffer_model::time::Timestamp;
use serde_json::json;

use super::account::{right_word, role_words};
use super::{find_account, find_all_accounts, find_any_account, find_tenant, fresh};
use crate::args::Global;
use crate::error::CliError;
use crate::job;
use crate::render::{Output, counted, table, visible};

/// States by when an account has to have left, `within` hours, and within how many days after that the secrets it saw are
/// to be changed.
pub(super) fn set(
    session: &Session,
    global: &Global,
    name: &str,
    within: Option<u32>,
    secrets_within: Option<u32>,
    output: &Output,
) -> Result<(), CliError> {
    let account = find_any_account(session, name)?;
    let access = within.map(|hours| Duration::from_hours(u64::from(hours)));
    let access_by = access.map(|access| later(session, access)).transpose()?;
    let secrets = days(secrets_within.unwrap_or(CHANGE_SECRETS_WITHIN_DAYS));
    let secrets_by = later(session, access.unwrap_or_default() + secrets)?;
    session.set_leaving(account.id, access_by, secrets_by, fresh(session, global)?)?;
    let answer = json!({ "login": account.login, "access_by": access_by, "secrets_by": secrets_by });
    Ok(output.answer(&answer, |_| {
        let access = access_by.map(|by| format!("the access of {} ends {by}\n", account.login)).unwrap_or_default();
        format!("{access}the secrets {} saw are to be changed by {secrets_by}", account.login)
    })?)
}

/// States that an account stays.
pub(super) fn keep(session: &Session, global: &Global, name: &str, output: &Output) -> Result<(), CliError> {
    let account = find_account(session, name)?;
    session.keep_account(account.id, fresh(session, global)?)?;
    Ok(output.answer(&json!({ "stays": account.login }), |_| format!("{} stays", account.login))?)
}

/// Shows how an account left.
pub(super) fn show(session: &Session, name: &str, output: &Output) -> Result<(), CliError> {
    let account = find_any_account(session, name)?;
    Ok(output.answer(&session.offboarding(account.id)?, offboarding_text)?)
}

/// Lists what people have seen, and reports on it.
pub(super) fn exposures(
    session: &Session,
    tenant: Option<&str>,
    also: Option<&str>,
    report: bool,
    output: &Output,
) -> Result<(), CliError> {
    let tenant = tenant.map(|named| find_tenant(session, named)).transpose()?.map(|tenant| tenant.id);
    let also = also.map(|named| find_account(session, named)).transpose()?.map(|account| account.id);
    let mut listed = job::run("looking at every secret", || session.start_exposures(tenant, also))?;
    if report {
        for exposures in &mut listed {
            let tenant = exposures.tenant;
            for account in &mut exposures.accounts {
                *account = job::run("reporting", || session.start_exposure_report(tenant, account.account))?;
            }
        }
    }
    Ok(output.answer(&listed, |listed| exposures_text(listed))?)
}

/// Holds what was reported of an account against the log: of everybody who ever had that login.
pub(super) fn check(session: &Session, name: &str, output: &Output) -> Result<(), CliError> {
    let mut views = Vec::new();
    for account in find_all_accounts(session, name)? {
        views.push(job::run("comparing with the log", || session.start_exposure_check(account.id))?);
    }
    output.answer(&views, |views| views.iter().map(check_text).collect::<Vec<_>>().join("\n\n"))?;
    let any = |outcome| views.iter().any(|view: &ExposureCheckView| view.outcome == outcome);
    if views.iter().any(|view| !view.log.ok) {
        Err(CliError::LogFindings)
    } else if any(ExposureCheckOutcome::Disagrees) {
        Err(CliError::ExposuresDisagree)
    } else if any(ExposureCheckOutcome::Incomplete) {
        Err(CliError::ExposuresUnreported)
    } else {
        Ok(())
    }
}

/// So many days.
pub(super) const fn days(days: u32) -> Duration {
    Duration::from_hours(24 * days as u64)
}

/// The time that is so much later than now.
pub(super) fn later(session: &Session, after: Duration) -> Result<Timestamp, CliError> {
    let millis = i64::try_from(after.as_millis()).unwrap_or(i64::MAX);
    let then = session.host().clock.now().unix_millis().saturating_add(millis);
    Timestamp::from_unix_millis(then).map_err(|_| CliError::Usage("that is too far away".to_owned()))
}

fn exposures_text(listed: &[ExposuresView]) -> String {
    let mut text = Vec::new();
    for exposures in listed {
        for account in &exposures.accounts {
            text.push(account_text(&exposures.tenant_name, account));
        }
    }
    if text.is_empty() { "nobody who may not any more has seen anything".to_owned() } else { text.join("\n\n") }
}

fn account_text(tenant: &str, account: &AccountExposureView) -> String {
    let ended = account.ended_at.map_or_else(|| "may read it still".to_owned(), |at| format!("until {at}"));
    let by = account.secrets_by.map_or_else(String::new, |by| {
        format!(", to be changed by {by}{}", if account.overdue { " (overdue)" } else { "" })
    });
    let mut text = format!(
        "{} in {}, {ended}: {} to change{by}; {} changed; {} more could have been read",
        account.login,
        visible(tenant),
        account.open,
        account.changed,
        account.could_read
    );
    if !account.secrets.is_empty() {
        let rows = account.secrets.iter().map(|secret| {
            let trashed = if secret.trashed { " (in the trash)" } else { "" };
            vec![
                format!("{}{trashed}", visible(&secret.record.title)),
                visible(&secret.field_name),
                way_word(secret.how).to_owned(),
                secret.at.to_string(),
                secret.record.id.to_string(),
            ]
        });
        text.push('\n');
        text.push_str(&table(&["RECORD", "SECRET", "KNOWN", "SINCE", "ID"], rows));
    }
    if account.more {
        text.push_str("\nand more");
    }
    text
}

const fn way_word(way: ExposureWay) -> &'static str {
    match way {
        ExposureWay::Revealed => "shown",
        ExposureWay::Copied => "copied",
        ExposureWay::HandedOver => "handed over",
        ExposureWay::Exported => "exported",
        ExposureWay::Entered => "entered",
        ExposureWay::CouldRead => "could be read",
    }
}

fn offboarding_text(view: &OffboardingView) -> String {
    let or_open = |at: Option<Timestamp>, open: &str| at.map_or_else(|| open.to_owned(), |at| at.to_string());
    let by = |login: &Option<String>| login.as_ref().map_or_else(String::new, |login| format!(" by {login}"));
    let state = match (view.complete, view.overdue) {
        (true, _) => "complete",
        (false, true) => "OVERDUE",
        (false, false) => "under way",
    };
    let mut text = format!("{} ({}): {state}\n", view.login, role_words(&view.roles));
    let mut line = |name: &str, words: String| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{name:<22}{words}");
    };
    if let Some(stated_at) = view.stated_at {
        line("stated", format!("{stated_at}{}", by(&view.stated_by)));
    }
    if let Some(access_by) = view.access_by {
        line("access ends by", access_by.to_string());
    }
    line("removed", format!("{}{}", or_open(view.left_at, "not yet"), by(&view.removed_by)));
    if let Some(secrets_by) = view.secrets_by {
        line("secrets changed by", secrets_by.to_string());
    }
    for key in &view.keys {
        let name = match key.key {
            PendingKey::Directory => "key of the directory",
            PendingKey::Audit => "key of the log",
            PendingKey::Office => "key of the office",
            PendingKey::Tenant | PendingKey::TenantRecovery => "key of a tenant",
        };
        line(name, format!("replaced {}", or_open(key.replaced_at, "not yet")));
    }
    line("chain", format!("{} statements, the last {}", view.chain_length, view.chain_head));
    line("as of", view.made_at.to_string());
    let rows = view.tenants.iter().map(tenant_row);
    if !view.tenants.is_empty() {
        text.push_str(&table(&["TENANT", "RIGHT", "UNTIL", "NEW KEY", "SECRETS IT SAW"], rows));
    }
    text
}

fn check_text(view: &ExposureCheckView) -> String {
    let log = if view.log.ok { "in order" } else { "NOT in order: see log verify" };
    let entries = counted(view.log.entries, "entry", "entries");
    let mut text = format!("{} ({}); log: {entries}, {log}", view.login, view.account);
    if view.tenants.is_empty() {
        text.push_str("\n  has lost no grant: nothing is reported");
    }
    for tenant in &view.tenants {
        let name = tenant.tenant_name.as_deref().map_or_else(|| tenant.tenant.to_string(), visible);
        let _ = write!(text, "\n  {name}: {}", checked_words(tenant));
    }
    if view.restarted {
        text.push_str("\n  the log was once restarted after its end was lost: entries from then are in no log");
    }
    text
}

fn checked_words(tenant: &CheckedTenantView) -> String {
    let Some(at) = tenant.reported_at else { return "not reported yet".to_owned() };
    let by = tenant.reported_by.as_ref().map_or_else(String::new, |login| format!(" by {login}"));
    let mut words = format!("report of {at}{by}; entries in both: {}", tenant.agreed);
    if tenant.gone > 0 {
        let _ = write!(words, ", of them of secrets deleted since: {}", tenant.gone);
    }
    let mut line = |what: &str, count: u64, entries: &[u64]| {
        if count > 0 {
            let listed: Vec<String> = entries.iter().map(u64::to_string).collect();
            let more = if count > entries.len() as u64 { " …" } else { "" };
            let _ = write!(words, "\n    {what}: {}{more}", listed.join(" "));
        }
    };
    line("LEFT OUT of the report, and in the log", tenant.not_reported_count, &tenant.not_reported);
    line("NOT IN THE LOG as the report has it", tenant.not_logged_count, &tenant.not_logged);
    if tenant.disowned > 0 {
        let _ = write!(words, "\n    said to have come to nothing: {}", tenant.disowned);
    }
    if tenant.since > 0 {
        let _ = write!(words, "\n    in the log since: {}; let a steward report anew", tenant.since);
    }
    words
}

fn tenant_row(tenant: &LeftTenantView) -> Vec<String> {
    let name = tenant.tenant_name.as_deref().map_or_else(|| tenant.tenant.to_string(), visible);
    let or = |at: Option<Timestamp>, open: &str| at.map_or_else(|| open.to_owned(), |at| at.to_string());
    vec![
        name,
        right_word(tenant.right).to_owned(),
        or(tenant.ended_at, "now"),
        or(tenant.rekeyed_at, "not yet"),
        tenant.report.as_ref().map_or_else(|| "not reported".to_owned(), report_words),
    ]
}

fn report_words(report: &ExposureReportView) -> String {
    let by = report.by.as_ref().map_or_else(String::new, |login| format!(" by {login}"));
    format!(
        "{} to change, {} changed, {} more could be read; {}{by}",
        report.open, report.changed, report.could_read, report.at
    )
}

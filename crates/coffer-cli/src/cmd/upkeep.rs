//! `coffer record expiring` and `coffer record health`: what wants doing about records.

use std::fmt::Write;

use coffer_core::Session;
use coffer_core::view::{ExpiringRecords, SecretFindingView, SecretHealthView, SecretProblem};

use super::find_tenant;
use crate::error::CliError;
use crate::job;
use crate::render::{Output, counted, table};

pub fn expiring(session: &Session, days: u32, output: &Output) -> Result<(), CliError> {
    let expiring = session.expiring(days)?;
    Ok(output.answer(&expiring, expiring_text)?)
}

pub fn health(session: &Session, tenant: &str, output: &Output) -> Result<(), CliError> {
    let tenant = find_tenant(session, tenant)?;
    let health = job::run("assessing", || session.start_secret_health(tenant.id))?;
    Ok(output.answer(&health, health_text)?)
}

fn expiring_text(expiring: &ExpiringRecords) -> String {
    if expiring.records.is_empty() {
        return "nothing ends in that time".to_owned();
    }
    let rows = expiring.records.iter().map(|row| {
        let when = match row.days_left {
            0 => "today".to_owned(),
            left if left < 0 => format!("{} ago", counted(left.unsigned_abs(), "day", "days")),
            left => format!("in {}", counted(left.unsigned_abs(), "day", "days")),
        };
        vec![
            row.day.to_string(),
            when,
            row.tenant_name.clone(),
            row.record.title.clone(),
            row.field_name.clone(),
            row.record.id.to_string(),
        ]
    });
    let mut text = table(&["DAY", "WHEN", "TENANT", "TITLE", "FIELD", "ID"], rows);
    if expiring.more {
        text.push_str("\nthere are more; ask for fewer --days\n");
    }
    text
}

fn health_text(health: &SecretHealthView) -> String {
    let SecretHealthView { assessed, weak, reused, old, expired, .. } = health;
    let mut text = format!(
        "{}: {weak} weak, {reused} used more than once, {old} unchanged for a year\n",
        counted(*assessed, "secret", "secrets")
    );
    let _ = match expired {
        1 => writeln!(text, "1 day has passed on which something ended"),
        _ => writeln!(text, "{expired} days have passed on which something ended"),
    };
    if !health.findings.is_empty() {
        let rows = health.findings.iter().map(|finding| {
            vec![
                problem_text(finding),
                finding.record.title.clone(),
                finding.field_name.clone(),
                finding.record.id.to_string(),
            ]
        });
        text.push('\n');
        text.push_str(&table(&["PROBLEM", "TITLE", "FIELD", "ID"], rows));
    }
    if health.more {
        text.push_str("\nthere are more; mend these and ask again\n");
    }
    text
}

fn problem_text(finding: &SecretFindingView) -> String {
    match finding.problem {
        SecretProblem::Weak => "weak".to_owned(),
        SecretProblem::Reused => finding.group.map_or_else(String::new, |group| format!("reused ({group})")),
        SecretProblem::Old => finding.since.map_or_else(String::new, |since| format!("since {since}")),
        SecretProblem::Expired => finding.day.map_or_else(String::new, |day| format!("expired {day}")),
    }
}

//! `coffer key`: keys that have to change, and changing them.

use std::path::Path;

use coffer_core::policy::Action;
use coffer_core::view::{
    CryptoperiodView, GlassView, KeyAccessView, KeyHolder, KeyRegisterView, KeyState, PendingKey, PendingKeyView,
    RecoveryView,
};
use coffer_core::{CallError, GlassError, KitPlace, Session, Split};
use coffer_model::day::Day;
use coffer_model::id::TenantId;
use coffer_model::key::KeyKind;
use coffer_model::policy::Guarded;
use coffer_model::time::Timestamp;
use serde_json::json;

use super::account::right_word;
use super::kit;
use super::vault::{keep_words, kept_words};
use super::{find_account, find_tenant, fresh, fresh_for, second_person, with_code};
use crate::args::{Global, KeyCommand, WhichKey};
use crate::error::CliError;
use crate::job;
use crate::render::{Output, table, visible};

pub fn run(session: &Session, global: &Global, command: &KeyCommand, output: &Output) -> Result<(), CliError> {
    match command {
        KeyCommand::Pending => {}
        KeyCommand::Recovery => return Ok(output.answer(&session.recovery()?, recovery_text)?),
        KeyCommand::RenewRecovery { kit, shares } => return renew(session, global, kit, *shares, output),
        KeyCommand::AcceptRecovery { words } => {
            session.accept_recovery(words)?;
            job::run("replacing keys", || Ok::<_, CliError>(session.start_rekeying()))?;
        }
        KeyCommand::Recover { by } => {
            let kit = kit::read(by.kit.as_deref(), &by.share, |shares| session.join_shares(shares))?;
            let proof = fresh_for(session, global, Guarded::Recover)?;
            let tenants = job::run("recovering tenants", || session.start_recover_tenants(kit, proof))?;
            return Ok(output.answer(&serde_json::json!({ "recovered": tenants }), |_| {
                format!("this account is now steward of {tenants} tenants that had none")
            })?);
        }
        KeyCommand::Rotate { pending: true, .. } => {
            job::run("replacing keys", || Ok::<_, CliError>(session.start_rekeying()))?;
        }
        KeyCommand::Rotate { which, emergency, .. } => rotate(session, which, *emergency)?,
        KeyCommand::Custodians { tenant, names, .. } => {
            let tenant = find_tenant(session, tenant)?;
            let custodians = names.iter().map(|name| Ok(find_account(session, name)?.id));
            let custodians = custodians.collect::<Result<Vec<_>, CliError>>()?;
            session.prepare_glass(tenant.id, &custodians, fresh(session, global)?)?;
            return Ok(output.answer(&session.glass()?, |glass| glass_text(glass))?);
        }
        KeyCommand::Glass => return Ok(output.answer(&session.glass()?, |glass| glass_text(glass))?),
        KeyCommand::BreakGlass { tenant, reason, hours } => {
            return break_glass(session, global, tenant, (reason, *hours), output);
        }
        KeyCommand::List => return Ok(output.answer(&session.key_register()?, register_text)?),
        KeyCommand::Access => return Ok(output.answer(&session.key_access()?, access_text)?),
        KeyCommand::Periods { set } => {
            let mut periods = session.cryptoperiods()?;
            for (kind, days) in set {
                periods = periods.with(*kind, *days).expect("the bounds were looked at when it was read");
            }
            if !set.is_empty() {
                session.set_cryptoperiods(&periods)?;
            }
            return Ok(output.answer(&session.key_register()?.periods, |periods| periods_text(periods))?);
        }
        KeyCommand::Compromised { which, .. } => {
            let tenant = which.tenant.as_deref().map(|named| find_tenant(session, named)).transpose()?;
            session.mark_compromised(which.kind(), tenant.map(|tenant| tenant.id))?;
        }
    }
    Ok(output.answer(&session.people()?.pending, |pending| pending_text(pending))?)
}

fn break_glass(
    session: &Session,
    global: &Global,
    tenant: &str,
    (reason, hours): (&str, u32),
    output: &Output,
) -> Result<(), CliError> {
    let known = session.glass()?.into_iter().find(|glass| {
        glass.tenant.to_string() == tenant
            || glass.tenant_name.as_ref().is_some_and(|name| name.to_lowercase() == tenant.to_lowercase())
    });
    let tenant = known.map(|glass| glass.tenant).ok_or(CallError::NotFound)?;
    let (login, shown) = second_person(global)?;
    let proof = fresh(session, global)?;
    let broken = with_code(shown, |shown| match session.break_glass(tenant, reason, hours, (login, shown), &proof) {
        Err(GlassError::Second(error)) => Err(error),
        done => Ok(done),
    })?;
    broken?;
    Ok(output.answer(&session.glass()?, |glass| glass_text(glass))?)
}

fn glass_text(glass: &[GlassView]) -> String {
    if glass.is_empty() {
        return "no tenant has custodians".to_owned();
    }
    let name = |glass: &GlassView| glass.tenant_name.as_deref().map_or_else(|| glass.tenant.to_string(), visible);
    let tenants = glass.iter().map(|glass| vec![name(glass), glass.custodians.join(", "), glass.tenant.to_string()]);
    let mut text = table(&["TENANT", "CUSTODIANS", "ID"], tenants);
    let broken = glass.iter().flat_map(|glass| {
        glass.broken.iter().map(|broken| {
            vec![
                name(glass),
                broken.at.to_string(),
                format!("{}, with {}", broken.opener, broken.second),
                broken.until.to_string(),
                broken.rekeyed_at.map_or_else(|| "not yet".to_owned(), |at| at.to_string()),
                visible(&broken.reason),
            ]
        })
    });
    let broken: Vec<_> = broken.collect();
    if !broken.is_empty() {
        text.push('\n');
        text.push_str(&table(&["OPENED", "WHEN", "BY", "UNTIL", "NEW KEY", "WHY"], broken));
    }
    text
}

/// Replaces one key; before that states that it may be in wrong hands, if this is an emergency.
fn rotate(session: &Session, which: &WhichKey, emergency: bool) -> Result<(), CliError> {
    let tenant = which.tenant.as_deref().map(|named| find_tenant(session, named)).transpose()?.map(|tenant| tenant.id);
    if emergency {
        session.mark_compromised(which.kind(), tenant)?;
    }
    match (which.kind(), tenant) {
        (KeyKind::Tenant, Some(tenant)) => {
            job::run("replacing the tenant's key", || session.start_rekey_tenant(tenant))?;
        }
        (KeyKind::Directory, _) => session.rekey_directory()?,
        (KeyKind::Audit, _) => session.replace_audit_key()?,
        (KeyKind::Office, _) => session.replace_office_key()?,
        (KeyKind::Device, _) => session.replace_device_key()?,
        (KeyKind::Tenant | KeyKind::Recovery | KeyKind::Account, _) => {
            return Err(CliError::Usage("recovery is replaced by `key renew-recovery`".to_owned()));
        }
    }
    Ok(())
}

fn register_text(register: &KeyRegisterView) -> String {
    let rows = register.keys.iter().map(|key| {
        let due = match (key.next_rotation, key.overdue) {
            (Some(due), true) => format!("{} OVERDUE", day(due)),
            (Some(due), false) => day(due),
            (None, _) => String::new(),
        };
        vec![
            key_name(key.kind, key.tenant_name.as_deref(), key.tenant, key.login.as_deref()),
            key.number.to_string(),
            state_word(key.state).to_owned(),
            day(key.since),
            key.until.map(day).unwrap_or_default(),
            due,
            key.algorithm.to_owned(),
        ]
    });
    let keys = table(&["KEY", "NO.", "STATE", "SINCE", "UNTIL", "NEXT BY", "ALGORITHM"], rows);
    let parts = register.suites.iter().flat_map(|suite| {
        suite.parts.iter().map(|part| {
            let until = match (part.until_year, part.until_source) {
                (Some(year), Some(source)) => format!("{year} ({source})"),
                _ => "no date known".to_owned(),
            };
            vec![
                suite.number.to_string(),
                part.purpose.to_owned(),
                part.algorithm.to_owned(),
                part.standard.to_owned(),
                until,
            ]
        })
    });
    let suites = table(&["SUITE", "FOR", "ALGORITHM", "STANDARD", "USE UNTIL"], parts);
    format!("{keys}\n{}\n{suites}", periods_text(&register.periods))
}

fn periods_text(periods: &[CryptoperiodView]) -> String {
    let rows = periods.iter().map(|period| vec![period.kind.name().to_owned(), period.days.to_string()]);
    table(&["KEYS OF", "DAYS"], rows)
}

fn access_text(access: &KeyAccessView) -> String {
    let rows = access.keys.iter().map(|key| {
        let holders: Vec<_> = key.holders.iter().map(holder_words).collect();
        vec![
            key_name(key.kind, key.tenant_name.as_deref(), key.tenant, None),
            key.number.to_string(),
            holders.join(", "),
        ]
    });
    let keys = table(&["KEY", "NO.", "HELD BY"], rows);
    format!("{keys}\nas of {}, {} statements, the last {}", access.made_at, access.chain_length, access.chain_head)
}

fn holder_words(holder: &KeyHolder) -> String {
    match holder {
        KeyHolder { recovery: Some(number), .. } => format!("recovery {number}"),
        KeyHolder { login, former: true, .. } => format!("{} (may not any more)", login.as_deref().unwrap_or("?")),
        KeyHolder { login, right: Some(right), expires_at, .. } => {
            let until = expires_at.map_or_else(String::new, |at| format!(" until {}", day(at)));
            format!("{} ({}{until})", login.as_deref().unwrap_or("?"), right_word(*right))
        }
        KeyHolder { login, .. } => login.clone().unwrap_or_default(),
    }
}

fn key_name(kind: KeyKind, tenant_name: Option<&str>, tenant: Option<TenantId>, login: Option<&str>) -> String {
    match (kind, tenant_name, tenant, login) {
        (_, Some(name), ..) => format!("tenant {}", visible(name)),
        (_, None, Some(id), _) => format!("tenant {id}"),
        (_, _, _, Some(login)) => format!("account {login}"),
        (KeyKind::Audit, ..) => "log".to_owned(),
        (kind, ..) => kind.name().to_owned(),
    }
}

const fn state_word(state: KeyState) -> &'static str {
    match state {
        KeyState::Active => "active",
        KeyState::Deactivated => "deactivated",
        KeyState::Compromised => "COMPROMISED",
        KeyState::Destroyed => "destroyed",
    }
}

fn day(at: Timestamp) -> String {
    Day::of(at).to_string()
}

/// Makes another kit, keeps it, and only then puts it in the place of the one before.
fn renew(
    session: &Session,
    global: &Global,
    path: &Path,
    split: Option<Split>,
    output: &Output,
) -> Result<(), CliError> {
    session.require(Action::RenewRecovery)?;
    let proof = fresh_for(session, global, Guarded::Recover)?;
    let (renewed, _) = job::uncut(|| -> Result<_, CliError> {
        let mut place = KitPlace::make(path, split)?;
        let kit = session.prepare_recovery(split)?;
        place.keep(&kit)?;
        let renewed = session.renew_recovery(&kit, proof);
        if renewed.as_ref().err().is_none_or(|error| !error.is_refusal()) {
            place.stay();
        }
        Ok(renewed?)
    });
    renewed?;
    // Stopped from here on, `key rotate --pending` goes on.
    let pending = job::run("replacing keys", || Ok::<_, CliError>(session.start_rekeying()))?;
    let recovery = session.recovery()?;
    output.answer(&json!({ "recovery": recovery, "pending": pending }), |_| {
        format!("{}\n{}\n{}", kept_words(path, split), recovery_text(&recovery), pending_text(&pending))
    })?;
    output.note(keep_words(split));
    output.note("the kit before opens backups from before, and nothing that is made from now on");
    Ok(())
}

fn recovery_text(recovery: &RecoveryView) -> String {
    let split = recovery
        .split
        .map_or_else(|| "one kit".to_owned(), |split| format!("{} of {} shares", split.needed, split.shares));
    let by = recovery.stated_by.as_deref().map_or_else(String::new, |login| format!(" by {login}"));
    let trusted = if recovery.trusted {
        "yes"
    } else {
        "no: compare the words with those on the kit, then `key accept-recovery`"
    };
    format!(
        "recovery     {}, {split}\nmade         {}{by}\nfingerprint  {}\ntrusted      {trusted}",
        recovery.number, recovery.since, recovery.fingerprint
    )
}

/// Keys that have to change still, in words.
pub(super) fn pending_text(pending: &[PendingKeyView]) -> String {
    if pending.is_empty() {
        return "no key is held by anybody who may not".to_owned();
    }
    let rows = pending.iter().map(|key| {
        let name = match key.key {
            PendingKey::Tenant => format!("tenant {}", name_of(key)),
            PendingKey::TenantRecovery => format!("tenant {}, of the recovery before", name_of(key)),
            PendingKey::Directory => "directory".to_owned(),
            PendingKey::Audit => "log".to_owned(),
            PendingKey::Office => "office".to_owned(),
        };
        let who = match (key.can_replace, key.needs_recovery, key.key) {
            (true, ..) => "this account: `key rotate --pending`",
            (_, true, PendingKey::TenantRecovery) => "whoever has the recovery kit before",
            (_, true, _) => "whoever has the recovery kit",
            (.., PendingKey::Tenant) => "a steward of the tenant",
            (.., PendingKey::TenantRecovery) => "a steward of the tenant who trusts the new recovery",
            (.., PendingKey::Audit) => "an auditor",
            _ => "an administrator",
        };
        vec![name, key.since.to_string(), who.to_owned()]
    });
    table(&["PENDING", "SINCE", "WHO CAN REPLACE IT"], rows)
}

fn name_of(key: &PendingKeyView) -> String {
    key.tenant_name.clone().or(key.tenant.map(|id| id.to_string())).unwrap_or_default()
}

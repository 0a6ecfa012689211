//! `coffer key`: keys that have to change, and changing them.

use std::path::Path;

use coffer_core::policy::Action;
use coffer_core::view::{PendingKey, PendingKeyView, RecoveryView};
use coffer_core::{Session, Split};
use coffer_model::policy::Guarded;
use serde_json::json;

use super::kit::{self, KitPlace};
use super::vault::{keep_words, kept_words};
use super::{find_tenant, fresh_for};
use crate::args::{Global, KeyCommand};
use crate::error::CliError;
use crate::job;
use crate::render::{Output, table};

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
        KeyCommand::Rotate { tenant: Some(tenant), .. } => {
            let tenant = find_tenant(session, tenant)?;
            job::run("replacing the tenant's key", || session.start_rekey_tenant(tenant.id))?;
        }
        KeyCommand::Rotate { directory: true, .. } => session.rekey_directory()?,
        KeyCommand::Rotate { log: true, .. } => session.replace_audit_key()?,
        KeyCommand::Rotate { .. } => session.replace_office_key()?,
    }
    Ok(output.answer(&session.people()?.pending, |pending| pending_text(pending))?)
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

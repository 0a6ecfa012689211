//! `coffer key`: keys that have to change, and changing them.

use coffer_core::Session;
use coffer_core::view::{PendingKey, PendingKeyView};
use coffer_model::policy::Guarded;

use super::backup::read_kit;
use super::{find_tenant, fresh_for};
use crate::args::{Global, KeyCommand};
use crate::error::CliError;
use crate::job;
use crate::render::{Output, table};

pub fn run(session: &Session, global: &Global, command: &KeyCommand, output: &Output) -> Result<(), CliError> {
    match command {
        KeyCommand::Pending => {}
        KeyCommand::Recover { kit } => {
            let (kit, proof) = (read_kit(kit)?, fresh_for(session, global, Guarded::Recover)?);
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

/// Keys that have to change still, in words.
pub(super) fn pending_text(pending: &[PendingKeyView]) -> String {
    if pending.is_empty() {
        return "no key is held by anybody who may not".to_owned();
    }
    let rows = pending.iter().map(|key| {
        let name = match key.key {
            PendingKey::Tenant => {
                format!(
                    "tenant {}",
                    key.tenant_name.clone().or(key.tenant.map(|id| id.to_string())).unwrap_or_default()
                )
            }
            PendingKey::Directory => "directory".to_owned(),
            PendingKey::Audit => "log".to_owned(),
            PendingKey::Office => "office".to_owned(),
        };
        let who = match (key.can_replace, key.needs_recovery, key.key) {
            (true, ..) => "this account: `key rotate --pending`",
            (_, true, _) => "whoever has the recovery kit",
            (.., PendingKey::Tenant) => "a steward of the tenant",
            (.., PendingKey::Audit) => "an auditor",
            _ => "an administrator",
        };
        vec![name, key.since.to_string(), who.to_owned()]
    });
    table(&["PENDING", "SINCE", "WHO CAN REPLACE IT"], rows)
}

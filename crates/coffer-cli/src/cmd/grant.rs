//! `coffer grant`: who may do what with a tenant.

use coffer_core::Session;
use coffer_core::view::{GrantView, PendingKey};

use super::account::right_word;
use super::{find_account, find_tenant};
use crate::args::GrantCommand;
use crate::error::CliError;
use crate::job;
use crate::render::{Output, table};

pub fn run(session: &Session, command: &GrantCommand, output: &Output) -> Result<(), CliError> {
    match command {
        GrantCommand::Add { name, tenant, right, until } => {
            let (account, tenant) = (find_account(session, name)?, find_tenant(session, tenant)?);
            let too_far = || CliError::Usage("that day is too far away".to_owned());
            let expires_at = until.map(|day| day.end().ok_or_else(too_far)).transpose()?;
            session.grant(tenant.id, account.id, *right, expires_at)?;
            let granted = grants(session, Some(tenant.id))?;
            let granted = granted.into_iter().find(|grant| grant.account == account.id).ok_or(CliError::Bug)?;
            Ok(output.answer(&granted, |grant| {
                let until = grant.expires_at.map(|at| format!(" until {at}")).unwrap_or_default();
                format!("{} is {} of {}{until}", grant.login, right_word(grant.right), tenant_words(grant))
            })?)
        }
        GrantCommand::List { tenant } => {
            let tenant = tenant.as_ref().map(|named| find_tenant(session, named)).transpose()?;
            Ok(output.answer(&grants(session, tenant.map(|tenant| tenant.id))?, |grants| {
                let rows = grants.iter().map(|grant| {
                    let until = grant.expires_at.map(|at| at.to_string()).unwrap_or_default();
                    let until = if grant.expired { format!("ended {until}") } else { until };
                    vec![tenant_words(grant), grant.login.clone(), right_word(grant.right).to_owned(), until]
                });
                table(&["TENANT", "LOGIN", "RIGHT", "UNTIL"], rows)
            })?)
        }
        GrantCommand::Withdraw { name, tenant } => {
            let account = find_account(session, name)?;
            let tenant = account
                .grants
                .iter()
                .find(|grant| {
                    let name = grant.tenant_name.as_deref().unwrap_or_default();
                    grant.tenant.to_string() == *tenant || name.to_lowercase() == tenant.trim().to_lowercase()
                })
                .ok_or_else(|| CliError::NoSuchTenant(tenant.clone()))?;
            session.withdraw_grant(tenant.tenant, account.id)?;
            let can_replace = session.people()?.pending.iter().any(|pending| {
                pending.key == PendingKey::Tenant && pending.tenant == Some(tenant.tenant) && pending.can_replace
            });
            if can_replace {
                job::run("replacing the tenant's key", || session.start_rekey_tenant(tenant.tenant))?;
            }
            let answer = serde_json::json!({ "withdrawn": tenant, "rekeyed": can_replace });
            Ok(output.answer(&answer, |_| {
                let name = tenant_words(tenant);
                if can_replace {
                    format!("{} reads {name} no longer; the tenant has a new key", account.login)
                } else {
                    format!("{} reads {name} no longer; a steward has to give the tenant a new key", account.login)
                }
            })?)
        }
    }
}

fn grants(session: &Session, tenant: Option<coffer_model::id::TenantId>) -> Result<Vec<GrantView>, CliError> {
    let accounts = session.people()?.accounts.into_iter();
    let mut grants: Vec<GrantView> = accounts.flat_map(|account| account.grants).collect();
    grants.retain(|grant| tenant.is_none_or(|tenant| grant.tenant == tenant));
    grants.sort_by_cached_key(|grant| (tenant_words(grant).to_lowercase(), grant.login.clone()));
    Ok(grants)
}

fn tenant_words(grant: &GrantView) -> String {
    grant.tenant_name.clone().unwrap_or_else(|| grant.tenant.to_string())
}

//! How an account left: which keys it held, when each was replaced, and how far what it saw is changed. The evidence comes
//! from the membership chain, and from what stewards report to administrators and auditors.

use coffer_crypto::seal;
use coffer_model::account::Role;
use coffer_model::event::Event;
use coffer_model::grant::Right;
use coffer_model::id::{AccountId, TenantId};
use coffer_model::time::Timestamp;

use super::super::exposures::{ExposureReport, report_context};
use super::AccountError;
use super::leave::LeaveError;
use crate::chain::{self, Account, KeysThen, Membership, ReportedExposure};
use crate::encoding;
use crate::fault::Damage;
use crate::fault::Fault;
use crate::policy::Action;
use crate::session::{Core, Office, Session};
use crate::store::error::StoreError;
use crate::view::{ExposureReportView, HeldKeyView, LeftTenantView, OffboardingView, PendingKey};

impl Session {
    /// How an account left or is to leave: what of it is done, when that was, and what is still to be done.
    pub fn offboarding(&self, account: AccountId) -> Result<OffboardingView, LeaveError> {
        let actor = self.authorize(Action::SeeOffboarding, None)?;
        let core = &*self.core;
        let tenants = {
            let office = core.office();
            let membership = &office.membership;
            if !membership.accounts.contains_key(&account) && !membership.former.contains_key(&account) {
                return Err(AccountError::NoSuchAccount.into());
            }
            held_tenants(membership, account)
        };
        self.record(&actor, Event::OffboardingRead(account))?;
        // One after the other: each name takes the office.
        let names: Vec<Option<String>> = tenants.iter().map(|held| core.known_tenant_name(held.tenant)).collect();
        let (office, now) = (core.office(), core.now());
        let membership = &office.membership;
        let mut views = Vec::new();
        for (held, tenant_name) in tenants.into_iter().zip(names) {
            views.push(LeftTenantView {
                tenant: held.tenant,
                tenant_name,
                right: held.right,
                ended_at: held.ended_at,
                rekeyed_at: held.rekeyed_at,
                report: core.reported(&office, held.tenant, account)?,
            });
        }
        let former = membership.former.get(&account);
        let known = former.map(|former| &former.account).or_else(|| membership.accounts.get(&account));
        let known = known.ok_or(AccountError::NoSuchAccount)?;
        let leaving = membership.leaving.get(&account);
        let keys = held_keys(membership, known, former.map(|former| former.keys_then));
        let (access_by, secrets_by) = (membership.access_ends(account), leaving.map(|leaving| leaving.secrets_by));
        let is_settled = |tenant: &LeftTenantView| {
            tenant.rekeyed_at.is_some() && tenant.report.as_ref().is_some_and(|report| report.open == 0)
        };
        let complete =
            former.is_some() && keys.iter().all(|key| key.replaced_at.is_some()) && views.iter().all(is_settled);
        let late = |by: Option<Timestamp>| by.is_some_and(|by| now > by);
        let login_of = |account| membership.login_of(account).map(ToString::to_string);
        Ok(OffboardingView {
            account,
            login: known.login.to_string(),
            roles: known.roles.iter().collect(),
            stated_at: leaving.map(|leaving| leaving.stated_at),
            stated_by: leaving.and_then(|leaving| login_of(leaving.stated_by)),
            access_by,
            left_at: former.map(|former| former.left_at),
            removed_by: former.and_then(|former| login_of(former.removed_by)),
            secrets_by,
            keys,
            tenants: views,
            complete,
            overdue: former.is_none() && late(access_by) || !complete && late(secrets_by),
            chain_length: membership.pin().length,
            chain_head: hex::encode(membership.pin().head),
            made_at: now,
        })
    }
}

impl Core {
    /// What a steward last reported, as the evidence shows it.
    fn reported(
        &self,
        office: &Office,
        tenant: TenantId,
        account: AccountId,
    ) -> Result<Option<ExposureReportView>, Fault> {
        let report = self.exposure_report(office, tenant, account)?;
        Ok(report.map(|(stated, report)| ExposureReportView {
            by: office.membership.login_of(stated.by).map(ToString::to_string),
            at: stated.at,
            open: report.open,
            changed: report.changed,
            could_read: report.could_read,
        }))
    }

    /// What a steward last reported of an account, as far as the keys that this account holds open it.
    pub(in crate::usecase) fn exposure_report(
        &self,
        office: &Office,
        tenant: TenantId,
        account: AccountId,
    ) -> Result<Option<(ReportedExposure, ExposureReport)>, Fault> {
        let Some(&stated) = office.membership.reported.get(&(tenant, account)) else { return Ok(None) };
        let damaged = || Fault::Damaged(Damage::Directory);
        let row = office.directory.exposure_report(tenant, account);
        let sealed = row.map_err(|error: StoreError| error.into_fault(Damage::Directory))?.ok_or_else(damaged)?;
        if chain::digest(&sealed) != stated.sealed {
            return Err(damaged());
        }
        let context = report_context(self.vault.id, tenant, account);
        // Sealed to whichever pair was in use then.
        let mut pairs = office.shared.office.iter().rev();
        let Some(opened) = pairs.find_map(|key| seal::open_sealed(&key.pair, &sealed, &context).ok()) else {
            return Ok(None);
        };
        // An altered program can seal what is no report. It settles nothing, and takes the evidence from nobody.
        Ok(encoding::decode::<ExposureReport>(opened.expose()).ok().map(|report| (stated, report)))
    }
}

/// A tenant that an account could read, or can.
struct HeldTenant {
    tenant: TenantId,
    right: Right,
    ended_at: Option<Timestamp>,
    rekeyed_at: Option<Timestamp>,
}

fn held_tenants(membership: &Membership, account: AccountId) -> Vec<HeldTenant> {
    let ended = membership.ended.iter().filter(|((_, of), _)| *of == account).map(|(&(tenant, _), ended)| {
        // The epochs count from 1, their times from 0.
        let next = usize::try_from(ended.epoch).unwrap_or(usize::MAX);
        let opened = membership.tenants.get(&tenant).and_then(|tenant| tenant.opened.get(next).copied());
        HeldTenant { tenant, right: ended.right, ended_at: Some(ended.ended_at), rekeyed_at: opened }
    });
    let granted = membership.grants.iter().filter(|((_, of), _)| *of == account).filter_map(|(&(tenant, _), grant)| {
        let right = Right::from_code(grant.right)?;
        Some(HeldTenant { tenant, right, ended_at: None, rekeyed_at: None })
    });
    ended.chain(granted).collect()
}

/// Keys of the vault that an account holds, or held when it left.
fn held_keys(membership: &Membership, account: &Account, then: Option<KeysThen>) -> Vec<HeldKeyView> {
    let replaced = |since: &[Timestamp], then: Option<usize>| then.and_then(|then| since.get(then).copied());
    let key = |key, since: &[Timestamp], then| HeldKeyView { key, replaced_at: replaced(since, then) };
    let mut keys = vec![key(PendingKey::Directory, &membership.directories_since, then.map(|then| then.directory))];
    if account.roles.contains(Role::Auditor) {
        keys.push(key(PendingKey::Audit, &membership.audits_since, then.map(|then| then.audit)));
    }
    if account.roles.is_officer() {
        keys.push(key(PendingKey::Office, &membership.offices_since, then.map(|then| then.office)));
    }
    keys
}

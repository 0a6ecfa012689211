//! Who there is, and what they may do.

use std::collections::BTreeMap;

use coffer_crypto::generate::words_of;
use coffer_model::account::Roles;
use coffer_model::grant::Right;
use coffer_model::id::{AccountId, TenantId};
use coffer_model::time::Timestamp;

use crate::chain::{self, Membership, Moving, MovingEnd};
use crate::fault::CallError;
use crate::policy::Action;
use crate::session::{Core, Office, Session};
use crate::store::directory::{Holder, SharedPair};
use crate::view::{
    AccountState, AccountView, GrantView, PendingKey, PendingKeyView, PeopleView, VaultMoveState, VaultMoveView,
};

impl Session {
    /// Accounts, invitations and who left, with what they may do; and the keys that want replacing. Everybody may know who
    /// there is; grants only who may know of the tenant.
    pub fn people(&self) -> Result<PeopleView, CallError> {
        self.authorize(Action::ListPeople, None)?;
        Ok(self.core.people())
    }
}

impl Core {
    pub(in crate::usecase) fn people(&self) -> PeopleView {
        let now = self.now();
        // One after the other: each name takes the office.
        let tenants: Vec<TenantId> = self.office().membership.tenants.keys().copied().collect();
        let names: BTreeMap<TenantId, Option<String>> =
            tenants.into_iter().map(|tenant| (tenant, self.known_tenant_name(tenant))).collect();
        let office = self.office();
        let listing = Listing { core: self, office: &office, names: &names, now };
        PeopleView { accounts: listing.accounts(), pending: listing.pending(), moves: listing.moves() }
    }
}

struct Listing<'l> {
    core: &'l Core,
    office: &'l Office,
    names: &'l BTreeMap<TenantId, Option<String>>,
    now: Timestamp,
}

impl Listing<'_> {
    fn membership(&self) -> &Membership {
        &self.office.membership
    }

    fn accounts(&self) -> Vec<AccountView> {
        let membership = self.membership();
        let officer = membership.roles(self.core.account).is_officer();
        let mut views = Vec::new();
        for (&id, account) in &membership.accounts {
            views.push(AccountView {
                id,
                login: account.login.to_string(),
                roles: account.roles.iter().collect(),
                state: AccountState::Active,
                since: account.since,
                expires_at: None,
                own: id == self.core.account,
                key_pending: self.lacks_key(id, account.roles),
                fingerprint: words_of(&chain::account_keys_digest(account)),
                second_factor: account.second_factor,
                access_by: membership.access_ends(id),
                secrets_by: membership.leaving.get(&id).map(|leaving| leaving.secrets_by),
                federated: account.federation.is_some(),
                subject: account
                    .federation
                    .as_ref()
                    .filter(|_| officer || id == self.core.account)
                    .map(|known| known.subject.clone()),
                grants: self.grants(id),
            });
        }
        for (&id, invitation) in &membership.invitations {
            let state = if self.now > invitation.expires_at { AccountState::Expired } else { AccountState::Invited };
            views.push(AccountView {
                id,
                login: invitation.login.to_string(),
                roles: invitation.roles.iter().collect(),
                state,
                since: invitation.invited_at,
                expires_at: Some(invitation.expires_at),
                own: false,
                key_pending: false,
                fingerprint: String::new(),
                second_factor: false,
                access_by: None,
                secrets_by: None,
                federated: false,
                subject: None,
                grants: Vec::new(),
            });
        }
        views.sort_by(|one, other| one.login.cmp(&other.login));
        let mut former: Vec<AccountView> = membership
            .former
            .iter()
            .map(|(&id, former)| AccountView {
                id,
                login: former.account.login.to_string(),
                roles: former.account.roles.iter().collect(),
                state: AccountState::Left,
                since: former.left_at,
                expires_at: None,
                own: false,
                key_pending: false,
                fingerprint: words_of(&chain::account_keys_digest(&former.account)),
                second_factor: false,
                access_by: membership.access_ends(id),
                secrets_by: membership.leaving.get(&id).map(|leaving| leaving.secrets_by),
                federated: false,
                subject: None,
                grants: Vec::new(),
            })
            .collect();
        former.sort_by_key(|view| std::cmp::Reverse(view.since));
        views.extend(former);
        views
    }

    /// Whether the newest of the shared pairs that the roles call for is not sealed to the account yet.
    fn lacks_key(&self, account: AccountId, roles: Roles) -> bool {
        let membership = self.membership();
        SharedPair::of(roles).any(|pair| {
            let number = membership.number_of(pair);
            let sealed = self.office.directory.pair_seed(pair, number, Holder::Account(account));
            sealed.is_ok_and(|sealed| sealed.is_none())
        })
    }

    fn grants(&self, account: AccountId) -> Vec<GrantView> {
        let membership = self.membership();
        let officer = membership.roles(self.core.account).is_officer();
        let mut grants = Vec::new();
        for ((tenant, grantee), grant) in &membership.grants {
            let known = officer
                || account == self.core.account
                || membership.right(*tenant, self.core.account, self.now).is_some();
            let Some(right) = Right::from_code(grant.right).filter(|_| *grantee == account && known) else { continue };
            let expires_at = grant.expires_ms.and_then(|millis| Timestamp::from_unix_millis(millis).ok());
            grants.push(GrantView {
                tenant: *tenant,
                tenant_name: self.names.get(tenant).cloned().flatten(),
                account,
                login: membership.login_of(account).map_or_else(String::new, ToString::to_string),
                right,
                expires_at,
                expired: expires_at.is_some_and(|expires| self.now >= expires),
            });
        }
        grants.sort_by_cached_key(|grant| grant.tenant_name.as_deref().map(str::to_lowercase));
        grants
    }

    fn moves(&self) -> Vec<VaultMoveView> {
        let membership = self.membership();
        let view = |moving: &Moving| {
            let (state, ended_at) = match moving.end {
                MovingEnd::UnderWay => (VaultMoveState::UnderWay, None),
                MovingEnd::TakenUp(at) => (VaultMoveState::TakenUp, Some(at)),
                MovingEnd::TakenBack(at) => (VaultMoveState::TakenBack, Some(at)),
            };
            VaultMoveView {
                device: words_of(&chain::digest(&moving.device.encode())),
                at: moving.at,
                by: membership.login_of(moving.by).map(ToString::to_string),
                state,
                ended_at,
            }
        };
        membership.moves.iter().map(view).collect()
    }

    fn pending(&self) -> Vec<PendingKeyView> {
        let membership = self.membership();
        let roles = membership.roles(self.core.account);
        let vault_keys = [
            (PendingKey::Directory, membership.directory_exposed_since, Action::RekeyDirectory),
            (PendingKey::Audit, membership.audit_exposed_since, Action::ReplaceAuditKey),
            (PendingKey::Office, membership.office_exposed_since, Action::ReplaceOfficeKey),
        ];
        let mut pending: Vec<PendingKeyView> = vault_keys
            .into_iter()
            .filter_map(|(key, since, action)| {
                Some(PendingKeyView {
                    key,
                    tenant: None,
                    tenant_name: None,
                    since: since?,
                    can_replace: crate::policy::allows(action, roles, None),
                    needs_recovery: false,
                })
            })
            .collect();
        for (&id, tenant) in &membership.tenants {
            let lags = tenant.epoch.is_some() && tenant.recovery < membership.recovery_number();
            let lagging = lags.then(|| membership.recovery().since);
            let (key, since) = match (tenant.exposed_at(self.now), lagging) {
                (Some(since), _) => (PendingKey::Tenant, since),
                (None, Some(since)) => (PendingKey::TenantRecovery, since),
                (None, None) => continue,
            };
            let right = membership.right(id, self.core.account, self.now);
            if right.is_none() && !roles.is_officer() {
                continue;
            }
            let trusted = membership.trusted_recovery(self.core.account);
            let enough = if key == PendingKey::Tenant { tenant.recovery } else { membership.recovery_number() };
            pending.push(PendingKeyView {
                key,
                tenant: Some(id),
                tenant_name: self.names.get(&id).cloned().flatten(),
                since,
                can_replace: right == Some(Right::Steward) && trusted >= enough,
                needs_recovery: membership.lasting_stewards(id).next().is_none(),
            });
        }
        pending
    }
}

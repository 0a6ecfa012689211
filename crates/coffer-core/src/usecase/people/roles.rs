//! Roles of accounts. Who loses the office key or the audit key with a role has held it: both are then replaced.

use coffer_model::account::{Role, Roles};
use coffer_model::event::Event;
use coffer_model::id::AccountId;

use super::super::step_up::FreshAuthentication;
use super::{AccountError, fresh, living};
use crate::chain::{self, Body, RolesSet};
use crate::fault::{CallError, Fault};
use crate::policy::Action;
use crate::session::{Core, Session};

/// Why an account keeps its roles.
#[derive(Debug, thiserror::Error)]
pub enum SetRolesError {
    /// A vault keeps at least one administrator.
    #[error("nobody else is an administrator of this vault")]
    LastAdministrator,
    /// A vault keeps at least one auditor.
    #[error("nobody else is an auditor of this vault")]
    LastAuditor,
    /// A vault keeps an administrator whom no identity provider can shut out.
    #[error("nobody else administers this vault without a token")]
    LastFreeAdministrator,
    /// No role was chosen.
    #[error("an account needs at least one role")]
    NoRole,
    /// There is no such account, or the passphrase was not given just now.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The call was refused or failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl SetRolesError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::LastAdministrator => "last_administrator",
            Self::LastAuditor => "last_auditor",
            Self::LastFreeAdministrator => "last_free_administrator",
            Self::NoRole => "no_role",
            Self::Account(error) => error.code(),
            Self::Call(error) => error.code(),
        }
    }
}

impl From<Fault> for SetRolesError {
    fn from(fault: Fault) -> Self {
        Self::Call(fault.into())
    }
}

impl Session {
    /// Gives an account these roles, and no others.
    pub fn set_roles(&self, account: AccountId, roles: Roles, proof: FreshAuthentication) -> Result<(), SetRolesError> {
        let actor = self.authorize(Action::SetRoles, None)?;
        let core = &*self.core;
        let before = core.office().membership.roles(account);
        proof.require_second_to_appoint(core, before, roles)?;
        fresh(core, proof)?;
        living(core, account)?;
        if roles.is_empty() {
            return Err(SetRolesError::NoRole);
        }
        core.refuse_last(account, roles)?;
        let body = Body::RolesSet(RolesSet { account, roles: roles.bits() });
        core.change_directory(&actor, Event::RolesSet(account), vec![body], |_| Ok(()))?;
        core.share_pairs()?;
        Ok(())
    }
}

impl Core {
    /// A vault without an administrator or without an auditor could not be had back but with the recovery kit.
    pub(super) fn refuse_last(&self, account: AccountId, after: Roles) -> Result<(), SetRolesError> {
        let office = self.office();
        let before = office.membership.roles(account);
        let is_last =
            |role| before.contains(role) && !after.contains(role) && !office.membership.stays_with(role, account);
        if is_last(Role::Administrator) {
            return Err(SetRolesError::LastAdministrator);
        }
        let is_free = office.membership.accounts.get(&account).is_some_and(chain::Account::administers_freely);
        if is_free && !after.contains(Role::Administrator) && !office.membership.stays_free(account) {
            return Err(SetRolesError::LastFreeAdministrator);
        }
        if is_last(Role::Auditor) { Err(SetRolesError::LastAuditor) } else { Ok(()) }
    }
}

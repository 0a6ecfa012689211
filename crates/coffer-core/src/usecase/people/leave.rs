//! Leaving: an account that is none any more, and the person who forgot everything and begins anew.
//! Layout: docs/FORMAT.md §5.8.
//!
//! At once nothing opens for them any more: no slot, no grant. What they held keys of is given new keys
//! ([`super::super::rekey`]); until then nothing is written under the old ones.

use coffer_model::account::Roles;
use coffer_model::event::Event;
use coffer_model::id::AccountId;
use coffer_model::time::Timestamp;

use super::super::step_up::FreshAuthentication;
use super::roles::SetRolesError;
use super::{AccountError, Invitation, InviteError, fresh};
use crate::chain::{AccountRemoved, Body, LeavingSet};
use crate::fault::{CallError, Fault};
use crate::policy::Action;
use crate::session::{Core, Session};
use crate::store::directory::Holder;

/// Days after an account was removed at once by which the secrets it saw are to be others, where nobody said when.
pub const CHANGE_SECRETS_WITHIN_DAYS: u32 = 7;
/// Hours within which access ends, where nobody says when.
pub const END_ACCESS_WITHIN_HOURS: u32 = 24;

/// Why an account stays.
#[derive(Debug, thiserror::Error)]
pub enum LeaveError {
    /// A vault keeps at least one administrator.
    #[error("nobody else is an administrator of this vault")]
    LastAdministrator,
    /// A vault keeps at least one auditor.
    #[error("nobody else is an auditor of this vault")]
    LastAuditor,
    /// A vault keeps an administrator whom no identity provider can shut out.
    #[error("nobody else administers this vault without a token")]
    LastFreeAdministrator,
    /// A tenant would have no steward any more: only the recovery kit could open it to anybody else.
    #[error("nobody else is a steward of {tenants} of the tenants")]
    LastSteward {
        /// Of how many.
        tenants: usize,
    },
    /// The time by which something is to be done is over, or access would end after the secrets were changed.
    #[error("access ends in the future, and secrets are changed by then or later")]
    Times,
    /// The account has left already: only the time by which secrets are changed can be set.
    #[error("the account has left already")]
    HasLeft,
    /// Nothing was stated that could be taken back.
    #[error("nobody has stated that the account is to leave")]
    NotLeaving,
    /// Whether the account they are unlocked with leaves, nobody decides alone.
    #[error("whether an account leaves, another administrator decides")]
    Oneself,
    /// The person could not be invited anew.
    #[error(transparent)]
    Invite(#[from] InviteError),
    /// There is no such account, or the passphrase was not given just now.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The call was refused or failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl LeaveError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::LastAdministrator => "last_administrator",
            Self::LastAuditor => "last_auditor",
            Self::LastFreeAdministrator => "last_free_administrator",
            Self::LastSteward { .. } => "last_steward",
            Self::Times => "leaving_times",
            Self::HasLeft => "has_left",
            Self::NotLeaving => "not_leaving",
            Self::Oneself => "own_account",
            Self::Invite(error) => error.code(),
            Self::Account(error) => error.code(),
            Self::Call(error) => error.code(),
        }
    }
}

impl From<Fault> for LeaveError {
    fn from(fault: Fault) -> Self {
        Self::Call(fault.into())
    }
}

impl Session {
    /// Removes an account at once. `even_last_steward` accepts that tenants are left which only the recovery kit opens to
    /// a new steward.
    ///
    /// What the account held keys of is listed as pending afterwards; [`Session::start_rekeying`] does what this account
    /// can do about it.
    pub fn remove_account(
        &self,
        account: AccountId,
        even_last_steward: bool,
        proof: FreshAuthentication,
    ) -> Result<(), LeaveError> {
        let actor = self.authorize(Action::RemoveAccount, None)?;
        let core = &*self.core;
        fresh(core, proof)?;
        core.refuse_leaving(account, Roles::NONE, even_last_steward)?;
        let is_stated = core.office().membership.leaving.contains_key(&account);
        let mut bodies = vec![Body::AccountRemoved(AccountRemoved { account })];
        if !is_stated {
            let days = i64::from(CHANGE_SECRETS_WITHIN_DAYS);
            let secrets_by_ms = Some(core.now().unix_millis() + days * 24 * 60 * 60 * 1_000);
            bodies.push(Body::LeavingSet(LeavingSet { account, access_by_ms: None, secrets_by_ms }));
        }
        core.change_directory(&actor, Event::AccountRemoved(account), bodies, |tx| {
            tx.delete_pair_seeds(Holder::Account(account))?;
            tx.delete_own_rows(account)
        })?;
        core.strike_from_header(account)?;
        Ok(())
    }

    /// States by when an account has to have left, `access_by`, and by when the secrets it saw are to be others. From
    /// `access_by` on it unlocks no longer, nor does anything where it is unlocked; until then its grants can be handed on.
    /// To remove it, which replaces its keys, is still to be done by an administrator. Of an account that has left only
    /// `secrets_by` is stated.
    pub fn set_leaving(
        &self,
        account: AccountId,
        access_by: Option<Timestamp>,
        secrets_by: Timestamp,
        proof: FreshAuthentication,
    ) -> Result<(), LeaveError> {
        let actor = self.authorize(Action::SetLeaving, None)?;
        let core = &*self.core;
        fresh(core, proof)?;
        let now = core.now();
        let has_left = core.office().membership.former.contains_key(&account);
        match access_by {
            Some(_) if has_left => return Err(LeaveError::HasLeft),
            Some(access_by) if access_by <= now || secrets_by < access_by => return Err(LeaveError::Times),
            Some(_) => core.refuse_leaving(account, Roles::NONE, true)?,
            None if !has_left => return Err(AccountError::NoSuchAccount.into()),
            None if secrets_by <= now => return Err(LeaveError::Times),
            None => {}
        }
        let body = Body::LeavingSet(LeavingSet {
            account,
            access_by_ms: access_by.map(Timestamp::unix_millis),
            secrets_by_ms: Some(secrets_by.unix_millis()),
        });
        Ok(core.change_directory(&actor, Event::LeavingSet(account), vec![body], |_| Ok(()))?)
    }

    /// States that an account does not leave after all; its own nobody keeps.
    pub fn keep_account(&self, account: AccountId, proof: FreshAuthentication) -> Result<(), LeaveError> {
        let actor = self.authorize(Action::SetLeaving, None)?;
        let core = &*self.core;
        fresh(core, proof)?;
        if account == core.account {
            return Err(LeaveError::Oneself);
        }
        super::living(core, account)?;
        if !core.office().membership.leaving.contains_key(&account) {
            return Err(LeaveError::NotLeaving);
        }
        let body = Body::LeavingSet(LeavingSet { account, access_by_ms: None, secrets_by_ms: None });
        Ok(core.change_directory(&actor, Event::LeavingSet(account), vec![body], |_| Ok(()))?)
    }

    /// For a person who can unlock no longer: removes the account and invites them to a new one with the same login and
    /// roles, *without grants*. Stewards grant again, once they have compared the fingerprint with the person.
    pub fn reset_account(
        &self,
        account: AccountId,
        hours: u32,
        even_last_steward: bool,
        proof: FreshAuthentication,
    ) -> Result<Invitation, LeaveError> {
        let actor = self.authorize(Action::RemoveAccount, None)?;
        self.authorize(Action::InvitePeople, None)?;
        let core = &*self.core;
        let (login, roles) = {
            let office = core.office();
            let known = office.membership.accounts.get(&account).ok_or(AccountError::NoSuchAccount)?;
            (known.login.clone(), known.roles)
        };
        // Whoever gets the code may be somebody else.
        proof.require_second_to_appoint(core, Roles::NONE, roles)?;
        fresh(core, proof)?;
        core.refuse_leaving(account, Roles::NONE, even_last_steward)?;
        core.record(&actor, Event::AccountRemoved(account))?;
        let invitation = core.invite(&actor, &login, roles, hours, Some(account))?;
        core.strike_from_header(account)?;
        Ok(invitation)
    }
}

impl Core {
    fn refuse_leaving(&self, account: AccountId, after: Roles, even_last_steward: bool) -> Result<(), LeaveError> {
        if account == self.account {
            return Err(LeaveError::Oneself);
        }
        super::living(self, account)?;
        self.refuse_last(account, after).map_err(|error| match error {
            SetRolesError::LastAuditor => LeaveError::LastAuditor,
            SetRolesError::LastFreeAdministrator => LeaveError::LastFreeAdministrator,
            _ => LeaveError::LastAdministrator,
        })?;
        let office = self.office();
        let tenants = office.membership.tenants.keys().filter(|&&tenant| {
            let mut stewards = office.membership.lasting_stewards(tenant);
            stewards.next() == Some(account) && stewards.next().is_none()
        });
        match tenants.count() {
            tenants if tenants > 0 && !even_last_steward => Err(LeaveError::LastSteward { tenants }),
            _ => Ok(()),
        }
    }

    /// Takes an account's slots out of the header. Stopped before, the next unlocking does it: what no statement backs
    /// opens nothing.
    fn strike_from_header(&self, account: AccountId) -> Result<(), Fault> {
        let mut office = self.office();
        office.header.accounts.retain(|entry| entry.account != account);
        office.header.directory_for.retain(|seal| seal.account != account);
        self.write_header(&mut office)
    }
}

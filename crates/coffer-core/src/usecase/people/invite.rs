//! Inviting somebody: a code that makes them an account, once, for a while. The administrator never learns a passphrase.
//! Layout: docs/FORMAT.md §3.4, §4.12, §5.8.

use coffer_crypto::activation::InvitationKeys;
use coffer_crypto::seal;
use coffer_crypto::secret::{ActivationCode, SecretBytes};
use coffer_model::account::{LoginName, Roles};
use coffer_model::event::Event;
use coffer_model::id::AccountId;
use coffer_model::time::Timestamp;

use super::super::create::sixteen;
use super::super::step_up::FreshAuthentication;
use super::{AccountError, fresh};
use crate::chain::{AccountInvited, AccountRemoved, Body, InvitationWithdrawn, MAX_ACCOUNTS};
use crate::fault::{CallError, Fault};
use crate::header::{InvitationEntry, InvitationPin};
use crate::keys::directory_context;
use crate::policy::Action;
use crate::session::{Actor, Core, Session};
use crate::store::directory::Holder;

/// How long an activation code counts if nothing else is said, hours.
pub const INVITATION_HOURS: u32 = 24;
/// How long it may count at most, hours: a week and the weekend after it.
pub const INVITATION_HOURS_MAX: u32 = 9 * 24;

const HOUR_MILLIS: i64 = 60 * 60 * 1_000;

/// An invitation that was just made, with the only copy of its code.
#[derive(Debug)]
pub struct Invitation {
    /// The account that will come of it.
    pub account: AccountId,
    /// What it will be called.
    pub login: LoginName,
    /// Six groups of five characters, to be handed to the person and to nobody else.
    pub code: SecretBytes,
    /// Until when it counts.
    pub expires_at: Timestamp,
}

/// Why nobody was invited.
#[derive(Debug, thiserror::Error)]
pub enum InviteError {
    /// An account or an invitation has that name, or one that looks like it.
    #[error("there is an account of that name, or of one that looks like it")]
    LoginTaken,
    /// No role was chosen.
    #[error("an account needs at least one role")]
    NoRole,
    /// The code would count for too long, or not at all.
    #[error("an activation code counts for 1 to {INVITATION_HOURS_MAX} hours")]
    Hours,
    /// The vault has as many accounts as it may have.
    #[error("a vault has at most {MAX_ACCOUNTS} accounts")]
    TooMany,
    /// There is no such account, or the passphrase was not given just now.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The call was refused or failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl InviteError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::LoginTaken => "login_taken",
            Self::NoRole => "no_role",
            Self::Hours => "invitation_hours",
            Self::TooMany => "too_many_accounts",
            Self::Account(error) => error.code(),
            Self::Call(error) => error.code(),
        }
    }
}

impl From<Fault> for InviteError {
    fn from(fault: Fault) -> Self {
        Self::Call(fault.into())
    }
}

impl Session {
    /// Invites somebody to become an account with these roles; the code counts for so many hours, once.
    pub fn invite(
        &self,
        login: &LoginName,
        roles: Roles,
        hours: u32,
        proof: FreshAuthentication,
    ) -> Result<Invitation, InviteError> {
        let actor = self.authorize(Action::InvitePeople, None)?;
        proof.require_second_to_appoint(&self.core, Roles::NONE, roles)?;
        fresh(&self.core, proof)?;
        self.core.invite(&actor, login, roles, hours, None)
    }

    /// Takes an invitation back: its code counts no longer.
    pub fn withdraw_invitation(&self, account: AccountId) -> Result<(), InviteError> {
        let actor = self.authorize(Action::InvitePeople, None)?;
        let core = &*self.core;
        if !core.office().membership.invitations.contains_key(&account) {
            return Err(AccountError::NoSuchAccount.into());
        }
        let body = Body::InvitationWithdrawn(InvitationWithdrawn { account });
        core.change_directory(&actor, Event::InvitationWithdrawn(account), vec![body], |tx| {
            tx.delete_pair_seeds(Holder::Account(account))
        })?;
        let mut office = core.office();
        office.header.invitations.retain(|entry| entry.account != account);
        office.header.directory_for.retain(|seal| seal.account != account);
        core.write_header(&mut office)?;
        Ok(())
    }
}

impl Core {
    /// States an invitation and puts it into the header; `leaver` is the account it takes the place of, removed in the same
    /// step.
    pub(super) fn invite(
        &self,
        actor: &Actor,
        login: &LoginName,
        roles: Roles,
        hours: u32,
        leaver: Option<AccountId>,
    ) -> Result<Invitation, InviteError> {
        if roles.is_empty() {
            return Err(InviteError::NoRole);
        }
        if !(1..=INVITATION_HOURS_MAX).contains(&hours) {
            return Err(InviteError::Hours);
        }
        {
            let membership = &self.office().membership;
            if leaver.is_none() && membership.is_taken(login) {
                return Err(InviteError::LoginTaken);
            }
            let others = membership.accounts.len() + membership.invitations.len() - usize::from(leaver.is_some());
            if others >= MAX_ACCOUNTS {
                return Err(InviteError::TooMany);
            }
        }
        let vault = self.vault.id;
        let mut random = self.random();
        let code = ActivationCode::generate(&mut random);
        let keys = InvitationKeys::derive(&code, vault.as_bytes());
        let account = AccountId::from_random(sixteen(&mut random));
        let expires_ms = self.now().unix_millis() + i64::from(hours) * HOUR_MILLIS;
        let expires_at = Timestamp::from_unix_millis(expires_ms).map_err(|_| InviteError::Hours)?;
        let invited = AccountInvited {
            account,
            login: login.to_string(),
            roles: roles.bits(),
            sealing: keys.sealing.public_key().encode().into(),
            signing: keys.signing.verifying_key().encode().into(),
            expires_ms,
        };
        let removed = leaver.map(|account| Body::AccountRemoved(AccountRemoved { account }));
        let bodies = removed.into_iter().chain([Body::AccountInvited(invited)]).collect();
        let seeds = self.pair_seeds_for(account, keys.sealing.public_key(), roles);
        self.change_directory(actor, Event::AccountInvited(account), bodies, |tx| {
            if let Some(leaver) = leaver {
                tx.delete_pair_seeds(Holder::Account(leaver))?;
                tx.delete_own_rows(leaver)?;
            }
            seeds.iter().try_for_each(|seed| seed.store(tx))
        })?;

        // Last: without it the code opens nothing, and nobody has it yet.
        let mut office = self.office();
        let pin = InvitationPin::new(account, office.membership.pin());
        let context = directory_context(vault, account, office.header.directory_generation);
        let sealed = seal::seal_key_to(keys.sealing.public_key(), &office.directory_key, &context, &mut random);
        office.header.seal_directory_to(account, sealed);
        office.header.invitations.push(InvitationEntry::new(vault, &keys, &pin, &mut random));
        self.write_header(&mut office)?;
        Ok(Invitation { account, login: login.clone(), code: code.to_text(), expires_at })
    }
}

//! Grants: who may do what with a tenant. Layout: docs/FORMAT.md §5.8.
//!
//! Keys enforce reading: whoever is granted anything holds the tenant's key. What more somebody may do, and until when, this
//! program enforces.

use coffer_crypto::{derive, seal};
use coffer_model::event::Event;
use coffer_model::grant::Right;
use coffer_model::id::{AccountId, TenantId};
use coffer_model::time::Timestamp;

use super::people::AccountError;
use crate::chain::{self, Body, GrantWithdrawn, Granted};
use crate::fault::{CallError, Fault};
use crate::policy::Action;
use crate::session::{Core, OpenTenant, Session, tenant_key_context};

/// Why a grant was not changed.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// There is no such account.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The account has no grant on the tenant.
    #[error("that account has nothing granted on this tenant")]
    NotGranted,
    /// Somebody has to remain who can grant the tenant and give it new keys.
    #[error("nobody else is a steward of this tenant")]
    LastSteward,
    /// The grant would have ended before it began.
    #[error("the grant would have ended already")]
    Past,
    /// The call was refused or failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl GrantError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Account(error) => error.code(),
            Self::NotGranted => "not_granted",
            Self::LastSteward => "last_steward",
            Self::Past => "grant_past",
            Self::Call(error) => error.code(),
        }
    }
}

impl From<Fault> for GrantError {
    fn from(fault: Fault) -> Self {
        Self::Call(fault.into())
    }
}

impl Session {
    /// Grants a tenant to an account, until `expires_at` if that is given; what it had on the tenant before is replaced.
    pub fn grant(
        &self,
        tenant: TenantId,
        account: AccountId,
        right: Right,
        expires_at: Option<Timestamp>,
    ) -> Result<(), GrantError> {
        let actor = self.authorize(Action::GrantTenant, Some(tenant))?;
        let core = &*self.core;
        if expires_at.is_some_and(|expires| expires <= core.now()) {
            return Err(GrantError::Past);
        }
        let lasting = right == Right::Steward && expires_at.is_none();
        if !lasting {
            core.refuse_last_steward(tenant, account)?;
        }
        let open = self.open_tenant(&actor, tenant)?;
        // A key that somebody holds who may not is handed to nobody else.
        core.refuse_exposed(&open)?;
        let (granted, sealed) = core.seal_grant(&open, account, right, expires_at)?;
        core.change_directory(&actor, Event::GrantGiven { tenant, account }, vec![Body::Granted(granted)], |tx| {
            tx.set_tenant_key(tenant, open.epoch(), account, &sealed)
        })?;
        Ok(())
    }

    /// Takes a tenant from an account. The tenant then needs a new key before anything is written to it.
    pub fn withdraw_grant(&self, tenant: TenantId, account: AccountId) -> Result<(), GrantError> {
        let core = &*self.core;
        let action = if account == core.account { Action::GiveUpGrant } else { Action::WithdrawGrant };
        let actor = self.authorize(action, Some(tenant))?;
        let epoch = {
            let office = core.office();
            if !office.membership.grants.contains_key(&(tenant, account)) {
                return Err(GrantError::NotGranted);
            }
            let known = office.membership.tenants.get(&tenant).and_then(|tenant| tenant.epoch.as_ref());
            known.ok_or(CallError::NotFound)?.epoch
        };
        core.refuse_last_steward(tenant, account)?;
        let body = Body::GrantWithdrawn(GrantWithdrawn { tenant, account });
        core.change_directory(&actor, Event::GrantWithdrawn { tenant, account }, vec![body], |tx| {
            tx.delete_tenant_key(tenant, epoch, account)
        })?;
        if account == core.account {
            core.close_tenant(tenant);
        }
        Ok(())
    }
}

impl Core {
    /// Seals a tenant's key to an account, and says what the statement has to.
    pub(super) fn seal_grant(
        &self,
        open: &OpenTenant,
        account: AccountId,
        right: Right,
        expires_at: Option<Timestamp>,
    ) -> Result<(Granted, Vec<u8>), GrantError> {
        let (vault, tenant, epoch) = (self.vault.id, open.id, open.epoch());
        let office = self.office();
        // To the key that the chain says, never to one that lies at hand.
        let known = office.membership.accounts.get(&account).ok_or(AccountError::NoSuchAccount)?;
        let context = tenant_key_context(vault, tenant, epoch, account);
        let sealed = seal::seal_key_to(&known.sealing, &open.key, &context, &mut self.random());
        let granted = Granted {
            tenant,
            epoch,
            grantee: account,
            grantee_keys: chain::account_keys_digest(known).into(),
            right: right.code(),
            expires_ms: expires_at.map(Timestamp::unix_millis),
            sealed: chain::digest(&sealed).into(),
            kid: (*derive::derive_kid(&open.key, &open.scope).as_bytes()).into(),
        };
        Ok((granted, sealed))
    }

    /// A tenant that nobody is steward of could be granted to nobody any more.
    fn refuse_last_steward(&self, tenant: TenantId, account: AccountId) -> Result<(), GrantError> {
        let office = self.office();
        let (mut is_steward, mut others) = (false, false);
        for steward in office.membership.lasting_stewards(tenant) {
            if steward == account { is_steward = true } else { others = true }
        }
        if is_steward && !others { Err(GrantError::LastSteward) } else { Ok(()) }
    }
}

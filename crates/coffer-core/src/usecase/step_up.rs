//! Fresh authentication inside a session, and the proof that the recovery kit was kept.

use std::collections::BTreeMap;
use std::time::Duration;

use coffer_crypto::derive;
use coffer_crypto::secret::AccountMasterKey;
use coffer_model::account::{Role, Roles};
use coffer_model::event::Event;
use coffer_model::id::{AccountId, SessionId};
use coffer_model::policy::{Guarded, GuardedSet};

use super::credentials::{Credentials, Opening, open_slot};
use super::unlock::check_code;
use crate::chain;
use crate::fault::{CallError, Damage, Fault};
use crate::header::UsedCode;
use crate::kit::{KitGroup, RecoveryKit};
use crate::policy::Action;
use crate::session::{Core, Session};
use crate::throttle::Throttle;
use crate::usecase::UnlockError;
use crate::vault::normalise_login;

/// How long ago a passphrase may have been given to count as given just now.
pub(crate) const FRESH_FOR: Duration = Duration::from_mins(2);

/// Proof that the account's passphrase was given just now, in this session, with a code of its second factor if it has
/// one. Made only here, used up by what asks for it.
#[derive(Debug)]
#[must_use]
pub struct FreshAuthentication {
    session: SessionId,
    /// On the clock that nobody sets.
    at: Duration,
    /// Another administrator who authenticated for the same.
    second: Option<AccountId>,
}

impl FreshAuthentication {
    /// Whether it was given in this session, and not too long ago.
    pub(crate) fn holds_for(&self, core: &Core) -> bool {
        self.session == core.session_id() && core.host.clock.monotonic().saturating_sub(self.at) <= FRESH_FOR
    }

    /// Holds it against the rule of two people. Who seconded must be an administrator still.
    pub(crate) fn require_second(&self, core: &Core, guarded: Guarded) -> Result<(), CallError> {
        let needed = core.office().membership.policy.two_people.contains(guarded);
        self.require_second_if(core, needed)
    }

    /// As [`FreshAuthentication::require_second`], where somebody's roles become others: see [`Session::takes_two_to_appoint`].
    pub(crate) fn require_second_to_appoint(&self, core: &Core, before: Roles, after: Roles) -> Result<(), CallError> {
        self.require_second_if(core, core.takes_two_to_appoint(before, after))
    }

    /// As [`FreshAuthentication::require_second`], where the identity provider or an account's mark is changed: see
    /// [`Session::takes_two_to_federate`].
    pub(crate) fn require_second_to_federate(&self, core: &Core, account: Option<AccountId>) -> Result<(), CallError> {
        self.require_second_if(core, core.takes_two_to_federate(account))
    }

    fn require_second_if(&self, core: &Core, needed: bool) -> Result<(), CallError> {
        let office = core.office();
        let is_administrator = |account| office.membership.roles(account).contains(Role::Administrator);
        if !needed || self.second.is_some_and(is_administrator) { Ok(()) } else { Err(CallError::SecondPersonNeeded) }
    }
}

impl Session {
    /// Checks the account's passphrase again, with whatever else unlocking asks for, and gives the proof of it. Takes as
    /// long as unlocking; a wrong one is logged as a failed unlock.
    pub fn authenticate(&self, shown: &Credentials) -> Result<FreshAuthentication, UnlockError> {
        let core = &*self.core;
        core.authenticate(core.login.as_str(), shown, |account| account == core.account)?;
        core.note_authentication();
        Ok(FreshAuthentication { session: core.session_id(), at: core.host.clock.monotonic(), second: None })
    }

    /// The proof that unlocking itself gives, for a shell that has just done so; `None` once that is too long ago.
    pub fn authenticated_by_unlocking(&self) -> Option<FreshAuthentication> {
        let at = self.core.unlocked_monotonic();
        let proof = FreshAuthentication { session: self.core.session_id(), at, second: None };
        proof.holds_for(&self.core).then_some(proof)
    }

    /// Has another administrator authenticate for the same as `proof`, on the same machine, with their own passphrase and
    /// whatever else their account asks for. Logged under the session's account, naming the other.
    pub fn second(&self, proof: &mut FreshAuthentication, login: &str, shown: &Credentials) -> Result<(), UnlockError> {
        let core = &*self.core;
        let is_another =
            |account| account != core.account && core.office().membership.roles(account).contains(Role::Administrator);
        let (second, _) = core.authenticate(login, shown, is_another)?;
        core.append(Event::ActionSeconded(second))?;
        proof.second = Some(second);
        Ok(())
    }

    /// Whether it takes two people to give somebody other roles, or, `before` being none, to invite them: where anything does,
    /// making an administrator does, too. Who could make the other one alone would need nobody.
    pub fn takes_two_to_appoint(&self, before: Roles, after: Roles) -> bool {
        self.core.takes_two_to_appoint(before, after)
    }

    /// Whether something takes two people by the rules of this vault.
    pub fn takes_two(&self, guarded: Guarded) -> bool {
        self.core.office().membership.policy.two_people.contains(guarded)
    }

    /// Checks groups that were retyped against the kit or the shares just made; logs that they were kept. `false` if one
    /// does not fit.
    pub fn confirm_recovery_kit(&self, kit: &RecoveryKit, groups: &[(KitGroup, &str)]) -> Result<bool, CallError> {
        let actor = self.authorize(Action::ConfirmRecoveryKit, None)?;
        let kept = kit.vault() == self.core.vault.id
            && !groups.is_empty()
            && groups.iter().all(|&(group, typed)| kit.group_matches(group, typed));
        if kept {
            self.record(&actor, Event::RecoveryKitConfirmed)?;
        }
        Ok(kept)
    }
}

impl Core {
    fn takes_two_to_appoint(&self, before: Roles, after: Roles) -> bool {
        let appoints = after.contains(Role::Administrator) && !before.contains(Role::Administrator);
        appoints && self.office().membership.policy.two_people != GuardedSet::NONE
    }

    /// Checks what somebody shows against the slots that count, with delays, and uses up the code of a second factor.
    pub(super) fn authenticate(
        &self,
        login: &str,
        shown: &Credentials,
        may: impl Fn(AccountId) -> bool,
    ) -> Result<(AccountId, AccountMasterKey), UnlockError> {
        if self.is_given_up() {
            // A header is not written over one of which nobody knows what reached the disk.
            return Err(Fault::NotDurable.into());
        }
        let (header, named) = {
            let office = self.office();
            let slots = |(&id, account): (&AccountId, &chain::Account)| (id, account.slots.clone());
            let named: BTreeMap<_, _> = office.membership.accounts.iter().map(slots).collect();
            (office.header.clone(), named)
        };
        let lookup = derive::login_lookup(&header.salt, &normalise_login(login));
        let mut throttle = Throttle::load(&self.folder);
        if let Some(wait) = throttle.wait(&lookup, self.now()) {
            return Err(UnlockError::TooSoon { wait });
        }
        let counts = |account: AccountId, slot: &[u8]| {
            let slots = named.get(&account);
            slots.is_some_and(|slots| slots.as_ref().is_none_or(|slots| slots.contains(&chain::digest(slot))))
        };
        let checked = match open_slot(&self.host, &header, login, shown, &counts)? {
            Opening::Opened(account, _, _) if !may(account) => Err(UnlockError::NotAnother),
            Opening::Opened(account, master, _) => {
                let checked = self.refuse_left(account);
                let checked = checked.and_then(|()| check_code(&header, account, &master, shown, self.now()));
                let checked = checked.and_then(|code| {
                    // Whoever is unlocked has been asked then.
                    let is_own = account == self.account;
                    let lease = if is_own { None } else { self.require_lease(account, &header, &master, shown)? };
                    Ok((code, lease))
                });
                checked.map(|(code, lease)| (account, master, code, lease))
            }
            Opening::Refused => Err(UnlockError::Refused),
            Opening::Missing(missing) => Err(UnlockError::FactorMissing(missing)),
        };
        match checked {
            Ok((account, master, code, lease)) => {
                if let Some(code) = code {
                    self.use_up(account, &master, code)?;
                }
                if let Some(lease) = lease {
                    self.keep_lease(account, &master, lease)?;
                }
                if throttle.succeed(&lookup) {
                    throttle.save(&self.folder)?;
                }
                Ok((account, master))
            }
            Err(refusal) => {
                if refusal.counts() {
                    throttle.fail(&lookup, self.now());
                    throttle.save(&self.folder)?;
                    self.log
                        .append_unlock_failure(self.now(), self.origin(), &mut self.random())
                        .map_err(Fault::from)?;
                }
                Err(refusal)
            }
        }
    }

    /// Whose access has ended by kind 22, and who could unlock no longer, serves for nothing else either.
    fn refuse_left(&self, account: AccountId) -> Result<(), UnlockError> {
        let ended = self.office().membership.access_ends(account).filter(|ends| self.now() >= *ends);
        ended.map_or(Ok(()), |since| Err(UnlockError::AccessEnded { since }))
    }

    /// Remembers a code as used, on the disk, before what it was given for.
    fn use_up(&self, account: AccountId, master: &AccountMasterKey, code: UsedCode) -> Result<(), Fault> {
        let damaged = || Fault::Damaged(Damage::Header);
        let mut office = self.office();
        let office = &mut *office;
        let before = office.header.clone();
        let left = if account == self.account {
            let factor = office.state.second_factor.as_mut().ok_or_else(damaged)?;
            factor.use_up(code);
            factor.spare_left()
        } else {
            let entry = office.header.entry_mut(account).ok_or_else(damaged)?;
            let mut state = entry.open_state(self.vault.id, master).map_err(|_| damaged())?;
            let factor = state.second_factor.as_mut().ok_or_else(damaged)?;
            factor.use_up(code);
            let left = factor.spare_left();
            entry.set_state(self.vault.id, &state, master, &mut self.random());
            left
        };
        if let Err(fault) = self.write_header(office) {
            office.header = before;
            return Err(fault);
        }
        if let UsedCode::Spare(_) = code {
            self.append(Event::SpareCodeUsed { left: left as u64 })?;
        }
        Ok(())
    }
}

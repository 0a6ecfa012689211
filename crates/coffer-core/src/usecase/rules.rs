//! The rules of a vault: who needs a second factor, what asks for authentication anew or for two people, and the least cost
//! of a passphrase. Layout: docs/FORMAT.md §5.8, kind 18. The program enforces them; no key does.

use coffer_crypto::kdf::KdfParams;
use coffer_model::account::Role;
use coffer_model::event::Event;
use coffer_model::policy::{Guarded, GuardedSet, VaultPolicy};

use super::people::{AccountError, fresh};
use super::step_up::FreshAuthentication;
use crate::chain::{Body, PolicySet};
use crate::fault::CallError;
use crate::policy::Action;
use crate::session::Session;

/// Why the rules were not changed.
#[derive(Debug, thiserror::Error)]
pub enum SetPolicyError {
    /// The rule would ask this very account for a second factor, which it does not have: enrol one first.
    #[error("enrol a second factor for your own account first")]
    EnrolFirst,
    /// A rule of two people needs two administrators.
    #[error("the vault has only one administrator")]
    OneAdministrator,
    /// The least cost is out of bounds, or this machine could not derive it.
    #[error("the memory for passphrases is out of bounds, or more than half of this machine's")]
    Memory,
    /// Daily work is not done by two people together.
    #[error("that action cannot be put under the rule of two people")]
    NotForTwo,
    /// The passphrase was not given just now.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The call was refused or failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl SetPolicyError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::EnrolFirst => "enrol_second_factor_first",
            Self::OneAdministrator => "one_administrator",
            Self::Memory => "policy_memory",
            Self::NotForTwo => "policy_not_for_two",
            Self::Account(error) => error.code(),
            Self::Call(error) => error.code(),
        }
    }
}

impl Session {
    /// The rules of the vault. Everybody may know what they are held to.
    pub fn policy(&self) -> Result<VaultPolicy, CallError> {
        self.authorize(Action::SeePolicy, None)?;
        Ok(self.core.office().membership.policy)
    }

    /// Changes the rules of the vault, all of them at once. `proof` says that the passphrase was given just now; to take
    /// anything out of the rule of two people takes two people.
    pub fn set_policy(&self, policy: VaultPolicy, proof: FreshAuthentication) -> Result<(), SetPolicyError> {
        let actor = self.authorize(Action::SetPolicy, None)?;
        let core = &*self.core;
        let before = {
            let office = core.office();
            let has_factor = office.state.second_factor.is_some();
            let roles = office.membership.roles(core.account);
            if roles.bits() & policy.second_factor.bits() != 0 && !has_factor {
                return Err(SetPolicyError::EnrolFirst);
            }
            let is_alone = office.membership.count_with(Role::Administrator) < 2;
            if policy.two_people.iter().next().is_some() && is_alone {
                return Err(SetPolicyError::OneAdministrator);
            }
            office.membership.policy
        };
        if !policy.two_people.is_within(GuardedSet::FOR_TWO) {
            return Err(SetPolicyError::NotForTwo);
        }
        let spare = core.host.machine.memory_bytes().map_or(u64::MAX, |bytes| bytes / 1024 / 2);
        let memory = policy.kdf_memory_kib;
        if memory > KdfParams::MAX_MEMORY_KIB || u64::from(memory) > spare {
            return Err(SetPolicyError::Memory);
        }
        for guarded in before.two_people.iter().filter(|&guarded| !policy.two_people.contains(guarded)) {
            proof.require_second(core, guarded)?;
        }
        fresh(core, proof)?;
        let body = Body::PolicySet(PolicySet {
            second_factor: policy.second_factor.bits(),
            step_up: policy.step_up.bits(),
            two_people: policy.two_people.bits(),
            kdf_memory_kib: memory,
        });
        core.change_directory(&actor, Event::PolicySet, vec![body], |_| Ok(()))?;
        Ok(())
    }

    /// Whether an action of this group asks for authentication anew right now.
    pub fn asks_anew(&self, guarded: Guarded) -> bool {
        self.core.asks_anew(guarded)
    }
}

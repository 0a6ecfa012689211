//! Fresh authentication inside a session, and the proof that the recovery kit was kept.

use std::time::Duration;

use coffer_crypto::derive;
use coffer_crypto::kdf::Factors;
use coffer_crypto::memory::KdfMemory;
use coffer_crypto::passphrase::Passphrase;
use coffer_crypto::slot::{OpenSlotError, Slot};
use coffer_model::event::Event;
use coffer_model::id::SessionId;
use minicbor::bytes::ByteVec;

use crate::chain;
use crate::fault::{CallError, Damage, Fault};
use crate::kit::RecoveryKit;
use crate::policy::Action;
use crate::session::{Core, Session};
use crate::throttle::Throttle;
use crate::usecase::UnlockError;

/// How long ago a passphrase may have been given to count as given just now.
const FRESH_FOR: Duration = Duration::from_mins(2);

/// Proof that the account's passphrase was given just now, in this session. Made only here, used up by what asks for it.
#[derive(Debug)]
#[must_use]
pub struct FreshAuthentication {
    session: SessionId,
    /// On the clock that nobody sets.
    at: Duration,
}

impl FreshAuthentication {
    /// Whether it was given in this session, and not too long ago.
    pub(crate) fn holds_for(&self, core: &Core) -> bool {
        self.session == core.session_id() && core.host.clock.monotonic().saturating_sub(self.at) <= FRESH_FOR
    }
}

impl Session {
    /// Checks the account's passphrase again and gives the proof of it. As [`Session::check_passphrase`].
    pub fn authenticate(&self, passphrase: &Passphrase) -> Result<FreshAuthentication, UnlockError> {
        self.check_passphrase(passphrase)?;
        Ok(FreshAuthentication { session: self.core.session_id(), at: self.core.host.clock.monotonic() })
    }

    /// The proof that unlocking itself gives, for a shell that has just done so; `None` once that is too long ago.
    pub fn authenticated_by_unlocking(&self) -> Option<FreshAuthentication> {
        let proof = FreshAuthentication { session: self.core.session_id(), at: self.core.unlocked_monotonic() };
        proof.holds_for(&self.core).then_some(proof)
    }

    /// Checks the account's passphrase again, before something that asks for it. Takes as long as unlocking; a wrong
    /// one is logged as a failed unlock.
    pub fn check_passphrase(&self, passphrase: &Passphrase) -> Result<(), UnlockError> {
        let core = &*self.core;
        let lookup = derive::login_lookup(&core.office().header.salt, core.login.as_str());
        let mut throttle = Throttle::load(&core.folder);
        if let Some(wait) = throttle.wait(&lookup, core.now()) {
            return Err(UnlockError::TooSoon { wait });
        }
        let slots: Vec<Slot> = {
            let office = core.office();
            let entry = office.header.accounts.iter().find(|entry| entry.account == core.account);
            let slots = entry.map(|entry| entry.slots.as_slice()).unwrap_or_default();
            let named = office.membership.accounts.get(&core.account).and_then(|account| account.slots.as_ref());
            let counts = |slot: &&ByteVec| named.is_none_or(|named| named.contains(&chain::digest(slot)));
            let parse = |bytes: &ByteVec| Slot::parse(bytes, &core.host.kdf_floor);
            slots
                .iter()
                .filter(counts)
                .map(parse)
                .collect::<Result<_, _>>()
                .map_err(|_| Fault::Damaged(Damage::Header))?
        };
        let place = core.account_place();
        let mut memory = KdfMemory::new();
        for slot in slots {
            match slot.open(passphrase, &Factors::default(), &place, &mut memory) {
                Ok(_) => {
                    if throttle.succeed(&lookup) {
                        throttle.save(&core.folder)?;
                    }
                    return Ok(());
                }
                Err(OpenSlotError::Refused) => {}
                Err(OpenSlotError::Memory(_)) => return Err(Fault::OutOfMemory.into()),
            }
        }
        throttle.fail(&lookup, core.now());
        throttle.save(&core.folder)?;
        core.log.append_unlock_failure(core.now(), core.origin(), &mut core.random()).map_err(Fault::from)?;
        Err(UnlockError::Refused)
    }

    /// Checks groups of the recovery code, each with its position from 0, against the kit just made; logs that it was
    /// kept. `false` if one does not fit.
    pub fn confirm_recovery_kit(&self, kit: &RecoveryKit, groups: &[(usize, &str)]) -> Result<bool, CallError> {
        let actor = self.authorize(Action::ConfirmRecoveryKit, None)?;
        let kept = kit.vault() == self.core.vault.id
            && !groups.is_empty()
            && groups.iter().all(|&(position, typed)| kit.group_matches(position, typed));
        if kept {
            self.record(&actor, Event::RecoveryKitConfirmed)?;
        }
        Ok(kept)
    }
}

//! Fresh authentication inside a session, and the proof that the recovery kit was kept.

use coffer_crypto::kdf::Factors;
use coffer_crypto::memory::KdfMemory;
use coffer_crypto::passphrase::Passphrase;
use coffer_crypto::slot::{AccountPlace, OpenSlotError, Slot};
use coffer_model::event::Event;

use crate::fault::{CallError, Damage, Fault};
use crate::kit::RecoveryKit;
use crate::policy::Action;
use crate::session::Session;
use crate::usecase::UnlockError;

impl Session {
    /// Checks the account's passphrase again, before something that asks for it. Takes as long as unlocking; a wrong
    /// one is logged as a failed unlock.
    pub fn check_passphrase(&self, passphrase: &Passphrase) -> Result<(), UnlockError> {
        let core = &*self.core;
        let slots: Vec<Slot> = {
            let office = core.office();
            let entry = office.header.accounts.iter().find(|entry| entry.account == core.account);
            let slots = entry.map(|entry| entry.slots.as_slice()).unwrap_or_default();
            let parse = |bytes: &minicbor::bytes::ByteVec| Slot::parse(bytes, &core.host.kdf_floor);
            slots.iter().map(parse).collect::<Result<_, _>>().map_err(|_| Fault::Damaged(Damage::Header))?
        };
        let place = AccountPlace { vault: *core.vault.id.as_bytes(), account: *core.account.as_bytes() };
        let mut memory = KdfMemory::new();
        for slot in slots {
            match slot.open(passphrase, &Factors::default(), &place, &mut memory) {
                Ok(_) => return Ok(()),
                Err(OpenSlotError::Refused) => {}
                Err(OpenSlotError::Memory(_)) => return Err(Fault::OutOfMemory.into()),
            }
        }
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

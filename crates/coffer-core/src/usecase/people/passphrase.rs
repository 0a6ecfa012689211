//! Changing one's own passphrase: the account's keys stay, and are wrapped anew.
//!
//! A copy of the vault from before still opens with the old passphrase, and so do backups: whoever may have it has what was
//! in them.

use coffer_crypto::kdf::Factors;
use coffer_crypto::memory::KdfMemory;
use coffer_crypto::passphrase::Passphrase;
use coffer_crypto::secret::AccountMasterKey;
use coffer_crypto::slot::{AccountPlace, NewSlot, Slot, SlotKind};
use coffer_crypto::strength::{self, Refusal};
use coffer_model::event::Event;
use subtle::ConstantTimeEq;

use super::super::create::{choose_kdf, refusal_code};
use super::super::step_up::FreshAuthentication;
use super::{AccountError, fresh};
use crate::chain::{self, Body, SlotsNamed};
use crate::fault::{CallError, Damage, Fault};
use crate::policy::Action;
use crate::session::{Core, Office, Session};
use crate::vault::{name_of, read_header};

/// Why a passphrase was not changed. The old one still opens the vault.
#[derive(Debug, thiserror::Error)]
pub enum ChangePassphraseError {
    /// The new passphrase is refused.
    #[error(transparent)]
    Passphrase(#[from] Refusal),
    /// The old passphrase was not given just now.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The call was refused or failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl ChangePassphraseError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Passphrase(refusal) => refusal_code(*refusal),
            Self::Account(error) => error.code(),
            Self::Call(error) => error.code(),
        }
    }
}

impl From<Fault> for ChangePassphraseError {
    fn from(fault: Fault) -> Self {
        Self::Call(fault.into())
    }
}

impl Session {
    /// Changes the passphrase of the account that is unlocked. `proof` says that the old one was given just now.
    pub fn change_passphrase(
        &self,
        passphrase: &Passphrase,
        proof: FreshAuthentication,
    ) -> Result<(), ChangePassphraseError> {
        let actor = self.authorize(Action::ChangePassphrase, None)?;
        let core = &*self.core;
        fresh(core, proof)?;
        strength::check(passphrase, &[core.login.as_str(), &name_of(&core.folder)], false)?;
        let mut memory = KdfMemory::new();
        let measured = choose_kdf(&core.host, &mut memory)?;
        // Never cheaper than this account ever was, however slow the machine is today.
        let params = core.office().state.at_least(&measured, core.host.kdf_floor);
        let place = core.account_place();
        let new_slot = NewSlot { kind: SlotKind::Passphrase, passphrase, factors: Factors::default(), params };
        let slot = Slot::create(&new_slot, &place, &core.keys.master, &mut memory, &mut core.random())
            .map_err(|_| Fault::OutOfMemory)?;
        // The new slot first, beside the old one, and tried as it stands on the disk. Then the statement, from which on the
        // old one opens nothing, not even put back; last it goes.
        {
            let mut office = core.office();
            own_entry(core, &mut office)?.slots.push(slot.encode().into());
            if let Err(fault) = core.write_header(&mut office) {
                // Or locking would write it, and the passphrase would be half changed.
                own_entry(core, &mut office)?.slots.pop();
                return Err(fault.into());
            }
        }
        if !core.slot_on_disk_opens(&slot, passphrase, &mut memory)? {
            return Err(Fault::Damaged(Damage::Header).into());
        }
        let written = slot.encode();
        let kept: Vec<_> = {
            let mut office = core.office();
            let slots = own_entry(core, &mut office)?.slots.iter();
            slots.filter(|other| is_other_kind(core, other) || other.as_slice() == written).cloned().collect()
        };
        let slots = kept.iter().map(|slot| chain::digest(slot).into()).collect();
        let named = Body::SlotsNamed(SlotsNamed { slots });
        core.change_directory(&actor, Event::PassphraseChanged, vec![named], |_| Ok(()))?;
        let mut office = core.office();
        own_entry(core, &mut office)?.slots = kept;
        office.state.raise_kdf_minimum(slot.params());
        core.write_header(&mut office)?;
        Ok(())
    }
}

impl Core {
    pub(in crate::usecase) fn account_place(&self) -> AccountPlace {
        AccountPlace { vault: *self.vault.id.as_bytes(), account: *self.account.as_bytes() }
    }

    fn slot_on_disk_opens(&self, slot: &Slot, passphrase: &Passphrase, memory: &mut KdfMemory) -> Result<bool, Fault> {
        let header = read_header(&self.folder)?;
        let written = slot.encode();
        let entry = header.accounts.iter().find(|entry| entry.account == self.account);
        if !entry.is_some_and(|entry| entry.slots.iter().any(|bytes| bytes.as_slice() == written)) {
            return Ok(false);
        }
        let opened: Result<AccountMasterKey, _> =
            slot.open(passphrase, &Factors::default(), &self.account_place(), memory);
        Ok(opened.is_ok_and(|master| bool::from(master.ct_eq(&self.keys.master))))
    }
}

fn own_entry<'o>(core: &Core, office: &'o mut Office) -> Result<&'o mut crate::header::AccountEntry, Fault> {
    office.header.entry_mut(core.account).ok_or(Fault::Damaged(Damage::Header))
}

/// Whether a slot is opened by something else than the passphrase.
fn is_other_kind(core: &Core, slot: &[u8]) -> bool {
    Slot::parse(slot, &core.host.kdf_floor).is_ok_and(|slot| slot.kind() != SlotKind::Passphrase)
}

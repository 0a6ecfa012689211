//! Changing what opens one's own account: the passphrase, and the key factors beside it. The account's keys stay, and are
//! wrapped anew.
//!
//! A copy of the vault from before still opens with what opened it then, and so do backups: whoever may have it has what
//! was in them.

use std::fmt;

use coffer_crypto::kdf::{self, FactorMask, Factors, KdfParams};
use coffer_crypto::memory::KdfMemory;
use coffer_crypto::passphrase::Passphrase;
use coffer_crypto::secret::{AccountMasterKey, DeviceSecret, PersonalCode, SecretBytes};
use coffer_crypto::slot::{AccountPlace, NewSlot, Slot, SlotKind};
use coffer_crypto::strength::{self, Refusal};
use coffer_model::event::Event;
use subtle::ConstantTimeEq;

use super::super::create::{choose_kdf, refusal_code};
use super::super::credentials::{self, Credentials};
use super::super::step_up::FreshAuthentication;
use super::{AccountError, fresh};
use crate::chain::{self, Body, SlotsNamed};
use crate::fault::{CallError, Damage, Fault};
use crate::header::{OwnRenewal, SecondFactor};
use crate::host::KeyringError;
use crate::keys::NewAccountKeys;
use crate::policy::Action;
use crate::session::{Actor, Core, Office, Session};
use crate::store::files;
use crate::vault::{HEADER_FILE, name_of, read_header};
use crate::view::WaysInView;

/// Fewest bytes of a key file: what can be guessed adds nothing.
const KEY_FILE_MIN: usize = 32;
/// Most bytes of a key file.
pub const KEY_FILE_MAX: usize = 1024 * 1024;

/// Why nothing was changed. What opened the account before still does.
#[derive(Debug, thiserror::Error)]
pub enum ChangePassphraseError {
    /// The new passphrase is refused.
    #[error(transparent)]
    Passphrase(#[from] Refusal),
    /// The account has a key file, and it was not given: it is part of the new slot, too.
    #[error("the account's key file is needed as well")]
    KeyFileNeeded,
    /// The key file is too short to be none that can be guessed, or too long.
    #[error("a key file has 32 bytes to 1 MiB")]
    KeyFileLength,
    /// The keyring did not take or give the device's secret.
    #[error("the keyring cannot be used: {0}")]
    Keyring(KeyringError),
    /// The old passphrase was not given just now.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The call was refused or failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// Other keys for an account, made and not in place yet.
pub struct NewOwnKeys {
    place: AccountPlace,
    keys: NewAccountKeys,
    slot: Slot,
    device_secret: bool,
}

impl fmt::Debug for NewOwnKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewOwnKeys(..)")
    }
}

impl ChangePassphraseError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Passphrase(refusal) => refusal_code(*refusal),
            Self::KeyFileNeeded => "key_file_needed",
            Self::KeyFileLength => "key_file_length",
            Self::Keyring(_) => "keyring_unusable",
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

/// What shall open an account from now on.
#[derive(Debug)]
pub struct WayIn<'a> {
    /// The passphrase, new or not.
    pub passphrase: &'a Passphrase,
    /// Whether a secret in this device's keyring is needed as well. A copy of the vault then opens nowhere else.
    pub device_secret: bool,
    /// The content of a file that is needed as well.
    pub key_file: Option<&'a [u8]>,
}

impl Session {
    /// What opens the account that is unlocked.
    pub fn ways_in(&self) -> Result<WaysInView, CallError> {
        self.authorize(Action::EnrolSecondFactor, None)?;
        let core = &*self.core;
        let slots = core.own_slots()?;
        let passphrase = slots.iter().rfind(|slot| slot.kind() == SlotKind::Passphrase);
        let passphrase = passphrase.ok_or(Fault::Damaged(Damage::Header))?;
        let second_factor_required = core.must_have_second_factor();
        let office = core.office();
        let factor = office.state.second_factor.as_ref();
        let known = office.membership.accounts.get(&core.account);
        let federation = known.and_then(|known| known.federation.as_ref());
        let lease = office.state.lease.as_ref();
        Ok(WaysInView {
            device_secret: passphrase.factors().device_secret,
            key_file: passphrase.factors().key_file,
            kdf_memory_kib: passphrase.params().memory_kib(),
            kdf_passes: passphrase.params().passes(),
            personal_code: slots.iter().any(|slot| slot.kind() == SlotKind::PersonalRecovery),
            second_factor: factor.is_some(),
            second_factor_required,
            spare_codes_left: factor.map_or(0, SecondFactor::spare_left),
            federated: federation.is_some(),
            lease_until: federation.and_then(|known| lease.and_then(|lease| lease.until(known.mark))),
        })
    }

    /// Changes the passphrase of the account that is unlocked; key factors stay as they are. `proof` says that the old one
    /// was given just now.
    pub fn change_passphrase(
        &self,
        passphrase: &Passphrase,
        proof: FreshAuthentication,
    ) -> Result<(), ChangePassphraseError> {
        self.authorize(Action::ChangePassphrase, None)?;
        let factors = self.core.key_factors()?;
        if factors.key_file {
            return Err(ChangePassphraseError::KeyFileNeeded);
        }
        self.change_way_in(&WayIn { passphrase, device_secret: factors.device_secret, key_file: None }, proof)
    }

    /// Changes what opens the account that is unlocked: passphrase and key factors together. `proof` says that the old
    /// passphrase was given just now. A passphrase with a key factor may be shorter.
    pub fn change_way_in(&self, way: &WayIn<'_>, proof: FreshAuthentication) -> Result<(), ChangePassphraseError> {
        let actor = self.authorize(Action::ChangePassphrase, None)?;
        let core = &*self.core;
        fresh(core, proof)?;
        core.with_new_slot(way, |slot, memory| core.replace_slot(&actor, slot, Event::PassphraseChanged, memory))?;
        if !way.device_secret {
            // It opens nothing any more. A keyring that does not answer keeps what is of no use.
            let _ = credentials::forget_device_secret(&core.host, core.vault.id, core.account);
        }
        Ok(())
    }

    /// For when the passphrase may be known, and with it the account's keys: makes another master key and other key pairs, under
    /// `way`. [`Session::renew_own_keys`] puts them in place; nothing is changed before.
    pub fn make_own_keys(
        &self,
        way: &WayIn<'_>,
        proof: FreshAuthentication,
    ) -> Result<NewOwnKeys, ChangePassphraseError> {
        self.authorize(Action::ChangePassphrase, None)?;
        let core = &*self.core;
        fresh(core, proof)?;
        let keys = NewAccountKeys::generate(&mut core.random());
        let place = core.account_place();
        let slot = core.with_new_slot(way, |new, memory| {
            let created = Slot::create(new, &place, &keys.master, memory, &mut core.random());
            Ok(created.map_err(|_| Fault::OutOfMemory)?)
        })?;
        Ok(NewOwnKeys { place, keys, slot, device_secret: way.device_secret })
    }

    /// Gives the account the keys that were made for it, and locks. Unlocking with what they are under states them, and what the
    /// account held is pending from then on ([`Session::start_rekeying`]). The personal recovery code opens nothing any more, nor
    /// does anything that opened a copy of the vault from before open this one.
    ///
    /// Decided by one moment, the header's: before it the old passphrase counts, after it the new one alone.
    pub fn renew_own_keys(self, new: NewOwnKeys) -> Result<(), CallError> {
        let actor = self.authorize(Action::ChangePassphrase, None)?;
        let core = &*self.core;
        let NewOwnKeys { place, keys, slot, device_secret } = new;
        if place != core.account_place() {
            return Err(CallError::Refused);
        }
        self.record(&actor, Event::OwnKeysRenewed)?;
        // From here on nobody else writes the header.
        core.lock()?;
        let mut office = core.office();
        let office = &mut *office;
        let entry = own_entry(core, office)?.clone();
        let mut state = office.state.clone();
        state.raise_kdf_minimum(slot.params());
        state.renewal = Some(OwnRenewal::of(&entry, &core.keys.master));
        let renewed = keys.entry(core.vault.id, core.account, *entry.lookup, &slot, &state, &mut core.random());
        *own_entry(core, office)? = renewed;
        let bytes = office.header.encode_next(&office.header_mac);
        files::replace_private_file(&core.folder.join(HEADER_FILE), &bytes).map_err(Fault::from)?;
        if !device_secret {
            let _ = credentials::forget_device_secret(&core.host, core.vault.id, core.account);
        }
        Ok(())
    }

    /// Makes a personal recovery code for the account that is unlocked, and shows it once: a way in beside the passphrase,
    /// without key factors. One of before opens nothing any more.
    pub fn make_personal_code(&self, proof: FreshAuthentication) -> Result<SecretBytes, ChangePassphraseError> {
        let actor = self.authorize(Action::ChangePassphrase, None)?;
        let core = &*self.core;
        fresh(core, proof)?;
        let personal = PersonalCode::generate(&mut core.random());
        let as_typed = personal.to_passphrase();
        let mut memory = KdfMemory::new();
        let params = core.office().state.at_least(&choose_kdf(&core.host, &mut memory)?, core.host.kdf_floor);
        let factors = Factors::default();
        let slot = NewSlot { kind: SlotKind::PersonalRecovery, passphrase: &as_typed, factors, params };
        core.replace_slot(&actor, &slot, Event::PersonalCodeMade, &mut memory)?;
        Ok(personal.to_text())
    }
}

impl Core {
    /// Checks what is to open the account from now on, fits its cost to this machine, and hands it to `take`.
    fn with_new_slot<T>(
        &self,
        way: &WayIn<'_>,
        take: impl FnOnce(&NewSlot<'_>, &mut KdfMemory) -> Result<T, CallError>,
    ) -> Result<T, ChangePassphraseError> {
        if way.key_file.is_some_and(|content| !(KEY_FILE_MIN..=KEY_FILE_MAX).contains(&content.len())) {
            return Err(ChangePassphraseError::KeyFileLength);
        }
        let has_factor = way.device_secret || way.key_file.is_some();
        strength::check(way.passphrase, &[self.login.as_str(), &name_of(&self.folder)], has_factor)?;
        let device = way.device_secret.then(|| self.own_device_secret()).transpose();
        let device = device.map_err(ChangePassphraseError::Keyring)?;
        let key_file = way.key_file.map(kdf::key_file_digest);
        let mut memory = KdfMemory::new();
        let measured = choose_kdf(&self.host, &mut memory)?;
        // Never cheaper than this account ever was, however slow the machine is today.
        let params = self.office().state.at_least(&measured, self.host.kdf_floor);
        let factors = Factors { device_secret: device.as_ref(), key_file: key_file.as_ref() };
        let slot = NewSlot { kind: SlotKind::Passphrase, passphrase: way.passphrase, factors, params };
        Ok(take(&slot, &mut memory)?)
    }

    pub(in crate::usecase) fn account_place(&self) -> AccountPlace {
        AccountPlace { vault: *self.vault.id.as_bytes(), account: *self.account.as_bytes() }
    }

    /// Slots of the account that count.
    fn own_slots(&self) -> Result<Vec<Slot>, Fault> {
        let office = self.office();
        let named = office.membership.accounts.get(&self.account).and_then(|account| account.slots.as_ref());
        let entry = office.header.accounts.iter().find(|entry| entry.account == self.account);
        let slots = entry.map(|entry| entry.slots.as_slice()).unwrap_or_default();
        let counts = |slot: &&minicbor::bytes::ByteVec| named.is_none_or(|named| named.contains(&chain::digest(slot)));
        let parsed = slots.iter().filter(counts).map(|bytes| Slot::parse(bytes, &self.host.kdf_floor));
        parsed.collect::<Result<_, _>>().map_err(|_| Fault::Damaged(Damage::Header))
    }

    /// What the passphrase needs beside it.
    fn key_factors(&self) -> Result<FactorMask, Fault> {
        let slots = self.own_slots()?;
        let newest = slots.iter().rfind(|slot| slot.kind() == SlotKind::Passphrase);
        Ok(newest.map_or(FactorMask::default(), Slot::factors))
    }

    /// The secret that this device keeps for the account, made if there is none: one that is there is what a slot may ask
    /// for, and must not go before that slot does.
    fn own_device_secret(&self) -> Result<DeviceSecret, KeyringError> {
        match credentials::device_secret(&self.host, self.vault.id, self.account) {
            Err(KeyringError::NotFound) => {}
            found => return found,
        }
        let secret = DeviceSecret::generate(&mut self.random());
        credentials::keep_device_secret(&self.host, self.vault.id, self.account, &secret)?;
        Ok(secret)
    }

    /// Gives the slot that was just opened the cost that the vault's rules ask for, where it has less.
    ///
    /// A machine that could not derive it any more is left as it is: nobody is shut out by a rule.
    pub(in crate::usecase) fn raise_kdf(&self, shown: &Credentials, slot: &Slot) -> Result<(), CallError> {
        let least = self.office().membership.policy.kdf_memory_kib;
        let spare = self.host.machine.memory_bytes().map_or(u64::MAX, |bytes| bytes / 1024 / 2);
        if slot.params().memory_kib() >= least || u64::from(least) > spare {
            return Ok(());
        }
        let (passes, lanes) = (slot.params().passes(), slot.params().lanes());
        let Ok(params) = KdfParams::new(least.into(), passes.into(), lanes.into(), &self.host.kdf_floor) else {
            return Ok(());
        };
        let device = slot.factors().device_secret.then(|| self.own_device_secret()).transpose();
        // It was there a moment ago. Next time, then.
        let Ok(device) = device else { return Ok(()) };
        let key_file = shown.key_file.as_ref().filter(|_| slot.factors().key_file);
        let factors = Factors { device_secret: device.as_ref(), key_file };
        let new = NewSlot { kind: shown.kind, passphrase: &shown.secret, factors, params };
        let actor = self.authorize_own_upkeep()?;
        self.replace_slot(&actor, &new, Event::KdfRaised, &mut KdfMemory::new())
    }

    /// Puts a slot into the place of those of its kind: written beside them and tried as it stands on the disk; then the
    /// statement, from which on those of before open nothing, not even put back; last they go.
    fn replace_slot(
        &self,
        actor: &Actor,
        new: &NewSlot<'_>,
        event: Event,
        memory: &mut KdfMemory,
    ) -> Result<(), CallError> {
        let slot = Slot::create(new, &self.account_place(), &self.keys.master, memory, &mut self.random())
            .map_err(|_| Fault::OutOfMemory)?;
        {
            let mut office = self.office();
            own_entry(self, &mut office)?.slots.push(slot.encode().into());
            if let Err(fault) = self.write_header(&mut office) {
                // Or locking would write it, and the change would be half made.
                own_entry(self, &mut office)?.slots.pop();
                return Err(fault.into());
            }
        }
        if !self.slot_on_disk_opens(&slot, new, memory)? {
            return Err(Fault::Damaged(Damage::Header).into());
        }
        let written = slot.encode();
        let counting: Vec<Vec<u8>> = self.own_slots()?.iter().map(Slot::encode).collect();
        let kept: Vec<_> = {
            let mut office = self.office();
            let slots = own_entry(self, &mut office)?.slots.iter();
            let stays = |other: &&minicbor::bytes::ByteVec| {
                let is_other = Slot::parse(other, &self.host.kdf_floor).is_ok_and(|slot| slot.kind() != new.kind);
                other.as_slice() == written || is_other && counting.iter().any(|counts| *counts == other.as_slice())
            };
            slots.filter(stays).cloned().collect()
        };
        let slots = kept.iter().map(|slot| chain::digest(slot).into()).collect();
        let named = Body::SlotsNamed(SlotsNamed { slots });
        self.change_directory(actor, event, vec![named], |_| Ok(()))?;
        let mut office = self.office();
        own_entry(self, &mut office)?.slots = kept;
        if new.kind == SlotKind::Passphrase {
            office.state.raise_kdf_minimum(slot.params());
        }
        self.write_header(&mut office)?;
        Ok(())
    }

    fn slot_on_disk_opens(&self, slot: &Slot, new: &NewSlot<'_>, memory: &mut KdfMemory) -> Result<bool, Fault> {
        let header = read_header(&self.folder)?;
        let written = slot.encode();
        let entry = header.accounts.iter().find(|entry| entry.account == self.account);
        if !entry.is_some_and(|entry| entry.slots.iter().any(|bytes| bytes.as_slice() == written)) {
            return Ok(false);
        }
        let opened: Result<AccountMasterKey, _> =
            slot.open(new.passphrase, &new.factors, &self.account_place(), memory);
        Ok(opened.is_ok_and(|master| bool::from(master.ct_eq(&self.keys.master))))
    }
}

fn own_entry<'o>(core: &Core, office: &'o mut Office) -> Result<&'o mut crate::header::AccountEntry, Fault> {
    office.header.entry_mut(core.account).ok_or(Fault::Damaged(Damage::Header))
}

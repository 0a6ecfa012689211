//! What a person shows to get in, and the slots that it opens. Layout: docs/FORMAT.md §3.1, §4.5.
//!
//! A passphrase alone, or with the device's secret from the keyring, a key file, or both: these are key material, and
//! without them the slot stays closed to everybody. The code of a second factor and the token of an identity provider are
//! not: this program asks for them.

use std::fmt;

use coffer_crypto::derive::{self, Id};
use coffer_crypto::kdf::{self, Factors};
use coffer_crypto::memory::KdfMemory;
use coffer_crypto::passphrase::Passphrase;
use coffer_crypto::secret::{AccountMasterKey, DeviceSecret, KeyFileDigest, PersonalCode, SecretKey};
use coffer_crypto::slot::{self, AccountPlace, OpenSlotError, Slot, SlotKind};
use coffer_model::id::{AccountId, VaultId};
use zeroize::Zeroizing;

use crate::fault::{Damage, Fault};
use crate::header::Header;
use crate::host::{Host, KeyringError, SecretBytes};
use crate::vault::normalise_login;

/// Under which service the keyring holds device secrets; the name is vault and account.
const KEYRING_SERVICE: &str = "Coffer device secret";

/// A passphrase, or a personal recovery code, with whatever else the person has.
///
/// More than is asked for may be offered: what a slot does not take is left out.
pub struct Credentials {
    pub(crate) secret: Passphrase,
    pub(crate) kind: SlotKind,
    pub(crate) key_file: Option<KeyFileDigest>,
    pub(crate) code: Option<Zeroizing<String>>,
    pub(crate) token: Option<Zeroizing<Vec<u8>>>,
}

impl Credentials {
    /// A passphrase by itself.
    pub const fn new(passphrase: Passphrase) -> Self {
        Self { secret: passphrase, kind: SlotKind::Passphrase, key_file: None, code: None, token: None }
    }

    /// The personal recovery code in place of a passphrase. Key factors are not asked for then; a second factor is.
    pub fn by_personal_code(code: &PersonalCode) -> Self {
        let (secret, kind) = (code.to_passphrase(), SlotKind::PersonalRecovery);
        Self { secret, kind, key_file: None, code: None, token: None }
    }

    /// With the content of a key file.
    #[must_use]
    pub fn with_key_file(self, content: &[u8]) -> Self {
        Self { key_file: Some(kdf::key_file_digest(content)), ..self }
    }

    /// With a code of the second factor, as typed.
    #[must_use]
    pub fn with_code(self, code: Zeroizing<String>) -> Self {
        Self { code: Some(code), ..self }
    }

    /// With a token of the identity provider, as it was handed over.
    #[must_use]
    pub fn with_token(self, token: Zeroizing<Vec<u8>>) -> Self {
        Self { token: Some(token), ..self }
    }

    /// Puts in a token of the identity provider, as it was handed over.
    pub fn set_token(&mut self, token: Zeroizing<Vec<u8>>) {
        self.token = Some(token);
    }

    /// Puts in a code of the second factor, as typed.
    pub fn set_code(&mut self, code: Zeroizing<String>) {
        self.code = Some(code);
    }
}

impl From<Passphrase> for Credentials {
    fn from(passphrase: Passphrase) -> Self {
        Self::new(passphrase)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}

/// Key factors that slots of the vault ask for and that were not there. About the vault, not about the login: a login
/// that nobody has is answered alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MissingFactors {
    /// Why the keyring did not give the device's secret; `None` if it did, or none is asked for.
    pub keyring: Option<KeyringError>,
    /// Whether some slot asks for a key file and none was named.
    pub key_file: bool,
}

/// What came of showing credentials.
pub(super) enum Opening {
    /// The account is this one.
    Opened(AccountId, AccountMasterKey, Slot),
    /// Something is wrong with them.
    Refused,
    /// As [`Opening::Refused`], and something was missing.
    Missing(MissingFactors),
}

/// Finds and opens the login's slot. A login that nobody has, or that has no such slot, costs the same.
pub(super) fn open_slot(
    host: &Host,
    header: &Header,
    login: &str,
    shown: &Credentials,
    counts: &dyn Fn(AccountId, &[u8]) -> bool,
) -> Result<Opening, Fault> {
    let login = normalise_login(login);
    let vault = header.vault;
    let mut memory = KdfMemory::new();
    // Every slot is parsed before any is derived from: a header asking for too much costs nothing.
    let mut slots = Vec::new();
    for entry in &header.accounts {
        for bytes in &entry.slots {
            let slot = Slot::parse(bytes, &host.kdf_floor).map_err(|_| Fault::Damaged(Damage::Header))?;
            if slot.kind() == shown.kind && counts(entry.account, bytes) {
                slots.push((entry, slot));
            }
        }
    }
    let lookup = derive::login_lookup(&header.salt, &login);
    let decoy: Id = derive::decoy_id(&header.salt, &login);
    let known = header.accounts.iter().find(|entry| *entry.lookup == lookup);
    let account = known.map_or(AccountId::from_bytes(decoy), |entry| entry.account);
    let asks = |factor: fn(&Slot) -> bool| slots.iter().any(|(_, slot)| factor(slot));
    let device = if asks(|slot| slot.factors().device_secret) {
        device_secret(host, vault, account).map(Some)
    } else {
        Ok(None)
    };
    let missing = MissingFactors {
        keyring: device.as_ref().err().copied(),
        key_file: shown.key_file.is_none() && asks(|slot| slot.factors().key_file),
    };
    let device = device.unwrap_or(None);
    let factors = Factors { device_secret: device.as_ref(), key_file: shown.key_file.as_ref() };
    let mut own = slots.iter().filter(|(entry, _)| *entry.lookup == lookup).peekable();
    if own.peek().is_none() {
        spend(header, host, &login, &shown.secret, decoy, &mut memory)?;
    }
    // A change of the passphrase that was stopped leaves two.
    for (entry, slot) in own {
        let place = AccountPlace { vault: *vault.as_bytes(), account: *entry.account.as_bytes() };
        match slot.open(&shown.secret, &factors, &place, &mut memory) {
            Ok(master) => return Ok(Opening::Opened(entry.account, master, slot.clone())),
            Err(OpenSlotError::Refused) => {}
            Err(OpenSlotError::Memory(_)) => return Err(Fault::OutOfMemory),
        }
    }
    let nothing_missing = missing == MissingFactors { keyring: None, key_file: false };
    Ok(if nothing_missing { Opening::Refused } else { Opening::Missing(missing) })
}

/// Spends what a login's slot would.
fn spend(
    header: &Header,
    host: &Host,
    login: &str,
    secret: &Passphrase,
    decoy: Id,
    memory: &mut KdfMemory,
) -> Result<(), Fault> {
    let parsed = header.accounts.iter().flat_map(|entry| &entry.slots);
    let costliest = parsed
        .filter_map(|bytes| Slot::parse(bytes, &host.kdf_floor).ok())
        .max_by_key(|slot| u64::from(slot.params().memory_kib()) * u64::from(slot.params().passes()))
        .ok_or(Fault::Damaged(Damage::Header))?;
    let salt = derive::decoy_salt(&header.salt, login);
    let vault = *header.vault.as_bytes();
    slot::spend_on_unknown_login(secret, &salt, decoy, costliest.params(), vault, memory)
        .map_err(|_| Fault::OutOfMemory)
}

/// The secret that this device keeps for an account.
pub(super) fn device_secret(host: &Host, vault: VaultId, account: AccountId) -> Result<DeviceSecret, KeyringError> {
    let found = host.keyring.get(KEYRING_SERVICE, &keyring_name(vault, account))?;
    DeviceSecret::parse(found.expose()).map_err(|_| KeyringError::Failed)
}

/// Has the keyring keep a secret for an account, and reads it back: it must be there before a slot asks for it.
pub(super) fn keep_device_secret(
    host: &Host,
    vault: VaultId,
    account: AccountId,
    secret: &DeviceSecret,
) -> Result<(), KeyringError> {
    let name = keyring_name(vault, account);
    host.keyring.set(KEYRING_SERVICE, &name, &SecretBytes::new(secret.expose_bytes().to_vec()))?;
    let kept = host.keyring.get(KEYRING_SERVICE, &name)?;
    if kept.expose() == secret.expose_bytes() { Ok(()) } else { Err(KeyringError::Failed) }
}

/// Has the keyring forget it.
pub(super) fn forget_device_secret(host: &Host, vault: VaultId, account: AccountId) -> Result<(), KeyringError> {
    host.keyring.delete(KEYRING_SERVICE, &keyring_name(vault, account))
}

fn keyring_name(vault: VaultId, account: AccountId) -> String {
    format!("{vault} {account}")
}

//! Becoming an account: the code finds the invitation, opens the directory and vouches for the new account's keys.
//! Layout: docs/FORMAT.md §3.4, §5.8.
//!
//! The header's new entry comes first, with everything that is needed to state the enrolment later: from then on the
//! passphrase opens the vault, whatever is stopped, and unlocking completes what is missing.

use coffer_crypto::activation::InvitationKeys;
use coffer_crypto::derive;
use coffer_crypto::kdf::Factors;
use coffer_crypto::label;
use coffer_crypto::memory::KdfMemory;
use coffer_crypto::passphrase::Passphrase;
use coffer_crypto::seal;
use coffer_crypto::secret::{ActivationCode, DirectoryKey};
use coffer_crypto::slot::{AccountPlace, NewSlot, Slot, SlotKind};
use coffer_crypto::strength::{self, Refusal};

use super::super::create::{choose_kdf, refusal_code};
use super::super::relocation::ThisCopy;
use super::super::unlock::{Amends, OpenedAccount, UnlockError};
use crate::anchor;
use crate::chain::{AccountEnrolled, Membership};
use crate::fault::{Damage, Fault};
use crate::header::{Enrolment, Header, SealedState};
use crate::host;
use crate::keys::{NewAccountKeys, directory_context, directory_kid};
use crate::session::Session;
use crate::store::files::{self, VaultLock};
use crate::store::sqlcipher::StoreError;
use crate::vault::{HEADER_FILE, Vault, name_of, read_header};

/// Why a code did not make anybody an account.
#[derive(Debug, thiserror::Error)]
pub enum ActivateError {
    /// No open invitation of this vault has that code: it is mistyped, was used or withdrawn. The attempt is in the log.
    #[error("no open invitation of this vault has that activation code")]
    NoInvitation,
    /// The code was not used in time. Ask for another one.
    #[error("the activation code has expired")]
    Expired,
    /// The passphrase is refused.
    #[error(transparent)]
    Passphrase(#[from] Refusal),
    /// The vault could not be unlocked.
    #[error(transparent)]
    Unlock(#[from] UnlockError),
}

impl ActivateError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoInvitation => "no_invitation",
            Self::Expired => "activation_expired",
            Self::Passphrase(refusal) => refusal_code(*refusal),
            Self::Unlock(error) => error.code(),
        }
    }
}

impl From<Fault> for ActivateError {
    fn from(fault: Fault) -> Self {
        Self::Unlock(fault.into())
    }
}

/// An invitation that a code opened.
struct Opened {
    keys: InvitationKeys,
    membership: Membership,
    account: coffer_model::id::AccountId,
    directory_key: DirectoryKey,
}

impl Vault {
    /// What the account will be called that the code is for: what a passphrase must not be built from. Changes nothing.
    pub fn invited_login(&self, code: &ActivationCode) -> Result<String, ActivateError> {
        let _lock = VaultLock::acquire(&self.folder, &Self::holder(&self.host)).map_err(UnlockError::from)?;
        let header = read_header(&self.folder)?;
        let opened = self.open_invitation(&header, code)?;
        Ok(opened.membership.invitations[&opened.account].login.to_string())
    }

    /// Makes the person with the code an account, with this passphrase, and unlocks the vault for it.
    pub fn activate(&self, code: &ActivationCode, passphrase: &Passphrase) -> Result<Session, ActivateError> {
        let lock = VaultLock::acquire(&self.folder, &Self::holder(&self.host)).map_err(UnlockError::from)?;
        files::make_all_private(&self.folder).map_err(Fault::from)?;
        files::sweep_temporaries(&self.folder).map_err(Fault::from)?;
        let mut header = read_header(&self.folder)?;
        let opened = self.open_invitation(&header, code)?;
        let anchors = anchor::Reading::begin(&self.host.keyring, header.vault);
        let Opened { keys, membership, account, directory_key } = opened;
        let copy = ThisCopy { host: &self.host, folder: &self.folder, membership: &membership };
        copy.refuse_moved(account, Amends::None)?;
        let invitation = &membership.invitations[&account];
        strength::check(passphrase, &[invitation.login.as_str(), &name_of(&self.folder)], false)?;

        let mut random = host::crypto_random(&self.host);
        let mut memory = KdfMemory::new();
        let params = choose_kdf(&self.host, &mut memory)?;
        let own = NewAccountKeys::generate(&mut random);
        let place = AccountPlace { vault: *header.vault.as_bytes(), account: *account.as_bytes() };
        let new_slot = NewSlot { kind: SlotKind::Passphrase, passphrase, factors: Factors::default(), params };
        let slot =
            Slot::create(&new_slot, &place, &own.master, &mut memory, &mut random).map_err(|_| Fault::OutOfMemory)?;
        drop(memory);

        let mut statement = AccountEnrolled {
            account,
            sealing: own.sealing().encode().into(),
            signing: own.signing().verifying_key().encode().into(),
            at_ms: self.host.clock.now().unix_millis(),
            vouched_for: [0; 64].into(),
        };
        statement.vouched_for = keys.signing.sign(label::ENROLMENT, &statement.vouched(header.vault)).into();
        let mut state = SealedState::new(membership.pin(), slot.params());
        state.enrolment = Some(Enrolment::new(statement, code));
        let lookup = derive::login_lookup(&header.salt, invitation.login.as_str());
        let entry = own.entry(header.vault, account, lookup, &slot, &state, &mut random);
        // Somebody may have begun before and been stopped: the code is still theirs.
        header.accounts.retain(|entry| entry.account != account);
        header.accounts.push(entry);
        // The directory is about to change: what was remembered of it no longer holds.
        header.directory = None;
        let bytes = header.encode_next(&derive::derive_header_mac_key(&directory_key, header.vault.as_bytes()));
        files::replace_private_file(&self.folder.join(HEADER_FILE), &bytes).map_err(Fault::from)?;
        let opened = OpenedAccount { account, master: own.master, slot, code: None, token: None };
        Ok(self.start_session(lock, header, opened, anchors, Amends::None)?)
    }

    /// Opens the invitation of a code and verifies everything it leads to, from the chain that the code vouches for on.
    fn open_invitation(&self, header: &Header, code: &ActivationCode) -> Result<Opened, ActivateError> {
        let vault = header.vault;
        let keys = InvitationKeys::derive(code, vault.as_bytes());
        let Some(entry) = header.invitations.iter().find(|entry| *entry.lookup == keys.lookup) else {
            self.record_failure(header)?;
            return Err(ActivateError::NoInvitation);
        };
        let damaged = || Fault::Damaged(Damage::Header);
        let pin = entry.open(vault, &keys).map_err(|_| damaged())?;
        let account = pin.account;
        // Once it has expired, new keys are sealed to it no more.
        let sealed = header.directory_sealed_to(account).ok_or(ActivateError::Expired)?;
        let context = directory_context(vault, account, header.directory_generation);
        let directory_key: DirectoryKey =
            seal::open_sealed_key(&keys.sealing, sealed, &context).map_err(|_| damaged())?;
        header.verify(&derive::derive_header_mac_key(&directory_key, vault.as_bytes())).map_err(|_| damaged())?;
        let directory = self.open_directory(header, &directory_key)?;
        let in_directory = |error: StoreError| error.into_fault(Damage::Directory);
        let statements = directory.statements().map_err(in_directory)?;
        let membership = Membership::replay(vault, &statements, Some(&pin.pin())).map_err(Fault::from)?;
        if membership.directory_kid != directory_kid(&directory_key, vault, header.directory_generation) {
            return Err(Fault::Damaged(Damage::Chain).into());
        }
        let Some(invitation) = membership.invitations.get(&account) else {
            self.record_failure(header)?;
            return Err(ActivateError::NoInvitation);
        };
        if invitation.sealing != *keys.sealing.public_key() || invitation.signing != keys.signing.verifying_key() {
            return Err(Fault::Damaged(Damage::Chain).into());
        }
        if self.host.clock.now() > invitation.expires_at {
            return Err(ActivateError::Expired);
        }
        Ok(Opened { keys, membership, account, directory_key })
    }
}

//! Unlocking: from a login and a passphrase to a session that has verified everything it will act on.
//! Layout: docs/FORMAT.md §3–5.
//!
//! Order: the vault's lock; the slot; the account's own entry; the directory key and with it the header's MAC; the
//! membership chain from the pinned founding statement; only then the keys the chain names. A login that does not exist
//! costs the same derivation and gets the same answer.

use coffer_crypto::derive::{self, Id};
use coffer_crypto::kdf::{Factors, KdfParams};
use coffer_crypto::label::{self, Context};
use coffer_crypto::memory::KdfMemory;
use coffer_crypto::passphrase::Passphrase;
use coffer_crypto::seal::{self, SealingKeyPair};
use coffer_crypto::secret::{AccountMasterKey, DirectoryKey, SealingSeed, SigningSeed};
use coffer_crypto::sign::SigningKey;
use coffer_crypto::slot::{AccountPlace, OpenSlotError, Slot};
use coffer_crypto::{slot, wrap};
use coffer_model::account::Role;
use coffer_model::event::Event;
use coffer_model::id::{AccountId, SessionId, VaultId};

use super::create::{directory_context, pair_context, sixteen};
use crate::audit::{AuditLog, EntryOrigin, LogError};
use crate::chain::Membership;
use crate::fault::{Damage, Fault};
use crate::header::{AccountEntry, Header, SealedState};
use crate::host;
use crate::session::{Keys, Session, SessionParts};
use crate::store::directory::{self, Directory, Holder, SharedPair};
use crate::store::file_root::FileRoot;
use crate::store::files::{self, LockError, LockHolder, VaultLock};
use crate::store::sqlcipher::{Access, StoreError};
use crate::vault::{HEADER_FILE, Vault, normalise_login, read_header};

/// Why a vault did not unlock.
#[derive(Debug, thiserror::Error)]
pub enum UnlockError {
    /// Login, passphrase or a key factor is wrong: these are not told apart. The attempt is in the log.
    #[error("login or passphrase is wrong")]
    Refused,
    /// Another process, or another session of this one, has the vault open.
    #[error("the vault is open elsewhere")]
    HeldBy(Option<LockHolder>),
    /// The vault or the machine under it failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl UnlockError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Refused => "unlock_refused",
            Self::HeldBy(_) => "held_elsewhere",
            Self::Fault(fault) => fault.code(),
        }
    }
}

impl From<LockError> for UnlockError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::HeldBy(holder) => Self::HeldBy(holder),
            LockError::File(error) => Self::Fault(error.into()),
        }
    }
}

impl Vault {
    /// Unlocks the vault for an account. Takes as long as Argon2id does; one attempt at a time for each vault.
    pub fn unlock(&self, login: &str, passphrase: Passphrase) -> Result<Session, UnlockError> {
        self.unlock_with(login, passphrase, OnBrokenLog::Refuse)
    }

    /// Unlocks a vault whose log does not fit its state (damage, or somebody put an old file back): the log goes on in a
    /// new segment linked to what is there, and says so for ever. Where the log is in order this is [`Vault::unlock`].
    pub fn unlock_restarting_log(&self, login: &str, passphrase: Passphrase) -> Result<Session, UnlockError> {
        self.unlock_with(login, passphrase, OnBrokenLog::Restart)
    }

    fn unlock_with(&self, login: &str, passphrase: Passphrase, broken: OnBrokenLog) -> Result<Session, UnlockError> {
        let lock = VaultLock::acquire(&self.folder, &Self::holder(&self.host))?;
        files::make_all_private(&self.folder).map_err(Fault::from)?;
        files::sweep_temporaries(&self.folder).map_err(Fault::from)?;
        let header = read_header(&self.folder)?;
        let Some((account, master, params)) = self.open_slot(&header, login, &passphrase)? else {
            self.record_failure(&header)?;
            return Err(UnlockError::Refused);
        };
        drop(passphrase);
        let session = self.start_session(lock, header, account, master, &params, broken)?;
        Ok(session)
    }

    /// Finds and opens the login's slot; `None` if anything about it is wrong.
    pub(super) fn open_slot(
        &self,
        header: &Header,
        login: &str,
        passphrase: &Passphrase,
    ) -> Result<Option<(AccountId, AccountMasterKey, KdfParams)>, Fault> {
        let login = normalise_login(login);
        let vault = header.vault;
        let mut memory = KdfMemory::new();
        // Every slot is parsed before any is derived from: a header asking for too much costs nothing.
        let mut slots = Vec::new();
        for entry in &header.accounts {
            for bytes in &entry.slots {
                let slot = Slot::parse(bytes, &self.host.kdf_floor).map_err(|_| Fault::Damaged(Damage::Header))?;
                slots.push((entry, slot));
            }
        }
        let lookup = derive::login_lookup(&header.salt, &login);
        let Some((entry, slot)) = slots.iter().find(|(entry, _)| *entry.lookup == lookup) else {
            let (_, costliest) = slots
                .iter()
                .max_by_key(|(_, slot)| u64::from(slot.params().memory_kib()) * u64::from(slot.params().passes()))
                .ok_or(Fault::Damaged(Damage::Header))?;
            let salt = derive::decoy_salt(&header.salt, &login);
            let decoy: Id = derive::decoy_id(&header.salt, &login);
            slot::spend_on_unknown_login(passphrase, &salt, decoy, costliest.params(), *vault.as_bytes(), &mut memory)
                .map_err(|_| Fault::OutOfMemory)?;
            return Ok(None);
        };
        let place = AccountPlace { vault: *vault.as_bytes(), account: *entry.account.as_bytes() };
        match slot.open(passphrase, &Factors::default(), &place, &mut memory) {
            Ok(master) => Ok(Some((entry.account, master, *slot.params()))),
            Err(OpenSlotError::Refused) => Ok(None),
            Err(OpenSlotError::Memory(_)) => Err(Fault::OutOfMemory),
        }
    }

    /// Writes a failed attempt to the log, which takes entries while locked.
    fn record_failure(&self, header: &Header) -> Result<(), Fault> {
        let mut random = host::crypto_random(&self.host);
        let log = AuditLog::open_locked(&self.folder, header.vault, &header.audit_cache)?;
        let origin = EntryOrigin::locked(&self.host.identity);
        Ok(log.append_unlock_failure(self.host.clock.now(), &origin, &mut random)?)
    }

    /// Opens the log; gives the entry a new segment begins at, if one had to be begun.
    ///
    /// The log must fit its own state, and must extend what the account remembers of it: whoever puts an old log back
    /// together with its old state is noticed here, unless the header is put back as well.
    fn open_log(
        &self,
        vault: VaultId,
        membership: &Membership,
        state: &SealedState,
        auditor: bool,
        broken: OnBrokenLog,
    ) -> Result<(AuditLog, Option<u64>), Fault> {
        match AuditLog::open(&self.folder, vault, &membership.audit) {
            Ok(log) if state.is_extended_by(&log)? => return Ok((log, None)),
            Ok(_) | Err(LogError::State(_)) => {}
            Err(error) => return Err(error.into()),
        }
        if broken == OnBrokenLog::Refuse || !auditor {
            return Err(Fault::Damaged(Damage::Log));
        }
        let head = AuditLog::open_to_read(&self.folder, vault, &membership.audit)?.head()?;
        let mut random = host::crypto_random(&self.host);
        let log = AuditLog::start_segment(&self.folder, vault, &membership.audit, head, &mut random)?;
        Ok((log, Some(head.0)))
    }

    fn start_session(
        &self,
        lock: VaultLock,
        mut header: Header,
        account: AccountId,
        master: AccountMasterKey,
        params: &KdfParams,
        broken: OnBrokenLog,
    ) -> Result<Session, Fault> {
        let vault = header.vault;
        let mut random = host::crypto_random(&self.host);
        let entry =
            header.accounts.iter().find(|entry| entry.account == account).ok_or(Fault::Damaged(Damage::Header))?;
        let mut state = entry.open_state(vault, &master).map_err(|_| Fault::Damaged(Damage::Header))?;
        if !state.accepts_kdf(params) {
            return Err(Fault::Damaged(Damage::Header));
        }
        let own = OwnKeys::open(entry, vault, &master)?;
        let directory_key: DirectoryKey =
            seal::open_sealed_key(&own.sealing, &entry.directory, &directory_context(vault, account))
                .map_err(|_| Fault::Damaged(Damage::Header))?;
        let header_mac = derive::derive_header_mac_key(&directory_key, vault.as_bytes());
        header.verify(&header_mac).map_err(|_| Fault::Damaged(Damage::Header))?;

        let database_key = derive::derive_directory_database_key(&directory_key, vault.as_bytes());
        // Old pages put back would pass the database's own checks.
        if let Some(locked) = &state.directory {
            let now = FileRoot::of_database(&self.folder.join(directory::FILE), |_| Ok::<(), Fault>(()))?;
            if now.as_ref() != Some(locked) {
                return Err(Fault::Damaged(Damage::Directory));
            }
        }
        let directory = Directory::open(&self.folder, &database_key, Access::ReadWrite)
            .map_err(|error: StoreError| error.into_fault(Damage::Directory))?;
        let statements = directory.statements().map_err(|error: StoreError| error.into_fault(Damage::Directory))?;
        let membership = Membership::replay(vault, &statements, Some(&state.pin()))?;
        let known = membership.accounts.get(&account).ok_or(Fault::Damaged(Damage::Chain))?;
        if known.sealing != *own.sealing.public_key() || known.signing != own.signing.verifying_key() {
            return Err(Fault::Damaged(Damage::Chain));
        }
        let roles = known.roles;
        let login = known.login.clone();

        let open_pair = |pair, public: &seal::SealingPublicKey| -> Result<SealingKeyPair, Fault> {
            let holder = Holder::Account(account);
            let sealed = directory
                .pair_seed(pair, holder)
                .map_err(|error: StoreError| error.into_fault(Damage::Directory))?
                .ok_or(Fault::Damaged(Damage::Directory))?;
            let seed: SealingSeed = seal::open_sealed_key(&own.sealing, &sealed, &pair_context(vault, pair, holder))
                .map_err(|_| Fault::Damaged(Damage::Directory))?;
            let pair = SealingKeyPair::from_seed(&seed);
            if pair.public_key() == public { Ok(pair) } else { Err(Fault::Damaged(Damage::Chain)) }
        };
        let auditor = roles.contains(Role::Auditor);
        let officer = auditor || roles.contains(Role::Administrator);
        let audit = if auditor { Some(open_pair(SharedPair::Audit, &membership.audit)?) } else { None };
        let office = if officer { Some(open_pair(SharedPair::Office, &membership.office)?) } else { None };

        let (log, restarted) = self.open_log(vault, &membership, &state, auditor, broken)?;
        let session = SessionId::from_random(sixteen(&mut random));
        let origin = EntryOrigin {
            actor: Some(account),
            session: Some(session),
            replica: membership.replica,
            identity: self.host.identity.clone(),
        };
        let now = self.host.clock.now();
        if let Some(entry) = restarted {
            log.append(now, &origin, Event::LogRestarted { entry }, &mut random)?;
        }
        log.append(now, &origin, Event::VaultUnlocked, &mut random)?;

        let failures_before = state.failed_unlocks;
        let last_unlocked_at = state.unlocked_at();
        let failures_now = log.unlock_failures()?;
        state.remember_unlock(now, membership.pin(), failures_now);
        state.remember_log(log.head()?);
        header.entry_mut(account).expect("the entry was found above").set_state(vault, &state, &master, &mut random);
        let bytes = header.encode_next(&header_mac);
        files::replace_private_file(&self.folder.join(HEADER_FILE), &bytes)?;

        Ok(Session::start(SessionParts {
            host: self.host.clone(),
            folder: self.folder.clone(),
            vault: self.view(),
            lock,
            header,
            header_mac,
            account,
            login,
            roles,
            id: session,
            origin,
            keys: Keys { master, sealing: own.sealing, signing: own.signing, audit, office },
            state,
            directory,
            membership,
            log,
            unlocked_at: now,
            last_unlocked_at,
            failed_unlocks: failures_now.saturating_sub(failures_before),
        }))
    }
}

/// What to do about a log that does not fit its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OnBrokenLog {
    /// Do not unlock.
    Refuse,
    /// Begin a new segment, if the account may.
    Restart,
}

/// The account's own key pairs.
struct OwnKeys {
    sealing: SealingKeyPair,
    signing: SigningKey,
}

impl OwnKeys {
    fn open(entry: &AccountEntry, vault: VaultId, master: &AccountMasterKey) -> Result<Self, Fault> {
        let of_account = |label| Context::new(label).bytes(vault.as_bytes()).bytes(entry.account.as_bytes());
        let damaged = |_| Fault::Damaged(Damage::Header);
        let sealing: SealingSeed =
            wrap::unwrap_key(master, &entry.sealing_seed, &of_account(label::WRAP_SEALING_SEED)).map_err(damaged)?;
        let signing: SigningSeed =
            wrap::unwrap_key(master, &entry.signing_seed, &of_account(label::WRAP_SIGNING_SEED)).map_err(damaged)?;
        Ok(Self { sealing: SealingKeyPair::from_seed(&sealing), signing: SigningKey::from_seed(&signing) })
    }
}

impl SealedState {
    fn remember_unlock(
        &mut self,
        now: coffer_model::time::Timestamp,
        pin: &crate::chain::ChainPin,
        failed_unlocks: u64,
    ) {
        self.unlocked_ms = Some(now.unix_millis());
        self.failed_unlocks = failed_unlocks;
        self.directory = None;
        self.set_pin(pin);
    }

    /// Whether `log` is the one this account knew, with more entries or without.
    fn is_extended_by(&self, log: &AuditLog) -> Result<bool, Fault> {
        let (entries, root) = self.log();
        // Before the first unlock nothing is known.
        Ok(entries == 0 || log.extends(entries, &root)?)
    }
}

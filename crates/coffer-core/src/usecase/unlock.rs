//! Unlocking: from a login and a passphrase to a session that has verified everything it will act on.
//! Layout: docs/FORMAT.md §3–5.
//!
//! Order: the vault's lock; the slot; the account's own entry; the directory key and with it the header's MAC; the
//! membership chain from the pinned founding statement; only then the keys the chain names. A login that does not exist
//! costs the same derivation and gets the same answer.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use coffer_crypto::Random;
use coffer_crypto::derive;
use coffer_crypto::passphrase::Passphrase;
use coffer_crypto::seal::{self, SealingKeyPair, SealingPublicKey};
use coffer_crypto::second_factor::CodeRefusal;
use coffer_crypto::secret::{AccountMasterKey, DirectoryKey, SealingSeed, TenantKey};
use coffer_crypto::slot::{Slot, SlotKind};
use coffer_crypto::wrap;
use coffer_model::account::Role;
use coffer_model::event::Event;
use coffer_model::id::{AccountId, SessionId, VaultId};
use coffer_model::time::Timestamp;
use coffer_token::TokenRefusal;
use zeroize::Zeroizing;

use super::create::sixteen;
use super::credentials::{Credentials, MissingFactors, Opening, open_slot};
use super::lease::lease_of;
use super::relocation::{self, ThisCopy};
use super::saved_searches;
use crate::anchor;
use crate::audit::{AuditLog, EntryOrigin, LogError};
use crate::chain::{self, AccountRekeyed, Body, Membership, ResealedGrant};
use crate::fault::{CallError, Damage, Fault};
use crate::header::{Header, SealedState, UsedCode};
use crate::host;
use crate::keys::{OwnKeys, SharedKey, directory_context, directory_kid, pair_context};
use crate::session::{Keys, Session, SessionParts, SharedPairs, tenant_key_context, tenant_path};
use crate::store::attached::AttachedFiles;
use crate::store::directory::{self, Directory, Holder, SharedPair};
use crate::store::file_root::FileRoot;
use crate::store::files::{self, LockError, LockHolder, VaultLock};
use crate::store::sqlcipher::{Access, StoreError};
use crate::throttle::Throttle;
use crate::vault::{HEADER_FILE, Vault, normalise_login, read_header};

/// Why a vault did not unlock.
#[derive(Debug, thiserror::Error)]
pub enum UnlockError {
    /// Login, passphrase or a key factor is wrong: these are not told apart. The attempt is in the log.
    #[error("login or passphrase is wrong")]
    Refused,
    /// As [`UnlockError::Refused`], and key factors that slots of this vault ask for were not there.
    #[error("login or passphrase is wrong, or a key factor is missing")]
    FactorMissing(MissingFactors),
    /// Login and passphrase are right; the account has a second factor, and no code was given.
    #[error("this account needs a code of its second factor")]
    CodeNeeded,
    /// Login and passphrase are right, the code is not. The attempt is in the log.
    #[error(transparent)]
    Code(#[from] CodeRefusal),
    /// Everything else is right; the account needs a fresh token of the identity provider, and none was given.
    #[error("this account needs a fresh token of the identity provider")]
    TokenNeeded,
    /// Everything else is right, the token does not count. The attempt is in the log.
    #[error(transparent)]
    Token(#[from] TokenRefusal),
    /// Who authenticated is no other administrator: it takes a second one.
    #[error("it takes another administrator")]
    NotAnother,
    /// Too many tries have failed; this one was not made.
    #[error("too many tries have failed; wait {} s", wait.as_secs().max(1))]
    TooSoon {
        /// How long until the next one counts.
        wait: Duration,
    },
    /// Everything was right, but an administrator has stated when this account's access ends, and that is over.
    #[error("the access of this account ended on {since}; ask an administrator")]
    AccessEnded {
        /// Since when.
        since: Timestamp,
    },
    /// The vault does not extend what this device knew of it: it was put back as a whole, or another took its place.
    #[error("this copy of the vault is older than the one this computer knew on {seen_at}, or another one")]
    Older {
        /// When this device knew it last.
        seen_at: Timestamp,
    },
    /// Everything was right, but the vault was moved to another computer: this copy is used no more.
    #[error("the vault was moved to another computer on {at} by {by}")]
    Moved {
        /// When.
        at: Timestamp,
        /// Login of who moved it.
        by: String,
    },
    /// The vault was moved here, and no administrator has unlocked it here yet.
    #[error("the vault was moved here on {at}; an administrator has to unlock it first")]
    NotTakenUp {
        /// When.
        at: Timestamp,
    },
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
            Self::FactorMissing(_) => "factor_missing",
            Self::CodeNeeded => "code_needed",
            Self::Code(CodeRefusal::Wrong) => "code_wrong",
            Self::Code(CodeRefusal::Used) => "code_used",
            Self::TokenNeeded => "token_needed",
            Self::Token(refusal) => refusal.code(),
            Self::NotAnother => "not_another_administrator",
            Self::TooSoon { .. } => "too_soon",
            Self::AccessEnded { .. } => "access_ended",
            Self::Older { .. } => "older_than_known",
            Self::Moved { .. } => "moved",
            Self::NotTakenUp { .. } => "move_not_taken_up",
            Self::HeldBy(_) => "held_elsewhere",
            Self::Fault(fault) => fault.code(),
        }
    }

    /// Whether it was a try that failed.
    pub(super) const fn counts(&self) -> bool {
        matches!(
            self,
            Self::Refused
                | Self::FactorMissing(_)
                | Self::Code(_)
                | Self::Token(_)
                | Self::NotAnother
                | Self::AccessEnded { .. }
        )
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

/// An account whose slot was opened.
pub(super) struct OpenedAccount {
    pub(super) account: AccountId,
    pub(super) master: AccountMasterKey,
    pub(super) slot: Slot,
    /// The code of its second factor, to be remembered as used.
    pub(super) code: Option<UsedCode>,
    /// The identity provider's token, if one was brought.
    pub(super) token: Option<Zeroizing<Vec<u8>>>,
}

impl Vault {
    /// Unlocks the vault for an account whose passphrase is all that is asked for. As [`Vault::unlock_with`].
    pub fn unlock(&self, login: &str, passphrase: Passphrase) -> Result<Session, UnlockError> {
        self.unlock_with(login, &passphrase.into())
    }

    /// Unlocks the vault for an account: with a passphrase, or with whatever else its slot asks for. Takes as long as
    /// Argon2id does; one attempt at a time for each vault.
    ///
    /// An account with a second factor is answered [`UnlockError::CodeNeeded`] where no code was given; nothing counts as
    /// tried then.
    pub fn unlock_with(&self, login: &str, shown: &Credentials) -> Result<Session, UnlockError> {
        self.unlock_amending(login, shown, Amends::None)
    }

    /// Unlocks a vault whose log does not fit its state (damage, or somebody put an old file back): the log goes on in a
    /// new segment linked to what is there, and says so for ever. Where the log is in order this is
    /// [`Vault::unlock_with`].
    pub fn unlock_restarting_log(&self, login: &str, shown: &Credentials) -> Result<Session, UnlockError> {
        self.unlock_amending(login, shown, Amends::RestartLog)
    }

    /// Unlocks a vault that is older than this device knew it, which somebody put back on purpose. The log says that it was
    /// accepted, and from then on the device knows this one. Where the vault is not older this is [`Vault::unlock_with`].
    pub fn unlock_accepting_older(&self, login: &str, shown: &Credentials) -> Result<Session, UnlockError> {
        self.unlock_amending(login, shown, Amends::AcceptOlder)
    }

    /// Unlocks a copy from which the vault was moved, for an administrator, to move it again ([`Session::start_move_vault`]) or
    /// to take that back ([`Session::take_move_back`]); every other call is refused. Where the vault was not moved this is
    /// [`Vault::unlock_with`].
    pub fn unlock_moved(&self, login: &str, shown: &Credentials) -> Result<Session, UnlockError> {
        self.unlock_amending(login, shown, Amends::Moved)
    }

    fn unlock_amending(&self, login: &str, shown: &Credentials, amends: Amends) -> Result<Session, UnlockError> {
        let lock = VaultLock::acquire(&self.folder, &Self::holder(&self.host))?;
        files::make_all_private(&self.folder).map_err(Fault::from)?;
        files::sweep_temporaries(&self.folder).map_err(Fault::from)?;
        let header = read_header(&self.folder)?;
        let lookup = derive::login_lookup(&header.salt, &normalise_login(login));
        let mut throttle = Throttle::load(&self.folder);
        if let Some(wait) = throttle.wait(&lookup, self.host.clock.now()) {
            throttle.save(&self.folder)?;
            return Err(UnlockError::TooSoon { wait });
        }
        let anchors = anchor::Reading::begin(&self.host.keyring, header.vault);
        let opened = match self.authenticate(&header, login, shown) {
            Ok(opened) => opened,
            Err(refusal) => {
                if refusal.counts() {
                    throttle.fail(&lookup, self.host.clock.now());
                    throttle.save(&self.folder)?;
                    self.record_failure(&header)?;
                }
                return Err(refusal);
            }
        };
        let slot = opened.slot.clone();
        let started = self.start_session(lock, header, opened, anchors, amends);
        match &started {
            Ok(session) => {
                if throttle.succeed(&lookup) {
                    throttle.save(&self.folder)?;
                }
                // Next time, then; what must not go on ends the session by itself.
                let _ = session.core.raise_kdf(shown, &slot);
            }
            // Of an account that left, a slot that counts no longer, or a token that does not hold.
            Err(UnlockError::Refused | UnlockError::Token(_)) => {
                throttle.fail(&lookup, self.host.clock.now());
                throttle.save(&self.folder)?;
            }
            Err(_) => {}
        }
        started
    }

    /// Opens the login's slot and checks the second factor, if the account has one.
    fn authenticate(&self, header: &Header, login: &str, shown: &Credentials) -> Result<OpenedAccount, UnlockError> {
        // Which slots count is said by the chain, which is not open yet.
        let (account, master, slot) = match open_slot(&self.host, header, login, shown, &|_, _| true)? {
            Opening::Opened(account, master, slot) => (account, master, slot),
            Opening::Refused => return Err(UnlockError::Refused),
            Opening::Missing(missing) => return Err(UnlockError::FactorMissing(missing)),
        };
        let code = check_code(header, account, &master, shown, self.host.clock.now())?;
        Ok(OpenedAccount { account, master, slot, code, token: shown.token.clone() })
    }

    /// Writes a failed attempt to the log, which takes entries while locked.
    pub(super) fn record_failure(&self, header: &Header) -> Result<(), Fault> {
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
        account: AccountId,
        amends: Amends,
    ) -> Result<(AuditLog, Option<u64>), Fault> {
        let mut random = host::crypto_random(&self.host);
        AuditLog::finish_segment(&self.folder, vault, membership.audit(), &mut random)?;
        match AuditLog::open(&self.folder, vault, membership.audit()) {
            Ok(log) if state.is_extended_by(&log)? => return Ok((log, None)),
            Ok(_) | Err(LogError::State(_)) => {}
            Err(error) => return Err(error.into()),
        }
        if amends != Amends::RestartLog || !membership.roles(account).contains(Role::Auditor) {
            return Err(Fault::Damaged(Damage::Log));
        }
        let head = AuditLog::open_to_read(&self.folder, vault, membership.audit())?.head()?;
        let log = AuditLog::start_segment(&self.folder, vault, membership.audit(), head, &mut random)?;
        Ok((log, Some(head.0)))
    }

    /// Verifies everything a session will act on, in this order: the account's own entry, the header, the directory's
    /// file, the membership chain, the keys it names, the log; then begins the session.
    #[expect(clippy::too_many_lines, reason = "one order of steps, each resting on those before")]
    pub(super) fn start_session(
        &self,
        lock: VaultLock,
        mut header: Header,
        opened: OpenedAccount,
        anchors: anchor::Reading,
        amends: Amends,
    ) -> Result<Session, UnlockError> {
        let OpenedAccount { account, master, slot, code, token } = opened;
        let vault = header.vault;
        let mut random = host::crypto_random(&self.host);
        let entry =
            header.accounts.iter().find(|entry| entry.account == account).ok_or(Fault::Damaged(Damage::Header))?;
        let mut state = entry.open_state(vault, &master).map_err(|_| Fault::Damaged(Damage::Header))?;
        // What is no passphrase cannot be guessed at any cost.
        if slot.kind() == SlotKind::Passphrase && !state.accepts_kdf(slot.params()) {
            return Err(Fault::Damaged(Damage::Header).into());
        }
        if let (Some(factor), Some(code)) = (&mut state.second_factor, code) {
            // On the disk before there is a session.
            factor.use_up(code);
        }
        let own = OwnKeys::open(entry, vault, &master)?;
        let activation = state.activation_keys(vault);
        let renewal = state.renewal.as_ref();
        let own_before = renewal.map(|renewal| OwnKeys::before(renewal, vault, account)).transpose()?;
        // What is not sealed to the account's own keys yet.
        let earlier = activation.as_ref().map(|keys| &keys.sealing).or(own_before.as_ref().map(|keys| &keys.sealing));
        let directory_key = open_directory_key(&header, account, &own, earlier)?;
        let header_mac = derive::derive_header_mac_key(&directory_key, vault.as_bytes());
        header.verify(&header_mac).map_err(|_| Fault::Damaged(Damage::Header))?;
        let mut directory = self.open_directory(&header, &directory_key)?;
        let in_directory = |error: StoreError| error.into_fault(Damage::Directory);
        let statements = directory.statements().map_err(in_directory)?;
        let mut membership = Membership::replay(vault, &statements, Some(&state.pin())).map_err(Fault::from)?;
        if membership.directory_generation != header.directory_generation
            || membership.directory_kid != directory_kid(&directory_key, vault, header.directory_generation)
        {
            return Err(Fault::Damaged(Damage::Chain).into());
        }
        if membership.former.contains_key(&account) {
            // A kill came between the statement and the header.
            self.record_failure(&header)?;
            return Err(UnlockError::Refused);
        }
        if let Some(since) = membership.access_ends(account).filter(|ends| self.host.clock.now() >= *ends) {
            self.record_failure(&header)?;
            return Err(UnlockError::AccessEnded { since });
        }
        ThisCopy { host: &self.host, folder: &self.folder, membership: &membership }.refuse_moved(account, amends)?;
        // An enrolment that does not stand in the chain yet is judged when it is stated.
        if state.enrolment.is_none() && !membership.accounts.contains_key(&account) {
            return Err(Fault::Damaged(Damage::Chain).into());
        }

        let (log, restarted) = self.open_log(vault, &membership, &state, account, amends)?;
        let standing = anchors.judge(&statements, &log).map_err(Fault::from)?;
        let is_accepted = match amends {
            Amends::None | Amends::Moved => false,
            // What this device knew of the log went with the log; one that is in order is held against it.
            Amends::RestartLog => restarted.is_some(),
            Amends::AcceptOlder => true,
        };
        if let Some(seen_at) = standing.older_than.filter(|_| !is_accepted) {
            return Err(UnlockError::Older { seen_at });
        }
        let session = SessionId::from_random(sixteen(&mut random));
        let origin = EntryOrigin {
            actor: Some(account),
            session: Some(session),
            replica: membership.replica,
            identity: self.host.identity.clone(),
        };
        let now = self.host.clock.now();
        if let Some(entry) = restarted {
            log.append(now, &origin, Event::LogRestarted { entry }, &mut random).map_err(Fault::from)?;
        }
        if standing.older_than.is_some() {
            log.append(now, &origin, Event::OlderVaultAccepted, &mut random).map_err(Fault::from)?;
        }
        if header.audit_cache.as_slice() != membership.audit().encode() {
            // Somebody with the directory key altered it, or a change of the key was interrupted.
            log.append(now, &origin, Event::AuditKeyCorrected, &mut random).map_err(Fault::from)?;
            log.change_key(membership.audit(), &mut random).map_err(Fault::from)?;
            header.audit_cache = membership.audit().encode().into();
        }
        if (state.enrolment.is_some() || state.renewal.is_some()) && header.directory.is_some() {
            // Before the directory changes: a kill must not leave a root that it does not have.
            header.directory = None;
            let bytes = header.encode_next(&header_mac);
            files::replace_private_file(&self.folder.join(HEADER_FILE), &bytes).map_err(Fault::from)?;
        }
        if let Some(enrolment) = state.enrolment.take() {
            let position = membership.pin().length;
            let mut statement = None;
            if !membership.accounts.contains_key(&account) {
                log.append(now, &origin, Event::AccountActivated(account), &mut random).map_err(Fault::from)?;
                let body = Body::AccountEnrolled(enrolment.statement.clone());
                let signed = membership.next_statement(now, membership.replica, account, &own.signing, body);
                membership.extend(&signed).map_err(Fault::from)?;
                statement = Some(signed);
            }
            // What was sealed to the code is sealed to the account from now on.
            let pairs = PairReader { vault, account, own: &own, earlier, directory: &directory };
            let seeds = pairs.read(&membership)?.seal_all(vault, account, own.sealing.public_key(), &mut random);
            let mut tx = directory.write().map_err(in_directory)?;
            if let Some(statement) = &statement {
                tx.insert_statement(position, statement).map_err(in_directory)?;
            }
            seeds.iter().try_for_each(|seed| seed.store(&mut tx)).map_err(in_directory)?;
            tx.commit().map_err(in_directory)?;
            header.invitations.retain(|invitation| invitation.account != account);
            let sealed = seal::seal_key_to(
                own.sealing.public_key(),
                &directory_key,
                &directory_context(vault, account, header.directory_generation),
                &mut random,
            );
            header.seal_directory_to(account, sealed);
        }
        if let (Some(renewal), Some(before)) = (state.renewal.take(), &own_before) {
            let renewing = Renewing { vault, account, own: &own, before, slot: &slot };
            let known = membership.accounts.get(&account).ok_or(Fault::Damaged(Damage::Chain))?;
            if known.signing == before.signing.verifying_key() {
                log.append(now, &origin, Event::OwnKeysRenewed, &mut random).map_err(Fault::from)?;
                let saved = (&renewal.master(), &master);
                renewing.state_and_reseal(&mut directory, &mut membership, saved, now, &mut random)?;
            }
            let context = directory_context(vault, account, header.directory_generation);
            let sealed = seal::seal_key_to(own.sealing.public_key(), &directory_key, &context, &mut random);
            header.seal_directory_to(account, sealed);
        }
        let known = membership.accounts.get(&account).ok_or(Fault::Damaged(Damage::Chain))?;
        if known.sealing != *own.sealing.public_key() || known.signing != own.signing.verifying_key() {
            return Err(Fault::Damaged(Damage::Chain).into());
        }
        if known.slots.as_ref().is_some_and(|named| !named.contains(&chain::digest(&slot.encode()))) {
            // One that a change of the passphrase retired, put back, or not taken away by a change that was stopped.
            self.record_failure(&header)?;
            return Err(UnlockError::Refused);
        }
        let named = known.slots.clone();
        let login = known.login.clone();
        let renewed = match lease_of(&membership, &directory, account, &state, token.as_deref().map(Vec::as_slice), now)
        {
            Ok(renewed) => renewed,
            Err(refusal) => {
                if refusal.counts() {
                    self.record_failure(&header)?;
                }
                return Err(refusal);
            }
        };
        log.append(now, &origin, Event::VaultUnlocked, &mut random).map_err(Fault::from)?;
        if let Some(lease) = renewed {
            log.append(now, &origin, Event::LeaseRenewed, &mut random).map_err(Fault::from)?;
            state.lease = Some(lease);
        }
        if let Some(lease) = &mut state.lease {
            lease.see(now);
        }
        if let (Some(factor), Some(UsedCode::Spare(_))) = (&state.second_factor, code) {
            let left = factor.spare_left() as u64;
            log.append(now, &origin, Event::SpareCodeUsed { left }, &mut random).map_err(Fault::from)?;
        }

        header.shares_cache = membership.recovery().share_digests();
        let failures_before = state.failed_unlocks;
        let last_unlocked_at = state.unlocked_at();
        let failures_now = log.unlock_failures().map_err(Fault::from)?;
        state.remember_unlock(now, membership.pin(), failures_now);
        state.remember_log(log.head().map_err(Fault::from)?);
        header.directory = None;
        drop_unbacked(&mut header, &membership);
        let entry = header.entry_mut(account).expect("the entry was found above");
        // A change of the passphrase that was stopped leaves the slot of before.
        entry.slots.retain(|slot| named.as_ref().is_none_or(|named| named.contains(&chain::digest(slot))));
        entry.set_state(vault, &state, &master, &mut random);
        let bytes = header.encode_next(&header_mac);
        files::replace_private_file(&self.folder.join(HEADER_FILE), &bytes).map_err(Fault::from)?;

        let pairs = PairReader { vault, account, own: &own, earlier: None, directory: &directory };
        let shared = pairs.read(&membership)?;
        sweep_retired(&self.folder, &membership);
        let session = Session::start(SessionParts {
            host: self.host.clone(),
            folder: self.folder.clone(),
            vault: self.view(),
            lock,
            header,
            header_mac,
            account,
            login,
            id: session,
            origin,
            keys: Keys { master, sealing: own.sealing, signing: own.signing },
            shared,
            state,
            directory_key,
            directory,
            membership,
            log,
            anchors: standing.extended,
            is_accepted: standing.older_than.is_some(),
            unlocked_at: now,
            last_unlocked_at,
            failed_unlocks: failures_now.saturating_sub(failures_before),
        });
        // Others wait for what only this account can give them; in a copy that was moved nobody does.
        let begun = if session.core.is_moved() { relocation::take_up(&session.core) } else { Ok(()) };
        let begun = begun.and_then(|()| {
            if session.core.is_moved() {
                return Ok(());
            }
            session.core.share_pairs().and_then(|()| session.core.state_second_factor())
        });
        match begun {
            Ok(()) => Ok(session),
            Err(CallError::Fault(fault)) => Err(fault.into()),
            Err(_) => Err(Fault::Damaged(Damage::Directory).into()),
        }
    }

    /// Opens the directory, if its file is the one that was locked.
    pub(super) fn open_directory(&self, header: &Header, key: &DirectoryKey) -> Result<Directory, Fault> {
        let database_key = derive::derive_directory_database_key(key, header.vault.as_bytes());
        // Old pages put back would pass the database's own checks.
        if let Some(locked) = &header.directory {
            let now = FileRoot::of_database(&self.folder.join(directory::FILE), |_| Ok::<(), Fault>(()))?;
            if now.as_ref() != Some(locked) {
                return Err(Fault::Damaged(Damage::Directory));
            }
        }
        // One that was locked is what it was: no other file has a claim to its place.
        let open = if header.directory.is_some() { Directory::open } else { Directory::open_settled };
        open(&self.folder, &database_key, Access::ReadWrite).map_err(|error| error.into_fault(Damage::Directory))
    }
}

/// Checks the code of an account that has a second factor. Gives the code that has to be remembered as used.
pub(super) fn check_code(
    header: &Header,
    account: AccountId,
    master: &AccountMasterKey,
    shown: &Credentials,
    now: Timestamp,
) -> Result<Option<UsedCode>, UnlockError> {
    let damaged = Fault::Damaged(Damage::Header);
    let entry = header.accounts.iter().find(|entry| entry.account == account);
    let state = entry.and_then(|entry| entry.open_state(header.vault, master).ok()).ok_or(damaged)?;
    let Some(factor) = &state.second_factor else { return Ok(None) };
    let code = shown.code.as_ref().ok_or(UnlockError::CodeNeeded)?;
    Ok(Some(factor.check(code, account, now)?))
}

/// The directory key as it was sealed to the account; to its invitation or its keys of before, as long as its enrolment or
/// the renewal of its keys is not complete.
fn open_directory_key(
    header: &Header,
    account: AccountId,
    own: &OwnKeys,
    earlier: Option<&SealingKeyPair>,
) -> Result<DirectoryKey, Fault> {
    let damaged = Fault::Damaged(Damage::Header);
    let Some(sealed) = header.directory_sealed_to(account) else { return Err(damaged) };
    let context = directory_context(header.vault, account, header.directory_generation);
    let with_own = seal::open_sealed_key(&own.sealing, sealed, &context);
    let with_earlier = |_| match earlier {
        Some(keys) => seal::open_sealed_key(keys, sealed, &context),
        None => Err(seal::OpenSealedError),
    };
    with_own.or_else(with_earlier).map_err(|_| damaged)
}

/// Takes out of the header what no statement backs: a kill between a removal's statement and the header left it.
fn drop_unbacked(header: &mut Header, membership: &Membership) {
    let is_account = |account: &AccountId| membership.accounts.contains_key(account);
    let is_either = |account: &AccountId| is_account(account) || membership.invitations.contains_key(account);
    header.accounts.retain(|entry| is_either(&entry.account));
    header.directory_for.retain(|seal| is_either(&seal.account));
    header.invitations.retain(|invitation| membership.invitations.contains_key(&invitation.account));
}

/// Removes tenants' files that another one has followed, as the chain says: a kill after the statement left them. As long
/// as a tenant's own file is missing, nothing is removed.
fn sweep_retired(folder: &Path, membership: &Membership) {
    let epochs = membership.tenants.values().filter_map(|tenant| tenant.epoch.as_ref());
    let in_use: Vec<[u8; 16]> = epochs.map(|epoch| *epoch.file).collect();
    if !in_use.iter().all(|file| tenant_path(folder, file).exists()) {
        return;
    }
    for file in membership.retired_files.iter().filter(|file| !in_use.contains(file)) {
        // One that cannot be removed is in nobody's way.
        let _ = AttachedFiles::of(folder, file).remove_all();
        let path = tenant_path(folder, file);
        if path.exists() {
            let _ = files::remove_database(&path);
        }
    }
}

/// An account's keys while others take their place: its passphrase may be known (docs/FORMAT.md §3.6).
struct Renewing<'u> {
    vault: VaultId,
    account: AccountId,
    own: &'u OwnKeys,
    before: &'u OwnKeys,
    slot: &'u Slot,
}

impl Renewing<'_> {
    /// States the new keys, and seals to them what was sealed to those of before, in one transaction.
    fn state_and_reseal(
        &self,
        directory: &mut Directory,
        membership: &mut Membership,
        (master_before, master): (&AccountMasterKey, &AccountMasterKey),
        now: Timestamp,
        random: &mut dyn Random,
    ) -> Result<(), Fault> {
        let (vault, account) = (self.vault, self.account);
        let in_directory = |error: StoreError| error.into_fault(Damage::Directory);
        let damaged = || Fault::Damaged(Damage::Directory);
        let mut tenant_keys = Vec::new();
        for (&(tenant, grantee), grant) in &membership.grants {
            if grantee != account {
                continue;
            }
            let sealed = directory.tenant_key(tenant, grant.epoch, account).map_err(in_directory)?;
            let sealed = sealed.filter(|sealed| chain::digest(sealed) == *grant.sealed).ok_or_else(damaged)?;
            let context = tenant_key_context(vault, tenant, grant.epoch, account);
            let key: TenantKey =
                seal::open_sealed_key(&self.before.sealing, &sealed, &context).map_err(|_| damaged())?;
            let sealed = seal::seal_key_to(self.own.sealing.public_key(), &key, &context, random);
            tenant_keys.push((tenant, grant.epoch, sealed));
        }
        let pairs = PairReader { vault, account, own: self.own, earlier: Some(&self.before.sealing), directory };
        let seeds = pairs.read(membership)?.seal_all(vault, account, self.own.sealing.public_key(), random);
        let searches = directory.saved_searches(account).map_err(in_directory)?.map(|sealed| {
            let context = saved_searches::searches_context(vault, account);
            let opened = wrap::open(master_before, &sealed, &context).map_err(|_| damaged())?;
            Ok::<_, Fault>(wrap::seal(master, opened.expose(), &context, random))
        });
        let searches = searches.transpose()?;
        let body = Body::AccountRekeyed(AccountRekeyed {
            sealing: self.own.sealing.public_key().encode().into(),
            signing: self.own.signing.verifying_key().encode().into(),
            slots: vec![chain::digest(&self.slot.encode()).into()],
            grants: tenant_keys
                .iter()
                .map(|(tenant, _, sealed)| ResealedGrant { tenant: *tenant, sealed: chain::digest(sealed).into() })
                .collect(),
        });
        let position = membership.pin().length;
        let statement = membership.next_statement(now, membership.replica, account, &self.before.signing, body);
        membership.extend(&statement).map_err(Fault::from)?;
        let mut tx = directory.write().map_err(in_directory)?;
        tx.insert_statement(position, &statement).map_err(in_directory)?;
        for (tenant, epoch, sealed) in &tenant_keys {
            tx.set_tenant_key(*tenant, *epoch, account, sealed).map_err(in_directory)?;
        }
        seeds.iter().try_for_each(|seed| seed.store(&mut tx)).map_err(in_directory)?;
        if let Some(searches) = searches {
            tx.set_saved_searches(account, &searches).map_err(in_directory)?;
        }
        tx.delete_tenant_names(account).map_err(in_directory)?;
        tx.commit().map_err(in_directory)
    }
}

/// Reads the seeds of the shared pairs that an account holds.
struct PairReader<'u> {
    vault: VaultId,
    account: AccountId,
    own: &'u OwnKeys,
    /// What seeds are sealed to that are not to the account's own keys yet.
    earlier: Option<&'u SealingKeyPair>,
    directory: &'u Directory,
}

impl PairReader<'_> {
    fn read(&self, membership: &Membership) -> Result<SharedPairs, Fault> {
        let roles = membership.roles(self.account);
        let mut shared = SharedPairs::default();
        if roles.contains(Role::Auditor) {
            shared.audit = self.read_all(SharedPair::Audit, &membership.audits)?;
        }
        if roles.is_officer() {
            shared.office = self.read_all(SharedPair::Office, &membership.offices)?;
        }
        Ok(shared)
    }

    fn read_all(&self, pair: SharedPair, keys: &[SealingPublicKey]) -> Result<Vec<Arc<SharedKey>>, Fault> {
        let holder = Holder::Account(self.account);
        let mut pairs = Vec::new();
        for (number, public) in (1..).zip(keys) {
            let sealed = self.directory.pair_seed(pair, number, holder);
            // Not shared with this account yet.
            let Some(sealed) = sealed.map_err(|error| error.into_fault(Damage::Directory))? else { continue };
            let context = pair_context(self.vault, pair, number, holder);
            let open = |keys: &SealingKeyPair| seal::open_sealed_key::<SealingSeed>(keys, &sealed, &context);
            let with_own = open(&self.own.sealing);
            let with_earlier = |error| self.earlier.map_or(Err(error), open);
            let seed = with_own.or_else(with_earlier).map_err(|_| Fault::Damaged(Damage::Directory))?;
            let key = SharedKey::of(number, seed);
            if key.pair.public_key() != public {
                return Err(Fault::Damaged(Damage::Chain));
            }
            pairs.push(Arc::new(key));
        }
        Ok(pairs)
    }
}

/// What somebody has said is to be done about a vault that does not fit what is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Amends {
    /// Nothing: it does not unlock.
    None,
    /// Begin a new segment of a log that does not fit its state, if the account may. What this device knew of the log is
    /// given up with it.
    RestartLog,
    /// Take a vault that is older than this device knew it.
    AcceptOlder,
    /// Open a copy that was moved, to move it again or to take that back.
    Moved,
}

impl SealedState {
    fn remember_unlock(&mut self, now: Timestamp, pin: &crate::chain::ChainPin, failed_unlocks: u64) {
        self.unlocked_ms = Some(now.unix_millis());
        self.failed_unlocks = failed_unlocks;
        self.set_pin(pin);
    }

    /// Whether `log` is the one this account knew, with more entries or without.
    fn is_extended_by(&self, log: &AuditLog) -> Result<bool, Fault> {
        let (entries, root) = self.log();
        // Before the first unlock nothing is known.
        Ok(entries == 0 || log.extends(entries, &root)?)
    }
}

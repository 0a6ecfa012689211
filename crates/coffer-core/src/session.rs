//! A session: one account's unlocked vault, from unlock to lock. Every capability is a method of it (`usecase/`).
//!
//! The three steps every method takes live here: [`Session::authorize`] asks the policy and logs a refusal,
//! [`Session::record`] writes the log entry of a read before the value is handed out, and [`Session::audited`] is the
//! only way to change a tenant's data: entry first, then the rows with the entry's index. An unaudited write does not
//! compile, since nothing else hands out a transaction.

mod locking;
mod tenant;
mod write;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use coffer_crypto::Random;
use coffer_crypto::seal::SealingKeyPair;
use coffer_crypto::secret::{AccountMasterKey, DatabaseKey, DirectoryKey, MacKey};
use coffer_crypto::sign::SigningKey;
use coffer_model::account::{LoginName, Role, Roles};
use coffer_model::event::Event;
use coffer_model::id::{AccountId, SessionId, TenantId};
use coffer_model::policy::Guarded;
use coffer_model::time::Timestamp;

pub(crate) use self::tenant::{
    Importing, OpenTenant, tenant_key_context, tenant_name_context, tenant_path, tenant_scope,
};
pub(crate) use self::write::refused_or_damaged;
use crate::anchor::{self, Anchor};
use crate::audit::{AuditLog, ENTRIES_TOGETHER, EntryOrigin};
use crate::chain::Membership;
use crate::fault::{CallError, Damage, Fault};
use crate::header::{Header, SealedState};
use crate::host::{self, Host};
use crate::job::Lease;
use crate::keys::SharedKey;
use crate::policy::{self, Action};
use crate::store::directory::Directory;
use crate::store::files::VaultLock;
use crate::store::sqlcipher::{Access, StoreError};
use crate::store::tenant::TenantTx;
use crate::usecase;
use crate::usecase::tenant_names::KnownNames;
use crate::view::{SessionView, VaultView};

/// An unlocked vault. Used through `&self`, from any thread.
///
/// Locked by [`Session::lock`], or at the latest when dropped.
#[derive(Debug)]
pub struct Session {
    pub(crate) core: Arc<Core>,
}

/// What a session consists of when it begins.
pub(crate) struct SessionParts {
    pub(crate) host: Host,
    pub(crate) folder: PathBuf,
    pub(crate) vault: VaultView,
    pub(crate) lock: VaultLock,
    pub(crate) header: Header,
    pub(crate) header_mac: MacKey,
    pub(crate) account: AccountId,
    pub(crate) login: LoginName,
    pub(crate) id: SessionId,
    pub(crate) origin: EntryOrigin,
    pub(crate) keys: Keys,
    pub(crate) shared: SharedPairs,
    pub(crate) state: SealedState,
    pub(crate) directory_key: DirectoryKey,
    pub(crate) directory: Directory,
    pub(crate) membership: Membership,
    pub(crate) log: AuditLog,
    /// What this device knew of the vault, as far as it extends it.
    pub(crate) anchors: Vec<Anchor>,
    /// Whether it is older than this device knew it, and was accepted.
    pub(crate) is_accepted: bool,
    pub(crate) unlocked_at: Timestamp,
    pub(crate) last_unlocked_at: Option<Timestamp>,
    pub(crate) failed_unlocks: u64,
}

/// Keys of the account.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) master: AccountMasterKey,
    pub(crate) sealing: SealingKeyPair,
    pub(crate) signing: SigningKey,
}

/// Pairs that the account's roles give it, each with its number; the newest may not have been shared with it yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedPairs {
    /// Auditors only.
    pub(crate) audit: Vec<Arc<SharedKey>>,
    /// Administrators and auditors.
    pub(crate) office: Vec<Arc<SharedKey>>,
}

/// What a session and its jobs share.
pub(crate) struct Core {
    pub(crate) host: Host,
    pub(crate) folder: PathBuf,
    pub(crate) vault: VaultView,
    pub(crate) account: AccountId,
    pub(crate) login: LoginName,
    pub(crate) keys: Keys,
    pub(crate) log: AuditLog,
    /// Directory, membership and header change together.
    pub(crate) office: Mutex<Office>,
    id: SessionId,
    origin: EntryOrigin,
    unlocked_at: Timestamp,
    /// The same on the clock that nobody sets.
    unlocked_monotonic: Duration,
    /// When passphrase and second factor were given last, on the same clock.
    authenticated: Mutex<Duration>,
    last_unlocked_at: Option<Timestamp>,
    failed_unlocks: u64,
    tenants: Mutex<BTreeMap<TenantId, Arc<OpenTenant>>>,
    /// Held while a tenant is opened for the first time, so that its crash check runs once.
    opening: Mutex<()>,
    jobs: Mutex<Vec<Lease>>,
    /// Who changes the saved searches has them to itself.
    pub(crate) searches: Mutex<()>,
    /// Names of tenants that were opened already. Locked after the office, never before.
    pub(crate) names: Mutex<KnownNames>,
    is_accepted: bool,
    /// What this device knew of the vault that this session has gone beyond.
    anchors: Mutex<Vec<Anchor>>,
    /// One backup at a time, and nobody else at what this device remembers of them.
    pub(crate) backups: Mutex<()>,
    locked: AtomicBool,
    /// A write may not have reached the disk: nothing is acknowledged any more (`StoreError::is_fatal`).
    failed: AtomicBool,
    /// The vault is being moved, or was: what the chain says, for those who do not wait for the office.
    moved: AtomicBool,
    _lock: VaultLock,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core").field("vault", &self.vault).field("account", &self.account).finish_non_exhaustive()
    }
}

/// The directory and what follows from it.
pub(crate) struct Office {
    pub(crate) directory: Directory,
    pub(crate) membership: Membership,
    pub(crate) header: Header,
    pub(crate) header_mac: MacKey,
    pub(crate) directory_key: DirectoryKey,
    pub(crate) shared: SharedPairs,
    pub(crate) state: SealedState,
    /// The directory's root was taken for the next session: nothing is written to it any more.
    closed: bool,
}

impl Office {
    /// Whether nothing is written to the directory any more.
    pub(crate) const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Puts the directory that waits into its place. The header opens it by now: whatever is stopped in between, the next
    /// opening goes on.
    pub(crate) fn replace_directory(
        &mut self,
        next: Directory,
        folder: &Path,
        key: &DatabaseKey,
    ) -> Result<(), StoreError> {
        drop(next);
        // The old file must be closed before its name is another's. Until then this one stands in.
        self.directory = Directory::stand_in()?;
        self.directory = Directory::open_settled(folder, key, Access::ReadWrite)?;
        Ok(())
    }
}

/// Proof that the policy allowed an action; made only by [`Session::authorize`].
#[derive(Debug)]
pub(crate) struct Actor {
    /// Whether it is to move the vault, or to take that back: all that is done to a copy that was moved.
    moves: bool,
}

impl Session {
    pub(crate) fn start(parts: SessionParts) -> Self {
        let SessionParts { header, header_mac, directory_key, shared, state, directory, membership, .. } = parts;
        let names = KnownNames::load(&directory, parts.vault.id, parts.account, &parts.keys.master);
        let closed = false;
        let moved = membership.move_under_way().is_some();
        let office = Office { directory, membership, header, header_mac, directory_key, shared, state, closed };
        let session = Self {
            core: Arc::new(Core {
                unlocked_monotonic: parts.host.clock.monotonic(),
                authenticated: Mutex::new(parts.host.clock.monotonic()),
                host: parts.host,
                folder: parts.folder,
                vault: parts.vault,
                account: parts.account,
                login: parts.login,
                keys: parts.keys,
                log: parts.log,
                office: Mutex::new(office),
                id: parts.id,
                origin: parts.origin,
                unlocked_at: parts.unlocked_at,
                last_unlocked_at: parts.last_unlocked_at,
                failed_unlocks: parts.failed_unlocks,
                tenants: Mutex::new(BTreeMap::new()),
                opening: Mutex::new(()),
                jobs: Mutex::new(Vec::new()),
                searches: Mutex::new(()),
                names: Mutex::new(names),
                is_accepted: parts.is_accepted,
                anchors: Mutex::new(parts.anchors),
                backups: Mutex::new(()),
                locked: AtomicBool::new(false),
                failed: AtomicBool::new(false),
                moved: AtomicBool::new(moved),
                _lock: parts.lock,
            }),
        };
        if !moved {
            usecase::backup::remember_in_background(&session.core);
        }
        let core = &session.core;
        if let Ok((replaces, anchor)) = core.next_anchor(&core.office()) {
            anchor::keep_in_background(&core.host.keyring, core.vault.id, replaces, anchor);
        }
        session
    }

    /// Whether the vault is an older copy than this device knew, or another one, and was accepted by this unlock.
    pub fn accepted_older(&self) -> bool {
        self.core.is_accepted
    }

    /// Whether the vault was moved from here, so that nothing is done to this copy but moving it again or taking that back.
    pub fn is_moved(&self) -> bool {
        self.core.is_moved()
    }

    /// Who is unlocked, and what happened since they were here last.
    pub fn view(&self) -> SessionView {
        let core = &self.core;
        let glass_broken = core
            .last_unlocked_at
            .map_or(0, |since| usecase::glass_broken_since(&core.office().membership, core.account, since, core.now()));
        SessionView {
            glass_broken,
            id: core.id,
            vault: core.vault.clone(),
            account: core.account,
            login: core.login.to_string(),
            roles: core.roles().iter().collect(),
            unlocked_at: core.unlocked_at,
            last_unlocked_at: core.last_unlocked_at,
            failed_unlocks: core.failed_unlocks,
            needs_second_factor: core.lacks_second_factor(),
        }
    }

    /// Asks whether this account may do something that is about no tenant: before a shell asks the person for anything.
    /// A refusal is logged.
    pub fn require(&self, action: Action) -> Result<(), CallError> {
        self.authorize(action, None).map(drop)
    }

    /// The machine it runs on.
    pub fn host(&self) -> &Host {
        &self.core.host
    }

    /// Locks: stops jobs, writes the last entry and a checkpoint, closes every file. What was acknowledged stays.
    pub fn lock(self) -> Result<(), Fault> {
        self.core.lock()
    }

    pub(crate) fn authorize(&self, action: Action, tenant: Option<TenantId>) -> Result<Actor, CallError> {
        self.core.authorize(action, tenant)
    }

    pub(crate) fn record(&self, actor: &Actor, event: Event) -> Result<u64, CallError> {
        self.core.record(actor, event)
    }

    pub(crate) fn open_tenant(&self, actor: &Actor, tenant: TenantId) -> Result<Arc<OpenTenant>, CallError> {
        self.core.open_tenant(actor, tenant)
    }

    pub(crate) fn audited<T, E: From<CallError>>(
        &self,
        actor: &Actor,
        tenant: &OpenTenant,
        event: Event,
        write: impl FnOnce(&mut TenantTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.core.audited(actor, tenant, write, |_| event)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Nobody is left to hear of a failure; what matters was durable before.
        let _ = self.core.lock();
    }
}

impl Core {
    /// Asks the policy. A refusal is logged.
    pub(crate) fn authorize(&self, action: Action, tenant: Option<TenantId>) -> Result<Actor, CallError> {
        self.refuse_ended()?;
        let actor = Actor { moves: action == Action::MoveVault };
        self.refuse_moved(&actor)?;
        let now = self.now();
        let (roles, right) = {
            let office = self.office();
            if office.membership.access_ends(self.account).is_some_and(|ends| now >= ends) {
                return Err(CallError::AccessEnded);
            }
            let right = tenant.and_then(|tenant| office.membership.right(tenant, self.account, now));
            (office.membership.roles(self.account), right)
        };
        if policy::allows(action, roles, right) {
            if self.lacks_second_factor() && action != Action::EnrolSecondFactor {
                return Err(CallError::SecondFactorNeeded);
            }
            if action.guarded().is_some_and(|guarded| self.asks_anew(guarded)) {
                return Err(CallError::StepUpNeeded);
            }
            return Ok(actor);
        }
        self.append(Event::AccessRefused { tenant })?;
        // Whether a tenant exists is nobody's business who may not see it.
        if tenant.is_some() && right.is_none() { Err(CallError::NotFound) } else { Err(CallError::Refused) }
    }

    /// For what an account's own keys need, whatever its roles: keeping its slot at the cost the rules ask for.
    pub(crate) fn authorize_own_upkeep(&self) -> Result<Actor, CallError> {
        self.refuse_ended()?;
        let actor = Actor { moves: false };
        self.refuse_moved(&actor)?;
        Ok(actor)
    }

    /// For taking up a move: what an administrator's session does before anything else is asked of whoever unlocked.
    pub(crate) fn authorize_arrival(&self) -> Result<Actor, CallError> {
        self.refuse_ended()?;
        if self.roles().contains(Role::Administrator) { Ok(Actor { moves: true }) } else { Err(CallError::Refused) }
    }

    /// Whether the rules ask the account for a second factor that it does not have.
    pub(crate) fn lacks_second_factor(&self) -> bool {
        self.must_have_second_factor() && self.office().state.second_factor.is_none()
    }

    /// Whether the rules put these actions under authentication anew, and the last one is too long ago.
    pub(crate) fn asks_anew(&self, guarded: Guarded) -> bool {
        let since = self.host.clock.monotonic().saturating_sub(*lock(&self.authenticated));
        self.office().membership.policy.step_up.contains(guarded) && since > usecase::FRESH_FOR
    }

    /// Somebody has just authenticated for the session's account.
    pub(crate) fn note_authentication(&self) {
        *lock(&self.authenticated) = self.host.clock.monotonic();
    }

    /// Roles of the account as they are now, not as they were when it unlocked.
    pub(crate) fn roles(&self) -> Roles {
        self.office().membership.roles(self.account)
    }

    /// Logs a read before its value is handed out. Gives the entry's index.
    pub(crate) fn record(&self, actor: &Actor, event: Event) -> Result<u64, CallError> {
        self.refuse_ended()?;
        self.refuse_moved(actor)?;
        Ok(self.append(event)?)
    }

    /// Logs reads that belong together before their values are handed out: all of them, or none.
    pub(crate) fn record_together<'a>(&self, reads: impl Iterator<Item = (&'a Actor, Event)>) -> Result<(), CallError> {
        self.refuse_ended()?;
        let mut events = Vec::new();
        for (actor, event) in reads {
            self.refuse_moved(actor)?;
            events.push(event);
        }
        for events in events.chunks(ENTRIES_TOGETHER) {
            let appended = self.log.append_together(self.now(), &self.origin, events, &mut self.random());
            appended.map_err(Fault::from)?;
        }
        // A checkpoint that fails is no reason to refuse what the log has taken; the next one covers it.
        let _ = self.log.checkpoint_if_due(self.now(), || self.checkpoint_signer());
        Ok(())
    }

    /// A session that was locked, or whose disk failed it, does nothing more.
    pub(crate) fn refuse_ended(&self) -> Result<(), CallError> {
        if self.locked.load(Ordering::Acquire) {
            return Err(CallError::Locked);
        }
        if self.failed.load(Ordering::Acquire) { Err(Fault::NotDurable.into()) } else { Ok(()) }
    }

    /// Nothing is done to a copy that was moved but what its move needs. Of what was authorised before, whatever has not
    /// begun to write by now comes to nothing, and the move waits for what has.
    fn refuse_moved(&self, actor: &Actor) -> Result<(), CallError> {
        if self.is_moved() && !actor.moves { Err(CallError::Moved) } else { Ok(()) }
    }

    /// Whether the vault was moved from here.
    pub(crate) fn is_moved(&self) -> bool {
        self.moved.load(Ordering::Acquire)
    }

    /// Judges a failure of the store; one that leaves unknown what reached the disk ends the session.
    pub(crate) fn fault(&self, error: StoreError, part: Damage) -> CallError {
        if error.is_fatal() {
            self.give_up();
        }
        error.into_fault(part).into()
    }

    /// Ends the session for everything but locking, and has locking remember nothing: what is on the disk is not what is
    /// here.
    pub(crate) fn give_up(&self) {
        self.failed.store(true, Ordering::Release);
    }

    /// Whether the session was given up.
    pub(crate) fn is_given_up(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// The directory and what follows from it.
    pub(crate) fn office(&self) -> MutexGuard<'_, Office> {
        lock(&self.office)
    }

    /// Registers a job, so that locking stops it.
    pub(crate) fn adopt(&self, job: Lease) {
        let mut jobs = lock(&self.jobs);
        jobs.retain(|job| !job.has_ended());
        jobs.push(job);
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.host.clock.now()
    }

    pub(crate) fn random(&self) -> impl Random + use<> {
        host::crypto_random(&self.host)
    }

    pub(crate) fn session_id(&self) -> SessionId {
        self.id
    }

    /// When it was unlocked, on the clock that nobody sets.
    pub(crate) fn unlocked_monotonic(&self) -> Duration {
        self.unlocked_monotonic
    }

    /// Who and where, for entries of this session.
    pub(crate) fn origin(&self) -> &EntryOrigin {
        &self.origin
    }

    pub(crate) fn append(&self, event: Event) -> Result<u64, Fault> {
        let index = self.log.append(self.now(), &self.origin, event, &mut self.random())?;
        // A checkpoint that fails is no reason to refuse what the log has taken; the next one covers it.
        let _ = self.log.checkpoint_if_due(self.now(), || self.checkpoint_signer());
        Ok(index)
    }
}

/// Locks a mutex. A panic while it was held is a bug that was already reported; the data behind is guarded by
/// transactions, not by the mutex.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

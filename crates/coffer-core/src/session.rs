//! A session: one account's unlocked vault, from unlock to lock. Every capability is a method of it (`usecase/`).
//!
//! The three steps every method takes live here: [`Session::authorize`] asks the policy and logs a refusal,
//! [`Session::record`] writes the log entry of a read before the value is handed out, and [`Session::audited`] is the
//! only way to change a tenant's data: entry first, then the rows with the entry's index. An unaudited write does not
//! compile, since nothing else hands out a transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use coffer_crypto::Random;
use coffer_crypto::derive::{self, Id, TenantScope};
use coffer_crypto::label::{self, Context};
use coffer_crypto::seal::{self, SealingKeyPair};
use coffer_crypto::secret::{AccountMasterKey, DatabaseKey, DirectoryKey, MacKey, TagKey, TenantKey};
use coffer_crypto::sign::SigningKey;
use coffer_model::account::{LoginName, Role, Roles};
use coffer_model::event::Event;
use coffer_model::id::{AccountId, SessionId, TenantId, VaultId};
use coffer_model::policy::Guarded;
use coffer_model::time::Timestamp;

use crate::anchor::{self, Anchor};
use crate::audit::{AuditLog, ENTRIES_TOGETHER, EntryOrigin};
use crate::chain::{Body, ChainError, EpochOpened, Membership};
use crate::fault::{CallError, Damage, Fault};
use crate::header::{Header, SealedState};
use crate::host::{self, Host};
use crate::job::{JobContext, Lease};
use crate::keys::SharedKey;
use crate::policy::{self, Action};
use crate::store::attached::AttachedFiles;
use crate::store::directory::{self, Directory, DirectoryTx};
use crate::store::file_root::FileRoot;
use crate::store::files::{self, FileError, VaultLock};
use crate::store::sqlcipher::{self, Access, StoreError};
use crate::store::tenant::{TenantIdentity, TenantStore, TenantTx};
use crate::usecase;
use crate::usecase::tenant_names::KnownNames;
use crate::vault::{HEADER_FILE, TENANTS_FOLDER};
use crate::view::{SessionView, VaultView};

/// How long locking waits for all jobs to roll back.
const JOBS_END_WITHIN: Duration = Duration::from_millis(500);

/// Most bytes of tenants' files read when locking: about half a second.
const HASHED_AT_LOCK_MAX: u64 = 512 * 1024 * 1024;

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

/// A tenant whose key was unsealed in this session.
pub(crate) struct OpenTenant {
    pub(crate) id: TenantId,
    pub(crate) name: String,
    /// For connections of jobs.
    pub(crate) path: PathBuf,
    /// Where its attachments are.
    pub(crate) files: AttachedFiles,
    pub(crate) scope: TenantScope,
    pub(crate) key: TenantKey,
    tag_key: TagKey,
    /// Whether this session has changed it.
    changed: AtomicBool,
    /// An import has it to itself.
    importing: AtomicBool,
    /// The entry of a write that failed after it was logged; settled before the next one.
    unsettled: Mutex<Option<u64>>,
    /// Opened by the first write: most sessions only read most tenants, and opening takes as long as a search.
    writer: Mutex<Option<TenantStore>>,
    reader: Mutex<TenantStore>,
}

/// A tenant's one writing connection, held.
pub(crate) struct Writer<'t>(MutexGuard<'t, Option<TenantStore>>);

impl Deref for Writer<'_> {
    type Target = TenantStore;

    fn deref(&self) -> &TenantStore {
        self.0.as_ref().expect("opened before it was held")
    }
}

impl DerefMut for Writer<'_> {
    fn deref_mut(&mut self) -> &mut TenantStore {
        self.0.as_mut().expect("opened before it was held")
    }
}

impl std::fmt::Debug for OpenTenant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenTenant").field("id", &self.id).finish_non_exhaustive()
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
    pub(crate) fn record_together(&self, events: &[Event]) -> Result<(), CallError> {
        self.refuse_ended()?;
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

    /// The tenant's open file; unseals its key, logged, the first time.
    pub(crate) fn open_tenant(&self, _actor: &Actor, tenant: TenantId) -> Result<Arc<OpenTenant>, CallError> {
        if let Some(open) = lock(&self.tenants).get(&tenant) {
            return Ok(Arc::clone(open));
        }
        // Two threads that come here at once must not both take each other's writes for missing ones.
        let _opening = lock(&self.opening);
        if let Some(open) = lock(&self.tenants).get(&tenant) {
            return Ok(Arc::clone(open));
        }
        self.append(Event::TenantOpened(tenant))?;
        let (epoch, key) = self.unseal_tenant(tenant)?;
        let scope = tenant_scope(self.vault.id, tenant, epoch.epoch);
        let name = self.tenant_name(tenant, &epoch, &key)?;
        let open = Arc::new(OpenTenant::open(&self.folder, &epoch.file, name, scope, key)?);
        if self.check_effects(&open)? {
            Self::sweep_attached(&open)?;
        }
        let open = Arc::clone(lock(&self.tenants).entry(tenant).or_insert(open));
        self.purge_expired(&open);
        Ok(open)
    }

    /// Changes a tenant's data: the entry is in the log before the rows are committed with its index, or nothing
    /// happens at all. A change that `write` refuses leaves no entry, since it was never about to happen. What the entry
    /// says may follow from what is about to be written.
    pub(crate) fn audited<T, E: From<CallError>>(
        &self,
        actor: &Actor,
        tenant: &OpenTenant,
        write: impl FnOnce(&mut TenantTx<'_>) -> Result<T, E>,
        event: impl FnOnce(&T) -> Event,
    ) -> Result<T, E> {
        self.refuse_exposed(tenant)?;
        self.audited_read(actor, tenant, write, event)
    }

    /// As [`Core::audited`], for a read of which the tenant keeps that it was: it goes on while the tenant waits for a new
    /// key. Who saw what is not what the key is changed for.
    pub(crate) fn audited_read<T, E: From<CallError>>(
        &self,
        actor: &Actor,
        tenant: &OpenTenant,
        write: impl FnOnce(&mut TenantTx<'_>) -> Result<T, E>,
        event: impl FnOnce(&T) -> Event,
    ) -> Result<T, E> {
        if tenant.importing.load(Ordering::Acquire) {
            return Err(CallError::from(Fault::Busy).into());
        }
        let mut store = tenant.writer().map_err(CallError::from)?;
        let in_tenant = |error: StoreError| self.fault(error, Damage::Tenant);
        // Authorised, then overtaken by the lock or a move, which wait for this store, or by a new key.
        self.refuse_ended()?;
        self.refuse_moved(actor)?;
        self.refuse_replaced(tenant)?;
        self.settle(tenant, &store)?;
        let mut tx = store.begin(self.now(), self.account).map_err(in_tenant)?;
        let done = write(&mut tx)?;
        self.commit(tenant, tx, event(&done))?;
        Ok(done)
    }

    /// Nothing is written to a tenant whose key somebody holds who may not read it any more.
    pub(crate) fn refuse_exposed(&self, tenant: &OpenTenant) -> Result<(), CallError> {
        let office = self.office();
        let known = office.membership.tenants.get(&tenant.id).ok_or(CallError::NotFound)?;
        if known.exposed_at(self.now()).is_some() { Err(CallError::AwaitsRekey) } else { Ok(()) }
    }

    /// A file that another one has followed meanwhile takes nothing any more.
    pub(crate) fn refuse_replaced(&self, tenant: &OpenTenant) -> Result<(), CallError> {
        let office = self.office();
        let known = office.membership.tenants.get(&tenant.id).ok_or(CallError::NotFound)?;
        let is_current = known.epoch.as_ref().is_some_and(|epoch| epoch.epoch == tenant.epoch());
        if is_current { Ok(()) } else { Err(Fault::Busy.into()) }
    }

    /// The last two steps of a write: its entry, then its rows. If the second fails, the entry is remembered as one
    /// without effect; nothing is written before that is in the log, too.
    pub(crate) fn commit(&self, tenant: &OpenTenant, tx: TenantTx<'_>, event: Event) -> Result<(), CallError> {
        let entry = self.append_write(tenant, event)?;
        tx.commit(entry).map_err(|error| self.fault(error, Damage::Tenant))?;
        *lock(&tenant.unsettled) = None;
        Ok(())
    }

    /// Tells the log of a write that failed after it was logged, if the one before did.
    pub(crate) fn settle(&self, tenant: &OpenTenant, store: &TenantStore) -> Result<(), CallError> {
        let Some(entry) = *lock(&tenant.unsettled) else { return Ok(()) };
        let before = entry.checked_sub(1);
        if self.missing_effects(tenant, before)?.contains(&entry) {
            self.append(Event::EffectMissing { tenant: tenant.id, entry })?;
            store.settle(entry).map_err(|error| self.fault(error, Damage::Tenant))?;
        }
        *lock(&tenant.unsettled) = None;
        Ok(())
    }

    /// Writes of this tenant the log has after the entry `applied`.
    fn missing_effects(&self, tenant: &OpenTenant, applied: Option<u64>) -> Result<Vec<u64>, CallError> {
        let is_ours =
            |index: u64, tag: &[u8; derive::WRITE_TAG_BYTES]| derive::write_tag(&tenant.tag_key, index) == *tag;
        Ok(self.log.effects_after(applied, &is_ours).map_err(Fault::from)?)
    }

    /// Appends the entry of a write, with the tag that ties it to its effect.
    fn append_write(&self, tenant: &OpenTenant, event: Event) -> Result<u64, CallError> {
        self.expect_change(tenant)?;
        let tag_of = |index| {
            // From here on the entry may be in the log, whatever comes back.
            *lock(&tenant.unsettled) = Some(index);
            derive::write_tag(&tenant.tag_key, index)
        };
        let appended = self.log.append_write(self.now(), &self.origin, event, &tag_of, &mut self.random());
        Ok(appended.map_err(Fault::from)?)
    }

    /// Before the first change of a session: what was remembered of the file no longer holds.
    fn expect_change(&self, tenant: &OpenTenant) -> Result<(), CallError> {
        if tenant.changed.load(Ordering::Acquire) {
            return Ok(());
        }
        let in_directory = |error: StoreError| self.fault(error, Damage::Directory);
        let mut office = self.office();
        if office.closed {
            return Err(CallError::Locked);
        }
        let mut tx = office.directory.write().map_err(in_directory)?;
        tx.delete_file_root(tenant.id, tenant.epoch()).map_err(in_directory)?;
        tx.commit().map_err(in_directory)?;
        tenant.changed.store(true, Ordering::Release);
        Ok(())
    }

    /// Changes the directory: statements and rows in one transaction, then the membership that follows from them.
    pub(crate) fn change_directory(
        &self,
        actor: &Actor,
        event: Event,
        bodies: Vec<Body>,
        rows: impl FnOnce(&mut DirectoryTx<'_>) -> Result<(), StoreError>,
    ) -> Result<(), CallError> {
        self.change_directory_as((self.account, &self.keys.signing), actor, event, bodies, rows)
    }

    /// States something about the account itself that needs no right: what its sealed state says already.
    pub(crate) fn change_own_directory(&self, event: Event, body: Body) -> Result<(), CallError> {
        self.change_directory(&self.authorize_own_upkeep()?, event, vec![body], |_| Ok(()))
    }

    /// As [`Core::change_directory`], signed by the account or by recovery.
    pub(crate) fn change_directory_as(
        &self,
        (signer, key): (AccountId, &SigningKey),
        actor: &Actor,
        event: Event,
        bodies: Vec<Body>,
        rows: impl FnOnce(&mut DirectoryTx<'_>) -> Result<(), StoreError>,
    ) -> Result<(), CallError> {
        self.refuse_ended()?;
        self.refuse_moved(actor)?;
        self.append(event)?;
        let mut office = self.office();
        let office = &mut *office;
        if office.closed {
            return Err(CallError::Locked);
        }
        // Overtaken by a move, which holds the office.
        self.refuse_moved(actor)?;
        let in_directory = |error: StoreError| self.fault(error, Damage::Directory);
        let mut tx = office.directory.write().map_err(in_directory)?;
        // On a copy: what is not committed must leave no trace.
        let mut membership = office.membership.clone();
        for body in bodies {
            let position = membership.pin().length;
            let statement = membership.next_statement(self.now(), membership.replica, signer, key, body);
            membership.extend(&statement).map_err(refused_or_damaged)?;
            tx.insert_statement(position, &statement).map_err(in_directory)?;
        }
        rows(&mut tx).map_err(in_directory)?;
        tx.commit().map_err(in_directory)?;
        office.membership = membership;
        self.moved.store(office.membership.move_under_way().is_some(), Ordering::Release);
        Ok(())
    }

    /// Writes the header with what this account should know next time.
    pub(crate) fn write_header(&self, office: &mut Office) -> Result<(), Fault> {
        if let Some(lease) = &mut office.state.lease {
            lease.see(self.now());
        }
        office
            .header
            .entry_mut(self.account)
            .expect("the session's account is in the header it was unlocked from")
            .set_state(self.vault.id, &office.state, &self.keys.master, &mut self.random());
        let bytes = office.header.encode_next(&office.header_mac);
        files::replace_private_file(&self.folder.join(HEADER_FILE), &bytes).map_err(|error| {
            if matches!(error, FileError::NotDurable(_)) {
                self.give_up();
            }
            error.into()
        })
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

    /// Forgets an open tenant: its file has been replaced. What still reads the old one ends with it.
    pub(crate) fn close_tenant(&self, tenant: TenantId) {
        lock(&self.tenants).remove(&tenant);
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

    /// Where the file of a tenant's epoch is.
    pub(crate) fn tenant_path(&self, epoch: &EpochOpened) -> PathBuf {
        tenant_path(&self.folder, &epoch.file)
    }

    /// Tenants opened in this session.
    pub(crate) fn opened(&self) -> Vec<Arc<OpenTenant>> {
        lock(&self.tenants).values().map(Arc::clone).collect()
    }

    pub(crate) fn append(&self, event: Event) -> Result<u64, Fault> {
        let index = self.log.append(self.now(), &self.origin, event, &mut self.random())?;
        // A checkpoint that fails is no reason to refuse what the log has taken; the next one covers it.
        let _ = self.log.checkpoint_if_due(self.now(), || self.checkpoint_signer());
        Ok(index)
    }

    /// Opens what a steward sealed to this account, and holds it against the statements.
    pub(crate) fn unseal_tenant(&self, tenant: TenantId) -> Result<(EpochOpened, TenantKey), CallError> {
        let office = self.office();
        let known = office.membership.tenants.get(&tenant).ok_or(CallError::NotFound)?;
        let epoch = known.epoch.clone().ok_or(CallError::NotFound)?;
        let grant = office.membership.grants.get(&(tenant, self.account)).ok_or(CallError::NotFound)?;
        let damaged = || Fault::Damaged(Damage::Directory);
        let sealed = office
            .directory
            .tenant_key(tenant, epoch.epoch, self.account)
            .map_err(|error: StoreError| error.into_fault(Damage::Directory))?
            .ok_or_else(damaged)?;
        if crate::chain::digest(&sealed) != *grant.sealed {
            return Err(damaged().into());
        }
        let context = tenant_key_context(self.vault.id, tenant, epoch.epoch, self.account);
        let key: TenantKey = seal::open_sealed_key(&self.keys.sealing, &sealed, &context).map_err(|_| damaged())?;
        let kid = derive::derive_kid(&key, &tenant_scope(self.vault.id, tenant, epoch.epoch));
        if *kid.as_bytes() != *epoch.kid || grant.kid != epoch.kid {
            return Err(damaged().into());
        }
        Ok((epoch, key))
    }

    pub(crate) fn tenant_name(&self, tenant: TenantId, epoch: &EpochOpened, key: &TenantKey) -> Result<String, Fault> {
        let office = self.office();
        let damaged = || Fault::Damaged(Damage::Directory);
        let row = office
            .directory
            .epoch(tenant, epoch.epoch)
            .map_err(|error: StoreError| error.into_fault(Damage::Directory))?
            .ok_or_else(damaged)?;
        if crate::chain::digest(&row.name_for_holders) != *epoch.name_for_holders {
            return Err(damaged());
        }
        let name = coffer_crypto::wrap::open(key, &row.name_for_holders, &tenant_name_context(self.vault.id, tenant))
            .map_err(|_| damaged())?;
        String::from_utf8(name.expose().to_vec()).map_err(|_| damaged())
    }

    /// Matches the log's write entries with the tenant's rows. After a crash the newest may lack its effect, which is
    /// then logged. A file that was locked cleanly lacks none, and no file lacks two: rows were taken away. Says whether
    /// the rows are those that the log knows of.
    pub(crate) fn check_effects(&self, tenant: &OpenTenant) -> Result<bool, CallError> {
        let applied = tenant.read(TenantStore::last_applied)?;
        let missing = self.missing_effects(tenant, applied)?;
        if missing.is_empty() {
            return Ok(true);
        }
        let is_in_order = missing.len() == 1;
        let locked_cleanly = {
            let office = self.office();
            let root = office.directory.file_root(tenant.id, tenant.epoch());
            root.map_err(|error| self.fault(error, Damage::Directory))?.is_some()
        };
        if locked_cleanly || missing.len() > 1 {
            self.append(Event::FileAltered(tenant.id))?;
        }
        if locked_cleanly {
            return Err(Fault::Damaged(Damage::Tenant).into());
        }
        let store = tenant.writer()?;
        for entry in missing {
            self.append(Event::EffectMissing { tenant: tenant.id, entry })?;
            store.settle(entry).map_err(|error| self.fault(error, Damage::Tenant))?;
        }
        Ok(is_in_order)
    }

    /// Removes files of attachments that a kill left before their rows were written. Nothing is being attached yet, and
    /// rows that are not those the log knows of are no reason to remove anything.
    fn sweep_attached(tenant: &OpenTenant) -> Result<(), CallError> {
        let mut needed = BTreeSet::new();
        tenant.read(|store| {
            store.files(|file| {
                needed.insert(file.file);
            })
        })?;
        // One that cannot be removed is in nobody's way.
        let _ = tenant.files.sweep(&needed);
        Ok(())
    }

    /// Says that everything up to now is as it stands.
    pub(crate) fn checkpoint_log(&self) -> Result<(), Fault> {
        Ok(self.log.checkpoint(self.now(), &self.checkpoint_signer())?)
    }

    /// Ends all jobs but that of `except`, which is the one that calls.
    pub(crate) fn end_jobs(&self, except: Option<&JobContext>) {
        let is_other = |job: &Lease| except.is_none_or(|own| !job.is_of(own));
        let jobs: Vec<Lease> = lock(&self.jobs).extract_if(.., |job| is_other(job)).collect();
        jobs.iter().for_each(Lease::revoke);
        let deadline = self.host.clock.monotonic() + JOBS_END_WITHIN;
        for job in &jobs {
            job.wait_until_ended(deadline.saturating_sub(self.host.clock.monotonic()));
        }
    }

    /// Stops jobs, writes the last entry and a checkpoint, closes every file.
    pub(crate) fn lock(&self) -> Result<(), Fault> {
        self.lock_by(None)
    }

    /// As [`Core::lock`], from within a job, which is left to end by itself.
    pub(crate) fn lock_by(&self, job: Option<&JobContext>) -> Result<(), Fault> {
        if self.locked.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        self.end_jobs(job);
        // Each of these matters by itself: a disk that is full for one must not keep the others from being tried. The
        // log first, since a shell in a hurry may end the process at any moment.
        let tenants = std::mem::take(&mut *lock(&self.tenants));
        for tenant in tenants.values() {
            // One that cannot be settled now is left without a remembered root, and settled at its next opening.
            let _ = tenant.opened_writer().map(|writer| self.settle(tenant, &writer));
        }
        let entry = self.append(Event::VaultLocked);
        let checkpoint = self.checkpoint_log();
        if !self.failed.load(Ordering::Acquire) {
            self.keep_names();
        }
        if self.failed.load(Ordering::Acquire) {
            // What cannot be relied on must not be remembered as if it could.
            return Err(Fault::NotDurable);
        }
        let files = self.remember_files(&tenants);
        drop(tenants);
        let remembered = self.remember();
        entry?;
        checkpoint?;
        files?;
        remembered
    }

    /// Remembers length and root of each file this session changed. A file too large to read while somebody waits for
    /// the lock is left without, which says "not checkable".
    fn remember_files(&self, tenants: &BTreeMap<TenantId, Arc<OpenTenant>>) -> Result<(), Fault> {
        let mut roots = Vec::new();
        let mut to_read = HASHED_AT_LOCK_MAX;
        let changed =
            |tenant: &&Arc<OpenTenant>| tenant.changed.load(Ordering::Acquire) && tenant.unsettled_entry().is_none();
        for tenant in tenants.values().filter(changed) {
            let Ok(writer) = tenant.writer() else { continue };
            let at_rest = sqlcipher::come_to_rest(writer.connection(), &tenant.path);
            let bytes = std::fs::metadata(&tenant.path).map_or(u64::MAX, |facts| facts.len());
            if at_rest.is_err() || bytes > to_read {
                continue;
            }
            to_read -= bytes;
            if let Some(root) = FileRoot::of_database(&tenant.path, |_| Ok::<(), Fault>(()))? {
                roots.push((tenant, root));
            }
        }
        if roots.is_empty() {
            return Ok(());
        }
        let in_directory = |error: StoreError| error.into_fault(Damage::Directory);
        let mut office = self.office();
        let mut tx = office.directory.write().map_err(in_directory)?;
        for (tenant, root) in &roots {
            tx.insert_file_root(tenant.id, tenant.epoch(), root).map_err(in_directory)?;
        }
        tx.commit().map_err(in_directory)
    }

    /// Writes what this account should know next time into its sealed state.
    fn remember(&self) -> Result<(), Fault> {
        let mut office = self.office();
        let office = &mut *office;
        office.closed = true;
        let path = self.folder.join(directory::FILE);
        office.header.directory = match sqlcipher::come_to_rest(office.directory.connection(), &path) {
            Ok(()) => FileRoot::of_database(&path, |_| Ok::<(), Fault>(()))?,
            Err(_) => None,
        };
        office.state.set_pin(office.membership.pin());
        office.state.remember_log(self.log.head()?);
        self.write_header(office)?;
        let (replaces, anchor) = self.next_anchor(office)?;
        anchor::keep(&self.host.keyring, self.vault.id, replaces, anchor);
        Ok(())
    }

    /// An anchor of the vault as it is, and those it takes the place of.
    fn next_anchor(&self, office: &Office) -> Result<(Vec<Anchor>, Anchor), Fault> {
        let pin = office.membership.pin();
        let anchor = Anchor::of((pin.length, pin.head), self.log.head()?, self.now());
        let mut own = lock(&self.anchors);
        let replaces = own.clone();
        own.push(anchor.clone());
        Ok((replaces, anchor))
    }
}

impl OpenTenant {
    /// Opens the file that has the random name `file`, in the vault at `folder`.
    pub(crate) fn open(
        folder: &Path,
        file: &Id,
        name: String,
        scope: TenantScope,
        key: TenantKey,
    ) -> Result<Self, Fault> {
        let path = tenant_path(folder, file);
        Ok(Self {
            id: TenantId::from_bytes(scope.tenant),
            name,
            writer: Mutex::new(None),
            reader: Mutex::new(connect(&path, &key, &scope, Access::ReadWrite)?),
            tag_key: derive::derive_tag_key(&key, &scope),
            changed: AtomicBool::new(false),
            importing: AtomicBool::new(false),
            unsettled: Mutex::new(None),
            files: AttachedFiles::of(folder, file),
            path,
            scope,
            key,
        })
    }

    /// A further connection, for a job: the session goes on reading beside it.
    pub(crate) fn connect(&self, access: Access) -> Result<TenantStore, Fault> {
        connect(&self.path, &self.key, &self.scope, access)
    }

    /// The epoch of the key it was opened with.
    pub(crate) fn epoch(&self) -> u32 {
        u32::try_from(self.scope.epoch).expect("made from a u32")
    }

    /// Reads from the tenant's file: by the writer if it is open and idle, since it has the pages that it wrote, which the
    /// reader would fetch and decrypt again after every write; else by the reader, which waits for no write.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&TenantStore) -> Result<T, StoreError>) -> Result<T, CallError> {
        let done = match self.idle_writer() {
            Some(writer) => read(&writer),
            None => read(&lock(&self.reader)),
        };
        done.map_err(|error: StoreError| error.into_fault(Damage::Tenant).into())
    }

    /// Has the tenant to itself for an import, until dropped; busy if another import has.
    pub(crate) fn import(&self) -> Result<Importing<'_>, Fault> {
        self.importing.compare_exchange(false, true, Ordering::AcqRel, Ordering::Acquire).map_err(|_| Fault::Busy)?;
        let writer = self.writer().inspect_err(|_| self.importing.store(false, Ordering::Release))?;
        Ok(Importing { tenant: self, writer })
    }

    /// The entry of a write that failed after it was logged, not settled yet.
    pub(crate) fn unsettled_entry(&self) -> Option<u64> {
        *lock(&self.unsettled)
    }

    /// Whether an import has the tenant to itself.
    pub(crate) fn is_importing(&self) -> bool {
        self.importing.load(Ordering::Acquire)
    }

    /// The writer, opened if nothing was written yet. Who holds it writes, or stops all writes.
    pub(crate) fn writer(&self) -> Result<Writer<'_>, Fault> {
        let mut writer = lock(&self.writer);
        if writer.is_none() {
            *writer = Some(self.connect(Access::ReadWrite)?);
        }
        Ok(Writer(writer))
    }

    /// The writer, if anything was written and nobody holds it.
    fn idle_writer(&self) -> Option<Writer<'_>> {
        let writer = match self.writer.try_lock() {
            Ok(writer) => writer,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        writer.is_some().then(|| Writer(writer))
    }

    /// The writer, if anything was written; waits for a write under way.
    fn opened_writer(&self) -> Option<Writer<'_>> {
        let writer = lock(&self.writer);
        writer.is_some().then(|| Writer(writer))
    }
}

/// An import's hold on a tenant: saves are told that it is busy, and backups wait for another moment.
pub(crate) struct Importing<'t> {
    tenant: &'t OpenTenant,
    /// Stopped, since the import writes on a connection of its own.
    pub(crate) writer: Writer<'t>,
}

impl Drop for Importing<'_> {
    fn drop(&mut self) {
        self.tenant.importing.store(false, Ordering::Release);
    }
}

/// Where a tenant's file is that has the random name `file`, in the vault at `folder`.
pub(crate) fn tenant_path(folder: &Path, file: &Id) -> PathBuf {
    folder.join(TENANTS_FOLDER).join(format!("{}.db", hex::encode(file)))
}

/// Opens a tenant's file.
fn connect(path: &Path, key: &TenantKey, scope: &TenantScope, access: Access) -> Result<TenantStore, Fault> {
    let identity = TenantIdentity {
        vault: VaultId::from_bytes(scope.vault),
        tenant: TenantId::from_bytes(scope.tenant),
        epoch: u32::try_from(scope.epoch).expect("made from a u32"),
    };
    let key = derive::derive_tenant_database_key(key, scope);
    TenantStore::open(path, &key, identity, access).map_err(|error| error.into_fault(Damage::Tenant))
}

/// Where a tenant key belongs.
pub(crate) fn tenant_scope(vault: VaultId, tenant: TenantId, epoch: u32) -> TenantScope {
    TenantScope { vault: *vault.as_bytes(), tenant: *tenant.as_bytes(), epoch: u64::from(epoch) }
}

/// Context of a tenant key sealed to an account.
pub(crate) fn tenant_key_context(vault: VaultId, tenant: TenantId, epoch: u32, account: AccountId) -> Context {
    Context::new(label::SEAL_TENANT_KEY)
        .bytes(vault.as_bytes())
        .bytes(tenant.as_bytes())
        .u64(u64::from(epoch))
        .bytes(account.as_bytes())
}

/// Context of a tenant's name under its key.
pub(crate) fn tenant_name_context(vault: VaultId, tenant: TenantId) -> Context {
    Context::new(label::TENANT_NAME).bytes(vault.as_bytes()).bytes(tenant.as_bytes())
}

/// A statement that the chain does not admit was not this program's to make.
pub(crate) fn refused_or_damaged(error: ChainError) -> CallError {
    match error {
        ChainError::Authority => CallError::Refused,
        error => Fault::from(error).into(),
    }
}

/// Locks a mutex. A panic while it was held is a bug that was already reported; the data behind is guarded by
/// transactions, not by the mutex.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

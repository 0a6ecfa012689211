//! The log of a vault: whoever opens the vault appends, locked or not; nobody takes anything back.
//! Layout: docs/FORMAT.md, "Log". Rows are in [`crate::store::audit`], the evolving key in [`state`], what entries mean
//! and how they are checked in `coffer-evidence`.
//!
//! Fails closed: an entry that cannot be written is an error, and the action it announces does not happen.

mod append;
mod checkpoint;
mod read;
mod state;
#[cfg(test)]
mod tests;
mod verify;

use std::fs::{File, TryLockError};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use coffer_crypto::Random;
use coffer_crypto::label::{self, Context, Label};
use coffer_crypto::seal::{self, SealingPublicKey};
use coffer_crypto::secret::LogMacKey;
use coffer_evidence::mac::{EvolvingKey, MacInput};
use coffer_evidence::merkle::{self, Frontier, Hash};
use coffer_model::id::{AccountId, ReplicaId, SessionId, VaultId};

pub(crate) use self::append::ENTRIES_TOGETHER;
use self::append::Sealing;
pub(crate) use self::checkpoint::CheckpointSigner;
use self::checkpoint::Covered;
pub(crate) use self::read::{Effects, LookedThrough, PageEntry};
use self::state::{LogState, StateFile};
pub(crate) use self::verify::{Observe, VerifyScope};
use crate::fault::{Damage, Fault};
use crate::host::Identity;
use crate::store::audit::{AuditSnapshot, AuditStore, Rows, SegmentRow};
use crate::store::files::{self, FileError};
use crate::store::sqlcipher::{Access, StoreError};

/// Name of the file whose lock is held around each append, in the vault's folder.
const LOCK_FILE: &str = "audit.lock";
/// How long an append waits for another process's; each takes a few milliseconds.
const LOCK_WAIT: Duration = Duration::from_secs(10);
/// How often it looks.
const LOCK_POLL: Duration = Duration::from_millis(2);
/// After how many entries the state is forced to the disk even without a checkpoint.
const STATE_SYNC_ENTRIES: u64 = 100;
/// How far the state may be behind the entries after a loss of power. It is synced every [`STATE_SYNC_ENTRIES`], and
/// one append may write as many again; twice that leaves no doubt. A state further behind is an old copy.
const MAX_STATE_LAG: u64 = 2 * STATE_SYNC_ENTRIES;

/// Who writes an entry, and where.
#[derive(Clone, Debug)]
pub(crate) struct EntryOrigin {
    /// Who; `None` while locked.
    pub(crate) actor: Option<AccountId>,
    /// In which session; `None` while locked.
    pub(crate) session: Option<SessionId>,
    /// In which copy of the vault.
    pub(crate) replica: ReplicaId,
    /// On which machine, in which program.
    pub(crate) identity: Identity,
}

impl EntryOrigin {
    /// Nobody in particular, while the vault is locked. Which copy of the vault this is is not known either: the nil
    /// identifier (RFC 9562 §5.9) stands for it.
    pub(crate) fn locked(identity: &Identity) -> Self {
        Self { actor: None, session: None, replica: ReplicaId::from_bytes([0; 16]), identity: identity.clone() }
    }
}

/// Why the log could not be opened, written or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The state, or the lock's file.
    #[error(transparent)]
    File(#[from] FileError),
    /// State and entries do not belong together: an incident, never repaired on the quiet.
    #[error("the log and its state do not fit together: {0}")]
    State(StateProblem),
    /// The log does not extend its own newest checkpoint.
    #[error("the log does not extend its newest checkpoint")]
    NotExtending,
    /// The audit key is none.
    #[error("the audit key is damaged")]
    AuditKey,
    /// Another process has been writing for too long.
    #[error("the log is in use")]
    Busy,
    /// An earlier write may not have reached the disk. This log object takes nothing any more.
    #[error("the log was given up after a write that may not have reached the disk")]
    Ended,
}

/// How state and entries disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StateProblem {
    /// There is no state, or none that can be read.
    #[error("the state is lost")]
    Lost,
    /// The state knows more entries than there are: some were cut off.
    #[error("entries are missing at the end")]
    Ahead,
    /// The state is older than any loss of power explains: an old copy was put in its place.
    #[error("the state is an old copy")]
    Behind,
    /// The state's key did not make the MACs of the entries after it, or belongs to another segment.
    #[error("the state is not the one the entries were written with")]
    Mismatch,
}

impl StateProblem {
    /// The permanent name of the finding.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Lost => "state_lost",
            Self::Ahead => "truncated",
            Self::Behind => "state_behind",
            Self::Mismatch => "state_mismatch",
        }
    }
}

impl LogError {
    const fn is_fatal(&self) -> bool {
        match self {
            Self::Store(error) => error.is_fatal(),
            Self::File(FileError::NotDurable(_)) => true,
            _ => false,
        }
    }
}

impl From<LogError> for Fault {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Store(error) => error.into_fault(Damage::Log),
            LogError::File(error) => error.into(),
            LogError::State(_) | LogError::NotExtending | LogError::AuditKey => Self::Damaged(Damage::Log),
            LogError::Busy => Self::LogUnavailable,
            LogError::Ended => Self::NotDurable,
        }
    }
}

/// The open log. Used through `&self`; several may be open, in one process or many.
#[derive(Debug)]
pub(crate) struct AuditLog {
    folder: PathBuf,
    vault: VaultId,
    lock: File,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// What new entries are sealed to.
    audit: SealingPublicKey,
    store: AuditStore,
    /// `None` if it is missing.
    state: Option<StateFile>,
    /// The tree as this process last saw it.
    frontier: Frontier,
    /// `None` until it was looked up.
    covered: Option<Covered>,
    sealing: Option<Sealing>,
    ended: bool,
}

/// A state of the log that stays as it is for as long as this lives: what a backup copies.
#[derive(Debug)]
pub(crate) struct LogCopy {
    /// How many entries it has.
    pub(crate) size: u64,
    /// Root of the tree over them.
    pub(crate) root: Hash,
    _snapshot: AuditSnapshot,
}

impl AuditLog {
    /// Makes the log of a new vault.
    pub(crate) fn create(
        folder: &Path,
        vault: VaultId,
        audit: &SealingPublicKey,
        random: &mut dyn Random,
    ) -> Result<Self, LogError> {
        drop(files::create_private_file(&folder.join(LOCK_FILE))?);
        let mut store = AuditStore::create(folder, vault)?;
        begin_segment(folder, &mut store, vault, audit, (0, merkle::empty_root()), random)?;
        files::sync_folder(folder)?;
        Self::open(folder, vault, audit)
    }

    /// Opens the log of a vault. The public key is enough, locked or not.
    pub(crate) fn open(folder: &Path, vault: VaultId, audit: &SealingPublicKey) -> Result<Self, LogError> {
        let log = Self::open_to_read(folder, vault, audit)?;
        log.exclusively(|inner| take_up(inner.store.rows(), inner.state.as_ref()).map(drop))?;
        Ok(log)
    }

    /// Opens a log that may not fit its state, to look at it. Appending is refused where [`AuditLog::open`] is.
    pub(crate) fn open_to_read(folder: &Path, vault: VaultId, audit: &SealingPublicKey) -> Result<Self, LogError> {
        let state = match StateFile::open(folder, vault) {
            Ok(file) => Some(file),
            Err(FileError::Missing) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(Self {
            folder: folder.to_owned(),
            vault,
            lock: open_lock(folder)?,
            inner: Mutex::new(Inner {
                audit: audit.clone(),
                store: AuditStore::open(folder, vault, Access::ReadWrite)?,
                state,
                frontier: Frontier::new(),
                covered: None,
                sealing: None,
                ended: false,
            }),
        })
    }

    /// Opens the log of a locked vault, with the audit key as the header keeps it.
    pub(crate) fn open_locked(folder: &Path, vault: VaultId, audit: &[u8]) -> Result<Self, LogError> {
        Self::open(folder, vault, &SealingPublicKey::parse(audit).map_err(|_| LogError::AuditKey)?)
    }

    /// Begins a segment with a fresh key, in a folder whose log came out of a backup, or whose state was given up as an
    /// incident. `expected` is size and root the log must have, as the manifest says.
    pub(crate) fn start_segment(
        folder: &Path,
        vault: VaultId,
        audit: &SealingPublicKey,
        expected: (u64, Hash),
        random: &mut dyn Random,
    ) -> Result<Self, LogError> {
        let lock = open_lock(folder)?;
        {
            let _guard = Guard::take(&lock)?;
            let mut store = AuditStore::open(folder, vault, Access::ReadWrite)?;
            let size = store.rows().next_index()?;
            let root = merkle::root(size, |id| store.rows().node(id))?;
            if (size, root) != expected {
                return Err(LogError::NotExtending);
            }
            begin_segment(folder, &mut store, vault, audit, expected, random)?;
        }
        Self::open(folder, vault, audit)
    }

    /// Begins the newest segment again if the program ended before its key was stored: it has no entry then. A log that
    /// does not fit its state in any other way stays as it is.
    pub(crate) fn finish_segment(
        folder: &Path,
        vault: VaultId,
        audit: &SealingPublicKey,
        random: &mut dyn Random,
    ) -> Result<(), LogError> {
        let log = Self::open_to_read(folder, vault, audit)?;
        log.exclusively(|inner| {
            let rows = inner.store.rows();
            let segments = rows.segments()?;
            let [.., before, newest] = segments.as_slice() else { return Ok(()) };
            let (first, root, before) = (newest.first, newest.root, before.first);
            let Some(state) = inner.read_state()? else { return Ok(()) };
            if rows.next_index()? == first && state.next == first && state.segment == before {
                begin_segment(folder, &mut inner.store, vault, audit, (first, root), random)?;
            }
            Ok(())
        })
    }

    /// Goes on in a new segment, sealed to another key: who holds only the one before reads nothing of it.
    pub(crate) fn change_key(&self, audit: &SealingPublicKey, random: &mut dyn Random) -> Result<(), LogError> {
        self.exclusively(|inner| {
            refresh(&mut inner.frontier, inner.store.rows())?;
            let head = (inner.frontier.size(), inner.frontier.root());
            begin_segment(&self.folder, &mut inner.store, self.vault, audit, head, random)?;
            inner.audit = audit.clone();
            inner.sealing = None;
            inner.state = Some(StateFile::open(&self.folder, self.vault)?);
            Ok(())
        })
    }

    /// How many entries there are, and the root of the tree over them.
    pub(crate) fn head(&self) -> Result<(u64, Hash), LogError> {
        self.exclusively(|inner| {
            refresh(&mut inner.frontier, inner.store.rows())?;
            Ok((inner.frontier.size(), inner.frontier.root()))
        })
    }

    /// Whether the log has `size` entries or more, and the first `size` of them are those that `root` stands for.
    pub(crate) fn extends(&self, size: u64, root: &Hash) -> Result<bool, LogError> {
        self.exclusively(|inner| {
            let rows = inner.store.rows();
            Ok(rows.next_index()? >= size && merkle::root(size, |id| rows.node(id))? == *root)
        })
    }

    /// Holds the log as it is, in its main file alone, so that the file can be copied while appending goes on.
    pub(crate) fn hold_for_copy(&self) -> Result<LogCopy, LogError> {
        self.exclusively(|inner| {
            refresh(&mut inner.frontier, inner.store.rows())?;
            let snapshot = inner.store.snapshot(&self.folder, self.vault)?;
            Ok(LogCopy { size: inner.frontier.size(), root: inner.frontier.root(), _snapshot: snapshot })
        })
    }

    /// Runs `work` while no other thread and no other process writes.
    fn exclusively<T>(&self, work: impl FnOnce(&mut Inner) -> Result<T, LogError>) -> Result<T, LogError> {
        // A thread that panicked in the middle leaves nothing to rely on.
        let mut inner = self.inner.lock().map_err(|_| LogError::Ended)?;
        if inner.ended {
            return Err(LogError::Ended);
        }
        let _guard = Guard::take(&self.lock)?;
        let result = work(&mut inner);
        if result.as_ref().is_err_and(LogError::is_fatal) {
            inner.ended = true;
        }
        result
    }
}

/// Finds the key for the next entry, stepping forward after a crash.
fn take_up(rows: Rows<'_>, file: Option<&StateFile>) -> Result<LogState, LogError> {
    let (segment, next) = (rows.last_segment()?, rows.next_index()?);
    let file = file.ok_or(LogError::State(StateProblem::Lost))?;
    let mut state = file.read()?.ok_or(LogError::State(StateProblem::Lost))?;
    if state.segment != segment {
        return Err(LogError::State(StateProblem::Mismatch));
    }
    let lag = next.checked_sub(state.next).ok_or(LogError::State(StateProblem::Ahead))?;
    if lag > MAX_STATE_LAG {
        return Err(LogError::State(StateProblem::Behind));
    }
    if lag > 0 {
        rows.each_entry(state.next, |entry| {
            if entry.index != state.next || !state.key.matches(entry.index, &MacInput::of(entry)) {
                return ControlFlow::Break(());
            }
            state.step();
            ControlFlow::Continue(())
        })?;
        if state.next != next {
            return Err(LogError::State(StateProblem::Mismatch));
        }
        file.write(&state)?;
    }
    Ok(state)
}

/// Takes the tree up where other processes left it.
fn refresh(frontier: &mut Frontier, rows: Rows<'_>) -> Result<(), LogError> {
    let size = rows.next_index()?;
    if frontier.size() != size {
        *frontier = Frontier::load(size, |id| rows.node(id))?;
    }
    Ok(())
}

impl Inner {
    fn state_file(&self) -> Result<&StateFile, LogError> {
        self.state.as_ref().ok_or(LogError::State(StateProblem::Lost))
    }

    fn read_state(&self) -> Result<Option<LogState>, LogError> {
        Ok(self.state.as_ref().map(StateFile::read).transpose()?.flatten())
    }
}

/// Stores a segment's row, then its state: should the machine stop in between, the segment is begun again.
fn begin_segment(
    folder: &Path,
    store: &mut AuditStore,
    vault: VaultId,
    audit: &SealingPublicKey,
    (first, root): (u64, Hash),
    random: &mut dyn Random,
) -> Result<(), LogError> {
    let key = LogMacKey::generate(random);
    let sealed_key = seal::seal_key_to(audit, &key, &segment_context(label::SEAL_LOG_MAC_KEY, vault, first), random);
    let mut tx = store.write()?;
    tx.insert_segment(&SegmentRow { first, root, sealed_key })?;
    tx.commit()?;
    let state = LogState { segment: first, next: first, key: EvolvingKey::new(key.expose()) };
    StateFile::start(folder, vault, &state)?;
    Ok(())
}

fn segment_context(label: Label, vault: VaultId, first: u64) -> Context {
    Context::new(label).bytes(vault.as_bytes()).u64(first)
}

/// A restored folder has no lock file yet.
fn open_lock(folder: &Path) -> Result<File, FileError> {
    let path = folder.join(LOCK_FILE);
    match files::create_private_file(&path) {
        Err(FileError::Exists) => files::open_private_file_for_writing(&path),
        made => made,
    }
}

/// The lock between processes, while it is held.
struct Guard<'l>(&'l File);

impl<'l> Guard<'l> {
    fn take(lock: &'l File) -> Result<Self, LogError> {
        let mut waited = Duration::ZERO;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Self(lock)),
                Err(TryLockError::WouldBlock) if waited < LOCK_WAIT => {
                    thread::sleep(LOCK_POLL);
                    waited += LOCK_POLL;
                }
                Err(TryLockError::WouldBlock) => return Err(LogError::Busy),
                Err(TryLockError::Error(error)) => return Err(FileError::from(error).into()),
            }
        }
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        // If it fails, the lock ends with the descriptor at the latest.
        let _ = self.0.unlock();
    }
}

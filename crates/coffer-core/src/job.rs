//! Long work on a thread of its own: progress to look at, a way to stop it, one result to wait for.
//!
//! Stopping is asked for, not forced: the work looks between steps ([`JobContext::check`]) and undoes or leaves off
//! cleanly. A session that locks revokes the leases of its jobs and waits for them to end, so that none goes on with
//! keys that are no longer anybody's.

use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use coffer_interchange::source::SourceError;

use crate::backup::BackupError;
use crate::fault::{CallError, Fault};
use crate::store::files::FileError;
use crate::usecase::{AttachError, CreateTenantError, ExportError, ImportError, SaveAttachmentError, SubjectError};
use crate::view::{Progress, ProgressUnit};

/// Why a job has no result.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// It was cancelled. Nothing remains of it.
    #[error("the job was cancelled")]
    Cancelled,
    /// The session it belonged to was locked. Nothing remains of it.
    #[error("the vault was locked before the job was done")]
    Locked,
    /// A bug ended it. Nothing remains of it, and the vault is as it was.
    #[error("the job ended because of a bug")]
    Bug,
    /// The vault counts as moved, but there is no archive of it: it is moved again, or that is taken back.
    #[error("the vault counts as moved, but its archive was not written: {0}")]
    MoveUnfinished(Box<Self>),
    /// A call failed on its way.
    #[error(transparent)]
    Call(#[from] CallError),
    /// A backup could not be made, read or restored.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// A file could not be imported.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// A tenant could not be exported.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// A redacted twin could not become a tenant.
    #[error(transparent)]
    CreateTenant(#[from] CreateTenantError),
    /// What is held about a person could not be handed over or erased.
    #[error(transparent)]
    Subject(#[from] SubjectError),
    /// A file could not be attached.
    #[error(transparent)]
    Attach(#[from] AttachError),
    /// An attachment could not be saved.
    #[error(transparent)]
    SaveAttachment(#[from] SaveAttachmentError),
}

impl JobError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::Locked => "locked",
            Self::Bug => "bug",
            Self::MoveUnfinished(_) => "move_unfinished",
            Self::Call(error) => error.code(),
            Self::Backup(error) => error.code(),
            Self::Import(error) => error.code(),
            Self::Export(error) => error.code(),
            Self::CreateTenant(error) => error.code(),
            Self::Subject(error) => error.code(),
            Self::Attach(error) => error.code(),
            Self::SaveAttachment(error) => error.code(),
        }
    }
}

impl From<FileError> for JobError {
    fn from(error: FileError) -> Self {
        Fault::from(error).into()
    }
}

impl From<SourceError> for JobError {
    fn from(error: SourceError) -> Self {
        Self::Import(error.into())
    }
}

impl From<Fault> for JobError {
    fn from(fault: Fault) -> Self {
        Self::Call(CallError::Fault(fault))
    }
}

/// Why a job is asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stopped {
    /// Somebody cancelled it.
    #[error("the job was cancelled")]
    Cancelled,
    /// Its session was locked.
    #[error("the vault was locked before the job was done")]
    Locked,
}

impl From<Stopped> for JobError {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Cancelled => Self::Cancelled,
            Stopped::Locked => Self::Locked,
        }
    }
}

const GO_ON: u8 = 0;
const CANCELLED: u8 = 1;
const LOCKED: u8 = 2;
/// Stands for "not known yet" where a total belongs; no job counts so far.
const NO_TOTAL: u64 = u64::MAX;

/// What the work, its handle and its session share.
#[derive(Debug)]
struct Control {
    stop: AtomicU8,
    done: AtomicU64,
    total: AtomicU64,
    unit: ProgressUnit,
    ended: Mutex<bool>,
    end: Condvar,
}

impl Control {
    fn new(unit: ProgressUnit) -> Self {
        Self {
            stop: AtomicU8::new(GO_ON),
            done: AtomicU64::new(0),
            total: AtomicU64::new(NO_TOTAL),
            unit,
            ended: Mutex::new(false),
            end: Condvar::new(),
        }
    }

    /// The first reason counts, so that a job cancelled and then locked says what the person did.
    fn stop(&self, reason: u8) {
        let _ = self.stop.compare_exchange(GO_ON, reason, Ordering::Relaxed, Ordering::Relaxed);
    }

    fn set_ended(&self) {
        *locked(&self.ended) = true;
        self.end.notify_all();
    }
}

/// What the work itself sees of its job.
#[derive(Clone, Debug)]
pub(crate) struct JobContext {
    control: Arc<Control>,
}

impl JobContext {
    /// Between steps: goes on, or says why to stop. Cheap enough for every 64 KiB or row.
    pub(crate) fn check(&self) -> Result<(), Stopped> {
        match self.control.stop.load(Ordering::Relaxed) {
            GO_ON => Ok(()),
            LOCKED => Err(Stopped::Locked),
            _ => Err(Stopped::Cancelled),
        }
    }

    /// Says how much there is to do altogether.
    pub(crate) fn set_total(&self, total: u64) {
        self.control.total.store(total, Ordering::Relaxed);
    }

    /// Says that so much more is done.
    pub(crate) fn advance(&self, more: u64) {
        self.control.done.fetch_add(more, Ordering::Relaxed);
    }
}

#[cfg(test)]
impl JobContext {
    /// A job that nobody started, for testing the work alone.
    pub(crate) fn detached() -> Self {
        Self { control: Arc::new(Control::new(ProgressUnit::Bytes)) }
    }

    /// Asks the work to stop, as its handle would.
    pub(crate) fn cancel(&self) {
        self.control.stop(CANCELLED);
    }
}

/// A session's hold on a job that uses its keys.
#[derive(Debug)]
pub(crate) struct Lease {
    control: Weak<Control>,
}

impl Lease {
    /// Whether it is the lease of this job.
    pub(crate) fn is_of(&self, job: &JobContext) -> bool {
        self.control.as_ptr() == Arc::as_ptr(&job.control)
    }

    /// Tells the job to stop because the session locks.
    pub(crate) fn revoke(&self) {
        if let Some(control) = self.control.upgrade() {
            control.stop(LOCKED);
        }
    }

    /// Waits until the work has ended and let go of all it held; `false` if it had not within `limit`.
    pub(crate) fn wait_until_ended(&self, limit: Duration) -> bool {
        let Some(control) = self.control.upgrade() else { return true };
        let ended = locked(&control.ended);
        let (ended, _) =
            control.end.wait_timeout_while(ended, limit, |ended| !*ended).unwrap_or_else(PoisonError::into_inner);
        *ended
    }

    /// Whether the work has ended, so that the lease can be forgotten.
    pub(crate) fn has_ended(&self) -> bool {
        self.wait_until_ended(Duration::ZERO)
    }
}

/// Long work that is under way or done.
///
/// Dropping the handle lets the work go on unseen; [`JobHandle::cancel`] stops it.
pub struct JobHandle<T> {
    control: Arc<Control>,
    result: Arc<Mutex<Option<Result<T, JobError>>>>,
}

impl<T: Send + 'static> fmt::Debug for JobHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobHandle").field("progress", &self.progress()).finish_non_exhaustive()
    }
}

impl<T: Send + 'static> JobHandle<T> {
    /// Starts `work` on a thread called `name`.
    pub(crate) fn start(
        name: &'static str,
        unit: ProgressUnit,
        work: impl FnOnce(&JobContext) -> Result<T, JobError> + Send + 'static,
    ) -> Self {
        let control = Arc::new(Control::new(unit));
        let handle = Self { control: Arc::clone(&control), result: Arc::new(Mutex::new(None)) };
        let result = Arc::clone(&handle.result);
        let context = JobContext { control };
        let spawned = thread::Builder::new().name(format!("job-{name}")).spawn(move || {
            // The work, a closure that is called once, drops all it holds before the end is announced. A panic has been
            // reported by the process's hook where it happened.
            let outcome = panic::catch_unwind(AssertUnwindSafe(|| work(&context))).unwrap_or(Err(JobError::Bug));
            *locked(&result) = Some(outcome);
            context.control.set_ended();
        });
        if let Err(error) = spawned {
            *locked(&handle.result) = Some(Err(FileError::from(error).into()));
            handle.control.set_ended();
        }
        handle
    }

    /// How far it has come.
    pub fn progress(&self) -> Progress {
        let total = self.control.total.load(Ordering::Relaxed);
        Progress {
            done: self.control.done.load(Ordering::Relaxed),
            total: (total != NO_TOTAL).then_some(total),
            unit: self.control.unit,
        }
    }

    /// Asks it to stop. It may be done all the same if it was past the last point of return.
    pub fn cancel(&self) {
        self.control.stop(CANCELLED);
    }

    /// The result if there is one by now; only once.
    pub fn try_result(&self) -> Option<Result<T, JobError>> {
        locked(&self.result).take()
    }

    /// Waits for the result. After [`JobHandle::try_result`] has given it away there is none, which is a bug.
    pub fn wait(self) -> Result<T, JobError> {
        let ended = locked(&self.control.ended);
        drop(self.control.end.wait_while(ended, |ended| !*ended).unwrap_or_else(PoisonError::into_inner));
        self.try_result().unwrap_or(Err(JobError::Bug))
    }

    /// What a session keeps of the job.
    pub(crate) fn lease(&self) -> Lease {
        Lease { control: Arc::downgrade(&self.control) }
    }
}

/// Nothing panics while one of these locks is held, and what they guard is whole at every moment.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_result_is_waited_for_and_progress_is_seen() {
        let (tell, told) = mpsc::channel::<()>();
        let (ready, is_ready) = mpsc::channel::<()>();
        let job = JobHandle::start("test", ProgressUnit::Rows, move |context| {
            context.set_total(10);
            context.advance(4);
            ready.send(()).unwrap();
            told.recv().unwrap();
            Ok(7)
        });
        is_ready.recv().unwrap();
        assert_eq!(job.progress(), Progress { done: 4, total: Some(10), unit: ProgressUnit::Rows });
        assert!(job.try_result().is_none());
        tell.send(()).unwrap();
        assert_eq!(job.wait().unwrap(), 7);
    }

    fn endless() -> JobHandle<()> {
        JobHandle::start("endless", ProgressUnit::Bytes, |context| {
            loop {
                context.check()?;
                thread::yield_now();
            }
        })
    }

    #[test]
    fn cancel_and_lock_stop_the_work_each_with_its_reason() {
        let job = endless();
        job.cancel();
        assert!(matches!(job.wait(), Err(JobError::Cancelled)));
        let job = endless();
        let lease = job.lease();
        assert!(!lease.has_ended());
        lease.revoke();
        assert!(lease.wait_until_ended(Duration::from_secs(10)));
        job.cancel();
        assert!(matches!(job.wait(), Err(JobError::Locked)));
        assert!(lease.has_ended());
    }

    #[test]
    fn a_panic_is_a_bug_and_not_a_wait_without_end() {
        let job: JobHandle<()> = JobHandle::start("panics", ProgressUnit::Rows, |_| panic!("on purpose"));
        let lease = job.lease();
        assert!(matches!(job.wait(), Err(JobError::Bug)));
        assert!(lease.has_ended());
    }

    #[test]
    fn when_a_lease_says_ended_the_work_has_let_go_of_what_it_held() {
        let held = Arc::new(());
        let watch = Arc::downgrade(&held);
        let job = JobHandle::start("holds", ProgressUnit::Rows, move |context| {
            let _ = &held;
            loop {
                context.check()?;
                thread::yield_now();
            }
        });
        let lease = job.lease();
        lease.revoke();
        assert!(lease.wait_until_ended(Duration::from_secs(10)));
        assert!(watch.upgrade().is_none());
        assert!(matches!(job.try_result(), Some(Err::<(), _>(JobError::Locked))));
    }
}

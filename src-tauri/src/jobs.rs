//! Long work the web view follows: by a number, with progress, a way to cancel, and one answer that stays until asked for.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use coffer_core::JobHandle;
use coffer_core::view::{
    AccountExposureView, AttachmentView, BackupView, ExportReport, ExposureCheckView, ExposuresView, FileCheckView,
    ImportReport, LogReport, MoveReport, PendingKeyView, Progress, RecordView, SecretHealthView, SubjectErasureReport,
    SubjectExportReport, SubjectFindings, TwinReport,
};
use serde::Serialize;
use ts_rs::TS;

use crate::refusal::Refusal;

/// Jobs whose end nobody has asked for are forgotten beyond this many.
const MOST_ENDED: usize = 64;

/// A job that was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct Job {
    /// Its number.
    pub job: String,
}

/// What a job is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// It goes on.
    Running,
    /// It is done; there is a result.
    Done,
    /// It failed; there is an error. Nothing remains of it.
    Failed,
    /// It was cancelled. Nothing remains of it.
    Cancelled,
}

/// What a job may end with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(untagged)]
pub enum JobResult {
    /// A backup was made, checked or restored.
    Backup(BackupView),
    /// A file was imported, or tried.
    Import(ImportReport),
    /// The log was verified.
    Log(LogReport),
    /// A tenant was exported.
    Export(ExportReport),
    /// A redacted twin was made.
    Twin(TwinReport),
    /// Records were moved into another tenant, or copied.
    Move(MoveReport),
    /// A person was looked for.
    SubjectFound(SubjectFindings),
    /// What is held about a person was written to a file.
    SubjectExport(SubjectExportReport),
    /// A person was erased.
    SubjectErasure(SubjectErasureReport),
    /// A file was attached to the record.
    Record(RecordView),
    /// An attachment was saved.
    Attachment(AttachmentView),
    /// The tenants' files were checked.
    Files(Vec<FileCheckView>),
    /// A tenant's secrets were assessed.
    Secrets(SecretHealthView),
    /// Keys were replaced; these are pending still.
    Keys(Vec<PendingKeyView>),
    /// What people have seen who are gone, of each tenant.
    Exposures(Vec<ExposuresView>),
    /// What was reported of one of them.
    ExposureReport(AccountExposureView),
    /// What stewards reported of an account, held against the log.
    ExposureCheck(ExposureCheckView),
    /// This account is steward of so many tenants that had none.
    Recovered(#[ts(type = "number")] u64),
    /// It is done, and there is nothing to tell.
    Nothing(()),
}

impl From<Vec<PendingKeyView>> for JobResult {
    fn from(pending: Vec<PendingKeyView>) -> Self {
        Self::Keys(pending)
    }
}

impl From<Vec<ExposuresView>> for JobResult {
    fn from(exposures: Vec<ExposuresView>) -> Self {
        Self::Exposures(exposures)
    }
}

impl From<AccountExposureView> for JobResult {
    fn from(reported: AccountExposureView) -> Self {
        Self::ExposureReport(reported)
    }
}

impl From<ExposureCheckView> for JobResult {
    fn from(checked: ExposureCheckView) -> Self {
        Self::ExposureCheck(checked)
    }
}

impl From<u64> for JobResult {
    fn from(tenants: u64) -> Self {
        Self::Recovered(tenants)
    }
}

impl From<()> for JobResult {
    fn from((): ()) -> Self {
        Self::Nothing(())
    }
}

impl From<ExportReport> for JobResult {
    fn from(report: ExportReport) -> Self {
        Self::Export(report)
    }
}

impl From<TwinReport> for JobResult {
    fn from(report: TwinReport) -> Self {
        Self::Twin(report)
    }
}

impl From<MoveReport> for JobResult {
    fn from(report: MoveReport) -> Self {
        Self::Move(report)
    }
}

impl From<SubjectFindings> for JobResult {
    fn from(found: SubjectFindings) -> Self {
        Self::SubjectFound(found)
    }
}

impl From<SubjectExportReport> for JobResult {
    fn from(report: SubjectExportReport) -> Self {
        Self::SubjectExport(report)
    }
}

impl From<SubjectErasureReport> for JobResult {
    fn from(report: SubjectErasureReport) -> Self {
        Self::SubjectErasure(report)
    }
}

impl From<BackupView> for JobResult {
    fn from(view: BackupView) -> Self {
        Self::Backup(view)
    }
}

impl From<SecretHealthView> for JobResult {
    fn from(view: SecretHealthView) -> Self {
        Self::Secrets(view)
    }
}

impl From<ImportReport> for JobResult {
    fn from(report: ImportReport) -> Self {
        Self::Import(report)
    }
}

impl From<Vec<FileCheckView>> for JobResult {
    fn from(checks: Vec<FileCheckView>) -> Self {
        Self::Files(checks)
    }
}

impl From<LogReport> for JobResult {
    fn from(report: LogReport) -> Self {
        Self::Log(report)
    }
}

impl From<RecordView> for JobResult {
    fn from(view: RecordView) -> Self {
        Self::Record(view)
    }
}

impl From<AttachmentView> for JobResult {
    fn from(view: AttachmentView) -> Self {
        Self::Attachment(view)
    }
}

/// How far a job is, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct JobProgress {
    /// How far it is.
    pub progress: Progress,
    /// What it is at.
    pub state: JobState,
    /// What it ended with.
    pub result: Option<JobResult>,
    /// Why it failed.
    pub error: Option<Refusal>,
}

/// What is to be done when a job has ended well.
type OnDone<T> = Box<dyn FnOnce(&T) + Send>;

/// A job of any kind.
trait Follow: Send {
    fn cancel(&self);
    fn look(&mut self) -> JobProgress;
    fn has_ended(&mut self) -> bool {
        self.look().state != JobState::Running
    }
}

struct Followed<T> {
    handle: JobHandle<T>,
    on_done: Option<OnDone<T>>,
    ended: Option<(JobState, Option<JobResult>, Option<Refusal>)>,
}

impl<T: Into<JobResult> + Send + 'static> Follow for Followed<T> {
    fn cancel(&self) {
        self.handle.cancel();
    }

    fn look(&mut self) -> JobProgress {
        if self.ended.is_none() {
            self.ended = self.handle.try_result().map(|outcome| match outcome {
                Ok(result) => {
                    if let Some(on_done) = self.on_done.take() {
                        on_done(&result);
                    }
                    (JobState::Done, Some(result.into()), None)
                }
                Err(coffer_core::JobError::Cancelled) => (JobState::Cancelled, None, None),
                Err(error) => (JobState::Failed, None, Some(error.into())),
            });
        }
        let (state, result, error) = self.ended.clone().unwrap_or((JobState::Running, None, None));
        JobProgress { progress: self.handle.progress(), state, result, error }
    }
}

/// All jobs of this process.
#[derive(Default)]
pub(crate) struct Jobs(Mutex<Numbered>);

#[derive(Default)]
struct Numbered {
    next: u64,
    jobs: BTreeMap<u64, Box<dyn Follow>>,
}

impl Jobs {
    /// Follows a job from now on.
    pub(crate) fn follow<T: Into<JobResult> + Send + 'static>(
        &self,
        handle: JobHandle<T>,
        on_done: Option<OnDone<T>>,
    ) -> Job {
        let mut numbered = self.numbered();
        let number = numbered.next;
        numbered.next += 1;
        if numbered.jobs.len() >= MOST_ENDED {
            numbered.jobs.retain(|_, job| !job.has_ended());
        }
        numbered.jobs.insert(number, Box::new(Followed { handle, on_done, ended: None }));
        Job { job: number.to_string() }
    }

    /// How far a job is.
    pub(crate) fn progress(&self, job: &str) -> Result<JobProgress, Refusal> {
        self.with(job, |job| job.look())
    }

    /// Asks a job to stop.
    pub(crate) fn cancel(&self, job: &str) -> Result<(), Refusal> {
        self.with(job, |job| job.cancel())
    }

    /// Asks all of them to stop, because the process ends.
    pub(crate) fn cancel_all(&self) {
        self.numbered().jobs.values().for_each(|job| job.cancel());
    }

    fn with<A>(&self, job: &str, act: impl FnOnce(&mut Box<dyn Follow>) -> A) -> Result<A, Refusal> {
        let number: u64 = job.parse().map_err(|_| Refusal::NOT_FOUND)?;
        self.numbered().jobs.get_mut(&number).map(act).ok_or(Refusal::NOT_FOUND)
    }

    fn numbered(&self) -> MutexGuard<'_, Numbered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

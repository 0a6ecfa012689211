//! A person in a tenant's data: found wherever they are, what is held about them handed over, and erased. Rules:
//! docs/FORMAT.md, "Erasure", and docs/persons.md.
//!
//! Whoever does so answers for the tenant: to ask whether secrets, history and trash hold a text is as good as to see
//! them. The identifiers are personal data themselves, and never logged.

mod archive;
mod erase;
mod export;
mod identifiers;
mod scan;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use coffer_model::event::Event;
use coffer_model::id::{RecordId, RecordKey, TenantId};

pub use self::erase::SubjectErasureRequest;
pub use self::export::SubjectExportRequest;
use self::identifiers::Matcher;
pub use self::identifiers::{InvalidIdentifiers, SUBJECT_IDENTIFIERS_MAX, SubjectIdentifiers};
use self::scan::{Found, Scan};
use crate::fault::CallError;
use crate::job::{JobError, JobHandle};
use crate::policy::Action;
use crate::session::{Actor, Session};
use crate::store::files::FileError;
use crate::view::{ProgressUnit, SubjectFindings};

/// Why what is held about a person was not handed over or erased.
#[derive(Debug, thiserror::Error)]
pub enum SubjectError {
    /// The file could not be written.
    #[error("the file for the person cannot be written")]
    File(#[source] FileError),
    /// Something is there already.
    #[error("a file of that name exists already")]
    TargetExists,
    /// The passphrase was not given just now, or for another session.
    #[error("this needs the account's passphrase, given just now")]
    NotFresh,
    /// More records hold the person than one step takes.
    #[error("the person is in more than 1,000 records, which are too many for one step")]
    TooMany,
    /// The call was refused or failed. A record that was named and in which the person is not is not found.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl SubjectError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::File(FileError::NoSpace(_)) => "no_space",
            Self::File(_) => "export_not_written",
            Self::TargetExists => "target_exists",
            Self::NotFresh => "authentication_not_fresh",
            Self::TooMany => "subject_too_many",
            Self::Call(error) => error.code(),
        }
    }
}

impl From<FileError> for SubjectError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Exists => Self::TargetExists,
            other => Self::File(other),
        }
    }
}

impl From<std::io::Error> for SubjectError {
    fn from(error: std::io::Error) -> Self {
        FileError::from(error).into()
    }
}

impl Session {
    /// Starts looking for a person in everything that is kept of a tenant, as a job whose progress counts records.
    pub fn start_find_subject(
        &self,
        tenant: TenantId,
        identifiers: SubjectIdentifiers,
    ) -> Result<JobHandle<SubjectFindings>, CallError> {
        let actor = self.authorize(Action::FindSubject, Some(tenant))?;
        let open = self.open_tenant(&actor, tenant)?;
        let core = Arc::clone(&self.core);
        let job = JobHandle::start("find-subject", ProgressUnit::Records, move |context| {
            let matcher = Matcher::of(&identifiers);
            let found = Scan { core: &core, open: &open, context, matcher: &matcher }.run()?;
            core.record(&actor, Event::SubjectSearched { tenant, count: found.records.len() as u64 })?;
            Ok(found.view(&core, &open))
        });
        self.core.adopt(job.lease());
        Ok(job)
    }
}

/// What handing over and erasing begin with: the search once more, and what was chosen of it.
struct Chosen {
    found: Found,
    /// Whether everything that was found is meant.
    all: bool,
}

/// Looks for the person and keeps the records that were named; all if none were. That one of them is not among those
/// found is logged as a refusal, since somebody may be trying identifiers.
fn choose(scan: &Scan<'_>, actor: &Actor, named: Option<&[RecordId]>) -> Result<Chosen, JobError> {
    let mut found = scan.run()?;
    let Some(named) = named else {
        if found.more {
            return Err(SubjectError::TooMany.into());
        }
        return Ok(Chosen { found, all: true });
    };
    let keys: BTreeSet<RecordKey> = named.iter().map(|id| id.key()).collect();
    let known = |key: &RecordKey| found.records.iter().any(|record| record.key() == *key);
    if named.iter().any(|id| id.tenant() != scan.open.id) || !keys.iter().all(known) {
        scan.core.record(actor, Event::AccessRefused { tenant: Some(scan.open.id) })?;
        return Err(CallError::NotFound.into());
    }
    found.records.retain(|record| keys.contains(&record.key()));
    found.drafts.retain(|draft| draft.stored.kept.record.is_some_and(|key| keys.contains(&key)));
    found.searches.clear();
    Ok(Chosen { found, all: false })
}

/// A file that must not be there yet.
fn refuse_existing(file: &Path) -> Result<(), SubjectError> {
    if std::fs::symlink_metadata(file).is_ok() { Err(SubjectError::TargetExists) } else { Ok(()) }
}

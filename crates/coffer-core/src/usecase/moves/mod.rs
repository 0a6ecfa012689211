//! Records that were put into the wrong tenant, or belong to two: moved, or copied, from one tenant into another of the
//! same vault. Rules: docs/FORMAT.md, "Records from another tenant".
//!
//! To mix up clients is the error this program exists to prevent, so nothing here happens in passing: a person looks first
//! at what would come along and what would be cut ([`Session::inspect_move`]), then names the tenant that is to have it
//! ([`MoveRequest::confirmation`]). Two databases cannot change in one write. So the other tenant has everything, durable
//! and read back, before the records go into the trash of the one they came from: a kill leaves them in both at worst,
//! which the log says, and moving them again goes on where it ended.

mod carry;
mod plan;

use std::sync::Arc;

use coffer_model::event::Event;
use coffer_model::id::{RecordId, RecordKey, TenantId};

use self::carry::Carrying;
use self::plan::Plan;
use super::bulk::{BulkError, Selection};
use crate::fault::CallError;
use crate::job::{JobContext, JobHandle};
use crate::policy::Action;
use crate::session::{Actor, OpenTenant, Session};
use crate::store::tenant::ChangeError;
use crate::view::{BulkView, MovePreview, MoveReport, MovedRecord, ProgressUnit};

/// What to move, and where to.
#[derive(Clone, Debug)]
pub struct MoveRequest {
    /// The tenant that has the records.
    pub from: TenantId,
    /// The records, none of them in the trash.
    pub records: Vec<RecordId>,
    /// The tenant that is to have them.
    pub to: TenantId,
    /// Whether the records also stay where they are.
    pub copy: bool,
    /// The name of the tenant that is to have them, as somebody typed or chose it for this step. Only looking does
    /// without.
    pub confirmation: String,
}

/// Why records were not moved. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// The tenant the records are in is the one they are to go to.
    #[error("the records are in that tenant already")]
    SameTenant,
    /// The name that was given is not that of the tenant the records are to go to.
    #[error("the name given is not that of the tenant the records are to go to")]
    NotConfirmed,
    /// The selection is none, or the call was refused or failed.
    #[error(transparent)]
    Bulk(#[from] BulkError),
}

impl MoveError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::SameTenant => "same_tenant",
            Self::NotConfirmed => "not_confirmed",
            Self::Bulk(error) => error.code(),
        }
    }
}

impl From<CallError> for MoveError {
    fn from(error: CallError) -> Self {
        Self::Bulk(error.into())
    }
}

/// Both tenants of a move that was allowed.
struct Both {
    actor: Actor,
    from: Arc<OpenTenant>,
    to: Arc<OpenTenant>,
    selection: Selection,
}

impl Session {
    /// What would come along and what would be cut. Changes nothing; logged as a list, since titles are shown.
    pub fn inspect_move(&self, request: &MoveRequest) -> Result<MovePreview, MoveError> {
        let both = self.open_both(request)?;
        let plan = self.planned(&both, request.copy)?;
        let count = both.selection.keys.len() as u64;
        self.record(&both.actor, Event::RecordsListed { tenant: request.from, count })?;
        Ok(plan.into_view(&both.from, &both.to))
    }

    /// Starts moving or copying as a job whose progress counts bytes: of texts once, of attachments written and read back.
    pub fn start_move(&self, request: &MoveRequest) -> Result<JobHandle<MoveReport>, MoveError> {
        let both = self.open_both(request)?;
        if request.confirmation.trim() != both.to.name {
            return Err(MoveError::NotConfirmed);
        }
        self.core.refuse_exposed(&both.to)?;
        if !request.copy {
            self.core.refuse_exposed(&both.from)?;
        }
        // Said at once: a job would only come to the same.
        self.planned(&both, request.copy)?;
        let (core, copy) = (Arc::clone(&self.core), request.copy);
        let job = JobHandle::start("move", ProgressUnit::Bytes, move |context: &JobContext| {
            let Both { actor, from, to, selection } = &both;
            Carrying { core: &core, context, actor, from, to, selection, copy }.run()
        });
        self.core.adopt(job.lease());
        Ok(job)
    }

    /// Takes a move back: records come out of the trash of the tenant they were in, and what came into the other one goes
    /// into the trash there. Refused if one of those was changed there since.
    pub fn undo_move(&self, moved: &[MovedRecord], copy: bool) -> Result<BulkView, BulkError> {
        let from: Vec<RecordId> = moved.iter().map(|moved| moved.from).collect();
        let arrived: Vec<MovedRecord> = moved.iter().filter(|moved| moved.arrived).copied().collect();
        let to: Vec<RecordId> = arrived.iter().map(|moved| moved.to).collect();
        Selection::parse(&from)?;
        if let Some(first) = arrived.first() {
            // Before anything is done in either.
            Selection::parse(&to)?;
            let actor = self.authorize(Action::TrashRecords, Some(first.to.tenant()))?;
            let open = self.open_tenant(&actor, first.to.tenant())?;
            self.core.refuse_exposed(&open)?;
            for moved in &arrived {
                let stored = self.core.stored_version(&actor, &open, moved.to, None)?;
                if stored.version != moved.version || stored.trashed_at.is_some() {
                    return Err(BulkError::VersionConflict);
                }
            }
        }
        // The other way round, a kill in between would leave the records in no list.
        let mut done = BulkView { records: moved.len() as u64 };
        if !copy {
            done = self.restore_records(&from)?;
        }
        if !arrived.is_empty() {
            let event = |first, count| Event::RecordsTrashed { first, count };
            self.change_many(Action::TrashRecords, &to, event, |tx, selection| {
                for moved in arrived.iter().filter(|moved| selection.keys.contains(&moved.to.key())) {
                    if tx.version_in_use(moved.to.key(), None)?.0 != moved.version {
                        return Err(BulkError::VersionConflict);
                    }
                    tx.trash_record(moved.to.key())?;
                }
                Ok(())
            })?;
        }
        Ok(done)
    }

    /// Asks for both rights before either tenant is opened.
    fn open_both(&self, request: &MoveRequest) -> Result<Both, MoveError> {
        let selection = Selection::parse(&request.records)?;
        if selection.tenant() != request.from {
            return Err(BulkError::SeveralTenants.into());
        }
        if request.from == request.to {
            return Err(MoveError::SameTenant);
        }
        let actor = self.authorize(Action::SendRecords, Some(request.from))?;
        self.authorize(Action::ReceiveRecords, Some(request.to))?;
        let from = self.open_tenant(&actor, request.from)?;
        let to = self.open_tenant(&actor, request.to)?;
        Ok(Both { actor, from, to, selection })
    }

    /// That a record is not there is logged as a refusal, as for a single one.
    fn planned(&self, both: &Both, copy: bool) -> Result<Plan, MoveError> {
        let account = self.core.account;
        match Plan::of(&both.from, &both.to, &both.selection, account, copy) {
            Err(CallError::NotFound) => {
                self.record(&both.actor, Event::AccessRefused { tenant: Some(both.from.id) })?;
                Err(CallError::NotFound.into())
            }
            plan => Ok(plan?),
        }
    }
}

/// What a change of the rows of these keys means when they were just read.
fn gone(error: ChangeError) -> CallError {
    match error {
        ChangeError::NotFound | ChangeError::VersionConflict => CallError::NotFound,
        ChangeError::Store(error) => super::records::in_tenant(error),
    }
}

/// The identifier of a record of a tenant that is open.
fn id(open: &OpenTenant, key: RecordKey) -> RecordId {
    RecordId::new(open.id, key)
}

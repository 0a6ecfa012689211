//! One step over many records of one tenant: whole or not at all, with one log entry.
//!
//! An entry names the first record and how many, as for a page of records opened at once. An entry for each record would
//! tell no more, since the tenant keeps with the write which records it moved (`moved` in its database) or gave a new
//! version; and it would say of a thousand writes what is one: a single effect stands behind a single entry.
//!
//! No step here reaches into another tenant; moving records between two is a matter of its own (`moves`).

use std::collections::{BTreeMap, BTreeSet};

use coffer_model::event::Event;
use coffer_model::id::{RecordId, RecordKey, TenantId};
use coffer_model::record::{InvalidRecord, RecordContent};

use super::records::in_tenant;
use crate::fault::CallError;
use crate::policy::Action;
use crate::session::Session;
use crate::store::tenant::{ChangeError, TenantTx};
use crate::view::{BulkTagView, BulkView, TaggedRecord};

/// Most records of one step.
pub const BULK_MAX: usize = 1_000;

/// Why a step over many records was not done. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum BulkError {
    /// No record was named, or too many.
    #[error("one step takes 1 to {BULK_MAX} records")]
    Count,
    /// The records are not all of one tenant.
    #[error("one step takes records of one tenant only")]
    SeveralTenants,
    /// One of the records has been changed since.
    #[error("one of the records has been changed since")]
    VersionConflict,
    /// One of the records would not be one any more.
    #[error(transparent)]
    Invalid(InvalidRecord),
    /// The call was refused or failed. A record that is not where the step looks for it, be it in the trash or outside, is
    /// not found.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl BulkError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Count => "bulk_count",
            Self::SeveralTenants => "several_tenants",
            Self::VersionConflict => "version_conflict",
            Self::Invalid(_) => "invalid_record",
            Self::Call(error) => error.code(),
        }
    }
}

impl From<ChangeError> for BulkError {
    fn from(error: ChangeError) -> Self {
        Self::Call(match error {
            // Nobody else writes between reading a version and writing the next in one transaction.
            ChangeError::NotFound | ChangeError::VersionConflict => CallError::NotFound,
            ChangeError::Store(error) => in_tenant(error),
        })
    }
}

/// How tags change.
#[derive(Clone, Debug, Default)]
pub struct TagChange {
    /// Tags the records are to have.
    pub add: Vec<String>,
    /// Tags they are to have no more.
    pub remove: Vec<String>,
}

/// The records of one step: of one tenant, each once.
pub(super) struct Selection {
    pub(super) first: RecordId,
    pub(super) keys: Vec<RecordKey>,
}

impl Selection {
    pub(super) fn parse(ids: &[RecordId]) -> Result<Self, BulkError> {
        let first = *ids.first().ok_or(BulkError::Count)?;
        if ids.iter().any(|id| id.tenant() != first.tenant()) {
            return Err(BulkError::SeveralTenants);
        }
        let mut seen = BTreeSet::new();
        let keys: Vec<RecordKey> = ids.iter().map(|id| id.key()).filter(|key| seen.insert(*key)).collect();
        if keys.len() > BULK_MAX { Err(BulkError::Count) } else { Ok(Self { first, keys }) }
    }

    pub(super) fn tenant(&self) -> TenantId {
        self.first.tenant()
    }
}

impl Session {
    /// Adds tags to records and takes others away; each record this changes gets a new version, and is named.
    pub fn tag_records(&self, ids: &[RecordId], tags: &TagChange) -> Result<BulkTagView, BulkError> {
        let event = |first, count| Event::RecordsTagged { first, count };
        let mut changed = Vec::new();
        let done = self.change_many(Action::ChangeRecord, ids, event, |tx, selection| {
            for &key in &selection.keys {
                let with_tags =
                    |content: &RecordContent| content.with_tags(&tags.add, &tags.remove).map_err(BulkError::Invalid);
                if let Some(version) = tx.change_newest(key, with_tags)? {
                    changed.push(TaggedRecord { id: RecordId::new(selection.tenant(), key), version });
                }
            }
            Ok(())
        })?;
        Ok(BulkTagView { records: done.records, changed })
    }

    /// Gives records the tags back that they had before [`Session::tag_records`] changed them, as new versions. Refused if
    /// one of them has another version by now.
    pub fn undo_tag_records(&self, changed: &[TaggedRecord]) -> Result<BulkView, BulkError> {
        let versions: BTreeMap<RecordKey, u32> =
            changed.iter().map(|tagged| (tagged.id.key(), tagged.version)).collect();
        let ids: Vec<RecordId> = changed.iter().map(|tagged| tagged.id).collect();
        let event = |first, count| Event::RecordsTagged { first, count };
        self.change_many(Action::ChangeRecord, &ids, event, |tx, selection| {
            for &key in &selection.keys {
                let expected = versions[&key];
                let (newest, content) = tx.version_in_use(key, None)?;
                if newest != expected {
                    return Err(BulkError::VersionConflict);
                }
                let (_, before) = tx.version_in_use(key, Some(expected.saturating_sub(1)))?;
                let new = content.tags().iter().filter(|tag| !before.tags().contains(tag)).cloned();
                let back = content.with_tags(before.tags(), &new.collect::<Vec<_>>()).map_err(BulkError::Invalid)?;
                tx.update_record(key, newest, &back)?;
            }
            Ok(())
        })
    }

    /// Does one step. That a record is not there is logged as a refusal, as for a single one.
    pub(super) fn change_many(
        &self,
        action: Action,
        ids: &[RecordId],
        event: impl FnOnce(RecordId, u64) -> Event,
        write: impl FnOnce(&mut TenantTx<'_>, &Selection) -> Result<(), BulkError>,
    ) -> Result<BulkView, BulkError> {
        let selection = Selection::parse(ids)?;
        let tenant = selection.tenant();
        let actor = self.authorize(action, Some(tenant))?;
        let open = self.open_tenant(&actor, tenant)?;
        let records = selection.keys.len() as u64;
        let done = self.audited(&actor, &open, event(selection.first, records), |tx| write(tx, &selection));
        if let Err(BulkError::Call(CallError::NotFound)) = done {
            self.record(&actor, Event::AccessRefused { tenant: Some(tenant) })?;
        }
        done.map(|()| BulkView { records })
    }
}

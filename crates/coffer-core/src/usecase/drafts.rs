//! Drafts: what somebody was writing when the vault locked. It is kept in the tenant's own file, under the tenant's key,
//! for the account that wrote it, and offered after the next unlock. Nothing that is saved removes a draft but the window
//! that took it up: to keep one too long costs a click, to lose one is an edit lost.

use std::sync::Arc;

use coffer_model::event::Event;
use coffer_model::id::{RecordId, TenantId};
use coffer_model::record::{InvalidRecord, RecordDraft, Value};

use super::SaveRecordError;
use crate::fault::CallError;
use crate::policy::Action;
use crate::session::{Actor, OpenTenant, Session};
use crate::store::tenant::{KeptDraft, StoredDraft};
use crate::view::{DraftFieldView, DraftNote, DraftView};

impl Session {
    /// Keeps what this account is writing, in place of what it kept of the same record before: of `record`, begun from its
    /// version `version`, or of one not added yet. It need not be a record yet, only be no larger than one.
    pub fn keep_draft(
        &self,
        tenant: TenantId,
        record: Option<(RecordId, u32)>,
        draft: &RecordDraft,
    ) -> Result<(), SaveRecordError> {
        let id = record.map(|(id, _)| id);
        let (actor, open) = self.open_for_drafts(tenant, id)?;
        if !draft.is_bounded() {
            return Err(SaveRecordError::Invalid(InvalidRecord::TooLarge));
        }
        let (key, version) = (id.map(RecordId::key), record.map_or(0, |(_, version)| version));
        self.audited(&actor, &open, Event::DraftKept { tenant, record: id }, |tx| {
            tx.keep_draft(key, version, draft).map_err(SaveRecordError::from)
        })
    }

    /// The drafts this account has in a tenant, the one kept last first; what is in them is not told. Says nothing to the
    /// log if there is none.
    pub fn drafts(&self, tenant: TenantId) -> Result<Vec<DraftNote>, CallError> {
        let actor = self.authorize(Action::KeepDraft, Some(tenant))?;
        let open = self.open_tenant(&actor, tenant)?;
        let kept = open.read(|store| store.drafts(self.core.account))?;
        if !kept.is_empty() {
            self.record(&actor, Event::RecordsListed { tenant, count: kept.len() as u64 })?;
        }
        Ok(kept.into_iter().map(|kept| note(tenant, kept)).collect())
    }

    /// What this account kept of a record, or of one not added yet.
    pub fn draft(&self, tenant: TenantId, record: Option<RecordId>) -> Result<Option<DraftView>, CallError> {
        let (actor, open) = self.open_for_drafts(tenant, record)?;
        let key = record.map(RecordId::key);
        let Some(stored) = open.read(|store| store.draft(self.core.account, key))? else { return Ok(None) };
        self.record(&actor, Event::DraftOpened { tenant, record })?;
        Ok(Some(view(tenant, stored)))
    }

    /// Gives up what this account kept, or says that it is saved. Without such a draft nothing happens.
    pub fn discard_draft(&self, tenant: TenantId, record: Option<RecordId>) -> Result<(), SaveRecordError> {
        let (actor, open) = self.open_for_drafts(tenant, record)?;
        let key = record.map(RecordId::key);
        if open.read(|store| store.draft(self.core.account, key))?.is_none() {
            return Ok(());
        }
        self.audited(&actor, &open, Event::DraftDiscarded { tenant, record }, |tx| {
            tx.delete_draft(key).map_err(SaveRecordError::from)
        })
    }

    /// Opens the tenant, if `record` is one of it. That it is not is logged as a refusal.
    fn open_for_drafts(
        &self,
        tenant: TenantId,
        record: Option<RecordId>,
    ) -> Result<(Actor, Arc<OpenTenant>), CallError> {
        let actor = self.authorize(Action::KeepDraft, Some(tenant))?;
        let open = self.open_tenant(&actor, tenant)?;
        if let Some(id) = record {
            if id.tenant() != tenant {
                self.record(&actor, Event::AccessRefused { tenant: Some(tenant) })?;
                return Err(CallError::NotFound);
            }
            self.core.stored_version(&actor, &open, id, None)?;
        }
        Ok((actor, open))
    }
}

fn note(tenant: TenantId, kept: KeptDraft) -> DraftNote {
    let KeptDraft { record, version, kept_at } = kept;
    DraftNote { record: record.map(|key| RecordId::new(tenant, key)), version, kept_at }
}

fn view(tenant: TenantId, stored: StoredDraft) -> DraftView {
    let StoredDraft { kept, draft } = stored;
    let RecordDraft { kind, title, fields, tags, notes } = draft;
    let fields = fields.into_iter().map(|field| DraftFieldView {
        id: field.id,
        name: field.name,
        field_type: field.field_type,
        value: field.value.as_ref().map(|value: &Value| value.expose().to_owned()),
    });
    DraftView { note: note(tenant, kept), kind, title, fields: fields.collect(), tags, notes }
}

//! Records: listing, opening, adding and changing them. Layout: docs/FORMAT.md, "A tenant's database".

use coffer_crypto::Random as _;
use coffer_model::event::Event;
use coffer_model::id::{AccountId, RecordId, RecordKey, TenantId};
use coffer_model::list::{RecordOrder, RowDetail};
use coffer_model::record::{Field, FieldType, InvalidRecord, RecordContent, RecordDraft};

use super::attachments::attachment_view;
use crate::fault::{CallError, Damage};
use crate::job::{JobError, Stopped};
use crate::policy::Action;
use crate::session::{Actor, Core, OpenTenant, Session};
use crate::store::sqlcipher::StoreError;
use crate::store::tenant::{ChangeError, Cursor, ListedRecord, PageQuery, StoredVersion};
use crate::view::{FieldView, FullRecordPage, RecordPage, RecordRow, RecordView, ReferenceView};

/// Most records of one page.
pub(super) const PAGE_MAX: u32 = 1_000;

/// Which of a tenant's records to list.
#[derive(Clone, Copy, Debug)]
pub struct ListRequest<'r> {
    /// In which order.
    pub order: RecordOrder,
    /// Whether only this account's favourites.
    pub favourites: bool,
    /// Most records, 1 to 1,000.
    pub limit: u32,
    /// Where the page begins: `next` of a page before, in the same order.
    pub after: Option<&'r str>,
    /// How many records are passed over from there, for going to a place far down without fetching what lies between.
    pub skip: u64,
    /// What each row tells besides title, kind and time.
    pub detail: RowDetail,
}

impl ListRequest<'_> {
    /// The first page of all records in an order.
    pub const fn new(order: RecordOrder, limit: u32) -> Self {
        Self { order, favourites: false, limit, after: None, skip: 0, detail: RowDetail::None }
    }
}

/// Why records were not listed.
#[derive(Debug, thiserror::Error)]
pub enum ListRecordsError {
    /// The cursor is none that this list of this tenant gave.
    #[error("there is no such place in this tenant's list")]
    InvalidCursor,
    /// The call was refused or failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl ListRecordsError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidCursor => "invalid_cursor",
            Self::Call(error) => error.code(),
        }
    }
}

/// Why a record was not saved. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum SaveRecordError {
    /// The draft is no record.
    #[error(transparent)]
    Invalid(InvalidRecord),
    /// It was changed since the draft's version was read.
    #[error("the record has been changed since it was read")]
    VersionConflict,
    /// It is in the trash.
    #[error("the record is in the trash")]
    Trashed,
    /// The call was refused or failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl SaveRecordError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid_record",
            Self::VersionConflict => "version_conflict",
            Self::Trashed => "record_trashed",
            Self::Call(error) => error.code(),
        }
    }
}

impl From<ChangeError> for SaveRecordError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::NotFound => Self::Call(CallError::NotFound),
            ChangeError::VersionConflict => Self::VersionConflict,
            ChangeError::Store(error) => Self::Call(in_tenant(error)),
        }
    }
}

impl Session {
    /// A page of a tenant's records in the order of their titles: the first, or the one that begins after `after`.
    pub fn list_records(
        &self,
        tenant: TenantId,
        limit: u32,
        after: Option<&str>,
    ) -> Result<RecordPage, ListRecordsError> {
        self.list_records_by(tenant, &ListRequest { after, ..ListRequest::new(RecordOrder::Title, limit) })
    }

    /// As [`Session::list_records`], in whatever order, and of favourites alone if that is asked for.
    pub fn list_records_by(&self, tenant: TenantId, request: &ListRequest<'_>) -> Result<RecordPage, ListRecordsError> {
        let actor = self.authorize(Action::ListRecords, Some(tenant))?;
        let ListRequest { order, favourites, limit, after, skip, detail } = *request;
        let cursor = after.map(|text| Cursor::parse(text, tenant, Some(order))).transpose();
        let cursor = cursor.map_err(|_| ListRecordsError::InvalidCursor)?;
        let open = self.open_tenant(&actor, tenant)?;
        let account = self.core.account;
        let limit = limit.clamp(1, PAGE_MAX);
        let query = PageQuery { account, order, favourites, limit, after: cursor.as_ref(), skip, detail };
        let (page, total) = open.read(|store| {
            Ok((store.page(&query)?, if favourites { store.favourite_count(account)? } else { store.count()? }))
        })?;
        self.record(&actor, Event::RecordsListed { tenant, count: page.records.len() as u64 })?;
        Ok(RecordPage {
            tenant,
            records: (page.records.into_iter().zip(page.details))
                .map(|(record, detail)| RecordRow { detail, ..row_view(tenant, record) })
                .collect(),
            favourites: page.favourites.into_iter().map(|key| RecordId::new(tenant, key)).collect(),
            total,
            next: page.next.map(|cursor| cursor.encode(tenant)),
        })
    }

    /// As [`Session::list_records`], with everything in the records, secrets masked; the page may be shorter than `limit`.
    ///
    /// One entry says it of the whole page, exactly ([`Event::RecordsOpened`]), where opening them one by one would write
    /// as many entries as there are records.
    pub fn open_records(
        &self,
        tenant: TenantId,
        limit: u32,
        after: Option<&str>,
    ) -> Result<FullRecordPage, ListRecordsError> {
        let actor = self.authorize(Action::OpenRecord, Some(tenant))?;
        let cursor = after.map(|text| Cursor::parse(text, tenant, Some(RecordOrder::Title))).transpose();
        let cursor = cursor.map_err(|_| ListRecordsError::InvalidCursor)?;
        let open = self.open_tenant(&actor, tenant)?;
        let page = open.read(|store| store.full_page(limit.clamp(1, PAGE_MAX), cursor.as_ref()))?;
        let count = page.records.len() as u64;
        let opened = page.records.first().zip(page.after_entry).map(|((first, _), after)| Event::RecordsOpened {
            first: RecordId::new(tenant, *first),
            count,
            after,
        });
        self.record(&actor, opened.unwrap_or(Event::RecordsListed { tenant, count }))?;
        let view = |(key, stored): (RecordKey, StoredVersion)| {
            self.core.record_view(RecordId::new(tenant, key), &open, &stored)
        };
        Ok(FullRecordPage {
            tenant,
            records: page.records.into_iter().map(view).collect::<Result<_, _>>()?,
            total: page.total,
            next: page.next.map(|cursor| cursor.encode(tenant)),
        })
    }

    /// A record, its secrets masked.
    pub fn open_record(&self, id: RecordId) -> Result<RecordView, CallError> {
        let actor = self.authorize(Action::OpenRecord, Some(id.tenant()))?;
        let open = self.open_tenant(&actor, id.tenant())?;
        let stored = self.core.stored_version(&actor, &open, id, None)?;
        self.record(&actor, Event::RecordOpened(id))?;
        self.core.record_view(id, &open, &stored)
    }

    /// Adds a record.
    pub fn add_record(&self, tenant: TenantId, draft: RecordDraft) -> Result<RecordView, SaveRecordError> {
        let actor = self.authorize(Action::AddRecord, Some(tenant))?;
        let content = RecordContent::parse(draft, None).map_err(SaveRecordError::Invalid)?;
        let open = self.open_tenant(&actor, tenant)?;
        let id = RecordId::new(tenant, self.core.new_record_key());
        self.audited(&actor, &open, Event::RecordAdded(id), |tx| -> Result<(), SaveRecordError> {
            Ok(tx.insert_record(id.key(), &content).map_err(in_tenant)?)
        })?;
        self.core.saved_view(id, &open)
    }

    /// Adds many records in one step, whole or not at all; logged as an import. Gives how many.
    pub fn add_records(&self, tenant: TenantId, drafts: Vec<RecordDraft>) -> Result<u64, SaveRecordError> {
        let actor = self.authorize(Action::ImportRecords, Some(tenant))?;
        let contents: Vec<RecordContent> = drafts
            .into_iter()
            .map(|draft| RecordContent::parse(draft, None))
            .collect::<Result<_, _>>()
            .map_err(SaveRecordError::Invalid)?;
        let open = self.open_tenant(&actor, tenant)?;
        let count = contents.len() as u64;
        self.audited(&actor, &open, Event::RecordsImported { tenant, count }, |tx| -> Result<(), SaveRecordError> {
            for content in &contents {
                tx.insert_record(self.core.new_record_key(), content).map_err(in_tenant)?;
            }
            Ok(())
        })?;
        Ok(count)
    }

    /// Gives a record a new version, if `expected_version` is its newest. What the draft leaves out of a field stays.
    pub fn change_record(
        &self,
        id: RecordId,
        expected_version: u32,
        draft: RecordDraft,
    ) -> Result<RecordView, SaveRecordError> {
        let actor = self.authorize(Action::ChangeRecord, Some(id.tenant()))?;
        let open = self.open_tenant(&actor, id.tenant())?;
        let before = self.core.stored_version(&actor, &open, id, None)?;
        if before.trashed_at.is_some() {
            return Err(SaveRecordError::Trashed);
        }
        if before.version != expected_version {
            return Err(SaveRecordError::VersionConflict);
        }
        let content = RecordContent::parse(draft, Some(&before.content)).map_err(SaveRecordError::Invalid)?;
        let version = expected_version.checked_add(1).ok_or(SaveRecordError::VersionConflict)?;
        self.audited(&actor, &open, Event::RecordChanged { record: id, version }, |tx| {
            tx.update_record(id.key(), expected_version, &content).map_err(SaveRecordError::from)
        })?;
        self.core.saved_view(id, &open)
    }
}

impl Core {
    /// A version of a record, the newest if none is named. That there is none is logged as a refusal, since somebody
    /// may be trying identifiers.
    pub(super) fn stored_version(
        &self,
        actor: &Actor,
        open: &OpenTenant,
        id: RecordId,
        version: Option<u32>,
    ) -> Result<StoredVersion, CallError> {
        if let Some(stored) = open.read(|store| store.record(id.key(), version))? {
            return Ok(stored);
        }
        self.record(actor, Event::AccessRefused { tenant: Some(id.tenant()) })?;
        Err(CallError::NotFound)
    }

    /// An identifier for a record that is about to be added.
    pub(super) fn new_record_key(&self) -> RecordKey {
        let mut random = [0; 10];
        self.random().fill(&mut random);
        RecordKey::from_time_and_random(self.now(), random)
    }

    /// Login name of an account.
    pub(super) fn login_of(&self, account: AccountId) -> String {
        let office = self.office();
        office.membership.login_of(account).map_or_else(|| account.to_string(), ToString::to_string)
    }

    /// A record as it is shown, with the titles of the records it refers to: those belong to what it says.
    pub(super) fn record_view(
        &self,
        id: RecordId,
        open: &OpenTenant,
        stored: &StoredVersion,
    ) -> Result<RecordView, CallError> {
        let content = &stored.content;
        let fields = content.fields().iter().map(|field| field_view(open, field));
        Ok(RecordView {
            id,
            tenant_name: open.name.clone(),
            kind: content.kind().clone(),
            title: content.title().to_owned(),
            fields: fields.collect::<Result<_, _>>()?,
            tags: content.tags().to_vec(),
            notes: content.notes().to_owned(),
            attachments: stored.attachments.iter().map(attachment_view).collect(),
            version: stored.version,
            created_at: stored.created_at,
            changed_at: stored.changed_at,
            changed_by: self.login_of(stored.changed_by),
            favourite: open.read(|store| store.is_favourite(self.account, id.key()))?,
            trashed_at: stored.trashed_at,
        })
    }

    /// What was saved, as it is stored now. Its own entry says that this account knows it.
    pub(super) fn saved_view(&self, id: RecordId, open: &OpenTenant) -> Result<RecordView, SaveRecordError> {
        let stored = open.read(|store| store.record(id.key(), None))?.ok_or(CallError::NotFound)?;
        Ok(self.record_view(id, open, &stored)?)
    }
}

/// A record in lists.
pub(super) fn row_view(tenant: TenantId, record: ListedRecord) -> RecordRow {
    RecordRow {
        id: RecordId::new(tenant, record.key),
        kind: record.kind,
        title: record.title,
        changed_at: record.changed_at,
        detail: None,
    }
}

fn field_view(open: &OpenTenant, field: &Field) -> Result<FieldView, CallError> {
    let text = field.value.expose();
    let referred = if field.field_type == FieldType::Reference { text.parse::<RecordKey>().ok() } else { None };
    let title = referred.map(|key| open.read(|store| store.title(key))).transpose()?.flatten();
    let reference = referred.zip(title).map(|(key, title)| ReferenceView { id: RecordId::new(open.id, key), title });
    Ok(FieldView {
        id: field.id,
        name: field.name.clone(),
        field_type: field.field_type,
        value: (!field.field_type.is_masked()).then(|| text.to_owned()),
        empty: text.is_empty(),
        reference,
    })
}

/// What a failure of a tenant's file means to the caller.
pub(super) fn in_tenant(error: StoreError) -> CallError {
    error.into_fault(Damage::Tenant).into()
}

/// Why a job is shown no further records: it failed or is to stop, or the tenant's file cannot be read.
pub(super) struct Interrupted(JobError);

impl From<StoreError> for Interrupted {
    fn from(error: StoreError) -> Self {
        Self(in_tenant(error).into())
    }
}

impl From<JobError> for Interrupted {
    fn from(error: JobError) -> Self {
        Self(error)
    }
}

impl From<Stopped> for Interrupted {
    fn from(stopped: Stopped) -> Self {
        Self(stopped.into())
    }
}

impl From<Interrupted> for JobError {
    fn from(interrupted: Interrupted) -> Self {
        interrupted.0
    }
}

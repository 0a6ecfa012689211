//! The trash: records set aside, taken back, or deleted for good. Layout: docs/FORMAT.md, "A tenant's database".
//!
//! **When the time of a record in the trash is over.** It stays for [`TRASH_RETENTION_DAYS`], and is then purged when
//! somebody who may edit first opens the tenant in a session. What destroys data must not believe a clock that somebody has
//! set forward, by mistake or to destroy. The time of the tenant's newest write is a lower bound of the true time that was
//! there before this session: so the trash is judged at that time, or at the clock's if that is earlier. A clock set forward
//! destroys nothing at that opening; a tenant in which nobody writes keeps its trash longer. Too long is mended by emptying
//! the trash, too short by nothing. What remains: a clock that was wrong in a session in which somebody wrote, and is wrong
//! again in the next. Putting a record into the trash counts from the newest write likewise, should the clock be behind it.

use coffer_model::event::Event;
use coffer_model::id::{RecordId, TenantId};
use coffer_model::time::Timestamp;

use super::bulk::BulkError;
use super::records::{ListRecordsError, PAGE_MAX, in_tenant, row_view};
use crate::fault::CallError;
use crate::policy::{self, Action};
use crate::session::{Actor, Core, OpenTenant, Session};
use crate::store::tenant::{ChangeError, Cursor, TenantStore, TenantTx};
use crate::view::{BulkView, TrashPage, TrashRow};

/// How long a record stays in the trash, at least.
pub const TRASH_RETENTION_DAYS: u32 = 30;
const RETENTION_MS: i64 = TRASH_RETENTION_DAYS as i64 * 24 * 60 * 60 * 1_000;
/// Most records purged in one write.
const PURGED_MAX: u32 = 1_000;

impl Session {
    /// Moves a record to the trash. Reversible until purged.
    pub fn trash_record(&self, id: RecordId) -> Result<BulkView, BulkError> {
        self.trash_records(&[id])
    }

    /// Moves records to the trash: out of lists, counts and search at once, with everything they have.
    pub fn trash_records(&self, ids: &[RecordId]) -> Result<BulkView, BulkError> {
        let event = |first, count| Event::RecordsTrashed { first, count };
        self.change_many(Action::TrashRecords, ids, event, |tx, selection| {
            selection.keys.iter().try_for_each(|&key| Ok(tx.trash_record(key)?))
        })
    }

    /// Takes a record out of the trash.
    pub fn restore_record(&self, id: RecordId) -> Result<BulkView, BulkError> {
        self.restore_records(&[id])
    }

    /// Takes records out of the trash; they come back with everything they had.
    pub fn restore_records(&self, ids: &[RecordId]) -> Result<BulkView, BulkError> {
        let event = |first, count| Event::RecordsRestored { first, count };
        self.change_many(Action::TrashRecords, ids, event, |tx, selection| {
            selection.keys.iter().try_for_each(|&key| Ok(tx.restore_record(key)?))
        })
    }

    /// Deletes a record that is in the trash for good.
    pub fn purge_record(&self, id: RecordId) -> Result<BulkView, BulkError> {
        self.purge_records(&[id])
    }

    /// Deletes records that are in the trash for good: every version, exposures, favourites, drafts.
    pub fn purge_records(&self, ids: &[RecordId]) -> Result<BulkView, BulkError> {
        let event = |first, count| Event::RecordsPurged { first, count };
        self.change_many(Action::PurgeRecords, ids, event, |tx, selection| Ok(tx.purge_records(&selection.keys)?))
    }

    /// Deletes everything that is in a tenant's trash for good, in steps of a thousand records that are whole each.
    pub fn empty_trash(&self, tenant: TenantId) -> Result<BulkView, CallError> {
        let mut records = 0;
        loop {
            let actor = self.authorize(Action::PurgeRecords, Some(tenant))?;
            let open = self.open_tenant(&actor, tenant)?;
            let purged = self.core.purge_until(&actor, &open, i64::MAX)?;
            records += purged;
            if purged < u64::from(PURGED_MAX) {
                return Ok(BulkView { records });
            }
        }
    }

    /// A page of a tenant's trash, the record put there last first; `after` and `skip` as in [`ListRequest`].
    pub fn list_trash(
        &self,
        tenant: TenantId,
        limit: u32,
        after: Option<&str>,
        skip: u64,
    ) -> Result<TrashPage, ListRecordsError> {
        let actor = self.authorize(Action::ListRecords, Some(tenant))?;
        let cursor = after.map(|text| Cursor::parse(text, tenant, None)).transpose();
        let cursor = cursor.map_err(|_| ListRecordsError::InvalidCursor)?;
        let open = self.open_tenant(&actor, tenant)?;
        let limit = limit.clamp(1, PAGE_MAX);
        let (page, total) =
            open.read(|store| Ok((store.trash_page(limit, cursor.as_ref(), skip)?, store.trash_count()?)))?;
        self.record(&actor, Event::RecordsListed { tenant, count: page.records.len() as u64 })?;
        let view = |(record, trashed_at)| TrashRow {
            record: row_view(tenant, record),
            trashed_at,
            kept_until: after_retention(trashed_at),
        };
        Ok(TrashPage {
            tenant,
            records: page.records.into_iter().map(view).collect(),
            total,
            next: page.next.map(|cursor| cursor.encode(tenant)),
        })
    }
}

impl Core {
    /// Purges what has been in the trash for its time, if this account may. Nobody is kept from their data because that
    /// failed: the next opening tries again, and a failure that matters has ended the session.
    pub(crate) fn purge_expired(&self, open: &OpenTenant) {
        let _ = self.try_purge_expired(open);
    }

    fn try_purge_expired(&self, open: &OpenTenant) -> Result<(), CallError> {
        let now = self.now();
        let right = self.office().membership.right(open.id, self.account, now);
        // Asked without `authorize`: that a reader does not purge is no refusal.
        if !policy::allows(Action::PurgeExpired, self.roles(), right) {
            return Ok(());
        }
        // Most trashes are empty, and somebody waits.
        if open.read(TenantStore::trash_count)? == 0 {
            return Ok(());
        }
        let Some(newest) = open.read(TenantStore::last_changed_at)? else { return Ok(()) };
        let until = newest.min(now).unix_millis().saturating_sub(RETENTION_MS);
        if !open.read(|store| store.trashed_until(until, 1))?.is_empty() {
            let actor = self.authorize(Action::PurgeExpired, Some(open.id))?;
            self.purge_until(&actor, open, until)?;
        }
        Ok(())
    }

    /// Purges those longest in the trash of the records put there at `until`, in milliseconds, or before. Gives how many.
    fn purge_until(&self, actor: &Actor, open: &OpenTenant, until: i64) -> Result<u64, CallError> {
        let keys = open.read(|store| store.trashed_until(until, PURGED_MAX))?;
        let Some(&first) = keys.first() else { return Ok(0) };
        let count = keys.len() as u64;
        let purge = |tx: &mut TenantTx<'_>| {
            tx.purge_records(&keys).map_err(|error| match error {
                // Somebody took one of them out a moment ago.
                ChangeError::NotFound | ChangeError::VersionConflict => CallError::NotFound,
                ChangeError::Store(error) => in_tenant(error),
            })
        };
        self.audited(actor, open, purge, |()| Event::RecordsPurged { first: RecordId::new(open.id, first), count })?;
        Ok(count)
    }
}

/// Until when a record stays in the trash at least.
fn after_retention(trashed_at: Timestamp) -> Timestamp {
    Timestamp::from_unix_millis(trashed_at.unix_millis().saturating_add(RETENTION_MS)).unwrap_or(trashed_at)
}

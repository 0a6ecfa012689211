//! Whether what stewards reported of an account leaves out nothing that the log has, and has nothing that the log lacks.
//!
//! A tenant's own word on who saw what is kept under its key, where whoever may write to it could take a row away. The log
//! was written before each of those rows and can only be added to; auditors read it, and no tenant. So a report names the
//! entries, and here they are held against the log. Layout: docs/FORMAT.md §5.16.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use coffer_evidence::entry::LogEntry;
use coffer_model::event::Event;
use coffer_model::id::{AccountId, RecordId, TenantId};
use coffer_model::record::FieldId;

use super::ExposureReport;
use crate::chain::ReportedExposure;
use crate::fault::CallError;
use crate::job::{JobContext, JobError, JobHandle};
use crate::policy::Action;
use crate::session::{Core, Session};
use crate::store::tenant::{ExportScope, Exposure, How, SeenDigest};
use crate::view::{CheckedTenantView, ExposureCheckOutcome, ExposureCheckView, ProgressUnit};

/// Entries of each sort that are told one by one.
const TOLD: usize = 500;

impl Session {
    /// Starts comparing what stewards reported of an account with the log, which is verified meanwhile. Progress counts
    /// entries.
    ///
    /// # Errors
    /// [`CallError::NotFound`] if there neither is nor was such an account; [`CallError::KeyPending`] if this account does not
    /// hold every key of the log yet.
    pub fn start_exposure_check(&self, account: AccountId) -> Result<JobHandle<ExposureCheckView>, CallError> {
        let actor = self.authorize(Action::CheckExposures, None)?;
        self.core.office().membership.login_of(account).ok_or(CallError::NotFound)?;
        if !self.core.holds_audit_keys() {
            return Err(CallError::KeyPending);
        }
        self.record(&actor, Event::ExposuresChecked(account))?;
        let core = Arc::clone(&self.core);
        let job =
            JobHandle::start("exposure-check", ProgressUnit::Entries, move |context| core.checked(account, context));
        self.core.adopt(job.lease());
        Ok(job)
    }
}

impl Core {
    fn checked(&self, account: AccountId, context: &JobContext) -> Result<ExposureCheckView, JobError> {
        let reports = {
            let office = self.office();
            let ended = office.membership.ended.keys().filter(|(_, of)| *of == account);
            let mut reports = Vec::new();
            for &(tenant, _) in ended {
                reports.push((tenant, self.exposure_report(&office, tenant, account)?));
            }
            reports
        };
        let mut logged: BTreeMap<TenantId, Logged> =
            reports.iter().map(|(tenant, _)| (*tenant, Logged::default())).collect();
        let mut restarted = false;
        let log = self.verified_log(context, |index, entry| {
            restarted |= matches!(entry.event, Event::LogRestarted { .. });
            let tenant = entry.event.parts().tenant;
            if let Some(logged) = tenant.and_then(|tenant| logged.get_mut(&tenant)) {
                logged.take(account, index, entry);
            }
        })?;
        let mut tenants = Vec::new();
        for (tenant, report) in &reports {
            let mut view = logged.remove(tenant).unwrap_or_default().compare(*tenant, report.as_ref());
            view.tenant_name = self.known_tenant_name(*tenant);
            let by = report.as_ref().map(|(stated, _)| stated.by);
            view.reported_by = by.and_then(|by| self.office().membership.login_of(by).map(ToString::to_string));
            tenants.push(view);
        }
        let is_wrong = |tenant: &CheckedTenantView| tenant.not_reported_count > 0 || tenant.not_logged_count > 0;
        let is_open = |tenant: &CheckedTenantView| tenant.reported_at.is_none() || tenant.since > 0;
        let outcome = match () {
            () if !log.ok || tenants.iter().any(is_wrong) => ExposureCheckOutcome::Disagrees,
            () if tenants.iter().any(is_open) => ExposureCheckOutcome::Incomplete,
            () => ExposureCheckOutcome::Agrees,
        };
        let login = self.office().membership.login_of(account).map_or_else(String::new, ToString::to_string);
        Ok(ExposureCheckView { account, login, outcome, tenants, restarted, log })
    }
}

/// What the log has of an account in a tenant.
#[derive(Default)]
struct Logged {
    /// Entries under which it took secrets from behind their mask, each of which left a row.
    exposing: BTreeMap<u64, Exposing>,
    /// Files about persons, which leave rows if secrets are in them.
    handed_over: BTreeSet<u64>,
    /// Entries of whoever deleted records or versions for good.
    deleting: BTreeMap<u64, Deleting>,
    /// The newest write of the tenant, unless it was disowned.
    newest: Option<u64>,
    /// Writes that the log announced and that never happened.
    disowned: BTreeSet<u64>,
}

/// What left its mask under an entry.
#[derive(Clone, Copy)]
enum Exposing {
    Secret { record: RecordId, field: FieldId, version: u32, how: How },
    Export(ExportScope),
}

impl Exposing {
    fn digest(self) -> SeenDigest {
        match self {
            Self::Secret { record, field, version, how } => {
                Exposure { key: record.key(), field, version, how }.digest()
            }
            Self::Export(scope) => scope.digest(),
        }
    }
}

/// What an entry deleted for good.
#[derive(Clone, Copy)]
enum Deleting {
    /// So many records; the first, if it is known.
    Records { first: Option<RecordId>, count: u64 },
    /// So many versions.
    Versions { count: u64 },
}

impl Deleting {
    /// Whether it can have deleted all of these, each a record and one of its versions.
    fn covers(self, seen: &BTreeSet<(RecordId, u32)>) -> bool {
        match self {
            Self::Versions { count } => seen.len() as u64 <= count,
            Self::Records { first, count } => {
                let records: BTreeSet<RecordId> = seen.iter().map(|(record, _)| *record).collect();
                let is_first = |record: &RecordId| first.is_none_or(|first| *record == first);
                records.len() as u64 <= count && (count != 1 || records.iter().all(is_first))
            }
        }
    }
}

impl Logged {
    fn take(&mut self, account: AccountId, index: u64, entry: &LogEntry) {
        if let Event::EffectMissing { entry, .. } = entry.event {
            // No write comes after one that failed before that is told: whoever tells it of another makes it up.
            if self.newest.take_if(|newest| *newest == entry).is_some() {
                self.disowned.insert(entry);
            }
            return;
        }
        // A field that no mask is over is shown without leaving anything.
        if entry.effect_tag.is_none() {
            return;
        }
        self.newest = Some(index);
        let deleting = match entry.event {
            Event::RecordsPurged { first, count } => Some(Deleting::Records { first: Some(first), count }),
            Event::SubjectErased { count, .. } => Some(Deleting::Records { first: None, count }),
            Event::SubjectHistoryErased { count, .. } => Some(Deleting::Versions { count }),
            _ => None,
        };
        self.deleting.extend(deleting.map(|deleting| (index, deleting)));
        if entry.actor != Some(account) {
            return;
        }
        let secret = |record, field, version, how| Exposing::Secret { record, field, version, how };
        let exposing = match entry.event {
            Event::FieldRevealed { record, field, version } => Some(secret(record, field, version, How::Revealed)),
            Event::FieldCopied { record, field, version } => Some(secret(record, field, version, How::Copied)),
            Event::TenantExported { format, .. } => Some(Exposing::Export(ExportScope::of(format))),
            _ => None,
        };
        self.exposing.extend(exposing.map(|exposing| (index, exposing)));
        if matches!(entry.event, Event::SubjectExported { .. }) {
            self.handed_over.insert(index);
        }
    }

    /// Entries that a report may say are of what was deleted since: as many as the log says were.
    fn deleted(&self, said: &[(u64, u64)]) -> BTreeSet<u64> {
        let mut by: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for (entry, deleting) in said.iter().filter(|(entry, deleting)| deleting > entry) {
            by.entry(*deleting).or_default().push(*entry);
        }
        let mut deleted = BTreeSet::new();
        for (index, entries) in by {
            let Some(deleting) = self.deleting.get(&index).filter(|_| !self.disowned.contains(&index)) else {
                continue;
            };
            let mut seen = BTreeSet::new();
            for entry in &entries {
                if let Some(Exposing::Secret { record, version, .. }) = self.exposing.get(entry) {
                    seen.insert((*record, *version));
                }
            }
            // Exports are deleted by nothing.
            let is_secret = |entry: &u64| !matches!(self.exposing.get(entry), Some(Exposing::Export(_)));
            if deleting.covers(&seen) {
                deleted.extend(entries.into_iter().filter(is_secret));
            }
        }
        deleted
    }

    fn compare(self, tenant: TenantId, reported: Option<&(ReportedExposure, ExposureReport)>) -> CheckedTenantView {
        let happened = |entry: &u64| !self.disowned.contains(entry);
        let exposing: BTreeSet<u64> = self.exposing.keys().copied().filter(happened).collect();
        let mut view = CheckedTenantView {
            tenant,
            tenant_name: None,
            reported_at: None,
            reported_by: None,
            entries: 0,
            agreed: 0,
            gone: 0,
            disowned: (self.exposing.len() - exposing.len()) as u64,
            not_reported_count: 0,
            not_reported: Vec::new(),
            not_logged_count: 0,
            not_logged: Vec::new(),
            since: exposing.len() as u64,
        };
        let Some((stated, report)) = reported else { return view };
        let is_then = |entry: &u64| *entry < report.entries;
        let kept: BTreeMap<u64, SeenDigest> = report.kept.iter().map(|(entry, digest)| (*entry, **digest)).collect();
        let gone = self.deleted(&report.gone);
        let told: BTreeSet<u64> = kept.keys().chain(&gone).copied().collect();
        let is_known = |entry: &u64| exposing.contains(entry) || self.handed_over.contains(entry) && happened(entry);
        let is_as_said = |entry: &u64| match (kept.get(entry), self.exposing.get(entry)) {
            (Some(said), Some(exposing)) => exposing.digest() == *said,
            _ => true,
        };
        let is_logged = |entry: &u64| is_then(entry) && is_known(entry) && is_as_said(entry);
        let named: BTreeSet<u64> = told.iter().chain(report.gone.iter().map(|(entry, _)| entry)).copied().collect();
        let agreed: BTreeSet<u64> = told.iter().copied().filter(is_logged).collect();
        let not_logged: Vec<u64> = named.into_iter().filter(|entry| !is_logged(entry)).collect();
        let not_reported: Vec<u64> = exposing.difference(&told).copied().filter(is_then).collect();
        view.reported_at = Some(stated.at);
        view.entries = report.entries;
        view.agreed = agreed.len() as u64;
        view.gone = agreed.iter().filter(|entry| !kept.contains_key(entry)).count() as u64;
        view.since = exposing.range(report.entries..).count() as u64;
        view.not_reported_count = not_reported.len() as u64;
        view.not_logged_count = not_logged.len() as u64;
        view.not_reported = not_reported.into_iter().take(TOLD).collect();
        view.not_logged = not_logged.into_iter().take(TOLD).collect();
        view
    }
}

#[cfg(test)]
mod tests {
    use coffer_evidence::entry::MachineText;
    use coffer_model::event::ExportFormat;
    use coffer_model::id::{RecordKey, ReplicaId};
    use coffer_model::time::Timestamp;

    use super::*;

    const TENANT: TenantId = TenantId::from_bytes([7; 16]);
    const OTTO: AccountId = AccountId::from_bytes([1; 16]);
    const OTHER: AccountId = AccountId::from_bytes([2; 16]);

    fn record(number: u8) -> RecordId {
        RecordId::new(TENANT, RecordKey::from_bytes([number; 16]))
    }

    fn entry(actor: AccountId, event: Event) -> LogEntry {
        let is_write = !matches!(event, Event::EffectMissing { .. });
        LogEntry {
            at: Timestamp::UNIX_EPOCH,
            event,
            actor: Some(actor),
            session: None,
            replica: ReplicaId::from_bytes([0; 16]),
            os_user: MachineText::new(""),
            host: MachineText::new(""),
            program: MachineText::new(""),
            effect_tag: is_write.then_some([3; 16]),
        }
    }

    fn revealed(number: u8) -> Event {
        Event::FieldRevealed { record: record(number), field: FieldId(1), version: 1 }
    }

    fn purged(number: u8, count: u64) -> Event {
        Event::RecordsPurged { first: record(number), count }
    }

    const fn missing(entry: u64) -> Event {
        Event::EffectMissing { tenant: TENANT, entry }
    }

    /// A log of the tenant in which otto does all this, from 0.
    fn logged(events: &[Event]) -> Logged {
        let mut logged = Logged::default();
        for (index, event) in (0..).zip(events) {
            logged.take(OTTO, index, &entry(OTTO, *event));
        }
        logged
    }

    fn row(number: u8) -> SeenDigest {
        Exposure { key: record(number).key(), field: FieldId(1), version: 1, how: How::Revealed }.digest()
    }

    fn compare(logged: Logged, kept: &[(u64, SeenDigest)], gone: &[(u64, u64)]) -> CheckedTenantView {
        let stated = ReportedExposure { sealed: [0; 32], at: Timestamp::UNIX_EPOCH, by: OTHER };
        let kept = kept.iter().map(|(entry, digest)| (*entry, (*digest).into())).collect();
        let report = ExposureReport { open: 0, changed: 0, could_read: 0, entries: 10, kept, gone: gone.to_vec() };
        logged.compare(TENANT, Some(&(stated, report)))
    }

    /// Entries left out, and those that the log does not have.
    fn wrong(view: &CheckedTenantView) -> (&[u64], &[u64]) {
        (&view.not_reported, &view.not_logged)
    }

    #[test]
    fn what_both_have_agrees() {
        let export = Event::TenantExported { tenant: TENANT, count: 1, format: ExportFormat::Kdbx };
        let log = logged(&[revealed(1), export, revealed(2), purged(2, 1)]);
        let view = compare(log, &[(0, row(1)), (1, ExportScope::AllVersions.digest())], &[(2, 3)]);
        assert_eq!(wrong(&view), (&[][..], &[][..]));
        assert_eq!((view.agreed, view.gone, view.since), (3, 1, 0));
    }

    #[test]
    fn a_row_taken_away_is_missed() {
        let view = compare(logged(&[revealed(1), revealed(2)]), &[(0, row(1))], &[]);
        assert_eq!(wrong(&view), (&[1][..], &[][..]));
    }

    #[test]
    fn a_row_rewritten_is_told() {
        let view = compare(logged(&[revealed(1)]), &[(0, row(9))], &[]);
        assert_eq!(wrong(&view), (&[][..], &[0][..]));
    }

    #[test]
    fn a_deletion_covers_no_more_than_it_deleted() {
        let said = |events: &[Event], gone: &[(u64, u64)]| {
            let view = compare(logged(events), &[], gone);
            (view.not_reported, view.gone)
        };
        assert_eq!(said(&[revealed(1), purged(1, 1)], &[(0, 1)]), (vec![], 1));
        assert_eq!(said(&[revealed(1), purged(2, 1)], &[(0, 1)]), (vec![0], 0), "another record");
        assert_eq!(said(&[purged(1, 1), revealed(1)], &[(1, 0)]), (vec![1], 0), "before");
        assert_eq!(said(&[revealed(1), revealed(2)], &[(0, 1)]), (vec![0, 1], 0), "it deleted nothing");
        let three = [revealed(1), revealed(1), revealed(2), purged(1, 1)];
        assert_eq!(said(&three, &[(0, 3), (1, 3)]), (vec![2], 2), "one record, seen twice");
        assert_eq!(said(&three, &[(0, 3), (1, 3), (2, 3)]), (vec![0, 1, 2], 0), "two records");
        assert_eq!(said(&[revealed(1), purged(1, 1), missing(1)], &[(0, 1)]), (vec![0], 0), "it never happened");
        let versions = Event::SubjectHistoryErased { tenant: TENANT, count: 1 };
        assert_eq!(said(&[revealed(1), revealed(2), versions], &[(0, 2)]), (vec![1], 1));
        let export = Event::TenantExported { tenant: TENANT, count: 1, format: ExportFormat::Csv };
        assert_eq!(said(&[export, purged(1, 1)], &[(0, 1)]), (vec![0], 0), "an export is deleted by nothing");
    }

    #[test]
    fn a_row_that_the_log_does_not_have_is_told() {
        let mut log = logged(&[revealed(1)]);
        log.take(OTTO, 12, &entry(OTTO, revealed(2)));
        log.take(OTTO, 13, &entry(OTHER, revealed(3)));
        // 12 was not there yet when the report says it was made; 5 and 6 never were.
        let view = compare(log, &[(0, row(1)), (6, row(1)), (12, row(2))], &[(5, 8)]);
        assert_eq!(wrong(&view), (&[][..], &[5, 6, 12][..]));
        assert_eq!((view.agreed, view.since), (1, 1));
    }

    #[test]
    fn only_the_newest_write_can_be_disowned() {
        let view = compare(logged(&[revealed(1), missing(0)]), &[], &[]);
        assert_eq!((wrong(&view), view.disowned), ((&[][..], &[][..]), 1));
        let view = compare(logged(&[revealed(1), purged(5, 1), missing(0)]), &[], &[]);
        assert_eq!((wrong(&view), view.disowned), ((&[0][..], &[][..]), 0), "something was written since");
        let view = compare(logged(&[revealed(1), revealed(2), missing(1), missing(0)]), &[], &[]);
        assert_eq!((wrong(&view), view.disowned), ((&[0][..], &[][..]), 1));
    }

    #[test]
    fn a_file_about_a_person_may_hold_no_secret() {
        let file = Event::SubjectExported { tenant: TENANT, count: 1 };
        for kept in [&[][..], &[(0, row(1))]] {
            assert_eq!(wrong(&compare(logged(&[file]), kept, &[])), (&[][..], &[][..]), "{kept:?}");
        }
    }

    #[test]
    fn without_a_report_everything_is_since() {
        let view = logged(&[revealed(1), revealed(2)]).compare(TENANT, None);
        assert_eq!((view.since, view.reported_at), (2, None));
    }
}

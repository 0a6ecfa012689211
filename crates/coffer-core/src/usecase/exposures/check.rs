//! Whether what stewards reported of an account leaves out nothing that the log has, and has nothing that the log lacks.
//!
//! A tenant's own word on who saw what is kept under its key, where whoever may write to it could take a row away. The log
//! was written before each of those rows, and is out of their reach; auditors read it, and no tenant. So a report names the
//! entries, and here they are held against the log. Layout: docs/FORMAT.md §5.16.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use coffer_evidence::entry::LogEntry;
use coffer_model::event::Event;
use coffer_model::id::{AccountId, TenantId};

use super::ExposureReport;
use crate::chain::ReportedExposure;
use crate::fault::CallError;
use crate::job::{JobContext, JobError, JobHandle};
use crate::policy::Action;
use crate::session::{Core, Session};
use crate::view::{CheckedTenantView, ExposureCheckView, ProgressUnit};

/// Entries of each sort that are told one by one.
const TOLD: usize = 500;

impl Session {
    /// Starts comparing what stewards reported of an account with the log, which is verified meanwhile. Progress counts
    /// entries.
    ///
    /// # Errors
    /// [`CallError::NotFound`] if there neither is nor was such an account; [`CallError::KeyPending`] if this account does not
    /// hold the key of the log yet.
    pub fn start_exposure_check(&self, account: AccountId) -> Result<JobHandle<ExposureCheckView>, CallError> {
        let actor = self.authorize(Action::CheckExposures, None)?;
        {
            let office = self.core.office();
            office.membership.login_of(account).ok_or(CallError::NotFound)?;
            if office.shared.audit.is_empty() {
                return Err(CallError::KeyPending);
            }
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
        let log = self.verified_log(context, |index, entry| {
            let tenant = entry.event.parts().tenant;
            if let Some(logged) = tenant.and_then(|tenant| logged.get_mut(&tenant)) {
                logged.take(account, index, entry);
            }
        })?;
        let mut tenants = Vec::new();
        for (tenant, report) in &reports {
            let mut view = logged.remove(tenant).unwrap_or_default().compare(*tenant, report.as_ref());
            view.tenant_name = self.known_tenant_name(*tenant);
            view.reported_by = report
                .as_ref()
                .and_then(|(stated, _)| self.office().membership.login_of(stated.by).map(ToString::to_string));
            tenants.push(view);
        }
        let settled = |tenant: &CheckedTenantView| {
            tenant.reported_at.is_some()
                && (tenant.not_reported_count, tenant.not_logged_count, tenant.since) == (0, 0, 0)
        };
        Ok(ExposureCheckView {
            account,
            login: self.office().membership.login_of(account).map_or_else(String::new, ToString::to_string),
            agrees: log.ok && tenants.iter().all(settled),
            tenants,
            log,
        })
    }
}

/// What the log has of an account in a tenant.
#[derive(Default)]
struct Logged {
    /// Entries under which it took secrets from behind their mask, each of which left a row.
    exposing: BTreeSet<u64>,
    /// Files about persons, which leave rows if secrets are in them.
    handed_over: BTreeSet<u64>,
    /// Entries of whoever deleted records or versions for good.
    deleting: BTreeSet<u64>,
    /// Writes that the log announced and that never happened.
    missing: BTreeSet<u64>,
}

impl Logged {
    fn take(&mut self, account: AccountId, index: u64, entry: &LogEntry) {
        match entry.event {
            Event::EffectMissing { entry, .. } => {
                self.missing.insert(entry);
            }
            // A field that no mask is over is shown without leaving anything.
            _ if entry.effect_tag.is_none() => (),
            Event::RecordsPurged { .. } | Event::SubjectErased { .. } | Event::SubjectHistoryErased { .. } => {
                self.deleting.insert(index);
            }
            _ if entry.actor != Some(account) => (),
            Event::FieldRevealed { .. } | Event::FieldCopied { .. } | Event::TenantExported { .. } => {
                self.exposing.insert(index);
            }
            Event::SubjectExported { .. } => {
                self.handed_over.insert(index);
            }
            _ => (),
        }
    }

    fn compare(self, tenant: TenantId, reported: Option<&(ReportedExposure, ExposureReport)>) -> CheckedTenantView {
        let exposing: BTreeSet<u64> = self.exposing.difference(&self.missing).copied().collect();
        let mut view = CheckedTenantView {
            tenant,
            tenant_name: None,
            reported_at: None,
            reported_by: None,
            entries: 0,
            agreed: 0,
            gone: 0,
            not_reported_count: 0,
            not_reported: Vec::new(),
            not_logged_count: 0,
            not_logged: Vec::new(),
            since: exposing.len() as u64,
        };
        let Some((stated, report)) = reported else { return view };
        view.reported_at = Some(stated.at);
        view.entries = report.entries;
        let kept: BTreeSet<u64> = report.kept.iter().copied().collect();
        let deleted = |&&(entry, by): &&(u64, u64)| by > entry && self.deleting.contains(&by);
        let gone: BTreeSet<u64> = report.gone.iter().filter(deleted).map(|(entry, _)| *entry).collect();
        let told: BTreeSet<u64> = kept.union(&gone).copied().collect();
        let is_then = |entry: &&u64| **entry < report.entries;
        let known = |entry: &u64| exposing.contains(entry) || self.handed_over.contains(entry);
        let not_reported: Vec<u64> =
            exposing.iter().filter(is_then).filter(|entry| !told.contains(entry)).copied().collect();
        // What is said to be deleted by what deleted nothing is said without the log, too.
        let undeleted = report.gone.iter().filter(|pair| !deleted(pair)).map(|(_, by)| *by);
        let unknown = told.iter().filter(|entry| !known(entry) || !is_then(entry)).copied();
        let not_logged: BTreeSet<u64> = unknown.chain(undeleted).collect();
        view.agreed = told.difference(&not_logged).count() as u64;
        view.gone = gone.difference(&kept).count() as u64;
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
    use coffer_model::time::Timestamp;

    use super::*;

    const TENANT: TenantId = TenantId::from_bytes([7; 16]);

    fn logged(exposing: &[u64], deleting: &[u64]) -> Logged {
        Logged {
            exposing: exposing.iter().copied().collect(),
            deleting: deleting.iter().copied().collect(),
            ..Logged::default()
        }
    }

    fn compare(logged: Logged, entries: u64, kept: &[u64], gone: &[(u64, u64)]) -> CheckedTenantView {
        let by = AccountId::from_bytes([1; 16]);
        let stated = ReportedExposure { sealed: [0; 32], at: Timestamp::UNIX_EPOCH, by };
        let (kept, gone) = (kept.to_vec(), gone.to_vec());
        let report = ExposureReport { open: 0, changed: 0, could_read: 0, entries, kept, gone };
        logged.compare(TENANT, Some(&(stated, report)))
    }

    #[test]
    fn what_both_have_agrees() {
        let view = compare(logged(&[3, 5, 8], &[9]), 10, &[3, 5], &[(8, 9)]);
        assert_eq!((view.agreed, view.gone, view.since), (3, 1, 0));
        assert!(view.not_reported.is_empty() && view.not_logged.is_empty());
    }

    #[test]
    fn a_row_taken_away_is_missed() {
        let view = compare(logged(&[3, 5, 8], &[]), 10, &[3, 8], &[]);
        assert_eq!((view.not_reported, view.not_reported_count), (vec![5], 1));
    }

    #[test]
    fn deleted_counts_only_with_an_entry_that_deleted_and_came_later() {
        // 4 deleted nothing, and 2 was before.
        for by in [4, 2] {
            let view = compare(logged(&[3], &[2]), 10, &[], &[(3, by)]);
            assert_eq!((view.not_reported, view.not_logged), (vec![3], vec![by]));
        }
    }

    #[test]
    fn a_row_that_the_log_does_not_have_is_told() {
        // 12 was not there yet when the report says it was made.
        let view = compare(logged(&[3, 12], &[]), 10, &[3, 6, 12], &[]);
        assert_eq!((view.agreed, view.not_logged, view.since), (1, vec![6, 12], 1));
    }

    #[test]
    fn a_file_about_a_person_may_hold_no_secret() {
        let with_file = || Logged { handed_over: BTreeSet::from([4]), ..logged(&[], &[]) };
        for kept in [&[][..], &[4]] {
            let view = compare(with_file(), 10, kept, &[]);
            assert!(view.not_reported.is_empty() && view.not_logged.is_empty(), "{kept:?}");
        }
    }

    #[test]
    fn what_never_happened_is_not_missed() {
        let with_missing = Logged { missing: BTreeSet::from([3]), ..logged(&[3], &[]) };
        assert!(compare(with_missing, 10, &[], &[]).not_reported.is_empty());
    }

    #[test]
    fn without_a_report_everything_is_since() {
        let view = logged(&[3, 5], &[]).compare(TENANT, None);
        assert_eq!((view.since, view.reported_at), (2, None));
    }
}

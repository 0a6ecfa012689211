//! Erasing what a tenant holds about a person: records as a whole, or of their history alone. Rules: docs/FORMAT.md,
//! "Erasure".
//!
//! One write, whole or not at all; then files go, the database is written anew, and the same search is run once more. What
//! cannot be reached from here is told: every backup made since the person was first in what is gone.

use std::sync::Arc;

use coffer_model::event::Event;
use coffer_model::id::{RecordId, RecordKey, TenantId};
use coffer_model::policy::Guarded;
use coffer_model::time::Timestamp;

use super::identifiers::{Matcher, SubjectIdentifiers};
use super::scan::{Found, FoundRecord, Scan};
use super::{Chosen, SubjectError, choose};
use crate::fault::CallError;
use crate::job::{JobContext, JobError, JobHandle};
use crate::policy::Action;
use crate::session::{Actor, Core, OpenTenant, Session};
use crate::store::tenant::{ChangeError, ErasedHistory, StoredFile, TenantTx};
use crate::usecase::backup::alone;
use crate::usecase::records::in_tenant;
use crate::usecase::{FreshAuthentication, SaveSearchError};
use crate::view::{BackupView, ProgressUnit, SubjectBackupView, SubjectErasureReport};

/// What to erase.
#[derive(Debug)]
pub struct SubjectErasureRequest {
    /// The tenant.
    pub tenant: TenantId,
    /// By what the person is found.
    pub identifiers: SubjectIdentifiers,
    /// Records, each of which holds one of the identifiers; `None` is all that do, with drafts and saved searches.
    pub records: Option<Vec<RecordId>>,
    /// Only earlier versions, of records that do not hold the person any more.
    pub history_only: bool,
}

impl Session {
    /// Starts erasing a person from a tenant, as a job whose progress counts the records that are looked through. `proof`
    /// says that the account's passphrase was given just now; it is used up.
    #[expect(clippy::needless_pass_by_value, reason = "a proof is used up")]
    pub fn start_erase_subject(
        &self,
        request: SubjectErasureRequest,
        proof: FreshAuthentication,
    ) -> Result<JobHandle<SubjectErasureReport>, SubjectError> {
        let actor = self.authorize(Action::EraseSubject, Some(request.tenant))?;
        if !proof.holds_for(&self.core) {
            return Err(SubjectError::NotFresh);
        }
        proof.require_second(&self.core, Guarded::Erase)?;
        let open = self.open_tenant(&actor, request.tenant)?;
        let core = Arc::clone(&self.core);
        let job = JobHandle::start("erase-subject", ProgressUnit::Records, move |context| {
            Erasing { core: &core, open: &open, context, actor: &actor }.run(&request)
        });
        self.core.adopt(job.lease());
        Ok(job)
    }
}

/// One erasure while it runs.
struct Erasing<'j> {
    core: &'j Core,
    open: &'j OpenTenant,
    context: &'j JobContext,
    actor: &'j Actor,
}

impl Erasing<'_> {
    fn run(&self, request: &SubjectErasureRequest) -> Result<SubjectErasureReport, JobError> {
        let matcher = Matcher::of(&request.identifiers);
        // A backup that is being made opens files of attachments as it comes to them.
        let _alone = alone(self.core, self.context)?;
        let scan = Scan { core: self.core, open: self.open, context: self.context, matcher: &matcher };
        let Chosen { mut found, all } = choose(&scan, self.actor, request.records.as_deref())?;
        if request.history_only {
            found.records.retain(|record| !record.is_in_newest());
            found.drafts.clear();
            found.searches.clear();
        }
        self.context.check()?;
        // The right may have gone while the records were looked through.
        let actor = self.core.authorize(Action::EraseSubject, Some(self.open.id))?;
        let mut report = self.empty_report(&found)?;
        if found.records.is_empty() && found.drafts.is_empty() {
            report.rewritten = true;
        } else {
            let files = self.erase(&actor, &found, request.history_only)?;
            report.files = self.remove(&files);
            report.rewritten = self.rewrite();
            count(&found, request.history_only, &mut report);
        }
        if all {
            report.saved_searches = self.erase_searches(&actor, &found)?;
        }
        report.remaining = remaining(&scan)?;
        Ok(report)
    }

    /// Entry, then rows; from here on it is done, whatever else fails.
    fn erase(&self, actor: &Actor, found: &Found, history_only: bool) -> Result<Vec<StoredFile>, CallError> {
        let tenant = self.open.id;
        if history_only {
            let erased: Vec<ErasedHistory> = found.records.iter().map(history_of).collect();
            let count = erased.iter().map(|erased| erased.versions.len()).sum::<usize>() as u64;
            let write = |tx: &mut TenantTx<'_>| tx.erase_history(&erased).map_err(changed);
            return self.core.audited(actor, self.open, write, |_| Event::SubjectHistoryErased { tenant, count });
        }
        let keys: Vec<RecordKey> = found.records.iter().map(FoundRecord::key).collect();
        let drafts = found.drafts.iter().map(|draft| (draft.account, draft.stored.kept.record));
        let drafts: Vec<_> = drafts.collect();
        let count = keys.len() as u64;
        let write = |tx: &mut TenantTx<'_>| {
            tx.erase_drafts(&drafts).map_err(changed)?;
            tx.erase_records(&keys).map_err(changed)
        };
        self.core.audited(actor, self.open, write, |_| Event::SubjectErased { tenant, count })
    }

    /// Removes files whose rows are gone, and says how many. Nobody writes meanwhile; a file that was attached again since
    /// stays. One that cannot be removed is swept where the tenant is next opened.
    fn remove(&self, files: &[StoredFile]) -> u64 {
        let Ok(writer) = self.open.writer() else { return 0 };
        let remove = |file: &&StoredFile| {
            matches!(writer.has_file(&file.file), Ok(false)) && self.open.files.remove(&file.file).is_ok()
        };
        files.iter().filter(remove).count() as u64
    }

    /// Writes the database anew. That it failed is told and no error: what was to be erased is.
    fn rewrite(&self) -> bool {
        self.open.writer().is_ok_and(|writer| writer.rewrite().is_ok())
    }

    fn erase_searches(&self, actor: &Actor, found: &Found) -> Result<u64, JobError> {
        for (name, of_tenant) in &found.searches {
            let tenant = of_tenant.then_some(self.open.id);
            match self.core.erase_search(actor, name, tenant) {
                Ok(()) => {}
                Err(SaveSearchError::Call(error)) => return Err(error.into()),
                // None of the other reasons is one for removing.
                Err(_) => return Err(JobError::Bug),
            }
        }
        Ok(found.searches.len() as u64)
    }

    /// The report before anything is done, with the backups that hold what is about to go.
    fn empty_report(&self, found: &Found) -> Result<SubjectErasureReport, CallError> {
        let drafts = found.drafts.iter().map(|draft| draft.stored.kept.kept_at);
        let since = found.records.iter().filter_map(FoundRecord::since).chain(drafts).min();
        let entry = found.records.iter().filter_map(FoundRecord::first_entry).min();
        Ok(SubjectErasureReport {
            tenant: self.open.id,
            tenant_name: self.open.name.clone(),
            records: 0,
            versions: 0,
            drafts: 0,
            files: 0,
            saved_searches: 0,
            remaining: None,
            rewritten: false,
            backups: since.map_or_else(|| Ok(Vec::new()), |since| self.backups_since(since, entry))?,
        })
    }

    /// Backups made at that time or later, or after that entry: a clock that was set back hides none.
    fn backups_since(&self, since: Timestamp, entry: Option<u64>) -> Result<Vec<SubjectBackupView>, CallError> {
        let may_hold =
            |backup: &BackupView| backup.made_at >= since || entry.is_some_and(|entry| backup.log_entries > entry);
        let receipts = self.core.backup_receipts()?.into_iter().filter(may_hold);
        let view = |backup: BackupView| SubjectBackupView {
            counter: backup.counter,
            made_at: backup.made_at,
            expires_at: None,
        };
        Ok(receipts.map(view).collect())
    }
}

/// Counts in the report what is gone.
fn count(found: &Found, history_only: bool, report: &mut SubjectErasureReport) {
    let versions: usize = if history_only {
        found.records.iter().map(|record| history_of(record).versions.len()).sum()
    } else {
        found.records.iter().map(|record| record.kept.versions.len()).sum()
    };
    report.versions = versions as u64;
    report.records = if history_only { 0 } else { found.records.len() as u64 };
    report.drafts = found.drafts.len() as u64;
}

/// How many records hold the person when all is done; `None` if the job was stopped before that was known. It is done all
/// the same.
fn remaining(scan: &Scan<'_>) -> Result<Option<u64>, JobError> {
    match scan.run() {
        Err(JobError::Cancelled | JobError::Locked) => Ok(None),
        found => Ok(Some(found?.records.len() as u64)),
    }
}

/// What of a record goes when its newest version stays.
fn history_of(record: &FoundRecord) -> ErasedHistory {
    let newest = record.newest();
    let versions = record.kept.versions.iter().map(|version| version.version);
    let versions = versions.filter(|&version| version != newest && record.is_in_version(version));
    let mut attachments: Vec<_> = record.places.iter().filter_map(|place| place.attachment).collect();
    attachments.dedup();
    ErasedHistory { key: record.key(), versions: versions.collect(), attachments }
}

fn changed(error: ChangeError) -> CallError {
    match error {
        // Somebody purged it a moment ago.
        ChangeError::NotFound | ChangeError::VersionConflict => CallError::NotFound,
        ChangeError::Store(error) => in_tenant(error),
    }
}

#[cfg(test)]
mod tests {
    use coffer_model::attachment::AttachmentId;

    use super::*;
    use crate::altered::{Place, record};
    use crate::store::tenant::NewAttachment;
    use crate::usecase::AttachError;

    fn identifiers() -> SubjectIdentifiers {
        SubjectIdentifiers::parse(["canary".into()]).unwrap()
    }

    #[test]
    fn a_file_that_was_attached_again_after_the_erasure_and_before_it_was_removed_stays() {
        let (place, session) = Place::new();
        let core = &*session.core;
        let acme = session.create_tenant(&"ACME GmbH".parse().unwrap()).unwrap().id;
        let (gone, other) = (record(&session, acme), record(&session, acme));
        for name in ["plan", "list"] {
            let path = place.path(name);
            std::fs::write(&path, name).unwrap();
            session.start_attach(gone, &path).unwrap().wait().unwrap();
        }
        let actor = session.authorize(Action::EraseSubject, Some(acme)).unwrap();
        let open = session.open_tenant(&actor, acme).unwrap();
        let attached = open.read(|store| store.attachment(gone.key(), AttachmentId(1))).unwrap().unwrap();

        let (context, matcher) = (JobContext::detached(), Matcher::of(&identifiers()));
        let scan = Scan { core, open: &open, context: &context, matcher: &matcher };
        let found = choose(&scan, &actor, Some(&[gone])).unwrap().found;
        let erasing = Erasing { core, open: &open, context: &context, actor: &actor };
        let files = erasing.erase(&actor, &found, false).unwrap();
        assert_eq!(files.len(), 2);
        // Whoever attaches the same content has looked before the erasure whether the tenant has it.
        let new = NewAttachment {
            key: other.key(),
            expected_version: 1,
            id: AttachmentId(1),
            name: &attached.name,
            media: attached.media,
            file: &attached.file,
            digest: &[7; 32],
        };
        let attach = |tx: &mut TenantTx<'_>| tx.insert_attachment(&new).map_err(AttachError::from);
        let event = Event::AttachmentAdded { record: other, attachment: AttachmentId(1), version: 2 };
        core.audited(&actor, &open, attach, |_| event).unwrap();

        assert_eq!(erasing.remove(&files), 1);
        assert!(open.files.open(&attached.file.file).is_ok());
    }

    #[test]
    fn a_search_that_a_new_key_overtook_is_busy() {
        let (_place, session) = Place::new();
        let core = &*session.core;
        let acme = session.create_tenant(&"ACME GmbH".parse().unwrap()).unwrap().id;
        let actor = session.authorize(Action::FindSubject, Some(acme)).unwrap();
        let open = session.open_tenant(&actor, acme).unwrap();
        session.start_rekey_tenant(acme).unwrap().wait().unwrap();
        let (context, matcher) = (JobContext::detached(), Matcher::of(&identifiers()));
        let found = Scan { core, open: &open, context: &context, matcher: &matcher }.run();
        assert_eq!(found.map(drop).unwrap_err().code(), "busy");
    }
}

//! Reading and verifying the log. Auditors only: the keys decide, the policy says it first.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use coffer_evidence::entry::LogEntry;
use coffer_evidence::note::Signer;
use coffer_model::event::Event;
use coffer_model::id::{AccountId, TenantId};

use crate::audit::{CheckpointSigner, Observe, PageEntry, VerifyScope};
use crate::chain::Account;
use crate::fault::{CallError, Damage, Fault};
use crate::job::{JobContext, JobError, JobHandle, Stopped};
use crate::policy::Action;
use crate::session::{Core, Session};
use crate::store::directory::SharedPair;
use crate::view::{LogEntryView, LogFindingView, LogPage, LogReport, ProgressUnit};

/// Most entries of one page.
const PAGE_MAX: u32 = 1000;

impl Session {
    /// A page of the log, newest first; `before` is the index the page ends at.
    pub fn log_page(&self, before: Option<u64>, limit: u32) -> Result<LogPage, CallError> {
        self.core.log_page(before, limit, |count| Event::LogRead { count })
    }

    /// As [`Session::log_page`], for writing the entries to a file: logged as an export.
    pub fn log_export_page(&self, before: Option<u64>, limit: u32) -> Result<LogPage, CallError> {
        self.core.log_page(before, limit, |count| Event::LogExported { count })
    }

    /// Verifies the log: every entry, the tree, every checkpoint, and the effects of writes in the tenants this account
    /// has open.
    pub fn start_verify_log(&self) -> Result<JobHandle<LogReport>, CallError> {
        let actor = self.authorize(Action::VerifyLog, None)?;
        if !self.core.office().shared.audit.is_empty() && !self.core.holds_audit_keys() {
            return Err(CallError::KeyPending);
        }
        self.record(&actor, Event::LogVerified)?;
        let core = Arc::clone(&self.core);
        let job = JobHandle::start("verify-log", ProgressUnit::Entries, move |context| core.verify_log(context));
        self.core.adopt(job.lease());
        Ok(job)
    }
}

impl Core {
    fn log_page(
        &self,
        before: Option<u64>,
        limit: u32,
        event: impl FnOnce(u64) -> Event,
    ) -> Result<LogPage, CallError> {
        let actor = self.authorize(Action::ReadLog, None)?;
        let auditors = self.office().shared.audit.clone();
        if auditors.is_empty() {
            return Err(CallError::KeyPending);
        }
        let limit = limit.clamp(1, PAGE_MAX);
        // What is read is what was there before this reading is logged; otherwise paging would chase its own entries.
        let (total, _) = self.log.head().map_err(Fault::from)?;
        let before = before.unwrap_or(total).min(total);
        self.record(&actor, event(before.min(u64::from(limit))))?;
        let entries = self
            .log
            .read_page(&auditors, Some(before), usize::try_from(limit).expect("a thousand fits"))
            .map_err(Fault::from)?;
        let next_before = entries.last().map(|entry| entry.index).filter(|&index| index > 0);
        Ok(LogPage { entries: entries.iter().map(|entry| self.entry_view(entry)).collect(), total, next_before })
    }

    fn entry_view(&self, page_entry: &PageEntry) -> LogEntryView {
        let mut view = LogEntryView {
            index: page_entry.index,
            at: coffer_model::time::Timestamp::UNIX_EPOCH,
            action: "unreadable".to_owned(),
            actor: None,
            os_user: String::new(),
            host: String::new(),
            program: String::new(),
            session: None,
            tenant: None,
            tenant_name: None,
            record: None,
            field: None,
            version: None,
            count: None,
            entry: None,
            account: None,
        };
        let Some(entry) = &page_entry.entry else { return view };
        let parts = entry.event.parts();
        view.at = entry.at;
        entry.event.verb().clone_into(&mut view.action);
        let login = |account: AccountId| {
            let office = self.office();
            office.membership.login_of(account).map_or_else(|| account.to_string(), ToString::to_string)
        };
        view.actor = entry.actor.map(login);
        view.os_user = entry.os_user.to_string();
        view.host = entry.host.to_string();
        view.program = entry.program.to_string();
        view.session = entry.session;
        view.tenant = parts.tenant;
        view.tenant_name = parts.tenant.and_then(|tenant| self.known_tenant_name(tenant));
        view.record = parts.record;
        view.field = parts.field;
        view.version = parts.version;
        view.count = parts.count;
        view.entry = parts.entry;
        view.account = parts.account.map(login);
        view
    }

    fn verify_log(&self, context: &JobContext) -> Result<LogReport, JobError> {
        let mut observed = Observed::default();
        let mut report = self.verified_log(context, |index, entry| observed.take(index, entry))?;
        for (index, code) in self.unmatched_effects(&observed, report.entries)? {
            report.ok = false;
            report.findings.push(LogFindingView { code: code.to_owned(), index: Some(index) });
        }
        Ok(report)
    }

    /// Verifies every entry, the tree and every checkpoint. Gives each entry that could be opened and is as written.
    pub(super) fn verified_log(
        &self,
        context: &JobContext,
        entry: impl FnMut(u64, &LogEntry),
    ) -> Result<LogReport, JobError> {
        let signers = self.checkpoint_signers();
        let auditors = self.office().shared.audit.clone();
        let scope = VerifyScope { signers, auditors: &auditors, anchors: &[] };
        let mut observer = Observer { context, done: 0, entry, stopped: None };
        let report = self.log.verify(scope, &mut observer).map_err(Fault::from)?;
        report.ok_or_else(|| observer.stopped.unwrap_or(Stopped::Cancelled).into())
    }

    /// Whether this account holds every key that entries of the log are sealed to: with some of them alone, the other entries
    /// would look altered.
    pub(super) fn holds_audit_keys(&self) -> bool {
        let office = self.office();
        office.shared.audit.len()
            == usize::try_from(office.membership.number_of(SharedPair::Audit)).unwrap_or(usize::MAX)
    }

    /// Who may sign checkpoints: every account and every device the chain has certified.
    fn checkpoint_signers(&self) -> Vec<Signer> {
        let office = self.office();
        let former = office.membership.former.iter().map(|(id, former)| (id, &former.account));
        let accounts = office.membership.accounts.iter().chain(former);
        let keys = |(&id, account): (&AccountId, &Account)| {
            let keys = account.signed_with.iter().chain([&account.signing]).map(move |key| (id, key.encode()));
            keys.collect::<Vec<_>>()
        };
        let accounts = accounts.flat_map(keys).filter_map(|(id, key)| Signer::account(id, &key).ok());
        let devices = office.membership.devices.iter();
        let devices = devices.filter_map(|key| Signer::device(self.vault.id, &key.encode()).ok());
        accounts.chain(devices).collect()
    }

    /// Holds every write in the log against the rows of its tenant. A write without its effect is in order if an entry
    /// after it says so; everything else is a finding.
    fn unmatched_effects(&self, observed: &Observed, verified: u64) -> Result<Vec<(u64, &'static str)>, JobError> {
        let mut findings = Vec::new();
        for tenant in self.opened() {
            // A write under way has its entry and not yet its rows, so all of them are waited for.
            let writer = tenant.writer()?;
            let applied = writer.applied().map_err(|error| self.fault(error, Damage::Tenant))?;
            // The log was verified as it was when that began: later rows are not judged.
            let applied: BTreeSet<u64> = applied.into_iter().filter(|&entry| entry < verified).collect();
            let failed = tenant.unsettled_entry();
            drop(writer);
            let logged = observed.writes.iter().filter(|(_, of)| *of == tenant.id).map(|(index, _)| *index);
            let logged: BTreeSet<u64> = logged.collect();
            findings.extend(
                logged
                    .difference(&applied)
                    .filter(|&&index| !observed.missing.contains(&index) && failed != Some(index))
                    .map(|&index| (index, "unmatched_effect")),
            );
            // Rows that claim an entry the log does not have: somebody wrote past the log, or cut it.
            findings.extend(applied.difference(&logged).map(|&index| (index, "unlogged_effect")));
        }
        Ok(findings)
    }

    /// Who signs this session's checkpoints.
    pub(crate) fn checkpoint_signer(&self) -> CheckpointSigner<'_> {
        CheckpointSigner::account(self.account, &self.keys.signing)
    }
}

/// The log's writes, and those it says never happened.
#[derive(Default)]
struct Observed {
    writes: Vec<(u64, TenantId)>,
    missing: BTreeSet<u64>,
}

impl Observed {
    fn take(&mut self, index: u64, entry: &LogEntry) {
        if let Event::EffectMissing { entry, .. } = entry.event {
            self.missing.insert(entry);
        }
        if let (Some(_), Some(tenant)) = (entry.effect_tag, entry.event.parts().tenant) {
            self.writes.push((index, tenant));
        }
    }
}

/// Tells the job how far a verification is, and somebody what it finds.
struct Observer<'c, F> {
    context: &'c JobContext,
    done: u64,
    entry: F,
    stopped: Option<Stopped>,
}

impl<F: FnMut(u64, &LogEntry)> Observe for Observer<'_, F> {
    fn progress(&mut self, done: u64, total: u64) -> ControlFlow<()> {
        self.context.set_total(total);
        self.context.advance(done.saturating_sub(self.done));
        self.done = done;
        match self.context.check() {
            Ok(()) => ControlFlow::Continue(()),
            Err(stopped) => {
                self.stopped = Some(stopped);
                ControlFlow::Break(())
            }
        }
    }

    fn entry(&mut self, index: u64, entry: &LogEntry) {
        (self.entry)(index, entry);
    }
}

//! Verifying the log against itself, its state, its checkpoints and those held outside, in constant memory.
//! The rules are `coffer_evidence::verify`'s; this feeds it.

use std::ops::ControlFlow;
use std::sync::Arc;

use coffer_crypto::label;
use coffer_crypto::seal;
use coffer_crypto::secret::LogMacKey;
use coffer_evidence::entry::LogEntry;
use coffer_evidence::mac::EvolvingKey;
use coffer_evidence::note::Signer;
use coffer_evidence::verify::{Content, Report, Verifier};

use super::read::Opener;
use super::state::LogState;
use super::{AuditLog, LogError, StateProblem, segment_context};
use crate::keys::SharedKey;
use crate::store::audit::{AuditSnapshot, CheckpointRow, Rows};
use crate::store::sqlcipher::StoreError;
use crate::view::{LogFindingView, LogReport};

/// After how many entries [`Observe::progress`] is called.
const PROGRESS_ENTRIES: u64 = 1024;

/// With what a log is verified.
#[derive(Debug)]
pub(crate) struct VerifyScope<'a> {
    /// Who may sign checkpoints: the chain's accounts and devices.
    pub(crate) signers: Vec<Signer>,
    /// Open contents and MAC keys; without any the tree and the checkpoints are verified alone.
    pub(crate) auditors: &'a [Arc<SharedKey>],
    /// Checkpoints held outside the vault.
    pub(crate) anchors: &'a [String],
}

/// Who looks on while a log is verified.
pub(crate) trait Observe {
    /// Says how many entries of how many were verified; `Break` stops.
    fn progress(&mut self, done: u64, total: u64) -> ControlFlow<()>;

    /// Gives each entry that could be opened and is as written: for matching writes with their effects.
    fn entry(&mut self, index: u64, entry: &LogEntry);
}

impl AuditLog {
    /// Verifies every entry there is now; appending goes on meanwhile. `None` if it was stopped.
    pub(crate) fn verify(
        &self,
        scope: VerifyScope<'_>,
        observer: &mut dyn Observe,
    ) -> Result<Option<LogReport>, LogError> {
        // Snapshot and state belong to one moment.
        let (snapshot, state) = self.exclusively(|inner| {
            let snapshot = AuditSnapshot::of(&self.folder, self.vault)?;
            Ok((snapshot, inner.read_state()?))
        })?;
        let rows = snapshot.rows();
        let (size, segment) = (rows.next_index()?, rows.last_segment()?);
        let mut run = Run {
            rows,
            verifier: Verifier::new(self.vault, scope.signers),
            opener: match scope.auditors {
                [] => None,
                auditors => Some(Opener::new(rows, self.vault, auditors)?),
            },
            waiting: rows.checkpoint_after(None)?,
            segments: Vec::new(),
            failed: None,
        };
        run.take_segments(self, scope.auditors)?;
        for anchor in scope.anchors {
            run.verifier.push_checkpoint(anchor);
        }
        if run.feed(size, observer)?.is_break() {
            return Ok(None);
        }
        let problem = state_problem(state.as_ref(), segment, size, run.verifier.next_key());
        Ok(Some(report(&run.verifier.finish(), problem.map(|problem| (problem, size)))))
    }
}

/// A verification under way.
struct Run<'a> {
    rows: Rows<'a>,
    verifier: Verifier,
    opener: Option<Opener<'a>>,
    waiting: Option<CheckpointRow>,
    /// Segments not begun yet, the next one last.
    segments: Vec<(u64, [u8; 32], Option<EvolvingKey>)>,
    failed: Option<StoreError>,
}

impl Run<'_> {
    fn take_segments(&mut self, log: &AuditLog, auditors: &[Arc<SharedKey>]) -> Result<(), StoreError> {
        for row in self.rows.segments()?.into_iter().rev() {
            let context = segment_context(label::SEAL_LOG_MAC_KEY, log.vault, row.first);
            let key: Option<LogMacKey> =
                auditors.iter().rev().find_map(|key| seal::open_sealed_key(&key.pair, &row.sealed_key, &context).ok());
            self.segments.push((row.first, row.root, key.map(|key| EvolvingKey::new(key.expose()))));
        }
        Ok(())
    }

    fn feed(&mut self, size: u64, observer: &mut dyn Observe) -> Result<ControlFlow<()>, LogError> {
        let mut stopped = ControlFlow::Continue(());
        let rows = self.rows;
        let mut done = 0;
        rows.each_entry(0, |stored| {
            if done % PROGRESS_ENTRIES == 0 {
                stopped = observer.progress(done, size);
            }
            done += 1;
            if stopped.is_break() {
                return stopped;
            }
            let fed = self.begin_segments(stored.index).and_then(|()| self.push_checkpoints(stored.index));
            let opened = fed.and_then(|()| self.opener.as_mut().map(|opener| opener.open(stored)).transpose());
            let opened = match opened {
                Ok(opened) => opened,
                Err(error) => {
                    self.failed = Some(error);
                    return ControlFlow::Break(());
                }
            };
            let content = match &opened {
                None => Content::Sealed,
                Some(None) => Content::Unopenable,
                Some(Some(block)) => Content::Opened(block.expose()),
            };
            if let Some(entry) = self.verifier.push_entry(stored, content) {
                observer.entry(stored.index, &entry);
            }
            ControlFlow::Continue(())
        })?;
        if let Some(error) = self.failed.take() {
            return Err(error.into());
        }
        if stopped.is_continue() {
            self.begin_segments(u64::MAX)?;
            self.push_checkpoints(u64::MAX)?;
            stopped = observer.progress(size, size);
        }
        Ok(stopped)
    }

    fn begin_segments(&mut self, up_to: u64) -> Result<(), StoreError> {
        while let Some((first, root, key)) = self.segments.pop_if(|(first, ..)| *first <= up_to) {
            // A checkpoint of the restored log comes before the segment that goes on from it.
            self.push_checkpoints(first)?;
            self.verifier.push_segment(first, &root, key);
        }
        Ok(())
    }

    fn push_checkpoints(&mut self, up_to: u64) -> Result<(), StoreError> {
        while let Some(row) = self.waiting.take_if(|row| row.size <= up_to) {
            self.verifier.push_checkpoint(&row.note);
            self.waiting = self.rows.checkpoint_after(Some(row.size))?;
        }
        Ok(())
    }
}

/// Holds the state against the entries. Being behind a little is normal after a loss of power.
fn state_problem(
    state: Option<&LogState>,
    segment: u64,
    size: u64,
    next_key: Option<&EvolvingKey>,
) -> Option<StateProblem> {
    let Some(state) = state else { return Some(StateProblem::Lost) };
    if state.segment != segment {
        return Some(StateProblem::Mismatch);
    }
    let Some(lag) = size.checked_sub(state.next) else { return Some(StateProblem::Ahead) };
    if lag > super::MAX_STATE_LAG {
        return Some(StateProblem::Behind);
    }
    let mut key = EvolvingKey::new(state.key.expose());
    (0..lag).for_each(|_| key.step());
    next_key.is_some_and(|next| !next.is(&key)).then_some(StateProblem::Mismatch)
}

fn report(report: &Report, problem: Option<(StateProblem, u64)>) -> LogReport {
    let state = problem.map(|(problem, size)| LogFindingView { code: problem.code().to_owned(), index: Some(size) });
    let mut findings: Vec<LogFindingView> = state.into_iter().collect();
    for finding in &report.findings {
        let view = LogFindingView { code: finding.code().to_owned(), index: Some(finding.index()) };
        if !findings.contains(&view) {
            findings.push(view);
        }
    }
    LogReport {
        ok: findings.is_empty(),
        entries: report.entries,
        checkpoints: report.checkpoints,
        root: hex::encode(report.root),
        findings,
    }
}

//! Reading the log: pages for auditors, and the writes a tenant's rows are matched with.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use coffer_crypto::label;
use coffer_crypto::seal::OpeningSession;
use coffer_crypto::secret::SecretBytes;
use coffer_evidence::entry::{self, EFFECT_TAG_BYTES, LogEntry};
use coffer_evidence::mac::StoredEntry;
use coffer_evidence::merkle::NodeId;
use coffer_model::id::VaultId;
use minicbor::bytes::ByteArray;
use minicbor::{CborLen, Decode, Encode};

use super::append::associated;
use super::{AuditLog, LogError, segment_context};
use crate::keys::SharedKey;
use crate::store::audit::{Rows, SegmentRow};
use crate::store::sqlcipher::StoreError;

/// Most sealing contexts kept open at once. Entries lie in the order of their contexts, a few side by side.
const MAX_OPEN_CONTEXTS: usize = 64;

/// One entry of a page.
#[derive(Debug)]
pub(crate) struct PageEntry {
    /// Its place in the log.
    pub(crate) index: u64,
    /// What it says; `None` if it does not open or is not what its leaf stands for.
    pub(crate) entry: Option<LogEntry>,
}

impl AuditLog {
    /// Reads at most `limit` entries before the index `before` (from the end, if `None`), newest first.
    pub(crate) fn read_page(
        &self,
        auditors: &[Arc<SharedKey>],
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<PageEntry>, LogError> {
        self.exclusively(|inner| {
            let before = match before {
                Some(before) => before,
                None => inner.store.rows().next_index()?,
            };
            let mut opener = Opener::new(inner.store.rows(), self.vault, auditors)?;
            let mut page = Vec::new();
            let mut failed = None;
            inner.store.rows().each_entry_before(before, |stored| {
                if page.len() >= limit {
                    return ControlFlow::Break(());
                }
                match opener.open(stored) {
                    Ok(block) => {
                        let block = block.filter(|block| entry::leaf(block.expose()) == stored.leaf);
                        let entry = block.and_then(|block| entry::parse_block(block.expose()).ok());
                        page.push(PageEntry { index: stored.index, entry });
                        ControlFlow::Continue(())
                    }
                    Err(error) => {
                        failed = Some(error);
                        ControlFlow::Break(())
                    }
                }
            })?;
            failed.map_or(Ok(page), |error| Err(error.into()))
        })
    }

    /// Finds the writes after the entry `applied` (all, if `None`) that `is_ours` says belong to a tenant: their effects
    /// are missing. What was looked through `before` is passed over, if it still holds.
    pub(crate) fn effects_after(
        &self,
        applied: Option<u64>,
        before: Option<&LookedThrough>,
        is_ours: &dyn Fn(u64, &[u8; EFFECT_TAG_BYTES]) -> bool,
    ) -> Result<Effects, LogError> {
        self.exclusively(|inner| {
            let rows = inner.store.rows();
            let entries = rows.next_index()?;
            let mut from = applied.map_or(0, |applied| applied.saturating_add(1));
            if let Some(before) = before
                && before.holds(rows, applied, entries)?
            {
                from = from.max(before.entries);
            }
            let mut missing = Vec::new();
            rows.each_tag(from, |index, tag| {
                if is_ours(index, tag) {
                    missing.push(index);
                }
            })?;
            let looked = match entries.checked_sub(1) {
                Some(last) if missing.is_empty() => {
                    Some(LookedThrough { applied, entries, last: rows.node(leaf_of(last))?.into() })
                }
                _ => None,
            };
            Ok(Effects { missing, looked, read: entries.saturating_sub(from) })
        })
    }
}

/// What was found of a tenant's writes in the log.
#[derive(Debug)]
pub(crate) struct Effects {
    /// Entries of writes whose effect the tenant lacks, ascending.
    pub(crate) missing: Vec<u64>,
    /// What need not be looked through again, if it lacks none.
    pub(crate) looked: Option<LookedThrough>,
    /// How many entries were looked at.
    pub(crate) read: u64,
}

/// How far a log was looked through for a tenant's writes without finding one that lacks its effect. Kept from one session
/// to the next; layout: docs/FORMAT.md §5.7.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, CborLen)]
#[cbor(array)]
pub(crate) struct LookedThrough {
    /// The newest entry whose effect the tenant had.
    #[n(0)]
    applied: Option<u64>,
    /// How many entries the log had: none of them after `applied` is a write of the tenant.
    #[n(1)]
    entries: u64,
    /// Hash of the last one's leaf: a log that lost its end and went on has another there.
    #[n(2)]
    last: ByteArray<32>,
}

impl LookedThrough {
    /// Whether the log has gone on from there, and the tenant has whatever it had then.
    fn holds(&self, rows: Rows<'_>, applied: Option<u64>, entries: u64) -> Result<bool, StoreError> {
        let Some(last) = self.entries.checked_sub(1).filter(|last| *last < entries) else { return Ok(false) };
        match rows.node(leaf_of(last)) {
            Ok(there) => Ok(applied >= self.applied && there == *self.last),
            // Verifying tells of an entry that is not there. Here everything is looked at.
            Err(StoreError::Damaged) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

const fn leaf_of(index: u64) -> NodeId {
    NodeId { level: 0, position: index }
}

/// Opens entries with the audit key, keeping the sealing contexts in use open.
pub(super) struct Opener<'a> {
    rows: Rows<'a>,
    vault: VaultId,
    auditors: &'a [Arc<SharedKey>],
    segments: Vec<SegmentRow>,
    /// `None` for a context that does not open.
    contexts: HashMap<u64, Option<OpeningSession>>,
}

impl<'a> Opener<'a> {
    pub(super) fn new(rows: Rows<'a>, vault: VaultId, auditors: &'a [Arc<SharedKey>]) -> Result<Self, StoreError> {
        Ok(Self { rows, vault, auditors, segments: rows.segments()?, contexts: HashMap::new() })
    }

    /// Opens an entry's block; `None` if it does not open.
    pub(super) fn open(&mut self, stored: &StoredEntry<'_>) -> Result<Option<SecretBytes>, StoreError> {
        if !self.contexts.contains_key(&stored.context) {
            if self.contexts.len() >= MAX_OPEN_CONTEXTS {
                self.contexts.clear();
            }
            let session = self.open_context(stored.context)?;
            self.contexts.insert(stored.context, session);
        }
        let session = self.contexts.get(&stored.context).and_then(Option::as_ref);
        Ok(session.and_then(|session| session.open(stored.number, &associated(stored.index), stored.sealed).ok()))
    }

    fn open_context(&self, first: u64) -> Result<Option<OpeningSession>, StoreError> {
        let Some(header) = self.rows.context(first)? else { return Ok(None) };
        // The context belongs to the segment its first entry is in.
        let segment = self.segments.iter().rev().find(|segment| segment.first <= first);
        let Some(segment) = segment else { return Ok(None) };
        let context = segment_context(label::SEAL_LOG_SESSION, self.vault, segment.first);
        // Of the keys the log had, the newest is the likeliest.
        let mut pairs = self.auditors.iter().rev();
        Ok(pairs.find_map(|key| OpeningSession::start(&key.pair, &header, &context).ok()))
    }
}

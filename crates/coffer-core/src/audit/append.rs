//! Appending: sealing an entry, its row, its place in the tree, its MAC; and the bound on failed unlocks.
//! Order: docs/FORMAT.md, "Appending".

use coffer_crypto::Random;
use coffer_crypto::label;
use coffer_crypto::seal::{SESSION_MAX_MESSAGES, SealingPublicKey, SealingSession};
use coffer_evidence::entry::{self, BLIND_BYTES, EFFECT_TAG_BYTES, LogEntry, MachineText};
use coffer_evidence::mac::StoredEntry;
use coffer_evidence::merkle::{self, Frontier};
use coffer_model::event::Event;
use coffer_model::id::VaultId;
use coffer_model::time::Timestamp;

use super::state::LogState;
use super::{
    AuditLog, EntryOrigin, Inner, LogError, STATE_SYNC_ENTRIES, StateProblem, refresh, segment_context, take_up,
};
use crate::store::audit::{AuditTx, FailuresRow};

/// Failed unlocks logged one by one in each window; the others are counted. Twenty are enough to see an attack and
/// too few to fill a disk.
const FAILURES_PER_WINDOW: u64 = 20;
/// Length of the window.
const FAILURES_WINDOW_MILLIS: u64 = 10 * 60 * 1000;
/// Most entries one append writes beside what was only counted before; a sealing session has room for many such.
pub(crate) const ENTRIES_TOGETHER: usize = 100;
/// Entries that one append writes: what was only counted before, and its own.
const ENTRIES_PER_APPEND: u32 = 2;

/// Makes the tag of a write's entry out of its index.
type TagOf<'t> = &'t dyn Fn(u64) -> [u8; EFFECT_TAG_BYTES];

/// The sealing session of this process.
#[derive(Debug)]
pub(super) struct Sealing {
    session: SealingSession,
    segment: u64,
    /// Index of its first entry, once that is stored.
    first: Option<u64>,
}

impl AuditLog {
    /// Appends an entry and gives its index. When this returns, the entry is on the disk.
    pub(crate) fn append(
        &self,
        at: Timestamp,
        origin: &EntryOrigin,
        event: Event,
        random: &mut dyn Random,
    ) -> Result<u64, LogError> {
        self.append_entry(at, origin, event, None, random)
    }

    /// Appends entries that belong together, at most [`ENTRIES_TOGETHER`], all of them or none, forced to the disk once.
    pub(crate) fn append_together(
        &self,
        at: Timestamp,
        origin: &EntryOrigin,
        events: &[Event],
        random: &mut dyn Random,
    ) -> Result<(), LogError> {
        let room = u32::try_from(events.len()).map_or(SESSION_MAX_MESSAGES, |count| count + 1);
        self.exclusively(|inner| {
            inner.add(self, random, room, |adding| {
                adding.write_uncounted_failures(at, origin)?;
                events.iter().try_for_each(|&event| adding.write(at, origin, event, None))
            })?;
            Ok(())
        })
    }

    /// Appends the entry of a write, with the tag `tag_of` makes of its index: the write stores the index, and so entry
    /// and effect can be matched.
    pub(crate) fn append_write(
        &self,
        at: Timestamp,
        origin: &EntryOrigin,
        event: Event,
        tag_of: TagOf<'_>,
        random: &mut dyn Random,
    ) -> Result<u64, LogError> {
        self.append_entry(at, origin, event, Some(tag_of), random)
    }

    fn append_entry(
        &self,
        at: Timestamp,
        origin: &EntryOrigin,
        event: Event,
        tag_of: Option<TagOf<'_>>,
        random: &mut dyn Random,
    ) -> Result<u64, LogError> {
        self.exclusively(|inner| {
            let count = inner.add(self, random, ENTRIES_PER_APPEND, |adding| {
                adding.write_uncounted_failures(at, origin)?;
                adding.write(at, origin, event, tag_of)
            })?;
            Ok(count - 1)
        })
    }

    /// Records a failed unlock: by an entry, or, when there are many, by counting it.
    pub(crate) fn append_unlock_failure(
        &self,
        at: Timestamp,
        origin: &EntryOrigin,
        random: &mut dyn Random,
    ) -> Result<(), LogError> {
        self.exclusively(|inner| {
            inner.add(self, random, ENTRIES_PER_APPEND, |adding| {
                let mut failures = adding.tx.rows().failures()?;
                let logged_alone = failures.take(at);
                adding.tx.set_failures(&failures)?;
                if !logged_alone {
                    return Ok(());
                }
                adding.write_uncounted_failures(at, origin)?;
                adding.write(at, origin, Event::UnlockFailed, None)
            })?;
            Ok(())
        })
    }

    /// How many unlocks have failed since the log began.
    pub(crate) fn unlock_failures(&self) -> Result<u64, LogError> {
        self.exclusively(|inner| Ok(inner.store.rows().failures()?.total))
    }
}

impl FailuresRow {
    /// Takes one more; tells whether it gets an entry of its own.
    fn take(&mut self, at: Timestamp) -> bool {
        self.total += 1;
        let start = Timestamp::from_unix_millis(self.window_start).unwrap_or(Timestamp::UNIX_EPOCH);
        // A clock set back begins a window, too: else it could silence the log for years.
        if at < start || at.millis_since(start) >= FAILURES_WINDOW_MILLIS {
            self.window_start = at.unix_millis();
            self.logged = 0;
        }
        if self.logged >= FAILURES_PER_WINDOW {
            self.uncounted += 1;
            return false;
        }
        self.logged += 1;
        true
    }
}

impl Inner {
    /// Adds at most `room` entries in one transaction, and steps the state after it. Gives how many entries there are then.
    fn add(
        &mut self,
        log: &AuditLog,
        random: &mut dyn Random,
        room: u32,
        work: impl FnOnce(&mut Adding<'_, '_>) -> Result<(), LogError>,
    ) -> Result<u64, LogError> {
        let Self { audit, store, state: state_file, frontier: tree, sealing, .. } = self;
        let state_file = state_file.as_ref().ok_or(LogError::State(StateProblem::Lost))?;
        let tx = store.write()?;
        let state = take_up(tx.rows(), Some(state_file))?;
        refresh(tree, tx.rows())?;
        let before = state.next;
        let sealing = Sealing::ready(sealing, audit, log.vault, (state.segment, room), random);
        let mut adding =
            Adding { tx, frontier: tree.clone(), context: sealing.first, sealing: &mut sealing.session, state, random };
        work(&mut adding)?;
        let Adding { tx, frontier, context, state, .. } = adding;
        tx.commit()?;
        *tree = frontier;
        sealing.first = context;
        if state.next == before {
            return Ok(before);
        }
        state_file.write(&state)?;
        if state.next / STATE_SYNC_ENTRIES != before / STATE_SYNC_ENTRIES {
            state_file.sync()?;
        }
        Ok(state.next)
    }
}

impl Sealing {
    /// The session in use, or a new one if there is none for this segment with room for an append.
    fn ready<'s>(
        current: &'s mut Option<Self>,
        audit: &SealingPublicKey,
        vault: VaultId,
        (segment, room): (u64, u32),
        random: &mut dyn Random,
    ) -> &'s mut Self {
        let fits = |sealing: &Self| sealing.segment == segment && sealing.session.remaining() >= room;
        if current.as_ref().is_some_and(fits) {
            return current.as_mut().expect("it was just looked at");
        }
        current.insert(Self::start(audit, vault, segment, random))
    }

    fn start(audit: &SealingPublicKey, vault: VaultId, segment: u64, random: &mut dyn Random) -> Self {
        let context = segment_context(label::SEAL_LOG_SESSION, vault, segment);
        Self { session: SealingSession::start(audit, &context, random), segment, first: None }
    }
}

/// One append before it is committed. Dropped, it leaves nothing but an unused number in the sealing session.
struct Adding<'s, 'r> {
    tx: AuditTx<'s>,
    frontier: Frontier,
    state: LogState,
    sealing: &'s mut SealingSession,
    context: Option<u64>,
    random: &'r mut dyn Random,
}

impl Adding<'_, '_> {
    /// Writes down failed unlocks that were only counted, before anything else is written.
    fn write_uncounted_failures(&mut self, at: Timestamp, origin: &EntryOrigin) -> Result<(), LogError> {
        let mut failures = self.tx.rows().failures()?;
        if failures.uncounted == 0 {
            return Ok(());
        }
        let nobody = EntryOrigin { actor: None, session: None, ..origin.clone() };
        self.write(at, &nobody, Event::UnlockFailuresCounted { count: failures.uncounted }, None)?;
        failures.uncounted = 0;
        Ok(self.tx.set_failures(&failures)?)
    }

    fn write(
        &mut self,
        at: Timestamp,
        origin: &EntryOrigin,
        event: Event,
        tag_of: Option<TagOf<'_>>,
    ) -> Result<(), LogError> {
        let index = self.state.next;
        let effect_tag = tag_of.map(|tag_of| tag_of(index));
        let entry = LogEntry {
            at,
            event,
            actor: origin.actor,
            session: origin.session,
            replica: origin.replica,
            os_user: MachineText::new(&origin.identity.os_user),
            host: MachineText::new(&origin.identity.host_name),
            program: MachineText::new(&origin.identity.program),
            effect_tag,
        };
        let mut blind = [0; BLIND_BYTES];
        self.random.fill(&mut blind);
        let block = entry::encode_block(&blind, &entry.encode());
        let leaf = entry::leaf(&block);
        let (number, sealed) =
            self.sealing.seal(&block, &associated(index)).expect("a session with room for an append was taken");
        let context = if let Some(first) = self.context {
            first
        } else {
            self.tx.insert_context(index, self.sealing.header())?;
            *self.context.insert(index)
        };
        let mut nodes = Vec::new();
        self.frontier.push(merkle::leaf_hash(&leaf), |node| nodes.extend_from_slice(node));
        let mut stored =
            StoredEntry { index, leaf, context, number, effect_tag, sealed: &sealed, mac: [0; 32], nodes: &nodes };
        stored.mac = self.state.key.mac(&stored);
        self.tx.insert_entry(&stored)?;
        self.state.step();
        Ok(())
    }
}

/// What is authenticated with a sealed entry: its place.
pub(super) const fn associated(index: u64) -> [u8; 8] {
    index.to_be_bytes()
}

//! Verification of a log: what is wrong with it, and where.
//! Rules: docs/FORMAT.md §6.10. Pure, in constant memory: entries and checkpoints are pushed one by one.
//!
//! Three people can verify: anybody (tree and checkpoints), an auditor (also contents and MACs), and whoever holds a
//! checkpoint outside the vault, which is what fixes the past against those who hold every key.

use std::collections::BTreeMap;

use coffer_model::id::VaultId;

use crate::entry::{self, LogEntry};
use crate::mac::{EvolvingKey, MacInput, StoredEntry};
use crate::merkle::{self, Frontier, Hash};
use crate::note::{Checkpoint, NoteError, Signer};

/// Most findings kept one by one; more of them say nothing new.
pub const MAX_FINDINGS: usize = 1000;
/// Most entries whose MAC fails that are compared with each other to tell moved entries from edited ones.
const MAX_SUSPECTS: usize = 64;
/// How many entries may have been dropped in one place, and the rest renumbered, for the place to be recognised.
const MAX_DROPPED: u64 = 64;
/// Most steps of the evolving key over a hole; beyond it the MACs of the segment's rest stay unchecked.
const MAX_STEPS_OVER_HOLE: u64 = 1 << 20;
/// Most checkpoints beyond the entries seen that are remembered.
const MAX_WAITING: usize = 10_000;

/// One thing that is wrong with a log. Ordered from the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// A signed checkpoint says another past than a later one: two histories were signed.
    Forked {
        /// The size the checkpoint is of.
        size: u64,
    },
    /// A signed checkpoint knows more entries than there are.
    Truncated {
        /// How many there are: the index of the first that is missing.
        index: u64,
        /// How many there were.
        expected: u64,
    },
    /// Entries are missing.
    Gap {
        /// The first that is missing.
        index: u64,
        /// How many.
        missing: u64,
    },
    /// An entry is not where it was written.
    Reordered {
        /// Where it is.
        index: u64,
        /// Where it was written.
        belongs_at: u64,
    },
    /// An index occurs again.
    Repeated {
        /// Which.
        index: u64,
    },
    /// An entry was changed.
    Edited {
        /// Which.
        index: u64,
    },
    /// An entry of this stretch was changed: the tree over it is not the one that was signed.
    EditedBetween {
        /// The first entry after the last checkpoint that holds.
        index: u64,
        /// The size of the first checkpoint that does not.
        to: u64,
    },
    /// An entry reads well, but its MAC is none of its place: it was written there later.
    BadMac {
        /// Which.
        index: u64,
    },
    /// An entry was stored as it is by the log's own key, and is no entry of this format.
    Unreadable {
        /// Which.
        index: u64,
    },
    /// A stored node of the tree is not what the entries give.
    BadNode {
        /// The entry it is stored with.
        index: u64,
    },
    /// A segment does not continue the log before it.
    BadLink {
        /// The segment's first entry.
        index: u64,
    },
    /// A checkpoint's signature does not hold, or is nobody's who may sign.
    BadSignature {
        /// Entries seen so far.
        index: u64,
    },
    /// A checkpoint is not written as one, is out of order, or of another log.
    BadCheckpoint {
        /// Entries seen so far.
        index: u64,
    },
}

impl Finding {
    /// The permanent name of the kind.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Forked { .. } => "forked",
            Self::Truncated { .. } => "truncated",
            Self::Gap { .. } => "gap",
            Self::Reordered { .. } => "reordered",
            Self::Repeated { .. } => "repeated",
            Self::Edited { .. } | Self::EditedBetween { .. } => "edited",
            Self::BadMac { .. } => "bad_mac",
            Self::Unreadable { .. } => "unreadable",
            Self::BadNode { .. } => "bad_node",
            Self::BadLink { .. } => "bad_link",
            Self::BadSignature { .. } => "bad_signature",
            Self::BadCheckpoint { .. } => "bad_checkpoint",
        }
    }

    /// The entry it is at, or the first it may be at.
    pub const fn index(&self) -> u64 {
        match *self {
            Self::Forked { size: index }
            | Self::Truncated { index, .. }
            | Self::Gap { index, .. }
            | Self::Reordered { index, .. }
            | Self::Repeated { index }
            | Self::Edited { index }
            | Self::EditedBetween { index, .. }
            | Self::BadMac { index }
            | Self::Unreadable { index }
            | Self::BadNode { index }
            | Self::BadLink { index }
            | Self::BadSignature { index }
            | Self::BadCheckpoint { index } => index,
        }
    }
}

/// What the caller knows of an entry's content.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// Nothing: it has no key to open it with.
    Sealed,
    /// The opened block.
    Opened(&'a [u8]),
    /// It has the key, and the block does not open.
    Unopenable,
}

/// What came of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Entries seen.
    pub entries: u64,
    /// Checkpoints seen.
    pub checkpoints: u64,
    /// The newest checkpoint that holds has this size; entries from here on are held by MACs alone.
    pub signed_up_to: u64,
    /// Root of the tree over all entries.
    pub root: Hash,
    /// What is wrong, worst first; at most [`MAX_FINDINGS`].
    pub findings: Vec<Finding>,
    /// How many more there were.
    pub more_findings: u64,
}

/// An entry whose MAC failed: kept until the end, to see whether it belongs to another such place.
struct Suspect {
    index: u64,
    key: EvolvingKey,
    input: MacInput,
    reads_well: bool,
}

/// The guess that `missing` entries were dropped before the entry `at` and the rest moved up.
struct Guess {
    at: u64,
    missing: u64,
    key: EvolvingKey,
}

/// The running check of one segment's MACs.
struct MacChain {
    key: EvolvingKey,
    /// How far entries moved up, so that the MAC's index is the stored one plus this.
    shift: u64,
    guess: Option<Guess>,
    guesses: usize,
    last_held: bool,
}

/// Takes a log in, in order, and collects what is wrong with it.
pub struct Verifier {
    origin: String,
    signers: Vec<Signer>,
    frontier: Frontier,
    next: u64,
    chain: Option<MacChain>,
    suspects: Vec<Suspect>,
    checkpoints: u64,
    held: u64,
    /// The first checkpoint whose root differs, while no later one holds, and the size that held before it.
    differing: Vec<u64>,
    waiting: BTreeMap<u64, Hash>,
    findings: Vec<Finding>,
    more_findings: u64,
}

impl Verifier {
    /// Starts at the beginning of a vault's log; `signers` may sign its checkpoints.
    pub fn new(vault: VaultId, signers: Vec<Signer>) -> Self {
        Self {
            origin: Checkpoint::origin_of(vault),
            signers,
            frontier: Frontier::new(),
            next: 0,
            chain: None,
            suspects: Vec::new(),
            checkpoints: 0,
            held: 0,
            differing: Vec::new(),
            waiting: BTreeMap::new(),
            findings: Vec::new(),
            more_findings: 0,
        }
    }

    /// Starts a segment, before its first entry: the root it was linked to, and its first key if that is known.
    pub fn push_segment(&mut self, first: u64, linked_root: &Hash, key: Option<EvolvingKey>) {
        if first != self.next || *linked_root != self.frontier.root() {
            self.report(Finding::BadLink { index: first });
        }
        self.settle_guess();
        self.chain = key.map(|key| MacChain { key, shift: 0, guess: None, guesses: 0, last_held: true });
    }

    /// Checks the next entry and gives what it says, if its content was opened and is as it was written.
    ///
    /// Entries come in the order of their index; checkpoints of a size are pushed before the entry of that index.
    pub fn push_entry(&mut self, entry: &StoredEntry<'_>, content: Content<'_>) -> Option<LogEntry> {
        if entry.index < self.next {
            self.report(Finding::Repeated { index: entry.index });
            return None;
        }
        if entry.index > self.next {
            self.report(Finding::Gap { index: self.next, missing: entry.index - self.next });
            self.step_over(entry.index - self.next);
        }
        self.next = entry.index.saturating_add(1);
        self.grow(entry);

        let parsed = match content {
            Content::Sealed => None,
            Content::Unopenable => Some(Err(())),
            Content::Opened(block) if entry::leaf(block) != entry.leaf => Some(Err(())),
            Content::Opened(block) => Some(
                entry::parse_block(block)
                    .map_err(|_| ())
                    .and_then(|parsed| if parsed.effect_tag == entry.effect_tag { Ok(parsed) } else { Err(()) }),
            ),
        };
        let reads_well = !matches!(parsed, Some(Err(())));
        match self.check_mac(entry, reads_well) {
            MacOutcome::Holds { shifted: false } if !reads_well => {
                self.report(Finding::Unreadable { index: entry.index });
            }
            MacOutcome::Unchecked if !reads_well => self.report(Finding::Edited { index: entry.index }),
            // Entries that moved up do not open at their new place, but that gap is told already.
            MacOutcome::Holds { .. } | MacOutcome::Unchecked | MacOutcome::Suspect => {}
        }
        self.compare_waiting();
        parsed.and_then(Result::ok)
    }

    /// Checks a checkpoint. Those kept in the vault come in the order of their size, each before the entry of that
    /// index; those held outside may be pushed at the start.
    pub fn push_checkpoint(&mut self, note: &str) {
        self.checkpoints += 1;
        let index = self.next;
        match Checkpoint::open(note, &self.signers) {
            Err(NoteError::Malformed) => self.report(Finding::BadCheckpoint { index }),
            Err(NoteError::UnknownSigner | NoteError::BadSignature) => self.report(Finding::BadSignature { index }),
            Ok(checkpoint) if checkpoint.origin != self.origin => self.report(Finding::BadCheckpoint { index }),
            Ok(Checkpoint { size, root, .. }) => {
                if size < self.frontier.size() {
                    self.report(Finding::BadCheckpoint { index });
                } else if size == self.frontier.size() {
                    self.compare(size, &root);
                } else if self.waiting.get(&size).is_some_and(|other| *other != root) {
                    self.report(Finding::Forked { size });
                } else if self.waiting.len() < MAX_WAITING {
                    self.waiting.insert(size, root);
                }
            }
        }
    }

    /// The key for the next entry, if the MACs of the last segment could be followed to here without a break.
    pub fn next_key(&self) -> Option<&EvolvingKey> {
        self.chain.as_ref().filter(|chain| chain.shift == 0 && chain.last_held).map(|chain| &chain.key)
    }

    /// Ends the log and gives the result.
    pub fn finish(mut self) -> Report {
        self.settle_guess();
        self.settle_suspects();
        if let Some((&expected, _)) = self.waiting.last_key_value() {
            self.report(Finding::Truncated { index: self.next, expected });
        }
        if let Some(&to) = self.differing.first() {
            self.report(Finding::EditedBetween { index: self.held, to });
        }
        self.findings.sort_unstable();
        Report {
            entries: self.frontier.size(),
            checkpoints: self.checkpoints,
            signed_up_to: self.held,
            root: self.frontier.root(),
            findings: self.findings,
            more_findings: self.more_findings,
        }
    }

    fn report(&mut self, finding: Finding) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        } else {
            self.more_findings += 1;
        }
    }

    fn grow(&mut self, entry: &StoredEntry<'_>) {
        let mut stored = entry.nodes.chunks(size_of::<Hash>());
        let mut as_stored = true;
        self.frontier.push(merkle::leaf_hash(&entry.leaf), |node| {
            as_stored &= stored.next() == Some(node.as_slice());
        });
        if !as_stored || stored.next().is_some() {
            self.report(Finding::BadNode { index: entry.index });
        }
    }

    fn compare_waiting(&mut self) {
        if let Some(first) = self.waiting.first_entry()
            && *first.key() == self.frontier.size()
        {
            let (size, root) = first.remove_entry();
            self.compare(size, &root);
        }
    }

    fn compare(&mut self, size: u64, root: &Hash) {
        if *root == self.frontier.root() {
            // What held up to here cannot have been edited since: the earlier ones were signed over another past.
            for size in std::mem::take(&mut self.differing) {
                self.report(Finding::Forked { size });
            }
            self.held = size;
        } else if self.held == size && size > 0 {
            self.report(Finding::Forked { size });
        } else if self.differing.len() < MAX_FINDINGS {
            self.differing.push(size);
        }
    }

    fn step_over(&mut self, missing: u64) {
        if missing > MAX_STEPS_OVER_HOLE {
            self.chain = None;
        }
        if let Some(chain) = &mut self.chain {
            (0..missing).for_each(|_| chain.key.step());
        }
    }

    fn check_mac(&mut self, entry: &StoredEntry<'_>, reads_well: bool) -> MacOutcome {
        let Some(chain) = &mut self.chain else { return MacOutcome::Unchecked };
        let input = MacInput::of(entry);
        let index = entry.index;
        if chain.key.matches(index.saturating_add(chain.shift), &input) {
            chain.key.step();
            chain.guess = None;
            chain.last_held = true;
            return MacOutcome::Holds { shifted: chain.shift > 0 };
        }
        if let Some(mut guess) = chain.guess.take()
            && guess.key.matches(index.saturating_add(chain.shift + guess.missing), &input)
        {
            guess.key.step();
            chain.shift += guess.missing;
            chain.key = guess.key;
            chain.last_held = true;
            let gap = Finding::Gap { index: guess.at, missing: guess.missing };
            self.suspects.retain(|suspect| suspect.index != guess.at);
            self.report(gap);
            return MacOutcome::Holds { shifted: true };
        }
        if chain.last_held && chain.guesses < MAX_SUSPECTS {
            chain.guesses += 1;
            chain.guess = guess_gap(chain, index, &input);
        }
        chain.last_held = false;
        let key = chain.key.duplicate();
        chain.key.step();
        if self.suspects.len() < MAX_SUSPECTS {
            self.suspects.push(Suspect { index, key, input, reads_well });
        } else {
            self.report(if reads_well { Finding::BadMac { index } } else { Finding::Edited { index } });
        }
        MacOutcome::Suspect
    }

    /// A guess that nothing came after is as good as confirmed: the last entry belongs further on.
    fn settle_guess(&mut self) {
        if let Some(guess) = self.chain.as_mut().and_then(|chain| chain.guess.take()) {
            self.suspects.retain(|suspect| suspect.index != guess.at);
            self.report(Finding::Gap { index: guess.at, missing: guess.missing });
        }
    }

    fn settle_suspects(&mut self) {
        let suspects = std::mem::take(&mut self.suspects);
        for suspect in &suspects {
            let index = suspect.index;
            let home = suspects.iter().find(|place| place.key.matches(place.index, &suspect.input));
            self.report(match home {
                Some(place) => Finding::Reordered { index, belongs_at: place.index },
                None if suspect.reads_well => Finding::BadMac { index },
                None => Finding::Edited { index },
            });
        }
    }
}

enum MacOutcome {
    /// There is no key.
    Unchecked,
    Holds {
        shifted: bool,
    },
    /// It does not hold; why is told at the end.
    Suspect,
}

/// Looks whether the entry at `index` was written a little further on.
fn guess_gap(chain: &MacChain, index: u64, input: &MacInput) -> Option<Guess> {
    let mut key = chain.key.duplicate();
    (1..=MAX_DROPPED).find_map(|missing| {
        key.step();
        let found = key.matches(index.saturating_add(chain.shift + missing), input);
        found.then(|| {
            let mut key = key.duplicate();
            key.step();
            Guess { at: index, missing, key }
        })
    })
}

#[cfg(test)]
mod tests {
    use coffer_model::event::Event;

    use super::*;
    use crate::note::tests::{key as signing_key, signer, write};

    const VAULT: VaultId = VaultId::from_bytes([7; 16]);

    /// An entry as stored, owned.
    #[derive(Clone)]
    struct Row {
        index: u64,
        leaf: Hash,
        number: u32,
        block: Vec<u8>,
        mac: [u8; 32],
        nodes: Vec<u8>,
    }

    impl Row {
        /// The block stands for its sealing here: what the verifier gets is the same.
        fn stored(&self) -> StoredEntry<'_> {
            StoredEntry {
                index: self.index,
                leaf: self.leaf,
                context: 0,
                number: self.number,
                effect_tag: None,
                sealed: &self.block,
                mac: self.mac,
                nodes: &self.nodes,
            }
        }
    }

    struct Log {
        rows: Vec<Row>,
        checkpoints: Vec<(u64, String)>,
    }

    fn checkpoint(size: u64, root: Hash, by: u8) -> String {
        write(&Checkpoint { origin: Checkpoint::origin_of(VAULT), size, root }.encode(), by)
    }

    /// A log of `count` entries with a checkpoint every 10 and at its end; `salt` makes another history.
    fn log(count: u64, salt: u8) -> Log {
        let mut key = EvolvingKey::new(&[9; 32]);
        let mut frontier = Frontier::new();
        let mut log = Log { rows: vec![], checkpoints: vec![] };
        for index in 0..count {
            let encoded = entry::tests::entry(Event::LogRead { count: index }).encode();
            let block = entry::encode_block(&[salt; 32], &encoded);
            let leaf = entry::leaf(&block);
            let mut nodes = vec![];
            frontier.push(merkle::leaf_hash(&leaf), |node| nodes.extend_from_slice(node));
            let number = u32::try_from(index).unwrap();
            let mut row = Row { index, leaf, number, block, mac: [0; 32], nodes };
            row.mac = key.mac(&row.stored());
            key.step();
            log.rows.push(row);
            if (index + 1) % 10 == 0 || index + 1 == count {
                log.checkpoints.push((index + 1, checkpoint(index + 1, frontier.root(), 1)));
            }
        }
        log
    }

    /// Verifies as an auditor (`audit`) or as anybody.
    fn verify(log: &Log, audit: bool) -> Report {
        let mut verifier = Verifier::new(VAULT, vec![signer(1)]);
        verifier.push_segment(0, &merkle::empty_root(), audit.then(|| EvolvingKey::new(&[9; 32])));
        let mut checkpoints = log.checkpoints.iter().peekable();
        for row in &log.rows {
            while let Some((_, note)) = checkpoints.next_if(|(size, _)| *size <= row.index) {
                verifier.push_checkpoint(note);
            }
            let content = if audit { Content::Opened(&row.block) } else { Content::Sealed };
            verifier.push_entry(&row.stored(), content);
        }
        checkpoints.for_each(|(_, note)| verifier.push_checkpoint(note));
        verifier.finish()
    }

    #[test]
    fn a_log_as_written_has_no_findings() {
        for count in [0, 1, 9, 10, 37] {
            for audit in [false, true] {
                let report = verify(&log(count, 0), audit);
                assert_eq!(report.findings, []);
                assert_eq!((report.entries, report.signed_up_to), (count, count));
            }
        }
    }

    #[test]
    fn attack_51_an_edited_entry_is_named_to_auditors_and_its_stretch_to_anybody() {
        let mut log = log(37, 0);
        let other = entry::encode_block(&[0; 32], &entry::tests::entry(Event::VaultLocked).encode());
        log.rows[14].leaf = entry::leaf(&other);
        log.rows[14].block = other;
        let findings = verify(&log, true).findings;
        assert!(findings.contains(&Finding::BadMac { index: 14 }), "{findings:?}");
        let findings = verify(&log, false).findings;
        assert!(findings.contains(&Finding::EditedBetween { index: 10, to: 20 }), "{findings:?}");
    }

    #[test]
    fn attack_51_a_changed_block_alone_is_an_edit() {
        let mut log = log(37, 0);
        log.rows[14].block[40] ^= 1;
        assert_eq!(verify(&log, true).findings, [Finding::Edited { index: 14 }]);
    }

    #[test]
    fn attack_52_exchanged_entries_are_named_with_their_places() {
        let mut log = log(37, 0);
        log.rows.swap(14, 21);
        for index in [14, 21] {
            log.rows[usize::try_from(index).unwrap()].index = index;
        }
        let findings = verify(&log, true).findings;
        assert!(findings.contains(&Finding::Reordered { index: 14, belongs_at: 21 }), "{findings:?}");
        assert!(findings.contains(&Finding::Reordered { index: 21, belongs_at: 14 }), "{findings:?}");
        assert!(verify(&log, false).findings.contains(&Finding::EditedBetween { index: 10, to: 20 }));
    }

    #[test]
    fn attack_53_entries_dropped_from_the_middle_are_named_renumbered_or_not() {
        let mut holed = log(37, 0);
        holed.rows.drain(14..17);
        for audit in [false, true] {
            let findings = verify(&holed, audit).findings;
            assert!(findings.contains(&Finding::Gap { index: 14, missing: 3 }), "{findings:?}");
        }
        for (index, row) in (0..).zip(&mut holed.rows) {
            row.index = index;
        }
        let findings = verify(&holed, true).findings;
        assert!(findings.contains(&Finding::Gap { index: 14, missing: 3 }), "{findings:?}");
        assert!(!findings.iter().any(|finding| matches!(finding, Finding::BadMac { .. } | Finding::Reordered { .. })));
        assert!(verify(&holed, false).findings.contains(&Finding::EditedBetween { index: 10, to: 20 }));
    }

    #[test]
    fn attack_54_a_cut_off_end_is_noticed_by_any_checkpoint_that_knew_it() {
        let mut cut = log(37, 0);
        cut.rows.truncate(33);
        assert_eq!(verify(&cut, false).findings, [Finding::Truncated { index: 33, expected: 37 }]);
        // Nothing inside is left to tell; the checkpoint held outside is.
        let outside = cut.checkpoints.pop().unwrap().1;
        assert_eq!(verify(&cut, true).findings, []);
        cut.checkpoints.push((37, outside));
        assert_eq!(verify(&cut, true).findings, [Finding::Truncated { index: 33, expected: 37 }]);
    }

    #[test]
    fn attack_54_a_log_cut_off_and_resumed_is_forked_from_what_was_signed() {
        let held_outside = log(37, 0).checkpoints.pop().unwrap();
        let mut resumed = log(45, 1);
        resumed.checkpoints.insert(3, held_outside);
        let findings = verify(&resumed, true).findings;
        assert_eq!(findings, [Finding::Forked { size: 37 }]);
    }

    #[test]
    fn attack_56_an_entry_sealed_again_with_a_later_key_has_no_mac() {
        let mut log = log(37, 0);
        let mut key = EvolvingKey::new(&[9; 32]);
        (0..37).for_each(|_| key.step());
        let row = &mut log.rows[5];
        row.mac = key.mac(&row.stored());
        assert_eq!(verify(&log, true).findings, [Finding::BadMac { index: 5 }]);
    }

    #[test]
    fn an_index_that_occurs_again_is_named() {
        let mut log = log(20, 0);
        let again = log.rows[7].clone();
        log.rows.insert(8, again);
        assert_eq!(verify(&log, true).findings, [Finding::Repeated { index: 7 }]);
    }

    #[test]
    fn checkpoints_of_others_are_not_believed() {
        let mut log = log(20, 0);
        let root = [1; 32];
        log.checkpoints.push((20, checkpoint(20, root, 2)));
        log.checkpoints.push((20, "nonsense".to_owned()));
        let elsewhere = Checkpoint { origin: "coffer.log/other".to_owned(), size: 20, root };
        log.checkpoints.push((20, write(&elsewhere.encode(), 1)));
        let findings = verify(&log, false).findings;
        let (signature, checkpoint) = (Finding::BadSignature { index: 20 }, Finding::BadCheckpoint { index: 20 });
        assert_eq!(findings, [signature, checkpoint, checkpoint]);
        assert_ne!(signing_key(1), signing_key(2));
    }

    #[test]
    fn two_checkpoints_of_one_size_and_two_roots_are_a_fork() {
        let mut both = log(20, 0);
        both.checkpoints.push(log(20, 1).checkpoints.pop().unwrap());
        assert_eq!(verify(&both, false).findings, [Finding::Forked { size: 20 }]);
    }

    #[test]
    fn a_changed_node_and_a_segment_that_does_not_continue_are_named() {
        let mut log = log(20, 0);
        log.rows[7].nodes[0] ^= 1;
        assert_eq!(verify(&log, false).findings, [Finding::BadNode { index: 7 }]);
        let mut verifier = Verifier::new(VAULT, vec![]);
        verifier.push_segment(3, &merkle::empty_root(), None);
        assert_eq!(verifier.finish().findings, [Finding::BadLink { index: 3 }]);
    }

    #[test]
    fn findings_are_bounded_and_the_rest_counted() {
        let mut log = log(1500, 0);
        log.rows.iter_mut().for_each(|row| row.mac[0] ^= 1);
        let report = verify(&log, true);
        assert_eq!((report.findings.len(), report.more_findings), (MAX_FINDINGS, 500));
    }
}

//! Checkpoints: signed notes of the log's size and root, each extending the one before.
//! Spec: c2sp.org/tlog-checkpoint; docs/FORMAT.md, "Checkpoints".

use coffer_crypto::sign::SigningKey;
use coffer_evidence::merkle::{self, MakeProofError};
use coffer_evidence::note::{self, Checkpoint, SignedNote, Signer};
use coffer_model::id::{AccountId, VaultId};
use coffer_model::time::Timestamp;

use super::{AuditLog, Inner, LogError, StateProblem, refresh, take_up};
use crate::store::audit::CheckpointRow;

/// After how many entries a checkpoint is due.
const DUE_ENTRIES: u64 = 100;
/// After how long a checkpoint is due, if there is anything new.
const DUE_MILLIS: u64 = 15 * 60 * 1000;

/// Who signs a checkpoint.
#[derive(Debug)]
pub(crate) struct CheckpointSigner<'k> {
    signer: Signer,
    key: &'k SigningKey,
}

impl<'k> CheckpointSigner<'k> {
    /// The account of a session.
    pub(crate) fn account(account: AccountId, key: &'k SigningKey) -> Self {
        let signer = Signer::account(account, &key.verifying_key().encode());
        Self { signer: signer.expect("a signing key's public half is no weak point"), key }
    }

    /// This device, while the vault is locked.
    pub(crate) fn device(vault: VaultId, key: &'k SigningKey) -> Self {
        let signer = Signer::device(vault, &key.verifying_key().encode());
        Self { signer: signer.expect("a signing key's public half is no weak point"), key }
    }
}

impl AuditLog {
    /// Signs the log as it is, unless the newest checkpoint covers it already. Afterwards the state is on the disk, too.
    pub(crate) fn checkpoint(&self, at: Timestamp, signer: &CheckpointSigner<'_>) -> Result<(), LogError> {
        self.exclusively(|inner| inner.checkpoint(self.vault, at, signer))
    }

    /// Signs the log if a checkpoint is due: 100 entries or 15 minutes after the newest.
    pub(crate) fn checkpoint_if_due<'k>(
        &self,
        at: Timestamp,
        signer: impl FnOnce() -> CheckpointSigner<'k>,
    ) -> Result<(), LogError> {
        // This is asked after every entry, and hardly ever due: what this process has seen tells, most of the time. Entries
        // of other processes bring checkpoints of theirs.
        let may_be_due = {
            let inner = self.inner.lock().map_err(|_| LogError::Ended)?;
            inner.covered.is_none_or(|covered| covered.is_due(inner.frontier.size(), at))
        };
        if !may_be_due {
            return Ok(());
        }
        self.exclusively(|inner| {
            let size = inner.store.rows().next_index()?;
            let covered = inner.store.rows().last_checkpoint()?.as_ref().map_or(Covered::NOTHING, Covered::by);
            inner.covered = Some(covered);
            if covered.is_due(size, at) { inner.checkpoint(self.vault, at, &signer()) } else { Ok(()) }
        })
    }
}

/// What the newest checkpoint covers that this process has seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Covered {
    size: u64,
    at: Timestamp,
}

impl Covered {
    const NOTHING: Self = Self { size: 0, at: Timestamp::UNIX_EPOCH };

    fn by(row: &CheckpointRow) -> Self {
        Self { size: row.size, at: Timestamp::from_unix_millis(row.at).unwrap_or(Timestamp::UNIX_EPOCH) }
    }

    /// Whether a log of so many entries is to be signed at this time.
    fn is_due(self, size: u64, at: Timestamp) -> bool {
        // A clock set back must not put the next checkpoint off.
        let late = at < self.at || at.millis_since(self.at) >= DUE_MILLIS;
        size.saturating_sub(self.size) >= DUE_ENTRIES || (size != self.size && late)
    }
}

impl Inner {
    fn checkpoint(&mut self, vault: VaultId, at: Timestamp, signer: &CheckpointSigner<'_>) -> Result<(), LogError> {
        // Nothing is signed that the state does not stand behind.
        take_up(self.store.rows(), self.state.as_ref())?;
        refresh(&mut self.frontier, self.store.rows())?;
        let (size, root) = (self.frontier.size(), self.frontier.root());
        if let Some(last) = self.store.rows().last_checkpoint()? {
            self.check_extends(&last, size, &root)?;
            if last.size == size {
                return Ok(self.state_file()?.sync()?);
            }
        }
        let text = Checkpoint { origin: Checkpoint::origin_of(vault), size, root }.encode();
        let note = note::write_note(&text, &signer.signer, |text| signer.key.sign_note(text))
            .expect("a checkpoint's text is a note's");
        let row = CheckpointRow { size, at: at.unix_millis(), note };
        let mut tx = self.store.write()?;
        tx.insert_checkpoint(&row)?;
        tx.commit()?;
        self.covered = Some(Covered::by(&row));
        Ok(self.state_file()?.sync()?)
    }

    /// A log signs no second history: the tree must extend the newest checkpoint's (RFC 6962 §2.1.2).
    fn check_extends(&self, last: &CheckpointRow, size: u64, root: &merkle::Hash) -> Result<(), LogError> {
        if last.size > size {
            return Err(LogError::State(StateProblem::Ahead));
        }
        let signed = SignedNote::parse(&last.note)
            .and_then(|note| Checkpoint::parse(note.unverified_text()))
            .map_err(|_| LogError::NotExtending)?;
        let proof =
            merkle::consistency_proof(last.size, size, |id| self.store.rows().node(id)).map_err(
                |error| match error {
                    MakeProofError::Node(error) => LogError::Store(error),
                    MakeProofError::OutOfRange => LogError::NotExtending,
                },
            )?;
        if signed.size != last.size {
            return Err(LogError::NotExtending);
        }
        merkle::verify_consistency(signed.size, &signed.root, size, root, &proof).map_err(|_| LogError::NotExtending)
    }
}

//! `log.state`: the evolving MAC key and the entry it is for, outside the database and outside every backup.
//! Layout: docs/FORMAT.md, "The log's state". Touches that one file.
//!
//! Two slots, each in a disk block of its own, both overwritten in place after every entry: a write that is torn leaves
//! the other one, and the key before is gone from the file. Nothing is forced to the disk for each entry. The database
//! is, so after a loss of power the state may be behind, and is stepped forward over entries whose MACs it can check.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use coffer_evidence::mac::{EvolvingKey, MAC_BYTES};
use coffer_model::id::VaultId;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::store::files::{self, FileError};

/// Name of the file in the vault's folder.
pub(crate) const FILE: &str = "log.state";
/// Where the slots begin. A block of their own each, so that no torn write reaches both.
const SLOT_OFFSETS: [u64; 2] = [0, 4096];
/// What a slot begins with.
const MAGIC: &[u8; 8] = b"cofferK1";
/// Magic, segment, index, key, checksum.
const SLOT_BYTES: usize = 8 + 8 + 8 + MAC_BYTES + 32;
/// Length of the file: two blocks.
const FILE_BYTES: usize = 8192;

/// Which key comes next.
#[derive(Debug)]
pub(crate) struct LogState {
    /// First entry of the segment the key belongs to.
    pub(crate) segment: u64,
    /// The entry the key is for.
    pub(crate) next: u64,
    /// The key.
    pub(crate) key: EvolvingKey,
}

impl LogState {
    /// Goes on to the next entry. The key before cannot be had back.
    pub(crate) fn step(&mut self) {
        self.key.step();
        self.next += 1;
    }
}

/// The open file.
#[derive(Debug)]
pub(crate) struct StateFile {
    file: File,
    vault: VaultId,
}

impl StateFile {
    /// Makes the file, or replaces one, with the first key of a segment.
    pub(crate) fn start(folder: &Path, vault: VaultId, state: &LogState) -> Result<Self, FileError> {
        let mut bytes = Zeroizing::new(vec![0; FILE_BYTES]);
        let slot = encode(vault, state);
        for offset in SLOT_OFFSETS {
            let at = usize::try_from(offset).expect("two small constants");
            bytes[at..at + SLOT_BYTES].copy_from_slice(slot.as_slice());
        }
        files::replace_private_file(&folder.join(FILE), &bytes)?;
        Self::open(folder, vault)
    }

    /// Opens the file of a vault.
    pub(crate) fn open(folder: &Path, vault: VaultId) -> Result<Self, FileError> {
        Ok(Self { file: files::open_private_file_for_writing(&folder.join(FILE))?, vault })
    }

    /// Reads the newer of the slots that hold; `None` if neither does.
    pub(crate) fn read(&self) -> Result<Option<LogState>, FileError> {
        let mut newest: Option<LogState> = None;
        for offset in SLOT_OFFSETS {
            let mut slot = Zeroizing::new([0; SLOT_BYTES]);
            match self.file.read_exact_at(slot.as_mut_slice(), offset) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => continue,
                Err(error) => return Err(error.into()),
            }
            let Some(state) = parse(self.vault, &slot) else { continue };
            if newest.as_ref().is_none_or(|newest| (newest.segment, newest.next) < (state.segment, state.next)) {
                newest = Some(state);
            }
        }
        Ok(newest)
    }

    /// Overwrites both slots, one after the other.
    pub(crate) fn write(&self, state: &LogState) -> Result<(), FileError> {
        let slot = encode(self.vault, state);
        for offset in SLOT_OFFSETS {
            self.file.write_all_at(slot.as_slice(), offset)?;
        }
        Ok(())
    }

    /// Forces what was written to the disk.
    pub(crate) fn sync(&self) -> Result<(), FileError> {
        self.file.sync_data().map_err(FileError::NotDurable)
    }
}

fn encode(vault: VaultId, state: &LogState) -> Zeroizing<[u8; SLOT_BYTES]> {
    let mut slot = Zeroizing::new([0; SLOT_BYTES]);
    slot[..8].copy_from_slice(MAGIC);
    slot[8..16].copy_from_slice(&state.segment.to_be_bytes());
    slot[16..24].copy_from_slice(&state.next.to_be_bytes());
    slot[24..24 + MAC_BYTES].copy_from_slice(state.key.expose());
    let checksum = checksum(vault, &slot);
    slot[24 + MAC_BYTES..].copy_from_slice(&checksum);
    slot
}

fn parse(vault: VaultId, slot: &[u8; SLOT_BYTES]) -> Option<LogState> {
    let (magic, rest) = slot.split_first_chunk::<8>()?;
    let (segment, rest) = rest.split_first_chunk::<8>()?;
    let (next, rest) = rest.split_first_chunk::<8>()?;
    let (key, sum) = rest.split_first_chunk::<MAC_BYTES>()?;
    let holds = magic == MAGIC && sum == checksum(vault, slot);
    let state = || LogState {
        segment: u64::from_be_bytes(*segment),
        next: u64::from_be_bytes(*next),
        key: EvolvingKey::new(key),
    };
    holds.then(state)
}

/// Finds torn and foreign slots; it is no protection against anybody who can write.
fn checksum(vault: VaultId, slot: &[u8; SLOT_BYTES]) -> [u8; 32] {
    Sha256::new().chain_update(vault.as_bytes()).chain_update(&slot[..24 + MAC_BYTES]).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const VAULT: VaultId = VaultId::from_bytes([1; 16]);

    fn state(next: u64) -> LogState {
        LogState { segment: 3, next, key: EvolvingKey::new(&[u8::try_from(next).unwrap(); 32]) }
    }

    #[test]
    fn a_torn_slot_leaves_the_other_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = StateFile::start(folder.path(), VAULT, &state(7)).unwrap();
        for torn in SLOT_OFFSETS {
            file.write(&state(8)).unwrap();
            let next = encode(VAULT, &state(9));
            file.file.write_all_at(&next[..40], torn).unwrap();
            assert_eq!(file.read().unwrap().unwrap().next, 8);
        }
        file.file.write_all_at(&encode(VAULT, &state(9))[..], 0).unwrap();
        assert_eq!(file.read().unwrap().unwrap().next, 9);
    }

    #[test]
    fn the_key_before_is_gone_from_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = StateFile::start(folder.path(), VAULT, &state(7)).unwrap();
        file.write(&state(8)).unwrap();
        let bytes = std::fs::read(folder.path().join(FILE)).unwrap();
        assert!(!bytes.windows(8).any(|part| part == [7; 8]));
        assert!(bytes.windows(32).any(|part| part == [8; 32]));
    }

    #[test]
    fn the_state_of_another_vault_or_a_cut_file_is_no_state() {
        let folder = tempfile::tempdir().unwrap();
        StateFile::start(folder.path(), VAULT, &state(7)).unwrap();
        let other = StateFile::open(folder.path(), VaultId::from_bytes([2; 16])).unwrap();
        assert!(other.read().unwrap().is_none());
        std::fs::write(folder.path().join(FILE), b"").unwrap();
        assert!(StateFile::open(folder.path(), VAULT).unwrap().read().unwrap().is_none());
    }
}

//! Which backups were written from this machine: numbers, times and file names, for the list. What a backup is worth is
//! decided by verifying the file itself, never by this list.

use coffer_core::view::BackupView;
use coffer_model::id::VaultId;
use serde::{Deserialize, Serialize};

use crate::commands::BackupFile;
use crate::storage;

const FILE: &str = "backups.json";
/// More are forgotten, the oldest first.
const MOST: usize = 500;

/// A backup of a vault.
#[derive(Debug, Serialize, Deserialize)]
struct Known {
    vault: VaultId,
    backup: BackupFile,
}

/// Remembers a backup that was just written. That the list cannot be kept is no failure of the backup.
pub(crate) fn remember(backup: &BackupView, file_name: String) {
    let BackupView { vault, counter, made_at, bytes, .. } = *backup;
    let mut known = load();
    known.insert(0, Known { vault, backup: BackupFile { made_at, counter, file_name, bytes } });
    known.truncate(MOST);
    if let Ok(bytes) = serde_json::to_vec_pretty(&known) {
        let _ = storage::replace(FILE, &bytes);
    }
}

/// The backups of a vault, newest first.
pub(crate) fn of(vault: VaultId) -> Vec<BackupFile> {
    load().into_iter().filter(|known| known.vault == vault).map(|known| known.backup).collect()
}

fn load() -> Vec<Known> {
    storage::read(FILE).and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

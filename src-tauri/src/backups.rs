//! Which files backups were written to from this machine: names for the list. That a backup was made is what the vault's
//! receipts say, and what it is worth is decided by verifying the file itself; never by this.

use std::path::Path;

use coffer_core::view::BackupView;
use coffer_model::id::VaultId;
use coffer_model::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::commands::{BackupFile, BackupRow};
use crate::storage;

const FILE: &str = "backups.json";
/// More are forgotten, the oldest first.
const MOST: usize = 500;

/// The file of a backup. A restored vault counts on from its backup, so the number alone does not tell two apart.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    vault: VaultId,
    counter: u64,
    made_at: Timestamp,
    file: BackupFile,
}

/// Remembers where a backup was just written. That the list cannot be kept is no failure of the backup.
pub(crate) fn remember(backup: &BackupView, path: &Path) {
    let BackupView { vault, counter, made_at, .. } = *backup;
    let mut known = load();
    known.insert(0, Known { vault, counter, made_at, file: file_at(path) });
    known.truncate(MOST);
    if let Ok(bytes) = serde_json::to_vec_pretty(&known) {
        let _ = storage::replace(FILE, &bytes);
    }
}

/// Receipts with the files that are known here, in the receipts' order.
pub(crate) fn with_files(receipts: Vec<BackupView>) -> Vec<BackupRow> {
    join(receipts, &load())
}

fn join(receipts: Vec<BackupView>, known: &[Known]) -> Vec<BackupRow> {
    let row = |BackupView { vault, counter, made_at, bytes, .. }| {
        let is_it = |known: &&Known| (known.vault, known.counter, known.made_at) == (vault, counter, made_at);
        BackupRow { made_at, counter, bytes, file: known.iter().find(is_it).map(|known| known.file.clone()) }
    };
    receipts.into_iter().map(row).collect()
}

fn file_at(path: &Path) -> BackupFile {
    let name_of = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    BackupFile { name: name_of(path), folder: path.parent().map(name_of).unwrap_or_default() }
}

fn load() -> Vec<Known> {
    storage::read(FILE).and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const VAULT: &str = "0123456789abcdefghjkmnpqrs";

    fn receipt(counter: u64, at: i64) -> BackupView {
        BackupView {
            vault: VAULT.parse().unwrap(),
            counter,
            made_at: Timestamp::from_unix_millis(at).unwrap(),
            files: 9,
            bytes: 1_000,
            log_entries: 10,
            chain_length: 1,
            newer_known: false,
        }
    }

    #[test]
    fn every_receipt_is_listed_and_one_made_elsewhere_under_the_same_number_gets_no_file() {
        let known = [Known {
            vault: VAULT.parse().unwrap(),
            counter: 2,
            made_at: receipt(2, 2_000).made_at,
            file: file_at(Path::new("/media/stick/office.age")),
        }];
        let rows = join(vec![receipt(3, 3_000), receipt(2, 2_000), receipt(2, 1_000)], &known);
        let files: Vec<Option<&str>> = rows.iter().map(|row| Some(row.file.as_ref()?.name.as_str())).collect();
        assert_eq!(files, [None, Some("office.age"), None]);
        assert_eq!(rows[1].file.as_ref().unwrap().folder, "stick");
    }
}

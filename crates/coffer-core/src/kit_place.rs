//! Where a recovery kit is kept, or its shares: as new files for their owner alone, all of them or none.
//!
//! Touches the disk. Nothing that is there is replaced: it may be the kit in use.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use coffer_crypto::recovery::shares::Split;
use coffer_crypto::secret::SecretBytes;

use crate::kit::RecoveryKit;

/// Why a kit was not kept. Nothing of it remains.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct KitPlaceError {
    /// Of which file or folder.
    pub path: PathBuf,
    /// What the machine said.
    pub reason: io::Error,
}

impl KitPlaceError {
    /// The permanent name of the error, for the words on screen.
    pub fn code(&self) -> &'static str {
        match self.reason.kind() {
            io::ErrorKind::AlreadyExists => "place_taken",
            io::ErrorKind::StorageFull => "no_space",
            io::ErrorKind::NotFound => "no_folder",
            _ => "target_unwritable",
        }
    }
}

/// Where a kit is about to be kept: made before the kit is, taken away again unless it stays.
#[derive(Debug)]
pub struct KitPlace {
    path: PathBuf,
    /// `None` for a folder of shares.
    file: Option<File>,
    is_kept: bool,
}

impl KitPlace {
    /// Makes a new file for a kit, or a new folder for its shares, for its owner alone. Nothing may be there.
    pub fn make(path: &Path, split: Option<Split>) -> Result<Self, KitPlaceError> {
        let file = if split.is_none() {
            Some(new_file(path)?)
        } else {
            DirBuilder::new().mode(0o700).create(path).map_err(|reason| unusable(path, reason))?;
            None
        };
        Ok(Self { path: path.to_owned(), file, is_kept: false })
    }

    /// Writes the kit, or each of its shares as `share-N-of-M.html`, and has it on the disk.
    pub fn keep(&mut self, kit: &RecoveryKit) -> Result<(), KitPlaceError> {
        let path = &self.path;
        if let Some(file) = &mut self.file {
            write(file, &kit.to_text()).map_err(|reason| unusable(path, reason))?;
        } else {
            let shares = kit.share_files();
            let count = shares.len();
            for share in shares {
                let path = path.join(format!("share-{}-of-{count}.html", share.number));
                write(&mut new_file(&path)?, &share.page).map_err(|reason| unusable(&path, reason))?;
            }
            sync_folder(path).map_err(|reason| unusable(path, reason))?;
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        sync_folder(folder).map_err(|reason| unusable(path, reason))
    }

    /// What was kept counts: it stays.
    pub fn stay(&mut self) {
        self.is_kept = true;
    }
}

impl Drop for KitPlace {
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        // This program made it a moment ago, where nothing was.
        let _ = if self.file.is_some() { fs::remove_file(&self.path) } else { fs::remove_dir_all(&self.path) };
    }
}

fn new_file(path: &Path) -> Result<File, KitPlaceError> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    opened.map_err(|reason| unusable(path, reason))
}

fn write(file: &mut File, text: &SecretBytes) -> io::Result<()> {
    file.write_all(text.expose())?;
    file.sync_all()
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn unusable(path: &Path, reason: io::Error) -> KitPlaceError {
    KitPlaceError { path: path.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_is_taken_stays_as_it_is_and_one_that_was_not_kept_is_taken_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kit.txt");
        fs::write(&path, "the kit in use").unwrap();
        for split in [None, Some(Split::new(2, 3).unwrap())] {
            assert_eq!(KitPlace::make(&path, split).unwrap_err().code(), "place_taken");
            drop(KitPlace::make(&folder.path().join("new"), split).unwrap());
        }
        assert_eq!(KitPlace::make(&folder.path().join("no/kit.txt"), None).unwrap_err().code(), "no_folder");
        assert_eq!(fs::read(&path).unwrap(), b"the kit in use");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

//! A folder made from a backup: whole, checked and durable, or not there at all.
//! Touches the disk. Layout: docs/FORMAT.md, "Backups".
//!
//! Two passes over the file. The first writes nothing; only what it found good is unpacked by the second, into a folder
//! beside the target that takes the target's name in one step at the end. A kill leaves at most that folder, named
//! `.coffer-….tmp`; whatever was there before is not touched.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use coffer_crypto::secret::AgeIdentity;
use coffer_evidence::manifest::BackupPath;

use super::BackupError;
use super::archive::{self, Nowhere, Sink, Unverified};
use crate::job::{JobContext, JobError};
use crate::store::files::{self, FileError, NewFolder};
use crate::vault::TENANTS_FOLDER;

/// Opens a backup somebody named.
pub(crate) fn open_backup(path: &Path) -> Result<File, BackupError> {
    files::open_foreign_file(path).map_err(|error| match error {
        FileError::Missing => BackupError::NotFound,
        FileError::NotPlain => BackupError::NotABackup,
        other => other.into(),
    })
}

/// Makes the folder `target` from the backup at `path`.
///
/// `judge_claims` looks at what the backup says of itself before anything is written; `judge_inside` at the unpacked
/// files before they are in place, and may add files of this device's own. If either refuses, nothing remains.
pub(crate) fn restore(
    path: &Path,
    identities: &[&AgeIdentity],
    target: &Path,
    judge_claims: impl FnOnce(&Unverified) -> Result<(), JobError>,
    judge_inside: impl FnOnce(&Path, &Unverified) -> Result<(), JobError>,
    context: &JobContext,
) -> Result<Unverified, JobError> {
    refuse_existing(target)?;
    let backup = open_backup(path)?;
    let looked_at = archive::read(&backup, identities, &mut Nowhere, context)?;
    judge_claims(&looked_at)?;

    files::sweep_abandoned(target).map_err(BackupError::at_target)?;
    let staging = NewFolder::beside(target).map_err(BackupError::at_target)?;
    let mut unpack = Unpack::new(staging.path());
    let unpacked = archive::read(&backup, identities, &mut unpack, context)?;
    // Somebody who can write the file may have changed it in between.
    if unpacked != looked_at {
        return Err(BackupError::Damaged.into());
    }
    unpack.finish().map_err(BackupError::from)?;
    judge_inside(staging.path(), &unpacked)?;
    context.check()?;
    staging.publish().map_err(BackupError::from)?;
    Ok(unpacked)
}

/// Says so before minutes of work, not after them.
pub(crate) fn refuse_existing(target: &Path) -> Result<(), BackupError> {
    match fs::symlink_metadata(target) {
        Ok(_) => Err(BackupError::TargetExists),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(BackupError::at_target(error.into())),
    }
}

/// Writes the files of a backup below a folder, each private and synced.
struct Unpack {
    folder: PathBuf,
    current: Option<File>,
    /// Folders that were made inside.
    made: BTreeSet<PathBuf>,
}

impl Unpack {
    fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), current: None, made: BTreeSet::new() }
    }

    /// Makes the names in the folders durable; a vault without tenants has a folder for them all the same.
    fn finish(mut self) -> Result<(), FileError> {
        self.make_folder(Path::new(TENANTS_FOLDER))?;
        self.made.iter().try_for_each(|folder| files::sync_folder(folder))
    }

    /// Makes a folder, and those it lies in. Paths of a backup name none but the vault's own.
    fn make_folder(&mut self, path: &Path) -> Result<(), FileError> {
        let mut folder = self.folder.clone();
        for name in path {
            folder.push(name);
            if self.made.insert(folder.clone()) {
                files::create_private_folder(&folder)?;
            }
        }
        Ok(())
    }
}

impl Sink for Unpack {
    fn begin(&mut self, path: &BackupPath) -> Result<(), FileError> {
        let path = Path::new(path.as_str());
        self.make_folder(path.parent().unwrap_or(Path::new("")))?;
        self.current = Some(files::create_private_file(&self.folder.join(path))?);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        let file = self.current.as_mut().expect("bytes come after the beginning of their file");
        Ok(file.write_all(bytes)?)
    }

    fn end(&mut self) -> Result<(), FileError> {
        self.current.take().map_or(Ok(()), |file| files::sync_file(&file))
    }
}

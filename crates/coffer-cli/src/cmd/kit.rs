//! The recovery kit and its shares as files: kept in new ones, read from those that somebody brings.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use coffer_core::{
    ReadKit, ReadShare, RecoveryKit, SecretBytes, SharesError, Split, parse_recovery_kit, parse_recovery_share,
};
use zeroize::Zeroizing;

use crate::error::CliError;

/// Where a kit is about to be kept: made before the kit is, taken away again unless it was.
pub struct KitPlace<'a> {
    path: &'a Path,
    /// `None` for a folder of shares.
    file: Option<File>,
    is_kept: bool,
}

impl<'a> KitPlace<'a> {
    /// Makes a new file for a kit, or a new folder for its shares, for its owner alone. Nothing may be there.
    pub fn make(path: &'a Path, split: Option<Split>) -> Result<Self, CliError> {
        let file = if split.is_none() {
            Some(new_private_file(path)?)
        } else {
            DirBuilder::new().mode(0o700).create(path).map_err(|reason| unusable(path, reason))?;
            None
        };
        Ok(Self { path, file, is_kept: false })
    }

    /// Writes the kit, or each of its shares as `share-N-of-M.html`, and has it on the disk.
    pub fn keep(&mut self, kit: &RecoveryKit) -> Result<(), CliError> {
        if let Some(file) = &mut self.file {
            write(file, &kit.to_text()).map_err(|reason| unusable(self.path, reason))?;
        } else {
            let shares = kit.share_files();
            let count = shares.len();
            for share in shares {
                let path = self.path.join(format!("share-{}-of-{count}.html", share.number));
                write(&mut new_private_file(&path)?, &share.page).map_err(|reason| unusable(&path, reason))?;
            }
            File::open(self.path).and_then(|folder| folder.sync_all()).map_err(|reason| unusable(self.path, reason))?;
        }
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|reason| unusable(self.path, reason))
    }

    /// What was kept counts: it stays.
    pub fn stay(&mut self) {
        self.is_kept = true;
    }
}

impl Drop for KitPlace<'_> {
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        // This program made it a moment ago, where nothing was.
        let _ = if self.file.is_some() { fs::remove_file(self.path) } else { fs::remove_dir_all(self.path) };
    }
}

/// Makes a file that only its owner may read, which must not exist.
pub fn new_private_file(path: &Path) -> Result<File, CliError> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    opened.map_err(|reason| unusable(path, reason))
}

/// Reads a recovery kit, or shares, which `join` joins.
pub fn read(
    kit: Option<&Path>,
    shares: &[PathBuf],
    join: impl FnOnce(Vec<ReadShare>) -> Result<ReadKit, SharesError>,
) -> Result<ReadKit, CliError> {
    match kit {
        Some(path) => Ok(parse_recovery_kit(&text(path)?)?),
        None => Ok(join(shares.iter().map(|path| read_share(path)).collect::<Result<_, _>>()?)?),
    }
}

fn read_share(path: &Path) -> Result<ReadShare, CliError> {
    parse_recovery_share(&text(path)?).map_err(|reason| CliError::Share { path: path.to_owned(), reason })
}

fn text(path: &Path) -> Result<Zeroizing<String>, CliError> {
    Ok(Zeroizing::new(fs::read_to_string(path).map_err(|reason| unusable(path, reason))?))
}

fn write(file: &mut File, text: &SecretBytes) -> std::io::Result<()> {
    file.write_all(text.expose())?;
    file.sync_all()
}

fn unusable(path: &Path, reason: std::io::Error) -> CliError {
    CliError::File { path: path.to_owned(), reason }
}

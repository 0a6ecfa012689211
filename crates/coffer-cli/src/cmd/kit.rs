//! The recovery kit and its shares as files that somebody brings, and private files that are made.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use coffer_core::{ReadKit, ReadShare, SharesError, parse_recovery_kit, parse_recovery_share};
use zeroize::Zeroizing;

use crate::error::CliError;

/// Makes a file that only its owner may read, which must not exist.
pub fn new_private_file(path: &Path) -> Result<File, CliError> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    opened.map_err(|reason| CliError::new_file(path, reason))
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

fn unusable(path: &Path, reason: std::io::Error) -> CliError {
    CliError::File { path: path.to_owned(), reason }
}

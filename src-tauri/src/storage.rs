//! Small files of the program itself, in the user's configuration folder: settings, remembered places, known backups.
//! Readable by their owner only; replaced whole, so that a crash leaves the old or the new.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use gtk::glib;

/// More than this is not a file of ours.
const MAX_BYTES: u64 = 1024 * 1024;

fn folder() -> PathBuf {
    glib::user_config_dir().join("coffer")
}

/// Reads one of the files; `None` if there is none that can be read.
pub(crate) fn read(name: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(folder().join(name)).ok()?.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Replaces one of the files.
pub(crate) fn replace(name: &str, bytes: &[u8]) -> io::Result<()> {
    let folder = folder();
    create_private_folder(&folder)?;
    replace_file(&folder.join(name), bytes)
}

/// Makes a folder, and those above it that are missing, for their owner only.
pub(crate) fn create_private_folder(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Writes `bytes` beside `path` and moves them there: private, synced, and never through a link that lies in the way.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let staged = PathBuf::from(name);
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&staged)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&staged, path)?;
        // The name, too, survives a loss of power.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    };
    let outcome = write();
    if outcome.is_err() {
        let _ = fs::remove_file(&staged);
    }
    outcome
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_replaced_file_is_private_and_a_link_in_its_place_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (victim, path) = (folder.path().join("victim"), folder.path().join("file"));
        fs::write(&victim, "untouched").unwrap();
        std::os::unix::fs::symlink(&victim, &path).unwrap();
        replace_file(&path, b"new").unwrap();
        assert_eq!(fs::read(&victim).unwrap(), b"untouched");
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::symlink_metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}

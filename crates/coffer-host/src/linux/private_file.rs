//! Small secret files that only their owner may read: 0600 in a 0700 folder.
//!
//! Written whole or not at all: exclusive temporary in the same folder, fsync, rename, fsync of the folder.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

use coffer_core::host::{DeviceStoreError, SecretBytes};
use rustix::fs::{Mode, OFlags};
use rustix::process::geteuid;

/// Bits of a file's mode that let in anybody but its owner.
const OTHERS: u32 = 0o077;
/// Largest file taken for key material. Ours are far smaller; more is not ours to load.
const MAX_BYTES: u64 = 64 * 1024;

/// Reads a private file; `None` if there is none. A symbolic link, another owner or a wider mode is refused.
pub(crate) fn read_private_file(path: &Path) -> Result<Option<SecretBytes>, DeviceStoreError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let mut file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(descriptor) => File::from(descriptor),
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        Err(rustix::io::Errno::LOOP) => return Err(DeviceStoreError::NotPrivate),
        Err(error) => return Err(DeviceStoreError::Io(error.into())),
    };
    let facts = file.metadata().map_err(DeviceStoreError::Io)?;
    if !facts.is_file() || facts.uid() != geteuid().as_raw() || facts.mode() & OTHERS != 0 || facts.len() > MAX_BYTES {
        return Err(DeviceStoreError::NotPrivate);
    }
    // All at once into one allocation of the right size: a vector that grows leaves copies behind.
    let size = usize::try_from(facts.len()).expect("checked against a limit that fits");
    let mut bytes = vec![0; size];
    let read = file.read_exact(&mut bytes);
    let secret = SecretBytes::new(bytes);
    read.map_err(DeviceStoreError::Io)?;
    Ok(Some(secret))
}

/// Writes a private file, replacing what was there, and returns when it would survive a loss of power.
pub(crate) fn replace_private_file(path: &Path, secret: &SecretBytes) -> Result<(), DeviceStoreError> {
    let folder = path.parent().ok_or(DeviceStoreError::NoDataFolder)?;
    make_private_folder(folder)?;
    let write = || -> io::Result<()> {
        let mut temporary = tempfile::Builder::new().permissions(Permissions::from_mode(0o600)).tempfile_in(folder)?;
        temporary.write_all(secret.expose())?;
        temporary.as_file().sync_all()?;
        temporary.persist(path)?;
        sync_folder(folder)
    };
    write().map_err(DeviceStoreError::Io)
}

/// Removes a private file. Having none is no error.
pub(crate) fn remove_private_file(path: &Path) -> Result<(), DeviceStoreError> {
    let remove = || -> io::Result<()> {
        match fs::remove_file(path) {
            Ok(()) => path.parent().map_or(Ok(()), sync_folder),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    };
    remove().map_err(DeviceStoreError::Io)
}

/// Makes a folder that only its owner may enter, and closes one that others may. One that is not ours is refused.
fn make_private_folder(folder: &Path) -> Result<(), DeviceStoreError> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|above| !above.exists()).collect();
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(DeviceStoreError::Io)?;
    // A new folder would survive a loss of power once the one above it is synced.
    for above in missing.into_iter().filter_map(Path::parent) {
        sync_folder(above).map_err(DeviceStoreError::Io)?;
    }
    let facts = fs::symlink_metadata(folder).map_err(DeviceStoreError::Io)?;
    if !facts.is_dir() || facts.uid() != geteuid().as_raw() {
        return Err(DeviceStoreError::NotPrivate);
    }
    if facts.mode() & OTHERS != 0 {
        fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(DeviceStoreError::Io)?;
    }
    Ok(())
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> SecretBytes {
        SecretBytes::new(b"device key material".to_vec())
    }

    #[test]
    fn what_is_written_reads_back_and_is_private() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("coffer/devices/one");
        assert!(read_private_file(&path).unwrap().is_none());
        replace_private_file(&path, &SecretBytes::new(b"older".to_vec())).unwrap();
        replace_private_file(&path, &secret()).unwrap();
        assert_eq!(read_private_file(&path).unwrap().unwrap().expose(), secret().expose());
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().mode() & 0o7777, 0o700);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "a temporary was left behind");
        remove_private_file(&path).unwrap();
        remove_private_file(&path).unwrap();
        assert!(read_private_file(&path).unwrap().is_none());
    }

    #[test]
    fn a_file_others_may_read_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("one");
        replace_private_file(&path, &secret()).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(read_private_file(&path), Err(DeviceStoreError::NotPrivate)));
    }

    #[test]
    fn links_folders_pipes_and_huge_files_are_refused() {
        let place = tempfile::tempdir().unwrap();
        let real = place.path().join("real");
        replace_private_file(&real, &secret()).unwrap();
        let link = place.path().join("link");
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let pipe = place.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();
        let huge = place.path().join("huge");
        replace_private_file(&huge, &SecretBytes::new(vec![0; 64 * 1024 + 1])).unwrap();
        let folder = place.path().join("folder");
        DirBuilder::new().mode(0o700).create(&folder).unwrap();
        for path in [link, pipe, huge, folder] {
            assert!(matches!(read_private_file(&path), Err(DeviceStoreError::NotPrivate)), "{}", path.display());
        }
    }

    #[test]
    fn replacing_a_link_leaves_its_target_alone() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("target");
        fs::write(&target, "untouched").unwrap();
        let link = place.path().join("link");
        std::os::unix::fs::symlink(&target, &link).unwrap();
        replace_private_file(&link, &secret()).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"untouched");
        assert_eq!(read_private_file(&link).unwrap().unwrap().expose(), secret().expose());
    }

    #[test]
    fn a_folder_open_to_others_is_closed() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("devices");
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o777)).unwrap();
        replace_private_file(&folder.join("one"), &secret()).unwrap();
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
    }
}

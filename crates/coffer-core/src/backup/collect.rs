//! Which files of a vault a backup holds, and how they are held still while they are copied.
//! Files: docs/FORMAT.md, "The folder". Touches the disk; knows no key.
//!
//! A locked vault's databases are copied with their write-ahead logs: whoever calls holds the vault's lock, so nobody
//! else has them open, and no connection of ours is made. A database that is in use is copied without: whoever calls
//! has moved its log into the main file and begun a read in it, which keeps SQLite from writing there.
//! Attachments are written once and never changed; they are removed only where their tenant is first opened, which a
//! backup has done before it looks. So they are opened one after the other, when their turn comes.
//! `log.state`, the lock files, `-shm` files and what the device remembers are in no backup.
//!
//! Closing a file here takes this process's POSIX locks off it, SQLite's included (sqlite.org/howtocorrupt.html §2.2).
//! Nothing relies on those: other processes are kept out by the vault's lock, those that append to the log by the log's
//! own, and what threads need of each other SQLite keeps in memory and on the `-shm` file.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use coffer_evidence::manifest::BackupPath;

use super::archive::{Content, SourceFile};
use crate::store::attached::FILES_FOLDER;
use crate::store::files::{self, FileError};
use crate::vault::TENANTS_FOLDER;

/// The files for a backup, by their paths, which is the order of the archive.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    files: BTreeMap<BackupPath, SourceFile>,
}

impl Collected {
    /// Opens everything in `folder` that belongs in a backup. Of the databases that `in_use` names, the main file alone.
    pub(crate) fn open(folder: &Path, in_use: impl Fn(&BackupPath) -> bool) -> Result<Self, FileError> {
        let mut collected = Self::default();
        collected.open_folder(folder, "", &in_use)?;
        collected.open_folder(&folder.join(TENANTS_FOLDER), TENANTS_FOLDER, &in_use)?;
        collected.note_attachments(&folder.join(FILES_FOLDER))?;
        Ok(collected)
    }

    /// Finds the attachments of all tenants.
    fn note_attachments(&mut self, folder: &Path) -> Result<(), FileError> {
        for tenant in entries(folder)? {
            let Some(tenant_name) = tenant.file_name().to_str().map(str::to_owned) else { continue };
            if !tenant.file_type()?.is_dir() {
                continue;
            }
            for file in entries(&tenant.path())? {
                let Some(name) = file.file_name().to_str().map(str::to_owned) else { continue };
                let Ok(path) = BackupPath::parse(&format!("{FILES_FOLDER}/{tenant_name}/{name}")) else { continue };
                let facts = file.metadata()?;
                if !facts.is_file() {
                    return Err(FileError::NotPlain);
                }
                let content = Content::Closed(file.path());
                self.files.insert(path.clone(), SourceFile { path, content, size: facts.len() });
            }
        }
        Ok(())
    }

    /// Takes `bytes` for the contents of the file at `path`.
    pub(crate) fn put(&mut self, path: BackupPath, bytes: Vec<u8>) {
        let size = bytes.len() as u64;
        self.files.insert(path.clone(), SourceFile { path, content: Content::Memory(bytes), size });
    }

    /// In the order of the archive.
    pub(crate) fn into_files(self) -> Vec<SourceFile> {
        self.files.into_values().collect()
    }

    fn open_folder(
        &mut self,
        folder: &Path,
        prefix: &str,
        in_use: &impl Fn(&BackupPath) -> bool,
    ) -> Result<(), FileError> {
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name();
            let Some(name) = name.to_str() else { continue };
            let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
            // What has no place in a backup is not the vault's, or not for others.
            let Ok(path) = BackupPath::parse(&path) else { continue };
            let log_of = path.as_str().strip_suffix("-wal").and_then(|main| BackupPath::parse(main).ok());
            if log_of.as_ref().is_some_and(in_use) {
                continue;
            }
            let file = files::open_private_file(&folder.join(name))?;
            let size = file.metadata()?.len();
            // An empty write-ahead log says what no log says.
            if log_of.is_none() || size > 0 {
                self.files.insert(path.clone(), SourceFile { path, content: Content::File(file), size });
            }
        }
        Ok(())
    }
}

/// What is in a folder that may not be there.
fn entries(folder: &Path) -> Result<Vec<fs::DirEntry>, FileError> {
    match fs::read_dir(folder) {
        Ok(entries) => Ok(entries.collect::<Result<_, _>>()?),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

/// Where the file of a backup's path is, in the vault at `folder`.
pub(crate) fn place(folder: &Path, path: &BackupPath) -> PathBuf {
    folder.join(path.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &str = "tenants/00112233445566778899aabbccddeeff.db";
    const ATTACHMENT: &str = "files/00112233445566778899aabbccddeeff/ffeeddccbbaa99887766554433221100";

    fn vault() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("tenants")).unwrap();
        fs::create_dir_all(folder.path().join(ATTACHMENT).parent().unwrap()).unwrap();
        fs::create_dir(folder.path().join("files/other")).unwrap();
        for name in [
            "header",
            "directory.db",
            "directory.db-wal",
            "directory.db-shm",
            "audit.db",
            "audit.db-wal",
            "audit.lock",
            "log.state",
            "lock",
            "backup.plan",
            ".coffer-x.tmp",
            "notes.txt",
            TENANT,
            "tenants/00112233445566778899aabbccddeeff.db-wal",
            "tenants/00112233445566778899aabbccddeeff.db-shm",
            "tenants/.coffer-x.tmp",
            ATTACHMENT,
            "files/00112233445566778899aabbccddeeff/.coffer-x.tmp",
            "files/other/ffeeddccbbaa99887766554433221100",
        ] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        folder
    }

    fn names(collected: Collected) -> Vec<String> {
        collected.into_files().into_iter().map(|file| file.path.as_str().to_owned()).collect()
    }

    #[test]
    fn a_locked_vault_is_copied_with_its_write_ahead_logs_and_nothing_that_is_not_for_others() {
        let folder = vault();
        fs::write(folder.path().join("audit.db-wal"), "").unwrap();
        let wal = format!("{TENANT}-wal");
        let expected =
            ["audit.db", "backup.plan", "directory.db", "directory.db-wal", ATTACHMENT, "header", TENANT, &wal];
        assert_eq!(names(Collected::open(folder.path(), |_| false).unwrap()), expected);
    }

    #[test]
    fn a_database_in_use_is_copied_without_its_log() {
        let folder = vault();
        let collected = Collected::open(folder.path(), |path| path.as_str() != "directory.db").unwrap();
        let expected = ["audit.db", "backup.plan", "directory.db", "directory.db-wal", ATTACHMENT, "header", TENANT];
        assert_eq!(names(collected), expected);
    }

    #[test]
    fn a_link_in_the_vault_is_not_followed_into_a_backup() {
        let folder = vault();
        fs::remove_file(folder.path().join("header")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("header")).unwrap();
        assert!(matches!(Collected::open(folder.path(), |_| false), Err(FileError::NotPlain)));
        let folder = vault();
        fs::remove_file(folder.path().join(ATTACHMENT)).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join(ATTACHMENT)).unwrap();
        assert!(matches!(Collected::open(folder.path(), |_| false), Err(FileError::NotPlain)));
    }

    #[test]
    fn bytes_put_take_the_place_of_the_file() {
        let folder = vault();
        let mut collected = Collected::open(folder.path(), |_| true).unwrap();
        collected.put(BackupPath::parse("directory.db").unwrap(), vec![1, 2, 3]);
        let files = collected.into_files();
        let directory = files.iter().find(|file| file.path.as_str() == "directory.db").unwrap();
        assert!(matches!(&directory.content, Content::Memory(bytes) if bytes == &[1, 2, 3]));
        assert_eq!(directory.size, 3);
        assert_eq!(place(folder.path(), &directory.path), folder.path().join("directory.db"));
    }
}

//! The files of attachments: a folder for each tenant's database, a random name for each content, written once and never
//! changed. Layout: docs/FORMAT.md §5.10. Touches the disk; knows no key and no name that people gave.
//!
//! A file is complete and durable under its name before any row or log entry speaks of it. One that no row needs is what
//! a kill left, and is swept where its tenant is first opened: then nobody is about to write a row for it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use coffer_crypto::derive::Id;

use super::files::{self, FileError, NewFile};

/// Folder of attachments in the vault's folder.
pub(crate) const FILES_FOLDER: &str = "files";
/// Most attachments of a vault: a backup's manifest lists each (docs/FORMAT.md §7), and leaves room for the tenants.
pub(crate) const MOST_FILES: usize = 15_000;

/// Where the attachments of one tenant's database are.
#[derive(Clone, Debug)]
pub(crate) struct AttachedFiles {
    all: PathBuf,
    folder: PathBuf,
}

impl AttachedFiles {
    /// Those of the database whose file has the random name `database`, in the vault at `vault`.
    pub(crate) fn of(vault: &Path, database: &Id) -> Self {
        let all = vault.join(FILES_FOLDER);
        Self { folder: all.join(hex::encode(database)), all }
    }

    /// Whether the vault has as many attachments as it may have.
    pub(crate) fn is_full(&self) -> Result<bool, FileError> {
        Ok(self.room()? == 0)
    }

    /// How many attachments more the vault may have.
    pub(crate) fn room(&self) -> Result<usize, FileError> {
        Ok(MOST_FILES.saturating_sub(self.count()?))
    }

    /// How many attachments the vault has, whichever tenant's.
    pub(crate) fn count(&self) -> Result<usize, FileError> {
        let mut count = 0;
        for folder in names(&self.all)? {
            count += names(&self.all.join(folder))?.len();
        }
        Ok(count)
    }

    /// Begins the file that is to hold `file`, and makes the folders around it if they are not there.
    pub(crate) fn begin(&self, file: &Id) -> Result<NewFile, FileError> {
        for folder in [&self.all, &self.folder] {
            match files::create_private_folder(folder) {
                // Another attachment's, of this moment or long ago.
                Ok(()) | Err(FileError::Exists) => {}
                Err(error) => return Err(error),
            }
        }
        NewFile::beside(&self.place(file))
    }

    /// Opens the file that holds `file`.
    pub(crate) fn open(&self, file: &Id) -> Result<File, FileError> {
        files::open_private_file(&self.place(file))
    }

    /// Removes a file that no row was written for.
    pub(crate) fn remove(&self, file: &Id) -> Result<(), FileError> {
        Ok(fs::remove_file(self.place(file))?)
    }

    /// Removes all of them: of a tenant that came to nothing.
    pub(crate) fn remove_all(&self) -> Result<(), FileError> {
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Removes what a kill left: temporaries, and files that are not among `needed`. Only where nothing is being attached.
    pub(crate) fn sweep(&self, needed: &BTreeSet<Id>) -> Result<(), FileError> {
        for name in names(&self.folder)? {
            let Some(file) = parse(&name) else { continue };
            if !needed.contains(&file) {
                self.remove(&file)?;
            }
        }
        match files::sweep_temporaries(&self.folder) {
            Err(FileError::Missing) => Ok(()),
            swept => swept,
        }
    }

    fn place(&self, file: &Id) -> PathBuf {
        self.folder.join(hex::encode(file))
    }
}

/// The file that a name on the disk stands for; `None` if it is none of ours.
fn parse(name: &str) -> Option<Id> {
    let mut file = Id::default();
    hex::decode_to_slice(name, &mut file).ok()?;
    // In capitals it is another file.
    (hex::encode(file) == name).then_some(file)
}

/// Names in a folder that may not be there.
fn names(folder: &Path) -> Result<Vec<String>, FileError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry?.file_name().into_string().ok());
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn write(files: &AttachedFiles, file: &Id) {
        let mut new = files.begin(file).unwrap();
        new.as_file_mut().write_all(b"content").unwrap();
        new.publish().unwrap();
    }

    #[test]
    fn sweeping_takes_what_no_row_needs_and_nothing_of_another_tenant() {
        let vault = tempfile::tempdir().unwrap();
        let (one, other) = (AttachedFiles::of(vault.path(), &[1; 16]), AttachedFiles::of(vault.path(), &[2; 16]));
        one.sweep(&BTreeSet::new()).unwrap();
        for file in [[3; 16], [4; 16]] {
            write(&one, &file);
            write(&other, &file);
        }
        for left in [".coffer-x.tmp", "not-ours", "AA000000000000000000000000000000"] {
            fs::write(one.folder.join(left), "").unwrap();
        }
        one.sweep(&[[3; 16]].into()).unwrap();
        let mut left = names(&one.folder).unwrap();
        left.sort();
        assert_eq!(left, [hex::encode([3; 16]).as_str(), "AA000000000000000000000000000000", "not-ours"]);
        assert!(one.open(&[3; 16]).is_ok());
        assert!(matches!(one.open(&[4; 16]), Err(FileError::Missing)));
        assert!(other.open(&[3; 16]).is_ok() && other.open(&[4; 16]).is_ok());
        assert!(!one.is_full().unwrap());
    }

    #[test]
    fn a_name_is_never_given_twice() {
        let vault = tempfile::tempdir().unwrap();
        let files = AttachedFiles::of(vault.path(), &[1; 16]);
        write(&files, &[3; 16]);
        assert!(matches!(files.begin(&[3; 16]).unwrap().publish(), Err(FileError::Exists)));
    }
}

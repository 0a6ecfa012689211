//! Files and folders of a vault: private modes, safe replacement, opening without following links, the vault lock.
//! Layout and modes: docs/FORMAT.md §2.1.
//!
//! Touches the disk; knows nothing of what the files hold. A file is replaced by an exclusive 0600 temporary in the
//! same folder, fsync, rename, fsync of the folder: after a loss of power there is the old one or the new one.
//!
//! A failed fsync is final ([`FileError::NotDurable`]): the kernel may have dropped the pages and a second call would
//! report success over data that is gone (<https://wiki.postgresql.org/wiki/Fsync_Errors>). Whoever gets it ends the
//! vault's session and never retries.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, Permissions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use coffer_model::time::Timestamp;
use rustix::fs::{CWD, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use tempfile::{NamedTempFile, TempDir};

/// Mode of every file of a vault: its owner reads and writes it.
const PRIVATE_FILE: u32 = 0o600;
/// Mode of every folder of a vault: its owner enters it.
const PRIVATE_FOLDER: u32 = 0o700;
/// Bits of a mode that let in anybody but the owner.
const OTHERS: u32 = 0o077;

/// How every temporary of ours begins, so that those a kill left behind are known for what they are.
const TEMPORARY_PREFIX: &str = ".coffer-";
/// How every temporary of ours ends.
const TEMPORARY_SUFFIX: &str = ".tmp";

/// How long a temporary is left alone that nobody has locked: its maker may be about to.
const ABANDONED_AFTER: Duration = Duration::from_mins(1);

/// Name of the lock file in a vault's folder.
const LOCK_FILE: &str = "lock";
/// Largest lock file that is read. Ours are about a hundred bytes.
const MAX_LOCK_BYTES: u64 = 4096;

/// Why a file or folder could not be read, made or replaced.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// There is nothing under that name.
    #[error("there is no such file")]
    Missing,
    /// Something is already there, and nothing is overwritten.
    #[error("something of that name exists already")]
    Exists,
    /// A symbolic link, a folder, a pipe or a device stands where a plain file (or a plain folder) belongs.
    #[error("not a plain file or folder")]
    NotPlain,
    /// It belongs to another user, so that its contents are at their mercy.
    #[error("the file belongs to somebody else")]
    NotOurs,
    /// The file is larger than anything that belongs there.
    #[error("the file is too large")]
    TooLarge,
    /// Data that was written may not be on the disk. Final: see the module's first words.
    #[error("written data did not reach the disk")]
    NotDurable(#[source] io::Error),
    /// The disk is full, or this user's share of it.
    #[error("there is no space left on the disk")]
    NoSpace(#[source] io::Error),
    /// Anything else the operating system reports.
    #[error("the operating system refused to read or write a file")]
    Io(#[source] io::Error),
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound => Self::Missing,
            ErrorKind::AlreadyExists => Self::Exists,
            ErrorKind::NotADirectory => Self::NotPlain,
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::NoSpace(error),
            _ if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => Self::NotPlain,
            _ => Self::Io(error),
        }
    }
}

impl From<Errno> for FileError {
    fn from(error: Errno) -> Self {
        io::Error::from(error).into()
    }
}

/// Makes a folder that only its owner may enter (0700), which must not exist, and makes that durable.
pub(crate) fn create_private_folder(path: &Path) -> Result<(), FileError> {
    DirBuilder::new().mode(PRIVATE_FOLDER).create(path)?;
    sync_parent(path)
}

/// Makes an empty file that only its owner may read and write (0600), which must not exist; opens it for both.
///
/// It is durable once it and its folder are synced.
pub(crate) fn create_private_file(path: &Path) -> Result<File, FileError> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::open(path, flags, Mode::from_raw_mode(PRIVATE_FILE))?))
}

/// Opens a file of the vault for reading. A link or anything but a plain file of ours is refused; a mode that lets
/// others in is corrected.
pub(crate) fn open_private_file(path: &Path) -> Result<File, FileError> {
    open_existing(path, OFlags::RDONLY)
}

/// As [`open_private_file`], for reading and writing in place.
pub(crate) fn open_private_file_for_writing(path: &Path) -> Result<File, FileError> {
    open_existing(path, OFlags::RDWR)
}

/// Opens a file from outside the vault for reading: somebody's backup or import. It may belong to anybody, and the
/// last part of its path may be a link, for the person named it; only a plain file is taken.
pub(crate) fn open_foreign_file(path: &Path) -> Result<File, FileError> {
    // Without NONBLOCK, opening a pipe nobody writes to would never return.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if file.metadata()?.is_file() { Ok(file) } else { Err(FileError::NotPlain) }
}

/// Reads a whole file of the vault, of at most `limit` bytes.
pub(crate) fn read_private_file(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let file = open_private_file(path)?;
    let length = file.metadata()?.len();
    if length > limit {
        return Err(FileError::TooLarge);
    }
    // The file may grow between the two calls; the limit holds all the same.
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|read| read > limit) {
        return Err(FileError::TooLarge);
    }
    Ok(bytes)
}

/// Puts `bytes` in the place of the file at `path`, or makes it, and returns when it would survive a loss of power.
/// A link at `path` is replaced, not followed.
pub(crate) fn replace_private_file(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let mut file = NewFile::beside(path)?;
    file.as_file_mut().write_all(bytes)?;
    file.replace()
}

/// Removes a database that nobody has open, with what SQLite keeps beside it.
pub(crate) fn remove_database(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => remove_write_ahead_log(path),
    }
}

/// Removes the write-ahead log of a database that nobody has open and whose place another file is to take.
pub(crate) fn remove_write_ahead_log(path: &Path) -> Result<(), FileError> {
    for beside in ["-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(beside);
        match fs::remove_file(PathBuf::from(file)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    sync_parent(path)
}

/// Puts a database that nobody has open, and that has come to rest, into the place of another one.
pub(crate) fn rename_database(from: &Path, to: &Path) -> Result<(), FileError> {
    remove_write_ahead_log(from)?;
    fs::rename(from, to)?;
    sync_parent(to)
}

/// Forces a file's contents to the disk.
pub(crate) fn sync_file(file: &File) -> Result<(), FileError> {
    file.sync_all().map_err(FileError::NotDurable)
}

/// Forces a folder's names to the disk.
pub(crate) fn sync_folder(path: &Path) -> Result<(), FileError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    sync_file(&File::from(rustix::fs::open(path, flags, Mode::empty())?))
}

/// Takes away the rights of others on a file or folder made by somebody else's code, under whatever umask.
pub(crate) fn make_private(path: &Path) -> Result<(), FileError> {
    let facts = fs::symlink_metadata(path)?;
    let mode = match (facts.is_file(), facts.is_dir()) {
        (true, _) => PRIVATE_FILE,
        (_, true) => PRIVATE_FOLDER,
        _ => return Err(FileError::NotPlain),
    };
    if facts.mode() & OTHERS != 0 {
        fs::set_permissions(path, Permissions::from_mode(mode))?;
    }
    Ok(())
}

/// Takes away the rights of others on a vault's folder and on all it holds: it may have been copied or unpacked under a
/// lax umask. What is not plain or not ours is left alone here, and refused where it is opened.
pub(crate) fn make_all_private(folder: &Path) -> Result<(), FileError> {
    let opened =
        File::from(rustix::fs::open(folder, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?);
    let facts = opened.metadata()?;
    if facts.mode() & OTHERS != 0 && is_ours(&facts) {
        opened.set_permissions(Permissions::from_mode(PRIVATE_FOLDER))?;
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            make_all_private(&entry.path())?;
            continue;
        }
        match open_private_file(&entry.path()) {
            // Links and pipes; somebody else's; temporaries of a job that end meanwhile.
            Ok(_) | Err(FileError::NotPlain | FileError::NotOurs | FileError::Missing) => {}
            Err(FileError::Io(error)) if error.kind() == ErrorKind::PermissionDenied => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Removes the temporaries that a kill left in `folder`. Only for whoever holds the vault's lock.
pub(crate) fn sweep_temporaries(folder: &Path) -> Result<(), FileError> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if is_temporary(&entry.file_name()) && entry.file_type()?.is_file() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Removes the temporaries that a kill left beside `place`, where a file or folder is about to be made: ours, locked by
/// nobody, untouched for a while. Those of other programs that work at this moment are locked.
pub(crate) fn sweep_abandoned(place: &Path) -> Result<(), FileError> {
    for entry in fs::read_dir(parent(place))? {
        let entry = entry?;
        if !is_temporary(&entry.file_name()) {
            continue;
        }
        let Ok(facts) = entry.metadata() else { continue };
        let untouched = facts.modified().ok().and_then(|at| at.elapsed().ok()).unwrap_or_default();
        if !is_ours(&facts) || untouched < ABANDONED_AFTER || !is_free(&entry.path()) {
            continue;
        }
        // One that cannot be removed is in nobody's way.
        let _ = if facts.is_dir() { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) };
    }
    Ok(())
}

/// Whether nobody holds the lock that makers of temporaries take.
fn is_free(path: &Path) -> bool {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = rustix::fs::open(path, flags, Mode::empty()).map(File::from);
    opened.is_ok_and(|file| file.try_lock().is_ok())
}

fn is_temporary(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with(TEMPORARY_PREFIX) && name.ends_with(TEMPORARY_SUFFIX))
}

/// A file that is not there yet: an exclusive temporary beside its place, gone if dropped.
pub(crate) struct NewFile {
    temporary: NamedTempFile,
    place: PathBuf,
}

impl NewFile {
    /// Begins the file that is to be at `place`.
    pub(crate) fn beside(place: &Path) -> Result<Self, FileError> {
        let temporary = tempfile::Builder::new()
            .prefix(TEMPORARY_PREFIX)
            .suffix(TEMPORARY_SUFFIX)
            .permissions(Permissions::from_mode(PRIVATE_FILE))
            .tempfile_in(parent(place))?;
        // Tells others that it is not abandoned. Where the file system has no locks, time alone does.
        let _ = temporary.as_file().try_lock();
        Ok(Self { temporary, place: place.to_owned() })
    }

    /// The file, to be written.
    pub(crate) fn as_file_mut(&mut self) -> &mut File {
        self.temporary.as_file_mut()
    }

    /// What was written, from the beginning, as whoever opens the file will find it.
    pub(crate) fn reopen(&self) -> Result<File, FileError> {
        Ok(self.temporary.reopen()?)
    }

    /// Puts it in its place, over what was there.
    pub(crate) fn replace(self) -> Result<(), FileError> {
        sync_file(self.temporary.as_file())?;
        self.temporary.persist(&self.place).map_err(|failed| failed.error)?;
        sync_parent(&self.place)
    }

    /// Puts it in its place if nothing is there: no file, no folder, no link, wherever it leads.
    pub(crate) fn publish(self) -> Result<(), FileError> {
        sync_file(self.temporary.as_file())?;
        self.temporary.persist_noclobber(&self.place).map_err(|failed| failed.error)?;
        sync_parent(&self.place)
    }
}

/// A folder that is not there yet: a private temporary beside its place, removed with all it holds if dropped.
pub(crate) struct NewFolder {
    temporary: TempDir,
    place: PathBuf,
    /// Held open for its lock, which tells others that the folder is not abandoned.
    _lock: File,
}

impl NewFolder {
    /// Begins the folder that is to be at `place`, where nothing may be.
    pub(crate) fn beside(place: &Path) -> Result<Self, FileError> {
        match fs::symlink_metadata(place) {
            Ok(_) => return Err(FileError::Exists),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        let temporary = tempfile::Builder::new()
            .prefix(TEMPORARY_PREFIX)
            .suffix(TEMPORARY_SUFFIX)
            .permissions(Permissions::from_mode(PRIVATE_FOLDER))
            .tempdir_in(parent(place))?;
        let lock = File::from(rustix::fs::open(
            temporary.path(),
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )?);
        let _ = lock.try_lock();
        Ok(Self { temporary, place: place.to_owned(), _lock: lock })
    }

    /// Where it is being filled.
    pub(crate) fn path(&self) -> &Path {
        self.temporary.path()
    }

    /// Puts it in its place in one step if nothing is there. Files and folders in it are already synced.
    pub(crate) fn publish(self) -> Result<(), FileError> {
        sync_folder(self.temporary.path())?;
        match rustix::fs::renameat_with(CWD, self.temporary.path(), CWD, &self.place, RenameFlags::NOREPLACE) {
            Ok(()) => {}
            // File systems without the flag (some network ones). A plain rename overwrites no file and no folder
            // that holds anything, so at worst an empty folder made this instant is replaced.
            Err(Errno::INVAL | Errno::NOSYS) => fs::rename(self.temporary.path(), &self.place)?,
            Err(error) => return Err(error.into()),
        }
        // The temporary's name is free again and may become somebody else's: nothing is to be removed under it.
        let _ = self.temporary.keep();
        sync_parent(&self.place)
    }
}

/// Who holds a vault's lock, as its `lock` file says. Only told to people; the lock itself is the operating system's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockHolder {
    /// Process id.
    pub pid: u32,
    /// The program, as its shell names it.
    pub program: String,
    /// Since when.
    pub since: Timestamp,
}

/// Why a vault's lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process, or another session of this one, has the vault open. Who, if the file could be read.
    #[error("the vault is open elsewhere")]
    HeldBy(Option<LockHolder>),
    /// The lock file could not be made or locked.
    #[error("the lock file cannot be used")]
    File(#[from] FileError),
}

/// The right to be the one process that has a vault open; given back on drop, and by the kernel if the process dies.
///
/// An advisory lock (flock) on `lock` in the vault's folder. The file stays; what it says about an earlier holder means
/// nothing once nobody holds the lock.
#[derive(Debug)]
pub(crate) struct VaultLock {
    _file: File,
}

impl VaultLock {
    /// Takes the lock of the vault in `folder`, or says who has it. Never waits.
    pub(crate) fn acquire(folder: &Path, holder: &LockHolder) -> Result<Self, LockError> {
        let mut file = open_or_create(&folder.join(LOCK_FILE))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LockError::HeldBy(read_holder(&mut file))),
            Err(TryLockError::Error(error)) => return Err(FileError::from(error).into()),
        }
        let text = serde_json::to_vec(holder).expect("a struct of numbers and strings always serialises");
        let write = |file: &mut File| -> io::Result<()> {
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(&text)
        };
        write(&mut file).map_err(FileError::from)?;
        Ok(Self { _file: file })
    }
}

fn read_holder(file: &mut File) -> Option<LockHolder> {
    let mut text = Vec::new();
    file.take(MAX_LOCK_BYTES).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

fn open_or_create(path: &Path) -> Result<File, FileError> {
    loop {
        match open_private_file_for_writing(path) {
            Err(FileError::Missing) => {}
            done => return done,
        }
        match create_private_file(path) {
            // Somebody else made it in between: open theirs.
            Err(FileError::Exists) => {}
            done => return done,
        }
    }
}

fn open_existing(path: &Path, access: OFlags) -> Result<File, FileError> {
    let flags = access | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(descriptor) => File::from(descriptor),
        // A folder opened for writing; a pipe or device nobody serves.
        Err(Errno::ISDIR | Errno::NXIO | Errno::NODEV) => return Err(FileError::NotPlain),
        Err(error) => return Err(error.into()),
    };
    let facts = file.metadata()?;
    if !facts.is_file() {
        return Err(FileError::NotPlain);
    }
    if !is_ours(&facts) {
        return Err(FileError::NotOurs);
    }
    if facts.mode() & OTHERS != 0 {
        file.set_permissions(Permissions::from_mode(PRIVATE_FILE))?;
    }
    Ok(file)
}

fn is_ours(facts: &fs::Metadata) -> bool {
    facts.uid() == rustix::process::geteuid().as_raw()
}

fn sync_parent(path: &Path) -> Result<(), FileError> {
    sync_folder(parent(path))
}

/// The folder a path is in; the working folder for a bare name.
fn parent(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().mode() & 0o7777
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn holder(pid: u32) -> LockHolder {
        LockHolder { pid, program: "coffer".into(), since: Timestamp::UNIX_EPOCH }
    }

    #[test]
    fn a_replaced_file_is_whole_private_and_leaves_no_temporary() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("header");
        replace_private_file(&path, b"old").unwrap();
        replace_private_file(&path, b"new and longer").unwrap();
        assert_eq!(read_private_file(&path, 100).unwrap(), b"new and longer");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(names(place.path()), ["header"]);
    }

    #[test]
    fn replacing_a_link_leaves_its_target_alone() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("target");
        fs::write(&target, "untouched").unwrap();
        symlink(&target, place.path().join("header")).unwrap();
        replace_private_file(&place.path().join("header"), b"new").unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"untouched");
        assert_eq!(read_private_file(&place.path().join("header"), 100).unwrap(), b"new");
    }

    #[test]
    fn links_folders_and_pipes_are_not_opened() {
        let place = tempfile::tempdir().unwrap();
        let real = place.path().join("real");
        replace_private_file(&real, b"x").unwrap();
        let link = place.path().join("link");
        symlink(&real, &link).unwrap();
        let folder = place.path().join("folder");
        create_private_folder(&folder).unwrap();
        let pipe = place.path().join("pipe");
        rustix::fs::mknodat(CWD, &pipe, rustix::fs::FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        for path in [&link, &folder, &pipe] {
            assert!(matches!(open_private_file(path), Err(FileError::NotPlain)), "{}", path.display());
            assert!(matches!(open_private_file_for_writing(path), Err(FileError::NotPlain)), "{}", path.display());
        }
        for path in [&folder, &pipe] {
            assert!(matches!(open_foreign_file(path), Err(FileError::NotPlain)), "{}", path.display());
        }
        assert!(matches!(open_private_file(&place.path().join("none")), Err(FileError::Missing)));
    }

    #[test]
    fn a_mode_that_lets_others_in_is_corrected() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("tenant.db");
        fs::write(&path, "x").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
        open_private_file(&path).unwrap();
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(place.path(), Permissions::from_mode(0o777)).unwrap();
        make_private(place.path()).unwrap();
        assert_eq!(mode(place.path()), 0o700);
    }

    #[test]
    fn reading_stops_at_the_limit() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("header");
        replace_private_file(&path, &[7; 101]).unwrap();
        assert!(matches!(read_private_file(&path, 100), Err(FileError::TooLarge)));
        assert_eq!(read_private_file(&path, 101).unwrap().len(), 101);
    }

    #[test]
    fn nothing_is_published_over_a_file_a_folder_or_a_dangling_link() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        fs::write(&file, "kept").unwrap();
        let folder = place.path().join("folder");
        fs::create_dir(&folder).unwrap();
        let link = place.path().join("link");
        symlink(place.path().join("elsewhere"), &link).unwrap();
        for path in [&file, &folder, &link] {
            let mut new = NewFile::beside(path).unwrap();
            new.as_file_mut().write_all(b"new").unwrap();
            assert!(matches!(new.publish(), Err(FileError::Exists)), "{}", path.display());
            assert!(matches!(NewFolder::beside(path), Err(FileError::Exists)), "{}", path.display());
        }
        // Something that comes while the folder is being filled is not replaced either.
        let late = place.path().join("late");
        let new = NewFolder::beside(&late).unwrap();
        fs::create_dir(&late).unwrap();
        assert!(matches!(new.publish(), Err(FileError::Exists)));
        assert_eq!(fs::read(&file).unwrap(), b"kept");
        assert_eq!(names(place.path()), ["file", "folder", "late", "link"]);
    }

    #[test]
    fn a_published_folder_is_private_and_in_place() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("vault.coffer");
        let new = NewFolder::beside(&path).unwrap();
        replace_private_file(&new.path().join("header"), b"h").unwrap();
        new.publish().unwrap();
        assert_eq!(mode(&path), 0o700);
        assert_eq!(names(place.path()), ["vault.coffer"]);
        assert_eq!(names(&path), ["header"]);
    }

    #[test]
    fn sweeping_removes_our_temporaries_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        for name in [".coffer-abc.tmp", ".coffer-abc", "header", "x.tmp"] {
            fs::write(place.path().join(name), "").unwrap();
        }
        sweep_temporaries(place.path()).unwrap();
        assert_eq!(names(place.path()), [".coffer-abc", "header", "x.tmp"]);
    }

    #[test]
    fn abandoned_temporaries_are_swept_and_those_at_work_left() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("backup.age");
        let at_work = NewFile::beside(&target).unwrap();
        let folder_at_work = NewFolder::beside(&place.path().join("restored")).unwrap();
        let long_ago = std::time::SystemTime::UNIX_EPOCH + ABANDONED_AFTER;
        let age = |path: &Path| File::open(path).unwrap().set_modified(long_ago).unwrap();
        for name in [".coffer-old.tmp", "old.tmp", ".coffer-new.tmp"] {
            fs::write(place.path().join(name), "").unwrap();
        }
        create_private_folder(&place.path().join(".coffer-oldfolder.tmp")).unwrap();
        fs::write(place.path().join(".coffer-oldfolder.tmp/header"), "").unwrap();
        for name in [".coffer-old.tmp", "old.tmp", ".coffer-oldfolder.tmp"] {
            age(&place.path().join(name));
        }
        age(at_work.temporary.path());
        age(folder_at_work.path());
        sweep_abandoned(&target).unwrap();
        let mut left = names(place.path());
        left.retain(|name| name != "old.tmp" && name != ".coffer-new.tmp");
        assert_eq!(left.len(), 2, "those at work: {left:?}");
        at_work.publish().unwrap();
        folder_at_work.publish().unwrap();
        assert_eq!(names(place.path()), [".coffer-new.tmp", "backup.age", "old.tmp", "restored"]);
    }

    #[test]
    fn a_second_opener_is_told_who_holds_the_vault_until_it_is_given_back() {
        let place = tempfile::tempdir().unwrap();
        let first = VaultLock::acquire(place.path(), &holder(1)).unwrap();
        match VaultLock::acquire(place.path(), &holder(2)) {
            Err(LockError::HeldBy(Some(who))) => assert_eq!(who, holder(1)),
            other => panic!("{other:?}"),
        }
        drop(first);
        // What the file says of the first means nothing now.
        let _second = VaultLock::acquire(place.path(), &holder(2)).unwrap();
        assert!(
            matches!(VaultLock::acquire(place.path(), &holder(3)), Err(LockError::HeldBy(Some(who))) if who == holder(2))
        );
        assert_eq!(mode(&place.path().join("lock")), 0o600);
    }

    #[test]
    fn a_lock_file_that_says_nonsense_still_locks() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("lock"), [0xFF; 5000]).unwrap();
        let first = VaultLock::acquire(place.path(), &holder(1)).unwrap();
        fs::write(place.path().join("lock"), "{}").unwrap();
        assert!(matches!(VaultLock::acquire(place.path(), &holder(2)), Err(LockError::HeldBy(None))));
        drop(first);
    }

    #[test]
    fn a_lock_file_that_is_a_link_is_refused() {
        let place = tempfile::tempdir().unwrap();
        symlink(place.path().join("elsewhere"), place.path().join("lock")).unwrap();
        let refused = VaultLock::acquire(place.path(), &holder(1));
        assert!(matches!(refused, Err(LockError::File(FileError::NotPlain))));
        assert_eq!(names(place.path()), ["lock"]);
    }
}

//! Connections to encrypted databases: made and opened here and nowhere else, with every check and setting they need.
//! Touches files; holds the one `unsafe` block of the engine, the call that hands SQLCipher its key.
//!
//! Spec: docs/FORMAT.md §5.1; SQLCipher 4 with its defaults (4,096-byte pages, AES-256-CBC,
//! HMAC-SHA-512), raw key and salt, so that other SQLCipher clients open the files with the key alone.
#![expect(clippy::disallowed_types, reason = "this is the store")]

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use coffer_crypto::secret::DatabaseKey;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags, ffi};
use zeroize::Zeroizing;

pub(crate) use super::error::StoreError;
use super::files::{self, FileError};

/// What a plaintext SQLite file begins with (SQLite file format §1.3). An encrypted one begins with its salt.
const PLAINTEXT_MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Bytes of the AES-256 key at the front of a [`DatabaseKey`].
const KEY_BYTES: usize = 32;
/// Bytes of the salt behind it; the same bytes open the file.
const SALT_BYTES: usize = 16;
/// Length of the key as SQLCipher's raw-key text: `x'`, two digits a byte, `'`.
const KEY_TEXT_BYTES: usize = 3 + 2 * (KEY_BYTES + SALT_BYTES);
/// SQLite before 3.51.3 could corrupt a database when a WAL was reset (sqlite.org/wal.html, "WAL-reset bug").
const MIN_SQLITE_VERSION: i32 = 3_051_003;
/// Page cache. A bulk import is 3.5 times slower with SQLite's own 2 MB, since every miss costs an AES and an HMAC.
const CACHE_KIB: i64 = 64 * 1024;
/// How long a statement waits for another connection's write to end.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest text, blob or row, bytes. A record has 1 MiB at most; the rest is room for encoding (THREAT-MODEL T7).
const MAX_VALUE_BYTES: i32 = 4 * 1024 * 1024;
/// Longest statement, bytes. Every statement is a constant of this program.
const MAX_SQL_BYTES: i32 = 64 * 1024;

/// Bytes of a page: SQLCipher's default, which its own settings fix.
pub(crate) const PAGE_BYTES: u64 = 4096;
/// Pages of a copy between two looks at whether to go on: 1 MiB.
const COPY_PAGES: i32 = 256;

/// What a connection may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Reads and writes.
    ReadWrite,
    /// Reads only.
    ReadOnly,
}

/// Makes a new, empty, encrypted database readable by its owner only.
///
/// The caller makes the file's name durable by an fsync of its folder once the schema is in place.
pub(crate) fn create(path: &Path, key: &DatabaseKey) -> Result<Connection, StoreError> {
    let path = in_real_folder(path)?;
    drop(files::create_private_file(&path)?);
    let connection = connect(&path, key, Access::ReadWrite)?;
    // Writes the first page, and with it the salt, into the main file.
    use_wal(&connection)?;
    Ok(connection)
}

/// Copies a database into a new file under another key. `step` is told pages copied and pages in all, and may end it: then
/// nothing remains. When this returns the copy is on the disk; its name the caller makes durable.
pub(crate) fn copy(
    source: &Connection,
    path: &Path,
    key: &DatabaseKey,
    mut step: impl FnMut(u64, u64) -> Result<(), StoreError>,
) -> Result<Connection, StoreError> {
    let path = in_real_folder(path)?;
    drop(files::create_private_file(&path)?);
    let copied = copy_pages(source, &path, key, &mut step);
    if copied.is_err() {
        // What matters is why it was not made.
        let _ = files::remove_database(&path);
    }
    copied
}

fn copy_pages(
    source: &Connection,
    path: &Path,
    key: &DatabaseKey,
    step: &mut impl FnMut(u64, u64) -> Result<(), StoreError>,
) -> Result<Connection, StoreError> {
    let mut copy = connect(path, key, Access::ReadWrite)?;
    // Nobody needs half a copy: it is forced to the disk once, at the end.
    copy.pragma_update(None, "synchronous", "OFF")?;
    copy.pragma_update(None, "journal_mode", "MEMORY")?;
    {
        let backup = Backup::new(source, &mut copy)?;
        loop {
            let result = backup.step(COPY_PAGES)?;
            let progress = backup.progress();
            let count = |pages: i32| u64::try_from(pages).unwrap_or(0);
            step(count(progress.pagecount - progress.remaining), count(progress.pagecount))?;
            match result {
                StepResult::Done => break,
                StepResult::More => {}
                _ => return Err(StoreError::Busy),
            }
        }
    }
    use_wal(&copy)?;
    copy.pragma_update(None, "synchronous", "FULL")?;
    come_to_rest(&copy, path)?;
    files::sync_file(&files::open_private_file(path)?)?;
    Ok(copy)
}

/// Opens an encrypted database that exists.
pub(crate) fn open(path: &Path, key: &DatabaseKey, access: Access) -> Result<Connection, StoreError> {
    let path = in_real_folder(path)?;
    check_file(&path, key)?;
    let connection = connect(&path, key, access)?;
    if access == Access::ReadWrite {
        use_wal(&connection)?;
    }
    Ok(connection)
}

/// Resolves links in the folder part, so that a refused link can only be the file itself.
pub(super) fn in_real_folder(path: &Path) -> Result<PathBuf, StoreError> {
    let name = path.file_name().ok_or(FileError::NotPlain)?;
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    Ok(fs::canonicalize(folder).map_err(FileError::from)?.join(name))
}

/// Looks at the file before SQLite does: a plain file that begins with this key's salt.
///
/// Closing it here drops this process's POSIX locks on it. That does no harm: the vault's lock keeps other processes
/// out, and SQLite counts the connections of one process without them.
fn check_file(path: &Path, key: &DatabaseKey) -> Result<(), StoreError> {
    let mut start = [0_u8; SALT_BYTES];
    match files::open_private_file(path)?.read_exact(&mut start) {
        Ok(()) => {}
        // SQLCipher would take an empty file for a new database.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(StoreError::CannotOpen),
        Err(error) => return Err(FileError::from(error).into()),
    }
    if &start == PLAINTEXT_MAGIC {
        return Err(StoreError::NotEncrypted);
    }
    // SQLCipher takes the salt from us and never looks at the file's, so a change there would go unseen. It is public.
    if start != key.expose()[KEY_BYTES..] {
        return Err(StoreError::CannotOpen);
    }
    Ok(())
}

/// Sets the library up, once for the process, before its first connection; every thread waits until that is done.
///
/// `sqlite3_initialize` calls itself done before SQLCipher has set itself up, so that another thread's first connection
/// at that moment would find no cipher.
pub(super) fn ready_library() -> Result<(), StoreError> {
    static FIT: OnceLock<bool> = OnceLock::new();
    let set_up = || -> rusqlite::Result<()> {
        // SQLCipher would otherwise describe failures on standard error. The setting is the process's.
        Connection::open_in_memory()?.pragma_update(None, "cipher_log_level", "NONE")
    };
    let fit = FIT.get_or_init(|| rusqlite::version_number() >= MIN_SQLITE_VERSION && set_up().is_ok());
    if *fit { Ok(()) } else { Err(StoreError::UnfitLibrary) }
}

fn connect(path: &Path, key: &DatabaseKey, access: Access) -> Result<Connection, StoreError> {
    ready_library()?;
    let may_write = match access {
        Access::ReadWrite => OpenFlags::SQLITE_OPEN_READ_WRITE,
        Access::ReadOnly => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    let flags = may_write
        | OpenFlags::SQLITE_OPEN_NOFOLLOW
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    set_key(&connection, key)?;
    // The key is first used here; nothing may come between.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0)).map_err(unreadable)?;
    let cipher: Option<String> = connection.pragma_query_value(None, "cipher_version", |row| row.get(0)).ok();
    if cipher.is_none_or(|version| version.is_empty()) {
        return Err(StoreError::UnfitLibrary);
    }
    harden(&connection)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(connection)
}

/// At the first use of a key every failure to understand the file is one and the same.
fn unreadable(error: rusqlite::Error) -> StoreError {
    match StoreError::from(error) {
        StoreError::Damaged | StoreError::Failed { .. } => StoreError::CannotOpen,
        other => other,
    }
}

/// Gives SQLCipher the raw key and salt, so that it derives nothing from a passphrase.
#[expect(unsafe_code, reason = "rusqlite has no call for it, and a PRAGMA would leave the key in SQLite's parser")]
fn set_key(connection: &Connection, key: &DatabaseKey) -> Result<(), StoreError> {
    let mut text = Zeroizing::new([0_u8; KEY_TEXT_BYTES]);
    text[..2].copy_from_slice(b"x'");
    hex::encode_to_slice(key.expose(), &mut text[2..KEY_TEXT_BYTES - 1]).expect("two digits a byte fit");
    text[KEY_TEXT_BYTES - 1] = b'\'';
    let length = i32::try_from(KEY_TEXT_BYTES).expect("a small constant");
    // SAFETY: the handle is that of an open connection which outlives the call and is not used by another thread, as
    // `Connection` is not `Sync`. The buffer is valid for `length` bytes, and SQLCipher copies it before it returns.
    let code = unsafe { ffi::sqlite3_key(connection.handle(), text.as_ptr().cast(), length) };
    if code == ffi::SQLITE_OK { Ok(()) } else { Err(StoreError::UnfitLibrary) }
}

/// Takes away what no statement of ours needs, in case somebody with the key has prepared the file (THREAT-MODEL T7).
pub(super) fn harden(connection: &Connection) -> Result<(), StoreError> {
    for (option, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
    ] {
        connection.set_db_config(option, on)?;
    }
    for (limit, most) in [
        (Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, MAX_SQL_BYTES),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
    ] {
        connection.set_limit(limit, most)?;
    }
    Ok(())
}

pub(super) fn use_wal(connection: &Connection) -> Result<(), StoreError> {
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).map_err(unreadable)?;
    if mode.eq_ignore_ascii_case("wal") { Ok(()) } else { Err(StoreError::UnfitLibrary) }
}

/// Moves everything from the write-ahead log into the main file and empties the log, or says that somebody is in the
/// way. Afterwards the main file alone is the database.
pub(crate) fn checkpoint(connection: &Connection) -> Result<(), StoreError> {
    let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if busy == 0 { Ok(()) } else { Err(StoreError::Busy) }
}

/// As [`checkpoint`], for the database at `path`, and makes that last: SQLite forces the main file to the disk before it
/// empties the log, but not that the log is empty. After a loss of power it could be back.
pub(crate) fn come_to_rest(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    checkpoint(connection)?;
    match files::open_private_file(&write_ahead_log(path)) {
        Ok(log) => Ok(files::sync_file(&log)?),
        Err(FileError::Missing) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Where SQLite keeps the write-ahead log of the database at `path`.
pub(super) fn write_ahead_log(path: &Path) -> PathBuf {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

/// Takes a count or an index as SQLite stores numbers. Its greatest is 2^63 − 1, which nothing here comes near.
pub(crate) fn to_integer(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::Failed { code: ffi::SQLITE_RANGE })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::sync::Barrier;
    use std::thread;

    use coffer_crypto::secret::SecretKey;

    use super::*;

    fn key(byte: u8) -> DatabaseKey {
        DatabaseKey::parse(&[byte; 48]).unwrap()
    }

    fn made(folder: &Path) -> PathBuf {
        let path = folder.join("a.db");
        let db = create(&path, &key(1)).unwrap();
        db.execute_batch("CREATE TABLE t (x TEXT) STRICT; INSERT INTO t VALUES ('canary-4711')").unwrap();
        checkpoint(&db).unwrap();
        path
    }

    #[test]
    fn a_database_is_private_encrypted_and_opens_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = made(folder.path());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let bytes = fs::read(&path).unwrap();
        assert_eq!(&bytes[..16], &[1; 16], "the salt is the file's beginning");
        assert!(!bytes.windows(11).any(|part| part == b"canary-4711"));
        for access in [Access::ReadWrite, Access::ReadOnly] {
            let db = open(&path, &key(1), access).unwrap();
            let text: String = db.query_row("SELECT x FROM t", [], |row| row.get(0)).unwrap();
            assert_eq!(text, "canary-4711");
            let written = db.execute("INSERT INTO t VALUES ('more')", []);
            assert_eq!(written.is_ok(), access == Access::ReadWrite);
        }
    }

    /// Able to fail only where it is the first of its process to use the library, as under nextest.
    #[test]
    fn the_first_connections_of_many_threads_all_find_the_cipher() {
        let folder = tempfile::tempdir().unwrap();
        let together = Barrier::new(8);
        thread::scope(|scope| {
            for number in 0..8 {
                let path = folder.path().join(format!("{number}.db"));
                let together = &together;
                scope.spawn(move || {
                    together.wait();
                    create(&path, &key(1)).unwrap();
                });
            }
        });
    }

    #[test]
    fn a_copy_opens_with_its_own_key_alone_and_holds_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let source = open(&made(folder.path()), &key(1), Access::ReadWrite).unwrap();
        let path = folder.path().join("b.db");
        let mut seen = (0, 0);
        drop(
            copy(&source, &path, &key(2), |done, of| {
                seen = (done, of);
                Ok(())
            })
            .unwrap(),
        );
        assert!(seen.0 == seen.1 && seen.1 > 0);
        let text: String = open(&path, &key(2), Access::ReadWrite)
            .unwrap()
            .query_row("SELECT x FROM t", [], |row| row.get(0))
            .unwrap();
        assert_eq!(text, "canary-4711");
        assert!(matches!(open(&path, &key(1), Access::ReadWrite), Err(StoreError::CannotOpen)));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let given_up = folder.path().join("c.db");
        assert!(copy(&source, &given_up, &key(3), |_, _| Err(StoreError::Busy)).is_err());
        assert!(!given_up.exists());
    }

    #[test]
    fn a_wrong_key_and_a_damaged_page_are_one_error_and_change_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = made(folder.path());
        let mut wrong = [1; 48];
        wrong[0] ^= 1;
        let before = fs::read(&path).unwrap();
        let wrong = DatabaseKey::parse(&wrong).unwrap();
        assert!(matches!(open(&path, &wrong, Access::ReadWrite), Err(StoreError::CannotOpen)));
        assert_eq!(fs::read(&path).unwrap(), before);
        for at in [0, 15, 16, 100, 4_000, 4_095] {
            let mut damaged = before.clone();
            damaged[at] ^= 0x10;
            fs::write(&path, &damaged).unwrap();
            assert!(matches!(open(&path, &key(1), Access::ReadWrite), Err(StoreError::CannotOpen)), "byte {at}");
            assert_eq!(fs::read(&path).unwrap(), damaged);
        }
    }

    #[test]
    fn an_empty_or_cut_file_is_not_taken_for_a_new_database() {
        let folder = tempfile::tempdir().unwrap();
        let path = made(folder.path());
        let bytes = fs::read(&path).unwrap();
        for length in [0, 15, 16, 100, 4_095] {
            fs::write(&path, &bytes[..length]).unwrap();
            assert!(matches!(open(&path, &key(1), Access::ReadWrite), Err(StoreError::CannotOpen)), "{length} bytes");
        }
    }

    #[test]
    fn a_plaintext_database_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plain.db");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
        assert!(matches!(open(&path, &key(1), Access::ReadOnly), Err(StoreError::NotEncrypted)));
    }

    #[test]
    fn links_and_folders_are_refused_and_existing_files_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = made(folder.path());
        let link = folder.path().join("link.db");
        symlink(&path, &link).unwrap();
        assert!(matches!(open(&link, &key(1), Access::ReadOnly), Err(StoreError::File(FileError::NotPlain))));
        assert!(matches!(open(folder.path(), &key(1), Access::ReadOnly), Err(StoreError::File(FileError::NotPlain))));
        let dangling = folder.path().join("dangling.db");
        symlink(folder.path().join("target"), &dangling).unwrap();
        assert!(matches!(create(&dangling, &key(1)), Err(StoreError::File(FileError::Exists))));
        assert!(!folder.path().join("target").exists());
        assert!(matches!(create(&path, &key(1)), Err(StoreError::File(FileError::Exists))));
        open(&path, &key(1), Access::ReadOnly).unwrap();
    }

    #[test]
    fn a_folder_reached_through_a_link_is_no_obstacle() {
        let folder = tempfile::tempdir().unwrap();
        made(folder.path());
        let elsewhere = tempfile::tempdir().unwrap();
        let link = elsewhere.path().join("home");
        symlink(folder.path(), &link).unwrap();
        open(&link.join("a.db"), &key(1), Access::ReadWrite).unwrap();
    }

    #[test]
    fn settings_hold_on_every_connection() {
        let folder = tempfile::tempdir().unwrap();
        let path = made(folder.path());
        let db = open(&path, &key(1), Access::ReadWrite).unwrap();
        let number = |pragma: &str| db.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!((number("synchronous"), number("cache_size"), number("temp_store")), (2, -65_536, 2));
        assert_eq!((number("foreign_keys"), number("trusted_schema")), (1, 0));
        assert!(db.execute("ATTACH ':memory:' AS other", []).is_err());
        assert!(db.db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE).unwrap());
    }
}

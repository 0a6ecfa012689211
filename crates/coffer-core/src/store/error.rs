//! Why a database could not do what it was asked. Carries SQLite's code and never a value. Pure.

use std::io;

use rusqlite::ffi;

use super::files::FileError;
use crate::fault::{Damage, Fault};

/// Why a database could not be made, opened, read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The file itself: missing, there already, no plain file, not ours, unreadable.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is a database without encryption.
    #[error("the database is not encrypted")]
    NotEncrypted,
    /// Wrong key, another file or damage: SQLCipher cannot tell these apart, so nobody may "repair" on this.
    #[error("the key does not open the database, or it is damaged")]
    CannotOpen,
    /// The database belongs to another vault, tenant or epoch, or is none of this kind.
    #[error("the database belongs elsewhere")]
    Misplaced,
    /// A newer program wrote it.
    #[error("the database was written by a newer program")]
    NewerSchema,
    /// The library this program runs with encrypts nothing or is too old to be safe.
    #[error("the database library is unfit")]
    UnfitLibrary,
    /// The disk did not confirm a write. What reached it is unknown, and asking again may wrongly say "all is well":
    /// the session has to end.
    #[error("the disk did not confirm a write")]
    FsyncFailed,
    /// The disk or the quota is full. Nothing was changed.
    #[error("the disk is full")]
    DiskFull,
    /// Reading from or writing to the disk failed. Nothing was changed.
    #[error("the disk failed")]
    DiskFailed,
    /// The database cannot be understood: damage or a wrong key. Never repaired, deleted or made anew.
    #[error("the database is damaged")]
    Damaged,
    /// Another connection is writing.
    #[error("the database is in use")]
    Busy,
    /// The work was stopped on request. Nothing was changed.
    #[error("the work was stopped")]
    Interrupted,
    /// Anything else; a mistake in this program.
    #[error("the database refused a statement (SQLite code {code})")]
    Failed {
        /// SQLite's extended result code.
        code: i32,
    },
}

impl StoreError {
    /// Whether the session that met it has to end.
    pub(crate) const fn is_fatal(&self) -> bool {
        matches!(self, Self::FsyncFailed | Self::File(FileError::NotDurable(_)))
    }

    /// What it means for the vault, `part` being what the database holds.
    pub(crate) fn into_fault(self, part: Damage) -> Fault {
        match self {
            Self::File(error) => error.into(),
            Self::NotEncrypted | Self::CannotOpen | Self::Misplaced | Self::Damaged => Fault::Damaged(part),
            Self::NewerSchema => Fault::NewerVersion,
            Self::FsyncFailed => Fault::NotDurable,
            Self::DiskFull => Fault::NoSpace,
            Self::Busy => Fault::Busy,
            Self::UnfitLibrary | Self::DiskFailed | Self::Interrupted | Self::Failed { .. } => {
                Fault::Io(FileError::Io(io::Error::other(self)))
            }
        }
    }

    /// Judges SQLite's extended result code.
    const fn from_code(code: i32) -> Self {
        match code {
            ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC => return Self::FsyncFailed,
            // SQLCipher reports a page whose HMAC does not fit as one of these.
            ffi::SQLITE_IOERR_DATA | ffi::SQLITE_IOERR_CORRUPTFS | ffi::SQLITE_IOERR_SHORT_READ => {
                return Self::Damaged;
            }
            _ => {}
        }
        match code & 0xff {
            ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB | ffi::SQLITE_FORMAT => Self::Damaged,
            ffi::SQLITE_FULL => Self::DiskFull,
            ffi::SQLITE_IOERR | ffi::SQLITE_CANTOPEN | ffi::SQLITE_READONLY | ffi::SQLITE_PERM => Self::DiskFailed,
            ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => Self::Busy,
            ffi::SQLITE_INTERRUPT => Self::Interrupted,
            _ => Self::Failed { code },
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::SqliteFailure(failure, _) | rusqlite::Error::SqlInputError { error: failure, .. } => {
                Self::from_code(failure.extended_code)
            }
            // A column of another type or range than the schema promises, or a row that has to be there and is not.
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::Utf8Error(..)
            | rusqlite::Error::QueryReturnedNoRows => Self::Damaged,
            _ => Self::Failed { code: ffi::SQLITE_ERROR },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_fsync_and_nothing_else_is_fatal() {
        for code in 0..0x4000 {
            let fsync = matches!(code, ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC);
            assert_eq!(StoreError::from_code(code).is_fatal(), fsync, "code {code}");
        }
    }

    #[test]
    fn codes_are_judged_by_what_the_person_can_do() {
        for (code, meaning) in [
            (ffi::SQLITE_NOTADB, StoreError::Damaged),
            (ffi::SQLITE_CORRUPT_VTAB, StoreError::Damaged),
            (ffi::SQLITE_FULL, StoreError::DiskFull),
            (ffi::SQLITE_IOERR_WRITE, StoreError::DiskFailed),
            (ffi::SQLITE_BUSY_SNAPSHOT, StoreError::Busy),
            (ffi::SQLITE_CONSTRAINT_UNIQUE, StoreError::Failed { code: ffi::SQLITE_CONSTRAINT_UNIQUE }),
        ] {
            assert_eq!(StoreError::from_code(code).to_string(), meaning.to_string());
        }
    }
}

//! Attachments of records: which file, under which name, in which versions; and the files themselves, each content once.

use coffer_crypto::derive::Id;
use coffer_crypto::stream::HeaderDigest;
use coffer_model::attachment::{AttachmentId, AttachmentName, MediaKind, limits};
use coffer_model::id::RecordKey;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{ChangeError, TenantStore, TenantTx, record_row};
use crate::store::error::StoreError;
use crate::store::sqlcipher;

/// An attachment as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredAttachment {
    /// Its number inside the record.
    pub(crate) id: AttachmentId,
    /// What it is called.
    pub(crate) name: AttachmentName,
    /// What it holds.
    pub(crate) media: MediaKind,
    /// The first version that has it.
    pub(crate) attached: u32,
    /// The first version after that which has it no longer.
    pub(crate) detached: Option<u32>,
    /// Where its content is.
    pub(crate) file: StoredFile,
}

/// A file of the tenant. Attachments of one content share it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredFile {
    /// Its identifier, and its name on the disk.
    pub(crate) file: Id,
    /// Digest of its header.
    pub(crate) header: HeaderDigest,
    /// Bytes of its content.
    pub(crate) bytes: u64,
}

/// A file that is about to be attached.
#[derive(Clone, Debug)]
pub(crate) struct NewAttachment<'a> {
    /// The record, at its newest version.
    pub(crate) key: RecordKey,
    /// Its newest version.
    pub(crate) expected_version: u32,
    /// The number the attachment gets: [`TenantStore::next_attachment`]'s.
    pub(crate) id: AttachmentId,
    /// What it is to be called.
    pub(crate) name: &'a AttachmentName,
    /// What it holds.
    pub(crate) media: MediaKind,
    /// Where its content is, if the tenant has it not yet.
    pub(crate) file: &'a StoredFile,
    /// Digest of the content, under the tenant's key.
    pub(crate) digest: &'a [u8; 32],
}

/// What a row of an attachment says besides where its content is.
pub(super) struct Attached<'a> {
    pub id: AttachmentId,
    pub name: &'a AttachmentName,
    pub media: MediaKind,
    /// The first version that has it.
    pub version: u32,
}

/// Why a file was not attached.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AttachRowError {
    /// The record is not what it was, or not there.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The record has an attachment of that name.
    #[error("the record has an attachment of that name")]
    NameTaken,
    /// The record has as many as it may have.
    #[error("the record has too many attachments")]
    TooMany,
}

impl From<rusqlite::Error> for AttachRowError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Change(error.into())
    }
}

/// Everything of an attachment, for [`StoredAttachment::from_row`].
const ATTACHMENT: &str = "SELECT a.number, a.name, a.media, a.attached, d.version, f.name, f.header, f.bytes
    FROM attachment a JOIN file f ON f.id = a.file LEFT JOIN detachment d ON d.attachment = a.id";
/// Whether an attachment belongs to version ?2.
const IN_VERSION: &str = "a.attached <= ?2 AND (d.version IS NULL OR d.version > ?2)";

impl TenantStore {
    /// An attachment that a record has or had.
    pub(crate) fn attachment(&self, key: RecordKey, id: AttachmentId) -> Result<Option<StoredAttachment>, StoreError> {
        let mut query = self.connection.prepare_cached(&format!(
            "{ATTACHMENT} WHERE a.record = (SELECT id FROM record WHERE key = ?1) AND a.number = ?2"
        ))?;
        let mut rows = query.query(params![key.as_bytes(), id.0])?;
        rows.next()?.map(StoredAttachment::from_row).transpose()
    }

    /// Every attachment a record has or ever had, in the order of attaching.
    pub(crate) fn attachment_history(&self, key: RecordKey) -> Result<Vec<StoredAttachment>, StoreError> {
        let mut query = self.connection.prepare_cached(&format!(
            "{ATTACHMENT} WHERE a.record = (SELECT id FROM record WHERE key = ?1) ORDER BY a.number"
        ))?;
        let mut rows = query.query([key.as_bytes()])?;
        let mut attachments = Vec::new();
        while let Some(row) = rows.next()? {
            attachments.push(StoredAttachment::from_row(row)?);
        }
        Ok(attachments)
    }

    /// The number the record's next attachment gets; `None` when all are used up.
    pub(crate) fn next_attachment(&self, key: RecordKey) -> Result<Option<AttachmentId>, StoreError> {
        let last: Option<u16> = self
            .connection
            .prepare_cached("SELECT max(number) FROM attachment WHERE record = (SELECT id FROM record WHERE key = ?1)")?
            .query_row([key.as_bytes()], |row| row.get(0))?;
        Ok(last.unwrap_or(0).checked_add(1).map(AttachmentId))
    }

    /// The file that holds the content with this digest, if the tenant has it.
    pub(crate) fn file_of(&self, digest: &[u8; 32]) -> Result<Option<StoredFile>, StoreError> {
        file_of(&self.connection, digest)
    }

    /// Whether anything is attached whose content is in the file of that name.
    pub(crate) fn has_file(&self, file: &Id) -> Result<bool, StoreError> {
        has_file(&self.connection, file)
    }

    /// Shows every file of the tenant.
    pub(crate) fn files(&self, mut show: impl FnMut(StoredFile)) -> Result<(), StoreError> {
        let mut query = self.connection.prepare_cached("SELECT name, header, bytes FROM file ORDER BY id")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            show(StoredFile::from_row(row, 0)?);
        }
        Ok(())
    }
}

impl TenantTx<'_> {
    /// Attaches a file: the record's next version has it and is otherwise as the one before. Says whether the content is
    /// new, so that `new.file` is needed from now on; else the file that holds it already is.
    pub(crate) fn insert_attachment(&mut self, new: &NewAttachment<'_>) -> Result<bool, AttachRowError> {
        let row = record_row(&self.tx, new.key).map_err(ChangeError::from)?.ok_or(ChangeError::NotFound)?;
        let version = self.repeat_version(row, new.expected_version)?;
        self.refuse_attachment(row, new.expected_version, new.name)?;
        let attached = Attached { id: new.id, name: new.name, media: new.media, version };
        Ok(self.insert_attached(row, &attached, new.file, new.digest).map_err(ChangeError::from)?.1)
    }

    /// Gives a record's row an attachment whose content is in `file`, unless the tenant has that content already. Gives
    /// the attachment's row, and whether `file` is needed from now on.
    pub(super) fn insert_attached(
        &self,
        row: i64,
        attached: &Attached<'_>,
        file: &StoredFile,
        digest: &[u8; 32],
    ) -> Result<(i64, bool), StoreError> {
        let known: Option<i64> = self
            .tx
            .prepare_cached("SELECT id FROM file WHERE digest = ?1")?
            .query_row([digest], |row| row.get(0))
            .optional()?;
        let file = match known {
            Some(file) => file,
            None => self.insert_file(file, digest)?,
        };
        let Attached { id, name, media, version } = attached;
        self.tx
            .prepare_cached(
                "INSERT INTO attachment (record, number, name, media, file, attached) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![row, id.0, name.as_str(), media.code(), file, version])?;
        Ok((self.tx.last_insert_rowid(), known.is_none()))
    }

    /// Attaches what was detached once more, as the attachment `new`.
    pub(crate) fn reattach(
        &mut self,
        key: RecordKey,
        expected_version: u32,
        old: &StoredAttachment,
        new: AttachmentId,
    ) -> Result<(), AttachRowError> {
        let row = record_row(&self.tx, key).map_err(ChangeError::from)?.ok_or(ChangeError::NotFound)?;
        let version = self.repeat_version(row, expected_version)?;
        self.refuse_attachment(row, expected_version, &old.name)?;
        let attached = self
            .tx
            .prepare_cached(
                "INSERT INTO attachment (record, number, name, media, file, attached)
                 SELECT record, ?3, name, media, file, ?4 FROM attachment WHERE record = ?1 AND number = ?2",
            )?
            .execute(params![row, old.id.0, new.0, version])?;
        if attached == 1 { Ok(()) } else { Err(ChangeError::NotFound.into()) }
    }

    /// What a version of a record has may stand in the way of one attachment more.
    fn refuse_attachment(&self, row: i64, version: u32, name: &AttachmentName) -> Result<(), AttachRowError> {
        let present = attachments_in(&self.tx, row, version).map_err(ChangeError::from)?;
        if present.len() >= limits::PER_RECORD {
            return Err(AttachRowError::TooMany);
        }
        if present.iter().any(|attachment| attachment.name == *name) {
            return Err(AttachRowError::NameTaken);
        }
        Ok(())
    }

    /// Takes an attachment off a record: its next version is without it, all before keep it.
    pub(crate) fn detach(
        &mut self,
        key: RecordKey,
        expected_version: u32,
        id: AttachmentId,
    ) -> Result<(), ChangeError> {
        let row = record_row(&self.tx, key)?.ok_or(ChangeError::NotFound)?;
        let version = self.repeat_version(row, expected_version)?;
        let detached = self
            .tx
            .prepare_cached(
                "INSERT INTO detachment (attachment, version)
                 SELECT a.id, ?3 FROM attachment a LEFT JOIN detachment d ON d.attachment = a.id
                 WHERE a.record = ?1 AND a.number = ?2 AND d.attachment IS NULL",
            )?
            .execute(params![row, id.0, version])?;
        if detached == 1 { Ok(()) } else { Err(ChangeError::NotFound) }
    }

    /// Gives a record a new version with the body of the one before, if `expected_version` is its newest
    /// and it is not in the trash.
    fn repeat_version(&self, row: i64, expected_version: u32) -> Result<u32, ChangeError> {
        let version = expected_version.checked_add(1).ok_or(ChangeError::VersionConflict)?;
        let changed = self
            .tx
            .prepare_cached(
                "UPDATE record SET version = ?3, changed_ms = ?4
                 WHERE id = ?1 AND version = ?2 AND trashed_ms IS NULL",
            )?
            .execute(params![row, expected_version, version, self.at.unix_millis()])?;
        if changed == 0 {
            return Err(ChangeError::VersionConflict);
        }
        self.tx
            .prepare_cached(
                "INSERT INTO version (record, version, change, body)
                 SELECT record, ?3, ?4, body FROM version WHERE record = ?1 AND version = ?2",
            )?
            .execute(params![row, expected_version, version, self.change])?;
        Ok(version)
    }

    /// The file that holds the content with this digest, as far as this write goes.
    pub(crate) fn file_of(&self, digest: &[u8; 32]) -> Result<Option<StoredFile>, StoreError> {
        file_of(&self.tx, digest)
    }

    /// Writes down a file that is there, and gives its row.
    pub(crate) fn insert_file(&self, file: &StoredFile, digest: &[u8; 32]) -> Result<i64, StoreError> {
        let bytes = sqlcipher::to_integer(file.bytes)?;
        self.tx
            .prepare_cached("INSERT INTO file (name, header, bytes, digest) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![file.file, file.header, bytes, digest])?;
        Ok(self.tx.last_insert_rowid())
    }
}

fn file_of(connection: &Connection, digest: &[u8; 32]) -> Result<Option<StoredFile>, StoreError> {
    let mut query = connection.prepare_cached("SELECT name, header, bytes FROM file WHERE digest = ?1")?;
    let mut rows = query.query([digest])?;
    rows.next()?.map(|row| StoredFile::from_row(row, 0)).transpose()
}

pub(super) fn has_file(connection: &Connection, file: &Id) -> Result<bool, StoreError> {
    let mut query = connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM file WHERE name = ?1)")?;
    Ok(query.query_row([file], |row| row.get(0))?)
}

/// The attachments of one version of a record, by its row, in the order of attaching.
pub(super) fn attachments_in(
    connection: &Connection,
    record: i64,
    version: u32,
) -> Result<Vec<StoredAttachment>, StoreError> {
    let mut query =
        connection.prepare_cached(&format!("{ATTACHMENT} WHERE a.record = ?1 AND {IN_VERSION} ORDER BY a.number"))?;
    let mut rows = query.query(params![record, version])?;
    let mut attachments = Vec::new();
    while let Some(row) = rows.next()? {
        attachments.push(StoredAttachment::from_row(row)?);
    }
    Ok(attachments)
}

impl StoredAttachment {
    /// Reads the columns of [`ATTACHMENT`].
    fn from_row(row: &Row<'_>) -> Result<Self, StoreError> {
        let name = row.get_ref(1)?.as_str().map_err(|_| StoreError::Damaged)?;
        Ok(Self {
            id: AttachmentId(row.get(0)?),
            name: name.parse().map_err(|_| StoreError::Damaged)?,
            media: MediaKind::from_code(row.get(2)?).ok_or(StoreError::Damaged)?,
            attached: row.get(3)?,
            detached: row.get(4)?,
            file: StoredFile::from_row(row, 5)?,
        })
    }
}

impl StoredFile {
    /// Reads columns `name, header, bytes`, the first of which is number `first`.
    pub(super) fn from_row(row: &Row<'_>, first: usize) -> Result<Self, StoreError> {
        Ok(Self {
            file: row.get(first)?,
            header: row.get(first + 1)?,
            bytes: u64::try_from(row.get::<_, i64>(first + 2)?).map_err(|_| StoreError::Damaged)?,
        })
    }
}

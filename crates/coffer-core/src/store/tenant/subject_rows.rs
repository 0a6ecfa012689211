//! What is kept about a person: every account's drafts, and erasing records, versions and drafts so that nothing of them is
//! left in the file. What is left elsewhere, docs/FORMAT.md says ("Erasure").

use std::collections::BTreeSet;

use coffer_model::attachment::AttachmentId;
use coffer_model::id::{AccountId, RecordKey};
use rusqlite::limits::Limit;
use rusqlite::{OptionalExtension, params};

use super::attachment_rows::{StoredFile, has_file};
use super::draft_rows::StoredDraft;
use super::{ChangeError, Moment, TenantStore, TenantTx};
use crate::store::error::StoreError;
use crate::store::sqlcipher;

/// A draft of whichever account.
#[derive(Debug)]
pub(crate) struct AnyDraft {
    /// Whose it is.
    pub(crate) account: AccountId,
    /// What it is of, and what was written.
    pub(crate) stored: StoredDraft,
}

/// What goes of a record whose newest version stays.
#[derive(Debug)]
pub(crate) struct ErasedHistory {
    /// The record.
    pub(crate) key: RecordKey,
    /// Versions that go; the newest is none of them.
    pub(crate) versions: Vec<u32>,
    /// Attachments that go; the newest version has none of them.
    pub(crate) attachments: Vec<AttachmentId>,
}

impl Moment<'_> {
    /// Every account's drafts, those of records in the trash too.
    pub(crate) fn every_draft(&self) -> Result<Vec<AnyDraft>, StoreError> {
        let mut query = self.connection().prepare_cached(
            "SELECT r.key, d.version, c.at_ms, d.body, d.account
             FROM draft d JOIN change c ON c.id = d.change LEFT JOIN record r ON r.id = d.record ORDER BY d.id",
        )?;
        let mut rows = query.query([])?;
        let mut drafts = Vec::new();
        while let Some(row) = rows.next()? {
            drafts.push(AnyDraft { account: AccountId::from_bytes(row.get(4)?), stored: StoredDraft::from_row(row)? });
        }
        Ok(drafts)
    }
}

impl TenantTx<'_> {
    /// Deletes records for good, wherever they are, as [`TenantTx::purge_records`] does with those in the trash. Gives the
    /// files that no attachment is left of.
    pub(crate) fn erase_records(&mut self, keys: &[RecordKey]) -> Result<Vec<StoredFile>, ChangeError> {
        self.overwriting(|tx| tx.delete_records(keys))
    }

    fn delete_records(&mut self, keys: &[RecordKey]) -> Result<Vec<StoredFile>, ChangeError> {
        for &key in keys {
            let trashed: Option<bool> = self
                .tx
                .prepare_cached("SELECT trashed_ms IS NOT NULL FROM record WHERE key = ?1")?
                .query_row([key.as_bytes()], |row| row.get(0))
                .optional()?;
            if !trashed.ok_or(ChangeError::NotFound)? {
                self.set_aside(key)?;
            }
        }
        let files = self.files_of(keys)?;
        self.delete_trashed(keys)?;
        self.optimise_index()?;
        self.still_gone(files)
    }

    /// Deletes earlier versions of records, with who saw their secrets and with attachments of theirs. Gives the files that
    /// no attachment is left of.
    pub(crate) fn erase_history(&mut self, erased: &[ErasedHistory]) -> Result<Vec<StoredFile>, ChangeError> {
        self.overwriting(|tx| tx.delete_history(erased))
    }

    fn delete_history(&mut self, erased: &[ErasedHistory]) -> Result<Vec<StoredFile>, ChangeError> {
        let keys: Vec<RecordKey> = erased.iter().map(|erased| erased.key).collect();
        let files = self.files_of(&keys)?;
        for ErasedHistory { key, versions, attachments } in erased {
            let row = super::record_row(&self.tx, *key)?.ok_or(ChangeError::NotFound)?;
            for version in versions {
                let deleted = self
                    .tx
                    .prepare_cached(
                        "DELETE FROM version WHERE record = ?1 AND version = ?2
                         AND version < (SELECT version FROM record WHERE id = ?1)",
                    )?
                    .execute(params![row, version])?;
                if deleted != 1 {
                    return Err(ChangeError::NotFound);
                }
                self.note_exposures_gone(row, Some(*version))?;
                self.tx
                    .prepare_cached("DELETE FROM exposure WHERE record = ?1 AND version = ?2")?
                    .execute(params![row, version])?;
            }
            for attachment in attachments {
                for delete in [
                    "DELETE FROM detachment WHERE attachment = (SELECT id FROM attachment WHERE record = ?1 AND number = ?2)",
                    "DELETE FROM attachment WHERE record = ?1 AND number = ?2",
                ] {
                    self.tx.prepare_cached(delete)?.execute(params![row, attachment.0])?;
                }
            }
        }
        self.delete_needless_files()?;
        // Words of earlier versions may be there still, marked as deleted.
        self.optimise_index()?;
        self.still_gone(files)
    }

    /// Deletes drafts, each named by its account and the record it is of.
    pub(crate) fn erase_drafts(&mut self, drafts: &[(AccountId, Option<RecordKey>)]) -> Result<(), ChangeError> {
        self.overwriting(|tx| {
            for (account, record) in drafts {
                tx.tx
                    .prepare_cached(
                        "DELETE FROM draft
                         WHERE account = ?1 AND record IS (SELECT id FROM record WHERE key = ?2)",
                    )?
                    .execute(params![account.as_bytes(), record.map(|key| *key.as_bytes())])?;
            }
            Ok(())
        })
    }

    /// Files of the attachments that records have or had, those aside that others have, too.
    fn files_of(&self, keys: &[RecordKey]) -> Result<Vec<StoredFile>, StoreError> {
        let mut files = Vec::new();
        for key in keys {
            let mut query = self.tx.prepare_cached(
                "SELECT DISTINCT f.name, f.header, f.bytes FROM record r
                 JOIN attachment a ON a.record = r.id JOIN file f ON f.id = a.file WHERE r.key = ?1",
            )?;
            let mut rows = query.query([key.as_bytes()])?;
            while let Some(row) = rows.next()? {
                files.push(StoredFile::from_row(row, 0)?);
            }
        }
        Ok(files)
    }

    /// Those of the files that the tenant has no longer.
    fn still_gone(&self, files: Vec<StoredFile>) -> Result<Vec<StoredFile>, ChangeError> {
        let (mut seen, mut gone) = (BTreeSet::new(), Vec::new());
        for file in files {
            if seen.insert(file.file) && !has_file(&self.tx, &file.file)? {
                gone.push(file);
            }
        }
        Ok(gone)
    }

    /// Writes the search index anew. FTS5 only marks rows of such a table as deleted, and keeps their words until it
    /// happens to merge them (sqlite.org/fts5.html, "Contentless-Delete Tables").
    fn optimise_index(&self) -> Result<(), StoreError> {
        self.tx.execute_batch(
            "INSERT INTO search (search) VALUES ('optimize'); INSERT INTO number (number) VALUES ('optimize');",
        )?;
        Ok(())
    }
}

impl TenantStore {
    /// Writes the whole database anew and empties the write-ahead log, so that nothing is left where rows were: not the
    /// deleted ones, nor what updates and merges before them have left in pages. It is held in memory meanwhile.
    pub(crate) fn rewrite(&self) -> Result<(), StoreError> {
        // VACUUM attaches a database of its own, and nothing else may.
        self.connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 1)?;
        let rewritten = self.connection.execute_batch("VACUUM");
        self.connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
        rewritten?;
        sqlcipher::checkpoint(&self.connection)
    }
}

//! CSV import: streamed, in one transaction, whole or not at all. Rules: docs/FORMAT.md, "Import".
//!
//! A person looks first ([`Session::inspect_import`]), corrects the mapping, may try without writing, then imports. One
//! wrong row and nothing is written; every wrong row is counted, the first hundred are told with their lines.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use coffer_crypto::derive;
use coffer_interchange::csv::{self, CsvError, Inspection, RowError, Rows};
use coffer_interchange::mapping::{Assignment, AssignmentError, Column, Mapping, MappingError};
use coffer_model::event::Event;
use coffer_model::id::TenantId;
use coffer_model::record::FieldType;

use super::records::in_tenant;
use crate::fault::{CallError, Fault};
use crate::job::{JobContext, JobError, JobHandle};
use crate::policy::Action;
use crate::session::{Core, OpenTenant, Session};
use crate::store::files::{self, FileError};
use crate::store::sqlcipher::Access;
use crate::store::tenant::{TenantStore, TenantTx};
use crate::view::{ImportColumn, ImportPreview, ImportPreviewRow, ImportReport, ImportRowError, ProgressUnit};

/// Wrong rows told one by one.
const ERRORS_TOLD: usize = 100;

/// What to import, where to and how.
#[derive(Clone, Debug)]
pub struct ImportRequest {
    /// The file, UTF-8 CSV.
    pub file: PathBuf,
    /// The tenant it goes into.
    pub tenant: TenantId,
    /// Corrections of the mapping that the file suggests, each `COLUMN=FIELD` where FIELD is `title`, `kind`, `tags`,
    /// `notes`, `skip`, a field's name, or `NAME:TYPE`.
    pub mapping: Vec<String>,
    /// Whether only to say what would happen.
    pub dry_run: bool,
}

/// Why a file cannot be imported, whatever its rows hold.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file could not be opened.
    #[error("the file to import cannot be opened")]
    File(#[source] FileError),
    /// It is no table that can be read.
    #[error(transparent)]
    Csv(#[from] CsvError),
    /// A correction of the mapping means nothing.
    #[error(transparent)]
    Assignment(#[from] AssignmentError),
    /// The call was refused or failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl ImportError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::File(_) => "file_unreadable",
            Self::Csv(error) => error.code(),
            Self::Assignment(error) => error.code(),
            Self::Call(error) => error.code(),
        }
    }
}

impl From<MappingError> for ImportError {
    fn from(error: MappingError) -> Self {
        Self::Csv(error.into())
    }
}

impl Session {
    /// How a file would be understood, with its first rows; cells that would become secrets are masked.
    ///
    /// Nothing of the tenant is touched: the file is the person's own, and looking at it is no event.
    pub fn inspect_import(
        &self,
        file: &Path,
        tenant: TenantId,
        mapping: &[String],
    ) -> Result<ImportPreview, ImportError> {
        self.authorize(Action::ImportRecords, Some(tenant))?;
        let file = files::open_foreign_file(file).map_err(ImportError::File)?;
        let inspection = csv::inspect(file)?;
        match corrected(&inspection, mapping) {
            Ok(mapping) => Ok(preview(inspection, &mapping, None)),
            // The person has still to say which column it is.
            Err(ImportError::Csv(CsvError::Mapping(MappingError::NoTitle))) => {
                let suggested = inspection.mapping.clone();
                Ok(preview(inspection, &suggested, Some(MappingError::NoTitle)))
            }
            Err(error) => Err(error),
        }
    }

    /// Imports a file, or tries to, as a job whose progress counts the file's bytes.
    pub fn start_import(&self, request: ImportRequest) -> Result<JobHandle<ImportReport>, ImportError> {
        let actor = self.authorize(Action::ImportRecords, Some(request.tenant))?;
        let open = self.open_tenant(&actor, request.tenant)?;
        let file = files::open_foreign_file(&request.file).map_err(ImportError::File)?;
        let core = Arc::clone(&self.core);
        let job = JobHandle::start("import", ProgressUnit::Bytes, move |context| {
            let bytes = file.metadata().map_err(FileError::from).map_err(ImportError::File)?.len();
            context.set_total(bytes);
            let import = Import { core: &core, open: &open, context };
            let result = import.run(file, &request);
            // A reader that was told to stop fails as the file would; the reason is the job's.
            if result.is_err() {
                context.check()?;
            }
            result
        });
        self.core.adopt(job.lease());
        Ok(job)
    }
}

/// One import while it runs.
struct Import<'j> {
    core: &'j Core,
    open: &'j OpenTenant,
    context: &'j JobContext,
}

impl Import<'_> {
    fn run(&self, mut file: File, request: &ImportRequest) -> Result<ImportReport, JobError> {
        let inspection = csv::inspect(self.watched(&file)).map_err(ImportError::from)?;
        let mapping = corrected(&inspection, &request.mapping)?;
        drop(inspection);
        file.rewind().map_err(CsvError::Unreadable).map_err(ImportError::from)?;
        let rows = csv::read(self.watched(&file), mapping).map_err(ImportError::from)?;
        let columns = column_views(rows.mapping());
        let report = ImportReport { dry_run: request.dry_run, imported: 0, rejected: 0, errors: Vec::new(), columns };
        if request.dry_run {
            return self.read_all(rows, report, None).map(|(report, _)| report);
        }
        // Its own connection, so that the session goes on reading; its writer stands still.
        let importing = self.open.import().ok_or(Fault::Busy)?;
        self.core.settle(self.open, &importing.writer)?;
        let mut store = self.connect()?;
        let tx = store.begin(self.core.now(), self.core.account).map_err(in_tenant)?;
        let (report, tx) = self.read_all(rows, report, Some(tx))?;
        if let Some(tx) = tx {
            self.context.check()?;
            let event = Event::RecordsImported { tenant: self.open.id, count: report.imported };
            self.core.commit(self.open, tx, event)?;
        }
        // With any wrong row nothing became a record.
        let imported = if report.rejected == 0 { report.imported } else { 0 };
        Ok(ImportReport { imported, ..report })
    }

    /// Reads every row to the end. The transaction comes back only if it holds them all.
    fn read_all<'t, R: Read>(
        &self,
        mut rows: Rows<R>,
        mut report: ImportReport,
        mut tx: Option<TenantTx<'t>>,
    ) -> Result<(ImportReport, Option<TenantTx<'t>>), JobError> {
        let mut told = 0;
        while let Some(row) = rows.next() {
            self.context.check()?;
            match row {
                Ok(row) => {
                    report.imported += 1;
                    if let Some(tx) = &mut tx {
                        tx.insert_record(self.core.new_record_key(), &row.content).map_err(in_tenant)?;
                    }
                }
                Err(error) => {
                    // Nothing will be written any more: let other writers in while the rest is checked.
                    tx = None;
                    reject(&mut report, &error);
                }
            }
            let read = rows.bytes_read();
            self.context.advance(read - told);
            told = read;
        }
        Ok((report, tx))
    }

    fn connect(&self) -> Result<TenantStore, JobError> {
        let scope = &self.open.scope;
        let key = derive::derive_tenant_database_key(&self.open.key, scope);
        let identity = self.open.read(|store| Ok(store.identity()))?;
        Ok(TenantStore::open(&self.open.path, &key, identity, Access::ReadWrite).map_err(in_tenant)?)
    }

    /// The file, which seems to fail as soon as the job is to stop: no single row or sample can hold it up.
    fn watched<'f>(&'f self, file: &'f File) -> impl Read + 'f {
        Watched { file, context: self.context }
    }
}

/// A file that cannot be read any more once its job is to stop.
struct Watched<'f> {
    file: &'f File,
    context: &'f JobContext,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.context.check().map_err(io::Error::other)?;
        self.file.read(buffer)
    }
}

/// How a file is understood, with the person's corrections.
fn corrected(inspection: &Inspection, corrections: &[String]) -> Result<Mapping, ImportError> {
    let mut mapping = inspection.mapping.clone();
    let assignments: Result<Vec<Assignment>, AssignmentError> =
        corrections.iter().map(|text| Assignment::parse(text, &inspection.columns)).collect();
    mapping.assign_all(&assignments?)?;
    Ok(mapping)
}

fn preview(inspection: Inspection, mapping: &Mapping, problem: Option<MappingError>) -> ImportPreview {
    let secret = |index: usize| mapping.columns()[index].target.field_type().is_some_and(FieldType::is_masked);
    let row_view = |row: Result<csv::PreviewRow, RowError>| match row {
        Ok(row) => ImportPreviewRow {
            line: row.line,
            cells: row
                .cells
                .iter()
                .enumerate()
                .map(|(index, cell)| (!secret(index)).then(|| cell.expose().to_owned()))
                .collect(),
            error: None,
        },
        Err(error) => ImportPreviewRow { line: error.line, cells: Vec::new(), error: Some(message(&error)) },
    };
    ImportPreview {
        columns: column_views(mapping),
        problem: problem.map(|problem| problem.code().to_owned()),
        kind: mapping.kind().clone(),
        rows: inspection.preview.into_iter().map(row_view).collect(),
    }
}

fn column_views(mapping: &Mapping) -> Vec<ImportColumn> {
    let view = |column: &Column| ImportColumn {
        column: column.name.clone(),
        target: column.target.name().map(str::to_owned),
        field_type: column.target.field_type(),
    };
    mapping.columns().iter().map(view).collect()
}

/// What is wrong with a row, without its line.
fn message(error: &RowError) -> String {
    match &error.column {
        Some(column) => format!("column \"{column}\": {}", error.problem),
        None => error.problem.to_string(),
    }
}

fn reject(report: &mut ImportReport, error: &RowError) {
    report.rejected += 1;
    if report.errors.len() < ERRORS_TOLD {
        report.errors.push(ImportRowError { line: error.line, message: message(error) });
    }
}

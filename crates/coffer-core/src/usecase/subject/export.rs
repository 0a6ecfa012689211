//! Handing over what a tenant holds about a person: a file for them, whole or not at all, never over another.
//!
//! Of the records chosen it has every version in which the person is, with everything in it but masked values that hold
//! none of the identifiers: a password of somebody's server is not theirs because they are named beside it. What becomes
//! of the file is up to whoever asked for it; nothing in it is encrypted.

use std::fmt::Write as _;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use coffer_model::event::Event;
use coffer_model::id::{RecordId, TenantId};
use coffer_model::policy::Guarded;
use coffer_model::record::Field;
use coffer_model::time::Timestamp;
use serde::Serialize;
use zeroize::Zeroizing;

use super::archive::Archive;
use super::identifiers::{Matcher, SubjectIdentifiers};
use super::scan::{Found, FoundRecord, Scan};
use super::{SubjectError, choose, refuse_existing};
use crate::fault::CallError;
use crate::job::{JobContext, JobError, JobHandle};
use crate::policy::Action;
use crate::session::{Actor, Core, OpenTenant, Session};
use crate::store::files::{NewFile, sweep_abandoned};
use crate::store::tenant::{Exposure, How, StoredAttachment, StoredVersion, TenantTx};
use crate::usecase::FreshAuthentication;
use crate::usecase::records::in_tenant;
use crate::view::{ProgressUnit, SubjectExportReport};

/// Names the form of `person.json`.
const FORM: &str = "coffer person 1";
/// Letters and digits of an attachment's ending that are kept for its name in the archive.
const ENDING_CHARS: usize = 8;

/// What to hand over, and where to.
#[derive(Debug)]
pub struct SubjectExportRequest {
    /// The tenant.
    pub tenant: TenantId,
    /// By what the person is found.
    pub identifiers: SubjectIdentifiers,
    /// Records, each of which holds one of the identifiers; `None` is all that do.
    pub records: Option<Vec<RecordId>>,
    /// The file, which must not exist.
    pub file: PathBuf,
}

impl Session {
    /// Starts writing what a tenant holds about a person, as a job whose progress counts records. `proof` says that the
    /// account's passphrase was given just now; it is used up.
    #[expect(clippy::needless_pass_by_value, reason = "a proof is used up")]
    pub fn start_export_subject(
        &self,
        request: SubjectExportRequest,
        proof: FreshAuthentication,
    ) -> Result<JobHandle<SubjectExportReport>, SubjectError> {
        let actor = self.authorize(Action::ExportSubject, Some(request.tenant))?;
        if !proof.holds_for(&self.core) {
            return Err(SubjectError::NotFresh);
        }
        proof.require_second(&self.core, Guarded::Export)?;
        refuse_existing(&request.file)?;
        let open = self.open_tenant(&actor, request.tenant)?;
        let core = Arc::clone(&self.core);
        let job = JobHandle::start("export-subject", ProgressUnit::Records, move |context| {
            HandingOver { core: &core, open: &open, context, actor: &actor }.run(&request)
        });
        self.core.adopt(job.lease());
        Ok(job)
    }
}

/// One file for a person while it is made.
struct HandingOver<'j> {
    core: &'j Core,
    open: &'j OpenTenant,
    context: &'j JobContext,
    actor: &'j Actor,
}

#[derive(Serialize)]
struct Document<'d> {
    form: &'static str,
    tenant: &'d str,
    made_at: Timestamp,
    identifiers: Vec<&'d str>,
    records: Vec<RecordPart<'d>>,
    drafts: Vec<DraftPart<'d>>,
}

#[derive(Serialize)]
struct RecordPart<'d> {
    id: RecordId,
    created_at: Timestamp,
    in_trash: bool,
    versions: Vec<VersionPart<'d>>,
    attachments: Vec<AttachmentPart<'d>>,
}

#[derive(Serialize)]
struct VersionPart<'d> {
    version: u32,
    changed_at: Timestamp,
    kind: &'d str,
    title: &'d str,
    fields: Vec<FieldPart<'d>>,
    tags: &'d [String],
    notes: &'d str,
}

#[derive(Serialize)]
struct FieldPart<'d> {
    name: &'d str,
    #[serde(rename = "type")]
    field_type: &'static str,
    /// `None` for a masked value that is withheld.
    value: Option<&'d str>,
}

#[derive(Serialize)]
struct AttachmentPart<'d> {
    name: &'d str,
    bytes: u64,
    /// Its name in the archive.
    file: String,
    #[serde(skip)]
    stored: &'d StoredAttachment,
}

#[derive(Serialize)]
struct DraftPart<'d> {
    record: Option<RecordId>,
    kept_at: Timestamp,
    title: &'d str,
    fields: Vec<FieldPart<'d>>,
    tags: &'d [String],
    notes: &'d str,
}

impl HandingOver<'_> {
    fn run(&self, request: &SubjectExportRequest) -> Result<SubjectExportReport, JobError> {
        // What a kill left of one before holds personal data.
        let _ = sweep_abandoned(&request.file);
        let matcher = Matcher::of(&request.identifiers);
        let scan = Scan { core: self.core, open: self.open, context: self.context, matcher: &matcher };
        let found = choose(&scan, self.actor, request.records.as_deref())?.found;
        let (document, withheld) = self.document(&request.identifiers, &found, &matcher);
        let mut file = NewFile::beside(&request.file).map_err(SubjectError::from)?;
        // The right may have gone while the records were looked through.
        let actor = self.core.authorize(Action::ExportSubject, Some(self.open.id))?;
        let (tenant, count) = (self.open.id, document.records.len() as u64);
        self.tell(&actor, Event::SubjectExported { tenant, count }, &exposures(&found, &matcher))?;
        self.write(&document, BufWriter::new(file.as_file_mut()))?;
        self.context.check()?;
        let bytes = file.as_file_mut().metadata().map_err(SubjectError::from)?.len();
        file.publish().map_err(SubjectError::from)?;
        let sum = |count: fn(&RecordPart<'_>) -> usize| document.records.iter().map(count).sum::<usize>() as u64;
        Ok(SubjectExportReport {
            records: count,
            versions: sum(|record| record.versions.len()),
            attachments: sum(|record| record.attachments.len()),
            withheld,
            bytes,
        })
    }

    /// Log and exposure list say what is about to leave, before the first byte does.
    fn tell(&self, actor: &Actor, event: Event, exposures: &[Exposure]) -> Result<(), CallError> {
        let insert = |tx: &mut TenantTx<'_>| {
            for exposure in exposures {
                // Somebody may have purged it a moment ago.
                if !tx.has_record(exposure.key).map_err(in_tenant)? {
                    return Err(CallError::NotFound);
                }
                tx.insert_exposure(exposure).map_err(in_tenant)?;
            }
            Ok(())
        };
        self.core.audited_read(actor, self.open, insert, |()| event)
    }

    fn write(&self, document: &Document<'_>, out: impl Write) -> Result<(), JobError> {
        let mut archive = Archive::new(out, document.made_at);
        let json = Zeroizing::new(serde_json::to_vec_pretty(document).map_err(|_| JobError::Bug)?);
        archive.push("person.json", &json).map_err(SubjectError::from)?;
        archive.push("person.txt", readable(document).as_bytes()).map_err(SubjectError::from)?;
        for attachment in document.records.iter().flat_map(|record| &record.attachments) {
            let file = &attachment.stored.file;
            archive.begin(&attachment.file, file.bytes).map_err(SubjectError::from)?;
            self.core.each_piece(self.open, file, |piece| {
                self.context.check()?;
                archive.write(piece).map_err(SubjectError::from)?;
                Ok::<(), JobError>(())
            })?;
        }
        archive.finish().map_err(SubjectError::from)?;
        Ok(())
    }

    /// What is handed over, and how many masked values of it are withheld.
    fn document<'d>(
        &'d self,
        identifiers: &'d SubjectIdentifiers,
        found: &'d Found,
        matcher: &Matcher,
    ) -> (Document<'d>, u64) {
        let mut withheld = 0;
        let mut files = 0;
        let records = found.records.iter().map(|record| self.record(record, matcher, &mut withheld, &mut files));
        let records = records.collect();
        let drafts = found.drafts.iter().map(|draft| DraftPart {
            record: draft.stored.kept.record.map(|key| RecordId::new(self.open.id, key)),
            kept_at: draft.stored.kept.kept_at,
            title: &draft.stored.draft.title,
            fields: draft
                .stored
                .draft
                .fields
                .iter()
                .filter_map(|field| {
                    let value = field.value.as_ref()?.expose();
                    let shown = !field.field_type.is_masked() || !matcher.found_in(value).is_empty();
                    withheld += u64::from(!shown);
                    let field_type = field.field_type.name();
                    Some(FieldPart { name: &field.name, field_type, value: shown.then_some(value) })
                })
                .collect(),
            tags: &draft.stored.draft.tags,
            notes: &draft.stored.draft.notes,
        });
        let drafts = drafts.collect();
        let document = Document {
            form: FORM,
            tenant: &self.open.name,
            made_at: self.core.now(),
            identifiers: identifiers.expose().collect(),
            records,
            drafts,
        };
        (document, withheld)
    }

    fn record<'d>(
        &self,
        record: &'d FoundRecord,
        matcher: &Matcher,
        withheld: &mut u64,
        files: &mut u32,
    ) -> RecordPart<'d> {
        let kept = &record.kept;
        let versions: Vec<&StoredVersion> =
            kept.versions.iter().filter(|version| record.is_in_version(version.version)).collect();
        let has = |attachment: &&StoredAttachment| {
            let until = attachment.detached.unwrap_or(u32::MAX);
            versions.iter().any(|version| (attachment.attached..until).contains(&version.version))
        };
        let attachments = kept.attachments.iter().filter(has).map(|stored| {
            *files += 1;
            let file = format!("files/{files:04}{}", ending(stored.name.as_str()));
            AttachmentPart { name: stored.name.as_str(), bytes: stored.file.bytes, file, stored }
        });
        RecordPart {
            id: RecordId::new(self.open.id, kept.key),
            created_at: kept.created_at,
            in_trash: kept.trashed_at.is_some(),
            attachments: attachments.collect(),
            versions: versions.iter().map(|&version| version_part(version, matcher, withheld)).collect(),
        }
    }
}

/// The masked values that are handed over: those that hold one of the identifiers.
fn exposures(found: &Found, matcher: &Matcher) -> Vec<Exposure> {
    let mut exposures = Vec::new();
    for record in &found.records {
        for version in record.kept.versions.iter().filter(|version| record.is_in_version(version.version)) {
            let masked = version.content.fields().iter().filter(|field| field.field_type.is_masked());
            let handed = masked.filter(|field| !matcher.found_in(field.value.expose()).is_empty());
            let (key, version) = (record.key(), version.version);
            exposures.extend(handed.map(|field| Exposure { key, field: field.id, version, how: How::HandedOver }));
        }
    }
    exposures
}

fn version_part<'d>(version: &'d StoredVersion, matcher: &Matcher, withheld: &mut u64) -> VersionPart<'d> {
    let content = &version.content;
    let mut field = |field: &'d Field| {
        let value = field.value.expose();
        let shown = !field.field_type.is_masked() || value.is_empty() || !matcher.found_in(value).is_empty();
        *withheld += u64::from(!shown);
        FieldPart { name: &field.name, field_type: field.field_type.name(), value: shown.then_some(value) }
    };
    VersionPart {
        version: version.version,
        changed_at: version.changed_at,
        kind: content.kind().as_str(),
        title: content.title(),
        fields: content.fields().iter().map(&mut field).collect(),
        tags: content.tags(),
        notes: content.notes(),
    }
}

/// The ending of an attachment's name, if it is one that says a kind of file and nothing else.
fn ending(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((_, ending))
            if !ending.is_empty()
                && ending.len() <= ENDING_CHARS
                && ending.bytes().all(|byte| byte.is_ascii_alphanumeric()) =>
        {
            format!(".{ending}")
        }
        _ => String::new(),
    }
}

/// The same for reading. In English whatever the program's language, as the file may go anywhere.
fn readable(document: &Document<'_>) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::new());
    let _ = writeln!(text, "Held by {} about: {}", document.tenant, document.identifiers.join(", "));
    let _ = writeln!(text, "As of {}\n", document.made_at);
    for record in &document.records {
        for version in &record.versions {
            let (number, at) = (version.version, version.changed_at);
            let _ = writeln!(text, "{} ({}, version {number} of {at})", version.title, version.kind);
            push_values(&mut text, &version.fields, version.tags, version.notes);
        }
        for attachment in &record.attachments {
            let _ = writeln!(text, "  Attached: {} ({})", attachment.name, attachment.file);
        }
        text.push('\n');
    }
    for draft in &document.drafts {
        let _ = writeln!(text, "{} (not saved, kept {})", draft.title, draft.kept_at);
        push_values(&mut text, &draft.fields, draft.tags, draft.notes);
    }
    text
}

fn push_values(text: &mut String, fields: &[FieldPart<'_>], tags: &[String], notes: &str) {
    for field in fields {
        let _ = writeln!(text, "  {}: {}", field.name, field.value.unwrap_or("(a secret, not handed over)"));
    }
    if !tags.is_empty() {
        let _ = writeln!(text, "  Tags: {}", tags.join(", "));
    }
    if !notes.is_empty() {
        let _ = writeln!(text, "  Notes: {notes}");
    }
}

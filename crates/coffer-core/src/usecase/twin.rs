//! A redacted twin: another tenant of the vault with as much in it as the one it is made of, and nothing of what that one
//! holds. Rules: docs/FORMAT.md, "Redacted twin"; how values are invented: `coffer_interchange::invented::twin`.
//!
//! The source is read twice, as it stands at one moment: first for every text that must not come out again, then for the
//! records. The twin is filled as a file that no statement speaks of, in one write, and becomes a tenant last: it is there
//! whole or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::sync::Arc;

use coffer_crypto::Random as _;
use coffer_crypto::derive::{self, Id};
use coffer_interchange::invented::twin::{InventedContent, SourceTexts, Twin};
use coffer_model::attachment::MediaKind;
use coffer_model::event::Event;
use coffer_model::id::TenantId;
use coffer_model::tenant::TenantName;

use super::attach::AttachError;
use super::backup::alone;
use super::records::{Interrupted, in_tenant};
use super::seal::Sealing;
use super::tenants::{CreateTenantError, UnlistedTenant};
use crate::fault::{Damage, Fault};
use crate::job::{JobContext, JobError, JobHandle};
use crate::policy::Action;
use crate::session::{Actor, Core, OpenTenant, Session};
use crate::store::error::StoreError;
use crate::store::sqlcipher::Access;
use crate::store::tenant::{KeptRecord, Moment, StoredAttachment, StoredFile, StoredVersion, TenantStore, TenantTx};
use crate::view::{ProgressUnit, TwinReport};

/// The greatest seed: numbers up to here are whole in every program that reads JSON (RFC 8259 §6).
pub const TWIN_SEED_MAX: u64 = (1 << 53) - 1;

/// What to make a twin of.
#[derive(Clone, Debug)]
pub struct TwinRequest {
    /// The tenant.
    pub source: TenantId,
    /// What the twin is called.
    pub name: TenantName,
    /// By what it is invented, at most [`TWIN_SEED_MAX`]; `None` draws one.
    pub seed: Option<u64>,
}

impl Session {
    /// Starts making a redacted twin as a job whose progress counts records, each twice. The account becomes its steward.
    pub fn start_twin(&self, request: TwinRequest) -> Result<JobHandle<TwinReport>, CreateTenantError> {
        self.authorize(Action::TwinTenant, Some(request.source))?;
        let actor = self.authorize(Action::CreateTenant, None)?;
        self.core.refuse_taken(&request.name)?;
        let source = self.open_tenant(&actor, request.source)?;
        let core = Arc::clone(&self.core);
        let job = JobHandle::start("twin", ProgressUnit::Records, move |context| {
            Making { core: &core, source: &source, context, actor: &actor }.run(&request)
        });
        self.core.adopt(job.lease());
        Ok(job)
    }
}

/// One twin while it is made.
struct Making<'j> {
    core: &'j Core,
    source: &'j OpenTenant,
    context: &'j JobContext,
    actor: &'j Actor,
}

/// What was written into a twin.
#[derive(Default)]
struct Written {
    records: u64,
    versions: u64,
    attachments: u64,
}

impl Making<'_> {
    fn run(&self, request: &TwinRequest) -> Result<TwinReport, JobError> {
        let seed = request.seed.unwrap_or_else(|| self.draw_seed()).min(TWIN_SEED_MAX);
        // A backup would meet files that come and go, and files of attachments that are read here must stay.
        let _alone = alone(self.core, self.context)?;
        let unlisted = self.core.begin_tenant(&request.name)?;
        match self.fill_and_list(&unlisted, seed) {
            Ok(report) => Ok(report),
            Err(error) => {
                unlisted.discard();
                Err(error)
            }
        }
    }

    fn draw_seed(&self) -> u64 {
        let mut bytes = [0; size_of::<u64>()];
        self.core.random().fill(&mut bytes);
        u64::from_be_bytes(bytes) & TWIN_SEED_MAX
    }

    fn fill_and_list(&self, unlisted: &UnlistedTenant, seed: u64) -> Result<TwinReport, JobError> {
        let store = self.source.connect(Access::ReadOnly)?;
        let moment = store.moment().map_err(in_tenant)?;
        let count = moment.count_all().map_err(in_tenant)?;
        self.context.set_total(2 * count);
        let entry = self.core.record(self.actor, Event::TenantTwinned { tenant: self.source.id, count })?;
        let twin = self.prepare(&moment, seed)?;
        let written = self.fill(unlisted, &moment, &twin, entry)?;
        let actor = self.core.authorize(Action::CreateTenant, None)?;
        let mut tenant = self.core.list_tenant(&actor, unlisted, true)?;
        tenant.records = Some(unlisted.open.read(TenantStore::count)?);
        let Written { records, versions, attachments } = written;
        Ok(TwinReport { tenant, seed, records, versions, attachments })
    }

    /// Takes in every text that must not come out again.
    fn prepare(&self, moment: &Moment<'_>, seed: u64) -> Result<Twin, JobError> {
        let key = derive::derive_twin_key(&self.source.key, &self.source.scope, seed);
        let mut held = SourceTexts::new(key.expose());
        let mut files = BTreeSet::new();
        self.each(moment, |record| {
            record.versions.iter().for_each(|version| held.observe(&version.content));
            for attachment in record.attachments {
                held.observe_attachment(&attachment.name);
                let is_new = files.insert(attachment.file.file);
                if attachment.media == MediaKind::Text && is_new {
                    let text = self.core.attached_text(self.source, &attachment.file, self.context)?;
                    held.observe_tokens(text.as_deref().map_or("", String::as_str));
                }
            }
            Ok(())
        })?;
        Ok(Twin::new(key.expose(), held, &self.core.own_kinds()?))
    }

    /// Writes the twins of all records in one write.
    fn fill(
        &self,
        unlisted: &UnlistedTenant,
        moment: &Moment<'_>,
        twin: &Twin,
        entry: u64,
    ) -> Result<Written, JobError> {
        let open = &unlisted.open;
        let mut writer = open.writer()?;
        let tx = writer.begin(self.core.now(), self.core.account).map_err(in_tenant)?;
        let room = open.files.room().map_err(|error| self.core.fault(StoreError::File(error), Damage::Attachment))?;
        let (files, written) = (BTreeMap::new(), Written::default());
        let mut filling = Filling { making: self, open, twin, tx, files, room, written };
        self.each(moment, |record| filling.take(record))?;
        self.context.check()?;
        // The right may have gone while the records were read.
        self.core.authorize(Action::TwinTenant, Some(self.source.id))?;
        let Filling { tx, written, .. } = filling;
        self.core.commit(open, tx, Event::TwinFilled { tenant: open.id, count: written.records, entry })?;
        Ok(written)
    }

    /// Shows every record, until the job is to stop.
    fn each(
        &self,
        moment: &Moment<'_>,
        mut show: impl FnMut(KeptRecord) -> Result<(), JobError>,
    ) -> Result<(), JobError> {
        moment.each_kept(|record| -> Result<(), Interrupted> {
            self.context.check()?;
            show(record)?;
            self.context.advance(1);
            Ok(())
        })?;
        Ok(())
    }
}

/// The write that fills a twin.
struct Filling<'m, 't> {
    making: &'m Making<'m>,
    open: &'m OpenTenant,
    twin: &'m Twin,
    tx: TenantTx<'t>,
    /// By the source's file: the twin's in its place.
    files: BTreeMap<Id, StoredFile>,
    /// How many files more the vault may have.
    room: usize,
    written: Written,
}

impl Filling<'_, '_> {
    fn take(&mut self, record: KeptRecord) -> Result<(), JobError> {
        let twin = self.twin;
        let damaged = |_| JobError::from(Fault::Damaged(Damage::Tenant));
        let versions = record
            .versions
            .into_iter()
            .map(|version| Ok(StoredVersion { content: twin.content(&version.content).map_err(damaged)?, ..version }));
        let names = twin.attachment_names(record.attachments.iter().map(|attachment| &attachment.name));
        let mut attachments = Vec::with_capacity(record.attachments.len());
        for attachment in &record.attachments {
            let file = self.file_for(attachment)?;
            let name = names[attachment.name.as_str()].clone();
            attachments.push(StoredAttachment { name, file, ..attachment.clone() });
        }
        let record = KeptRecord {
            key: twin.record_key(record.key),
            versions: versions.collect::<Result<_, JobError>>()?,
            attachments,
            ..record
        };
        self.tx.insert_kept(&record).map_err(in_tenant)?;
        self.written.records += 1;
        self.written.versions += record.versions.len() as u64;
        self.written.attachments += record.attachments.len() as u64;
        Ok(())
    }

    /// The twin's file in the place of the one an attachment has; made when it is first needed.
    fn file_for(&mut self, attachment: &StoredAttachment) -> Result<StoredFile, JobError> {
        let source = &attachment.file;
        if let Some(file) = self.files.get(&source.file) {
            return Ok(file.clone());
        }
        if self.room == 0 {
            return Err(AttachError::TooMany.into());
        }
        let content = self.twin.attachment(attachment.media, &source.file);
        let file = self.seal(content, source.bytes)?;
        self.files.insert(source.file, file.clone());
        Ok(file)
    }

    /// Encrypts an invented content, and writes it down unless the twin has it already.
    fn seal(&mut self, content: InventedContent, bytes: u64) -> Result<StoredFile, JobError> {
        let Making { core, context, .. } = *self.making;
        let sealing = Sealing { core, open: self.open, context };
        let sealed = sealing.seal(content.take(bytes), bytes, |_| JobError::Bug)?;
        // Short contents may be the same by chance.
        if let Some(known) = self.tx.file_of(&sealed.digest).map_err(in_tenant)? {
            return Ok(known);
        }
        sealed.new.publish().map_err(|error| sealing.failed(error))?;
        self.room -= 1;
        self.tx.insert_file(&sealed.file, &sealed.digest).map_err(in_tenant)?;
        Ok(sealed.file)
    }
}

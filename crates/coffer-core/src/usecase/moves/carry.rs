//! Moving records: files, rows, reading back, and only then the trash of the tenant they came from.
//!
//! Both tenants stand still meanwhile, as one does during an import: what was read is what is moved, and what is put into
//! the trash. Until the rows are committed a cancelled job leaves nothing; after that it goes on to its end, which is near.

use std::collections::BTreeMap;
use std::io::{self, Read};

use coffer_crypto::derive::{self, Id};
use coffer_crypto::stream::ContentDigest;
use coffer_model::event::Event;
use coffer_model::id::RecordKey;

use super::plan::{Place, Plan, Planned, kept_in_use};
use super::{gone, id};
use crate::fault::{CallError, Damage, Fault};
use crate::job::{JobContext, JobError};
use crate::policy::Action;
use crate::session::{Actor, Core, Importing, OpenTenant};
use crate::store::tenant::{KeptRecord, StoredAttachment, StoredVersion, TenantTx};
use crate::usecase::arrivals::{Arrivals, Arrived};
use crate::usecase::attachments::{AttachedReader, damaged};
use crate::usecase::backup::alone;
use crate::usecase::bulk::Selection;
use crate::usecase::records::in_tenant;
use crate::usecase::seal::Sealing;
use crate::view::{MoveReport, MovedRecord};

/// One move while it runs.
pub(super) struct Carrying<'j> {
    pub(super) core: &'j Core,
    pub(super) context: &'j JobContext,
    pub(super) actor: &'j Actor,
    pub(super) from: &'j OpenTenant,
    pub(super) to: &'j OpenTenant,
    pub(super) selection: &'j Selection,
    pub(super) copy: bool,
}

/// What the other tenant has by now.
struct Landed {
    /// The entry of the reading.
    entry: u64,
    /// By the key a record had: the one it has there.
    keys: BTreeMap<RecordKey, RecordKey>,
    /// By the file an attachment had: what it has there.
    files: BTreeMap<Id, Arrived>,
    /// By the file an attachment has there: the digest of its content.
    digests: BTreeMap<Id, [u8; 32]>,
}

impl Carrying<'_> {
    pub(super) fn run(&self) -> Result<MoveReport, JobError> {
        // A backup would meet files that come and go.
        let _alone = alone(self.core, self.context)?;
        let mut to = self.hold(self.to)?;
        let mut from = self.hold(self.from)?;
        let mut plan = Plan::of(self.from, self.to, self.selection, self.core.account, self.copy)?;
        self.context.set_total(plan.text_bytes + 2 * plan.files.values().map(|file| file.bytes).sum::<u64>());
        let count = plan.records.len() as u64;
        let entry = self.core.record(self.actor, Event::RecordsSent { first: self.selection.first, count })?;
        let mut arrivals = Arrivals::new(Sealing { core: self.core, open: self.to, context: self.context });
        let files = self.seal(&plan, &mut arrivals)?;
        self.look_into(&mut plan.records, &files)?;
        let digests = files.values().map(|arrived| (arrived.file.file, arrived.digest)).collect();
        let landed = Landed { entry, keys: self.keys(&plan.records), files, digests };
        self.receive(&mut to, &plan.records, &landed, arrivals)?;
        let moved = self.read_back(&plan.records, &landed)?;
        if !self.copy {
            self.let_go(&mut from, &landed)?;
        }
        Ok(MoveReport { what: plan.into_view(self.from, self.to), moved })
    }

    /// Has a tenant to itself.
    fn hold<'t>(&self, open: &'t OpenTenant) -> Result<Importing<'t>, JobError> {
        let held = open.import()?;
        self.core.refuse_replaced(open)?;
        self.core.settle(open, &held.writer)?;
        Ok(held)
    }

    /// Encrypts every content anew, under a key of its own below the other tenant's, and reads back what was written.
    fn seal(&self, plan: &Plan, arrivals: &mut Arrivals<'_>) -> Result<BTreeMap<Id, Arrived>, JobError> {
        let mut files = BTreeMap::new();
        for source in plan.files.values() {
            let reader = Counted { source: AttachedReader::open(self.core, self.from, source)?, context: self.context };
            let unreadable = |error| self.core.attached_unreadable(error).into();
            let arrived = arrivals.take(reader, source.bytes, unreadable)?;
            let mut digest = ContentDigest::new(&derive::derive_file_digest_key(&self.to.key, &self.to.scope));
            self.core.each_piece(self.to, &arrived.file, |piece| {
                self.context.check()?;
                self.context.advance(piece.len() as u64);
                digest.update(piece);
                Ok::<(), JobError>(())
            })?;
            if digest.finish() != arrived.digest {
                return Err(damaged().into());
            }
            files.insert(source.file, arrived);
        }
        Ok(files)
    }

    /// What seemed to be there already has every content, too; else it is another record, whatever it says it is.
    fn look_into(&self, records: &mut [Planned], files: &BTreeMap<Id, Arrived>) -> Result<(), JobError> {
        for planned in records.iter_mut().filter(|planned| matches!(planned.place, Place::There { .. })) {
            let ours = kept_in_use(self.from, planned.key)?;
            let theirs = self.to.read(|store| store.kept(planned.key))?.ok_or(CallError::NotFound)?;
            let has_content = ours.attachments.iter().all(|attached| {
                let there = theirs.attachments.iter().find(|other| other.id == attached.id);
                let arrived = files.get(&attached.file.file);
                there.zip(arrived).is_some_and(|(there, arrived)| there.file == arrived.file)
            });
            if !has_content {
                planned.place = Place::Taken;
            }
        }
        Ok(())
    }

    fn keys(&self, records: &[Planned]) -> BTreeMap<RecordKey, RecordKey> {
        let key_there = |planned: &Planned| match planned.place {
            Place::Free | Place::There { .. } => planned.key,
            Place::Taken => self.core.new_record_key(),
        };
        records.iter().map(|planned| (planned.key, key_there(planned))).collect()
    }

    /// Entry, then rows, all in one write.
    fn receive(
        &self,
        held: &mut Importing<'_>,
        records: &[Planned],
        landed: &Landed,
        mut arrivals: Arrivals<'_>,
    ) -> Result<(), JobError> {
        let mut tx = held.writer.begin(self.core.now(), self.core.account).map_err(in_tenant)?;
        let mut count = 0;
        for planned in records {
            self.context.check()?;
            match planned.place {
                Place::There { trashed: false } => continue,
                Place::There { trashed: true } => tx.restore_record(planned.key).map_err(gone)?,
                Place::Free | Place::Taken => {
                    let record = self.landing(planned.key, landed)?;
                    self.insert(&mut tx, &record, &mut arrivals, landed)?;
                }
            }
            count += 1;
        }
        if count == 0 {
            return Ok(());
        }
        // The right may have gone while contents were encrypted.
        self.core.authorize(Action::SendRecords, Some(self.from.id))?;
        self.core.authorize(Action::ReceiveRecords, Some(self.to.id))?;
        self.core.refuse_exposed(self.to)?;
        self.context.check()?;
        let event = Event::RecordsReceived { tenant: self.to.id, count, entry: landed.entry };
        match self.core.commit(self.to, tx, event) {
            Ok(()) => arrivals.settle(),
            Err(error) => {
                arrivals.leave();
                return Err(error.into());
            }
        }
        Ok(())
    }

    fn insert(
        &self,
        tx: &mut TenantTx<'_>,
        record: &KeptRecord,
        arrivals: &mut Arrivals<'_>,
        landed: &Landed,
    ) -> Result<(), JobError> {
        for attached in &record.attachments {
            let digest = landed.digests.get(&attached.file.file).ok_or(JobError::Bug)?;
            if tx.file_of(digest).map_err(in_tenant)?.is_none() {
                tx.insert_file(&attached.file, digest).map_err(in_tenant)?;
                arrivals.need(digest);
            }
        }
        tx.insert_kept(record).map_err(in_tenant)?;
        let text = record.versions.iter().map(|version| version.content.size_bytes() as u64);
        self.context.advance(text.sum());
        Ok(())
    }

    /// A record as the other tenant is to have it: under its key there, its references led to what is there, the others
    /// empty in every version.
    fn landing(&self, key: RecordKey, landed: &Landed) -> Result<KeptRecord, JobError> {
        let kept = kept_in_use(self.from, key)?;
        let mut failed = None;
        let mut lead = |held: RecordKey| match landed.keys.get(&held) {
            Some(&there) => Some(there),
            None => match self.to.read(|store| store.has_record(held)) {
                Ok(is_there) => is_there.then_some(held),
                Err(error) => {
                    failed = Some(error);
                    None
                }
            },
        };
        let versions = kept.versions.into_iter().map(|version| {
            let content = version.content.with_references(|_, held| lead(held));
            StoredVersion { content, ..version }
        });
        let versions = versions.collect();
        if let Some(error) = failed {
            return Err(error.into());
        }
        let file_there = |attached: StoredAttachment| -> Result<StoredAttachment, JobError> {
            let arrived = landed.files.get(&attached.file.file).ok_or(JobError::Bug)?;
            Ok(StoredAttachment { file: arrived.file.clone(), ..attached })
        };
        let attachments = kept.attachments.into_iter().map(file_there).collect::<Result<_, _>>()?;
        let key = landed.keys.get(&key).copied().ok_or(JobError::Bug)?;
        Ok(KeptRecord { key, versions, attachments, ..kept })
    }

    /// Holds what the other tenant has against what it was to have: nothing is let go before.
    fn read_back(&self, records: &[Planned], landed: &Landed) -> Result<Vec<MovedRecord>, JobError> {
        let mut moved = Vec::with_capacity(records.len());
        for planned in records {
            let key = landed.keys.get(&planned.key).copied().ok_or(JobError::Bug)?;
            let there = kept_in_use(self.to, key)?;
            let newest = there.versions.last().map_or(0, |version| version.version);
            let arrived = planned.place != Place::There { trashed: false };
            if matches!(planned.place, Place::Free | Place::Taken)
                && !is_same(&self.landing(planned.key, landed)?, &there)
            {
                return Err(Fault::Damaged(Damage::Tenant).into());
            }
            moved.push(MovedRecord {
                from: id(self.from, planned.key),
                to: id(self.to, key),
                version: newest,
                arrived,
            });
        }
        Ok(moved)
    }

    /// Puts the records into the trash of the tenant they came from: entry, then rows, all in one write.
    fn let_go(&self, held: &mut Importing<'_>, landed: &Landed) -> Result<(), JobError> {
        self.core.authorize(Action::SendRecords, Some(self.from.id))?;
        self.core.refuse_exposed(self.from)?;
        let mut tx = held.writer.begin(self.core.now(), self.core.account).map_err(in_tenant)?;
        for &key in &self.selection.keys {
            tx.trash_record(key).map_err(gone)?;
        }
        let (first, count) = (self.selection.first, self.selection.keys.len() as u64);
        Ok(self.core.commit(self.from, tx, Event::RecordsMoved { first, count, entry: landed.entry })?)
    }
}

/// Whether two records hold the same, whoever wrote them down.
fn is_same(wanted: &KeptRecord, there: &KeptRecord) -> bool {
    let versions = |record: &KeptRecord| -> Vec<_> {
        let versions = record.versions.iter();
        versions.map(|version| (version.version, version.content.clone())).collect()
    };
    (wanted.created_at, wanted.changed_at) == (there.created_at, there.changed_at)
        && versions(wanted) == versions(there)
        && wanted.attachments == there.attachments
}

/// A content whose bytes the job counts.
struct Counted<'j> {
    source: AttachedReader,
    context: &'j JobContext,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.context.advance(read as u64);
        Ok(read)
    }
}

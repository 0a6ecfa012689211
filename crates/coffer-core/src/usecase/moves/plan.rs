//! What moving records would do, found out by reading both tenants: what comes along, what is there already, which
//! references are cut.

use std::collections::{BTreeMap, BTreeSet};

use coffer_crypto::derive::Id;
use coffer_model::id::{AccountId, RecordKey};
use coffer_model::record::{FieldId, RecordContent};

use super::id;
use crate::fault::CallError;
use crate::session::OpenTenant;
use crate::store::tenant::{KeptRecord, StoredFile};
use crate::usecase::bulk::Selection;
use crate::view::{MoveCut, MovePreview};

/// References that are cut, told one by one.
const TOLD: usize = 500;

/// What is to be done.
pub(super) struct Plan {
    /// In the order in which they were named.
    pub(super) records: Vec<Planned>,
    /// Each content that an attachment of one of them has or had.
    pub(super) files: BTreeMap<Id, StoredFile>,
    /// Bytes of the texts of all versions.
    pub(super) text_bytes: u64,
    versions: u64,
    attachments: u64,
    favourites: u64,
    drafts: u64,
    cut: Vec<MoveCut>,
    cut_counted: u64,
    copy: bool,
}

/// One record of a plan.
pub(super) struct Planned {
    pub(super) key: RecordKey,
    pub(super) place: Place,
}

/// What the other tenant has of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing: it comes under its own key.
    Free,
    /// Another record under its key, or a state of it that lacks something: it comes under a new key.
    Taken,
    /// All of it, by an earlier copy.
    There {
        /// In the trash.
        trashed: bool,
    },
}

impl Plan {
    pub(super) fn of(
        from: &OpenTenant,
        to: &OpenTenant,
        selection: &Selection,
        account: AccountId,
        copy: bool,
    ) -> Result<Self, CallError> {
        let mut plan = Self {
            records: Vec::with_capacity(selection.keys.len()),
            files: BTreeMap::new(),
            text_bytes: 0,
            versions: 0,
            attachments: 0,
            favourites: 0,
            drafts: 0,
            cut: Vec::new(),
            cut_counted: 0,
            copy,
        };
        let chosen: BTreeSet<RecordKey> = selection.keys.iter().copied().collect();
        for &key in &selection.keys {
            let kept = kept_in_use(from, key)?;
            let place = place_of(&kept, to)?;
            if !matches!(place, Place::There { .. }) {
                plan.count(&kept);
                plan.note_cuts(&kept, &chosen, from, to)?;
            }
            plan.files.extend(kept.attachments.iter().map(|attached| (attached.file.file, attached.file.clone())));
            plan.records.push(Planned { key, place });
            plan.favourites += u64::from(from.read(|store| store.is_favourite(account, key))?);
        }
        let drafts = from.read(|store| store.drafts(account))?;
        let is_chosen = |record: Option<RecordKey>| record.is_some_and(|key| chosen.contains(&key));
        plan.drafts = drafts.iter().filter(|draft| is_chosen(draft.record)).count() as u64;
        Ok(plan)
    }

    fn count(&mut self, kept: &KeptRecord) {
        self.versions += kept.versions.len() as u64;
        self.attachments += kept.attachments.len() as u64;
        self.text_bytes += kept.versions.iter().map(|version| version.content.size_bytes() as u64).sum::<u64>();
    }

    /// Every reference of a version that leads to a record which neither comes along nor is in the other tenant.
    fn note_cuts(
        &mut self,
        kept: &KeptRecord,
        chosen: &BTreeSet<RecordKey>,
        from: &OpenTenant,
        to: &OpenTenant,
    ) -> Result<(), CallError> {
        let mut cut: BTreeMap<(FieldId, RecordKey), (String, bool)> = BTreeMap::new();
        let newest = kept.versions.len().saturating_sub(1);
        for (number, version) in kept.versions.iter().enumerate() {
            for (field, held) in references(&version.content) {
                if chosen.contains(&held) || to.read(|store| store.has_record(held))? {
                    continue;
                }
                let name = version.content.field(field).map_or_else(String::new, |field| field.name.clone());
                cut.insert((field, held), (name, number < newest));
            }
        }
        self.cut_counted += cut.len() as u64;
        let title = kept.versions.last().map_or_else(String::new, |version| version.content.title().to_owned());
        for ((_, held), (field_name, earlier)) in cut {
            if self.cut.len() == TOLD {
                break;
            }
            self.cut.push(MoveCut {
                id: id(from, kept.key),
                title: title.clone(),
                field_name,
                refers_to: id(from, held),
                refers_to_title: from.read(|store| store.title(held))?,
                earlier,
            });
        }
        Ok(())
    }

    /// As it is told.
    pub(super) fn into_view(self, from: &OpenTenant, to: &OpenTenant) -> MovePreview {
        let present = self.records.iter().filter(|planned| matches!(planned.place, Place::There { .. })).count();
        MovePreview {
            from: from.id,
            from_name: from.name.clone(),
            to: to.id,
            to_name: to.name.clone(),
            copy: self.copy,
            records: self.records.len() as u64,
            present: present as u64,
            versions: self.versions,
            attachments: self.attachments,
            bytes: self.files.values().map(|file| file.bytes).sum(),
            favourites: self.favourites,
            drafts: self.drafts,
            cut: self.cut,
            cut_counted: self.cut_counted,
        }
    }
}

/// A record outside the trash with everything that is kept of it.
pub(super) fn kept_in_use(open: &OpenTenant, key: RecordKey) -> Result<KeptRecord, CallError> {
    open.read(|store| store.kept(key))?.filter(|kept| kept.trashed_at.is_none()).ok_or(CallError::NotFound)
}

/// The records that a content refers to, and by which field.
fn references(content: &RecordContent) -> Vec<(FieldId, RecordKey)> {
    let mut references = Vec::new();
    let _ = content.with_references(|field, held| {
        references.push((field, held));
        Some(held)
    });
    references
}

/// What the other tenant has under the key of a record. A content of an attachment counts as the same by its length here;
/// who removes anything compares them.
fn place_of(kept: &KeptRecord, to: &OpenTenant) -> Result<Place, CallError> {
    let Some(there) = to.read(|store| store.kept(kept.key))? else { return Ok(Place::Free) };
    let has_versions = kept.versions.iter().all(|version| {
        let same = there.versions.iter().find(|other| other.version == version.version);
        same.is_some_and(|other| without_references(&other.content) == without_references(&version.content))
    });
    let has_attachments = kept.attachments.iter().all(|attached| {
        let same = there.attachments.iter().find(|other| other.id == attached.id);
        same.is_some_and(|other| other.name == attached.name && other.file.bytes == attached.file.bytes)
    });
    let is_all = has_versions && has_attachments;
    Ok(if is_all { Place::There { trashed: there.trashed_at.is_some() } } else { Place::Taken })
}

/// A copy may have had its references cut.
fn without_references(content: &RecordContent) -> RecordContent {
    content.with_references(|_, _| None)
}

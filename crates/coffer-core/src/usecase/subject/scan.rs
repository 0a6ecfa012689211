//! Looking through everything that is kept of a tenant for a person: every version of every record, in the trash and
//! masked or not, attachments, drafts, and this account's saved searches.

use std::collections::BTreeMap;

use coffer_crypto::derive::Id;
use coffer_model::attachment::{AttachmentId, MediaKind};
use coffer_model::id::{RecordId, RecordKey};
use coffer_model::record::{FieldId, RecordContent, RecordDraft, RecordKind, Value};
use coffer_model::time::Timestamp;

use super::identifiers::Matcher;
use crate::job::{JobContext, JobError};
use crate::session::{Core, OpenTenant};
use crate::store::sqlcipher::Access;
use crate::store::tenant::{AnyDraft, KeptRecord, StoredAttachment, StoredVersion};
use crate::usecase::records::{Interrupted, in_tenant};
use crate::view::{SubjectDraftView, SubjectFindings, SubjectPlace, SubjectPlaceView, SubjectRecordView, SubjectScan};

/// Most records that are told, handed over or erased in one step.
pub(super) const MOST_FOUND: usize = 1_000;

/// A record in which the person was found, with all that is kept of it.
pub(super) struct FoundRecord {
    pub(super) kept: KeptRecord,
    pub(super) places: Vec<Place>,
}

/// One place of a record.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) what: SubjectPlace,
    pub(super) name: Option<String>,
    pub(super) field: Option<FieldId>,
    pub(super) attachment: Option<AttachmentId>,
    pub(super) masked: bool,
    pub(super) versions: Vec<u32>,
    pub(super) identifiers: Vec<u32>,
}

/// Everything in which the person was found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) records: Vec<FoundRecord>,
    pub(super) drafts: Vec<AnyDraft>,
    /// Names, with whether each is of this tenant alone.
    pub(super) searches: Vec<(String, bool)>,
    pub(super) scanned: SubjectScan,
    pub(super) more: bool,
}

/// One search while it runs.
pub(super) struct Scan<'j> {
    pub(super) core: &'j Core,
    pub(super) open: &'j OpenTenant,
    pub(super) context: &'j JobContext,
    pub(super) matcher: &'j Matcher,
}

impl Scan<'_> {
    /// Looks through the tenant as it stands at one moment.
    pub(super) fn run(&self) -> Result<Found, JobError> {
        // Its own connection, so that the session goes on reading.
        let store = self.core.connect(self.open, Access::ReadOnly)?;
        let moment = store.moment().map_err(in_tenant)?;
        self.context.set_total(moment.count_all().map_err(in_tenant)?);
        let mut found = Found::default();
        // What several attachments share is read once.
        let mut texts = BTreeMap::new();
        moment.each_kept(|record| -> Result<(), Interrupted> {
            self.context.check()?;
            self.look_at(record, &mut texts, &mut found)?;
            self.context.advance(1);
            Ok(())
        })?;
        let drafts = moment.every_draft().map_err(in_tenant)?;
        found.drafts = drafts.into_iter().filter(|draft| self.is_in_draft(&draft.stored.draft)).collect();
        found.searches = self.core.searches_with(self.open.id, |text| !self.matcher.found_in(text).is_empty())?;
        Ok(found)
    }

    fn look_at(
        &self,
        record: KeptRecord,
        texts: &mut BTreeMap<Id, Option<Vec<u32>>>,
        found: &mut Found,
    ) -> Result<(), JobError> {
        found.scanned.records += 1;
        found.scanned.versions += record.versions.len() as u64;
        found.scanned.attachments += record.attachments.len() as u64;
        let mut places = Vec::new();
        for StoredVersion { version, content, .. } in &record.versions {
            self.look_at_content(content, |place| note(&mut places, *version, place));
        }
        let newest = record.versions.last().map_or(0, |version| version.version);
        for attachment in &record.attachments {
            let last = attachment.detached.map_or(newest, |detached| detached.saturating_sub(1));
            let place = |what, identifiers| Place {
                name: Some(attachment.name.to_string()),
                attachment: Some(attachment.id),
                versions: if attachment.attached == last { vec![last] } else { vec![attachment.attached, last] },
                ..Place::new(what, identifiers)
            };
            let named = self.matcher.found_in(attachment.name.as_str());
            if !named.is_empty() {
                places.push(place(SubjectPlace::AttachmentName, named));
            }
            match self.look_into(attachment, texts)? {
                None => found.scanned.unread += 1,
                Some(held) if held.is_empty() => {}
                Some(held) => places.push(place(SubjectPlace::AttachmentText, held)),
            }
        }
        if places.is_empty() {
            return Ok(());
        }
        if found.records.len() == MOST_FOUND {
            found.more = true;
            return Ok(());
        }
        found.records.push(FoundRecord { kept: record, places });
        Ok(())
    }

    /// Which identifiers a text has in it; `None` for what is not looked into.
    fn look_into(
        &self,
        attachment: &StoredAttachment,
        texts: &mut BTreeMap<Id, Option<Vec<u32>>>,
    ) -> Result<Option<Vec<u32>>, JobError> {
        if attachment.media != MediaKind::Text {
            return Ok(None);
        }
        if let Some(known) = texts.get(&attachment.file.file) {
            return Ok(known.clone());
        }
        let text = self.core.attached_text(self.open, &attachment.file, self.context)?;
        let held = text.map(|text| self.matcher.found_in(&text));
        texts.insert(attachment.file.file, held.clone());
        Ok(held)
    }

    fn look_at_content(&self, content: &RecordContent, mut tell: impl FnMut(Place)) {
        let mut look = |what, text: &str, about: &dyn Fn(Place) -> Place| {
            let identifiers = self.matcher.found_in(text);
            if !identifiers.is_empty() {
                tell(about(Place::new(what, identifiers)));
            }
        };
        look(SubjectPlace::Title, content.title(), &|place| place);
        look(SubjectPlace::Kind, content.kind().as_str(), &|place| place);
        for field in content.fields() {
            let about = |place| Place { name: Some(field.name.clone()), field: Some(field.id), ..place };
            look(SubjectPlace::FieldName, &field.name, &about);
            let masked = field.field_type.is_masked();
            look(SubjectPlace::FieldValue, field.value.expose(), &|place| Place { masked, ..about(place) });
        }
        for tag in content.tags() {
            look(SubjectPlace::Tag, tag, &|place| Place { name: Some(tag.clone()), ..place });
        }
        look(SubjectPlace::Notes, content.notes(), &|place| place);
    }

    fn is_in_draft(&self, draft: &RecordDraft) -> bool {
        let is_in = |text: &str| !self.matcher.found_in(text).is_empty();
        is_in(&draft.title)
            || is_in(draft.kind.as_str())
            || is_in(&draft.notes)
            || draft.tags.iter().any(|tag| is_in(tag))
            || draft
                .fields
                .iter()
                .any(|field| is_in(&field.name) || field.value.as_ref().map(Value::expose).is_some_and(is_in))
    }
}

impl Place {
    fn new(what: SubjectPlace, identifiers: Vec<u32>) -> Self {
        Self { what, name: None, field: None, attachment: None, masked: false, versions: Vec::new(), identifiers }
    }

    /// Whether it is this place, in whatever version.
    fn is_same_as(&self, other: &Self) -> bool {
        let of = |place: &Self| (place.what, place.field, place.masked);
        of(self) == of(other) && self.name == other.name && self.identifiers == other.identifiers
    }

    fn view(&self) -> SubjectPlaceView {
        SubjectPlaceView {
            place: self.what,
            name: self.name.clone(),
            field: self.field,
            attachment: self.attachment,
            masked: self.masked,
            versions: self.versions.clone(),
            identifiers: self.identifiers.clone(),
        }
    }
}

/// Notes a place of one version: with the same of earlier versions, if it is one.
fn note(places: &mut Vec<Place>, version: u32, place: Place) {
    let same = places.iter_mut().find(|known| known.is_same_as(&place));
    match same {
        Some(known) => known.versions.push(version),
        None => places.push(Place { versions: vec![version], ..place }),
    }
}

impl FoundRecord {
    pub(super) fn key(&self) -> RecordKey {
        self.kept.key
    }

    /// The newest version's number.
    pub(super) fn newest(&self) -> u32 {
        self.kept.versions.last().map_or(0, |version| version.version)
    }

    /// Whether a version has the person in it.
    pub(super) fn is_in_version(&self, version: u32) -> bool {
        self.places.iter().any(|place| match (place.attachment, place.versions.as_slice()) {
            (Some(_), [first, .., last]) => (*first..=*last).contains(&version),
            (_, versions) => versions.contains(&version),
        })
    }

    /// Whether it holds the person now, and not only held it once.
    pub(super) fn is_in_newest(&self) -> bool {
        self.is_in_version(self.newest())
    }

    /// When the person was first in it.
    pub(super) fn since(&self) -> Option<Timestamp> {
        let versions = self.kept.versions.iter().filter(|version| self.is_in_version(version.version));
        versions.map(|version| version.changed_at).min()
    }

    /// The log entry of the first write that had the person in it.
    pub(super) fn first_entry(&self) -> Option<u64> {
        let versions = self.kept.versions.iter().filter(|version| self.is_in_version(version.version));
        versions.map(|version| version.entry).min()
    }

    fn view(&self, open: &OpenTenant) -> Option<SubjectRecordView> {
        let StoredVersion { content, .. } = self.kept.versions.last()?;
        let kind: RecordKind = content.kind().clone();
        Some(SubjectRecordView {
            id: RecordId::new(open.id, self.key()),
            kind,
            title: content.title().to_owned(),
            trashed: self.kept.trashed_at.is_some(),
            newest: self.is_in_newest(),
            places: self.places.iter().map(Place::view).collect(),
        })
    }
}

impl Found {
    pub(super) fn view(&self, core: &Core, open: &OpenTenant) -> SubjectFindings {
        let draft = |draft: &AnyDraft| SubjectDraftView {
            record: draft.stored.kept.record.map(|key| RecordId::new(open.id, key)),
            account: core.login_of(draft.account),
            kept_at: draft.stored.kept.kept_at,
        };
        SubjectFindings {
            tenant: open.id,
            tenant_name: open.name.clone(),
            records: self.records.iter().filter_map(|record| record.view(open)).collect(),
            drafts: self.drafts.iter().map(draft).collect(),
            saved_searches: self.searches.iter().map(|(name, _)| name.clone()).collect(),
            scanned: self.scanned,
            more: self.more,
        }
    }
}

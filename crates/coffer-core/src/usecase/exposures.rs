//! The exposure list: which secrets people have seen who have no grant on their tenant any more, and which of these are
//! still what they saw. It empties itself as secrets change. Layout: docs/FORMAT.md §5.2, §5.8.
//!
//! A job that reads every record with its versions, in the trash too. Values are held against each other where they are
//! read; the list names records and fields and holds none. What was seen is what this program wrote down; whoever held the
//! key could have read more, so that is told beside it.

mod check;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use coffer_crypto::label::{self, Context};
use coffer_crypto::seal;
use coffer_model::event::Event;
use coffer_model::id::{AccountId, RecordId, RecordKey, TenantId, VaultId};
use coffer_model::record::{Field, FieldId};
use coffer_model::time::Timestamp;
use minicbor::bytes::ByteArray;
use minicbor::{CborLen, Decode, Encode};

use super::records::{Interrupted, in_tenant};
use crate::chain::{self, Body, ExposureReported};
use crate::encoding;
use crate::fault::{CallError, Fault};
use crate::job::{JobContext, JobError, JobHandle};
use crate::policy::Action;
use crate::session::{Core, OpenTenant, Session};
use crate::store::sqlcipher::Access;
use crate::store::tenant::{
    EntriesSeen, ExportScope, How, KeptRecord, SEEN_DIGEST_BYTES, StoredExport, StoredExposure, StoredVersion,
};
use crate::view::{AccountExposureView, ExposedSecretView, ExposureWay, ExposuresView, ProgressUnit, RecordRow};

/// Secrets of each sort that are told one by one.
const TOLD: usize = 500;

/// What a steward reports to administrators and auditors: figures and numbers of log entries, no record.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, CborLen)]
pub(in crate::usecase) struct ExposureReport {
    /// Secrets seen that are still the same.
    #[n(0)]
    pub(in crate::usecase) open: u64,
    /// Secrets seen that are others by now.
    #[n(1)]
    pub(in crate::usecase) changed: u64,
    /// Further ones that could have been read.
    #[n(2)]
    pub(in crate::usecase) could_read: u64,
    /// Entries that the log had when the following were read.
    #[n(3)]
    pub(in crate::usecase) entries: u64,
    /// Entries under which the account took secrets from behind their mask that the tenant knows of, ascending, each with
    /// what it was.
    #[n(4)]
    pub(in crate::usecase) kept: Vec<(u64, ByteArray<SEEN_DIGEST_BYTES>)>,
    /// Those of exposures that were deleted with their record or version, each with the entry of what deleted it, ascending.
    #[n(5)]
    pub(in crate::usecase) gone: Vec<(u64, u64)>,
}

/// Context of such a report, sealed to the office.
pub(crate) fn report_context(vault: VaultId, tenant: TenantId, account: AccountId) -> Context {
    Context::new(label::SEAL_TO_OFFICE)
        .bytes(vault.as_bytes())
        .bytes(b"exposure-report")
        .bytes(tenant.as_bytes())
        .bytes(account.as_bytes())
}

impl Session {
    /// Starts listing what people have seen who have no grant any more: of one tenant, or of every tenant that this account
    /// is a steward of. Progress counts records. With `also`, an account that has a grant still is listed with them.
    pub fn start_exposures(
        &self,
        tenant: Option<TenantId>,
        also: Option<AccountId>,
    ) -> Result<JobHandle<Vec<ExposuresView>>, CallError> {
        let tenants = match tenant {
            Some(tenant) => vec![tenant],
            None => self.core.stewarded(),
        };
        let mut open = Vec::new();
        for tenant in tenants {
            let actor = self.authorize(Action::ListExposures, Some(tenant))?;
            open.push((self.open_tenant(&actor, tenant)?, actor));
        }
        let core = Arc::clone(&self.core);
        let job = JobHandle::start("exposures", ProgressUnit::Records, move |context| {
            let mut total = 0;
            for (open, _) in &open {
                if core.has_watched(open.id, also) {
                    total += open.read(|store| Ok(store.count()? + store.trash_count()?))?;
                }
            }
            context.set_total(total);
            let mut views = Vec::new();
            for (open, actor) in &open {
                let view = core.exposures(open, also, context)?;
                let count = view.accounts.iter().map(|account| account.open).sum();
                core.record(actor, Event::ExposuresListed { tenant: open.id, count })?;
                views.push(view);
            }
            Ok(views)
        });
        self.core.adopt(job.lease());
        Ok(job)
    }

    /// Starts reporting to administrators and auditors how far what an account saw in a tenant is changed: figures, and the
    /// numbers of log entries by which auditors check that none is left out.
    pub fn start_exposure_report(
        &self,
        tenant: TenantId,
        account: AccountId,
    ) -> Result<JobHandle<AccountExposureView>, CallError> {
        let actor = self.authorize(Action::ListExposures, Some(tenant))?;
        let open = self.open_tenant(&actor, tenant)?;
        let core = Arc::clone(&self.core);
        let job = JobHandle::start("exposure-report", ProgressUnit::Records, move |context| {
            context.set_total(open.read(|store| Ok(store.count()? + store.trash_count()?))?);
            let view = core.exposures(&open, None, context)?;
            let found = view.accounts.into_iter().find(|view| view.account == account);
            let mut found = found.ok_or(CallError::NotFound)?;
            let (entries, seen) = core.entries_seen(&open, account)?;
            let report = ExposureReport {
                open: found.open,
                changed: found.changed,
                could_read: found.could_read,
                entries,
                kept: seen.kept.into_iter().map(|(entry, digest)| (entry, digest.into())).collect(),
                gone: seen.gone.into_iter().collect(),
            };
            let sealed = {
                let office = core.office();
                let context = report_context(core.vault.id, tenant, account);
                seal::seal_to(office.membership.office(), &encoding::encode(&report), &context, &mut core.random())
            };
            let body = ExposureReported { tenant, account, sealed: chain::digest(&sealed).into() };
            let event = Event::ExposureReported { tenant, account };
            core.change_directory(&actor, event, vec![Body::ExposureReported(body)], |tx| {
                tx.set_exposure_report(tenant, account, &sealed)
            })?;
            found.reported_at = core.office().membership.reported.get(&(tenant, account)).map(|report| report.at);
            Ok(found)
        });
        self.core.adopt(job.lease());
        Ok(job)
    }
}

impl Core {
    /// Tenants that this account is a steward of now.
    fn stewarded(&self) -> Vec<TenantId> {
        let (office, now) = (self.office(), self.now());
        let is_steward = |tenant: &&TenantId| {
            office.membership.right(**tenant, self.account, now) == Some(coffer_model::grant::Right::Steward)
        };
        office.membership.tenants.keys().filter(is_steward).copied().collect()
    }

    fn has_watched(&self, tenant: TenantId, also: Option<AccountId>) -> bool {
        also.is_some() || self.office().membership.ended.keys().any(|(of, _)| *of == tenant)
    }

    fn exposures(
        &self,
        open: &OpenTenant,
        also: Option<AccountId>,
        context: &JobContext,
    ) -> Result<ExposuresView, JobError> {
        let mut watched = self.watched(open.id, also)?;
        let mut view = ExposuresView { tenant: open.id, tenant_name: open.name.clone(), accounts: Vec::new() };
        if watched.is_empty() {
            return Ok(view);
        }
        // Its own connection, so that the session goes on reading; one moment, so that the figures belong together.
        let store = open.connect(Access::ReadOnly)?;
        let moment = store.moment().map_err(in_tenant)?;
        for exposure in moment.exposures().map_err(in_tenant)? {
            if let Some(watched) = watched.get_mut(&exposure.seen.account) {
                watched.exposures.entry(exposure.exposure.key).or_default().push(exposure);
            }
        }
        for export in moment.exports().map_err(in_tenant)? {
            if let Some(watched) = watched.get_mut(&export.seen.account) {
                watched.exports.push(export);
            }
        }
        moment.each_kept(|record| -> Result<(), Interrupted> {
            context.check()?;
            for watched in watched.values_mut() {
                watched.look_at(open.id, &record);
            }
            context.advance(1);
            Ok(())
        })?;
        let now = self.now();
        view.accounts = watched.into_values().map(|watched| watched.finish(now)).collect();
        view.accounts.sort_by_key(|account| (std::cmp::Reverse(account.open), account.login.clone()));
        Ok(view)
    }

    /// Under which entries of the log an account took secrets from behind their mask, and how many entries there were then.
    fn entries_seen(&self, open: &OpenTenant, account: AccountId) -> Result<(u64, EntriesSeen), JobError> {
        // Who writes has the writer from before the entry until after the rows: without it, neither comes in between.
        let writer = open.writer()?;
        let (entries, _) = self.log.head().map_err(Fault::from)?;
        let seen = writer.moment().and_then(|moment| moment.entries_seen(account)).map_err(in_tenant)?;
        Ok((entries, seen))
    }

    /// Whoever has no grant on a tenant any more, and `also`.
    fn watched(&self, tenant: TenantId, also: Option<AccountId>) -> Result<BTreeMap<AccountId, Watched>, CallError> {
        let office = self.office();
        let membership = &office.membership;
        let ended = membership.ended.iter().filter(|((of, _), _)| *of == tenant);
        let mut accounts: BTreeMap<AccountId, Option<Timestamp>> =
            ended.map(|((_, account), ended)| (*account, Some(ended.ended_at))).collect();
        if let Some(also) = also {
            if !membership.accounts.contains_key(&also) && !accounts.contains_key(&also) {
                return Err(CallError::NotFound);
            }
            accounts.entry(also).or_insert(None);
        }
        let watched = accounts.into_iter().map(|(account, ended_at)| {
            let view = AccountExposureView {
                account,
                login: membership.login_of(account).map_or_else(String::new, ToString::to_string),
                ended_at,
                secrets_by: membership.leaving.get(&account).map(|leaving| leaving.secrets_by),
                overdue: false,
                open: 0,
                changed: 0,
                could_read: 0,
                secrets: Vec::new(),
                more: false,
                reported_at: membership.reported.get(&(tenant, account)).map(|report| report.at),
            };
            let could_read = Vec::new();
            (account, Watched { view, exposures: BTreeMap::new(), exports: Vec::new(), could_read })
        });
        Ok(watched.collect())
    }
}

/// An account whose exposures are being looked for.
struct Watched {
    view: AccountExposureView,
    exposures: BTreeMap<RecordKey, Vec<StoredExposure>>,
    exports: Vec<StoredExport>,
    could_read: Vec<ExposedSecretView>,
}

impl Watched {
    fn look_at(&mut self, tenant: TenantId, record: &KeptRecord) {
        let Some(newest) = record.versions.last() else { return };
        let seen = self.exposures.remove(&record.key).unwrap_or_default();
        let mut known: BTreeSet<FieldId> = seen.iter().map(|seen| seen.exposure.field).collect();
        for export in &self.exports {
            let taken = taken_by(export, &record.versions).flat_map(masked);
            known.extend(taken.map(|field| field.id));
        }
        let entered = entered_by(self.view.account, &record.versions);
        known.extend(entered.iter().map(|(field, _)| field.id));
        for field in masked(newest) {
            let last_seen = last_seen(field, record, &seen, &self.exports, &entered);
            let row = |how, at| ExposedSecretView {
                record: RecordRow {
                    id: RecordId::new(tenant, record.key),
                    kind: newest.content.kind().clone(),
                    title: newest.content.title().to_owned(),
                    changed_at: record.changed_at,
                    detail: None,
                },
                trashed: record.trashed_at.is_some(),
                field: field.id,
                field_name: field.name.clone(),
                how,
                at,
            };
            if let Some((at, how)) = last_seen {
                known.remove(&field.id);
                self.view.open += 1;
                // All of them are needed to tell the latest.
                self.view.secrets.push(row(how, at));
            } else {
                let since = same_since(field, &record.versions).unwrap_or(record.changed_at);
                if self.view.ended_at.is_none_or(|ended| since <= ended) {
                    self.view.could_read += 1;
                    if self.could_read.len() < TOLD {
                        self.could_read.push(row(ExposureWay::CouldRead, since));
                    }
                }
            }
        }
        // Seen, and no longer what the field holds; or the field is gone.
        self.view.changed += known.len() as u64;
    }

    fn finish(mut self, now: Timestamp) -> AccountExposureView {
        // What is left is of records that were deleted for good, with all that they held.
        self.view.secrets.sort_by_key(|secret| std::cmp::Reverse(secret.at));
        self.view.more = self.view.secrets.len() > TOLD || self.view.could_read > self.could_read.len() as u64;
        self.view.secrets.truncate(TOLD);
        self.view.secrets.append(&mut self.could_read);
        self.view.overdue = self.view.open > 0 && self.view.secrets_by.is_some_and(|by| now > by);
        self.view
    }
}

/// Secrets of a version: masked fields that hold something.
fn masked(version: &StoredVersion) -> impl Iterator<Item = &Field> {
    let fields = version.content.fields().iter();
    fields.filter(|field| field.field_type.is_masked() && !field.value.expose().is_empty())
}

/// Versions of a record that an export took. What was in the trash then is not known any more: it counts as taken.
fn taken_by<'r>(
    export: &StoredExport,
    versions: &'r [StoredVersion],
) -> impl Iterator<Item = &'r StoredVersion> + use<'r> {
    let (until, scope) = (export.until, export.scope);
    let newest = versions.iter().rposition(|version| version.change <= until);
    versions.iter().enumerate().filter_map(move |(index, version)| {
        let taken = match scope {
            ExportScope::NewestVersions => Some(index) == newest,
            ExportScope::AllVersions | ExportScope::Everything => version.change <= until,
        };
        taken.then_some(version)
    })
}

/// Secrets that an account put into a record, or into another state of it, and when: nobody need show them to it.
fn entered_by(account: AccountId, versions: &[StoredVersion]) -> Vec<(&Field, Timestamp)> {
    let mut entered = Vec::new();
    for (index, version) in versions.iter().enumerate().filter(|(_, version)| version.changed_by == account) {
        let before = index.checked_sub(1).and_then(|before| versions.get(before));
        let is_new = |field: &&Field| {
            let held = before.and_then(|before| before.content.field(field.id));
            held.is_none_or(|held| held.value.expose() != field.value.expose())
        };
        entered.extend(masked(version).filter(is_new).map(|field| (field, version.changed_at)));
    }
    entered
}

/// When the value that a field holds now was seen last, and how.
fn last_seen(
    field: &Field,
    record: &KeptRecord,
    seen: &[StoredExposure],
    exports: &[StoredExport],
    entered: &[(&Field, Timestamp)],
) -> Option<(Timestamp, ExposureWay)> {
    let holds_it = |version: &StoredVersion| {
        version.content.field(field.id).is_some_and(|held| held.value.expose() == field.value.expose())
    };
    let one_by_one = seen.iter().filter(|seen| seen.exposure.field == field.id).filter(|seen| {
        let version = record.versions.iter().find(|version| version.version == seen.exposure.version);
        // Of a version that was erased nobody knows what it held.
        version.is_none_or(holds_it)
    });
    let one_by_one = one_by_one.map(|seen| (seen.seen.at, way(seen.exposure.how)));
    let exported = exports.iter().filter(|export| taken_by(export, &record.versions).any(holds_it));
    let exported = exported.map(|export| (export.seen.at, ExposureWay::Exported));
    let same = entered.iter().filter(|(held, _)| held.id == field.id && held.value.expose() == field.value.expose());
    let entered = same.map(|(_, at)| (*at, ExposureWay::Entered));
    entered.chain(one_by_one).chain(exported).max_by_key(|(at, _)| *at)
}

/// Since when a field has held what it holds: an edit of something else does not make a secret new.
fn same_since(field: &Field, versions: &[StoredVersion]) -> Option<Timestamp> {
    let same = versions.iter().rev().take_while(|version| {
        version.content.field(field.id).is_some_and(|held| held.value.expose() == field.value.expose())
    });
    same.last().map(|version| version.changed_at)
}

const fn way(how: How) -> ExposureWay {
    match how {
        How::Revealed => ExposureWay::Revealed,
        How::Copied => ExposureWay::Copied,
        How::HandedOver => ExposureWay::HandedOver,
    }
}

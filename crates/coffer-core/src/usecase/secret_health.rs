//! Which secrets of a tenant want changing: weak, used more than once, unchanged for over a year, or past their day.
//!
//! A job that reads every newest version. Secrets are held against each other by an HMAC under a key that is made for
//! the job and ends with it, so no secret is kept beside another; nothing is compared across tenants. The result names
//! records and fields and holds no value, and is logged before it is handed out.

use std::collections::HashMap;
use std::sync::Arc;

use coffer_crypto::derive;
use coffer_crypto::secret::FingerprintKey;
use coffer_crypto::strength;
use coffer_model::day::Day;
use coffer_model::event::Event;
use coffer_model::id::{RecordId, RecordKey, TenantId};
use coffer_model::record::{Field, FieldType};
use coffer_model::time::Timestamp;

use super::records::in_tenant;
use crate::fault::CallError;
use crate::job::{JobContext, JobError, JobHandle};
use crate::policy::Action;
use crate::session::{Core, OpenTenant, Session};
use crate::store::sqlcipher::Access;
use crate::store::tenant::{StoredVersion, TenantStore};
use crate::view::{ProgressUnit, RecordRow, SecretFindingView, SecretHealthView, SecretProblem};

/// A secret unchanged for longer is old.
const OLD_AFTER_MILLIS: u64 = 365 * 24 * 60 * 60 * 1_000;
/// Findings of one kind that are told one by one.
const TOLD_OF_KIND: usize = 500;
/// Records read at a time.
const PAGE: u32 = 200;
/// Digits of the longest PIN. Its length is its issuer's choice, and so is how often one may try it.
const PIN_DIGITS: usize = 8;

impl Session {
    /// Starts assessing every secret of a tenant; progress counts records.
    pub fn start_secret_health(&self, tenant: TenantId) -> Result<JobHandle<SecretHealthView>, CallError> {
        let actor = self.authorize(Action::AssessSecrets, Some(tenant))?;
        let open = self.open_tenant(&actor, tenant)?;
        let core = Arc::clone(&self.core);
        let job = JobHandle::start("secret-health", ProgressUnit::Records, move |context| {
            let assessed = Assessment::new(&core, &open).run(context)?;
            core.record(&actor, Event::SecretsAssessed { tenant, count: assessed.assessed })?;
            Ok(assessed)
        });
        self.core.adopt(job.lease());
        Ok(job)
    }
}

/// One assessment while it runs.
struct Assessment<'j> {
    open: &'j OpenTenant,
    now: Timestamp,
    key: FingerprintKey,
    /// By fingerprint: where a secret was found first, and the number of its group once it was found again.
    seen: HashMap<[u8; 32], Seen>,
    groups: u64,
    health: SecretHealthView,
}

enum Seen {
    Once(SecretFindingView),
    Again { group: u64 },
}

impl<'j> Assessment<'j> {
    fn new(core: &Core, open: &'j OpenTenant) -> Self {
        Self {
            open,
            now: core.now(),
            key: FingerprintKey::generate(&mut core.random()),
            seen: HashMap::new(),
            groups: 0,
            health: SecretHealthView {
                tenant: open.id,
                tenant_name: open.name.clone(),
                assessed: 0,
                weak: 0,
                reused: 0,
                old: 0,
                expired: 0,
                findings: Vec::new(),
                more: false,
            },
        }
    }

    fn run(mut self, context: &JobContext) -> Result<SecretHealthView, JobError> {
        // Its own connection, so that the session goes on reading.
        let store = self.open.connect(Access::ReadWrite)?;
        context.set_total(store.count().map_err(in_tenant)?);
        let mut cursor = None;
        loop {
            context.check()?;
            let page = store.full_page(PAGE, cursor.as_ref()).map_err(in_tenant)?;
            for (key, stored) in &page.records {
                context.check()?;
                self.assess(&store, *key, stored)?;
                context.advance(1);
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let mut health = self.health;
        // Stable: within a kind of finding the order of the list stays; those of one group come together.
        health.findings.sort_by_key(|finding| (finding.problem, finding.group));
        Ok(health)
    }

    fn assess(&mut self, store: &TenantStore, key: RecordKey, stored: &StoredVersion) -> Result<(), JobError> {
        let today = Day::of(self.now);
        for field in stored.content.fields() {
            let finding = |problem| self.finding(key, stored, field, problem);
            match field.field_type {
                FieldType::Expiry => {
                    if let Ok(day) = field.value.expose().parse::<Day>()
                        && day < today
                    {
                        let expired = SecretFindingView { day: Some(day), ..finding(SecretProblem::Expired) };
                        self.health.expired += 1;
                        self.tell(expired);
                    }
                }
                FieldType::Secret if !field.value.expose().is_empty() => {
                    let (weak, reused, old) =
                        (finding(SecretProblem::Weak), finding(SecretProblem::Reused), finding(SecretProblem::Old));
                    self.health.assessed += 1;
                    if !is_pin(field) {
                        self.assess_strength(field, weak);
                        self.assess_reuse(field, reused);
                    }
                    let since = self.unchanged_since(store, key, stored, field)?;
                    if self.now.millis_since(since) > OLD_AFTER_MILLIS {
                        self.health.old += 1;
                        self.tell(SecretFindingView { since: Some(since), ..old });
                    }
                }
                FieldType::Secret
                | FieldType::Text
                | FieldType::Multiline
                | FieldType::Email
                | FieldType::Phone
                | FieldType::Url
                | FieldType::Date
                | FieldType::Number
                | FieldType::Totp
                | FieldType::Choice
                | FieldType::Reference => {}
            }
        }
        Ok(())
    }

    fn assess_strength(&mut self, field: &Field, weak: SecretFindingView) {
        if strength::estimate(field.value.expose()).is_weak() {
            self.health.weak += 1;
            self.tell(weak);
        }
    }

    fn assess_reuse(&mut self, field: &Field, reused: SecretFindingView) {
        let fingerprint = derive::secret_fingerprint(&self.key, field.value.expose().as_bytes());
        let (group, first) = match self.seen.remove(&fingerprint) {
            None => {
                self.seen.insert(fingerprint, Seen::Once(reused));
                return;
            }
            Some(Seen::Once(first)) => {
                self.groups += 1;
                (self.groups, Some(first))
            }
            Some(Seen::Again { group }) => (group, None),
        };
        self.seen.insert(fingerprint, Seen::Again { group });
        for found in first.into_iter().chain([reused]) {
            self.health.reused += 1;
            self.tell(SecretFindingView { group: Some(group), ..found });
        }
    }

    /// When the field got the value it holds: an edit of something else does not make a secret new.
    fn unchanged_since(
        &self,
        store: &TenantStore,
        key: RecordKey,
        newest: &StoredVersion,
        field: &Field,
    ) -> Result<Timestamp, JobError> {
        let mut since = newest.changed_at;
        // Old whatever came before, or there is nothing before.
        if newest.version == 1 || self.now.millis_since(since) > OLD_AFTER_MILLIS {
            return Ok(since);
        }
        let mut is_same = true;
        store
            .history(key, |earlier| {
                is_same &= earlier.content.field(field.id).is_some_and(|before| before.value == field.value);
                if is_same {
                    since = earlier.changed_at;
                }
            })
            .map_err(in_tenant)?;
        Ok(since)
    }

    fn finding(
        &self,
        key: RecordKey,
        stored: &StoredVersion,
        field: &Field,
        problem: SecretProblem,
    ) -> SecretFindingView {
        SecretFindingView {
            record: RecordRow {
                id: RecordId::new(self.open.id, key),
                kind: stored.content.kind().clone(),
                title: stored.content.title().to_owned(),
                changed_at: stored.changed_at,
                detail: None,
            },
            field: field.id,
            field_name: field.name.clone(),
            problem,
            group: None,
            since: None,
            day: None,
        }
    }

    fn tell(&mut self, finding: SecretFindingView) {
        let told = self.health.findings.iter().filter(|told| told.problem == finding.problem).count();
        if told < TOLD_OF_KIND {
            self.health.findings.push(finding);
        } else {
            self.health.more = true;
        }
    }
}

fn is_pin(field: &Field) -> bool {
    let value = field.value.expose();
    value.len() <= PIN_DIGITS && value.bytes().all(|byte| byte.is_ascii_digit())
}

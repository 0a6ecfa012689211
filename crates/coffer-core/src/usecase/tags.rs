//! Tags: which ones a tenant has, and changing one on every record that has it.

use coffer_model::event::Event;
use coffer_model::id::TenantId;
use coffer_model::record::RecordContent;

use super::records::SaveRecordError;
use crate::fault::CallError;
use crate::policy::Action;
use crate::session::Session;
use crate::store::tenant::TenantStore;
use crate::view::TagView;

impl Session {
    /// A tenant's tags, in the order of their names.
    pub fn tags(&self, tenant: TenantId) -> Result<Vec<TagView>, CallError> {
        let actor = self.authorize(Action::ListTags, Some(tenant))?;
        let open = self.open_tenant(&actor, tenant)?;
        let tags = open.read(TenantStore::tags)?;
        self.record(&actor, Event::TagsListed { tenant, count: tags.len() as u64 })?;
        Ok(tags.into_iter().map(|tag| TagView { tag: tag.tag, records: tag.records }).collect())
    }

    /// Makes one tag of a tenant another, in one step: every record that has it, in whatever case, gets a new version.
    /// Gives how many; if there is none, `NotFound`. A tag that is there already takes the other one's records in.
    pub fn rename_tag(&self, tenant: TenantId, tag: &str, new: &str) -> Result<u64, SaveRecordError> {
        self.change_tag(tenant, tag, Some(new), |count| Event::TagRenamed { tenant, count })
    }

    /// Takes a tag of a tenant away, as [`Session::rename_tag`] renames one.
    pub fn remove_tag(&self, tenant: TenantId, tag: &str) -> Result<u64, SaveRecordError> {
        self.change_tag(tenant, tag, None, |count| Event::TagRemoved { tenant, count })
    }

    fn change_tag(
        &self,
        tenant: TenantId,
        tag: &str,
        new: Option<&str>,
        event: impl FnOnce(u64) -> Event,
    ) -> Result<u64, SaveRecordError> {
        let actor = self.authorize(Action::ChangeTags, Some(tenant))?;
        let open = self.open_tenant(&actor, tenant)?;
        let retag = |content: &RecordContent, is_it: &dyn Fn(&str) -> bool| {
            let kept = content.tags().iter().filter(|tag| !is_it(tag)).map(String::as_str);
            let tags = kept.chain(new).map(str::to_owned).collect();
            content.with_other_tags(tags).map_err(SaveRecordError::Invalid)
        };
        self.core.audited(
            &actor,
            &open,
            |tx| {
                // Locking does not wait for many records: none of them is changed then.
                let go_on = || self.core.refuse_ended().map_err(SaveRecordError::from);
                match tx.change_tag(tag, go_on, retag)? {
                    0 => Err(SaveRecordError::Call(CallError::NotFound)),
                    count => Ok(count),
                }
            },
            |count| event(*count),
        )
    }
}

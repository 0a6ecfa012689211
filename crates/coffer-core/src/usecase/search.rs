//! Searching one tenant, or all that the account may read. The log says that a search was run in a tenant and how much
//! it showed; what was looked for is kept nowhere.

use std::sync::Arc;

use coffer_model::event::Event;
use coffer_model::id::TenantId;
use coffer_model::query::Query;

use super::records::row_view;
use crate::fault::CallError;
use crate::policy::Action;
use crate::session::{Actor, OpenTenant, Session};
use crate::store::tenant::{Found, SearchQuery};
use crate::view::{SearchHit, SearchResults};

/// Most records shown.
const SHOWN_MAX: u32 = 500;

/// What one tenant has found.
struct InTenant {
    actor: Actor,
    open: Arc<OpenTenant>,
    found: Found,
}

impl Session {
    /// Records that are as `query` says (docs/finding.md): in one tenant, or in every one that this account may read. At
    /// most `limit`, shared fairly among tenants.
    pub fn search(&self, query: &Query, tenant: Option<TenantId>, limit: u32) -> Result<SearchResults, CallError> {
        let tenants = match tenant {
            Some(tenant) => vec![tenant],
            None => self.readable_tenants()?,
        };
        let limit = limit.clamp(1, SHOWN_MAX);
        let query = SearchQuery::new(query);
        let mut searched = Vec::with_capacity(tenants.len());
        for tenant in tenants {
            let actor = self.authorize(Action::SearchRecords, Some(tenant))?;
            // Nothing to look for: nothing is opened and nothing happens that the log would have to say.
            let Some(query) = &query else { continue };
            let open = self.open_tenant(&actor, tenant)?;
            let found = open.read(|store| store.search(query, limit))?;
            searched.push(InTenant { actor, open, found });
        }
        searched.sort_by_cached_key(|tenant| tenant.open.name.to_lowercase());
        self.show(searched, limit)
    }

    /// The log entries of all tenants come before any record is handed out, in one step: somebody is typing.
    fn show(&self, searched: Vec<InTenant>, limit: u32) -> Result<SearchResults, CallError> {
        let found: Vec<usize> = searched.iter().map(|tenant| tenant.found.records.len()).collect();
        let shares = fair_shares(&found, usize::try_from(limit).expect("a few hundred fit"));
        let entries = searched.iter().zip(&shares);
        let entries = entries.map(|(InTenant { actor, open, .. }, &share)| {
            (actor, Event::RecordsSearched { tenant: open.id, count: share as u64 })
        });
        self.core.record_together(entries)?;
        let mut results = SearchResults { hits: Vec::new(), more: false };
        for (InTenant { open, found, .. }, share) in searched.into_iter().zip(shares) {
            let tenant = open.id;
            results.more |= found.more || found.records.len() > share;
            results.hits.extend(
                found
                    .records
                    .into_iter()
                    .take(share)
                    .map(|record| SearchHit { tenant_name: open.name.clone(), record: row_view(tenant, record) }),
            );
        }
        Ok(results)
    }

    /// Tenants this account holds a right on.
    pub(super) fn readable_tenants(&self) -> Result<Vec<TenantId>, CallError> {
        self.authorize(Action::ListTenants, None)?;
        let core = &*self.core;
        let now = core.now();
        let office = core.office();
        let membership = &office.membership;
        let readable = |tenant: &&TenantId| membership.right(**tenant, core.account, now).is_some();
        Ok(membership.tenants.keys().filter(readable).copied().collect())
    }
}

/// Shares `limit` among tenants that found so many each: everybody one more in turn, until all is shown or nothing is
/// left to share.
fn fair_shares(found: &[usize], limit: usize) -> Vec<usize> {
    let mut shares = vec![0; found.len()];
    let mut left = limit;
    while left > 0 {
        let before = left;
        for (share, &found) in shares.iter_mut().zip(found) {
            if *share < found && left > 0 {
                *share += 1;
                left -= 1;
            }
        }
        if left == before {
            break;
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenants_share_the_room_there_is() {
        assert_eq!(fair_shares(&[5, 100, 0, 100], 50), [5, 23, 0, 22]);
        assert_eq!(fair_shares(&[1, 2], 50), [1, 2]);
        assert_eq!(fair_shares(&[9, 9, 9], 2), [1, 1, 0]);
        assert_eq!(fair_shares(&[], 2), [0; 0]);
    }
}

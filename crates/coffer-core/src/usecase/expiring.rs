//! What ends soon or has ended, over every tenant the account may read. Read from an index that each write keeps.

use coffer_model::day::Day;
use coffer_model::event::Event;

use super::records::row_view;
use crate::fault::CallError;
use crate::policy::Action;
use crate::session::Session;
use crate::view::{ExpiringRecords, ExpiringView};

/// Most fields of one tenant that are told.
const TOLD_OF_TENANT: u32 = 500;

impl Session {
    /// Fields by which something ends within so many days, or has ended already, the earliest first. Each tenant's log
    /// entry comes before its records are told.
    pub fn expiring(&self, within_days: u32) -> Result<ExpiringRecords, CallError> {
        let today = Day::of(self.core.now());
        let mut expiring = ExpiringRecords { today, records: Vec::new(), more: false };
        for tenant in self.readable_tenants()? {
            let actor = self.authorize(Action::ListExpiring, Some(tenant))?;
            let open = self.open_tenant(&actor, tenant)?;
            // One more than is told says whether there are more.
            let mut found = open.read(|store| store.expiring(today.plus_days(within_days), TOLD_OF_TENANT + 1))?;
            let told = usize::try_from(TOLD_OF_TENANT).expect("a few hundred fit");
            expiring.more |= found.len() > told;
            found.truncate(told);
            self.record(&actor, Event::ExpiringListed { tenant, count: found.len() as u64 })?;
            expiring.records.extend(found.into_iter().map(|expiring| ExpiringView {
                tenant_name: open.name.clone(),
                record: row_view(tenant, expiring.record),
                field: expiring.field,
                field_name: expiring.field_name,
                day: expiring.day,
                days_left: expiring.day.days_since(today),
            }));
        }
        expiring.records.sort_by(|one, other| (one.day, &one.record.title).cmp(&(other.day, &other.record.title)));
        Ok(expiring)
    }
}

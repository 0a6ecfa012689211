//! Holding the tenants' files against what was remembered when they were locked: old pages put back, which the
//! database's own page checks let pass, are found here. Reads ciphertext only, so any account may.

use std::sync::Arc;

use coffer_model::event::Event;
use coffer_model::id::TenantId;

use crate::fault::{CallError, Damage};
use crate::job::{JobContext, JobError, JobHandle};
use crate::policy::Action;
use crate::session::{Core, Session};
use crate::store::directory::Directory;
use crate::store::file_root::FileRoot;
use crate::store::sqlcipher::StoreError;
use crate::view::{FileCheckView, FileState, ProgressUnit};

impl Session {
    /// Checks every tenant's file that this session has not changed. One that was altered is logged.
    pub fn start_check_files(&self) -> Result<JobHandle<Vec<FileCheckView>>, CallError> {
        let actor = self.authorize(Action::CheckFiles, None)?;
        self.record(&actor, Event::FilesChecked)?;
        let core = Arc::clone(&self.core);
        let job = JobHandle::start("check-files", ProgressUnit::Bytes, move |context| core.check_files(context));
        self.core.adopt(job.lease());
        Ok(job)
    }
}

impl Core {
    fn check_files(&self, context: &JobContext) -> Result<Vec<FileCheckView>, JobError> {
        let epochs: Vec<_> = {
            let office = self.office();
            let tenants = office.membership.tenants.iter();
            tenants.filter_map(|(&id, tenant)| tenant.epoch.clone().map(|epoch| (id, epoch))).collect()
        };
        let paths = epochs.iter().map(|(_, epoch)| self.tenant_path(epoch));
        context.set_total(paths.filter_map(|path| std::fs::metadata(path).ok()).map(|facts| facts.len()).sum());
        let mut checks = Vec::with_capacity(epochs.len());
        for (tenant, epoch) in epochs {
            let remembered = self.remembered(tenant, epoch.epoch)?;
            let now = FileRoot::of_database(&self.tenant_path(&epoch), |bytes| -> Result<(), JobError> {
                context.check()?;
                context.advance(bytes);
                Ok(())
            })?;
            let state = match remembered {
                None => FileState::NotCheckable,
                Some(locked) if now.as_ref() == Some(&locked) => FileState::Unchanged,
                // Changed by this session while it was being read: what was remembered is gone by now.
                Some(_) if self.remembered(tenant, epoch.epoch)?.is_none() => FileState::NotCheckable,
                Some(_) => {
                    self.append(Event::FileAltered(tenant))?;
                    FileState::Altered
                }
            };
            checks.push(FileCheckView { tenant, tenant_name: self.known_tenant_name(tenant), state });
        }
        Ok(checks)
    }

    fn remembered(&self, tenant: TenantId, epoch: u32) -> Result<Option<FileRoot>, JobError> {
        let office = self.office();
        let found = Directory::file_root(&office.directory, tenant, epoch);
        Ok(found.map_err(|error: StoreError| error.into_fault(Damage::Directory))?)
    }
}

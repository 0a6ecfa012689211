//! Holding the tenants' files against what was remembered when they were locked: old pages put back, which the
//! database's own page checks let pass, are found here. Reads ciphertext only, so any account may. Of the tenants that the
//! account may read, the attachments are looked for as well.

use std::sync::Arc;

use coffer_model::event::Event;
use coffer_model::id::TenantId;

use crate::fault::{CallError, Damage, Fault};
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
                Some(_) => FileState::Altered,
            };
            let attached_fit = state == FileState::Altered || self.attached_fit(tenant, context)?;
            let state = if attached_fit { state } else { FileState::Altered };
            if state == FileState::Altered {
                self.append(Event::FileAltered(tenant))?;
            }
            checks.push(FileCheckView { tenant, tenant_name: self.known_tenant_name(tenant), state });
        }
        Ok(checks)
    }

    /// Whether the file of every attachment is there, as long as it was written and with its own header. Its chunks vouch
    /// for themselves when they are read. Only who may read the tenant knows which there are; nobody else is asked.
    fn attached_fit(&self, tenant: TenantId, context: &JobContext) -> Result<bool, JobError> {
        let now = self.now();
        if self.office().membership.right(tenant, self.account, now).is_none() {
            return Ok(true);
        }
        let actor = self.authorize(Action::ListRecords, Some(tenant))?;
        let open = match self.open_tenant(&actor, tenant) {
            Ok(open) => open,
            Err(CallError::Fault(Fault::Damaged(_))) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let mut files = Vec::new();
        open.read(|store| store.files(|file| files.push(file)))?;
        for file in files {
            context.check()?;
            match self.open_attached(&open, &file) {
                Ok(_) => {}
                Err(CallError::Fault(Fault::Damaged(Damage::Attachment))) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }

    fn remembered(&self, tenant: TenantId, epoch: u32) -> Result<Option<FileRoot>, JobError> {
        let office = self.office();
        let found = Directory::file_root(&office.directory, tenant, epoch);
        Ok(found.map_err(|error: StoreError| error.into_fault(Damage::Directory))?)
    }
}

//! Locking: jobs are stopped, the last entry and a checkpoint written, files closed, and remembered for the next session is
//! how they are.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use coffer_model::event::Event;
use coffer_model::id::TenantId;

use super::{Core, Office, OpenTenant, lock};
use crate::anchor::{self, Anchor};
use crate::fault::{Damage, Fault};
use crate::job::{JobContext, Lease};
use crate::store::directory;
use crate::store::file_root::FileRoot;
use crate::store::sqlcipher::{self, StoreError};

/// How long locking waits for all jobs to roll back.
const JOBS_END_WITHIN: Duration = Duration::from_millis(500);

/// Most bytes of tenants' files read when locking: about half a second.
const HASHED_AT_LOCK_MAX: u64 = 512 * 1024 * 1024;

impl Core {
    /// Stops jobs, writes the last entry and a checkpoint, closes every file.
    pub(crate) fn lock(&self) -> Result<(), Fault> {
        self.lock_by(None)
    }

    /// As [`Core::lock`], from within a job, which is left to end by itself.
    pub(crate) fn lock_by(&self, job: Option<&JobContext>) -> Result<(), Fault> {
        if self.locked.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        self.end_jobs(job);
        // Each of these matters by itself: a disk that is full for one must not keep the others from being tried. The
        // log first, since a shell in a hurry may end the process at any moment.
        let tenants = std::mem::take(&mut *lock(&self.tenants));
        for tenant in tenants.values() {
            // One that cannot be settled now is left without a remembered root, and settled at its next opening.
            let _ = tenant.opened_writer().map(|writer| self.settle(tenant, &writer));
        }
        let entry = self.append(Event::VaultLocked);
        let checkpoint = self.checkpoint_log();
        if !self.failed.load(Ordering::Acquire) {
            self.keep_names();
        }
        if self.failed.load(Ordering::Acquire) {
            // What cannot be relied on must not be remembered as if it could.
            return Err(Fault::NotDurable);
        }
        let files = self.remember_files(&tenants);
        drop(tenants);
        let remembered = self.remember();
        entry?;
        checkpoint?;
        files?;
        remembered
    }

    /// Ends all jobs but that of `except`, which is the one that calls.
    pub(crate) fn end_jobs(&self, except: Option<&JobContext>) {
        let is_other = |job: &Lease| except.is_none_or(|own| !job.is_of(own));
        let jobs: Vec<Lease> = lock(&self.jobs).extract_if(.., |job| is_other(job)).collect();
        jobs.iter().for_each(Lease::revoke);
        let deadline = self.host.clock.monotonic() + JOBS_END_WITHIN;
        for job in &jobs {
            job.wait_until_ended(deadline.saturating_sub(self.host.clock.monotonic()));
        }
    }

    /// Says that everything up to now is as it stands.
    pub(crate) fn checkpoint_log(&self) -> Result<(), Fault> {
        Ok(self.log.checkpoint(self.now(), &self.checkpoint_signer())?)
    }

    /// Remembers length and root of each file this session changed. A file too large to read while somebody waits for
    /// the lock is left without, which says "not checkable".
    fn remember_files(&self, tenants: &BTreeMap<TenantId, Arc<OpenTenant>>) -> Result<(), Fault> {
        let mut roots = Vec::new();
        let mut to_read = HASHED_AT_LOCK_MAX;
        let changed =
            |tenant: &&Arc<OpenTenant>| tenant.changed.load(Ordering::Acquire) && tenant.unsettled_entry().is_none();
        for tenant in tenants.values().filter(changed) {
            let Ok(writer) = tenant.writer() else { continue };
            let at_rest = sqlcipher::come_to_rest(writer.connection(), &tenant.path);
            let bytes = std::fs::metadata(&tenant.path).map_or(u64::MAX, |facts| facts.len());
            if at_rest.is_err() || bytes > to_read {
                continue;
            }
            to_read -= bytes;
            if let Some(root) = FileRoot::of_database(&tenant.path, |_| Ok::<(), Fault>(()))? {
                roots.push((tenant, root));
            }
        }
        if roots.is_empty() {
            return Ok(());
        }
        let in_directory = |error: StoreError| error.into_fault(Damage::Directory);
        let mut office = self.office();
        let mut tx = office.directory.write().map_err(in_directory)?;
        for (tenant, root) in &roots {
            tx.insert_file_root(tenant.id, tenant.epoch(), root).map_err(in_directory)?;
        }
        tx.commit().map_err(in_directory)
    }

    /// Writes what this account should know next time into its sealed state.
    fn remember(&self) -> Result<(), Fault> {
        let mut office = self.office();
        let office = &mut *office;
        office.closed = true;
        let path = self.folder.join(directory::FILE);
        office.header.directory = match sqlcipher::come_to_rest(office.directory.connection(), &path) {
            Ok(()) => FileRoot::of_database(&path, |_| Ok::<(), Fault>(()))?,
            Err(_) => None,
        };
        office.state.set_pin(office.membership.pin());
        office.state.remember_log(self.log.head()?);
        self.write_header(office)?;
        let (replaces, anchor) = self.next_anchor(office)?;
        anchor::keep(&self.host.keyring, self.vault.id, replaces, anchor);
        Ok(())
    }

    /// An anchor of the vault as it is, and those it takes the place of.
    pub(super) fn next_anchor(&self, office: &Office) -> Result<(Vec<Anchor>, Anchor), Fault> {
        let pin = office.membership.pin();
        let anchor = Anchor::of((pin.length, pin.head), self.log.head()?, self.now());
        let mut own = lock(&self.anchors);
        let replaces = own.clone();
        own.push(anchor.clone());
        Ok((replaces, anchor))
    }
}

//! Changes: of a tenant's rows, of the directory, of the header. The entry is in the log before; what fails after it is told
//! to the log, too.

use std::sync::atomic::Ordering;

use coffer_crypto::derive;
use coffer_crypto::sign::SigningKey;
use coffer_model::event::Event;
use coffer_model::id::AccountId;

use super::{Actor, Core, Office, OpenTenant, lock};
use crate::chain::{Body, ChainError};
use crate::fault::{CallError, Damage, Fault};
use crate::store::directory::DirectoryTx;
use crate::store::files::{self, FileError};
use crate::store::sqlcipher::StoreError;
use crate::store::tenant::{TenantStore, TenantTx};
use crate::vault::HEADER_FILE;

impl Core {
    /// Changes a tenant's data: the entry is in the log before the rows are committed with its index, or nothing
    /// happens at all. A change that `write` refuses leaves no entry, since it was never about to happen. What the entry
    /// says may follow from what is about to be written.
    pub(crate) fn audited<T, E: From<CallError>>(
        &self,
        actor: &Actor,
        tenant: &OpenTenant,
        write: impl FnOnce(&mut TenantTx<'_>) -> Result<T, E>,
        event: impl FnOnce(&T) -> Event,
    ) -> Result<T, E> {
        self.refuse_exposed(tenant)?;
        self.audited_read(actor, tenant, write, event)
    }

    /// As [`Core::audited`], for a read of which the tenant keeps that it was: it goes on while the tenant waits for a new
    /// key. Who saw what is not what the key is changed for.
    pub(crate) fn audited_read<T, E: From<CallError>>(
        &self,
        actor: &Actor,
        tenant: &OpenTenant,
        write: impl FnOnce(&mut TenantTx<'_>) -> Result<T, E>,
        event: impl FnOnce(&T) -> Event,
    ) -> Result<T, E> {
        if tenant.importing.load(Ordering::Acquire) {
            return Err(CallError::from(Fault::Busy).into());
        }
        let mut store = tenant.writer().map_err(CallError::from)?;
        let in_tenant = |error: StoreError| self.fault(error, Damage::Tenant);
        // Authorised, then overtaken by the lock or a move, which wait for this store, or by a new key.
        self.refuse_ended()?;
        self.refuse_moved(actor)?;
        self.refuse_replaced(tenant)?;
        self.settle(tenant, &store)?;
        let mut tx = store.begin(self.now(), self.account).map_err(in_tenant)?;
        let done = write(&mut tx)?;
        self.commit(tenant, tx, event(&done))?;
        Ok(done)
    }

    /// Nothing is written to a tenant whose key somebody holds who may not read it any more.
    pub(crate) fn refuse_exposed(&self, tenant: &OpenTenant) -> Result<(), CallError> {
        let office = self.office();
        let known = office.membership.tenants.get(&tenant.id).ok_or(CallError::NotFound)?;
        if known.exposed_at(self.now()).is_some() { Err(CallError::AwaitsRekey) } else { Ok(()) }
    }

    /// A file that another one has followed meanwhile takes nothing any more.
    pub(crate) fn refuse_replaced(&self, tenant: &OpenTenant) -> Result<(), CallError> {
        let office = self.office();
        let known = office.membership.tenants.get(&tenant.id).ok_or(CallError::NotFound)?;
        let is_current = known.epoch.as_ref().is_some_and(|epoch| epoch.epoch == tenant.epoch());
        if is_current { Ok(()) } else { Err(Fault::Busy.into()) }
    }

    /// The last two steps of a write: its entry, then its rows. If the second fails, the entry is remembered as one
    /// without effect; nothing is written before that is in the log, too.
    pub(crate) fn commit(&self, tenant: &OpenTenant, tx: TenantTx<'_>, event: Event) -> Result<(), CallError> {
        let entry = self.append_write(tenant, event)?;
        tx.commit(entry).map_err(|error| self.fault(error, Damage::Tenant))?;
        *lock(&tenant.unsettled) = None;
        Ok(())
    }

    /// Tells the log of a write that failed after it was logged, if the one before did.
    pub(crate) fn settle(&self, tenant: &OpenTenant, store: &TenantStore) -> Result<(), CallError> {
        let Some(entry) = *lock(&tenant.unsettled) else { return Ok(()) };
        let before = entry.checked_sub(1);
        if self.effects_after(tenant, before, None)?.missing.contains(&entry) {
            self.append(Event::EffectMissing { tenant: tenant.id, entry })?;
            store.settle(entry).map_err(|error| self.fault(error, Damage::Tenant))?;
        }
        *lock(&tenant.unsettled) = None;
        Ok(())
    }

    /// Appends the entry of a write, with the tag that ties it to its effect.
    fn append_write(&self, tenant: &OpenTenant, event: Event) -> Result<u64, CallError> {
        self.expect_change(tenant)?;
        let tag_of = |index| {
            // From here on the entry may be in the log, whatever comes back.
            *lock(&tenant.unsettled) = Some(index);
            derive::write_tag(&tenant.tag_key, index)
        };
        let appended = self.log.append_write(self.now(), &self.origin, event, &tag_of, &mut self.random());
        Ok(appended.map_err(Fault::from)?)
    }

    /// Before the first change of a session: what was remembered of the file no longer holds.
    fn expect_change(&self, tenant: &OpenTenant) -> Result<(), CallError> {
        if tenant.changed.load(Ordering::Acquire) {
            return Ok(());
        }
        let in_directory = |error: StoreError| self.fault(error, Damage::Directory);
        let mut office = self.office();
        if office.closed {
            return Err(CallError::Locked);
        }
        let mut tx = office.directory.write().map_err(in_directory)?;
        tx.delete_file_root(tenant.id, tenant.epoch()).map_err(in_directory)?;
        tx.commit().map_err(in_directory)?;
        tenant.changed.store(true, Ordering::Release);
        Ok(())
    }

    /// Changes the directory: statements and rows in one transaction, then the membership that follows from them.
    pub(crate) fn change_directory(
        &self,
        actor: &Actor,
        event: Event,
        bodies: Vec<Body>,
        rows: impl FnOnce(&mut DirectoryTx<'_>) -> Result<(), StoreError>,
    ) -> Result<(), CallError> {
        self.change_directory_as((self.account, &self.keys.signing), actor, event, bodies, rows)
    }

    /// States something about the account itself that needs no right: what its sealed state says already.
    pub(crate) fn change_own_directory(&self, event: Event, body: Body) -> Result<(), CallError> {
        self.change_directory(&self.authorize_own_upkeep()?, event, vec![body], |_| Ok(()))
    }

    /// As [`Core::change_directory`], signed by the account or by recovery.
    pub(crate) fn change_directory_as(
        &self,
        (signer, key): (AccountId, &SigningKey),
        actor: &Actor,
        event: Event,
        bodies: Vec<Body>,
        rows: impl FnOnce(&mut DirectoryTx<'_>) -> Result<(), StoreError>,
    ) -> Result<(), CallError> {
        self.refuse_ended()?;
        self.refuse_moved(actor)?;
        self.append(event)?;
        let mut office = self.office();
        let office = &mut *office;
        if office.closed {
            return Err(CallError::Locked);
        }
        // Overtaken by a move, which holds the office.
        self.refuse_moved(actor)?;
        let in_directory = |error: StoreError| self.fault(error, Damage::Directory);
        let mut tx = office.directory.write().map_err(in_directory)?;
        // On a copy: what is not committed must leave no trace.
        let mut membership = office.membership.clone();
        for body in bodies {
            let position = membership.pin().length;
            let statement = membership.next_statement(self.now(), membership.replica, signer, key, body);
            membership.extend(&statement).map_err(refused_or_damaged)?;
            tx.insert_statement(position, &statement).map_err(in_directory)?;
        }
        rows(&mut tx).map_err(in_directory)?;
        tx.commit().map_err(in_directory)?;
        office.membership = membership;
        self.moved.store(office.membership.move_under_way().is_some(), Ordering::Release);
        Ok(())
    }

    /// Writes the header with what this account should know next time.
    pub(crate) fn write_header(&self, office: &mut Office) -> Result<(), Fault> {
        if let Some(lease) = &mut office.state.lease {
            lease.see(self.now());
        }
        office
            .header
            .entry_mut(self.account)
            .expect("the session's account is in the header it was unlocked from")
            .set_state(self.vault.id, &office.state, &self.keys.master, &mut self.random());
        let bytes = office.header.encode_next(&office.header_mac);
        files::replace_private_file(&self.folder.join(HEADER_FILE), &bytes).map_err(|error| {
            if matches!(error, FileError::NotDurable(_)) {
                self.give_up();
            }
            error.into()
        })
    }
}

/// A statement that the chain does not admit was not this program's to make.
pub(crate) fn refused_or_damaged(error: ChainError) -> CallError {
    match error {
        ChainError::Authority => CallError::Refused,
        error => Fault::from(error).into(),
    }
}

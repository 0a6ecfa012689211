//! New keys after somebody left, or whenever wanted: a tenant's, the directory's, the log's, the office's.
//! Layout: docs/FORMAT.md §5.13.
//!
//! A tenant is copied into a new file under a new key, attachments and all, and only the statement makes that file the
//! tenant's. Stopped before, the new file is nothing; stopped after, the old one is swept at the next unlocking. Never in
//! place.

use std::fs;
use std::mem::replace;
use std::sync::Arc;

use coffer_crypto::derive;
use coffer_crypto::seal;
use coffer_crypto::secret::{DirectoryKey, SealingSeed, TenantKey};
use coffer_crypto::sign::SigningKey;
use coffer_crypto::wrap;
use coffer_model::event::Event;
use coffer_model::grant::Right;
use coffer_model::id::{AccountId, TenantId};
use coffer_model::time::Timestamp;

use super::attachments::AttachedReader;
use super::backup::alone;
use super::create::sixteen;
use super::glass::{self, GlassError};
use super::grants::GrantError;
use super::records::in_tenant;
use super::seal::Sealing;
use super::tenants::{office_name_context, tenant_recovery_context};
use crate::chain::{self, Body, DirectoryKeyed, EpochOpened, PairReplaced, RecoveryReplaced};
use crate::fault::{CallError, Damage, Fault};
use crate::job::{JobContext, JobError, JobHandle};
use crate::keys::{SharedKey, directory_context, directory_kid, directory_recovery_context, pair_context};
use crate::policy::Action;
use crate::session::{
    Actor, Core, OpenTenant, Session, lock, refused_or_damaged, tenant_name_context, tenant_path, tenant_scope,
};
use crate::store::attached::AttachedFiles;
use crate::store::directory::{EpochRow, Holder, SharedPair};
use crate::store::file_root::FileRoot;
use crate::store::files;
use crate::store::sqlcipher::{self, StoreError};
use crate::vault::TENANTS_FOLDER;
use crate::view::{PendingKey, PendingKeyView, ProgressUnit};

impl Session {
    /// Starts giving a tenant a new key, as a job whose progress counts bytes. Whoever held only the old one reads nothing
    /// that is written from then on. Work in the tenant waits meanwhile.
    pub fn start_rekey_tenant(&self, tenant: TenantId) -> Result<JobHandle<()>, CallError> {
        self.authorize(Action::RekeyTenant, Some(tenant))?;
        let core = Arc::clone(&self.core);
        let job = JobHandle::start("rekey", ProgressUnit::Bytes, move |context| {
            let actor = core.authorize(Action::RekeyTenant, Some(tenant))?;
            let open = core.open_tenant(&actor, tenant)?;
            context.set_total(size_of(&open));
            let signer = (core.account, &core.keys.signing);
            Rekeying { core: &core, context, actor: &actor, open: &open, signer }.run()
        });
        self.core.adopt(job.lease());
        Ok(job)
    }

    /// Starts replacing every key that somebody holds who may not any more, as far as this account can. Gives what is still
    /// pending afterwards.
    pub fn start_rekeying(&self) -> JobHandle<Vec<PendingKeyView>> {
        let core = Arc::clone(&self.core);
        let job = JobHandle::start("rekeying", ProgressUnit::Bytes, move |context| core.replace_pending(context));
        self.core.adopt(job.lease());
        job
    }

    /// Gives the directory a new key: an account that left opens nothing of it from now on.
    pub fn rekey_directory(&self) -> Result<(), CallError> {
        let actor = self.authorize(Action::RekeyDirectory, None)?;
        // A backup must not meet a directory that is just being replaced.
        let _alone = lock(&self.core.backups);
        self.core.rekey_directory(&actor, None)
    }

    /// Has the log go on under a new key.
    pub fn replace_audit_key(&self) -> Result<(), CallError> {
        let actor = self.authorize(Action::ReplaceAuditKey, None)?;
        self.core.replace_pair(&actor, SharedPair::Audit)
    }

    /// Replaces the key of administrators and auditors together.
    pub fn replace_office_key(&self) -> Result<(), CallError> {
        let actor = self.authorize(Action::ReplaceOfficeKey, None)?;
        self.core.replace_pair(&actor, SharedPair::Office)
    }
}

impl Core {
    fn replace_pending(&self, context: &JobContext) -> Result<Vec<PendingKeyView>, JobError> {
        let pending: Vec<PendingKeyView> = self.people().pending.into_iter().filter(|key| key.can_replace).collect();
        // First what tenants' names are sealed to.
        for key in &pending {
            context.check()?;
            match key.key {
                PendingKey::Audit => {
                    self.replace_pair(&self.authorize(Action::ReplaceAuditKey, None)?, SharedPair::Audit)?;
                }
                PendingKey::Office => {
                    self.replace_pair(&self.authorize(Action::ReplaceOfficeKey, None)?, SharedPair::Office)?;
                }
                PendingKey::Tenant | PendingKey::TenantRecovery | PendingKey::Directory => {}
            }
        }
        let mut tenants = Vec::new();
        for key in &pending {
            if let (PendingKey::Tenant | PendingKey::TenantRecovery, Some(tenant)) = (key.key, key.tenant) {
                let actor = self.authorize(Action::RekeyTenant, Some(tenant))?;
                tenants.push((self.open_tenant(&actor, tenant)?, actor));
            }
        }
        context.set_total(tenants.iter().map(|(open, _)| size_of(open)).sum());
        for (open, actor) in &tenants {
            context.check()?;
            let signer = (self.account, &self.keys.signing);
            Rekeying { core: self, context, actor, open, signer }.run()?;
        }
        if pending.iter().any(|key| key.key == PendingKey::Directory) {
            // A backup must not meet a directory that is just being replaced.
            let _alone = alone(self, context)?;
            self.rekey_directory(&self.authorize(Action::RekeyDirectory, None)?, None)?;
        }
        Ok(self.people().pending)
    }

    /// A new file with a new key takes the directory's place when the header opens it: one moment decides. If recovery is
    /// `renewed` with it, that is stated in the new file alone as well.
    pub(super) fn rekey_directory(&self, actor: &Actor, renewed: Option<RecoveryReplaced>) -> Result<(), CallError> {
        let vault = self.vault.id;
        let in_directory = |error: StoreError| self.fault(error, Damage::Directory);
        let mut random = self.random();
        let key = DirectoryKey::generate(&mut random);
        if renewed.is_some() {
            self.record(actor, Event::RecoveryRenewed)?;
        }
        self.record(actor, Event::DirectoryRekeyed)?;
        let mut office = self.office();
        let office = &mut *office;
        if office.is_closed() {
            return Err(CallError::Locked);
        }
        let generation = office.membership.directory_generation + 1;
        let kid = directory_kid(&key, vault, generation);
        let database_key = derive::derive_directory_database_key(&key, vault.as_bytes());

        // The copy states its own key. The old file knows nothing of it, and goes on if this comes to nothing.
        let mut next = office.directory.copy_to_next(&self.folder, &database_key).map_err(in_directory)?;
        let mut membership = office.membership.clone();
        let is_renewed = renewed.is_some();
        let keyed = Body::DirectoryKeyed(DirectoryKeyed { generation, kid: kid.into() });
        let mut tx = next.write().map_err(in_directory)?;
        for body in renewed.map(Body::RecoveryReplaced).into_iter().chain([keyed]) {
            let position = membership.pin().length;
            let signing = &self.keys.signing;
            let statement = membership.next_statement(self.now(), membership.replica, self.account, signing, body);
            membership.extend(&statement).map_err(refused_or_damaged)?;
            tx.insert_statement(position, &statement).map_err(in_directory)?;
        }
        let recovery = &membership.recovery().sealing;
        if is_renewed {
            let number = membership.recovery_number();
            let holder = Holder::Recovery(number);
            for seed in office.shared.seal(vault, holder, recovery, |_, _| true, &mut random) {
                seed.store(&mut tx).map_err(in_directory)?;
            }
            tx.delete_pair_seeds(Holder::Recovery(number - 1)).map_err(in_directory)?;
        }
        tx.commit().map_err(in_directory)?;
        next.come_to_rest_as_next(&self.folder).map_err(in_directory)?;

        let mut header = office.header.clone();
        header.directory_generation = generation;
        header.directory_for_recovery =
            seal::seal_key_to(recovery, &key, &directory_recovery_context(vault, generation), &mut random).into();
        header.shares_cache = membership.recovery().share_digests();
        let accounts = membership.accounts.iter().map(|(&id, account)| (id, &account.sealing));
        let now = self.now();
        let open = membership.invitations.iter().filter(|(_, invitation)| now <= invitation.expires_at);
        let invited = open.map(|(&id, invitation)| (id, &invitation.sealing));
        header.directory_for.clear();
        for (account, to) in accounts.chain(invited) {
            let context = directory_context(vault, account, generation);
            header.seal_directory_to(account, seal::seal_key_to(to, &key, &context, &mut random));
        }
        let header_mac = derive::derive_header_mac_key(&key, vault.as_bytes());
        let before = (replace(&mut office.header, header), replace(&mut office.header_mac, header_mac));
        let pin = office.state.pin();
        office.state.set_pin(membership.pin());
        // From here on the new key counts, whatever is stopped.
        if let Err(fault) = self.write_header(office) {
            (office.header, office.header_mac) = before;
            office.state.set_pin(&pin);
            return Err(fault.into());
        }
        (office.directory_key, office.membership) = (key, membership);
        office.replace_directory(next, &self.folder, &database_key).map_err(|error| {
            // The header opens the file that waits. Locking must not take the root of the other one.
            self.give_up();
            in_directory(error)
        })
    }

    fn replace_pair(&self, actor: &Actor, pair: SharedPair) -> Result<(), CallError> {
        let vault = self.vault.id;
        let mut random = self.random();
        let (number, recovery) = {
            let office = self.office();
            let membership = &office.membership;
            let holder = Holder::Recovery(membership.recovery_number());
            // Until this account trusts it somebody else hands the key on.
            let trusted = membership.trusts_recovery(self.account);
            (membership.number_of(pair) + 1, trusted.then(|| (membership.recovery().sealing.clone(), holder)))
        };
        let key = SharedKey::of(number, SealingSeed::generate(&mut random));
        let public = PairReplaced { public: key.pair.public_key().encode().into() };
        let (event, body) = match pair {
            SharedPair::Audit => (Event::AuditKeyReplaced, Body::AuditReplaced(public)),
            SharedPair::Office => (Event::OfficeKeyReplaced, Body::OfficeReplaced(public)),
        };
        let seal = |to, holder| {
            seal::seal_key_to(to, &key.seed, &pair_context(vault, pair, number, holder), &mut self.random())
        };
        let for_recovery = recovery.as_ref().map(|(to, holder)| (*holder, seal(to, *holder)));
        let own = seal(self.keys.sealing.public_key(), Holder::Account(self.account));
        self.change_directory(actor, event, vec![body], |tx| {
            for_recovery.iter().try_for_each(|(holder, sealed)| tx.set_pair_seed(pair, number, *holder, sealed))?;
            tx.set_pair_seed(pair, number, Holder::Account(self.account), &own)
        })?;
        let public = key.pair.public_key().clone();
        {
            let mut office = self.office();
            match pair {
                SharedPair::Audit => {
                    office.shared.audit.push(Arc::new(key));
                    self.log.change_key(&public, &mut random).map_err(Fault::from)?;
                    // Only now: by a header of before, the next unlocking knows that the log has not followed.
                    office.header.audit_cache = public.encode().into();
                    self.write_header(&mut office)?;
                }
                SharedPair::Office => office.shared.office.push(Arc::new(key)),
            }
        }
        self.share_pairs()
    }
}

/// Bytes of a tenant's file and its attachments, roughly: for the progress.
fn size_of(open: &OpenTenant) -> u64 {
    let mut attached = 0;
    let read = open.read(|store| store.files(|file| attached += file.bytes));
    let file = fs::metadata(&open.path).map_or(0, |facts| facts.len());
    if read.is_ok() { file + attached } else { file }
}

/// One tenant while it gets a new key.
pub(super) struct Rekeying<'j> {
    pub(super) core: &'j Core,
    pub(super) context: &'j JobContext,
    pub(super) actor: &'j Actor,
    pub(super) open: &'j OpenTenant,
    /// Who states it: a steward, or recovery for the account that becomes one.
    pub(super) signer: (AccountId, &'j SigningKey),
}

impl Rekeying<'_> {
    pub(super) fn run(&self) -> Result<(), JobError> {
        // Before minutes of work.
        if self.core.office().membership.recovery_for(self.open.id, self.signer.0).is_none() {
            return Err(CallError::RecoveryUnconfirmed.into());
        }
        // A backup would meet files that come and go.
        let _alone = alone(self.core, self.context)?;
        // Nothing is written from here on until the new file is the tenant's, and nothing that was read is too old.
        let held = self.open.import()?;
        self.core.settle(self.open, &held.writer)?;
        let (file, key) = {
            let mut random = self.core.random();
            (sixteen(&mut random), TenantKey::generate(&mut random))
        };
        let path = tenant_path(&self.core.folder, &file);
        let scope = tenant_scope(self.core.vault.id, self.open.id, self.open.epoch() + 1);
        let database_key = derive::derive_tenant_database_key(&key, &scope);
        let mut copied = 0;
        let step = |done: u64, _| {
            self.context.advance((done - copied) * sqlcipher::PAGE_BYTES);
            copied = done;
            self.context.check().map_err(|_| StoreError::Interrupted)
        };
        let copy = held.writer.copy_to_next_epoch(&path, &database_key, step);
        copy.map_err(|error| match error {
            StoreError::Interrupted => {
                JobError::from(self.context.check().err().unwrap_or(crate::job::Stopped::Cancelled))
            }
            error => self.core.fault(error, Damage::Tenant).into(),
        })?;
        let next = OpenTenant::open(&self.core.folder, &file, self.open.name.clone(), scope, key);
        if let Err(error) = next.map_err(JobError::from).and_then(|next| self.fill_and_state(&next, &file)) {
            // After a write that may not have reached the disk the statement may stand all the same, and name this file.
            if !self.core.is_given_up() {
                let _ = AttachedFiles::of(&self.core.folder, &file).remove_all();
                let _ = files::remove_database(&path);
            }
            return Err(error);
        }
        self.core.close_tenant(self.open.id);
        drop(held);
        // Nobody is told if that fails: the next unlocking tries again.
        let _ = self.open.files.remove_all();
        let _ = files::remove_database(&self.open.path);
        Ok(())
    }

    fn fill_and_state(&self, next: &OpenTenant, file: &[u8; 16]) -> Result<(), JobError> {
        self.seal_attachments(next)?;
        let root = {
            let writer = next.writer()?;
            sqlcipher::come_to_rest(writer.connection(), &next.path).map_err(in_tenant)?;
            FileRoot::of_database(&next.path, |_| Ok::<(), Fault>(()))?
        };
        files::sync_folder(&self.core.folder.join(TENANTS_FOLDER)).map_err(Fault::from)?;
        self.context.check()?;
        self.state(next, file, root.as_ref())
    }

    /// Encrypts every attachment anew, under its new name.
    fn seal_attachments(&self, next: &OpenTenant) -> Result<(), JobError> {
        let mut attached = Vec::new();
        self.open.read(|store| store.files(|file| attached.push(file)))?;
        let sealing = Sealing { core: self.core, open: next, context: self.context };
        for old in attached {
            let reader = AttachedReader::open(self.core, self.open, &old)?;
            let unreadable = |error| self.core.attached_unreadable(error).into();
            let sealed = sealing.seal(reader, old.bytes, unreadable)?;
            sealed.new.publish().map_err(|error| sealing.failed(error))?;
            let writer = next.writer()?;
            writer.replace_file(&old.file, &sealed.file, &sealed.digest).map_err(in_tenant)?;
            self.context.advance(old.bytes);
        }
        Ok(())
    }

    /// Makes the new file the tenant's, and grants it to those who have a right on it now.
    fn state(&self, next: &OpenTenant, file: &[u8; 16], root: Option<&FileRoot>) -> Result<(), JobError> {
        let core = self.core;
        let (vault, tenant, epoch) = (core.vault.id, next.id, next.epoch());
        let (row, survivors) = {
            let mut random = core.random();
            let office = core.office();
            let context = tenant_recovery_context(vault, tenant, epoch);
            let name = next.name.as_bytes();
            let recovery = office.membership.recovery_for(tenant, self.signer.0);
            let recovery = recovery.ok_or(CallError::RecoveryUnconfirmed)?;
            let row = EpochRow {
                for_recovery: seal::seal_key_to(&recovery.sealing, &next.key, &context, &mut random),
                name_for_office: seal::seal_to(
                    office.membership.office(),
                    name,
                    &office_name_context(vault, tenant),
                    &mut random,
                ),
                name_for_holders: wrap::seal(&next.key, name, &tenant_name_context(vault, tenant), &mut random),
            };
            (row, self.survivors(&office.membership))
        };
        let kid = *derive::derive_kid(&next.key, &next.scope).as_bytes();
        let mut bodies = vec![Body::EpochOpened(EpochOpened {
            tenant,
            epoch,
            kid: kid.into(),
            file: (*file).into(),
            recovery: chain::digest(&row.for_recovery).into(),
            name_for_office: chain::digest(&row.name_for_office).into(),
            name_for_holders: chain::digest(&row.name_for_holders).into(),
        })];
        let mut keys = Vec::new();
        for (account, right, expires_at) in survivors {
            let (granted, sealed) = core.seal_grant(next, account, right, expires_at).map_err(|error| match error {
                GrantError::Call(error) => JobError::from(error),
                _ => JobError::from(CallError::NotFound),
            })?;
            bodies.push(Body::Granted(granted));
            keys.push((account, sealed));
        }
        // Custodians of the key before are those of this one; recovery names none.
        let custodians =
            if self.is_by_account() { glass::remaining(&core.office().membership, tenant) } else { Vec::new() };
        let (prepared, shares) = core.split_among(next, &custodians).map_err(|error| match error {
            GlassError::Call(error) => JobError::from(error),
            _ => JobError::from(CallError::NotFound),
        })?;
        if !custodians.is_empty() {
            bodies.push(Body::GlassPrepared(prepared));
        }
        core.change_directory_as(self.signer, self.actor, Event::TenantRekeyed(tenant), bodies, |tx| {
            tx.delete_epoch(tenant, epoch - 1)?;
            tx.insert_epoch(tenant, epoch, &row)?;
            tx.set_glass_shares(tenant, epoch, &shares)?;
            keys.iter().try_for_each(|(account, sealed)| tx.set_tenant_key(tenant, epoch, *account, sealed))?;
            root.map_or(Ok(()), |root| tx.insert_file_root(tenant, epoch, root))
        })?;
        Ok(())
    }

    /// Who may read the tenant now, whoever states the epoch first: it grants to itself before it grants to others.
    fn survivors(&self, membership: &chain::Membership) -> Vec<(AccountId, Right, Option<Timestamp>)> {
        let (core, now) = (self.core, self.core.now());
        let mut survivors = vec![(core.account, Right::Steward, None)];
        for ((tenant, account), grant) in &membership.grants {
            if *tenant != self.open.id || !membership.accounts.contains_key(account) {
                continue;
            }
            let Some(right) = membership.right(*tenant, *account, now) else { continue };
            let expires_at = grant.expires_ms.and_then(|millis| Timestamp::from_unix_millis(millis).ok());
            if *account == core.account {
                survivors[0] = (core.account, Right::Steward.max(right), expires_at.filter(|_| self.is_by_account()));
            } else {
                survivors.push((*account, right, expires_at));
            }
        }
        survivors
    }

    fn is_by_account(&self) -> bool {
        self.signer.0 == self.core.account
    }
}

//! Backups: made while locked or unlocked, verified by whoever holds a key that opens them.
//! Layout: docs/FORMAT.md, "Backups".
//!
//! Locked, a backup is this device's doing: the vault's lock keeps everybody else out, and nothing is opened but the
//! log. Unlocked, writers are stopped for the moment it takes to hold every database still, then go on while the files
//! are copied. Either way the log entry, and unlocked the receipt in the chain, come before the file gets its name.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use coffer_crypto::derive;
use coffer_evidence::manifest::{BackupPath, Manifest, ManifestHead};
use coffer_evidence::note::SignedNote;
use coffer_model::account::Role;
use coffer_model::event::Event;
use coffer_model::id::VaultId;

use crate::audit::{AuditLog, CheckpointSigner, EntryOrigin, LogCopy};
use crate::backup::BackupError;
use crate::backup::archive::{self, SourceFile, Written};
use crate::backup::collect::{self, Collected};
use crate::backup::memory::BackupMemory;
use crate::backup::restore;
use crate::chain::{self, BackupMade, Body, ChainPin, DeviceEnrolled};
use crate::device::{BackupPlan, DeviceKeys, PLAN_FILE, PLAN_MAX_BYTES, SignedPlan};
use crate::fault::{CallError, Damage, Fault};
use crate::host::{self, Host};
use crate::job::{JobContext, JobError, JobHandle};
use crate::kit::ReadKit;
use crate::policy::Action;
use crate::session::{Core, OpenTenant, Session};
use crate::store::error::StoreError;
use crate::store::files::{self, NewFile, VaultLock};
use crate::store::snapshot::HeldTenant;
use crate::store::sqlcipher;
use crate::vault::{Vault, read_header};
use crate::view::{BackupView, ProgressUnit};

/// What opens a backup.
#[derive(Debug)]
pub enum BackupIdentity {
    /// This device, for backups of the vault in the folder named.
    Device(PathBuf),
    /// The recovery kit of the backup's vault.
    RecoveryKit(ReadKit),
}

/// This device's keys for a vault, and what they open in its folder.
pub(super) struct OnDevice {
    pub(super) vault: VaultId,
    pub(super) keys: DeviceKeys,
    pub(super) plan: BackupPlan,
    signed: SignedPlan,
    pub(super) memory: Option<BackupMemory>,
}

impl OnDevice {
    /// Loads them for the vault in `folder`.
    pub(super) fn load(host: &Host, folder: &Path, vault: VaultId) -> Result<Self, BackupError> {
        let damaged = |_| Fault::Damaged(Damage::BackupPlan);
        let material = host.devices.load(vault).map_err(Fault::from)?.ok_or(BackupError::NoDeviceKey)?;
        let keys = DeviceKeys::parse(material.secret.expose()).map_err(damaged)?;
        let sealed = match files::read_private_file(&folder.join(PLAN_FILE), PLAN_MAX_BYTES) {
            Err(files::FileError::Missing) => return Err(BackupError::NoDeviceKey),
            read => read.map_err(Fault::from)?,
        };
        let signed = keys.open_plan(vault, &sealed).map_err(|_| BackupError::NoDeviceKey)?;
        let plan = BackupPlan::parse(&signed, vault).map_err(damaged)?;
        let memory = BackupMemory::load(folder, vault, &keys).map_err(Fault::from)?;
        Ok(Self { vault, keys, plan, signed, memory })
    }

    /// Loads them for the vault whose header is in `folder`.
    pub(super) fn load_at(host: &Host, folder: &Path) -> Result<Self, BackupError> {
        let header = read_header(folder)?;
        Self::load(host, folder, header.vault)
    }
}

impl Vault {
    /// Starts a backup to `file`, where nothing may be. The vault stays locked.
    pub fn start_backup(&self, file: &Path) -> JobHandle<BackupView> {
        let (host, folder, vault) = (self.host.clone(), self.folder.clone(), self.id());
        let file = file.to_owned();
        JobHandle::start("backup", ProgressUnit::Bytes, move |context| {
            back_up_locked(&host, &folder, vault, &file, context)
        })
    }
}

fn back_up_locked(
    host: &Host,
    folder: &Path,
    vault: VaultId,
    file: &Path,
    context: &JobContext,
) -> Result<BackupView, JobError> {
    restore::refuse_existing(file)?;
    let _lock = VaultLock::acquire(folder, &Vault::holder(host)).map_err(BackupError::from)?;
    let device = OnDevice::load(host, folder, vault)?;
    // Only a session can know the chain; before the first one has ended, this device remembers nothing.
    let memory = device.memory.as_ref().ok_or(BackupError::NoDeviceKey)?;
    let header = read_header(folder)?;
    let log = AuditLog::open_locked(folder, vault, &header.audit_cache).map_err(Fault::from)?;
    let log_copy = log.hold_for_copy().map_err(Fault::from)?;
    let is_log = |path: &BackupPath| path.as_str() == BackupPath::AUDIT;
    let sources = Collected::open(folder, is_log).map_err(BackupError::from)?.into_files();
    let counter = memory.newest + 1;
    let head = manifest_head(host, vault, counter, &memory.pin(), &log_copy);
    let view = write_file(file, &device, head, &sources, context, |_| {
        let mut random = host::crypto_random(host);
        let origin = EntryOrigin::locked(&host.identity);
        log.append(host.clock.now(), &origin, Event::BackupExported { counter }, &mut random).map_err(Fault::from)?;
        let device_key = device.keys.signing_key();
        log.checkpoint(host.clock.now(), &CheckpointSigner::device(vault, &device_key)).map_err(Fault::from)?;
        memory.clone().with(counter).save(folder, vault, &device.keys, &mut random).map_err(Fault::from)?;
        Ok(())
    })?;
    drop(log_copy);
    Ok(view)
}

impl Session {
    /// Starts a backup to `file`, where nothing may be. Work in the vault goes on meanwhile.
    pub fn start_backup(&self, file: &Path) -> JobHandle<BackupView> {
        let core = Arc::clone(&self.core);
        let file = file.to_owned();
        let job = JobHandle::start("backup", ProgressUnit::Bytes, move |context| back_up(&core, &file, context));
        self.core.adopt(job.lease());
        job
    }

    /// The backups made of this vault, newest first, as their receipts say.
    pub fn backups(&self) -> Result<Vec<BackupView>, CallError> {
        self.authorize(Action::VerifyBackup, None)?;
        let notes = self.core.office().directory.backup_manifests();
        let notes = notes.map_err(|error| error.into_fault(Damage::Directory))?;
        let mut views = Vec::with_capacity(notes.len());
        for note in &notes {
            let damaged = || CallError::Fault(Fault::Damaged(Damage::Directory));
            let note = std::str::from_utf8(note).map_err(|_| damaged())?;
            let signed = SignedNote::parse(note).map_err(|_| damaged())?;
            let manifest = Manifest::parse(signed.unverified_text()).map_err(|_| damaged())?;
            // The list is of receipts: each is the newest when it was made, so none is marked as outdated.
            views.push(view(&manifest, manifest.head.counter));
        }
        Ok(views)
    }

    /// Starts looking whether the backup in `file` is whole and this vault's. Writes nothing but a log entry.
    pub fn start_verify_backup(&self, file: &Path) -> JobHandle<BackupView> {
        let core = Arc::clone(&self.core);
        let file = file.to_owned();
        let job = JobHandle::start("verify-backup", ProgressUnit::Bytes, move |context| {
            let actor = core.authorize(Action::VerifyBackup, None)?;
            let device = OnDevice::load(&core.host, &core.folder, core.vault.id)?;
            let devices = core.office().membership.devices.clone();
            let manifest = verify(&file, &device, &devices, context)?;
            core.record(&actor, Event::BackupVerified { counter: manifest.head.counter })?;
            Ok(view(&manifest, newest_known(&core, &device)))
        });
        self.core.adopt(job.lease());
        job
    }
}

/// Starts looking whether the backup in `file` is whole and whose it is. Writes nothing.
///
/// With the recovery kit, what can be said without unpacking is said: that the backup was made for this kit, is equal
/// to its manifest, byte for byte. Whether a device of the vault signed the manifest is known once it is restored, which
/// refuses it otherwise.
pub fn start_verify_backup(host: &Host, file: &Path, identity: BackupIdentity) -> JobHandle<BackupView> {
    let (host, file) = (host.clone(), file.to_owned());
    JobHandle::start("verify-backup", ProgressUnit::Bytes, move |context| match identity {
        BackupIdentity::Device(folder) => {
            let device = OnDevice::load_at(&host, &folder)?;
            let manifest = verify(&file, &device, &device.trusted(), context)?;
            let newest = device.memory.as_ref().map_or(0, |memory| memory.newest);
            Ok(view(&manifest, newest))
        }
        BackupIdentity::RecoveryKit(kit) => super::restore::verify_with_kit(&file, &kit.seed, context),
    })
}

impl OnDevice {
    /// Whose signatures count while locked: the devices the chain certified when a session last looked, and this one.
    pub(super) fn trusted(&self) -> Vec<coffer_crypto::sign::VerifyingKey> {
        let mut devices = self.memory.as_ref().map_or_else(Vec::new, BackupMemory::devices);
        devices.push(self.keys.signing_key().verifying_key());
        devices
    }
}

fn verify(
    file: &Path,
    device: &OnDevice,
    devices: &[coffer_crypto::sign::VerifyingKey],
    context: &JobContext,
) -> Result<Manifest, JobError> {
    let backup = restore::open_backup(file)?;
    let read = archive::read(&backup, &[&device.plan.identity()], &mut archive::Nowhere, context)?;
    if read.claims().head.vault != device.vault {
        return Err(BackupError::OtherVault.into());
    }
    Ok(read.authenticate(devices)?.clone())
}

fn back_up(core: &Core, file: &Path, context: &JobContext) -> Result<BackupView, JobError> {
    let actor = core.authorize(Action::ExportBackup, None)?;
    restore::refuse_existing(file)?;
    let device = OnDevice::load(&core.host, &core.folder, core.vault.id)?;
    certify_device(core, &device)?;
    let still = Still::hold(core)?;
    let counter = newest_known(core, &device) + 1;
    let head = manifest_head(&core.host, core.vault.id, counter, &still.pin, &still.log);
    let view = write_file(file, &device, head, &still.sources, context, |written| {
        // The right may have gone while the files were copied.
        core.authorize(Action::ExportBackup, None)?;
        let note = written.note.as_bytes();
        let made = Body::BackupMade(BackupMade { counter, manifest: chain::digest(note).into() });
        core.change_directory(&actor, Event::BackupExported { counter }, vec![made], |tx| {
            tx.insert_backup(counter, note)
        })?;
        remember(core, &device)?;
        Ok(())
    })?;
    Ok(view)
}

/// The newest backup's number, as far as the chain or this device knows.
fn newest_known(core: &Core, device: &OnDevice) -> u64 {
    let in_chain = core.office().membership.newest_backup.as_ref().map_or(0, |newest| newest.counter);
    in_chain.max(device.memory.as_ref().map_or(0, |memory| memory.newest))
}

/// Writes down, for when nobody is unlocked, what the chain says now.
fn remember(core: &Core, device: &OnDevice) -> Result<(), Fault> {
    let memory = BackupMemory::of(&core.office().membership, device.memory.as_ref());
    Ok(memory.save(&core.folder, core.vault.id, &device.keys, &mut core.random())?)
}

/// Writes down, as a session begins, what locked backups need to know. On a thread of its own, because a keyring may take
/// its time. A lock does not stop it: it uses no key of the session, and holds the vault's lock until it has ended, so
/// that no other process can count on in between.
pub(crate) fn remember_in_background(core: &Arc<Core>) {
    let held = Arc::clone(core);
    let job = JobHandle::start("remember-backups", ProgressUnit::Entries, move |_| {
        let device = OnDevice::load(&held.host, &held.folder, held.vault.id)?;
        let memory = BackupMemory::of(&held.office().membership, device.memory.as_ref());
        if device.memory.as_ref() != Some(&memory) {
            memory.save(&held.folder, held.vault.id, &device.keys, &mut held.random()).map_err(Fault::from)?;
        }
        Ok(())
    });
    // Without this device's key there is nothing to remember, and a locked backup says so when it is asked for.
    core.adopt(job.lease());
}

/// A restored vault's device, or a new one, has a key that no statement certifies yet: an administrator's session does.
fn certify_device(core: &Core, device: &OnDevice) -> Result<(), JobError> {
    let key = device.keys.signing_key().verifying_key();
    if core.office().membership.devices.contains(&key) {
        // Whoever holds this device's key could have put a plan of their own in the place of the administrator's.
        let office = core.office();
        let signer = office.membership.accounts.get(&device.signed.signer);
        let by_administrator = signer.is_some_and(|account| {
            account.roles.contains(Role::Administrator) && device.signed.verify(&account.signing)
        });
        return if by_administrator { Ok(()) } else { Err(Fault::Damaged(Damage::BackupPlan).into()) };
    }
    let actor = core.authorize(Action::ExportBackup, None)?;
    let enrolled = Body::DeviceEnrolled(DeviceEnrolled { signing: key.encode().into() });
    core.change_directory(&actor, Event::DeviceEnrolled, vec![enrolled], |_| Ok(()))?;
    // The plan was put together without an administrator at hand.
    let signed = device.plan.sign(core.account, &core.keys.signing);
    let sealed = device.keys.seal_plan(core.vault.id, &signed, &mut core.random());
    files::replace_private_file(&core.folder.join(PLAN_FILE), &sealed).map_err(Fault::from)?;
    Ok(())
}

/// Everything of an unlocked vault, held still for as long as this lives.
struct Still {
    sources: Vec<SourceFile>,
    pin: ChainPin,
    log: LogCopy,
    _tenants: Vec<HeldTenant>,
}

impl Still {
    /// Stops writers, holds every database, lets writers go on.
    fn hold(core: &Core) -> Result<Self, JobError> {
        // A tenant this account may open could be opened at any moment, so it is opened now. The files of the others
        // nobody has open: the vault's lock is this session's.
        let tenants = open_all(core)?;
        if tenants.iter().any(|tenant| tenant.is_importing()) {
            return Err(Fault::Busy.into());
        }
        let writers: Vec<_> = tenants.iter().map(|tenant| tenant.writer()).collect();
        let in_tenant = |error: StoreError| error.into_fault(Damage::Tenant);
        let mut held = Vec::with_capacity(tenants.len());
        for (tenant, writer) in tenants.iter().zip(&writers) {
            let key = derive::derive_tenant_database_key(&tenant.key, &tenant.scope);
            held.push(HeldTenant::hold(writer, &tenant.path, &key).map_err(in_tenant)?);
        }
        let office = core.office();
        sqlcipher::checkpoint(office.directory.connection())
            .map_err(|error: StoreError| error.into_fault(Damage::Directory))?;
        let log = core.log.hold_for_copy().map_err(Fault::from)?;

        let is_held = |path: &BackupPath| {
            matches!(path.as_str(), BackupPath::AUDIT | BackupPath::DIRECTORY)
                || tenants.iter().any(|tenant| tenant.path == collect::place(&core.folder, path))
        };
        let mut collected = Collected::open(&core.folder, is_held).map_err(BackupError::from)?;
        // Small, and its only connection is needed again: read now rather than held.
        let path = BackupPath::parse(BackupPath::DIRECTORY).expect("a constant that is a path");
        let directory = fs::read(collect::place(&core.folder, &path)).map_err(files::FileError::from);
        collected.put(path, directory.map_err(Fault::from)?);
        let pin = *office.membership.pin();
        Ok(Self { sources: collected.into_files(), pin, log, _tenants: held })
    }
}

/// Opens every tenant this account holds the key of; each opening is logged, as ever.
fn open_all(core: &Core) -> Result<Vec<Arc<OpenTenant>>, JobError> {
    let now = core.now();
    let granted: Vec<_> = {
        let office = core.office();
        let membership = &office.membership;
        let opens = |tenant| membership.right(tenant, core.account, now).is_some();
        membership.tenants.keys().copied().filter(|&tenant| opens(tenant)).collect()
    };
    let mut open = Vec::with_capacity(granted.len());
    for tenant in granted {
        let actor = core.authorize(Action::ListRecords, Some(tenant))?;
        open.push(core.open_tenant(&actor, tenant)?);
    }
    Ok(open)
}

fn manifest_head(host: &Host, vault: VaultId, counter: u64, pin: &ChainPin, log: &LogCopy) -> ManifestHead {
    ManifestHead {
        vault,
        counter,
        made_at: host.clock.now(),
        chain_length: pin.length,
        chain_head: pin.head,
        log_size: log.size,
        log_root: log.root,
    }
}

/// Writes the backup beside its place, runs `announce`, and gives it its name.
fn write_file(
    file: &Path,
    device: &OnDevice,
    head: ManifestHead,
    sources: &[SourceFile],
    context: &JobContext,
    announce: impl FnOnce(&Written) -> Result<(), JobError>,
) -> Result<BackupView, JobError> {
    let mut new = NewFile::beside(file).map_err(BackupError::from)?;
    let key = device.keys.signing_key();
    let written = archive::write(new.as_file_mut(), &device.plan.recipients, head, sources, &key, context)?;
    context.check()?;
    announce(&written)?;
    new.publish().map_err(BackupError::from)?;
    Ok(view(&written.manifest, head.counter))
}

/// What is said of a backup, `newest` being the newest number known.
pub(super) fn view(manifest: &Manifest, newest: u64) -> BackupView {
    BackupView {
        vault: manifest.head.vault,
        counter: manifest.head.counter,
        made_at: manifest.head.made_at,
        files: manifest.files().len() as u64,
        bytes: manifest.total_bytes(),
        log_entries: manifest.head.log_size,
        chain_length: manifest.head.chain_length,
        newer_known: newest > manifest.head.counter,
    }
}

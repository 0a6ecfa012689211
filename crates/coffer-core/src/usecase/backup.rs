//! Backups: made while locked or unlocked, verified by whoever holds a key that opens them.
//! Layout: docs/FORMAT.md, "Backups".
//!
//! Locked, a backup is this device's doing: the vault's lock keeps everybody else out, and nothing is opened but the
//! log. Unlocked, writers are stopped for the moment it takes to hold every database still, then go on while the files
//! are copied. Either way the log entry comes before the file gets its name, and the receipt after: a session files it in
//! the chain at once, a locked device remembers it for the next administrator's session.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, MutexGuard, TryLockError};
use std::thread;
use std::time::Duration;

use coffer_crypto::derive;
use coffer_crypto::sign::VerifyingKey;
use coffer_evidence::manifest::{BackupPath, Manifest, ManifestHead};
use coffer_evidence::note::SignedNote;
use coffer_model::account::Role;
use coffer_model::event::Event;
use coffer_model::id::VaultId;

use super::devices::{self, OnDevice};
use crate::audit::{AuditLog, CheckpointSigner, EntryOrigin, LogCopy};
use crate::backup::BackupError;
use crate::backup::archive::{self, SourceFile, Written};
use crate::backup::collect::{self, Collected};
use crate::backup::memory::BackupMemory;
use crate::backup::restore;
use crate::chain::{self, BackupMade, Body, ChainPin};
use crate::fault::{CallError, Damage, Fault};
use crate::host::{self, Host};
use crate::job::{JobContext, JobError, JobHandle};
use crate::kit::ReadKit;
use crate::policy::Action;
use crate::session::{Actor, Core, OpenTenant, Session};
use crate::store::directory;
use crate::store::error::StoreError;
use crate::store::files::{self, NewFile, VaultLock};
use crate::store::snapshot::HeldTenant;
use crate::store::sqlcipher;
use crate::store::write_behind::WriteBehind;
use crate::vault::{Vault, read_header};
use crate::view::{BackupView, ProgressUnit};

/// How often a backup looks whether the one before it is done.
const OTHERS_POLL: Duration = Duration::from_millis(20);

/// What opens a backup.
#[derive(Debug)]
pub enum BackupIdentity {
    /// This device, for backups of the vault in the folder named.
    Device(PathBuf),
    /// The recovery kit of the backup's vault.
    RecoveryKit(ReadKit),
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
    let mut device = OnDevice::load(host, folder, vault)?;
    // Only a session can know the chain; before the first one has ended, this device remembers nothing.
    let memory = device.memory.clone().ok_or(BackupError::NoDeviceKey)?;
    if memory.is_moved() {
        return Err(BackupError::Moved.into());
    }
    let header = read_header(folder)?;
    if header.directory.is_none() && folder.join(directory::NEXT_FILE).exists() {
        return Err(BackupError::Unsettled.into());
    }
    let log = AuditLog::open_locked(folder, vault, &header.audit_cache).map_err(Fault::from)?;
    let log_copy = log.hold_for_copy().map_err(Fault::from)?;
    let is_log = |path: &BackupPath| path.as_str() == BackupPath::AUDIT;
    let sources = Collected::open(folder, is_log).map_err(BackupError::from)?.into_files();
    let counter = memory.newest + 1;
    let head = manifest_head(host, vault, counter, &memory.pin(), &log_copy);
    let backup = Unnamed::write(file, &device, head, &sources, context)?;
    drop(log_copy);
    let mut random = host::crypto_random(host);
    let origin = EntryOrigin::locked(&host.identity);
    log.append(host.clock.now(), &origin, Event::BackupExported { counter }, &mut random).map_err(Fault::from)?;
    let device_key = device.keys.signing_key();
    log.checkpoint(host.clock.now(), &CheckpointSigner::device(vault, &device_key)).map_err(Fault::from)?;
    let named = backup.name(host, &mut device, memory)?;
    Ok(named.view)
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
        self.core.backup_receipts()
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

impl Core {
    /// The backups made of this vault, newest first, as their receipts say.
    pub(super) fn backup_receipts(&self) -> Result<Vec<BackupView>, CallError> {
        let notes = self.office().directory.backup_manifests();
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
            Ok(view(&manifest, device.newest()))
        }
        BackupIdentity::RecoveryKit(kit) => super::restore::verify_with_kit(&file, &kit.seed, context),
    })
}

fn verify(
    file: &Path,
    device: &OnDevice,
    devices: &[VerifyingKey],
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
    let _alone = alone(core, context)?;
    let mut device = OnDevice::load(&core.host, &core.folder, core.vault.id)?;
    devices::certify_device(core, &actor, &mut device)?;
    // Numbers ascend in the chain: what was made while locked comes first.
    file_receipts(core, &actor, &mut device)?;
    let still = Still::hold(core, &actor)?;
    let counter = newest_known(core, &device) + 1;
    let head = manifest_head(&core.host, core.vault.id, counter, &still.pin, &still.log);
    let backup = Unnamed::write(file, &device, head, &still.sources, context)?;
    drop(still);
    // The right may have gone while the files were copied.
    let actor = core.authorize(Action::ExportBackup, None)?;
    core.record(&actor, Event::BackupExported { counter })?;
    core.checkpoint_log()?;
    let memory = BackupMemory::of(&core.office().membership, device.memory.as_ref());
    let named = backup.name(&core.host, &mut device, memory)?;
    // The backup is made, whatever becomes of its receipt; a session that could not file it leaves it to the next.
    if named.is_remembered {
        let _ = file_receipts(core, &actor, &mut device);
    }
    Ok(named.view)
}

/// Waits until no other backup of the session is being made, and keeps others from being begun. For backups, and for
/// what must not come about while one copies the vault's files.
pub(super) fn alone<'c>(core: &'c Core, context: &JobContext) -> Result<MutexGuard<'c, ()>, JobError> {
    loop {
        match core.backups.try_lock() {
            Ok(guard) => return Ok(guard),
            Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => context.check()?,
        }
        thread::sleep(OTHERS_POLL);
    }
}

/// Puts the receipts that this device remembers into the chain, each for good before the next.
pub(super) fn file_receipts(core: &Core, actor: &Actor, device: &mut OnDevice) -> Result<(), CallError> {
    let Some(memory) = device.memory.clone() else { return Ok(()) };
    for note in memory.receipts() {
        let (certified, newest) = {
            let membership = &core.office().membership;
            (membership.devices.clone(), membership.newest_backup.as_ref().map_or(0, |newest| newest.counter))
        };
        // A receipt that nobody of the vault signed is nothing; one that was filed before a kill is done with.
        let Ok(manifest) = archive::open_manifest(core.vault.id, note, &certified) else { continue };
        let counter = manifest.head.counter;
        if counter <= newest {
            continue;
        }
        let made = Body::BackupMade(BackupMade { counter, manifest: chain::digest(note).into() });
        core.change_directory(actor, Event::BackupReceiptFiled { counter }, vec![made], |tx| {
            tx.insert_backup(counter, note)
        })?;
    }
    let filed = BackupMemory::of(&core.office().membership, Some(&memory)).without_receipts();
    if filed != memory {
        device.remember(&core.host, filed)?;
    }
    Ok(())
}

/// The newest backup's number, as far as the chain or this device knows.
pub(super) fn newest_known(core: &Core, device: &OnDevice) -> u64 {
    let in_chain = core.office().membership.newest_backup.as_ref().map_or(0, |newest| newest.counter);
    in_chain.max(device.newest())
}

/// As a session begins: files what was made while locked, and writes down what locked backups need to know. On a thread
/// of its own, because a keyring may take its time; nothing of the session is held while it does.
pub(crate) fn remember_in_background(core: &Arc<Core>) {
    let (host, folder, vault) = (core.host.clone(), core.folder.clone(), core.vault.id);
    let session = Arc::downgrade(core);
    let job = JobHandle::start("remember-backups", ProgressUnit::Entries, move |context| {
        let mut device = OnDevice::load(&host, &folder, vault)?;
        let Some(core) = session.upgrade() else { return Ok(()) };
        let _alone = alone(&core, context)?;
        device.recall()?;
        // A renewal may have been stopped before this.
        devices::follow(&core, &mut device)?;
        if device.has_receipts() && core.roles().contains(Role::Administrator) {
            let actor = core.authorize(Action::ExportBackup, None)?;
            file_receipts(&core, &actor, &mut device)?;
        }
        let memory = BackupMemory::of(&core.office().membership, device.memory.as_ref());
        if device.memory.as_ref() != Some(&memory) {
            device.remember(&core.host, memory)?;
        }
        Ok(())
    });
    // Without this device's key there is nothing to remember, and a locked backup says so when it is asked for.
    core.adopt(job.lease());
}

/// Everything of an unlocked vault, held still for as long as this lives.
pub(super) struct Still {
    pub(super) sources: Vec<SourceFile>,
    pub(super) pin: ChainPin,
    pub(super) log: LogCopy,
    _tenants: Vec<HeldTenant>,
}

impl Still {
    /// Stops writers, holds every database, lets writers go on.
    pub(super) fn hold(core: &Core, actor: &Actor) -> Result<Self, JobError> {
        // A tenant this account may open could be opened at any moment, so it is opened now. The files of the others
        // nobody has open: the vault's lock is this session's.
        let tenants = open_all(core, actor)?;
        if tenants.iter().any(|tenant| tenant.is_importing()) {
            return Err(Fault::Busy.into());
        }
        let writers = tenants.iter().map(|tenant| tenant.writer()).collect::<Result<Vec<_>, Fault>>()?;
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
fn open_all(core: &Core, actor: &Actor) -> Result<Vec<Arc<OpenTenant>>, JobError> {
    let now = core.now();
    let granted: Vec<_> = {
        let office = core.office();
        let membership = &office.membership;
        let opens = |tenant| membership.right(tenant, core.account, now).is_some();
        membership.tenants.keys().copied().filter(|&tenant| opens(tenant)).collect()
    };
    let mut open = Vec::with_capacity(granted.len());
    for tenant in granted {
        open.push(core.open_tenant(actor, tenant)?);
    }
    Ok(open)
}

pub(super) fn manifest_head(host: &Host, vault: VaultId, counter: u64, pin: &ChainPin, log: &LogCopy) -> ManifestHead {
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

/// A backup that is complete and on the disk, and has no name yet; gone if dropped.
pub(super) struct Unnamed {
    file: NewFile,
    written: Written,
}

/// A backup that has its name.
pub(super) struct Named {
    pub(super) view: BackupView,
    /// This device knows of its receipt.
    is_remembered: bool,
}

impl Unnamed {
    /// Writes it beside its place.
    pub(super) fn write(
        place: &Path,
        device: &OnDevice,
        head: ManifestHead,
        sources: &[SourceFile],
        context: &JobContext,
    ) -> Result<Self, JobError> {
        files::sweep_abandoned(place).map_err(BackupError::at_target)?;
        let mut file = NewFile::beside(place).map_err(BackupError::at_target)?;
        let key = device.keys.signing_key();
        let mut out = WriteBehind::new(file.as_file_mut());
        let written = archive::write(&mut out, &device.plan.recipients, head, sources, &key, context);
        let written = match (written, out) {
            (Ok(written), out) => out.finish().map(|()| written).map_err(BackupError::from)?,
            // A write failed because of an earlier sync: that is the reason to tell.
            (Err(error), out) => {
                return Err(out.into_failed_sync().map_or(error, |sync| BackupError::from(sync).into()));
            }
        };
        context.check()?;
        Ok(Self { file, written })
    }

    /// Reads it back from its first byte to its last: it is what was written, and opens and counts as any backup does.
    pub(super) fn verify(
        &self,
        device: &OnDevice,
        devices: &[VerifyingKey],
        context: &JobContext,
    ) -> Result<(), JobError> {
        let file = self.file.reopen().map_err(BackupError::from)?;
        let read = archive::read(&file, &[&device.plan.identity()], &mut archive::Nowhere, context)?;
        if *read.authenticate(devices)? == self.written.manifest { Ok(()) } else { Err(BackupError::Damaged.into()) }
    }

    /// Gives it its name. Its number is taken before, so that no two backups have the same, whatever happens; its
    /// receipt is remembered after, so that none speaks of a backup that is not there.
    pub(super) fn name(self, host: &Host, device: &mut OnDevice, memory: BackupMemory) -> Result<Named, JobError> {
        let manifest = &self.written.manifest;
        let counter = manifest.head.counter;
        device.remember(host, memory.clone().with(counter))?;
        self.file.publish().map_err(BackupError::at_target)?;
        let receipt = memory.with(counter).with_receipt(self.written.note.as_bytes());
        let is_remembered = device.remember(host, receipt).is_ok();
        Ok(Named { view: view(manifest, counter), is_remembered })
    }
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

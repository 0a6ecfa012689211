//! Restoring: a new folder from a backup, whole or not at all; nothing that exists is touched.
//! Layout: docs/FORMAT.md, "Backups".
//!
//! On the device that made it, the backup has to be signed by a device the vault is known to trust before anything is
//! written. With the recovery kit alone nothing is known beforehand: the unpacked directory is opened with the kit, the
//! membership chain verified from a founding statement that names the kit's own key, and the backup's signature held
//! against the devices that chain certifies; only then does the folder get its name.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use coffer_crypto::derive;
use coffer_crypto::recovery;
use coffer_crypto::seal;
use coffer_crypto::secret::{AgeIdentity, DirectoryKey, RecoverySeed};
use coffer_crypto::sign::VerifyingKey;
use coffer_evidence::manifest::{BackupPath, Manifest, ManifestHead};
use coffer_model::account::Role;
use coffer_model::event::Event;
use coffer_model::id::VaultId;

use super::backup::{BackupIdentity, newest_known, view};
use super::devices::{self, OnDevice};
use crate::anchor::{self, Anchor};
use crate::audit::{AuditLog, EntryOrigin};
use crate::backup::BackupError;
use crate::backup::archive::{self, Unverified};
use crate::backup::memory::BackupMemory;
use crate::backup::restore;
use crate::chain::Membership;
use crate::device::{BackupPlan, DeviceKeys, PLAN_FILE};
use crate::fault::{Damage, Fault};
use crate::host::{self, DeviceMaterial, Host};
use crate::job::{JobContext, JobError, JobHandle};
use crate::keys::{directory_kid, directory_recovery_context};
use crate::kit::ReadKit;
use crate::policy::Action;
use crate::session::Session;
use crate::store::directory::Directory;
use crate::store::files;
use crate::store::sqlcipher::Access;
use crate::vault::read_header;
use crate::view::{BackupView, ProgressUnit};

/// What the person has decided about a restore.
#[derive(Clone, Copy, Debug, Default)]
pub struct RestoreOptions {
    /// Restores although a newer backup of the vault is known. Logged.
    pub accept_older: bool,
}

/// Starts restoring the backup in `file` to the new folder `to`.
pub fn start_restore(
    host: &Host,
    file: &Path,
    identity: BackupIdentity,
    to: &Path,
    options: RestoreOptions,
) -> JobHandle<BackupView> {
    let (host, file, to) = (host.clone(), file.to_owned(), to.to_owned());
    JobHandle::start("restore", ProgressUnit::Bytes, move |context| match identity {
        BackupIdentity::Device(folder) => {
            let device = OnDevice::load_at(&host, &folder)?;
            let known = Known { devices: device.trusted(), newest: device.newest() };
            restore_on_device(&host, &file, &device, &known, &to, options, context)
        }
        BackupIdentity::RecoveryKit(kit) => restore_with_kit(&host, &file, &kit, &to, context),
    })
}

impl Session {
    /// Starts restoring a backup of this vault to the new folder `to`. This vault stays as it is.
    pub fn start_restore(&self, file: &Path, to: &Path, options: RestoreOptions) -> JobHandle<BackupView> {
        let core = Arc::clone(&self.core);
        let (file, to) = (file.to_owned(), to.to_owned());
        let job = JobHandle::start("restore", ProgressUnit::Bytes, move |context| {
            let actor = core.authorize(Action::RestoreBackup, None)?;
            let device = OnDevice::load(&core.host, &core.folder, core.vault.id)?;
            // One after the other: each holds the office while it looks.
            let newest = newest_known(&core, &device);
            let known = Known { devices: core.office().membership.devices.clone(), newest };
            let restored = restore_on_device(&core.host, &file, &device, &known, &to, options, context)?;
            let counter = restored.counter;
            if restored.newer_known {
                core.record(&actor, Event::OlderBackupAccepted { counter })?;
            }
            core.record(&actor, Event::BackupRestored { counter })?;
            Ok(restored)
        });
        self.core.adopt(job.lease());
        job
    }
}

/// What a backup is held against where the vault is known.
struct Known {
    /// Whose signatures count.
    devices: Vec<VerifyingKey>,
    /// Number of the newest backup.
    newest: u64,
}

fn restore_on_device(
    host: &Host,
    file: &Path,
    device: &OnDevice,
    known: &Known,
    to: &Path,
    options: RestoreOptions,
    context: &JobContext,
) -> Result<BackupView, JobError> {
    if device.memory.as_ref().is_some_and(BackupMemory::is_moved) {
        // What came of it would be one more copy of this device, which none goes on with.
        return Err(BackupError::Moved.into());
    }
    let newest = known.newest;
    let judge = |read: &Unverified| {
        if read.claims().head.vault != device.vault {
            return Err(BackupError::OtherVault.into());
        }
        let counter = read.authenticate(&known.devices)?.head.counter;
        if counter < newest && !options.accept_older {
            return Err(BackupError::Older { counter, newest }.into());
        }
        enough_space(host, to, read.claims())
    };
    let settle = |folder: &Path, read: &Unverified| {
        let head = &read.claims().head;
        continue_log(host, folder, head, head.counter < newest)?;
        if let Some(memory) = &device.memory {
            memory.save(folder, device.vault, &device.keys, &mut host::crypto_random(host)).map_err(Fault::from)?;
        }
        Ok(())
    };
    let identity = device.plan.identity();
    let restored = restore::restore(file, &[&identity], to, judge, settle, context)?;
    know_copy(host, to, &restored.claims().head);
    Ok(view(restored.claims(), newest))
}

fn restore_with_kit(
    host: &Host,
    file: &Path,
    kit: &ReadKit,
    to: &Path,
    context: &JobContext,
) -> Result<BackupView, JobError> {
    let seed = &kit.seed;
    let mut new_device = None;
    let judge = |read: &Unverified| enough_space(host, to, read.claims());
    let settle = |folder: &Path, read: &Unverified| {
        let membership = verify_chain(folder, read, seed)?;
        // Anybody who knows the kit's public keys can found a vault that names them, but not this one.
        if kit.founding.is_some_and(|founding| founding != membership.pin().founding) {
            return Err(BackupError::OtherVault.into());
        }
        continue_log(host, folder, &read.claims().head, false)?;
        new_device = prepare_device(host, folder, &membership, &read.claims().head, seed)?;
        Ok(())
    };
    let identity = recovery::derive_age_identity(seed);
    let restored = restore::restore(file, &[&identity], to, judge, settle, context);
    match restored {
        Ok(restored) => {
            know_copy(host, to, &restored.claims().head);
            Ok(view(restored.claims(), restored.claims().head.counter))
        }
        Err(error) => {
            // A key made for a vault that did not come to be.
            if let Some(new) = new_device {
                let _ = match new.before {
                    None => host.devices.forget(new.vault),
                    Some(before) => host.devices.save(new.vault, &before.secret).map(drop),
                };
            }
            Err(error)
        }
    }
}

/// Lets this device know the copy that was restored: it is older than others here on purpose, and from now on may not become
/// older itself. Where that cannot be done its first unlock asks.
fn know_copy(host: &Host, folder: &Path, head: &ManifestHead) {
    let log = read_header(folder)
        .ok()
        .and_then(|header| seal::SealingPublicKey::parse(&header.audit_cache).ok())
        .and_then(|audit| AuditLog::open_to_read(folder, head.vault, &audit).ok()?.head().ok());
    if let Some(log) = log {
        let anchor = Anchor::of((head.chain_length, head.chain_head), log, host.clock.now());
        anchor::keep(&host.keyring, head.vault, Vec::new(), anchor);
    }
}

/// What can be said of a backup with the recovery kit and without unpacking it.
pub(super) fn verify_with_kit(file: &Path, seed: &RecoverySeed, context: &JobContext) -> Result<BackupView, JobError> {
    let backup = restore::open_backup(file)?;
    let identity = recovery::derive_age_identity(seed);
    let read = archive::read(&backup, &[&identity], &mut archive::Nowhere, context)?;
    Ok(view(read.claims(), read.claims().head.counter))
}

/// Says so before the disk is full. A disk that does not say how much is free is tried.
fn enough_space(host: &Host, to: &Path, manifest: &Manifest) -> Result<(), JobError> {
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match host.disk.free_bytes(folder) {
        Some(free) if free < manifest.total_bytes() => Err(Fault::NoSpace.into()),
        _ => Ok(()),
    }
}

/// Begins a new segment of the restored log, tied to what the manifest says of it, with the restore as first entry.
fn continue_log(host: &Host, folder: &Path, head: &ManifestHead, older: bool) -> Result<(), JobError> {
    let header = read_header(folder)?;
    let damaged = |_| Fault::Damaged(Damage::Header);
    let audit = seal::SealingPublicKey::parse(&header.audit_cache).map_err(damaged)?;
    let expected = (head.log_size, head.log_root);
    let mut random = host::crypto_random(host);
    let log = AuditLog::start_segment(folder, head.vault, &audit, expected, &mut random).map_err(Fault::from)?;
    let origin = EntryOrigin::locked(&host.identity);
    let counter = head.counter;
    let accepted = older.then_some(Event::OlderBackupAccepted { counter });
    for event in accepted.into_iter().chain([Event::BackupRestored { counter }]) {
        log.append(host.clock.now(), &origin, event, &mut random).map_err(Fault::from)?;
    }
    Ok(())
}

/// Verifies everything from the kit's own key on, and with it who signed the backup.
fn verify_chain(folder: &Path, read: &Unverified, seed: &RecoverySeed) -> Result<Membership, JobError> {
    let header = read_header(folder)?;
    let head = &read.claims().head;
    if header.vault != head.vault {
        return Err(BackupError::Damaged.into());
    }
    let vault = header.vault;
    let pair = recovery::derive_sealing_pair(seed);
    // Sealed to somebody else: not this kit's vault, whatever the outer layer says.
    let context = directory_recovery_context(vault, header.directory_generation);
    let directory_key: DirectoryKey =
        seal::open_sealed_key(&pair, &header.directory_for_recovery, &context).map_err(|_| BackupError::Untrusted)?;
    header
        .verify(&derive::derive_header_mac_key(&directory_key, vault.as_bytes()))
        .map_err(|_| BackupError::Untrusted)?;

    // On a copy: opening a database may write to it.
    let scratch = tempfile::Builder::new().prefix(".coffer-").tempdir_in(folder).map_err(files::FileError::from);
    let scratch = scratch.map_err(BackupError::from)?;
    for name in [BackupPath::DIRECTORY.to_owned(), format!("{}-wal", BackupPath::DIRECTORY)] {
        if folder.join(&name).exists() {
            fs::copy(folder.join(&name), scratch.path().join(&name))
                .map_err(files::FileError::from)
                .map_err(BackupError::from)?;
        }
    }
    let database_key = derive::derive_directory_database_key(&directory_key, vault.as_bytes());
    let directory = Directory::open(scratch.path(), &database_key, Access::ReadWrite);
    let statements = directory.and_then(|directory| directory.statements()).map_err(|_| BackupError::Untrusted)?;
    let membership = Membership::replay(vault, &statements, None).map_err(|_| BackupError::Untrusted)?;
    let recipient = recovery::derive_age_identity(seed).recipient();
    let generation = header.directory_generation;
    if membership.directory_generation != generation
        || membership.directory_kid != directory_kid(&directory_key, vault, generation)
    {
        return Err(BackupError::Untrusted.into());
    }
    if membership.recovery().sealing != *pair.public_key() || membership.recovery().age != recipient {
        return Err(BackupError::Untrusted.into());
    }
    let last = head.chain_length.checked_sub(1).and_then(|last| statements.get(usize::try_from(last).ok()?));
    if last.is_none_or(|last| last.hash() != head.chain_head) {
        return Err(BackupError::Untrusted.into());
    }
    read.authenticate(&membership.devices)?;
    Ok(membership)
}

/// This device got a key for a vault.
struct NewDevice {
    vault: VaultId,
    /// The one it had before.
    before: Option<DeviceMaterial>,
}

/// Makes locked backups possible on this device: its key, kept if it has one for the vault, and a plan for the kit it
/// was restored with. An administrator's next session certifies both. Gives the key if it is new.
///
/// A device from which the vault was moved, or that had a copy then, gets another key: with the one it has its old copies
/// would come back to life beside this one.
fn prepare_device(
    host: &Host,
    folder: &Path,
    membership: &Membership,
    head: &ManifestHead,
    seed: &RecoverySeed,
) -> Result<Option<NewDevice>, JobError> {
    let vault = head.vault;
    let mut random = host::crypto_random(host);
    let known = devices::saved_key(host, vault)?;
    let parse = |material: &DeviceMaterial| {
        DeviceKeys::parse(material.secret.expose()).map_err(|_| Fault::Damaged(Damage::BackupPlan))
    };
    let is_retired = |keys: &DeviceKeys| {
        membership.move_under_way().is_some() && membership.devices.contains(&keys.signing_key().verifying_key())
    };
    let kept = known.as_ref().map(parse).transpose()?.filter(|keys| !is_retired(keys));
    let is_new = kept.is_none();
    let keys = kept.unwrap_or_else(|| DeviceKeys::generate(&mut random));
    let plan_file = folder.join(PLAN_FILE);
    let opens = files::read_private_file(&plan_file, crate::device::PLAN_MAX_BYTES)
        .is_ok_and(|sealed| keys.open_plan(vault, &sealed).is_ok());
    if !opens {
        let plan = BackupPlan::new(vault, &membership.recovery().age, &AgeIdentity::generate(&mut random));
        // Recovery signs in the place of an administrator until one unlocks.
        let administrator = membership.accounts.iter().find(|(_, account)| account.roles.contains(Role::Administrator));
        let (&account, _) = administrator.ok_or(Fault::Damaged(Damage::Chain))?;
        let signed = plan.sign(account, &recovery::derive_signing_key(seed));
        let sealed = keys.seal_plan(vault, &signed, &mut random);
        files::replace_private_file(&plan_file, &sealed).map_err(Fault::from)?;
    }
    let memory = BackupMemory::of(membership, None).with(head.counter).at_home();
    memory.save(folder, vault, &keys, &mut random).map_err(Fault::from)?;
    if is_new {
        host.devices.save(vault, &keys.encode()).map_err(Fault::from)?;
    }
    Ok(is_new.then_some(NewDevice { vault, before: known }))
}

//! This device's place in a vault: its key, its backup plan, what it remembers of backups; enrolling it anew.
//! Layout: docs/FORMAT.md §9.5–9.7.
//!
//! The key is outside the vault's folder and may be lost without anything being lost that matters: an administrator's
//! session makes another one. The plan's recipients are what the membership chain says, never what a file says.

use std::path::{Path, PathBuf};

use coffer_crypto::secret::AgeIdentity;
use coffer_crypto::sign::VerifyingKey;
use coffer_model::account::Role;
use coffer_model::event::Event;
use coffer_model::id::VaultId;

use crate::backup::BackupError;
use crate::backup::memory::BackupMemory;
use crate::chain::{Body, DeviceEnrolled, Membership};
use crate::device::{BackupPlan, DeviceKeys, PLAN_FILE, PLAN_MAX_BYTES, SignedPlan};
use crate::fault::{CallError, Damage, Fault};
use crate::host::{DeviceMaterial, DeviceStoreError, Host, KeyringError};
use crate::job::JobError;
use crate::policy::Action;
use crate::session::{Actor, Core, Session, lock};
use crate::store::files;
use crate::vault::read_header;

/// This device's keys for a vault, and what they open in its folder.
pub(super) struct OnDevice {
    pub(super) vault: VaultId,
    pub(super) keys: DeviceKeys,
    pub(super) plan: BackupPlan,
    signed: SignedPlan,
    pub(super) memory: Option<BackupMemory>,
    folder: PathBuf,
}

/// Why this device was not enrolled, or its key not replaced. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum EnrolDeviceError {
    /// It has a key and a plan already, and both are in order.
    #[error("this device is enrolled already")]
    Enrolled,
    /// It has no key and no plan yet that could be replaced: enrol it.
    #[error("this device has no key for the vault yet")]
    NotEnrolled,
    /// The call failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl EnrolDeviceError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Enrolled => "device_enrolled",
            Self::NotEnrolled => "device_not_enrolled",
            Self::Call(error) => error.code(),
        }
    }
}

impl From<Fault> for EnrolDeviceError {
    fn from(fault: Fault) -> Self {
        Self::Call(fault.into())
    }
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
        Ok(Self { vault, keys, plan, signed, memory, folder: folder.to_owned() })
    }

    /// Loads them for the vault whose header is in `folder`.
    pub(super) fn load_at(host: &Host, folder: &Path) -> Result<Self, BackupError> {
        let header = read_header(folder)?;
        Self::load(host, folder, header.vault)
    }

    /// Reads again what is remembered: somebody else may have made a backup since.
    pub(super) fn recall(&mut self) -> Result<(), Fault> {
        self.memory = BackupMemory::load(&self.folder, self.vault, &self.keys)?;
        Ok(())
    }

    /// Remembers.
    pub(super) fn remember(&mut self, host: &Host, memory: BackupMemory) -> Result<(), Fault> {
        memory.save(&self.folder, self.vault, &self.keys, &mut crate::host::crypto_random(host))?;
        self.memory = Some(memory);
        Ok(())
    }

    /// Whose signatures count while locked: the devices the chain certified when a session last looked, and this one.
    pub(super) fn trusted(&self) -> Vec<VerifyingKey> {
        let mut devices = self.memory.as_ref().map_or_else(Vec::new, BackupMemory::devices);
        devices.push(self.keys.signing_key().verifying_key());
        devices
    }

    /// Whether receipts wait to be filed.
    pub(super) fn has_receipts(&self) -> bool {
        self.memory.as_ref().is_some_and(|memory| memory.receipts().next().is_some())
    }

    /// The newest backup's number this device remembers.
    pub(super) fn newest(&self) -> u64 {
        self.memory.as_ref().map_or(0, |memory| memory.newest)
    }

    /// Whether an administrator of the chain signed the plan. Whoever holds this device's key could have put one of
    /// their own in its place.
    fn plan_is_signed(&self, core: &Core) -> bool {
        let office = core.office();
        let signer = office.membership.accounts.get(&self.signed.signer);
        signer
            .is_some_and(|account| account.roles.contains(Role::Administrator) && self.signed.verify(&account.signing))
    }

    /// Whether an account of the chain signed the plan that is no administrator any more, or none at all: a plan in order,
    /// for an administrator to sign anew.
    fn plan_was_signed(&self, core: &Core) -> bool {
        let office = core.office();
        let former = office.membership.former.get(&self.signed.signer).map(|former| &former.account);
        let signer = office.membership.accounts.get(&self.signed.signer).or(former);
        signer.is_some_and(|account| {
            account.signed_with.iter().chain([&account.signing]).any(|key| self.signed.verify(key))
        })
    }

    pub(super) fn is_certified(&self, core: &Core) -> bool {
        self.is_certified_by(&core.office().membership)
    }

    pub(super) fn is_certified_by(&self, membership: &Membership) -> bool {
        membership.devices.contains(&self.keys.signing_key().verifying_key())
    }
}

impl Session {
    /// Gives this device a key and a backup plan for the vault where it has none, or none that fit: so that it makes
    /// backups while the vault is locked. What it had before is replaced; backups made with the old plan are opened by
    /// the recovery kit.
    pub fn enrol_device(&self) -> Result<(), EnrolDeviceError> {
        let actor = self.authorize(Action::EnrolDevice, None)?;
        let core = &*self.core;
        let _alone = lock(&core.backups);
        match OnDevice::load(&core.host, &core.folder, core.vault.id) {
            Ok(device) if device.is_certified(core) && device.plan_is_signed(core) && fits(core, &device.plan) => {
                return Err(EnrolDeviceError::Enrolled);
            }
            Ok(_) | Err(_) => {}
        }
        // Stopped anywhere in between, the next attempt takes it up: the key that was saved is kept.
        let saved = saved_key(&core.host, core.vault.id)?;
        let keys = if let Some(keys) = saved.and_then(|saved| DeviceKeys::parse(saved.secret.expose()).ok()) {
            keys
        } else {
            let keys = DeviceKeys::generate(&mut core.random());
            core.host.devices.save(core.vault.id, &keys.encode()).map_err(Fault::from)?;
            keys
        };
        certify(core, &actor, &keys.signing_key().verifying_key())?;
        let recipient = core.office().membership.recovery().age;
        let plan = BackupPlan::new(core.vault.id, &recipient, &AgeIdentity::generate(&mut core.random()));
        save_plan(core, &keys, &plan)?;
        let before = BackupMemory::load(&core.folder, core.vault.id, &keys).map_err(Fault::from)?;
        let memory = BackupMemory::of(&core.office().membership, before.as_ref());
        memory.save(&core.folder, core.vault.id, &keys, &mut core.random()).map_err(Fault::from)?;
        Ok(())
    }
}

impl Session {
    /// Gives this device another key for unattended work, with the backup plan it has. The
    /// one before makes nothing more that a session would take: what it signed before goes on to count.
    ///
    /// Killed between the key and the plan, the device has a key without a plan: [`Session::enrol_device`] makes one.
    pub fn replace_device_key(&self) -> Result<(), EnrolDeviceError> {
        let actor = self.authorize(Action::ReplaceDeviceKey, None)?;
        let core = &*self.core;
        let _alone = lock(&core.backups);
        let device = OnDevice::load(&core.host, &core.folder, core.vault.id).map_err(|error| match error {
            BackupError::Fault(fault) => EnrolDeviceError::from(fault),
            _ => EnrolDeviceError::NotEnrolled,
        })?;
        let keys = DeviceKeys::generate(&mut core.random());
        let key = keys.signing_key().verifying_key();
        let enrolled = Body::DeviceEnrolled(DeviceEnrolled { signing: key.encode().into() });
        core.change_directory(&actor, Event::DeviceKeyReplaced, vec![enrolled], |_| Ok(()))?;
        core.host.devices.save(core.vault.id, &keys.encode()).map_err(Fault::from)?;
        save_plan(core, &keys, &device.plan)?;
        let memory = BackupMemory::of(&core.office().membership, device.memory.as_ref());
        memory.save(&core.folder, core.vault.id, &keys, &mut core.random()).map_err(Fault::from)?;
        Ok(())
    }
}

/// This device's key for a vault, before another one is made. A keyring that does not answer may yet have it; where
/// there is no keyring at all, waiting for one would keep a computer without backups, or a restore from being made. A
/// key saved in a file comes before whatever a keyring may turn out to have (`DeviceStore`).
pub(super) fn saved_key(host: &Host, vault: VaultId) -> Result<Option<DeviceMaterial>, Fault> {
    match host.devices.load(vault) {
        Err(DeviceStoreError::Keyring(KeyringError::Unavailable)) => Ok(None),
        found => Ok(found?),
    }
}

/// Has this device's backups go to the recovery in use, if they went to the one before: its plan is signed anew, for an
/// administrator's session. A plan that nobody with authority signed stays what it is, and is refused when it is used.
pub(super) fn follow_recovery(core: &Core) -> Result<(), JobError> {
    let mut device = OnDevice::load(&core.host, &core.folder, core.vault.id)?;
    Ok(follow(core, &mut device)?)
}

/// As [`follow_recovery`], of a device that is loaded.
pub(super) fn follow(core: &Core, device: &mut OnDevice) -> Result<(), CallError> {
    let recovery = {
        let office = core.office();
        let (recovery, before) = office.membership.recoveries.split_last().expect("a vault is founded with one");
        let is_before = before.iter().any(|before| device.plan.is_for(&before.age));
        is_before.then_some(recovery.age)
    };
    let Some(recovery) = recovery else { return Ok(()) };
    if !core.roles().contains(Role::Administrator) || !(device.plan_is_signed(core) || device.plan_was_signed(core)) {
        return Ok(());
    }
    let plan = BackupPlan::new(core.vault.id, &recovery, &device.plan.identity());
    device.signed = save_plan(core, &device.keys, &plan)?;
    device.plan = plan;
    Ok(())
}

/// Holds this device against the chain before a session makes a backup with it. What a restore put together without an
/// administrator at hand is certified and signed now.
pub(super) fn certify_device(core: &Core, actor: &Actor, device: &mut OnDevice) -> Result<(), CallError> {
    follow(core, device)?;
    let (is_certified, is_signed) = (device.is_certified(core), device.plan_is_signed(core));
    if !fits(core, &device.plan) || (is_certified && !is_signed && !device.plan_was_signed(core)) {
        return Err(Fault::Damaged(Damage::BackupPlan).into());
    }
    if is_certified && is_signed {
        return Ok(());
    }
    if is_certified {
        return save_plan(core, &device.keys, &device.plan).map(drop);
    }
    certify(core, actor, &device.keys.signing_key().verifying_key())?;
    save_plan(core, &device.keys, &device.plan).map(drop)
}

/// Whether backups by this plan can be opened with the vault's recovery kit.
fn fits(core: &Core, plan: &BackupPlan) -> bool {
    plan.is_for(&core.office().membership.recovery().age)
}

fn certify(core: &Core, actor: &Actor, key: &VerifyingKey) -> Result<(), CallError> {
    if core.office().membership.devices.contains(key) {
        core.record(actor, Event::DeviceEnrolled)?;
        return Ok(());
    }
    let enrolled = Body::DeviceEnrolled(DeviceEnrolled { signing: key.encode().into() });
    core.change_directory(actor, Event::DeviceEnrolled, vec![enrolled], |_| Ok(()))
}

fn save_plan(core: &Core, keys: &DeviceKeys, plan: &BackupPlan) -> Result<SignedPlan, CallError> {
    let signed = plan.sign(core.account, &core.keys.signing);
    let sealed = keys.seal_plan(core.vault.id, &signed, &mut core.random());
    files::replace_private_file(&core.folder.join(PLAN_FILE), &sealed).map_err(Fault::from)?;
    Ok(signed)
}

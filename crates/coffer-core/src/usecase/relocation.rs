//! Moving the vault to another computer, so that nobody goes on working in two copies of it that drift apart.
//! Statements: docs/FORMAT.md §5.8, kinds 31 and 32; which copy is which: §9.9.
//!
//! The move is stated before its archive is written: at whatever moment the program is stopped, at most one copy is used.
//! Nothing is lost by that, since the copy here stays as it is, and can be moved again or taken back. What the archive is
//! restored to goes on once an administrator has unlocked it, which certifies its device and so ends the move.

use std::path::Path;
use std::sync::Arc;

use coffer_model::account::Role;
use coffer_model::event::Event;
use coffer_model::id::AccountId;
use coffer_model::time::Timestamp;

use super::backup::{self, Still, Unnamed};
use super::devices::{self, OnDevice};
use super::people::{AccountError, fresh};
use super::step_up::FreshAuthentication;
use super::unlock::{Amends, UnlockError};
use crate::backup::BackupError;
use crate::backup::memory::BackupMemory;
use crate::backup::restore;
use crate::chain::{Body, Membership, MoveTakenBack, Moving, VaultMoved};
use crate::fault::{CallError, Damage, Fault};
use crate::host::Host;
use crate::job::{JobContext, JobError, JobHandle};
use crate::policy::Action;
use crate::session::{Actor, Core, Session, lock};
use crate::store::files::NewFile;
use crate::vault::Vault;
use crate::view::{BackupView, ProgressUnit};

/// Why the vault was not moved, or that not taken back. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum MoveVaultError {
    /// It was not moved, or that was taken back.
    #[error("the vault was not moved from here")]
    NotMoved,
    /// The passphrase was not given just now.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The call was refused or failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl MoveVaultError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotMoved => "not_moved",
            Self::Account(error) => error.code(),
            Self::Call(error) => error.code(),
        }
    }
}

impl Vault {
    /// When the vault was moved to another computer, if this device remembers that of the copy here while it is locked. For
    /// saying so before somebody types; what counts is said by unlocking.
    pub fn moved_at(&self) -> Option<Timestamp> {
        OnDevice::load(&self.host, &self.folder, self.id()).ok()?.memory?.moved_at()
    }
}

impl Session {
    /// Starts moving the vault to another computer: states that the copy here is used no more, writes a backup to `file`,
    /// where nothing may be, reads it back, and locks. `proof` says that the passphrase was given just now; it is used up.
    ///
    /// From the statement on every other call is refused, and unlocking is, but by [`Vault::unlock_moved`]: where the
    /// backup could not be written, or the program was stopped, this is called again and states nothing twice, or
    /// [`Session::take_move_back`] is. Before the statement a failure changes nothing, and the session goes on.
    pub fn start_move_vault(
        &self,
        file: &Path,
        proof: FreshAuthentication,
    ) -> Result<JobHandle<BackupView>, MoveVaultError> {
        let actor = self.authorize(Action::MoveVault, None)?;
        fresh(&self.core, proof)?;
        let core = Arc::clone(&self.core);
        let file = file.to_owned();
        let job = JobHandle::start("move-vault", ProgressUnit::Bytes, move |context| {
            let moved = move_vault(&core, &actor, &file, context);
            if !core.is_moved() {
                return moved;
            }
            // What there is to tell is what became of the move.
            let _ = core.lock_by(Some(context));
            moved.map_err(|error| JobError::MoveUnfinished(Box::new(error)))
        });
        self.core.adopt(job.lease());
        Ok(job)
    }

    /// Takes a move back: the vault is used here again. Where its archive was restored and unlocked meanwhile there are two
    /// vaults from now on, which nothing brings together: whoever calls has told the person so.
    pub fn take_move_back(&self, proof: FreshAuthentication) -> Result<(), MoveVaultError> {
        let actor = self.authorize(Action::MoveVault, None)?;
        let core = &*self.core;
        fresh(core, proof)?;
        let _alone = lock(&core.backups);
        let device = core.office().membership.move_under_way().map(|moving| moving.device);
        let device = device.ok_or(MoveVaultError::NotMoved)?;
        let body = Body::MoveTakenBack(MoveTakenBack { device: device.encode().into() });
        core.change_directory(&actor, Event::MoveTakenBack, vec![body], |_| Ok(()))?;
        // What every session does as it begins, this one did not; of what fails the next one does it.
        let _ = core.share_pairs().and_then(|()| core.state_second_factor());
        if let Ok(mut device) = OnDevice::load(&core.host, &core.folder, core.vault.id) {
            let memory = BackupMemory::of(&core.office().membership, device.memory.as_ref());
            let _ = device.remember(&core.host, memory);
        }
        Ok(())
    }
}

fn move_vault(core: &Core, actor: &Actor, file: &Path, context: &JobContext) -> Result<BackupView, JobError> {
    restore::refuse_existing(file)?;
    let _alone = backup::alone(core, context)?;
    let mut device = OnDevice::load(&core.host, &core.folder, core.vault.id)?;
    if core.is_moved() {
        // Of a device that has another key by now the archive would not count, and its key would end the move.
        if !device.is_certified(core) {
            return Err(BackupError::NoDeviceKey.into());
        }
    } else {
        devices::certify_device(core, actor, &mut device)?;
        // Numbers ascend in the chain: what was made while locked comes first.
        backup::file_receipts(core, actor, &mut device)?;
        rehearse(core, actor, file)?;
        context.check()?;
        // First: of a copy that was moved no locked backup is made. If it is not moved after all, the next session says so.
        let memory = BackupMemory::of(&core.office().membership, device.memory.as_ref()).moved(core.now());
        device.remember(&core.host, memory)?;
        let key = device.keys.signing_key().verifying_key();
        let body = Body::VaultMoved(VaultMoved { device: key.encode().into() });
        core.change_directory(actor, Event::VaultMoved, vec![body], |_| Ok(()))?;
    }
    core.end_jobs(Some(context));
    let still = Still::hold(core, actor)?;
    let counter = backup::newest_known(core, &device) + 1;
    let head = backup::manifest_head(&core.host, core.vault.id, counter, &still.pin, &still.log);
    let unnamed = Unnamed::write(file, &device, head, &still.sources, context)?;
    drop(still);
    let devices = core.office().membership.devices.clone();
    unnamed.verify(&device, &devices, context)?;
    core.record(actor, Event::BackupExported { counter })?;
    core.checkpoint_log()?;
    let memory = BackupMemory::of(&core.office().membership, device.memory.as_ref());
    Ok(unnamed.name(&core.host, &mut device, memory)?.view)
}

/// Finds out what would stop the archive from being written before anything is stated.
fn rehearse(core: &Core, actor: &Actor, file: &Path) -> Result<(), JobError> {
    let still = Still::hold(core, actor)?;
    let bytes: u64 = still.sources.iter().map(|source| source.size).sum();
    drop(still);
    drop(NewFile::beside(file).map_err(BackupError::at_target)?);
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match core.host.disk.free_bytes(folder) {
        Some(free) if free < bytes => Err(Fault::NoSpace.into()),
        _ => Ok(()),
    }
}

impl UnlockError {
    /// What is said of a copy that was moved.
    pub(super) fn moved(membership: &Membership, moving: &Moving) -> Self {
        let by = membership.login_of(moving.by).map(ToString::to_string).unwrap_or_default();
        Self::Moved { at: moving.at, by }
    }
}

/// A copy of the vault, as somebody is about to unlock it.
pub(super) struct ThisCopy<'c> {
    pub(super) host: &'c Host,
    pub(super) folder: &'c Path,
    pub(super) membership: &'c Membership,
}

impl ThisCopy<'_> {
    /// Refuses an account a copy from which the vault was moved, unless that is what it is unlocked for, and one that it was
    /// moved to as long as no administrator has unlocked that.
    pub(super) fn refuse_moved(&self, account: AccountId, amends: Amends) -> Result<(), UnlockError> {
        let Some(moving) = self.membership.move_under_way() else { return Ok(()) };
        let invited = self.membership.invitations.get(&account).map(|invitation| invitation.roles);
        let roles = invited.unwrap_or_else(|| self.membership.roles(account));
        let administers = roles.contains(Role::Administrator);
        match self.is_the_next() {
            Ok(true) if administers => Ok(()),
            Ok(true) => Err(UnlockError::NotTakenUp { at: moving.at }),
            _ if amends == Amends::Moved && administers => Ok(()),
            Ok(false) => Err(UnlockError::moved(self.membership, moving)),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Whether it is what the archive of a move was restored to here: this device remembers this folder by a key of which the
    /// chain knows nothing yet. Every copy there was before the move is remembered by one that it knew, or not at all.
    pub(super) fn is_the_next(&self) -> Result<bool, Fault> {
        match OnDevice::load(self.host, self.folder, self.membership.vault()) {
            Ok(device) => Ok(device.memory.is_some() && !device.is_certified_by(self.membership)),
            // Whose key it is cannot be told.
            Err(BackupError::Fault(fault @ Fault::Device(_))) => Err(fault),
            Err(_) => Ok(false),
        }
    }
}

/// Takes up a move, if this is the copy that the vault was moved to: for an administrator's session, before it does anything
/// else. The device's certificate is the statement that ends it.
pub(super) fn take_up(core: &Arc<Core>) -> Result<(), CallError> {
    let is_the_next = {
        let office = core.office();
        // A key that could not be read was refused before, unless the move is to be taken back.
        ThisCopy { host: &core.host, folder: &core.folder, membership: &office.membership }
            .is_the_next()
            .unwrap_or(false)
    };
    if !is_the_next {
        return Ok(());
    }
    let actor = core.authorize_arrival()?;
    {
        let _alone = lock(&core.backups);
        let device = OnDevice::load(&core.host, &core.folder, core.vault.id);
        let mut device = device.map_err(|error| match error {
            BackupError::Fault(fault) => fault,
            _ => Fault::Damaged(Damage::BackupPlan),
        })?;
        devices::certify_device(core, &actor, &mut device)?;
    }
    backup::remember_in_background(core);
    Ok(())
}

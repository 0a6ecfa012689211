//! What protects a vault on this computer, and what does not. Nothing secret is needed to know.

use std::path::Path;

use coffer_crypto::slot::Slot;
use coffer_model::id::VaultId;

use crate::fault::{CallError, Damage, Fault};
use crate::host::{DeviceMaterial, DevicePlace, DiskEncryption, Host};
use crate::session::Session;
use crate::vault::{Vault, read_header};
use crate::view::{HealthState, HealthView};

/// Less than this much free space wants attention: a backup may fail.
const LOW_SPACE_BYTES: u64 = 1024 * 1024 * 1024;

impl Vault {
    /// Checks the disk, the device key, memory protection, the cost of a guess and free space.
    pub fn health(&self) -> Result<Vec<HealthView>, Fault> {
        check(&self.host, &self.folder, self.id())
    }
}

impl Session {
    /// The same as [`Vault::health`], which anybody may know who can see the folder: no right is asked for.
    pub fn health(&self) -> Result<Vec<HealthView>, CallError> {
        let core = &self.core;
        Ok(check(&core.host, &core.folder, core.vault.id)?)
    }
}

fn check(host: &Host, folder: &Path, vault: VaultId) -> Result<Vec<HealthView>, Fault> {
    let view = |check: &str, state, detail: String| HealthView { check: check.to_owned(), state, detail };
    let disk = match host.disk.encryption(folder) {
        DiskEncryption::Encrypted => view("disk_encryption", HealthState::Good, "encrypted".to_owned()),
        DiskEncryption::NotSeen => view("disk_encryption", HealthState::Attention, "not_seen".to_owned()),
        DiskEncryption::Unknown => view("disk_encryption", HealthState::Unknown, "unknown".to_owned()),
    };
    let device = match host.devices.load(vault) {
        Ok(Some(DeviceMaterial { place: DevicePlace::Keyring, .. })) => {
            view("device_key", HealthState::Good, "keyring".to_owned())
        }
        Ok(Some(DeviceMaterial { place: DevicePlace::File(_), .. })) => {
            view("device_key", HealthState::Attention, "file".to_owned())
        }
        Ok(None) | Err(_) => view("device_key", HealthState::Attention, "none".to_owned()),
    };
    let shielded = host.machine.hardening();
    let memory = if shielded.not_dumpable && shielded.no_core_dumps {
        view("memory", HealthState::Good, "not_dumpable".to_owned())
    } else {
        view("memory", HealthState::Attention, "dumpable".to_owned())
    };
    let header = read_header(folder)?;
    let mut health = vec![disk, device, memory];
    for bytes in header.accounts.iter().flat_map(|entry| &entry.slots) {
        let slot = Slot::parse(bytes, &host.kdf_floor).map_err(|_| Fault::Damaged(Damage::Header))?;
        let params = slot.params();
        let cost = format!("{} MiB, {} passes", params.memory_kib() / 1024, params.passes());
        health.push(view("kdf", HealthState::Good, cost));
    }
    health.push(match host.disk.free_bytes(folder) {
        Some(bytes) if bytes < LOW_SPACE_BYTES => view("free_space", HealthState::Attention, bytes.to_string()),
        Some(bytes) => view("free_space", HealthState::Good, bytes.to_string()),
        None => view("free_space", HealthState::Unknown, "unknown".to_owned()),
    });
    Ok(health)
}

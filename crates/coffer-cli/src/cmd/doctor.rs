//! `coffer doctor`: what protects a vault on this computer, and what does not.

use coffer_core::Vault;
use coffer_core::host::Host;
use coffer_core::view::{HealthState, HealthView};

use super::vault_folder;
use crate::args::Global;
use crate::error::CliError;
use crate::render::{Output, size, table};

pub fn run(host: &Host, global: &Global, output: &Output) -> Result<(), CliError> {
    let vault = Vault::open(host, vault_folder(global)?)?;
    let health = vault.health()?;
    output.answer(&health, |health| health_text(health))?;
    Ok(())
}

fn health_text(health: &[HealthView]) -> String {
    let rows = health.iter().map(|check| {
        let state = match check.state {
            HealthState::Good => "good",
            HealthState::Attention => "attention",
            HealthState::Unknown => "unknown",
        };
        vec![check.check.clone(), state.to_owned(), words(&check.check, &check.detail)]
    });
    table(&["CHECK", "STATE", "WHAT IT MEANS"], rows)
}

fn words(check: &str, detail: &str) -> String {
    match (check, detail) {
        ("disk_encryption", "encrypted") => "the disk under the vault is encrypted by the system".to_owned(),
        ("disk_encryption", "not_seen") => {
            "no encryption of the disk is seen; turn on LUKS, FileVault or BitLocker".to_owned()
        }
        ("disk_encryption", _) => "the system does not say whether the disk is encrypted".to_owned(),
        ("device_key", "keyring") => "this device's key lies in the keyring".to_owned(),
        ("device_key", "file") => "this device's key lies in a private file: no keyring was available".to_owned(),
        ("device_key", _) => {
            "this device has no key for the vault; an administrator makes one with `backup enrol`".to_owned()
        }
        ("memory", "not_dumpable") => "other programs cannot read this program's memory; no core dumps".to_owned(),
        ("memory", _) => "the system did not accept the protection of this program's memory".to_owned(),
        ("kdf", cost) => format!("a guess at a passphrase costs {cost}"),
        ("free_space", "unknown") => "the system does not say how much room is left".to_owned(),
        ("free_space", bytes) => {
            let free = bytes.parse().map_or_else(|_| bytes.to_owned(), size);
            format!("{free} free on the vault's disk")
        }
        (_, detail) => detail.to_owned(),
    }
}

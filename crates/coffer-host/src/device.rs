//! Where this device keeps its own key material for each vault: the keyring, or else a private file.
//! Layout: docs/FORMAT.md §9.6.
//!
//! When a file exists it is the truth: storing in the keyring removes the file last, and a file is written only when
//! the keyring did not take the material. So a keyring's older copy can never win, and with a file no keyring is asked.

use std::path::PathBuf;
use std::sync::Arc;

use coffer_core::host::{
    DeviceMaterial, DevicePlace, DeviceStore, DeviceStoreError, Keyring, KeyringError, SecretBytes,
};
use coffer_model::id::VaultId;
use subtle::ConstantTimeEq;

use crate::os;

/// The service under which the keyring holds devices' key material; the name is the vault's id.
const KEYRING_SERVICE: &str = "coffer-device";

/// Folder of the files, inside the folder for programs' data.
const FOLDER: [&str; 2] = ["coffer", "devices"];

/// Key material in the keyring or in a file.
pub(crate) struct LocalDevices {
    keyring: Arc<dyn Keyring>,
    /// The folder that holds one file for each vault; none if this account has no folder for data.
    folder: Option<PathBuf>,
}

impl LocalDevices {
    /// Uses `keyring`, or else files below `data_folder`.
    pub(crate) fn new(keyring: Arc<dyn Keyring>, data_folder: Option<PathBuf>) -> Self {
        let folder = data_folder.map(|data| FOLDER.iter().fold(data, |path, part| path.join(part)));
        Self { keyring, folder }
    }

    fn file(&self, vault: VaultId) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.join(vault.to_string()))
    }

    /// Stores in the keyring and says whether it is certain to be there: some accept and forget.
    fn save_in_keyring(&self, vault: VaultId, secret: &SecretBytes) -> bool {
        let name = vault.to_string();
        self.keyring.set(KEYRING_SERVICE, &name, secret).is_ok()
            && self.keyring.get(KEYRING_SERVICE, &name).is_ok_and(|kept| kept.expose().ct_eq(secret.expose()).into())
    }
}

impl DeviceStore for LocalDevices {
    fn load(&self, vault: VaultId) -> Result<Option<DeviceMaterial>, DeviceStoreError> {
        if let Some(file) = self.file(vault)
            && let Some(secret) = os::read_private_file(&file)?
        {
            return Ok(Some(DeviceMaterial { secret, place: DevicePlace::File(file) }));
        }
        match self.keyring.get(KEYRING_SERVICE, &vault.to_string()) {
            Ok(secret) => Ok(Some(DeviceMaterial { secret, place: DevicePlace::Keyring })),
            Err(KeyringError::NotFound) => Ok(None),
            Err(error) => Err(DeviceStoreError::Keyring(error)),
        }
    }

    fn save(&self, vault: VaultId, secret: &SecretBytes) -> Result<DevicePlace, DeviceStoreError> {
        let file = self.file(vault);
        if self.save_in_keyring(vault, secret) {
            if let Some(file) = file {
                os::remove_private_file(&file)?;
            }
            return Ok(DevicePlace::Keyring);
        }
        let file = file.ok_or(DeviceStoreError::NoDataFolder)?;
        os::replace_private_file(&file, secret)?;
        Ok(DevicePlace::File(file))
    }

    fn forget(&self, vault: VaultId) -> Result<(), DeviceStoreError> {
        if let Some(file) = self.file(vault) {
            os::remove_private_file(&file)?;
        }
        match self.keyring.delete(KEYRING_SERVICE, &vault.to_string()) {
            Ok(()) | Err(KeyringError::NotFound) => Ok(()),
            Err(error) => Err(DeviceStoreError::Keyring(error)),
        }
    }
}

//! A desk: a folder with a vault, its passphrase in a file, and this device's keys, for the shipped program to work on.
//!
//! The vault is made by the engine on a clock that runs too fast, so that its key derivation is the least a shipped
//! program accepts; all else is done by the program itself.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use coffer_core::host::{DeviceMaterial, DevicePlace, DeviceStore, DeviceStoreError, Host, SecretBytes};
use coffer_core::{CreatedVault, NewVault, Vault};
use coffer_model::id::VaultId;
use tempfile::TempDir;

use crate::{LOGIN, PASSPHRASE, SlowClock, passphrase};

/// The tenant that records are saved in.
pub const TENANT: &str = "Norrvik Freight";

/// A folder to work in, removed when dropped.
pub struct Desk {
    folder: TempDir,
}

impl Desk {
    /// An empty desk, for a program that makes the vault itself.
    pub fn empty() -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        fs::write(desk.passphrase_file(), format!("{PASSPHRASE}\n")).unwrap();
        desk
    }

    /// A desk with a vault that holds one empty tenant.
    pub fn with_vault() -> Self {
        let desk = Self::empty();
        let mut host: Host = coffer_host::system("coffer-tests");
        host.clock = Arc::new(SlowClock(Arc::clone(&host.clock)));
        host.devices = Arc::new(DeviceFiles { data: desk.data() });
        let new =
            NewVault { login: LOGIN.parse().unwrap(), passphrase: passphrase(PASSPHRASE), demo: false, split: None };
        let CreatedVault { session, .. } = Vault::create(&host, &desk.vault(), new).unwrap();
        session.create_tenant(&TENANT.parse().unwrap()).unwrap();
        session.lock().unwrap();
        desk
    }

    /// Another desk with the same on it.
    #[must_use]
    pub fn copy(&self) -> Self {
        let copy = Self { folder: tempfile::tempdir().unwrap() };
        copy_folder(self.path(), copy.path());
        copy
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A file or folder on the desk.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// The vault.
    pub fn vault(&self) -> PathBuf {
        self.file("clients.coffer")
    }

    /// The file with its passphrase.
    pub fn passphrase_file(&self) -> PathBuf {
        self.file("passphrase.txt")
    }

    /// Where programs keep their data, this device's keys included.
    pub fn data(&self) -> PathBuf {
        self.file("data")
    }
}

/// Copies plain files and folders with their modes.
pub fn copy_folder(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let place = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::DirBuilder::new().mode(0o700).create(&place).unwrap();
            copy_folder(&entry.path(), &place);
        } else {
            fs::copy(entry.path(), &place).unwrap();
        }
    }
}

/// Device keys where the program looks for them when there is no keyring (docs/FORMAT.md, "Device key material").
struct DeviceFiles {
    data: PathBuf,
}

impl DeviceFiles {
    fn file(&self, vault: VaultId) -> PathBuf {
        self.data.join("coffer").join("devices").join(vault.to_string())
    }
}

impl DeviceStore for DeviceFiles {
    fn load(&self, vault: VaultId) -> Result<Option<DeviceMaterial>, DeviceStoreError> {
        let file = self.file(vault);
        let Ok(bytes) = fs::read(&file) else { return Ok(None) };
        Ok(Some(DeviceMaterial { secret: SecretBytes::new(bytes), place: DevicePlace::File(file) }))
    }

    fn save(&self, vault: VaultId, secret: &SecretBytes) -> Result<DevicePlace, DeviceStoreError> {
        use std::io::Write;
        let path = self.file(vault);
        let folder = path.parent().unwrap();
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(DeviceStoreError::Io)?;
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&path).unwrap();
        file.write_all(secret.expose()).map_err(DeviceStoreError::Io)?;
        Ok(DevicePlace::File(path))
    }

    fn forget(&self, vault: VaultId) -> Result<(), DeviceStoreError> {
        let _ = fs::remove_file(self.file(vault));
        Ok(())
    }
}

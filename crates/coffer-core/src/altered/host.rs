//! The machine of these tests: real time, randomness and files; device keys in memory, and a key derivation for tests.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use coffer_crypto::kdf::KdfFloor;
use coffer_crypto::secret::SecretBytes;
use coffer_model::id::VaultId;
use coffer_model::time::Timestamp;

use crate::host::{
    Clipboard, ClipboardError, Clock, DeviceMaterial, DevicePlace, DeviceStore, DeviceStoreError, DiskEncryption,
    DiskFacts, Hardening, Host, Identity, Keyring, KeyringError, MachineFacts, Random,
};

pub fn host() -> Host {
    let machine = Arc::new(Machine { start: Instant::now(), devices: Mutex::default() });
    Host {
        clock: machine.clone(),
        random: machine.clone(),
        keyring: machine.clone(),
        devices: machine.clone(),
        disk: machine.clone(),
        clipboard: machine.clone(),
        machine,
        identity: Identity {
            os_user: "tester".to_owned(),
            host_name: "here".to_owned(),
            program: "altered".to_owned(),
            process_id: 1,
        },
        kdf_floor: KdfFloor::for_tests(),
    }
}

struct Machine {
    start: Instant,
    devices: Mutex<BTreeMap<VaultId, Vec<u8>>>,
}

impl Clock for Machine {
    #[expect(clippy::disallowed_methods, reason = "this is the host of these tests")]
    fn now(&self) -> Timestamp {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        Timestamp::from_unix_millis(i64::try_from(now.as_millis()).unwrap()).unwrap()
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}

impl Random for Machine {
    fn fill(&self, buffer: &mut [u8]) {
        File::open("/dev/urandom").unwrap().read_exact(buffer).unwrap();
    }
}

impl Keyring for Machine {
    fn get(&self, _: &str, _: &str) -> Result<SecretBytes, KeyringError> {
        Err(KeyringError::Unavailable)
    }

    fn set(&self, _: &str, _: &str, _: &SecretBytes) -> Result<(), KeyringError> {
        Err(KeyringError::Unavailable)
    }

    fn delete(&self, _: &str, _: &str) -> Result<(), KeyringError> {
        Err(KeyringError::Unavailable)
    }
}

impl DeviceStore for Machine {
    fn load(&self, vault: VaultId) -> Result<Option<DeviceMaterial>, DeviceStoreError> {
        let found = self.devices.lock().unwrap().get(&vault).cloned();
        Ok(found.map(|bytes| DeviceMaterial { secret: SecretBytes::new(bytes), place: DevicePlace::Keyring }))
    }

    fn save(&self, vault: VaultId, secret: &SecretBytes) -> Result<DevicePlace, DeviceStoreError> {
        self.devices.lock().unwrap().insert(vault, secret.expose().to_vec());
        Ok(DevicePlace::Keyring)
    }

    fn forget(&self, vault: VaultId) -> Result<(), DeviceStoreError> {
        self.devices.lock().unwrap().remove(&vault);
        Ok(())
    }
}

impl DiskFacts for Machine {
    fn encryption(&self, _: &Path) -> DiskEncryption {
        DiskEncryption::Unknown
    }

    fn free_bytes(&self, _: &Path) -> Option<u64> {
        None
    }
}

impl Clipboard for Machine {
    fn copy_secret(&self, _: SecretBytes, _: Duration) -> Result<(), ClipboardError> {
        Err(ClipboardError::Unavailable)
    }

    fn clear_if_ours(&self) -> Result<bool, ClipboardError> {
        Ok(false)
    }

    fn wait_until_cleared(&self) -> Result<(), ClipboardError> {
        Ok(())
    }
}

impl MachineFacts for Machine {
    fn memory_bytes(&self) -> Option<u64> {
        None
    }

    fn cores(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }

    fn hardening(&self) -> Hardening {
        Hardening { not_dumpable: false, no_core_dumps: false, private_files: false }
    }
}

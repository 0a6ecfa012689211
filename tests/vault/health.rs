//! What protects a vault on this computer, with a keyring and without.

use std::sync::{Arc, Mutex};

use coffer_core::host::{DeviceMaterial, DevicePlace, DeviceStore, DeviceStoreError, KeyringError, SecretBytes};
use coffer_core::view::HealthState;
use coffer_core::{
    BackupIdentity, CallError, EnrolDeviceError, Fault, JobError, RestoreOptions, parse_recovery_kit, start_restore,
};
use coffer_model::id::VaultId;
use coffer_tests::{Place, tenant};

#[test]
fn an_unlocked_vault_tells_of_its_health_what_a_locked_one_does() {
    let place = Place::new();
    let (session, _kit) = place.create();
    // Free space is a figure that changes between two looks.
    let without_space = |health: Vec<coffer_core::view::HealthView>| -> Vec<_> {
        health.into_iter().filter(|view| view.check != "free_space").collect()
    };
    let unlocked = without_space(session.health().unwrap());
    session.lock().unwrap();
    assert_eq!(unlocked, without_space(place.vault().health().unwrap()));
    let device = unlocked.iter().find(|view| view.check == "device_key").unwrap();
    assert_eq!((device.state, device.detail.as_str()), (HealthState::Good, "keyring"));
}

#[test]
fn a_device_without_a_key_wants_attention_until_it_is_enrolled() {
    let place = Place::new();
    let (session, _kit) = place.create();
    place.host.devices.forget(place.vault().id()).unwrap();
    let device = |health: Vec<coffer_core::view::HealthView>| {
        let found = health.into_iter().find(|view| view.check == "device_key").unwrap();
        (found.state, found.detail)
    };
    assert_eq!(device(session.health().unwrap()), (HealthState::Attention, "none".to_owned()));
    session.enrol_device().unwrap();
    assert_eq!(device(session.health().unwrap()), (HealthState::Good, "keyring".to_owned()));
}

/// A machine whose keyring fails in one way, and which keeps a key in a file all the same.
struct WithoutKeyring {
    failure: KeyringError,
    file: Mutex<Option<Vec<u8>>>,
}

impl WithoutKeyring {
    fn new(failure: KeyringError) -> Arc<Self> {
        Arc::new(Self { failure, file: Mutex::new(None) })
    }
}

impl DeviceStore for WithoutKeyring {
    fn load(&self, _vault: VaultId) -> Result<Option<DeviceMaterial>, DeviceStoreError> {
        let kept = self.file.lock().unwrap().clone().ok_or(DeviceStoreError::Keyring(self.failure))?;
        Ok(Some(DeviceMaterial { secret: SecretBytes::new(kept), place: DevicePlace::File("key".into()) }))
    }

    fn save(&self, _vault: VaultId, secret: &SecretBytes) -> Result<DevicePlace, DeviceStoreError> {
        *self.file.lock().unwrap() = Some(secret.expose().to_vec());
        Ok(DevicePlace::File("key".into()))
    }

    fn forget(&self, _vault: VaultId) -> Result<(), DeviceStoreError> {
        *self.file.lock().unwrap() = None;
        Ok(())
    }
}

#[test]
fn a_computer_without_a_keyring_restores_with_the_kit_and_is_enrolled() {
    let mut place = Place::new();
    let (session, kit) = place.create();
    tenant(&session, "ACME");
    session.start_backup(&place.path("one.age")).wait().unwrap();
    session.lock().unwrap();

    place.host.devices = WithoutKeyring::new(KeyringError::Unavailable);
    let text = kit.to_text();
    let kit = parse_recovery_kit(std::str::from_utf8(text.expose()).unwrap()).unwrap();
    let (identity, to) = (BackupIdentity::RecoveryKit(kit), place.path("restored.coffer"));
    start_restore(&place.host, &place.path("one.age"), identity, &to, RestoreOptions::default()).wait().unwrap();
    let session = place.unlock_at(&to);
    session.start_backup(&place.path("two.age")).wait().unwrap();

    place.host.devices.forget(place.vault().id()).unwrap();
    session.enrol_device().unwrap();
    session.start_backup(&place.path("three.age")).wait().unwrap();
}

#[test]
fn a_keyring_that_does_not_answer_may_have_the_key_so_no_other_is_made() {
    let mut place = Place::new();
    let (session, kit) = place.create();
    session.start_backup(&place.path("one.age")).wait().unwrap();
    session.lock().unwrap();
    for failure in [KeyringError::Locked, KeyringError::TimedOut, KeyringError::Failed] {
        place.host.devices = WithoutKeyring::new(failure);
        let session = place.unlock();
        let refused = session.enrol_device();
        let is_device = matches!(refused, Err(EnrolDeviceError::Call(CallError::Fault(Fault::Device(_)))));
        assert!(is_device, "{refused:?}");
        session.lock().unwrap();
        let text = kit.to_text();
        let kit = parse_recovery_kit(std::str::from_utf8(text.expose()).unwrap()).unwrap();
        let (identity, to) = (BackupIdentity::RecoveryKit(kit), place.path("restored.coffer"));
        let restored = start_restore(&place.host, &place.path("one.age"), identity, &to, RestoreOptions::default());
        let restored = restored.wait();
        assert!(matches!(restored, Err(JobError::Call(CallError::Fault(Fault::Device(_))))), "{restored:?}");
        assert!(!to.exists());
    }
}

//! The freedesktop.org Secret Service (GNOME Keyring, `KWallet`, `KeePassXC`) over the session bus.
//! Spec: Secret Service API 0.2. Secrets cross the bus encrypted (Diffie-Hellman session).

use std::sync::Arc;

use coffer_core::host::KeyringError;
use keyring::CredentialStore;
use zbus_secret_service_keyring_store::Store;

/// Connects to the Secret Service. Fails at once without a session bus, or when nobody on it offers the service.
pub(crate) fn open_keyring() -> Result<Arc<CredentialStore>, KeyringError> {
    let store = Store::new().map_err(|_| KeyringError::Unavailable)?;
    Ok(store)
}

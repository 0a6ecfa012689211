//! What every whole-vault test starts from: a place of its own on the disk, and the real machine with three exceptions, a
//! key derivation that costs nothing, and no keyring and a device store of its own, which leave the person's alone.
#![allow(clippy::unwrap_used, reason = "test code")]

pub mod proof;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use coffer_core::host::{
    Clock, DeviceMaterial, DevicePlace, DeviceStore, DeviceStoreError, Host, KdfFloor, Keyring, KeyringError,
    SecretBytes,
};
use coffer_core::view::{AccountState, AccountView, RecordView, TenantView};
use coffer_core::{
    ActivationCode, CreatedVault, Credentials, FreshAuthentication, NewVault, Passphrase, RecoveryKit, Session, Vault,
};
use coffer_crypto::totp::{CodeHash, CodeShape, derive_code};
use coffer_model::account::{Role, Roles};
use coffer_model::id::VaultId;
use coffer_model::record::{FieldDraft, FieldType, RecordDraft};
use coffer_model::time::Timestamp;
use coffer_model::totp::TotpSeed;

/// The founder's login in tests.
pub const LOGIN: &str = "ines";
/// The founder's passphrase in tests.
pub const PASSPHRASE: &str = "quiet lanterns over the harbour 58";

/// A folder for vaults, and a host that forgets everything with it.
pub struct Place {
    folder: tempfile::TempDir,
    /// The machine.
    pub host: Host,
}

impl Place {
    /// Makes a new one.
    pub fn new() -> Self {
        let mut host = coffer_host::system("coffer-tests");
        host.kdf_floor = KdfFloor::for_tests();
        host.devices = Arc::new(MemoryDevices::default());
        host.keyring = Arc::new(NoKeyring);
        Self { folder: tempfile::tempdir().unwrap(), host }
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where the vault of these tests is.
    pub fn vault_folder(&self) -> PathBuf {
        self.path("clients.coffer")
    }

    /// Creates the vault; gives its kit and a session.
    pub fn create(&self) -> (Session, RecoveryKit) {
        let new =
            NewVault { login: LOGIN.parse().unwrap(), passphrase: passphrase(PASSPHRASE), demo: false, split: None };
        let CreatedVault { session, kit } = Vault::create(&self.host, &self.vault_folder(), new).unwrap();
        (session, kit)
    }

    /// Opens the vault, locked.
    pub fn vault(&self) -> Vault {
        Vault::open(&self.host, &self.vault_folder()).unwrap()
    }

    /// Unlocks the vault.
    pub fn unlock(&self) -> Session {
        self.unlock_at(&self.vault_folder())
    }

    /// Unlocks the vault for an account that [`enrol`] made.
    pub fn unlock_as(&self, login: &str) -> Session {
        self.vault().unlock(login, passphrase_of(login)).unwrap()
    }

    /// Unlocks the vault in another folder.
    pub fn unlock_at(&self, folder: &Path) -> Session {
        Vault::open(&self.host, folder).unwrap().unlock(LOGIN, passphrase(PASSPHRASE)).unwrap()
    }
}

impl Default for Place {
    fn default() -> Self {
        Self::new()
    }
}

/// The passphrase of an account that [`enrol`] made.
pub fn passphrase_of(login: &str) -> Passphrase {
    passphrase(&format!("seven slow herons wade past {}", login.chars().rev().collect::<String>()))
}

/// The proof that unlocking was a moment ago.
pub fn fresh(session: &Session) -> FreshAuthentication {
    session.authenticated_by_unlocking().unwrap()
}

/// Invites somebody, and gives the code.
pub fn invite(session: &Session, login: &str, roles: &[Role]) -> ActivationCode {
    let roles = Roles::of(roles.iter().copied());
    let invitation = session.invite(&login.parse().unwrap(), roles, 24, fresh(session)).unwrap();
    ActivationCode::parse_text(std::str::from_utf8(invitation.code.expose()).unwrap()).unwrap()
}

/// Invites somebody, locks, and has them enrol; gives their session.
pub fn enrol(place: &Place, session: Session, login: &str, roles: &[Role]) -> Session {
    let code = invite(&session, login, roles);
    session.lock().unwrap();
    place.vault().activate(&code, &passphrase_of(login)).unwrap()
}

/// An authenticator that took a seed in.
pub struct Authenticator(TotpSeed);

impl Authenticator {
    /// Enrols one for the account that is unlocked; gives the spare codes with it.
    pub fn enrol(session: &Session, now: Timestamp) -> (Self, Vec<String>) {
        let offer = session.offer_second_factor().unwrap();
        let this = Self(TotpSeed::parse(std::str::from_utf8(offer.uri().expose()).unwrap()).unwrap());
        let spare = session.enrol_second_factor(&offer, &this.code(now), fresh(session)).unwrap();
        (this, spare.iter().map(|code| String::from_utf8(code.expose().to_vec()).unwrap()).collect())
    }

    /// What it shows.
    pub fn code(&self, now: Timestamp) -> String {
        let period_seconds = self.0.period_seconds();
        let shape = CodeShape { hash: CodeHash::Sha1, digits: self.0.digits(), period_seconds };
        let seconds = u64::try_from(now.unix_millis() / 1_000).unwrap();
        derive_code(self.0.expose(), shape, seconds).to_string()
    }
}

/// Credentials with a code.
pub fn with_code(passphrase: Passphrase, code: &str) -> Credentials {
    Credentials::new(passphrase).with_code(code.to_owned().into())
}

/// Removes what makes failed unlocks wait: where a test tries more of them than a person would.
pub fn forget_delays(vault: &Path) {
    match std::fs::remove_file(vault.join("unlock.delays")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{error}"),
        _ => {}
    }
}

/// An account by its login.
pub fn account(session: &Session, login: &str) -> AccountView {
    let mut accounts = session.people().unwrap().accounts.into_iter();
    accounts.find(|account| account.login == login && account.state != AccountState::Left).unwrap()
}

/// A passphrase.
pub fn passphrase(text: &str) -> Passphrase {
    Passphrase::parse(text.as_bytes().to_vec()).unwrap()
}

/// Creates a tenant.
pub fn tenant(session: &Session, name: &str) -> TenantView {
    session.create_tenant(&name.parse().unwrap()).unwrap()
}

/// A new field.
pub fn field(name: &str, field_type: FieldType, value: &str) -> FieldDraft {
    FieldDraft { id: None, name: name.to_owned(), field_type, value: Some(value.into()) }
}

/// A record with a text field `User` and a secret field `Password`.
pub fn login_draft(title: &str, user: &str, password: &str) -> RecordDraft {
    RecordDraft {
        kind: "login".parse().unwrap(),
        title: title.to_owned(),
        fields: vec![field("User", FieldType::Text, user), field("Password", FieldType::Secret, password)],
        tags: vec!["db".to_owned()],
        notes: "Invented.".to_owned(),
    }
}

/// Everything of `record` kept, as a draft to change.
pub fn kept(record: &RecordView) -> RecordDraft {
    let fields = record.fields.iter().map(|field| FieldDraft {
        id: Some(field.id),
        name: field.name.clone(),
        field_type: field.field_type,
        value: None,
    });
    RecordDraft {
        kind: record.kind.clone(),
        title: record.title.clone(),
        fields: fields.collect(),
        tags: record.tags.clone(),
        notes: record.notes.clone(),
    }
}

/// Device keys, kept for as long as the test.
#[derive(Default)]
struct MemoryDevices(Mutex<BTreeMap<VaultId, Vec<u8>>>);

impl DeviceStore for MemoryDevices {
    fn load(&self, vault: VaultId) -> Result<Option<DeviceMaterial>, DeviceStoreError> {
        let found = self.0.lock().unwrap().get(&vault).cloned();
        Ok(found.map(|bytes| DeviceMaterial { secret: SecretBytes::new(bytes), place: DevicePlace::Keyring }))
    }

    fn save(&self, vault: VaultId, secret: &SecretBytes) -> Result<DevicePlace, DeviceStoreError> {
        self.0.lock().unwrap().insert(vault, secret.expose().to_vec());
        Ok(DevicePlace::Keyring)
    }

    fn forget(&self, vault: VaultId) -> Result<(), DeviceStoreError> {
        self.0.lock().unwrap().remove(&vault);
        Ok(())
    }
}

/// A clock on which everything takes a hundred times as long, so that the key derivation is fitted to a slow machine:
/// the least that a shipped program may choose.
pub struct SlowClock(pub Arc<dyn Clock>);

impl Clock for SlowClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic() * 100
    }
}

/// A clock that a test sets off the real one.
pub struct SetClock {
    real: Arc<dyn Clock>,
    millis_ahead: AtomicI64,
}

impl SetClock {
    /// Has a place's machine go by it.
    pub fn put_into(place: &mut Place) -> Arc<Self> {
        let clock = Arc::new(Self { real: place.host.clock.clone(), millis_ahead: AtomicI64::new(0) });
        place.host.clock = clock.clone();
        clock
    }

    /// Sets it.
    pub fn set_days_ahead(&self, days: i64) {
        self.set_seconds_ahead(days * 24 * 60 * 60);
    }

    /// Sets it, by seconds.
    pub fn set_seconds_ahead(&self, seconds: i64) {
        self.millis_ahead.store(seconds * 1_000, Ordering::Relaxed);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        let ahead = self.millis_ahead.load(Ordering::Relaxed);
        Timestamp::from_unix_millis(self.real.now().unix_millis() + ahead).unwrap()
    }

    fn monotonic(&self) -> Duration {
        self.real.monotonic()
    }
}

/// A machine without a keyring.
struct NoKeyring;

impl Keyring for NoKeyring {
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

/// A keyring that a test locks and empties.
#[derive(Default)]
pub struct MemoryKeyring {
    /// What it keeps, by service and name.
    pub kept: Mutex<BTreeMap<(String, String), Vec<u8>>>,
    locked: Mutex<bool>,
}

impl MemoryKeyring {
    /// Gives the place's machine one.
    pub fn put_into(place: &mut Place) -> Arc<Self> {
        let keyring = Arc::new(Self::default());
        place.host.keyring = keyring.clone();
        keyring
    }

    /// Locks it, or unlocks it.
    pub fn lock(&self, locked: bool) {
        *self.locked.lock().unwrap() = locked;
    }

    fn refuse_locked(&self) -> Result<(), KeyringError> {
        if *self.locked.lock().unwrap() { Err(KeyringError::Locked) } else { Ok(()) }
    }
}

impl Keyring for MemoryKeyring {
    fn get(&self, service: &str, name: &str) -> Result<SecretBytes, KeyringError> {
        self.refuse_locked()?;
        let kept = self.kept.lock().unwrap();
        kept.get(&(service.to_owned(), name.to_owned())).cloned().map(SecretBytes::new).ok_or(KeyringError::NotFound)
    }

    fn set(&self, service: &str, name: &str, secret: &SecretBytes) -> Result<(), KeyringError> {
        self.refuse_locked()?;
        self.kept.lock().unwrap().insert((service.to_owned(), name.to_owned()), secret.expose().to_vec());
        Ok(())
    }

    fn delete(&self, service: &str, name: &str) -> Result<(), KeyringError> {
        self.refuse_locked()?;
        let removed = self.kept.lock().unwrap().remove(&(service.to_owned(), name.to_owned()));
        removed.map(drop).ok_or(KeyringError::NotFound)
    }
}

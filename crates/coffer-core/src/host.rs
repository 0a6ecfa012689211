//! What the world must give to the engine: time, randomness, the keyring, the device's own key material, facts about
//! the disk and the machine, the clipboard, and a way to ask a person for a secret.
//!
//! Only traits and the values they speak in; nothing here touches the machine. `coffer-host` implements everything on
//! a real one except [`SecretPrompt`], which belongs to the shells (a native window, a terminal). The engine never
//! reads a clock, a home folder or an environment variable by any other way.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use coffer_crypto::kdf::KdfFloor;
pub use coffer_crypto::secret::SecretBytes;
use coffer_model::id::VaultId;
use coffer_model::time::Timestamp;

/// Everything the engine may ask of the machine, in one bundle.
///
/// Shells build it by `coffer_host::system`; only tests build another.
#[derive(Clone)]
pub struct Host {
    /// Time of day, and a clock that only goes forward.
    pub clock: Arc<dyn Clock>,
    /// The operating system's randomness.
    pub random: Arc<dyn Random>,
    /// The operating system's keyring.
    pub keyring: Arc<dyn Keyring>,
    /// Where this device keeps its own key material for a vault.
    pub devices: Arc<dyn DeviceStore>,
    /// What is known about the disk under a path.
    pub disk: Arc<dyn DiskFacts>,
    /// The clipboard.
    pub clipboard: Arc<dyn Clipboard>,
    /// Memory, cores, and how well this process is shielded.
    pub machine: Arc<dyn MachineFacts>,
    /// Who runs which program where, for the log.
    pub identity: Identity,
    /// The least Argon2id cost this build accepts in a vault. The shipped floor is not configurable; a test lowers it
    /// here and nowhere else.
    pub kdf_floor: KdfFloor,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("identity", &self.identity).finish_non_exhaustive()
    }
}

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Time of day. May jump either way when somebody sets the clock.
    fn now(&self) -> Timestamp;

    /// Time since an arbitrary start in this process; never goes back. For measuring.
    fn monotonic(&self) -> Duration;
}

/// Gives random bytes fit for keys.
///
/// Shared by threads, hence `&self`; `&mut |buffer: &mut [u8]| host.random.fill(buffer)` is a [`coffer_crypto::Random`].
pub trait Random: Send + Sync {
    /// Fills `buffer`. Never returns with fewer or weaker bytes: it panics on a machine without randomness.
    fn fill(&self, buffer: &mut [u8]);
}

/// A host's randomness in the form the cryptography takes.
pub(crate) fn crypto_random(host: &Host) -> impl FnMut(&mut [u8]) + use<> {
    let random = Arc::clone(&host.random);
    move |buffer: &mut [u8]| random.fill(buffer)
}

/// Keeps small secrets for this operating-system account, under a service and a name.
///
/// A call never blocks for longer than the implementation's stated limit. A keyring is never the only way in.
pub trait Keyring: Send + Sync {
    /// Reads a secret.
    fn get(&self, service: &str, name: &str) -> Result<SecretBytes, KeyringError>;

    /// Stores a secret, replacing one of the same service and name. After [`KeyringError::TimedOut`] it may still
    /// arrive: read it back before relying on either outcome.
    fn set(&self, service: &str, name: &str, secret: &SecretBytes) -> Result<(), KeyringError>;

    /// Removes a secret.
    fn delete(&self, service: &str, name: &str) -> Result<(), KeyringError>;
}

/// Why the keyring did not do what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// There is no keyring to talk to: no session bus, no service, or none on this system.
    #[error("no keyring is available")]
    Unavailable,
    /// The keyring is there but locked, or unlocking it was declined, or it has never been set up.
    #[error("the keyring is locked")]
    Locked,
    /// The keyring is open and holds nothing under that name.
    #[error("the keyring holds no such secret")]
    NotFound,
    /// The keyring did not answer in time, as when it waits for somebody to unlock it.
    #[error("the keyring did not answer in time")]
    TimedOut,
    /// The keyring answered with anything else.
    #[error("the keyring failed")]
    Failed,
}

/// Keeps this device's key material for a vault: in the keyring, or else in a file only its owner may read.
pub trait DeviceStore: Send + Sync {
    /// Finds the material for a vault and says where it was. `Ok(None)` only when every place that could hold it was
    /// looked at and holds none: a keyring that cannot be asked may hold it, and is an error.
    fn load(&self, vault: VaultId) -> Result<Option<DeviceMaterial>, DeviceStoreError>;

    /// Stores the material for a vault, durably and readable again, replacing what was there; says where it went.
    fn save(&self, vault: VaultId, secret: &SecretBytes) -> Result<DevicePlace, DeviceStoreError>;

    /// Removes the material for a vault from every place. Having none is no error.
    fn forget(&self, vault: VaultId) -> Result<(), DeviceStoreError>;
}

/// A device's key material for one vault, and where it was found.
#[derive(Debug)]
pub struct DeviceMaterial {
    /// The material, as it was given to [`DeviceStore::save`].
    pub secret: SecretBytes,
    /// Where it was found.
    pub place: DevicePlace,
}

/// Where a device's key material lies. Shown to the person, because the two differ in what a thief needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DevicePlace {
    /// In the operating system's keyring.
    Keyring,
    /// In this file, readable by its owner (0600), not encrypted.
    File(PathBuf),
}

/// Why a device's key material could not be read or stored.
#[derive(Debug, thiserror::Error)]
pub enum DeviceStoreError {
    /// No file holds it, and the keyring, which may, could not be asked.
    #[error("the keyring that may hold this device's key cannot be read")]
    Keyring(#[source] KeyringError),
    /// This account has no folder for a program's data.
    #[error("there is no folder for this program's data")]
    NoDataFolder,
    /// The file is not one that only its owner may read, or not a plain file at all.
    #[error("the file with this device's key is not private")]
    NotPrivate,
    /// The file could not be read or written.
    #[error("the file with this device's key cannot be read or written")]
    Io(#[source] std::io::Error),
}

/// What can be found out about the disk under a path.
pub trait DiskFacts: Send + Sync {
    /// Whether the operating system encrypts the disk that holds `path`.
    fn encryption(&self, path: &Path) -> DiskEncryption;

    /// Bytes this account may still write under `path`; `None` when that cannot be found out.
    fn free_bytes(&self, path: &Path) -> Option<u64>;
}

/// Whether the disk under a path is encrypted, as far as can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskEncryption {
    /// Every device that holds the file system lies on one that the operating system encrypts.
    Encrypted,
    /// At least one device below does not. A disk that encrypts by itself, or an encrypted folder, is not seen and
    /// counts here.
    NotSeen,
    /// The devices below cannot be looked at: a network or layered file system, or a system that does not say.
    Unknown,
}

/// Copies secrets for the person to paste elsewhere, and takes them back.
pub trait Clipboard: Send + Sync {
    /// Puts UTF-8 text on the clipboard, marked so that clipboard histories leave it out, and clears it after
    /// `clear_after` if it is then still what the clipboard holds.
    fn copy_secret(&self, secret: SecretBytes, clear_after: Duration) -> Result<(), ClipboardError>;

    /// Clears the clipboard now if it still holds what [`Clipboard::copy_secret`] put there. Returns when it is done,
    /// and says whether there was something of ours to clear.
    fn clear_if_ours(&self) -> Result<bool, ClipboardError>;

    /// Waits until nothing of ours is on the clipboard: cleared, or replaced and its time over. A program without a
    /// window calls it before it ends, since a clipboard's text lives in the program that copied it.
    fn wait_until_cleared(&self) -> Result<(), ClipboardError>;
}

/// Why the clipboard did not do what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClipboardError {
    /// There is no clipboard to talk to, as without a display.
    #[error("no clipboard is available")]
    Unavailable,
    /// The secret is not UTF-8 text and cannot be pasted.
    #[error("only text can be copied")]
    NotText,
    /// The clipboard answered with anything else.
    #[error("the clipboard failed")]
    Failed,
}

impl ClipboardError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unavailable => "clipboard_unavailable",
            Self::NotText => "clipboard_not_text",
            Self::Failed => "clipboard_failed",
        }
    }
}

/// Who runs which program where: what the log says about the machine's side of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Name of the operating system's user, or the number in decimal when it has no name.
    pub os_user: String,
    /// The machine's host name.
    pub host_name: String,
    /// The program, as its shell names it.
    pub program: String,
    /// The process's id.
    pub process_id: u32,
}

/// What can be found out about the machine and this process.
pub trait MachineFacts: Send + Sync {
    /// Physical memory in bytes; `None` when that cannot be found out.
    fn memory_bytes(&self) -> Option<u64>;

    /// Processor cores this process may use.
    fn cores(&self) -> NonZeroUsize;

    /// How this process is shielded right now, read from the system rather than remembered.
    fn hardening(&self) -> Hardening;
}

/// Which shields around this process's memory and files are up. Shown on the health page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hardening {
    /// Other processes of the same user can neither trace this one nor read its memory, and it leaves no core dump.
    pub not_dumpable: bool,
    /// The limit on core dumps is zero and cannot be raised again.
    pub no_core_dumps: bool,
    /// New files are readable by their owner only.
    pub private_files: bool,
}

/// Asks the person for a secret, outside any web view.
///
/// The shells hold the words; the engine only says what the secret is for.
pub trait SecretPrompt: Send + Sync {
    /// Asks and waits for the answer.
    fn ask(&self, request: &PromptRequest<'_>) -> Result<SecretBytes, PromptError>;
}

/// What a person is asked for.
#[derive(Debug, Clone, Copy)]
pub struct PromptRequest<'a> {
    /// What the answer will be used for.
    pub purpose: PromptPurpose,
    /// The vault's name as shown to people.
    pub vault_name: &'a str,
    /// The login name the secret belongs to, where it is known already.
    pub login: Option<&'a str>,
}

/// What a secret is asked for. A prompt words its question, and treats the answer, accordingly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptPurpose {
    /// The passphrase that unlocks an account.
    Unlock,
    /// A passphrase that does not exist yet: with a strength meter, typed twice and compared by the prompt.
    NewPassphrase,
    /// The passphrase once more, before an action that asks for it.
    StepUp,
    /// The recovery code, as printed on the kit.
    RecoveryCode,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PromptError {
    /// The person declined.
    #[error("the question was cancelled")]
    Cancelled,
    /// There is nowhere to ask: no terminal, no display.
    #[error("there is nowhere to ask for a secret")]
    Unavailable,
    /// The window or the terminal failed.
    #[error("the question could not be asked")]
    Failed,
}

//! A vault that is locked: what can be known and done without a passphrase, and the ways to unlock.
//! Files: docs/FORMAT.md §2–3.

use std::path::{Path, PathBuf};

use coffer_model::account::LoginName;
use coffer_model::id::VaultId;

use crate::fault::Fault;
use crate::header::{self, Header};
use crate::host::Host;
use crate::store::files::{self, FileError, LockHolder};
use crate::view::VaultView;

/// Name of the header in the vault's folder.
pub(crate) const HEADER_FILE: &str = "header";
/// Folder of the tenants' files in the vault's folder.
pub(crate) const TENANTS_FOLDER: &str = "tenants";
/// How folders of vaults are called.
pub const EXTENSION: &str = "coffer";

/// A vault, locked.
#[derive(Debug)]
pub struct Vault {
    pub(crate) host: Host,
    pub(crate) folder: PathBuf,
    id: VaultId,
    demo: bool,
}

/// Why a folder was not opened as a vault.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no vault at that place.
    #[error("there is no vault at that place")]
    NotAVault,
    /// The vault or the machine under it failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl OpenError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotAVault => "not_a_vault",
            Self::Fault(fault) => fault.code(),
        }
    }
}

impl Vault {
    /// Looks at the vault in `folder`. Reads its header and nothing else; believes nothing of it yet.
    pub fn open(host: &Host, folder: &Path) -> Result<Self, OpenError> {
        let header = match read_header(folder) {
            Err(Fault::Io(FileError::Missing | FileError::NotPlain)) => return Err(OpenError::NotAVault),
            other => other?,
        };
        Ok(Self { host: host.clone(), folder: folder.to_owned(), id: header.vault, demo: header.demo })
    }

    /// The vault's identifier.
    pub const fn id(&self) -> VaultId {
        self.id
    }

    /// What can be said of it while it is locked.
    pub fn view(&self) -> VaultView {
        VaultView { id: self.id, name: name_of(&self.folder), format: header::FORMAT, demo: self.demo }
    }

    /// Who the lock file should say holds the vault.
    pub(crate) fn holder(host: &Host) -> LockHolder {
        LockHolder { pid: host.identity.process_id, program: host.identity.program.clone(), since: host.clock.now() }
    }
}

/// Reads and parses the header of the vault in `folder`.
pub(crate) fn read_header(folder: &Path) -> Result<Header, Fault> {
    let bytes = files::read_private_file(&folder.join(HEADER_FILE), header::MAX_BYTES)?;
    Ok(Header::parse(&bytes)?)
}

/// What people call the vault in `folder`.
pub(crate) fn name_of(folder: &Path) -> String {
    folder.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// The login as look-up values are made from it. What is no login name cannot have an account, but costs the same.
pub(crate) fn normalise_login(login: &str) -> String {
    login.parse::<LoginName>().map_or_else(|_| login.to_owned(), String::from)
}

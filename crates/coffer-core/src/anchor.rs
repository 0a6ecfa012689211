//! Anchors: how far this device knows a vault, kept in the operating system's keyring, outside the vault's folder. An
//! account's sealed state lies in the header and goes back with it; by its anchor it is noticed when a folder is put back as
//! a whole. Layout: docs/FORMAT.md §9.8.
//!
//! An anchor is written after what it stands for is on the disk. A vault ahead of it is the normal case; one that extends no
//! anchor of this device is an older copy, or goes another way. A vault may have several copies here, each with its own
//! anchor: restoring a backup makes one. Without a keyring there is none.

use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use coffer_crypto::secret::SecretBytes;
use coffer_model::id::VaultId;
use coffer_model::time::Timestamp;
use minicbor::bytes::ByteArray;
use minicbor::{CborLen, Decode, Encode};

use crate::audit::{AuditLog, LogError};
use crate::chain::{Hash, SignedStatement};
use crate::encoding;
use crate::host::{Keyring, KeyringError};

/// The service under which the keyring holds anchors; the name is the vault's id.
const SERVICE: &str = "coffer-anchors";
/// Most copies of a vault that a device knows; the one not seen for longest makes room.
const MAX_COPIES: usize = 8;
/// Longest that anybody waits for the keyring to keep an anchor. Where it takes longer the anchor of before stays, which
/// still counts.
const KEEP_WITHIN: Duration = Duration::from_millis(500);

/// How far a vault was known.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, CborLen)]
#[cbor(array)]
pub(crate) struct Anchor {
    #[n(0)]
    chain_length: u64,
    #[n(1)]
    chain_head: ByteArray<32>,
    #[n(2)]
    log_entries: u64,
    #[n(3)]
    log_root: ByteArray<32>,
    /// Milliseconds since the Unix epoch.
    #[n(4)]
    at_ms: i64,
}

impl Anchor {
    /// Of a vault as it is: length and head of its chain, entries and root of its log.
    pub(crate) fn of(
        (chain_length, chain_head): (u64, Hash),
        (log_entries, log_root): (u64, Hash),
        at: Timestamp,
    ) -> Self {
        Self {
            chain_length,
            chain_head: chain_head.into(),
            log_entries,
            log_root: log_root.into(),
            at_ms: at.unix_millis(),
        }
    }

    /// Whether a vault with this chain and log is the one the anchor stands for, as it was then or later.
    fn is_extended_by(&self, statements: &[SignedStatement], log: &AuditLog) -> Result<bool, LogError> {
        let last = self.chain_length.checked_sub(1).and_then(|last| statements.get(usize::try_from(last).ok()?));
        if last.is_none_or(|last| last.hash() != *self.chain_head) {
            return Ok(false);
        }
        log.extends(self.log_entries, &self.log_root)
    }
}

/// How a vault stands to the anchors of this device.
pub(crate) struct Standing {
    /// Those that it extends, which its next one replaces.
    pub(crate) extended: Vec<Anchor>,
    /// If there are some and it extends none: when this device saw a copy last.
    pub(crate) older_than: Option<Timestamp>,
}

/// Anchors being read beside the derivation of a key: a keyring may take its time.
pub(crate) struct Reading(JoinHandle<Result<Vec<Anchor>, KeyringError>>);

impl Reading {
    /// Begins.
    pub(crate) fn begin(keyring: &Arc<dyn Keyring>, vault: VaultId) -> Self {
        let keyring = Arc::clone(keyring);
        Self(thread::spawn(move || load(&*keyring, vault)))
    }

    /// Holds the vault against them. A keyring that cannot be asked has none.
    pub(crate) fn judge(self, statements: &[SignedStatement], log: &AuditLog) -> Result<Standing, LogError> {
        let anchors = self.0.join().ok().and_then(Result::ok).unwrap_or_default();
        let last_seen = anchors.iter().filter_map(|anchor| Timestamp::from_unix_millis(anchor.at_ms).ok()).max();
        let mut extended = Vec::new();
        for anchor in anchors {
            if anchor.is_extended_by(statements, log)? {
                extended.push(anchor);
            }
        }
        let older_than = if extended.is_empty() { last_seen } else { None };
        Ok(Standing { extended, older_than })
    }
}

/// Keeps `anchor` in the place of those it `replaces`. Waits for the keyring no longer than [`KEEP_WITHIN`].
pub(crate) fn keep(keyring: &Arc<dyn Keyring>, vault: VaultId, replaces: Vec<Anchor>, anchor: Anchor) {
    let (done, wait) = mpsc::channel();
    keep_and_then(keyring, vault, replaces, anchor, move || _ = done.send(()));
    let _ = wait.recv_timeout(KEEP_WITHIN);
}

/// As [`keep`], without waiting.
pub(crate) fn keep_in_background(keyring: &Arc<dyn Keyring>, vault: VaultId, replaces: Vec<Anchor>, anchor: Anchor) {
    keep_and_then(keyring, vault, replaces, anchor, || {});
}

fn keep_and_then(
    keyring: &Arc<dyn Keyring>,
    vault: VaultId,
    replaces: Vec<Anchor>,
    anchor: Anchor,
    after: impl FnOnce() + Send + 'static,
) {
    let keyring = Arc::clone(keyring);
    thread::spawn(move || {
        // Nobody is told of a failure: the next unlock says whether there is an anchor.
        if let Ok(mut anchors) = load(&*keyring, vault) {
            anchors.retain(|kept| !replaces.contains(kept));
            anchors.push(anchor);
            anchors.sort_by_key(|kept| std::cmp::Reverse(kept.at_ms));
            anchors.truncate(MAX_COPIES);
            let _ = keyring.set(SERVICE, &vault.to_string(), &SecretBytes::new(encoding::encode(&anchors)));
        }
        after();
    });
}

/// What the keyring has of a vault. What does not read counts as none: whoever can write there could as well remove it.
fn load(keyring: &dyn Keyring, vault: VaultId) -> Result<Vec<Anchor>, KeyringError> {
    match keyring.get(SERVICE, &vault.to_string()) {
        Ok(kept) => Ok(encoding::decode(kept.expose()).unwrap_or_default()),
        Err(KeyringError::NotFound) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

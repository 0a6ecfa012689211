//! Files and folders that a person chose in a dialog, and what opens them. The web view gets a handle; path and keys stay
//! here.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use coffer_interchange::source::SourceKeys;

use crate::refusal::Refusal;

/// Most handles kept; a person chooses one thing at a time.
const MOST: usize = 32;

/// Paths by their handles.
#[derive(Debug, Default)]
pub(crate) struct Chosen(Mutex<BTreeMap<String, PathBuf>>, Mutex<BTreeMap<String, SourceKeys>>);

impl Chosen {
    /// Keeps a path under a random handle.
    pub(crate) fn keep(&self, handle: String, path: PathBuf) {
        let mut paths = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if paths.len() >= MOST {
            paths.clear();
            self.all_keys().clear();
        }
        paths.insert(handle, path);
    }

    /// Keeps what opens the file of a handle.
    pub(crate) fn keep_keys(&self, handle: &str, keys: SourceKeys) {
        self.all_keys().insert(handle.to_owned(), keys);
    }

    /// What opens the file of a handle; nothing if it is not encrypted.
    pub(crate) fn keys(&self, handle: &str) -> SourceKeys {
        self.all_keys().get(handle).cloned().unwrap_or_default()
    }

    fn all_keys(&self) -> MutexGuard<'_, BTreeMap<String, SourceKeys>> {
        self.1.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The path of a handle that was given out.
    pub(crate) fn path(&self, handle: &str) -> Result<PathBuf, Refusal> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(handle).cloned().ok_or(Refusal::NOT_FOUND)
    }
}

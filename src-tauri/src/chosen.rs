//! Files and folders that a person chose in a dialog. The web view gets a handle; the path stays here.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::refusal::Refusal;

/// Most handles kept; a person chooses one thing at a time.
const MOST: usize = 32;

/// Paths by their handles.
#[derive(Debug, Default)]
pub(crate) struct Chosen(Mutex<BTreeMap<String, PathBuf>>);

impl Chosen {
    /// Keeps a path under a random handle.
    pub(crate) fn keep(&self, handle: String, path: PathBuf) {
        let mut paths = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if paths.len() >= MOST {
            paths.clear();
        }
        paths.insert(handle, path);
    }

    /// The path of a handle that was given out.
    pub(crate) fn path(&self, handle: &str) -> Result<PathBuf, Refusal> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(handle).cloned().ok_or(Refusal::NOT_FOUND)
    }
}

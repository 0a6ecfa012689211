//! Secrets made for a record that is being written. The web view gets a handle and how good the secret is; the secret
//! stays here until the record is saved, unless the person asks to see it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use coffer_model::record::Value;

use crate::refusal::Refusal;

/// Most secrets kept; a form has a few.
const MOST: usize = 64;

/// Secrets by their handles. Erased when dropped, at the latest with the process that a lock ends.
#[derive(Default)]
pub(crate) struct Made(Mutex<BTreeMap<String, Value>>);

impl Made {
    /// Keeps a secret under a random handle.
    pub(crate) fn keep(&self, handle: String, secret: Value) {
        let mut secrets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if secrets.len() >= MOST {
            secrets.clear();
        }
        secrets.insert(handle, secret);
    }

    /// The secret of a handle that was given out.
    pub(crate) fn secret(&self, handle: &str) -> Result<Value, Refusal> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(handle).cloned().ok_or(Refusal::NOT_FOUND)
    }

    /// Forgets every secret: the session is over.
    pub(crate) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

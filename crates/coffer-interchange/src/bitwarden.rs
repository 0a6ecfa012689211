//! Bitwarden's JSON export: plain, or protected by a password of its own. Pure.
//!
//! Source of the format: <https://bitwarden.com/help/condition-bitwarden-import/> for the plain one,
//! <https://bitwarden.com/help/encrypted-export/> and Bitwarden's clients (`libs/importer`, `libs/exporter`) for the
//! protected one. Nesting is bounded by `serde_json`'s own limit of 128 levels.

mod items;
mod protected;

use serde::Deserialize;

use crate::neutral::Collection;
use crate::source::{SourceError, SourceKeys};

/// How an export is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Not at all.
    Plain,
    /// By a password of its own.
    Protected,
    /// By the exporting account's key, which nobody else has.
    AccountBound,
}

impl Form {
    pub const fn is_encrypted(self) -> bool {
        matches!(self, Self::Protected | Self::AccountBound)
    }
}

/// What is looked at to recognise an export.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    encrypted: Option<bool>,
    password_protected: Option<bool>,
    items: Option<serde::de::IgnoredAny>,
    data: Option<serde::de::IgnoredAny>,
}

/// The form of an export; `None` if the text is none.
pub(crate) fn form(text: &[u8]) -> Option<Form> {
    let envelope: Envelope = serde_json::from_slice(without_mark(text)).ok()?;
    match (envelope.encrypted, envelope.password_protected.unwrap_or(false)) {
        (Some(true), true) if envelope.data.is_some() => Some(Form::Protected),
        (Some(true), _) => Some(Form::AccountBound),
        (Some(false) | None, _) if envelope.items.is_some() => Some(Form::Plain),
        (Some(false) | None, _) => None,
    }
}

/// Takes everything out of an export.
pub(crate) fn read(text: &[u8], keys: &SourceKeys) -> Result<Collection, SourceError> {
    if keys.key_file.is_some() {
        return Err(SourceError::NoSuchKey("key file"));
    }
    match form(text).ok_or(SourceError::Damaged)? {
        Form::Plain if keys.passphrase.is_some() => Err(SourceError::NoSuchKey("passphrase")),
        Form::Plain => items::collect(without_mark(text)),
        Form::Protected => {
            let passphrase = keys.passphrase.as_ref().ok_or(SourceError::NeedsKey)?;
            items::collect(without_mark(&protected::open(without_mark(text), passphrase)?))
        }
        Form::AccountBound => Err(SourceError::AccountBound),
    }
}

fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(text)
}

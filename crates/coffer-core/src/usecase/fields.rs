//! Single fields: a secret leaves its mask for the screen or the clipboard, and the exposure list says so first.

use std::time::Duration;

use coffer_model::event::Event;
use coffer_model::id::RecordId;
use coffer_model::record::{FieldId, Value};

use super::records::in_tenant;
use crate::fault::CallError;
use crate::host::{ClipboardError, SecretBytes};
use crate::policy::Action;
use crate::session::Session;
use crate::store::tenant::{Exposure, How};

/// How long a copied value stays on the clipboard.
const CLIPBOARD_TIME: Duration = Duration::from_secs(30);

/// Why a field was not copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyFieldError {
    /// The clipboard did not take it.
    #[error(transparent)]
    Clipboard(#[from] ClipboardError),
    /// The call was refused or failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl CopyFieldError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Clipboard(error) => error.code(),
            Self::Call(error) => error.code(),
        }
    }
}

impl Session {
    /// A field's value, of the newest version if none is named.
    pub fn reveal_field(&self, record: RecordId, field: FieldId, version: Option<u32>) -> Result<Value, CallError> {
        let event = |version| Event::FieldRevealed { record, field, version };
        self.expose_field(Action::RevealField, (record, field, version), How::Revealed, event)
    }

    /// Puts a field's newest value on the clipboard for half a minute. It never passes through the caller.
    pub fn copy_field(&self, record: RecordId, field: FieldId) -> Result<(), CopyFieldError> {
        self.copy_field_for(record, field, CLIPBOARD_TIME)
    }

    /// As [`Session::copy_field`], for as long as the person has chosen.
    pub fn copy_field_for(
        &self,
        record: RecordId,
        field: FieldId,
        clear_after: Duration,
    ) -> Result<(), CopyFieldError> {
        let event = |version| Event::FieldCopied { record, field, version };
        let value = self.expose_field(Action::CopyField, (record, field, None), How::Copied, event)?;
        let bytes = SecretBytes::new(value.expose().as_bytes().to_vec());
        Ok(self.core.host.clipboard.copy_secret(bytes, clear_after)?)
    }

    /// Logs and lists that a field leaves its mask, then hands it out.
    fn expose_field(
        &self,
        action: Action,
        (record, field, version): (RecordId, FieldId, Option<u32>),
        how: How,
        event: impl FnOnce(u32) -> Event,
    ) -> Result<Value, CallError> {
        let actor = self.authorize(action, Some(record.tenant()))?;
        let open = self.open_tenant(&actor, record.tenant())?;
        let stored = self.core.stored_version(&actor, &open, record, version)?;
        let version = stored.version;
        let found = stored.content.field(field).ok_or(CallError::NotFound)?;
        let event = event(version);
        if found.field_type.is_masked() {
            let exposure = Exposure { key: record.key(), field, version, how };
            self.core.audited_read(&actor, &open, |tx| tx.insert_exposure(&exposure).map_err(in_tenant), |()| event)?;
        } else {
            self.record(&actor, event)?;
        }
        Ok(found.value.clone())
    }
}

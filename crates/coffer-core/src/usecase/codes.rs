//! One-time codes: shown or copied, without the seed they are made from.
//!
//! A code has its own entries in the log and no place on the exposure list. That list says what has to be changed when
//! somebody leaves, and a code is worth nothing once its period is over. The seed makes every later code: taken from
//! behind its mask ([`Session::reveal_field`], [`Session::copy_field`]) it goes on the list as any secret does.

use std::time::Duration;

use coffer_crypto::totp::{self, CodeHash, CodeShape};
use coffer_model::event::Event;
use coffer_model::id::RecordId;
use coffer_model::record::{FieldId, FieldType, Value};
use coffer_model::totp::{TotpAlgorithm, TotpSeed};

use crate::fault::CallError;
use crate::host::{ClipboardError, SecretBytes};
use crate::policy::Action;
use crate::session::Session;

/// Why there is no code.
#[derive(Debug, thiserror::Error)]
pub enum CodeError {
    /// The field is not of type [`FieldType::Totp`], or empty.
    #[error("the field makes no one-time codes")]
    NoSeed,
    /// The clipboard did not take it.
    #[error(transparent)]
    Clipboard(#[from] ClipboardError),
    /// The call was refused or failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl CodeError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoSeed => "no_code",
            Self::Clipboard(error) => error.code(),
            Self::Call(error) => error.code(),
        }
    }
}

/// A code of this moment.
#[derive(Debug)]
pub struct OneTimeCode {
    /// The digits.
    pub code: Value,
    /// Whole seconds until the next one, from 1.
    pub seconds_left: u32,
    /// Seconds a code is good for.
    pub period_seconds: u32,
}

impl Session {
    /// The code that a field makes at this moment, by the host's clock.
    pub fn totp_code(&self, record: RecordId, field: FieldId) -> Result<OneTimeCode, CodeError> {
        self.code(Action::ShowCode, record, field, |version| Event::CodeShown { record, field, version })
    }

    /// Puts the code of this moment on the clipboard. It never passes through the caller.
    pub fn copy_code_for(&self, record: RecordId, field: FieldId, clear_after: Duration) -> Result<(), CodeError> {
        let code =
            self.code(Action::CopyCode, record, field, |version| Event::CodeCopied { record, field, version })?;
        let bytes = SecretBytes::new(code.code.expose().as_bytes().to_vec());
        Ok(self.core.host.clipboard.copy_secret(bytes, clear_after)?)
    }

    fn code(
        &self,
        action: Action,
        record: RecordId,
        field: FieldId,
        event: impl FnOnce(u32) -> Event,
    ) -> Result<OneTimeCode, CodeError> {
        let actor = self.authorize(action, Some(record.tenant()))?;
        let open = self.open_tenant(&actor, record.tenant())?;
        let stored = self.core.stored_version(&actor, &open, record, None)?;
        let found = stored.content.field(field).ok_or(CallError::NotFound)?;
        if found.field_type != FieldType::Totp {
            return Err(CodeError::NoSeed);
        }
        let seed = TotpSeed::parse(found.value.expose()).map_err(|_| CodeError::NoSeed)?;
        self.record(&actor, event(stored.version))?;
        let now = u64::try_from(self.core.now().unix_millis() / 1_000).unwrap_or(0);
        let period_seconds = seed.period_seconds();
        let passed = u32::try_from(now % u64::from(period_seconds)).expect("less than the period");
        Ok(OneTimeCode {
            code: Value::new(totp::derive_code(seed.expose(), shape(&seed), now).to_string()),
            seconds_left: period_seconds - passed,
            period_seconds,
        })
    }
}

fn shape(seed: &TotpSeed) -> CodeShape {
    let hash = match seed.algorithm() {
        TotpAlgorithm::Sha1 => CodeHash::Sha1,
        TotpAlgorithm::Sha256 => CodeHash::Sha256,
        TotpAlgorithm::Sha512 => CodeHash::Sha512,
    };
    CodeShape { hash, digits: seed.digits(), period_seconds: seed.period_seconds() }
}

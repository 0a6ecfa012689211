//! People: who has an account, and how one comes and goes. Layout: docs/FORMAT.md §5.8.
//!
//! Statements decide; the header follows. Whatever is stopped in between is put right at the next unlocking.

mod activate;
mod invite;
mod leave;
mod list;
mod offboarding;
mod recover;
mod roles;
mod second_factor;
mod way_in;

pub use activate::ActivateError;
pub use invite::{INVITATION_HOURS, INVITATION_HOURS_MAX, Invitation, InviteError};
pub use leave::{CHANGE_SECRETS_WITHIN_DAYS, END_ACCESS_WITHIN_HOURS, LeaveError};
pub use recover::RecoverError;
pub use roles::SetRolesError;
pub use second_factor::{SecondFactorError, SecondFactorOffer};
pub use way_in::{ChangePassphraseError, KEY_FILE_MAX, NewOwnKeys, WayIn};

use coffer_model::id::AccountId;

use super::step_up::FreshAuthentication;
use crate::session::Core;

/// Why something about an account was not done, in ways that many calls share.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// There is no such account, or it is none any more.
    #[error("there is no such account")]
    NoSuchAccount,
    /// The passphrase was not given just now.
    #[error("this needs the passphrase once more")]
    NotFresh,
}

impl AccountError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoSuchAccount => "no_such_account",
            Self::NotFresh => "authentication_not_fresh",
        }
    }
}

/// Uses up the proof that the passphrase was given just now.
#[expect(clippy::needless_pass_by_value, reason = "a proof serves once")]
pub(in crate::usecase) fn fresh(core: &Core, proof: FreshAuthentication) -> Result<(), AccountError> {
    if proof.holds_for(core) { Ok(()) } else { Err(AccountError::NotFresh) }
}

/// Whether there is an account of that identifier, as the chain has it now.
fn living(core: &Core, account: AccountId) -> Result<(), AccountError> {
    if core.office().membership.accounts.contains_key(&account) { Ok(()) } else { Err(AccountError::NoSuchAccount) }
}

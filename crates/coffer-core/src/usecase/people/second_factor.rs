//! The second factor of one's own account: an authenticator's codes, and spare codes for when it is lost.
//! Layout: docs/FORMAT.md §3.3, §4.13.
//!
//! A gate of this program's: whoever alters the program, or reads the account's sealed state, passes it. Key factors
//! ([`super::way_in`]) are what a stolen copy is guarded by.

use std::fmt;

use coffer_crypto::second_factor::{CodeRefusal, SPARE_CODES, TypedCode, check_time_based};
use coffer_crypto::secret::{SecondFactorSeed, SecretBytes, SpareCode};
use coffer_model::event::Event;
use zeroize::Zeroizing;

use super::super::step_up::FreshAuthentication;
use super::{AccountError, fresh};
use crate::chain::{Body, SecondFactorStated};
use crate::fault::{CallError, Fault};
use crate::header::SecondFactor;
use crate::policy::Action;
use crate::session::{Actor, Core, Session};

/// Why nothing about the second factor was changed.
#[derive(Debug, thiserror::Error)]
pub enum SecondFactorError {
    /// The code is not what the authenticator should show now.
    #[error(transparent)]
    Code(#[from] CodeRefusal),
    /// The account has none.
    #[error("the account has no second factor")]
    None,
    /// The rules of the vault ask this account to have one.
    #[error("the rules of this vault ask for a second factor")]
    Required,
    /// The passphrase was not given just now.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The call was refused or failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl SecondFactorError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Code(CodeRefusal::Wrong) => "code_wrong",
            Self::Code(CodeRefusal::Used) => "code_used",
            Self::None => "no_second_factor",
            Self::Required => "second_factor_required",
            Self::Account(error) => error.code(),
            Self::Call(error) => error.code(),
        }
    }
}

impl From<Fault> for SecondFactorError {
    fn from(fault: Fault) -> Self {
        Self::Call(fault.into())
    }
}

/// A seed on offer: an authenticator takes it in, and shows by a code that it did. Nothing of it is stored before.
pub struct SecondFactorOffer {
    seed: SecondFactorSeed,
    label: String,
}

impl SecondFactorOffer {
    /// The seed as it is typed into an authenticator: 32 characters of Base32.
    pub fn seed_text(&self) -> SecretBytes {
        self.seed.to_base32()
    }

    /// The seed as an authenticator reads it from a picture: `otpauth://totp/…` (the "Key Uri Format").
    pub fn uri(&self) -> SecretBytes {
        let seed = self.seed.to_base32();
        let mut uri = Vec::with_capacity(2 * self.label.len() + 128);
        uri.extend_from_slice(b"otpauth://totp/Coffer:");
        uri.extend_from_slice(self.label.as_bytes());
        uri.extend_from_slice(b"?secret=");
        uri.extend_from_slice(seed.expose());
        uri.extend_from_slice(b"&issuer=Coffer");
        SecretBytes::new(uri)
    }

    /// [`SecondFactorOffer::uri`] as the modules of a QR code (ISO/IEC 18004), row by row; `true` is dark. The quiet zone
    /// around it is the shell's.
    pub fn qr_modules(&self) -> Zeroizing<Vec<Vec<bool>>> {
        let uri = self.uri();
        let code = qrcode::QrCode::with_error_correction_level(uri.expose(), qrcode::EcLevel::M);
        let code = code.expect("a seed and two short names fit into the smaller half of all versions");
        let width = code.width();
        let colors =
            Zeroizing::new(code.into_colors().iter().map(|color| color.select(true, false)).collect::<Vec<_>>());
        Zeroizing::new(colors.chunks(width).map(<[bool]>::to_vec).collect())
    }
}

impl fmt::Debug for SecondFactorOffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecondFactorOffer(..)")
    }
}

impl Session {
    /// Offers a new seed for the account that is unlocked. Changes nothing.
    pub fn offer_second_factor(&self) -> Result<SecondFactorOffer, CallError> {
        self.authorize(Action::EnrolSecondFactor, None)?;
        let label = escape(&format!("{} {}", self.core.login, crate::vault::name_of(&self.core.folder)));
        Ok(SecondFactorOffer { seed: SecondFactorSeed::generate(&mut self.core.random()), label })
    }

    /// Whether `typed` is the code that the authenticator shows now, before the passphrase is asked for. Changes nothing.
    pub fn check_second_factor(&self, offer: &SecondFactorOffer, typed: &str) -> Result<(), SecondFactorError> {
        self.authorize(Action::EnrolSecondFactor, None)?;
        self.core.step_of(offer, typed).map(drop)
    }

    /// Makes what was offered the account's second factor, if `typed` is the code that the authenticator shows now. Gives
    /// the spare codes, shown this once. One of before counts no more, with its spare codes.
    pub fn enrol_second_factor(
        &self,
        offer: &SecondFactorOffer,
        typed: &str,
        proof: FreshAuthentication,
    ) -> Result<Vec<SecretBytes>, SecondFactorError> {
        let actor = self.authorize(Action::EnrolSecondFactor, None)?;
        let core = &*self.core;
        let step = core.step_of(offer, typed)?;
        fresh(core, proof)?;
        let spare = core.new_spare_codes();
        let factor = SecondFactor::new(&offer.seed, step, &spare, core.account);
        core.set_second_factor(&actor, Event::SecondFactorEnrolled, Some(factor))?;
        Ok(spare.iter().map(SpareCode::to_text).collect())
    }

    /// Takes the second factor from the account that is unlocked, unless the vault's rules ask for one.
    pub fn remove_second_factor(&self, proof: FreshAuthentication) -> Result<(), SecondFactorError> {
        let actor = self.authorize(Action::EnrolSecondFactor, None)?;
        let core = &*self.core;
        if core.office().state.second_factor.is_none() {
            return Err(SecondFactorError::None);
        }
        if core.must_have_second_factor() {
            return Err(SecondFactorError::Required);
        }
        fresh(core, proof)?;
        core.set_second_factor(&actor, Event::SecondFactorRemoved, None)?;
        Ok(())
    }

    /// Makes new spare codes for the account that is unlocked, and shows them this once; those of before count no more.
    pub fn make_spare_codes(&self, proof: FreshAuthentication) -> Result<Vec<SecretBytes>, SecondFactorError> {
        let actor = self.authorize(Action::EnrolSecondFactor, None)?;
        let core = &*self.core;
        let Some(mut factor) = core.office().state.second_factor.clone() else { return Err(SecondFactorError::None) };
        fresh(core, proof)?;
        let spare = core.new_spare_codes();
        factor.set_spare(&spare, core.account);
        core.set_second_factor(&actor, Event::SpareCodesMade, Some(factor))?;
        Ok(spare.iter().map(SpareCode::to_text).collect())
    }
}

impl Core {
    /// The step of a code that an authenticator shows about now, which took the seed on offer in.
    fn step_of(&self, offer: &SecondFactorOffer, typed: &str) -> Result<u64, SecondFactorError> {
        let TypedCode::TimeBased(digits) = TypedCode::parse(typed)? else { return Err(CodeRefusal::Wrong.into()) };
        let seconds = u64::try_from(self.now().unix_millis() / 1_000).unwrap_or(0);
        Ok(check_time_based(&offer.seed, &digits, seconds, None)?)
    }

    fn new_spare_codes(&self) -> Vec<SpareCode> {
        let mut random = self.random();
        (0..SPARE_CODES).map(|_| SpareCode::generate(&mut random)).collect()
    }

    /// Whether the vault's rules ask this account to have a second factor.
    pub(crate) fn must_have_second_factor(&self) -> bool {
        let office = self.office();
        let asked = office.membership.policy.second_factor.bits();
        office.membership.roles(self.account).bits() & asked != 0
    }

    /// Logs the change, writes it into the sealed state, and states whether there is a second factor now.
    fn set_second_factor(&self, actor: &Actor, event: Event, factor: Option<SecondFactor>) -> Result<(), CallError> {
        self.record(actor, event)?;
        {
            let mut office = self.office();
            let before = std::mem::replace(&mut office.state.second_factor, factor);
            if let Err(fault) = self.write_header(&mut office) {
                office.state.second_factor = before;
                return Err(fault.into());
            }
        }
        self.state_second_factor()
    }

    /// States whether the account has a second factor, where the chain says otherwise: what was stopped between the sealed
    /// state and the statement is completed at the next unlocking.
    pub(in crate::usecase) fn state_second_factor(&self) -> Result<(), CallError> {
        let enrolled = {
            let office = self.office();
            let enrolled = office.state.second_factor.is_some();
            let stated = office.membership.accounts.get(&self.account).map(|account| account.second_factor);
            if stated == Some(enrolled) {
                return Ok(());
            }
            enrolled
        };
        let event = if enrolled { Event::SecondFactorEnrolled } else { Event::SecondFactorRemoved };
        let body = Body::SecondFactorStated(SecondFactorStated { enrolled });
        self.change_own_directory(event, body)
    }
}

/// Escapes a label for a URI (RFC 3986 §2.1).
fn escape(label: &str) -> String {
    use std::fmt::Write as _;
    let mut escaped = String::with_capacity(label.len());
    for byte in label.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            escaped.push(char::from(byte));
        } else {
            write!(escaped, "%{byte:02X}").expect("a string takes everything");
        }
    }
    escaped
}

//! Another recovery in the place of the one before, trusting it, and joining its shares. Layout: docs/FORMAT.md §5.14.
//!
//! An administrator names it, with a new key for the directory, in one moment. Tenants are another matter: whoever names a
//! recovery may hold its seed, and administrators read no tenants. So nobody's program seals to it, but the directory's
//! key, before its person has compared the words that stand for it and has said so in a statement; and over a tenant it has
//! no say before a steward who trusts it has given the tenant a new key.

use coffer_crypto::generate::words_of;
use coffer_crypto::recovery;
use coffer_crypto::recovery::shares::{self, Split};
use coffer_crypto::secret::RecoverySeed;
use coffer_model::event::Event;
use coffer_model::policy::Guarded;

use super::devices;
use super::people::{AccountError, fresh};
use super::step_up::FreshAuthentication;
use crate::chain::{Body, RecoveryAccepted, RecoveryReplaced, SeedSplit};
use crate::fault::{CallError, Fault};
use crate::kit::{ReadKit, ReadShare, RecoveryKit, SharesError, join_known_shares};
use crate::policy::Action;
use crate::session::{Actor, Core, Session, lock};
use crate::vault::{Vault, read_header};
use crate::view::{RecoveryView, SplitView};

/// Why recovery was not renewed.
#[derive(Debug, thiserror::Error)]
pub enum RenewRecoveryError {
    /// The kit was made for another vault, or has been stated already.
    #[error("the kit was not made for this")]
    OtherKit,
    /// The passphrase was not given just now.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The call was refused or failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl RenewRecoveryError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OtherKit => "other_kit",
            Self::Account(error) => error.code(),
            Self::Call(error) => error.code(),
        }
    }

    /// Whether nothing has changed for certain. If not, the vault or the machine failed on the way, and the kit may count:
    /// it must not be thrown away.
    pub const fn is_refusal(&self) -> bool {
        !matches!(self, Self::Call(CallError::Fault(_)))
    }
}

/// Why the recovery in use is not trusted. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum AcceptRecoveryError {
    /// The words are not those of the recovery in use.
    #[error("these are not the words of the recovery that the vault names")]
    OtherWords,
    /// The call was refused or failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl AcceptRecoveryError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OtherWords => "recovery_words",
            Self::Call(error) => error.code(),
        }
    }
}

impl Session {
    /// The recovery in use, and whether this account trusts it.
    pub fn recovery(&self) -> Result<RecoveryView, CallError> {
        self.authorize(Action::ListPeople, None)?;
        let office = self.core.office();
        let membership = &office.membership;
        let recovery = membership.recovery();
        Ok(RecoveryView {
            number: membership.recovery_number(),
            fingerprint: words_of(&recovery.digest()),
            since: recovery.since,
            stated_by: membership.login_of(recovery.stated_by).map(ToString::to_string),
            trusted: membership.trusts_recovery(self.core.account),
            split: recovery.split.as_ref().map(|split| SplitView {
                needed: split.needed,
                shares: u8::try_from(split.shares.len()).expect("a split that was stated has 16 shares at most"),
            }),
        })
    }

    /// Makes a kit that may take the place of the one before, split or not. Nothing changes until it is kept and handed to
    /// [`Session::renew_recovery`].
    pub fn prepare_recovery(&self, split: Option<Split>) -> Result<RecoveryKit, CallError> {
        self.authorize(Action::RenewRecovery, None)?;
        let core = &self.core;
        let mut random = core.random();
        let seed = RecoverySeed::generate(&mut random);
        let shares = split.map(|split| shares::split(&seed, split, &mut random));
        let founding = core.office().membership.pin().founding;
        Ok(RecoveryKit::new(seed, shares, core.vault.id, founding, core.vault.name.clone(), core.now()))
    }

    /// Puts a kit in the place of the one before: it opens the directory from now on, which gets a new key in the same
    /// moment, and the other one nothing that is sealed anew. What else that one was given is pending until it has new
    /// keys: [`Session::start_rekeying`].
    pub fn renew_recovery(&self, kit: &RecoveryKit, proof: FreshAuthentication) -> Result<(), RenewRecoveryError> {
        let actor = self.authorize(Action::RenewRecovery, None)?;
        let core = &*self.core;
        proof.require_second(core, Guarded::Recover)?;
        fresh(core, proof)?;
        // A backup must not meet a directory that is just being replaced.
        let _alone = lock(&core.backups);
        let replaced = {
            let office = core.office();
            let sealing = recovery::derive_sealing_pair(&kit.seed);
            let is_known = office.membership.recoveries.iter().any(|known| known.sealing == *sealing.public_key());
            if is_known || kit.vault() != core.vault.id || kit.founding != office.membership.pin().founding {
                return Err(RenewRecoveryError::OtherKit);
            }
            RecoveryReplaced {
                number: office.membership.recovery_number() + 1,
                sealing: sealing.public_key().encode().into(),
                signing: recovery::derive_signing_key(&kit.seed).verifying_key().encode().into(),
                age: (*recovery::derive_age_identity(&kit.seed).recipient().as_bytes()).into(),
                split: kit.shares.as_deref().map(|shares| SeedSplit::of(shares, core.vault.id)),
            }
        };
        core.rekey_directory(&actor, Some(replaced))?;
        // Backups go to it from the next one on. If this fails, the next session of an administrator tries again.
        let _ = devices::follow_recovery(core);
        Ok(())
    }

    /// Says that this account trusts the recovery in use, whose `words` its person has compared with those on the kit or
    /// its shares. Keys it makes are sealed to it from then on; tenants it is steward of are pending until they have new
    /// ones.
    pub fn accept_recovery(&self, words: &str) -> Result<(), AcceptRecoveryError> {
        let actor = self.authorize(Action::AcceptRecovery, None)?;
        let core = &*self.core;
        let expected = words_of(&core.office().membership.recovery().digest());
        let given = words.split_whitespace().map(str::to_lowercase);
        if !given.eq(expected.split(' ').map(str::to_owned)) {
            return Err(AcceptRecoveryError::OtherWords);
        }
        Ok(core.trust_recovery(&actor)?)
    }

    /// Joins shares of a recovery that the chain names: each is held against it first, and a false one told by its number.
    pub fn join_shares(&self, given: Vec<ReadShare>) -> Result<ReadKit, SharesError> {
        let (vault, known) = {
            let office = self.core.office();
            let split = |given: &ReadShare| {
                let mark = given.share.mark();
                let known = office.membership.recoveries.iter().rev().find(|known| known.digest().starts_with(mark));
                known.and_then(crate::chain::Recovery::share_digests)
            };
            let Some(known) = given.iter().find_map(split) else { return Err(SharesError::Other) };
            let founding = office.membership.pin().founding;
            if given.iter().any(|given| given.founding.is_some_and(|named| named != founding)) {
                return Err(SharesError::Other);
            }
            (office.membership.vault(), known)
        };
        join_known_shares(given, vault, &known)
    }
}

impl Vault {
    /// Joins shares of the vault's recovery while nobody can open the chain: each is held against the header's copy of what
    /// the chain says, and a false one told by its number. Who could alter that copy gains nothing: what is joined
    /// has to open the vault.
    pub fn join_shares(&self, given: Vec<ReadShare>) -> Result<ReadKit, SharesError> {
        let header = read_header(&self.folder)?;
        let known = header.shares_cache.ok_or(SharesError::Other)?;
        join_known_shares(given, header.vault, &known)
    }
}

impl Core {
    /// States that this account trusts the recovery in use, unless it does, and hands it what the account holds.
    pub(super) fn trust_recovery(&self, actor: &Actor) -> Result<(), CallError> {
        let number = {
            let office = self.office();
            if office.membership.trusts_recovery(self.account) {
                return Ok(());
            }
            office.membership.recovery_number()
        };
        let body = Body::RecoveryAccepted(RecoveryAccepted { number });
        self.change_directory(actor, Event::RecoveryAccepted, vec![body], |_| Ok(()))?;
        self.share_pairs()
    }
}

impl From<Fault> for RenewRecoveryError {
    fn from(fault: Fault) -> Self {
        Self::Call(fault.into())
    }
}

//! The identity provider that administrators pin, and the accounts that need its tokens. Layout: docs/FORMAT.md §5.7, §5.8
//! (kinds 20 and 21). What becomes of a token is in [`super::lease`].

use coffer_crypto::Random as _;
use coffer_crypto::secret::SecretBytes;
use coffer_model::event::Event;
use coffer_model::id::AccountId;
use coffer_model::policy::GuardedSet;
use coffer_token::{DecryptionKey, KeySet, KeySetError, encryption_key_jwk};

use super::lease::ProviderKeys;
use super::people::{AccountError, fresh};
use super::step_up::FreshAuthentication;
use crate::chain::{self, AccountFederated, Body, MAX_LEASE_DAYS, Provider, ProviderSet, is_provider_text};
use crate::fault::{CallError, Damage, Fault};
use crate::policy::Action;
use crate::session::{Core, Session};
use crate::store::directory::ProviderRow;
use crate::view::{ProviderKeyView, ProviderView};

/// Why nothing about the identity provider or a mark was changed.
#[derive(Debug, thiserror::Error)]
pub enum FederationError {
    /// The key set is none that can be pinned.
    #[error(transparent)]
    KeySet(#[from] KeySetError),
    /// No provider is pinned, so there is no key set to keep.
    #[error("a provider is pinned with its key set")]
    KeySetNeeded,
    /// Issuer, audience, claim or what it says of the person is empty, too long, or holds what is not seen.
    #[error("a text is empty, longer than 512 bytes, or holds control characters")]
    Text,
    /// No account could be let in for so long, or for no time at all.
    #[error("a token lets an account unlock for 1 to {MAX_LEASE_DAYS} days")]
    Days,
    /// No provider is pinned.
    #[error("no identity provider is pinned")]
    NoProvider,
    /// Accounts are marked that would need its tokens.
    #[error("accounts are marked that need its tokens")]
    InUse,
    /// The account is not marked.
    #[error("the account needs no token")]
    NotMarked,
    /// Nobody takes their own mark away.
    #[error("an account cannot change its own mark")]
    OwnMark,
    /// Another account is marked with the same.
    #[error("another account is marked with the same")]
    SubjectTaken,
    /// A vault keeps an administrator whom no identity provider can shut out.
    #[error("nobody else administers this vault without a token")]
    LastFreeAdministrator,
    /// There is no such account, or the passphrase was not given just now.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The call was refused or failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl FederationError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::KeySet(error) => error.code(),
            Self::KeySetNeeded => "key_set_needed",
            Self::Text => "provider_text",
            Self::Days => "lease_days",
            Self::NoProvider => "no_provider",
            Self::InUse => "provider_in_use",
            Self::NotMarked => "not_federated",
            Self::OwnMark => "own_federation",
            Self::SubjectTaken => "subject_taken",
            Self::LastFreeAdministrator => "last_free_administrator",
            Self::Account(error) => error.code(),
            Self::Call(error) => error.code(),
        }
    }
}

impl From<Fault> for FederationError {
    fn from(fault: Fault) -> Self {
        Self::Call(fault.into())
    }
}

/// A provider to be pinned.
#[derive(Clone, Copy, Debug)]
pub struct ProviderRequest<'r> {
    /// `iss` of its tokens, exactly.
    pub issuer: &'r str,
    /// What it calls this vault: one of `aud` of its tokens, exactly.
    pub audience: &'r str,
    /// The claim that names the person.
    pub claim: &'r str,
    /// For how many days a token lets an account unlock.
    pub days: u32,
    /// Its key set (JWKS); `None`: the one that is pinned stays.
    pub key_set: Option<&'r [u8]>,
}

impl Session {
    /// The identity provider that is pinned, if one is. Everybody may know whose tokens are asked of them.
    pub fn provider(&self) -> Result<Option<ProviderView>, CallError> {
        self.authorize(Action::SeePolicy, None)?;
        let office = self.core.office();
        let membership = &office.membership;
        let Some(provider) = &membership.provider else { return Ok(None) };
        let keys = ProviderKeys::read(&office.directory, provider)?;
        let marked = membership.accounts.values().filter(|account| account.federation.is_some());
        Ok(Some(ProviderView {
            issuer: provider.issuer.clone(),
            audience: provider.audience.clone(),
            claim: provider.claim.clone(),
            days: provider.days,
            keys: keys.set.describe().into_iter().map(ProviderKeyView::from).collect(),
            key_set_sha256: hex::encode(*provider.key_set),
            encryption_key: encryption_key_jwk(keys.decryption.public()),
            accounts: marked.count(),
        }))
    }

    /// Pins an identity provider, or changes what is pinned of it. The vault's key that tokens may be encrypted to is made
    /// the first time, and stays. To change what is pinned takes two people where anything does.
    pub fn pin_provider(
        &self,
        request: &ProviderRequest<'_>,
        proof: FreshAuthentication,
    ) -> Result<(), FederationError> {
        let actor = self.authorize(Action::PinProvider, None)?;
        let core = &*self.core;
        let [issuer, audience, claim] = [request.issuer, request.audience, request.claim].map(str::trim);
        if ![issuer, audience, claim].into_iter().all(is_provider_text) {
            return Err(FederationError::Text);
        }
        if !(1..=MAX_LEASE_DAYS).contains(&request.days) {
            return Err(FederationError::Days);
        }
        let row = core.provider_row(request.key_set)?;
        proof.require_second_to_federate(core, None)?;
        fresh(core, proof)?;
        let decryption = DecryptionKey::from_secret(row.decryption.expose()).expect("it was made or read as one");
        let provider = Provider {
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            claim: claim.to_owned(),
            days: request.days,
            key_set: chain::digest(&row.key_set).into(),
            encryption: (*decryption.public()).into(),
        };
        let body = Body::ProviderSet(ProviderSet { provider: Some(provider) });
        core.change_directory(&actor, Event::ProviderPinned, vec![body], |tx| tx.set_provider(Some(&row)))?;
        Ok(())
    }

    /// Takes the provider away, if no account is marked any more.
    pub fn unpin_provider(&self, proof: FreshAuthentication) -> Result<(), FederationError> {
        let actor = self.authorize(Action::PinProvider, None)?;
        let core = &*self.core;
        {
            let office = core.office();
            if office.membership.provider.is_none() {
                return Err(FederationError::NoProvider);
            }
            if office.membership.accounts.values().any(|account| account.federation.is_some()) {
                return Err(FederationError::InUse);
            }
        }
        proof.require_second_to_federate(core, None)?;
        fresh(core, proof)?;
        let body = Body::ProviderSet(ProviderSet { provider: None });
        core.change_directory(&actor, Event::ProviderUnpinned, vec![body], |tx| tx.set_provider(None))?;
        Ok(())
    }

    /// Marks an account: from its next unlocking on it needs a token in which the provider's claim says `subject`. `None`
    /// takes the mark away. Whoever is marked already begins a new lease. To change a mark takes two people where anything
    /// does.
    pub fn federate(
        &self,
        account: AccountId,
        subject: Option<&str>,
        proof: FreshAuthentication,
    ) -> Result<(), FederationError> {
        let actor = self.authorize(Action::FederateAccount, None)?;
        let core = &*self.core;
        let subject = subject.map(str::trim);
        core.refuse_mark(account, subject)?;
        proof.require_second_to_federate(core, Some(account))?;
        fresh(core, proof)?;
        let event = match subject {
            Some(_) => Event::AccountFederated(account),
            None => Event::AccountUnfederated(account),
        };
        let body = Body::AccountFederated(AccountFederated { account, subject: subject.map(str::to_owned) });
        core.change_directory(&actor, event, vec![body], |_| Ok(()))?;
        Ok(())
    }

    /// Whether it takes two people to change the provider, or an account's mark: where anything does, and it loosens what
    /// stands.
    pub fn takes_two_to_federate(&self, account: Option<AccountId>) -> bool {
        self.core.takes_two_to_federate(account)
    }
}

impl Core {
    pub(super) fn takes_two_to_federate(&self, account: Option<AccountId>) -> bool {
        let office = self.office();
        let stands = match account {
            None => office.membership.provider.is_some(),
            Some(account) => {
                let known = office.membership.accounts.get(&account);
                known.is_some_and(|known| known.federation.is_some())
            }
        };
        stands && office.membership.policy.two_people != GuardedSet::NONE
    }

    /// What comes with the provider: another key set or the one that is pinned, and the vault's own key.
    fn provider_row(&self, key_set: Option<&[u8]>) -> Result<ProviderRow, FederationError> {
        if let Some(key_set) = key_set {
            KeySet::parse(key_set)?;
        }
        let office = self.office();
        let pinned = match &office.membership.provider {
            None => None,
            Some(provider) => {
                // Held against the chain before any of it is kept.
                ProviderKeys::read(&office.directory, provider)?;
                office.directory.provider().map_err(|error| error.into_fault(Damage::Directory))?
            }
        };
        drop(office);
        let (before, decryption) = if let Some(row) = pinned {
            (Some(row.key_set), row.decryption)
        } else {
            let mut random = self.random();
            let made = DecryptionKey::generate(&mut |bytes| random.fill(bytes));
            (None, SecretBytes::new(made.secret().to_vec()))
        };
        let key_set = key_set.map(<[u8]>::to_vec).or(before).ok_or(FederationError::KeySetNeeded)?;
        Ok(ProviderRow { key_set, decryption })
    }

    /// What the chain would not admit, said before anything is asked for.
    fn refuse_mark(&self, account: AccountId, subject: Option<&str>) -> Result<(), FederationError> {
        let office = self.office();
        let membership = &office.membership;
        if membership.provider.is_none() {
            return Err(FederationError::NoProvider);
        }
        let known = membership.accounts.get(&account).ok_or(AccountError::NoSuchAccount)?;
        let is_marked = known.federation.is_some();
        if is_marked && account == self.account {
            return Err(FederationError::OwnMark);
        }
        let Some(subject) = subject else {
            return if is_marked { Ok(()) } else { Err(FederationError::NotMarked) };
        };
        if !is_provider_text(subject) {
            return Err(FederationError::Text);
        }
        let others = membership.accounts.iter().filter(|(id, _)| **id != account);
        if others.filter_map(|(_, other)| other.federation.as_ref()).any(|other| other.subject == subject) {
            return Err(FederationError::SubjectTaken);
        }
        let is_last = known.administers_freely() && !membership.stays_free(account);
        if is_last { Err(FederationError::LastFreeAdministrator) } else { Ok(()) }
    }
}

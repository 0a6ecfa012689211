//! Leases: an account that is marked unlocks for so many days after it brought a fresh token of the identity provider, and
//! no longer. Layout: docs/FORMAT.md §3.3, §5.8 (kinds 20 and 21).
//!
//! A gate of this program's: no key is made of a token, and the lease lies in the account's own sealed state. It is looked
//! at when somebody unlocks, and when another administrator seconds. A session that is under way goes on.

use coffer_crypto::secret::AccountMasterKey;
use coffer_model::event::Event;
use coffer_model::id::AccountId;
use coffer_model::time::Timestamp;
use coffer_token::{DecryptionKey, Expected, KeySet, TokenRefusal};

use super::credentials::Credentials;
use super::unlock::UnlockError;
use crate::chain::{self, Membership, Provider};
use crate::fault::{Damage, Fault};
use crate::header::{Header, Lease, SealedState};
use crate::session::Core;
use crate::store::directory::Directory;

/// The identity provider's keys, and the vault's own that its tokens may be encrypted to.
pub(super) struct ProviderKeys {
    pub(super) set: KeySet,
    pub(super) decryption: DecryptionKey,
}

impl ProviderKeys {
    /// Reads them from the directory, and holds them against the chain.
    pub(super) fn read(directory: &Directory, provider: &Provider) -> Result<Self, Fault> {
        let damaged = || Fault::Damaged(Damage::Directory);
        let row = directory.provider().map_err(|error| error.into_fault(Damage::Directory))?.ok_or_else(damaged)?;
        let decryption = DecryptionKey::from_secret(row.decryption.expose()).ok_or_else(damaged)?;
        if chain::digest(&row.key_set) != *provider.key_set || *decryption.public() != *provider.encryption {
            return Err(damaged());
        }
        Ok(Self { set: KeySet::parse(&row.key_set).map_err(|_| damaged())?, decryption })
    }
}

/// Judges an account's lease, and a token if one was brought. Gives the lease that is to be remembered, if it is another
/// one; `None` where the account needs none, or the one it has goes on.
pub(super) fn lease_of(
    membership: &Membership,
    directory: &Directory,
    account: AccountId,
    state: &SealedState,
    token: Option<&[u8]>,
    now: Timestamp,
) -> Result<Option<Lease>, UnlockError> {
    let known = membership.accounts.get(&account);
    let Some(federation) = known.and_then(|known| known.federation.as_ref()) else { return Ok(None) };
    let provider = membership.provider.as_ref().ok_or(Fault::Damaged(Damage::Chain))?;
    let mut lease = Lease::none(federation.mark, now, state.lease.as_ref());
    let Some(token) = token else {
        let stands = lease.stands(federation.mark, now, provider.days);
        return if stands { Ok(None) } else { Err(UnlockError::TokenNeeded) };
    };
    let keys = ProviderKeys::read(directory, provider)?;
    let expected = Expected {
        issuer: &provider.issuer,
        audience: &provider.audience,
        claim: &provider.claim,
        subject: &federation.subject,
    };
    // Never by a time that is before one seen already: a token of then may have been forgotten as used.
    let seconds = lease.time(now).div_euclid(1_000);
    let verified = coffer_token::verify(token, &keys.set, Some(&keys.decryption), &expected, seconds)?;
    if lease.knows(&verified.id) {
        return Err(TokenRefusal::Used.into());
    }
    lease.renew(&verified, now, provider.days);
    Ok(Some(lease))
}

impl Core {
    /// Judges the lease of another account, whose slot was opened, and remembers a token as used before what it was brought
    /// for.
    pub(super) fn require_lease(
        &self,
        account: AccountId,
        header: &Header,
        master: &AccountMasterKey,
        shown: &Credentials,
    ) -> Result<Option<Lease>, UnlockError> {
        let damaged = Fault::Damaged(Damage::Header);
        let entry = header.accounts.iter().find(|entry| entry.account == account);
        let state = entry.and_then(|entry| entry.open_state(header.vault, master).ok()).ok_or(damaged)?;
        let office = self.office();
        let token = shown.token.as_deref().map(Vec::as_slice);
        lease_of(&office.membership, &office.directory, account, &state, token, self.now())
    }

    /// Remembers another account's lease, on the disk.
    pub(super) fn keep_lease(&self, account: AccountId, master: &AccountMasterKey, lease: Lease) -> Result<(), Fault> {
        let damaged = || Fault::Damaged(Damage::Header);
        let mut office = self.office();
        let office = &mut *office;
        let before = office.header.clone();
        let entry = office.header.entry_mut(account).ok_or_else(damaged)?;
        let mut state = entry.open_state(self.vault.id, master).map_err(|_| damaged())?;
        state.lease = Some(lease);
        entry.set_state(self.vault.id, &state, master, &mut self.random());
        if let Err(fault) = self.write_header(office) {
            office.header = before;
            return Err(fault);
        }
        self.append(Event::LeaseRenewed)?;
        Ok(())
    }
}

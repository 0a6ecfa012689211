//! Breaking the glass: a tenant opened in an emergency by two custodians, where its steward has provided for that.
//! Layout: docs/FORMAT.md §5.17.
//!
//! Keys enforce that it takes two: each custodian holds a share of the tenant's key that tells nothing by itself. That it ends
//! after a while, and that it is said why, the program enforces; that it happened stands in chain and log for ever.

use coffer_crypto::glass::{self, CUSTODIANS_MAX, NEEDED};
use coffer_crypto::label::{self, Context};
use coffer_crypto::secret::{SecretBytes, TenantKey};
use coffer_crypto::{derive, seal};
use coffer_model::event::Event;
use coffer_model::id::{AccountId, TenantId, VaultId};
use coffer_model::time::Timestamp;

use super::UnlockError;
use super::credentials::Credentials;
use super::people::{AccountError, fresh};
use super::step_up::FreshAuthentication;
use crate::chain::{self, Body, Custodian, GlassBroken, GlassPrepared, MAX_REASON_CHARS, Membership};
use crate::fault::{CallError, Damage, Fault};
use crate::keys::OwnKeys;
use crate::policy::Action;
use crate::session::{Core, OpenTenant, Session, tenant_key_context, tenant_scope};
use crate::store::error::StoreError;
use crate::view::{BrokenGlassView, GlassView};

/// Most hours for which a tenant is opened.
pub const GLASS_HOURS_MAX: u32 = 24;

/// Shares of a tenant's key, each sealed to a custodian.
type SealedShares = Vec<(AccountId, Vec<u8>)>;

/// Why the glass stayed as it was.
#[derive(Debug, thiserror::Error)]
pub enum GlassError {
    /// It takes two custodians at least, and there may be sixteen, each of them once.
    #[error("name two to {CUSTODIANS_MAX} different custodians")]
    Custodians,
    /// This account, or the second one, is no custodian of the tenant's key in use.
    #[error("that takes two custodians of the tenant's key in use")]
    NotCustodian,
    /// Who may read the tenant anyhow breaks no glass.
    #[error("this account may read the tenant already")]
    MayRead,
    /// No reason was given, or one that is too long.
    #[error("give a reason of one to {MAX_REASON_CHARS} characters")]
    Reason,
    /// Longer than is allowed, or no time at all.
    #[error("a tenant is opened for one to {GLASS_HOURS_MAX} hours")]
    Hours,
    /// The second custodian did not get in.
    #[error(transparent)]
    Second(UnlockError),
    /// There is no such account, or the passphrase was not given just now.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The call was refused or failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl GlassError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Custodians => "glass_custodians",
            Self::NotCustodian => "not_custodian",
            Self::MayRead => "may_read_already",
            Self::Reason => "glass_reason",
            Self::Hours => "glass_hours",
            Self::Second(error) => error.code(),
            Self::Account(error) => error.code(),
            Self::Call(error) => error.code(),
        }
    }
}

impl From<Fault> for GlassError {
    fn from(fault: Fault) -> Self {
        Self::Call(fault.into())
    }
}

impl Session {
    /// Splits a tenant's key among custodians, any two of whom can open it in an emergency; those of before are none any more,
    /// and nobody is with none. A new key of the tenant is split among those of them who are accounts still.
    ///
    /// The shares are sealed to keys: compare the custodians' fingerprints first, as before a grant.
    pub fn prepare_glass(
        &self,
        tenant: TenantId,
        custodians: &[AccountId],
        proof: FreshAuthentication,
    ) -> Result<(), GlassError> {
        let actor = self.authorize(Action::PrepareGlass, Some(tenant))?;
        let core = &*self.core;
        fresh(core, proof)?;
        let mut distinct = custodians.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        let fits = distinct.is_empty() || (NEEDED..=CUSTODIANS_MAX).contains(&distinct.len());
        if !fits || distinct.len() != custodians.len() {
            return Err(GlassError::Custodians);
        }
        let open = self.open_tenant(&actor, tenant)?;
        core.refuse_exposed(&open)?;
        let (body, shares) = core.split_among(&open, &distinct)?;
        let prepared = Body::GlassPrepared(body);
        core.change_directory(&actor, Event::GlassPrepared(tenant), vec![prepared], |tx| {
            tx.set_glass_shares(tenant, open.epoch(), &shares)
        })?;
        Ok(())
    }

    /// Opens a tenant for this account, a custodian, for some hours as a reader, with another custodian who authenticates on
    /// the same machine. Administrators, auditors and the tenant's stewards see it from then on; once the time is over the
    /// tenant needs a new key. `proof` serves once more where the second one is asked for a code first.
    pub fn break_glass(
        &self,
        tenant: TenantId,
        reason: &str,
        hours: u32,
        (login, shown): (&str, &Credentials),
        proof: &FreshAuthentication,
    ) -> Result<(), GlassError> {
        let actor = self.authorize(Action::BreakGlass, None)?;
        let core = &*self.core;
        if !proof.holds_for(core) {
            return Err(AccountError::NotFresh.into());
        }
        let reason = reason.trim();
        if !(1..=MAX_REASON_CHARS).contains(&reason.chars().count()) {
            return Err(GlassError::Reason);
        }
        if !(1..=GLASS_HOURS_MAX).contains(&hours) {
            return Err(GlassError::Hours);
        }
        let now = core.now();
        if core.office().membership.right(tenant, core.account, now).is_some() {
            return Err(GlassError::MayRead);
        }
        let prepared = {
            let office = core.office();
            let custodians: Vec<Custodian> = lasting(&office.membership, tenant).cloned().collect();
            let epoch = office.membership.tenants.get(&tenant).and_then(|known| known.epoch.clone());
            epoch.filter(|_| custodians.iter().any(|custodian| custodian.account == core.account)).zip(Some(custodians))
        };
        let Some((epoch, custodians)) = prepared else {
            core.record(&actor, Event::AccessRefused { tenant: Some(tenant) })?;
            // Who is no custodian does not learn whether there is such a tenant.
            return Err(CallError::NotFound.into());
        };
        let is_custodian =
            |account: AccountId| account != core.account && custodians.iter().any(|known| known.account == account);
        let (second, master) = core.authenticate(login, shown, is_custodian).map_err(|error| match error {
            UnlockError::NotAnother => GlassError::NotCustodian,
            error => GlassError::Second(error),
        })?;
        let second_keys = {
            let office = core.office();
            let entry = office.header.accounts.iter().find(|entry| entry.account == second);
            OwnKeys::open(entry.ok_or(Fault::Damaged(Damage::Header))?, core.vault.id, &master)?
        };
        let own = core.glass_share(tenant, epoch.epoch, &custodians, core.account, |sealed, context| {
            seal::open_sealed(&core.keys.sealing, sealed, context)
        })?;
        let theirs = core.glass_share(tenant, epoch.epoch, &custodians, second, |sealed, context| {
            seal::open_sealed(&second_keys.sealing, sealed, context)
        })?;
        let key: TenantKey =
            glass::join(own.expose(), theirs.expose()).map_err(|_| Fault::Damaged(Damage::Directory))?;
        let kid = derive::derive_kid(&key, &tenant_scope(core.vault.id, tenant, epoch.epoch));
        if *kid.as_bytes() != *epoch.kid {
            return Err(Fault::Damaged(Damage::Directory).into());
        }
        let context = tenant_key_context(core.vault.id, tenant, epoch.epoch, core.account);
        let sealed = seal::seal_key_to(core.keys.sealing.public_key(), &key, &context, &mut core.random());
        let mut body = GlassBroken {
            tenant,
            epoch: epoch.epoch,
            // From before it is stated, so that the longest is not too long by then.
            until_ms: now.unix_millis() + i64::from(hours) * 60 * 60 * 1_000,
            reason: reason.to_owned(),
            second,
            sealed: chain::digest(&sealed).into(),
            kid: epoch.kid,
            word: [0; 64].into(),
        };
        body.word = second_keys.signing.sign(label::GLASS, &body.seconded(core.vault.id, core.account)).into();
        let event = Event::GlassBroken { tenant, account: second };
        core.change_directory(&actor, event, vec![Body::GlassBroken(body)], |tx| {
            tx.set_tenant_key(tenant, epoch.epoch, core.account, &sealed)
        })?;
        Ok(())
    }

    /// Tenants with custodians, and every time that custodians opened one: all of them for administrators and auditors, for
    /// others those they may read or are custodians of.
    pub fn glass(&self) -> Result<Vec<GlassView>, CallError> {
        self.authorize(Action::SeeGlass, None)?;
        let core = &*self.core;
        let now = core.now();
        // One after the other: each name takes the office.
        let tenants: Vec<TenantId> = core.office().membership.tenants.keys().copied().collect();
        let names: Vec<Option<String>> = tenants.iter().map(|tenant| core.known_tenant_name(*tenant)).collect();
        let office = core.office();
        let membership = &office.membership;
        let officer = membership.roles(core.account).is_officer();
        let login = |account| membership.login_of(account).map_or_else(String::new, ToString::to_string);
        let mut views = Vec::new();
        for (tenant, tenant_name) in tenants.into_iter().zip(names) {
            let known = &membership.tenants[&tenant];
            let custodians: Vec<AccountId> = lasting(membership, tenant).map(|custodian| custodian.account).collect();
            let own = custodians.contains(&core.account);
            let may_know = officer || own || membership.right(tenant, core.account, now).is_some();
            if !may_know || custodians.is_empty() && known.broken.is_empty() {
                continue;
            }
            let broken = known.broken.iter().rev().map(|broken| BrokenGlassView {
                opener: login(broken.opener),
                second: login(broken.second),
                at: broken.at,
                until: broken.until,
                reason: broken.reason.clone(),
                // The epochs count from 1, their times from 0.
                rekeyed_at: usize::try_from(broken.epoch).ok().and_then(|next| known.opened.get(next).copied()),
            });
            let mut custodians: Vec<String> = custodians.into_iter().map(login).collect();
            custodians.sort();
            views.push(GlassView { tenant, tenant_name, custodians, own, broken: broken.collect() });
        }
        views.sort_by_cached_key(|view| view.tenant_name.as_deref().map(str::to_lowercase));
        Ok(views)
    }
}

impl Core {
    /// Splits the key of an open tenant among accounts: what is stated, and the shares, each sealed to its custodian.
    pub(super) fn split_among(
        &self,
        open: &OpenTenant,
        custodians: &[AccountId],
    ) -> Result<(GlassPrepared, SealedShares), GlassError> {
        let mut random = self.random();
        let office = self.office();
        let mut shares = Vec::new();
        let mut named = Vec::new();
        if !custodians.is_empty() {
            let split = glass::split(&open.key, custodians.len(), &mut random);
            for (&account, share) in custodians.iter().zip(split) {
                let known = office.membership.accounts.get(&account).ok_or(AccountError::NoSuchAccount)?;
                let context = share_context(self.vault.id, open.id, open.epoch(), account);
                let sealed = seal::seal_to(&known.sealing, share.expose(), &context, &mut random);
                let keys = chain::account_keys_digest(known).into();
                named.push(Custodian { account, keys, sealed: chain::digest(&sealed).into() });
                shares.push((account, sealed));
            }
        }
        Ok((GlassPrepared { tenant: open.id, epoch: open.epoch(), custodians: named }, shares))
    }

    fn glass_share(
        &self,
        tenant: TenantId,
        epoch: u32,
        custodians: &[Custodian],
        account: AccountId,
        open: impl FnOnce(&[u8], &Context) -> Result<SecretBytes, seal::OpenSealedError>,
    ) -> Result<SecretBytes, Fault> {
        let damaged = || Fault::Damaged(Damage::Directory);
        let sealed = self.office().directory.glass_share(tenant, epoch, account);
        let sealed = sealed.map_err(|error: StoreError| error.into_fault(Damage::Directory))?.ok_or_else(damaged)?;
        let named = custodians.iter().find(|custodian| custodian.account == account).ok_or_else(damaged)?;
        if chain::digest(&sealed) != *named.sealed {
            return Err(damaged());
        }
        open(&sealed, &share_context(self.vault.id, tenant, epoch, account)).map_err(|_| damaged())
    }
}

/// Custodians of a tenant who are accounts still, with the keys that its steward saw.
fn lasting(membership: &Membership, tenant: TenantId) -> impl Iterator<Item = &Custodian> {
    let named = membership.tenants.get(&tenant).into_iter().flat_map(|tenant| &tenant.custodians);
    named.filter(|custodian| {
        let account = membership.accounts.get(&custodian.account);
        account.is_some_and(|account| chain::account_keys_digest(account) == *custodian.keys)
    })
}

/// Among whom a tenant's next key is split: two at least, or nobody.
pub(super) fn remaining(membership: &Membership, tenant: TenantId) -> Vec<AccountId> {
    let remaining: Vec<AccountId> = lasting(membership, tenant).map(|custodian| custodian.account).collect();
    if remaining.len() >= NEEDED { remaining } else { Vec::new() }
}

/// Times that tenants of which an account is to know were opened by custodians since a moment.
pub(crate) fn broken_since(membership: &Membership, account: AccountId, since: Timestamp, now: Timestamp) -> usize {
    let officer = membership.roles(account).is_officer();
    let tenants = membership.tenants.iter();
    let concerning = tenants.filter(|(id, _)| officer || membership.right(**id, account, now).is_some());
    concerning
        .flat_map(|(_, tenant)| &tenant.broken)
        .filter(|broken| broken.at >= since && broken.opener != account)
        .count()
}

fn share_context(vault: VaultId, tenant: TenantId, epoch: u32, account: AccountId) -> Context {
    Context::new(label::SEAL_GLASS_SHARE)
        .bytes(vault.as_bytes())
        .bytes(tenant.as_bytes())
        .u64(u64::from(epoch))
        .bytes(account.as_bytes())
}

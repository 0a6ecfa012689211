//! Saved searches: an account's own, by name, in one tenant or in all. They are kept under a key that only this account
//! has, since what somebody looks for may be a tenant's data. Layout: docs/FORMAT.md, "Saved searches".

use coffer_crypto::label::{self, Context};
use coffer_crypto::wrap;
use coffer_model::event::Event;
use coffer_model::id::{AccountId, TenantId, VaultId};
use coffer_model::query::{InvalidQuery, Query};
use minicbor::bytes::ByteArray;
use minicbor::{CborLen, Decode, Encode};

use crate::encoding;
use crate::fault::{CallError, Damage, Fault};
use crate::policy::Action;
use crate::session::{Actor, Core, Session, lock};
use crate::store::sqlcipher::StoreError;
use crate::view::SavedSearchView;

/// Most searches of an account.
const SEARCHES_MAX: usize = 200;
/// Most characters of a name.
const NAME_CHARS_MAX: usize = 60;

/// Why a search was not saved or changed.
#[derive(Debug, thiserror::Error)]
pub enum SaveSearchError {
    /// Empty, too long, or of several lines.
    #[error("the name must be one line of 1 to 60 characters")]
    InvalidName,
    /// The query asks for nothing, or is not well formed.
    #[error(transparent)]
    InvalidQuery(#[from] InvalidQuery),
    /// Another search of the same tenant is called so, in whatever case.
    #[error("there is a saved search of that name already")]
    NameTaken,
    /// There are 200 already.
    #[error("an account has at most 200 saved searches")]
    TooMany,
    /// The call was refused or failed. Of no such search: `NotFound`.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl SaveSearchError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidName => "invalid_search_name",
            Self::InvalidQuery(error) => error.code(),
            Self::NameTaken => "search_name_taken",
            Self::TooMany => "too_many_searches",
            Self::Call(error) => error.code(),
        }
    }
}

/// One search as it is stored.
#[derive(Clone, PartialEq, Eq, Encode, Decode, CborLen)]
#[cbor(array)]
struct Saved {
    #[n(0)]
    name: String,
    /// `None` searches everywhere.
    #[n(1)]
    tenant: Option<ByteArray<16>>,
    #[n(2)]
    query: String,
}

impl Saved {
    fn tenant(&self) -> Option<TenantId> {
        self.tenant.as_ref().map(|tenant| TenantId::from_bytes(**tenant))
    }

    fn is(&self, name: &str, tenant: Option<TenantId>) -> bool {
        self.tenant() == tenant && self.name.to_lowercase() == name.trim().to_lowercase()
    }
}

impl Session {
    /// The searches this account has saved, in the order of their names; those of tenants it may not read are left out.
    pub fn saved_searches(&self) -> Result<Vec<SavedSearchView>, CallError> {
        self.authorize(Action::SaveSearches, None)?;
        let readable = self.tenants()?;
        let mut views: Vec<SavedSearchView> = Vec::new();
        for saved in self.core.load_searches()? {
            let tenant = saved.tenant();
            let name = tenant.map(|id| readable.iter().find(|view| view.id == id).map(|view| view.name.clone()));
            if let Some(tenant_name) = name.map_or(Some(None), |name| name.map(Some)) {
                views.push(SavedSearchView { name: saved.name, tenant, tenant_name, query: saved.query });
            }
        }
        views.sort_by_cached_key(|view| view.name.to_lowercase());
        Ok(views)
    }

    /// Saves a search of one tenant, or of all, under a name.
    pub fn save_search(&self, name: &str, tenant: Option<TenantId>, query: &str) -> Result<(), SaveSearchError> {
        let actor = self.authorize_search(tenant)?;
        let name = parse_name(name)?;
        let query: Query = query.parse()?;
        self.core.change_searches(&actor, Event::SearchSaved { tenant }, |searches| {
            if searches.iter().any(|saved| saved.is(&name, tenant)) {
                return Err(SaveSearchError::NameTaken);
            }
            if searches.len() >= SEARCHES_MAX {
                return Err(SaveSearchError::TooMany);
            }
            let tenant = tenant.map(|tenant| (*tenant.as_bytes()).into());
            searches.push(Saved { name, tenant, query: query.to_string() });
            Ok(())
        })
    }

    /// Gives a saved search another name.
    pub fn rename_search(&self, name: &str, tenant: Option<TenantId>, new: &str) -> Result<(), SaveSearchError> {
        let actor = self.authorize_search(tenant)?;
        let new = parse_name(new)?;
        self.core.change_searches(&actor, Event::SearchRenamed { tenant }, |searches| {
            let place = place_of(searches, name, tenant)?;
            if searches.iter().enumerate().any(|(other, saved)| other != place && saved.is(&new, tenant)) {
                return Err(SaveSearchError::NameTaken);
            }
            searches[place].name = new;
            Ok(())
        })
    }

    /// Removes a saved search.
    pub fn remove_search(&self, name: &str, tenant: Option<TenantId>) -> Result<(), SaveSearchError> {
        let actor = self.authorize_search(tenant)?;
        self.core.erase_search(&actor, name, tenant)
    }

    /// A search belongs to who may run it.
    fn authorize_search(&self, tenant: Option<TenantId>) -> Result<Actor, CallError> {
        if tenant.is_some() {
            self.authorize(Action::SearchRecords, tenant)?;
        }
        self.authorize(Action::SaveSearches, None)
    }
}

impl Core {
    fn load_searches(&self) -> Result<Vec<Saved>, CallError> {
        let sealed = self.office().directory.saved_searches(self.account);
        let Some(sealed) = sealed.map_err(|error: StoreError| error.into_fault(Damage::Directory))? else {
            return Ok(Vec::new());
        };
        let damaged = || Fault::Damaged(Damage::Directory);
        let opened = wrap::open(&self.keys.master, &sealed, &self.searches_context()).map_err(|_| damaged())?;
        Ok(encoding::decode(opened.expose()).map_err(|_| damaged())?)
    }

    /// Names of the searches of this account, in the tenant or in all, of which name or query is as `is_it` says; each
    /// with whether it is of the tenant alone.
    pub(super) fn searches_with(
        &self,
        tenant: TenantId,
        is_it: impl Fn(&str) -> bool,
    ) -> Result<Vec<(String, bool)>, CallError> {
        let is_of = |saved: &Saved| saved.tenant().is_none_or(|of| of == tenant);
        let searches = self.load_searches()?.into_iter().filter(is_of);
        let found = searches.filter(|saved| is_it(&saved.name) || is_it(&saved.query));
        Ok(found.map(|saved| (saved.name.clone(), saved.tenant.is_some())).collect())
    }

    /// Removes a search of this account, in the tenant or in all.
    pub(super) fn erase_search(
        &self,
        actor: &Actor,
        name: &str,
        tenant: Option<TenantId>,
    ) -> Result<(), SaveSearchError> {
        self.change_searches(actor, Event::SearchRemoved { tenant }, |searches| {
            let place = place_of(searches, name, tenant)?;
            searches.remove(place);
            Ok(())
        })
    }

    fn change_searches(
        &self,
        actor: &Actor,
        event: Event,
        change: impl FnOnce(&mut Vec<Saved>) -> Result<(), SaveSearchError>,
    ) -> Result<(), SaveSearchError> {
        let _alone = lock(&self.searches);
        let mut searches = self.load_searches()?;
        change(&mut searches)?;
        let sealed =
            wrap::seal(&self.keys.master, &encoding::encode(&searches), &self.searches_context(), &mut self.random());
        self.change_directory(actor, event, Vec::new(), |tx| tx.set_saved_searches(self.account, &sealed))?;
        Ok(())
    }

    fn searches_context(&self) -> Context {
        searches_context(self.vault.id, self.account)
    }
}

/// Context of an account's saved searches under its master key.
pub(super) fn searches_context(vault: VaultId, account: AccountId) -> Context {
    Context::new(label::SAVED_SEARCHES).bytes(vault.as_bytes()).bytes(account.as_bytes())
}

fn place_of(searches: &[Saved], name: &str, tenant: Option<TenantId>) -> Result<usize, CallError> {
    searches.iter().position(|saved| saved.is(name, tenant)).ok_or(CallError::NotFound)
}

fn parse_name(name: &str) -> Result<String, SaveSearchError> {
    let name = name.trim();
    let fits = !name.is_empty() && name.chars().count() <= NAME_CHARS_MAX && !name.chars().any(char::is_control);
    if fits { Ok(name.to_owned()) } else { Err(SaveSearchError::InvalidName) }
}

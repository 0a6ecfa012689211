//! Tenants: creating them and seeing which ones there are. Layout: docs/FORMAT.md §5.

use coffer_crypto::derive::Id;
use coffer_crypto::label::{self, Context};
use coffer_crypto::secret::TenantKey;
use coffer_crypto::{derive, seal, wrap};
use coffer_model::event::Event;
use coffer_model::grant::Right;
use coffer_model::id::{TenantId, VaultId};
use coffer_model::tenant::TenantName;

use super::create::sixteen;
use crate::chain::{self, Body, EpochOpened, Granted, Tenant, TenantCreated};
use crate::fault::{CallError, Damage, Fault};
use crate::policy::Action;
use crate::session::{
    Actor, Core, OpenTenant, Session, tenant_key_context, tenant_name_context, tenant_path, tenant_scope,
};
use crate::store::directory::EpochRow;
use crate::store::files;
use crate::store::sqlcipher::StoreError;
use crate::store::tenant::{TenantIdentity, TenantStore};
use crate::vault::TENANTS_FOLDER;
use crate::view::TenantView;

/// Colours that tell tenants apart on screen.
const COLOURS: u64 = 12;

/// Why a tenant was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateTenantError {
    /// A tenant of this vault already has the name, in whatever case.
    #[error("there is a tenant of that name already")]
    NameTaken,
    /// The call was refused or failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl CreateTenantError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NameTaken => "tenant_name_taken",
            Self::Call(error) => error.code(),
        }
    }
}

impl From<Fault> for CreateTenantError {
    fn from(fault: Fault) -> Self {
        Self::Call(fault.into())
    }
}

/// A tenant whose file is there, empty or filled, and of which no statement speaks yet: it is none.
pub(super) struct UnlistedTenant {
    pub(super) open: OpenTenant,
    /// The random name of its file.
    file: Id,
}

impl Session {
    /// Creates a tenant. The account becomes its first steward, so it can read what it enters.
    pub fn create_tenant(&self, name: &TenantName) -> Result<TenantView, CreateTenantError> {
        let actor = self.authorize(Action::CreateTenant, None)?;
        let tenant = self.core.begin_tenant(name)?;
        self.core.list_tenant(&actor, &tenant, false)
    }

    /// The tenants this account may read, by name.
    pub fn tenants(&self) -> Result<Vec<TenantView>, CallError> {
        self.authorize(Action::ListTenants, None)?;
        self.core.visible_tenants()
    }
}

impl Core {
    /// Makes the file of a tenant that is to have the name.
    pub(super) fn begin_tenant(&self, name: &TenantName) -> Result<UnlistedTenant, CreateTenantError> {
        if !self.office().membership.trusts_recovery(self.account) {
            return Err(CallError::RecoveryUnconfirmed.into());
        }
        self.refuse_taken(name)?;
        let mut random = self.random();
        let scope = tenant_scope(self.vault.id, TenantId::from_random(sixteen(&mut random)), 1);
        let key = TenantKey::generate(&mut random);
        let file = sixteen(&mut random);
        // Without the statements that name it, it is a file that nobody looks at.
        let path = tenant_path(&self.folder, &file);
        let identity = TenantIdentity { vault: self.vault.id, tenant: TenantId::from_bytes(scope.tenant), epoch: 1 };
        TenantStore::create(&path, &derive::derive_tenant_database_key(&key, &scope), identity)
            .map_err(|error: StoreError| error.into_fault(Damage::Tenant))?;
        files::sync_folder(&self.folder.join(TENANTS_FOLDER)).map_err(Fault::from)?;
        let open = OpenTenant::open(&self.folder, &file, name.as_str().to_owned(), scope, key)?;
        Ok(UnlistedTenant { open, file })
    }

    /// Makes it a tenant of the vault, with this account as its first steward. `demo` says that its data is invented.
    pub(super) fn list_tenant(
        &self,
        actor: &Actor,
        unlisted: &UnlistedTenant,
        demo: bool,
    ) -> Result<TenantView, CreateTenantError> {
        let UnlistedTenant { open, file } = unlisted;
        let (tenant, name) = (open.id, open.name.as_str());
        // Somebody may have taken it while this one was filled.
        self.refuse_taken(&name.parse().map_err(|_| Fault::Damaged(Damage::Tenant))?)?;
        let (row, sealed, keys_digest) = self.seal_tenant(open);
        let kid = *derive::derive_kid(&open.key, &open.scope).as_bytes();
        let bodies = vec![
            Body::TenantCreated(TenantCreated { tenant, steward: self.account, demo }),
            Body::EpochOpened(EpochOpened {
                tenant,
                epoch: 1,
                kid: kid.into(),
                file: (*file).into(),
                recovery: chain::digest(&row.for_recovery).into(),
                name_for_office: chain::digest(&row.name_for_office).into(),
                name_for_holders: chain::digest(&row.name_for_holders).into(),
            }),
            Body::Granted(Granted {
                tenant,
                epoch: 1,
                grantee: self.account,
                grantee_keys: keys_digest.into(),
                right: Right::Steward.code(),
                expires_ms: None,
                sealed: chain::digest(&sealed).into(),
                kid: kid.into(),
            }),
        ];
        self.change_directory(actor, Event::TenantCreated(tenant), bodies, |tx| {
            tx.insert_epoch(tenant, 1, &row)?;
            tx.set_tenant_key(tenant, 1, self.account, &sealed)
        })?;
        let view = self.visible_tenants()?.into_iter().find(|view| view.id == tenant);
        view.ok_or_else(|| Fault::Damaged(Damage::Directory).into())
    }

    /// Seals a tenant's key to recovery and to this account, and its name to who may know it. Gives the digest of the
    /// account's keys, too.
    fn seal_tenant(&self, open: &OpenTenant) -> (EpochRow, Vec<u8>, chain::Hash) {
        let (vault, tenant) = (self.vault.id, open.id);
        let (key, name) = (&open.key, open.name.as_bytes());
        let mut random = self.random();
        let office = self.office();
        let own = &office.membership.accounts[&self.account];
        let recovery_context = tenant_recovery_context(vault, tenant, 1);
        let row = EpochRow {
            for_recovery: seal::seal_key_to(&office.membership.recovery().sealing, key, &recovery_context, &mut random),
            name_for_office: seal::seal_to(
                office.membership.office(),
                name,
                &office_name_context(vault, tenant),
                &mut random,
            ),
            name_for_holders: wrap::seal(key, name, &tenant_name_context(vault, tenant), &mut random),
        };
        let context = tenant_key_context(vault, tenant, 1, self.account);
        (row, seal::seal_key_to(&own.sealing, key, &context, &mut random), chain::account_keys_digest(own))
    }

    /// Two tenants of a vault may not differ in the case of their names alone.
    pub(super) fn refuse_taken(&self, name: &TenantName) -> Result<(), CreateTenantError> {
        let taken = self.visible_tenants()?.iter().any(|view| {
            view.name.parse::<TenantName>().is_ok_and(|known| known.comparison_key() == name.comparison_key())
        });
        if taken { Err(CreateTenantError::NameTaken) } else { Ok(()) }
    }

    fn visible_tenants(&self) -> Result<Vec<TenantView>, CallError> {
        let now = self.now();
        let office = self.office();
        let opened = self.opened();
        let mut views = Vec::new();
        for (&id, tenant) in &office.membership.tenants {
            let Some(right) = office.membership.right(id, self.account, now) else { continue };
            let Some(epoch) = &tenant.epoch else { continue };
            let open = opened.iter().find(|open| open.id == id);
            let name = match open {
                Some(open) => Some(open.name.clone()),
                None => self.name_from_office(&office, id, epoch)?,
            };
            let (colour, demo, created_at) = (colour_of(tenant), tenant.demo, tenant.created_at);
            // Left empty for whoever has to open it with the tenant's own key.
            let name = name.unwrap_or_default();
            views.push(TenantView { id, name, right, colour, demo, created_at, records: None });
        }
        // Not inside: no tenant's reader is waited for while the directory is held.
        drop(office);
        for view in &mut views {
            if view.name.is_empty() {
                view.name = self.name_as_holder(view.id)?;
            }
            if let Some(open) = opened.iter().find(|open| open.id == view.id) {
                view.records = Some(open.read(TenantStore::count)?);
            }
        }
        views.sort_by_cached_key(|view| view.name.to_lowercase());
        Ok(views)
    }

    /// A tenant's name, if this account may know it.
    pub(crate) fn known_tenant_name(&self, tenant: TenantId) -> Option<String> {
        if let Some(open) = self.opened().into_iter().find(|open| open.id == tenant) {
            return Some(open.name.clone());
        }
        let (by_office, may_read) = {
            let office = self.office();
            let epoch = office.membership.tenants.get(&tenant)?.epoch.as_ref()?;
            let may_read = office.membership.right(tenant, self.account, self.now()).is_some();
            (self.name_from_office(&office, tenant, epoch).ok().flatten(), may_read)
        };
        by_office.or_else(|| self.name_as_holder(tenant).ok().filter(|_| may_read))
    }
}

impl UnlistedTenant {
    /// Removes everything of it. Nobody is told if that fails: what is left is in nobody's way.
    pub(super) fn discard(self) {
        let (path, files) = (self.open.path.clone(), self.open.files.clone());
        drop(self);
        let _ = files.remove_all();
        let _ = files::remove_database(&path);
    }
}

/// Tenants get the colours in turn, so that the first twelve are all different.
fn colour_of(tenant: &Tenant) -> u8 {
    u8::try_from(tenant.ordinal % COLOURS).expect("less than twelve")
}

/// Context of a tenant key sealed to recovery.
pub(super) fn tenant_recovery_context(vault: VaultId, tenant: TenantId, epoch: u32) -> Context {
    Context::new(label::SEAL_TENANT_KEY_TO_RECOVERY)
        .bytes(vault.as_bytes())
        .bytes(tenant.as_bytes())
        .u64(u64::from(epoch))
}

/// Context of a tenant's name sealed to the office.
pub(crate) fn office_name_context(vault: VaultId, tenant: TenantId) -> Context {
    Context::new(label::SEAL_TO_OFFICE).bytes(vault.as_bytes()).bytes(b"tenant-name").bytes(tenant.as_bytes())
}

//! Tenants: creating them and seeing which ones there are. Layout: docs/FORMAT.md §5.

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
use crate::session::{Core, Office, Session, tenant_key_context, tenant_name_context, tenant_scope};
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

impl Session {
    /// Creates a tenant. The account becomes its first steward, so it can read what it enters.
    pub fn create_tenant(&self, name: &TenantName) -> Result<TenantView, CreateTenantError> {
        let actor = self.authorize(Action::CreateTenant, None)?;
        let taken = self.visible_tenants()?.iter().any(|view| {
            view.name.parse::<TenantName>().is_ok_and(|known| known.comparison_key() == name.comparison_key())
        });
        if taken {
            return Err(CreateTenantError::NameTaken);
        }
        let core = &*self.core;
        let vault = core.vault.id;
        let mut random = core.random();
        let tenant = TenantId::from_random(sixteen(&mut random));
        let key = TenantKey::generate(&mut random);
        let scope = tenant_scope(vault, tenant, 1);
        let file = sixteen(&mut random);

        // The file first: without the statements that name it, it is swept away.
        let path = core.folder.join(TENANTS_FOLDER).join(format!("{}.db", hex::encode(file)));
        let identity = TenantIdentity { vault, tenant, epoch: 1 };
        TenantStore::create(&path, &derive::derive_tenant_database_key(&key, &scope), identity)
            .map_err(|error: StoreError| error.into_fault(Damage::Tenant))?;
        files::sync_folder(&core.folder.join(TENANTS_FOLDER)).map_err(Fault::from)?;

        let (row, sealed, keys_digest) = {
            let office = core.office();
            let own = &office.membership.accounts[&core.account];
            let recovery_context = Context::new(label::SEAL_TENANT_KEY_TO_RECOVERY)
                .bytes(vault.as_bytes())
                .bytes(tenant.as_bytes())
                .u64(1);
            let row = EpochRow {
                for_recovery: seal::seal_key_to(&office.membership.recovery, &key, &recovery_context, &mut random),
                name_for_office: seal::seal_to(
                    &office.membership.office,
                    name.as_str().as_bytes(),
                    &office_name_context(vault, tenant),
                    &mut random,
                ),
                name_for_holders: wrap::seal(
                    &key,
                    name.as_str().as_bytes(),
                    &tenant_name_context(vault, tenant),
                    &mut random,
                ),
            };
            let context = tenant_key_context(vault, tenant, 1, core.account);
            (row, seal::seal_key_to(&own.sealing, &key, &context, &mut random), chain::account_keys_digest(own))
        };
        let kid = *derive::derive_kid(&key, &scope).as_bytes();
        let bodies = vec![
            Body::TenantCreated(TenantCreated { tenant, steward: core.account }),
            Body::EpochOpened(EpochOpened {
                tenant,
                epoch: 1,
                kid: kid.into(),
                file: file.into(),
                recovery: chain::digest(&row.for_recovery).into(),
                name_for_office: chain::digest(&row.name_for_office).into(),
                name_for_holders: chain::digest(&row.name_for_holders).into(),
            }),
            Body::Granted(Granted {
                tenant,
                epoch: 1,
                grantee: core.account,
                grantee_keys: keys_digest.into(),
                right: Right::Steward.code(),
                expires_ms: None,
                sealed: chain::digest(&sealed).into(),
                kid: kid.into(),
            }),
        ];
        core.change_directory(&actor, Event::TenantCreated(tenant), bodies, |tx| {
            tx.insert_epoch(tenant, 1, &row)?;
            tx.insert_tenant_key(tenant, 1, core.account, &sealed)
        })?;
        let view = self.visible_tenants()?.into_iter().find(|view| view.id == tenant);
        view.ok_or_else(|| Fault::Damaged(Damage::Directory).into())
    }

    /// The tenants this account may read, by name.
    pub fn tenants(&self) -> Result<Vec<TenantView>, CallError> {
        self.authorize(Action::ListTenants, None)?;
        self.visible_tenants()
    }

    fn visible_tenants(&self) -> Result<Vec<TenantView>, CallError> {
        let core = &*self.core;
        let now = core.now();
        let office = core.office();
        let opened = core.opened();
        let mut views = Vec::new();
        for (&id, tenant) in &office.membership.tenants {
            let Some(right) = office.membership.right(id, core.account, now) else { continue };
            let Some(epoch) = &tenant.epoch else { continue };
            let open = opened.iter().find(|open| open.id == id);
            views.push(TenantView {
                id,
                name: match open {
                    Some(open) => open.name.clone(),
                    None => core.name_from_office(&office, id, epoch)?,
                },
                right,
                colour: colour_of(tenant),
                created_at: tenant.created_at,
                records: None,
            });
        }
        // Not inside: no tenant's reader is waited for while the directory is held.
        drop(office);
        for view in &mut views {
            if let Some(open) = opened.iter().find(|open| open.id == view.id) {
                view.records = Some(open.read(TenantStore::count)?);
            }
        }
        views.sort_by_cached_key(|view| view.name.to_lowercase());
        Ok(views)
    }
}

impl Core {
    /// A tenant's name, if this account may know it.
    pub(crate) fn known_tenant_name(&self, tenant: TenantId) -> Option<String> {
        if let Some(open) = self.opened().into_iter().find(|open| open.id == tenant) {
            return Some(open.name.clone());
        }
        let office = self.office();
        let epoch = office.membership.tenants.get(&tenant)?.epoch.as_ref()?;
        self.name_from_office(&office, tenant, epoch).ok()
    }

    /// A tenant's name without its key, for administrators and auditors.
    fn name_from_office(&self, office: &Office, tenant: TenantId, epoch: &EpochOpened) -> Result<String, Fault> {
        let damaged = || Fault::Damaged(Damage::Directory);
        let row = office
            .directory
            .epoch(tenant, epoch.epoch)
            .map_err(|error: StoreError| error.into_fault(Damage::Directory))?
            .ok_or_else(damaged)?;
        let pair = self.keys.office.as_ref().ok_or_else(damaged)?;
        if chain::digest(&row.name_for_office) != *epoch.name_for_office {
            return Err(damaged());
        }
        let name = seal::open_sealed(pair, &row.name_for_office, &office_name_context(self.vault.id, tenant))
            .map_err(|_| damaged())?;
        String::from_utf8(name.expose().to_vec()).map_err(|_| damaged())
    }
}

/// Tenants get the colours in turn, so that the first twelve are all different.
fn colour_of(tenant: &Tenant) -> u8 {
    u8::try_from(tenant.ordinal % COLOURS).expect("less than twelve")
}

/// Context of a tenant's name sealed to the office.
fn office_name_context(vault: VaultId, tenant: TenantId) -> Context {
    Context::new(label::SEAL_TO_OFFICE).bytes(vault.as_bytes()).bytes(b"tenant-name").bytes(tenant.as_bytes())
}

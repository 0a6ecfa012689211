//! The way back for who has the recovery kit: a new administrator, and a steward for tenants that have none.
//! Layout: docs/FORMAT.md §4.9, §5.8.
//!
//! Recovery's keys come from the kit's seed alone. They sign what an administrator or a steward otherwise would, so that the
//! chain says for ever that the kit was used; and it stands in the log.

use std::sync::Arc;

use coffer_crypto::activation::InvitationKeys;
use coffer_crypto::passphrase::Passphrase;
use coffer_crypto::recovery;
use coffer_crypto::seal::{self, SealingKeyPair};
use coffer_crypto::secret::{ActivationCode, DirectoryKey, RecoverySeed, SealingSeed, TenantKey};
use coffer_crypto::sign::SigningKey;
use coffer_crypto::strength;
use coffer_crypto::{derive, wrap};
use coffer_model::account::{LoginName, Roles};
use coffer_model::event::Event;
use coffer_model::id::{AccountId, TenantId};
use coffer_model::policy::Guarded;

use super::super::create::sixteen;
use super::super::rekey::Rekeying;
use super::super::relocation::ThisCopy;
use super::super::step_up::FreshAuthentication;
use super::super::tenants::tenant_recovery_context;
use super::{AccountError, ActivateError, InviteError, fresh};
use crate::audit::{AuditLog, EntryOrigin};
use crate::chain::{self, AccountInvited, Body, Membership};
use crate::fault::{CallError, Damage, Fault};
use crate::header::{Header, InvitationEntry, InvitationPin};
use crate::host;
use crate::job::{JobContext, JobError, JobHandle};
use crate::keys::{directory_context, directory_kid, directory_recovery_context, pair_context};
use crate::kit::ReadKit;
use crate::policy::Action;
use crate::session::{Actor, Core, OpenTenant, Session, tenant_name_context, tenant_scope};
use crate::store::directory::{Directory, Holder, SharedPair};
use crate::store::files::{self, VaultLock};
use crate::store::sqlcipher::StoreError;
use crate::usecase::UnlockError;
use crate::vault::{HEADER_FILE, Vault, name_of, read_header};
use crate::view::ProgressUnit;

/// How long the invitation is open that recovery makes, and takes up itself.
const OPEN_MILLIS: i64 = 60 * 60 * 1_000;

/// Why the kit let nobody in.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The kit is of another vault.
    #[error("the recovery kit is not this vault's")]
    OtherKit,
    /// The account could not be made.
    #[error(transparent)]
    Invite(#[from] InviteError),
    /// The passphrase is refused, or the vault could not be unlocked.
    #[error(transparent)]
    Activate(#[from] ActivateError),
}

impl RecoverError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OtherKit => "other_kit",
            Self::Invite(error) => error.code(),
            Self::Activate(error) => error.code(),
        }
    }
}

impl From<Fault> for RecoverError {
    fn from(fault: Fault) -> Self {
        Self::Activate(fault.into())
    }
}

/// Recovery's keys, of the right vault.
struct Keys {
    sealing: SealingKeyPair,
    signing: SigningKey,
}

impl Keys {
    fn of(seed: &RecoverySeed) -> Self {
        Self { sealing: recovery::derive_sealing_pair(seed), signing: recovery::derive_signing_key(seed) }
    }
}

/// What the kit opened of a vault that nobody has unlocked.
struct Opened {
    header: Header,
    keys: Keys,
    directory: Directory,
    directory_key: DirectoryKey,
    membership: Membership,
}

impl Vault {
    /// Whether the kit is this vault's, and the login one that a new account may have: what is to be known before anybody
    /// chooses a passphrase. Changes nothing.
    pub fn check_recovery(&self, kit: &ReadKit, login: &LoginName) -> Result<(), RecoverError> {
        let _lock = self.lock_to_recover()?;
        self.open_by_recovery(kit, login).map(drop)
    }

    fn lock_to_recover(&self) -> Result<VaultLock, RecoverError> {
        let lock = VaultLock::acquire(&self.folder, &Self::holder(&self.host));
        Ok(lock.map_err(|error| ActivateError::from(UnlockError::from(error)))?)
    }

    /// Makes a new account with every role by the recovery kit, and unlocks the vault for it. It may read no tenant yet:
    /// [`Session::start_recover_tenants`]. Every other account stays as it is.
    pub fn recover(&self, kit: &ReadKit, login: &LoginName, passphrase: &Passphrase) -> Result<Session, RecoverError> {
        let code = {
            let _lock = self.lock_to_recover()?;
            strength::check(passphrase, &[login.as_str(), &name_of(&self.folder)], false)
                .map_err(ActivateError::from)?;
            self.invite_by_recovery(kit, login)?
        };
        let session = self.activate(&code, passphrase)?;
        // Whoever has the kit in use need not be asked whether it is the right one.
        let call = |error: CallError| RecoverError::Invite(error.into());
        let actor = session.authorize(Action::AcceptRecovery, None).map_err(call)?;
        session.core.trust_recovery(&actor).map_err(call)?;
        Ok(session)
    }

    fn open_by_recovery(&self, kit: &ReadKit, login: &LoginName) -> Result<Opened, RecoverError> {
        let header = read_header(&self.folder)?;
        let vault = header.vault;
        let keys = Keys::of(&kit.seed);
        let generation = header.directory_generation;
        let context = directory_recovery_context(vault, generation);
        let directory_key: DirectoryKey =
            seal::open_sealed_key(&keys.sealing, &header.directory_for_recovery, &context)
                .map_err(|_| RecoverError::OtherKit)?;
        let header_mac = derive::derive_header_mac_key(&directory_key, vault.as_bytes());
        header.verify(&header_mac).map_err(|_| Fault::Damaged(Damage::Header))?;
        let directory = self.open_directory(&header, &directory_key)?;
        let statements = directory.statements().map_err(|error| error.into_fault(Damage::Directory))?;
        let membership = Membership::replay(vault, &statements, None).map_err(Fault::from)?;
        if membership.recovery().sealing != *keys.sealing.public_key()
            || kit.founding.is_some_and(|founding| founding != membership.pin().founding)
        {
            return Err(RecoverError::OtherKit);
        }
        if membership.directory_kid != directory_kid(&directory_key, vault, generation) {
            return Err(Fault::Damaged(Damage::Chain).into());
        }
        if let Some(moving) = membership.move_under_way()
            && !(ThisCopy { host: &self.host, folder: &self.folder, membership: &membership }).is_the_next()?
        {
            return Err(ActivateError::from(UnlockError::moved(&membership, moving)).into());
        }
        if membership.is_taken(login) {
            return Err(InviteError::LoginTaken.into());
        }
        Ok(Opened { header, keys, directory, directory_key, membership })
    }

    fn invite_by_recovery(&self, kit: &ReadKit, login: &LoginName) -> Result<ActivationCode, RecoverError> {
        let Opened { mut header, keys, mut directory, directory_key, mut membership } =
            self.open_by_recovery(kit, login)?;
        let vault = header.vault;
        let generation = header.directory_generation;
        let header_mac = derive::derive_header_mac_key(&directory_key, vault.as_bytes());
        let in_directory = |error: StoreError| error.into_fault(Damage::Directory);
        let mut random = host::crypto_random(&self.host);
        let log = AuditLog::open(&self.folder, vault, membership.audit()).map_err(Fault::from)?;
        let now = self.host.clock.now();
        let origin = EntryOrigin::locked(&self.host.identity);
        log.append(now, &origin, Event::RecoveryUsed, &mut random).map_err(Fault::from)?;

        let code = ActivationCode::generate(&mut random);
        let invitation = InvitationKeys::derive(&code, vault.as_bytes());
        let account = AccountId::from_random(sixteen(&mut random));
        let body = Body::AccountInvited(AccountInvited {
            account,
            login: login.to_string(),
            roles: Roles::ALL.bits(),
            sealing: invitation.sealing.public_key().encode().into(),
            signing: invitation.signing.verifying_key().encode().into(),
            expires_ms: now.unix_millis() + OPEN_MILLIS,
        });
        let statement = membership.next_statement(now, membership.replica, chain::RECOVERY, &keys.signing, body);
        let position = membership.pin().length;
        membership.extend(&statement).map_err(Fault::from)?;
        let seeds = shared_seeds(&directory, &membership, &keys)?;
        // First: from here on the directory is not what was locked, and nobody is there to take its root.
        header.directory = None;
        let write = |header: &mut Header| {
            let bytes = header.encode_next(&header_mac);
            files::replace_private_file(&self.folder.join(HEADER_FILE), &bytes).map_err(Fault::from)
        };
        write(&mut header)?;
        let mut tx = directory.write().map_err(in_directory)?;
        tx.insert_statement(position, &statement).map_err(in_directory)?;
        for (pair, number, seed) in &seeds {
            let holder = Holder::Account(account);
            let context = pair_context(vault, *pair, *number, holder);
            let sealed = seal::seal_key_to(invitation.sealing.public_key(), seed, &context, &mut random);
            tx.set_pair_seed(*pair, *number, holder, &sealed).map_err(in_directory)?;
        }
        tx.commit().map_err(in_directory)?;
        drop(directory);

        let pin = InvitationPin::new(account, membership.pin());
        let context = directory_context(vault, account, generation);
        let sealed = seal::seal_key_to(invitation.sealing.public_key(), &directory_key, &context, &mut random);
        header.seal_directory_to(account, sealed);
        header.invitations.push(InvitationEntry::new(vault, &invitation, &pin, &mut random));
        write(&mut header)?;
        Ok(code)
    }
}

/// Every seed of the audit and office pairs, as it was sealed to recovery.
fn shared_seeds(
    directory: &Directory,
    membership: &Membership,
    keys: &Keys,
) -> Result<Vec<(SharedPair, u32, SealingSeed)>, Fault> {
    let damaged = || Fault::Damaged(Damage::Directory);
    let mut seeds = Vec::new();
    for pair in [SharedPair::Audit, SharedPair::Office] {
        let holder = Holder::Recovery(membership.recovery_number());
        for number in 1..=membership.number_of(pair) {
            let sealed = directory.pair_seed(pair, number, holder);
            // After a renewal somebody who holds it has to hand it on first.
            let Some(sealed) = sealed.map_err(|error| error.into_fault(Damage::Directory))? else { continue };
            let context = pair_context(membership.vault(), pair, number, holder);
            seeds.push((pair, number, seal::open_sealed_key(&keys.sealing, &sealed, &context).map_err(|_| damaged())?));
        }
    }
    Ok(seeds)
}

impl Session {
    /// Starts making this account the steward of every tenant that has none, by the recovery kit, as a job whose progress
    /// counts bytes. Each gets a new key; who may read it now may read it afterwards. Gives how many they were.
    #[expect(clippy::needless_pass_by_value, reason = "whoever hands a seed over keeps no copy of it")]
    pub fn start_recover_tenants(
        &self,
        kit: ReadKit,
        proof: FreshAuthentication,
    ) -> Result<JobHandle<u64>, RecoverError> {
        let call = |error: CallError| RecoverError::Invite(error.into());
        let actor = self.authorize(Action::RecoverTenants, None).map_err(call)?;
        proof.require_second(&self.core, Guarded::Recover).map_err(call)?;
        fresh(&self.core, proof).map_err(|error: AccountError| RecoverError::Invite(error.into()))?;
        let keys = Keys::of(&kit.seed);
        // One that was replaced still serves tenants that rest on it.
        let number = {
            let office = self.core.office();
            let known = (1..).zip(&office.membership.recoveries);
            known.filter(|(_, known)| known.sealing == *keys.sealing.public_key()).map(|(number, _)| number).next()
        };
        let number = number.ok_or(RecoverError::OtherKit)?;
        self.record(&actor, Event::RecoveryUsed).map_err(call)?;
        let core = Arc::clone(&self.core);
        let job = JobHandle::start("recover", ProgressUnit::Bytes, move |context| {
            core.recover_tenants(&actor, number, &keys, context)
        });
        self.core.adopt(job.lease());
        Ok(job)
    }
}

impl Core {
    fn recover_tenants(&self, actor: &Actor, number: u32, keys: &Keys, context: &JobContext) -> Result<u64, JobError> {
        let without: Vec<TenantId> = {
            let office = self.office();
            let rests = |tenant: &chain::Tenant| tenant.epoch.is_some() && tenant.recovery == number;
            let known = office.membership.tenants.iter().filter(|(_, tenant)| rests(tenant));
            let without = known.filter(|(id, _)| office.membership.lasting_stewards(**id).next().is_none());
            without.map(|(&id, _)| id).collect()
        };
        for &tenant in &without {
            context.check()?;
            let open = self.open_by_recovery(tenant, keys)?;
            self.check_effects(&open)?;
            // Whatever of it is open in this session reads the file of before.
            self.close_tenant(tenant);
            Rekeying { core: self, context, actor, open: &open, signer: (chain::RECOVERY, &keys.signing) }.run()?;
        }
        Ok(without.len() as u64)
    }

    fn open_by_recovery(&self, tenant: TenantId, keys: &Keys) -> Result<OpenTenant, JobError> {
        let damaged = || Fault::Damaged(Damage::Directory);
        let office = self.office();
        let epoch = office.membership.tenants.get(&tenant).and_then(|known| known.epoch.clone()).ok_or_else(damaged)?;
        let row = office.directory.epoch(tenant, epoch.epoch);
        let row = row.map_err(|error| error.into_fault(Damage::Directory))?.ok_or_else(damaged)?;
        if chain::digest(&row.for_recovery) != *epoch.recovery
            || chain::digest(&row.name_for_holders) != *epoch.name_for_holders
        {
            return Err(damaged().into());
        }
        let context = tenant_recovery_context(self.vault.id, tenant, epoch.epoch);
        let key: TenantKey =
            seal::open_sealed_key(&keys.sealing, &row.for_recovery, &context).map_err(|_| damaged())?;
        let scope = tenant_scope(self.vault.id, tenant, epoch.epoch);
        if *derive::derive_kid(&key, &scope).as_bytes() != *epoch.kid {
            return Err(damaged().into());
        }
        let name = wrap::open(&key, &row.name_for_holders, &tenant_name_context(self.vault.id, tenant));
        let name = name.ok().and_then(|name| String::from_utf8(name.expose().to_vec()).ok()).ok_or_else(damaged)?;
        drop(office);
        Ok(OpenTenant::open(&self.folder, &epoch.file, name, scope, key)?)
    }
}

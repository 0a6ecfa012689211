//! An altered program: somebody's own keys, and no policy. What members (THREAT-MODEL T4), administrators (T5) and former
//! members (T6) do with it must come to nothing for everybody whose program is not altered.

mod host;

use std::fs;
use std::path::{Path, PathBuf};

use coffer_crypto::label::{self, Context};
use coffer_crypto::passphrase::Passphrase;
use coffer_crypto::recovery;
use coffer_crypto::secret::{ActivationCode, SealingSeed, SecretKey, TenantKey};
use coffer_crypto::{derive, seal};
use coffer_model::account::{Role, Roles};
use coffer_model::event::Event;
use coffer_model::grant::Right;
use coffer_model::id::{AccountId, RecordId, TenantId};
use coffer_model::record::{FieldDraft, FieldType, RecordDraft};
use tempfile::TempDir;

use crate::audit::AuditLog;
use crate::chain::{self, Body, ChainError, Granted, RolesSet, SignedStatement, VaultMoved};
use crate::fault::{CallError, Damage, Fault};
use crate::host::Host;
use crate::keys::pair_context;
use crate::policy::Action;
use crate::session::{tenant_key_context, tenant_path, tenant_scope};
use crate::store::directory::{self, Directory, Holder, SharedPair};
use crate::store::sqlcipher::{Access, StoreError};
use crate::store::tenant::{TenantIdentity, TenantStore};
use crate::usecase::{UnlockError, exposures};
use crate::vault::Vault;
use crate::view::ExposureCheckOutcome;
use crate::{NewVault, Session};

pub(crate) const FOUNDER: &str = "ines";

/// A vault in a folder of its own, for what only a test inside the engine can do.
pub(crate) struct Place {
    folder: TempDir,
    host: Host,
}

fn passphrase(login: &str) -> Passphrase {
    Passphrase::parse(format!("nine grey geese over {} at dawn", login.repeat(2)).into_bytes()).unwrap()
}

impl Place {
    pub(crate) fn new() -> (Self, Session) {
        let place = Self { folder: tempfile::tempdir().unwrap(), host: host::host() };
        let new =
            NewVault { login: FOUNDER.parse().unwrap(), passphrase: passphrase(FOUNDER), demo: false, split: None };
        let session = Vault::create(&place.host, &place.vault(), new).unwrap().session;
        (place, session)
    }

    /// A path beside the vault.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn vault(&self) -> PathBuf {
        self.path("clients.coffer")
    }

    fn try_unlock(&self, login: &str) -> Result<Session, UnlockError> {
        Vault::open(&self.host, &self.vault()).unwrap().unlock(login, passphrase(login))
    }

    pub(crate) fn unlock(&self, login: &str) -> Session {
        self.try_unlock(login).unwrap()
    }

    /// Invites somebody with a session, which is locked, and lets them enrol.
    pub(crate) fn enrol(&self, session: Session, login: &str, roles: &[Role]) {
        let roles = Roles::of(roles.iter().copied());
        let proof = session.authenticated_by_unlocking().unwrap();
        let invitation = session.invite(&login.parse().unwrap(), roles, 24, proof).unwrap();
        session.lock().unwrap();
        let code = ActivationCode::parse_text(std::str::from_utf8(invitation.code.expose()).unwrap()).unwrap();
        let vault = Vault::open(&self.host, &self.vault()).unwrap();
        vault.activate(&code, &passphrase(login)).unwrap().lock().unwrap();
    }

    /// Whose programs are not altered find a chain that is not the one known, and act on nothing of it.
    fn is_refused(&self, login: &str, damage: Damage) {
        match self.try_unlock(login) {
            Err(UnlockError::Fault(Fault::Damaged(found))) => assert_eq!(found, damage),
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) fn account(session: &Session, login: &str) -> AccountId {
    let office = session.core.office();
    office.membership.accounts.iter().find(|(_, account)| account.login.as_str() == login).map(|(&id, _)| id).unwrap()
}

pub(crate) fn record(session: &Session, tenant: TenantId) -> RecordId {
    let value = |name: &str, value: &str| FieldDraft {
        id: None,
        name: name.to_owned(),
        field_type: FieldType::Secret,
        value: Some(value.into()),
    };
    let draft = RecordDraft {
        kind: "login".parse().unwrap(),
        title: "VPN".to_owned(),
        fields: vec![value("Password", "canary")],
        tags: Vec::new(),
        notes: String::new(),
    };
    session.add_record(tenant, draft).unwrap().id
}

/// Puts a statement into the directory, whatever the chain says to it.
fn insert(session: &Session, statement: &SignedStatement) {
    let mut office = session.core.office();
    let position = office.directory.statements().unwrap().len() as u64;
    let mut tx = office.directory.write().unwrap();
    tx.insert_statement(position, statement).unwrap();
    tx.commit().unwrap();
}

/// A statement that comes next, by the session's account.
fn next(session: &Session, body: Body) -> SignedStatement {
    let core = &session.core;
    let membership = &core.office().membership;
    membership.next_statement(core.now(), membership.replica, core.account, &core.keys.signing, body)
}

fn admits(session: &Session, statement: &SignedStatement) -> Result<(), ChainError> {
    session.core.office().membership.clone().extend(statement)
}

fn sql(session: &Session, statement: &str) {
    session.core.office().directory.connection().execute_batch(statement).unwrap();
}

/// A vault with two tenants and a member, otto, who may read the first; locked.
fn shared() -> (Place, TenantId, TenantId) {
    let (place, founder) = Place::new();
    let acme = founder.create_tenant(&"ACME".parse().unwrap()).unwrap().id;
    let bauer = founder.create_tenant(&"Bauer".parse().unwrap()).unwrap().id;
    record(&founder, acme);
    record(&founder, bauer);
    place.enrol(founder, "otto", &[Role::Member]);
    let founder = place.unlock(FOUNDER);
    founder.grant(acme, account(&founder, "otto"), Right::Reader, None).unwrap();
    founder.lock().unwrap();
    place.unlock("otto").lock().unwrap();
    (place, acme, bauer)
}

#[test]
fn names_of_tenants_are_opened_once_and_kept_for_nobody_else() {
    let (place, _, _) = shared();
    let names = |session: &Session| -> Vec<String> {
        session.tenants().unwrap().into_iter().map(|tenant| tenant.name).collect()
    };
    let otto = place.unlock("otto");
    assert_eq!(names(&otto), ["ACME"]);
    let id = account(&otto, "otto");
    otto.lock().unwrap();

    // Otto puts what he kept into everybody's place.
    let otto = place.unlock("otto");
    let his_for_all = "UPDATE tenant_names SET sealed = (SELECT sealed FROM tenant_names WHERE account = ?1)";
    otto.core.office().directory.connection().execute(his_for_all, [id.as_bytes()]).unwrap();
    otto.lock().unwrap();
    let founder = place.unlock(FOUNDER);
    assert_eq!(names(&founder), ["ACME", "Bauer"]);
    founder.lock().unwrap();

    // What is kept serves: the ciphertexts are not opened again.
    let founder = place.unlock(FOUNDER);
    sql(&founder, "UPDATE tenant_epoch SET name_for_office = x'00', name_for_holders = x'00'");
    assert_eq!(names(&founder), ["ACME", "Bauer"]);
    founder.lock().unwrap();
    let otto = place.unlock("otto");
    assert_eq!(names(&otto), ["ACME"]);
}

/// A tenant that is hardly ever written has the whole log after its last write: it is looked through once. That rows were
/// taken away since is found all the same, with the newest memory of it and with an older one.
#[test]
fn a_tenants_file_that_is_put_back_is_noticed_however_far_the_log_was_looked_through() {
    let (place, acme, bauer) = shared();
    let open = |session: &Session| {
        let actor = session.authorize(Action::ListRecords, Some(acme)).unwrap();
        session.open_tenant(&actor, acme).unwrap()
    };
    let read_again = |session: &Session| {
        let tenant = open(session);
        let applied = tenant.read(TenantStore::last_applied).unwrap();
        let before = session.core.looked_through(&tenant);
        session.core.effects_after(&tenant, applied, before.as_ref()).unwrap().read
    };
    let be_busy = |session: Session| {
        for _ in 0..300 {
            session.list_records(bauer, 1, None).unwrap();
        }
        session.lock().unwrap();
    };
    be_busy(place.unlock(FOUNDER));
    let founder = place.unlock(FOUNDER);
    open(&founder);
    founder.lock().unwrap();
    let founder = place.unlock(FOUNDER);
    assert!(read_again(&founder) < 10, "it is kept how far it was looked through");
    let memory = "SELECT sealed FROM tenant_names WHERE account = ?1";
    let id = account(&founder, FOUNDER);
    let older: Vec<u8> =
        founder.core.office().directory.connection().query_row(memory, [id.as_bytes()], |row| row.get(0)).unwrap();
    let file = open(&founder).path.clone();
    founder.lock().unwrap();

    let old = fs::read(&file).unwrap();
    let founder = place.unlock(FOUNDER);
    record(&founder, acme);
    be_busy(founder);
    let founder = place.unlock(FOUNDER);
    open(&founder);
    founder.lock().unwrap();
    let new = fs::read(&file).unwrap();
    for puts_memory_back in [false, true] {
        let founder = place.unlock(FOUNDER);
        if puts_memory_back {
            let put = "UPDATE tenant_names SET sealed = ?2 WHERE account = ?1";
            founder.core.office().directory.connection().execute(put, (id.as_bytes(), &older)).unwrap();
        }
        founder.lock().unwrap();
        fs::write(&file, &old).unwrap();
        let founder = place.unlock(FOUNDER);
        let refused = founder.list_records(acme, 1, None).unwrap_err();
        assert_eq!(refused.code(), CallError::from(Fault::Damaged(Damage::Tenant)).code());
        founder.lock().unwrap();
        fs::write(&file, &new).unwrap();
        let founder = place.unlock(FOUNDER);
        assert_eq!(founder.list_records(acme, 9, None).unwrap().total, 2);
        founder.lock().unwrap();
    }
}

fn grant_of(session: &Session, tenant: TenantId, grantee: AccountId, right: Right) -> Granted {
    let office = session.core.office();
    let epoch = office.membership.tenants[&tenant].epoch.as_ref().unwrap();
    Granted {
        tenant,
        epoch: epoch.epoch,
        grantee,
        grantee_keys: chain::account_keys_digest(&office.membership.accounts[&grantee]).into(),
        right: right.code(),
        expires_ms: None,
        sealed: [7; 32].into(),
        kid: epoch.kid,
    }
}

/// T4: whatever is in the directory, nothing of a tenant that was not granted opens with a member's keys.
#[test]
fn a_member_opens_nothing_of_a_tenant_that_was_not_granted() {
    let (place, acme, bauer) = shared();
    let otto = place.unlock("otto");
    let core = &otto.core;
    let (vault, epoch) = (core.vault.id, 1);
    let office = core.office();
    assert!(office.directory.tenant_key(bauer, epoch, core.account).unwrap().is_none());
    let founder = office.membership.accounts.iter().find(|(_, account)| account.login.as_str() == FOUNDER).unwrap().0;
    let theirs = office.directory.tenant_key(bauer, epoch, *founder).unwrap().unwrap();
    let row = office.directory.epoch(bauer, epoch).unwrap().unwrap();
    for (sealed, context) in [
        (&theirs, tenant_key_context(vault, bauer, epoch, *founder)),
        (&theirs, tenant_key_context(vault, bauer, epoch, core.account)),
        (
            &row.for_recovery,
            Context::new(label::SEAL_TENANT_KEY_TO_RECOVERY).bytes(vault.as_bytes()).bytes(bauer.as_bytes()).u64(1),
        ),
    ] {
        assert!(seal::open_sealed_key::<TenantKey>(&core.keys.sealing, sealed, &context).is_err());
    }
    for (pair, number) in [(SharedPair::Audit, 1), (SharedPair::Office, 1)] {
        assert!(office.directory.pair_seed(pair, number, Holder::Account(core.account)).unwrap().is_none());
        for holder in [Holder::Account(*founder), Holder::Recovery(1)] {
            let sealed = office.directory.pair_seed(pair, number, holder).unwrap().unwrap();
            let context = pair_context(vault, pair, number, holder);
            assert!(seal::open_sealed_key::<SealingSeed>(&core.keys.sealing, &sealed, &context).is_err());
        }
    }
    // The key that was granted opens the file it is the key of, and no other.
    let file = office.membership.tenants[&bauer].epoch.as_ref().unwrap().file;
    drop(office);
    let (_, key) = core.unseal_tenant(acme).unwrap();
    for tenant in [acme, bauer] {
        let database_key = derive::derive_tenant_database_key(&key, &tenant_scope(vault, tenant, 1));
        let identity = TenantIdentity { vault, tenant, epoch: 1 };
        let opened = TenantStore::open(&tenant_path(&core.folder, &file), &database_key, identity, Access::ReadOnly);
        assert!(matches!(opened, Err(StoreError::CannotOpen)));
    }
}

/// T4: who is no administrator cannot state the vault away from the others.
#[test]
fn a_member_who_states_that_the_vault_was_moved_is_believed_by_nobody() {
    let (place, _, _) = shared();
    let otto = place.unlock("otto");
    let device = otto.core.office().membership.devices[0].encode().into();
    let moved = next(&otto, Body::VaultMoved(VaultMoved { device }));
    assert_eq!(admits(&otto, &moved), Err(ChainError::Authority));
    insert(&otto, &moved);
    otto.lock().unwrap();
    // Noticed as what it is, not taken for a move.
    place.is_refused(FOUNDER, Damage::Chain);

    // Nor does one who administers no more, by a statement kept from before.
    let (place, _, _) = shared();
    place.enrol(place.unlock(FOUNDER), "eva", &[Role::Administrator]);
    let eva = place.unlock("eva");
    let device = eva.core.office().membership.devices[0].encode().into();
    let kept = next(&eva, Body::VaultMoved(VaultMoved { device }));
    assert_eq!(admits(&eva, &kept), Ok(()));
    eva.lock().unwrap();
    let founder = place.unlock(FOUNDER);
    let proof = founder.authenticated_by_unlocking().unwrap();
    founder.set_roles(account(&founder, "eva"), Roles::of([Role::Member]), proof).unwrap();
    assert_eq!(admits(&founder, &kept), Err(ChainError::OutOfPlace));
    founder.lock().unwrap();
    let eva = place.unlock("eva");
    let device = eva.core.office().membership.devices[0].encode().into();
    assert_eq!(admits(&eva, &next(&eva, Body::VaultMoved(VaultMoved { device }))), Err(ChainError::Authority));
}

/// T4: no right, role or grant that nobody with authority signed is ever acted on.
#[test]
fn attack_26_a_member_who_states_their_own_rights_is_believed_by_nobody() {
    let (place, acme, bauer) = shared();
    let otto = place.unlock("otto");
    let me = otto.core.account;
    let bodies = [
        Body::RolesSet(RolesSet { account: me, roles: Roles::ALL.bits() }),
        Body::Granted(grant_of(&otto, acme, me, Right::Steward)),
        Body::Granted(grant_of(&otto, bauer, me, Right::Reader)),
    ];
    for body in &bodies {
        assert_eq!(admits(&otto, &next(&otto, body.clone())), Err(ChainError::Authority));
    }
    // In the founder's name, without the founder's key; and without any signature.
    let founder = account(&otto, FOUNDER);
    let forged = {
        let membership = &otto.core.office().membership;
        let (at, key) = (otto.core.now(), &otto.core.keys.signing);
        membership.next_statement(at, membership.replica, founder, key, bodies[0].clone())
    };
    assert_eq!(admits(&otto, &forged), Err(ChainError::Signature));
    let unsigned = SignedStatement { signature: [0; 64], ..forged.clone() };
    assert_eq!(admits(&otto, &unsigned), Err(ChainError::Signature));
    insert(&otto, &unsigned);
    otto.lock().unwrap();
    place.is_refused(FOUNDER, Damage::Chain);
}

#[test]
fn attack_24a_a_sealing_of_a_key_of_the_attackers_choosing_is_refused() {
    let (place, _, bauer) = shared();
    let otto = place.unlock("otto");
    let founder = account(&otto, FOUNDER);
    {
        let core = &otto.core;
        let mut office = core.office();
        let chosen = TenantKey::parse(&[9; 32]).unwrap();
        let to = office.membership.accounts[&founder].sealing.clone();
        let context = tenant_key_context(core.vault.id, bauer, 1, founder);
        let sealed = seal::seal_key_to(&to, &chosen, &context, &mut core.random());
        let mut tx = office.directory.write().unwrap();
        tx.set_tenant_key(bauer, 1, founder, &sealed).unwrap();
        tx.commit().unwrap();
    }
    otto.lock().unwrap();
    let founder = place.unlock(FOUNDER);
    let listed = founder.list_records(bauer, 10, None);
    assert!(listed.is_err_and(|error| error.to_string().contains("directory")));
    // Stated as a grant, the key's name gives it away.
    let mut grant = grant_of(&founder, bauer, founder.core.account, Right::Steward);
    grant.kid = [1; 32].into();
    assert_eq!(admits(&founder, &next(&founder, Body::Granted(grant))), Err(ChainError::Authority));
}

#[test]
fn attack_24b_an_audit_key_that_a_member_puts_into_the_header_is_put_right_and_told() {
    let (place, ..) = shared();
    let otto = place.unlock("otto");
    let attackers = otto.core.keys.sealing.public_key().clone();
    otto.core.office().header.audit_cache = attackers.encode().into();
    otto.lock().unwrap();
    let founder = place.unlock(FOUNDER);
    let (cached, stated) = {
        let office = founder.core.office();
        (office.header.audit_cache.to_vec(), office.membership.audit().encode())
    };
    assert_eq!(cached, stated);
    let page = founder.log_page(None, 100).unwrap();
    assert!(page.entries.iter().any(|entry| entry.action == "audit_key.corrected"));
    assert!(page.entries.iter().all(|entry| entry.action != "unreadable"));
    assert!(founder.start_verify_log().unwrap().wait().unwrap().ok);
}

#[test]
fn attack_24c_a_chain_cut_to_undo_a_removal_is_not_the_one_known() {
    let (place, founder) = Place::new();
    place.enrol(founder, "otto", &[Role::Administrator]);
    let founder = place.unlock(FOUNDER);
    let (otto, proof) = (account(&founder, "otto"), founder.authenticated_by_unlocking().unwrap());
    place.enrol(founder, "eva", &[Role::Administrator]);
    let founder = place.unlock(FOUNDER);
    drop(proof);
    let proof = founder.authenticated_by_unlocking().unwrap();
    founder.remove_account(otto, false, proof).unwrap();
    founder.lock().unwrap();
    let eva = place.unlock("eva");
    sql(&eva, "DELETE FROM statement WHERE position = (SELECT max(position) FROM statement)");
    eva.lock().unwrap();
    place.is_refused(FOUNDER, Damage::Chain);
}

#[test]
fn attack_25_a_grantees_key_replaced_in_the_chain_is_noticed() {
    let (place, founder) = Place::new();
    place.enrol(founder, "otto", &[Role::Administrator]);
    // Otto's pin ends before Eva's enrolment, so that her statement is not vouched for by a hash he knows.
    let founder = place.unlock(FOUNDER);
    place.enrol(founder, "eva", &[Role::Member]);
    let eva = place.unlock("eva");
    let statements = eva.core.office().directory.statements().unwrap();
    let (position, enrolled) = statements.iter().enumerate().next_back().unwrap();
    let mut bytes = enrolled.bytes.clone();
    let key = eva.core.keys.sealing.public_key().encode();
    let at = bytes.windows(key.len()).position(|window| window == key).unwrap();
    let other = seal::SealingKeyPair::from_seed(&SealingSeed::parse(&[3; 32]).unwrap()).public_key().encode();
    bytes[at..at + other.len()].copy_from_slice(&other);
    let altered = hex::encode(&bytes);
    sql(&eva, &format!("UPDATE statement SET bytes = x'{altered}' WHERE position = {position}"));
    eva.lock().unwrap();
    place.is_refused("otto", Damage::Chain);
    place.is_refused(FOUNDER, Damage::Chain);
}

#[test]
fn attack_27_a_withdrawn_grant_put_in_again_is_out_of_place() {
    let (place, acme, _) = shared();
    let founder = place.unlock(FOUNDER);
    let otto = account(&founder, "otto");
    let granted = founder.core.office().directory.statements().unwrap().pop().unwrap();
    founder.withdraw_grant(acme, otto).unwrap();
    founder.lock().unwrap();
    let otto = place.unlock("otto");
    assert_eq!(admits(&otto, &granted), Err(ChainError::OutOfPlace));
    insert(&otto, &granted);
    otto.lock().unwrap();
    place.is_refused(FOUNDER, Damage::Chain);
}

#[test]
fn attack_28_a_withdrawal_taken_out_of_the_chain_is_noticed() {
    let (place, acme, bauer) = shared();
    let founder = place.unlock(FOUNDER);
    let otto = account(&founder, "otto");
    founder.withdraw_grant(acme, otto).unwrap();
    let withdrawal = founder.core.office().directory.statements().unwrap().len() - 1;
    founder.grant(bauer, otto, Right::Reader, None).unwrap();
    founder.lock().unwrap();
    let otto = place.unlock("otto");
    sql(
        &otto,
        &format!(
            "DELETE FROM statement WHERE position = {withdrawal};
             UPDATE statement SET position = position - 1 WHERE position > {withdrawal}"
        ),
    );
    otto.lock().unwrap();
    place.is_refused(FOUNDER, Damage::Chain);
}

#[test]
fn attack_32_the_files_of_two_tenants_exchanged_do_not_open() {
    let (place, acme, bauer) = shared();
    let founder = place.unlock(FOUNDER);
    let path = |tenant| {
        let office = founder.core.office();
        tenant_path(&founder.core.folder, &office.membership.tenants[&tenant].epoch.as_ref().unwrap().file)
    };
    let (one, other) = (path(acme), path(bauer));
    founder.lock().unwrap();
    let aside = place.folder.path().join("aside");
    for (from, to) in [(&one, &aside), (&other, &one), (&aside, &other)] {
        fs::rename(from, to).unwrap();
    }
    let founder = place.unlock(FOUNDER);
    for tenant in [acme, bauer] {
        assert!(founder.list_records(tenant, 10, None).is_err());
    }
}

/// T5: an administrator who grants to themselves, opens an epoch, or hands the tenant to somebody in their place is
/// believed by nobody, and what is sealed to others stays closed.
#[test]
fn an_administrator_gets_no_tenant_by_any_statement() {
    let (place, acme, _) = shared();
    let founder = place.unlock(FOUNDER);
    place.enrol(founder, "ida", &[Role::Administrator, Role::Auditor]);
    let ida = place.unlock("ida");
    let me = ida.core.account;
    assert!(matches!(ida.core.unseal_tenant(acme), Err(CallError::NotFound)));
    let epoch = ida.core.office().membership.tenants[&acme].epoch.clone().unwrap();
    let next_epoch = chain::EpochOpened { epoch: 2, kid: [2; 32].into(), file: [3; 16].into(), ..epoch };
    for body in [Body::Granted(grant_of(&ida, acme, me, Right::Reader)), Body::EpochOpened(next_epoch)] {
        assert_eq!(admits(&ida, &next(&ida, body)), Err(ChainError::Authority));
    }
    // In recovery's name, whose key she does not have.
    let body = Body::Granted(grant_of(&ida, acme, me, Right::Reader));
    let in_recoverys_name = {
        let membership = &ida.core.office().membership;
        membership.next_statement(ida.core.now(), membership.replica, chain::RECOVERY, &ida.core.keys.signing, body)
    };
    assert_eq!(admits(&ida, &in_recoverys_name), Err(ChainError::Signature));
    // Grants only the steward takes back are taken back by her as well, which opens nothing to her.
    let otto = account(&ida, "otto");
    ida.withdraw_grant(acme, otto).unwrap();
    assert!(matches!(ida.core.unseal_tenant(acme), Err(CallError::NotFound)));
}

#[test]
fn attack_24d_a_steward_who_is_reset_is_a_new_identity_without_grants() {
    let (place, acme, _) = shared();
    let founder = place.unlock(FOUNDER);
    let otto = account(&founder, "otto");
    founder.grant(acme, otto, Right::Steward, None).unwrap();
    place.enrol(founder, "ida", &[Role::Administrator]);
    let ida = place.unlock("ida");
    let proof = ida.authenticated_by_unlocking().unwrap();
    let invitation = ida.reset_account(otto, 24, false, proof).unwrap();
    ida.lock().unwrap();
    // The administrator takes the code and becomes the person.
    let code = ActivationCode::parse_text(std::str::from_utf8(invitation.code.expose()).unwrap()).unwrap();
    let vault = Vault::open(&place.host, &place.vault()).unwrap();
    let false_otto = vault.activate(&code, &passphrase("otto")).unwrap();
    assert!(false_otto.tenants().unwrap().is_empty());
    assert!(matches!(false_otto.core.unseal_tenant(acme), Err(CallError::NotFound)));
    let grant = grant_of(&false_otto, acme, false_otto.core.account, Right::Reader);
    assert_eq!(admits(&false_otto, &next(&false_otto, Body::Granted(grant))), Err(ChainError::Authority));
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

/// T6: a former member with a copy from before, and every key it opened, reads nothing that was written after the
/// revocation was complete.
#[test]
fn old_copies_and_old_keys_open_nothing_that_was_written_after_leaving() {
    let (place, founder) = Place::new();
    let acme = founder.create_tenant(&"ACME".parse().unwrap()).unwrap().id;
    record(&founder, acme);
    place.enrol(founder, "otto", &[Role::Member, Role::Auditor, Role::Administrator]);
    let founder = place.unlock(FOUNDER);
    let otto = account(&founder, "otto");
    founder.grant(acme, otto, Right::Steward, None).unwrap();
    founder.lock().unwrap();
    let old = place.folder.path().join("old.coffer");
    copy(&place.vault(), &old);

    let founder = place.unlock(FOUNDER);
    let proof = founder.authenticated_by_unlocking().unwrap();
    founder.remove_account(otto, false, proof).unwrap();
    assert!(founder.start_rekeying().wait().unwrap().is_empty());
    record(&founder, acme);
    let newest = founder.core.log.head().unwrap().0;
    let file = founder.core.office().membership.tenants[&acme].epoch.as_ref().unwrap().file;
    founder.lock().unwrap();

    let leaver = Vault::open(&place.host, &old).unwrap().unlock("otto", passphrase("otto")).unwrap();
    let core = &leaver.core;
    let (vault, folder) = (core.vault.id, place.vault());
    let refused = place.try_unlock("otto");
    assert!(matches!(refused, Err(UnlockError::Refused)));
    // The directory.
    let directory_key = derive::derive_directory_database_key(&core.office().directory_key, vault.as_bytes());
    let copied = place.folder.path().join("tried");
    copy(&folder, &copied);
    let opened = Directory::open(&copied, &directory_key, Access::ReadOnly);
    assert!(matches!(opened, Err(StoreError::CannotOpen)));
    assert!(!copied.join(directory::NEXT_FILE).exists());
    // The tenant, under any epoch.
    let (_, key) = core.unseal_tenant(acme).unwrap();
    for epoch in [1, 2] {
        let database_key = derive::derive_tenant_database_key(&key, &tenant_scope(vault, acme, epoch));
        let identity = TenantIdentity { vault, tenant: acme, epoch };
        let opened = TenantStore::open(&tenant_path(&folder, &file), &database_key, identity, Access::ReadOnly);
        assert!(matches!(opened, Err(StoreError::CannotOpen)));
    }
    // The log: what was written before, and not the last entries.
    let shared = core.office().shared.clone();
    let public = core.office().membership.audit().clone();
    let log = AuditLog::open_to_read(&folder, vault, &public).unwrap();
    let page = log.read_page(&shared.audit, Some(newest), 1).unwrap();
    assert!(page[0].entry.is_none());
    let first = log.read_page(&shared.audit, Some(1), 1).unwrap();
    assert!(first[0].entry.is_some());
    // Nor does anything sealed to the office since then.
    let row = {
        let founder = place.unlock(FOUNDER);
        let office = founder.core.office();
        office.directory.epoch(acme, 2).unwrap().unwrap()
    };
    for key in &shared.office {
        let context = crate::usecase::office_name_context(vault, acme);
        assert!(seal::open_sealed(&key.pair, &row.name_for_office, &context).is_err());
    }
}

/// T3: a directory that waits under its other name is taken for the directory only while a change of keys is under way.
#[test]
fn an_old_directory_planted_as_one_that_waits_is_not_taken() {
    let (place, founder) = Place::new();
    let acme = founder.create_tenant(&"ACME".parse().unwrap()).unwrap().id;
    founder.lock().unwrap();
    let old = fs::read(place.vault().join(directory::FILE)).unwrap();
    let founder = place.unlock(FOUNDER);
    record(&founder, acme);
    founder.create_tenant(&"Bauer".parse().unwrap()).unwrap();
    founder.lock().unwrap();
    fs::write(place.vault().join(directory::NEXT_FILE), old).unwrap();
    assert_eq!(place.unlock(FOUNDER).tenants().unwrap().len(), 2);
    // Nor does it keep anybody from making a backup.
    Vault::open(&place.host, &place.vault()).unwrap().start_backup(&place.folder.path().join("b.age")).wait().unwrap();
}

/// A change of the passphrase that was stopped after its statement leaves the slot of before: it opens nothing, neither the
/// vault nor a step that asks for the passphrase once more.
#[test]
fn a_retired_slot_counts_for_nothing() {
    let (place, founder) = Place::new();
    let old = founder.core.office().header.accounts[0].slots.clone();
    let proof = founder.authenticated_by_unlocking().unwrap();
    let new = || Passphrase::parse(b"another five slow words 77".to_vec()).unwrap();
    founder.change_passphrase(&new(), proof).unwrap();
    {
        let mut office = founder.core.office();
        office.header.accounts[0].slots.splice(0..0, old);
        founder.core.write_header(&mut office).unwrap();
    }
    assert!(matches!(founder.authenticate(&passphrase(FOUNDER).into()), Err(UnlockError::Refused)));
    drop(founder.authenticate(&new().into()).unwrap());
    founder.lock().unwrap();
    assert!(matches!(place.try_unlock(FOUNDER), Err(UnlockError::Refused)));
    let founder = Vault::open(&place.host, &place.vault()).unwrap().unlock(FOUNDER, new()).unwrap();
    assert_eq!(founder.core.office().header.accounts[0].slots.len(), 1);
}

/// A header that cannot be written leaves a change of keys or of the passphrase undone, in memory as on the disk.
#[test]
fn a_change_that_cannot_be_written_down_is_no_change() {
    let (place, founder) = Place::new();
    let header = place.vault().join("header");
    let aside = place.folder.path().join("aside");
    let new = || Passphrase::parse(b"another five slow words 77".to_vec()).unwrap();
    // A folder in its place: no file can be renamed over it.
    fs::rename(&header, &aside).unwrap();
    fs::create_dir(&header).unwrap();
    assert!(founder.rekey_directory().is_err());
    let proof = founder.authenticated_by_unlocking().unwrap();
    assert!(founder.change_passphrase(&new(), proof).is_err());
    fs::remove_dir(&header).unwrap();
    fs::rename(&aside, &header).unwrap();
    // The session goes on with what it had, and what it states fits what stands.
    founder.create_tenant(&"ACME".parse().unwrap()).unwrap();
    founder.lock().unwrap();
    let refused = Vault::open(&place.host, &place.vault()).unwrap().unlock(FOUNDER, new());
    assert!(matches!(refused, Err(UnlockError::Refused)));
    let founder = place.unlock(FOUNDER);
    assert_eq!(founder.tenants().unwrap().len(), 1);
    founder.rekey_directory().unwrap();
    founder.lock().unwrap();
    place.unlock(FOUNDER);
}

/// T5: an administrator who names a recovery whose seed they keep gets nothing by it that others hold: no tenant, not its
/// next key, none that is made later, and not the log.
#[test]
fn an_administrator_who_names_a_recovery_of_their_own_gets_no_tenant_by_it() {
    let (place, acme, _) = shared();
    let founder = place.unlock(FOUNDER);
    place.enrol(founder, "ida", &[Role::Administrator]);
    let ida = place.unlock("ida");
    let kit = ida.prepare_recovery(None).unwrap();
    ida.renew_recovery(&kit, ida.authenticated_by_unlocking().unwrap()).unwrap();
    assert!(ida.recovery().unwrap().trusted);
    ida.lock().unwrap();
    let sealing = recovery::derive_sealing_pair(&kit.seed);
    let signing = recovery::derive_signing_key(&kit.seed);

    // The founder, steward and auditor, works on with a program that is not altered.
    let founder = place.unlock(FOUNDER);
    assert!(!founder.recovery().unwrap().trusted);
    let refused = founder.create_tenant(&"Clarens".parse().unwrap());
    assert_eq!(refused.unwrap_err().code(), "recovery_unconfirmed");
    founder.start_rekey_tenant(acme).unwrap().wait().unwrap();
    founder.replace_audit_key().unwrap();
    record(&founder, acme);
    founder.lock().unwrap();

    let ida = place.unlock("ida");
    {
        let office = ida.core.office();
        for number in [1, 2] {
            let handed = office.directory.pair_seed(SharedPair::Audit, number, Holder::Recovery(2)).unwrap();
            assert!(handed.is_none(), "the log's key {number} went to the new recovery unasked");
        }
        let epoch = office.membership.tenants[&acme].epoch.as_ref().unwrap().epoch;
        assert_eq!(epoch, 2);
        let row = office.directory.epoch(acme, epoch).unwrap().unwrap();
        let context = Context::new(label::SEAL_TENANT_KEY_TO_RECOVERY)
            .bytes(ida.core.vault.id.as_bytes())
            .bytes(acme.as_bytes())
            .u64(u64::from(epoch));
        assert!(seal::open_sealed_key::<TenantKey>(&sealing, &row.for_recovery, &context).is_err());
    }
    // Nor does she become its steward in recovery's name.
    let me = ida.core.account;
    let epoch = ida.core.office().membership.tenants[&acme].epoch.clone().unwrap();
    let next_epoch = chain::EpochOpened { epoch: 3, kid: [2; 32].into(), file: [3; 16].into(), ..epoch };
    for body in [Body::Granted(grant_of(&ida, acme, me, Right::Steward)), Body::EpochOpened(next_epoch)] {
        let statement = {
            let membership = &ida.core.office().membership;
            membership.next_statement(ida.core.now(), membership.replica, chain::RECOVERY, &signing, body)
        };
        assert_eq!(admits(&ida, &statement), Err(ChainError::Signature));
    }
    let read = |kit: &crate::RecoveryKit| {
        crate::parse_recovery_kit(std::str::from_utf8(kit.to_text().expose()).unwrap()).unwrap()
    };
    let otto = account(&ida, "otto");
    ida.withdraw_grant(acme, otto).unwrap();
    let proof = ida.authenticated_by_unlocking().unwrap();
    assert_eq!(ida.start_recover_tenants(read(&kit), proof).unwrap().wait().unwrap(), 0);
    assert!(matches!(ida.core.unseal_tenant(acme), Err(CallError::NotFound)));
    ida.lock().unwrap();

    // Only the word of a steward who has compared it seals a tenant to it.
    let founder = place.unlock(FOUNDER);
    assert_eq!(founder.accept_recovery("six words that are not these ones").unwrap_err().code(), "recovery_words");
    founder.accept_recovery(&kit.fingerprint()).unwrap();
    assert!(founder.start_rekeying().wait().unwrap().is_empty());
    let office = founder.core.office();
    assert!(office.directory.pair_seed(SharedPair::Audit, 2, Holder::Recovery(2)).unwrap().is_some());
    assert!(office.membership.tenants.values().all(|tenant| tenant.recovery == 2));
}

/// What a steward's altered program sends to the office as a report, and is none, settles nothing; the evidence is had still.
#[test]
fn a_report_that_is_none_leaves_the_evidence_as_it_was() {
    let (place, acme, _) = shared();
    let founder = place.unlock(FOUNDER);
    let otto = account(&founder, "otto");
    let proof = founder.authenticated_by_unlocking().unwrap();
    founder.remove_account(otto, false, proof).unwrap();
    founder.start_rekeying().wait().unwrap();
    assert!(!founder.offboarding(otto).unwrap().complete);
    {
        let core = &founder.core;
        let context = exposures::report_context(core.vault.id, acme, otto);
        let sealed =
            seal::seal_to(core.office().membership.office(), b"nothing to change", &context, &mut core.random());
        let body = chain::ExposureReported { tenant: acme, account: otto, sealed: chain::digest(&sealed).into() };
        let actor = founder.authorize(Action::ListExposures, Some(acme)).unwrap();
        let event = Event::ExposureReported { tenant: acme, account: otto };
        core.change_directory(&actor, event, vec![Body::ExposureReported(body)], |tx| {
            tx.set_exposure_report(acme, otto, &sealed)
        })
        .unwrap();
    }
    let evidence = founder.offboarding(otto).unwrap();
    assert!(evidence.tenants.iter().all(|tenant| tenant.report.is_none()) && !evidence.complete, "{evidence:?}");
    // The true one takes its place.
    founder.start_exposure_report(acme, otto).unwrap().wait().unwrap();
    let evidence = founder.offboarding(otto).unwrap();
    assert!(evidence.tenants.iter().any(|tenant| tenant.report.is_some()) && evidence.complete, "{evidence:?}");
}

/// T4, T6: whoever takes rows from the exposure list under the tenant's key, rewrites them or makes some up, is found by the
/// log, which was written before and which they can only add to. The steward's program is as it should be and reports what
/// it finds.
#[test]
fn what_is_taken_from_the_exposure_list_is_missed_and_what_is_made_up_is_told() {
    let (place, acme, _) = shared();
    let otto = place.unlock("otto");
    let seen = otto.list_records(acme, 10, None).unwrap().records[0].id;
    let field = otto.open_record(seen).unwrap().fields[0].id;
    for _ in 0..6 {
        otto.reveal_field(seen, field, None).unwrap();
    }
    let id = account(&otto, "otto");
    {
        let actor = otto.authorize(Action::OpenRecord, Some(acme)).unwrap();
        let open = otto.open_tenant(&actor, acme).unwrap();
        let writer = open.writer().unwrap();
        let change = |nth: u32| format!("(SELECT change FROM exposure WHERE id = {nth})");
        // The third as if it were of another entry; of the second that its record was purged, by what purged nothing; the
        // fourth of another field; the first gone, and said to the log never to have happened.
        let altered = [
            format!("UPDATE change SET entry = 1000 WHERE id = {}", change(3)),
            format!("INSERT INTO exposure_gone (change, gone) SELECT id, id + 1 FROM change WHERE id = {}", change(2)),
            "UPDATE exposure SET field = 60000 WHERE id = 4".to_owned(),
            "DELETE FROM exposure WHERE id IN (1, 2)".to_owned(),
        ];
        writer.connection().execute_batch(&altered.join(";")).unwrap();
    }
    let entries = otto.core.log.head().unwrap().0;
    let shown: Vec<u64> = (entries - 6..entries).collect();
    otto.core.append(Event::EffectMissing { tenant: acme, entry: shown[0] }).unwrap();
    otto.lock().unwrap();

    let founder = place.unlock(FOUNDER);
    let logged = founder.log_page(None, 200).unwrap().entries;
    assert!(shown.iter().all(|&index| logged.iter().any(|entry| entry.index == index && entry.field == Some(field))));
    let proof = founder.authenticated_by_unlocking().unwrap();
    founder.remove_account(id, false, proof).unwrap();
    founder.start_rekeying().wait().unwrap();
    founder.start_exposure_report(acme, id).unwrap().wait().unwrap();
    let checked = founder.start_exposure_check(id).unwrap().wait().unwrap();
    assert!(checked.log.ok, "{checked:?}");
    assert_eq!(checked.outcome, ExposureCheckOutcome::Disagrees);
    let tenant = &checked.tenants[0];
    assert_eq!(tenant.not_reported, shown[..3]);
    assert_eq!(tenant.not_logged, [shown[3], 1000]);
    assert_eq!((tenant.agreed, tenant.disowned, tenant.since), (2, 0, 0));
}

/// A share's digest that somebody puts into the header's copy convinces nobody: what is joined has to open the directory,
/// and the next session puts the copy right.
#[test]
fn digests_of_shares_that_are_put_into_the_header_are_put_right() {
    let (place, founder) = Place::new();
    {
        let mut office = founder.core.office();
        office.header.shares_cache = Some(vec![[7; 32].into(), [8; 32].into()]);
        founder.core.write_header(&mut office).unwrap();
    }
    founder.lock().unwrap();
    let founder = place.unlock(FOUNDER);
    assert!(founder.core.office().header.shares_cache.is_none());
}

//! Creating a vault: keys, founding statement, directory, log, header, device key, in a folder that appears whole or not
//! at all. Layout: docs/FORMAT.md §2–5.

use std::fs;
use std::path::Path;
use std::time::Duration;

use coffer_crypto::Random;
use coffer_crypto::derive;
use coffer_crypto::kdf::{Factors, KdfFloor, KdfParams};
use coffer_crypto::memory::KdfMemory;
use coffer_crypto::passphrase::Passphrase;
use coffer_crypto::recovery;
use coffer_crypto::recovery::shares::{self, Share, Split};
use coffer_crypto::seal::{self, SealingKeyPair, SealingPublicKey};
use coffer_crypto::secret::{AgeIdentity, DirectoryKey, RecoverySeed, SealingSeed};
use coffer_crypto::sign::SigningKey;
use coffer_crypto::slot::{AccountPlace, NewSlot, Slot, SlotKind};
use coffer_crypto::strength::{self, Refusal};
use coffer_model::account::LoginName;
use coffer_model::event::Event;
use coffer_model::id::{AccountId, ReplicaId, VaultId};

use crate::audit::{AuditLog, EntryOrigin};
use crate::backup::memory::BackupMemory;
use crate::chain::{self, Body, DeviceEnrolled, Founding, Membership, SeedSplit, SignedStatement};
use crate::device::{BackupPlan, DeviceKeys, PLAN_FILE};
use crate::fault::{Damage, Fault};
use crate::header::{Header, SealedState};
use crate::host::{self, Host};
use crate::keys::{NewAccountKeys, directory_context, directory_recovery_context, pair_context};
use crate::kit::RecoveryKit;
use crate::session::Session;
use crate::store::directory::{Directory, Holder, SharedPair};
use crate::store::files::{self, FileError, NewFolder};
use crate::store::sqlcipher::StoreError;
use crate::usecase::UnlockError;
use crate::vault::{HEADER_FILE, TENANTS_FOLDER, Vault, name_of};

/// Share of the machine's memory that one key derivation may take.
const KDF_SHARE_OF_MEMORY: u64 = 8;

/// What a new vault starts with.
#[derive(Debug)]
pub struct NewVault {
    /// Its founder, who gets every role.
    pub login: LoginName,
    /// The founder's passphrase.
    pub passphrase: Passphrase,
    /// Whether it will hold invented data for looking around.
    pub demo: bool,
    /// How its recovery is split among several people; `None` for one kit that has all of it.
    pub split: Option<Split>,
}

/// A vault that has just been created: unlocked, and with the only copy of its recovery kit.
#[derive(Debug)]
pub struct CreatedVault {
    /// The founder's session.
    pub session: Session,
    /// To be printed or saved now.
    pub kit: RecoveryKit,
}

/// Why no vault was created. Nothing is left behind.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// Something is already at that place.
    #[error("something exists at that place already")]
    PlaceTaken,
    /// The folder to create it in does not exist.
    #[error("the folder to create the vault in does not exist")]
    NoFolder,
    /// The passphrase is refused.
    #[error(transparent)]
    Passphrase(#[from] Refusal),
    /// The vault or the machine under it failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl CreateError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::PlaceTaken => "place_taken",
            Self::NoFolder => "no_folder",
            Self::Passphrase(refusal) => refusal_code(*refusal),
            Self::Fault(fault) => fault.code(),
        }
    }
}

/// The permanent name of why a passphrase is refused, for scripts and for the words on screen.
pub(super) const fn refusal_code(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::TooShort { .. } => "passphrase_too_short",
        Refusal::WellKnown => "passphrase_well_known",
        Refusal::ExpectedName => "passphrase_expected_name",
        Refusal::Guessable(_) => "passphrase_guessable",
    }
}

impl From<FileError> for CreateError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Exists => Self::PlaceTaken,
            FileError::Missing => Self::NoFolder,
            other => Self::Fault(other.into()),
        }
    }
}

impl Vault {
    /// Creates a vault in a new folder and unlocks it for its founder.
    ///
    /// Takes a second or two: the cost of Argon2id is fitted to this machine.
    pub fn create(host: &Host, folder: &Path, new: NewVault) -> Result<CreatedVault, CreateError> {
        strength::check(&new.passphrase, &[new.login.as_str(), &name_of(folder)], false)?;
        files::sweep_abandoned(folder)?;
        let staged = NewFolder::beside(folder)?;
        let mut random = host::crypto_random(host);
        let random: &mut dyn Random = &mut random;
        let mut memory = KdfMemory::new();
        let params = choose_kdf(host, &mut memory)?;

        let keys = FoundingKeys::generate(random);
        let shares = new.split.map(|split| shares::split(&keys.recovery, split, random));
        let vault = VaultId::from_random(sixteen(random));
        let account = AccountId::from_random(sixteen(random));
        let replica = ReplicaId::from_random(sixteen(random));
        let now = host.clock.now();
        let founding = chain::found(
            vault,
            now,
            replica,
            keys.founding(vault, account, &new.login, shares.as_deref()),
            &keys.signing(),
        );
        let mut membership = Membership::replay(vault, std::slice::from_ref(&founding), None)
            .expect("a founding statement just signed is valid");

        // Sealed to what the chain says, never to what lies at hand.
        let mut statements = vec![founding];
        let device = DeviceKeys::generate(random);
        let enrolled =
            Body::DeviceEnrolled(DeviceEnrolled { signing: device.signing_key().verifying_key().encode().into() });
        let statement = membership.next_statement(now, replica, account, &keys.signing(), enrolled);
        membership.extend(&statement).expect("a statement just signed by an administrator is valid");
        statements.push(statement);

        write_directory(staged.path(), vault, account, &keys, &membership, &statements, random)?;
        files::create_private_folder(&staged.path().join(TENANTS_FOLDER))?;
        write_plan(staged.path(), vault, account, &keys, &device, random)?;
        BackupMemory::of(&membership, None).save(staged.path(), vault, &device, random)?;
        write_log(host, staged.path(), vault, replica, account, &membership, random)?;

        let place = AccountPlace { vault: *vault.as_bytes(), account: *account.as_bytes() };
        let new_slot =
            NewSlot { kind: SlotKind::Passphrase, passphrase: &new.passphrase, factors: Factors::default(), params };
        let slot =
            Slot::create(&new_slot, &place, &keys.own.master, &mut memory, random).map_err(|_| Fault::OutOfMemory)?;
        let header = keys.header(vault, account, &new, &slot, &membership, random);
        let bytes = { header }.encode_next(&derive::derive_header_mac_key(&keys.directory, vault.as_bytes()));
        files::replace_private_file(&staged.path().join(HEADER_FILE), &bytes)?;

        // Last, and outside the folder: without it the vault still opens, and a device key is made anew.
        host.devices.save(vault, &device.encode()).map_err(Fault::from)?;
        if let Err(error) = staged.publish() {
            let _ = host.devices.forget(vault);
            return Err(error.into());
        }

        let kit = RecoveryKit::new(keys.recovery, shares, vault, membership.pin().founding, name_of(folder), now);
        match first_unlock(host, folder, &new.login, new.passphrase) {
            Ok(session) => Ok(CreatedVault { session, kit }),
            Err(fault) => {
                // Nobody has its kit and nothing is in it: better none than one without recovery.
                let _ = host.devices.forget(vault);
                let _ = fs::remove_dir_all(folder);
                Err(fault.into())
            }
        }
    }
}

/// Shows that the new vault opens with its passphrase.
fn first_unlock(host: &Host, folder: &Path, login: &LoginName, passphrase: Passphrase) -> Result<Session, Fault> {
    let opened = Vault::open(host, folder).map_err(|_| Fault::Damaged(Damage::Header))?;
    opened.unlock(login.as_str(), passphrase).map_err(|error| match error {
        UnlockError::Fault(fault) => fault,
        _ => Fault::Damaged(Damage::Header),
    })
}

/// Everything random a vault begins with.
struct FoundingKeys {
    own: NewAccountKeys,
    directory: DirectoryKey,
    audit_seed: SealingSeed,
    office_seed: SealingSeed,
    recovery: RecoverySeed,
}

impl FoundingKeys {
    fn generate(random: &mut dyn Random) -> Self {
        Self {
            own: NewAccountKeys::generate(random),
            directory: DirectoryKey::generate(random),
            audit_seed: SealingSeed::generate(random),
            office_seed: SealingSeed::generate(random),
            recovery: RecoverySeed::generate(random),
        }
    }

    fn signing(&self) -> SigningKey {
        self.own.signing()
    }

    fn founding(&self, vault: VaultId, account: AccountId, login: &LoginName, shares: Option<&[Share]>) -> Founding {
        let public = |seed: &SealingSeed| SealingKeyPair::from_seed(seed).public_key().encode().into();
        Founding {
            suite: 1,
            account,
            login: login.to_string(),
            sealing: self.own.sealing().encode().into(),
            signing: self.signing().verifying_key().encode().into(),
            recovery_sealing: recovery::derive_sealing_pair(&self.recovery).public_key().encode().into(),
            recovery_signing: recovery::derive_signing_key(&self.recovery).verifying_key().encode().into(),
            audit: public(&self.audit_seed),
            office: public(&self.office_seed),
            recovery_age: (*recovery::derive_age_identity(&self.recovery).recipient().as_bytes()).into(),
            directory: (*derive::derive_directory_kid(&self.directory, vault.as_bytes(), 1).as_bytes()).into(),
            recovery_split: shares.map(|shares| SeedSplit::of(shares, vault)),
        }
    }

    fn header(
        &self,
        vault: VaultId,
        account: AccountId,
        new: &NewVault,
        slot: &Slot,
        membership: &Membership,
        random: &mut dyn Random,
    ) -> Header {
        let mut salt = [0; 32];
        random.fill(&mut salt);
        let (founder, directory) = (&membership.accounts[&account], &self.directory);
        let state = SealedState::new(membership.pin(), slot.params());
        let lookup = derive::login_lookup(&salt, new.login.as_str());
        let entry = self.own.entry(vault, account, lookup, slot, &state, random);
        let for_founder = seal::seal_key_to(&founder.sealing, directory, &directory_context(vault, account, 1), random);
        let for_recovery =
            seal::seal_key_to(&membership.recovery().sealing, directory, &directory_recovery_context(vault, 1), random);
        let mut header =
            Header::new(vault, salt, new.demo, membership.audit().encode(), for_recovery, for_founder, entry);
        header.shares_cache = membership.recovery().share_digests();
        header
    }
}

fn write_directory(
    folder: &Path,
    vault: VaultId,
    account: AccountId,
    keys: &FoundingKeys,
    membership: &Membership,
    statements: &[SignedStatement],
    random: &mut dyn Random,
) -> Result<(), Fault> {
    let mut directory =
        Directory::create(folder, &derive::derive_directory_database_key(&keys.directory, vault.as_bytes()))
            .map_err(|error: StoreError| error.into_fault(Damage::Directory))?;
    let in_directory = |error: StoreError| error.into_fault(Damage::Directory);
    let mut tx = directory.write().map_err(in_directory)?;
    for (position, statement) in (0..).zip(statements) {
        tx.insert_statement(position, statement).map_err(in_directory)?;
    }
    let holders: [(Holder, &SealingPublicKey); 2] = [
        (Holder::Account(account), &membership.accounts[&account].sealing),
        (Holder::Recovery(1), &membership.recovery().sealing),
    ];
    for (pair, seed) in [(SharedPair::Audit, &keys.audit_seed), (SharedPair::Office, &keys.office_seed)] {
        for (holder, to) in holders {
            let sealed = seal::seal_key_to(to, seed, &pair_context(vault, pair, 1, holder), random);
            tx.set_pair_seed(pair, 1, holder, &sealed).map_err(in_directory)?;
        }
    }
    tx.commit().map_err(in_directory)
}

fn write_plan(
    folder: &Path,
    vault: VaultId,
    account: AccountId,
    keys: &FoundingKeys,
    device: &DeviceKeys,
    random: &mut dyn Random,
) -> Result<(), Fault> {
    let recipient = recovery::derive_age_identity(&keys.recovery).recipient();
    let plan = BackupPlan::new(vault, &recipient, &AgeIdentity::generate(random));
    let sealed = device.seal_plan(vault, &plan.sign(account, &keys.signing()), random);
    Ok(files::replace_private_file(&folder.join(PLAN_FILE), &sealed)?)
}

fn write_log(
    host: &Host,
    folder: &Path,
    vault: VaultId,
    replica: ReplicaId,
    account: AccountId,
    membership: &Membership,
    random: &mut dyn Random,
) -> Result<(), Fault> {
    let log = AuditLog::create(folder, vault, membership.audit(), random)?;
    let origin = EntryOrigin { actor: Some(account), session: None, replica, identity: host.identity.clone() };
    for event in [Event::VaultCreated, Event::AccountCreated(account), Event::DeviceEnrolled] {
        log.append(host.clock.now(), &origin, event, random)?;
    }
    Ok(())
}

/// Fits Argon2id to this machine: 0.7 to 1 s, never below RFC 9106's second recommendation.
pub(super) fn choose_kdf(host: &Host, memory: &mut KdfMemory) -> Result<KdfParams, Fault> {
    if host.kdf_floor != KdfFloor::SHIPPED {
        return Ok(host.kdf_floor.least());
    }
    let probe = KdfParams::RFC_9106_SECOND;
    let nobody = Passphrase::parse(b"measuring the machine".to_vec()).expect("plain text is a passphrase");
    let mut quickest = Duration::MAX;
    for _ in 0..3 {
        let start = host.clock.monotonic();
        coffer_crypto::slot::spend_on_unknown_login(&nobody, &[0; 32], [0; 16], &probe, [0; 16], memory)
            .map_err(|_| Fault::OutOfMemory)?;
        quickest = quickest.min(host.clock.monotonic().saturating_sub(start));
    }
    let spare_kib = host.machine.memory_bytes().map_or(0, |bytes| bytes / KDF_SHARE_OF_MEMORY / 1024);
    Ok(KdfParams::calibrated(
        &probe,
        u32::try_from(quickest.as_millis()).unwrap_or(u32::MAX),
        u32::try_from(spare_kib).unwrap_or(u32::MAX),
    ))
}

/// Sixteen random bytes for an identifier.
pub(crate) fn sixteen(random: &mut dyn Random) -> [u8; 16] {
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    bytes
}

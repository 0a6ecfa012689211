//! What the desktop program is at: the one session, the vault being founded, settings, places, jobs. Shared by the
//! commands of the web view and by the native windows; authority is the engine's alone.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use coffer_core::host::Host;
use coffer_core::view::SessionView;
use coffer_core::{
    ActivationCode, Damage, Fault, FreshAuthentication, GlassError, KitPlace, MissingFactors, NewVault, Passphrase,
    ReadKit, RecoveryKit, Session, UnlockError, Vault,
};
use coffer_model::account::{LoginName, Roles};
use coffer_model::id::{AccountId, TenantId};
use coffer_model::policy::Guarded;
use coffer_model::record::Value;
use coffer_model::time::Timestamp;

use crate::chosen::Chosen;
use crate::commands::NewKind;
use crate::idle::Idle;
use crate::jobs::{Job, Jobs};
use crate::made::Made;
use crate::native::papers::{Brought, Problem};
use crate::native::words::{self, Words};
use crate::places::{Place, Places};
use crate::refusal::Refusal;
use crate::settings::Settings;
use crate::shown::{Known, Shown};

/// Everything the program is at.
pub(crate) struct Shell {
    pub(crate) host: Host,
    pub(crate) chosen: Chosen,
    pub(crate) made: Made,
    pub(crate) jobs: Jobs,
    pub(crate) idle: Idle,
    session: RwLock<Option<Session>>,
    /// The check of the tenants' files that began with the session.
    file_check: Mutex<Option<Job>>,
    /// The kit of a vault just created, until the first run is finished.
    kit: Mutex<Option<RecoveryKit>>,
    /// Whether two of its groups were typed again: somebody has it, and can read it.
    kit_confirmed: AtomicBool,
    /// Where a kit is that may take the place of the one in use, until it counts or is taken away again.
    kit_place: Mutex<Option<KitPlace>>,
    settings: RwLock<Settings>,
    places: Mutex<Places>,
    /// Whether the person asked for the first run although vaults are known.
    wants_first_run: AtomicBool,
}

/// Why a vault did not unlock, or why somebody was not believed, for the windows that ask.
#[derive(Debug)]
pub(crate) struct UnlockProblem {
    pub(crate) code: &'static str,
    /// Who has the vault open.
    pub(crate) holder: Option<Box<Holder>>,
    /// How long until the next try counts.
    pub(crate) wait: Option<Duration>,
    /// What accounts of this vault ask for and was not there.
    pub(crate) missing: Option<MissingFactors>,
    /// When this computer last saw a copy of the vault that is newer, or goes another way.
    pub(crate) seen: Option<Timestamp>,
    /// When the vault was moved to another computer, and by whom if that is known.
    pub(crate) moved: Option<Box<(Timestamp, Option<String>)>>,
}

/// Who has a vault open.
#[derive(Debug)]
pub(crate) struct Holder {
    pub(crate) program: String,
    pub(crate) pid: String,
    pub(crate) since: Timestamp,
}

/// What somebody may say is to be done about a vault that does not fit what is known of it. The log says so for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Amends {
    /// Use a copy that is older than this computer knew the vault.
    AcceptOlder,
    /// Go on with a log that does not fit its state in a new segment. For auditors.
    RestartLog,
    /// Move a vault once more that was moved from here. For administrators.
    MoveAgain,
    /// Use a copy again from which the vault was moved. For administrators.
    TakeMoveBack,
}

impl UnlockProblem {
    /// What can be done about it in the unlock window.
    pub(crate) fn amends(&self) -> [Option<Amends>; 2] {
        match self.code {
            "older_than_known" => [Some(Amends::AcceptOlder), None],
            "log_damaged" => [Some(Amends::RestartLog), None],
            "moved" | "move_unfinished" => [Some(Amends::MoveAgain), Some(Amends::TakeMoveBack)],
            _ => [None, None],
        }
    }

    pub(crate) fn of(code: &'static str) -> Self {
        Self { code, holder: None, wait: None, missing: None, seen: None, moved: None }
    }

    /// That the vault was moved, as far as that is known while it is locked.
    pub(crate) fn moved(at: Timestamp) -> Self {
        Self { moved: Some(Box::new((at, None))), ..Self::of("moved") }
    }
}

impl From<UnlockError> for UnlockProblem {
    fn from(error: UnlockError) -> Self {
        let problem = Self::of(error.code());
        match error {
            UnlockError::HeldBy(Some(holder)) => {
                let holder = Holder { program: holder.program, pid: holder.pid.to_string(), since: holder.since };
                Self { holder: Some(Box::new(holder)), ..problem }
            }
            UnlockError::TooSoon { wait } => Self { wait: Some(wait), ..problem },
            UnlockError::FactorMissing(missing) => Self { missing: Some(missing), ..problem },
            UnlockError::Fault(Fault::Damaged(Damage::Log)) => Self { code: "log_damaged", ..problem },
            UnlockError::Older { seen_at } => Self { seen: Some(seen_at), ..problem },
            UnlockError::Moved { at, by } => Self { moved: Some(Box::new((at, Some(by)))), ..problem },
            _ => problem,
        }
    }
}

impl From<Refusal> for UnlockProblem {
    fn from(refusal: Refusal) -> Self {
        Self::of(refusal.code)
    }
}

impl Shell {
    pub(crate) fn new(host: Host) -> Self {
        Self::with_state(host, Settings::load(), Places::load())
    }

    /// As [`Shell::new`], with what is remembered given instead of read.
    pub(crate) fn with_state(host: Host, settings: Settings, places: Places) -> Self {
        Self {
            host,
            chosen: Chosen::default(),
            made: Made::default(),
            jobs: Jobs::default(),
            idle: Idle::new(),
            session: RwLock::new(None),
            file_check: Mutex::new(None),
            kit: Mutex::new(None),
            kit_confirmed: AtomicBool::new(false),
            kit_place: Mutex::new(None),
            settings: RwLock::new(settings),
            places: Mutex::new(places),
            wants_first_run: AtomicBool::new(false),
        }
    }

    // ---- The session ----

    /// Makes a call of the session; refused without one.
    pub(crate) fn with<T, E>(&self, call: impl FnOnce(&Session) -> Result<T, E>) -> Result<T, Refusal>
    where
        Refusal: From<E>,
    {
        call(self.read_session().as_ref().ok_or(Refusal::LOCKED)?).map_err(Refusal::from)
    }

    /// Who is unlocked.
    pub(crate) fn session_view(&self) -> Option<SessionView> {
        self.read_session().as_ref().map(Session::view)
    }

    /// Unlocks the vault at a remembered place.
    pub(crate) fn unlock(
        &self,
        handle: &str,
        login: &str,
        shown: &Shown,
        amends: Option<Amends>,
    ) -> Result<(), UnlockProblem> {
        let folder = self.folder_of(handle)?;
        let vault = Vault::open(&self.host, &folder).map_err(|error| UnlockProblem::of(error.code()))?;
        let unlock = match amends {
            None => Vault::unlock_with,
            Some(Amends::AcceptOlder) => Vault::unlock_accepting_older,
            Some(Amends::RestartLog) => Vault::unlock_restarting_log,
            Some(Amends::MoveAgain | Amends::TakeMoveBack) => Vault::unlock_moved,
        };
        let session = unlock(&vault, login, &shown.credentials()?)?;
        if amends == Some(Amends::TakeMoveBack) {
            let proof = session.authenticated_by_unlocking().ok_or(Refusal { code: "not_fresh" })?;
            session.take_move_back(proof).map_err(Refusal::from)?;
        }
        self.enter(session, &folder);
        self.note_needs(shown.key_file.as_deref());
        Ok(())
    }

    /// Moves the vault at a remembered place once more, to `file`: no session begins for it.
    pub(crate) fn move_again(
        &self,
        handle: &str,
        login: &str,
        shown: &Shown,
        file: &Path,
    ) -> Result<(), UnlockProblem> {
        let folder = self.folder_of(handle)?;
        let vault = Vault::open(&self.host, &folder).map_err(|error| UnlockProblem::of(error.code()))?;
        let session = vault.unlock_moved(login, &shown.credentials()?)?;
        let proof = session.authenticated_by_unlocking().ok_or(Refusal { code: "not_fresh" })?;
        let moving = session.start_move_vault(file, proof).map_err(Refusal::from)?;
        moving.wait().map_err(Refusal::from)?;
        Ok(())
    }

    /// When the vault at a remembered place was moved from here, as far as that is known while it is locked.
    pub(crate) fn moved_at(&self, handle: &str) -> Option<Timestamp> {
        Vault::open(&self.host, &self.folder_of(handle).ok()?).ok()?.moved_at()
    }

    /// Checks what somebody shows against the account that is unlocked.
    pub(crate) fn authenticate(&self, shown: &Shown) -> Result<FreshAuthentication, UnlockProblem> {
        let credentials = shown.credentials()?;
        Ok(self.read_session().as_ref().ok_or(Refusal::LOCKED)?.authenticate(&credentials)?)
    }

    /// Has another administrator authenticate for the same as `proof`.
    pub(crate) fn second(
        &self,
        proof: &mut FreshAuthentication,
        login: &str,
        shown: &Shown,
    ) -> Result<(), UnlockProblem> {
        let credentials = shown.credentials()?;
        Ok(self.read_session().as_ref().ok_or(Refusal::LOCKED)?.second(proof, login, &credentials)?)
    }

    /// Has another custodian authenticate, and opens a tenant with them for some hours.
    pub(crate) fn break_glass(
        &self,
        tenant: TenantId,
        (reason, hours): (&str, u32),
        (login, shown): (&str, &Shown),
        proof: &FreshAuthentication,
    ) -> Result<(), UnlockProblem> {
        let credentials = shown.credentials()?;
        let session = self.read_session();
        let session = session.as_ref().ok_or(Refusal::LOCKED)?;
        session.break_glass(tenant, reason, hours, (login, &credentials), proof).map_err(|error| match error {
            GlassError::Second(error) => error.into(),
            // Whether it is the login, the passphrase or the person is not told apart here either.
            GlassError::NotCustodian => UnlockProblem::of("unlock_refused"),
            error => UnlockProblem::of(error.code()),
        })
    }

    /// Whether something takes two people by the rules of the vault.
    pub(crate) fn takes_two(&self, guarded: Guarded) -> bool {
        self.read_session().as_ref().is_some_and(|session| session.takes_two(guarded))
    }

    /// Whether giving somebody roles takes two people by the rules of the vault.
    pub(crate) fn takes_two_to_appoint(&self, before: Roles, after: Roles) -> bool {
        self.read_session().as_ref().is_some_and(|session| session.takes_two_to_appoint(before, after))
    }

    /// Whether changing the identity provider, or an account's mark, takes two people by the rules of the vault.
    pub(crate) fn takes_two_to_federate(&self, account: Option<AccountId>) -> bool {
        self.read_session().as_ref().is_some_and(|session| session.takes_two_to_federate(account))
    }

    /// Whether something asks for authentication anew right now.
    pub(crate) fn asks_anew(&self, guarded: Guarded) -> bool {
        self.read_session().as_ref().is_some_and(|session| session.asks_anew(guarded))
    }

    /// What the account that is unlocked is asked for besides its passphrase.
    pub(crate) fn known(&self) -> Known {
        let Ok(ways) = self.with(|session| session.ways_in()) else { return Known::default() };
        let path = self.places().into_iter().next().and_then(|place| place.key_file).filter(|_| ways.key_file);
        Known { code: ways.second_factor, key_file: ways.key_file, path, personal_code: ways.personal_code }
    }

    /// Remembers what the account that is unlocked needs besides its passphrase, for the next unlock window.
    pub(crate) fn note_needs(&self, key_file: Option<&Path>) {
        let Ok(ways) = self.with(|session| session.ways_in()) else { return };
        let mut places = self.known_places();
        places.note_needs(ways.second_factor, ways.key_file, key_file);
        // The window finds out again what it needs, if this cannot be written.
        let _ = places.save();
    }

    /// The login of the account that an activation code makes in the vault at a remembered place.
    pub(crate) fn invited_login(&self, handle: &str, code: &ActivationCode) -> Result<String, &'static str> {
        let vault = Vault::open(&self.host, &self.folder_of(handle).map_err(|refusal| refusal.code)?);
        vault.map_err(|error| error.code())?.invited_login(code).map_err(|error| error.code())
    }

    /// Makes whoever has the code an account with this passphrase, and unlocks the vault for it.
    pub(crate) fn activate(
        &self,
        handle: &str,
        code: &ActivationCode,
        passphrase: &Passphrase,
    ) -> Result<(), &'static str> {
        let folder = self.folder_of(handle).map_err(|refusal| refusal.code)?;
        let vault = Vault::open(&self.host, &folder).map_err(|error| error.code())?;
        self.enter(vault.activate(code, passphrase).map_err(|error| error.code())?, &folder);
        Ok(())
    }

    /// What was brought as one kit, held against the recovery of the vault at a remembered place; and whether `login` is one
    /// that a new account may have there.
    pub(crate) fn read_recovery(&self, handle: &str, brought: Brought, login: &LoginName) -> Result<ReadKit, Problem> {
        let vault = Vault::open(&self.host, &self.folder_of(handle)?).map_err(Refusal::from)?;
        let kit = match brought {
            Brought::Kit(kit) => kit,
            Brought::Shares(shares) => vault.join_shares(shares)?,
        };
        vault.check_recovery(&kit, login)?;
        Ok(kit)
    }

    /// Makes a new administrator by the recovery kit, and unlocks the vault for them.
    pub(crate) fn recover(
        &self,
        handle: &str,
        kit: &ReadKit,
        login: &LoginName,
        passphrase: &Passphrase,
    ) -> Result<(), &'static str> {
        let folder = self.folder_of(handle).map_err(|refusal| refusal.code)?;
        let vault = Vault::open(&self.host, &folder).map_err(|error| error.code())?;
        self.enter(vault.recover(kit, login, passphrase).map_err(|error| error.code())?, &folder);
        Ok(())
    }

    /// As [`Shell::begin`], and remembers the vault in `folder`.
    fn enter(&self, session: Session, folder: &Path) {
        let login = session.view().login;
        self.begin(session);
        // What it finds is shown beside what is worked on. That it cannot begin is found out by whoever asks for it.
        let _ = self.first_file_check();
        // That the vault will not be offered next time is no reason to keep anybody out now.
        let _ = self.remember(folder, Some(&login));
    }

    /// Creates a vault and keeps its kit until [`Shell::forget_kit`].
    pub(crate) fn create(
        &self,
        folder: &Path,
        login: LoginName,
        passphrase: Passphrase,
        kind: NewKind,
    ) -> Result<SessionView, &'static str> {
        let name = login.to_string();
        let (demo, split) = match kind {
            NewKind::Real(split) => (false, split),
            NewKind::Demo => (true, None),
        };
        let created = Vault::create(&self.host, folder, NewVault { login, passphrase, demo, split })
            .map_err(|error| error.code())?;
        let view = created.session.view();
        self.kit_confirmed.store(false, Ordering::Relaxed);
        *self.kit() = Some(created.kit);
        self.begin(created.session);
        let _ = self.remember(folder, Some(&name));
        Ok(view)
    }

    /// Takes a session that has just begun.
    pub(crate) fn begin(&self, session: Session) {
        self.idle.note_activity();
        self.wants_first_run.store(false, Ordering::Relaxed);
        *self.write_session() = Some(session);
    }

    /// Locks: the session ends and drops its keys. The process that knew them is to be replaced right after.
    pub(crate) fn lock(&self) {
        self.jobs.cancel_all();
        self.forget_kit();
        self.made.forget();
        // Waits for calls under way; each is short, and whoever locks has a limit of its own.
        if let Some(session) = self.write_session().take() {
            // The log could not take the last entry, say. The keys are gone all the same, and so is everybody to tell.
            let _ = session.lock();
        }
        self.drop_kit_place();
        let _ = self.host.clipboard.clear_if_ours();
    }

    /// The session, for what ends it. The process is to be replaced right after.
    pub(crate) fn take_session(&self) -> Result<Session, Refusal> {
        self.jobs.cancel_all();
        self.write_session().take().ok_or(Refusal::LOCKED)
    }

    /// Whether there is a session.
    pub(crate) fn is_unlocked(&self) -> bool {
        self.read_session().is_some()
    }

    fn read_session(&self) -> RwLockReadGuard<'_, Option<Session>> {
        self.session.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_session(&self) -> RwLockWriteGuard<'_, Option<Session>> {
        self.session.write().unwrap_or_else(PoisonError::into_inner)
    }

    // ---- Files ----

    /// The check of the tenants' files that began with the session; begins it if it has not.
    pub(crate) fn first_file_check(&self) -> Result<Job, Refusal> {
        let mut first = self.file_check.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(job) = &*first
            && self.jobs.progress(&job.job).is_ok()
        {
            return Ok(job.clone());
        }
        let job = self.start_file_check()?;
        *first = Some(job.clone());
        Ok(job)
    }

    /// Begins another one.
    pub(crate) fn start_file_check(&self) -> Result<Job, Refusal> {
        let job = self.with(|session| session.start_check_files())?;
        Ok(self.jobs.follow(job, None))
    }

    // ---- First run ----

    /// The kit of the vault just created.
    pub(crate) fn kit(&self) -> MutexGuard<'_, Option<RecoveryKit>> {
        self.kit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that somebody has the kit and can read it.
    pub(crate) fn note_kit_confirmed(&self) {
        self.kit_confirmed.store(true, Ordering::Relaxed);
    }

    /// Whether ending the program would lose the only copy of a kit that anybody is known to have.
    pub(crate) fn has_unconfirmed_kit(&self) -> bool {
        self.kit().is_some() && !self.kit_confirmed.load(Ordering::Relaxed)
    }

    /// Drops the kit: from now on nobody can see it again.
    pub(crate) fn forget_kit(&self) {
        drop(self.kit().take());
    }

    /// Whether the first run is what to show.
    pub(crate) fn is_first_run(&self) -> bool {
        self.kit().is_some()
            || (!self.is_unlocked() && (self.wants_first_run.load(Ordering::Relaxed) || self.places().is_empty()))
    }

    /// Shows the first run although vaults are known.
    pub(crate) fn want_first_run(&self) {
        self.wants_first_run.store(true, Ordering::Relaxed);
    }

    // ---- Another recovery ----

    /// Keeps where a kit is that does not count yet: locking takes it away. One at a time.
    pub(crate) fn hold_kit_place(&self, place: KitPlace) -> Result<(), Refusal> {
        let mut held = self.kit_place();
        if held.is_some() {
            return Err(Refusal::INVALID_REQUEST);
        }
        *held = Some(place);
        Ok(())
    }

    /// The kit counts, or may: its files stay.
    pub(crate) fn stay_kit_place(&self) {
        if let Some(place) = &mut *self.kit_place() {
            place.stay();
        }
    }

    /// Lets go of it, and takes its files away unless they stay.
    pub(crate) fn drop_kit_place(&self) {
        drop(self.kit_place().take());
    }

    fn kit_place(&self) -> MutexGuard<'_, Option<KitPlace>> {
        self.kit_place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // ---- Places ----

    /// The remembered vaults, the one used last first.
    pub(crate) fn places(&self) -> Vec<Place> {
        self.known_places().all().to_vec()
    }

    /// Remembers the vault in `folder`, if there is one.
    pub(crate) fn remember_place(&self, folder: &Path) -> Result<Place, Refusal> {
        Vault::open(&self.host, folder)?;
        self.remember(folder, None)
    }

    /// Remembers the vault in `folder` without putting it before the one in use. That it will not be offered, when the
    /// list cannot be written, takes nothing from the vault itself.
    pub(crate) fn remember_place_last(&self, folder: &Path) {
        let mut places = self.known_places();
        places.remember_last(folder, self.new_handle());
        let _ = places.save();
    }

    /// Whether the vault at a place holds invented data.
    pub(crate) fn is_demo(&self, handle: &str) -> bool {
        let folder = self.folder_of(handle).ok();
        folder.and_then(|folder| Vault::open(&self.host, &folder).ok()).is_some_and(|vault| vault.view().demo)
    }

    fn folder_of(&self, handle: &str) -> Result<PathBuf, Refusal> {
        self.known_places().find(handle).map(|place| place.folder.clone()).ok_or(Refusal { code: "not_a_vault" })
    }

    fn remember(&self, folder: &Path, login: Option<&str>) -> Result<Place, Refusal> {
        let mut places = self.known_places();
        let place = places.remember(folder, login, self.new_handle());
        places.save()?;
        Ok(place)
    }

    fn known_places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // ---- Handles and settings ----

    /// Keeps a path that a person chose; the web view gets the handle and the name.
    pub(crate) fn keep_path(&self, path: PathBuf) -> (String, String) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let handle = self.new_handle();
        self.chosen.keep(handle.clone(), path);
        (handle, name)
    }

    /// Keeps a secret that was made for a record being written, and gives its handle.
    pub(crate) fn keep_made(&self, secret: Value) -> String {
        let handle = self.new_handle();
        self.made.keep(handle.clone(), secret);
        handle
    }

    /// 128 random bits in hexadecimal: no handle can be guessed.
    fn new_handle(&self) -> String {
        let mut random = [0; 16];
        self.host.random.fill(&mut random);
        random.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What the person has chosen about the program.
    pub(crate) fn settings(&self) -> Settings {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes it, within limits.
    pub(crate) fn change_settings(&self, settings: Settings) -> Result<Settings, Refusal> {
        let settings = settings.within_limits();
        settings.save()?;
        self.settings.write().unwrap_or_else(PoisonError::into_inner).clone_from(&settings);
        Ok(settings)
    }

    /// The words of the native windows.
    pub(crate) fn words(&self) -> &'static Words {
        words::words(self.settings().language)
    }
}

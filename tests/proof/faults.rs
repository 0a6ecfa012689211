//! The disk fails, or the program is killed, or the power goes, at each write, sync, rename, removal and creation of the
//! smallest run that creates a vault, adds a tenant and a record, changes it, attaches a file and takes it off, imports,
//! backs up and restores.
//!
//! Afterwards the vault opens and holds what it held before the step or after it; a step that said it was done is done;
//! a failure has a name of its own; and once the cause is gone the step succeeds.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use coffer_faultfs::settings;

use super::chance::Chance;
use super::contents::{Contents, attachment};
use super::desk::{Desk, TENANT};
use super::program::{self, Ended};
use super::{Extent, Outcome};

/// What a person does, one command each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Creates the vault.
    Create,
    /// Creates a tenant.
    Tenant,
    /// Adds a record.
    Add,
    /// Changes it.
    Change,
    /// Attaches a file to it, of two chunks.
    Attach,
    /// Takes it off.
    Detach,
    /// Imports three rows.
    Import,
    /// Backs up, locked.
    BackUp,
    /// Restores into a new folder.
    Restore,
}

/// The steps, in the order in which each needs those before it. The vault of the later ones comes from
/// [`Desk::with_vault`], so that its key derivation is quick; creating one is a step of its own.
pub const STEPS: [Step; 9] = [
    Step::Create,
    Step::Tenant,
    Step::Add,
    Step::Change,
    Step::Attach,
    Step::Detach,
    Step::Import,
    Step::BackUp,
    Step::Restore,
];

/// What the disk, or the machine, does: setting and span.
const ACTIONS: [(&str, &str); 7] = [
    ("kill", "once"),
    ("torn", "once"),
    ("loss", "once"),
    ("eio", "once"),
    ("enospc", "onwards"),
    ("edquot", "onwards"),
    ("erofs", "onwards"),
];

const SECOND_TENANT: &str = "Morel";
/// Its name says how much it holds.
const ATTACHED: &str = "plan-70000";
const BACKUP: &str = "clients.backup.age";
const RESTORED: &str = "restored.coffer";
const KIT: &str = "kit.txt";

/// What is on a desk, as far as a step can change it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Standing {
    /// Titles, with names of attachments, by tenant; `None` where there is no vault.
    vault: Option<Vec<(String, Vec<String>)>>,
    backup: bool,
    restored: Option<Vec<(String, Vec<String>)>>,
}

/// A step ready to be run, again and again, from the same beginning.
pub struct Stage {
    step: Step,
    before: Desk,
    standing: Standing,
    after: Standing,
    /// What it does to the disk undisturbed: the record of the preload library.
    operations: Vec<String>,
}

/// Runs the steps once undisturbed; each is then ready to be disturbed.
pub fn stages() -> Vec<Stage> {
    let mut stages = vec![Stage::prepare(Step::Create, Desk::empty())];
    let desk = Desk::with_vault();
    for step in STEPS.into_iter().skip(1) {
        let stage = Stage::prepare(step, desk.copy());
        let done = program::run(step.command(&desk));
        assert!(done.status.success(), "{step:?}: {done}");
        stages.push(stage);
    }
    stages
}

/// Runs the proof: every operation of every step times every action, in an order that the seed shuffles.
pub fn prove(extent: Extent) -> Outcome {
    let stages = stages();
    let points = points(&stages);
    let mut outcome = Outcome::default();
    for seed in extent.seeds() {
        let Some(&(stage, number, action)) = points.get(usize::try_from(seed).unwrap_or(usize::MAX)) else { break };
        outcome.rounds += 1;
        match stages[stage].disturb(number, action) {
            Ok(what) => outcome.count(what),
            Err(problem) => outcome.failures.push(format!("seed {seed}, {problem}")),
        }
    }
    outcome
}

/// How many points there are altogether.
pub fn point_count(stages: &[Stage]) -> u64 {
    points(stages).len() as u64
}

fn points(stages: &[Stage]) -> Vec<(usize, u64, usize)> {
    let mut points = Vec::new();
    for (index, stage) in stages.iter().enumerate() {
        for number in 1..=stage.operations.len() as u64 {
            points.extend((0..ACTIONS.len()).map(|action| (index, number, action)));
        }
    }
    // A short run should see a bit of everything, and a point keep its place whatever the other steps come to do.
    points.sort_by_cached_key(|&(stage, number, action)| {
        Chance::new(((stage as u64) << 40) | (number << 8) | action as u64).bits()
    });
    points
}

/// Lets one write to the tenant's write-ahead log fail: its first, one in the middle, its last. Changing a record then
/// fails by name, and says nothing false about the vault for ever after.
pub fn prove_failing_tenant_writes() -> Outcome {
    let stages = stages();
    let stage = stages.iter().find(|stage| stage.step == Step::Change).expect("it is one of the steps");
    let is_tenant_write = |line: &str| line.contains(" write ") && line.contains("/tenants/") && line.contains("-wal");
    let writes: Vec<u64> =
        (1..).zip(&stage.operations).filter(|(_, line)| is_tenant_write(line)).map(|(n, _)| n).collect();
    let eio = ACTIONS.iter().position(|(action, _)| *action == "eio").expect("it is one of the actions");
    let mut outcome = Outcome::default();
    for index in [0, writes.len() / 2, writes.len().saturating_sub(1)] {
        outcome.rounds += 1;
        match writes.get(index).map(|number| stage.disturb(*number, eio)) {
            Some(Ok(what)) => outcome.count(what),
            Some(Err(problem)) => outcome.failures.push(problem),
            None => outcome.failures.push("changing a record writes nothing to the tenant's log".to_owned()),
        }
    }
    outcome
}

/// Lets the power go at each removal of an emptied write-ahead log: what the program did before closing its databases was
/// not all forced to the disk, and a log that was emptied may be back in full. The vault has been remembered as locked by
/// then, and opens as such.
pub fn prove_losses_while_closing() -> Outcome {
    let loss = ACTIONS.iter().position(|(action, _)| *action == "loss").expect("it is one of the actions");
    let mut outcome = Outcome::default();
    for stage in stages().iter().filter(|stage| matches!(stage.step, Step::Tenant | Step::Change)) {
        let is_closing = |line: &str| line.contains(" unlink ") && line.contains("-wal");
        for (number, _) in (1..).zip(&stage.operations).filter(|(_, line)| is_closing(line)) {
            outcome.rounds += 1;
            match stage.disturb(number, loss) {
                Ok(what) => outcome.count(what),
                Err(problem) => outcome.failures.push(problem),
            }
        }
    }
    outcome
}

/// New names of an undisturbed run whose folder is not synced afterwards, in the step's own words. Temporary names, and
/// those that SQLite makes anew at need, do not have to last.
pub fn names_not_synced(stage: &Stage) -> Vec<String> {
    let mut waiting: BTreeSet<PathBuf> = BTreeSet::new();
    for line in &stage.operations {
        let mut words = line.split(' ').skip(1);
        let (Some(kind), Some(path)) = (words.next(), words.next()) else { continue };
        let path = PathBuf::from(path);
        match kind {
            "create" | "folder" => {
                waiting.insert(path);
            }
            "rename" => {
                let to = PathBuf::from(words.nth(1).expect("a rename names two files"));
                // What lies in a renamed folder goes with it.
                let moved: Vec<_> = waiting.iter().filter(|name| name.starts_with(&path)).cloned().collect();
                for name in moved {
                    waiting.remove(&name);
                    waiting.insert(to.join(name.strip_prefix(&path).expect("it starts with it")));
                }
                waiting.insert(to);
            }
            "unlink" => {
                waiting.remove(&path);
            }
            "sync" => waiting.retain(|name| name.parent() != Some(&path)),
            _ => {}
        }
    }
    let remade = ["-wal", "-shm", "-journal", "lock", ".tmp"];
    let lasting = |name: &PathBuf| {
        let name = name.to_string_lossy();
        !remade.iter().any(|end| name.ends_with(end))
    };
    waiting.into_iter().filter(lasting).map(|name| format!("{:?}: {}", stage.step, name.display())).collect()
}

impl Step {
    fn command(self, desk: &Desk) -> Command {
        match self {
            Self::Create => program::unlocked(desk, &["vault", "create", "--kit", KIT]),
            Self::Tenant => program::unlocked(desk, &["tenant", "create", SECOND_TENANT]),
            Self::Add => program::unlocked(
                desk,
                &["record", "add", "--tenant", TENANT, "--title", "gateway", "--field", "password=invented"],
            ),
            Self::Change => {
                let record = only_record(desk);
                program::unlocked(desk, &["record", "edit", &record, "--title", "gateway two"])
            }
            Self::Attach => {
                fs::write(desk.file(ATTACHED), attachment(ATTACHED)).unwrap();
                let record = only_record(desk);
                program::unlocked(desk, &["file", "attach", &record, ATTACHED])
            }
            Self::Detach => {
                let record = only_record(desk);
                program::unlocked(desk, &["file", "detach", &record, ATTACHED])
            }
            Self::Import => {
                fs::write(desk.file("rows.csv"), "title,user\none,a\ntwo,b\nthree,c\n").unwrap();
                program::unlocked(desk, &["import", "rows.csv", "--tenant", TENANT])
            }
            Self::BackUp => program::locked(desk, &["backup", "export", BACKUP]),
            Self::Restore => program::locked(desk, &["backup", "restore", BACKUP, "--to", RESTORED]),
        }
    }
}

fn only_record(desk: &Desk) -> String {
    let listed = program::run(program::unlocked(desk, &["record", "list", "--tenant", TENANT]));
    let id = listed.answer.as_ref().and_then(|page| page["records"][0]["id"].as_str());
    id.unwrap_or_else(|| panic!("the record is not listed: {listed}")).to_owned()
}

impl Stage {
    fn prepare(step: Step, before: Desk) -> Self {
        let desk = before.copy();
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut command = step.command(&desk);
        watch(&mut command, &desk);
        command.env(settings::LOG, log.path());
        let done = program::run(command);
        assert!(done.status.success(), "{step:?} undisturbed: {done}");
        let operations = fs::read_to_string(log.path()).unwrap().lines().map(str::to_owned).collect();
        let standing = Standing::of(&before.copy()).unwrap();
        let after = Standing::of(&desk).unwrap();
        assert_ne!(standing, after, "{step:?} does something");
        Self { step, before, standing, after, operations }
    }

    /// Runs the step on a copy, with an action at one operation, and looks at what is left.
    fn disturb(&self, number: u64, action: usize) -> Result<&'static str, String> {
        let (action, span) = ACTIONS[action];
        let desk = self.before.copy();
        let mut command = self.step.command(&desk);
        watch(&mut command, &desk);
        command.env(settings::AT, number.to_string()).env(settings::ACTION, action).env(settings::SPAN, span);
        let ended = program::run(command);
        let index = usize::try_from(number).expect("an index") - 1;
        let operation = self.operations.get(index).map_or("", String::as_str);
        let problem = |what: String| format!("{:?}, {action} at {operation:?}: {what}; ended by {ended}", self.step);

        let what = judge_end(&ended).map_err(problem)?;
        let standing = Standing::of(&desk).map_err(problem)?;
        if standing != self.after && (ended.status.success() || standing != self.standing) {
            return Err(problem(format!("it left {standing:?}")));
        }
        if standing == self.standing {
            // As a person would, who was told that it failed.
            let _ = fs::remove_file(desk.file(KIT));
            let again = program::run(self.step.command(&desk));
            let standing = Standing::of(&desk).map_err(problem)?;
            if !again.status.success() || standing != self.after {
                return Err(problem(format!("tried again: {again}, which left {standing:?}")));
            }
        }
        Ok(what)
    }
}

/// Only a success, a named failure, or the kill that was ordered may end the program.
fn judge_end(ended: &Ended) -> Result<&'static str, String> {
    const BUG: i32 = 70;
    match (ended.status.code(), ended.code()) {
        (Some(0), _) => Ok("done all the same"),
        (None, _) => Ok("killed"),
        (Some(BUG), _) => Err("it says that it has a bug".to_owned()),
        (Some(1 | 3), Some(code)) if code != "bug" => Ok("failed by name"),
        (_, code) => Err(format!("it failed without a name: {code:?}")),
    }
}

fn watch(command: &mut Command, desk: &Desk) {
    command.env("LD_PRELOAD", program::fault_library()).env(settings::PATH, fs::canonicalize(desk.path()).unwrap());
}

impl Standing {
    fn of(desk: &Desk) -> Result<Self, String> {
        let titles = |contents: Contents| -> Vec<(String, Vec<String>)> {
            let Contents { tenants, attachments } = contents;
            let sorted = |records: std::collections::BTreeMap<String, String>| {
                let with_attachments = |(id, title)| match attachments.get(&id) {
                    Some(names) => format!("{title} with {names:?}"),
                    None => title,
                };
                let mut titles: Vec<_> = records.into_iter().map(with_attachments).collect();
                titles.sort();
                titles
            };
            tenants.into_iter().map(|(name, records)| (name, sorted(records))).collect()
        };
        let vault = if desk.vault().exists() { Some(titles(Contents::read(desk)?)) } else { None };
        let backup = desk.file(BACKUP).exists();
        if backup {
            let verified = program::run(program::locked(desk, &["backup", "verify", BACKUP]));
            if !verified.status.success() {
                return Err(format!("a half backup is there under its name: {verified}"));
            }
        }
        let folder = desk.file(RESTORED);
        let restored = if folder.exists() { Some(titles(Contents::read_at(desk, &folder)?)) } else { None };
        Ok(Self { vault, backup, restored })
    }
}

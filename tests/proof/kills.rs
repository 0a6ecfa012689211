//! SIGKILL at random moments while the program saves, attaches, imports, moves records between tenants, backs up and
//! restores.
//!
//! After each kill the vault opens, every acknowledged save is there, the log is in order, and of an attachment, an
//! import, a backup or a restore there is all or nothing. A record on its way into another tenant is whole in one of the two
//! or in both, and moving it again leaves it in one.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::chance::Chance;
use super::contents::{Contents, attachment};
use super::desk::{Desk, TENANT};
use super::program::{self, Shell, Victim};
use super::{Extent, Outcome};

/// The tenant that records are moved to, and back from.
const OTHER: &str = "Halden Foods";
/// Rounds on one desk, so that reading all of it stays quick.
const ROUNDS_A_DESK: u64 = 40;
/// How long saving goes on at most before the kill.
const SAVING: Duration = Duration::from_millis(400);
/// How long a kill may come after the last save, while the vault is being locked.
const LOCKING: Duration = Duration::from_millis(60);
/// An attachment has fewer bytes than this.
const ATTACHED_BYTES: u64 = 2 * 1024 * 1024;
/// Fewest and most rows of an import.
const ROWS: (u64, u64) = (200, 2_000);

/// Runs the proof; each round is one kill.
pub fn prove(extent: Extent) -> Outcome {
    let mut outcome = Outcome::default();
    let mut bench: Option<Bench> = None;
    for seed in extent.seeds() {
        let bench = match &mut bench {
            Some(bench) if bench.rounds < ROUNDS_A_DESK => bench,
            used => used.insert(Bench::new()),
        };
        bench.rounds += 1;
        outcome.rounds += 1;
        let mut chance = Chance::new(seed);
        let (what, result) = match chance.below(7) {
            0 | 1 => ("saving", bench.saving(seed, &mut chance)),
            2 => ("importing", bench.importing(seed, &mut chance)),
            3 => ("attaching", bench.attaching(seed, &mut chance)),
            4 => ("moving", bench.moving(&mut chance)),
            5 => ("backing up", bench.backing_up(seed, &mut chance)),
            _ => ("restoring", bench.restoring(seed, &mut chance)),
        };
        match result {
            Ok(killed) => outcome.count(if killed { what } else { "ended before the kill" }),
            Err(problem) => {
                outcome.failures.push(format!("seed {seed}, {what}: {problem}"));
                // What is wrong stays wrong: the next round begins afresh.
                bench.rounds = ROUNDS_A_DESK;
            }
        }
    }
    outcome
}

/// A desk that is worked on and killed at, round after round.
struct Bench {
    desk: Desk,
    rounds: u64,
    /// Every acknowledged record, title by identifier.
    acknowledged: BTreeMap<String, String>,
    /// The backup that restores are tried with, and what it holds.
    backup: Option<BTreeMap<String, String>>,
    /// How long the program took last time, undisturbed or to the kill, to do one of its jobs.
    usual: BTreeMap<&'static str, Duration>,
}

/// A save whose answer did not come.
enum InFlight {
    Nothing,
    Added { title: String },
    Changed { id: String, title: String },
}

impl Bench {
    fn new() -> Self {
        Self {
            desk: Desk::with_vault(),
            rounds: 0,
            acknowledged: BTreeMap::new(),
            backup: None,
            usual: BTreeMap::new(),
        }
    }

    /// Saves through `coffer shell`, one acknowledged after the other, until the kill.
    fn saving(&mut self, seed: u64, chance: &mut Chance) -> Result<bool, String> {
        let mut shell = Shell::start(&self.desk);
        let began = Instant::now();
        // One kill in eight comes while the vault is being unlocked, one in eight while it is being locked.
        let moment = chance.below(8);
        let unlocking = self.usual.get("unlocking").copied().unwrap_or(SAVING);
        let mut killer = (moment == 0).then(|| kill_after(&shell.victim, within(unlocking, chance)));
        let mut in_flight = InFlight::Nothing;
        let saves = 1 + chance.below(40);
        for number in 0.. {
            if moment == 1 && number == saves {
                shell.close();
                thread::sleep(within(LOCKING, chance));
                shell.victim.kill();
                break;
            }
            let (order, attempt) = self.next_save(seed, number, chance);
            let Some(answer) = shell.ask(&order) else {
                in_flight = attempt;
                break;
            };
            if number == 0 {
                self.usual.insert("unlocking", began.elapsed());
                if moment > 1 {
                    killer = Some(kill_after(&shell.victim, within(SAVING, chance)));
                }
            }
            let (Some(id), Some(title)) = (answer["id"].as_str(), answer["title"].as_str()) else {
                return Err(format!("a save was answered by {answer}"));
            };
            self.acknowledged.insert(id.to_owned(), title.to_owned());
        }
        let ended = shell.end();
        if let Some(killer) = killer {
            killer.join().expect("it only sleeps and kills");
        }
        let was_killed = was_killed(ended.status);
        if !was_killed && !ended.status.success() {
            return Err(format!("the program failed by itself: {ended}"));
        }
        self.compare(&in_flight, None)?;
        Ok(was_killed)
    }

    fn next_save(&self, seed: u64, number: u64, chance: &mut Chance) -> (String, InFlight) {
        let title = format!("save-{seed}-{number}");
        let known = self.acknowledged.len() as u64;
        if known > 0 && chance.below(3) == 0 {
            let skip = usize::try_from(chance.below(known)).expect("fewer than there are");
            let id = self.acknowledged.keys().nth(skip).expect("fewer than there are").clone();
            return (format!("record edit {id} --title {title}"), InFlight::Changed { id, title });
        }
        let order = format!(
            "record add --tenant '{TENANT}' --title {title} --field user=svc --field password=invented-{number}"
        );
        (order, InFlight::Added { title })
    }

    /// Imports a file that is there wholly afterwards, or not at all.
    fn importing(&mut self, seed: u64, chance: &mut Chance) -> Result<bool, String> {
        let rows = ROWS.0 + chance.below(ROWS.1 - ROWS.0);
        let mut text = String::from("title,user,password\n");
        for row in 0..rows {
            writeln!(text, "import-{seed}-{row},user{row},invented-{row}").expect("a string takes all");
        }
        fs::write(self.desk.file("rows.csv"), text).unwrap();
        let command = program::unlocked(&self.desk, &["import", "rows.csv", "--tenant", TENANT]);
        let (killed, succeeded) = self.kill_within(command, "importing", chance)?;
        self.compare(&InFlight::Nothing, Some(&Batch { prefix: format!("import-{seed}-"), rows, certain: succeeded }))?;
        Ok(killed)
    }

    /// Attaches a file, which is there wholly afterwards or not at all; of one that is not, the vault keeps nothing.
    fn attaching(&mut self, seed: u64, chance: &mut Chance) -> Result<bool, String> {
        let record = self.some_record()?;
        let name = format!("attached-{seed}-{}", chance.below(ATTACHED_BYTES));
        fs::write(self.desk.file(&name), attachment(&name)).unwrap();
        let command = program::unlocked(&self.desk, &["file", "attach", &record, &name]);
        let (killed, succeeded) = self.kill_within(command, "attaching", chance)?;
        // Reading opens the tenant, which sweeps what the kill left.
        let contents = self.compare(&InFlight::Nothing, None)?;
        let attached: Vec<&String> = contents.attachments.values().flatten().collect();
        if succeeded && !attached.contains(&&name) {
            return Err("an acknowledged attachment is not there".to_owned());
        }
        let stored = files_below(&self.desk.vault().join("files"));
        if stored != attached.len() {
            return Err(format!("{stored} files are stored for {} attachments", attached.len()));
        }
        fs::remove_file(self.desk.file(&name)).unwrap();
        Ok(killed)
    }

    /// Moves a record into the other tenant, where it is whole afterwards or not at all, and never nowhere.
    fn moving(&mut self, chance: &mut Chance) -> Result<bool, String> {
        let record = self.some_record()?;
        let mut before = Contents::read(&self.desk)?;
        if !before.tenants.contains_key(OTHER) {
            self.must(&["tenant", "create", OTHER])?;
            before = Contents::read(&self.desk)?;
        }
        let is_home = before.tenants[TENANT].contains_key(&record);
        let (from, to) = if is_home { (TENANT, OTHER) } else { (OTHER, TENANT) };
        let order = ["record", "move", &record, "--tenant", from, "--to", to, "--confirm", to];
        let (killed, succeeded) = self.kill_within(program::unlocked(&self.desk, &order), "moving", chance)?;
        // The key stays, so this is the record in the other tenant.
        let key = record.rsplit('.').next().unwrap_or_default();
        let there_in = |contents: &Contents| contents.tenants[to].keys().find(|id| id.ends_with(key)).cloned();
        let after = Contents::read(&self.desk)?;
        let is_here = after.tenants[from].contains_key(&record);
        if !is_here && there_in(&after).is_none() {
            return Err(format!("{record} is in neither tenant"));
        }
        if succeeded && is_here {
            return Err(format!("{record} was moved and is still there"));
        }
        if is_here {
            self.must(&order)?;
        }
        let after = Contents::read(&self.desk)?;
        let there = there_in(&after).ok_or_else(|| format!("{record} did not arrive"))?;
        let is_once = !after.tenants[from].contains_key(&record)
            && after.records().len() == before.records().len()
            && after.records().get(there.as_str()) == before.records().get(record.as_str());
        if !is_once || after.attachments.get(&there) != before.attachments.get(&record) {
            return Err(format!("{there} is not what {record} was, or is there twice"));
        }
        self.must(&["record", "purge", &record])?;
        if let Some(title) = self.acknowledged.remove(&record) {
            self.acknowledged.insert(there, title);
        }
        let contents = self.compare(&InFlight::Nothing, None)?;
        let attached = contents.attachments.values().flatten().count();
        let stored = files_below(&self.desk.vault().join("files"));
        if stored != attached {
            return Err(format!("{stored} files are stored for {attached} attachments"));
        }
        Ok(killed)
    }

    /// Runs a command that nothing disturbs.
    fn must(&self, arguments: &[&str]) -> Result<(), String> {
        let ran = program::run(program::unlocked(&self.desk, arguments));
        if ran.status.success() { Ok(()) } else { Err(format!("{arguments:?} failed: {ran}")) }
    }

    /// An acknowledged record, added if there is none yet.
    fn some_record(&mut self) -> Result<String, String> {
        if self.acknowledged.is_empty() {
            let added = program::run(program::unlocked(
                &self.desk,
                &["record", "add", "--tenant", TENANT, "--title", "with files"],
            ));
            if !added.status.success() {
                return Err(format!("no record to attach to: {added}"));
            }
            self.compare(&InFlight::Added { title: "with files".to_owned() }, None)?;
        }
        self.acknowledged.keys().next().cloned().ok_or_else(|| "an added record is not there".to_owned())
    }

    /// Backs up, locked or unlocked. The file is whole or not there.
    fn backing_up(&mut self, seed: u64, chance: &mut Chance) -> Result<bool, String> {
        let name = format!("{seed}.backup.age");
        let arguments = ["backup", "export", name.as_str()];
        let (command, what) = if chance.below(2) == 0 {
            (program::locked(&self.desk, &arguments), "backing up, locked")
        } else {
            (program::unlocked(&self.desk, &arguments), "backing up, unlocked")
        };
        let (killed, succeeded) = self.kill_within(command, what, chance)?;
        if self.desk.file(&name).exists() {
            let verified = program::run(program::locked(&self.desk, &["backup", "verify", &name]));
            if !verified.status.success() {
                return Err(format!("a half backup is there under its name: {verified}"));
            }
            fs::remove_file(self.desk.file(&name)).unwrap();
        } else if succeeded {
            return Err("an acknowledged backup is not there".to_owned());
        }
        self.compare(&InFlight::Nothing, None)?;
        Ok(killed)
    }

    /// Restores into a new folder, which is a whole vault or not there.
    fn restoring(&mut self, seed: u64, chance: &mut Chance) -> Result<bool, String> {
        if self.backup.is_none() {
            let made = program::run(program::unlocked(&self.desk, &["backup", "export", "base.backup.age"]));
            if !made.status.success() {
                return Err(format!("no backup to restore from: {made}"));
            }
            self.backup = Some(self.acknowledged.clone());
        }
        let name = format!("{seed}.coffer");
        let arguments = ["backup", "restore", "base.backup.age", "--accept-older", "--to", name.as_str()];
        let (killed, succeeded) = self.kill_within(program::locked(&self.desk, &arguments), "restoring", chance)?;
        let folder = self.desk.file(&name);
        if folder.exists() {
            let restored = Contents::read_at(&self.desk, &folder).map_err(|problem| format!("restored: {problem}"))?;
            let restored: BTreeMap<_, _> =
                restored.records().into_iter().map(|(id, title)| (id.to_owned(), title.to_owned())).collect();
            if Some(&restored) != self.backup.as_ref() {
                return Err("the restored vault holds something else than the backup".to_owned());
            }
            fs::remove_dir_all(folder).unwrap();
        } else if succeeded {
            return Err("an acknowledged restore is not there".to_owned());
        }
        self.compare(&InFlight::Nothing, None)?;
        Ok(killed)
    }

    /// Runs a command and kills it at some moment of the time it usually takes. Says whether it was killed and whether
    /// it succeeded before.
    fn kill_within(
        &mut self,
        command: Command,
        what: &'static str,
        chance: &mut Chance,
    ) -> Result<(bool, bool), String> {
        let usual = self.usual.get(what).copied().unwrap_or(SAVING);
        let after = within(usual + usual / 8, chance);
        let began = Instant::now();
        let victim = Victim::start(command);
        while began.elapsed() < after && victim.ended().is_none() {
            thread::sleep(Duration::from_micros(300));
        }
        victim.kill();
        let status = victim.wait();
        // Killed before its end, it would have taken longer; by and by this finds the end, whatever the machine.
        let taken = began.elapsed();
        let known = if was_killed(status) { usual.max(taken + taken / 4) } else { taken };
        self.usual.insert(what, known);
        if !was_killed(status) && !status.success() {
            return Err(format!("the program failed by itself: {status}"));
        }
        Ok((was_killed(status), status.success()))
    }

    /// Holds the vault against what was acknowledged, and takes over what it was free to do or not.
    fn compare(&mut self, in_flight: &InFlight, batch: Option<&Batch>) -> Result<Contents, String> {
        let contents = Contents::read(&self.desk)?;
        let mut found = contents.records();
        for (id, title) in &self.acknowledged {
            let replaced = match in_flight {
                InFlight::Changed { id: changed, title } if changed == id => Some(title.as_str()),
                _ => None,
            };
            match found.remove(id.as_str()) {
                Some(now) if now == title || Some(now) == replaced => {}
                Some(now) => return Err(format!("{id} is {now:?} and was acknowledged as {title:?}")),
                None => return Err(format!("the acknowledged {id} {title:?} is lost")),
            }
        }
        // What is left was never acknowledged.
        if let Some(batch) = batch {
            let imported = found.values().filter(|title| title.starts_with(&batch.prefix)).count() as u64;
            let whole = imported == batch.rows || (imported == 0 && !batch.certain);
            if !whole {
                return Err(format!("{imported} of {} rows were imported", batch.rows));
            }
            found.retain(|_, title| !title.starts_with(&batch.prefix));
        }
        if let InFlight::Added { title } = in_flight {
            found.retain(|_, found| found != title);
        }
        if !found.is_empty() {
            return Err(format!("{found:?} were never saved"));
        }
        self.acknowledged =
            contents.records().into_iter().map(|(id, title)| (id.to_owned(), title.to_owned())).collect();
        Ok(contents)
    }
}

/// How many files there are in a folder and below; none if it is not there.
fn files_below(folder: &Path) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let count = |path: PathBuf| if path.is_dir() { files_below(&path) } else { 1 };
    entries.map(|entry| count(entry.unwrap().path())).sum()
}

/// An import.
struct Batch {
    prefix: String,
    rows: u64,
    /// Whether it was acknowledged.
    certain: bool,
}

fn within(most: Duration, chance: &mut Chance) -> Duration {
    let micros = u64::try_from(most.as_micros()).expect("a few seconds");
    Duration::from_micros(chance.below(micros.max(1)))
}

fn kill_after(victim: &Victim, delay: Duration) -> thread::JoinHandle<()> {
    let victim = victim.clone();
    thread::spawn(move || {
        thread::sleep(delay);
        victim.kill();
    })
}

fn was_killed(status: std::process::ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    const SIGKILL: i32 = 9;
    status.signal() == Some(SIGKILL)
}

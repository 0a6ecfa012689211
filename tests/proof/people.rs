//! SIGKILL at random moments while somebody enrols, changes a passphrase, leaves, while keys are replaced, and while the vault
//! moves to another computer.
//!
//! After each kill nobody is shut out: whoever had a way in has one, what was interrupted is completed by doing it again,
//! every record is there, and the log is in order. Who left stays out.

use std::fs;
use std::process::Command;
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::chance::Chance;
use super::desk::{Desk, TENANT};
use super::program::{self, Ended, Victim};
use super::{Extent, Outcome};

const OTTO: &str = "seven slow herons wade past otto";
const EVA: &str = "nine brown owls doze over eva";
const NEW: &str = "four copper kettles hum at noon";
/// Where the passphrase lies that is to become otto's.
const NEW_FILE: &str = "new.txt";
/// A key file that is to become otto's.
const KEY_FILE: &str = "otto.key";

/// Runs the proof; each round is one kill.
pub fn prove(extent: Extent) -> Outcome {
    let mut outcome = Outcome::default();
    for seed in extent.seeds() {
        outcome.rounds += 1;
        let mut chance = Chance::new(seed);
        let office = Office { desk: PREPARED.copy() };
        let (what, result) = match chance.below(10) {
            0 => ("enrolling", office.enrolling(&mut chance)),
            1 => ("changing a passphrase", office.changing(&mut chance)),
            2 => ("leaving", office.leaving(&mut chance)),
            3 => ("adding a key file", office.adding_key_file(&mut chance)),
            4 => ("raising the cost", office.raising(&mut chance)),
            5 => ("renewing recovery", office.renewing(&mut chance)),
            6 => ("renewing an account's keys", office.renewing_own(&mut chance)),
            7 => ("moving to another computer", office.moving(&mut chance)),
            _ => ("replacing keys", office.replacing(&mut chance)),
        };
        match result {
            Ok(true) => outcome.count(what),
            Ok(false) => outcome.count("ended before the kill"),
            Err(problem) => outcome.failures.push(format!("seed {seed}, {what}: {problem}")),
        }
    }
    outcome
}

/// A vault with its founder, otto who edits the tenant and reads the log, a record, and an open invitation of eva.
static PREPARED: LazyLock<Desk> = LazyLock::new(|| {
    let office = Office { desk: Desk::with_vault() };
    for (name, passphrase) in [("otto.txt", OTTO), ("eva.txt", EVA), (NEW_FILE, NEW)] {
        fs::write(office.desk.file(name), format!("{passphrase}\n")).unwrap();
    }
    fs::write(office.desk.file(KEY_FILE), [0x5a; 64]).unwrap();
    let founder = |arguments: &[&str]| done(&office.founder(arguments)).unwrap();
    founder(&["record", "add", "--tenant", TENANT, "--title", "kept", "--field", "user=svc"]);
    let roles = ["--role", "member", "--role", "auditor"];
    founder(&[["account", "invite", "otto", "--code-file", "otto.code"].as_slice(), &roles].concat());
    done(&office.activate("otto.code", "otto.txt")).unwrap();
    founder(&["grant", "add", "otto", "--tenant", TENANT, "--right", "editor"]);
    // A kit that lies here; and before eva is invited, so that her code leads to what rests on it.
    founder(&["key", "renew-recovery", "--kit", "kit.txt"]);
    founder(&["key", "rotate", "--pending"]);
    founder(&["account", "invite", "eva", "--role", "member", "--code-file", "eva.code"]);
    office.desk
});

/// The answer of a command that went well.
fn done(ended: &Ended) -> Result<Value, String> {
    if ended.status.success() { Ok(ended.answer.clone().unwrap_or_default()) } else { Err(ended.to_string()) }
}

/// One copy of the prepared desk.
struct Office {
    desk: Desk,
}

impl Office {
    fn founder(&self, arguments: &[&str]) -> Ended {
        program::run(program::unlocked(&self.desk, arguments))
    }

    fn of(&self, passphrase_file: &str, arguments: &[&str]) -> Command {
        let mut command = program::locked(&self.desk, arguments);
        command.arg("--passphrase-file").arg(self.desk.file(passphrase_file));
        command
    }

    fn as_login(&self, login: &str, passphrase_file: &str, arguments: &[&str]) -> Command {
        let mut command = self.of(passphrase_file, arguments);
        command.args(["--login", login]);
        command
    }

    fn activation(&self, code: &str, passphrase_file: &str) -> Command {
        self.of(passphrase_file, &["account", "activate", "--code-file", code])
    }

    fn activate(&self, code: &str, passphrase_file: &str) -> Ended {
        program::run(self.activation(code, passphrase_file))
    }

    fn opens(&self, login: &str, passphrase_file: &str) -> bool {
        // What is tried here in vain must not make the next try wait.
        let _ = fs::remove_file(self.desk.vault().join("unlock.delays"));
        program::run(self.as_login(login, passphrase_file, &["tenant", "list"])).status.success()
    }

    /// Whether the kill came before the end: at a moment of the time that the command takes undisturbed.
    fn kill(&self, command: impl Fn(&Self) -> Command, chance: &mut Chance) -> bool {
        let rehearsal = Self { desk: self.desk.copy() };
        let start = Instant::now();
        program::run(command(&rehearsal));
        let takes = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
        let victim = Victim::start(command(self));
        thread::sleep(Duration::from_micros(chance.below(takes)));
        let killed = victim.ended().is_none();
        victim.kill();
        victim.wait();
        killed
    }

    /// What holds after every kill.
    fn is_in_order(&self) -> Result<(), String> {
        let records = done(&self.founder(&["record", "list", "--tenant", TENANT]))?;
        if records["records"].as_array().map(Vec::len) != Some(1) {
            return Err(format!("the record is gone: {records}"));
        }
        done(&self.founder(&["record", "add", "--tenant", TENANT, "--title", "after"]))?;
        let report = done(&self.founder(&["log", "verify"]))?;
        if report["ok"] != true {
            return Err(format!("the log is not in order: {report}"));
        }
        Ok(())
    }

    fn enrolling(&self, chance: &mut Chance) -> Result<bool, String> {
        let killed = self.kill(|office| office.activation("eva.code", "eva.txt"), chance);
        self.is_in_order()?;
        if !self.opens("eva", "eva.txt") {
            done(&self.activate("eva.code", "eva.txt")).map_err(|error| format!("eva is shut out: {error}"))?;
        }
        if self.activate("eva.code", NEW_FILE).status.success() {
            return Err("the code counted twice".to_owned());
        }
        if self.opens("eva", "eva.txt") { Ok(killed) } else { Err("eva is shut out".to_owned()) }
    }

    fn changing(&self, chance: &mut Chance) -> Result<bool, String> {
        let order = ["account", "passphrase", "--new-passphrase-file", NEW_FILE];
        let killed = self.kill(|office| office.as_login("otto", "otto.txt", &order), chance);
        let (old, new) = (self.opens("otto", "otto.txt"), self.opens("otto", NEW_FILE));
        if !old && !new {
            return Err("neither passphrase opens".to_owned());
        }
        if old {
            done(&program::run(self.as_login("otto", "otto.txt", &order)))?;
        }
        if self.opens("otto", "otto.txt") || !self.opens("otto", NEW_FILE) {
            return Err("changed, the old one opens or the new one does not".to_owned());
        }
        let _ = fs::remove_file(self.desk.vault().join("unlock.delays"));
        self.is_in_order()?;
        Ok(killed)
    }

    fn adding_key_file(&self, chance: &mut Chance) -> Result<bool, String> {
        let order = ["account", "factors", "--with-key-file", KEY_FILE, "--new-passphrase-file", "otto.txt"];
        let killed = self.kill(|office| office.as_login("otto", "otto.txt", &order), chance);
        let with_file = |office: &Self| {
            let _ = fs::remove_file(office.desk.vault().join("unlock.delays"));
            let ways = ["--key-file", KEY_FILE, "account", "ways"];
            program::run(office.as_login("otto", "otto.txt", &ways)).status.success()
        };
        let alone = self.opens("otto", "otto.txt");
        if !alone && !with_file(self) {
            return Err("neither the passphrase alone nor with the key file opens".to_owned());
        }
        if alone {
            done(&program::run(self.as_login("otto", "otto.txt", &order)))?;
        }
        if self.opens("otto", "otto.txt") || !with_file(self) {
            return Err("added, the passphrase opens alone, or not with the key file".to_owned());
        }
        let _ = fs::remove_file(self.desk.vault().join("unlock.delays"));
        self.is_in_order()?;
        Ok(killed)
    }

    fn raising(&self, chance: &mut Chance) -> Result<bool, String> {
        let cost = |office: &Self| {
            let ways = program::run(office.as_login("otto", "otto.txt", &["account", "ways"]));
            done(&ways).map(|ways| ways["kdf_memory_kib"].as_u64().unwrap_or(0))
        };
        let least = cost(self)? / 1024 + 16;
        // The founder's is raised by this very command's next unlocking; otto's by the one that is killed.
        done(&self.founder(&["policy", "set", "--kdf-memory", &least.to_string()]))?;
        let killed = self.kill(|office| office.as_login("otto", "otto.txt", &["tenant", "list"]), chance);
        let raised = cost(self).map_err(|error| format!("otto is shut out: {error}"))?;
        if raised < least * 1024 {
            return Err(format!("unlocking left the cost at {raised} KiB of {least} MiB"));
        }
        self.is_in_order()?;
        Ok(killed)
    }

    fn renewing(&self, chance: &mut Chance) -> Result<bool, String> {
        let order = ["key", "renew-recovery", "--kit", "kit-2.txt"];
        let killed = self.kill(|office| program::unlocked(&office.desk, &order), chance);
        self.is_in_order()?;
        if !self.opens("otto", "otto.txt") {
            return Err("otto is shut out".to_owned());
        }
        done(&self.founder(&["key", "rotate", "--pending"]))?;
        // The one that stands opens, the other one does not, and one of them stands.
        let lets_in = |kit: &str, login: &str| {
            let recover = ["account", "recover", login, "--kit", kit];
            program::run(self.of("eva.txt", &recover)).status.success()
        };
        let (before, after) = (lets_in("kit.txt", "ida"), lets_in("kit-2.txt", "ada"));
        if before == after {
            return Err(format!("the kit from before opens: {before}, the one from after: {after}"));
        }
        Ok(killed)
    }

    /// The vault is used in one place at most, and none of it is lost, wherever the kill came.
    fn moving(&self, chance: &mut Chance) -> Result<bool, String> {
        let file = "moved.age";
        let killed = self.kill(|office| program::unlocked(&office.desk, &["vault", "move", file]), chance);
        let list = ["tenant", "list"];
        let ended = self.founder(&list);
        let is_here = ended.status.success();
        if !is_here && ended.code().as_deref() != Some("moved") {
            return Err(format!("neither here nor moved: {ended}"));
        }
        if self.opens("otto", "otto.txt") != is_here {
            return Err("it is here for one and moved for another".to_owned());
        }
        let is_written = self.desk.file(file).exists();
        if is_here {
            if is_written {
                return Err("it is here, and written for elsewhere".to_owned());
            }
            self.is_in_order()?;
            return Ok(killed);
        }
        if chance.below(2) == 0 {
            done(&self.founder(&["vault", "move", "--take-back"]))?;
            self.is_in_order()?;
            return Ok(killed);
        }
        let file = if is_written { file } else { "again.age" };
        if !is_written {
            done(&self.founder(&["vault", "move", file]))?;
        }
        let other = Desk::empty();
        for name in [file, "kit.txt"] {
            fs::copy(self.desk.file(name), other.file(name)).unwrap();
        }
        let to = other.vault();
        let to = to.to_str().expect("temporary folders have plain names");
        let restore = ["backup", "restore", file, "--kit", "kit.txt", "--to", to];
        done(&program::run(program::locked(&other, &restore)))?;
        Self { desk: other }.is_in_order()?;
        match self.founder(&list).code().as_deref() {
            Some("moved") => Ok(killed),
            other => Err(format!("the copy that stayed behind is not retired: {other:?}")),
        }
    }

    /// The command is killed, or the unlocking after it that completes what it began.
    fn renewing_own(&self, chance: &mut Chance) -> Result<bool, String> {
        let order = ["account", "renew-keys", "--new-passphrase-file", NEW_FILE];
        let renew = |office: &Self| office.as_login("otto", "otto.txt", &order);
        let killed = if chance.below(2) == 0 {
            let killed = self.kill(renew, chance);
            if self.opens("otto", "otto.txt") {
                done(&program::run(renew(self)))?;
            }
            killed
        } else {
            done(&program::run(renew(self)))?;
            self.kill(|office| office.as_login("otto", NEW_FILE, &["tenant", "list"]), chance)
        };
        if !self.opens("otto", NEW_FILE) {
            return Err("neither passphrase opens".to_owned());
        }
        if self.opens("otto", "otto.txt") {
            return Err("the old passphrase opens still".to_owned());
        }
        let _ = fs::remove_file(self.desk.vault().join("unlock.delays"));
        let pending = done(&self.founder(&["key", "pending"]))?;
        if pending.as_array().is_none_or(|pending| pending.len() < 2) {
            return Err(format!("what otto held is not pending: {pending}"));
        }
        done(&self.founder(&["key", "rotate", "--pending"]))?;
        self.is_in_order()?;
        let list = ["record", "list", "--tenant", TENANT];
        done(&program::run(self.as_login("otto", NEW_FILE, &list)))
            .map_err(|error| format!("otto reads the tenant no longer: {error}"))?;
        Ok(killed)
    }

    fn leaving(&self, chance: &mut Chance) -> Result<bool, String> {
        let killed =
            self.kill(|office| program::unlocked(&office.desk, &["account", "offboard", "otto", "--now"]), chance);
        let people = done(&self.founder(&["account", "list"]))?;
        let accounts = people["accounts"].as_array().cloned().unwrap_or_default();
        let is_there = accounts.iter().any(|account| account["login"] == "otto" && account["state"] == "active");
        let again: &[&str] =
            if is_there { &["account", "offboard", "otto", "--now"] } else { &["key", "rotate", "--pending"] };
        done(&self.founder(again))?;
        let pending = done(&self.founder(&["key", "pending"]))?;
        if pending.as_array().is_none_or(|pending| !pending.is_empty()) {
            return Err(format!("keys are left: {pending}"));
        }
        if self.opens("otto", "otto.txt") {
            return Err("otto is still in".to_owned());
        }
        self.is_in_order()?;
        let tenants = fs::read_dir(self.desk.vault().join("tenants")).unwrap();
        let databases =
            tenants.filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|end| end == "db"));
        // One of a copy that came to nothing may lie there, under a key that nobody has.
        if databases.count() > 2 {
            return Err("the files of before are still there".to_owned());
        }
        Ok(killed)
    }

    fn replacing(&self, chance: &mut Chance) -> Result<bool, String> {
        let which: &[&str] = match chance.below(4) {
            0 => &["--directory"],
            1 => &["--log"],
            2 => &["--office"],
            _ => &["--tenant", TENANT],
        };
        let emergency: &[&str] = if chance.below(2) == 0 { &["--emergency"] } else { &[] };
        let rotate = [["key", "rotate"].as_slice(), which, emergency].concat();
        let killed = self.kill(|office| program::unlocked(&office.desk, &rotate), chance);
        // Called compromised and not replaced yet, a tenant takes nothing.
        done(&self.founder(&["key", "rotate", "--pending"]))?;
        self.is_in_order()?;
        if !self.opens("otto", "otto.txt") {
            return Err("otto is shut out".to_owned());
        }
        let otto = program::run(self.as_login("otto", "otto.txt", &["record", "list", "--tenant", TENANT]));
        done(&otto).map_err(|error| format!("otto reads the tenant no longer: {error}"))?;
        let log = program::run(self.as_login("otto", "otto.txt", &["log", "list", "--limit", "5"]));
        done(&log).map_err(|error| format!("otto reads the log no longer: {error}"))?;
        done(&self.activate("eva.code", "eva.txt")).map_err(|error| format!("eva is shut out: {error}"))?;
        Ok(killed)
    }
}

//! A vault to run `coffer` on. Creating one costs a real key derivation, so it is made once and then copied.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::time::UNIX_EPOCH;

use serde_json::Value;
use tempfile::TempDir;

/// The program under test.
pub const COFFER: &str = env!("CARGO_BIN_EXE_coffer");
/// The founder's passphrase.
pub const PASSPHRASE: &str = "quiet lanterns over the harbour 58";

/// A folder with `pw.txt` in it, and perhaps the vault `clients.coffer` with its kit; the device's keys lie there, too.
pub struct Place {
    folder: TempDir,
}

impl Place {
    /// A place without a vault.
    pub fn empty() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        fs::write(place.path("pw.txt"), format!("{PASSPHRASE}\n")).unwrap();
        place
    }

    /// A place with a vault of the login `ines`, without tenants.
    pub fn with_vault() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        copy(&fixture(), place.folder.path());
        place
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Names in the folder, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "data")
            .collect();
        names.sort();
        names
    }

    /// `coffer` in the folder, without options.
    pub fn coffer(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(COFFER);
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("XDG_DATA_HOME", self.path("data"))
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .stdin(Stdio::null());
        command
    }

    /// Runs `coffer` for `ines` on the vault.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.as_ines(arguments).output().unwrap())
    }

    /// Runs `coffer` with these arguments alone.
    pub fn run_bare(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.coffer(arguments).output().unwrap())
    }

    /// Unlocks for `ines`, answering in JSON.
    pub fn shell(&self) -> Shell {
        let mut child = self
            .as_ines(&["--json", "shell"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (commands, answers) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Shell { child, commands, answers }
    }

    /// `coffer` for `ines` on the vault.
    pub fn as_ines(&self, arguments: &[&str]) -> Command {
        let mut command = self.coffer(&["--vault", "clients.coffer", "--login", "ines", "--passphrase-file", "pw.txt"]);
        command.args(arguments);
        command
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// The answer of a run that went well.
    pub fn json(&self) -> Value {
        assert_eq!(self.code, Some(0), "{self:?}");
        serde_json::from_str(&self.out).unwrap()
    }

    /// The permanent name of the error, of a run with `--json` that did not.
    pub fn error(&self) -> String {
        let error: Value = serde_json::from_str(&self.err).unwrap_or_else(|_| panic!("{self:?}"));
        error["error"].as_str().unwrap().to_owned()
    }

    /// What it says, in words.
    pub fn message(&self) -> String {
        let error: Value = serde_json::from_str(&self.err).unwrap_or_else(|_| panic!("{self:?}"));
        error["message"].as_str().unwrap().to_owned()
    }
}

/// `coffer shell`, under way.
pub struct Shell {
    pub child: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Shell {
    /// Gives a command and waits for its answer.
    pub fn ask(&mut self, command: &str) -> Value {
        self.say(command);
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "no answer to {command}");
        serde_json::from_str(&line).unwrap()
    }

    /// Gives a command.
    pub fn say(&mut self, command: &str) {
        writeln!(self.commands.as_mut().unwrap(), "{command}").unwrap();
    }

    /// Says that there are no more commands, and waits for the end.
    pub fn end(mut self) -> Ran {
        drop(self.commands.take());
        Ran::of(self.child.wait_with_output().unwrap())
    }
}

/// How long a vault counts as new: after fifteen minutes its log is due for a checkpoint, and answers tell of one more.
const NEW_MILLIS: i64 = 10 * 60 * 1000;

/// A folder with a new vault in it, made once for this build of `coffer` and these ten minutes.
fn fixture() -> PathBuf {
    let built = fs::metadata(COFFER).unwrap().modified().unwrap().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let period = coffer_host::system("coffer-tests").clock.now().unix_millis() / NEW_MILLIS;
    let shared = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("vault-{built}-{period}"));
    if !shared.exists() {
        let place = Place::empty();
        let created = place.run(&["vault", "create", "--kit", "kit.txt"]);
        assert_eq!(created.code, Some(0), "{created:?}");
        let beside = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap().keep();
        copy(place.folder.path(), &beside);
        // Another test may have been quicker; its vault does as well.
        if fs::rename(&beside, &shared).is_err() {
            fs::remove_dir_all(beside).unwrap();
        }
    }
    shared
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").arg(from.join(".")).arg(to).status().unwrap();
    assert!(status.success());
}

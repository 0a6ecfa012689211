//! The shipped `coffer`, run on a desk as a person or a script would run it.

use std::fmt;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{StreamDeserializer, Value};

use super::desk::Desk;
use crate::LOGIN;

/// Where Cargo has put what it built: beside this program, or above this test.
fn built(name: &str) -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    let mut folders = own.ancestors().skip(1).take(2);
    folders.find_map(|folder| Some(folder.join(name)).filter(|path| path.exists()))
}

/// The program.
pub fn coffer() -> PathBuf {
    built("coffer").expect("`cargo build -p coffer-cli` puts the program beside this one")
}

/// The preload library that makes disks fail.
pub fn fault_library() -> PathBuf {
    let name = "libcoffer_faultfs.so";
    let beside = built(name).or_else(|| built(&format!("deps/{name}")));
    beside.expect("Cargo builds the library with this crate, which depends on it")
}

/// How a run of the program ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit status.
    pub status: ExitStatus,
    /// Its answer, if it gave one.
    pub answer: Option<Value>,
    /// What it said on standard error.
    pub said: String,
}

impl Ended {
    /// The permanent name of the error it reported.
    pub fn code(&self) -> Option<String> {
        let line = self.said.lines().find(|line| line.starts_with('{'))?;
        Some(serde_json::from_str::<Value>(line).ok()?["error"].as_str()?.to_owned())
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.status, self.said.trim())
    }
}

/// A command for an account of the desk's vault, with JSON answers and no keyring.
pub fn unlocked(desk: &Desk, arguments: &[&str]) -> Command {
    unlocked_at(desk, &desk.vault(), arguments)
}

/// A command for an account of a vault in another folder.
pub fn unlocked_at(desk: &Desk, vault: &Path, arguments: &[&str]) -> Command {
    let mut command = at(desk, vault, arguments);
    command.args(["--login", LOGIN, "--passphrase-file"]).arg(desk.passphrase_file());
    command
}

/// A command for nobody's account.
pub fn locked(desk: &Desk, arguments: &[&str]) -> Command {
    at(desk, &desk.vault(), arguments)
}

fn at(desk: &Desk, vault: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(coffer());
    command.args(arguments).arg("--json").arg("--vault").arg(vault);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", desk.path());
    command.env("XDG_DATA_HOME", desk.data()).env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
    command.current_dir(desk.path()).stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub fn run(mut command: Command) -> Ended {
    let output = command.output().unwrap();
    Ended {
        status: output.status,
        answer: serde_json::from_slice(&output.stdout).ok(),
        said: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A process that somebody else may kill.
#[derive(Clone)]
pub struct Victim(Arc<Mutex<Child>>);

impl Victim {
    /// Starts a command that answers nothing anybody reads.
    pub fn start(mut command: Command) -> Self {
        Self(Arc::new(Mutex::new(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())))
    }

    /// SIGKILL. One that has ended cannot be killed, and that is no error.
    pub fn kill(&self) {
        let _ = self.0.lock().unwrap().kill();
    }

    /// Whether it has ended, and how.
    pub fn ended(&self) -> Option<ExitStatus> {
        self.0.lock().unwrap().try_wait().unwrap()
    }

    /// Waits for its end.
    pub fn wait(&self) -> ExitStatus {
        // Without the lock being held all the time: a kill must get through.
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }
}

/// A conversation with `coffer shell`: one command, one answer.
pub struct Shell {
    /// The process.
    pub victim: Victim,
    orders: Option<ChildStdin>,
    answers: StreamDeserializer<'static, serde_json::de::IoRead<BufReader<ChildStdout>>, Value>,
    errors: ChildStderr,
}

impl Shell {
    /// Begins one.
    pub fn start(desk: &Desk) -> Self {
        Self::start_at(desk, &desk.vault())
    }

    /// Begins one on a vault in another folder.
    pub fn start_at(desk: &Desk, vault: &Path) -> Self {
        let mut command = unlocked_at(desk, vault, &["shell"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let orders = child.stdin.take();
        let answers = serde_json::Deserializer::from_reader(BufReader::new(child.stdout.take().unwrap())).into_iter();
        let errors = child.stderr.take().unwrap();
        Self { victim: Victim(Arc::new(Mutex::new(child))), orders, answers, errors }
    }

    /// Gives one command and waits for its answer; `None` if the process ends instead.
    pub fn ask(&mut self, order: &str) -> Option<Value> {
        let orders = self.orders.as_mut()?;
        orders.write_all(order.as_bytes()).and_then(|()| orders.write_all(b"\n")).ok()?;
        self.answers.next()?.ok()
    }

    /// Ends the conversation, which locks the vault.
    pub fn close(&mut self) {
        self.orders = None;
    }

    /// Waits for the end.
    pub fn end(mut self) -> Ended {
        self.close();
        let mut said = String::new();
        let _ = self.errors.read_to_string(&mut said);
        Ended { status: self.victim.wait(), answer: None, said }
    }
}

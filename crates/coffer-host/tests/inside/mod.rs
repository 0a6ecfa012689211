//! Starts one test of this very program inside an environment of its own: other variables, another session bus.
//!
//! A process cannot safely change its own environment, and these claims are about what the process finds there. So each
//! claim is an ignored test that a visible one starts here.

use std::path::Path;
use std::process::Command;

/// A folder to be the home of everything started for one test.
pub fn own_folders() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

/// This program again, running the test `claim` only, ignored or not, with nothing in its environment but its own folders.
pub fn this_program(claim: &str, folders: &Path) -> Command {
    let program = std::env::current_exe().expect("a running program has a path");
    let mut command = Command::new(program);
    command.args(["--exact", claim, "--include-ignored", "--nocapture", "--test-threads=1"]);
    isolate(&mut command, folders);
    command
}

/// Takes away this process's environment and gives folders of its own instead.
pub fn isolate(command: &mut Command, folders: &Path) {
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", folders).env("XDG_DATA_HOME", folders.join("data")).env("XDG_RUNTIME_DIR", folders);
}

/// Runs to the end and shows the output if it failed, or if it ran no test at all.
pub fn must_pass(mut command: Command) {
    let output = command.output().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("1 passed"), "{command:?}\n{out}\n{err}");
}

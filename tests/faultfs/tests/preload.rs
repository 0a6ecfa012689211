//! The library does to an ordinary program, Python, what it says.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use coffer_faultfs::settings;

/// Where Cargo puts the library: beside this test.
fn library() -> PathBuf {
    let deps = std::env::current_exe().unwrap();
    deps.parent().unwrap().join("libcoffer_faultfs.so")
}

/// Runs a Python script in `folder` with the library before it. `o` is `os`; `put` appends to a file and says if it cannot.
fn python(folder: &Path, script: &str, set: &[(&str, &str)]) -> Output {
    let script = format!(
        "import os as o
def put(name, text):
    f = o.open(name, o.O_WRONLY | o.O_CREAT | o.O_APPEND)
    try: o.write(f, text.encode())
    except OSError as e: print(text, o.strerror(e.errno))
    o.close(f)
{script}"
    );
    let mut command = Command::new("python3");
    command.args(["-c", &script]).current_dir(folder).envs(set.iter().copied());
    command.env("LD_PRELOAD", library()).env(settings::PATH, folder);
    command.output().unwrap()
}

#[test]
fn everything_that_changes_the_folder_is_recorded_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let log = tempfile::NamedTempFile::new().unwrap();
    let script = "put('a', 'abc'); o.rename('a', 'b'); o.mkdir('c'); f = o.open('c', 0); o.fsync(f); o.unlink('b')";
    let output = python(folder.path(), script, &[(settings::LOG, log.path().to_str().unwrap())]);
    assert!(output.status.success(), "{output:?}");
    let here = folder.path().display();
    let recorded = std::fs::read_to_string(log.path()).unwrap();
    let expected = format!(
        "1 create {here}/a\n2 write {here}/a 3\n3 rename {here}/a -> {here}/b\n4 folder {here}/c\n5 sync {here}/c\n\
         6 unlink {here}/b\n"
    );
    assert_eq!(recorded, expected);
}

#[test]
fn what_is_not_in_the_folder_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let script = format!("put('{}', 'abc')", elsewhere.path().join("a").display());
    let output = python(folder.path(), &script, &[(settings::AT, "1"), (settings::ACTION, "kill")]);
    assert!(output.status.success());
}

#[test]
fn the_chosen_operation_fails_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let script = "put('a', 'abc'); put('a', 'def'); put('a', 'ghi')";
    let output = python(folder.path(), script, &[(settings::AT, "3"), (settings::ACTION, "eio")]);
    assert_eq!(output.stdout, b"def Input/output error\n");
    assert_eq!(std::fs::read(folder.path().join("a")).unwrap(), b"abcghi");
}

#[test]
fn a_full_disk_stays_full_but_lets_files_go() {
    let folder = tempfile::tempdir().unwrap();
    let script = "put('a', 'abc'); put('a', 'def'); put('a', 'ghi'); o.rename('a', 'b'); o.unlink('b')";
    let set = [(settings::AT, "3"), (settings::ACTION, "enospc"), (settings::SPAN, "onwards")];
    let output = python(folder.path(), script, &set);
    assert_eq!(output.stdout, b"def No space left on device\nghi No space left on device\n");
    assert!(output.status.success() && !folder.path().join("b").exists(), "{output:?}");
}

#[test]
fn a_killed_program_leaves_what_it_had_done_before() {
    let folder = tempfile::tempdir().unwrap();
    let script = "put('a', 'abc'); put('a', 'defg'); put('a', 'hij')";
    for (action, left) in [("kill", "abc"), ("torn", "abcde")] {
        let _ = std::fs::remove_file(folder.path().join("a"));
        let output = python(folder.path(), script, &[(settings::AT, "3"), (settings::ACTION, action)]);
        assert_eq!(output.status.signal(), Some(9));
        assert_eq!(std::fs::read_to_string(folder.path().join("a")).unwrap(), left);
    }
}

#[test]
fn a_loss_of_power_takes_back_what_was_never_synced() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a"), b"abcd").unwrap();
    // Overwrites and lengthens, syncs, overwrites and lengthens again, cuts; then the power fails.
    let script = "f = o.open('a', o.O_RDWR)
o.pwrite(f, b'2222', 2); o.write(f, b'1'); o.fsync(f)
o.pwrite(f, b'33333333', 4); o.ftruncate(f, 1); o.rename('a', 'b'); o.pwrite(f, b'4', 0)
o.unlink('b')";
    let output = python(folder.path(), script, &[(settings::AT, "8"), (settings::ACTION, "loss")]);
    assert_eq!(output.status.signal(), Some(9), "{output:?}");
    assert_eq!(std::fs::read_to_string(folder.path().join("b")).unwrap(), "1b2222");
}

#[test]
fn settings_that_mean_nothing_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let output = python(folder.path(), "", &[(settings::ACTION, "explode")]);
    assert_eq!(output.status.code(), Some(97));
}

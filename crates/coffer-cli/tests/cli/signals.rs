//! Signals: a job is cancelled and leaves nothing; where nothing runs, the program just ends.

use std::fmt::Write;
use std::fs;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::place::Place;

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

#[test]
fn ctrl_c_cancels_an_import_and_nothing_of_it_stays() {
    let place = Place::with_vault();
    let mut rows = "Name,E-mail\n".to_owned();
    for row in 0..200_000 {
        writeln!(rows, "Person {row},p{row}@example.org").unwrap();
    }
    fs::write(place.path("big.csv"), rows).unwrap();
    let mut shell = place.shell();
    shell.ask("tenant create ACME");
    shell.say("import big.csv --tenant ACME");
    // Reading so many rows takes many times as long.
    thread::sleep(Duration::from_secs(1));
    signal(&shell.child, Signal::INT);
    let told = Instant::now();
    let ended = shell.end();
    assert_eq!((ended.code, ended.error().as_str()), (Some(1), "cancelled"));
    assert!(told.elapsed() < Duration::from_secs(10), "{:?}", told.elapsed());

    let mut shell = place.shell();
    assert_eq!(shell.ask("record list --tenant ACME")["total"], 0);
    assert_eq!(shell.ask("log verify")["ok"], true);
    assert_eq!(shell.end().code, Some(0));
}

#[test]
fn a_signal_takes_a_vault_back_that_is_being_created() {
    for number in [Signal::INT, Signal::TERM] {
        let place = Place::empty();
        let before = place.names();
        let options = ["--json", "--vault", "v.coffer", "--login", "ines", "--passphrase-file", "pw.txt"];
        let mut command = place.coffer(&[&options[..], &["vault", "create", "--kit", "kit.txt"]].concat());
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        while !place.path("kit.txt").exists() {
            thread::sleep(Duration::from_millis(1));
        }
        signal(&child, number);
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(1), "{ended:?}");
        assert!(String::from_utf8(ended.stderr).unwrap().contains("\"cancelled\""));
        assert_eq!(place.names(), before);
    }
}

#[test]
fn where_nothing_runs_a_signal_ends_the_program_and_the_vault_opens_again() {
    let place = Place::with_vault();
    let mut shell = place.shell();
    shell.ask("tenant create ACME");
    signal(&shell.child, Signal::INT);
    assert_eq!(shell.child.wait().unwrap().code(), Some(130));
    let tenants = place.run(&["tenant", "list", "--json"]).json();
    assert_eq!(tenants[0]["name"], "ACME");
}

//! What the host says about this process and machine, against what other programs say.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod inside;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

use coffer_core::host::Hardening;
use inside::{must_pass, own_folders, this_program};

fn output_of(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn hardening_holds_and_is_read_back() {
    must_pass(this_program("claim_hardening_holds", own_folders().path()));
}

#[test]
#[ignore = "started by another test inside its environment"]
fn claim_hardening_holds() {
    let machine = coffer_host::system("test").machine;
    assert!(!machine.hardening().not_dumpable, "nothing is claimed before it is done");
    let all = Hardening { not_dumpable: true, no_core_dumps: true, private_files: true };
    assert_eq!(coffer_host::harden_process(), all);
    assert_eq!(machine.hardening(), all);

    let file = std::path::Path::new(&std::env::var_os("HOME").unwrap()).join("new");
    fs::write(&file, "").unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    // Inherited, so that what we start leaves no core dump either.
    assert_eq!(output_of("sh", &["-c", "ulimit -c; ulimit -H -c; umask"]), "0\n0\n0077");
}

#[test]
fn the_log_is_told_who_and_where() {
    let identity = coffer_host::system("coffer-test").identity;
    assert_eq!(identity.os_user, output_of("id", &["-un"]));
    assert_eq!(identity.host_name, output_of("uname", &["-n"]));
    assert_eq!(identity.program, "coffer-test");
    assert_eq!(identity.process_id, std::process::id());
}

#[test]
fn a_user_name_in_the_environment_is_not_believed() {
    let folders = own_folders();
    let mut command = this_program("the_log_is_told_who_and_where", folders.path());
    command.env("USER", "somebody-else").env("LOGNAME", "somebody-else");
    must_pass(command);
}

#[test]
fn memory_and_cores_are_the_machines() {
    let machine = coffer_host::system("test").machine;
    let table = fs::read_to_string("/proc/meminfo").unwrap();
    let kib: u64 = table.lines().next().unwrap().split_whitespace().nth(1).unwrap().parse().unwrap();
    assert_eq!(machine.memory_bytes().unwrap() / 1024, kib);
    assert_eq!(machine.cores().to_string(), output_of("nproc", &[]));
}

#[test]
fn clocks_and_randomness_move() {
    let host = coffer_host::system("test");
    let start = host.clock.monotonic();
    std::thread::sleep(Duration::from_millis(5));
    assert!(host.clock.monotonic() >= start + Duration::from_millis(5));
    let seconds: i64 = output_of("date", &["+%s"]).parse().unwrap();
    assert!((host.clock.now().unix_millis() / 1000 - seconds).abs() <= 2);

    let (mut one, mut two) = ([0; 32], [0; 32]);
    host.random.fill(&mut one);
    host.random.fill(&mut two);
    assert!(one != two && one != [0; 32]);
}

#[test]
fn free_space_is_what_df_says() {
    let folder = own_folders();
    let path = folder.path().to_str().unwrap();
    let told = output_of("df", &["--output=avail", "-B1", path]);
    let df: u64 = told.lines().last().unwrap().trim().parse().unwrap();
    let ours = coffer_host::system("test").disk.free_bytes(folder.path()).unwrap();
    // Others write meanwhile.
    assert!(df.abs_diff(ours) < 1 << 30, "{df} {ours}");
}

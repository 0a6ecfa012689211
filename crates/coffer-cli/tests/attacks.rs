//! Attacks on the program as it ships, a process seen from outside: what it opens, what it leaves, how many of it work
//! at once. Linux: `strace` and `/proc` look on.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "test code")]

use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const COFFER: &str = env!("CARGO_BIN_EXE_coffer");
const PASSPHRASE: &str = "quiet lanterns over the harbour 58";
/// How long anything here may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A home and a place for vaults of their own; no keyring, no display.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for folder in ["home", "home/.config", "run"] {
            fs::create_dir(place.path(folder)).unwrap();
        }
        fs::write(place.path("passphrase"), PASSPHRASE).unwrap();
        fs::write(place.path("wrong"), "quiet lanterns over the harbour 59").unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// `program` in this place and in no other.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", self.path("home"));
        command.env("XDG_RUNTIME_DIR", self.path("run")).current_dir(self.0.path());
        command.stdin(Stdio::null());
        command
    }

    /// `coffer` on the vault of this place.
    fn coffer(&self, passphrase: &str, args: &[&str]) -> Command {
        let mut command = self.command(COFFER);
        command.args(["--vault", "clients.coffer", "--login", "ines", "--passphrase-file", passphrase]).args(args);
        command
    }

    fn create(&self) {
        succeed(self.coffer("passphrase", &["vault", "create", "--kit", "kit.txt"]));
    }
}

fn succeed(mut command: Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Runs to its end under strace, with `input` given to it; says which system calls of `calls` were made.
fn traced(place: &Place, command: &Command, calls: &str, input: &str) -> Vec<String> {
    let trace = place.path("trace");
    let mut strace = place.command("strace");
    strace.args(["-f", "--seccomp-bpf", "-y", "-s", "200", "-e", "signal=none", "-e", calls, "-o"]).arg(&trace);
    strace.arg("--").arg(command.get_program()).args(command.get_args()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = strace.stderr(Stdio::piped()).spawn().expect("strace is installed for tests");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    fs::read_to_string(trace).unwrap().lines().map(str::to_owned).collect()
}

/// The main job, from creating the vault to restoring it: one trace of it all.
fn trace_the_main_job(place: &Place, calls: &str) -> Vec<String> {
    fs::write(place.path("contacts.csv"), "Title,Password\nGate,invented-1\nDoor,invented-2\n").unwrap();
    let create = place.coffer("passphrase", &["vault", "create", "--kit", "kit.txt"]);
    let shell = place.coffer("passphrase", &["shell"]);
    let lines = "tenant create ACME\n\
                 record add --tenant ACME --title Gateway --field user=svc --field password=invented-3\n\
                 import contacts.csv --tenant ACME\n\
                 record list --tenant ACME\n\
                 search gate\n\
                 log verify\n\
                 backup export one.age\n";
    let doctor = place.coffer("passphrase", &["doctor"]);
    let verify = place.coffer("passphrase", &["backup", "verify", "one.age"]);
    let restore = place.coffer("passphrase", &["backup", "restore", "one.age", "--to", "again.coffer"]);
    let mut trace = Vec::new();
    for (command, input) in [(create, ""), (shell, lines), (doctor, ""), (verify, ""), (restore, "")] {
        trace.extend(traced(place, &command, calls, input));
    }
    assert!(place.path("again.coffer/header").exists());
    trace
}

/// Whether a traced call makes or uses a socket that can reach another machine.
fn reaches_out(line: &str) -> bool {
    let makes =
        ["socket(", "connect(", "bind(", "sendto(", "sendmsg(", "sendmmsg("].iter().any(|call| line.contains(call));
    let stays = line.contains("AF_UNIX") || line.contains("UNIX-STREAM") || line.contains("UNIX-DGRAM");
    makes && !stays
}

#[test]
fn attack_49_the_main_job_opens_no_socket_but_to_this_machine() {
    let place = Place::new();
    let trace = trace_the_main_job(&place, "trace=%network,execve");
    let out: Vec<_> = trace.iter().filter(|line| reaches_out(line)).collect();
    assert!(out.is_empty(), "{out:#?}");
    // Nor is another program started that could.
    let started: Vec<_> = trace.iter().filter(|line| line.contains("execve(")).collect();
    assert!(started.len() == 5 && started.iter().all(|line| line.contains(COFFER)), "{started:#?}");
    // The same search finds a connection where there is one.
    let mut bash = place.command("bash");
    bash.args(["-c", "(exec 3<>/dev/tcp/127.0.0.1/9) 2>&1 || true"]);
    assert!(traced(&place, &bash, "trace=%network,execve", "").iter().any(|line| reaches_out(line)));
}

/// The path of a traced call that opens a file, and whether it may write.
fn opened(line: &str) -> Option<(&Path, bool)> {
    let (_, call) = ["openat(", "open(", "creat("].into_iter().find_map(|call| line.split_once(call))?;
    let (_, from_path) = call.split_once('"')?;
    let (path, rest) = from_path.split_once('"')?;
    let writes = ["O_WRONLY", "O_RDWR", "O_CREAT"].iter().any(|flag| rest.contains(flag)) || line.contains("creat(");
    Some((Path::new(path), writes))
}

#[test]
fn no_configuration_file_is_read_and_nothing_is_written_outside_the_named_places() {
    let place = Place::new();
    // What a program of this name might read, each asking for an export.
    let planted = ["coffer.toml", "home/.cofferrc", "home/.config/coffer/config.toml", "home/.coffer/config", ".env"];
    for name in planted {
        fs::create_dir_all(place.path(name).parent().unwrap()).unwrap();
        fs::write(place.path(name), "export = \"/tmp/stolen\"\n[backup]\nto = \"/tmp/stolen\"\non_unlock = true\n")
            .unwrap();
    }
    let trace = trace_the_main_job(&place, "trace=openat,open,creat,execve");
    let files: Vec<_> = trace.iter().filter_map(|line| opened(line)).collect();
    assert!(files.iter().any(|(path, written)| *written && path.ends_with("directory.db")), "{files:?}");
    assert!(files.iter().any(|(path, written)| !written && path.ends_with("clients.coffer/header")), "{files:?}");
    for (path, written) in files {
        let path = place.0.path().join(path);
        let of_the_system = ["/etc", "/usr", "/lib", "/lib64", "/proc", "/sys", "/dev", "/run"];
        let of_the_system = of_the_system.iter().any(|folder| path.starts_with(folder));
        let name = path.strip_prefix(place.0.path());
        assert!(of_the_system || name.is_ok(), "{}", path.display());
        let Ok(name) = name else {
            let harmless = path.starts_with("/dev") || path.starts_with("/proc");
            assert!(!written || harmless, "written: {}", path.display());
            continue;
        };
        assert!(!planted.iter().any(|planted| name.ends_with(planted)), "read: {}", name.display());
        if let Ok(in_home) = name.strip_prefix("home") {
            // The folder above is only synced, so that the device key's own folder survives a loss of power.
            let is_above = in_home.as_os_str().is_empty() || in_home == Path::new(".local");
            assert!(is_above || in_home.starts_with(".local/share"), "{}", name.display());
        }
    }
}

/// Memory of a process that is really there, in KiB; `None` when it has ended.
fn resident_kib(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

#[test]
fn attack_08_of_many_processes_that_unlock_one_at_a_time_derives_a_key() {
    const PROCESSES: usize = 8;
    /// A process that derives has 64 MiB and more; one that does not has a quarter of that.
    const DERIVES_KIB: u64 = 48 * 1024;
    let place = Place::new();
    place.create();
    let spawn = |_| {
        let mut command = place.coffer("wrong", &["tenant", "list"]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let mut running: Vec<Child> = (0..PROCESSES).map(spawn).collect();
    let started = Instant::now();
    let mut most = 0;
    while running.iter_mut().any(|child| child.try_wait().unwrap().is_none()) {
        let memory = running.iter().filter_map(|child| resident_kib(child.id()));
        most = most.max(memory.filter(|&memory| memory >= DERIVES_KIB).count());
        assert!(started.elapsed() < PATIENCE);
        thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(most, 1, "as many derived at the same time");
    for mut child in running {
        assert_eq!(child.wait().unwrap().code(), Some(1));
    }
    succeed(place.coffer("passphrase", &["tenant", "list"]));
}

fn core_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("core")).collect()
}

#[test]
fn a_crash_leaves_no_core_dump_however_high_the_limit() {
    let place = Place::new();
    place.create();
    succeed({
        let mut fifo = place.command("mkfifo");
        fifo.arg("asked");
        fifo
    });
    // Waits for its passphrase on a pipe that nobody writes to, and crashes there.
    let mut unlimited = place.command("bash");
    unlimited.args(["-c", "ulimit -S -c \"$(ulimit -H -c)\"; exec \"$@\"", "bash", COFFER]);
    unlimited.args(["--vault", "clients.coffer", "--login", "ines", "--passphrase-file", "asked", "tenant", "list"]);
    let mut child = unlimited.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let started = Instant::now();
    let limit = loop {
        let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
        let limit = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        let figures: Vec<_> = limit["Max core file size".len()..].split_whitespace().take(2).collect();
        if figures == ["0", "0"] {
            break true;
        }
        if started.elapsed() > PATIENCE {
            break false;
        }
        thread::sleep(Duration::from_millis(5));
    };
    let killed = Command::new("kill").args(["-ABRT", &child.id().to_string()]).status().unwrap();
    let status = child.wait().unwrap();
    assert!(limit, "the limit on core dumps was never lowered");
    assert!(killed.success());
    assert_eq!((status.signal(), status.core_dumped()), (Some(6), false));
    let cores = core_files(place.0.path());
    assert!(cores.is_empty(), "{cores:?}");
}

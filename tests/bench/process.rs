//! S4: a whole process of `coffer record list` at a large tenant, against `keepassxc-cli` showing one of as many entries,
//! each without its key derivation, measured in the same run.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use coffer_core::{ExportRequest, ImportRequest, Session, Vault};
use coffer_crypto::kdf::KdfParams;
use coffer_model::event::ExportFormat;
use coffer_model::id::TenantId;
use coffer_tests::proof::desk::{Desk, TENANT};
use coffer_tests::proof::program;
use coffer_tests::{LOGIN, PASSPHRASE, Place, passphrase, tenant};

use crate::derive::derive;
use crate::rows;
use crate::table::{Goal, Pairs, Table, timed};
use crate::{Arguments, note};

/// Passphrase of the exported databases.
const OTHER_PASSPHRASE: &str = "invented harbour 41";
/// The set of rows that both programs hold.
const SET: u64 = 41;
/// Time between two looks at a process's memory.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// How a process ran.
#[derive(Clone, Copy)]
struct Ran {
    took: Duration,
    /// The most memory it had.
    peak_kib: u32,
}

pub fn measure(arguments: &Arguments, table: &mut Table) {
    let records = arguments.rows;
    let what = format!("process of a list of {records}, against keepassxc-cli show");
    if Command::new("keepassxc-cli").arg("--version").stdout(Stdio::null()).status().is_err() {
        table.add_unmeasured("S4", &what, "no keepassxc-cli");
        return;
    }
    note("S4: filling both programs");
    let desk = Desk::with_vault();
    let [many, one] = fill(&desk, records);
    note("S4: running processes");
    let title = rows::row(SET, records / 2).title;
    let list = || {
        let command = program::unlocked(&desk, &["record", "list", "--tenant", TENANT]);
        run(command, None)
    };
    let show = |database: &Path, title: &str| {
        let mut command = Command::new("keepassxc-cli");
        command.args(["show", "-q"]).arg(database).arg(title);
        run(command, Some(OTHER_PASSPHRASE))
    };
    let first = rows::row(SET, 0).title;
    let mut peaks = (0, 0);
    let params = KdfParams::RFC_9106_SECOND;
    let here = || {
        let ran = list();
        peaks.0 = ran.peak_kib;
        ran.took.saturating_sub(derive(&params))
    };
    // Its start goes off with its derivation, which is to its advantage.
    let there = || {
        let ran = show(&many, &title);
        peaks.1 = ran.peak_kib;
        ran.took.saturating_sub(show(&one, &first).took)
    };
    let pairs = Pairs::run(arguments.pairs, here, there);
    table.add("S4", &what, &pairs, 1.0, Goal::SpeedAtLeast(100.0));
    let kdf_kib = params.memory_kib();
    let what = "  the most memory of each, ours without the derivation's";
    let memory = Pairs::weigh(1, || peaks.0.saturating_sub(kdf_kib), || peaks.1);
    table.add("S4", what, &memory, 1.0, Goal::SizeAtMost(0.2));
}

/// Puts the rows into the desk's tenant, and exports them, and one alone, as KDBX.
fn fill(desk: &Desk, records: u64) -> [PathBuf; 2] {
    let session =
        Vault::open(&Place::new().host, &desk.vault()).unwrap().unlock(LOGIN, passphrase(PASSPHRASE)).unwrap();
    let many = session.tenants().unwrap().remove(0).id;
    let one = tenant(&session, "One").id;
    let files = [(many, records, "many.kdbx"), (one, 1, "one.kdbx")].map(|(tenant, count, name)| {
        import(desk, &session, tenant, count);
        export(&session, tenant, desk.file(name))
    });
    session.lock().unwrap();
    files
}

fn import(desk: &Desk, session: &Session, tenant: TenantId, count: u64) {
    let file = desk.file("rows.csv");
    rows::write_csv(&file, SET, count);
    assert_eq!(session.start_import(ImportRequest::new(file, tenant)).unwrap().wait().unwrap().imported, count);
}

fn export(session: &Session, tenant: TenantId, file: PathBuf) -> PathBuf {
    let proof = session.authenticate(&passphrase(PASSPHRASE).into()).unwrap();
    let request = ExportRequest {
        passphrase: Some(OTHER_PASSPHRASE.as_bytes().to_vec().into()),
        ..ExportRequest::new(tenant, file.clone(), ExportFormat::Kdbx)
    };
    session.start_export(request, proof).unwrap().wait().unwrap();
    file
}

/// Runs a program to its end, what it is asked for typed in.
fn run(mut command: Command, typed: Option<&str>) -> Ran {
    let mut peak_kib = 0;
    let took = timed(|| {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        if let Some(typed) = typed {
            writeln!(input, "{typed}").unwrap();
        }
        drop(input);
        peak_kib = watch(&mut child);
    });
    Ran { took, peak_kib }
}

/// Waits for the end of a process; gives the most memory it had until shortly before.
fn watch(child: &mut Child) -> u32 {
    let began = Instant::now();
    let mut peak = 0;
    loop {
        peak = peak.max(peak_kib(child.id()).unwrap_or(0));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "the program fails after {:?}", began.elapsed());
            return peak;
        }
        thread::sleep(LOOK_EVERY);
    }
}

fn peak_kib(process: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").trim().parse().ok()
}

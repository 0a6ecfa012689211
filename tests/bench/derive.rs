//! S1 and S2: the key derivation against the reference C program, and an unlock against the bare derivation in it.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use coffer_core::host::KdfFloor;
use coffer_core::{Session, Vault};
use coffer_crypto::kdf::{Factors, KdfParams, SlotPlace, derive_slot_key};
use coffer_crypto::memory::KdfMemory;
use coffer_model::account::Role;
use coffer_model::grant::Right;
use coffer_tests::{LOGIN, PASSPHRASE, Place, SlowClock, account, enrol, passphrase, tenant};

use crate::table::{Goal, Pairs, Table, timed};
use crate::{Arguments, note};

/// Records in the tenant whose first page follows an unlock.
const RECORDS: usize = 1_000;
/// Of the vault that many use.
const ACCOUNTS: usize = 50;
const TENANTS: usize = 200;
const STATEMENTS: u64 = 5_000;

pub fn measure(arguments: &Arguments, table: &mut Table) {
    if arguments.wants(&["S1"]) {
        measure_derivation(arguments, table);
    }
    if arguments.wants(&["S2"]) {
        measure_unlock(arguments, table, Crowd::One);
        measure_unlock(arguments, table, Crowd::Many);
    }
}

/// At the parameters that the goal was set for: 256 MiB, four passes, four lanes.
fn measure_derivation(arguments: &Arguments, table: &mut Table) {
    let what = "Argon2id, 256 MiB t4 p4, against reference C";
    let Some(program) = &arguments.argon2 else {
        table.add_unmeasured("S1", what, "no --argon2");
        return;
    };
    note("S1: deriving a key");
    let params = KdfParams::new(256 * 1024, 4, 4, &KdfFloor::SHIPPED).unwrap();
    let reference = || {
        let mut command = Command::new(program);
        command.args(["saltsaltsaltsaltsaltsaltsaltsalt", "-id", "-t", "4", "-m", "18", "-p", "4", "-l", "32", "-r"]);
        timed(|| {
            let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
            std::io::Write::write_all(&mut child.stdin.take().unwrap(), PASSPHRASE.as_bytes()).unwrap();
            assert!(child.wait().unwrap().success());
        })
    };
    let pairs = Pairs::run(arguments.pairs.max(7), || derive(&params), reference);
    table.add("S1", what, &pairs, 1.0, Goal::TimeAtMost(1.10));
}

/// One derivation, as an unlock does it.
pub fn derive(params: &KdfParams) -> Duration {
    let place = SlotPlace { vault: [1; 16], account: [2; 16], slot: [3; 16] };
    let passphrase = passphrase(PASSPHRASE);
    timed(|| {
        let mut memory = KdfMemory::new();
        derive_slot_key(&mut memory, &passphrase, &[7; 32], params, &Factors::default(), &place).unwrap();
    })
}

/// How many use a vault.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Crowd {
    /// Its founder, with one tenant.
    One,
    /// [`ACCOUNTS`] accounts, [`TENANTS`] tenants, [`STATEMENTS`] statements in the membership chain.
    Many,
}

/// A vault with the cheapest parameters that may be shipped, so that the rest of an unlock stands out.
fn measure_unlock(arguments: &Arguments, table: &mut Table, crowd: Crowd) {
    note("S2: making a vault");
    let mut place = Place::new();
    place.host.kdf_floor = KdfFloor::SHIPPED;
    place.host.clock = Arc::new(SlowClock(Arc::clone(&place.host.clock)));
    let (session, _kit) = place.create();
    let tenant = tenant(&session, "Norrvik Freight");
    let records = coffer_interchange::invented::Invented::new(coffer_interchange::invented::Firm::Harbour, 1);
    session.add_records(tenant.id, records.take(RECORDS).collect()).unwrap();
    let session = if crowd == Crowd::Many { fill(&place, session) } else { session };
    session.lock().unwrap();
    note("S2: unlocking");
    let unlock = || {
        let vault = Vault::open(&place.host, &place.vault_folder()).unwrap();
        let passphrase = passphrase(PASSPHRASE);
        let mut session = None;
        let took = timed(|| {
            let unlocked = vault.unlock(LOGIN, passphrase).unwrap();
            unlocked.tenants().unwrap();
            unlocked.list_records(tenant.id, 100, None).unwrap();
            session = Some(unlocked);
        });
        session.unwrap().lock().unwrap();
        took
    };
    let pairs = Pairs::run(arguments.pairs.max(9), unlock, || derive(&KdfParams::RFC_9106_SECOND));
    let (what, most) = match crowd {
        Crowd::One => ("unlock to first page, 1 account, over the bare derivation".to_owned(), 30),
        Crowd::Many => (format!("  {ACCOUNTS} accounts, {TENANTS} tenants, {STATEMENTS} statements"), 50),
    };
    table.add("S2", &what, &pairs, 1.0, Goal::OnTopAtMost(Duration::from_millis(most)));
}

/// Makes accounts and tenants, and grants until the chain has [`STATEMENTS`].
fn fill(place: &Place, session: Session) -> Session {
    let mut session = session;
    for number in 1..ACCOUNTS {
        enrol(place, session, &format!("person{number}"), &[Role::Member]).lock().unwrap();
        session = place.unlock();
    }
    let tenants: Vec<_> = (1..TENANTS).map(|number| tenant(&session, &format!("Tenant {number}")).id).collect();
    let accounts: Vec<_> = (1..ACCOUNTS).map(|number| account(&session, &format!("person{number}")).id).collect();
    let length = || session.key_access().unwrap().chain_length;
    let left = STATEMENTS - length();
    let pairs = tenants.iter().flat_map(|tenant| accounts.iter().map(move |account| (*tenant, *account)));
    for (tenant, account) in pairs.take(usize::try_from(left).unwrap()) {
        session.grant(tenant, account, Right::Reader, None).unwrap();
    }
    assert_eq!(length(), STATEMENTS);
    session
}

//! S9: a portable backup against `tar` piped into `age` on the same files.

use std::process::{Command, Stdio};

use coffer_tests::Place;

use crate::table::{Goal, Pairs, Table, timed};
use crate::{Arguments, note};

pub fn measure(arguments: &Arguments, table: &mut Table, place: &Place) {
    note("S9: backing up");
    let bytes: u64 = folder_bytes(&place.vault_folder());
    let what = format!("backup of {} MiB, against tar | age, then sync", bytes >> 20);
    let identity = place.path("identity.txt");
    let made = Command::new("age-keygen").arg("-o").arg(&identity).stderr(Stdio::piped()).output();
    let Ok(made) = made else {
        table.add_unmeasured("S9", &what, "no age");
        return;
    };
    let said = String::from_utf8_lossy(&made.stderr).into_owned();
    let recipient = said.trim().rsplit(' ').next().unwrap().to_owned();
    let file = place.path("bench.backup.age");
    let vault = place.vault();
    let here = || {
        let _ = std::fs::remove_file(&file);
        timed(|| assert!(vault.start_backup(&file).wait().unwrap().files > 0))
    };
    let bare_file = place.path("bare.age");
    let bare = || {
        let script = "tar -C \"$1\" -cf - . | age -r \"$2\" -o \"$3\" && sync \"$3\"";
        let mut command = Command::new("bash");
        command
            .args(["-o", "pipefail", "-c", script, "bash"])
            .arg(place.vault_folder())
            .arg(&recipient)
            .arg(&bare_file);
        timed(|| assert!(command.status().unwrap().success()))
    };
    let pairs = Pairs::run(arguments.pairs, here, bare);
    table.add("S9", &what, &pairs, 1.0, Goal::TimeAtMost(1.0));
}

fn folder_bytes(folder: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| if entry.path().is_dir() { folder_bytes(&entry.path()) } else { entry.metadata().unwrap().len() })
        .sum()
}

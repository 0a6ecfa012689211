//! Real input: what other programs write goes in, and every value of it comes out again. The file is read independently
//! by Python's csv module (`real_input.py`).

use std::process::{Command, Stdio};

use crate::place::{COFFER, Place};

fn check(arguments: &[&str]) {
    let place = Place::with_vault();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/real_input.py");
    let ran = Command::new("python3")
        .arg(script)
        .args(arguments)
        .current_dir(place.path("."))
        .env("COFFER", COFFER)
        .env("XDG_DATA_HOME", place.path("data"))
        .env("HOME", place.path("."))
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout) + String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}");
}

#[test]
fn an_export_of_keepassxc_goes_in_with_every_value() {
    check(&["keepassxc"]);
}

#[test]
fn a_database_of_keepassxc_comes_back_to_it_entry_by_entry_with_its_attachments() {
    check(&["there-and-back"]);
}

#[test]
fn a_hundred_thousand_contacts_go_in_with_every_value_and_are_found() {
    check(&["contacts", "100000"]);
}

//! The keyring and the device store against a real GNOME Keyring on a session bus of their own.
//! Needs `dbus-run-session` and `gnome-keyring-daemon`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod display;
mod inside;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use coffer_core::host::{DevicePlace, DeviceStoreError, KeyringError, SecretBytes};
use coffer_model::id::VaultId;
use display::Display;
use inside::{isolate, must_pass, own_folders};

/// This program's test `claim` on a new session bus, after the shell has run `before`.
fn on_own_bus(claim: &str, before: &str, folders: &Path) -> Command {
    let script = format!("{before}\nexec \"$0\" --exact {claim} --ignored --nocapture --test-threads=1");
    let mut command = Command::new("dbus-run-session");
    command.args(["--", "bash", "-c", &script]).arg(std::env::current_exe().unwrap());
    isolate(&mut command, folders);
    command
}

/// Starts the keyring and opens it with a password, making it if it is new.
const UNLOCKED: &str = "printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1";
/// Starts the keyring and leaves it as it is.
const AS_IT_IS: &str = "gnome-keyring-daemon --start --components=secrets >/dev/null 2>&1";

const VAULT: VaultId = VaultId::from_bytes([7; 16]);
const OTHER_VAULT: VaultId = VaultId::from_bytes([8; 16]);

fn material() -> SecretBytes {
    SecretBytes::new(vec![0, 255, 10, 200])
}

/// What the keyring holds when a file has taken over since.
fn older_material() -> SecretBytes {
    SecretBytes::new(b"older".to_vec())
}

fn device_files() -> usize {
    let folder = Path::new(&std::env::var_os("XDG_DATA_HOME").unwrap()).join("coffer/devices");
    fs::read_dir(folder).map_or(0, Iterator::count)
}

#[test]
fn an_open_keyring_keeps_secrets_and_a_locked_one_says_so() {
    let folders = own_folders();
    must_pass(on_own_bus("claim_open_keyring_keeps_secrets", UNLOCKED, folders.path()));
    // The same folders, a new daemon that nobody opens.
    must_pass(on_own_bus("claim_locked_keyring_says_so", AS_IT_IS, folders.path()));
}

#[test]
#[ignore = "started by another test inside its environment"]
fn claim_open_keyring_keeps_secrets() {
    let host = coffer_host::system("test");
    let keyring = &host.keyring;
    assert_eq!(keyring.get("service", "name").unwrap_err(), KeyringError::NotFound);
    assert_eq!(keyring.delete("service", "name"), Err(KeyringError::NotFound));
    keyring.set("service", "name", &SecretBytes::new(b"first".to_vec())).unwrap();
    keyring.set("service", "name", &material()).unwrap();
    keyring.set("service", "other", &SecretBytes::new(b"other".to_vec())).unwrap();
    assert_eq!(keyring.get("service", "name").unwrap().expose(), material().expose());
    keyring.delete("service", "name").unwrap();
    assert_eq!(keyring.get("service", "name").unwrap_err(), KeyringError::NotFound);
    assert_eq!(keyring.get("service", "other").unwrap().expose(), b"other");

    assert!(host.devices.load(VAULT).unwrap().is_none());
    assert_eq!(host.devices.save(VAULT, &older_material()).unwrap(), DevicePlace::Keyring);
    let found = host.devices.load(VAULT).unwrap().unwrap();
    assert_eq!((found.secret.expose(), found.place), (older_material().expose(), DevicePlace::Keyring));
    assert!(host.devices.load(OTHER_VAULT).unwrap().is_none());
    assert_eq!(device_files(), 0, "a file was written although the keyring took the key");
}

#[test]
#[ignore = "started by another test inside its environment"]
fn claim_locked_keyring_says_so() {
    let host = coffer_host::system("test");
    let start = Instant::now();
    assert_eq!(host.keyring.get("service", "other").unwrap_err(), KeyringError::Locked);
    assert!(start.elapsed() < Duration::from_secs(3), "it said so instead of waiting");
    // A key that may be in there is not reported as missing.
    assert!(matches!(host.devices.load(VAULT), Err(DeviceStoreError::Keyring(_))));
}

#[test]
fn a_keyring_that_waits_for_a_person_does_not_hold_us_up() {
    let folders = own_folders();
    must_pass(on_own_bus("claim_open_keyring_keeps_secrets", UNLOCKED, folders.path()));
    // With a display the locked keyring opens its own window, and nobody is there to answer.
    let display = Display::start();
    let mut command = on_own_bus("claim_waiting_keyring_times_out", AS_IT_IS, folders.path());
    command.env("DISPLAY", &display.name);
    must_pass(command);
}

#[test]
#[ignore = "started by another test inside its environment"]
fn claim_waiting_keyring_times_out() {
    let host = coffer_host::system("test");
    let start = Instant::now();
    assert_eq!(host.keyring.get("service", "other").unwrap_err(), KeyringError::TimedOut);
    assert!(start.elapsed() < Duration::from_secs(4));
    // The file is still a way in.
    assert!(matches!(host.devices.save(OTHER_VAULT, &material()).unwrap(), DevicePlace::File(_)));
    assert_eq!(host.devices.load(OTHER_VAULT).unwrap().unwrap().secret.expose(), material().expose());
}

#[test]
fn a_file_takes_over_without_a_keyring_and_the_keyring_takes_it_back() {
    let folders = own_folders();
    must_pass(on_own_bus("claim_open_keyring_keeps_secrets", UNLOCKED, folders.path()));
    must_pass(inside::this_program("claim_device_key_goes_to_a_file", folders.path()));
    must_pass(on_own_bus("claim_keyring_replaces_the_file", UNLOCKED, folders.path()));
}

#[test]
#[ignore = "started by another test inside its environment"]
fn claim_device_key_goes_to_a_file() {
    let host = coffer_host::system("test");
    let start = Instant::now();
    assert_eq!(host.keyring.get("service", "name").unwrap_err(), KeyringError::Unavailable);
    assert!(start.elapsed() < Duration::from_millis(500), "a missing bus is seen at once");

    assert!(matches!(host.devices.load(VAULT), Err(DeviceStoreError::Keyring(KeyringError::Unavailable))));
    let DevicePlace::File(path) = host.devices.save(VAULT, &material()).unwrap() else { panic!("not in a file") };
    let expected = format!("coffer/devices/{VAULT}");
    assert_eq!(path, Path::new(&std::env::var_os("XDG_DATA_HOME").unwrap()).join(expected));
    assert_eq!(fs::read(&path).unwrap(), material().expose(), "the file holds the bytes as they are");
    assert_eq!(host.devices.load(VAULT).unwrap().unwrap().secret.expose(), material().expose());
}

#[test]
#[ignore = "started by another test inside its environment"]
fn claim_keyring_replaces_the_file() {
    let host = coffer_host::system("test");
    let found = host.devices.load(VAULT).unwrap().unwrap();
    assert!(matches!(found.place, DevicePlace::File(_)));
    assert_eq!(found.secret.expose(), material().expose(), "the keyring's older copy must not win");
    assert_eq!(host.devices.save(VAULT, &found.secret).unwrap(), DevicePlace::Keyring);
    assert_eq!(device_files(), 0, "the unencrypted copy is gone");
    assert_eq!(host.devices.load(VAULT).unwrap().unwrap().place, DevicePlace::Keyring);
    host.devices.forget(VAULT).unwrap();
    host.devices.forget(VAULT).unwrap();
    assert!(host.devices.load(VAULT).unwrap().is_none());
}

#[test]
fn a_bus_without_a_keyring_is_seen_at_once() {
    let folders = own_folders();
    // A bus of its own configuration: the usual one would start a keyring on demand.
    let bus = folders.path().join("bus.conf");
    let address = format!("unix:path={}/bus", folders.path().display());
    let text = format!(
        "<busconfig><type>session</type><listen>{address}</listen><policy context=\"default\">\
         <allow send_destination=\"*\"/><allow receive_sender=\"*\"/><allow own=\"*\"/></policy></busconfig>"
    );
    fs::write(&bus, text).unwrap();
    let mut command = Command::new("dbus-run-session");
    command.arg("--config-file").arg(bus).arg("--").arg(std::env::current_exe().unwrap());
    command.args(["--exact", "claim_no_service_is_unavailable", "--ignored", "--nocapture"]);
    isolate(&mut command, folders.path());
    must_pass(command);
}

#[test]
#[ignore = "started by another test inside its environment"]
fn claim_no_service_is_unavailable() {
    assert!(std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some(), "this claim is about a bus");
    let host = coffer_host::system("test");
    let start = Instant::now();
    assert_eq!(host.keyring.get("service", "name").unwrap_err(), KeyringError::Unavailable);
    assert!(start.elapsed() < Duration::from_secs(1));
}

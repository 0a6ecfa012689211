//! Coffer on a real machine: implements every trait of [`coffer_core::host`] that is not a question to a person.
//!
//! Shells call [`harden_process`] first of all and [`system`] once. What only one operating system can answer lives in
//! its own module behind the same functions ([`os`]); where there is no such module the answers are the honest ones:
//! unavailable, unknown, not shielded.

mod clipboard;
mod clock;
mod device;
mod keyring;
mod random;

#[cfg(target_os = "linux")]
#[path = "linux/mod.rs"]
mod os;
#[cfg(not(target_os = "linux"))]
#[path = "elsewhere/mod.rs"]
mod os;

use std::sync::Arc;

use coffer_core::host::{Hardening, Host, Identity, KdfFloor};

/// Describes this machine to the engine. `program` is the name the log shall give to the caller.
///
/// Touches nothing yet: keyring and clipboard are asked for when they are needed.
pub fn system(program: &str) -> Host {
    let keyring = Arc::new(keyring::TimedKeyring::new(os::open_keyring));
    Host {
        clock: Arc::new(clock::SystemClock),
        random: Arc::new(random::SystemRandom),
        devices: Arc::new(device::LocalDevices::new(keyring.clone(), os::data_folder())),
        keyring,
        disk: Arc::new(os::Disk::new()),
        clipboard: Arc::new(clipboard::DesktopClipboard::new()),
        machine: Arc::new(os::Machine),
        identity: Identity {
            os_user: os::user_name(),
            host_name: os::host_name(),
            program: program.to_owned(),
            process_id: std::process::id(),
        },
        kdf_floor: KdfFloor::SHIPPED,
    }
}

/// Shields this process: no tracing or memory reading by other processes of the same user, no core dumps, and new files
/// private. Call it before the first secret; the children of a web view are not covered by the first of these.
///
/// Returns what is in force afterwards, which is what the health page shows. A shield the system refuses is no reason
/// not to run.
pub fn harden_process() -> Hardening {
    os::harden_process()
}

//! Shields around this process, and the size of the machine.
//! Spec: prctl(2) `PR_SET_DUMPABLE`, setrlimit(2) `RLIMIT_CORE`, umask(2), proc(5).

use std::fs;
use std::num::NonZeroUsize;
use std::thread;

use coffer_core::host::{Hardening, MachineFacts};
use rustix::fs::Mode;
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, dumpable_behavior, getrlimit, set_dumpable_behavior, setrlimit, umask,
};
use rustix::system::sysinfo;

/// What a new file must not allow: anything to anybody but its owner.
const PRIVATE_UMASK: u32 = 0o077;

/// Raises all shields and reports which are up.
pub(crate) fn harden_process() -> Hardening {
    // What the system refuses shows in the report, which is read back from the system.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    umask(Mode::from_raw_mode(PRIVATE_UMASK));
    hardening()
}

fn hardening() -> Hardening {
    let core = getrlimit(Resource::Core);
    Hardening {
        not_dumpable: dumpable_behavior().is_ok_and(|behavior| behavior == DumpableBehavior::NotDumpable),
        no_core_dumps: core.current == Some(0) && core.maximum == Some(0),
        private_files: current_umask().is_some_and(|mask| mask & PRIVATE_UMASK == PRIVATE_UMASK),
    }
}

/// The umask as the kernel tells it. umask(2) itself can only be read by changing it, under the feet of other threads.
fn current_umask() -> Option<u32> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let value = status.lines().find_map(|line| line.strip_prefix("Umask:"))?;
    u32::from_str_radix(value.trim(), 8).ok()
}

/// This machine.
pub(crate) struct Machine;

impl MachineFacts for Machine {
    fn memory_bytes(&self) -> Option<u64> {
        let info = sysinfo();
        info.totalram.checked_mul(info.mem_unit.into())
    }

    fn cores(&self) -> NonZeroUsize {
        thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
    }

    fn hardening(&self) -> Hardening {
        hardening()
    }
}

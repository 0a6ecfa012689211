//! When the person was last seen to do something. Time asleep counts: a laptop opened after an hour is locked.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The time of the last activity, in milliseconds since the machine started.
#[derive(Debug)]
pub(crate) struct Idle(AtomicU64);

impl Idle {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(now_ms()))
    }

    /// The person is there.
    pub(crate) fn note_activity(&self) {
        self.0.store(now_ms(), Ordering::Relaxed);
    }

    /// How long the person has not been seen.
    pub(crate) fn elapsed(&self) -> Duration {
        Duration::from_millis(now_ms().saturating_sub(self.0.load(Ordering::Relaxed)))
    }
}

/// How long the machine has slept since it started, in milliseconds. Grows over a suspend and only then.
pub(crate) fn slept_ms() -> u64 {
    now_ms().saturating_sub(milliseconds(ClockId::Monotonic))
}

/// `CLOCK_BOOTTIME` of clock_gettime(2): goes on while the machine sleeps, and nobody can set it back.
fn now_ms() -> u64 {
    milliseconds(ClockId::Boottime)
}

fn milliseconds(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanoseconds = u64::try_from(time.tv_nsec).unwrap_or_default();
    seconds * 1000 + nanoseconds / 1_000_000
}

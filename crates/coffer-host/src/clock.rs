//! The system's clocks.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use coffer_core::host::Clock;
use coffer_model::time::Timestamp;

/// Where [`Clock::monotonic`] counts from: its first use in this process.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The clock everybody on this machine sees.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the machine")]
    fn now(&self) -> Timestamp {
        jiff::Timestamp::now().into()
    }

    fn monotonic(&self) -> Duration {
        START.elapsed()
    }
}

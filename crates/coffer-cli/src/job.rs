//! Waiting for a job: a bar on a terminal, silence in a pipe, Ctrl+C to cancel.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use coffer_core::view::ProgressUnit;
use coffer_core::{JobError, JobHandle};
use indicatif::{ProgressBar, ProgressStyle};

/// How often the bar moves and Ctrl+C is looked at.
const TICK: Duration = Duration::from_millis(50);
/// Jobs shorter than this show no bar.
const BEFORE_BAR: u32 = 8;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Waits for `job` to end; the first Ctrl+C cancels it, and it leaves nothing half done.
pub fn wait<T: Send + 'static>(job: JobHandle<T>, what: &str) -> Result<T, JobError> {
    // A second handler cannot be set: the first stays for the whole process, which is what is wanted.
    let _ = ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::Relaxed));
    INTERRUPTED.store(false, Ordering::Relaxed);
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
    bar.set_message(what.to_owned());
    let mut ticks = 0;
    loop {
        if let Some(result) = job.try_result() {
            bar.finish_and_clear();
            return result;
        }
        if INTERRUPTED.load(Ordering::Relaxed) {
            job.cancel();
        }
        if ticks == BEFORE_BAR {
            bar.set_style(style(job.progress().unit));
        }
        if ticks >= BEFORE_BAR {
            let progress = job.progress();
            if let Some(total) = progress.total {
                bar.set_length(total);
            }
            bar.set_position(progress.done);
        }
        ticks = ticks.saturating_add(1);
        // Short jobs end without a noticeable wait.
        thread::sleep(if ticks < BEFORE_BAR { TICK / 10 } else { TICK });
    }
}

fn style(unit: ProgressUnit) -> ProgressStyle {
    let template = match unit {
        ProgressUnit::Bytes => "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
        ProgressUnit::Rows | ProgressUnit::Entries => "{msg} {wide_bar} {human_pos}/{human_len} {per_sec} {eta}",
    };
    ProgressStyle::with_template(template).expect("the templates are constants")
}

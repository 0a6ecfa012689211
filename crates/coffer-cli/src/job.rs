//! Waiting for a job: a bar on a terminal, silence in a pipe, and a signal that cancels instead of killing.

use std::fs::File;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use coffer_core::view::ProgressUnit;
use coffer_core::{JobError, JobHandle};
use indicatif::{ProgressBar, ProgressStyle};
use rustix::termios::{self, OptionalActions, Termios};

use crate::error::CliError;

/// How often the bar moves and signals are looked at.
const TICK: Duration = Duration::from_millis(50);
/// Jobs shorter than this many short ticks show no bar.
const BEFORE_BAR: u32 = 8;
/// Exit code of a program that a signal ended (POSIX shells: 128 + SIGINT).
const EXIT_INTERRUPTED: i32 = 130;

/// Nothing runs that would leave anything half done: a signal ends the program, as it would without us.
const FREE: u8 = 0;
/// Something runs that must be told to stop rather than be cut off.
const AT_WORK: u8 = 1;
/// It has been told.
const INTERRUPTED: u8 = 2;

static STATE: AtomicU8 = AtomicU8::new(FREE);

/// The terminal as it was before a question that is not echoed.
static TERMINAL: Mutex<Option<(File, Termios)>> = Mutex::new(None);

/// Takes over Ctrl+C, and the signals by which timers and terminals end programs. Called once, first of all.
pub fn watch_signals() {
    let handler = || {
        if STATE.compare_exchange(AT_WORK, INTERRUPTED, Ordering::AcqRel, Ordering::Acquire) == Err(FREE) {
            if let Some((terminal, before)) = &*terminal() {
                let _ = termios::tcsetattr(terminal, OptionalActions::Now, before);
            }
            std::process::exit(EXIT_INTERRUPTED);
        }
    };
    // Without a handler a signal just kills; what is on the disk survives that too.
    let _ = ctrlc::set_handler(handler);
}

/// While it lives, a signal that ends the program gives the terminal its echo back.
pub struct EchoGuard;

impl EchoGuard {
    /// Remembers the terminal as it is now.
    pub fn new() -> Self {
        let remembered = File::open("/dev/tty").ok().and_then(|tty| {
            let now = termios::tcgetattr(&tty).ok()?;
            Some((tty, now))
        });
        *terminal() = remembered;
        Self
    }
}

impl Drop for EchoGuard {
    fn drop(&mut self) {
        *terminal() = None;
    }
}

fn terminal() -> MutexGuard<'static, Option<(File, Termios)>> {
    TERMINAL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does what must not be cut off half-way; then says whether a signal came meanwhile.
pub fn uncut<T>(work: impl FnOnce() -> T) -> (T, bool) {
    STATE.store(AT_WORK, Ordering::Release);
    let done = work();
    (done, STATE.swap(FREE, Ordering::AcqRel) == INTERRUPTED)
}

/// Starts a job and waits for its end. A signal cancels it, and it leaves nothing half done.
pub fn run<T, E>(what: &str, start: impl FnOnce() -> Result<JobHandle<T>, E>) -> Result<T, CliError>
where
    T: Send + 'static,
    CliError: From<E>,
{
    let (result, _) = uncut(|| Ok::<_, CliError>(wait(&start()?, what)?));
    result
}

fn wait<T: Send + 'static>(job: &JobHandle<T>, what: &str) -> Result<T, JobError> {
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
    bar.set_message(what.to_owned());
    let mut ticks = 0;
    loop {
        if let Some(result) = job.try_result() {
            bar.finish_and_clear();
            return result;
        }
        if STATE.load(Ordering::Acquire) == INTERRUPTED {
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
        ProgressUnit::Rows | ProgressUnit::Entries | ProgressUnit::Records => {
            "{msg} {wide_bar} {human_pos}/{human_len} {per_sec} {eta}"
        }
    };
    ProgressStyle::with_template(template).expect("the templates are constants")
}

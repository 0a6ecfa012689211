//! A preload library (`LD_PRELOAD`) that counts what a program does to the files under one folder, writes it down, and
//! makes it fail at a chosen moment. It tests programs as they ship: nothing in them knows of it.
//!
//! System calls are caught by a seccomp filter, not by standing in front of libc's functions: SQLite's, the standard
//! library's and those made by inline assembly are all seen alike. Reads are left alone.
//!
//! Programs that it starts are watched like it, if they load the library, too.
//!
//! Settings are environment variables, named in [`settings`]; without [`settings::PATH`] the library does nothing.
//! Everything here is `unsafe` by nature: it runs inside a signal handler of a foreign program, without allocation,
//! locks of libc or panics, and speaks to the kernel by [`trap::system_call`] alone.
#![expect(unsafe_code, reason = "a signal handler that stands in for the kernel has nothing else to work with")]

mod call;
mod journal;
pub mod settings;
mod trap;

use core::ffi::{c_int, c_void};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::os::fd::IntoRawFd;

use call::{Call, Kind, Operation, Text};
use settings::{Action, Settings, Span};

/// Exit status of a program whose settings for this library make no sense.
const EXIT_SETTINGS: i32 = 97;

/// Set once, before `main`; read by the handler.
static mut STATE: Option<State> = None;
/// One operation under the folder at a time, so that their order is one order.
static BUSY: AtomicBool = AtomicBool::new(false);
/// Operations so far.
static COUNT: AtomicU64 = AtomicU64::new(0);

struct State {
    settings: Settings,
    /// Descriptor of the record, if one is kept.
    log: Option<c_int>,
}

#[used]
#[unsafe(link_section = ".init_array")]
static AT_LOAD: extern "C" fn() = at_load;

/// Runs before `main`, on the only thread there is.
extern "C" fn at_load() {
    if std::env::var_os(settings::PATH).is_none() {
        return;
    }
    if let Err(problem) = trap::listen(on_trap) {
        refuse(problem);
    }
    let settings = match Settings::from_environment() {
        Ok(Some(settings)) => settings,
        Ok(None) => return,
        Err(problem) => refuse(&problem),
    };
    let log = settings.log.as_ref().map(|path| {
        let opened = std::fs::OpenOptions::new().create(true).append(true).open(path);
        opened.map_or_else(|error| refuse(&error.to_string()), IntoRawFd::into_raw_fd)
    });
    if settings.action == Some(Action::Loss) {
        journal::reserve();
    }
    // SAFETY: no other thread exists yet, and this one is not inside a caught call.
    unsafe { STATE = Some(State { settings, log }) };
    if let Err(problem) = trap::catch() {
        refuse(problem);
    }
}

fn refuse(problem: &str) -> ! {
    let line = format!("coffer-faultfs: {problem}\n");
    // SAFETY: a plain write of a live buffer, and the end of the process.
    unsafe {
        libc::write(libc::STDERR_FILENO, line.as_ptr().cast(), line.len());
        libc::_exit(EXIT_SETTINGS)
    }
}

/// Stands in for the kernel: gives what the call is to return.
fn on_trap(call: &Call) -> i64 {
    let state = &raw const STATE;
    // SAFETY: written once, before the first call was caught, and never again.
    let state = unsafe { (*state).as_ref() };
    if matches!(call.number, libc::SYS_copy_file_range | libc::SYS_sendfile) {
        // Callers fall back to reading and writing, which is seen piece by piece.
        return -i64::from(libc::ENOSYS);
    }
    let Some(state) = state else { return trap::repeat(call) };
    let Some(operation) = Operation::of(call, &state.settings.path) else { return trap::repeat(call) };
    let _turn = Turn::take();
    let number = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
    if let Some(log) = state.log {
        record(log, number, &operation);
    }
    let due = match state.settings.span {
        Span::Once => number == state.settings.at,
        Span::Onwards => number >= state.settings.at,
    };
    match state.settings.action {
        Some(action) if due => act(action, call, &operation),
        Some(Action::Loss) => journal::carry_out(call, &operation),
        _ => trap::repeat(call),
    }
}

fn act(action: Action, call: &Call, operation: &Operation) -> i64 {
    match action {
        Action::Fail(errno) if fails_with(operation.kind, errno) => -i64::from(errno),
        Action::Fail(_) => trap::repeat(call),
        Action::Kill => trap::die(),
        Action::Torn => {
            if let Some(part) = call.torn_write(operation) {
                trap::repeat(&part);
            }
            trap::die()
        }
        Action::Loss => {
            journal::undo_unsynced();
            trap::die()
        }
    }
}

/// Whether a real disk fails such an operation so. A full disk takes no new data, yet lets names be taken away; one that
/// has become read-only still answers a sync.
const fn fails_with(kind: Kind, errno: c_int) -> bool {
    match errno {
        libc::ENOSPC | libc::EDQUOT => matches!(kind, Kind::Write | Kind::Create | Kind::Folder | Kind::Link),
        libc::EROFS => !matches!(kind, Kind::Sync),
        _ => true,
    }
}

/// One line an operation: number, kind, path, bytes; for a rename the new path behind the old.
fn record(log: c_int, number: u64, operation: &Operation) {
    let mut line = Text::new();
    line.push_number(number);
    line.push(b" ");
    line.push(operation.kind.name().as_bytes());
    line.push(b" ");
    line.push(operation.path.bytes());
    if let Some(to) = &operation.to {
        line.push(b" -> ");
        line.push(to.bytes());
    }
    if operation.length > 0 {
        line.push(b" ");
        line.push_number(operation.length);
    }
    line.push(b"\n");
    trap::write_all(log, line.bytes());
}

/// Keeps other threads' operations waiting while it lives.
struct Turn;

impl Turn {
    fn take() -> Self {
        while BUSY.compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed).is_err() {
            trap::yield_now();
        }
        Self
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        BUSY.store(false, Ordering::Release);
    }
}

/// What `sigaction` is given: fetches the call from the interrupted thread and puts the answer where it expects it.
extern "C" fn on_signal(_signal: c_int, _info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel gives the context of the interrupted thread, which nothing else uses until this returns.
    let registers = unsafe { &mut *context.cast::<libc::ucontext_t>() };
    trap::answer(registers);
}

//! Locking ends the process that knew. Zeroising reaches our own memory, not what GTK, WebKit or the clipboard library
//! hold; replacing the whole image reaches all of it. The fresh image shows the unlock window and has never seen a key.

use std::convert::Infallible;
use std::os::unix::process::CommandExt;
use std::process::{self, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tauri::{AppHandle, Manager, Runtime};

use crate::native::{leave_kit, reply};
use crate::shell::Shell;
use crate::{idle, raw, web};

/// Argument of the fresh image: the remembered place whose unlock window to show. Carries no secret.
pub(crate) const UNLOCK_ARGUMENT: &str = "--unlock";

/// After this, the process is replaced whatever it is still waiting for: locking is done within a second.
const LIMIT: Duration = Duration::from_millis(900);
/// How often idleness is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Sleep of the machine that counts as a suspend, in milliseconds; less is the two clocks being read one after the other.
const SUSPEND_MS: u64 = 1000;

/// What comes after the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// The unlock window, in a fresh image.
    Unlock,
    /// Nothing: the program was closed.
    End,
}

/// Locks and leaves, unless that would lose a recovery kit for good and the person, asked, goes back. Returns at once.
pub(crate) fn ask_and_leave<R: Runtime>(app: &AppHandle<R>, after: After) {
    static ASKING: AtomicBool = AtomicBool::new(false);
    let shell = Arc::clone(&app.state::<Arc<Shell>>());
    if !shell.has_unconfirmed_kit() {
        return lock_and_leave(app, after);
    }
    if ASKING.swap(true, Ordering::AcqRel) {
        return;
    }
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let dialog = app.clone();
        let leaves = reply::ask(&app, move |reply| {
            let vault = shell.session_view().map(|view| view.vault.name).unwrap_or_default();
            leave_kit::show(shell.words(), web::gtk_window(&dialog).as_ref(), &vault, reply);
        });
        if leaves.await.is_some() {
            lock_and_leave(&app, after);
        }
        ASKING.store(false, Ordering::Release);
    });
}

/// Locks and leaves. Returns at once; the process is gone within a second.
pub(crate) fn lock_and_leave<R: Runtime>(app: &AppHandle<R>, after: After) {
    static LEAVING: AtomicBool = AtomicBool::new(false);
    if LEAVING.swap(true, Ordering::AcqRel) {
        return;
    }
    let shell = Arc::clone(&app.state::<Arc<Shell>>());
    let place = shell.places().first().map(|place| place.handle.clone());
    let last_resort = place.clone();
    thread::spawn(move || {
        thread::sleep(LIMIT);
        leave(after, last_resort.as_deref());
    });
    let renderer = app.clone();
    let _ = app.run_on_main_thread(move || web::terminate_renderer(&renderer));
    thread::spawn(move || {
        shell.lock();
        leave(after, place.as_deref());
    });
}

/// Locks once the person has done nothing for as long as the settings say, or the machine has been asleep. Ends with the
/// process.
pub(crate) fn watch_idleness<R: Runtime>(app: &AppHandle<R>) {
    let (app, shell) = (app.clone(), Arc::clone(&app.state::<Arc<Shell>>()));
    thread::spawn(move || {
        let mut slept = idle::slept_ms();
        loop {
            thread::sleep(LOOK_EVERY);
            let before = std::mem::replace(&mut slept, idle::slept_ms());
            let was_suspended = slept.saturating_sub(before) >= SUSPEND_MS;
            let limit = Duration::from_secs(shell.settings().idle_seconds.into());
            // A kit that nobody has yet would be lost with the process, and nobody is there to be asked.
            if shell.is_unlocked() && !shell.has_unconfirmed_kit() && (was_suspended || shell.idle.elapsed() >= limit) {
                lock_and_leave(&app, After::Unlock);
                return;
            }
        }
    });
}

/// Leaves this image for good. The second thread that comes here waits for the first to be done.
fn leave(after: After, place: Option<&str>) -> Infallible {
    static LEFT: AtomicBool = AtomicBool::new(false);
    if LEFT.swap(true, Ordering::AcqRel) {
        loop {
            thread::park();
        }
    }
    web::end_processes();
    if after == After::Unlock {
        // The very file this process runs, even if an update has put another in its place since.
        let mut fresh = Command::new("/proc/self/exe");
        fresh.arg0(crate::start::PROGRAM);
        if let Some(place) = place {
            fresh.args([UNLOCK_ARGUMENT, place]);
        }
        // Neither the display's socket nor a file of the vault goes along.
        if raw::close_all_on_exec().is_ok() {
            // Returns only on failure; then ending is the next best thing: it forgets as well.
            let _ = fresh.exec();
        }
    }
    process::exit(0)
}

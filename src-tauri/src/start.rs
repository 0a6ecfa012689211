//! From the first instruction to the first window.

use std::env;
use std::process::ExitCode;
use std::sync::Arc;

use gtk::glib;
use tauri::{AppHandle, Manager, RunEvent, Runtime, WindowEvent};

use crate::lock::{self, After, UNLOCK_ARGUMENT};
use crate::native::reply::{self, Reply};
use crate::native::{look, unlock};
use crate::shell::Shell;
use crate::{commands, web};

/// The program's name in the log.
pub(crate) const PROGRAM: &str = "coffer-desktop";
/// The same for the kernel, which would call a replaced image `exe`.
const PROCESS_NAME: &std::ffi::CStr = c"coffer-desktop";

/// Runs the program until it ends.
pub fn run() -> ExitCode {
    // Before the first secret, and before any other thread.
    coffer_host::harden_process();
    #[cfg(not(feature = "e2e"))]
    crate::raw::refuse_automation();
    let _ = rustix::thread::set_name(PROCESS_NAME);
    glib::set_prgname(Some(PROGRAM));
    glib::set_application_name("Coffer");

    let shell = Arc::new(Shell::new(coffer_host::system(PROGRAM)));
    let place = place_to_unlock(env::args());
    let built = tauri::Builder::default()
        .manage(shell)
        .invoke_handler(commands::handler())
        .setup(move |app| {
            let app = app.handle();
            look::apply_theme(app.state::<Arc<Shell>>().settings().theme);
            lock::watch_idleness(app);
            show_first_window(app, place)
        })
        .build(context());
    let Ok(app) = built else { return ExitCode::from(EXIT_BUG) };
    app.run(|app, event| match event {
        // Closing the last window is no reason to end while a native window is open; ending is done by `lock`.
        RunEvent::ExitRequested { code: None, api, .. } => api.prevent_exit(),
        RunEvent::WindowEvent { label, event: WindowEvent::CloseRequested { api, .. }, .. } if label == web::LABEL => {
            api.prevent_close();
            lock::ask_and_leave(app, After::End);
        }
        _ => {}
    });
    ExitCode::SUCCESS
}

/// Configuration, capabilities and the interface's pages, as they were when this was compiled.
pub(crate) fn context<R: Runtime>() -> tauri::Context<R> {
    tauri::generate_context!()
}

/// sysexits.h `EX_SOFTWARE`, as the command line uses it.
const EXIT_BUG: u8 = 70;

/// The place named on the command line, by the image before this one.
fn place_to_unlock(mut arguments: impl Iterator<Item = String>) -> Option<String> {
    arguments.find(|argument| argument == UNLOCK_ARGUMENT)?;
    arguments.next()
}

/// The unlock window if a vault is known, which needs no web view; the first run otherwise.
fn show_first_window<R: Runtime>(app: &AppHandle<R>, place: Option<String>) -> Result<(), Box<dyn std::error::Error>> {
    let shell = Arc::clone(&app.state::<Arc<Shell>>());
    if shell.is_first_run() {
        return Ok(web::open(app)?);
    }
    let app = app.clone();
    let (reply, answer) = Reply::pair();
    let known = place.filter(|handle| shell.places().iter().any(|place| place.handle == *handle));
    unlock::show(shell, None, known.as_deref(), reply);
    glib::MainContext::default().spawn_local(async move {
        // Whether unlocked or asked for the first run, the page that opens asks what to show; closed, nothing is left.
        let opened = match reply::wait(answer).await {
            Some(()) => web::open(&app).is_ok(),
            None => false,
        };
        if !opened {
            lock::lock_and_leave(&app, After::End);
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_follows_its_argument_and_nothing_else_counts() {
        let place = |line: &str| place_to_unlock(line.split(' ').map(str::to_owned));
        assert_eq!(place("coffer-desktop --unlock 7f").as_deref(), Some("7f"));
        assert_eq!(place("coffer-desktop --unlock"), None);
        assert_eq!(place("coffer-desktop /some/file"), None);
    }
}

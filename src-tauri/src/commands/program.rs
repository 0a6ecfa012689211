//! The program itself: what to show, settings, activity, lock.

use std::sync::Arc;

use tauri::{AppHandle, Runtime};

use super::Held;
use super::args::Args;
use super::requests::{AppState, Chosen, Nothing, Screen, SettingsSet};
use crate::lock::{self, After};
use crate::native::{look, words};
use crate::refusal::Refusal;
use crate::settings::Settings;

/// What the window shows first.
#[tauri::command(async)]
pub(super) fn app_state(shell: Held<'_>, _args: Args<Nothing>) -> AppState {
    let session = shell.session_view();
    let screen = match &session {
        _ if shell.is_first_run() => Screen::FirstRun,
        Some(_) => Screen::Unlocked,
        None => Screen::Locked,
    };
    AppState { screen, session, settings: shell.settings(), system_language: words::system_language() }
}

/// The remembered vaults, the one used last first; never where they are.
#[tauri::command(async)]
pub(super) fn places(shell: Held<'_>, _args: Args<Nothing>) -> Vec<Chosen> {
    shell.places().into_iter().map(|place| Chosen { handle: place.handle, name: place.name }).collect()
}

/// Locks; the process is gone within a second, unless that would lose a recovery kit, which the person is asked about.
#[tauri::command(async)]
pub(super) fn lock<R: Runtime>(app: AppHandle<R>, shell: Held<'_>, _args: Args<Nothing>) -> Result<(), Refusal> {
    if !shell.is_unlocked() {
        return Err(Refusal::LOCKED);
    }
    lock::ask_and_leave(&app, After::Unlock);
    Ok(())
}

/// The person is there.
#[tauri::command(async)]
pub(super) fn activity(shell: Held<'_>, _args: Args<Nothing>) -> Result<(), Refusal> {
    if !shell.is_unlocked() {
        return Err(Refusal::LOCKED);
    }
    shell.idle.note_activity();
    Ok(())
}

/// What the person has chosen about the program.
#[tauri::command(async)]
pub(super) fn settings_get(shell: Held<'_>, _args: Args<Nothing>) -> Settings {
    shell.settings()
}

/// Changes it, within limits.
#[tauri::command(async)]
pub(super) fn settings_set<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    args: Args<SettingsSet>,
) -> Result<(), Refusal> {
    let theme = Arc::clone(&shell).change_settings(args.0.settings)?.theme;
    app.run_on_main_thread(move || look::apply_theme(theme)).map_err(|_| Refusal::BUG)
}

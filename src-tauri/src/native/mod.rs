//! The native windows: everything secret is typed here, never in the web view. GTK 3, the same that Tauri uses.
//!
//! Each window is shown on the main thread and answers once, through [`reply`]. What it asks of the engine runs on
//! another thread, so that the window stays alive while Argon2id works.

pub(crate) mod activate;
pub(crate) mod enrol;
pub(crate) mod files;
mod identity;
pub(crate) mod invitation;
pub(crate) mod kit_groups;
pub(crate) mod leave_kit;
pub(crate) mod look;
pub(crate) mod new_passphrase;
pub(crate) mod papers;
pub(crate) mod reply;
mod secret_entry;
pub(crate) mod sheet;
pub(crate) mod step_up;
pub(crate) mod unlock;
pub(crate) mod words;

use gtk::prelude::*;
use gtk::{gdk, glib};

/// Escape closes a window, as in every dialog.
fn close_on_escape(window: &gtk::Window) {
    window.connect_key_press_event(|window, key| {
        if key.keyval() == gdk::keys::constants::Escape {
            window.close();
            return glib::Propagation::Stop;
        }
        glib::Propagation::Proceed
    });
}

/// *Cancel* and the one main action, at the end of a dialog.
fn actions(cancel: &gtk::Button, main: &gtk::Button, window: &gtk::Window) -> gtk::Box {
    let row = look::row(look::GAP);
    row.set_halign(gtk::Align::End);
    row.set_margin_top(look::GAP);
    row.pack_start(cancel, false, false, 0);
    row.pack_start(main, false, false, 0);
    main.set_can_default(true);
    window.set_default(Some(main));
    let closing = window.clone();
    cancel.connect_clicked(move |_| closing.close());
    row
}

/// Heading and explanation, at the beginning of a dialog.
fn heading(title: &str, explanation: &str) -> gtk::Box {
    let column = look::column(look::GAP);
    column.pack_start(&look::text(title, "title"), false, false, 0);
    column.pack_start(&look::text(explanation, "quiet"), false, false, 0);
    column
}

//! An entry for a passphrase: masked, with a way to look and a hint when Caps Lock is on. What is typed is read in place
//! and erased, never copied into a GTK string.

use std::rc::Rc;

use coffer_core::{Passphrase, PassphraseError};
use gtk::prelude::*;
use gtk::{gdk, glib};

use super::look;
use super::words::Words;
use crate::raw;

/// A masked entry with all that belongs to it, one below the other.
#[derive(Clone)]
pub(crate) struct SecretEntry {
    column: gtk::Box,
    entry: gtk::Entry,
    show: gtk::Button,
}

impl SecretEntry {
    pub(crate) fn new(words: &'static Words, name: &str) -> Self {
        let entry = gtk::Entry::new();
        entry.set_visibility(false);
        entry.set_input_purpose(gtk::InputPurpose::Password);
        // No completion, no spelling: nothing that looks at what is typed.
        entry.set_input_hints(gtk::InputHints::NO_SPELLCHECK | gtk::InputHints::NO_EMOJI);
        entry.set_hexpand(true);
        entry.set_activates_default(true);

        let show = look::button(words.show.as_str(), "flat");
        show.set_focus_on_click(false);
        let row = look::row(4);
        row.pack_start(&entry, true, true, 0);
        row.pack_start(&show, false, false, 0);

        let caps = gtk::Label::new(Some(&words.caps_lock));
        caps.set_xalign(0.0);
        caps.style_context().add_class("faint");
        caps.set_no_show_all(true);

        let column = look::column(4);
        column.pack_start(&look::name_of(&entry, name), false, false, 0);
        column.pack_start(&row, false, false, 0);
        column.pack_start(&caps, false, false, 0);

        show.connect_clicked({
            let entry = entry.clone();
            move |show| {
                let visible = !EntryExt::is_visible(&entry);
                entry.set_visibility(visible);
                show.set_label(if visible { &words.hide } else { &words.show });
            }
        });
        watch_caps_lock(&entry, &caps);
        Self { column, entry, show }
    }

    pub(crate) fn widget(&self) -> &gtk::Box {
        &self.column
    }

    pub(crate) fn grab_focus(&self) {
        self.entry.grab_focus();
    }

    pub(crate) fn set_sensitive(&self, sensitive: bool) {
        self.entry.set_sensitive(sensitive);
        self.show.set_sensitive(sensitive);
    }

    pub(crate) fn on_change(&self, changed: impl Fn() + 'static) {
        self.entry.connect_changed(move |_| changed());
    }

    pub(crate) fn is_empty(&self) -> bool {
        raw::lend_text(&self.entry, <[u8]>::is_empty)
    }

    /// Reads what is typed so far as a passphrase, leaving it in the entry.
    pub(crate) fn peek(&self) -> Result<Passphrase, PassphraseError> {
        raw::lend_text(&self.entry, Passphrase::parse_borrowed)
    }

    /// Takes the passphrase out of the entry, which is empty afterwards.
    pub(crate) fn take(&self) -> Result<Passphrase, PassphraseError> {
        Passphrase::parse(raw::take_text(&self.entry))
    }

    /// Empties the entry.
    pub(crate) fn erase(&self) {
        raw::erase_text(&self.entry);
    }
}

/// Shows `hint` while Caps Lock is on and the entry has the focus.
fn watch_caps_lock(entry: &gtk::Entry, hint: &gtk::Label) {
    let look = {
        let (entry, hint) = (entry.downgrade(), hint.clone());
        Rc::new(move || {
            let on = gdk::Display::default()
                .and_then(|display| gdk::Keymap::for_display(&display))
                .is_some_and(|keymap| keymap.is_caps_locked());
            hint.set_visible(on && entry.upgrade().is_some_and(|entry| entry.has_focus()));
        })
    };
    entry.connect_has_focus_notify({
        let look = Rc::clone(&look);
        move |_| look()
    });
    entry.connect_key_release_event(move |_, _| {
        look();
        glib::Propagation::Proceed
    });
}

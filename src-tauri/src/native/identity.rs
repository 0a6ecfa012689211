//! What a person types and points to so that the vault knows them, the same in every window that asks: the passphrase or
//! a personal recovery code in its place, a key file, the code of a second factor, and a token of the identity provider.
//! What is not needed is out of sight.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use coffer_core::{PersonalCode, PersonalCodeError};
use gtk::prelude::*;
use gtk::{glib, pango};
use zeroize::Zeroizing;

use super::files::{self, Purpose};
use super::look::{self, GAP};
use super::secret_entry::SecretEntry;
use super::words::{Words, fill};
use crate::raw;
use crate::shell::UnlockProblem;
use crate::shown::{self, Known, Secret, Shown};

/// Characters of a personal recovery code, spaces and dashes left out.
const PERSONAL_CHARS: usize = 40;
/// What is typed beyond these is no code, however it is spaced.
const PERSONAL_TYPED: i32 = 100;
const CODE_TYPED: i32 = 32;

/// The parts, one below the other.
pub(crate) struct Identity {
    words: &'static Words,
    window: gtk::Window,
    column: gtk::Box,
    passphrase: SecretEntry,
    personal_part: gtk::Box,
    personal: gtk::Entry,
    key_file_part: gtk::Box,
    key_file_name: gtk::Label,
    no_key_file: gtk::Button,
    code_part: gtk::Box,
    code: gtk::Entry,
    token_part: gtk::Box,
    token_state: gtk::Label,
    token_paste: gtk::Button,
    /// Between the passphrase and the personal recovery code.
    swap: gtk::Button,
    by_personal_code: Cell<bool>,
    path: RefCell<Option<PathBuf>>,
    /// Read once and gone with the window; never shown.
    token: RefCell<Option<Zeroizing<Vec<u8>>>>,
}

impl Identity {
    /// `window` is the one it will stand in; `name` what its passphrase is called.
    pub(crate) fn new(words: &'static Words, window: &gtk::Window, name: &str, known: &Known) -> Rc<Self> {
        let personal = code_entry(PERSONAL_TYPED, "code");
        personal.set_placeholder_text(Some(&words.personal_placeholder));
        let personal_part = look::column(4);
        personal_part.pack_start(&look::name_of(&personal, &words.personal_code), false, false, 0);
        personal_part.pack_start(&personal, false, false, 0);

        let key_file_name = gtk::Label::new(None);
        key_file_name.set_xalign(0.0);
        key_file_name.set_ellipsize(pango::EllipsizeMode::Middle);
        let choose = look::button(&words.key_file_choose, "");
        let no_key_file = look::button(&words.key_file_without, "flat");
        let row = look::row(GAP);
        row.pack_start(&key_file_name, true, true, 0);
        row.pack_start(&no_key_file, false, false, 0);
        row.pack_start(&choose, false, false, 0);
        let key_file_part = look::column(4);
        key_file_part.pack_start(&look::name_of(&choose, &words.key_file), false, false, 0);
        key_file_part.pack_start(&row, false, false, 0);

        let code = code_entry(CODE_TYPED, "one-time");
        code.set_alignment(0.5);
        let code_part = look::column(4);
        code_part.pack_start(&look::name_of(&code, &words.code), false, false, 0);
        code_part.pack_start(&code, false, false, 0);

        let token_state = gtk::Label::new(Some(&words.token_none));
        token_state.set_xalign(0.0);
        token_state.set_ellipsize(pango::EllipsizeMode::Middle);
        let token_paste = look::button(&words.token_paste, "");
        let token_choose = look::button(&words.token_choose, "");
        let row = look::row(GAP);
        row.pack_start(&token_state, true, true, 0);
        row.pack_start(&token_paste, false, false, 0);
        row.pack_start(&token_choose, false, false, 0);
        let token_part = look::column(4);
        token_part.pack_start(&look::name_of(&token_paste, &words.token), false, false, 0);
        token_part.pack_start(&row, false, false, 0);
        token_part.pack_start(&look::text(&words.token_text, "faint"), false, false, 0);

        let passphrase = SecretEntry::new(words, name);
        for part in [&personal_part, &key_file_part, &code_part, &token_part] {
            look::out_of_sight(part);
        }
        // Last, so that the keyboard goes from the passphrase to the code.
        let swap = look::button(&words.personal_use, "flat");
        swap.style_context().add_class("link");
        swap.set_halign(gtk::Align::Start);
        look::out_of_sight(&swap);
        let column = look::column(2 * GAP);
        column.pack_start(passphrase.widget(), false, false, 0);
        column.pack_start(&personal_part, false, false, 0);
        column.pack_start(&key_file_part, false, false, 0);
        column.pack_start(&code_part, false, false, 0);
        column.pack_start(&token_part, false, false, 0);
        column.pack_start(&swap, false, false, 0);

        let this = Rc::new(Self {
            words,
            window: window.clone(),
            column,
            passphrase,
            personal_part,
            personal,
            key_file_part,
            key_file_name,
            no_key_file,
            code_part,
            code,
            token_part,
            token_state,
            token_paste,
            swap,
            by_personal_code: Cell::new(false),
            path: RefCell::new(None),
            token: RefCell::new(None),
        });
        this.expect(known);

        // The widgets are parts of what they are asked to change: a strong hold would keep the typed text alive.
        let weak = Rc::downgrade(&this);
        choose.connect_clicked(move |_| {
            if let Some(this) = weak.upgrade() {
                this.choose_key_file();
            }
        });
        let weak = Rc::downgrade(&this);
        this.no_key_file.connect_clicked(move |_| {
            if let Some(this) = weak.upgrade() {
                this.set_key_file(None);
            }
        });
        let weak = Rc::downgrade(&this);
        this.token_paste.connect_clicked(move |_| {
            if let Some(this) = weak.upgrade() {
                this.paste_token();
            }
        });
        let weak = Rc::downgrade(&this);
        token_choose.connect_clicked(move |_| {
            if let Some(this) = weak.upgrade() {
                this.choose_token();
            }
        });
        let weak = Rc::downgrade(&this);
        this.swap.connect_clicked(move |_| {
            if let Some(this) = weak.upgrade() {
                this.ask_for_personal_code(!this.by_personal_code.get());
            }
        });
        this
    }

    /// Whether there is a place for a key file, which need not be offered then.
    pub(crate) fn on_key_file_asked(&self, asked: impl Fn(bool) + 'static) {
        self.key_file_part.connect_visible_notify(move |part| asked(part.get_visible()));
    }

    pub(crate) fn widget(&self) -> &gtk::Box {
        &self.column
    }

    /// Shows what is known to be asked for, and nothing else; what was typed into the rest is erased.
    pub(crate) fn expect(&self, known: &Known) {
        self.set_key_file(known.path.clone());
        self.key_file_part.set_visible(known.key_file || known.path.is_some());
        self.code_part.set_visible(known.code);
        self.swap.set_visible(known.personal_code || self.by_personal_code.get());
        // Whose lease is over is found out by asking.
        self.token_part.hide();
        self.set_token(None);
        if !known.code {
            raw::erase_text(&self.code);
        }
    }

    /// Asks for the personal recovery code in place of the passphrase, or the other way round.
    pub(crate) fn ask_for_personal_code(&self, by_code: bool) {
        self.by_personal_code.set(by_code);
        self.passphrase.erase();
        raw::erase_text(&self.personal);
        self.passphrase.widget().set_visible(!by_code);
        self.personal_part.set_visible(by_code);
        self.swap.set_label(if by_code { &self.words.personal_instead } else { &self.words.personal_use });
        self.swap.show();
        self.grab_focus();
    }

    /// Lets the person choose a key file.
    pub(crate) fn choose_key_file(self: &Rc<Self>) {
        let this = Rc::clone(self);
        glib::MainContext::default().spawn_local(async move {
            if let Some(path) = files::choose(Purpose::KeyFile, Some(&this.window), "", this.words).await {
                this.set_key_file(Some(path));
                this.key_file_part.show();
                this.grab_focus();
            }
        });
    }

    /// Takes what was copied for a token. Whether it is one the engine says.
    fn paste_token(self: &Rc<Self>) {
        let this = Rc::clone(self);
        gtk::Clipboard::get(&gtk::gdk::SELECTION_CLIPBOARD).request_text(move |_, text| {
            let text = text.map(str::trim).filter(|text| !text.is_empty());
            match text {
                Some(text) => {
                    this.set_token(Some((Zeroizing::new(text.as_bytes().to_vec()), &this.words.token_pasted)));
                    this.after_token();
                }
                None => this.set_token(None),
            }
        });
    }

    fn choose_token(self: &Rc<Self>) {
        let this = Rc::clone(self);
        glib::MainContext::default().spawn_local(async move {
            let Some(path) = files::choose(Purpose::Token, Some(&this.window), "", this.words).await else { return };
            match shown::read_token(&path) {
                Ok(token) => {
                    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                    this.set_token(Some((token, &name)));
                    this.after_token();
                }
                Err(_) => {
                    this.set_token(None);
                    this.token_state.set_text(&this.words.token_unreadable);
                }
            }
        });
    }

    /// Goes to the button that everything is for.
    fn after_token(&self) {
        if let Some(button) = self.window.default_widget() {
            button.grab_focus();
        }
    }

    fn set_token(&self, token: Option<(Zeroizing<Vec<u8>>, &str)>) {
        self.token_state.set_text(token.as_ref().map_or(self.words.token_none.as_str(), |(_, name)| name));
        self.token.replace(token.map(|(token, _)| token));
    }

    fn set_key_file(&self, path: Option<PathBuf>) {
        let name = path.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        self.key_file_name.set_text(name.as_deref().unwrap_or(&self.words.key_file_none));
        self.no_key_file.set_visible(path.is_some());
        self.path.replace(path);
    }

    /// Whether the passphrase, or what is asked for in its place, is still missing.
    pub(crate) fn is_empty(&self) -> bool {
        if self.by_personal_code.get() {
            raw::lend_text(&self.personal, <[u8]>::is_empty)
        } else {
            self.passphrase.is_empty()
        }
    }

    /// What was typed and chosen so far, which stays; or what is wrong with it, in words.
    pub(crate) fn shown(&self) -> Result<Shown, Mistyped> {
        let secret = if self.by_personal_code.get() {
            let typed = text_of(&self.personal);
            let code =
                PersonalCode::parse_text(&typed).map_err(|error| Mistyped::PersonalCode(self.mistyped(error)))?;
            Secret::PersonalCode(code)
        } else {
            // What cannot be a passphrase is none that was ever chosen.
            Secret::Passphrase(self.passphrase.peek().map_err(|_| Mistyped::Passphrase)?)
        };
        let code = Some(text_of(&self.code)).filter(|code| self.code_part.is_visible() && !code.trim().is_empty());
        Ok(Shown { secret, key_file: self.path.borrow().clone(), code, token: self.token.borrow().clone() })
    }

    fn mistyped(&self, error: PersonalCodeError) -> String {
        match error {
            PersonalCodeError::Length { found } => fill(
                &self.words.personal_length,
                &[("count", &found.to_string()), ("needed", &PERSONAL_CHARS.to_string())],
            ),
            PersonalCodeError::Group { group } => fill(&self.words.personal_group, &[("number", &group.to_string())]),
        }
    }

    /// Makes room for what is missing, erases what was wrong, and goes there. `false` if the person has to be told
    /// nothing: a code is asked for the first time.
    pub(crate) fn refuse(&self, problem: &UnlockProblem) -> bool {
        match problem.code {
            "code_needed" if !self.code_part.is_visible() => {
                self.code_part.show();
                self.code.grab_focus();
                return false;
            }
            "code_needed" | "code_wrong" | "code_used" => {
                self.code_part.show();
                raw::erase_text(&self.code);
                self.code.grab_focus();
            }
            "token_needed" if !self.token_part.is_visible() => {
                self.token_part.show();
                self.token_paste.grab_focus();
                return false;
            }
            code if code.starts_with("token_") => {
                self.token_part.show();
                self.set_token(None);
                self.token_paste.grab_focus();
            }
            "factor_missing" => {
                if problem.missing.is_some_and(|missing| missing.key_file) {
                    self.key_file_part.show();
                }
                self.grab_focus();
            }
            // Everything that was typed is right, and stays.
            "older_than_known" | "log_damaged" | "moved" | "move_unfinished" => self.grab_focus(),
            "key_file_needed" | "key_file_unreadable" | "key_file_length" => {
                self.key_file_part.show();
                self.grab_focus();
            }
            _ => {
                self.erase();
                self.grab_focus();
            }
        }
        true
    }

    /// Erases everything that was typed.
    pub(crate) fn erase(&self) {
        self.passphrase.erase();
        raw::erase_text(&self.personal);
        raw::erase_text(&self.code);
        self.set_token(None);
    }

    pub(crate) fn grab_focus(&self) {
        if self.by_personal_code.get() {
            self.personal.grab_focus();
        } else {
            self.passphrase.grab_focus();
        }
    }

    pub(crate) fn on_change(&self, changed: impl Fn() + Clone + 'static) {
        self.passphrase.on_change(changed.clone());
        self.personal.connect_changed(move |_| changed());
    }

    pub(crate) fn set_sensitive(&self, sensitive: bool) {
        self.column.set_sensitive(sensitive);
    }
}

/// Why what was typed is not even tried.
pub(crate) enum Mistyped {
    /// It can be nobody's passphrase.
    Passphrase,
    /// It is no personal recovery code; in words.
    PersonalCode(String),
}

/// An entry for a code.
pub(super) fn code_entry(most: i32, class: &str) -> gtk::Entry {
    let entry = gtk::Entry::new();
    entry.set_activates_default(true);
    entry.set_input_hints(gtk::InputHints::NO_SPELLCHECK | gtk::InputHints::NO_EMOJI);
    entry.set_max_length(most);
    entry.style_context().add_class(class);
    entry
}

/// What an entry holds, to be erased by whoever has it.
pub(super) fn text_of(entry: &gtk::Entry) -> Zeroizing<String> {
    // GTK holds nothing but UTF-8.
    raw::lend_text(entry, |bytes| Zeroizing::new(std::str::from_utf8(bytes).unwrap_or_default().to_owned()))
}

//! What a person types and points to so that the vault knows them, the same in every window that asks: the passphrase or
//! a personal recovery code in its place, a key file, the code of a second factor, and a token of the identity provider.
//! What is not needed is out of sight.

use std::cell::{Cell, RefCell};
use std::ops::Range;
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

/// Characters of a group, in every code that people type.
pub(super) const GROUP_CHARS: usize = 5;
/// Groups of a personal recovery code.
const PERSONAL_GROUPS: usize = 8;
/// Characters of a personal recovery code, spaces and dashes left out.
const PERSONAL_CHARS: usize = PERSONAL_GROUPS * GROUP_CHARS;
/// All of it at once, with a space between the groups: a group is found only where it can be seen.
const PERSONAL_SHOWN: i32 = 47;
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
    /// What is done once a file or a token was chosen.
    chosen: RefCell<Option<Box<dyn Fn()>>>,
}

impl Identity {
    /// `window` is the one it will stand in; `name` what its passphrase is called.
    pub(crate) fn new(words: &'static Words, window: &gtk::Window, name: &str, known: &Known) -> Rc<Self> {
        let personal = code_entry(PERSONAL_TYPED, "code");
        personal.set_width_chars(PERSONAL_SHOWN);
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
        token_part.pack_start(&look::text_in(look::SHORT_LINE, &words.token_text, "faint"), false, false, 0);

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
            chosen: RefCell::new(None),
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

    /// Once a file or a token was chosen: what was said before may be mended by it. `chosen` must not hold the window.
    pub(crate) fn on_chosen(&self, chosen: impl Fn() + 'static) {
        self.chosen.replace(Some(Box::new(chosen)));
    }

    fn was_chosen(&self) {
        if let Some(chosen) = &*self.chosen.borrow() {
            chosen();
        }
    }

    /// Puts the link in the middle, as the ones of the window are.
    pub(crate) fn centre_link(&self) {
        self.swap.set_halign(gtk::Align::Center);
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
                this.was_chosen();
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

    /// Goes to the button that everything is for, and lets the window know.
    fn after_token(&self) {
        if let Some(button) = self.window.default_widget() {
            button.grab_focus();
        }
        self.was_chosen();
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

    /// What was typed and chosen so far, which stays; or what is wrong with it, in words, and the keyboard there.
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
            PersonalCodeError::Length { found } => {
                self.personal.grab_focus();
                fill(
                    &self.words.personal_length,
                    &[("count", &found.to_string()), ("needed", &PERSONAL_CHARS.to_string())],
                )
            }
            PersonalCodeError::Group { group } => {
                select_group(&self.personal, group, PERSONAL_GROUPS);
                fill(&self.words.personal_group, &[("number", &group.to_string())])
            }
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

/// Goes to a group of the code in an entry, counted from 1 of so many, and selects it: what is typed takes its place.
pub(super) fn select_group(entry: &gtk::Entry, group: usize, groups: usize) {
    // GTK holds nothing but UTF-8.
    let place = raw::lend_text(entry, |bytes| place_of(std::str::from_utf8(bytes).unwrap_or_default(), group, groups));
    let in_gtk = |at: usize| i32::try_from(at).ok();
    let Some((start, end)) = place.and_then(|place| in_gtk(place.start).zip(in_gtk(place.end))) else {
        return entry.grab_focus();
    };
    entry.grab_focus_without_selecting();
    // An entry scrolls no further than to its cursor. From the end, and with the cursor before the group, all of it is seen.
    entry.set_position(-1);
    let entry = entry.clone();
    // Once it has scrolled, which GTK does when nothing else is to be done.
    glib::idle_add_local_once(move || entry.select_region(end, start));
}

/// Where a group stands in what was typed, in characters; nothing if it is not clear. Counted as the engine counts: by
/// characters if there are as many as there should be, else by what stands between spaces.
fn place_of(typed: &str, group: usize, groups: usize) -> Option<Range<usize>> {
    let characters: Vec<usize> =
        typed.chars().enumerate().filter(|&(_, character)| !is_separator(character)).map(|(at, _)| at).collect();
    let mut found: Vec<&[usize]> = if characters.len() == groups * GROUP_CHARS {
        characters.chunks_exact(GROUP_CHARS).collect()
    } else {
        characters.chunk_by(|before, after| after - before == 1).collect()
    };
    if found.len() != groups || !(1..=groups).contains(&group) {
        return None;
    }
    let place = found.swap_remove(group - 1);
    Some(*place.first()?..place.last()? + 1)
}

/// What may stand between groups: docs/FORMAT.md §4.9.
fn is_separator(character: char) -> bool {
    character.is_whitespace() || matches!(character, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// What an entry holds, to be erased by whoever has it.
pub(super) fn text_of(entry: &gtk::Entry) -> Zeroizing<String> {
    // GTK holds nothing but UTF-8.
    raw::lend_text(entry, |bytes| Zeroizing::new(std::str::from_utf8(bytes).unwrap_or_default().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_found_where_it_was_typed() {
        assert_eq!(place_of("AAAAA BBBBB CCCCC", 2, 3), Some(6..11));
        assert_eq!(place_of("aaaaabbbbbccccc", 3, 3), Some(10..15));
        assert_eq!(place_of("  ÄAAAA – BBB BB CCCCC", 2, 3), Some(10..16));
        // One character too few: what stands between spaces counts.
        assert_eq!(place_of("AAAAA BBBB  CCCCC", 2, 3), Some(6..10));
        assert_eq!(place_of("AAAAA BBBB  CCCCC", 3, 3), Some(12..17));
    }

    #[test]
    fn no_group_is_shown_where_it_is_not_clear_which() {
        assert_eq!(place_of("AAAAABBBB CCCCC", 2, 3), None);
        assert_eq!(place_of("AAAAA BBBBB CCCCC", 4, 3), None);
        assert_eq!(place_of("", 1, 3), None);
    }
}

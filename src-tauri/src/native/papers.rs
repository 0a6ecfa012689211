//! The window for the recovery kit, or for shares of it: chosen as files, one medium after the other, or typed from paper.
//! The web view never has them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use coffer_core::{
    JoinError, ReadKit, ReadShare, RecoverError, RecoveryCodeError, RecoveryText, RecoveryTextError, ShareCodeError,
    SharesError, parse_recovery_text,
};
use coffer_model::account::LoginName;
use gtk::prelude::*;
use gtk::{gio, glib, pango};
use zeroize::Zeroizing;

use super::files::{self, Purpose};
use super::identity::{code_entry, select_group, text_of};
use super::look::{self, GAP, MARGIN, Notice};
use super::reply::Reply;
use super::words::{Words, fill};
use crate::refusal::Refusal;
use crate::{raw, shown};

/// What is typed beyond this is no code, however it is spaced.
const CODE_TYPED: i32 = 160;
/// Groups of the kit's code, and of a share's.
const KIT_GROUPS: usize = 14;
const SHARE_GROUPS: usize = 17;

/// What is asked for, and what for.
pub(crate) struct Question<'w> {
    /// The window's title.
    pub(crate) window: &'w str,
    /// In one line.
    pub(crate) title: &'w str,
    /// What it will do.
    pub(crate) text: String,
    /// Whether a new account is named with it.
    pub(crate) asks_login: bool,
}

/// What somebody brings.
pub(crate) enum Brought {
    /// The kit.
    Kit(ReadKit),
    /// Shares of it, not joined yet.
    Shares(Vec<ReadShare>),
}

/// Makes one kit of what was brought and says whether it does, on a thread of its own.
pub(crate) type Check = Arc<dyn Fn(Brought, Option<&LoginName>) -> Result<ReadKit, Problem> + Send + Sync>;

/// Why what was brought does not do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Problem {
    /// The vault knows another share of that number.
    Forged(u8),
    /// Two different shares have that number.
    Twofold(u8),
    /// So many more are needed.
    TooFew(u8),
    /// An error's permanent code.
    Other(&'static str),
}

impl From<SharesError> for Problem {
    fn from(error: SharesError) -> Self {
        match error {
            SharesError::Forged { number } => Self::Forged(number),
            SharesError::Join(JoinError::Twofold { number }) => Self::Twofold(number),
            SharesError::Join(JoinError::TooFew { missing }) => Self::TooFew(missing),
            error => Self::Other(error.code()),
        }
    }
}

impl From<RecoverError> for Problem {
    fn from(error: RecoverError) -> Self {
        Self::Other(error.code())
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::Other(refusal.code)
    }
}

impl Problem {
    fn words(self, words: &Words) -> String {
        let numbered = |message: &str, number: u8| fill(message, &[("number", &number.to_string())]);
        match self {
            Self::Forged(number) => numbered(&words.papers_forged, number),
            Self::Twofold(number) => numbered(&words.papers_twofold, number),
            Self::TooFew(missing) => numbered(&words.papers_missing, missing),
            Self::Other(code) => words.error(code),
        }
    }
}

/// One text that was brought. Parsed anew when it is used: what is parsed is used up by joining it.
struct Paper {
    /// What it is, and where from.
    name: String,
    text: Zeroizing<String>,
    /// Its number and how many are needed, if it is a share.
    share: Option<(u8, u8)>,
}

/// Why a text is neither a kit nor a share, in words.
struct Mistyped {
    words: String,
    /// The group it is about, counted from 1, of so many.
    group: Option<(usize, usize)>,
}

impl From<String> for Mistyped {
    fn from(words: String) -> Self {
        Self { words, group: None }
    }
}

struct PapersWindow {
    words: &'static Words,
    window: gtk::Window,
    papers: RefCell<Vec<Paper>>,
    list: gtk::Label,
    clear: gtk::Button,
    choose: gtk::Button,
    typed: gtk::Entry,
    login: Option<gtk::Entry>,
    problem: Notice,
    /// Whether what is said is about the login.
    is_of_login: Cell<bool>,
    go_on: gtk::Button,
    check: Check,
    reply: Reply<(ReadKit, Option<LoginName>)>,
}

/// Asks until `check` accepts what is brought and gives a kit, which is the answer with the login that was typed, or the
/// window is closed.
pub(crate) fn ask(
    words: &'static Words,
    parent: Option<&gtk::Window>,
    question: Question<'_>,
    check: Check,
    reply: Reply<(ReadKit, Option<LoginName>)>,
) {
    let list = look::text(&words.papers_none, "papers");
    list.set_line_wrap_mode(pango::WrapMode::WordChar);
    let login = question.asks_login.then(|| {
        let login = gtk::Entry::new();
        login.set_activates_default(true);
        login.set_input_hints(gtk::InputHints::NO_SPELLCHECK | gtk::InputHints::LOWERCASE);
        login
    });
    let typed = code_entry(CODE_TYPED, "code");
    typed.set_activates_default(false);
    typed.set_placeholder_text(Some(&words.personal_placeholder));
    let this = Rc::new(PapersWindow {
        window: look::window(question.window, parent),
        papers: RefCell::new(Vec::new()),
        list,
        clear: look::button(&words.papers_clear, "flat"),
        choose: look::button(&words.papers_choose, ""),
        typed,
        login,
        problem: Notice::new("danger"),
        is_of_login: Cell::new(false),
        go_on: look::button(&words.step_continue, "main"),
        words,
        check,
        reply,
    });
    let add = look::button(&words.papers_add, "");
    let cancel = look::button(&words.cancel, "");

    let chosen = look::column(4);
    chosen.pack_start(&look::name_of(&this.choose, &words.papers), false, false, 0);
    chosen.pack_start(&this.list, false, false, 0);
    let row = look::row(GAP);
    row.pack_start(&this.choose, false, false, 0);
    row.pack_start(&this.clear, false, false, 0);
    chosen.pack_start(&row, false, false, 4);

    let by_hand = look::column(4);
    by_hand.pack_start(&look::name_of(&this.typed, &words.papers_typed), false, false, 0);
    let row = look::row(GAP);
    row.pack_start(&this.typed, true, true, 0);
    row.pack_start(&add, false, false, 0);
    by_hand.pack_start(&row, false, false, 0);

    let contents = look::column(2 * GAP);
    contents.set_margin(MARGIN);
    contents.set_width_request(440);
    contents.pack_start(&super::heading(question.title, &question.text), false, false, 0);
    contents.pack_start(&chosen, false, false, 0);
    contents.pack_start(&by_hand, false, false, 0);
    if let Some(login) = &this.login {
        let column = look::column(4);
        column.pack_start(&look::name_of(login, &words.papers_login), false, false, 0);
        column.pack_start(login, false, false, 0);
        contents.pack_start(&column, false, false, 0);
    }
    contents.pack_start(this.problem.widget(), false, false, 0);
    contents.pack_start(&super::actions(&cancel, &this.go_on, &this.window), false, false, 0);
    this.window.add(&contents);

    this.choose.connect_clicked({
        let this = Rc::clone(&this);
        move |_| this.choose_files()
    });
    this.clear.connect_clicked({
        let this = Rc::clone(&this);
        move |_| {
            this.papers.borrow_mut().clear();
            this.say(&[]);
            this.show_list();
            this.choose.grab_focus();
        }
    });
    if let Some(login) = &this.login {
        let this = Rc::clone(&this);
        login.connect_changed(move |_| {
            if this.is_of_login.get() {
                this.say(&[]);
            }
        });
    }
    this.typed.connect_activate({
        let this = Rc::clone(&this);
        move |_| {
            this.take_typed();
        }
    });
    add.connect_clicked({
        let this = Rc::clone(&this);
        move |_| {
            this.take_typed();
        }
    });
    this.go_on.connect_clicked({
        let this = Rc::clone(&this);
        move |_| this.go_on()
    });
    // The handlers hold the window's parts: let go of what was brought when it is closed.
    this.window.connect_destroy({
        let this = Rc::clone(&this);
        move |_| {
            this.papers.borrow_mut().clear();
            raw::erase_text(&this.typed);
            this.reply.decline();
        }
    });
    super::close_on_escape(&this.window);
    this.clear.set_no_show_all(true);
    this.window.show_all();
    this.window.present();
    this.choose.grab_focus();
}

impl PapersWindow {
    /// Reads files at once: the medium they are on may be handed back.
    fn choose_files(self: &Rc<Self>) {
        let this = Rc::clone(self);
        glib::MainContext::default().spawn_local(async move {
            let paths = files::choose_several(Purpose::Papers, Some(&this.window), this.words).await;
            let mut problems = Vec::new();
            for path in paths {
                let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let read = shown::read_paper(&path).ok_or_else(|| this.words.papers_unreadable.clone().into());
                if let Err(problem) = read.and_then(|text| this.take(text, &file)) {
                    problems.push(fill(&this.words.papers_file, &[("file", &file), ("problem", &problem.words)]));
                }
            }
            this.say(&problems);
            this.show_list();
        });
    }

    /// Takes what was typed, if there is anything; `false` if it is no code, which is told.
    fn take_typed(&self) -> bool {
        let text = text_of(&self.typed);
        if text.trim().is_empty() {
            return true;
        }
        match self.take(text, &self.words.papers_by_hand) {
            Ok(()) => {
                raw::erase_text(&self.typed);
                self.say(&[]);
                self.show_list();
                true
            }
            Err(problem) => {
                self.say(&[problem.words]);
                match problem.group {
                    Some((group, groups)) => select_group(&self.typed, group, groups),
                    None => self.typed.grab_focus(),
                }
                false
            }
        }
    }

    /// Puts a text with the others. A kit is enough by itself, so it takes the place of all of them; a share that of a kit.
    fn take(&self, text: Zeroizing<String>, from: &str) -> Result<(), Mistyped> {
        let words = self.words;
        let (name, share) = match parse_recovery_text(&text).map_err(|error| mistyped(words, error))? {
            RecoveryText::Kit(_) => (fill(&words.papers_kit, &[("from", from)]), None),
            RecoveryText::Share(share) => {
                let (number, split) = (share.number(), share.split());
                let count = split.shares().to_string();
                let name =
                    fill(&words.papers_share, &[("number", &number.to_string()), ("count", &count), ("from", from)]);
                (name, Some((number, split.needed())))
            }
        };
        let mut papers = self.papers.borrow_mut();
        papers.retain(|paper| paper.share.is_some() && share.is_some());
        papers.push(Paper { name, text, share });
        Ok(())
    }

    /// Shows what there is, and how many shares it takes.
    fn show_list(&self) {
        let papers = self.papers.borrow();
        let mut lines: Vec<String> = papers.iter().map(|paper| paper.name.clone()).collect();
        if let Some((_, needed)) = papers.first().and_then(|paper| paper.share) {
            let mut numbers: Vec<u8> =
                papers.iter().filter_map(|paper| paper.share).map(|(number, _)| number).collect();
            numbers.sort_unstable();
            numbers.dedup();
            lines.push(fill(
                &self.words.papers_needed,
                &[("have", &numbers.len().to_string()), ("needed", &needed.to_string())],
            ));
        }
        self.list.set_text(&if lines.is_empty() { self.words.papers_none.clone() } else { lines.join("\n") });
        self.clear.set_visible(!papers.is_empty());
    }

    /// What was brought, as the engine takes it; nothing if there is nothing.
    fn brought(&self) -> Option<Brought> {
        let papers = self.papers.borrow();
        let mut shares = Vec::new();
        for paper in papers.iter() {
            match parse_recovery_text(&paper.text) {
                Ok(RecoveryText::Kit(kit)) => return Some(Brought::Kit(kit)),
                Ok(RecoveryText::Share(share)) => shares.push(share),
                // It was parsed when it was taken.
                Err(_) => {}
            }
        }
        if shares.is_empty() { None } else { Some(Brought::Shares(shares)) }
    }

    fn go_on(self: &Rc<Self>) {
        if !self.take_typed() {
            return;
        }
        let Some(brought) = self.brought() else {
            self.say(std::slice::from_ref(&self.words.papers_empty));
            return self.choose.grab_focus();
        };
        let login = match self.login.as_ref().map(|login| (login, login.text().trim().parse::<LoginName>())) {
            Some((login, Err(_))) => return self.refuse_login(login, "invalid_login"),
            Some((_, Ok(login))) => Some(login),
            None => None,
        };
        self.set_busy(true);
        let this = Rc::clone(self);
        glib::MainContext::default().spawn_local(async move {
            let (check, named) = (Arc::clone(&this.check), login.clone());
            let outcome = gio::spawn_blocking(move || check(brought, named.as_ref())).await;
            this.set_busy(false);
            match outcome.unwrap_or(Err(Problem::Other("bug"))) {
                Ok(kit) => this.reply.close_and_send(&this.window, (kit, login)),
                Err(problem) => match (&this.login, problem) {
                    (Some(login), Problem::Other(code @ "login_taken")) => this.refuse_login(login, code),
                    _ => {
                        this.say(&[problem.words(this.words)]);
                        this.choose.grab_focus();
                    }
                },
            }
        });
    }

    /// Says what is wrong with the login, until it is changed.
    fn refuse_login(&self, login: &gtk::Entry, code: &str) {
        self.say(&[self.words.error(code)]);
        self.is_of_login.set(true);
        login.grab_focus();
    }

    fn say(&self, problems: &[String]) {
        self.is_of_login.set(false);
        if problems.is_empty() { self.problem.hush() } else { self.problem.say(&problems.join("\n")) }
    }

    fn set_busy(&self, busy: bool) {
        self.say(&[]);
        self.go_on.set_label(if busy { &self.words.step_busy } else { &self.words.step_continue });
        for part in [&self.go_on, &self.choose, &self.clear] {
            part.set_sensitive(!busy);
        }
        self.typed.set_sensitive(!busy);
    }
}

/// What is wrong with a text, and where to look.
fn mistyped(words: &Words, error: RecoveryTextError) -> Mistyped {
    let (group, groups) = match error {
        RecoveryTextError::Kit(
            RecoveryCodeError::Group { group }
            | RecoveryCodeError::GroupLength { group }
            | RecoveryCodeError::Character { group },
        ) => (group, KIT_GROUPS),
        RecoveryTextError::Share(ShareCodeError::Group { group }) => (group, SHARE_GROUPS),
        RecoveryTextError::Kit(RecoveryCodeError::Checksum) | RecoveryTextError::Share(ShareCodeError::Checksum) => {
            return words.papers_checksum.clone().into();
        }
        RecoveryTextError::Neither
        | RecoveryTextError::Kit(RecoveryCodeError::Length { .. })
        | RecoveryTextError::Share(ShareCodeError::Length { .. }) => return words.papers_neither.clone().into(),
    };
    Mistyped { words: fill(&words.papers_group, &[("number", &group.to_string())]), group: Some((group, groups)) }
}

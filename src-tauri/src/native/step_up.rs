//! The window that asks for the passphrase once more, with whatever else the account asks for, before an action that nobody
//! should do at another's keyboard; and for another administrator's, before one that takes two.

use std::rc::Rc;
use std::sync::Arc;

use gtk::prelude::*;
use gtk::{gio, glib};

use super::identity::{Identity, Mistyped};
use super::look::{self, GAP, MARGIN, Notice};
use super::reply::Reply;
use super::words::Words;
use crate::shell::UnlockProblem;
use crate::shown::{Known, Shown};

/// Checks what was shown, on a thread of its own. The login is what was typed, where it is asked for.
pub(crate) type Check<T> = Arc<dyn Fn(&str, &Shown) -> Result<T, UnlockProblem> + Send + Sync>;

/// What is asked, and why.
pub(crate) struct Question<'w> {
    /// The window's title.
    pub(crate) window: &'w str,
    /// In one line.
    pub(crate) title: &'w str,
    /// Why it is asked.
    pub(crate) reason: String,
    /// The error's code that says a passphrase is not the one, and its words.
    pub(crate) wrong: (&'static str, String),
    /// What is asked for besides a passphrase.
    pub(crate) known: Known,
    /// Whether it is somebody else who is asked, and types a login.
    pub(crate) asks_login: bool,
}

struct StepUpWindow<T> {
    words: &'static Words,
    window: gtk::Window,
    wrong: (&'static str, String),
    login: Option<gtk::Entry>,
    identity: Rc<Identity>,
    problem: Notice,
    go_on: gtk::Button,
    check: Check<T>,
    reply: Reply<T>,
}

/// Asks until `check` accepts what is shown and gives the answer, or the window is closed.
pub(crate) fn ask<T: Send + 'static>(
    words: &'static Words,
    parent: Option<&gtk::Window>,
    question: Question<'_>,
    check: Check<T>,
    reply: Reply<T>,
) {
    let window = look::window(question.window, parent);
    let login = question.asks_login.then(|| {
        let login = gtk::Entry::new();
        login.set_activates_default(true);
        login.set_input_hints(gtk::InputHints::NO_SPELLCHECK | gtk::InputHints::LOWERCASE);
        login
    });
    let this = Rc::new(StepUpWindow {
        words,
        wrong: question.wrong,
        identity: Identity::new(words, &window, &words.passphrase, &question.known),
        login,
        problem: Notice::new("danger"),
        go_on: look::button(&words.step_continue, "main"),
        window,
        check,
        reply,
    });
    let cancel = look::button(&words.cancel, "");
    let contents = look::column(2 * GAP);
    contents.set_margin(MARGIN);
    contents.set_width_request(400);
    contents.pack_start(&super::heading(question.title, &question.reason), false, false, 0);
    if let Some(login) = &this.login {
        let column = look::column(4);
        column.pack_start(&look::name_of(login, &words.login), false, false, 0);
        column.pack_start(login, false, false, 0);
        contents.pack_start(&column, false, false, 0);
    }
    contents.pack_start(this.identity.widget(), false, false, 0);
    contents.pack_start(this.problem.widget(), false, false, 0);
    contents.pack_start(&super::actions(&cancel, &this.go_on, &this.window), false, false, 0);
    this.window.add(&contents);

    this.go_on.connect_clicked({
        let this = Rc::clone(&this);
        move |_| this.check()
    });
    // A strong hold would keep the typed text alive.
    let weak = Rc::downgrade(&this);
    this.identity.on_chosen(move || {
        if let Some(this) = weak.upgrade() {
            this.problem.hush();
        }
    });
    this.window.connect_destroy({
        let this = Rc::clone(&this);
        move |_| {
            this.identity.erase();
            this.reply.decline();
        }
    });
    super::close_on_escape(&this.window);
    this.window.show_all();
    this.window.present();
    match &this.login {
        Some(login) => login.grab_focus(),
        None => this.identity.grab_focus(),
    }
}

impl<T: Send + 'static> StepUpWindow<T> {
    fn check(self: &Rc<Self>) {
        let shown = match self.identity.shown() {
            Ok(shown) => shown,
            Err(Mistyped::Passphrase) => return self.refuse(&UnlockProblem::of(self.wrong.0)),
            Err(Mistyped::PersonalCode(words)) => return self.problem.say(&words),
        };
        let login = self.login.as_ref().map(|login| login.text().trim().to_owned()).unwrap_or_default();
        self.set_busy(true);
        let this = Rc::clone(self);
        glib::MainContext::default().spawn_local(async move {
            let check = Arc::clone(&this.check);
            let outcome = gio::spawn_blocking(move || check(&login, &shown)).await;
            this.set_busy(false);
            match outcome.unwrap_or_else(|_| Err(UnlockProblem::of("bug"))) {
                Ok(answer) => {
                    this.identity.erase();
                    this.reply.close_and_send(&this.window, answer);
                }
                Err(problem) => this.refuse(&problem),
            }
        });
    }

    fn refuse(&self, problem: &UnlockProblem) {
        if self.identity.refuse(problem) {
            let is_wrong = problem.code == self.wrong.0;
            self.problem.say(&if is_wrong { self.wrong.1.clone() } else { self.words.problem(problem) });
        }
    }

    fn set_busy(&self, busy: bool) {
        self.problem.hush();
        self.go_on.set_label(if busy { &self.words.step_busy } else { &self.words.step_continue });
        self.go_on.set_sensitive(!busy);
        if let Some(login) = &self.login {
            login.set_sensitive(!busy);
        }
        self.identity.set_sensitive(!busy);
    }
}

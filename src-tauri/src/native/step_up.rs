//! The window that asks for the passphrase once more, before an action that nobody should do at another's keyboard.

use std::rc::Rc;
use std::sync::Arc;

use gtk::prelude::*;
use gtk::{gio, glib};

use super::look::{self, GAP, MARGIN, Notice};
use super::new_passphrase::Use;
use super::reply::Reply;
use super::secret_entry::SecretEntry;
use super::words::{Words, fill};

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
}

struct StepUpWindow<T> {
    words: &'static Words,
    window: gtk::Window,
    wrong: (&'static str, String),
    passphrase: SecretEntry,
    problem: Notice,
    go_on: gtk::Button,
    check: Use<T>,
    reply: Reply<T>,
}

/// Asks for the passphrase of `login` until `check` accepts it, which is the answer, or the window is closed.
pub(crate) fn show(
    words: &'static Words,
    parent: Option<&gtk::Window>,
    login: &str,
    reason: &str,
    check: Use<()>,
    reply: Reply<()>,
) {
    let question = Question {
        window: &words.step_window,
        title: &words.step_title,
        reason: reason.to_owned(),
        wrong: ("unlock_refused", fill(&words.step_wrong, &[("login", login)])),
    };
    ask(words, parent, question, check, reply);
}

/// Asks for a passphrase until `check` accepts it and gives the answer, or the window is closed.
pub(crate) fn ask<T: Send + 'static>(
    words: &'static Words,
    parent: Option<&gtk::Window>,
    question: Question<'_>,
    check: Use<T>,
    reply: Reply<T>,
) {
    let window = look::window(question.window, parent);
    let this = Rc::new(StepUpWindow {
        words,
        wrong: question.wrong,
        passphrase: SecretEntry::new(words, &words.passphrase),
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
    contents.pack_start(this.passphrase.widget(), false, false, 0);
    contents.pack_start(this.problem.widget(), false, false, 0);
    contents.pack_start(&super::actions(&cancel, &this.go_on, &this.window), false, false, 0);
    this.window.add(&contents);

    this.go_on.connect_clicked({
        let this = Rc::clone(&this);
        move |_| this.check()
    });
    this.window.connect_destroy({
        let this = Rc::clone(&this);
        move |_| this.reply.decline()
    });
    super::close_on_escape(&this.window);
    this.window.show_all();
    this.window.present();
    this.passphrase.grab_focus();
}

impl<T: Send + 'static> StepUpWindow<T> {
    fn check(self: &Rc<Self>) {
        let Ok(passphrase) = self.passphrase.take() else { return self.refuse(self.wrong.0) };
        self.set_busy(true);
        let this = Rc::clone(self);
        glib::MainContext::default().spawn_local(async move {
            let check = Arc::clone(&this.check);
            let outcome = gio::spawn_blocking(move || check(passphrase)).await.unwrap_or(Err("bug"));
            this.set_busy(false);
            match outcome {
                Ok(answer) => {
                    this.reply.send(answer);
                    this.window.close();
                }
                Err(code) => this.refuse(code),
            }
        });
    }

    fn refuse(&self, code: &'static str) {
        let words = if code == self.wrong.0 { self.wrong.1.clone() } else { self.words.error(code) };
        self.problem.say(&words);
        self.passphrase.grab_focus();
    }

    fn set_busy(&self, busy: bool) {
        self.problem.hush();
        self.go_on.set_label(if busy { &self.words.step_busy } else { &self.words.step_continue });
        self.go_on.set_sensitive(!busy);
        self.passphrase.set_sensitive(!busy);
    }
}

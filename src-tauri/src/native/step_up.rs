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

struct StepUpWindow {
    words: &'static Words,
    window: gtk::Window,
    login: String,
    passphrase: SecretEntry,
    problem: Notice,
    go_on: gtk::Button,
    check: Use<()>,
    reply: Reply<()>,
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
    let window = look::window(&words.step_window, parent);
    let this = Rc::new(StepUpWindow {
        words,
        login: login.to_owned(),
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
    contents.pack_start(&super::heading(&words.step_title, reason), false, false, 0);
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

impl StepUpWindow {
    fn check(self: &Rc<Self>) {
        let Ok(passphrase) = self.passphrase.take() else { return self.refuse("unlock_refused") };
        self.set_busy(true);
        let this = Rc::clone(self);
        glib::MainContext::default().spawn_local(async move {
            let check = Arc::clone(&this.check);
            let outcome = gio::spawn_blocking(move || check(passphrase)).await.unwrap_or(Err("bug"));
            this.set_busy(false);
            match outcome {
                Ok(()) => {
                    this.reply.send(());
                    this.window.close();
                }
                Err(code) => this.refuse(code),
            }
        });
    }

    fn refuse(&self, code: &'static str) {
        let words = match code {
            "unlock_refused" => fill(&self.words.step_wrong, &[("login", &self.login)]),
            code => self.words.error(code),
        };
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

//! The window for who was invited: the activation code is typed here, and then a passphrase is chosen in the window for
//! that. It ends in an unlocked vault.

use std::rc::Rc;
use std::sync::Arc;

use coffer_core::{ActivationCode, ActivationCodeError, Passphrase};
use gtk::prelude::*;
use gtk::{gio, glib};
use zeroize::Zeroizing;

use super::identity::{GROUP_CHARS, select_group};
use super::look::{self, GAP, MARGIN, Notice};
use super::new_passphrase::{self, Use};
use super::reply::{self, Reply};
use super::words::{Words, fill};
use crate::places::Place;
use crate::raw;
use crate::shell::Shell;

/// Groups of a code.
const CODE_GROUPS: usize = 6;
/// Characters a code has, spaces and dashes left out.
const CODE_CHARS: usize = CODE_GROUPS * GROUP_CHARS;
/// What is typed beyond this is no code, however it is spaced.
const TYPED_CHARS: i32 = 80;

/// The window and what it is about. Shared by the handlers of its widgets.
struct ActivationWindow {
    shell: Arc<Shell>,
    words: &'static Words,
    place: Place,
    window: gtk::Window,
    code: gtk::Entry,
    problem: Notice,
    go_on: gtk::Button,
    reply: Reply<()>,
}

/// Asks for an activation code of the vault at `place`, then for a new passphrase; answers once the vault is unlocked.
pub(crate) fn show(shell: Arc<Shell>, parent: &gtk::Window, place: Place, reply: Reply<()>) {
    let words = shell.words();
    let code = gtk::Entry::new();
    code.set_activates_default(true);
    code.set_input_hints(gtk::InputHints::NO_SPELLCHECK | gtk::InputHints::NO_EMOJI);
    code.set_max_length(TYPED_CHARS);
    code.set_placeholder_text(Some("XXXXX XXXXX XXXXX XXXXX XXXXX XXXXX"));
    code.style_context().add_class("code");
    let this = Rc::new(ActivationWindow {
        window: look::window(&words.activate_window, Some(parent)),
        problem: Notice::new("danger"),
        go_on: look::button(&words.step_continue, "main"),
        shell,
        words,
        place,
        code,
        reply,
    });
    let cancel = look::button(&words.cancel, "");
    let column = look::column(4);
    column.pack_start(&look::name_of(&this.code, &words.activate_code), false, false, 0);
    column.pack_start(&this.code, false, false, 0);

    let contents = look::column(2 * GAP);
    contents.set_margin(MARGIN);
    contents.set_width_request(440);
    let text = fill(&words.activate_text, &[("vault", &this.place.name)]);
    contents.pack_start(&super::heading(&words.activate_title, &text), false, false, 0);
    contents.pack_start(&column, false, false, 0);
    contents.pack_start(this.problem.widget(), false, false, 0);
    contents.pack_start(&super::actions(&cancel, &this.go_on, &this.window), false, false, 0);
    this.window.add(&contents);

    this.go_on.connect_clicked({
        let this = Rc::clone(&this);
        move |_| this.look_up()
    });
    this.window.connect_destroy({
        let this = Rc::clone(&this);
        move |_| {
            raw::erase_text(&this.code);
            this.reply.decline();
        }
    });
    super::close_on_escape(&this.window);
    this.window.show_all();
    this.window.present();
    this.code.grab_focus();
}

impl ActivationWindow {
    /// Asks the vault whom the code is for. A code that is mistyped is told here, so that the vault's log has no entry of it.
    fn look_up(self: &Rc<Self>) {
        self.problem.hush();
        let code = match self.typed() {
            Ok(code) => Arc::new(code),
            Err(error) => {
                self.refuse(&self.mistyped(error));
                if let ActivationCodeError::Group { group } = error {
                    select_group(&self.code, group, CODE_GROUPS);
                }
                return;
            }
        };
        self.set_busy(true);
        let this = Rc::clone(self);
        glib::MainContext::default().spawn_local(async move {
            let asking = (Arc::clone(&this.shell), this.place.handle.clone(), Arc::clone(&code));
            let found = gio::spawn_blocking(move || asking.0.invited_login(&asking.1, &asking.2)).await;
            this.set_busy(false);
            match found.unwrap_or(Err("bug")) {
                Ok(login) => this.choose_passphrase(&login, code).await,
                Err(reason) => this.refuse(&this.words.error(reason)),
            }
        });
    }

    fn typed(&self) -> Result<ActivationCode, ActivationCodeError> {
        let bytes = Zeroizing::new(raw::lend_text(&self.code, <[u8]>::to_vec));
        // GTK holds nothing but UTF-8.
        ActivationCode::parse_text(std::str::from_utf8(&bytes).unwrap_or_default())
    }

    async fn choose_passphrase(self: &Rc<Self>, login: &str, code: Arc<ActivationCode>) {
        let names = vec![self.place.name.clone(), login.to_owned()];
        let wording = new_passphrase::Wording {
            window: &self.words.new_window,
            title: &self.words.new_title,
            text: fill(&self.words.activate_passphrase, &[("login", login), ("vault", &self.place.name)]),
            go_on: &self.words.activate_go,
            busy: &self.words.activate_busy,
        };
        let activate: Use<()> = {
            let (shell, handle) = (Arc::clone(&self.shell), self.place.handle.clone());
            Arc::new(move |passphrase: Passphrase| shell.activate(&handle, &code, &passphrase))
        };
        let (reply, activated) = Reply::pair();
        new_passphrase::show_worded(self.words, Some(&self.window), wording, names, activate, reply);
        if reply::wait(activated).await.is_some() {
            self.reply.send(());
            self.window.close();
        }
    }

    fn mistyped(&self, error: ActivationCodeError) -> String {
        match error {
            ActivationCodeError::Length { found } => {
                fill(&self.words.activate_length, &[("count", &found.to_string()), ("needed", &CODE_CHARS.to_string())])
            }
            ActivationCodeError::Group { group } => fill(&self.words.activate_group, &[("number", &group.to_string())]),
        }
    }

    fn refuse(&self, words: &str) {
        self.problem.say(words);
        self.code.grab_focus();
    }

    fn set_busy(&self, busy: bool) {
        self.go_on.set_label(if busy { &self.words.step_busy } else { &self.words.step_continue });
        self.go_on.set_sensitive(!busy);
        self.code.set_sensitive(!busy);
    }
}

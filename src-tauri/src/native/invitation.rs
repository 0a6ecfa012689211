//! The window that shows an activation code, this once: to be copied, saved as a file, or read out. The web view never has
//! it.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use coffer_core::{Invitation, SecretBytes};
use gtk::glib;
use gtk::prelude::*;

use super::files::{self, Purpose};
use super::look::{self, GAP, MARGIN, Notice};
use super::reply::Reply;
use super::words::{Words, fill};
use crate::refusal::Refusal;
use crate::shell::Shell;
use crate::storage;

/// Groups of the code in a line.
const GROUPS_IN_LINE: usize = 3;

struct InvitationWindow {
    shell: Arc<Shell>,
    words: &'static Words,
    window: gtk::Window,
    invitation: Invitation,
    done: Notice,
    problem: Notice,
}

/// Shows the code of an invitation. Closing the window is the answer.
pub(crate) fn show(shell: Arc<Shell>, parent: Option<&gtk::Window>, invitation: Invitation, reply: Reply<()>) {
    let words = shell.words();
    let login = invitation.login.to_string();
    let this = Rc::new(InvitationWindow {
        window: look::window(&fill(&words.invitation_window, &[("login", &login)]), parent),
        done: Notice::new("good"),
        problem: Notice::new("danger"),
        shell,
        words,
        invitation,
    });
    let code = gtk::Label::new(Some(&in_lines(this.invitation.code.expose())));
    code.style_context().add_class("activation-code");
    code.set_justify(gtk::Justification::Center);
    let until = words.local_time(this.invitation.expires_at);

    let copy = look::button(&words.copy, "");
    let save = look::button(&words.save_as_file, "");
    let close = look::button(&words.done, "main");
    let actions = look::row(GAP);
    actions.set_margin_top(GAP);
    actions.pack_start(&copy, false, false, 0);
    actions.pack_start(&save, false, false, 0);
    actions.pack_end(&close, false, false, 0);

    let contents = look::column(2 * GAP);
    contents.set_margin(MARGIN);
    contents.set_width_request(420);
    let text = fill(&words.invitation_text, &[("login", &login)]);
    contents.pack_start(&super::heading(&fill(&words.invitation_title, &[("login", &login)]), &text), false, false, 0);
    contents.pack_start(&code, false, false, 0);
    contents.pack_start(&look::text(&fill(&words.invitation_until, &[("until", &until)]), ""), false, false, 0);
    contents.pack_start(&look::text(&words.invitation_grants, "quiet"), false, false, 0);
    contents.pack_start(this.done.widget(), false, false, 0);
    contents.pack_start(this.problem.widget(), false, false, 0);
    contents.pack_start(&actions, false, false, 0);
    this.window.add(&contents);

    copy.connect_clicked({
        let this = Rc::clone(&this);
        move |_| this.copy()
    });
    save.connect_clicked({
        let this = Rc::clone(&this);
        move |_| this.save()
    });
    close.set_can_default(true);
    this.window.set_default(Some(&close));
    close.connect_clicked({
        let window = this.window.clone();
        move |_| window.close()
    });
    this.window.connect_destroy({
        // Everything of the window is let go of with it, the code first of all.
        let code = code.downgrade();
        move |_| {
            if let Some(code) = code.upgrade() {
                code.set_text("");
            }
            reply.send(());
        }
    });
    super::close_on_escape(&this.window);
    this.window.show_all();
    this.window.present();
    copy.grab_focus();
}

impl InvitationWindow {
    fn copy(&self) {
        let seconds = self.shell.settings().clipboard_seconds;
        let copied = self.shell.host.clipboard.copy_secret(self.code(), Duration::from_secs(seconds.into()));
        match copied {
            Ok(()) => self.say(&fill(&self.words.invitation_copied, &[("seconds", &seconds.to_string())])),
            Err(error) => self.refuse(error.code()),
        }
    }

    fn save(self: &Rc<Self>) {
        let this = Rc::clone(self);
        glib::MainContext::default().spawn_local(async move {
            let login = this.invitation.login.to_string();
            let suggested = fill(&this.words.activation_code_file_default, &[("login", &login)]);
            let chosen = files::choose(Purpose::ActivationCode, Some(&this.window), &suggested, this.words).await;
            let Some(path) = chosen else { return };
            match storage::replace_file(&path, this.code().expose()) {
                Ok(()) => {
                    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    this.say(&fill(&this.words.invitation_saved, &[("file", &name)]));
                }
                Err(error) => this.refuse(Refusal::from(error).code),
            }
        });
    }

    fn code(&self) -> SecretBytes {
        SecretBytes::new(self.invitation.code.expose().to_vec())
    }

    fn say(&self, words: &str) {
        self.problem.hush();
        self.done.say(words);
    }

    fn refuse(&self, code: &str) {
        self.done.hush();
        self.problem.say(&self.words.error(code));
    }
}

/// The groups, so many in a line.
fn in_lines(code: &[u8]) -> String {
    let text = String::from_utf8_lossy(code);
    let groups: Vec<&str> = text.split(' ').collect();
    let lines: Vec<String> = groups.chunks(GROUPS_IN_LINE).map(|line| line.join("  ")).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_stands_in_two_lines_of_three_groups() {
        assert_eq!(in_lines(b"AAAAA BBBBB CCCCC DDDDD EEEEE FFFFF"), "AAAAA  BBBBB  CCCCC\nDDDDD  EEEEE  FFFFF");
    }
}

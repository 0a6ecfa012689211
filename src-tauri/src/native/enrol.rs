//! The window in which an authenticator takes a seed in: as a picture or as text, shown to be there by a code. The web view
//! never has it.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use coffer_core::{SecondFactorOffer, SecretBytes};
use gtk::cairo;
use gtk::prelude::*;
use zeroize::Zeroizing;

use super::identity::{code_entry, text_of};
use super::look::{self, GAP, MARGIN, Notice};
use super::reply::Reply;
use super::words::{Words, fill};
use crate::raw;
use crate::shell::Shell;

/// Light modules around a QR code (ISO/IEC 18004 §6.3.8).
const QUIET: usize = 4;
/// About how wide the picture is, in pixels: each module is a whole number of them.
const PICTURE: usize = 232;
/// What is typed beyond this is no code, however it is spaced.
const CODE_TYPED: i32 = 12;

struct EnrolWindow {
    shell: Arc<Shell>,
    words: &'static Words,
    window: gtk::Window,
    offer: Arc<SecondFactorOffer>,
    code: gtk::Entry,
    done: Notice,
    problem: Notice,
    reply: Reply<Zeroizing<String>>,
}

/// Shows the seed on offer until the code typed is one of it, which is the answer, or the window is closed. `problem` says
/// what came of a code before.
pub(crate) fn show(
    shell: Arc<Shell>,
    parent: Option<&gtk::Window>,
    offer: Arc<SecondFactorOffer>,
    problem: Option<&'static str>,
    reply: Reply<Zeroizing<String>>,
) {
    let words = shell.words();
    let this = Rc::new(EnrolWindow {
        window: look::window(&words.enrol_window, parent),
        code: code_entry(CODE_TYPED, "one-time"),
        done: Notice::new("good"),
        problem: Notice::new("danger"),
        shell,
        words,
        offer,
        reply,
    });
    this.code.set_alignment(0.5);
    let seed = gtk::Label::new(Some(&in_fours(&this.offer.seed_text())));
    seed.style_context().add_class("seed");
    seed.set_justify(gtk::Justification::Center);
    let copy = look::button(&words.copy, "");
    copy.set_halign(gtk::Align::Start);

    let beside = look::column(GAP);
    beside.set_valign(gtk::Align::Center);
    let by_hand = look::text(&words.enrol_by_hand, "quiet");
    by_hand.set_width_chars(26);
    by_hand.set_max_width_chars(26);
    beside.pack_start(&by_hand, false, false, 0);
    beside.pack_start(&seed, false, false, 0);
    beside.pack_start(&copy, false, false, 0);
    let both = look::row(3 * GAP);
    both.pack_start(&picture(&this.offer, &words.enrol_picture), false, false, 0);
    both.pack_start(&beside, true, true, 0);

    let typed = look::column(4);
    typed.pack_start(&look::name_of(&this.code, &words.enrol_code), false, false, 0);
    typed.pack_start(&this.code, false, false, 0);
    let cancel = look::button(&words.cancel, "");
    let go_on = look::button(&words.step_continue, "main");
    let contents = look::column(2 * GAP);
    contents.set_margin(MARGIN);
    contents.set_width_request(500);
    contents.pack_start(&super::heading(&words.enrol_title, &words.enrol_text), false, false, 0);
    contents.pack_start(&both, false, false, 0);
    contents.pack_start(&typed, false, false, 0);
    contents.pack_start(this.done.widget(), false, false, 0);
    contents.pack_start(this.problem.widget(), false, false, 0);
    contents.pack_start(&super::actions(&cancel, &go_on, &this.window), false, false, 0);
    this.window.add(&contents);

    copy.connect_clicked({
        let this = Rc::clone(&this);
        move |_| this.copy()
    });
    go_on.connect_clicked({
        let this = Rc::clone(&this);
        move |_| this.check()
    });
    this.window.connect_destroy({
        let (this, seed) = (Rc::clone(&this), seed.downgrade());
        move |_| {
            raw::erase_text(&this.code);
            if let Some(seed) = seed.upgrade() {
                seed.set_text("");
            }
            this.reply.decline();
        }
    });
    super::close_on_escape(&this.window);
    this.window.show_all();
    if let Some(code) = problem {
        this.problem.say(&words.error(code));
    }
    this.window.present();
    this.code.grab_focus();
}

impl EnrolWindow {
    fn check(&self) {
        self.done.hush();
        let typed = text_of(&self.code);
        match self.shell.with(|session| session.check_second_factor(&self.offer, &typed)) {
            Ok(()) => {
                self.reply.close_and_send(&self.window, typed);
            }
            Err(refusal) => {
                raw::erase_text(&self.code);
                self.problem.say(&self.words.error(refusal.code));
                self.code.grab_focus();
            }
        }
    }

    /// For an authenticator on the same machine.
    fn copy(&self) {
        let seconds = self.shell.settings().clipboard_seconds;
        let copied = self.shell.host.clipboard.copy_secret(self.offer.seed_text(), Duration::from_secs(seconds.into()));
        match copied {
            Ok(()) => {
                self.problem.hush();
                self.done.say(&fill(&self.words.enrol_copied, &[("seconds", &seconds.to_string())]));
            }
            Err(error) => {
                self.done.hush();
                self.problem.say(&self.words.error(error.code()));
            }
        }
    }
}

/// The QR code, dark on light whatever the theme: cameras want it so.
fn picture(offer: &SecondFactorOffer, name: &str) -> gtk::DrawingArea {
    let modules = offer.qr_modules();
    let side = modules.len() + 2 * QUIET;
    let module = (PICTURE / side).max(3);
    let area = gtk::DrawingArea::new();
    let pixels = i32::try_from(side * module).unwrap_or(i32::MAX);
    area.set_size_request(pixels, pixels);
    area.set_valign(gtk::Align::Center);
    if let Some(accessible) = area.accessible() {
        accessible.set_name(name);
        accessible.set_role(gtk::atk::Role::Image);
    }
    area.connect_draw(move |_, context| {
        // What cannot be drawn can be typed.
        let _ = draw(context, &modules, module);
        gtk::glib::Propagation::Stop
    });
    area
}

#[expect(clippy::cast_precision_loss, reason = "a QR code has 177 modules a side at most")]
fn draw(context: &cairo::Context, modules: &[Vec<bool>], module: usize) -> Result<(), cairo::Error> {
    let at = |index: usize| ((index + QUIET) * module) as f64;
    let side = ((modules.len() + 2 * QUIET) * module) as f64;
    context.set_antialias(cairo::Antialias::None);
    context.set_source_rgb(1.0, 1.0, 1.0);
    context.rectangle(0.0, 0.0, side, side);
    context.fill()?;
    context.set_source_rgb(0.0, 0.0, 0.0);
    for (row, modules) in modules.iter().enumerate() {
        for (column, _) in modules.iter().enumerate().filter(|(_, dark)| **dark) {
            context.rectangle(at(column), at(row), module as f64, module as f64);
        }
    }
    context.fill()
}

/// The seed in groups of four, four in a line.
fn in_fours(seed: &SecretBytes) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(seed.expose().len() * 2));
    for (at, byte) in seed.expose().iter().enumerate() {
        if at > 0 && at % 4 == 0 {
            text.push(if at % 16 == 0 { '\n' } else { ' ' });
        }
        text.push(char::from(*byte));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_stands_in_two_lines_of_four_groups_of_four() {
        let seed = SecretBytes::new(b"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP".to_vec());
        assert_eq!(*in_fours(&seed), "JBSW Y3DP EHPK 3PXP\nJBSW Y3DP EHPK 3PXP");
    }
}

//! The question before the program is left over a recovery kit that nobody has confirmed: it would be gone for good.

use gtk::prelude::*;

use super::look::{self, GAP, MARGIN};
use super::reply::Reply;
use super::words::{Words, fill};

/// Asks whether to leave all the same, which is the answer. Going back, or closing the window, is none.
pub(crate) fn show(words: &'static Words, parent: Option<&gtk::Window>, vault: &str, reply: Reply<()>) {
    let window = look::window(&words.leave_kit_window, parent);
    let leave = look::button(&words.leave_kit_leave, "danger");
    let back = look::button(&words.leave_kit_back, "main");

    let actions = look::row(2 * GAP);
    actions.set_halign(gtk::Align::End);
    actions.set_margin_top(GAP);
    actions.pack_start(&leave, false, false, 0);
    actions.pack_start(&back, false, false, 0);

    let contents = look::column(2 * GAP);
    contents.set_margin(MARGIN);
    contents.set_width_request(400);
    let text = fill(&words.leave_kit_text, &[("vault", vault)]);
    contents.pack_start(&super::heading(&words.leave_kit_title, &text), false, false, 0);
    contents.pack_start(&look::list_in(look::LINE, &words.leave_kit_lost), false, false, 0);
    contents.pack_start(&look::text(&words.leave_kit_stays, "quiet"), false, false, 0);
    contents.pack_start(&actions, false, false, 0);
    window.add(&contents);

    back.set_can_default(true);
    window.set_default(Some(&back));
    back.connect_clicked({
        let window = window.clone();
        move |_| window.close()
    });
    leave.connect_clicked({
        let (window, reply) = (window.clone(), reply.clone());
        move |_| {
            reply.close_and_send(&window, ());
        }
    });
    window.connect_destroy(move |_| reply.decline());
    super::close_on_escape(&window);
    window.show_all();
    window.present();
    back.grab_focus();
}

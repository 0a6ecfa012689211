//! The window that has two groups of the recovery code typed again, so that the kit that was saved is known to be read.

use std::rc::Rc;
use std::sync::Arc;

use gtk::prelude::*;
use zeroize::Zeroizing;

use super::look::{self, GAP, MARGIN, Notice};
use super::reply::Reply;
use super::words::{Words, fill};
use crate::raw;

/// Characters of a group; the code itself says how many, and more can be typed than it has.
const GROUP_CHARS: i32 = 16;

/// Says whether what was typed are the groups at those positions (from 0), or the permanent code of an error.
pub(crate) type Check = Arc<dyn Fn(&[(usize, &str)]) -> Result<bool, &'static str> + Send + Sync>;

/// Asks for the groups at `positions` (from 0) of `count`, until both are right, which is the answer, or it is closed.
pub(crate) fn show(
    words: &'static Words,
    parent: Option<&gtk::Window>,
    positions: [usize; 2],
    count: usize,
    are_groups: Check,
    reply: Reply<()>,
) {
    let [first, second] = positions.map(|position| (position + 1).to_string());
    let window = look::window(&fill(&words.kit_window, &[("first", &first), ("second", &second)]), parent);
    let problem = Rc::new(Notice::new("danger"));
    let check = look::button(&words.kit_check, "main");
    let cancel = look::button(&words.cancel, "");

    let groups = look::row(2 * GAP);
    groups.set_homogeneous(true);
    let entries = positions.map(|position| {
        let entry = gtk::Entry::new();
        entry.set_activates_default(true);
        entry.set_input_hints(gtk::InputHints::NO_SPELLCHECK);
        entry.set_max_length(GROUP_CHARS);
        entry.style_context().add_class("code");
        let name = fill(&words.kit_group, &[("number", &(position + 1).to_string()), ("count", &count.to_string())]);
        let column = look::column(4);
        column.pack_start(&look::name_of(&entry, &name), false, false, 0);
        column.pack_start(&entry, false, false, 0);
        groups.pack_start(&column, true, true, 0);
        (position, entry)
    });

    let contents = look::column(2 * GAP);
    contents.set_margin(MARGIN);
    contents.set_width_request(400);
    contents.pack_start(&super::heading(&words.kit_title, &words.kit_text), false, false, 0);
    contents.pack_start(&groups, false, false, 0);
    contents.pack_start(problem.widget(), false, false, 0);
    contents.pack_start(&super::actions(&cancel, &check, &window), false, false, 0);
    window.add(&contents);

    check.connect_clicked({
        let (window, entries, reply) = (window.clone(), entries.clone(), reply.clone());
        move |_| {
            let typed = entries.each_ref().map(|(position, entry)| {
                let bytes = raw::lend_text(entry, <[u8]>::to_vec);
                (*position, Zeroizing::new(String::from_utf8(bytes).unwrap_or_default()))
            });
            let problem_words = match are_groups(&typed.each_ref().map(|(position, text)| (*position, text.as_str()))) {
                Ok(true) => None,
                Ok(false) => Some(words.kit_wrong.clone()),
                Err(code) => Some(words.error(code)),
            };
            if let Some(what) = problem_words {
                problem.say(&what);
                entries[0].1.grab_focus();
                return;
            }
            entries.iter().for_each(|(_, entry)| raw::erase_text(entry));
            reply.close_and_send(&window, ());
        }
    });
    window.connect_destroy(move |_| reply.decline());
    super::close_on_escape(&window);
    window.show_all();
    window.present();
    entries[0].1.grab_focus();
}

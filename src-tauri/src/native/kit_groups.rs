//! The window that has two groups of the recovery code typed again, so that the kit that was saved is known to be read; or
//! one group of each of two shares.

use std::rc::Rc;
use std::sync::Arc;

use coffer_core::host::Host;
use coffer_core::{KitGroup, RecoveryKit};
use gtk::prelude::*;
use zeroize::Zeroizing;

use super::look::{self, GAP, MARGIN, Notice};
use super::reply::Reply;
use super::words::{Words, fill};
use crate::raw;

/// Characters of a group; the code itself says how many, and more can be typed than it has.
const GROUP_CHARS: i32 = 16;

/// Says whether what was typed are those groups, or the permanent code of an error.
pub(crate) type Check = Arc<dyn Fn(&[(KitGroup, &str)]) -> Result<bool, &'static str> + Send + Sync>;

/// Two groups to be typed again.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    groups: [KitGroup; 2],
    /// Groups of each code.
    count: usize,
}

impl Asked {
    /// Two different groups of the code, chosen at random, in their order; of shares, one of each of two.
    pub(crate) fn of(kit: &RecoveryKit, host: &Host) -> Self {
        let mut random = [0; 4];
        host.random.fill(&mut random);
        let random = random.map(usize::from);
        let count = kit.groups();
        let groups = match kit.split() {
            None => two_of(count, random[0], random[1]).map(|position| KitGroup { share: None, position }),
            Some(split) => {
                let shares = two_of(split.shares().into(), random[0], random[1]);
                let of = |share: usize, random: usize| KitGroup {
                    share: u8::try_from(share + 1).ok(),
                    position: random % count,
                };
                [of(shares[0], random[2]), of(shares[1], random[3])]
            }
        };
        Self { groups, count }
    }
}

/// Two different numbers below `count`, in their order.
fn two_of(count: usize, first: usize, second: usize) -> [usize; 2] {
    let first = first % count;
    let second = (first + 1 + second % (count - 1)) % count;
    [first.min(second), first.max(second)]
}

/// Asks for the groups until both are right, which is the answer, or it is closed.
pub(crate) fn show(
    words: &'static Words,
    parent: Option<&gtk::Window>,
    asked: Asked,
    are_groups: Check,
    reply: Reply<()>,
) {
    let of_shares = asked.groups[0].share.is_some();
    let [first, second] = asked.groups.map(|group| (group.position + 1).to_string());
    let [first_share, second_share] = asked.groups.map(|group| group.share.unwrap_or_default().to_string());
    let values: [(&str, &str); 4] =
        [("first", &first), ("second", &second), ("first_share", &first_share), ("second_share", &second_share)];
    let [title, heading, text, wrong] = if of_shares {
        [&words.shares_window, &words.shares_title, &words.shares_text, &words.shares_wrong]
    } else {
        [&words.kit_window, &words.kit_title, &words.kit_text, &words.kit_wrong]
    };
    let window = look::window(&fill(title, &values), parent);
    let problem = Rc::new(Notice::new("danger"));
    let check = look::button(&words.kit_check, "main");
    let cancel = look::button(&words.cancel, "");

    let groups = look::row(2 * GAP);
    groups.set_homogeneous(true);
    let entries = asked.groups.map(|group| {
        let entry = gtk::Entry::new();
        entry.set_activates_default(true);
        entry.set_input_hints(gtk::InputHints::NO_SPELLCHECK);
        entry.set_max_length(GROUP_CHARS);
        entry.style_context().add_class("code");
        let name = fill(
            if of_shares { &words.shares_group } else { &words.kit_group },
            &[
                ("number", &(group.position + 1).to_string()),
                ("count", &asked.count.to_string()),
                ("share", &group.share.unwrap_or_default().to_string()),
            ],
        );
        let column = look::column(4);
        column.pack_start(&look::name_of(&entry, &name), false, false, 0);
        column.pack_start(&entry, false, false, 0);
        groups.pack_start(&column, true, true, 0);
        (group, entry)
    });

    let contents = look::column(2 * GAP);
    contents.set_margin(MARGIN);
    contents.set_width_request(400);
    contents.pack_start(&super::heading(heading, text), false, false, 0);
    contents.pack_start(&groups, false, false, 0);
    contents.pack_start(problem.widget(), false, false, 0);
    contents.pack_start(&super::actions(&cancel, &check, &window), false, false, 0);
    window.add(&contents);

    check.connect_clicked({
        let (window, entries, reply) = (window.clone(), entries.clone(), reply.clone());
        move |_| {
            let typed = entries.each_ref().map(|(group, entry)| {
                let bytes = raw::lend_text(entry, <[u8]>::to_vec);
                (*group, Zeroizing::new(String::from_utf8(bytes).unwrap_or_default()))
            });
            let problem_words = match are_groups(&typed.each_ref().map(|(group, text)| (*group, text.as_str()))) {
                Ok(true) => None,
                Ok(false) => Some(wrong.clone()),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_groups_are_asked_for_and_never_the_same_twice() {
        for count in [2, 14, 17] {
            for random in 0..=255 {
                for other in [0, 7, 255] {
                    let [first, second] = two_of(count, random, other);
                    assert!(first < second && second < count, "{count}: {first} {second}");
                }
            }
        }
    }
}

//! The window in which a passphrase is chosen: typed twice, with a meter that says what is wrong while one types.

use std::rc::Rc;
use std::sync::Arc;

use coffer_core::strength::{self, Pattern, Refusal};
use coffer_core::{Passphrase, PassphraseError};
use gtk::prelude::*;
use gtk::{gio, glib};
use subtle::ConstantTimeEq;

use super::identity::{Identity, Mistyped};
use super::look::{self, GAP, MARGIN, Notice};
use super::reply::Reply;
use super::secret_entry::SecretEntry;
use super::words::{Words, fill};
use crate::shell::UnlockProblem;
use crate::shown::{Known, Shown};

/// Uses the passphrase, on a thread of its own. Says the error's permanent code when it cannot.
pub(crate) type Use<T> = Arc<dyn Fn(Passphrase) -> Result<T, &'static str> + Send + Sync>;

/// As [`Use`], with what opened the account before first.
pub(crate) type Change = Arc<dyn Fn(&Shown, &Passphrase) -> Result<(), UnlockProblem> + Send + Sync>;

/// What is done with what was typed: what opened the account before, where it is asked for, and the new passphrase.
type Work<T> = Arc<dyn Fn(Option<Shown>, Passphrase) -> Result<T, UnlockProblem> + Send + Sync>;

/// Steps of the meter: zxcvbn's scores 1 to 4.
const STEPS: f64 = 4.0;

/// What a passphrase is chosen for.
pub(crate) struct Wording<'w> {
    /// The window's title.
    pub(crate) window: &'w str,
    /// In one line.
    pub(crate) title: &'w str,
    /// What it will protect.
    pub(crate) text: String,
    /// On the button.
    pub(crate) go_on: &'static str,
    /// On the button while it is being used.
    pub(crate) busy: &'static str,
}

struct NewPassphraseWindow<T> {
    words: &'static Words,
    window: gtk::Window,
    names: Vec<String>,
    /// For what opened the account before, and the words when it is not that.
    old: Option<(Rc<Identity>, String)>,
    /// Whether a key factor stands beside the passphrase, which may be shorter then.
    has_factor: bool,
    first: SecretEntry,
    second: SecretEntry,
    meter: gtk::LevelBar,
    verdict: gtk::Label,
    problem: Notice,
    create: gtk::Button,
    /// What stands on it, idle and busy.
    create_words: [&'static str; 2],
    cancel: gtk::Button,
    work: Work<T>,
    reply: Reply<T>,
}

/// Lets a person choose a passphrase for `vault`, hands it to `use_it`, and answers with what comes back.
pub(crate) fn show<T: Send + 'static>(
    words: &'static Words,
    parent: Option<&gtk::Window>,
    vault: &str,
    login: &str,
    use_it: Use<T>,
    reply: Reply<T>,
) {
    let wording = Wording {
        window: &words.new_window,
        title: &words.new_title,
        text: fill(&words.new_text, &[("vault", vault)]),
        go_on: &words.new_create,
        busy: &words.new_busy,
    };
    show_worded(words, parent, wording, vec![vault.to_owned(), login.to_owned()], use_it, reply);
}

/// Lets a person choose a passphrase that is none of `names`, hands it to `use_it`, and answers with what comes back.
pub(crate) fn show_worded<T: Send + 'static>(
    words: &'static Words,
    parent: Option<&gtk::Window>,
    wording: Wording<'_>,
    names: Vec<String>,
    use_it: Use<T>,
    reply: Reply<T>,
) {
    let work: Work<T> = Arc::new(move |_, passphrase| use_it(passphrase).map_err(UnlockProblem::of));
    ask(words, parent, wording, names, None, work, reply);
}

/// What opened the account before, as far as it is known, and whether it keeps a key factor.
pub(crate) struct Before {
    pub(crate) known: Known,
    pub(crate) has_factor: bool,
    /// Whether the account gets other keys with the new passphrase.
    pub(crate) renews: bool,
}

/// Asks for the passphrase of `login` from before and for a new one, until `change` has changed it, which is the answer.
pub(crate) fn show_change(
    words: &'static Words,
    parent: Option<&gtk::Window>,
    vault: &str,
    login: &str,
    before: Before,
    change: Change,
    reply: Reply<()>,
) {
    let [window, title, text, go_on, busy] = if before.renews {
        [&words.renew_window, &words.renew_title, &words.renew_text, &words.renew_go, &words.renew_busy]
    } else {
        [&words.change_window, &words.change_title, &words.change_text, &words.change_go, &words.change_busy]
    };
    let text = fill(text, &[("login", login), ("vault", vault)]);
    let wording = Wording { window, title, text, go_on, busy };
    let old = (before, fill(&words.step_wrong, &[("login", login)]));
    // Without the one from before nothing can be pressed.
    let work: Work<()> = Arc::new(move |old, new| {
        let old = old.ok_or_else(|| UnlockProblem::of("unlock_refused"))?;
        change(&old, &new)
    });
    ask(words, parent, wording, vec![vault.to_owned(), login.to_owned()], Some(old), work, reply);
}

fn ask<T: Send + 'static>(
    words: &'static Words,
    parent: Option<&gtk::Window>,
    wording: Wording<'_>,
    names: Vec<String>,
    before: Option<(Before, String)>,
    work: Work<T>,
    reply: Reply<T>,
) {
    let window = look::window(wording.window, parent);
    let meter = gtk::LevelBar::for_interval(0.0, STEPS);
    meter.set_mode(gtk::LevelBarMode::Discrete);
    let verdict = look::text("", "faint");
    let has_factor = before.as_ref().is_some_and(|(before, _)| before.has_factor);
    let renews = before.as_ref().is_some_and(|(before, _)| before.renews);
    let old = before.map(|(before, wrong)| (Identity::new(words, &window, &words.change_old, &before.known), wrong));
    let this = Rc::new(NewPassphraseWindow {
        words,
        names,
        first: SecretEntry::new(words, if old.is_some() { &words.change_new } else { &words.passphrase }),
        second: SecretEntry::new(words, &words.new_again),
        meter,
        verdict,
        problem: Notice::new("danger"),
        create: look::button(wording.go_on, "main"),
        create_words: [wording.go_on, wording.busy],
        cancel: look::button(&words.cancel, ""),
        window,
        old,
        has_factor,
        work,
        reply,
    });

    let judged = look::column(6);
    judged.pack_start(&this.meter, false, false, 0);
    judged.pack_start(&this.verdict, false, false, 0);
    let contents = look::column(2 * GAP);
    contents.set_margin(MARGIN);
    contents.set_width_request(400);
    contents.pack_start(&super::heading(wording.title, &wording.text), false, false, 0);
    if let Some((old, _)) = &this.old {
        contents.pack_start(old.widget(), false, false, 0);
    }
    contents.pack_start(this.first.widget(), false, false, 0);
    contents.pack_start(&judged, false, false, 0);
    contents.pack_start(this.second.widget(), false, false, 0);
    if this.old.is_some() {
        let copies = if renews { &words.renew_copies } else { &words.change_copies };
        contents.pack_start(&look::text(copies, "quiet"), false, false, 0);
    }
    contents.pack_start(this.problem.widget(), false, false, 0);
    contents.pack_start(&super::actions(&this.cancel, &this.create, &this.window), false, false, 0);
    this.window.add(&contents);

    let judging = Rc::downgrade(&this);
    let judge = move || {
        if let Some(this) = judging.upgrade() {
            this.judge();
        }
    };
    if let Some((old, _)) = &this.old {
        old.on_change(judge.clone());
        old.on_chosen(judge.clone());
    }
    this.first.on_change(judge.clone());
    this.second.on_change(judge);
    this.create.connect_clicked({
        let this = Rc::clone(&this);
        move |_| this.create()
    });
    this.window.connect_destroy({
        let this = Rc::clone(&this);
        move |_| {
            this.erase();
            this.reply.decline();
        }
    });
    super::close_on_escape(&this.window);
    this.judge();
    this.window.show_all();
    this.window.present();
    this.grab_focus();
}

impl<T: Send + 'static> NewPassphraseWindow<T> {
    /// Erases everything that was typed.
    fn erase(&self) {
        if let Some((old, _)) = &self.old {
            old.erase();
        }
        self.first.erase();
        self.second.erase();
    }

    fn grab_focus(&self) {
        match &self.old {
            Some((old, _)) => old.grab_focus(),
            None => self.first.grab_focus(),
        }
    }

    /// Looks at what is typed so far: shows how strong it is, and lets it be used once it may be.
    fn judge(&self) {
        self.problem.hush();
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let (score, words, taken) = match self.first.peek() {
            Ok(passphrase) => {
                let strength = strength::judge(&passphrase, &names, self.has_factor);
                match strength.refusal {
                    Some(refusal) => (strength.score.min(2), self.refusal(refusal, passphrase.code_points()), false),
                    None => (strength.score, self.score(strength.score).to_owned(), true),
                }
            }
            Err(PassphraseError::Empty) => {
                let least = if self.has_factor { strength::MIN_WITH_KEY_FACTOR } else { strength::MIN_ALONE };
                (0, fill(&self.words.new_empty, &[("least", &least.to_string())]), false)
            }
            Err(error) => (0, self.unusable(error).to_owned(), false),
        };
        self.meter.set_value(f64::from(score.max(u8::from(!self.first.is_empty()))));
        self.verdict.set_text(&words);
        let refused = !taken && !self.first.is_empty();
        look::set_class(&self.meter, "taken", taken);
        look::set_class(&self.verdict, "good", taken);
        look::set_class(&self.meter, "refused", refused);
        look::set_class(&self.verdict, "refused", refused);
        let same = taken && self.is_repeated();
        if taken && !same && !self.second.is_empty() {
            self.verdict.set_text(&self.words.new_differs);
            look::set_class(&self.verdict, "good", false);
        }
        let has_old = self.old.as_ref().is_none_or(|(old, _)| !old.is_empty());
        self.create.set_sensitive(same && has_old);
    }

    /// Whether the second entry holds the same passphrase.
    fn is_repeated(&self) -> bool {
        match (self.first.peek(), self.second.peek()) {
            (Ok(first), Ok(second)) => first.ct_eq(&second).into(),
            _ => false,
        }
    }

    fn create(self: &Rc<Self>) {
        // What was typed there stays until it is used: a code may be asked for beside it.
        let old = match self.old.as_ref().map(|(old, _)| old.shown()).transpose() {
            Ok(old) => old,
            Err(Mistyped::Passphrase) => return self.refuse(&UnlockProblem::of("unlock_refused")),
            Err(Mistyped::PersonalCode(words)) => return self.problem.say(&words),
        };
        // Where the one from before may be mistyped, the new one stays: nobody likes to choose it twice.
        let passphrase = if self.old.is_some() { self.first.peek() } else { self.first.take() };
        let Ok(passphrase) = passphrase else { return };
        if self.old.is_none() {
            self.second.erase();
        }
        self.set_busy(true);
        let this = Rc::clone(self);
        glib::MainContext::default().spawn_local(async move {
            let work = Arc::clone(&this.work);
            let outcome = gio::spawn_blocking(move || work(old, passphrase))
                .await
                .unwrap_or_else(|_| Err(UnlockProblem::of("bug")));
            match outcome {
                Ok(done) => {
                    this.erase();
                    this.reply.close_and_send(&this.window, done);
                }
                Err(problem) => {
                    this.set_busy(false);
                    this.refuse(&problem);
                }
            }
        });
    }

    fn refuse(&self, problem: &UnlockProblem) {
        let words = match &self.old {
            Some((_, wrong)) if problem.code == "unlock_refused" => wrong.clone(),
            _ => self.words.problem(problem),
        };
        let is_told = match &self.old {
            Some((old, _)) => old.refuse(problem),
            None => {
                self.first.grab_focus();
                true
            }
        };
        // Erasing an entry has it judged, which hushes the words before.
        if is_told {
            self.problem.say(&words);
        }
    }

    fn set_busy(&self, busy: bool) {
        self.create.set_label(self.create_words[usize::from(busy)]);
        if let Some((old, _)) = &self.old {
            old.set_sensitive(!busy);
        }
        self.first.set_sensitive(!busy);
        self.second.set_sensitive(!busy);
        // With the code missing alone, nothing is typed anew that would have it judged.
        self.create.set_sensitive(false);
        if !busy {
            self.judge();
        }
        self.cancel.set_sensitive(!busy);
    }

    fn score(&self, score: u8) -> &str {
        match score {
            0 => &self.words.strength_0,
            1 => &self.words.strength_1,
            2 => &self.words.strength_2,
            3 => &self.words.strength_3,
            _ => &self.words.strength_4,
        }
    }

    fn refusal(&self, refusal: Refusal, typed: usize) -> String {
        match refusal {
            Refusal::TooShort { least } => {
                fill(&self.words.refused_short, &[("count", &typed.to_string()), ("least", &least.to_string())])
            }
            Refusal::WellKnown => self.words.refused_known.clone(),
            Refusal::ExpectedName => self.words.refused_name.clone(),
            Refusal::Guessable(pattern) => match pattern {
                Pattern::CommonPassword => &self.words.refused_common,
                Pattern::Words => &self.words.refused_words,
                Pattern::Names => &self.words.refused_names,
                Pattern::Keyboard => &self.words.refused_keyboard,
                Pattern::Repetition => &self.words.refused_repeats,
                Pattern::Sequence => &self.words.refused_sequence,
                Pattern::Date => &self.words.refused_date,
                Pattern::Mixed => &self.words.refused_mixed,
            }
            .clone(),
        }
    }

    fn unusable(&self, error: PassphraseError) -> &str {
        match error {
            PassphraseError::TooLong => &self.words.refused_long,
            PassphraseError::Empty | PassphraseError::NotText | PassphraseError::Character => {
                &self.words.refused_character
            }
        }
    }
}

//! The unlock window: which vault, which login, the passphrase. There at once, since it needs no web view.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gtk::prelude::*;
use gtk::{gio, glib, pango};

use super::files::{self, Purpose};
use super::identity::{Identity, Mistyped};
use super::look::{self, GAP, MARGIN, Notice};
use super::reply::{self, Reply};
use super::words::{self, Words, fill};
use super::{activate, new_passphrase, papers};
use crate::places::Place;
use crate::shell::{Amends, Shell, UnlockProblem};
use crate::shown::{Known, Shown};

/// Time between two looks at the clock while the next try does not count yet.
const COUNT_EVERY: Duration = Duration::from_millis(250);

/// The window and what it is about. Shared by the handlers of its widgets.
struct UnlockWindow {
    shell: Arc<Shell>,
    words: &'static Words,
    window: gtk::Window,
    vault: gtk::MenuButton,
    vault_name: gtk::Label,
    vault_folder: gtk::Label,
    demo: Notice,
    login: gtk::Entry,
    identity: Rc<Identity>,
    problem: Notice,
    tries: gtk::Label,
    unlock: gtk::Button,
    /// Shown only when there is something that somebody may say is to be done.
    amend: [gtk::Button; 2],
    amends: Cell<[Option<Amends>; 2]>,
    /// What went well.
    good: Notice,
    /// To other ways in.
    links: gtk::Box,
    selected: RefCell<Option<Place>>,
    failed: Cell<u32>,
    /// When the next try counts, as long as that is not yet.
    counts_from: Cell<Option<Instant>>,
    reply: Reply<()>,
}

/// Asks for login and passphrase until the vault is unlocked, which is the answer, or the window is closed.
///
/// `handle` is the remembered place to begin with; without it, the one used last.
pub(crate) fn show(shell: Arc<Shell>, parent: Option<&gtk::Window>, handle: Option<&str>, reply: Reply<()>) {
    let words = shell.words();
    let window = look::window(&words.unlock_window, parent);

    let vault_name = gtk::Label::new(None);
    vault_name.style_context().add_class("title");
    vault_name.set_ellipsize(pango::EllipsizeMode::Middle);
    vault_name.set_max_width_chars(24);
    let vault_folder = gtk::Label::new(None);
    vault_folder.style_context().add_class("faint");
    vault_folder.set_ellipsize(pango::EllipsizeMode::Middle);
    vault_folder.set_max_width_chars(44);
    let vault = gtk::MenuButton::new();
    vault.style_context().add_class("vault");
    vault.set_halign(gtk::Align::Center);
    vault.set_tooltip_text(Some(&words.unlock_choose));
    let inside = look::row(6);
    inside.pack_start(&vault_name, false, false, 0);
    inside.pack_start(&gtk::Label::new(Some("▾")), false, false, 0);
    if let Some(child) = vault.child() {
        vault.remove(&child);
    }
    vault.add(&inside);

    let login = gtk::Entry::new();
    login.set_activates_default(true);
    login.set_input_hints(gtk::InputHints::NO_SPELLCHECK | gtk::InputHints::LOWERCASE);
    let login_name = look::name_of(&login, &words.login);
    let identity = Identity::new(words, &window, &words.passphrase, &Known::default());
    identity.centre_link();
    let tries = look::text_in(look::SHORT_LINE, "", "faint");
    tries.set_no_show_all(true);
    let unlock = look::button(&words.unlock, "main");
    let amend = [look::button("", ""), look::button("", "")];
    amend.iter().for_each(|button| button.set_no_show_all(true));
    let forgot = look::button(&words.unlock_forgot, "flat");
    let key_file = look::button(&words.unlock_key_file, "flat");
    look::out_of_sight(&key_file);
    key_file.show();
    let activate = look::button(&words.unlock_activate, "flat");
    let links = look::column(0);
    links.set_halign(gtk::Align::Center);
    links.pack_start(&forgot, false, false, 0);
    links.pack_start(&key_file, false, false, 0);
    links.pack_start(&activate, false, false, 0);

    let this = Rc::new(UnlockWindow {
        demo: Notice::new("warn"),
        problem: Notice::new("danger"),
        selected: RefCell::new(None),
        failed: Cell::new(0),
        counts_from: Cell::new(None),
        shell,
        words,
        window,
        vault,
        vault_name,
        vault_folder,
        login,
        identity,
        tries,
        unlock,
        amend,
        amends: Cell::new([None, None]),
        good: Notice::new("good"),
        links,
        reply,
    });

    let head = look::column(4);
    let mark = look::mark_image(48);
    mark.set_margin_bottom(GAP);
    head.pack_start(&mark, false, false, 0);
    head.pack_start(&this.vault, false, false, 0);
    head.pack_start(&this.vault_folder, false, false, 0);

    let login_column = look::column(4);
    login_column.pack_start(&login_name, false, false, 0);
    login_column.pack_start(&this.login, false, false, 0);

    // With all that may be asked for it still fits on a screen of 720 pixels.
    let contents = look::column(3 * GAP / 2);
    contents.set_margin(MARGIN);
    contents.set_width_request(344);
    contents.pack_start(&head, false, false, 0);
    contents.pack_start(this.demo.widget(), false, false, 0);
    contents.pack_start(&login_column, false, false, 0);
    contents.pack_start(this.identity.widget(), false, false, 0);
    contents.pack_start(this.problem.widget(), false, false, 0);
    contents.pack_start(this.good.widget(), false, false, 0);
    contents.pack_start(&this.tries, false, false, 0);
    contents.pack_start(&this.unlock, false, false, 0);
    this.amend.iter().for_each(|button| contents.pack_start(button, false, false, 0));
    contents.pack_start(&this.links, false, false, 0);
    this.window.add(&contents);
    this.unlock.set_can_default(true);
    this.window.set_default(Some(&this.unlock));

    this.unlock.connect_clicked({
        let this = Rc::clone(&this);
        move |_| this.attempt(None)
    });
    for (number, button) in this.amend.iter().enumerate() {
        let this = Rc::clone(&this);
        button.connect_clicked(move |_| match this.amends.get()[number] {
            Some(Amends::MoveAgain) => this.move_again(),
            amends => this.attempt(amends),
        });
    }
    forgot.connect_clicked({
        let this = Rc::clone(&this);
        move |forgot| this.explain_forgotten(forgot)
    });
    key_file.connect_clicked({
        let this = Rc::clone(&this);
        move |_| this.identity.choose_key_file()
    });
    this.identity.on_key_file_asked(move |asked| key_file.set_visible(!asked));
    activate.connect_clicked({
        let this = Rc::clone(&this);
        move |_| this.activate()
    });
    // Each login has a delay of its own, and needs of its own.
    this.login.connect_changed({
        let this = Rc::clone(&this);
        move |_| {
            this.end_wait();
            // What was said was about another.
            this.problem.hush();
            this.offer_amends([None, None]);
            this.expect_what_is_known();
        }
    });
    // A strong hold would keep the typed text alive.
    let weak = Rc::downgrade(&this);
    this.identity.on_chosen(move || {
        // What amends are offered for is not mended by a file.
        if let Some(this) = weak.upgrade().filter(|this| this.amends.get().iter().all(Option::is_none)) {
            this.problem.hush();
        }
    });
    // The handlers hold the window's parts, and with them the reply: let go of all when it is closed.
    this.window.connect_destroy({
        let this = Rc::clone(&this);
        move |_| {
            this.counts_from.set(None);
            this.identity.erase();
            this.reply.decline();
        }
    });
    super::close_on_escape(&this.window);

    this.offer_places();
    let place = this.shell.places().into_iter().find(|place| handle.is_none_or(|handle| place.handle == handle));
    this.select(place);
    this.window.show_all();
    this.window.present();
    this.focus_what_is_missing();
}

impl UnlockWindow {
    /// Shows which vault is meant, and its login if one is remembered.
    fn select(self: &Rc<Self>, place: Option<Place>) {
        let name = place.as_ref().map_or(self.words.unlock_choose.as_str(), |place| &place.name);
        self.vault_name.set_text(name);
        self.vault_folder.set_text(&place.as_ref().map(Place::folder_shortened).unwrap_or_default());
        let login = place.as_ref().and_then(|place| place.login.clone()).unwrap_or_default();
        if place.as_ref().is_some_and(|place| self.shell.is_demo(&place.handle)) {
            self.demo.say(&self.words.demo_mark);
        } else {
            self.demo.hush();
        }
        self.selected.replace(place);
        self.login.set_text(&login);
        self.expect_what_is_known();
        self.end_wait();
        self.problem.hush();
        self.good.hush();
        self.offer_amends([None, None]);
        self.tries.hide();
        self.failed.set(0);
        self.say_if_moved();
    }

    /// Says that the vault was moved, where this computer knows it before anybody has typed anything.
    fn say_if_moved(self: &Rc<Self>) {
        let handle_of = |place: &Option<Place>| place.as_ref().map(|place| place.handle.clone());
        let Some(handle) = handle_of(&self.selected.borrow()) else { return };
        let this = Rc::clone(self);
        glib::MainContext::default().spawn_local(async move {
            let (shell, asked) = (Arc::clone(&this.shell), handle.clone());
            // A keyring may take its time.
            let Ok(Some(at)) = gio::spawn_blocking(move || shell.moved_at(&asked)).await else { return };
            if handle_of(&this.selected.borrow()).is_some_and(|selected| selected == handle) {
                let problem = UnlockProblem::moved(at);
                this.problem.say(&this.words.problem(&problem));
                this.offer_amends(problem.amends());
            }
        });
    }

    /// Asks for what the login that is remembered needed last; for any other, for a passphrase alone.
    fn expect_what_is_known(&self) {
        let login = self.login.text();
        let selected = self.selected.borrow();
        let known = selected.as_ref().filter(|place| place.login.as_deref() == Some(login.trim())).map(|place| Known {
            code: place.code,
            key_file: place.key_file.is_some(),
            path: place.key_file.clone(),
            personal_code: false,
        });
        self.identity.expect(&known.unwrap_or_default());
    }

    fn focus_what_is_missing(&self) {
        if self.login.text_length() == 0 {
            self.login.grab_focus();
        } else {
            self.identity.grab_focus();
        }
    }

    /// Fills the list behind the vault's name.
    fn offer_places(self: &Rc<Self>) {
        let popover = gtk::Popover::new(Some(&self.vault));
        popover.style_context().add_class("coffer");
        popover.style_context().add_class("places");
        let list = look::column(2);
        for place in self.shell.places() {
            let item = look::button(&place.name, "");
            item.set_tooltip_text(Some(&place.folder_shortened()));
            if let Some(label) = item.child() {
                label.set_halign(gtk::Align::Start);
            }
            item.connect_clicked({
                let (this, popover) = (Rc::clone(self), popover.clone());
                move |_| {
                    popover.popdown();
                    this.select(Some(place.clone()));
                    this.focus_what_is_missing();
                }
            });
            list.pack_start(&item, false, false, 0);
        }
        list.pack_start(&gtk::Separator::new(gtk::Orientation::Horizontal), false, false, 0);
        let other = look::button(&self.words.unlock_other, "");
        if let Some(label) = other.child() {
            label.set_halign(gtk::Align::Start);
        }
        other.connect_clicked({
            let (this, popover) = (Rc::clone(self), popover.clone());
            move |_| {
                popover.popdown();
                this.open_other();
            }
        });
        list.pack_start(&other, false, false, 0);
        // Over the first run's own page there is no need to offer it.
        if self.window.transient_for().is_none() {
            let first_run = look::button(&self.words.unlock_first_run, "");
            if let Some(label) = first_run.child() {
                label.set_halign(gtk::Align::Start);
            }
            first_run.connect_clicked({
                let this = Rc::clone(self);
                move |_| {
                    this.shell.want_first_run();
                    this.reply.send(());
                    this.close();
                }
            });
            list.pack_start(&first_run, false, false, 0);
        }
        list.show_all();
        popover.add(&list);
        self.vault.set_popover(Some(&popover));
    }

    fn open_other(self: &Rc<Self>) {
        let this = Rc::clone(self);
        glib::MainContext::default().spawn_local(async move {
            let Some(folder) = files::choose(Purpose::Vault, Some(&this.window), "", this.words).await else { return };
            match this.shell.remember_place(&folder) {
                Ok(place) => {
                    this.offer_places();
                    this.select(Some(place));
                    this.focus_what_is_missing();
                }
                Err(refusal) => this.problem.say(&this.words.error(refusal.code)),
            }
        });
    }

    /// Lets whoever was invited become an account of the vault that is chosen.
    fn activate(self: &Rc<Self>) {
        let Some(place) = self.selected.borrow().clone() else { return self.open_other() };
        let (reply, activated) = Reply::pair();
        activate::show(Arc::clone(&self.shell), &self.window, place, reply);
        let this = Rc::clone(self);
        glib::MainContext::default().spawn_local(async move {
            if reply::wait(activated).await.is_some() {
                this.reply.send(());
                this.close();
            }
        });
    }

    /// Lets whoever has the recovery kit, or enough shares of it, become a new administrator of the vault that is chosen.
    fn recover(self: &Rc<Self>) {
        let Some(place) = self.selected.borrow().clone() else { return self.open_other() };
        self.problem.hush();
        let this = Rc::clone(self);
        glib::MainContext::default().spawn_local(async move {
            let words = this.words;
            let question = papers::Question {
                window: &words.recover_window,
                title: &words.recover_title,
                text: fill(&words.recover_text, &[("vault", &place.name)]),
                asks_login: true,
            };
            let check: papers::Check = {
                let (shell, handle) = (Arc::clone(&this.shell), place.handle.clone());
                Arc::new(move |brought, login| {
                    let login = login.ok_or(papers::Problem::Other("invalid_login"))?;
                    shell.read_recovery(&handle, brought, login)
                })
            };
            let (reply, read) = Reply::pair();
            papers::ask(words, Some(&this.window), question, check, reply);
            let Some((kit, Some(login))) = reply::wait(read).await else { return };

            let wording = new_passphrase::Wording {
                window: &words.new_window,
                title: &words.new_title,
                text: fill(&words.recover_passphrase, &[("login", login.as_str()), ("vault", &place.name)]),
                go_on: &words.recover_go,
                busy: &words.recover_busy,
            };
            let names = vec![place.name.clone(), login.to_string()];
            let (reply, recovered) = Reply::pair();
            let recover: new_passphrase::Use<()> = {
                let (shell, handle) = (Arc::clone(&this.shell), place.handle.clone());
                Arc::new(move |passphrase| shell.recover(&handle, &kit, &login, &passphrase))
            };
            new_passphrase::show_worded(words, Some(&this.window), wording, names, recover, reply);
            if reply::wait(recovered).await.is_some() {
                this.reply.send(());
                this.close();
            }
        });
    }

    /// Which vault, which login, and what was typed; says what is missing.
    fn typed(self: &Rc<Self>) -> Option<(Place, String, Shown)> {
        if self.counts_from.get().is_some() {
            return None;
        }
        let Some(place) = self.selected.borrow().clone() else {
            self.open_other();
            return None;
        };
        let login = self.login.text().trim().to_owned();
        if login.is_empty() || self.identity.is_empty() {
            self.problem.say(&self.words.unlock_empty);
            self.focus_what_is_missing();
            return None;
        }
        match self.identity.shown() {
            Ok(shown) => Some((place, login, shown)),
            // The engine is not asked, so it says so at once.
            Err(Mistyped::Passphrase) => {
                self.refuse(&UnlockProblem::of("unlock_refused"));
                None
            }
            Err(Mistyped::PersonalCode(words)) => {
                self.problem.say(&words);
                None
            }
        }
    }

    /// Asks where to, and moves a vault once more that was moved from here. It stays locked.
    fn move_again(self: &Rc<Self>) {
        let Some((place, login, shown)) = self.typed() else { return };
        let this = Rc::clone(self);
        glib::MainContext::default().spawn_local(async move {
            let date = words::local_date(this.shell.host.clock.now());
            let suggested = fill(&this.words.backup_file_default, &[("vault", &place.name), ("date", &date)]);
            let chosen = files::choose(Purpose::BackupTarget, Some(&this.window), &suggested, this.words).await;
            let Some(file) = chosen else { return };
            this.set_busy(true);
            this.unlock.set_label(&this.words.unlock_moving);
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let shell = Arc::clone(&this.shell);
            let outcome = gio::spawn_blocking(move || shell.move_again(&place.handle, &login, &shown, &file)).await;
            this.set_busy(false);
            match outcome {
                Ok(Ok(())) => {
                    this.identity.erase();
                    this.identity.grab_focus();
                    this.good.say(&fill(&this.words.unlock_moved_again, &[("file", &name)]));
                }
                Ok(Err(problem)) => this.refuse(&problem),
                Err(_) => this.refuse(&UnlockProblem::of("bug")),
            }
        });
    }

    fn attempt(self: &Rc<Self>, amends: Option<Amends>) {
        let Some((place, login, shown)) = self.typed() else { return };
        self.set_busy(true);
        let this = Rc::clone(self);
        glib::MainContext::default().spawn_local(async move {
            let shell = Arc::clone(&this.shell);
            let outcome = gio::spawn_blocking(move || shell.unlock(&place.handle, &login, &shown, amends)).await;
            match outcome {
                Ok(Ok(())) => {
                    this.reply.send(());
                    this.close();
                }
                Ok(Err(problem)) => {
                    this.set_busy(false);
                    this.refuse(&problem);
                }
                Err(_) => {
                    this.set_busy(false);
                    this.refuse(&UnlockProblem::of("bug"));
                }
            }
        });
    }

    fn refuse(self: &Rc<Self>, problem: &UnlockProblem) {
        if let Some(wait) = problem.wait {
            self.begin_wait(wait);
            self.identity.refuse(problem);
            return;
        }
        if self.identity.refuse(problem) {
            self.problem.say(&self.words.problem(problem));
        }
        self.offer_amends(problem.amends());
        let is_token = problem.code.starts_with("token_") && problem.code != "token_needed";
        if is_token || matches!(problem.code, "unlock_refused" | "factor_missing" | "code_wrong" | "code_used") {
            self.failed.set(self.failed.get() + 1);
            let tries = match self.failed.get() {
                1 => self.words.unlock_attempts_one.clone(),
                count => fill(&self.words.unlock_attempts_many, &[("count", &count.to_string())]),
            };
            self.tries.set_text(&tries);
            self.tries.show();
        }
    }

    fn offer_amends(&self, amends: [Option<Amends>; 2]) {
        self.amends.set(amends);
        // What fails again is not what is meant to be pressed.
        look::set_class(&self.unlock, "main", amends.iter().all(Option::is_none));
        for (button, amends) in self.amend.iter().zip(amends) {
            button.set_label(match amends {
                Some(Amends::AcceptOlder) => &self.words.unlock_accept_older,
                Some(Amends::RestartLog) => &self.words.unlock_restart_log,
                Some(Amends::MoveAgain) => &self.words.unlock_move_again,
                Some(Amends::TakeMoveBack) => &self.words.unlock_take_move_back,
                None => "",
            });
            // Each of them gives up a protection for good; a move written once more gives up none.
            let gives_up = [Amends::AcceptOlder, Amends::RestartLog, Amends::TakeMoveBack].map(Some).contains(&amends);
            look::set_class(button, "danger", gives_up);
            button.set_visible(amends.is_some());
        }
    }

    /// Counts down to when the next try counts; until then none is made.
    fn begin_wait(self: &Rc<Self>, wait: Duration) {
        let is_counting = self.counts_from.replace(Some(Instant::now() + wait)).is_some();
        self.count_down();
        if is_counting {
            return;
        }
        let this = Rc::clone(self);
        glib::timeout_add_local(COUNT_EVERY, move || {
            if this.count_down() { glib::ControlFlow::Continue } else { glib::ControlFlow::Break }
        });
    }

    /// Says how long it is still; `false` once it is over.
    fn count_down(&self) -> bool {
        let Some(counts_from) = self.counts_from.get() else { return false };
        let left = counts_from.saturating_duration_since(Instant::now());
        if left.is_zero() {
            self.end_wait();
            return false;
        }
        let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        self.problem.say(&fill(&self.words.unlock_too_soon, &[("seconds", &seconds.to_string())]));
        self.unlock.set_sensitive(false);
        true
    }

    fn end_wait(&self) {
        if self.counts_from.take().is_some() {
            self.problem.hush();
            self.unlock.set_sensitive(true);
        }
    }

    fn set_busy(&self, busy: bool) {
        self.problem.hush();
        self.good.hush();
        self.unlock.set_label(if busy { &self.words.unlock_busy } else { &self.words.unlock });
        self.unlock.set_sensitive(!busy);
        self.amend.iter().for_each(|button| button.set_sensitive(!busy));
        self.login.set_sensitive(!busy);
        self.vault.set_sensitive(!busy);
        self.links.set_sensitive(!busy);
        self.identity.set_sensitive(!busy);
    }

    fn explain_forgotten(self: &Rc<Self>, from: &gtk::Button) {
        let popover = gtk::Popover::new(Some(from));
        popover.style_context().add_class("coffer");
        let personal = look::button(&self.words.unlock_personal, "");
        personal.connect_clicked({
            let (this, popover) = (Rc::clone(self), popover.clone());
            move |_| {
                popover.popdown();
                this.problem.hush();
                this.identity.ask_for_personal_code(true);
            }
        });
        let recover = look::button(&self.words.unlock_recover, "");
        recover.connect_clicked({
            let (this, popover) = (Rc::clone(self), popover.clone());
            move |_| {
                popover.popdown();
                this.recover();
            }
        });
        let inside = look::column(GAP);
        inside.set_margin(GAP);
        // Not wider than the window, where the screen has no more to give.
        let words = look::list_in(look::SHORT_LINE, &self.words.unlock_forgot_text);
        inside.pack_start(&words, false, false, 0);
        inside.pack_start(&personal, false, false, 0);
        inside.pack_start(&recover, false, false, 0);
        inside.show_all();
        popover.add(&inside);
        popover.popup();
    }

    fn close(&self) {
        self.identity.erase();
        self.window.close();
    }
}

//! The window that shows codes to keep, this once: to be saved as a file, printed, or copied by hand. The web view never
//! has them.

use std::rc::Rc;

use coffer_core::SecretBytes;
use gtk::prelude::*;
use gtk::{cairo, glib};
use zeroize::Zeroizing;

use super::files::{self, Purpose};
use super::look::{self, GAP, MARGIN, Notice};
use super::reply::Reply;
use super::words::{Words, fill};
use crate::refusal::Refusal;
use crate::storage;

/// Sizes of what is printed, in points.
const HEADING: f64 = 16.0;
const TEXT: f64 = 10.0;
const CODE: f64 = 14.0;
/// Space from one baseline to the next, in sizes of the letters.
const LEADING: f64 = 1.6;

/// What a sheet says.
pub(crate) struct Sheet {
    /// The window's title.
    pub(crate) window: String,
    /// What it is.
    pub(crate) title: String,
    /// What it is for, and how to keep it.
    pub(crate) text: String,
    /// Above the codes on paper and in the file: whose they are.
    pub(crate) heading: String,
    /// The codes, as they are shown; each line holds one or more.
    pub(crate) lines: Vec<SecretBytes>,
    /// For the file dialog.
    pub(crate) purpose: Purpose,
    /// Name of the file that is suggested.
    pub(crate) suggested: String,
}

struct SheetWindow {
    words: &'static Words,
    window: gtk::Window,
    sheet: Sheet,
    done: Notice,
    problem: Notice,
}

/// Shows a sheet. Closing the window is the answer.
pub(crate) fn show(words: &'static Words, parent: Option<&gtk::Window>, sheet: Sheet, reply: Reply<()>) {
    let this = Rc::new(SheetWindow {
        window: look::window(&sheet.window, parent),
        done: Notice::new("good"),
        problem: Notice::new("danger"),
        words,
        sheet,
    });
    let codes = gtk::Label::new(Some(&this.lines()));
    codes.style_context().add_class("codes");
    codes.set_justify(gtk::Justification::Center);

    let save = look::button(&words.save_as_file, "");
    let print = look::button(&words.print, "");
    let close = look::button(&words.done, "main");
    let actions = look::row(GAP);
    actions.set_margin_top(GAP);
    actions.pack_start(&save, false, false, 0);
    actions.pack_start(&print, false, false, 0);
    actions.pack_end(&close, false, false, 0);

    let contents = look::column(2 * GAP);
    contents.set_margin(MARGIN);
    contents.set_width_request(420);
    contents.pack_start(&super::heading(&this.sheet.title, &this.sheet.text), false, false, 0);
    contents.pack_start(&codes, false, false, 0);
    contents.pack_start(this.done.widget(), false, false, 0);
    contents.pack_start(this.problem.widget(), false, false, 0);
    contents.pack_start(&actions, false, false, 0);
    this.window.add(&contents);

    save.connect_clicked({
        let this = Rc::clone(&this);
        move |_| this.save()
    });
    print.connect_clicked({
        let this = Rc::clone(&this);
        move |_| this.print()
    });
    close.set_can_default(true);
    this.window.set_default(Some(&close));
    close.connect_clicked({
        let window = this.window.clone();
        move |_| window.close()
    });
    this.window.connect_destroy({
        // Everything of the window is let go of with it, the codes first of all.
        let codes = codes.downgrade();
        move |_| {
            if let Some(codes) = codes.upgrade() {
                codes.set_text("");
            }
            reply.send(());
        }
    });
    super::close_on_escape(&this.window);
    this.window.show_all();
    this.window.present();
    save.grab_focus();
}

impl SheetWindow {
    /// The codes, one line below the other.
    fn lines(&self) -> Zeroizing<String> {
        let lines = self.sheet.lines.iter().map(|line| String::from_utf8_lossy(line.expose()));
        Zeroizing::new(lines.collect::<Vec<_>>().join("\n"))
    }

    fn save(self: &Rc<Self>) {
        let this = Rc::clone(self);
        glib::MainContext::default().spawn_local(async move {
            let Sheet { purpose, suggested, heading, text, .. } = &this.sheet;
            let Some(path) = files::choose(*purpose, Some(&this.window), suggested, this.words).await else { return };
            let file = Zeroizing::new(format!("{heading}\n\n{}\n\n{text}\n", *this.lines()));
            match storage::replace_file(&path, file.as_bytes()) {
                Ok(()) => {
                    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    this.say(&fill(&this.words.sheet_saved, &[("file", &name)]));
                }
                Err(error) => this.refuse(Refusal::from(error).code),
            }
        });
    }

    /// Asks the system's own dialog for a printer.
    fn print(self: &Rc<Self>) {
        let operation = gtk::PrintOperation::new();
        operation.set_n_pages(1);
        operation.set_job_name(&self.sheet.title);
        operation.set_unit(gtk::Unit::Points);
        let this = Rc::clone(self);
        operation.connect_draw_page(move |_, context, _| {
            if let Some(page) = context.cairo_context() {
                // A page that cannot be drawn is seen by whoever takes it out of the printer.
                let _ = this.draw(&page);
            }
        });
        match operation.run(gtk::PrintOperationAction::PrintDialog, Some(&self.window)) {
            Ok(gtk::PrintOperationResult::Apply) => self.say(&self.words.sheet_printed),
            Ok(_) => {}
            Err(_) => self.refuse("print_failed"),
        }
    }

    fn draw(&self, page: &cairo::Context) -> Result<(), cairo::Error> {
        let mut y = 0.0;
        let mut line = |face: &str, size: f64, text: &str| {
            y += size * LEADING;
            page.select_font_face(face, cairo::FontSlant::Normal, cairo::FontWeight::Normal);
            page.set_font_size(size);
            page.move_to(0.0, y);
            page.show_text(text)
        };
        line("sans-serif", HEADING, &self.sheet.heading)?;
        line("sans-serif", TEXT, "")?;
        for code in self.lines().lines() {
            line("monospace", CODE, code)?;
        }
        line("sans-serif", TEXT, "")?;
        for words in in_lines(&self.sheet.text, 90) {
            line("sans-serif", TEXT, &words)?;
        }
        Ok(())
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

/// Words in lines of so many characters at most.
fn in_lines(text: &str, most: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let needed = word.chars().count() + 1;
        match lines.last_mut() {
            Some(line) if line.is_empty() || line.chars().count() + needed <= most => {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_broken_into_lines_and_none_is_lost() {
        assert_eq!(in_lines("keep it apart from this computer", 14), ["keep it apart", "from this", "computer"]);
        assert_eq!(in_lines("unbreakablyLongWord x", 5), ["unbreakablyLongWord", "x"]);
    }
}

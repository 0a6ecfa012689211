//! How the native windows look: the interface's tokens, light or dark, and the few shapes the windows are made of.

use gtk::gdk_pixbuf::{InterpType, Pixbuf};
use gtk::prelude::*;
use gtk::{gdk, gio, glib};

use crate::settings::Theme;

/// Pixels between neighbours, and around everything. Multiples of the interface's 4 px.
pub(crate) const GAP: i32 = 8;
/// Margin of a window's contents.
pub(crate) const MARGIN: i32 = 28;

const LIGHT: &str = include_str!(concat!(env!("OUT_DIR"), "/light.css"));
const DARK: &str = include_str!(concat!(env!("OUT_DIR"), "/dark.css"));
const RULES: &str = include_str!("native.css");
const MARK: &[u8] = include_bytes!("../../../icons/128x128@2x.png");

thread_local! {
    /// The rules in force; replaced when the person chooses another theme.
    static RULES_IN_FORCE: gtk::CssProvider = gtk::CssProvider::new();
}

/// Dresses every native window, and tells GTK, which the web view asks, whether it is dark.
pub(crate) fn apply_theme(theme: Theme) {
    let (Some(screen), Some(settings)) = (gdk::Screen::default(), gtk::Settings::default()) else { return };
    let dark = match theme {
        Theme::Light => false,
        Theme::Dark => true,
        Theme::System => is_system_dark(&settings),
    };
    if theme != Theme::System {
        settings.set_gtk_application_prefer_dark_theme(dark);
    }
    RULES_IN_FORCE.with(|rules| {
        rules
            .load_from_data([if dark { DARK } else { LIGHT }, RULES].concat().as_bytes())
            .expect("the rules are part of the source, and the window tests load them");
        // Above the user's own style sheet, which could hide a warning.
        gtk::StyleContext::add_provider_for_screen(&screen, rules, gtk::STYLE_PROVIDER_PRIORITY_USER + 1);
    });
}

/// Whether the theme in force is dark.
pub(crate) fn is_dark() -> bool {
    gtk::Settings::default().is_some_and(|settings| is_system_dark(&settings))
}

fn is_system_dark(settings: &gtk::Settings) -> bool {
    let named_dark = |name: &str| name.to_lowercase().ends_with("dark");
    settings.is_gtk_application_prefer_dark_theme()
        || settings.gtk_theme_name().is_some_and(|name| named_dark(&name))
        || std::env::var("GTK_THEME").is_ok_and(|name| named_dark(&name))
}

/// A window of its own, in the middle of the screen or of its parent.
pub(crate) fn window(title: &str, parent: Option<&gtk::Window>) -> gtk::Window {
    let window = gtk::Window::new(gtk::WindowType::Toplevel);
    window.set_title(title);
    window.set_resizable(false);
    // Also once more is asked for in it than at first.
    window.set_position(gtk::WindowPosition::CenterAlways);
    window.set_icon(mark(64).as_ref());
    window.style_context().add_class("coffer");
    if let Some(parent) = parent {
        window.set_transient_for(Some(parent));
        window.set_modal(true);
        window.set_position(gtk::WindowPosition::CenterOnParent);
        window.set_type_hint(gdk::WindowTypeHint::Dialog);
    }
    window
}

/// Coffer's mark as a picture of `size` pixels.
pub(crate) fn mark(size: i32) -> Option<Pixbuf> {
    let stream = gio::MemoryInputStream::from_bytes(&glib::Bytes::from_static(MARK));
    Pixbuf::from_stream(&stream, gio::Cancellable::NONE).ok()?.scale_simple(size, size, InterpType::Bilinear)
}

/// The mark, sharp on screens of twice the pixels too.
pub(crate) fn mark_image(size: i32) -> gtk::Image {
    let image = gtk::Image::new();
    let scale = image.scale_factor();
    if let Some(surface) = mark(size * scale).and_then(|mark| mark.create_surface(scale, None::<&gdk::Window>)) {
        image.set_from_surface(Some(&surface));
    }
    image
}

/// Contents of a window, one below the other.
pub(crate) fn column(spacing: i32) -> gtk::Box {
    gtk::Box::new(gtk::Orientation::Vertical, spacing)
}

/// Things beside each other.
pub(crate) fn row(spacing: i32) -> gtk::Box {
    gtk::Box::new(gtk::Orientation::Horizontal, spacing)
}

/// Takes a part out of sight until somebody shows it; what is in it comes with it then.
pub(crate) fn out_of_sight(part: &impl IsA<gtk::Widget>) {
    part.show_all();
    part.hide();
    part.set_no_show_all(true);
}

/// Characters of a line in a dialog.
pub(crate) const LINE: i32 = 46;
/// Characters of a line that makes no window wider, the unlock window neither.
pub(crate) const SHORT_LINE: i32 = 40;
/// What begins a line of a list, in a message.
const BULLET: char = '•';

/// Text that wraps within a dialog's width.
pub(crate) fn text(words: &str, class: &str) -> gtk::Label {
    text_in(LINE, words, class)
}

/// Text that wraps after so many characters.
pub(crate) fn text_in(line: i32, words: &str, class: &str) -> gtk::Label {
    let label = gtk::Label::new(Some(words));
    label.set_line_wrap(true);
    label.set_xalign(0.0);
    label.set_max_width_chars(line);
    label.set_width_chars(line);
    if !class.is_empty() {
        label.style_context().add_class(class);
    }
    label
}

/// Text with a list in it, whose lines hang: what wraps stands below the words, not below the bullet.
pub(crate) fn list_in(line: i32, words: &str) -> gtk::Box {
    let column = column(4);
    for words in words.lines() {
        let Some(item) = words.strip_prefix(BULLET) else {
            column.pack_start(&text_in(line, words, ""), false, false, 0);
            continue;
        };
        let bullet = gtk::Label::new(Some(BULLET.encode_utf8(&mut [0; 4])));
        bullet.set_valign(gtk::Align::Start);
        let row = row(GAP);
        row.pack_start(&bullet, false, false, 0);
        // The bullet and the gap take as much as two characters.
        row.pack_start(&text_in(line - 2, item.trim_start(), ""), true, true, 0);
        column.pack_start(&row, false, false, 0);
    }
    column
}

/// Gives a widget a class, or takes it away.
pub(crate) fn set_class(widget: &impl IsA<gtk::Widget>, class: &str, on: bool) {
    let context = widget.style_context();
    if on {
        context.add_class(class);
    } else {
        context.remove_class(class);
    }
}

/// The name above an entry, tied to it for the keyboard and for screen readers.
pub(crate) fn name_of(entry: &impl IsA<gtk::Widget>, words: &str) -> gtk::Label {
    let label = gtk::Label::new(Some(words));
    label.set_xalign(0.0);
    label.style_context().add_class("name");
    label.set_mnemonic_widget(Some(entry));
    if let (Some(entry), Some(label)) = (entry.accessible(), label.accessible()) {
        entry.set_name(words);
        label.set_name(words);
    }
    label
}

/// A button; `class` is `main`, `danger`, `flat` or nothing.
pub(crate) fn button(words: &str, class: &str) -> gtk::Button {
    let button = gtk::Button::with_label(words);
    if !class.is_empty() {
        button.style_context().add_class(class);
    }
    button
}

/// A strip with words that appears when there is something to say, and is read out by screen readers when it does.
pub(crate) struct Notice {
    strip: gtk::Box,
    label: gtk::Label,
}

impl Notice {
    /// `class` is `danger` or `warn`.
    pub(crate) fn new(class: &str) -> Self {
        let strip = row(GAP);
        let label = text_in(SHORT_LINE, "", "");
        strip.style_context().add_class("notice");
        strip.style_context().add_class(class);
        strip.pack_start(&label, true, true, 0);
        strip.set_no_show_all(true);
        label.show();
        if let Some(accessible) = label.accessible() {
            accessible.set_role(gtk::atk::Role::Alert);
        }
        Self { strip, label }
    }

    pub(crate) fn widget(&self) -> &gtk::Box {
        &self.strip
    }

    pub(crate) fn say(&self, words: &str) {
        self.label.set_text(words);
        self.strip.show();
    }

    pub(crate) fn hush(&self) {
        self.strip.hide();
    }
}

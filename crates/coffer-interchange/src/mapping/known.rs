//! Programs whose tables are known by their headers, and columns of theirs that mean nothing elsewhere. Pure.

/// A program that exports a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// Chrome, Edge and their kin.
    Chrome,
    /// Firefox.
    Firefox,
    /// KeePassXC.
    KeePassXc,
    /// Bitwarden.
    Bitwarden,
    /// 1Password.
    OnePassword,
}

impl Program {
    const ALL: [Self; 5] = [Self::Chrome, Self::Firefox, Self::KeePassXc, Self::Bitwarden, Self::OnePassword];

    /// The permanent name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Chrome => "chrome",
            Self::Firefox => "firefox",
            Self::KeePassXc => "keepassxc",
            Self::Bitwarden => "bitwarden",
            Self::OnePassword => "1password",
        }
    }

    /// Columns that tell it from others, as `plain_name` makes them: lower case and without `login` in front.
    const fn marks(self) -> &'static [&'static str] {
        match self {
            Self::Chrome => &["name", "url", "username", "password"],
            Self::Firefox => &["url", "username", "password", "httprealm", "formactionorigin", "guid"],
            Self::KeePassXc => &["group", "title", "username", "password", "url", "totp"],
            Self::Bitwarden => &["folder", "favorite", "type", "name", "fields", "reprompt", "uri", "totp"],
            Self::OnePassword => &["title", "url", "username", "password", "otpauth", "favorite", "archived"],
        }
    }

    /// The program whose header it is: every mark of it is there, and nothing more in Chrome's case but a note.
    pub(super) fn of(plain_names: &[String]) -> Option<Self> {
        let has = |name: &str| plain_names.iter().any(|plain| plain == name);
        let mut found = Self::ALL.into_iter().filter(|program| program.marks().iter().all(|mark| has(mark)));
        let is_exact = |names: &[&str]| plain_names.iter().all(|plain| names.contains(&plain.as_str()));
        found.rfind(|program| *program != Self::Chrome || is_exact(&["name", "url", "username", "password", "note"]))
    }

    /// Columns of its own bookkeeping.
    pub(super) fn skips(self, plain_name: &str) -> bool {
        let own: &[&str] = match self {
            Self::Chrome => &[],
            Self::Firefox => &["guid", "timecreated", "timelastused", "timepasswordchanged"],
            Self::KeePassXc => &["icon"],
            Self::Bitwarden => &["favorite", "reprompt"],
            Self::OnePassword => &["favorite"],
        };
        own.contains(&plain_name)
    }

    /// Columns of seeds for one-time codes.
    pub(super) fn is_seed(self, plain_name: &str) -> bool {
        match self {
            Self::Chrome | Self::Firefox => false,
            Self::KeePassXc | Self::Bitwarden => plain_name == "totp",
            Self::OnePassword => plain_name == "otpauth",
        }
    }

    /// Columns that may hold a secret although their names do not say so.
    pub(super) fn hides(self, plain_name: &str) -> bool {
        // Hidden custom fields stand among the others, `name: value` line by line.
        self == Self::Bitwarden && plain_name == "fields"
    }
}

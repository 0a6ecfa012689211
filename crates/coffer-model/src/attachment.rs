//! Attachments: files kept with a record, by which name and number, and what may be looked at. Pure.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::tenant::is_invisible;

/// Limits of attachments. What a file holds is bounded by the disk alone.
pub mod limits {
    /// Most bytes in a name, UTF-8: what file systems take.
    pub const NAME_BYTES: usize = 255;
    /// Most attachments of a record at one time.
    pub const PER_RECORD: usize = 200;
}

/// An attachment inside its record: given when it is attached, never used again for another of that record.
///
/// The log names attachments by it, since a name could itself say something about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttachmentId(pub u16);

/// What an attachment is called: a file's name that can be shown, and that leads nowhere.
///
/// It never becomes a name on the vault's disk; where it is saved, the person says as what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct AttachmentName(String);

/// The text is not the name of an attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of an attachment")]
pub struct InvalidAttachmentName;

/// Names that Windows keeps for devices, whatever their ending (learn.microsoft.com, "Naming Files").
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];
/// Devices that are numbered from 1 to 9.
const NUMBERED_DEVICES: [&str; 2] = ["com", "lpt"];
/// Stands for what a name may not hold.
const STAND_IN: char = '_';

impl AttachmentName {
    /// Takes a file's name, whatever it holds: separators, controls and characters that hide or turn others become `_`;
    /// what is too long loses from the end of its stem, so that its ending stays.
    pub fn from_file_name(name: &str) -> Self {
        let shown: String = name.trim().chars().map(|c| if is_forbidden(c) { STAND_IN } else { c }).collect();
        let named = if shown.chars().all(|c| c == '.') { STAND_IN.to_string() } else { shown };
        Self(shortened(&named).trim().to_owned())
    }

    /// The name as it is shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name under which any common system can save it: no reserved character, no device, nothing hidden.
    pub fn suggested_file_name(&self) -> String {
        let plain: String = self
            .0
            .chars()
            .map(|c| if matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*') { STAND_IN } else { c })
            .collect();
        let plain = plain.trim_end_matches(['.', ' ']);
        let is_hidden = plain.is_empty() || plain.starts_with(['.', '-', '~']);
        let safe = if is_hidden || is_device(plain) { format!("{STAND_IN}{plain}") } else { plain.to_owned() };
        shortened(&safe)
    }
}

/// What is left of `name` within the limit: its beginning, and its ending if that is no longer than endings are.
fn shortened(name: &str) -> String {
    const LONGEST_ENDING: usize = 16;
    if name.len() <= limits::NAME_BYTES {
        return name.to_owned();
    }
    let ending = name.rfind('.').map_or("", |dot| &name[dot..]);
    let ending = if ending.len() <= LONGEST_ENDING { ending } else { "" };
    let mut stem = limits::NAME_BYTES - ending.len();
    while !name.is_char_boundary(stem) {
        stem -= 1;
    }
    format!("{}{ending}", &name[..stem])
}

fn is_forbidden(c: char) -> bool {
    c.is_control() || is_invisible(c) || matches!(c, '/' | '\\' | '\u{2028}' | '\u{2029}')
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_lowercase();
    let is_numbered =
        |device: &str| stem.strip_prefix(device).is_some_and(|number| matches!(number.as_bytes(), [b'1'..=b'9']));
    DEVICES.contains(&stem.as_str()) || NUMBERED_DEVICES.into_iter().any(is_numbered)
}

impl FromStr for AttachmentName {
    type Err = InvalidAttachmentName;

    /// Accepts exactly what [`AttachmentName::from_file_name`] leaves as it is.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = Self::from_file_name(text);
        if name.0 == text { Ok(name) } else { Err(InvalidAttachmentName) }
    }
}

impl From<AttachmentName> for String {
    fn from(name: AttachmentName) -> Self {
        name.0
    }
}

impl fmt::Display for AttachmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an attachment holds, judged by its first bytes and never by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// UTF-8 text; markup, too, which is then shown as the text it is.
    Text,
    /// A PNG picture (ISO/IEC 15948).
    Png,
    /// A JPEG picture (ISO/IEC 10918-1).
    Jpeg,
    /// Anything else. It can be saved, and is never shown.
    Other,
}

impl MediaKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Text, Self::Png, Self::Jpeg, Self::Other];

    /// The kind as stored.
    pub const fn code(self) -> u8 {
        match self {
            Self::Text => 1,
            Self::Png => 2,
            Self::Jpeg => 3,
            Self::Other => 4,
        }
    }

    /// Takes the kind as stored.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Judges by `start`, the first bytes of the content, or all of it if that is shorter.
    pub fn of(start: &[u8]) -> Self {
        if start.starts_with(b"\x89PNG\r\n\x1a\n") {
            Self::Png
        } else if start.starts_with(b"\xff\xd8\xff") {
            Self::Jpeg
        } else if text_prefix(start).is_some_and(|text| !text.contains('\0')) {
            Self::Text
        } else {
            Self::Other
        }
    }
}

/// The text `start` begins with, without a character that was cut at its end; `None` if it is no UTF-8.
pub fn text_prefix(start: &[u8]) -> Option<&str> {
    match std::str::from_utf8(start) {
        Ok(text) => Some(text),
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&start[..error.valid_up_to()]).ok(),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(name: &str) -> String {
        AttachmentName::from_file_name(name).to_string()
    }

    #[test]
    fn attack_67_attachment_names_lead_nowhere_and_fit() {
        for (name, shown, saved) in [
            ("runbook.pdf", "runbook.pdf", "runbook.pdf"),
            ("/etc/x", "_etc_x", "_etc_x"),
            ("..\\..\\evil.exe", ".._.._evil.exe", "_.._.._evil.exe"),
            ("..", "_", "_"),
            ("", "_", "_"),
            ("CON", "CON", "_CON"),
            ("con.txt", "con.txt", "_con.txt"),
            ("LPT1", "LPT1", "_LPT1"),
            ("COM0", "COM0", "COM0"),
            ("Console", "Console", "Console"),
            (".bashrc", ".bashrc", "_.bashrc"),
            ("-rf", "-rf", "_-rf"),
            ("a\nb\0c", "a_b_c", "a_b_c"),
            ("gpj.\u{202e}exe", "gpj._exe", "gpj._exe"),
            ("what?.txt. ", "what?.txt.", "what_.txt"),
        ] {
            let name = AttachmentName::from_file_name(name);
            assert_eq!((name.as_str(), name.suggested_file_name().as_str()), (shown, saved));
        }
        let long = taken(&format!("{}.tar.gz", "ä".repeat(150)));
        assert_eq!((long.len(), long.ends_with("ä.gz")), (limits::NAME_BYTES, true));
        assert_eq!(taken(&"x".repeat(300)).len(), limits::NAME_BYTES);
        assert!(taken(&format!("a.{}", "x".repeat(300))).len() <= limits::NAME_BYTES);
    }

    #[test]
    fn only_names_that_need_no_taming_are_read_back() {
        for good in ["runbook.pdf", "CON", "Ünïcode 漢字", "a.b"] {
            assert_eq!(good.parse::<AttachmentName>().unwrap().as_str(), good);
        }
        for bad in ["", " a", "a/b", "a\\b", "..", "a\u{200b}", "a\tb", &"x".repeat(256)] {
            assert_eq!(bad.parse::<AttachmentName>(), Err(InvalidAttachmentName), "{bad:?}");
        }
    }

    #[test]
    fn the_kind_is_judged_by_content() {
        for (start, kind) in [
            (&b""[..], MediaKind::Text),
            ("grün\n".as_bytes(), MediaKind::Text),
            (&"grün".as_bytes()[..3], MediaKind::Text),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", MediaKind::Text),
            (b"\x89PNG\r\n\x1a\n....", MediaKind::Png),
            (b"\xff\xd8\xff\xe0", MediaKind::Jpeg),
            (b"GIF89a\x01\x00", MediaKind::Other),
            (b"%PDF-1.7\n\xe2\xe3", MediaKind::Other),
            (b"a\0b", MediaKind::Other),
            (b"\xff\xfea\0", MediaKind::Other),
        ] {
            assert_eq!(MediaKind::of(start), kind, "{}", start.escape_ascii());
        }
        for kind in MediaKind::ALL {
            assert_eq!(MediaKind::from_code(kind.code()), Some(kind));
        }
        assert_eq!(MediaKind::from_code(0), None);
    }
}

//! What a person can choose about the program, kept in one small file. Nothing in it can weaken a vault beyond the
//! limits here, and nothing can start an export.

use coffer_model::list::RowDetail;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::refusal::Refusal;
use crate::storage;

const FILE: &str = "settings.json";

/// Shortest and longest time without activity before the program locks, in seconds.
const IDLE_SECONDS: std::ops::RangeInclusive<u32> = 15..=3600;
/// Shortest and longest time a copied secret stays on the clipboard, in seconds.
const CLIPBOARD_SECONDS: std::ops::RangeInclusive<u32> = 5..=120;

/// The language of every window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// The system's, if Coffer speaks it.
    System,
    /// English.
    En,
    /// German.
    De,
}

/// Light or dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// As the system.
    System,
    /// Dark ink on light ground.
    Light,
    /// Light ink on dark ground.
    Dark,
}

/// Which of the three presets the times were taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum LockPreset {
    /// Long times.
    Convenient,
    /// Middling ones.
    Balanced,
    /// Short ones.
    Strict,
}

/// What a person can choose about the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The language of every window.
    pub language: Language,
    /// Light or dark.
    pub theme: Theme,
    /// Seconds until a copied secret is taken from the clipboard.
    #[ts(type = "number")]
    pub clipboard_seconds: u32,
    /// Which preset the times were taken from.
    pub lock_preset: LockPreset,
    /// Seconds without activity until the program locks.
    #[ts(type = "number")]
    pub idle_seconds: u32,
    /// What rows of lists tell besides title, kind and time.
    #[serde(default)]
    #[ts(type = "\"none\" | \"value\" | \"tags\"")]
    pub row_detail: RowDetail,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            language: Language::System,
            theme: Theme::System,
            clipboard_seconds: 30,
            lock_preset: LockPreset::Balanced,
            idle_seconds: 300,
            row_detail: RowDetail::None,
        }
    }
}

impl Settings {
    /// Reads the file. Without one, or with one that nobody understands, the defaults hold.
    pub(crate) fn load() -> Self {
        storage::read(FILE)
            .and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok())
            .map_or_else(Self::default, Self::within_limits)
    }

    /// Keeps the settings.
    pub(crate) fn save(&self) -> Result<(), Refusal> {
        let bytes = serde_json::to_vec_pretty(self).expect("numbers and names always serialise");
        Ok(storage::replace(FILE, &bytes)?)
    }

    /// The same, with times that protect.
    pub(crate) fn within_limits(mut self) -> Self {
        self.idle_seconds = self.idle_seconds.clamp(*IDLE_SECONDS.start(), *IDLE_SECONDS.end());
        self.clipboard_seconds = self.clipboard_seconds.clamp(*CLIPBOARD_SECONDS.start(), *CLIPBOARD_SECONDS.end());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_setting_keeps_the_program_open_for_ever() {
        let settings = Settings { idle_seconds: u32::MAX, clipboard_seconds: 0, ..Settings::default() }.within_limits();
        assert_eq!((settings.idle_seconds, settings.clipboard_seconds), (3600, 5));
    }

    #[test]
    fn unknown_settings_are_refused() {
        let known = serde_json::to_string(&Settings::default()).unwrap();
        assert_eq!(serde_json::from_str::<Settings>(&known).unwrap(), Settings::default());
        let more = known.replacen('{', "{\"export_to\":\"/tmp\",", 1);
        assert!(serde_json::from_str::<Settings>(&more).is_err());
    }
}

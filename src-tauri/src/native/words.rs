//! The words of the native windows, one message file a language (`messages/`).
//!
//! A message that is missing from a file, or that no field asks for, fails the first time the file is read, which the
//! tests do for every language.

use std::sync::LazyLock;

use coffer_core::MissingFactors;
use coffer_core::host::KeyringError;
use coffer_model::time::Timestamp;
use gtk::glib;
use serde::Deserialize;

use crate::settings::Language;
use crate::shell::UnlockProblem;

/// As English has them in dates.
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Every message of the native windows.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Words {
    /// What they are in. Which file it is says so, not the file.
    #[serde(skip, default = "unsaid")]
    language: Language,
    pub(crate) cancel: String,
    pub(crate) show: String,
    pub(crate) hide: String,
    pub(crate) login: String,
    pub(crate) passphrase: String,
    pub(crate) caps_lock: String,
    pub(crate) unlock_window: String,
    pub(crate) unlock: String,
    pub(crate) unlock_busy: String,
    pub(crate) unlock_other: String,
    pub(crate) unlock_first_run: String,
    pub(crate) unlock_choose: String,
    pub(crate) unlock_forgot: String,
    pub(crate) unlock_forgot_text: String,
    pub(crate) unlock_accept_older: String,
    pub(crate) unlock_restart_log: String,
    pub(crate) unlock_move_again: String,
    pub(crate) unlock_moving: String,
    pub(crate) unlock_moved_again: String,
    pub(crate) unlock_take_move_back: String,
    pub(crate) step_move: String,
    pub(crate) unlock_attempts_one: String,
    pub(crate) unlock_attempts_many: String,
    pub(crate) unlock_empty: String,
    pub(crate) unlock_activate: String,
    pub(crate) unlock_too_soon: String,
    pub(crate) unlock_key_file: String,
    pub(crate) unlock_personal: String,
    pub(crate) unlock_recover: String,
    pub(crate) code: String,
    pub(crate) key_file: String,
    pub(crate) key_file_choose: String,
    pub(crate) key_file_none: String,
    pub(crate) key_file_without: String,
    pub(crate) token: String,
    pub(crate) token_text: String,
    pub(crate) token_none: String,
    pub(crate) token_paste: String,
    pub(crate) token_pasted: String,
    pub(crate) token_choose: String,
    pub(crate) token_unreadable: String,
    pub(crate) choose_token: String,
    pub(crate) choose_key_set: String,
    pub(crate) step_provider: String,
    pub(crate) step_federate: String,
    pub(crate) step_federate_off: String,
    pub(crate) personal_code: String,
    pub(crate) personal_placeholder: String,
    pub(crate) personal_use: String,
    pub(crate) personal_instead: String,
    pub(crate) personal_length: String,
    pub(crate) personal_group: String,
    pub(crate) personal_window: String,
    pub(crate) personal_title: String,
    pub(crate) personal_text: String,
    pub(crate) personal_heading: String,
    pub(crate) personal_file_default: String,
    pub(crate) choose_personal: String,
    pub(crate) spare_window: String,
    pub(crate) spare_title: String,
    pub(crate) spare_text: String,
    pub(crate) spare_heading: String,
    pub(crate) spare_file_default: String,
    pub(crate) choose_spare: String,
    pub(crate) sheet_saved: String,
    pub(crate) sheet_printed: String,
    pub(crate) print: String,
    pub(crate) enrol_window: String,
    pub(crate) enrol_title: String,
    pub(crate) enrol_text: String,
    pub(crate) enrol_by_hand: String,
    pub(crate) enrol_picture: String,
    pub(crate) enrol_code: String,
    pub(crate) enrol_copied: String,
    pub(crate) choose_key_file: String,
    pub(crate) choose_new_key_file: String,
    pub(crate) key_file_default: String,
    pub(crate) missing: String,
    pub(crate) missing_key_file: String,
    pub(crate) missing_keyring_locked: String,
    pub(crate) missing_keyring_not_found: String,
    pub(crate) missing_keyring_unavailable: String,
    pub(crate) missing_keyring_failed: String,
    pub(crate) missing_else: String,
    pub(crate) custodian_window: String,
    pub(crate) custodian_title: String,
    pub(crate) custodian_wrong: String,
    pub(crate) second_window: String,
    pub(crate) second_title: String,
    pub(crate) second_wrong: String,
    pub(crate) activate_window: String,
    pub(crate) activate_title: String,
    pub(crate) activate_text: String,
    pub(crate) activate_code: String,
    pub(crate) activate_passphrase: String,
    pub(crate) activate_go: String,
    pub(crate) activate_busy: String,
    pub(crate) activate_length: String,
    pub(crate) activate_group: String,
    pub(crate) recover_window: String,
    pub(crate) recover_title: String,
    pub(crate) recover_text: String,
    pub(crate) recover_passphrase: String,
    pub(crate) recover_go: String,
    pub(crate) recover_busy: String,
    pub(crate) restore_window: String,
    pub(crate) restore_title: String,
    pub(crate) restore_text: String,
    pub(crate) steward_window: String,
    pub(crate) steward_title: String,
    pub(crate) steward_text: String,
    pub(crate) papers: String,
    pub(crate) papers_none: String,
    pub(crate) papers_choose: String,
    pub(crate) papers_clear: String,
    pub(crate) papers_typed: String,
    pub(crate) papers_add: String,
    pub(crate) papers_by_hand: String,
    pub(crate) papers_login: String,
    pub(crate) papers_kit: String,
    pub(crate) papers_share: String,
    pub(crate) papers_needed: String,
    pub(crate) papers_file: String,
    pub(crate) papers_empty: String,
    pub(crate) papers_unreadable: String,
    pub(crate) papers_neither: String,
    pub(crate) papers_group: String,
    pub(crate) papers_checksum: String,
    pub(crate) papers_forged: String,
    pub(crate) papers_twofold: String,
    pub(crate) papers_missing: String,
    pub(crate) invitation_window: String,
    pub(crate) invitation_title: String,
    pub(crate) invitation_text: String,
    pub(crate) invitation_until: String,
    pub(crate) invitation_grants: String,
    pub(crate) invitation_copied: String,
    pub(crate) invitation_saved: String,
    pub(crate) copy: String,
    pub(crate) save_as_file: String,
    pub(crate) done: String,
    pub(crate) choose_activation_code: String,
    pub(crate) activation_code_file_default: String,
    pub(crate) change_window: String,
    pub(crate) change_title: String,
    pub(crate) change_text: String,
    pub(crate) change_old: String,
    pub(crate) change_new: String,
    pub(crate) change_copies: String,
    pub(crate) change_go: String,
    pub(crate) change_busy: String,
    pub(crate) renew_window: String,
    pub(crate) renew_title: String,
    pub(crate) renew_text: String,
    pub(crate) renew_copies: String,
    pub(crate) renew_go: String,
    pub(crate) renew_busy: String,
    pub(crate) demo_mark: String,
    pub(crate) new_window: String,
    pub(crate) new_title: String,
    pub(crate) new_text: String,
    pub(crate) new_again: String,
    pub(crate) new_create: String,
    pub(crate) new_busy: String,
    pub(crate) new_differs: String,
    pub(crate) new_empty: String,
    pub(crate) strength_0: String,
    pub(crate) strength_1: String,
    pub(crate) strength_2: String,
    pub(crate) strength_3: String,
    pub(crate) strength_4: String,
    pub(crate) refused_short: String,
    pub(crate) refused_known: String,
    pub(crate) refused_name: String,
    pub(crate) refused_common: String,
    pub(crate) refused_words: String,
    pub(crate) refused_names: String,
    pub(crate) refused_keyboard: String,
    pub(crate) refused_repeats: String,
    pub(crate) refused_sequence: String,
    pub(crate) refused_date: String,
    pub(crate) refused_mixed: String,
    pub(crate) refused_character: String,
    pub(crate) refused_long: String,
    pub(crate) step_window: String,
    pub(crate) step_title: String,
    pub(crate) step_export: String,
    pub(crate) step_export_tenant: String,
    pub(crate) step_export_subject: String,
    pub(crate) step_erase_subject: String,
    pub(crate) step_enrol: String,
    pub(crate) step_invite: String,
    pub(crate) step_roles: String,
    pub(crate) step_break: String,
    pub(crate) step_custodians: String,
    pub(crate) step_remove: String,
    pub(crate) step_leaving: String,
    pub(crate) step_secrets_by: String,
    pub(crate) step_keep: String,
    pub(crate) step_reset: String,
    pub(crate) step_anew: String,
    pub(crate) step_personal: String,
    pub(crate) step_factor: String,
    pub(crate) step_spare: String,
    pub(crate) step_factor_remove: String,
    pub(crate) step_rules: String,
    pub(crate) step_restore: String,
    pub(crate) step_save_file: String,
    pub(crate) step_keys: String,
    pub(crate) step_keys_device_on: String,
    pub(crate) step_keys_device_off: String,
    pub(crate) step_keys_file: String,
    pub(crate) step_keys_no_file: String,
    pub(crate) step_recovery: String,
    pub(crate) step_steward: String,
    pub(crate) step_continue: String,
    pub(crate) step_busy: String,
    pub(crate) step_wrong: String,
    pub(crate) kit_window: String,
    pub(crate) kit_title: String,
    pub(crate) kit_text: String,
    pub(crate) kit_group: String,
    pub(crate) kit_check: String,
    pub(crate) kit_wrong: String,
    pub(crate) shares_window: String,
    pub(crate) shares_title: String,
    pub(crate) shares_text: String,
    pub(crate) shares_group: String,
    pub(crate) shares_wrong: String,
    pub(crate) leave_kit_window: String,
    pub(crate) leave_kit_title: String,
    pub(crate) leave_kit_text: String,
    pub(crate) leave_kit_lost: String,
    pub(crate) leave_kit_stays: String,
    pub(crate) leave_kit_leave: String,
    pub(crate) leave_kit_back: String,
    pub(crate) choose_new_vault: String,
    pub(crate) choose_vault: String,
    pub(crate) choose_kit: String,
    pub(crate) choose_backup: String,
    pub(crate) choose_backup_target: String,
    pub(crate) choose_restore_target: String,
    pub(crate) choose_import: String,
    pub(crate) choose_source_key: String,
    pub(crate) choose_export: String,
    pub(crate) choose_subject: String,
    pub(crate) source_window: String,
    pub(crate) source_title: String,
    pub(crate) source_text: String,
    pub(crate) export_title: String,
    pub(crate) export_text: String,
    pub(crate) choose_attach: String,
    pub(crate) choose_save_attachment: String,
    pub(crate) choose_shares: String,
    pub(crate) choose_papers: String,
    pub(crate) attach: String,
    pub(crate) save: String,
    pub(crate) open: String,
    pub(crate) choose: String,
    pub(crate) vault_name_default: String,
    pub(crate) kit_file_default: String,
    pub(crate) shares_folder_default: String,
    pub(crate) backup_file_default: String,
    pub(crate) filter_archive: String,
    pub(crate) subject_file_default: String,
    pub(crate) filter_backup: String,
    pub(crate) filter_csv: String,
    pub(crate) filter_encrypted_archive: String,
    pub(crate) filter_kdbx: String,
    pub(crate) filter_text: String,
    pub(crate) error_unlock_refused: String,
    pub(crate) error_code_needed: String,
    pub(crate) error_code_wrong: String,
    pub(crate) error_code_used: String,
    pub(crate) error_access_ended: String,
    pub(crate) error_log_damaged: String,
    pub(crate) error_older_than_known: String,
    pub(crate) error_older_than_known_since: String,
    pub(crate) error_moved: String,
    pub(crate) error_moved_at: String,
    pub(crate) error_moved_by: String,
    pub(crate) error_move_unfinished: String,
    pub(crate) error_move_not_taken_up: String,
    pub(crate) error_target_exists: String,
    pub(crate) error_token_needed: String,
    pub(crate) error_token_malformed: String,
    pub(crate) error_token_algorithm: String,
    pub(crate) error_token_key: String,
    pub(crate) error_token_encryption: String,
    pub(crate) error_token_issuer: String,
    pub(crate) error_token_subject: String,
    pub(crate) error_token_expired: String,
    pub(crate) error_token_not_yet: String,
    pub(crate) error_token_used: String,
    pub(crate) error_not_another: String,
    pub(crate) error_key_file_needed: String,
    pub(crate) error_key_file_length: String,
    pub(crate) error_key_file_unreadable: String,
    pub(crate) error_keyring: String,
    pub(crate) error_passphrase_needed: String,
    pub(crate) error_passphrase_alone: String,
    pub(crate) error_not_fresh: String,
    pub(crate) error_print: String,
    pub(crate) error_too_soon: String,
    pub(crate) error_no_invitation: String,
    pub(crate) error_activation_expired: String,
    pub(crate) error_other_kit: String,
    pub(crate) error_shares_mixed: String,
    pub(crate) error_shares_false: String,
    pub(crate) error_login_taken: String,
    pub(crate) error_invalid_login: String,
    pub(crate) error_passphrase: String,
    pub(crate) error_clipboard: String,
    pub(crate) error_source_wrong_key: String,
    pub(crate) error_source_damaged: String,
    pub(crate) error_source_unsupported: String,
    pub(crate) error_source_kdf_too_costly: String,
    pub(crate) error_held_elsewhere: String,
    pub(crate) error_held_elsewhere_by: String,
    pub(crate) error_not_a_vault: String,
    pub(crate) error_damaged: String,
    pub(crate) error_newer_version: String,
    pub(crate) error_no_space: String,
    pub(crate) error_not_durable: String,
    pub(crate) error_busy: String,
    pub(crate) error_log_unavailable: String,
    pub(crate) error_io: String,
    pub(crate) error_out_of_memory: String,
    pub(crate) error_device_key: String,
    pub(crate) error_place_taken: String,
    pub(crate) error_no_folder: String,
    pub(crate) error_other: String,
}

static ENGLISH: LazyLock<Words> = LazyLock::new(|| parse(Language::En, include_str!("../../messages/en.json")));
static GERMAN: LazyLock<Words> = LazyLock::new(|| parse(Language::De, include_str!("../../messages/de.json")));

fn parse(language: Language, file: &str) -> Words {
    let words: Words = serde_json::from_str(file).expect("message files are part of the source, and a test reads each");
    Words { language, ..words }
}

/// Until [`parse`] says it.
const fn unsaid() -> Language {
    Language::System
}

/// The words in the language the person chose, or the system's.
pub(crate) fn words(language: Language) -> &'static Words {
    match language {
        Language::En => &ENGLISH,
        Language::De => &GERMAN,
        Language::System => words(system_language()),
    }
}

/// The first of the system's languages that Coffer speaks, else English. Never [`Language::System`].
pub(crate) fn system_language() -> Language {
    spoken(glib::language_names().iter().map(glib::GString::as_str))
}

fn spoken<'n>(names: impl IntoIterator<Item = &'n str>) -> Language {
    // A name may go on with a country, an encoding, a variant: "de_AT.UTF-8".
    let spoken = |name: &str| match name.split(|c: char| !c.is_ascii_alphabetic()).next() {
        Some("de") => Some(Language::De),
        Some("en") => Some(Language::En),
        _ => None,
    };
    names.into_iter().find_map(spoken).unwrap_or(Language::En)
}

/// A time as people write it, to the minute. GLib would write it in the system's language, whichever was chosen.
fn written(time: &glib::DateTime, language: Language) -> String {
    let (year, month, day) = time.ymd();
    let clock = format!("{:02}:{:02}", time.hour(), time.minute());
    if language == Language::De {
        return format!("{day:02}.{month:02}.{year}, {clock}");
    }
    let name = usize::try_from(month - 1).ok().and_then(|index| MONTHS.get(index)).expect("a year has twelve months");
    format!("{day} {name} {year}, {clock}")
}

/// A day as file names have it: ISO 8601, so that they sort.
pub(crate) fn local_date(at: Timestamp) -> String {
    let local = glib::DateTime::from_unix_utc(at.unix_millis() / 1000).and_then(|time| time.to_local());
    local.and_then(|time| time.format("%Y-%m-%d")).map_or_else(|_| at.to_string(), Into::into)
}

/// Puts values into a message's `{name}`s.
pub(crate) fn fill(message: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(message.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

impl Words {
    /// A time here, as people write it.
    pub(crate) fn local_time(&self, at: Timestamp) -> String {
        let local = glib::DateTime::from_unix_utc(at.unix_millis() / 1000).and_then(|time| time.to_local());
        local.map_or_else(|_| at.to_string(), |time| written(&time, self.language))
    }

    /// Why somebody was not let in or not believed, and what to do.
    pub(crate) fn problem(&self, problem: &UnlockProblem) -> String {
        if let Some(seen) = problem.seen {
            return fill(&self.error_older_than_known_since, &[("seen", &self.local_time(seen))]);
        }
        if let Some(moved) = &problem.moved {
            let (at, by) = &**moved;
            let at = self.local_time(*at);
            return match by {
                Some(by) => fill(&self.error_moved_by, &[("moved", &at), ("login", by)]),
                None => fill(&self.error_moved_at, &[("moved", &at)]),
            };
        }
        match (&problem.holder, problem.missing) {
            (Some(holder), _) => fill(
                &self.error_held_elsewhere_by,
                &[("program", &holder.program), ("pid", &holder.pid), ("since", &self.local_time(holder.since))],
            ),
            (None, Some(missing)) => self.missing(missing),
            (None, None) => self.error(problem.code),
        }
    }

    /// What accounts of the vault ask for besides a passphrase, and was not there.
    fn missing(&self, missing: MissingFactors) -> String {
        let keyring = missing.keyring.map(|reason| match reason {
            KeyringError::Locked | KeyringError::TimedOut => &self.missing_keyring_locked,
            KeyringError::NotFound => &self.missing_keyring_not_found,
            KeyringError::Unavailable => &self.missing_keyring_unavailable,
            KeyringError::Failed => &self.missing_keyring_failed,
        });
        let key_file = missing.key_file.then_some(&self.missing_key_file);
        let parts = [Some(&self.missing), key_file, keyring, Some(&self.missing_else)];
        parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    /// What happened and what to do, for an error's permanent code.
    pub(crate) fn error(&self, code: &str) -> String {
        let words = match code {
            "unlock_refused" => &self.error_unlock_refused,
            "code_needed" => &self.error_code_needed,
            "code_wrong" => &self.error_code_wrong,
            "code_used" => &self.error_code_used,
            "access_ended" => &self.error_access_ended,
            "log_damaged" => &self.error_log_damaged,
            "older_than_known" => &self.error_older_than_known,
            "moved" => &self.error_moved,
            "move_unfinished" => &self.error_move_unfinished,
            "move_not_taken_up" => &self.error_move_not_taken_up,
            "target_exists" => &self.error_target_exists,
            "token_needed" => &self.error_token_needed,
            "token_malformed" | "token_kind" => &self.error_token_malformed,
            "token_algorithm" => &self.error_token_algorithm,
            "token_unknown_key" | "token_signature" => &self.error_token_key,
            "token_encryption" => &self.error_token_encryption,
            "token_issuer" | "token_audience" => &self.error_token_issuer,
            "token_subject" => &self.error_token_subject,
            "token_expired" => &self.error_token_expired,
            "token_not_yet" => &self.error_token_not_yet,
            "token_used" => &self.error_token_used,
            "not_another_administrator" => &self.error_not_another,
            "key_file_needed" => &self.error_key_file_needed,
            "key_file_length" => &self.error_key_file_length,
            "key_file_unreadable" => &self.error_key_file_unreadable,
            "keyring_unusable" => &self.error_keyring,
            "passphrase_needed" => &self.error_passphrase_needed,
            "passphrase_alone" => &self.error_passphrase_alone,
            "not_fresh" => &self.error_not_fresh,
            "print_failed" => &self.error_print,
            "too_soon" => &self.error_too_soon,
            "no_invitation" => &self.error_no_invitation,
            "activation_expired" => &self.error_activation_expired,
            "other_kit" => &self.error_other_kit,
            "shares_mixed" => &self.error_shares_mixed,
            "shares_false" => &self.error_shares_false,
            "login_taken" => &self.error_login_taken,
            "invalid_login" => &self.error_invalid_login,
            "passphrase_expected_name" | "passphrase_guessable" | "passphrase_too_short" | "passphrase_well_known" => {
                &self.error_passphrase
            }
            "clipboard_failed" | "clipboard_unavailable" => &self.error_clipboard,
            "source_wrong_key" => &self.error_source_wrong_key,
            "source_damaged" => &self.error_source_damaged,
            "source_unsupported" | "source_other_version" => &self.error_source_unsupported,
            "source_kdf_too_costly" => &self.error_source_kdf_too_costly,
            "held_elsewhere" => &self.error_held_elsewhere,
            "not_a_vault" => &self.error_not_a_vault,
            "damaged" => &self.error_damaged,
            "newer_version" => &self.error_newer_version,
            "no_space" => &self.error_no_space,
            "not_durable" => &self.error_not_durable,
            "busy" => &self.error_busy,
            "log_unavailable" => &self.error_log_unavailable,
            "io" => &self.error_io,
            "out_of_memory" => &self.error_out_of_memory,
            "device_key" => &self.error_device_key,
            "place_taken" => &self.error_place_taken,
            "no_folder" => &self.error_no_folder,
            _ => return fill(&self.error_other, &[("code", code)]),
        };
        words.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_first_language_of_the_system_that_coffer_speaks_is_taken() {
        assert_eq!(spoken(["de_AT.UTF-8", "de_AT", "de", "C"]), Language::De);
        assert_eq!(spoken(["fr_CH", "fr", "de", "en", "C"]), Language::De);
        assert_eq!(spoken(["en_GB.UTF-8", "de"]), Language::En);
        assert_eq!(spoken(["dene", "C"]), Language::En);
        assert_eq!(spoken([]), Language::En);
    }

    #[test]
    fn every_language_has_every_message_with_the_same_places_for_values() {
        let messages = |file| serde_json::from_str::<BTreeMap<String, String>>(file).unwrap();
        let places = |text: &str| -> Vec<String> {
            let mut places: Vec<String> =
                text.split('{').skip(1).map(|rest| rest.split('}').next().unwrap().to_owned()).collect();
            places.sort();
            places
        };
        let english = messages(include_str!("../../messages/en.json"));
        let german = messages(include_str!("../../messages/de.json"));
        assert_eq!(words(Language::En).cancel, "Cancel");
        assert_eq!(words(Language::De).cancel, "Abbrechen");
        for (name, text) in &english {
            assert_eq!(places(text), places(&german[name]), "{name}");
        }
    }

    #[test]
    fn a_time_is_written_in_the_language_of_the_words() {
        let late = glib::DateTime::from_utc(2026, 11, 30, 11, 7, 1.0).unwrap();
        let early = glib::DateTime::from_utc(2027, 2, 3, 9, 0, 59.0).unwrap();
        let in_language = |language| [&late, &early].map(|time| written(time, words(language).language));
        assert_eq!(in_language(Language::En), ["30 Nov 2026, 11:07", "3 Feb 2027, 09:00"]);
        assert_eq!(in_language(Language::De), ["30.11.2026, 11:07", "03.02.2027, 09:00"]);
    }

    #[test]
    fn a_code_without_words_is_shown_itself() {
        assert!(words(Language::En).error("something_new").contains("something_new"));
        assert!(!words(Language::En).error("no_space").contains("no_space"));
    }
}

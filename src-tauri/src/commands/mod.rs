//! The commands of the web view: each one line of work over the engine, which authorises and logs it.
//!
//! None takes a passphrase, a code or a path, and none gives one out. Without a session all but the first run's and the
//! program's own are refused as `locked`.

mod args;
mod attachments;
mod federation;
mod fields;
mod find;
mod first_run;
mod glass;
mod health;
mod keys;
mod leaving;
mod life;
mod log;
mod moves;
mod people;
mod persons;
mod program;
mod proof;
mod records;
mod recovery;
mod requests;
#[cfg(test)]
mod tests;
mod transfer;
mod upkeep;
mod ways;
mod work;

use std::sync::Arc;

use tauri::ipc::Invoke;
use tauri::{Runtime, State};

pub(crate) use first_run::NewKind;
pub use requests::{
    AppState, BackupFile, BackupRow, Chosen, Copied, ImportFile, Invited, MadeSecret, SavedKit, Screen, ShownCode,
};

include!("names.rs");

use crate::shell::Shell;

/// What every command is given by Tauri.
type Held<'s> = State<'s, Arc<Shell>>;

/// All of them; a test holds the list to [`COMMANDS`].
pub(crate) fn handler<R: Runtime>() -> impl Fn(Invoke<R>) -> bool + Send + Sync + 'static {
    tauri::generate_handler![
        program::app_state,
        program::places,
        program::lock,
        program::activity,
        program::settings_get,
        program::settings_set,
        first_run::choose_new_vault_place,
        first_run::create_vault,
        first_run::save_recovery_kit,
        first_run::confirm_recovery_kit,
        first_run::finish_first_run,
        first_run::open_vault,
        first_run::restore_backup_first_run,
        first_run::create_demo_vault,
        records::tenants_list,
        records::tenant_create,
        records::records_list,
        records::record_open,
        records::record_history,
        records::record_add,
        records::record_change,
        records::field_reveal,
        records::field_copy,
        records::url_open,
        attachments::attachment_add_start,
        attachments::attachment_save_start,
        attachments::attachment_preview,
        attachments::attachment_detach,
        attachments::attachment_reattach,
        fields::code_copy,
        fields::code_show,
        fields::kind_remove,
        fields::kind_set,
        fields::kinds_list,
        fields::secret_assess,
        fields::secret_copy,
        fields::secret_generate,
        fields::secret_show,
        find::search,
        find::search_remove,
        find::search_rename,
        find::search_save,
        find::searches_list,
        find::tag_remove,
        find::tag_rename,
        find::tags_list,
        life::draft_discard,
        life::draft_keep,
        life::draft_open,
        life::drafts_list,
        life::record_favourite,
        life::record_restore_version,
        life::records_purge,
        life::records_restore,
        life::records_tag,
        life::records_tag_undo,
        life::records_trash,
        life::trash_empty,
        life::trash_list,
        moves::records_move_preview,
        moves::records_move_start,
        moves::records_move_undo,
        upkeep::expiring_list,
        upkeep::secret_health_start,
        work::import_choose_file,
        transfer::import_open_file,
        work::import_start,
        transfer::tenant_export_start,
        persons::tenant_twin_start,
        persons::subject_find_start,
        persons::subject_export_start,
        persons::subject_erase_start,
        work::backup_export_start,
        work::backup_verify_start,
        work::backup_restore_start,
        work::vault_move_start,
        work::backups_list,
        work::job_progress,
        work::job_cancel,
        people::people_list,
        people::account_invite,
        people::invitation_withdraw,
        people::roles_set,
        people::account_remove,
        people::account_reset,
        people::passphrase_change,
        people::grant_give,
        people::grant_withdraw,
        people::rekey_start,
        glass::glass_list,
        glass::glass_prepare,
        glass::glass_break,
        leaving::leaving_set,
        leaving::secrets_by_set,
        leaving::account_keep,
        leaving::offboarding,
        leaving::exposures_start,
        leaving::exposure_report_start,
        leaving::exposure_check_start,
        keys::key_register,
        keys::key_access,
        keys::key_rotate,
        keys::key_compromised,
        keys::periods_set,
        recovery::recovery,
        recovery::recovery_renew,
        recovery::recovery_accept,
        recovery::tenants_recover,
        ways::authenticate,
        ways::ways_in,
        ways::key_factors_change,
        ways::own_keys_renew,
        ways::personal_code_make,
        ways::second_factor_enrol,
        ways::spare_codes_make,
        ways::second_factor_remove,
        ways::policy,
        ways::policy_set,
        federation::provider,
        federation::provider_pin,
        federation::provider_unpin,
        federation::account_federate,
        health::health,
        health::files_check,
        health::device_enrol,
        log::log_page,
        log::log_verify_start,
    ]
}

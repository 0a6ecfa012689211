/// Every command the web view may ask for. The build script makes one permission of each, the capability file grants
/// them window by window, and tests hold the interface's own list and the registered handlers to this one.
pub const COMMANDS: &[&str] = &[
    // The program.
    "app_state",
    "places",
    "lock",
    "activity",
    "settings_get",
    "settings_set",
    // First run.
    "choose_new_vault_place",
    "create_vault",
    "save_recovery_kit",
    "confirm_recovery_kit",
    "finish_first_run",
    "open_vault",
    "restore_backup_first_run",
    "create_demo_vault",
    // Tenants and records.
    "tenants_list",
    "tenant_create",
    "records_list",
    "record_open",
    "record_history",
    "record_add",
    "record_change",
    "field_reveal",
    "field_copy",
    "url_open",
    "attachment_add_start",
    "attachment_save_start",
    "attachment_preview",
    "attachment_detach",
    "attachment_reattach",
    "search",
    // Long work.
    "import_choose_file",
    "import_start",
    "backup_export_start",
    "backup_verify_start",
    "backup_restore_start",
    "backups_list",
    "job_progress",
    "job_cancel",
    // Log.
    "log_page",
    "log_verify_start",
];

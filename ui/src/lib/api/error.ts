// What went wrong, in words: every code the engine or the desktop shell can answer with has its own, saying what
// happened and what to do. A code without words does not compile.
import * as m from "$words";

/** Every code with its words. Codes are permanent; words are not. */
const WORDS = {
  assignment_field_name: { what: m.error_mapping, todo: m.error_mapping_do },
  assignment_form: { what: m.error_mapping, todo: m.error_mapping_do },
  assignment_unknown_column: { what: m.error_mapping, todo: m.error_mapping_do },
  assignment_unknown_field_type: { what: m.error_mapping, todo: m.error_mapping_do },
  authentication_not_fresh: { what: m.error_authentication_not_fresh, todo: m.error_authentication_not_fresh_do },
  attachment_exists: { what: m.error_attachment_exists, todo: m.error_attachment_exists_do },
  backup_damaged: { what: m.error_backup_damaged, todo: m.error_backup_damaged_do },
  backup_not_found: { what: m.error_backup_not_found, todo: m.error_backup_not_found_do },
  backup_of_other_vault: { what: m.error_backup_of_other_vault, todo: m.error_backup_of_other_vault_do },
  backup_unsettled: { what: m.error_backup_unsettled, todo: m.error_backup_unsettled_do },
  backup_older: { what: m.error_backup_older, todo: m.error_backup_older_do },
  backup_untrusted: { what: m.error_backup_untrusted, todo: m.error_backup_untrusted_do },
  backup_wrong_key: { what: m.error_backup_wrong_key, todo: m.error_backup_wrong_key_do },
  bulk_count: { what: m.error_bulk_count, todo: m.error_bulk_count_do },
  bug: { what: m.error_bug, todo: m.error_bug_do },
  busy: { what: m.error_busy, todo: m.error_busy_do },
  cancelled: { what: m.error_cancelled, todo: m.error_cancelled_do },
  clipboard_failed: { what: m.error_clipboard_failed, todo: m.error_clipboard_failed_do },
  clipboard_not_text: { what: m.error_clipboard_not_text, todo: m.error_clipboard_not_text_do },
  clipboard_unavailable: { what: m.error_clipboard_unavailable, todo: m.error_clipboard_unavailable_do },
  csv_column_name: { what: m.error_csv_header, todo: m.error_csv_header_do },
  csv_empty: { what: m.error_csv_empty, todo: m.error_csv_empty_do },
  csv_header: { what: m.error_csv_header, todo: m.error_csv_header_do },
  csv_header_only: { what: m.error_csv_header_only, todo: m.error_csv_header_only_do },
  csv_nameless_column: { what: m.error_csv_header, todo: m.error_csv_header_do },
  csv_other_columns: { what: m.error_csv_other_columns, todo: m.error_csv_other_columns_do },
  csv_repeated_column: { what: m.error_csv_header, todo: m.error_csv_header_do },
  csv_too_many_columns: { what: m.error_csv_too_many_columns, todo: m.error_csv_too_many_columns_do },
  csv_utf16: { what: m.error_csv_utf16, todo: m.error_csv_utf16_do },
  damaged: { what: m.error_damaged, todo: m.error_damaged_do },
  device_key: { what: m.error_device_key, todo: m.error_device_key_do },
  device_enrolled: { what: m.error_device_enrolled, todo: m.error_device_enrolled_do },
  export_invalid_recipient: { what: m.error_export_invalid_recipient, todo: m.error_export_invalid_recipient_do },
  export_needs_passphrase: { what: m.error_export_needs_passphrase, todo: m.error_export_needs_passphrase_do },
  export_no_passphrase: { what: m.error_export_no_passphrase, todo: m.error_export_no_passphrase_do },
  export_needs_recipient: { what: m.error_export_needs_recipient, todo: m.error_export_needs_recipient_do },
  export_no_recipient: { what: m.error_export_no_recipient, todo: m.error_export_no_recipient_do },
  export_not_confirmed: { what: m.error_export_not_confirmed, todo: m.error_export_not_confirmed_do },
  invalid_identifiers: { what: m.error_invalid_identifiers, todo: m.error_invalid_identifiers_do },
  subject_too_many: { what: m.error_subject_too_many, todo: m.error_subject_too_many_do },
  export_not_written: { what: m.error_export_not_written, todo: m.error_export_not_written_do },
  file_changed: { what: m.error_file_changed, todo: m.error_file_changed_do },
  file_unreadable: { what: m.error_file_unreadable, todo: m.error_file_unreadable_do },
  held_elsewhere: { what: m.error_held_elsewhere, todo: m.error_held_elsewhere_do },
  import_no_columns: { what: m.error_import_no_columns, todo: m.error_import_no_columns_do },
  invalid_cursor: { what: m.error_bug, todo: m.error_bug_do },
  invalid_login: { what: m.error_invalid_login, todo: m.login_name_fault },
  invalid_name: { what: m.error_invalid_name, todo: m.error_invalid_name_do },
  invalid_query: { what: m.error_invalid_query, todo: m.error_invalid_query_do },
  invalid_record: { what: m.error_invalid_record, todo: m.error_invalid_record_do },
  invalid_recipe: { what: m.error_invalid_recipe, todo: m.error_invalid_recipe_do },
  invalid_request: { what: m.error_bug, todo: m.error_bug_do },
  invalid_template: { what: m.error_invalid_template, todo: m.error_invalid_template_do },
  invalid_search_name: { what: m.error_invalid_search_name, todo: m.saved_name_fault },
  io: { what: m.error_io, todo: m.error_io_do },
  locked: { what: m.error_locked, todo: m.error_locked_do },
  log_unavailable: { what: m.error_log_unavailable, todo: m.error_log_unavailable_do },
  mapping_no_title: { what: m.error_mapping, todo: m.error_mapping_do },
  mapping_repeated_field_name: { what: m.error_mapping, todo: m.error_mapping_do },
  mapping_repeated_target: { what: m.error_mapping, todo: m.error_mapping_do },
  mapping_unknown_column: { what: m.error_mapping, todo: m.error_mapping_do },
  newer_version: { what: m.error_newer_version, todo: m.error_newer_version_do },
  no_browser: { what: m.error_no_browser, todo: m.error_no_browser_do },
  no_code: { what: m.error_no_code, todo: m.error_no_code_do },
  no_device_key: { what: m.error_no_device_key, todo: m.error_no_device_key_do },
  no_folder: { what: m.error_no_folder, todo: m.error_no_folder_do },
  no_preview: { what: m.error_no_preview, todo: m.error_no_preview_do },
  no_space: { what: m.error_no_space, todo: m.error_no_space_do },
  no_such_kind: { what: m.error_not_found, todo: m.error_not_found_do },
  not_a_backup: { what: m.error_not_a_backup, todo: m.error_not_a_backup_do },
  not_a_vault: { what: m.error_not_a_vault, todo: m.error_not_a_vault_do },
  not_durable: { what: m.error_not_durable, todo: m.error_not_durable_do },
  not_confirmed: { what: m.error_not_confirmed, todo: m.error_not_confirmed_do },
  not_found: { what: m.error_not_found, todo: m.error_not_found_do },
  out_of_memory: { what: m.error_out_of_memory, todo: m.error_out_of_memory_do },
  passphrase_expected_name: { what: m.error_passphrase, todo: m.error_passphrase_do },
  passphrase_guessable: { what: m.error_passphrase, todo: m.error_passphrase_do },
  passphrase_too_short: { what: m.error_passphrase, todo: m.error_passphrase_do },
  passphrase_well_known: { what: m.error_passphrase, todo: m.error_passphrase_do },
  place_taken: { what: m.error_place_taken, todo: m.error_place_taken_do },
  preview_too_large: { what: m.error_preview_too_large, todo: m.error_preview_too_large_do },
  record_trashed: { what: m.error_record_trashed, todo: m.error_record_trashed_do },
  refused: { what: m.error_refused, todo: m.error_refused_do },
  search_name_taken: { what: m.error_search_name_taken, todo: m.error_search_name_taken_do },
  same_tenant: { what: m.error_same_tenant, todo: m.error_same_tenant_do },
  several_tenants: { what: m.error_several_tenants, todo: m.error_several_tenants_do },
  source_account_bound: { what: m.error_source_account_bound, todo: m.error_source_account_bound_do },
  source_damaged: { what: m.error_source_damaged, todo: m.error_source_damaged_do },
  source_empty: { what: m.error_source_empty, todo: m.error_source_empty_do },
  source_expands: { what: m.error_source_expands, todo: m.error_source_expands_do },
  source_kdf_too_costly: { what: m.error_source_kdf_too_costly, todo: m.error_source_kdf_too_costly_do },
  source_needs_key: { what: m.error_source_needs_key, todo: m.error_source_needs_key_do },
  source_not_encrypted: { what: m.error_source_not_encrypted, todo: m.error_source_not_encrypted_do },
  source_other_format: { what: m.error_source_other_format, todo: m.error_source_other_format_do },
  source_other_version: { what: m.error_source_other_version, todo: m.error_source_other_version_do },
  source_too_large: { what: m.error_source_too_large, todo: m.error_source_too_large_do },
  source_too_many: { what: m.error_source_too_large, todo: m.error_source_too_large_do },
  source_unsafe_name: { what: m.error_source_unsafe_name, todo: m.error_source_unsafe_name_do },
  source_unsupported: { what: m.error_source_unsupported, todo: m.error_source_unsupported_do },
  source_wrong_key: { what: m.error_source_wrong_key, todo: m.error_source_wrong_key_do },
  target_exists: { what: m.error_place_taken, todo: m.error_place_taken_do },
  target_unwritable: { what: m.error_target_unwritable, todo: m.error_target_unwritable_do },
  tenant_name_taken: { what: m.error_tenant_name_taken, todo: m.error_tenant_name_taken_do },
  too_many_attachments: { what: m.error_too_many_attachments, todo: m.error_too_many_attachments_do },
  too_many_kinds: { what: m.error_too_many_kinds, todo: m.error_too_many_kinds_do },
  too_many_searches: { what: m.error_too_many_searches, todo: m.error_too_many_searches_do },
  unlock_refused: { what: m.error_unlock_refused, todo: m.error_unlock_refused_do },
  unsafe_url: { what: m.error_unsafe_url, todo: m.error_unsafe_url_do },
  vault_in_use: { what: m.error_held_elsewhere, todo: m.error_held_elsewhere_do },
  recovery_unconfirmed: { what: m.error_recovery_unconfirmed, todo: m.error_recovery_unconfirmed_do },
  version_conflict: { what: m.error_version_conflict, todo: m.error_version_conflict_do },
  other_kit: { what: m.error_other_kit, todo: m.error_other_kit_do },
  recovery_words: { what: m.error_recovery_words, todo: m.error_recovery_words_do },
  wrong_recovery_kit: { what: m.error_wrong_recovery_kit, todo: m.error_wrong_recovery_kit_do },
  activation_expired: { what: m.error_activation_expired, todo: m.error_activation_expired_do },
  awaits_rekey: { what: m.error_awaits_rekey, todo: m.error_awaits_rekey_do },
  grant_past: { what: m.error_grant_past, todo: m.error_grant_past_do },
  invalid_activation_code: { what: m.error_invalid_activation_code, todo: m.error_invalid_activation_code_do },
  invitation_hours: { what: m.error_invitation_hours, todo: m.error_invitation_hours_do },
  key_pending: { what: m.error_key_pending, todo: m.error_key_pending_do },
  last_administrator: { what: m.error_last_administrator, todo: m.error_last_administrator_do },
  last_auditor: { what: m.error_last_auditor, todo: m.error_last_auditor_do },
  last_steward: { what: m.error_last_steward, todo: m.error_last_steward_do },
  login_taken: { what: m.error_login_taken, todo: m.error_login_taken_do },
  no_invitation: { what: m.error_no_invitation, todo: m.error_no_invitation_do },
  no_role: { what: m.error_no_role, todo: m.error_no_role_do },
  no_such_account: { what: m.error_no_such_account, todo: m.error_no_such_account_do },
  not_fresh: { what: m.error_not_fresh, todo: m.error_not_fresh_do },
  not_granted: { what: m.error_not_granted, todo: m.error_not_granted_do },
  own_account: { what: m.error_own_account, todo: m.error_own_account_do },
  too_many_accounts: { what: m.error_too_many_accounts, todo: m.error_too_many_accounts_do },
  too_soon: { what: m.error_too_soon, todo: m.error_too_soon_do },
  factor_missing: { what: m.error_factor_missing, todo: m.error_factor_missing_do },
  code_needed: { what: m.error_code_needed, todo: m.error_code_needed_do },
  code_wrong: { what: m.error_code_wrong, todo: m.error_code_wrong_do },
  code_used: { what: m.error_code_used, todo: m.error_code_used_do },
  not_another_administrator: { what: m.error_not_another_administrator, todo: m.error_not_another_administrator_do },
  second_factor_needed: { what: m.error_second_factor_needed, todo: m.error_second_factor_needed_do },
  step_up_needed: { what: m.error_step_up_needed, todo: m.error_step_up_needed_do },
  moved: { what: m.error_moved, todo: m.error_moved_do },
  move_unfinished: { what: m.error_move_unfinished, todo: m.error_move_unfinished_do },
  move_not_taken_up: { what: m.error_move_not_taken_up, todo: m.error_move_not_taken_up_do },
  not_moved: { what: m.error_not_moved, todo: m.error_not_moved_do },
  access_ended: { what: m.error_access_ended, todo: m.error_access_ended_do },
  has_left: { what: m.error_has_left, todo: m.error_has_left_do },
  leaving_times: { what: m.error_leaving_times, todo: m.error_leaving_times_do },
  not_custodian: { what: m.error_not_custodian, todo: m.error_not_custodian_do },
  may_read_already: { what: m.error_may_read_already, todo: m.error_may_read_already_do },
  glass_custodians: { what: m.error_glass_custodians, todo: m.error_glass_custodians_do },
  glass_reason: { what: m.error_glass_reason, todo: m.error_glass_reason_do },
  glass_hours: { what: m.error_glass_hours, todo: m.error_glass_hours_do },
  not_leaving: { what: m.error_not_leaving, todo: m.error_not_leaving_do },
  device_not_enrolled: { what: m.error_device_not_enrolled, todo: m.error_device_not_enrolled_do },
  second_person_needed: { what: m.error_second_person_needed, todo: m.error_second_person_needed_do },
  no_second_factor: { what: m.error_no_second_factor, todo: m.error_no_second_factor_do },
  second_factor_required: { what: m.error_second_factor_required, todo: m.error_second_factor_required_do },
  key_file_needed: { what: m.error_key_file_needed, todo: m.error_key_file_needed_do },
  key_file_length: { what: m.error_key_file_length, todo: m.error_key_file_length_do },
  key_file_unreadable: { what: m.error_key_file_unreadable, todo: m.error_key_file_unreadable_do },
  keyring_unusable: { what: m.error_keyring_unusable, todo: m.error_keyring_unusable_do },
  passphrase_alone: { what: m.error_passphrase_alone, todo: m.error_passphrase_alone_do },
  passphrase_needed: { what: m.error_passphrase_needed, todo: m.error_passphrase_needed_do },
  enrol_second_factor_first: { what: m.error_enrol_second_factor_first, todo: m.error_enrol_second_factor_first_do },
  one_administrator: { what: m.error_one_administrator, todo: m.error_one_administrator_do },
  policy_memory: { what: m.error_policy_memory, todo: m.error_policy_memory_do },
  policy_not_for_two: { what: m.error_policy_not_for_two, todo: m.error_policy_not_for_two_do },
  key_set_invalid_key: { what: m.error_key_set_no_key, todo: m.error_key_set_no_key_do },
  key_set_malformed: { what: m.error_key_set_no_key, todo: m.error_key_set_no_key_do },
  key_set_needed: { what: m.error_key_set_needed, todo: m.error_key_set_needed_do },
  key_set_no_key: { what: m.error_key_set_no_key, todo: m.error_key_set_no_key_do },
  key_set_secret: { what: m.error_key_set_secret, todo: m.error_key_set_secret_do },
  key_set_too_large: { what: m.error_key_set_no_key, todo: m.error_key_set_no_key_do },
  last_free_administrator: { what: m.error_last_free_administrator, todo: m.error_last_free_administrator_do },
  lease_days: { what: m.error_lease_days, todo: m.error_lease_days_do },
  no_provider: { what: m.error_no_provider, todo: m.error_no_provider_do },
  not_federated: { what: m.error_not_federated, todo: m.error_not_federated_do },
  own_federation: { what: m.error_own_federation, todo: m.error_own_federation_do },
  provider_in_use: { what: m.error_provider_in_use, todo: m.error_provider_in_use_do },
  provider_text: { what: m.error_provider_text, todo: m.error_provider_text_do },
  subject_taken: { what: m.error_subject_taken, todo: m.error_subject_taken_do },
  token_needed: { what: m.error_token_needed, todo: m.error_token_needed_do },
  token_malformed: { what: m.error_token_malformed, todo: m.error_token_malformed_do },
  token_algorithm: { what: m.error_token_algorithm, todo: m.error_token_algorithm_do },
  token_kind: { what: m.error_token_malformed, todo: m.error_token_malformed_do },
  token_unknown_key: { what: m.error_token_key, todo: m.error_token_key_do },
  token_signature: { what: m.error_token_key, todo: m.error_token_key_do },
  token_encryption: { what: m.error_token_encryption, todo: m.error_token_encryption_do },
  token_issuer: { what: m.error_token_issuer, todo: m.error_token_issuer_do },
  token_audience: { what: m.error_token_issuer, todo: m.error_token_issuer_do },
  token_subject: { what: m.error_token_subject, todo: m.error_token_subject_do },
  token_expired: { what: m.error_token_expired, todo: m.error_token_expired_do },
  token_not_yet: { what: m.error_token_not_yet, todo: m.error_token_not_yet_do },
  token_used: { what: m.error_token_used, todo: m.error_token_used_do },
  token_unreadable: { what: m.error_token_unreadable, todo: m.error_token_unreadable_do },
} as const satisfies Record<string, { what: () => string; todo: () => string }>;

/** A code this window has words for. */
export type ErrorCode = keyof typeof WORDS;

/** A call the engine refused or could not do. */
export class CommandError extends Error {
  readonly code: ErrorCode;
  /** The code as it came, when this window has no words for it. */
  readonly unknownCode: string | null;

  constructor(code: string) {
    super(code);
    this.name = "CommandError";
    const known = isErrorCode(code);
    this.code = known ? code : "bug";
    this.unknownCode = known ? null : code;
  }

  /** Takes whatever a call was rejected with. Only an own, textual `code` counts. */
  static from(reason: unknown): CommandError {
    if (reason instanceof CommandError) {
      return reason;
    }
    const own = typeof reason === "object" && reason !== null && Object.hasOwn(reason, "code");
    const code: unknown = own ? (reason as { code: unknown }).code : undefined;
    return new CommandError(typeof code === "string" ? code : "bug");
  }

  /** Whether the person stopped it themselves, which is no error to show. */
  get isCancelled(): boolean {
    return this.code === "cancelled";
  }
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(WORDS, code);
}

/** What happened, and what to do. */
export function errorWords(error: CommandError): { what: string; todo: string } {
  const words = WORDS[error.code];
  const todo = words.todo();
  return { what: words.what(), todo: error.unknownCode ? `${todo} (${error.unknownCode})` : todo };
}

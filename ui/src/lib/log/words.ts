// The log's verbs and findings in words. One that this window does not know is shown as it is.
import type { LogEntryView } from "$lib/api/types.ts";
import { formatCount } from "$lib/locale/format.ts";
import * as m from "$words";

const count = (entry: LogEntryView) => ({ count: entry.count ?? 0, shown: formatCount(entry.count ?? 0) });
const number = (entry: LogEntryView) => ({ number: formatCount(entry.count ?? 0) });

const ACTIONS: Record<string, (entry: LogEntryView) => string> = {
  "vault.created": () => m.log_vault_created(),
  "vault.unlocked": () => m.log_vault_unlocked(),
  "vault.unlock_failed": () => m.log_vault_unlock_failed(),
  "vault.unlock_failures_counted": (entry) => m.log_vault_unlock_failures_counted(count(entry)),
  "vault.locked": () => m.log_vault_locked(),
  "access.refused": () => m.log_access_refused(),
  "recovery_kit.confirmed": () => m.log_recovery_kit_confirmed(),
  "tenant.created": () => m.log_tenant_created(),
  "tenant.opened": () => m.log_tenant_opened(),
  "records.listed": (entry) => m.log_records_listed(count(entry)),
  "records.searched": (entry) => m.log_records_searched(count(entry)),
  "tags.listed": (entry) => m.log_tags_listed(count(entry)),
  "tag.renamed": (entry) => m.log_tag_renamed(count(entry)),
  "tag.removed": (entry) => m.log_tag_removed(count(entry)),
  "search.saved": () => m.log_search_saved(),
  "search.renamed": () => m.log_search_renamed(),
  "search.removed": () => m.log_search_removed(),
  "record.opened": () => m.log_record_opened(),
  "records.opened": (entry) => m.log_records_opened(count(entry)),
  "record.history_opened": () => m.log_record_history_opened(),
  "field.revealed": () => m.log_field_revealed(),
  "field.copied": () => m.log_field_copied(),
  "code.shown": () => m.log_code_shown(),
  "code.copied": () => m.log_code_copied(),
  "records.expiring_listed": (entry) => m.log_records_expiring_listed(count(entry)),
  "secrets.assessed": (entry) => m.log_secrets_assessed(count(entry)),
  "kind.set": () => m.log_kind_set(),
  "kind.removed": () => m.log_kind_removed(),
  "record.added": () => m.log_record_added(),
  "record.changed": (entry) => m.log_record_changed({ version: formatCount(entry.version ?? 0) }),
  "attachment.added": () => m.log_attachment_added(),
  "attachment.detached": () => m.log_attachment_detached(),
  "attachment.saved": () => m.log_attachment_saved(),
  "attachment.previewed": () => m.log_attachment_previewed(),
  "record.version_restored": (entry) => m.log_record_version_restored({ version: formatCount(entry.version ?? 0) }),
  "record.favourite_set": () => m.log_record_favourite_set(),
  "record.favourite_unset": () => m.log_record_favourite_unset(),
  "records.trashed": (entry) => m.log_records_trashed(count(entry)),
  "records.restored": (entry) => m.log_records_restored(count(entry)),
  "records.purged": (entry) => m.log_records_purged(count(entry)),
  "records.tagged": (entry) => m.log_records_tagged(count(entry)),
  "records.sent": (entry) => m.log_records_sent(count(entry)),
  "records.received": (entry) => m.log_records_received(count(entry)),
  "records.moved": (entry) => m.log_records_moved(count(entry)),
  "draft.kept": () => m.log_draft_kept(),
  "draft.opened": () => m.log_draft_opened(),
  "draft.discarded": () => m.log_draft_discarded(),
  "records.imported": (entry) => m.log_records_imported(count(entry)),
  "tenant.exported_archive": (entry) => m.log_tenant_exported_archive(count(entry)),
  "tenant.exported_encrypted_archive": (entry) => m.log_tenant_exported_encrypted_archive(count(entry)),
  "tenant.exported_csv": (entry) => m.log_tenant_exported_csv(count(entry)),
  "tenant.exported_kdbx": (entry) => m.log_tenant_exported_kdbx(count(entry)),
  "tenant.twinned": (entry) => m.log_tenant_twinned(count(entry)),
  "twin.filled": (entry) => m.log_twin_filled(count(entry)),
  "subject.searched": (entry) => m.log_subject_searched(count(entry)),
  "subject.exported": (entry) => m.log_subject_exported(count(entry)),
  "subject.erased": (entry) => m.log_subject_erased(count(entry)),
  "subject.history_erased": (entry) => m.log_subject_history_erased(count(entry)),
  "effect.missing": (entry) => m.log_effect_missing({ entry: formatCount(entry.entry ?? 0) }),
  "backup.exported": (entry) => m.log_backup_exported(number(entry)),
  "backup.receipt_filed": (entry) => m.log_backup_receipt_filed(number(entry)),
  "backup.verified": (entry) => m.log_backup_verified(number(entry)),
  "backup.restored": (entry) => m.log_backup_restored(number(entry)),
  "backup.older_accepted": (entry) => m.log_backup_older_accepted(number(entry)),
  "device.enrolled": () => m.log_device_enrolled(),
  "files.checked": () => m.log_files_checked(),
  "file.altered": () => m.log_file_altered(),
  "log.read": (entry) => m.log_log_read(count(entry)),
  "log.verified": () => m.log_log_verified(),
  "log.restarted": (entry) => m.log_log_restarted({ entry: formatCount(entry.entry ?? 0) }),
  "log.exported": (entry) => m.log_log_exported(count(entry)),
  "account.created": () => m.log_account_created(),
  "account.invited": () => m.log_account_invited(),
  "invitation.withdrawn": () => m.log_invitation_withdrawn(),
  "account.activated": () => m.log_account_activated(),
  "roles.set": () => m.log_roles_set(),
  "account.removed": () => m.log_account_removed(),
  "leaving.set": () => m.log_leaving_set(),
  "offboarding.read": () => m.log_offboarding_read(),
  "exposures.listed": (entry) => m.log_exposures_listed({ shown: formatCount(entry.count ?? 0) }),
  "exposure.reported": () => m.log_exposure_reported(),
  "glass.prepared": () => m.log_glass_prepared(),
  "glass.broken": () => m.log_glass_broken(),
  "key.compromised": () => m.log_key_compromised(),
  "cryptoperiods.set": () => m.log_cryptoperiods_set(),
  "key_access.listed": () => m.log_key_access_listed(),
  "device_key.replaced": () => m.log_device_key_replaced(),
  "own_keys.renewed": () => m.log_own_keys_renewed(),
  "passphrase.changed": () => m.log_passphrase_changed(),
  "grant.given": () => m.log_grant_given(),
  "grant.withdrawn": () => m.log_grant_withdrawn(),
  "tenant.rekeyed": () => m.log_tenant_rekeyed(),
  "directory.rekeyed": () => m.log_directory_rekeyed(),
  "audit_key.replaced": () => m.log_audit_key_replaced(),
  "office_key.replaced": () => m.log_office_key_replaced(),
  "keys.shared": () => m.log_keys_shared(),
  "recovery.renewed": () => m.log_recovery_renewed(),
  "recovery.accepted": () => m.log_recovery_accepted(),
  "recovery.keys_shared": () => m.log_recovery_keys_shared(),
  "audit_key.corrected": () => m.log_audit_key_corrected(),
  "recovery.used": () => m.log_recovery_used(),
  "personal_code.made": () => m.log_personal_code_made(),
  "kdf.raised": () => m.log_kdf_raised(),
  "second_factor.enrolled": () => m.log_second_factor_enrolled(),
  "second_factor.removed": () => m.log_second_factor_removed(),
  "spare_codes.made": () => m.log_spare_codes_made(),
  "spare_code.used": (entry) => m.log_spare_code_used(number(entry)),
  "policy.set": () => m.log_policy_set(),
  "action.seconded": () => m.log_action_seconded(),
};

/** What an entry says happened. */
export function actionWords(entry: LogEntryView): string {
  const words = Object.hasOwn(ACTIONS, entry.action) ? ACTIONS[entry.action] : undefined;
  return words ? words(entry) : entry.action;
}

/** Whether an entry deserves a second look. */
export function isNotable(entry: LogEntryView): boolean {
  return /failed|failures|refused|missing|altered|restarted|older_accepted|purged|erased|account\.removed|roles\.set|corrected|recovery\.used|second_factor\.removed|spare_code\.used|policy\.set|key\.compromised|glass\.broken|own_keys\.renewed/.test(
    entry.action,
  );
}

const FINDINGS: Record<string, () => string> = {
  bad_checkpoint: m.finding_bad_checkpoint,
  bad_link: m.finding_bad_link,
  bad_mac: m.finding_bad_mac,
  bad_node: m.finding_bad_tree,
  bad_signature: m.finding_bad_signature,
  edited: m.finding_edited,
  forked: m.finding_forked,
  gap: m.finding_gap,
  reordered: m.finding_reordered,
  repeated: m.finding_repeated,
  truncated: m.finding_truncated,
  unlogged_effect: m.finding_unlogged_effect,
  unmatched_effect: m.finding_unmatched_effect,
  unreadable: m.finding_unreadable,
};

/** What a finding of a verification means. */
export function findingWords(code: string): string {
  const words = Object.hasOwn(FINDINGS, code) ? FINDINGS[code] : undefined;
  return words ? words() : m.finding_other({ code });
}

// What went wrong, in words: every code the engine or the desktop shell can answer with has its own, saying what
// happened and what to do. A code without words does not compile.
import * as m from "$words";

/** Every code with its words. Codes are permanent; words are not. */
const WORDS = {
  already_exists: { what: m.error_already_exists, todo: m.error_already_exists_do },
  backup_damaged: { what: m.error_backup_damaged, todo: m.error_backup_damaged_do },
  backup_older: { what: m.error_backup_older, todo: m.error_backup_older_do },
  bug: { what: m.error_bug, todo: m.error_bug_do },
  cancelled: { what: m.error_cancelled, todo: m.error_cancelled_do },
  changed_meanwhile: { what: m.error_changed_meanwhile, todo: m.error_changed_meanwhile_do },
  damaged: { what: m.error_damaged, todo: m.error_damaged_do },
  disk_full: { what: m.error_disk_full, todo: m.error_disk_full_do },
  file_unreadable: { what: m.error_file_unreadable, todo: m.error_file_unreadable_do },
  file_unwritable: { what: m.error_file_unwritable, todo: m.error_file_unwritable_do },
  in_use: { what: m.error_in_use, todo: m.error_in_use_do },
  invalid_record: { what: m.error_invalid_record, todo: m.error_invalid_record_do },
  invalid_name: { what: m.error_invalid_name, todo: m.error_invalid_name_do },
  locked: { what: m.error_locked, todo: m.error_locked_do },
  log_unwritable: { what: m.error_log_unwritable, todo: m.error_log_unwritable_do },
  name_taken: { what: m.error_name_taken, todo: m.error_name_taken_do },
  not_allowed: { what: m.error_not_allowed, todo: m.error_not_allowed_do },
  not_a_backup: { what: m.error_not_a_backup, todo: m.error_not_a_backup_do },
  not_a_vault: { what: m.error_not_a_vault, todo: m.error_not_a_vault_do },
  not_found: { what: m.error_not_found, todo: m.error_not_found_do },
  unsafe_url: { what: m.error_unsafe_url, todo: m.error_unsafe_url_do },
  wrong_recovery_kit: { what: m.error_wrong_recovery_kit, todo: m.error_wrong_recovery_kit_do },
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

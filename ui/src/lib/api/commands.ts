// Every call the window may make, typed: one function a command, and the only place with `invoke`.
// The engine authorises each call again; nothing here is trusted for that.
import { invoke } from "@tauri-apps/api/core";
import { CommandError } from "./error.ts";
import type {
  AppState,
  AttachmentPreview,
  BackupRow,
  BulkTagView,
  BulkView,
  Chosen,
  Copied,
  CryptoperiodView,
  DraftNote,
  DraftView,
  ExpiringRecords,
  FavouriteView,
  GlassView,
  HealthView,
  ImportColumn,
  ImportFile,
  Invited,
  Job,
  JobProgress,
  KeyAccessView,
  KeyKind,
  KeyRegisterView,
  KindFieldView,
  KindView,
  LogPage,
  MadeSecret,
  MovedRecord,
  MovePreview,
  OffboardingView,
  PeopleView,
  PolicyView,
  ProviderView,
  RecordPage,
  RecordView,
  RecoveryView,
  SavedKit,
  SavedSearchView,
  SearchResults,
  SessionView,
  Settings,
  ShownCode,
  SplitView,
  TaggedRecord,
  TagView,
  TenantView,
  TrashPage,
  VersionView,
  WaysInView,
} from "./types.ts";

export type {
  AppState,
  BackupRow,
  BulkTagView,
  Chosen,
  Copied,
  ImportFile,
  Job,
  JobProgress,
  JobResult,
  MadeSecret,
  SavedKit,
  Screen,
  Settings,
} from "./types.ts";

/** What an account may do for the whole vault. */
export type Role = SessionView["roles"][number];

/** The types a field can have. */
export type FieldType = RecordView["fields"][number]["field_type"];

/**
 * A field as it is sent: without `id` a new one; `value: null` keeps what the field holds, or takes the secret that was
 * made under the handle.
 */
export type FieldDraft = {
  id: number | null;
  name: string;
  field_type: FieldType;
  value: string | null;
  made?: string;
};

/** What secret is to be made. */
export type SecretRecipe =
  | { kind: "passphrase"; words: number; separator: string; capitals: boolean }
  | {
      kind: "password";
      length: number;
      lower: boolean;
      upper: boolean;
      digits: boolean;
      symbols: boolean;
      unambiguous: boolean;
    };

/** A kind of the vault's own as it is sent. */
export type KindTemplate = {
  kind: string;
  name: string;
  fields: { name: string; type: FieldType; options: string[]; role: KindFieldView["role"] }[];
};

/** A record as it is sent. */
export type RecordDraft = { kind: string; title: string; fields: FieldDraft[]; tags: string[]; notes: string };

/** What a list of records is ordered by; the last two begin with the newest. */
/** What rows tell besides title, kind and time. */
export type RowDetail = Settings["row_detail"];
export type RecordOrder = "title" | "kind" | "changed" | "created";

/** The window that asks for the passphrase anew, as long as it is open: one for all calls that wait for it. */
let asking: Promise<boolean> | null = null;

/** Asks in a native window for what the rules of the vault ask anew; whether the person gave it. */
function authenticated(): Promise<boolean> {
  asking ??= authenticate()
    .catch(() => false)
    .finally(() => {
      asking = null;
    });
  return asking;
}

/** Makes a call; one that is refused until the passphrase is given anew asks for it once, and is made again. */
async function call<T>(command: string, args?: Record<string, unknown>): Promise<T> {
  try {
    return await invoke<T>(command, args);
  } catch (reason) {
    const error = CommandError.from(reason);
    if (error.code !== "step_up_needed" || !(await authenticated())) throw error;
  }
  try {
    return await invoke<T>(command, args);
  } catch (reason) {
    throw CommandError.from(reason);
  }
}

// ---- The program -----------------------------------------------------------

export const appState = () => call<AppState>("app_state");
export const places = () => call<Chosen[]>("places");
export const lock = () => call<void>("lock");
export const activity = () => call<void>("activity");
export const settingsGet = () => call<Settings>("settings_get");
export const settingsSet = (settings: Settings) => call<void>("settings_set", { settings });

// ---- First run -------------------------------------------------------------

export const chooseNewVaultPlace = () => call<Chosen | null>("choose_new_vault_place");
export const createVault = (handle: string, login: string, split: SplitView | null) =>
  call<SessionView>("create_vault", { handle, login, split });
export const saveRecoveryKit = () => call<SavedKit>("save_recovery_kit");
export const confirmRecoveryKit = () => call<boolean>("confirm_recovery_kit");
export const finishFirstRun = () => call<void>("finish_first_run");
export const openVault = () => call<void>("open_vault");
export const restoreBackupFirstRun = () => call<Job | null>("restore_backup_first_run");
export const createDemoVault = () => call<void>("create_demo_vault");

// ---- Tenants and records ---------------------------------------------------

export const tenantsList = () => call<TenantView[]>("tenants_list");
export const tenantCreate = (name: string) => call<TenantView>("tenant_create", { name });
export const recordsList = (
  tenant: string,
  order: RecordOrder,
  favourites: boolean,
  limit: number,
  after: string | null,
  skip: number,
  detail: RowDetail,
) => call<RecordPage>("records_list", { tenant, order, favourites, limit, after, skip, detail });
export const recordOpen = (id: string) => call<RecordView>("record_open", { id });
export const recordHistory = (id: string) => call<VersionView[]>("record_history", { id });
export const recordAdd = (tenant: string, draft: RecordDraft) => call<RecordView>("record_add", { tenant, draft });
export const recordChange = (id: string, expectedVersion: number, draft: RecordDraft) =>
  call<RecordView>("record_change", { id, expectedVersion, draft });
export const fieldReveal = (id: string, field: number, version: number | null) =>
  call<string>("field_reveal", { id, field, version });
export const fieldCopy = (id: string, field: number) => call<Copied>("field_copy", { id, field });
export const urlOpen = (id: string, field: number) => call<void>("url_open", { id, field });
export const attachmentAddStart = (id: string) => call<Job | null>("attachment_add_start", { id });
export const attachmentSaveStart = (id: string, attachment: number) =>
  call<Job | null>("attachment_save_start", { id, attachment });
export const attachmentPreview = (id: string, attachment: number) =>
  call<AttachmentPreview>("attachment_preview", { id, attachment });
export const attachmentDetach = (id: string, attachment: number) =>
  call<RecordView>("attachment_detach", { id, attachment });
export const attachmentReattach = (id: string, attachment: number) =>
  call<RecordView>("attachment_reattach", { id, attachment });
export const search = (query: string, tenant: string | null, limit: number) =>
  call<SearchResults>("search", { query, tenant, limit });
export const tagsList = (tenant: string) => call<TagView[]>("tags_list", { tenant });
export const tagRename = (tenant: string, tag: string, name: string) =>
  call<number>("tag_rename", { tenant, tag, name });
export const tagRemove = (tenant: string, tag: string) => call<number>("tag_remove", { tenant, tag });
export const searchesList = () => call<SavedSearchView[]>("searches_list");
export const searchSave = (name: string, tenant: string | null, query: string) =>
  call<void>("search_save", { name, tenant, query });
export const searchRename = (name: string, tenant: string | null, to: string) =>
  call<void>("search_rename", { name, tenant, to });
export const searchRemove = (name: string, tenant: string | null) => call<void>("search_remove", { name, tenant });

// ---- Fields and kinds ------------------------------------------------------

export const codeShow = (id: string, field: number) => call<ShownCode>("code_show", { id, field });
export const codeCopy = (id: string, field: number) => call<Copied>("code_copy", { id, field });
export const secretGenerate = (recipe: SecretRecipe) => call<MadeSecret>("secret_generate", { recipe });
export const secretShow = (handle: string) => call<string>("secret_show", { handle });
export const secretCopy = (handle: string) => call<Copied>("secret_copy", { handle });
export const secretAssess = (value: string) => call<number>("secret_assess", { value });
export const kindsList = () => call<KindView[]>("kinds_list");
export const kindSet = (template: KindTemplate) => call<KindView>("kind_set", { template });
export const kindRemove = (kind: string) => call<void>("kind_remove", { kind });

// ---- Upkeep ----------------------------------------------------------------

export const expiringList = (days: number) => call<ExpiringRecords>("expiring_list", { days });
export const secretHealthStart = (tenant: string) => call<Job>("secret_health_start", { tenant });
// ---- The life of records ---------------------------------------------------

export const recordsTrash = (ids: string[]) => call<BulkView>("records_trash", { ids });
export const recordsRestore = (ids: string[]) => call<BulkView>("records_restore", { ids });
export const recordsPurge = (ids: string[]) => call<BulkView>("records_purge", { ids });
export const trashList = (tenant: string, limit: number, after: string | null, skip: number) =>
  call<TrashPage>("trash_list", { tenant, limit, after, skip });
export const trashEmpty = (tenant: string) => call<BulkView>("trash_empty", { tenant });
export const recordsTag = (ids: string[], add: string[], remove: string[]) =>
  call<BulkTagView>("records_tag", { ids, add, remove });
export const recordsTagUndo = (changed: TaggedRecord[]) => call<BulkView>("records_tag_undo", { changed });
/** What moving records into another tenant would take along, and what it would cut. */
export const recordsMovePreview = (from: string, ids: string[], to: string, copy: boolean) =>
  call<MovePreview>("records_move_preview", { from, ids, to, copy });
/** `confirmation` is the other tenant's name, as it was typed. */
export const recordsMoveStart = (from: string, ids: string[], to: string, copy: boolean, confirmation: string) =>
  call<Job>("records_move_start", { from, ids, to, copy, confirmation });
export const recordsMoveUndo = (moved: MovedRecord[], copy: boolean) =>
  call<BulkView>("records_move_undo", { moved, copy });
export const recordRestoreVersion = (id: string, version: number, expectedVersion: number) =>
  call<RecordView>("record_restore_version", { id, version, expectedVersion });
export const recordFavourite = (id: string, on: boolean) => call<FavouriteView>("record_favourite", { id, on });
export const draftsList = (tenant: string) => call<DraftNote[]>("drafts_list", { tenant });
/** Keeps what is being written. A secret that was made and is not saved yet stays where it was made, and is not kept. */
export const draftKeep = (tenant: string, record: string | null, version: number, draft: RecordDraft) => {
  const fields = draft.fields.map(({ made: _, ...field }) => field);
  return call<void>("draft_keep", { tenant, record, version, draft: { ...draft, fields } });
};
export const draftOpen = (tenant: string, record: string | null) =>
  call<DraftView | null>("draft_open", { tenant, record });
export const draftDiscard = (tenant: string, record: string | null) => call<void>("draft_discard", { tenant, record });

// ---- Long work -------------------------------------------------------------

export const importChooseFile = (tenant: string) => call<ImportFile | null>("import_choose_file", { tenant });
/** Asks in native windows for what opens an encrypted file; `null` if the person closed them. */
export const importOpenFile = (handle: string, tenant: string, keyFile: boolean) =>
  call<ImportFile | null>("import_open_file", { handle, tenant, key_file: keyFile });
export const importStart = (
  handle: string,
  tenant: string,
  mapping: ImportColumn[],
  skipDuplicates: boolean,
  dryRun: boolean,
) => call<Job>("import_start", { handle, tenant, mapping, skip_duplicates: skipDuplicates, dry_run: dryRun });
/** A kind of file that a tenant is exported to. */
export type ExportedAs = "csv" | "kdbx" | "archive";
/** Who can open an archive, or else the tenant's name as it was typed for one that anybody can read. */
export interface ArchiveOptions {
  recipient?: string;
  confirmation?: string;
}
/** Asks in native windows for a place and for passphrases; `null` if the person closed one. */
export const tenantExportStart = (tenant: string, format: ExportedAs, archive: ArchiveOptions = {}) =>
  call<Job | null>("tenant_export_start", { tenant, format, ...archive });
/** Makes a redacted twin; without a seed one is drawn. */
export const tenantTwinStart = (tenant: string, name: string, seed: number | null) =>
  call<Job>("tenant_twin_start", { tenant, name, seed });
export const subjectFindStart = (tenant: string, identifiers: string[]) =>
  call<Job>("subject_find_start", { tenant, identifiers });
/** Of all records in which the person is, or of those named. Asks in native windows; `null` if one was closed. */
export const subjectExportStart = (tenant: string, identifiers: string[], records: string[] | null) =>
  call<Job | null>("subject_export_start", { tenant, identifiers, records });
export const subjectEraseStart = (
  tenant: string,
  identifiers: string[],
  records: string[] | null,
  historyOnly: boolean,
) => call<Job | null>("subject_erase_start", { tenant, identifiers, records, history_only: historyOnly });
export const backupExportStart = () => call<Job | null>("backup_export_start");
export const backupVerifyStart = () => call<Job | null>("backup_verify_start");
export const backupRestoreStart = () => call<Job | null>("backup_restore_start");
export const vaultMoveStart = () => call<Job | null>("vault_move_start");
export const backupsList = () => call<BackupRow[]>("backups_list");
export const jobProgress = (job: string) => call<JobProgress>("job_progress", { job });
export const jobCancel = (job: string) => call<void>("job_cancel", { job });

// ---- People ----------------------------------------------------------------

export const peopleList = () => call<PeopleView>("people_list");
/** Asks for the passphrase and shows the code in native windows; `null` if the person closed the first. */
export const accountInvite = (login: string, roles: Role[], hours: number) =>
  call<Invited | null>("account_invite", { login, roles, hours });
export const invitationWithdraw = (account: string) => call<void>("invitation_withdraw", { account });
/** Asks for the passphrase in a native window, as the next two; `false` or `null` if the person closed it. */
export const rolesSet = (account: string, roles: Role[]) => call<boolean>("roles_set", { account, roles });
export const accountRemove = (account: string, evenLastSteward: boolean) =>
  call<boolean>("account_remove", { account, even_last_steward: evenLastSteward });
export const accountReset = (account: string, hours: number, evenLastSteward: boolean) =>
  call<Invited | null>("account_reset", { account, hours, even_last_steward: evenLastSteward });
/** Tenants whose key has custodians, and every time that custodians opened one. */
export const glassList = () => call<GlassView[]>("glass_list");
/** Asks for the passphrase in a native window; `false` if the person closed it. */
export const glassPrepare = (tenant: string, custodians: string[]) =>
  call<boolean>("glass_prepare", { tenant, custodians });
/** Asks for the passphrase, then for the other custodian's, in native windows; `false` if either was closed. */
export const glassBreak = (tenant: string, reason: string, hours: number) =>
  call<boolean>("glass_break", { tenant, reason, hours });
/** Both passphrases are typed in a native window; `false` if the person closed it. */
export const passphraseChange = () => call<boolean>("passphrase_change");
/**
 * The account gets other keys under a new passphrase, typed in a native window, and the vault locks; `false` if the person
 * closed it.
 */
export const ownKeysRenew = () => call<boolean>("own_keys_renew");
/** `until` is the last day on which the grant counts, `YYYY-MM-DD`. */
export const grantGive = (tenant: string, account: string, right: TenantView["right"], until: string | null) =>
  call<void>("grant_give", { tenant, account, right, until });
export const grantWithdraw = (tenant: string, account: string) => call<void>("grant_withdraw", { tenant, account });
export const rekeyStart = () => call<Job>("rekey_start");

// ---- What opens the account, and the rules ---------------------------------

/** An action that can be put under a rule. */
export type Guarded = "reveal" | "save_files" | "export" | "erase" | "backup" | "read_log" | "grant" | "recover";

/** Asks for passphrase and code in a native window, as all that follow; `false` if the person closed it. */
export const authenticate = () => call<boolean>("authenticate");
export const waysIn = () => call<WaysInView>("ways_in");
/** `choose` and `make` ask for the file in a dialog. */
export const keyFactorsChange = (deviceSecret: boolean, keyFile: "keep" | "none" | "choose" | "make") =>
  call<boolean>("key_factors_change", { device_secret: deviceSecret, key_file: keyFile });
/** The code is shown in a native window, as the seed and the spare codes are. */
export const personalCodeMake = () => call<boolean>("personal_code_make");
export const secondFactorEnrol = () => call<boolean>("second_factor_enrol");
export const spareCodesMake = () => call<boolean>("spare_codes_make");
export const secondFactorRemove = () => call<boolean>("second_factor_remove");
export const policy = () => call<PolicyView>("policy");
/** Asks for another administrator's passphrase, too, where something is taken out of the rule of two people. */
export const policySet = (rules: PolicyView) => call<boolean>("policy_set", { ...rules });

/** The identity provider whose tokens marked accounts need; null if none is pinned. */
export const provider = () => call<ProviderView | null>("provider");
/** With `chooseKeySet` its key set is asked for in a dialog. Two administrators authenticate where anything takes two. */
export const providerPin = (
  pinned: Pick<ProviderView, "issuer" | "audience" | "claim" | "days">,
  chooseKeySet: boolean,
) => call<boolean>("provider_pin", { ...pinned, choose_key_set: chooseKeySet });
export const providerUnpin = () => call<boolean>("provider_unpin");
/** Without a subject the account needs no token any more. */
export const accountFederate = (account: string, subject: string | null) =>
  call<boolean>("account_federate", { account, subject });

// ---- Leaving, and what was seen --------------------------------------------

/** Asks for the passphrase in a native window, as the next two; `false` if the person closed it. */
export const leavingSet = (account: string, hours: number, days: number) =>
  call<boolean>("leaving_set", { account, hours, days });
export const secretsBySet = (account: string, days: number) => call<boolean>("secrets_by_set", { account, days });
export const accountKeep = (account: string) => call<boolean>("account_keep", { account });
export const offboarding = (account: string) => call<OffboardingView>("offboarding", { account });
export const exposuresStart = () => call<Job>("exposures_start");
export const exposureReportStart = (tenant: string, account: string) =>
  call<Job>("exposure_report_start", { tenant, account });
export const exposureCheckStart = (account: string) => call<Job>("exposure_check_start", { account });

// ---- Keys ------------------------------------------------------------------

export const keyRegister = () => call<KeyRegisterView>("key_register");
export const keyAccess = () => call<KeyAccessView>("key_access");
/** `null` when it is done; a tenant's takes a job. */
export const keyRotate = (kind: KeyKind, tenant: string | null) => call<Job | null>("key_rotate", { kind, tenant });
export const keyCompromised = (kind: KeyKind, tenant: string | null) => call<void>("key_compromised", { kind, tenant });
export const periodsSet = (periods: CryptoperiodView[]) => call<void>("periods_set", { periods });

// ---- Recovery --------------------------------------------------------------

export const recovery = () => call<RecoveryView>("recovery");
/**
 * The kit or shares are written and two groups of them typed again in native windows, as is the passphrase; `false` if the
 * person declined, and nothing of it remains.
 */
export const recoveryRenew = (split: SplitView | null) => call<boolean>("recovery_renew", { split });
/** The words are those on the paper; they are no secret. */
export const recoveryAccept = (words: string) => call<void>("recovery_accept", { words });
/** Asks for the kit or shares in a native window; `null` if the person declined. */
export const tenantsRecover = () => call<Job | null>("tenants_recover");

// ---- Health ----------------------------------------------------------------

export const health = () => call<HealthView[]>("health");
export const filesCheck = (again: boolean) => call<Job>("files_check", { again });
export const deviceEnrol = () => call<boolean>("device_enrol");

// ---- Log -------------------------------------------------------------------

export const logPage = (before: number | null, limit: number) => call<LogPage>("log_page", { before, limit });
export const logVerifyStart = () => call<Job>("log_verify_start");

// Generated from the engine's views and the desktop shell's answers by ts-rs. Not edited by hand.
// UPDATE_BINDINGS=1 cargo test -p coffer-desktop --features e2e --test bindings

export type KeyKind = "tenant" | "directory" | "audit" | "office" | "recovery" | "device" | "account";

export type VaultView = {
  /**
   * The vault.
   */
  id: string;
  /**
   * The folder's name without `.coffer`.
   */
  name: string;
  /**
   * Format version.
   */
  format: number;
  /**
   * Whether it holds invented data for looking around.
   */
  demo: boolean;
};

export type SessionView = {
  /**
   * This session.
   */
  id: string;
  /**
   * The vault.
   */
  vault: VaultView;
  /**
   * The account.
   */
  account: string;
  /**
   * Its login name.
   */
  login: string;
  /**
   * Its roles.
   */
  roles: ("administrator" | "auditor" | "member")[];
  /**
   * When it was unlocked.
   */
  unlocked_at: string;
  /**
   * When this account unlocked last before.
   */
  last_unlocked_at: string | null;
  /**
   * Failed unlocks of this vault since then.
   */
  failed_unlocks: number;
  /**
   * Whether nothing else can be done before a second factor is enrolled.
   */
  needs_second_factor: boolean;
  /**
   * How often, since the account unlocked last, custodians have opened a tenant that concerns it.
   */
  glass_broken: number;
};

export type TenantView = {
  /**
   * The tenant.
   */
  id: string;
  /**
   * Its name.
   */
  name: string;
  /**
   * What this account may do with it.
   */
  right: "reader" | "editor" | "steward";
  /**
   * Which of the twelve tenant colours is its own, 0 to 11.
   */
  colour: number;
  /**
   * Whether it holds invented data: a redacted twin of another.
   */
  demo: boolean;
  /**
   * When it was created.
   */
  created_at: string;
  /**
   * Records in it; `None` until it has been opened in this session.
   */
  records: number | null;
};

export type RecordRow = {
  /**
   * The record.
   */
  id: string;
  /**
   * What it is about.
   */
  kind: string;
  /**
   * One line by which people know it.
   */
  title: string;
  /**
   * When it was last changed.
   */
  changed_at: string;
  /**
   * What a list was asked to tell besides, if the record has it.
   */
  detail?: string;
};

export type RecordPage = {
  /**
   * The tenant the records belong to.
   */
  tenant: string;
  /**
   * Records of this page.
   */
  records: Array<RecordRow>;
  /**
   * Those of them that are this account's favourites.
   */
  favourites: string[];
  /**
   * All records of the list: the tenant's without the trash, or this account's favourites among them.
   */
  total: number;
  /**
   * Where the next page begins; `None` after the last. Opaque.
   */
  next: string | null;
};

export type TrashRow = {
  /**
   * When it was put there.
   */
  trashed_at: string;
  /**
   * Until when it stays at least; purged at an opening of the tenant after that.
   */
  kept_until: string;
  /**
   * The record.
   */
  id: string;
  /**
   * What it is about.
   */
  kind: string;
  /**
   * One line by which people know it.
   */
  title: string;
  /**
   * When it was last changed.
   */
  changed_at: string;
  /**
   * What a list was asked to tell besides, if the record has it.
   */
  detail?: string;
};

export type TrashPage = {
  /**
   * The tenant the records belong to.
   */
  tenant: string;
  /**
   * Records of this page.
   */
  records: Array<TrashRow>;
  /**
   * All records in the trash.
   */
  total: number;
  /**
   * Where the next page begins; `None` after the last. Opaque.
   */
  next: string | null;
};

export type BulkView = {
  /**
   * Records it was done to.
   */
  records: number;
};

export type BulkTagView = {
  /**
   * Records it was asked for.
   */
  records: number;
  /**
   * Those whose tags are others now, which is what an undo takes.
   */
  changed: Array<TaggedRecord>;
};

export type TaggedRecord = {
  /**
   * The record.
   */
  id: string;
  /**
   * The version that came of it.
   */
  version: number;
};

export type MoveCut = {
  /**
   * The record that refers.
   */
  id: string;
  /**
   * Its title.
   */
  title: string;
  /**
   * The field that refers.
   */
  field_name: string;
  /**
   * The record it leads to.
   */
  refers_to: string;
  /**
   * That one's title; `None` if it is gone already.
   */
  refers_to_title: string | null;
  /**
   * Whether only earlier versions refer to it.
   */
  earlier: boolean;
};

export type MovePreview = {
  /**
   * The tenant that has the records.
   */
  from: string;
  /**
   * What it is called.
   */
  from_name: string;
  /**
   * The tenant that is to have them.
   */
  to: string;
  /**
   * What it is called.
   */
  to_name: string;
  /**
   * Whether they also stay where they are.
   */
  copy: boolean;
  /**
   * Records that were named.
   */
  records: number;
  /**
   * Those of them that the other tenant has already, by an earlier copy: they do not come twice.
   */
  present: number;
  /**
   * Versions of the others.
   */
  versions: number;
  /**
   * Attachments of the others, present and past.
   */
  attachments: number;
  /**
   * Bytes of what is attached, each content once.
   */
  bytes: number;
  /**
   * Favourites of this account among them, which stay behind.
   */
  favourites: number;
  /**
   * Drafts of this account among them, which stay behind.
   */
  drafts: number;
  /**
   * References to records that stay behind, which will be empty; at most 500 of them.
   */
  cut: Array<MoveCut>;
  /**
   * How many there are.
   */
  cut_counted: number;
};

export type MoveReport = {
  /**
   * Each record, which is what an undo takes.
   */
  moved: Array<MovedRecord>;
  /**
   * The tenant that has the records.
   */
  from: string;
  /**
   * What it is called.
   */
  from_name: string;
  /**
   * The tenant that is to have them.
   */
  to: string;
  /**
   * What it is called.
   */
  to_name: string;
  /**
   * Whether they also stay where they are.
   */
  copy: boolean;
  /**
   * Records that were named.
   */
  records: number;
  /**
   * Those of them that the other tenant has already, by an earlier copy: they do not come twice.
   */
  present: number;
  /**
   * Versions of the others.
   */
  versions: number;
  /**
   * Attachments of the others, present and past.
   */
  attachments: number;
  /**
   * Bytes of what is attached, each content once.
   */
  bytes: number;
  /**
   * Favourites of this account among them, which stay behind.
   */
  favourites: number;
  /**
   * Drafts of this account among them, which stay behind.
   */
  drafts: number;
  /**
   * References to records that stay behind, which will be empty; at most 500 of them.
   */
  cut: Array<MoveCut>;
  /**
   * How many there are.
   */
  cut_counted: number;
};

export type MovedRecord = {
  /**
   * The record where it was.
   */
  from: string;
  /**
   * The record in the other tenant.
   */
  to: string;
  /**
   * Its newest version there.
   */
  version: number;
  /**
   * Whether it came there by this step; it was there before if not.
   */
  arrived: boolean;
};

export type FavouriteView = {
  /**
   * The record.
   */
  id: string;
  /**
   * Whether it is.
   */
  favourite: boolean;
};

export type DraftNote = {
  /**
   * The record being changed; `None` for one not added yet.
   */
  record: string | null;
  /**
   * The version it began from; 0 if the record is not added yet.
   */
  version: number;
  /**
   * When it was kept.
   */
  kept_at: string;
};

export type DraftFieldView = {
  /**
   * The field it changes; `None` for a new one.
   */
  id: number | null;
  /**
   * What the person calls it.
   */
  name: string;
  /**
   * How it is shown and protected.
   */
  field_type:
    | "text"
    | "secret"
    | "multiline"
    | "email"
    | "phone"
    | "url"
    | "date"
    | "number"
    | "totp"
    | "choice"
    | "reference"
    | "expiry";
  /**
   * What was written; `None` keeps what the field holds.
   */
  value: string | null;
};

export type DraftView = {
  /**
   * What it is about.
   */
  kind: string;
  /**
   * As written so far.
   */
  title: string;
  /**
   * In the order to show.
   */
  fields: Array<DraftFieldView>;
  /**
   * As written so far.
   */
  tags: Array<string>;
  /**
   * Free text.
   */
  notes: string;
  /**
   * The record being changed; `None` for one not added yet.
   */
  record: string | null;
  /**
   * The version it began from; 0 if the record is not added yet.
   */
  version: number;
  /**
   * When it was kept.
   */
  kept_at: string;
};

export type RecordView = {
  /**
   * The record.
   */
  id: string;
  /**
   * The tenant's name: whose data this is.
   */
  tenant_name: string;
  /**
   * What it is about.
   */
  kind: string;
  /**
   * One line by which people know it.
   */
  title: string;
  /**
   * In the order to show.
   */
  fields: Array<FieldView>;
  /**
   * Sorted.
   */
  tags: Array<string>;
  /**
   * Free text.
   */
  notes: string;
  /**
   * Files kept with it, in the order of attaching.
   */
  attachments: Array<AttachmentView>;
  /**
   * Counted from 1; every change makes a new one.
   */
  version: number;
  /**
   * When it was added.
   */
  created_at: string;
  /**
   * When it was last changed.
   */
  changed_at: string;
  /**
   * Login name of who changed it last.
   */
  changed_by: string;
  /**
   * Whether it is a favourite of this account.
   */
  favourite: boolean;
  /**
   * When it was put into the trash; `None` if it is not there.
   */
  trashed_at: string | null;
};

export type FieldView = {
  /**
   * The field inside its record.
   */
  id: number;
  /**
   * What the person calls it.
   */
  name: string;
  /**
   * How it is shown and protected.
   */
  field_type:
    | "text"
    | "secret"
    | "multiline"
    | "email"
    | "phone"
    | "url"
    | "date"
    | "number"
    | "totp"
    | "choice"
    | "reference"
    | "expiry";
  /**
   * The value; `None` if it is masked and has to be revealed.
   */
  value: string | null;
  /**
   * Whether it holds nothing.
   */
  empty: boolean;
  /**
   * The record it refers to; `None` if it is no reference, or that record is gone.
   */
  reference: ReferenceView | null;
};

export type AttachmentView = {
  /**
   * The attachment inside its record.
   */
  id: number;
  /**
   * What it is called: a name to show, which leads nowhere.
   */
  name: string;
  /**
   * What it holds, judged by its content.
   */
  media: "text" | "png" | "jpeg" | "other";
  /**
   * Bytes of its content.
   */
  bytes: number;
  /**
   * A name under which any system can save it.
   */
  suggested_name: string;
};

export type AttachmentPreview =
  | {
      kind: "text";
      /**
       * The text, markup included, to be shown as it is.
       */
      text: string;
      /**
       * Whether there is more of it.
       */
      cut: boolean;
    }
  | {
      kind: "picture";
      /**
       * A PNG as a `data:` URL.
       */
      url: string;
      /**
       * Pixels across, in the attachment itself.
       */
      width: number;
      /**
       * Pixels down, in the attachment itself.
       */
      height: number;
    };

export type ReferenceView = {
  /**
   * The record.
   */
  id: string;
  /**
   * One line by which people know it.
   */
  title: string;
};

export type KindView = {
  /**
   * The kind, as records name it.
   */
  kind: string;
  /**
   * What people call it; `None` for a kind that every vault has, which has words in every language.
   */
  name: string | null;
  /**
   * In the order to show.
   */
  fields: Array<KindFieldView>;
};

export type KindFieldView = {
  /**
   * Its name in the person's language, or else …
   */
  word:
    | "address"
    | "bank"
    | "bic"
    | "card_number"
    | "company"
    | "document_number"
    | "document_type"
    | "email"
    | "environment"
    | "expires"
    | "holder"
    | "host"
    | "iban"
    | "issued"
    | "key"
    | "one_time_code"
    | "password"
    | "phone"
    | "pin"
    | "port"
    | "product"
    | "service"
    | "user"
    | "website"
    | null;
  /**
   * … its name as it is.
   */
  name: string | null;
  /**
   * How it is checked, shown and protected.
   */
  field_type:
    | "text"
    | "secret"
    | "multiline"
    | "email"
    | "phone"
    | "url"
    | "date"
    | "number"
    | "totp"
    | "choice"
    | "reference"
    | "expiry";
  /**
   * What a choice offers.
   */
  options: Array<KindOptionView>;
  /**
   * What it stands for: what the keys for copying and opening mean.
   */
  role: "user" | "secret" | "url" | null;
};

export type KindOptionView = {
  /**
   * In the person's language, or else …
   */
  word:
    | "driving_licence"
    | "identity_card"
    | "passport"
    | "production"
    | "residence_permit"
    | "staging"
    | "test"
    | null;
  /**
   * … as it is.
   */
  text: string | null;
};

export type ExpiringRecords = {
  /**
   * The day it is, in UTC.
   */
  today: string;
  /**
   * One for each field by which something ends, the earliest first.
   */
  records: Array<ExpiringView>;
  /**
   * Whether a tenant has more than are told.
   */
  more: boolean;
};

export type ExpiringView = {
  /**
   * The tenant's name: whose data this is.
   */
  tenant_name: string;
  /**
   * The field inside it.
   */
  field: number;
  /**
   * What the person calls the field.
   */
  field_name: string;
  /**
   * The last day on which it holds.
   */
  day: string;
  /**
   * Days from today until then; negative once it is over.
   */
  days_left: number;
  /**
   * The record.
   */
  id: string;
  /**
   * What it is about.
   */
  kind: string;
  /**
   * One line by which people know it.
   */
  title: string;
  /**
   * When it was last changed.
   */
  changed_at: string;
  /**
   * What a list was asked to tell besides, if the record has it.
   */
  detail?: string;
};

export type SecretHealthView = {
  /**
   * The tenant.
   */
  tenant: string;
  /**
   * Its name: whose data this is.
   */
  tenant_name: string;
  /**
   * Secrets that were looked at.
   */
  assessed: number;
  /**
   * Secrets that are soon guessed. PINs, up to eight digits, are not counted, nor as reused: their length is their
   * issuer's choice.
   */
  weak: number;
  /**
   * Fields that hold the same secret as another.
   */
  reused: number;
  /**
   * Secrets unchanged for over a year.
   */
  old: number;
  /**
   * Days by which something ended, and that have passed.
   */
  expired: number;
  /**
   * The first 500 of each problem, in the order of the problems.
   */
  findings: Array<SecretFindingView>;
  /**
   * Whether there are more of some problem.
   */
  more: boolean;
};

export type SecretFindingView = {
  /**
   * The field inside it.
   */
  field: number;
  /**
   * What the person calls the field.
   */
  field_name: string;
  /**
   * What is wrong.
   */
  problem: SecretProblem;
  /**
   * Of a reused secret: the same number for fields with the same secret, from 1.
   */
  group: number | null;
  /**
   * Of an old secret: when it was last changed.
   */
  since: string | null;
  /**
   * Of something expired: the last day on which it held.
   */
  day: string | null;
  /**
   * The record.
   */
  id: string;
  /**
   * What it is about.
   */
  kind: string;
  /**
   * One line by which people know it.
   */
  title: string;
  /**
   * When it was last changed.
   */
  changed_at: string;
  /**
   * What a list was asked to tell besides, if the record has it.
   */
  detail?: string;
};

export type SecretProblem = "weak" | "reused" | "old" | "expired";

export type VersionView = {
  /**
   * Counted from 1.
   */
  version: number;
  /**
   * When it was made.
   */
  changed_at: string;
  /**
   * Login name of who made it.
   */
  changed_by: string;
  /**
   * When another program made it, from which it was imported; `None` if it was made here.
   */
  made_at?: string;
  /**
   * What is different from the version before, secrets named only.
   */
  changes: Array<ChangeView>;
};

export type ChangeView = {
  /**
   * `title`, `kind`, `tags`, `notes`, `attachments`, or the field's name.
   */
  what: string;
  /**
   * What happened to it.
   */
  how: ChangeKind;
  /**
   * The text before; `None` if there was none or it is a secret.
   */
  before: string | null;
  /**
   * The text after; `None` if there is none or it is a secret.
   */
  after: string | null;
};

export type ChangeKind = "added" | "changed" | "removed";

export type SearchResults = {
  /**
   * Found records, with the tenant in each identifier; best matches of each tenant first.
   */
  hits: Array<SearchHit>;
  /**
   * Whether there are more than were asked for.
   */
  more: boolean;
};

export type SearchHit = {
  /**
   * The tenant's name: whose data this is.
   */
  tenant_name: string;
  /**
   * The record.
   */
  id: string;
  /**
   * What it is about.
   */
  kind: string;
  /**
   * One line by which people know it.
   */
  title: string;
  /**
   * When it was last changed.
   */
  changed_at: string;
  /**
   * What a list was asked to tell besides, if the record has it.
   */
  detail?: string;
};

export type TagView = {
  /**
   * As written on the newest record that has it.
   */
  tag: string;
  /**
   * Records that have it, in whatever case.
   */
  records: number;
};

export type SavedSearchView = {
  /**
   * What the account calls it; no other search of the same tenant is called so.
   */
  name: string;
  /**
   * The tenant it searches; `None` for every tenant the account may read.
   */
  tenant: string | null;
  /**
   * That tenant's name.
   */
  tenant_name: string | null;
  /**
   * What it looks for.
   */
  query: string;
};

export type LogEntryView = {
  /**
   * Its place in the log, from 0.
   */
  index: number;
  /**
   * When.
   */
  at: string;
  /**
   * What: `object.verb`.
   */
  action: string;
  /**
   * Who: login name, or the account's identifier if it has none any more; `None` while locked.
   */
  actor: string | null;
  /**
   * The operating system's user.
   */
  os_user: string;
  /**
   * The machine's name.
   */
  host: string;
  /**
   * The program: `coffer` or `coffer-desktop`.
   */
  program: string;
  /**
   * The session; `None` while locked.
   */
  session: string | null;
  /**
   * The tenant it is about. Its name is shown only to who may know it.
   */
  tenant: string | null;
  /**
   * The tenant's name, if this account may know it.
   */
  tenant_name: string | null;
  /**
   * The record it is about.
   */
  record: string | null;
  /**
   * The field it is about, as a number inside its record; in an attachment's events, the attachment.
   */
  field: number | null;
  /**
   * The record's version it is about.
   */
  version: number | null;
  /**
   * How many; for backups, their number.
   */
  count: number | null;
  /**
   * The entry it is about.
   */
  entry: number | null;
  /**
   * Login name of the account it is about, or its identifier.
   */
  account: string | null;
};

export type LogPage = {
  /**
   * Entries of this page.
   */
  entries: Array<LogEntryView>;
  /**
   * All entries.
   */
  total: number;
  /**
   * The index to ask for next (entries before it); `None` after the last.
   */
  next_before: number | null;
};

export type LogReport = {
  /**
   * Whether nothing is wrong.
   */
  ok: boolean;
  /**
   * Entries checked.
   */
  entries: number;
  /**
   * Checkpoints checked.
   */
  checkpoints: number;
  /**
   * Root hash of the tree, hexadecimal.
   */
  root: string;
  /**
   * What is wrong, worst first.
   */
  findings: Array<LogFindingView>;
};

export type LogFindingView = {
  /**
   * Permanent code: `edited`, `reordered`, `gap`, `truncated`, `forked`, `unmatched_effect`, `bad_signature` …
   */
  code: string;
  /**
   * The entry it is at, if it is at one.
   */
  index: number | null;
};

export type BackupView = {
  /**
   * The vault it is of.
   */
  vault: string;
  /**
   * Its number in that vault.
   */
  counter: number;
  /**
   * When it was made.
   */
  made_at: string;
  /**
   * Files in it.
   */
  files: number;
  /**
   * Bytes of those files.
   */
  bytes: number;
  /**
   * Entries of the log at that time.
   */
  log_entries: number;
  /**
   * Statements of the membership chain at that time.
   */
  chain_length: number;
  /**
   * Whether a newer backup of this vault is known here.
   */
  newer_known: boolean;
};

export type ImportReport = {
  /**
   * Whether nothing was written because only a trial was asked for.
   */
  dry_run: boolean;
  /**
   * The format the file has: `csv`, `kdbx`, `bitwarden`, `1pux` or `archive`.
   */
  format: string;
  /**
   * What errors are numbered by.
   */
  counted_in: ImportCount;
  /**
   * Rows or entries that became, or would become, records.
   */
  imported: number;
  /**
   * Rows or entries that cannot be imported. With any of them nothing is written.
   */
  rejected: number;
  /**
   * Rows or entries that the tenant has already; left out or imported all the same, as was asked for.
   */
  duplicates: number;
  /**
   * Earlier versions that came, or would come, along.
   */
  versions: number;
  /**
   * Attachments that came, or would come, along.
   */
  attachments: number;
  /**
   * How many of the records came, or would come, into the trash, where they were before.
   */
  trashed: number;
  /**
   * Why, for the first hundred of those rejected.
   */
  errors: Array<ImportRowError>;
  /**
   * What is not carried over, the first hundred.
   */
  losses: Array<ImportLoss>;
  /**
   * How much is not carried over altogether.
   */
  losses_counted: number;
  /**
   * How the columns were understood; empty for a format without columns.
   */
  columns: Array<ImportColumn>;
};

export type ImportCount = "lines" | "entries";

export type ImportLoss = {
  /**
   * Which entry of the file, from 1; `None` for what concerns the file as a whole.
   */
  entry: number | null;
  /**
   * What it is: `attachment`, `field`, `tag`, `title_end`, `version`, `passkey`, `reference`, `icon`,
   * `trashed_entry`, `auto_type`, `custom_data`, `time_of_expiry` or `kind`.
   */
  what: string;
  /**
   * The name of the field, file or tag concerned; empty where there is none.
   */
  name: string;
};

export type ImportPreviewRecord = {
  /**
   * Which entry of the file, from 1.
   */
  entry: number;
  /**
   * What the record will be about.
   */
  kind: string;
  /**
   * Its title.
   */
  title: string;
  /**
   * How many fields it will have.
   */
  fields: number;
  /**
   * How many versions it will have.
   */
  versions: number;
  /**
   * How many files are kept with it.
   */
  attachments: number;
};

export type ImportRowError = {
  /**
   * The line of the file the row begins at, or the number of the entry; from 1.
   */
  line: number;
  /**
   * What is wrong and what would be right; never the value itself.
   */
  message: string;
};

export type ImportColumn = {
  /**
   * The header's text.
   */
  column: string;
  /**
   * Where it goes: `title`, `kind`, `tags`, `notes`, `tenant` (must name the tenant or nobody), a field's name, or `None` when it is left out.
   */
  target: string | null;
  /**
   * The field's type, when it becomes a field.
   */
  field_type:
    | "text"
    | "secret"
    | "multiline"
    | "email"
    | "phone"
    | "url"
    | "date"
    | "number"
    | "totp"
    | "choice"
    | "reference"
    | "expiry"
    | null;
};

export type TwinReport = {
  /**
   * The twin, now a tenant.
   */
  tenant: TenantView;
  /**
   * The seed it was invented by: of the same tenant, the same seed makes the same twin.
   */
  seed: number;
  /**
   * Records, those in the trash among them.
   */
  records: number;
  /**
   * Versions of all of them.
   */
  versions: number;
  /**
   * Attachments of all of them, present and past.
   */
  attachments: number;
};

export type SubjectFindings = {
  /**
   * The tenant.
   */
  tenant: string;
  /**
   * Its name: whose data this is.
   */
  tenant_name: string;
  /**
   * Records that hold one of the identifiers, in the order of adding.
   */
  records: Array<SubjectRecordView>;
  /**
   * What somebody was writing and has not saved.
   */
  drafts: Array<SubjectDraftView>;
  /**
   * Names of this account's saved searches that look for the person, in this tenant or in all.
   */
  saved_searches: Array<string>;
  /**
   * What was looked through.
   */
  scanned: SubjectScan;
  /**
   * Whether more records hold the person than are told.
   */
  more: boolean;
};

export type SubjectScan = {
  /**
   * Records, those in the trash among them.
   */
  records: number;
  /**
   * Versions of all of them.
   */
  versions: number;
  /**
   * Attachments whose names were looked at.
   */
  attachments: number;
  /**
   * Of these, attachments whose contents were not: no texts, or longer than 16 MiB.
   */
  unread: number;
};

export type SubjectRecordView = {
  /**
   * The record.
   */
  id: string;
  /**
   * What it is about.
   */
  kind: string;
  /**
   * One line by which people know it now.
   */
  title: string;
  /**
   * Whether it is in the trash.
   */
  trashed: boolean;
  /**
   * Whether what it holds now has the person in it, not its history alone.
   */
  newest: boolean;
  /**
   * Where in it.
   */
  places: Array<SubjectPlaceView>;
};

export type SubjectPlaceView = {
  /**
   * What kind of place.
   */
  place: SubjectPlace;
  /**
   * The field's or the attachment's name, or the tag; `None` for places of which a record has one.
   */
  name: string | null;
  /**
   * The field, if it is one.
   */
  field: number | null;
  /**
   * The attachment, if it is one.
   */
  attachment: number | null;
  /**
   * Whether the value is masked.
   */
  masked: boolean;
  /**
   * In which versions, ascending; of an attachment the first and the last that have it.
   */
  versions: Array<number>;
  /**
   * By which of the identifiers, counted from 1.
   */
  identifiers: Array<number>;
};

export type SubjectPlace =
  | "title"
  | "kind"
  | "field_name"
  | "field_value"
  | "tag"
  | "notes"
  | "attachment_name"
  | "attachment_text";

export type SubjectDraftView = {
  /**
   * The record being changed; `None` for one not added yet.
   */
  record: string | null;
  /**
   * Login name of whose draft it is.
   */
  account: string;
  /**
   * When it was kept.
   */
  kept_at: string;
};

export type SubjectExportReport = {
  /**
   * Records in the file.
   */
  records: number;
  /**
   * Versions of them.
   */
  versions: number;
  /**
   * Attachments in it.
   */
  attachments: number;
  /**
   * Masked values that were left out, since none of the identifiers is in them.
   */
  withheld: number;
  /**
   * Bytes of the file.
   */
  bytes: number;
};

export type SubjectErasureReport = {
  /**
   * The tenant.
   */
  tenant: string;
  /**
   * Its name.
   */
  tenant_name: string;
  /**
   * Records that are gone as a whole.
   */
  records: number;
  /**
   * Versions that are gone, those of such records among them.
   */
  versions: number;
  /**
   * Drafts that are gone.
   */
  drafts: number;
  /**
   * Files of attachments that are gone.
   */
  files: number;
  /**
   * Saved searches of this account that are gone.
   */
  saved_searches: number;
  /**
   * Records that still hold the person when everything was done, found by the same search once more; `None` if the job
   * was stopped meanwhile.
   */
  remaining: number | null;
  /**
   * Whether the tenant's database was written anew, so that nothing of what is gone is left in it.
   */
  rewritten: boolean;
  /**
   * Backups that may hold what was erased: every one made since it was first there, as far as the vault knows.
   */
  backups: Array<SubjectBackupView>;
};

export type SubjectBackupView = {
  /**
   * Its number.
   */
  counter: number;
  /**
   * When it was made.
   */
  made_at: string;
  /**
   * Until when it holds it; `None` for a portable backup, which has no expiry: until somebody destroys the file.
   */
  expires_at: string | null;
};

export type ExportReport = {
  /**
   * The format: `csv`, `kdbx` or `archive`.
   */
  format: string;
  /**
   * Records written.
   */
  records: number;
  /**
   * Bytes of the file.
   */
  bytes: number;
  /**
   * What the format could not hold.
   */
  losses: Array<ExportLossView>;
};

export type ExportLossView = {
  /**
   * What it is: `earlier_versions`, `secret_marks`, `kinds`, `field_types`, `neutralised_cells`, `fields`,
   * `attachments` or `tags`.
   */
  what: string;
  /**
   * How often it occurred.
   */
  count: number;
};

export type PeopleView = {
  /**
   * Accounts and invitations by login, then who left, the latest first.
   */
  accounts: Array<AccountView>;
  /**
   * Keys that somebody holds who may not any more.
   */
  pending: Array<PendingKeyView>;
  /**
   * Every time the vault was moved to another computer, in order.
   */
  moves: Array<VaultMoveView>;
};

export type VaultMoveView = {
  /**
   * Words that stand for the key of the device it went from.
   */
  device: string;
  /**
   * When.
   */
  at: string;
  /**
   * Login of who moved it.
   */
  by: string | null;
  /**
   * What became of it.
   */
  state: VaultMoveState;
  /**
   * Since when, if it is not under way.
   */
  ended_at: string | null;
};

export type VaultMoveState = "under_way" | "taken_up" | "taken_back";

export type AccountView = {
  /**
   * The account.
   */
  id: string;
  /**
   * Its login name.
   */
  login: string;
  /**
   * Its roles; of one that left, those it had.
   */
  roles: ("administrator" | "auditor" | "member")[];
  /**
   * What it is.
   */
  state: AccountState;
  /**
   * When it was invited or became an account, or when it left.
   */
  since: string;
  /**
   * Until when the activation code counts.
   */
  expires_at: string | null;
  /**
   * Whether it is the one that asks.
   */
  own: boolean;
  /**
   * Whether a key that its roles call for has not been shared with it yet.
   */
  key_pending: boolean;
  /**
   * Words that stand for its public keys: read to one another, they show that the vault means the right person.
   */
  fingerprint: string;
  /**
   * Whether it has a second factor, as it says itself.
   */
  second_factor: boolean;
  /**
   * When its access ends at the latest, if it is to leave.
   */
  access_by: string | null;
  /**
   * By when the secrets it saw are to be others, if it left or is to leave.
   */
  secrets_by: string | null;
  /**
   * Whether it needs fresh tokens of the identity provider.
   */
  federated: boolean;
  /**
   * What the provider's claim says of it, for officers and for itself.
   */
  subject: string | null;
  /**
   * What it may do with tenants the asking account may know of, by the tenants' names.
   */
  grants: Array<GrantView>;
};

export type AccountState = "active" | "invited" | "expired" | "left";

export type GrantView = {
  /**
   * The tenant.
   */
  tenant: string;
  /**
   * Its name; `None` if the asking account may not know it.
   */
  tenant_name: string | null;
  /**
   * Who.
   */
  account: string;
  /**
   * Its login name.
   */
  login: string;
  /**
   * What it may do.
   */
  right: "reader" | "editor" | "steward";
  /**
   * Until when.
   */
  expires_at: string | null;
  /**
   * Whether that is over.
   */
  expired: boolean;
};

export type PendingKeyView = {
  /**
   * Which.
   */
  key: PendingKey;
  /**
   * The tenant whose key it is.
   */
  tenant: string | null;
  /**
   * Its name, if the asking account may know it.
   */
  tenant_name: string | null;
  /**
   * Since when.
   */
  since: string;
  /**
   * Whether the asking account can replace it.
   */
  can_replace: boolean;
  /**
   * Whether nobody can but who has the recovery kit: the tenant has no steward any more.
   */
  needs_recovery: boolean;
};

export type PendingKey = "tenant" | "tenant_recovery" | "directory" | "audit" | "office";

export type RecoveryView = {
  /**
   * Which, from 1: 1 is the one the vault was founded with.
   */
  number: number;
  /**
   * Words that stand for its public keys, as they are on its kit or shares.
   */
  fingerprint: string;
  /**
   * When it was stated.
   */
  since: string;
  /**
   * Login of who stated it.
   */
  stated_by: string | null;
  /**
   * Whether the asking account trusts it: only then does its program seal anything to it.
   */
  trusted: boolean;
  /**
   * How its seed is split; `None` if one kit has it.
   */
  split: SplitView | null;
};

export type SplitView = {
  /**
   * How many shares it takes.
   */
  needed: number;
  /**
   * How many there are.
   */
  shares: number;
};

export type GlassView = {
  /**
   * The tenant.
   */
  tenant: string;
  /**
   * Its name, if the asking account may know it.
   */
  tenant_name: string | null;
  /**
   * Logins of the custodians of its key in use, without those who have left or have other keys since; any two of them
   * open it.
   */
  custodians: Array<string>;
  /**
   * Whether the asking account is one of them.
   */
  own: boolean;
  /**
   * Every time it was opened, the latest first.
   */
  broken: Array<BrokenGlassView>;
};

export type BrokenGlassView = {
  /**
   * Login of who reads, or read.
   */
  opener: string;
  /**
   * Login of the other custodian.
   */
  second: string;
  /**
   * When.
   */
  at: string;
  /**
   * Until when the opener may read.
   */
  until: string;
  /**
   * Why, in their words.
   */
  reason: string;
  /**
   * When the tenant got a key since that the opener was not given by this.
   */
  rekeyed_at: string | null;
};

export type ExposuresView = {
  /**
   * The tenant.
   */
  tenant: string;
  /**
   * Its name: whose data this is.
   */
  tenant_name: string;
  /**
   * Who has no grant any more, those with the most to change first.
   */
  accounts: Array<AccountExposureView>;
};

export type AccountExposureView = {
  /**
   * The account.
   */
  account: string;
  /**
   * Its login name.
   */
  login: string;
  /**
   * When its grant ended; `None` if it has one still.
   */
  ended_at: string | null;
  /**
   * By when what it saw is to be changed, if that was stated.
   */
  secrets_by: string | null;
  /**
   * Whether that is over and something is still to be changed.
   */
  overdue: boolean;
  /**
   * Secrets it saw that are still the same.
   */
  open: number;
  /**
   * Secrets it saw that are others by now, or gone.
   */
  changed: number;
  /**
   * Further secrets, still the same, that it held the key of and could have read: by a program of its own, or in a
   * copy of the vault.
   */
  could_read: number;
  /**
   * The first 500 that it saw, the latest first, then the first 500 that it could have read.
   */
  secrets: Array<ExposedSecretView>;
  /**
   * Whether there are more.
   */
  more: boolean;
  /**
   * When a steward last reported on it to administrators and auditors.
   */
  reported_at: string | null;
};

export type ExposedSecretView = {
  /**
   * Whether it is in the trash.
   */
  trashed: boolean;
  /**
   * The field inside it.
   */
  field: number;
  /**
   * What the person calls the field.
   */
  field_name: string;
  /**
   * How they know it.
   */
  how: ExposureWay;
  /**
   * When they saw it last; of what they could have read, since when it is the same.
   */
  at: string;
  /**
   * The record.
   */
  id: string;
  /**
   * What it is about.
   */
  kind: string;
  /**
   * One line by which people know it.
   */
  title: string;
  /**
   * When it was last changed.
   */
  changed_at: string;
  /**
   * What a list was asked to tell besides, if the record has it.
   */
  detail?: string;
};

export type ExposureWay = "revealed" | "copied" | "handed_over" | "exported" | "entered" | "could_read";

export type OffboardingView = {
  /**
   * The account.
   */
  account: string;
  /**
   * Its login name.
   */
  login: string;
  /**
   * Its roles, or those it had.
   */
  roles: ("administrator" | "auditor" | "member")[];
  /**
   * When it was stated first that it is to leave, and by whom.
   */
  stated_at: string | null;
  /**
   * Login of who stated it.
   */
  stated_by: string | null;
  /**
   * When its access ends, or had to end, at the latest.
   */
  access_by: string | null;
  /**
   * When it was removed; `None` if it is an account still.
   */
  left_at: string | null;
  /**
   * Login of who removed it.
   */
  removed_by: string | null;
  /**
   * By when the secrets it saw are to be others.
   */
  secrets_by: string | null;
  /**
   * Keys that it held, and when each was replaced.
   */
  keys: Array<HeldKeyView>;
  /**
   * Tenants that it could read.
   */
  tenants: Array<LeftTenantView>;
  /**
   * Whether nothing is left to do: it left, every key was replaced, and no steward reports anything to be changed.
   */
  complete: boolean;
  /**
   * Whether something had to be done by now that is not.
   */
  overdue: boolean;
  /**
   * Statements of the membership chain when this was made.
   */
  chain_length: number;
  /**
   * Hash of the last of them, hexadecimal.
   */
  chain_head: string;
  /**
   * When this was made.
   */
  made_at: string;
};

export type HeldKeyView = {
  /**
   * Which.
   */
  key: PendingKey;
  /**
   * When one took its place that the account does not hold; `None` if that is still to be done.
   */
  replaced_at: string | null;
};

export type LeftTenantView = {
  /**
   * The tenant.
   */
  tenant: string;
  /**
   * Its name, if the asking account may know it.
   */
  tenant_name: string | null;
  /**
   * What it could do there.
   */
  right: "reader" | "editor" | "steward";
  /**
   * When its grant ended; `None` if it holds still.
   */
  ended_at: string | null;
  /**
   * When the tenant got a key that the account does not hold.
   */
  rekeyed_at: string | null;
  /**
   * What a steward last reported of the secrets it saw there.
   */
  report: ExposureReportView | null;
};

export type ExposureReportView = {
  /**
   * Login of the steward.
   */
  by: string | null;
  /**
   * When.
   */
  at: string;
  /**
   * Secrets it saw that were still the same.
   */
  open: number;
  /**
   * Secrets it saw that were others by then.
   */
  changed: number;
  /**
   * Further secrets that it could have read.
   */
  could_read: number;
};

export type ExposureCheckView = {
  /**
   * The account.
   */
  account: string;
  /**
   * Its login name.
   */
  login: string;
  /**
   * What came of it.
   */
  outcome: ExposureCheckOutcome;
  /**
   * Tenants that it may not read any more.
   */
  tenants: Array<CheckedTenantView>;
  /**
   * Whether the log was once restarted after its end was lost: numbers of lost entries were given again since.
   */
  restarted: boolean;
  /**
   * How the log was found, which was verified for this.
   */
  log: LogReport;
};

export type ExposureCheckOutcome = "agrees" | "incomplete" | "disagrees";

export type CheckedTenantView = {
  /**
   * The tenant.
   */
  tenant: string;
  /**
   * Its name, if the asking account may know it.
   */
  tenant_name: string | null;
  /**
   * When it was reported; `None` if it was not, or nobody can read it.
   */
  reported_at: string | null;
  /**
   * Login of the steward.
   */
  reported_by: string | null;
  /**
   * Entries that the log had then.
   */
  entries: number;
  /**
   * Entries under which secrets were shown, copied, exported or handed over, and that report and log both have.
   */
  agreed: number;
  /**
   * Those of them whose record or version was deleted since, as the log says, too.
   */
  gone: number;
  /**
   * Such entries that are said to have come to nothing, because the program ended in between.
   */
  disowned: number;
  /**
   * Such entries that the report leaves out: rows were taken away from the tenant.
   */
  not_reported_count: number;
  /**
   * The first 500 of them.
   */
  not_reported: number[];
  /**
   * Entries that the report names and the log does not have, or not as what they are said to be.
   */
  not_logged_count: number;
  /**
   * The first 500 of them.
   */
  not_logged: number[];
  /**
   * Such entries that came after the report, or that no report is for.
   */
  since: number;
};

export type KeyRegisterView = {
  /**
   * Keys by kind, then by whose they are, the one in use first.
   */
  keys: Array<KeyView>;
  /**
   * For how long keys of each kind are used.
   */
  periods: Array<CryptoperiodView>;
  /**
   * The sets of algorithms this program knows; vaults are made with the last.
   */
  suites: Array<SuiteView>;
};

export type KeyView = {
  /**
   * What it is for.
   */
  kind: KeyKind;
  /**
   * Whose, if it is a tenant's.
   */
  tenant: string | null;
  /**
   * That tenant's name, if the asking account may know it.
   */
  tenant_name: string | null;
  /**
   * Login of whose it is, if it is an account's.
   */
  login: string | null;
  /**
   * The how many-th of its kind, from 1; of a tenant's its epoch.
   */
  number: number;
  /**
   * The algorithms it is used with.
   */
  algorithm: string;
  /**
   * What it is at present.
   */
  state: KeyState;
  /**
   * Since when it was in use.
   */
  since: string;
  /**
   * Until when, if another took its place.
   */
  until: string | null;
  /**
   * Since when somebody holds it who may not, or is said to.
   */
  compromised_at: string | null;
  /**
   * When another is to take its place at the latest; `None` if one has.
   */
  next_rotation: string | null;
  /**
   * Whether that is over.
   */
  overdue: boolean;
  /**
   * Whether the asking account can put another in its place.
   */
  can_rotate: boolean;
};

export type KeyState = "active" | "deactivated" | "compromised" | "destroyed";

export type CryptoperiodView = {
  /**
   * The kind.
   */
  kind: KeyKind;
  /**
   * Days.
   */
  days: number;
};

export type SuiteView = {
  /**
   * The number by which a vault names it.
   */
  number: number;
  /**
   * What it consists of.
   */
  parts: Array<SuitePart>;
};

export type SuitePart = {
  /**
   * What it does: `kdf`, `encryption`, `database`, `sealing`, `signature`, `hash`, `backup`.
   */
  purpose: string;
  /**
   * What it is called.
   */
  algorithm: string;
  /**
   * Where it is specified.
   */
  standard: string;
  /**
   * The year after whose end it is disallowed or no longer to be relied on; `None` where no such date is known.
   */
  until_year: number | null;
  /**
   * Who says so.
   */
  until_source: string | null;
};

export type KeyAccessView = {
  /**
   * Keys in use, in the order of the register.
   */
  keys: Array<HeldKey>;
  /**
   * Statements of the membership chain when this was made.
   */
  chain_length: number;
  /**
   * Hash of the last of them, hexadecimal.
   */
  chain_head: string;
  /**
   * When this was made.
   */
  made_at: string;
};

export type HeldKey = {
  /**
   * What it is for.
   */
  kind: KeyKind;
  /**
   * Whose, if it is a tenant's.
   */
  tenant: string | null;
  /**
   * That tenant's name, if the asking account may know it.
   */
  tenant_name: string | null;
  /**
   * The how many-th of its kind, from 1.
   */
  number: number;
  /**
   * Who holds it, by login; then recovery.
   */
  holders: Array<KeyHolder>;
};

export type KeyHolder = {
  /**
   * The account or invitation; `None` for recovery.
   */
  account: string | null;
  /**
   * Its login; `None` for recovery.
   */
  login: string | null;
  /**
   * What it may do with it, if it is a tenant's and a grant holds.
   */
  right: "reader" | "editor" | "steward" | null;
  /**
   * Until when it may.
   */
  expires_at: string | null;
  /**
   * Whether it may not any more, and holds the key all the same: the key is pending.
   */
  former: boolean;
  /**
   * The number of the recovery that it is sealed to; `None` for people.
   */
  recovery: number | null;
};

export type WaysInView = {
  /**
   * Whether the passphrase needs the secret in this device's keyring beside it.
   */
  device_secret: boolean;
  /**
   * Whether the passphrase needs a key file beside it.
   */
  key_file: boolean;
  /**
   * Memory that each guess at the passphrase takes, in KiB.
   */
  kdf_memory_kib: number;
  /**
   * How often that memory is gone through.
   */
  kdf_passes: number;
  /**
   * Whether there is a personal recovery code.
   */
  personal_code: boolean;
  /**
   * Whether there is a second factor.
   */
  second_factor: boolean;
  /**
   * Whether the rules of the vault ask for one.
   */
  second_factor_required: boolean;
  /**
   * Spare codes that have not served.
   */
  spare_codes_left: number;
  /**
   * Whether the account needs fresh tokens of the identity provider.
   */
  federated: boolean;
  /**
   * Until when it unlocks without another one.
   */
  lease_until: string | null;
};

export type PolicyView = {
  /**
   * Whoever has any of these roles needs a second factor.
   */
  second_factor: ("administrator" | "auditor" | "member")[];
  /**
   * What asks for passphrase and second factor anew.
   */
  step_up: string[];
  /**
   * What takes two administrators.
   */
  two_people: string[];
  /**
   * Least memory of a passphrase's derivation, in KiB; 0 where nothing is fixed.
   */
  kdf_memory_kib: number;
};

export type ProviderView = {
  /**
   * `iss` of its tokens.
   */
  issuer: string;
  /**
   * One of `aud` of its tokens.
   */
  audience: string;
  /**
   * The claim that names the person.
   */
  claim: string;
  /**
   * For how many days a token lets an account unlock.
   */
  days: number;
  /**
   * The keys its tokens are signed with.
   */
  keys: Array<ProviderKeyView>;
  /**
   * SHA-256 of its key set's file, in hexadecimal.
   */
  key_set_sha256: string;
  /**
   * The vault's public key that it may encrypt tokens to: a JWK.
   */
  encryption_key: string;
  /**
   * How many accounts need its tokens.
   */
  accounts: number;
};

export type ProviderKeyView = {
  /**
   * Its name, if it has one.
   */
  kid: string | null;
  /**
   * What it is: `RSA 2048`, `P-256`, `P-384`, `Ed25519`.
   */
  kind: string;
};

export type HealthView = {
  /**
   * Permanent name: `disk_encryption`, `device_key`, `memory`, `kdf`, `free_space`.
   */
  check: string;
  /**
   * Whether anything wants doing.
   */
  state: HealthState;
  /**
   * What was found: a permanent name, or a figure.
   */
  detail: string;
};

export type HealthState = "good" | "attention" | "unknown";

export type FileCheckView = {
  /**
   * The tenant.
   */
  tenant: string;
  /**
   * The tenant's name, if this account may know it.
   */
  tenant_name: string | null;
  /**
   * What was found.
   */
  state: FileState;
};

export type FileState = "unchanged" | "altered" | "not_checkable";

export type Progress = {
  /**
   * Done so far, in the job's unit.
   */
  done: number;
  /**
   * To do altogether; `None` if not known yet.
   */
  total: number | null;
  /**
   * What is counted.
   */
  unit: ProgressUnit;
};

export type ProgressUnit = "bytes" | "rows" | "entries" | "records";

export type Screen = "first_run" | "locked" | "unlocked";

export type Language = "system" | "en" | "de";

export type Theme = "system" | "light" | "dark";

export type LockPreset = "convenient" | "balanced" | "strict";

export type Settings = {
  /**
   * The language of every window.
   */
  language: Language;
  /**
   * Light or dark.
   */
  theme: Theme;
  /**
   * Seconds until a copied secret is taken from the clipboard.
   */
  clipboard_seconds: number;
  /**
   * Which preset the times were taken from.
   */
  lock_preset: LockPreset;
  /**
   * Seconds without activity until the program locks.
   */
  idle_seconds: number;
  /**
   * What rows of lists tell besides title, kind and time.
   */
  row_detail: "none" | "value" | "tags";
};

export type AppState = {
  /**
   * What to show.
   */
  screen: Screen;
  /**
   * Who is unlocked.
   */
  session: SessionView | null;
  /**
   * What the person has chosen about the program.
   */
  settings: Settings;
  /**
   * What [`Language::System`] stands for here: what native windows take it for, so that all windows agree.
   */
  system_language: "en" | "de";
};

export type Chosen = {
  /**
   * Names it in later calls. Random.
   */
  handle: string;
  /**
   * Its own name, without folders.
   */
  name: string;
};

export type SavedKit = {
  /**
   * `false` when the person declined.
   */
  saved: boolean;
  /**
   * Name of the file, or of the folder with the shares, without where it is.
   */
  file_name: string | null;
};

export type Copied = {
  /**
   * Seconds until it is taken from the clipboard again.
   */
  clear_after_seconds: number;
};

export type ShownCode = {
  /**
   * The digits.
   */
  code: string;
  /**
   * Whole seconds until the next one.
   */
  seconds_left: number;
  /**
   * Seconds a code is good for.
   */
  period_seconds: number;
};

export type MadeSecret = {
  /**
   * Names it in later calls. Random.
   */
  handle: string;
  /**
   * Logarithm to base 2 of how many others it could have been.
   */
  entropy_bits: number;
  /**
   * How soon it would be guessed, from 0 (at once) to 4.
   */
  score: number;
};

export type ImportFile = {
  /**
   * Names it in later calls. Random.
   */
  handle: string;
  /**
   * Its name, without folders.
   */
  name: string;
  /**
   * Bytes.
   */
  size: number;
  /**
   * Its format: `csv`, `kdbx`, `bitwarden`, `1pux` or `archive`.
   */
  format: string;
  /**
   * Whether it is encrypted and has still to be opened. Nothing more is known then.
   */
  needs_key: boolean;
  /**
   * How a table's text is encoded: `utf-8` or `windows-1252`.
   */
  encoding: string | null;
  /**
   * How a table's columns are understood; empty for other formats.
   */
  columns: Array<ImportColumn>;
  /**
   * A table's first rows, one cell for each column; what would become a secret is masked.
   */
  preview: Array<Array<string>>;
  /**
   * The tenant that an archive was made of, by its own account.
   */
  made_of: string | null;
  /**
   * Entries of a file that is no table.
   */
  entries: number | null;
  /**
   * The first of them.
   */
  records: Array<ImportPreviewRecord>;
  /**
   * What is not carried over, the first hundred.
   */
  losses: Array<ImportLoss>;
  /**
   * How much is not carried over altogether.
   */
  losses_counted: number;
};

export type BackupRow = {
  /**
   * When.
   */
  made_at: string;
  /**
   * Its number in its vault.
   */
  counter: number;
  /**
   * Bytes of the vault's files in it.
   */
  bytes: number;
  /**
   * The file this program wrote it to; `None` if another one or another machine made it.
   */
  file: BackupFile | null;
};

export type BackupFile = {
  /**
   * Its name.
   */
  name: string;
  /**
   * The name of the folder it was in, without what is above.
   */
  folder: string;
};

export type Invited = {
  /**
   * The account that will come of it.
   */
  account: string;
  /**
   * What it will be called.
   */
  login: string;
  /**
   * Until when the code counts.
   */
  expires_at: string;
};

export type Refusal = {
  /**
   * Permanent, in snake case.
   */
  code: string;
};

export type Job = {
  /**
   * Its number.
   */
  job: string;
};

export type JobState = "running" | "done" | "failed" | "cancelled";

export type JobResult =
  | BackupView
  | ImportReport
  | LogReport
  | ExportReport
  | TwinReport
  | MoveReport
  | SubjectFindings
  | SubjectExportReport
  | SubjectErasureReport
  | RecordView
  | AttachmentView
  | Array<FileCheckView>
  | SecretHealthView
  | Array<PendingKeyView>
  | Array<ExposuresView>
  | AccountExposureView
  | ExposureCheckView
  | number
  | null;

export type JobProgress = {
  /**
   * How far it is.
   */
  progress: Progress;
  /**
   * What it is at.
   */
  state: JobState;
  /**
   * What it ended with.
   */
  result: JobResult | null;
  /**
   * Why it failed.
   */
  error: Refusal | null;
};

//! Everything that may go wrong on the command line, in words: what happened, and what to do.

use std::error::Error;
use std::fs;
use std::io::{self, ErrorKind};
use std::num::{IntErrorKind, ParseIntError};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue};
use coffer_core::host::{KeyringError, PromptError};
use coffer_core::{
    AcceptRecoveryError, ActivateError, ActivationCodeError, AttachError, BulkError, CallError, ChangePassphraseError,
    CodeError, CreateError, CreateTenantError, Damage, EnrolDeviceError, ExportError, Fault, FederationError,
    GlassError, GrantError, ImportError, InvalidIdentifiers, InvalidRecipe, InviteError, JobError, KindError,
    KitPlaceError, LeaveError, ListRecordsError, MoveError, MoveVaultError, OpenError, PassphraseError,
    PersonalCodeError, RecoverError, RecoveryCodeError, RenewRecoveryError, SaveAttachmentError, SaveRecordError,
    SaveSearchError, SecondFactorError, SetPolicyError, SetRolesError, ShareCodeError, SharesError, SubjectError,
    UnlockError,
};
use coffer_model::query::InvalidQuery;
use coffer_model::record::InvalidRecord;
use coffer_model::template::InvalidTemplate;
use coffer_model::tenant::InvalidTenantName;

use crate::args::Cli;
use crate::render::OutputError;

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error("no vault was named")]
    NoVault,
    #[error("no account was named")]
    NoLogin,
    #[error("this name is no login name: {0}")]
    Login(String),
    #[error("the passphrase cannot be read from {0}")]
    PassphraseSource(String),
    #[error("the passphrase cannot be used: {0}")]
    Passphrase(#[from] PassphraseError),
    #[error(transparent)]
    Prompt(#[from] PromptError),
    /// Nobody can be asked for a field's value.
    #[error("there is no terminal to ask for the field {0:?} on")]
    NoTerminalForField(String),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("{}", unlock_words(.0))]
    Unlock(UnlockError),
    #[error(transparent)]
    Create(#[from] CreateError),
    #[error(transparent)]
    CreateTenant(#[from] CreateTenantError),
    #[error(transparent)]
    Invite(#[from] InviteError),
    #[error("{}", activate_words(.0))]
    Activate(ActivateError),
    #[error(transparent)]
    ActivationCode(#[from] ActivationCodeError),
    #[error("{}", recover_words(.0))]
    Recover(RecoverError),
    #[error(transparent)]
    SetRoles(#[from] SetRolesError),
    #[error(transparent)]
    Leave(#[from] LeaveError),
    #[error(transparent)]
    Glass(#[from] GlassError),
    #[error(transparent)]
    ChangePassphrase(#[from] ChangePassphraseError),
    #[error(transparent)]
    Grant(#[from] GrantError),
    #[error("there is no account called {0:?}")]
    NoSuchAccount(String),
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    EnrolDevice(#[from] EnrolDeviceError),
    #[error(transparent)]
    Save(#[from] SaveRecordError),
    #[error(transparent)]
    Bulk(#[from] BulkError),
    /// Records were not moved into another tenant.
    #[error(transparent)]
    Move(#[from] MoveError),
    #[error(transparent)]
    MoveVault(#[from] MoveVaultError),
    #[error(transparent)]
    List(#[from] ListRecordsError),
    #[error(transparent)]
    Code(#[from] CodeError),
    #[error(transparent)]
    Kind(#[from] KindError),
    #[error(transparent)]
    Template(#[from] InvalidTemplate),
    #[error(transparent)]
    Recipe(#[from] InvalidRecipe),
    #[error(transparent)]
    SaveSearch(#[from] SaveSearchError),
    #[error(transparent)]
    Query(#[from] InvalidQuery),
    #[error(transparent)]
    ImportSetup(#[from] ImportError),
    #[error(transparent)]
    ExportSetup(#[from] ExportError),
    #[error(transparent)]
    Subject(#[from] SubjectError),
    #[error(transparent)]
    Identifiers(#[from] InvalidIdentifiers),
    #[error("the tenant's name was not given, so nothing was erased")]
    NotConfirmed,
    #[error(transparent)]
    Attach(#[from] AttachError),
    #[error(transparent)]
    SaveAttachment(#[from] SaveAttachmentError),
    #[error(transparent)]
    Job(#[from] JobError),
    #[error(transparent)]
    TenantName(#[from] InvalidTenantName),
    #[error(transparent)]
    Draft(#[from] InvalidRecord),
    #[error("the kit's recovery code cannot be read: {0}")]
    Kit(#[from] RecoveryCodeError),
    #[error("the share in {} cannot be read: {reason}", path.display())]
    Share { path: PathBuf, reason: ShareCodeError },
    #[error(transparent)]
    Shares(#[from] SharesError),
    #[error(transparent)]
    RenewRecovery(#[from] RenewRecoveryError),
    #[error(transparent)]
    AcceptRecovery(#[from] AcceptRecoveryError),
    #[error("there is no tenant called {0:?} that this account may read")]
    NoSuchTenant(String),
    #[error("the record has no field called {0:?}")]
    NoSuchField(String),
    #[error("the record has no file called {0:?}")]
    NoSuchAttachment(String),
    #[error("a field was given that is not {0}")]
    FieldSyntax(&'static str),
    #[error("what stands behind a field's colon is no type")]
    FieldType,
    #[error(transparent)]
    SecondFactor(#[from] SecondFactorError),
    #[error(transparent)]
    SetPolicy(#[from] SetPolicyError),
    #[error("the account has no {0}, so what was given was not looked at")]
    FactorNotAskedFor(&'static str),
    #[error("the account needs no token, so what was given was not looked at")]
    TokenNotAskedFor,
    #[error(transparent)]
    Federation(#[from] FederationError),
    #[error("the personal recovery code cannot be read: {0}")]
    PersonalCode(#[from] PersonalCodeError),
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error("{}", first_line(.0))]
    Arguments(clap::Error),
    #[error("the file {} cannot be used: {}", path.display(), file_words(.reason))]
    File { path: PathBuf, reason: io::Error },
    /// The kit, or its shares, cannot be kept where they were to be.
    #[error("nothing can be kept at {}: {}", .0.path.display(), file_words(&.0.reason))]
    KitPlace(#[from] KitPlaceError),
    #[error("there is something at {} already", .0.display())]
    TargetExists(PathBuf),
    /// What went wrong, and with which of the things that were named.
    #[error("{named}: {error}{why}")]
    Of { named: String, error: Box<Self>, why: String },
    #[error("{rejected} of the file's rows cannot be imported, so nothing was written")]
    ImportRejected { rejected: u64 },
    #[error("a tenant's file is not as it was locked")]
    FileAltered,
    #[error("the log is not in order")]
    LogFindings,
    #[error("what was reported and the log do not agree")]
    ExposuresDisagree,
    #[error("what is in the log is not all reported yet")]
    ExposuresUnreported,
    #[error("{0}")]
    Usage(String),
    #[error("something is wrong in Coffer itself")]
    Bug,
}

impl From<UnlockError> for CliError {
    fn from(error: UnlockError) -> Self {
        Self::Unlock(error)
    }
}

impl From<ActivateError> for CliError {
    fn from(error: ActivateError) -> Self {
        Self::Activate(error)
    }
}

impl From<RecoverError> for CliError {
    fn from(error: RecoverError) -> Self {
        Self::Recover(error)
    }
}

impl From<Fault> for CliError {
    fn from(fault: Fault) -> Self {
        Self::Call(CallError::Fault(fault))
    }
}

/// Exit codes: refused or not found, wrong usage, damaged vault or backup or log, a bug (`EX_SOFTWARE` of sysexits.h).
const REFUSED: u8 = 1;
const USAGE: u8 = 2;
const DAMAGED: u8 = 3;
const BUG: u8 = 70;

impl CliError {
    /// Why a new file was not made.
    pub fn new_file(path: &Path, reason: io::Error) -> Self {
        let path = path.to_owned();
        if reason.kind() == ErrorKind::AlreadyExists { Self::TargetExists(path) } else { Self::File { path, reason } }
    }

    /// The same error, saying which of the things that were named it is about.
    pub fn of(self, named: impl Into<String>) -> Self {
        Self::Of { named: named.into(), error: Box::new(self), why: String::new() }
    }

    /// As [`CliError::of`], of a file that was to be read: if that could not be, saying why.
    pub fn of_file(self, path: &Path) -> Self {
        let why = match fs::metadata(path) {
            _ if self.code() != "file_unreadable" => String::new(),
            Ok(facts) if facts.is_dir() => ": it is a folder".to_owned(),
            Ok(facts) if !facts.is_file() => ": it is a pipe or a device".to_owned(),
            Ok(_) => ": you may not".to_owned(),
            Err(reason) => format!(": {}", file_words(&reason)),
        };
        Self::Of { named: path.display().to_string(), error: Box::new(self), why }
    }

    /// Wrong usage, in clap's words where they are words for people.
    pub fn arguments(error: clap::Error) -> Self {
        Self::Arguments(usage_words(error))
    }

    /// The permanent name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoVault => "no_vault_named",
            Self::NoLogin => "no_login_named",
            Self::Login(_) => "invalid_login",
            Self::PassphraseSource(_) => "passphrase_source",
            Self::Passphrase(_) => "invalid_passphrase",
            Self::Prompt(PromptError::Cancelled) => "cancelled",
            Self::Prompt(PromptError::Unavailable | PromptError::Failed) | Self::NoTerminalForField(_) => "no_terminal",
            Self::Open(error) => error.code(),
            Self::Unlock(error) => error.code(),
            Self::Create(error) => error.code(),
            Self::CreateTenant(error) => error.code(),
            Self::Invite(error) => error.code(),
            Self::Activate(error) => error.code(),
            Self::ActivationCode(_) => "invalid_activation_code",
            Self::Recover(error) => error.code(),
            Self::SetRoles(error) => error.code(),
            Self::Leave(error) => error.code(),
            Self::Glass(error) => error.code(),
            Self::ChangePassphrase(error) => error.code(),
            Self::Grant(error) => error.code(),
            Self::NoSuchAccount(_) => "no_such_account",
            Self::Call(error) => error.code(),
            Self::EnrolDevice(error) => error.code(),
            Self::Save(error) => error.code(),
            Self::Bulk(error) => error.code(),
            Self::Move(error) => error.code(),
            Self::MoveVault(error) => error.code(),
            Self::List(error) => error.code(),
            Self::Code(error) => error.code(),
            Self::Kind(error) => error.code(),
            Self::Template(_) => "invalid_template",
            Self::Recipe(error) => error.code(),
            Self::SaveSearch(error) => error.code(),
            Self::Query(error) => error.code(),
            Self::ImportSetup(error) => error.code(),
            Self::ExportSetup(error) => error.code(),
            Self::Subject(error) => error.code(),
            Self::Identifiers(_) => "invalid_identifiers",
            Self::NotConfirmed => "not_confirmed",
            Self::Attach(error) => error.code(),
            Self::SaveAttachment(error) => error.code(),
            Self::Job(error) => error.code(),
            Self::TenantName(_) => "invalid_tenant_name",
            Self::Draft(_) => "invalid_record",
            Self::Kit(_) => "invalid_recovery_code",
            Self::Share { .. } => "invalid_share",
            Self::Shares(error) => error.code(),
            Self::RenewRecovery(error) => error.code(),
            Self::AcceptRecovery(error) => error.code(),
            Self::NoSuchTenant(_) | Self::NoSuchField(_) | Self::NoSuchAttachment(_) => "not_found",
            Self::FieldSyntax(_) | Self::FieldType | Self::Usage(_) | Self::Arguments(_) => "usage",
            Self::SecondFactor(error) => error.code(),
            Self::SetPolicy(error) => error.code(),
            Self::FactorNotAskedFor(_) => "factor_not_asked_for",
            Self::TokenNotAskedFor => "token_not_asked_for",
            Self::Federation(error) => error.code(),
            Self::PersonalCode(_) => "invalid_personal_code",
            Self::Output(_) => "output",
            Self::File { .. } => "file",
            Self::KitPlace(error) => error.code(),
            Self::TargetExists(_) => "target_exists",
            Self::Of { error, .. } => error.code(),
            Self::ImportRejected { .. } => "import_rejected",
            Self::LogFindings => "log_findings",
            Self::ExposuresDisagree => "exposures_disagree",
            Self::ExposuresUnreported => "exposures_unreported",
            Self::FileAltered => "file_altered",
            Self::Bug => "bug",
        }
    }

    /// What to do about it, where there is something to be said.
    #[expect(clippy::too_many_lines, reason = "one line for each error")]
    pub fn hint(&self) -> Option<&'static str> {
        if matches!(self, Self::Unlock(UnlockError::Fault(Fault::Damaged(Damage::Log)))) {
            return Some("compare it with a backup; an auditor can go on with `log restart`, which stays on record");
        }
        if matches!(self, Self::NoTerminalForField(_)) {
            return Some("give it with --field-file NAME=FILE; `-` is standard input");
        }
        if matches!(self, Self::FieldType) {
            return Some(
                "NAME:TYPE, where TYPE is text, secret, multiline, email, phone, url, date, number, totp, choice, reference or \
                 expiry; a name with a colon in it needs one behind it",
            );
        }
        if let Some(hint) = people_hint(self.code()) {
            return Some(hint);
        }
        Some(match self.code() {
            "no_vault_named" => "name the vault's folder with --vault DIR",
            "no_login_named" => "name the account with --login NAME",
            "no_terminal" => "give the passphrase with --passphrase-file FILE or --passphrase-fd N",
            "passphrase_source" => "the file's first line is the passphrase; it must be readable by you",
            "unlock_refused" => "check Caps Lock and the keyboard layout; the attempt is in the log",
            "held_elsewhere" => "lock or close it there, then try again",
            "not_a_vault" => "a vault is a folder with a file called `header` in it",
            "place_taken" => "choose another place; nothing is overwritten",
            "no_folder" => "create the folder above it first",
            "passphrase_too_short" | "passphrase_well_known" | "passphrase_expected_name" | "passphrase_guessable" => {
                "take five or more words at random; length counts, not special characters"
            }
            "refused" => "ask an administrator or the tenant's steward for the right",
            "source_not_encrypted" => {
                "leave the option out; if --format was given, leave that out instead: the format is told by the content"
            }
            "source_needs_key" => {
                "give it with --source-passphrase-file FILE or --source-key-file FILE; of an archive that age encrypted it is \
                 --source-identity-file FILE"
            }
            "source_wrong_key" => "check the passphrase, and whether the file needs a key file as well",
            "source_other_format" => "leave --format out; the format is told by the content",
            "source_other_version" => "open it in the program it comes from and save it as KDBX 4",
            "source_unsupported" => "save it with AES or ChaCha20 and Argon2 in the program it comes from",
            "source_account_bound" => "export again from Bitwarden, as JSON or as JSON protected by a password",
            "source_kdf_too_costly" => {
                "lower the key derivation's cost in the program it comes from, if it is yours at all"
            }
            "source_damaged" | "source_expands" | "source_unsafe_name" | "source_too_many" | "source_too_large" => {
                "export it again from the program it comes from; nothing was written"
            }
            "source_empty" => "check that it is the file you meant; nothing was written",
            "import_no_columns" => "leave --map out; only tables have columns",
            "export_needs_passphrase" => "give it with --export-passphrase-file FILE",
            "export_no_passphrase" => "leave --export-passphrase-file out, or export as kdbx",
            "export_no_recipient" => "leave --recipient out, or export as archive",
            "export_needs_recipient" | "export_invalid_recipient" => {
                "give the receiver's public key of age, as `age-keygen` prints it: --recipient age1…"
            }
            "export_not_confirmed" => "type it exactly: --confirm NAME, or encrypt the archive with --recipient age1…",
            "export_not_written" => "choose a folder that exists and that you may write to",
            "authentication_not_fresh" => "repeat the command and give your passphrase when asked",
            "invalid_identifiers" => "give whole names, addresses or numbers, each on a line or in quotation marks",
            "not_confirmed" => "type the tenant's name when asked, or give it with --confirm NAME",
            "subject_too_many" => "give identifiers that only this person has, or name the records with --record",
            "output" => "the command was carried out; make room and ask again for what it answered",
            "not_found" => {
                "see `tenant list`, `record list`, `record list --trash` and `file list ID` for what there is"
            }
            "tenant_name_taken" => "choose another name",
            "no_code" => "name a field of type totp that holds a seed",
            "invalid_template" => "docs/command-line.md, \"kind\", says what may stand in a template",
            "no_such_kind" => "see `kind list`; kinds that every vault has stay",
            "too_many_kinds" => "remove one that is no longer used",
            "invalid_recipe" => "see `generate --help` for what may be asked for",
            "version_conflict" => "show the record again and repeat the change on what it is now",
            "record_trashed" => "take it out of the trash with `record restore`, or show it only",
            "bulk_count" => "name fewer records and repeat for the others",
            "same_tenant" => "name the tenant that is to have them with --to",
            "several_tenants" => "repeat for each tenant; `record move` takes records from one to another",
            "damaged" | "file_altered" => {
                "do not change anything; restore the newest backup into a new folder and compare"
            }
            "newer_version" => "install the newest Coffer",
            "no_space" => "make room and repeat; nothing was changed",
            "not_durable" => "check the disk before going on; the last change may be missing",
            "log_unavailable" => "check that the vault's folder can be written; without the log nothing is done",
            "busy" => "try again in a moment",
            "device_key" => "unlock the keyring and try again",
            "device_enrolled" => "nothing needs to be done; `backup export` works without --login",
            "mapping_unknown_column" | "assignment_unknown_column" => {
                "see what `import FILE --tenant T --dry-run` says the columns are called"
            }
            "import_rejected" => "mend the rows and repeat, or leave columns out with --map \"COLUMN=skip\"",
            "exposures_disagree" => {
                "entries left out: rows were taken from the tenant, or somebody added to the log; look at those entries"
            }
            "exposures_unreported" => "ask the tenant's steward to report: account exposures --report",
            "log_findings" => "keep the vault as it is and compare it with a backup",
            "cancelled" => "nothing was changed",
            "bug" => "please report what you did; the vault is as it was before the command",
            "backup_wrong_key" => "name the vault's recovery kit with --kit FILE",
            "no_device_key" => {
                "an administrator enrols this device with `backup enrol`; the recovery kit opens backups, too: --kit FILE"
            }
            "backup_unsettled" => "unlock the vault once, by any account, then make the backup",
            "moved" => {
                "go on where it was moved to; if its file is lost, `vault move FILE` writes another, and if nobody uses it there, \
                 `vault move --take-back` goes on here"
            }
            "move_unfinished" => "repeat `vault move` with another file, or take it back with `vault move --take-back`",
            "move_not_taken_up" => "an administrator unlocks it here once; everybody else can from then on",
            "not_moved" => "nothing has to be taken back",
            "backup_older" => "if that is what you want, repeat with --accept-older",
            "backup_damaged" | "not_a_backup" | "backup_untrusted" | "backup_of_other_vault" => {
                "take another backup; nothing was written"
            }
            "backup_not_found" => "check the file's name",
            "file_unreadable" => "name a plain file that is there and that you may read: no folder, pipe or device",
            "file" => "check the path, and that you may read or write there",
            "attachment_exists" => "take it off first with `file detach`; the record's history keeps it",
            "too_many_attachments" => "take others off first, or attach it to another record",
            "file_changed" => "repeat when nothing writes to the file; nothing was attached",
            "target_unwritable" => "choose a folder that you may write to",
            "target_exists" => "choose a name that does not exist yet; nothing is overwritten",
            "vault_in_use" => "lock or close it there, or make the backup there",
            "invalid_cursor" => "start the list again without --after; a place is of one order only",
            "invalid_query" => {
                "`coffer search --help` shows what can be asked; put in quotation marks what is meant as plain text"
            }
            "search_name_taken" => "choose another name, or remove that one with `search remove-saved`",
            "too_many_searches" => "remove one with `search remove-saved NAME`",
            _ => return None,
        })
    }

    /// The exit code.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.code() {
            "usage" | "no_vault_named" | "no_login_named" | "invalid_login" => USAGE,
            "damaged" | "log_findings" | "exposures_disagree" | "file_altered" | "backup_damaged" => DAMAGED,
            "bug" => BUG,
            _ => REFUSED,
        })
    }
}

/// What to do about errors that have to do with accounts, rights and keys.
fn people_hint(code: &str) -> Option<&'static str> {
    Some(match code {
        "too_soon" => "check Caps Lock and the keyboard layout meanwhile; nobody is locked out for longer",
        "no_such_account" => "see `account list` for who there is",
        "login_taken" => "choose a name that nobody takes for another, or use `account reset` for the same person",
        "no_invitation" => "check the code; one that was used or withdrawn counts no longer",
        "activation_expired" => {
            "ask an administrator for a new one: `account withdraw-invitation`, then `account invite`"
        }
        "invalid_activation_code" => "six groups of five letters and digits, as they were given to you",
        "last_administrator" => "make somebody else an administrator first: `account roles`",
        "last_auditor" => "make somebody else an auditor first: `account roles`",
        "last_steward" => "make somebody else a steward first: `grant add`, or repeat with --even-last-steward",
        "own_account" | "own_federation" => "another administrator has to do that",
        "other_kit" => "take the newest kit, or shares, of this vault: its name and identifier are on it",
        "invalid_share" => "check the group that is named against the paper; every group has five letters and digits",
        "share_forged" => "leave it out, and ask whoever brought it; if it is of an older recovery, take the newest",
        "share_twofold" => "compare both with whoever holds them; if there are enough others, leave both out",
        "shares_false" => "try again with other shares; which one is false cannot be told here",
        "shares_mixed" => "take shares of one and the same recovery: their fingerprints are alike",
        "shares_too_few" => "ask more of the people who hold one, and name each with --share FILE",
        "recovery_words" => "compare them with the kit or a share; if they differ, somebody else named this recovery",
        "recovery_unconfirmed" => "compare its words with the kit's, see `key recovery`, then `key accept-recovery`",
        "not_granted" => "see `grant list` for what is granted",
        "grant_past" => "name a day that is not over",
        "key_pending" => "an auditor who has the key has to unlock the vault once",
        "factor_missing" => {
            "unlock this device's keyring, name your key file with --key-file, or use --personal-code-file; without any of \
             them an administrator can invite you anew with `account reset`"
        }
        "factor_not_asked_for" => "leave the option out, or see `account factors` and `account second-factor enrol`",
        "code_needed" => "add --code with what your authenticator shows, or one of your spare codes",
        "code_wrong" => "check the clocks of both devices; a spare code counts in its place",
        "code_used" => "wait for the next code, half a minute at most",
        "second_factor_needed" => "`account second-factor enrol`",
        "second_factor_required" => "see `policy show`; an administrator changes it",
        "enrol_second_factor_first" => "`account second-factor enrol`, or you would shut yourself out",
        "step_up_needed" => "run the command by itself, outside of `coffer shell`, or unlock again",
        "older_than_known" => "if it was put back on purpose: `vault accept-older`, which stays on record",
        "access_ended" => {
            "an administrator states another end with `account offboard NAME --within HOURS`, or `--stay`"
        }
        "device_not_enrolled" => "make a backup on this device first, or see `coffer doctor`",
        "not_custodian" => "see `key glass` for who is; the tenant's stewards name them with `key custodians`",
        "may_read_already" => "nothing has to be broken for that",
        "glass_custodians" => "name two at least with --name, or --none",
        "has_left" => "leave --within out: --secrets-only with --secrets-within DAYS",
        "leaving_times" => "name a time to come; secrets are changed when access has ended, or later",
        "not_leaving" => "see `account list` for who is to leave",
        "second_person_needed" => "name another administrator with --second-login; they type their passphrase",
        "not_another_administrator" => "it has to be somebody else's account, and an administrator's",
        "one_administrator" => "invite another administrator first",
        "token_needed" => {
            "fetch one from the identity provider and name its file with --token-file; `-` is standard input"
        }
        "token_not_asked_for" => "leave the option out; `account list` says who needs tokens",
        "token_used" => "fetch another one from the identity provider: each counts once",
        "token_expired" => {
            "fetch a fresh one from the identity provider; if it is fresh, see whether this computer's clock is right"
        }
        "token_not_yet" => "see whether this computer's clock is right",
        "token_unknown_key" | "token_signature" => {
            "if the provider has changed its keys, an administrator pins the new ones: `account provider set --key-set`"
        }
        "token_malformed" | "token_kind" => "it is one text with two dots, an identity token as the provider gave it",
        "token_algorithm" => {
            "the provider has to sign by RS256, PS256, ES256, ES384 or EdDSA, and to encrypt, if at all, by ECDH-ES and A256GCM"
        }
        "token_encryption" => "the provider takes the key that `account provider show` shows",
        "token_issuer" | "token_audience" => "see `account provider show` for what is pinned",
        "token_subject" => "an administrator sees in `account list --json` what it should say of you",
        "key_set_malformed" | "key_set_no_key" => {
            "take what the provider publishes at the `jwks_uri` of its configuration"
        }
        "key_set_secret" => {
            "the provider's private keys are nobody else's: have them changed, and take its public key set"
        }
        "key_set_needed" => "name it with --key-set",
        "no_provider" => "an administrator pins one with `account provider set`",
        "provider_in_use" => "take their marks away first: `account federate NAME --off`",
        "last_free_administrator" => {
            "one administrator stays without a token, or a provider that fails would shut everybody out: see `account list`"
        }
        "key_file_needed" => "use `account factors --with-key-file`, which changes the passphrase as well",
        "keyring_unusable" => "unlock the keyring of this device and try again; nothing was changed",
        "invalid_personal_code" => "eight groups of five letters and digits, as they were given to you",
        "awaits_rekey" => "a steward of the tenant gives it a new key with `key rotate --pending`",
        _ => return None,
    })
}

fn unlock_words(error: &UnlockError) -> String {
    match error {
        UnlockError::HeldBy(Some(holder)) => {
            format!("the vault is open in {} (process {}) since {}", holder.program, holder.pid, holder.since)
        }
        UnlockError::FactorMissing(missing) => match missing.keyring {
            Some(KeyringError::NotFound) => format!("{error}: the keyring of this device holds none"),
            Some(reason) => format!("{error}: {reason}"),
            None => format!("{error}: no key file was named"),
        },
        _ => error.to_string(),
    }
}

fn recover_words(error: &RecoverError) -> String {
    match error {
        RecoverError::Activate(error) => activate_words(error),
        other => other.to_string(),
    }
}

fn activate_words(error: &ActivateError) -> String {
    match error {
        ActivateError::Unlock(error) => unlock_words(error),
        other => other.to_string(),
    }
}

/// What is the matter with a file, in words rather than the operating system's or a library's.
fn file_words(reason: &io::Error) -> String {
    let words = match reason.kind() {
        ErrorKind::NotFound => "there is no such file or folder",
        ErrorKind::AlreadyExists => "there is something already",
        ErrorKind::PermissionDenied => "you may not",
        ErrorKind::IsADirectory => "it is a folder",
        ErrorKind::NotADirectory => "what should be a folder on the way there is none",
        ErrorKind::InvalidData => "it is not a text in UTF-8",
        ErrorKind::ReadOnlyFilesystem => "nothing can be written there",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "there is no space left",
        _ => return reason.to_string(),
    };
    words.to_owned()
}

/// clap's error without what only programmers understand: commands that are not for people, and how the standard library
/// words that something is no number.
fn usage_words(mut error: clap::Error) -> clap::Error {
    if let Some(ContextValue::Strings(mut known)) = error.remove(ContextKind::ValidSubcommand) {
        known.retain(|name| Cli::command().find_subcommand(name).is_none_or(|command| !command.is_hide_set()));
        error.insert(ContextKind::ValidSubcommand, ContextValue::Strings(known));
    }
    let Some(number) = error.source().and_then(|source| source.downcast_ref::<ParseIntError>()) else { return error };
    let words = match number.kind() {
        IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => "the number is out of bounds",
        _ => "it is not a whole number",
    };
    let said = |kind| error.get(kind).map(ToString::to_string).unwrap_or_default();
    let (value, argument) = (said(ContextKind::InvalidValue), said(ContextKind::InvalidArg));
    Cli::command().error(error.kind(), format!("invalid value '{value}' for '{argument}': {words}"))
}

/// What clap says in its first line, without the word in front of it, and what it lists below.
fn first_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let mut lines = text.lines();
    let line = lines.next().unwrap_or_default();
    let line = line.strip_prefix("error: ").unwrap_or(line);
    if !line.ends_with(':') {
        return line.to_owned();
    }
    let listed: Vec<_> = lines.map_while(|line| line.strip_prefix("  ")).map(str::trim).collect();
    format!("{line} {}", listed.join(", "))
}

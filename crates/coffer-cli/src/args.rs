//! What may stand on the command line. No secret may: passphrases come from a prompt, a file or a descriptor.
//! Answers and codes: docs/command-line.md.

mod life;
mod people;
mod subject;

use std::path::PathBuf;

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use coffer_core::{Split, TWIN_SEED_MAX};
use coffer_model::id::RecordId;
use coffer_model::record::RecordKind;

pub use life::{LifeCommand, ListArgs, MoveArgs};
pub use people::{
    AccountCommand, CodeArgs, FactorArgs, FederateArgs, GrantCommand, KeyCommand, PolicyArgs, PolicyCommand,
    ProviderArgs, ProviderCommand, RecoveryArgs, SecondFactorCommand, WhichKey,
};
pub use subject::{SubjectArgs, SubjectCommand};

/// Keeps other organisations' data on this computer, encrypted, by tenant, with a log of every access.
#[derive(Parser, Debug)]
#[command(name = "coffer", version, max_term_width = 100, arg_required_else_help = true, after_help = ROOT_EXAMPLES)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Where a new file is to be. Where something is read, `-` is a stream; nothing is written to one, nor to a file of that name.
fn new_file() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| {
        if path.as_os_str() == "-" { Err("nothing is written to a stream: name a new file") } else { Ok(path) }
    })
}

const ROOT_EXAMPLES: &str = "\
Examples:
  coffer --vault clients.coffer --login ines vault create --kit kit.txt
  coffer --vault clients.coffer --login ines tenant create \"ACME GmbH\"
  coffer --vault clients.coffer --login ines import contacts.csv --tenant \"ACME GmbH\"
  coffer --vault clients.coffer backup export clients.age
  coffer demo somewhere

Exit codes: 0 done, 1 refused or not found, 2 wrong usage, 3 damaged vault, backup or log,
70 a bug in Coffer, 130 interrupted.";

/// Where, who and how to answer. Every option may stand before or after the command.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "For every command")]
pub struct Global {
    /// The vault's folder.
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub vault: Option<PathBuf>,
    /// Login name of the account.
    #[arg(long, global = true, value_name = "NAME")]
    pub login: Option<String>,
    /// File whose first line is the passphrase; `-` is standard input. Without it the terminal asks.
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub passphrase_file: Option<PathBuf>,
    /// Descriptor already open for reading whose first line is the passphrase.
    #[arg(long, global = true, value_name = "N", conflicts_with = "passphrase_file")]
    pub passphrase_fd: Option<u16>,
    /// Key file of the account, if it has one.
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub key_file: Option<PathBuf>,
    /// Code of the account's second factor, if it has one: from the authenticator, or a spare code. Counts once.
    #[arg(long, global = true, value_name = "CODE")]
    pub code: Option<String>,
    /// File with a fresh token of the identity provider, for an account that needs one; `-` is one line of standard input,
    /// after the passphrase if that comes from there, too. Counts once.
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub token_file: Option<PathBuf>,
    /// File whose first line is the personal recovery code, in place of passphrase and key factors.
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["passphrase_file", "passphrase_fd"])]
    pub personal_code_file: Option<PathBuf>,
    /// Answer in JSON, errors included. The shapes are stable (docs/command-line.md).
    #[arg(long, global = true)]
    pub json: bool,
    #[command(flatten)]
    pub second: SecondArgs,
}

/// Another administrator, for what takes two by the rules of the vault.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "For what takes two people")]
pub struct SecondArgs {
    /// Login name of the other administrator.
    #[arg(id = "second_login", long = "second-login", global = true, value_name = "NAME")]
    pub login: Option<String>,
    /// File whose first line is their passphrase. Without it the terminal asks.
    #[arg(id = "second_passphrase_file", long = "second-passphrase-file", global = true, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "second_login")]
    pub passphrase_file: Option<PathBuf>,
    /// Their key file, if they have one.
    #[arg(id = "second_key_file", long = "second-key-file", global = true, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "second_login")]
    pub key_file: Option<PathBuf>,
    /// Code of their second factor, if they have one.
    #[arg(id = "second_code", long = "second-code", global = true, value_name = "CODE", requires = "second_login")]
    pub code: Option<String>,
    /// File with a fresh token of the identity provider, if they need one; `-` is one line of standard input.
    #[arg(id = "second_token_file", long = "second-token-file", global = true, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "second_login")]
    pub token_file: Option<PathBuf>,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Create a vault, or say what one is.
    #[command(
        subcommand,
        after_help = "Examples:\n  coffer --vault clients.coffer --login ines vault create --kit kit.txt\n  coffer --vault clients.coffer vault show"
    )]
    Vault(VaultCommand),
    /// The organisations whose data the vault holds.
    #[command(
        subcommand,
        after_help = "Examples:\n  coffer … tenant create \"ACME GmbH\"\n  coffer … tenant list --json"
    )]
    Tenant(TenantCommand),
    /// Who may unlock the vault: inviting, roles, passphrases, leaving.
    #[command(
        subcommand,
        after_help = "Examples:\n  coffer … account invite otto --role member\n  coffer --vault clients.coffer account activate --code-file code.txt\n  coffer … account list\n  coffer … account offboard otto --now"
    )]
    Account(AccountCommand),
    /// Who may do what with which tenant.
    #[command(
        subcommand,
        after_help = "Examples:\n  coffer … grant add otto --tenant ACME --right reader\n  coffer … grant list --tenant ACME\n  coffer … grant withdraw otto --tenant ACME"
    )]
    Grant(GrantCommand),
    /// Keys that have to change because somebody left, and changing them.
    #[command(
        subcommand,
        after_help = "Examples:\n  coffer … key pending\n  coffer … key rotate --pending\n  coffer … key renew-recovery --kit kit-2.txt\n  coffer … key accept-recovery --words \"six words from the new kit\""
    )]
    Key(KeyCommand),
    /// The rules of the vault: second factors, what is asked anew, what takes two people.
    #[command(
        subcommand,
        after_help = "Examples:\n  coffer … policy show\n  coffer … policy set --second-factor administrator --second-factor auditor --two-people export"
    )]
    Policy(PolicyCommand),
    /// Add, change, list and show records.
    #[command(
        subcommand,
        after_help = "Examples:\n  coffer … record add --tenant ACME --title \"VPN gateway\" --field user=svc --field-prompt password\n  coffer … record list --tenant ACME --limit 20\n  coffer … record show ID --reveal password"
    )]
    Record(RecordCommand),
    /// Files kept with records.
    #[command(
        subcommand,
        after_help = "Examples:\n  coffer … file attach ID runbook.pdf floor-plan.png\n  coffer … file list ID\n  coffer … file save ID runbook.pdf /media/usb/runbook.pdf"
    )]
    File(FileCommand),
    /// Kinds of records: what a new one starts with.
    #[command(
        subcommand,
        after_help = "Examples:\n  coffer … kind list\n  coffer … kind add door-code.toml\n  coffer … kind remove door_code\n\nA template is a TOML file; docs/command-line.md says what may stand in it."
    )]
    Kind(KindCommand),
    /// Make a password or passphrase by chance. Needs no vault.
    #[command(
        subcommand,
        after_help = "Examples:\n  coffer generate passphrase --words 6\n  coffer generate password --length 24 --without symbols --unambiguous"
    )]
    Generate(GenerateCommand),
    /// Import a file of another program into a tenant, the whole of it or nothing.
    Import(ImportArgs),
    /// Write a tenant's records to a file that other programs read. Its steward's passphrase is asked for again.
    Export(ExportArgs),
    /// Find records by words, phrases, tags, kinds, fields and days; keep searches under names.
    Search(SearchArgs),
    /// A person in a tenant's data: found, handed over, erased.
    #[command(
        subcommand,
        after_help = "Examples:\n  coffer … subject find --tenant ACME \"Anna Schmidt\"\n  coffer … subject export --tenant ACME --identifiers-file anna.txt --to anna.tar\n  coffer … subject erase --tenant ACME --identifiers-file anna.txt"
    )]
    Subject(SubjectCommand),
    /// Encrypted backups: made even while the vault is locked.
    #[command(
        subcommand,
        after_help = "Examples:\n  coffer --vault clients.coffer backup export /mnt/usb/clients.age\n  coffer --vault clients.coffer backup verify /mnt/usb/clients.age\n  coffer backup restore clients.age --kit kit.txt --to restored.coffer\n\nOn the device that made a backup its own key opens it; elsewhere the recovery kit does."
    )]
    Backup(BackupCommand),
    /// The log of every access. Auditors read it.
    #[command(
        subcommand,
        after_help = "Examples:\n  coffer … log list --limit 20\n  coffer … log verify && echo in order\n  coffer … log export log.jsonl"
    )]
    Log(LogCommand),
    /// What protects this vault on this computer, and what does not.
    #[command(after_help = "Example:\n  coffer --vault clients.coffer doctor")]
    Doctor,
    /// Make a vault of invented data and run the main job on it, saying each step.
    #[command(
        after_help = "Example:\n  coffer demo somewhere\n  coffer --vault somewhere/demo.coffer --login demo --passphrase-file somewhere/passphrase.txt tenant list"
    )]
    Demo {
        /// An existing or new folder; `demo.coffer` and `passphrase.txt` are made in it.
        #[arg(value_hint = ValueHint::DirPath)]
        dir: PathBuf,
    },
    /// Unlock once, then take commands line by line from standard input.
    #[command(
        after_help = "Example:\n  printf '%s\\n' 'tenant create \"ACME GmbH\"' 'import contacts.csv --tenant \"ACME GmbH\"' |\n    coffer --vault clients.coffer --login ines --passphrase-file pw.txt shell\n\nLines are split into words as a POSIX shell does, with quotes and backslashes; nothing is expanded.\nEmpty lines and lines that begin with # are passed over; `exit` ends. Read from a pipe, the first\nerror ends it, with that error's exit code. With --json every answer is one line."
    )]
    Shell,
    /// Print the completion script of a shell.
    #[command(after_help = "Example:\n  coffer completions bash > ~/.local/share/bash-completion/completions/coffer")]
    Completions {
        /// Which shell.
        shell: Shell,
    },
    /// Write the manual pages into a folder.
    #[command(hide = true)]
    Man {
        /// An existing folder.
        #[arg(value_hint = ValueHint::DirPath)]
        dir: PathBuf,
    },
}

#[derive(Subcommand, Debug)]
pub enum VaultCommand {
    /// Create a vault at --vault for the founder --login. If anything fails, nothing is left behind.
    #[command(
        after_help = "Examples:\n  coffer --vault clients.coffer --login ines vault create --kit kit.txt\n  coffer --vault clients.coffer --login ines vault create --shares 3/5 --kit shares"
    )]
    Create {
        /// New file for the recovery kit; with --shares a new folder for its shares. Print it, or move it to a medium that
        /// is locked away.
        #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
        kit: PathBuf,
        /// Split recovery: any M of N shares together do what the kit does, fewer do nothing. 2 ≤ M ≤ N ≤ 16.
        #[arg(long, value_name = "M/N")]
        shares: Option<Split>,
    },
    /// What can be said of the vault while it is locked.
    Show,
    /// Check that every tenant's file is as it was locked. Needs an account, but no right on any tenant.
    Check,
    /// Accept a copy of the vault that is older than this computer knew it, or another one. The log says so.
    AcceptOlder,
    /// Move the vault to another computer: write it to a file and use the copy here no more.
    #[command(
        after_help = "Examples:\n  coffer --vault clients.coffer --login ines vault move /media/stick/clients.age\n  coffer backup restore /media/stick/clients.age --kit kit.txt --to clients.coffer\n  coffer --vault clients.coffer --login ines vault move --take-back\n\nThe second command is for the other computer; an administrator unlocks the vault there first. If the move was\nstopped, or its file is lost, repeat it with another file. Take it back only if the vault was not unlocked on the\nother computer: there would be two vaults from then on, which nothing brings together again."
    )]
    Move {
        /// New file for the vault, encrypted as every backup is.
        #[arg(
            value_name = "FILE",
            value_hint = ValueHint::AnyPath,
            value_parser = new_file(),
            required_unless_present = "take_back"
        )]
        file: Option<PathBuf>,
        /// Use the copy here again after all. The log says so.
        #[arg(long, conflicts_with = "file")]
        take_back: bool,
    },
}

#[derive(Subcommand, Debug)]
pub enum TenantCommand {
    /// Create a tenant; this account becomes its steward.
    Create {
        /// The organisation's name.
        name: String,
    },
    /// The tenants this account may read.
    List,
    /// Make a redacted twin: another tenant with as many records, versions and files, in which everything is invented.
    #[command(
        after_help = "Example:\n  coffer … tenant twin ACME \"ACME for tests\" --seed 4711\n\nNo value of the tenant, and no eight letters or digits in a row of it, are in the twin, which is marked as\ninvented data. The same seed makes the same twin of the same records."
    )]
    Twin {
        /// Name or identifier of the tenant.
        source: String,
        /// What the twin is to be called.
        name: String,
        /// A number by which everything is invented; drawn, and told, if none is given.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=TWIN_SEED_MAX))]
        seed: Option<u64>,
    },
    /// A tenant's tags, with how many records have each.
    Tags {
        /// Name or identifier of the tenant.
        tenant: String,
    },
    /// Make a tag another one on every record that has it, in one step. Each gets a new version.
    #[command(after_help = "Example:\n  coffer … tenant rename-tag ACME db database")]
    RenameTag {
        /// Name or identifier of the tenant.
        tenant: String,
        /// The tag, in whatever case.
        tag: String,
        /// What it becomes. A tag that is there already takes the records in.
        new: String,
    },
    /// Take a tag from every record that has it, in one step. Each gets a new version.
    RemoveTag {
        /// Name or identifier of the tenant.
        tenant: String,
        /// The tag, in whatever case.
        tag: String,
    },
}

#[derive(Subcommand, Debug)]
pub enum RecordCommand {
    /// Add a record.
    #[command(
        after_help = "Examples:\n  coffer … record add --tenant ACME --title \"VPN gateway\" --field user=svc --field-prompt password\n  coffer … record add --tenant ACME --title Ines --kind contact --field \"Born:date=1990-05-01\"\n\nA field's type is guessed from its name (password, e-mail, phone, url …) unless NAME:TYPE says it:\ntext, secret, multiline, email, phone, url, date, number, totp, choice, reference, expiry.\nOther users of this computer can see a running program's arguments: give secrets by --field-prompt\nor --field-file."
    )]
    Add {
        /// Name or identifier of the tenant.
        #[arg(long, value_name = "T")]
        tenant: String,
        #[command(flatten)]
        content: RecordArgs,
    },
    /// Change a record. What is not named stays; the version before is kept.
    #[command(
        after_help = "Examples:\n  coffer … record edit ID --title \"VPN gateway 2\" --field host=gw2.acme.example\n  coffer … record edit ID --field-prompt password --version 3"
    )]
    Edit {
        /// The record.
        id: RecordId,
        #[command(flatten)]
        content: RecordEdit,
    },
    /// List a tenant's records, or what is in its trash.
    #[command(
        after_help = "Examples:\n  coffer … record list --tenant ACME --limit 20\n  coffer … record list --tenant ACME --sort changed --favourites\n  coffer … record list --tenant ACME --trash\n  coffer … --json record list --tenant ACME --limit 1000 --full --after CURSOR"
    )]
    List {
        /// Name or identifier of the tenant.
        #[arg(long, value_name = "T")]
        tenant: String,
        /// Most records, 1 to 1000.
        #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        /// Where the page begins: `next` of the page before.
        #[arg(long, value_name = "CURSOR")]
        after: Option<String>,
        /// Records passed over before the page begins.
        #[arg(long, default_value_t = 0, value_name = "N", conflicts_with = "full")]
        skip: u64,
        /// Open every record of the page: fields, tags and notes, secrets masked. Logged as one opening of the page.
        #[arg(long)]
        full: bool,
        #[command(flatten)]
        which: ListArgs,
    },
    /// Show a record, secrets masked.
    #[command(after_help = "Example:\n  coffer … record show ID --reveal password")]
    Show {
        /// The record.
        id: RecordId,
        /// Show the value of this secret, too: the field's name or number. May be repeated. It is logged.
        #[arg(long, value_name = "FIELD")]
        reveal: Vec<String>,
    },
    /// Who changed what when. Secrets are named, not shown.
    History {
        /// The record.
        id: RecordId,
    },
    /// Show the one-time code of this moment, not the seed it is made from. It is logged.
    #[command(after_help = "Example:\n  coffer … record code ID \"One-time code\"")]
    Code {
        /// The record.
        id: RecordId,
        /// The field's name or number.
        field: String,
    },
    /// What ends soon or has ended, in every tenant this account may read.
    #[command(after_help = "Example:\n  coffer … record expiring --days 90")]
    Expiring {
        /// Days to look ahead.
        #[arg(long, default_value_t = 30, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=36_500))]
        days: u32,
    },
    /// Which secrets of a tenant are weak, used more than once or old, and what has expired. Shows none of them.
    #[command(after_help = "Example:\n  coffer … record health --tenant ACME")]
    Health {
        /// Name or identifier of the tenant.
        #[arg(long, value_name = "T")]
        tenant: String,
    },
    #[command(flatten)]
    Life(LifeCommand),
}

#[derive(Subcommand, Debug)]
pub enum KindCommand {
    /// Every kind with its fields: those of every vault, then this vault's own.
    List,
    /// Give the vault a kind of its own, or a kind it has another template. For administrators.
    Add {
        /// The template, TOML.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Take a kind of the vault's own away. Records of the kind stay as they are.
    Remove {
        /// The kind's name in records.
        kind: RecordKind,
    },
}

#[derive(Subcommand, Debug)]
pub enum GenerateCommand {
    /// Words of the EFF's long list, about 13 bits each.
    #[command(after_help = "Example:\n  coffer generate passphrase --words 6 --separator -")]
    Passphrase {
        /// Words, 3 to 24.
        #[arg(long, default_value_t = 6, value_name = "N")]
        words: usize,
        /// What stands between them: a space or one of - . _ ,
        #[arg(long, default_value_t = '-', value_name = "C", allow_hyphen_values = true)]
        separator: char,
        /// Begin each word with a capital.
        #[arg(long)]
        capitals: bool,
    },
    /// Small and capital letters, digits and signs, at least one of each.
    #[command(after_help = "Example:\n  coffer generate password --length 24 --without symbols")]
    Password {
        /// Characters, 4 to 256.
        #[arg(long, default_value_t = 20, value_name = "N")]
        length: usize,
        /// Leave a kind of characters out. May be repeated.
        #[arg(long, value_name = "KIND")]
        without: Vec<Class>,
        /// None that is easily taken for another, such as 0 and O.
        #[arg(long)]
        unambiguous: bool,
    },
}

/// A kind of characters.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// a–z
    Lower,
    /// A–Z
    Upper,
    /// 0–9
    Digits,
    /// Signs
    Symbols,
}

#[derive(Subcommand, Debug)]
pub enum FileCommand {
    /// Attach files to a record, each under its own name. The record gets a new version for each.
    #[command(after_help = "Example:\n  coffer … file attach ID runbook.pdf floor-plan.png")]
    Attach {
        /// The record.
        id: RecordId,
        /// The files.
        #[arg(required = true, value_name = "PATH", value_hint = ValueHint::FilePath)]
        paths: Vec<PathBuf>,
    },
    /// List a record's files.
    List {
        /// The record.
        id: RecordId,
    },
    /// Decrypt an attached file into a new file, which nobody else on this computer may read. It is logged.
    #[command(
        after_help = "Examples:\n  coffer … file save ID runbook.pdf runbook.pdf\n  coffer … file save ID 3 earlier-runbook.pdf\n\nA number names an attachment of earlier versions, too."
    )]
    Save {
        /// The record.
        id: RecordId,
        /// The attachment's name or number.
        name: String,
        /// A file that does not exist yet.
        #[arg(value_hint = ValueHint::FilePath, value_parser = new_file())]
        out: PathBuf,
    },
    /// Take a file off a record. Earlier versions of the record keep it.
    Detach {
        /// The record.
        id: RecordId,
        /// The attachment's name or number.
        name: String,
    },
}

/// A whole record.
#[derive(Args, Debug)]
pub struct RecordArgs {
    /// One line by which people know it.
    #[arg(long, value_name = "X")]
    pub title: String,
    /// What it is about: login, contact, note, server …
    #[arg(long, default_value = "custom")]
    pub kind: RecordKind,
    #[command(flatten)]
    pub fields: FieldArgs,
    /// A tag. May be repeated.
    #[arg(long, value_name = "TAG")]
    pub tag: Vec<String>,
    /// Notes.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub notes: String,
}

/// What to change of a record.
#[derive(Args, Debug)]
pub struct RecordEdit {
    /// New title.
    #[arg(long, value_name = "X")]
    pub title: Option<String>,
    /// New kind.
    #[arg(long)]
    pub kind: Option<RecordKind>,
    #[command(flatten)]
    pub fields: FieldArgs,
    /// Remove a field by its name. May be repeated.
    #[arg(long, value_name = "NAME")]
    pub remove_field: Vec<String>,
    /// Replace all tags. May be repeated; `--tag ""` alone leaves none.
    #[arg(long, value_name = "TAG")]
    pub tag: Option<Vec<String>>,
    /// New notes.
    #[arg(long)]
    pub notes: Option<String>,
    /// Refuse unless the record is still at this version.
    #[arg(long, value_name = "V")]
    pub version: Option<u32>,
}

impl RecordEdit {
    /// Whether it names nothing to change.
    pub fn changes_nothing(&self) -> bool {
        let Self { title, kind, fields, remove_field, tag, notes, version: _ } = self;
        let FieldArgs { fields, field_files, field_prompts } = fields;
        title.is_none()
            && kind.is_none()
            && tag.is_none()
            && notes.is_none()
            && [fields, field_files, field_prompts, remove_field].into_iter().all(Vec::is_empty)
    }
}

/// Fields of a record.
#[derive(Args, Debug)]
pub struct FieldArgs {
    /// A field; NAME may be NAME:TYPE. May be repeated.
    #[arg(long = "field", value_name = "NAME=VALUE")]
    pub fields: Vec<String>,
    /// A field whose value is in a file; `-` is standard input. May be repeated.
    #[arg(long = "field-file", value_name = "NAME=FILE")]
    pub field_files: Vec<String>,
    /// A field whose value the terminal asks for, unseen; a secret unless NAME:TYPE says otherwise. May be repeated.
    #[arg(long = "field-prompt", value_name = "NAME")]
    pub field_prompts: Vec<String>,
}

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  coffer … import contacts.csv --tenant ACME --dry-run\n  coffer … import contacts.csv --tenant ACME --map \"Company=title\" --map \"Mobile=Phone:phone\"\n  coffer … import old.kdbx --tenant ACME --source-passphrase-file pw.txt --duplicates skip\n  coffer … import acme.tar --tenant \"ACME GmbH\"\n  coffer … import acme.tar.age --tenant \"ACME GmbH\" --source-identity-file key.txt\n\nThe format is told by the content. FIELD is title, kind, tags, notes, tenant, skip, or the name of a\nfield, as NAME or NAME:TYPE; docs/FORMAT.md, \"Import\", has the rules."
)]
pub struct ImportArgs {
    /// The file.
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Name or identifier of the tenant.
    #[arg(long, value_name = "T")]
    pub tenant: String,
    /// The format it must have; without it, whichever the content shows.
    #[arg(long, value_parser = ["csv", "kdbx", "bitwarden", "1pux", "archive"], value_name = "F")]
    pub format: Option<String>,
    /// Where a table's column goes. May be repeated; other columns are understood by their headers.
    #[arg(long, value_name = "COLUMN=FIELD")]
    pub map: Vec<String>,
    /// A file whose first line is the passphrase that opens the file to import; `-` is standard input.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub source_passphrase_file: Option<PathBuf>,
    /// The key file that opens the file to import (KDBX), or the identity file of age that opens an archive.
    #[arg(long, visible_alias = "source-identity-file", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub source_key_file: Option<PathBuf>,
    /// What happens to records of the same kind, title, user name and URL as one the tenant has.
    #[arg(long, value_name = "D", default_value = "import", value_parser = ["import", "skip"])]
    pub duplicates: String,
    /// Check everything and write nothing.
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  coffer … export acme.kdbx --tenant ACME --format kdbx --export-passphrase-file new.txt\n  coffer … export acme.csv --tenant ACME --format csv\n  coffer … export acme.tar --tenant ACME --format archive --confirm ACME\n  coffer … export acme.tar.age --tenant ACME --format archive --recipient age1…\n\nA CSV file, and an archive without a recipient, hold every secret readable. An archive holds everything a\ntenant has, with its history, attachments and trash; stock tools read it, and `import` takes it in again.\nOnly a tenant's steward may export; it is logged."
)]
pub struct ExportArgs {
    /// A file that does not exist yet.
    #[arg(value_hint = ValueHint::FilePath, value_parser = new_file())]
    pub file: PathBuf,
    /// Name or identifier of the tenant.
    #[arg(long, value_name = "T")]
    pub tenant: String,
    /// Its format: csv is readable by anybody, kdbx is encrypted and opened by KeePass's kin, archive is everything.
    #[arg(long, value_parser = ["csv", "kdbx", "archive"], value_name = "F")]
    pub format: String,
    /// A file whose first line is the passphrase that will open the KDBX file; `-` is standard input.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub export_passphrase_file: Option<PathBuf>,
    /// Who can open the archive: a public key of age. May be repeated; without one anybody can.
    #[arg(long = "recipient", value_name = "KEY")]
    pub recipients: Vec<String>,
    /// The tenant's name once more, before an archive is written that anybody can read; else the terminal asks.
    #[arg(long, value_name = "NAME")]
    pub confirm: Option<String>,
}

#[derive(Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:\n  coffer … search harbour gat\n  coffer … search \"müller\" --tenant ACME --json\n  coffer … search 'tag:network -kind:note after:2026-01-01'\n  coffer … search --tenant ACME -- -tag:network\n  coffer … search 'field:host=db1' --save databases --tenant ACME\n  coffer … search --saved databases --tenant ACME\n\n  word word      both; the last as a beginning of two letters or more\n  \"two words\"    one after the other\n  tag:x          has the tag                kind:login     is of the kind\n  field:name     has a field of the name    field:name=value   and it says that\n  before:2026-01-31  after:2026-01-01       last changed before, or on and after, the day (UTC)\n  -              before any of these: without what follows\n\nCase and accents do not matter. Parts of serial and telephone numbers are found from three digits\non. Secrets are not searched. The words list-saved, rename-saved and remove-saved at the beginning\nare commands. docs/finding.md explains it all."
)]
pub struct SearchArgs {
    /// What to look for.
    #[arg(num_args = 1.., required_unless_present = "saved")]
    pub query: Vec<String>,
    /// Only this tenant (name or identifier).
    #[arg(long, value_name = "T")]
    pub tenant: Option<String>,
    /// Most records, 1 to 500, shared fairly among tenants.
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=500))]
    pub limit: u32,
    /// Keep the search under this name, for this tenant or for all.
    #[arg(long, value_name = "NAME", requires = "query")]
    pub save: Option<String>,
    /// Run the search kept under this name, for this tenant or for all.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["query", "save"])]
    pub saved: Option<String>,
    #[command(subcommand)]
    pub command: Option<SavedSearchCommand>,
}

#[expect(clippy::enum_variant_names, reason = "clap makes the commands' names of them")]
#[derive(Subcommand, Debug)]
pub enum SavedSearchCommand {
    /// The searches this account has kept.
    ListSaved,
    /// Give a kept search another name.
    RenameSaved {
        /// Its name.
        name: String,
        /// The new name.
        new: String,
        /// The tenant it searches; without it, one that searches all.
        #[arg(long, value_name = "T")]
        tenant: Option<String>,
    },
    /// Remove a kept search.
    RemoveSaved {
        /// Its name.
        name: String,
        /// The tenant it searches; without it, one that searches all.
        #[arg(long, value_name = "T")]
        tenant: Option<String>,
    },
}

#[derive(Subcommand, Debug)]
pub enum BackupCommand {
    /// Write a backup of the whole vault. Without --login it is made locked, by this device.
    #[command(after_help = "Example:\n  coffer --vault clients.coffer backup export /mnt/usb/clients.age")]
    Export {
        /// A file that does not exist yet.
        #[arg(value_hint = ValueHint::FilePath, value_parser = new_file())]
        file: PathBuf,
    },
    /// Check a backup, every byte of it. Writes nothing.
    #[command(
        after_help = "Examples:\n  coffer --vault clients.coffer backup verify clients.age\n  coffer backup verify clients.age --kit kit.txt"
    )]
    Verify {
        /// The backup.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        #[command(flatten)]
        key: BackupKey,
    },
    /// Restore a backup into a new folder, the whole of it or nothing.
    #[command(
        after_help = "Examples:\n  coffer --vault clients.coffer backup restore clients.age --to restored.coffer\n  coffer backup restore clients.age --kit kit.txt --to restored.coffer\n  coffer backup restore clients.age --share one.html --share two.txt --to restored.coffer"
    )]
    Restore {
        /// The backup.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// The new vault's folder, which must not exist.
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        to: PathBuf,
        /// Accept a backup although a newer one is known. It is logged.
        #[arg(long)]
        accept_older: bool,
        #[command(flatten)]
        key: BackupKey,
    },
    /// The backups made of this vault, newest first, as their receipts say.
    List,
    /// Give this device a key for the vault, if it has none: it then makes backups while the vault is locked.
    #[command(after_help = "Example:\n  coffer --vault clients.coffer --login ines backup enrol")]
    Enrol,
}

/// What opens a backup's outer layer.
#[derive(Args, Debug)]
pub struct BackupKey {
    /// The recovery kit's file. Without it, or shares of it, this device's own key for the vault at --vault is used.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "share")]
    pub kit: Option<PathBuf>,
    /// A share of recovery, or a file with its code; repeated for each.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub share: Vec<PathBuf>,
}

#[derive(Subcommand, Debug)]
pub enum LogCommand {
    /// Entries, newest first. Reading is an entry, too.
    List {
        /// Most entries, 1 to 1000.
        #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        /// Only entries before this one: `next_before` of the page before.
        #[arg(long, value_name = "INDEX")]
        before: Option<u64>,
    },
    /// Check that nothing was edited, reordered, removed or cut off. Exit code 3 if something was.
    Verify,
    /// Go on with a log that does not fit its own state any more: in a new segment, which says so for ever. Only after
    /// damage, or when somebody put an old file back; where the log is in order nothing happens.
    Restart,
    /// Write every entry to a new file, one JSON object a line, oldest first.
    Export {
        /// A file that does not exist yet.
        #[arg(value_hint = ValueHint::FilePath, value_parser = new_file())]
        file: PathBuf,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_noun_has_examples_and_every_argument_its_words() {
        fn look(command: &clap::Command, path: &str, depth: usize) {
            let path = format!("{path} {}", command.get_name());
            assert!(command.get_about().is_some(), "{path}");
            if depth == 1 && !command.is_hide_set() {
                let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(after.contains("Example"), "{path}");
            }
            for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
                assert!(argument.get_help().is_some(), "{path} {}", argument.get_id());
            }
            command.get_subcommands().for_each(|below| look(below, &path, depth + 1));
        }
        look(&Cli::command(), "", 0);
    }

    #[test]
    fn options_for_every_command_stand_before_or_after_the_noun() {
        let before =
            Cli::try_parse_from(["coffer", "--vault", "v", "--login", "i", "--json", "tenant", "list"]).unwrap();
        let after =
            Cli::try_parse_from(["coffer", "tenant", "list", "--json", "--login", "i", "--vault", "v"]).unwrap();
        assert_eq!(format!("{before:?}"), format!("{after:?}"));
    }
}

//! What may stand on the command line. No secret may: passphrases come from a prompt, a file or a descriptor.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use coffer_model::id::RecordId;
use coffer_model::record::RecordKind;

/// Keeps other organisations' data on this computer, encrypted, by tenant, with a log of every access.
#[derive(Parser, Debug)]
#[command(name = "coffer", version, max_term_width = 100, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Where, who and how to answer.
#[derive(Args, Debug, Clone)]
pub struct Global {
    /// The vault's folder.
    #[arg(long, global = true, value_name = "DIR")]
    pub vault: Option<PathBuf>,
    /// Login name of the account.
    #[arg(long, global = true, value_name = "NAME")]
    pub login: Option<String>,
    /// File whose first line is the passphrase; `-` is standard input. Without it the terminal asks.
    #[arg(long, global = true, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Descriptor already open for reading whose first line is the passphrase.
    #[arg(long, global = true, value_name = "N", conflicts_with = "passphrase_file")]
    pub passphrase_fd: Option<i32>,
    /// Answer in JSON. The shapes are stable.
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Create a vault, or say what one is.
    #[command(subcommand)]
    Vault(VaultCommand),
    /// The organisations whose data the vault holds.
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Add, list, show and change records.
    #[command(subcommand)]
    Record(RecordCommand),
    /// Import a CSV file into a tenant, the whole of it or nothing.
    Import(ImportArgs),
    /// Find records by words: each must match, the last as a beginning.
    Search(SearchArgs),
    /// Encrypted backups: made even while the vault is locked.
    #[command(subcommand)]
    Backup(BackupCommand),
    /// The log of every access.
    #[command(subcommand)]
    Log(LogCommand),
    /// What protects this vault on this computer, and what does not.
    Doctor,
    /// Make a vault of invented data and run the main job on it, saying each step.
    Demo {
        /// An existing or new folder; `demo.coffer` and `passphrase.txt` are made in it.
        dir: PathBuf,
    },
    /// Unlock once, then take commands line by line from standard input.
    Shell,
}

#[derive(Subcommand, Debug)]
pub enum VaultCommand {
    /// Create a vault at --vault for the founder --login.
    #[command(after_help = "Example:\n  coffer --vault clients.coffer --login ines vault create --kit kit.txt")]
    Create {
        /// New file for the recovery kit. Print it, or move it to a medium that is locked away.
        #[arg(long, value_name = "FILE")]
        kit: PathBuf,
    },
    /// What can be said of the vault while it is locked.
    Show,
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
}

#[derive(Subcommand, Debug)]
pub enum RecordCommand {
    /// Add a record.
    #[command(
        after_help = "Examples:\n  coffer … record add --tenant ACME --title \"VPN gateway\" --field user=svc --field-file password=pw.txt\n  coffer … record add --tenant ACME --title Ines --kind contact --field \"Born:date=1990-05-01\"\n\nA field's type is guessed from its name (password, e-mail, phone, url …) unless NAME:TYPE says it:\ntext, secret, multiline, email, phone, url, date, number.\nOther users of this computer can see a running program's arguments: give secrets by --field-file."
    )]
    Add {
        /// Name or identifier of the tenant.
        #[arg(long, value_name = "T")]
        tenant: String,
        #[command(flatten)]
        content: RecordArgs,
    },
    /// Change a record. What is not named stays; the version before is kept.
    Edit {
        /// The record.
        id: RecordId,
        #[command(flatten)]
        content: RecordEdit,
    },
    /// List a tenant's records in the order of their titles.
    List {
        /// Name or identifier of the tenant.
        #[arg(long, value_name = "T")]
        tenant: String,
        /// Most records of this page.
        #[arg(long, default_value_t = 100, value_name = "N")]
        limit: u32,
        /// Where the page begins: `next` of the page before.
        #[arg(long, value_name = "CURSOR")]
        after: Option<String>,
        /// Open every record: fields, tags and notes, secrets masked.
        #[arg(long)]
        full: bool,
    },
    /// Show a record, secrets masked.
    Show {
        /// The record.
        id: RecordId,
        /// Show the value of this field, too (name or number). May be repeated. It is logged.
        #[arg(long, value_name = "FIELD")]
        reveal: Vec<String>,
    },
    /// Who changed what when.
    History {
        /// The record.
        id: RecordId,
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
    #[arg(long, default_value = "")]
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
    /// Replace all tags. May be repeated.
    #[arg(long, value_name = "TAG")]
    pub tag: Option<Vec<String>>,
    /// New notes.
    #[arg(long)]
    pub notes: Option<String>,
    /// Refuse unless the record is still at this version.
    #[arg(long, value_name = "V")]
    pub version: Option<u32>,
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
}

#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  coffer … import contacts.csv --tenant ACME --map \"Company=title\" --map \"Mobile=Phone:phone\" --dry-run\n\nFIELD is title, kind, tags, notes, skip, or the name of a field, as NAME or NAME:TYPE."
)]
pub struct ImportArgs {
    /// The file.
    pub file: PathBuf,
    /// Name or identifier of the tenant.
    #[arg(long, value_name = "T")]
    pub tenant: String,
    /// Its format.
    #[arg(long, default_value = "csv", value_parser = ["csv"])]
    pub format: String,
    /// Where a column goes. May be repeated; other columns are understood by their headers.
    #[arg(long, value_name = "COLUMN=FIELD")]
    pub map: Vec<String>,
    /// Check every row and write nothing.
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Args, Debug)]
pub struct SearchArgs {
    /// Words.
    #[arg(required = true, num_args = 1..)]
    pub query: Vec<String>,
    /// Only this tenant (name or identifier).
    #[arg(long, value_name = "T")]
    pub tenant: Option<String>,
    /// Most records of each tenant.
    #[arg(long, default_value_t = 50, value_name = "N")]
    pub limit: u32,
}

#[derive(Subcommand, Debug)]
pub enum BackupCommand {
    /// Write a backup of the whole vault. Without --login it is made locked, by this device.
    Export {
        /// A file that does not exist yet.
        file: PathBuf,
    },
    /// Check a backup, every byte of it. Writes nothing.
    Verify {
        file: PathBuf,
        #[command(flatten)]
        key: BackupKey,
    },
    /// Restore a backup into a new folder, the whole of it or nothing.
    Restore {
        file: PathBuf,
        /// The new vault's folder, which must not exist.
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
        /// Accept a backup although a newer one is known. It is logged.
        #[arg(long)]
        accept_older: bool,
        #[command(flatten)]
        key: BackupKey,
    },
    /// The backups made of this vault, newest first.
    List,
}

/// What opens a backup's outer layer.
#[derive(Args, Debug)]
pub struct BackupKey {
    /// The recovery kit's file. Without it this device's own key is used.
    #[arg(long, value_name = "FILE")]
    pub kit: Option<PathBuf>,
}

#[derive(Subcommand, Debug)]
pub enum LogCommand {
    /// Entries, newest first.
    List {
        /// Most entries.
        #[arg(long, default_value_t = 50, value_name = "N")]
        limit: u32,
        /// Only entries before this one.
        #[arg(long, value_name = "INDEX")]
        before: Option<u64>,
    },
    /// Check that nothing was edited, reordered, removed or cut off.
    Verify,
    /// Write every entry to a new file, one JSON object a line, oldest first.
    Export {
        /// A file that does not exist yet.
        file: PathBuf,
    },
}

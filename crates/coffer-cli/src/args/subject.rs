//! `coffer subject`: a person in a tenant's data.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};
use coffer_model::id::RecordId;

/// A person, and whose data is looked through.
#[derive(Args, Debug)]
pub struct SubjectArgs {
    /// A name, an e-mail address, a telephone number … of the person; up to 20, each an argument of its own. Other users of
    /// this computer can see arguments: --identifiers-file keeps them out.
    #[arg(value_name = "IDENTIFIER", required_unless_present = "identifiers_file")]
    pub identifiers: Vec<String>,
    /// A file with an identifier on each line; - is standard input.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub identifiers_file: Option<PathBuf>,
    /// Name or identifier of the tenant.
    #[arg(long, value_name = "T")]
    pub tenant: String,
}

#[derive(Subcommand, Debug)]
pub enum SubjectCommand {
    /// Where a person is: in every version of every record, masked or in the trash, in attachments, tags and drafts.
    #[command(
        after_help = "Example:\n  coffer … subject find --tenant ACME \"Anna Schmidt\" anna@acme.example \"030 1234567\"\n\nIt is told where, never what stands there. Case, accents and punctuation do not matter. Only text\nattachments of up to 16 MiB are looked into; names of all others are."
    )]
    Find {
        #[command(flatten)]
        subject: SubjectArgs,
    },
    /// Write what is held about a person to a new file for them: a tar archive. The steward's passphrase is asked for again.
    #[command(
        after_help = "Example:\n  coffer … subject export --tenant ACME --identifiers-file anna.txt --to anna.tar\n\nIt holds person.json, person.txt and the attachments. Masked values are in it only if one of the\nidentifiers is in them."
    )]
    Export {
        #[command(flatten)]
        subject: SubjectArgs,
        /// A file that does not exist yet.
        #[arg(long = "to", value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = super::new_file())]
        file: PathBuf,
        /// Only this record of those found. May be repeated.
        #[arg(long, value_name = "ID")]
        record: Vec<RecordId>,
    },
    /// Delete what is held about a person for good. The steward's passphrase is asked for again.
    #[command(
        after_help = "Examples:\n  coffer … subject erase --tenant ACME --identifiers-file anna.txt\n  coffer … subject erase --tenant ACME \"Anna Schmidt\" --history-only --confirm ACME\n\nRecords go with their history, files, drafts and index, and the database is written anew. Backups keep\nwhat they hold; the answer names them."
    )]
    Erase {
        #[command(flatten)]
        subject: SubjectArgs,
        /// Only this record of those found. May be repeated.
        #[arg(long, value_name = "ID")]
        record: Vec<RecordId>,
        /// Only earlier versions, of records that do not hold the person any more.
        #[arg(long)]
        history_only: bool,
        /// The tenant's name, instead of being asked for it.
        #[arg(long, value_name = "NAME")]
        confirm: Option<String>,
    },
}

impl SubjectCommand {
    /// The person, and whose data is looked through.
    pub const fn subject(&self) -> &SubjectArgs {
        match self {
            Self::Find { subject } | Self::Export { subject, .. } | Self::Erase { subject, .. } => subject,
        }
    }
}

//! Arguments of the life of records: which of them are listed and how, the trash, earlier versions, favourites, tags.

use clap::{Args, Subcommand};
use coffer_model::id::RecordId;
use coffer_model::list::{RecordOrder, RowDetail};

/// Which records are listed, and in which order.
#[derive(Args, Debug)]
pub struct ListArgs {
    /// The order: title, kind, changed or created. The last two begin with the newest.
    #[arg(long, default_value = "title", value_name = "ORDER", conflicts_with_all = ["full", "trash"])]
    pub sort: RecordOrder,
    /// Only this account's favourites.
    #[arg(long, conflicts_with_all = ["full", "trash"])]
    pub favourites: bool,
    /// What each row tells besides: none, value (the first value of one line that is no secret) or tags.
    #[arg(long, default_value = "none", value_name = "DETAIL", conflicts_with_all = ["full", "trash"])]
    pub detail: RowDetail,
    /// The trash instead, the record put there last first.
    #[arg(long, conflicts_with = "full")]
    pub trash: bool,
}

#[derive(Subcommand, Debug)]
pub enum LifeCommand {
    /// Move records of one tenant to the trash, all of them or none. They stay there for 30 days at least.
    #[command(after_help = "Example:\n  coffer … record trash ID ID")]
    Trash {
        /// The records, at most 1000.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<RecordId>,
    },
    /// Take records out of the trash, with everything they had.
    #[command(after_help = "Example:\n  coffer … record restore ID")]
    Restore {
        /// The records, at most 1000.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<RecordId>,
    },
    /// Delete records that are in the trash for good: every version, and who saw their secrets. Needs the steward's right.
    #[command(after_help = "Example:\n  coffer … record purge ID")]
    Purge {
        /// The records, at most 1000.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<RecordId>,
    },
    /// Delete everything in a tenant's trash for good. Needs the steward's right.
    #[command(after_help = "Example:\n  coffer … record empty-trash --tenant ACME")]
    EmptyTrash {
        /// Name or identifier of the tenant.
        #[arg(long, value_name = "T")]
        tenant: String,
    },
    /// Make what a record held at an earlier version its newest. The versions in between stay.
    #[command(after_help = "Example:\n  coffer … record restore-version ID 3")]
    RestoreVersion {
        /// The record.
        id: RecordId,
        /// The earlier version, as `record history` counts them.
        #[arg(value_name = "N")]
        number: u32,
        /// Refuse unless the record is still at this version.
        #[arg(long, value_name = "V")]
        version: Option<u32>,
    },
    /// Mark a record as a favourite of this account, or take the mark back.
    #[command(after_help = "Examples:\n  coffer … record favourite ID --on\n  coffer … record favourite ID --off")]
    Favourite {
        /// The record.
        id: RecordId,
        #[command(flatten)]
        mark: Mark,
    },
    /// Add tags to records of one tenant, or take them away, for all of them or none.
    #[command(after_help = "Example:\n  coffer … record tag ID ID --add vpn --remove old")]
    Tag {
        /// The records, at most 1000.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<RecordId>,
        /// A tag they are to have. May be repeated.
        #[arg(long, value_name = "TAG", required_unless_present = "remove")]
        add: Vec<String>,
        /// A tag they are to have no more. May be repeated.
        #[arg(long, value_name = "TAG")]
        remove: Vec<String>,
    },
    /// Move records into another tenant, or copy them, with history, tags and files. Needs the steward's right on the tenant
    /// that has them, and to edit the other.
    #[command(
        after_help = "Examples:\n  coffer … record move ID ID --tenant ACME --to Bauer --dry-run\n  coffer … record move ID --tenant ACME --to Bauer --confirm Bauer\n\nEverybody who reads the other tenant sees them then, every earlier version too. References to records\nthat stay behind are cut. What was moved is in the trash of the tenant it came from: `record restore`\nand `record trash` take it back."
    )]
    Move(MoveArgs),
}

/// Which records go to which tenant.
#[derive(Args, Debug)]
pub struct MoveArgs {
    /// The records, at most 1000.
    #[arg(required = true, value_name = "ID")]
    pub ids: Vec<RecordId>,
    /// Name or identifier of the tenant that has them.
    #[arg(long, value_name = "T")]
    pub tenant: String,
    /// Name or identifier of the tenant that is to have them.
    #[arg(long, value_name = "T2")]
    pub to: String,
    /// Leave them where they are, too.
    #[arg(long)]
    pub copy: bool,
    /// Only say what would come along and what would be cut.
    #[arg(long, conflicts_with = "confirm")]
    pub dry_run: bool,
    /// The name of the tenant that is to have them, instead of being asked for it.
    #[arg(long, value_name = "NAME")]
    pub confirm: Option<String>,
}

/// Setting or taking back a mark.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub struct Mark {
    /// Set the mark.
    #[arg(long)]
    on: bool,
    /// Take it back.
    #[arg(long)]
    off: bool,
}

impl Mark {
    /// Whether the mark is to be set; one of the two is given.
    pub const fn is_set(&self) -> bool {
        self.on && !self.off
    }
}

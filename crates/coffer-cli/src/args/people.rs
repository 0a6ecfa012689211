//! Arguments about people: accounts, grants, and the keys that change when somebody leaves.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueHint};
use coffer_core::{INVITATION_HOURS, INVITATION_HOURS_MAX, Split};
use coffer_model::account::Role;
use coffer_model::day::Day;
use coffer_model::grant::Right;

#[derive(Subcommand, Debug)]
pub enum AccountCommand {
    /// Invite somebody to become an account. Prints the activation code, which counts once and for a while.
    #[command(
        after_help = "Examples:\n  coffer … account invite otto --role member\n  coffer … account invite ida --role auditor --role member --code-file ida.txt\n\nHand the code to the person and to nobody else. They choose their passphrase with `account activate`; you\nnever learn it. A new account may read no tenant: stewards grant them with `grant add`."
    )]
    Invite {
        /// Login name: a-z, 0-9, . _ - @
        name: String,
        #[command(flatten)]
        roles: RoleArgs,
        #[command(flatten)]
        code: CodeArgs,
    },
    /// Become an account: the activation code, and a passphrase of your own (--passphrase-file or the terminal).
    #[command(after_help = "Example:\n  coffer --vault clients.coffer account activate --code-file code.txt")]
    Activate {
        /// File whose first line is the activation code; `-` is standard input. Without it the terminal asks.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        code_file: Option<PathBuf>,
    },
    /// Become a new administrator by the recovery kit, with a passphrase of your own. It stands in the log for ever.
    #[command(
        after_help = "Examples:\n  coffer --vault clients.coffer account recover ines2 --kit kit.txt\n  coffer --vault clients.coffer account recover ines2 --share one.html --share two.html\n\nFor when nobody can unlock any more who could invite you. Other accounts stay: take away those that nobody uses\nwith `account offboard NAME --now --even-last-steward`, then become steward of their tenants with `key recover`."
    )]
    Recover {
        /// Login name of the new account.
        name: String,
        #[command(flatten)]
        by: RecoveryArgs,
    },
    /// Accounts, invitations and who left, with roles and grants.
    List,
    /// Give an account these roles, and no others.
    #[command(after_help = "Example:\n  coffer … account roles ida --role auditor --role member")]
    Roles {
        /// Login name of the account.
        name: String,
        #[command(flatten)]
        roles: RoleArgs,
    },
    /// Change your own passphrase. Copies and backups from before still open with the old one.
    #[command(after_help = "Example:\n  coffer … account passphrase --new-passphrase-file new.txt")]
    Passphrase {
        /// File whose first line is the new passphrase. Without it the terminal asks.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        new_passphrase_file: Option<PathBuf>,
    },
    /// Remove an account, and replace the keys it held as far as this account can.
    #[command(
        after_help = "Example:\n  coffer … account offboard otto --now\n\nWhat this account cannot replace is told as pending: nothing is written to such a tenant before a steward of it\nhas given it a new key with `key rotate --pending`."
    )]
    Offboard {
        /// Login name of the account.
        name: String,
        /// At once.
        #[arg(long, required = true)]
        now: bool,
        #[command(flatten)]
        stewards: LastStewardArgs,
    },
    /// For a person who can unlock no longer: a new account of the same login and roles, without grants.
    #[command(after_help = "Example:\n  coffer … account reset otto --code-file otto.txt")]
    Reset {
        /// Login name of the account.
        name: String,
        #[command(flatten)]
        code: CodeArgs,
        #[command(flatten)]
        stewards: LastStewardArgs,
    },
    /// Take an invitation back: its code counts no longer.
    WithdrawInvitation {
        /// Login name of the invitation.
        name: String,
    },
}

#[derive(Args, Debug)]
pub struct RoleArgs {
    /// administrator, auditor or member. May be repeated.
    #[arg(long = "role", required = true, value_name = "ROLE", value_parser = role)]
    pub roles: Vec<Role>,
}

#[derive(Args, Debug)]
pub struct CodeArgs {
    /// Hours for which the activation code counts.
    #[arg(long, default_value_t = INVITATION_HOURS, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(INVITATION_HOURS_MAX)))]
    pub hours: u32,
    /// New file for the activation code, readable by you alone. Without it the code is printed.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub code_file: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct LastStewardArgs {
    /// Even if tenants are left without a steward, which only the recovery kit then opens to a new one.
    #[arg(long)]
    pub even_last_steward: bool,
}

/// What recovers: the kit, or as many shares of it as are needed.
#[derive(Args, Debug)]
pub struct RecoveryArgs {
    /// The recovery kit, or a file with its recovery code.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, required_unless_present = "share", conflicts_with = "share")]
    pub kit: Option<PathBuf>,
    /// A share of recovery, or a file with its code; repeated for each.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub share: Vec<PathBuf>,
}

#[derive(Subcommand, Debug)]
pub enum GrantCommand {
    /// Grant a tenant to an account, or change what it may do there. For stewards of the tenant.
    #[command(
        after_help = "Examples:\n  coffer … grant add otto --tenant ACME --right reader\n  coffer … grant add ida --tenant ACME --right editor --until 2027-03-31\n\nreader: lists, opens, reveals, copies. editor: adds and changes as well. steward: grants, exports and erases as well.\nCompare the account's fingerprint with the person before you grant: `account list`."
    )]
    Add {
        /// Login name of the account.
        name: String,
        /// Name or identifier of the tenant.
        #[arg(long, value_name = "T")]
        tenant: String,
        /// reader, editor or steward.
        #[arg(long, value_name = "R", value_parser = right)]
        right: Right,
        /// The last day on which it counts, UTC.
        #[arg(long, value_name = "DAY")]
        until: Option<Day>,
    },
    /// Who may do what with which tenant.
    List {
        /// Only of this tenant: its name or identifier.
        #[arg(long, value_name = "T")]
        tenant: Option<String>,
    },
    /// Take a tenant from an account, and give the tenant a new key if this account can.
    #[command(after_help = "Example:\n  coffer … grant withdraw otto --tenant ACME")]
    Withdraw {
        /// Login name of the account.
        name: String,
        /// Name or identifier of the tenant.
        #[arg(long, value_name = "T")]
        tenant: String,
    },
}

#[derive(Subcommand, Debug)]
pub enum KeyCommand {
    /// Keys that somebody holds who may not any more.
    Pending,
    /// Become steward of every tenant that has none, by the recovery kit. Each gets a new key.
    #[command(after_help = "Example:\n  coffer … key recover --kit kit.txt")]
    Recover {
        #[command(flatten)]
        by: RecoveryArgs,
    },
    /// The recovery in use: its words, how it is split, whether this account trusts it.
    Recovery,
    /// Make another recovery kit, or shares of one, in the place of the one before, and replace what that one was given.
    #[command(
        after_help = "Examples:\n  coffer … key renew-recovery --kit kit-2.txt\n  coffer … key renew-recovery --shares 3/5 --kit shares\n\nThe kit before opens nothing that is made from then on; what this account cannot replace is told as pending.\nBackups from before are opened by the kit from before: keep it as long as you keep them. Every other account has\nto compare the new kit's words and trust it before it seals anything to it: `key accept-recovery`."
    )]
    RenewRecovery {
        /// New file for the kit; with --shares a new folder for its shares.
        #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
        kit: PathBuf,
        /// Split it: any M of N shares together do what the kit does, fewer do nothing. 2 ≤ M ≤ N ≤ 16.
        #[arg(long, value_name = "M/N")]
        shares: Option<Split>,
    },
    /// Trust the recovery that an administrator has renewed, and give your tenants new keys that are sealed to it.
    #[command(
        after_help = "Example:\n  coffer … key accept-recovery --words \"purr tiptop employed portal circular aneurism\"\n\nRead the words from the new kit or a share of it, or have somebody who holds one read them to you: whoever holds\nthe kit they are of can read your tenants afterwards."
    )]
    AcceptRecovery {
        /// The six words that stand on the kit and on each share as its fingerprint.
        #[arg(long, value_name = "WORDS")]
        words: String,
    },
    /// Give a tenant, the directory, the log or the office a new key.
    #[command(
        group(ArgGroup::new("what").required(true).args(["pending", "tenant", "directory", "log", "office"])),
        after_help = "Examples:\n  coffer … key rotate --pending\n  coffer … key rotate --tenant ACME"
    )]
    Rotate {
        /// Every key that somebody holds who may not any more, as far as this account can.
        #[arg(long)]
        pending: bool,
        /// A tenant's: its name or identifier.
        #[arg(long, value_name = "T")]
        tenant: Option<String>,
        /// The directory's.
        #[arg(long)]
        directory: bool,
        /// The one that entries of the log are sealed to.
        #[arg(long)]
        log: bool,
        /// The one of administrators and auditors together.
        #[arg(long)]
        office: bool,
    },
}

fn role(text: &str) -> Result<Role, &'static str> {
    match text {
        "administrator" => Ok(Role::Administrator),
        "auditor" => Ok(Role::Auditor),
        "member" => Ok(Role::Member),
        _ => Err("administrator, auditor or member"),
    }
}

fn right(text: &str) -> Result<Right, &'static str> {
    match text {
        "reader" => Ok(Right::Reader),
        "editor" => Ok(Right::Editor),
        "steward" => Ok(Right::Steward),
        _ => Err("reader, editor or steward"),
    }
}

//! Arguments about people: accounts, grants, and the keys that change when somebody leaves.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueHint};
use coffer_core::{GLASS_HOURS_MAX, INVITATION_HOURS, INVITATION_HOURS_MAX, Split};
use coffer_model::account::Role;
use coffer_model::day::Day;
use coffer_model::grant::Right;
use coffer_model::key::{Cryptoperiods, KeyKind};
use coffer_model::policy::Guarded;

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
    /// For when your passphrase may be known: a new one, and new keys for your account.
    #[command(
        after_help = "Example:\n  coffer … account renew-keys --new-passphrase-file new.txt\n\nA changed passphrase alone leaves the account's keys as they are: whoever has the old passphrase and a copy of the\nvault has them. This replaces them. Then unlock by the new passphrase with `key rotate --pending`, which replaces\nwhat the account held; what it cannot is pending for others. The personal recovery code ends: make another."
    )]
    RenewKeys {
        /// File whose first line is the new passphrase. Without it the terminal asks.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        new_passphrase_file: Option<PathBuf>,
    },
    /// What opens your own account.
    Ways,
    /// What your passphrase needs beside it: a secret in this device's keyring, a key file, both or neither.
    #[command(
        after_help = "Examples:\n  coffer … account factors --device on\n  coffer … account factors --new-key-file /media/usb/ines.key\n  coffer … account factors --device off --no-key-file\n\nThese are keys: without them a copy of the vault stays closed. Who loses them gets in with the personal recovery\ncode (`account personal-code`), or is invited anew by an administrator."
    )]
    Factors(FactorArgs),
    /// Make a personal recovery code: a way in when passphrase, device or key file is lost. One of before ends.
    #[command(after_help = "Example:\n  coffer … account personal-code --code-file /media/usb/ines-recovery.txt")]
    PersonalCode {
        /// New file for the code, readable by you alone. Without it the code is printed.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        code_file: Option<PathBuf>,
    },
    /// Codes that an authenticator shows, asked for at unlocking: enrolling, new spare codes, removing.
    #[command(
        subcommand,
        after_help = "Examples:\n  coffer … account second-factor enrol\n  coffer … account second-factor spare-codes\n  coffer … account second-factor remove"
    )]
    SecondFactor(SecondFactorCommand),
    /// The identity provider whose fresh tokens accounts may need to unlock.
    #[command(
        subcommand,
        after_help = "Examples:\n  coffer … account provider set --issuer https://id.example.org --audience coffer --key-set jwks.json --days 7\n  coffer … account provider show\n  coffer … account provider remove"
    )]
    Provider(ProviderCommand),
    /// Say that an account needs a fresh token of the identity provider every so many days, or no longer.
    #[command(
        after_help = "Examples:\n  coffer … account federate otto --subject otto@example.org\n  coffer … account federate otto --off\n\nThe account unlocks with --token-file then, and for as many days as the provider is pinned with without it. To mark\nan account once more begins anew: the way out if its clock was wrong. One administrator stays without."
    )]
    Federate(FederateArgs),
    /// Remove an account and replace the keys it held, at once or by a deadline.
    #[command(
        group(ArgGroup::new("when").required(true).args(["now", "within", "stay", "secrets_only"])),
        after_help = "Examples:\n  coffer … account offboard otto --now\n  coffer … account offboard otto --within 24 --secrets-within 5\n  coffer … account offboard otto --stay\n\nWith --within the account goes on until then, so that its work can be handed on, and unlocks no longer after it;\nremove it with --now when that is done. What this account cannot replace is told as pending: nothing is written to such a tenant before a steward of it\nhas given it a new key with `key rotate --pending`."
    )]
    Offboard {
        /// Login name of the account.
        name: String,
        /// At once.
        #[arg(long)]
        now: bool,
        /// Its access ends in so many hours; 24 without a number.
        #[arg(long, value_name = "HOURS", num_args = 0..=1, default_missing_value = "24", value_parser = clap::value_parser!(u32).range(1..=8_760))]
        within: Option<u32>,
        /// It stays after all: the deadline that was set holds no longer.
        #[arg(long)]
        stay: bool,
        /// It has left; only set by when the secrets it saw are to be changed.
        #[arg(long, requires = "secrets_within")]
        secrets_only: bool,
        /// Days, from the end of its access on, within which the secrets it saw are to be changed.
        #[arg(long, value_name = "DAYS", conflicts_with = "stay", value_parser = clap::value_parser!(u32).range(1..=365))]
        secrets_within: Option<u32>,
        #[command(flatten)]
        stewards: LastStewardArgs,
    },
    /// How an account left: when its access ended, when each key it held was replaced, what is still to be done.
    #[command(
        after_help = "Example:\n  coffer … --json account offboarding otto > otto-left.json\n\nFor administrators and auditors. What its stewards reported of the secrets it saw stands beside each tenant."
    )]
    Offboarding {
        /// Login name of the account, or its identifier.
        name: String,
    },
    /// The exposure list: secrets people have seen who may read the tenant no longer, and that are still the same.
    #[command(
        after_help = "Examples:\n  coffer … account exposures\n  coffer … account exposures --tenant ACME --report\n  coffer … account exposures --tenant ACME --also ida\n\nFor stewards. Change each of these secrets where it is used, then in its record: the list empties itself. With\n--report administrators and auditors are told how many are left, never which; and under which entries of the log\nsecrets were seen, so that auditors can check that none is left out (check-exposures)."
    )]
    Exposures {
        /// Only of this tenant: its name or identifier. Otherwise of each that you are a steward of.
        #[arg(long, value_name = "T")]
        tenant: Option<String>,
        /// This account as well, although it may read the tenant still.
        #[arg(long, value_name = "NAME", requires = "tenant", conflicts_with = "report")]
        also: Option<String>,
        /// Report the figures to administrators and auditors.
        #[arg(long)]
        report: bool,
    },
    /// Compares what stewards reported of an account with the log, which is verified for it.
    #[command(
        after_help = "Example:\n  coffer … account check-exposures otto\n\nFor auditors. Names the entries of the log under which secrets were shown, copied or exported and that a report leaves\nout, and those that a report names and the log does not have. Fails if there are any, if a tenant has no report yet, or if\nthe log is not in order. Of a login that several people had, one after the other, each is looked at."
    )]
    CheckExposures {
        /// Login name of the account, or its identifier.
        name: String,
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
pub struct FactorArgs {
    /// Whether a secret in this device's keyring is needed. Left out: as it is.
    #[arg(long, value_name = "on|off", value_parser = on_or_off)]
    pub device: Option<bool>,
    /// A file that is needed from now on: any that you keep and that never changes.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "no_key_file")]
    pub with_key_file: Option<PathBuf>,
    /// As --with-key-file, and makes it: 64 random bytes, readable by you alone.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["no_key_file", "with_key_file"])]
    pub new_key_file: Option<PathBuf>,
    /// No key file is needed any more.
    #[arg(long)]
    pub no_key_file: bool,
    /// File whose first line is the passphrase from now on, the same or another. Without it the terminal asks.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub new_passphrase_file: Option<PathBuf>,
}

#[derive(Subcommand, Debug)]
pub enum ProviderCommand {
    /// Pin a provider, or change what is pinned. What is not named stays as it is.
    #[command(
        after_help = "Example:\n  coffer … account provider set --issuer https://id.example.org --audience coffer --key-set jwks.json --days 7\n\nTokens are verified on this computer against the pinned keys, by RS256, PS256, ES256, ES384 or EdDSA, and nobody is\nasked. The key set (JWKS) is what the provider publishes at its `jwks_uri`: fetch it where there is a network, and\npin it again when the provider changes its keys."
    )]
    Set(ProviderArgs),
    /// What is pinned, with the vault's public key that the provider may encrypt tokens to.
    Show,
    /// Pin none any more. No account may be marked.
    Remove,
}

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("pinned").required(true).multiple(true))]
pub struct ProviderArgs {
    /// `iss` of its tokens, exactly.
    #[arg(long, value_name = "URL", group = "pinned")]
    pub issuer: Option<String>,
    /// What it calls this vault: one of `aud` of its tokens, exactly.
    #[arg(long, value_name = "NAME", group = "pinned")]
    pub audience: Option<String>,
    /// The claim that names the person; `sub` at first.
    #[arg(long, value_name = "CLAIM", group = "pinned")]
    pub claim: Option<String>,
    /// For how many days a token lets an account unlock; 7 at first.
    #[arg(long, value_name = "N", group = "pinned", value_parser = clap::value_parser!(u32).range(1..=366))]
    pub days: Option<u32>,
    /// Its key set (JWKS), a file.
    #[arg(long, value_name = "FILE", group = "pinned", value_hint = ValueHint::FilePath)]
    pub key_set: Option<PathBuf>,
}

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("mark").required(true))]
pub struct FederateArgs {
    /// Login name of the account.
    pub name: String,
    /// What the provider's claim says of the person, exactly.
    #[arg(long, value_name = "S", group = "mark")]
    pub subject: Option<String>,
    /// It needs no token any more.
    #[arg(long, group = "mark")]
    pub off: bool,
}

fn on_or_off(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("on or off".to_owned()),
    }
}

#[derive(Subcommand, Debug)]
pub enum SecondFactorCommand {
    /// Give an authenticator the seed, and show by a code that it took it. Prints spare codes, once.
    #[command(
        after_help = "Examples:\n  coffer … account second-factor enrol\n  coffer … account second-factor enrol --seed-file seed.txt --confirm-from code.txt\n\nOn a terminal the seed is shown as a picture and as text, and the code is asked for. With --seed-file it is\nwritten to a new file instead, and the code is read from the first line of the file named, once it is there."
    )]
    Enrol {
        /// New file for the seed as `otpauth://` URI, readable by you alone; removed when done.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "confirm_from")]
        seed_file: Option<PathBuf>,
        /// File whose first line is the code; waited for up to two minutes.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "seed_file")]
        confirm_from: Option<PathBuf>,
    },
    /// Make new spare codes; those of before count no more.
    SpareCodes,
    /// Remove the second factor, unless the vault's rules ask for one.
    Remove,
}

#[derive(Subcommand, Debug)]
pub enum PolicyCommand {
    /// The rules as they are.
    Show,
    /// Change rules. What is not named stays as it is; `none` empties a list.
    Set(PolicyArgs),
}

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("rule").required(true).multiple(true))]
pub struct PolicyArgs {
    /// Who has this role needs a second factor: administrator, auditor, member, or none. May be repeated.
    #[arg(long, value_name = "ROLE", group = "rule", value_parser = role_or_none)]
    pub second_factor: Vec<Option<Role>>,
    /// Asks for passphrase and code anew: `reveal`, `save_files`, `export`, `erase`, `backup`,
    /// `read_log`, `grant`, `recover`, or `none`.
    /// May be repeated.
    #[arg(long, value_name = "ACTION", group = "rule", value_parser = guarded_or_none)]
    pub step_up: Vec<Option<Guarded>>,
    /// Takes two administrators: export, erase, recover, or none. May be repeated.
    #[arg(long, value_name = "ACTION", group = "rule", value_parser = guarded_or_none)]
    pub two_people: Vec<Option<Guarded>>,
    /// Least memory for each guess at a passphrase, MiB; 0: none fixed. Passphrases below it are raised at unlocking.
    #[arg(long, value_name = "MIB", group = "rule", value_parser = clap::value_parser!(u32).range(0..=1024))]
    pub kdf_memory: Option<u32>,
}

fn role_or_none(text: &str) -> Result<Option<Role>, String> {
    if text == "none" { Ok(None) } else { role(text).map(Some).map_err(str::to_owned) }
}

fn guarded_or_none(text: &str) -> Result<Option<Guarded>, String> {
    if text == "none" {
        return Ok(None);
    }
    let names: Vec<_> = Guarded::ALL.iter().map(|guarded| guarded.name()).collect();
    text.parse().map(Some).map_err(|_| format!("one of {}, none", names.join(", ")))
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
    /// The register: every key with its state, since when, and when another is to take its place.
    List,
    /// Who holds which key, of the keys in use. For administrators and auditors.
    Access,
    /// For how long keys of each kind are used before another is due.
    #[command(
        after_help = "Examples:\n  coffer … key periods\n  coffer … key periods --set tenant=180 --set audit=365"
    )]
    Periods {
        /// KIND=DAYS; KIND is tenant, directory, audit, office, recovery, device or account. May be repeated.
        #[arg(long, value_name = "KIND=DAYS", value_parser = period)]
        set: Vec<(KeyKind, u16)>,
    },
    /// Say that a key in use may be in hands it does not belong in, without replacing it yet.
    #[command(
        group(ArgGroup::new("which").required(true).args(["tenant", "directory", "log", "office", "recovery", "device"])),
        after_help = "Examples:\n  coffer … key compromised --tenant ACME\n  coffer … key compromised --recovery\n\nIt is pending from then on: `key rotate --pending` replaces what this account can; recovery is replaced by\n`key renew-recovery`, a device's by `key rotate --device`. For both in one step see `key rotate --emergency`."
    )]
    Compromised {
        #[command(flatten)]
        which: WhichKey,
        /// Recovery's: its kit, or enough shares of it.
        #[arg(long)]
        recovery: bool,
    },
    /// Name the custodians of a tenant's key, of whom any two can open it in an emergency. For its stewards.
    #[command(
        after_help = "Examples:\n  coffer … key custodians --tenant ACME --name ida --name otto\n  coffer … key custodians --tenant ACME --none\n\nEach holds a share that opens nothing alone. Compare their fingerprints first, as before a grant: `account list`."
    )]
    Custodians {
        /// Name or identifier of the tenant.
        #[arg(long, value_name = "T")]
        tenant: String,
        /// Login name of a custodian; repeated for each, two at least. They take the place of those of before.
        #[arg(long = "name", value_name = "NAME", required_unless_present = "none", conflicts_with = "none")]
        names: Vec<String>,
        /// Nobody any more.
        #[arg(long)]
        none: bool,
    },
    /// Tenants with custodians, and every time that custodians opened one.
    Glass,
    /// Open a tenant for a while in an emergency, with another custodian of its key on this machine.
    #[command(
        after_help = "Example:\n  coffer … --second-login ida key break-glass --tenant ID --hours 4 --reason \"Server down, Ines on leave\"\n\nIt stands in log and membership chain for ever, and everybody whom the tenant concerns is told. Once the time is\nover the tenant needs a new key."
    )]
    BreakGlass {
        /// Identifier of the tenant, as in `key glass`, or its name if that is shown there.
        #[arg(long, value_name = "T")]
        tenant: String,
        /// Why: one line.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// For how many hours, 24 at most.
        #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=i64::from(GLASS_HOURS_MAX)))]
        hours: u32,
    },
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
        group(ArgGroup::new("which").required(true).args(["pending", "tenant", "directory", "log", "office", "device"])),
        after_help = "Examples:\n  coffer … key rotate --pending\n  coffer … key rotate --tenant ACME\n  coffer … key rotate --log --emergency\n\nStopped, a tenant's is begun anew the next time; nothing is half done. Recovery's: `key renew-recovery`."
    )]
    Rotate {
        /// Every key that somebody holds who may not any more, as far as this account can.
        #[arg(long)]
        pending: bool,
        #[command(flatten)]
        which: WhichKey,
        /// It may be in wrong hands: that is stated first, and stands in the register for ever.
        #[arg(long, conflicts_with = "pending")]
        emergency: bool,
    },
}

/// One of the vault's keys.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(Args, Debug)]
pub struct WhichKey {
    /// A tenant's: its name or identifier.
    #[arg(long, value_name = "T")]
    pub tenant: Option<String>,
    /// The directory's.
    #[arg(long)]
    pub directory: bool,
    /// The one that entries of the log are sealed to.
    #[arg(long)]
    pub log: bool,
    /// The one of administrators and auditors together.
    #[arg(long)]
    pub office: bool,
    /// This device's, for backups while the vault is locked.
    #[arg(long)]
    pub device: bool,
}

impl WhichKey {
    /// Of which kind it is; recovery's if none is named.
    pub fn kind(&self) -> KeyKind {
        match self {
            Self { tenant: Some(_), .. } => KeyKind::Tenant,
            Self { directory: true, .. } => KeyKind::Directory,
            Self { log: true, .. } => KeyKind::Audit,
            Self { office: true, .. } => KeyKind::Office,
            Self { device: true, .. } => KeyKind::Device,
            Self { .. } => KeyKind::Recovery,
        }
    }
}

fn period(text: &str) -> Result<(KeyKind, u16), String> {
    let (kind, days) = text.split_once('=').ok_or("KIND=DAYS")?;
    let kind = kind.parse().map_err(|_| KeyKind::ALL.map(KeyKind::name).join(", "))?;
    let days = days.parse().ok().filter(|&days| Cryptoperiods::default().with(kind, days).is_some());
    let bounds = || format!("{} to {} days", Cryptoperiods::MIN_DAYS, Cryptoperiods::MAX_DAYS);
    Ok((kind, days.ok_or_else(bounds)?))
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

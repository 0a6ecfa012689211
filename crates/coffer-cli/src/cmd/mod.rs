//! One file a noun. A command is a few lines over the engine; what it shows is made in `render`.

mod account;
mod backup;
mod completions;
mod demo;
mod doctor;
mod export;
mod federation;
mod file;
mod generate;
mod grant;
mod import;
mod key;
mod kind;
mod kit;
mod leaving;
mod life;
mod log;
mod moves;
mod policy;
mod record;
mod search;
mod shell;
mod subject;
mod tenant;
mod upkeep;
mod vault;
mod way_in;

use std::path::Path;

use coffer_core::host::Host;
use coffer_core::view::{AccountState, AccountView, TenantView};
use coffer_core::{CallError, Credentials, FreshAuthentication, Session, UnlockError, Vault};
use coffer_model::account::Roles;
use coffer_model::id::{AccountId, TenantId};
use coffer_model::policy::Guarded;
use zeroize::Zeroizing;

use crate::args::{AccountCommand, Cli, Command, Global, LogCommand, VaultCommand};
use crate::error::CliError;
use crate::prompt;
use crate::render::Output;

/// Runs one command.
pub fn run(host: &Host, cli: &Cli, output: &Output) -> Result<(), CliError> {
    let global = &cli.global;
    match &cli.command {
        Command::Vault(VaultCommand::Create { kit, shares }) => vault::create(host, global, kit, *shares, output),
        Command::Vault(VaultCommand::Show) => vault::show(host, global, output),
        Command::Demo { dir } => demo::run(host, dir, output),
        Command::Shell => shell::run(host, global, output),
        Command::Doctor => doctor::run(host, global, output),
        Command::Generate(command) => generate::run(host, command, output),
        Command::Completions { shell } => completions::complete(*shell),
        Command::Man { dir } => completions::manual(dir),
        Command::Account(AccountCommand::Activate { code_file }) => {
            account::activate(host, global, code_file.as_deref(), output)
        }
        Command::Account(AccountCommand::Recover { name, by }) => account::recover(host, global, name, by, output),
        // A backup needs no account, and restoring one not even a vault.
        Command::Backup(command) if global.login.is_none() => backup::run_locked(host, global, command, output),
        Command::Log(LogCommand::Restart) => {
            log::restart(unlock_by(Vault::unlock_restarting_log, host, global)?, output)
        }
        Command::Vault(VaultCommand::AcceptOlder) => {
            vault::accepted(unlock_by(Vault::unlock_accepting_older, host, global)?, output)
        }
        Command::Vault(VaultCommand::Move { file, .. }) => {
            let session = unlock_by(Vault::unlock_moved, host, global)?;
            vault::move_away(session, global, file.as_deref(), output)
        }
        Command::Account(AccountCommand::RenewKeys { new_passphrase_file }) => {
            let session = unlock(host, global)?;
            refuse_unasked(&session, global)?;
            way_in::renew_keys(session, global, new_passphrase_file.as_deref(), output)
        }
        command => {
            let session = unlock(host, global)?;
            if session.view().glass_broken > 0 {
                output.note("custodians have opened a tenant since you were here: see `key glass`");
            }
            let done = refuse_unasked(&session, global).and_then(|()| run_unlocked(&session, global, command, output));
            let locked = session.lock();
            done?;
            Ok(locked?)
        }
    }
}

/// Runs a command that needs an unlocked vault.
fn run_unlocked(session: &Session, global: &Global, command: &Command, output: &Output) -> Result<(), CliError> {
    match command {
        Command::Tenant(command) => tenant::run(session, command, output),
        Command::Account(command) => account::run(session, global, command, output),
        Command::Grant(command) => grant::run(session, command, output),
        Command::Key(command) => key::run(session, global, command, output),
        Command::Policy(command) => policy::run(session, global, command, output),
        Command::Record(command) => record::run(session, command, output),
        Command::File(command) => file::run(session, command, output),
        Command::Kind(command) => kind::run(session, command, output),
        Command::Generate(command) => generate::run(session.host(), command, output),
        Command::Import(args) => import::run(session, args, output),
        Command::Export(args) => export::run(session, global, args, output),
        Command::Search(args) => search::run(session, args, output),
        Command::Subject(command) => subject::run(session, global, command, output),
        Command::Backup(command) => backup::run(session, command, output),
        Command::Log(command) => log::run(session, command, output),
        Command::Vault(VaultCommand::Check) => vault::check(session, output),
        Command::Vault(
            VaultCommand::Create { .. } | VaultCommand::Show | VaultCommand::AcceptOlder | VaultCommand::Move { .. },
        )
        | Command::Doctor
        | Command::Demo { .. }
        | Command::Shell
        | Command::Completions { .. }
        | Command::Man { .. } => Err(CliError::Usage("this command stands alone, outside `coffer shell`".to_owned())),
    }
}

fn vault_folder(global: &Global) -> Result<&Path, CliError> {
    global.vault.as_deref().ok_or(CliError::NoVault)
}

fn login(global: &Global) -> Result<&str, CliError> {
    global.login.as_deref().ok_or(CliError::NoLogin)
}

fn unlock(host: &Host, global: &Global) -> Result<Session, CliError> {
    unlock_by(Vault::unlock_with, host, global)
}

/// A factor that was given and that the account does not have was not looked at: to go on would claim a protection that is
/// not there.
fn refuse_unasked(session: &Session, global: &Global) -> Result<(), CliError> {
    if global.key_file.is_none() && global.code.is_none() && global.token_file.is_none() {
        return Ok(());
    }
    let ways = session.ways_in()?;
    // With the personal recovery code no key factor is asked for.
    if global.key_file.is_some() && !ways.key_file && global.personal_code_file.is_none() {
        return Err(CliError::FactorNotAskedFor("key file"));
    }
    if global.code.is_some() && !ways.second_factor {
        return Err(CliError::FactorNotAskedFor("second factor"));
    }
    if global.token_file.is_some() && !ways.federated {
        return Err(CliError::TokenNotAskedFor);
    }
    Ok(())
}

/// Unlocks in the given way. A code that is needed and was not given is asked for on a terminal.
fn unlock_by(
    way: fn(&Vault, &str, &Credentials) -> Result<Session, UnlockError>,
    host: &Host,
    global: &Global,
) -> Result<Session, CliError> {
    let vault = Vault::open(host, vault_folder(global)?)?;
    let login = login(global)?;
    let mut shown = prompt::credentials(global, &format!("Passphrase of {login}: "))?;
    if let Some(code) = &global.code {
        shown.set_code(Zeroizing::new(code.clone()));
    }
    if let Some(path) = &global.token_file {
        shown.set_token(prompt::token(path)?);
    }
    with_code(shown, |shown| way(&vault, login, shown))
}

/// Calls with what was given, and once more with a code from the terminal if it turns out that one is needed.
fn with_code<T>(
    mut shown: Credentials,
    mut call: impl FnMut(&Credentials) -> Result<T, UnlockError>,
) -> Result<T, CliError> {
    match call(&shown) {
        Err(UnlockError::CodeNeeded) if prompt::is_possible() => {
            shown.set_code(Zeroizing::new(prompt::line("Code of the second factor: ")?));
            Ok(call(&shown)?)
        }
        done => Ok(done?),
    }
}

/// Finds a tenant by its identifier, or by its name in whatever case.
fn find_tenant(session: &Session, named: &str) -> Result<TenantView, CliError> {
    let wanted = named.parse::<TenantId>().ok();
    let mut tenants = session.tenants()?.into_iter();
    tenants
        .find(|tenant| Some(tenant.id) == wanted || tenant.name.to_lowercase() == named.trim().to_lowercase())
        .ok_or_else(|| CliError::NoSuchTenant(named.to_owned()))
}

/// Finds an account or an invitation by its login or identifier.
fn find_account(session: &Session, named: &str) -> Result<AccountView, CliError> {
    let mut accounts = session.people()?.accounts.into_iter().filter(|account| account.state != AccountState::Left);
    accounts
        .find(|account| account.login == named.trim().to_ascii_lowercase() || account.id.to_string() == named)
        .ok_or_else(|| CliError::NoSuchAccount(named.to_owned()))
}

/// As [`find_account`], and of those that left the one that left last.
fn find_any_account(session: &Session, named: &str) -> Result<AccountView, CliError> {
    find_account(session, named).or_else(|error| {
        let mut accounts = session.people()?.accounts.into_iter().filter(|account| account.state == AccountState::Left);
        let login = named.trim().to_ascii_lowercase();
        accounts.find(|account| account.login == login || account.id.to_string() == named).ok_or(error)
    })
}

/// Everybody who has or had a login, or the one account of an identifier.
fn find_all_accounts(session: &Session, named: &str) -> Result<Vec<AccountView>, CliError> {
    let login = named.trim().to_ascii_lowercase();
    let is_meant = |account: &AccountView| account.login == login || account.id.to_string() == named;
    let accounts: Vec<_> = session.people()?.accounts.into_iter().filter(is_meant).collect();
    if accounts.is_empty() { Err(CliError::NoSuchAccount(named.to_owned())) } else { Ok(accounts) }
}

/// The proof that the passphrase was given just now. Unlocking a moment ago counts; a long-lived shell asks again.
fn fresh(session: &Session, global: &Global) -> Result<FreshAuthentication, CliError> {
    match session.authenticated_by_unlocking() {
        Some(proof) => Ok(proof),
        None => {
            with_code(prompt::credentials(global, "Your passphrase once more: ")?, |shown| session.authenticate(shown))
        }
    }
}

/// As [`fresh`], for what may take two people by the vault's rules. Whoever is named to second it is asked in any case.
fn fresh_for(session: &Session, global: &Global, guarded: Guarded) -> Result<FreshAuthentication, CliError> {
    let by_two = session.takes_two(guarded) || global.second.login.is_some();
    if by_two { fresh_by_two(session, global) } else { fresh(session, global) }
}

/// As [`fresh`], for giving somebody roles, which may take two people by the vault's rules.
fn fresh_to_appoint(
    session: &Session,
    global: &Global,
    before: Roles,
    after: Roles,
) -> Result<FreshAuthentication, CliError> {
    let by_two = session.takes_two_to_appoint(before, after) || global.second.login.is_some();
    if by_two { fresh_by_two(session, global) } else { fresh(session, global) }
}

/// As [`fresh`], for changing the identity provider or an account's mark, which may take two people by the vault's rules.
fn fresh_to_federate(
    session: &Session,
    global: &Global,
    account: Option<AccountId>,
) -> Result<FreshAuthentication, CliError> {
    let by_two = session.takes_two_to_federate(account) || global.second.login.is_some();
    if by_two { fresh_by_two(session, global) } else { fresh(session, global) }
}

/// Who is named to second something, and what they show.
fn second_person(global: &Global) -> Result<(&str, Credentials), CliError> {
    let Some(login) = &global.second.login else { return Err(CallError::SecondPersonNeeded.into()) };
    let (passphrase, key_file) = (&global.second.passphrase_file, &global.second.key_file);
    let question = format!("Passphrase of {login}, who seconds: ");
    let mut shown = prompt::credentials_of(passphrase.as_deref(), key_file.as_deref(), &question)?;
    if let Some(code) = &global.second.code {
        shown.set_code(Zeroizing::new(code.clone()));
    }
    if let Some(path) = &global.second.token_file {
        shown.set_token(prompt::token(path)?);
    }
    Ok((login, shown))
}

/// The proof that this account and another administrator's were authenticated just now.
fn fresh_by_two(session: &Session, global: &Global) -> Result<FreshAuthentication, CliError> {
    let (login, shown) = second_person(global)?;
    // Of this account first, so that the other's code is not used up in vain.
    let mut proof = fresh(session, global)?;
    with_code(shown, |shown| session.second(&mut proof, login, shown))?;
    Ok(proof)
}

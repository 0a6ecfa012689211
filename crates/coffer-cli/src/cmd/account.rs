//! `coffer account`: who may unlock the vault, and what happens when somebody comes or goes.

use std::io::Write;

use coffer_core::host::Host;
use coffer_core::view::{AccountState, AccountView, PeopleView, VaultMoveState};
use coffer_core::{ActivationCode, Invitation, SecretBytes, Session, Vault};
use coffer_model::account::{LoginName, Role, Roles};
use serde_json::json;
use zeroize::Zeroizing;

use super::{federation, find_account, fresh, fresh_to_appoint, key, kit, leaving, vault_folder, way_in};
use crate::args::{AccountCommand, CodeArgs, Global, RecoveryArgs};
use crate::error::CliError;
use crate::render::{Output, table, visible};
use crate::{job, prompt};

pub fn run(session: &Session, global: &Global, command: &AccountCommand, output: &Output) -> Result<(), CliError> {
    match command {
        AccountCommand::Invite { name, roles, code } => {
            let login: LoginName = name.parse().map_err(|_| CliError::Login(name.clone()))?;
            let roles = Roles::of(roles.roles.iter().copied());
            hand_over(code, output, || {
                Ok(session.invite(&login, roles, code.hours, fresh_to_appoint(session, global, Roles::NONE, roles)?)?)
            })
        }
        AccountCommand::Activate { .. } | AccountCommand::Recover { .. } => {
            Err(CliError::Usage("this command stands alone, without --login and outside `coffer shell`".to_owned()))
        }
        AccountCommand::RenewKeys { .. } => {
            Err(CliError::Usage("this command stands alone, outside `coffer shell`".to_owned()))
        }
        AccountCommand::List => Ok(output.answer(&session.people()?, people_text)?),
        AccountCommand::Roles { name, roles } => {
            let account = find_account(session, name)?;
            let roles = Roles::of(roles.roles.iter().copied());
            let before = Roles::of(account.roles.iter().copied());
            session.set_roles(account.id, roles, fresh_to_appoint(session, global, before, roles)?)?;
            let text = |account: &AccountView| format!("{} is {}", account.login, role_words(&account.roles));
            Ok(output.answer(&find_account(session, name)?, text)?)
        }
        AccountCommand::Passphrase { new_passphrase_file } => {
            let proof = fresh(session, global)?;
            let passphrase = prompt::another_new_passphrase(new_passphrase_file.as_deref())?;
            session.change_passphrase(&passphrase, proof)?;
            output.answer(&json!({ "changed": true }), |_| "the passphrase is changed".to_owned())?;
            output.note("copies and backups from before still open with the old one");
            Ok(())
        }
        AccountCommand::Ways => Ok(output.answer(&session.ways_in()?, way_in::text)?),
        AccountCommand::Factors(args) => way_in::change(session, global, args, output),
        AccountCommand::PersonalCode { code_file } => {
            way_in::make_personal_code(session, global, code_file.as_deref(), output)
        }
        AccountCommand::SecondFactor(command) => way_in::second_factor(session, global, command, output),
        AccountCommand::Provider(command) => federation::provider(session, global, command, output),
        AccountCommand::Federate(args) => federation::mark(session, global, args, output),
        AccountCommand::Offboard { name, within: Some(hours), secrets_within, .. } => {
            leaving::set(session, global, name, Some(*hours), *secrets_within, output)
        }
        AccountCommand::Offboard { name, secrets_only: true, secrets_within, .. } => {
            leaving::set(session, global, name, None, *secrets_within, output)
        }
        AccountCommand::Offboard { name, stay: true, .. } => leaving::keep(session, global, name, output),
        AccountCommand::Offboarding { name } => leaving::show(session, name, output),
        AccountCommand::Exposures { tenant, also, report } => {
            leaving::exposures(session, tenant.as_deref(), also.as_deref(), *report, output)
        }
        AccountCommand::CheckExposures { name } => leaving::check(session, name, output),
        AccountCommand::Offboard { name, secrets_within, stewards, .. } => {
            let account = find_account(session, name)?;
            session.remove_account(account.id, stewards.even_last_steward, fresh(session, global)?)?;
            let pending = job::run("replacing keys", || Ok::<_, CliError>(session.start_rekeying()))?;
            if let Some(days) = secrets_within {
                let by = leaving::later(session, leaving::days(*days))?;
                session.set_leaving(account.id, None, by, fresh(session, global)?)?;
            }
            let answer = json!({ "removed": account.login, "pending": pending });
            Ok(output.answer(&answer, |_| format!("{} has left\n{}", account.login, key::pending_text(&pending)))?)
        }
        AccountCommand::Reset { name, code, stewards } => {
            let account = find_account(session, name)?;
            hand_over(code, output, || {
                Ok(session.reset_account(
                    account.id,
                    code.hours,
                    stewards.even_last_steward,
                    fresh_to_appoint(session, global, Roles::NONE, Roles::of(account.roles.iter().copied()))?,
                )?)
            })?;
            let pending = job::run("replacing keys", || Ok::<_, CliError>(session.start_rekeying()))?;
            output.note(key::pending_text(&pending));
            Ok(())
        }
        AccountCommand::WithdrawInvitation { name } => {
            let account = find_account(session, name)?;
            session.withdraw_invitation(account.id)?;
            Ok(output.answer(&json!({ "withdrawn": account.login }), |_| {
                format!("the invitation of {} counts no longer", account.login)
            })?)
        }
    }
}

/// Makes the person with a code an account.
pub fn activate(
    host: &Host,
    global: &Global,
    code_file: Option<&std::path::Path>,
    output: &Output,
) -> Result<(), CliError> {
    let vault = Vault::open(host, vault_folder(global)?)?;
    let text = prompt::foreign_passphrase(code_file, "Activation code: ")?;
    let code = ActivationCode::parse_text(&String::from_utf8_lossy(&text))?;
    let login = vault.invited_login(&code)?;
    let other = global.login.as_ref().is_some_and(|named| named.to_ascii_lowercase() != login);
    if other {
        return Err(CliError::Usage(format!("the code is for {login}, not for another login")));
    }
    output.note(format!("choose a passphrase for {login}"));
    let session = vault.activate(&code, &prompt::new_passphrase(global)?)?;
    let view = session.view();
    session.lock()?;
    Ok(output.answer(&view, |view| format!("{} is an account of {} now", view.login, visible(&view.vault.name)))?)
}

/// Makes a new administrator by the recovery kit or its shares.
pub fn recover(host: &Host, global: &Global, name: &str, by: &RecoveryArgs, output: &Output) -> Result<(), CliError> {
    let vault = Vault::open(host, vault_folder(global)?)?;
    let login: LoginName = name.parse().map_err(|_| CliError::Login(name.to_owned()))?;
    let kit = kit::read(by.kit.as_deref(), &by.share, |shares| vault.join_shares(shares))?;
    let session = vault.recover(&kit, &login, &prompt::new_passphrase(global)?)?;
    let view = session.view();
    session.lock()?;
    output.answer(&view, |view| format!("{} is an administrator of {} now", view.login, visible(&view.vault.name)))?;
    output.note("it may read no tenant yet: take unused accounts away, then see `key recover --help`");
    Ok(())
}

/// Makes an invitation and hands its code over: into a new file, or in the answer. The file is made first, so that no
/// code is lost.
fn hand_over(
    args: &CodeArgs,
    output: &Output,
    invite: impl FnOnce() -> Result<Invitation, CliError>,
) -> Result<(), CliError> {
    let file = args.code_file.as_deref().map(|path| kit::new_private_file(path).map(|file| (path, file)));
    let file = file.transpose()?;
    let invitation = match (invite(), &file) {
        (Err(error), Some((path, _))) => {
            let _ = std::fs::remove_file(path);
            return Err(error);
        }
        (invitation, _) => invitation?,
    };
    let code = text_of(&invitation.code);
    let mut answer = json!({
        "account": invitation.account,
        "login": invitation.login,
        "expires_at": invitation.expires_at,
    });
    if let Some((path, mut file)) = file {
        let written =
            file.write_all(code.as_bytes()).and_then(|()| file.write_all(b"\n")).and_then(|()| file.sync_all());
        written.map_err(|reason| CliError::File { path: path.to_owned(), reason })?;
        output.answer(&answer, |_| format!("the activation code of {} is in {}", invitation.login, path.display()))?;
    } else {
        answer["code"] = json!(*code);
        output.answer(&answer, |_| format!("activation code of {}: {}", invitation.login, code.as_str()))?;
    }
    output.note(format!("it counts once, until {}; give it to the person and to nobody else", invitation.expires_at));
    Ok(())
}

fn text_of(code: &SecretBytes) -> Zeroizing<String> {
    Zeroizing::new(String::from_utf8_lossy(code.expose()).into_owned())
}

fn people_text(people: &PeopleView) -> String {
    let rows = people.accounts.iter().map(|account| {
        let grants = account.grants.iter().map(|grant| {
            let name = grant.tenant_name.clone().unwrap_or_else(|| grant.tenant.to_string());
            let ended = if grant.expired { ", ended" } else { "" };
            format!("{name} ({}{ended})", right_word(grant.right))
        });
        vec![
            account.login.clone(),
            state_words(account),
            role_words(&account.roles),
            grants.collect::<Vec<_>>().join(", "),
            account.fingerprint.clone(),
        ]
    });
    let mut text = table(&["LOGIN", "STATE", "ROLES", "GRANTS", "FINGERPRINT"], rows);
    if !people.pending.is_empty() {
        text.push('\n');
        text.push_str(&key::pending_text(&people.pending));
    }
    for moved in &people.moves {
        let became = match (moved.state, moved.ended_at) {
            (VaultMoveState::TakenUp, Some(at)) => format!(", taken up {at}"),
            (VaultMoveState::TakenBack, Some(at)) => format!(", taken back {at}"),
            _ => String::new(),
        };
        let by = moved.by.as_deref().unwrap_or("(unknown)");
        let line = format!("\nmoved {} by {by} from the computer \"{}\"{became}", moved.at, moved.device);
        text.push_str(&line);
    }
    text
}

fn state_words(account: &AccountView) -> String {
    match account.state {
        AccountState::Active if account.access_by.is_some() => {
            format!("leaves by {}", account.access_by.map_or_else(String::new, |by| by.to_string()))
        }
        AccountState::Active if account.key_pending => "active, waits for a key".to_owned(),
        AccountState::Active if account.federated => "active, by token".to_owned(),
        AccountState::Active => "active".to_owned(),
        AccountState::Invited => "invited".to_owned(),
        AccountState::Expired => "invitation expired".to_owned(),
        AccountState::Left => format!("left {}", account.since),
    }
}

pub(super) fn role_words(roles: &[Role]) -> String {
    let words = roles.iter().map(|role| match role {
        Role::Administrator => "administrator",
        Role::Auditor => "auditor",
        Role::Member => "member",
    });
    words.collect::<Vec<_>>().join(", ")
}

pub(super) const fn right_word(right: coffer_model::grant::Right) -> &'static str {
    match right {
        coffer_model::grant::Right::Reader => "reader",
        coffer_model::grant::Right::Editor => "editor",
        coffer_model::grant::Right::Steward => "steward",
    }
}

//! Accounts, what they may do, and the keys that change because of it. What asks for a passphrase, and what shows a code,
//! is a native window.

use std::sync::Arc;

use coffer_core::policy::Action;
use coffer_core::view::PeopleView;
use coffer_core::{AccountError, Invitation, Passphrase, Session, WayIn};
use coffer_model::account::{LoginName, Roles};
use coffer_model::id::AccountId;
use tauri::{AppHandle, Runtime};

use super::Held;
use super::args::Args;
use super::proof::{proof_for, proof_to_appoint};
use super::requests::{
    AccountInvite, AccountRemove, AccountReset, GrantGive, GrantWithdraw, Invited, Nothing, OneAccount, RolesSet,
};
use crate::jobs::Job;
use crate::native::words::fill;
use crate::native::{invitation, new_passphrase, reply};
use crate::refusal::Refusal;
use crate::shell::{Shell, UnlockProblem};
use crate::shown::Shown;
use crate::web;

/// Who there is, what they may do, and which keys are to be replaced.
#[tauri::command(async)]
pub(super) fn people_list(shell: Held<'_>, _args: Args<Nothing>) -> Result<PeopleView, Refusal> {
    shell.with(|session| session.people())
}

/// Asks for the passphrase once more, invites somebody and shows the code in a native window until it is closed; nothing if
/// the person declined.
#[tauri::command]
pub(super) async fn account_invite<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    args: Args<AccountInvite>,
) -> Result<Option<Invited>, Refusal> {
    let AccountInvite { login, roles, hours } = args.0;
    shell.with(administers)?;
    let login: LoginName = login.parse().map_err(|_| Refusal { code: "invalid_login" })?;
    let roles = Roles::of(roles);
    let reason = fill(&shell.words().step_invite, &[("login", login.as_str())]);
    let appointed = (Roles::NONE, roles);
    let Some(proof) = proof_to_appoint(&app, &shell, appointed, reason).await else { return Ok(None) };
    let invitation = shell.with(|session| session.invite(&login, roles, hours, proof))?;
    Ok(Some(hand_over(&app, &shell, invitation).await))
}

/// Takes an invitation back: its code counts no longer.
#[tauri::command(async)]
pub(super) fn invitation_withdraw(shell: Held<'_>, args: Args<OneAccount>) -> Result<(), Refusal> {
    shell.with(|session| session.withdraw_invitation(args.0.account))
}

/// Asks for the passphrase once more and gives an account other roles. `false` when the person declined.
#[tauri::command]
pub(super) async fn roles_set<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    args: Args<RolesSet>,
) -> Result<bool, Refusal> {
    let RolesSet { account, roles } = args.0;
    let (login, before) = shell.with(|session| known(session, account))?;
    let roles = Roles::of(roles);
    let reason = fill(&shell.words().step_roles, &[("login", &login)]);
    let Some(proof) = proof_to_appoint(&app, &shell, (before, roles), reason).await else { return Ok(false) };
    shell.with(|session| session.set_roles(account, roles, proof))?;
    Ok(true)
}

/// Asks for the passphrase once more and removes an account. `false` when the person declined.
#[tauri::command]
pub(super) async fn account_remove<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    args: Args<AccountRemove>,
) -> Result<bool, Refusal> {
    let AccountRemove { account, even_last_steward } = args.0;
    let (login, _) = shell.with(|session| known(session, account))?;
    let reason = fill(&shell.words().step_remove, &[("login", &login)]);
    let Some(proof) = proof_for(&app, &shell, reason).await else { return Ok(false) };
    shell.with(|session| session.remove_account(account, even_last_steward, proof))?;
    Ok(true)
}

/// Asks for the passphrase once more, removes an account and invites the same person anew; shows the code in a native
/// window until it is closed. Nothing if the person declined.
#[tauri::command]
pub(super) async fn account_reset<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    args: Args<AccountReset>,
) -> Result<Option<Invited>, Refusal> {
    let AccountReset { account, hours, even_last_steward } = args.0;
    let (login, roles) = shell.with(|session| known(session, account))?;
    let reason = fill(&shell.words().step_reset, &[("login", &login)]);
    let appointed = (Roles::NONE, roles);
    let Some(proof) = proof_to_appoint(&app, &shell, appointed, reason).await else { return Ok(None) };
    let invitation = shell.with(|session| session.reset_account(account, hours, even_last_steward, proof))?;
    Ok(Some(hand_over(&app, &shell, invitation).await))
}

/// Has the account's own passphrase changed in a native window. `false` when the person declined.
#[tauri::command]
pub(super) async fn passphrase_change<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    _args: Args<Nothing>,
) -> Result<bool, Refusal> {
    Ok(typed_passphrases(&app, &shell, false, change_passphrase).await?.is_some())
}

/// Asks for the account's passphrase and for a new one in a native window, until `work` is done with them; nothing if the
/// person declined. `renews`: the account gets other keys with it.
pub(super) async fn typed_passphrases<R: Runtime>(
    app: &AppHandle<R>,
    shell: &Arc<Shell>,
    renews: bool,
    work: fn(&Shell, &Shown, &Passphrase) -> Result<(), UnlockProblem>,
) -> Result<Option<()>, Refusal> {
    let view = shell.session_view().ok_or(Refusal::LOCKED)?;
    let ways = shell.with(|session| session.ways_in())?;
    let (shell, dialog) = (Arc::clone(shell), app.clone());
    let changed = reply::ask(app, move |reply| {
        let words = shell.words();
        let has_factor = ways.device_secret || ways.key_file;
        let before = new_passphrase::Before { known: shell.known(), has_factor, renews };
        let change: new_passphrase::Change = Arc::new(move |old, new| work(&shell, old, new));
        new_passphrase::show_change(
            words,
            web::gtk_window(&dialog).as_ref(),
            &view.vault.name,
            &view.login,
            before,
            change,
            reply,
        );
    });
    Ok(changed.await)
}

/// Changes the passphrase; key factors stay as they are.
fn change_passphrase(shell: &Shell, old: &Shown, new: &Passphrase) -> Result<(), UnlockProblem> {
    let proof = shell.authenticate(old)?;
    with_factors_of(shell, old, new, |way| shell.with(|session| session.change_way_in(way, proof)))?;
    shell.note_needs(old.key_file.as_deref());
    Ok(())
}

/// Does `work` with a way in by the new passphrase and the key factors of the one from before.
pub(super) fn with_factors_of(
    shell: &Shell,
    old: &Shown,
    new: &Passphrase,
    work: impl FnOnce(&WayIn<'_>) -> Result<(), Refusal>,
) -> Result<(), UnlockProblem> {
    let ways = shell.with(|session| session.ways_in())?;
    let content = if ways.key_file { old.key_file_content()? } else { None };
    if ways.key_file && content.is_none() {
        return Err(UnlockProblem::of("key_file_needed"));
    }
    let key_file = content.as_ref().map(|content| content.as_slice());
    let way = WayIn { passphrase: new, device_secret: ways.device_secret, key_file };
    Ok(work(&way)?)
}

/// Grants a tenant to an account, or changes what it may do there.
#[tauri::command(async)]
pub(super) fn grant_give(shell: Held<'_>, args: Args<GrantGive>) -> Result<(), Refusal> {
    let expires_at = args.0.expires_at()?;
    let GrantGive { tenant, account, right, .. } = args.0;
    shell.with(|session| session.grant(tenant, account, right, expires_at))
}

/// Takes a tenant from an account.
#[tauri::command(async)]
pub(super) fn grant_withdraw(shell: Held<'_>, args: Args<GrantWithdraw>) -> Result<(), Refusal> {
    let GrantWithdraw { tenant, account } = args.0;
    shell.with(|session| session.withdraw_grant(tenant, account))
}

/// Starts replacing every key that somebody holds who may not any more, as far as this account can.
#[tauri::command(async)]
pub(super) fn rekey_start(shell: Held<'_>, _args: Args<Nothing>) -> Result<Job, Refusal> {
    let job = shell.with(|session| Ok::<_, Refusal>(session.start_rekeying()))?;
    Ok(shell.jobs.follow(job, None))
}

/// Refuses, and has the engine log, whoever is no administrator, before any window asks for anything. The engine asks the
/// same again when it acts.
pub(super) fn administers(session: &Session) -> Result<(), Refusal> {
    Ok(session.require(Action::InvitePeople)?)
}

/// Login and roles of an account, for whoever administers people.
pub(super) fn known(session: &Session, account: AccountId) -> Result<(String, Roles), Refusal> {
    administers(session)?;
    let known = session.people()?.accounts.into_iter().find(|known| known.id == account);
    known.map(|known| (known.login, Roles::of(known.roles))).ok_or(AccountError::NoSuchAccount.into())
}

/// Shows an invitation's code until its window is closed. It is shown this once.
async fn hand_over<R: Runtime>(app: &AppHandle<R>, shell: &Arc<Shell>, made: Invitation) -> Invited {
    let invited = Invited { account: made.account, login: made.login.to_string(), expires_at: made.expires_at };
    let (shell, dialog) = (Arc::clone(shell), app.clone());
    let closed = reply::ask(app, move |reply| {
        invitation::show(shell, web::gtk_window(&dialog).as_ref(), made, reply);
    });
    // Closing the window is all the answer there is.
    let _: Option<()> = closed.await;
    invited
}

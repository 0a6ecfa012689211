//! Leaving by a deadline, the evidence of it, and the secrets that people have seen who are gone.

use std::time::Duration;

use coffer_core::Session;
use coffer_core::view::OffboardingView;
use coffer_model::time::Timestamp;
use tauri::{AppHandle, Runtime};

use super::Held;
use super::args::Args;
use super::people::known;
use super::proof::proof_for;
use super::requests::{ExposureReport, LeavingSet, Nothing, OneAccount, SecretsBySet};
use crate::jobs::Job;
use crate::native::words::fill;
use crate::refusal::Refusal;

/// Asks for the passphrase once more and states by when an account has to have left, and within how many days after that
/// the secrets it saw are to be others. `false` when the person declined.
#[tauri::command]
pub(super) async fn leaving_set<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    args: Args<LeavingSet>,
) -> Result<bool, Refusal> {
    let LeavingSet { account, hours, days } = args.0;
    let (login, _) = shell.with(|session| known(session, account))?;
    let reason = fill(&shell.words().step_leaving, &[("login", &login)]);
    let Some(proof) = proof_for(&app, &shell, reason).await else { return Ok(false) };
    shell.with(|session| {
        let access_by = later(session, u64::from(hours))?;
        let secrets_by = later(session, u64::from(hours) + u64::from(days) * 24)?;
        Ok::<_, Refusal>(session.set_leaving(account, Some(access_by), secrets_by, proof)?)
    })?;
    Ok(true)
}

/// Asks for the passphrase once more and states another day by when the secrets are to be others that an account saw, which
/// has left. `false` when the person declined.
#[tauri::command]
pub(super) async fn secrets_by_set<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    args: Args<SecretsBySet>,
) -> Result<bool, Refusal> {
    let SecretsBySet { account, days } = args.0;
    let (login, _) = shell.with(|session| known(session, account))?;
    let reason = fill(&shell.words().step_secrets_by, &[("login", &login)]);
    let Some(proof) = proof_for(&app, &shell, reason).await else { return Ok(false) };
    shell.with(|session| {
        let secrets_by = later(session, u64::from(days) * 24)?;
        Ok::<_, Refusal>(session.set_leaving(account, None, secrets_by, proof)?)
    })?;
    Ok(true)
}

/// Asks for the passphrase once more and states that an account stays. `false` when the person declined.
#[tauri::command]
pub(super) async fn account_keep<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    args: Args<OneAccount>,
) -> Result<bool, Refusal> {
    let account = args.0.account;
    let (login, _) = shell.with(|session| known(session, account))?;
    let reason = fill(&shell.words().step_keep, &[("login", &login)]);
    let Some(proof) = proof_for(&app, &shell, reason).await else { return Ok(false) };
    shell.with(|session| session.keep_account(account, proof))?;
    Ok(true)
}

/// How an account left, or is to leave.
#[tauri::command(async)]
pub(super) fn offboarding(shell: Held<'_>, args: Args<OneAccount>) -> Result<OffboardingView, Refusal> {
    shell.with(|session| session.offboarding(args.0.account))
}

/// Starts listing what people have seen who are gone, of every tenant that this account is a steward of.
#[tauri::command(async)]
pub(super) fn exposures_start(shell: Held<'_>, _args: Args<Nothing>) -> Result<Job, Refusal> {
    let job = shell.with(|session| session.start_exposures(None, None))?;
    Ok(shell.jobs.follow(job, None))
}

/// Starts telling administrators and auditors how far what an account saw in a tenant is changed.
#[tauri::command(async)]
pub(super) fn exposure_report_start(shell: Held<'_>, args: Args<ExposureReport>) -> Result<Job, Refusal> {
    let ExposureReport { tenant, account } = args.0;
    let job = shell.with(|session| session.start_exposure_report(tenant, account))?;
    Ok(shell.jobs.follow(job, None))
}

/// Starts comparing what stewards reported of an account with the log.
#[tauri::command(async)]
pub(super) fn exposure_check_start(shell: Held<'_>, args: Args<OneAccount>) -> Result<Job, Refusal> {
    let job = shell.with(|session| session.start_exposure_check(args.0.account))?;
    Ok(shell.jobs.follow(job, None))
}

/// So many hours from now.
fn later(session: &Session, hours: u64) -> Result<Timestamp, Refusal> {
    let after = i64::try_from(Duration::from_hours(hours).as_millis()).map_err(|_| Refusal::INVALID_REQUEST)?;
    let then = session.host().clock.now().unix_millis().saturating_add(after);
    Timestamp::from_unix_millis(then).map_err(|_| Refusal::INVALID_REQUEST)
}

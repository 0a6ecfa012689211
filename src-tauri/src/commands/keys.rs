//! The register of keys: what there is, who holds it, for how long it is used, and putting another in its place.

use coffer_core::view::{KeyAccessView, KeyRegisterView};
use coffer_model::key::KeyKind;

use super::Held;
use super::args::Args;
use super::requests::{Nothing, OneKey, PeriodsSet};
use crate::jobs::Job;
use crate::refusal::Refusal;

/// The keys, as far as the account may know of them.
#[tauri::command(async)]
pub(super) fn key_register(shell: Held<'_>, _args: Args<Nothing>) -> Result<KeyRegisterView, Refusal> {
    shell.with(|session| session.key_register())
}

/// Who holds which key.
#[tauri::command(async)]
pub(super) fn key_access(shell: Held<'_>, _args: Args<Nothing>) -> Result<KeyAccessView, Refusal> {
    shell.with(|session| session.key_access())
}

/// Puts another key in the place of one. A tenant is written anew as a whole, which is a job; nothing when it is done.
#[tauri::command(async)]
pub(super) fn key_rotate(shell: Held<'_>, args: Args<OneKey>) -> Result<Option<Job>, Refusal> {
    let (kind, tenant) = args.0.named()?;
    match (kind, tenant) {
        (KeyKind::Tenant, Some(tenant)) => {
            let job = shell.with(|session| session.start_rekey_tenant(tenant))?;
            return Ok(Some(shell.jobs.follow(job, None)));
        }
        (KeyKind::Directory, None) => shell.with(|session| session.rekey_directory())?,
        (KeyKind::Audit, None) => shell.with(|session| session.replace_audit_key())?,
        (KeyKind::Office, None) => shell.with(|session| session.replace_office_key())?,
        (KeyKind::Device, None) => shell.with(|session| session.replace_device_key())?,
        _ => return Err(Refusal::INVALID_REQUEST),
    }
    Ok(None)
}

/// States that a key may be in wrong hands.
#[tauri::command(async)]
pub(super) fn key_compromised(shell: Held<'_>, args: Args<OneKey>) -> Result<(), Refusal> {
    let (kind, tenant) = args.0.named()?;
    shell.with(|session| session.mark_compromised(kind, tenant))
}

/// Changes for how long keys are used; kinds that are not named stay as they are.
#[tauri::command(async)]
pub(super) fn periods_set(shell: Held<'_>, args: Args<PeriodsSet>) -> Result<(), Refusal> {
    shell.with(|session| {
        let periods = args.0.over(session.cryptoperiods()?)?;
        Ok::<_, Refusal>(session.set_cryptoperiods(&periods)?)
    })
}

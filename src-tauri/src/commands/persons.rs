//! A redacted twin of a tenant; a person in the data, found, handed over, erased. The web view starts these; the place of
//! a file and the account's passphrase are asked for in native windows, which say what is about to happen.

use std::sync::Arc;

use coffer_core::{SubjectErasureRequest, SubjectExportRequest, SubjectIdentifiers, TwinRequest};
use coffer_model::id::TenantId;
use coffer_model::policy::Guarded;
use coffer_model::record::Value;
use tauri::{AppHandle, Runtime};

use super::Held;
use super::args::Args;
use super::first_run::choose;
use super::requests::{SubjectErase, SubjectExport, SubjectFind, TenantTwin};
use super::transfer::proof;
use crate::jobs::Job;
use crate::native::files::Purpose;
use crate::refusal::Refusal;
use crate::shell::Shell;

/// Starts making a redacted twin.
#[tauri::command(async)]
pub(super) fn tenant_twin_start(shell: Held<'_>, args: Args<TenantTwin>) -> Result<Job, Refusal> {
    let TenantTwin { tenant, name, seed } = args.0;
    let job = shell.with(|session| {
        let name = name.parse().map_err(|_| Refusal { code: "invalid_tenant_name" })?;
        Ok::<_, Refusal>(session.start_twin(TwinRequest { source: tenant, name, seed })?)
    })?;
    Ok(shell.jobs.follow(job, None))
}

/// Starts looking for a person in everything that is kept of a tenant.
#[tauri::command(async)]
pub(super) fn subject_find_start(shell: Held<'_>, args: Args<SubjectFind>) -> Result<Job, Refusal> {
    let SubjectFind { tenant, identifiers } = args.0;
    let job = shell.with(|session| {
        Ok::<_, Refusal>(session.start_find_subject(tenant, SubjectIdentifiers::parse(identifiers)?)?)
    })?;
    Ok(shell.jobs.follow(job, None))
}

/// Asks where to and for the account's passphrase once more, then starts writing what is held about a person.
#[tauri::command]
pub(super) async fn subject_export_start<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    args: Args<SubjectExport>,
) -> Result<Option<Job>, Refusal> {
    let SubjectExport { tenant, identifiers, records } = args.0;
    let (name, identifiers) = asked_about(&shell, tenant, identifiers)?;
    let suggested = shell.words().subject_file_default.clone();
    let Some(file) = choose(&app, &shell, Purpose::SubjectTarget, &suggested).await else { return Ok(None) };
    let Some(proof) = proof(&app, &shell, Guarded::Export, &name, |words| &words.step_export_subject).await else {
        return Ok(None);
    };
    let request = SubjectExportRequest { tenant, identifiers, records, file };
    let job = shell.with(|session| session.start_export_subject(request, proof))?;
    Ok(Some(shell.jobs.follow(job, None)))
}

/// Asks for the account's passphrase once more, then starts erasing a person.
#[tauri::command]
pub(super) async fn subject_erase_start<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    args: Args<SubjectErase>,
) -> Result<Option<Job>, Refusal> {
    let SubjectErase { tenant, identifiers, records, history_only } = args.0;
    let (name, identifiers) = asked_about(&shell, tenant, identifiers)?;
    let Some(proof) = proof(&app, &shell, Guarded::Erase, &name, |words| &words.step_erase_subject).await else {
        return Ok(None);
    };
    let request = SubjectErasureRequest { tenant, identifiers, records, history_only };
    let job = shell.with(|session| session.start_erase_subject(request, proof))?;
    Ok(Some(shell.jobs.follow(job, None)))
}

/// The tenant's name and the identifiers, before anybody is asked anything.
fn asked_about(
    shell: &Arc<Shell>,
    tenant: TenantId,
    identifiers: Vec<Value>,
) -> Result<(String, SubjectIdentifiers), Refusal> {
    let tenants = shell.with(|session| session.tenants())?;
    let name = tenants.into_iter().find(|known| known.id == tenant).ok_or(Refusal::NOT_FOUND)?.name;
    Ok((name, SubjectIdentifiers::parse(identifiers)?))
}

//! Custodians of tenants' keys, and opening a tenant in an emergency. Who they are is asked for in native windows.

use std::sync::Arc;

use coffer_core::view::GlassView;
use tauri::{AppHandle, Runtime};

use super::Held;
use super::args::Args;
use super::proof::proof_for;
use super::requests::{GlassBreak, GlassPrepare, Nothing};
use crate::native::{reply, step_up};
use crate::refusal::Refusal;
use crate::web;

/// Tenants with custodians, and every time that custodians opened one.
#[tauri::command(async)]
pub(super) fn glass_list(shell: Held<'_>, _args: Args<Nothing>) -> Result<Vec<GlassView>, Refusal> {
    shell.with(|session| session.glass())
}

/// Asks for the passphrase once more and splits a tenant's key among custodians. `false` when the person declined.
#[tauri::command]
pub(super) async fn glass_prepare<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    args: Args<GlassPrepare>,
) -> Result<bool, Refusal> {
    let GlassPrepare { tenant, custodians } = args.0;
    shell.with(|session| session.glass())?;
    let reason = shell.words().step_custodians.clone();
    let Some(proof) = proof_for(&app, &shell, reason).await else { return Ok(false) };
    shell.with(|session| session.prepare_glass(tenant, &custodians, proof))?;
    Ok(true)
}

/// Asks for the passphrase once more, then for another custodian's login and passphrase, and opens the tenant. `false` when
/// either declined.
#[tauri::command]
pub(super) async fn glass_break<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    args: Args<GlassBreak>,
) -> Result<bool, Refusal> {
    let GlassBreak { tenant, reason, hours } = args.0;
    shell.with(|session| session.glass())?;
    let asked_for = shell.words().step_break.clone();
    let Some(proof) = proof_for(&app, &shell, asked_for.clone()).await else { return Ok(false) };
    let (shell, dialog) = (Arc::clone(&shell), app.clone());
    let opened = reply::ask(&app, move |reply| {
        let words = shell.words();
        let check: step_up::Check<()> =
            Arc::new(move |login, shown| shell.break_glass(tenant, (&reason, hours), (login, shown), &proof));
        let question = step_up::Question {
            window: &words.custodian_window,
            title: &words.custodian_title,
            reason: asked_for,
            wrong: ("unlock_refused", words.custodian_wrong.clone()),
            known: crate::shown::Known::default(),
            asks_login: true,
        };
        step_up::ask(words, web::gtk_window(&dialog).as_ref(), question, check, reply);
    });
    Ok(opened.await.is_some())
}

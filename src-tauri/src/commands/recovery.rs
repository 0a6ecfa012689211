//! The recovery in use: another one in its place, trusting it, and being steward by it. Kits and shares are written, chosen
//! and read on this side, and their codes typed in native windows.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use coffer_core::policy::Action;
use coffer_core::view::RecoveryView;
use coffer_core::{KitGroup, KitPlace, ReadKit, RecoveryKit, Split};
use coffer_model::policy::Guarded;
use tauri::{AppHandle, Runtime};
use zeroize::Zeroizing;

use super::Held;
use super::args::Args;
use super::first_run::choose;
use super::proof::proof_for_guarded;
use super::requests::{Nothing, RecoveryAccept, RecoveryRenew};
use crate::jobs::Job;
use crate::native::files::Purpose;
use crate::native::words::fill;
use crate::native::{kit_groups, papers, reply};
use crate::refusal::Refusal;
use crate::shell::Shell;
use crate::web;

/// Groups as they were typed again.
type Typed = Vec<(KitGroup, Zeroizing<String>)>;

/// The recovery in use, and whether this account trusts it.
#[tauri::command(async)]
pub(super) fn recovery(shell: Held<'_>, _args: Args<Nothing>) -> Result<RecoveryView, Refusal> {
    shell.with(|session| session.recovery())
}

/// Makes another kit, or shares, at a place the person chooses; has two groups of it typed again; asks for the passphrase
/// once more; and only then puts it in the place of the one before. `false` when the person declined, and nothing of it
/// remains.
#[tauri::command]
pub(super) async fn recovery_renew<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    args: Args<RecoveryRenew>,
) -> Result<bool, Refusal> {
    let split = args.0.split()?;
    shell.with(|session| session.require(Action::RenewRecovery))?;
    let Some(path) = choose_kit_place(&app, &shell, split).await? else { return Ok(false) };
    let mut place = KitPlace::make(&path, split)?;
    let kit = Arc::new(shell.with(|session| session.prepare_recovery(split))?);
    place.keep(&kit)?;
    shell.hold_kit_place(place)?;
    let renewed = put_in_place(&app, &shell, &kit).await;
    shell.drop_kit_place();
    renewed
}

/// Where a kit of the vault that is open is to be kept, or its shares.
pub(super) async fn choose_kit_place<R: Runtime>(
    app: &AppHandle<R>,
    shell: &Shell,
    split: Option<Split>,
) -> Result<Option<PathBuf>, Refusal> {
    let words = shell.words();
    let vault = shell.session_view().ok_or(Refusal::LOCKED)?.vault.name;
    let (purpose, suggested) = match split {
        None => (Purpose::Kit, &words.kit_file_default),
        Some(_) => (Purpose::Shares, &words.shares_folder_default),
    };
    Ok(choose(app, shell, purpose, &fill(suggested, &[("vault", &vault)])).await)
}

/// Has a kit that is kept typed again, asks for the passphrase, and puts it in the place of the one before.
async fn put_in_place<R: Runtime>(
    app: &AppHandle<R>,
    shell: &Arc<Shell>,
    kit: &Arc<RecoveryKit>,
) -> Result<bool, Refusal> {
    let Some(typed) = typed_again(app, shell, kit).await else { return Ok(false) };
    // Last, since it counts for two minutes only, and nobody looks groups up in a hurry.
    let reason = shell.words().step_recovery.clone();
    let Some(proof) = proof_for_guarded(app, shell, Guarded::Recover, reason).await else { return Ok(false) };
    // Locking takes the files away only once this is over.
    shell.with(|session| {
        let renewed = session.renew_recovery(kit, proof);
        // If the vault or the machine failed on the way, it may count.
        if renewed.as_ref().err().is_none_or(|error| !error.is_refusal()) {
            shell.stay_kit_place();
        }
        renewed?;
        let groups: Vec<_> = typed.iter().map(|(group, text)| (*group, text.as_str())).collect();
        // It counts, whether or not the log takes that somebody has read it.
        let _ = session.confirm_recovery_kit(kit, &groups);
        Ok::<_, Refusal>(true)
    })
}

/// Has two groups typed again, in a native window. Whether they are right is logged once the kit counts.
async fn typed_again<R: Runtime>(app: &AppHandle<R>, shell: &Arc<Shell>, kit: &Arc<RecoveryKit>) -> Option<Typed> {
    let typed = Arc::new(Mutex::new(Typed::new()));
    let asked = kit_groups::Asked::of(kit, &shell.host);
    let (shell, dialog, kit, kept) = (Arc::clone(shell), app.clone(), Arc::clone(kit), Arc::clone(&typed));
    let confirmed = reply::ask(app, move |reply| {
        let check: kit_groups::Check = Arc::new(move |groups| {
            let fits = groups.iter().all(|&(group, text)| kit.group_matches(group, text));
            let keep = |&(group, text): &(KitGroup, &str)| (group, Zeroizing::new(text.to_owned()));
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = groups.iter().map(keep).collect();
            Ok(fits)
        });
        kit_groups::show(shell.words(), web::gtk_window(&dialog).as_ref(), asked, check, reply);
    });
    confirmed.await?;
    let typed = std::mem::take(&mut *typed.lock().unwrap_or_else(PoisonError::into_inner));
    Some(typed)
}

/// Says that this account trusts the recovery in use, whose words the person has read from the paper and typed.
#[tauri::command(async)]
pub(super) fn recovery_accept(shell: Held<'_>, args: Args<RecoveryAccept>) -> Result<(), Refusal> {
    shell.with(|session| session.accept_recovery(&args.0.words))
}

/// Asks for the kit or shares, then for the passphrase once more, and starts making this account the steward of every tenant
/// that has none; nothing if the person declined.
#[tauri::command]
pub(super) async fn tenants_recover<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    _args: Args<Nothing>,
) -> Result<Option<Job>, Refusal> {
    shell.with(|session| session.require(Action::RecoverTenants))?;
    let Some(kit) = brought(&app, &shell).await else { return Ok(None) };
    let reason = shell.words().step_steward.clone();
    let Some(proof) = proof_for_guarded(&app, &shell, Guarded::Recover, reason).await else { return Ok(None) };
    let job = shell.with(|session| session.start_recover_tenants(kit, proof))?;
    Ok(Some(shell.jobs.follow(job, None)))
}

/// Has a kit or shares chosen, or typed, in a native window.
async fn brought<R: Runtime>(app: &AppHandle<R>, shell: &Arc<Shell>) -> Option<ReadKit> {
    let (shell, dialog) = (Arc::clone(shell), app.clone());
    let read = reply::ask(app, move |reply| {
        let words = shell.words();
        let question = papers::Question {
            window: &words.steward_window,
            title: &words.steward_title,
            text: words.steward_text.clone(),
            asks_login: false,
        };
        let check: papers::Check = Arc::new(move |brought, _| match brought {
            papers::Brought::Kit(kit) => Ok(kit),
            papers::Brought::Shares(shares) => {
                Ok(shell.with(|session| Ok::<_, Refusal>(session.join_shares(shares)))??)
            }
        });
        papers::ask(words, web::gtk_window(&dialog).as_ref(), question, check, reply);
    });
    read.await.map(|(kit, _)| kit)
}

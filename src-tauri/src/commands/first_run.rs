//! From an empty machine to an open vault. Every secret is typed in a native window, every path chosen in a dialog.

use std::path::PathBuf;
use std::sync::Arc;

use coffer_core::view::SessionView;
use coffer_core::{BackupIdentity, KitPlace, ReadKit, RecoveryKit, RestoreOptions, Split, join_shares};
use coffer_interchange::invented::{Firm, Invented};
use coffer_model::account::LoginName;
use coffer_model::record::RecordDraft;
use gtk::glib;
use tauri::{AppHandle, Runtime};

use super::Held;
use super::args::Args;
use super::recovery::choose_kit_place;
use super::requests::{Chosen, CreateVault, Nothing, SavedKit};
use crate::jobs::Job;
use crate::native::files::{self, Purpose};
use crate::native::{kit_groups, new_passphrase, papers, reply, unlock};
use crate::refusal::Refusal;
use crate::shell::Shell;
use crate::{storage, web};

/// Login of a demo vault.
const DEMO_LOGIN: &str = "demo";
/// Records of each tenant of a demo vault: enough to look real, few enough to be there in seconds.
const DEMO_RECORDS: usize = 2_000;
/// The same invented data every time.
const DEMO_SEED: u64 = 20_261_121;

/// Lets the person choose; the path stays on this side.
pub(super) async fn choose<R: Runtime>(
    app: &AppHandle<R>,
    shell: &Shell,
    purpose: Purpose,
    suggested: &str,
) -> Option<PathBuf> {
    let (words, suggested, dialog) = (shell.words(), suggested.to_owned(), app.clone());
    reply::ask(app, move |reply| {
        glib::MainContext::default().spawn_local(async move {
            let parent = web::gtk_window(&dialog);
            if let Some(path) = files::choose(purpose, parent.as_ref(), &suggested, words).await {
                reply.send(path);
            }
        });
    })
    .await
}

/// Where the new vault will be.
#[tauri::command]
pub(super) async fn choose_new_vault_place<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    _args: Args<Nothing>,
) -> Result<Option<Chosen>, Refusal> {
    let Some(path) = choose(&app, &shell, Purpose::NewVault, &shell.words().vault_name_default).await else {
        return Ok(None);
    };
    if path.exists() {
        return Err(Refusal { code: "place_taken" });
    }
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let (handle, _) = shell.keep_path(path);
    Ok(Some(Chosen { handle, name }))
}

/// Creates the vault; the passphrase is chosen in a native window.
#[tauri::command]
pub(super) async fn create_vault<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    args: Args<CreateVault>,
) -> Result<SessionView, Refusal> {
    let folder = shell.chosen.path(&args.0.handle)?;
    let login: LoginName = args.0.login.parse().map_err(|_| Refusal { code: "invalid_login" })?;
    found(&app, &shell, folder, login, NewKind::Real(args.0.split()?)).await
}

/// What a vault is made for.
#[derive(Clone, Copy)]
pub(crate) enum NewKind {
    /// Data, with recovery by one kit or split.
    Real(Option<Split>),
    /// Looking around.
    Demo,
}

/// Has a passphrase chosen and creates a vault with it.
async fn found<R: Runtime>(
    app: &AppHandle<R>,
    shell: &Arc<Shell>,
    folder: PathBuf,
    login: LoginName,
    kind: NewKind,
) -> Result<SessionView, Refusal> {
    refuse_unlocked(shell)?;
    let (shell, dialog) = (Arc::clone(shell), app.clone());
    let name = folder.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let created = reply::ask(app, move |reply| {
        let (words, typed_login) = (shell.words(), login.to_string());
        let create: new_passphrase::Use<SessionView> =
            Arc::new(move |passphrase| shell.create(&folder, login.clone(), passphrase, kind));
        new_passphrase::show(words, web::gtk_window(&dialog).as_ref(), &name, &typed_login, create, reply);
    });
    created.await.ok_or(Refusal::CANCELLED)
}

/// Saves the recovery kit as a file to print or keep, or its shares in a new folder.
#[tauri::command]
pub(super) async fn save_recovery_kit<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    _args: Args<Nothing>,
) -> Result<SavedKit, Refusal> {
    if !shell.is_unlocked() {
        return Err(Refusal::LOCKED);
    }
    let split = shell.kit().as_ref().map(RecoveryKit::split).ok_or(Refusal::NOT_FOUND)?;
    let Some(path) = choose_kit_place(&app, &shell, split).await? else {
        return Ok(SavedKit { saved: false, file_name: None });
    };
    let kit = shell.kit();
    let kit = kit.as_ref().ok_or(Refusal::NOT_FOUND)?;
    if split.is_some() {
        let mut place = KitPlace::make(&path, split)?;
        place.keep(kit)?;
        place.stay();
    } else {
        storage::replace_file(&path, kit.to_text().expose())?;
    }
    Ok(SavedKit { saved: true, file_name: path.file_name().map(|name| name.to_string_lossy().into_owned()) })
}

/// Has two groups of the recovery code typed again, in a native window.
#[tauri::command]
pub(super) async fn confirm_recovery_kit<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    _args: Args<Nothing>,
) -> Result<bool, Refusal> {
    if !shell.is_unlocked() {
        return Err(Refusal::LOCKED);
    }
    let asked = shell.kit().as_ref().map(|kit| kit_groups::Asked::of(kit, &shell.host)).ok_or(Refusal::NOT_FOUND)?;
    let (shell, dialog) = (Arc::clone(&shell), app.clone());
    let confirmed = reply::ask(&app, move |reply| {
        let words = shell.words();
        let check: kit_groups::Check = Arc::new(move |groups| {
            let kit = shell.kit();
            let kit = kit.as_ref().ok_or("not_found")?;
            let confirmed = shell.with(|session| session.confirm_recovery_kit(kit, groups));
            if confirmed == Ok(true) {
                shell.note_kit_confirmed();
            }
            confirmed.map_err(|refusal| refusal.code)
        });
        kit_groups::show(words, web::gtk_window(&dialog).as_ref(), asked, check, reply);
    });
    Ok(confirmed.await.is_some())
}

/// Ends the first run: the kit is dropped and cannot be shown again.
#[tauri::command(async)]
pub(super) fn finish_first_run(shell: Held<'_>, _args: Args<Nothing>) -> Result<(), Refusal> {
    if !shell.is_unlocked() {
        return Err(Refusal::LOCKED);
    }
    shell.forget_kit();
    Ok(())
}

/// One vault a process: what was shown of an open one goes with its process, so no other begins in it.
fn refuse_unlocked(shell: &Shell) -> Result<(), Refusal> {
    if shell.is_unlocked() { Err(Refusal::INVALID_REQUEST) } else { Ok(()) }
}

/// Opens a vault that exists: its folder from a dialog, login and passphrase from the unlock window.
#[tauri::command]
pub(super) async fn open_vault<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    _args: Args<Nothing>,
) -> Result<(), Refusal> {
    refuse_unlocked(&shell)?;
    let folder = choose(&app, &shell, Purpose::Vault, "").await.ok_or(Refusal::CANCELLED)?;
    let place = shell.remember_place(&folder)?;
    let (shell, dialog) = (Arc::clone(&shell), app.clone());
    let unlocked = reply::ask(&app, move |reply| {
        unlock::show(shell, web::gtk_window(&dialog).as_ref(), Some(&place.handle), reply);
    });
    unlocked.await.ok_or(Refusal::CANCELLED)
}

/// Restores a backup with its recovery kit, or shares of it, into a new folder, which is then a known vault.
#[tauri::command]
pub(super) async fn restore_backup_first_run<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    _args: Args<Nothing>,
) -> Result<Option<Job>, Refusal> {
    let Some(backup) = choose(&app, &shell, Purpose::Backup, "").await else { return Ok(None) };
    let Some(kit) = kit_of_backup(&app, &shell).await else { return Ok(None) };
    let suggested = &shell.words().vault_name_default;
    let Some(to) = choose(&app, &shell, Purpose::RestoreTarget, suggested).await else { return Ok(None) };
    let identity = BackupIdentity::RecoveryKit(kit);
    let job = coffer_core::start_restore(&shell.host, &backup, identity, &to, RestoreOptions::default());
    let restored = Arc::clone(&shell);
    Ok(Some(shell.jobs.follow(job, Some(Box::new(move |_| drop(restored.remember_place(&to)))))))
}

/// Has the kit or shares chosen, or typed, in a native window. Which backup they open is found out by opening it.
async fn kit_of_backup<R: Runtime>(app: &AppHandle<R>, shell: &Arc<Shell>) -> Option<ReadKit> {
    let (words, dialog) = (shell.words(), app.clone());
    let read = reply::ask(app, move |reply| {
        let question = papers::Question {
            window: &words.restore_window,
            title: &words.restore_title,
            text: words.restore_text.clone(),
            asks_login: false,
        };
        let check: papers::Check = Arc::new(|brought, _| match brought {
            papers::Brought::Kit(kit) => Ok(kit),
            papers::Brought::Shares(shares) => Ok(join_shares(shares)?),
        });
        papers::ask(words, web::gtk_window(&dialog).as_ref(), question, check, reply);
    });
    read.await.map(|(kit, _)| kit)
}

/// Makes a marked vault with invented data to look around in.
#[tauri::command]
pub(super) async fn create_demo_vault<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    _args: Args<Nothing>,
) -> Result<(), Refusal> {
    let parent = glib::user_data_dir().join("coffer");
    storage::create_private_folder(&parent)?;
    let folder = (1..).map(|number| parent.join(demo_name(number))).find(|folder| !folder.exists());
    let folder = folder.expect("numbers do not run out");
    let login: LoginName = DEMO_LOGIN.parse().expect("a constant login name");
    found(&app, &shell, folder, login, NewKind::Demo).await?;
    shell.forget_kit();
    let shell = Arc::clone(&shell);
    let filled = tauri::async_runtime::spawn_blocking(move || fill_demo(&shell));
    filled.await.unwrap_or(Err(Refusal::BUG))
}

fn demo_name(number: u32) -> String {
    let extension = coffer_core::EXTENSION;
    if number == 1 { format!("Demo.{extension}") } else { format!("Demo {number}.{extension}") }
}

fn fill_demo(shell: &Shell) -> Result<(), Refusal> {
    for firm in Firm::ALL {
        let name = firm.name().parse().expect("an invented firm has a name that fits");
        let tenant = shell.with(|session| session.create_tenant(&name))?;
        let records: Vec<RecordDraft> = Invented::new(firm, DEMO_SEED).take(DEMO_RECORDS).collect();
        shell.with(|session| session.add_records(tenant.id, records))?;
    }
    Ok(())
}

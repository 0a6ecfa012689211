//! Files of other programs that need a secret: opening one to import, writing one to export.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use coffer_core::{ExportRequest, FreshAuthentication, ImportRequest, Passphrase};
use coffer_interchange::source::{Format, KEY_FILE_BYTES, SourceKeys};
use coffer_model::event::ExportFormat;
use coffer_model::policy::Guarded;
use tauri::{AppHandle, Runtime};
use zeroize::Zeroizing;

use super::Held;
use super::args::Args;
use super::first_run::choose;
use super::proof::proof_for_guarded;
use super::requests::{ImportFile, ImportOpenFile, TenantExport};
use super::work::import_file;
use crate::jobs::Job;
use crate::native::files::Purpose;
use crate::native::new_passphrase::{self, Use};
use crate::native::words::{Words, fill};
use crate::native::{reply, step_up};
use crate::refusal::Refusal;
use crate::shell::Shell;
use crate::shown::{Known, Secret};
use crate::web;

/// Asks in native windows for what opens a file chosen for an import, and says how it would be understood. What opened
/// it is remembered with the handle.
#[tauri::command]
pub(super) async fn import_open_file<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    args: Args<ImportOpenFile>,
) -> Result<Option<ImportFile>, Refusal> {
    let ImportOpenFile { handle, tenant, key_file } = args.0;
    shell.with(|_| Ok::<_, Refusal>(()))?;
    let path = shell.chosen.path(&handle)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let size = std::fs::metadata(&path)?.len();
    let mut keys = SourceKeys::default();
    if key_file {
        let Some(chosen) = choose(&app, &shell, Purpose::SourceKeyFile, "").await else { return Ok(None) };
        keys.key_file = Some(read_key_file(&chosen)?);
    }
    let look = {
        let shell = Arc::clone(&shell);
        move |keys: SourceKeys| {
            let request = ImportRequest { keys, ..ImportRequest::new(path.clone(), tenant) };
            shell.with(|session| session.inspect_import(&request))
        }
    };
    if look(SourceKeys::default())?.format == Format::Archive.code() {
        // Encrypted to a key: there is no passphrase to be asked for.
        let preview = look(keys.clone())?;
        shell.chosen.keep_keys(&handle, keys);
        return Ok(Some(import_file(handle, name, size, preview)));
    }
    let opened = reply::ask(&app, {
        let (shell, dialog, handle, name) = (Arc::clone(&shell), app.clone(), handle.clone(), name.clone());
        move |reply| {
            let words = shell.words();
            let check: step_up::Check<_> = Arc::new(move |_, shown| {
                let Secret::Passphrase(passphrase) = &shown.secret else { return Err(Refusal::BUG.into()) };
                let passphrase = Some(Zeroizing::new(passphrase.expose().to_vec()));
                let keys = SourceKeys { passphrase, ..keys.clone() };
                let preview = look(keys.clone())?;
                shell.chosen.keep_keys(&handle, keys);
                Ok(preview)
            });
            let question = step_up::Question {
                window: &words.source_window,
                title: &words.source_title,
                reason: fill(&words.source_text, &[("file", &name)]),
                wrong: ("source_wrong_key", words.error("source_wrong_key")),
                known: Known::default(),
                asks_login: false,
            };
            step_up::ask(words, web::gtk_window(&dialog).as_ref(), question, check, reply);
        }
    });
    Ok(opened.await.map(|preview| import_file(handle, name, size, preview)))
}

fn read_key_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let mut bytes = Zeroizing::new(Vec::new());
    std::fs::File::open(path)?.take(KEY_FILE_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Asks where to, for the account's passphrase once more, and for the file's own where it is encrypted; then starts
/// writing a tenant's records to it.
#[tauri::command]
pub(super) async fn tenant_export_start<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    args: Args<TenantExport>,
) -> Result<Option<Job>, Refusal> {
    let format = args.0.format();
    let TenantExport { tenant, recipient, confirmation, .. } = args.0;
    let tenants = shell.with(|session| session.tenants())?;
    let name = tenants.into_iter().find(|known| known.id == tenant).ok_or(Refusal::NOT_FOUND)?.name;
    let (purpose, ending) = match format {
        ExportFormat::Csv => (Purpose::ExportCsv, "csv"),
        ExportFormat::Kdbx => (Purpose::ExportKdbx, "kdbx"),
        ExportFormat::Archive => (Purpose::ExportArchive, "tar"),
        ExportFormat::EncryptedArchive => (Purpose::ExportEncryptedArchive, "tar.age"),
    };
    let suggested = format!("{}.{ending}", name.replace(['/', '\0'], " "));
    let Some(file) = choose(&app, &shell, purpose, &suggested).await else { return Ok(None) };
    let Some(proof) = proof(&app, &shell, Guarded::Export, &name, |words| &words.step_export_tenant).await else {
        return Ok(None);
    };
    let passphrase = match format {
        ExportFormat::Csv | ExportFormat::Archive | ExportFormat::EncryptedArchive => None,
        ExportFormat::Kdbx => match file_passphrase(&app, &shell, &name).await {
            Some(passphrase) => Some(passphrase),
            None => return Ok(None),
        },
    };
    let recipients = recipient.into_iter().collect();
    let request = ExportRequest { passphrase, recipients, confirmation, ..ExportRequest::new(tenant, file, format) };
    let job = shell.with(|session| session.start_export(request, proof))?;
    Ok(Some(shell.jobs.follow(job, None)))
}

/// The account's passphrase once more, and another administrator's where the rules say so; `reason` names the tenant.
pub(super) async fn proof<R: Runtime>(
    app: &AppHandle<R>,
    shell: &Arc<Shell>,
    guarded: Guarded,
    tenant: &str,
    reason: fn(&Words) -> &str,
) -> Option<FreshAuthentication> {
    let reason = fill(reason(shell.words()), &[("tenant", tenant)]);
    proof_for_guarded(app, shell, guarded, reason).await
}

/// The passphrase that will open the exported file, chosen now.
async fn file_passphrase<R: Runtime>(
    app: &AppHandle<R>,
    shell: &Arc<Shell>,
    tenant: &str,
) -> Option<Zeroizing<Vec<u8>>> {
    let (shell, dialog, tenant) = (Arc::clone(shell), app.clone(), tenant.to_owned());
    let asked = reply::ask(app, move |reply| {
        let words = shell.words();
        let use_it: Use<_> = Arc::new(|passphrase: Passphrase| Ok(Zeroizing::new(passphrase.expose().to_vec())));
        let wording = new_passphrase::Wording {
            window: &words.new_window,
            title: &words.export_title,
            text: fill(&words.export_text, &[("tenant", &tenant)]),
            go_on: &words.step_continue,
            busy: &words.step_busy,
        };
        new_passphrase::show_worded(words, web::gtk_window(&dialog).as_ref(), wording, vec![tenant], use_it, reply);
    });
    asked.await
}

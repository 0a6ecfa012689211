//! Attachments: added and saved through dialogs of this process, shown inert, taken off and put back.

use coffer_core::view::{AttachmentPreview, RecordView};
use coffer_model::policy::Guarded;
use tauri::{AppHandle, Runtime};

use super::Held;
use super::args::Args;
use super::first_run::choose;
use super::proof::is_confirmed_anew;
use super::requests::{OneAttachment, OneRecord};
use crate::jobs::Job;
use crate::native::files::Purpose;
use crate::refusal::Refusal;

/// Asks for a file, and starts attaching it.
#[tauri::command]
pub(super) async fn attachment_add_start<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    args: Args<OneRecord>,
) -> Result<Option<Job>, Refusal> {
    shell.with(|_| Ok::<_, Refusal>(()))?;
    let Some(file) = choose(&app, &shell, Purpose::Attach, "").await else { return Ok(None) };
    let job = shell.with(|session| session.start_attach(args.0.id, &file))?;
    Ok(Some(shell.jobs.follow(job, None)))
}

/// Asks where to, and starts saving an attachment there.
#[tauri::command]
pub(super) async fn attachment_save_start<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    args: Args<OneAttachment>,
) -> Result<Option<Job>, Refusal> {
    let OneAttachment { id, attachment } = args.0;
    let record = shell.with(|session| session.open_record(id))?;
    let suggested = record.attachments.into_iter().find(|known| known.id == attachment);
    let suggested = suggested.ok_or(Refusal::NOT_FOUND)?.suggested_name;
    let Some(target) = choose(&app, &shell, Purpose::SaveAttachment, &suggested).await else { return Ok(None) };
    if !is_confirmed_anew(&app, &shell, Guarded::SaveFiles, |words| &words.step_save_file).await {
        return Ok(None);
    }
    let job = shell.with(|session| session.start_save_attachment(id, attachment, &target))?;
    Ok(Some(shell.jobs.follow(job, None)))
}

/// What can be shown of an attachment: text, or a picture's pixels.
#[tauri::command(async)]
pub(super) fn attachment_preview(shell: Held<'_>, args: Args<OneAttachment>) -> Result<AttachmentPreview, Refusal> {
    shell.with(|session| session.preview_attachment(args.0.id, args.0.attachment))
}

/// Takes an attachment off its record.
#[tauri::command(async)]
pub(super) fn attachment_detach(shell: Held<'_>, args: Args<OneAttachment>) -> Result<RecordView, Refusal> {
    shell.with(|session| session.detach(args.0.id, args.0.attachment))
}

/// Puts back what was taken off.
#[tauri::command(async)]
pub(super) fn attachment_reattach(shell: Held<'_>, args: Args<OneAttachment>) -> Result<RecordView, Refusal> {
    shell.with(|session| session.reattach(args.0.id, args.0.attachment))
}

//! What fields can do beyond holding a value: one-time codes, secrets made by chance, kinds and their templates.

use std::time::Duration;

use coffer_core::host::SecretBytes;
use coffer_core::view::KindView;

use super::Held;
use super::args::Args;
use super::requests::{
    Copied, KindRemove, KindSet, MadeSecret, Nothing, OneField, OneMade, SecretAssess, SecretGenerate, ShownCode,
};
use crate::refusal::Refusal;

/// The one-time code of this moment. Its seed does not leave the engine.
#[tauri::command(async)]
pub(super) fn code_show(shell: Held<'_>, args: Args<OneField>) -> Result<ShownCode, Refusal> {
    let OneField { id, field } = args.0;
    let code = shell.with(|session| session.totp_code(id, field))?;
    let (seconds_left, period_seconds) = (code.seconds_left, code.period_seconds);
    Ok(ShownCode { code: code.code.expose().to_owned(), seconds_left, period_seconds })
}

/// Puts the one-time code of this moment on the clipboard. It does not pass through the web view.
#[tauri::command(async)]
pub(super) fn code_copy(shell: Held<'_>, args: Args<OneField>) -> Result<Copied, Refusal> {
    let OneField { id, field } = args.0;
    let clear_after_seconds = shell.settings().clipboard_seconds;
    shell.with(|session| session.copy_code_for(id, field, Duration::from_secs(clear_after_seconds.into())))?;
    Ok(Copied { clear_after_seconds })
}

/// Makes a secret for a record that is being written. It stays in this process.
#[tauri::command(async)]
pub(super) fn secret_generate(shell: Held<'_>, args: Args<SecretGenerate>) -> Result<MadeSecret, Refusal> {
    let made = shell.with(|session| session.generate_secret(args.0.recipe))?;
    let handle = shell.keep_made(made.secret);
    Ok(MadeSecret { handle, entropy_bits: made.entropy_bits, score: made.score })
}

/// A secret that was made, because the person wants to see it before it is saved.
#[tauri::command(async)]
pub(super) fn secret_show(shell: Held<'_>, args: Args<OneMade>) -> Result<String, Refusal> {
    shell.with(|_| shell.made.secret(&args.0.handle)).map(|secret| secret.expose().to_owned())
}

/// Puts a secret that was made on the clipboard. It does not pass through the web view.
#[tauri::command(async)]
pub(super) fn secret_copy(shell: Held<'_>, args: Args<OneMade>) -> Result<Copied, Refusal> {
    let secret = shell.with(|_| shell.made.secret(&args.0.handle))?;
    let clear_after_seconds = shell.settings().clipboard_seconds;
    let bytes = SecretBytes::new(secret.expose().as_bytes().to_vec());
    let copied = shell.host.clipboard.copy_secret(bytes, Duration::from_secs(clear_after_seconds.into()));
    copied.map_err(|error| Refusal { code: error.code() })?;
    Ok(Copied { clear_after_seconds })
}

/// How soon a secret that is being typed would be guessed, from 0 (at once) to 4.
#[tauri::command(async)]
pub(super) fn secret_assess(shell: Held<'_>, args: Args<SecretAssess>) -> Result<u8, Refusal> {
    shell.with(|session| Ok::<_, Refusal>(session.estimate_secret(&args.0.value)))
}

/// Every kind of records with its template.
#[tauri::command(async)]
pub(super) fn kinds_list(shell: Held<'_>, _args: Args<Nothing>) -> Result<Vec<KindView>, Refusal> {
    shell.with(|session| session.kinds())
}

/// Gives the vault a kind of its own, or a kind it has another template.
#[tauri::command(async)]
pub(super) fn kind_set(shell: Held<'_>, args: Args<KindSet>) -> Result<KindView, Refusal> {
    shell.with(|session| session.set_kind(args.0.template))
}

/// Takes a kind of the vault's own away.
#[tauri::command(async)]
pub(super) fn kind_remove(shell: Held<'_>, args: Args<KindRemove>) -> Result<(), Refusal> {
    shell.with(|session| session.remove_kind(&args.0.kind))
}

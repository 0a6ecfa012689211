//! What opens one's own account, and the rules that an administrator sets about it. Passphrases, codes, seeds and key files
//! are typed, shown and chosen in native windows.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use coffer_core::policy::Action;
use coffer_core::view::{PolicyView, WaysInView};
use coffer_core::{ChangePassphraseError, Passphrase, SecretBytes, Session, WayIn, strength};
use coffer_model::account::Roles;
use coffer_model::policy::VaultPolicy;
use tauri::{AppHandle, Runtime};
use zeroize::Zeroizing;

use super::Held;
use super::args::Args;
use super::first_run::choose;
use super::people::{typed_passphrases, with_factors_of};
use super::proof::{ask, is_confirmed, proof_by_two, proof_for};
use super::requests::{KeyFactorsChange, KeyFileChange, Nothing, PolicySet};
use crate::lock::{self, After};
use crate::native::files::Purpose;
use crate::native::sheet::{self, Sheet};
use crate::native::words::{Words, fill};
use crate::native::{enrol, reply};
use crate::refusal::Refusal;
use crate::shell::{Shell, UnlockProblem};
use crate::shown::{self, Secret, Shown};
use crate::web;

/// Random bytes of a key file that is made here.
const KEY_FILE_BYTES: usize = 64;
/// Spare codes in a line.
const CODES_IN_LINE: usize = 2;
/// Groups of a personal recovery code in a line.
const GROUPS_IN_LINE: usize = 4;

/// Asks for passphrase and code once more: what the rules put under authentication anew may be done for a while. `false`
/// when the person declined.
#[tauri::command]
pub(super) async fn authenticate<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    _args: Args<Nothing>,
) -> Result<bool, Refusal> {
    shell.with(|_| Ok::<_, Refusal>(()))?;
    Ok(is_confirmed(&app, &shell, |words| &words.step_anew).await)
}

/// What opens the account that is unlocked.
#[tauri::command(async)]
pub(super) fn ways_in(shell: Held<'_>, _args: Args<Nothing>) -> Result<WaysInView, Refusal> {
    shell.with(|session| session.ways_in())
}

/// Changes what the passphrase needs beside it. `false` when the person declined.
#[tauri::command]
pub(super) async fn key_factors_change<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    args: Args<KeyFactorsChange>,
) -> Result<bool, Refusal> {
    let KeyFactorsChange { device_secret, key_file } = args.0;
    let now = shell.with(|session| session.ways_in())?;
    let words = shell.words();
    let file = match key_file {
        KeyFileChange::Keep if now.key_file => KeyFile::Shown,
        KeyFileChange::Keep | KeyFileChange::None => KeyFile::None,
        KeyFileChange::Choose => {
            let Some(path) = choose(&app, &shell, Purpose::KeyFile, "").await else { return Ok(false) };
            let content = shown::read_key_file(&path).map_err(|problem| Refusal { code: problem.code })?;
            KeyFile::Chosen(path, content)
        }
        KeyFileChange::Make => {
            let suggested = &words.key_file_default;
            let Some(path) = choose(&app, &shell, Purpose::NewKeyFile, suggested).await else { return Ok(false) };
            // One that is there may be what opens another account.
            if path.exists() {
                return Err(Refusal { code: "place_taken" });
            }
            let mut content = Zeroizing::new(vec![0; KEY_FILE_BYTES]);
            shell.host.random.fill(&mut content);
            KeyFile::Made(path, content)
        }
    };
    let reason = [
        Some(&words.step_keys),
        (device_secret && !now.device_secret).then_some(&words.step_keys_device_on),
        (!device_secret && now.device_secret).then_some(&words.step_keys_device_off),
        matches!(file, KeyFile::Chosen(..) | KeyFile::Made(..)).then_some(&words.step_keys_file),
        (now.key_file && matches!(file, KeyFile::None)).then_some(&words.step_keys_no_file),
    ];
    let reason = reason.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ");
    let changing = Arc::clone(&shell);
    let changed = ask(&app, &shell, reason, move |shown| change_factors(&changing, shown, device_secret, &file)).await;
    Ok(changed.is_some())
}

/// Has the account get other keys under a new passphrase, both typed in a native window, and locks: unlocking by the new one
/// completes it. `false` when the person declined.
#[tauri::command]
pub(super) async fn own_keys_renew<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    _args: Args<Nothing>,
) -> Result<bool, Refusal> {
    shell.with(may_change_own)?;
    let renewed = typed_passphrases(&app, &shell, true, renew_keys).await?.is_some();
    // Whatever came of it: once the keys are being made there is no session any more.
    if !shell.is_unlocked() {
        lock::lock_and_leave(&app, After::Unlock);
    }
    Ok(renewed)
}

/// Gives the account other keys; key factors stay as they are.
fn renew_keys(shell: &Shell, old: &Shown, new: &Passphrase) -> Result<(), UnlockProblem> {
    let proof = shell.authenticate(old)?;
    with_factors_of(shell, old, new, |way| {
        // What is refused leaves the session where it is.
        let keys = shell.with(|session| session.make_own_keys(way, proof))?;
        Ok(shell.take_session()?.renew_own_keys(keys)?)
    })
}

/// Which key file stands beside the passphrase from now on.
enum KeyFile {
    None,
    /// The one that was shown when the person authenticated.
    Shown,
    Chosen(PathBuf, Zeroizing<Vec<u8>>),
    Made(PathBuf, Zeroizing<Vec<u8>>),
}

fn change_factors(shell: &Shell, shown: &Shown, device_secret: bool, file: &KeyFile) -> Result<(), UnlockProblem> {
    // The slot is made anew, from the passphrase: a recovery code is none.
    let Secret::Passphrase(passphrase) = &shown.secret else { return Err(UnlockProblem::of("passphrase_needed")) };
    let proof = shell.authenticate(shown)?;
    let of_shown = shown.key_file_content()?;
    let (path, content) = match file {
        KeyFile::None => (None, None),
        KeyFile::Shown => (shown.key_file.as_ref(), of_shown.as_ref()),
        KeyFile::Chosen(path, content) | KeyFile::Made(path, content) => (Some(path), Some(content)),
    };
    if let KeyFile::Made(path, content) = file {
        write_new(path, content)?;
    }
    let way = WayIn { passphrase, device_secret, key_file: content.map(|content| content.as_slice()) };
    let changed = shell.with(|session| match session.change_way_in(&way, proof) {
        // A shorter passphrase was allowed with a key factor beside it.
        Err(ChangePassphraseError::Passphrase(strength::Refusal::TooShort { .. })) => {
            Err(Refusal { code: "passphrase_alone" })
        }
        changed => changed.map_err(Refusal::from),
    });
    if let (Err(_), KeyFile::Made(path, _)) = (&changed, file) {
        // It is nobody's.
        let _ = fs::remove_file(path);
    }
    changed?;
    shell.note_needs(path.map(PathBuf::as_path));
    Ok(())
}

fn write_new(path: &PathBuf, content: &[u8]) -> Result<(), Refusal> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    Ok(file.sync_all()?)
}

/// Makes a personal recovery code and shows it in a native window until that is closed. `false` when the person declined.
#[tauri::command]
pub(super) async fn personal_code_make<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    _args: Args<Nothing>,
) -> Result<bool, Refusal> {
    shell.with(may_change_own)?;
    let words = shell.words();
    let Some(proof) = proof_for(&app, &shell, words.step_personal.clone()).await else { return Ok(false) };
    let code = shell.with(|session| session.make_personal_code(proof))?;
    let lines = in_lines(code.expose().split(|byte| *byte == b' '), GROUPS_IN_LINE);
    let (vault, login) = names(&shell)?;
    let filled = |text: &str| fill(text, &[("login", &login), ("vault", &vault)]);
    let sheet = Sheet {
        window: words.personal_window.clone(),
        title: words.personal_title.clone(),
        text: filled(&words.personal_text),
        heading: filled(&words.personal_heading),
        lines,
        purpose: Purpose::PersonalCode,
        suggested: filled(&words.personal_file_default),
    };
    show(&app, words, sheet).await;
    Ok(true)
}

/// Has an authenticator take a seed in, in a native window; then shows the spare codes in another. `false` when the person
/// declined.
#[tauri::command]
pub(super) async fn second_factor_enrol<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    _args: Args<Nothing>,
) -> Result<bool, Refusal> {
    let offer = Arc::new(shell.with(|session| session.offer_second_factor())?);
    let mut problem = None;
    let spare = loop {
        let (showing, dialog, offered) = (Arc::clone(&shell), app.clone(), Arc::clone(&offer));
        let typed = reply::ask(&app, move |reply| {
            enrol::show(showing, web::gtk_window(&dialog).as_ref(), offered, problem, reply);
        });
        let Some(code) = typed.await else { return Ok(false) };
        let reason = shell.words().step_factor.clone();
        let Some(proof) = proof_for(&app, &shell, reason).await else { return Ok(false) };
        match shell.with(|session| session.enrol_second_factor(&offer, &code, proof)) {
            Ok(spare) => break spare,
            // The code's time was over before the passphrase was typed; the authenticator has the seed, though.
            Err(Refusal { code: code @ ("code_wrong" | "code_used") }) => problem = Some(code),
            Err(refusal) => return Err(refusal),
        }
    };
    shell.note_needs(None);
    hand_over(&app, &shell, &spare).await?;
    Ok(true)
}

/// Makes new spare codes and shows them in a native window until that is closed. `false` when the person declined.
#[tauri::command]
pub(super) async fn spare_codes_make<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    _args: Args<Nothing>,
) -> Result<bool, Refusal> {
    shell.with(may_change_own)?;
    let reason = shell.words().step_spare.clone();
    let Some(proof) = proof_for(&app, &shell, reason).await else { return Ok(false) };
    let spare = shell.with(|session| session.make_spare_codes(proof))?;
    hand_over(&app, &shell, &spare).await?;
    Ok(true)
}

/// Takes the second factor from the account. `false` when the person declined.
#[tauri::command]
pub(super) async fn second_factor_remove<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    _args: Args<Nothing>,
) -> Result<bool, Refusal> {
    shell.with(may_change_own)?;
    let reason = shell.words().step_factor_remove.clone();
    let Some(proof) = proof_for(&app, &shell, reason).await else { return Ok(false) };
    shell.with(|session| session.remove_second_factor(proof))?;
    shell.note_needs(None);
    Ok(true)
}

/// The rules of the vault.
#[tauri::command(async)]
pub(super) fn policy(shell: Held<'_>, _args: Args<Nothing>) -> Result<PolicyView, Refusal> {
    shell.with(|session| session.policy()).map(PolicyView::from)
}

/// Asks for the passphrase once more, and for another administrator's where something is taken out of the rule of two
/// people; then changes the rules. `false` when somebody declined.
#[tauri::command]
pub(super) async fn policy_set<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    args: Args<PolicySet>,
) -> Result<bool, Refusal> {
    let PolicySet { second_factor, step_up, two_people, kdf_memory_kib } = args.0;
    shell.with(|session| session.require(Action::SetPolicy))?;
    let after = VaultPolicy {
        second_factor: Roles::of(second_factor),
        step_up: step_up.into_iter().collect(),
        two_people: two_people.into_iter().collect(),
        kdf_memory_kib,
    };
    let before = shell.with(|session| session.policy())?;
    let reason = shell.words().step_rules.clone();
    let proof = if before.two_people.is_within(after.two_people) {
        proof_for(&app, &shell, reason).await
    } else {
        proof_by_two(&app, &shell, reason).await
    };
    let Some(proof) = proof else { return Ok(false) };
    shell.with(|session| session.set_policy(after, proof))?;
    Ok(true)
}

/// Refuses without a session, before any window asks for anything.
fn may_change_own(session: &Session) -> Result<(), Refusal> {
    Ok(session.require(Action::EnrolSecondFactor)?)
}

/// Shows spare codes until the window is closed. They are shown this once.
async fn hand_over<R: Runtime>(app: &AppHandle<R>, shell: &Shell, spare: &[SecretBytes]) -> Result<(), Refusal> {
    let words = shell.words();
    let (vault, login) = names(shell)?;
    let filled = |text: &str| fill(text, &[("login", &login), ("vault", &vault)]);
    let sheet = Sheet {
        window: words.spare_window.clone(),
        title: words.spare_title.clone(),
        text: words.spare_text.clone(),
        heading: filled(&words.spare_heading),
        lines: in_lines(spare.iter().map(SecretBytes::expose), CODES_IN_LINE),
        purpose: Purpose::SpareCodes,
        suggested: filled(&words.spare_file_default),
    };
    show(app, words, sheet).await;
    Ok(())
}

async fn show<R: Runtime>(app: &AppHandle<R>, words: &'static Words, sheet: Sheet) {
    let dialog = app.clone();
    let closed = reply::ask(app, move |reply| sheet::show(words, web::gtk_window(&dialog).as_ref(), sheet, reply));
    // Closing the window is all the answer there is.
    let _: Option<()> = closed.await;
}

/// What the vault and the account are called.
fn names(shell: &Shell) -> Result<(String, String), Refusal> {
    let view = shell.session_view().ok_or(Refusal::LOCKED)?;
    Ok((view.vault.name, view.login))
}

/// Codes, so many in a line.
fn in_lines<'c>(codes: impl Iterator<Item = &'c [u8]>, most: usize) -> Vec<SecretBytes> {
    let codes: Vec<&[u8]> = codes.collect();
    codes.chunks(most).map(|line| SecretBytes::new(line.join(&b"    "[..]))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_stand_so_many_in_a_line() {
        let codes = [&b"AAAAA"[..], b"BBBBB", b"CCCCC"];
        let lines = in_lines(codes.into_iter(), 2);
        let lines: Vec<&[u8]> = lines.iter().map(SecretBytes::expose).collect();
        assert_eq!(lines, [&b"AAAAA    BBBBB"[..], b"CCCCC"]);
    }

    #[test]
    fn a_key_file_is_made_private_and_takes_no_files_place() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        write_new(&path, b"content").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(write_new(&path, b"other").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"content");
    }
}

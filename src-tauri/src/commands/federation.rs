//! The identity provider, and the accounts that need its tokens. Tokens themselves are shown in native windows alone.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use coffer_core::policy::Action;
use coffer_core::view::{AccountState, ProviderView};
use coffer_core::{AccountError, KEY_SET_MAX, ProviderRequest};
use tauri::{AppHandle, Runtime};

use super::Held;
use super::args::Args;
use super::first_run::choose;
use super::proof::proof_to_federate;
use super::requests::{AccountFederate, Nothing, ProviderPin};
use crate::native::files::Purpose;
use crate::native::words::fill;
use crate::refusal::Refusal;

/// The identity provider that is pinned, if one is.
#[tauri::command(async)]
pub(super) fn provider(shell: Held<'_>, _args: Args<Nothing>) -> Result<Option<ProviderView>, Refusal> {
    shell.with(|session| session.provider())
}

/// Has the key set chosen in a dialog, asks for the passphrase once more, and pins the provider. `false` when somebody
/// declined.
#[tauri::command]
pub(super) async fn provider_pin<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    args: Args<ProviderPin>,
) -> Result<bool, Refusal> {
    let ProviderPin { issuer, audience, claim, days, choose_key_set } = args.0;
    shell.with(|session| session.require(Action::PinProvider))?;
    let key_set = if choose_key_set {
        let Some(path) = choose(&app, &shell, Purpose::KeySet, "").await else { return Ok(false) };
        Some(read(&path)?)
    } else {
        None
    };
    let reason = shell.words().step_provider.clone();
    let Some(proof) = proof_to_federate(&app, &shell, None, reason).await else { return Ok(false) };
    let request =
        ProviderRequest { issuer: &issuer, audience: &audience, claim: &claim, days, key_set: key_set.as_deref() };
    shell.with(|session| session.pin_provider(&request, proof))?;
    Ok(true)
}

/// Takes the provider away. `false` when somebody declined.
#[tauri::command]
pub(super) async fn provider_unpin<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    _args: Args<Nothing>,
) -> Result<bool, Refusal> {
    shell.with(|session| session.require(Action::PinProvider))?;
    let reason = shell.words().step_provider.clone();
    let Some(proof) = proof_to_federate(&app, &shell, None, reason).await else { return Ok(false) };
    shell.with(|session| session.unpin_provider(proof))?;
    Ok(true)
}

/// Says that an account needs tokens, or none any more. `false` when somebody declined.
#[tauri::command]
pub(super) async fn account_federate<R: Runtime>(
    app: AppHandle<R>,
    shell: Held<'_>,
    args: Args<AccountFederate>,
) -> Result<bool, Refusal> {
    let AccountFederate { account, subject } = args.0;
    shell.with(|session| session.require(Action::FederateAccount))?;
    let people = shell.with(|session| session.people())?;
    let mut active = people.accounts.into_iter().filter(|known| known.state == AccountState::Active);
    let known = active.find(|known| known.id == account).ok_or(AccountError::NoSuchAccount)?;
    let words = shell.words();
    let reason = if subject.is_some() { &words.step_federate } else { &words.step_federate_off };
    let reason = fill(reason, &[("login", &known.login)]);
    let Some(proof) = proof_to_federate(&app, &shell, Some(account), reason).await else { return Ok(false) };
    shell.with(|session| session.federate(account, subject.as_deref(), proof))?;
    Ok(true)
}

/// Reads a key set, and one byte more than it may have: the engine says what is too long.
fn read(path: &Path) -> Result<Vec<u8>, Refusal> {
    let mut content = Vec::with_capacity(KEY_SET_MAX + 1);
    File::open(path)?.take(KEY_SET_MAX as u64 + 1).read_to_end(&mut content)?;
    Ok(content)
}

//! That whoever is at the keyboard is who the session says, asked for in native windows; and that somebody else agrees, where
//! the rules of the vault say so.

use std::sync::{Arc, Mutex, PoisonError};

use coffer_core::FreshAuthentication;
use coffer_model::account::Roles;
use coffer_model::id::AccountId;
use coffer_model::policy::Guarded;
use tauri::{AppHandle, Runtime};

use crate::native::words::{Words, fill};
use crate::native::{reply, step_up};
use crate::refusal::Refusal;
use crate::shell::{Shell, UnlockProblem};
use crate::shown::Shown;
use crate::web;

/// Asks for the account's passphrase, with whatever else it asks for; nothing if the person declined. `reason` says what for.
pub(super) async fn proof_for<R: Runtime>(
    app: &AppHandle<R>,
    shell: &Arc<Shell>,
    reason: String,
) -> Option<FreshAuthentication> {
    let checking = Arc::clone(shell);
    ask(app, shell, reason, move |shown| checking.authenticate(shown)).await
}

/// As [`proof_for`], and asks for another administrator's as well where the rules put `guarded` under two people.
pub(super) async fn proof_for_guarded<R: Runtime>(
    app: &AppHandle<R>,
    shell: &Arc<Shell>,
    guarded: Guarded,
    reason: String,
) -> Option<FreshAuthentication> {
    if shell.takes_two(guarded) { proof_by_two(app, shell, reason).await } else { proof_for(app, shell, reason).await }
}

/// As [`proof_for_guarded`], for giving somebody roles.
pub(super) async fn proof_to_appoint<R: Runtime>(
    app: &AppHandle<R>,
    shell: &Arc<Shell>,
    (before, after): (Roles, Roles),
    reason: String,
) -> Option<FreshAuthentication> {
    if shell.takes_two_to_appoint(before, after) {
        proof_by_two(app, shell, reason).await
    } else {
        proof_for(app, shell, reason).await
    }
}

/// As [`proof_for_guarded`], for the identity provider, or an account's mark.
pub(super) async fn proof_to_federate<R: Runtime>(
    app: &AppHandle<R>,
    shell: &Arc<Shell>,
    account: Option<AccountId>,
    reason: String,
) -> Option<FreshAuthentication> {
    let by_two = shell.takes_two_to_federate(account);
    if by_two { proof_by_two(app, shell, reason).await } else { proof_for(app, shell, reason).await }
}

/// Asks for the account's passphrase and then for another administrator's login and passphrase.
pub(super) async fn proof_by_two<R: Runtime>(
    app: &AppHandle<R>,
    shell: &Arc<Shell>,
    reason: String,
) -> Option<FreshAuthentication> {
    // Of this account first, so that the other's code is not used up in vain.
    let proof = proof_for(app, shell, reason.clone()).await?;
    let proof = Mutex::new(Some(proof));
    let (shell, dialog) = (Arc::clone(shell), app.clone());
    let asked = reply::ask(app, move |reply| {
        let words = shell.words();
        let check: step_up::Check<FreshAuthentication> = Arc::new(move |login, shown| {
            let mut proof = proof.lock().unwrap_or_else(PoisonError::into_inner);
            let seconded = proof.as_mut().ok_or(Refusal::BUG)?;
            shell.second(seconded, login, shown)?;
            proof.take().ok_or(Refusal::BUG.into())
        });
        let question = step_up::Question {
            window: &words.second_window,
            title: &words.second_title,
            reason,
            wrong: ("unlock_refused", words.second_wrong.clone()),
            known: crate::shown::Known::default(),
            asks_login: true,
        };
        step_up::ask(words, web::gtk_window(&dialog).as_ref(), question, check, reply);
    });
    asked.await
}

/// Asks for the account's passphrase, with whatever else it asks for, until `check` takes it.
pub(super) async fn ask<R: Runtime, T: Send + 'static>(
    app: &AppHandle<R>,
    shell: &Arc<Shell>,
    reason: String,
    check: impl Fn(&Shown) -> Result<T, UnlockProblem> + Send + Sync + 'static,
) -> Option<T> {
    let (shell, dialog) = (Arc::clone(shell), app.clone());
    let asked = reply::ask(app, move |reply| {
        let words = shell.words();
        let login = shell.session_view().map(|view| view.login).unwrap_or_default();
        let question = step_up::Question {
            window: &words.step_window,
            title: &words.step_title,
            reason,
            wrong: ("unlock_refused", fill(&words.step_wrong, &[("login", &login)])),
            known: shell.known(),
            asks_login: false,
        };
        let check: step_up::Check<T> = Arc::new(move |_, shown| check(shown));
        step_up::ask(words, web::gtk_window(&dialog).as_ref(), question, check, reply);
    });
    asked.await
}

/// Whether the person authenticated. `reason` says what for.
pub(super) async fn is_confirmed<R: Runtime>(
    app: &AppHandle<R>,
    shell: &Arc<Shell>,
    reason: fn(&Words) -> &str,
) -> bool {
    proof_for(app, shell, reason(shell.words()).to_owned()).await.is_some()
}

/// As [`is_confirmed`], where the rules of the vault ask for authentication anew right now; `true` where they do not. For
/// work that asks itself only once it runs, when nobody can be asked any more.
pub(super) async fn is_confirmed_anew<R: Runtime>(
    app: &AppHandle<R>,
    shell: &Arc<Shell>,
    guarded: Guarded,
    reason: fn(&Words) -> &str,
) -> bool {
    !shell.asks_anew(guarded) || is_confirmed(app, shell, reason).await
}

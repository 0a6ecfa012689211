//! Several people on one vault, in the real windows: invited, activated, granted, removed.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use coffer_core::{Passphrase, UnlockError, Vault};

use crate::desk::{Desk, Web};

const ADMINISTRATOR: &str = "ines";
const MEMBER: &str = "mika";
const PASSPHRASE: &str = "marmot quilt harbour tuba fog";
const MEMBERS_PASSPHRASE: &str = "lantern pickle orbit sedan mist";
const CHANGED_PASSPHRASE: &str = "walnut ferry cobalt thimble dune";

#[tokio::test(flavor = "current_thread")]
async fn a_member_is_invited_activated_granted_one_tenant_and_after_leaving_opens_nothing() {
    let mut desk = Desk::new("light");
    let (vault, code) = (desk.path("Kanzlei.coffer"), desk.path("code.txt"));
    desk.start(&[
        ("COFFER_E2E_NEW_VAULT", vault.clone()),
        ("COFFER_E2E_KIT", desk.path("kit.txt")),
        ("COFFER_E2E_ACTIVATION_CODE", code.clone()),
    ]);
    let web = desk.web().await;
    web.found(ADMINISTRATOR, PASSPHRASE).await;
    create_tenant(&web, "ACME GmbH").await;
    create_tenant(&web, "Bauer & Co").await;
    web.press("People").await;
    web.see("Who may see what").await;
    web.inspect("50-people-alone").await;
    invite(&desk, &web).await;
    let text = fs::read_to_string(&code).unwrap();
    assert_eq!(text.split_whitespace().count(), 6);
    assert_eq!(fs::metadata(&code).unwrap().permissions().mode() & 0o777, 0o600);
    web.press_lock().await;

    activate(&desk, text.trim());
    let web = desk.web().await;
    web.see("No tenant is granted to you yet").await;
    web.inspect("57-nothing-granted").await;
    no_button(&web, "Backups").await;
    no_button(&web, "Log").await;
    change_passphrase(&desk, &web).await;
    web.press_lock().await;

    let web = unlock(&desk, ADMINISTRATOR, PASSPHRASE).await;
    grant(&web).await;
    web.press_lock().await;

    let web = unlock(&desk, MEMBER, CHANGED_PASSPHRASE).await;
    web.see("ACME GmbH").await;
    let seen = web.script("return document.querySelectorAll('.tenant').length").await;
    assert_eq!(seen, 1, "a member sees what was granted and nothing else");
    web.press("People").await;
    web.see("you").await;
    web.inspect("61-people-as-member").await;
    no_button(&web, "Invite").await;
    web.press_lock().await;

    let web = unlock(&desk, ADMINISTRATOR, PASSPHRASE).await;
    remove(&desk, &web).await;
    web.press_lock().await;
    refused(&desk, &vault);
}

async fn create_tenant(web: &Web<'_>, name: &str) {
    web.press("New tenant").await;
    web.fill("Name", name).await;
    web.press("Create").await;
    web.see("No records yet").await;
}

async fn invite(desk: &Desk, web: &Web<'_>) {
    web.press("Invite…").await;
    web.fill("Login name", MEMBER).await;
    web.inspect("51-invite").await;
    web.press("Make the code").await;
    desk.native("Confirm it is you");
    desk.picture("52-invite-step-up");
    desk.type_text(PASSPHRASE);
    desk.press(&["Return"]);
    let window = format!("Activation code of {MEMBER}");
    desk.native(&window);
    // The first button copies, the second saves.
    desk.press(&["space"]);
    desk.picture("53-activation-code-copied");
    assert_eq!(desk.clipboard().split_whitespace().count(), 6);
    desk.press(&["Tab", "space"]);
    desk.picture("54-activation-code-saved");
    assert!(!page(web).await.contains(desk.clipboard().trim()), "the web view never has the code");
    desk.press(&["Escape"]);
    desk.native_gone(&window);
    web.see("mika is invited").await;
    web.inspect("55-invited").await;
}

/// From the unlock window of the vault to an unlocked vault, with a code that is mistyped first.
fn activate(desk: &Desk, code: &str) {
    desk.native("Unlock Coffer");
    desk.picture("56-unlock-with-code");
    // Backwards from the passphrase, around to the last link.
    desk.press(&["shift+Tab", "shift+Tab", "shift+Tab", "space"]);
    desk.native("Activate an account");
    let mistyped: String = code.chars().enumerate().map(|(at, c)| if at == 1 { other(c) } else { c }).collect();
    desk.type_text(&mistyped);
    desk.press(&["Return"]);
    desk.picture("56-activation-mistyped");
    assert!(desk.is_native("Activate an account"));
    desk.press(&["ctrl+a"]);
    desk.type_text(code);
    desk.press(&["Return"]);
    desk.native("Choose a passphrase");
    desk.type_text(MEMBERS_PASSPHRASE);
    desk.press(&["Tab", "Tab"]);
    desk.type_text(MEMBERS_PASSPHRASE);
    desk.picture("56-activation-passphrase");
    desk.press(&["Return"]);
    desk.native_gone("Unlock Coffer");
}

/// Another character of the code's alphabet.
fn other(c: char) -> char {
    if c == '7' { '8' } else { '7' }
}

/// A wrong old one first, then the right one, in the same window.
async fn change_passphrase(desk: &Desk, web: &Web<'_>) {
    web.press("Settings").await;
    web.press("Change passphrase…").await;
    desk.native("Change passphrase");
    desk.type_text("not the passphrase at all");
    desk.press(&["Tab", "Tab"]);
    desk.type_text(CHANGED_PASSPHRASE);
    desk.press(&["Tab", "Tab"]);
    desk.type_text(CHANGED_PASSPHRASE);
    desk.press(&["Return"]);
    std::thread::sleep(std::time::Duration::from_secs(4));
    desk.picture("58-change-passphrase-refused");
    assert!(desk.is_native("Change passphrase"));
    desk.type_text(MEMBERS_PASSPHRASE);
    desk.picture("58-change-passphrase");
    desk.press(&["Return"]);
    desk.native_gone("Change passphrase");
    web.see("Your passphrase was changed").await;
    web.inspect("59-passphrase-changed").await;
}

async fn unlock<'d>(desk: &'d Desk, login: &str, passphrase: &str) -> Web<'d> {
    desk.native("Unlock Coffer");
    // The login remembered is somebody else's.
    desk.press(&["shift+Tab"]);
    desk.press(&["ctrl+a"]);
    desk.type_text(login);
    desk.press(&["Tab"]);
    desk.unlock(passphrase).await
}

async fn grant(web: &Web<'_>) {
    web.press("People").await;
    web.press("Grant ACME GmbH to mika").await;
    web.see("Have mika read these words to you").await;
    web.inspect("60-grant").await;
    web.find("//label[contains(normalize-space(.), \"Editor\")]").await.click().await.unwrap();
    web.find("//label[contains(normalize-space(.), \"The words are the same\")]").await.click().await.unwrap();
    web.find("//button[normalize-space(.) = \"Grant\"]").await.click().await.unwrap();
    web.see("mika was granted access").await;
    web.inspect("60-granted").await;
}

async fn remove(desk: &Desk, web: &Web<'_>) {
    web.press("People").await;
    web.press("Remove mika").await;
    web.fill("Type this login to confirm", MEMBER).await;
    web.inspect("62-leave").await;
    web.press("Remove…").await;
    desk.native("Confirm it is you");
    desk.type_text(PASSPHRASE);
    desk.press(&["Return"]);
    web.see("mika has left").await;
    web.see("Keys replaced").await;
    web.inspect("63-keys-replaced").await;
    web.press("Log").await;
    web.see("Gave a tenant a new key").await;
    web.inspect("64-log-of-people").await;
}

/// Five tries fail as any other does; from then on there are delays, and the window counts them down.
fn refused(desk: &Desk, vault: &std::path::Path) {
    desk.native("Unlock Coffer");
    desk.press(&["shift+Tab"]);
    desk.press(&["ctrl+a"]);
    desk.type_text(MEMBER);
    desk.press(&["Tab"]);
    for _ in 0..7 {
        desk.type_text(CHANGED_PASSPHRASE);
        desk.press(&["Return"]);
        std::thread::sleep(std::time::Duration::from_secs(3));
    }
    // The delay is four seconds by now.
    desk.type_text(CHANGED_PASSPHRASE);
    desk.press(&["Return"]);
    desk.picture("65-too-soon");
    assert!(desk.is_native("Unlock Coffer") && desk.web_processes().is_empty());
    let vault = Vault::open(&coffer_host::system("test"), vault).unwrap();
    // The window's own attempt may be under way, and there is one at a time.
    let mut tries = 0..60;
    let refused = loop {
        let passphrase = Passphrase::parse(CHANGED_PASSPHRASE.into()).unwrap();
        match vault.unlock(MEMBER, passphrase).unwrap_err() {
            UnlockError::HeldBy(_) if tries.next().is_some() => {
                std::thread::sleep(std::time::Duration::from_millis(500))
            }
            refused => break refused,
        }
    };
    assert!(matches!(refused, UnlockError::Refused | UnlockError::TooSoon { .. }), "{refused}");
}

async fn no_button(web: &Web<'_>, words: &str) {
    let count = format!(
        "return [...document.querySelectorAll('button')].filter((button) => button.textContent.trim().startsWith({words:?})).length"
    );
    assert_eq!(web.script(&count).await, 0, "{words}");
}

async fn page(web: &Web<'_>) -> String {
    web.script("return document.documentElement.innerHTML").await.as_str().unwrap().to_owned()
}

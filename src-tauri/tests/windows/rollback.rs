//! A vault that does not fit what is known of it, on a computer with a keyring: its folder was put back as it was earlier, or
//! its log does not fit its own state. Somebody may say what is to be done, in the unlock window, and the log keeps it.

use std::fs;
use std::process::Command;

use crate::desk::Desk;

const PASSPHRASE: &str = "marmot quilt harbour tuba fog";

#[tokio::test(flavor = "current_thread")]
async fn an_older_copy_put_back_and_a_log_that_does_not_fit_are_unlocked_only_on_somebodys_word() {
    let mut desk = Desk::new("light").with_keyring();
    desk.start(&[]);
    let web = desk.web().await;
    web.press("Look around").await;
    desk.choose_passphrase(PASSPHRASE);
    web.see("2,000 records").await;
    web.press_lock().await;
    desk.native("Unlock Coffer");

    let (vault, old) = (desk.path("data/coffer/Demo.coffer"), desk.path("old"));
    assert!(Command::new("cp").arg("-a").args([&vault, &old]).status().unwrap().success());
    let web = desk.unlock(PASSPHRASE).await;
    web.see("2,000 records").await;
    web.press_lock().await;
    desk.native("Unlock Coffer");
    fs::rename(&vault, desk.path("newer")).unwrap();
    fs::rename(&old, &vault).unwrap();

    desk.native("Unlock Coffer");
    desk.type_text(PASSPHRASE);
    desk.grows("Unlock Coffer", || desk.press(&["Return"]));
    desk.picture("95-older-copy");
    assert!(desk.is_native("Unlock Coffer"));
    // From the passphrase over what shows it and the main button.
    desk.press(&["Tab", "Tab", "Tab", "space"]);
    desk.native_gone("Unlock Coffer");
    let web = desk.web().await;
    web.see("2,000 records").await;
    web.press("Log").await;
    web.see("Accepted an older copy of the vault").await;
    web.inspect("96-older-copy-log").await;

    web.press_lock().await;
    desk.native("Unlock Coffer");
    fs::remove_file(vault.join("log.state")).unwrap();
    desk.native("Unlock Coffer");
    desk.type_text(PASSPHRASE);
    desk.grows("Unlock Coffer", || desk.press(&["Return"]));
    desk.picture("97-log-damaged");
    desk.press(&["Tab", "Tab", "Tab", "space"]);
    desk.native_gone("Unlock Coffer");
    let web = desk.web().await;
    web.press("Log").await;
    web.see("Began a new segment of the log, which did not fit").await;
}

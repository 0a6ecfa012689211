//! Moving to another computer, on screen: the vault is written to a file, the program locks, and the unlock window lets nobody
//! in but to write it once more or to take the move back.

use std::fs;

use crate::desk::Desk;

const PASSPHRASE: &str = "marmot quilt harbour tuba fog";

#[tokio::test(flavor = "current_thread")]
async fn a_vault_that_was_moved_is_not_used_here_until_somebody_takes_that_back() {
    for theme in ["light", "dark"] {
        let mut desk = Desk::new(theme);
        let file = desk.path("moved.age");
        desk.start(&[("COFFER_E2E_BACKUP_TARGET", file.clone())]);
        let web = desk.web().await;
        web.press("Look around").await;
        desk.choose_passphrase(PASSPHRASE);
        web.see("2,000 records").await;
        web.press("Backups").await;
        web.see("Move to another computer").await;
        web.inspect("100-move-offered").await;
        web.press("Move…").await;
        desk.native("Confirm it is you");
        desk.picture("101-move-step-up");
        desk.type_text(PASSPHRASE);
        desk.press(&["Return"]);
        // The program locks by itself, and says why before anybody types.
        desk.native("Unlock Coffer");
        assert!(file.exists());
        desk.native("Unlock Coffer");
        desk.picture("102-moved-locked");
        desk.type_text(PASSPHRASE);
        desk.press(&["Return"]);
        std::thread::sleep(std::time::Duration::from_secs(4));
        assert!(desk.is_native("Unlock Coffer"), "it is not unlocked");
        desk.picture("103-moved-refused");

        // Once more: from the passphrase over what shows it and the main button.
        fs::rename(&file, desk.path("lost.age")).unwrap();
        desk.press(&["Tab", "Tab", "Tab", "space"]);
        let began = std::time::Instant::now();
        while !file.exists() {
            assert!(began.elapsed() < crate::desk::PATIENCE, "it is not written once more");
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        std::thread::sleep(std::time::Duration::from_secs(1));
        desk.native("Unlock Coffer");
        desk.picture("104-moved-again");

        desk.type_text(PASSPHRASE);
        desk.press(&["Tab", "Tab", "Tab", "Tab", "space"]);
        desk.native_gone("Unlock Coffer");
        let web = desk.web().await;
        web.see("2,000 records").await;
        web.press("People").await;
        web.see("and taken back").await;
        web.inspect("105-move-taken-back").await;
        web.press("Log").await;
        web.see("Took a move to another computer back").await;
    }
}

//! What opens an account besides its passphrase, and the rules about it, in the real windows: an authenticator, spare codes,
//! a personal recovery code, a key file, and another administrator who agrees.

use std::collections::VecDeque;
use std::fs;
use std::path::PathBuf;

use coffer_crypto::totp::{CodeHash, CodeShape, derive_code};
use coffer_model::totp::TotpSeed;
use serde_json::Value;

use crate::desk::{Desk, PATIENCE, Web};

const FOUNDER: &str = "ines";
const SECOND: &str = "mika";
const PASSPHRASE: &str = "marmot quilt harbour tuba fog";
const SECONDS_PASSPHRASE: &str = "lantern pickle orbit sedan mist";

/// Codes that were saved, each good for once.
struct Spare(VecDeque<String>);

impl Spare {
    /// Reads the file of a sheet, codes of two groups, two in a line; and takes it away, so that nobody takes it for the
    /// next one's.
    fn read(path: &PathBuf) -> Self {
        let text = fs::read_to_string(path).unwrap();
        fs::remove_file(path).unwrap();
        let is_code = |code: &str| code.len() == 11 && code.chars().all(|c| c.is_ascii_alphanumeric() || c == ' ');
        let codes = text.lines().flat_map(|line| line.split("    ")).filter(|code| is_code(code));
        let codes: VecDeque<_> = codes.map(str::to_owned).collect();
        assert_eq!(codes.len(), 10, "{text}");
        Self(codes)
    }

    fn take(&mut self) -> String {
        self.0.pop_front().unwrap()
    }
}

#[tokio::test(flavor = "current_thread")]
async fn an_account_is_opened_by_more_than_its_passphrase() {
    let mut desk = Desk::new("dark");
    let spare_file = desk.path("spare.txt");
    desk.start(&[
        ("COFFER_E2E_NEW_VAULT", desk.path("Kanzlei.coffer")),
        ("COFFER_E2E_KIT", desk.path("kit.txt")),
        ("COFFER_E2E_ACTIVATION_CODE", desk.path("code.txt")),
        ("COFFER_E2E_SPARE_CODES", spare_file.clone()),
        ("COFFER_E2E_PERSONAL_CODE", desk.path("personal.txt")),
        ("COFFER_E2E_NEW_KEY_FILE", desk.path("coffer.key")),
        ("COFFER_E2E_EXPORT_KDBX", desk.path("acme.kdbx")),
    ]);
    let web = desk.web().await;
    web.found(FOUNDER, PASSPHRASE).await;
    web.press("New tenant").await;
    web.fill("Name", "ACME").await;
    web.press("Create").await;
    web.see("No records yet").await;

    open_account(&web).await;
    web.inspect("70-account").await;
    enrol(&desk, &web, PASSPHRASE, "71").await;
    let mut spare = Spare::read(&spare_file);
    web.see("The second factor is set up").await;
    web.inspect("72-account-with-factor").await;
    let personal = make_personal_code(&desk, &web, &mut spare).await;
    rules(&desk, &web, &mut spare).await;
    invite(&desk, &web, &mut spare).await;
    forget_that_a_code_is_needed(&desk);
    web.press_lock().await;

    let seconds_spare = second_administrator(&mut desk, &spare_file).await;
    unlock_with_code(&desk, &mut spare).await;
    let web = desk.web().await;
    by_two(&desk, &web, &mut spare, seconds_spare).await;
    make_key_file(&desk, &web, &mut spare).await;
    web.press_lock().await;

    by_personal_code(&desk, &personal, &mut spare);
    let web = desk.web().await;
    web.see("ACME").await;
    web.press("People").await;
    web.see("Second factor").await;
    web.inspect("86-people-with-factors").await;
    web.press("Log").await;
    web.see("Had another administrator agree").await;
    web.inspect("87-log").await;
    web.press_lock().await;

    desk.native("Unlock Coffer");
    desk.picture("88-unlock-key-file");
    let web = unlock(&desk, &spare.take()).await;
    web.see("ACME").await;
}

/// Goes to what opens the account.
async fn open_account(web: &Web<'_>) {
    web.press("Settings").await;
    web.scroll_to("Your account").await;
}

/// The code that an authenticator shows which took the seed in.
fn code(seed: &str) -> String {
    let seed = TotpSeed::parse(seed.trim()).unwrap();
    let shape = CodeShape { hash: CodeHash::Sha1, digits: seed.digits(), period_seconds: seed.period_seconds() };
    let now = coffer_host::system("test").clock.now().unix_millis() / 1_000;
    derive_code(seed.expose(), shape, u64::try_from(now).unwrap()).to_string()
}

/// A wrong code first, then the one of the seed on the clipboard; the spare codes are saved.
async fn enrol(desk: &Desk, web: &Web<'_>, passphrase: &str, picture: &str) {
    web.press("Set up…").await;
    desk.native("Set up an authenticator");
    desk.picture(&format!("{picture}-enrol"));
    desk.type_text("000000");
    desk.grows("Set up an authenticator", || desk.press(&["Return"]));
    desk.picture(&format!("{picture}-enrol-wrong"));
    desk.press(&["shift+Tab", "space"]);
    let seed = desk.clipboard_once(|copied| TotpSeed::parse(copied.trim()).is_ok());
    desk.picture(&format!("{picture}-enrol-copied"));
    assert!(!page(web).await.contains(seed.trim()), "the web view never has the seed");
    desk.press(&["Tab"]);
    desk.type_text(&code(&seed));
    desk.press(&["Return"]);
    desk.native("Confirm it is you");
    desk.type_text(passphrase);
    desk.press(&["Return"]);
    desk.native("Spare codes");
    desk.grows("Spare codes", || desk.press(&["space"]));
    desk.picture(&format!("{picture}-spare-codes"));
    desk.press(&["Escape"]);
    desk.native_gone("Spare codes");
}

/// Answers the window that asks once more, which asks for a code at once.
fn step_up(desk: &Desk, spare: &mut Spare) {
    desk.native("Confirm it is you");
    desk.type_text(PASSPHRASE);
    to_code(desk);
    desk.type_text(&spare.take());
    desk.press(&["Return"]);
}

/// From the passphrase, over the button that shows it, to the code.
fn to_code(desk: &Desk) {
    desk.press(&["Tab", "Tab"]);
}

async fn make_personal_code(desk: &Desk, web: &Web<'_>, spare: &mut Spare) -> String {
    web.press("Make a code…").await;
    desk.native("Confirm it is you");
    desk.picture("73-step-up-with-code");
    step_up(desk, spare);
    desk.native("Personal recovery code");
    desk.press(&["space"]);
    desk.picture("74-personal-code");
    desk.press(&["Escape"]);
    web.see("The personal recovery code was made").await;
    let text = fs::read_to_string(desk.path("personal.txt")).unwrap();
    let is_group = |word: &&str| word.len() == 5 && word.chars().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase());
    let groups: Vec<&str> = text.split_whitespace().filter(is_group).collect();
    assert_eq!(groups.len(), 8, "{text}");
    assert!(!page(web).await.contains(groups[0]), "the web view never has the code");
    groups.join(" ")
}

async fn rules(desk: &Desk, web: &Web<'_>, spare: &mut Spare) {
    web.scroll_to("Rules of this vault").await;
    web.press("Change…").await;
    web.find("//label[contains(normalize-space(.), \"Administrator\")]").await.click().await.unwrap();
    web.find("//input[@aria-label = \"Reading the log: Passphrase again\"]").await.click().await.unwrap();
    web.inspect("75-rules-change").await;
    web.press("Change the rules…").await;
    step_up(desk, spare);
    web.see("Reading the log").await;
    gone(web, "dialog").await;
    web.inspect("76-rules").await;
}

async fn invite(desk: &Desk, web: &Web<'_>, spare: &mut Spare) {
    web.press("People").await;
    web.press("Invite…").await;
    web.fill("Login name", SECOND).await;
    web.find("//dialog//label[contains(normalize-space(.), \"Administrator\")]").await.click().await.unwrap();
    web.press("Make the code").await;
    step_up(desk, spare);
    desk.native("Activation code of mika");
    desk.press(&["Tab", "space"]);
    desk.picture("77-invited");
    desk.press(&["Escape"]);
    web.see("mika is invited").await;
}

/// As on a machine where nobody has unlocked with a code yet.
fn forget_that_a_code_is_needed(desk: &Desk) {
    let path = desk.path("config/coffer/places.json");
    let mut places: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(places[0]["code"], true, "{places}");
    places[0]["code"] = false.into();
    fs::write(path, places.to_string()).unwrap();
}

/// Somebody new, of whom the rules ask a second factor before anything else.
async fn second_administrator(desk: &mut Desk, spare_file: &PathBuf) -> Spare {
    desk.native("Unlock Coffer");
    desk.press(&["shift+Tab", "shift+Tab", "shift+Tab", "space"]);
    desk.native("Activate an account");
    desk.type_text(fs::read_to_string(desk.path("code.txt")).unwrap().trim());
    desk.press(&["Return"]);
    desk.choose_passphrase(SECONDS_PASSPHRASE);
    desk.native_gone("Unlock Coffer");
    let web = desk.web().await;
    web.see("Set up your second factor").await;
    web.inspect("78-enrol-first").await;
    enrol(desk, &web, SECONDS_PASSPHRASE, "79").await;
    web.see("No tenants yet").await;
    let spare = Spare::read(spare_file);
    web.press_lock().await;
    spare
}

/// The code is asked for once the passphrase was right; wrong ones leave the passphrase where it is.
async fn unlock_with_code(desk: &Desk, spare: &mut Spare) {
    desk.native("Unlock Coffer");
    desk.press(&["shift+Tab", "ctrl+a"]);
    desk.type_text(FOUNDER);
    desk.press(&["Tab"]);
    desk.type_text(PASSPHRASE);
    desk.grows("Unlock Coffer", || desk.press(&["Return"]));
    desk.picture("80-unlock-code-asked");
    desk.type_text("000000");
    desk.grows("Unlock Coffer", || desk.press(&["Return"]));
    desk.picture("81-unlock-code-wrong");
    desk.type_text(&spare.take());
    desk.press(&["Return"]);
    desk.native_gone("Unlock Coffer");
}

/// An export under the rule of two people: the other administrator types login, passphrase and code.
async fn by_two(desk: &Desk, web: &Web<'_>, spare: &mut Spare, mut seconds: Spare) {
    web.press("Settings").await;
    web.scroll_to("Rules of this vault").await;
    web.press("Change…").await;
    web.find("//input[@aria-label = \"Exporting records: Two people\"]").await.click().await.unwrap();
    web.press("Change the rules…").await;
    step_up(desk, spare);
    gone(web, "dialog").await;
    web.press("ACME").await;
    desk.press(&["ctrl+k"]);
    web.see("Export tenant as KDBX…").await;
    desk.type_text("KDBX");
    desk.press(&["Return"]);
    step_up(desk, spare);
    desk.native("A second administrator");
    desk.picture("82-second-administrator");
    desk.type_text(SECOND);
    desk.press(&["Tab"]);
    desk.type_text(SECONDS_PASSPHRASE);
    desk.grows("A second administrator", || desk.press(&["Return"]));
    desk.picture("83-second-administrators-code");
    desk.type_text(&seconds.take());
    desk.press(&["Return"]);
    desk.picture("83-second-administrators-code-typed");
    desk.native_gone("A second administrator");
    desk.choose_passphrase(PASSPHRASE);
    web.see("exported").await;
    web.press("Done").await;
    assert!(desk.path("acme.kdbx").exists());
}

async fn make_key_file(desk: &Desk, web: &Web<'_>, spare: &mut Spare) {
    open_account(web).await;
    web.press("Make one…").await;
    desk.native("Confirm it is you");
    desk.picture("84-key-file-step-up");
    step_up(desk, spare);
    web.see("What your passphrase needs beside it was changed").await;
    web.inspect("84-key-file").await;
    assert_eq!(fs::read(desk.path("coffer.key")).unwrap().len(), 64);
}

/// Under *Forgot passphrase?*: the personal recovery code, without the key file.
fn by_personal_code(desk: &Desk, personal: &str, spare: &mut Spare) {
    desk.native("Unlock Coffer");
    fs::rename(desk.path("coffer.key"), desk.path("elsewhere.key")).unwrap();
    desk.type_text(PASSPHRASE);
    desk.press(&["Return"]);
    desk.picture("85-unlock-key-file-gone");
    // Backwards from the passphrase: login, vault, and the links from the last.
    desk.press(&["shift+Tab", "shift+Tab", "shift+Tab", "shift+Tab", "space"]);
    desk.picture("85-forgotten");
    desk.press(&["space"]);
    desk.type_text(personal);
    desk.picture("85-personal-code");
    fs::rename(desk.path("elsewhere.key"), desk.path("coffer.key")).unwrap();
    // Over the key file's two buttons to the code.
    desk.press(&["Tab", "Tab", "Tab"]);
    desk.type_text(&spare.take());
    desk.picture("85-personal-code-and-code");
    desk.press(&["Return"]);
    desk.native_gone("Unlock Coffer");
}

/// With everything remembered: passphrase, key file, code.
async fn unlock<'d>(desk: &'d Desk, code: &str) -> Web<'d> {
    desk.native("Unlock Coffer");
    desk.type_text(PASSPHRASE);
    // Over the button that shows it, and the key file's two.
    desk.press(&["Tab", "Tab", "Tab", "Tab"]);
    desk.unlock(code).await
}

/// Waits until nothing matches any more.
async fn gone(web: &Web<'_>, selector: &str) {
    let count = format!("return document.querySelectorAll({selector:?}).length");
    let began = std::time::Instant::now();
    while web.script(&count).await != 0 {
        assert!(began.elapsed() < PATIENCE, "{selector} is still there");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

async fn page(web: &Web<'_>) -> String {
    web.script("return document.documentElement.innerHTML").await.as_str().unwrap().to_owned()
}

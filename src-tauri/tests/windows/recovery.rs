//! Recovery in the real windows: renewed as a kit and as shares, trusted by a steward, and used when nobody can unlock any
//! more. Kits and shares never reach the web view.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use coffer_core::{ActivationCode, CreatedVault, NewVault, Passphrase, Session, Split, Vault};
use coffer_model::account::{Role, Roles};
use coffer_model::grant::Right;
use coffer_model::id::{AccountId, TenantId};
use coffer_model::record::RecordDraft;
use serde_json::json;

use crate::desk::{Desk, Web};

const ADMINISTRATOR: &str = "ines";
const STEWARD: &str = "otto";
const RECOVERED: &str = "ida";

#[tokio::test(flavor = "current_thread")]
async fn recovery_is_renewed_as_a_kit_and_as_shares_and_a_steward_trusts_it_from_the_paper() {
    let mut desk = Desk::new("light");
    let (kit, shares) = (desk.path("kit-2.txt"), desk.path("shares"));
    let (session, _) = vault(&desk, None);
    steward(session, &desk).1.lock().unwrap();
    desk.start(&[("COFFER_E2E_KIT", kit.clone()), ("COFFER_E2E_SHARES", shares.clone())]);
    let web = unlock(&desk, ADMINISTRATOR).await;
    web.press("Keys").await;
    web.see("No. 1, one kit").await;
    web.inspect("90-recovery").await;

    web.press("Renew recovery…").await;
    web.inspect("91-renew").await;
    web.press("Make it…").await;
    desk.native("Check the recovery kit");
    assert!(kit.exists());
    desk.press(&["Escape"]);
    web.see("Nothing was changed").await;
    assert!(!kit.exists(), "what does not count is taken away again");

    web.press("Make it…").await;
    let title = desk.native("Check the recovery kit");
    let code = code_of(&kit, "Recovery code", "To restore");
    type_groups(&desk, &asked(&title).map(|group| code[group - 1].clone()));
    confirm(&desk, ADMINISTRATOR);
    web.see("No. 2, one kit").await;
    // What is above the buttons stands still from then on.
    web.see("Keys replaced").await;
    let page = web.script("return document.documentElement.innerHTML").await;
    let page = page.as_str().unwrap();
    assert!(code.iter().all(|group| !page.contains(group.as_str())), "the web view never has the code");
    assert_eq!(fs::metadata(&kit).unwrap().permissions().mode() & 0o777, 0o600);

    renew_as_shares(&desk, &web, &shares).await;
    web.press_lock().await;

    let web = unlock(&desk, STEWARD).await;
    web.press("Keys").await;
    web.see("Recovery was renewed, and you have not said yet that you trust it").await;
    web.inspect("95-untrusted").await;
    web.press("Trust this recovery…").await;
    web.fill("The six words on the paper", "six words that are not these ones").await;
    web.press("Trust it").await;
    web.see("Those are other words").await;
    web.inspect("96-other-words").await;
    web.fill("The six words on the paper", &words_on(&shares.join("share-2-of-3.html"))).await;
    web.press("Trust it").await;
    web.see("You trust the recovery in use").await;
    web.see("2 of 3 shares").await;
    web.inspect("97-trusted").await;
    web.press_lock().await;
    desk.native("Unlock Coffer");
}

/// A wrong group first, in the same window.
async fn renew_as_shares(desk: &Desk, web: &Web<'_>, shares: &Path) {
    web.press("Renew recovery…").await;
    web.find("//dialog//label[contains(normalize-space(.), \"Shares for several people\")]")
        .await
        .click()
        .await
        .unwrap();
    web.fill("Shares", "3").await;
    web.fill("Needed together", "4").await;
    web.see("At least 2 are needed").await;
    web.fill("Needed together", "2").await;
    web.inspect("92-renew-as-shares").await;
    web.press("Make it…").await;
    let title = desk.native("Check the shares");
    // "share 1 group 5, share 3 group 11"
    let [first, second, third, fourth] = asked(&title);
    let code = |share: usize| code_of(&shares.join(format!("share-{share}-of-3.html")), "Share code", "To use it");
    desk.type_text("00000");
    desk.grows("Check the shares", || desk.press(&["Return"]));
    desk.picture("93-shares-wrong");
    desk.press(&["ctrl+a"]);
    type_groups(desk, &[code(first)[second - 1].clone(), code(third)[fourth - 1].clone()]);
    confirm(desk, ADMINISTRATOR);
    web.see("No. 3, 2 of 3 shares").await;
    web.see("Keys replaced").await;
    web.inspect("94-renewed").await;
    assert_eq!(fs::read_dir(shares).unwrap().count(), 3);
}

#[tokio::test(flavor = "current_thread")]
async fn shares_make_an_administrator_at_the_unlock_window_and_then_a_steward() {
    let mut desk = Desk::new("dark");
    let (session, tenant) = vault(&desk, Some(Split::new(2, 3).unwrap()));
    abandon(session, &desk, tenant);
    desk.start(&[]);

    desk.native("Unlock Coffer");
    // Backwards from the passphrase: login, vault, and the links from the last.
    desk.press(&["shift+Tab", "shift+Tab", "shift+Tab", "shift+Tab", "shift+Tab", "space"]);
    desk.picture("100-forgotten");
    desk.press(&["Tab", "space"]);
    desk.native("Recover the vault");
    desk.picture("101-recover");
    desk.press(&["space"]);
    desk.choose_file("Choose the recovery kit", &desk.path("share-1.html"));
    desk.native("Recover the vault");
    // Over the button to start over to the code from paper; what is mistyped is told at once.
    desk.press(&["Tab", "Tab"]);
    let mut code = code_of(&desk.path("share-3.html"), "Share code", "To use it");
    let right = std::mem::replace(&mut code[1], "AAAAB".to_owned());
    desk.type_text(&code.join(" "));
    desk.grows("Recover the vault", || desk.press(&["Return"]));
    desk.picture("102-mistyped");
    code[1] = right;
    desk.press(&["ctrl+a"]);
    desk.type_text(&code.join(" "));
    desk.press(&["Return"]);
    desk.press(&["Tab", "Tab"]);
    desk.type_text(ADMINISTRATOR);
    desk.grows("Recover the vault", || desk.press(&["Return"]));
    desk.picture("103-login-taken");
    desk.press(&["ctrl+a"]);
    desk.type_text(RECOVERED);
    desk.picture("104-two-of-three");
    desk.press(&["Return"]);
    desk.native("Choose a passphrase");
    desk.picture("105-passphrase");
    desk.choose_passphrase(&words_of(RECOVERED));
    desk.native_gone("Unlock Coffer");

    let web = desk.web().await;
    web.see("No tenants yet").await;
    web.press("Log").await;
    web.see("Used the recovery kit").await;
    web.inspect("106-log").await;
    web.press("Keys").await;
    web.see("who has the recovery kit can, as nobody is a steward").await;
    web.inspect("107-nobody-is-steward").await;
    web.press("Become steward…").await;
    let window = "Become steward by the recovery kit";
    bring(&desk, window, &["share-2.html", "share-1.html"].map(|share| desk.path(share)));
    desk.picture("108-become-steward");
    desk.press(GO_ON);
    confirm(&desk, RECOVERED);
    web.see("This account is steward of 1 tenant that had none").await;
    web.see("ACME GmbH").await;
    web.inspect("109-steward").await;
    web.press_lock().await;
    desk.native("Unlock Coffer");
    desk.picture("110-unlock-as-new-administrator");
}

/// Split from the first day. On a computer that has never seen the vault two of the shares open its backup.
#[tokio::test(flavor = "current_thread")]
async fn recovery_is_split_at_the_first_run_and_shares_open_a_backup_elsewhere() {
    let mut desk = Desk::new("dark");
    let [vault, shares, backup] = ["Kanzlei.coffer", "shares", "office.age"].map(|name| desk.path(name));
    desk.start(&[
        ("COFFER_E2E_NEW_VAULT", vault),
        ("COFFER_E2E_SHARES", shares.clone()),
        ("COFFER_E2E_BACKUP_TARGET", backup.clone()),
    ]);
    let web = desk.web().await;
    web.press("Create a vault").await;
    web.press("Choose name and place").await;
    web.fill("Login name", ADMINISTRATOR).await;
    web.inspect("111-first-run-kit").await;
    web.find("//main//label[contains(normalize-space(.), \"Shares for several people\")]").await.click().await.unwrap();
    web.fill("Shares", "3").await;
    web.fill("Needed together", "2").await;
    web.inspect("112-first-run-shares").await;
    web.press("Continue to the passphrase").await;
    desk.choose_passphrase(&words_of(ADMINISTRATOR));
    web.see("Your recovery shares").await;
    web.press("Save…").await;
    web.see("Saved in shares").await;
    web.inspect("113-shares-saved").await;
    assert_eq!(fs::read_dir(&shares).unwrap().count(), 3);
    web.press("Confirm…").await;
    let [first, second, third, fourth] = asked(&desk.native("Check the shares"));
    let code = |share: usize| code_of(&shares.join(format!("share-{share}-of-3.html")), "Share code", "To use it");
    type_groups(&desk, &[code(first)[second - 1].clone(), code(third)[fourth - 1].clone()]);
    web.press("Open the vault").await;
    web.press("New tenant").await;
    web.fill("Name", "ACME GmbH").await;
    web.press("Create").await;
    web.press("Keys").await;
    web.see("No. 1, 2 of 3 shares").await;
    web.press("Backups").await;
    web.press("Export…").await;
    confirm(&desk, ADMINISTRATOR);
    web.see("office.age").await;

    let mut elsewhere = Desk::new("light");
    let restored = elsewhere.path("Restored.coffer");
    elsewhere.start(&[
        ("COFFER_E2E_BACKUP", backup),
        ("COFFER_E2E_RESTORE_TARGET", restored.clone()),
        ("COFFER_E2E_VAULT", restored),
    ]);
    let web = elsewhere.web().await;
    web.press("Restore from a backup").await;
    let window = "Restore by the recovery kit";
    bring(&elsewhere, window, &[shares.join("share-3-of-3.html")]);
    elsewhere.grows(window, || elsewhere.press(GO_ON));
    elsewhere.picture("114-too-few");
    bring(&elsewhere, window, &[shares.join("share-1-of-3.html")]);
    elsewhere.picture("115-two-of-three");
    elsewhere.press(GO_ON);
    web.see("Restored into the new folder").await;
    web.press("Open a vault").await;
    elsewhere.native("Unlock Coffer");
    elsewhere.type_text(ADMINISTRATOR);
    elsewhere.press(&["Tab"]);
    elsewhere.type_text(&words_of(ADMINISTRATOR));
    elsewhere.press(&["Return"]);
    web.see("ACME GmbH").await;
}

/// From the button to choose papers over the one to start over, the code, the one that adds it, and the one that cancels.
pub const GO_ON: &[&str] = &["Tab", "Tab", "Tab", "Tab", "Tab", "space"];

/// Chooses papers in the window that asks for them, which then waits for more.
pub fn bring(desk: &Desk, window: &str, papers: &[PathBuf]) {
    for paper in papers {
        desk.native(window);
        desk.press(&["space"]);
        desk.choose_file("Choose the recovery kit", paper);
    }
    desk.native(window);
}

/// Numbers in a window's title.
fn asked<const N: usize>(title: &str) -> [usize; N] {
    let words = title.split(|c: char| !c.is_ascii_digit());
    let numbers: Vec<usize> = words.filter_map(|word| word.parse().ok()).collect();
    numbers.try_into().unwrap()
}

fn type_groups(desk: &Desk, groups: &[String; 2]) {
    desk.type_text(&groups[0]);
    desk.press(&["Tab", "ctrl+a"]);
    desk.type_text(&groups[1]);
    desk.press(&["Return"]);
}

fn code_of(file: &Path, heading: &str, next: &str) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let code = text.split_once(&format!("{heading}\n")).unwrap().1.split_once(next).unwrap().0;
    code.split_whitespace().map(str::to_owned).collect()
}

fn words_on(page: &Path) -> String {
    let text = fs::read_to_string(page).unwrap();
    text.lines().find_map(|line| line.strip_prefix("Fingerprint")).unwrap().trim().to_owned()
}

/// Unlocks for somebody, whoever the window has in mind.
async fn unlock<'d>(desk: &'d Desk, login: &str) -> Web<'d> {
    desk.native("Unlock Coffer");
    desk.press(&["shift+Tab"]);
    desk.press(&["ctrl+a"]);
    desk.type_text(login);
    desk.press(&["Tab"]);
    desk.unlock(&words_of(login)).await
}

fn confirm(desk: &Desk, login: &str) {
    desk.native("Confirm it is you");
    desk.picture("99-confirm");
    desk.type_text(&words_of(login));
    desk.press(&["Return"]);
    desk.native_gone("Confirm it is you");
}

fn words_of(login: &str) -> String {
    format!("seven slow herons wade past {login}")
}

fn passphrase_of(login: &str) -> Passphrase {
    Passphrase::parse(words_of(login).into_bytes()).unwrap()
}

/// A vault that the program knows, with a tenant; its shares, if it has any, lie beside it.
fn vault(desk: &Desk, split: Option<Split>) -> (Session, TenantId) {
    let folder = desk.path("Kanzlei.coffer");
    let host = coffer_host::system("test");
    let login = ADMINISTRATOR.parse().unwrap();
    let new = NewVault { login, passphrase: passphrase_of(ADMINISTRATOR), demo: false, split };
    let CreatedVault { session, kit } = Vault::create(&host, &folder, new).unwrap();
    for file in kit.share_files() {
        fs::write(desk.path(&format!("share-{}.html", file.number)), file.page.expose()).unwrap();
    }
    let acme = session.create_tenant(&"ACME GmbH".parse().unwrap()).unwrap().id;
    let draft = RecordDraft {
        kind: "note".parse().unwrap(),
        title: "Emergency plan".to_owned(),
        fields: Vec::new(),
        tags: Vec::new(),
        notes: "In the safe.".to_owned(),
    };
    session.add_record(acme, draft).unwrap();
    let known = json!([{"handle": "0", "name": "Kanzlei", "folder": folder, "login": ADMINISTRATOR}]);
    fs::write(desk.path("config/coffer/places.json"), known.to_string()).unwrap();
    (session, acme)
}

/// Makes somebody a steward of the tenant, beside the administrator, whose session comes back.
fn steward(session: Session, desk: &Desk) -> (AccountId, Session) {
    let proof = session.authenticated_by_unlocking().unwrap();
    let invitation = session.invite(&STEWARD.parse().unwrap(), Roles::of([Role::Member]), 24, proof).unwrap();
    session.lock().unwrap();
    let code = ActivationCode::parse_text(std::str::from_utf8(invitation.code.expose()).unwrap()).unwrap();
    let vault = Vault::open(&coffer_host::system("test"), &desk.path("Kanzlei.coffer")).unwrap();
    vault.activate(&code, &passphrase_of(STEWARD)).unwrap().lock().unwrap();
    let session = vault.unlock(ADMINISTRATOR, passphrase_of(ADMINISTRATOR)).unwrap();
    let tenant = session.tenants().unwrap().remove(0).id;
    session.grant(tenant, invitation.account, Right::Steward, None).unwrap();
    (invitation.account, session)
}

/// Leaves the tenant without a steward.
fn abandon(session: Session, desk: &Desk, tenant: TenantId) {
    let (other, session) = steward(session, desk);
    let own = session.people().unwrap().accounts.into_iter().find(|account| account.own).unwrap().id;
    session.withdraw_grant(tenant, own).unwrap();
    session.remove_account(other, true, session.authenticated_by_unlocking().unwrap()).unwrap();
    session.start_rekeying().wait().unwrap();
    session.lock().unwrap();
}

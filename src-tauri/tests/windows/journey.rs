//! The main job in the real windows, from first run to restore: once in light, once in dark.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use coffer_core::{Passphrase, Vault};

use crate::desk::{Desk, PATIENCE, Web};

const LOGIN: &str = "ines";
const PASSPHRASE: &str = "marmot quilt harbour tuba fog";
const SECRET: &str = "s3cret-Tango!77";
const RECORDS: usize = 1_000;
/// A picture to attach.
const PICTURE: &[u8] = include_bytes!("../../../icons/128x128@2x.png");

#[tokio::test(flavor = "current_thread")]
async fn the_whole_job_in_light() {
    whole_job("light").await;
}

#[tokio::test(flavor = "current_thread")]
async fn the_whole_job_in_dark() {
    whole_job("dark").await;
}

async fn whole_job(theme: &'static str) {
    let mut desk = Desk::new(theme);
    fs::write(desk.path("contacts.csv"), contacts()).unwrap();
    fs::write(desk.path("mark.png"), PICTURE).unwrap();
    desk.start(&[
        ("COFFER_E2E_NEW_VAULT", desk.path("Kanzlei.coffer")),
        ("COFFER_E2E_KIT", desk.path("kit.txt")),
        ("COFFER_E2E_IMPORT", desk.path("contacts.csv")),
        ("COFFER_E2E_ATTACH", desk.path("mark.png")),
        ("COFFER_E2E_SAVE_ATTACHMENT", desk.path("saved.png")),
        ("COFFER_E2E_BACKUP_TARGET", desk.path("first.age")),
        ("COFFER_E2E_BACKUP", desk.path("first.age")),
        ("COFFER_E2E_RESTORE_TARGET", desk.path("Restored.coffer")),
    ]);
    let web = desk.web().await;
    first_run(&desk, &web).await;
    work(&desk, &web).await;
    lock(&desk);
    unlock(&desk).await;
    restored(&desk);
}

/// Create, keep the kit, prove that it can be read.
async fn first_run(desk: &Desk, web: &Web<'_>) {
    web.see("Welcome to Coffer").await;
    web.inspect("01-welcome").await;
    web.press("Create a vault").await;
    web.see("Where should the vault be?").await;
    web.inspect("02-place").await;
    web.press("Choose name and place").await;
    web.fill("Login name", LOGIN).await;
    web.inspect("03-account").await;
    web.press("Continue to the passphrase").await;

    desk.native("Choose a passphrase");
    desk.type_text("password1234567");
    desk.picture("04-passphrase-refused");
    desk.press(&["ctrl+a"]);
    desk.type_text(PASSPHRASE);
    desk.press(&["Tab", "Tab"]);
    desk.type_text(PASSPHRASE);
    desk.picture("05-passphrase");
    desk.press(&["Return"]);

    web.see("Your recovery kit").await;
    web.inspect("06-recovery-kit").await;
    web.press("Save…").await;
    web.see("Saved as").await;
    let kit = fs::read_to_string(desk.path("kit.txt")).unwrap();
    assert_eq!(fs::metadata(desk.path("kit.txt")).unwrap().permissions().mode() & 0o777, 0o600);
    web.press("Confirm…").await;
    let title = desk.native("Check the recovery kit");
    desk.type_text("AAAAA");
    desk.press(&["Return"]);
    desk.picture("07-recovery-kit-check");
    desk.press(&["ctrl+a"]);
    let asked: Vec<usize> =
        title.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect();
    let groups = groups_of(&kit);
    desk.type_text(&groups[asked[0] - 1]);
    desk.press(&["Tab"]);
    desk.type_text(&groups[asked[1] - 1]);
    desk.press(&["Return"]);

    web.see("Your vault is ready").await;
    web.inspect("08-ready").await;
    web.press("Open the vault").await;
    web.see("No tenants yet").await;
    web.inspect("09-no-tenants").await;
}

/// Tenant, import, add, search, edit, reveal, copy, back up, verify, restore, read the log.
async fn work(desk: &Desk, web: &Web<'_>) {
    web.press("New tenant").await;
    web.fill("Name", "ACME GmbH").await;
    web.inspect("10-new-tenant").await;
    web.press("Create").await;
    web.see("No records yet").await;
    web.inspect("11-no-records").await;

    web.press("Import…").await;
    web.inspect("12-import-file").await;
    web.press("Choose file").await;
    web.see("contacts.csv").await;
    web.inspect("13-import-columns").await;
    web.press("Try without writing").await;
    web.see("All 1,000 rows are ready").await;
    web.inspect("14-import-trial").await;
    web.press("Import 1,000").await;
    web.see("1,000 records imported").await;
    web.press("Done").await;
    web.see("1,000 records").await;

    web.press("New record").await;
    web.fill("Title", "Postgres production").await;
    let password = web.find("//*[@role = 'group'][@aria-label = 'Password']//textarea").await;
    password.send_keys(SECRET).await.unwrap();
    let user = web.find("//*[@role = 'group'][@aria-label = 'User']//input[not(@data-name)]").await;
    user.send_keys("svc_app").await.unwrap();
    web.inspect("15-new-record").await;
    web.press("Save").await;
    web.see("Record added").await;

    let search = web.find("//input[@role = 'searchbox']").await;
    search.send_keys("postgres prod").await.unwrap();
    web.see("1 found").await;
    web.find("//*[@role = 'option']").await.click().await.unwrap();
    web.find("//h2[contains(., 'Postgres production')] | //h1[contains(., 'Postgres production')]").await;
    web.inspect("16-found").await;

    web.press("Edit").await;
    web.fill("Title", "Postgres production EU").await;
    web.press("Save").await;
    web.see("Saved as a new version").await;
    web.see("2 versions").await.click().await.unwrap();
    web.inspect("17-history").await;
    web.see("Fields").await.click().await.unwrap();

    assert!(!web.script("return document.documentElement.innerHTML").await.as_str().unwrap().contains(SECRET));
    web.press("Reveal Password").await;
    web.see(SECRET).await;
    web.inspect("18-revealed").await;
    web.press("Copy Password").await;
    let began = Instant::now();
    while desk.clipboard() != SECRET {
        assert!(began.elapsed() < PATIENCE, "the secret is not on the clipboard");
    }

    files(desk, web).await;

    web.press("Backups").await;
    web.see("No backup yet").await;
    web.inspect("19-backups").await;
    web.press("Export…").await;
    desk.native("Confirm it is you");
    desk.type_text("not the passphrase");
    desk.press(&["Return"]);
    std::thread::sleep(Duration::from_secs(4));
    desk.picture("20-step-up");
    assert!(!desk.path("first.age").exists(), "no backup without the passphrase");
    desk.type_text(PASSPHRASE);
    desk.press(&["Return"]);
    web.see("Backup written").await;
    web.inspect("21-backed-up").await;
    web.press("Verify…").await;
    web.see("The backup is whole and genuine").await;
    web.press("Restore…").await;
    web.see("Restored into the new folder").await;

    // A device whose key was lost makes no backups until it is enrolled anew.
    fs::remove_dir_all(desk.path("data/coffer/devices")).unwrap();
    web.press("Health").await;
    // The last of the lines above the button: a click lands where the button is now.
    web.see("Free space").await;
    web.press("Check the vault's files").await;
    web.see("Not checkable").await;
    web.inspect("28-health").await;
    web.press("Enrol this device").await;
    desk.native("Confirm it is you");
    desk.type_text(PASSPHRASE);
    desk.press(&["Return"]);
    web.see("This device is enrolled").await;
    web.inspect("29-enrolled").await;

    web.press("Log").await;
    web.see("Restored backup").await;
    web.press("Verify the log").await;
    web.see("entries verified").await;
    web.inspect("22-log").await;
    web.press("Settings").await;
    web.see("Lock when idle").await;
    web.inspect("23-settings").await;
    web.press("Help").await;
    web.inspect("24-help").await;
    web.keys("\u{e00c}").await;
    web.press_lock().await;
}

/// Attach a picture, look at it, take it off, put it back, save it.
async fn files(desk: &Desk, web: &Web<'_>) {
    web.press("Attach a file").await;
    web.see("mark.png attached").await;
    web.inspect("28-attached").await;
    web.press("Preview mark.png").await;
    web.find("//img[@alt = 'mark.png'][starts-with(@src, 'data:image/png;base64,')]").await;
    web.inspect("29-preview").await;
    // Decoded by the web view, so it really is a picture.
    let width = web.script("return document.querySelector('img').naturalWidth").await;
    assert!(width.as_u64().is_some_and(|width| width > 0), "{width}");
    web.keys("\u{e00c}").await;
    web.press("Take mark.png off").await;
    web.see("Earlier versions keep it").await;
    web.inspect("30-taken-off").await;
    web.press("Undo").await;
    web.press("Save mark.png as").await;
    web.see("mark.png saved").await;
    assert_eq!(fs::read(desk.path("saved.png")).unwrap(), PICTURE);
}

/// Within a second the processes that knew are gone, and the clipboard is empty.
fn lock(desk: &Desk) {
    let began = Instant::now();
    while !desk.web_processes().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(1), "processes of the web view outlive the lock");
    }
    desk.native("Unlock Coffer");
    assert_eq!(desk.clipboard(), "");
    desk.picture("25-unlock");
}

/// A wrong passphrase, then the right one.
async fn unlock(desk: &Desk) {
    desk.type_text("not the passphrase at all");
    desk.press(&["Return"]);
    std::thread::sleep(Duration::from_secs(4));
    desk.picture("26-unlock-refused");
    assert!(desk.is_native("Unlock Coffer") && desk.web_processes().is_empty());
    let web = desk.unlock(PASSPHRASE).await;
    web.see("1,001 records").await;
    web.see("2 failed unlocks since your last visit").await;
    web.inspect("27-unlocked").await;
}

/// What was restored is a vault of its own with everything in it.
fn restored(desk: &Desk) {
    let vault = Vault::open(&coffer_host::system("test"), &desk.path("Restored.coffer")).unwrap();
    let session = vault.unlock(LOGIN, Passphrase::parse(PASSPHRASE.into()).unwrap()).unwrap();
    let tenant = session.tenants().unwrap().remove(0);
    assert_eq!(session.list_records(tenant.id, 10, None).unwrap().total, 1_001);
    let found = session.search(&"postgres EU".parse().unwrap(), Some(tenant.id), 10).unwrap().hits.remove(0);
    let record = session.open_record(found.record.id).unwrap();
    let secret = record.fields.iter().find(|field| field.name == "Password").unwrap();
    assert_eq!(session.reveal_field(found.record.id, secret.id, None).unwrap().expose(), SECRET);
    session.lock().unwrap();
}

/// The groups of the recovery code in a kit: the words of five between its two headings.
fn groups_of(kit: &str) -> Vec<String> {
    let code = kit.split_once("Recovery code").unwrap().1.split_once("To restore").unwrap().0;
    code.split_whitespace().map(str::to_owned).collect()
}

/// A list of contacts as other programs export it.
fn contacts() -> String {
    let mut text = "Name,E-mail,Phone,Notes\r\n".to_owned();
    for number in 1..=RECORDS {
        write!(text, "Contact {number:04},contact{number}@example.org,+49 30 {number:07},\"Met in Köln, twice\"\r\n")
            .unwrap();
    }
    text
}

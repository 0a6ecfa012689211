//! The other ways into a vault, in the real windows: looking around, restoring with the recovery kit, and leaving before
//! the kit of a new vault was confirmed.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use coffer_core::host::{DeviceMaterial, DevicePlace, DeviceStore, DeviceStoreError, Host, SecretBytes};
use coffer_core::{CreatedVault, NewVault, Passphrase, Session, Vault};
use coffer_model::id::VaultId;
use coffer_model::record::RecordDraft;

use crate::desk::{Desk, Web};
use crate::recovery::{GO_ON, bring};

const LOGIN: &str = "ines";
const PASSPHRASE: &str = "marmot quilt harbour tuba fog";

/// A marked vault with invented data; then somebody puts an old copy of a tenant's file back while it is locked.
#[tokio::test(flavor = "current_thread")]
async fn looking_around_opens_a_marked_vault_and_an_old_copy_of_a_file_put_back_is_shown() {
    let mut desk = Desk::new("dark");
    desk.start(&[]);
    let web = desk.web().await;
    web.press("Look around").await;
    desk.choose_passphrase(PASSPHRASE);
    web.see("2,000 records").await;
    web.see("Demo").await;
    web.inspect("30-demo").await;
    has_only_what_pages_need(&web).await;
    web.press_lock().await;
    desk.native("Unlock Coffer");
    desk.picture("31-unlock-demo");

    put_old_copy_back(&desk.path("data/coffer/Demo.coffer"));
    desk.native("Unlock Coffer");
    let web = desk.unlock(PASSPHRASE).await;
    web.see("1 tenant's file was altered while the vault was locked").await;
    web.inspect("32-altered").await;
    web.press("Show").await;
    web.see("Altered while the vault was locked").await;
    web.inspect("33-health-altered").await;
}

/// A page that hostile data got hold of finds no graphics driver, no codecs, no camera, no peers and no storage.
async fn has_only_what_pages_need(web: &Web<'_>) {
    let found = web.script(
        "const has = (look) => { try { return Boolean(look()); } catch { return false; } };
         return Object.entries({
           webgl: () => document.createElement('canvas').getContext('webgl') ?? document.createElement('canvas').getContext('webgl2'),
           peers: () => window.RTCPeerConnection,
           camera: () => navigator.mediaDevices?.getUserMedia,
           video: () => document.createElement('video').canPlayType?.('video/mp4'),
           sound: () => window.AudioContext,
           storage: () => window.localStorage ?? null,
         }).filter(([, look]) => has(look)).map(([name]) => name).join(' ');",
    );
    assert_eq!(found.await, "");
}

/// Saves a record and then has the file be as it was before. Every page of it is genuine.
fn put_old_copy_back(folder: &Path) {
    let unlock = || -> Session {
        let vault = Vault::open(&host(), folder).unwrap();
        vault.unlock("demo", Passphrase::parse(PASSPHRASE.into()).unwrap()).unwrap()
    };
    let before: Vec<(PathBuf, Vec<u8>)> =
        tenant_files(folder).map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    let session = unlock();
    let tenant = session.tenants().unwrap().remove(0);
    session.add_record(tenant.id, note("Written after the copy")).unwrap();
    session.lock().unwrap();
    for (path, bytes) in before {
        fs::write(path, bytes).unwrap();
    }
}

fn tenant_files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let files = fs::read_dir(folder.join("tenants")).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|ending| ending == "db"))
}

/// On a machine that has never seen the vault, with the system's own file dialogs.
#[tokio::test(flavor = "current_thread")]
async fn a_backup_and_its_kit_make_a_vault_that_opens() {
    let mut desk = Desk::new("light");
    let (backup, kit) = backup_and_kit(&desk.path("elsewhere"));
    let restored = desk.path("Restored.coffer");
    desk.start(&[("COFFER_E2E_RESTORE_TARGET", restored.clone()), ("COFFER_E2E_VAULT", restored.clone())]);
    let web = desk.web().await;
    web.press("Restore from a backup").await;
    desk.choose_file("Choose a backup", &backup);
    bring(&desk, "Restore by the recovery kit", &[kit]);
    desk.picture("33-restore-kit");
    desk.press(GO_ON);
    web.see("Restored into the new folder").await;
    web.inspect("34-restored").await;
    web.press("Open a vault").await;
    desk.native("Unlock Coffer");
    desk.type_text(LOGIN);
    desk.press(&["Tab"]);
    desk.type_text(PASSPHRASE);
    desk.press(&["Return"]);
    web.see("ACME GmbH").await;
    web.see("Kept elsewhere").await;
    web.press("Backups").await;
    web.see("Backups of this vault").await;
    web.inspect("35-backups-after-restore").await;
}

/// Made on another machine, of which nothing is left.
fn backup_and_kit(folder: &Path) -> (PathBuf, PathBuf) {
    fs::create_dir(folder).unwrap();
    let vault = folder.join("Kanzlei.coffer");
    let new = NewVault {
        login: LOGIN.parse().unwrap(),
        passphrase: Passphrase::parse(PASSPHRASE.into()).unwrap(),
        demo: false,
        split: None,
    };
    let CreatedVault { session, kit } = Vault::create(&host(), &vault, new).unwrap();
    let tenant = session.create_tenant(&"ACME GmbH".parse().unwrap()).unwrap();
    session.add_record(tenant.id, note("Kept elsewhere")).unwrap();
    let [backup_file, kit_file] = [folder.join("office.age"), folder.join("kit.txt")];
    session.start_backup(&backup_file).wait().unwrap();
    session.lock().unwrap();
    fs::write(&kit_file, kit.to_text().expose()).unwrap();
    fs::remove_dir_all(vault).unwrap();
    (backup_file, kit_file)
}

#[tokio::test(flavor = "current_thread")]
async fn closing_over_an_unconfirmed_kit_asks_and_going_back_keeps_it() {
    const QUESTION: &str = "Leave without the recovery kit";
    let mut desk = Desk::new("dark");
    desk.start(&[("COFFER_E2E_NEW_VAULT", desk.path("Kanzlei.coffer")), ("COFFER_E2E_KIT", desk.path("kit.txt"))]);
    let web = desk.web().await;
    web.press("Create a vault").await;
    web.press("Choose name and place").await;
    web.fill("Login name", LOGIN).await;
    web.press("Continue to the passphrase").await;
    desk.choose_passphrase(PASSPHRASE);
    web.see("Your recovery kit").await;

    desk.close_window("^Coffer$");
    desk.native(QUESTION);
    desk.picture("36-leave-kit");
    desk.press(&["Escape"]);
    desk.native_gone(QUESTION);
    lock_from_page(&web).await;
    desk.native(QUESTION);
    // The button to go back has the focus.
    desk.press(&["Return"]);
    desk.native_gone(QUESTION);
    web.press("Save…").await;
    web.see("Saved as").await;
    assert!(fs::read_to_string(desk.path("kit.txt")).unwrap().contains("Recovery code"));

    desk.close_window("^Coffer$");
    desk.native(QUESTION);
    desk.press(&["Tab", "space"]);
    desk.ended();
    let vault = Vault::open(&host(), &desk.path("Kanzlei.coffer")).unwrap();
    vault.unlock(LOGIN, Passphrase::parse(PASSPHRASE.into()).unwrap()).unwrap().lock().unwrap();
}

/// As Ctrl+L does once the vault is open; while the kit is shown only a page gone wrong would.
async fn lock_from_page(web: &Web<'_>) {
    web.script("window.__TAURI_INTERNALS__.invoke('lock', {})").await;
}

fn note(title: &str) -> RecordDraft {
    RecordDraft {
        kind: "note".parse().unwrap(),
        title: title.to_owned(),
        fields: Vec::new(),
        tags: Vec::new(),
        notes: "Invented.".to_owned(),
    }
}

/// This machine, but for the device keys of whoever runs the test.
fn host() -> Host {
    let mut host = coffer_host::system("test");
    host.devices = Arc::new(OneDevice::default());
    host
}

/// The key of one vault, forgotten with it.
#[derive(Default)]
struct OneDevice(Mutex<Option<Vec<u8>>>);

impl DeviceStore for OneDevice {
    fn load(&self, _vault: VaultId) -> Result<Option<DeviceMaterial>, DeviceStoreError> {
        let kept = self.0.lock().unwrap().clone();
        Ok(kept.map(|bytes| DeviceMaterial { secret: SecretBytes::new(bytes), place: DevicePlace::Keyring }))
    }

    fn save(&self, _vault: VaultId, secret: &SecretBytes) -> Result<DevicePlace, DeviceStoreError> {
        *self.0.lock().unwrap() = Some(secret.expose().to_vec());
        Ok(DevicePlace::Keyring)
    }

    fn forget(&self, _vault: VaultId) -> Result<(), DeviceStoreError> {
        *self.0.lock().unwrap() = None;
        Ok(())
    }
}

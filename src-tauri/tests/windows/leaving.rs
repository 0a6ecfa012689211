//! Somebody leaves by a deadline, in the real windows: what they saw is changed, the evidence is complete, and keys are
//! replaced on their page.

use std::fs;

use coffer_core::{ActivationCode, CreatedVault, NewVault, Passphrase, Vault};
use coffer_model::account::{Role, Roles};
use coffer_model::grant::Right;
use coffer_model::record::{FieldDraft, FieldType, RecordDraft};
use serde_json::json;

use crate::desk::{Desk, Web};

const LOGIN: &str = "ines";
const PASSPHRASE: &str = "marmot quilt harbour tuba fog";
const NEW_PASSPHRASE: &str = "gravel otter velvet mint drum";
const LEAVER: &str = "mika";
const LEAVERS_PASSPHRASE: &str = "lantern pickle orbit sedan mist";

#[tokio::test(flavor = "current_thread")]
async fn who_leaves_by_a_deadline_is_removed_what_they_saw_is_changed_and_keys_are_replaced() {
    let mut desk = Desk::new("light");
    vault(&desk);
    desk.start(&[]);
    desk.native("Unlock Coffer");
    let web = desk.unlock(PASSPHRASE).await;
    web.press("People").await;
    deadline(&desk, &web).await;
    remove(&desk, &web).await;
    unreported(&web).await;
    exposed(&web).await;
    evidence(&web).await;
    keys(&web).await;
    known(&desk, &web).await;
}

/// A vault that the program knows, in which somebody saw a secret of a tenant.
fn vault(desk: &Desk) {
    let folder = desk.path("Kanzlei.coffer");
    let passphrase = |text: &str| Passphrase::parse(text.into()).unwrap();
    let host = || coffer_host::system("test");
    let new = NewVault { login: LOGIN.parse().unwrap(), passphrase: passphrase(PASSPHRASE), demo: false, split: None };
    let CreatedVault { session, .. } = Vault::create(&host(), &folder, new).unwrap();
    let proof = session.authenticated_by_unlocking().unwrap();
    let invitation = session.invite(&LEAVER.parse().unwrap(), Roles::of([Role::Member]), 24, proof).unwrap();
    let tenant = session.create_tenant(&"ACME GmbH".parse().unwrap()).unwrap().id;
    let field = |name: &str, field_type, value: &str| FieldDraft {
        id: None,
        name: name.to_owned(),
        field_type,
        value: Some(value.into()),
    };
    let draft = |title: &str, secret: &str| RecordDraft {
        kind: "login".parse().unwrap(),
        title: title.to_owned(),
        fields: vec![field("User", FieldType::Text, "svc"), field("Password", FieldType::Secret, secret)],
        tags: vec![],
        notes: String::new(),
    };
    let gate = session.add_record(tenant, draft("Gateway", "s3cret-Tango!77")).unwrap();
    session.add_record(tenant, draft("Postgres production", "an0ther-Mango!31")).unwrap();
    session.lock().unwrap();

    let code = ActivationCode::parse_text(std::str::from_utf8(invitation.code.expose()).unwrap()).unwrap();
    let activated = Vault::open(&host(), &folder).unwrap().activate(&code, &passphrase(LEAVERS_PASSPHRASE)).unwrap();
    activated.lock().unwrap();
    let session = Vault::open(&host(), &folder).unwrap().unlock(LOGIN, passphrase(PASSPHRASE)).unwrap();
    let account = session.people().unwrap().accounts.into_iter().find(|known| known.login == LEAVER).unwrap().id;
    session.grant(tenant, account, Right::Editor, None).unwrap();
    session.lock().unwrap();
    let session = Vault::open(&host(), &folder).unwrap().unlock(LEAVER, passphrase(LEAVERS_PASSPHRASE)).unwrap();
    let secret = gate.fields.iter().find(|field| field.name == "Password").unwrap().id;
    session.reveal_field(gate.id, secret, None).unwrap();
    session.lock().unwrap();
    let known = json!([{"handle": "0", "name": "Kanzlei", "folder": folder, "login": LOGIN}]);
    fs::write(desk.path("config/coffer/places.json"), known.to_string()).unwrap();
}

fn confirm(desk: &Desk) {
    desk.native("Confirm it is you");
    desk.type_text(PASSPHRASE);
    desk.press(&["Return"]);
    desk.native_gone("Confirm it is you");
}

async fn deadline(desk: &Desk, web: &Web<'_>) {
    web.press("Remove mika").await;
    web.find("//label[contains(normalize-space(.), 'By a deadline')]").await.click().await.unwrap();
    web.see("Access ends in").await;
    web.inspect("90-deadline").await;
    web.press("Set the deadline…").await;
    confirm(desk);
    web.find("//*[normalize-space(.) = 'Leaves']").await;
    web.inspect("91-leaves").await;
    web.press("Evidence on mika").await;
    web.see("Under way").await;
    web.inspect("92-evidence-under-way").await;
    web.find("//dialog//footer//button | //dialog//button[normalize-space(.) = 'Close']").await.click().await.unwrap();
}

async fn remove(desk: &Desk, web: &Web<'_>) {
    web.press("Remove mika").await;
    web.fill("Type this login to confirm", LEAVER).await;
    web.inspect("93-remove").await;
    web.press("Remove…").await;
    confirm(desk);
    web.see("Keys replaced").await;
}

/// Before a steward has reported, what the log has is not called wrong.
async fn unreported(web: &Web<'_>) {
    web.find("//summary").await.click().await.unwrap();
    web.press("Evidence on mika").await;
    web.see("not reported yet").await;
    web.script("document.getElementById('evidence-check').scrollIntoView()").await;
    web.press("Compare with the log").await;
    web.see("Not all is reported yet").await;
    web.inspect("93-evidence-unreported").await;
    web.find("//dialog//button[normalize-space(.) = 'Close']").await.click().await.unwrap();
}

async fn exposed(web: &Web<'_>) {
    web.press("Exposure list").await;
    web.see("1 to change").await;
    web.inspect("94-exposures").await;
    web.find("//section//li//button[contains(normalize-space(.), 'Gateway')]").await.click().await.unwrap();
    web.find("//h2[normalize-space(.) = 'Gateway']").await;
    web.press("Edit").await;
    web.press("Replace").await;
    let password = web.find("//*[@role = 'group'][@aria-label = 'Password']//textarea").await;
    password.send_keys("n3w-Quince!52").await.unwrap();
    web.press("Save").await;
    web.see("Saved as a new version").await;
    web.press("People").await;
    web.press("Exposure list").await;
    web.see("nothing to change").await;
    web.press("Report to administrators and auditors").await;
    web.see("Reported to administrators and auditors").await;
    web.inspect("95-reported").await;
}

async fn evidence(web: &Web<'_>) {
    web.press("People").await;
    web.find("//summary").await.click().await.unwrap();
    web.press("Evidence on mika").await;
    web.see("Complete").await;
    web.script("document.getElementById('evidence-check').scrollIntoView()").await;
    web.press("Compare with the log").await;
    web.see("Reports and the log agree").await;
    web.inspect("96-evidence-complete").await;
    web.find("//dialog//button[normalize-space(.) = 'Close']").await.click().await.unwrap();
}

async fn keys(web: &Web<'_>) {
    web.press("Keys").await;
    web.see("Key of ACME GmbH").await;
    web.inspect("97-keys").await;
    web.press("Replace: Key of ACME GmbH").await;
    web.see("Key of ACME GmbH: replaced").await;
    web.press("Key of the log: may be in wrong hands").await;
    web.see("called compromised").await;
    web.inspect("98-emergency").await;
    web.press("Replace it now").await;
    web.see("Key of the log: replaced").await;
    web.press("Who holds them").await;
    web.see("Recovery kit 1").await;
    web.find("//label[contains(normalize-space(.), 'Earlier ones, too')]").await.click().await.unwrap();
    web.see("In wrong hands").await;
    web.inspect("99-keys-held").await;
}

/// Thought better of first; then to its end: the vault locks, the passphrase from before opens nothing, the new one does.
async fn known(desk: &Desk, web: &Web<'_>) {
    web.press("Settings").await;
    web.press("New keys…").await;
    web.inspect("99-known").await;
    web.press("Make new keys and lock…").await;
    desk.native("Give the account new keys");
    desk.picture("99-known-native");
    desk.press(&["Escape"]);
    desk.native_gone("Give the account new keys");

    web.press("New keys…").await;
    web.press("Make new keys and lock…").await;
    desk.native("Give the account new keys");
    desk.type_text(PASSPHRASE);
    for _ in 0..2 {
        desk.press(&["Tab", "Tab"]);
        desk.type_text(NEW_PASSPHRASE);
    }
    desk.picture("99-known-typed");
    desk.press(&["Return"]);
    desk.native_gone("Give the account new keys");
    desk.native("Unlock Coffer");
    desk.type_text(PASSPHRASE);
    desk.grows("Unlock Coffer", || desk.press(&["Return"]));
    assert!(desk.web_processes().is_empty());
    desk.picture("99-known-refused");
    let web = desk.unlock(NEW_PASSPHRASE).await;
    web.see("Gateway").await;
    web.press("Log").await;
    web.see("Renewed the account's own keys").await;
    web.inspect("99-known-done").await;
    web.press_lock().await;
}

//! A tenant that two custodians open in an emergency, in the real windows; and the steward who is told.

use std::fs;

use coffer_core::{ActivationCode, CreatedVault, NewVault, Passphrase, Session, Vault};
use coffer_model::account::{Role, Roles};
use coffer_model::id::AccountId;
use coffer_model::record::RecordDraft;
use serde_json::json;

use crate::desk::{Desk, Web};

const STEWARD: &str = "ines";
const CUSTODIANS: [&str; 2] = ["ida", "otto"];

#[tokio::test(flavor = "current_thread")]
async fn two_custodians_open_a_tenant_and_its_steward_is_told() {
    let mut desk = Desk::new("dark");
    vault(&desk);
    desk.start(&[]);
    let web = unlock(&desk, STEWARD).await;
    web.see("1 record").await;
    web.press("People").await;
    web.see("Emergency access").await;
    web.press("Custodians…").await;
    web.see("Custodians of ACME GmbH").await;
    for login in CUSTODIANS {
        web.find(&format!("//dialog//label[contains(., '{login}')]//input")).await.click().await.unwrap();
    }
    web.inspect("80-custodians").await;
    web.press("Save custodians").await;
    confirm(&desk, STEWARD);
    web.see("ida, otto").await;
    web.press_lock().await;

    let web = unlock(&desk, "otto").await;
    web.see("No tenant is granted to you yet").await;
    web.press("People").await;
    web.press("Open in an emergency…").await;
    web.fill("Why", "Server down, Ines on leave").await;
    web.inspect("81-emergency").await;
    web.press("Open").await;
    confirm(&desk, "otto");
    desk.native("A second custodian");
    desk.type_text("ida");
    desk.press(&["Tab"]);
    desk.type_text(&words_of("ida"));
    desk.picture("82-second-custodian");
    desk.press(&["Return"]);
    desk.native_gone("A second custodian");
    web.see("otto with ida").await;
    web.inspect("83-opened").await;
    web.press_lock().await;

    let web = unlock(&desk, STEWARD).await;
    web.see("Custodians have opened a tenant since you were here").await;
    web.inspect("84-steward-is-told").await;
    web.press_lock().await;
    desk.native("Unlock Coffer");
}

/// Unlocks for somebody, whoever the window has in mind.
async fn unlock<'d>(desk: &'d Desk, login: &str) -> Web<'d> {
    desk.native("Unlock Coffer");
    // The passphrase has the keyboard; the login is before it.
    desk.press(&["shift+Tab"]);
    desk.press(&["ctrl+a"]);
    desk.type_text(login);
    desk.press(&["Tab"]);
    desk.unlock(&words_of(login)).await
}

fn confirm(desk: &Desk, login: &str) {
    desk.native("Confirm it is you");
    desk.picture(&format!("79-{login}-confirms"));
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

/// A vault that the program knows, with a tenant and two people who may read nothing.
fn vault(desk: &Desk) {
    let folder = desk.path("Kanzlei.coffer");
    let host = coffer_host::system("test");
    let new =
        NewVault { login: STEWARD.parse().unwrap(), passphrase: passphrase_of(STEWARD), demo: false, split: None };
    let CreatedVault { session, .. } = Vault::create(&host, &folder, new).unwrap();
    let acme = session.create_tenant(&"ACME GmbH".parse().unwrap()).unwrap().id;
    let draft = RecordDraft {
        kind: "note".parse().unwrap(),
        title: "Emergency plan".to_owned(),
        fields: Vec::new(),
        tags: Vec::new(),
        notes: "Behind glass.".to_owned(),
    };
    session.add_record(acme, draft).unwrap();
    let mut session = session;
    for login in CUSTODIANS {
        let code = invite(&session, login);
        session.lock().unwrap();
        let vault = Vault::open(&host, &folder).unwrap();
        vault.activate(&code, &passphrase_of(login)).unwrap().lock().unwrap();
        session = vault.unlock(STEWARD, passphrase_of(STEWARD)).unwrap();
    }
    let known: Vec<AccountId> = session.people().unwrap().accounts.iter().map(|account| account.id).collect();
    assert_eq!(known.len(), 3);
    session.lock().unwrap();
    let known = json!([{"handle": "0", "name": "Kanzlei", "folder": folder, "login": STEWARD}]);
    fs::write(desk.path("config/coffer/places.json"), known.to_string()).unwrap();
}

fn invite(session: &Session, login: &str) -> ActivationCode {
    let proof = session.authenticated_by_unlocking().unwrap();
    let invitation = session.invite(&login.parse().unwrap(), Roles::of([Role::Member]), 24, proof).unwrap();
    ActivationCode::parse_text(std::str::from_utf8(invitation.code.expose()).unwrap()).unwrap()
}

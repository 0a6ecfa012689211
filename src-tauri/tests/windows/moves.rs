//! Records that go into another tenant, in the real window: seen in both colours, asked for by name, taken back.

use std::fs;

use coffer_core::{CreatedVault, NewVault, Passphrase, Session, Vault};
use coffer_interchange::invented::{Firm, Invented};
use coffer_model::id::{RecordId, TenantId};
use coffer_model::record::{FieldDraft, FieldType, RecordDraft};
use serde_json::json;

use crate::desk::{Desk, Web};

const LOGIN: &str = "ines";
const PASSPHRASE: &str = "marmot quilt harbour tuba fog";

#[tokio::test(flavor = "current_thread")]
async fn a_record_goes_into_another_tenant_by_its_name_and_comes_back() {
    let mut desk = Desk::new("light");
    let session = vault(&desk);
    let [acme, bauer] =
        ["ACME GmbH", "Bauer & Co"].map(|name| session.create_tenant(&name.parse().unwrap()).unwrap().id);
    let gate = fill(&desk, &session, acme);
    session.add_records(bauer, Invented::new(Firm::Harbour, 5).take(40).collect()).unwrap();
    session.lock().unwrap();
    desk.start(&[]);
    desk.native("Unlock Coffer");
    let web = desk.unlock(PASSPHRASE).await;
    web.see("43 records").await;
    find(&desk, &web, "postgres gate").await;
    web.press("Move to another tenant").await;
    web.see("Choose a tenant…").await;
    web.inspect("70-move").await;
    choose(&web, "Bauer & Co").await;
    web.see("Everybody who reads Bauer & Co").await;
    web.inspect("71-move-looked-at").await;
    web.fill("Type the name of the other tenant to confirm", "Bauer & Co").await;
    web.inspect("72-move-confirmed").await;
    web.press("Move").await;
    web.see("1 record moved to Bauer & Co").await;
    // What axe takes is longer than taking back is offered.
    desk.picture("73-moved");
    desk.press(&["ctrl+z"]);
    web.see("Taken back").await;
    web.press_lock().await;

    desk.native("Unlock Coffer");
    let vault = Vault::open(&coffer_host::system("test"), &desk.path("Kanzlei.coffer")).unwrap();
    let session = vault.unlock(LOGIN, Passphrase::parse(PASSPHRASE.into()).unwrap()).unwrap();
    assert_eq!(session.open_record(gate).unwrap().attachments.len(), 1);
    assert_eq!(session.list_records(acme, 1, None).unwrap().total, 43);
    let there = session.open_record(RecordId::new(bauer, gate.key())).unwrap();
    assert!(there.trashed_at.is_some());
    assert!(session.start_verify_log().unwrap().wait().unwrap().ok);
}

/// A vault that the program knows.
fn vault(desk: &Desk) -> Session {
    let folder = desk.path("Kanzlei.coffer");
    let new = NewVault {
        login: LOGIN.parse().unwrap(),
        passphrase: Passphrase::parse(PASSPHRASE.into()).unwrap(),
        demo: false,
        split: None,
    };
    let CreatedVault { session, .. } = Vault::create(&coffer_host::system("test"), &folder, new).unwrap();
    let known = json!([{"handle": "0", "name": "Kanzlei", "folder": folder, "login": LOGIN}]);
    fs::write(desk.path("config/coffer/places.json"), known.to_string()).unwrap();
    session
}

/// Two records that refer to a third, one of them with a file, among others.
fn fill(desk: &Desk, session: &Session, tenant: TenantId) -> RecordId {
    session.add_records(tenant, Invented::new(Firm::Harbour, 3).take(41).collect()).unwrap();
    let field = |name: &str, field_type, value: &str| FieldDraft {
        id: None,
        name: name.to_owned(),
        field_type,
        value: Some(value.into()),
    };
    let server = |title: &str, fields| RecordDraft {
        kind: "server".parse().unwrap(),
        title: title.to_owned(),
        fields,
        tags: vec!["db".to_owned()],
        notes: String::new(),
    };
    let crane = session.add_record(tenant, server("Crane control", vec![])).unwrap().id;
    let behind = field("Behind", FieldType::Reference, &crane.key().to_string());
    let fields = vec![behind, field("Password", FieldType::Secret, "s3cret-Tango!77")];
    let gate = session.add_record(tenant, server("Postgres gate", fields)).unwrap().id;
    fs::write(desk.path("plan.txt"), "The gate's plan.\n").unwrap();
    session.start_attach(gate, &desk.path("plan.txt")).unwrap().wait().unwrap();
    gate
}

async fn find(desk: &Desk, web: &Web<'_>, words: &str) {
    desk.press(&["ctrl+k"]);
    desk.type_text(words);
    web.find("//*[@role = 'option'][contains(normalize-space(.), 'Postgres gate')]").await;
    desk.press(&["Return"]);
    web.find("//h2[normalize-space(.) = 'Postgres gate']").await;
}

async fn choose(web: &Web<'_>, tenant: &str) {
    let option = web.find("//dialog//select").await;
    option.send_keys(tenant).await.unwrap();
}

//! What is done with a whole tenant, and the screens that look across its records, in the real window over a demo vault.

use std::fs;

use crate::desk::{Desk, Web};

const PASSPHRASE: &str = "marmot quilt harbour tuba fog";
const TENANT: &str = "Morel & Kovač Architects";

#[tokio::test(flavor = "current_thread")]
async fn a_tenant_gets_a_twin_a_person_is_found_and_handed_over_and_all_of_it_goes_out_as_an_archive() {
    let mut desk = Desk::new("light");
    let (archive, person) = (desk.path("morel.tar"), desk.path("person.tar"));
    desk.start(&[("COFFER_E2E_EXPORT_ARCHIVE", archive.clone()), ("COFFER_E2E_SUBJECT", person.clone())]);
    let web = desk.web().await;
    web.press("Look around").await;
    desk.choose_passphrase(PASSPHRASE);
    web.see("2,000 records").await;

    look_across(&desk, &web).await;
    hand_a_person_over(&desk, &web).await;
    assert!(fs::metadata(&person).unwrap().len() > 0);
    export_archive(&desk, &web).await;
    assert!(fs::metadata(&archive).unwrap().len() > 1_000_000);
    make_twin(&desk, &web).await;
}

/// The palette, what expires, the health of secrets, and the trash.
async fn look_across(desk: &Desk, web: &Web<'_>) {
    desk.press(&["ctrl+k"]);
    desk.type_text("ada");
    web.see("Ada Aubert").await;
    web.inspect("37-palette").await;
    desk.press(&["Escape"]);
    web.press("Expiring").await;
    web.see("What ends soon or has ended").await;
    web.inspect("38-expiring").await;
    web.press("Secret health").await;
    web.press(&format!("Assess {TENANT}")).await;
    web.see("assessed").await;
    web.inspect("39-secret-health").await;
    web.press("Trash").await;
    web.see("The trash is empty").await;
    web.inspect("40-trash").await;
    web.press("All records").await;
}

async fn hand_a_person_over(desk: &Desk, web: &Web<'_>) {
    command(desk, web, "Person in the data").await;
    web.fill("By what the person is found", "Ada Aubert").await;
    web.press(&format!("Look through {TENANT}")).await;
    web.see("Title").await;
    web.inspect("41-person").await;
    web.press("Hand over").await;
    confirm(desk);
    web.see("The file is readable by anybody who has it").await;
    web.inspect("42-handed-over").await;
}

async fn export_archive(desk: &Desk, web: &Web<'_>) {
    command(desk, web, "Export tenant as archive").await;
    web.see("Stock tools read it").await;
    web.inspect("43-archive").await;
    web.find("//label[contains(normalize-space(.), \"Readable by anybody\")]").await.click().await.unwrap();
    web.fill("Type this name to confirm", TENANT).await;
    web.inspect("44-archive-readable").await;
    web.press("Export…").await;
    confirm(desk);
    web.see("records exported").await;
    web.inspect("45-archived").await;
    web.press("Done").await;
}

async fn make_twin(desk: &Desk, web: &Web<'_>) {
    command(desk, web, "Make a redacted twin").await;
    web.fill("Seed", "4711").await;
    web.inspect("46-twin").await;
    web.press("Make the twin").await;
    web.see("The twin is marked as invented data").await;
    web.inspect("47-twin-made").await;
    web.press("Show the twin").await;
    web.see("2,000 records").await;
    web.inspect("48-twin-shown").await;
}

/// Runs a command of the palette.
async fn command(desk: &Desk, web: &Web<'_>, words: &str) {
    desk.press(&["ctrl+k"]);
    desk.type_text(words);
    web.find(&format!("//*[@role = 'option'][contains(normalize-space(.), '{words}')]")).await;
    desk.press(&["Return"]);
}

/// Gives the passphrase once more.
fn confirm(desk: &Desk) {
    desk.native("Confirm it is you");
    desk.type_text(PASSPHRASE);
    desk.press(&["Return"]);
}

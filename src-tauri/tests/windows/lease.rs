//! An account that needs a fresh token of an identity provider to unlock, in the real windows: pinned by an administrator, asked
//! for by the unlock window, from a file and from the clipboard.

use std::fs;
use std::time::{Duration, SystemTime};

use josekit::jwk::Jwk;
use josekit::jws::{ES256, JwsHeader};
use josekit::jwt::{self, JwtPayload};

use crate::desk::{Desk, Web};

const FOUNDER: &str = "ines";
const MEMBER: &str = "mika";
const PASSPHRASE: &str = "marmot quilt harbour tuba fog";
const MEMBERS_PASSPHRASE: &str = "lantern pickle orbit sedan mist";
const ISSUER: &str = "https://id.example.org";

/// An identity provider.
struct Provider(Jwk);

impl Provider {
    fn key_set(&self) -> String {
        let mut public = self.0.to_public_key().unwrap();
        public.set_key_id("2026-11");
        format!("{{\"keys\":[{public}]}}")
    }

    fn mint(&self, id: &str) -> String {
        let millis = coffer_host::system("test").clock.now().unix_millis();
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap());
        let mut payload = JwtPayload::new();
        payload.set_issuer(ISSUER);
        payload.set_audience(vec!["coffer"]);
        payload.set_subject("m-4");
        payload.set_jwt_id(id);
        payload.set_issued_at(&now);
        payload.set_expires_at(&(now + Duration::from_mins(10)));
        let mut header = JwsHeader::new();
        header.set_key_id("2026-11");
        jwt::encode_with_signer(&payload, &header, &ES256.signer_from_jwk(&self.0).unwrap()).unwrap()
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_marked_account_is_asked_for_a_token() {
    let provider = Provider(Jwk::generate_ec_key(josekit::jwk::P_256).unwrap());
    let mut desk = Desk::new("dark");
    let (keys, token) = (desk.path("jwks.json"), desk.path("token.jwt"));
    fs::write(&keys, provider.key_set()).unwrap();
    desk.start(&[
        ("COFFER_E2E_NEW_VAULT", desk.path("Kanzlei.coffer")),
        ("COFFER_E2E_KIT", desk.path("kit.txt")),
        ("COFFER_E2E_ACTIVATION_CODE", desk.path("code.txt")),
        ("COFFER_E2E_KEY_SET", keys),
        ("COFFER_E2E_TOKEN", token.clone()),
    ]);
    let web = desk.web().await;
    web.found(FOUNDER, PASSPHRASE).await;
    pin(&desk, &web).await;
    invite(&desk, &web).await;
    web.press_lock().await;
    activate(&desk).await;
    mark(&desk).await;

    // Only once everything else is right.
    desk.native("Unlock Coffer");
    log_in(&desk, MEMBER, MEMBERS_PASSPHRASE, true);
    desk.picture("94-unlock-token-asked");
    fs::write(&token, provider.mint("one").replace('.', "")).unwrap();
    choose_file(&desk);
    desk.picture("95-unlock-token-chosen");
    desk.grows("Unlock Coffer", || desk.press(&["Return"]));
    desk.picture("96-unlock-token-wrong");
    desk.copy(&provider.mint("two"));
    // The wrong one is gone, and the window stands at the button that pastes.
    desk.press(&["space"]);
    desk.picture("97-unlock-token-pasted");
    desk.press(&["Return"]);
    desk.native_gone("Unlock Coffer");
    let web = desk.web().await;
    web.press("Settings").await;
    web.see("You unlock without another one until").await;
    web.inspect("98-lease").await;
    web.press_lock().await;

    // Until the lease is over nothing is asked for.
    desk.native("Unlock Coffer");
    let web = desk.unlock(MEMBERS_PASSPHRASE).await;
    web.see("No tenant is granted to you yet").await;
}

async fn pin(desk: &Desk, web: &Web<'_>) {
    web.press("Settings").await;
    web.scroll_to("Identity provider").await;
    web.inspect("90-provider-none").await;
    web.press("Set up a provider…").await;
    web.fill("Issuer", ISSUER).await;
    web.fill("Audience", "coffer").await;
    web.inspect("91-provider-pin").await;
    web.press("Choose the key set…").await;
    confirm(desk, PASSPHRASE);
    web.see("2026-11 · P-256").await;
    web.scroll_to("Identity provider").await;
    web.inspect("92-provider").await;
}

async fn invite(desk: &Desk, web: &Web<'_>) {
    web.press("People").await;
    web.press("Invite…").await;
    web.fill("Login name", MEMBER).await;
    web.press("Make the code").await;
    confirm(desk, PASSPHRASE);
    desk.native("Activation code of mika");
    desk.press(&["Tab", "space"]);
    desk.press(&["Escape"]);
    web.see("mika is invited").await;
}

async fn activate(desk: &Desk) {
    desk.native("Unlock Coffer");
    desk.press(&["shift+Tab", "shift+Tab", "shift+Tab", "space"]);
    desk.native("Activate an account");
    desk.type_text(fs::read_to_string(desk.path("code.txt")).unwrap().trim());
    desk.press(&["Return"]);
    desk.choose_passphrase(MEMBERS_PASSPHRASE);
    desk.native_gone("Unlock Coffer");
    let web = desk.web().await;
    web.see("No tenant is granted to you yet").await;
    web.press_lock().await;
}

async fn mark(desk: &Desk) {
    desk.native("Unlock Coffer");
    log_in(desk, FOUNDER, PASSPHRASE, false);
    desk.native_gone("Unlock Coffer");
    let web = desk.web().await;
    web.press("People").await;
    web.press("Token of mika").await;
    web.fill("What the provider says of the person", "m-4").await;
    web.inspect("93-mark").await;
    web.press("Require tokens…").await;
    confirm(desk, PASSPHRASE);
    web.see("mika needs a fresh token").await;
    web.inspect("93-marked").await;
    web.press_lock().await;
}

/// Types another login than the one that is remembered.
fn log_in(desk: &Desk, login: &str, passphrase: &str, asks_more: bool) {
    desk.press(&["shift+Tab", "ctrl+a"]);
    desk.type_text(login);
    desk.press(&["Tab"]);
    desk.type_text(passphrase);
    if asks_more {
        desk.grows("Unlock Coffer", || desk.press(&["Return"]));
    } else {
        desk.press(&["Return"]);
    }
}

/// From the button that pastes to the one beside it. The window then stands at the button that unlocks.
fn choose_file(desk: &Desk) {
    desk.press(&["Tab", "space"]);
}

fn confirm(desk: &Desk, passphrase: &str) {
    desk.native("Confirm it is you");
    desk.type_text(passphrase);
    desk.press(&["Return"]);
    desk.native_gone("Confirm it is you");
}

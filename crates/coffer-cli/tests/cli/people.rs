//! Several people on one vault, through the program: the shapes that scripts rely on, and what is refused.

use std::fs;

use crate::answers::redacted;
use crate::place::Place;

macro_rules! holds {
    ($name:literal, $answer:expr) => {
        insta::with_settings!({ sort_maps => true }, { insta::assert_json_snapshot!($name, redacted($answer)) })
    };
}

const OTTO: &str = "seven slow herons wade past otto";

#[test]
fn from_the_invitation_to_leaving() {
    let place = Place::with_vault();
    fs::write(place.path("otto.txt"), format!("{OTTO}\n")).unwrap();
    place.run(&["tenant", "create", "ACME GmbH"]);
    let invited = place.run(&["--json", "account", "invite", "otto", "--role", "member", "--code-file", "code.txt"]);
    holds!("account_invite", invited.json());
    assert_eq!(fs::read_to_string(place.path("code.txt")).unwrap().trim().len(), 35);
    let again = place.run(&["--json", "account", "invite", "0tto", "--role", "member"]);
    assert_eq!(again.error(), "login_taken");

    let activate = ["--json", "--vault", "clients.coffer", "--passphrase-file", "otto.txt", "account", "activate"];
    let activated = place.run_bare(&[activate.as_slice(), &["--code-file", "code.txt"]].concat());
    assert_eq!(activated.json()["login"], "otto");
    let twice = place.run_bare(&[activate.as_slice(), &["--code-file", "code.txt"]].concat());
    assert_eq!(twice.error(), "no_invitation");

    let granted = place.run(&["--json", "grant", "add", "otto", "--tenant", "acme gmbh", "--right", "reader"]);
    holds!("grant_add", granted.json());
    let as_otto = |arguments: &[&str]| {
        let who = ["--json", "--vault", "clients.coffer", "--login", "otto", "--passphrase-file", "otto.txt"];
        place.run_bare(&[who.as_slice(), arguments].concat())
    };
    assert_eq!(as_otto(&["tenant", "list"]).json()[0]["name"], "ACME GmbH");
    assert_eq!(as_otto(&["record", "add", "--tenant", "ACME GmbH", "--title", "X"]).error(), "refused");
    assert_eq!(as_otto(&["account", "invite", "eva", "--role", "administrator"]).error(), "refused");
    assert_eq!(as_otto(&["log", "list"]).error(), "refused");

    let mut people = place.run(&["--json", "account", "list"]).json();
    for account in people["accounts"].as_array_mut().unwrap() {
        let words = account["fingerprint"].as_str().unwrap().split(' ').count();
        account["fingerprint"] = serde_json::json!(format!("[{words} words]"));
    }
    holds!("account_list", people);
    holds!("grant_list", place.run(&["--json", "grant", "list"]).json());
    holds!("account_offboard", place.run(&["--json", "account", "offboard", "otto", "--now"]).json());
    assert_eq!(as_otto(&["tenant", "list"]).error(), "unlock_refused");
    assert_eq!(place.run(&["--json", "key", "pending"]).json(), serde_json::json!([]));
    assert_eq!(place.run(&["--json", "log", "verify"]).json()["ok"], true);
    let last = place.run(&["--json", "account", "roles", "ines", "--role", "member"]);
    assert_eq!(last.error(), "last_administrator");
}

#[test]
fn the_kit_lets_a_new_administrator_in() {
    let place = Place::with_vault();
    fs::write(place.path("ida.txt"), "nine brown owls doze over ida\n").unwrap();
    place.run(&["tenant", "create", "ACME GmbH"]);
    let kit = place.names().into_iter().find(|name| name.contains("kit")).unwrap();
    let recover = ["--json", "--vault", "clients.coffer", "--passphrase-file", "ida.txt", "account", "recover", "ida"];
    let recovered = place.run_bare(&[recover.as_slice(), &["--kit", &kit]].concat());
    assert_eq!(recovered.json()["login"], "ida");
    let as_ida = |arguments: &[&str]| {
        let who = ["--json", "--vault", "clients.coffer", "--login", "ida", "--passphrase-file", "ida.txt"];
        place.run_bare(&[who.as_slice(), arguments].concat())
    };
    let kept = as_ida(&["account", "offboard", "ines", "--now"]);
    assert_eq!(kept.error(), "last_steward");
    let left = as_ida(&["account", "offboard", "ines", "--now", "--even-last-steward"]).json();
    assert_eq!(left["pending"][0]["needs_recovery"], true);
    assert_eq!(as_ida(&["key", "recover", "--kit", &kit]).json()["recovered"], 1);
    assert_eq!(as_ida(&["tenant", "list"]).json()[0]["right"], "steward");
}

//! Several people on one vault, through the program: the shapes that scripts rely on, and what is refused.

use std::fs;
use std::os::unix::fs::PermissionsExt;

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

#[test]
fn key_factors_and_rules_answer_as_documented() {
    let place = Place::with_vault();
    let mut ways = place.run(&["--json", "account", "ways"]).json();
    // Measured on this machine when the vault was made.
    for measured in ["kdf_memory_kib", "kdf_passes"] {
        assert!(ways[measured].as_u64().unwrap() >= 3);
        ways[measured] = serde_json::json!("[measured]");
    }
    holds!("account_ways", ways);
    let pass = "pw.txt";
    let factors = ["--json", "account", "factors", "--new-passphrase-file", pass];
    let made = place.run(&[factors.as_slice(), &["--new-key-file", "ines.key"]].concat());
    assert_eq!((made.json()["key_file"].clone(), made.json()["personal_code"].clone()), (true.into(), false.into()));
    assert_eq!(fs::metadata(place.path("ines.key")).unwrap().len(), 64);
    assert_eq!(place.run(&["--json", "account", "ways"]).error(), "factor_missing");
    let with_file = |arguments: &[&str]| place.run(&[&["--json", "--key-file", "ines.key"], arguments].concat());
    // What is there is not written over.
    let over = ["account", "factors", "--new-key-file", "ines.key", "--new-passphrase-file", pass];
    assert_eq!(with_file(&over).code, Some(1));
    assert_eq!(fs::metadata(place.path("ines.key")).unwrap().len(), 64);
    let code = with_file(&["account", "personal-code", "--code-file", "personal.txt"]);
    assert_eq!(code.json()["personal_code_file"], "personal.txt");
    let who = ["--json", "--vault", "clients.coffer", "--login", "ines", "--personal-code-file", "personal.txt"];
    let by_code = place.run_bare(&[who.as_slice(), &["account", "ways"]].concat());
    assert_eq!(by_code.json()["personal_code"], true);
    assert_eq!(with_file(&["account", "factors", "--no-key-file", "--new-passphrase-file", pass]).code, Some(0));

    holds!("policy_show", place.run(&["--json", "policy", "show"]).json());
    let set =
        place.run(&["--json", "policy", "set", "--step-up", "reveal", "--step-up", "export", "--kdf-memory", "64"]);
    holds!("policy_set", set.json());
    let first = place.run(&["--json", "policy", "set", "--second-factor", "administrator"]);
    assert_eq!(first.error(), "enrol_second_factor_first");
    let alone = place.run(&["--json", "policy", "set", "--two-people", "export"]);
    assert_eq!(alone.error(), "one_administrator");
    let unknown = place.run(&["--json", "policy", "set", "--step-up", "everything"]);
    assert_eq!((unknown.code, unknown.error().as_str()), (Some(2), "usage"));
    let none = place.run(&["--json", "policy", "set", "--step-up", "none"]);
    assert_eq!(none.json()["step_up"], serde_json::json!([]));
}

#[test]
fn shares_recover_and_are_renewed() {
    let place = Place::empty();
    let options = ["--json", "--vault", "clients.coffer", "--login", "ines", "--passphrase-file", "pw.txt"];
    let as_ines = |arguments: &[&str]| place.run_bare(&[options.as_slice(), arguments].concat());
    for wrong in ["1/3", "4/3", "2/17", "3"] {
        assert_eq!(as_ines(&["vault", "create", "--shares", wrong, "--kit", "shares"]).error(), "usage");
    }
    assert_eq!(as_ines(&["vault", "create", "--shares", "2/3", "--kit", "none/shares"]).error(), "no_folder");
    assert!(!place.path("clients.coffer").exists());
    assert_eq!(as_ines(&["vault", "create", "--shares", "2/3", "--kit", "shares"]).json()["name"], "clients");
    assert_eq!(fs::metadata(place.path("shares")).unwrap().permissions().mode() & 0o777, 0o700);
    let page = |folder: &str, number: u8, of: u8| format!("{folder}/share-{number}-of-{of}.html");
    let one = page("shares", 1, 3);
    assert_eq!(fs::metadata(place.path(&one)).unwrap().permissions().mode() & 0o777, 0o600);
    as_ines(&["tenant", "create", "ACME GmbH"]).json();

    fs::write(place.path("ida.txt"), "nine brown owls doze over ida\n").unwrap();
    let recover = |shares: &[&str]| {
        let who = ["--json", "--vault", "clients.coffer", "--passphrase-file", "ida.txt", "account", "recover", "ida"];
        let shares: Vec<&str> = shares.iter().flat_map(|share| ["--share", *share]).collect();
        place.run_bare(&[who.as_slice(), &shares].concat())
    };
    let too_few = recover(&[&one, &one]);
    assert_eq!(too_few.error(), "shares_too_few");
    assert!(too_few.message().starts_with("1 more"));
    // Mistyped, and of another vault.
    let text = fs::read_to_string(place.path(&one)).unwrap();
    fs::write(place.path("typed.txt"), text.replacen("Share code\n\n    1", "Share code\n\n    2", 1)).unwrap();
    assert_eq!(recover(&["typed.txt", &page("shares", 2, 3)]).error(), "invalid_share");
    let elsewhere = ["--json", "--vault", "b.coffer", "--login", "ines", "--passphrase-file", "pw.txt"];
    place.run_bare(&[&elsewhere[..], &["vault", "create", "--shares", "2/3", "--kit", "theirs"]].concat()).json();
    let forged = recover(&[&one, &page("theirs", 2, 3)]);
    assert_eq!(forged.error(), "share_forged");
    assert!(forged.message().contains("share 2 "));
    assert_eq!(recover(&["pw.txt"]).error(), "invalid_share");

    holds!("key_recovery", as_words(as_ines(&["key", "recovery"]).json(), ""));
    let renewed = as_ines(&["key", "renew-recovery", "--kit", "kit-2.txt"]).json();
    holds!("key_renew_recovery", as_words(renewed.clone(), "/recovery"));
    assert_eq!(as_ines(&["key", "renew-recovery", "--kit", "kit-2.txt"]).error(), "place_taken");
    let kit = fs::read_to_string(place.path("kit-2.txt")).unwrap();
    assert!(kit.contains(renewed["recovery"]["fingerprint"].as_str().unwrap()));
    assert_eq!(recover(&[&one, &page("shares", 2, 3)]).error(), "other_kit");
    let other = as_ines(&["key", "accept-recovery", "--words", "six words that are not these ones"]);
    assert_eq!(other.error(), "recovery_words");
    let who = ["--json", "--vault", "clients.coffer", "--passphrase-file", "ida.txt", "account", "recover", "ida"];
    assert_eq!(place.run_bare(&[&who[..], &["--kit", "kit-2.txt"]].concat()).json()["login"], "ida");
    let both = place.run_bare(&[&who[..], &["--kit", "kit-2.txt", "--share", &one]].concat());
    assert_eq!(both.error(), "usage");
    assert_eq!(place.run_bare(&who).error(), "usage");
}

/// With the number of a fingerprint's words in their place.
fn as_words(mut answer: serde_json::Value, at: &str) -> serde_json::Value {
    let recovery = answer.pointer_mut(at).unwrap();
    let words = recovery["fingerprint"].as_str().unwrap().split(' ').count();
    recovery["fingerprint"] = serde_json::json!(format!("[{words} words]"));
    answer
}

#[test]
fn leaving_by_a_deadline_and_what_a_leaver_saw_answer_as_documented() {
    let place = Place::with_vault();
    fs::write(place.path("otto.txt"), format!("{OTTO}\n")).unwrap();
    fs::write(place.path("new.txt"), "another five slow words 77\n").unwrap();
    place.run(&["tenant", "create", "ACME GmbH"]);
    let fields = ["--field", "user=svc", "--field", "password=canary"];
    let added = ["--json", "record", "add", "--tenant", "ACME GmbH", "--title", "Portal"];
    let record = place.run(&[added.as_slice(), &fields].concat()).json()["id"].as_str().unwrap().to_owned();
    place.run(&["account", "invite", "otto", "--role", "member", "--code-file", "code.txt"]);
    let activate = ["--vault", "clients.coffer", "--passphrase-file", "otto.txt", "account", "activate"];
    place.run_bare(&[activate.as_slice(), &["--code-file", "code.txt"]].concat());
    place.run(&["grant", "add", "otto", "--tenant", "ACME GmbH", "--right", "reader"]);
    let as_otto = |arguments: &[&str]| {
        let who = ["--json", "--vault", "clients.coffer", "--login", "otto", "--passphrase-file", "otto.txt"];
        place.run_bare(&[who.as_slice(), arguments].concat())
    };
    as_otto(&["record", "show", &record, "--reveal", "password"]).json();

    let deadline = ["--json", "account", "offboard", "otto", "--within", "24", "--secrets-within", "5"];
    holds!("account_offboard_within", place.run(&deadline).json());
    holds!("account_offboard_stay", place.run(&["--json", "account", "offboard", "otto", "--stay"]).json());
    assert_eq!(place.run(&["--json", "account", "offboard", "otto", "--stay"]).error(), "not_leaving");
    assert_eq!(place.run(&["account", "offboard", "otto"]).code, Some(2), "it has to be said when");
    place.run(&["account", "offboard", "otto", "--now", "--secrets-within", "3"]);
    let unreported = place.run(&["--json", "account", "check-exposures", "otto"]);
    assert_eq!((unreported.code, unreported.error()), (Some(1), "exposures_unreported".to_owned()));
    let exposures = ["--json", "account", "exposures", "--tenant", "ACME GmbH"];
    holds!("account_exposures", place.run(&exposures).json());
    let shown = place.run(&["account", "exposures"]).out;
    assert!(
        shown.contains("otto in ACME GmbH") && shown.contains("1 to change") && !shown.contains("canary"),
        "{shown}"
    );
    place.run(&[exposures.as_slice(), &["--report"]].concat()).json();
    let evidence = place.run(&["--json", "account", "offboarding", "otto"]).json();
    assert_eq!(evidence["chain_head"].as_str().unwrap().len(), 64);
    holds!("account_offboarding", evidence);
    holds!("account_check_exposures", place.run(&["--json", "account", "check-exposures", "otto"]).json());
    let changed = ["record", "edit", &record, "--field", "password=another"];
    place.run(&changed);
    place.run(&["account", "exposures", "--report"]);
    let shown = place.run(&["account", "check-exposures", "otto"]).out;
    assert!(shown.contains("ACME GmbH: report of") && shown.contains("by ines; entries in both: 1"), "{shown}");
    let shown = place.run(&["account", "offboarding", "otto"]).out;
    assert!(shown.contains("otto (member): complete"), "{shown}");
    // Somebody else of the same login hides nothing of what the first one saw.
    place.run(&["account", "invite", "otto", "--role", "member", "--code-file", "again.txt"]);
    let checked = place.run(&["--json", "account", "check-exposures", "otto"]).json();
    let agreed: Vec<_> = checked.as_array().unwrap().iter().map(|view| &view["tenants"][0]["agreed"]).collect();
    assert!(agreed.len() == 2 && agreed.contains(&&serde_json::json!(1)), "{checked}");
}

#[test]
fn keys_and_custodians_answer_as_documented() {
    let place = Place::with_vault();
    place.run(&["tenant", "create", "ACME GmbH"]);
    let mut register = place.run(&["--json", "key", "list"]).json();
    let keys = register["keys"].as_array_mut().unwrap();
    assert_eq!(keys.len(), 7);
    keys.retain(|key| key["kind"] == "tenant");
    holds!("key_list", register);
    holds!("key_access", place.run(&["--json", "key", "access"]).json());
    let rotated = place.run(&["--json", "key", "rotate", "--tenant", "ACME GmbH", "--emergency"]);
    assert_eq!(rotated.json(), serde_json::json!([]));
    let shown = place.run(&["key", "list"]).out;
    assert!(shown.contains("tenant ACME GmbH") && shown.contains("destroyed") && shown.contains("Ed25519"), "{shown}");
    let periods = place.run(&["--json", "key", "periods", "--set", "audit=90"]).json();
    assert!(periods.as_array().unwrap().contains(&serde_json::json!({ "kind": "audit", "days": 90 })), "{periods}");
    assert_eq!(place.run(&["key", "periods", "--set", "audit=0"]).code, Some(2));
    let compromised = place.run(&["--json", "key", "compromised", "--log"]).json();
    assert_eq!(compromised[0]["key"], "audit");
    assert_eq!(place.run(&["--json", "key", "rotate", "--pending"]).json(), serde_json::json!([]));
    assert_eq!(place.run(&["--json", "key", "rotate", "--device"]).json(), serde_json::json!([]));

    assert_eq!(place.run(&["--json", "key", "glass"]).json(), serde_json::json!([]));
    let alone = ["--json", "key", "custodians", "--tenant", "ACME GmbH", "--name", "ines"];
    assert_eq!(place.run(&alone).error(), "glass_custodians");
    let broken = ["--json", "--second-login", "ida", "key", "break-glass", "--tenant", "ACME GmbH", "--reason", "x"];
    assert_eq!(place.run(&broken).error(), "not_found");
}

//! A redacted twin, and a person in the data: the answers scripts rely on, and what is refused.

use std::fs;

use crate::answers::redacted;
use crate::place::Place;

macro_rules! holds {
    ($name:literal, $answer:expr) => {
        insta::with_settings!({ sort_maps => true }, { insta::assert_json_snapshot!($name, redacted($answer)) })
    };
}

/// A vault with a contact, and a login that once had the person in it.
fn filled() -> Place {
    let place = Place::with_vault();
    fs::write(place.path("anna.txt"), "Anna Schmidt\n\n030 1234567\n").unwrap();
    fs::write(place.path("list.txt"), "call Anna Schmidt\n").unwrap();
    let mut shell = place.shell();
    shell.ask("tenant create 'ACME GmbH'");
    let contact = shell.ask(
        "record add --tenant 'ACME GmbH' --title 'Schmidt, Anna' --kind contact --field E-mail=anna.schmidt@acme.example \
         --field 'Phone=+49 30 1234567' --tag staff",
    );
    shell.ask(&format!("file attach {} list.txt", contact["id"].as_str().unwrap()));
    let login = shell.ask("record add --tenant 'ACME GmbH' --title Gate --field User=anna.schmidt");
    shell.ask(&format!("record edit {} --field User=otto", login["id"].as_str().unwrap()));
    assert_eq!(shell.end().code, Some(0));
    place
}

#[test]
fn answers_about_twins_and_persons_have_the_shapes_that_scripts_rely_on() {
    let place = filled();
    let mut shell = place.shell();
    holds!("tenant_twin", shell.ask("tenant twin 'ACME GmbH' 'ACME for tests' --seed 11"));
    assert_eq!(shell.ask("search schmidt --tenant 'ACME for tests'")["hits"].as_array().unwrap().len(), 0);
    let who = "--tenant 'ACME GmbH' --identifiers-file anna.txt";
    holds!("subject_find", shell.ask(&format!("subject find {who}")));
    holds!("subject_export", shell.ask(&format!("subject export {who} --to anna.tar")));
    shell.ask("backup export before.age");
    let history = format!("subject erase {who} --history-only --confirm 'ACME GmbH'");
    holds!("subject_erase_history", shell.ask(&history));
    holds!("subject_erase", shell.ask(&format!("subject erase {who} --confirm 'ACME GmbH'")));
    assert_eq!(shell.ask("subject find 'Anna Schmidt' --tenant 'ACME GmbH'")["records"].as_array().unwrap().len(), 0);
    assert_eq!(shell.ask("log verify")["ok"], true);
    let ended = shell.end();
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    let listed = place.run(&["tenant", "list"]).out;
    let marked: Vec<bool> = listed.lines().skip(1).map(|line| line.trim_end().ends_with("invented")).collect();
    assert_eq!(marked, [true, false], "{listed}");
}

#[test]
fn people_are_told_where_and_never_what() {
    let place = filled();
    let found = place.run(&["subject", "find", "Anna Schmidt", "--tenant", "acme gmbh"]).out;
    for told in [
        "Schmidt, Anna",
        "    field E-mail, versions 1 to 2, 2 of them",
        "Gate (in its history only)",
        "attachment list.txt",
    ] {
        assert!(found.contains(told), "{told} is not in\n{found}");
    }
    assert!(!found.contains("acme.example"), "{found}");
}

#[test]
fn erasing_wants_the_tenants_name_and_identifiers_that_say_something() {
    let place = filled();
    let refused = |arguments: &[&str], code: i32| {
        let ran = place.run(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (Some(code), ""), "{ran:?}");
        ran.err
    };
    let who = ["--tenant", "ACME GmbH"];
    let erase = |name: &[&'static str]| [&["subject", "erase", "Anna Schmidt"][..], &who, name].concat();
    assert_eq!(
        refused(&erase(&["--confirm", "ACME"]), 1),
        "error: the tenant's name was not given, so nothing was erased\n\
         hint: type the tenant's name when asked, or give it with --confirm NAME\n"
    );
    assert!(refused(&erase(&[]), 1).starts_with("error: the tenant's name was not given"));
    assert!(refused(&[&["subject", "find", "ab"][..], &who].concat(), 1).contains("3 letters or digits"));
    refused(&[&["subject", "find"][..], &who].concat(), 2);
    let twice = place.run(&["tenant", "twin", "ACME GmbH", "acme gmbh"]);
    assert!(twice.err.starts_with("error: there is a tenant of that name already"), "{twice:?}");
    let found = place.run(&[&["subject", "find", "Anna Schmidt", "--json"][..], &who].concat()).json();
    assert_eq!(found["records"].as_array().unwrap().len(), 2);
}

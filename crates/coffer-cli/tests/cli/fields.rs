//! Fields as arguments name them: their types, and which field is meant.

use std::fs;
use std::io::Write;

use serde_json::Value;

use crate::place::Place;

fn field<'r>(record: &'r Value, name: &str) -> &'r Value {
    let fields = record["fields"].as_array().unwrap();
    fields.iter().find(|field| field["name"] == name).unwrap_or_else(|| panic!("{name} in {record}"))
}

#[test]
fn a_field_that_its_kind_offers_has_the_type_it_has_there_however_its_name_is_written() {
    let place = Place::with_vault();
    let mut shell = place.shell();
    shell.ask("tenant create T");
    for (kind, name, value, field_type) in [
        ("card", "card_number", "4111 1111 1111 1111", "secret"),
        ("card", "Card number", "4111 1111 1111 1111", "secret"),
        ("licence", "key", "canary-1", "secret"),
        ("licence", "Licence key", "canary-2", "secret"),
        ("login", "One-time code", "JBSWY3DPEHPK3PXP", "totp"),
        ("custom", "one_time_code:text", "none", "text"),
        ("custom", "Ratio 1:2:text", "none", "text"),
        ("custom", "Colour", "green", "text"),
    ] {
        let added = shell.ask(&format!("record add --tenant T --title x --kind {kind} --field '{name}={value}'"));
        let typed = name.strip_suffix(":text").unwrap_or(name);
        assert_eq!(field(&added, typed)["field_type"], field_type, "{kind} {name}");
        let id = added["id"].as_str().unwrap();
        let edited = shell.ask(&format!("record edit {id} --title y"));
        assert_eq!(field(&edited, typed)["value"].is_null(), field_type != "text", "{kind} {name}");
    }
    let id = shell.ask("record add --tenant T --title x --kind card")["id"].as_str().unwrap().to_owned();
    let edited = shell.ask(&format!("record edit {id} --field card_number=4111"));
    assert_eq!(field(&edited, "card_number")["field_type"], "secret");
    assert_eq!(shell.end().code, Some(0));
}

#[test]
fn a_type_that_is_none_is_refused_and_nothing_becomes_a_text_that_is_shown() {
    let place = Place::with_vault();
    fs::write(place.path("pin.txt"), "canary-4711\n").unwrap();
    assert_eq!(place.run(&["tenant", "create", "T"]).code, Some(0));
    for field in [&["--field-file", "PIN code:secrte=pin.txt"], &["--field", "PIN code:Secret=canary-4711"]] {
        let add = ["record", "add", "--tenant", "T", "--title", "x"];
        let refused = place.run(&[&add[..], field].concat());
        assert_eq!((refused.code, refused.out.as_str()), (Some(2), ""), "{refused:?}");
        assert!(refused.err.contains("is no type") && refused.err.contains("totp"), "{refused:?}");
        assert!(!refused.err.contains("canary"), "{refused:?}");
    }
    let twice = ["record", "add", "--tenant", "T", "--title", "x", "--field-file", "a=-", "--field-file", "b=-"];
    assert_eq!(place.run(&twice).code, Some(2));
    assert_eq!(place.run(&["record", "list", "--tenant", "T", "--json"]).json()["total"], 0);
}

#[test]
fn a_field_is_the_one_of_the_name_given_or_else_the_only_one_that_differs_in_case() {
    let place = Place::with_vault();
    let mut shell = place.shell();
    shell.ask("tenant create T");
    let added = shell
        .ask("record add --tenant T --title x --field 'Password=canary-old' --field 'OTP:text=a' --field 'otp:text=b'");
    let id = added["id"].as_str().unwrap();
    let edited = shell.ask(&format!("record edit {id} --field password=canary-new --field otp=c"));
    assert_eq!(edited["fields"].as_array().unwrap().len(), 3, "{edited}");
    assert_eq!((&field(&edited, "OTP")["value"], &field(&edited, "otp")["value"]), (&"a".into(), &"c".into()));
    let shown = shell.ask(&format!("record show {id} --reveal password"));
    assert_eq!(field(&shown, "Password")["value"], "canary-new");
    let edited = shell.ask(&format!("record edit {id} --remove-field PASSWORD"));
    assert_eq!(edited["fields"].as_array().unwrap().len(), 2, "{edited}");
    assert_eq!(shell.end().code, Some(0));
    for unclear in [&["--remove-field", "Otp"][..], &["--field", "Otp=d"], &[]] {
        let refused = place.run(&[&["record", "edit", id], unclear].concat());
        assert_eq!(refused.code, Some(2), "{unclear:?} {refused:?}");
    }
    assert_eq!(place.run(&["record", "show", id, "--json"]).json()["version"], 3);
}

#[test]
fn a_line_of_a_script_that_is_no_text_is_told_as_such_and_a_person_is_not_read_out_of_the_script() {
    let place = Place::with_vault();
    assert_eq!(place.run(&["tenant", "create", "T"]).code, Some(0));
    let mut child = place.as_ines(&["--json", "shell"]);
    let mut child = child.stdin(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"\nrecord add --tenant T --title \"caf\xe9\"\n").unwrap();
    let ended = child.wait_with_output().unwrap();
    let error: Value = serde_json::from_slice(&ended.stderr).unwrap();
    assert_eq!((ended.status.code(), error["error"].as_str()), (Some(2), Some("usage")), "{error}");
    assert!(error["message"].as_str().unwrap().contains("line 2 is not UTF-8"), "{error}");
    let mut shell = place.shell();
    shell.say("subject find --tenant T --identifiers-file -");
    shell.say("tenant list");
    let ended = shell.end();
    assert_eq!((ended.code, ended.out.as_str(), ended.error().as_str()), (Some(2), "", "usage"));
}

//! Every JSON answer, as docs/command-line.md promises it to scripts. A difference here breaks somebody's script.

use std::fs;

use serde_json::{Value, json};

use crate::place::Place;

/// The answer with everything that is different every time replaced by what it is.
pub fn redacted(mut answer: Value) -> Value {
    redact("", &mut answer);
    answer
}

fn redact(name: &str, value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| redact(name, item)),
        Value::Object(members) => members.iter_mut().for_each(|(name, value)| redact(name, value)),
        Value::String(text) => {
            let is_id = |part: &str| part.len() == 26 && part.bytes().all(|c| c.is_ascii_alphanumeric());
            let kind = match name {
                "next" => Some("cursor"),
                "os_user" | "host" => Some("machine"),
                "root" | "chain_head" => Some("hash"),
                "device" => Some("words"),
                "access_by" | "secrets_by" | "next_rotation" => Some("time"),
                _ if (name.ends_with("at") || name.ends_with("until") || name == "since") && text.ends_with('Z') => {
                    Some("time")
                }
                _ if text.split('.').all(is_id) => Some("id"),
                _ => None,
            };
            if let Some(kind) = kind {
                *text = format!("[{kind}]");
            }
        }
        Value::Number(_) if name == "bytes" => *value = json!("[bytes]"),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

macro_rules! holds {
    ($name:literal, $answer:expr) => {
        // Another build of the same tests may keep JSON's members in another order; their order means nothing.
        insta::with_settings!({ sort_maps => true }, { insta::assert_json_snapshot!($name, redacted($answer)) })
    };
}

#[test]
fn answers_have_the_shapes_that_scripts_rely_on() {
    let place = Place::with_vault();
    fs::write(place.path("password.txt"), "canary-1\n").unwrap();
    fs::write(place.path("contacts.csv"), "Name,E-mail,Password\nOtto,otto@example.org,canary-2\n").unwrap();
    fs::write(place.path("wrong.csv"), "Name,E-mail\nOtto,otto@example.org\nIda\n").unwrap();
    fs::write(place.path("plan.txt"), "canary-3\n").unwrap();
    fs::write(place.path("floor plan.bin"), [0; 3_000]).unwrap();
    let mut shell = place.shell();
    holds!("tenant_create", shell.ask("tenant create 'ACME GmbH'"));
    holds!("tenant_list", shell.ask("tenant list"));
    let added = shell.ask(
        "record add --tenant 'acme gmbh' --title \"VPN gateway\" --kind server --field Host=gw1.acme.example \
         --field-file Password=password.txt --field Since:date=2024-02-29 --tag network --notes 'Two\\nlines'",
    );
    let id = added["id"].as_str().unwrap().to_owned();
    holds!("record_add", added);
    holds!("record_edit", shell.ask(&format!("record edit {id} --field Host=gw2.acme.example --remove-field Since")));
    holds!("record_show", shell.ask(&format!("record show {id}")));
    holds!("record_show_reveal", shell.ask(&format!("record show {id} --reveal password")));
    holds!("record_history", shell.ask(&format!("record history {id}")));
    holds!("import_dry_run", shell.ask("import contacts.csv --tenant 'ACME GmbH' --dry-run"));
    holds!("import", shell.ask("import contacts.csv --tenant 'ACME GmbH' --map E-mail=Mail:email"));
    let page = shell.ask("record list --tenant 'ACME GmbH' --limit 1");
    let next = page["next"].as_str().unwrap().to_owned();
    holds!("record_list", page);
    holds!("record_list_last", shell.ask(&format!("record list --tenant 'ACME GmbH' --limit 1 --after {next}")));
    holds!("record_list_full", shell.ask("record list --tenant 'ACME GmbH' --full --limit 1"));
    holds!("search", shell.ask("search gatew --tenant 'ACME GmbH'"));
    holds!("search_nothing", shell.ask("search canary"));
    let tagged = "search 'tag:NETWORK -kind:note field:host=gw2 after:2020-01-01' --tenant 'ACME GmbH'";
    holds!("search", shell.ask(&format!("{tagged} --save 'Ours '")));
    holds!("search", shell.ask("search --saved ours --tenant 'ACME GmbH'"));
    holds!("search_list_saved", shell.ask("search list-saved"));
    holds!("search_changed", shell.ask("search rename-saved ours gateways --tenant 'ACME GmbH'"));
    holds!("search_changed", shell.ask("search remove-saved gateways --tenant 'ACME GmbH'"));
    holds!("tenant_tags", shell.ask("tenant tags 'ACME GmbH'"));
    holds!("tenant_tag_changed", shell.ask("tenant rename-tag 'ACME GmbH' Network networks"));
    holds!("tenant_tag_changed", shell.ask("tenant remove-tag 'ACME GmbH' networks"));
    holds!("file_attach", shell.ask(&format!("file attach {id} plan.txt 'floor plan.bin'")));
    holds!("file_list", shell.ask(&format!("file list {id}")));
    holds!("file_save", shell.ask(&format!("file save {id} PLAN.txt saved.txt")));
    holds!("file_detach", shell.ask(&format!("file detach {id} 2")));
    holds!("record_history_files", shell.ask(&format!("record history {id}")));
    holds!("backup_export", shell.ask("backup export unlocked.age"));
    holds!("backup_list", shell.ask("backup list"));
    holds!("backup_verify", shell.ask("backup verify unlocked.age"));
    holds!("log_list", shell.ask("log list --limit 1000"));
    holds!("log_verify", shell.ask("log verify"));
    holds!("log_export", shell.ask("log export log.jsonl"));
    holds!("vault_check", shell.ask("vault check"));
    let ended = shell.end();
    assert_eq!((ended.code, ended.out.as_str(), ended.err.as_str()), (Some(0), "", ""));

    assert_eq!(fs::read(place.path("saved.txt")).unwrap(), b"canary-3\n");
    let exported = fs::read_to_string(place.path("log.jsonl")).unwrap();
    let entries: Vec<Value> = exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let indices: Vec<_> = entries.iter().map(|entry| entry["index"].as_u64().unwrap()).collect();
    assert_eq!(indices, (0..indices.len() as u64).collect::<Vec<_>>());
    assert!(!exported.contains("canary") && !exported.contains("gateway"));
}

#[test]
fn answers_to_moving_the_vault_have_the_shapes_that_scripts_rely_on() {
    let (place, other) = (Place::with_vault(), Place::empty());
    assert_eq!(place.run(&["--json", "vault", "move", "moved.age"]).json()["counter"], 1);
    let refused = place.run(&["--json", "tenant", "list"]);
    assert_eq!((refused.code, refused.error().as_str()), (Some(1), "moved"));
    assert!(refused.message().contains(" by ines"), "{refused:?}");
    let locked = place.run_bare(&["--json", "--vault", "clients.coffer", "backup", "export", "locked.age"]);
    assert_eq!(locked.error(), "moved");
    let again = place.run(&["--json", "vault", "move", "moved.age"]);
    assert_eq!(again.error(), "move_unfinished", "nothing is overwritten");
    holds!("vault_move", place.run(&["--json", "vault", "move", "once-more.age"]).json());

    // On another computer it goes on.
    fs::copy(place.path("once-more.age"), other.path("moved.age")).unwrap();
    fs::copy(place.path("kit.txt"), other.path("kit.txt")).unwrap();
    other.run_bare(&["--json", "backup", "restore", "moved.age", "--kit", "kit.txt", "--to", "clients.coffer"]).json();
    holds!("account_list_moved", other.run(&["--json", "account", "list"]).json()["moves"].clone());
    let words = other.run(&["account", "list"]).out;
    assert!(words.contains("moved ") && words.contains("taken up "), "{words}");

    holds!("vault_move_taken_back", place.run(&["--json", "vault", "move", "--take-back"]).json());
    assert_eq!(place.run(&["--json", "vault", "move", "--take-back"]).error(), "not_moved");
    assert_eq!(place.run(&["--json", "tenant", "list"]).json(), json!([]));
    for usage in [&["vault", "move"][..], &["vault", "move", "x.age", "--take-back"]] {
        assert_eq!(place.run(usage).code, Some(2));
    }
    let mut shell = place.shell();
    shell.say("vault move elsewhere.age");
    let ended = shell.end();
    assert!(ended.code == Some(2) && ended.err.contains("stands alone"), "{ended:?}");
}

#[test]
fn answers_to_imports_and_exports_of_other_formats_have_the_shapes_that_scripts_rely_on() {
    let place = Place::with_vault();
    fs::write(place.path("in.json"), include_bytes!("../../../coffer-interchange/tests/data/bitwarden.json")).unwrap();
    fs::write(place.path("out.txt"), "canary lanterns\n").unwrap();
    let mut shell = place.shell();
    shell.ask("tenant create ACME");
    holds!("import_entries", shell.ask("import in.json --tenant ACME"));
    holds!("import_duplicates", shell.ask("import in.json --tenant ACME --format bitwarden --duplicates skip"));
    holds!("export_csv", shell.ask("export out.csv --tenant ACME --format csv"));
    let export = "export out.kdbx --tenant ACME --format kdbx --export-passphrase-file out.txt";
    holds!("export_kdbx", shell.ask(export));
    assert_eq!(shell.end().code, Some(0));
}

#[test]
fn answers_about_fields_and_upkeep_have_the_shapes_that_scripts_rely_on() {
    let place = Place::with_vault();
    fs::write(place.path("seed.txt"), "JBSWY3DPEHPK3PXP\n").unwrap();
    fs::write(place.path("password.txt"), "hunter2\n").unwrap();
    let door = "kind = 'door_code'\nname = 'Door code'\n[[field]]\nname = 'Place'\ntype = 'choice'\n\
                options = ['Front', {word='test'}]\n[[field]]\nword = 'pin'\ntype = 'secret'\nrole = 'secret'\n";
    fs::write(place.path("door.toml"), door).unwrap();
    let mut shell = place.shell();
    shell.ask("tenant create 'ACME GmbH'");
    let gateway = shell.ask("record add --tenant 'ACME GmbH' --title Gateway");
    let gateway = gateway["id"].as_str().unwrap();
    let added = shell.ask(&format!(
        "record add --tenant 'ACME GmbH' --title Portal --kind login --field-file Password=password.txt \
         --field-file Code:totp=seed.txt --field Lease:expiry=2020-02-29 --field Behind:reference={gateway}"
    ));
    let id = added["id"].as_str().unwrap().to_owned();
    assert_eq!(added["fields"][1]["reference"]["id"], gateway);
    holds!("record_with_every_new_type", added);
    let mut code = shell.ask(&format!("record code {id} code"));
    let digits = code["code"].as_str().unwrap();
    assert!(digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_digit()), "{digits}");
    assert!((1..=30).contains(&code["seconds_left"].as_u64().unwrap()));
    (code["code"], code["seconds_left"]) = (json!("[digits]"), json!("[seconds]"));
    holds!("record_code", code);
    let mut expiring = shell.ask("record expiring --days 7");
    assert!(expiring["records"][0]["days_left"].as_i64().unwrap() < -2_000);
    (expiring["today"], expiring["records"][0]["days_left"]) = (json!("[day]"), json!("[days]"));
    holds!("record_expiring", expiring);
    holds!("record_health", shell.ask("record health --tenant 'ACME GmbH'"));
    holds!("kind_add", shell.ask("kind add door.toml"));
    let kinds = shell.ask("kind list");
    assert_eq!(kinds.as_array().unwrap().len(), 11);
    holds!("kind_list_first", kinds[0].clone());
    holds!("kind_remove", shell.ask("kind remove door_code"));
    let ended = shell.end();
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));

    // Without a vault and without an account.
    let mut made = place.run_bare(&["--json", "generate", "passphrase", "--words", "7"]).json();
    assert_eq!(made["secret"].as_str().unwrap().split('-').count(), 7);
    made["secret"] = json!("[secret]");
    holds!("generate_passphrase", made);
    let plain = place.run_bare(&["generate", "password", "--length", "12", "--without", "symbols", "--unambiguous"]);
    assert!(plain.out.trim_end().len() == 12 && plain.out.trim_end().bytes().all(|c| c.is_ascii_alphanumeric()));
    let refused = place.run_bare(&["--json", "generate", "password", "--length", "3"]);
    assert_eq!((refused.code, refused.out.as_str()), (Some(1), ""));
    assert!(refused.err.contains("invalid_recipe"), "{refused:?}");
}

#[test]
fn answers_about_the_life_of_records_have_the_shapes_that_scripts_rely_on() {
    let place = Place::with_vault();
    let mut shell = place.shell();
    shell.ask("tenant create ACME");
    let mut add = |title: &str| {
        let added = shell.ask(&format!("record add --tenant ACME --title '{title}' --kind server --field Host=gw1"));
        added["id"].as_str().unwrap().to_owned()
    };
    let [gate, crane] = [add("Gate"), add("Crane")];
    holds!("record_favourite", shell.ask(&format!("record favourite {gate} --on")));
    holds!("record_list_favourites", shell.ask("record list --tenant ACME --favourites --sort changed"));
    holds!("record_tag", shell.ask(&format!("record tag {gate} {crane} --add vpn --add eu")));
    holds!("record_restore_version", shell.ask(&format!("record restore-version {gate} 1")));
    holds!("record_trash", shell.ask(&format!("record trash {gate} {crane}")));
    holds!("record_list_trash", shell.ask("record list --tenant ACME --trash"));
    assert_eq!(shell.ask("record list --tenant ACME")["total"], 0);
    holds!("record_restore", shell.ask(&format!("record restore {crane}")));
    holds!("record_purge", shell.ask(&format!("record purge {gate}")));
    shell.ask(&format!("record trash {crane}"));
    holds!("record_empty_trash", shell.ask("record empty-trash --tenant ACME"));
    assert_eq!(shell.end().code, Some(0));
}

#[test]
fn steps_of_the_life_of_records_are_refused_in_words() {
    let place = Place::with_vault();
    let mut shell = place.shell();
    let mut add = |tenant: &str| {
        shell.ask(&format!("tenant create {tenant}"));
        let added = shell.ask(&format!("record add --tenant {tenant} --title Gate"));
        added["id"].as_str().unwrap().to_owned()
    };
    let [ours, theirs] = [add("ACME"), add("Bauer")];
    shell.ask(&format!("record trash {ours}"));
    assert_eq!(shell.end().code, Some(0));
    let refused = |arguments: &[&str]| {
        let ran = place.run(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{ran:?}");
        ran.err
    };
    assert_eq!(
        refused(&["record", "edit", &ours, "--title", "x"]),
        "error: the record is in the trash\n\
         hint: take it out of the trash with `record restore`, or show it only\n"
    );
    assert_eq!(
        refused(&["record", "trash", &ours, &theirs]),
        "error: one step takes records of one tenant only\n\
         hint: repeat for each tenant; `record move` takes records from one to another\n"
    );
    assert!(refused(&["record", "purge", &theirs]).starts_with("error: there is no such tenant or record\n"));
    for usage in [&["record", "favourite", &theirs][..], &["record", "tag", &theirs], &["record", "trash"]] {
        assert_eq!(place.run(usage).code, Some(2), "{usage:?}");
    }
    let sorted = place.run(&["record", "list", "--tenant", "ACME", "--sort", "size"]);
    assert!(sorted.err.contains("title, kind, changed or created"), "{sorted:?}");
}

#[test]
fn answers_about_moving_records_have_the_shapes_that_scripts_rely_on() {
    let place = Place::with_vault();
    fs::write(place.path("plan.txt"), "canary-3\n").unwrap();
    let mut shell = place.shell();
    shell.ask("tenant create ACME");
    shell.ask("tenant create Bauer");
    let mut add = |title: &str, more: &str| {
        let added = shell.ask(&format!("record add --tenant ACME --title {title} --kind server {more}"));
        added["id"].as_str().unwrap().to_owned()
    };
    let crane = add("Crane", "");
    let gate = add("Gate", &format!("--field Behind:reference={crane} --tag vpn"));
    shell.ask(&format!("file attach {gate} plan.txt"));
    let what = format!("record move {gate} --tenant acme --to bauer");
    holds!("record_move_dry_run", shell.ask(&format!("{what} --dry-run")));
    holds!("record_move_copy", shell.ask(&format!("{what} --copy --confirm Bauer")));
    let moved = shell.ask(&format!("{what} --confirm Bauer"));
    let there = moved["moved"][0]["to"].as_str().unwrap().to_owned();
    holds!("record_move", moved);
    holds!("record_moved", shell.ask(&format!("record show {there}")));
    assert_eq!(shell.ask("record list --tenant ACME --trash")["total"], 1);
    assert_eq!(shell.ask("log verify")["ok"], true);
    assert_eq!(shell.end().code, Some(0));
}

#[test]
fn moving_records_wants_the_other_tenants_name_and_says_what_it_cuts() {
    let place = Place::with_vault();
    let mut shell = place.shell();
    shell.ask("tenant create ACME");
    shell.ask("tenant create 'Bauer & Co'");
    let mut add = |more: &str| {
        let added = shell.ask(&format!("record add --tenant ACME {more}"));
        added["id"].as_str().unwrap().to_owned()
    };
    let crane = add("--title Crane");
    let gate = add(&format!("--title Gate --field Behind:reference={crane}"));
    assert_eq!(shell.end().code, Some(0));
    let what = ["record", "move", &gate, "--tenant", "ACME", "--to", "bauer & co"];
    let run = |more: &[&str]| place.run(&[&what[..], more].concat());
    for name in [&["--confirm", "ACME"][..], &["--confirm", "bauer & co"], &[]] {
        let refused = run(name);
        assert_eq!((refused.code, refused.out.as_str()), (Some(1), ""));
        assert_eq!(
            refused.err,
            "error: the name given is not that of the tenant the records are to go to\n\
             hint: type the tenant's name when asked, or give it with --confirm NAME\n"
        );
    }
    let same = place.run(&["record", "move", &gate, "--tenant", "ACME", "--to", "ACME", "--confirm", "ACME"]);
    assert!(same.err.starts_with("error: the records are in that tenant already\n"), "{same:?}");
    let other = place.run(&["record", "move", &gate, "--tenant", "bauer & co", "--to", "ACME", "--confirm", "ACME"]);
    assert!(other.err.starts_with("error: one step takes records of one tenant only\n"), "{other:?}");
    assert_eq!(
        run(&["--dry-run"]).out,
        "1 record would be moved from ACME to Bauer & Co: 1 version, 0 files, 0 B\n  \
         reference cut: Gate → Behind → Crane\n"
    );
    assert_eq!(
        run(&["--confirm", "Bauer & Co"]).out,
        "1 record of ACME moved to Bauer & Co; what was here is in the trash of ACME\n  \
         reference cut: Gate → Behind → Crane\n"
    );
}

#[test]
fn locked_answers_have_the_shapes_that_scripts_rely_on() {
    let place = Place::with_vault();
    let vault = ["--json", "--vault", "clients.coffer"];
    let run = |arguments: &[&str]| place.run_bare(&[&vault[..], arguments].concat()).json();
    holds!("vault_show", run(&["vault", "show"]));
    let mut health = run(&["doctor"]);
    for check in health.as_array_mut().unwrap() {
        // What they find is this machine's.
        check["state"] = json!("[state]");
        check["detail"] = json!("[detail]");
    }
    holds!("doctor", health);
    holds!("backup_export_locked", run(&["backup", "export", "locked.age"]));
    holds!("backup_verify_locked", run(&["backup", "verify", "locked.age"]));
    let with_kit =
        place.run_bare(&["--json", "backup", "restore", "locked.age", "--kit", "kit.txt", "--to", "new.coffer"]);
    holds!("backup_restore", with_kit.json());
    assert!(place.path("new.coffer/header").exists());
    let shown = place.run_bare(&["--vault", "new.coffer", "vault", "show", "--json"]).json();
    assert_eq!(shown["id"], run(&["vault", "show"])["id"]);
}

#[test]
fn people_get_tables_from_the_margin_and_pipes_get_nothing_else() {
    let place = Place::with_vault();
    let created = place.run(&["tenant", "create", "Bär & Söhne"]);
    assert!(created.out.starts_with("created the tenant Bär & Söhne ("), "{created:?}");
    let listed = place.run(&["tenant", "list"]);
    let lines: Vec<&str> = listed.out.lines().collect();
    assert!(lines[0].starts_with("NAME         RIGHT    CREATED"), "{listed:?}");
    assert!(lines[1].starts_with("Bär & Söhne  steward  2"), "{listed:?}");
    assert_eq!((lines.len(), listed.err.as_str()), (2, ""));
}

#[test]
fn help_completions_and_manual_pages_come_from_one_definition() {
    let place = Place::empty();
    let help = place.run_bare(&["--help"]);
    insta::assert_snapshot!("help", help.out);
    for shell in ["bash", "zsh", "fish"] {
        let script = place.run_bare(&["completions", shell]);
        assert_eq!((script.code, script.err.as_str()), (Some(0), ""));
        for noun in [
            "vault", "tenant", "record", "file", "kind", "generate", "import", "export", "search", "backup", "subject",
            "log", "doctor", "shell",
        ] {
            assert!(script.out.contains(noun), "{shell} {noun}");
        }
    }
    fs::create_dir(place.path("man")).unwrap();
    assert_eq!(place.run_bare(&["man", "man"]).code, Some(0));
    let page = fs::read_to_string(place.path("man/coffer-backup-restore.1")).unwrap();
    assert!(page.contains("accept\\-older"), "{page}");
}

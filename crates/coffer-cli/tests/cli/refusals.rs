//! Refusals: their exit codes, their permanent names, and that nothing is left behind or given away.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::place::{PASSPHRASE, Place};

#[test]
fn wrong_usage_is_2_and_says_so_in_json_where_json_was_asked_for() {
    let place = Place::empty();
    for arguments in [
        &["tenant", "lst"][..],
        &["--vault", "clients.coffer", "tenant", "list"],
        &["tenant", "list", "--login", "ines"],
        &["record", "list"],
        &["record", "list", "--tenant", "T", "--limit", "0"],
        &["record", "show", "no-id"],
        &["search"],
        &["search", "x", "--saved", "y"],
        &["search", "--save", "y"],
        &["import", "x.kdbx", "--tenant", "T", "--format", "xlsx"],
        &["--passphrase-file", "a", "--passphrase-fd", "3", "tenant", "list"],
        &["backup", "verify", "x.age"],
    ] {
        let plain = place.run_bare(arguments);
        let has_vault = arguments.contains(&"--vault");
        let expected = if has_vault { 1 } else { 2 };
        assert_eq!((plain.code, plain.out.as_str()), (Some(expected), ""), "{arguments:?}");
        assert!(plain.err.starts_with("error: "), "{plain:?}");
        let json = place.run_bare(&[arguments, &["--json"]].concat());
        assert_eq!((json.code, json.out.as_str()), (Some(expected), ""));
        assert!(["usage", "no_vault_named", "not_a_vault"].contains(&json.error().as_str()), "{json:?}");
    }
}

#[test]
fn wrong_usage_names_what_is_missing_and_is_put_in_words_for_people() {
    let place = Place::empty();
    for (arguments, said) in [
        (&["record", "add"][..], "the following required arguments were not provided: --tenant <T>, --title <X>"),
        (&["file", "save"], "the following required arguments were not provided: <ID>, <NAME>, <OUT>"),
        (
            &["--passphrase-fd", "x", "tenant", "list"],
            "invalid value 'x' for '--passphrase-fd <N>': it is not a whole number",
        ),
        (
            &["--passphrase-fd", "99999999999999999999", "tenant", "list"],
            "invalid value '99999999999999999999' for '--passphrase-fd <N>': the number is out of bounds",
        ),
    ] {
        let json = place.run_bare(&[arguments, &["--json"]].concat());
        assert_eq!((json.error().as_str(), json.message().as_str()), ("usage", said));
    }
    let plain = place.run_bare(&["--passphrase-fd", "x", "tenant", "list"]);
    assert!(plain.err.contains("it is not a whole number"), "{plain:?}");
    // The manual pages are for whoever packages them.
    let nothing = place.run_bare(&["--vault", "clients.coffer"]);
    assert!(nothing.err.contains("completions, help]"), "{nothing:?}");
}

#[test]
fn a_place_where_nothing_can_be_made_or_no_vault_is_is_not_taken_for_a_fault_of_the_vault() {
    let place = Place::with_vault();
    fs::write(place.path("b.age"), "").unwrap();
    for (arguments, code) in [
        (&["backup", "export", "none/new.age"][..], "no_folder"),
        (&["backup", "export", "pw.txt/new.age"], "target_unwritable"),
        (&["backup", "export", "b.age"], "target_exists"),
        (&["vault", "move", "none/new.age"], "no_folder"),
        (&["vault", "move", "pw.txt/new.age"], "target_unwritable"),
        (&["--vault", "pw.txt", "backup", "export", "new.age"], "not_a_vault"),
        (&["--vault", "pw.txt", "backup", "verify", "b.age"], "not_a_vault"),
        (&["--vault", "none", "backup", "verify", "b.age"], "not_a_vault"),
        (&["--vault", "pw.txt", "vault", "show"], "not_a_vault"),
    ] {
        let json = [arguments, &["--json"]].concat();
        let refused = if arguments.contains(&"--vault") { place.run_bare(&json) } else { place.run(&json) };
        assert_eq!((refused.code, refused.error().as_str()), (Some(1), code), "{arguments:?}");
        assert!(refused.err.contains("\"hint\":\""), "{refused:?}");
    }
    let made = place.run(&["backup", "export", "made.age", "--json"]);
    assert_eq!(made.code, Some(0), "{made:?}");
    for (to, code) in [("none/restored", "no_folder"), ("pw.txt/restored", "target_unwritable")] {
        let restore = ["--json", "--vault", "clients.coffer", "backup", "restore", "made.age", "--to", to];
        assert_eq!(place.run_bare(&restore).error(), code);
        assert_eq!(place.run(&["backup", "restore", "made.age", "--to", to, "--json"]).error(), code);
    }
    // A move that could not begin was not stated.
    assert_eq!(place.run(&["vault", "move", "--take-back", "--json"]).error(), "not_moved");
}

#[test]
fn of_several_inputs_the_one_that_fails_is_named_and_why() {
    let place = Place::with_vault();
    place.run(&["tenant", "create", "ACME"]);
    let added = place.run(&["record", "add", "--tenant", "ACME", "--title", "Gate", "--json"]).json();
    let id = added["id"].as_str().unwrap();
    fs::write(place.path("in.csv"), "Name,E-mail\nOtto,otto@example.org\n").unwrap();
    fs::create_dir(place.path("folder")).unwrap();
    let tenant = ["--tenant", "ACME"];
    for (arguments, said) in [
        (&["file", "attach", id, "folder"][..], "folder: the file to attach cannot be read: it is a folder"),
        (
            &["file", "attach", id, "none.txt"],
            "none.txt: the file to attach cannot be read: there is no such file or folder",
        ),
        (
            &["file", "attach", id, "/dev/null"],
            "/dev/null: the file to attach cannot be read: it is a pipe or a device",
        ),
        (&["import", "folder"], "folder: the file to import cannot be opened: it is a folder"),
        (
            &["import", "in.csv", "--map", "Name=title", "--map", "nope=notes"],
            "--map \"nope=notes\": the file has no column of this name",
        ),
        (
            &["import", "in.csv", "--format", "csv", "--source-passphrase-file", "pw.txt"],
            "read as csv: the file is not encrypted with a passphrase",
        ),
        (
            &["record", "add", "--title", "Gate", "--field-prompt", "PIN"],
            "there is no terminal to ask for the field \"PIN\" on",
        ),
    ] {
        let named = if arguments[0] == "file" { arguments.to_vec() } else { [arguments, &tenant].concat() };
        let refused = place.run(&[&named[..], &["--json"]].concat());
        assert_eq!((refused.code, refused.message().as_str()), (Some(1), said));
    }
    let asked = place.run(&["record", "add", "--tenant", "ACME", "--title", "Gate", "--field-prompt", "PIN"]);
    assert!(asked.err.contains("hint: give it with --field-file"), "{asked:?}");
}

#[test]
fn what_the_system_says_of_a_file_is_put_in_words() {
    let place = Place::with_vault();
    fs::write(place.path("latin.txt"), [0xff, 0xfe]).unwrap();
    fs::write(place.path("there.jsonl"), "mine").unwrap();
    for (arguments, code, said) in [
        (
            &["backup", "verify", "x.age", "--kit", "latin.txt"][..],
            "file",
            "the file latin.txt cannot be used: it is not a text in UTF-8",
        ),
        (&["log", "export", "there.jsonl"], "target_exists", "there is something at there.jsonl already"),
        (
            &["log", "export", "none/new.jsonl"],
            "file",
            "the file none/new.jsonl cannot be used: there is no such file or folder",
        ),
    ] {
        let refused = place.run(&[arguments, &["--json"]].concat());
        assert_eq!((refused.error().as_str(), refused.message().as_str()), (code, said));
        assert!(refused.err.contains("\"hint\":\""), "{refused:?}");
    }
    assert_eq!(fs::read_to_string(place.path("there.jsonl")).unwrap(), "mine");
}

#[test]
fn a_new_file_is_never_called_as_a_stream_is() {
    let place = Place::empty();
    for arguments in [
        &["file", "save", "2944qe8ay19zkb4rray51kda6t", "plan.txt", "-"][..],
        &["export", "-", "--tenant", "ACME", "--format", "csv"],
        &["subject", "export", "anna@example.org", "--tenant", "ACME", "--to", "-"],
        &["backup", "export", "-"],
        &["vault", "move", "-"],
        &["log", "export", "-"],
    ] {
        let refused = place.run_bare(&[arguments, &["--json"]].concat());
        assert_eq!((refused.code, refused.error().as_str()), (Some(2), "usage"), "{arguments:?}");
    }
}

#[test]
fn keys_that_nothing_asks_for_are_refused_rather_than_passed_over() {
    let place = Place::with_vault();
    let missing = place.run(&["tenant", "list", "--json", "--key-file", "key"]);
    assert_eq!((missing.code, missing.error().as_str()), (Some(1), "file"));
    for (option, value) in [("--key-file", "in.csv"), ("--code", "123456")] {
        fs::write(place.path("in.csv"), "Name\nOtto\n").unwrap();
        let refused = place.run(&["tenant", "list", "--json", option, value]);
        assert_eq!((refused.code, refused.error().as_str()), (Some(1), "factor_not_asked_for"), "{option}");
    }
    fs::write(place.path("in.csv"), "Name\nOtto\n").unwrap();
    assert_eq!(place.run(&["tenant", "create", "T"]).code, Some(0));
    for option in ["--source-passphrase-file", "--source-key-file"] {
        let refused = place.run(&["import", "in.csv", "--tenant", "T", option, "pw.txt", "--json"]);
        assert_eq!((refused.code, refused.error().as_str()), (Some(1), "source_not_encrypted"));
    }
}

#[test]
fn a_query_that_is_not_well_formed_is_refused_with_the_place_and_what_would_be_right() {
    let place = Place::with_vault();
    for (query, said) in [
        ("gate tag:", "character 6: tag: needs something behind it, such as tag:network"),
        ("before:soon", "character 8: before: takes a day such as 2026-01-31"),
        ("\"gate", "character 1: the quotation mark is never closed"),
        ("* *", "the query has no word with a letter or digit in it, and no operator"),
    ] {
        let refused = place.run(&["search", query]);
        assert_eq!((refused.code, refused.out.as_str()), (Some(1), ""), "{query}");
        assert!(refused.err.starts_with(&format!("error: {said}")) && refused.err.contains("\nhint: "), "{refused:?}");
        assert_eq!(place.run(&["search", query, "--json"]).error(), "invalid_query");
    }
    let found = place.run(&["search", "--json", "--", "-tag:x"]);
    assert_eq!((found.code, found.json()["more"].as_bool()), (Some(0), Some(false)));
    assert_eq!(place.run(&["search", "--saved", "nothing", "--json"]).error(), "not_found");
}

#[test]
fn a_wrong_passphrase_is_refused_in_words_that_do_not_say_what_was_wrong() {
    let place = Place::with_vault();
    fs::write(place.path("wrong.txt"), "canary lanterns over the harbour 59\n").unwrap();
    let mut said = Vec::new();
    for (login, file) in [("ines", "wrong.txt"), ("nobody", "pw.txt")] {
        let vault = ["--vault", "clients.coffer", "--login", login, "--passphrase-file", file, "tenant", "list"];
        let refused = place.run_bare(&vault);
        assert_eq!((refused.code, refused.out.as_str()), (Some(1), ""));
        assert!(refused.err.contains("\nhint: ") && !refused.err.contains("canary"), "{refused:?}");
        said.push(refused.err);
    }
    assert_eq!(said[0], said[1]);
    let nowhere = place.run_bare(&["--json", "--vault", "clients.coffer", "--login", "ines", "tenant", "list"]);
    assert_eq!((nowhere.code, nowhere.error().as_str()), (Some(1), "no_terminal"));
}

#[test]
fn a_vault_that_does_not_come_about_leaves_nothing() {
    let place = Place::empty();
    fs::write(place.path("weak.txt"), "password123456789\n").unwrap();
    fs::write(place.path("taken.txt"), "mine").unwrap();
    fs::create_dir(place.path("taken.coffer")).unwrap();
    let before = place.names();
    for (vault, passphrase, kit, code) in [
        ("new.coffer", "weak.txt", "kit.txt", "passphrase_"),
        ("taken.coffer", "pw.txt", "kit.txt", "place_taken"),
        ("none/new.coffer", "pw.txt", "kit.txt", "no_folder"),
        ("new.coffer", "pw.txt", "taken.txt", "place_taken"),
        ("new.coffer", "pw.txt", "none/kit.txt", "no_folder"),
        ("new.coffer", "missing.txt", "kit.txt", "passphrase_source"),
    ] {
        let options = ["--json", "--vault", vault, "--login", "ines", "--passphrase-file", passphrase];
        let refused = place.run_bare(&[&options[..], &["vault", "create", "--kit", kit]].concat());
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.error().starts_with(code), "{code} {refused:?}");
        assert_eq!(place.names(), before, "{code}");
    }
    assert_eq!(fs::read_to_string(place.path("taken.txt")).unwrap(), "mine");
    let devices = place.path("data");
    assert!(!devices.exists() || fs::read_dir(devices).unwrap().next().is_none());
}

#[test]
fn the_kit_is_for_its_owner_alone() {
    let place = Place::with_vault();
    assert_eq!(fs::metadata(place.path("kit.txt")).unwrap().permissions().mode() & 0o777, 0o600);
    let kit = fs::read_to_string(place.path("kit.txt")).unwrap();
    assert!(kit.starts_with("COFFER RECOVERY KIT\n") && !kit.contains(PASSPHRASE));
}

#[test]
fn a_shell_stops_at_the_first_error_of_a_script_with_its_exit_code() {
    let place = Place::with_vault();
    for (line, code, error) in [
        ("record list --tenant Nobody", 1, "not_found"),
        ("vault show", 2, "usage"),
        ("doctor", 2, "usage"),
        ("demo elsewhere", 2, "usage"),
        ("shell", 2, "usage"),
        ("tenant create \"ACME", 2, "usage"),
        ("--vault other.coffer tenant list", 2, "usage"),
        ("record add --tenant ACME --title X --field hunter2", 2, "usage"),
        ("record add --tenant ACME --title X --field-file Password=-", 2, "usage"),
        ("import missing.csv --tenant ACME", 1, "file_unreadable"),
        ("import wrong.csv --tenant ACME --source-passphrase-file -", 2, "usage"),
        ("import wrong.csv --tenant ACME", 1, "import_rejected"),
        ("log export log.jsonl", 1, "target_exists"),
        ("log export -", 2, "usage"),
        ("backup verify wrong.csv", 1, "not_a_backup"),
    ] {
        let mut shell = place.shell();
        fs::write(place.path("wrong.csv"), "Name,E-mail\nOtto\n").unwrap();
        fs::write(place.path("log.jsonl"), "").unwrap();
        if place.names().contains(&"has-tenant".to_owned()) {
            shell.ask("tenant list");
        } else {
            shell.ask("tenant create ACME");
            fs::write(place.path("has-tenant"), "").unwrap();
        }
        shell.say("# a comment, and an empty line");
        shell.say("");
        shell.say(line);
        shell.say("tenant create Never");
        let ended = shell.end();
        assert_eq!((ended.code, ended.error().as_str()), (Some(code), error), "{line}");
        assert!(!ended.err.contains("hunter2"), "{ended:?}");
    }
    let tenants = place.run(&["tenant", "list", "--json"]).json();
    assert_eq!(tenants.as_array().unwrap().len(), 1);
}

#[test]
fn damage_is_3() {
    let place = Place::with_vault();
    let header = place.path("clients.coffer/header");
    let mut bytes = fs::read(&header).unwrap();
    bytes.truncate(40);
    fs::write(&header, bytes).unwrap();
    let refused = place.run(&["tenant", "list", "--json"]);
    assert_eq!((refused.code, refused.error().as_str()), (Some(3), "damaged"));
}

#[test]
fn a_log_that_lost_its_state_is_3_until_it_is_restarted() {
    let place = Place::with_vault();
    let restart = || place.run(&["log", "restart", "--json"]).json()["restarted"].clone();
    assert_eq!(restart(), false);
    fs::remove_file(place.path("clients.coffer/log.state")).unwrap();
    let refused = place.run(&["tenant", "list"]);
    assert_eq!(refused.code, Some(3));
    assert!(refused.err.contains("`log restart`"), "{refused:?}");
    assert_eq!(restart(), true);
    assert_eq!(place.run(&["tenant", "list"]).code, Some(0));
}

#[test]
fn an_answer_that_cannot_be_written_is_an_error_and_a_closed_pipe_is_none() {
    let place = Place::with_vault();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let vault = ["--vault", "clients.coffer", "vault", "show"];
    let status = place.coffer(&vault).stdout(full).status().unwrap();
    assert_eq!(status.code(), Some(1));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let closed = place.coffer(&vault).stdout(writer).output().unwrap();
    assert_eq!((closed.status.code(), closed.stderr.len()), (Some(0), 0));
}

#[test]
fn files_that_cannot_be_attached_or_saved_are_refused_by_name_and_nothing_is_left() {
    let place = Place::with_vault();
    fs::write(place.path("plan.txt"), "plan").unwrap();
    fs::write(place.path("there.txt"), "kept").unwrap();
    place.run(&["tenant", "create", "ACME"]);
    let added = place.run(&["record", "add", "--tenant", "ACME", "--title", "Gate", "--json"]).json();
    let id = added["id"].as_str().unwrap();
    assert_eq!(place.run(&["file", "attach", id, "plan.txt"]).code, Some(0));
    for (arguments, code) in [
        (&["file", "attach", id, "none.txt"][..], "file_unreadable"),
        (&["file", "attach", id, "plan.txt"], "attachment_exists"),
        (&["file", "save", id, "plan.txt", "there.txt"], "target_exists"),
        (&["file", "save", id, "plan.txt", "none/there.txt"], "no_folder"),
        (&["file", "save", id, "other.txt", "new.txt"], "not_found"),
        (&["file", "save", id, "7", "new.txt"], "not_found"),
        (&["file", "detach", id, "other.txt"], "not_found"),
    ] {
        let refused = place.run(&[arguments, &["--json"]].concat());
        assert_eq!((refused.code, refused.error().as_str()), (Some(1), code), "{arguments:?}");
        assert!(place.run(arguments).err.contains("\nhint: "), "{arguments:?}");
    }
    assert_eq!(fs::read_to_string(place.path("there.txt")).unwrap(), "kept");
    assert!(!place.path("new.txt").exists());
    // What was attached before the one that fails stays, and is said.
    fs::write(place.path("second.txt"), "second").unwrap();
    let half = place.run(&["file", "attach", id, "second.txt", "none.txt", "--json"]);
    assert_eq!((half.code, half.error().as_str()), (Some(1), "file_unreadable"));
    assert!(half.out.contains("\"second.txt\""), "{half:?}");
    let listed = place.run(&["file", "list", id]);
    assert!(listed.out.contains("plan.txt") && listed.out.contains("second.txt"), "{listed:?}");
}

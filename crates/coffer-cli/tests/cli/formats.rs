//! Files of other programs on the command line: in with their own passphrases, out whole or not at all.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::place::Place;

const KDBX: &[u8] = include_bytes!("../../../coffer-interchange/tests/data/keepassxc.kdbx");
const KEY_FILE: &[u8] = include_bytes!("../../../coffer-interchange/tests/data/keepassxc.keyx");

#[test]
fn a_kdbx_file_comes_in_with_its_passphrase_and_key_file_and_says_what_it_lacks() {
    let place = Place::with_vault();
    fs::write(place.path("old.kdbx"), KDBX).unwrap();
    fs::write(place.path("old.keyx"), KEY_FILE).unwrap();
    fs::write(place.path("old.txt"), "harbour 58\r\n").unwrap();
    assert_eq!(place.run(&["tenant", "create", "ACME"]).code, Some(0));
    let import = ["--json", "import", "old.kdbx", "--tenant", "ACME"];
    let with = |more: &[&str]| place.run(&[&import[..], more].concat());
    for (more, code) in [
        (&[][..], "source_needs_key"),
        (&["--source-passphrase-file", "old.txt"], "source_wrong_key"),
        (&["--source-passphrase-file", "old.txt", "--format", "csv"], "source_not_encrypted"),
        (&["--source-passphrase-file", "old.txt", "--format", "1pux"], "source_other_format"),
        (&["--source-passphrase-file", "old.txt", "--map", "a=title"], "import_no_columns"),
        (&["--source-passphrase-file", "none.txt"], "passphrase_source"),
        (&["--source-key-file", "none.keyx"], "file"),
    ] {
        let refused = with(more);
        assert_eq!((refused.code, refused.error().as_str()), (Some(1), code), "{refused:?}");
        assert!(!refused.err.contains("harbour"), "{refused:?}");
    }
    let report = with(&["--source-passphrase-file", "old.txt", "--source-key-file", "old.keyx"]).json();
    assert_eq!((&report["imported"], &report["format"]), (&json!(2), &json!("kdbx")));
    let plain = place.run(&[
        "import",
        "old.kdbx",
        "--tenant",
        "ACME",
        "--source-passphrase-file",
        "old.txt",
        "--source-key-file",
        "old.keyx",
        "--duplicates",
        "skip",
    ]);
    assert_eq!((plain.code, plain.err.as_str()), (Some(0), ""));
    assert!(plain.out.contains("0 records imported") && plain.out.contains("2 are in the tenant already"), "{plain:?}");
    assert!(!plain.out.contains("--duplicates"), "{plain:?}");
}

#[test]
fn a_trial_with_a_rejected_row_says_that_nothing_would_be_imported() {
    let place = Place::with_vault();
    fs::write(place.path("in.csv"), "Name,E-mail\nOtto\nAnna,anna@example.org\n").unwrap();
    assert_eq!(place.run(&["tenant", "create", "ACME"]).code, Some(0));
    let trial = place.run(&["import", "in.csv", "--tenant", "ACME", "--dry-run"]);
    assert_eq!(trial.code, Some(1));
    let said = "nothing would be imported: 1 row rejected; without that it would be 1 record\n";
    assert!(trial.out.contains(said), "{trial:?}");
    let real = place.run(&["import", "in.csv", "--tenant", "ACME"]);
    assert!(real.out.contains("0 records imported, 1 row rejected\n"), "{real:?}");
}

#[test]
fn an_export_appears_whole_and_private_or_not_at_all() {
    let place = Place::with_vault();
    fs::write(place.path("in.csv"), "Name,Password\nGate,=canary-1\n").unwrap();
    fs::write(place.path("out.txt"), "canary lanterns\n").unwrap();
    fs::write(place.path("taken.csv"), "kept").unwrap();
    for tenant in ["ACME", "Bauer"] {
        assert_eq!(place.run(&["tenant", "create", tenant]).code, Some(0));
    }
    assert_eq!(place.run(&["import", "in.csv", "--tenant", "ACME"]).code, Some(0));
    let before = place.names();
    let export = |arguments: &[&str]| place.run(&[&["--json", "export"], arguments].concat());
    for (arguments, code) in [
        (&["out.kdbx", "--tenant", "ACME", "--format", "kdbx"][..], "export_needs_passphrase"),
        (
            &["a.csv", "--tenant", "ACME", "--format", "csv", "--export-passphrase-file", "out.txt"],
            "export_no_passphrase",
        ),
        (&["taken.csv", "--tenant", "ACME", "--format", "csv"], "target_exists"),
        (&["none/out.csv", "--tenant", "ACME", "--format", "csv"], "export_not_written"),
        (&["out.csv", "--tenant", "Nobody", "--format", "csv"], "not_found"),
    ] {
        let refused = export(arguments);
        assert_eq!((refused.code, refused.error().as_str()), (Some(1), code), "{refused:?}");
        assert_eq!(place.names(), before, "{code}");
    }
    assert_eq!(fs::read_to_string(place.path("taken.csv")).unwrap(), "kept");

    let table = export(&["out.csv", "--tenant", "ACME", "--format", "csv"]).json();
    assert_eq!(table["records"], 1);
    let mode = |name: &str| fs::metadata(place.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("out.csv"), 0o600);
    assert!(fs::read_to_string(place.path("out.csv")).unwrap().contains("\"'=canary-1\""));
    let kdbx =
        export(&["out.kdbx", "--tenant", "ACME", "--format", "kdbx", "--export-passphrase-file", "out.txt"]).json();
    assert_eq!((&kdbx["records"], mode("out.kdbx")), (&json!(1), 0o600));
    let back = place.run(&["--json", "import", "out.kdbx", "--tenant", "Bauer", "--source-passphrase-file", "out.txt"]);
    assert_eq!(back.json()["imported"], 1);
    let found = place.run(&["--json", "search", "gate", "--tenant", "Bauer"]).json();
    let id = found["hits"][0]["record"]["id"].as_str().or(found["hits"][0]["id"].as_str()).unwrap().to_owned();
    let shown = place.run(&["--json", "record", "show", &id, "--reveal", "password"]).json();
    assert_eq!(shown["fields"][0]["value"], "=canary-1");
    let log = place.run(&["--json", "log", "list"]).json();
    let verbs: Vec<_> = log["entries"].as_array().unwrap().iter().map(|entry| entry["action"].clone()).collect();
    assert!(
        verbs.contains(&json!("tenant.exported_csv")) && verbs.contains(&json!("tenant.exported_kdbx")),
        "{verbs:?}"
    );
}

#[test]
fn an_archive_goes_out_once_the_name_is_given_and_comes_back_whole() {
    let place = Place::with_vault();
    fs::write(place.path("in.csv"), "Name,Password\nGate,canary-1\nAlarm,canary-2\n").unwrap();
    fs::write(place.path("plan.txt"), "north gate").unwrap();
    for tenant in ["ACME GmbH", "Bauer"] {
        assert_eq!(place.run(&["tenant", "create", tenant]).code, Some(0));
    }
    assert_eq!(place.run(&["import", "in.csv", "--tenant", "ACME GmbH"]).code, Some(0));
    let found = place.run(&["--json", "search", "gate", "--tenant", "ACME GmbH"]).json();
    let gate = found["hits"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(place.run(&["file", "attach", &gate, "plan.txt"]).code, Some(0));
    let before = place.names();
    let export = |more: &[&str]| {
        place.run(&[&["--json", "export", "acme.tar", "--tenant", "ACME GmbH", "--format", "archive"], more].concat())
    };
    for (more, code) in [
        (&[][..], "export_not_confirmed"),
        (&["--confirm", "Bauer"], "export_not_confirmed"),
        (&["--recipient", "age1nonsense"], "export_invalid_recipient"),
        (&["--confirm", "ACME GmbH", "--export-passphrase-file", "pw.txt"], "export_no_passphrase"),
    ] {
        let refused = export(more);
        assert_eq!((refused.code, refused.error().as_str()), (Some(1), code), "{refused:?}");
        assert_eq!(place.names(), before, "{code}");
    }
    let report = export(&["--confirm", "ACME GmbH"]).json();
    assert_eq!((&report["format"], &report["records"]), (&json!("archive"), &json!(2)));
    assert_eq!(fs::metadata(place.path("acme.tar")).unwrap().permissions().mode() & 0o777, 0o600);

    let trial = place.run(&["import", "acme.tar", "--tenant", "Bauer", "--dry-run"]);
    assert!(
        trial.out.contains("2 records would be imported") && trial.out.contains("1 attachment with them"),
        "{trial:?}"
    );
    let back = place.run(&["--json", "import", "acme.tar", "--tenant", "Bauer", "--format", "archive"]).json();
    assert_eq!((&back["imported"], &back["attachments"], &back["trashed"]), (&json!(2), &json!(1), &json!(0)));
    let found = place.run(&["--json", "search", "gate", "--tenant", "Bauer"]).json();
    let id = found["hits"][0]["id"].as_str().unwrap();
    assert_eq!(place.run(&["file", "save", id, "plan.txt", "saved.txt"]).code, Some(0));
    assert_eq!(fs::read_to_string(place.path("saved.txt")).unwrap(), "north gate");
    let shown = place.run(&["--json", "record", "show", id, "--reveal", "Password"]).json();
    assert_eq!(shown["fields"][0]["value"], "canary-1");
}

#[test]
fn an_encrypted_archive_needs_no_name_and_opens_with_its_identity_file() {
    let place = Place::with_vault();
    fs::write(place.path("in.csv"), "Name,Password\nGate,canary-1\n").unwrap();
    for tenant in ["ACME", "Bauer"] {
        assert_eq!(place.run(&["tenant", "create", tenant]).code, Some(0));
    }
    assert_eq!(place.run(&["import", "in.csv", "--tenant", "ACME"]).code, Some(0));
    let made = std::process::Command::new("age-keygen").output().expect("age is installed for tests");
    fs::write(place.path("key.txt"), &made.stdout).unwrap();
    let text = String::from_utf8(made.stdout).unwrap();
    let key = text.lines().find_map(|line| line.strip_prefix("# public key: ")).unwrap();
    let arguments = ["export", "acme.tar.age", "--tenant", "ACME", "--format", "archive", "--recipient", key];
    let exported = place.run(&arguments);
    assert_eq!(exported.code, Some(0), "{exported:?}");
    assert!(!exported.out.contains("readable"), "{exported:?}");
    let import = ["--json", "import", "acme.tar.age", "--tenant", "Bauer"];
    assert_eq!(place.run(&import).error(), "source_needs_key");
    let back = place.run(&[&import[..], &["--source-identity-file", "key.txt"]].concat()).json();
    assert_eq!((&back["imported"], &back["format"]), (&json!(1), &json!("archive")));
    let log = place.run(&["--json", "log", "list"]).json();
    assert!(log["entries"].as_array().unwrap().iter().any(|e| e["action"] == "tenant.exported_encrypted_archive"));
}

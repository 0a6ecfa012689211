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
    assert!(plain.out.contains("attachment") && plain.out.contains("runbook.txt"), "{plain:?}");
    assert!(plain.out.contains("0 records imported") && plain.out.contains("2 are in the tenant already"), "{plain:?}");
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

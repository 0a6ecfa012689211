//! The table of attacks in the documents against the tests in the code, both ways.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Names and files of the table: `(file, test)`.
fn listed() -> BTreeSet<(String, String)> {
    let of_threats = fs::read_to_string(repository().join("THREAT-MODEL.md")).unwrap();
    // The table stands in the threat model, or in a file of its own that it may be taken from.
    let table = fs::read_to_string(repository().join("docs/attacks-table.md")).unwrap_or(of_threats);
    let rows = table.lines().filter(|line| line.starts_with("| "));
    let cells = rows.flat_map(|row| row.trim_end_matches(" |").rsplit(" | ").next().unwrap().split("<br>"));
    let cells = cells.filter_map(|cell| cell.split_once("`: "));
    cells
        .flat_map(|(file, tests)| {
            let file = file.trim_start_matches('`').to_owned();
            tests.split("`, `").map(move |test| (file.clone(), test.trim_matches('`').to_owned()))
        })
        .collect()
}

fn sources_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            sources_below(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_test_in_the_table_of_attacks_exists_and_every_attack_is_in_the_table() {
    let root = repository();
    let listed = listed();
    assert!(listed.len() > 60, "{listed:#?}");
    for (file, test) in &listed {
        let source = fs::read_to_string(root.join(file)).unwrap_or_else(|_| panic!("no file {file}"));
        let found = source.contains(&format!("fn {test}()")) || source.contains(&format!("\"{test}\""));
        assert!(found, "no test {test} in {file}");
    }
    let mut sources = Vec::new();
    for folder in ["crates", "src-tauri", "tests"] {
        sources_below(&root.join(folder), &mut sources);
    }
    let begin = ["fn attack", "_"].concat();
    for path in sources {
        let source = fs::read_to_string(&path).unwrap();
        for (at, _) in source.match_indices(&begin) {
            let name = source[at + 3..].split('(').next().unwrap().to_owned();
            let file = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
            assert!(listed.contains(&(file.clone(), name.clone())), "{name} of {file} is not in the table of attacks");
        }
    }
}

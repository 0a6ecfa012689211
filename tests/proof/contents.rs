//! What a vault holds, as the shipped program tells it.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::desk::Desk;
use super::program::Shell;

/// Everything a vault holds. A title says which version of which save it is, so titles are enough.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Tenants by name; the records of each, title by identifier.
    pub tenants: BTreeMap<String, BTreeMap<String, String>>,
}

impl Contents {
    /// Unlocks the desk's vault, reads everything, and has the log verified; says what is wrong if any of it is.
    pub fn read(desk: &Desk) -> Result<Self, String> {
        Self::read_at(desk, &desk.vault())
    }

    /// As [`Contents::read`], for a vault in another folder.
    pub fn read_at(desk: &Desk, vault: &Path) -> Result<Self, String> {
        let mut shell = Shell::start_at(desk, vault);
        let read = read_all(&mut shell);
        let ended = shell.end();
        match read {
            Some(Ok(contents)) if ended.status.success() => Ok(contents),
            Some(Err(problem)) => Err(problem),
            _ => Err(format!("the vault cannot be read: {ended}")),
        }
    }

    /// The records of all tenants, title by identifier.
    pub fn records(&self) -> BTreeMap<&str, &str> {
        self.tenants.values().flatten().map(|(id, title)| (id.as_str(), title.as_str())).collect()
    }
}

fn read_all(shell: &mut Shell) -> Option<Result<Contents, String>> {
    let mut contents = Contents::default();
    let tenants = shell.ask("tenant list")?;
    for tenant in tenants.as_array()? {
        let mut records = BTreeMap::new();
        let mut after = String::new();
        loop {
            let order = format!("record list --tenant {} --limit 1000{after}", tenant["id"].as_str()?);
            let page = shell.ask(&order)?;
            for record in page["records"].as_array()? {
                records.insert(record["id"].as_str()?.to_owned(), record["title"].as_str()?.to_owned());
            }
            match &page["next"] {
                Value::String(next) => after = format!(" --after {next}"),
                _ => break,
            }
        }
        contents.tenants.insert(tenant["name"].as_str()?.to_owned(), records);
    }
    let log = shell.ask("log verify")?;
    if log["ok"] != Value::Bool(true) {
        return Some(Err(format!("the log is not in order: {}", log["findings"])));
    }
    Some(Ok(contents))
}

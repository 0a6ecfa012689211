//! What a vault holds, as the shipped program tells it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::chance::Chance;
use super::desk::Desk;
use super::program::Shell;

/// Everything a vault holds. A title says which version of which save it is, so titles are enough.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Tenants by name; the records of each, title by identifier.
    pub tenants: BTreeMap<String, BTreeMap<String, String>>,
    /// Names of attachments by the identifier of their record; every one of them was read and holds what it should.
    pub attachments: BTreeMap<String, Vec<String>>,
}

/// What an attachment of a proof holds: bytes that follow from its name, which ends in how many they are.
pub fn attachment(name: &str) -> Vec<u8> {
    let bytes = name.rsplit('-').next().and_then(|count| count.parse().ok()).unwrap_or(0);
    let seed: u64 = name.bytes().fold(0, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    let mut chance = Chance::new(seed);
    let mut content: Vec<u8> = Vec::with_capacity(bytes + 8);
    while content.len() < bytes {
        content.extend(chance.bits().to_le_bytes());
    }
    content.truncate(bytes);
    content
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
            let order = format!("record list --full --tenant {} --limit 1000{after}", tenant["id"].as_str()?);
            let page = shell.ask(&order)?;
            for record in page["records"].as_array()? {
                let id = record["id"].as_str()?;
                records.insert(id.to_owned(), record["title"].as_str()?.to_owned());
                let attachments = record["attachments"].as_array()?;
                if let Err(problem) = read_attachments(shell, id, attachments, &mut contents)? {
                    return Some(Err(problem));
                }
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

/// Saves every attachment of a record and looks at what comes out.
fn read_attachments(
    shell: &mut Shell,
    id: &str,
    attachments: &[Value],
    contents: &mut Contents,
) -> Option<Result<(), String>> {
    let folder = tempfile::tempdir().unwrap();
    let mut names = Vec::new();
    for attached in attachments {
        let name = attached["name"].as_str()?;
        let saved = folder.path().join(name);
        shell.ask(&format!("file save {id} {name} {}", saved.display()))?;
        if fs::read(&saved).unwrap() != attachment(name) {
            return Some(Err(format!("the attachment {name} is not what was attached")));
        }
        names.push(name.to_owned());
    }
    if !names.is_empty() {
        contents.attachments.insert(id.to_owned(), names);
    }
    Some(Ok(()))
}

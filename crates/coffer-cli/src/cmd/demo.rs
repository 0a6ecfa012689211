//! `coffer demo`: a vault of invented data, and the main job done on it step by step.

use std::fs;
use std::io::Write;
use std::path::Path;

use coffer_core::host::Host;
use coffer_core::view::RecordView;
use coffer_core::{
    BackupIdentity, JobError, NewVault, Passphrase, PassphraseError, RestoreOptions, Session, Vault, start_restore,
    start_verify_backup,
};
use coffer_interchange::invented::{Firm, Invented};
use coffer_model::account::LoginName;
use coffer_model::id::TenantId;
use coffer_model::query::Query;
use coffer_model::record::{FieldDraft, FieldType, RecordDraft};
use serde::Serialize;
use zeroize::Zeroizing;

use super::kit::new_private_file;
use super::vault::found;
use crate::error::CliError;
use crate::job;
use crate::render::{Output, size, visible};

/// Records of each tenant.
const RECORDS: usize = 10_000;
/// The same data every time.
const SEED: u64 = 20_261_121;
const LOGIN: &str = "demo";
/// Records compared at a time.
const PAGE: u32 = 1_000;

/// What the demonstration made.
#[derive(Serialize)]
struct Made<'a> {
    vault: &'a Path,
    login: &'a str,
    passphrase_file: &'a Path,
    recovery_kit: &'a Path,
    backup: &'a Path,
    restored: &'a Path,
    records: usize,
}

pub fn run(host: &Host, dir: &Path, output: &Output) -> Result<(), CliError> {
    let file_error = |reason| CliError::File { path: dir.to_owned(), reason };
    fs::create_dir_all(dir).map_err(file_error)?;
    let [vault, restored] = ["demo.coffer", "restored.coffer"].map(|name| dir.join(name));
    let [passphrase_file, recovery_kit] = ["passphrase.txt", "recovery-kit.txt"].map(|name| dir.join(name));
    let backup = dir.join("demo.backup.age");
    let passphrase = invent_passphrase(host);
    let typed = || Passphrase::parse_borrowed(passphrase.as_bytes());
    let mut file = new_private_file(&passphrase_file)?;
    file.write_all(passphrase.as_bytes()).and_then(|()| file.write_all(b"\n")).map_err(file_error)?;

    output.say(format!("create   {} for the login `{LOGIN}`, passphrase in passphrase.txt", vault.display()))?;
    let login: LoginName = LOGIN.parse().expect("a constant login name");
    found(host, &vault, NewVault { login, passphrase: typed()?, demo: true, split: None }, &recovery_kit)?;

    output.say("unlock   with the passphrase")?;
    let session = Vault::open(host, &vault)?.unlock(LOGIN, typed()?)?;
    fill(&session, output)?;
    work(&session, output)?;
    let made = job::run("writing the backup", || Ok::<_, JobError>(session.start_backup(&backup)))?;
    output.say(format!("back up  {} files, {}, to {}", made.files, size(made.bytes), backup.display()))?;
    session.lock()?;

    let key = || BackupIdentity::Device(vault.clone());
    job::run("verifying", || Ok::<_, JobError>(start_verify_backup(host, &backup, key())))?;
    output.say("verify   the backup: every byte accounted for")?;
    let options = RestoreOptions { accept_older: false };
    job::run("restoring", || Ok::<_, JobError>(start_restore(host, &backup, key(), &restored, options)))?;
    output.say(format!("restore  to {}", restored.display()))?;
    let records = compare(host, &vault, &restored, &typed)?;
    output.say(format!("compare  {records} records are the same in both vaults, secrets still masked"))?;

    let made = Made {
        vault: &vault,
        login: LOGIN,
        passphrase_file: &passphrase_file,
        recovery_kit: &recovery_kit,
        backup: &backup,
        restored: &restored,
        records,
    };
    Ok(output.answer(&made, |made| {
        let (vault, passphrase) = (made.vault.display(), made.passphrase_file.display());
        format!("\nLook around:\n  coffer --vault {vault} --login {LOGIN} --passphrase-file {passphrase} tenant list")
    })?)
}

/// Two tenants and their records.
fn fill(session: &Session, output: &Output) -> Result<(), CliError> {
    for firm in Firm::ALL {
        let tenant = session.create_tenant(&firm.name().parse()?)?;
        let records: Vec<RecordDraft> = Invented::new(firm, SEED).take(RECORDS).collect();
        let added = session.add_records(tenant.id, records)?;
        output.say(format!("add      {added} invented records to the tenant {}", tenant.name))?;
    }
    Ok(())
}

/// One record's life, and what the log says of it.
fn work(session: &Session, output: &Output) -> Result<(), CliError> {
    let tenant = session.tenants()?.first().expect("two were just created").id;
    let record = add_one(session, tenant)?;
    output.say(format!("add      {}", visible(&record.title)))?;

    let found = session.search(&Query::parse_unfinished("harbour gat"), None, 20)?;
    output.say(format!("search   \"harbour gat\": {} found", found.hits.len()))?;

    let changed = session.change_record(record.id, record.version, edited(&record))?;
    let secret = changed.fields.iter().find(|field| field.value.is_none()).expect("it has a secret").id;
    session.reveal_field(record.id, secret, None)?;
    let versions = session.record_history(record.id)?.len();
    output.say(format!("edit     {}: {versions} versions kept, one secret revealed", visible(&changed.title)))?;

    let report = job::run("verifying the log", || session.start_verify_log())?;
    let order = if report.ok { "in order" } else { "NOT in order" };
    output.say(format!("log      {} entries, {order}", report.entries))?;
    if report.ok { Ok(()) } else { Err(CliError::LogFindings) }
}

fn add_one(session: &Session, tenant: TenantId) -> Result<RecordView, CliError> {
    let field = |name: &str, field_type, value: &str| FieldDraft {
        id: None,
        name: name.to_owned(),
        field_type,
        value: Some(value.into()),
    };
    let draft = RecordDraft {
        kind: "server".parse()?,
        title: "Harbour gateway".to_owned(),
        fields: vec![
            field("Host", FieldType::Text, "gw1.norrvik.example"),
            field("User", FieldType::Text, "svc_gateway"),
            field("Password", FieldType::Secret, "invented-Turbot-41"),
        ],
        tags: vec!["network".to_owned()],
        notes: "Invented.".to_owned(),
    };
    Ok(session.add_record(tenant, draft)?)
}

/// The record with another host and everything else kept.
fn edited(record: &RecordView) -> RecordDraft {
    let fields = record.fields.iter().map(|field| FieldDraft {
        id: Some(field.id),
        name: field.name.clone(),
        field_type: field.field_type,
        value: (field.name == "Host").then(|| "gw2.norrvik.example".into()),
    });
    RecordDraft {
        kind: record.kind.clone(),
        title: record.title.clone(),
        fields: fields.collect(),
        tags: record.tags.clone(),
        notes: record.notes.clone(),
    }
}

/// Holds every record of one vault against the other, page by page; gives how many there are.
fn compare(
    host: &Host,
    one: &Path,
    other: &Path,
    typed: &dyn Fn() -> Result<Passphrase, PassphraseError>,
) -> Result<usize, CliError> {
    let [one, other] =
        [one, other].map(|folder| Ok::<_, CliError>(Vault::open(host, folder)?.unlock(LOGIN, typed()?)?));
    let (one, other) = (one?, other?);
    let mut compared = 0;
    for tenant in one.tenants()? {
        let mut after = None;
        loop {
            let [left, right] = [&one, &other].map(|session| session.open_records(tenant.id, PAGE, after.as_deref()));
            let (left, right) = (left?, right?);
            if left != right {
                return Err(CliError::Bug);
            }
            compared += left.records.len();
            after = left.next;
            if after.is_none() {
                break;
            }
        }
    }
    one.lock()?;
    other.lock()?;
    Ok(compared)
}

/// Four groups of five random characters: about 100 bits.
fn invent_passphrase(host: &Host) -> Zeroizing<String> {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut random = Zeroizing::new([0_u8; 20]);
    host.random.fill(random.as_mut_slice());
    let mut text = Zeroizing::new(String::with_capacity(24));
    for (position, byte) in random.iter().enumerate() {
        if position > 0 && position % 5 == 0 {
            text.push('-');
        }
        text.push(char::from(ALPHABET[usize::from(byte & 31)]));
    }
    text
}

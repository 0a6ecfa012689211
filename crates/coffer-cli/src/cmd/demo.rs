//! `coffer demo`: a vault of invented data, and the main job done on it step by step.

use std::fs;
use std::io::Write;
use std::path::Path;

use coffer_core::host::Host;
use coffer_core::view::RecordView;
use coffer_core::{
    BackupIdentity, NewVault, Passphrase, RestoreOptions, Session, Vault, start_restore, start_verify_backup,
};
use coffer_interchange::invented::{Firm, Invented};
use coffer_model::account::LoginName;
use coffer_model::id::TenantId;
use coffer_model::record::{FieldDraft, FieldType, RecordDraft};
use zeroize::Zeroizing;

use super::vault::new_private_file;
use crate::error::CliError;
use crate::job;
use crate::render::{Output, visible};

/// Records of each tenant.
const RECORDS: usize = 10_000;
/// The same data every time.
const SEED: u64 = 20_261_121;
const LOGIN: &str = "demo";

pub fn run(host: &Host, dir: &Path, output: &Output) -> Result<(), CliError> {
    let file_error = |reason| CliError::File { path: dir.to_owned(), reason };
    fs::create_dir_all(dir).map_err(file_error)?;
    let folder = dir.join("demo.coffer");
    let passphrase = invent_passphrase(host);
    let mut file = new_private_file(&dir.join("passphrase.txt"))?;
    file.write_all(passphrase.as_bytes()).and_then(|()| file.write_all(b"\n")).map_err(file_error)?;

    output.say(format!("create   {} for the login `{LOGIN}`, passphrase in passphrase.txt", folder.display()));
    let login: LoginName = LOGIN.parse().expect("a constant login name");
    let typed = || Passphrase::parse_borrowed(passphrase.as_bytes());
    let created = Vault::create(host, &folder, NewVault { login, passphrase: typed()?, demo: true })?;
    let mut kit = new_private_file(&dir.join("recovery-kit.txt"))?;
    kit.write_all(created.kit.to_text().expose()).map_err(file_error)?;
    created.session.lock()?;

    output.say("unlock   with the passphrase");
    let vault = Vault::open(host, &folder)?;
    let session = vault.unlock(LOGIN, typed()?)?;

    for firm in Firm::ALL {
        let tenant = session.create_tenant(&firm.name().parse()?)?;
        let records: Vec<RecordDraft> = Invented::new(firm, SEED).take(RECORDS).collect();
        let added = session.add_records(tenant.id, records)?;
        output.say(format!("add      {added} invented records to the tenant {}", tenant.name));
    }
    let tenant = session.tenants()?.first().expect("two were just created").id;
    let record = add_one(&session, tenant)?;
    output.say(format!("add      {}", visible(&record.title)));

    let found = session.search("harbour gat", None, 20)?;
    output.say(format!("search   \"harbour gat\": {} found", found.hits.len()));

    let changed = session.change_record(record.id, record.version, edited(&record))?;
    let secret = changed.fields.iter().find(|field| field.value.is_none()).expect("it has a secret").id;
    session.reveal_field(record.id, secret, None)?;
    let versions = session.record_history(record.id)?.len();
    output.say(format!("edit     {}: {versions} versions kept, one secret revealed", visible(&changed.title)));

    let report = job::wait(session.start_verify_log()?, "verifying the log")?;
    output.say(format!("log      {} entries, {}", report.entries, if report.ok { "in order" } else { "NOT in order" }));

    let backup_file = dir.join("demo.backup.age");
    let backup = job::wait(session.start_backup(&backup_file), "writing the backup")?;
    output.say(format!("back up  {} files, {} bytes, to {}", backup.files, backup.bytes, backup_file.display()));
    session.lock()?;

    job::wait(start_verify_backup(host, &backup_file, BackupIdentity::Device(folder.clone())), "verifying")?;
    output.say("verify   the backup: every byte accounted for");

    let restored = dir.join("restored.coffer");
    let options = RestoreOptions { accept_older: false };
    job::wait(start_restore(host, &backup_file, BackupIdentity::Device(folder.clone()), &restored, options), "restoring")?;
    output.say(format!("restore  to {}", restored.display()));

    let compared = compare(host, &folder, &restored, &typed)?;
    output.say(format!("compare  {compared} records are the same in both vaults"));
    output.say(format!(
        "\nLook around:\n  coffer --vault {} --login {LOGIN} --passphrase-file {} tenant list",
        folder.display(),
        dir.join("passphrase.txt").display()
    ));
    Ok(())
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

/// Holds every record of one vault against the other; gives how many there are.
fn compare(
    host: &Host,
    one: &Path,
    other: &Path,
    typed: &dyn Fn() -> Result<Passphrase, coffer_core::PassphraseError>,
) -> Result<usize, CliError> {
    let rows = |folder: &Path| -> Result<Vec<coffer_core::view::RecordRow>, CliError> {
        let session = Vault::open(host, folder)?.unlock(LOGIN, typed()?)?;
        let mut rows = Vec::new();
        for tenant in session.tenants()? {
            let mut after = None;
            loop {
                let page = session.list_records(tenant.id, 1000, after.as_deref())?;
                rows.extend(page.records);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        session.lock()?;
        Ok(rows)
    };
    let (one, other) = (rows(one)?, rows(other)?);
    if one == other { Ok(one.len()) } else { Err(CliError::Bug) }
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

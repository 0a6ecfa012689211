//! Items of a 1PUX export as records: vaults and tags become tags, sections prefixes of fields, the password history
//! earlier versions. Pure. Rules: docs/FORMAT.md §8.7.

use std::io::{Read, Seek};

use coffer_model::record::{FieldType, Value};
use coffer_model::time::Timestamp;
use serde::Deserialize;

use super::Archive;
use crate::json;
use crate::neutral::{
    Attachment, Collection, Draft, Earlier, LossKind, Losses, date_of, limits, record_from, shortened,
};
use crate::source::{Format, SourceError};
use crate::totp;

#[derive(Deserialize)]
struct Export {
    accounts: Vec<Account>,
}

#[derive(Deserialize)]
struct Account {
    #[serde(default)]
    vaults: Vec<Vault>,
}

#[derive(Deserialize)]
struct Vault {
    attrs: Option<VaultAttributes>,
    #[serde(default, deserialize_with = "json::entries")]
    items: Vec<Listed>,
}

#[derive(Deserialize)]
struct VaultAttributes {
    name: Option<String>,
}

/// Newer exports list items themselves, those of 2021 wrapped them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Listed {
    Wrapped { item: Item },
    Item(Item),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    category_uuid: String,
    state: Option<String>,
    trashed: Option<bool>,
    fav_index: Option<i64>,
    updated_at: Option<i64>,
    overview: Overview,
    details: Details,
}

#[derive(Deserialize)]
struct Overview {
    title: Option<String>,
    url: Option<String>,
    urls: Option<Vec<Url>>,
    tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Url {
    label: Option<String>,
    url: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    login_fields: Option<Vec<LoginField>>,
    notes_plain: Option<Value>,
    sections: Option<Vec<Section>>,
    password_history: Option<Vec<Password>>,
    document_attributes: Option<Document>,
    password: Option<Value>,
    passkey: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoginField {
    name: Option<String>,
    value: Option<Value>,
    field_type: Option<String>,
    designation: Option<String>,
}

#[derive(Deserialize)]
struct Section {
    title: Option<String>,
    fields: Option<Vec<SectionField>>,
}

#[derive(Deserialize)]
struct SectionField {
    title: Option<String>,
    value: Option<FieldValue>,
}

/// What a field of a section holds. Each kind is an object with one member named after it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum FieldValue {
    Concealed(Option<Value>),
    Reference(Option<serde::de::IgnoredAny>),
    String(Option<Value>),
    Email(Option<Email>),
    Phone(Option<Value>),
    Url(Option<Value>),
    Totp(Option<Value>),
    Gender(Option<Value>),
    CreditCardType(Option<Value>),
    CreditCardNumber(Option<Value>),
    MonthYear(Option<i64>),
    Date(Option<i64>),
    Address(Option<Address>),
    Menu(Option<Value>),
    File(Option<Document>),
    SshKey(Option<SshKey>),
    SsoLogin(Option<serde::de::IgnoredAny>),
    #[serde(untagged)]
    Other(serde_json::Value),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Email {
    Plain(Value),
    Parts { email_address: Option<Value> },
}

#[derive(Deserialize)]
struct Address {
    street: Option<String>,
    city: Option<String>,
    zip: Option<String>,
    state: Option<String>,
    country: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SshKey {
    private_key: Option<Value>,
    metadata: Option<SshMetadata>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SshMetadata {
    public_key: Option<Value>,
    fingerprint: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    file_name: Option<String>,
    document_id: Option<String>,
}

#[derive(Deserialize)]
struct Password {
    value: Option<Value>,
    time: Option<i64>,
}

/// What 1Password's categories are here.
fn kind_of(category: &str) -> &'static str {
    match category {
        "001" | "005" | "111" => "login",
        "002" => "card",
        "004" => "contact",
        "100" => "licence",
        "101" => "bank_account",
        "102" | "109" | "110" => "server",
        "103" | "104" | "105" | "106" | "107" | "108" => "identity_document",
        "112" | "114" => "api_key",
        "003" => "note",
        _ => "custom",
    }
}

/// Makes records of every item of every vault; what was archived gets a tag that says so.
pub(super) fn collect<R: Read + Seek>(text: &[u8], archive: &mut Archive<'_, R>) -> Result<Collection, SourceError> {
    let export: Export = json::parse(text)?;
    let (mut losses, mut earlier) = (Losses::default(), Earlier::default());
    let mut entries = Vec::new();
    let vaults: Vec<Vault> = export.accounts.into_iter().flat_map(|account| account.vaults).collect();
    if vaults.iter().map(|vault| vault.items.len()).sum::<usize>() > limits::ENTRIES {
        return Err(SourceError::TooMany);
    }
    let several = vaults.len() > 1;
    let mut number = 0;
    for vault in vaults {
        let name = vault.attrs.and_then(|attributes| attributes.name).filter(|_| several).unwrap_or_default();
        let name = shortened(&name);
        for listed in vault.items {
            number += 1;
            let (Listed::Wrapped { item } | Listed::Item(item)) = listed;
            let title = item.overview.title.clone().unwrap_or_default();
            if item.trashed == Some(true) {
                losses.push(Some(number), LossKind::TrashedEntry, &title);
                continue;
            }
            let attachments = attachments(number, &item, archive, &mut losses)?;
            let versions = versions(number, &item, &title, &name, &mut earlier, &mut losses);
            entries.push(record_from(number, versions, attachments, &mut losses));
        }
    }
    let (losses, losses_counted) = losses.into_parts();
    Ok(Collection { format: Format::OnePux, entries, losses, losses_counted })
}

/// What the item holds now, after one version for each earlier password.
fn versions(
    number: u64,
    item: &Item,
    title: &str,
    vault: &str,
    earlier: &mut Earlier,
    losses: &mut Losses,
) -> Vec<Draft> {
    let mut untold = Losses::default();
    let mut passwords: Vec<(Option<i64>, &Value)> = (item.details.password_history.iter().flatten())
        .filter_map(|past| Some((past.time, past.value.as_ref()?)))
        .collect();
    passwords.sort_by_key(|(at, _)| *at);
    let mut newest = draft(number, item, title, vault, None, losses);
    // What 1Password keeps is when a password was replaced: from then on the next one held.
    let mut since = earlier.keep(&newest, &mut passwords, losses).and_then(|(until, _)| at_seconds(until?));
    let mut versions = Vec::with_capacity(passwords.len() + 1);
    for (until, password) in passwords {
        let mut version = draft(number, item, title, vault, Some(password), &mut untold);
        version.made_at = since;
        since = until.and_then(at_seconds);
        versions.push(version);
    }
    newest.made_at = item.updated_at.and_then(at_seconds).or(since);
    versions.push(newest);
    versions
}

/// One version; `past` is the password it had then.
fn draft(number: u64, item: &Item, title: &str, vault: &str, past: Option<&Value>, losses: &mut Losses) -> Draft {
    let mut draft = Draft::new(number, kind_of(&item.category_uuid));
    draft.set_title(title, losses);
    let details = &item.details;
    let mut has_password = false;
    for field in details.login_fields.iter().flatten() {
        let Some(value) = &field.value else { continue };
        let is_hidden = field.field_type.as_deref() == Some("P");
        match field.designation.as_deref() {
            Some("username") => draft.push_field("User name", FieldType::Text, value.clone(), losses),
            Some("password") => {
                has_password = true;
                draft.push_field("Password", FieldType::Secret, past.unwrap_or(value).clone(), losses);
            }
            Some(_) | None => {
                let name = field.name.as_deref().unwrap_or_default();
                let field_type = if is_hidden { FieldType::Secret } else { FieldType::guess_from_name(name) };
                draft.push_field(name, field_type, value.clone(), losses);
            }
        }
    }
    if let Some(password) = past.or(details.password.as_ref()).filter(|_| !has_password) {
        draft.push_field("Password", FieldType::Secret, password.clone(), losses);
    }
    push_urls(&item.overview, &mut draft, losses);
    for section in details.sections.iter().flatten() {
        let prefix = section.title.as_deref().unwrap_or_default().trim();
        for field in section.fields.iter().flatten() {
            push_section_field(number, prefix, title, field, &mut draft, losses);
        }
    }
    if details.passkey.is_some() {
        losses.push(Some(number), LossKind::Passkey, "");
    }
    if let Some(notes) = &details.notes_plain {
        draft.set_notes(notes.clone(), losses);
    }
    draft.push_tag(vault, losses);
    for tag in item.overview.tags.iter().flatten() {
        draft.push_tag(tag, losses);
    }
    if item.state.as_deref() == Some("archived") {
        draft.push_tag("archived", losses);
    }
    if item.fav_index.is_some_and(|index| index > 0) {
        draft.push_tag("favourite", losses);
    }
    draft
}

fn push_urls(overview: &Overview, draft: &mut Draft, losses: &mut Losses) {
    let listed = overview.urls.as_deref().unwrap_or_default();
    for url in listed {
        let label = url.label.as_deref().map(str::trim).filter(|label| !label.is_empty() && *label != "website");
        draft.push_field(label.unwrap_or("URL"), FieldType::Url, url.url.as_deref().unwrap_or_default(), losses);
    }
    let main = overview.url.as_deref().unwrap_or_default();
    if listed.iter().all(|url| url.url.as_deref() != Some(main)) {
        draft.push_field("URL", FieldType::Url, main, losses);
    }
}

fn push_section_field(
    number: u64,
    section: &str,
    title: &str,
    field: &SectionField,
    draft: &mut Draft,
    losses: &mut Losses,
) {
    let own = field.title.as_deref().unwrap_or_default().trim();
    let name = match (section.is_empty(), own.is_empty()) {
        (true, _) => own.to_owned(),
        (false, true) => section.to_owned(),
        (false, false) => format!("{section}: {own}"),
    };
    let Some(value) = &field.value else { return };
    let mut push = |name: &str, field_type, value: Option<&Value>| {
        if let Some(value) = value {
            draft.push_field(name, field_type, value.clone(), losses);
        }
    };
    match value {
        FieldValue::Concealed(value) | FieldValue::CreditCardNumber(value) => {
            push(&name, FieldType::Secret, value.as_ref());
        }
        FieldValue::String(value)
        | FieldValue::Gender(value)
        | FieldValue::CreditCardType(value)
        | FieldValue::Menu(value) => push(&name, FieldType::guess_from_name(&name), value.as_ref()),
        FieldValue::Email(Some(Email::Plain(value))) => push(&name, FieldType::Email, Some(value)),
        FieldValue::Email(Some(Email::Parts { email_address })) => {
            push(&name, FieldType::Email, email_address.as_ref());
        }
        FieldValue::Phone(value) => push(&name, FieldType::Phone, value.as_ref()),
        FieldValue::Url(value) => push(&name, FieldType::Url, value.as_ref()),
        FieldValue::Totp(value) => {
            let seed = value.as_ref().filter(|seed| !seed.expose().trim().is_empty());
            push(totp::FIELD_NAME, totp::FIELD_TYPE, seed.map(|seed| totp::value_of(title, seed.expose())).as_ref());
        }
        FieldValue::MonthYear(Some(month)) => {
            push(&name, FieldType::Text, Some(&Value::new(format!("{:04}-{:02}", month / 100, month % 100))));
        }
        FieldValue::Date(Some(seconds)) => {
            push(&name, FieldType::Date, at_seconds(*seconds).map(|at| Value::new(date_of(at))).as_ref());
        }
        FieldValue::Address(Some(address)) => push(&name, FieldType::Multiline, Some(&Value::new(lines(address)))),
        FieldValue::SshKey(Some(key)) => {
            push(&name, FieldType::Secret, key.private_key.as_ref());
            if let Some(metadata) = &key.metadata {
                push("Public key", FieldType::Text, metadata.public_key.as_ref());
                push("Fingerprint", FieldType::Text, metadata.fingerprint.as_ref());
            }
        }
        FieldValue::Reference(Some(_)) | FieldValue::SsoLogin(Some(_)) => {
            losses.push(Some(number), LossKind::Reference, &name);
        }
        // A kind that came after this was written: kept as it stands rather than dropped.
        FieldValue::Other(other)
            if other.as_object().is_some_and(|members| members.values().any(|value| !value.is_null())) =>
        {
            push(&name, FieldType::Secret, Some(&Value::new(other.to_string())));
        }
        FieldValue::File(_)
        | FieldValue::Email(None)
        | FieldValue::MonthYear(None)
        | FieldValue::Date(None)
        | FieldValue::Address(None)
        | FieldValue::SshKey(None)
        | FieldValue::Reference(None)
        | FieldValue::SsoLogin(None)
        | FieldValue::Other(_) => {}
    }
}

fn lines(address: &Address) -> String {
    let Address { street, city, zip, state, country } = address;
    let town = [zip, city].into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ");
    let parts = [street.as_deref(), Some(town.trim()), state.as_deref(), country.as_deref()];
    parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

/// The document itself and the files of sections.
fn attachments<R: Read + Seek>(
    number: u64,
    item: &Item,
    archive: &mut Archive<'_, R>,
    losses: &mut Losses,
) -> Result<Vec<Attachment>, SourceError> {
    let fields = item.details.sections.iter().flatten().flat_map(|section| section.fields.iter().flatten());
    let in_sections = fields.filter_map(|field| match &field.value {
        Some(FieldValue::File(file)) => file.as_ref(),
        _ => None,
    });
    let mut attachments = Vec::new();
    for document in item.details.document_attributes.iter().chain(in_sections) {
        let name = document.file_name.clone().unwrap_or_default();
        match archive.attachment(document.document_id.as_deref().unwrap_or_default())? {
            Some(bytes) => attachments.push(Attachment { name, bytes }),
            None => losses.push(Some(number), LossKind::Attachment, &name),
        }
    }
    Ok(attachments)
}

fn at_seconds(seconds: i64) -> Option<Timestamp> {
    Timestamp::from_unix_millis(seconds.checked_mul(1000)?).ok()
}

//! Items of a Bitwarden export as records: folders and collections become tags, the password history earlier versions.
//! Pure. Rules: docs/FORMAT.md §8.6.

use std::collections::BTreeMap;

use coffer_model::record::{FieldType, Value};
use coffer_model::time::Timestamp;
use serde::Deserialize;

use crate::json;
use crate::neutral::{Collection, Draft, Earlier, LossKind, Losses, limits, record_from, shortened};
use crate::source::{Format, SourceError};
use crate::totp;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Export {
    #[serde(default)]
    folders: Option<Vec<Folder>>,
    #[serde(default)]
    collections: Option<Vec<Folder>>,
    #[serde(deserialize_with = "json::entries")]
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Folder {
    id: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    folder_id: Option<String>,
    collection_ids: Option<Vec<String>>,
    #[serde(rename = "type")]
    kind: u32,
    name: Option<String>,
    notes: Option<Value>,
    #[serde(default)]
    favorite: Option<bool>,
    fields: Option<Vec<Custom>>,
    login: Option<Login>,
    card: Option<BTreeMap<String, Option<Value>>>,
    identity: Option<BTreeMap<String, Option<Value>>>,
    ssh_key: Option<BTreeMap<String, Option<Value>>>,
    password_history: Option<Vec<Password>>,
    revision_date: Option<String>,
    deleted_date: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Login {
    uris: Option<Vec<Uri>>,
    username: Option<Value>,
    password: Option<Value>,
    totp: Option<Value>,
    fido2_credentials: Option<Vec<serde::de::IgnoredAny>>,
}

#[derive(Deserialize)]
struct Uri {
    uri: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Custom {
    name: Option<String>,
    value: Option<Value>,
    /// 0 text, 1 hidden, 2 boolean, 3 linked to another field.
    #[serde(rename = "type")]
    kind: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Password {
    last_used_date: Option<String>,
    password: Option<Value>,
}

/// Members of a card, an identity and a key: what each field is called, and its type.
const CARD: [(&str, &str, FieldType); 6] = [
    ("cardholderName", "Cardholder", FieldType::Text),
    ("brand", "Brand", FieldType::Text),
    ("number", "Number", FieldType::Secret),
    ("expMonth", "Expiry month", FieldType::Text),
    ("expYear", "Expiry year", FieldType::Text),
    ("code", "Security code", FieldType::Secret),
];
const IDENTITY: [(&str, &str, FieldType); 18] = [
    ("title", "Form of address", FieldType::Text),
    ("firstName", "First name", FieldType::Text),
    ("middleName", "Middle name", FieldType::Text),
    ("lastName", "Last name", FieldType::Text),
    ("username", "User name", FieldType::Text),
    ("company", "Company", FieldType::Text),
    ("ssn", "Social security number", FieldType::Secret),
    ("passportNumber", "Passport number", FieldType::Secret),
    ("licenseNumber", "Licence number", FieldType::Secret),
    ("email", "E-mail", FieldType::Email),
    ("phone", "Phone", FieldType::Phone),
    ("address1", "Address 1", FieldType::Text),
    ("address2", "Address 2", FieldType::Text),
    ("address3", "Address 3", FieldType::Text),
    ("postalCode", "Postal code", FieldType::Text),
    ("city", "City", FieldType::Text),
    ("state", "State", FieldType::Text),
    ("country", "Country", FieldType::Text),
];
const SSH_KEY: [(&str, &str, FieldType); 3] = [
    ("privateKey", "Private key", FieldType::Secret),
    ("publicKey", "Public key", FieldType::Text),
    ("keyFingerprint", "Fingerprint", FieldType::Text),
];

/// Makes records of everything but what lies in the trash.
pub(super) fn collect(text: &[u8]) -> Result<Collection, SourceError> {
    let export: Export = json::parse(text)?;
    if export.items.len() > limits::ENTRIES {
        return Err(SourceError::TooMany);
    }
    let named = |folder: Folder| Some((folder.id?, shortened(&folder.name?)));
    let folders: BTreeMap<String, String> =
        [export.folders, export.collections].into_iter().flatten().flatten().filter_map(named).collect();
    let (mut losses, mut earlier) = (Losses::default(), Earlier::default());
    let mut entries = Vec::with_capacity(export.items.len());
    for (number, item) in (1_u64..).zip(export.items) {
        let name = item.name.clone().unwrap_or_default();
        if item.deleted_date.is_some() {
            losses.push(Some(number), LossKind::TrashedEntry, &name);
            continue;
        }
        let versions = versions(number, &item, &name, &folders, &mut earlier, &mut losses);
        entries.push(record_from(number, versions, Vec::new(), &mut losses));
    }
    let (losses, losses_counted) = losses.into_parts();
    Ok(Collection { format: Format::Bitwarden, entries, losses, losses_counted })
}

/// What the item holds now, after one version for each earlier password.
fn versions(
    number: u64,
    item: &Item,
    name: &str,
    folders: &BTreeMap<String, String>,
    earlier: &mut Earlier,
    losses: &mut Losses,
) -> Vec<Draft> {
    let now = |password: Option<&Value>, losses: &mut Losses| draft(number, item, name, folders, password, losses);
    let mut untold = Losses::default();
    let mut passwords: Vec<(Option<Timestamp>, &Value)> = (item.password_history.iter().flatten())
        .filter_map(|past| Some((time(past.last_used_date.as_deref()), past.password.as_ref()?)))
        .collect();
    passwords.sort_by_key(|(at, _)| *at);
    let mut newest = now(item.login.as_ref().and_then(|login| login.password.as_ref()), losses);
    // What Bitwarden keeps is when a password was replaced: from then on the next one held.
    let mut since = earlier.keep(&newest, &mut passwords, losses).and_then(|(until, _)| until);
    let mut versions = Vec::with_capacity(passwords.len() + 1);
    for (until, password) in passwords {
        let mut version = now(Some(password), &mut untold);
        version.made_at = since;
        since = until;
        versions.push(version);
    }
    newest.made_at = time(item.revision_date.as_deref()).or(since);
    versions.push(newest);
    versions
}

fn draft(
    number: u64,
    item: &Item,
    name: &str,
    folders: &BTreeMap<String, String>,
    password: Option<&Value>,
    losses: &mut Losses,
) -> Draft {
    let kind = match item.kind {
        1 => "login",
        3 => "card",
        4 => "contact",
        5 => "api_key",
        _ => "note",
    };
    let mut draft = Draft::new(number, kind);
    draft.set_title(name, losses);
    if let Some(login) = &item.login {
        let mut push = |name: &str, field_type, value: Option<&Value>| {
            if let Some(value) = value {
                draft.push_field(name, field_type, value.clone(), losses);
            }
        };
        push("User name", FieldType::Text, login.username.as_ref());
        push("Password", FieldType::Secret, password);
        for uri in login.uris.iter().flatten() {
            push("URL", FieldType::Url, uri.uri.as_ref());
        }
        let seed = login.totp.as_ref().filter(|seed| !seed.expose().trim().is_empty());
        if let Some(seed) = seed {
            push(totp::FIELD_NAME, totp::FIELD_TYPE, Some(&totp::value_of(name, seed.expose())));
        }
        if login.fido2_credentials.as_ref().is_some_and(|passkeys| !passkeys.is_empty()) {
            losses.push(Some(number), LossKind::Passkey, "");
        }
    } else {
        // Bitwarden keeps a history of hidden custom fields under the name of passwords, too.
        if let Some(password) = password {
            draft.push_field("Password", FieldType::Secret, password.clone(), losses);
        }
    }
    for (members, known) in [(&item.card, &CARD[..]), (&item.identity, &IDENTITY[..]), (&item.ssh_key, &SSH_KEY[..])] {
        let Some(members) = members else { continue };
        for (member, field_name, field_type) in known {
            if let Some(Some(value)) = members.get(*member) {
                draft.push_field(field_name, *field_type, value.clone(), losses);
            }
        }
        for (member, value) in members.iter().filter(|(member, _)| known.iter().all(|(name, ..)| name != member)) {
            if let Some(value) = value {
                draft.push_field(member, FieldType::Secret, value.clone(), losses);
            }
        }
    }
    for custom in item.fields.iter().flatten() {
        push_custom(number, custom, &mut draft, losses);
    }
    if let Some(notes) = &item.notes {
        draft.set_notes(notes.clone(), losses);
    }
    let places = item.folder_id.iter().chain(item.collection_ids.iter().flatten());
    for folder in places.filter_map(|id| folders.get(id)) {
        draft.push_tag(folder, losses);
    }
    if item.favorite == Some(true) {
        draft.push_tag("favourite", losses);
    }
    draft
}

fn push_custom(number: u64, custom: &Custom, draft: &mut Draft, losses: &mut Losses) {
    const HIDDEN: u32 = 1;
    const LINKED: u32 = 3;
    let name = custom.name.as_deref().unwrap_or_default();
    match (custom.kind, &custom.value) {
        (Some(LINKED), _) => losses.push(Some(number), LossKind::Reference, name),
        (_, None) => {}
        (Some(HIDDEN), Some(value)) => draft.push_field(name, FieldType::Secret, value.clone(), losses),
        (_, Some(value)) => draft.push_field(name, FieldType::guess_from_name(name), value.clone(), losses),
    }
}

fn time(text: Option<&str>) -> Option<Timestamp> {
    text.and_then(|text| text.parse().ok())
}

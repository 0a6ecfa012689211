//! Records that a tenant has already: of the same kind, title, user name and URL. Compared by hash, so that finding
//! them keeps no text in memory.

use std::collections::BTreeSet;

use coffer_model::record::{FieldType, RecordContent};
use sha2::{Digest, Sha256};

use crate::store::sqlcipher::StoreError;
use crate::store::tenant::TenantStore;

/// What the records of a tenant are known by.
pub(super) struct KnownRecords(BTreeSet<[u8; 32]>);

impl KnownRecords {
    /// Looks at every record of a tenant, for as long as `go_on` says. A tenant without records costs nothing.
    pub fn of(store: &TenantStore, go_on: impl Fn() -> bool) -> Result<Self, StoreError> {
        let mut known = BTreeSet::new();
        if store.count()? > 0 {
            store.each_newest(|content| {
                known.insert(fingerprint(content));
                go_on()
            })?;
        }
        Ok(Self(known))
    }

    pub fn has(&self, content: &RecordContent) -> bool {
        !self.0.is_empty() && self.0.contains(&fingerprint(content))
    }
}

/// The hash of what tells a record from others.
fn fingerprint(content: &RecordContent) -> [u8; 32] {
    let user = content
        .fields()
        .iter()
        .find(|field| is_user_name(&field.name))
        .or_else(|| content.fields().iter().find(|field| field.field_type == FieldType::Email));
    let url = content.fields().iter().find(|field| field.field_type == FieldType::Url);
    let value = |field: Option<&coffer_model::record::Field>| {
        field.map_or(String::new(), |field| field.value.expose().trim().to_lowercase())
    };
    let mut hash = Sha256::new();
    for part in [content.kind().as_str(), &content.title().to_lowercase(), &value(user), &value(url)] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// Whether a field of this name holds who signs in.
fn is_user_name(name: &str) -> bool {
    let name = name.to_lowercase().replace(['_', '-'], " ");
    let name = name.strip_prefix("login ").unwrap_or(&name);
    matches!(name, "user name" | "username" | "user" | "login" | "benutzername" | "benutzer")
}

#[cfg(test)]
mod tests {
    use coffer_model::record::{FieldDraft, RecordDraft};

    use super::*;

    fn content(title: &str, fields: &[(&str, FieldType, &str)]) -> RecordContent {
        let field = |&(name, field_type, value): &(&str, FieldType, &str)| FieldDraft {
            id: None,
            name: name.to_owned(),
            field_type,
            value: Some(value.into()),
        };
        let draft = RecordDraft {
            kind: "login".parse().unwrap(),
            title: title.to_owned(),
            fields: fields.iter().map(field).collect(),
            tags: vec![],
            notes: String::new(),
        };
        RecordContent::parse(draft, None).unwrap()
    }

    #[test]
    fn who_and_where_tell_records_apart_and_passwords_do_not() {
        let text = FieldType::Text;
        let known = content("Gate", &[("User name", text, "ines"), ("Password", FieldType::Secret, "1")]);
        let same = content("gate", &[("Password", FieldType::Secret, "2"), ("login_username", text, "Ines ")]);
        assert_eq!(fingerprint(&known), fingerprint(&same));
        for other in [
            content("Gate 2", &[("User name", text, "ines")]),
            content("Gate", &[("User name", text, "otto")]),
            content("Gate", &[("User name", text, "ines"), ("URL", FieldType::Url, "https://gate.example")]),
        ] {
            assert_ne!(fingerprint(&known), fingerprint(&other));
        }
    }
}

//! Kinds of records: those every vault has, and a vault's own, which administrators keep. Layout: docs/FORMAT.md §5.7.
//!
//! A kind of the vault's own is a row of the directory whose digest is in a signed statement. Templates say nothing of
//! any tenant, so every account sees them.

use coffer_model::event::Event;
use coffer_model::record::{FieldType, RecordKind};
use coffer_model::template::{
    ChoiceWord, FieldRole, FieldWord, InvalidTemplate, KindTemplate, TemplateField, TemplateOption,
};
use minicbor::{CborLen, Decode, Encode};

use crate::chain::{self, Body, KindRemoved, KindSet, MAX_KINDS};
use crate::encoding;
use crate::fault::{CallError, Damage, Fault};
use crate::policy::Action;
use crate::session::{Core, Session};
use crate::store::sqlcipher::StoreError;
use crate::view::KindView;

/// Why the kinds of a vault were not changed.
#[derive(Debug, thiserror::Error)]
pub enum KindError {
    /// It is no template.
    #[error(transparent)]
    Invalid(#[from] InvalidTemplate),
    /// The vault has 200 kinds of its own.
    #[error("a vault may have {MAX_KINDS} kinds of its own")]
    TooMany,
    /// The vault has no such kind of its own.
    #[error("the vault has no such kind of its own")]
    NoSuchKind,
    /// The call was refused or failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl KindError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid_template",
            Self::TooMany => "too_many_kinds",
            Self::NoSuchKind => "no_such_kind",
            Self::Call(error) => error.code(),
        }
    }
}

impl Session {
    /// Every kind with its template: those all vaults have, in the order offered, then the vault's own by name.
    pub fn kinds(&self) -> Result<Vec<KindView>, CallError> {
        self.authorize(Action::ListKinds, None)?;
        let own = self.core.own_kinds()?;
        Ok(KindTemplate::offered().iter().chain(&own).map(KindView::from).collect())
    }

    /// Gives the vault a kind of its own, or a kind it has another template. Records are not touched.
    pub fn set_kind(&self, template: KindTemplate) -> Result<KindView, KindError> {
        let actor = self.authorize(Action::ChangeKinds, None)?;
        let template = template.check()?;
        let is_full = {
            let office = self.core.office();
            let kinds = &office.membership.kinds;
            kinds.len() >= MAX_KINDS && !kinds.contains_key(&template.kind)
        };
        if is_full {
            return Err(KindError::TooMany);
        }
        let bytes = encode(&template);
        let kind = template.kind.as_str();
        let statement = KindSet { kind: kind.to_owned(), template: chain::digest(&bytes).into() };
        self.core
            .change_directory(&actor, Event::KindSet, vec![Body::KindSet(statement)], |tx| tx.set_kind(kind, &bytes))?;
        Ok(KindView::from(&template))
    }

    /// Takes a kind of the vault's own away. Records of the kind stay what they are.
    pub fn remove_kind(&self, kind: &RecordKind) -> Result<(), KindError> {
        let actor = self.authorize(Action::ChangeKinds, None)?;
        if !self.core.office().membership.kinds.contains_key(kind) {
            return Err(KindError::NoSuchKind);
        }
        let statement = KindRemoved { kind: kind.as_str().to_owned() };
        Ok(self.core.change_directory(&actor, Event::KindRemoved, vec![Body::KindRemoved(statement)], |tx| {
            tx.delete_kind(kind.as_str())
        })?)
    }
}

impl Core {
    /// The kinds of the vault's own, by name.
    pub(super) fn own_kinds(&self) -> Result<Vec<KindTemplate>, CallError> {
        let mut own = Vec::new();
        let damaged = || Fault::Damaged(Damage::Directory);
        let office = self.office();
        for (kind, digest) in &office.membership.kinds {
            let row = office.directory.kind(kind.as_str());
            let bytes = row.map_err(|error: StoreError| error.into_fault(Damage::Directory))?.ok_or_else(damaged)?;
            let template = decode(&bytes).filter(|template| template.kind == *kind);
            if chain::digest(&bytes) != *digest {
                return Err(damaged().into());
            }
            own.push(template.ok_or_else(damaged)?);
        }
        own.sort_by_cached_key(|kind| kind.name.as_deref().unwrap_or_default().to_lowercase());
        Ok(own)
    }
}

/// A template as stored.
#[derive(Encode, Decode, CborLen)]
#[cbor(array)]
struct TemplateBody {
    #[n(0)]
    kind: String,
    #[n(1)]
    name: String,
    #[n(2)]
    fields: Vec<FieldBody>,
}

#[derive(Encode, Decode, CborLen)]
#[cbor(array)]
struct FieldBody {
    #[n(0)]
    field_type: u8,
    #[n(1)]
    name: NameBody,
    /// 0 if it stands for nothing.
    #[n(2)]
    role: u8,
    #[n(3)]
    options: Vec<NameBody>,
}

/// A text, or a word that every shell says in the person's language.
#[derive(Encode, Decode, CborLen)]
#[cbor(array)]
struct NameBody {
    #[n(0)]
    is_word: bool,
    #[n(1)]
    text: String,
}

impl NameBody {
    fn word(name: &str) -> Self {
        Self { is_word: true, text: name.to_owned() }
    }

    fn text(text: &str) -> Self {
        Self { is_word: false, text: text.to_owned() }
    }
}

/// Encodes a template that was checked.
fn encode(template: &KindTemplate) -> Vec<u8> {
    let option = |option: &TemplateOption| match option {
        TemplateOption::Word { word } => NameBody::word(word.name()),
        TemplateOption::Text(text) => NameBody::text(text),
    };
    let field = |field: &TemplateField| FieldBody {
        field_type: field.field_type.code(),
        name: field.word.map_or_else(
            || NameBody::text(field.name.as_deref().unwrap_or_default()),
            |word| NameBody::word(word.name()),
        ),
        role: field.role.map_or(0, FieldRole::code),
        options: field.options.iter().map(option).collect(),
    };
    encoding::encode(&TemplateBody {
        kind: template.kind.as_str().to_owned(),
        name: template.name.clone().unwrap_or_default(),
        fields: template.fields.iter().map(field).collect(),
    })
}

/// Decodes a template; `None` if it is none that could have been stored.
fn decode(bytes: &[u8]) -> Option<KindTemplate> {
    let body: TemplateBody = encoding::decode(bytes).ok()?;
    let option = |option: NameBody| {
        Some(if option.is_word {
            TemplateOption::Word { word: ChoiceWord::from_name(&option.text)? }
        } else {
            TemplateOption::Text(option.text)
        })
    };
    let field = |field: FieldBody| {
        let (word, name) = if field.name.is_word {
            (Some(FieldWord::from_name(&field.name.text)?), None)
        } else {
            (None, Some(field.name.text))
        };
        let role = if field.role == 0 { None } else { Some(FieldRole::from_code(field.role)?) };
        let options = field.options.into_iter().map(option).collect::<Option<_>>()?;
        Some(TemplateField { word, name, field_type: FieldType::from_code(field.field_type)?, options, role })
    };
    let fields = body.fields.into_iter().map(field).collect::<Option<_>>()?;
    KindTemplate { kind: body.kind.parse().ok()?, name: Some(body.name), fields }.check().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> KindTemplate {
        KindTemplate::parse(
            "kind = 'door'\nname = 'Door'\n[[field]]\nname = 'At'\ntype = 'choice'\noptions = ['A', {word='test'}]\n\
             [[field]]\nword = 'pin'\ntype = 'secret'\nrole = 'secret'\n",
        )
        .unwrap()
    }

    /// Frozen: changing it changes the format.
    #[test]
    fn the_encoding_is_the_documented_one() {
        let expected = "83\
            64 646f6f72 64 446f6f72\
            82\
            84 0a 82 f4 62 4174 00 82 82 f4 61 41 82 f5 64 74657374\
            84 02 82 f5 63 70696e 02 80"
            .replace(' ', "");
        assert_eq!(hex::encode(encode(&own())), expected);
    }

    #[test]
    fn what_was_stored_reads_back_and_nothing_else_does() {
        let bytes = encode(&own());
        assert_eq!(decode(&bytes), Some(own()));
        for length in 0..bytes.len() {
            assert_eq!(decode(&bytes[..length]), None, "{length} bytes");
        }
        // A type, a word and a role that do not exist, and a kind that every vault has.
        for (from, to) in
            [("8402", "840d"), ("6370696e", "6370696f"), ("6e0280", "6e0980"), ("64646f6f72", "646e6f7465")]
        {
            let altered = hex::encode(&bytes).replacen(from, to, 1);
            assert_ne!(altered, hex::encode(&bytes));
            assert_eq!(decode(&hex::decode(altered).unwrap()), None, "{from}");
        }
    }
}

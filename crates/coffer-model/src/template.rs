//! Templates: what a new record of a kind starts with, which choices a field offers, which field stands for what.
//!
//! The kinds offered with the program are the files in `templates/`; administrators add kinds of their own in the same
//! form. A template only helps whoever writes a record: no record is held to it. Spec: TOML 1.1. Pure.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::record::{FieldType, RecordKind, limits};

/// Names that the shells say in the person's language, one enum for each place they stand in.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[expect(missing_docs, reason = "the words say what they are")]
        pub enum $name { $($variant,)+ }

        impl $name {
            /// Every word.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word's permanent name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// Takes the word by its permanent name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.name() == name)
            }
        }
    };
}

words! {
    /// What a field is called, in every language of the shells.
    FieldWord {
        Address = "address",
        Bank = "bank",
        Bic = "bic",
        CardNumber = "card_number",
        Company = "company",
        DocumentNumber = "document_number",
        DocumentType = "document_type",
        Email = "email",
        Environment = "environment",
        Expires = "expires",
        Holder = "holder",
        Host = "host",
        Iban = "iban",
        Issued = "issued",
        Key = "key",
        OneTimeCode = "one_time_code",
        Password = "password",
        Phone = "phone",
        Pin = "pin",
        Port = "port",
        Product = "product",
        Service = "service",
        User = "user",
        Website = "website",
    }
}

words! {
    /// What a choice is called, in every language of the shells.
    ChoiceWord {
        DrivingLicence = "driving_licence",
        IdentityCard = "identity_card",
        Passport = "passport",
        Production = "production",
        ResidencePermit = "residence_permit",
        Staging = "staging",
        Test = "test",
    }
}

/// What a field stands for, by whatever name: what the keys for copying and opening mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldRole {
    /// Who signs in.
    User,
    /// The secret most often needed.
    Secret,
    /// Where to sign in.
    Url,
}

impl FieldRole {
    /// The role as stored.
    pub const fn code(self) -> u8 {
        match self {
            Self::User => 1,
            Self::Secret => 2,
            Self::Url => 3,
        }
    }

    /// Takes the role as stored.
    pub fn from_code(code: u8) -> Option<Self> {
        [Self::User, Self::Secret, Self::Url].into_iter().find(|role| role.code() == code)
    }

    /// Whether a field of the type can stand for it.
    const fn fits(self, field_type: FieldType) -> bool {
        match self {
            Self::User => !field_type.is_masked(),
            Self::Secret => matches!(field_type, FieldType::Secret),
            Self::Url => matches!(field_type, FieldType::Url),
        }
    }
}

/// One of the values a choice offers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum TemplateOption {
    /// In the person's language.
    Word {
        /// Which.
        word: ChoiceWord,
    },
    /// As it is.
    Text(String),
}

/// A field that a new record of the kind starts with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateField {
    /// Its name in the person's language, or else …
    #[serde(default)]
    pub word: Option<FieldWord>,
    /// … its name as it is.
    #[serde(default)]
    pub name: Option<String>,
    /// How it is checked, shown and protected.
    #[serde(rename = "type")]
    pub field_type: FieldType,
    /// What a choice offers.
    #[serde(default)]
    pub options: Vec<TemplateOption>,
    /// What it stands for.
    #[serde(default)]
    pub role: Option<FieldRole>,
}

/// What a new record of a kind starts with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindTemplate {
    /// The kind, as records name it.
    pub kind: RecordKind,
    /// What people call it. Kinds offered with the program have words in every language instead.
    #[serde(default)]
    pub name: Option<String>,
    /// In the order to show.
    #[serde(default, alias = "field")]
    pub fields: Vec<TemplateField>,
}

/// Why something is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTemplate {
    /// Not TOML, or with members that no template has.
    #[error("line {line} is not what a template may say")]
    Syntax {
        /// From 1.
        line: usize,
    },
    /// The file is over 64 KiB.
    #[error("a template may have 64 KiB")]
    TooLarge,
    /// The kind is one the program offers, or none at all.
    #[error("the kind is one that every vault has")]
    OfferedKind,
    /// The name is missing, too long or no line.
    #[error("the kind's name must be one line of 1 to 60 characters")]
    Name,
    /// More than 50 fields.
    #[error("a template may have 50 fields")]
    TooManyFields,
    /// Neither or both of word and name, a name that no field may have, or one that is there already.
    #[error("field {position}: it needs a name of its own, or one of the words")]
    FieldName {
        /// From 1.
        position: usize,
    },
    /// Options where there is nothing to choose, none where there is, too many, or one twice.
    #[error("field {position}: a choice offers 1 to 50 different lines, and nothing else offers any")]
    Options {
        /// From 1.
        position: usize,
    },
    /// A field cannot stand for what it is said to, or another does already.
    #[error("field {position}: it cannot stand for this, or another field does already")]
    Role {
        /// From 1.
        position: usize,
    },
}

impl KindTemplate {
    /// Most bytes of a template's file.
    pub const MAX_BYTES: usize = 64 * 1024;
    /// Most characters in a kind's name.
    pub const NAME_CHARS: usize = 60;
    /// Most fields.
    pub const MAX_FIELDS: usize = 50;
    /// Most options of a choice.
    pub const MAX_OPTIONS: usize = 50;
    /// Most characters of an option.
    pub const OPTION_CHARS: usize = 120;

    /// The kinds offered with the program, in the order to offer them.
    pub fn offered() -> &'static [Self] {
        static OFFERED: LazyLock<Vec<KindTemplate>> = LazyLock::new(|| {
            let template = |text: &str| {
                let template = KindTemplate::parse_file(text).expect("a test reads every one of them");
                template.check_fields().expect("a test checks every one of them");
                template
            };
            OFFERED_FILES.iter().map(|text| template(text)).collect()
        });
        &OFFERED
    }

    /// Takes a kind of somebody's own from its file.
    pub fn parse(text: &str) -> Result<Self, InvalidTemplate> {
        Self::parse_file(text)?.check()
    }

    /// Checks a kind of somebody's own, from wherever it comes; gives it back with its names trimmed.
    pub fn check(mut self) -> Result<Self, InvalidTemplate> {
        if RecordKind::OFFERED.contains(&self.kind.as_str()) {
            return Err(InvalidTemplate::OfferedKind);
        }
        let name = self.name.as_deref().unwrap_or_default().trim().to_owned();
        if !is_name(&name, Self::NAME_CHARS) {
            return Err(InvalidTemplate::Name);
        }
        self.name = Some(name);
        for field in &mut self.fields {
            field.name = field.name.as_deref().map(|name| name.trim().to_owned());
        }
        self.check_fields()?;
        Ok(self)
    }

    fn parse_file(text: &str) -> Result<Self, InvalidTemplate> {
        if text.len() > Self::MAX_BYTES {
            return Err(InvalidTemplate::TooLarge);
        }
        toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            InvalidTemplate::Syntax { line: before.matches('\n').count() + 1 }
        })
    }

    fn check_fields(&self) -> Result<(), InvalidTemplate> {
        if self.fields.len() > Self::MAX_FIELDS {
            return Err(InvalidTemplate::TooManyFields);
        }
        let (mut names, mut roles) = (BTreeSet::new(), BTreeSet::new());
        for (index, field) in self.fields.iter().enumerate() {
            let position = index + 1;
            let name = match (field.word, field.name.as_deref()) {
                (Some(word), None) => (Some(word), ""),
                (None, Some(name)) if is_name(name, limits::FIELD_NAME_CHARS) => (None, name),
                _ => return Err(InvalidTemplate::FieldName { position }),
            };
            if !names.insert(name) {
                return Err(InvalidTemplate::FieldName { position });
            }
            let wanted = if field.field_type == FieldType::Choice { 1..=Self::MAX_OPTIONS } else { 0..=0 };
            let fits = |option: &TemplateOption| match option {
                TemplateOption::Word { .. } => true,
                TemplateOption::Text(text) => is_name(text, Self::OPTION_CHARS),
            };
            let different: BTreeSet<_> = field.options.iter().collect();
            let options = field.options.len();
            if !wanted.contains(&options) || different.len() < options || !field.options.iter().all(fits) {
                return Err(InvalidTemplate::Options { position });
            }
            if field.role.is_some_and(|role| !role.fits(field.field_type) || !roles.insert(role)) {
                return Err(InvalidTemplate::Role { position });
            }
        }
        Ok(())
    }
}

const OFFERED_FILES: [&str; RecordKind::OFFERED.len()] = [
    include_str!("../templates/login.toml"),
    include_str!("../templates/contact.toml"),
    include_str!("../templates/note.toml"),
    include_str!("../templates/server.toml"),
    include_str!("../templates/api_key.toml"),
    include_str!("../templates/bank_account.toml"),
    include_str!("../templates/card.toml"),
    include_str!("../templates/identity_document.toml"),
    include_str!("../templates/licence.toml"),
    include_str!("../templates/custom.toml"),
];

fn is_name(text: &str, max_chars: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= max_chars && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = r#"
        kind = "door_code"
        name = " Door code "
        [[field]]
        name = "Place"
        type = "choice"
        options = ["Front", "Cellar", { word = "test" }]
        [[field]]
        word = "pin"
        type = "secret"
        role = "secret"
    "#;

    #[test]
    fn every_offered_kind_has_its_template_in_the_order_offered() {
        let kinds: Vec<&str> = KindTemplate::offered().iter().map(|template| template.kind.as_str()).collect();
        assert_eq!(kinds, RecordKind::OFFERED);
        for template in KindTemplate::offered() {
            assert!(template.name.is_none() && template.fields.iter().all(|field| field.word.is_some()));
        }
    }

    #[test]
    fn a_kind_of_ones_own_reads_as_written() {
        let own = KindTemplate::parse(OWN).unwrap();
        assert_eq!((own.kind.as_str(), own.name.as_deref()), ("door_code", Some("Door code")));
        let [place, pin] = &own.fields[..] else { panic!("{own:?}") };
        assert_eq!((place.name.as_deref(), place.field_type), (Some("Place"), FieldType::Choice));
        assert_eq!(place.options[0], TemplateOption::Text("Front".to_owned()));
        assert_eq!(place.options[2], TemplateOption::Word { word: ChoiceWord::Test });
        assert_eq!((pin.word, pin.role), (Some(FieldWord::Pin), Some(FieldRole::Secret)));
        let json = serde_json::to_string(&own).unwrap();
        assert_eq!(serde_json::from_str::<KindTemplate>(&json).unwrap().check().unwrap(), own);
    }

    #[test]
    fn what_is_no_template_is_refused_with_its_place() {
        let changed = |from: &str, to: &str| KindTemplate::parse(&OWN.replace(from, to)).unwrap_err();
        assert_eq!(changed("door_code", "login"), InvalidTemplate::OfferedKind);
        assert_eq!(changed("door_code", "Door code"), InvalidTemplate::Syntax { line: 2 });
        assert_eq!(changed("kind =", "kind"), InvalidTemplate::Syntax { line: 2 });
        assert_eq!(changed("role =", "rule ="), InvalidTemplate::Syntax { line: 11 });
        assert_eq!(changed("\" Door code \"", "\" \""), InvalidTemplate::Name);
        assert_eq!(changed("word = \"pin\"", "name = \" Place\""), InvalidTemplate::FieldName { position: 2 });
        assert_eq!(changed("word = \"pin\"\n", "\n"), InvalidTemplate::FieldName { position: 2 });
        assert_eq!(changed("\"Cellar\"", "\"Front\""), InvalidTemplate::Options { position: 1 });
        assert_eq!(changed("\"choice\"", "\"text\""), InvalidTemplate::Options { position: 1 });
        assert_eq!(changed("role = \"secret\"", "role = \"url\""), InvalidTemplate::Role { position: 2 });
        assert_eq!(KindTemplate::parse(&" ".repeat(65 * 1024)), Err(InvalidTemplate::TooLarge));
    }

    #[test]
    fn words_read_back_by_their_names() {
        for word in FieldWord::ALL {
            assert_eq!(FieldWord::from_name(word.name()), Some(*word));
            assert_eq!(serde_json::to_string(word).unwrap(), format!("\"{}\"", word.name()));
        }
        for word in ChoiceWord::ALL {
            assert_eq!(ChoiceWord::from_name(word.name()), Some(*word));
            assert_eq!(serde_json::to_string(word).unwrap(), format!("\"{}\"", word.name()));
        }
    }
}

//! What of a record is structure and stays in its twin: kinds, names of fields and choices that templates, imports and
//! the program itself give, in every language of the shells. Pure.

use std::collections::{BTreeMap, HashSet};

use coffer_model::record::RecordKind;
use coffer_model::template::{ChoiceWord, FieldWord, KindTemplate, TemplateField, TemplateOption};

/// Names that imports give, and that the demo's records have.
const GIVEN_NAMES: [&str; 14] = [
    "User name",
    "Username",
    "Password",
    "URL",
    "Notes",
    "One-time password",
    "One-time code",
    "Expires",
    "Benutzername",
    "Passwort",
    "E-mail",
    "Mobile",
    "Birthday",
    "Valid until",
];

/// Words that join others in a name and say nothing by themselves.
const JOINING: [&str; 12] = ["of", "for", "the", "and", "to", "in", "von", "für", "der", "die", "das", "und"];

/// The choices that one field offers in one language.
type Options = Vec<String>;

/// What a twin keeps as it is.
#[derive(Debug)]
pub(super) struct Vocabulary {
    /// In lower case.
    names: HashSet<String>,
    /// Single words of those names.
    words: HashSet<String>,
    options: BTreeMap<RecordKind, Vec<Options>>,
}

impl Vocabulary {
    /// That of every vault, and of the vault's own kinds.
    pub(super) fn new(own: &[KindTemplate]) -> Self {
        let mut vocabulary = Self {
            names: GIVEN_NAMES.iter().map(|name| name.to_lowercase()).collect(),
            words: JOINING.map(str::to_owned).into(),
            options: BTreeMap::new(),
        };
        for &word in FieldWord::ALL {
            vocabulary.names.extend(field_names(word).map(str::to_lowercase));
        }
        for template in KindTemplate::offered().iter().chain(own) {
            vocabulary.take(template);
        }
        let words = vocabulary.names.iter().flat_map(|name| words_of(name));
        vocabulary.words.extend(words.map(str::to_owned).collect::<Vec<_>>());
        vocabulary
    }

    fn take(&mut self, template: &KindTemplate) {
        let options = self.options.entry(template.kind.clone()).or_default();
        for field in &template.fields {
            self.names.extend(field.name.as_deref().map(str::to_lowercase));
            options.extend(options_of(field));
        }
    }

    /// Whether the kind is one that the vault offers.
    pub(super) fn has_kind(&self, kind: &RecordKind) -> bool {
        self.options.contains_key(kind)
    }

    /// Whether the name of a field is structure as a whole.
    pub(super) fn has_name(&self, name: &str) -> bool {
        self.names.contains(&name.to_lowercase())
    }

    /// Whether a word of a name is structure, so that it says nothing of anybody.
    pub(super) fn has_word(&self, word: &str) -> bool {
        self.words.contains(&word.to_lowercase())
    }

    /// The choices of which `value` is one, with its place among them.
    pub(super) fn options(&self, kind: &RecordKind, value: &str) -> Option<(&[String], usize)> {
        self.options.get(kind)?.iter().find_map(|options| {
            let place = options.iter().position(|option| option.to_lowercase() == value.to_lowercase())?;
            Some((options.as_slice(), place))
        })
    }
}

/// Letters and digits that stand together.
pub(super) fn words_of(name: &str) -> impl Iterator<Item = &str> {
    name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// What a choice offers, once in each language.
fn options_of(field: &TemplateField) -> [Options; 2] {
    [0, 1].map(|language| {
        let text = |option: &TemplateOption| match option {
            TemplateOption::Word { word } => choice_names(*word)[language].to_owned(),
            TemplateOption::Text(text) => text.clone(),
        };
        field.options.iter().map(text).collect()
    })
}

/// What a word for a field is in English and in German (`ui/messages`).
pub(super) const fn field_names(word: FieldWord) -> [&'static str; 2] {
    match word {
        FieldWord::Address => ["Address", "Anschrift"],
        FieldWord::Bank => ["Bank", "Bank"],
        FieldWord::Bic => ["BIC", "BIC"],
        FieldWord::CardNumber => ["Card number", "Kartennummer"],
        FieldWord::Company => ["Company", "Firma"],
        FieldWord::DocumentNumber => ["Number", "Nummer"],
        FieldWord::DocumentType => ["Document", "Dokument"],
        FieldWord::Email => ["E-mail", "E-Mail"],
        FieldWord::Environment => ["Environment", "Umgebung"],
        FieldWord::Expires => ["Expires", "Gültig bis"],
        FieldWord::Holder => ["Holder", "Inhaber"],
        FieldWord::Host => ["Host", "Host"],
        FieldWord::Iban => ["IBAN", "IBAN"],
        FieldWord::Issued => ["Issued", "Ausgestellt"],
        FieldWord::Key => ["Key", "Schlüssel"],
        FieldWord::OneTimeCode => ["One-time code", "Einmalcode"],
        FieldWord::Password => ["Password", "Passwort"],
        FieldWord::Phone => ["Phone", "Telefon"],
        FieldWord::Pin => ["PIN", "PIN"],
        FieldWord::Port => ["Port", "Port"],
        FieldWord::Product => ["Product", "Produkt"],
        FieldWord::Service => ["Service", "Dienst"],
        FieldWord::User => ["User", "Benutzer"],
        FieldWord::Website => ["Website", "Website"],
    }
}

/// What a word for a choice is in English and in German (`ui/messages`).
pub(super) const fn choice_names(word: ChoiceWord) -> [&'static str; 2] {
    match word {
        ChoiceWord::DrivingLicence => ["Driving licence", "Führerschein"],
        ChoiceWord::IdentityCard => ["Identity card", "Personalausweis"],
        ChoiceWord::Passport => ["Passport", "Reisepass"],
        ChoiceWord::Production => ["Production", "Produktion"],
        ChoiceWord::ResidencePermit => ["Residence permit", "Aufenthaltstitel"],
        ChoiceWord::Staging => ["Staging", "Staging"],
        ChoiceWord::Test => ["Test", "Test"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_on_screen() {
        let languages =
            [include_str!("../../../../../ui/messages/en.json"), include_str!("../../../../../ui/messages/de.json")];
        for (language, messages) in languages.into_iter().enumerate() {
            let messages: serde_json::Value = serde_json::from_str(messages).unwrap();
            for &word in FieldWord::ALL {
                assert_eq!(messages[format!("field_{}", word.name())], field_names(word)[language]);
            }
            for &word in ChoiceWord::ALL {
                assert_eq!(messages[format!("choice_{}", word.name())], choice_names(word)[language]);
            }
        }
    }

    #[test]
    fn a_name_of_a_template_is_structure_in_whatever_case_and_a_free_one_is_not() {
        let own = KindTemplate::parse("kind='door'\nname='Door'\n[[field]]\nname='Code of the gate'\ntype='secret'\n");
        let vocabulary = Vocabulary::new(&[own.unwrap()]);
        for name in ["password", "PASSWORT", "code OF the gate", "One-time code"] {
            assert!(vocabulary.has_name(name), "{name}");
        }
        assert!(!vocabulary.has_name("Password of Anna Schmidt"));
        assert!(vocabulary.has_word("Password") && vocabulary.has_word("gate") && !vocabulary.has_word("Anna"));
        assert!(vocabulary.has_kind(&"door".parse().unwrap()) && !vocabulary.has_kind(&"anna".parse().unwrap()));
    }
}

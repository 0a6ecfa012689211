//! Kinds of records and their templates, as shells offer them. Pure data.

use coffer_model::record::{FieldType, RecordKind};
use coffer_model::template::{ChoiceWord, FieldRole, FieldWord, KindTemplate, TemplateField, TemplateOption};
use serde::Serialize;
use ts_rs::TS;

/// A kind of records, with what a new one starts with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct KindView {
    /// The kind, as records name it.
    #[ts(type = "string")]
    pub kind: RecordKind,
    /// What people call it; `None` for a kind that every vault has, which has words in every language.
    pub name: Option<String>,
    /// In the order to show.
    pub fields: Vec<KindFieldView>,
}

/// A field that a new record of a kind starts with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct KindFieldView {
    /// Its name in the person's language, or else …
    #[ts(
        type = "\"address\" | \"bank\" | \"bic\" | \"card_number\" | \"company\" | \"document_number\" | \"document_type\" | \"email\" | \"environment\" | \"expires\" | \"holder\" | \"host\" | \"iban\" | \"issued\" | \"key\" | \"one_time_code\" | \"password\" | \"phone\" | \"pin\" | \"port\" | \"product\" | \"service\" | \"user\" | \"website\" | null"
    )]
    pub word: Option<FieldWord>,
    /// … its name as it is.
    pub name: Option<String>,
    /// How it is checked, shown and protected.
    #[ts(
        type = "\"text\" | \"secret\" | \"multiline\" | \"email\" | \"phone\" | \"url\" | \"date\" | \"number\" | \"totp\" | \"choice\" | \"reference\" | \"expiry\""
    )]
    pub field_type: FieldType,
    /// What a choice offers.
    pub options: Vec<KindOptionView>,
    /// What it stands for: what the keys for copying and opening mean.
    #[ts(type = "\"user\" | \"secret\" | \"url\" | null")]
    pub role: Option<FieldRole>,
}

/// One of the values a choice offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct KindOptionView {
    /// In the person's language, or else …
    #[ts(
        type = "\"driving_licence\" | \"identity_card\" | \"passport\" | \"production\" | \"residence_permit\" | \"staging\" | \"test\" | null"
    )]
    pub word: Option<ChoiceWord>,
    /// … as it is.
    pub text: Option<String>,
}

impl From<&KindTemplate> for KindView {
    fn from(template: &KindTemplate) -> Self {
        Self {
            kind: template.kind.clone(),
            name: template.name.clone(),
            fields: template.fields.iter().map(KindFieldView::from).collect(),
        }
    }
}

impl From<&TemplateField> for KindFieldView {
    fn from(field: &TemplateField) -> Self {
        let option = |option: &TemplateOption| match option {
            TemplateOption::Word { word } => KindOptionView { word: Some(*word), text: None },
            TemplateOption::Text(text) => KindOptionView { word: None, text: Some(text.clone()) },
        };
        Self {
            word: field.word,
            name: field.name.clone(),
            field_type: field.field_type,
            options: field.options.iter().map(option).collect(),
            role: field.role,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A word that is added without its shells' knowing of it would have no name on screen.
    #[test]
    fn the_interface_is_told_every_word() {
        let told = KindFieldView::decl(&ts_rs::Config::default());
        for word in FieldWord::ALL {
            assert!(told.contains(&format!("\"{}\"", word.name())), "{word:?}");
        }
        let told = KindOptionView::decl(&ts_rs::Config::default());
        for word in ChoiceWord::ALL {
            assert!(told.contains(&format!("\"{}\"", word.name())), "{word:?}");
        }
    }
}

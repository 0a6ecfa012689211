//! Lists of records: the orders they may have, and what each row tells. Pure.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::record::{FieldType, RecordContent};

/// Longest detail, characters; a list has no room for more.
const DETAIL_CHARS: usize = 200;

/// What a list of records is ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordOrder {
    /// The title, without regard to case and accents.
    #[default]
    Title,
    /// The kind by its stored name, then the title.
    Kind,
    /// The time of the newest version, the newest first.
    Changed,
    /// The order of adding, the newest first. It is the true one even where a clock was set back.
    Created,
}

/// The text names no order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an order of records: title, kind, changed or created")]
pub struct InvalidOrder;

impl FromStr for RecordOrder {
    type Err = InvalidOrder;

    fn from_str(text: &str) -> Result<Self, InvalidOrder> {
        match text {
            "title" => Ok(Self::Title),
            "kind" => Ok(Self::Kind),
            "changed" => Ok(Self::Changed),
            "created" => Ok(Self::Created),
            _ => Err(InvalidOrder),
        }
    }
}

/// What a row of a list tells of its record, besides title, kind and time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowDetail {
    /// Nothing.
    #[default]
    None,
    /// The first value of one line that is no secret: a login's user, a contact's address, a server's host.
    Value,
    /// The tags.
    Tags,
}

impl RowDetail {
    /// The detail of a record; `None` if it has none.
    pub fn of(self, content: &RecordContent) -> Option<String> {
        let detail = match self {
            Self::None => return None,
            Self::Value => content
                .fields()
                .iter()
                .filter(|field| is_told(field.field_type))
                .map(|field| field.value.expose().trim())
                .find(|value| !value.is_empty())?
                .to_owned(),
            Self::Tags if content.tags().is_empty() => return None,
            Self::Tags => content.tags().join(", "),
        };
        Some(detail.chars().take(DETAIL_CHARS).collect())
    }
}

const fn is_told(field_type: FieldType) -> bool {
    match field_type {
        FieldType::Text
        | FieldType::Email
        | FieldType::Phone
        | FieldType::Url
        | FieldType::Number
        | FieldType::Choice => true,
        FieldType::Secret
        | FieldType::Multiline
        | FieldType::Date
        | FieldType::Totp
        | FieldType::Reference
        | FieldType::Expiry => false,
    }
}

/// The text names no detail of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a detail of a row: none, value or tags")]
pub struct InvalidDetail;

impl FromStr for RowDetail {
    type Err = InvalidDetail;

    fn from_str(text: &str) -> Result<Self, InvalidDetail> {
        match text {
            "none" => Ok(Self::None),
            "value" => Ok(Self::Value),
            "tags" => Ok(Self::Tags),
            _ => Err(InvalidDetail),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{FieldDraft, RecordDraft};

    fn content(fields: &[(&str, FieldType, &str)], tags: &[&str]) -> RecordContent {
        let field = |&(name, field_type, value): &(&str, FieldType, &str)| FieldDraft {
            id: None,
            name: name.to_owned(),
            field_type,
            value: Some(value.into()),
        };
        let draft = RecordDraft {
            kind: "login".parse().unwrap(),
            title: "Gate".to_owned(),
            fields: fields.iter().map(field).collect(),
            tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
            notes: String::new(),
        };
        RecordContent::parse(draft, None).unwrap()
    }

    #[test]
    fn a_row_tells_the_first_value_that_is_no_secret() {
        let gate = content(
            &[
                ("PIN", FieldType::Secret, "1234"),
                ("Plan", FieldType::Multiline, "north"),
                ("User", FieldType::Text, " ines "),
                ("Mail", FieldType::Email, "ines@example.org"),
            ],
            &["eu", "vpn"],
        );
        assert_eq!(RowDetail::Value.of(&gate).as_deref(), Some("ines"));
        assert_eq!(RowDetail::Tags.of(&gate).as_deref(), Some("eu, vpn"));
        assert_eq!(RowDetail::None.of(&gate), None);
        let secret = content(&[("PIN", FieldType::Secret, "1234"), ("User", FieldType::Text, "")], &[]);
        assert_eq!((RowDetail::Value.of(&secret), RowDetail::Tags.of(&secret)), (None, None));
        let long = content(&[("User", FieldType::Text, &"é".repeat(900))], &[]);
        assert_eq!(RowDetail::Value.of(&long).unwrap().chars().count(), DETAIL_CHARS);
    }
}

//! Lists of records: the orders they may have. Pure.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

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

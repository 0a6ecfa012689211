//! Grants: what an account may do with one tenant. Pure.

use serde::{Deserialize, Serialize};

/// A right on one tenant; each includes the ones before it.
///
/// Whoever holds any right holds the tenant's key: keys enforce reading, the program enforces the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// Lists, opens, reveals, copies.
    Reader,
    /// Adds and changes records.
    Editor,
    /// Grants the tenant to others, imports into it, ends it.
    Steward,
}

impl Right {
    /// The right as stored.
    pub const fn code(self) -> u8 {
        match self {
            Self::Reader => 1,
            Self::Editor => 2,
            Self::Steward => 3,
        }
    }

    /// Takes the right as stored.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Reader),
            2 => Some(Self::Editor),
            3 => Some(Self::Steward),
            _ => None,
        }
    }
}

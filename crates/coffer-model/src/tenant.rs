//! Tenants: the organisations whose data a vault holds. Pure.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A tenant's name: 1 to 120 characters without control characters, not beginning or ending with white space.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TenantName(String);

/// Why a text is no tenant name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a tenant's name has 1 to 120 characters, none of them a control or invisible character")]
pub struct InvalidTenantName;

impl TenantName {
    /// Most characters in a tenant's name.
    pub const MAX_CHARS: usize = 120;

    /// The name as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How names are compared: two tenants of one vault may not differ in case alone.
    pub fn comparison_key(&self) -> String {
        self.0.to_lowercase()
    }
}

impl FromStr for TenantName {
    type Err = InvalidTenantName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let trimmed = text.trim();
        let count = trimmed.chars().count();
        if count == 0 || count > Self::MAX_CHARS || trimmed.chars().any(|c| c.is_control() || is_invisible(c)) {
            return Err(InvalidTenantName);
        }
        Ok(Self(trimmed.to_owned()))
    }
}

/// Zero-width and direction-changing characters: they make two different names look the same (UAX #9, UTR #36).
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

impl TryFrom<String> for TenantName {
    type Error = InvalidTenantName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<TenantName> for String {
    fn from(name: TenantName) -> Self {
        name.0
    }
}

impl fmt::Display for TenantName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_compared_without_case() {
        let name: TenantName = "  Bauer & Co ".parse().unwrap();
        assert_eq!(name.as_str(), "Bauer & Co");
        assert_eq!(name.comparison_key(), "BAUER & CO".parse::<TenantName>().unwrap().comparison_key());
    }

    #[test]
    fn invisible_and_control_characters_are_refused() {
        for refused in ["", "   ", "a\nb", "AC\u{200b}ME", "\u{202e}EMCA", &"x".repeat(121)] {
            assert_eq!(refused.parse::<TenantName>(), Err(InvalidTenantName), "{refused:?}");
        }
    }
}

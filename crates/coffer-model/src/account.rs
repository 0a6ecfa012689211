//! Accounts: who a person is to a vault, and what they may administer.
//! Spec: login names after RFC 8265 `UsernameCaseMapped`, narrowed (docs/FORMAT.md §2). Pure.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A login name as stored and compared: 1 to 64 characters out of `a`–`z`, `0`–`9`, `.`, `_`, `-`, `@`,
/// beginning and ending with a letter or digit.
///
/// Upper case is folded when parsed. Names outside ASCII are refused, not mapped: two names that look alike are
/// then always the same name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LoginName(String);

/// Why a text is no login name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a login name has 1 to 64 characters of a-z, 0-9, . _ - @ and begins and ends with a letter or digit")]
pub struct InvalidLoginName;

impl LoginName {
    /// Most characters in a login name.
    pub const MAX_CHARS: usize = 64;

    /// The folded name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it looks like: two accounts of a vault may not have names that a reader takes for one another (UTS #39 §4,
    /// as far as it concerns these characters in lower case: `0` and `o`, `1` and `l`, `m` and `rn`).
    pub fn skeleton(&self) -> String {
        self.0.replace('0', "o").replace('1', "l").replace('m', "rn")
    }
}

impl FromStr for LoginName {
    type Err = InvalidLoginName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let folded = text.to_ascii_lowercase();
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-_@".contains(c);
        let outer = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        if folded.len() > Self::MAX_CHARS
            || !folded.chars().all(allowed)
            || !outer(folded.chars().next())
            || !outer(folded.chars().last())
        {
            return Err(InvalidLoginName);
        }
        Ok(Self(folded))
    }
}

impl TryFrom<String> for LoginName {
    type Error = InvalidLoginName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<LoginName> for String {
    fn from(name: LoginName) -> Self {
        name.0
    }
}

impl fmt::Display for LoginName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an account may do for the whole vault. Reading tenants is a matter of grants, never of roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Creates accounts and tenants, runs backups.
    Administrator,
    /// Reads and verifies the log.
    Auditor,
    /// Works with the tenants granted.
    Member,
}

/// The set of roles an account holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roles(u8);

impl Roles {
    /// No role.
    pub const NONE: Self = Self(0);
    /// Every role: what the founder of a vault starts with.
    pub const ALL: Self = Self(0b111);

    const fn bit(role: Role) -> u8 {
        match role {
            Role::Administrator => 0b001,
            Role::Auditor => 0b010,
            Role::Member => 0b100,
        }
    }

    /// Whether no role is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the set gives the key of administrators and auditors together.
    pub const fn is_officer(self) -> bool {
        self.contains(Role::Administrator) || self.contains(Role::Auditor)
    }

    /// The set with `role` in it.
    #[must_use]
    pub const fn with(self, role: Role) -> Self {
        Self(self.0 | Self::bit(role))
    }

    /// Whether `role` is in the set.
    pub const fn contains(self, role: Role) -> bool {
        self.0 & Self::bit(role) != 0
    }

    /// The set as stored: bit 0 administrator, bit 1 auditor, bit 2 member.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The set of these roles.
    pub fn of(roles: impl IntoIterator<Item = Role>) -> Self {
        roles.into_iter().fold(Self::NONE, Self::with)
    }

    /// Takes the set as stored; `None` if unknown bits are set.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if bits & !Self::ALL.0 == 0 { Some(Self(bits)) } else { None }
    }

    /// The roles in the set, in their fixed order.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        [Role::Administrator, Role::Auditor, Role::Member].into_iter().filter(move |&role| self.contains(role))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn login_names_fold_ascii_case_and_refuse_the_rest() {
        assert_eq!("Ines.Weber".parse::<LoginName>().unwrap().as_str(), "ines.weber");
        for refused in ["", " ", "a b", "-a", "a.", "іnes", "a\u{200b}b", &"x".repeat(65)] {
            assert_eq!(refused.parse::<LoginName>(), Err(InvalidLoginName), "{refused:?}");
        }
    }

    #[test]
    fn names_that_look_alike_have_one_skeleton() {
        let skeleton = |name: &str| name.parse::<LoginName>().unwrap().skeleton();
        for (one, other) in [("b0b", "bob"), ("a1", "al"), ("tom", "torn"), ("Carol", "caro1")] {
            assert_eq!(skeleton(one), skeleton(other), "{one}, {other}");
        }
        assert_ne!(skeleton("ines"), skeleton("inez"));
    }

    #[test]
    fn role_sets_read_back_and_refuse_unknown_bits() {
        let set = Roles::NONE.with(Role::Auditor).with(Role::Member);
        assert_eq!(Roles::from_bits(set.bits()), Some(set));
        assert_eq!(set.iter().collect::<Vec<_>>(), [Role::Auditor, Role::Member]);
        assert_eq!(Roles::from_bits(8), None);
    }
}

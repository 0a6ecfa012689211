//! Identifiers: random or time-ordered, 16 bytes, shown in Crockford's base 32.
//! Spec: RFC 9562 (UUID versions 4 and 7) for the bytes, docs/FORMAT.md §2 for the text.
//! Pure: randomness and time are arguments.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::time::Timestamp;

/// The text is not an identifier of the kind asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier")]
pub struct InvalidId;

/// Digits of an identifier's text: 128 bits at five a digit.
const TEXT_DIGITS: usize = 26;
/// Crockford's base 32 in lower case: no `i`, `l`, `o`, `u`.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

fn encode_base32(bytes: [u8; 16]) -> String {
    let number = u128::from_be_bytes(bytes);
    (0..TEXT_DIGITS)
        .rev()
        .map(|digit| char::from(ALPHABET[usize::from(((number >> (digit * 5)) & 31) as u8)]))
        .collect()
}

/// Exact inverse of [`encode_base32`]: one text for each identifier, so texts can be compared.
fn parse_base32(text: &str) -> Result<[u8; 16], InvalidId> {
    if text.len() != TEXT_DIGITS {
        return Err(InvalidId);
    }
    let mut number: u128 = 0;
    for (position, byte) in text.bytes().enumerate() {
        let digit = ALPHABET.iter().position(|&known| known == byte).ok_or(InvalidId)?;
        // The first digit carries only three of the 128 bits.
        if position == 0 && digit > 7 {
            return Err(InvalidId);
        }
        number = (number << 5) | digit as u128;
    }
    Ok(number.to_be_bytes())
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, random) => {
        id!($(#[$doc])* $name);
        impl $name {
            /// Makes a UUID version 4 (RFC 9562 §5.4) of 16 random bytes.
            pub fn from_random(random: [u8; 16]) -> Self {
                Self(uuid::Builder::from_random_bytes(random).into_uuid().into_bytes())
            }
        }
    };
    ($(#[$doc:meta])* $name:ident, ordered) => {
        id!($(#[$doc])* $name);
        impl $name {
            /// Makes a UUID version 7 (RFC 9562 §5.7): ordered by time, then random.
            pub fn from_time_and_random(at: Timestamp, random: [u8; 10]) -> Self {
                let millis = u64::try_from(at.unix_millis()).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().into_bytes())
            }
        }
    };
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// Takes the 16 bytes as stored.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The 16 bytes as stored.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&encode_base32(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse_base32(text).map(Self)
            }
        }

        text_serde!($name);
    };
}

macro_rules! text_serde {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(
    /// One vault, for ever: copies and restores keep it.
    VaultId,
    random
);
id!(
    /// One account of a vault. A reset account is a new one.
    AccountId,
    random
);
id!(
    /// One tenant of a vault.
    TenantId,
    random
);
id!(
    /// One unlocked session, from unlock to lock.
    SessionId,
    random
);
id!(
    /// One writable copy of a vault. Format 1 has one; statements and entries already name it.
    ReplicaId,
    random
);
id!(
    /// The part of a [`RecordId`] that is unique inside its tenant.
    RecordKey,
    ordered
);

/// One record. It carries its tenant, so that no call can look in the wrong one.
///
/// Text: tenant, full stop, record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId {
    tenant: TenantId,
    key: RecordKey,
}

impl RecordId {
    /// Names the record `key` of `tenant`.
    pub const fn new(tenant: TenantId, key: RecordKey) -> Self {
        Self { tenant, key }
    }

    /// The tenant the record belongs to.
    pub const fn tenant(self) -> TenantId {
        self.tenant
    }

    /// The record inside its tenant.
    pub const fn key(self) -> RecordKey {
        self.key
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.tenant, self.key)
    }
}

impl FromStr for RecordId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (tenant, key) = text.split_once('.').ok_or(InvalidId)?;
        Ok(Self { tenant: tenant.parse()?, key: key.parse()? })
    }
}

text_serde!(RecordId);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn text_reads_back(tenant: [u8; 16], key: [u8; 16]) {
            let id = RecordId::new(TenantId::from_bytes(tenant), RecordKey::from_bytes(key));
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }

        #[test]
        fn any_accepted_text_is_the_only_text(text in "[0-9a-z]{26}") {
            if let Ok(id) = text.parse::<VaultId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }

    #[test]
    fn later_records_sort_after_earlier_ones() {
        let at = |millis| Timestamp::from_unix_millis(millis).unwrap();
        let early = RecordKey::from_time_and_random(at(1_000), [0xff; 10]);
        let late = RecordKey::from_time_and_random(at(1_001), [0; 10]);
        assert!(early < late && early.to_string() < late.to_string());
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "8zzzzzzzzzzzzzzzzzzzzzzzzz", "0000000000000000000000000i", "0000000000000000000000000A", "é"]
        {
            assert_eq!(text.parse::<VaultId>(), Err(InvalidId), "{text}");
        }
        assert_eq!("no-dot".parse::<RecordId>(), Err(InvalidId));
    }
}

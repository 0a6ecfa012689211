//! JSON exports of other programs, judged before room is made for what they hold. Pure.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, SeqAccess, Visitor};

use crate::neutral::limits;
use crate::source::SourceError;

/// Takes a document apart. Nesting is bounded by `serde_json`'s own limit of 128 levels.
pub(crate) fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, SourceError> {
    if values(text) > limits::VALUES {
        return Err(SourceError::TooMany);
    }
    serde_json::from_slice(text).map_err(|_| SourceError::Damaged)
}

/// How many values there are, lists and objects among them: each of two bytes may need a hundred in memory.
fn values(text: &[u8]) -> usize {
    let (mut in_string, mut escaped, mut values) = (false, false, 0);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b',' | b'[' | b'{' if !in_string => values += 1,
            _ => {}
        }
    }
    values
}

/// A list of entries. Of one with more than [`limits::ENTRIES`] one too many is kept, for who counts them.
pub(crate) fn entries<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    struct Entries<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of entries")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
            let mut entries = Vec::new();
            while entries.len() <= limits::ENTRIES {
                let Some(entry) = list.next_element()? else { return Ok(entries) };
                entries.push(entry);
            }
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok(entries)
        }
    }

    deserializer.deserialize_seq(Entries(PhantomData))
}

//! JSON (RFC 8259) read strictly: an object whose names are each there once (RFC 7515 §4, RFC 7519 §4). Pure.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::TokenRefusal;

/// An object.
pub(crate) struct Object(BTreeMap<String, Json>);

/// A value.
pub(crate) enum Json {
    Null,
    Bool(bool),
    Whole(i64),
    /// A number that is no whole one, or out of the range of one.
    Number(f64),
    Text(String),
    List(Vec<Json>),
    Object(Object),
}

impl Object {
    /// Reads an object and nothing after it. How deep it may go is `serde_json`'s limit, 128.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, TokenRefusal> {
        match serde_json::from_slice(bytes) {
            Ok(Json::Object(object)) => Ok(object),
            _ => Err(TokenRefusal::Malformed),
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Json> {
        self.0.get(name)
    }

    /// The text of that name; `None` if it is something else.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_text()
    }
}

impl Json {
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_list(&self) -> Option<&[Json]> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    pub(crate) fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    pub(crate) fn is_false(&self) -> bool {
        matches!(self, Self::Bool(false))
    }

    /// A `NumericDate` (RFC 7519 §2) in whole seconds, fractions cut off. Bounded so that adding days to it is safe.
    pub(crate) fn as_seconds(&self) -> Option<i64> {
        const MOST: i64 = 1 << 40;
        match *self {
            Self::Whole(seconds) if (0..=MOST).contains(&seconds) => Some(seconds),
            Self::Number(number) if (0.0..1e12).contains(&number) => {
                #[expect(clippy::cast_possible_truncation, reason = "within the bounds of the line above")]
                let seconds = number.floor() as i64;
                Some(seconds)
            }
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Whole(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json, E> {
        Ok(i64::try_from(value).map_or(Json::Number(f64::INFINITY), Json::Whole))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut object = BTreeMap::new();
        while let Some((name, value)) = members.next_entry::<String, Json>()? {
            // Readers differ in which one counts, and attackers know it.
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("a name is there twice"));
            }
        }
        Ok(Json::Object(Object(object)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_there_twice_is_refused_at_any_depth() {
        for text in [r#"{"a":1,"a":2}"#, r#"{"a":{"b":1,"b":1}}"#, r#"{"a":[{"b":1,"b":1}]}"#, r#"{"a":1,"\u0061":2}"#]
        {
            assert!(Object::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Object::parse(br#"{"a":{"b":1},"b":1}"#).is_ok());
    }

    #[test]
    fn only_a_whole_object_is_one() {
        for text in ["", "[]", "1", "\"a\"", "{} {}", "{", r#"{"a":1}x"#, "\u{feff}{}"] {
            assert!(Object::parse(text.as_bytes()).is_err(), "{text}");
        }
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(Object::parse(deep.as_bytes()).is_err());
    }

    #[test]
    fn times_are_whole_seconds_within_bounds() {
        let seconds = |text: &str| {
            let object = Object::parse(format!("{{\"t\":{text}}}").as_bytes()).unwrap();
            object.get("t").unwrap().as_seconds()
        };
        assert_eq!(seconds("1700000000"), Some(1_700_000_000));
        assert_eq!(seconds("1700000000.9"), Some(1_700_000_000));
        assert_eq!(seconds("1.7e9"), Some(1_700_000_000));
        for out in ["-1", "1e300", "18446744073709551615", "9223372036854775807", "\"1700000000\"", "null"] {
            assert_eq!(seconds(out), None, "{out}");
        }
    }
}

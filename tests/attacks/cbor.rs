//! CBOR as a tree that can be edited and written again (RFC 8949): how an attacker who can write the header changes one
//! thing in it and nothing else.

use minicbor::data::Type;
use minicbor::{Decoder, Encoder};

/// One data item. Integers are unsigned: the header has no others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    Number(u64),
    Bytes(Vec<u8>),
    Text(String),
    Flag(bool),
    Null,
    Array(Vec<Item>),
    Map(Vec<(Item, Item)>),
}

impl Item {
    /// Reads exactly one item.
    pub fn read(bytes: &[u8]) -> Self {
        let mut decoder = Decoder::new(bytes);
        let item = Self::read_from(&mut decoder);
        assert_eq!(decoder.position(), bytes.len());
        item
    }

    fn read_from(decoder: &mut Decoder<'_>) -> Self {
        match decoder.datatype().unwrap() {
            Type::U8 | Type::U16 | Type::U32 | Type::U64 => Self::Number(decoder.u64().unwrap()),
            Type::Bytes => Self::Bytes(decoder.bytes().unwrap().to_vec()),
            Type::String => Self::Text(decoder.str().unwrap().to_owned()),
            Type::Bool => Self::Flag(decoder.bool().unwrap()),
            Type::Null => {
                decoder.null().unwrap();
                Self::Null
            }
            Type::Array => {
                let length = decoder.array().unwrap().unwrap();
                Self::Array((0..length).map(|_| Self::read_from(decoder)).collect())
            }
            Type::Map => {
                let length = decoder.map().unwrap().unwrap();
                Self::Map((0..length).map(|_| (Self::read_from(decoder), Self::read_from(decoder))).collect())
            }
            other => panic!("the header has no {other}"),
        }
    }

    /// Writes it in the shortest form.
    pub fn write(&self) -> Vec<u8> {
        let mut encoder = Encoder::new(Vec::new());
        self.write_to(&mut encoder);
        encoder.into_writer()
    }

    fn write_to(&self, encoder: &mut Encoder<Vec<u8>>) {
        match self {
            Self::Number(number) => drop(encoder.u64(*number).unwrap()),
            Self::Bytes(bytes) => drop(encoder.bytes(bytes).unwrap()),
            Self::Text(text) => drop(encoder.str(text).unwrap()),
            Self::Flag(flag) => drop(encoder.bool(*flag).unwrap()),
            Self::Null => drop(encoder.null().unwrap()),
            Self::Array(items) => {
                encoder.array(items.len() as u64).unwrap();
                for item in items {
                    item.write_to(encoder);
                }
            }
            Self::Map(members) => {
                encoder.map(members.len() as u64).unwrap();
                for (key, value) in members {
                    key.write_to(encoder);
                    value.write_to(encoder);
                }
            }
        }
    }

    /// The items of an array.
    pub fn array(&mut self) -> &mut Vec<Item> {
        match self {
            Self::Array(items) => items,
            other => panic!("no array: {other:?}"),
        }
    }

    /// The bytes of a byte string.
    pub fn bytes(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes,
            other => panic!("no byte string: {other:?}"),
        }
    }

    /// The members of a map.
    pub fn map(&mut self) -> &mut Vec<(Item, Item)> {
        match self {
            Self::Map(members) => members,
            other => panic!("no map: {other:?}"),
        }
    }
}

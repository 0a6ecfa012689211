//! A version's body: a record's content as deterministic CBOR. Layout: docs/FORMAT.md, "A tenant's database". Pure.

use coffer_model::record::{Field, FieldId, FieldType, RecordContent, Value};
use minicbor::{CborLen, Decode, Encode};
use zeroize::Zeroizing;

use crate::store::error::StoreError;

#[derive(Encode, Decode, CborLen)]
#[cbor(map)]
struct Body<'b> {
    #[b(0)]
    kind: &'b str,
    #[b(1)]
    title: &'b str,
    #[b(2)]
    fields: Vec<FieldBody<'b>>,
    /// The number the next new field will get.
    #[n(3)]
    next_field: u16,
    #[b(4)]
    tags: Vec<&'b str>,
    #[b(5)]
    notes: &'b str,
}

#[derive(Encode, Decode, CborLen)]
#[cbor(array)]
struct FieldBody<'b> {
    #[n(0)]
    id: u16,
    #[n(1)]
    field_type: u8,
    #[b(2)]
    name: &'b str,
    #[b(3)]
    value: &'b str,
}

/// Encodes a content, secrets included; the bytes are erased when dropped.
pub(super) fn encode(content: &RecordContent) -> Zeroizing<Vec<u8>> {
    encode_body(&Body {
        kind: content.kind().as_str(),
        title: content.title(),
        fields: content
            .fields()
            .iter()
            .map(|field| FieldBody {
                id: field.id.0,
                field_type: field.field_type.code(),
                name: &field.name,
                value: field.value.expose(),
            })
            .collect(),
        next_field: content.next_field(),
        tags: content.tags().iter().map(String::as_str).collect(),
        notes: content.notes(),
    })
}

fn encode_body(body: &Body<'_>) -> Zeroizing<Vec<u8>> {
    // Its exact length from the start: growing would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(minicbor::len(body)));
    minicbor::encode(body, &mut *bytes).expect("writing to a vector does not fail");
    bytes
}

/// Decodes a body. Anything [`encode`] would not have made is damage.
pub(super) fn decode(bytes: &[u8]) -> Result<RecordContent, StoreError> {
    let body: Body<'_> = minicbor::decode(bytes).map_err(|_| StoreError::Damaged)?;
    if encode_body(&body).as_slice() != bytes {
        return Err(StoreError::Damaged);
    }
    let kind = body.kind.parse().map_err(|_| StoreError::Damaged)?;
    let fields: Option<Vec<Field>> = body
        .fields
        .iter()
        .map(|field| {
            Some(Field {
                id: FieldId(field.id),
                name: field.name.to_owned(),
                field_type: FieldType::from_code(field.field_type)?,
                value: Value::from(field.value),
            })
        })
        .collect();
    RecordContent::from_stored(
        kind,
        body.title.to_owned(),
        fields.ok_or(StoreError::Damaged)?,
        body.next_field,
        body.tags.iter().map(|&tag| tag.to_owned()).collect(),
        Value::from(body.notes),
    )
    .map_err(|_| StoreError::Damaged)
}

#[cfg(test)]
mod tests {
    use coffer_model::record::{FieldDraft, RecordDraft, RecordKind};
    use proptest::prelude::*;

    use super::*;

    fn sample() -> RecordContent {
        let field = |name: &str, field_type, value: &str| FieldDraft {
            id: None,
            name: name.to_owned(),
            field_type,
            value: Some(value.into()),
        };
        let draft = RecordDraft {
            kind: RecordKind::custom(),
            title: "Gate".to_owned(),
            fields: vec![field("PIN", FieldType::Secret, "1234"), field("Mail", FieldType::Email, "a@b")],
            tags: vec!["x".to_owned()],
            notes: "n".to_owned(),
        };
        RecordContent::parse(draft, None).unwrap()
    }

    /// Frozen: changing it changes the format.
    #[test]
    fn the_encoding_is_the_documented_one() {
        let expected = "a6\
            00 66 637573746f6d\
            01 64 47617465\
            02 82 84 01 02 63 50494e 64 31323334 84 02 04 64 4d61696c 63 614062\
            03 03\
            04 81 61 78\
            05 61 6e"
            .replace(' ', "");
        assert_eq!(hex::encode(&*encode(&sample())), expected);
    }

    #[test]
    fn what_was_encoded_reads_back() {
        assert_eq!(decode(&encode(&sample())).unwrap(), sample());
    }

    #[test]
    fn any_other_encoding_is_damage() {
        let good = encode(&sample());
        let mut longer = good.to_vec();
        longer.push(0);
        assert!(matches!(decode(&longer), Err(StoreError::Damaged)), "trailing byte");
        for length in 0..good.len() {
            assert!(matches!(decode(&good[..length]), Err(StoreError::Damaged)), "{length} bytes");
        }
        // The same kind with its length in two bytes, an unknown member, a repeated member.
        let wide =
            hex::decode("a60078066375").unwrap().into_iter().chain(good[5..].iter().copied()).collect::<Vec<_>>();
        let unknown = [&[0xa7], &good[1..], &[6, 0]].concat();
        let repeated = [&[0xa7], &good[1..], &good[good.len() - 3..]].concat();
        for bytes in [wide, unknown, repeated] {
            assert!(matches!(decode(&bytes), Err(StoreError::Damaged)));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, at: usize, bit in 0_u8..8) {
            let _ = decode(&bytes);
            let mut flipped = encode(&sample()).to_vec();
            let at = at % flipped.len();
            flipped[at] ^= 1 << bit;
            let _ = decode(&flipped);
        }
    }
}

//! Deterministic CBOR for what Coffer stores: one encoding for each value, checked when read.
//! Spec: RFC 8949 §4.2; docs/FORMAT.md §2. Pure.

use minicbor::{CborLen, Decode, Encode};

/// The bytes are no encoding of the value asked for, or not its only one: a repeated or unknown member, trailing bytes,
/// a longer form of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are damaged or not canonical")]
pub(crate) struct NotCanonical;

/// Encodes a value.
pub(crate) fn encode<T: Encode<()> + CborLen<()>>(value: &T) -> Vec<u8> {
    let mut out = Vec::with_capacity(minicbor::len(value));
    minicbor::encode(value, &mut out).expect("writing to a vector does not fail");
    out
}

/// Decodes a value and refuses bytes that [`encode`] would not have made.
pub(crate) fn decode<T>(bytes: &[u8]) -> Result<T, NotCanonical>
where
    T: for<'b> Decode<'b, ()> + Encode<()> + CborLen<()>,
{
    let value: T = minicbor::decode(bytes).map_err(|_| NotCanonical)?;
    if encode(&value) == bytes { Ok(value) } else { Err(NotCanonical) }
}

/// Identifiers as byte strings of 16.
macro_rules! id_encoding {
    ($($module:ident: $id:ty;)*) => {
        $(
            pub(crate) mod $module {
                use coffer_model::id;
                use minicbor::bytes::ByteArray;
                use minicbor::decode::{Decoder, Error};
                use minicbor::encode::{Encoder, Write};
                use minicbor::{Decode, Encode, CborLen};

                pub(crate) fn encode<C, W: Write>(value: &$id, e: &mut Encoder<W>, ctx: &mut C) -> Result<(), minicbor::encode::Error<W::Error>> {
                    ByteArray::from(*value.as_bytes()).encode(e, ctx)
                }

                pub(crate) fn decode<C>(d: &mut Decoder<'_>, ctx: &mut C) -> Result<$id, Error> {
                    Ok(<$id>::from_bytes(ByteArray::<16>::decode(d, ctx)?.into()))
                }

                pub(crate) fn cbor_len<C>(value: &$id, ctx: &mut C) -> usize {
                    ByteArray::from(*value.as_bytes()).cbor_len(ctx)
                }
            }
        )*
    };
}

id_encoding! {
    vault_id: id::VaultId;
    account_id: id::AccountId;
    tenant_id: id::TenantId;
    replica_id: id::ReplicaId;
}

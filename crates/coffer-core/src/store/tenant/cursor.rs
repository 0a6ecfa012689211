//! Where the next page of a list begins, as a text to hand back unread.
//!
//! Base64url (RFC 4648 §5, no padding) of deterministic CBOR: an array of the tenant, the last row's folded title, and
//! its record key. It is parsed as strictly as anything from outside, and serves the tenant it was made for only. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use coffer_model::id::{RecordKey, TenantId};
use minicbor::bytes::ByteArray;
use minicbor::{CborLen, Decode, Encode};

use crate::encoding;

/// Longest text that is looked at: the longest title there may be, folded, with room for its encoding.
const MAX_TEXT_BYTES: usize = 64 * 1024;

/// The text is no cursor, or one of another tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a place in this list")]
pub(crate) struct InvalidCursor;

/// The last row of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// Its folded title.
    pub(super) title_key: String,
    /// Its record.
    pub(super) key: RecordKey,
}

#[derive(Encode, Decode, CborLen)]
#[cbor(array)]
struct Parts {
    #[n(0)]
    tenant: ByteArray<16>,
    #[n(1)]
    title_key: String,
    #[n(2)]
    key: ByteArray<16>,
}

impl Cursor {
    /// The text for a page of `tenant`.
    pub(crate) fn encode(&self, tenant: TenantId) -> String {
        URL_SAFE_NO_PAD.encode(encoding::encode(&Parts {
            tenant: (*tenant.as_bytes()).into(),
            title_key: self.title_key.clone(),
            key: (*self.key.as_bytes()).into(),
        }))
    }

    /// Exact inverse of [`Cursor::encode`].
    pub(crate) fn parse(text: &str, tenant: TenantId) -> Result<Self, InvalidCursor> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(InvalidCursor);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidCursor)?;
        let parts: Parts = encoding::decode(&bytes).map_err(|_| InvalidCursor)?;
        if *parts.tenant != *tenant.as_bytes() {
            return Err(InvalidCursor);
        }
        Ok(Self { title_key: parts.title_key, key: RecordKey::from_bytes(parts.key.into()) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TENANT: TenantId = TenantId::from_bytes([1; 16]);

    proptest! {
        #[test]
        fn a_cursor_reads_back_for_its_own_tenant_only(title_key: String, key: [u8; 16]) {
            let cursor = Cursor { title_key, key: RecordKey::from_bytes(key) };
            let text = cursor.encode(TENANT);
            prop_assert_eq!(Cursor::parse(&text, TENANT), Ok(cursor));
            prop_assert_eq!(Cursor::parse(&text, TenantId::from_bytes([2; 16])), Err(InvalidCursor));
        }

        #[test]
        fn an_accepted_text_is_the_only_one_for_its_place(text in "[A-Za-z0-9_-]{0,80}") {
            if let Ok(cursor) = Cursor::parse(&text, TENANT) {
                prop_assert_eq!(cursor.encode(TENANT), text);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text: String, bytes: Vec<u8>) {
            let _ = Cursor::parse(&text, TENANT);
            let _ = Cursor::parse(&URL_SAFE_NO_PAD.encode(bytes), TENANT);
        }
    }
}

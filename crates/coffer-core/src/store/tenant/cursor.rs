//! Where the next page of a list begins, as a text to hand back unread.
//!
//! Base64url (RFC 4648 §5, no padding) of deterministic CBOR: an array of the tenant, the list, and what the last row is
//! ordered by. It is parsed as strictly as anything from outside, and serves the tenant and the order it was made for
//! only. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use coffer_model::id::{RecordKey, TenantId};
use coffer_model::list::RecordOrder;
use minicbor::bytes::ByteArray;
use minicbor::{CborLen, Decode, Encode};

use crate::encoding;

/// Longest text that is looked at: the longest title there may be, folded, with room for its encoding.
const MAX_TEXT_BYTES: usize = 64 * 1024;

/// The text is no cursor, or one of another tenant or order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a place in this list")]
pub(crate) struct InvalidCursor;

/// The last row of a page: what its list is ordered by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cursor {
    /// By title: the folded title, then the key.
    Title { title_key: String, key: RecordKey },
    /// By kind, then as by title.
    Kind { kind: String, title_key: String, key: RecordKey },
    /// By the time of the newest version, then the key.
    Changed { changed_ms: i64, key: RecordKey },
    /// By the order of adding: the row number.
    Created { row: i64 },
    /// The trash, by the time of trashing, then the row number.
    Trash { trashed_ms: i64, row: i64 },
}

#[derive(Encode, Decode, CborLen)]
#[cbor(array)]
struct Parts {
    #[n(0)]
    tenant: ByteArray<16>,
    /// 1 title, 2 kind, 3 changed, 4 created, 5 trash.
    #[n(1)]
    list: u8,
    #[n(2)]
    kind: String,
    #[n(3)]
    title_key: String,
    /// A time, or 0.
    #[n(4)]
    millis: i64,
    /// The record's row, or 0.
    #[n(5)]
    row: i64,
    /// The record's key, or zero bytes.
    #[n(6)]
    key: ByteArray<16>,
}

impl Cursor {
    /// The order of the list it is a place in; `None` for the trash.
    pub(crate) const fn order(&self) -> Option<RecordOrder> {
        match self {
            Self::Title { .. } => Some(RecordOrder::Title),
            Self::Kind { .. } => Some(RecordOrder::Kind),
            Self::Changed { .. } => Some(RecordOrder::Changed),
            Self::Created { .. } => Some(RecordOrder::Created),
            Self::Trash { .. } => None,
        }
    }

    /// The text for a page of `tenant`.
    pub(crate) fn encode(&self, tenant: TenantId) -> String {
        let mut parts = Parts {
            tenant: (*tenant.as_bytes()).into(),
            list: 1,
            kind: String::new(),
            title_key: String::new(),
            millis: 0,
            row: 0,
            key: [0; 16].into(),
        };
        match self {
            Self::Title { title_key, key } => {
                parts.title_key.clone_from(title_key);
                parts.key = (*key.as_bytes()).into();
            }
            Self::Kind { kind, title_key, key } => {
                parts.list = 2;
                parts.kind.clone_from(kind);
                parts.title_key.clone_from(title_key);
                parts.key = (*key.as_bytes()).into();
            }
            Self::Changed { changed_ms, key } => {
                parts.list = 3;
                parts.millis = *changed_ms;
                parts.key = (*key.as_bytes()).into();
            }
            Self::Created { row } => {
                parts.list = 4;
                parts.row = *row;
            }
            Self::Trash { trashed_ms, row } => {
                parts.list = 5;
                parts.millis = *trashed_ms;
                parts.row = *row;
            }
        }
        URL_SAFE_NO_PAD.encode(encoding::encode(&parts))
    }

    /// Exact inverse of [`Cursor::encode`], for the list of `order`, or the trash.
    pub(crate) fn parse(text: &str, tenant: TenantId, order: Option<RecordOrder>) -> Result<Self, InvalidCursor> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(InvalidCursor);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidCursor)?;
        let Parts { tenant: _, list, kind, title_key, millis, row, key } =
            encoding::decode(&bytes).map_err(|_| InvalidCursor)?;
        let key = RecordKey::from_bytes(key.into());
        let cursor = match list {
            1 => Self::Title { title_key, key },
            2 => Self::Kind { kind, title_key, key },
            3 => Self::Changed { changed_ms: millis, key },
            4 => Self::Created { row },
            5 => Self::Trash { trashed_ms: millis, row },
            0 | 6.. => return Err(InvalidCursor),
        };
        // Another tenant, or anything in a place that this list does not use, would be written differently.
        if cursor.order() == order && cursor.encode(tenant) == text { Ok(cursor) } else { Err(InvalidCursor) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TENANT: TenantId = TenantId::from_bytes([1; 16]);
    const ORDERS: [Option<RecordOrder>; 5] = [
        Some(RecordOrder::Title),
        Some(RecordOrder::Kind),
        Some(RecordOrder::Changed),
        Some(RecordOrder::Created),
        None,
    ];

    fn cursor() -> impl Strategy<Value = Cursor> {
        let key = any::<[u8; 16]>().prop_map(RecordKey::from_bytes);
        prop_oneof![
            (any::<String>(), key.clone()).prop_map(|(title_key, key)| Cursor::Title { title_key, key }),
            (any::<String>(), any::<String>(), key.clone()).prop_map(|(kind, title_key, key)| Cursor::Kind {
                kind,
                title_key,
                key
            }),
            (any::<i64>(), key).prop_map(|(changed_ms, key)| Cursor::Changed { changed_ms, key }),
            any::<i64>().prop_map(|row| Cursor::Created { row }),
            (any::<i64>(), any::<i64>()).prop_map(|(trashed_ms, row)| Cursor::Trash { trashed_ms, row }),
        ]
    }

    proptest! {
        #[test]
        fn a_cursor_reads_back_for_its_own_tenant_and_order_only(cursor in cursor()) {
            let text = cursor.encode(TENANT);
            for order in ORDERS {
                let expected = if order == cursor.order() { Ok(cursor.clone()) } else { Err(InvalidCursor) };
                prop_assert_eq!(Cursor::parse(&text, TENANT, order), expected);
                prop_assert_eq!(Cursor::parse(&text, TenantId::from_bytes([2; 16]), order), Err(InvalidCursor));
            }
        }

        #[test]
        fn an_accepted_text_is_the_only_one_for_its_place(text in "[A-Za-z0-9_-]{0,80}") {
            for order in ORDERS {
                if let Ok(cursor) = Cursor::parse(&text, TENANT, order) {
                    prop_assert_eq!(cursor.encode(TENANT), text.clone());
                }
            }
        }

        #[test]
        fn no_text_makes_it_panic(text: String, bytes: Vec<u8>) {
            for order in ORDERS {
                let _ = Cursor::parse(&text, TENANT, order);
                let _ = Cursor::parse(&URL_SAFE_NO_PAD.encode(&bytes), TENANT, order);
            }
        }
    }
}

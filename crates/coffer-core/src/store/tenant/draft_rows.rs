//! What an account was writing when it had to stop. Layout: docs/FORMAT.md, "A tenant's database".

use coffer_model::id::{AccountId, RecordKey};
use coffer_model::record::{FieldDraft, FieldId, FieldType, RecordDraft, Value};
use coffer_model::time::Timestamp;
use minicbor::{CborLen, Decode, Encode};
use rusqlite::{Row, params};
use zeroize::Zeroizing;

use super::{ChangeError, TenantStore, TenantTx, record_row, timestamp};
use crate::store::error::StoreError;

/// A draft that is kept, without what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeptDraft {
    /// The record being changed; `None` for one not added yet.
    pub(crate) record: Option<RecordKey>,
    /// The version it began from; 0 if the record is not added yet.
    pub(crate) version: u32,
    /// When it was kept.
    pub(crate) kept_at: Timestamp,
}

/// A draft that is kept.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct StoredDraft {
    /// What it is of.
    pub(crate) kept: KeptDraft,
    /// What was written.
    pub(crate) draft: RecordDraft,
}

#[derive(Encode, Decode, CborLen)]
#[cbor(map)]
struct Body<'b> {
    #[b(0)]
    kind: &'b str,
    #[b(1)]
    title: &'b str,
    #[b(2)]
    fields: Vec<FieldBody<'b>>,
    #[b(3)]
    tags: Vec<&'b str>,
    #[b(4)]
    notes: &'b str,
}

#[derive(Encode, Decode, CborLen)]
#[cbor(map)]
struct FieldBody<'b> {
    /// The number of the field it changes; absent for a new one.
    #[n(0)]
    id: Option<u16>,
    #[n(1)]
    field_type: u8,
    #[b(2)]
    name: &'b str,
    /// Absent: the field keeps what it holds.
    #[b(3)]
    value: Option<&'b str>,
}

impl<'b> FieldBody<'b> {
    fn of(field: &'b FieldDraft) -> Self {
        let FieldDraft { id, name, field_type, value } = field;
        Self { id: id.map(|id| id.0), field_type: field_type.code(), name, value: value.as_ref().map(Value::expose) }
    }
}

/// Encodes a draft, secrets included; the bytes are erased when dropped.
fn encode(draft: &RecordDraft) -> Zeroizing<Vec<u8>> {
    let RecordDraft { kind, title, fields, tags, notes } = draft;
    encode_body(&Body {
        kind: kind.as_str(),
        title,
        fields: fields.iter().map(FieldBody::of).collect(),
        tags: tags.iter().map(String::as_str).collect(),
        notes,
    })
}

fn encode_body(body: &Body<'_>) -> Zeroizing<Vec<u8>> {
    // Its exact length from the start: growing would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(minicbor::len(body)));
    minicbor::encode(body, &mut *bytes).expect("writing to a vector does not fail");
    bytes
}

/// Decodes a draft. Anything [`encode`] would not have made is damage.
fn decode(bytes: &[u8]) -> Result<RecordDraft, StoreError> {
    let body: Body<'_> = minicbor::decode(bytes).map_err(|_| StoreError::Damaged)?;
    if encode_body(&body).as_slice() != bytes {
        return Err(StoreError::Damaged);
    }
    let field = |field: &FieldBody<'_>| -> Option<FieldDraft> {
        Some(FieldDraft {
            id: field.id.map(FieldId),
            name: field.name.to_owned(),
            field_type: FieldType::from_code(field.field_type)?,
            value: field.value.map(Value::from),
        })
    };
    let fields: Option<Vec<FieldDraft>> = body.fields.iter().map(field).collect();
    let draft = RecordDraft {
        kind: body.kind.parse().map_err(|_| StoreError::Damaged)?,
        title: body.title.to_owned(),
        fields: fields.ok_or(StoreError::Damaged)?,
        tags: body.tags.iter().map(|&tag| tag.to_owned()).collect(),
        notes: body.notes.to_owned(),
    };
    if draft.is_bounded() { Ok(draft) } else { Err(StoreError::Damaged) }
}

impl KeptDraft {
    /// Reads columns `key, version, at_ms`, in this order from the first.
    fn from_row(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            record: row.get::<_, Option<[u8; 16]>>(0)?.map(RecordKey::from_bytes),
            version: row.get(1)?,
            kept_at: timestamp(row.get(2)?)?,
        })
    }
}

impl StoredDraft {
    /// Reads columns `key, version, at_ms, body`, in this order from the first.
    pub(super) fn from_row(row: &Row<'_>) -> Result<Self, StoreError> {
        // Decoded where SQLite holds it, so that no copy of the secrets in it is left behind.
        let draft = decode(row.get_ref(3)?.as_blob().map_err(|_| StoreError::Damaged)?)?;
        Ok(Self { kept: KeptDraft::from_row(row)?, draft })
    }
}

/// An account's drafts, but for those of records in the trash.
const DRAFTS: &str = "FROM draft d JOIN change c ON c.id = d.change LEFT JOIN record r ON r.id = d.record
    WHERE d.account = ?1 AND (d.record IS NULL OR r.trashed_ms IS NULL)";

impl TenantStore {
    /// The drafts of an account, the one kept last first.
    pub(crate) fn drafts(&self, account: AccountId) -> Result<Vec<KeptDraft>, StoreError> {
        let mut query = self
            .connection
            .prepare_cached(&format!("SELECT r.key, d.version, c.at_ms {DRAFTS} ORDER BY d.change DESC"))?;
        let mut rows = query.query([account.as_bytes()])?;
        let mut drafts = Vec::new();
        while let Some(row) = rows.next()? {
            drafts.push(KeptDraft::from_row(row)?);
        }
        Ok(drafts)
    }

    /// An account's draft of a record, or of one not added yet.
    pub(crate) fn draft(
        &self,
        account: AccountId,
        record: Option<RecordKey>,
    ) -> Result<Option<StoredDraft>, StoreError> {
        let mut query = self
            .connection
            .prepare_cached(&format!("SELECT r.key, d.version, c.at_ms, d.body {DRAFTS} AND r.key IS ?2"))?;
        let mut rows = query.query(params![account.as_bytes(), record.map(|key| *key.as_bytes())])?;
        rows.next()?.map(StoredDraft::from_row).transpose()
    }
}

impl TenantTx<'_> {
    /// Keeps a draft of the account that writes, in place of the one before.
    pub(crate) fn keep_draft(
        &mut self,
        record: Option<RecordKey>,
        version: u32,
        draft: &RecordDraft,
    ) -> Result<(), ChangeError> {
        self.delete_draft(record)?;
        let row = self.drafted_row(record)?;
        self.tx
            .prepare_cached("INSERT INTO draft (account, record, version, change, body) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![self.account.as_bytes(), row, version, self.change, encode(draft).as_slice()])?;
        Ok(())
    }

    /// Removes a draft of the account that writes, if there is one.
    pub(crate) fn delete_draft(&mut self, record: Option<RecordKey>) -> Result<(), ChangeError> {
        let row = self.drafted_row(record)?;
        self.tx
            .prepare_cached("DELETE FROM draft WHERE account = ?1 AND record IS ?2")?
            .execute(params![self.account.as_bytes(), row])?;
        Ok(())
    }

    fn drafted_row(&self, record: Option<RecordKey>) -> Result<Option<i64>, ChangeError> {
        match record {
            Some(key) => Ok(Some(record_row(&self.tx, key)?.ok_or(ChangeError::NotFound)?)),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample() -> RecordDraft {
        let field = |id, name: &str, field_type, value: Option<&str>| FieldDraft {
            id,
            name: name.to_owned(),
            field_type,
            value: value.map(Value::from),
        };
        RecordDraft {
            kind: "login".parse().unwrap(),
            title: String::new(),
            fields: vec![
                field(Some(FieldId(2)), "PIN", FieldType::Secret, None),
                field(None, "", FieldType::Text, Some("")),
            ],
            tags: vec!["x".to_owned()],
            notes: "n".to_owned(),
        }
    }

    /// Frozen: changing it changes the format.
    #[test]
    fn the_encoding_is_the_documented_one() {
        let expected = "a5\
            00 65 6c6f67696e\
            01 60\
            02 82 a3 00 02 01 02 02 63 50494e a3 01 01 02 60 03 60\
            03 81 61 78\
            04 61 6e"
            .replace(' ', "");
        assert_eq!(hex::encode(&*encode(&sample())), expected);
    }

    #[test]
    fn a_half_written_draft_reads_back() {
        assert_eq!(decode(&encode(&sample())).unwrap(), sample());
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

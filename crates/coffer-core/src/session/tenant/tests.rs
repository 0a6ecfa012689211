//! A tenant's two connections: which one reads.

use coffer_crypto::secret::SecretKey as _;
use coffer_model::id::RecordKey;
use coffer_model::record::{RecordContent, RecordDraft, RecordKind};
use coffer_model::time::Timestamp;

use super::*;

const FILE: Id = [6; 16];
const RECORD: RecordKey = RecordKey::from_bytes([5; 16]);

/// A tenant that was just opened, in a folder of its own.
fn opened(folder: &Path) -> OpenTenant {
    std::fs::create_dir(folder.join(TENANTS_FOLDER)).unwrap();
    let scope = tenant_scope(VaultId::from_bytes([1; 16]), TenantId::from_bytes([2; 16]), 1);
    let key = TenantKey::parse(&[3; 32]).unwrap();
    let identity =
        TenantIdentity { vault: VaultId::from_bytes([1; 16]), tenant: TenantId::from_bytes([2; 16]), epoch: 1 };
    let database_key = derive::derive_tenant_database_key(&key, &scope);
    TenantStore::create(&tenant_path(folder, &FILE), &database_key, identity).unwrap();
    OpenTenant::open(folder, &FILE, "ACME".to_owned(), scope, key).unwrap()
}

fn content() -> RecordContent {
    let draft = RecordDraft {
        kind: RecordKind::custom(),
        title: "gate".to_owned(),
        fields: Vec::new(),
        tags: Vec::new(),
        notes: String::new(),
    };
    RecordContent::parse(draft, None).unwrap()
}

fn title(open: &OpenTenant) -> Option<String> {
    open.read(|store| store.title(RECORD)).unwrap()
}

#[test]
fn a_read_waits_for_no_write_and_sees_nothing_of_one_under_way() {
    let folder = tempfile::tempdir().unwrap();
    let open = opened(folder.path());
    let mut writer = open.writer().unwrap();
    let mut write = writer.begin(Timestamp::UNIX_EPOCH, AccountId::from_bytes([4; 16])).unwrap();
    write.insert_record(RECORD, &content()).unwrap();
    assert_eq!(title(&open), None, "it is not committed");
    write.commit(0).unwrap();
    assert_eq!(title(&open).as_deref(), Some("gate"), "nor is the writer waited for");
    drop(writer);
    assert_eq!(title(&open).as_deref(), Some("gate"));
}

#[test]
fn what_was_written_is_read_by_the_connection_that_wrote_it() {
    let folder = tempfile::tempdir().unwrap();
    let open = opened(folder.path());
    let reads = || open.read(|store| Ok(std::ptr::from_ref(store))).unwrap();
    let before = reads();
    let writer = std::ptr::from_ref(&*open.writer().unwrap());
    assert_ne!(before, writer, "nothing was written yet");
    assert_eq!(reads(), writer);
}

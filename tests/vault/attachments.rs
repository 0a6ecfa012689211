//! Attachments: kept whole, shown in history, stored once for each tenant, left by no kill and no cancel.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use coffer_core::view::{AttachmentPreview, ChangeKind, FileState, RecordView};
use coffer_core::{
    AttachError, BackupIdentity, CallError, JobError, PreviewError, RestoreOptions, SaveAttachmentError, Session,
    start_restore,
};
use coffer_model::attachment::{AttachmentId, MediaKind};
use coffer_model::id::{RecordId, TenantId};
use coffer_tests::{Place, kept, login_draft, tenant};

const MIB: usize = 1024 * 1024;

/// Bytes that no two chunks share.
fn content(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| u8::try_from((at / 256 + at) % 256).unwrap()).collect()
}

fn attach(session: &Session, record: RecordId, path: &Path) -> RecordView {
    session.start_attach(record, path).unwrap().wait().unwrap()
}

fn write(place: &Place, name: &str, bytes: &[u8]) -> PathBuf {
    let path = place.path(name);
    fs::write(&path, bytes).unwrap();
    path
}

fn record(session: &Session, tenant: TenantId) -> RecordId {
    session.add_record(tenant, login_draft("Gate", "svc", "invented-1")).unwrap().id
}

fn save(session: &Session, record: RecordId, attachment: AttachmentId, to: &Path) -> Result<(), JobError> {
    session.start_save_attachment(record, attachment, to)?.wait().map(drop)
}

/// Every file below `files/` in a vault's folder.
fn stored(folder: &Path) -> BTreeSet<PathBuf> {
    let Ok(tenants) = fs::read_dir(folder.join("files")) else { return BTreeSet::new() };
    let files = tenants.flat_map(|tenant| fs::read_dir(tenant.unwrap().path()).unwrap());
    files.map(|file| file.unwrap().path()).collect()
}

#[test]
fn files_of_every_size_come_back_byte_for_byte_and_private() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let gate = record(&session, tenant(&session, "ACME GmbH").id);
    for (number, bytes) in [0, 1, 1_000, 65_535, 65_536, 65_537, 262_144, 262_145, 3 * MIB + 17].into_iter().enumerate()
    {
        let source = write(&place, &format!("{bytes}.bin"), &content(bytes));
        let view = attach(&session, gate, &source);
        assert_eq!((view.attachments.len(), view.version), (number + 1, u32::try_from(number).unwrap() + 2));
        let attached = view.attachments.last().unwrap();
        assert_eq!((attached.name.as_str(), attached.bytes), (format!("{bytes}.bin").as_str(), bytes as u64));
        let saved = place.path(&format!("{bytes}.saved"));
        save(&session, gate, attached.id, &saved).unwrap();
        assert!(fs::read(&saved).unwrap() == content(bytes), "{bytes} bytes");
        assert_eq!(fs::metadata(&saved).unwrap().permissions().mode() & 0o7777, 0o600);
    }
    // What is in the vault neither shows the content nor, for short ones, its length.
    let sizes: BTreeSet<u64> =
        stored(&place.vault_folder()).iter().map(|file| fs::metadata(file).unwrap().len()).collect();
    assert_eq!((stored(&place.vault_folder()).len(), sizes.len()), (9, 6));
    session.lock().unwrap();
    let session = place.unlock();
    let view = session.open_record(gate).unwrap();
    assert_eq!(view.attachments.iter().map(|attached| attached.id.0).collect::<Vec<_>>(), (1..=9).collect::<Vec<_>>());
    save(&session, gate, AttachmentId(9), &place.path("again")).unwrap();
    assert!(fs::read(place.path("again")).unwrap() == content(3 * MIB + 17));
}

#[test]
fn history_shows_what_was_attached_when_and_the_log_names_nothing() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let gate = record(&session, tenant(&session, "ACME GmbH").id);
    let first = attach(&session, gate, &write(&place, "canary-runbook.txt", b"first"));
    session.change_record(gate, first.version, kept(&first)).unwrap();
    let second = attach(&session, gate, &write(&place, "plan.txt", b"second"));
    assert_eq!(second.version, 4);
    let runbook = second.attachments[0].id;
    let detached = session.detach(gate, runbook).unwrap();
    assert_eq!((detached.version, detached.attachments.len()), (5, 1));
    assert_eq!(detached.fields.len(), 2, "the content is that of the version before");

    let told: Vec<_> = session
        .record_history(gate)
        .unwrap()
        .into_iter()
        .flat_map(|version| version.changes.into_iter().map(move |change| (version.version, change)))
        .map(|(version, change)| (version, change.what, change.how, change.before.or(change.after).unwrap()))
        .collect();
    let line = |version, how, name: &str| (version, "attachments".to_owned(), how, name.to_owned());
    assert_eq!(
        told,
        [
            line(5, ChangeKind::Removed, "canary-runbook.txt"),
            line(4, ChangeKind::Added, "plan.txt"),
            line(2, ChangeKind::Added, "canary-runbook.txt"),
        ]
    );
    // What earlier versions have can be saved and put back.
    save(&session, gate, runbook, &place.path("old")).unwrap();
    assert_eq!(fs::read(place.path("old")).unwrap(), b"first");
    let back = session.reattach(gate, runbook).unwrap();
    assert_eq!((back.attachments[1].name.as_str(), back.attachments[1].id), ("canary-runbook.txt", AttachmentId(3)));
    session.preview_attachment(gate, AttachmentId(3)).unwrap();

    let entries = session.log_page(None, 200).unwrap().entries;
    let of = |action: &str| {
        entries
            .iter()
            .filter(|entry| entry.action == action)
            .map(|entry| (entry.field.unwrap().0, entry.version))
            .collect::<Vec<_>>()
    };
    assert_eq!(of("attachment.added"), [(3, Some(6)), (2, Some(4)), (1, Some(2))]);
    assert_eq!(of("attachment.detached"), [(1, Some(5))]);
    assert_eq!(of("attachment.saved"), [(1, None)]);
    assert_eq!(of("attachment.previewed"), [(3, None)]);
    assert!(!format!("{entries:?}").contains("canary"));
    assert!(session.start_verify_log().unwrap().wait().unwrap().ok);
}

#[test]
fn one_content_is_stored_once_in_a_tenant_and_never_shared_with_another() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let (acme, bauer) = (tenant(&session, "ACME GmbH").id, tenant(&session, "Bauer").id);
    let (gate, other, elsewhere) = (record(&session, acme), record(&session, acme), record(&session, bauer));
    let one = write(&place, "one.bin", &content(100_000));
    let same = write(&place, "same.bin", &content(100_000));
    attach(&session, gate, &one);
    assert_eq!(stored(&place.vault_folder()).len(), 1);
    let view = attach(&session, gate, &same);
    attach(&session, other, &one);
    assert_eq!((stored(&place.vault_folder()).len(), view.attachments.len()), (1, 2));
    attach(&session, elsewhere, &one);
    let files = stored(&place.vault_folder());
    let folders: BTreeSet<_> = files.iter().map(|file| file.parent().unwrap()).collect();
    assert_eq!((files.len(), folders.len()), (2, 2));
    // Detached from one record, it is still the other's.
    session.detach(gate, AttachmentId(1)).unwrap();
    session.lock().unwrap();
    let session = place.unlock();
    save(&session, other, AttachmentId(1), &place.path("saved")).unwrap();
    assert!(fs::read(place.path("saved")).unwrap() == content(100_000));
    assert_eq!(stored(&place.vault_folder()), files);
}

#[test]
fn what_cannot_be_attached_or_saved_is_refused_by_name_and_leaves_nothing() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let gate = record(&session, acme);
    let plan = write(&place, "plan.txt", b"plan");
    attach(&session, gate, &plan);
    assert!(matches!(session.start_attach(gate, &plan), Err(AttachError::NameTaken)));
    assert!(matches!(session.start_attach(gate, &place.path("none")), Err(AttachError::File(_))));
    assert!(matches!(session.start_attach(gate, Path::new("/dev/null")), Err(AttachError::File(_))));
    fs::create_dir(place.path("folder")).unwrap();
    assert!(matches!(session.start_attach(gate, &place.path("folder")), Err(AttachError::File(_))));
    // A file that says it is empty and is not.
    let changed = session.start_attach(gate, Path::new("/proc/self/status")).unwrap().wait();
    assert!(matches!(changed, Err(JobError::Attach(AttachError::FileChanged))), "{changed:?}");
    let nobody = RecordId::new(TenantId::from_bytes([7; 16]), gate.key());
    assert!(matches!(session.start_attach(nobody, &plan), Err(AttachError::Call(CallError::NotFound))));

    let target = write(&place, "target", b"kept");
    let refused = session.start_save_attachment(gate, AttachmentId(1), &target);
    assert!(matches!(refused, Err(SaveAttachmentError::TargetExists)));
    assert_eq!(fs::read(&target).unwrap(), b"kept");
    let refused = save(&session, gate, AttachmentId(1), &place.path("none/target"));
    assert!(matches!(refused, Err(JobError::SaveAttachment(SaveAttachmentError::NoFolder))), "{refused:?}");
    for unknown in [AttachmentId(0), AttachmentId(2), AttachmentId(u16::MAX)] {
        let refused = session.start_save_attachment(gate, unknown, &place.path("new"));
        assert!(matches!(refused, Err(SaveAttachmentError::Call(CallError::NotFound))));
        assert!(matches!(session.detach(gate, unknown), Err(AttachError::Call(CallError::NotFound))));
        assert!(matches!(session.preview_attachment(gate, unknown), Err(PreviewError::Call(CallError::NotFound))));
    }
    let folder = stored(&place.vault_folder()).first().unwrap().parent().unwrap().to_owned();
    assert_eq!(fs::read_dir(folder).unwrap().count(), 1);
    assert_eq!(session.open_record(gate).unwrap().attachments.len(), 1);
}

#[test]
fn a_cancelled_or_locked_attach_leaves_nothing() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let gate = record(&session, tenant(&session, "ACME GmbH").id);
    let large = place.path("large.bin");
    fs::File::create(&large).unwrap().set_len(1 << 30).unwrap();
    let job = session.start_attach(gate, &large).unwrap();
    while job.progress().done == 0 {
        std::thread::yield_now();
    }
    job.cancel();
    assert!(matches!(job.wait(), Err(JobError::Cancelled)));
    assert!(stored(&place.vault_folder()).is_empty(), "{:?}", stored(&place.vault_folder()));
    let job = session.start_attach(gate, &large).unwrap();
    while job.progress().done == 0 {
        std::thread::yield_now();
    }
    session.lock().unwrap();
    assert!(matches!(job.wait(), Err(JobError::Locked)));
    let session = place.unlock();
    assert_eq!(session.open_record(gate).unwrap().version, 1);
    assert!(stored(&place.vault_folder()).is_empty());
}

#[test]
fn what_a_kill_left_is_swept_where_its_own_tenant_is_opened() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let (acme, bauer) = (tenant(&session, "ACME GmbH").id, tenant(&session, "Bauer").id);
    let (gate, elsewhere) = (record(&session, acme), record(&session, bauer));
    attach(&session, gate, &write(&place, "a.txt", b"a"));
    let first = stored(&place.vault_folder());
    attach(&session, elsewhere, &write(&place, "b.txt", b"b"));
    let needed = stored(&place.vault_folder());
    session.lock().unwrap();

    let folder_of = |file: &PathBuf| file.parent().unwrap().to_owned();
    let acmes = folder_of(first.first().unwrap());
    let bauers = needed.iter().map(folder_of).find(|folder| *folder != acmes).unwrap();
    for folder in [&acmes, &bauers] {
        fs::write(folder.join("00112233445566778899aabbccddeeff"), "orphan").unwrap();
        fs::write(folder.join(".coffer-x.tmp"), "half").unwrap();
    }
    let session = place.unlock();
    session.list_records(acme, 10, None).unwrap();
    let left = |folder: &Path| fs::read_dir(folder).unwrap().count();
    assert_eq!((left(&acmes), left(&bauers)), (1, 3));
    session.list_records(bauer, 10, None).unwrap();
    assert_eq!(stored(&place.vault_folder()), needed);
}

#[test]
fn backups_carry_attachments_and_a_restored_vault_opens_them() {
    let place = Place::new();
    let (session, kit) = place.create();
    let gate = record(&session, tenant(&session, "ACME GmbH").id);
    attach(&session, gate, &write(&place, "small.txt", b"small"));
    attach(&session, gate, &write(&place, "large.bin", &content(2 * MIB + 3)));
    session.start_backup(&place.path("unlocked.age")).wait().unwrap();
    session
        .start_restore(&place.path("unlocked.age"), &place.path("one.coffer"), RestoreOptions::default())
        .wait()
        .unwrap();
    session.lock().unwrap();
    place.vault().start_backup(&place.path("locked.age")).wait().unwrap();
    let text = kit.to_text();
    let kit = coffer_core::parse_recovery_kit(std::str::from_utf8(text.expose()).unwrap()).unwrap();
    let identity = BackupIdentity::RecoveryKit(kit);
    start_restore(
        &place.host,
        &place.path("locked.age"),
        identity,
        &place.path("two.coffer"),
        RestoreOptions::default(),
    )
    .wait()
    .unwrap();
    for name in ["one.coffer", "two.coffer"] {
        assert_eq!(stored(&place.path(name)).len(), 2);
        let session = place.unlock_at(&place.path(name));
        let saved = place.path(&format!("{name}.large"));
        save(&session, gate, AttachmentId(2), &saved).unwrap();
        assert!(fs::read(saved).unwrap() == content(2 * MIB + 3), "{name}");
        session.lock().unwrap();
    }
}

#[test]
fn a_check_of_the_files_finds_attachments_that_are_missing_or_another() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let gate = record(&session, tenant(&session, "ACME GmbH").id);
    attach(&session, gate, &write(&place, "a.txt", b"a"));
    attach(&session, gate, &write(&place, "b.txt", b"b"));
    session.lock().unwrap();
    let states = || {
        let session = place.unlock();
        let checks = session.start_check_files().unwrap().wait().unwrap();
        session.lock().unwrap();
        checks.into_iter().map(|check| check.state).collect::<Vec<_>>()
    };
    assert_eq!(states(), [FileState::Unchanged]);
    let files: Vec<_> = stored(&place.vault_folder()).into_iter().collect();
    let bytes = fs::read(&files[0]).unwrap();
    fs::remove_file(&files[0]).unwrap();
    assert_eq!(states(), [FileState::Altered]);
    fs::copy(&files[1], &files[0]).unwrap();
    assert_eq!(states(), [FileState::Altered]);
    fs::write(&files[0], &bytes[..bytes.len() - 1]).unwrap();
    assert_eq!(states(), [FileState::Altered]);
    fs::write(&files[0], &bytes).unwrap();
    assert_eq!(states(), [FileState::Unchanged]);
}

#[test]
fn text_is_shown_from_its_beginning_and_what_else_is_not() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let gate = record(&session, tenant(&session, "ACME GmbH").id);
    // The last character that is shown ends with the chunk; cut one byte earlier, it is left off.
    let long = format!("x{}", "漢".repeat(30_000));
    let view = attach(&session, gate, &write(&place, "long.txt", long.as_bytes()));
    match session.preview_attachment(gate, view.attachments[0].id).unwrap() {
        AttachmentPreview::Text { text, cut } => assert!(cut && long.starts_with(&text) && text.len() == 65_536),
        picture @ AttachmentPreview::Picture { .. } => panic!("{picture:?}"),
    }
    let view = attach(&session, gate, &write(&place, "doc.pdf", b"%PDF-1.7\n\xe2\xe3\xcf\xd3"));
    assert_eq!(view.attachments[1].media, MediaKind::Other);
    assert!(matches!(session.preview_attachment(gate, view.attachments[1].id), Err(PreviewError::NotShown)));
}

//! Attacks by way of attachments: files moved about, markup, names, bombs, links.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use coffer_core::view::AttachmentPreview;
use coffer_core::{CallError, Damage, Fault, JobError, PreviewError, SaveAttachmentError, Session};
use coffer_model::attachment::AttachmentId;
use coffer_model::id::RecordId;
use coffer_tests::{Place, login_draft, tenant};

const FIRST: AttachmentId = AttachmentId(1);

fn attach(place: &Place, session: &Session, record: RecordId, name: impl AsRef<Path>, content: &[u8]) -> AttachmentId {
    let folder = place.path("sources");
    let _ = fs::create_dir(&folder);
    let source = folder.join(name);
    fs::write(&source, content).unwrap();
    let view = session.start_attach(record, &source).unwrap().wait().unwrap();
    view.attachments.last().unwrap().id
}

fn record(session: &Session, tenant_name: &str) -> RecordId {
    let known = session.tenants().unwrap().into_iter().find(|known| known.name == tenant_name);
    let owner = known.map_or_else(|| tenant(session, tenant_name).id, |known| known.id);
    session.add_record(owner, login_draft("Gate", "svc", "invented-1")).unwrap().id
}

/// The files of attachments, the oldest first.
fn stored(place: &Place) -> Vec<PathBuf> {
    let tenants = fs::read_dir(place.vault_folder().join("files")).unwrap();
    let mut files: Vec<_> = tenants
        .flat_map(|tenant| fs::read_dir(tenant.unwrap().path()).unwrap())
        .map(|file| file.unwrap().path())
        .collect();
    files.sort_by_key(|file| fs::metadata(file).unwrap().modified().unwrap());
    files
}

fn is_damage(refused: &Result<coffer_core::view::AttachmentView, JobError>) -> bool {
    matches!(refused, Err(JobError::Call(CallError::Fault(Fault::Damaged(Damage::Attachment)))))
}

fn exchange(one: &Path, other: &Path) {
    let (first, second) = (fs::read(one).unwrap(), fs::read(other).unwrap());
    fs::write(one, second).unwrap();
    fs::write(other, first).unwrap();
}

/// Two of one tenant's files, a tenant's with another's, and a file put back that was changed: of none a byte gets out.
#[test]
fn attack_33_attachment_moved_between_tenants_records_and_files_is_refused_and_nothing_is_written() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let (gate, other, elsewhere) =
        (record(&session, "ACME GmbH"), record(&session, "ACME GmbH"), record(&session, "Bauer"));
    for (owner, content) in [(gate, b"of gate"), (other, b"of othr"), (elsewhere, b"of else")] {
        attach(&place, &session, owner, format!("{}.txt", owner.key()), content);
    }
    let files = stored(&place);
    let refused = |owner: RecordId| {
        let target = place.path("target");
        let saved = session.start_save_attachment(owner, FIRST, &target).unwrap().wait();
        assert!(is_damage(&saved), "{saved:?}");
        assert!(!target.exists());
        let shown = session.preview_attachment(owner, FIRST);
        let is_refused = matches!(shown, Err(PreviewError::Call(CallError::Fault(Fault::Damaged(Damage::Attachment)))));
        assert!(is_refused, "{shown:?}");
    };
    for (one, two, owners) in [(0, 1, [gate, other]), (0, 2, [gate, elsewhere])] {
        exchange(&files[one], &files[two]);
        owners.into_iter().for_each(refused);
        exchange(&files[one], &files[two]);
    }
    let whole = fs::read(&files[0]).unwrap();
    for at in [0, 20, 40, 151, 152, whole.len() - 1] {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        fs::write(&files[0], flipped).unwrap();
        refused(gate);
    }
    for cut in [0, 100, whole.len() - 1] {
        fs::write(&files[0], &whole[..cut]).unwrap();
        refused(gate);
    }
    fs::write(&files[0], &whole).unwrap();
    session.start_save_attachment(gate, FIRST, &place.path("target")).unwrap().wait().unwrap();
    // Left behind by no refusal.
    let names = fs::read_dir(place.path("")).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.into_iter().all(|name| !name.to_string_lossy().starts_with(".coffer-")));
}

#[test]
fn attack_46_svg_html_markdown_attachment_never_rendered() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let gate = record(&session, "ACME GmbH");
    for (name, markup) in [
        ("a.svg", "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(1)</script></svg>"),
        ("a.html", "<!doctype html><img src=x onerror=alert(1)><script>alert(1)</script>"),
        ("a.md", "# Title\n[x](javascript:alert(1)) <script>alert(1)</script>"),
        ("a.png", "<svg/onload=alert(1)>"),
        ("a.xml", "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>"),
    ] {
        let attachment = attach(&place, &session, gate, name, markup.as_bytes());
        match session.preview_attachment(gate, attachment).unwrap() {
            AttachmentPreview::Text { text, cut } => assert_eq!((text.as_str(), cut), (markup, false), "{name}"),
            picture @ AttachmentPreview::Picture { .. } => panic!("{name} became {picture:?}"),
        }
    }
    // A picture's file that is a page as well (a polyglot): of it come pixels, or nothing.
    let polyglot = [b"\x89PNG\r\n\x1a\n".as_slice(), b"<html><script>alert(1)</script>"].concat();
    let attachment = attach(&place, &session, gate, "polyglot.png", &polyglot);
    assert!(matches!(session.preview_attachment(gate, attachment), Err(PreviewError::NotShown)));
}

#[test]
fn attack_66_a_link_planted_where_an_attachment_is_saved_is_not_followed() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let gate = record(&session, "ACME GmbH");
    attach(&place, &session, gate, "plan.txt", b"plan");
    let (victim, target) = (place.path("victim"), place.path("target"));
    fs::write(&victim, "kept").unwrap();
    for to in [&victim, &place.path("nowhere")] {
        symlink(to, &target).unwrap();
        let refused = session.start_save_attachment(gate, FIRST, &target);
        assert!(matches!(refused, Err(SaveAttachmentError::TargetExists)));
        fs::remove_file(&target).unwrap();
    }
    // And one in the place of the vault's own file is not read through.
    let file = stored(&place).remove(0);
    fs::rename(&file, place.path("elsewhere")).unwrap();
    symlink(place.path("elsewhere"), &file).unwrap();
    let refused = session.start_save_attachment(gate, FIRST, &target).unwrap().wait();
    assert!(is_damage(&refused), "{refused:?}");
    assert_eq!(fs::read(&victim).unwrap(), b"kept");
    assert!(!target.exists() && !place.path("nowhere").exists());
}

#[test]
fn attack_67_attachment_names_never_become_names_on_disk() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let gate = record(&session, "ACME GmbH");
    let long = "x".repeat(255);
    let not_text = Path::new(std::ffi::OsStr::from_bytes(b"\xff\xfe.txt"));
    let names = ["CON", "nul.txt", "..\\..\\etc\\passwd", "a\nb\x1b[2J", "gpj.\u{202e}exe", "-rf", ".hidden", &long];
    for (number, name) in names.into_iter().map(Path::new).chain([not_text]).enumerate() {
        attach(&place, &session, gate, name, format!("content {number}").as_bytes());
    }
    let files = stored(&place);
    assert_eq!(files.len(), names.len() + 1);
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}");
    }
    for attachment in session.open_record(gate).unwrap().attachments {
        for name in [&attachment.name, &attachment.suggested_name] {
            assert!(!name.is_empty() && name.len() <= 255, "{name:?}");
            assert!(!name.contains(['/', '\\', '\n', '\x1b', '\u{202e}']), "{name:?}");
        }
        let suggested = attachment.suggested_name.to_lowercase();
        assert!(!suggested.starts_with(['.', '-']) && suggested != "con" && suggested != "nul.txt", "{suggested:?}");
        // Saved under the suggested name it stays in its folder.
        let target = place.path("saved").join(&attachment.suggested_name);
        let _ = fs::create_dir(place.path("saved"));
        session.start_save_attachment(gate, attachment.id, &target).unwrap().wait().unwrap();
        assert_eq!(target.parent().unwrap(), place.path("saved"));
    }
    assert_eq!(fs::read_dir(place.path("saved")).unwrap().count(), names.len() + 1);
}

#[test]
fn attack_68_pixel_bomb_is_refused_before_expansion() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let gate = record(&session, "ACME GmbH");
    // 60,000 × 60,000 pixels in the header of a PNG; its checksum is that of these bytes.
    let header = b"IHDR\x00\x00\xea\x60\x00\x00\xea\x60\x08\x06\x00\x00\x00";
    let crc = header.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { 0xEDB8_8320 ^ (crc >> 1) } else { crc >> 1 })
    });
    let bomb = [b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0d", &header[..], &(!crc).to_be_bytes()].concat();
    let bomb = attach(&place, &session, gate, "bomb.png", &bomb);
    let mut large = b"\xff\xd8\xff\xe0".to_vec();
    large.resize(33 * 1024 * 1024, 0);
    let large = attach(&place, &session, gate, "large.jpg", &large);
    for attachment in [bomb, large] {
        let began = Instant::now();
        let refused = session.preview_attachment(gate, attachment);
        assert!(matches!(refused, Err(PreviewError::TooLarge)), "{refused:?}");
        assert!(began.elapsed() < Duration::from_millis(200), "{:?}", began.elapsed());
    }
}

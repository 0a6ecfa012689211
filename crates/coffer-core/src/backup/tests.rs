//! Attacks on a backup's file, and what stock tools make of it.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use coffer_crypto::secret::{AgeIdentity, SecretKey, SigningSeed};
use coffer_crypto::sign::SigningKey;
use coffer_evidence::manifest::{BackupPath, Manifest, ManifestFile, ManifestHead};
use coffer_evidence::note::{Signer, write_note};
use coffer_model::id::VaultId;
use coffer_model::time::Timestamp;
use sha2::{Digest, Sha256};

use super::archive::{self, Content, Nowhere, SourceFile, Unverified};
use super::entry::{EntryHeader, Name, padding};
use super::{BackupError, restore};
use crate::job::{JobContext, JobError};

const TENANT: &str = "tenants/00112233445566778899aabbccddeeff.db";

fn vault() -> VaultId {
    VaultId::from_bytes([7; 16])
}

fn device() -> SigningKey {
    SigningKey::from_seed(&SigningSeed::parse(&[1; 32]).unwrap())
}

fn identity(seed: u8) -> AgeIdentity {
    AgeIdentity::parse(&[seed; 32]).unwrap()
}

fn head(counter: u64) -> ManifestHead {
    ManifestHead {
        vault: vault(),
        counter,
        made_at: Timestamp::from_unix_millis(1_767_225_600_007).unwrap(),
        chain_length: 3,
        chain_head: [2; 32],
        log_size: 9,
        log_root: [3; 32],
    }
}

/// Names in the order of an archive, and contents: empty, odd, a whole block, larger than a buffer.
fn contents() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("audit.db", vec![1; 512]),
        ("audit.db-wal", vec![2; 77]),
        ("backup.plan", vec![]),
        ("directory.db", (0..=255).cycle().take(300_001).collect()),
        ("header", b"header".to_vec()),
        (TENANT, (0..=250).cycle().take(1_000_000).collect()),
    ]
}

fn sources(folder: &Path) -> Vec<SourceFile> {
    fs::create_dir(folder.join("tenants")).unwrap();
    contents()
        .into_iter()
        .map(|(path, bytes)| {
            fs::write(folder.join(path), &bytes).unwrap();
            let size = bytes.len() as u64;
            let content = match path {
                "directory.db" => Content::Memory(bytes),
                _ => Content::File(File::open(folder.join(path)).unwrap()),
            };
            SourceFile { path: BackupPath::parse(path).unwrap(), content, size }
        })
        .collect()
}

/// A place with a good backup in it.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("vault")).unwrap();
        let sources = sources(&folder.path().join("vault"));
        let out = File::create(folder.path().join("backup.age")).unwrap();
        let recipients = [identity(8).recipient().encode(), identity(9).recipient().encode()];
        archive::write(out, &recipients, head(5), &sources, &device(), &JobContext::detached()).unwrap();
        Self { folder }
    }

    fn backup(&self) -> PathBuf {
        self.folder.path().join("backup.age")
    }

    /// Nothing but what was there before is in the place.
    fn assert_untouched(&self) {
        let mut names: Vec<_> = fs::read_dir(self.folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["backup.age", "vault"]);
    }
}

fn read(path: &Path) -> Result<Unverified, JobError> {
    archive::read(&File::open(path).unwrap(), &[&identity(9)], &mut Nowhere, &JobContext::detached())
}

/// Restores as this device would: it knows the device key `device()`.
fn restore_here(place: &Place) -> Result<(), JobError> {
    let target = place.folder.path().join("restored");
    let devices = [device().verifying_key()];
    let judge = |read: &Unverified| read.authenticate(&devices).map(drop).map_err(JobError::from);
    restore::restore(&place.backup(), &[&identity(9)], &target, judge, |_, _| Ok(()), &JobContext::detached())?;
    Ok(())
}

fn encrypt(plain: &[u8], to: &AgeIdentity) -> Vec<u8> {
    let recipient: age::x25519::Recipient = to.recipient().encode().parse().unwrap();
    age::encrypt(&recipient, plain).unwrap()
}

/// An archive put together by hand: entries, then whatever end.
#[derive(Default)]
struct Crafted {
    bytes: Vec<u8>,
    files: Vec<ManifestFile>,
}

const SECONDS: u64 = 1_767_225_600;

impl Crafted {
    fn file(mut self, path: &str, data: &[u8]) -> Self {
        let path = BackupPath::parse(path).unwrap();
        let header = EntryHeader { name: Name::File(path.clone()), size: data.len() as u64, seconds: SECONDS };
        self.raw(&header.encode(), data);
        self.files.push(ManifestFile { path, size: data.len() as u64, sha256: Sha256::digest(data).into() });
        self
    }

    fn raw(&mut self, header: &[u8], data: &[u8]) {
        self.bytes.extend_from_slice(header);
        self.bytes.extend_from_slice(data);
        self.bytes.resize(self.bytes.len() + padding(data.len() as u64), 0);
    }

    fn end(mut self, manifest: &Manifest, key: &SigningKey) -> Vec<u8> {
        let signer = Signer::device(manifest.head.vault, &key.verifying_key().encode()).unwrap();
        let note = write_note(&manifest.encode(), &signer, |text| key.sign_note(text)).unwrap();
        let header = EntryHeader { name: Name::Manifest, size: note.len() as u64, seconds: SECONDS };
        self.raw(&header.encode(), note.as_bytes());
        self.bytes.resize(self.bytes.len() + 1024, 0);
        self.bytes
    }

    fn signed_by(self, key: &SigningKey) -> Vec<u8> {
        let manifest = Manifest::new(head(5), self.files.clone()).unwrap();
        self.end(&manifest, key)
    }

    fn whole() -> Self {
        Self::default().file("audit.db", b"a").file("directory.db", b"d").file("header", b"h")
    }
}

fn read_crafted(plain: &[u8]) -> Result<Unverified, JobError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crafted.age");
    fs::write(&path, encrypt(plain, &identity(9))).unwrap();
    read(&path)
}

fn is_damaged<T>(result: &Result<T, JobError>) -> bool {
    matches!(result, Err(JobError::Backup(BackupError::Damaged)))
}

#[test]
fn a_backup_reads_back_with_either_identity_and_no_other() {
    let place = Place::new();
    let file = File::open(place.backup()).unwrap();
    for seed in [8, 9] {
        let read = archive::read(&file, &[&identity(seed)], &mut Nowhere, &JobContext::detached()).unwrap();
        let manifest = read.authenticate(&[device().verifying_key()]).unwrap();
        assert_eq!(manifest.head, head(5));
        let sizes: Vec<_> = manifest.files().iter().map(|file| (file.path.as_str(), file.size)).collect();
        let expected: Vec<_> = contents().into_iter().map(|(path, bytes)| (path, bytes.len() as u64)).collect();
        assert_eq!(sizes, expected);
    }
    let other = archive::read(&file, &[&identity(10)], &mut Nowhere, &JobContext::detached());
    assert!(matches!(other, Err(JobError::Backup(BackupError::WrongKey))));
}

#[test]
fn stock_age_and_tar_open_a_backup() {
    let place = Place::new();
    let out = place.folder.path().join("by-hand");
    fs::create_dir(&out).unwrap();
    let key = place.folder.path().join("identity.txt");
    fs::write(&key, identity(8).encode().expose()).unwrap();
    let Ok(mut age) =
        Command::new("age").arg("-d").arg("-i").arg(&key).arg(place.backup()).stdout(Stdio::piped()).spawn()
    else {
        eprintln!("skipped: no `age` on this machine");
        return;
    };
    let tar = Command::new("tar").arg("-x").arg("-C").arg(&out).stdin(age.stdout.take().unwrap()).output().unwrap();
    assert!(age.wait().unwrap().success());
    assert!(tar.status.success() && tar.stderr.is_empty(), "{}", String::from_utf8_lossy(&tar.stderr));
    for (path, bytes) in contents() {
        assert!(fs::read(out.join(path)).unwrap() == bytes, "{path}");
    }
    assert!(fs::read_to_string(out.join("MANIFEST")).unwrap().starts_with("coffer.backup/v1\n"));
}

#[test]
fn a_backup_restores_byte_for_byte_and_privately() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    restore_here(&place).unwrap();
    let restored = place.folder.path().join("restored");
    for (path, bytes) in contents() {
        assert!(fs::read(restored.join(path)).unwrap() == bytes, "{path}");
        assert_eq!(fs::metadata(restored.join(path)).unwrap().permissions().mode() & 0o777, 0o600);
    }
    for folder in [restored.clone(), restored.join("tenants")] {
        assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
    }
    assert_eq!(fs::read_dir(&restored).unwrap().count(), 6, "nothing but the files and the folder of tenants");
    assert!(matches!(restore_here(&place), Err(JobError::Backup(BackupError::TargetExists))));
}

#[test]
fn attack_61_any_flipped_bit_is_refused_and_nothing_is_written() {
    let place = Place::new();
    let good = fs::read(place.backup()).unwrap();
    // Close together in the header and at the end; between them in steps that are no divisor of age's chunk.
    let places = (0..600).step_by(5).chain((600..good.len()).step_by(99_991)).chain(good.len() - 18..good.len());
    for at in places {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        fs::write(place.backup(), &bad).unwrap();
        assert!(matches!(restore_here(&place), Err(JobError::Backup(_))), "byte {at}");
        place.assert_untouched();
    }
}

#[test]
fn attack_61_a_backup_cut_anywhere_is_refused_and_nothing_is_written() {
    let place = Place::new();
    let good = fs::read(place.backup()).unwrap();
    let chunk = 64 * 1024 + 16;
    let header = good.len() % chunk;
    for length in [0, 1, 21, 22, 100, 400, good.len() / 2, good.len() - chunk, header + chunk, good.len() - 1] {
        fs::write(place.backup(), &good[..length]).unwrap();
        assert!(matches!(restore_here(&place), Err(JobError::Backup(_))), "{length} bytes");
        place.assert_untouched();
    }
    let mut longer = good;
    longer.push(0);
    fs::write(place.backup(), &longer).unwrap();
    assert!(matches!(restore_here(&place), Err(JobError::Backup(_))));
    place.assert_untouched();
}

#[test]
fn attack_62_a_backup_crafted_to_the_public_recipient_is_refused() {
    let place = Place::new();
    let attacker = SigningKey::from_seed(&SigningSeed::parse(&[66; 32]).unwrap());
    fs::write(place.backup(), encrypt(&Crafted::whole().signed_by(&attacker), &identity(9))).unwrap();
    assert!(matches!(restore_here(&place), Err(JobError::Backup(BackupError::Untrusted))));
    place.assert_untouched();
    // The same, signed by the device, is good: it is the signature that makes the difference.
    fs::write(place.backup(), encrypt(&Crafted::whole().signed_by(&device()), &identity(9))).unwrap();
    restore_here(&place).unwrap();
}

#[test]
fn attack_62_a_manifest_without_signature_is_no_manifest() {
    let mut crafted = Crafted::whole();
    let text = Manifest::new(head(5), crafted.files.clone()).unwrap().encode();
    let header = EntryHeader { name: Name::Manifest, size: text.len() as u64, seconds: SECONDS };
    crafted.raw(&header.encode(), text.as_bytes());
    crafted.bytes.resize(crafted.bytes.len() + 1024, 0);
    assert!(is_damaged(&read_crafted(&crafted.bytes)));
}

#[test]
fn attack_65_entries_twice_out_of_order_or_unlisted_are_refused() {
    let device = device();
    assert!(read_crafted(&Crafted::whole().signed_by(&device)).is_ok(), "the test's own archive is good");
    let manifest = Manifest::new(head(5), Crafted::whole().files).unwrap();
    let twice = Crafted::default().file("audit.db", b"a").file("audit.db", b"a").file("directory.db", b"d");
    let unordered = Crafted::default().file("directory.db", b"d").file("audit.db", b"a").file("header", b"h");
    let extra = Crafted::whole().file(TENANT, b"x");
    let missing = Crafted::default().file("audit.db", b"a").file("header", b"h");
    let other = Crafted::default().file("audit.db", b"A").file("directory.db", b"d").file("header", b"h");
    let longer = Crafted::default().file("audit.db", b"aa").file("directory.db", b"d").file("header", b"h");
    for crafted in [twice.file("header", b"h"), unordered, extra, missing, other, longer] {
        assert!(is_damaged(&read_crafted(&crafted.end(&manifest, &device))));
    }
}

#[test]
fn attack_65_links_and_foreign_names_are_refused() {
    for (kind, name) in [
        (tar::EntryType::Symlink, "header"),
        (tar::EntryType::Link, "header"),
        (tar::EntryType::Char, "header"),
        (tar::EntryType::Directory, "tenants"),
        (tar::EntryType::Regular, "log.state"),
        (tar::EntryType::Regular, "tenants/x"),
    ] {
        let mut header = tar::Header::new_ustar();
        header.set_path(name).unwrap();
        header.set_link_name("/etc/passwd").unwrap();
        header.set_entry_type(kind);
        header.set_mode(0o600);
        header.set_mtime(SECONDS);
        header.set_size(0);
        header.set_cksum();
        let mut crafted = Crafted::default();
        crafted.raw(header.as_bytes(), b"");
        assert!(is_damaged(&read_crafted(&crafted.signed_by_whole())), "{kind:?} {name}");
    }
}

impl Crafted {
    /// Goes on as a good archive would.
    fn signed_by_whole(self) -> Vec<u8> {
        let mut bytes = self.bytes;
        bytes.extend(Crafted::whole().signed_by(&device()));
        bytes
    }
}

#[test]
fn bytes_behind_the_end_or_in_the_padding_are_refused() {
    let good = Crafted::whole().signed_by(&device());
    let mut longer = good.clone();
    longer.extend([0; 512]);
    assert!(is_damaged(&read_crafted(&longer)));
    let mut padded = good.clone();
    padded[512 + 1] = 1;
    assert!(is_damaged(&read_crafted(&padded)));
    assert!(is_damaged(&read_crafted(&good[..good.len() - 1])));
    assert!(is_damaged(&read_crafted(&[])));
}

#[test]
fn a_declared_size_beyond_the_file_is_refused_without_allocating_it() {
    let header = EntryHeader { name: Name::Manifest, size: 1 << 40, seconds: 0 };
    assert!(is_damaged(&read_crafted(&header.encode())));
    let header =
        EntryHeader { name: Name::File(BackupPath::parse("audit.db").unwrap()), size: 1 << 40, seconds: SECONDS };
    assert!(is_damaged(&read_crafted(&header.encode())));
}

#[test]
fn other_files_and_endless_headers_are_no_backup() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    let mut endless = b"age-encryption.org/v1\n".to_vec();
    endless.extend(b"-> X25519 ".repeat(100_000));
    for bytes in [&b""[..], b"PK\x03\x04", &endless, b"age-encryption.org/v2\n--- x"] {
        fs::write(&path, bytes).unwrap();
        assert!(matches!(read(&path), Err(JobError::Backup(BackupError::NotABackup))));
    }
}

#[test]
fn a_passphrase_recipient_is_not_tried() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    let mut out = Vec::new();
    let mut recipient = age::scrypt::Recipient::new(age::secrecy::SecretString::from("pw".to_owned()));
    recipient.set_work_factor(2);
    let mut writer =
        age::Encryptor::with_recipients(std::iter::once(&recipient as _)).unwrap().wrap_output(&mut out).unwrap();
    writer.write_all(b"x").unwrap();
    writer.finish().unwrap();
    fs::write(&path, out).unwrap();
    assert!(matches!(read(&path), Err(JobError::Backup(BackupError::WrongKey))));
}

#[test]
fn a_source_that_shrinks_while_it_is_copied_gives_no_backup() {
    let folder = tempfile::tempdir().unwrap();
    let mut sources = sources(folder.path());
    sources[0].size += 1;
    let written = archive::write(
        Vec::new(),
        &[identity(9).recipient().encode()],
        head(1),
        &sources,
        &device(),
        &JobContext::detached(),
    );
    assert!(written.is_err());
}

#[test]
fn a_cancelled_backup_or_restore_stops_and_leaves_nothing() {
    let place = Place::new();
    let context = JobContext::detached();
    context.cancel();
    let file = File::open(place.backup()).unwrap();
    let read = archive::read(&file, &[&identity(9)], &mut Nowhere, &context);
    assert!(matches!(read, Err(JobError::Cancelled)));
    let target = place.folder.path().join("restored");
    let restored = restore::restore(&place.backup(), &[&identity(9)], &target, |_| Ok(()), |_, _| Ok(()), &context);
    assert!(matches!(restored, Err(JobError::Cancelled)));
    place.assert_untouched();
}

#[test]
fn a_refusal_after_unpacking_leaves_nothing() {
    let place = Place::new();
    let target = place.folder.path().join("restored");
    let mut seen = false;
    let inside = |folder: &Path, _: &Unverified| {
        seen = folder.join(TENANT).exists() && !target.exists();
        Err(BackupError::Untrusted.into())
    };
    let restored =
        restore::restore(&place.backup(), &[&identity(9)], &target, |_| Ok(()), inside, &JobContext::detached());
    assert!(matches!(restored, Err(JobError::Backup(BackupError::Untrusted))));
    assert!(seen, "the check runs on the unpacked files, before they are in place");
    place.assert_untouched();
}

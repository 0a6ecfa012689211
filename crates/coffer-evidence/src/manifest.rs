//! The manifest of a backup: every file it consists of, of which vault, at which point of its chain and log.
//! Layout: docs/FORMAT.md §7; a signed note ([`crate::note`]) whose text this is. Pure.
//!
//! The evolving MAC key (`log.state`) is in no backup: whoever got hold of one could go on writing the log it is of.

use coffer_model::id::VaultId;
use coffer_model::time::Timestamp;

use crate::merkle;
use crate::note::{NoteError, SignedNote, Signer, parse_decimal};

/// First line: what this is, in which version.
const HEAD: &str = "coffer.backup/v1";
/// Most files of a backup: attachments, tenants with their write-ahead logs, and room.
pub const MAX_FILES: usize = 20_000;
/// Lengths of the random part of a tenant file's name.
const TENANT_NAME_CHARS: std::ops::RangeInclusive<usize> = 16..=64;

/// Length of an attachment's name, and of the name of the folder it lies in.
const ATTACHMENT_NAME_CHARS: usize = 32;

/// The place of a file in a vault's folder. Only files a backup may hold have one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BackupPath(String);

/// The text is no place of a file that a backup may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a file of a backup")]
pub struct InvalidPath;

impl BackupPath {
    /// The header's place.
    pub const HEADER: &'static str = "header";
    /// The directory's place.
    pub const DIRECTORY: &'static str = "directory.db";
    /// The log's place.
    pub const AUDIT: &'static str = "audit.db";
    /// The backup plan's place.
    pub const BACKUP_PLAN: &'static str = "backup.plan";

    /// Accepts the names a vault's folder can have, and no others: so nothing absolute, no `..`, no link, no `log.state`.
    pub fn parse(path: &str) -> Result<Self, InvalidPath> {
        let main = path.strip_suffix("-wal").unwrap_or(path);
        let database = main == Self::DIRECTORY || main == Self::AUDIT || is_tenant_file(main);
        let plain = main == path && (path == Self::HEADER || path == Self::BACKUP_PLAN || is_attachment(path));
        if database || plain { Ok(Self(path.to_owned())) } else { Err(InvalidPath) }
    }

    /// The path, relative to the vault's folder, with `/` between its parts.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_tenant_file(path: &str) -> bool {
    let name = path.strip_prefix("tenants/").and_then(|rest| rest.strip_suffix(".db"));
    name.is_some_and(|name| {
        TENANT_NAME_CHARS.contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    })
}

fn is_attachment(path: &str) -> bool {
    let names = path.strip_prefix("files/").and_then(|rest| rest.split_once('/'));
    let is_hex = |name: &str| {
        name.len() == ATTACHMENT_NAME_CHARS && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    names.is_some_and(|(tenant, file)| is_hex(tenant) && is_hex(file))
}

/// One file of a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestFile {
    /// Its place.
    pub path: BackupPath,
    /// Its length in bytes.
    pub size: u64,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
}

/// Why something is no manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// It is not written as a manifest is.
    #[error("not a backup manifest")]
    Malformed,
    /// A file that every vault has is missing, a path occurs twice, or there are too many.
    #[error("the backup manifest does not describe a vault")]
    Files,
    /// Signature or form of the note.
    #[error(transparent)]
    Note(#[from] NoteError),
}

/// What a backup says about itself, besides its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ManifestHead {
    /// The vault it is of.
    pub vault: VaultId,
    /// Its number in that vault, counted from 1.
    pub counter: u64,
    /// When it was made.
    pub made_at: Timestamp,
    /// How many statements the membership chain had.
    pub chain_length: u64,
    /// Hash of its last statement.
    pub chain_head: [u8; 32],
    /// How many entries the log had.
    pub log_size: u64,
    /// Root of the log's tree at that size.
    pub log_root: merkle::Hash,
}

/// What a backup says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Of what it is, and when it was made.
    pub head: ManifestHead,
    /// In ascending order of their paths.
    files: Vec<ManifestFile>,
}

impl Manifest {
    /// Puts a manifest together; sorts the files.
    pub fn new(head: ManifestHead, mut files: Vec<ManifestFile>) -> Result<Self, ManifestError> {
        files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        let manifest = Self { head, files };
        manifest.check_files()?;
        Ok(manifest)
    }

    /// Its files, in ascending order of their paths.
    pub fn files(&self) -> &[ManifestFile] {
        &self.files
    }

    /// Bytes of all files.
    pub fn total_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).fold(0, u64::saturating_add)
    }

    fn check_files(&self) -> Result<(), ManifestError> {
        let has = |path: &str| self.files.iter().any(|file| file.path.as_str() == path);
        let ascending = self.files.is_sorted_by(|a, b| a.path < b.path);
        let complete = [BackupPath::HEADER, BackupPath::DIRECTORY, BackupPath::AUDIT].into_iter().all(has);
        // A write-ahead log alone would be applied to whatever file stands beside it.
        let paired = self.files.iter().all(|file| file.path.as_str().strip_suffix("-wal").is_none_or(has));
        if ascending && complete && paired && self.files.len() <= MAX_FILES {
            Ok(())
        } else {
            Err(ManifestError::Files)
        }
    }

    /// The text of its note.
    pub fn encode(&self) -> String {
        let mut text = format!(
            "{HEAD}\nvault {}\ncounter {}\ntime {}\nchain {} {}\nlog {} {}\n",
            self.head.vault,
            self.head.counter,
            self.head.made_at,
            self.head.chain_length,
            hex::encode(self.head.chain_head),
            self.head.log_size,
            hex::encode(self.head.log_root),
        );
        for file in &self.files {
            text.extend([&hex::encode(file.sha256), " ", &file.size.to_string(), " ", file.path.as_str(), "\n"]);
        }
        text
    }

    /// Parses the text of a note; refuses any text but the one [`Manifest::encode`] writes for it.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let mut lines = text.strip_suffix('\n').ok_or(ManifestError::Malformed)?.split('\n');
        if lines.next() != Some(HEAD) {
            return Err(ManifestError::Malformed);
        }
        let mut value = |name: &str| {
            lines.next().and_then(|line| line.strip_prefix(name)?.strip_prefix(' ')).ok_or(ManifestError::Malformed)
        };
        let malformed = ManifestError::Malformed;
        let vault = value("vault")?.parse().map_err(|_| malformed)?;
        let counter = parse_decimal(value("counter")?).ok_or(malformed)?;
        let made_at = value("time")?.parse().map_err(|_| malformed)?;
        let (chain_length, chain_head) = number_and_hash(value("chain")?).ok_or(malformed)?;
        let (log_size, log_root) = number_and_hash(value("log")?).ok_or(malformed)?;
        let files = lines.take(MAX_FILES + 1).map(parse_file).collect::<Option<Vec<_>>>().ok_or(malformed)?;
        let head = ManifestHead { vault, counter, made_at, chain_length, chain_head, log_size, log_root };
        let manifest = Self { head, files };
        manifest.check_files()?;
        // Letter case of hashes, other spellings of the time: one manifest has one text.
        if manifest.encode() == text { Ok(manifest) } else { Err(malformed) }
    }

    /// Parses a whole note, its signatures against `known`.
    pub fn open(note: &str, known: &[Signer]) -> Result<Self, ManifestError> {
        Self::parse(SignedNote::parse(note)?.verify(known)?)
    }
}

fn hash(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

fn number_and_hash(text: &str) -> Option<(u64, [u8; 32])> {
    let (number, rest) = text.split_once(' ')?;
    Some((parse_decimal(number)?, hash(rest)?))
}

fn parse_file(line: &str) -> Option<ManifestFile> {
    let (sha256, rest) = line.split_once(' ')?;
    let (size, path) = rest.split_once(' ')?;
    Some(ManifestFile { path: BackupPath::parse(path).ok()?, size: parse_decimal(size)?, sha256: hash(sha256)? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::note::tests::{signer, write};

    const TENANT: &str = "tenants/0123456789abcdef0123456789.db";
    const ATTACHMENT: &str = "files/0123456789abcdef0123456789abcdef/00112233445566778899aabbccddeeff";

    fn file(path: &str) -> ManifestFile {
        ManifestFile { path: BackupPath::parse(path).unwrap(), size: 4096, sha256: [0xab; 32] }
    }

    fn head() -> ManifestHead {
        ManifestHead {
            vault: VaultId::from_bytes([1; 16]),
            counter: 3,
            made_at: Timestamp::from_unix_millis(1_795_305_600_007).unwrap(),
            chain_length: 5,
            chain_head: [2; 32],
            log_size: 1700,
            log_root: [3; 32],
        }
    }

    fn manifest() -> Manifest {
        let files = [TENANT, "header", "directory.db", "audit.db-wal", "audit.db", "backup.plan"];
        Manifest::new(head(), files.into_iter().map(file).collect()).unwrap()
    }

    #[test]
    fn the_text_is_as_documented_and_reads_back() {
        let text = manifest().encode();
        let vault = VaultId::from_bytes([1; 16]);
        let (two, three, ab) = ("02".repeat(32), "03".repeat(32), "ab".repeat(32));
        let expected = format!(
            "coffer.backup/v1\nvault {vault}\ncounter 3\ntime 2026-11-22T00:00:00.007Z\n\
             chain 5 {two}\nlog 1700 {three}\n{ab} 4096 audit.db\n{ab} 4096 audit.db-wal\n{ab} 4096 backup.plan\n\
             {ab} 4096 directory.db\n{ab} 4096 header\n{ab} 4096 {TENANT}\n"
        );
        assert_eq!(text, expected);
        assert_eq!(Manifest::parse(&text), Ok(manifest()));
        assert_eq!(Manifest::open(&write(&text, 1), &[signer(1)]), Ok(manifest()));
        assert_eq!(Manifest::open(&write(&text, 2), &[signer(1)]), Err(NoteError::UnknownSigner.into()));
    }

    #[test]
    fn attack_65_only_the_files_of_a_vault_have_a_path() {
        let databases = ["directory.db", "directory.db-wal", "audit.db", "audit.db-wal", TENANT];
        for good in databases.into_iter().chain(["header", "backup.plan", ATTACHMENT]) {
            assert_eq!(BackupPath::parse(good).unwrap().as_str(), good);
        }
        assert!(BackupPath::parse(&format!("{TENANT}-wal")).is_ok());
        for bad in [
            "",
            ".",
            "..",
            "/",
            "/etc/passwd",
            "../header",
            "./header",
            "header/",
            "header-wal",
            "backup.plan-wal",
            "log.state",
            "lock",
            "audit.lock",
            "directory.db-shm",
            "directory.db-wal-wal",
            "HEADER",
            "audit.db\0",
            "audit.db\n",
            "tenants/",
            "tenants/.db",
            "tenants/short.db",
            "tenants/../../../0123456789abcdef.db",
            "tenants/0123456789abcdef/0123456789abcdef.db",
            "tenants\\0123456789abcdef0123.db",
            "tenants/0123456789ABCDEF.db",
            "tenants/0123456789abcdef.db-shm",
            "tenants//0123456789abcdef.db",
            "tenants/0123456789abcdéf.db",
            "C:/0123456789abcdef.db",
            "files",
            "files/",
            "files/0123456789abcdef0123456789abcdef",
            "files/0123456789abcdef0123456789abcdef/",
            "files/0123456789abcdef0123456789abcdef/short",
            "files/0123456789abcdef0123456789abcdef/../00112233445566778899aabbccd",
            "files/../00112233445566778899aabbccddeeff",
            "files//00112233445566778899aabbccddeeff",
            "files/0123456789abcdef0123456789abcdef/00112233445566778899AABBCCDDEEFF",
            "files/0123456789abcdef0123456789abcdef/00112233445566778899aabbccddeeff-wal",
            "files/0123456789abcdef0123456789abcdef/00112233445566778899aabbccddeefg",
            "files/0123456789abcdef0123456789abcdef/0011/2233445566778899aabbccddeeff",
            "tenants/0123456789abcdef0123456789abcdef/00112233445566778899aabbccddeeff",
        ] {
            assert_eq!(BackupPath::parse(bad), Err(InvalidPath), "{bad:?}");
        }
        let long = format!("tenants/{}.db", "a".repeat(65));
        assert_eq!(BackupPath::parse(&long), Err(InvalidPath));
    }

    #[test]
    fn a_manifest_of_the_most_files_with_the_longest_paths_can_be_signed_and_read() {
        let attached = (0..MAX_FILES - 3).map(|number| format!("files/{}/{number:032x}", "f".repeat(32)));
        let names = ["header", "directory.db", "audit.db"].map(str::to_owned).into_iter().chain(attached);
        let files = names.map(|path| ManifestFile { size: 1 << 47, ..file(&path) }).collect();
        let manifest = Manifest::new(head(), files).unwrap();
        assert_eq!(Manifest::open(&write(&manifest.encode(), 1), &[signer(1)]), Ok(manifest));
    }

    #[test]
    fn a_set_of_files_that_is_no_vault_is_refused() {
        let of = |paths: &[&str]| Manifest::new(head(), paths.iter().copied().map(file).collect());
        assert!(of(&["header", "directory.db", "audit.db"]).is_ok());
        assert_eq!(of(&["header", "directory.db"]), Err(ManifestError::Files));
        assert_eq!(of(&["header", "directory.db", "audit.db", "audit.db"]), Err(ManifestError::Files));
        let wal = format!("{TENANT}-wal");
        assert_eq!(of(&["header", "directory.db", "audit.db", &wal]), Err(ManifestError::Files));
    }

    #[test]
    fn other_spellings_are_refused() {
        let text = manifest().encode();
        let mut unsorted: Vec<&str> = text.lines().collect();
        unsorted.swap(6, 7);
        for bad in [
            text.replace("ab 4096", "AB 4096"),
            text.replace("counter 3", "counter 03"),
            text.replace("counter 3", "counter  3"),
            text.replace("00.007Z", "00.007+00:00"),
            text.replace("backup/v1", "backup/v2"),
            text.replace(" header", " /header"),
            text.replace("chain 5", "chain 5 5"),
            format!("{text}\n"),
            text.replace("vault", "Vault"),
            text.trim_end().to_owned(),
        ] {
            assert_eq!(Manifest::parse(&bad), Err(ManifestError::Malformed), "{bad}");
        }
        assert_eq!(Manifest::parse(&(unsorted.join("\n") + "\n")), Err(ManifestError::Files));
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_is_the_only_text(at: prop::sample::Index, with in any::<char>()) {
            let mut text: Vec<char> = manifest().encode().chars().collect();
            let at = at.index(text.len());
            text[at] = with;
            let text: String = text.into_iter().collect();
            if let Ok(parsed) = Manifest::parse(&text) {
                prop_assert_eq!(parsed.encode(), text);
            }
        }

        #[test]
        fn an_accepted_path_stays_inside_the_folder(path in "[a-z0-9./\\\\-]{0,48}") {
            if let Ok(path) = BackupPath::parse(&path) {
                let parts = std::path::Path::new(path.as_str()).components();
                prop_assert!(parts.into_iter().all(|part| matches!(part, std::path::Component::Normal(_))));
            }
        }
    }
}

//! One entry of a backup's tar archive: the single header it may have, and the padding behind it.
//! Spec: POSIX.1-1988 ustar; sizes of 8 GiB and more in GNU's base-256 form. Layout: docs/FORMAT.md, "Backups". Pure.
//!
//! Everything but name, size and time is fixed, so a header is checked by making it again: no link, device, owner,
//! mode, prefix or extension can differ from ours and be accepted.

use coffer_evidence::manifest::BackupPath;
use coffer_model::time::Timestamp;
use tar::{EntryType, Header};

/// Bytes of a tar block; headers, data and the end are whole numbers of them.
pub(super) const BLOCK_BYTES: usize = 512;
/// Blocks of zeros that end an archive.
pub(super) const END_BLOCKS: usize = 2;
/// Name of the entry that holds the manifest.
const MANIFEST: &str = "MANIFEST";
/// Mode of every file once it is unpacked by other tools.
const MODE: u32 = 0o600;

/// A header block.
pub(super) type Block = [u8; BLOCK_BYTES];

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Name {
    /// A file of the vault.
    File(BackupPath),
    /// The signed manifest; the last entry.
    Manifest,
}

impl Name {
    fn as_str(&self) -> &str {
        match self {
            Self::File(path) => path.as_str(),
            Self::Manifest => MANIFEST,
        }
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        if text == MANIFEST { Some(Self::Manifest) } else { BackupPath::parse(text).ok().map(Self::File) }
    }
}

/// An entry's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EntryHeader {
    pub(super) name: Name,
    pub(super) size: u64,
    /// Whole seconds since the Unix epoch: when the backup was made, the same in all its entries.
    pub(super) seconds: u64,
}

impl EntryHeader {
    /// The header as it stands in the archive.
    pub(super) fn encode(&self) -> Block {
        let mut header = Header::new_ustar();
        header.set_path(self.name.as_str()).expect("names of a vault's files are short and relative");
        header.set_entry_type(EntryType::Regular);
        header.set_mode(MODE);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(self.seconds);
        header.set_size(self.size);
        header.set_cksum();
        *header.as_bytes()
    }

    /// Reads a header and refuses any but the one [`EntryHeader::encode`] makes.
    pub(super) fn parse(block: &Block) -> Option<Self> {
        let header = Header::from_byte_slice(block);
        let name = Name::parse(&header.path_bytes())?;
        let parsed = Self { name, size: header.entry_size().ok()?, seconds: header.mtime().ok()? };
        (parsed.encode() == *block).then_some(parsed)
    }
}

/// Zeros between an entry's data and the next header.
pub(super) fn padding(size: u64) -> usize {
    let block = BLOCK_BYTES as u64;
    usize::try_from((block - size % block) % block).expect("less than a block")
}

/// A backup's time as its entries carry it.
pub(super) fn seconds(at: Timestamp) -> u64 {
    u64::try_from(at.unix_millis() / 1000).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &str = "tenants/00112233445566778899aabbccddeeff.db-wal";

    fn file(path: &str, size: u64) -> EntryHeader {
        EntryHeader { name: Name::File(BackupPath::parse(path).unwrap()), size, seconds: 1_767_225_600 }
    }

    #[test]
    fn headers_read_back_at_every_size() {
        for size in [0, 1, 511, 512, 1 << 33, (1 << 33) - 1, 1 << 40] {
            let header = file(TENANT, size);
            assert_eq!(EntryHeader::parse(&header.encode()), Some(header));
        }
        let manifest = EntryHeader { name: Name::Manifest, size: 9, seconds: 0 };
        assert_eq!(EntryHeader::parse(&manifest.encode()), Some(manifest));
        assert_eq!((padding(0), padding(1), padding(512), padding(513)), (0, 511, 0, 511));
    }

    /// Makes a header with one thing different and a checksum that fits.
    fn crafted(change: impl FnOnce(&mut Header)) -> Block {
        let mut header = Header::from_byte_slice(&file("header", 10).encode()).clone();
        change(&mut header);
        header.set_cksum();
        *header.as_bytes()
    }

    fn named(name: &[u8]) -> Block {
        crafted(|header| {
            let field = &mut header.as_mut_bytes()[..100];
            field.fill(0);
            field[..name.len()].copy_from_slice(name);
        })
    }

    #[test]
    fn attack_65_names_that_lead_elsewhere_are_refused() {
        assert!(EntryHeader::parse(&named(b"header")).is_some(), "the test's own header is good");
        for name in [
            &b"../header"[..],
            b"/etc/passwd",
            b"tenants/../../x",
            b"tenants/../header",
            b"./header",
            b"header/",
            b"log.state",
            b"lock",
            b"directory.db-shm",
            b"manifest",
            b"tenants",
            b"",
            b"\xff",
            b"header\0x",
        ] {
            assert_eq!(EntryHeader::parse(&named(name)), None, "{}", name.escape_ascii());
        }
    }

    #[test]
    fn attack_65_anything_but_a_plain_file_is_refused() {
        for kind in [
            EntryType::Link,
            EntryType::Symlink,
            EntryType::Char,
            EntryType::Block,
            EntryType::Directory,
            EntryType::Fifo,
            EntryType::Continuous,
            EntryType::GNULongName,
            EntryType::GNULongLink,
            EntryType::GNUSparse,
            EntryType::XGlobalHeader,
            EntryType::XHeader,
            EntryType::new(b'7'),
        ] {
            assert_eq!(EntryHeader::parse(&crafted(|header| header.set_entry_type(kind))), None, "{kind:?}");
        }
        // The type of a plain file in tar's oldest form, a zero byte, is another header for the same file.
        assert_eq!(EntryHeader::parse(&crafted(|header| header.as_mut_bytes()[156] = 0)), None);
    }

    #[test]
    fn attack_65_no_other_member_of_a_header_may_differ() {
        assert_eq!(EntryHeader::parse(&crafted(|header| header.set_mode(0o4755))), None);
        assert_eq!(EntryHeader::parse(&crafted(|header| header.set_uid(1))), None);
        assert_eq!(EntryHeader::parse(&crafted(|header| header.set_gid(1))), None);
        assert_eq!(EntryHeader::parse(&crafted(|header| header.set_username("root").unwrap())), None);
        assert_eq!(EntryHeader::parse(&crafted(|header| header.set_device_major(1).unwrap())), None);
        assert_eq!(EntryHeader::parse(&crafted(|header| header.as_mut_bytes()[345] = b'/')), None, "prefix");
        assert_eq!(EntryHeader::parse(&crafted(|header| header.as_mut_bytes()[511] = 1)), None, "padding");
        let good = file("header", 10).encode();
        for at in 0..BLOCK_BYTES {
            let mut flipped = good;
            flipped[at] ^= 1;
            assert_eq!(EntryHeader::parse(&flipped), None, "byte {at}");
        }
        assert_eq!(EntryHeader::parse(&[0; BLOCK_BYTES]), None);
    }
}

//! One entry of an archive's tar container: the single header it may have, and the padding behind it.
//! Spec: POSIX.1-1988 ustar; sizes of 8 GiB and more in GNU's base-256 form. Layout: docs/FORMAT.md §8.9. Pure.
//!
//! Everything but name, size and time is fixed, so a header is checked by making it again: no link, device, owner,
//! mode, prefix or extension can differ from ours and be accepted, and no name can lead anywhere.

use std::fmt;
use std::str::FromStr;

use coffer_model::time::Timestamp;
use tar::{EntryType, Header};

use super::MAX_FILES;

/// Bytes of a tar block; headers, data and the end are whole numbers of them.
pub(super) const BLOCK_BYTES: usize = 512;
/// Blocks of zeros that end an archive.
pub(super) const END_BLOCKS: usize = 2;
/// Folder of the attachments' contents.
const FILES: &str = "files/";
/// Mode of every file once it is unpacked.
const MODE: u32 = 0o600;

/// A header block.
pub(super) type Block = [u8; BLOCK_BYTES];

/// What an entry is. Their order is that of the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Member {
    /// What the archive is, for whoever receives it.
    Readme,
    /// Templates of the vault's own kinds that the records use.
    Kinds,
    /// The content of attachments, by its number from 1.
    File(u32),
    /// The records, one a line.
    Records,
    /// What the archive consists of.
    Manifest,
    /// The digests of everything before, as `sha256sum` reads them.
    Sums,
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Readme => f.write_str("README.txt"),
            Self::Kinds => f.write_str("kinds.json"),
            Self::File(number) => write!(f, "{FILES}{number}"),
            Self::Records => f.write_str("records.jsonl"),
            Self::Manifest => f.write_str("manifest.json"),
            Self::Sums => f.write_str("SHA256SUMS"),
        }
    }
}

/// The text is no member's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a member of an archive")]
pub struct NoMember;

impl FromStr for Member {
    type Err = NoMember;

    fn from_str(text: &str) -> Result<Self, NoMember> {
        let member = match text {
            "README.txt" => Self::Readme,
            "kinds.json" => Self::Kinds,
            "records.jsonl" => Self::Records,
            "manifest.json" => Self::Manifest,
            "SHA256SUMS" => Self::Sums,
            _ => Self::File(text.strip_prefix(FILES).and_then(|number| number.parse().ok()).ok_or(NoMember)?),
        };
        let is_numbered = !matches!(member, Self::File(number) if number == 0 || number > MAX_FILES);
        // No sign and no zero in front.
        if is_numbered && member.to_string() == text { Ok(member) } else { Err(NoMember) }
    }
}

/// An entry's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EntryHeader {
    pub member: Member,
    pub bytes: u64,
    /// Whole seconds since the Unix epoch: when the archive was made, the same in all its entries.
    pub seconds: u64,
}

impl EntryHeader {
    /// The header as it stands in the archive.
    pub fn encode(&self) -> Block {
        let mut header = Header::new_ustar();
        header.set_path(self.member.to_string()).expect("names of members are short and relative");
        header.set_entry_type(EntryType::Regular);
        header.set_mode(MODE);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(self.seconds);
        header.set_size(self.bytes);
        header.set_cksum();
        *header.as_bytes()
    }

    /// Reads a header and refuses any but the one [`EntryHeader::encode`] makes.
    pub fn parse(block: &Block) -> Option<Self> {
        let header = Header::from_byte_slice(block);
        let member = std::str::from_utf8(&header.path_bytes()).ok()?.parse().ok()?;
        let parsed = Self { member, bytes: header.entry_size().ok()?, seconds: header.mtime().ok()? };
        (parsed.encode() == *block).then_some(parsed)
    }
}

/// Zeros between an entry's data and the next header.
pub(super) fn padding(bytes: u64) -> usize {
    let block = BLOCK_BYTES as u64;
    usize::try_from((block - bytes % block) % block).expect("less than a block")
}

/// An archive's time as its entries carry it.
pub(super) fn seconds(at: Timestamp) -> u64 {
    u64::try_from(at.unix_millis() / 1000).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(member: Member, bytes: u64) -> EntryHeader {
        EntryHeader { member, bytes, seconds: 1_767_225_600 }
    }

    #[test]
    fn headers_read_back_at_every_size_and_members_are_in_order() {
        let members = [
            Member::Readme,
            Member::Kinds,
            Member::File(1),
            Member::File(MAX_FILES),
            Member::Records,
            Member::Manifest,
        ];
        assert!(members.is_sorted());
        for member in members {
            for bytes in [0, 1, 512, (1 << 33) - 1, 1 << 33, 1 << 40] {
                let header = header(member, bytes);
                assert_eq!(EntryHeader::parse(&header.encode()), Some(header));
            }
        }
    }

    #[test]
    fn attack_65_names_that_lead_elsewhere_are_refused() {
        for name in [
            "../README.txt",
            "/README.txt",
            "./README.txt",
            "files/../x",
            "files/",
            "files/0",
            "files/01",
            "files/+1",
            "files/20001",
            "files/1/2",
            "files/1 ",
            "readme.txt",
            "manifest.json/",
            "",
            "files",
        ] {
            assert_eq!(name.parse::<Member>(), Err(NoMember), "{name}");
        }
    }

    #[test]
    fn attack_65_no_bit_of_a_header_may_differ() {
        let good = header(Member::File(7), 10).encode();
        for at in 0..BLOCK_BYTES {
            let mut flipped = good;
            flipped[at] ^= 1;
            assert_eq!(EntryHeader::parse(&flipped), None, "byte {at}");
        }
        for kind in [EntryType::Link, EntryType::Symlink, EntryType::Char, EntryType::Directory, EntryType::GNUSparse] {
            let mut crafted = Header::from_byte_slice(&good).clone();
            crafted.set_entry_type(kind);
            crafted.set_cksum();
            assert_eq!(EntryHeader::parse(crafted.as_bytes()), None, "{kind:?}");
        }
    }
}

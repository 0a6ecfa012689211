//! KeePass databases, version 4 of the file format (KDBX 4.0 and 4.1): read and written. Pure.
//!
//! Source of the format: <https://keepass.info/help/kb/kdbx.html>, and KeePassXC's `src/format` for what its XML may
//! hold. Not the `keepass` crate: it decompresses without a limit, descends into groups without one, derives at any cost
//! the header names, and panics on short header fields (docs/adr/0007-our-own-kdbx.md). `keepassxc-cli` is the yardstick
//! in the tests.

mod container;
mod entries;
mod key;
mod payload;
mod write;
mod xml;

use zeroize::Zeroizing;

pub use self::write::KdbxWriter;
use crate::neutral::Collection;
use crate::source::{SourceError, SourceKeys};

/// The first eight bytes of every KeePass 2 file.
const SIGNATURE: [u8; 8] = [0x03, 0xD9, 0xA2, 0x9A, 0x67, 0xFB, 0x4B, 0xB5];
/// The first four bytes of every KeePass file, whatever its version.
const ANY_SIGNATURE: [u8; 4] = [0x03, 0xD9, 0xA2, 0x9A];

/// Whether a file begins as KeePass's do, of whatever version.
pub(crate) fn is_kdbx(beginning: &[u8]) -> bool {
    beginning.starts_with(&ANY_SIGNATURE)
}

/// Opens a file and takes everything out of it.
pub(crate) fn read(file: &[u8], keys: &SourceKeys) -> Result<Collection, SourceError> {
    let opened: Zeroizing<Vec<u8>> = container::open(file, keys)?;
    let payload = payload::parse(&opened)?;
    let tree = xml::parse(payload.xml, payload.stream)?;
    Ok(entries::collect(tree, &payload.binaries))
}

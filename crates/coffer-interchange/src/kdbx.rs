//! KeePass databases: version 4 of the file format (KDBX 4.0 and 4.1) read and written, version 3.1 read. Pure.
//!
//! Source of the format: <https://keepass.info/help/kb/kdbx.html>, and KeePassXC's `src/format` for what its XML may
//! hold. Not the `keepass` crate: it decompresses without a limit, descends into groups without one, derives at any cost
//! the header names, and panics on short header fields (docs/adr/0007-our-own-kdbx.md). `keepassxc-cli` is the yardstick
//! in the tests.

mod container;
mod entries;
mod key;
mod payload;
mod version3;
mod write;
mod xml;

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
    if container::version(file)? == version3::MAJOR {
        let (document, stream) = version3::open(file, keys)?;
        let xml = std::str::from_utf8(&document).map_err(|_| SourceError::Damaged)?;
        let mut tree = xml::parse(xml, stream)?;
        let binaries = std::mem::take(&mut tree.binaries);
        let binaries: Vec<&[u8]> = binaries.iter().map(|bytes| bytes.as_slice()).collect();
        return Ok(entries::collect(tree, &binaries));
    }
    let opened = container::open(file, keys)?;
    let payload = payload::parse(&opened)?;
    let tree = xml::parse(payload.xml, payload.stream)?;
    Ok(entries::collect(tree, &payload.binaries))
}

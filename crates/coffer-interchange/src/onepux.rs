//! 1Password's export: a ZIP archive with `export.data`, a JSON document, and `files/`. Pure over `Read + Seek`.
//!
//! Source of the format: <https://support.1password.com/1pux-format/>. Nothing is unpacked to disk; names inside are
//! looked at before anything else, and sizes are counted as they come, never believed.

mod items;

use std::collections::BTreeSet;
use std::io::{Read, Seek};

use zeroize::Zeroizing;
use zip::ZipArchive;
use zip::result::ZipError;

use crate::neutral::{Collection, limits};
use crate::source::{FILE_BYTES, SourceError, SourceKeys, TEXT_BYTES, expand};

/// The document.
const DATA: &str = "export.data";
/// Folder of the documents' and attachments' files.
const FILES: &str = "files/";
/// Most files in an archive.
const NAMES: usize = 100_000;

/// Whether a file begins as a ZIP archive does.
pub(crate) fn is_archive(beginning: &[u8]) -> bool {
    beginning.starts_with(b"PK\x03\x04") || beginning.starts_with(b"PK\x05\x06")
}

/// Takes everything out of an export.
pub(crate) fn read<R: Read + Seek>(reader: &mut R, keys: &SourceKeys) -> Result<Collection, SourceError> {
    if keys.passphrase.is_some() {
        return Err(SourceError::NoSuchKey("passphrase"));
    }
    if keys.key_file.is_some() {
        return Err(SourceError::NoSuchKey("key file"));
    }
    let mut archive = Archive::open(reader)?;
    let text = archive.read(DATA, TEXT_BYTES)?.ok_or(SourceError::Damaged)?;
    items::collect(&text, &mut archive)
}

/// The archive, its names already judged.
pub(super) struct Archive<'r, R> {
    zip: ZipArchive<&'r mut R>,
    names: BTreeSet<String>,
    /// Members that are too large: a document may be named any number of times.
    refused: BTreeSet<String>,
    /// Bytes of the whole archive.
    length: u64,
    /// What may still be taken out as attachments.
    attachments_left: u64,
}

impl<'r, R: Read + Seek> Archive<'r, R> {
    fn open(reader: &'r mut R) -> Result<Self, SourceError> {
        let length = reader.seek(std::io::SeekFrom::End(0))?;
        if length > FILE_BYTES {
            return Err(SourceError::TooLarge);
        }
        reader.seek(std::io::SeekFrom::Start(0))?;
        let mut zip = ZipArchive::new(reader).map_err(zip_error)?;
        if zip.len() > NAMES {
            return Err(SourceError::TooMany);
        }
        // One entry inside another is how small archives expand without end.
        if zip.has_duplicate_names() || zip.has_overlapping_entries().map_err(zip_error)? {
            return Err(SourceError::Damaged);
        }
        let mut names = BTreeSet::new();
        for name in zip.file_names() {
            let name = name.map_err(zip_error)?.into_owned();
            if !is_safe(&name) {
                return Err(SourceError::UnsafeName);
            }
            names.insert(name);
        }
        let refused = BTreeSet::new();
        Ok(Self { zip, names, refused, length, attachments_left: limits::ATTACHMENTS_BYTES })
    }

    /// A member's bytes, at most `limit`; `None` if there is none of that name.
    fn read(&mut self, name: &str, limit: u64) -> Result<Option<Zeroizing<Vec<u8>>>, SourceError> {
        let mut member = match self.zip.by_name(name) {
            Ok(member) => member,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(error) => return Err(zip_error(error)),
        };
        // What the archive says of it may be anything.
        let compressed = member.compressed_size().min(self.length);
        expand(&mut member, compressed, limit).map(Some)
    }

    /// The file of a document; `None` if it is not there or one too large.
    pub(super) fn attachment(&mut self, document: &str) -> Result<Option<Zeroizing<Vec<u8>>>, SourceError> {
        if document.is_empty() {
            return Ok(None);
        }
        let wanted = format!("{FILES}{document}__");
        let found = self.names.range(wanted.clone()..).next().filter(|name| name.starts_with(&wanted));
        let Some(name) = found.filter(|name| !self.refused.contains(*name)).cloned() else { return Ok(None) };
        let limit = limits::ATTACHMENT_BYTES.min(self.attachments_left);
        match self.read(&name, limit) {
            Ok(Some(bytes)) => {
                self.attachments_left -= bytes.len() as u64;
                Ok(Some(bytes))
            }
            Err(SourceError::TooLarge) => {
                // Nor will it fit later: what is left only shrinks.
                self.refused.insert(name);
                Ok(None)
            }
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Whether a name stays inside, on any system.
fn is_safe(name: &str) -> bool {
    let mut parts = name.split(['/', '\\']);
    !name.is_empty()
        && !name.starts_with(['/', '\\'])
        && !name.contains('\0')
        && name.as_bytes().get(1) != Some(&b':')
        && parts.all(|part| part != "..")
}

fn zip_error(error: ZipError) -> SourceError {
    match error {
        ZipError::Io(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => match error.kind() {
            std::io::ErrorKind::InvalidData | std::io::ErrorKind::InvalidInput => SourceError::Damaged,
            _ => SourceError::Unreadable(error),
        },
        ZipError::UnsupportedArchive(_) | ZipError::CompressionMethodNotSupported(_) | ZipError::InvalidPassword => {
            SourceError::Unsupported
        }
        _ => SourceError::Damaged,
    }
}

#[cfg(test)]
mod tests {
    use super::is_safe;

    #[test]
    fn names_that_lead_out_are_told() {
        for name in ["export.data", "files/abc__..notes.txt", "files/a__Résumé (2).pdf"] {
            assert!(is_safe(name), "{name}");
        }
        for name in ["../x", "files/../../x", "/etc/x", "files\\..\\x", "C:\\x", "", "a\0b", "\\\\host\\x"] {
            assert!(!is_safe(name), "{name}");
        }
    }
}

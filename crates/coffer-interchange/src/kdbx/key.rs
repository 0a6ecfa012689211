//! What opens a database: passphrase and key file, hashed into one key. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use quick_xml::events::Event;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::foreign_kdf::Key;
use crate::source::{SourceError, SourceKeys};

/// Most levels of a key file's XML.
const DEPTH: usize = 8;

/// The composite key: the hash of the hash of each part, in KeePass's order.
pub(super) fn composite(keys: &SourceKeys) -> Result<Key, SourceError> {
    if keys.passphrase.is_none() && keys.key_file.is_none() {
        return Err(SourceError::NeedsKey);
    }
    let mut hash = Sha256::new();
    if let Some(passphrase) = &keys.passphrase {
        let part: Key = Zeroizing::new(Sha256::digest(passphrase.as_slice()).into());
        hash.update(part.as_slice());
    }
    if let Some(file) = &keys.key_file {
        hash.update(key_of_file(file)?.as_slice());
    }
    Ok(Zeroizing::new(hash.finalize().into()))
}

/// A key file's key: KeePass's XML of version 1 or 2, 32 bytes, 64 hexadecimal digits, or else the hash of the file.
fn key_of_file(file: &[u8]) -> Result<Key, SourceError> {
    if let Some(key) = key_of_xml(file)? {
        return Ok(key);
    }
    if let Ok(key) = <[u8; 32]>::try_from(file) {
        return Ok(Zeroizing::new(key));
    }
    let mut key = Zeroizing::new([0; 32]);
    if file.len() == 64 && hex::decode_to_slice(file, key.as_mut_slice()).is_ok() {
        return Ok(key);
    }
    Ok(Zeroizing::new(Sha256::digest(file).into()))
}

/// `None` if the file is no key file in XML.
fn key_of_xml(file: &[u8]) -> Result<Option<Key>, SourceError> {
    let Ok(text) = std::str::from_utf8(file) else { return Ok(None) };
    let mut reader = quick_xml::Reader::from_str(text.trim_start_matches('\u{FEFF}'));
    let mut path: Vec<String> = Vec::new();
    let (mut version, mut data, mut check) = (String::new(), Zeroizing::new(String::new()), None);
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) if path.len() < DEPTH => {
                path.push(tag.name().as_ref().to_owned());
                if path == ["KeyFile", "Key", "Data"] {
                    check = tag.try_get_attribute("Hash").ok().flatten().map(|found| found.value.into_owned());
                }
            }
            Ok(Event::End(_)) => drop(path.pop()),
            Ok(Event::Text(text)) if path == ["KeyFile", "Meta", "Version"] => version.push_str(&text),
            Ok(Event::Text(text)) if path == ["KeyFile", "Key", "Data"] => data.push_str(&text),
            Ok(Event::Eof) => break,
            Ok(Event::Start(_) | Event::DocType(_)) | Err(_) => return Ok(None),
            Ok(_) => {}
        }
    }
    let data: Zeroizing<String> = Zeroizing::new(data.chars().filter(|c| !c.is_whitespace()).collect());
    if data.is_empty() {
        return Ok(None);
    }
    let bytes = if version.trim().starts_with("2.") { hex::decode(&*data).ok() } else { BASE64.decode(&*data).ok() };
    let bytes = Zeroizing::new(bytes.ok_or(SourceError::WrongKey)?);
    let key: [u8; 32] = bytes.as_slice().try_into().map_err(|_| SourceError::WrongKey)?;
    let key = Zeroizing::new(key);
    // Version 2 says the first four bytes of the key's hash, so that a mistyped key file is known for one.
    let fits = |check: &str| hex::decode(check).is_ok_and(|check| Sha256::digest(key.as_slice()).starts_with(&check));
    if check.is_some_and(|check| !fits(&check)) {
        return Err(SourceError::WrongKey);
    }
    Ok(Some(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_key_file_gives_its_key() {
        let key = [7_u8; 32];
        let v1 = format!(
            "<?xml version=\"1.0\"?><KeyFile><Meta><Version>1.00</Version></Meta><Key><Data>{}</Data></Key></KeyFile>",
            BASE64.encode(key)
        );
        let check = hex::encode(&Sha256::digest(key)[..4]);
        let v2 = format!(
            "<KeyFile><Meta><Version>2.0</Version></Meta><Key><Data Hash=\"{check}\">\n {}\n {}\n</Data></Key></KeyFile>",
            hex::encode(&key[..16]),
            hex::encode(&key[16..])
        );
        for file in [key.to_vec(), hex::encode(key).into_bytes(), v1.into_bytes(), v2.clone().into_bytes()] {
            assert_eq!(*key_of_file(&file).unwrap(), key, "{}", String::from_utf8_lossy(&file));
        }
        let other = key_of_file(b"any file at all").unwrap();
        assert_eq!(other.as_slice(), Sha256::digest(b"any file at all").as_slice());
        let mistyped = v2.replace("Hash=\"", "Hash=\"00");
        assert!(matches!(key_of_file(mistyped.as_bytes()), Err(SourceError::WrongKey)));
    }

    #[test]
    fn without_any_key_it_says_what_is_missing() {
        assert!(matches!(composite(&SourceKeys::default()), Err(SourceError::NeedsKey)));
    }
}

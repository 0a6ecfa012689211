//! Records as a KDBX 4.1 file: Argon2id, AES-256, authenticated blocks; written as a stream. Pure over `io::Write`.
//! Rules: docs/FORMAT.md §8.8.

use std::io::{self, Write};

use aes::Aes256;
use argon2::{Algorithm, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use cbc::cipher::{Block, BlockModeEncrypt, KeyIvInit};
use coffer_model::record::{Field, FieldType};
use coffer_model::time::Timestamp;
use flate2::Compression;
use flate2::write::GzEncoder;
use hmac::Mac;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use super::container::{BlockKeys, field, id};
use super::payload::{CHACHA20, ProtectedStream, field as inner};
use super::xml::EPOCH_SECONDS;
use super::{SIGNATURE, key};
use crate::export::{ExportLoss, ExportLosses, ExportRecord, ExportVersion, count, torn_tags};
use crate::foreign_kdf::{self, Argon2Cost, Key};
use crate::source::{SourceError, SourceKeys};
use crate::totp;

/// Four times the memory of RFC 9106's second recommendation and one pass more: about a second.
const COST: Argon2Cost =
    Argon2Cost { algorithm: Algorithm::Argon2id, version: Version::V0x13, memory_kib: 256 * 1024, passes: 4, lanes: 4 };
/// Data of one authenticated block, as KeePass writes them.
const BLOCK_BYTES: usize = 1024 * 1024;
const AES_BLOCK: usize = 16;
/// Version 4.1, the first in which groups and entries may have what newer programs give them.
const FILE_VERSION: [u8; 4] = [1, 0, 4, 0];

/// What stands before a file's bytes: that other programs need not keep it encrypted in memory.
const FILE_FLAGS: [u8; 1] = [0];

/// Writes files, then records one after another. What was written is worth nothing before [`KdbxWriter::finish`].
pub struct KdbxWriter<W: Write> {
    document: GzEncoder<BlockWriter<W>>,
    /// What stands between the files and the records; written before the first record.
    beginning: Option<String>,
    stream: ProtectedStream,
    losses: ExportLosses,
}

impl<W: Write> std::fmt::Debug for KdbxWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KdbxWriter").field("losses", &self.losses).finish_non_exhaustive()
    }
}

impl<W: Write> KdbxWriter<W> {
    /// Begins a file for `keys`, in which the records are in one group called `name`. `fill` gives randomness.
    pub fn new(
        mut writer: W,
        keys: &SourceKeys,
        name: &str,
        at: Timestamp,
        fill: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Self, SourceError> {
        let (mut seed, mut iv, mut salt) = ([0; 32], [0; AES_BLOCK], [0; 32]);
        let (mut stream_key, mut group) = (Zeroizing::new([0; 64]), [0; 16]);
        for random in [&mut seed[..], &mut iv, &mut salt, stream_key.as_mut_slice(), &mut group] {
            fill(random);
        }
        let transformed = foreign_kdf::derive_argon2(key::composite(keys)?.as_slice(), &salt, &COST)?;
        let block_keys = BlockKeys::new(&seed, &transformed);
        let header = header(&seed, &iv, &salt);
        writer.write_all(&header)?;
        writer.write_all(&Sha256::digest(&header))?;
        writer.write_all(&block_keys.header_mac(&header).finalize().into_bytes())?;
        let cipher_key: Key =
            Zeroizing::new(Sha256::new().chain_update(seed).chain_update(transformed.as_slice()).finalize().into());
        let cipher = cbc::Encryptor::<Aes256>::new(&(*cipher_key).into(), &iv.into());
        let buffer = Zeroizing::new(Vec::with_capacity(BLOCK_BYTES + AES_BLOCK));
        let blocks = BlockWriter { writer, keys: block_keys, cipher, index: 0, buffer };
        let mut document = GzEncoder::new(blocks, Compression::default());
        for (number, value) in [(inner::STREAM, &CHACHA20.to_le_bytes()[..]), (inner::STREAM_KEY, &stream_key[..])] {
            document.write_all(&field_bytes(number, value))?;
        }
        let stream = ProtectedStream::new(stream_key.as_slice());
        let (name, group, at) = (text(name), BASE64.encode(group), time(at));
        let beginning = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<KeePassFile><Meta><Generator>Coffer</Generator>\
             <DatabaseName>{name}</DatabaseName><MemoryProtection><ProtectTitle>False</ProtectTitle><ProtectUserName>False\
             </ProtectUserName><ProtectPassword>True</ProtectPassword><ProtectURL>False</ProtectURL><ProtectNotes>False\
             </ProtectNotes></MemoryProtection><RecycleBinEnabled>True</RecycleBinEnabled><HistoryMaxItems>-1</HistoryMaxItems>\
             <HistoryMaxSize>-1</HistoryMaxSize></Meta><Root><Group><UUID>{group}</UUID><Name>{name}</Name><IconID>48</IconID>\
             <Times><CreationTime>{at}</CreationTime><LastModificationTime>{at}</LastModificationTime><Expires>False</Expires>\
             </Times><IsExpanded>True</IsExpanded>"
        );
        Ok(Self { document, beginning: Some(beginning), stream, losses: ExportLosses::new() })
    }

    /// Writes a file of exactly `bytes`, which `write` gives. Files are numbered from 0 as they come, and all come before the
    /// first record.
    pub fn push_file<E: From<SourceError>>(
        &mut self,
        bytes: u32,
        write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
    ) -> Result<(), E> {
        let length = bytes.checked_add(1).ok_or(SourceError::TooLarge)?;
        let begin = [&[inner::BINARY][..], &length.to_le_bytes(), &FILE_FLAGS].concat();
        self.document.write_all(&begin).map_err(SourceError::from)?;
        write(&mut self.document)
    }

    fn begin_document(&mut self) -> io::Result<()> {
        let Some(beginning) = self.beginning.take() else { return Ok(()) };
        self.document.write_all(&field_bytes(inner::END, &[]))?;
        self.document.write_all(beginning.as_bytes())
    }

    /// Writes a record with its history.
    pub fn push(&mut self, record: &ExportRecord) -> Result<(), SourceError> {
        let Some((now, earlier)) = record.versions.split_last() else { return Ok(()) };
        self.begin_document()?;
        self.begin_entry(record, now)?;
        self.files(record, now.number)?;
        if !earlier.is_empty() {
            self.document.write_all(b"<History>")?;
            for version in earlier {
                self.begin_entry(record, version)?;
                self.files(record, version.number)?;
                self.document.write_all(b"</Entry>")?;
            }
            self.document.write_all(b"</History>")?;
        }
        self.document.write_all(b"</Entry>\n")?;
        let unwritten = record.attachments.iter().filter(|file| file.file.is_none() && file.is_in(now.number)).count();
        count(&mut self.losses, ExportLoss::Attachments, unwritten as u64);
        count(&mut self.losses, ExportLoss::Tags, torn_tags(&now.content));
        let is_plain = |field: &&Field| {
            let is_known =
                matches!(field.field_type, FieldType::Text | FieldType::Secret | FieldType::Url | FieldType::Totp);
            is_known || expiry_of(field).is_some()
        };
        let typed = now.content.fields().iter().filter(|field| !is_plain(field)).count() as u64;
        count(&mut self.losses, ExportLoss::FieldTypes, typed);
        count(&mut self.losses, ExportLoss::Kinds, u64::from(!matches!(now.content.kind().as_str(), "login" | "note")));
        Ok(())
    }

    /// Ends the file; gives what it could not hold.
    pub fn finish(mut self) -> Result<(W, ExportLosses), SourceError> {
        self.begin_document()?;
        self.document.write_all(b"</Group><DeletedObjects/></Root></KeePassFile>\n")?;
        Ok((self.document.finish()?.finish()?, self.losses))
    }

    fn begin_entry(&mut self, record: &ExportRecord, version: &ExportVersion) -> Result<(), SourceError> {
        let ExportVersion { content, made_at, .. } = version;
        let expiry = content.fields().iter().find_map(expiry_of);
        let times = format!(
            "<Times><CreationTime>{}</CreationTime><LastModificationTime>{}</LastModificationTime><ExpiryTime>{}</ExpiryTime>\
             <Expires>{}</Expires></Times>",
            time(record.created_at),
            time(*made_at),
            time(expiry.map_or(*made_at, |(_, at)| at)),
            if expiry.is_some() { "True" } else { "False" }
        );
        let (key, tags) = (BASE64.encode(record.key), text(&content.tags().join(";")));
        write!(self.document, "<Entry><UUID>{key}</UUID><IconID>0</IconID><Tags>{tags}</Tags>{times}")?;
        self.string("Title", content.title(), false)?;
        let mut taken: Vec<String> = Vec::new();
        for field in content.fields() {
            if expiry.is_some_and(|(expiring, _)| expiring.id == field.id) {
                continue;
            }
            let name = free_name(standard_name(field), field, &taken);
            // KeePassXC reads seeds as URIs only.
            let value = match field.field_type {
                FieldType::Totp => totp::value_of(content.title(), field.value.expose()),
                _ => field.value.clone(),
            };
            self.string(&name, value.expose(), field.field_type.is_masked())?;
            taken.push(name);
        }
        self.string("Notes", content.notes(), false)
    }

    /// The files that a version has.
    fn files(&mut self, record: &ExportRecord, version: u32) -> io::Result<()> {
        for attachment in record.attachments.iter().filter(|attachment| attachment.is_in(version)) {
            if let Some(file) = attachment.file {
                let name = text(&attachment.name);
                write!(self.document, "<Binary><Key>{name}</Key><Value Ref=\"{file}\"/></Binary>")?;
            }
        }
        Ok(())
    }

    /// A named value. One with characters that XML cannot hold goes protected, where it is base64.
    fn string(&mut self, name: &str, value: &str, secret: bool) -> Result<(), SourceError> {
        write!(self.document, "<String><Key>{}</Key>", text(name))?;
        if secret || !value.chars().all(is_xml) {
            let mut bytes = Zeroizing::new(value.as_bytes().to_vec());
            self.stream.apply(&mut bytes)?;
            write!(self.document, "<Value Protected=\"True\">{}</Value></String>", BASE64.encode(&bytes))?;
        } else {
            let value = Zeroizing::new(text(value));
            write!(self.document, "<Value>{}</Value></String>", *value)?;
        }
        Ok(())
    }
}

/// The field that says when an entry expires, and that moment.
fn expiry_of(field: &Field) -> Option<(&Field, Timestamp)> {
    let is_expiry = field.field_type == FieldType::Expiry && field.name == "Expires";
    let midnight = format!("{}T00:00:00Z", field.value.expose());
    if is_expiry { midnight.parse().ok().map(|at| (field, at)) } else { None }
}

/// The name that KeePass's own programs know a field by.
fn standard_name(field: &Field) -> Option<&'static str> {
    let name = field.name.to_lowercase();
    match field.field_type {
        FieldType::Totp => Some("otp"),
        FieldType::Secret if name.contains("password") || name.contains("passwort") => Some("Password"),
        FieldType::Url => Some("URL"),
        FieldType::Text | FieldType::Email
            if matches!(name.as_str(), "user name" | "username" | "user" | "login" | "benutzername" | "benutzer") =>
        {
            Some("UserName")
        }
        _ => None,
    }
}

/// The standard name if it is free, else the field's own, told apart from every name that is taken or means something.
fn free_name(standard: Option<&str>, field: &Field, taken: &[String]) -> String {
    const RESERVED: [&str; 6] = ["Title", "UserName", "Password", "URL", "Notes", "otp"];
    let is_free = |name: &str| taken.iter().all(|known| known != name);
    if let Some(standard) = standard.filter(|name| is_free(name)) {
        return standard.to_owned();
    }
    let mut name = field.name.clone();
    while RESERVED.contains(&name.as_str()) || !is_free(&name) {
        name.push_str(" (field)");
    }
    name
}

/// A point in time as KDBX 4 writes it.
fn time(at: Timestamp) -> String {
    let seconds = at.unix_millis().div_euclid(1000) + EPOCH_SECONDS;
    BASE64.encode(seconds.to_le_bytes())
}

/// A text inside an element. A carriage return is written as a reference, or a reader would take it for a line feed.
fn text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\r' => escaped.push_str("&#13;"),
            character if is_xml(character) => escaped.push(character),
            _ => escaped.push('\u{FFFD}'),
        }
    }
    escaped
}

/// Whether XML 1.0 can hold a character.
const fn is_xml(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

fn field_bytes(number: u8, value: &[u8]) -> Vec<u8> {
    let length = u32::try_from(value.len()).expect("fields of a header are short");
    [&[number][..], &length.to_le_bytes(), value].concat()
}

fn header(seed: &[u8; 32], iv: &[u8; AES_BLOCK], salt: &[u8; 32]) -> Vec<u8> {
    let number = |kind: u8, name: &str, value: &[u8]| {
        let lengths = [name.len(), value.len()].map(|length| u32::try_from(length).expect("short").to_le_bytes());
        [&[kind][..], &lengths[0], name.as_bytes(), &lengths[1], value].concat()
    };
    let memory_bytes = COST.memory_kib * 1024;
    let kdf = [
        vec![0, 1],
        number(0x42, "$UUID", &id::ARGON2ID),
        number(0x42, "S", salt),
        number(0x04, "P", &COST.lanes.to_le_bytes()),
        number(0x05, "M", &memory_bytes.to_le_bytes()),
        number(0x05, "I", &COST.passes.to_le_bytes()),
        number(0x04, "V", &0x13_u32.to_le_bytes()),
        vec![0],
    ]
    .concat();
    [
        SIGNATURE.to_vec(),
        FILE_VERSION.to_vec(),
        field_bytes(field::CIPHER, &id::AES_256),
        field_bytes(field::COMPRESSION, &1_u32.to_le_bytes()),
        field_bytes(field::MASTER_SEED, seed),
        field_bytes(field::IV, iv),
        field_bytes(field::KDF, &kdf),
        field_bytes(field::END, b"\r\n\r\n"),
    ]
    .concat()
}

/// Encrypts what comes and writes it in authenticated blocks.
struct BlockWriter<W: Write> {
    writer: W,
    keys: BlockKeys,
    cipher: cbc::Encryptor<Aes256>,
    index: u64,
    buffer: Zeroizing<Vec<u8>>,
}

impl<W: Write> BlockWriter<W> {
    /// Encrypts and writes the buffer, whose length is a multiple of the cipher's block.
    fn write_block(&mut self) -> io::Result<()> {
        for chunk in self.buffer.chunks_exact_mut(AES_BLOCK) {
            let mut block = Block::<Aes256>::default();
            block.copy_from_slice(chunk);
            self.cipher.encrypt_block(&mut block);
            chunk.copy_from_slice(&block);
        }
        self.write_authenticated()
    }

    fn write_authenticated(&mut self) -> io::Result<()> {
        let mac = self.keys.block_mac(self.index, &self.buffer).finalize().into_bytes();
        let length = u32::try_from(self.buffer.len()).expect("blocks are of 1 MiB");
        self.writer.write_all(&mac)?;
        self.writer.write_all(&length.to_le_bytes())?;
        self.writer.write_all(&self.buffer)?;
        self.index += 1;
        self.buffer.zeroize();
        Ok(())
    }

    /// The last data, padded (PKCS #7), and the empty block that says that nothing follows.
    fn finish(mut self) -> io::Result<W> {
        let padding = AES_BLOCK - self.buffer.len() % AES_BLOCK;
        let padded = self.buffer.len() + padding;
        self.buffer.resize(padded, u8::try_from(padding).expect("at most 16"));
        self.write_block()?;
        self.write_authenticated()?;
        self.writer.flush()?;
        Ok(self.writer)
    }
}

impl<W: Write> Write for BlockWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(BLOCK_BYTES - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..taken]);
        if self.buffer.len() == BLOCK_BYTES {
            self.write_block()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        // A block is written when it is full: a file that is not finished is none.
        Ok(())
    }
}

//! One entry of the log as bytes: deterministic CBOR, one map with numbered members.
//! Layout: docs/FORMAT.md §6.1. Spec: RFC 8949 §4.2. Pure.
//!
//! The decoder is strict: it accepts exactly the bytes the encoder would write for what it read.

use std::fmt;

use coffer_model::event::{Event, EventParts};
use coffer_model::id::{AccountId, RecordId, RecordKey, ReplicaId, SessionId, TenantId};
use coffer_model::record::FieldId;
use coffer_model::time::Timestamp;
use minicbor::{Decoder, Encoder};
use sha2::{Digest, Sha256};

use crate::label;

/// Bytes of the random value sealed beside an entry, which hides the entry behind its leaf.
pub const BLIND_BYTES: usize = 32;
/// Bytes of the tag that ties a write's entry to its effect.
pub const EFFECT_TAG_BYTES: usize = 16;
/// Most bytes of an encoded entry: all members present, each text at its limit, with room to spare.
pub const MAX_ENTRY_BYTES: usize = 1024;

/// A text the machine gives (a user's name, a host's), as the log keeps it: one line, at most 128 bytes.
///
/// Control, invisible and direction-changing characters and the backslash are kept as `\u{…}`, so that a name can
/// neither break a line of an exported log nor look like another one.
#[derive(Clone, PartialEq, Eq)]
pub struct MachineText(String);

impl MachineText {
    /// Most bytes kept; the rest is cut off at a character.
    pub const MAX_BYTES: usize = 128;

    /// Encodes what the machine gave.
    pub fn new(raw: &str) -> Self {
        let mut text = String::new();
        for c in raw.chars() {
            let before = text.len();
            if Self::is_plain(c) {
                text.push(c);
            } else {
                text.extend(c.escape_unicode());
            }
            if text.len() > Self::MAX_BYTES {
                text.truncate(before);
                break;
            }
        }
        Self(text)
    }

    /// Takes a text as stored, if it is one that [`MachineText::new`] makes.
    fn parse(stored: &str) -> Option<Self> {
        let plain = stored.chars().all(|c| c == '\\' || Self::is_plain(c));
        (plain && stored.len() <= Self::MAX_BYTES).then(|| Self(stored.to_owned()))
    }

    fn is_plain(c: char) -> bool {
        // Direction and zero-width characters: UAX #9, UTR #36.
        !c.is_control()
            && !matches!(c, '\\' | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}')
    }

    /// The encoded text, safe to print.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for MachineText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for MachineText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One entry: who did, or was about to do, what, when, on which machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// When, by the machine's clock.
    pub at: Timestamp,
    /// What.
    pub event: Event,
    /// Who; `None` while locked.
    pub actor: Option<AccountId>,
    /// In which session; `None` while locked.
    pub session: Option<SessionId>,
    /// In which copy of the vault.
    pub replica: ReplicaId,
    /// The operating system's user.
    pub os_user: MachineText,
    /// The machine's name.
    pub host: MachineText,
    /// The program.
    pub program: MachineText,
    /// For a write: the tag that its effect in the tenant's file is matched with.
    pub effect_tag: Option<[u8; EFFECT_TAG_BYTES]>,
}

/// The bytes are no log entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a log entry")]
pub struct InvalidEntry;

/// What an entry about a field of a record takes.
const TYPICAL_ENTRY_BYTES: usize = 256;

/// Numbers of the map's members, in the order they are written.
mod member {
    pub const AT: u8 = 1;
    pub const VERB: u8 = 2;
    pub const ACTOR: u8 = 3;
    pub const SESSION: u8 = 4;
    pub const REPLICA: u8 = 5;
    pub const OS_USER: u8 = 6;
    pub const HOST: u8 = 7;
    pub const PROGRAM: u8 = 8;
    pub const EFFECT_TAG: u8 = 9;
    pub const TENANT: u8 = 10;
    pub const RECORD: u8 = 11;
    pub const FIELD: u8 = 12;
    pub const VERSION: u8 = 13;
    pub const COUNT: u8 = 14;
    pub const ENTRY: u8 = 15;
    pub const ACCOUNT: u8 = 16;
}

/// Members every entry has.
const REQUIRED_MEMBERS: u64 = 6;

/// Writes members one after another; a vector takes every byte, so nothing here can fail.
struct Members(Encoder<Vec<u8>>);

impl Members {
    fn start(count: u64) -> Self {
        let mut encoder = Encoder::new(Vec::with_capacity(TYPICAL_ENTRY_BYTES));
        encoder.map(count).expect("a vector takes every byte");
        Self(encoder)
    }

    fn key(&mut self, key: u8) -> &mut Encoder<Vec<u8>> {
        self.0.u8(key).expect("a vector takes every byte")
    }

    fn int(&mut self, key: u8, value: i64) {
        self.key(key).i64(value).expect("a vector takes every byte");
    }

    fn uint(&mut self, key: u8, value: Option<u64>) {
        if let Some(value) = value {
            self.key(key).u64(value).expect("a vector takes every byte");
        }
    }

    fn text(&mut self, key: u8, value: &str) {
        self.key(key).str(value).expect("a vector takes every byte");
    }

    fn bytes(&mut self, key: u8, value: Option<&[u8; 16]>) {
        if let Some(value) = value {
            self.key(key).bytes(value).expect("a vector takes every byte");
        }
    }
}

impl LogEntry {
    /// Encodes the entry; the same entry always gives the same bytes.
    pub fn encode(&self) -> Vec<u8> {
        let parts = self.event.parts();
        let optional = [
            self.actor.is_some(),
            self.session.is_some(),
            self.effect_tag.is_some(),
            parts.tenant.is_some(),
            parts.record.is_some(),
            parts.field.is_some(),
            parts.version.is_some(),
            parts.count.is_some(),
            parts.entry.is_some(),
            parts.account.is_some(),
        ];
        let count = REQUIRED_MEMBERS + optional.iter().map(|&present| u64::from(present)).sum::<u64>();
        let mut members = Members::start(count);
        members.int(member::AT, self.at.unix_millis());
        members.text(member::VERB, self.event.verb());
        members.bytes(member::ACTOR, self.actor.as_ref().map(AccountId::as_bytes));
        members.bytes(member::SESSION, self.session.as_ref().map(SessionId::as_bytes));
        members.bytes(member::REPLICA, Some(self.replica.as_bytes()));
        members.text(member::OS_USER, self.os_user.as_str());
        members.text(member::HOST, self.host.as_str());
        members.text(member::PROGRAM, self.program.as_str());
        members.bytes(member::EFFECT_TAG, self.effect_tag.as_ref());
        members.bytes(member::TENANT, parts.tenant.as_ref().map(TenantId::as_bytes));
        members.bytes(member::RECORD, parts.record.map(RecordId::key).as_ref().map(RecordKey::as_bytes));
        members.uint(member::FIELD, parts.field.map(|field| field.0.into()));
        members.uint(member::VERSION, parts.version.map(u64::from));
        members.uint(member::COUNT, parts.count);
        members.uint(member::ENTRY, parts.entry);
        members.bytes(member::ACCOUNT, parts.account.as_ref().map(AccountId::as_bytes));
        members.0.into_writer()
    }

    /// Parses an entry; refuses any bytes but the ones [`LogEntry::encode`] writes for it.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidEntry> {
        if bytes.len() > MAX_ENTRY_BYTES {
            return Err(InvalidEntry);
        }
        let entry = Self::decode(bytes)?;
        // Order, repetition, number length, trailing bytes: all of determinism is this one comparison.
        if entry.encode() == bytes { Ok(entry) } else { Err(InvalidEntry) }
    }

    fn decode(bytes: &[u8]) -> Result<Self, InvalidEntry> {
        let mut decoder = Decoder::new(bytes);
        let count = decoder.map().ok().flatten().ok_or(InvalidEntry)?;
        let (mut at, mut verb, mut actor, mut session, mut replica) = (None, None, None, None, None);
        let (mut os_user, mut host, mut program, mut effect_tag) = (None, None, None, None);
        let (mut tenant, mut record) = (None, None);
        let mut parts = EventParts::default();
        for _ in 0..count {
            match decoder.u8().map_err(|_| InvalidEntry)? {
                member::AT => at = Some(decoder.i64().map_err(|_| InvalidEntry)?),
                member::VERB => verb = Some(decoder.str().map_err(|_| InvalidEntry)?),
                member::ACTOR => actor = Some(AccountId::from_bytes(id(&mut decoder)?)),
                member::SESSION => session = Some(SessionId::from_bytes(id(&mut decoder)?)),
                member::REPLICA => replica = Some(ReplicaId::from_bytes(id(&mut decoder)?)),
                member::OS_USER => os_user = Some(machine_text(&mut decoder)?),
                member::HOST => host = Some(machine_text(&mut decoder)?),
                member::PROGRAM => program = Some(machine_text(&mut decoder)?),
                member::EFFECT_TAG => effect_tag = Some(id(&mut decoder)?),
                member::TENANT => tenant = Some(TenantId::from_bytes(id(&mut decoder)?)),
                member::RECORD => record = Some(RecordKey::from_bytes(id(&mut decoder)?)),
                member::FIELD => parts.field = Some(FieldId(decoder.u16().map_err(|_| InvalidEntry)?)),
                member::VERSION => parts.version = Some(decoder.u32().map_err(|_| InvalidEntry)?),
                member::COUNT => parts.count = Some(decoder.u64().map_err(|_| InvalidEntry)?),
                member::ENTRY => parts.entry = Some(decoder.u64().map_err(|_| InvalidEntry)?),
                member::ACCOUNT => parts.account = Some(AccountId::from_bytes(id(&mut decoder)?)),
                _ => return Err(InvalidEntry),
            }
        }
        parts.tenant = tenant;
        parts.record = match record {
            None => None,
            Some(key) => Some(RecordId::new(tenant.ok_or(InvalidEntry)?, key)),
        };
        Ok(Self {
            at: Timestamp::from_unix_millis(at.ok_or(InvalidEntry)?).map_err(|_| InvalidEntry)?,
            event: Event::from_parts(verb.ok_or(InvalidEntry)?, &parts).ok_or(InvalidEntry)?,
            actor,
            session,
            replica: replica.ok_or(InvalidEntry)?,
            os_user: os_user.ok_or(InvalidEntry)?,
            host: host.ok_or(InvalidEntry)?,
            program: program.ok_or(InvalidEntry)?,
            effect_tag,
        })
    }
}

fn id(decoder: &mut Decoder<'_>) -> Result<[u8; 16], InvalidEntry> {
    decoder.bytes().map_err(|_| InvalidEntry)?.try_into().map_err(|_| InvalidEntry)
}

fn machine_text(decoder: &mut Decoder<'_>) -> Result<MachineText, InvalidEntry> {
    MachineText::parse(decoder.str().map_err(|_| InvalidEntry)?).ok_or(InvalidEntry)
}

/// What is sealed for an entry: the random value that hides it, then its bytes.
pub fn encode_block(blind: &[u8; BLIND_BYTES], encoded: &[u8]) -> Vec<u8> {
    let mut block = Vec::with_capacity(BLIND_BYTES + encoded.len());
    block.extend_from_slice(blind);
    block.extend_from_slice(encoded);
    block
}

/// The leaf that stands for a block in the tree: SHA-256 over label and block.
pub fn leaf(block: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(label::LOG_LEAF).chain_update(block).finalize().into()
}

/// Parses the entry out of an opened block.
pub fn parse_block(block: &[u8]) -> Result<LogEntry, InvalidEntry> {
    let (_, encoded) = block.split_first_chunk::<BLIND_BYTES>().ok_or(InvalidEntry)?;
    LogEntry::parse(encoded)
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn entry(event: Event) -> LogEntry {
        LogEntry {
            at: Timestamp::from_unix_millis(1_795_305_600_007).unwrap(),
            event,
            actor: Some(AccountId::from_bytes([1; 16])),
            session: None,
            replica: ReplicaId::from_bytes([2; 16]),
            os_user: MachineText::new("ines"),
            host: MachineText::new("desk"),
            program: MachineText::new("coffer"),
            effect_tag: None,
        }
    }

    fn revealed() -> Event {
        let record = RecordId::new(TenantId::from_bytes([3; 16]), RecordKey::from_bytes([4; 16]));
        Event::FieldRevealed { record, field: FieldId(300), version: 70_000 }
    }

    #[test]
    fn the_encoding_is_as_documented() {
        let mut expected = b"\xa7\x01\x1b\x00\x00\x01\xa2\x00\x78\x6c\x07\x02\x6cvault.locked\x03\x50".to_vec();
        let at = 1_795_305_600_007_i64.to_be_bytes();
        expected[3..11].copy_from_slice(&at);
        expected.extend_from_slice(&[1; 16]);
        expected.extend_from_slice(b"\x05\x50");
        expected.extend_from_slice(&[2; 16]);
        expected.extend_from_slice(b"\x06\x64ines\x07\x64desk\x08\x66coffer");
        assert_eq!(entry(Event::VaultLocked).encode(), expected);
    }

    #[test]
    fn every_kind_of_member_reads_back() {
        let full =
            LogEntry { session: Some(SessionId::from_bytes([5; 16])), effect_tag: Some([6; 16]), ..entry(revealed()) };
        for entry in [
            full,
            entry(Event::UnlockFailuresCounted { count: u64::MAX }),
            entry(Event::EffectMissing { tenant: TenantId::from_bytes([3; 16]), entry: 9 }),
            entry(Event::AccountCreated(AccountId::from_bytes([7; 16]))),
        ] {
            assert_eq!(LogEntry::parse(&entry.encode()), Ok(entry));
        }
    }

    #[test]
    fn the_longest_entry_is_within_the_limit() {
        let long = MachineText::new(&"x".repeat(500));
        let entry = LogEntry {
            session: Some(SessionId::from_bytes([5; 16])),
            effect_tag: Some([6; 16]),
            os_user: long.clone(),
            host: long.clone(),
            program: long,
            ..entry(revealed())
        };
        assert!(entry.encode().len() <= MAX_ENTRY_BYTES);
    }

    #[test]
    fn attack_57_line_breaks_and_control_characters_are_encoded() {
        let forged = MachineText::new("desk\r\n2026-11-21 vault.locked\u{1b}[2K\u{202e}\u{7f}\\n");
        assert_eq!(forged.as_str(), "desk\\u{d}\\u{a}2026-11-21 vault.locked\\u{1b}[2K\\u{202e}\\u{7f}\\u{5c}n");
        let entry = LogEntry { host: forged, ..entry(Event::VaultLocked) };
        assert_eq!(LogEntry::parse(&entry.encode()), Ok(entry.clone()));
        // The same bytes with a raw line break in place of a letter are refused.
        let mut raw = entry.encode();
        let at = raw.windows(4).position(|bytes| bytes == b"desk").unwrap();
        raw[at] = b'\n';
        assert_eq!(LogEntry::parse(&raw), Err(InvalidEntry));
    }

    #[test]
    fn bytes_that_are_not_canonical_are_refused() {
        let good = entry(Event::VaultLocked).encode();
        let mut trailing = good.clone();
        trailing.push(0);
        let mut longer_number = good.clone();
        longer_number.splice(1..2, [0x18, 0x01]);
        let mut indefinite = good.clone();
        indefinite[0] = 0xbf;
        indefinite.push(0xff);
        let mut unknown = good.clone();
        unknown[0] += 1;
        unknown.extend_from_slice(&[0x11, 0x01]);
        let mut repeated = good.clone();
        repeated[0] += 1;
        repeated.splice(1..1, good[1..11].iter().copied());
        for bytes in [trailing, longer_number, indefinite, unknown, repeated, good[..good.len() - 1].to_vec()] {
            assert_eq!(LogEntry::parse(&bytes), Err(InvalidEntry), "{bytes:02x?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_is_the_only_encoding(bytes in proptest::collection::vec(any::<u8>(), 0..80), at in 0usize..200, with: u8) {
            prop_assert!(LogEntry::parse(&bytes).is_err());
            let mut changed = entry(revealed()).encode();
            if let Some(byte) = changed.get_mut(at) { *byte = with; }
            if let Ok(entry) = LogEntry::parse(&changed) {
                prop_assert_eq!(entry.encode(), changed);
            }
        }

        #[test]
        fn machine_text_is_one_plain_line_and_reads_back(raw in "\\PC{0,60}|[\\x00-\\x20\\\\\u{200b}]{0,40}") {
            let text = MachineText::new(&raw);
            prop_assert!(text.as_str().len() <= MachineText::MAX_BYTES);
            prop_assert!(!text.as_str().chars().any(char::is_control));
            prop_assert_eq!(MachineText::parse(text.as_str()), Some(text.clone()));
        }
    }
}

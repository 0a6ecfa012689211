//! Signed notes, and the checkpoints of the log that are written as such.
//! Spec: c2sp.org/signed-note@v1.0.0 with Ed25519 alone, c2sp.org/tlog-checkpoint. Pure: signing is an argument.
//!
//! ```text
//! coffer.log/<vault id>                     the note's text: for a checkpoint, origin,
//! 1700                                      size,
//! <root, base64>                            root
//!
//! — coffer/account/<id> <key id and signature, base64>
//! ```

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use coffer_model::id::{AccountId, VaultId};
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::merkle;

/// Most bytes of a note that is looked at. A manifest of a thousand tenants has about 200 KiB, the largest 3 MiB.
pub const MAX_NOTE_BYTES: usize = 4 * 1024 * 1024;
/// Room that a text leaves for signatures.
const SIGNATURES_BYTES: usize = 64 * 1024;
/// Most signatures of a note that is looked at; the specification asks for at least 16.
pub const MAX_SIGNATURES: usize = 16;
/// What stands before each signature: an em dash and a space.
const SIGNATURE_PREFIX: &str = "\u{2014} ";
/// The signature type of Ed25519.
const TYPE_ED25519: u8 = 1;
/// Bytes of an Ed25519 signature.
const SIGNATURE_BYTES: usize = 64;

/// The four bytes by which a signature line names its key, beside the key's name.
pub type KeyId = [u8; 4];

/// A key that signs notes, by its public half and its name.
#[derive(Clone, PartialEq, Eq)]
pub struct Signer {
    name: String,
    key: VerifyingKey,
    id: KeyId,
}

/// The name or the public key cannot be a note signer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a signer of notes")]
pub struct InvalidSigner;

impl Signer {
    /// Names a key. Refuses names the specification refuses, and points of small order.
    pub fn new(name: &str, public_key: &[u8; 32]) -> Result<Self, InvalidSigner> {
        if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+') {
            return Err(InvalidSigner);
        }
        let key = VerifyingKey::from_bytes(public_key).map_err(|_| InvalidSigner)?;
        if key.is_weak() {
            return Err(InvalidSigner);
        }
        let digest =
            Sha256::new().chain_update(name).chain_update([b'\n', TYPE_ED25519]).chain_update(public_key).finalize();
        let id = [digest[0], digest[1], digest[2], digest[3]];
        Ok(Self { name: name.to_owned(), key, id })
    }

    /// Names the signing key of an account.
    pub fn account(account: AccountId, public_key: &[u8; 32]) -> Result<Self, InvalidSigner> {
        Self::new(&format!("coffer/account/{account}"), public_key)
    }

    /// Names the key of the device that keeps a vault.
    pub fn device(vault: VaultId, public_key: &[u8; 32]) -> Result<Self, InvalidSigner> {
        Self::new(&format!("coffer/device/{vault}"), public_key)
    }

    /// The name in signature lines.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key id in signature lines.
    pub const fn key_id(&self) -> KeyId {
        self.id
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({}+{})", self.name, hex::encode(self.id))
    }
}

/// Why a text is no note that can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It has not the form of a signed note.
    #[error("not a signed note")]
    Malformed,
    /// None of the known keys signed it.
    #[error("no known key signed the note")]
    UnknownSigner,
    /// A signature that names a known key does not hold.
    #[error("a signature of the note does not hold")]
    BadSignature,
}

/// The text cannot be signed: empty, without a newline at its end, too long, or with control characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the text cannot be the text of a signed note")]
pub struct InvalidText;

/// A note whose form was checked, and its signatures not yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedNote<'a> {
    text: &'a str,
    signatures: Vec<NoteSignature<'a>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct NoteSignature<'a> {
    name: &'a str,
    key_id: KeyId,
    /// Of any length: unknown keys may sign by other algorithms.
    signature: Vec<u8>,
}

impl<'a> SignedNote<'a> {
    /// Parses the form. Nothing is to be believed before [`SignedNote::verify`].
    pub fn parse(note: &'a str) -> Result<Self, NoteError> {
        if note.len() > MAX_NOTE_BYTES || note.contains(|c: char| c < ' ' && c != '\n') {
            return Err(NoteError::Malformed);
        }
        // The last empty line parts text and signatures; the text keeps its newline.
        let at = note.rfind("\n\n").ok_or(NoteError::Malformed)?;
        let (text, signatures) = (&note[..=at], &note[at + 2..]);
        let lines = signatures.strip_suffix('\n').ok_or(NoteError::Malformed)?;
        let signatures: Vec<_> =
            lines.split('\n').take(MAX_SIGNATURES + 1).map(parse_signature).collect::<Result<_, _>>()?;
        if signatures.len() > MAX_SIGNATURES {
            return Err(NoteError::Malformed);
        }
        Ok(Self { text, signatures })
    }

    /// The text as it stands there, believed by nobody yet.
    pub const fn unverified_text(&self) -> &'a str {
        self.text
    }

    /// Gives the text if a known key signed it and no signature of a known key fails.
    pub fn verify(&self, known: &[Signer]) -> Result<&'a str, NoteError> {
        let mut verified = false;
        for line in &self.signatures {
            let signer = known.iter().find(|signer| signer.name == line.name && signer.id == line.key_id);
            let Some(signer) = signer else { continue };
            let signature = Signature::from_slice(&line.signature).map_err(|_| NoteError::BadSignature)?;
            signer.key.verify_strict(self.text.as_bytes(), &signature).map_err(|_| NoteError::BadSignature)?;
            verified = true;
        }
        if verified { Ok(self.text) } else { Err(NoteError::UnknownSigner) }
    }
}

fn parse_signature(line: &str) -> Result<NoteSignature<'_>, NoteError> {
    let (name, encoded) =
        line.strip_prefix(SIGNATURE_PREFIX).and_then(|rest| rest.split_once(' ')).ok_or(NoteError::Malformed)?;
    if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '+') {
        return Err(NoteError::Malformed);
    }
    let bytes = STANDARD.decode(encoded).map_err(|_| NoteError::Malformed)?;
    let (key_id, signature) = bytes.split_first_chunk().ok_or(NoteError::Malformed)?;
    if signature.is_empty() {
        return Err(NoteError::Malformed);
    }
    Ok(NoteSignature { name, key_id: *key_id, signature: signature.to_vec() })
}

/// Writes a note: `text`, an empty line, and the signature line of `signer`. `sign` signs the text as it is (Ed25519,
/// RFC 8032, nothing before it).
pub fn write_note(
    text: &str,
    signer: &Signer,
    sign: impl FnOnce(&str) -> [u8; SIGNATURE_BYTES],
) -> Result<String, InvalidText> {
    let control = text.contains(|c: char| c < ' ' && c != '\n');
    if control || !text.ends_with('\n') || text == "\n" || text.len() > MAX_NOTE_BYTES - SIGNATURES_BYTES {
        return Err(InvalidText);
    }
    let mut signature = signer.id.to_vec();
    signature.extend_from_slice(&sign(text));
    Ok(format!("{text}\n{SIGNATURE_PREFIX}{} {}\n", signer.name, STANDARD.encode(signature)))
}

/// What a checkpoint says: the log of this origin had this root at this size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// Root of the tree over them.
    pub root: merkle::Hash,
}

impl Checkpoint {
    /// The origin of a vault's log.
    pub fn origin_of(vault: VaultId) -> String {
        format!("coffer.log/{vault}")
    }

    /// The text of its note.
    pub fn encode(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    /// Parses the text of a note. Extension lines are refused: Coffer writes none.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let mut lines = text.strip_suffix('\n').ok_or(NoteError::Malformed)?.split('\n');
        let (Some(origin), Some(size), Some(root), None) = (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(NoteError::Malformed);
        };
        let root = STANDARD.decode(root).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(NoteError::Malformed)?;
        let size = parse_decimal(size).ok_or(NoteError::Malformed)?;
        if origin.is_empty() {
            return Err(NoteError::Malformed);
        }
        Ok(Self { origin: origin.to_owned(), size, root })
    }

    /// Parses a whole note, its signatures against `known`.
    pub fn open(note: &str, known: &[Signer]) -> Result<Self, NoteError> {
        Self::parse(SignedNote::parse(note)?.verify(known)?)
    }
}

/// A number in decimal digits, without sign and leading zeroes.
pub(crate) fn parse_decimal(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
pub(crate) mod tests {
    use ed25519_dalek::{Signer as _, SigningKey};

    use super::*;

    pub(crate) fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    pub(crate) fn signer(seed: u8) -> Signer {
        Signer::new(&format!("coffer/account/{seed}"), key(seed).verifying_key().as_bytes()).unwrap()
    }

    pub(crate) fn write(text: &str, seed: u8) -> String {
        write_note(text, &signer(seed), |text| key(seed).sign(text.as_bytes()).to_bytes()).unwrap()
    }

    #[test]
    fn the_note_of_another_implementation_verifies() {
        // Key and note of the examples in golang.org/x/mod/sumdb/note, the first implementation of the format.
        let public = STANDARD.decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").unwrap();
        let signer = Signer::new("PeterNeumann", public[1..].try_into().unwrap()).unwrap();
        assert_eq!(hex::encode(signer.key_id()), "c74f20a3");
        let note = "If you think cryptography is the answer to your problem,\n\
            then you don't know what your problem is.\n\n\
            \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        let parsed = SignedNote::parse(note).unwrap();
        assert!(parsed.verify(&[signer]).unwrap().ends_with("problem is.\n"));
        assert_eq!(parsed.verify(&[tests::signer(1)]), Err(NoteError::UnknownSigner));
    }

    #[test]
    fn the_examples_of_the_specifications_parse() {
        let note = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n\
            \u{2014} quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";
        let parsed = SignedNote::parse(note).unwrap();
        assert!(parsed.text.ends_with("sole:\n\ned è subito sera.\n"));
        assert_eq!(parsed.signatures[0].key_id, [0x36, 0x7b, 0xa0, 0x4b]);
        let checkpoint = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        let parsed = Checkpoint::parse(checkpoint).unwrap();
        assert_eq!((parsed.origin.as_str(), parsed.size), ("example.com/behind-the-sofa", 20_852_163));
        assert_eq!(parsed.encode(), checkpoint);
    }

    #[test]
    fn a_note_reads_back_and_every_changed_byte_is_noticed() {
        let checkpoint = Checkpoint { origin: "coffer.log/x".to_owned(), size: 3, root: [9; 32] };
        let note = write(&checkpoint.encode(), 1);
        assert_eq!(Checkpoint::open(&note, &[signer(2), signer(1)]), Ok(checkpoint));
        for at in 0..note.len() {
            let mut changed = note.clone().into_bytes();
            changed[at] ^= 1;
            if let Ok(changed) = String::from_utf8(changed) {
                assert!(Checkpoint::open(&changed, &[signer(1)]).is_err(), "byte {at}");
            }
        }
    }

    #[test]
    fn a_failing_signature_of_a_known_key_spoils_the_note_and_an_unknown_one_does_not() {
        let good = write("text\n", 1);
        let other = write("other\n", 2);
        let line = other.rsplit_once("\n\n").unwrap().1;
        let both = format!("{good}{line}");
        assert_eq!(SignedNote::parse(&both).unwrap().verify(&[signer(1)]), Ok("text\n"));
        assert_eq!(SignedNote::parse(&both).unwrap().verify(&[signer(1), signer(2)]), Err(NoteError::BadSignature));
    }

    #[test]
    fn other_forms_are_refused() {
        let note = write("text\n", 1);
        for bad in [
            String::new(),
            "text\n".to_owned(),
            note.trim_end().to_owned(),
            format!("{note}\n"),
            note.replace('\u{2014}', "-"),
            note.replace("text", "te\txt"),
            note.replace("text", "te\rxt"),
            note.replace("coffer/account/1", "coffer+account"),
            note.replace("coffer/account/1", "coffer\u{a0}account"),
            note.replace('\n', "\r\n"),
            format!("text\n\n{}", note.rsplit_once("\n\n").unwrap().1.repeat(MAX_SIGNATURES + 1)),
        ] {
            assert_eq!(SignedNote::parse(&bad), Err(NoteError::Malformed), "{bad:?}");
        }
        for bad in ["", "no newline", "\n", "bell\u{7}\n"] {
            assert_eq!(write_note(bad, &signer(1), |_| [0; 64]), Err(InvalidText), "{bad:?}");
        }
    }

    #[test]
    fn checkpoints_have_three_plain_lines() {
        let root = STANDARD.encode([1; 32]);
        for bad in [
            format!("o\n03\n{root}\n"),
            format!("o\n+3\n{root}\n"),
            format!("o\n\n{root}\n"),
            format!("o\n18446744073709551616\n{root}\n"),
            format!("\n3\n{root}\n"),
            format!("o\n3\n{root}\nextension\n"),
            format!("o\n3\n{}\n", STANDARD.encode([1; 31])),
            format!("o\n3\n{root}"),
        ] {
            assert_eq!(Checkpoint::parse(&bad), Err(NoteError::Malformed), "{bad:?}");
        }
        assert_eq!(Checkpoint::parse(&format!("o\n0\n{root}\n")).unwrap().size, 0);
    }

    #[test]
    fn weak_keys_and_bad_names_cannot_be_signers() {
        assert_eq!(Signer::new("x", &[0; 32]), Err(InvalidSigner));
        let public = key(1).verifying_key().to_bytes();
        for name in ["", "a b", "a+b", "a\nb"] {
            assert_eq!(Signer::new(name, &public), Err(InvalidSigner));
        }
    }
}

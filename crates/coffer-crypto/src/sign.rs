//! Signatures: Ed25519 (RFC 8032) over a label and a message, so that a signature made for one purpose is none for
//! another. Layout: docs/FORMAT.md §4.8. Pure: Ed25519 needs no randomness to sign.

use std::fmt;

use ed25519_dalek::Signer;

use crate::label::Label;
use crate::secret::SigningSeed;

/// Length of a signature.
pub const SIGNATURE_BYTES: usize = 64;
/// Length of a verifying key.
pub const VERIFYING_KEY_BYTES: usize = 32;

/// The signature is not this key's over this label and message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not hold")]
pub struct SignatureError;

/// The bytes are no Ed25519 public key, or one of the weak ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a verifying key")]
pub struct VerifyingKeyError;

/// Signs. Made from the [`SigningSeed`] that is kept wrapped; erased on drop.
pub struct SigningKey(Box<ed25519_dalek::SigningKey>);

impl SigningKey {
    /// Derives the key pair of a seed (RFC 8032 §5.1.5).
    pub fn from_seed(seed: &SigningSeed) -> Self {
        Self(Box::new(ed25519_dalek::SigningKey::from_bytes(seed.expose())))
    }

    /// The public half.
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(self.0.verifying_key())
    }

    /// Signs `message` for the purpose `label`.
    pub fn sign(&self, label: Label, message: &[u8]) -> [u8; SIGNATURE_BYTES] {
        self.0.sign(&labelled(label, message)).to_bytes()
    }

    /// Signs the text of a C2SP signed note, which fixes the signed bytes and so leaves no room for a label.
    ///
    /// It cannot be confused with [`SigningKey::sign`]: what that signs begins with a zero byte, which a note's text
    /// may not contain.
    pub fn sign_note(&self, text: &str) -> [u8; SIGNATURE_BYTES] {
        self.0.sign(text.as_bytes()).to_bytes()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

/// Verifies. Public.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyingKey(ed25519_dalek::VerifyingKey);

impl VerifyingKey {
    /// Parses a public key; refuses points of small order, for which signatures can hold over anything.
    pub fn parse(bytes: &[u8]) -> Result<Self, VerifyingKeyError> {
        let bytes = bytes.try_into().map_err(|_| VerifyingKeyError)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| VerifyingKeyError)?;
        if key.is_weak() { Err(VerifyingKeyError) } else { Ok(Self(key)) }
    }

    /// The 32 bytes of RFC 8032 §5.1.5.
    pub fn encode(&self) -> [u8; VERIFYING_KEY_BYTES] {
        self.0.to_bytes()
    }

    /// Verifies what [`SigningKey::sign`] made, strictly: one signature for one message and key, no malleable forms.
    pub fn verify(&self, label: Label, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        self.verify_bytes(&labelled(label, message), signature)
    }

    /// Verifies what [`SigningKey::sign_note`] made.
    pub fn verify_note(&self, text: &str, signature: &[u8]) -> Result<(), SignatureError> {
        if text.as_bytes().contains(&0) {
            return Err(SignatureError);
        }
        self.verify_bytes(text.as_bytes(), signature)
    }

    fn verify_bytes(&self, signed: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let signature = ed25519_dalek::Signature::from_slice(signature).map_err(|_| SignatureError)?;
        self.0.verify_strict(signed, &signature).map_err(|_| SignatureError)
    }
}

/// Label with its length, then the message to its end.
fn labelled(label: Label, message: &[u8]) -> Vec<u8> {
    let mut signed = label.encode();
    signed.extend_from_slice(message);
    signed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label;
    use crate::secret::SecretKey;

    fn key() -> SigningKey {
        SigningKey::from_seed(&SigningSeed::parse(&[7; 32]).unwrap())
    }

    #[test]
    fn a_signature_holds_for_its_label_its_message_and_its_key_only() {
        let signature = key().sign(label::STATEMENT, b"grant");
        let verifying = key().verifying_key();
        assert_eq!(verifying.verify(label::STATEMENT, b"grant", &signature), Ok(()));
        assert_eq!(verifying.verify(label::BACKUP_PLAN_SIGNATURE, b"grant", &signature), Err(SignatureError));
        assert_eq!(verifying.verify(label::STATEMENT, b"grand", &signature), Err(SignatureError));
        assert_eq!(verifying.verify(label::STATEMENT, b"grant", &signature[1..]), Err(SignatureError));
        let other = SigningKey::from_seed(&SigningSeed::parse(&[8; 32]).unwrap()).verifying_key();
        assert_eq!(other.verify(label::STATEMENT, b"grant", &signature), Err(SignatureError));
    }

    #[test]
    fn a_labelled_signature_never_holds_as_a_note() {
        let signature = key().sign(label::STATEMENT, b"grant");
        let as_text = String::from_utf8(labelled(label::STATEMENT, b"grant")).unwrap();
        assert_eq!(key().verifying_key().verify_note(&as_text, &signature), Err(SignatureError));
        let note = key().sign_note("log\n1\n");
        assert_eq!(key().verifying_key().verify_note("log\n1\n", &note), Ok(()));
    }

    #[test]
    fn a_verifying_key_of_small_order_is_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(VerifyingKey::parse(&identity), Err(VerifyingKeyError));
        assert_eq!(VerifyingKey::parse(&[0; 31]), Err(VerifyingKeyError));
        let encoded = key().verifying_key().encode();
        assert_eq!(VerifyingKey::parse(&encoded), Ok(key().verifying_key()));
    }
}

//! Sealing to people: HPKE base mode (RFC 9180) with X-Wing, HKDF-SHA-256 and AES-256-GCM, and a commitment beside it.
//! Layout: docs/FORMAT.md §4.7. Pure: randomness is an argument.
//!
//! X-Wing joins ML-KEM-768 and X25519, so that a copy taken today stays closed to a quantum computer as well. HPKE does
//! not say who sealed; where that matters, a signed statement covers the sealing.
//!
//! ```text
//! sealed  = enc (1,120 bytes) ‖ c (32 bytes) ‖ ciphertext and tag        info = label ‖ SHA-256(fields)
//! c       = Export(label, 32)                                             RFC 9180 §5.3
//! ```
//!
//! **Many messages under one encapsulation** ([`SealingSession`]): HPKE's own sequence opens only in order, but a page
//! of the log or one disclosed entry must open alone. So the session exports a secret and every message has a key of
//! its own: `key(n) = HKDF-Expand(Export(label, 32), label ‖ SHA-256(n), 32)`, AES-256-GCM with zero nonce.

use std::fmt;

use hpke::aead::{AeadCtxR, AeadCtxS, AesGcm256};
use hpke::kdf::HkdfSha256;
use hpke::kem::{Kem, XWing};
use hpke::{Deserializable, OpModeR, OpModeS, Serializable};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::Random;
use crate::aead::{self, TAG_BYTES};
use crate::derive;
use crate::label::{self, Context};
use crate::secret::sealed::Buffer;
use crate::secret::{MacKey, SealingSeed, SecretBytes, SecretKey};

/// Length of a public key: ML-KEM-768's 1,184 bytes, X25519's 32.
pub const PUBLIC_KEY_BYTES: usize = 1216;
/// Length of an encapsulation: ML-KEM-768's 1,088 bytes, X25519's 32.
const ENCAPSULATION_BYTES: usize = 1120;
const COMMITMENT_BYTES: usize = 32;
/// How much longer sealed content is than the content.
pub const OVERHEAD_BYTES: usize = ENCAPSULATION_BYTES + COMMITMENT_BYTES + TAG_BYTES;
/// Length of a session's header.
pub const SESSION_HEADER_BYTES: usize = ENCAPSULATION_BYTES + COMMITMENT_BYTES;
/// Most messages of one session; then a new one is started, so that a leaked session secret opens no more than these.
pub const SESSION_MAX_MESSAGES: u32 = 1000;

type Sender = AeadCtxS<AesGcm256, HkdfSha256, XWing>;
type Receiver = AeadCtxR<AesGcm256, HkdfSha256, XWing>;

/// The bytes are no X-Wing public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a sealing key")]
pub struct SealingKeyError;

/// Why something sealed does not open. One case: another key, another context and an altered byte cannot be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key does not open this, or it was altered")]
pub struct OpenSealedError;

/// The session has sealed [`SESSION_MAX_MESSAGES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sealing session is used up")]
pub struct SessionFull;

/// To whom content is sealed. Public.
#[derive(Clone, PartialEq, Eq)]
pub struct SealingPublicKey(Box<<XWing as Kem>::PublicKey>);

impl SealingPublicKey {
    /// Parses a public key, with the checks of FIPS 203 §7.2.
    pub fn parse(bytes: &[u8]) -> Result<Self, SealingKeyError> {
        <XWing as Kem>::PublicKey::from_bytes(bytes).map(|key| Self(Box::new(key))).map_err(|_| SealingKeyError)
    }

    /// The key's bytes ([`PUBLIC_KEY_BYTES`]).
    pub fn encode(&self) -> Vec<u8> {
        self.0.to_bytes().to_vec()
    }
}

impl fmt::Debug for SealingPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingPublicKey(X-Wing)")
    }
}

/// Opens what is sealed to its public half. Derived from the [`SealingSeed`] that is kept wrapped.
pub struct SealingKeyPair {
    private: Box<<XWing as Kem>::PrivateKey>,
    public: SealingPublicKey,
}

impl SealingKeyPair {
    /// Derives the pair: the seed is X-Wing's private key as it is.
    pub fn from_seed(seed: &SealingSeed) -> Self {
        let private =
            <XWing as Kem>::PrivateKey::from_bytes(seed.expose()).expect("X-Wing's private keys are any 32 bytes");
        let public = SealingPublicKey(Box::new(XWing::sk_to_pk(&private)));
        Self { private: Box::new(private), public }
    }

    /// The public half.
    pub const fn public_key(&self) -> &SealingPublicKey {
        &self.public
    }

    /// Sets up the receiver's side and checks the commitment.
    fn receive(&self, parts: &Parts<'_>, context: &Context) -> Result<Receiver, OpenSealedError> {
        let encapsulation =
            <XWing as Kem>::EncappedKey::from_bytes(parts.encapsulation).map_err(|_| OpenSealedError)?;
        let receiver: Receiver =
            hpke::setup_receiver(&OpModeR::<XWing>::Base, self.private.as_ref(), &encapsulation, &context.info())
                .map_err(|_| OpenSealedError)?;
        let mut expected = [0; COMMITMENT_BYTES];
        receiver
            .export(&label::SEAL_COMMITMENT.encode(), &mut expected)
            .expect("32 bytes are below the exporter's limit");
        if bool::from(expected.ct_eq(parts.commitment)) { Ok(receiver) } else { Err(OpenSealedError) }
    }
}

impl fmt::Debug for SealingKeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKeyPair(..)")
    }
}

/// Seals content to a public key, for `context` alone. The result is [`OVERHEAD_BYTES`] longer than the content.
pub fn seal_to(to: &SealingPublicKey, plaintext: &[u8], context: &Context, random: &mut dyn Random) -> Vec<u8> {
    let (mut out, mut sender) = send(to, context, plaintext.len() + TAG_BYTES, random);
    let start = out.len();
    out.extend_from_slice(plaintext);
    let tag = sender
        .seal_inout_detached((&mut out[start..]).into(), &[])
        .expect("the first message is below HPKE's limit, and content in memory below GCM's");
    out.extend_from_slice(&tag.to_bytes());
    out
}

/// Opens what [`seal_to`] sealed to this pair in the same context.
pub fn open_sealed(pair: &SealingKeyPair, sealed: &[u8], context: &Context) -> Result<SecretBytes, OpenSealedError> {
    let parts = Parts::parse(sealed)?;
    let mut receiver = pair.receive(&parts, context)?;
    let (ciphertext, tag) = parts.rest.split_last_chunk::<TAG_BYTES>().ok_or(OpenSealedError)?;
    let tag = hpke::aead::AeadTag::from_bytes(tag).map_err(|_| OpenSealedError)?;
    let mut plaintext = SecretBytes::for_decryption(ciphertext);
    receiver.open_inout_detached(plaintext.buffer().into(), &[], &tag).map_err(|_| OpenSealedError)?;
    Ok(plaintext)
}

/// Seals a key to a public key.
pub fn seal_key_to<K: SecretKey>(
    to: &SealingPublicKey,
    key: &K,
    context: &Context,
    random: &mut dyn Random,
) -> Vec<u8> {
    seal_to(to, key.expose_bytes(), context, random)
}

/// Opens what [`seal_key_to`] sealed.
pub fn open_sealed_key<K: SecretKey>(
    pair: &SealingKeyPair,
    sealed: &[u8],
    context: &Context,
) -> Result<K, OpenSealedError> {
    let opened = open_sealed(pair, sealed, context)?;
    K::parse(opened.expose()).map_err(|_| OpenSealedError)
}

/// Seals one message after another to one public key; each can be opened alone.
pub struct SealingSession {
    header: Vec<u8>,
    secret: MacKey,
    next: u32,
}

impl SealingSession {
    /// Starts a session. Its [`SealingSession::header`] is stored once, before its messages.
    pub fn start(to: &SealingPublicKey, context: &Context, random: &mut dyn Random) -> Self {
        let (header, sender) = send(to, context, 0, random);
        let secret = session_secret(|label, out| sender.export(label, out));
        Self { header, secret, next: 0 }
    }

    /// What the receiver needs besides the messages ([`SESSION_HEADER_BYTES`]).
    pub fn header(&self) -> &[u8] {
        &self.header
    }

    /// Seals a message and gives its number, counted from 0. `associated` is authenticated with it, not stored.
    pub fn seal(&mut self, plaintext: &[u8], associated: &[u8]) -> Result<(u32, Vec<u8>), SessionFull> {
        let number = self.next;
        if number >= SESSION_MAX_MESSAGES {
            return Err(SessionFull);
        }
        self.next += 1;
        let mut out = Vec::with_capacity(plaintext.len() + TAG_BYTES);
        out.extend_from_slice(plaintext);
        let tag = aead::encrypt_once(message_key(&self.secret, number).expose(), associated, &mut out);
        out.extend_from_slice(&tag);
        Ok((number, out))
    }

    /// How many messages it will still take.
    pub const fn remaining(&self) -> u32 {
        SESSION_MAX_MESSAGES - self.next
    }
}

impl fmt::Debug for SealingSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealingSession").field("next", &self.next).finish_non_exhaustive()
    }
}

/// Opens the messages of one [`SealingSession`], in any order.
pub struct OpeningSession {
    secret: MacKey,
}

impl OpeningSession {
    /// Takes up a session from its header.
    pub fn start(pair: &SealingKeyPair, header: &[u8], context: &Context) -> Result<Self, OpenSealedError> {
        let parts = Parts::parse(header)?;
        if !parts.rest.is_empty() {
            return Err(OpenSealedError);
        }
        let receiver = pair.receive(&parts, context)?;
        Ok(Self { secret: session_secret(|label, out| receiver.export(label, out)) })
    }

    /// Opens the message of this number.
    pub fn open(&self, number: u32, associated: &[u8], sealed: &[u8]) -> Result<SecretBytes, OpenSealedError> {
        if number >= SESSION_MAX_MESSAGES {
            return Err(OpenSealedError);
        }
        let (ciphertext, tag) = sealed.split_last_chunk::<TAG_BYTES>().ok_or(OpenSealedError)?;
        let mut plaintext = SecretBytes::for_decryption(ciphertext);
        let key = message_key(&self.secret, number);
        aead::decrypt_once(key.expose(), associated, plaintext.buffer(), tag).map_err(|_| OpenSealedError)?;
        Ok(plaintext)
    }
}

impl fmt::Debug for OpeningSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpeningSession(..)")
    }
}

/// Encapsulates, and writes `enc ‖ c` into a vector with room for `more` bytes.
fn send(to: &SealingPublicKey, context: &Context, more: usize, random: &mut dyn Random) -> (Vec<u8>, Sender) {
    let mut drawn = Drawn::from(random);
    let (encapsulation, sender): (_, Sender) =
        hpke::setup_sender_with_rng(&OpModeS::<XWing>::Base, to.0.as_ref(), &context.info(), &mut drawn)
            .expect("encapsulation to a parsed X-Wing key cannot fail");
    let mut commitment = [0; COMMITMENT_BYTES];
    sender.export(&label::SEAL_COMMITMENT.encode(), &mut commitment).expect("32 bytes are below the exporter's limit");
    let mut out = Vec::with_capacity(SESSION_HEADER_BYTES + more);
    out.extend_from_slice(&encapsulation.to_bytes());
    out.extend_from_slice(&commitment);
    (out, sender)
}

/// `enc ‖ c`, and what comes after it.
struct Parts<'a> {
    encapsulation: &'a [u8; ENCAPSULATION_BYTES],
    commitment: &'a [u8; COMMITMENT_BYTES],
    rest: &'a [u8],
}

impl<'a> Parts<'a> {
    fn parse(sealed: &'a [u8]) -> Result<Self, OpenSealedError> {
        let (encapsulation, rest) = sealed.split_first_chunk().ok_or(OpenSealedError)?;
        let (commitment, rest) = rest.split_first_chunk().ok_or(OpenSealedError)?;
        Ok(Self { encapsulation, commitment, rest })
    }
}

fn session_secret(export: impl FnOnce(&[u8], &mut [u8]) -> Result<(), hpke::HpkeError>) -> MacKey {
    MacKey::fill_with(|buffer| {
        export(&label::SEAL_SESSION_SECRET.encode(), buffer).expect("32 bytes are below the exporter's limit");
    })
}

fn message_key(secret: &MacKey, number: u32) -> MacKey {
    derive::expand(secret, &Context::new(label::SEAL_SESSION_MESSAGE).u64(number.into()))
}

/// Randomness drawn beforehand, in the shape hpke takes it: X-Wing's encapsulation uses exactly 64 bytes
/// (draft-connolly-cfrg-xwing-kem §5.4).
struct Drawn {
    bytes: Zeroizing<[u8; Self::BYTES]>,
    used: usize,
}

impl Drawn {
    const BYTES: usize = 64;

    fn from(random: &mut dyn Random) -> Self {
        let mut bytes = Zeroizing::new([0; Self::BYTES]);
        random.fill(bytes.as_mut_slice());
        Self { bytes, used: 0 }
    }

    fn take(&mut self, out: &mut [u8]) {
        let end = self.used + out.len();
        out.copy_from_slice(self.bytes.get(self.used..end).expect("an encapsulation uses 64 bytes"));
        self.bytes[self.used..end].zeroize();
        self.used = end;
    }
}

impl rand_core::TryRng for Drawn {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        self.take(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        self.take(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        self.take(out);
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Drawn {}

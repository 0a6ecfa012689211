"""Cryptography (docs/FORMAT.md §4). The recovery kit needs no passphrase: §4.2, §4.3 and §4.5 are in account.py."""

import hashlib
import hmac

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .refused import Refused, require


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def hmac_sha256(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


def equal(left, right):
    return hmac.compare_digest(left, right)


# §4.1 Labels and contexts


def u64(number):
    return number.to_bytes(8, "big")


def field(data):
    return u64(len(data)) + data


def label(name):
    return field(b"coffer/1/" + name.encode())


def info(name, *fields):
    return label(name) + sha256(*(field(part) for part in fields))


# §4.6 Derived keys (HKDF: RFC 5869)


def expand(prk, context, length):
    out, block, counter = b"", b"", 1
    while len(out) < length:
        block = hmac_sha256(prk, block, context, bytes([counter]))
        out += block
        counter += 1
    return out[:length]


def extract(salt, ikm):
    return hmac_sha256(salt or bytes(32), ikm)


def mac(key, name, message):
    return hmac_sha256(key, label(name), message)


# §4.4 Wrapping


def unwrap(wrapping_key, wrapped, context):
    salt, commitment, ciphertext = wrapped[:32], wrapped[32:64], wrapped[64:]
    keys = expand(extract(salt, wrapping_key), context, 64)
    require(equal(keys[32:], commitment), "wrapped under another key, or for something else")
    return _open_aead(keys[:32], bytes(12), ciphertext, b"")


def _open_aead(key, nonce, ciphertext, associated):
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, associated)
    except (InvalidTag, ValueError) as error:
        raise Refused("ciphertext does not authenticate") from error


# §4.11 Attachments


def open_chunk(key, nonce, ciphertext, header_digest):
    return _open_aead(key, nonce, ciphertext, header_digest)


# §4.7 Sealing: HPKE base mode with X-Wing, HKDF-SHA256, AES-256-GCM


def x25519_public(private_key):
    return _raw(X25519PrivateKey.from_private_bytes(private_key).public_key())


class XWing:
    """A key pair of draft-connolly-cfrg-xwing-kem, from its 32-byte private key."""

    ENCAPSULATION = 1120

    def __init__(self, private):
        expanded = hashlib.shake_256(private).digest(96)
        self._ml_kem = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
        self._x25519 = X25519PrivateKey.from_private_bytes(expanded[64:])
        self.public = self._ml_kem.public_key().public_bytes_raw() + _raw(self._x25519.public_key())

    def decapsulate(self, enc):
        enc_m, enc_x = enc[:1088], enc[1088:]
        try:
            shared_m = self._ml_kem.decapsulate(enc_m)
            shared_x = self._x25519.exchange(X25519PublicKey.from_public_bytes(enc_x))
        except ValueError as error:
            raise Refused("no encapsulation") from error
        return hashlib.sha3_256(shared_m + shared_x + enc_x + self.public[1184:] + b"\\.//^\\").digest()


class HpkeContext:
    """RFC 9180 §5.1 with mode_base; KEM 0x647a, KDF 0x0001, AEAD 0x0002."""

    _SUITE = b"HPKE\x64\x7a\x00\x01\x00\x02"

    def __init__(self, shared, context):
        schedule = b"\x00" + self._extract(b"", b"psk_id_hash", b"") + self._extract(b"", b"info_hash", context)
        secret = self._extract(shared, b"secret", b"")
        self.key = self._expand(secret, b"key", schedule, 32)
        self.nonce = self._expand(secret, b"base_nonce", schedule, 12)
        self._exporter = self._expand(secret, b"exp", schedule, 32)

    def export(self, context):
        return self._expand(self._exporter, b"sec", context, 32)

    def _extract(self, salt, name, ikm):
        return extract(salt, b"HPKE-v1" + self._SUITE + name + ikm)

    def _expand(self, prk, name, context, length):
        return expand(prk, length.to_bytes(2, "big") + b"HPKE-v1" + self._SUITE + name + context, length)


def _receive(pair, header, context):
    require(len(header) == XWing.ENCAPSULATION + 32, "no header of a sealing")
    enc, commitment = header[: XWing.ENCAPSULATION], header[XWing.ENCAPSULATION :]
    hpke = HpkeContext(pair.decapsulate(enc), context)
    require(equal(hpke.export(label("seal/commitment")), commitment), "sealed to another key, or for something else")
    return hpke


def open_sealed(pair, sealed, context):
    header, ciphertext = sealed[: XWing.ENCAPSULATION + 32], sealed[XWing.ENCAPSULATION + 32 :]
    hpke = _receive(pair, header, context)
    return _open_aead(hpke.key, hpke.nonce, ciphertext, b"")


def open_sealed_by_any(pairs, sealed, context):
    """Of a pair that was replaced, whichever it was sealed to: the newest is the likeliest."""
    return _by_any(pairs, lambda pair: open_sealed(pair, sealed, context))


def open_session_by_any(pairs, header, context):
    return _by_any(pairs, lambda pair: SealedSession(pair, header, context))


def _by_any(pairs, opens):
    for pair in reversed(pairs):
        try:
            return opens(pair)
        except Refused:
            continue
    raise Refused("sealed to none of these keys")


class SealedSession:
    """The receiving side of many messages sealed in one context."""

    def __init__(self, pair, header, context):
        self._secret = _receive(pair, header, context).export(label("seal/session-secret"))

    def open(self, number, ciphertext, associated):
        require(0 <= number < 1000, "a session has at most 1,000 messages")
        key = expand(self._secret, info("seal/session-message", u64(number)), 32)
        return _open_aead(key, bytes(12), ciphertext, associated)


# §4.8 Signatures

_P = 2**255 - 19
# y-coordinates of the points whose order divides 8 (RFC 8032's curve).
_Y8 = 2707385501144840649318225287225658788936804267575313519463743609750303402022
_SMALL_ORDER = {0, 1, _P - 1, _Y8, _P - _Y8}


def _require_strict_point(encoded):
    y = int.from_bytes(encoded, "little") & (1 << 255) - 1
    require(y < _P and y not in _SMALL_ORDER, "a point that is not canonical, or of small order")


def check_verifying_key(key):
    require(len(key) == 32, "no Ed25519 public key")
    _require_strict_point(key)


def verify(key, message, signature):
    """Ed25519, strictly; the library checks s < L and the equation without cofactor."""
    check_verifying_key(key)
    require(len(signature) == 64, "no signature")
    _require_strict_point(signature[:32])
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature as error:
        raise Refused("the signature does not hold") from error


def verifying_key(seed):
    return _raw(Ed25519PrivateKey.from_private_bytes(seed).public_key())


def _raw(key):
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)

"""Writes frozen.json: Coffer's own test vectors, computed from docs/FORMAT.md without any Coffer code.

Needs the `cryptography` package (48 or newer, on OpenSSL 3.5 or newer, for Argon2id and ML-KEM). Encapsulation is
random, so the sealed vectors differ at each run; the file is made once and kept.
"""

import hashlib
import hmac
import json
import pathlib
import unicodedata

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def sha256(data):
    return hashlib.sha256(data).digest()


def mac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def u64(number):
    return number.to_bytes(8, "big")


def field(data):
    return u64(len(data)) + data


def label(name):
    return field(b"coffer/1/" + name.encode())


def info(name, *fields):
    return label(name) + sha256(b"".join(field(part) for part in fields))


def expand(prk, context, length):
    out, block, counter = b"", b"", 1
    while len(out) < length:
        block = mac(prk, block + context + bytes([counter]))
        out += block
        counter += 1
    return out[:length]


def extract(salt, ikm):
    return mac(salt or bytes(32), ikm)


def hkdf(salt, ikm, context, length):
    return expand(extract(salt, ikm), context, length)


def raw(key):
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def wrap(wrapping_key, plaintext, context, salt):
    okm = hkdf(salt, wrapping_key, context, 64)
    return salt + okm[32:] + AESGCM(okm[:32]).encrypt(bytes(12), plaintext, b"")


def slot_key(passphrase, salt, memory, passes, lanes, device, key_file, mask, vault, account, slot):
    a = Argon2id(salt=salt, length=32, iterations=passes, lanes=lanes, memory_cost=memory).derive(passphrase)
    params = sha256(info("kdf-params", u64(1), u64(memory), u64(passes), u64(lanes)))
    context = info("slot-key", vault, account, slot, u64(mask), params)
    return hkdf(b"", a + device + key_file, context, 32)


def cbor_head(major, number):
    for size, marker in ((1, 24), (2, 25), (4, 26), (8, 27)):
        if number < 24:
            return bytes([major << 5 | number])
        if number < 1 << 8 * size:
            return bytes([major << 5 | marker]) + number.to_bytes(size, "big")
    raise ValueError(number)


def cbor_map(fields):
    out = cbor_head(5, len(fields))
    for number, value in enumerate(fields):
        out += cbor_head(0, number)
        out += cbor_head(2, len(value)) + value if isinstance(value, bytes) else cbor_head(0, value)
    return out


class XWing:
    """draft-connolly-cfrg-xwing-kem."""

    def __init__(self, private):
        expanded = hashlib.shake_256(private).digest(96)
        self.ml_kem = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
        self.x25519 = X25519PrivateKey.from_private_bytes(expanded[64:])
        self.public = self.ml_kem.public_key().public_bytes_raw() + raw(self.x25519.public_key())

    def encapsulate(self):
        shared_m, enc_m = self.ml_kem.public_key().encapsulate()
        ephemeral = X25519PrivateKey.generate()
        public_x = self.public[1184:]
        shared_x = ephemeral.exchange(X25519PublicKey.from_public_bytes(public_x))
        enc_x = raw(ephemeral.public_key())
        shared = hashlib.sha3_256(shared_m + shared_x + enc_x + public_x + b"\\.//^\\").digest()
        return shared, enc_m + enc_x


class Hpke:
    """RFC 9180 section 5.1, mode_base, KEM 0x647a, KDF 0x0001, AEAD 0x0002."""

    SUITE = b"HPKE\x64\x7a\x00\x01\x00\x02"

    def __init__(self, shared, context):
        schedule = b"\x00" + self.extract(b"", b"psk_id_hash", b"") + self.extract(b"", b"info_hash", context)
        secret = self.extract(shared, b"secret", b"")
        self.key = self.expand(secret, b"key", schedule, 32)
        self.nonce = self.expand(secret, b"base_nonce", schedule, 12)
        self.exporter = self.expand(secret, b"exp", schedule, 32)

    def extract(self, salt, name, ikm):
        return extract(salt, b"HPKE-v1" + self.SUITE + name + ikm)

    def expand(self, prk, name, context, length):
        return expand(prk, length.to_bytes(2, "big") + b"HPKE-v1" + self.SUITE + name + context, length)

    def export(self, context):
        return self.expand(self.exporter, b"sec", context, 32)


CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def times(a, b):
    """Product in GF(2)[x] / (x^5 + x^2 + 1)."""
    product = 0
    for bit in range(5):
        if b >> bit & 1:
            product ^= a << bit
    for bit in range(8, 4, -1):
        if product >> bit & 1:
            product ^= 0b100101 << (bit - 5)
    return product


def in_fives(data, length):
    """The first `length` values of five bits each, zeros behind the data."""
    bits = "".join(f"{byte:08b}" for byte in data).ljust(5 * length, "0")
    return [int(bits[start : start + 5], 2) for start in range(0, 5 * length, 5)]


def recovery_code(seed):
    return in_groups(in_fives(seed, 52) + in_fives(sha256(label("recovery/checksum") + seed), 4))


def in_groups(values):
    groups = []
    for number, start in enumerate(range(0, len(values), 4)):
        group = values[start : start + 4]
        check, power = number, 1
        for value in group:
            power = times(power, 2)
            check ^= times(power, value)
        groups.append("".join(CROCKFORD[value] for value in group + [check]))
    return " ".join(groups)


def times_256(a, b):
    """Product in GF(2)[x] / (x^8 + x^4 + x^3 + x + 1)."""
    product = 0
    for bit in range(8):
        if b >> bit & 1:
            product ^= a << bit
    for bit in range(14, 7, -1):
        if product >> bit & 1:
            product ^= 0b100011011 << (bit - 8)
    return product


def share(seed, coefficients, number, count, digest):
    """Values of the groups before the checksum: `coefficients` are those of x, x^2 and so on, each of 32 bytes."""
    value = bytearray(seed)
    power = 1
    for coefficient in coefficients:
        power = times_256(power, number)
        value = bytearray(byte ^ times_256(power, factor) for byte, factor in zip(value, coefficient))
    return bytes([number, len(coefficients) + 1, count, 0] + in_fives(value, 52) + in_fives(digest, 8))


BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def bech32(hrp, data):
    bits = "".join(f"{byte:08b}" for byte in data)
    bits += "0" * (-len(bits) % 5)
    values = [int(bits[start : start + 5], 2) for start in range(0, len(bits), 5)]
    checksum = 1
    for value in [ord(c) >> 5 for c in hrp] + [0] + [ord(c) & 31 for c in hrp] + values + [0] * 6:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            checksum ^= generator if top >> bit & 1 else 0
    checksum ^= 1
    values += [checksum >> 5 * (5 - position) & 31 for position in range(6)]
    return hrp + "1" + "".join(BECH32[value] for value in values)


def attachment(wrapping_key, scope, file, content, key, salt):
    secret = key + u64(len(content))
    header = b"coffer.file/v1\n\x00" + file + wrap(wrapping_key, secret, info("wrap/file-key", *scope, file), salt)
    length = max(len(content), 1024)
    exponent = length.bit_length() - 1
    mask = (1 << exponent - exponent.bit_length()) - 1
    padded = content.ljust(length + mask & ~mask, b"\x00")
    chunks = [padded[at : at + 65536] for at in range(0, len(padded), 65536)]
    sealed = b""
    for number, chunk in enumerate(chunks):
        nonce = number.to_bytes(11, "big") + bytes([number == len(chunks) - 1])
        sealed += AESGCM(key).encrypt(nonce, chunk, sha256(header))
    return header, sealed


def main():
    vault, account, slot, tenant, file = (bytes([byte]) * 16 for byte in (1, 2, 3, 4, 5))
    salt, wrap_salt = bytes(range(32)), bytes(range(32, 64))
    master, tenant_key, directory_key, seed = (bytes([byte]) * 32 for byte in (0x11, 0x12, 0x13, 0x14))
    out = {}

    passphrase = unicodedata.normalize("NFC", "Zu\u0308rcher Geschnetzeltes \U0001f98a")
    out["passphrase_normal"] = passphrase.encode()
    device, key_file = bytes([0x21]) * 32, sha256(b"key file")
    key = slot_key(passphrase.encode(), salt, 512, 2, 2, device, key_file, 3, vault, account, slot)
    out["slot_key"] = key
    wrapped = wrap(key, master, info("wrap/account-master-key", vault, account, slot, u64(1)), wrap_salt)
    out["slot"] = cbor_map([slot, 1, 1, 512, 2, 2, salt, 3, wrapped])

    out["wrapped"] = wrap(master, tenant_key, info("wrap/tenant-key", vault, tenant, u64(1)), wrap_salt)
    out["sealed_state"] = wrap(master, b"state", info("sealed-state", vault, account), wrap_salt)

    scope = (vault, tenant, u64(7))
    out["tenant_database_key"] = expand(tenant_key, info("tenant-database-key", *scope), 48)
    out["tag_key"] = expand(tenant_key, info("tag-key", *scope), 32)
    out["file_wrapping_key"] = expand(tenant_key, info("file-wrapping-key", *scope), 32)
    out["kid"] = expand(tenant_key, info("kid", *scope), 32)
    out["directory_database_key"] = expand(directory_key, info("directory-database-key", vault), 48)
    out["header_mac"] = mac(expand(directory_key, info("header-mac-key", vault), 32), label("header-mac") + b"header")
    entry_key = expand(master, info("account-entry-mac-key", vault, account), 32)
    out["account_entry_mac"] = mac(entry_key, label("account-entry-mac") + b"entry")
    out["write_tag"] = mac(out["tag_key"], label("write-tag") + u64(5))[:16]
    out["login_lookup"] = mac(salt, label("login-lookup") + b"anna")
    out["decoy_salt"] = mac(salt, label("decoy-salt") + b"anna")
    out["decoy_id"] = mac(salt, label("unlock-decoy") + b"anna")[:16]

    content = bytes(at % 251 for at in range(70_000))
    header, sealed = attachment(out["file_wrapping_key"], scope, file, content, bytes([0x15]) * 32, wrap_salt)
    out["attachment_header"], out["attachment_sha256"] = header, sha256(header + sealed)
    digest_key = expand(tenant_key, info("file-digest-key", *scope), 32)
    out["attachment_content_digest"] = mac(digest_key, label("file-digest") + content)

    signing = Ed25519PrivateKey.from_private_bytes(master)
    out["statement_signature"] = signing.sign(label("statement") + b"statement")

    out["recovery_code"] = recovery_code(seed).encode()
    out["recovery_sealing_public"] = XWing(expand(seed, info("recovery/sealing-seed"), 32)).public
    recovery_signing = Ed25519PrivateKey.from_private_bytes(expand(seed, info("recovery/signing-seed"), 32))
    out["recovery_verifying"] = raw(recovery_signing.public_key())
    fingerprint = out["recovery_sealing_public"] + out["recovery_verifying"]
    out["recovery_fingerprint"] = sha256(label("recovery/fingerprint") + fingerprint)[:8]
    digest = sha256(label("recovery/fingerprint") + fingerprint)
    coefficients = [bytes((at * 7 + first) % 256 for at in range(32)) for first in (1, 200)]
    for number in (1, 2, 3, 4):
        content = share(seed, coefficients, number, 4, digest)
        checksum = in_fives(sha256(label("recovery/share-checksum") + content), 4)
        out[f"share_{number}"] = in_groups(list(content) + checksum).encode()
        out[f"share_{number}_digest"] = sha256(label("recovery/share") + vault + content)
    age = expand(seed, info("recovery/age-identity"), 32)
    out["age_identity"] = bech32("age-secret-key-", age).upper().encode()
    out["age_recipient"] = bech32("age", raw(X25519PrivateKey.from_private_bytes(age).public_key())).encode()

    receiver = XWing(bytes([0x31]) * 32)
    shared, enc = receiver.encapsulate()
    hpke = Hpke(shared, info("seal/tenant-key", vault, tenant, u64(1), account))
    out["sealed"] = enc + hpke.export(label("seal/commitment")) + AESGCM(hpke.key).encrypt(hpke.nonce, tenant_key, b"")

    shared, enc = receiver.encapsulate()
    hpke = Hpke(shared, info("seal/log-session", vault, u64(1)))
    out["session_header"] = enc + hpke.export(label("seal/commitment"))
    message_key = expand(hpke.export(label("seal/session-secret")), info("seal/session-message", u64(41)), 32)
    out["session_message_41"] = AESGCM(message_key).encrypt(bytes(12), b"entry", b"associated")

    text = json.dumps({name: value.hex() for name, value in out.items()}, indent=1)
    pathlib.Path(__file__).with_name("frozen.json").write_text(text + "\n")


main()

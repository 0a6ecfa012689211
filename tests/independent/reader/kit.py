"""The recovery kit (docs/FORMAT.md §4.9, §4.10)."""

import re

from . import crypto
from .crypto import expand, info, label, sha256
from .encoding import id_bytes
from .refused import require

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
GROUPS = 14


class Kit:
    """What a kit's text holds, and the keys that follow from its seed."""

    def __init__(self, text):
        heading, _, rest = text.partition("Recovery code")
        require(rest, "the text has no recovery code")
        self.vault = id_bytes(_value(heading, "Vault id"))
        self.founding = bytes.fromhex(_value(heading, "Founded as"))
        self.seed = parse_code(rest.partition("To restore a backup")[0])
        # Every key of recovery, by one rule.
        self.sealing = crypto.XWing(expand(self.seed, info("recovery/sealing-seed"), 32))
        self.verifying_key = crypto.verifying_key(expand(self.seed, info("recovery/signing-seed"), 32))
        age_private_key = expand(self.seed, info("recovery/age-identity"), 32)
        self.age_public_key = crypto.x25519_public(age_private_key)
        self.age_identity = bech32("age-secret-key-", age_private_key).upper()
        require(self.age_identity in text.split("\n"), "the age identity is not the one of the recovery code")


def _value(heading, name):
    found = re.search(rf"^{name} +(\S+)$", heading, re.MULTILINE)
    require(found, f"the kit does not say: {name}")
    return found[1]


def read_groups(text, groups):
    """The bits of so many groups, as a string of digits; refuses whatever was not copied exactly."""
    text = re.sub(r"[\s\-\u2010-\u2015\u2212]", "", text).upper().translate(str.maketrans("OIL", "011"))
    require(len(text) == 5 * groups and all(character in CROCKFORD for character in text), "no code of so many groups")
    bits = ""
    for group in range(groups):
        *values, check = (CROCKFORD.index(character) for character in text[5 * group : 5 * group + 5])
        require(check == check_value(group, values), f"group {group + 1} was not copied exactly")
        bits += "".join(f"{value:05b}" for value in values)
    return bits


def parse_code(text):
    """The seed in a printed code."""
    bits = read_groups(text, GROUPS)
    seed_bits, spare, checksum = bits[:256], bits[256:260], bits[260:]
    seed = int(seed_bits, 2).to_bytes(32, "big")
    expected = int.from_bytes(sha256(label("recovery/checksum"), seed)[:4], "big") >> 12
    require(spare == "0000" and int(checksum, 2) == expected, "the recovery code was not copied exactly")
    return seed


def check_value(group, values):
    """α·v1 + α²·v2 + α³·v3 + α⁴·v4 + group, counted from 0, in GF(32)."""
    check, power = group, 1
    for value in values:
        power = times(power, 2)
        check ^= times(power, value)
    return check


def times(a, b):
    """Product in GF(2)[α]/(α⁵ + α² + 1)."""
    product = 0
    for bit in range(5):
        if b >> bit & 1:
            product ^= a << bit
    for bit in range(8, 4, -1):
        if product >> bit & 1:
            product ^= 0b100101 << bit - 5
    return product


BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def bech32(prefix, data):
    """BIP-173, as age writes its keys."""
    bits = "".join(f"{byte:08b}" for byte in data)
    bits += "0" * (-len(bits) % 5)
    values = [int(bits[start : start + 5], 2) for start in range(0, len(bits), 5)]
    checksum = 1
    for value in [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix] + values + [0] * 6:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            checksum ^= generator if top >> bit & 1 else 0
    checksum ^= 1
    values += [checksum >> 5 * (5 - position) & 31 for position in range(6)]
    return prefix + "1" + "".join(BECH32[value] for value in values)

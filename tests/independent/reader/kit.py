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
        self._take(heading, parse_code(rest.partition("To restore a backup")[0]))
        require(self.age_identity in text.split("\n"), "the age identity is not the one of the recovery code")

    @classmethod
    def of_shares(cls, pages):
        """The kit that the pages of so many shares come to."""
        shares = [Share(page) for page in pages]
        seed = join(shares)
        kit = cls.__new__(cls)
        kit._take(shares[0].heading, seed)
        digest = sha256(label("recovery/fingerprint"), kit.sealing.public, kit.verifying_key)
        require(digest[:5] == shares[0].mark, "together they are not the seed they say they are of")
        return kit

    def _take(self, heading, seed):
        self.vault = id_bytes(_value(heading, "Vault id"))
        self.founding = bytes.fromhex(_value(heading, "Founded as"))
        self.seed = seed
        # Every key of recovery, by one rule.
        self.sealing = crypto.XWing(expand(self.seed, info("recovery/sealing-seed"), 32))
        self.verifying_key = crypto.verifying_key(expand(self.seed, info("recovery/signing-seed"), 32))
        age_private_key = expand(self.seed, info("recovery/age-identity"), 32)
        self.age_public_key = crypto.x25519_public(age_private_key)
        self.age_identity = bech32("age-secret-key-", age_private_key).upper()


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


class Share:
    """One share of a seed, as its page says it."""

    GROUPS = 17

    def __init__(self, page):
        self.heading, _, rest = page.partition("Share code")
        require(rest, "the page has no share code")
        bits = read_groups(rest.partition("To use it")[0], self.GROUPS)
        values = bytes(int(bits[at : at + 5], 2) for at in range(0, len(bits), 5))
        self.content, checksum = values[:-4], bits[-20:]
        expected = int.from_bytes(sha256(label("recovery/share-checksum"), self.content)[:4], "big") >> 12
        require(int(checksum, 2) == expected, "the share's code was not copied exactly")
        self.number, self.needed, self.count, zero = self.content[:4]
        require(2 <= self.needed <= self.count <= 16 and 1 <= self.number <= self.count and zero == 0, "no such share")
        require(bits[276:280] == "0000", "the share's code was not copied exactly")
        self.value = int(bits[20:276], 2).to_bytes(32, "big")
        self.mark = int(bits[280:320], 2).to_bytes(5, "big")

    def digest(self, vault):
        return sha256(label("recovery/share"), vault, self.content)


def join(shares):
    """The seed: the value at 0 of the polynomials that go through the shares' values."""
    one = shares[0]
    require(all((s.needed, s.count, s.mark) == (one.needed, one.count, one.mark) for s in shares), "of different seeds")
    by_number = {share.number: share.value for share in shares}
    require(all(by_number[share.number] == share.value for share in shares), "two different shares of one number")
    require(len(by_number) >= one.needed, "too few shares")
    points = list(by_number.items())[: one.needed]
    seed = bytes(32)
    for number, value in points:
        factor = 1
        for other, _ in points:
            if other != number:
                factor = times_256(factor, times_256(other, inverse_256(other ^ number)))
        seed = bytes(byte ^ times_256(factor, of_share) for byte, of_share in zip(seed, value))
    return seed


def times_256(a, b):
    """Product in GF(2)[x]/(x⁸ + x⁴ + x³ + x + 1)."""
    product = 0
    for bit in range(8):
        if b >> bit & 1:
            product ^= a << bit
    for bit in range(14, 7, -1):
        if product >> bit & 1:
            product ^= 0b100011011 << bit - 8
    return product


def inverse_256(a):
    return next(b for b in range(1, 256) if times_256(a, b) == 1)


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
